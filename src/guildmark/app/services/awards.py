"""What is proven: awards are made and claimed, their status is changed and published."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils.translation import gettext

from guildmark.app.queries.assess import decision_value, evidence_of
from guildmark.app.queries.awards import revoked_for
from guildmark.app.queries.design import blueprint_value, live_endorsements
from guildmark.app.queries.organisations import issuer_profile
from guildmark.app.queries.published import approval_of
from guildmark.app.records import (
    Award,
    BlueprintVersion,
    Decision,
    Learner,
    Organisation,
    Person,
    StackClaim,
    StatusChange,
    StatusList,
)
from guildmark.app.services.design import achievement_url, map_url
from guildmark.app.services.events import note_event
from guildmark.app.services.follow_ups import enqueue
from guildmark.app.services.keys import signer_for
from guildmark.app.services.ledger import append_learner_entry
from guildmark.app.services.mail import in_language_of, post
from guildmark.app.services.people import still_here
from guildmark.app.services.status import REASONS, allocate_status, publish_soon, set_status
from guildmark.app.services.verbs import hold, verb
from guildmark.core.codecs import parse_json
from guildmark.core.errors import BrokenInput, NotAllowed
from guildmark.credential.endorsement import read_endorsement
from guildmark.credential.open_badge import Recipient, award_document
from guildmark.credential.proof import sign_to_bytes
from guildmark.credential.replacement import replacement_evidence
from guildmark.credential.status import ONLY_WITH_A_REPLACEMENT
from guildmark.design.blueprint import Blueprint
from guildmark.design.codesign import stands

Entropy = Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class InPlaceOf:
    """The award that another one replaces, revoked for the reason `code`, and until when the other one is valid."""

    award: Award
    code: str
    valid_until: datetime | None = None

    def members(self) -> dict[str, Any]:
        """What the new document says of the old one, signed with it."""
        return {"evidence": [replacement_evidence(bytes(self.award.document), self.code)]}


@verb
def award_credential(
    *,
    id: UUID,
    decision: Decision,
    entropy: Entropy,
    actor: Person,
    now: datetime,
    in_place_of: InPlaceOf | None = None,
) -> tuple[Award, str]:
    """The learner holds a signed Open Badges 3.0 credential; (award, claim token). One that stands `in_place_of`
    another names it.

    In one transaction: the document is signed by the provider's key, one status entry is allocated, a blinded leaf
    waits for the log, and a claim link lies in the outbox. NotAllowed unless the decision is a pass that has no award
    yet. The token is returned once and kept only as a hash.
    """
    still_here(decision.enrolment.learner)
    enrolment = hold(decision.enrolment)
    decision = hold(decision)
    if not decision.passed:
        raise NotAllowed("The decision is not a pass, so nothing can be awarded; its report says what is missing.")
    if Award.objects.filter(decision=decision).exists():
        raise NotAllowed("This decision has its award already.")
    if Award.objects.filter(decision__enrolment=enrolment).exclude(state=Award.State.REVOKED).exists():
        raise NotAllowed("This enrolment has an award already: revoke that one first.")
    version = enrolment.offering.blueprint_version
    provider, learner = version.provider, enrolment.learner
    blueprint, value = blueprint_value(version), decision_value(decision)
    if value.blueprint_digest != version.digest:
        raise NotAllowed("The decision was made on another content of the blueprint; decide again.")
    same = same_for_all(version, blueprint, now=now)
    if in_place_of is not None:
        same["valid_until"], same["members"] = in_place_of.valid_until, in_place_of.members()
    valid_until = same["valid_until"]
    entry, status_list, index = allocate_status(issuer=provider, entropy=entropy, now=now)
    salt = entropy(16).hex()
    document = award_document(
        **same,
        credential_id=f"urn:uuid:{id}",
        decision=value,
        recipient=Recipient(email=learner.email, name=learner.name, salt=salt),
        status_entry=entry,
        evidence=evidence_of(enrolment),
    )
    award = _sign_and_record(
        id=id,
        kind="badge",
        document=document,
        provider=provider,
        learner=learner,
        decision=decision,
        title=blueprint.title,
        salt=salt,
        status_list=status_list,
        status_index=index,
        valid_until=valid_until,
        actor=actor,
        entropy=entropy,
        now=now,
        replaces=in_place_of.award if in_place_of is not None else None,
    )
    token = tell_learner(award, entropy=entropy, now=now)
    note_event(
        verb="award_credential",
        organisation=provider,
        subject=award.credential_id,
        actor=actor,
        now=now,
        about=award,
        decision=str(decision.id),
    )
    return award, token


def same_for_all(version: BlueprintVersion, blueprint: Blueprint, *, now: datetime) -> dict[str, Any]:
    """What `award_document` is told for every award of a blueprint version at one moment, whoever is awarded."""
    return {
        "blueprint": blueprint,
        "issuer": issuer_profile(version.provider),
        "valid_from": now,
        "valid_until": term_after(now, blueprint),
        "endorsements": [
            parse_json(row.document)
            for row in live_endorsements(version)
            if stands(blueprint, read_endorsement(row.document))
        ],
        "approval": approval_of(version),
        "achievement_url": achievement_url(blueprint),
        "map_url": map_url(blueprint),
    }


def term_after(moment: datetime, blueprint: Blueprint) -> datetime | None:
    """When a term that begins at the moment ends; None for a credential that is valid without an end."""
    months = blueprint.validity_months
    return moment + timedelta(days=round(months * 30.4375)) if months else None


def _sign_and_record(
    *,
    id: UUID,
    kind: str,
    document: dict,
    provider: Organisation,
    learner: Learner,
    decision: Decision | None,
    title: str,
    salt: str,
    status_list: StatusList,
    status_index: int,
    valid_until: datetime | None,
    actor: Person,
    entropy: Entropy,
    now: datetime,
    replaces: Award | None = None,
) -> Award:
    """The document is signed, and an award, its nonce and its waiting leaf are written."""
    signer = signer_for(provider)
    signed = sign_to_bytes(document, signer, created=now)
    award = Award.objects.create(
        id=id,
        kind=kind,
        credential_id=document["id"],
        learner=learner,
        issuer=provider,
        decision=decision,
        title=title,
        document=signed,
        salt=salt,
        status_list=status_list,
        status_index=status_index,
        issued_at=now,
        valid_until=valid_until,
        awarded_by=actor,
        claim_sha256=hashlib.sha256(entropy(32)).hexdigest(),
        nonce=entropy(32),
        replaces=replaces,
    )
    append_learner_entry(award=award, key_id=signer.key_id, now=now)
    enqueue("publish_checkpoint")
    return award


def tell_learner(award: Award, *, entropy: Entropy, now: datetime) -> str:
    """The award has a fresh claim link, which lies in the outbox for the learner; the token is returned once."""
    token = entropy(24).hex()  # hexadecimal: it is typed after a command, where a leading dash would be an option
    award.claim_sha256 = hashlib.sha256(token.encode()).hexdigest()
    award.save(update_fields=["claim_sha256"])
    with in_language_of(award.learner.email, otherwise=_language_of(award)):
        subject, body = claim_mail() if award.replaces is None else _mail_in_place_of()
        words = {**_names(award), "link": claim_link(token), "reason": _why_replaced(award)}
    post(to=award.learner.email, subject=subject % words, body=body % words, now=now)
    return token


def claim_mail() -> tuple[str, str]:
    """(subject, text) of the mail with a claim link, in the present language, with places for name, issuer, title and
    link.
    """
    body = gettext(
        "Dear %(name)s,\n\n%(issuer)s has awarded you “%(title)s”.\n\n"
        "Take it here; you need no account:\n%(link)s\n\n"
        "The link is yours alone: whoever has it can see and download the credential.\n"
    )
    return gettext("Your credential: %(title)s"), body


def _mail_in_place_of() -> tuple[str, str]:
    """The same for a credential that takes the place of one that the learner has."""
    body = gettext(
        "Dear %(name)s,\n\n%(issuer)s has issued “%(title)s” to you again. It takes the place of the credential that "
        "you had, which no longer holds: %(reason)s\n\nTake the new one here; you need no account:\n%(link)s\n\n"
        "Use it from now on: whoever checks the old one is told that it was replaced.\n"
        "The link is yours alone: whoever has it can see and download the credential.\n"
    )
    return gettext("Your credential: %(title)s"), body


def _why_replaced(award: Award) -> str:
    """Why the credential that this one replaces was revoked, in the present language; "" if it replaces none."""
    code = revoked_for(award.replaces) if award.replaces is not None else ""
    return gettext(REASONS["revoked"][code]) if code in REASONS["revoked"] else ""


def claim_link(token: str) -> str:
    return f"{settings.BASE_URL}/claim/{token}"


def _names(award: Award) -> dict[str, str]:
    return {"name": award.learner.name, "issuer": award.issuer.name, "title": award.title}


def _language_of(award: Award) -> str:
    """The language of what was learned; unknown for a credential that is made up of others."""
    if award.decision is None:
        return ""
    return str(award.decision.enrolment.offering.blueprint_version.document.get("language", ""))


@verb
def resend_claim(*, award: Award, entropy: Entropy, actor: Person, now: datetime) -> Award:
    """A fresh claim link is on its way to the learner, and the one before it leads nowhere from now on.

    The token goes to the learner alone. NotAllowed for a credential that is revoked.
    """
    award = hold(award)
    if award.state == Award.State.REVOKED:
        raise NotAllowed(f"{award.title} of {award.learner} is revoked: there is nothing to take any more.")
    tell_learner(award, entropy=entropy, now=now)
    note_event(verb="resend_claim", organisation=award.issuer, subject=award.credential_id, actor=actor, now=now)
    return award


@verb
def claim_award(*, award: Award, now: datetime) -> Award:
    """The learner has taken the credential; the first moment counts."""
    changed = Award.objects.filter(pk=award.pk, claimed_at=None).update(claimed_at=now)
    if changed:
        note_event(
            verb="claim_award", organisation=award.issuer, subject=award.credential_id, actor=None, now=now, about=award
        )
    award.refresh_from_db()
    return award


def _tell_of_change(award: Award, *, code: str, now: datetime) -> None:
    with in_language_of(award.learner.email, otherwise=_language_of(award)):
        words = {
            **_names(award),
            "state": str(Award.State(award.state).label).lower(),
            "reason": gettext(REASONS[award.state][code]),
        }
        subject = gettext("Your credential “%(title)s” is now %(state)s") % words
        body = (
            gettext(
                "Dear %(name)s,\n\n%(issuer)s has changed the status of “%(title)s” to %(state)s.\n"
                "Reason: %(reason)s\n\nIf you think that this is wrong, write to %(issuer)s.\n"
            )
            % words
        )
    post(to=award.learner.email, subject=subject, body=body, now=now)


_MAY_BECOME = {
    Award.State.VALID: {Award.State.SUSPENDED, Award.State.REVOKED},
    Award.State.SUSPENDED: {Award.State.VALID, Award.State.REVOKED},
    Award.State.REVOKED: set(),
}


@verb
def change_status(
    *,
    award: Award,
    state: str,
    code: str,
    note: str,
    entropy: Entropy,
    actor: Person,
    now: datetime,
    replaced: bool = False,
) -> tuple[Award, list[StackClaim]]:
    """The award is suspended, reinstated or revoked; (award, stack claims that this re-opened).

    Everything happens in one transaction: the row, the change with its reason code, the newly signed and published
    status list, its entry for the log, every larger credential that depends on the award, and the learner's notice.
    Revocation is for good. `replaced` says that the caller awards another in its place and publishes the list then.
    """
    from guildmark.app.services.pathways import recheck_stacks

    hold(award.learner)  # nothing is stacked on the award meanwhile
    award = hold(award)
    hold(award.issuer)
    codes = [c for c in REASONS.get(state, {}) if replaced or c not in ONLY_WITH_A_REPLACEMENT]
    if code not in codes:
        raise BrokenInput(f"reason code {code!r} is not one for {state!r}", hint=f"use one of {', '.join(codes)}")
    if state not in _MAY_BECOME[award.state]:
        raise NotAllowed(f"{award.title} of {award.learner} is {award.state} and cannot become {state}.")
    award.state = state
    award.save(update_fields=["state"])
    StatusChange.objects.create(award=award, state=state, code=code, note=note, by=actor, at=now)
    set_status(award=award, state=state, code=code, now=now)
    if not replaced:
        publish_soon(award.status_list, now=now)
    if award.learner.erased_at is None:
        _tell_of_change(award, code=code, now=now)
    note_event(
        verb="change_status",
        organisation=award.issuer,
        subject=award.credential_id,
        actor=actor,
        now=now,
        about=award,
        state=state,
        code=code,
    )
    reopened = recheck_stacks(award=award, entropy=entropy, actor=actor, now=now)
    return award, reopened
