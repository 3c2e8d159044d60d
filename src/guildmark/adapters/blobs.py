"""Files by content: a directory in which each file lies once, under its SHA-256."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from guildmark.core.errors import BrokenInput


class DirectoryBlobs:
    """A `core.doors.BlobStore` in a directory: written beside, flushed, then renamed, so a file is whole or
    absent. Only the user who runs guildmark can read them.

    Storing and forgetting take turns, so that a file is not forgotten in the moment in which it is stored again.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def put(self, data: bytes) -> str:
        """The SHA-256 (hex) under which the bytes now lie; a damaged file is made whole again."""
        with self._alone():
            return self._put(data)

    def forget(self, digest: str, *, needed: Callable[[], bool]) -> bool:
        """Whether the bytes are gone: they stay if `needed()`, asked while nobody stores anything, says so."""
        if not re.fullmatch(r"[0-9a-f]{64}", digest):
            raise BrokenInput("is not the SHA-256 of a stored file", where=digest[:80])
        with self._alone():
            if needed():
                return False
            self._path(digest).unlink(missing_ok=True)
            return True

    def older_than(self, moment: datetime) -> Iterator[str]:
        """The SHA-256 of every file that was stored before this moment, in order."""
        for path in sorted(self.root.glob("??/*")):
            if re.fullmatch(r"[0-9a-f]{64}", path.name) and path.stat().st_mtime < moment.timestamp():
                yield path.name

    @contextmanager
    def _alone(self) -> Iterator[None]:
        self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = os.open(self.root, os.O_RDONLY)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    def _put(self, data: bytes) -> str:
        digest = hashlib.sha256(data).hexdigest()
        path = self._path(digest)
        if path.exists() and path.read_bytes() == data:
            return digest
        path.parent.mkdir(parents=True, exist_ok=True)
        # A name of its own for each writer: two threads that store the same bytes must not share one.
        handle, beside = tempfile.mkstemp(prefix=".new-", dir=path.parent)
        try:
            with open(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(beside, path)
        except BaseException:
            Path(beside).unlink(missing_ok=True)
            raise
        return digest

    def get(self, digest: str) -> bytes:
        """The bytes; BrokenInput if they are missing or no longer hash to their name."""
        if not re.fullmatch(r"[0-9a-f]{64}", digest):
            raise BrokenInput("is not the SHA-256 of a stored file", where=digest[:80])
        try:
            data = self._path(digest).read_bytes()
        except OSError as problem:
            raise BrokenInput("the stored file is missing", where=digest, hint="restore it from backup") from problem
        if hashlib.sha256(data).hexdigest() != digest:
            raise BrokenInput("the stored file is damaged", where=digest, hint="restore it from backup")
        return data

    def _path(self, digest: str) -> Path:
        return self.root / digest[:2] / digest
