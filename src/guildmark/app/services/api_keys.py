"""Programs that act for an organisation: their keys and OAuth clients, and who it is that calls with one.

A program never does more than the person who made its key may do: each scope needs a role, and whoever has left the
organisation, or no longer administers it, leaves no key behind that works. What is awarded with a key is awarded by
its maker, and is on record as such.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hmac import compare_digest
from uuid import UUID, uuid4

from django.conf import settings
from django.db.models import Q
from oauth2_provider.models import get_access_token_model, get_grant_model, get_refresh_token_model
from oauth2_provider.scopes import BaseScopes

from guildmark.app.access import ACTIONS
from guildmark.app.records import ApiClient, ApiKey, Membership, Organisation, Person
from guildmark.app.services import apps
from guildmark.app.services.apps import REFRESH_DAYS
from guildmark.app.services.events import note_event
from guildmark.app.services.verbs import fits, hold, verb
from guildmark.core.errors import BrokenInput, NotAllowed

SCOPES: dict[str, str] = {
    "blueprints:read": "Read blueprints of the organisation",
    "awards:read": "Read decisions and awards, with the names and e-mail addresses of learners",
    "awards:write": "Award what was decided",
    "status:write": "Suspend, reinstate and revoke awards",
    "stacks:read": "Read stack rules, and how far a learner is",
    "matches:read": "Read the rankings that the organisation ran",
    "verify": "Check credentials without the bound for strangers",
    "credentials:issue": "Sign any credential in the organisation's name; on test servers alone",
}
"""Scope -> what it permits, in words for whoever makes a key."""

_NEEDS: dict[str, tuple[str, ...]] = {
    "blueprints:read": (),
    "awards:read": ("decide", "award", "change_status"),
    "awards:write": ("award",),
    "status:write": ("change_status",),
    "stacks:read": ("decide", "award", "change_status"),
    "matches:read": ("hire",),
    "verify": (),
    "credentials:issue": ("award",),
}
"""Scope -> actions of `access.ACTIONS` of which the maker must be permitted one; () for any role."""

MOST_DAYS = 400
"""A key that is forgotten ends within little more than a year."""

MOST_KEYS = 50
"""Keys of one organisation that work, and clients likewise."""

_BEGINS = "gmk_"
_SEEN_EVERY = timedelta(minutes=10)

Entropy = Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class Caller:
    """For whom a request is made. `id` names the key or client; `actor` made it and answers for what it does."""

    id: str
    organisation: Organisation
    actor: Person
    scopes: frozenset[str]


def scopes_for(by: Person, organisation: Organisation) -> tuple[str, ...]:
    """The scopes that a key may have which this person makes for the organisation. One statement."""
    return tuple(scope for scope in SCOPES if _permitted(scope, _roles(by, organisation)))


def _roles(person: Person, organisation: Organisation) -> frozenset[str]:
    if not person.is_active:
        return frozenset()
    rows = Membership.objects.filter(person=person, organisation=organisation)
    return frozenset(rows.values_list("role", flat=True))


def _permitted(scope: str, roles: frozenset[str]) -> bool:
    if scope == "credentials:issue" and not settings.VC_API:
        return False  # on a real site only what was decided is awarded, and nothing else is signed
    needs = _NEEDS[scope]
    return bool(roles) and (not needs or any(roles & ACTIONS[action] for action in needs))


@verb
def make_key(
    *,
    by: Person,
    organisation: Organisation,
    name: str,
    scopes: Iterable[str],
    expires_at: datetime,
    now: datetime,
    id: UUID | None = None,
    entropy: Entropy = secrets.token_bytes,
) -> tuple[ApiKey, str]:
    """A program may act for the organisation until `expires_at`; (key, secret).

    The secret is returned once and kept only as a hash. BrokenInput for a scope that is not known or that `by` has no
    role for.
    """
    wanted = _checked(by, organisation, ApiKey, name, scopes, now)
    if not now < expires_at <= now + timedelta(days=MOST_DAYS):
        raise BrokenInput(
            "that is no time for a key to end", where="expires_at", hint=f"choose a day within {MOST_DAYS} days"
        )
    prefix = _BEGINS + entropy(4).hex()
    secret = f"{prefix}_{entropy(24).hex()}"
    key = ApiKey.objects.create(
        id=id or uuid4(),
        organisation=organisation,
        name=name.strip(),
        scopes=wanted,
        prefix=prefix,
        secret_sha256=_hash(secret),
        created_by=by,
        created_at=now,
        expires_at=expires_at,
    )
    note_event(
        verb="make_api_key",
        subject=organisation.slug,
        organisation=organisation,
        actor=by,
        now=now,
        key=str(key.id),
        scopes=wanted,
        expires_at=expires_at.isoformat(),
    )
    return key, secret


@verb
def revoke_key(*, by: Person, key: ApiKey, now: datetime) -> None:
    """Nobody acts with the key any more; revoking it twice changes nothing."""
    if ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=now):
        note_event(
            verb="revoke_api_key",
            subject=key.organisation.slug,
            organisation=key.organisation,
            actor=by,
            now=now,
            key=str(key.pk),
        )


@verb
def make_client(
    *,
    by: Person,
    organisation: Organisation,
    name: str,
    scopes: Iterable[str],
    now: datetime,
    id: UUID | None = None,
    entropy: Entropy = secrets.token_bytes,
) -> tuple[ApiClient, str]:
    """A program gets tokens for the organisation at /oauth/token with `client_id` and a secret; (client, secret).

    The secret is returned once and kept only as a hash. As with keys, `by` needs a role for each scope.
    """
    wanted = _checked(by, organisation, ApiClient, name, scopes, now)
    secret = entropy(32).hex()
    client = ApiClient.objects.create(
        id=id or uuid4(),
        client_id=f"gmc_{entropy(12).hex()}",
        client_secret=secret,
        client_type=ApiClient.CLIENT_CONFIDENTIAL,
        authorization_grant_type=ApiClient.GRANT_CLIENT_CREDENTIALS,
        name=name.strip(),
        organisation=organisation,
        scopes=wanted,
        created_by=by,
        created_at=now,
    )
    note_event(
        verb="make_api_client",
        subject=organisation.slug,
        organisation=organisation,
        actor=by,
        now=now,
        client=str(client.id),
        scopes=wanted,
    )
    return client, secret


@verb
def revoke_client(*, by: Person, client: ApiClient, now: datetime) -> None:
    """The client gets no token any more, and those it has work no longer; revoking it twice changes nothing."""
    if ApiClient.objects.filter(pk=client.pk, revoked_at=None).update(revoked_at=now):
        get_access_token_model().objects.filter(application=client).delete()
        note_event(
            verb="revoke_api_client",
            subject=client.organisation.slug,
            organisation=client.organisation,
            actor=by,
            now=now,
            client=str(client.pk),
        )


def _checked(
    by: Person,
    organisation: Organisation,
    record: type[ApiKey] | type[ApiClient],
    name: str,
    scopes: Iterable[str],
    now: datetime,
) -> list[str]:
    """The scopes, each once and in the order of SCOPES; BrokenInput for what no key can be made of."""
    if not name.strip() or not name.isprintable():
        raise BrokenInput("the name is empty or cannot be printed", where="name", hint="say what the program does")
    fits(record, name=name.strip())
    asked = set(scopes)
    if unknown := sorted(asked - set(SCOPES)):
        raise BrokenInput(f"{unknown[0]!r} is not a scope", where="scopes", hint=f"choose from {', '.join(SCOPES)}")
    if not asked:
        raise BrokenInput("there is no scope", where="scopes", hint="choose what the program may do")
    roles = _roles(by, organisation)
    for scope in (s for s in SCOPES if s in asked):
        if not _permitted(scope, roles):
            needs = sorted({str(role) for action in _NEEDS[scope] for role in ACTIONS[action]})
            raise BrokenInput(
                f"a key with {scope} needs a maker with the role {' or '.join(needs) or 'of a member'}",
                where="scopes",
                hint="take that role first, or leave the scope out",
            )
    hold(organisation)
    live = record.objects.filter(organisation=organisation, revoked_at=None)
    if record is ApiKey:
        live = live.filter(expires_at__gt=now)
    if live.count() >= MOST_KEYS:
        raise NotAllowed(f"{organisation} has {MOST_KEYS} of them already: revoke one that is not used any more.")
    return [s for s in SCOPES if s in asked]


@verb
def forget_old_tokens(*, now: datetime) -> None:
    """Codes and tokens that ended a day ago or earlier are gone; a token that can still be refreshed stays until then.

    What a refresh token permits stands in the access token that it came with, so the two go together. Refresh tokens
    that were used or ended stay as long, since one that is shown again tells that it was stolen.
    """
    tokens, refresh = get_access_token_model().objects, get_refresh_token_model().objects
    ended, beyond = now - timedelta(days=1), now - timedelta(days=REFRESH_DAYS)
    get_grant_model().objects.filter(expires__lte=ended).delete()
    refresh.filter(Q(revoked__lte=beyond) | Q(revoked=None, access_token__expires__lte=beyond)).delete()
    tokens.filter(expires__lte=ended).exclude(pk__in=refresh.filter(revoked=None).values("access_token")).delete()


# --- Who calls ---


def caller_of(secret: str, *, now: datetime) -> Caller | None:
    """Whose secret this is: a key's or a token's; None for one that is unknown, expired or revoked.

    None, too, once the maker is no longer active or no longer an administrator of the organisation; and scopes that
    their other roles no longer permit are left out. Two statements; one more every ten minutes for a key.
    """
    found = _by_key(secret, now=now) if secret.startswith(_BEGINS) else _by_token(secret, now=now)
    if found is None:
        return None
    id, row, scopes = found
    roles = _roles(row.created_by, row.organisation)
    if not roles & ACTIONS["manage_keys"]:
        return None
    return Caller(
        id=id,
        organisation=row.organisation,
        actor=row.created_by,
        scopes=frozenset(s for s in scopes if s in SCOPES and _permitted(s, roles)),
    )


def _by_key(secret: str, *, now: datetime) -> tuple[str, ApiKey, list[str]] | None:
    prefix, _, _ = secret.rpartition("_")
    if not prefix.isascii() or not prefix.isprintable():
        return None
    key = ApiKey.objects.filter(prefix=prefix).select_related("organisation", "created_by").first()
    same = compare_digest(key.secret_sha256 if key else "", _hash(secret))
    if key is None or not same or key.revoked_at is not None or key.expires_at <= now:
        return None
    if key.last_used_at is None or key.last_used_at <= now - _SEEN_EVERY:
        ApiKey.objects.filter(pk=key.pk).update(last_used_at=now)
    return f"key:{key.id}", key, key.scopes


def _by_token(token: str, *, now: datetime) -> tuple[str, ApiClient, list[str]] | None:
    # Looked up by its hash, so that the time this takes tells nothing about any token.
    row = (
        get_access_token_model()
        .objects.filter(token_checksum=_hash(token), expires__gt=now)
        .select_related("application__organisation", "application__created_by")
        .first()
    )
    client = row.application if row is not None else None
    if client is None or client.revoked_at is not None or client.organisation is None:
        return None  # an app's token is a learner's: it opens nothing of an organisation
    return f"client:{client.id}", client, [s for s in row.scope.split() if s in client.scopes]


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


class ClientScopes(BaseScopes):
    """What django-oauth-toolkit asks: a client gets the scopes that it was made with, all of them unless it says."""

    def get_all_scopes(self):
        return {**SCOPES, **apps.SCOPES}

    def get_available_scopes(self, application=None, request=None, *args, **kwargs):
        return list(application.scopes) if application is not None else list(SCOPES)

    def get_default_scopes(self, application=None, request=None, *args, **kwargs):
        return self.get_available_scopes(application)
