"""Reading the files that this room takes in: text that may be packed, and tables whose bad rows are listed."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from guildmark.core.errors import BrokenInput
from guildmark.core.problems import RowProblem

LARGEST = 512 * 1024 * 1024
"""Bytes that one file may hold or unpack to: ESCO's and O*NET's largest tables are below 30 MB."""


def read_text(path: Path, *, largest: int = LARGEST) -> str:
    """The text of a file, unpacked if its name ends in .gz; BrokenInput if it cannot be read, unpacked or decoded."""
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as stream:
            data = stream.read(largest + 1)
    except (OSError, EOFError, zlib.error) as problem:
        why = getattr(problem, "strerror", None) or str(problem)
        raise BrokenInput(
            f"cannot be read ({why})", where=str(path), hint="check the path, or copy it again"
        ) from problem
    if len(data) > largest:
        raise BrokenInput(f"is larger than {largest:,} bytes", where=str(path), hint="is this the right file?")
    return decode(data, where=str(path))


def decode(data: bytes, *, where: str) -> str:
    """UTF-8 text without its byte order mark; BrokenInput names the byte that is something else."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise BrokenInput(f"byte {problem.start} is not UTF-8", where=where, hint="save the file as UTF-8") from problem


def table(
    text: str, needed: Sequence[str], problems: list[RowProblem], *, where: str, delimiter: str = ","
) -> Iterator[tuple[int, dict[str, str]]]:
    """(row number, row) of a table whose first line names its columns; a row with too many cells or too few is listed.

    Tab-separated tables have no quotes, as O*NET writes them; the others have. A cell of more than 131,072
    characters makes its row a bad one, and the next row is read as usual. BrokenInput if the heading lacks a column.
    """
    lines = _Lines(text)
    if delimiter == "\t":
        reader = csv.reader(lines, delimiter=delimiter, quoting=csv.QUOTE_NONE)
    else:
        reader = csv.reader(lines, delimiter=delimiter, strict=True)
    try:
        heading = [name.strip() for name in next(reader, [])]
    except csv.Error as problem:
        raise BrokenInput(f"is no table ({problem})", where=where, hint="export it again as CSV") from problem
    missing = [column for column in needed if column not in heading]
    if missing:
        raise BrokenInput(f"has no column {missing[0]!r}", where=where, hint=f"it needs {', '.join(needed)}")
    twins = [name for name in heading if name and heading.count(name) > 1]
    if twins:
        raise BrokenInput(f"has the column {twins[0]!r} twice", where=where, hint="keep one of them")
    number = 0
    while True:
        lines.mark()
        try:
            cells = next(reader, None)
        except csv.Error as problem:
            number += 1
            lines.leave_quotes()
            says = f"is not CSV ({problem}); check its quotes and its length"
            if "end of data" in str(problem):
                says = "opens a quote that nothing closes, so it and all after it were not read; close the quote"
            problems.append(RowProblem(number, "", says))
            continue
        if cells is None:
            return
        if not any(cell.strip() for cell in cells):
            continue  # an empty line, as spreadsheets leave at the end
        number += 1
        if len(cells) != len(heading):
            says = f"has {len(cells)} cells, the heading {len(heading)}; put texts with separators in quotes"
            problems.append(RowProblem(number, "", says))
            continue
        yield number, dict(zip(heading, cells, strict=True))


class _Lines:
    """The lines of a text, one after the other, that know how many quotes the current row has opened so far."""

    def __init__(self, text: str) -> None:
        self._lines = iter(io.StringIO(text, newline=""))
        self._quotes = 0

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self._quotes += line.count('"')
        return line

    def mark(self) -> None:
        """A new row begins here."""
        self._quotes = 0

    def leave_quotes(self) -> None:
        """Go on behind the quote that is still open: the rest of a cell that was given up is no row."""
        while self._quotes % 2 and next(self, None) is not None:
            pass
