"""The rule of a larger credential: what counts towards it, how much is needed, and what may not be counted.

Deciding such a rule means placing credentials so that none counts twice, which no predicate can say; so the rule has
a grammar of its own, with the envelope of a rulebook (id, version, source, dates) and examples that it brings.

    id = "operations-data-analyst"
    title = "Certificate: Operations Data Analyst"
    version = "1"
    source = "..."                      # who decided it, and where it is written
    effective_from = 2026-01-01         # effective_to may follow
    unit = "AU-CP"                      # credit is summed in this unit
    unit_of = ["did:web:..."]           # a provider's own unit: only its credit is in it (optional)
    minimum_level = ["AQF:5", "EQF:5"]  # at or above one of these, each within its own framework (optional)
    months = 60                         # assessed within this many months of the day in question (optional)
    issuers = ["did:web:..."]           # whose credentials are taken where no achievement is named (optional)

    [[conversion]]                      # a statement of the rule's owner, never of ours
    unit = "ECTS"
    amount = 60
    counts_as = 48
    basis = "by_full_year"              # by_full_year | by_hours | by_agreement
    reason = "..."
    issuers = ["did:web:..."]           # optional: only for credit of these

    [achievements.sql]                  # a name for this file; an achievement belongs to its issuer
    id = "urn:uuid:..."
    title = "..."
    issuer = "did:web:..."
    offer = { credits = 6, unit = "AU-CP", level = "AQF:5", hours = 60 }    # optional: can be taken now

    [[group]]                           # each credential counts in one group
    id = "analysis"
    title = "Analysing operational data"
    reason = "..."
    from = { achievements = ["sql", "story"] }      # and/or tags, skills; all that are given have to fit
    need = { credits = 10 }             # or { count = 2 }: that many different achievements
                                        # minimum_level, months and issuers of its own may follow

    [[total]]                           # over all that is counted, in whatever group
    id = "size"
    title = "..."
    reason = "..."
    of = { issuers = ["did:web:..."] }  # optional; achievements, tags, skills, issuers, issuers_other_than,
    need = { credits = 11 }             #   minimum_level

    [[cap]]                             # at most so much of what is counted; more is left out, whole
    id = "elsewhere"
    title = "..."
    reason = "..."
    of = { issuers_other_than = ["did:web:..."] }
    at_most = { share = "1/2", of_total = "size" }      # or { credits = 4 } or { count = 1 }

    [[overlap]]                         # at most one of these counts
    achievements = ["sql", "old-sql"]
    reason = "..."

    [[example]]                         # at least one that is earned and one that is not
    title = "All three, recent"
    earns = true
    on = 2026-11-24
    holdings = [{ achievement = "sql", credits = 6, unit = "AU-CP", level = "AQF:5", assessed_on = 2026-11-01 }]

Sizes are fractions and are compared exactly: credit is read to the hundredth, conversions are ratios of whole numbers,
and nothing is rounded. Level is never converted: a level of a framework that the rule does not name is not reached.
"""

from __future__ import annotations

import tomllib
from calendar import monthrange
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from math import lcm
from typing import Any, Literal

from guildmark.assess.holding import HeldSkill, Holding
from guildmark.core.errors import BrokenInput
from guildmark.design.levels import known_level, level_number

LARGEST = 1_000_000
"""Bytes of a rule."""

MOST_PARTS = 20
"""Groups, and totals and caps together: each is a row of the programme that is solved."""

MOST_NAMES = 500
"""Entries of any list in a rule."""

FINEST = 100
"""The common denominator of all conversions of a rule: finer ones make numbers that floats cannot tell apart."""

BASES = ("by_full_year", "by_hours", "by_agreement")


@dataclass(frozen=True, slots=True)
class Conversion:
    """`amount` credits in `unit` count as `counts_as` in the rule's unit; for all issuers if none is named."""

    unit: str
    amount: int
    counts_as: int
    basis: str
    reason: str
    issuers: frozenset[str] = frozenset()

    def says(self, unit: str) -> str:
        """The conversion in words."""
        return f"{self.amount} {self.unit} count as {self.counts_as} {unit} ({self.basis.replace('_', ' ')})"


