"""How far markers agree: exact share, kappa, weighted kappa and Krippendorff's alpha, with intervals.

All of them are `1 - (disagreement seen) / (disagreement expected by chance)`. Where chance alone would give
no disagreement at all, because everybody used one single level, they are not defined: the value is None,
never 1.

Sources: Cohen (1960, 1968); standard errors of kappa and weighted kappa from Fleiss, Cohen and Everitt
(1969), Psychological Bulletin 72, 323-327; Krippendorff (2011), "Computing Krippendorff's
alpha-reliability"; Wilson (1927). Written here rather than imported: the packages that have them are GPL or
state no licence.

    >>> cohen_kappa([("a", "a")] * 20 + [("a", "b")] * 5 + [("b", "a")] * 10 + [("b", "b")] * 15).value
    0.4
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any, Literal

from guildmark.core.errors import BrokenInput

if TYPE_CHECKING:
    from guildmark.assess.marking import Mark
    from guildmark.design.blueprint import Blueprint

FEWEST_UNITS = 5
"""Fewer criteria marked twice give no coefficient: one other mark would turn it round. A policy."""

FEW_UNITS = 30
"""With fewer, `says` warns that the coefficient is rough. A policy."""

_Z95 = 1.959963984540054  # the 97.5 % point of the normal distribution


@dataclass(frozen=True, slots=True)
class Estimate:
    """A coefficient with its 95 % interval; all None where it is not defined.

    `n` counts units (things marked by at least two), `standard_error` is the large-sample one.
    """

    value: float | None
    low: float | None
    high: float | None
    n: int
    standard_error: float | None = None


@dataclass(frozen=True, slots=True)
class Agreement:
    """What is said about the agreement of markers.

    `n` is how many criteria of how many pieces were marked by at least two; `exact_share` is the share of
    pairs of marks that are the same level (None if there is no pair). `value`, `low` and `high` belong to
    `statistic` and are None where it is not defined or there is too little to say. `says` puts it in words,
    with the warnings that apply.
    """

    statistic: str
    value: float | None
    low: float | None
    high: float | None
    n: int
    exact_share: float | None
    says: str
    markers: int = 2

    def to_json(self) -> dict[str, Any]:
        """The agreement as plain JSON values; `from_json` reads it back unchanged."""
        return {
            "statistic": self.statistic,
            "value": self.value,
            "low": self.low,
            "high": self.high,
            "n": self.n,
            "exact_share": self.exact_share,
            "says": self.says,
            "markers": self.markers,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Agreement:
        """The agreement that `to_json` wrote."""
        return cls(**value)


# --- Shares


def wilson_interval(hits: int, of: int) -> tuple[float, float]:
    """The 95 % interval of a share, by Wilson's score: good for small numbers, and never beyond 0 and 1."""
    if of <= 0 or not 0 <= hits <= of:
        raise ValueError(f"{hits} of {of} is not a share")
    z2 = _Z95 * _Z95
    middle = (hits + z2 / 2) / (of + z2)
    half = _Z95 / (of + z2) * math.sqrt(hits * (of - hits) / of + z2 / 4)
    # At the ends the bound is exactly 0 or 1; the arithmetic may miss it by a rounding error.
    return (0.0 if hits == 0 else max(0.0, middle - half), 1.0 if hits == of else min(1.0, middle + half))


