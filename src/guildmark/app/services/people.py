"""Organisations, people, keys and consent."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.utils.formats import date_format
from django.utils.translation import get_language, gettext

from guildmark.app.queries.published import did_path
from guildmark.app.records import Consent, Invitation, Learner, Membership, Organisation, OrganisationKey, Person
from guildmark.app.services.events import note_event
from guildmark.app.services.keys import seal_new_key
from guildmark.app.services.ledger import append_organisation_entry
from guildmark.app.services.mail import in_language_of, post
from guildmark.app.services.publish import publish_after_commit
from guildmark.app.services.verbs import hold, verb
from guildmark.core.codecs import jcs
from guildmark.core.doors import Fetcher
from guildmark.core.errors import BrokenInput, NotAllowed

_DID = re.compile(r"did:[a-z0-9]+:[A-Za-z0-9._%:-]*[A-Za-z0-9._%-]")
_COUNTRY = re.compile(r"[A-Z]{2}")


def default_did(kind: str, slug: str) -> str:
    """The did:web under which this site publishes an organisation that brings no identifier of its own."""
    host, _, path = settings.BASE_URL.removeprefix("https://").partition("/")
    folder = "issuers" if kind == Organisation.Kind.PROVIDER else "partners"
    parts = [host.replace(":", "%3A"), *(p for p in path.split("/") if p), folder, slug]
    return "did:web:" + ":".join(parts)


@verb
def register_organisation(
    *, id: UUID, slug: str, name: str, kind: str, did: str, country: str, facts: Mapping[str, Any], now: datetime
) -> Organisation:
    """The organisation exists; its identifier is `did`. BrokenInput if the slug or the DID is taken or unfit.

    The slug is part of published addresses, and of the names of the files behind them.
    """
    if not _DID.fullmatch(did):
        raise BrokenInput(f"{did[:80]!r} is no DID", where="did", hint="write one like did:web:example.edu")
    if not _COUNTRY.fullmatch(country):
        raise BrokenInput(f"{country[:40]!r} is no country code", where="country", hint="write two letters, such as AU")
    jcs(dict(facts))  # a number that no other program would read as we do is refused here and not by the gate
    if Organisation.objects.filter(slug=slug).exists() or Organisation.objects.filter(did=did).exists():
        raise BrokenInput(f"an organisation {slug!r} or {did!r} exists already", where=slug, hint="choose another")
    organisation = Organisation(
        id=id, slug=slug, name=name, kind=kind, did=did, country=country, facts=dict(facts), created_at=now
    )
    _check_fields(organisation, "slug", "name", "kind", "did")
    organisation.save(force_insert=True)
    note_event(
        verb="register_organisation", organisation=organisation, subject=slug, actor=None, now=now, did=did, kind=kind
    )
    return organisation


@verb
def add_person(
    *, id: UUID, username: str, name: str, email: str, roles: Sequence[tuple[str, str]], now: datetime
) -> Person:
    """The person exists with `roles`, pairs of organisation slug and role, and no usable password yet."""
    if Person.objects.filter(username=username).exists():
        raise BrokenInput(f"a person {username!r} exists already", where=username, hint="choose another name")
    person = Person(id=id, username=username, name=name, email=email)
    _check_fields(person, "username", "name", "email")
    person.set_unusable_password()
    person.save(force_insert=True)
    for slug, role in dict.fromkeys(roles):
        organisation = Organisation.objects.filter(slug=slug).first()
        if organisation is None:
            raise BrokenInput(f"there is no organisation {slug!r}", where=username, hint="register it first")
        if role not in Membership.Role.values:
            raise BrokenInput(
                f"role {role!r} is not known", where=username, hint=f"use {', '.join(Membership.Role.values)}"
            )
        Membership.objects.create(person=person, organisation=organisation, role=role)
    note_event(verb="add_person", subject=username, actor=None, now=now, roles=[list(r) for r in roles])
    return person


@verb
def create_key(*, organisation: Organisation, entropy: bytes, now: datetime) -> OrganisationKey:
    """The organisation has one more Ed25519 signing key, in its DID document and, in clear, in the log."""
    organisation = hold(organisation)
    number = organisation.keys.count() + 1
    key = seal_new_key(key_id=f"{organisation.did}#key-{number}", purpose="issue", entropy=entropy, now=now)
    key.organisation = organisation
    key.save(force_insert=True)
    append_organisation_entry(
        organisation=organisation,
        kind="key",
        statement={
            "action": "add",
            "keyId": key.key_id,
            "algorithm": key.algorithm,
            "publicKey": base64.b64encode(key.public_key).decode("ascii"),
        },
        now=now,
    )
    if published_path := did_path(organisation):
        publish_after_commit(published_path)
    note_event(verb="create_key", organisation=organisation, subject=key.key_id, actor=None, now=now)
    return key


@verb
def retire_key(*, key_id: str, now: datetime) -> OrganisationKey:
    """The key signs nothing any more and is no longer in its organisation's document, so that what it signed no longer
    verifies; the log says when. NotAllowed for the only key that an organisation has.
    """
    key = OrganisationKey.objects.filter(key_id=key_id, purpose="issue").select_related("organisation").first()
    if key is None or key.organisation is None:
        raise BrokenInput(f"no organisation has a key {key_id[:200]!r}", hint="write it as a proof names it")
    organisation = hold(key.organisation)
    key = hold(key)
    if key.retired_at is not None:
        raise NotAllowed(f"{key_id} is retired already.")
    if not organisation.keys.filter(purpose="issue", retired_at=None).exclude(pk=key.pk).exists():
        raise NotAllowed(f"{organisation} would have no key to sign with: make another first.")
    key.retired_at = now
    key.save(update_fields=["retired_at"])
    append_organisation_entry(
        organisation=organisation, kind="key", statement={"action": "retire", "keyId": key.key_id}, now=now
    )
    if published_path := did_path(organisation):
        publish_after_commit(published_path)
    note_event(verb="retire_key", organisation=organisation, subject=key.key_id, actor=None, now=now)
    return key


@verb
def add_learner(*, id: UUID, name: str, email: str, now: datetime) -> Learner:
    """The learner exists, with or without ever opening an account."""
    _check_fields(Learner(id=id, name=name, email=email.strip()), "name", "email")
    email = email.strip().lower()
    if not name.strip():
        raise BrokenInput("the name is empty", where=email, hint="write it as it should stand on the certificate")
    learner, _ = Learner.objects.get_or_create(email=email, defaults={"id": id, "name": name, "created_at": now})
    return learner


@verb
def keep_language(*, person: Person, language: str) -> None:
    """E-mails to the person come in this language from now on, and their next browser begins with it."""
    Person.objects.filter(pk=person.pk).update(language=language)


def still_here(learner: Learner) -> Learner:
    """The learner, held; NotAllowed for one who was erased. First of what a verb holds."""
    learner = hold(learner)
    if learner.erased_at is not None:
        raise NotAllowed("This learner was erased, and nothing new is recorded about somebody who was.")
    return learner


def _check_fields(row: Model, *names: str) -> None:
    """The values of these fields fit their columns; BrokenInput names the first that does not."""
    try:
        row.clean_fields(exclude={field.name for field in row._meta.get_fields()} - set(names))
    except ValidationError as problem:
        field, says = next(iter(problem.message_dict.items()))
        raise BrokenInput(" ".join(says).rstrip("."), where=field) from problem


@verb
def give_consent(*, learner: Learner, purpose: str, now: datetime) -> Consent:
    """The learner agrees to `purpose` from `now`; agreeing again changes nothing."""
    if purpose not in Consent.Purpose.values:
        raise BrokenInput(f"purpose {purpose!r} is not known", hint=f"one of {', '.join(Consent.Purpose.values)}")
    still_here(learner)
    consent, made = Consent.objects.get_or_create(
        learner=learner, purpose=purpose, withdrawn_at=None, defaults={"granted_at": now}
    )
    if made:
        note_event(verb="give_consent", subject=str(learner.id), actor=None, now=now, purpose=purpose)
    return consent


@verb
def withdraw_consent(*, learner: Learner, purpose: str, now: datetime) -> None:
    """The learner is no longer matched, or their outcomes no longer counted, from `now`."""
    changed = Consent.objects.filter(learner=learner, purpose=purpose, withdrawn_at=None).update(withdrawn_at=now)
    if not changed:
        raise NotAllowed(f"{learner} has no consent to {purpose} that could be withdrawn.")
    note_event(verb="withdraw_consent", subject=str(learner.id), actor=None, now=now, purpose=purpose)


INVITATION_DAYS = 14
_DOMAIN = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}")


@verb
def found_organisation(
    *, id: UUID, name: str, slug: str, kind: str, country: str, entropy: bytes, actor: Person, now: datetime
) -> Organisation:
    """The organisation exists with its first key, and `actor` is its administrator; of a partner, one who signs too.

    What it says of itself is its own word until somebody has looked: `facts["checked"]` is False.
    """
    organisation = register_organisation(
        id=id,
        slug=slug,
        name=name,
        kind=kind,
        did=default_did(kind, slug),
        country=country,
        facts={"checked": False},
        now=now,
    )
    roles = [Membership.Role.ADMIN]
    if kind == Organisation.Kind.PARTNER:  # whoever comes alone for a company can sign and hire at once
        roles.append(Membership.Role.PARTNER)
    for role in roles:
        Membership.objects.create(person=actor, organisation=organisation, role=role)
    create_key(organisation=organisation, entropy=entropy, now=now)
    return organisation


def domain_proof_url(domain: str) -> str:
    """Where an organisation shows that a domain is its own: a text file that holds its identifier on a line."""
    return f"https://{domain}/.well-known/guildmark.txt"


@verb
def prove_domain(
    *, organisation: Organisation, domain: str, fetcher: Fetcher, actor: Person, now: datetime
) -> Organisation:
    """The organisation is checked, since the domain says so; NotAllowed while the domain does not.

    OutsideFailure if the domain cannot be reached. What it shows: whoever runs the domain runs this organisation.
    """
    domain = domain.strip().lower().removeprefix("https://").rstrip("/")
    if not _DOMAIN.fullmatch(domain):
        raise BrokenInput(f"{domain!r} is not a domain", where="domain", hint="write it like harbour.example")
    lines = fetcher.fetch(domain_proof_url(domain)).body[:10_000].decode("utf-8", "replace").splitlines()
    if organisation.did not in (line.strip() for line in lines):
        raise NotAllowed(f"{domain_proof_url(domain)} does not hold the line {organisation.did}.")
    return _checked(organisation, how=f"domain {domain}", by=str(actor), facts={"domain": domain}, actor=actor, now=now)


@verb
def confirm_organisation(*, organisation: Organisation, how: str, by: str, now: datetime) -> Organisation:
    """A named person has looked, in a register or by a call back, and stands for it that it is who it says."""
    if not how.strip() or not by.strip():
        raise BrokenInput("say who looked, and how", where=organisation.slug, hint="name the register and its number")
    return _checked(organisation, how=how.strip(), by=by.strip(), facts={}, actor=None, now=now)


def _checked(
    organisation: Organisation, *, how: str, by: str, facts: dict[str, Any], actor: Person | None, now: datetime
) -> Organisation:
    organisation = Organisation.objects.select_for_update().get(pk=organisation.pk)
    organisation.facts = {
        **organisation.facts,
        **facts,
        "checked": {"how": how, "by": by, "on": now.date().isoformat()},
    }
    organisation.save(update_fields=["facts"])
    note_event(
        verb="check_organisation",
        organisation=organisation,
        subject=organisation.slug,
        actor=actor,
        now=now,
        how=how,
        by=by,
    )
    return organisation


def require_checked(organisation: Organisation) -> None:
    """NotAllowed for an organisation that registered itself and that nobody has checked: it speaks for no one yet."""
    if organisation.facts.get("checked") is False:
        raise NotAllowed(f"{organisation} has not been checked yet: prove its domain, or ask the operator.")


@verb
def state_standing(
    *, organisation: Organisation, regulated: bool, register: str, agency: str, actor: Person, now: datetime
) -> Organisation:
    """Rulebooks see whether a regulator has the provider on its register, as the provider itself says it.

    It is the organisation's own word, on record with who gave it; that it is true is what a register's number shows.
    """
    register, agency = register.strip(), agency.strip()
    if regulated and not register:
        raise BrokenInput("say which register", where="register", hint="name the regulator and its register")
    organisation = hold(organisation)
    said = {"regulated": regulated, "register": register, "qa_agency": agency}
    organisation.facts = {**organisation.facts, **said}
    organisation.save(update_fields=["facts"])
    note_event(
        verb="state_standing", organisation=organisation, subject=organisation.slug, actor=actor, now=now, **said
    )
    return organisation


@verb
def invite(
    *, id: UUID, organisation: Organisation, email: str, role: str, entropy: bytes, actor: Person, now: datetime
) -> Invitation:
    """A link that gives this role lies in the outbox for `email`; it works once, within two weeks."""
    if role not in Membership.Role.values:
        raise BrokenInput(f"role {role!r} is not known", hint=f"one of {', '.join(Membership.Role.values)}")
    token = entropy.hex()
    row = Invitation.objects.create(
        id=id,
        organisation=organisation,
        email=email.strip().lower(),
        role=role,
        token_sha256=hashlib.sha256(token.encode()).hexdigest(),
        invited_by=actor,
        invited_at=now,
        expires_at=now + timedelta(days=INVITATION_DAYS),
    )
    with in_language_of(row.email, otherwise=get_language() or ""):  # colleagues mostly share a language
        words = {
            "actor": actor,
            "name": organisation.name,
            "role": Membership.Role(role).label,
            "link": f"{settings.BASE_URL}/invitation/{token}",
            "date": date_format(row.expires_at),
        }
        subject = gettext("%(name)s invites you") % words
        body = (
            gettext(
                "%(actor)s invites you to act for %(name)s. Your role: %(role)s.\n\n"
                "Open this link and sign in with this e-mail address:\n%(link)s\n\n"
                "It works once, until %(date)s. If you did not expect it, do nothing.\n"
            )
            % words
        )
    post(to=row.email, subject=subject, body=body, now=now)
    note_event(
        verb="invite",
        organisation=organisation,
        subject=organisation.slug,
        actor=actor,
        now=now,
        role=role,
        invitation=str(id),
    )
    return row


@verb
def accept_invitation(*, invitation: Invitation, actor: Person, now: datetime) -> Membership:
    """`actor`, who holds the link of the mail, has the role; NotAllowed as `_take_role` says."""
    return _take_role(invitation, actor, [actor.email.strip().lower()], now)


@verb
def accept_own_invitation(
    *, invitation: Invitation, confirmed: Collection[str], actor: Person, now: datetime
) -> Membership:
    """`actor`, who has shown that the addresses in `confirmed` are theirs, has the role without the link of the mail.

    A confirmed address shows what the link would show: that its mail is read by this person.
    """
    return _take_role(invitation, actor, confirmed, now)


def _take_role(invitation: Invitation, actor: Person, addresses: Collection[str], now: datetime) -> Membership:
    """NotAllowed for other e-mail addresses than the invited one, or once the invitation is used or over."""
    invitation = Invitation.objects.select_for_update().get(pk=invitation.pk)
    if invitation.accepted_at or invitation.withdrawn_at or invitation.expires_at <= now:
        raise NotAllowed("This invitation is used or over; ask for a new one.")
    if invitation.email not in addresses:
        raise NotAllowed("This invitation is for another e-mail address; sign in with the one it was sent to.")
    invitation.accepted_at = now
    invitation.save(update_fields=["accepted_at"])
    membership, _ = Membership.objects.get_or_create(
        person=actor, organisation=invitation.organisation, role=invitation.role
    )
    note_event(
        verb="accept_invitation",
        organisation=invitation.organisation,
        subject=invitation.organisation.slug,
        actor=actor,
        now=now,
        role=invitation.role,
        invitation=str(invitation.id),
    )
    return membership


@verb
def end_membership(*, membership: Membership, actor: Person, now: datetime) -> None:
    """The person no longer has this role; NotAllowed for the last administrator, who would lock everybody out."""
    Organisation.objects.select_for_update().get(pk=membership.organisation_id)
    admins = Membership.objects.filter(organisation=membership.organisation, role=Membership.Role.ADMIN)
    if membership.role == Membership.Role.ADMIN and admins.count() == 1:
        raise NotAllowed("An organisation needs an administrator: give somebody else that role first.")
    facts = {"role": membership.role, "person": str(membership.person_id)}
    slug = membership.organisation.slug
    membership.delete()
    note_event(verb="end_membership", organisation=membership.organisation, subject=slug, actor=actor, now=now, **facts)


@verb
def link_learner(*, person: Person, email: str, now: datetime) -> Learner | None:
    """What was awarded to this e-mail address is the person's, once they have shown that it is theirs."""
    learner = Learner.objects.filter(email=email.strip().lower(), person=None).first()
    if learner is None or Learner.objects.filter(person=person).exists():
        return None
    learner.person = person
    learner.save(update_fields=["person"])
    note_event(verb="link_learner", subject=str(learner.id), actor=person, now=now)
    return learner
