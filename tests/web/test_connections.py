"""Keys, clients and webhook endpoints on their page: made, shown once, ended; bad input, and what Mallory gets."""

from __future__ import annotations

import re
import secrets
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from guildmark.app.records import ApiClient, ApiKey, Membership, WebhookDelivery, WebhookEndpoint
from guildmark.app.services import api_keys, webhooks
from tests.app import cast as acts
from tests.web.test_organisations import shown, signed_in
from tests.web.test_public import assert_private

HOME = "/o/harbour-university/connections"
ENDPOINT = {"url": "https://hooks.example.org/guildmark", "kinds": ["award.made", "award.revoked"]}
KEY = {"name": "Nightly export", "scopes": ["blueprints:read"], "days": "90"}
CLIENT = {"name": "Student system", "scopes": ["blueprints:read"]}


@pytest.fixture
def cast(db):
    return acts.cast()


@pytest.fixture
def admin(cast):
    return signed_in(cast.quinn)


@pytest.fixture
def endpoint(cast):
    row, _ = webhooks.add_endpoint(
        id=uuid4(),
        organisation=cast.harbour,
        url="https://hooks.example.org/guildmark",
        kinds=["award.made"],
        entropy=secrets.token_bytes(64),
        actor=cast.quinn,
        now=timezone.now(),
    )
    return row


def sent(cast, endpoint, state="delivered", **facts):
    row = webhooks.send_test(id=uuid4(), endpoint=endpoint, actor=cast.quinn, now=timezone.now())
    waits = {"next_attempt_at": timezone.now()} if state == "waiting" else {"next_attempt_at": None}
    WebhookDelivery.objects.filter(pk=row.pk).update(state=state, **waits, **facts)
    return row


def secret_on(response) -> str:
    (secret,) = re.findall(
        r'<code class="secret">((?:whsec_|gmk_|[0-9a-f]{64})[^<]*)</code>', response.content.decode()
    )
    return secret


# --- The list ---


def test_an_organisation_without_programs_is_told_what_each_is_for(admin):
    page = shown(admin.get(HOME))
    for text in ("There is no key yet", "There is no client yet", "Nothing is sent anywhere yet"):
        assert text in page.text
    assert_private(admin.get(HOME))


def test_the_page_of_people_leads_to_it_for_an_administrator_and_for_nobody_else(cast, admin):
    assert HOME in admin.get("/o/harbour-university/people").content.decode()
    assert HOME not in signed_in(cast.ana).get("/o/harbour-university/people").content.decode()


def test_every_key_client_and_endpoint_says_how_it_stands(cast, admin, endpoint):
    now = timezone.now()
    common = {"organisation": cast.harbour, "scopes": ["blueprints:read"], "now": now}
    api_keys.make_key(by=cast.quinn, name="Works", expires_at=now + timedelta(days=3), **common)
    ended, _ = api_keys.make_key(by=cast.quinn, name="Was", expires_at=now + timedelta(days=3), **common)
    ApiKey.objects.filter(pk=ended.pk).update(expires_at=now - timedelta(days=1))
    revoked, _ = api_keys.make_client(by=cast.quinn, name="Gone", **common)
    api_keys.revoke_client(by=cast.quinn, client=revoked, now=now)
    former = acts.person("former", "Former Admin", cast.harbour.slug, "admin")
    api_keys.make_client(by=former, name="Orphan", **common)
    Membership.objects.filter(person=former).delete()
    sent(cast, endpoint, "failed", attempts=10, last_attempt_at=now)
    text = shown(admin.get(HOME)).text
    for says in ("Works", "Ended", "Revoked", "who made it is no longer an administrator", "Given up", "On"):
        assert says in text


