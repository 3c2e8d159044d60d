"""Frameworks and ads come in row by row, the bad ones listed; demand is counted and frozen."""

from __future__ import annotations

from uuid import uuid4

import pytest

from guildmark.app.queries.skills import words_that_show
from guildmark.app.records import DemandSnapshot, JobAd, Mention, Skill, SkillFramework
from guildmark.app.services import skills
from guildmark.core.errors import BrokenInput
from guildmark.skills.demand import FrozenDemand
from tests.app.cast import NOW

ADS = """id,title,employer,posted,place,text
a1,Analyst,Mill,2026-11-01,Perth,"We need SQL and Python for data work."
a2,Analyst,Mill,2026-11-32,Perth,"We need SQL."
a3,Driver,Mill,2026-11-02,Perth,"You drive a truck with data on board."
"""
pytestmark = pytest.mark.django_db


@pytest.fixture
def ads(tmp_path):
    path = tmp_path / "ads.csv"
    path.write_text(ADS, encoding="utf-8")
    return path


def test_good_rows_are_in_and_the_bad_one_is_named_by_row_and_field(ads):
    ingested = skills.ingest_ads(path=ads, now=NOW)
    assert set(JobAd.objects.values_list("title", flat=True)) == {"Analyst", "Driver"}
    assert ingested.added == 2
    (problem,) = ingested.problems
    assert (problem.row, problem.field) == (2, "posted")


def test_the_same_file_twice_adds_nothing(ads):
    skills.ingest_ads(path=ads, now=NOW)
    again = skills.ingest_ads(path=ads, now=NOW)
    assert (again.added, again.known) == (0, 2)


def test_a_file_that_is_no_list_of_ads_leaves_nothing(tmp_path):
    path = tmp_path / "ads.csv"
    path.write_bytes(b"\x00\x01\x02\xff")
    with pytest.raises(BrokenInput):
        skills.ingest_ads(path=path, now=NOW)
    assert JobAd.objects.count() == 0


def test_loading_a_framework_again_replaces_its_skills():
    first, loaded = skills.load_framework(path=None, now=NOW)
    skills.load_framework(path=None, now=NOW)
    assert SkillFramework.objects.count() == 1
    assert Skill.objects.filter(framework=first).count() == loaded.added > 100


def test_demand_counts_ads_that_ask_not_words_and_its_freeze_is_intact(ads):
    skills.ingest_ads(path=ads, now=NOW)
    framework, _ = skills.load_framework(path=None, now=NOW)
    skills.extract_mentions(framework_id=framework.id, now=NOW)
    snapshot = skills.refresh_demand(id=uuid4(), framework_id=framework.id, query="data", on=NOW.date(), now=NOW)
    lines = {line["label"]: line for line in snapshot.lines}
    assert snapshot.of == 2
    assert (lines["SQL"]["ads"], lines["SQL"]["of"]) == (1, 2)
    assert FrozenDemand.from_json(DemandSnapshot.objects.get().frozen).intact()


def test_the_words_of_a_mention_stand_in_the_ad(ads):
    skills.ingest_ads(path=ads, now=NOW)
    framework, _ = skills.load_framework(path=None, now=NOW)
    skills.extract_mentions(framework_id=framework.id, now=NOW)
    found = list(Mention.objects.select_related("ad"))
    assert found
    assert all(m.ad.text[m.start : m.end] == m.words for m in found if m.start < len(m.ad.text))


def test_the_words_that_show_a_skill_are_those_of_the_ads_that_were_counted(ads, tmp_path):
    from datetime import timedelta

    skills.ingest_ads(path=ads, now=NOW)
    framework, _ = skills.load_framework(path=None, now=NOW)
    skills.extract_mentions(framework_id=framework.id, now=NOW)
    snapshot = skills.refresh_demand(id=uuid4(), framework_id=framework.id, query="data", on=NOW.date(), now=NOW)
    sql = Skill.objects.get(label="SQL").uri
    assert words_that_show(snapshot, sql) == ["SQL"]
    later = tmp_path / "later.csv"
    later.write_text(
        'id,title,employer,posted,place,text\nb1,Nurse,Mill,,Perth,"You write structured query language."\n'
        'b2,Analyst,Mill,,Perth,"Data and structured query language."\n'
    )
    skills.ingest_ads(path=later, now=NOW + timedelta(days=1))
    skills.extract_mentions(framework_id=framework.id, now=NOW + timedelta(days=1))
    other, _ = SkillFramework.objects.get_or_create(id="other", defaults={"loaded_at": NOW})
    Mention.objects.create(
        ad_id="a1", framework=other, skill_uri=sql, label="SQL", words="We need", start=0, end=7, confidence=1.0
    )
    assert words_that_show(snapshot, sql) == ["SQL"]


def test_demand_for_words_that_no_ad_holds_is_refused(ads):
    skills.ingest_ads(path=ads, now=NOW)
    framework, _ = skills.load_framework(path=None, now=NOW)
    with pytest.raises(BrokenInput, match="no job ad holds"):
        skills.refresh_demand(id=uuid4(), framework_id=framework.id, query="zebra", on=NOW.date(), now=NOW)
    with pytest.raises(BrokenInput, match="is not loaded"):
        skills.extract_mentions(framework_id="nowhere", now=NOW)
