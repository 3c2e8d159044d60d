"""What can be learned and what a learner holds, as pages: from the catalogue to a credential that is shared."""

from __future__ import annotations

import copy
import hashlib
import io
import json
import zipfile
from datetime import timedelta
from importlib.resources import files
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest
from allauth.account.models import EmailAddress
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from guildmark.app.doors import blob_store
from guildmark.app.queries import export
from guildmark.app.queries.learning import catalogue_entries, news_of, search
from guildmark.app.records import (
    Award,
    BlueprintVersion,
    Consent,
    Enrolment,
    Event,
    Learner,
    Offering,
    Person,
    PublicPage,
    ShareLink,
    Submission,
)
from guildmark.app.services import assess, awards, people
from guildmark.app.services.erasure import _forget_rows
from guildmark.app.services.pathways import add_stack_rule
from guildmark.app.services.sharing import MOST_LINKS, open_public_page, share_award
from guildmark.core.errors import BrokenInput, NotAllowed
from guildmark.design.gate import builtin_rulebooks
from tests.app import cast as acts
from tests.web.test_public import assert_accessible, assert_guarded, assert_private

NOW = timezone.now().replace(microsecond=0)


@pytest.fixture(autouse=True)
def today(monkeypatch):
    """The pages look at the real clock, so the cast acts on the same day."""
    monkeypatch.setattr(acts, "NOW", NOW - timedelta(hours=1))


@pytest.fixture
def cast(db):
    return acts.cast()


@pytest.fixture
def version(cast):
    return acts.publish(cast)


def account(username: str, name: str, email: str, *, verified: bool = True) -> Person:
    """Somebody with an account of their own and no role anywhere."""
    person = people.add_person(id=uuid4(), username=username, name=name, email=email, roles=[], now=NOW)
    EmailAddress.objects.create(user=person, email=email, verified=verified, primary=True)
    return person


def signed_in(person: Person, **options) -> Client:
    client = Client(**options)
    client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def mei(cast):
    """Mei, who has opened an account for the address under which she learns."""
    person = account("mei", "Mei Tan", "mei@example.org")
    people.link_learner(person=person, email="mei@example.org", now=NOW)
    return person


def shown(response, status: int = 200):
    """The page, once it is known to be whole, accessible and guarded."""
    assert response.status_code == status, response.content.decode()[:2000]
    assert_guarded(response)
    return assert_accessible(response)


def offer(cast, version, title: str = "Open all year", opens: int = -30, closes: int | None = None) -> Offering:
    return assess.open_offering(
        id=uuid4(),
        version=version,
        title=title,
        opens_on=NOW.date() + timedelta(days=opens),
        closes_on=None if closes is None else NOW.date() + timedelta(days=closes),
        activities=[acts.Activity(id="start", title="Read the brief", kind="text", minutes=40, required=True)],
        actor=cast.quinn,
        now=NOW,
    )


def published_copies(version, count: int) -> None:
    """More micro-credentials with an open offering, written as rows: what they promise does not matter."""
    for number in range(count):
        document = copy.deepcopy(version.document)
        document["id"], document["title"] = f"urn:uuid:{uuid4()}", f"Copy {number}"
        row = BlueprintVersion.objects.create(
            id=uuid4(), blueprint_id=document["id"], version=1, provider=version.provider, title=document["title"],
            document=document, digest="0" * 64, state="published", created_at=NOW, created_by=version.created_by,
            published_at=NOW,
        )  # fmt: skip
        Offering.objects.create(id=uuid4(), blueprint_version=row, title="Open", opens_on=NOW.date(), created_at=NOW)


# --- The catalogue ---


def test_a_stranger_finds_what_is_published_and_open(cast, version, client):
    offer(cast, version)
    page = shown(client.get("/learn"))
    assert version.title in page.text
    assert "Harbour University · AQF level 5 · 60 hours · 6 AU-CP" in page.text


@pytest.mark.django_db
def test_an_empty_catalogue_says_so(client):
    assert "Nothing is open for enrolment at the moment." in shown(client.get("/learn")).text


@pytest.mark.parametrize(("opens", "closes"), [(1, None), (-30, -1)])
def test_what_is_not_yet_or_no_longer_open_is_not_in_the_catalogue(cast, version, client, opens, closes):
    offer(cast, version, opens=opens, closes=closes)
    assert version.title not in shown(client.get("/learn")).text


def test_a_draft_is_nowhere(cast, client):
    draft = acts.draft(cast)
    assert draft.title not in shown(client.get("/learn")).text
    assert client.get(f"/learn/{draft.id}").status_code == 404
    assert client.get(f"/learn/compare?with={draft.id}").status_code == 404


@pytest.mark.parametrize(
    ("query", "there"),
    [
        ({"q": "sql PYTHON"}, True),
        ({"q": "joins and summarises"}, True),
        ({"q": "harbour"}, True),
        ({"q": "sql pottery"}, False),
        ({"q": "criteria"}, False),
        ({"provider": "harbour-university", "level": "AQF:5"}, True),
    ],
)
def test_it_is_searched_by_what_it_says_and_not_by_how_it_is_stored(cast, version, client, query, there):
    offer(cast, version)
    page = shown(client.get("/learn", query))
    assert (version.title in page.text) is there
    assert ("Nothing fits all of that." in page.text) is not there


def test_a_filter_narrows_by_provider_and_level(cast, version):
    offer(cast, version)
    (entry,) = entries = catalogue_entries(on=NOW.date())
    assert search(entries, provider=entry.provider_slug, level=entry.level) == entries
    assert search(entries, provider="mill") == []
    assert search(entries, level="AQF:6") == []


def test_a_provider_that_is_not_in_the_catalogue_is_said_at_the_field(cast, version, client):
    offer(cast, version)
    page = shown(client.get("/learn?provider=nobody&q=sql"), 422)
    assert "Something is not right yet" in page.text
    assert page.by_id("find_q")["value"] == "sql"


