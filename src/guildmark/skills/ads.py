"""Job ads: what they are, the few that come with guildmark, and reading a user's own or SkillSpan's.

An ad counts once. A row that cannot be used, or that repeats an ad, is listed with its number and field; the others are
read. A file that is no table of ads at all is one sentence.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from guildmark.core.codecs import parse_json
from guildmark.core.errors import BrokenInput
from guildmark.core.problems import RowProblem
from guildmark.skills.files import read_text, table

LARGEST_FILE = 256 * 1024 * 1024
LONGEST_TEXT = 100_000
"""Characters of one ad: twenty times a long one. What is longer is a page or a file that went into the wrong cell."""
LONGEST_LINE = 300
"""Characters of an ad's title, employer, place or source; its id has at most 200."""

OWN_SOURCE = "guildmark's own writing: invented ads of invented employers"

_FIELDS = ("id", "title", "employer", "place", "posted", "source", "text")
_LIMITS = {"id": 200, "title": LONGEST_LINE, "employer": LONGEST_LINE, "place": LONGEST_LINE, "source": LONGEST_LINE}
_DAY = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[T ].*)?")
_POSTED = re.compile(r"\bDate posted: (\d{4}-\d{2}-\d{2})\b")


@dataclass(frozen=True, slots=True)
class JobAd:
    """A job ad as it came in. `source` says where it is from; nothing but `id` and `text` need be known."""

    id: str
    title: str
    employer: str
    text: str
    posted: date | None = None
    place: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class ReadAds:
    """The ads of a file in its order, and the rows that could not be used; `rows` says where each ad stood."""

    ads: tuple[JobAd, ...]
    problems: tuple[RowProblem, ...]
    rows: tuple[int, ...] = ()


@cache
def builtin_ads() -> tuple[JobAd, ...]:
    """The small set that comes with guildmark. We wrote it: no such job, employer or vacancy exists."""
    text = (files("guildmark.skills") / "data" / "job-ads.jsonl").read_text(encoding="utf-8")
    read = parse_ads(text, where="job-ads.jsonl")
    if read.problems:
        raise ValueError(f"our own ads have a bad row: {read.problems[0]}")
    return read.ads


def read_ads(path: Path) -> ReadAds:
    """The ads in a file: CSV, JSON lines or SkillSpan, packed with gzip or not. See `parse_ads`."""
    return parse_ads(read_text(path, largest=LARGEST_FILE), where=str(path))


def parse_ads(text: str, *, where: str) -> ReadAds:
    """The ads in a text that is one of three layouts, told apart by how it begins.

    - CSV: the first line names the columns. `text` must be there; id, title, employer, place, posted (2026-11-24) and
      source may be; others are passed over. Commas or semicolons.
    - JSON lines: one object on each line with the same members.
    - SkillSpan's JSON lines (`idx`, `tokens`): the sentences of one `idx` and `source` are one ad. A row is a line.

    An ad without an id gets one from its text, one without a source that of the file. BrokenInput for anything else.
    """
    name = re.split(r"[/\\]", where)[-1]
    stripped = text.lstrip()
    if not stripped:
        raise BrokenInput("is empty", where=where, hint="give a CSV file or JSON lines with a column text")
    if stripped.startswith("{"):
        first = _first_object(stripped, where)
        rows = _skillspan(text, name) if {"idx", "tokens"} <= first.keys() else _json_rows(text)
    elif stripped.startswith("["):
        raise BrokenInput(
            "is one JSON list", where=where, hint="write one ad on each line, without brackets around them"
        )
    else:
        rows = _csv_rows(text, where)
    return _collect(rows, name)


_Row = tuple[int, Mapping[str, Any] | RowProblem]


def _collect(rows: Iterator[_Row], name: str) -> ReadAds:
    ads: list[JobAd] = []
    problems: list[RowProblem] = []
    by_id: dict[str, int] = {}
    by_text: dict[str, int] = {}
    for number, row in rows:
        found = row if isinstance(row, RowProblem) else _ad(number, row, name)
        if isinstance(found, RowProblem):
            problems.append(found)
        elif found.text in by_text:
            problems.append(RowProblem(number, "text", f"is the ad of row {by_text[found.text]} again; it counts once"))
        elif found.id in by_id:
            says = f"{found.id[:60]!r} stands in row {by_id[found.id]} with another text; give each ad its own id"
            problems.append(RowProblem(number, "id", says))
        else:
            by_text[found.text] = by_id[found.id] = number
            ads.append(found)
    return ReadAds(tuple(ads), tuple(problems), tuple(by_text.values()))


