"""Reads for everybody: the register of published micro-credentials, and what the sector's figures may tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import Any

from django.db.models import Count, Exists, OuterRef, Prefetch, QuerySet, Subquery
from django.db.models.functions import TruncMonth

from guildmark.app.queries.design import blueprint_value
from guildmark.app.queries.needs import FIELDS, broad_field
from guildmark.app.records import (
    Award,
    BlueprintVersion,
    Decision,
    Endorsement,
    Enrolment,
    GateResult,
    RegisterNumber,
)
from guildmark.core.errors import BrokenInput
from guildmark.core.report import Finding, Report, Verdict
from guildmark.design.codesign import map_digest
from guildmark.design.gate import builtin_rulebooks

FEWEST = 5
"""A count below this is withheld: it could tell of single people. A policy, as in `pathways.feedback`."""

MONTHS = 12


@dataclass(frozen=True, slots=True)
class RulebookResult:
    """What one rulebook found of a version when it was published; `findings` in the order of its rules."""

    id: str
    title: str
    version: str
    findings: tuple[Finding, ...]

    def count(self, verdict: Verdict) -> int:
        return sum(f.verdict is verdict for f in self.findings)

    @property
    def met(self) -> int:
        return self.count(Verdict.PASS)

    @property
    def judged(self) -> int:
        """How many of those that are met a named person has judged."""
        return sum(f.verdict is Verdict.PASS and "judgement" in f.because for f in self.findings)

    @property
    def advice(self) -> int:
        """Advice that was not followed; it blocks nothing."""
        return self.count(Verdict.UNKNOWN)

    @property
    def does_not_apply(self) -> int:
        return self.count(Verdict.NOT_APPLICABLE)


@dataclass(frozen=True, slots=True)
class Registered:
    """One published micro-credential: what was gated, under which rulebooks, and who signed its map."""

    version: BlueprintVersion
    results: tuple[RulebookResult, ...]
    gate_path: str
    partners: tuple[str, ...]
    achievement_path: str
    field: str
    numbers: tuple[RegisterNumber, ...]

    @property
    def rulebooks(self) -> tuple[str, ...]:
        return tuple(f"{result.title} {result.version}" for result in self.results)

    @property
    def withdrawn(self) -> bool:
        return self.version.state == BlueprintVersion.State.WITHDRAWN


def published_once() -> QuerySet[BlueprintVersion]:
    """Every version that was ever published."""
    return BlueprintVersion.objects.exclude(state=BlueprintVersion.State.DRAFT)


def registered(
    *, field: str = "", level: str = "", provider: str = "", rulebook: str = ""
) -> QuerySet[BlueprintVersion]:
    """Every version that was ever published, or those that fit, the latest first, with what `entries` reads.

    `rulebook` is the id of one that it passed, or "-" and the id of one under which it was not looked at. Four
    statements.
    """
    rows = published_once()
    if field:
        rows = rows.filter(document__field__scheme="ISCED-F", document__field__code__startswith=field)
    if level:
        rows = rows.filter(document__level=level)
    if provider:
        rows = rows.filter(provider__slug=provider)
    if rulebook:
        passed = GateResult.objects.filter(blueprint_version=OuterRef("pk"), verdict="pass").order_by("-seq")
        wanted = GateResult.objects.filter(pk=OuterRef("gate"), rulebooks__icontains=f'"{rulebook.removeprefix("-")}"')
        rows = rows.annotate(gate=Subquery(passed.values("pk")[:1]))
        rows = rows.exclude(Exists(wanted)) if rulebook.startswith("-") else rows.filter(Exists(wanted))
    return (
        rows.select_related("provider")
        .prefetch_related(
            Prefetch("gate_results", GateResult.objects.filter(verdict="pass").order_by("-seq")),
            Prefetch(
                "endorsements",
                Endorsement.objects.filter(withdrawn_at=None).select_related("partner").order_by("signed_at", "id"),
            ),
            Prefetch(
                "provider__register_numbers",
                RegisterNumber.objects.filter(state=RegisterNumber.State.FOUND).order_by("scheme"),
            ),
        )
        .order_by("-published_at", "title", "version", "id")
    )


def entries(rows: Sequence[BlueprintVersion]) -> list[Registered]:
    """The rows of `registered` as the register shows them. No statement."""
    found = []
    for row in rows:
        # The same report that the badges name, see `published.approval_of`.
        gate = next(iter(row.gate_results.all()), None)
        found.append(
            Registered(
                version=row,
                results=_results(gate),
                gate_path=f"/gate/{gate.id}" if gate is not None else "",
                partners=_partners(row),
                achievement_path=f"/achievements/{row.blueprint_id.removeprefix('urn:uuid:')}/{row.version}",
                field=broad_field(row.document),
                numbers=tuple(row.provider.register_numbers.all()),
            )
        )
    return found


def _results(gate: GateResult | None) -> tuple[RulebookResult, ...]:
    """The report of the gate, rulebook by rulebook."""
    if gate is None:
        return ()
    known = builtin_rulebooks()
    findings = Report.from_json(gate.report).findings
    found = []
    for id, version in gate.rulebooks:
        rules = {rule.id for rule in known[id].rules} if id in known else set()
        theirs = tuple(f for f in findings if f.id in rules or f.id.startswith(f"{id}."))
        found.append(RulebookResult(id, known[id].title if id in known else id, version, theirs))
    return tuple(found)


def levels() -> list[str]:
    """The levels at which anything was published. One statement."""
    rows = published_once().order_by("document__level").values_list("document__level", flat=True).distinct()
    return [level for level in rows if isinstance(level, str)]


def publishers() -> list[tuple[str, str]]:
    """(slug, name) of each provider that ever published. One statement."""
    rows = published_once().order_by("provider__name", "provider__slug")
    return list(rows.values_list("provider__slug", "provider__name").distinct())


def _partners(row: BlueprintVersion) -> tuple[str, ...]:
    """The partners whose signature is over the map as it was published."""
    blueprint = blueprint_value(row)
    names = []
    for endorsement in row.endorsements.all():
        scope = endorsement.scope if isinstance(endorsement.scope, str) else tuple(endorsement.scope)
        try:
            stands = map_digest(blueprint, scope) == endorsement.map_digest
        except BrokenInput:  # an outcome in scope is gone
            stands = False
        if stands:
            names.append(endorsement.partner.name)
    return tuple(dict.fromkeys(names))


# -- figures -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Month:
    """The awards of one month; `count` is None where it is withheld."""

    first: datetime
    count: int | None


@dataclass(frozen=True, slots=True)
class Figures:
    """What the register tells of the sector. None is a number that is withheld."""

    months: tuple[Month, ...]
    published: int
    providers: int
    enrolments: int | None
    completions: int | None
    awards: int | None
    revocations: int | None


def figures(*, now: datetime) -> Figures:
    """Awards by month over a year, and totals; below `FEWEST` nothing is told. Six statements."""
    start = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    firsts = [start]
    while len(firsts) < MONTHS:
        firsts.append(
            firsts[-1].replace(year=firsts[-1].year - 1, month=12)
            if firsts[-1].month == 1
            else firsts[-1].replace(month=firsts[-1].month - 1)
        )
    firsts.reverse()
    counted = dict(
        Award.objects.filter(issued_at__gte=firsts[0], issued_at__lte=now)
        .annotate(month=TruncMonth("issued_at"))
        .order_by("month")
        .values_list("month")
        .annotate(n=Count("id"))
    )
    versions = BlueprintVersion.objects.filter(state=BlueprintVersion.State.PUBLISHED)
    return Figures(
        months=tuple(
            Month(first, count)
            for first, count in zip(firsts, withheld([counted.get(first, 0) for first in firsts]), strict=True)
        ),
        published=versions.count(),
        providers=versions.values("provider").distinct().count(),
        enrolments=_told(Enrolment.objects.count()),
        completions=_told(Decision.objects.filter(passed=True).values("enrolment").distinct().count()),
        awards=_told(Award.objects.count()),
        revocations=_told(Award.objects.filter(state=Award.State.REVOKED).count()),
    )


def _told(count: int) -> int | None:
    return count if count >= FEWEST else None


def withheld(counts: Sequence[int]) -> list[int | None]:
    """The counts with those below `FEWEST` withheld (0 is such a count: that nobody was is about people too).

    A single gap could be worked out from a total, so it never stands alone: the smallest of the others goes with it.
    """
    told = [_told(count) for count in counts]
    shown = [n for n, count in enumerate(told) if count is not None]
    if len(shown) == len(told) - 1 and shown:
        told[min(shown, key=lambda n: (counts[n], n))] = None
    return told


# -- the sector ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Group:
    """What is told of one field or one provider. None is a number that is withheld, or that there is nothing of.

    `signed` counts those published whose map an industry partner has signed and not withdrawn; `median_days` lies
    between enrolment and award.
    """

    key: str
    title: str
    published: int
    signed: int
    awarded: int | None
    revoked: int | None
    median_days: float | None

    @property
    def signed_share(self) -> float | None:
        return self.signed / self.published if self.published else None


@dataclass(frozen=True, slots=True)
class Sector:
    """The sector by field and by provider."""

    fields: tuple[Group, ...]
    providers: tuple[Group, ...]


def sector() -> Sector:
    """What was published, signed, awarded and revoked, and how long it took. Two statements, over every award.

    Versions are told in full, since they are no people. Awards and revocations below `FEWEST` are withheld, and a
    second one where a single gap could be worked out from the total; a median is told where the awards are.
    """
    signed = Endorsement.objects.filter(blueprint_version=OuterRef("pk"), withdrawn_at=None)
    versions = [
        (broad_field({"field": {"scheme": scheme, "code": code or ""}}), (slug, name), has)
        for scheme, code, slug, name, has in BlueprintVersion.objects.filter(state=BlueprintVersion.State.PUBLISHED)
        .annotate(signed=Exists(signed))
        .values_list("document__field__scheme", "document__field__code", "provider__slug", "provider__name", "signed")
    ]
    version = "decision__enrolment__offering__blueprint_version"
    awards = [
        (
            broad_field({"field": {"scheme": scheme, "code": code or ""}}),
            (slug, name),
            state == Award.State.REVOKED,
            (issued - enrolled).total_seconds() / 86_400,
        )
        for scheme, code, slug, name, state, enrolled, issued in Award.objects.filter(kind="badge").values_list(
            f"{version}__document__field__scheme",
            f"{version}__document__field__code",
            "issuer__slug",
            "issuer__name",
            "state",
            "decision__enrolment__enrolled_at",
            "issued_at",
        )
    ]
    by_field = _groups([(f, n) for f, _p, n in versions], [(f, r, d) for f, _p, r, d in awards])
    by_provider = _groups([(p, n) for _f, p, n in versions], [(p, r, d) for _f, p, r, d in awards])
    return Sector(
        fields=tuple(Group(key, str(FIELDS.get(key, "")), *rest) for key, rest in sorted(by_field.items())),
        providers=tuple(
            Group(slug, name, *rest)
            for (slug, name), rest in sorted(by_provider.items(), key=lambda pair: (pair[0][1], pair[0][0]))
        ),
    )


def _groups(versions: Sequence[tuple[Any, bool]], awards: Sequence[tuple[Any, bool, float]]) -> dict[Any, tuple]:
    """Key -> published, signed, awarded, revoked and the median, with what is too small withheld."""
    keys = list(dict.fromkeys([*(key for key, _signed in versions), *(key for key, _r, _d in awards)]))
    days: dict[Any, list[float]] = {key: [] for key in keys}
    gone = dict.fromkeys(keys, 0)
    for key, revoked, took in awards:
        days[key].append(took)
        gone[key] += revoked
    awarded = withheld([len(days[key]) for key in keys])
    revoked_of = withheld([gone[key] for key in keys])
    return {
        key: (
            sum(k == key for k, _signed in versions),
            sum(k == key and signed for k, signed in versions),
            told,
            revoked,
            round(median(days[key]), 1) if told is not None else None,
        )
        for key, told, revoked in zip(keys, awarded, revoked_of, strict=True)
    }
