"""The Open Badges 3.0 API, as the certification guide has it: one program registers, is let in, reads, brings, ends."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from urllib.parse import parse_qs, urlencode, urlsplit
from uuid import uuid4

import httpx
import pytest
from allauth.account.models import EmailAddress
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import settings as bounded
from hypothesis import strategies as st
from jsonschema import Draft201909Validator
from oauth2_provider.models import get_access_token_model, get_grant_model, get_refresh_token_model

from guildmark.app.api.open_badges import discovery_document
from guildmark.app.queries import backpack as held_queries
from guildmark.app.records import ApiClient, Award, Event, HeldCredential, Learner, Person
from guildmark.app.services import apps, backpack
from guildmark.app.services.api_keys import caller_of, forget_old_tokens, make_client
from guildmark.core.codecs import jcs
from guildmark.core.errors import BrokenInput
from guildmark.credential.did import did_key
from guildmark.credential.jose import sign_vc_jwt
from guildmark.credential.keys import SoftwareSigner
from guildmark.credential.open_badge import credential, make
from guildmark.credential.proof import sign_document
from tests.api.conftest import NoOutside
from tests.app import cast as world
from tests.paths import counted, vectors

SCOPE = "https://purl.imsglobal.org/spec/ob/v3p0/scope/"
READ, WRITE = f"{SCOPE}credential.readonly", f"{SCOPE}credential.upsert"
PROFILE, UPDATE = f"{SCOPE}profile.readonly", f"{SCOPE}profile.update"
ALL = f"{READ} {WRITE} {PROFILE} {UPDATE} offline_access"

BASE = "/ims/ob/v3p0"
BACK = "https://backpack.example/back"
FACTS = {
    "client_name": "Backpack",
    "client_uri": "https://backpack.example/",
    "logo_uri": "https://backpack.example/logo.png",
    "tos_uri": "https://backpack.example/terms",
    "policy_uri": "https://backpack.example/privacy",
    "software_id": "c88b6ed8-269e-448e-99be-7e2ff47167d1",
    "software_version": "1.0",
    "redirect_uris": [BACK],
    "token_endpoint_auth_method": "client_secret_basic",
    "grant_types": ["authorization_code", "refresh_token"],
    "response_types": ["code"],
    "scope": ALL,
}
VERIFIER = "a-verifier-of-more-than-forty-three-characters-0123456789"


def challenge(verifier: str = VERIFIER) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def holds_to(name: str, value) -> None:
    """The value is what 1EdTech's schema says."""
    folder = vectors("1edtech-schemas") / "ob"
    schema = json.loads((folder / f"ob_v3p0_{name}_schema.json").read_text())
    assert [e.message for e in Draft201909Validator(schema).iter_errors(value)] == []
    counted("1edtech-schemas", f"ob/{name}")


# --- Credentials of somebody else ---

_SIGNER = SoftwareSigner(bytes(range(32)), "did:key:unnamed")
ELSEWHERE = did_key(_SIGNER.public_key)
SIGNER = SoftwareSigner(bytes(range(32)), f"{ELSEWHERE}#{ELSEWHERE.removeprefix('did:key:')}")
BEGAN = datetime(2026, 3, 1, tzinfo=UTC)


def badge(number: int = 1, *, began: datetime = BEGAN, name: str = "Knots", issuer: str = ELSEWHERE) -> dict:
    achievement = make(
        "Achievement", id=f"https://sail.example/a/{number}", name=name, description="Ties knots",
        criteria=make("Criteria", narrative="Ties a bowline"),
    )  # fmt: skip
    return credential(
        "OpenBadgeCredential",
        id=f"https://sail.example/badges/{number}",
        issuer={"id": issuer, "type": ["Profile"], "name": "A sailing school"},
        valid_from=began,
        subject=make("AchievementSubject", id="did:example:mei", achievement=achievement),
        name=name,
    )


def signed(number: int = 1, **of) -> bytes:
    """A badge as its issuer wrote it: with spaces and an order of its own, which a host must not touch."""
    return json.dumps(sign_document(badge(number, **of), SIGNER, created=BEGAN), indent=1).encode()


def token_of(number: int = 1, **of) -> bytes:
    return sign_vc_jwt(badge(number, **of), SIGNER).encode()


# --- The cast ---


@pytest.fixture(autouse=True)
def _cheap_hashes(settings):
    """The secrets of apps are hashed as passwords are, which takes half a second by design."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def mei(db, request):
    """The learner, with an account whose address she confirmed; with the rest of the cast where a test has it."""
    if "cast" in request.fixturenames:
        return account(request.getfixturevalue("cast").mei, "mei")
    return account(world.learner("mei@example.org", "Mei Tan"), "mei")


def account(learner: Learner, username: str) -> Learner:
    person = Person.objects.create(id=uuid4(), username=username, email=learner.email, name=learner.name)
    EmailAddress.objects.create(user=person, email=person.email, verified=True, primary=True)
    learner.person = person
    learner.save()
    return learner


def browser(person: Person) -> Client:
    web = Client()
    web.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    return web


def registered(**changes) -> SimpleNamespace:
    client, secret = apps.register_app(id=uuid4(), said={**FACTS, **changes}, now=timezone.now())
    basic = base64.b64encode(f"{client.client_id}:{secret}".encode()).decode()
    return SimpleNamespace(client=client, id=client.client_id, basic={"HTTP_AUTHORIZATION": f"Basic {basic}"})


def asking(app, **changes) -> dict:
    given = {
        "response_type": "code", "client_id": app.id, "redirect_uri": BACK, "scope": ALL, "state": "s-1",
        "code_challenge": challenge(), "code_challenge_method": "S256", **changes,
    }  # fmt: skip
    return {name: value for name, value in given.items() if value is not None}


def hidden(page: str) -> dict:
    """What a browser would send of the form on the page."""
    found = re.findall(r'<input type="hidden" name="([^"]+)"(?: value="([^"]*)")?', page)
    return {name: value.replace("&amp;", "&") for name, value in found}


def let_in(web: Client, app, **changes):
    """The answer to the learner's “Let it in”."""
    page = web.get("/oauth/authorize", asking(app, **changes))
    assert page.status_code == 200, page.content
    return web.post("/oauth/authorize", {**hidden(page.content.decode()), "allow": "yes"})


