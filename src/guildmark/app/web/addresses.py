"""E-mail addresses that people have shown to be theirs."""

from __future__ import annotations

from allauth.account.models import EmailAddress
from django.conf import settings

from guildmark.app.records import Person


def confirmed_addresses(person: Person) -> list[str]:
    """E-mail addresses that the person has shown to be theirs, the main one first.

    The invented people of the demo never confirmed any; there, and only there, what the account says is taken.
    """
    found = list(EmailAddress.objects.filter(user=person).order_by("-primary", "email"))
    if settings.DEMO and not found and person.email:
        return [person.email.strip().lower()]
    return [row.email.strip().lower() for row in found if row.verified]
