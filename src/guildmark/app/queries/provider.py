"""Reads for the pages of a provider: lists with what each line says, in a fixed number of statements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Count, Exists, F, Max, OuterRef, Prefetch, Q, QuerySet
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from guildmark.app.queries.design import blueprint_value, endorsement_report
from guildmark.app.queries.waiting import markable, to_decide, to_mark
from guildmark.app.records import (
    Award,
    BlueprintVersion,
    CoDesign,
    Decision,
    DemandSnapshot,
    Endorsement,
    Enrolment,
    Mark,
    Offering,
    Organisation,
    Person,
    Submission,
)
from guildmark.core.errors import BrokenInput
from guildmark.core.report import Verdict
from guildmark.design.blueprint import Blueprint
from guildmark.design.codesign import map_digest
from guildmark.skills.demand import DemandLine, wilson

# --- Blueprints ---


@dataclass(frozen=True, slots=True)
class BlueprintLine:
    """One version in the list: the demand frozen into it, partners asked, signatures that stand and that are void."""

    version: BlueprintVersion
    demand: Mapping[str, object] | None
    demand_day: date | None
    asked: int
    signed: int
    void: int
    offerings: int


def blueprints_of(provider: Organisation) -> QuerySet[BlueprintVersion]:
    """Every version of the provider's blueprints, newest version first within a title; for `blueprint_lines`."""
    live = Endorsement.objects.filter(withdrawn_at=None)
    return (
        BlueprintVersion.objects.filter(provider=provider)
        .annotate(asked=Count("co_designs", distinct=True), runs=Count("offerings", distinct=True))
        .prefetch_related(Prefetch("endorsements", queryset=live, to_attr="live"))
        .order_by("title", "-version", "id")
    )


def blueprint_lines(versions: Sequence[BlueprintVersion]) -> list[BlueprintLine]:
    """What the list says of these versions (from `blueprints_of`). No further statement."""
    return [_line(version) for version in versions]


def _line(version: BlueprintVersion) -> BlueprintLine:
    standing, demand = _standing(version), version.document.get("demand")
    return BlueprintLine(
        version=version,
        demand=demand,
        demand_day=date.fromisoformat(demand["on"]) if demand else None,
        asked=version.asked,
        signed=len(standing),
        void=len({e.partner_id for e in version.live} - standing),
        offerings=version.runs,
    )


def _standing(version: BlueprintVersion) -> set:
    """The partners of whose signatures one is over the present map; a published map no longer changes."""
    if not version.live:
        return set()
    blueprint, found = blueprint_value(version), set()
    for row in version.live:
        try:
            present = map_digest(blueprint, row.scope if row.scope == "whole" else tuple(row.scope))
        except BrokenInput:  # an outcome in scope is gone
            continue
        if present == row.map_digest:
            found.add(row.partner_id)
    return found


@dataclass(frozen=True, slots=True)
class Signature:
    """One partner who was asked or signed: how it stands in a word, and in a sentence."""

    verdict: Verdict
    word: str
    says: str


def signatures(version: BlueprintVersion, *, now: datetime) -> list[Signature]:
    """Each signature under this version, verified now, then each partner who was asked and has not signed."""
    found = {f.because["credential"]: f for f in endorsement_report(version, now=now).findings}
    lines, answered = [], set()
    for row in Endorsement.objects.filter(blueprint_version=version).select_related("partner").order_by("signed_at"):
        answered.add(row.partner_id)
        finding = found.get(row.credential_id)
        if row.withdrawn_at is not None:
            says = _("%(partner)s signed on %(day)s and withdrew that on %(end)s.") % {
                "partner": row.partner,
                "day": date_format(row.signed_at),
                "end": date_format(row.withdrawn_at),
            }
            line = Signature(Verdict.NOT_APPLICABLE, _("Withdrawn"), says)
        elif finding is None:
            says = _("The signature of %(partner)s could not be verified, so it counts for nothing.") % {
                "partner": row.partner
            }
            line = Signature(Verdict.UNKNOWN, _("Not verified"), says)
        else:
            line = Signature(finding.verdict, _signature_word(finding.verdict), finding.says)
        lines.append(line)
    for row in CoDesign.objects.filter(blueprint_version=version).select_related("partner", "asked_by", "declined_by"):
        if row.partner_id not in answered and row.declined_at is not None:
            says = _("%(partner)s declined on %(day)s (%(who)s): %(why)s") % {
                "partner": row.partner,
                "day": date_format(row.declined_at),
                "who": row.declined_by,
                "why": row.declined_because,
            }
            lines.append(Signature(Verdict.FAIL, _("Declined"), says))
        elif row.partner_id not in answered:
            says = _("%(partner)s was asked by %(who)s on %(day)s.") % {
                "partner": row.partner,
                "who": row.asked_by,
                "day": date_format(row.asked_at),
            }
            lines.append(Signature(Verdict.UNKNOWN, _("Not signed yet"), says))
    return lines


def _signature_word(verdict: Verdict) -> str:
    match verdict:
        case Verdict.PASS:
            return _("Signed")
        case Verdict.FAIL:
            return _("Void")
        case Verdict.NOT_APPLICABLE:
            return _("Replaced")
        case Verdict.UNKNOWN:
            return _("Not verified")