def trade(app, code: str, **changes):
    asked = {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK, "code_verifier": VERIFIER}
    return Client().post("/oauth/token", {**asked, **changes}, **app.basic)


def code_of(answer) -> str:
    return parse_qs(urlsplit(answer.headers["Location"]).query)["code"][0]


class App:
    """An app that a learner let in."""

    def __init__(self, learner: Learner, scope: str = ALL) -> None:
        self.app = registered()
        answer = let_in(browser(learner.person), self.app, scope=scope)
        self.tokens = trade(self.app, code_of(answer)).json()
        self.web = Client(raise_request_exception=False)

    @property
    def headers(self) -> dict:
        return {"HTTP_AUTHORIZATION": f"Bearer {self.tokens['access_token']}"}

    def get(self, path: str, **query):
        return self.web.get(f"{BASE}/{path}", query, **self.headers)

    def post(self, body: bytes, kind: str = "application/json"):
        return self.web.post(f"{BASE}/credentials", body, content_type=kind, **self.headers)

    def put(self, body: bytes, kind: str = "application/json"):
        return self.web.put(f"{BASE}/profile", body, content_type=kind, **self.headers)

    def refresh(self):
        asked = {"grant_type": "refresh_token", "refresh_token": self.tokens["refresh_token"]}
        return Client().post("/oauth/token", asked, **self.app.basic)


@pytest.fixture
def app(mei):
    return App(mei)


def is_status(answer, status: int, word: str) -> None:
    assert answer.status_code == status, answer.content
    holds_to("imsx_statusinfo", answer.json())
    fields = answer.json()["imsx_codeMinor"]["imsx_codeMinorField"]
    assert [field["imsx_codeMinorFieldValue"] for field in fields] == [word]


# --- The whole of it, over HTTP ---


def test_a_conformance_client_plays_host_issuer_and_reader_against_a_running_server(transactional_db, live_server):
    """Certification guide: Service Provider (Read) and (Write), with refresh and revocation, from discovery on."""
    cast = world.cast()
    mei = account(cast.mei, "mei")
    award = world.awarded(cast).award
    cookies = browser(mei.person).cookies
    cookie = "; ".join(f"{name}={morsel.value}" for name, morsel in cookies.items())
    with httpx.Client(base_url=live_server.url) as outside:
        sdd = outside.get(f"{BASE}/discovery").json()
        scheme = sdd["components"]["securitySchemes"]["OAuth2ACG"]
        flow = scheme["flows"]["authorizationCode"]

        def here(url: str) -> str:
            """The path of a published address: the server of this test has no TLS and no name."""
            assert url.startswith("https://demo.guildmark.example/")
            return urlsplit(url).path

        answer = outside.post(here(scheme["x-imssf-registrationUrl"]), json=FACTS)
        assert answer.status_code == 201
        client = answer.json()
        basic = (client["client_id"], client["client_secret"])

        asked = asking(SimpleNamespace(id=client["client_id"]), scope=" ".join(flow["scopes"]))
        page = outside.get(f"{here(flow['authorizationUrl'])}?{urlencode(asked)}", headers={"Cookie": cookie})
        assert page.status_code == 200
        jar = f"{cookie}; csrftoken={page.cookies['csrftoken']}"
        form = {**hidden(page.text), "allow": "yes"}
        answer = outside.post(here(flow["authorizationUrl"]), data=form, headers={"Cookie": jar})
        assert answer.status_code == 302
        back = urlsplit(answer.headers["Location"])
        assert f"{back.scheme}://{back.netloc}{back.path}" == BACK
        said = parse_qs(back.query)
        assert said["state"] == ["s-1"]
        assert set(said["scope"][0].split()) == set(flow["scopes"])

        trade = {
            "grant_type": "authorization_code", "code": said["code"][0], "redirect_uri": BACK,
            "scope": said["scope"][0], "code_verifier": VERIFIER,
        }  # fmt: skip
        tokens = outside.post(here(flow["tokenUrl"]), data=trade, auth=basic).json()
        assert (tokens["token_type"], tokens["expires_in"]) == ("Bearer", 3600)

        def read_and_write(access: str, number: int) -> None:
            bearer = {"Authorization": f"Bearer {access}"}
            sent, jws = signed(number), token_of(number + 100)
            json_kind = {**bearer, "Content-Type": "application/json"}
            made = outside.post(f"{BASE}/credentials", content=sent, headers=json_kind)
            assert (made.status_code, made.content) == (201, sent)
            text_kind = {**bearer, "Content-Type": "text/plain"}
            made = outside.post(f"{BASE}/credentials", content=jws, headers=text_kind)
            assert (made.status_code, made.content) == (201, jws)
            got = outside.get(f"{BASE}/credentials", headers=bearer)
            holds_to("getopenbadgecredentialsresponse", got.json())
            assert got.headers["X-Total-Count"] == str(len(got.json()["credential"] + got.json()["compactJwsString"]))
            assert json.loads(sent) in got.json()["credential"]
            assert json.loads(award.document) in got.json()["credential"]
            assert jws.decode() in got.json()["compactJwsString"]
            profile = outside.get(f"{BASE}/profile", headers=bearer).json()
            holds_to("profile", profile)
            assert profile["name"] == "Mei Tan"

        read_and_write(tokens["access_token"], 1)
        again = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"], "scope": tokens["scope"]}
        fresh = outside.post(here(flow["refreshUrl"]), data=again, auth=basic).json()
        assert fresh["access_token"] != tokens["access_token"]
        read_and_write(fresh["access_token"], 2)

        end = {"token": fresh["access_token"], "token_type_hint": "access_token"}
        assert outside.post("/oauth/revoke", data=end, auth=basic).status_code == 200
        bearer = {"Authorization": f"Bearer {fresh['access_token']}"}
        for path in ("credentials", "profile"):
            assert outside.get(f"{BASE}/{path}", headers=bearer).status_code == 401


