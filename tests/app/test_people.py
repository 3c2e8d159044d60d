"""Who and what is taken in is what every database can keep, and what cannot be used is refused in a sentence."""

from __future__ import annotations

import json
from datetime import date
from uuid import uuid4

import pytest

from guildmark.app.records import Event, JobAd, Learner, Organisation
from guildmark.app.services import assess, people, skills
from guildmark.core.errors import BrokenInput
from tests.app import cast as world

NOW = world.NOW


@pytest.mark.parametrize(
    ("email", "name", "says"),
    [
        ("mei", "Mei", "valid email"),
        ("mei@example.org\nBcc: all@example.org", "Mei", "valid email"),
        ("mei@example.org", "  ", "name is empty"),
        ("mei@example.org", "M" * 201, "at most 200"),
        (f"{'m' * 250}@example.org", "Mei", "at most 254"),
    ],
)
def test_a_learner_whom_no_mail_could_reach_or_no_certificate_could_name_is_refused(db, email, name, says):
    with pytest.raises(BrokenInput, match=says):
        world.learner(email, name)
    assert Learner.objects.count() == 0


def test_a_title_as_long_as_its_column_goes_all_the_way(cast):
    long = {**world.sample(), "title": "T" * 300}
    assert world.award(cast, world.decide(cast, world.publish(cast, long)))[0].title == "T" * 300
    assert max(len(event.subject) for event in Event.objects.all()) == 300


def test_a_text_that_is_longer_than_its_column_is_refused_on_every_database(cast):
    with pytest.raises(BrokenInput, match="title: has 301 characters; shorten it to 300"):
        world.draft(cast, {**world.sample(), "title": "T" * 301})
    version = world.publish(cast)
    with pytest.raises(BrokenInput, match="title: has 301"):
        assess.open_offering(
            id=uuid4(), version=version, title="T" * 301, opens_on=date(2026, 1, 1), closes_on=None, activities=[],
            actor=cast.quinn, now=NOW,
        )  # fmt: skip
    with pytest.raises(BrokenInput, match=r"name: .*at most 200"):
        people.register_organisation(
            id=uuid4(), slug="long", name="N" * 201, kind="provider", did="did:web:l.example", country="AU", facts={},
            now=NOW,
        )  # fmt: skip
    assert not Organisation.objects.filter(slug="long").exists()


def test_an_ad_with_a_character_that_postgresql_cannot_keep_does_not_stop_the_others(db, tmp_path):
    path = tmp_path / "ads.jsonl"
    ads = [{"id": "a1", "title": "Bad\x00", "text": "We need\x00 SQL."}, {"id": "a2", "title": "Good", "text": "SQL."}]
    path.write_text("\n".join(json.dumps(ad) for ad in ads), encoding="utf-8")
    skills.ingest_ads(path=path, now=NOW)
    assert JobAd.objects.filter(id="a2").exists()
