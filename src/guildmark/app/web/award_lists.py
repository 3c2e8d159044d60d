"""Pages of those who award many at once: a class list is uploaded, its columns named, looked at, started."""

from __future__ import annotations

import csv
import uuid
from collections.abc import Iterator
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from guildmark.app.access import audience
from guildmark.app.queries.award_lists import (
    bad_rows,
    first_good,
    labels_of,
    lists_of,
    offerings_to_award,
    problem_lines,
    progress,
)
from guildmark.app.queries.design import blueprint_value
from guildmark.app.records import AwardList, Organisation
from guildmark.app.services import award_lists as services
from guildmark.app.web.answers import attempt, page_of
from guildmark.app.web.loaders import load_award_list, load_offering, load_provider
from guildmark.app.web.provider import form_page
from guildmark.app.web.public import PlainForm
from guildmark.app.web.security import private
from guildmark.assess.result_list import MOST_ROWS, Column, Table, columns_of, date_order, safe_cell, sample_file
from guildmark.core.errors import GuildmarkError
from guildmark.design.blueprint import Blueprint

SHOWN = 5
"""Good rows that the preview shows."""

State = AwardList.State

# --- Every list ---


@private
@audience("person")
@require_safe
def lists(request: HttpRequest, slug: str) -> HttpResponse:
    """The provider's lists with their state, the newest first."""
    provider = load_provider(request, slug, "award")
    page = page_of(request, lists_of(provider))
    context = {"organisation": provider, "page": page, "offerings": offerings_to_award(provider).exists()}
    return render(request, "guildmark/award_lists/lists.html", context)


# --- Uploading ---


class ListFile(forms.FileField):
    """A file of rows, bounded."""

    widget = forms.FileInput(attrs={"accept": ".csv,.txt,.tsv,text/csv,text/plain,text/tab-separated-values"})

    def clean(self, data: Any, initial: Any = None) -> Any:
        given = super().clean(data, initial)
        if given.size > services.LARGEST:
            raise forms.ValidationError(_("That file is larger than 5 MB; split it into several."))
        return given