def test_of_two_open_versions_the_newest_is_listed(cast, version, client):
    offer(cast, version)
    published_copies(version, 1)
    newer = BlueprintVersion.objects.get(title="Copy 0")
    BlueprintVersion.objects.filter(pk=newer.pk).update(blueprint_id=version.blueprint_id, version=2)
    page = shown(client.get("/learn"))
    assert "1 micro-credential" in page.text
    assert "Copy 0" in page.text


def test_the_list_takes_one_statement_however_long_it_is(cast, version, client):
    offer(cast, version)
    counts = []
    for more in (0, 29):
        published_copies(version, more)
        with CaptureQueriesContext(connection) as statements:
            page = shown(client.get("/learn"))
        counts.append(len(statements))
    assert counts == [1, 1]
    assert "30 micro-credentials" in page.text
    assert "Page 1 of 2" in page.text
    assert "Page 2 of 2" in shown(client.get("/learn?q=sql&page=2")).text
    assert "q=sql&amp;page=1" in client.get("/learn?q=sql&page=2").content.decode()
    assert client.get("/learn?page=many").status_code == 200


def test_one_page_tells_a_stranger_all_that_they_decide_by(cast, version, client):
    offer(cast, version)
    _stack_rule(cast)
    page = shown(client.get(f"/learn/{version.id}"))
    for outcome in version.document["outcomes"]:
        assert outcome["statement"] in page.text
    for said in (
        "AQF level 5",
        "60 hours for a typical learner",
        "6 AU-CP",
        "AUD 690",
        "“We hire for this.”",
        "Signed on",
        "Supervised: who you are is checked.",
        "Certificate: Operations Data Analyst",
        "with 6 AU-CP",
        "It passed the quality gate on",
        builtin_rulebooks()["guildmark_core"].title,
        "Next review",
        "Sign in to enrol",
    ):
        assert said in page.text
    (report,) = [a["href"] for a in page.all("a") if a["href"].startswith("/gate/")]
    assert hashlib.sha256(client.get(report).content).hexdigest() in page.text
    (signed,) = [a["href"] for a in page.all("a") if a["href"].endswith("/map")]
    assert client.get(signed).status_code == 200


def test_a_signature_that_was_withdrawn_or_does_not_verify_is_not_shown(cast, version, client):
    endorsement = version.endorsements.get()
    document = json.loads(bytes(endorsement.document))
    comment = document["credentialSubject"]["endorsementComment"]
    document["credentialSubject"]["endorsementComment"] = comment.replace("We hire", "We always hire")
    type(endorsement).objects.filter(pk=endorsement.pk).update(document=json.dumps(document).encode())
    assert "No signature stands at the moment." in shown(client.get(f"/learn/{version.id}")).text
    type(endorsement).objects.filter(pk=endorsement.pk).update(document=endorsement.document)
    assert "We hire for this." in shown(client.get(f"/learn/{version.id}")).text
    type(endorsement).objects.filter(pk=endorsement.pk).update(withdrawn_at=NOW)
    assert "No signature stands at the moment." in shown(client.get(f"/learn/{version.id}")).text


def test_three_are_compared_and_a_fourth_is_left_out_in_words(cast, version, client):
    published_copies(version, 3)
    ids = [str(row.id) for row in BlueprintVersion.objects.all()]
    page = shown(client.get("/learn/compare", {"with": ids}))
    assert "At most 3 fit beside each other" in page.text
    assert len([a for a in page.all("th") if a["scope"] == "col"]) == 3
    assert all(a["scope"] for a in page.all("th"))
    assert "At most" not in shown(client.get("/learn/compare", {"with": ids[:3]})).text
    assert "Tick two or three" in shown(client.get("/learn/compare")).text


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path",
    [
        "/learn/compare?with=x",
        "/learn/compare?with=6f6d1c52-0000-4000-8000-00000000dead",
        "/learn/6f6d1c52-0000-4000-8000-00000000dead",
    ],
)
def test_what_is_not_there_is_answered_plainly(client, path):
    assert "There is nothing here" in shown(client.get(path), 404).text


# --- Enrolling ---


def _enrol(client, version, offering):
    return client.post(f"/learn/{version.id}/enrol", {"offering": str(getattr(offering, "id", offering))})


def test_a_stranger_who_enrols_signs_in_first_and_comes_back_to_the_page(cast, version, mei):
    offering, client = offer(cast, version), Client()
    answer = _enrol(client, version, offering)
    assert answer.status_code == 302
    assert answer.url.startswith(reverse("account_login"))
    back = parse_qs(urlsplit(answer.url).query)["next"][0]
    assert Enrolment.objects.count() == 0
    landed = signed_in(mei).get(back, follow=True)
    assert landed.redirect_chain == [(f"/learn/{version.id}", 302)]


def test_a_new_learner_is_made_from_the_confirmed_address(cast, version):
    person = account("rosa", "Rosa Lind", "Rosa@Example.org")
    client = signed_in(person)
    answer = _enrol(client, version, offer(cast, version))
    learner = Learner.objects.get(person=person)
    assert (learner.name, learner.email) == ("Rosa Lind", "rosa@example.org")
    assert answer.url == f"/my/learning/{learner.enrolments.get().id}"
    page = shown(client.get(answer.url))
    assert "You are enrolled in" in page.text
    assert "Go on learning" in shown(client.get(f"/learn/{version.id}")).text


def test_a_learner_who_was_there_before_the_account_is_linked(cast, version):
    person = account("mei", "Mei T.", "mei@example.org")
    _enrol(signed_in(person), version, offer(cast, version))
    cast.mei.refresh_from_db()
    assert cast.mei.person == person
    assert cast.mei.enrolments.count() == 1


def test_an_address_that_nobody_confirmed_opens_nothing(cast, version):
    person = account("mallet", "Mallet", "mei@example.org", verified=False)
    client = signed_in(person)
    answer = _enrol(client, version, offer(cast, version))
    assert answer.url == f"/learn/{version.id}"
    assert "Confirm an e-mail address of your account first" in shown(client.get(answer.url)).text
    client.post("/my/open")
    cast.mei.refresh_from_db()
    assert cast.mei.person is None
    assert Enrolment.objects.count() == 0


