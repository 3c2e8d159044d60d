"""Reads for whoever learns: what can be taken now, what one offer promises and counts towards, how far somebody is."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet

from guildmark.app.queries.assess import decision_value
from guildmark.app.queries.design import blueprint_value, live_endorsed
from guildmark.app.queries.pathways import holdings_of
from guildmark.app.queries.published import gate_document
from guildmark.app.records import (
    BlueprintVersion,
    Decision,
    Enrolment,
    GateResult,
    Learner,
    Mark,
    Offering,
    ShareLink,
    StackRule,
    StatusChange,
)
from guildmark.assess.holding import HeldSkill, Holding
from guildmark.core.report import Verdict
from guildmark.credential.endorsement import scoped_map_url
from guildmark.credential.open_badge import decimal_text
from guildmark.design.blueprint import Blueprint
from guildmark.design.codesign import Endorsed, stands
from guildmark.design.gate import builtin_rulebooks
from guildmark.pathways.stack import Gap, StackResult, solve_stack
from guildmark.pathways.stack_rule import StackRule as RuleValue
from guildmark.pathways.stack_rule import months_later, read_stack_rule


def open_on(on: date) -> Q:
    """Offerings in which one can enrol on this day; the last day counts."""
    return Q(opens_on__lte=on) & (Q(closes_on=None) | Q(closes_on__gte=on))


def amount(value: float, unit: str) -> str:
    """So many credits in their unit, as text; "" for none."""
    return f"{decimal_text(value)} {unit}" if value else ""


# -- the catalogue -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Entry:
    """One micro-credential as the catalogue lists it; `words` is what a search looks through."""

    id: UUID
    blueprint_id: str
    title: str
    description: str
    language: str
    provider: str
    provider_slug: str
    provider_did: str
    level: str
    hours: float
    credit: str
    cost: str
    words: str


def catalogue_entries(*, on: date) -> list[Entry]:
    """What is published and open on this day, by title; of several open versions the newest. One statement."""
    rows = (
        BlueprintVersion.objects.filter(state=BlueprintVersion.State.PUBLISHED)
        .filter(Exists(Offering.objects.filter(open_on(on), blueprint_version=OuterRef("pk"))))
        .select_related("provider")
        .order_by("title", "-version", "id")
    )
    newest: dict[str, BlueprintVersion] = {}
    for row in rows:
        known = newest.get(row.blueprint_id)
        if known is None or row.version > known.version:
            newest[row.blueprint_id] = row
    return sorted((_entry(row) for row in newest.values()), key=lambda e: (e.title.casefold(), str(e.id)))


def _entry(row: BlueprintVersion) -> Entry:
    said = row.document
    outcomes = said["outcomes"]
    searched = [row.title, said["description"], said.get("purpose", ""), row.provider.name]
    searched += [o["statement"] for o in outcomes]
    searched += [a["label"] for o in outcomes for a in o["alignments"]]
    return Entry(
        id=row.id,
        blueprint_id=row.blueprint_id,
        title=row.title,
        description=said["description"],
        language=said["language"],
        provider=row.provider.name,
        provider_slug=row.provider.slug,
        provider_did=row.provider.did,
        level=said["level"],
        hours=said["hours"],
        credit=amount(said["credit"]["value"], said["credit"]["unit"]),
        cost=said.get("cost", ""),
        words=" ".join(searched).casefold(),
    )


def search(entries: Iterable[Entry], *, words: str = "", provider: str = "", level: str = "") -> list[Entry]:
    """The entries in which every word stands, of this provider and at this level; whatever is "" does not narrow."""
    wanted = words.casefold().split()
    return [
        entry
        for entry in entries
        if all(word in entry.words for word in wanted)
        and provider in ("", entry.provider_slug)
        and level in ("", entry.level)
    ]


# -- one micro-credential ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Signature:
    """A partner's endorsement that verifies now and stands; `about` are outcomes, () for the whole map."""

    partner: str
    claim: str
    on: datetime
    about: tuple[str, ...]
    map_path: str


