"""Files by content: a directory in which each file lies once, under its SHA-256."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from guildmark.core.errors import BrokenInput


class DirectoryBlobs:
    """A `core.doors.BlobStore` in a directory: written beside, flushed, then renamed, so a file is whole or absent."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def put(self, data: bytes) -> str:
        digest = hashlib.sha256(data).hexdigest()
        path = self._path(digest)
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            beside = path.with_suffix(f".{os.getpid()}")
            with beside.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(path)
        return digest

    def get(self, digest: str) -> bytes:
        """The bytes; BrokenInput if they are missing or no longer hash to their name."""
        try:
            data = self._path(digest).read_bytes()
        except OSError as problem:
            raise BrokenInput("the stored file is missing", where=digest, hint="restore it from backup") from problem
        if hashlib.sha256(data).hexdigest() != digest:
            raise BrokenInput("the stored file is damaged", where=digest, hint="restore it from backup")
        return data

    def _path(self, digest: str) -> Path:
        return self.root / digest[:2] / digest
