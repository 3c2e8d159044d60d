"""Numbers in public registers: an organisation gives its own, a register or a named person looks it up."""

from __future__ import annotations

import uuid
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from guildmark.adapters.registers import SCHEMES
from guildmark.app.access import audience, require_operator
from guildmark.app.doors import number_register
from guildmark.app.records import RegisterNumber
from guildmark.app.services.numbers import ask_register, claim_number, look_up_by_person
from guildmark.app.web.answers import attempt, page_of
from guildmark.app.web.loaders import load_organisation
from guildmark.app.web.provider import form_page
from guildmark.app.web.public import PlainForm
from guildmark.app.web.sentences import told
from guildmark.core.errors import BrokenInput, GuildmarkError, NotAllowed


class NumberForm(PlainForm):
    """A number and the register that gave it."""

    scheme = forms.ChoiceField(
        label=gettext_lazy("Register"), choices=[(scheme.id, scheme.title) for scheme in SCHEMES.values()]
    )
    number = forms.CharField(
        max_length=60,
        label=gettext_lazy("Number"),
        help_text=gettext_lazy("As the register writes it, such as 03yrm5c26 or PRV12345."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )


class LookForm(PlainForm):
    """What a named person saw in the register."""

    found = forms.ChoiceField(
        label=gettext_lazy("Is it this organisation?"),
        widget=forms.RadioSelect,
        choices=[("yes", gettext_lazy("Yes, the register lists it under this number")), ("no", gettext_lazy("No"))],
    )
    saw = forms.CharField(
        max_length=2000,
        label=gettext_lazy("What you looked at, and what it says"),
        help_text=gettext_lazy("The page or the letter, in a sentence. It is public, with your name and the day."),
        widget=forms.Textarea(attrs={"rows": 3}),
    )


@audience("person")
@require_http_methods(["GET", "HEAD", "POST"])
def claim(request: HttpRequest, slug: str) -> HttpResponse:
    """An administrator says under which number a register knows the organisation."""
    organisation = load_organisation(request, slug, "manage_people")
    form = NumberForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            row = claim_number(
                id=uuid.uuid4(), organisation=organisation, actor=request.user, now=timezone.now(), **form.cleaned_data
            )
        except BrokenInput as problem:
            form.add_error(problem.where if problem.where in form.fields else None, told(problem))
        else:
            _ask(request, row)
            return redirect("people", slug=slug)
    back = (reverse("people", args=[slug]), _("People and roles"))
    says = _("The public register of this site shows it, with who looked it up and what they saw.")
    return form_page(request, form, organisation, _("Give a register number"), _("Give it"), back, says=says)


def _ask(request: HttpRequest, row: RegisterNumber) -> None:
    """The register is asked where a program can; either way the person is told what happens next."""
    register = number_register(row.scheme)
    if register is None:
        messages.info(request, _("The number is noted. A named person of this site looks it up in the register."))
        return
    asked = attempt(request, lambda: ask_register(row=row, register=register, actor=request.user, now=timezone.now()))
    if asked is None:
        messages.info(request, _("The number is noted all the same; ask again later, or wait for a person to look."))
    elif asked.state == RegisterNumber.State.FOUND:
        messages.success(request, _("The register lists it: %(saw)s") % {"saw": asked.saw})
    else:
        messages.info(request, _("The register says: %(saw)s A named person has to look.") % {"saw": asked.saw})


@audience("person")
@require_POST
def ask(request: HttpRequest, slug: str, id: UUID) -> HttpResponse:
    """An administrator lets the register be asked again."""
    organisation = load_organisation(request, slug, "manage_people")
    _ask(
        request,
        get_object_or_404(RegisterNumber.objects.select_related("organisation"), pk=id, organisation=organisation),
    )
    return redirect("people", slug=slug)


def _operators_only(request: HttpRequest) -> None:
    try:
        require_operator(request.user)
    except NotAllowed as problem:
        raise PermissionDenied(str(problem)) from problem


@audience("operator")
@require_safe
def to_look_up(request: HttpRequest) -> HttpResponse:
    """Numbers that no register could confirm, for the operator to look up."""
    _operators_only(request)
    rows = RegisterNumber.objects.filter(state=RegisterNumber.State.CLAIMED).select_related("organisation")
    page = page_of(request, rows.order_by("claimed_at", "id"))
    context = {"page": page, "lines": [(row, SCHEMES[row.scheme]) for row in page.object_list]}
    return render(request, "guildmark/numbers.html", context)


@audience("operator")
@require_http_methods(["GET", "HEAD", "POST"])
def look_up(request: HttpRequest, id: UUID) -> HttpResponse:
    """The operator says what they saw in the register."""
    _operators_only(request)
    row = get_object_or_404(RegisterNumber.objects.select_related("organisation"), pk=id)
    scheme = SCHEMES[row.scheme]
    form = LookForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            look_up_by_person(
                row=row,
                found=given["found"] == "yes",
                by=str(request.user),
                saw=given["saw"],
                actor=request.user,
                now=timezone.now(),
            )
        except GuildmarkError as problem:
            form.add_error(None, told(problem))
        else:
            messages.success(request, _("What you saw is on record with your name."))
            return redirect("numbers-to-look-up")
    facts = [
        (_("Organisation"), f"{row.organisation} ({row.organisation.country})"),
        (_("Register"), scheme.title),
        (_("Number"), row.number),
        (_("Where to look"), scheme.page or _("ask the organisation which register it is")),
    ]
    if row.saw:
        facts.append((_("What was seen so far"), f"{row.saw} ({row.looked_by})"))
    back = (reverse("numbers-to-look-up"), _("Numbers to look up"))
    return form_page(request, form, row.organisation, _("Look up a number"), _("Record"), back, facts=facts)
