"""The public register: what is in it, what its figures withhold, and the table that anybody can take."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from guildmark.app.queries.register import FEWEST, figures, sector, withheld
from guildmark.app.records import Award, BlueprintVersion, Endorsement, GateResult, StatusList
from guildmark.app.web.charts import Bar, bar_chart, interval_chart
from tests.app import cast as acts
from tests.app.cast import sample
from tests.web.test_public import assert_accessible, assert_guarded

NOW = timezone.now().replace(microsecond=0)


@pytest.fixture(autouse=True)
def today(monkeypatch):
    monkeypatch.setattr(acts, "NOW", NOW - timedelta(hours=1))


@pytest.fixture
def cast(db):
    return acts.cast()


def shown(response, status: int = 200):
    assert response.status_code == status
    assert_guarded(response)
    return assert_accessible(response)


def table(client) -> list[dict[str, str]]:
    response = client.get("/register.csv")
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert "register.csv" in response.headers["Content-Disposition"]
    return list(csv.DictReader(io.StringIO(response.getvalue().decode())))


def more_awards(cast, made, n: int, when: datetime) -> None:
    """Copies of an award, each on a learner and an index of its own, issued `when`."""
    numbers = StatusList.objects.get(pk=made.award.status_list_id)
    for _ in range(n):
        id = uuid4()
        index = Award.objects.count() + 1000
        Award.objects.create(
            id=id, kind="clr", credential_id=f"urn:uuid:{id}", learner=acts.learner(f"{id}@example.org", "Somebody"),
            issuer=cast.harbour, title="Copy", document=b"{}", status_list=numbers, status_index=index,
            issued_at=when, awarded_by=cast.ana, claim_sha256=id.hex, nonce=b"",
        )  # fmt: skip


# --- The register ---


@pytest.mark.django_db
def test_before_anything_is_published_the_register_says_so(client):
    page = shown(client.get("/register"))
    assert "Nothing is published yet." in page.text
    assert page.text.count("withheld") > 12
    assert table(client) == []


def test_a_published_micro_credential_is_there_with_what_it_passed_and_who_signed(cast, client):
    version = acts.publish(cast)
    gate = GateResult.objects.filter(verdict="pass").latest("seq")
    page = shown(client.get("/register"))
    assert not client.cookies
    for said in (version.title, "version 1", "Harbour University (AU)", "Northwind Logistics"):
        assert said in page.text
    (link,) = [a for a in page.all("a") if a["href"].startswith("/gate/")]
    assert link["href"] == f"/gate/{gate.id}"
    assert client.get(link["href"]).status_code == 200
    (data,) = [a for a in page.all("a") if a.get("href", "").startswith("/achievements/")]
    assert client.get(data["href"]).json()["name"] == version.title
    (row,) = table(client)
    assert row["title"] == version.title
    assert (row["version"], row["provider"], row["state"]) == ("1", "Harbour University", "published")
    assert row["partners"] == "Northwind Logistics"
    assert row["rulebooks"]
    assert row["gate_report"].endswith(f"/gate/{gate.id}")
    assert row["published_at"] == version.published_at.isoformat()


def test_a_draft_is_not_in_the_register_and_a_withdrawn_one_is_marked(cast, client):
    draft = acts.draft(cast)
    assert draft.title not in shown(client.get("/register")).text
    assert table(client) == []
    BlueprintVersion.objects.update(state="withdrawn", published_at=NOW)
    assert "version 1, withdrawn" in shown(client.get("/register")).text
    assert table(client)[0]["state"] == "withdrawn"


def test_a_partner_who_withdrew_or_signed_another_map_is_not_named(cast, client):
    acts.publish(cast)
    Endorsement.objects.update(map_digest="0" * 64)
    assert "Northwind" not in shown(client.get("/register")).text
    Endorsement.objects.update(withdrawn_at=NOW)
    assert "nobody" in shown(client.get("/register")).text
    assert table(client)[0]["partners"] == ""


@pytest.mark.parametrize("title", ["=1+1", "+1", "-1", "@x"])
def test_a_title_is_no_formula_in_a_spreadsheet(cast, client, title):
    acts.publish(cast, {**sample(), "title": title})
    assert table(client)[0]["title"] == f"'{title}"


def test_the_register_costs_the_same_however_long_it_is(cast, client):
    def cost() -> list[int]:
        found = []
        for path in ("/register", "/register.csv"):
            with CaptureQueriesContext(connection) as statements:
                response = client.get(path)
                b"".join(response.streaming_content) if response.streaming else response.content
            found.append(len(statements))
        return found

    acts.publish(cast)
    few = cost()
    for n in range(30):
        version = acts.draft(cast, {**sample(), "id": f"urn:uuid:{uuid4()}", "title": f"Another {n}"})
        acts.endorse(cast, version)
        acts.review(cast, version)
    BlueprintVersion.objects.update(state="published", published_at=NOW)
    assert cost() == few
    assert len(table(client)) == 31


@pytest.mark.parametrize("path", ["/register?page=0", "/register?page=x", "/register?page=999", "/register?page="])
def test_a_page_that_is_not_there_is_the_nearest_one(cast, client, path):
    shown(client.get(path))


@pytest.mark.django_db
def test_the_register_is_read_only(client):
    for path in ("/register", "/register.csv"):
        assert client.post(path).status_code == 405
        assert client.head(path).status_code == 200


# --- Figures ---


def test_awards_are_counted_by_month_and_small_counts_withheld(cast, client):
    made = acts.awarded(cast)
    Award.objects.update(issued_at=datetime(2026, 3, 1, tzinfo=UTC))
    more_awards(cast, made, 6, datetime(2026, 3, 31, 23, 59, 59, tzinfo=UTC))
    more_awards(cast, made, 4, datetime(2026, 4, 1, tzinfo=UTC))
    more_awards(cast, made, 9, datetime(2025, 6, 30, 23, 59, tzinfo=UTC))
    found = figures(now=datetime(2026, 6, 15, tzinfo=UTC))
    assert [m.first.strftime("%Y-%m") for m in found.months] == [
        *(f"2025-{n:02}" for n in range(7, 13)),
        *(f"2026-{n:02}" for n in range(1, 7)),
    ]
    assert [m.count for m in found.months] == [None] * 8 + [7] + [None] * 3
    assert (found.awards, found.revocations, found.completions) == (20, None, None)


def test_the_chart_and_the_table_say_the_same(cast, client):
    made = acts.awarded(cast)
    more_awards(cast, made, 11, timezone.now() - timedelta(minutes=1))
    response = client.get("/register")
    page = shown(response)
    assert len(page.all("rect")) == 1
    assert page.all("rect")[0]["width"] == "240"
    (chart,) = page.all("svg")
    assert chart["role"] == "img"
    assert f"Numbers below {FEWEST} are withheld" in page.text
    assert "Credentials awarded 12" in page.text
    assert page.text.count(" 12 ") >= 3, "in the totals, the chart and the table"
    assert b"style=" not in response.content


def test_a_single_gap_never_stands_alone():
    assert withheld([9, 3, 8]) == [9, None, None]
    assert withheld([9, 9, 3]) == [None, 9, None]
    assert withheld([9, 3, 0]) == [9, None, None]
    assert withheld([9, 8]) == [9, 8]
    assert withheld([3]) == [None]
    assert withheld([]) == []


@given(st.lists(st.integers(0, 20), max_size=14))
def test_no_withheld_count_can_be_told_from_the_total(counts):
    told = withheld(counts)
    assert all(count is None or count == real for count, real in zip(told, counts, strict=True))
    assert all(count is None or count >= FEWEST for count in told)
    assert len(counts) < 2 or told.count(None) != 1


# --- Entries, filters, and the sector ---


def test_an_entry_tells_each_rule_with_its_clause(cast, client):
    version = acts.publish(cast)
    page = shown(client.get("/register"))
    assert page.by_href(f"/register/{version.pk}")
    page = shown(client.get(f"/register/{version.pk}"))
    assert "guildmark core rules 1" in page.text
    for finding in GateResult.objects.latest("seq").report["findings"]:
        if finding["id"].startswith("GM-"):
            assert finding["id"] in page.text
            assert " ".join(finding["source"].split()) in page.text
    assert "Northwind Logistics" in page.text
    draft = acts.draft(cast, {**sample(), "id": f"urn:uuid:{uuid4()}"})
    assert client.get(f"/register/{draft.pk}").status_code == 404
    assert client.get(f"/register/{uuid4()}").status_code == 404
    assert client.post(f"/register/{version.pk}").status_code == 405


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("field=06", True),
        ("field=09", False),
        ("level=AQF:5", True),
        ("provider=harbour-university", True),
        ("rulebook=au_nmf", False),
        ("rulebook=-au_nmf", True),
        ("rulebook=-au_nmf&field=06&level=AQF:5", True),
        ("rulebook=-au_nmf&field=09", False),
        ("field=nonsense&rulebook=%00&level='&provider=x", True),
    ],
)
def test_the_register_and_its_table_are_filtered_alike(cast, client, wanted, found):
    acts.publish(cast)
    page = shown(client.get(f"/register?{wanted}"))
    assert ("1 entry." in page.text) is found
    rows = list(csv.DictReader(io.StringIO(client.get(f"/register.csv?{wanted}").getvalue().decode())))
    assert bool(rows) is found
    if rows:
        assert rows[0]["field"] == "06"
        assert rows[0]["gate_results"].startswith("guildmark_core 1: ")


def test_figures_of_the_sector_tell_of_nobody(cast, client):
    made = acts.awarded(cast)
    page = shown(client.get("/register/figures"))
    assert "Information and communication technologies" in page.text
    assert "100 %" in page.text, "the one that is published is signed"
    told = [group for group in sector().fields if group.key == "06"]
    assert [(g.published, g.signed, g.awarded, g.revoked, g.median_days) for g in told] == [(1, 1, None, None, None)]
    for n in range(6):
        who = acts.learner(f"more{n}@example.org", f"More {n}")
        acts.award(cast, acts.decide(cast, made.version, who=who))
    (group,) = sector().fields
    assert (group.awarded, group.revoked, group.median_days) == (7, None, 0)
    page = shown(client.get("/register/figures"))
    assert all(svg["role"] == "img" for svg in page.all("svg"))
    assert b"style=" not in client.get("/register/figures").content
    assert client.post("/register/figures").status_code == 405


def test_a_chart_says_what_it_shows_and_escapes_its_labels():
    svg = bar_chart("c", title="Title", says="Says <this>.", bars=[Bar("<b>", 2, "2"), Bar("x" * 60, None)])
    assert 'role="img" aria-labelledby="c-title c-says"' in svg
    assert '<title id="c-title">Title</title><desc id="c-says">Says &lt;this&gt;.</desc>' in svg
    assert "&lt;b&gt;" in svg
    assert "withheld" in svg
    assert "x" * 45 + "…" in svg
    assert 'width="0"' in bar_chart("c", title="", says="", bars=[Bar("none", 0, "0")])
    dots = interval_chart("d", title="T", says="S", bars=[Bar("SQL", 0.5, "50 %", low=0.25, high=0.75)])
    assert '<line class="interval" x1="67" x2="193"' in dots
    assert 'cx="130"' in dots
