"""Reads for award lists: how far a list is, what its rows say, which lists there are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, F, Q, QuerySet

from guildmark.app.records import AwardList, AwardListRow, BlueprintVersion, Offering, Organisation
from guildmark.assess.result_list import Column, ListedResult

SILENT = timedelta(seconds=15)
"""A running list of which nothing was heard for so long may have no worker; the page says so."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How many rows are in which state, and for how many seconds nothing has been done (0 unless worth saying)."""

    ready: int
    awarded: int
    already: int
    bad: int
    silent: int

    @property
    def total(self) -> int:
        return self.ready + self.awarded + self.already + self.bad

    @property
    def settled(self) -> int:
        return self.total - self.ready


def lists_of(provider: Organisation) -> QuerySet[AwardList]:
    """The provider's lists, newest first, each with the numbers of its rows. One statement."""
    state = AwardListRow.State
    return (
        AwardList.objects.filter(offering__blueprint_version__provider=provider)
        .defer("body")
        .select_related("offering__blueprint_version", "uploaded_by")
        .annotate(
            **{
                f"n_{name}": Count("rows", filter=Q(rows__state=name))
                for name in (state.READY, state.AWARDED, state.ALREADY, state.BAD)
            }
        )
        .order_by("-uploaded_at", "id")
    )


def progress(row: AwardList, *, now: datetime) -> Progress:
    """How far the list is. One statement."""
    found = dict(row.rows.order_by().values_list("state").annotate(n=Count("pk")))
    last = max(filter(None, (row.beat_at, row.started_at)), default=None)
    silent = now - last if row.state == AwardList.State.RUNNING and last else timedelta()
    return Progress(
        ready=found.get("ready", 0),
        awarded=found.get("awarded", 0),
        already=found.get("already", 0),
        bad=found.get("bad", 0),
        silent=int(silent.total_seconds()) if silent >= SILENT else 0,
    )


def first_good(row: AwardList, most: int) -> list[ListedResult]:
    """The first rows that are to be awarded."""
    ready = row.rows.filter(state=AwardListRow.State.READY).order_by("number")[:most]
    return [ListedResult.from_json(line.data) for line in ready]


def bad_rows(row: AwardList) -> QuerySet[AwardListRow]:
    """The rows that cannot be awarded, in the order of the file."""
    return row.rows.filter(state=AwardListRow.State.BAD).order_by("number")


def problem_lines(lines: QuerySet[AwardListRow], labels: Mapping[str, str]) -> Iterator[tuple[int, str, str]]:
    """(row, field, what to mend) of each problem of these rows."""
    for line in lines:
        for key, says in line.problems or [["", ""]]:
            yield line.number, labels.get(key, key), says


def labels_of(columns: tuple[Column, ...]) -> dict[str, str]:
    """Column key -> what the sample file calls it."""
    return {column.key: column.label for column in columns}


def offerings_to_award(provider: Organisation) -> QuerySet[Offering]:
    """Offerings of the provider's published micro-credentials."""
    return (
        Offering.objects.filter(
            blueprint_version__provider=provider, blueprint_version__state=BlueprintVersion.State.PUBLISHED
        )
        .select_related("blueprint_version__provider")
        .order_by(F("blueprint_version__title"), "-blueprint_version__version", "-opens_on", "id")
    )
