"""The log on a disk: tiles as files, and a store in one SQLite file for those who have no Django.

`TileFiles` is the public part, a directory that any web server can serve as it is. The Django application
uses it with its own tables; `SqliteLogStore` does the same with two tables of its own, as a command line or a
test wants it.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from guildmark.core.errors import BrokenInput, OutsideFailure
from guildmark.ledger.checkpoint import read_checkpoint
from guildmark.ledger.log import Entry, UnsoundLog


class TileFiles:
    """The files of a log below one directory: `tile/...` and `checkpoint`, readable by others, never changed.

    Each file is written to a temporary name, synced, renamed, and its directory synced, so that after a power
    cut it is whole or not there. A process killed in between leaves a file whose name begins with `.new-`,
    which means nothing and may be deleted.
    """

    def __init__(self, directory: str | os.PathLike[str]) -> None:
        self.directory = Path(directory)

    def get(self, path: str) -> bytes | None:
        """The bytes at `path`, None if there is no such file."""
        try:
            return self._at(path).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as problem:
            raise OutsideFailure(f"{path} cannot be read ({problem.strerror}).") from problem

    def put(self, files: Mapping[str, bytes]) -> None:
        """Every file is durable when this returns; `UnsoundLog`, before anything is written, if one differs.

        A file that is there already may have been renamed just before a crash, and is synced again.
        """
        present = {path: self.get(path) for path in files}
        for path, data in files.items():
            if present[path] not in (None, data):
                raise UnsoundLog(
                    f"{path} is there with other bytes than the log computes; run `guildmark log fsck`, and "
                    "delete the file only if no checkpoint that covers it was ever published."
                )
        try:
            for path, data in files.items():
                if present[path] is None:
                    self._write(self._at(path), data)
                else:
                    _sync(self._at(path))
            for folder in self._folders(files):
                _sync(folder)
        except OSError as problem:
            raise OutsideFailure(
                f"the log's files cannot be written ({problem.strerror}: {problem.filename})."
            ) from problem

    def published(self) -> str | None:
        """The public checkpoint, None if there is none yet."""
        data = self.get("checkpoint")
        try:
            return None if data is None else data.decode()
        except UnicodeDecodeError as problem:
            raise UnsoundLog("the public checkpoint is not UTF-8; restore it from the database.") from problem

    def publish(self, checkpoint: str) -> None:
        """Replace the public checkpoint, unless it shows a larger log already or this very one.

        Of several processes only one at a time compares and writes, so that it never goes back.
        """
        with self._locked():
            public = self.published()
            if public == checkpoint:
                return
            if public is not None:
                try:
                    if read_checkpoint(public).size > read_checkpoint(checkpoint).size:
                        return
                except BrokenInput as problem:
                    raise UnsoundLog(f"the public checkpoint cannot be read: {problem}") from problem
            self._write(self.directory / "checkpoint", checkpoint.encode())
            _sync(self.directory)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            lock = os.open(self.directory / ".lock", os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as problem:
            raise OutsideFailure(f"{self.directory} cannot be written ({problem.strerror}).") from problem
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        except OSError as problem:
            raise OutsideFailure(f"{self.directory} cannot be written ({problem.strerror}).") from problem
        finally:
            os.close(lock)

    def _at(self, path: str) -> Path:
        parts = path.split("/")
        if not all(parts) or any(part.startswith(".") for part in parts):
            raise BrokenInput(f"{path[:80]!r} is not a path of the log", where=str(self.directory))
        return self.directory.joinpath(*parts)

    def _write(self, target: Path, data: bytes) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        new = target.parent / f".new-{secrets.token_hex(8)}"
        try:
            with open(new, "xb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
            os.replace(new, target)
        except BaseException:
            new.unlink(missing_ok=True)
            raise

    def _folders(self, files: Mapping[str, bytes]) -> list[Path]:
        """The folders of the files and those above them: a new folder is an entry in the one above."""
        folders = {self.directory}
        for path in files:
            folder = self._at(path).parent
            while folder != self.directory:
                folders.add(folder)
                folder = folder.parent
        return sorted(folders, key=lambda folder: -len(folder.parts))


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


_TABLES = """
CREATE TABLE IF NOT EXISTS entry (
    key INTEGER PRIMARY KEY AUTOINCREMENT,
    leaf BLOB NOT NULL,
    place INTEGER UNIQUE
);
CREATE TABLE IF NOT EXISTS checkpoint (origin TEXT PRIMARY KEY, text TEXT NOT NULL);
"""


class SqliteLogStore:
    """A `LogStore` in a directory: `log.sqlite3`, which is private, and `public/`, which is served.

    One log to a directory. Several processes may use it at once.
    """

    def __init__(self, directory: str | os.PathLike[str]) -> None:
        self.directory = Path(directory)
        self.tiles = TileFiles(self.directory / "public")
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            self._database = sqlite3.connect(self.directory / "log.sqlite3", isolation_level=None, timeout=30)
            self._database.execute("PRAGMA journal_mode=WAL")
            self._database.execute("PRAGMA synchronous=FULL")
            self._database.executescript(_TABLES)
        except (OSError, sqlite3.Error) as problem:
            raise OutsideFailure(f"the log in {self.directory} cannot be opened ({problem}).") from problem

    def close(self) -> None:
        """Let go of the database file."""
        self._database.close()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """One writer at a time; what the block raises undoes it."""
        try:
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield self._database
            except BaseException:
                self._database.execute("ROLLBACK")
                raise
            self._database.execute("COMMIT")
        except sqlite3.Error as problem:
            raise OutsideFailure(f"the log in {self.directory} cannot be written ({problem}).") from problem

    def append(self, leaf: bytes) -> str:
        """Write a waiting entry; its key is the answer."""
        with self._transaction() as database:
            return str(database.execute("INSERT INTO entry (leaf) VALUES (?)", (leaf,)).lastrowid)

    def waiting(self) -> Sequence[Entry]:
        return self._entries("place IS NULL ORDER BY key")

    def assign(self, first: int, keys: Sequence[str]) -> bool:
        with self._transaction() as database:
            (taken,) = database.execute("SELECT coalesce(max(place) + 1, 0) FROM entry").fetchone()
            waiting = {str(key) for (key,) in database.execute("SELECT key FROM entry WHERE place IS NULL")}
            if taken != first or not waiting.issuperset(keys):
                return False
            numbered = [(place, int(key)) for place, key in enumerate(keys, first)]
            database.executemany("UPDATE entry SET place = ? WHERE key = ?", numbered)
            return True

    def assigned(self, start: int, limit: int) -> Sequence[Entry]:
        return self._entries("place >= ? ORDER BY place LIMIT ?", start, limit)

    def signed(self) -> str | None:
        row = self._database.execute("SELECT text FROM checkpoint").fetchone()
        return None if row is None else str(row[0])

    def advance(self, expected: str | None, sign: Callable[[], str]) -> str | None:
        with self._transaction() as database:
            if self.signed() != expected:
                return None
            text = sign()
            database.execute("DELETE FROM checkpoint")
            database.execute("INSERT INTO checkpoint VALUES (?, ?)", (read_checkpoint(text).origin, text))
            return text

    def _entries(self, which: str, *values: int) -> list[Entry]:
        # `which` is one of two texts in this file, never from outside
        rows = self._database.execute(f"SELECT key, leaf, place FROM entry WHERE {which}", values)  # noqa: S608
        return [Entry(str(key), leaf, place) for key, leaf, place in rows]
