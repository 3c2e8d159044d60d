"""The log on a disk: durable before it is signed, never overwritten, whole after the process is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

import pytest
from tests.unit.ledger.cast import ORIGIN, Key, naive_root

from guildmark.adapters import log_files
from guildmark.adapters.log_files import SqliteLogStore, TileFiles
from guildmark.core.errors import BrokenInput, OutsideFailure
from guildmark.core.report import Verdict
from guildmark.ledger.checkpoint import Checkpoint, open_checkpoint
from guildmark.ledger.log import Log, UnsoundLog, audit
from guildmark.ledger.merkle import verify_consistency
from guildmark.ledger.note import VerifierKey
from guildmark.ledger.receipt import verify_receipt
from guildmark.ledger.tiles import TileTree

VKEY = VerifierKey.of(ORIGIN, Key().public_key)


@pytest.fixture
def store(tmp_path):
    store = SqliteLogStore(tmp_path / "log")
    yield store
    store.close()


def _log(store):
    return Log(store, Key(), ORIGIN)


# --- tile files ------------------------------------------------------------------------------------------


def test_files_read_back_and_are_for_everyone_to_read(tmp_path):
    tiles = TileFiles(tmp_path / "public")
    assert tiles.get("tile/0/000") is None
    tiles.put({"tile/0/000": b"a", "tile/entries/x001/000.p/3": b"b"})
    assert (tiles.get("tile/0/000"), tiles.get("tile/entries/x001/000.p/3")) == (b"a", b"b")
    assert (tmp_path / "public/tile/0/000").stat().st_mode & 0o444 == 0o444 & ~_umask()
    assert not list(tmp_path.rglob(".new-*"))


def _umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_a_file_is_never_overwritten_and_nothing_is_half_written(tmp_path):
    tiles = TileFiles(tmp_path)
    tiles.put({"tile/0/000": b"a"})
    tiles.put({"tile/0/000": b"a"})
    with pytest.raises(UnsoundLog, match="other bytes"):
        tiles.put({"tile/0/001": b"new", "tile/0/000": b"b"})
    assert (tiles.get("tile/0/000"), tiles.get("tile/0/001")) == (b"a", None)


def test_every_file_and_every_new_folder_is_synced_before_put_returns(tmp_path, monkeypatch):
    synced = set()
    real = os.fsync

    def fsync(handle):
        synced.add(os.readlink(f"/proc/self/fd/{handle}"))
        real(handle)

    monkeypatch.setattr(log_files.os, "fsync", fsync)
    tiles = TileFiles(tmp_path)
    tiles.put({"tile/0/000.p/1": b"a"})
    folders = {str(tmp_path), f"{tmp_path}/tile", f"{tmp_path}/tile/0", f"{tmp_path}/tile/0/000.p"}
    assert folders < synced
    assert [path for path in synced if "/.new-" in path]
    synced.clear()
    tiles.put({"tile/0/000.p/1": b"a"})  # renamed just before a crash, perhaps not yet on the disk
    assert f"{tmp_path}/tile/0/000.p/1" in synced


@pytest.mark.parametrize("path", ["../secret", "/etc/passwd", "tile//0", "tile/./0", "", ".lock"])
def test_no_path_leads_out_of_the_folder(tmp_path, path):
    tiles = TileFiles(tmp_path)
    with pytest.raises(BrokenInput, match="not a path of the log"):
        tiles.get(path)
    with pytest.raises(BrokenInput, match="not a path of the log"):
        tiles.put({path: b"x"})


def test_a_folder_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "file").write_text("in the way")
    tiles = TileFiles(tmp_path / "file")
    assert tiles.get("tile/0/000") is None
    with pytest.raises(OutsideFailure, match="cannot be written"):
        tiles.put({"tile/0/000": b"a"})
    with pytest.raises(OutsideFailure, match="cannot be written"):
        tiles.publish(Checkpoint(ORIGIN, 1, b"r" * 32).sign(Key()))


def test_a_full_disk_leaves_no_half_file(tmp_path, monkeypatch):
    def full(handle):
        raise OSError(28, "No space left on device")

    tiles = TileFiles(tmp_path)
    monkeypatch.setattr(log_files.os, "fsync", full)
    with pytest.raises(OutsideFailure, match="No space left"):
        tiles.put({"tile/0/000": b"a"})
    assert tiles.get("tile/0/000") is None
    assert not list(tmp_path.rglob(".new-*"))


def test_the_public_checkpoint_never_goes_back(tmp_path):
    tiles = TileFiles(tmp_path)
    texts = {size: Checkpoint(ORIGIN, size, b"r" * 32).sign(Key()) for size in (3, 5)}
    assert tiles.published() is None
    for size, shown in ((3, 3), (5, 5), (3, 5), (5, 5)):
        tiles.publish(texts[size])
        assert tiles.published() == texts[shown]
    (tmp_path / "checkpoint").write_bytes(b"\xff")
    with pytest.raises(UnsoundLog, match="not UTF-8"):
        tiles.published()
    (tmp_path / "checkpoint").write_bytes(b"nonsense")
    with pytest.raises(UnsoundLog, match="cannot be read"):
        tiles.publish(texts[5])


# --- the store -------------------------------------------------------------------------------------------


def test_a_log_grows_in_its_folder_and_is_there_when_opened_again(tmp_path):
    store = SqliteLogStore(tmp_path / "log")
    leaves = [f"leaf {number}".encode() for number in range(600)]
    for leaf in leaves[:10]:
        store.append(leaf)
    assert _log(store).publish().checkpoint.size == 10
    for leaf in leaves[10:]:
        store.append(leaf)
    assert _log(store).publish().checkpoint.size == 600
    store.close()
    again = SqliteLogStore(tmp_path / "log")
    assert open_checkpoint(again.signed(), [VKEY]).root == naive_root(leaves)
    receipt = _log(again).receipt(123)
    assert verify_receipt(receipt, vkey=VKEY, leaf=leaves[123]).verdict is Verdict.PASS
    assert _log(again).fsck().verdict is Verdict.PASS
    public = TileFiles(tmp_path / "log/public")
    assert audit(public, (tmp_path / "log/public/checkpoint").read_bytes(), [VKEY]).verdict is Verdict.PASS
    again.close()


def test_indexes_are_given_all_or_none_and_once(store):
    keys = [store.append(b"%d" % number) for number in range(4)]
    assert not store.assign(1, keys[:2])  # nobody has index 0
    assert store.assign(0, keys[:2])
    assert not store.assign(0, keys[2:])  # taken
    assert not store.assign(2, keys[1:])  # one has its index already
    assert [entry.key for entry in store.waiting()] == keys[2:]
    assert [(entry.key, entry.index) for entry in store.assigned(0, 10)] == [(keys[0], 0), (keys[1], 1)]
    assert [entry.index for entry in store.assigned(1, 10)] == [1]
    assert [entry.index for entry in store.assigned(0, 1)] == [0]


def test_the_checkpoint_moves_only_from_the_one_that_is_expected(store):
    first, second = (Checkpoint(ORIGIN, size, b"r" * 32).sign(Key()) for size in (0, 1))
    asked = []

    def sign():
        asked.append("signed")
        return second

    assert store.advance("something else", sign) is None
    assert store.advance(None, lambda: first) == first
    assert store.advance(None, sign) is None
    assert asked == []
    with pytest.raises(ZeroDivisionError):
        store.advance(first, lambda: str(1 // 0))
    assert store.signed() == first
    assert store.advance(first, sign) == store.signed() == second


def test_a_folder_that_is_no_log_is_said(tmp_path):
    (tmp_path / "log.sqlite3").write_bytes(b"not a database, but long enough to be taken for one" * 100)
    with pytest.raises(OutsideFailure, match="cannot be opened"):
        SqliteLogStore(tmp_path)


def test_many_publishers_at_once_make_one_log(tmp_path):
    SqliteLogStore(tmp_path).close()
    problems = []

    def publish(worker):
        store = SqliteLogStore(tmp_path)
        try:
            for number in range(6):
                store.append(f"{worker} {number}".encode())
                for _ in range(10):
                    try:
                        _log(store).publish()
                        break
                    except OutsideFailure:
                        continue
        except Exception as problem:
            problems.append(problem)
        finally:
            store.close()

    workers = [threading.Thread(target=publish, args=(worker,)) for worker in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert problems == []
    store = SqliteLogStore(tmp_path)
    assert _log(store).publish().checkpoint.size == 24
    assert _log(store).fsck().verdict is Verdict.PASS
    assert len({entry.leaf for entry in store.assigned(0, 100)}) == 24
    store.close()


_WRITER = """
import sys
from guildmark.adapters.log_files import SqliteLogStore
from guildmark.ledger.log import Log
from tests.unit.ledger.cast import ORIGIN, Key
store = SqliteLogStore(sys.argv[1])
log = Log(store, Key(), ORIGIN)
number = len(store.assigned(0, 100_000)) + len(store.waiting())
while True:
    for _ in range(7):
        store.append(f"leaf {number}".encode())
        number += 1
    print(log.publish().checkpoint.size, flush=True)