# --- Discovery ---


def test_discovery_says_all_that_an_app_has_to_know(client_of_web):
    answer = client_of_web.get(f"{BASE}/discovery")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")
    info, scheme = answer.json()["info"], answer.json()["components"]["securitySchemes"]["OAuth2ACG"]
    for name in ("title", "version", "termsOfService", "x-imssf-privacyPolicyUrl"):
        assert info[name]
    assert scheme["type"] == "oauth2"
    flow = scheme["flows"]["authorizationCode"]
    urls = [info["termsOfService"], info["x-imssf-privacyPolicyUrl"], scheme["x-imssf-registrationUrl"]]
    urls += [flow["authorizationUrl"], flow["tokenUrl"], flow["refreshUrl"]]
    assert [url for url in urls if not url.startswith("https://")] == []
    assert {READ, WRITE, PROFILE, UPDATE} <= set(flow["scopes"])
    assert client_of_web.get(f"{BASE}/discovery", HTTP_IF_NONE_MATCH=answer.headers["ETag"]).status_code == 304


def test_every_reference_in_the_discovery_document_leads_somewhere():
    document = discovery_document()
    for name in re.findall(r'"#/components/schemas/(\w+)"', json.dumps(document)):
        assert name in document["components"]["schemas"]


# --- Registration ---


def test_an_app_registers_itself_without_a_token_and_is_told_all_that_was_registered(db, client_of_web):
    answer = client_of_web.post("/oauth/register", json.dumps(FACTS), content_type="application/json")
    assert answer.status_code == 201
    said = answer.json()
    assert {name: said[name] for name in FACTS} == FACTS
    assert said["client_secret_expires_at"] == 0
    row = ApiClient.objects.get(client_id=said["client_id"])
    assert said["client_secret"] not in str(ApiClient.objects.filter(pk=row.pk).values())
    assert (row.organisation, row.created_by) == (None, None)


WRONG = {
    "no name": ({"client_name": None}, "invalid_client_metadata"),
    "a name that cannot be printed": ({"client_name": "a\u202eb"}, "invalid_client_metadata"),
    "a long name": ({"client_name": "n" * 501}, "invalid_client_metadata"),
    "no terms": ({"tos_uri": None}, "invalid_client_metadata"),
    "plain http": ({"logo_uri": "http://backpack.example/logo.png"}, "invalid_client_metadata"),
    "two hosts": ({"policy_uri": "https://other.example/privacy"}, "invalid_client_metadata"),
    "no redirects": ({"redirect_uris": []}, "invalid_redirect_uri"),
    "no list": ({"redirect_uris": BACK}, "invalid_redirect_uri"),
    "redirect elsewhere": ({"redirect_uris": [BACK, "https://evil.example/"]}, "invalid_client_metadata"),
    "redirect with a fragment": ({"redirect_uris": [f"{BACK}#x"]}, "invalid_redirect_uri"),
    "two redirects in one": ({"redirect_uris": [f"{BACK} https://evil.example/"]}, "invalid_redirect_uri"),
    "redirect with a user": ({"redirect_uris": ["https://backpack.example@evil.example/"]}, "invalid_redirect_uri"),
    "redirect with a header": ({"redirect_uris": ["https://backpack.example;script-src/x"]}, "invalid_redirect_uri"),
    "redirect to a script": ({"redirect_uris": ["javascript:alert(1)"]}, "invalid_redirect_uri"),
    "redirect to no port": ({"redirect_uris": ["https://backpack.example:x/"]}, "invalid_redirect_uri"),
    "no scope": ({"scope": None}, "invalid_client_metadata"),
    "a foreign scope": ({"scope": "awards:write"}, "invalid_client_metadata"),
    "another grant": ({"grant_types": ["client_credentials"]}, "invalid_client_metadata"),
    "refresh alone": ({"grant_types": ["refresh_token"]}, "invalid_client_metadata"),
    "grant without a list": ({"grant_types": "authorization_code"}, "invalid_client_metadata"),
    "implicit": ({"response_types": ["token"]}, "invalid_client_metadata"),
    "no secret": ({"token_endpoint_auth_method": "none"}, "invalid_client_metadata"),
    "contacts without a list": ({"contacts": "me"}, "invalid_client_metadata"),
}


