"""What a process that was killed left undone is done when the next one starts."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Q

from guildmark.app.doors import blob_store
from guildmark.app.records import LogEntry, OutboxMessage, StatusList, Submission
from guildmark.app.services.assess import forget_work
from guildmark.app.services.award_lists import forget_old_lists
from guildmark.app.services.award_lists import order_next as order_award_lists
from guildmark.app.services.follow_ups import enqueue, enqueue_once_at
from guildmark.app.services.publish import export_web
from guildmark.app.services.webhooks import order_next as order_webhooks


def catch_up(*, now: datetime) -> None:
    """The published files are those of the database, and mail and log entries that wait are somebody's task again.

    A task that was running when its worker was killed is never given to another; ours may all run twice, so new ones
    are ordered instead of asking what became of the old.
    """
    export_web()
    forget_orphans(before=now - timedelta(days=1))
    if LogEntry.objects.filter(Q(index=None) | Q(award__receipt="")).exists():
        enqueue("publish_checkpoint")
    if StatusList.objects.exists():
        enqueue("publish_status_lists")
    order_webhooks(now=now)
    order_award_lists(now=now)
    forget_old_lists(now=now)
    first = OutboxMessage.objects.filter(sent_at=None, dead=False).order_by("due_at").first()
    if first is not None:
        enqueue_once_at("deliver_mail", max(first.due_at, now))


def forget_orphans(*, before: datetime) -> int:
    """How many files of work were stored before that moment, belong to no submission, and are gone now.

    They come from work that was replaced, or whose submission failed, when the process died before it tidied up.
    """
    known = set(Submission.objects.values_list("sha256", flat=True))
    return sum(forget_work(digest) for digest in blob_store().older_than(before) if digest not in known)
