"""The programs of an organisation: an administrator makes keys and clients for them, and says where events are sent.

A secret is on the page that answers the form which made it, and nowhere afterwards.
"""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from guildmark.app.access import audience
from guildmark.app.queries.connections import clients_of, deliveries_of, endpoints_of, kept_since, keys_of
from guildmark.app.records import Organisation, WebhookDelivery, WebhookEndpoint
from guildmark.app.services import api_keys, webhooks
from guildmark.app.services.announce import KINDS, TEST
from guildmark.app.web.answers import attempt, page_of
from guildmark.app.web.loaders import (
    load_api_client,
    load_api_key,
    load_delivery,
    load_endpoint,
    load_organisation,
)
from guildmark.app.web.public import PlainForm
from guildmark.app.web.security import private
from guildmark.app.web.sentences import told
from guildmark.core.errors import BrokenInput, GuildmarkError

STANDINGS = {
    "works": ("✓", gettext_lazy("Works")),
    "orphaned": ("✕", gettext_lazy("Stopped: who made it is no longer an administrator")),
    "ended": ("–", gettext_lazy("Ended")),
    "revoked": ("–", gettext_lazy("Revoked")),
}
"""How a key or client stands: symbol and word."""

DELIVERIES = {
    WebhookDelivery.State.WAITING: ("…", gettext_lazy("Waits")),
    WebhookDelivery.State.HELD: ("–", gettext_lazy("Held back")),
    WebhookDelivery.State.DELIVERED: ("✓", gettext_lazy("Accepted")),
    WebhookDelivery.State.FAILED: ("✕", gettext_lazy("Given up")),
}
"""How a delivery stands: symbol and word."""

SPANS = {
    1: gettext_lazy("the last hour"),
    24: gettext_lazy("the last day"),
    7 * 24: gettext_lazy("the last seven days"),
    30 * 24: gettext_lazy("the last thirty days"),
}
"""Hours -> in words: since when everything can be sent again."""


@audience("person")
@private
@require_safe
def connections(request: HttpRequest, slug: str) -> HttpResponse:
    """Keys, clients and webhook endpoints of the organisation, and how each stands."""
    organisation = load_organisation(request, slug, "manage_keys", "manage_webhooks")
    context = {
        "organisation": organisation,
        "keys": _standing(page_of(request, keys_of(organisation, now=timezone.now()), "keys")),
        "clients": _standing(page_of(request, clients_of(organisation), "clients")),
        "endpoints": [_endpoint_line(endpoint) for endpoint in endpoints_of(organisation)],
    }
    return render(request, "guildmark/connections/connections.html", context)


def _standing(page: Any) -> Any:
    for row in page.object_list:
        row.symbol, row.word = STANDINGS[row.standing]
    return page


def _endpoint_line(endpoint: WebhookEndpoint) -> WebhookEndpoint:
    endpoint.last_symbol, endpoint.last_word = DELIVERIES.get(endpoint.last_state, ("", ""))
    return endpoint


# --- Keys and OAuth clients ---


