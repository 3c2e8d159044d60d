"""A person at a browser: they follow links, fill in fields by their labels and press buttons, as anybody would."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.browser.site import PUBLIC, Site

PASSWORD = "a phrase that nobody guesses"

Look = Callable[["Visitor", Any], None]
"""Called at each page that a person reaches, with them and the answer; None where only the part after # changed."""


class Visitor:
    """Somebody with a browser of their own: no cookie and no account is shared with the others.

    Every page that is reached answers with a status below 400, unless the step says otherwise, and no script of it
    fails. `look` is called at each.
    """

    def __init__(
        self,
        site: Site,
        browser: Any,
        name: str,
        *,
        java_script: bool = True,
        look: Look | None = None,
        **options: Any,
    ) -> None:
        self.site, self.name, self.look = site, name, look
        self.email = f"{name.split()[0].lower()}@example.org"
        self.context = browser.new_context(
            java_script_enabled=java_script, accept_downloads=True, locale="en-AU", **options
        )
        self.page = self.context.new_page()
        self.page.set_default_timeout(30_000)
        self.troubles: list[str] = []
        self.attached: dict[str, list[str]] = {}
        self.page.on("pageerror", lambda error: self.troubles.append(f"{self.page.url}: {error}"))
        self.page.on("console", lambda m: self.troubles.append(f"{m.text}") if m.type == "error" else None)
        self.page.on("requestfailed", self._failed)

    def _failed(self, request: Any) -> None:
        if request.failure != "net::ERR_ABORTED":  # which is also how a page goes that turned out to be a file
            self.troubles.append(f"{request.url} failed: {request.failure}")

    # -- going somewhere ----------------------------------------------------------------------------------------------

    def open(self, path: str = "/", status: int = 200) -> None:
        """Type an address: the front page, or a link from a mail."""
        address = path.removeprefix(PUBLIC)
        self._arrive(self.page.goto(self.site.url + address), status)

    def follow(self, text: str, *, within: str = "", status: int = 200) -> None:
        """Click the first link with these words."""
        self._go(self._place(within).get_by_role("link", name=text).first, status)

    def press(self, text: str, *, within: str = "", status: int = 200) -> None:
        """Press the first button with these words; a form is sent and a page comes back."""
        self._go(self._place(within).get_by_role("button", name=text).first, status)

    def download(self, text: str, folder: Path) -> Path:
        """Click a link that brings a file; where it lies now."""
        with self.page.expect_download() as coming:
            self.page.get_by_role("link", name=text).first.click()
        file = folder / f"{self.name.split()[0].lower()}-{coming.value.suggested_filename}"
        coming.value.save_as(file)
        return file

    def _go(self, thing: Any, status: int) -> None:
        with self.page.expect_navigation() as arriving:
            thing.click()
        self._arrive(arriving.value, status)

    def _arrive(self, response: Any, status: int) -> None:
        """`response` is None where only the part after # changed."""
        if response is not None:
            assert response.status == status, f"{self.name}: {response.status} at {self.page.url}: {self.text()[:600]}"
        if status >= 400:  # the console says that too, and it is what the step is about
            self.troubles = [t for t in self.troubles if "status of" not in t]
        assert not self.troubles, f"{self.name} at {self.page.url}: {self.troubles}"
        if self.look is not None:
            self.look(self, response)
        self.attached.clear()

    def _place(self, within: str) -> Any:
        """The whole page, or the section with this heading."""
        return self.page.get_by_role("region", name=within) if within else self.page

    # -- filling in ---------------------------------------------------------------------------------------------------

    def field(self, label: str, number: int = 0) -> Any:
        """The field with these words in its label; the first of several, unless its number is given."""
        fields = self.page.locator("input, select, textarea")
        return self.page.get_by_label(label, exact=False).and_(fields).nth(number)

    def write(self, label: str, text: str) -> None:
        self.field(label).fill(text)

    def choose(self, label: str, option: str) -> None:
        """Choose the option of a list that holds these words."""
        field = self.field(label)
        field.select_option(label=next(t for t in field.locator("option").all_inner_texts() if option in t).strip())

    def tick(self, label: str) -> None:
        self.field(label).check()

    def attach(self, label: str, *files: Path) -> None:
        """Choose files; `attached` keeps them by the field's name until the next page."""
        field = self.field(label)
        self.attached[str(field.get_attribute("name"))] = [str(file) for file in files]
        field.set_input_files([str(file) for file in files])

    def unfold(self, text: str) -> None:
        """Open what is folded; it works without JavaScript."""
        self.page.locator("summary", has_text=text).first.click()

    # -- reading ------------------------------------------------------------------------------------------------------

    def text(self) -> str:
        return re.sub(r"\s+", " ", self.page.locator("body").inner_text())

    def sees(self, *texts: str) -> None:
        """Each of these stands on the page, where it can be seen."""
        shown = self.text()
        for text in texts:
            assert text in shown, f"{self.name} does not see {text!r} at {self.page.url}: {shown[:3000]}"

    def sees_not(self, *texts: str) -> None:
        shown = self.text()
        for text in texts:
            assert text not in shown, f"{self.name} sees {text!r} at {self.page.url}"

    # -- an account ---------------------------------------------------------------------------------------------------

    def sign_up(self) -> None:
        """From wherever a page offers to make an account: the form, the code from the mail, and back where one was."""
        self.write("E-mail", self.email)
        self.write("Password", PASSWORD)
        self.write("Your name", self.name)
        self.press("Make an account")
        self.write("Code", self.site.mail(self.email, "confirm").code)
        self.press("Confirm")
