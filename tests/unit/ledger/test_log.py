"""The log survives being killed at every step, races with itself, and refuses to sign over damage.

The invariant that every test ends with: each checkpoint ever signed is a prefix of the log as it now stands,
every entry is in it exactly once, and the whole log is consistent.
"""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.ledger.cast import ORIGIN, Key, Killed, MemoryStore, naive_root
from tests.unit.ledger.test_entries import ADA, DID, KEY

from guildmark.core.errors import NotAllowed, OutsideFailure
from guildmark.core.report import Verdict
from guildmark.ledger.checkpoint import Checkpoint, open_checkpoint, read_checkpoint
from guildmark.ledger.entries import learner_leaf, organisation_leaf
from guildmark.ledger.log import Entry, Log, UnsoundLog, order_batch
from guildmark.ledger.merkle import leaf_hash, verify_consistency
from guildmark.ledger.note import VerifierKey
from guildmark.ledger.receipt import verify_receipt
from guildmark.ledger.tiles import TileTree

VKEY = VerifierKey.of(ORIGIN, Key().public_key)


def _leaf(number: int) -> bytes:
    return learner_leaf(DID, KEY, ADA | {"number": number}, bytes([number % 256]) * 32)


def _log(store):
    return Log(store, Key(), ORIGIN)


def _started(entries: int) -> MemoryStore:
    store = MemoryStore()
    for number in range(entries):
        store.append(_leaf(number))
    if entries:
        _log(store).publish()
    store.steps.clear()
    return store


def _assert_whole(store):
    """The invariant, checked from the rows, the files and every text that was ever signed."""
    rows = sorted((row for row in store.rows.values() if row.index is not None), key=lambda row: row.index)
    assert [row.index for row in rows] == list(range(len(rows)))
    leaves = [row.leaf for row in rows]
    for text in store.signed_texts:
        checkpoint = open_checkpoint(text, [VKEY])
        assert checkpoint.root == naive_root(leaves[: checkpoint.size])
    last = open_checkpoint(store.text, [VKEY])
    assert last.size == len(store.rows) == len(leaves)
    report = _log(store).fsck()
    assert report.verdict is Verdict.PASS, [f.says for f in report.failed()]
    for index in {0, 1, 255, 256, len(leaves) // 2, len(leaves) - 1} & set(range(len(leaves))):
        receipt = _log(store).receipt(index)
        assert verify_receipt(receipt.to_text(), vkey=VKEY, leaf=leaves[index]).verdict is Verdict.PASS


def test_entries_get_indexes_a_checkpoint_and_receipts():
    store = MemoryStore()
    keys = [store.append(_leaf(number)) for number in range(3)]
    published = _log(store).publish()
    assert published.checkpoint.size == 3
    assert sorted(published.indexes) == sorted(keys)
    assert sorted(published.indexes.values()) == [0, 1, 2]
    assert published.text == store.text == store.tiles.published()
    _assert_whole(store)


def test_an_empty_log_signs_the_empty_tree_and_nothing_twice():
    store = MemoryStore()
    first = _log(store).publish()
    assert first.checkpoint.size == 0
    second = _log(store).publish()
    assert (second.text, second.indexes) == (first.text, {})
    assert len(store.signed_texts) == 1
    _assert_whole(store)


def test_a_learners_place_tells_nothing_and_statements_keep_their_order():
    first = organisation_leaf("key", {"issuer": DID})
    second = organisation_leaf("policy", {"issuer": DID}, previous=first)
    leaves = [_leaf(1), first, _leaf(2), _leaf(3), second]
    ordered = [entry.leaf for entry in order_batch([Entry(str(i), leaf) for i, leaf in enumerate(leaves)])]
    assert ordered[:2] == [first, second]
    backwards = [entry.leaf for entry in order_batch([Entry(str(i), leaf) for i, leaf in enumerate(leaves[::-1])])]
    assert ordered[2:] == backwards[2:] == sorted([_leaf(1), _leaf(2), _leaf(3)], key=leaf_hash)


# --- killed at every step --------------------------------------------------------------------------------


def _steps(before: int, new: int) -> list[str]:
    store = _started(before)
    for number in range(new):
        store.append(_leaf(before + number))
    _log(store).publish()
    return store.steps


@pytest.mark.parametrize(("before", "new"), [(0, 1), (0, 3), (3, 2), (250, 10), (256, 1), (0, 0), (511, 2)])
def test_killed_at_any_step_publishing_again_loses_and_forks_nothing(before, new):
    steps = _steps(before, new)
    assert len(steps) >= 6
    for kill_at in range(len(steps)):
        store = _started(before)
        for number in range(new):
            store.append(_leaf(before + number))
        acknowledged = store.text
        store.kill_at = kill_at
        with pytest.raises(Killed):
            _log(store).publish()
        if acknowledged is not None:
            assert _log(store).checkpoint() is not None
        late = store.append(_leaf(1000))  # life goes on before somebody publishes again
        published = _log(store).publish()
        assert late in published.indexes
        assert published.checkpoint.size == before + new + 1
        _assert_whole(store)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4), st.none() | st.integers(0, 25)), min_size=1, max_size=8))
