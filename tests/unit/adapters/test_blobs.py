"""Files by content: stored once, whole or absent, and never given back damaged."""

from __future__ import annotations

import hashlib
import os
import threading
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guildmark.adapters.blobs import DirectoryBlobs
from guildmark.core.errors import BrokenInput


@given(data=st.binary(max_size=200))
def test_what_was_put_comes_back_under_its_hash(tmp_path_factory, data):
    blobs = DirectoryBlobs(tmp_path_factory.getbasetemp() / "blobs")
    digest = blobs.put(data)
    assert digest == hashlib.sha256(data).hexdigest()
    assert blobs.get(digest) == data


def test_the_same_bytes_are_one_file_and_nothing_else_is_left_behind(tmp_path):
    blobs = DirectoryBlobs(tmp_path)
    digest = blobs.put(b"work")
    assert blobs.put(b"work") == digest
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == [digest]


def test_a_stored_file_is_for_its_owner_alone(tmp_path):
    blobs = DirectoryBlobs(tmp_path)
    digest = blobs.put(b"a learner's work")
    (path,) = tmp_path.rglob(digest)
    assert path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("damaged", [b"", b"other"])
def test_a_damaged_file_is_not_given_back_and_is_whole_after_the_next_put(tmp_path, damaged):
    blobs = DirectoryBlobs(tmp_path)
    digest = blobs.put(b"work")
    (path,) = tmp_path.rglob(digest)
    path.write_bytes(damaged)
    with pytest.raises(BrokenInput, match=f"^{digest}: the stored file is damaged; restore it from backup"):
        blobs.get(digest)
    assert blobs.put(b"work") == digest
    assert blobs.get(digest) == b"work"


def test_a_missing_file_says_so(tmp_path):
    with pytest.raises(BrokenInput, match="the stored file is missing; restore it from backup"):
        DirectoryBlobs(tmp_path).get("0" * 64)


@pytest.mark.parametrize(
    "digest", ["", "..", "../../etc/passwd", "/etc/passwd", "0" * 63, "A" * 64, "0" * 64 + "\n", "\0" * 64]
)
def test_what_is_no_hash_is_never_a_path(tmp_path, digest):
    with pytest.raises(BrokenInput, match=r"is not the SHA-256 of a stored file"):
        DirectoryBlobs(tmp_path).get(digest)


def test_a_disk_that_fails_leaves_no_half_file(tmp_path, monkeypatch):
    def fail(_file):
        raise OSError("disk full")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="disk full"):
        DirectoryBlobs(tmp_path).put(b"work")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_many_threads_that_store_the_same_bytes_never_see_half_of_them(tmp_path):
    blobs, data, seen = DirectoryBlobs(tmp_path), b"x" * 200_000, []
    start = threading.Barrier(8)

    def work():
        start.wait()
        seen.append(blobs.get(blobs.put(data)) == data)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [True] * 8
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 1


def test_what_is_forgotten_is_gone_and_what_is_needed_stays(tmp_path):
    blobs = DirectoryBlobs(tmp_path)
    mine, shared = blobs.put(b"mine"), blobs.put(b"shared")
    assert blobs.forget(shared, needed=lambda: True) is False
    assert blobs.forget(mine, needed=lambda: False) is True
    assert blobs.forget(mine, needed=lambda: False) is True, "again changes nothing"
    assert blobs.get(shared) == b"shared"
    with pytest.raises(BrokenInput, match="missing"):
        blobs.get(mine)
    with pytest.raises(BrokenInput):
        blobs.forget("../../etc/passwd", needed=lambda: False)


def test_bytes_that_are_stored_while_they_are_forgotten_are_there_afterwards(tmp_path):
    blobs = DirectoryBlobs(tmp_path)
    digest = blobs.put(b"work")
    storing = threading.Thread(target=lambda: blobs.put(b"work"))

    def needed():
        storing.start()  # waits for its turn
        return False

    blobs.forget(digest, needed=needed)
    storing.join()
    assert blobs.get(digest) == b"work"


def test_files_are_listed_by_age(tmp_path):
    blobs = DirectoryBlobs(tmp_path)
    old, new = blobs.put(b"old"), blobs.put(b"new")
    os.utime(next(tmp_path.rglob(old)), (1_000_000, 1_000_000))
    assert list(blobs.older_than(datetime(2001, 1, 1, tzinfo=UTC))) == [old]
    assert sorted(blobs.older_than(datetime(2999, 1, 1, tzinfo=UTC))) == sorted([old, new])