def test_an_account_without_any_address_on_record_counts_only_in_the_demo(cast, version, settings):
    offering = offer(cast, version)
    person = people.add_person(id=uuid4(), username="noor", name="Noor", email="noor@example.org", roles=[], now=NOW)
    _enrol(signed_in(person), version, offering)
    assert not Learner.objects.filter(person=person).exists()
    settings.DEMO = True
    _enrol(signed_in(person), version, offering)
    assert Learner.objects.get(person=person).email == "noor@example.org"


def test_nobody_becomes_another_accounts_learner(cast, version, mei):
    EmailAddress.objects.filter(user=mei).update(email="mei.new@example.org")
    thief = account("thief", "Thief", "mei@example.org")
    client = signed_in(thief)
    answer = _enrol(client, version, offer(cast, version))
    assert "belong to another account" in shown(client.get(answer.url)).text
    cast.mei.refresh_from_db()
    assert cast.mei.person == mei


def test_one_enrols_once_and_only_while_it_is_open(cast, version, mei):
    client, offering, later = signed_in(mei), offer(cast, version), offer(cast, version, "Next term", opens=5)
    _enrol(client, version, offering)
    _enrol(client, version, offering)
    assert cast.mei.enrolments.count() == 1
    answer = _enrol(client, version, later)
    assert "Next term is open from" in shown(client.get(answer.url)).text
    assert cast.mei.enrolments.count() == 1


@pytest.mark.parametrize("wrong", ["", "x", "6f6d1c52-0000-4000-8000-00000000dead"])
def test_an_offering_that_is_not_of_it_is_not_there(cast, version, mei, wrong):
    assert _enrol(signed_in(mei), version, wrong).status_code == 404


# --- Learning ---


@pytest.fixture
def enrolment(cast, version):
    return acts.enrol(cast, version)


def hand_in(client, enrolment, number: int = 0, name: str = "work.md", body: bytes = b"# Late orders\n", title=""):
    assessment = enrolment.offering.blueprint_version.document["assessments"][number]
    data = {"assessment": assessment["id"], f"work{number}-title": title}
    if body is not None:
        data[f"work{number}-file"] = SimpleUploadedFile(name, body, content_type="text/html")
    return client.post(f"/my/learning/{enrolment.id}/work", data)


def test_an_activity_is_ticked_off(cast, enrolment, mei):
    client = signed_in(mei)
    assert "Tick it off" in shown(client.get(f"/my/learning/{enrolment.id}")).text
    answer = client.post(f"/my/learning/{enrolment.id}/done", {"activity": "start"})
    page = shown(client.get(answer.url))
    assert "Done on" in page.text
    assert "Tick it off" not in page.text
    answer = client.post(f"/my/learning/{enrolment.id}/done", {"activity": "nothing"})
    assert "there is no activity" in shown(client.get(answer.url)).text


def test_work_is_handed_in_typed_by_us_and_can_be_replaced_and_fetched(cast, enrolment, mei):
    client = signed_in(mei)
    assert hand_in(client, enrolment, title="Where time is lost").status_code == 302
    first = Submission.objects.get()
    assert (first.title, first.media_type) == ("Where time is lost", "text/markdown")
    assert hand_in(client, enrolment, name="Work.PDF", body=b"%PDF-1.7 ...").status_code == 302
    row = Submission.objects.get()
    assert row.id == first.id
    assert row.media_type == "application/pdf"
    assert row.title == enrolment.offering.blueprint_version.document["assessments"][0]["title"]
    page = shown(client.get(f"/my/learning/{enrolment.id}"))
    assert "Replace it" in page.text
    answer = client.get(f"/my/learning/{enrolment.id}/work/{row.id}")
    assert answer.content == b"%PDF-1.7 ..."
    assert answer.headers["Content-Type"] == "application/pdf"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert_private(answer)


@pytest.mark.parametrize(
    ("name", "body", "title", "says"),
    [
        ("work.md", None, "Kept", "Choose the file with your work."),
        ("work.html", b"<script>", "Kept", "this kind of file is not taken"),
        ("work", b"text", "Kept", "this kind of file is not taken"),
        ("work.svg", b"<svg/>", "Kept", "this kind of file is not taken"),
        ("work.pdf", b"<html>", "Kept", "the content is not PDF"),
        ("work.md", b"\xff\xfe\x00", "Kept", "the content is not text in UTF-8"),
        ("work.md", b"", "Kept", "empty"),
        ("work.md", b"fine", "A\u202etitle", "without control characters"),
        ("work.md", b"fine", "x" * 201, "at most 200 characters"),
    ],
)
def test_work_that_cannot_be_taken_is_said_at_the_field_and_the_title_is_kept(
    cast, enrolment, mei, name, body, title, says
):
    page = shown(hand_in(signed_in(mei), enrolment, 1, name, body, title), 422)
    assert says in page.text
    assert page.by_id("id_work1-title")["value"] == title
    assert not page.by_id("id_work0-title").get("value")
    assert Submission.objects.count() == 0


def test_work_of_more_than_20_mb_is_refused_before_it_is_read(cast, enrolment, mei, monkeypatch):
    client = signed_in(mei)
    answer = client.generic("POST", f"/my/learning/{enrolment.id}/work", b"x", CONTENT_LENGTH="20200000")
    assert "larger than 20 MB" in shown(answer, 413).text
    monkeypatch.setattr("guildmark.app.web.learner.LARGEST", 10)
    assert "larger than 20 MB" in shown(hand_in(client, enrolment), 422).text
    assert Submission.objects.count() == 0


def test_handing_in_needs_the_pages_own_form(cast, enrolment, mei):
    client = signed_in(mei, enforce_csrf_checks=True)
    assert hand_in(client, enrolment).status_code == 403
    page = client.get(f"/my/learning/{enrolment.id}")
    token = page.content.decode().split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]
    assessment = enrolment.offering.blueprint_version.document["assessments"][0]["id"]
    data = {
        "assessment": assessment,
        "work0-file": SimpleUploadedFile("w.md", b"mine"),
        "csrfmiddlewaretoken": token,
    }
    assert client.post(f"/my/learning/{enrolment.id}/work", data).status_code == 302
    assert Submission.objects.count() == 1


