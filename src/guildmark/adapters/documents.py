"""A Fetcher over a directory: `index.json` says which file stands for which address, so that everything
checks offline.
"""

from __future__ import annotations

from pathlib import Path

from guildmark.core.codecs import parse_json
from guildmark.core.doors import Document
from guildmark.core.errors import BrokenInput, OutsideFailure

INDEX = "index.json"

LARGEST = 20_000_000
"""Bytes of one document, as over the network."""


class DirectoryFetcher:
    """A `core.doors.Fetcher` that knows the addresses in `directory/index.json` and no others.

    The index maps an address to `{"file": path inside the directory, "type": media type}`. BrokenInput if it
    is missing, malformed, or points outside the directory.
    """

    def __init__(self, directory: Path | str) -> None:
        self.root = Path(directory).resolve()
        place = self.root / INDEX
        try:
            raw = place.read_bytes()
        except OSError as problem:
            raise BrokenInput(
                f"cannot be read ({problem.strerror})",
                where=str(place),
                hint='write one like {"https://a.example/x": {"file": "x.json", "type": "application/json"}}',
            ) from problem
        rows = parse_json(raw, where=str(place))
        if not isinstance(rows, dict):
            raise BrokenInput("is not an object of addresses", where=str(place))
        self.files: dict[str, tuple[Path, str]] = {}
        for url, row in rows.items():
            if not isinstance(row, dict) or not isinstance(row.get("file"), str):
                raise BrokenInput(
                    f"{url} has no “file”", where=str(place), hint='write {"file": "...", "type": "..."}'
                )
            path = (self.root / row["file"]).resolve()
            if not path.is_relative_to(self.root):
                raise BrokenInput(
                    f"{url} points outside the directory", where=str(place), hint="move the file inside"
                )
            self.files[url] = (path, str(row.get("type", "")))

    def fetch(self, url: str) -> Document:
        if url not in self.files:
            raise OutsideFailure(f"{url} is not among the documents at hand")
        path, media_type = self.files[url]
        try:
            with path.open("rb") as stream:
                body = stream.read(LARGEST + 1)
        except OSError as problem:
            raise OutsideFailure(f"{url} is among the documents, but its file cannot be read") from problem
        if len(body) > LARGEST:
            raise OutsideFailure(f"{url} is larger than {LARGEST:,} bytes")
        return Document(url, body, media_type)
