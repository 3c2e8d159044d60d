"""Pictures of each audience's main pages, wide and narrow, light and dark: `python -m tests.browser.pictures FOLDER`.

To be looked at, not compared. With `--url URL` they are taken of a demo that is served already.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.browser.accessible import EVERY, Setting, Walk
from tests.browser.app import App
from tests.browser.conftest import FLAGS
from tests.browser.site import GUILDMARK, Site, running

APP = "an app asks to be let in"
"""Stands for the page of an app that the learner of these pictures has let in once."""

PROVIDER, PARTNER = "/o/nordlys-health-college", "/o/elderbank-homes"

PAGES: dict[str, list[tuple[str, str]]] = {
    "": [
        ("public-start", "/"),
        ("public-catalogue", "/learn"),
        ("public-course", "/learn > a[href^='/learn/']"),
        ("public-sign-in", "/account/login/"),
        ("verifier-check", "/verify"),
        ("regulator-register", "/register"),
        ("regulator-entry", "/register > a[href^='/register/']:not([href*='figures'])"),
        ("regulator-figures", "/register/figures"),
    ],
    "aroha": [
        ("learner-home", "/"),
        ("learner-credentials", "/my"),
        ("learner-credential", "/my > a[href^='/my/credentials/']"),
        ("learner-learning", "/my > a[href^='/my/learning/']"),
        ("learner-stacks", "/my/stacks"),
        ("learner-roles", "/my/roles"),
        ("learner-second-step", "/account/2fa/"),
        ("learner-app-asks", APP),
        ("learner-apps", "/my/apps"),
        ("learner-received", "/my > a[href^='/my/received/']"),
    ],
    "solveig": [
        ("designer-home", "/"),
        ("designer-demand", f"{PROVIDER}/demand"),
        ("designer-blueprints", f"{PROVIDER}/blueprints"),
        ("designer-blueprint", f"{PROVIDER}/blueprints > td a, th a"),
    ],
    "marit": [
        ("marker-list", f"{PROVIDER}/marking"),
        ("marker-work", f"{PROVIDER}/marking > a[href*='/marking/']"),
    ],
    "astrid": [
        ("awarder-awards", f"{PROVIDER}/awards"),
        ("awarder-decision", f"{PROVIDER}/awards > a[href*='/decisions/']"),
        ("awarder-award", f"{PROVIDER}/awards > a[href*='/awards/']"),
        ("awarder-correction", f"{PROVIDER}/awards > a[href*='/awards/'] > a[href$='/correct']"),
        ("awarder-lists", f"{PROVIDER}/awards/lists"),
    ],
    "henrik": [("admin-people", f"{PROVIDER}/people"), ("admin-trail", f"{PROVIDER}/trail")],
    "moana": [
        ("partner-home", "/"),
        ("partner-maps", f"{PARTNER}/maps"),
        ("partner-map", f"{PARTNER}/maps > a[href*='/maps/']"),
        ("partner-needs", f"{PARTNER}/needs"),
        ("partner-hire", f"{PARTNER}/hire"),
        ("partner-ranking", f"{PARTNER}/hire > a[href*='/hire/']:is([href*='-'])"),
    ],
}
"""For each person: a name for the picture, and an address, with `> selector` for each link to follow from there."""


def take(site: Site, folder: Path, settings: tuple[Setting, ...] = EVERY) -> Iterator[Path]:
    """Take every picture into `folder`; a page that the demo does not have now is passed over and said."""
    from playwright.sync_api import sync_playwright

    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        walk = Walk(site, browser, "en", settings)
        for who, pages in PAGES.items():
            context = walk.context(who)
            page = context.new_page()
            for name, where in pages:
                if where == APP:
                    app = App(site)
                    app.enter(page)
                    where = app.asks
                path, *links = where.split(" > ")
                page.goto(site.url + path)
                if missing := next((link for link in links if not _follow(page, link)), ""):
                    print(f"no {missing} at {path}", file=sys.stderr)
                    continue
                for setting in settings:
                    page.set_viewport_size({"width": setting.width, "height": 900})
                    page.emulate_media(color_scheme=setting.scheme, reduced_motion="reduce")
                    file = folder / f"{name}-{setting.width}-{setting.scheme}.png"
                    page.screenshot(path=file, full_page=True)
                    yield file
            context.close()
        browser.close()


def _follow(page: Any, link: str) -> bool:
    found = page.locator("main").locator(link)
    hrefs = [href for href in (a.get_attribute("href") for a in found.all()) if href]
    wanted = [href for href in hrefs if re.search(r"[0-9a-f]{8}-", href)] or hrefs
    if not wanted:
        return False
    page.goto(re.sub(r"^(https?://[^/]+).*", r"\1", page.url) + wanted[0])
    return True


@contextmanager
def demo(url: str | None) -> Iterator[Site]:
    """The site at `url`, or the demo, told and served as long as it is needed."""
    if url:
        yield Site(url, Path(), {})
        return
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        subprocess.run([*GUILDMARK, "demo", "--no-serve", "--folder", str(home)], check=True, capture_output=True)
        with running(home.parent, home=home, GUILDMARK_DEMO_SITE="1") as site:
            yield site


if __name__ == "__main__":
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("folder", type=Path)
    asked.add_argument("--url")
    options = asked.parse_args()
    with demo(options.url) as served:
        for taken in take(served, options.folder):
            print(taken)