def test_the_list_takes_as_many_statements_for_many_rows_as_for_few(cast, admin):
    def fill(count):
        for number in range(count):
            row, _ = webhooks.add_endpoint(
                id=uuid4(), organisation=cast.harbour, url=f"https://{number}.example.org/", kinds=["award.made"],
                entropy=secrets.token_bytes(64), actor=cast.quinn, now=timezone.now(),
            )  # fmt: skip
            sent(cast, row, last_attempt_at=timezone.now())
            for make, more in ((api_keys.make_key, {"expires_at": timezone.now() + timedelta(days=9)}),
                               (api_keys.make_client, {})):  # fmt: skip
                make(by=cast.quinn, organisation=cast.harbour, name=f"Program {number}", scopes=["verify"],
                     now=timezone.now(), **more)  # fmt: skip

    def statements(path):
        with CaptureQueriesContext(
            connection,
        ) as found:
            assert admin.get(path).status_code == 200
        return len(found)

    fill(1)
    admin.get(HOME)
    few = statements(HOME)
    one = WebhookEndpoint.objects.first()
    page = f"{HOME}/webhooks/{one.id}"
    few_deliveries = statements(page)
    fill(8)
    for _ in range(20):
        sent(cast, one)
    assert statements(HOME) == few
    assert statements(page) == few_deliveries


# --- Keys and clients ---


def test_a_key_is_made_shown_once_and_works(cast, admin):
    shown(admin.get(f"{HOME}/keys/new"))
    response = admin.post(f"{HOME}/keys/new", KEY)
    shown(response)
    assert_private(response)
    secret = secret_on(response)
    caller = api_keys.caller_of(secret, now=timezone.now())
    assert (caller.organisation, caller.actor, caller.scopes) == (cast.harbour, cast.quinn, {"blueprints:read"})
    later = admin.get(HOME).content.decode()
    assert "Nightly export" in later
    assert secret not in later


def test_a_revoked_key_works_no_longer(admin):
    secret = secret_on(admin.post(f"{HOME}/keys/new", KEY))
    key = ApiKey.objects.get()
    response = admin.post(f"{HOME}/keys/{key.id}/revoke", follow=True)
    assert "works no longer" in shown(response).text
    assert api_keys.caller_of(secret, now=timezone.now()) is None
    assert admin.post(f"{HOME}/keys/{key.id}/revoke").status_code == 302


def test_a_client_is_made_shown_once_and_revoked(admin):
    response = admin.post(f"{HOME}/clients/new", CLIENT)
    shown(response)
    assert_private(response)
    client = ApiClient.objects.get()
    assert client.client_id in response.content.decode()
    assert secret_on(response) not in admin.get(HOME).content.decode()
    admin.post(f"{HOME}/clients/{client.id}/revoke")
    client.refresh_from_db()
    assert client.revoked_at is not None


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({}, "name"),
        ({**KEY, "name": ""}, "name"),
        ({**KEY, "name": "x" * 201}, "name"),
        ({**KEY, "name": "a\x00b"}, "name"),
        ({**KEY, "scopes": []}, "scopes"),
        ({**KEY, "scopes": ["everything"]}, "scopes"),
        ({**KEY, "scopes": ["matches:read"]}, "scopes"),
        ({**KEY, "days": "100000"}, "days"),
        ({**KEY, "days": ""}, "days"),
    ],
    ids=["empty", "no-name", "long", "nul", "no-scope", "unknown-scope", "scope-beyond-role", "far", "no-end"],
)
def test_a_key_that_cannot_be_marks_the_field_and_keeps_what_was_typed(admin, given, field):
    response = admin.post(f"{HOME}/keys/new", given)
    page = shown(response, 422)
    assert f'href="#id_{field}"' in response.content.decode()
    assert not ApiKey.objects.exists()
    if given.get("name") == KEY["name"]:
        assert any(a.get("value") == KEY["name"] for a in page.all("input"))


# --- Webhook endpoints ---