def test_any_history_of_batches_and_kills_ends_whole(history):
    store, number = MemoryStore(), 0
    for batch, kill_at in history:
        for _ in range(batch):
            store.append(_leaf(number))
            number += 1
        store.steps.clear()
        store.kill_at = kill_at
        try:
            _log(store).publish()
        except Killed:
            continue
    store.kill_at = None
    _log(store).publish()
    _assert_whole(store)


# --- two publishers at once ------------------------------------------------------------------------------


_WITHIN_A_TRANSACTION = {"advance signed", "assign done"}  # a database lets no other writer in here


@pytest.mark.parametrize("moment", sorted(set(_steps(3, 2)) - _WITHIN_A_TRANSACTION))
def test_another_publisher_at_any_moment_forks_nothing(moment):
    """While one publisher is before `moment`, another appends, publishes and is done."""
    store = _started(3)
    store.append(_leaf(3))
    store.append(_leaf(4))
    done = []

    def other(step):
        if step == moment and not done:
            done.append(step)
            store.append(_leaf(5))
            _log(store).publish()

    store.meanwhile = other
    published = _log(store).publish()
    assert done
    assert published.checkpoint.size in (5, 6)
    store.meanwhile = lambda step: None
    _log(store).publish()
    _assert_whole(store)


def test_a_publisher_that_always_comes_second_says_so():
    store = _started(1)
    store.append(_leaf(1))

    def other(step):
        if step == "advance":
            store.meanwhile = lambda step: None
            store.append(_leaf(len(store.rows)))
            _log(store).publish()
            store.append(_leaf(len(store.rows)))
            store.meanwhile = other

    store.meanwhile = other
    with pytest.raises(OutsideFailure, match="try again"):
        _log(store).publish()
    store.meanwhile = lambda step: None
    _log(store).publish()
    _assert_whole(store)


# --- refuse rather than guess ----------------------------------------------------------------------------


def test_a_database_restored_from_an_older_backup_is_refused():
    store = _started(3)
    rows, text = dict(store.rows), store.text
    store.append(_leaf(3))
    _log(store).publish()
    store.rows, store.text = rows, text  # the tiles and the public checkpoint stay
    store.append(_leaf(99))
    with pytest.raises(UnsoundLog, match="restored from an older backup"):
        _log(store).publish()
    assert len(store.signed_texts) == 2
    assert _log(store).fsck()["ledger.published"].verdict is Verdict.FAIL


def test_a_lost_row_is_refused_before_anything_is_signed():
    store = _started(3)
    for number in (3, 4):
        store.append(_leaf(number))
    store.kill_at = _steps(3, 2).index("assign done")
    with pytest.raises(Killed):
        _log(store).publish()
    lost = next(key for key, row in store.rows.items() if row.index == 3)
    del store.rows[lost]
    with pytest.raises(UnsoundLog, match="no entry with index 3"):
        _log(store).publish()


@pytest.mark.parametrize("path", ["tile/0/000.p/3", "tile/entries/000.p/3"])
def test_a_damaged_edge_is_refused(path):
    store = _started(3)
    good = store.tiles.files[path]
    store.append(_leaf(3))
    for bad in (good[:-1], good[:20] + bytes([good[20] ^ 1]) + good[21:]):
        store.tiles.files[path] = bad
        with pytest.raises(UnsoundLog, match="tile"):
            _log(store).publish()
    assert len(store.signed_texts) == 1
    store.tiles.files[path] = good
    _log(store).publish()
    _assert_whole(store)


def test_a_checkpoint_of_another_key_or_origin_is_refused():
    store = _started(3)
    for log in (Log(store, Key(b"X" * 32), ORIGIN), Log(store, Key(), "else.example/log")):
        with pytest.raises(UnsoundLog, match="not its own"):
            log.publish()
    successor = Log(store, Key(b"X" * 32), ORIGIN, earlier_keys=[VKEY])
    store.append(_leaf(3))
    assert successor.publish().checkpoint.size == 4


def test_no_receipt_before_a_checkpoint_covers_the_entry():
    store = _started(3)
    store.append(_leaf(3))
    for index in (3, -1):
        with pytest.raises(NotAllowed, match="publish first"):
            _log(store).receipt(index)
    with pytest.raises(NotAllowed, match="publish first"):
        _log(MemoryStore()).receipt(0)


