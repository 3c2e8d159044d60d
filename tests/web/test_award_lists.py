"""Award lists as pages: from a class list to credentials, by the people whose role it is; and what Mallory gets."""

from __future__ import annotations

import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from guildmark.app.queries.design import blueprint_value
from guildmark.app.records import Award, AwardList, OutboxMessage
from guildmark.app.services import award_lists as services
from guildmark.app.tasks.award_lists import run_slice
from guildmark.assess.result_list import sample_file
from tests.app import cast as acts
from tests.web.test_public import assert_accessible, assert_guarded, assert_private

HARBOUR = "harbour-university"
NOW = timezone.now().replace(microsecond=0)


@pytest.fixture(autouse=True)
def today(monkeypatch):
    monkeypatch.setattr(acts, "NOW", NOW - timedelta(hours=1))


@pytest.fixture
def cast(db):
    return acts.cast()


@pytest.fixture
def offering(cast):
    return acts.enrol(cast, acts.publish(cast)).offering


@pytest.fixture
def ana(cast):
    return signed_in(cast.ana)


def signed_in(person) -> Client:
    client = Client()
    client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    return client


def url(name: str, id=None) -> str:
    return reverse(name, kwargs={"slug": HARBOUR, **({} if id is None else {"id": id})})


def shown(response, status: int = 200):
    assert response.status_code == status
    assert_guarded(response)
    assert_private(response)
    return assert_accessible(response)


def text(response) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


def body_of(offering, *, bad: bool = False) -> bytes:
    """The sample file; with a third learner whom nobody can write to, if asked."""
    body = sample_file(blueprint_value(offering.blueprint_version))
    row = body.splitlines(keepends=True)[2].replace(b"grace@example.org", b"nowhere").replace(b"Grace", b"<b>Bo</b>")
    return body + row if bad else body


def send(client: Client, offering, body: bytes, name: str = "class.csv", source: str = "Campus One"):
    file = SimpleUploadedFile(name, body, content_type="text/csv")
    return client.post(url("new-award-list"), {"offering": offering.id, "source": source, "file": file})


def chosen(row: AwardList, **changes) -> dict[str, str]:
    """The form of columns as the page offers it, sent off."""
    return {**{key: str(place) for key, place in row.columns.items()}, "order": row.date_order, **changes}


@pytest.fixture
def ready(ana, offering) -> AwardList:
    """A list with two good rows and a bad one, ready to be started."""
    send(ana, offering, body_of(offering, bad=True))
    row = AwardList.objects.get()
    assert ana.post(url("award-list-columns", row.id), chosen(row)).status_code == 302
    row.refresh_from_db()
    return row


def test_from_the_sample_file_to_credentials(ana, offering):
    shown(ana.get(url("awards")))
    shown(ana.get(url("award-lists")))
    page = ana.get(url("new-award-list"))
    shown(page)
    assert "outside this site" in text(page)
    sample = ana.get(url("award-list-sample", offering.id))
    assert sample.headers["Content-Disposition"].endswith('-sample.csv"')
    answer = send(ana, offering, sample.content)
    row = AwardList.objects.get()
    assert answer.url == url("award-list-columns", row.id)
    columns = ana.get(answer.url)
    shown(columns)
    assert "read as UTF-8, with commas" in text(columns)
    answer = ana.post(answer.url, chosen(row))
    preview = ana.get(answer.url)
    shown(preview)
    assert "Ada Example" in text(preview)
    assert "Award 2 learners" in text(preview)
    assert "brought by you from “Campus One”" in text(preview)
    assert Award.objects.count() == 0
    answer = ana.post(url("start-award-list", row.id))
    running = ana.get(answer.url)
    shown(running)
    assert "0 of 2 rows are settled" in text(running)
    assert b"<progress" in running.content
    run_slice(seconds=60)
    done = ana.get(answer.url)
    shown(done)
    assert "2 of 2 rows are settled" in text(done)
    assert Award.objects.count() == OutboxMessage.objects.filter(subject__startswith="Your credential").count() == 2
    award = Award.objects.first()
    for path in (url("award-detail", award.id), url("decide", award.decision.enrolment_id)):
        page = ana.get(path)
        shown(page)
        assert "Reached outside this site on" in text(page)
        assert "brought from “Campus One” by Ana Ruiz" in text(page)
        assert "they have not confirmed it here" in text(page)
        assert "Nothing has been handed in." not in text(page)
        assert url("award-list", row.id).encode() in page.content


