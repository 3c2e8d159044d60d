"""Whether credentials add up to a larger one: solved exactly, with what counts where, what is missing, and the way on.

Credit is never divided and never counts twice: a credential fills one group, and however often an achievement is held,
it counts once. Only what stands on the day counts. A credential that could not be verified is tried apart: if it would
close the last gap the answer is unknown, otherwise no.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from math import floor
from typing import Any

from guildmark.assess.holding import Holding
from guildmark.core.errors import BrokenInput
from guildmark.core.report import Finding, Report, Verdict
from guildmark.pathways import allocate as programme
from guildmark.pathways.stack_rule import Achievement, Amount, Group, Pool, StackRule, Total, read_stack_rule

__all__ = ["Gap", "LeftOut", "StackResult", "StackRule", "Step", "check_examples", "read_stack_rule", "solve_stack"]

MOST_HOLDINGS = 200
"""Credentials of one person that one solution looks at."""


@dataclass(frozen=True, slots=True)
class Gap:
    """What a group or a total still lacks: `missing` credits in the rule's unit, or achievements where `unit` is ""."""

    id: str
    title: str
    missing: Fraction
    unit: str

    def to_json(self) -> dict[str, Any]:
        """The gap as plain JSON values; `missing` is rounded to a millionth."""
        return {"id": self.id, "title": self.title, "missing": round(float(self.missing), 6), "unit": self.unit}


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A credential that does not count, and why; `undecided` if that may change without anything else being earned."""

    credential_id: str
    title: str
    why: str
    undecided: bool = False

    def to_json(self) -> dict[str, Any]:
        """The credential as plain JSON values."""
        return {
            "credential_id": self.credential_id,
            "title": self.title,
            "why": self.why,
            "undecided": self.undecided,
            "says": self.says,
        }

    @property
    def says(self) -> str:
        return f"“{self.title}” {self.why}."


@dataclass(frozen=True, slots=True)
class Step:
    """An achievement to take on the shortest way."""

    achievement_id: str
    title: str
    issuer_id: str
    hours: float

    def to_json(self) -> dict[str, Any]:
        """The step as plain JSON values."""
        return {
            "achievement_id": self.achievement_id,
            "title": self.title,
            "issuer_id": self.issuer_id,
            "hours": self.hours,
        }


@dataclass(frozen=True, slots=True)
class StackResult:
    """The answer: `earned` exactly if the report passes. `placement` names the group of each credential that counts.

    `gaps` are what is missing; `way` is the shortest way to close them all, in hours, among what the rule says can be
    taken: () if nothing is missing or no such way is known.
    """

    rule_id: str
    rule_version: str
    on: date
    earned: bool
    placement: Mapping[str, str]
    report: Report
    left_out: tuple[LeftOut, ...] = ()
    gaps: tuple[Gap, ...] = ()
    way: tuple[Step, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The result as plain JSON values."""
        return {
            "rule_id": self.rule_id,
            "rule_version": self.rule_version,
            "on": self.on.isoformat(),
            "earned": self.earned,
            "placement": dict(self.placement),
            "gaps": [gap.to_json() for gap in self.gaps],
            "way": [step.to_json() for step in self.way],
            "left_out": [left.to_json() for left in self.left_out],
            "report": self.report.to_json(),
        }


def solve_stack(rule: StackRule, holdings: Iterable[Holding], *, on: date) -> StackResult:
    """What these credentials of one person amount to under the rule on this day.

    The placement is the best there is, by `guildmark.pathways.allocate`: nothing less can be missing, no fewer
    credentials would do, and of several such placements it is the one that uses the longest-held credentials. The
    order of `holdings` changes nothing. BrokenInput for credentials of several people, for one id with two contents,
    and for more than `MOST_HOLDINGS`.
    """
    held = _checked(holdings)
    subject = f"{rule.title} ({rule.version})"
    if on < rule.effective_from or (rule.effective_to is not None and on > rule.effective_to):
        says = f"This rule is in force from {rule.effective_from} to {rule.effective_to or 'now'}, not on {on}."
        report = Report(subject, (Finding(f"{rule.id}.in_force", Verdict.UNKNOWN, says, source=rule.source),))
        return StackResult(rule.id, rule.version, on, False, {}, report)
    solved = _Solved(rule, [h for h in held if h.stands(on)], on)
    earned = not any(solved.missing)
    # What could not be verified is looked at as if it had been, and never counted.
    hoped = [replace(h, status="valid") for h in held if h.status == "unverified"]
    perhaps = None
    if not earned and any(h.stands(on) for h in hoped):
        perhaps = _Solved(rule, [*solved.items, *(h for h in hoped if h.stands(on))], on)
    left_out = _left_out(rule, held, solved, on=on)
    findings = [*_requirements(rule, held, solved, perhaps, on=on), *_caps(rule, solved)]
    findings += [_left_out_finding(left) for left in left_out]
    gaps = tuple(
        Gap(part.id, part.title, _amount(rule, part.need, m), _unit(rule, part.need))
        for part, m in zip(_parts(rule), solved.missing, strict=True)
        if m
    )
    return StackResult(
        rule_id=rule.id,
        rule_version=rule.version,
        on=on,
        earned=earned,
        placement={h.credential_id: group.id for h, group in solved.counted},
        report=Report(subject, tuple(findings)),
        left_out=left_out,
        gaps=gaps,
        way=() if earned else _shortest_way(rule, solved, on),
    )


