"""The public register: every published micro-credential, what it passed and who signed, and figures of the sector."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from guildmark.app.access import audience
from guildmark.app.queries.register import FEWEST, Figures, Month, entries, figures, registered
from guildmark.app.web.answers import page_of

ROW = 22
LEFT, WIDE = 78, 240
"""Of the chart, in its own units: the height of a bar's row, where bars begin, and how long the longest is."""


@audience("public")
@require_safe
def register(request: HttpRequest) -> HttpResponse:
    """What is published, under which rules, with whose signatures; and figures that tell of nobody."""
    page = page_of(request, registered())
    found = figures(now=timezone.now())
    context = {
        "page": page,
        "entries": entries(page.object_list),
        "figures": found,
        "bars": bars(found.months),
        "chart_height": ROW * len(found.months),
        "left": LEFT,
        "fewest": FEWEST,
        "totals": _totals(found),
    }
    return render(request, "guildmark/register.html", context)


def _totals(found: Figures) -> list[tuple[str, int | None]]:
    return [
        (_("Micro-credentials published"), found.published),
        (_("Providers that have published"), found.providers),
        (_("Enrolments"), found.enrolments),
        (_("Completions: enrolments with a passed decision"), found.completions),
        (_("Credentials awarded"), found.awards),
        (_("Credentials revoked"), found.revocations),
    ]


@dataclass(frozen=True, slots=True)
class Bar:
    """One month of the chart, in the chart's own units."""

    label: str
    top: int
    baseline: int
    width: int
    count: int | None

    @property
    def end(self) -> int:
        return LEFT + self.width + 6


def bars(months: tuple[Month, ...]) -> list[Bar]:
    """The months as bars, as long as their counts; a withheld one has no length."""
    longest = max((m.count for m in months if m.count is not None), default=0)
    return [
        Bar(
            label=date_format(month.first, "M Y"),
            top=n * ROW + 3,
            baseline=n * ROW + 16,
            width=round(WIDE * month.count / longest) if month.count is not None else 0,
            count=month.count,
        )
        for n, month in enumerate(months)
    ]


COLUMNS = (
    "title",
    "version",
    "provider",
    "provider_id",
    "state",
    "published_at",
    "level",
    "notional_hours",
    "rulebooks",
    "partners",
    "achievement",
    "gate_report",
)


class _Echo:
    """A file that hands back what is written to it, so that a long register is sent as it is made."""

    def write(self, text: str) -> str:
        return text


@audience("public")
@require_safe
def register_csv(request: HttpRequest) -> StreamingHttpResponse:
    """The whole register as a table (CSV, UTF-8), for whoever wants to count for themselves."""
    response = StreamingHttpResponse(_lines(), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = 'attachment; filename="register.csv"'
    return response


def _lines() -> Iterator[str]:
    writer = csv.writer(_Echo())
    yield writer.writerow(COLUMNS)
    for row in entries(registered().iterator(chunk_size=500)):
        version = row.version
        yield writer.writerow(
            [
                _cell(version.title),
                version.version,
                _cell(version.provider.name),
                version.provider.did,
                version.state,
                version.published_at.isoformat() if version.published_at else "",
                _cell(version.document["level"]),
                version.document["hours"],
                _cell("; ".join(row.rulebooks)),
                _cell("; ".join(row.partners)),
                f"{settings.BASE_URL}{row.achievement_path}",
                f"{settings.BASE_URL}{row.gate_path}" if row.gate_path else "",
            ]
        )


def _cell(text: str) -> str:
    """A text that a spreadsheet takes for text: one that begins as a formula would begins with an apostrophe."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
