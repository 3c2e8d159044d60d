"""Demand: ads counted once for each skill, Wilson's interval, and a frozen copy that shows when it was changed."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from guildmark.core.errors import BrokenInput
from guildmark.skills.ads import JobAd
from guildmark.skills.demand import FrozenDemand, freeze_demand, measure_demand, wilson, wordings
from guildmark.skills.extract import Mention

ADS = [JobAd(f"ad-{n}", "", "", "text") for n in range(4)]
DAY = date(2026, 11, 24)


def mention(ad, skill, words="words", start=0):
    return Mention(ad, f"urn:{skill}", skill, words, start, start + len(words), 1.0)


MENTIONS = [
    mention("ad-0", "SQL", "SQL"),
    mention("ad-0", "SQL", "SQL queries", start=20),
    mention("ad-1", "SQL", "sql"),
    mention("ad-1", "Python"),
    mention("ad-2", "Excel"),
    mention("ad-9", "Python"),
]


@pytest.mark.parametrize(
    ("hits", "of", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilsons_interval_is_that_of_newcombes_table(hits, of, low, high):
    """R. G. Newcombe, "Two-sided confidence intervals for the single proportion", Stat. Med. 17 (1998), table I."""
    assert wilson(hits, of) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))


@given(st.integers(1, 5_000).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of))))
def test_wilsons_interval_is_that_of_scipy_and_holds_the_share(case):
    hits, of = case
    low, high = wilson(hits, of)
    theirs = binomtest(hits, of).proportion_ci(0.95, method="wilson")
    assert (low, high) == (pytest.approx(theirs.low, abs=1e-12), pytest.approx(theirs.high, abs=1e-12))
    assert 0 <= low <= hits / of <= high <= 1


def test_nothing_looked_at_says_nothing_and_more_hits_than_ads_is_a_mistake():
    assert wilson(0, 0) == (0.0, 1.0)
    with pytest.raises(ValueError, match="3 of 2 is no share"):
        wilson(3, 2)


def test_an_ad_counts_once_for_a_skill_and_only_the_ads_at_hand_count():
    lines = measure_demand(ADS, MENTIONS)
    assert [(line.label, line.ads, line.of) for line in lines] == [("SQL", 2, 4), ("Excel", 1, 4), ("Python", 1, 4)]
    assert lines[0].share == 0.5
    assert (lines[0].low, lines[0].high) == wilson(2, 4)


def test_the_order_of_mentions_and_an_ad_given_twice_change_nothing():
    assert measure_demand([*ADS, ADS[0]], MENTIONS[::-1]) == measure_demand(ADS, MENTIONS)


def test_no_ads_give_no_lines():
    assert measure_demand([], MENTIONS) == ()


def test_wordings_are_those_of_the_ads_most_frequent_first():
    assert wordings(MENTIONS, most=2)["urn:SQL"] == ("sql", "sql queries")


def test_frozen_demand_comes_back_intact_and_shows_a_change():
    frozen = freeze_demand(measure_demand(ADS, MENTIONS), source="here", query="data", on=DAY)
    again = FrozenDemand.from_json(frozen.to_json())
    assert again == frozen
    assert again.intact()
    for changed in (
        replace(frozen, of=5),
        replace(frozen, source="there"),
        replace(frozen, query=""),
        replace(frozen, on=date(2026, 11, 25)),
        replace(frozen, counts=frozen.counts[1:]),
        replace(frozen, sha256="0" * 64),
    ):
        assert not changed.intact()


def test_demand_for_nothing_still_says_how_many_ads_were_looked_at():
    assert freeze_demand((), source="here", query="", on=DAY, of=40).of == 40


@pytest.mark.parametrize(
    "value",
    [
        [],
        {"source": 1},
        {"source": "s", "query": "", "on": "yesterday", "of": 1, "counts": [], "sha256": ""},
        {"source": "s", "query": "", "on": "2026-11-24", "of": 1, "counts": [["urn:x", "X"]], "sha256": ""},
        {"source": "s", "query": "", "on": "2026-11-24", "of": "many", "counts": [], "sha256": ""},
    ],
)
def test_what_is_no_frozen_demand_is_one_sentence(value):
    with pytest.raises(BrokenInput, match=r"demand: is not frozen demand \(.*\); freeze it again"):
        FrozenDemand.from_json(value)


def test_a_member_that_is_missing_is_named():
    with pytest.raises(BrokenInput, match="demand: source is missing; freeze it again"):
        FrozenDemand.from_json({})