def check_examples(rule: StackRule) -> Report:
    """Whether the rule answers each of its examples as its owner says it does."""
    findings = []
    for number, example in enumerate(rule.examples, 1):
        verdict = solve_stack(rule, example.holdings, on=example.on).report.verdict
        fine = (verdict is Verdict.PASS) is example.earns
        says = f"{example.title}: {'earned' if verdict is Verdict.PASS else 'not earned'}"
        says += "." if fine else f", and the rule says that it should {'' if example.earns else 'not '}be."
        findings.append(Finding(f"example.{number}", Verdict.PASS if fine else Verdict.FAIL, says))
    return Report(f"Examples of {rule.title} ({rule.version})", tuple(findings))


def _checked(holdings: Iterable[Holding]) -> list[Holding]:
    """Each credential once, the longest held first."""
    found: dict[str, Holding] = {}
    for holding in holdings:
        known = found.setdefault(holding.credential_id, holding)
        if known != holding:
            raise BrokenInput("is there twice with two contents", where=holding.credential_id, hint="verify it again")
        if len(found) > MOST_HOLDINGS:
            raise BrokenInput(f"more than {MOST_HOLDINGS} credentials", hint="hand in those that the rule is about")
    if len({holding.learner_id for holding in found.values()}) > 1:
        raise BrokenInput("the credentials are of several people", hint="solve for one of them at a time")
    return sorted(found.values(), key=lambda h: (h.assessed_on, h.credential_id))


# -- the programme ---------------------------------------------------------------------------------------------


class _Solved:
    """The credentials that stand, placed by the rule; numbers inside are whole units of one over `rule.fraction`."""

    def __init__(
        self, rule: StackRule, items: Sequence[Holding], on: date, hours: Mapping[str, float] | None = None
    ) -> None:
        self.rule = rule
        self.items = sorted(items, key=lambda h: (h.assessed_on, h.credential_id))
        self.units = [_units(rule, rule.credits(h) or Fraction(0)) for h in self.items]
        pairs = [
            (i, g)
            for i, holding in enumerate(self.items)
            for g, group in enumerate(rule.groups)
            if group.refuses(holding, on) is None and (group.need.kind == "count" or self.units[i])
        ]
        self.pairs = pairs
        costs = [(1,) * len(self.items)]
        if hours is not None:
            costs.insert(0, tuple(round(hours.get(h.credential_id, 0)) for h in self.items))
        self.allocation = programme.allocate(
            programme.Programme(
                items=len(self.items),
                pairs=tuple(pairs),
                needs=tuple(
                    programme.Need(_units_of(rule, part.need), self._weights(part, part.need)) for part in _parts(rule)
                ),
                caps=tuple(
                    programme.Cap(_units_of(rule, cap.at_most), self._weights(cap, cap.at_most)) for cap in rule.caps
                ),
                exclusive=tuple(self._exclusive()),
                costs=tuple(costs),
            )
        )
        self.missing = self.allocation.missing
        self.counted = [(self.items[i], rule.groups[g]) for i, g in sorted(self.allocation.placement.items())]

    def _weights(self, part: Any, amount: Amount) -> dict[int, int]:
        """What each pair brings to a group, a total or a cap; a pair that brings nothing is left out."""
        weights = {}
        for j, (i, g) in enumerate(self.pairs):
            here = self.rule.groups[g] is part if isinstance(part, Group) else part.pool.has(self.items[i])
            weight = 1 if amount.kind == "count" else self.units[i]
            if here and weight:
                weights[j] = weight
        return weights

    def _exclusive(self) -> Iterable[frozenset[int]]:
        """Sets of which at most one counts: the same achievement, and achievements that the rule says overlap."""
        same: dict[tuple[str, str], set[int]] = {}
        for i, holding in enumerate(self.items):
            same.setdefault((holding.issuer_id, holding.achievement_id), set()).add(i)
        yield from (frozenset(some) for some in same.values() if len(some) > 1)
        for overlap in self.rule.overlaps:
            pool = Pool(achievements=overlap.achievements)
            yield frozenset(i for i, holding in enumerate(self.items) if pool.has(holding))

    def within(self, pool: Pool) -> list[Holding]:
        """What is counted and meant by the pool."""
        return [h for h, _ in self.counted if pool.has(h)]


