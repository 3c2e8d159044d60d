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


def test_what_was_sent_leaves_no_text_behind_so_that_no_claim_link_stays_in_the_database(message):
    deliver_due(now=NOW)
    row = OutboxMessage.objects.get()
    assert (row.sent_at, row.body) == (NOW, "")


def test_what_could_not_be_sent_is_tried_again_without_anybody_asking(message, monkeypatch):
    from django_tasks_db.models import DBTaskResult

    def refuse(*args, **kwargs):
        raise ConnectionRefusedError("no mail server here")

    monkeypatch.setattr("guildmark.app.services.mail.send_mail", refuse)
    DBTaskResult.objects.update(status="RUNNING")  # the worker is about to
    deliver_due(now=NOW)
    deliver_due(now=NOW)
    (later,) = DBTaskResult.objects.filter(status="READY")
    assert later.run_after == OutboxMessage.objects.get().due_at


def test_a_long_title_with_line_breaks_is_a_subject_all_the_same(db):
    post(to="mei@example.org", subject=f"Your credential: {'very ' * 80}long\nBcc: all@example.org", body="x", now=NOW)
    assert deliver_due(now=NOW) == (1, 0)
    assert len(mail.outbox[0].subject) <= 200
    assert "\n" not in mail.outbox[0].subject
    assert mail.outbox[0].bcc == []


def test_what_a_dead_process_left_is_under_way_again_when_a_worker_starts(message):
    from django_tasks_db.models import DBTaskResult

    from guildmark.app.services.recovery import catch_up

    DBTaskResult.objects.all().delete()  # it was running when its worker was killed, and nobody runs it again
    catch_up(now=NOW)
    assert DBTaskResult.objects.get().task_path == "guildmark.app.tasks.mail.deliver_mail"
