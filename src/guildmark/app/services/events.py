"""What every verb leaves behind: one event, in the transaction that made it true."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Model

from guildmark.app.records import Event, Organisation, Person
from guildmark.app.services.announce import announce


def note_event(
    *,
    verb: str,
    subject: str,
    actor: Person | None,
    now: datetime,
    organisation: Organisation | None = None,
    other: Organisation | None = None,
    about: Model | None = None,
    **facts: Any,
) -> Event:
    """One event is appended; call it inside the transaction of the verb, so that both stand or neither.

    It is in the trail of `organisation`, for which somebody acted, and of `other`, whom it concerns as well.
    `about` is the row that it tells of, where organisations may want to be told of it by webhook.
    """
    event = Event.objects.create(
        at=now, actor=actor, verb=verb, subject=subject[:300], facts=facts, organisation=organisation, other=other
    )
    if about is not None:
        announce(event, about)
    return event
