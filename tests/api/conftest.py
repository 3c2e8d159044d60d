"""The cast of the app's tests, programs that call for them, and a web client that keeps no cookies."""

from __future__ import annotations

import json
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.core.cache import cache
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.test import Client
from django.utils import timezone

from guildmark.app import wsgi
from guildmark.app.records import Membership
from guildmark.app.services.api_keys import make_key, scopes_for
from guildmark.core.doors import Document
from guildmark.core.errors import OutsideFailure
from tests.app import cast as cast_module
from tests.app.conftest import at_once, cast, home, real_database

__all__ = ["at_once", "cast", "home", "real_database"]


def application(environ, start_response):
    """The site's WSGI application within a test's transaction, whose connection must outlive the request.

    A server's requests close a connection that has a transaction open; Django's own test client prevents it likewise.
    """
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    try:
        answer = wsgi.application(environ, start_response)
        try:
            return [b"".join(answer)]
        finally:
            answer.close()
    finally:
        for signal in (request_started, request_finished):
            signal.connect(close_old_connections)


class NoOutside:
    """The outside world, in which nothing answers."""

    def fetch(self, url: str) -> Document:
        raise OutsideFailure(f"{url} did not answer")


@pytest.fixture(autouse=True)
def _alone(monkeypatch):
    monkeypatch.setattr("guildmark.app.api.operations.network", NoOutside)
    cache.clear()  # what strangers asked in the test before


@pytest.fixture
def client_of_web():
    """A program that calls the site; errors are answered and not raised, as on a site."""
    return Client(raise_request_exception=False)


class Program:
    """A program with a key: it sends JSON and reads what comes back."""

    def __init__(self, secret: str | None) -> None:
        self.web = Client(raise_request_exception=False)
        self.headers = {} if secret is None else {"HTTP_AUTHORIZATION": f"Bearer {secret}"}

    def get(self, path: str, query: dict | None = None, **headers: str):
        return self.web.get(f"/api/v1{path}", query or {}, **self.headers, **headers)

    def post(self, path: str, body, kind: str = "application/json", **headers: str):
        sent = body if isinstance(body, (bytes, str)) else json.dumps(body)
        return self.web.post(f"/api/v1{path}", sent, content_type=kind, **self.headers, **headers)


def program(person, organisation, *scopes: str) -> Program:
    """A program of the organisation, with these scopes or all that its maker may give."""
    now = timezone.now()
    _, secret = make_key(
        by=person,
        organisation=organisation,
        name="Campus system",
        scopes=scopes or scopes_for(person, organisation),
        expires_at=now + timedelta(days=1),
        now=now,
    )
    return Program(secret)


def role(person, organisation, *roles: str) -> None:
    for name in roles:
        Membership.objects.get_or_create(person=person, organisation=organisation, role=name)


@pytest.fixture
def programs(cast):
    """One program each of Harbour, which awards; of Northwind, which hires; of Mallory; and of a stranger."""
    from guildmark.app.records import Organisation

    mill = Organisation.objects.get(slug="mill")
    role(cast.quinn, cast.harbour, "awarder", "designer")
    role(cast.omar, cast.northwind, "admin")
    role(cast.mallory, mill, "awarder", "partner", "designer", "marker")
    return SimpleNamespace(
        harbour=program(cast.quinn, cast.harbour),
        northwind=program(cast.omar, cast.northwind),
        mallory=program(cast.mallory, mill),
        stranger=Program(None),
    )


@pytest.fixture
def passed(cast, programs):
    """A published blueprint and a passed decision that has no award yet."""
    version = cast_module.publish(cast)
    return cast_module.decide(cast, version)
