"""Items are placed into groups, each at most once, so that needs are met: an exact integer programme.

Credit that counts once and comes in unequal sizes makes this NP-hard (two groups of half the total each is the
partition problem), and filling one group after the other is wrong even where all sizes are equal: with A, B, C, D at
hand, "two of A to D" takes A and B, and "one of A and B" is then left empty. So it is solved whole, by HiGHS.

HiGHS calculates in floating point and takes a number for whole within one millionth. Nothing is believed for that
reason: each answer is rounded to a placement and evaluated again in whole numbers, and one that does not keep its
promise is cut off and the programme solved again.

What is best, in this order:

1. the least that is missing: over all needs, the missing share of each (in hundredths of the largest need's unit);
2. each row of `costs` in turn, by default the fewest items;
3. the items that come first, which is how the caller says which ones it would rather use;
4. the groups that come first, item by item.

So there is one best placement, and no order of the input decides.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from math import gcd

NODES = 5_000
"""Nodes of the search tree for one solution; the instances of real rules need a handful."""

SECONDS = 3.0
"""A last resort beside `NODES`, for one solution: it can only turn an answer into one that is not proven."""

CUTS = 50
"""How often a placement that does not keep its promise is cut off before the answer counts as not proven."""

_CHUNK = 16
"""Items whose order is decided in one solution: 2**16 is far from where floating point loses a unit."""


@dataclass(frozen=True, slots=True)
class Need:
    """At least `amount` is wanted of what the pairs weigh; `amount` is 1 or more."""

    amount: int
    weights: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class Cap:
    """At most `amount` is allowed of what the pairs weigh."""

    amount: int
    weights: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class Programme:
    """`pairs` are the allowed (item, group); needs and caps weigh pairs by their position in it.

    Of each set in `exclusive` at most one item is placed. `costs` are rows of one number for each item.
    """

    items: int
    pairs: tuple[tuple[int, int], ...]
    needs: tuple[Need, ...]
    caps: tuple[Cap, ...] = ()
    exclusive: tuple[Collection[int], ...] = ()
    costs: tuple[tuple[int, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Allocation:
    """The group of each placed item, and what is missing of each need.

    `proven`: nothing better than this can be missing. `settled`: the placement is the first by all that is preferred.
    Where one is False the search was stopped at its bound; what is placed keeps every cap all the same.
    """

    placement: Mapping[int, int]
    missing: tuple[int, ...]
    proven: bool
    settled: bool


def allocate(programme: Programme) -> Allocation:
    """The best placement, as the module says what is best; the work is bounded."""
    search = _Search(programme)
    costs = programme.costs or ((1,) * programme.items,)
    proven = search.least(search.shortfall())
    settled = (
        proven
        and all(search.least(search.by_item_weight(dict(enumerate(row)))) for row in costs)
        and search.first_items()
        and search.first_groups()
    )
    chosen = search.best
    return Allocation(
        placement={item: group for j, (item, group) in enumerate(programme.pairs) if j in chosen},
        missing=search.missing(chosen),
        proven=proven,
        settled=settled,
    )


_Row = tuple[dict[int, int], float, float]
"""Coefficients by column, the least and the most that they may add up to."""


class _Search:
    """The programme as rows, and the best placement so far: the positions of the chosen pairs.

    Columns are the pairs, then what is missing of each need. An objective has one weight for each column; what is
    missing is counted in `steps`, the largest whole numbers that a need's amount and weights all are multiples of.
    """

    def __init__(self, programme: Programme) -> None:
        self.programme = programme
        self.width = len(programme.pairs)
        self.best: frozenset[int] = frozenset()
        self.goals: list[tuple[list[int], int]] = []
        self.forbidden: set[int] = set()
        self.places: dict[int, list[int]] = {}
        for j, (item, _) in enumerate(programme.pairs):
            self.places.setdefault(item, []).append(j)
        self.steps = [reduce(gcd, need.weights.values(), need.amount) for need in programme.needs]
        self.rows: list[_Row] = [(dict.fromkeys(some, 1), -_INF, 1.0) for some in self._exclusive() if len(some) > 1]
        for cap in programme.caps:
            step = reduce(gcd, cap.weights.values(), 0) or 1
            self.rows.append(({j: w // step for j, w in cap.weights.items()}, -_INF, cap.amount // step))
        for n, (need, step) in enumerate(zip(programme.needs, self.steps, strict=True)):
            row = {j: w // step for j, w in need.weights.items()} | {self.width + n: 1}
            self.rows.append((row, need.amount // step, _INF))

    def _exclusive(self) -> list[list[int]]:
        """The sets of pairs of which at most one may be chosen."""
        sets = [[j for item in some for j in self.places.get(item, ())] for some in self.programme.exclusive]
        return [*self.places.values(), *sets]

    # -- evaluation in whole numbers --------------------------------------------------------------------------

    def missing(self, chosen: Collection[int]) -> tuple[int, ...]:
        """What is missing of each need."""
        return tuple(
            max(0, need.amount - sum(w for j, w in need.weights.items() if j in chosen))
            for need in self.programme.needs
        )

    def value(self, objective: Sequence[int], chosen: Collection[int]) -> int:
        """What the placement costs under this objective."""
        steps = zip(objective[self.width :], self.missing(chosen), self.steps, strict=True)
        return sum(objective[j] for j in chosen) + sum(weight * (m // step) for weight, m, step in steps)

    def allowed(self, chosen: frozenset[int]) -> bool:
        """Whether the placement breaks nothing and is as good as what was settled before."""
        return (
            not chosen & self.forbidden
            and all(sum(j in chosen for j in some) <= 1 for some in self._exclusive())
            and all(sum(w for j, w in cap.weights.items() if j in chosen) <= cap.amount for cap in self.programme.caps)
            and all(self.value(objective, chosen) <= limit for objective, limit in self.goals)
        )

    # -- objectives -------------------------------------------------------------------------------------------

    def shortfall(self) -> list[int]:
        """A hundredth of the largest need costs as much as a hundredth of any other."""
        needs = self.programme.needs
        largest = max((need.amount for need in needs), default=1)
        prices = [max(1, round(100 * largest / need.amount)) for need in needs]
        return [0] * self.width + [p * step for p, step in zip(prices, self.steps, strict=True)]

    def by_item_weight(self, weights: Mapping[int, int]) -> list[int]:
        """Each placed item costs its weight, wherever it is placed."""
        return [weights.get(item, 0) for item, _ in self.programme.pairs] + [0] * len(self.steps)

    # -- the search -------------------------------------------------------------------------------------------

    def least(self, objective: list[int]) -> bool:
        """`best` has the least of this objective, which is kept to from now on; False if that is not proven.

        Of the first objective even an unproven improvement is kept; of those that only break ties none is, since what
        was found by the bound may differ from run to run.
        """
        best, bound, proven = self.best, self.value(objective, self.best), self.width == 0
        cuts: list[frozenset[int]] = []
        while not proven and len(cuts) < CUTS:
            chosen, promised, finished = self._solve(objective, cuts)
            if chosen is not None and self.allowed(chosen) and self.value(objective, chosen) < bound:
                best, bound = chosen, self.value(objective, chosen)
            if not finished:
                break
            proven = bound <= promised + 0.5
            if chosen is not None:
                cuts.append(chosen)
        if proven or not self.goals:
            self.best = best
            self.goals.append((objective, bound))
        return proven

    def first_items(self) -> bool:
        """The items that come first are preferred, in chunks: in one, each item outweighs all that follow it."""
        items, used = sorted(self.places), self._used()
        for start in range(0, len(items), _CHUNK):
            chunk, left = items[start : start + _CHUNK], len(used & set(items[start:]))
            if not set(chunk[:left]) <= used:  # otherwise no other choice could come before this one
                weights = {item: -(1 << (_CHUNK - 1 - place)) for place, item in enumerate(chunk)}
                if not self.least(self.by_item_weight(weights)):
                    return False
                used = self._used()
            for item in chunk:
                if item in used:
                    self.rows.append((dict.fromkeys(self.places[item], 1), 1.0, 1.0))
                else:
                    self.forbidden.update(self.places[item])
        return True

    def first_groups(self) -> bool:
        """The groups that come first are preferred by the items that are used; which those are is settled."""
        waiting = [item for item in sorted(self._used()) if len(self.places[item]) > 1]
        while waiting:
            size, chunk = 1, list[int]()
            while waiting and (not chunk or size * len(self.places[waiting[0]]) <= 1 << _CHUNK):
                chunk.append(waiting.pop(0))
                size *= len(self.places[chunk[-1]])
            objective = [0] * (self.width + len(self.steps))
            for item in chunk:
                size //= len(self.places[item])
                for rank, j in enumerate(sorted(self.places[item], key=lambda j: self.programme.pairs[j][1])):
                    objective[j] = rank * size
            if not self.least(objective):
                return False
            self.forbidden.update(j for item in chunk for j in self.places[item] if j not in self.best)
        return True

    def _used(self) -> set[int]:
        return {self.programme.pairs[j][0] for j in self.best}

    def _solve(
        self, objective: Sequence[int], cuts: Sequence[frozenset[int]]
    ) -> tuple[frozenset[int] | None, float, bool]:
        """The placement that HiGHS finds, what it promises of it, and whether it finished.

        Without a placement the promise is infinite: nothing is left that was not looked at.
        """
        from scipy.optimize import Bounds, LinearConstraint, milp
        from scipy.sparse import csr_array

        columns = self.width + len(self.steps)
        rows = list(self.rows)
        for goal, limit in self.goals:  # half a unit to spare: `allowed` is exact
            rows.append(({j: w for j, w in enumerate(goal) if w}, -_INF, limit + 0.5))
        for cut in cuts:
            rows.append(({j: -1 if j in cut else 1 for j in range(self.width)}, 1.0 - len(cut), _INF))
        cells = [(r, j, float(w)) for r, (row, _, _) in enumerate(rows) for j, w in row.items()]
        matrix = csr_array(
            ([w for _, _, w in cells], ([r for r, _, _ in cells], [j for _, j, _ in cells])),
            shape=(len(rows), columns),
        )
        upper = [float(j not in self.forbidden) for j in range(self.width)]
        upper += [need.amount / step for need, step in zip(self.programme.needs, self.steps, strict=True)]
        found = milp(
            [float(w) for w in objective],
            integrality=[1] * self.width + [0] * len(self.steps),
            bounds=Bounds([0.0] * columns, upper),
            constraints=LinearConstraint(matrix, [low for _, low, _ in rows], [high for _, _, high in rows])
            if rows
            else None,
            options={"mip_rel_gap": 0.0, "node_limit": NODES, "time_limit": SECONDS},
        )
        if found.x is None:
            return None, _INF, found.status == _NONE_LEFT
        chosen = frozenset(j for j in range(self.width) if found.x[j] > 0.5)
        return chosen, float(found.fun), found.status == _OPTIMAL


_INF = float("inf")
_OPTIMAL, _NONE_LEFT = 0, 2
"""Statuses of scipy.optimize.milp."""
