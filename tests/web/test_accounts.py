"""Signing up and signing in: what allauth does here, on pages that are ours in layout and as strict as the rest."""

from __future__ import annotations

import re
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value, yield_hotp_counters_from_time
from allauth.socialaccount.models import SocialAccount, SocialLogin
from django.core import mail
from django.core.cache import cache
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from guildmark.app.records import Learner, Person
from guildmark.app.services.people import add_learner
from guildmark.app.web.accounts import ElsewhereAdapter
from tests.app.cast import NOW
from tests.web.test_public import Page, assert_guarded

PASSWORD = "a-long-and-odd-password-77"
EMAIL = "zora@example.org"

OPEN = {
    "account_login",
    "account_logout",
    "account_inactive",
    "account_signup",
    "account_signup_by_passkey",
    "account_request_login_code",
    "account_confirm_login_code",
    "account_email_verification_sent",
    "account_reset_password",
    "account_reset_password_done",
    "account_reset_password_from_key",
    "account_reset_password_from_key_done",
    "mfa_authenticate",
    "mfa_login_webauthn",
    "mfa_signup_webauthn",
    "mfa_trust",
    "socialaccount_login_cancelled",
    "socialaccount_login_error",
    "socialaccount_signup",
    "openid_connect_login",
    "openid_connect_callback",
    None,  # old addresses that only lead to the present ones
}
"""What a stranger may ask for. Every other address of allauth leads a stranger to the page for signing in."""


