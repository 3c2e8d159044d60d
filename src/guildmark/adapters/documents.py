"""A Fetcher over a directory: `index.json` says which file stands for which address, so that everything
checks offline.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from guildmark.core.codecs import parse_json
from guildmark.core.doors import Document, Fetcher
from guildmark.core.errors import BrokenInput, OutsideFailure

INDEX = "index.json"

LARGEST = 20_000_000
"""Bytes of one document, as over the network."""


class DirectoryFetcher:
    """A `core.doors.Fetcher` that knows the addresses in `directory/index.json` and no others.

    The index maps an address to `{"file": path inside the directory, "type": media type}`, or to the path
    alone. BrokenInput if it is missing, malformed, or points outside the directory, by dots or by a link.
    """

    def __init__(self, directory: Path | str) -> None:
        self.root = Path(directory).resolve()
        place = self.root / INDEX
        rows = parse_json(_index(place), where=str(place))
        if not isinstance(rows, dict):
            raise BrokenInput("is not an object of addresses", where=str(place), hint=_EXAMPLE)
        self.files: dict[str, tuple[Path, str]] = {}
        for url, row in rows.items():
            file, media_type = _file_and_type(url, row, str(place))
            path = self._inside(file)
            if path is None:
                raise BrokenInput(f"{url} points outside the directory", where=str(place), hint="move the file inside")
            self.files[url] = (path, media_type)

    def fetch(self, url: str) -> Document:
        """The file for this address; a fragment is left out of account, as over the network."""
        found = self.files.get(url.partition("#")[0])
        if found is None:
            raise OutsideFailure(f"{url} is not among the documents at hand")
        path, media_type = found
        # Asked again, since a file may have become a link after the index was read.
        if self._inside(str(path)) != path:
            raise OutsideFailure(f"{url} is among the documents, but its file is elsewhere now")
        try:
            if not path.is_file():
                raise OutsideFailure(f"{url} is among the documents, but its file is missing")
            with path.open("rb") as stream:
                body = stream.read(LARGEST + 1)
        except OSError as problem:
            raise OutsideFailure(f"{url} is among the documents, but its file cannot be read") from problem
        if len(body) > LARGEST:
            raise OutsideFailure(f"{url} is larger than {LARGEST:,} bytes")
        return Document(url, body, media_type)

    def _inside(self, file: str) -> Path | None:
        """Where a file really lies, links followed; None if that is outside the directory or nowhere."""
        try:
            path = (self.root / file).resolve()
        except (OSError, RuntimeError, ValueError):  # too long a name, links in a circle, a NUL
            return None
        return path if path.is_relative_to(self.root) else None


_EXAMPLE = 'write one like {"https://a.example/x": {"file": "x.json", "type": "application/json"}}'


def _index(place: Path) -> bytes:
    try:
        with place.open("rb") as stream:
            raw = stream.read(LARGEST + 1)
    except OSError as problem:
        raise BrokenInput(f"cannot be read ({problem.strerror})", where=str(place), hint=_EXAMPLE) from problem
    if len(raw) > LARGEST:
        raise BrokenInput(f"is larger than {LARGEST:,} bytes", where=str(place), hint="is it an index?")
    return raw


def _file_and_type(url: str, row: Any, where: str) -> tuple[str, str]:
    if isinstance(row, str):
        row = {"file": row}
    if not isinstance(row, dict) or not isinstance(row.get("file"), str):
        raise BrokenInput(f"{url} has no “file”", where=where, hint='write {"file": "...", "type": "..."}')
    media_type = row.get("type", "")
    if not isinstance(media_type, str):
        raise BrokenInput(f"“type” of {url} is not text", where=where, hint="write application/json")
    return row["file"], media_type


class WithDocuments:
    """A `core.doors.Fetcher` that has some documents at hand, and asks another for the rest."""

    def __init__(self, documents: Mapping[str, bytes], others: Fetcher) -> None:
        self.documents, self.others = dict(documents), others

    def fetch(self, url: str) -> Document:
        """The document at hand for this address, a fragment left out of account; else what the other brings."""
        body = self.documents.get(url.partition("#")[0])
        return self.others.fetch(url) if body is None else Document(url, body)
