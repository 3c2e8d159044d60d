"""Every public page, as somebody meets it: what it shows, what it refuses and how, and what Mallory gets."""

from __future__ import annotations

import hashlib
import html
import json
import re
import uuid
from html.parser import HTMLParser
from itertools import pairwise

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from guildmark.app.queries.awards import badge_image, certificate, holder_files, paper_url
from guildmark.app.records import Award
from guildmark.core.codecs import jcs
from guildmark.core.errors import BrokenInput
from guildmark.credential.bake import extract
from guildmark.credential.proof import sign_document
from tests.unit.credential.award_cast import HARBOUR, NOW, larger, signer
from tests.web.conftest import ZOE

VOID = {"meta", "link", "input", "img", "br", "hr"}


class Page(HTMLParser):
    """What a browser and a screen reader make of a page: elements with their attributes, labels, headings, words."""

    def __init__(self, response) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(response.content.decode())
        assert self.open == [], "every element is closed"

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, {name: value or "" for name, value in attributes}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def all(self, tag: str) -> list[dict[str, str]]:
        return [found for name, found in self.elements if name == tag]

    def by_href(self, href: str) -> list[dict[str, str]]:
        return [a for a in self.all("a") if a.get("href") == href]

    def by_id(self, id: str) -> dict[str, str]:
        (found,) = [a for _, a in self.elements if a.get("id") == id]
        return found


def assert_accessible(response) -> Page:
    """Language, title, one h1, headings without gaps, labels, references that lead somewhere, nothing inline."""
    page = Page(response)
    assert page.all("html")[0]["lang"] == "en"
    assert re.search(r"<title>\s*\S", response.content.decode())
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(later - earlier <= 1 for earlier, later in pairwise(levels))
    ids = [a["id"] for _, a in page.elements if "id" in a]
    assert len(ids) == len(set(ids))
    labelled = {label["for"] for label in page.all("label")}
    for tag, a in page.elements:
        assert "style" not in a
        assert not [name for name in a if name.startswith("on")]
        if tag in ("input", "textarea") and a.get("type") != "hidden":
            assert a["id"] in labelled
        for reference in f"{a.get('aria-describedby', '')} {a.get('aria-labelledby', '')}".split():
            assert reference in ids
        if tag == "img":
            assert a["alt"]
        if tag == "a" and a["href"].startswith("#"):
            assert a["href"][1:] in ids
    assert all(script.get("src", "").startswith("/static/guildmark/") for script in page.all("script"))
    assert page.all("style") == []
    return page


def assert_guarded(response) -> None:
    policy = response.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert response.headers["X-Content-Type-Options"] == "nosniff"


def assert_private(response) -> None:
    assert response.headers["Cache-Control"] == "private, no-store"
    assert response.headers["X-Robots-Tag"] == "noindex, nofollow"
    assert response.headers["Referrer-Policy"] == "same-origin"


def upload(client, body: bytes, name: str = "credential.json"):
    return client.post("/verify", {"file": SimpleUploadedFile(name, body)})


def changed(site) -> bytes:
    """The credential with its title changed after signing."""
    document = json.loads(bytes(site.award.document))
    document["name"] = "Master of everything"
    return json.dumps(document).encode()


# --- Checking ---


@pytest.mark.django_db
def test_the_empty_form_is_accessible_and_sets_no_cookie(client):
    response = client.get("/verify")
    assert response.status_code == 200
    assert_accessible(response)
    assert_guarded(response)
    assert not response.cookies
    assert not response.wsgi_request.session.accessed, "no session was read"
    assert Page(client.get("/")).by_href("/verify"), "the first page leads there"


@pytest.mark.django_db
def test_checking_asks_nothing_about_a_person_who_is_signed_in(client, django_user_model):
    someone = django_user_model.objects.create(id=uuid.uuid4(), username="someone", email="someone@example.org")
    client.force_login(someone, backend="django.contrib.auth.backends.ModelBackend")
    with CaptureQueriesContext(connection) as statements:
        response = client.get("/verify")
    assert list(statements) == []
    assert not response.cookies


