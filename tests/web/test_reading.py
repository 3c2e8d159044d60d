"""A credential in plain words: what somebody reads who has to decide about a person, and how it comes to the page."""

from __future__ import annotations

import io
import json
import secrets
import uuid

import pytest
import segno
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from PIL import Image

from guildmark.adapters.qr import MOST_PIXELS, MOST_PIXELS_WHOLE, read_qr
from guildmark.app.queries.awards import paper_url
from guildmark.app.queries.learning import share_url
from guildmark.app.queries.reading import known_here, reading_of
from guildmark.app.records import Organisation
from guildmark.app.services.sharing import share_award
from guildmark.core.errors import BrokenInput
from guildmark.core.report import Report
from tests.unit.credential.award_cast import NOW
from tests.web.conftest import ZOE
from tests.web.test_public import assert_accessible, changed, upload

QUESTIONS = (
    "What the person can do",
    "Who vouches for it",
    "How it was assessed",
    "What it counts towards",
    "Whether it still holds",
    "Whose it is",
)


def photo(text: str, kind: str = "PNG", *, turn: float = 0) -> bytes:
    """A picture of a QR code on a grey table, as a telephone would make it."""
    code = io.BytesIO()
    segno.make(text).save(code, kind="png", scale=6)
    table = Image.new("RGB", (900, 700), (150, 145, 140))
    table.paste(Image.open(code).convert("RGB"), (200, 120))
    taken = io.BytesIO()
    table.rotate(turn, fillcolor=(150, 145, 140)).save(taken, kind)
    return taken.getvalue()


def shared(site) -> str:
    _link, token = share_award(
        id=uuid.uuid4(),
        award=site.award,
        days=7,
        entropy=secrets.token_bytes(24),
        actor=site.award.awarded_by,
        now=timezone.now(),
    )
    return share_url(token)


# --- The six questions ---


@pytest.mark.django_db
def test_the_answer_goes_through_the_questions_of_whoever_decides(site, client):
    page = assert_accessible(upload(client, bytes(site.award.document)))
    places = [page.text.index(question) for question in QUESTIONS]
    assert places == sorted(places)


@pytest.mark.django_db
def test_it_says_what_was_shown_how_it_was_assessed_and_where_it_leads(site, client):
    text = assert_accessible(upload(client, bytes(site.award.document))).text
    document = json.loads(bytes(site.award.document))
    outcomes = [d["name"] for d in document["credentialSubject"]["achievement"]["resultDescription"]]
    stated = [
        name for name in outcomes if name in document["credentialSubject"]["achievement"]["criteria"]["narrative"]
    ]
    assert stated
    assert all(name in text for name in stated)
    assert "% of the total" in text


@pytest.mark.django_db
def test_the_issuer_is_told_with_what_this_site_knows_of_them(site, client):
    issuer = site.award.issuer
    issuer.facts = {**issuer.facts, "domain": "harbour.example", "checked": {"how": "domain", "by": "x", "on": "y"}}
    issuer.save()
    text = assert_accessible(upload(client, bytes(site.award.document))).text
    assert f"Registered on this site as {issuer.name}; it has shown that harbour.example is its own." in text


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("facts", "says"),
    [
        ({}, "by its operator"),
        ({"checked": False}, "nobody has checked yet who they are"),
        (
            {"checked": {"by": "Ana Ruiz", "how": "register entry 77", "on": "2026-01-01"}},
            "Ana Ruiz: register entry 77",
        ),
    ],
)
def test_what_is_known_of_an_issuer_is_what_was_checked_and_no_more(site, facts, says):
    Organisation.objects.filter(pk=site.award.issuer_id).update(facts=facts)
    assert says in known_here(site.award.issuer.did)


@pytest.mark.django_db
def test_an_issuer_whom_nobody_here_knows_is_called_that(site, client, network):
    assert "does not know them" in known_here("did:web:elsewhere.example")
    assert "elsewhere.example" in known_here("did:web:elsewhere.example")


@pytest.mark.django_db
def test_a_changed_credential_has_an_issuer_who_does_not_vouch(site, client):
    page = assert_accessible(upload(client, changed(site)))
    assert "This credential does not hold." in page.text
    styles = [e["class"] for e in page.all("li") if "finding" in e.get("class", "")]
    assert "finding finding-fail" in styles


