"""Reads of an industry partner: maps it was asked to sign, what it signed, ads, rankings and what came of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Prefetch, Q, QuerySet

from guildmark.app.queries.design import blueprint_value
from guildmark.app.records import (
    Award,
    BlueprintVersion,
    CoDesign,
    Consent,
    Destination,
    Endorsement,
    JobAd,
    Learner,
    MatchDecision,
    MatchRun,
    Mention,
    Organisation,
    SkillFramework,
)
from guildmark.core.codecs import parse_json
from guildmark.core.errors import BrokenInput
from guildmark.credential.endorsement import read_endorsement
from guildmark.design.blueprint import Blueprint
from guildmark.design.codesign import map_changes, map_digest, map_document

# -- maps ----------------------------------------------------------------------------------------------------------

STANDS, VOID, REPLACED, WITHDRAWN = "stands", "void", "replaced", "withdrawn"


@dataclass(frozen=True, slots=True)
class Signed:
    """One signature of the partner and how it stands to the present map; `changes` say why it is void."""

    row: Endorsement
    state: str
    claim: str
    about: tuple[str, ...]
    changes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MapLine:
    """One map that the partner was asked to sign, or has signed: `wanted` while it could and should be signed."""

    version: BlueprintVersion
    asked_at: datetime | None
    signed: tuple[Signed, ...]
    declined_at: datetime | None = None
    declined_because: str = ""

    @property
    def standing(self) -> tuple[Signed, ...]:
        return tuple(s for s in self.signed if s.state == STANDS)

    @property
    def void(self) -> bool:
        """Whether something that was signed no longer stands, and nothing took its place."""
        return any(s.state == VOID for s in self.signed)

    @property
    def may_be_signed(self) -> bool:
        """The provider asked, it is still a draft, and the whole map has no standing signature of this partner."""
        whole = any(not s.about for s in self.standing)
        return self.asked_at is not None and self.version.state == BlueprintVersion.State.DRAFT and not whole

    @property
    def wanted(self) -> bool:
        return self.may_be_signed and not self.standing and self.declined_at is None


def maps_of(partner: Organisation) -> list[MapLine]:
    """Every map that the partner was asked to sign or has signed, what waits first. Three statements."""
    lines = [map_line(row) for row in _maps(partner).order_by("-created_at", "id")]
    return sorted(lines, key=lambda line: not line.wanted)


def map_of(partner: Organisation, id: Any) -> MapLine | None:
    """The one map, or None if the partner has nothing to do with it."""
    row = _maps(partner).filter(pk=id).first()
    return None if row is None else map_line(row)


def _maps(partner: Organisation) -> QuerySet[BlueprintVersion]:
    theirs = Q(pk__in=CoDesign.objects.filter(partner=partner).values("blueprint_version"))
    theirs |= Q(pk__in=Endorsement.objects.filter(partner=partner).values("blueprint_version"))
    return (
        BlueprintVersion.objects.filter(theirs)
        .select_related("provider")
        .prefetch_related(
            Prefetch("co_designs", CoDesign.objects.filter(partner=partner)),
            Prefetch("endorsements", Endorsement.objects.filter(partner=partner).order_by("signed_at", "id")),
        )
    )


def map_line(version: BlueprintVersion) -> MapLine:
    """The line of a version whose co-designs and endorsements were fetched for one partner."""
    blueprint = blueprint_value(version)
    rows = list(version.endorsements.all())
    standing = [row for row in rows if row.withdrawn_at is None and _digest(blueprint, row) == row.map_digest]
    asked = next(iter(version.co_designs.all()), None)
    return MapLine(
        version=version,
        asked_at=asked.asked_at if asked is not None else None,
        signed=tuple(_signed(blueprint, row, standing) for row in rows),
        declined_at=asked.declined_at if asked is not None else None,
        declined_because=asked.declined_because if asked is not None else "",
    )


def _signed(blueprint: Blueprint, row: Endorsement, standing: list[Endorsement]) -> Signed:
    said = read_endorsement(row.document)
    about = () if isinstance(said.scope, str) else said.scope
    if row.withdrawn_at is not None:
        return Signed(row, WITHDRAWN, said.claim, about)
    if row in standing:
        return Signed(row, STANDS, said.claim, about)
    if any(later.signed_at >= row.signed_at for later in standing):
        return Signed(row, REPLACED, said.claim, about)
    return Signed(row, VOID, said.claim, about, _changes(blueprint, row))


def _scope(row: Endorsement) -> str | tuple[str, ...]:
    return row.scope if isinstance(row.scope, str) else tuple(row.scope)


def _digest(blueprint: Blueprint, row: Endorsement) -> str | None:
    try:
        return map_digest(blueprint, _scope(row))
    except BrokenInput:  # an outcome in scope is gone
        return None


def _changes(blueprint: Blueprint, row: Endorsement) -> tuple[str, ...]:
    """How the map differs from the one that was signed; nothing if what was signed was not kept."""
    if not row.signed_map:
        return ()
    known = {o.id for o in blueprint.outcomes}
    scope = row.scope if isinstance(row.scope, str) else tuple(o for o in row.scope if o in known)
    if not scope:
        present: Mapping[str, Any] = {"tasks": [], "outcomes": [], "assessments": [], "edges": []}
    else:
        present = map_document(blueprint, scope)
    return map_changes(parse_json(row.signed_map), present)


# -- job ads -------------------------------------------------------------------------------------------------------


def find_ads(words: str) -> QuerySet[JobAd]:
    """Ads in which every word stands (title, employer, place or text), the latest first; how many skills in each."""
    found = JobAd.objects.annotate(skills=Count("mentions__skill_uri", distinct=True))
    for word in words.split()[:10]:
        found = found.filter(
            Q(title__icontains=word) | Q(employer__icontains=word) | Q(place__icontains=word) | Q(text__icontains=word)
        )
    return found.order_by("-ingested_at", "title", "id")


def skills_of(ad: JobAd) -> list[dict[str, str]]:
    """The skills that were found in the ad, each once, with the first words that show it. One statement."""
    found: dict[str, dict[str, str]] = {}
    for row in Mention.objects.filter(ad=ad).order_by("start", "skill_uri"):
        found.setdefault(row.skill_uri, {"label": row.label, "words": row.words})
    return list(found.values())


def frameworks() -> QuerySet[SkillFramework]:
    """What a ranking can be made with: the largest first, since it finds most."""
    return SkillFramework.objects.annotate(size=Count("skills")).order_by("-size", "id")


# -- rankings ------------------------------------------------------------------------------------------------------


def rankings_of(partner: Organisation) -> QuerySet[MatchRun]:
    """The partner's rankings, the latest first, with how many decisions were made on each."""
    return (
        MatchRun.objects.filter(employer=partner)
        .select_related("ad", "by")
        .annotate(decided=Count("decisions"))
        .order_by("-at", "id")
    )


