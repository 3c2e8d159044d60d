"""What verifiers fetch, as files: written beside the log's tiles, with an index from address to file."""

from __future__ import annotations

import json
import os
from pathlib import Path

from django.conf import settings
from django.db import transaction

from guildmark.app.doors import log_folder, web_folder
from guildmark.app.queries.published import published, published_paths

INDEX = "index.json"


def export_web(directory: Path | None = None) -> int:
    """Every published document lies in `directory` (by default the web folder) under its path; how many.

    `index.json` maps each address to its file and media type, so that `guildmark verify --documents` and any static
    server can use the folder. Files are written beside and renamed, so a reader never sees half of one.
    """
    directory = directory or web_folder()
    index: dict[str, dict[str, str]] = {}
    paths = [*published_paths(), *_log_paths()]
    for path in paths:
        found = published(f"{settings.BASE_URL}/{path}")
        if found is None:
            continue
        file = _file_of(path, found.media_type)
        _write(directory / file, found.body)
        index[found.url] = {"file": file, "type": found.media_type}
    _write(directory / INDEX, (json.dumps(index, indent=2, sort_keys=True) + "\n").encode())
    return len(index)


def publish_after_commit(*paths: str) -> None:
    """Once this transaction is committed, the documents at `paths` are published as files, and not before."""
    transaction.on_commit(lambda: _publish(paths))


def _publish(paths: tuple[str, ...]) -> None:
    folder = web_folder()
    if not (folder / INDEX).exists():
        export_web(folder)
        return
    for path in paths:
        found = published(f"{settings.BASE_URL}/{path}")
        if found is not None:
            _write(folder / _file_of(path, found.media_type), found.body)
    known = json.loads((folder / INDEX).read_bytes())
    if any(f"{settings.BASE_URL}/{path}" not in known for path in paths):
        export_web(folder)


def _file_of(path: str, media_type: str) -> str:
    """A path may be a document and a folder at once (`status/1` and `status/1/reasons`), so documents get an ending."""
    if path.startswith("log/") or path.endswith(".json"):
        return path
    return path + (".json" if "json" in media_type else ".txt")


def _log_paths() -> list[str]:
    folder = log_folder()
    return [f"log/{p.relative_to(folder).as_posix()}" for p in sorted(folder.rglob("*")) if p.is_file()]


def _write(path: Path, body: bytes) -> None:
    if path.exists() and path.read_bytes() == body:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.write_bytes(body)
    beside.replace(path)