def test_no_receipt_is_handed_out_that_does_not_verify():
    store = _started(3)
    good = store.tiles.files["tile/0/000.p/3"]
    store.tiles.files["tile/0/000.p/3"] = good[:40] + bytes([good[40] ^ 1]) + good[41:]
    with pytest.raises(UnsoundLog, match="do not lead to its signed root"):
        _log(store).receipt(0)
    del store.tiles.files["tile/0/000.p/3"]
    with pytest.raises(UnsoundLog, match="cannot be read"):
        _log(store).receipt(0)


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 700])
def test_receipts_of_many_are_those_of_each(size):
    store = _started(size)
    order = [*range(size)][::-1][:40] + [*range(size)][:40]
    many = list(_log(store).receipts((index, bytes(32)) for index in order))
    assert many == [_log(store).receipt(index, bytes(32)) for index in order]


def test_a_later_checkpoint_extends_an_earlier_one():
    store = _started(300)
    old = read_checkpoint(store.text)
    for number in range(300, 700):
        store.append(_leaf(number))
    new = _log(store).publish().checkpoint
    proof = _log(store).consistency(old.size)
    roots = {"old_root": old.root, "new_root": new.root}
    assert verify_consistency(old=old.size, new=new.size, proof=proof, **roots)
    with pytest.raises(NotAllowed, match="no proof leads there"):
        _log(store).consistency(701)


# --- fsck ------------------------------------------------------------------------------------------------


def test_fsck_finds_a_flipped_bit_in_every_file():
    store = _started(600)
    for path in [p for p in store.tiles.files if p != "checkpoint"]:
        good = store.tiles.files[path]
        for position in {0, len(good) // 2, len(good) - 1}:
            store.tiles.files[path] = good[:position] + bytes([good[position] ^ 1]) + good[position + 1 :]
            report = _log(store).fsck()
            assert report.verdict is Verdict.FAIL, (path, position)
            assert report["ledger.checkpoint"].verdict is Verdict.PASS
            named = " ".join(str(f.because.get("problems")) + f.says for f in report.failed())
            number = int(path.split("/")[2].removesuffix(".p"))
            inside = range(number * 256, number * 256 + 256)
            assert path in named or any(f"entry {index} does not hash" in named for index in inside)
        store.tiles.files[path] = b""
        assert _log(store).fsck().verdict is Verdict.FAIL, path
        del store.tiles.files[path]
        assert _log(store).fsck().verdict is Verdict.FAIL, path
        store.tiles.files[path] = good
    assert _log(store).fsck().verdict is Verdict.PASS


def test_fsck_finds_a_deleted_and_a_changed_row():
    store = _started(5)
    changed = dict(store.rows)
    victim = next(key for key, row in store.rows.items() if row.index == 2)
    store.rows[victim] = Entry(victim, _leaf(77), 2)
    assert "The row of entry 2" in _log(store).fsck()["ledger.rows"].says
    del store.rows[victim]
    assert "Entry 2 of the log has no row" in _log(store).fsck()["ledger.rows"].says
    store.rows = changed
    assert _log(store).fsck().verdict is Verdict.PASS


def test_fsck_says_when_the_public_checkpoint_is_behind_missing_or_foreign():
    store = _started(3)
    older = store.text.encode()
    store.append(_leaf(3))
    _log(store).publish()
    for data, says in (
        (older, "older one: publish again"),
        (None, "no public checkpoint"),
        (Checkpoint(ORIGIN, 4, b"r" * 32).sign(Key(b"M" * 32)).encode(), "not this log's"),
    ):
        store.tiles.files.pop("checkpoint", None)
        if data is not None:
            store.tiles.files["checkpoint"] = data
        finding = _log(store).fsck()["ledger.published"]
        assert finding.verdict is Verdict.FAIL
        assert says in finding.says
    store.tiles.files["checkpoint"] = older
    _log(store).publish()
    _assert_whole(store)


def test_fsck_of_a_log_without_a_checkpoint_is_unknown():
    assert _log(MemoryStore()).fsck().verdict is Verdict.UNKNOWN


def test_a_forged_checkpoint_stops_fsck():
    store = _started(3)
    store.text = Checkpoint(ORIGIN, 3, b"r" * 32).sign(Key(b"M" * 32))
    report = _log(store).fsck()
    assert [f.id for f in report.failed()] == ["ledger.checkpoint"]


def test_the_tree_at_an_old_size_can_still_be_read():
    store = _started(300)
    old = read_checkpoint(store.text)
    for number in range(300, 600):
        store.append(_leaf(number))
    _log(store).publish()
    assert TileTree(store.tiles, 300).root() == old.root
