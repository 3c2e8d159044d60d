"""Signing in is allauth's; here stands what is ours about it: ids, names, and whose credentials an address opens."""

from __future__ import annotations

import uuid

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.models import EmailAddress
from django import forms
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from guildmark.app.records import Person
from guildmark.app.services.people import link_learner


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
    """An account has an id before it is saved, and opens what was awarded to an address once that is confirmed."""

    def new_user(self, request: HttpRequest) -> Person:
        return Person(id=uuid.uuid4())

    def confirm_email(self, request: HttpRequest, email_address: EmailAddress) -> bool:
        confirmed = super().confirm_email(request, email_address)
        if confirmed:
            link_learner(person=email_address.user, email=email_address.email, now=timezone.now())
        return confirmed
