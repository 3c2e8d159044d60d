"""Agreement statistics: published and independently computed values, and what must hold for any marks.

Where the numbers come from: Krippendorff (2011), example C; Stuart (1953), unaided vision of 7,477 women;
the weighted kappas and the standard error as computed by statsmodels and scikit-learn; Wilson (1927).
"""

from __future__ import annotations

import doctest
import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from guildmark.assess import agreement
from guildmark.assess.agreement import (
    FEWEST_UNITS,
    Agreement,
    cohen_kappa,
    krippendorff_alpha,
    percent_agreement,
    weighted_kappa,
    wilson_interval,
)

_ = None  # a mark that is missing
KRIPPENDORFF_C = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, _, _, _],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, _, 3],
    [_, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, _],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, _],
]
ENCYCLOPEDIA = [
    [_, _, _, _, _, 3, 4, 1, 2, 1, 1, 3, 3, _, 3],
    [1, _, 2, 1, 3, 3, 4, 3, _, _, _, _, _, _, _],
    [_, _, 2, 1, 3, 4, 4, _, 2, 1, 1, 3, 3, _, 4],
]
VISION = [[1520, 266, 124, 66], [234, 1512, 432, 78], [117, 362, 1772, 205], [36, 82, 179, 492]]
ABSTRACTORS = [[13, 0, 0], [0, 20, 7], [0, 4, 56]]
DIAGNOSES = [[40, 6, 4, 15], [4, 25, 1, 5], [4, 2, 21, 9], [17, 13, 12, 45]]
PARADOX = [[118, 5], [2, 0]]
ANXIETY = (
    [3, 3, 3, 4, 5, 5, 2, 3, 5, 2, 2, 6, 1, 5, 2, 2, 1, 2, 4, 3],
    [3, 6, 4, 6, 2, 4, 2, 4, 3, 3, 2, 3, 3, 3, 2, 2, 1, 3, 3, 4],
)


def pairs_of(table: list[list[int]]) -> list[tuple[int, int]]:
    """The pairs of marks behind a table of counts."""
    return [(i, j) for i, row in enumerate(table) for j, count in enumerate(row) for _ in range(count)]


def units_of(markers: list[list[int | None]]) -> list[tuple[int | None, ...]]:
    """From a row for each marker to a row for each thing marked."""
    return list(zip(*markers, strict=True))


class TestReferenceValues:
    def test_cohen_kappa_of_the_textbook_table_and_its_standard_error(self):
        found = cohen_kappa(pairs_of([[20, 5], [10, 15]]))
        assert found.value == pytest.approx(0.4, abs=1e-12)
        assert found.standard_error == pytest.approx(0.126996, abs=1e-6)
        assert found.n == 50

    @pytest.mark.parametrize(
        ("table", "kappa", "alpha"),
        [(ABSTRACTORS, 0.796409, 0.797258), (DIAGNOSES, 0.431501, 0.431618), (PARADOX, -0.023392, -0.024691)],
    )
    def test_cohen_kappa_and_nominal_alpha(self, table, kappa, alpha):
        assert cohen_kappa(pairs_of(table)).value == pytest.approx(kappa, abs=1e-6)
        assert krippendorff_alpha(pairs_of(table), "nominal").value == pytest.approx(alpha, abs=1e-6)

    def test_the_paradox_high_agreement_and_no_kappa_shows_why_the_exact_share_is_given_too(self):
        assert percent_agreement(pairs_of(PARADOX)) == pytest.approx(0.944, abs=1e-12)
        assert cohen_kappa(pairs_of(PARADOX)).value < 0

    def test_weighted_kappa_of_the_vision_table(self):
        pairs = pairs_of(VISION)
        assert cohen_kappa(pairs).value == pytest.approx(0.595389, abs=1e-6)
        assert weighted_kappa(pairs, "linear").value == pytest.approx(0.65238, abs=1e-6)
        assert weighted_kappa(pairs, "quadratic").value == pytest.approx(0.702334, abs=1e-6)

    def test_weighted_kappa_of_the_anxiety_ratings(self):
        pairs = list(zip(*ANXIETY, strict=True))
        assert cohen_kappa(pairs).value == pytest.approx(0.119497, abs=1e-6)
        assert weighted_kappa(pairs, "linear").value == pytest.approx(0.189189, abs=1e-6)
        assert weighted_kappa(pairs, "quadratic").value == pytest.approx(0.296765, abs=1e-6)

    @pytest.mark.parametrize(
        ("data", "metric", "alpha"),
        [
            (KRIPPENDORFF_C, "nominal", 0.743421),
            (KRIPPENDORFF_C, "ordinal", 0.815388),
            (KRIPPENDORFF_C, "interval", 0.849107),
            (ENCYCLOPEDIA, "nominal", 0.691358),
            (ENCYCLOPEDIA, "ordinal", 0.806721),
            (ENCYCLOPEDIA, "interval", 0.810845),
        ],
    )
    def test_krippendorff_alpha(self, data, metric, alpha):
        assert krippendorff_alpha(units_of(data), metric).value == pytest.approx(alpha, abs=1e-6)

    def test_krippendorffs_ordinal_is_not_gwets_ordinal(self):
        """A package of the same name gives 0.833638 for these data: another metric."""
        assert krippendorff_alpha(units_of(KRIPPENDORFF_C)).value != pytest.approx(0.833638, abs=1e-3)

    def test_units_marked_once_are_left_out_of_alpha(self):
        assert krippendorff_alpha(units_of(KRIPPENDORFF_C)).n == 11

    @pytest.mark.parametrize(
        ("hits", "of", "interval"), [(8, 10, (0.490162, 0.943318)), (18, 20, (0.698966, 0.972134))]
    )
    def test_wilson_interval(self, hits, of, interval):
        assert wilson_interval(hits, of) == pytest.approx(interval, abs=1e-6)