def _parts(rule: StackRule) -> tuple[Group | Total, ...]:
    """What has to be met, in the order in which it is solved and told."""
    return (*rule.groups, *rule.totals)


def _units(rule: StackRule, credits: Fraction) -> int:
    return floor(credits * rule.fraction)


def _units_of(rule: StackRule, amount: Amount) -> int:
    return floor(amount.value) if amount.kind == "count" else _units(rule, amount.value)


def _amount(rule: StackRule, amount: Amount, units: int) -> Fraction:
    return Fraction(units) if amount.kind == "count" else Fraction(units, rule.fraction)


def _worth(rule: StackRule, amount: Amount, holdings: Sequence[Holding]) -> int:
    if amount.kind == "count":
        return len(holdings)
    return sum(_units(rule, rule.credits(h) or Fraction(0)) for h in holdings)


def _unit(rule: StackRule, amount: Amount) -> str:
    return "" if amount.kind == "count" else rule.unit


def _shortest_way(rule: StackRule, solved: _Solved, on: date) -> tuple[Step, ...]:
    """The achievements on offer that close every gap in the fewest hours; () if none does."""
    have = {(h.issuer_id, h.achievement_id) for h, _ in solved.counted}
    taken = [a for a in rule.achievements.values() if a.offer and (a.issuer, a.id) not in have]
    offered = {f"offer:{a.name}": a for a in taken}
    items = [*solved.items, *(_as_if_held(key, a, on) for key, a in offered.items())]
    if not offered:
        return ()
    hours = {key: a.offer.hours for key, a in offered.items() if a.offer}
    way = _Solved(rule, items, on, hours)
    if any(way.missing):
        return ()
    chosen = [(offered[h.credential_id], hours[h.credential_id]) for h, _ in way.counted if h.credential_id in offered]
    return tuple(Step(a.id, a.title, a.issuer, h) for a, h in chosen)


def _as_if_held(key: str, achievement: Achievement, on: date) -> Holding:
    assert achievement.offer is not None
    return Holding(
        credential_id=key,
        achievement_id=achievement.id,
        title=achievement.title,
        issuer_id=achievement.issuer,
        learner_id="",
        skills=(),
        credit_value=achievement.offer.credits,
        credit_unit=achievement.offer.unit,
        level=achievement.offer.level,
        assessed_on=on,
        valid_until=None,
        status="valid",
    )


# -- what is said ----------------------------------------------------------------------------------------------


def _requirements(
    rule: StackRule, held: Sequence[Holding], solved: _Solved, perhaps: _Solved | None, *, on: date
) -> Iterable[Finding]:
    for part, missing in zip(_parts(rule), solved.missing, strict=True):
        if isinstance(part, Group):
            counted = [h for h, group in solved.counted if group is part]
        else:
            counted = solved.within(part.pool)
        need, unit = _units_of(rule, part.need), _unit(rule, part.need)
        have = _worth(rule, part.need, counted)
        says = f"{part.title}: {_in_words(rule, part.need, have)} of {_in_words(rule, part.need, need)}"
        says += f" {unit}" if unit else ""
        if counted:
            says += f", from {_list([_counted_in_words(rule, h, part.need) for h in counted])}"
        says += "."
        verdict = Verdict.PASS
        if missing:
            verdict = Verdict.FAIL
            says += f" {_in_words(rule, part.need, missing)}{f' {unit}' if unit else ''} missing."
            if isinstance(part, Group):
                says += "".join(f" {s}" for s in _why_not(part, held, on))
            if perhaps is not None and not any(perhaps.missing):
                verdict = Verdict.UNKNOWN
                says += " It would be met if what could not be verified were."
            elif not solved.allocation.proven:
                verdict = Verdict.UNKNOWN
                says += " The search was stopped at its bound: it is not proven that no other placement meets it."
        because = {
            "counted": [h.credential_id for h in counted],
            "have": round(float(_amount(rule, part.need, have)), 6),
            "need": round(float(_amount(rule, part.need, need)), 6),
            "unit": unit,
            "conversions": sorted({c.says(rule.unit) for h in counted if (c := _used_conversion(rule, h))}),
            "reason": part.reason,
        }
        kind = "group" if isinstance(part, Group) else "total"
        yield Finding(f"{kind}.{part.id}", verdict, says, because=because, source=rule.source)


