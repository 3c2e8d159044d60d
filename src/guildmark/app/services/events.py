"""What every verb leaves behind: one event, in the transaction that made it true."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from guildmark.app.records import Event, Person


def note_event(*, verb: str, subject: str, actor: Person | None, now: datetime, **facts: Any) -> Event:
    """One event is appended; call it inside the transaction of the verb, so that both stand or neither."""
    return Event.objects.create(at=now, actor=actor, verb=verb, subject=subject[:300], facts=facts)
