"""The paper says what was signed, to eyes, to screen readers and to a camera, and nothing printed on it runs."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
import zxingcpp
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from pypdf import PdfReader
from tests.unit.credential.award_cast import HARBOUR, NOW, award, larger, signed_award, signer

from guildmark.core.codecs import jcs
from guildmark.core.errors import BrokenInput
from guildmark.credential.badge_image import render
from guildmark.credential.open_badge import NOT_UNDER_AQF, Recipient
from guildmark.credential.proof import sign_document
from guildmark.credential.render.certificate import certificate_pdf, paper, record_pdf
from guildmark.credential.render.particulars import LARGER_NOT_UNDER_AQF, line, particulars

URL = "https://demo.guildmark.example/verify/c0000000-0000-4000-8000-000000000001"
ZOE = "Zoë Nguyễn"


@cache
def badge() -> bytes:
    return jcs(signed_award())


@cache
def german() -> bytes:
    return jcs(signed_award("data-protection"))


@cache
def clr() -> bytes:
    return jcs(sign_document(larger(), signer(HARBOUR), created=NOW))


def made_out_to(name: str, **changes: Any) -> bytes:
    """An award to somebody of this name; unsigned, since printing checks no signature."""
    to = Recipient(email="somebody@example.org", name=name, salt="00112233445566778899aabbccddeeff")
    return jcs({**award(recipient=to), **changes})


def text_of(pdf: bytes) -> str:
    """Every word in reading order, spaces made single and ligatures undone."""
    words = " ".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages)
    return " ".join(words.replace("\u200b", "").replace("ﬁ", "fi").replace("ﬂ", "fl").split())


def tags_of(pdf: bytes) -> list[str]:
    """The structure types in the tag tree, depth first."""
    found: list[str] = []

    def walk(node: Any) -> None:
        node = node.get_object() if hasattr(node, "get_object") else node
        if isinstance(node, list):
            for child in node:
                walk(child)
        elif isinstance(node, dict):
            if "/S" in node:
                found.append(str(node["/S"]))
            if "/K" in node:
                walk(node["/K"])

    walk(PdfReader(io.BytesIO(pdf)).root_object["/StructTreeRoot"])
    return found


def attempt(make: Any, document: bytes, name: str) -> tuple[bytes, str]:
    """(the paper, "") or (b"", why it was refused)."""
    try:
        return make(document, name=name, verify_url=URL), ""
    except BrokenInput as refusal:
        return b"", str(refusal)


MAKERS = [pytest.param(certificate_pdf, id="certificate"), pytest.param(record_pdf, id="record")]
DOCUMENTS = [pytest.param(badge, id="badge"), pytest.param(german, id="german"), pytest.param(clr, id="clr")]


# --- What frameworks ask for ---


def test_the_certificate_shows_what_frameworks_ask_for():
    text = text_of(certificate_pdf(badge(), name=ZOE, verify_url=URL))
    document = json.loads(badge())
    for wanted in (
        ZOE,
        "Data analysis with SQL and Python for operations",
        "Harbour University (AU)",
        "24 November 2026",
        "valid until 24 November 2029",
        "AQF level 5",
        "6 credit points (Australia, provider's own scale)",
        "60 hours",
        "Form of participation: online, asynchronous",
        "Supervision and identity verification: One of two assessments is supervised",
        "Quality assurance: type: internal course approval",
        "Northwind Logistics",
        "people who pass can start with us.",
        document["id"],
        document["proof"]["verificationMethod"],
        URL,
    ):
        assert wanted in text, wanted
    for outcome in ("Write SQL that joins", "Use Python to clean", "Explain what an analysis shows"):
        assert outcome in text
    assert "map sha-256" not in text, "what is for machines stays inside"


def test_the_paper_names_the_sha256_of_the_very_bytes():
    import hashlib

    text = text_of(certificate_pdf(badge(), name=ZOE, verify_url=URL))
    assert hashlib.sha256(badge()).hexdigest() in text.replace(" ", "")


@pytest.mark.parametrize("make", MAKERS)
def test_an_australian_paper_says_that_it_is_not_under_the_aqf(make):
    assert NOT_UNDER_AQF in text_of(make(badge(), name=ZOE, verify_url=URL))
    assert LARGER_NOT_UNDER_AQF in text_of(make(clr(), name=ZOE, verify_url=URL))


@pytest.mark.parametrize("make", MAKERS)
def test_a_german_paper_says_nothing_about_the_aqf(make):
    text = text_of(make(german(), name=ZOE, verify_url=URL))
    assert "Australian Qualifications Framework" not in text
    assert "2 ECTS credits" in text
    assert "EQF level 5" in text
    assert "Rhein Academy (DE)" in text


def test_the_record_shows_every_outcome_and_criterion_with_what_was_reached_and_needed():
    shown = particulars(json.loads(badge()))
    text = text_of(record_pdf(badge(), name=ZOE, verify_url=URL))
    assert len(shown.outcomes) == 3
    assert len(shown.criteria) == 6
    for outcome in shown.outcomes:
        assert line(outcome.statement) in text
        assert outcome.percent.replace("\u00a0", " ") in text
    for criterion in shown.criteria:
        assert criterion.name in text
        assert criterion.descriptor in text
        assert (criterion.reached, criterion.required) == ("Proficient", "Proficient")
    assert shown.outcomes[0].skills == ("SQL", "perform data analysis")
    assert "Award rule: at least 60 % in total and every outcome achieved" in text
    assert "Approved by the academic board on 2026-10-01" in text
    assert "Project report: Late orders in one warehouse." in text


def test_the_papers_of_a_larger_credential_list_its_components():
    certificate = text_of(certificate_pdf(clr(), name=ZOE, verify_url=URL))
    record = text_of(record_pdf(clr(), name=ZOE, verify_url=URL))
    for part in particulars(json.loads(clr())).components:
        assert part.title in certificate
        assert part.id in record
        for outcome in part.outcomes:
            assert outcome.statement in record
    assert "Rhein Academy (DE)" in certificate


# --- Accessibility and form ---


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_paper_is_tagged_pdf_ua_with_title_and_language(make, document):
    reader = PdfReader(io.BytesIO(make(document(), name=ZOE, verify_url=URL)))
    root = reader.root_object
    assert root["/MarkInfo"]["/Marked"] == True  # noqa: E712 - a PDF boolean is an object
    assert str(root["/Lang"]).startswith("en")
    assert root["/ViewerPreferences"]["/DisplayDocTitle"] == True  # noqa: E712
    assert particulars(json.loads(document())).title in reader.metadata.title
    assert ZOE in reader.metadata.title
    xmp = root["/Metadata"].get_object().get_data().decode()
    assert re.search(r"pdfuaid:part[^0-9]*1", xmp)


def test_headings_lists_tables_pictures_and_links_are_tagged_as_such():
    certificate = tags_of(certificate_pdf(badge(), name=ZOE, verify_url=URL))
    assert certificate.count("/H1") == 1
    assert {"/H2", "/L", "/LI", "/Figure", "/Link"} <= set(certificate)
    record = tags_of(record_pdf(badge(), name=ZOE, verify_url=URL))
    assert {"/Table", "/TH", "/TD"} <= set(record)


@pytest.mark.parametrize("make", MAKERS)
def test_pictures_have_a_text_for_those_who_do_not_see_them(make):
    pdf = make(badge(), name=ZOE, verify_url=URL)
    alts = [str(o["/Alt"]) for o in dictionaries(pdf) if o.get("/S") == "/Figure"]
    assert alts
    assert any(URL in alt for alt in alts)


def dictionaries(pdf: bytes) -> Iterator[dict[Any, Any]]:
    """Every dictionary in the file, also those that stand inside another."""
    reader = PdfReader(io.BytesIO(pdf))
    waiting: list[Any] = [reader.get_object(number) for number in range(1, int(reader.trailer["/Size"]))]
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict):
            yield each
            waiting += each.values()
        elif isinstance(each, list):
            waiting += each


def test_a_typical_certificate_has_one_page():
    for document in (badge(), german(), clr()):
        assert len(PdfReader(io.BytesIO(certificate_pdf(document, name=ZOE, verify_url=URL))).pages) == 1


@pytest.mark.parametrize("make", MAKERS)
def test_the_same_credential_gives_the_same_bytes_dated_by_the_credential(make):
    first, second = (make(badge(), name=ZOE, verify_url=URL) for _ in range(2))
    assert first == second
    assert PdfReader(io.BytesIO(first)).metadata.creation_date == NOW


# --- The QR code ---


@pytest.mark.parametrize("kind", ["certificate", "record"])
def test_a_camera_reads_the_address_from_the_printed_page(kind):
    # The record's code stands on its last page, so the larger credential's certificate stands in for a short one.
    document = clr() if kind == "certificate" else made_out_to(ZOE, credentialSubject=_bare_subject(ZOE), evidence=[])
    data = paper(kind, document, name=ZOE, verify_url=URL)
    page = Image.open(io.BytesIO(render("paper.typ", data, png_ppi=150))).convert("RGB")
    assert [code.text for code in zxingcpp.read_barcodes(page)] == [URL]


def _bare_subject(name: str) -> dict[str, Any]:
    to = Recipient(email="somebody@example.org", name=name, salt="00112233445566778899aabbccddeeff")
    return {"type": ["AchievementSubject"], **to.to_subject(), "achievement": {"name": "Bare"}}


@pytest.mark.parametrize(
    "url", ["", "javascript:alert(1)", "https://", "https://x.example/a b", "https://x.example/\n", "ftp://x.example/"]
)
def test_only_a_web_address_goes_into_the_code(url):
    with pytest.raises(BrokenInput, match="not a web address"):
        certificate_pdf(badge(), name=ZOE, verify_url=url)


# --- Names ---


@pytest.mark.parametrize("name", ["Mallory", "zoë nguyễn", "Zoe Nguyen", "Zoë Nguyễn Jr", ""])
def test_no_paper_is_printed_for_a_name_that_was_not_signed(name):
    with pytest.raises(BrokenInput, match="not made out to this name"):
        certificate_pdf(badge(), name=name, verify_url=URL)


def test_a_credential_without_a_signed_name_is_printed_for_its_holder_only():
    document = jcs(award(recipient=Recipient(did="did:key:z6MkTest")))
    assert "the holder of this credential" in text_of(certificate_pdf(document, name="", verify_url=URL))
    with pytest.raises(BrokenInput, match="not made out to this name"):
        certificate_pdf(document, name="Mallory", verify_url=URL)


@pytest.mark.parametrize(
    "name", ["Łukasz Żółć", "Αθηνά Παπαδοπούλου", "Дарья Ёлкина", "Þóra O’Brien-Ñandú", "Ngô Bảo Ầ"]
)
def test_latin_greek_and_cyrillic_names_print_anywhere(name):
    assert name in text_of(certificate_pdf(made_out_to(name), name=name, verify_url=URL))


@pytest.mark.parametrize("name", ["李小龙", "محمد علي", "עדה לב", "அருள்", "山田 太郎"])
def test_a_name_in_another_script_prints_whole_or_is_refused_in_words(name):
    """Whether there is a font depends on the machine; boxes in place of letters never come out."""
    pdf, refusal = attempt(certificate_pdf, made_out_to(name), name)
    assert pdf.startswith(b"%PDF") or ("no font on this machine can show" in refusal and "fonts-noto" in refusal)


def test_a_very_long_name_stays_on_the_page():
    name = "Wolfeschlegelsteinhausenbergerdorff" * 8
    pdf = certificate_pdf(made_out_to(name), name=name, verify_url=URL)
    assert name in text_of(pdf).replace(" ", "")
    data = paper("certificate", made_out_to(name), name=name, verify_url=URL)
    page = Image.open(io.BytesIO(render("paper.typ", data, png_ppi=72))).convert("L")
    border = page.crop((page.width - 18, 60, page.width, page.height - 60))
    assert border.getextrema()[0] > 200, "nothing is printed over the right border"


# --- Hostile text ---

HOSTILE = [
    '#import "@preview/evil:1.0.0"',
    '#read("/etc/passwd")',
    "#panic(1) $x$ *bold* _it_ `raw` @ref <label> // comment /* more",
    '\\ \\u{1F4A9} \\" ]] }} "; #',
    "</svg><script>alert(1)</script>",
    "a\u202egnp.exe\u202c\u0000\u0007b",
    "\u200b\u2028line\u2029break\ud7ff",
    "{{ 7*7 }} {% debug %} %s %n",
]


@pytest.mark.parametrize("hostile", HOSTILE)
@pytest.mark.parametrize("make", MAKERS)
def test_hostile_words_are_printed_or_refused_and_never_obeyed(hostile, make):
    document = json.loads(made_out_to(f"Eve {line(hostile)}"))
    achievement = document["credentialSubject"]["achievement"]
    document["name"] = document["issuer"]["name"] = hostile
    achievement["name"] = achievement["description"] = hostile
    achievement["criteria"]["narrative"] = f"{hostile}\nAssessed by:\n\n- {hostile}\nWorkload: {hostile} hours."
    achievement["inLanguage"] = hostile
    for description in achievement["resultDescription"]:
        description["name"] = hostile
    pdf, refusal = attempt(make, jcs(document), f"Eve {line(hostile)}")
    if not pdf:
        assert "no font on this machine can show" in refusal
        return
    shown = text_of(pdf).replace(" ", "")
    assert line(hostile).replace(" ", "")[:12] in shown
    assert "root:" not in shown
    assert {str(o["/URI"]) for o in dictionaries(pdf) if "/URI" in o} == {URL}
    assert not [o for o in dictionaries(pdf) if "/JS" in o or o.get("/S") in ("/JavaScript", "/Launch")]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(min_size=1, max_size=80).filter(lambda t: line(t)))
def test_any_text_at_all_is_printed_or_refused_in_one_sentence(words):
    document = json.loads(made_out_to(ZOE))
    document["name"] = words
    pdf, refusal = attempt(certificate_pdf, jcs(document), ZOE)
    assert pdf.startswith(b"%PDF") or "no font on this machine can show" in refusal


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "name", "type", "x"]), inner, max_size=3)
    ),
    max_leaves=6,
)
PLACES = [
    ("issuer",), ("name",), ("evidence",), ("proof",), ("credentialSubject", "result"),
    ("credentialSubject", "achievement"),
    ("credentialSubject", "identifier"), ("credentialSubject", "creditsEarned"),
    ("credentialSubject", "achievement", "alignment"), ("credentialSubject", "achievement", "criteria"),
    ("credentialSubject", "achievement", "resultDescription"), ("credentialSubject", "achievement", "endorsement"),
    ("credentialSubject", "achievement", "inLanguage"),
]  # fmt: skip


@given(place=st.sampled_from(PLACES), value=JSON)
def test_particulars_of_a_strange_document_are_read_or_refused(place, value):
    document = json.loads(badge())
    target = document
    for step in place[:-1]:
        target = target[step]
    target[place[-1]] = value
    try:
        found = particulars(document)
    except BrokenInput:
        return
    assert found.title
    assert found.issuer


# --- Empty parts and broken input ---


@pytest.mark.parametrize("make", MAKERS)
def test_a_credential_that_says_little_gives_a_paper_that_says_little(make):
    document = {
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "id": "urn:uuid:1",
        "issuer": "did:web:x.example",
        "validFrom": "2026-01-02T00:00:00Z",
        "credentialSubject": {"id": "did:key:z6MkTest", "achievement": {"name": "Bare", "criteria": {}}},
    }
    text = text_of(make(jcs(document), name="", verify_url=URL))
    assert "Bare" in text
    assert "did:web:x.example" in text
    assert "2 January 2026" in text


def test_a_line_of_another_issuer_that_fits_nowhere_is_kept_as_it_is():
    document = json.loads(badge())
    document["credentialSubject"]["achievement"]["criteria"] = {"narrative": "Bake three loaves.\nThen taste them!"}
    assert particulars(document).paragraphs == ("Bake three loaves.", "Then taste them!")


@pytest.mark.parametrize(
    ("document", "says"),
    [
        (b"{", "not JSON"),
        (b"[]", "not a document"),
        (b"{}", "neither an Open Badge"),
        (jcs({"type": "OpenBadgeCredential"}), "has no name"),
        (jcs({"type": "OpenBadgeCredential", "name": "A", "issuer": {}}), "has no issuer"),
        (jcs({"type": "OpenBadgeCredential", "name": "A", "issuer": "did:x:y"}), "is not a date"),
    ],
)
def test_what_is_no_credential_is_refused_in_one_sentence(document, says):
    with pytest.raises(BrokenInput, match=says):
        certificate_pdf(document, name="", verify_url=URL)
