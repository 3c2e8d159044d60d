"""A small blueprint with two outcomes, and marks for it in one word each.

    assessment "report" (weight 0.6): criterion "query" for o1, criterion "chart" for o2
    assessment "talk"   (weight 0.4): criterion "speak" for o2

Every rubric is none (0), some (1), good (2), great (3 points) with the pass level good; tolerance is 1 point.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime
from importlib import resources

import pytest
from guildmark.design.blueprint import (
    Assessment,
    Blueprint,
    Criterion,
    CriterionLevel,
    Outcome,
    read_blueprint,
)

from guildmark.assess.marking import Mark

LEVELS = tuple(
    CriterionLevel(id=id, title=id.title(), descriptor=f"The work is {id}.", points=float(points))
    for points, id in enumerate(("none", "some", "good", "great"))
)
ASSESSMENT_OF = {"query": "report", "chart": "report", "speak": "talk"}


def criterion(id: str, outcome: str, levels: tuple[CriterionLevel, ...] = LEVELS) -> Criterion:
    return Criterion(id=id, title=f"{id.title()} well", outcome=outcome, levels=levels, pass_level="good")


def assessment(id: str, weight: float, criteria: tuple[Criterion, ...], like: Assessment) -> Assessment:
    outcomes = tuple(dict.fromkeys(c.outcome for c in criteria))
    return dataclasses.replace(
        like, id=id, title=id.title(), weight=weight, outcomes=outcomes, criteria=criteria
    )


@pytest.fixture(scope="session")
def blueprint() -> Blueprint:
    """One of the samples, cut down to what a reader can hold in mind."""
    folder = resources.files("guildmark.design") / "samples"
    path = min((f for f in folder.iterdir() if f.name.endswith(".json")), key=lambda f: f.name)
    sample = read_blueprint(path.read_bytes(), path.name)
    like_outcome, like = sample.outcomes[0], sample.assessments[0]
    outcomes: tuple[Outcome, ...] = (
        dataclasses.replace(like_outcome, id="o1", statement="Ask a database a question"),
        dataclasses.replace(like_outcome, id="o2", statement="Show the answer to others"),
    )
    return dataclasses.replace(
        sample,
        outcomes=outcomes,
        assessments=(
            assessment("report", 0.6, (criterion("query", "o1"), criterion("chart", "o2")), like),
            assessment("talk", 0.4, (criterion("speak", "o2"),), like),
        ),
        task_map=(),
        award_rule=dataclasses.replace(
            sample.award_rule, pass_mark=50.0, each_outcome=True, min_markers=2, tolerance=1.0
        ),
    )


@pytest.fixture(scope="session")
def mark() -> Callable[..., Mark]:
    """`mark("query", "ana", "good")`: a mark with the rest filled in; any value can be given by name."""

    def make(criterion_id: str, marker_id: str, level_id: str, **other: object) -> Mark:
        assessment_id = ASSESSMENT_OF.get(criterion_id, "report")
        return Mark(
            **{
                "submission_id": f"work-{assessment_id}",
                "assessment_id": assessment_id,
                "criterion_id": criterion_id,
                "marker_id": marker_id,
                "level_id": level_id,
                "comment": "As the rubric says.",
                "at": datetime(2026, 11, 20, 14, tzinfo=UTC),
                **other,
            }
        )

    return make


@pytest.fixture(scope="session")
def marks(mark) -> Callable[..., tuple[Mark, ...]]:
    """`marks(ana="good good great", ben=...)`: query, chart and speak by each marker; `-` leaves one out."""

    def make(**by_marker: str) -> tuple[Mark, ...]:
        return tuple(
            mark(criterion_id, marker, level)
            for marker, levels in by_marker.items()
            for criterion_id, level in zip(ASSESSMENT_OF, levels.split(), strict=True)
            if level != "-"
        )

    return make
