"""The public register: every published micro-credential, what it passed and who signed, and figures of the sector."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from guildmark.adapters.registers import SCHEMES
from guildmark.app.access import audience
from guildmark.app.queries.needs import FIELDS
from guildmark.app.queries.register import (
    FEWEST,
    Figures,
    Group,
    RulebookResult,
    entries,
    figures,
    levels,
    publishers,
    registered,
)
from guildmark.app.queries.register import sector as sector_figures
from guildmark.app.web.answers import lines_of, page_of
from guildmark.app.web.charts import Bar, bar_chart
from guildmark.app.web.public import PlainForm
from guildmark.design.gate import CORE, builtin_rulebooks


class FindForm(PlainForm):
    """Which entries to list; each filter that is left empty lets everything through."""

    field = forms.ChoiceField(required=False, label=gettext_lazy("Field"))
    level = forms.ChoiceField(required=False, label=gettext_lazy("Level"))
    provider = forms.ChoiceField(required=False, label=gettext_lazy("Provider"))
    rulebook = forms.ChoiceField(required=False, label=gettext_lazy("Quality gate"))

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["field"].choices = [("", _("every field")), *FIELDS.items()]
        self.fields["level"].choices = [("", _("every level")), *((level, level) for level in levels())]
        self.fields["provider"].choices = [("", _("every provider")), *publishers()]
        books = [(book.id, book.title) for book in builtin_rulebooks().values() if book.id != CORE]
        self.fields["rulebook"].choices = [
            ("", _("any rulebook")),
            *((id, _("passed: %(title)s") % {"title": title}) for id, title in books),
            *((f"-{id}", _("not looked at: %(title)s") % {"title": title}) for id, title in books),
        ]

    def wanted(self) -> dict[str, str]:
        """Filters for `registered`; those that cannot be read let everything through."""
        self.is_valid()
        return {name: self.cleaned_data.get(name, "") for name in self.fields}


@audience("public")
@require_safe
def register(request: HttpRequest) -> HttpResponse:
    """What is published, under which rules, with whose signatures; and figures that tell of nobody."""
    form = FindForm(request.GET)
    wanted = form.wanted()
    page = page_of(request, registered(**wanted))
    found = figures(now=timezone.now())
    months = [Bar(date_format(m.first, "M Y"), m.count, str(m.count)) for m in found.months]
    context = {
        "page": page,
        "entries": [(one, FIELDS.get(one.field, "")) for one in entries(page.object_list)],
        "find": form,
        "query": urlencode({name: value for name, value in wanted.items() if value}),
        "bars": months,
        "chart": bar_chart(
            "months",
            title=_("Credentials awarded each month"),
            says=_("A bar for each of the last twelve months. The same numbers are in the table."),
            bars=months,
            left=78,
        ),
        "fewest": FEWEST,
        "totals": _totals(found),
    }
    return render(request, "guildmark/register.html", context)


@audience("public")
@require_safe
def entry(request: HttpRequest, id: UUID) -> HttpResponse:
    """One entry: what each rulebook found when it was published, rule by rule, with the clause that each comes from."""
    row = registered().filter(pk=id).first()
    if row is None:
        raise Http404(_("Nothing is published under this number."))
    (one,) = entries([row])
    context = {
        "one": one,
        "version": row,
        "field": FIELDS.get(one.field, ""),
        "results": [(result, lines_of(result.findings)) for result in one.results],
        "numbers": [(number, SCHEMES[number.scheme].title) for number in one.numbers],
    }
    return render(request, "guildmark/register_entry.html", context)


@audience("public")
@require_safe
def sector(request: HttpRequest) -> HttpResponse:
    """Figures of the sector, by field and by provider, as charts with the same numbers in a table."""
    found = sector_figures()
    context = {
        "fewest": FEWEST,
        "parts": [
            ("fields", _("By field"), _("Field"), found.fields, _charts("fields", found.fields)),
            ("providers", _("By provider"), _("Provider"), found.providers, _charts("providers", found.providers)),
        ],
    }
    return render(request, "guildmark/sector.html", context)


def _charts(id: str, groups: tuple[Group, ...]) -> list[tuple[str, SafeString]]:
    """(title, chart) of what is told of these groups."""
    same = _("The same numbers are in the table.")
    titles = [group.title or _("no field named") for group in groups]
    pairs = list(zip(titles, groups, strict=True))
    shares = [
        Bar(t, g.signed_share, f"{round(100 * g.signed_share)} %") for t, g in pairs if g.signed_share is not None
    ]
    drawn = [
        ("awarded", _("Credentials awarded"), 0, [Bar(t, g.awarded, str(g.awarded)) for t, g in pairs]),
        ("signed", _("Share of micro-credentials that an industry partner signed"), 1, shares),
        (
            "days",
            _("Days from enrolment to award, median"),
            0,
            [Bar(t, g.median_days, f"{g.median_days:g}") for t, g in pairs if g.median_days is not None],
        ),
    ]
    return [
        (title, bar_chart(f"{id}-{what}", title=title, says=same, bars=bars, most=most))
        for what, title, most, bars in drawn
        if bars
    ]


def _totals(found: Figures) -> list[tuple[str, int | None]]:
    return [
        (_("Micro-credentials published"), found.published),
        (_("Providers that have published"), found.providers),
        (_("Enrolments"), found.enrolments),
        (_("Completions: enrolments with a passed decision"), found.completions),
        (_("Credentials awarded"), found.awards),
        (_("Credentials revoked"), found.revocations),
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
    "field",
    "gate_results",
    "provider_numbers",
)


class _Echo:
    """A file that hands back what is written to it, so that a long register is sent as it is made."""

    def write(self, text: str) -> str:
        return text


@audience("public")
@require_safe
def register_csv(request: HttpRequest) -> StreamingHttpResponse:
    """The register, or what of it fits, as a table (CSV, UTF-8), for whoever wants to count for themselves."""
    response = StreamingHttpResponse(_lines(FindForm(request.GET).wanted()), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = 'attachment; filename="register.csv"'
    return response


def _lines(wanted: dict[str, str]) -> Iterator[str]:
    writer = csv.writer(_Echo())
    yield writer.writerow(COLUMNS)
    for row in entries(registered(**wanted).iterator(chunk_size=500)):
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
                row.field,
                _cell("; ".join(_in_words(result) for result in row.results)),
                _cell("; ".join(f"{number.scheme} {number.number}" for number in row.numbers)),
            ]
        )


def _in_words(result: RulebookResult) -> str:
    return (
        f"{result.id} {result.version}: {result.met} met ({result.judged} judged), {result.advice} advice open, "
        f"{result.does_not_apply} not applicable"
    )


def _cell(text: str) -> str:
    """A text that a spreadsheet takes for text: one that begins as a formula would begins with an apostrophe."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
