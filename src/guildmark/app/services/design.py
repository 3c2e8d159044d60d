"""What is promised: blueprints are drafted, endorsed by industry partners, judged, gated and published."""

from __future__ import annotations

import dataclasses
import hashlib
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.utils.translation import gettext

from guildmark.app.queries.design import blueprint_value, elements_of, gate_inputs, live_endorsements
from guildmark.app.queries.organisations import issuer_profile
from guildmark.app.queries.published import blueprint_paths
from guildmark.app.records import (
    BlueprintVersion,
    CoDesign,
    Comment,
    DemandSnapshot,
    Endorsement,
    GateResult,
    Judgement,
    Organisation,
    Person,
)
from guildmark.app.services.events import note_event
from guildmark.app.services.keys import signer_for
from guildmark.app.services.ledger import append_organisation_entry
from guildmark.app.services.mail import in_language_of, post
from guildmark.app.services.people import require_checked
from guildmark.app.services.publish import publish_after_commit
from guildmark.app.services.verbs import fits, hold, verb
from guildmark.core.codecs import jcs
from guildmark.core.errors import BrokenInput, NotAllowed
from guildmark.core.report import Report, Verdict
from guildmark.credential.endorsement import endorsement_document
from guildmark.credential.proof import sign_document
from guildmark.design import gate as gate_room
from guildmark.design.blueprint import Blueprint, blueprint_digest, read_blueprint
from guildmark.design.codesign import map_document
from guildmark.skills.demand import FrozenDemand


@verb
def draft_blueprint(
    *, id: UUID, document: bytes, provider: Organisation, demand: DemandSnapshot | None, actor: Person, now: datetime
) -> BlueprintVersion:
    """The blueprint in `document` is a draft of the provider, the demand behind it frozen in.

    A blueprint that is known already becomes its next version; the content decides, not the number in the document.
    """
    blueprint = read_blueprint(document, "blueprint")
    fits(BlueprintVersion, title=blueprint.title, blueprint_id=blueprint.id)
    if blueprint.provider_id != provider.did:
        raise BrokenInput(
            f"provider_id is {blueprint.provider_id}", where="blueprint.provider_id", hint=f"write {provider.did}"
        )
    hold(provider)
    last = BlueprintVersion.objects.filter(blueprint_id=blueprint.id).order_by("-version").first()
    if last is not None and last.provider_id != provider.id:
        raise NotAllowed(f"{blueprint.title} belongs to another provider.")
    version = 1 if last is None else last.version + 1
    blueprint = dataclasses.replace(
        blueprint,
        version=version,
        demand=FrozenDemand.from_json(demand.frozen) if demand is not None else blueprint.demand,
    )
    row = BlueprintVersion.objects.create(
        id=id,
        blueprint_id=blueprint.id,
        version=version,
        provider=provider,
        title=blueprint.title,
        document=blueprint.to_json(),
        digest=blueprint_digest(blueprint),
        created_at=now,
        created_by=actor,
    )
    note_event(verb="draft_blueprint", organisation=provider, subject=str(row), actor=actor, now=now, digest=row.digest)
    return row


@verb
def revise_draft(*, version: BlueprintVersion, document: bytes, actor: Person, now: datetime) -> BlueprintVersion:
    """The draft has this content; signatures over a map that changed are void, and judgements are asked again."""
    version = hold(version)
    if version.state != BlueprintVersion.State.DRAFT:
        raise NotAllowed(f"{version} is {version.state}: draft a new version instead.")
    old = blueprint_value(version)
    new = dataclasses.replace(
        read_blueprint(document, "blueprint"), version=version.version, demand=old.demand, provider_id=old.provider_id
    )
    if new.id != old.id:
        raise BrokenInput("this is another blueprint", where="blueprint.id", hint=f"write {old.id}")
    fits(BlueprintVersion, title=new.title)
    version.document, version.digest, version.title = new.to_json(), blueprint_digest(new), new.title
    version.save(update_fields=["document", "digest", "title"])
    publish_after_commit(*blueprint_paths(version))  # who signed the map can see that it changed
    note_event(
        verb="revise_draft",
        organisation=version.provider,
        subject=str(version),
        actor=actor,
        now=now,
        digest=version.digest,
    )
    return version