def test_once_marking_has_begun_work_stays(cast, enrolment, mei):
    client, rows = signed_in(mei), acts.hand_in(enrolment)
    acts.mark(cast, rows)
    page = shown(client.get(f"/my/learning/{enrolment.id}"))
    assert "Marking has begun, so it can no longer be replaced." in page.text
    assert "Replace it" not in page.text
    assert "marking has begun" in shown(hand_in(client, enrolment), 422).text
    assert blob_store().get(Submission.objects.get(pk=rows[0].pk).sha256).startswith(b"# ")


def test_a_decision_is_told_in_words_and_names_no_marker(cast, enrolment, mei):
    rows = acts.hand_in(enrolment)
    acts.mark(cast, rows)
    rows[0].marks.filter(marker=cast.lee).update(comment="Well argued.")
    assert "Well argued." not in shown(signed_in(mei).get(f"/my/learning/{enrolment.id}")).text
    assess.record_result(id=uuid4(), enrolment=enrolment, actor=cast.ana, now=NOW)
    page = shown(signed_in(mei).get(f"/my/learning/{enrolment.id}"))
    for said in ("Passed", "100 % of the points; 60 % are needed", "Achieved", "Excellent", "“Well argued.”"):
        assert said in page.text
    for who in ("Lee Marsh", "Priya Nair", "lee", "priya"):
        assert f" {who} " not in page.text


def test_a_decision_that_is_not_a_pass_says_so(cast, version, mei):
    decision = acts.decide(cast, version, level="beginning")
    page = shown(signed_in(mei).get(f"/my/learning/{decision.enrolment_id}"))
    assert "Not passed" in page.text
    assert "Not achieved" in page.text


# --- What is held ---


@pytest.fixture
def held(cast, version, mei):
    """A credential of Mei's, with her signed in: `award`, `client`."""
    decision = acts.decide(cast, version)
    award, _token = acts.award(cast, decision)
    return award, signed_in(mei)


def test_the_wallet_shows_what_is_held_and_it_can_be_taken(held):
    award, client = held
    page = shown(client.get("/my"))
    assert award.title in page.text
    assert "in force" in page.text
    assert "Passed and awarded." in page.text
    assert_private(client.get("/my"))
    answer = client.post(f"/my/credentials/{award.id}/take")
    assert "is yours" in shown(client.get(answer.url)).text
    award.refresh_from_db()
    assert award.claimed_at is not None
    assert "Take it" not in shown(client.get("/my")).text


def test_a_credential_is_verified_when_its_page_is_opened(cast, held):
    award, client = held
    assert "This credential holds." in shown(client.get(f"/my/credentials/{award.id}")).text
    awards.change_status(
        award=award, state="revoked", code="issued_in_error", note="between us", entropy=_bytes, actor=cast.ana, now=NOW
    )
    page = shown(client.get(f"/my/credentials/{award.id}"))
    assert "This credential does not hold." in page.text
    assert "Revoked" in page.text
    assert "between us" not in page.text
    assert "revoked" in shown(client.get("/my")).text


