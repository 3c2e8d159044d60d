"""A mistake that is found after the award: the wrong credential is revoked and a right one takes its place.

A signed document never changes, so nothing is corrected in it. Both awards stay on record, each leading to the other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from uuid import UUID

from guildmark.app.queries.assess import decision_value, marks_of
from guildmark.app.queries.design import blueprint_value
from guildmark.app.records import Award, Decision, Enrolment, Learner, Mark, MarkCorrection, Person
from guildmark.app.services.assess import not_their_own
from guildmark.app.services.awards import award_credential, change_status
from guildmark.app.services.events import note_event
from guildmark.app.services.people import still_here
from guildmark.app.services.verbs import fits, hold, verb
from guildmark.assess import decision as decision_room
from guildmark.assess import marking as marking_room
from guildmark.core.codecs import parse_json
from guildmark.core.errors import BrokenInput, NotAllowed
from guildmark.core.report import Verdict
from guildmark.credential.open_badge import is_recipient


@dataclass(frozen=True, slots=True)
class Corrected:
    """The award that was wrong, revoked now, and the one in its place; None where the right result is no pass."""

    old: Award
    new: Award | None


@verb
def correct_award(
    *,
    id: UUID,
    decision_id: UUID,
    award: Award,
    name: str,
    awarded_on: date,
    levels: Mapping[int, str],
    reason: str,
    entropy: Callable[[int], bytes],
    actor: Person,
    now: datetime,
) -> Corrected:
    """The award is revoked, and a new one says what is right: made out to `name`, awarded on `awarded_on`.

    `levels` maps marks (by their key) to what they should have been; the marks stay, with the correction beside them,
    and the decision is made anew under the same award rule. The revocation gives the reason "replaced" or "the result
    was corrected", the learner is told of both, and the new award `replaces` the old one. Where the right result is no
    pass, nothing is awarded. NotAllowed if nothing would differ, and for an award that is revoked already.
    """
    learner = still_here(award.learner)
    if award.kind != "badge" or award.decision_id is None:
        raise NotAllowed("A larger credential is corrected by correcting what it rests on.")
    if not reason.strip():
        raise BrokenInput("a correction needs a reason", where="reason", hint="say what was wrong and how it was found")
    enrolment = hold(award.decision.enrolment)
    not_their_own(actor, learner, "correct the award of")
    award = hold(award)
    if award.state == Award.State.REVOKED:
        raise NotAllowed(f"{award.title} of {learner} is revoked already; decide and award anew instead.")
    old = decision_value(award.decision)
    changes = _changes(award, old, name=name.strip(), awarded_on=awarded_on, levels=levels)
    if not changes:
        raise NotAllowed("Nothing would be different: name, date and marks are those of the award already.")
    _rename(learner, name.strip(), award)
    _correct_marks(enrolment, levels, reason=reason.strip(), actor=actor, now=now)
    decision, value = _decide_again(
        decision_id, enrolment, moment=_moment(old, enrolment, awarded_on, now), actor=actor, now=now
    )
    code = "result_corrected" if levels else "superseded"
    change_status(award=award, state="revoked", code=code, note=reason.strip(), entropy=entropy, actor=actor, now=now)
    new = None
    if value.passed:
        new, _ = award_credential(id=id, decision=decision, entropy=entropy, actor=actor, now=now)
        new.replaces = award
        new.save(update_fields=["replaces"])
    elif value.report.verdict is Verdict.UNKNOWN:
        raise NotAllowed(
            "With these marks something is open again, so nothing can be decided: another marker has to look first. "
            "Suspend the award meanwhile."
        )
    note_event(
        verb="correct_award",
        subject=award.credential_id,
        actor=actor,
        now=now,
        organisation=award.issuer,
        changed=changes,
        replaced_by=new.credential_id if new is not None else "",
    )
    award.refresh_from_db()
    return Corrected(award, new)


def _changes(
    award: Award, old: decision_room.Decision, *, name: str, awarded_on: date, levels: Mapping[int, str]
) -> list[str]:
    """Which of name, date and result would differ from what was signed."""
    found = []
    if not is_recipient(parse_json(award.document), name=name):
        found.append("name")
    if awarded_on != old.decided_at.date():
        found.append("date")
    return [*found, *(["result"] if levels else [])]


def _rename(learner: Learner, name: str, award: Award) -> None:
    """The learner goes by this name; NotAllowed where somebody else's awards were made out to the one before."""
    if name == learner.name:
        return
    if not name:
        raise BrokenInput("the name is empty", where="name", hint="write it as it should stand on the certificate")
    fits(Learner, name=name)
    if learner.awards.exclude(issuer=award.issuer).exclude(state=Award.State.REVOKED).exists():
        raise NotAllowed(
            "Another provider has awarded this learner under the present name, so it cannot be changed from here; "
            "ask the operator of the site."
        )
    learner.name = name
    learner.save(update_fields=["name"])


def _correct_marks(
    enrolment: Enrolment, levels: Mapping[int, str], *, reason: str, actor: Person, now: datetime
) -> None:
    """Each mark has its correction beside it; BrokenInput for a level that the rubric does not have."""
    if levels and enrolment.transferred.exists():
        raise NotAllowed("This result was brought from another system: correct it there, and bring it again.")
    blueprint = blueprint_value(enrolment.offering.blueprint_version)
    marks = {
        m.pk: m for m in Mark.objects.filter(submission__enrolment=enrolment).select_related("submission", "marker")
    }
    for key, level in levels.items():
        mark = marks.get(key)
        if mark is None:
            raise BrokenInput("this mark is on other work", where="levels", hint="reload the page and choose again")
        marking_room.check_mark(
            blueprint,
            marking_room.Mark(
                submission_id=str(mark.submission_id),
                assessment_id=mark.submission.assessment,
                criterion_id=mark.criterion,
                marker_id=mark.marker.username,
                level_id=level,
                comment=mark.comment,
                at=mark.marked_at,
            ),
        )
        MarkCorrection.objects.create(mark=mark, level=level, reason=reason, by=actor, at=now)


def _moment(old: decision_room.Decision, enrolment: Enrolment, awarded_on: date, now: datetime) -> datetime:
    """When it was awarded: the moment of the first decision, or noon of another day."""
    if awarded_on == old.decided_at.date():
        return old.decided_at
    if awarded_on > now.date():
        raise BrokenInput(f"{awarded_on} is still to come", where="awarded_on", hint="write the day of the decision")
    if awarded_on < enrolment.offering.opens_on:
        raise BrokenInput(
            f"{awarded_on} is before the offering opened", where="awarded_on", hint="write the day of the decision"
        )
    return min(datetime.combine(awarded_on, time(12), tzinfo=UTC), now)


def _decide_again(
    id: UUID, enrolment: Enrolment, *, moment: datetime, actor: Person, now: datetime
) -> tuple[Decision, decision_room.Decision]:
    """What the marks say with their corrections; the row says when it was found, the document when it was awarded."""
    value = decision_room.decide(
        blueprint_value(enrolment.offering.blueprint_version),
        marks_of(enrolment),
        decision_id=str(id),
        learner_id=str(enrolment.learner_id),
        decided_by=actor.username,
        now=moment,
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
    return row, value
