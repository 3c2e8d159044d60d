"""The looks at the story's pages would find what is wrong, and leave the person where they were."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.browser.looks import Looks
from tests.browser.people import Visitor
from tests.browser.site import Site

pytestmark = pytest.mark.interop


class Faulty(BaseHTTPRequestHandler):
    """Pages in the language of the cookie; the German one folds away a picture that nobody can read."""

    def do_GET(self) -> None:
        language = next((code for code in ("de", "es") if f"language={code}" in self.headers.get("Cookie", "")), "en")
        picture = '<img src="data:,">' if language == "de" else "A picture."
        wide = '<p style="width: 600px">wide</p>' if self.path == "/wide" else ""
        body = f"""<!doctype html><html lang="{language}"><title>x</title><script src="/x.js"></script>
            <main><h1>x</h1><details><summary>More of it</summary><p>{picture}</p></details>{wide}</main></html>"""
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"" if self.path == "/x.js" else body.encode())

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def faulty(tmp_path) -> Iterator[Site]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Faulty)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield Site(f"http://127.0.0.1:{server.server_port}", tmp_path, {})
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("java_script", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_a_fault_in_one_language_is_found_once_in_each_setting_where_it_is_folded_away(browser, faulty, java_script):
    looks = Looks(browser, ["en", "es", "de"], java_script=java_script)
    person = Visitor(faulty, browser, "Nora Weiss", java_script=java_script, look=looks)
    person.open("/")
    person.open("/")
    assert [says.split(": ")[0] for says in looks.wrong] == [
        f"/? as Nora Weiss in de ({width} px, {scheme}) image-alt"
        for width in (1280, 320)
        for scheme in ("light", "dark")
    ]
    assert person.page.viewport_size["width"] == 1280
    assert person.page.locator("details[open]").count() == 0
    assert [cookie["name"] for cookie in person.context.cookies()] == []


def test_a_page_that_scrolls_sideways_on_a_narrow_screen_is_found_in_each_language(browser, faulty):
    looks = Looks(browser, ["en", "es"])
    Visitor(faulty, browser, "Nora Weiss", look=looks).open("/wide")
    found = [says for says in looks.wrong if "scrolls sideways" in says]
    assert [says.split(")")[0] for says in found] == [
        f"/wide? as Nora Weiss in {code} (320 px, {scheme}" for code in ("en", "es") for scheme in ("light", "dark")
    ]


def test_an_answer_to_a_form_that_no_mirror_can_have_is_said(browser, faulty):
    looks = Looks(browser, ["en", "es"])
    person = Visitor(faulty, browser, "Nora Weiss", look=looks)
    person.page.route("**/sent", lambda route: route.fulfill(content_type="text/html", body="<html lang=en><h1>x</h1>"))
    person.page.goto(faulty.url + "/")
    person.page.evaluate(
        """() => { const form = document.createElement("form"); form.method = "post"; form.action = "/sent";
            form.innerHTML = "<button>Send</button>"; document.body.append(form); }"""
    )
    person.press("Send")
    assert looks.not_mirrored == ["/sent? as Nora Weiss"]