def _bytes(size: int) -> bytes:
    return uuid4().bytes * (size // 16) + uuid4().bytes[: size % 16]


@pytest.mark.parametrize("name", ["credential.json", "badge.svg", "badge.png", "certificate.pdf", "record.pdf"])
def test_its_files_are_those_of_the_claim_page(held, name):
    award, client = held
    answer = client.get(f"/my/credentials/{award.id}/{name}")
    assert answer.status_code == 200
    assert_private(answer)
    if name == "credential.json":
        assert answer.content == bytes(award.document)


def test_a_file_that_is_not_there_and_one_that_cannot_be_made_are_said_plainly(held):
    award, client = held
    assert client.get(f"/my/credentials/{award.id}/receipt.txt").status_code == 404
    assert client.get(f"/my/credentials/{award.id}/other.exe").status_code == 404
    Learner.objects.update(name="Mei Other")
    page = shown(client.get(f"/my/credentials/{award.id}/certificate.pdf"), 422)
    assert f"/my/credentials/{award.id}" in [a["href"] for a in page.all("a")]


def test_what_was_awarded_before_the_account_is_shown_after_one_click(cast, version):
    acts.award(cast, acts.decide(cast, version))
    client = signed_in(account("mei", "Mei Tan", "mei@example.org"))
    assert "1 credential was awarded to mei@example.org" in shown(client.get("/my")).text
    client.post("/my/open")
    assert version.title in shown(client.get("/my")).text


def test_somebody_who_holds_nothing_is_told_where_to_begin(cast):
    client = signed_in(account("rosa", "Rosa", "rosa@example.org"))
    assert "Nothing was awarded" in shown(client.get("/my")).text
    assert "You hold nothing yet" in shown(client.get("/my/stacks")).text
    assert "Nothing is looked at before you have agreed" in shown(client.get("/my/roles")).text
    assert client.get("/my/everything.zip").status_code == 404


def test_the_wallet_takes_as_many_statements_for_thirty_as_for_one(cast, held, version):
    award, client = held
    counts = []
    for more in (0, 29):
        for number in range(more):
            offering = Offering.objects.create(
                id=uuid4(), blueprint_version=version, title=f"{number}", opens_on=NOW.date(), created_at=NOW
            )
            row = Enrolment.objects.create(id=uuid4(), offering=offering, learner=cast.mei, enrolled_at=NOW)
            decision = type(award.decision).objects.create(
                id=uuid4(), enrolment=row, document=award.decision.document, passed=True, marks_sha256="0",
                decided_by=cast.ana, decided_at=NOW,
            )  # fmt: skip
            Award.objects.create(
                id=uuid4(), credential_id=f"urn:uuid:{uuid4()}", learner=cast.mei, issuer=award.issuer,
                decision=decision, title=f"Copy {number}", document=b"{}", salt="", status_list=award.status_list,
                status_index=number if number != award.status_index else 1000 + number, issued_at=NOW,
                awarded_by=cast.ana, claim_sha256=f"{number}", nonce=b"",
            )  # fmt: skip
        with CaptureQueriesContext(connection) as statements:
            shown(client.get("/my"))
        counts.append(len(statements))
    assert counts[0] == counts[1]


# --- Where it leads ---


def _stack_rule(cast):
    """The rule that comes with guildmark, declared by Harbour."""
    text = files("guildmark.pathways").joinpath("data/operations-data-analyst.toml").read_text(encoding="utf-8")
    return add_stack_rule(text=text, owner=cast.harbour, actor=cast.quinn, now=NOW)


def test_progress_to_a_larger_credential_says_what_counts_what_is_missing_and_the_way(cast, held, version):
    _award, client = held
    rule = _stack_rule(cast)
    page = shown(client.get("/my/stacks"))
    assert rule.title in page.text
    assert "Not yet." in page.text
    assert f"“{version.title}” in the part" in page.text
    assert "4 AU-CP" in page.text
    assert "Data storytelling and dashboards, 40 hours" in page.text


def test_what_is_revoked_counts_no_more(cast, held, version):
    award, client = held
    _stack_rule(cast)
    awards.change_status(
        award=award, state="revoked", code="issued_in_error", note="", entropy=_bytes, actor=cast.ana, now=NOW
    )
    page = shown(client.get("/my/stacks"))
    assert "Nothing that you hold." in page.text
    assert f"“{version.title}” is revoked." in page.text


def test_a_step_that_can_be_taken_here_leads_to_its_page(cast, held):
    _award, client = held
    _stack_rule(cast)
    story = acts.publish(cast, acts.sample("data-storytelling"))
    offer(cast, story)
    assert f"/learn/{story.id}" in [a["href"] for a in shown(client.get("/my/stacks")).all("a")]


def test_roles_are_looked_at_only_while_there_is_consent(cast, held):
    _award, client = held
    assert "Nothing is looked at before you have agreed" in shown(client.get("/my/roles")).text
    client.post("/my/consents", {"purpose": "matching", "step": "give"})
    page = shown(client.get("/my/roles"))
    assert "ask for something that you hold" in page.text
    assert "Why, and what is missing" in page.text
    assert client.get("/my/roles?framework=nothing").status_code == 404
    client.post("/my/consents", {"purpose": "matching", "step": "withdraw"})
    assert "Nothing is looked at before you have agreed" in shown(client.get("/my/roles")).text


# --- Consent ---


def test_consent_is_given_and_withdrawn_and_both_moments_stay(cast, mei):
    client = signed_in(mei)
    assert "You have not agreed." in shown(client.get("/my/consents")).text
    answer = client.post("/my/consents", {"purpose": "outcomes", "step": "give"})
    assert "You have agreed. You can withdraw it here" in shown(client.get(answer.url)).text
    client.post("/my/consents", {"purpose": "outcomes", "step": "withdraw"})
    row = Consent.objects.get()
    assert row.withdrawn_at is not None
    client.post("/my/consents", {"purpose": "outcomes", "step": "give"})
    assert Consent.objects.count() == 2
    answer = client.post("/my/consents", {"purpose": "matching", "step": "withdraw"})
    assert "no consent to matching that could be withdrawn" in shown(client.get(answer.url)).text


@pytest.mark.parametrize("data", [{}, {"purpose": "spying", "step": "give"}, {"purpose": "matching", "step": "sell"}])
def test_what_cannot_be_agreed_to_is_not_there(cast, mei, data):
    assert signed_in(mei).post("/my/consents", data).status_code == 404
    assert Consent.objects.count() == 0


# --- Everything in one file ---


def _packed(client) -> tuple[zipfile.ZipFile, dict]:
    answer = client.get("/my/everything.zip")
    assert answer.status_code == 200
    assert_private(answer)
    assert answer.headers["Content-Type"] == "application/zip"
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    assert archive.testzip() is None
    return archive, json.loads(archive.read("index.json"))


def test_everything_is_in_one_file_with_an_index(held):
    award, client = held
    client.post("/my/consents", {"purpose": "matching", "step": "give"})
    archive, index = _packed(client)
    assert sorted(archive.namelist()) == sorted([*(f["path"] for f in index["files"]), "index.json"])
    assert index["left_out"] == []
    (credential,) = [name for name in archive.namelist() if name.endswith("/credential.json")]
    assert archive.read(credential) == bytes(award.document)
    (learning,) = json.loads(archive.read("learning.json"))
    assert learning["decisions"][0]["passed"] is True
    assert len([name for name in archive.namelist() if name.startswith("work/")]) == len(learning["work"])
    assert json.loads(archive.read("consents.json"))[0]["purpose"] == "matching"
    whole = b"".join(archive.read(name) for name in archive.namelist())
    assert b"priya" not in whole
    assert b"Lee Marsh" not in whole


def test_what_does_not_fit_or_cannot_be_made_is_named_in_the_index(held, monkeypatch):
    award, client = held
    Learner.objects.update(name="Mei Other")
    _archive, index = _packed(client)
    assert {left["path"].rpartition("/")[2] for left in index["left_out"]} == {"certificate.pdf", "record.pdf"}
    monkeypatch.setattr(export, "MOST_BYTES", 30_000)
    archive, index = _packed(client)
    assert sum(f["bytes"] for f in index["files"]) <= 30_000
    assert any(left["why"] == export.TOO_MUCH for left in index["left_out"])
    monkeypatch.setattr(export, "MOST_AWARDS", 0)
    archive, index = _packed(client)
    assert award.credential_id in [left["path"] for left in index["left_out"]]
    assert not [name for name in archive.namelist() if name.startswith("credentials/")]


# --- Sharing ---


def _share(client, award, days="30") -> str:
    """The path of a new link, as the page shows it once."""
    answer = client.post(f"/my/credentials/{award.id}/share", {"days": days})
    page = shown(client.get(answer.url))
    (path,) = [a["href"] for a in page.all("a") if a["href"].startswith("/shared/")]
    return path


def test_a_link_shows_the_credential_with_name_and_results_to_anybody(cast, held):
    award, client = held
    path = _share(client, award)
    stranger = Client()
    answer = stranger.get(path)
    page = shown(answer)
    for said in (award.title, "Made out to Mei Tan", "This credential holds.", "Excellent"):
        assert said in page.text
    assert_private(answer)
    assert not answer.cookies
    token = path.rpartition("/")[2]
    assert token not in str(list(ShareLink.objects.values())) + str(list(Event.objects.values()))
    assert path not in client.get(f"/my/credentials/{award.id}").content.decode()


def test_a_link_that_ended_shows_nothing_of_the_credential(cast, held):
    award, client = held
    path = _share(client, award)
    link = ShareLink.objects.get()
    answer = client.post(f"/my/credentials/{award.id}/share/{link.id}/end")
    assert "That link shows nothing any more." in shown(client.get(answer.url)).text
    page = shown(Client().get(path), 410)
    assert "This link has ended" in page.text
    assert award.title not in page.text
    assert "Mei" not in page.text


def test_a_link_ends_by_itself(held):
    award, client = held
    path = _share(client, award, days="7")
    ShareLink.objects.update(expires_at=NOW - timedelta(seconds=1))
    assert shown(Client().get(path), 410)
    assert "Open links" not in shown(client.get(f"/my/credentials/{award.id}")).text


@pytest.mark.django_db
@pytest.mark.parametrize("token", ["0" * 48, "x", "%ED%A0%80", "é"])
def test_a_link_that_nobody_made_is_answered_plainly(client, token):
    assert "This link is not known." in shown(client.get(f"/shared/{token}"), 404).text


@pytest.mark.parametrize("days", ["", "0", "9999", "soon"])
def test_a_link_lasts_for_one_of_the_times_on_offer(held, days):
    award, client = held
    page = shown(client.post(f"/my/credentials/{award.id}/share", {"days": days}), 422)
    assert "Something is not right yet" in page.text
    assert ShareLink.objects.count() == 0


def test_links_are_bounded_in_time_and_number(held, mei):
    award, client = held

    def share(days: int):
        return share_award(id=uuid4(), award=award, days=days, entropy=uuid4().bytes, actor=mei, now=NOW)

    for days in (0, 366):
        with pytest.raises(BrokenInput, match="not a time for a link"):
            share(days)
    for _ in range(MOST_LINKS):
        share(1)
    with pytest.raises(NotAllowed, match="end one of them first"):
        share(1)
    page = shown(client.post(f"/my/credentials/{award.id}/share", {"days": "7"}), 422)
    assert "end one of them first" in page.text


def test_a_shared_credential_that_is_revoked_is_shown_as_what_it_is(cast, held):
    award, client = held
    path = _share(client, award)
    awards.change_status(
        award=award, state="revoked", code="issued_in_error", note="", entropy=_bytes, actor=cast.ana, now=NOW
    )
    assert "This credential does not hold." in shown(Client().get(path)).text


def test_a_name_that_was_not_signed_is_not_shown(held):
    award, client = held
    path = _share(client, award)
    Learner.objects.update(name="Somebody Else")
    page = shown(Client().get(path))
    assert "Somebody Else" not in page.text
    assert "no name is shown" in page.text


def test_linkedin_is_a_plain_link_with_the_facts_and_no_name(held):
    award, client = held
    page = shown(client.get(f"/my/credentials/{award.id}"))
    (link,) = [a for a in page.all("a") if "linkedin" in a["href"]]
    assert link["href"].startswith("https://www.linkedin.com/profile/add?")
    facts = parse_qs(urlsplit(link["href"]).query)
    assert facts["name"] == [award.title]
    assert facts["certId"] == [award.credential_id]
    assert facts["certUrl"] == [f"https://demo.guildmark.example/verify/{award.id}"]
    assert facts["issueYear"] == [str(award.issued_at.year)]
    assert "Mei" not in link["href"]
    outside = [a for tag, a in page.elements if tag in ("img", "link", "script") and "//" in str(a)]
    assert [a for a in outside if "http" in str(a)] == []


# --- What others did, and what everybody may see ---


def test_the_learner_reads_what_others_did_to_what_they_hold(cast, held):
    award, client = held
    awards.change_status(
        award=award, state="suspended", code="under_review", note="", entropy=_bytes, actor=cast.ana, now=NOW
    )
    text = shown(client.get("/my")).text
    assert f"awarded you “{award.title}”" in text
    assert f"suspended “{award.title}”" in text
    assert f"decided that you passed “{award.title}”" in text


def test_what_is_older_than_three_months_is_no_news(held):
    _award, _client = held
    learner = Learner.objects.get(person__username="mei")
    assert news_of(learner, now=NOW)
    assert news_of(learner, now=NOW + timedelta(days=91)) == []


def _open_page(client, award, address: str = ""):
    return client.post("/my/public", {"awards": [str(award.id)], "address": address})


def test_nothing_is_public_before_the_learner_chooses_it(held):
    _award, client = held
    assert "Your page is closed." in shown(client.get("/my/public")).text
    assert PublicPage.objects.count() == 0


def test_a_public_page_shows_what_was_chosen_verified_now_and_nothing_else(cast, held):
    award, client = held
    other = acts.publish(cast, acts.sample("data-storytelling"))
    hidden, _token = acts.award(cast, acts.decide(cast, other))
    assert _open_page(client, award, "Mei-Tan").status_code == 302
    stranger = Client()
    answer = stranger.get("/holders/mei-tan")
    page = shown(answer)
    assert_private(answer)
    assert not stranger.cookies
    assert award.title in page.text
    assert hidden.title not in page.text
    assert "This credential holds." in page.text
    inner = shown(stranger.get(f"/holders/mei-tan/{award.id}"))
    assert "What the person can do" in inner.text
    assert stranger.get(f"/holders/mei-tan/{hidden.id}").status_code == 404
    awards.change_status(
        award=award, state="revoked", code="issued_in_error", note="", entropy=_bytes, actor=cast.ana, now=NOW
    )
    assert "This credential does not hold." in shown(stranger.get("/holders/mei-tan")).text


def test_a_page_without_a_chosen_address_has_one_that_nobody_guesses(held):
    award, client = held
    _open_page(client, award)
    address = PublicPage.objects.get().address
    assert len(address) == 24
    assert Client().get(f"/holders/{address}").status_code == 200


def test_closing_the_page_ends_it_at_once_and_keeps_its_address_for_the_learner(held):
    award, client = held
    _open_page(client, award, "mei-tan")
    client.post("/my/public/close")
    assert Client().get("/holders/mei-tan").status_code == 404
    assert Client().get(f"/holders/mei-tan/{award.id}").status_code == 404
    _open_page(client, award)
    assert Client().get("/holders/mei-tan").status_code == 200


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"awards": []}, "Choose at least one credential."),
        ({"address": "a"}, "3 to 40 letters"),
        ({"address": "-mei-"}, "3 to 40 letters"),
        ({"address": "../admin"}, "3 to 40 letters"),
        ({"address": "x" * 41}, "at most 40 characters"),
        ({"awards": ["nothing"]}, "not a valid"),
    ],
    ids=["nothing chosen", "short", "hyphens", "a path", "long", "no id"],
)
def test_a_page_that_cannot_be_is_refused_at_its_field_and_keeps_what_was_typed(held, given, says):
    award, client = held
    data = {"awards": [str(award.id)], "address": "mei-tan"} | given
    page = shown(client.post("/my/public", data), 422)
    assert says in page.text
    assert data["address"] in [field.get("value") for field in page.all("input")]
    assert PublicPage.objects.filter(opened_at__isnull=False).count() == 0


