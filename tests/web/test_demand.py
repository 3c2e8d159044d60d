"""Own job ads come in through a page, demand is measured from them, and a draft begins there; and what Mallory gets."""

from __future__ import annotations

import json
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from guildmark.app.records import BlueprintVersion, DemandSnapshot, Event, JobAd, Mention, Person, SkillFramework
from guildmark.app.services import skills
from guildmark.app.web import demand as room
from tests.app import cast as acts
from tests.web.test_public import assert_accessible, assert_guarded

PLACE = "/o/harbour-university/demand"

ADS = """id,title,employer,posted,text
1,Data analyst,Brackwater,2026-11-02,"You write SQL queries and do data analysis."
2,Night manager,Brackwater,2026-11-03,"You analyse data with Python."
"""


@pytest.fixture
def cast(db):
    skills.begin_with_a_framework(now=timezone.now())
    return acts.cast()


@pytest.fixture
def dana(cast):
    return signed_in(acts.person("dana", "Dana Whitfield", "harbour-university", "designer"))


def signed_in(person: Person) -> Client:
    client = Client()
    client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    return client


def shown(response, status: int = 200):
    assert response.status_code == status, response.content.decode()[:2000]
    assert_guarded(response)
    return assert_accessible(response)


def bring(client: Client, text: str | bytes, name: str = "ads.csv", **options):
    body = text.encode() if isinstance(text, str) else text
    return client.post(f"{PLACE}/ads", {"file": SimpleUploadedFile(name, body)}, **options)


def measure(client: Client, query: str = "") -> DemandSnapshot:
    framework = SkillFramework.objects.get().id
    response = client.post(PLACE, {"framework": framework, "query": query})
    assert response.status_code == 302
    return DemandSnapshot.objects.get(pk=response.headers["Location"].rsplit("/", 1)[-1])


# --- Ads of one's own ---


def test_a_site_that_has_just_begun_has_a_framework_of_skills_and_begins_with_it_once(db):
    assert skills.begin_with_a_framework(now=timezone.now()).id == "guildmark"
    assert skills.begin_with_a_framework(now=timezone.now()) is None
    assert SkillFramework.objects.count() == 1


def test_a_designer_brings_ads_and_their_skills_are_found_with_the_words_that_show_them(dana):
    assert "No job ad is here yet." in shown(dana.get(PLACE)).text
    page = shown(bring(dana, ADS, follow=True))
    assert "2 ads are in." in page.text
    assert "2 job ads are here." in page.text
    ad = JobAd.objects.get(title="Data analyst")
    assert ad.id == "harbour-university:1"
    assert ad.source == "Harbour University: ads.csv"
    assert "SQL queries" in {mention.words for mention in Mention.objects.filter(ad=ad)}
    assert Event.objects.get(verb="ingest_ads").actor.username == "dana"


def test_the_same_file_again_changes_nothing(dana):
    bring(dana, ADS)
    before = Mention.objects.count()
    assert "0 ads are in, 2 were there already." in shown(bring(dana, ADS, follow=True)).text
    assert (JobAd.objects.count(), Mention.objects.count()) == (2, before)


def test_another_providers_ids_do_not_clash(cast, dana):
    bring(dana, ADS)
    mallory = signed_in(cast.mallory)
    own = {"file": SimpleUploadedFile("ads.csv", ADS.replace("queries", "reports").encode())}
    mallory.post("/o/mill/demand/ads", own)
    assert {"harbour-university:1", "mill:1"} <= set(JobAd.objects.values_list("id", flat=True))


def test_rows_that_cannot_be_used_are_listed_and_the_others_are_in(dana):
    rows = f'{ADS}3,Analyst,Brackwater,yesterday,"SQL"\n4,Analyst,Brackwater,2026-11-04,\n2,Other,X,,"Another text"\n'
    page = shown(bring(dana, rows))
    assert "3 rows were not taken" in page.text
    assert "2 ads are in." in page.text
    assert "'yesterday' is no date" in page.text
    assert "is empty" in page.text
    assert "stands in row 2 with another text" in page.text
    assert JobAd.objects.count() == 2


def test_json_lines_are_taken_too(dana):
    lines = "\n".join(json.dumps({"title": f"Job {n}", "text": f"SQL and Python, {n}"}) for n in range(3))
    assert "3 ads are in." in shown(bring(dana, lines, "ads.jsonl", follow=True)).text


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "The submitted file is empty."),
        ("name,city\nx,y\n", "text"),
        ("[]", "is one JSON list"),
        (b"\xff\xfe\x00", "is not UTF-8"),
        ("{}{}", "no JSON object"),
    ],
    ids=["empty", "other columns", "a list", "not UTF-8", "no lines"],
)
def test_a_file_that_holds_no_ads_is_marked_and_says_what_to_do(dana, text, says):
    page = shown(bring(dana, text), 422)
    assert says in page.text
    assert page.by_id("id_file")["aria-invalid"] == "true"
    assert not JobAd.objects.exists()


