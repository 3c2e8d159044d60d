"""Reads for everybody: the register of published micro-credentials, and what the sector's figures may tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Prefetch, QuerySet
from django.db.models.functions import TruncMonth

from guildmark.app.queries.design import blueprint_value
from guildmark.app.records import Award, BlueprintVersion, Decision, Endorsement, Enrolment, GateResult
from guildmark.core.errors import BrokenInput
from guildmark.design.codesign import map_digest
from guildmark.design.gate import builtin_rulebooks

FEWEST = 5
"""A count below this is withheld: it could tell of single people. A policy, as in `pathways.feedback`."""

MONTHS = 12


@dataclass(frozen=True, slots=True)
class Registered:
    """One published micro-credential: what was gated, under which rulebooks, and who signed its map."""

    version: BlueprintVersion
    rulebooks: tuple[str, ...]
    gate_path: str
    partners: tuple[str, ...]
    achievement_path: str

    @property
    def withdrawn(self) -> bool:
        return self.version.state == BlueprintVersion.State.WITHDRAWN


def registered() -> QuerySet[BlueprintVersion]:
    """Every version that was ever published, the latest first, with what `entries` reads. Three statements."""
    return (
        BlueprintVersion.objects.exclude(state=BlueprintVersion.State.DRAFT)
        .select_related("provider")
        .prefetch_related(
            Prefetch("gate_results", GateResult.objects.filter(verdict="pass").order_by("-seq")),
            Prefetch(
                "endorsements",
                Endorsement.objects.filter(withdrawn_at=None).select_related("partner").order_by("signed_at", "id"),
            ),
        )
        .order_by("-published_at", "title", "version", "id")
    )


def entries(rows: Sequence[BlueprintVersion]) -> list[Registered]:
    """The rows of `registered` as the register shows them. No statement."""
    known = {f"{book.id}": book.title for book in builtin_rulebooks().values()}
    found = []
    for row in rows:
        # The same report that the badges name, see `published.approval_of`.
        gate = next(iter(row.gate_results.all()), None)
        books = [(known.get(id, id), version) for id, version in gate.rulebooks] if gate is not None else []
        found.append(
            Registered(
                version=row,
                rulebooks=tuple(f"{title} {version}" for title, version in books),
                gate_path=f"/gate/{gate.id}" if gate is not None else "",
                partners=_partners(row),
                achievement_path=f"/achievements/{row.blueprint_id.removeprefix('urn:uuid:')}/{row.version}",
            )
        )
    return found


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
