"""The database keeps the log's promises: one index each, a checkpoint that moves by compare-and-swap, nothing lost."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from django.db import transaction

from guildmark.app.doors import TileFiles
from guildmark.app.records import LogCheckpoint, LogEntry, Organisation
from guildmark.app.services.ledger import DatabaseLogStore, append_organisation_entry, log, publish_checkpoint
from guildmark.core.report import Verdict
from guildmark.ledger.entries import history_findings

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def home(settings, tmp_path):
    settings.HOME = tmp_path
    return tmp_path


@pytest.fixture
def harbour():
    return Organisation.objects.create(
        id=uuid4(),
        slug="harbour",
        name="Harbour",
        kind="provider",
        did="did:web:h.example",
        country="AU",
        created_at=NOW,
    )


@transaction.atomic
def _say(organisation, number):
    return append_organisation_entry(
        organisation=organisation,
        kind="achievement",
        statement={"achievement": f"https://h.example/a/{number}", "sha256": f"{number:064x}"},
        now=NOW,
    )


def test_everything_that_waited_is_in_the_log_and_the_log_is_sound(harbour):
    for number in range(5):
        _say(harbour, number)
    checkpoint, _ = publish_checkpoint()
    assert checkpoint.size == 5
    assert sorted(LogEntry.objects.values_list("index", flat=True)) == [0, 1, 2, 3, 4]
    assert log().fsck().verdict is Verdict.PASS


def test_publishing_with_nothing_waiting_changes_nothing(harbour):
    _say(harbour, 0)
    first, _ = publish_checkpoint()
    second, _ = publish_checkpoint()
    assert first == second


def test_statements_of_one_organisation_are_chained(harbour):
    for number in range(3):
        _say(harbour, number)
    leaves = [bytes(row.leaf) for row in LogEntry.objects.order_by("id")]
    assert history_findings(harbour.did, leaves).verdict is Verdict.PASS
    assert history_findings(harbour.did, [leaves[0], leaves[2]]).verdict is Verdict.FAIL


def test_a_row_that_was_deleted_shows(harbour):
    for number in range(3):
        _say(harbour, number)
    publish_checkpoint()
    LogEntry.objects.filter(index=1).delete()
    assert log().fsck().verdict is Verdict.FAIL


def test_a_database_restored_from_an_older_backup_is_refused(harbour):
    from guildmark.ledger.log import UnsoundLog

    _say(harbour, 0)
    publish_checkpoint()
    old = LogCheckpoint.objects.get()
    _say(harbour, 1)
    publish_checkpoint()
    LogCheckpoint.objects.update(size=old.size, text=old.text)
    LogEntry.objects.filter(index=1).update(index=None)
    with pytest.raises(UnsoundLog, match="older backup"):
        publish_checkpoint()


def test_an_index_is_given_once_and_in_order(harbour, tmp_path):
    store = DatabaseLogStore("h.example/log", TileFiles(tmp_path / "log"))
    keys = [str(_say(harbour, number).pk) for number in range(4)]
    assert store.assign(0, keys[:2]) is True
    assert store.assign(0, keys[2:3]) is False, "the index is taken"
    assert store.assign(2, keys[1:3]) is False, "one entry has an index already, so nothing is done"
    assert store.assign(9, keys[3:]) is False, "no gap"
    assert LogEntry.objects.filter(index=None).count() == 2


def test_the_checkpoint_moves_only_from_what_was_expected():
    store = DatabaseLogStore("h.example/log", None)
    first, second = "h.example/log\n1\nroot\n", "h.example/log\n2\nroot\n"
    assert store.advance(None, lambda: first) == first
    assert store.advance(None, lambda: second) is None
    assert store.advance("something else", lambda: second) is None
    assert store.advance(first, lambda: second) == second
    assert store.signed() == second
