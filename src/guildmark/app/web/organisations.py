"""Organisations begin here: registered by a person, with a first key, and people invited to their roles."""

from __future__ import annotations

import hashlib
import secrets
import uuid
from collections.abc import Callable
from functools import partial

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from guildmark.adapters.registers import SCHEMES
from guildmark.app.access import audience
from guildmark.app.doors import network
from guildmark.app.queries.published import did_path
from guildmark.app.records import Invitation, Membership
from guildmark.app.services.people import (
    accept_invitation,
    accept_own_invitation,
    end_membership,
    found_organisation,
    invite,
    prove_domain,
    state_standing,
)
from guildmark.app.web.addresses import confirmed_addresses
from guildmark.app.web.loaders import load_organisation, load_own_invitation, load_provider
from guildmark.app.web.provider import form_page
from guildmark.app.web.sentences import told
from guildmark.core.errors import BrokenInput, GuildmarkError


class StartForm(forms.Form):
    """What an organisation says of itself when it begins."""

    name = forms.CharField(max_length=200, label=gettext_lazy("Name of the organisation"))
    slug = forms.SlugField(
        max_length=50,
        label=gettext_lazy("Short name"),
        help_text=gettext_lazy(
            "Part of its addresses for good, such as harbour-university: small letters and hyphens."
        ),
    )
    kind = forms.ChoiceField(
        label=gettext_lazy("What it does"),
        choices=[
            ("provider", gettext_lazy("Designs, assesses and awards (a provider)")),
            ("partner", gettext_lazy("Says what work needs, signs and hires (an industry partner)")),
        ],
    )
    country = forms.RegexField(
        r"^[A-Za-z]{2}$",
        label=gettext_lazy("Country"),
        help_text=gettext_lazy("Two letters, such as AU or DE."),
        error_messages={"invalid": gettext_lazy("Write the country as two letters, such as AU.")},
    )


class InviteForm(forms.Form):
    """One role for one e-mail address."""

    email = forms.EmailField(label=gettext_lazy("E-mail address"))
    role = forms.ChoiceField(label=gettext_lazy("Role"), choices=Membership.Role.choices)


@audience("person")
@require_http_methods(["GET", "POST"])
def start(request: HttpRequest) -> HttpResponse:
    """A person registers an organisation and is its administrator."""
    form = StartForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            organisation = found_organisation(
                id=uuid.uuid4(),
                name=given["name"],
                slug=given["slug"].lower(),
                kind=given["kind"],
                country=given["country"].upper(),
                entropy=secrets.token_bytes(32),
                actor=request.user,
                now=timezone.now(),
            )
        except GuildmarkError as problem:
            form.add_error("slug", told(problem))
        else:
            messages.success(
                request, _("%(name)s is registered. Now invite your people.") % {"name": organisation.name}
            )
            return redirect("people", slug=organisation.slug)
    context = _page(form, _("Register an organisation"), _("Register"))
    return render(request, "guildmark/form.html", context, status=422 if form.errors else 200)


def _page(form: forms.Form, title: str, button: str, says: str = "") -> dict[str, object]:
    return {"form": form, "title": title, "button": button, "says": says}


@audience("person")
@require_http_methods(["GET", "POST"])
def people(request: HttpRequest, slug: str) -> HttpResponse:
    """Who acts for the organisation, who is invited; an administrator invites."""
    organisation = load_organisation(request, slug, *(["manage_people"] if request.method == "POST" else []))
    form = InviteForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        invite(
            id=uuid.uuid4(),
            organisation=organisation,
            email=form.cleaned_data["email"],
            role=form.cleaned_data["role"],
            entropy=secrets.token_bytes(24),
            actor=request.user,
            now=timezone.now(),
        )
        messages.success(request, _("An invitation to %(email)s is on its way.") % form.cleaned_data)
        return redirect("people", slug=slug)
    context = {
        "organisation": organisation,
        "members": organisation.memberships.select_related("person").order_by("person__name", "role"),
        "invitations": organisation.invitations.filter(
            accepted_at=None, withdrawn_at=None, expires_at__gt=timezone.now()
        ),
        "numbers": [(row, SCHEMES[row.scheme]) for row in organisation.register_numbers.order_by("claimed_at", "id")],
        "form": form,
        "keys": organisation.keys.order_by("created_at", "id"),
        "key_path": did_path(organisation),
        "may_manage": organisation.memberships.filter(person=request.user, role=Membership.Role.ADMIN).exists(),
    }
    return render(request, "guildmark/people.html", context, status=422 if form.errors else 200)