@pytest.mark.parametrize("which", WRONG)
def test_an_app_that_says_what_cannot_be_is_refused(db, client_of_web, which):
    changes, code = WRONG[which]
    said = {name: value for name, value in {**FACTS, **changes}.items() if value is not None}
    answer = client_of_web.post("/oauth/register", json.dumps(said), content_type="application/json")
    assert (answer.status_code, answer.json()["error"]) == (400, code)
    assert re.fullmatch(r"[ !#-\[\]-~]+", answer.json()["error_description"])
    assert not ApiClient.objects.exists()


@pytest.mark.parametrize("body", [b" ", b"[]", b"{", b"\xff", b'{"a":1,"a":2}', b"[" * 9000], ids=repr)
def test_a_registration_that_is_no_object_is_refused(db, client_of_web, body):
    answer = client_of_web.post("/oauth/register", body, content_type="application/json")
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_client_metadata")


def test_registrations_are_bound_for_each_address(db, client_of_web):
    for _ in range(20):
        assert client_of_web.post("/oauth/register", b"{}", content_type="application/json").status_code == 400
    answer = client_of_web.post("/oauth/register", json.dumps(FACTS), content_type="application/json")
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0


def test_what_it_asks_for_beyond_open_badges_is_not_registered(db):
    app = registered(scope=f"{READ} awards:write offline_access everything")
    assert app.client.scopes == [READ, "offline_access"]


def test_an_app_that_nobody_let_in_is_forgotten(mei):
    now = timezone.now()
    unused, used = registered(), App(mei).app
    for row in (unused.client, used.client):
        ApiClient.objects.filter(pk=row.pk).update(created_at=now - timedelta(days=apps.UNUSED_DAYS))
    registered()
    assert set(ApiClient.objects.values_list("client_id", flat=True)) >= {used.id}
    assert not ApiClient.objects.filter(pk=unused.client.pk).exists()


# --- Consent ---


def test_the_learner_reads_who_asks_and_what_it_may_do_before_anything_happens(mei):
    app = registered(client_name="A <b>bold</b> app")
    page = browser(mei.person).get("/oauth/authorize", asking(app, scope=f"{READ} {WRITE}"))
    text = page.content.decode()
    assert "A &lt;b&gt;bold&lt;/b&gt; app" in text
    assert "backpack.example" in text
    assert "read all the credentials that you hold" in text
    assert "put credentials of other issuers here" in text
    assert "e-mail address" not in text
    assert "form-action 'self' https://backpack.example;" in page.headers["Content-Security-Policy"]
    assert page.headers["Cache-Control"] == "private, no-store"
    assert not get_grant_model().objects.exists()


def test_a_stranger_signs_in_first(db):
    answer = Client().get("/oauth/authorize", asking(registered()))
    assert (answer.status_code, urlsplit(answer.headers["Location"]).path) == (302, "/account/login/")


@pytest.mark.parametrize(
    "changes",
    [
        {"state": None},
        {"state": ""},
        {"scope": None},
        {"code_challenge": None},
        {"code_challenge_method": None},
        {"code_challenge_method": "plain"},
        {"response_type": "token"},
        {"scope": "awards:read"},
    ],
    ids=str,
)
def test_a_request_without_state_or_pkce_goes_back_with_an_error(mei, changes):
    answer = browser(mei.person).get("/oauth/authorize", asking(registered(), **changes))
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith(f"{BACK}?")
    said = parse_qs(urlsplit(answer.headers["Location"]).query)
    assert said["error"][0] in ("invalid_request", "unauthorized_client", "invalid_scope", "unsupported_response_type")
    assert not get_grant_model().objects.exists()


@pytest.mark.parametrize(
    "changes",
    [
        {"redirect_uri": "https://evil.example/back"},
        {"redirect_uri": f"{BACK}/../evil"},
        {"redirect_uri": BACK.replace("backpack", "BACKPACK.evil")},
        {"client_id": "nobody"},
    ],
    ids=str,
)
def test_nobody_is_sent_to_an_address_that_was_not_registered(mei, changes):
    answer = browser(mei.person).get("/oauth/authorize", asking(registered(), **changes))
    assert answer.status_code == 400
    assert "Location" not in answer.headers


@pytest.mark.parametrize("more", [{"approval_prompt": "auto"}, {"prompt": "none"}, {"prompt": "create"}], ids=str)
def test_no_app_is_let_in_without_the_page(mei, more):
    app = App(mei)
    answer = browser(mei.person).get("/oauth/authorize", {**asking(app.app), **more}, follow=True)
    assert answer.status_code == 200
    assert b"Let it in" in answer.content
    assert not get_grant_model().objects.exists()


def test_whoever_says_no_is_not_asked_again(mei):
    app, web = registered(), browser(mei.person)
    form = hidden(web.get("/oauth/authorize", asking(app)).content.decode())
    answer = web.post("/oauth/authorize", {**form, "allow": ""})
    said = parse_qs(urlsplit(answer.headers["Location"]).query)
    assert (said["error"], said["state"]) == (["access_denied"], ["s-1"])
    assert not get_grant_model().objects.exists()


