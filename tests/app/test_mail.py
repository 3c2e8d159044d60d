"""The outbox sends each message once, tries again, and gives up in sight."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.core import mail

from guildmark.app.records import OutboxMessage
from guildmark.app.services.mail import MOST_ATTEMPTS, deliver_due, post

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)


@pytest.fixture
def message(db):
    return post(to="mei@example.org", subject="Your credential", body="Here it is.", now=NOW)


def test_a_message_is_sent_once(message):
    assert deliver_due(now=NOW) == (1, 0)
    assert deliver_due(now=NOW + timedelta(days=1)) == (0, 0)
    assert [m.to for m in mail.outbox] == [["mei@example.org"]]


def test_posting_enqueues_the_sending(message):
    from django_tasks_db.models import DBTaskResult

    assert DBTaskResult.objects.filter(task_path="guildmark.app.tasks.mail.deliver_mail").count() == 1


def test_a_failing_server_is_tried_again_later_and_given_up_in_sight(message, monkeypatch):
    def refuse(*args, **kwargs):
        raise ConnectionRefusedError("no mail server here")

    monkeypatch.setattr("guildmark.app.services.mail.send_mail", refuse)
    assert deliver_due(now=NOW) == (0, 1)
    assert deliver_due(now=NOW) == (0, 0), "not before its time"
    moment = NOW
    for _ in range(MOST_ATTEMPTS):
        moment += timedelta(days=1)
        deliver_due(now=moment)
    row = OutboxMessage.objects.get()
    assert row.dead
    assert row.attempts == MOST_ATTEMPTS
    assert row.sent_at is None
    assert "no mail server" in row.problem


def test_a_message_claimed_by_another_worker_is_left_alone(message):
    OutboxMessage.objects.update(attempts=1, due_at=NOW + timedelta(minutes=1))
    assert deliver_due(now=NOW) == (0, 0)
    assert mail.outbox == []