class ProgramForm(PlainForm):
    """What a program is called, and what it may do; no more than whoever makes its key."""

    name = forms.CharField(
        max_length=200,
        label=gettext_lazy("Name of the program"),
        help_text=gettext_lazy("What it does, so that others know whether it is still needed."),
    )
    scopes = forms.MultipleChoiceField(
        widget=forms.CheckboxSelectMultiple,
        label=gettext_lazy("What it may do"),
        help_text=gettext_lazy("You can give only what your own roles permit. Give as little as it needs."),
        error_messages={"required": gettext_lazy("Choose at least one thing that it may do.")},
    )

    def __init__(self, *args: Any, scopes: tuple[str, ...], **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["scopes"].choices = [(scope, f"{_(api_keys.SCOPES[scope])} ({scope})") for scope in scopes]


class KeyForm(ProgramForm):
    """A key, which ends by itself."""

    days = forms.TypedChoiceField(
        coerce=int,
        initial="90",
        label=gettext_lazy("It ends in"),
        help_text=gettext_lazy("A key that is forgotten stops working by itself. Make a new one before that day."),
        choices=[
            ("30", gettext_lazy("30 days")),
            ("90", gettext_lazy("90 days")),
            ("180", gettext_lazy("180 days")),
            ("365", gettext_lazy("a year")),
        ],
    )


@audience("person")
@private
@require_http_methods(["GET", "POST"])
def new_key(request: HttpRequest, slug: str) -> HttpResponse:
    """An administrator makes a key; the answer shows its secret, once."""
    organisation = load_organisation(request, slug, "manage_keys")

    def make(given: dict[str, Any]) -> HttpResponse:
        now = timezone.now()
        key, secret = api_keys.make_key(
            by=request.user,
            organisation=organisation,
            name=given["name"],
            scopes=given["scopes"],
            expires_at=now + timedelta(days=given["days"]),
            now=now,
        )
        facts = [(_("Secret"), secret)]
        return _shown_once(request, organisation, _("The key “%(name)s” is made") % {"name": key.name}, facts)

    form = KeyForm(_given(request), scopes=api_keys.scopes_for(request.user, organisation))
    says = _("With its key a program reads and awards through the API, in your name and never more than you may.")
    return _make(request, organisation, form, make, _("Make an API key"), _("Make the key"), says)


@audience("person")
@private
@require_http_methods(["GET", "POST"])
def new_client(request: HttpRequest, slug: str) -> HttpResponse:
    """An administrator makes an OAuth client; the answer shows its secret, once."""
    organisation = load_organisation(request, slug, "manage_keys")

    def make(given: dict[str, Any]) -> HttpResponse:
        client, secret = api_keys.make_client(
            by=request.user,
            organisation=organisation,
            name=given["name"],
            scopes=given["scopes"],
            now=timezone.now(),
        )
        facts = [(_("Client ID"), client.client_id), (_("Secret"), secret)]
        return _shown_once(
            request, organisation, _("The OAuth client “%(name)s” is made") % {"name": client.name}, facts
        )

    form = ProgramForm(_given(request), scopes=api_keys.scopes_for(request.user, organisation))
    says = _("A client trades its secret for tokens that work for an hour (OAuth 2.0, client credentials).")
    return _make(request, organisation, form, make, _("Make an OAuth client"), _("Make the client"), says)


@audience("person")
@private
@require_POST
def revoke_key(request: HttpRequest, slug: str, id: uuid.UUID) -> HttpResponse:
    """An administrator ends a key for good."""
    key = load_api_key(request, slug, id)
    api_keys.revoke_key(by=request.user, key=key, now=timezone.now())
    messages.success(request, _("The key “%(name)s” works no longer.") % {"name": key.name})
    return redirect("connections", slug=slug)


@audience("person")
@private
@require_POST
def revoke_client(request: HttpRequest, slug: str, id: uuid.UUID) -> HttpResponse:
    """An administrator ends an OAuth client and its tokens for good."""
    client = load_api_client(request, slug, id)
    api_keys.revoke_client(by=request.user, client=client, now=timezone.now())
    messages.success(request, _("The OAuth client “%(name)s” works no longer.") % {"name": client.name})
    return redirect("connections", slug=slug)


# --- Webhook endpoints ---


class EndpointForm(PlainForm):
    """Where events are sent, and which."""

    url = forms.CharField(
        max_length=500,
        label=gettext_lazy("Address"),
        help_text=gettext_lazy("An https address on the public internet where your program listens."),
        widget=forms.TextInput(attrs={"inputmode": "url", "spellcheck": "false", "autocomplete": "off"}),
    )
    kinds = forms.MultipleChoiceField(
        widget=forms.CheckboxSelectMultiple,
        label=gettext_lazy("Which events are sent there"),
        error_messages={"required": gettext_lazy("Choose at least one kind of event.")},
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["kinds"].choices = [(kind, f"{says} ({kind})") for kind, says in KINDS.items()]


@audience("person")
@private
@require_http_methods(["GET", "POST"])
def new_endpoint(request: HttpRequest, slug: str) -> HttpResponse:
    """An administrator says where events are sent; the answer shows the secret that signs them, once."""
    organisation = load_organisation(request, slug, "manage_webhooks")

    def make(given: dict[str, Any]) -> HttpResponse:
        endpoint, secret = webhooks.add_endpoint(
            id=uuid.uuid4(),
            organisation=organisation,
            url=given["url"],
            kinds=given["kinds"],
            entropy=secrets.token_bytes(64),
            actor=request.user,
            now=timezone.now(),
        )
        return _signing_secret(request, endpoint, _("Events are sent to %(url)s") % {"url": endpoint.url}, secret)

    says = _("When something happens, your program is told by a signed message. It holds ids and addresses, no names.")
    form = EndpointForm(_given(request))
    return _make(request, organisation, form, make, _("Add a webhook endpoint"), _("Add the endpoint"), says)


@audience("person")
@private
@require_safe
def endpoint(request: HttpRequest, slug: str, id: uuid.UUID) -> HttpResponse:
    """One endpoint with what was sent there, what waits, and what can be done."""
    row = load_endpoint(request, slug, id)
    page = page_of(request, deliveries_of(row))
    for delivery in page.object_list:
        delivery.symbol, delivery.word = DELIVERIES[delivery.state]
        delivery.says = _("A test") if delivery.kind == TEST else KINDS.get(delivery.kind, delivery.kind)
    now = timezone.now()
    kept = kept_since(row, now=now)
    context = {
        "organisation": row.organisation,
        "endpoint": row,
        "page": page,
        "kinds": [KINDS.get(kind, kind) for kind in row.kinds],
        "both_sign": row.before_until is not None and row.before_until > now,
        "spans": [(hours, says, kept[hours]) for hours, says in SPANS.items() if kept[hours]],
    }
    return render(request, "guildmark/connections/endpoint.html", context)


@audience("person")
@private
@require_POST
def endpoint_step(request: HttpRequest, slug: str, id: uuid.UUID, step: str) -> HttpResponse:
    """An administrator tests an endpoint, switches it on or off, sends everything again, or removes it."""
    row = load_endpoint(request, slug, id)
    steps = {"test": _test, "on": _on, "off": _off, "again": _again, "remove": _remove}
    if step not in steps:
        raise Http404("There is no such step.")
    said = attempt(request, lambda: steps[step](request, row))
    if said is not None:
        messages.success(request, said)
    if step == "remove":
        return redirect("connections", slug=slug)
    return redirect("endpoint", slug=slug, id=id)


def _test(request: HttpRequest, row: WebhookEndpoint) -> str:
    webhooks.send_test(id=uuid.uuid4(), endpoint=row, actor=request.user, now=timezone.now())
    return _("A test is on its way. Load this page again in a moment to see whether it arrived.")


def _on(request: HttpRequest, row: WebhookEndpoint) -> str:
    count = webhooks.switch_on(endpoint=row, actor=request.user, now=timezone.now())
    return _("Events are sent again.") + " " + _on_their_way(count) if count else _("Events are sent again.")


def _off(request: HttpRequest, row: WebhookEndpoint) -> str:
    because = _("Switched off by %(name)s.") % {"name": request.user}
    webhooks.switch_off(endpoint=row, because=because, actor=request.user, now=timezone.now())
    return _("Nothing is sent for now. What happens meanwhile is held for 30 days.")


def _again(request: HttpRequest, row: WebhookEndpoint) -> str:
    hours = request.POST.get("hours", "")
    if hours not in map(str, SPANS):
        raise BrokenInput(_("that is no span of time"), hint=_("choose one from the list"))
    now = timezone.now()
    since = now - timedelta(hours=int(hours))
    return _on_their_way(webhooks.replay_since(endpoint=row, since=since, actor=request.user, now=now))


def _on_their_way(count: int) -> str:
    return ngettext("%(count)s message is on its way.", "%(count)s messages are on their way.", count) % {
        "count": count
    }


def _remove(request: HttpRequest, row: WebhookEndpoint) -> str:
    webhooks.remove_endpoint(endpoint=row, actor=request.user, now=timezone.now())
    return _("Nothing is sent to %(url)s any more.") % {"url": row.url}


@audience("person")
@private
@require_POST
def rotate(request: HttpRequest, slug: str, id: uuid.UUID) -> HttpResponse:
    """An administrator makes a new secret; the answer shows it, once, and the one before signs too for a day."""
    row = load_endpoint(request, slug, id)
    row, secret = webhooks.rotate_secret(
        endpoint=row, entropy=secrets.token_bytes(64), actor=request.user, now=timezone.now()
    )
    return _signing_secret(request, row, _("There is a new secret for %(url)s") % {"url": row.url}, secret)


@audience("person")
@private
@require_POST
def send_again(request: HttpRequest, slug: str, id: uuid.UUID, delivery: uuid.UUID) -> HttpResponse:
    """An administrator sends one message once more."""
    row = load_delivery(request, slug, id, delivery)
    if attempt(request, lambda: webhooks.replay(delivery=row, actor=request.user, now=timezone.now())):
        messages.success(request, _on_their_way(1))
    return redirect("endpoint", slug=slug, id=id)


# --- Making, and showing once ---


def _given(request: HttpRequest) -> QueryDict | None:
    """What was filled in; a form that was sent empty is not the one that nobody has seen yet."""
    return request.POST if request.method == "POST" else None


def _make(
    request: HttpRequest,
    organisation: Organisation,
    form: forms.Form,
    make: Callable[[dict[str, Any]], HttpResponse],
    title: str,
    button: str,
    says: str,
) -> HttpResponse:
    """The form, or what `make` answers to a good one; a refusal stands at the field that it is about."""
    if request.method == "POST" and form.is_valid():
        try:
            return make(form.cleaned_data)
        except GuildmarkError as problem:
            where = problem.where if isinstance(problem, BrokenInput) else ""
            form.add_error(where if where in form.fields else None, told(problem))
    context = {
        "organisation": organisation,
        "form": form,
        "title": title,
        "button": button,
        "says": says,
        "back": _("Programs and webhooks"),
        "back_to": reverse("connections", args=[organisation.slug]),
    }
    return render(request, "guildmark/provider/form.html", context, status=422 if form.errors else 200)


def _signing_secret(request: HttpRequest, row: WebhookEndpoint, title: str, secret: str) -> HttpResponse:
    return _shown_once(
        request,
        row.organisation,
        title,
        [(_("Secret that signs"), secret)],
        to=reverse("endpoint", args=[row.organisation.slug, row.pk]),
        note=_("Both the new secret and the one before it sign for the next 24 hours, so nothing is lost meanwhile.")
        if row.sealed_before is not None
        else "",
    )


def _shown_once(
    request: HttpRequest,
    organisation: Organisation,
    title: str,
    facts: list[tuple[str, str]],
    *,
    to: str = "",
    note: str = "",
) -> HttpResponse:
    context = {"organisation": organisation, "title": title, "facts": facts, "to": to, "note": note}
    return render(request, "guildmark/connections/secret.html", context)