def _why_not(group: Group, held: Sequence[Holding], on: date) -> Iterable[str]:
    """What the person has that was meant for this group and does not count, in a sentence each."""
    for holding in held:
        why = group.refuses(holding, on)
        if why != "" and (reason := holding.why_not(on) or why):
            yield f"“{holding.title}” {reason}."


def _caps(rule: StackRule, solved: _Solved) -> Iterable[Finding]:
    for cap in rule.caps:
        counted = solved.within(cap.pool)
        have = _in_words(rule, cap.at_most, _worth(rule, cap.at_most, counted))
        most = _in_words(rule, cap.at_most, _units_of(rule, cap.at_most))
        unit = _unit(rule, cap.at_most)
        says = f"{cap.title}: {have} of at most {most}{f' {unit}' if unit else ''}."
        yield Finding(
            f"cap.{cap.id}",
            Verdict.PASS if counted else Verdict.NOT_APPLICABLE,
            says,
            required=False,
            because={"counted": [h.credential_id for h in counted], "reason": cap.reason},
            source=rule.source,
        )


def _left_out(rule: StackRule, held: Sequence[Holding], solved: _Solved, *, on: date) -> tuple[LeftOut, ...]:
    """Every credential that does not count, with the reason that comes first."""
    placed = {h.credential_id for h, _ in solved.counted}
    return tuple(
        LeftOut(h.credential_id, h.title, _why_left_out(rule, h, solved, on), h.status == "unverified")
        for h in held
        if h.credential_id not in placed
    )


def _why_left_out(rule: StackRule, holding: Holding, solved: _Solved, on: date) -> str:
    if not holding.stands(on):
        return holding.why_not(on)
    refusals = [group.refuses(holding, on) for group in rule.groups]
    if None not in refusals:
        return next((why for why in refusals if why), "is nothing that this rule asks for")
    if not solved.units[solved.items.index(holding)] and not any(
        refusal is None and group.need.kind == "count" for group, refusal in zip(rule.groups, refusals, strict=True)
    ):
        if not holding.credit_value:
            return "carries no credit"
        return f"has its credit in {holding.credit_unit}, and the rule does not say how that of its issuer counts"
    for other, _ in solved.counted:
        if (other.issuer_id, other.achievement_id) == (holding.issuer_id, holding.achievement_id):
            return f"is the same achievement as {other.credential_id}, which counts already"
        for overlap in rule.overlaps:
            pool = Pool(achievements=overlap.achievements)
            if pool.has(other) and pool.has(holding):
                return f"overlaps with “{other.title}”, which counts already"
    if any(solved.missing):
        return "would not bring the rule nearer, or would go over one of its caps"
    return "is not needed and stays free for something else"


def _left_out_finding(left: LeftOut) -> Finding:
    verdict = Verdict.UNKNOWN if left.undecided else Verdict.NOT_APPLICABLE
    return Finding(f"left_out.{left.credential_id}", verdict, left.says, required=False)


def _used_conversion(rule: StackRule, holding: Holding) -> Any:
    own = holding.credit_unit == rule.unit and (not rule.unit_of or holding.issuer_id in rule.unit_of)
    return None if own else rule.conversion_for(holding)


def _counted_in_words(rule: StackRule, holding: Holding, need: Amount) -> str:
    credits = rule.credits(holding)
    if need.kind == "count" or credits is None:
        return f"“{holding.title}”"
    worth = f"{_number(credits)} {rule.unit}"
    if _used_conversion(rule, holding):
        worth = f"{_number(Fraction(holding.credit_value))} {holding.credit_unit} as {worth}"
    return f"“{holding.title}” ({worth})"


def _in_words(rule: StackRule, amount: Amount, units: int) -> str:
    return _number(_amount(rule, amount, units))


def _number(value: Fraction) -> str:
    """Two decimals, and a mark where there would be more."""
    text = f"{float(value):.2f}".rstrip("0").rstrip(".")
    return text if (value * 100).denominator == 1 else f"about {text}"


def _list(parts: Sequence[str]) -> str:
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)
