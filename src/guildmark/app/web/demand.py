"""Pages of those who measure demand for a provider: job ads come in, and how often they ask for what is counted."""

from __future__ import annotations

import uuid
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_safe

from guildmark.app.access import audience, permits
from guildmark.app.queries.partner import frameworks
from guildmark.app.queries.provider import snapshots
from guildmark.app.queries.skills import words_in
from guildmark.app.records import DemandSnapshot, JobAd, SkillFramework
from guildmark.app.services import skills
from guildmark.app.web.answers import page_of
from guildmark.app.web.loaders import load_provider
from guildmark.app.web.provider import form_page
from guildmark.app.web.public import PlainForm
from guildmark.app.web.sentences import told
from guildmark.core.errors import GuildmarkError
from guildmark.skills.ads import parse_ads
from guildmark.skills.files import decode

LARGEST = 5_000_000
"""Bytes of a file of ads, which is some two thousand of them."""

MOST_ADS = 2000
MOST_PROBLEMS = 200
MOST_LINES = 50


class MeasureForm(PlainForm):
    """What to count: the skills of a framework, in ads that hold some words."""

    framework = forms.ModelChoiceField(
        queryset=None,
        empty_label=None,
        label=gettext_lazy("Skills of which framework"),
    )
    query = forms.CharField(
        required=False,
        max_length=300,
        label=gettext_lazy("Only ads that hold these words"),
        help_text=gettext_lazy("As they stand in the title or the text, such as “data analyst”. Empty: every ad."),
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        field = self.fields["framework"]
        field.queryset = frameworks()
        field.label_from_instance = lambda row: f"{row.title} {row.version}"


@audience("person")
@require_http_methods(["GET", "HEAD", "POST"])
def demand(request: HttpRequest, slug: str) -> HttpResponse:
    """What was measured so far, out of how many ads; a designer measures anew."""
    provider = load_provider(request, slug, *(["design"] if request.method == "POST" else []))
    form = MeasureForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        now = timezone.now()
        try:
            row = skills.refresh_demand(
                id=uuid.uuid4(),
                framework_id=form.cleaned_data["framework"].id,
                query=form.cleaned_data["query"],
                on=now.date(),
                now=now,
                actor=request.user,
            )
        except GuildmarkError as problem:
            form.add_error("query", told(problem))
        else:
            messages.success(request, _("Demand is measured, and frozen as it is today."))
            return redirect("demand-of-day", slug=slug, id=row.id)
    context = {
        "organisation": provider,
        "form": form,
        "ads": JobAd.objects.count(),
        "frameworks": SkillFramework.objects.exists(),
        "page": page_of(request, snapshots()),
        "may_design": permits(request.user, "design", provider),
    }
    return render(request, "guildmark/provider/demand.html", context, status=422 if form.errors else 200)


@audience("person")
@require_safe
def demand_of_day(request: HttpRequest, slug: str, id: uuid.UUID) -> HttpResponse:
    """One measurement: skill by skill, how many ads ask for it, with its interval and the words that they use."""
    provider = load_provider(request, slug)
    row = get_object_or_404(DemandSnapshot, pk=id)
    lines = row.lines[:MOST_LINES]
    words = words_in(row, [line["skill_uri"] for line in lines])
    context = {
        "organisation": provider,
        "row": row,
        "lines": [(line, words.get(line["skill_uri"], [])) for line in lines],
        "more": len(row.lines) - len(lines),
        "may_design": permits(request.user, "design", provider),
    }
    return render(request, "guildmark/provider/demand_of_day.html", context)


class AdsForm(PlainForm):
    """A file of job ads."""

    file = forms.FileField(
        label=gettext_lazy("Job ads"),
        help_text=gettext_lazy(
            "A table (CSV) whose first line names its columns, or one JSON object on each line; at most 5 MB and "
            "2,000 ads. It needs a column text; id, title, employer, place, posted (2026-11-24) and source are welcome."
        ),
        widget=forms.FileInput(attrs={"accept": ".csv,.jsonl,.ndjson,.txt,text/csv,application/jsonl"}),
        error_messages={"required": gettext_lazy("Choose the file with the ads.")},
    )

    def clean_file(self) -> Any:
        given = self.cleaned_data["file"]
        if given.size > LARGEST:
            raise forms.ValidationError(_("The file is larger than 5 MB; divide it, and bring one part after another."))
        try:
            self.read = parse_ads(decode(given.read(), where=given.name), where=given.name)
        except GuildmarkError as problem:
            raise forms.ValidationError(told(problem)) from problem
        if len(self.read.ads) > MOST_ADS:
            says = _("The file has %(n)d ads; divide it into files of at most %(most)d.")
            raise forms.ValidationError(says % {"n": len(self.read.ads), "most": MOST_ADS})
        return given


@audience("person")
@require_http_methods(["GET", "HEAD", "POST"])
def bring_ads(request: HttpRequest, slug: str) -> HttpResponse:
    """A designer brings job ads of their own; rows that cannot be used are listed, the others are in."""
    provider = load_provider(request, slug, "design")
    form = AdsForm(request.POST, request.FILES) if request.method == "POST" else AdsForm()
    back = (reverse("demand", args=[slug]), _("Demand"))
    title = _("Bring job ads")
    if request.method == "POST" and form.is_valid():
        try:
            came = skills.bring_ads(read=form.read, provider=provider, actor=request.user, now=timezone.now())
        except GuildmarkError as problem:
            form.add_error("file", told(problem))
        else:
            return _brought(request, slug, came)
    says = _(
        "They join the job ads that everybody here searches and that demand is measured from, with your organisation "
        "as their source. Bring only what may be public."
    )
    return form_page(request, form, provider, title, _("Bring them"), back, says=says)


def _brought(request: HttpRequest, slug: str, came: skills.Ingested) -> HttpResponse:
    """Back to the demand if every row was taken; otherwise the rows that were not, each with what to mend."""
    says = ngettext("%(n)d ad is in", "%(n)d ads are in", came.added) % {"n": came.added}
    known = ngettext("%(n)d was there already", "%(n)d were there already", came.known) % {"n": came.known}
    whole = f"{says}, {known}." if came.known else f"{says}."
    if not came.problems:
        messages.success(request, whole)
        return redirect("demand", slug=slug)
    context = {
        "organisation": load_provider(request, slug, "design"),
        "says": whole,
        "problems": [(p.row, p.field, told(p.says)) for p in came.problems[:MOST_PROBLEMS]],
        "more": max(0, len(came.problems) - MOST_PROBLEMS),
        "count": len(came.problems),
        "taken": came.added + came.known,
    }
    return render(request, "guildmark/provider/brought.html", context, status=200 if context["taken"] else 422)