def test_an_endpoint_is_added_and_its_secret_is_shown_once(cast, admin):
    shown(admin.get(f"{HOME}/webhooks/new"))
    response = admin.post(f"{HOME}/webhooks/new", ENDPOINT)
    shown(response)
    assert_private(response)
    row = WebhookEndpoint.objects.get()
    assert (row.organisation, row.url, row.kinds) == (cast.harbour, ENDPOINT["url"], ENDPOINT["kinds"])
    secret = secret_on(response)
    for path in (HOME, f"{HOME}/webhooks/{row.id}"):
        assert secret not in admin.get(path).content.decode()
    assert "A credential was awarded" in shown(admin.get(f"{HOME}/webhooks/{row.id}")).text


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({}, "url"),
        ({**ENDPOINT, "url": "http://hooks.example.org/"}, "url"),
        ({**ENDPOINT, "url": "https://127.0.0.1/"}, "url"),
        ({**ENDPOINT, "url": "javascript:alert(1)"}, "url"),
        ({**ENDPOINT, "url": "https://a.example/\x00"}, "url"),
        ({**ENDPOINT, "url": "https://a.example/" + "a" * 600}, "url"),
        ({**ENDPOINT, "kinds": []}, "kinds"),
        ({**ENDPOINT, "kinds": ["award.eaten"]}, "kinds"),
    ],
    ids=["empty", "http", "inside", "script", "nul", "long", "no-kind", "unknown-kind"],
)
def test_an_endpoint_that_cannot_be_marks_the_field_and_keeps_what_was_typed(admin, given, field):
    response = admin.post(f"{HOME}/webhooks/new", given)
    page = shown(response, 422)
    assert f'href="#id_{field}"' in response.content.decode()
    assert not WebhookEndpoint.objects.exists()
    if field == "kinds":
        assert any(a.get("value") == ENDPOINT["url"] for a in page.all("input"))


def test_one_endpoint_too_many_is_said_above_the_form(admin, endpoint, monkeypatch):
    monkeypatch.setattr(webhooks, "MOST_ENDPOINTS", 1)
    assert "remove one first" in shown(admin.post(f"{HOME}/webhooks/new", ENDPOINT), 422).text


def test_a_test_is_sent_and_seen(cast, admin, endpoint):
    page = f"{HOME}/webhooks/{endpoint.id}"
    assert "Nothing was sent there yet" in shown(admin.get(page)).text
    assert "A test is on its way" in shown(admin.post(f"{page}/test", follow=True)).text
    delivery = WebhookDelivery.objects.get()
    WebhookDelivery.objects.update(
        state="failed", next_attempt_at=None, last_status=500, attempts=10, last_attempt_at=timezone.now(),
        last_answer="<script>alert(1)</script>",
    )  # fmt: skip
    response = admin.get(page)
    text = shown(response).text
    assert "Given up" in text
    assert "10 attempts" in text
    assert "<script>" not in response.content.decode()
    admin.post(f"{page}/deliveries/{delivery.id}/again")
    delivery.refresh_from_db()
    assert (delivery.state, delivery.attempts) == ("waiting", 0)


def test_everything_of_the_last_day_is_sent_again(cast, admin, endpoint):
    for age in (timedelta(hours=2), timedelta(hours=30)):
        row = sent(cast, endpoint)
        WebhookDelivery.objects.filter(pk=row.pk).update(created_at=timezone.now() - age)
    page = f"{HOME}/webhooks/{endpoint.id}"
    shown(admin.get(page))
    assert "1 message is on its way" in shown(admin.post(f"{page}/again", {"hours": "24"}, follow=True)).text
    assert WebhookDelivery.objects.filter(state="waiting").count() == 1
    for wrong in ("", "-1", "999999999999", "²", "a"):
        text = shown(admin.post(f"{page}/again", {"hours": wrong}, follow=True)).text
        assert "that is no span of time" in text
    assert WebhookDelivery.objects.filter(state="waiting").count() == 1


def test_a_new_secret_is_shown_once_and_both_sign_meanwhile(admin, endpoint):
    response = admin.post(f"{HOME}/webhooks/{endpoint.id}/rotate")
    shown(response)
    assert_private(response)
    assert secret_on(response).startswith("whsec_")
    assert "both sign until" in shown(admin.get(f"{HOME}/webhooks/{endpoint.id}")).text


def test_an_endpoint_is_switched_off_and_on_and_says_so(cast, admin, endpoint):
    page = f"{HOME}/webhooks/{endpoint.id}"
    admin.post(f"{page}/off")
    text = shown(admin.get(page)).text
    assert "Switched off" in text
    assert "Quinn Abara" in text
    assert "Switched off" in shown(admin.get(HOME)).text
    assert "switch it on first" in shown(admin.post(f"{page}/test", follow=True)).text
    assert "Events are sent again" in shown(admin.post(f"{page}/on", follow=True)).text