def test_a_credential_is_checked_from_paste_file_image_and_address(site, client, network):
    document = bytes(site.award.document)
    network.held["https://elsewhere.example/credential"] = document
    for response in (
        client.post("/verify", {"text": document.decode()}),
        upload(client, document),
        upload(client, badge_image(site.award, "png"), "badge.png"),
        upload(client, badge_image(site.award, "svg"), "badge.svg"),
        client.post("/verify", {"url": "https://elsewhere.example/credential"}),
    ):
        assert response.status_code == 200
        page = assert_accessible(response)
        assert "This credential holds." in page.text
        assert "issued by Harbour University" in page.text
        assert not response.cookies
        assert_guarded(response)


def test_checking_needs_no_cookie_and_no_token(site):
    strict = Client(enforce_csrf_checks=True)
    assert strict.post("/verify", {"text": bytes(site.award.document).decode()}).status_code == 200


def test_each_finding_is_told_in_words_beside_its_symbol(site, client):
    response = upload(client, changed(site))
    assert response.status_code == 200, "a negative answer is an answer"
    page = assert_accessible(response)
    assert "This credential does not hold." in page.text
    first = page.text.index("✕ Does not hold")
    assert (
        first < page.text.index("? Cannot be told") < page.text.index("✓ Holds") < page.text.index("– Does not apply")
    )
    assert "proof.signature" in page.text
    assert "<title>This credential does not hold." in response.content.decode()


def test_what_cannot_be_read_is_unknown_and_says_so(site, client):
    document = json.loads(bytes(site.award.document))
    site.award.status_list.published = None
    site.award.status_list.save()
    page = assert_accessible(upload(client, json.dumps(document).encode()))
    assert "We could not tell whether this credential holds." in page.text
    assert "This credential holds." not in page.text


@pytest.mark.parametrize(("state", "code"), [("suspended", "under_review"), ("revoked", "issued_in_error")])
def test_a_status_change_shows_at_once(site, client, state, code):
    site.status(state, code)
    page = Page(upload(client, bytes(site.award.document)))
    assert "This credential does not hold." in page.text
    assert f"{state.capitalize()}:" in page.text


BAD = {
    "nothing": ({}, "one of the three"),
    "two ways": ({"text": "{}", "url": "https://x.example/"}, "one of the three"),
    "broken JSON": ({"text": "{oops"}, "not JSON at line 1 column 2"),
    "a list": ({"text": "[]"}, "a credential begins with {"),
    "a key twice": ({"text": '{"a": 1, "a": 2}'}, "stands twice"),
    "too deep": ({"text": "[" * 200 + "]" * 200}, "nested too deeply"),
    "a NUL": ({"text": "{\0}"}, "Null characters are not allowed."),
    "no address": ({"url": "not an address"}, "Enter a valid URL."),
    "a dead address": ({"url": "https://nowhere.example/"}, "https://nowhere.example/ did not answer"),
    "a web page": ({"text": "<html><body>hi</body></html>"}, "neither a PNG nor an SVG"),
    "markup": ({"text": '{"<script>alert(1)</script>": }'}, "not JSON"),
}


@pytest.mark.parametrize("case", BAD)
@pytest.mark.django_db
def test_bad_input_gets_one_sentence_beside_its_field(client, case):
    data, says = BAD[case]
    response = client.post("/verify", data)
    assert response.status_code == 422
    page = assert_accessible(response)
    assert says in page.text
    assert "Nothing was checked" in page.text
    assert "Traceback" not in page.text
    assert "<title>Problem" in response.content.decode()
    assert [a for _, a in page.elements if a.get("role") == "alert"]
    if len(data) == 1:
        (field,) = data
        shown = page.by_id(f"id_{field}")
        assert shown["aria-invalid"] == "true"
        assert f"id_{field}_error" in shown["aria-describedby"]


BAD_FILES = {
    "not UTF-8": (b"\xff\xfe{}", "neither JSON text nor a PNG or SVG image"),
    "an empty file": (b"", "The submitted file is empty."),
    "a cut PNG": (b"\x89PNG\r\n\x1a\n\x00\x00", "ends in the middle of a chunk"),
    "an entity in an SVG": (
        b'<!DOCTYPE svg [<!ENTITY a "b">]><svg xmlns="http://www.w3.org/2000/svg">&a;</svg>',
        "entity",
    ),
    "an SVG without a credential": (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "carries no credential"),
    "a PDF": (b"%PDF-1.7 ...", "follow the address in its QR code"),
}


@pytest.mark.parametrize("case", BAD_FILES)
@pytest.mark.django_db
def test_a_bad_file_gets_one_sentence(client, case):
    body, says = BAD_FILES[case]
    response = upload(client, body)
    assert response.status_code == 422
    assert says in assert_accessible(response).text


