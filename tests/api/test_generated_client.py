"""A client generated from the OpenAPI file awards, revokes and verifies, over HTTP as a server hears it."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from uuid import UUID

import httpx
import pytest
from django.utils import timezone

from guildmark.app.api.address import openapi
from guildmark.app.services.api_keys import make_client
from tests.api.conftest import application, program, role
from tests.app import cast as world


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The generated package, importable as `guildmark_client`."""
    folder = tmp_path_factory.mktemp("generated")
    (folder / "openapi.json").write_text(json.dumps(openapi()))
    (folder / "config.yml").write_text("post_hooks: []\n")  # it would format its code, which nobody reads here
    command = [
        sys.executable, "-m", "openapi_python_client", "generate", "--path", folder / "openapi.json", "--meta", "none",
        "--config", folder / "config.yml", "--output-path", folder / "guildmark_client",
    ]  # fmt: skip
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    sys.path.insert(0, str(folder))
    try:
        yield importlib.import_module("guildmark_client")
    finally:
        sys.path.remove(str(folder))
        for name in [name for name in sys.modules if name.partition(".")[0] == "guildmark_client"]:
            del sys.modules[name]


def operation(tag: str, name: str):
    return importlib.import_module(f"guildmark_client.api.{tag}.{name}")


def model(name: str):
    return getattr(importlib.import_module("guildmark_client.models"), name)


HTTP = {"base_url": "http://localhost", "httpx_args": {"transport": httpx.WSGITransport(app=application)}}
"""What a client needs to speak with the site's WSGI application instead of a socket."""


@pytest.fixture
def harbour(cast, made):
    """(client, decision): a program of Harbour as somebody else would write it, and a decision that waits."""
    role(cast.quinn, cast.harbour, "awarder")
    decision = world.decide(cast, world.publish(cast))
    secret = program(cast.quinn, cast.harbour).headers["HTTP_AUTHORIZATION"].removeprefix("Bearer ")
    return made.AuthenticatedClient(**HTTP, token=secret), decision


def test_it_awards_revokes_and_verifies(harbour, made):
    client, decision = harbour
    waiting = operation("awards", "list_decisions").sync(client=client, passed=True, awarded=False)
    assert [one.id for one in waiting.items] == [decision.id]

    create = operation("awards", "create_award")
    key = "6d8c1f0e-4b0e-4a57-9a4e-0f6f3e1c2b7a"
    asked = {"client": client, "body": model("AwardIn")(decision=decision.id), "idempotency_key": key}
    award = create.sync(**asked)
    assert isinstance(award.id, UUID)
    assert create.sync(**asked).id == award.id

    document = operation("awards", "read_credential").sync(client=client, id=award.id)
    stranger = made.Client(**HTTP)
    verify = operation("verify", "verify")
    before = verify.sync(client=stranger, body=document)
    assert before.verdict == "pass", before

    change = model("StatusIn")(state=model("StatusInState").REVOKED, code=model("StatusInCode").MISCONDUCT)
    status = operation("status", "change_award_status").sync(client=client, id=award.id, body=change)
    assert status.state == "revoked"
    after = verify.sync(client=stranger, body=document)
    assert after.verdict == "fail"


def test_it_is_told_what_was_wrong_as_a_problem(harbour, made):
    client, _ = harbour
    answer = operation("awards", "read_award").sync_detailed(client=client, id=UUID(int=7))
    assert (answer.status_code, answer.parsed.title) == (404, "There is nothing here for you")
    nobody = made.AuthenticatedClient(**HTTP, token="gmk_nobody_0")
    assert operation("caller", "who_am_i").sync(client=nobody).status == 401


def test_it_acts_with_a_token_of_oauth_as_with_a_key(cast, client_of_web, made):
    row, secret = make_client(
        by=cast.quinn, organisation=cast.harbour, name="Campus", scopes=["blueprints:read"], now=timezone.now()
    )
    asked = {"grant_type": "client_credentials", "client_id": row.client_id, "client_secret": secret}
    answer = client_of_web.post("/oauth/token", asked)
    client = made.AuthenticatedClient(**HTTP, token=answer.json()["access_token"])
    assert operation("caller", "who_am_i").sync(client=client).scopes == ["blueprints:read"]
    assert operation("blueprints", "list_blueprints").sync(client=client).items == []