def test_mallory_shows_nobody_elses_credential_and_takes_nobodys_address(cast, held):
    award, client = held
    _open_page(client, award, "mei-tan")
    learner = people.add_learner(id=uuid4(), name="Mallory", email="mallory@example.org", now=NOW)
    people.link_learner(person=cast.mallory, email="mallory@example.org", now=NOW)
    mallory = signed_in(cast.mallory)
    assert _open_page(mallory, award, "mallory").status_code == 422
    with pytest.raises(NotAllowed):
        open_public_page(learner=learner, address="", awards=[award], entropy=b"x" * 12, actor=cast.mallory, now=NOW)
    with pytest.raises(NotAllowed):
        open_public_page(learner=learner, address="mei-tan", awards=[], entropy=b"x" * 12, actor=cast.mallory, now=NOW)
    assert list(PublicPage.objects.values_list("address", flat=True)) == ["mei-tan"]


@pytest.fixture
def two(cast, held):
    """Two credentials of Mei's, with her signed in: `awards`, `client`."""
    award, client = held
    other = acts.publish(cast, acts.sample("data-storytelling"))
    second, _token = acts.award(cast, acts.decide(cast, other))
    return [award, second], client


def _share_several(client, chosen, days="30"):
    answer = client.post("/my/share", {"awards": [str(a.id) for a in chosen], "days": days})
    assert answer.status_code == 302
    page = shown(client.get("/my/share"))
    (path,) = [a["href"] for a in page.all("a") if a["href"].startswith("/shared/")]
    assert path not in client.get("/my/share").content.decode()  # it is shown once
    return path


