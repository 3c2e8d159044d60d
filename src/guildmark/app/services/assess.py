"""What is shown: offerings open, learners enrol, do activities, hand in work; markers mark; a decision is recorded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from uuid import UUID

from django.db import transaction

from guildmark.app.doors import blob_store
from guildmark.app.queries.assess import delivery_values, marks_of
from guildmark.app.queries.design import blueprint_value
from guildmark.app.records import (
    Activity,
    ActivityDone,
    Award,
    BlueprintVersion,
    Decision,
    Enrolment,
    Learner,
    Mark,
    Offering,
    Person,
    Submission,
)
from guildmark.app.services.events import note_event
from guildmark.app.services.people import still_here
from guildmark.app.services.verbs import fits, hold, verb
from guildmark.assess import decision as decision_room
from guildmark.assess import delivery as delivery_room
from guildmark.assess import marking as marking_room
from guildmark.core.errors import BrokenInput, NotAllowed
from guildmark.core.report import Report


@verb
def open_offering(
    *,
    id: UUID,
    version: BlueprintVersion,
    title: str,
    opens_on: date,
    closes_on: date | None,
    activities: Sequence[delivery_room.Activity],
    actor: Person,
    now: datetime,
) -> Offering:
    """The published version can be taken from `opens_on`; without `closes_on` it is open for good (self-paced)."""
    if version.state != BlueprintVersion.State.PUBLISHED:
        raise NotAllowed(f"{version} is {version.state}: only a published blueprint can be offered.")
    if closes_on is not None and closes_on < opens_on:
        raise BrokenInput(f"closes on {closes_on}, before it opens", where=title, hint="swap the two dates")
    fits(Offering, title=title)
    for activity in activities:
        fits(Activity, key=activity.id, title=activity.title, kind=activity.kind)
    offering = Offering.objects.create(
        id=id, blueprint_version=version, title=title, opens_on=opens_on, closes_on=closes_on, created_at=now
    )
    Activity.objects.bulk_create(
        Activity(offering=offering, key=a.id, title=a.title, kind=a.kind, minutes=a.minutes, required=a.required)
        for a in activities
    )
    note_event(
        verb="open_offering", organisation=version.provider, subject=title, actor=actor, now=now, blueprint=str(version)
    )
    return offering


@verb
def enrol(*, id: UUID, offering: Offering, learner: Learner, now: datetime) -> Enrolment:
    """The learner is enrolled; NotAllowed outside the dates of the offering. Enrolling again changes nothing."""
    day = now.date()
    if day < offering.opens_on or (offering.closes_on is not None and day > offering.closes_on):
        raise NotAllowed(
            f"{offering.title} is open from {offering.opens_on} to {offering.closes_on or 'further notice'}."
        )
    still_here(learner)
    enrolment, made = Enrolment.objects.get_or_create(
        offering=offering, learner=learner, defaults={"id": id, "enrolled_at": now}
    )
    if made:
        note_event(
            verb="enrol",
            organisation=offering.blueprint_version.provider,
            subject=str(enrolment.id),
            actor=None,
            now=now,
            offering=offering.title,
        )
    return enrolment


@verb
def complete_activity(*, enrolment: Enrolment, key: str, now: datetime) -> Report:
    """The activity is done, whenever the learner had time for it; the report says what is still to do."""
    activity = enrolment.offering.activities.filter(key=key).first()
    if activity is None:
        keys = ", ".join(enrolment.offering.activities.order_by("key").values_list("key", flat=True))
        raise BrokenInput(f"there is no activity {key!r}", where=enrolment.offering.title, hint=f"one of: {keys}")
    ActivityDone.objects.get_or_create(enrolment=enrolment, activity=activity, defaults={"done_at": now})
    return delivery_room.completion(*delivery_values(enrolment))


@verb
def submit_work(
    *, id: UUID, enrolment: Enrolment, assessment: str, title: str, media_type: str, body: bytes, now: datetime
) -> Submission:
    """The work is stored once under its SHA-256 and stands as the submission for this assessment.

    NotAllowed once marking has begun; until then handing in again replaces the work.
    """
    still_here(enrolment.learner)
    enrolment = hold(enrolment)  # marking cannot begin while the work is replaced
    if enrolment.transferred.exists():
        raise NotAllowed("The result of this enrolment was brought from another system; its work is kept there.")
    blueprint = blueprint_value(enrolment.offering.blueprint_version)
    ids = [a.id for a in blueprint.assessments]
    if assessment not in ids:
        what, hint = f"there is no assessment {assessment!r}", f"one of: {', '.join(ids)}"
        raise BrokenInput(what, where=blueprint.title, hint=hint)
    if not body:
        raise BrokenInput("the work is empty", where=title, hint="hand in a file with something in it")
    old = Submission.objects.filter(enrolment=enrolment, assessment=assessment).first()
    if old is not None and old.marks.exists():
        raise NotAllowed(f"{title}: marking has begun, so the work can no longer be replaced.")
    fits(Submission, title=title, media_type=media_type)
    blobs = blob_store()
    facts = {"title": title, "media_type": media_type, "sha256": blobs.put(body), "submitted_at": now}
    # Once more after the commit: the same bytes of somebody else may have been forgotten meanwhile.
    transaction.on_commit(lambda: blobs.put(body))
    if old is not None and old.sha256 != facts["sha256"]:
        transaction.on_commit(lambda: forget_work(old.sha256))
    submission, _ = Submission.objects.update_or_create(
        enrolment=enrolment,
        assessment=assessment,
        defaults=facts,
        create_defaults={"id": id, **facts},
    )
    note_event(
        verb="submit_work",
        organisation=enrolment.offering.blueprint_version.provider,
        subject=str(submission.id),
        actor=None,
        now=now,
        sha256=submission.sha256,
    )
    return submission


def forget_work(sha256: str) -> bool:
    """Whether the bytes of a piece of work are gone; what another submission consists of stays."""
    return blob_store().forget(sha256, needed=Submission.objects.filter(sha256=sha256).exists)


@verb
def record_mark(
    *, submission: Submission, criterion: str, level: str, comment: str, marker: Person, now: datetime
) -> Mark:
    """One marker's level for one criterion is on record; a marker marks a criterion once, and never their own work."""
    enrolment = hold(submission.enrolment)  # neither the work nor the decision changes meanwhile
    not_their_own(marker, enrolment.learner, "mark")
    submission.refresh_from_db()
    blueprint = blueprint_value(enrolment.offering.blueprint_version)
    value = marking_room.Mark(
        submission_id=str(submission.id),
        assessment_id=submission.assessment,
        criterion_id=criterion,
        marker_id=marker.username,
        level_id=level,
        comment=comment,
        at=now,
    )
    marking_room.check_mark(blueprint, value)
    if Mark.objects.filter(submission=submission, criterion=criterion, marker=marker).exists():
        raise NotAllowed(f"{marker} has marked {criterion} already; a second look is another marker's.")
    if Decision.objects.filter(enrolment=enrolment, passed=True).exists():
        raise NotAllowed("The decision is made; marks that come later belong to an appeal.")
    mark = Mark.objects.create(
        submission=submission, criterion=criterion, marker=marker, level=level, comment=comment, marked_at=now
    )
    note_event(
        verb="record_mark",
        organisation=enrolment.offering.blueprint_version.provider,
        subject=str(submission.id),
        actor=marker,
        now=now,
        criterion=criterion,
    )
    return mark


