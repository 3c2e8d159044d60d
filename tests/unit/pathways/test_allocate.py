"""The integer programme finds what trying every placement finds, and says when it stopped searching."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guildmark.pathways import allocate as room
from guildmark.pathways.allocate import Cap, Need, Programme, allocate


def try_all(programme: Programme) -> tuple[dict[int, int], tuple[int, ...]]:
    """The best placement by trying them all: an implementation that shares nothing with the one under test."""
    where = {i: [g for item, g in programme.pairs if item == i] for i in range(programme.items)}
    position = {pair: j for j, pair in enumerate(programme.pairs)}
    largest = max((need.amount for need in programme.needs), default=1)
    best = None
    for choice in product(*([None, *sorted(where[i])] for i in range(programme.items))):
        chosen = {position[i, g] for i, g in enumerate(choice) if g is not None}
        if any(sum(cap.weights.get(j, 0) for j in chosen) > cap.amount for cap in programme.caps):
            continue
        if any(sum(choice[i] is not None for i in some) > 1 for some in programme.exclusive):
            continue
        missing = tuple(max(0, n.amount - sum(n.weights.get(j, 0) for j in chosen)) for n in programme.needs)
        price = sum(m * max(1, round(100 * largest / n.amount)) for m, n in zip(missing, programme.needs, strict=True))
        costs = programme.costs or ((1,) * programme.items,)
        rank = (
            price,
            *(sum(row[i] for i, g in enumerate(choice) if g is not None) for row in costs),
            [g is None for g in choice],
            [g for g in choice if g is not None],
        )
        if best is None or rank < best[0]:
            best = (rank, {i: g for i, g in enumerate(choice) if g is not None}, missing)
    assert best is not None
    return best[1], best[2]


@st.composite
def programmes(draw) -> Programme:
    items, groups = draw(st.integers(0, 5)), draw(st.integers(1, 3))
    every = [(i, g) for i in range(items) for g in range(groups)]
    pairs = tuple(sorted(draw(st.sets(st.sampled_from(every))) if every else ()))
    sizes = draw(st.lists(st.integers(1, 40), min_size=items, max_size=items))

    def weights(meant, counted):
        return {j: 1 if counted else sizes[i] for j, (i, g) in enumerate(pairs) if meant(i, g)}

    needs = [
        Need(draw(st.integers(1, 3 if counted else 70)), weights(lambda i, h, g=g: h == g, counted))
        for g, counted in enumerate(draw(st.lists(st.booleans(), min_size=groups, max_size=groups)))
    ]
    some = st.sets(st.integers(0, items - 1)) if items else st.just(set())
    if draw(st.booleans()):
        meant = draw(some)
        needs.append(Need(draw(st.integers(1, 90)), weights(lambda i, g: i in meant, False)))
    caps = []
    if draw(st.booleans()):
        meant = draw(some)
        caps.append(Cap(draw(st.integers(0, 60)), weights(lambda i, g: i in meant, False)))
    exclusive = tuple(frozenset(s) for s in draw(st.lists(some, max_size=2)))
    costs = ()
    if draw(st.booleans()):
        costs = (tuple(draw(st.lists(st.integers(0, 9), min_size=items, max_size=items))), (1,) * items)
    return Programme(items, pairs, tuple(needs), tuple(caps), exclusive, costs)


@settings(deadline=None, max_examples=100)
@given(programmes())
def test_it_finds_what_trying_every_placement_finds_down_to_the_last_tie(programme):
    found = allocate(programme)
    placement, missing = try_all(programme)
    assert (found.placement, found.missing) == (placement, missing)
    assert found.proven
    assert found.settled


def two_halves(sizes) -> Programme:
    """Partition: two groups of half the total each, any item in either."""
    pairs = tuple((i, g) for i in range(len(sizes)) for g in (0, 1))
    half = sum(sizes) // 2
    needs = tuple(Need(half, {j: sizes[i] for j, (i, g) in enumerate(pairs) if g == h}) for h in (0, 1))
    return Programme(len(sizes), pairs, needs)


def test_filling_one_group_after_the_other_would_be_wrong():
    # Group 0 takes any two of A to D, group 1 one of A and B; greedy filling gives A and B to group 0.
    pairs = (*((i, 0) for i in range(4)), (0, 1), (1, 1))
    programme = Programme(4, pairs, (Need(2, dict.fromkeys(range(4), 1)), Need(1, {4: 1, 5: 1})))
    assert allocate(programme).missing == (0, 0)


def test_a_partition_is_found_where_there_is_one_and_only_there():
    assert allocate(two_halves([31, 10, 11, 9, 20, 25, 18, 16])).missing == (0, 0)
    assert allocate(two_halves([3, 3, 3, 5])).missing != (0, 0)


def test_sizes_far_apart_are_not_blurred_by_floating_point():
    # One unit in ten million is below what HiGHS takes for whole; the answer is checked in whole numbers.
    ten_million = 10_000_000
    short = Programme(2, ((0, 0), (1, 0)), (Need(ten_million, {0: ten_million - 2, 1: 1}),))
    assert allocate(short).missing == (1,)
    enough = Programme(2, ((0, 0), (1, 0)), (Need(ten_million, {0: ten_million - 2, 1: 2}),))
    assert allocate(enough).missing == (0,)


def test_with_nothing_to_place_everything_is_missing():
    found = allocate(Programme(0, (), (Need(7, {}),)))
    assert (found.placement, found.missing, found.proven) == ({}, (7,), True)


def test_a_search_that_was_stopped_says_so_and_keeps_the_caps(monkeypatch):
    monkeypatch.setattr(room, "NODES", 0)
    monkeypatch.setattr(room, "SECONDS", 0.0)
    programme = two_halves([31, 10, 11, 9, 20, 25, 18, 16])
    found = allocate(programme)
    assert not found.proven
    assert not found.settled
    assert len(found.placement) <= programme.items


class LyingSolver:
    """Promises the best of everything with every item in its first group, which breaks the caps."""

    def __init__(self, monkeypatch):
        self.calls = 0
        monkeypatch.setattr(room._Search, "_solve", self)

    def __call__(self, objective, cuts):
        self.calls += 1
        return frozenset({0, 2}), 0.0, True


def test_a_solver_that_promises_too_much_is_not_believed(monkeypatch):
    pairs = ((0, 0), (0, 1), (1, 0), (1, 1))
    programme = Programme(2, pairs, (Need(5, {0: 5, 2: 5}),), (Cap(5, {0: 5, 2: 5}),))
    solver = LyingSolver(monkeypatch)
    found = allocate(programme)
    assert (found.placement, found.proven) == ({}, False)
    assert solver.calls == room.CUTS


@pytest.mark.slow
def test_a_hostile_instance_ends():
    sizes = [7919 + 13 * i * i for i in range(200)]
    pairs = tuple((i, g) for i in range(200) for g in range(20) if (i + g) % 5 == 0)
    needs = tuple(Need(sum(sizes) // 21, {j: sizes[i] for j, (i, g) in enumerate(pairs) if g == h}) for h in range(20))
    found = allocate(Programme(200, pairs, needs))
    assert len(found.placement) <= 200
