"""Reads about organisations, people and awards by the names that commands use; each says what is missing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar
from uuid import UUID

from django.db.models import Model

from guildmark.app.records import (
    Award,
    BlueprintVersion,
    Decision,
    DemandSnapshot,
    Endorsement,
    Enrolment,
    JobAd,
    Learner,
    MatchRun,
    Offering,
    Organisation,
    Person,
    StackRule,
    Submission,
)
from guildmark.core.errors import BrokenInput
from guildmark.credential.open_badge import IssuerProfile

M = TypeVar("M", bound=Model)


def _one(model: type[M], what: str, wanted: str, **filters: Any) -> M:
    found = model.objects.filter(**filters).first()
    if found is None:
        raise BrokenInput(f"there is no {what} {wanted!r}", hint="check the name, or make it first")
    return found


def _by_uuid(model: type[M], what: str) -> Callable[[str], M]:
    def find(text: str) -> M:
        try:
            key = UUID(text.removeprefix("urn:uuid:"))
        except ValueError as problem:
            raise BrokenInput(f"{text!r} is not an id of a {what}", hint="it looks like 123e4567-e89b-...") from problem
        return _one(model, what, text, pk=key)

    return find


offering = _by_uuid(Offering, "offering")
enrolment = _by_uuid(Enrolment, "enrolment")
submission = _by_uuid(Submission, "submission")
award = _by_uuid(Award, "award")
blueprint_version = _by_uuid(BlueprintVersion, "blueprint version")
decision = _by_uuid(Decision, "decision")
endorsement = _by_uuid(Endorsement, "endorsement")
demand_snapshot = _by_uuid(DemandSnapshot, "demand snapshot")
match_run = _by_uuid(MatchRun, "match run")


def organisation(slug: str) -> Organisation:
    return _one(Organisation, "organisation", slug, slug=slug)


def job_ad(id: str) -> JobAd:
    return _one(JobAd, "job ad", id, pk=id)


def stack_rule(id: str) -> StackRule:
    return _one(StackRule, "stack rule", id, pk=id)


def person(username: str) -> Person:
    return _one(Person, "person", username, username=username)


def learner(name: str) -> Learner:
    """By e-mail address, or by the id that rankings show instead of one."""
    if "@" in name:
        return _one(Learner, "learner", name, email=name.strip().lower())
    return _by_uuid(Learner, "learner")(name)


def issuer_profile(row: Organisation) -> IssuerProfile:
    """The organisation as it stands in credentials."""
    return IssuerProfile(id=row.did, name=row.name, url=row.url or "", country=row.country)
