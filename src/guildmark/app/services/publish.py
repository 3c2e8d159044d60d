"""What verifiers fetch, as files: written beside the log's tiles, with an index from address to file.

The database is the truth and the files are copies of it. A copy is made right after the commit, before the verb
returns. If the process dies in between, the worker makes it, since the order to do so was committed with the change; so
does the start of the server or the worker, and `guildmark site export-web`.

Copies never go back. One process at a time writes, and reads what it writes from the database while it is that one: so
the last to write has read last, whoever was first to commit.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import DatabaseError, transaction

from guildmark.app.doors import log_folder, web_folder
from guildmark.app.queries.published import published, published_paths
from guildmark.app.services.follow_ups import enqueue
from guildmark.core.errors import OutsideFailure

INDEX = "index.json"

Index = dict[str, dict[str, str]]


def export_web(directory: Path | None = None) -> int:
    """Every published document lies in `directory` (by default the web folder) under its path; how many.

    `index.json` maps each address to its file and media type, so that `guildmark verify --documents` and any static
    server can use the folder. Files are written beside and renamed, so a reader never sees half of one.
    """
    with _alone_in(directory or web_folder()) as folder:
        return _export(folder)


def publish_after_commit(*paths: str) -> None:
    """Once this transaction is committed, the documents at `paths` are published as files, and not before."""
    enqueue("publish_documents", list(paths))  # for the worker, should this process not live to do it
    transaction.on_commit(lambda: publish_documents(paths))


def publish_documents(paths: Iterable[str]) -> None:
    """The files of these documents are what the database says now; doing it again changes nothing.

    OutsideFailure if they cannot be written: what was published is on record all the same, and the site shows it.
    """
    try:
        with _alone_in(web_folder()) as folder:
            index = _index(folder)
            if index is None:
                _export(folder)
                return
            before = dict(index)
            for path in paths:
                _copy(path, folder, index)
            if index != before:
                _write_index(folder, index)
    except DatabaseError as problem:
        raise OutsideFailure(
            "The change is recorded, but its published files wait for the worker: the database was too busy to be read."
        ) from problem


def publish_log_files(vkey: str) -> None:
    """The log's key lies beside its tiles, and the index has the address of every file of the log."""
    with _alone_in(web_folder()) as folder:
        _write(log_folder() / "vkey", f"{vkey}\n".encode())
        index = _index(folder)
        if index is None:
            _export(folder)
            return
        new = [path for path in _log_paths() if f"{settings.BASE_URL}/{path}" not in index]
        for path in new:
            _copy(path, folder, index)
        if new:
            _write_index(folder, index)


def _export(folder: Path) -> int:
    index: Index = {}
    for path in (*published_paths(), *_log_paths()):
        _copy(path, folder, index)
    _write_index(folder, index)
    return len(index)


def _copy(path: str, folder: Path, index: Index) -> None:
    """The document at `path` lies in the folder and is in the index, if it is published."""
    found = published(f"{settings.BASE_URL}/{path}")
    if found is not None:
        file = _file_of(path, found.media_type)
        _write(folder / file, found.body)
        index[found.url] = {"file": file, "type": found.media_type}


def _index(folder: Path) -> Index | None:
    """The index as it is, None if there is none that can be read: then everything is written anew."""
    try:
        found: Any = json.loads((folder / INDEX).read_bytes())
    except (FileNotFoundError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def _write_index(folder: Path, index: Index) -> None:
    _write(folder / INDEX, (json.dumps(index, indent=2, sort_keys=True) + "\n").encode())


def _file_of(path: str, media_type: str) -> str:
    """A path may be a document and a folder at once (`status/1` and `status/1/reasons`), so documents get an ending."""
    if path.startswith("log/") or path.endswith(".json"):
        return path
    return path + (".json" if "json" in media_type else ".txt")


def _log_paths() -> list[str]:
    folder = log_folder()
    return [
        f"log/{p.relative_to(folder).as_posix()}"
        for p in sorted(folder.rglob("*"))
        if p.is_file() and not p.name.startswith(".")
    ]


@contextmanager
def _alone_in(folder: Path) -> Iterator[Path]:
    """No other process or thread writes to the folder meanwhile; OutsideFailure if nobody can."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield folder
        finally:
            os.close(lock)
    except OSError as problem:
        raise OutsideFailure(
            f"What is published is recorded, but {problem.filename or folder} cannot be written ({problem.strerror}); "
            "make room or mend its permissions, then run `guildmark site export-web`."
        ) from problem


def _write(path: Path, body: bytes) -> None:
    """Written beside, flushed and renamed: after a power cut the file is the old one or the new. Call it alone."""
    if path.exists() and path.read_bytes() == body:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.new")
    with beside.open("wb") as file:
        file.write(body)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