def test_bad_rows_are_listed_by_row_field_and_reason(ana, ready):
    page = ana.get(url("award-list", ready.id))
    shown(page)
    assert re.search(r"4 email is not an e-mail address; write one like", text(page))
    assert "<b>Bo" not in page.content.decode()


def test_the_problems_as_csv_begin_no_formula(ana, ready):
    ready.rows.filter(number=4).update(problems=[["=1+1", "@SUM(A1)"], ["name", "is empty"]])
    answer = ana.get(url("award-list-problems", ready.id))
    assert_private(answer)
    lines = b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()
    assert lines == ["row,field,reason", "4,'=1+1,'@SUM(A1)", "4,name,is empty"]


def test_htmx_is_given_the_progress_alone_and_the_whole_page_at_the_end(ana, ready):
    services.start_list(award_list=ready, actor=ready.uploaded_by, now=timezone.now())
    answer = ana.get(url("award-list", ready.id), headers={"HX-Request": "true"})
    assert b"<html" not in answer.content
    assert b'hx-trigger="every 2s"' in answer.content
    assert "HX-Refresh" not in answer.headers
    run_slice(seconds=60)
    answer = ana.get(url("award-list", ready.id), headers={"HX-Request": "true"})
    assert answer.headers["HX-Refresh"] == "true"
    assert b"hx-trigger" not in answer.content


def test_the_page_says_when_no_worker_is_there_and_offers_to_go_on(ana, ready):
    services.start_list(award_list=ready, actor=ready.uploaded_by, now=timezone.now() - timedelta(seconds=90))
    page = ana.get(url("award-list", ready.id))
    shown(page)
    assert re.search(r"Nothing has been done for 9\d seconds. Is the worker running\?", text(page))
    answer = ana.post(url("resume-award-list", ready.id))
    assert answer.status_code == 302
    run_slice(seconds=60)
    assert Award.objects.count() == 2


def test_htmx_runs_nothing_that_the_policy_forbids(ana):
    page = shown(ana.get(url("award-lists")))
    [config] = [meta["content"] for meta in page.all("meta") if meta.get("name") == "htmx-config"]
    assert '"allowEval":false' in config
    assert '"includeIndicatorStyles":false' in config
    assert '"disableInheritance":true' in config
    assert "script-src 'self'" in ana.get(url("award-lists")).headers["Content-Security-Policy"]


BAD_FILES = {
    "nothing": (b"", "This file is empty"),
    "a workbook": (b"PK\x03\x04" + b"x" * 20, "workbook; save it as CSV"),
    "a heading alone": (b"name,email\n", "no row with a learner"),
    "bytes of no text": (b"a,b\n\x00\x01,\x02\n", "not a text file"),
    "an open quote": (b'name,email\n"Ana,a@example.org\n', "row 2 is not CSV"),
}


@pytest.mark.parametrize("kind", BAD_FILES)
def test_a_file_that_is_no_list_is_told_on_the_form(ana, offering, kind):
    body, says = BAD_FILES[kind]
    answer = send(ana, offering, body)
    shown(answer, 422)
    assert says in text(answer)
    assert "Campus One" in answer.content.decode()  # what was typed is kept
    assert AwardList.objects.count() == 0


def test_no_file_and_no_offering_are_told_on_the_form(ana, offering):
    answer = ana.post(url("new-award-list"), {"offering": str(uuid4()), "source": ""})
    shown(answer, 422)
    assert "Choose the file" in text(answer)


def test_a_column_that_is_missing_is_told_on_its_field(ana, offering):
    send(ana, offering, body_of(offering))
    row = AwardList.objects.get()
    for change in (
        {"email": ""},
        {"marker_2": ""},
        {"email": "0"},
        {"email": "999"},
        {"email": "x"},
        {"order": "year"},
    ):
        answer = ana.post(url("award-list-columns", row.id), chosen(row, **change))
        shown(answer, 422)
    row.refresh_from_db()
    assert row.state == "columns"


def test_what_a_file_says_is_never_markup(ana, offering):
    send(ana, offering, b'name,email,"<script>alert(1)</script>"\n<img src=x>,a@example.org,1\n', name="<b>.csv")
    row = AwardList.objects.get()
    page = ana.get(url("award-list-columns", row.id))
    shown(page)
    assert "<img src=x>" not in page.content.decode()
    assert "<script>alert" not in page.content.decode()


