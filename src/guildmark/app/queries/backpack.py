"""Reads of all that a learner holds: awarded here, and brought from elsewhere by apps."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import CharField, F, Min, Q, QuerySet, Value
from django.db.models.functions import Length
from oauth2_provider.models import get_access_token_model, get_refresh_token_model

from guildmark.app.records import ApiClient, Award, HeldCredential, HolderProfile, Learner, Person

MOST_BYTES = 10_000_000
"""Bytes of the credentials on one page; a page ends sooner if they are large."""


@dataclass(frozen=True, slots=True)
class HeldPage:
    """Some of what a learner holds, signed JSON and tokens apart; `total` counts all, `shown` those on this page."""

    documents: tuple[bytes, ...]
    tokens: tuple[bytes, ...]
    shown: int
    total: int


def held_page(learner: Learner, *, since: datetime | None, limit: int, offset: int) -> HeldPage:
    """The credentials that are valid from after `since` (all without it), the oldest first; five statements."""
    awards = Award.objects.filter(learner=learner).exclude(document=b"")
    others = HeldCredential.objects.filter(learner=learner)
    if since is not None:
        awards, others = awards.filter(issued_at__gt=since), others.filter(begins_at__gt=since)
    total = awards.count() + others.count()
    rows = _lines(awards, F("issued_at"), Length("document"), "award").union(
        _lines(others, F("begins_at"), F("size"), "held"), all=True
    )
    chosen, room = [], MOST_BYTES
    for _at, id, size, kind in rows.order_by("at", "row")[offset : offset + limit]:
        if chosen and size > room:
            break
        room -= size
        chosen.append((kind, id))
    found: dict[tuple[str, Any], tuple[str, bytes]] = {
        ("award", row.pk): ("json", bytes(row.document))
        for row in Award.objects.filter(pk__in=[id for kind, id in chosen if kind == "award"]).only("document")
    }
    for held in HeldCredential.objects.filter(pk__in=[id for kind, id in chosen if kind == "held"]):
        found["held", held.pk] = held.form, bytes(held.document)
    documents = [found[key] for key in chosen if key in found]
    return HeldPage(
        documents=tuple(document for form, document in documents if form == "json"),
        tokens=tuple(document for form, document in documents if form == "jws"),
        shown=len(chosen),
        total=total,
    )


def _lines(rows: QuerySet, at: Any, size: Any, kind: str) -> QuerySet:
    """When, which, how large and of which kind, under the same names for both kinds."""
    return (
        rows.order_by()
        .annotate(at=at, row=F("id"), bytes=size, which=Value(kind, output_field=CharField()))
        .values_list("at", "row", "bytes", "which")
    )


def profile_of(learner: Learner) -> bytes:
    """The learner's Profile (Open Badges 3.0): what an app wrote, or else what this site knows."""
    row = HolderProfile.objects.filter(learner=learner).first()
    if row is not None:
        return bytes(row.document)
    profile = {
        "@context": ["https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"],
        "id": f"urn:uuid:{learner.id}",
        "type": ["Profile"],
        "name": learner.name,
        "email": learner.email,
    }
    return json.dumps(profile, ensure_ascii=False).encode()


@dataclass(frozen=True, slots=True)
class LetIn:
    """An app that acts for a person, since when, and what it may do."""

    client: ApiClient
    since: datetime
    scopes: tuple[str, ...]


def apps_of(person: Person, *, now: datetime) -> Sequence[LetIn]:
    """The apps that can act for the person now, by name; one statement, and three for each app."""
    tokens, refresh = get_access_token_model().objects, get_refresh_token_model().objects
    live = Q(accesstoken__user=person, accesstoken__expires__gt=now)
    again = Q(refreshtoken__user=person, refreshtoken__revoked=None)
    clients = ApiClient.objects.filter(live | again, organisation=None).distinct().order_by("name", "client_id")
    found = []
    for client in clients:
        first = refresh.filter(user=person, application=client).aggregate(at=Min("created"))["at"]
        mine = tokens.filter(user=person, application=client)
        scopes = {scope for row in mine.values_list("scope", flat=True) for scope in row.split()}
        since = first or mine.aggregate(at=Min("created"))["at"]
        found.append(LetIn(client, since, tuple(s for s in client.scopes if s in scopes)))
    return found
