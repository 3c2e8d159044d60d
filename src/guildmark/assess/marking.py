"""Marks: one marker's level for one criterion of one piece of work, and reading many of them from a CSV file.

Marking is blind: a `Mark` knows nothing of anybody else's, and a marker is only ever handed `own_marks`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from guildmark.core.codecs import iso, parse_iso
from guildmark.core.errors import BrokenInput
from guildmark.core.problems import RowProblem
from guildmark.design.blueprint import Blueprint, Criterion


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
        """The mark as plain JSON values; the moment in UTC and whole seconds, so that equal marks are equal bytes."""
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
    """The criterion that the mark is about; UnfitMark (a BrokenInput) names the value that the blueprint does not know."""
    raise NotImplementedError


def own_marks(marks: Iterable[Mark], marker_id: str) -> tuple[Mark, ...]:
    """What a marker may see before the decision: the marks that they gave themselves, in a fixed order."""
    return tuple(sorted((m for m in marks if m.marker_id == marker_id), key=lambda m: m.key))


def read_marks_csv(data: bytes, blueprint: Blueprint, *, where: str = "marks") -> ReadMarks:
    """The marks in a CSV file (comma or semicolon, UTF-8); bad rows are listed, good ones are read all the same."""
    raise NotImplementedError
