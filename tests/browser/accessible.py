"""Every page of the demo's site that its people can reach, and what axe-core and our own rules say about each.

axe is put into a page by the browser's debugger, beside the content security policy and not through it.
"""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.browser.site import Site
from tests.interop.peers import MODULES, need_packages

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]

NOT_OURS = ("/admin/", "/static/")
"""Django's own pages for the operator, and files."""

PUBLIC = ("/", "/verify", "/learn", "/learn?q=data", "/learn?q=nothing-like-that", "/register", "/account/login/")


PEOPLE = ("aroha", "mei", "solveig", "henrik", "marit", "astrid", "quinn", "moana", "omar")
"""Two learners, a designer, an admin, a marker, an awarder, another provider's admin, two partners.

A regulator reads the register as any stranger does.
"""


@dataclass(frozen=True)
class Setting:
    """How a page is looked at."""

    width: int
    scheme: str

    def __str__(self) -> str:
        return f"{self.width} px, {self.scheme}"


WIDE, DARK = Setting(1280, "light"), Setting(1280, "dark")
NARROW, NARROW_DARK = Setting(320, "light"), Setting(320, "dark")
EVERY = (WIDE, DARK, NARROW, NARROW_DARK)


@dataclass(frozen=True)
class Visit:
    """A page as somebody meets it: `who` is a username of the demo, or nobody; `send` sends its form empty."""

    who: str
    path: str
    send: bool = False

    def __str__(self) -> str:
        return f"{self.path}{' sent empty' if self.send else ''} as {self.who or 'a stranger'}"


ERRORS = (
    Visit("", "/nothing-here"),
    Visit("", "/shared/no-such-link"),
    Visit("", "/claim/no-such-link"),
    Visit("marit", "/o/nobody/people"),
    Visit("marit", "/invitation/no-such-link"),
    Visit("marit", "/o/nordlys-health-college/blueprints/new"),
)
"""Where there is nothing, where a link does not hold, and where somebody lacks the role."""

SPOILED = tuple(
    Visit(who, path, send=True)
    for who, path in [
        ("", "/account/login/"),
        ("", "/account/signup/"),
        ("", "/account/signup/passkey/"),
        ("", "/account/password/reset/"),
        ("henrik", "/start"),
        ("henrik", "/o/nordlys-health-college/connections/keys/new"),
        ("henrik", "/o/nordlys-health-college/connections/webhooks/new"),
        ("solveig", "/o/nordlys-health-college/blueprints/new"),
        ("astrid", "/o/nordlys-health-college/awards/lists/new"),
        ("moana", "/o/elderbank-homes/needs/new"),
        ("moana", "/o/elderbank-homes/hire/paste"),
    ]
)
"""Forms that are sent with nothing in them; the answer says what is missing."""


@cache
def axe() -> str:
    """axe-core, as npm brought it."""
    need_packages("axe-core")
    return (MODULES / "axe-core" / "axe.min.js").read_text()


def violations(page: Any, tags: list[str] = TAGS) -> list[str]:
    """What axe finds wrong on the page as it is shown now, a sentence each."""
    _bring_axe(page)
    return _violations_and_width(page, tags)[0]


def _bring_axe(page: Any) -> None:
    if not page.evaluate("typeof axe === 'object'"):
        page.evaluate(axe())


def _violations_and_width(page: Any, tags: list[str]) -> tuple[list[str], int]:
    found, width = page.evaluate(
        """async tags => {
            const options = {runOnly: {type: "tag", values: tags}, resultTypes: ["violations", "incomplete"]};
            const why = node => [...node.any, ...node.all, ...node.none].map(check => check.message).join("; ");
            const where = node => `${node.target.join(" ")}: ${node.html.slice(0, 160)} (${why(node)})`;
            const {violations, incomplete} = await axe.run(document, options);
            // Text of the colour of its ground may be hidden on purpose, says axe; here nothing is.
            const same = node => node.any.some(check => check.data?.messageKey === "equalRatio");
            const faint = incomplete.map(i => ({...i, nodes: i.nodes.filter(same)})).filter(i => i.nodes.length);
            const found = [...violations, ...faint].map(v => [v.id, v.help, v.nodes.slice(0, 3).map(where)]);
            return [found, document.scrollingElement.scrollWidth];
        }""",
        tags,
    )
    return [f"{id}: {says}: {' | '.join(where)}" for id, says, where in found], width


def faults(page: Any, language: str, settings: tuple[Setting, ...] = EVERY) -> list[str]:
    """What axe and our own rules find wrong on the page as it stands, in every setting, with all that folds unfolded.

    Nothing is loaded anew, so an answer to a form can be judged too; what was folded is folded again afterwards.
    """
    found = []
    if (headings := page.locator("h1").count()) != 1:
        found.append(f"has {headings} headings of the first level")
    if (says := page.evaluate("document.documentElement.lang")) != language:
        found.append(f"says that its language is {says!r} and not {language!r}")
    _bring_axe(page)
    page.evaluate(
        """() => { window.folded = [...document.querySelectorAll("details:not([open])")];
            for (const part of window.folded) part.open = true; }"""
    )
    for setting in settings:
        page.set_viewport_size({"width": setting.width, "height": 800})
        page.emulate_media(color_scheme=setting.scheme, reduced_motion="reduce")
        wrong, wide = _violations_and_width(page, TAGS)
        found += [f"({setting}) {violation}" for violation in wrong]
        if wide > setting.width:
            found.append(f"({setting}) scrolls sideways: it is {wide} px wide, by {_widest(page, setting)}")
    page.evaluate("() => { for (const part of window.folded) part.open = false; }")
    return found