def _ad(number: int, row: Mapping[str, Any], name: str) -> JobAd | RowProblem:
    """The ad of a row, or the first field that is wrong."""
    values: dict[str, str] = {}
    for field in _FIELDS:
        value = row.get(field)
        value = "" if value is None else value
        if isinstance(value, int) and not isinstance(value, bool) and field == "id":
            value = str(value)
        if not isinstance(value, str):
            return RowProblem(number, field, f"is {type(value).__name__} and no text")
        if problem := _unfit(field, value):
            return RowProblem(number, field, problem)
        values[field] = value if field == "text" else value.strip()
    if not values["text"].strip():
        return RowProblem(number, "text", "is empty; an ad without words asks for nothing")
    posted = None
    if values["posted"]:
        try:
            day = _DAY.fullmatch(values["posted"])
            posted = date.fromisoformat(day[1] if day else values["posted"])
        except ValueError:
            return RowProblem(number, "posted", f"{values['posted'][:40]!r} is no date; write 2026-11-24")
    return JobAd(
        id=values["id"] or f"ad-{hashlib.sha256(values['text'].encode()).hexdigest()[:16]}",
        title=values["title"],
        employer=values["employer"],
        text=values["text"],
        posted=posted,
        place=values["place"],
        source=values["source"] or name[:LONGEST_LINE],
    )


def _unfit(field: str, value: str) -> str:
    """Why no database and no hash would take this text, or nothing."""
    longest = _LIMITS.get(field, LONGEST_TEXT)
    if len(value) > longest:
        return f"has {len(value):,} characters, at most {longest:,} are read"
    if "\0" in value:
        return "holds a zero byte; save the file as plain text"
    if not value.isascii() and any("\ud800" <= c <= "\udfff" for c in value):
        return "holds half a character (a lone surrogate); export it again as UTF-8"
    return ""


def _csv_rows(text: str, where: str) -> Iterator[_Row]:
    first, _, _ = text.partition("\n")
    # Spreadsheets in countries with a decimal comma write semicolons.
    delimiter = ";" if first.count(";") > first.count(",") else ","
    problems: list[RowProblem] = []
    for number, row in table(text, ("text",), problems, where=where, delimiter=delimiter):
        yield from ((p.row, p) for p in problems)
        problems.clear()
        yield number, row
    yield from ((p.row, p) for p in problems)


def _first_object(text: str, where: str) -> Mapping[str, Any]:
    line, _, _ = text.partition("\n")
    try:
        value = parse_json(line)
    except BrokenInput as problem:
        hint = "write each ad as one JSON object on one line"
        raise BrokenInput("its first line is no JSON object", where=where, hint=hint) from problem
    if not isinstance(value, dict):
        raise BrokenInput("its first line is no JSON object", where=where, hint="write one JSON object on each line")
    return value


def _json_rows(text: str) -> Iterator[_Row]:
    number = 0
    for line in text.split("\n"):
        if not line.strip():
            continue
        number += 1
        try:
            value = parse_json(line)
        except BrokenInput as problem:
            says = problem.what if "surrogate" in problem.what else "is no JSON object on one line"
            yield number, RowProblem(number, "", says)
            continue
        if isinstance(value, dict):
            yield number, value
        else:
            yield number, RowProblem(number, "", "is no JSON object")


def _skillspan(text: str, name: str) -> Iterator[_Row]:
    """One row for each ad of SkillSpan; a sentence that cannot be read is a row of its own that says so.

    SkillSpan has no titles as such: those of its technical source begin with one, up to the first masked name.
    """
    ads: dict[tuple[str, str], tuple[int, list[str]]] = {}
    for number, row in _json_rows(text):
        if isinstance(row, RowProblem):
            yield number, row
            continue
        tokens = row.get("tokens")
        if not isinstance(tokens, list) or not all(isinstance(t, str) for t in tokens):
            yield number, RowProblem(number, "tokens", "is no list of words")
        elif not isinstance(row.get("idx"), int):
            yield number, RowProblem(number, "idx", "is no number")
        else:
            key = (str(row.get("source") or "ad"), str(row["idx"]))
            ads.setdefault(key, (number, []))[1].append(" ".join(tokens))
    part = name.removesuffix(".gz").removesuffix(".json").removesuffix(".jsonl")
    for (source, idx), (number, sentences) in ads.items():
        whole = "\n".join(sentences)
        day = _POSTED.search(whole)
        yield (
            number,
            {
                "id": f"skillspan-{part}-{source}-{idx}",
                "title": re.split(r"\s*<[A-Z]+>", sentences[0])[0][:LONGEST_LINE] if source == "tech" else "",
                "posted": day[1] if day else "",
                "source": f"SkillSpan {part}, {source} (MIT licence)",
                "text": whole,
            },
        )
