"""Signing in with an account elsewhere: a real OpenID provider, the npm package oidc-provider, and a real browser."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.browser.site import Site, free_port, running
from tests.interop.peers import HERE, need_packages

pytestmark = [pytest.mark.interop, pytest.mark.slow]


@dataclass(frozen=True)
class Elsewhere:
    """A provider that runs, and the site where its accounts are good."""

    url: str
    site: Site


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory, chromium) -> Iterator[Elsewhere]:  # without a browser, no site either
    """One site and one provider for this file; its tests are about different people."""
    need_packages("oidc-provider")
    port, its_port = free_port(), free_port()
    url = f"http://127.0.0.1:{its_port}"
    offered = f"harbour|Harbour staff|{url}|guildmark|not-a-secret-of-anybody\ngone|Gone|http://127.0.0.1:9|x|y"
    with running(tmp_path_factory.mktemp("oidc"), port=port, GUILDMARK_OIDC=offered) as site:
        process = subprocess.Popen(
            ["node", "oidc_provider.mjs", str(its_port), f"{site.url}/account/oidc/harbour/login/callback/"],
            cwd=HERE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "ready"
        yield Elsewhere(url, site)
        process.terminate()
        process.wait(timeout=10)
        process.stdout.close()
        assert "Traceback" not in site.log()


@pytest.fixture
def fresh_page(browser):
    """A page of somebody who was never here before; what a page asks of other hosts is not there to be had."""
    opened = []

    def fresh(javascript: bool = True):
        context = browser.new_context(java_script_enabled=javascript)
        context.route("**/*", lambda route: route.continue_() if "//127.0.0.1" in route.request.url else route.abort())
        context.set_default_timeout(15_000)
        opened.append(context)
        return context.new_page()

    yield fresh
    for context in opened:
        context.close()


def enter(page, elsewhere: Elsewhere, login: str, *, agree: bool = True) -> None:
    """From our page for signing in to the provider's, in there as `login`, and back, or back by its Cancel."""
    page.goto(f"{elsewhere.site.url}/account/login/")
    page.get_by_role("link", name="Harbour staff").click()
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url(f"{elsewhere.url}/interaction/**")
    page.get_by_placeholder("Enter any login").fill(login)
    page.get_by_placeholder("and password").fill("anything")
    page.get_by_role("button", name="Sign-in").click()
    if agree:
        page.get_by_role("button", name="Continue").click()
    else:
        page.get_by_role("link", name="Cancel").click()
    page.wait_for_url(f"{elsewhere.site.url}/**")


def heading(page) -> str:
    return page.get_by_role("heading", level=1).inner_text()


def enter_code(page, code: str) -> None:
    page.get_by_role("textbox").fill(code)
    page.get_by_role("button", name="Confirm").click()


def assert_nobody_is_signed_in(page, site: Site) -> None:
    page.goto(site.url)
    assert page.get_by_role("link", name="Sign in", exact=True).is_visible()
    assert not page.get_by_role("button", name="Sign out").is_visible()
    page.goto(f"{site.url}/my")
    assert page.url.startswith(f"{site.url}/account/"), "asked to sign in, or for the code"


@pytest.mark.parametrize("javascript", [True, False], ids=["with-javascript", "without-javascript"])
def test_somebody_signs_in_elsewhere_is_here_by_name_and_address_and_the_same_person_again(
    elsewhere, fresh_page, javascript
):
    for _ in range(2):
        page = fresh_page(javascript)
        enter(page, elsewhere, "zora")
        assert heading(page) == "Hello, Zora Neal"
        page.goto(f"{elsewhere.site.url}/account/email/")
        assert "zora@harbour.example (confirmed, the main one)" in page.locator("main").inner_text()
    assert elsewhere.site.mails("zora@harbour.example") == [], "no code is asked for"
    page.goto(f"{elsewhere.site.url}/account/3rdparty/")
    assert "Harbour staff" in page.locator("main").inner_text()


def test_whoever_refuses_at_the_provider_is_told_plainly_and_is_not_signed_in(elsewhere, fresh_page):
    page = fresh_page()
    enter(page, elsewhere, "ned", agree=False)
    assert heading(page) == "Nobody was signed in"
    page.locator("main").get_by_role("link", name="sign in").click()
    assert page.url == f"{elsewhere.site.url}/account/login/"
    assert_nobody_is_signed_in(page, elsewhere.site)


@pytest.mark.parametrize("login", ["mallory", "eve"], ids=["said-only", "vouched-for"])
def test_an_address_that_has_an_account_opens_it_for_nobody_else(elsewhere, fresh_page, login):
    """Not when the provider only repeats what Mallory says, and not when it calls the address Eve's."""
    owner = {"mallory": "victor", "eve": "oda"}[login]
    enter(fresh_page(), elsewhere, owner)
    page = fresh_page()
    enter(page, elsewhere, login)
    assert "/account/confirm-email/" in page.url, "as if a code had been sent"
    assert "already exists" in elsewhere.site.mails(f"{owner}@harbour.example")[-1].body
    assert_nobody_is_signed_in(page, elsewhere.site)


def test_an_address_that_is_not_vouched_for_is_confirmed_by_a_code_first(elsewhere, fresh_page):
    page = fresh_page()
    enter(page, elsewhere, "wanda")
    assert "/account/confirm-email/" in page.url
    assert_nobody_is_signed_in(page, elsewhere.site)
    page.goto(f"{elsewhere.site.url}/account/confirm-email/")
    enter_code(page, elsewhere.site.mail("wanda@harbour.example", "").code)
    assert heading(page) == "Hello, Wanda Fox"


def test_an_account_begun_elsewhere_in_anothers_name_is_lost_once_the_owner_comes(elsewhere, fresh_page):
    begun, owner, again = fresh_page(), fresh_page(), fresh_page()
    enter(begun, elsewhere, "trudy")
    assert "/account/confirm-email/" in begun.url
    owner.goto(f"{elsewhere.site.url}/account/login/code/")
    owner.get_by_label("E-mail").fill("ines@harbour.example")
    owner.get_by_role("button", name="Send me the code").click()
    enter_code(owner, elsewhere.site.mail("ines@harbour.example", "Your code to sign in").code)
    assert heading(owner).startswith("Hello")
    enter(again, elsewhere, "trudy")
    assert_nobody_is_signed_in(again, elsewhere.site)


def test_who_brings_no_address_is_asked_for_one_and_has_to_confirm_it(elsewhere, fresh_page):
    page = fresh_page()
    enter(page, elsewhere, "nomail")
    assert heading(page) == "Make an account"
    assert page.get_by_label("Your name").input_value() == "Nomi Ashe"
    page.get_by_label("E-mail").fill("nomi@ashe.example")
    page.get_by_role("button", name="Make the account").click()
    enter_code(page, elsewhere.site.mail("nomi@ashe.example", "").code)
    assert heading(page) == "Hello, Nomi Ashe"


def test_a_provider_that_does_not_answer_is_said_and_is_no_fault_of_ours(elsewhere, fresh_page):
    page = fresh_page()
    page.goto(f"{elsewhere.site.url}/account/login/")
    page.get_by_role("link", name="Gone").click()
    page.get_by_role("button", name="Continue").click()
    assert heading(page) == "That did not work"
    assert "does not answer now" in page.locator("main").inner_text()