class UploadForm(PlainForm):
    """A list of learners for one offering."""

    offering = forms.ModelChoiceField(
        queryset=None,
        label=gettext_lazy("Micro-credential"),
        empty_label=gettext_lazy("choose one"),
        help_text=gettext_lazy("Learners who are not enrolled in this offering yet are enrolled."),
        error_messages={"invalid_choice": gettext_lazy("Choose one of the micro-credentials of the list.")},
    )
    source = forms.CharField(
        max_length=200,
        required=False,
        label=gettext_lazy("Where the results come from"),
        help_text=gettext_lazy(
            "The name of your own system, as it shall stand in each credential. Leave it empty if the file brings no "
            "results because the decisions are recorded here already."
        ),
    )
    file = ListFile(
        label=gettext_lazy("File"),
        error_messages={
            "required": gettext_lazy("Choose the file with the learners."),
            "empty": gettext_lazy("This file is empty; choose one with learners in it."),
        },
    )

    def __init__(self, *args: Any, provider: Organisation, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["offering"].queryset = offerings_to_award(provider)
        self.fields["offering"].label_from_instance = lambda row: f"{row.blueprint_version}: {row.title}"
        self.fields["file"].help_text = _(
            "CSV with commas, semicolons or tabs; at most %(rows)s rows and 5 MB. Your own column names are fine."
        ) % {"rows": f"{MOST_ROWS:,}"}


@private
@audience("person")
@require_http_methods(["GET", "HEAD", "POST"])
def upload(request: HttpRequest, slug: str) -> HttpResponse:
    """The page on which a file is uploaded; nothing is awarded by that."""
    provider = load_provider(request, slug, "award")
    first = {"offering": request.GET.get("offering")}
    form = UploadForm(request.POST or None, request.FILES or None, provider=provider, initial=first)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data["file"]
        try:
            row = services.upload_list(
                id=uuid.uuid4(),
                offering=form.cleaned_data["offering"],
                source=form.cleaned_data["source"],
                file_name=given.name,
                body=given.read(),
                actor=request.user,
                now=timezone.now(),
            )
        except GuildmarkError as problem:
            form.add_error("file", str(problem))
        else:
            return redirect("award-list-columns", slug=slug, id=row.id)
    context = {"organisation": provider, "form": form, "offerings": offerings_to_award(provider)}
    return render(request, "guildmark/award_lists/upload.html", context, status=422 if form.errors else 200)


@audience("person")
@require_safe
def sample(request: HttpRequest, slug: str, id: uuid.UUID) -> HttpResponse:
    """A file with the columns of this micro-credential and two invented learners."""
    offering = load_offering(request, slug, id, "award")
    blueprint = blueprint_value(offering.blueprint_version)
    return _csv_answer(sample_file(blueprint), f"{slugify(blueprint.title)[:60] or 'learners'}-sample.csv")


def _csv_answer(body: bytes, name: str) -> HttpResponse:
    response = HttpResponse(body, content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


# --- Columns ---


class ColumnsForm(PlainForm):
    """Which column of the file is which; guessed from its heading."""

    def __init__(
        self, *args: Any, table: Table, columns: tuple[Column, ...], blueprint: Blueprint, **more: Any
    ) -> None:
        super().__init__(*args, **more)
        choices = [("", _("not in the file"))]
        choices += [(str(n), _column_name(n, text)) for n, text in enumerate(table.heading)]
        for column in columns:
            self.fields[column.key] = forms.ChoiceField(
                choices=choices, required=False, label=_column_label(column, blueprint)
            )
        self.fields["order"] = forms.ChoiceField(
            required=False,
            label=_("Dates such as 03/04/2026"),
            choices=[
                ("", _("as the column tells")),
                ("day", _("day first: 3 April")),
                ("month", _("month first: 4 March")),
            ],
        )

    def places(self) -> dict[str, int]:
        """Column key -> place in the file, as chosen."""
        chosen = self.cleaned_data.items()
        return {key: int(place) for key, place in chosen if key != "order" and place != ""}


def _column_name(place: int, text: str) -> str:
    """A heading as a choice: with the letter by which a spreadsheet calls the column."""
    letters, n = "", place + 1
    while n:
        n, rest = divmod(n - 1, 26)
        letters = chr(65 + rest) + letters
    return f"{letters}: {text[:80]}" if text else letters


def _column_label(column: Column, blueprint: Blueprint) -> str:
    match column.key.partition(":")[0]:
        case "name":
            return _("Name")
        case "given":
            return _("Given name, if names are in two columns")
        case "family":
            return _("Family name, if names are in two columns")
        case "email":
            return _("E-mail address")
        case "reference":
            return _("Number or reference in your system (optional)")
        case "assessed_on":
            return _("Day of the result")
        case marker if marker.startswith("marker_"):
            return _("Marker %(n)s") % {"n": marker.removeprefix("marker_")}
        case level:
            titles = {f"{a.id}/{c.id}": f"{a.title}, {c.title}" for a in blueprint.assessments for c in a.criteria}
            says = _("%(criterion)s: level by marker %(n)s")
            return says % {"criterion": titles[column.key.partition(":")[2]], "n": level.removeprefix("level_")}


@private
@audience("person")
@require_http_methods(["GET", "HEAD", "POST"])
def columns(request: HttpRequest, slug: str, id: uuid.UUID) -> HttpResponse:
    """The page on which the columns of the file are named."""
    row = load_award_list(request, slug, id, "award")
    here = reverse("award-list", args=[slug, id])
    if row.state not in (State.COLUMNS, State.READY):
        messages.error(request, _("This list was started already; its columns can no longer be changed."))
        return redirect(here)
    table = attempt(request, lambda: services.table_of(row))
    if table is None:
        return redirect("award-lists", slug=slug)
    blueprint = blueprint_value(row.offering.blueprint_version)
    wanted = columns_of(blueprint)
    guessed = {key: str(place) for key, place in row.columns.items()}
    form = ColumnsForm(
        request.POST if request.method == "POST" else None,
        table=table,
        columns=wanted,
        blueprint=blueprint,
        initial={**guessed, "order": row.date_order},
    )
    if request.method == "POST" and form.is_valid():
        try:
            services.read_list(
                award_list=row,
                columns=form.places(),
                order=form.cleaned_data["order"],
                actor=request.user,
                now=timezone.now(),
            )
        except GuildmarkError as problem:
            form.add_error(_field_of(problem, wanted), str(problem))
        else:
            return redirect(here)
    context = {
        "organisation": row.offering.blueprint_version.provider,
        "list": row,
        "table": table,
        "first": table.rows[:3],
        "undecided": bool(guessed.get("assessed_on")) and not date_order(table, row.columns),
        "separator": {",": _("commas"), ";": _("semicolons"), "\t": _("tabs")}.get(table.delimiter, table.delimiter),
        "form": form,
    }
    return render(request, "guildmark/award_lists/columns.html", context, status=422 if form.errors else 200)


def _field_of(problem: GuildmarkError, wanted: tuple[Column, ...]) -> str | None:
    """The form's field that the problem is about, if it is about one."""
    where = getattr(problem, "where", "")
    if "two ways" in getattr(problem, "what", ""):
        return "order"
    return next((column.key for column in wanted if column.label == where), None)


# --- One list ---


@private
@audience("person")
@require_safe
def award_list(request: HttpRequest, slug: str, id: uuid.UUID) -> HttpResponse:
    """One list: what it would do before it is started, how far it is while it runs, what it did when it is done."""
    row = load_award_list(request, slug, id, "award")
    if row.state == State.COLUMNS:
        return redirect("award-list-columns", slug=slug, id=id)
    found = progress(row, now=timezone.now())
    context = {
        "organisation": row.offering.blueprint_version.provider,
        "list": row,
        "progress": found,
        "labels": {},
    }
    if getattr(request, "htmx", False):
        response = render(request, "guildmark/award_lists/_progress.html", context)
        if row.state != State.RUNNING:
            response.headers["HX-Refresh"] = "true"  # the whole page has more to say now
        return response
    labels = labels_of(columns_of(blueprint_value(row.offering.blueprint_version)))
    page = page_of(request, bad_rows(row))
    context |= {
        "page": page,
        "problems": list(problem_lines(page.object_list, labels)),
        "good": first_good(row, SHOWN) if row.state == State.READY else [],
    }
    return render(request, "guildmark/award_lists/list.html", context)


@audience("person")
@require_safe
@private
def problems(request: HttpRequest, slug: str, id: uuid.UUID) -> StreamingHttpResponse:
    """The rows that cannot be awarded, as a table: row, field, what to mend."""
    row = load_award_list(request, slug, id, "award")
    labels = labels_of(columns_of(blueprint_value(row.offering.blueprint_version)))
    response = StreamingHttpResponse(_problem_lines(row, labels), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = 'attachment; filename="rows-to-mend.csv"'
    return response


class _Echo:
    """A file that hands back what is written to it."""

    def write(self, text: str) -> str:
        return text


def _problem_lines(row: AwardList, labels: dict[str, str]) -> Iterator[str]:
    writer = csv.writer(_Echo())
    yield "\ufeff" + writer.writerow(["row", "field", "reason"])
    for number, field, says in problem_lines(bad_rows(row), labels):
        yield writer.writerow([number, safe_cell(field), safe_cell(says)])


@audience("person")
@require_POST
def start(request: HttpRequest, slug: str, id: uuid.UUID) -> HttpResponse:
    """The list is in the worker's hands."""
    row = load_award_list(request, slug, id, "award")
    attempt(request, lambda: services.start_list(award_list=row, actor=request.user, now=timezone.now()))
    return redirect("award-list", slug=slug, id=id)


@audience("person")
@require_POST
def resume(request: HttpRequest, slug: str, id: uuid.UUID) -> HttpResponse:
    """A list that was interrupted is gone on with, from the row where it stopped."""
    row = load_award_list(request, slug, id, "award")
    if attempt(request, lambda: services.take_up(award_list=row, actor=request.user, now=timezone.now())):
        messages.success(request, _("The list goes on as soon as a worker is free."))
    return redirect("award-list", slug=slug, id=id)


@private
@audience("person")
@require_http_methods(["GET", "HEAD", "POST"])
def discard(request: HttpRequest, slug: str, id: uuid.UUID) -> HttpResponse:
    """A list that was never started is deleted with its file, once that is confirmed."""
    row = load_award_list(request, slug, id, "award")
    here = reverse("award-list", args=[slug, id])
    if request.method == "POST":
        try:
            services.discard_list(award_list=row, actor=request.user, now=timezone.now())
        except GuildmarkError as problem:
            messages.error(request, str(problem))
            return redirect(here)
        messages.success(request, _("The list and its file are deleted; nothing was awarded by it."))
        return redirect("award-lists", slug=slug)
    if row.state not in (State.COLUMNS, State.READY):
        messages.error(request, _("This list was started; what it awarded stands, and so does the list."))
        return redirect(here)
    n = progress(row, now=timezone.now()).total
    rows = ngettext("%(n)s row was read from it.", "%(n)s rows were read from it.", n) % {"n": n}
    return form_page(
        request,
        PlainForm(),
        row.offering.blueprint_version.provider,
        _("Delete this list"),
        _("Delete the list and its file"),
        (here, row.file_name),
        says=f"{_('Nothing has been awarded by it.')} {rows}",
    )
