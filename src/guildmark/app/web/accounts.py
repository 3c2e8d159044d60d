"""Signing in is allauth's; here stands what is ours about it: ids, names, and whose credentials an address opens."""

from __future__ import annotations

import uuid
from typing import Any
from urllib.parse import urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.authentication import get_authentication_records
from allauth.account.internal.stagekit import unstash_login
from allauth.account.models import EmailAddress
from allauth.account.signals import email_confirmed
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialAccount, SocialLogin
from allauth.socialaccount.providers.openid_connect.views import login as ask_elsewhere
from django import forms
from django.conf import settings
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as say
from django.utils.translation import gettext_lazy as _
from requests import RequestException

from guildmark.app.access import audience
from guildmark.app.records import Person
from guildmark.app.services.people import link_learner
from guildmark.app.web.languages import remember
from guildmark.app.web.security import private


class NameForm(forms.Form):
    """Added to the form by which a person makes an account."""

    name = forms.CharField(
        max_length=200,
        label=_("Your name"),
        help_text=_("As others should see it."),
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )

    def signup(self, request: HttpRequest, user: Person) -> None:
        """allauth calls this once the account is made."""
        user.name = self.cleaned_data["name"]
        user.save(update_fields=["name"])


class AccountAdapter(DefaultAccountAdapter):
    """An account has an id before it is saved, and the language in which it was made; signing in brings it back."""

    def new_user(self, request: HttpRequest) -> Person:
        return Person(id=uuid.uuid4(), language=get_language() or "")

    def post_login(self, request: HttpRequest, user: Person, **how: Any) -> HttpResponse:
        response = super().post_login(request, user, **how)
        if user.language in dict(settings.LANGUAGES):
            remember(response, user.language)
        return response


@receiver(email_confirmed)
def open_what_the_address_opens(request: HttpRequest, email_address: EmailAddress, **more: Any) -> None:
    """What was awarded to an address is its owner's once it is confirmed, and the account nobody else's.

    allauth's signal and not its adapter, which is not asked when an address is confirmed by a code for signing in.
    """
    person = email_address.user
    if person.last_login is None:
        forget_unproven_ways_in(request, person)
    link_learner(person=person, email=email_address.email, now=timezone.now())


def forget_unproven_ways_in(request: HttpRequest, person: Person) -> None:
    """Leaves the new account no way in but the one that was used in this session.

    Anybody can begin an account under an address that is not theirs and wait for its owner to confirm it, by a code or
    a forgotten password. What the one who began it chose, a password or an account elsewhere, must not open it then.
    """
    begun = unstash_login(request, peek=True)
    if begun is not None and begun.signup and begun.user == person:
        return  # whoever began it is whoever confirmed it
    used = get_authentication_records(request, person)
    if person.has_usable_password() and not any(way["method"] in ("password", "password_reset") for way in used):
        person.set_unusable_password()
        person.save(update_fields=["password"])
    here = {(way.get("provider"), way.get("uid")) for way in used if way["method"] == "socialaccount"}
    for account in SocialAccount.objects.filter(user=person):
        if (account.provider, account.uid) not in here:
            account.delete()


class ElsewhereAdapter(DefaultSocialAccountAdapter):
    """An account elsewhere brings a name and an address; it opens no account but the one that it was connected to.

    An address counts as confirmed only where the provider says `true`. Even then it never opens an account that has
    the address already: its owner is told by mail, signs in there and connects the other account.
    """

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        for address in sociallogin.email_addresses:
            address.verified = address.verified is True  # some providers send words, and "false" is one

    def populate_user(self, request: HttpRequest, sociallogin: SocialLogin, data: dict[str, Any]) -> Person:
        person: Person = super().populate_user(request, sociallogin, data)
        parts = (data.get("first_name"), data.get("last_name"))
        name = str(data.get("name") or " ".join(str(part) for part in parts if part)).strip()
        person.name = (name or person.email.partition("@")[0])[:200]
        return person

    def save_user(self, request: HttpRequest, sociallogin: SocialLogin, form: forms.Form | None = None) -> Person:
        person: Person = super().save_user(request, sociallogin, form=form)
        for address in EmailAddress.objects.filter(user=person, verified=True).order_by("-primary", "id"):
            link_learner(person=person, email=address.email, now=timezone.now())
        return person

    def get_signup_form_initial_data(self, sociallogin: SocialLogin) -> dict[str, Any]:
        return {**super().get_signup_form_initial_data(sociallogin), "name": sociallogin.user.name}


@audience("public")
@private
def sign_in_elsewhere(request: HttpRequest, provider_id: str) -> HttpResponse:
    """allauth's page, which leads to the provider by a page of ours and says so if the provider does not answer.

    Under our policy a form may lead to this site only, and browsers hold a redirect after it to that too.
    """
    try:
        response = ask_elsewhere(request, provider_id)
    except (RequestException, KeyError, ValueError):  # no answer, or none that describes an OpenID provider
        context = {"problem": say("Your sign-in service does not answer now. Try again later, or sign in another way.")}
        return render(request, "guildmark/problem.html", context, status=503)
    where = response.headers.get("Location", "")
    if not urlsplit(where).netloc:
        return response
    context = {"where": where, "host": urlsplit(where).netloc}
    return render(request, "guildmark/elsewhere.html", context)
