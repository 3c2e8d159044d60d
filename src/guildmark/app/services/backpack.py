"""What apps bring for a learner: credentials of other issuers, kept as they came, and a profile for other apps."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any
from uuid import UUID

from django.db.models import Sum

from guildmark.app.records import ApiClient, Award, HeldCredential, HolderProfile, Learner, Person
from guildmark.app.services.events import note_event
from guildmark.app.services.verbs import hold, verb
from guildmark.core.codecs import parse_iso, parse_json
from guildmark.core.errors import BrokenInput
from guildmark.credential.envelope import open_token
from guildmark.credential.open_badge import credential_key
from guildmark.credential.signed import issuer_name, listed, plain, words
from guildmark.credential.structure import class_problems, kind_of, structure_problems

LARGEST = 1_000_000
"""Bytes of one credential; a badge with its image in it has a tenth of that."""

LARGEST_PROFILE = 64_000

MOST_HELD = 1_000
MOST_BYTES = 100_000_000
"""Credentials of others that one learner holds, and bytes of all of them."""

_TOKEN = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]+")


class Outcome(Enum):
    """What became of a credential that was brought."""

    CREATED = "created"
    REPLACED = "replaced"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Brought:
    """A credential as an app sent it, and what was read out of it. Nothing of it is verified yet."""

    form: str
    document: bytes
    content: Mapping[str, Any]
    key: tuple[str, str]
    begins_at: datetime

    @property
    def identity(self) -> str:
        """The same for equal credentials (Open Badges 3.0, "Credential equality and comparison algorithm")."""
        return hashlib.sha256("\0".join(self.key).encode()).hexdigest()


def read_json(document: bytes) -> Brought:
    """An Open Badge as signed JSON; BrokenInput if it is not one."""
    content = _parsed(document)
    if not listed(content.get("proof")):
        raise BrokenInput("is not signed: it has no proof", where="credential")
    return _brought(HeldCredential.Form.JSON, document, content)


def read_jws(document: bytes) -> Brought:
    """An Open Badge in a compact JWS; BrokenInput if it is not one. White space around it is left out."""
    try:
        text = document.decode("ascii").strip()
    except UnicodeDecodeError as problem:
        raise BrokenInput("is not a compact JWS", where="credential") from problem
    if len(text) > LARGEST or not _TOKEN.fullmatch(text):
        raise BrokenInput("is not a compact JWS", where="credential")
    return _brought(HeldCredential.Form.JWS, text.encode(), open_token(text).document)


def _parsed(document: bytes, most: int = LARGEST, where: str = "credential") -> Mapping[str, Any]:
    if len(document) > most:
        raise BrokenInput(f"is larger than {most:,} bytes", where=where)
    try:
        text = document.decode("utf-8")
    except UnicodeDecodeError as problem:
        raise BrokenInput("is not UTF-8", where=where) from problem
    content = parse_json(text, where=where)
    if not isinstance(content, Mapping):
        raise BrokenInput("is JSON, but not an object", where=where)
    return content


def _brought(form: str, document: bytes, content: Mapping[str, Any]) -> Brought:
    if kind_of(content) != "OpenBadgeCredential":
        raise BrokenInput("is not an Open Badge of version 3 (OpenBadgeCredential)", where="credential")
    if problems := structure_problems(content):
        raise BrokenInput(f"is not made as Open Badges 3.0 asks: {plain(problems[0], 200)}", where="credential")
    key = credential_key(content)
    if key is None:
        raise BrokenInput("has no id, or its issuer has none", where="credential")
    begins = "validFrom" if "validFrom" in content else "issuanceDate"
    return Brought(form, document, content, key, parse_iso(content.get(begins, ""), where=begins))


@verb
def bring_credential(
    *, id: UUID, learner: Learner, client: ApiClient, brought: Brought, now: datetime
) -> tuple[HeldCredential | None, Outcome]:
    """The learner holds the credential: a new one, or in place of an edition of it that began no later.

    An older edition changes nothing, and one that was awarded here is not taken in a second time: the award is the
    learner's already, and (None, UNCHANGED) says so if it is the same, byte for byte. BrokenInput for another document
    in the name of such an award, and once there is no room.
    """
    learner = hold(learner)
    award = Award.objects.filter(learner=learner, credential_id=brought.content["id"]).first()
    if award is not None and award.issuer.did == brought.key[0]:
        if bytes(award.document) != brought.document:
            raise BrokenInput("was awarded here, and is not what was signed", where="credential")
        return None, Outcome.UNCHANGED
    row = HeldCredential.objects.filter(learner=learner, identity_sha256=brought.identity).first()
    if row is not None and row.begins_at > brought.begins_at:
        return row, Outcome.UNCHANGED
    _has_room(learner, brought, row)
    facts = {
        "form": brought.form,
        "document": brought.document,
        "size": len(brought.document),
        "title": _title(brought.content),
        "issuer_name": plain(issuer_name(brought.content), 300),
        "begins_at": brought.begins_at,
        "client": client,
    }
    if row is None:
        row = HeldCredential.objects.create(
            id=id, learner=learner, identity_sha256=brought.identity, received_at=now, **facts
        )
        outcome = Outcome.CREATED
    else:
        for name, value in facts.items():
            setattr(row, name, value)
        row.replaced_at = now
        row.save()
        outcome = Outcome.REPLACED
    note_event(
        verb="bring_credential", subject=str(row.id), actor=learner.person, now=now, app=client.client_id,
        outcome=outcome.value,
    )  # fmt: skip
    return row, outcome


def _has_room(learner: Learner, brought: Brought, row: HeldCredential | None) -> None:
    others = HeldCredential.objects.filter(learner=learner).exclude(pk=row.pk if row else None)
    size = others.aggregate(size=Sum("size"))["size"] or 0
    if others.count() >= MOST_HELD or size + len(brought.document) > MOST_BYTES:
        raise BrokenInput(
            f"finds no room: {MOST_HELD:,} credentials of {MOST_BYTES // 1_000_000} MB are kept", where="credential"
        )


def _title(content: Mapping[str, Any]) -> str:
    subjects = [s for s in listed(content.get("credentialSubject")) if isinstance(s, Mapping)]
    achievement = subjects[0].get("achievement") if subjects else None
    inner = words(achievement.get("name")) if isinstance(achievement, Mapping) else ""
    return plain(words(content.get("name")) or inner or content["id"], 300)


@verb
def put_away(*, held: HeldCredential, actor: Person, now: datetime) -> None:
    """The learner holds the credential no longer; whoever issued it knows nothing of that."""
    count, _ = HeldCredential.objects.filter(pk=held.pk).delete()
    if count:
        note_event(verb="put_away_credential", subject=str(held.pk), actor=actor, now=now)


@verb
def write_profile(*, learner: Learner, client: ApiClient, document: bytes, now: datetime) -> None:
    """Other apps read this about the learner; the name and address that this site knows are as they were.

    BrokenInput if it is not a Profile of Open Badges 3.0.
    """
    content = _parsed(document, LARGEST_PROFILE, "profile")
    problems = [problem for problem in class_problems(content, "Profile") if not problem.tolerated]
    if problems:
        raise BrokenInput(f"is not a Profile of Open Badges 3.0: {plain(problems[0], 200)}", where="profile")
    HolderProfile.objects.update_or_create(
        learner=hold(learner), defaults={"document": document, "client": client, "written_at": now}
    )
    note_event(verb="write_profile", subject=str(learner.id), actor=learner.person, now=now, app=client.client_id)


@verb
def forget_profile(*, learner: Learner, actor: Person, now: datetime) -> None:
    """Apps read what this site knows again; forgetting it twice changes nothing."""
    count, _ = HolderProfile.objects.filter(learner=learner).delete()
    if count:
        note_event(verb="forget_profile", subject=str(learner.id), actor=actor, now=now)