@pytest.mark.django_db
def test_what_is_too_large_is_refused_in_words_before_it_is_read(client):
    too_large = "larger than 5 MB"
    just_over = upload(client, b" " * 5_000_001)
    assert just_over.status_code == 422
    assert too_large in assert_accessible(just_over).text
    for response in (upload(client, b" " * 6_000_000), client.post("/verify", {"text": " " * 5_050_000})):
        assert response.status_code == 413
        assert too_large in assert_accessible(response).text
    lied = client.generic("POST", "/verify", b"", "multipart/form-data; boundary=x", CONTENT_LENGTH="99999999999")
    assert lied.status_code == 413


@pytest.mark.django_db
def test_a_request_that_is_no_form_gets_a_page(client):
    response = client.generic("POST", "/verify", b"garbage", "multipart/form-data; boundary=")
    assert response.status_code in (400, 422)
    assert_accessible(response)


def test_what_a_stranger_wrote_is_shown_and_never_run(site, client):
    document = json.loads(bytes(site.award.document))
    document["name"] = "<script>alert(1)</script>"
    response = upload(client, json.dumps(document).encode())
    assert b"<script>" not in response.content
    assert html.escape("<script>") in response.content.decode()


# --- The paper's page ---


def test_the_paper_leads_to_a_page_that_tells_of_nobody(site, client):
    response = client.get(paper_url(site.award).removeprefix("https://demo.guildmark.example"))
    assert response.status_code == 200
    page = assert_accessible(response)
    assert_private(response)
    assert_guarded(response)
    assert "This credential holds." in page.text
    assert hashlib.sha256(bytes(site.award.document)).hexdigest() in page.text
    assert "AQF level 5" in page.text
    assert "not issued under the Australian Qualifications Framework" in page.text
    for secret in ("Zoë", "Nguy", "zoe.nguyen", "66.67", site.award.salt, site.token):
        assert secret not in response.content.decode()
    assert [m["content"] for m in page.all("meta") if m.get("name") == "robots"] == ["noindex, nofollow"]
    assert not response.cookies


def test_the_address_on_the_paper_tells_nothing_about_the_person(site):
    url = paper_url(site.award)
    assert re.fullmatch(r"https://demo\.guildmark\.example/verify/[0-9a-f-]{36}", url)
    assert str(site.award.learner_id) not in url
    assert site.token not in url


@pytest.mark.parametrize("typed", [ZOE, "  Zoë   Nguyễn ", "Zoe\u0308 Nguye\u0302\u0303n"])
def test_the_right_name_is_confirmed_and_opens_the_results(site, client, typed):
    response = client.post(f"/verify/{site.award.id}", {"name": typed})
    assert response.status_code == 200
    page = assert_accessible(response)
    assert_private(response)
    assert "Yes: the credential was made out to" in page.text
    assert "66.67" in page.text


@pytest.mark.parametrize("typed", ["Mallory", "zoë nguyễn", "Zoe Nguyen", "%", "' OR 1=1 --", "<b>Zoë</b>"])
def test_mallorys_name_is_not_confirmed_and_opens_nothing(site, client, typed):
    response = client.post(f"/verify/{site.award.id}", {"name": typed})
    assert response.status_code == 200
    page = assert_accessible(response)
    assert "No: the credential was not made out to" in page.text
    assert "66.67" not in page.text
    assert b"<b>" not in response.content


def test_no_name_at_all_is_asked_for_again(site, client):
    response = client.post(f"/verify/{site.award.id}", {"name": "  "})
    assert response.status_code == 422
    page = assert_accessible(response)
    assert "Type the name that is printed on the paper." in page.text
    assert page.by_id("id_name")["aria-invalid"] == "true"


def test_the_page_of_a_revoked_paper_says_so_first(site, client):
    site.status("revoked", "issued_in_error")
    text = Page(client.get(f"/verify/{site.award.id}")).text
    assert text.index("This credential does not hold.") < text.index("Is the name on the paper right?")


def test_an_unknown_number_says_not_to_rely_on_the_paper(site, client):
    response = client.get(f"/verify/{uuid.UUID(int=7)}")
    assert response.status_code == 404
    assert_private(response)
    assert "cannot be relied on" in assert_accessible(response).text