def test_one_link_shows_the_chosen_credentials_and_ends(cast, two):
    awards_, client = two
    path = _share_several(client, awards_)
    stranger = Client()
    page = shown(stranger.get(path))
    assert all(a.title in page.text for a in awards_)
    assert not stranger.cookies
    for one in awards_:
        assert "What the person can do" in shown(stranger.get(f"{path}/{one.id}")).text
    assert stranger.get(f"{path}/{uuid4()}").status_code == 404
    link = ShareLink.objects.get()
    client.post(f"/my/share/{link.id}/end")
    assert stranger.get(path).status_code == 410
    assert stranger.get(f"{path}/{awards_[0].id}", follow=True).status_code == 410


def test_a_link_to_several_that_was_not_made_by_one_is_not_ended_by_one(cast, two):
    awards_, client = two
    _share_several(client, awards_)
    link = ShareLink.objects.get()
    assert signed_in(cast.mallory).post(f"/my/share/{link.id}/end").status_code == 404
    link.refresh_from_db()
    assert link.revoked_at is None


@pytest.mark.parametrize("given", [{"awards": []}, {"days": "9999"}, {"days": ""}], ids=["none", "too long", "no time"])
def test_a_link_to_several_that_cannot_be_is_refused_and_keeps_what_was_chosen(two, given):
    awards_, client = two
    data = {"awards": [str(a.id) for a in awards_], "days": "30"} | given
    page = shown(client.post("/my/share", data), 422)
    assert ShareLink.objects.count() == 0
    assert sorted(f["value"] for f in page.all("input") if "checked" in f) == sorted(data["awards"])


def test_nobody_shares_what_is_anothers(cast, two, version):
    awards_, _client = two
    learner = people.add_learner(id=uuid4(), name="Mallory", email="mallory@example.org", now=NOW)
    people.link_learner(person=cast.mallory, email="mallory@example.org", now=NOW)
    own, _token = acts.award(cast, acts.decide(cast, version, who=learner))
    mallory = signed_in(cast.mallory)
    chosen = [str(own.id), str(awards_[0].id)]
    assert mallory.post("/my/share", {"awards": chosen, "days": "30"}).status_code == 422
    with pytest.raises(NotAllowed):
        share_award(id=uuid4(), award=own, more=awards_, days=7, entropy=b"x" * 24, actor=cast.mallory, now=NOW)


def test_an_erased_learner_is_shown_by_no_page_and_no_link(cast, held):
    award, client = held
    _open_page(client, award, "mei-tan")
    path = _share(client, award)
    learner = Learner.objects.get(person__username="mei")
    with transaction.atomic():
        _forget_rows(learner, 0, entropy=_bytes, actor=cast.quinn, now=NOW)
    assert Client().get("/holders/mei-tan").status_code == 404
    assert Client().get(path).status_code == 404