@verb
def endorse(
    *,
    id: UUID,
    version: BlueprintVersion,
    partner: Organisation,
    scope: tuple[str, ...] | str,
    claim: str,
    valid_until: datetime | None,
    actor: Person,
    now: datetime,
) -> Endorsement:
    """The partner has signed the map with its own key, as an Open Badges 3.0 EndorsementCredential."""
    require_checked(partner)
    blueprint = blueprint_value(version)
    signed_map = jcs(map_document(blueprint, scope))
    digest = hashlib.sha256(signed_map).hexdigest()
    document = endorsement_document(
        id=f"urn:uuid:{id}",
        partner=issuer_profile(partner),
        target_id=achievement_url(blueprint),
        blueprint=blueprint,
        scope=scope,
        digest=digest,
        claim=claim,
        valid_from=now,
        valid_until=valid_until,
        map_url=map_url(blueprint),
    )
    signed = sign_document(document, signer_for(partner), created=now)
    row = Endorsement.objects.create(
        id=id,
        blueprint_version=version,
        partner=partner,
        credential_id=signed["id"],
        scope=list(scope) if isinstance(scope, tuple) else scope,
        map_digest=digest,
        signed_map=signed_map,
        document=jcs(signed),
        signed_at=now,
    )
    append_organisation_entry(
        organisation=partner,
        kind="endorse",
        statement={"endorsed": achievement_url(blueprint), "mapSha256": digest, "credential": signed["id"]},
        now=now,
    )
    publish_after_commit(*blueprint_paths(version))
    note_event(
        verb="endorse",
        organisation=partner,
        other=version.provider,
        subject=str(version),
        actor=actor,
        now=now,
        about=row,
        partner=partner.slug,
        digest=digest,
    )
    return row


@verb
def ask_partner(*, version: BlueprintVersion, partner: Organisation, actor: Person, now: datetime) -> CoDesign:
    """The partner may read this draft and sign its map, and its people are told; asking twice changes nothing.

    One who has declined is asked anew, and the earlier answer stays in the trail.
    """
    if version.state != BlueprintVersion.State.DRAFT:
        raise NotAllowed(f"{version} is {version.state}: partners are asked while it is a draft.")
    if partner.kind != Organisation.Kind.PARTNER:
        raise NotAllowed(f"{partner} is no industry partner.")
    row, made = CoDesign.objects.get_or_create(
        blueprint_version=version, partner=partner, defaults={"asked_by": actor, "asked_at": now}
    )
    again = not made and row.declined_at is not None
    if again:
        row.asked_by, row.asked_at = actor, now
        row.declined_at, row.declined_by, row.declined_because = None, None, ""
        row.save(update_fields=["asked_by", "asked_at", "declined_at", "declined_by", "declined_because"])
    if made or again:
        for membership in partner.memberships.filter(role="partner").select_related("person"):
            words = {
                "actor": actor,
                "provider": version.provider.name,
                "partner": partner.name,
                "title": version.title,
                "link": f"{settings.BASE_URL}/o/{partner.slug}/maps",
            }
            with in_language_of(membership.person.email):
                subject = gettext("%(provider)s asks you to sign “%(title)s”") % words
                body = (
                    gettext(
                        "%(actor)s of %(provider)s asks %(partner)s whether the tasks, outcomes and assessments of "
                        "“%(title)s” are those that you hire for.\n\nRead the map, and sign it or not:\n%(link)s\n"
                    )
                    % words
                )
            post(to=membership.person.email, subject=subject, body=body, now=now)
        note_event(
            verb="ask_partner",
            organisation=version.provider,
            other=partner,
            subject=str(version),
            actor=actor,
            now=now,
            partner=partner.slug,
        )
    return row


@verb
def decline_to_sign(
    *, version: BlueprintVersion, partner: Organisation, reason: str, actor: Person, now: datetime
) -> CoDesign:
    """The partner has said that it will not sign this draft, and why; the provider reads it beside the signatures.

    NotAllowed if it was not asked, has declined already, or the map is no draft any more. It may still sign later.
    """
    row = CoDesign.objects.filter(blueprint_version=version, partner=partner).first()
    if row is None:
        raise NotAllowed(f"{partner} was not asked to sign {version}.")
    row = hold(row)
    _draft_only(version)
    if not reason.strip():
        raise BrokenInput("declining needs a reason", where="reason", hint="say in a sentence what stands in the way")
    if row.declined_at is not None:
        raise NotAllowed(f"{partner} has declined already.")
    row.declined_at, row.declined_by, row.declined_because = now, actor, reason.strip()
    row.save(update_fields=["declined_at", "declined_by", "declined_because"])
    post(
        to=row.asked_by.email,
        subject=f"{partner.name} does not sign “{version.title}”",
        body=(
            f"{actor} of {partner.name} says why:\n\n{row.declined_because}\n\n"
            f"{settings.BASE_URL}/o/{version.provider.slug}/blueprints/{version.id}\n"
        ),
        now=now,
    )
    note_event(
        verb="decline_to_sign",
        subject=str(version),
        actor=actor,
        now=now,
        organisation=partner,
        other=version.provider,
        partner=partner.slug,
    )
    return row