def test_nothing_chosen_is_marked(dana):
    assert "Choose the file with the ads." in shown(dana.post(f"{PLACE}/ads"), 422).text


def test_a_file_of_bad_rows_alone_took_nothing(dana):
    assert "0 ads are in." in shown(bring(dana, "title,text\nx,\n"), 422).text


def test_files_are_bounded(dana, monkeypatch):
    monkeypatch.setattr(room, "MOST_ADS", 1)
    assert "divide it into files of at most 1" in shown(bring(dana, ADS), 422).text
    monkeypatch.setattr(room, "LARGEST", 20)
    assert "larger than 5 MB" in shown(bring(dana, ADS), 422).text
    assert not JobAd.objects.exists()


# --- Measuring ---


def test_demand_is_counted_frozen_and_shown_with_the_words_of_the_ads(dana):
    bring(dana, ADS)
    row = measure(dana, "data")
    assert (row.of, row.query) == (2, "data")
    assert Event.objects.get(verb="refresh_demand").actor.username == "dana"
    page = shown(dana.get(f"{PLACE}/{row.id}"))
    assert "Demand in ads that hold “data”" in page.text
    assert "1 of 2" in page.text
    assert "“SQL queries”" in page.text
    assert "“data”" in shown(dana.get(PLACE)).text


def test_words_that_no_ad_holds_are_marked_and_stay(dana):
    bring(dana, ADS)
    page = shown(dana.post(PLACE, {"framework": "guildmark", "query": "embroidery"}), 422)
    assert "no job ad holds 'embroidery'" in page.text
    assert page.by_id("id_query")["value"] == "embroidery"
    shown(dana.post(PLACE, {"framework": "nowhere", "query": ""}), 422)
    shown(dana.post(PLACE, {"framework": "guildmark", "query": "x" * 301}), 422)
    assert not DemandSnapshot.objects.exists()


def test_a_draft_begins_from_a_measurement(dana):
    bring(dana, ADS)
    row = measure(dana)
    form = shown(dana.get(f"/o/harbour-university/blueprints/new?demand={row.id}"))
    chosen = [o for o in form.all("option") if "selected" in o and o["value"] == str(row.id)]
    assert len(chosen) == 1
    shown(dana.get("/o/harbour-university/blueprints/new?demand=%00nothing"))
    dana.post("/o/harbour-university/blueprints/new", {"sample": "sql-python-operations", "demand": row.id})
    assert BlueprintVersion.objects.get().document["demand"]["sha256"] == row.sha256


def test_the_list_costs_the_same_however_long_it_is(dana):
    bring(dana, ADS)
    measure(dana)

    def statements() -> int:
        with CaptureQueriesContext(connection) as found:
            shown(dana.get(PLACE))
        return len(found)

    few = statements()
    first = DemandSnapshot.objects.get()
    for _ in range(30):
        first.pk = uuid4()
        first.save(force_insert=True)
    assert statements() == few


# --- Mallory ---


def test_only_who_designs_brings_and_measures_and_colleagues_may_look(cast, dana):
    bring(dana, ADS)
    row = measure(dana)
    lee = signed_in(cast.lee)
    page = shown(lee.get(PLACE))
    assert "Bring job ads" not in page.text
    assert "Draft a micro-credential from it" not in shown(lee.get(f"{PLACE}/{row.id}")).text
    shown(lee.get(f"{PLACE}/ads"), 403)
    shown(bring(lee, ADS), 403)
    shown(lee.post(PLACE, {"framework": "guildmark"}), 403)
    assert DemandSnapshot.objects.count() == 1


def test_mallory_finds_nothing_of_another_provider(cast, dana):
    bring(dana, ADS)
    row = measure(dana)
    for client in (signed_in(cast.mallory), signed_in(cast.omar)):
        for path in (PLACE, f"{PLACE}/ads", f"{PLACE}/{row.id}"):
            shown(client.get(path), 404)
        shown(bring(client, ADS), 404)
        shown(client.post(PLACE, {"framework": "guildmark"}), 404)
    shown(signed_in(cast.omar).get("/o/northwind-logistics/demand"), 404)
    assert DemandSnapshot.objects.count() == 1


def test_a_stranger_is_asked_to_sign_in_and_wrong_ids_and_methods_are_plain(dana, client):
    assert client.get(PLACE).headers["Location"].startswith("/account/login/")
    shown(dana.get(f"{PLACE}/{uuid4()}"), 404)
    assert dana.post(f"{PLACE}/{uuid4()}").status_code == 405
    assert dana.put(PLACE).status_code == 405
    assert dana.delete(f"{PLACE}/ads").status_code == 405
