"""What is needed, said by those who hire: a need is opened without being asked, answered with a draft, and closed."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from uuid import UUID

from django.conf import settings

from guildmark.app.queries.skills import framework_value
from guildmark.app.records import BlueprintVersion, Need, NeedAnswer, Organisation, Person, SkillFramework
from guildmark.app.services.design import ask_partner
from guildmark.app.services.events import note_event
from guildmark.app.services.mail import post
from guildmark.app.services.people import require_checked
from guildmark.app.services.verbs import fits, hold, verb
from guildmark.core.errors import BrokenInput, NotAllowed
from guildmark.skills.ads import LONGEST_TEXT, JobAd
from guildmark.skills.extract import Extractor

MOST_HIRES = 100_000

BROAD_FIELDS: Collection[str] = [f"{n:02}" for n in range(11)]
"""Broad fields of ISCED-F 2013 (UNESCO Institute for Statistics, 2014): 00 to 10."""


@verb
def open_need(
    *,
    id: UUID,
    partner: Organisation,
    role: str,
    words: str,
    field: str,
    hires: int,
    by_when: date,
    actor: Person,
    now: datetime,
) -> Need:
    """Every provider sees that the partner looks for these people; the skills that its words name are found in them.

    NotAllowed for a partner whom nobody has checked. BrokenInput for a need that says too little to be answered.
    """
    require_checked(partner)
    if partner.kind != Organisation.Kind.PARTNER:
        raise NotAllowed(f"{partner} is no industry partner.")
    role, words = role.strip(), words.strip()
    if not role:
        raise BrokenInput("a need is for a role", where="role", hint="name the job")
    if not words:
        raise BrokenInput("a need says what people have to be able to do", where="words", hint="or paste a job ad")
    if len(words) > LONGEST_TEXT:
        raise BrokenInput(f"has {len(words):,} characters", where="words", hint=f"at most {LONGEST_TEXT:,} are read")
    if field and field not in BROAD_FIELDS:
        raise BrokenInput(f"there is no broad field {field!r}", where="field", hint="choose one of 00 to 10")
    if not 1 <= hires <= MOST_HIRES:
        raise BrokenInput(f"{hires} hires is no number to plan for", where="hires", hint=f"1 to {MOST_HIRES:,}")
    if by_when < now.date():
        raise BrokenInput(f"{by_when} is over", where="by_when", hint="choose a day to come")
    fits(Need, role=role)
    row = Need.objects.create(
        id=id,
        partner=partner,
        role=role,
        words=words,
        skills=_skills_in(str(id), role, words),
        field=field,
        hires=hires,
        by_when=by_when,
        opened_by=actor,
        opened_at=now,
    )
    note_event(verb="open_need", subject=role, actor=actor, now=now, organisation=partner, need=str(id), hires=hires)
    return row


def _skills_in(id: str, role: str, words: str) -> list[list[str]]:
    """(URI, label) of each skill that a loaded framework finds in the words, once, in the order of the words."""
    ad = JobAd(id=id, title=role, employer="", text=words, posted=None, place="", source="a need")
    found: dict[str, str] = {}
    for framework in SkillFramework.objects.order_by("id"):
        for mention in Extractor(framework_value(framework)).mentions(ad):
            found.setdefault(mention.skill_uri, mention.label)
    return [[uri, label] for uri, label in found.items()]


@verb
def answer_need(*, need: Need, version: BlueprintVersion, actor: Person, now: datetime) -> NeedAnswer:
    """The provider has answered with this draft: the partner may read it, comment on it and sign it, and is told.

    NotAllowed once the need is closed, or for a version that is no draft. Answering twice with one draft changes
    nothing.
    """
    need = hold(need)
    if need.state == Need.State.CLOSED:
        raise NotAllowed(f"{need.partner} has closed this need.")
    if version.state != BlueprintVersion.State.DRAFT:
        raise NotAllowed(f"{version} is {version.state}: answer with a draft, which both can still shape.")
    row, made = NeedAnswer.objects.get_or_create(
        need=need, blueprint_version=version, defaults={"by": actor, "at": now}
    )
    if made:
        ask_partner(version=version, partner=need.partner, actor=actor, now=now)
        need.state = Need.State.ANSWERED
        need.save(update_fields=["state"])
        post(
            to=need.opened_by.email,
            subject=f"{version.provider.name} answers your need: {need.role}",
            body=(
                f"{actor} of {version.provider.name} answers it with the draft “{version.title}”.\n\n"
                f"{settings.BASE_URL}/o/{need.partner.slug}/needs/{need.id}\n"
            ),
            now=now,
        )
        note_event(
            verb="answer_need",
            subject=str(version),
            actor=actor,
            now=now,
            organisation=version.provider,
            other=need.partner,
            need=str(need.id),
        )
    return row


@verb
def close_need(*, need: Need, reason: str, actor: Person, now: datetime) -> Need:
    """Nobody is asked any more; what was answered stays. NotAllowed if it is closed already."""
    need = hold(need)
    if not reason.strip():
        raise BrokenInput("closing needs a reason", where="reason", hint="say in a sentence what became of it")
    if need.state == Need.State.CLOSED:
        raise NotAllowed("This need is closed already.")
    need.state, need.closed_at, need.closed_because = Need.State.CLOSED, now, reason.strip()
    need.save(update_fields=["state", "closed_at", "closed_because"])
    note_event(verb="close_need", subject=need.role, actor=actor, now=now, organisation=need.partner, need=str(need.id))
    return need