@dataclass(frozen=True, slots=True)
class Gate:
    """When the quality gate was passed, under which rulebooks, and where its report is published."""

    on: datetime
    rulebooks: tuple[str, ...]
    path: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Towards:
    """A larger credential to which this one counts, the parts that it can fill, and its credit there, or ""."""

    rule: str
    owner: str
    parts: tuple[str, ...]
    credits: str


@dataclass(frozen=True, slots=True)
class Course:
    """What a published micro-credential promises, for whoever thinks about taking it."""

    version: BlueprintVersion
    plan: Blueprint
    credit: str
    signatures: tuple[Signature, ...]
    gate: Gate | None
    towards: tuple[Towards, ...]
    review_on: date | None
    offerings: tuple[Offering, ...]


def course(version: BlueprintVersion, *, now: datetime) -> Course:
    """Everything the public page tells; endorsements are verified now from their signed bytes."""
    plan, on = blueprint_value(version), now.date()
    review = months_later(version.published_at.date(), plan.review_months) if _reviewed(version, plan) else None
    return Course(
        version=version,
        plan=plan,
        credit=amount(plan.credit.value, plan.credit.unit),
        signatures=tuple(
            _signature(plan, e)
            for e in live_endorsed(version, now=now)
            if e.partner_id != plan.provider_id and stands(plan, e)
        ),
        gate=_gate(version),
        towards=towards_of(version, on=on),
        review_on=review,
        offerings=tuple(version.offerings.filter(Q(closes_on=None) | Q(closes_on__gte=on))),
    )


def _reviewed(version: BlueprintVersion, plan: Blueprint) -> bool:
    return version.published_at is not None and bool(plan.review_months)


def _signature(plan: Blueprint, signed: Endorsed) -> Signature:
    about = () if isinstance(signed.scope, str) else tuple(plan.outcome(id).statement for id in signed.scope)
    whole = f"/achievements/{plan.id.removeprefix('urn:uuid:')}/{plan.version}/map"
    return Signature(signed.partner_name, signed.claim, signed.at, about, scoped_map_url(whole, signed.scope))


def _gate(version: BlueprintVersion) -> Gate | None:
    """The newest pass: the one that badges name, since a published version never changes."""
    row = (
        GateResult.objects.filter(blueprint_version=version, verdict="pass")
        .select_related("blueprint_version")
        .order_by("-seq")
        .first()
    )
    if row is None:
        return None
    known = builtin_rulebooks()
    names = (f"{known[id].title if id in known else id} ({number})" for id, number in row.rulebooks)
    return Gate(row.at, tuple(names), f"/gate/{row.id}", hashlib.sha256(gate_document(row)).hexdigest())


def towards_of(version: BlueprintVersion, *, on: date) -> tuple[Towards, ...]:
    """The rules in force in which a badge of it, assessed on this day, would fill a part. One statement."""
    return tuple(_towards(as_if_held(version, blueprint_value(version), on), on))


def _towards(badge: Holding, on: date) -> Iterable[Towards]:
    for row in StackRule.objects.select_related("owner").order_by("title", "id"):
        rule = read_stack_rule(row.text, where=row.id)
        parts = tuple(group.title for group in rule.groups if group.refuses(badge, on) is None)
        if parts and in_force(rule, on):
            credits = rule.credits(badge)
            yield Towards(rule.title, row.owner.name, parts, amount(float(credits or 0), rule.unit))


def in_force(rule: RuleValue, on: date) -> bool:
    """Whether the rule applies on this day."""
    return rule.effective_from <= on and (rule.effective_to is None or on <= rule.effective_to)


def as_if_held(version: BlueprintVersion, plan: Blueprint, on: date) -> Holding:
    """The badge that somebody would hold who achieved every outcome on this day."""
    skills = {a.uri: HeldSkill(uri=a.uri, label=a.label, level=o.level) for o in plan.outcomes for a in o.alignments}
    return Holding(
        credential_id=f"as-if:{version.id}",
        achievement_id=version.blueprint_id,
        title=plan.title,
        issuer_id=version.provider.did,
        learner_id="",
        skills=tuple(skills.values()),
        credit_value=plan.credit.value,
        credit_unit=plan.credit.unit,
        level=plan.level,
        assessed_on=on,
        valid_until=None,
        status="valid",
        tags=(),
    )


# -- learning ------------------------------------------------------------------------------------------------------