class TestHonesty:
    @pytest.mark.parametrize("statistic", [cohen_kappa, weighted_kappa, krippendorff_alpha])
    def test_one_single_level_everywhere_has_no_value_rather_than_a_perfect_one(self, statistic):
        found = statistic([(2, 2)] * 40)
        assert (found.value, found.low, found.high) == (None, None, None)
        assert found.n == 40

    @pytest.mark.parametrize("statistic", [cohen_kappa, weighted_kappa, krippendorff_alpha])
    def test_nothing_has_no_value(self, statistic):
        assert statistic([]).value is None

    @pytest.mark.parametrize("statistic", [cohen_kappa, weighted_kappa, krippendorff_alpha])
    def test_full_agreement_of_a_few_is_not_certainty(self, statistic):
        few, many = statistic([(1, 1), (2, 2)] * 5), statistic([(1, 1), (2, 2)] * 500)
        assert few.value == many.value == 1.0
        assert few.low < 0.5 < 0.98 < many.low < 1.0
        assert few.high == many.high == 1.0

    def test_an_alpha_that_hangs_on_one_unit_has_the_widest_interval(self):
        found = krippendorff_alpha([(1, 1)] * 9 + [(2, 2)])
        assert found.value == 1.0
        assert (found.low, found.high) == (-1.0, 1.0)

    def test_no_pair_has_no_share(self):
        assert percent_agreement([(1,), (None, 2), ()]) is None

    def test_a_unit_with_three_marks_brings_three_pairs(self):
        assert percent_agreement([(1, 1, 2), (3, 3)]) == pytest.approx(2 / 4)


levels = st.integers(min_value=0, max_value=4)
pair_lists = st.lists(st.tuples(levels, levels), min_size=1, max_size=40)
unit_lists = st.lists(st.lists(st.none() | levels, max_size=5), max_size=25)


def same(left: float | None, right: float | None) -> bool:
    """Equal up to rounding, and undefined together."""
    if left is None or right is None:
        return left is right
    return math.isclose(left, right, abs_tol=1e-9)