def test_an_app_that_posts_the_form_from_its_own_page_gets_nothing(mei):
    web = Client(enforce_csrf_checks=True)
    web.force_login(mei.person, backend="django.contrib.auth.backends.ModelBackend")
    answer = web.post("/oauth/authorize", {**asking(registered()), "allow": "yes"})
    assert answer.status_code == 403
    assert not get_grant_model().objects.exists()


def test_a_form_that_was_tampered_with_lets_nobody_in(mei):
    app, web = registered(), browser(mei.person)
    form = {**hidden(web.get("/oauth/authorize", asking(app)).content.decode()), "allow": "yes"}
    for changes in ({"redirect_uri": "https://evil.example/"}, {"code_challenge": ""}, {"scope": "awards:write"},
                    {"code_challenge_method": "plain"}, {"code_challenge_method": ""}):  # fmt: skip
        answer = web.post("/oauth/authorize", {**form, **changes})
        assert not answer.headers.get("Location", "").startswith("https://evil"), changes
        assert "code=" not in answer.headers.get("Location", ""), changes
    assert not get_grant_model().objects.exists()


def test_somebody_without_a_confirmed_address_lets_nobody_in(db):
    person = Person.objects.create(id=uuid4(), username="new", email="new@example.org")
    EmailAddress.objects.create(user=person, email=person.email, verified=False, primary=True)
    app, web = registered(), browser(person)
    form = hidden(web.get("/oauth/authorize", asking(app)).content.decode())
    assert web.post("/oauth/authorize", {**form, "allow": "yes"}).status_code == 422
    assert not get_grant_model().objects.exists()


# --- Tokens ---


def test_a_code_works_once_with_its_verifier_its_app_and_its_address(mei):
    app = registered()
    code = code_of(let_in(browser(mei.person), app))
    assert trade(app, code, code_verifier="x" * 50).status_code == 400
    assert trade(app, code, code_verifier="").status_code == 400
    assert trade(app, code, redirect_uri="https://backpack.example/other").status_code == 400
    assert trade(registered(), code).status_code == 400
    good = trade(app, code)
    assert good.status_code == 200
    assert set(good.json()["scope"].split()) == set(ALL.split())
    assert trade(app, code).json()["error"] == "invalid_grant"


def test_a_code_ends_after_ten_minutes(mei):
    app = registered()
    code = code_of(let_in(browser(mei.person), app))
    grant = get_grant_model().objects.get()
    assert timedelta(minutes=9) < grant.expires - timezone.now() <= timedelta(minutes=10)
    get_grant_model().objects.update(expires=timezone.now() - timedelta(seconds=1))
    assert trade(app, code).status_code == 400


def test_a_refresh_token_is_used_once_and_one_that_comes_twice_ends_them_all(app):
    first = app.tokens
    app.tokens = app.refresh().json()
    assert app.get("profile").status_code == 200
    assert Client().get(f"{BASE}/profile", HTTP_AUTHORIZATION=f"Bearer {first['access_token']}").status_code == 401
    again = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
    assert Client().post("/oauth/token", again, **app.app.basic).status_code == 400
    assert app.get("profile").status_code == 401
    assert app.refresh().status_code == 400


def test_tidying_tokens_leaves_what_can_still_be_refreshed(app):
    """A refresh token is worth nothing without the access token that it came with."""
    now = timezone.now()
    forget_old_tokens(now=now + timedelta(days=apps.REFRESH_DAYS - 1))
    assert app.refresh().status_code == 200
    forget_old_tokens(now=now + timedelta(days=apps.REFRESH_DAYS + 1))
    assert not get_access_token_model().objects.exists()
    assert not get_refresh_token_model().objects.filter(revoked=None).exists()


def test_an_app_gets_no_token_by_itself(db):
    app = registered()
    answer = Client().post("/oauth/token", {"grant_type": "client_credentials"}, **app.basic)
    assert (answer.status_code, answer.json()["error"]) == (400, "unauthorized_client")


def test_a_client_of_an_organisation_asks_no_learner(cast, mei):
    row, _ = make_client(by=cast.quinn, organisation=cast.harbour, name="Campus", scopes=["verify"], now=timezone.now())
    ApiClient.objects.filter(pk=row.pk).update(redirect_uris=BACK)
    asked = asking(SimpleNamespace(id=row.client_id), scope="verify")
    answer = browser(mei.person).get("/oauth/authorize", asked)
    assert "unauthorized_client" in answer.headers.get("Location", "")


def test_a_learners_token_opens_nothing_of_an_organisation_and_the_other_way_round(cast, app, client_of_web):
    assert caller_of(app.tokens["access_token"], now=timezone.now()) is None
    assert client_of_web.get("/api/v1/me", **app.headers).status_code == 401
    row, secret = make_client(
        by=cast.quinn, organisation=cast.harbour, name="Campus", scopes=["verify"], now=timezone.now()
    )
    asked = {"grant_type": "client_credentials", "client_id": row.client_id, "client_secret": secret}
    theirs = client_of_web.post("/oauth/token", asked).json()["access_token"]
    assert client_of_web.get(f"{BASE}/profile", HTTP_AUTHORIZATION=f"Bearer {theirs}").status_code == 401


# --- Who may what ---

