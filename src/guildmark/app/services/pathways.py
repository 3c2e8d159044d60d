"""Where it leads: stack rules and claims that repair themselves, ranking for jobs, the human decision."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from django.conf import settings
from django.utils.translation import gettext

from guildmark.app.queries.pathways import holdings_of, job_need, offers, people_who_opted_in
from guildmark.app.records import (
    Award,
    Consent,
    JobAd,
    Learner,
    MatchDecision,
    MatchRun,
    Organisation,
    Person,
    StackClaim,
    StackRule,
)
from guildmark.app.services.events import note_event
from guildmark.app.services.mail import in_language_of, post
from guildmark.app.services.people import require_checked, still_here
from guildmark.app.services.verbs import fits, verb
from guildmark.core.codecs import parse_json
from guildmark.core.errors import BrokenInput, NotAllowed
from guildmark.core.report import Report
from guildmark.credential.clr import clr_document
from guildmark.credential.open_badge import Recipient
from guildmark.pathways import match as match_room
from guildmark.pathways import stack as stack_room

if TYPE_CHECKING:
    from guildmark.app.services.awards import InPlaceOf


@verb
def add_stack_rule(*, text: str, owner: Organisation, actor: Person, now: datetime) -> StackRule:
    """The rule of a larger credential is declared by its owner; declaring it again needs a new version.

    BrokenInput for a rule that does not answer its own examples as it says it does.
    """
    rule = stack_room.read_stack_rule(text)
    if wrong := stack_room.check_examples(rule).failed():
        raise BrokenInput(wrong[0].says.rstrip("."), where=rule.id, hint="mend the rule or its example")
    fits(StackRule, id=rule.id, title=rule.title, version=rule.version)
    old = StackRule.objects.filter(id=rule.id).first()
    if old is not None and (old.owner_id != owner.id or old.version == rule.version):
        raise NotAllowed(f"{old.title} {old.version} is declared already; give a change a new version.")
    row, _ = StackRule.objects.update_or_create(
        id=rule.id, defaults={"title": rule.title, "version": rule.version, "owner": owner, "text": text}
    )
    note_event(verb="add_stack_rule", organisation=owner, subject=row.id, actor=actor, now=now, version=row.version)
    return row


@verb
def claim_stack(
    *,
    id: UUID,
    rule: StackRule,
    learner: Learner,
    entropy: Callable[[int], bytes],
    actor: Person,
    now: datetime,
    in_place_of: InPlaceOf | None = None,
) -> StackClaim:
    """The rule is solved over the learner's credentials, each verified now; earned, the larger credential is awarded.

    The larger credential is a CLR 2.0 document that carries the placed components as they were signed. Claiming again
    solves again; one award stands at a time. One that stands `in_place_of` another names it.
    """
    from guildmark.app.services.awards import tell_learner

    require_checked(rule.owner)
    learner = still_here(learner)  # and held: no component is suspended or revoked meanwhile
    result = stack_room.solve_stack(
        stack_room.read_stack_rule(rule.text), holdings_of(learner, on=now.date(), now=now), on=now.date()
    )
    claim, _ = StackClaim.objects.update_or_create(
        rule=rule,
        learner=learner,
        defaults={"state": _state(result), "result": result.to_json(), "reason": _why_open(result), "solved_at": now},
        create_defaults={
            "id": id,
            "state": _state(result),
            "result": result.to_json(),
            "reason": _why_open(result),
            "solved_at": now,
        },
    )
    standing = claim.award is not None and claim.award.state != Award.State.REVOKED
    made = result.earned and not standing
    if made:
        claim.award = _award_stack(claim, result, entropy=entropy, actor=actor, now=now, in_place_of=in_place_of)
        claim.save(update_fields=["award"])
        tell_learner(claim.award, entropy=entropy, now=now)
    note_event(
        verb="claim_stack",
        organisation=rule.owner,
        subject=rule.id,
        actor=actor,
        now=now,
        about=claim.award if made else None,
        learner=str(learner.id),
        state=claim.state,
    )
    return claim


def _award_stack(
    claim: StackClaim,
    result: stack_room.StackResult,
    *,
    entropy: Callable[[int], bytes],
    actor: Person,
    now: datetime,
    in_place_of: InPlaceOf | None,
) -> Award:
    from guildmark.app.queries.organisations import issuer_profile
    from guildmark.app.services.awards import _sign_and_record
    from guildmark.app.services.status import allocate_status

    rule, learner, provider = claim.rule, claim.learner, claim.rule.owner
    components = list(Award.objects.filter(credential_id__in=list(result.placement)).order_by("issued_at", "id"))
    entry, status_list, index = allocate_status(issuer=provider, entropy=entropy, now=now)
    award_id = UUID(bytes=entropy(16), version=4)
    salt = entropy(16).hex()
    document = clr_document(
        credential_id=f"urn:uuid:{award_id}",
        name=rule.title,
        issuer=issuer_profile(provider),
        recipient=Recipient(email=learner.email, name=learner.name, salt=salt),
        credentials=[parse_json(bytes(c.document)) for c in components],
        achievement_id=f"{settings.BASE_URL}/achievements/stacks/{rule.id}",
        description=f"Earned under the rule {rule.id} version {rule.version} of {provider.name}.",
        valid_from=now,
        status_entry=entry,
        members=in_place_of.members() if in_place_of is not None else None,
    )
    return _sign_and_record(
        id=award_id,
        kind="clr",
        document=document,
        provider=provider,
        learner=learner,
        decision=None,
        title=rule.title,
        salt=salt,
        status_list=status_list,
        status_index=index,
        valid_until=None,
        actor=actor,
        entropy=entropy,
        now=now,
        replaces=in_place_of.award if in_place_of is not None else None,
    )


def _state(result: stack_room.StackResult) -> str:
    return StackClaim.State.EARNED if result.earned else StackClaim.State.OPEN


def _why_open(result: stack_room.StackResult) -> str:
    return " ".join(f.says for f in (*result.report.failed(), *result.report.unknown()))


@verb
def recheck_stacks(*, award: Award, entropy: Callable[[int], bytes], actor: Person, now: datetime) -> list[StackClaim]:
    """Every claim of this learner is solved again; those whose larger credential no longer stands are open again.

    The larger credential gets the same status as its cause allows: suspended while a component is suspended, revoked
    when one is revoked; its reason says which component. A reinstated component reinstates what it had suspended.
    """
    from guildmark.app.services.awards import change_status

    changed = []
    # Whoever calls this holds the learner, so that no claim of theirs changes meanwhile.
    claims = list(StackClaim.objects.filter(learner=award.learner).exclude(award=award).select_related("rule", "award"))
    holdings = holdings_of(award.learner, on=now.date(), now=now) if claims else []
    for claim in claims:
        result = stack_room.solve_stack(stack_room.read_stack_rule(claim.rule.text), holdings, on=now.date())
        used = set(claim.result.get("placement", {}))
        broken = award.credential_id in used and award.state != Award.State.VALID
        was = claim.state
        if claim.award is not None and claim.award.state != Award.State.REVOKED:
            if broken and claim.award.state != award.state:
                change_status(
                    award=claim.award,
                    state=award.state,
                    code=_component_code(award),
                    note=award.credential_id,
                    entropy=entropy,
                    actor=actor,
                    now=now,
                )
            elif award.state == Award.State.VALID and result.earned and _waits_for_a_component(claim.award):
                change_status(
                    award=claim.award,
                    state=Award.State.VALID,
                    code="component_reinstated",
                    note=award.credential_id,
                    entropy=entropy,
                    actor=actor,
                    now=now,
                )
        still_open = broken or not result.earned
        claim.state = StackClaim.State.OPEN if still_open else StackClaim.State.EARNED
        cause = f"The component “{award.title}” is {award.state}. " if broken else ""
        claim.reason = (cause + _why_open(result)).strip() if still_open else ""
        claim.result = result.to_json() if not broken else {**result.to_json(), "placement": claim.result["placement"]}
        claim.solved_at = now
        claim.save(update_fields=["state", "reason", "result", "solved_at"])
        if claim.state != was:
            note_event(
                verb="recheck_stack",
                organisation=claim.rule.owner,
                subject=claim.rule_id,
                actor=actor,
                now=now,
                state=claim.state,
            )
            changed.append(claim)
    return changed


def _waits_for_a_component(award: Award) -> bool:
    """Whether a component suspended it. What its issuer suspended for another reason, only the issuer reinstates."""
    last = award.status_changes.order_by("id").last()
    return award.state == Award.State.SUSPENDED and last is not None and last.code == "component_suspended"


def _component_code(award: Award) -> str:
    return "component_revoked" if award.state == Award.State.REVOKED else "component_suspended"


def rank_candidates(
    *, id: UUID, ad: JobAd, framework_id: str, employer: Organisation, actor: Person, now: datetime
) -> MatchRun:
    """People with live consent are ranked for the ad from verified skills; the whole answer is kept for the employer.

    Verifying many credentials takes long, so it is done first, and no transaction keeps others waiting meanwhile.
    """
    need = job_need(ad, framework_id=framework_id)
    if not need.skills:
        raise BrokenInput(
            "no skill was found in this ad", where=ad.id, hint="refresh demand, or load a larger framework"
        )
    catalogue = offers()
    people = people_who_opted_in(need, now=now)
    matches = match_room.rank_people(need, people, on=now.date())
    titles = {offer.id: offer for offer in catalogue}
    rows = []
    for match in matches:
        closing = match_room.suggest_closing(match.missing, catalogue)
        rows.append(
            {
                "person_id": match.person_id,
                "score": match.score,
                "reasons": [reason.to_json() for reason in match.reasons],
                "missing": [skill.to_json() for skill in match.missing],
                "closes": [
                    {"id": c.offer_id, "title": titles[c.offer_id].title, "labels": list(c.labels)} for c in closing
                ],
            }
        )
    return _keep_run(MatchRun(id=id, ad=ad, employer=employer, need=need.to_json(), matches=rows, at=now, by=actor))


@verb
def _keep_run(run: MatchRun) -> MatchRun:
    run.save(force_insert=True)
    note_event(
        verb="rank_candidates",
        organisation=run.employer,
        subject=run.ad_id,
        actor=run.by,
        now=run.at,
        people=len(run.matches),
    )
    return run


@verb
def decide_match(
    *, run: MatchRun, learner: Learner, decision: str, reason: str, actor: Person, now: datetime
) -> MatchDecision:
    """What a person decided about one match, and why, is on record; nothing else decides.

    Whom the decision invites is told by e-mail, and whom to answer. NotAllowed once the learner has withdrawn their
    consent to matching.
    """
    if run.by_id != actor.id:
        raise NotAllowed("This ranking was made for somebody else; rank again to decide.")
    if not reason.strip():
        raise BrokenInput("a decision needs a reason", hint="say why in a sentence")
    if str(learner.id) not in {match["person_id"] for match in run.matches}:
        raise BrokenInput("this learner is not in the ranking", hint="decide about somebody who is")
    if not learner.consents.filter(purpose=Consent.Purpose.MATCHING, withdrawn_at=None).exists():
        raise NotAllowed("This person has withdrawn their consent to be matched; there is nothing to decide any more.")
    row = MatchDecision.objects.create(run=run, learner=learner, decision=decision, reason=reason, by=actor, at=now)
    if decision == "invite":
        employer = run.employer.name if run.employer is not None else str(actor)
        words = {"actor": actor, "name": employer, "ad": run.ad.title or run.ad.id, "email": actor.email}
        with in_language_of(learner.email):
            subject = gettext("%(name)s invites you") % words
            body = (
                gettext(
                    "You agreed to be matched with jobs. %(actor)s of %(name)s would like to hear from you about "
                    "“%(ad)s”, and now knows your name, and not your e-mail address.\n\n"
                    "If you want to, write to %(email)s. If you do not, do nothing.\n"
                )
                % words
            )
        post(to=learner.email, subject=subject, body=body, now=now)
    note_event(
        verb="decide_match", organisation=run.employer, subject=str(run.id), actor=actor, now=now, decision=decision
    )
    return row


def report_of(claim: StackClaim) -> Report:
    """The report of a claim's last solution."""
    return Report.from_json(claim.result["report"])