@pytest.fixture(autouse=True)
def nobody_has_tried_before(settings):
    """allauth counts attempts in the cache, which outlives a test; and passwords need not be slow to guess here."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    cache.clear()


@pytest.fixture
def zora(db):
    person = Person(username="zora", name="Zora Neal", email=EMAIL)
    person.set_password(PASSWORD)
    person.save()
    EmailAddress.objects.create(user=person, email=EMAIL, verified=True, primary=True)
    return person


@pytest.fixture
def oidc(settings):
    settings.SOCIALACCOUNT_PROVIDERS = {
        "openid_connect": {
            "APPS": [
                {
                    "provider_id": "uni",
                    "name": "Harbour staff",
                    "client_id": "guildmark",
                    "secret": "",
                    "settings": {"server_url": "https://sign-in.example/"},
                }
            ]
        }
    }


def shown(response, status: int = 200) -> Page:
    """The page, once it stands in our frame: language, one heading, labels, and no script but files and data."""
    assert response.status_code == status
    assert_guarded(response)
    page = Page(response)
    assert page.all("html")[0]["lang"] == "en"
    assert [a for a in page.all("main") if a["id"] == "main"]
    assert page.by_href("/verify"), "our frame"
    assert len(page.all("h1")) == 1
    title = re.search(r"<title>\s*(.*?)\s*</title>", response.content.decode(), re.DOTALL)
    assert title
    assert title[1].strip(" ·\n")
    assert page.all("style") == []
    for script in page.all("script"):
        assert script.get("src", "").startswith("/static/") or script.get("type") == "application/json"
    ids = [a["id"] for _, a in page.elements if a.get("id")]
    assert len(ids) == len(set(ids))
    labelled = {label.get("for") for label in page.all("label")}
    for tag, a in page.elements:
        assert "style" not in a
        assert not [name for name in a if name.startswith("on")]
        if tag in ("input", "textarea", "select") and a.get("type") != "hidden":
            assert a["id"] in labelled, a
        for reference in f"{a.get('aria-describedby', '')} {a.get('aria-labelledby', '')}".split():
            assert reference in ids
        if tag == "img":
            assert a["alt"]
        if tag == "button" and "form" in a:
            assert a["form"] in ids
    return page


def code_in(message) -> str:
    """The code that an e-mail carries, on a line of its own."""
    (code,) = [line.strip() for line in message.body.splitlines() if re.fullmatch(r"[A-Z0-9-]{6,9}", line.strip())]
    return code


def signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def sign_up(client: Client, email: str = EMAIL, **more: str):
    return client.post(
        "/account/signup/", {"email": email, "password1": PASSWORD, "name": "Zora Neal", **more}, follow=True
    )


# --- Making an account ---


@pytest.mark.django_db
def test_somebody_makes_an_account_and_confirms_the_address_by_a_code(client):
    shown(client.get("/account/signup/"))
    page = shown(sign_up(client))
    assert "Enter the code from the e-mail" in page.text
    assert not signed_in(client)
    assert mail.outbox[0].to == [EMAIL]
    wrong = client.post("/account/confirm-email/", {"code": "AAA-AAA"})
    assert "Incorrect code" in shown(wrong).text
    response = client.post("/account/confirm-email/", {"code": code_in(mail.outbox[0])}, follow=True)
    assert "Hello, Zora Neal" in shown(response).text
    person = Person.objects.get(email=EMAIL)
    assert (person.name, person.has_usable_password()) == ("Zora Neal", True)
    assert EmailAddress.objects.get(user=person).verified


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("language", "subject", "greets", "familiar"),
    [
        ("en", "Confirm your e-mail address", "Hello,", r"\bemail\b"),
        ("de", "Bestätigen Sie Ihre E-Mail-Adresse", "Guten Tag,", r"\b([Dd]u|[Dd]ich|[Dd]ein\w*)\b"),
        ("es", "Confirme su dirección de correo", "Hola:", r"\b([Tt]ú|[Tt]us?)\b"),
    ],
)
def test_signing_up_and_its_mail_are_said_in_our_words_and_politely(client, language, subject, greets, familiar):
    client.cookies["language"] = language
    pages = [Page(client.get(f"/account/{path}/")) for path in ("signup", "login", "login/code", "password/reset")]
    pages.append(Page(sign_up(client)))
    assert {page.all("html")[0]["lang"] for page in pages} == {language}
    (sent,) = mail.outbox
    assert sent.subject == subject, "nothing stands before it"
    assert sent.body.startswith(greets)
    for text in [*(page.text for page in pages), sent.body]:
        assert re.search(familiar, text) is None, text
        assert "Sign Up" not in text


@pytest.mark.django_db
def test_what_was_awarded_to_the_address_is_the_persons_once_it_is_confirmed(client):
    learner = add_learner(id=uuid4(), name="Zora Neal", email=EMAIL, now=NOW)
    sign_up(client)
    assert Learner.objects.get(pk=learner.pk).person is None, "saying an address is not having it"
    client.post("/account/confirm-email/", {"code": code_in(mail.outbox[0])})
    assert Learner.objects.get(pk=learner.pk).person == Person.objects.get(email=EMAIL)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"email": "not-an-address"}, "Enter a valid email address."),
        ({"password1": "short"}, "at least 12 characters"),
        ({"password1": "password1234"}, "too common"),
        ({"name": ""}, "This field is required."),
    ],
)
@pytest.mark.django_db
def test_what_cannot_be_taken_is_said_and_what_was_typed_stays(client, given, says):
    page = shown(sign_up(client, **given))
    assert says in page.text
    assert "Something is not right yet" in page.text
    assert page.by_id("id_email")["value"] == given.get("email", EMAIL)
    assert not Person.objects.exists()


@pytest.mark.django_db
def test_signing_up_does_not_tell_whether_an_address_has_an_account(client, zora):
    stranger, known = Client(), Client()
    fresh = shown(sign_up(stranger, email="new@example.org")).text.replace("new@example.org", "X")
    taken = shown(sign_up(known)).text.replace(EMAIL, "X")
    assert fresh == taken
    assert Person.objects.filter(email=EMAIL).count() == 1


# --- Signing in ---


def test_by_password(client, zora):
    page = shown(client.get("/account/login/"))
    assert "Sign in with a passkey" in page.text
    response = client.post("/account/login/", {"login": EMAIL, "password": PASSWORD}, follow=True)
    assert response.redirect_chain == [("/", 302)]
    assert "Hello, Zora Neal" in shown(response).text
    assert signed_in(client)


@pytest.mark.parametrize("given", [(EMAIL, "wrong"), ("nobody@example.org", PASSWORD)])
def test_a_wrong_password_and_an_unknown_address_are_told_alike(client, zora, given):
    page = shown(client.post("/account/login/", {"login": given[0], "password": given[1]}))
    assert "The e-mail address or the password is not right." in page.text
    assert not signed_in(client)


def test_guessing_is_slowed_down(client, zora):
    for _ in range(6):
        response = client.post("/account/login/", {"login": EMAIL, "password": "wrong"})
    assert "Too many failed login attempts" in shown(response).text
    right = client.post("/account/login/", {"login": EMAIL, "password": PASSWORD})
    assert "Too many failed login attempts" in shown(right).text
    assert not signed_in(client)


def test_by_a_code(client, zora):
    shown(client.get("/account/login/code/"))
    page = shown(client.post("/account/login/code/", {"email": EMAIL}, follow=True))
    assert "Enter the code from the e-mail to sign in" in page.text
    assert "Incorrect code" in shown(client.post("/account/login/code/confirm/", {"code": "AAAAAA"})).text
    client.post("/account/login/code/confirm/", {"code": code_in(mail.outbox[0])})
    assert signed_in(client)


def test_a_code_is_promised_to_an_unknown_address_as_to_a_known_one(client, zora):
    response = client.post("/account/login/code/", {"email": "nobody@example.org"}, follow=True)
    assert "Enter the code from the e-mail to sign in" in shown(response).text


def test_signing_in_leads_back_to_the_page_that_asked_and_nowhere_else(client, zora):
    asked = client.get("/start")
    assert asked.status_code == 302
    where = urlsplit(asked.headers["Location"])
    assert (where.path, where.query) == ("/account/login/", "next=/start")
    given = {"login": EMAIL, "password": PASSWORD}
    assert client.post(asked.headers["Location"], {**given, "next": "/start"}).headers["Location"] == "/start"
    elsewhere = Client().post("/account/login/", {**given, "next": "https://mallory.example/"})
    assert elsewhere.headers["Location"] == "/"


def test_signing_out_needs_a_post_and_ends_it(client, zora):
    client.force_login(zora, backend="django.contrib.auth.backends.ModelBackend")
    assert "Are you sure" in shown(client.get("/account/logout/")).text
    assert signed_in(client)
    assert client.post("/account/logout/").headers["Location"] == "/"
    assert not signed_in(client)


def test_without_the_token_of_the_page_nobody_is_signed_in_or_out(zora):
    strict = Client(enforce_csrf_checks=True)
    response = strict.post("/account/login/", {"login": EMAIL, "password": PASSWORD})
    assert response.status_code == 403
    assert "Nothing was changed" in Page(response).text


def test_a_forgotten_password_is_set_anew_through_the_mail(client, zora):
    shown(client.get("/account/password/reset/"))
    shown(client.post("/account/password/reset/", {"email": EMAIL}, follow=True))
    (link,) = re.findall(r"https?://testserver(/account/password/reset/key/\S+)", mail.outbox[0].body)
    page = client.get(link, follow=True)
    shown(page)
    new = "another-long-odd-password-88"
    shown(client.post(page.redirect_chain[-1][0], {"password1": new, "password2": new}, follow=True))
    zora.refresh_from_db()
    assert zora.check_password(new)
    used = shown(Client().get(link, follow=True))
    assert "invalid" in used.text


# --- The second step, passkeys, other accounts ---


def confirmed(client: Client, person: Person) -> Client:
    """Signed in, and the password given again as the pages about keys ask for it."""
    if not signed_in(client):
        client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    shown(client.get("/account/reauthenticate/"))
    client.post("/account/reauthenticate/", {"password": PASSWORD})
    return client


def test_an_authenticator_app_is_added_and_then_asked_for(client, zora):
    confirmed(client, zora)
    page = shown(client.get("/account/2fa/totp/activate/"))
    secret = page.by_id("authenticator_secret")["value"]
    assert [a for a in page.all("img") if a["src"].startswith("data:image/svg+xml") and a["alt"]]
    assert "Incorrect code" in shown(client.post("/account/2fa/totp/activate/", {"code": "000000"})).text
    counter = next(yield_hotp_counters_from_time())
    code = format_hotp_value(hotp_value(secret, counter))
    response = client.post("/account/2fa/totp/activate/", {"code": code}, follow=True)
    assert "Recovery codes" in shown(response).text
    for page in ("", "recovery-codes/", "recovery-codes/generate/", "totp/deactivate/"):
        shown(client.get(f"/account/2fa/{page}"))
    again = Client()
    asked = again.post("/account/login/", {"login": EMAIL, "password": PASSWORD}, follow=True)
    assert "Your account asks for a second step" in shown(asked).text
    assert not signed_in(again)
    assert "Incorrect code" in shown(again.post("/account/2fa/authenticate/", {"code": "000000"})).text
    unused = RecoveryCodes(Authenticator.objects.get(user=zora, type=Authenticator.Type.RECOVERY_CODES))
    again.post("/account/2fa/authenticate/", {"code": unused.get_unused_codes()[0]})
    assert signed_in(again)


def test_the_pages_of_passkeys_stand_in_our_frame(client, zora):
    confirmed(client, zora)
    page = shown(client.get("/account/2fa/webauthn/add/"))
    assert [s for s in page.all("script") if s.get("src") == "/static/mfa/js/webauthn.js"]
    assert "This functionality requires JavaScript." in page.text
    assert "No key has been added yet." in shown(client.get("/account/2fa/webauthn/")).text
    key = Authenticator.objects.create(
        user=zora, type=Authenticator.Type.WEBAUTHN, data={"name": "Blue key", "credential": {}}
    )
    listed = shown(client.get("/account/2fa/webauthn/"))
    assert "Blue key" in listed.text
    assert {a.get("scope") for a in listed.all("th")} == {"col", "row"}
    shown(client.get(f"/account/2fa/webauthn/keys/{key.pk}/edit/"))
    shown(client.get(f"/account/2fa/webauthn/keys/{key.pk}/remove/"))


def test_a_page_about_keys_asks_for_the_password_again(client, zora):
    client.post("/account/login/", {"login": EMAIL, "password": PASSWORD})
    response = client.get("/account/2fa/webauthn/add/")
    assert response.status_code == 302
    assert "Show that it is you" in shown(client.get(response.headers["Location"])).text
    wrong = client.post("/account/reauthenticate/", {"password": "wrong"})
    assert "Something is not right yet" in shown(wrong).text
    assert client.get("/account/2fa/webauthn/add/").status_code == 302


def test_nobody_changes_the_key_of_somebody_else(client, zora):
    mallory = Person(username="mallory", email="mallory@example.org")
    mallory.set_password(PASSWORD)
    mallory.save()
    EmailAddress.objects.create(user=mallory, email=mallory.email, verified=True, primary=True)
    key = Authenticator.objects.create(
        user=zora, type=Authenticator.Type.WEBAUTHN, data={"name": "Blue key", "credential": {}}
    )
    confirmed(client, mallory)
    for action in ("edit", "remove"):
        for method in (client.get, client.post):
            assert method(f"/account/2fa/webauthn/keys/{key.pk}/{action}/").status_code == 404
    assert Authenticator.objects.filter(pk=key.pk).exists()


@pytest.mark.django_db
def test_a_passkey_can_be_the_whole_account(client):
    shown(client.get("/account/signup/passkey/"))
    client.post("/account/signup/passkey/", {"email": EMAIL, "name": "Zora Neal"})
    response = client.post("/account/confirm-email/", {"code": code_in(mail.outbox[0])}, follow=True)
    page = shown(response)
    assert "Make a passkey" in page.text
    assert page.by_id("mfa_webauthn_signup")["type"] == "button"


def test_an_account_elsewhere_is_offered_where_one_is_configured(client, zora, oidc):
    page = shown(client.get("/account/login/"))
    (link,) = [a["href"] for a in page.all("a") if "/account/oidc/uni/login/" in a["href"]]
    assert "Harbour staff" in page.text
    assert "Continue" in shown(client.get(link)).text, "following a link signs nobody in"
    confirmed(client, zora)
    assert "Harbour staff" in shown(client.get("/account/3rdparty/")).text
    assert "Accounts elsewhere" in shown(client.get("/account/email/")).text


def test_no_account_elsewhere_is_offered_where_none_is_configured(client, zora):
    page = shown(client.get("/account/login/"))
    assert not [a for a in page.all("a") if "oidc" in a["href"]]
    assert "third-party" not in page.text
    assert client.get("/account/oidc/uni/login/").status_code == 404


# --- Every address of allauth ---


def _addresses():
    """(name, path, view) for every address under account/, with a value for each part of the path."""
    (root,) = [e for e in get_resolver().url_patterns if isinstance(e, URLResolver) and str(e.pattern) == "account/"]

    def walk(patterns, prefix):
        for entry in patterns:
            path = prefix + str(entry.pattern)
            if isinstance(entry, URLResolver):
                yield from walk(entry.url_patterns, path)
            elif isinstance(entry, URLPattern):
                yield entry.name, path, entry.callback

    for name, path, view in walk(root.url_patterns, "/account/"):
        path = re.sub(r"\^|\$", "", path)
        path = re.sub(r"\(\?P<uidb36>[^)]*\)", "1", re.sub(r"\(\?P<key>[^)]*\)", "x", path))
        yield name, re.sub(r"\(\?P<\w+>[^)]*\)|<\w+:\w+>", "1", path), view


ADDRESSES = list(_addresses())


def test_every_address_under_account_is_allauths_own_and_none_is_forgotten():
    names = {name for name, _, _ in ADDRESSES}
    assert {"account_login", "account_email", "mfa_index", "mfa_add_webauthn", "socialaccount_connections"} <= names
    assert OPEN - names <= {"mfa_trust"}, "the list of open pages names what there is"
    for name, _, view in ADDRESSES:
        assert view.__module__.startswith("allauth.") or name is None, name


@pytest.mark.parametrize(("name", "path"), [(name, path) for name, path, _ in ADDRESSES])
@pytest.mark.django_db
def test_a_stranger_sees_what_is_open_and_is_asked_to_sign_in_elsewhere(client, name, path):
    for method in (client.get, client.post):
        response = method(path)
        if name not in OPEN:
            assert response.status_code == 302, path
            assert urlsplit(response.headers["Location"]).path == reverse("account_login")
        elif "oidc" in path:
            assert response.status_code == 404, "no such provider is configured"
        else:
            assert response.status_code in (200, 301, 302, 400, 401, 403, 404, 405), path
        if response.status_code == 200 and "html" in response.headers["Content-Type"]:
            shown(response)
        assert_guarded(response)


@pytest.mark.parametrize(("name", "path"), [(name, path) for name, path, _ in ADDRESSES])
def test_whoever_is_signed_in_meets_our_frame_and_no_fault(client, zora, name, path):
    TOTP.activate(zora, "A" * 32)
    for method in ("get", "post"):
        response = getattr(confirmed(client, zora), method)(path)
        assert response.status_code < 500
        if response.status_code == 200 and "html" in response.headers["Content-Type"]:
            shown(response)


# --- An account that somebody else began ---


@pytest.mark.django_db
def test_a_password_chosen_in_anothers_name_opens_nothing_once_the_owner_confirms_the_address(client):
    """Mallory begins an account under Zora's address and waits; Zora asks for a code and comes in."""
    learner = add_learner(id=uuid4(), name="Zora Neal", email=EMAIL, now=NOW)
    mallory = Client()
    sign_up(mallory)
    client.post("/account/login/code/", {"email": EMAIL})
    client.post("/account/login/code/confirm/", {"code": code_in(mail.outbox[-1])})
    assert signed_in(client)
    assert Learner.objects.get(pk=learner.pk).person == Person.objects.get(email=EMAIL), "her credentials are hers"
    again = Client().post("/account/login/", {"login": EMAIL, "password": PASSWORD})
    assert "is not right" in shown(again).text