CALLS = {
    READ: lambda app: app.get("credentials"),
    WRITE: lambda app: app.post(signed()),
    PROFILE: lambda app: app.get("profile"),
    UPDATE: lambda app: app.put(b'{"id": "https://mei.example/", "type": ["Profile"]}'),
}


@pytest.mark.parametrize("scope", CALLS)
def test_each_call_needs_its_scope_and_no_other(mei, scope):
    app = App(mei, scope)
    for needed, call in CALLS.items():
        answer = call(app)
        if needed == scope:
            assert answer.status_code in (200, 201), answer.content
        else:
            is_status(answer, 403, "forbidden")
            assert needed in answer.headers["WWW-Authenticate"]


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer nobody", "Basic eDp5", "Bearer \udcff", "bearer  "], ids=repr)
def test_without_a_token_nothing_is_told(db, client_of_web, header):
    for ask in (client_of_web.get, client_of_web.post):
        answer = ask(f"{BASE}/credentials", HTTP_AUTHORIZATION=header.encode("utf-8", "replace").decode("latin-1"))
        is_status(answer, 401, "unauthorizedrequest")
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_mallory_reads_and_removes_nothing_of_meis(cast, mei, app):
    app.post(signed())
    held = HeldCredential.objects.get()
    mallory = account(world.learner("m@example.org", "Mallory"), "mal")
    theirs = App(mallory)
    assert theirs.get("credentials").json()["credential"] == []
    web = browser(mallory.person)
    for path in (f"/my/received/{held.id}", f"/my/received/{held.id}/file"):
        assert web.get(path).status_code == 404
    assert web.post(f"/my/received/{held.id}/remove").status_code == 404
    web.post(f"/my/apps/{app.app.client.pk}/end")
    assert app.get("credentials").status_code == 200
    is_status(theirs.post(signed()) and theirs.get("credentials", limit=0), 400, "invalid_query_parameter")
    assert HeldCredential.objects.filter(learner=mei).count() == 1


@pytest.mark.parametrize("gone", ["closed", "erased", "client revoked"])
def test_a_token_of_somebody_who_left_is_nobodys(mei, app, gone):
    if gone == "closed":
        Person.objects.filter(pk=mei.person_id).update(is_active=False)
    elif gone == "erased":
        Learner.objects.filter(pk=mei.pk).update(erased_at=timezone.now())
    else:
        ApiClient.objects.update(revoked_at=timezone.now())
    is_status(app.get("credentials"), 401, "unauthorizedrequest")


def test_an_app_that_was_shut_out_does_nothing_any_more(mei, app):
    web = browser(mei.person)
    page = web.get("/my/apps")
    assert b"Backpack" in page.content
    web.post(f"/my/apps/{app.app.client.pk}/end")
    is_status(app.get("credentials"), 401, "unauthorizedrequest")
    assert app.refresh().status_code == 400
    assert b"No app acts for you." in web.get("/my/apps").content
    assert list(Event.objects.filter(verb__contains="app").order_by("id").values_list("verb", flat=True)) == [
        "register_app", "let_app_in", "shut_app_out",
    ]  # fmt: skip


# --- Reading ---


@pytest.fixture
def many(mei, app):
    """Seven badges, each from a day later than the one before, by number."""
    bodies = {n: signed(n, began=BEGAN + timedelta(days=n)) for n in range(7)}
    for n in (3, 0, 6, 1, 5, 2, 4):
        assert app.post(bodies[n]).status_code == 201
    return bodies


def links(answer) -> dict[str, dict[str, str]]:
    found = {}
    for url, rel in re.findall(r'<([^>]+)>; rel="(\w+)"', answer.headers["Link"]):
        assert url.startswith(f"https://demo.guildmark.example{BASE}/credentials?")
        found[rel] = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    return found


def test_following_next_reads_everything_once_in_order(app, many):
    got, query = [], {"limit": "3"}
    while query is not None:
        answer = app.get("credentials", **query)
        assert answer.headers["X-Total-Count"] == "7"
        got += answer.json()["credential"]
        query = links(answer).get("next")
    assert got == [json.loads(many[n]) for n in range(7)]


def test_links_name_the_first_and_last_page_always_and_others_where_there_are_some(app, many):
    first, middle, last = (links(app.get("credentials", limit=3, offset=at)) for at in (0, 3, 6))
    assert {rel: link["offset"] for rel, link in first.items()} == {"first": "0", "last": "6", "next": "3"}
    assert {rel: link["offset"] for rel, link in middle.items()} == {
        "first": "0", "last": "6", "next": "6", "prev": "0",
    }  # fmt: skip
    assert {rel: link["offset"] for rel, link in last.items()} == {"first": "0", "last": "6", "prev": "3"}
    assert "Link" not in app.get("credentials").headers
    beyond = app.get("credentials", offset=99)
    assert (beyond.status_code, beyond.json()["credential"]) == (200, [])


def test_since_leaves_out_what_began_earlier(app, many):
    moment = (BEGAN + timedelta(days=4)).isoformat()
    answer = app.get("credentials", since=moment, limit=1)
    assert answer.headers["X-Total-Count"] == "2"
    assert answer.json()["credential"] == [json.loads(many[5])]
    assert links(answer)["next"]["since"] == moment