@verb
def mark_work(
    *, submission: Submission, levels: Mapping[str, tuple[str, str]], marker: Person, now: datetime
) -> list[Mark]:
    """Each criterion in `levels` (criterion -> level and comment) has the marker's mark, or none of them has."""
    return [
        record_mark(submission=submission, criterion=criterion, level=level, comment=comment, marker=marker, now=now)
        for criterion, (level, comment) in levels.items()
    ]


def not_their_own(person: Person, learner: Learner, what: str) -> None:
    """NotAllowed if the person is the learner: by their account, or by their e-mail address."""
    if person.pk == learner.person_id or person.email.strip().lower() == learner.email:
        raise NotAllowed(f"{person} cannot {what} their own work: somebody else has to.")


@verb
def record_result(
    *, id: UUID, enrolment: Enrolment, actor: Person, now: datetime
) -> tuple[Decision, decision_room.Decision]:
    """What the marks say under the award rule of the blueprint is decided and recorded, passed or not.

    NotAllowed once it is a pass, so that one piece of work earns one award; a revoked award may be decided anew.
    """
    enrolment = hold(enrolment)
    not_their_own(actor, enrolment.learner, "decide on")
    passes = Decision.objects.filter(enrolment=enrolment, passed=True)
    if passes.exclude(award__state=Award.State.REVOKED).exists():
        raise NotAllowed("The decision is made: passed; award it, or revoke its award first.")
    blueprint = blueprint_value(enrolment.offering.blueprint_version)
    value = decision_room.decide(
        blueprint,
        marks_of(enrolment),
        decision_id=str(id),
        learner_id=str(enrolment.learner_id),
        decided_by=actor.username,
        now=now,
    )
    row = Decision.objects.create(
        id=id,
        enrolment=enrolment,
        document=value.to_json(),
        passed=value.passed,
        marks_sha256=value.marks_sha256,
        decided_by=actor,
        decided_at=now,
    )
    note_event(
        verb="record_result",
        organisation=enrolment.offering.blueprint_version.provider,
        subject=str(enrolment.id),
        actor=actor,
        now=now,
        about=row,
        passed=value.passed,
    )
    return row, value