@dataclass(frozen=True, slots=True)
class Offer:
    """What an achievement brings to whoever takes it now."""

    credits: float
    unit: str
    level: str
    hours: float


@dataclass(frozen=True, slots=True)
class Achievement:
    """An achievement under the rule's name for it. It belongs to its issuer: another's badge for it is none."""

    name: str
    id: str
    title: str
    issuer: str
    offer: Offer | None = None


@dataclass(frozen=True, slots=True)
class Pool:
    """Which credentials are meant; each condition that is there has to hold, an empty pool means all."""

    achievements: tuple[Achievement, ...] = ()
    tags: frozenset[str] = frozenset()
    skills: frozenset[str] = frozenset()
    issuers: frozenset[str] = frozenset()
    issuers_other_than: frozenset[str] = frozenset()
    minimum_level: tuple[str, ...] = ()

    def has(self, holding: Holding) -> bool:
        """Whether the credential is one that is meant."""
        return (
            (not self.achievements or any(_is(holding, a) for a in self.achievements))
            and (not self.tags or bool(self.tags & set(holding.tags)))
            and (not self.skills or any(s.uri in self.skills for s in holding.skills))
            and (not self.issuers or holding.issuer_id in self.issuers)
            and holding.issuer_id not in self.issuers_other_than
            and (not self.minimum_level or reaches(holding.level, self.minimum_level))
        )


@dataclass(frozen=True, slots=True)
class Amount:
    """So many credits in the rule's unit, or so many different achievements."""

    kind: Literal["credits", "count"]
    value: Fraction


@dataclass(frozen=True, slots=True)
class Group:
    """A part of the larger credential, and the credentials that it may be filled with."""

    id: str
    title: str
    reason: str
    pool: Pool
    need: Amount
    minimum_level: tuple[str, ...]
    months: int | None
    issuers: frozenset[str]

    def refuses(self, holding: Holding, on: date) -> str | None:
        """None if it may fill this group; otherwise why not, as the end of a sentence.

        "" says that the group does not ask for it. The status of the credential is not looked at here.
        """
        named = [a for a in self.pool.achievements if a.id == holding.achievement_id]
        if named and all(a.issuer != holding.issuer_id for a in named):
            return f"is from {holding.issuer_id}, and only {named[0].issuer} can issue this achievement"
        if not self.pool.has(holding):
            return ""
        if self.issuers and not named and holding.issuer_id not in self.issuers:
            return f"is from {holding.issuer_id}, which the rule does not name"
        if self.minimum_level and not reaches(holding.level, self.minimum_level):
            return f"is at level {holding.level}, and {' or '.join(self.minimum_level)} is needed"
        if self.months is not None and months_later(holding.assessed_on, self.months) < on:
            return f"was assessed on {holding.assessed_on}, more than {self.months} months before {on}"
        return None


@dataclass(frozen=True, slots=True)
class Total:
    """So much at least of all that is counted."""

    id: str
    title: str
    reason: str
    pool: Pool
    need: Amount


@dataclass(frozen=True, slots=True)
class Cap:
    """So much at most of all that is counted."""

    id: str
    title: str
    reason: str
    pool: Pool
    at_most: Amount


