"""Stack rules solved exactly, and people ranked: ours against trying everything, and against a bare loop.

Stacking: random instances of ten credentials and three groups with credit sums, half of them built to be satisfiable.
The peer is plain Python that tries every placement; both run on the same instances in the same process, and have to
find the same least shortfall. A third reader fills one group after the other, as many degree audits do; what it misses
is shown and promises nothing.

Ranking: people with six credentials of five skills each, for an ad that asks for fifteen skills. The peer is the
definition written as nested loops, which gives a score and no reason; ours also names the credential behind each point
and what is missing. Both have to give the same scores.

    python3 dev.py bench stacking [--quick]
"""

from __future__ import annotations

import random
import sys
from collections.abc import Sequence
from datetime import date, timedelta
from importlib.resources import files
from itertools import product

from bench._run import Figure, finish, rates
from guildmark.assess.holding import HeldSkill, Holding
from guildmark.pathways.allocate import Need, Programme, allocate
from guildmark.pathways.match import JobNeed, NeededSkill, Person, rank_people
from guildmark.pathways.stack import read_stack_rule, solve_stack

ITEMS, GROUPS = 10, 3
ON = date(2026, 11, 24)


def main() -> None:
    quick = "--quick" in sys.argv
    finish([*_stacking(quick), *_ranking(quick)])


# -- stacking ----------------------------------------------------------------------------------------------------


def _stacking(quick: bool) -> list[Figure]:
    chance = random.Random(20261124)
    instances = [_instance(chance, satisfiable=n % 2 == 0) for n in range(6 if quick else 20)]
    ours = [_price(programme, allocate(programme).missing) for programme in instances]
    brute = [_try_all(programme) for programme in instances]
    filled = [_fill(programme) for programme in instances]
    solvable = [f for f, b in zip(filled, brute, strict=True) if b == 0]
    speed = rates(
        {
            "ours": lambda: [allocate(programme) for programme in instances[:2]],
            "brute": lambda: [_try_all(programme) for programme in instances[:2]],
        },
        rounds=3 if quick else 7,
        slice_seconds=0.5 if quick else 2,
    )
    rule = read_stack_rule((files("guildmark.pathways") / "data" / "operations-data-analyst.toml").read_bytes())
    example = next(e for e in rule.examples if e.earns)
    demo = rates(
        {"demo": lambda: solve_stack(rule, example.holdings, on=example.on)},
        rounds=3,
        slice_seconds=0.3 if quick else 1,
    )
    where = f"{ITEMS} credentials, {GROUPS} groups"
    agree = sum(o == b for o, b in zip(ours, brute, strict=True)) / len(instances)
    return [
        Figure(f"same least shortfall as trying every placement, {where}", agree, "share", 1.0),
        Figure(f"exact solving against trying every placement, {where}", speed["ours"] / speed["brute"], "x", 5.0),
        Figure(
            "earned stacks that filling group by group misses", sum(f > 0 for f in solvable) / len(solvable), "share"
        ),
        Figure("the demo's certificate solved and explained, per CPU second", demo["demo"], "1/s"),
    ]


def _instance(chance: random.Random, *, satisfiable: bool) -> Programme:
    """Credentials of 1 to 9 credits in hundredths, fit for some groups each; built back from a solution if asked."""
    sizes = [chance.randint(100, 900) for _ in range(ITEMS)]
    home = [chance.randrange(GROUPS) for _ in range(ITEMS)]
    pairs = tuple((i, g) for i in range(ITEMS) for g in range(GROUPS) if g == home[i] or chance.random() < 0.6)
    needs = []
    for g in range(GROUPS):
        full = sum(size for size, place in zip(sizes, home, strict=True) if place == g) or 100
        amount = full if satisfiable else round(full * chance.uniform(0.8, 1.3))
        needs.append(Need(amount, {j: sizes[i] for j, (i, place) in enumerate(pairs) if place == g}))
    if satisfiable:  # a group that is nobody's home would need what nobody brings
        needs = [need for g, need in enumerate(needs) if g in home]
    return Programme(ITEMS, pairs, tuple(needs))


