"""The audit trail of an organisation, for its administrators: who did what, and when. Nobody can change it."""

from __future__ import annotations

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from guildmark.app.access import audience
from guildmark.app.queries.trail import KINDS, OTHER, steps, trail_of
from guildmark.app.web.answers import page_of
from guildmark.app.web.loaders import load_organisation
from guildmark.app.web.public import PlainForm
from guildmark.app.web.security import private


class KindForm(PlainForm):
    """Which steps to show."""

    kind = forms.ChoiceField(
        required=False,
        label=gettext_lazy("Show"),
        choices=[
            ("", gettext_lazy("everything")),
            *((kind, title) for kind, (title, _verbs) in KINDS.items()),
            (OTHER, gettext_lazy("everything else")),
        ],
    )


@private
@audience("person")
@require_safe
def trail(request: HttpRequest, slug: str) -> HttpResponse:
    """What was done for the organisation or concerned it, the latest first."""
    organisation = load_organisation(request, slug, "manage_people")
    form = KindForm(request.GET)
    kind = form.cleaned_data["kind"] if form.is_valid() else ""
    page = page_of(request, trail_of(organisation, kind=kind))
    context = {
        "organisation": organisation,
        "page": page,
        "steps": steps(page.object_list),
        "form": form,
        "query": f"kind={kind}" if kind else "",
    }
    return render(request, "guildmark/trail.html", context)
