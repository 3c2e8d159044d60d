"""A holding is read without trust, and stands or does not stand on a day with a reason."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from guildmark.assess.holding import HeldSkill, Holding
from guildmark.core.errors import BrokenInput

HOLDING = Holding(
    credential_id="urn:uuid:3f8e9f0e-1111-4c6b-9d5e-0a1b2c3d4e5f",
    achievement_id="https://demo.guildmark.example/achievements/a/1",
    title="Data analysis with SQL",
    issuer_id="did:web:demo.guildmark.example:issuers:harbour-university",
    learner_id="learner-1",
    skills=(HeldSkill("http://data.europa.eu/esco/skill/1", "use SQL", "AQF:5"),),
    credit_value=5.0,
    credit_unit="AU-CP",
    level="AQF:5",
    assessed_on=date(2026, 11, 1),
    valid_until=date(2028, 11, 1),
    status="valid",
    tags=("data",),
)


def test_a_holding_survives_being_stored():
    assert Holding.from_json(HOLDING.to_json()) == HOLDING
    forever = replace(HOLDING, valid_until=None, skills=(), tags=())
    assert Holding.from_json(forever.to_json()) == forever


def test_a_valid_holding_stands_from_its_assessment_to_its_last_day():
    assert [HOLDING.stands(date(2026, 10, 31)), HOLDING.stands(date(2026, 11, 1))] == [False, True]
    assert [HOLDING.stands(date(2028, 11, 1)), HOLDING.stands(date(2028, 11, 2))] == [True, False]


@pytest.mark.parametrize("status", ["suspended", "revoked", "expired", "unverified"])
def test_anything_but_valid_does_not_stand_and_says_why(status):
    holding = replace(HOLDING, status=status)
    assert not holding.stands(date(2026, 11, 24))
    assert holding.why_not(date(2026, 11, 24)) in (f"is {status}", "could not be verified")


@pytest.mark.parametrize("day", [date(2026, 10, 31), date(2026, 11, 24), date(2028, 11, 2)])
def test_a_reason_is_given_exactly_when_it_does_not_stand(day):
    assert HOLDING.stands(day) is (HOLDING.why_not(day) == "")


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"title": None}, "holding.title"),
        ({"issuer_id": 7}, "holding.issuer_id"),
        ({"credential_id": ""}, "holding.credential_id"),
        ({"achievement_id": " "}, "holding.achievement_id"),
        ({"learner_id": ""}, "holding.learner_id"),
        ({"skills": "SQL"}, "holding.skills"),
        ({"skills": ["SQL"]}, "holding.skills[0]"),
        ({"skills": [{"uri": "x"}]}, "holding.skills[0].label"),
        ({"credit_value": "5"}, "holding.credit_value"),
        ({"credit_value": True}, "holding.credit_value"),
        ({"assessed_on": None}, "holding.assessed_on"),
        ({"assessed_on": "yesterday"}, "holding.assessed_on"),
        ({"valid_until": 2028}, "holding.valid_until"),
        ({"tags": "data"}, "holding.tags"),
        ({"status": 1}, "holding.status"),
    ],
)
def test_a_broken_member_is_named(change, place):
    with pytest.raises(BrokenInput) as caught:
        Holding.from_json({**HOLDING.to_json(), **change})
    assert caught.value.where == place
    assert caught.value.hint


@pytest.mark.parametrize(
    "change",
    [
        {"status": "fine"},
        {"credit_value": -1},
        {"credit_value": float("nan")},
        {"credit_value": 1e999},
        {"credit_value": 1001},
        {"credit_value": 10**400},
    ],
)
def test_a_status_or_credit_that_means_nothing_is_refused_however_it_comes(change):
    with pytest.raises(BrokenInput, match="urn:uuid:3f8e9f0e"):
        replace(HOLDING, **change)


def test_something_that_is_no_object_is_refused():
    with pytest.raises(BrokenInput, match="is not an object"):
        Holding.from_json([])
