"""A credential takes the place of another: corrected, issued anew under another key, or renewed for a further term.

A signed document never changes, so nothing is corrected or prolonged in it: the old one is revoked and a new one is
awarded, in one transaction. Each leads to the other, for everybody: the new document names the old one and says why,
and the issuer's list says of the old one what replaced it (docs/decisions/0009-what-replaces-what.md). Both stay on
record. Larger credentials that the old one was part of are awarded anew with the new one in its place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from uuid import UUID

from guildmark.app.queries.assess import decision_value, marks_of
from guildmark.app.queries.awards import signing_key
from guildmark.app.queries.design import blueprint_value
from guildmark.app.records import Award, Decision, Enrolment, Learner, Mark, MarkCorrection, Person, StackClaim
from guildmark.app.services.assess import not_their_own
from guildmark.app.services.awards import InPlaceOf, award_credential, change_status, term_after
from guildmark.app.services.events import note_event
from guildmark.app.services.keys import signer_for
from guildmark.app.services.pathways import claim_stack
from guildmark.app.services.people import still_here
from guildmark.app.services.status import publish_soon
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
    and the decision is made anew under the same award rule. The revocation gives the reason "corrected" or "the result
    was corrected", the learner is told of both, and the new award `replaces` the old one and ends when that would have.
    Where the right result is no pass, nothing is awarded. NotAllowed if nothing would differ, and for an award that is
    revoked already or has run out.
    """
    if not reason.strip():
        raise BrokenInput("a correction needs a reason", where="reason", hint="say what was wrong and how it was found")
    if award.kind != "badge":
        raise NotAllowed("A larger credential is corrected by correcting what it rests on.")
    award, enrolment = _replaceable(award, actor, "correct the award of", now=now)
    learner = award.learner
    assert award.decision is not None
    old = decision_value(award.decision)
    changes = _changes(award, old, name=name.strip(), awarded_on=awarded_on, levels=levels)
    if not changes:
        raise NotAllowed("Nothing would be different: name, date and marks are those of the award already.")
    _rename(learner, name.strip(), award)
    _correct_marks(enrolment, levels, reason=reason.strip(), actor=actor, now=now)
    decision, value = _decide_again(
        decision_id, enrolment, moment=_moment(old, enrolment, awarded_on, now), actor=actor, now=now
    )
    code = "result_corrected" if levels else "corrected"
    replacing = _revoke(award, code, reason.strip(), award.valid_until, entropy=entropy, actor=actor, now=now)
    new = None
    if value.passed:
        new = _award_anew(id, decision, replacing, entropy=entropy, actor=actor, now=now)
    elif value.report.verdict is Verdict.UNKNOWN:
        raise NotAllowed(
            "With these marks something is open again, so nothing can be decided: another marker has to look first. "
            "Suspend the award meanwhile."
        )
    publish_soon(award.status_list, now=now)
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


@verb
def reissue_award(
    *,
    id: UUID,
    decision_id: UUID,
    award: Award,
    code: str,
    note: str,
    entropy: Callable[[int], bytes],
    actor: Person,
    now: datetime,
) -> Award:
    """The same credential, signed by the key that its issuer signs with now, takes the place of this one.

    `code` is "key_compromised" where the old key was exposed, else "reissued"; `note` is for the provider's own record.
    It says the same of the same result and ends when the old one would have; name and profile are those of today. A
    larger credential is made up anew of the same components. NotAllowed where the key would be the same though it
    was exposed, for an award that is revoked already or has run out, and for a larger one that is no longer earned.
    """
    if code not in ("key_compromised", "reissued"):
        raise BrokenInput(f"reason code {code!r} is not one for issuing anew", hint="use key_compromised or reissued")
    key = signer_for(award.issuer).key_id
    if code == "key_compromised" and signing_key(award) == key:
        raise NotAllowed(
            f"{award.title} was signed with the key that {award.issuer} signs with now: make a new one first."
        )
    if award.kind != "badge":
        new = _reissue_larger(award, code, note, entropy=entropy, actor=actor, now=now)
    else:
        award, enrolment = _replaceable(award, actor, "issue anew the award of", now=now)
        new = _same_again(
            id, decision_id, award, enrolment, code, note, award.valid_until, entropy=entropy, actor=actor, now=now
        )
    note_event(
        verb="reissue_award",
        subject=award.credential_id,
        actor=actor,
        now=now,
        organisation=award.issuer,
        code=code,
        replaced_by=new.credential_id,
    )
    return new


@verb
def renew_award(
    *,
    id: UUID,
    decision_id: UUID,
    award: Award,
    note: str,
    entropy: Callable[[int], bytes],
    actor: Person,
    now: datetime,
) -> Award:
    """The same credential takes the place of this one and is valid for a further term, counted from its end.

    The term is the one of the blueprint version that it was awarded on; the day of the award stays. NotAllowed for a
    credential without an end, one that has ended, is suspended or revoked, and a larger one, which has no end.
    """
    if award.kind != "badge" or award.valid_until is None:
        raise NotAllowed(f"{award.title} has no end, so there is nothing to renew.")
    award, enrolment = _replaceable(award, actor, "renew the award of", now=now)
    if award.state != Award.State.VALID:
        raise NotAllowed(f"{award.title} of {award.learner} is {award.state}: end that first, then renew it.")
    assert award.valid_until is not None
    ends = term_after(award.valid_until, blueprint_value(enrolment.offering.blueprint_version))
    assert ends is not None
    new = _same_again(id, decision_id, award, enrolment, "renewed", note, ends, entropy=entropy, actor=actor, now=now)
    note_event(
        verb="renew_award",
        subject=award.credential_id,
        actor=actor,
        now=now,
        organisation=award.issuer,
        valid_until=ends.date().isoformat(),
        replaced_by=new.credential_id,
    )
    return new