"""


def test_kill_dash_nine_loses_no_acknowledged_entry_and_forks_nothing(tmp_path):
    """A real process, killed at ten different moments while it publishes without pause."""
    acknowledged, seen = 0, []
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    for round_ in range(10):
        writer = subprocess.Popen(
            [sys.executable, "-c", _WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True, env=environment
        )
        acknowledged = int(writer.stdout.readline())
        time.sleep(0.003 * (round_ + 1) + 0.0007 * round_)
        writer.send_signal(signal.SIGKILL)
        lines = writer.stdout.read().split()
        writer.wait()
        writer.stdout.close()
        acknowledged = max([acknowledged, *map(int, lines)])
        store = SqliteLogStore(tmp_path)
        checkpoint = open_checkpoint(store.signed(), [VKEY])
        assert checkpoint.size >= acknowledged
        seen.append(checkpoint)
        store.close()
    store = SqliteLogStore(tmp_path)
    last = _log(store).publish().checkpoint
    assert _log(store).fsck().verdict is Verdict.PASS
    leaves = [entry.leaf for entry in store.assigned(0, 100_000)]
    assert sorted(leaves) == sorted(f"leaf {number}".encode() for number in range(last.size))
    for old in seen:
        proof = TileTree(store.tiles, last.size).consistency(old.size)
        roots = {"old_root": old.root, "new_root": last.root}
        assert verify_consistency(old=old.size, new=last.size, proof=proof, **roots)
    store.close()
