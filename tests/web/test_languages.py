"""Pages and e-mails in the reader's language: chosen, asked for by the browser, or kept with the account."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from allauth.account.models import EmailAddress
from django.test import Client
from django.utils import translation

from guildmark.app.queries.published import PublishedFetcher
from guildmark.app.records import OutboxMessage, Person
from guildmark.app.services.awards import resend_claim
from guildmark.app.services.envelopes import in_envelope
from guildmark.app.web.sentences import told, told_or_none
from guildmark.app.web.words import day, moment, number
from guildmark.credential.verify import verify_credential
from tests.unit.credential.test_open_badge_2 import assertion, place

LANGUAGES = {"en": "Check a credential", "de": "Einen Nachweis prüfen", "es": "Comprobar una credencial"}

# Public address -> a word of that page alone, in each language.
PAGES = {
    "/": {"en": "You want to learn", "de": "Sie wollen lernen", "es": "Quiere aprender"},
    "/verify": {"en": "Paste the credential", "de": "Fügen Sie den Nachweis ein", "es": "Pegue la credencial"},
    "/learn": {"en": "Find something to learn", "de": "Etwas zum Lernen finden", "es": "Encontrar algo que aprender"},
    "/register": {"en": "Public register", "de": "Öffentliches Register", "es": "Registro público"},
    "/account/login/": {"en": "Password", "de": "Passwort", "es": "Contraseña"},
    "/account/signup/": {"en": "Your name", "de": "Ihr Name", "es": "Su nombre"},
}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("path", PAGES)
@pytest.mark.django_db
def test_a_public_page_speaks_the_language_that_the_browser_asks_for(client, path, language):
    response = client.get(path, headers={"accept-language": f"{language},fr;q=0.5"})
    page = response.content.decode()
    assert response.status_code == 200
    assert f'<html lang="{language}" dir="ltr">' in page
    assert PAGES[path][language] in page
    assert LANGUAGES[language] in page, "the navigation does too"
    assert response.headers["Content-Language"] == language
    assert {"Accept-Language", "Cookie"} <= {part.strip() for part in response.headers["Vary"].split(",")}


@pytest.mark.django_db
def test_a_language_that_the_site_does_not_have_is_answered_in_english(client):
    response = client.get("/verify", headers={"accept-language": "fr-CA, fr;q=0.9"})
    assert response.headers["Content-Language"] == "en"
    assert '<html lang="en"' in response.content.decode()


@pytest.mark.parametrize("path", ["/status/1", "/register.csv"])
@pytest.mark.django_db
def test_what_programs_read_has_no_language(site, client, path):
    response = client.get(path, headers={"accept-language": "de"})
    assert response.status_code == 200
    assert "Content-Language" not in response.headers
    assert "Accept-Language" not in response.headers.get("Vary", "")


# --- Choosing ---


@pytest.mark.django_db
def test_the_language_is_chosen_by_a_button_without_javascript_and_the_page_stays(client):
    page = client.get("/learn?words=data").content.decode()
    form = re.search(r'<form class="languages" method="post" action="([^"]+)">(.*?)</form>', page, re.DOTALL)
    assert form is not None
    kept = re.search(r'name="next" value="([^"]*)"', form[2])
    assert kept is not None
    assert kept[1] == "/learn?words=data"
    assert re.search(r'value="en" lang="en" aria-current="true"', form[2])
    response = client.post(form[1], {"next": kept[1], "language": "de"}, follow=True)
    assert response.redirect_chain == [("/learn?words=data", 302)]
    assert '<html lang="de"' in response.content.decode()
    again = client.get("/verify", headers={"accept-language": "es"})
    assert again.headers["Content-Language"] == "de", "what was chosen counts more than what the browser asks for"


def test_each_language_is_offered_under_its_own_name(client, db):
    page = client.get("/verify", headers={"accept-language": "de"}).content.decode()
    for code, name in (("en", "English"), ("es", "Español"), ("de", "Deutsch")):
        assert re.search(rf'value="{code}" lang="{code}"[^>]*>{name}</button>', page)


@pytest.mark.parametrize(
    "back", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "", "learn"]
)
def test_choosing_leads_to_no_other_site(client, db, back):
    response = client.post("/language", {"next": back, "language": "es"})
    assert (response.status_code, response.headers["Location"]) == (302, "/")


@pytest.mark.parametrize("wanted", ["fr", "", "xx" * 500, "de-DE", "../de", "\x00"])
def test_a_language_that_is_none_changes_nothing(client, db, wanted):
    response = client.post("/language", {"next": "/learn", "language": wanted})
    assert response.status_code == 302
    assert not response.cookies


def test_only_our_own_pages_choose(db):
    """No token guards the form, since pages that hold no state have none; the browser's word on its origin does."""
    mallory = Client(enforce_csrf_checks=True)
    for origin in ("https://evil.example", "null"):
        response = mallory.post("/language", {"next": "/", "language": "de"}, headers={"origin": origin})
        assert response.status_code == 403
        assert not response.cookies
    ours = mallory.post("/language", {"next": "/", "language": "de"}, headers={"origin": "http://testserver"})
    assert ours.cookies["language"].value == "de"