def _replaceable(award: Award, actor: Person, what: str, *, now: datetime) -> tuple[Award, Enrolment]:
    """The award and its enrolment, held; NotAllowed if nothing may take its place, or not by this person."""
    learner = still_here(award.learner)
    assert award.decision is not None
    enrolment = hold(award.decision.enrolment)
    not_their_own(actor, learner, what)
    award = hold(award)
    if award.state == Award.State.REVOKED:
        raise NotAllowed(f"{award.title} of {learner} is revoked already; decide and award anew instead.")
    if award.valid_until is not None and award.valid_until <= now:
        raise NotAllowed(
            f"{award.title} of {learner} ended on {award.valid_until.date()}; decide and award anew instead."
        )
    return award, enrolment


@dataclass(frozen=True, slots=True)
class _Replacing:
    """What was revoked to be replaced, and the larger credentials that were with it."""

    old: InPlaceOf
    larger: tuple[tuple[StackClaim, Award], ...]


def _revoke(
    award: Award,
    code: str,
    note: str,
    valid_until: datetime | None,
    *,
    entropy: Callable[[int], bytes],
    actor: Person,
    now: datetime,
) -> _Replacing:
    """The award is revoked, its list not published yet, since what replaces it is to stand there too."""
    stood = Award.objects.filter(learner=award.learner, kind="clr").exclude(state=Award.State.REVOKED)
    before = set(stood.values_list("pk", flat=True))
    _, reopened = change_status(
        award=award, state="revoked", code=code, note=note, entropy=entropy, actor=actor, now=now, replaced=True
    )
    larger = tuple((claim, claim.award) for claim in reopened if claim.award is not None and claim.award_id in before)
    return _Replacing(InPlaceOf(award, code, valid_until), larger)


def _award_anew(
    id: UUID,
    decision: Decision,
    replacing: _Replacing,
    *,
    entropy: Callable[[int], bytes],
    actor: Person,
    now: datetime,
) -> Award:
    new, _ = award_credential(
        id=id, decision=decision, entropy=entropy, actor=actor, now=now, in_place_of=replacing.old
    )
    for claim, was in replacing.larger:
        was.refresh_from_db()
        if was.state == Award.State.REVOKED:
            _claim_again(claim, InPlaceOf(was, "component_revoked"), entropy=entropy, actor=actor, now=now)
    return new


def _claim_again(
    claim: StackClaim, in_place_of: InPlaceOf, *, entropy: Callable[[int], bytes], actor: Person, now: datetime
) -> Award | None:
    """The larger credential that takes the place of the one before; None if it is no longer earned."""
    claim = claim_stack(
        id=claim.id,
        rule=claim.rule,
        learner=claim.learner,
        entropy=entropy,
        actor=actor,
        now=now,
        in_place_of=in_place_of,
    )
    if claim.award is None or claim.award_id == in_place_of.award.pk:
        return None
    publish_soon(in_place_of.award.status_list, now=now)
    return claim.award


def _same_again(
    id: UUID,
    decision_id: UUID,
    award: Award,
    enrolment: Enrolment,
    code: str,
    note: str,
    ends: datetime | None,
    *,
    entropy: Callable[[int], bytes],
    actor: Person,
    now: datetime,
) -> Award:
    """The award anew on the same result; the decision is on record again, since each award rests on one of its own."""
    assert award.decision is not None
    value = replace(decision_value(award.decision), id=str(decision_id))
    row = _on_record(value, id=decision_id, enrolment=enrolment, actor=actor, now=now)
    replacing = _revoke(award, code, note.strip(), ends, entropy=entropy, actor=actor, now=now)
    new = _award_anew(id, row, replacing, entropy=entropy, actor=actor, now=now)
    publish_soon(award.status_list, now=now)
    return new


def _reissue_larger(
    award: Award, code: str, note: str, *, entropy: Callable[[int], bytes], actor: Person, now: datetime
) -> Award:
    learner = still_here(award.learner)
    not_their_own(actor, learner, "issue anew the award of")
    award = hold(award)
    if award.state == Award.State.REVOKED:
        raise NotAllowed(f"{award.title} of {learner} is revoked already; claim it anew instead.")
    claim = StackClaim.objects.filter(award=award).select_related("rule", "learner").first()
    if claim is None:
        raise NotAllowed(f"{award.title} of {learner} was not claimed under a rule, so it cannot be made up anew.")
    change_status(
        award=award, state="revoked", code=code, note=note.strip(), entropy=entropy, actor=actor, now=now, replaced=True
    )
    new = _claim_again(claim, InPlaceOf(award, code), entropy=entropy, actor=actor, now=now)
    if new is None:
        raise NotAllowed(
            f"{award.title} is no longer earned under its rule, so it is not issued anew; revoke it instead."
        )
    return new


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


def _on_record(
    value: decision_room.Decision, *, id: UUID, enrolment: Enrolment, actor: Person, now: datetime
) -> Decision:
    """The row of a decision."""
    return Decision.objects.create(
        id=id,
        enrolment=enrolment,
        document=value.to_json(),
        passed=value.passed,
        marks_sha256=value.marks_sha256,
        decided_by=actor,
        decided_at=now,
    )


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
    return _on_record(value, id=id, enrolment=enrolment, actor=actor, now=now), value
