"""Awarding by list, a slice at a time, so that mail and checkpoints get their turn in between."""

from __future__ import annotations

import secrets
import time
from datetime import timedelta
from uuid import uuid4

from django.utils import timezone
from django_tasks import task

from guildmark.app.access import require
from guildmark.app.records import AwardList
from guildmark.app.services import award_lists
from guildmark.app.services.follow_ups import enqueue, enqueue_once_at
from guildmark.core.errors import NotAllowed, OutsideFailure

SLICE = 10.0
"""Seconds after which other tasks get their turn."""


@task()
def run_award_lists() -> str:
    """Some rows of a list that nobody is at are settled; running it twice, or by two workers at once, is harmless."""
    return run_slice(seconds=SLICE)


def run_slice(*, seconds: float) -> str:
    """What was done, in words. More is ordered if there is more to do, and in any case a look for a lost worker."""
    now = timezone.now()
    row = award_lists.claim_list(runner=uuid4().hex, now=now)
    if row is None:
        award_lists.order_next(now=now)
        return "no list is free"
    enqueue_once_at("run_award_lists", now + award_lists.LOST + timedelta(seconds=5))  # should this worker be killed
    settled, begun = 0, time.monotonic()
    try:
        while time.monotonic() - begun < seconds:
            done = _batch(row)
            settled += done
            if not done:
                break
    except NotAllowed as problem:
        award_lists.stop_list(award_list=row, problem=str(problem), now=timezone.now())
    except OutsideFailure:
        enqueue_once_at("run_award_lists", timezone.now() + timedelta(seconds=15))
    if award_lists.release_list(award_list=row, runner=row.runner):
        enqueue("run_award_lists")
    return f"{settled} rows of {row.id}"


def _batch(row: AwardList) -> int:
    """How many rows are settled; NotAllowed if who started the list may award no longer."""
    provider = row.offering.blueprint_version.provider
    assert row.started_by is not None
    require(row.started_by, "award", provider)
    if row.brings_results:
        require(row.started_by, "decide", provider)
    return award_lists.award_batch(
        award_list=row, runner=row.runner, entropy=secrets.token_bytes, new_id=uuid4, now=timezone.now()
    )