def test_the_choice_is_a_post(client, db):
    assert client.get("/language?language=de").status_code == 405


def test_the_answer_to_a_form_leads_back_to_the_page_that_held_it(client, db):
    response = client.post("/verify", {}, headers={"referer": "http://testserver/verify?from=here"})
    assert response.status_code == 422
    assert 'name="next" value="/verify?from=here"' in response.content.decode()
    elsewhere = client.post("/verify", {}, headers={"referer": "https://evil.example/other"})
    assert 'name="next" value="/verify"' in elsewhere.content.decode()


def test_whoever_is_signed_in_keeps_the_choice_with_the_account(client, db):
    nora = Person.objects.create(id=uuid4(), username="nora", name="Nora", email="nora@example.org")
    other = Person.objects.create(id=uuid4(), username="omar", name="Omar", email="omar@example.org")
    client.force_login(nora)
    client.post("/language", {"next": "/", "language": "es"})
    nora.refresh_from_db()
    other.refresh_from_db()
    assert (nora.language, other.language) == ("es", "")


def test_signing_in_brings_the_language_of_the_account_back(client, db):
    person = Person(id=uuid4(), username="nora", name="Nora", email="nora@example.org", language="es")
    person.set_password("correct horse battery staple")
    person.save()
    EmailAddress.objects.create(user=person, email=person.email, verified=True, primary=True)
    words = {"login": person.email, "password": "correct horse battery staple"}
    response = client.post("/account/login/", words, headers={"accept-language": "de"})
    assert response.status_code == 302
    assert client.get("/", headers={"accept-language": "de"}).headers["Content-Language"] == "es"


# --- E-mails ---


def _last() -> OutboxMessage:
    return OutboxMessage.objects.order_by("-id")[0]


@pytest.mark.parametrize(
    ("language", "subject", "greeting"),
    [
        ("en", "Your credential: ", "Dear Zoë Nguyễn,"),
        ("de", "Ihr Nachweis: ", "Guten Tag, Zoë Nguyễn,"),
        ("es", "Su credencial: ", "Hola, Zoë Nguyễn:"),
    ],
)
def test_an_e_mail_comes_in_the_language_that_its_reader_chose(site, language, subject, greeting):
    Person.objects.create(id=uuid4(), username="zoe", email="Zoe.Nguyen@example.org", language=language)
    with translation.override("es" if language != "es" else "de"):  # whoever sends it reads another language
        resend_claim(award=site.award, entropy=site.entropy, actor=site.actor, now=datetime(2026, 11, 24, tzinfo=UTC))
    told_to = _last()
    assert told_to.subject.startswith(subject)
    assert told_to.body.startswith(greeting)
    assert "/claim/" in told_to.body


def test_who_has_no_account_is_written_to_in_the_language_of_what_they_learned(site):
    version = site.award.decision.enrolment.offering.blueprint_version
    version.__class__.objects.filter(pk=version.pk).update(document={**version.document, "language": "es-MX"})
    site.award.refresh_from_db()
    site.award.decision.enrolment.offering.blueprint_version.refresh_from_db()
    resend_claim(award=site.award, entropy=site.entropy, actor=site.actor, now=datetime(2026, 11, 24, tzinfo=UTC))
    assert _last().subject.startswith("Su credencial: ")


def test_a_change_of_status_is_told_with_its_reason_in_the_readers_language(site):
    Person.objects.create(id=uuid4(), username="zoe", email="zoe.nguyen@example.org", language="de")
    site.status("revoked", "issued_in_error")
    assert "widerrufen" in _last().subject
    assert "Irrtümlich ausgestellt." in _last().body


# --- What rooms say ---


@pytest.mark.parametrize(
    ("language", "verdict", "finding"),
    [
        ("en", "This credential holds.", "The signature covers all of it."),
        ("de", "Dieser Nachweis gilt.", "Die Signatur deckt alles ab."),
        ("es", "Esta credencial se sostiene.", "La firma lo cubre todo."),
    ],
)
def test_the_check_page_answers_in_three_languages(site, client, language, verdict, finding):
    document = bytes(site.award.document).decode()
    page = client.post("/verify", {"text": document}, headers={"accept-language": language}).content.decode()
    assert verdict in page
    assert finding in page


@pytest.mark.parametrize("language", ["de", "es"])
def test_every_sentence_of_a_check_is_translated(site, client, language):
    """On a credential that holds and on one that was revoked, no finding is left in English."""
    document = bytes(site.award.document).decode()
    for _ in range(2):
        page = client.post("/verify", {"text": document}, headers={"accept-language": language}).content.decode()
        assert re.findall(r'<span lang="en" dir="ltr">([^<]*)</span>', page) == []
        site.status("revoked", "issued_in_error") if site.award.state == "valid" else None
        site.award.refresh_from_db()