@pytest.mark.django_db
def test_a_credential_without_outcomes_or_assessment_says_that_it_has_none(site, client):
    document = json.loads(bytes(site.award.document))
    for name in ("proof", "credentialStatus"):
        document.pop(name, None)
    achievement = document["credentialSubject"]["achievement"]
    achievement.pop("resultDescription")
    document["credentialSubject"].pop("result", None)
    achievement["criteria"] = {"narrative": "Attended."}
    text = assert_accessible(upload(client, json.dumps(document).encode())).text
    assert "It lists no learning outcomes." in text
    assert "It does not say how it was assessed." in text


def test_what_is_no_badge_has_no_reading():
    assert reading_of({"type": ["VerifiableCredential"]}, Report("x", ()), now=NOW) is None


# --- Whose it is ---


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("asked", "says"),
    [(ZOE, "It is made out to"), ("mallory@example.org", "It is not made out to mallory@example.org")],
)
def test_whoever_asks_whose_it_is_gets_an_answer(site, client, asked, says):
    file = SimpleUploadedFile("credential.json", bytes(site.award.document))
    assert says in assert_accessible(client.post("/verify", {"file": file, "recipient": asked})).text


@pytest.mark.django_db
def test_whoever_does_not_ask_is_told_how_to(site, client):
    assert "ask for their e-mail address or name" in upload(client, bytes(site.award.document)).content.decode()


# --- How it comes to the page ---


@pytest.mark.django_db
@pytest.mark.parametrize(("kind", "turn"), [("PNG", 0), ("JPEG", 0), ("JPEG", 20), ("WEBP", 0)])
def test_a_photo_of_the_certificates_code_leads_where_the_code_leads(site, client, kind, turn):
    response = upload(client, photo(paper_url(site.award), kind, turn=turn), "photo")
    assert response.status_code == 302
    assert response.headers["Location"] == f"/verify/{site.award.id}"


@pytest.mark.django_db
def test_the_address_of_a_shared_page_leads_to_it(site, client):
    address = shared(site)
    response = client.post("/verify", {"url": address})
    assert response.status_code == 302
    assert address.endswith(response.headers["Location"])
    page = client.get(response.headers["Location"])
    assert all(question in page.content.decode() for question in QUESTIONS[:5])


@pytest.mark.django_db
def test_a_code_may_hold_the_address_of_a_credential_elsewhere(site, client, network):
    network.held["https://badges.example/zoe.json"] = bytes(site.award.document)
    page = assert_accessible(upload(client, photo("https://badges.example/zoe.json")))
    assert "This credential holds." in page.text


@pytest.mark.django_db
def test_the_holders_own_key_is_not_followed(site, client):
    response = client.post("/verify", {"url": f"{paper_url(site.award).rpartition('/verify/')[0]}/claim/{'a' * 32}"})
    assert response.status_code == 422
    assert "ask the holder to share the credential" in response.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize(
    "text", ["nothing to read", "http://badges.example/x", "javascript:alert(1)", "file:///etc/passwd"]
)
def test_a_code_without_a_credential_is_refused_in_a_sentence(client, text):
    response = upload(client, photo(text), "photo.png")
    assert response.status_code == 422
    assert "neither a credential nor an https address" in assert_accessible(response).text


def _plain(kind: str, size: tuple[int, int] = (60, 60)) -> bytes:
    out = io.BytesIO()
    Image.new("L", size, 255).save(out, kind)
    return out.getvalue()


def _two_codes() -> bytes:
    both = Image.new("RGB", (1900, 700), (255, 255, 255))
    for place, text in ((0, "one"), (950, "two")):
        both.paste(Image.open(io.BytesIO(photo(text))), (place, 0))
    out = io.BytesIO()
    both.save(out, "PNG")
    return out.getvalue()


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "cannot be read as a picture"),
        (b"\xff\xd8\xff\xe0 and then nothing", "cannot be read as a picture"),
        (_plain("JPEG")[:200], "cannot be read as a picture"),
        (_plain("PNG"), "shows no QR code"),
        (_two_codes(), "shows several QR codes"),
        (_plain("PNG", (10_000, MOST_PIXELS_WHOLE // 10_000 + 1)), "has too many pixels"),
        (_plain("JPEG", (10_000, MOST_PIXELS // 10_000 + 1)), "has too many pixels"),
    ],
    ids=[
        "nothing",
        "a JPEG's first bytes",
        "a cut JPEG",
        "a white page",
        "two codes",
        "too large a PNG",
        "too large a JPEG",
    ],
)
def test_a_picture_that_gives_no_code_says_why(body, says):
    with pytest.raises(BrokenInput, match=says):
        read_qr(body)
