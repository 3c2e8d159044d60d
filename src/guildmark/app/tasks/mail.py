"""Sending what lies in the outbox."""

from __future__ import annotations

from django.utils import timezone
from django_tasks import task

from guildmark.app.services.mail import deliver_due


@task()
def deliver_mail() -> str:
    """The outbox is emptied as far as it can be now; running it twice sends nothing twice."""
    sent, failed = deliver_due(now=timezone.now())
    return f"{sent} sent, {failed} failed"