def test_an_endpoint_is_removed(admin, endpoint):
    response = admin.post(f"{HOME}/webhooks/{endpoint.id}/remove", follow=True)
    assert response.redirect_chain == [(HOME, 302)]
    assert "any more" in shown(response).text
    assert admin.get(f"{HOME}/webhooks/{endpoint.id}").status_code == 404


# --- Wrong address, wrong method, wrong person ---


def everything(cast, endpoint):
    """(path, methods) of every page here, with ids that exist."""
    now = timezone.now()
    common = {"by": cast.quinn, "organisation": cast.harbour, "scopes": ["verify"], "now": now}
    key, _ = api_keys.make_key(name="Key", expires_at=now + timedelta(days=3), **common)
    client, _ = api_keys.make_client(name="Client", **common)
    delivery = sent(cast, endpoint)
    one = f"{HOME}/webhooks/{endpoint.id}"
    steps = [f"{one}/{step}" for step in ("test", "on", "off", "again", "remove")]
    read = [HOME, one]
    both = [f"{HOME}/{what}/new" for what in ("keys", "clients", "webhooks")]
    act = [
        f"{HOME}/keys/{key.id}/revoke", f"{HOME}/clients/{client.id}/revoke", f"{one}/rotate",
        f"{one}/deliveries/{delivery.id}/again", *steps,
    ]  # fmt: skip
    return [(p, "get") for p in read + both] + [(p, "post") for p in both + act]


def state():
    return (
        list(WebhookEndpoint.objects.values()),
        list(WebhookDelivery.objects.values()),
        list(ApiKey.objects.values()),
        list(ApiClient.objects.values()),
    )


def test_mallory_finds_nothing_here_and_changes_nothing(cast, endpoint):
    doors = everything(cast, endpoint)
    before = state()
    mallory = signed_in(cast.mallory)
    for path, method in doors:
        given = {**KEY, **ENDPOINT, "scopes": ["verify"], "hours": "24"} if method == "post" else {}
        assert getattr(mallory, method)(path, given).status_code == 404, path
        mine = path.replace("harbour-university", "mill")
        if re.search(r"/[0-9a-f-]{36}", path):
            assert getattr(mallory, method)(mine, given).status_code == 404, mine
    assert state() == before


def test_a_colleague_who_is_no_administrator_is_told_which_role_it_needs(cast, endpoint):
    doors = everything(cast, endpoint)
    before = state()
    for person in (cast.ana, cast.lee):
        colleague = signed_in(person)
        for path, method in doors:
            assert getattr(colleague, method)(path, {"hours": "24"}).status_code == 403, path
    assert state() == before


def test_a_stranger_is_asked_to_sign_in(cast, client, endpoint):
    before = None
    for path, method in everything(cast, endpoint):
        before = before or state()
        response = getattr(client, method)(path)
        assert (response.status_code, response.headers["Location"]) == (302, f"/account/login/?next={path}")
    assert state() == before


def test_a_form_of_another_site_changes_nothing(cast, endpoint):
    doors = everything(cast, endpoint)
    before = state()
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(cast.quinn, backend="django.contrib.auth.backends.ModelBackend")
    for path, method in doors:
        if method == "post":
            assert strict.post(path, {"hours": "24"}).status_code == 403, path
    assert state() == before


def test_another_method_an_unknown_id_and_an_unknown_step_are_answered_plainly(admin, endpoint):
    one = f"{HOME}/webhooks/{endpoint.id}"
    for path in (f"{one}/test", f"{one}/rotate", f"{one}/remove"):
        assert admin.get(path).status_code == 405
    for path in (HOME, one):
        assert admin.post(path).status_code == 405
    unknown = "00000000-0000-4000-8000-000000000000"
    for path in (f"{HOME}/webhooks/{unknown}", f"{HOME}/webhooks/none", "/o/nowhere/connections"):
        assert admin.get(path).status_code == 404
    for path in (
        f"{one}/explode", f"{one}/deliveries/{unknown}/again", f"{HOME}/keys/{unknown}/revoke",
        f"{HOME}/clients/{unknown}/revoke",
    ):  # fmt: skip
        assert admin.post(path).status_code == 404
