"""The decision on one learner's work: what the marks say under the award rule of the blueprint.

1. Each criterion is marked by at least `min_markers`, never by fewer than two, who do not see each other's
marks. 2. The agreed points of a criterion are the median of its marks; its level is the lower of the two in
the middle. 3. Another marker is needed where marks lie further apart than `tolerance` points, or where they
are evenly split over the pass level, since no average can say on which side the work is. With another
marker a criterion is settled once more than half of its marks lie within `tolerance` of the median. 4. An
outcome is achieved if it has a criterion, and each is settled at its pass level or above. 5. The percentage
of an assessment is its points over its possible points; the total weighs them by `weight`. 6. Passed: all
is settled, the total reaches `pass_mark` and, if `each_outcome`, each outcome is achieved.

Until all is settled nothing is failed: the report is UNKNOWN and the decision is not passed. Arithmetic is
in exact fractions of the decimals that the blueprint states, so a total of exactly the pass mark passes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any, Literal

from guildmark.assess.agreement import Agreement, agreement
from guildmark.assess.marking import Mark, check_mark
from guildmark.core.codecs import iso, jcs, parse_iso
from guildmark.core.errors import BrokenInput
from guildmark.core.report import Finding, Report, Verdict
from guildmark.design.blueprint import Assessment, Blueprint, Criterion, Outcome, blueprint_digest

FEWEST_MARKERS = 2
"""No rule of a blueprint can go below this: with one marker there is nothing to compare."""


@dataclass(frozen=True, slots=True)
class OutcomeResult:
    """What was reached for one learning outcome: its points, and the agreed level of each criterion.

    `levels` maps criterion id to level id (as in the blueprint, for Open Badges rubric results); a
    criterion whose marks are missing or not settled is not in it. `achieved`: every criterion is settled at
    its pass level or above.
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
    """A decision with all that it rests on, by id or digest: it can be made again, and questioned.

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


@dataclass(frozen=True, slots=True)
class Settled:
    """Where one criterion stands.

    `needs` is "nothing" once it is settled, "marks" while fewer than the rule asks for are there, "another
    marker" where they cannot be reconciled. `points` and `level_id` are None unless it is settled.
    """

    assessment_id: str
    criterion_id: str
    outcome_id: str
    marker_ids: tuple[str, ...]
    needs: Literal["nothing", "marks", "another marker"]
    points: Fraction | None
    max_points: Fraction
    level_id: str | None
    passed: bool
    says: str


def marks_digest(marks: Iterable[Mark]) -> str:
    """SHA-256, hex, over the JCS form of the marks, sorted: the order in which they came is no matter."""
    rows = sorted((mark.to_json() for mark in marks), key=jcs)
    return hashlib.sha256(jcs(rows)).hexdigest()


def settle(blueprint: Blueprint, marks: Sequence[Mark]) -> tuple[Settled, ...]:
    """Where each criterion stands, in the blueprint's order: settled, or what it still needs.

    BrokenInput for a mark that the blueprint does not know, a marker who marked one criterion twice, and
    marks of two submissions for one assessment.
    """
    by_criterion = _sorted_out(blueprint, marks)
    return tuple(
        _settle(blueprint, assessment, criterion, by_criterion.get((assessment.id, criterion.id), {}))
        for assessment in blueprint.assessments
        for criterion in assessment.criteria
    )


def decide(
    blueprint: Blueprint,
    marks: Sequence[Mark],
    *,
    decision_id: str,
    learner_id: str,
    decided_by: str,
    now: datetime,
) -> Decision:
    """What these marks of one learner's work say under the award rule (see the top of this module).

    The same blueprint and marks give the same decision, whatever the order of the marks. `passed` only if
    the report passes. Points of criteria that are not settled count as none, so that `percent` is what is
    reached so far. BrokenInput as for `settle`.
    """
    settled = settle(blueprint, marks)
    results = tuple(_outcome_result(outcome, settled) for outcome in blueprint.outcomes)
    total = _total(blueprint, settled)
    markers = tuple(sorted({mark.marker_id for mark in marks}))
    findings = [
        _marked(blueprint, settled),
        _reconciled(settled),
        _independent(markers, learner_id, decided_by),
        *_outcome_findings(blueprint, settled, results),
        _pass_mark(blueprint, settled, total),
    ]
    report = Report(f"Decision on {blueprint.title}", tuple(findings))
    return Decision(
        id=decision_id,
        blueprint_id=blueprint.id,
        blueprint_version=blueprint.version,
        blueprint_digest=blueprint_digest(blueprint),
        learner_id=learner_id,
        marks_sha256=marks_digest(marks),
        marker_ids=markers,
        outcome_results=results,
        percent=float(total),
        passed=report.verdict is Verdict.PASS,
        agreement=agreement(marks, blueprint) if len(markers) >= 2 else None,
        rule=_rule(blueprint),
        decided_at=parse_iso(iso(now)),  # whole seconds, as it is written
        decided_by=decided_by,
        report=report,
    )


def reproduce(decision: Decision, blueprint: Blueprint, marks: Sequence[Mark]) -> Report:
    """Whether these are the blueprint and marks decided on, and they give the same decision again."""
    again = decide(
        blueprint,
        marks,
        decision_id=decision.id,
        learner_id=decision.learner_id,
        decided_by=decision.decided_by,
        now=decision.decided_at,
    )
    checks = [
        ("reproduce.blueprint", again.blueprint_digest == decision.blueprint_digest, "The blueprint"),
        ("reproduce.marks", again.marks_sha256 == decision.marks_sha256, "The set of marks"),
        ("reproduce.decision", again.to_json() == decision.to_json(), "The result of deciding again"),
    ]
    return Report(
        f"Decision {decision.id} made again",
        tuple(
            Finding(id, Verdict.PASS, f"{what} is the recorded one.")
            if same
            else Finding(id, Verdict.FAIL, f"{what} is not the recorded one.")
            for id, same, what in checks
        ),
    )


# --- Marks to criteria ---


def _sorted_out(blueprint: Blueprint, marks: Sequence[Mark]) -> dict[tuple[str, str], dict[str, Mark]]:
    """The marks by (assessment, criterion) and marker, once each is known to fit."""
    found: dict[tuple[str, str], dict[str, Mark]] = {}
    work: dict[str, str] = {}
    for mark in sorted(marks, key=lambda m: m.key):
        check_mark(blueprint, mark)
        piece = work.setdefault(mark.assessment_id, mark.submission_id)
        if piece != mark.submission_id:
            raise BrokenInput(
                f"marks of two submissions, {piece} and {mark.submission_id}",
                where=f"assessment {mark.assessment_id}",
                hint="decide on one piece of work for each assessment",
            )
        by_marker = found.setdefault((mark.assessment_id, mark.criterion_id), {})
        if mark.marker_id in by_marker:
            raise BrokenInput(
                f"{mark.marker_id} marked {mark.criterion_id} twice",
                where=f"submission {mark.submission_id}",
                hint="keep one of the two; a second look is another marker's",
            )
        by_marker[mark.marker_id] = mark
    return found


def _settle(
    blueprint: Blueprint, assessment: Assessment, criterion: Criterion, by_marker: Mapping[str, Mark]
) -> Settled:
    ids = [level.id for level in criterion.levels]
    points = [_exact(level.points) for level in criterion.levels]
    # Sorted by place on the rubric, so that two levels with the same points stay two levels.
    places = sorted(ids.index(mark.level_id) for mark in by_marker.values())
    pass_place = ids.index(criterion.pass_level)
    need, tolerance = _need(blueprint), _exact(blueprint.award_rule.tolerance)

    def result(needs: Literal["nothing", "marks", "another marker"], says: str) -> Settled:
        done = needs == "nothing"
        low, high = (places[(len(places) - 1) // 2], places[len(places) // 2]) if done else (0, 0)
        return Settled(
            assessment_id=assessment.id,
            criterion_id=criterion.id,
            outcome_id=criterion.outcome,
            marker_ids=tuple(sorted(by_marker)),
            needs=needs,
            points=(points[low] + points[high]) / 2 if done else None,
            max_points=max(points, default=Fraction(0)),
            level_id=ids[low] if done else None,
            passed=done and low >= pass_place,
            says=says,
        )

    if len(places) < need:
        return result("marks", f"{criterion.title} has {_count(len(places), 'mark')}, {need} are needed")
    given = [points[place] for place in places]
    low, high = places[(len(places) - 1) // 2], places[len(places) // 2]
    median = (points[low] + points[high]) / 2
    apart = max(given) - min(given)
    near = sum(abs(value - median) <= tolerance for value in given)
    if apart > tolerance and (len(places) <= need or 2 * near <= len(places)):
        limit = f"the rule allows {_plain(tolerance)}"
        return result("another marker", f"marks for {criterion.title} are {_plain(apart)} points apart, {limit}")
    if low < pass_place <= high:
        level = criterion.levels[pass_place].title
        return result("another marker", f"marks for {criterion.title} are evenly split over the pass level {level}")
    return result("nothing", f"{criterion.title}: {criterion.levels[low].title}")


# --- Criteria to outcomes and the total ---


def _outcome_result(outcome: Outcome, settled: Sequence[Settled]) -> OutcomeResult:
    mine = [s for s in settled if s.outcome_id == outcome.id]
    points = sum((s.points or Fraction(0) for s in mine), Fraction(0))
    possible = sum((s.max_points for s in mine), Fraction(0))
    return OutcomeResult(
        outcome_id=outcome.id,
        points=float(points),
        max_points=float(possible),
        percent=float(100 * points / possible) if possible else 0.0,
        achieved=bool(mine) and all(s.passed for s in mine),
        levels={s.criterion_id: s.level_id for s in mine if s.level_id is not None},
    )


def _total(blueprint: Blueprint, settled: Sequence[Settled]) -> Fraction:
    """The weighted percentage, 0 to 100; what is not settled, or has nothing to mark, counts as nothing."""
    total = weights = Fraction(0)
    for assessment in blueprint.assessments:
        weight = _exact(assessment.weight)
        mine = [s for s in settled if s.assessment_id == assessment.id]
        possible = sum((s.max_points for s in mine), Fraction(0))
        points = sum((s.points or Fraction(0) for s in mine), Fraction(0))
        weights += weight
        total += weight * points / possible if possible else 0
    return 100 * total / weights if weights else Fraction(0)


# --- Findings ---


def _marked(blueprint: Blueprint, settled: Sequence[Settled]) -> Finding:
    short = [s for s in settled if s.needs == "marks"]
    empty = [a.title for a in blueprint.assessments if not a.criteria]
    because = {
        "needed": _need(blueprint),
        "missing": [_because(s) for s in short],
        "assessments_without_criteria": empty,
    }
    if not settled:
        return Finding("marks.complete", Verdict.UNKNOWN, "The blueprint has no criterion to mark.", True, because)
    if empty:
        says = f"{', '.join(empty)}: no criterion to mark, so the award rule cannot be applied."
        return Finding("marks.complete", Verdict.UNKNOWN, says, True, because)
    if short:
        return Finding("marks.complete", Verdict.UNKNOWN, f"Marks are missing: {_list(short)}.", True, because)
    says = f"{_count(len(settled), 'criterion', 'criteria')} marked by at least {_need(blueprint)} markers each."
    return Finding("marks.complete", Verdict.PASS, says, True, because)


def _reconciled(settled: Sequence[Settled]) -> Finding:
    apart = [s for s in settled if s.needs == "another marker"]
    because = {"another_marker": [_because(s) for s in apart]}
    if apart:
        says = f"Another marker is needed, who has not seen these marks: {_list(apart)}."
        return Finding("marks.reconciled", Verdict.UNKNOWN, says, True, because)
    if any(s.needs == "nothing" for s in settled):
        says = "Where two or more have marked, they agree within what the rule allows."
        return Finding("marks.reconciled", Verdict.PASS, says, True, because)
    says = "Nothing has been marked often enough to compare."
    return Finding("marks.reconciled", Verdict.UNKNOWN, says, True, because)


def _independent(markers: Sequence[str], learner_id: str, decided_by: str) -> Finding:
    because = {"markers": list(markers), "learner": learner_id, "decided_by": decided_by}
    if learner_id in markers or learner_id == decided_by:
        says = "The learner has marked or decided on their own work."
        return Finding("marks.independent", Verdict.FAIL, says, True, because)
    if not markers:
        return Finding("marks.independent", Verdict.UNKNOWN, "Nobody has marked yet.", True, because)
    return Finding("marks.independent", Verdict.PASS, "Nobody marked or decided on their own work.", True, because)


def _outcome_findings(
    blueprint: Blueprint, settled: Sequence[Settled], results: Sequence[OutcomeResult]
) -> Iterable[Finding]:
    each, all_in = blueprint.award_rule.each_outcome, _all_in(blueprint, settled)
    for outcome, result in zip(blueprint.outcomes, results, strict=True):
        mine = [s for s in settled if s.outcome_id == outcome.id]
        because = {"levels": dict(result.levels), "points": result.points, "of": result.max_points}
        if result.achieved:
            verdict, says = Verdict.PASS, f"Achieved: {outcome.statement}"
        elif not mine:
            verdict, says = Verdict.UNKNOWN, f"Cannot tell, no criterion shows it: {outcome.statement}"
        elif not all_in:
            verdict, says = Verdict.UNKNOWN, f"Not decided until all marks are settled: {outcome.statement}"
        elif each:
            verdict, says = Verdict.FAIL, f"Not achieved: {outcome.statement}"
        else:
            # The rule does not ask for each outcome, so this one does not decide; but it is no pass either.
            verdict, says = Verdict.UNKNOWN, f"Not achieved, which the rule allows: {outcome.statement}"
        yield Finding(f"outcome.{outcome.id}", verdict, says, each, because)


def _pass_mark(blueprint: Blueprint, settled: Sequence[Settled], total: Fraction) -> Finding:
    wanted = _exact(blueprint.award_rule.pass_mark)
    because = {"percent": float(total), "pass_mark": float(wanted)}
    reached = f"{_plain(total)} % of the weighted points, {_plain(wanted)} % are needed"
    if not _all_in(blueprint, settled):
        says = f"So far {reached}; not decided until all marks are settled."
        return Finding("pass_mark", Verdict.UNKNOWN, says, True, because)
    verdict = Verdict.PASS if total >= wanted else Verdict.FAIL
    return Finding("pass_mark", verdict, f"{reached[0].upper()}{reached[1:]}.", True, because)


def _all_in(blueprint: Blueprint, settled: Sequence[Settled]) -> bool:
    """Whether every assessment has criteria and every criterion is settled."""
    return (
        all(a.criteria for a in blueprint.assessments) and bool(settled) and all(s.needs == "nothing" for s in settled)
    )


def _rule(blueprint: Blueprint) -> dict[str, Any]:
    """The rule as it was applied, so that a stored decision can be read without the blueprint."""
    rule = blueprint.award_rule
    return {
        "pass_mark": rule.pass_mark,
        "each_outcome": rule.each_outcome,
        "min_markers": _need(blueprint),
        "tolerance": rule.tolerance,
    }


def _need(blueprint: Blueprint) -> int:
    return max(FEWEST_MARKERS, blueprint.award_rule.min_markers)


def _because(s: Settled) -> dict[str, Any]:
    return {
        "assessment": s.assessment_id,
        "criterion": s.criterion_id,
        "markers": list(s.marker_ids),
        "says": s.says,
    }


def _list(settled: Sequence[Settled]) -> str:
    """The first three in words, and how many more."""
    more = f"; and {len(settled) - 3} more" if len(settled) > 3 else ""
    return "; ".join(s.says for s in settled[:3]) + more


def _count(n: int, one: str, many: str = "") -> str:
    return f"{n} {one if n == 1 else many or one + 's'}"


def _exact(value: float) -> Fraction:
    """The decimal that was written: 0.1 is one tenth, not the nearest binary fraction."""
    return Fraction(str(value))


def _plain(value: Fraction) -> str:
    """At most two decimals, rounded down, so that 59.996 is never shown as 60."""
    return f"{value * 100 // 1 / 100:.2f}".rstrip("0").rstrip(".")
