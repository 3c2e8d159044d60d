"""Every page that the demo's people reach is accessible, narrow and wide, light and dark, in each language.

Each page is judged in all four settings; two of a kind in English, one of a kind in the other languages, whose pages
differ in words only. Left out: the operator's admin, which is Django's own, and addresses that answer with something
else than HTML.
"""

from __future__ import annotations

import pytest

from guildmark.app import settings
from tests.browser.accessible import ERRORS, EVERY, PEOPLE, SPOILED, TAGS, Visit, Walk, pattern, violations
from tests.browser.app import App

pytestmark = [pytest.mark.interop, pytest.mark.slow]

OTHERS = [code for code, _ in settings.LANGUAGES if code != "en"]


def test_every_page_in_english_wide_and_narrow_light_and_dark(demo_site, browser):
    walk = Walk(demo_site, browser, "en", EVERY, examples=2)
    walk.crawl(PEOPLE)
    walk.again(ERRORS + SPOILED)
    assert walk.wrong == [], "\n".join(walk.wrong)
    kinds = {pattern(visit.path) for visit in walk.seen}
    assert len(kinds) > 50, "the walk came round"
    assert {"/my?", "/o/*/awards?", "/o/*/marking?", "/o/*/maps?", "/register?", "/learn/*?"} <= kinds


@pytest.mark.parametrize("language", OTHERS)
def test_every_page_in_another_language_wide_and_narrow_light_and_dark(demo_site, browser, language):
    walk = Walk(demo_site, browser, language, EVERY)
    walk.crawl(PEOPLE)
    walk.again(ERRORS + SPOILED)
    assert walk.wrong == [], "\n".join(walk.wrong)


@pytest.mark.parametrize("language", ["en", *OTHERS])
def test_the_pages_on_which_an_app_is_let_in_and_what_it_brought(demo_site, browser, language):
    """The demo has none, so one comes: first its question is judged, then what the learner sees afterwards."""
    walk, app = Walk(demo_site, browser, language, EVERY), App(demo_site)
    context = walk.context("mei")
    page = context.new_page()
    walk.look(page, Visit("mei", app.asks))
    app.enter(page)
    page.goto(f"{demo_site.url}/my")
    received = page.locator("a[href^='/my/received/']").first.get_attribute("href")
    for path in ("/my", "/my/apps", received):
        walk.look(page, Visit("mei", path))
    context.close()
    assert len(walk.seen) == 4
    assert walk.wrong == [], "\n".join(walk.wrong)


def test_axe_would_have_said_so(browser):
    """A page with known faults, each against another part of the guidelines, is found at fault."""
    page = browser.new_page()
    page.set_content(
        """<!doctype html><html><title>x</title><img src="data:,"><input><p style="color:#999;background:#fff">faint</p>
        <a href="#a" style="font-size:4px">a</a><a href="#b" style="font-size:4px">b</a></html>"""
    )
    found = {says.split(":")[0] for says in violations(page, TAGS)}
    assert {"html-has-lang", "image-alt", "label", "color-contrast", "target-size"} <= found


def test_text_of_the_colour_of_its_ground_is_found_too(browser):
    page = browser.new_page()
    page.set_content(
        """<!doctype html><html lang="en"><title>x</title>
        <main><button style="color:#fff;background:#fff">x y z</button></main></html>"""
    )
    assert [says.split(":")[0] for says in violations(page)] == ["color-contrast"]


KEYBOARD = [
    ("", "/"),
    ("", "/verify"),
    ("", "/account/login/"),
    ("aroha", "/my"),
    ("solveig", "/o/nordlys-health-college/blueprints"),
    ("moana", "/o/elderbank-homes/needs/new"),
]


@pytest.mark.parametrize(("who", "path"), KEYBOARD)
def test_the_tab_key_reaches_every_control_in_the_order_of_the_page_and_shows_where_it_is(
    demo_site, browser, who, path
):
    context = Walk(demo_site, browser, "en", EVERY).context(who)
    page = context.new_page()
    page.goto(demo_site.url + path)
    controls = page.evaluate(
        """() => {
            const shown = e => e.checkVisibility({visibilityProperty: true}) && !e.disabled && e.tabIndex >= 0;
            const all = [...document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex]")];
            // Of the buttons of one choice, the tab key reaches one.
            const first = e => e.type !== "radio" || e === (document.querySelector(`[name="${e.name}"]:checked`)
                || document.querySelector(`[name="${e.name}"]`));
            window.controls = all.filter(e => shown(e) && first(e));
            window.looks = e => ["outline", "boxShadow", "borderColor", "backgroundColor", "insetInlineStart"]
                .map(p => getComputedStyle(e)[p]).join();
            window.before = window.controls.map(looks);
            return window.controls.length;
        }"""
    )
    reached, unseen = [], []
    while len(reached) < controls and len(reached) < 200:
        page.keyboard.press("Tab")
        place, seen, what = page.evaluate(
            """() => { const e = document.activeElement, i = controls.indexOf(e);
                return [i, looks(e) !== before[i], e.outerHTML.slice(0, 120)]; }"""
        )
        if reached and reached[-1] == place != -1:
            continue  # the parts of a date are stops of their own
        reached.append(place)
        if not seen:
            unseen.append(what)
    assert reached == list(range(controls))
    assert unseen == [], "nothing shows that these have the focus"
    context.close()


def test_the_first_tab_stop_leads_past_the_menu(demo_site, browser):
    page = browser.new_page()
    page.goto(demo_site.url + "/verify")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.matches('a.skip')")
    box = page.locator("a.skip").bounding_box()
    assert box["x"] >= 0, "it is seen once it has the focus"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('main') !== null"), "and the next stop is in the content"