SMALL_RULE = """
id = "first-step"
title = "Certificate: first step"
version = "1"
source = "Harbour University, stacking policy (invented for this test)"
effective_from = 2024-01-01
unit = "AU-CP"
unit_of = ["did:web:demo.guildmark.example:issuers:harbour-university"]
minimum_level = ["AQF:5", "EQF:5"]
months = 60

[achievements.sql]
id = "urn:uuid:6f6d1c52-9b1e-4c5e-8d57-0a3f6c1b7e01"
title = "Data analysis with SQL and Python for operations"
issuer = "did:web:demo.guildmark.example:issuers:harbour-university"

[achievements.storytelling]
id = "urn:uuid:6f6d1c52-9b1e-4c5e-8d57-0a3f6c1b7e02"
title = "Data storytelling and dashboards"
issuer = "did:web:demo.guildmark.example:issuers:harbour-university"

[[group]]
id = "both"
title = "Analysing and explaining"
reason = "One without the other changes nothing."
from = { achievements = ["sql", "storytelling"] }
need = { credits = 10 }

[[example]]
title = "Both"
earns = true
on = 2026-11-24
holdings = [
    { achievement = "sql", credits = 6, unit = "AU-CP", level = "AQF:5", assessed_on = 2026-11-01 },
    { achievement = "storytelling", credits = 4, unit = "AU-CP", level = "AQF:6", assessed_on = 2026-11-02 },
]

[[example]]
title = "One"
earns = false
on = 2026-11-24
holdings = [{ achievement = "sql", credits = 6, unit = "AU-CP", level = "AQF:5", assessed_on = 2026-11-01 }]
"""


def test_an_earned_larger_credential_is_claimed_by_the_learner(cast, held):
    _award, client = held
    add_stack_rule(text=SMALL_RULE, owner=cast.harbour, actor=cast.quinn, now=NOW)
    page = client.post("/my/stacks/first-step/claim", follow=True)
    assert "Not all that" in shown(page).text
    acts.award(cast, acts.decide(cast, acts.publish(cast, acts.sample("data-storytelling"))))
    assert "Claim it" in shown(client.get("/my/stacks")).text
    page = shown(client.post("/my/stacks/first-step/claim", follow=True))
    assert "is awarded to you" in page.text
    assert "You hold it." in shown(client.get("/my/stacks")).text
    client.post("/my/stacks/first-step/claim")
    assert Award.objects.filter(kind="clr").count() == 1
    assert client.post("/my/stacks/nothing/claim").status_code == 404


# --- Mallory ---


def _pages(award, enrolment, link, submission) -> list[tuple[str, str]]:
    one, course = f"/my/credentials/{award.id}", f"/my/learning/{enrolment.id}"
    return [
        ("get", one),
        ("post", f"{one}/take"),
        ("get", f"{one}/credential.json"),
        ("get", f"{one}/certificate.pdf"),
        ("post", f"{one}/share"),
        ("post", f"{one}/share/{link.id}/end"),
        ("get", course),
        ("post", f"{course}/done"),
        ("post", f"{course}/work"),
        ("get", f"{course}/work/{submission.id}"),
    ]


def test_mallory_gets_nothing_of_meis_by_any_address(cast, held):
    award, client = held
    _share(client, award)
    link, enrolment = ShareLink.objects.get(), Enrolment.objects.get()
    submission = enrolment.submissions.first()
    # Mallory learns too, and has a credential's page of her own: other people's ids open nothing on it.
    people.add_learner(id=uuid4(), name="Mallory", email="mallory@example.org", now=NOW)
    people.link_learner(person=cast.mallory, email="mallory@example.org", now=NOW)
    before = (Event.objects.count(), Submission.objects.count())
    for who in (cast.mallory, cast.quinn, cast.ana):
        for method, path in _pages(award, enrolment, link, submission):
            answer = getattr(signed_in(who), method)(path, {"days": "7", "activity": "start"})
            assert answer.status_code == 404, (who.username, path)
            assert b"Mei" not in answer.content
    assert (Event.objects.count(), Submission.objects.count()) == before
    link.refresh_from_db()
    assert link.revoked_at is None


def test_mallory_cannot_end_a_link_through_a_credential_of_her_own(cast, held, version):
    award, client = held
    _share(client, award)
    link = ShareLink.objects.get()
    learner = people.add_learner(id=uuid4(), name="Mallory", email="mallory@example.org", now=NOW)
    people.link_learner(person=cast.mallory, email="mallory@example.org", now=NOW)
    own, _token = acts.award(cast, acts.decide(cast, version, who=learner))
    mallory = signed_in(cast.mallory)
    assert mallory.post(f"/my/credentials/{own.id}/share/{link.id}/end").status_code == 404
    submission = Submission.objects.filter(enrolment__learner=cast.mei).first()
    mine = Enrolment.objects.get(learner=learner)
    assert mallory.get(f"/my/learning/{mine.id}/work/{submission.id}").status_code == 404


def test_a_stranger_signs_in_before_any_page_of_a_learner(cast, held):
    award, client = held
    _share(client, award)
    enrolment = Enrolment.objects.get()
    pages = _pages(award, enrolment, ShareLink.objects.get(), enrolment.submissions.first())
    own = [("get", f"/my{rest}") for rest in ("", "/stacks", "/roles", "/consents", "/everything.zip")]
    for method, path in [*pages, *own, ("post", "/my/open"), ("post", "/my/consents")]:
        answer = getattr(Client(), method)(path)
        assert answer.status_code == 302, path
        assert answer.url.startswith(reverse("account_login")), path
        assert_private(answer)


def test_a_wrong_method_changes_nothing(cast, held):
    award, client = held
    for path in (f"/my/credentials/{award.id}/take", f"/my/credentials/{award.id}/share", "/my/open"):
        assert client.get(path).status_code == 405
    assert client.post("/learn").status_code == 405
    assert client.post("/my").status_code == 405
    award.refresh_from_db()
    assert award.claimed_at is None


def test_every_form_needs_its_token(cast, held):
    award, _client = held
    strict = signed_in(Person.objects.get(username="mei"), enforce_csrf_checks=True)
    for path in (f"/my/credentials/{award.id}/take", f"/my/credentials/{award.id}/share", "/my/consents", "/my/open"):
        assert strict.post(path).status_code == 403
