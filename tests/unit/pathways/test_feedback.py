"""Outcomes count with consent only, for their own version only, and never as a share of a few."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guildmark.core.codecs import jcs
from guildmark.core.errors import BrokenInput
from guildmark.pathways.feedback import KINDS, Destination, review_signals

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
BLUEPRINT = "urn:uuid:0a6f6f0e-3f0c-4d5a-9a53-2f6a1b1c7d10"


def told(kind="hired", rating=4, consented=True, version=1, blueprint=BLUEPRINT) -> Destination:
    return Destination(blueprint, version, kind, rating, consented, NOW, "employer")


def test_a_share_comes_with_its_number_and_wilsons_interval():
    signals = review_signals(BLUEPRINT, 1, [told()] * 8 + [told("not_hired", None)] * 2)
    assert (signals.n, signals.hired_share) == (10, 0.8)
    assert (signals.low, signals.high) == pytest.approx((0.490162, 0.943318), abs=1e-6)
    assert (signals.rated, signals.mean_rating) == (8, 4.0)
    assert signals.says == (
        "10 outcomes were told with consent (hired: 8, not hired: 2): 80% hired (95 % interval 49% to 94%). "
        "The mean of 8 ratings is 4.0 of 5."
    )


def test_consent_that_is_not_given_counts_in_nothing():
    with_it = review_signals(BLUEPRINT, 1, [told()] * 6)
    assert review_signals(BLUEPRINT, 1, [told()] * 6 + [told("not_hired", 1, consented=False)] * 50) == with_it


def test_consent_taken_back_takes_the_outcome_out_again():
    before = [told()] * 5 + [told("not_hired", 1)]
    after = [*before[:-1], before[-1].without_consent()]
    assert review_signals(BLUEPRINT, 1, before).n == 6
    assert review_signals(BLUEPRINT, 1, after) == review_signals(BLUEPRINT, 1, before[:-1])


def test_consent_has_to_be_said_and_said_plainly():
    with pytest.raises(TypeError):
        Destination(BLUEPRINT, 1, "hired", 4, at=NOW, source="employer")
    for word in ("yes", 1, None):
        with pytest.raises(BrokenInput, match="consent is"):
            told(consented=word)


def test_the_share_of_a_few_is_withheld_and_the_number_is_shown():
    signals = review_signals(BLUEPRINT, 1, [told()] * 4)
    assert signals.n == 4
    assert (signals.hired_share, signals.low, signals.high, signals.mean_rating) == (None, None, None, None)
    assert "under 5 no share is shown" in signals.says


def test_a_mean_of_a_few_ratings_is_withheld_even_where_the_share_is_shown():
    signals = review_signals(BLUEPRINT, 1, [told()] * 4 + [told(rating=None)] * 4)
    assert (signals.hired_share, signals.rated, signals.mean_rating) == (1.0, 4, None)
    assert "of 5; under 5 ratings no mean is shown" in signals.says
    assert len(signals.ratings) == 4


def test_the_threshold_is_the_providers_to_raise():
    outcomes = [told()] * 9
    assert review_signals(BLUEPRINT, 1, outcomes, at_least=10).hired_share is None
    assert review_signals(BLUEPRINT, 1, outcomes, at_least=9).hired_share == 1.0
    with pytest.raises(ValueError, match="at_least"):
        review_signals(BLUEPRINT, 1, outcomes, at_least=0)


def test_outcomes_of_other_versions_and_blueprints_are_passed_over():
    others = [told(version=2)] * 9 + [told(blueprint="urn:uuid:other")] * 9
    assert review_signals(BLUEPRINT, 1, others).n == 0
    assert review_signals(BLUEPRINT, 1, others).says.startswith("No outcome")


def test_being_interviewed_is_not_being_hired():
    assert review_signals(BLUEPRINT, 1, [told("interviewed")] * 5).hired_share == 0.0


@pytest.mark.parametrize(
    "change", [{"kind": "promoted"}, {"rating": 0}, {"rating": 6}, {"rating": 4.5}, {"rating": True}]
)
def test_an_outcome_that_means_nothing_is_refused(change):
    with pytest.raises(BrokenInput, match=BLUEPRINT):
        told(**change)


def test_a_moment_without_a_zone_is_refused():
    with pytest.raises(BrokenInput, match="no time zone"):
        Destination(BLUEPRINT, 1, "hired", 4, True, datetime(2026, 11, 24, 9), "employer")  # noqa: DTZ001


def test_an_outcome_survives_being_stored():
    assert Destination.from_json(told().to_json()) == told()


outcomes = st.lists(
    st.builds(told, st.sampled_from(KINDS), st.none() | st.integers(1, 5), st.booleans(), st.integers(1, 2)),
    max_size=30,
)


@settings(deadline=None)  # a busy machine is slow without being wrong
@given(outcomes, st.integers(1, 12), st.randoms(use_true_random=False))
def test_signals_are_within_bounds_withheld_below_the_threshold_and_blind_to_order(told_outcomes, at_least, random):
    signals = review_signals(BLUEPRINT, 1, told_outcomes, at_least=at_least)
    assert (signals.hired_share is None) is (signals.n < at_least)
    assert (signals.mean_rating is None) is (signals.rated < at_least)
    assert signals.rated <= signals.n == sum(d.consented and d.blueprint_version == 1 for d in told_outcomes)
    if signals.hired_share is not None:
        assert 0 <= signals.low <= signals.hired_share <= signals.high <= 1
    shuffled = list(told_outcomes)
    random.shuffle(shuffled)
    assert review_signals(BLUEPRINT, 1, shuffled, at_least=at_least) == signals
    assert jcs(signals.to_json())