def partners_to_ask(version: BlueprintVersion) -> QuerySet[Organisation]:
    """Industry partners who have not been asked about this version, or have declined and may be asked again."""
    asked = CoDesign.objects.filter(blueprint_version=version, partner=OuterRef("pk"), declined_at=None)
    partners = Organisation.objects.filter(kind=Organisation.Kind.PARTNER)
    return partners.exclude(Exists(asked)).order_by("name", "id")


def snapshots() -> QuerySet[DemandSnapshot]:
    """Demand that was measured, newest first."""
    return DemandSnapshot.objects.order_by("-on", "-measured_at", "id")


def demand_of(blueprint: Blueprint) -> list[DemandLine]:
    """How often ads asked for the skills that the outcomes are aligned to, most asked for first.

    The share and its 95 % interval are computed from the frozen counts.
    """
    if blueprint.demand is None or not blueprint.demand.of:
        return []
    of = blueprint.demand.of
    aligned = {a.uri for outcome in blueprint.outcomes for a in outcome.alignments}
    lines = [
        DemandLine(uri, label, ads, of, ads / of, *wilson(ads, of))
        for uri, label, ads in blueprint.demand.counts
        if uri in aligned and ads <= of
    ]
    return sorted(lines, key=lambda line: (-line.ads, line.label))


# --- Offerings ---


def offerings_of(version: BlueprintVersion) -> QuerySet[Offering]:
    """Offerings of this version with their number of learners, `learners`."""
    return (
        Offering.objects.filter(blueprint_version=version)
        .annotate(learners=Count("enrolments"))
        .order_by("opens_on", "title", "id")
    )


def enrolments_of(offering: Offering) -> QuerySet[Enrolment]:
    """Enrolments with what is done (`did`), handed in (`handed_in`), decided (`tried`, `passed`) and awarded."""
    passed = Decision.objects.filter(enrolment=OuterRef("pk"), passed=True)
    return (
        Enrolment.objects.filter(offering=offering)
        .select_related("learner")
        .annotate(
            did=Count("done", distinct=True),
            handed_in=Count("submissions", distinct=True),
            tried=Count("decisions", distinct=True),
            passed=Exists(passed),
            awarded=Exists(passed.filter(award__isnull=False)),
        )
        .order_by("enrolled_at", "id")
    )


# --- Marking ---


def work_to_mark(person: Person, provider: Organisation) -> QuerySet[Submission]:
    """`waiting.to_mark` with the number of other people who have marked, `markers`: how many, never what."""
    return to_mark(person, provider).annotate(markers=Count("marks__marker", distinct=True))


def work_marked(person: Person, provider: Organisation, *, most: int = 20) -> QuerySet[Submission]:
    """The pieces of work that this person marked last."""
    mine = Mark.objects.filter(submission=OuterRef("pk"), marker=person)
    return (
        Submission.objects.filter(Exists(mine), enrolment__offering__blueprint_version__provider=provider)
        .annotate(marked_at=Max("marks__marked_at", filter=Q(marks__marker=person)))
        .select_related("enrolment__offering__blueprint_version")
        .order_by("-marked_at", "id")[:most]
    )


def marks_on(submission: Submission, person: Person) -> list[Mark]:
    """The marks that this person may see: their own, and everybody's once the decision is made."""
    rows = submission.marks.select_related("marker").order_by("criterion", "marked_at", "id")
    return list(rows if is_decided(submission.enrolment) else rows.filter(marker=person))


def is_decided(enrolment: Enrolment) -> bool:
    """Whether the learner has passed; marks that come later belong to an appeal."""
    return enrolment.decisions.filter(passed=True).exists()


def may_still_mark(enrolment: Enrolment, person: Person, provider: Organisation) -> bool:
    """Whether the person could still mark work of this enrolment, and must therefore not see its results yet."""
    is_marker = provider.memberships.filter(person=person, role="marker").exists()
    return is_marker and markable(person, provider).filter(enrolment=enrolment).exists()


# --- Decisions and awards ---


def undecided(provider: Organisation) -> QuerySet[Enrolment]:
    """`waiting.to_decide`, with when it was last tried and last marked: `tried_at`, `marked_at`."""
    return to_decide(provider).annotate(
        tried_at=Max("decisions__decided_at"), marked_at=Max("submissions__marks__marked_at")
    )


def work_of(enrolment: Enrolment) -> QuerySet[Submission]:
    """What was handed in, with the number of people who marked it, `markers`."""
    return enrolment.submissions.annotate(markers=Count("marks__marker", distinct=True)).order_by("assessment", "id")


def awards_of(provider: Organisation, *, state: str = "", unclaimed: bool = False, text: str = "") -> QuerySet[Award]:
    """Awards of the provider, newest first; all, or those in a state, not taken yet, or found by words."""
    rows = Award.objects.filter(issuer=provider)
    if state:
        rows = rows.filter(state=state)
    if unclaimed:
        rows = rows.filter(claimed_at=None).exclude(state=Award.State.REVOKED)
    if text:
        rows = rows.filter(
            Q(learner__name__icontains=text) | Q(learner__email__icontains=text) | Q(title__icontains=text)
        )
    return rows.select_related("learner").order_by(F("issued_at").desc(), "id")


def is_open(offering: Offering, on: date) -> bool:
    """Whether learners can enrol on this day."""
    return offering.opens_on <= on and (offering.closes_on is None or on <= offering.closes_on)