def percent_agreement(units: Iterable[Sequence[Hashable | None]]) -> float | None:
    """The share, 0 to 1, of pairs of marks on one unit that are the same; None without any pair.

    With two markers that is the share of units; a unit with three marks brings three pairs.
    """
    same = pairs = 0
    for unit in units:
        counts = Counter(v for v in unit if v is not None)
        total = counts.total()
        pairs += total * (total - 1) // 2
        same += sum(c * (c - 1) // 2 for c in counts.values())
    return same / pairs if pairs else None


# --- Two markers


def cohen_kappa(pairs: Sequence[tuple[Hashable, Hashable]]) -> Estimate:
    """Cohen's kappa of two markers over levels without an order: every disagreement weighs the same."""
    return _kappa(pairs, lambda a, b: 0.0 if a == b else 1.0)


def weighted_kappa(
    pairs: Sequence[tuple[float, float]], weights: Literal["linear", "quadratic"] = "quadratic"
) -> Estimate:
    """Cohen's weighted kappa of two markers: a disagreement weighs its distance on the scale, or its square.

    The pairs are numbers (the place of a level from low to high); stretching or shifting the scale changes
    nothing.
    """
    power = {"linear": 1, "quadratic": 2}[weights]
    return _kappa(pairs, lambda a, b: float(abs(a - b) ** power))


def _kappa(pairs: Sequence[tuple[Any, Any]], distance: Callable[[Any, Any], float]) -> Estimate:
    """Kappa for any distance, from counts: cost is quadratic in the number of levels, linear in pairs.

    The standard error is formula 13 of Fleiss, Cohen and Everitt (1969), with agreement weights 1 -
    distance/farthest.
    """
    n = len(pairs)
    table = Counter(pairs)
    rows, columns = Counter(a for a, _ in pairs), Counter(b for _, b in pairs)
    gap = {(a, b): distance(a, b) for a in rows for b in columns}
    farthest = max((distance(a, b) for a in rows | columns for b in rows | columns), default=0.0)
    expected = math.fsum(rows[a] * columns[b] * d for (a, b), d in gap.items()) / (n * n) if n else 0.0
    if expected == 0.0 or farthest == 0.0:
        return Estimate(None, None, None, n)
    seen = math.fsum(count * gap[pair] for pair, count in table.items()) / n
    value = 1 - seen / expected
    error = _kappa_error(table, rows, columns, gap, farthest, n)
    return _with_interval(value, error, n, _worst_unseen(n) * farthest / expected)


def _kappa_error(
    table: Counter[tuple[Any, Any]],
    rows: Counter[Any],
    columns: Counter[Any],
    gap: Mapping[tuple[Any, Any], float],
    farthest: float,
    n: int,
) -> float:
    weight = {pair: 1 - d / farthest for pair, d in gap.items()}
    seen = math.fsum(count * weight[pair] for pair, count in table.items()) / n
    chance = math.fsum(rows[a] * columns[b] * w for (a, b), w in weight.items()) / (n * n)
    by_row = {a: math.fsum(columns[b] * weight[a, b] for b in columns) / n for a in rows}
    by_column = {b: math.fsum(rows[a] * weight[a, b] for a in rows) / n for b in columns}
    total = math.fsum(
        count / n * (weight[a, b] * (1 - chance) - (by_row[a] + by_column[b]) * (1 - seen)) ** 2
        for (a, b), count in table.items()
    )
    inner = total - (seen * chance - 2 * chance + seen) ** 2
    return math.sqrt(max(0.0, inner) / n) / (1 - chance) ** 2


# --- Any number of markers, with gaps


def krippendorff_alpha(
    units: Iterable[Sequence[float | None]], metric: Literal["nominal", "ordinal", "interval"] = "ordinal"
) -> Estimate:
    """Krippendorff's alpha over units, each with its markers' values; None is a mark that is missing.

    A unit with fewer than two marks says nothing about agreement and is left out. `ordinal` looks only at
    the order of the values that occur. The interval is from leaving out one unit at a time (jackknife), so
    its cost is units times levels squared.
    """
    tally = Counter(_coincidences(unit) for unit in units)
    tally.pop((), None)
    n = tally.total()
    value, farthest_ratio = _alpha(tally, metric)
    if value is None:
        return Estimate(None, None, None, n)
    left_out: list[tuple[float, int]] = []
    for unit, count in tally.items():
        fewer = tally.copy()
        fewer[unit] -= 1
        without, _ = _alpha(+fewer, metric)
        if without is None:  # the agreement hangs on this one unit: there is no honest interval
            return Estimate(value, -1.0, 1.0, n)
        left_out.append((without, count))
    mean = math.fsum(v * c for v, c in left_out) / n
    error = math.sqrt((n - 1) / n * math.fsum(c * (v - mean) ** 2 for v, c in left_out))
    return _with_interval(value, error, n, _worst_unseen(n) * farthest_ratio)


def _coincidences(unit: Sequence[float | None]) -> tuple[tuple[float, int], ...]:
    """How often each value was given to a unit, sorted; () for a unit with fewer than two marks."""
    counts = Counter(v for v in unit if v is not None)
    return tuple(sorted(counts.items())) if counts.total() >= 2 else ()


def _alpha(tally: Counter[tuple[tuple[float, int], ...]], metric: str) -> tuple[float | None, float]:
    """(alpha or None, farthest distance over expected disagreement): Krippendorff (2011), section C and its
    metrics."""
    totals: Counter[float] = Counter()
    for unit, times in tally.items():
        for value, count in unit:
            totals[value] += count * times
    values, n = sorted(totals), totals.total()
    place = _places(values, totals, metric)

    def distance(a: float, b: float) -> float:
        return float(a != b) if metric == "nominal" else (place[a] - place[b]) ** 2

    expected = math.fsum(totals[a] * totals[b] * distance(a, b) for a in values for b in values)
    if expected == 0.0:
        return None, 0.0
    expected /= n * (n - 1)
    seen = math.fsum(
        times * ca * cb * distance(a, b) / (sum(c for _, c in unit) - 1)
        for unit, times in tally.items()
        for a, ca in unit
        for b, cb in unit
    )
    farthest = max(distance(values[0], values[-1]), distance(values[0], values[1]))
    return 1 - seen / n / expected, farthest / expected


def _places(values: Sequence[float], totals: Mapping[float, int], metric: str) -> dict[float, float]:
    """Where each value stands: the ordinal distance of c and k is (n_c/2 + all between + n_k/2) squared."""
    if metric != "ordinal":
        return {v: float(v) for v in values}
    places, below = {}, 0
    for value in values:
        places[value] = below + totals[value] / 2
        below += totals[value]
    return places


# --- Intervals


def _with_interval(value: float, error: float, n: int, unseen: float) -> Estimate:
    """The 95 % interval with Student's t, kept within -1 and 1.

    Simulated with 8 to 50 criteria on four levels and neighbouring disagreements, it held the true value in
    85 to 99 % of runs, so below 30 it is rather too narrow; `says` warns.

    Full agreement has a standard error of zero, which would claim certainty. Its lower end instead supposes
    the largest share of disagreement that n agreements leave possible (`unseen`, from Wilson), at the
    farthest distance.
    """
    if value >= 1.0 - 1e-12:
        return Estimate(1.0, max(-1.0, 1 - unseen), 1.0, n, 0.0)
    from scipy.special import stdtrit  # heavy, so only when a statistic is asked for

    half = float(stdtrit(n - 1, 0.975)) * error if n > 1 else 2.0
    return Estimate(value, max(-1.0, value - half), min(1.0, value + half), n, error)


def _worst_unseen(n: int) -> float:
    return 1 - wilson_interval(n, n)[0]


# --- Marks


def agreement(marks: Sequence[Mark], scale: Blueprint | Sequence[str]) -> Agreement:
    """How far the markers agree over these marks, whatever their order.

    `scale` is the blueprint, whose criteria order their levels, or level ids from low to high that all
    criteria share. Exactly two markers: quadratic weighted kappa. More, or marks with gaps between several:
    Krippendorff's ordinal alpha. Criteria with different numbers of levels are put on one scale from lowest
    (0) to highest (1). BrokenInput for a level that is not on the scale, or a marker who marked one
    criterion of one piece twice.
    """
    units = _units(marks, scale)
    twice = {key: by for key, by in units.items() if len(by) >= 2}
    markers = sorted({marker for by in twice.values() for marker in by})
    exact = percent_agreement([list(by.values()) for by in twice.values()])
    if len(markers) == 2:
        statistic = "quadratic weighted kappa"
        first, second = markers
        estimate = weighted_kappa([(by[first], by[second]) for by in twice.values()])
    else:
        statistic = "Krippendorff's alpha (ordinal)"
        estimate = krippendorff_alpha([list(by.values()) for by in twice.values()])
    if estimate.n < FEWEST_UNITS:
        estimate = Estimate(None, None, None, estimate.n)
    says = _in_words(statistic, estimate, exact, len(markers))
    return Agreement(statistic, estimate.value, estimate.low, estimate.high, estimate.n, exact, says, len(markers))


@dataclass(frozen=True, slots=True)
class CriterionAgreement:
    """One criterion of a rubric: the pieces marked by at least two, and how often their levels are the same.

    `exact_share` is None if there is no such piece. `adjacent_share` counts neighbouring levels too.
    """

    assessment_id: str
    criterion_id: str
    title: str
    n: int
    exact_share: float | None
    adjacent_share: float | None
    says: str

    def to_json(self) -> dict[str, Any]:
        """The line as plain JSON values."""
        return {
            "assessment_id": self.assessment_id,
            "criterion_id": self.criterion_id,
            "title": self.title,
            "n": self.n,
            "exact_share": self.exact_share,
            "adjacent_share": self.adjacent_share,
            "says": self.says,
        }


def by_criterion(marks: Sequence[Mark], blueprint: Blueprint) -> tuple[CriterionAgreement, ...]:
    """Where markers differ: a line for each criterion of the blueprint, in its order."""
    units = _units(marks, blueprint)
    lines = []
    for assessment in blueprint.assessments:
        for criterion in assessment.criteria:
            mine = [list(by.values()) for (_, a, c), by in units.items() if (a, c) == (assessment.id, criterion.id)]
            twice = [unit for unit in mine if len(unit) >= 2]
            pairs = [pair for unit in twice for pair in combinations(unit, 2)]
            step = 1 / max(1, len(criterion.levels) - 1)
            exact = sum(a == b for a, b in pairs) / len(pairs) if pairs else None
            near = sum(abs(a - b) <= step + 1e-9 for a, b in pairs) / len(pairs) if pairs else None
            says = "nothing was marked by two."
            if exact is not None and near is not None:
                pieces = "1 piece" if len(twice) == 1 else f"{len(twice)} pieces"
                says = f"{pieces} marked by two or more, {exact:.0%} same level, {near:.0%} same or next level."
            line = CriterionAgreement(assessment.id, criterion.id, criterion.title, len(twice), exact, near, says)
            lines.append(line)
    return tuple(lines)


def _units(marks: Sequence[Mark], scale: Blueprint | Sequence[str]) -> dict[tuple[str, str, str], dict[str, float]]:
    """For each criterion of each piece, in a fixed order: marker -> place on the scale, 0 to 1."""
    units: defaultdict[tuple[str, str, str], dict[str, float]] = defaultdict(dict)
    places = _scales(scale)
    for mark in sorted(marks, key=lambda m: m.key):
        unit = units[mark.submission_id, mark.assessment_id, mark.criterion_id]
        if mark.marker_id in unit:
            raise BrokenInput(
                f"{mark.marker_id} marked {mark.criterion_id} twice",
                where=mark.submission_id,
                hint="keep one of the two",
            )
        unit[mark.marker_id] = _place(places, mark)
    return dict(units)


_Scales = Mapping[tuple[str, str] | None, Mapping[str, float]]


def _scales(scale: Blueprint | Sequence[str]) -> _Scales:
    """Level id -> place, for each (assessment, criterion); under None where one scale serves all."""
    if isinstance(scale, str):
        raise BrokenInput("level ids are one text", where="levels", hint="give a list, lowest first")
    if isinstance(scale, Sequence):
        if len(set(scale)) != len(scale) or len(scale) < 2:
            raise BrokenInput("fewer than two different levels", where="levels", hint="list each once, lowest first")
        return {None: _even(scale)}
    return {(a.id, c.id): _even([level.id for level in c.levels]) for a in scale.assessments for c in a.criteria}


def _even(levels: Sequence[str]) -> dict[str, float]:
    return {level: place / max(1, len(levels) - 1) for place, level in enumerate(levels)}


def _place(scales: _Scales, mark: Mark) -> float:
    scale = scales.get((mark.assessment_id, mark.criterion_id), scales.get(None))
    if scale is None:
        raise BrokenInput(
            f"there is no criterion {mark.criterion_id!r} in assessment {mark.assessment_id!r}",
            where=mark.submission_id,
            hint="use the ids of the blueprint",
        )
    if mark.level_id not in scale:
        raise BrokenInput(
            f"level {mark.level_id!r} is not on the scale of {mark.criterion_id}",
            where=mark.submission_id,
            hint=f"one of {', '.join(scale)}",
        )
    return scale[mark.level_id]


def _in_words(statistic: str, estimate: Estimate, exact: float | None, markers: int) -> str:
    if estimate.n == 0 or exact is None:
        return "Nothing was marked by two markers, so there is no agreement to speak of."
    things = "1 criterion was" if estimate.n == 1 else f"{estimate.n} criteria were"
    same = f"{exact:.0%} of the pairs of marks are the same level"
    start = f"{things} marked by at least two of {markers} markers; {same}"
    if estimate.n < FEWEST_UNITS:
        return f"{start}. With fewer than {FEWEST_UNITS} no coefficient is given: it would say nothing."
    if estimate.value is None:
        return f"{start}. All marks are one single level, so whether that is more than chance cannot be told."
    low, high = estimate.low, estimate.high
    figure = f"{start}; {statistic} is {estimate.value:.2f} (95 % interval {low:.2f} to {high:.2f})."
    if estimate.n < FEW_UNITS:
        return f"{figure} {estimate.n} is few: the figure is rough, and the interval may be too narrow."
    return figure
