"""Pages of those who mark: the work that waits, one piece of work with its rubric, its file.

A marker sees how many others have marked, never what: own marks only, and everybody's once the decision is made.
The learner is not named, so that a mark is about the work.
"""

from __future__ import annotations

import uuid
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe

from guildmark.app.access import audience, permits
from guildmark.app.doors import blob_store
from guildmark.app.queries.design import blueprint_value
from guildmark.app.queries.provider import is_decided, marks_on, work_marked, work_to_mark
from guildmark.app.queries.waiting import to_mark
from guildmark.app.records import Mark, Organisation, Submission
from guildmark.app.services.assess import mark_work as record
from guildmark.app.web.answers import attempt, page_of
from guildmark.app.web.loaders import load_provider, load_submission
from guildmark.app.web.public import PlainForm
from guildmark.app.web.security import private
from guildmark.app.web.sentences import told
from guildmark.app.work_files import file_name
from guildmark.core.errors import GuildmarkError
from guildmark.design.blueprint import Assessment, Blueprint, Criterion


@private
@audience("person")
@require_safe
def marking(request: HttpRequest, slug: str) -> HttpResponse:
    """The work that waits for this marker, oldest first, and what they marked last."""
    provider = load_provider(request, slug, "mark")
    page = page_of(request, work_to_mark(request.user, provider))
    context = {
        "organisation": provider,
        "page": page,
        "waiting": [(row, _assessment_title(row)) for row in page.object_list],
        "marked": [(row, _assessment_title(row)) for row in work_marked(request.user, provider)],
    }
    return render(request, "guildmark/provider/marking.html", context)


def _assessment_title(row: Submission) -> str:
    """The title from the blueprint's JSON, which the list has read already."""
    assessments = row.enrolment.offering.blueprint_version.document["assessments"]
    return next((a["title"] for a in assessments if a["id"] == row.assessment), row.assessment)


class MarkingForm(PlainForm):
    """One level and a comment for each criterion; `seen` is the SHA-256 of the file that was on the page."""

    seen = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, blueprint: Blueprint, criteria: list[Criterion], **options: Any) -> None:
        super().__init__(*args, **options)
        self.criteria = criteria
        statements = {o.id: o.statement for o in blueprint.outcomes}
        for n, criterion in enumerate(criteria):
            self.fields[f"level_{n}"] = forms.ChoiceField(
                label=criterion.title,
                help_text=_("It shows: %(outcome)s") % {"outcome": statements[criterion.outcome]},
                widget=forms.RadioSelect,
                choices=_levels(criterion),
                error_messages={"required": _("Choose a level.")},
            )
            self.fields[f"comment_{n}"] = forms.CharField(
                label=_("Comment on “%(criterion)s”") % {"criterion": criterion.title},
                required=False,
                max_length=5000,
                widget=forms.Textarea(attrs={"rows": 2}),
            )

    def levels(self) -> dict[str, tuple[str, str]]:
        """Criterion -> the chosen level and the comment."""
        given = self.cleaned_data
        return {c.id: (given[f"level_{n}"], given[f"comment_{n}"]) for n, c in enumerate(self.criteria)}


def _levels(criterion: Criterion) -> list[tuple[str, str]]:
    """The rubric from low to high, each level with its points and descriptor, the pass level named."""
    choices = []
    for level in criterion.levels:
        points = ngettext("%(n)s point", "%(n)s points", 1 if level.points == 1 else 2) % {"n": f"{level.points:g}"}
        note = _(", needed to pass") if level.id == criterion.pass_level else ""
        label = format_html("<strong>{}</strong> ({}{}): {}", level.title, points, note, level.descriptor)
        choices.append((level.id, label))
    return choices


@private
@audience("person")
@require_http_methods(["GET", "HEAD", "POST"])
def mark_work(request: HttpRequest, slug: str, id: uuid.UUID) -> HttpResponse:
    """A marker marks one piece of work, criterion by criterion, and sees their own marks afterwards."""
    work = load_submission(request, slug, id, "mark")
    version = work.enrolment.offering.blueprint_version
    blueprint = blueprint_value(version)
    assessment = next(a for a in blueprint.assessments if a.id == work.assessment)
    mine = set(Mark.objects.filter(submission=work, marker=request.user).values_list("criterion", flat=True))
    left = [c for c in assessment.criteria if c.id not in mine]
    data = request.POST if request.method == "POST" else None
    form = MarkingForm(data, blueprint=blueprint, criteria=left, initial={"seen": work.sha256})
    if request.method == "POST" and not left:
        messages.error(request, _("You have marked this work already; a second look is another marker's."))
        return redirect("mark-work", slug=slug, id=id)
    if request.method == "POST" and form.is_valid():
        if form.cleaned_data["seen"] != work.sha256:
            form.add_error(None, _("The learner has replaced this work since you opened it. Read the new file first."))
            form.data = {**form.data.dict(), "seen": work.sha256}
        else:
            try:
                record(submission=work, levels=form.levels(), marker=request.user, now=timezone.now())
            except GuildmarkError as problem:
                form.add_error(None, told(problem))
            else:
                messages.success(request, _recorded(request, version.provider))
                return redirect("marking", slug=slug)
    decided = is_decided(work.enrolment)
    context = {
        "organisation": version.provider,
        "work": work,
        "version": version,
        "assessment": assessment,
        "form": form if left and not decided else None,
        "decided": decided,
        "marks": _marks(assessment, marks_on(work, request.user)),
    }
    return render(request, "guildmark/provider/mark_work.html", context, status=422 if form.errors else 200)


def _recorded(request: HttpRequest, provider: Organisation) -> str:
    """That the marks are on record, and the way to the piece that waits next, if one does."""
    says, following = _("Your marks are on record."), to_mark(request.user, provider).first()
    if following is None:
        return says
    where = reverse("mark-work", args=[provider.slug, following.id])
    return format_html('{} <a href="{}">{}</a>', says, where, _("Next piece"))


def _marks(assessment: Assessment, marks: list[Mark]) -> list[tuple[str, str, Mark]]:
    """(criterion, level, mark) in the words of the rubric and in its order."""
    return [
        (criterion.title, next(level.title for level in criterion.levels if level.id == mark.level), mark)
        for criterion in assessment.criteria
        for mark in marks
        if mark.criterion == criterion.id
    ]


@private
@audience("person")
@require_safe
def work_file(request: HttpRequest, slug: str, id: uuid.UUID) -> HttpResponse:
    """The file that was handed in, to be kept and never shown as a page of this site."""
    work = load_submission(request, slug, id, "mark", "decide")
    body = attempt(request, lambda: blob_store().get(work.sha256))
    if body is None:
        provider = work.enrolment.offering.blueprint_version.provider
        page, key = ("mark-work", id) if permits(request.user, "mark", provider) else ("decide", work.enrolment_id)
        return redirect(page, slug=slug, id=key)
    response = HttpResponse(body, content_type="application/octet-stream")
    response.headers["Content-Disposition"] = f'attachment; filename="{file_name(work.title, work.media_type)}"'
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return response