@verb
def comment(
    *,
    id: UUID,
    version: BlueprintVersion,
    partner: Organisation,
    element: str,
    text: str,
    organisation: Organisation,
    actor: Person,
    now: datetime,
) -> Comment:
    """The partner who was asked, or the provider in answer, has said this about an element of a draft, or the whole.

    Only these two read it. NotAllowed for anybody else, and once the version is no draft.
    """
    if not CoDesign.objects.filter(blueprint_version=version, partner=partner).exists():
        raise NotAllowed(f"{partner} was not asked about {version}, so there is nothing to talk about here.")
    if organisation.pk not in (partner.pk, version.provider_id):
        raise NotAllowed(f"{organisation} takes no part in the design of {version}.")
    _draft_only(version)
    if element not in elements_of(blueprint_value(version)):
        raise BrokenInput(
            f"the draft has no element {element[:60]!r}", where="element", hint="choose one from the list"
        )
    if not text.strip():
        raise BrokenInput("a comment needs words", where="text", hint="write what you mean")
    row = Comment.objects.create(
        id=id,
        blueprint_version=version,
        partner=partner,
        element=element,
        text=text.strip(),
        organisation=organisation,
        by=actor,
        at=now,
    )
    other = version.provider if organisation.pk == partner.pk else partner
    note_event(
        verb="comment", subject=str(version), actor=actor, now=now, organisation=organisation, other=other, on=element
    )
    return row


@verb
def withdraw_endorsement(*, endorsement: Endorsement, reason: str, actor: Person, now: datetime) -> Endorsement:
    """The partner no longer vouches for the map: it counts for no gate and goes into no badge from now on.

    Badges that carry it already keep it; they say what the partner signed on that day. NotAllowed if it is withdrawn.
    """
    if not reason.strip():
        raise BrokenInput("a withdrawal needs a reason", hint="say why in a sentence")
    if not Endorsement.objects.filter(pk=endorsement.pk, withdrawn_at=None).update(withdrawn_at=now):
        raise NotAllowed(f"{endorsement.partner} has withdrawn this endorsement already.")
    endorsement.refresh_from_db()
    note_event(
        verb="withdraw_endorsement",
        organisation=endorsement.partner,
        other=endorsement.blueprint_version.provider,
        subject=endorsement.credential_id,
        actor=actor,
        now=now,
        about=endorsement,
        reason=reason.strip(),
    )
    return endorsement


def _draft_only(version: BlueprintVersion) -> None:
    """NotAllowed for a version that is no draft: what was published stands with the gate report of that day."""
    if version.state != BlueprintVersion.State.DRAFT:
        raise NotAllowed(f"{version} is {version.state}: only a draft is reviewed and judged. Draft a new version.")


@verb
def judge(
    *, version: BlueprintVersion, rule_id: str, verdict: Verdict, reason: str, actor: Person, now: datetime
) -> Judgement:
    """A named person has judged one semi or human rule for a draft's present content; a later change asks again."""
    version = hold(version)
    _draft_only(version)
    if not reason.strip():
        raise BrokenInput("a judgement needs a reason", where=rule_id, hint="say why in a sentence")
    known = {rule.id: rule for book in gate_room.builtin_rulebooks().values() for rule in book.rules}
    if rule_id not in known:
        raise BrokenInput("no rulebook has this rule", where=rule_id, hint="see the ids in the gate's report")
    if known[rule_id].grade == "auto":
        raise BrokenInput("this rule is decided from the data alone", where=rule_id, hint="mend the blueprint instead")
    if verdict not in (Verdict.PASS, Verdict.FAIL):
        raise BrokenInput("a judgement is pass or fail", where=rule_id, hint="leave it open instead")
    row = Judgement.objects.create(
        blueprint_version=version,
        blueprint_digest=version.digest,
        rule_id=rule_id,
        verdict=verdict.value,
        by=actor,
        reason=reason,
        at=now,
    )
    note_event(
        verb="judge",
        organisation=version.provider,
        subject=str(version),
        actor=actor,
        now=now,
        rule=rule_id,
        verdict=verdict.value,
    )
    return row