def enrolments_of(learner: Learner) -> QuerySet[Enrolment]:
    """The learner's enrolments, newest first, each with its counts and whether it was decided. One statement."""
    decided = Decision.objects.filter(enrolment=OuterRef("pk"))
    return (
        learner.enrolments.select_related("offering__blueprint_version__provider")
        .annotate(
            to_do=Count("offering__activities", filter=Q(offering__activities__required=True), distinct=True),
            did=Count("done", filter=Q(done__activity__required=True), distinct=True),
            handed_in=Count("submissions", distinct=True),
            was_passed=Exists(decided.filter(passed=True)),
            was_decided=Exists(decided),
            has_award=Exists(decided.filter(award__isnull=False)),
        )
        .order_by("-enrolled_at", "id")
    )


@dataclass(frozen=True, slots=True)
class CriterionWords:
    """What was reached for one criterion, in the words of the rubric, and what the markers wrote."""

    title: str
    reached: str
    descriptor: str
    needed: str
    comments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OutcomeWords:
    """What was reached for one outcome. `percent` is of its points."""

    statement: str
    achieved: bool
    percent: float
    criteria: tuple[CriterionWords, ...]


@dataclass(frozen=True, slots=True)
class DecisionWords:
    """A decision as its learner reads it: nobody who marked is named. `settled`: the marks allowed an answer."""

    id: UUID
    at: datetime
    passed: bool
    settled: bool
    percent: float
    needed: float
    outcomes: tuple[OutcomeWords, ...]
    open: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """The decision as plain JSON values."""
        return {
            "id": str(self.id),
            "at": self.at.isoformat(),
            "passed": self.passed,
            "settled": self.settled,
            "percent": self.percent,
            "needed": self.needed,
            "open": list(self.open),
            "outcomes": [
                {
                    "statement": o.statement,
                    "achieved": o.achieved,
                    "percent": o.percent,
                    "criteria": [
                        {
                            "title": c.title,
                            "reached": c.reached,
                            "descriptor": c.descriptor,
                            "needed": c.needed,
                            "comments": list(c.comments),
                        }
                        for c in o.criteria
                    ],
                }
                for o in self.outcomes
            ],
        }


def decisions_of(enrolment: Enrolment) -> list[DecisionWords]:
    """The enrolment's decisions in words, newest first. Two statements."""
    plan = blueprint_value(enrolment.offering.blueprint_version)
    rows = list(enrolment.decisions.order_by("-decided_at", "id"))
    comments: dict[str, list[str]] = {}
    if rows:
        marks = Mark.objects.filter(submission__enrolment=enrolment).exclude(comment="")
        for criterion, comment in marks.order_by("criterion", "marked_at", "id").values_list("criterion", "comment"):
            comments.setdefault(criterion, []).append(comment)
    return [_decision_in_words(row, plan, comments) for row in rows]


def _decision_in_words(row: Decision, plan: Blueprint, comments: Mapping[str, list[str]]) -> DecisionWords:
    value = decision_value(row)
    settled = value.report.verdict is not Verdict.UNKNOWN
    criteria = {c.id: c for a in plan.assessments for c in a.criteria}
    outcomes = []
    for result in value.outcome_results:
        lines = []
        for id, level_id in result.levels.items():
            criterion = criteria[id]
            levels = {level.id: level for level in criterion.levels}
            reached, needed = levels[level_id], levels[criterion.pass_level]
            # What one marker wrote is shown once there is an answer: until then another may still be asked.
            said = tuple(comments.get(id, ())) if settled else ()
            lines.append(CriterionWords(criterion.title, reached.title, reached.descriptor, needed.title, said))
        statement = plan.outcome(result.outcome_id).statement
        outcomes.append(OutcomeWords(statement, result.achieved, result.percent, tuple(lines)))
    return DecisionWords(
        id=row.id,
        at=row.decided_at,
        passed=row.passed,
        settled=settled,
        percent=value.percent,
        needed=float(value.rule["pass_mark"]),
        outcomes=tuple(outcomes),
        open=tuple(f.says for f in value.report.unknown()),
    )


# -- what happened ---------------------------------------------------------------------------------------------------


NEWS_DAYS = 90
MOST_NEWS = 10