@pytest.mark.django_db
def test_whoever_confirms_their_own_account_keeps_their_password(client):
    sign_up(client)
    again = Client()
    cache.clear()  # another code may be asked for only after some minutes
    again.post("/account/login/", {"login": EMAIL, "password": PASSWORD})
    again.post("/account/confirm-email/", {"code": code_in(mail.outbox[-1])})
    assert signed_in(again)
    assert Person.objects.get(email=EMAIL).check_password(PASSWORD)


# --- What an account elsewhere may bring ---


def came_back(**said):
    """What the provider said, as allauth hands it to our adapter."""
    account = SocialAccount(provider="uni", uid="z")
    address = EmailAddress(email=said["email"], verified=said.get("email_verified", False), primary=True)
    return SocialLogin(user=Person(), account=account, email_addresses=[address])


@pytest.mark.parametrize(
    ("said", "counts"),
    [(True, True), (False, False), (None, False), ("true", False), ("false", False), (1, False)],
)
def test_an_address_is_confirmed_only_if_the_provider_says_true(rf, said, counts):
    login = came_back(email=EMAIL, email_verified=said)
    ElsewhereAdapter().pre_social_login(rf.get("/"), login)
    assert login.email_addresses[0].verified is counts


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ({"name": " Zora Neal "}, "Zora Neal"),
        ({"first_name": "Zora", "last_name": "Neal"}, "Zora Neal"),
        ({"name": "x" * 500}, "x" * 200),
        ({"name": None}, "zora"),
        ({}, "zora"),
    ],
)
def test_a_name_is_taken_over_as_it_was_said_or_made_of_the_address(rf, said, name):
    login = came_back(email=EMAIL)
    person = ElsewhereAdapter().populate_user(rf.get("/"), login, {"email": EMAIL, **said})
    assert person.name == name