def test_the_papers_address_may_be_typed_into_the_form(site, client):
    response = client.post("/verify", {"url": paper_url(site.award)})
    assert (response.status_code, response.headers["Location"]) == (302, f"/verify/{site.award.id}")


# --- Claiming ---


def test_the_claim_page_shows_badge_results_status_and_files_before_any_account(site, client):
    response = client.get(f"/claim/{site.token}")
    assert response.status_code == 200
    page = assert_accessible(response)
    assert_private(response)
    assert_guarded(response)
    assert f"Awarded to {ZOE} by Harbour University" in page.text
    assert "This credential holds." in page.text
    assert "66.67" in page.text
    assert "Take this credential" in page.text
    badge, code = page.all("img")
    assert code["src"].startswith("data:image/svg+xml")
    assert badge["alt"] == "Badge: Data analysis with SQL and Python for operations, Harbour University"
    assert client.get(badge["src"]).headers["Content-Type"] == "image/svg+xml"
    links = [a["href"] for a in page.all("a") if a["href"].startswith("/claim/")]
    assert len(links) == 6, "no receipt yet"
    for link in links:
        file = client.get(link)
        assert file.status_code == 200
        assert_private(file)
        assert_guarded(file)
        assert file.headers["Content-Disposition"].startswith("attachment")


def test_taking_a_credential_needs_our_own_page_and_counts_once(site):
    strict = Client(enforce_csrf_checks=True)
    refused = strict.post(f"/claim/{site.token}/accept")
    assert refused.status_code == 403
    assert_accessible(refused)
    assert_private(refused)
    assert Award.objects.get().claimed_at is None

    page = Page(strict.get(f"/claim/{site.token}"))
    (token,) = [a["value"] for a in page.all("input") if a.get("name") == "csrfmiddlewaretoken"]
    taken = strict.post(f"/claim/{site.token}/accept", {"csrfmiddlewaretoken": token})
    assert (taken.status_code, taken.headers["Location"]) == (302, f"/claim/{site.token}")
    assert_private(taken)
    first = Award.objects.get().claimed_at
    assert first is not None
    strict.post(f"/claim/{site.token}/accept", {"csrfmiddlewaretoken": token})
    assert Award.objects.get().claimed_at == first
    again = assert_accessible(strict.get(f"/claim/{site.token}"))
    assert "You took this credential on" in again.text
    assert "Take this credential" not in again.text


@pytest.mark.parametrize("wrong", ["nonsense", "a" * 500, "Ünïcödé", "..", "%00", "null"])
def test_mallory_with_a_wrong_token_gets_nothing(site, client, wrong):
    addresses = [f"/claim/{wrong}", f"/claim/{wrong}/credential.json", f"/claim/{site.award.claim_sha256}"]
    for address in addresses:
        response = client.get(address)
        assert response.status_code == 404
        assert_private(response)
        text = assert_accessible(response).text
        assert ZOE not in text
        assert site.award.title not in text
    assert client.post(f"/claim/{wrong}/accept").status_code == 404
    assert Award.objects.get().claimed_at is None


def test_the_award_id_is_no_claim_token(site, client):
    assert client.get(f"/claim/{site.award.id}").status_code == 404


@pytest.mark.parametrize("name", ["receipt.txt", "secret.key", "certificate.docx", "credential.json.bak"])
def test_a_file_that_is_not_there_is_said_to_be_not_there(site, client, name):
    response = client.get(f"/claim/{site.token}/{name}")
    assert response.status_code == 404
    assert "This file is not there" in assert_accessible(response).text


def test_a_receipt_can_be_taken_once_the_log_has_the_award(site, client):
    Award.objects.update(receipt="a receipt\n")
    response = client.get(f"/claim/{site.token}/receipt.txt")
    assert (response.content, response.headers["Content-Type"]) == (b"a receipt\n", "text/plain; charset=utf-8")
    assert "Receipt from the public log" in Page(client.get(f"/claim/{site.token}")).text


def test_a_changed_name_in_our_records_prints_no_false_certificate(site, client):
    site.award.learner.name = "Mallory"
    site.award.learner.save()
    response = client.get(f"/claim/{site.token}/certificate.pdf")
    assert response.status_code == 422
    assert "was not made out to this name" in assert_accessible(response).text
    assert_private(response)
    with pytest.raises(BrokenInput, match="not made out to this name"):
        certificate(Award.objects.get())


# --- The holder's files ---