def _try_all(programme: Programme) -> int:
    """The price of what the best placement leaves missing, found by trying them all."""
    places = [[None, *(j for j, (item, _) in enumerate(programme.pairs) if item == i)] for i in range(programme.items)]
    prices = _prices(programme)
    needs = [(need.amount, need.weights) for need in programme.needs]
    best = None
    for choice in product(*places):
        price = 0
        for (amount, weights), each in zip(needs, prices, strict=True):
            price += each * max(0, amount - sum(weights.get(j, 0) for j in choice if j is not None))
        if best is None or price < best:
            best = price
            if best == 0:
                break
    return best or 0


def _prices(programme: Programme) -> list[int]:
    """What a hundredth of each need costs, so that equal shares of two needs cost the same."""
    largest = max(need.amount for need in programme.needs)
    return [max(1, round(100 * largest / need.amount)) for need in programme.needs]


def _price(programme: Programme, missing: Sequence[int]) -> int:
    return sum(each * m for each, m in zip(_prices(programme), missing, strict=True))


def _fill(programme: Programme) -> int:
    """The shortfall if each group in turn takes the largest credentials that are left until it is full."""
    used: set[int] = set()
    short = 0
    for need in programme.needs:
        have = 0
        for j in sorted(need.weights, key=lambda j: -need.weights[j]):
            item = programme.pairs[j][0]
            if have < need.amount and item not in used:
                used.add(item)
                have += need.weights[j]
        short += max(0, need.amount - have)
    return short


# -- ranking -----------------------------------------------------------------------------------------------------


def _ranking(quick: bool) -> list[Figure]:
    chance = random.Random(20261124)
    skills = [f"urn:skill:{n}" for n in range(1000)]
    people = [_person(chance, f"p{n:05}", skills) for n in range(1000 if quick else 10_000)]
    asked = chance.sample(skills[:200], 15)
    need = JobNeed("job", "Analyst", tuple(NeededSkill(u, u, chance.choice([0.45, 0.9, 1.0])) for u in asked))
    ours = {m.person_id: m.score for m in rank_people(need, people, on=ON)}
    loop = _loop(need, people)
    same = sum(abs(ours.get(p.id, 0.0) - loop[p.id]) < 1e-6 for p in people) / len(people)
    speed = rates(
        {"ours": lambda: rank_people(need, people, on=ON), "loop": lambda: _loop(need, people)},
        rounds=3 if quick else 7,
        slice_seconds=0.5 if quick else 2,
    )
    return [
        Figure("same scores as the definition as nested loops", same, "share", 1.0),
        Figure("ranking with reasons against nested loops without", speed["ours"] / speed["loop"], "x", 1.0),
        Figure("people ranked with reasons, per CPU second", speed["ours"] * len(people), "1/s"),
    ]


def _person(chance: random.Random, id_: str, skills: list[str]) -> Person:
    return Person(id_, True, tuple(_holding(chance, id_, n, skills) for n in range(6)))


def _holding(chance: random.Random, id_: str, number: int, skills: list[str]) -> Holding:
    """Five skills, drawn so that some are common and most are rare; one credential in ten is revoked."""
    drawn = {skills[min(999, int(chance.expovariate(1 / 150)))] for _ in range(5)}
    return Holding(
        credential_id=f"{id_}:{number}",
        achievement_id=f"a{number}",
        title=f"Course {number}",
        issuer_id="did:web:provider.example",
        learner_id=id_,
        skills=tuple(HeldSkill(uri, uri) for uri in sorted(drawn)),
        credit_value=4,
        credit_unit="ECTS",
        level="EQF:5",
        assessed_on=ON - timedelta(days=chance.randint(0, 2000)),
        valid_until=None,
        status="revoked" if chance.random() < 0.1 else "valid",
    )


def _loop(need: JobNeed, people: list[Person]) -> dict[str, float]:
    total = sum(skill.weight for skill in need.skills)
    scores = {}
    for person in people:
        shown = 0.0
        for wanted in need.skills:
            if any(h.stands(ON) and any(s.uri == wanted.uri for s in h.skills) for h in person.holdings):
                shown += wanted.weight
        scores[person.id] = shown / total
    ranked = sorted(scores, key=lambda id_: (-scores[id_], id_))
    return {id_: scores[id_] for id_ in ranked}


if __name__ == "__main__":
    main()