class StandingForm(forms.Form):
    """How a regulator stands to a provider, which some rulebooks ask."""

    regulated = forms.TypedChoiceField(
        coerce=lambda text: text == "yes",
        widget=forms.RadioSelect,
        label=gettext_lazy("Is your organisation on the register of a regulator?"),
        choices=[("yes", gettext_lazy("Yes")), ("no", gettext_lazy("No"))],
        error_messages={"required": gettext_lazy("Choose one of the two.")},
    )
    register = forms.CharField(
        required=False,
        max_length=300,
        label=gettext_lazy("Which register"),
        help_text=gettext_lazy("The regulator and its register, as they call it. Needed if you are on one."),
    )
    agency = forms.CharField(
        required=False,
        max_length=300,
        label=gettext_lazy("Who reviews your quality from outside"),
        help_text=gettext_lazy("An agency or a council; left empty if nobody does."),
    )


@audience("person")
@require_http_methods(["GET", "HEAD", "POST"])
def standing(request: HttpRequest, slug: str) -> HttpResponse:
    """An administrator says what rulebooks ask about the provider itself."""
    provider = load_provider(request, slug, "manage_people")
    facts = provider.facts
    known = {True: "yes", False: "no"}.get(facts.get("regulated"), "")
    initial = {"regulated": known, "register": facts.get("register", ""), "agency": facts.get("qa_agency", "")}
    form = StandingForm(request.POST if request.method == "POST" else None, initial=initial, label_suffix="")
    if request.method == "POST" and form.is_valid():
        try:
            state_standing(organisation=provider, actor=request.user, now=timezone.now(), **form.cleaned_data)
        except BrokenInput as problem:
            form.add_error("register", told(problem))
        else:
            messages.success(request, _("It is on record; run the quality gate again where it was asked."))
            return redirect("people", slug=slug)
    says = _("Some rulebooks ask it. It is your own word and recorded with your name; others can read it.")
    back = (reverse("people", args=[slug]), _("People and roles"))
    return form_page(request, form, provider, _("How you are regulated"), _("Put it on record"), back, says=says)


@audience("person")
@require_POST
def check_domain(request: HttpRequest, slug: str) -> HttpResponse:
    """An administrator lets the organisation's own domain speak for it."""
    organisation = load_organisation(request, slug, "manage_people")
    try:
        prove_domain(
            organisation=organisation,
            domain=request.POST.get("domain", "")[:300],
            fetcher=network(),
            actor=request.user,
            now=timezone.now(),
        )
    except GuildmarkError as problem:
        messages.error(request, told(problem))
    else:
        messages.success(request, _("%(name)s is checked: its domain says so.") % {"name": organisation.name})
    return redirect("people", slug=slug)


@audience("person")
@require_POST
def remove(request: HttpRequest, slug: str) -> HttpResponse:
    """An administrator ends a role."""
    organisation = load_organisation(request, slug, "manage_people")
    membership = get_object_or_404(Membership, pk=_number(request.POST.get("membership")), organisation=organisation)
    try:
        end_membership(membership=membership, actor=request.user, now=timezone.now())
    except GuildmarkError as problem:
        messages.error(request, told(problem))
    else:
        messages.success(request, _("%(name)s no longer has that role.") % {"name": membership.person})
    return redirect("people", slug=slug)


def _number(text: str | None) -> int:
    if text is None or not text.isascii() or not text.isdigit() or len(text) > 15:
        raise Http404("There is no such role.")
    return int(text)


@audience("person")
@require_http_methods(["GET", "POST"])
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Whoever was invited takes the role; the link alone is not enough, it must be their e-mail address."""
    digest = hashlib.sha256(token.encode()).hexdigest()
    row = Invitation.objects.filter(token_sha256=digest).select_related("organisation", "invited_by").first()
    if row is None:
        raise Http404(_("This invitation is not known. Ask for a new one."))
    return _invitation(request, row, accept_invitation)


@audience("person")
@require_http_methods(["GET", "HEAD", "POST"])
def own_invitation(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """Whoever was invited at an address that they have confirmed takes the role without the mail."""
    row = load_own_invitation(request, id)
    return _invitation(request, row, partial(accept_own_invitation, confirmed=confirmed_addresses(request.user)))


def _invitation(request: HttpRequest, row: Invitation, accept: Callable[..., Membership]) -> HttpResponse:
    if request.method == "POST":
        try:
            accept(invitation=row, actor=request.user, now=timezone.now())
        except GuildmarkError as problem:
            messages.error(request, told(problem))
            return redirect("home")
        messages.success(
            request, _("You act for %(name)s as %(role)s.") % {"name": row.organisation, "role": row.get_role_display()}
        )
        return redirect("home")
    return render(request, "guildmark/invitation.html", {"invitation": row})
