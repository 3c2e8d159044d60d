"""The decision on one learner's work: what the marks say under the award rule of the blueprint."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from guildmark.assess.agreement import Agreement
from guildmark.assess.marking import Mark
from guildmark.core.codecs import iso, parse_iso
from guildmark.core.report import Report
from guildmark.design.blueprint import Blueprint


@dataclass(frozen=True, slots=True)
class OutcomeResult:
    """What was reached for one learning outcome: points over all of its criteria, and the agreed level of each.

    `levels` maps criterion id to level id (as in the blueprint, for Open Badges rubric results); a criterion whose
    marks are missing or not settled is not in it. `achieved`: every criterion is settled at its pass level or above.
    """

    outcome_id: str
    points: float
    max_points: float
    percent: float
    achieved: bool
    levels: Mapping[str, str]

    def to_json(self) -> dict[str, Any]:
        """The result as plain JSON values."""
        return {
            "outcome_id": self.outcome_id,
            "points": self.points,
            "max_points": self.max_points,
            "percent": self.percent,
            "achieved": self.achieved,
            "levels": dict(self.levels),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> OutcomeResult:
        """The result that `to_json` wrote."""
        return cls(**value)


@dataclass(frozen=True, slots=True)
class Decision:
    """A recorded decision: everything it rests on by id or digest, so that it can be made again and questioned.

    `passed` is True only if `report.verdict` is PASS. `marks_sha256` is over all marks, whatever their order.
    """

    id: str
    blueprint_id: str
    blueprint_version: int
    blueprint_digest: str
    learner_id: str
    marks_sha256: str
    marker_ids: tuple[str, ...]
    outcome_results: tuple[OutcomeResult, ...]
    percent: float
    passed: bool
    agreement: Agreement | None
    rule: Mapping[str, Any]
    decided_at: datetime
    decided_by: str
    report: Report

    def to_json(self) -> dict[str, Any]:
        """The decision as plain JSON values; `from_json` reads it back unchanged."""
        return {
            "id": self.id,
            "blueprint_id": self.blueprint_id,
            "blueprint_version": self.blueprint_version,
            "blueprint_digest": self.blueprint_digest,
            "learner_id": self.learner_id,
            "marks_sha256": self.marks_sha256,
            "marker_ids": list(self.marker_ids),
            "outcome_results": [r.to_json() for r in self.outcome_results],
            "percent": self.percent,
            "passed": self.passed,
            "agreement": None if self.agreement is None else self.agreement.to_json(),
            "rule": dict(self.rule),
            "decided_at": iso(self.decided_at),
            "decided_by": self.decided_by,
            "report": self.report.to_json(),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Decision:
        """The decision that `to_json` wrote."""
        found = value["agreement"]
        return cls(
            **{
                **value,
                "marker_ids": tuple(value["marker_ids"]),
                "outcome_results": tuple(OutcomeResult.from_json(r) for r in value["outcome_results"]),
                "agreement": None if found is None else Agreement.from_json(found),
                "decided_at": parse_iso(value["decided_at"], where="decision.decided_at"),
                "report": Report.from_json(value["report"]),
            }
        )


def marks_digest(marks: Sequence[Mark]) -> str:
    """SHA-256, hex, over the JCS form of the marks sorted by what they are about: the order they came in is no matter."""
    raise NotImplementedError


def decide(
    blueprint: Blueprint,
    marks: Sequence[Mark],
    *,
    decision_id: str,
    learner_id: str,
    decided_by: str,
    now: datetime,
) -> Decision:
    """What the marks say under the award rule; the same marks and rule always give the same decision."""
    raise NotImplementedError