def test_a_sentence_with_values_keeps_them():
    with translation.override("de"):
        assert told_or_none("It is made out to Zoë Nguyễn.") == "Er ist auf Zoë Nguyễn ausgestellt."
        assert told_or_none("slug: an organisation 'a' or 'b' exists already; choose another.") == (
            "slug: eine Organisation 'a' oder 'b' gibt es schon; wählen Sie etwas anderes."
        )


def test_no_piece_of_a_sentence_stays_in_english():
    said = "The key is the issuer's, did:web:a.example, which calls itself A: it is listed at a.example."
    with translation.override("de"):
        assert told_or_none(said) == (
            "Der Schlüssel ist der des Ausstellers, did:web:a.example, der sich A nennt: "
            "Er ist unter a.example aufgeführt."
        )


def test_a_sentence_that_nobody_has_translated_says_that_it_is_english():
    with translation.override("es"):
        assert told("The <moon> is new.") == '<span lang="en" dir="ltr">The &lt;moon&gt; is new.</span>'
    with translation.override("en"):
        assert told("The moon is new.") == "The moon is new."


def test_a_value_is_never_taken_for_a_gap():
    with translation.override("de"):
        assert told_or_none("It is made out to {0}{1}%s.") == "Er ist auf {0}{1}%s ausgestellt."


# --- Days, numbers, right to left ---


@pytest.mark.parametrize(
    ("language", "written", "with_time", "count"),
    [
        ("en", "3 April 2026", "3 April 2026, 14:05", "4,950"),
        ("de", "3. April 2026", "3. April 2026 14:05", "4.950"),
        ("es", "3 de abril de 2026", "3 de abril de 2026 a las 14:05", "4\xa0950"),
    ],
)
def test_days_and_numbers_are_written_in_the_readers_way(language, written, with_time, count):
    at = datetime(2026, 4, 3, 14, 5, tzinfo=UTC)
    with translation.override(language):
        assert day(at) == f'<time datetime="2026-04-03">{written}</time>'
        assert moment(at) == f'<time datetime="2026-04-03T14:05:00+00:00">{with_time}</time>'
        assert number(4950) == count
        assert (day(None), number("2026")) == ("", "2026")


def test_a_page_in_a_language_from_right_to_left_runs_that_way(client, db, settings):
    settings.LANGUAGES = [("en", "English"), ("he", "עברית")]
    page = client.get("/verify", headers={"accept-language": "he"}).content.decode()
    assert '<html lang="he" dir="rtl">' in page
    assert '<input type="url"' in page


@pytest.mark.parametrize("language", ["de", "es"])
def test_a_drawing_has_numbers_that_a_browser_reads(site, client, language):
    """A comma instead of a point in a drawing's numbers would draw nothing."""
    for path in ("/register", "/register/sector"):
        response = client.get(path, headers={"accept-language": language})
        if response.status_code == 404:
            continue
        for drawing in re.findall(r"<svg.*?</svg>", response.content.decode(), re.DOTALL):
            numbers = re.findall(r'\b(?:x|y|x1|x2|y1|y2|cx|cy|r|width|height)="([^"]*)"', drawing)
            assert numbers
            assert all(re.fullmatch(r"-?\d+(\.\d+)?", text) for text in numbers), numbers


def test_a_list_of_sentences_inside_a_sentence_is_told_whole():
    """What a learner reads about marks that are still missing; no English stays in the middle."""
    says = "Marks are missing: Grasp has 1 mark, 2 are needed; Gait has 0 marks, 2 are needed; and 2 more."
    with translation.override("de"):
        assert told(says) == (
            "Es fehlen Bewertungen: Grasp hat 1 Bewertung, nötig sind 2; Gait hat 0 Bewertungen, nötig sind 2; "
            "und 2 weitere."
        )


@pytest.mark.parametrize("language", ["de", "es"])
@pytest.mark.django_db
def test_what_is_found_about_a_token_or_a_badge_of_version_2_is_told_whole(site, language):
    at, nobody = datetime.now(UTC), {"fetcher": PublishedFetcher()}
    jwt, part = (
        in_envelope(site.award, form, show=("name",), entropy=site.entropy, now=at).text.encode()
        for form in ("vc-jwt", "sd-jwt-vc")
    )
    head, body, tail = jwt.split(b".")
    changed = b".".join([head, body, tail[:10] + (b"A" if tail[10:11] != b"A" else b"B") + tail[11:]])
    unsigned = b".".join([b"eyJhbGciOiJub25lIn0", body, b""])
    strange = part.partition(b"~")[0] + b"~WyJhIiwiYiIsMV0~"
    reports = [verify_credential(one, now=at, **nobody) for one in (jwt, part, changed, unsigned, strange)]
    reports.append(verify_credential(part, now=at, **nobody, audience="https://a.example", nonce="n"))
    hosted = {"expires": "2126-01-01T00:00:00Z"}, {"narrative": "Other."}, {"type": "Assertion", "badge": 1}
    for more in hosted:
        told_of = json.dumps({**assertion(), **more}).encode()
        reports += [verify_credential(told_of, now=at, fetcher=where) for where in (place(), PublishedFetcher())]
    with translation.override(language):
        english = [f.says for report in reports for f in report.findings if told_or_none(f.says) is None]
    assert english == []