def test_a_list_is_deleted_before_it_is_started_and_not_after(ana, ready):
    shown(ana.get(url("discard-award-list", ready.id)))
    services.start_list(award_list=ready, actor=ready.uploaded_by, now=timezone.now())
    assert ana.post(url("discard-award-list", ready.id)).status_code == 302
    assert AwardList.objects.count() == 1
    AwardList.objects.update(state="ready")
    assert ana.post(url("discard-award-list", ready.id)).url == url("award-lists")
    assert AwardList.objects.count() == 0


def test_actions_that_do_not_fit_the_state_answer_plainly(ana, ready):
    for name in ("start-award-list", "start-award-list", "resume-award-list"):
        assert ana.post(url(name, ready.id)).status_code == 302
    run_slice(seconds=60)
    for name in ("start-award-list", "resume-award-list"):
        shown(ana.get(ana.post(url(name, ready.id)).url))
    assert ana.get(url("award-list-columns", ready.id)).status_code == 302
    assert ana.post(url("award-list-columns", ready.id), {}).status_code == 302
    assert Award.objects.count() == 2


def test_the_pages_of_lists_make_a_fixed_number_of_statements(ana, ready):
    def statements() -> int:
        with CaptureQueriesContext(
            connection,
        ) as found:
            ana.get(url("award-lists"))
            ana.get(url("award-list", ready.id))
        return len(found)

    few = statements()
    for _ in range(20):
        AwardList.objects.create(
            id=uuid4(), offering=ready.offering, source="", file_name="x.csv", file_sha256="", body=b"",
            uploaded_by=ready.uploaded_by, uploaded_at=NOW,
        )  # fmt: skip
    for n in range(100, 140):
        ready.rows.create(number=n, state="bad", problems=[["name", "is empty"]])
    assert statements() == few


PAGES = ("award-list", "award-list-columns", "award-list-problems", "discard-award-list")
ACTIONS = ("start-award-list", "resume-award-list", "discard-award-list", "award-list-columns")


def test_mallory_finds_no_list_and_starts_none(cast, ready, offering):
    mallory = signed_in(cast.mallory)
    for name in PAGES:
        assert mallory.get(url(name, ready.id)).status_code == 404
    for name in ACTIONS:
        assert mallory.post(url(name, ready.id)).status_code == 404
    assert mallory.get(url("award-lists")).status_code == 404
    assert mallory.get(url("new-award-list")).status_code == 404
    assert mallory.get(url("award-list-sample", offering.id)).status_code == 404
    assert send(mallory, offering, body_of(offering)).status_code == 404
    ready.refresh_from_db()
    assert ready.state == "ready"


def test_mallory_reaches_no_list_through_her_own_organisation(cast, ready, offering):
    acts.person("mal", "Mal", "mill", "awarder")
    mal = signed_in(type(cast.mallory).objects.get(username="mal"))
    for name in PAGES:
        assert mal.get(reverse(name, kwargs={"slug": "mill", "id": ready.id})).status_code == 404
    for name in ACTIONS:
        assert mal.post(reverse(name, kwargs={"slug": "mill", "id": ready.id})).status_code == 404
    file = SimpleUploadedFile("a.csv", body_of(offering))
    answer = mal.post(reverse("new-award-list", kwargs={"slug": "mill"}), {"offering": offering.id, "file": file})
    assert answer.status_code == 422
    assert AwardList.objects.count() == 1


@pytest.mark.parametrize("who", ["lee", "quinn"])
def test_markers_and_administrators_award_no_list(cast, ready, offering, who):
    client = signed_in(getattr(cast, who))
    assert client.get(url("award-lists")).status_code == 403
    assert client.post(url("start-award-list", ready.id)).status_code == 403
    assert send(client, offering, body_of(offering)).status_code == 403


def test_a_stranger_is_asked_who_they_are(ready, offering):
    for name in PAGES:
        assert "/account/login/" in Client().get(url(name, ready.id)).url
    assert "/account/login/" in Client().post(url("start-award-list", ready.id)).url


def test_nothing_is_started_from_another_site_or_by_following_a_link(cast, ready):
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.ana, backend="django.contrib.auth.backends.ModelBackend")
    assert client.post(url("start-award-list", ready.id)).status_code == 403
    assert client.get(url("start-award-list", ready.id)).status_code == 405
    assert client.get(url("resume-award-list", ready.id)).status_code == 405
    assert client.get(url("award-list", uuid4())).status_code == 404