@dataclass(frozen=True, slots=True)
class Overlap:
    """Achievements that teach the same thing: at most one of them counts."""

    achievements: tuple[Achievement, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class Example:
    """Holdings for which the rule's owner says whether they earn it."""

    title: str
    earns: bool
    on: date
    holdings: tuple[Holding, ...]


@dataclass(frozen=True, slots=True)
class StackRule:
    """A rule as it was read; what it says is consistent, and there is at least one group."""

    id: str
    title: str
    version: str
    source: str
    effective_from: date
    effective_to: date | None
    unit: str
    unit_of: frozenset[str]
    conversions: tuple[Conversion, ...]
    achievements: Mapping[str, Achievement]
    groups: tuple[Group, ...]
    totals: tuple[Total, ...]
    caps: tuple[Cap, ...]
    overlaps: tuple[Overlap, ...]
    examples: tuple[Example, ...]

    def conversion_for(self, holding: Holding) -> Conversion | None:
        """The conversion for the credential's credit, one for its issuer before one for all; None if there is none."""
        fitting = [c for c in self.conversions if c.unit == holding.credit_unit]
        own = [c for c in fitting if holding.issuer_id in c.issuers]
        return next(iter(own + [c for c in fitting if not c.issuers]), None)

    def credits(self, holding: Holding) -> Fraction | None:
        """The credit of the credential in the rule's unit, exactly; None if the rule does not say how it counts."""
        value = Fraction(round(Fraction(holding.credit_value) * 100), 100)
        if holding.credit_unit == self.unit and (not self.unit_of or holding.issuer_id in self.unit_of):
            return value
        conversion = self.conversion_for(holding)
        return None if conversion is None else value * Fraction(conversion.counts_as, conversion.amount)

    @property
    def fraction(self) -> int:
        """Every credit under this rule is a whole number of one over this."""
        return 100 * lcm(*(Fraction(c.counts_as, c.amount).denominator for c in self.conversions))


def reaches(level: str, minimum: Collection[str]) -> bool:
    """Whether the level is at or above one of these, within one framework; "none" and unknown levels reach nothing."""
    number, framework = level_number(level), level.partition(":")[0]
    return number is not None and any(
        m.partition(":")[0] == framework and number >= (level_number(m) or 0) for m in minimum
    )


def months_later(day: date, months: int) -> date:
    """The same day so many months later, or the last of that month where it has no such day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    if year > date.max.year:
        return date.max
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def _is(holding: Holding, achievement: Achievement) -> bool:
    return holding.achievement_id == achievement.id and holding.issuer_id == achievement.issuer


# -- reading --------------------------------------------------------------------------------------------------


def read_stack_rule(text: str | bytes, *, where: str = "stack rule") -> StackRule:
    """The rule in a TOML text; BrokenInput names the part and the key that is missing or wrong."""
    if isinstance(text, bytes):
        try:
            text = text.decode("utf-8-sig")
        except UnicodeDecodeError as problem:
            what = f"byte {problem.start} is not UTF-8"
            raise BrokenInput(what, where=where, hint="save the file as UTF-8") from problem
    if len(text) > LARGEST:
        raise BrokenInput(f"is longer than {LARGEST:,} characters", where=where, hint="is this the right file?")
    try:
        raw = tomllib.loads(text)
    except (ValueError, RecursionError) as problem:  # a ValueError is also a number of too many digits
        raise BrokenInput(f"not TOML ({problem})", where=where, hint="mend the line that is named") from problem
    return _Reader(_Table(raw, where)).rule()


class _Table:
    """A table that is taken apart key by key; what is left at the end was not expected."""

    def __init__(self, raw: Any, where: str) -> None:
        if not isinstance(raw, dict):
            raise BrokenInput("is not a table", where=where, hint="see the grammar in guildmark.pathways.stack_rule")
        self.raw, self.where = dict(raw), where

    def fail(self, key: str, what: str, hint: str) -> BrokenInput:
        return BrokenInput(f"{key} {what}", where=self.where, hint=hint)

    def has(self, key: str) -> bool:
        return key in self.raw

    def text(self, key: str, default: str | None = None) -> str:
        value = self.raw.pop(key, default)
        if not isinstance(value, str) or not (value.strip() or value == default):
            raise self.fail(key, "is missing or not text", f'write {key} = "..."')
        return value

    def day(self, key: str) -> date:
        value = self.raw.pop(key, None)
        if not isinstance(value, date) or isinstance(value, datetime):
            raise self.fail(key, "is missing or not a day", f"write {key} = 2026-11-24, without quotes")
        return value

    def whole(self, key: str, low: int, high: int) -> int:
        value = self.raw.pop(key, None)
        if type(value) is not int or not low <= value <= high:
            raise self.fail(key, f"is {value!r}, not a whole number from {low} to {high}", f"write {key} = {low}")
        return value

    def number(self, key: str, low: float, high: float) -> float:
        value = self.raw.pop(key, None)
        if type(value) not in (int, float) or not low <= value <= high:
            raise self.fail(key, f"is {value!r}, not a number from {low:g} to {high:g}", f"write {key} = 10")
        return float(value)

    def truth(self, key: str) -> bool:
        value = self.raw.pop(key, None)
        if not isinstance(value, bool):
            raise self.fail(key, "is missing or not true or false", f"write {key} = true")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """The list of texts, () if it is not there; a list that is there has something in it."""
        if key not in self.raw:
            return ()
        value = self.raw.pop(key)
        fine = isinstance(value, list) and value and all(isinstance(v, str) and v.strip() for v in value)
        if not fine or len(value) > MOST_NAMES:
            raise self.fail(key, "is not a list of texts", f'write {key} = ["..."], at most {MOST_NAMES}')
        if len(set(value)) != len(value):
            raise self.fail(key, "names something twice", "keep one of them")
        return tuple(value)

    def table(self, key: str) -> _Table:
        return _Table(self.raw.pop(key, None), f"{self.where}, {key}")

    def tables(self, key: str) -> list[_Table]:
        value = self.raw.pop(key, [])
        if not isinstance(value, list) or len(value) > MOST_NAMES:
            raise self.fail(key, "is not a list of tables", f"write [[{key}]], at most {MOST_NAMES} times")
        return [_Table(v, f"{self.where}, {key} {n}") for n, v in enumerate(value, 1)]

    def end(self) -> None:
        if self.raw:
            raise self.fail(repr(sorted(self.raw)[0]), "is not a known key here", "check the spelling")


class _Reader:
    """Reads a rule from its outermost table: what is named first is known to all that follows."""

    def __init__(self, top: _Table) -> None:
        self.top = top
        self.ids: set[str] = set()

    def rule(self) -> StackRule:
        top = self.top
        id_ = top.text("id")
        top.where = f"{top.where} {id_}"
        title, version, source = top.text("title"), top.text("version"), top.text("source")
        effective_from = top.day("effective_from")
        effective_to = top.day("effective_to") if top.has("effective_to") else None
        if effective_to is not None and effective_to < effective_from:
            raise top.fail("effective_to", "is before effective_from", "exchange the two")
        self.unit, unit_of = top.text("unit"), frozenset(top.texts("unit_of"))
        self.level, self.months = self._levels(top), self._months(top, None)
        self.issuers = frozenset(top.texts("issuers"))
        conversions = self._conversions()
        self.achievements = self._achievements()
        groups = tuple(self._group(t) for t in top.tables("group"))
        if not groups:
            raise top.fail("group", "is missing", "a rule that needs nothing is earned by nobody; add a [[group]]")
        totals = tuple(self._total(t) for t in top.tables("total"))
        self.totals = {total.id: total for total in totals}
        caps = tuple(self._cap(t) for t in top.tables("cap"))
        if len(groups) > MOST_PARTS or len(totals) + len(caps) > MOST_PARTS:
            raise top.fail("group", f"and total and cap: more than {MOST_PARTS}", "split the rule")
        overlaps = tuple(self._overlap(t) for t in top.tables("overlap"))
        examples = tuple(self._example(t) for t in top.tables("example"))
        if {e.earns for e in examples} != {True, False}:
            raise top.fail("example", "is missing", "bring one that earns (earns = true) and one that does not")
        top.end()
        return StackRule(
            id_, title, version, source, effective_from, effective_to, self.unit, unit_of, conversions,
            self.achievements, groups, totals, caps, overlaps, examples,
        )  # fmt: skip

    def _levels(self, table: _Table) -> tuple[str, ...]:
        levels = table.texts("minimum_level")
        for level in levels:
            if level_number(level) is None:
                raise table.fail("minimum_level", f"names {level!r}", 'write levels such as "AQF:5" or "EQF:5"')
        if len({level.partition(":")[0] for level in levels}) != len(levels):
            raise table.fail("minimum_level", "names two levels of one framework", "keep the lower one")
        return levels

    def _months(self, table: _Table, default: int | None) -> int | None:
        return table.whole("months", 1, 1200) if table.has("months") else default

    def _conversions(self) -> tuple[Conversion, ...]:
        found, seen = [], set()
        for table in self.top.tables("conversion"):
            unit = table.text("unit")
            amount, counts_as = table.whole("amount", 1, 10_000), table.whole("counts_as", 1, 10_000)
            basis, reason, issuers = table.text("basis"), table.text("reason"), frozenset(table.texts("issuers"))
            table.end()
            if basis not in BASES:
                raise table.fail("basis", f"is {basis!r}", f"name what it rests on: {', '.join(BASES)}")
            for key in ((unit, issuer) for issuer in issuers or {""}):
                if key in seen:
                    raise table.fail("unit", f"{unit!r} is converted twice", "keep one conversion for each issuer")
                seen.add(key)
            found.append(Conversion(unit, amount, counts_as, basis, reason, issuers))
        if lcm(*(Fraction(c.counts_as, c.amount).denominator for c in found)) > FINEST:
            raise self.top.fail("conversion", "is too fine", "write ratios of small whole numbers, such as 60 to 48")
        return tuple(found)

    def _achievements(self) -> dict[str, Achievement]:
        raw = self.top.table("achievements").raw if self.top.has("achievements") else {}
        found: dict[str, Achievement] = {}
        if len(raw) > MOST_NAMES:
            raise self.top.fail("achievements", f"are more than {MOST_NAMES}", "name a pool by tags instead")
        for name, value in raw.items():
            table = _Table(value, f"{self.top.where}, achievements.{name}")
            id_, title, issuer = table.text("id"), table.text("title"), table.text("issuer")
            offer = None
            if table.has("offer"):
                part = table.table("offer")
                credits, hours = part.number("credits", 0, 1000), part.number("hours", 0, 100_000)
                offer = Offer(credits, part.text("unit"), part.text("level"), hours)
                part.end()
                if not known_level(offer.level):
                    raise part.fail("level", f"is {offer.level!r}", 'write "AQF:5" or "none"')
            table.end()
            if any((a.id, a.issuer) == (id_, issuer) for a in found.values()):
                raise table.fail("id", "has another name already", "keep one of the two")
            found[name] = Achievement(name, id_, title, issuer, offer)
        return found

    def _part(self, table: _Table) -> tuple[str, str, str]:
        id_ = table.text("id")
        if id_ in self.ids:
            raise table.fail("id", f"{id_!r} stands twice", "give each part of the rule its own id")
        self.ids.add(id_)
        table.where = f"{self.top.where}, {id_}"
        return id_, table.text("title"), table.text("reason")

    def _pool(self, table: _Table, keys: Sequence[str]) -> Pool:
        pool = Pool(
            achievements=self._named(table),
            tags=frozenset(table.texts("tags")),
            skills=frozenset(table.texts("skills")),
            issuers=frozenset(table.texts("issuers")) if "issuers" in keys else frozenset(),
            issuers_other_than=frozenset(table.texts("issuers_other_than")) if "issuers" in keys else frozenset(),
            minimum_level=self._levels(table) if "minimum_level" in keys else (),
        )
        table.end()
        return pool

    def _named(self, table: _Table) -> tuple[Achievement, ...]:
        names = table.texts("achievements")
        for name in names:
            if name not in self.achievements:
                raise table.fail("achievements", f"names {name!r}", f"describe it under [achievements.{name}]")
        return tuple(self.achievements[name] for name in names)

    def _amount(self, table: _Table) -> Amount:
        if len(table.raw) != 1 or not (table.has("credits") or table.has("count")):
            raise table.fail("amount", "is not one of credits and count", "write { credits = 10 } or { count = 2 }")
        if table.has("count"):
            return Amount("count", Fraction(table.whole("count", 1, MOST_NAMES)))
        credits = Fraction(str(table.number("credits", 0.01, 1000)))
        if credits.denominator not in _HUNDREDTHS:
            raise table.fail("credits", "has more than two decimals", "write hundredths, such as 7.25")
        return Amount("credits", credits)

    def _group(self, table: _Table) -> Group:
        id_, title, reason = self._part(table)
        pool = self._pool(table.table("from"), ())
        if not (pool.achievements or pool.tags or pool.skills):
            raise table.fail("from", "is empty", "name achievements, tags or skills")
        need = self._amount(table.table("need"))
        if need.kind == "count" and pool.achievements and need.value > len(pool.achievements):
            what = f"is {need.value} of {len(pool.achievements)}"
            raise table.fail("need", what, "name more achievements, or ask for fewer")
        level = self._levels(table) or self.level
        months = self._months(table, self.months)
        issuers = frozenset(table.texts("issuers")) or self.issuers
        if not pool.achievements and not issuers:
            raise table.fail("issuers", "is missing", "anybody can write a tag: say whose credentials are taken")
        table.end()
        return Group(id_, title, reason, pool, need, level, months, issuers)

    def _total(self, table: _Table) -> Total:
        id_, title, reason = self._part(table)
        pool = self._pool(table.table("of"), _ANY) if table.has("of") else Pool()
        need = self._amount(table.table("need"))
        table.end()
        return Total(id_, title, reason, pool, need)

    def _cap(self, table: _Table) -> Cap:
        id_, title, reason = self._part(table)
        pool = self._pool(table.table("of"), _ANY) if table.has("of") else Pool()
        limit = table.table("at_most")
        at_most = self._share(limit) if limit.has("share") else self._amount(limit)
        table.end()
        return Cap(id_, title, reason, pool, at_most)

    def _share(self, table: _Table) -> Amount:
        """A share of the credit that a total needs: of the published number, not of what happens to be counted."""
        share, name = table.text("share"), table.text("of_total")
        table.end()
        total = self.totals.get(name)
        if total is None or total.need.kind != "credits":
            raise table.fail("of_total", f"is {name!r}", "name a [[total]] that needs credits")
        try:
            fraction = Fraction(share)
        except (ValueError, ZeroDivisionError) as problem:
            raise table.fail("share", f"is {share!r}", 'write a fraction such as "1/2"') from problem
        if not 0 < fraction <= 1 or len(share) > 20:
            raise table.fail("share", f"is {share!r}", 'write a fraction such as "1/2"')
        return Amount("credits", fraction * total.need.value)

    def _overlap(self, table: _Table) -> Overlap:
        named, reason = self._named(table), table.text("reason")
        if len(named) < 2:
            raise table.fail("achievements", "are fewer than two", "name those of which one counts")
        table.end()
        return Overlap(named, reason)

    def _example(self, table: _Table) -> Example:
        title, earns, on = table.text("title"), table.truth("earns"), table.day("on")
        holdings = tuple(self._held(t, n) for n, t in enumerate(table.tables("holdings"), 1))
        table.end()
        return Example(title, earns, on, holdings)

    def _held(self, table: _Table, number: int) -> Holding:
        name = table.text("achievement")
        known = self.achievements.get(name)
        holding = Holding(
            credential_id=f"example:{number}",
            achievement_id=known.id if known else name,
            title=known.title if known else name,
            issuer_id=table.text("issuer", known.issuer if known else None),
            learner_id="example",
            skills=tuple(HeldSkill(uri, uri) for uri in table.texts("skills")),
            credit_value=table.number("credits", 0, 1000),
            credit_unit=table.text("unit"),
            level=table.text("level"),
            assessed_on=table.day("assessed_on"),
            valid_until=table.day("valid_until") if table.has("valid_until") else None,
            status=table.text("status", "valid"),  # type: ignore[arg-type]  # Holding refuses any other word
            tags=table.texts("tags"),
        )
        table.end()
        return holding


_ANY = ("issuers", "minimum_level")
_HUNDREDTHS = (1, 2, 4, 5, 10, 20, 25, 50, 100)
