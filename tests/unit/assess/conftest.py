"""A small blueprint with two outcomes, and marks for it in one word each.

    assessment "report" (weight 0.6): criterion "query" for o1, criterion "chart" for o2
    assessment "talk"   (weight 0.4): criterion "speak" for o2

Every rubric is none (0), some (1), good (2), great (3 points) with the pass level good; tolerance is 1 point.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import settings

from guildmark.assess.marking import Mark
from guildmark.design.blueprint import Blueprint, read_blueprint

# A busy machine is slow without being wrong; the first t quantile also loads SciPy.
settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")

ASSESSMENT_OF = {"query": "report", "chart": "report", "speak": "talk"}


def criterion(id: str, outcome: str) -> dict[str, Any]:
    levels = [
        {"id": level, "title": level.title(), "descriptor": f"The work is {level}.", "points": points}
        for points, level in enumerate(("none", "some", "good", "great"))
    ]
    title = f"{id.title()} well"
    return {"id": id, "title": title, "outcome": outcome, "levels": levels, "pass_level": "good"}


def assessment(id: str, weight: float, *criteria: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": id,
        "title": id.title(),
        "type": "artifact",
        "weight": weight,
        "outcomes": list(dict.fromkeys(c["outcome"] for c in criteria)),
        "secure": True,
        "supervision": "supervised online",
        "criteria": list(criteria),
    }


def outcome(id: str, statement: str) -> dict[str, Any]:
    return {"id": id, "statement": statement, "level": "AQF:5", "hours": 20, "kind": "application"}


@pytest.fixture(scope="session")
def blueprint() -> Blueprint:
    return read_blueprint(
        {
            "id": "urn:uuid:5d0c0f3e-6c1b-4c51-8a4e-0d9a6b7c8d9e",
            "version": 1,
            "title": "Questions and answers",
            "description": "Ask a database, and show what it answers.",
            "purpose": "For analysts.",
            "language": "en",
            "country": "AU",
            "provider_id": "did:web:demo.guildmark.example:issuers:harbour-university",
            "outcomes": [
                outcome("o1", "Ask a database a question"),
                outcome("o2", "Show the answer to others"),
            ],
            "tasks": [{"id": "t1", "statement": "Answer a manager's question"}],
            "assessments": [
                assessment("report", 0.6, criterion("query", "o1"), criterion("chart", "o2")),
                assessment("talk", 0.4, criterion("speak", "o2")),
            ],
            "task_map": [{"task": "t1", "outcome": "o1", "assessment": "report"}],
            "credit": {"value": 0, "unit": "none", "basis": "none"},
            "level": "AQF:5",
            "hours": 40,
            "delivery_mode": "online",
            "award_rule": {"pass_mark": 50.0, "each_outcome": True, "min_markers": 2, "tolerance": 1.0},
        }
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
