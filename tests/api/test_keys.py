"""A program's key does what its scopes say and what its maker still may, and nothing once either is over."""

from __future__ import annotations

from datetime import timedelta

import pytest

from guildmark.app.records import ApiClient, ApiKey, Event, Membership
from guildmark.app.services.api_keys import (
    MOST_DAYS,
    SCOPES,
    caller_of,
    make_client,
    make_key,
    revoke_client,
    revoke_key,
    scopes_for,
)
from guildmark.core.errors import BrokenInput
from tests.app.cast import NOW

YEAR = NOW + timedelta(days=365)


def key(cast, *scopes, by=None, **changes):
    given = {"by": by or cast.quinn, "organisation": cast.harbour, "name": "Campus system", "scopes": scopes}
    return make_key(**{**given, "expires_at": YEAR, "now": NOW, **changes})


def test_the_secret_is_shown_once_and_only_its_hash_is_kept(cast):
    row, secret = key(cast, "blueprints:read")
    assert secret.startswith(row.prefix)
    assert secret not in str(ApiKey.objects.filter(pk=row.pk).values())
    assert Event.objects.filter(verb="make_api_key", actor=cast.quinn, subject=cast.harbour.slug).count() == 1


def test_whoever_has_the_secret_calls_for_the_organisation(cast):
    row, secret = key(cast, "blueprints:read", "status:write")
    caller = caller_of(secret, now=NOW)
    assert (caller.id, caller.organisation, caller.actor) == (f"key:{row.id}", cast.harbour, cast.quinn)
    assert caller.scopes == {"blueprints:read", "status:write"}


@pytest.mark.parametrize("change", ["longer", "other secret", "prefix only", "nothing", "no prefix", "unprintable"])
def test_a_secret_that_is_not_quite_right_is_nobodys(cast, change):
    row, secret = key(cast, "blueprints:read")
    wrong = {
        "longer": secret + "0",
        "other secret": secret[:-1] + ("0" if secret[-1] != "0" else "1"),
        "prefix only": row.prefix,
        "nothing": "",
        "no prefix": secret.partition("_")[2],
        "unprintable": "gmk_\0_\ud800",
    }[change]
    assert caller_of(wrong, now=NOW) is None


def test_a_key_ends_at_its_moment(cast):
    row, secret = key(cast, "blueprints:read")
    assert caller_of(secret, now=row.expires_at - timedelta(seconds=1)) is not None
    assert caller_of(secret, now=row.expires_at) is None


def test_a_revoked_key_is_nobodys_and_revoking_again_changes_nothing(cast):
    row, secret = key(cast, "blueprints:read")
    revoke_key(by=cast.quinn, key=row, now=NOW)
    revoke_key(by=cast.quinn, key=row, now=YEAR)
    row.refresh_from_db()
    assert caller_of(secret, now=NOW) is None
    assert row.revoked_at == NOW
    assert Event.objects.filter(verb="revoke_api_key").count() == 1


def test_a_key_of_somebody_who_left_is_nobodys(cast):
    _, secret = key(cast, "blueprints:read")
    cast.quinn.is_active = False
    cast.quinn.save()
    assert caller_of(secret, now=NOW) is None


def test_a_key_of_somebody_who_no_longer_administers_is_nobodys(cast):
    _, secret = key(cast, "blueprints:read")
    Membership.objects.filter(person=cast.quinn).update(role="marker")
    assert caller_of(secret, now=NOW) is None


def test_a_key_does_no_more_than_its_maker_may(cast):
    with pytest.raises(BrokenInput, match="awarder"):
        key(cast, "awards:write")
    assert "awards:write" not in scopes_for(cast.quinn, cast.harbour)
    role = Membership.objects.create(person=cast.quinn, organisation=cast.harbour, role="awarder")
    assert "awards:write" in scopes_for(cast.quinn, cast.harbour)
    _, secret = key(cast, "awards:write", "awards:read")
    assert caller_of(secret, now=NOW).scopes == {"awards:write", "awards:read"}
    role.delete()
    assert caller_of(secret, now=NOW).scopes == {"awards:read"}


def test_mallory_has_no_scope_to_give_elsewhere(cast):
    assert scopes_for(cast.mallory, cast.harbour) == ()
    for scope in SCOPES:
        with pytest.raises(BrokenInput, match="role"):
            key(cast, scope, by=cast.mallory)
        with pytest.raises(BrokenInput, match="role"):
            make_client(by=cast.mallory, organisation=cast.harbour, name="x", scopes=[scope], now=NOW)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"name": " "}, "name"),
        ({"name": "a\0b"}, "name"),
        ({"name": "n" * 201}, "200"),
        ({"scopes": []}, "no scope"),
        ({"scopes": ["everything"]}, "not a scope"),
        ({"expires_at": NOW}, "time for a key"),
        ({"expires_at": NOW + timedelta(days=MOST_DAYS, seconds=1)}, "time for a key"),
    ],
    ids=["no name", "unprintable", "long name", "no scope", "unknown scope", "over", "too long"],
)
def test_a_key_that_makes_no_sense_is_refused_with_the_field(cast, changes, says):
    with pytest.raises(BrokenInput, match=says):
        key(cast, "verify", **changes)
    assert not ApiKey.objects.exists()


