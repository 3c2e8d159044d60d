"""Sending what organisations are told of."""

from __future__ import annotations

import random

from django.utils import timezone
from django_tasks import task

from guildmark.app.doors import webhook_poster
from guildmark.app.services.webhooks import deliver_due


@task()
def deliver_webhooks() -> str:
    """What is due has been tried once; running it twice sends nothing twice, and the next run is ordered."""
    accepted, refused = deliver_due(poster=webhook_poster(), clock=timezone.now, jitter=random.random)
    return f"{accepted} accepted, {refused} not accepted"