@dataclass(frozen=True, slots=True)
class News:
    """Something that was done to what a learner holds or learns. `what`: awarded, passed, not_passed, or a state."""

    at: datetime
    what: str
    title: str
    by: str
    award: UUID | None
    enrolment: UUID | None = None


def news_of(learner: Learner, *, now: datetime) -> list[News]:
    """What others did about the learner's credentials and work in the last 90 days, newest first, at most ten.

    Three statements.
    """
    since = now - timedelta(days=NEWS_DAYS)
    awards = learner.awards.filter(issued_at__gte=since).select_related("issuer").defer("document")
    found = [
        News(a.issued_at, "awarded", a.title, a.issuer.name, a.id) for a in awards.order_by("-issued_at")[:MOST_NEWS]
    ]
    changes = StatusChange.objects.filter(award__learner=learner, at__gte=since)
    changes = changes.select_related("award__issuer").defer("award__document").order_by("-at")[:MOST_NEWS]
    found += [News(c.at, c.state, c.award.title, c.award.issuer.name, c.award_id) for c in changes]
    decisions = Decision.objects.filter(enrolment__learner=learner, decided_at__gte=since)
    decisions = decisions.select_related("enrolment__offering__blueprint_version__provider").order_by("-decided_at")
    for row in decisions[:MOST_NEWS]:
        version = row.enrolment.offering.blueprint_version
        what = "passed" if row.passed else "not_passed"
        found.append(News(row.decided_at, what, version.title, version.provider.name, None, row.enrolment_id))
    return sorted(found, key=lambda news: news.at, reverse=True)[:MOST_NEWS]


# -- where it leads ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class WayOn:
    """An achievement to take next, and its page here if one can enrol now."""

    title: str
    hours: float
    entry: UUID | None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the learner is towards one larger credential. A gap is missing credit, or so many credentials."""

    row: StackRule
    rule: RuleValue
    result: StackResult
    counted: tuple[tuple[str, str], ...]
    gaps: tuple[tuple[str, str, int], ...]
    way: tuple[WayOn, ...]
    claim_state: str
    award: UUID | None


def progress_of(learner: Learner, *, now: datetime) -> list[Progress]:
    """Every rule in force, solved over what the learner holds; BrokenInput for more credentials than are looked at."""
    on = now.date()
    held = holdings_of(learner, on=on, now=now)
    titles = {holding.credential_id: holding.title for holding in held}
    taken = {(e.provider_did, e.blueprint_id): e.id for e in catalogue_entries(on=on)}
    claims = {
        claim["rule"]: claim
        for claim in learner.stack_claims.values("rule", "state", "award_id", award_state=F("award__state"))
    }
    found = []
    for row in StackRule.objects.select_related("owner").order_by("title", "id"):
        rule = read_stack_rule(row.text, where=row.id)
        if not in_force(rule, on):
            continue
        result = solve_stack(rule, held, on=on)
        parts = {group.id: group.title for group in rule.groups}
        claim = claims.get(row.id, {})
        found.append(
            Progress(
                row=row,
                rule=rule,
                result=result,
                counted=tuple((titles[id], parts[group]) for id, group in result.placement.items()),
                gaps=tuple(_gap(gap) for gap in result.gaps),
                way=tuple(WayOn(s.title, s.hours, taken.get((s.issuer_id, s.achievement_id))) for s in result.way),
                claim_state=claim.get("state", ""),
                award=claim.get("award_id") if claim.get("award_state") != "revoked" else None,
            )
        )
    return found


def _gap(gap: Gap) -> tuple[str, str, int]:
    """(title, credit that is missing or "", credentials that are missing or 0)."""
    return (gap.title, amount(float(gap.missing), gap.unit), 0) if gap.unit else (gap.title, "", int(gap.missing))


# -- sharing -------------------------------------------------------------------------------------------------------


def share_by_token(token: str) -> ShareLink | None:
    """The link with this token, ended or not. One statement."""
    wanted = hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
    return ShareLink.objects.filter(token_sha256=wanted).select_related("award__issuer", "award__learner").first()


def share_url(token: str) -> str:
    """The address that the learner hands out."""
    return f"{settings.BASE_URL}/shared/{token}"
