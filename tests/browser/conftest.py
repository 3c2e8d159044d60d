"""What every browser test starts from: a fresh site, the demo's site, and Chromium.

`browser` ends with its file and not with the session: while Playwright's synchronous API is open, an event loop runs
in this process, and Django's database, which the files after it use, refuses to work beside one.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.browser.site import GUILDMARK, Site, running
from tests.interop.peers import absent

FLAGS = [
    "--no-sandbox",  # continuous integration runs as root
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def chromium() -> str:
    """Where Chromium is; without it the test is skipped, or fails if GUILDMARK_REQUIRE_PEERS=1."""
    return shutil.which("chromium") or absent("Chromium is not installed: run `apt-get install chromium`")


@pytest.fixture(scope="module")
def browser(chromium):
    """Chromium, driven by Playwright; each person gets a context of their own: `browser.new_context(...)`."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield opened
        opened.close()


@pytest.fixture
def launch(tmp_path) -> Iterator[Callable[..., Site]]:
    """Starts a site: `launch()`, or `launch(port=8001, GUILDMARK_OIDC="...")`; all of them stop with the test."""
    with ExitStack() as opened:
        started: list[Site] = []

        def start(*, port: int | None = None, **environment: str) -> Site:
            folder = tmp_path / f"site{len(started)}"
            started.append(opened.enter_context(running(folder, port=port, **environment)))
            return started[-1]

        yield start
    for site in started:
        assert "Traceback" not in site.log(), site.log()


@pytest.fixture
def site(launch) -> Site:
    """A real site with nobody in it: server and worker in their own processes, home and database empty."""
    return launch()


@pytest.fixture(scope="session")
def demo_home(tmp_path_factory) -> Path:
    """The demo, told once; a folder that a site can be served from."""
    home = tmp_path_factory.mktemp("demo") / "home"
    words = ("demo", "--no-serve", "--folder", str(home))
    told = subprocess.run([*GUILDMARK, *words], cwd=home.parent, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stderr
    return home


@pytest.fixture(scope="session")
def demo_site(demo_home) -> Iterator[Site]:
    """The demo's site, where anybody is any of its people with one click; its tests share it."""
    with running(demo_home.parent, home=demo_home, GUILDMARK_DEMO_SITE="1") as started:
        yield started
