"""Signing up with a passkey and no password, and a second step by an app: in a browser with a key of its own."""

from __future__ import annotations

import base64
import re
from uuid import UUID

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.browser.accessible import violations
from tests.browser.site import running

pytestmark = [pytest.mark.interop, pytest.mark.slow]

PASSWORD = "a-long-and-odd-password-77"


@pytest.fixture(scope="module")
def site(tmp_path_factory, chromium):
    """One site for this file; its tests are about different people."""
    assert chromium
    with running(tmp_path_factory.mktemp("passkey")) as started:
        yield started
        assert "Traceback" not in started.log()


@pytest.fixture
def at(site) -> str:
    """The site by a name: keys are bound to one, and 127.0.0.1 is none."""
    return site.url.replace("127.0.0.1", "localhost")


@pytest.fixture
def page(browser):
    """A page that keeps what the console complains of; the pages themselves must give no cause."""
    context = browser.new_context()
    context.set_default_timeout(15_000)
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    context.close()
    assert complaints == []


@pytest.fixture
def key(page):
    """A key in the machine that knows its owner, as telephones and computers have them."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    return session.send("WebAuthn.addVirtualAuthenticator", {"options": options})["authenticatorId"], session


def assert_accessible(page) -> None:
    """As it is shown now, and narrow too; the demo's walk does not come to these pages."""
    for width in (1280, 320):
        page.set_viewport_size({"width": width, "height": 800})
        assert violations(page) == []
        assert page.evaluate("document.scrollingElement.scrollWidth") <= width


def heading(page) -> str:
    return page.get_by_role("heading", level=1).inner_text()


def enter_code(page, code: str) -> None:
    page.get_by_role("textbox").fill(code)
    page.get_by_role("button", name=re.compile("Confirm|Sign in|Turn on")).click()


def test_somebody_signs_up_with_a_passkey_and_comes_back_with_it(site, at, page, key):
    page.goto(f"{at}/account/signup/")
    page.get_by_role("link", name="passkey").click()
    page.get_by_label("E-mail").fill("zora@harbour.example")
    page.get_by_label("Your name").fill("Zora Neal")
    page.locator("main").get_by_role("button").first.click()
    enter_code(page, site.mail("zora@harbour.example", "").code)
    page.get_by_label("Name").fill("My telephone")
    assert_accessible(page)
    page.get_by_role("button", name="Create it").click()
    page.wait_for_url(f"{at}/")
    assert heading(page) == "Hello, Zora Neal"
    authenticator, session = key
    (kept,) = session.send("WebAuthn.getCredentials", {"authenticatorId": authenticator})["credentials"]
    assert (kept["rpId"], kept["isResidentCredential"]) == ("localhost", True)

    page.get_by_role("button", name="Sign out").click()
    page.goto(f"{at}/account/login/")
    page.get_by_role("button", name="passkey").click()
    page.wait_for_url(f"{at}/")
    assert heading(page) == "Hello, Zora Neal"

    page.goto(f"{at}/account/2fa/webauthn/")
    assert "My telephone" in page.locator("main").inner_text()
    assert_accessible(page)


@pytest.mark.parametrize(
    "handle", [b"\x00\xff nobody", b"", UUID(int=7).hex.encode()], ids=["garbage", "empty", "well-formed"]
)
def test_a_forged_key_opens_nothing_and_the_page_says_so(at, page, key, handle):
    authenticator, session = key
    private = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    forged = {
        "credentialId": base64.b64encode(b"a key of nobody").decode(),
        "isResidentCredential": True,
        "rpId": "localhost",
        "privateKey": base64.b64encode(private).decode(),
        "userHandle": base64.b64encode(handle).decode(),
        "signCount": 1,
    }
    session.send("WebAuthn.addCredential", {"authenticatorId": authenticator, "credential": forged})
    page.goto(f"{at}/account/login/")
    with page.expect_navigation():
        page.get_by_role("button", name="passkey").click()
    assert "Incorrect code." in page.locator("main").inner_text()
    page.goto(f"{at}/my")
    assert page.url.startswith(f"{at}/account/login/")


def test_a_second_step_by_an_app_is_set_up_and_asked_for_and_recovery_codes_open_too(site, at, page):
    page.goto(f"{at}/account/signup/")
    page.get_by_label("E-mail").fill("ada@harbour.example")
    page.get_by_label("Your name").fill("Ada Lind")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Make an account", exact=True).click()
    enter_code(page, site.mail("ada@harbour.example", "").code)
    assert heading(page) == "Hello, Ada Lind"

    page.goto(f"{at}/account/2fa/totp/activate/")
    if "reauthenticate" in page.url:
        page.get_by_label("Password").fill(PASSWORD)
        page.locator("main").get_by_role("button").first.click()
    secret = page.locator("#authenticator_secret").input_value()
    assert page.get_by_role("img").first.get_attribute("alt")
    assert_accessible(page)
    page.locator("#id_code").fill(code_of(secret))
    page.get_by_role("button", name="Turn on").click()
    page.wait_for_url("**/recovery-codes/")
    codes = page.get_by_label("Unused codes").input_value().split()
    assert len(codes) == len(set(codes)) == 10
    assert_accessible(page)

    for opens in (codes[0], code_of(secret)):
        page.get_by_role("button", name="Sign out").click()
        page.goto(f"{at}/account/login/")
        page.get_by_label("E-mail").fill("ada@harbour.example")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in", exact=True).click()
        assert "/account/2fa/authenticate/" in page.url
        page.get_by_label("code").fill("000000")
        page.get_by_role("button", name="Sign in").click()
        assert "Incorrect code" in page.locator("main").inner_text()
        assert_accessible(page)
        page.get_by_label("code").fill(opens)
        page.get_by_role("button", name="Sign in").click()
        assert heading(page) == "Hello, Ada Lind"


def code_of(secret: str) -> str:
    """What an app shows now for the secret that the page showed."""
    return format_hotp_value(hotp_value(secret, next(yield_hotp_counters_from_time())))