@dataclass(frozen=True, slots=True)
class Told:
    """An outcome that this employer has recorded for one award."""

    title: str
    kind: str
    rating: int | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Candidate:
    """One person of a ranking, by number; `name` only once they were invited.

    Whoever has withdrawn their consent is `gone`: a number, and nothing else.
    """

    number: int
    learner: Learner | None
    gone: bool
    name: str = ""
    percent: int = 0
    reasons: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    closes: tuple[str, ...] = ()
    decisions: tuple[MatchDecision, ...] = ()
    told: tuple[Told, ...] = ()
    awards: tuple[Award, ...] = ()
    agreed_to_outcomes: bool = False

    @property
    def invited(self) -> bool:
        return bool(self.name)


def candidates_of(run: MatchRun) -> list[Candidate]:
    """The people of a ranking in its order, as the employer may see them now. Five statements, however many."""
    ids = [match["person_id"] for match in run.matches]
    learners = {str(row.id): row for row in Learner.objects.filter(pk__in=ids)}
    consents: dict[str, set[str]] = {}
    for row in Consent.objects.filter(learner__in=ids, withdrawn_at=None):
        consents.setdefault(str(row.learner_id), set()).add(row.purpose)
    decisions: dict[str, list[MatchDecision]] = {}
    for decision in MatchDecision.objects.filter(run=run).select_related("by").order_by("at", "id"):
        decisions.setdefault(str(decision.learner_id), []).append(decision)
    awards: dict[str, list[Award]] = {}
    for award in Award.objects.filter(learner__in=ids, kind="badge").order_by("title", "id"):
        awards.setdefault(str(award.learner_id), []).append(award)
    told: dict[str, list[Destination]] = {}
    mine = Destination.objects.filter(award__learner__in=ids, employer=run.employer_id, consent__withdrawn_at=None)
    for row in mine.select_related("award").order_by("at", "id"):
        told.setdefault(str(row.award.learner_id), []).append(row)
    found = []
    for number, match in enumerate(run.matches, 1):
        id = match["person_id"]
        agreed = consents.get(id, set())
        learner = learners.get(id)
        if learner is None or Consent.Purpose.MATCHING not in agreed:
            found.append(Candidate(number, learner, gone=True))
            continue
        decided = tuple(decisions.get(id, ()))
        invited = any(d.decision == "invite" for d in decided)
        shown_by = {reason["credential_id"] for reason in match["reasons"]}
        known = tuple(Told(t.award.title, t.kind, t.rating, t.at) for t in told.get(id, ()))
        already = {t.award_id for t in told.get(id, ())}
        found.append(
            Candidate(
                number=number,
                learner=learner,
                gone=False,
                name=learner.name if invited else "",
                percent=round(100 * match["score"]),
                reasons=tuple(reason["says"] for reason in match["reasons"]),
                missing=tuple(skill["label"] for skill in match["missing"]),
                closes=tuple(f"{c['title']}: {', '.join(c['labels'])}" for c in match["closes"]),
                decisions=decided,
                told=known if invited else (),
                awards=tuple(a for a in awards.get(id, ()) if a.credential_id in shown_by and a.id not in already),
                agreed_to_outcomes=Consent.Purpose.OUTCOMES in agreed,
            )
        )
    return found