def test_when_a_key_was_last_used_is_known_to_ten_minutes(cast, django_assert_num_queries):
    row, secret = key(cast, "verify")
    with django_assert_num_queries(3):
        caller_of(secret, now=NOW)
    with django_assert_num_queries(2):
        caller_of(secret, now=NOW + timedelta(minutes=9))
    caller_of(secret, now=NOW + timedelta(minutes=10))
    row.refresh_from_db()
    assert row.last_used_at == NOW + timedelta(minutes=10)


def client(cast, *scopes):
    return make_client(by=cast.quinn, organisation=cast.harbour, name="Campus system", scopes=scopes, now=NOW)


def token(web, row, secret, **more):
    asked = {"grant_type": "client_credentials", "client_id": row.client_id, "client_secret": secret, **more}
    return web.post("/oauth/token", asked)


def test_a_client_gets_a_token_for_an_hour_that_is_kept_as_a_hash(cast, client_of_web):
    from django.utils import timezone
    from oauth2_provider.models import get_access_token_model

    row, secret = client(cast, "blueprints:read", "status:write")
    answer = token(client_of_web, row, secret)
    assert answer.status_code == 200
    given = answer.json()
    assert given["expires_in"] == 3600
    assert set(given["scope"].split()) == {"blueprints:read", "status:write"}
    caller = caller_of(given["access_token"], now=timezone.now())
    assert (caller.id, caller.organisation) == (f"client:{row.id}", cast.harbour)
    assert caller_of(given["access_token"], now=timezone.now() + timedelta(seconds=3601)) is None
    kept = str(list(get_access_token_model().objects.values())) + str(list(ApiClient.objects.values()))
    assert given["access_token"] not in kept
    assert secret not in kept


def test_a_token_has_the_scopes_that_were_asked_for_and_never_others(cast, client_of_web):
    from django.utils import timezone

    row, secret = client(cast, "blueprints:read", "status:write")
    some = token(client_of_web, row, secret, scope="blueprints:read").json()["access_token"]
    assert caller_of(some, now=timezone.now()).scopes == {"blueprints:read"}
    more = token(client_of_web, row, secret, scope="awards:write")
    assert (more.status_code, more.json()["error"]) == (400, "invalid_scope")


def test_a_revoked_client_gets_nothing_and_its_tokens_end(cast, client_of_web):
    from django.utils import timezone

    row, secret = client(cast, "blueprints:read")
    given = token(client_of_web, row, secret).json()["access_token"]
    revoke_client(by=cast.quinn, client=row, now=NOW)
    revoke_client(by=cast.quinn, client=row, now=YEAR)
    assert caller_of(given, now=timezone.now()) is None
    assert token(client_of_web, row, secret).status_code == 401
    assert Event.objects.filter(verb="revoke_api_client").count() == 1


def test_a_client_gives_its_token_back(cast, client_of_web):
    from django.utils import timezone

    row, secret = client(cast, "blueprints:read")
    given = token(client_of_web, row, secret).json()["access_token"]
    asked = {"token": given, "client_id": row.client_id, "client_secret": secret}
    assert client_of_web.post("/oauth/revoke", asked).status_code == 200
    assert caller_of(given, now=timezone.now()) is None


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"grant_type": "client_credentials"},
        {"grant_type": "password", "username": "quinn", "password": "x"},
        {"grant_type": "client_credentials", "client_id": "a\0b", "client_secret": "\0"},
        {"grant_type": "authorization_code", "code": "\0"},
        {"grant_type": "refresh_token", "refresh_token": "\0"},
        {"grant_type": "urn:ietf:params:oauth:grant-type:device_code", "device_code": "\0"},
    ],
    ids=["nothing", "no client", "password", "nul", "code", "refresh", "device"],
)
def test_the_token_address_answers_nonsense_plainly(db, client_of_web, asked):
    for address in ("/oauth/token", "/oauth/revoke"):
        answer = client_of_web.post(address, asked)
        assert answer.status_code in (400, 401)
        assert answer.json()["error"]
    assert client_of_web.get("/oauth/token").status_code == 405


def test_a_client_may_use_no_other_grant(cast, client_of_web):
    row, secret = client(cast, "blueprints:read")
    for grant in ("password", "refresh_token", "authorization_code"):
        answer = token(client_of_web, row, secret, grant_type=grant, username="quinn", password="x", code="x")
        assert answer.status_code in (400, 401)
        assert "access_token" not in answer.json()
