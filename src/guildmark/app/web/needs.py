"""Pages about needs: a partner says whom it cannot find, without being asked; providers answer with a draft."""

from __future__ import annotations

import uuid
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from guildmark.app.access import audience, permits
from guildmark.app.queries.needs import FIELDS, answers_of, drafts_for, needs_for, needs_of
from guildmark.app.records import BlueprintVersion, Need, Organisation
from guildmark.app.services import needs as verbs
from guildmark.app.web.answers import attempt, page_of
from guildmark.app.web.loaders import load_partner, load_provider
from guildmark.app.web.provider import form_page
from guildmark.app.web.public import PlainForm
from guildmark.app.web.sentences import told
from guildmark.core.errors import BrokenInput, GuildmarkError
from guildmark.skills.ads import LONGEST_TEXT

# --- A partner's needs ---


class NeedForm(PlainForm):
    """Whom the partner cannot find."""

    role = forms.CharField(max_length=300, label=gettext_lazy("Role"), help_text=gettext_lazy("As you would call it."))
    words = forms.CharField(
        max_length=LONGEST_TEXT,
        label=gettext_lazy("What these people have to be able to do"),
        help_text=gettext_lazy("In your own words, or the text of a job ad. Every provider here can read it."),
        widget=forms.Textarea(attrs={"rows": 8}),
    )
    field = forms.ChoiceField(
        required=False,
        label=gettext_lazy("Field"),
        help_text=gettext_lazy("Providers who design in this field are told first."),
        choices=[("", gettext_lazy("any field")), *FIELDS.items()],
    )
    hires = forms.IntegerField(
        min_value=1,
        max_value=verbs.MOST_HIRES,
        label=gettext_lazy("How many people"),
        widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
    )
    by_when = forms.DateField(
        label=gettext_lazy("By when"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )


class CloseForm(PlainForm):
    """Why a need is closed."""

    reason = forms.CharField(
        max_length=2000,
        label=gettext_lazy("What became of it"),
        error_messages={"required": gettext_lazy("Say in a sentence what became of it.")},
        widget=forms.Textarea(attrs={"rows": 2}),
    )


@audience("person")
@require_safe
def needs(request: HttpRequest, slug: str) -> HttpResponse:
    """Every need of the partner and how it stands."""
    partner = load_partner(request, slug)
    context = {
        "organisation": partner,
        "page": page_of(request, needs_of(partner)),
        "may_open": permits(request.user, "hire", partner),
    }
    return render(request, "guildmark/partner/needs.html", context)


@audience("person")
@require_http_methods(["GET", "HEAD", "POST"])
def open_need(request: HttpRequest, slug: str) -> HttpResponse:
    """The partner opens a need; nobody has to ask it first."""
    partner = load_partner(request, slug, "hire")
    form = NeedForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            row = verbs.open_need(
                id=uuid.uuid4(), partner=partner, actor=request.user, now=timezone.now(), **form.cleaned_data
            )
        except BrokenInput as problem:
            form.add_error(problem.where if problem.where in form.fields else None, told(problem))
        except GuildmarkError as problem:
            form.add_error(None, told(problem))
        else:
            messages.success(request, _("Your need is open: providers see it and can answer with a draft."))
            return redirect("need", slug=slug, id=row.id)
    back = (reverse("needs", args=[slug]), _("What we need"))
    says = _("You need no invitation. Say whom you cannot find, and providers answer with a draft that you can shape.")
    return form_page(request, form, partner, _("Open a need"), _("Open it"), back, says=says)


def _need(partner: Organisation, id: UUID) -> Need:
    return get_object_or_404(Need.objects.select_related("partner", "opened_by"), pk=id, partner=partner)


@audience("person")
@require_safe
def need(request: HttpRequest, slug: str, id: UUID) -> HttpResponse:
    """One need: what was said, the skills found in it, the drafts that answer it."""
    partner = load_partner(request, slug)
    return _need_page(request, partner, _need(partner, id), CloseForm())


def _need_page(request: HttpRequest, partner: Organisation, row: Need, form: CloseForm) -> HttpResponse:
    context = {
        "organisation": partner,
        "need": row,
        "field": FIELDS.get(row.field, ""),
        "answers": answers_of(row),
        "form": form,
        "may_close": row.state != Need.State.CLOSED and permits(request.user, "hire", partner),
    }
    return render(request, "guildmark/partner/need.html", context, status=422 if form.errors else 200)


@audience("person")
@require_POST
def close_need(request: HttpRequest, slug: str, id: UUID) -> HttpResponse:
    """The partner closes a need, with what became of it."""
    partner = load_partner(request, slug, "hire")
    row = _need(partner, id)
    form = CloseForm(request.POST)
    if not form.is_valid():
        return _need_page(request, partner, row, form)
    reason = form.cleaned_data["reason"]
    if attempt(request, lambda: verbs.close_need(need=row, reason=reason, actor=request.user, now=timezone.now())):
        messages.success(request, _("The need is closed; the drafts that answered it stay."))
    return redirect("need", slug=slug, id=id)


# --- What providers see of them ---


class AnswerForm(PlainForm):
    """The draft that answers."""

    draft = forms.ModelChoiceField(
        queryset=BlueprintVersion.objects.none(),
        label=gettext_lazy("Your draft"),
        empty_label=gettext_lazy("Choose one"),
        help_text=gettext_lazy("The partner can read its map, comment on it and sign it from then on."),
        error_messages={
            "required": gettext_lazy("Choose the draft that answers this need."),
            "invalid_choice": gettext_lazy("That is no draft of yours that could answer; choose one from the list."),
        },
    )

    def __init__(self, *args: Any, provider: Organisation, need: Need, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["draft"].queryset = drafts_for(provider, need)


@audience("person")
@require_safe
def open_needs(request: HttpRequest, slug: str) -> HttpResponse:
    """Needs that the provider could answer: in its own fields, or in every field."""
    provider = load_provider(request, slug)
    every = request.GET.get("fields") == "all"
    page = page_of(request, needs_for(provider, every_field=every))
    context = {
        "organisation": provider,
        "page": page,
        "lines": [(row, FIELDS.get(row.field, "")) for row in page.object_list],
        "every": every,
        "query": "fields=all" if every else "",
    }
    return render(request, "guildmark/provider/needs.html", context)


@audience("person")
@require_http_methods(["GET", "HEAD", "POST"])
def answer_need(request: HttpRequest, slug: str, id: UUID) -> HttpResponse:
    """One need as a provider reads it; a designer answers it with a draft."""
    provider = load_provider(request, slug, *(["design"] if request.method == "POST" else []))
    row = needs_for(provider, every_field=True).filter(pk=id).first()
    if row is None:
        raise Http404(_("This need is not open any more."))
    form = AnswerForm(request.POST if request.method == "POST" else None, provider=provider, need=row)
    if request.method == "POST" and form.is_valid():
        draft = form.cleaned_data["draft"]
        try:
            verbs.answer_need(need=row, version=draft, actor=request.user, now=timezone.now())
        except GuildmarkError as problem:
            form.add_error("draft", told(problem))
        else:
            messages.success(
                request,
                _("%(partner)s is told, and can read “%(title)s”.") % {"partner": row.partner, "title": draft.title},
            )
            return redirect("answer-need", slug=slug, id=id)
    context = {
        "organisation": provider,
        "need": row,
        "field": FIELDS.get(row.field, ""),
        "form": form,
        "may_design": permits(request.user, "design", provider),
    }
    return render(request, "guildmark/provider/need.html", context, status=422 if form.errors else 200)