@pytest.mark.parametrize(
    "query",
    [{"limit": "0"}, {"limit": "-1"}, {"limit": "x"}, {"offset": "-1"}, {"offset": "1" * 30}, {"limit": "²"},
     {"since": "yesterday"}, {"since": "2026-01-01"}, {"since": "2026-01-01T00:00:00"}],
    ids=str,
)  # fmt: skip
def test_a_parameter_that_cannot_be_is_refused(app, query):
    is_status(app.get("credentials", **query), 400, "invalid_query_parameter")


def test_a_page_ends_sooner_if_its_credentials_are_large(app, many, monkeypatch):
    monkeypatch.setattr(held_queries, "MOST_BYTES", len(many[0]) * 2 + 50)
    answer = app.get("credentials")
    assert len(answer.json()["credential"]) == 2
    assert links(answer)["next"]["offset"] == "2"


def test_reading_costs_the_same_whatever_is_held(app, many, django_assert_max_num_queries):
    with django_assert_max_num_queries(8):
        app.get("credentials")


def test_what_is_known_already_is_not_sent_again(app, many):
    answer = app.get("credentials")
    again = app.web.get(f"{BASE}/credentials", HTTP_IF_NONE_MATCH=answer.headers["ETag"], **app.headers)
    assert (again.status_code, again.content) == (304, b"")


def test_what_was_awarded_here_is_read_byte_for_byte(cast, mei, app):
    award = world.awarded(cast).award
    assert bytes(award.document) in app.get("credentials").content


@pytest.mark.parametrize("method", ["put", "patch", "delete", "options"])
def test_other_methods_are_refused(db, client_of_web, method):
    answer = getattr(client_of_web, method)(f"{BASE}/credentials")
    is_status(answer, 405, "not_allowed")
    assert answer.headers["Allow"] == "GET, HEAD, POST"


def test_an_address_that_is_none_is_not_found(db, client_of_web):
    is_status(client_of_web.get(f"{BASE}/assertions"), 404, "not_found")


def test_what_nobody_foresaw_is_told_as_a_status(app, monkeypatch):
    def breaks(*args, **named):
        raise ZeroDivisionError

    monkeypatch.setattr("guildmark.app.api.open_badges.held_page", breaks)
    is_status(app.get("credentials"), 500, "internal_server_error")


# --- Bringing ---


def test_what_is_brought_comes_back_as_it_came(app):
    sent, jws = signed(1), token_of(2)
    made = app.post(sent)
    assert (made.status_code, made.content, made.headers["Content-Type"]) == (201, sent, "application/json")
    made = app.post(jws, "text/plain")
    assert (made.status_code, made.content, made.headers["Content-Type"]) == (201, jws, "text/plain")
    got = app.get("credentials")
    assert sent in got.content
    assert got.json()["compactJwsString"] == [jws.decode()]


def test_a_newer_edition_replaces_and_an_older_one_does_not(app):
    old, new = signed(began=BEGAN), signed(began=BEGAN + timedelta(days=1))
    assert app.post(old).status_code == 201
    assert app.post(new).status_code == 200
    assert app.post(old).status_code == 200
    assert app.get("credentials").json()["credential"] == [json.loads(new)]
    assert app.post(token_of(began=BEGAN + timedelta(days=2)), "text/plain").status_code == 200
    got = app.get("credentials").json()
    assert (got["credential"], len(got["compactJwsString"])) == ([], 1)


def test_equal_are_those_whose_ids_are_equal_once_they_are_decoded(app):
    first = sign_document(badge(), SIGNER, created=BEGAN)
    other = sign_document({**badge(), "id": "https://sail.example/%62adges/1"}, SIGNER, created=BEGAN)
    assert app.post(jcs(first)).status_code == 201
    assert app.post(jcs(other)).status_code == 200
    assert HeldCredential.objects.count() == 1


def test_the_same_id_of_another_issuer_is_another_credential(app):
    assert app.post(signed()).status_code == 201
    assert app.post(signed(issuer="https://elsewhere.example/")).status_code == 201
    assert HeldCredential.objects.count() == 2


BAD = {
    "no badge": b"{}",
    "no object": b"[1]",
    "no JSON": b"{",
    "nothing": b" ",
    "not UTF-8": b'{"a": "\xff"}',
    "a name twice": b'{"id": 1, "id": 2}',
    "deep": b"[" * 50_000,
    "not signed": jcs(badge()),
    "no id": jcs({k: v for k, v in json.loads(signed()).items() if k != "id"}),
    "no date": jcs({k: v for k, v in json.loads(signed()).items() if k != "validFrom"}),
    "an endorsement": signed().replace(b"OpenBadgeCredential", b"EndorsementCredential"),
    "a token as JSON": b'"' + token_of() + b'"',
}


@pytest.mark.parametrize("which", BAD)
def test_what_is_no_signed_badge_is_refused(app, which):
    is_status(app.post(BAD[which]), 400, "invalid_data")
    assert not HeldCredential.objects.exists()


@pytest.mark.parametrize("body", [b"a.b.c", b"\xff", b" ", signed(), token_of() + b"~", token_of()[:-1] + b"=", b"..."],
                         ids=["a.b.c", "bytes", "nothing", "JSON", "SD-JWT", "padded", "dots"])  # fmt: skip
def test_what_is_no_token_with_a_badge_is_refused(app, body):
    is_status(app.post(body, "text/plain"), 400, "invalid_data")


@bounded(max_examples=60, deadline=None)
@given(st.binary(max_size=300))
def test_no_bytes_are_more_than_refused(body):
    for read in (backpack.read_json, backpack.read_jws):
        with pytest.raises(BrokenInput):
            read(body)