@verb
def submit_for_review(
    *, id: UUID, version: BlueprintVersion, rulebooks: tuple[str, ...], actor: Person, now: datetime
) -> tuple[GateResult, Report]:
    """The quality gate has looked at the present content of a draft, and its report is on record.

    Our own core rules always run, and the rulebooks named beside them; nobody can leave the core rules out.
    """
    version = hold(version)
    _draft_only(version)
    known = gate_room.builtin_rulebooks()
    rulebooks = tuple(dict.fromkeys((gate_room.CORE, *rulebooks)))
    for name in rulebooks:
        if name not in known:
            raise BrokenInput(f"there is no rulebook {name!r}", hint=f"use one of {', '.join(sorted(known))}")
    books = [known[name] for name in rulebooks]
    report = gate_room.gate(blueprint_value(version), books, **gate_inputs(version, now=now), on=now.date())
    row = GateResult.objects.create(
        id=id,
        blueprint_version=version,
        seq=version.gate_results.count() + 1,
        digest=gate_digest(version),
        rulebooks=[[book.id, book.version] for book in books],
        verdict=report.verdict.value,
        report=report.to_json(),
        at=now,
        by=actor,
    )
    note_event(
        verb="submit_for_review",
        organisation=version.provider,
        subject=str(version),
        actor=actor,
        now=now,
        verdict=report.verdict.value,
    )
    return row, report


@verb
def publish_blueprint(*, version: BlueprintVersion, actor: Person, now: datetime) -> BlueprintVersion:
    """The version is published and fixed for ever, and logged; NotAllowed unless the gate passed this very content."""
    version = hold(version)
    if version.state != BlueprintVersion.State.DRAFT:
        raise NotAllowed(f"{version} is {version.state} already.")
    require_checked(version.provider)
    result = version.gate_results.order_by("-seq").first()
    if result is None:
        raise NotAllowed(f"{version} has not been through the quality gate: submit it for review first.")
    if result.digest != gate_digest(version):
        raise NotAllowed(f"{version} or what vouches for it changed after the gate looked: submit it for review again.")
    if result.verdict != Verdict.PASS.value:
        report = Report.from_json(result.report)
        blocking = [f.id for f in (*report.failed(), *report.unknown())]
        raise NotAllowed(f"The quality gate says {result.verdict} to {version}, because of {', '.join(blocking)}.")
    version.state, version.published_at = BlueprintVersion.State.PUBLISHED, now
    version.save(update_fields=["state", "published_at"])
    append_organisation_entry(
        organisation=version.provider,
        kind="achievement",
        statement={"achievement": achievement_url(blueprint_value(version)), "sha256": version.digest},
        now=now,
    )
    publish_after_commit(*blueprint_paths(version))
    note_event(
        verb="publish_blueprint",
        organisation=version.provider,
        subject=str(version),
        actor=actor,
        now=now,
        about=version,
        gate=str(result.id),
    )
    return version


def gate_digest(version: BlueprintVersion) -> str:
    """What a gate result is about: the content, what its provider says of itself, and what vouches for it.

    That the organisation is who it says is no matter of the gate: publishing asks it anew.
    """
    parts = {
        "content": version.digest,
        "provider": {name: fact for name, fact in version.provider.facts.items() if name != "checked"},
        "endorsements": sorted(e.credential_id for e in live_endorsements(version)),
        "judgements": sorted(
            [j.rule_id, j.verdict, str(j.by_id)] for j in version.judgements.filter(blueprint_digest=version.digest)
        ),
    }
    return hashlib.sha256(jcs(parts)).hexdigest()


def achievement_url(blueprint: Blueprint) -> str:
    """Where the achievement of a blueprint version is published; its id in every badge."""
    return f"{settings.BASE_URL}/achievements/{blueprint.id.removeprefix('urn:uuid:')}/{blueprint.version}"


def map_url(blueprint: Blueprint) -> str:
    """Where the task, outcome and assessment map that partners sign is published."""
    return f"{achievement_url(blueprint)}/map"