class TestForAnyMarks:
    @given(pair_lists)
    def test_which_marker_comes_first_is_no_matter(self, pairs):
        swapped = [(b, a) for a, b in pairs]
        for statistic in (cohen_kappa, weighted_kappa, krippendorff_alpha):
            one, other = statistic(pairs), statistic(swapped)
            assert same(one.value, other.value)
            assert same(one.low, other.low)
            assert same(one.high, other.high)

    @given(pair_lists, st.randoms(use_true_random=False))
    def test_the_order_of_the_units_is_no_matter(self, pairs, random):
        shuffled = list(pairs)
        random.shuffle(shuffled)
        for statistic in (cohen_kappa, weighted_kappa, krippendorff_alpha):
            assert statistic(pairs).value == statistic(shuffled).value

    @given(unit_lists, st.randoms(use_true_random=False))
    def test_who_of_many_gave_which_mark_is_no_matter_to_alpha(self, units, random):
        shuffled = [random.sample(unit, len(unit)) for unit in units]
        assert krippendorff_alpha(units).value == krippendorff_alpha(shuffled).value

    @given(st.lists(levels, min_size=2, max_size=40))
    def test_full_agreement_on_more_than_one_level_is_one(self, marks):
        assume(len(set(marks)) > 1)
        for statistic in (cohen_kappa, weighted_kappa, krippendorff_alpha):
            assert statistic([(m, m) for m in marks]).value == 1.0

    @given(pair_lists, st.permutations(range(5)))
    def test_names_of_levels_are_no_matter_to_cohen_and_nominal_alpha(self, pairs, names):
        renamed = [(names[a], names[b]) for a, b in pairs]
        assert same(cohen_kappa(pairs).value, cohen_kappa(renamed).value)
        assert same(krippendorff_alpha(pairs, "nominal").value, krippendorff_alpha(renamed, "nominal").value)

    @given(pair_lists)
    def test_stretching_shifting_and_turning_the_scale_is_no_matter_to_weighted_kappa(self, pairs):
        turned = [(7 - 3 * a, 7 - 3 * b) for a, b in pairs]
        assert same(weighted_kappa(pairs).value, weighted_kappa(turned).value)

    @given(unit_lists)
    def test_only_the_order_of_levels_matters_to_ordinal_alpha(self, units):
        bent = [[None if v is None else 2.0**v for v in unit] for unit in units]
        assert same(krippendorff_alpha(units).value, krippendorff_alpha(bent).value)

    @given(pair_lists)
    def test_on_two_levels_weights_make_no_difference(self, pairs):
        two = [(int(a > 2), int(b > 2)) for a, b in pairs]
        assert same(cohen_kappa(two).value, weighted_kappa(two).value)
        assert same(cohen_kappa(two).value, weighted_kappa(two, "linear").value)

    @given(pair_lists)
    def test_no_coefficient_exceeds_one_and_its_interval_holds_it(self, pairs):
        for statistic in (cohen_kappa, weighted_kappa, krippendorff_alpha):
            found = statistic(pairs)
            if found.value is not None:
                assert found.value <= 1.0
                assert -1.0 <= found.low <= max(found.value, -1.0)
                assert found.value <= found.high <= 1.0

    @given(pair_lists)
    def test_cohens_kappa_is_what_its_definition_says(self, pairs):
        """(seen - chance) / (1 - chance), reckoned the long way round."""
        n = len(pairs)
        seen = sum(a == b for a, b in pairs) / n
        chance = sum(a == b for a, _ in pairs for _, b in pairs) / n**2
        expected = None if chance == 1 else (seen - chance) / (1 - chance)
        assert same(cohen_kappa(pairs).value, expected)

    @given(unit_lists, st.sampled_from(["nominal", "ordinal", "interval"]))
    def test_alpha_is_what_its_coincidence_matrix_says(self, units, metric):
        """Krippendorff's section C, built cell by cell from the pairs of marks in each unit."""
        assert same(krippendorff_alpha(units, metric).value, alpha_by_matrix(units, metric))

    @given(st.integers(0, 200), st.integers(1, 200))
    def test_wilsons_interval_holds_the_share_and_stays_a_share(self, hits, of):
        assume(hits <= of)
        low, high = wilson_interval(hits, of)
        assert 0 <= low <= hits / of <= high <= 1
        assert low < high


def alpha_by_matrix(units, metric):
    """An independent way to alpha: the observed and expected coincidence matrices written out."""
    units = [[v for v in unit if v is not None] for unit in units]
    units = [unit for unit in units if len(unit) > 1]
    values = sorted({v for unit in units for v in unit})
    seen = {(c, k): 0.0 for c in values for k in values}
    for unit in units:
        for i, c in enumerate(unit):
            for j, k in enumerate(unit):
                if i != j:
                    seen[c, k] += 1 / (len(unit) - 1)
    margin = {c: sum(seen[c, k] for k in values) for c in values}
    n = sum(margin.values())

    def delta(c, k):
        if metric == "nominal":
            return float(c != k)
        if metric == "interval":
            return float((c - k) ** 2)
        low, high = min(c, k), max(c, k)
        return (sum(margin[g] for g in values if low <= g <= high) - (margin[low] + margin[high]) / 2) ** 2

    observed = sum(seen[c, k] * delta(c, k) for c in values for k in values)
    expected = sum(margin[c] * margin[k] * delta(c, k) for c in values for k in values)
    return None if expected == 0 else 1 - (n - 1) * observed / expected


def test_the_least_number_of_units_is_a_policy_with_a_name():
    assert FEWEST_UNITS == 5


def test_the_example_in_the_docstring_is_true():
    assert doctest.testmod(agreement).failed == 0 < doctest.testmod(agreement).attempted


def test_an_agreement_survives_being_stored():
    value = Agreement("quadratic weighted kappa", 0.5, 0.1, 0.9, 8, 0.75, "In words.", 2)
    assert Agreement.from_json(value.to_json()) == value
