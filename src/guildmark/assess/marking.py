"""Marks: one marker's level for one criterion of one piece of work, and reading many of them from a CSV file.

Marking is blind: a `Mark` knows nothing of anybody else's, and a marker is only ever handed `own_marks`.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from typing import Any, TypeVar

from guildmark.core.codecs import iso, parse_iso
from guildmark.core.errors import BrokenInput
from guildmark.core.problems import RowProblem
from guildmark.design.blueprint import Assessment, Blueprint, Criterion, CriterionLevel

_HasId = TypeVar("_HasId", Assessment, Criterion, CriterionLevel)


@dataclass(frozen=True, slots=True)
class Mark:
    """The level that one marker gave for one criterion of one submission, with the reason in `comment`."""

    submission_id: str
    assessment_id: str
    criterion_id: str
    marker_id: str
    level_id: str
    comment: str
    at: datetime

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What there can be only one of: submission, assessment, criterion, marker."""
        return (self.submission_id, self.assessment_id, self.criterion_id, self.marker_id)

    def to_json(self) -> dict[str, Any]:
        """The mark as plain JSON values; the moment in UTC and whole seconds: equal marks, equal bytes."""
        return {
            "submission_id": self.submission_id,
            "assessment_id": self.assessment_id,
            "criterion_id": self.criterion_id,
            "marker_id": self.marker_id,
            "level_id": self.level_id,
            "comment": self.comment,
            "at": iso(self.at),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Mark:
        """The mark that `to_json` wrote."""
        return cls(**{**value, "at": parse_iso(value["at"], where="mark.at")})


@dataclass(frozen=True, slots=True)
class ReadMarks:
    """The marks that could be read, in the order of the file, and what is wrong with the other rows."""

    marks: tuple[Mark, ...]
    problems: tuple[RowProblem, ...]


class UnfitMark(BrokenInput):
    """A mark that does not fit its blueprint; `field` says which of its values is at fault."""

    def __init__(self, field: str, what: str, *, where: str = "", hint: str = "") -> None:
        super().__init__(what, where=where, hint=hint)
        self.field = field


def check_mark(blueprint: Blueprint, mark: Mark) -> Criterion:
    """The criterion that the mark is about; UnfitMark (a BrokenInput) names the value that does not fit.

    The blueprint has to know the assessment, the criterion in it and the level on its rubric.
    """
    where = f"mark by {mark.marker_id or 'nobody'} of {mark.submission_id or 'nothing'}"
    for field in ("submission_id", "marker_id"):
        if not getattr(mark, field):
            raise UnfitMark(field, f"{field} is empty", where=where, hint="say which it is")
    if mark.at.tzinfo is None:
        raise UnfitMark("at", "the moment has no time zone", where=where, hint="end it with Z or an offset")
    assessment = _known("assessment_id", mark.assessment_id, blueprint.assessments, blueprint.title, where)
    criterion = _known("criterion_id", mark.criterion_id, assessment.criteria, assessment.title, where)
    _known("level_id", mark.level_id, criterion.levels, criterion.title, where)
    return criterion


def _known(field: str, id: str, things: Sequence[_HasId], owner: str, where: str) -> _HasId:
    for thing in things:
        if thing.id == id:
            return thing
    choice = ", ".join(t.id for t in things[:12]) or "it has none"
    raise UnfitMark(field, f"{owner!r} has no {field[:-3]} {id!r}", where=where, hint=f"one of: {choice}")


def own_marks(marks: Iterable[Mark], marker_id: str) -> tuple[Mark, ...]:
    """What a marker may see before the decision: the marks that they gave themselves, in a fixed order."""
    return tuple(sorted((m for m in marks if m.marker_id == marker_id), key=lambda m: m.key))


def read_marks_csv(data: bytes, blueprint: Blueprint, *, where: str = "marks") -> ReadMarks:
    """The marks in a CSV file; bad rows are listed, good ones are read all the same.

    UTF-8, with commas or semicolons.

    The first row names the columns, in any order: submission_id, assessment_id, criterion_id, marker_id,
    level_id, comment (may be left out) and at. Other columns are passed over. A marker who marks one
    criterion of one piece twice is a problem of the later row. BrokenInput for a file that is no such table
    at all.
    """
    rows = _table(data, where)
    heading = _heading(rows, where)
    marks: list[Mark] = []
    problems: list[RowProblem] = []
    seen: dict[tuple[str, str, str, str], int] = {}
    for number in count(1):
        try:
            cells = next(rows, None)
        except csv.Error as problem:
            problems.append(RowProblem(number, "", f"is not CSV ({problem}); check its quotes"))
            continue  # the reader starts afresh with the next line
        if cells is None:
            break
        if not any(cell.strip() for cell in cells):
            continue  # an empty line, as spreadsheets leave at the end
        found = _read_row(number, heading, cells, blueprint)
        if isinstance(found, RowProblem):
            problems.append(found)
        elif found.key in seen:
            says = f"marked {found.criterion_id} already in row {seen[found.key]}; keep one of the two"
            problems.append(RowProblem(number, "marker_id", says))
        else:
            seen[found.key] = number
            marks.append(found)
    return ReadMarks(tuple(marks), tuple(problems))


_NEEDED = ("submission_id", "assessment_id", "criterion_id", "marker_id", "level_id", "at")


def _table(data: bytes, where: str) -> Iterator[list[str]]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise BrokenInput(f"byte {problem.start} is not UTF-8", where=where, hint="save it as CSV UTF-8") from problem
    first, _, _ = text.partition("\n")
    # Spreadsheets in countries with a decimal comma write semicolons.
    delimiter = ";" if first.count(";") > first.count(",") else ","
    return csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)


def _heading(rows: Iterator[list[str]], where: str) -> list[str]:
    try:
        heading = [name.strip() for name in next(rows, [])]
    except csv.Error as problem:
        raise BrokenInput(f"is not CSV ({problem})", where=where, hint="export it again as CSV") from problem
    missing = [name for name in _NEEDED if name not in heading]
    if missing:
        raise BrokenInput(
            f"column {', '.join(missing)} is missing",
            where=where,
            hint=f"the first row names {', '.join(_NEEDED)}",
        )
    twins = sorted({name for name in heading if name and heading.count(name) > 1})
    if twins:
        raise BrokenInput(f"column {twins[0]} stands twice", where=where, hint="keep one of them")
    return heading


def _read_row(number: int, heading: Sequence[str], cells: Sequence[str], blueprint: Blueprint) -> Mark | RowProblem:
    if len(cells) != len(heading):
        says = f"has {len(cells)} cells, the heading {len(heading)}; put texts with separators in quotes"
        return RowProblem(number, "", says)
    row = dict(zip(heading, (cell.strip() for cell in cells), strict=True))
    try:
        at = parse_iso(row["at"])
    except BrokenInput as problem:
        return RowProblem(number, "at", str(problem).rstrip("."))
    mark = Mark(
        submission_id=row["submission_id"],
        assessment_id=row["assessment_id"],
        criterion_id=row["criterion_id"],
        marker_id=row["marker_id"],
        level_id=row["level_id"],
        comment=row.get("comment", ""),
        at=at,
    )
    try:
        check_mark(blueprint, mark)
    except UnfitMark as problem:
        return RowProblem(number, problem.field, f"{problem.what}; {problem.hint}")
    return mark
