"""Apps that a learner lets in: how one registers itself, who it is that calls with its token, and how it is shut out.

Anybody may register an app (RFC 7591, as Open Badges 3.0 asks of a host), so that what an app says of itself is its own
word. What it may do begins with a learner who agreed to it on a page, ends when they end it, and never reaches beyond
what is theirs.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from oauth2_provider.models import get_access_token_model, get_grant_model, get_refresh_token_model

from guildmark.app.records import ApiClient, Learner, Person
from guildmark.app.services.events import note_event
from guildmark.app.services.verbs import verb
from guildmark.core.errors import BrokenInput

_SCOPE = "https://purl.imsglobal.org/spec/ob/v3p0/scope/"

READ_CREDENTIALS = f"{_SCOPE}credential.readonly"
WRITE_CREDENTIALS = f"{_SCOPE}credential.upsert"
READ_PROFILE = f"{_SCOPE}profile.readonly"
WRITE_PROFILE = f"{_SCOPE}profile.update"
OFFLINE = "offline_access"

SCOPES: dict[str, str] = {
    READ_CREDENTIALS: "Read the credentials that the learner holds",
    WRITE_CREDENTIALS: "Add credentials, and replace those that it added by newer ones",
    READ_PROFILE: "Read the learner's name and e-mail address",
    WRITE_PROFILE: "Write the profile that other apps read",
    OFFLINE: "Do so while the learner is away, until they end it",
}
"""Scope -> what it permits, for those who write apps; what a learner reads is in `web.apps`."""

MOST_REDIRECTS = 10
LONGEST = 500
"""Redirect addresses of an app, and characters of anything that it says of itself."""

UNUSED_DAYS = 90
"""An app that nobody let in is forgotten after so many days; it may register again."""

REFRESH_DAYS = 90
"""A refresh token that was not used for so long after its access token ended is worth nothing."""

_URLS = ("client_uri", "logo_uri", "tos_uri", "policy_uri")
_TEXTS = ("client_name", "software_id", "software_version")
_ONLY: Mapping[str, tuple[str, ...]] = {
    "grant_types": ("authorization_code", "refresh_token"),
    "response_types": ("code",),
}
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?")

Entropy = Callable[[int], bytes]


class WrongMetadata(BrokenInput):
    """What an app said of itself cannot be registered; `code` is the word that RFC 7591 has for it."""

    code = "invalid_client_metadata"


class WrongRedirect(WrongMetadata):
    """A redirect address that no app may have."""

    code = "invalid_redirect_uri"


@dataclass(frozen=True, slots=True)
class Holder:
    """For which learner an app calls, and what they let it do."""

    learner: Learner
    client: ApiClient
    scopes: frozenset[str]


# --- Registering ---


@verb
def register_app(
    *, id: UUID, said: Mapping[str, Any], now: datetime, entropy: Entropy = secrets.token_bytes
) -> tuple[ApiClient, str]:
    """An app is known here under a client id, and may ask learners to let it in; (client, secret).

    `said` is the JSON of its registration request. `facts` of the client are what is registered: everything required,
    known scopes only. The secret is returned once and kept as a hash. WrongMetadata for what is missing or no such
    thing: every address is https, and all are on one host (Open Badges 3.0, "Register with Authorization Server").
    """
    facts = _registered(said)
    _forget_unused(now=now)
    secret = entropy(32).hex()
    client = ApiClient.objects.create(
        id=id,
        client_id=f"gma_{entropy(12).hex()}",
        client_secret=secret,
        client_type=ApiClient.CLIENT_CONFIDENTIAL,
        authorization_grant_type=ApiClient.GRANT_AUTHORIZATION_CODE,
        registration_source=ApiClient.RegistrationSource.DCR,
        redirect_uris=" ".join(facts["redirect_uris"]),
        name=facts["client_name"][:255],
        scopes=facts["scope"].split(),
        facts=facts,
        created_at=now,
    )
    note_event(verb="register_app", subject=client.client_id, actor=None, now=now)
    return client, secret


def _registered(said: Mapping[str, Any]) -> dict[str, Any]:
    facts: dict[str, Any] = {name: _text(said, name) for name in _TEXTS}
    hosts = set()
    for name in _URLS:
        facts[name] = _text(said, name)
        hosts.add(_host(facts[name], name, WrongMetadata))
    redirects = said.get("redirect_uris")
    if not isinstance(redirects, list) or not 1 <= len(redirects) <= MOST_REDIRECTS:
        raise WrongRedirect(f"is not a list of 1 to {MOST_REDIRECTS} addresses", where="redirect_uris")
    for address in redirects:
        hosts.add(_host(address, "redirect_uris", WrongRedirect))
    if len(hosts) != 1:
        raise WrongMetadata("are on several hosts", where="the addresses", hint="all must be on one host")
    facts["redirect_uris"] = redirects
    method = said.get("token_endpoint_auth_method", "client_secret_basic")
    if method != "client_secret_basic":
        raise WrongMetadata("is not client_secret_basic", where="token_endpoint_auth_method")
    facts["token_endpoint_auth_method"] = method
    for name, known in _ONLY.items():
        facts[name] = _some_of(said.get(name, [known[0]]), known, name)
    if "authorization_code" not in facts["grant_types"]:
        raise WrongMetadata("does not have authorization_code", where="grant_types")
    facts["scope"] = _scopes(said.get("scope"))
    if "contacts" in said:
        facts["contacts"] = _contacts(said["contacts"])
    return facts


def _text(said: Mapping[str, Any], name: str) -> str:
    value = said.get(name)
    if not isinstance(value, str) or not value.strip() or not value.isprintable() or len(value) > LONGEST:
        raise WrongMetadata(f"is missing, or not a text of at most {LONGEST} characters", where=name)
    return value


def _host(address: Any, name: str, wrong: type[WrongMetadata]) -> str:
    """The host of an https address that can stand in a header, and in a list with spaces between."""
    says = "is not an https address without a user, a fragment or a space"
    if not isinstance(address, str) or len(address) > LONGEST or not re.fullmatch(r"[!-~]+", address):
        raise wrong(says, where=name)
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
        port = parts.port
    except ValueError as problem:
        raise wrong(says, where=name) from problem
    plainly = host if port is None else f"{host}:{port}"
    if parts.scheme != "https" or parts.netloc.lower() != plainly or not _HOST.fullmatch(plainly) or "#" in address:
        raise wrong(says, where=name)
    return host


def _some_of(value: Any, known: tuple[str, ...], name: str) -> list[str]:
    if not isinstance(value, list) or not value or not all(isinstance(v, str) and v in known for v in value):
        raise WrongMetadata(f"is not a list of {' and '.join(known)}", where=name)
    return list(dict.fromkeys(value))


def _scopes(value: Any) -> str:
    asked = value.split() if isinstance(value, str) else []
    known = [scope for scope in SCOPES if scope in asked]
    if not set(known) - {OFFLINE}:
        raise WrongMetadata("names no scope of Open Badges 3.0", where="scope", hint="discovery lists them")
    return " ".join(known)


def _contacts(value: Any) -> list[str]:
    if not isinstance(value, list) or len(value) > MOST_REDIRECTS:
        raise WrongMetadata(f"is not a list of at most {MOST_REDIRECTS} texts", where="contacts")
    return [_text({"contacts": entry}, "contacts") for entry in value]


def _forget_unused(*, now: datetime) -> None:
    """Apps that registered long ago and that nobody lets in are gone."""
    ApiClient.objects.filter(
        organisation=None,
        created_at__lte=now - timedelta(days=UNUSED_DAYS),
        accesstoken=None,
        refreshtoken=None,
        grant=None,
    ).delete()


# --- Calling ---


def holder_of(token: str, *, now: datetime) -> Holder | None:
    """For whom this token calls; None for one that is unknown, ended, or an organisation's.

    None, too, once the learner's account is closed or was erased. Two statements.
    """
    checksum = hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
    row = (
        get_access_token_model()
        .objects.filter(token_checksum=checksum, expires__gt=now, application__organisation=None, user__is_active=True)
        .select_related("application")
        .first()
    )
    if row is None or row.application is None or row.application.revoked_at is not None:
        return None
    learner = Learner.objects.filter(person_id=row.user_id, erased_at=None).first()
    if learner is None:
        return None
    scopes = frozenset(s for s in row.scope.split() if s in SCOPES and s in row.application.scopes)
    return Holder(learner, row.application, scopes)


# --- Letting in and shutting out ---


@verb
def note_let_in(*, person: Person, client: ApiClient, now: datetime) -> None:
    """That a learner let an app in is on record."""
    note_event(verb="let_app_in", subject=client.client_id, actor=person, now=now)


@verb
def shut_out(*, person: Person, client: ApiClient, now: datetime) -> None:
    """The app acts for this person no more, from this moment; shutting it out twice changes nothing."""
    if forget_tokens(person, client):
        note_event(verb="shut_app_out", subject=client.client_id, actor=person, now=now)


def forget_tokens(person: Person, client: ApiClient | None = None) -> int:
    """How many codes and tokens of the person's were there; of this app, or of all of them. They are gone."""
    of = {"user": person} if client is None else {"user": person, "application": client}
    models = (get_grant_model(), get_refresh_token_model(), get_access_token_model())
    return sum(model.objects.filter(**of).delete()[0] for model in models)