def test_the_holders_files_carry_exactly_the_signed_bytes(site):
    files = holder_files(site.award)
    assert sorted(files) == ["badge.png", "badge.svg", "certificate.pdf", "credential.json", "record.pdf"]
    document = bytes(site.award.document)
    assert files["credential.json"] == document
    assert extract(files["badge.png"]) == document
    assert extract(files["badge.svg"]) == document
    assert files["certificate.pdf"].startswith(b"%PDF")
    assert files["record.pdf"].startswith(b"%PDF")
    assert holder_files(Award.objects.get()) == files, "the same award gives the same files"


def test_the_receipt_is_among_the_files_once_there_is_one(site):
    site.award.receipt = "a receipt\n"
    assert holder_files(site.award)["receipt.txt"] == b"a receipt\n"


def test_a_larger_credential_has_a_page_and_papers_with_its_components(site, client):
    document = jcs(sign_document(larger(), signer(HARBOUR), created=NOW))
    award = Award.objects.create(
        id=uuid.uuid5(uuid.NAMESPACE_URL, "larger"),
        kind="clr",
        credential_id="urn:uuid:c0000000-0000-4000-8000-0000000000ff",
        learner=site.award.learner,
        issuer=site.award.issuer,
        title="Operations data analyst",
        document=document,
        status_list=site.award.status_list,
        status_index=77,
        issued_at=NOW,
        awarded_by=site.actor,
        claim_sha256=hashlib.sha256(b"larger").hexdigest(),
        nonce=b"",
    )
    page = assert_accessible(client.get("/claim/larger"))
    for part in ("Components", "Data protection in practice", "Rhein Academy (DE)", "2 ECTS credits"):
        assert part in page.text
    paper = assert_accessible(client.post(f"/verify/{award.id}", {"name": ZOE}))
    assert "Data protection in practice" in paper.text
    files = holder_files(award)
    assert extract(files["badge.svg"]) == extract(files["badge.png"]) == document
    assert files["certificate.pdf"].startswith(b"%PDF")
    assert files["record.pdf"].startswith(b"%PDF")


# --- Published documents and errors ---


def test_published_documents_are_bytes_for_any_verifier(site, client):
    entry = json.loads(bytes(site.award.document))["credentialStatus"]
    for path in (
        "/issuers/harbour-university/did.json",
        entry["statusListCredential"].removeprefix("https://demo.guildmark.example"),
        entry["statusReference"].removeprefix("https://demo.guildmark.example"),
    ):
        response = client.get(path)
        assert response.status_code == 200
        assert json.loads(response.content)
        assert "json" in response.headers["Content-Type"]
        assert response.headers["Access-Control-Allow-Origin"] == "*"
        assert response.headers["Cache-Control"] == "public, max-age=60"
        assert client.head(path).status_code == 200
        assert not response.cookies
        assert client.post(path).status_code == 405


@pytest.mark.parametrize(
    "path",
    ["/issuers/nobody/did.json", "/status/99", "/log/../secrets", "/log/tile/0/999", "/gate/x", "/achievements/1"],
)
@pytest.mark.django_db
def test_what_is_not_published_is_a_page_that_says_so(client, path):
    response = client.get(path)
    assert response.status_code == 404
    assert_guarded(response)
    assert_accessible(response)


@pytest.mark.django_db
def test_an_unknown_address_shows_no_inner_name(client):
    response = client.get("/nothing/here")
    assert response.status_code == 404
    page = assert_accessible(response)
    assert "There is nothing here" in page.text
    assert "Resolver404" not in page.text


@pytest.mark.django_db
def test_a_fault_of_ours_is_a_page_without_inner_words(monkeypatch):
    def broken(*arguments, **options):
        raise RuntimeError("inner words")

    monkeypatch.setattr("guildmark.app.web.public.award_by_claim", broken)
    response = Client(raise_request_exception=False).get("/claim/x")
    assert response.status_code == 500
    page = assert_accessible(response)
    assert "It is our fault" in page.text
    assert "inner words" not in page.text
    assert_private(response)
    assert_guarded(response)


@pytest.mark.django_db
def test_a_reader_of_another_language_is_not_promised_one(client):
    response = client.get("/verify", headers={"accept-language": "fr"})
    assert Page(response).all("html")[0]["lang"] == "en"
    french = client.post("/verify", {"url": "x"}, headers={"accept-language": "fr"})
    assert "Enter a valid URL." in Page(french).text
