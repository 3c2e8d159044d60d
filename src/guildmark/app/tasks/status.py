"""Publishing status lists that changed, and renewing the others before they run out."""

from __future__ import annotations

from django.utils import timezone
from django_tasks import task

from guildmark.app.services.status import publish_due_lists


@task()
def publish_status_lists() -> str:
    """Every list that is due is signed and published, and the next look is ordered; again at once does nothing."""
    done, problems = publish_due_lists(now=timezone.now())
    told = [f"list {number}: {problem}" for number, problem in problems.items()]
    return "; ".join([f"{len(done)} published", *told])