def test_what_is_too_large_or_of_another_type_is_refused(app):
    is_status(app.post(b" " * (backpack.LARGEST + 1)), 413, "invalid_data")
    is_status(app.post(signed(), "image/png"), 415, "not_acceptable")


def test_there_is_an_end_to_what_one_learner_holds(app, monkeypatch):
    monkeypatch.setattr(backpack, "MOST_HELD", 2)
    assert [app.post(signed(n)).status_code for n in (1, 2)] == [201, 201]
    is_status(app.post(signed(3)), 400, "invalid_data")
    assert app.post(signed(2, began=BEGAN + timedelta(days=1))).status_code == 200


def test_an_award_of_this_site_is_held_already_and_nothing_else_passes_for_it(cast, app):
    award = world.awarded(cast).award
    assert app.post(bytes(award.document)).status_code == 200
    forged = json.loads(award.document)
    forged["name"] = "Another name"
    is_status(app.post(jcs(forged)), 400, "invalid_data")
    assert not HeldCredential.objects.exists()
    assert Award.objects.get(pk=award.pk).document == award.document


# --- The profile ---


def test_the_profile_is_the_learners_until_an_app_writes_one_and_again_after_they_remove_it(mei, app):
    before = app.get("profile").json()
    holds_to("profile", before)
    assert (before["name"], before["email"]) == ("Mei Tan", "mei@example.org")
    written = b'{ "id": "https://1edtech.org/issuers/cert", "type": ["Profile"], "name": "M. Tan" }'
    answer = app.put(written)
    assert (answer.status_code, answer.content) == (200, written)
    assert app.get("profile").content == written
    mei.refresh_from_db()
    assert mei.name == "Mei Tan"
    web = browser(mei.person)
    assert b"A profile that an app wrote" in web.get("/my/apps").content
    web.post("/my/apps/profile")
    assert app.get("profile").json() == before


@pytest.mark.parametrize(
    "body", [b"{}", b"[]", b"{", b'{"id": "x", "type": ["Profile"]}', b'{"id": "https://a.example/", "type": "Person"}',
             b'{"id": "https://a.example/", "type": ["Profile"], "email": 7}', b" " * 64_001], ids=lambda b: str(b[:60])
)  # fmt: skip
def test_what_is_no_profile_is_refused(app, body):
    assert app.put(body).status_code in (400, 413)
    assert app.get("profile").json()["name"] == "Mei Tan"


# --- The learner's pages ---


def test_what_came_from_elsewhere_is_shown_as_such_verified_and_removable(mei, app, monkeypatch):
    monkeypatch.setattr("guildmark.app.web.public.network", NoOutside)
    app.post(signed())
    held, web = HeldCredential.objects.get(), browser(mei.person)
    home = web.get("/my").content.decode()
    assert "Received from elsewhere" in home
    assert "A sailing school" in home
    page = web.get(f"/my/received/{held.id}").content.decode()
    assert "It was not issued here." in page
    assert "proof.signature" in page
    assert "This credential holds." in page
    assert "does not show here whether it is you" in page, "it names her by a DID that she has not shown to be hers"
    assert "Ties a bowline" in page, "and reads in plain words"
    file = web.get(f"/my/received/{held.id}/file")
    assert (file.content, file.headers["Content-Type"]) == (signed(), "application/vc+ld+json")
    assert web.post(f"/my/received/{held.id}/remove").status_code == 302
    assert "Received from elsewhere" not in web.get("/my").content.decode()


@pytest.mark.parametrize(
    ("kind", "value", "says"),
    [
        ("emailAddress", "mei@example.org", "an e-mail address that is yours"),
        ("name", "Mei Tan", "made out to your name"),
        ("emailAddress", "mallory@example.org", "does not show here whether it is you"),
    ],
    ids=["address", "name", "mallory"],
)
def test_the_learner_is_told_whose_a_credential_from_elsewhere_is(mei, app, monkeypatch, kind, value, says):
    monkeypatch.setattr("guildmark.app.web.public.network", NoOutside)
    document = badge()
    entry = make("IdentityObject", hashed=False, identityHash=value, identityType=kind)
    document["credentialSubject"]["identifier"] = [entry]
    app.post(json.dumps(sign_document(document, SIGNER, created=BEGAN)).encode())
    page = browser(mei.person).get(f"/my/received/{HeldCredential.objects.get().id}").content.decode()
    assert "This credential holds." in page
    assert says in page


def test_everything_about_a_learner_has_what_apps_brought(mei, app):
    app.post(signed())
    body = browser(mei.person).get("/my/everything.zip").content
    assert b"received/knots-" in body


def test_erasing_a_learner_erases_what_apps_brought_and_ends_them(cast, mei, app):
    from guildmark.app.services.erasure import _forget_rows

    app.post(signed())
    app.put(b'{"id": "https://mei.example/", "type": ["Profile"]}')
    root = Person.objects.create_superuser("root", "root@example.org", "a long password", id=uuid4())
    _forget_rows(mei, 0, entropy=lambda n: b"0" * n, actor=root, now=timezone.now())
    assert not HeldCredential.objects.exists()
    assert not hasattr(Learner.objects.get(pk=mei.pk), "holder_profile")
    assert not get_refresh_token_model().objects.exists()
    assert app.get("credentials").status_code == 401
