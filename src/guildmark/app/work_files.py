"""Work that is handed in, as files: which kinds are taken, and what they are called when they are fetched again.

A kind is told by the name and checked against the first bytes; what the browser says of it is not believed. Nothing
that a browser would run is taken, since others will open it: no HTML, no SVG.
"""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.text import slugify

from guildmark.core.errors import BrokenInput

LARGEST = 20_000_000
"""Bytes of one piece of work."""

_OFFICE = "application/vnd.openxmlformats-officedocument."
_OPEN = "application/vnd.oasis.opendocument."
_ZIP = b"PK\x03\x04"

KINDS: Mapping[str, tuple[str, bytes | None]] = {
    "pdf": ("application/pdf", b"%PDF-"),
    "docx": (f"{_OFFICE}wordprocessingml.document", _ZIP),
    "xlsx": (f"{_OFFICE}spreadsheetml.sheet", _ZIP),
    "pptx": (f"{_OFFICE}presentationml.presentation", _ZIP),
    "odt": (f"{_OPEN}text", _ZIP),
    "ods": (f"{_OPEN}spreadsheet", _ZIP),
    "odp": (f"{_OPEN}presentation", _ZIP),
    "zip": ("application/zip", _ZIP),
    "png": ("image/png", b"\x89PNG\r\n\x1a\n"),
    "jpg": ("image/jpeg", b"\xff\xd8\xff"),
    "jpeg": ("image/jpeg", b"\xff\xd8\xff"),
    "txt": ("text/plain", None),
    "md": ("text/markdown", None),
    "csv": ("text/csv", None),
    "json": ("application/json", None),
    "ipynb": ("application/x-ipynb+json", None),
    "py": ("text/x-python", None),
    "r": ("text/x-r", None),
    "sql": ("application/sql", None),
}
"""Ending -> (media type, how such a file begins; None for text in UTF-8)."""

IN_WORDS = "PDF, Word, Excel, PowerPoint, OpenDocument, ZIP, PNG, JPEG, or text (txt, md, csv, json, ipynb, py, r, sql)"


def media_type_of(name: str, body: bytes) -> str:
    """The media type of the file; BrokenInput for another kind, and where the content is not what the name says."""
    ending = name.rpartition(".")[2].lower() if "." in name else ""
    if ending not in KINDS:
        raise BrokenInput("this kind of file is not taken", where=name[:100], hint=f"hand in {IN_WORDS}")
    media_type, begins = KINDS[ending]
    if not body:
        raise BrokenInput("the file is empty", where=name[:100], hint="choose a file with something in it")
    if begins is not None and not body.startswith(begins):
        raise BrokenInput(f"the content is not {ending.upper()}", where=name[:100], hint="save it again as that kind")
    if begins is None and not _is_text(body):
        raise BrokenInput("the content is not text in UTF-8", where=name[:100], hint="save it as UTF-8")
    return media_type


def _is_text(body: bytes) -> bool:
    try:
        return "\x00" not in body.decode("utf-8-sig")
    except UnicodeDecodeError:
        return False


def file_name(title: str, media_type: str) -> str:
    """A plain name for the file when it is fetched again."""
    ending = next((ending for ending, (kind, _) in KINDS.items() if kind == media_type), "bin")
    return f"{slugify(title)[:60] or 'work'}.{ending}"
