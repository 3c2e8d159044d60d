"""The fixtures keep what they promise: a fresh site has nobody in it, the demo's is full."""

from __future__ import annotations


def test_a_fresh_site_greets_a_stranger_and_writes_a_code_to_whoever_signs_up(site, browser):
    page = browser.new_context().new_page()
    page.goto(site.url)
    page.get_by_role("link", name="Sign up").or_(page.get_by_role("link", name="Make an account")).first.click()
    page.get_by_label("E-mail").fill("nora@example.org")
    page.get_by_label("Your name").fill("Nora Weiss")
    page.get_by_label("Password").fill("a long enough phrase")
    page.get_by_role("button", name="Make an account", exact=True).click()
    assert len(site.mail("nora@example.org", "").code) >= 6


def test_the_demo_is_served_and_one_click_signs_in(demo_site, browser):
    page = browser.new_context().new_page()
    page.goto(demo_site.url)
    somebody = page.get_by_role("region", name="This is the demo").get_by_role("button").first
    name = somebody.inner_text().strip()
    somebody.click()
    page.get_by_role("heading", level=1, name=f"Hello, {name}").wait_for()
    assert page.get_by_role("button", name="Sign out").count() == 1