def _widest(page: Any, setting: Setting) -> str:
    return page.evaluate(
        """width => [...document.querySelectorAll("body *")].filter(e => e.getBoundingClientRect().right > width + 1
            && !e.closest(".scroll")).slice(0, 3).map(e => e.outerHTML.slice(0, 120)).join(" | ")""",
        setting.width,
    )


def pattern(path: str) -> str:
    """The kind of page: the address without ids, names and tokens."""
    parts = urlsplit(path)
    kind = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|(?<=/o/)[^/]+|(?<=/)\d+(?=/|$)", "*", parts.path)
    kind = re.sub(r"^/(claim|shared|invitation|judge-rule)/[^/]+", r"/\1/*", re.sub(r"(?<=/judge/)[^/]+", "*", kind))
    return kind + "?" + ",".join(sorted(key for key, _ in parse_qsl(parts.query) if key != "next"))


@dataclass
class Walk:
    """A walk over the site in one language by each of its people; what was wrong is kept, not raised.

    `examples` pages of one kind are looked at, such as two micro-credentials: a draft and one that is published.
    """

    site: Site
    browser: Any
    language: str
    settings: tuple[Setting, ...]
    examples: int = 1
    wrong: list[str] = field(default_factory=list)
    seen: list[Visit] = field(default_factory=list)
    _kinds: Counter[str] = field(default_factory=Counter)

    def context(self, who: str) -> Any:
        """A browser that prefers the language and stands still, in which `who` has signed in by one click."""
        opened = self.browser.new_context(locale=self.language, reduced_motion="reduce")
        opened.set_default_timeout(20_000)
        if who:
            page = opened.new_page()
            page.goto(self.site.url)
            button = page.locator(f'button[name="username"][value="{who}"]')
            with page.expect_navigation():
                button.evaluate("button => button.click()")  # some stand in a part of the page that has to be opened
            page.close()
        return opened

    def crawl(self, people: Iterable[str]) -> list[Visit]:
        """Follow every link of every person's pages, at most `examples` pages of a kind, and look at each."""
        for who in ("", *people):
            waiting = deque(PUBLIC if not who else ["/"])
            with self._somebody(who) as page:
                asked = set(waiting)
                while waiting:
                    path = waiting.popleft()
                    self.look(page, Visit(who, path))
                    for link in self._links(page):
                        if link not in asked and self._kinds[pattern(link)] < self.examples:
                            asked.add(link)
                            self._kinds[pattern(link)] += 1
                            waiting.append(link)
        return self.seen

    def again(self, visits: Iterable[Visit]) -> None:
        """Look at these pages, each as the person who met it."""
        people: dict[str, list[Visit]] = {}
        for visit in visits:
            people.setdefault(visit.who, []).append(visit)
        for who, theirs in people.items():
            with self._somebody(who) as page:
                for visit in theirs:
                    self.look(page, visit)

    def look(self, page: Any, visit: Visit) -> None:
        """Load the page once and judge it in every setting; what is no page of HTML is left out."""
        first = self.settings[0]
        page.set_viewport_size({"width": first.width, "height": 800})
        page.emulate_media(color_scheme=first.scheme, reduced_motion="reduce")
        try:
            response = page.goto(self.site.url + visit.path)
        except Exception as problem:
            if "Download is starting" in str(problem) or "ERR_ABORTED" in str(problem):
                return
            raise
        if "text/html" not in response.headers.get("content-type", ""):
            return
        if response.status >= 500:
            self._say(visit, f"is answered with {response.status}")
        if visit.send:
            with page.expect_navigation():
                page.locator("main form[method=post]").first.evaluate("form => form.requestSubmit()")
            if page.locator("main [role=alert]").count() == 0:
                self._say(visit, "does not say what is missing")
        self.seen.append(visit)
        self._judge(page, visit)

    def _judge(self, page: Any, visit: Visit) -> None:
        for fault in faults(page, self.language, self.settings):
            self._say(visit, fault)

    def _links(self, page: Any) -> list[str]:
        found = page.evaluate("[...document.querySelectorAll('a[href]')].map(a => a.href.split('#')[0])")
        here = [href.removeprefix(self.site.url) or "/" for href in found if href.startswith(self.site.url)]
        return [path for path in dict.fromkeys(here) if not path.startswith(NOT_OURS)]

    @contextmanager
    def _somebody(self, who: str) -> Iterator[Any]:
        context = self.context(who)
        page = context.new_page()
        page.on("console", lambda said: self._heard(page, who, said.type, said.text))
        page.on("pageerror", lambda error: self._heard(page, who, "error", str(error)))
        page.on("request", lambda request: self._asked(page, who, request.url))
        yield page
        context.close()

    def _heard(self, page: Any, who: str, kind: str, text: str) -> None:
        # The browser says so of every 404 that we ask for on purpose.
        if kind == "error" and "the server responded with a status of 4" not in text:
            self._say(Visit(who, page.url.removeprefix(self.site.url)), f"complains in the console: {text}")

    def _asked(self, page: Any, who: str, url: str) -> None:
        if not url.startswith((self.site.url, "data:", "about:")):
            self._say(Visit(who, page.url.removeprefix(self.site.url)), f"asks another origin: {url}")

    def _say(self, visit: Visit, what: str) -> None:
        self.wrong.append(f"{visit} {what}")
