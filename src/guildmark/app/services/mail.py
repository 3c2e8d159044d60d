"""The outbox: mail is written with what it tells of and sent later, so that an award never waits for a mail server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.conf import settings
from django.core.mail import send_mail
from django.db.models import F
from django.utils import translation

from guildmark.app.records import OutboxMessage, Person
from guildmark.app.services.follow_ups import enqueue, enqueue_once_at
from guildmark.app.services.verbs import verb

MOST_ATTEMPTS = 8
LONGEST_SUBJECT = 200


@contextmanager
def in_language_of(to: str, *, otherwise: str = "") -> Iterator[None]:
    """What is written inside is in the language of whoever reads mail at `to`.

    It is the one that they chose on the site, else `otherwise` (of what they learned, say), else the site's own.
    """
    chosen = Person.objects.filter(email__iexact=to, is_active=True).exclude(language="").order_by("date_joined")
    wanted = [*chosen.values_list("language", flat=True)[:1], otherwise.split("-")[0].lower()]
    with translation.override(first_known(*wanted)):
        yield


def first_known(*languages: str) -> str:
    """The first of these in which the site speaks, else the site's own."""
    known = dict(settings.LANGUAGES)
    return next((one for one in languages if one in known), settings.LANGUAGE_CODE)


def post(*, to: str, subject: str, body: str, now: datetime) -> OutboxMessage:
    """A message lies in the outbox, due at once, and a task to send it is enqueued in the same transaction."""
    message = OutboxMessage.objects.create(to=to, subject=one_subject(subject), body=body, created_at=now, due_at=now)
    enqueue("deliver_mail")
    return message


def one_subject(text: str) -> str:
    """The subject as one line of bounded length."""
    line = " ".join(text.split())
    return line if len(line) <= LONGEST_SUBJECT else f"{line[: LONGEST_SUBJECT - 1]}…"


def deliver_due(*, now: datetime, most: int = 100) -> tuple[int, int]:
    """(sent, failed) after trying every message due at `now`, at most `most`.

    A message is claimed by moving its `due_at` forward where nobody else has (compare-and-swap), so two workers do not
    send it twice; one that fails is tried again after 1, 2, 4 ... minutes and is dead after eight attempts, kept and
    visible in the admin. The text of a message that was sent is forgotten, since it may hold a claim link. A worker
    that is killed between the mail server's answer and the next line leaves its message to be sent once more: twice is
    better than never.
    """
    sent = failed = 0
    due = OutboxMessage.objects.filter(sent_at=None, dead=False, due_at__lte=now).order_by("due_at", "id")[:most]
    for message in due:
        if not _claim(message, now):
            continue
        try:
            send_mail(message.subject, message.body, None, [message.to])
        except OSError as problem:  # what SMTP and the file system raise; anything else is a defect and should show
            failed += 1
            _note(message, problem=str(problem)[:500], dead=message.attempts + 1 >= MOST_ATTEMPTS)
        else:
            sent += 1
            _note(message, sent_at=now, body="", problem="")
    left = OutboxMessage.objects.filter(sent_at=None, dead=False).order_by("due_at").first()
    if left is not None:
        enqueue_once_at("deliver_mail", max(left.due_at, now))
    return sent, failed


@verb
def _claim(message: OutboxMessage, now: datetime) -> bool:
    """Whether the message is ours to send; if so, nobody else tries before its wait is over."""
    mine = OutboxMessage.objects.filter(pk=message.pk, attempts=message.attempts, sent_at=None, dead=False)
    wait = timedelta(minutes=2**message.attempts)
    return bool(mine.update(attempts=F("attempts") + 1, due_at=now + wait))


@verb
def _note(message: OutboxMessage, **facts: object) -> None:
    OutboxMessage.objects.filter(pk=message.pk).update(**facts)
