"""What axe and our own rules say of every page that the story reaches: wide and narrow, light and dark, each language.

The person's own page is judged where it stands and never loaded anew, since what it says once would be gone. For
another language a mirror is judged: a page in a browser beside, with a copy of the person's cookies and a language of
its own. axe is a script itself: a page of a browser without scripts is copied as it stands into one that has them, and
there the page's own are forbidden. So the story goes on as if nobody had looked.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tests.browser.accessible import faults, pattern
from tests.browser.people import Visitor

KINDS = """() => {
    const kind = e => [e.localName, e.getAttribute("type"), e.getAttribute("role"), ...e.classList]
        .filter(Boolean).join(".");
    const within = where => new Set([...document.querySelectorAll(where)]
        .map(e => `${kind(e.parentElement)} > ${kind(e)}`));
    const said = within(".messages, .messages *");
    return [[...within("body *")].filter(pair => !said.has(pair)), [...said]];
}"""
"""What is on a page: each kind of element with the kind that holds it; beside, those of what is said once."""

NO_SCRIPTS = {"Content-Security-Policy": "script-src 'none'"}
"""The page's own scripts stand still; axe, which the debugger brings, does not."""

Seen = set[tuple[str, str]]
"""A kind of address, and a kind of element that was judged there."""


class Looks:
    """Called at each page of a story (`Story(..., look=Looks(...))`); keeps what is wrong instead of raising it.

    A page is judged if it holds a kind of element that was not judged at its kind of address before: else it differs
    from an earlier one in words and numbers only. Its own language, the first, sees what is said once, such as a
    message after a form; a mirror asks for the same address again and does not. An answer to a form with files is
    mirrored by sending the same files; any other answer to a form cannot be had in another language, and is listed in
    `not_mirrored`.

    `seen_in_others` is what was judged in the other languages. Two plays of one story may share it, since the mirror
    shows the same page to both.
    """

    def __init__(
        self,
        browser: Any,
        languages: Iterable[str],
        *,
        java_script: bool = True,
        seen_in_others: Seen | None = None,
    ) -> None:
        self.own, *self.others = languages
        self.java_script = java_script
        self.wrong: list[str] = []
        self.not_mirrored: list[str] = []
        self.addresses: set[str] = set()
        self.seen: Seen = set()
        self.seen_in_others: Seen = set() if seen_in_others is None else seen_in_others
        self._mirrors = {language: _beside(browser, language, java_script) for language in self.others}
        self._desk = None if java_script else _beside(browser, self.own, True)
        self._shown = ("", "")
        if self._desk is not None:
            self._desk.route("**/*", self._answer)

    def __call__(self, visitor: Visitor, response: Any) -> None:
        """Judge the page that they reached; `response` as in `Look`."""
        page = visitor.page
        if page.evaluate("document.contentType") != "text/html":
            return  # a file that the browser shows by itself
        address = pattern(page.url.removeprefix(visitor.site.url))
        where = f"{address} as {visitor.name}"
        lasting, said = ({(address, kind) for kind in kinds} for kinds in page.evaluate(KINDS))
        self.addresses.add(address)
        if not lasting | said <= self.seen:
            self.seen |= lasting | said
            was = page.viewport_size
            self._say(where, self.own, self._faults(page, self.own))
            page.set_viewport_size(was)
            page.emulate_media(color_scheme="null", reduced_motion="null")
        if not lasting <= self.seen_in_others:
            self.seen_in_others |= lasting
            for language in self.others:
                self._look_in(language, visitor, response, where)

    def _faults(self, page: Any, language: str) -> list[str]:
        if self._desk is None:
            return faults(page, language)
        self._shown = (page.url.split("#")[0], page.content())
        self._desk.goto(self._shown[0])
        return faults(self._desk, language)

    def _answer(self, route: Any) -> None:
        """The desk gets the copied page under its own address, and what belongs to it from the site."""
        address, html = self._shown
        if route.request.url == address:
            route.fulfill(content_type="text/html; charset=utf-8", body=html, headers=NO_SCRIPTS)
        else:
            route.continue_()

    def _look_in(self, language: str, visitor: Visitor, response: Any, where: str) -> None:
        mirror = self._mirrors[language]
        sent = response is not None and response.request.method == "POST"
        if sent and not visitor.attached:
            self.not_mirrored.append(where)
            return
        address, expected = visitor.page.url.split("#")[0], response.status if response is not None else 200
        cookies = [c for c in visitor.context.cookies() if c["name"] != "language"]
        mirror.context.clear_cookies()
        mirror.context.add_cookies([*cookies, {"name": "language", "value": language, "url": visitor.site.url}])
        answer = mirror.goto(address)
        if sent:
            for name, files in visitor.attached.items():
                mirror.locator(f'input[type="file"][name="{name}"]').set_input_files(files)
            form = mirror.locator("main form", has=mirror.locator('input[type="file"]'))
            with mirror.expect_navigation() as answering:
                form.locator('button[type="submit"]').first.click()
            answer = answering.value
        if (answer.status, mirror.url) != (expected, address):
            self._say(where, language, [f"is not there: {answer.status} at {mirror.url}"])
        self._say(where, language, self._faults(mirror, language))

    def _say(self, where: str, language: str, found: Iterable[str]) -> None:
        self.wrong += [f"{where} in {language} {fault}" for fault in found]


def _beside(browser: Any, language: str, java_script: bool) -> Any:
    context = browser.new_context(locale=language, java_script_enabled=java_script, reduced_motion="reduce")
    page = context.new_page()
    page.set_default_timeout(30_000)
    return page
