"""Reads of the assess room: marks and activities as values."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from guildmark.app.queries.design import blueprint_value
from guildmark.app.records import Decision, Enrolment, Mark, MarkCorrection, TransferredResult
from guildmark.assess import decision as decision_room
from guildmark.assess import delivery as delivery_room
from guildmark.assess import marking as marking_room
from guildmark.design.blueprint import Blueprint


def marks_of(enrolment: Enrolment) -> tuple[marking_room.Mark, ...]:
    """Every mark on every submission of an enrolment, in a fixed order; or those of the last result brought here.

    An enrolment has one or the other. A mark that was corrected has the level of its last correction. Three statements.
    """
    brought = brought_to(enrolment)
    if brought is not None:
        return tuple(marking_room.Mark.from_json(mark) for mark in brought.marks)
    corrected = dict(
        MarkCorrection.objects.filter(mark__submission__enrolment=enrolment)
        .order_by("at", "id")
        .values_list("mark_id", "level")
    )
    rows = (
        Mark.objects.filter(submission__enrolment=enrolment)
        .select_related("submission", "marker")
        .order_by("submission_id", "criterion", "marker__username")
    )
    return tuple(
        marking_room.Mark(
            submission_id=str(row.submission_id),
            assessment_id=row.submission.assessment,
            criterion_id=row.criterion,
            marker_id=row.marker.username,
            level_id=corrected.get(row.pk, row.level),
            comment=row.comment,
            at=row.marked_at,
        )
        for row in rows
    )


def brought_to(enrolment: Enrolment) -> TransferredResult | None:
    """The result that a list brought for this enrolment from outside this site, the last of several; mostly none."""
    rows = TransferredResult.objects.filter(enrolment=enrolment).select_related("recorded_by", "award_list")
    return rows.order_by("-recorded_at", "-id").first()


def delivery_values(enrolment: Enrolment) -> tuple[Sequence[delivery_room.Activity], frozenset[str]]:
    """(activities of the offering, keys of those this learner has done). Two statements."""
    activities = [
        delivery_room.Activity(id=a.key, title=a.title, kind=a.kind, minutes=a.minutes, required=a.required)
        for a in enrolment.offering.activities.all()
    ]
    return activities, frozenset(enrolment.done.values_list("activity__key", flat=True))


def decision_value(row: Decision) -> decision_room.Decision:
    """The recorded decision as the rooms know it."""
    return decision_room.Decision.from_json(row.document)


def evidence_of(enrolment: Enrolment) -> list[dict[str, str]]:
    """What a badge says about the work that was assessed: which assessment, and the hash of what was handed in.

    The work itself stays with the provider until the learner chooses to share it. Of a result that was reached
    outside this site it says so, from which system it was brought, and that its markers are named there and not here.
    """
    blueprint = blueprint_value(enrolment.offering.blueprint_version)
    titles = {a.id: a for a in blueprint.assessments}
    brought = brought_to(enrolment)
    if brought is not None:
        return evidence_from_outside(
            blueprint,
            str(enrolment.offering.blueprint_version.provider),
            source=brought.source,
            assessed_on=brought.assessed_on,
            recorded_on=brought.recorded_at.date(),
        )
    return [
        {
            "name": f"{titles[row.assessment].title}: {row.title}"
            if row.title != titles[row.assessment].title
            else row.title,
            "genre": titles[row.assessment].type,
            "description": f"Work handed in on {row.submitted_at.date()}; SHA-256 {row.sha256}.",
        }
        for row in enrolment.submissions.order_by("assessment")
    ]


def evidence_from_outside(
    blueprint: Blueprint, provider: str, *, source: str, assessed_on: date, recorded_on: date
) -> list[dict[str, str]]:
    """The evidence of a result that was reached outside this site, one entry for each assessment."""
    says = (
        f"Assessed by {provider} outside this site on {assessed_on}. Result brought from "
        f"“{source}” on {recorded_on}; that system names the markers and keeps the work."
    )
    return [{"name": a.title, "genre": a.type, "description": says} for a in blueprint.assessments]
