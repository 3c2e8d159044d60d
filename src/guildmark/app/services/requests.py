"""A request that is sent again does nothing again: answers are kept for a day under the key that the caller chose."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from guildmark.app.records import KeptAnswer
from guildmark.app.services.api_keys import Caller
from guildmark.app.services.verbs import verb
from guildmark.core.errors import BrokenInput

KEPT_FOR = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request is answered; `learner` is whom it tells of, so that erasing them erases it."""

    status: int
    body: bytes
    etag: str = ""
    location: str = ""
    learner: UUID | None = None


@verb
def answer_once(
    *, caller: Caller, key: str | None, request_sha256: str, act: Callable[[], Answer], now: datetime
) -> Answer:
    """What `act` answers, or what it answered when the caller sent the same request with the same key.

    Act and kept answer stand or fall together: a request that was refused left nothing, and may be sent again under
    its key. Of two at the same moment the second waits and is answered as the first. BrokenInput for a key that went
    with another request.
    """
    if key is None:
        return act()
    KeptAnswer.objects.filter(at__lte=now - KEPT_FOR).delete()
    row, made = KeptAnswer.objects.get_or_create(
        caller=caller.id,
        key=key,
        defaults={"request_sha256": request_sha256, "status": 0, "body": b"", "at": now},
    )
    if not made:
        if row.request_sha256 != request_sha256:
            raise BrokenInput(
                "this key went with another request within the last day",
                where="Idempotency-Key",
                hint="make a new key for a new request",
            )
        return Answer(row.status, bytes(row.body), row.etag, row.location, row.learner_id)
    answer = act()
    KeptAnswer.objects.filter(pk=row.pk).update(
        status=answer.status,
        body=answer.body,
        etag=answer.etag,
        location=answer.location,
        learner=answer.learner,
    )
    return answer
