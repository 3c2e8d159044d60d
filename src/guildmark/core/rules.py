"""One rule engine for many rulebooks: small predicate trees over plain data, written in TOML.

A rulebook is data with reasons. Each rule says why it exists, where it comes from, how sure we are of that,
and brings one example that it accepts and one that it refuses; `check_examples` runs them. Evaluation never
raises on data: what is missing is *unknown* (three-valued logic after Kleene), and unknown is never pass.

    id = "au_nmf"                       # the envelope
    title = "National Microcredentials Framework"
    version = "2021-11"
    effective_from = 2022-03-22
    source = "..."

    [[rule]]
    id = "AU-E06"
    title = "Volume of learning is at least one hour"
    reason = "Below an hour there is nothing to assess."
    source = "National Microcredentials Framework 2021, minimum standards"
    standing = "retrieved"              # retrieved | from_memory | inferred: how the fact is known
    severity = "error"                  # an error that is retrieved blocks; all else advises
    grade = "auto"                      # auto decides; semi checks structure, then a named person judges;
                                        # human: a named person judges
    when = { equals = ["delivery_mode", "onsite"] }         # optional: otherwise not applicable
    check = { at_least = ["workload_hours", 1] }
    accepts = { workload_hours = 1 }
    refuses = { workload_hours = 0.5 }

Predicates (a *path* is dotted; `outcomes.*.id` collects from every item of a list):

    present = path                      a value is there and not empty; a missing one is false, not unknown
    declared = path                     a value or an explicit "none" is there; a missing one is false
    equals, at_least, at_most, more_than, less_than = [path, value]
                                        both of one kind: true is not 1, and "no" is not false
    one_of = [path, values]             the value is one of these
    matches = [path, pattern]           a small regular expression, over a text of at most 500 characters
    count_at_least = [path, n]          the list has n items or more
    includes = [path, values]           the list has each of these values
    subset = [path, path]               every value of the first is among the values of the second
    sums_to = [path, number]            the numbers add up (to within one millionth)
    every = [path, predicate], some = [path, predicate]
                                        about the items of a list; `every` is true of an empty one
    all = [predicates], any = [predicates], not = predicate, implies = [predicate, predicate]
"""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any

from guildmark.core.errors import BrokenInput
from guildmark.core.report import Finding, Report, Verdict

_MISSING = object()
Truth = bool | None
"""True, False, or None for unknown."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule with its reason. `blocks` is True only for an error whose fact was seen in its source."""

    id: str
    title: str
    reason: str
    source: str
    standing: str
    severity: str
    grade: str
    check: Mapping[str, Any] | None
    when: Mapping[str, Any] | None
    accepts: Mapping[str, Any]
    refuses: Mapping[str, Any]

    @property
    def blocks(self) -> bool:
        return self.severity == "error" and self.standing == "retrieved"


@dataclass(frozen=True, slots=True)
class Rulebook:
    """Rules with an identity, a version and the dates between which they are in force."""

    id: str
    title: str
    version: str
    source: str
    effective_from: date
    effective_to: date | None
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a named person decided about the substance of a semi or human rule, when and why."""

    rule_id: str
    verdict: Verdict
    by: str
    reason: str
    at: datetime

    def __post_init__(self) -> None:
        if not self.by.strip() or not self.reason.strip():
            raise BrokenInput(
                "a judgement needs a named person and a reason", where=self.rule_id, hint="say who decided and why"
            )
        if self.verdict not in (Verdict.PASS, Verdict.FAIL):
            raise BrokenInput("a judgement is pass or fail", where=self.rule_id, hint="leave it open instead")


def load_rulebook(text: bytes | str, *, where: str = "rulebook") -> Rulebook:
    """The rulebook in a TOML text; BrokenInput names the rule and the key that is missing or wrong."""
    return read_rulebook(parse_toml(text, where=where), where=where)


def read_rulebook(raw: Mapping[str, Any], *, where: str = "rulebook") -> Rulebook:
    """The same of TOML that was parsed already, by whoever keeps something else in the file beside the rules."""
    for key in ("id", "title", "version", "source"):
        if not isinstance(raw.get(key), str) or not raw[key].strip():
            raise BrokenInput(f"{key} is missing or not text", where=where, hint=f'write {key} = "..."')
    for key in ("effective_from", "effective_to"):
        if not _is_day(raw.get(key)) and (key == "effective_from" or key in raw):
            raise BrokenInput(f"{key} is missing or not a day", where=where, hint=f"write {key} = 2026-11-24")
    if "effective_to" in raw and raw["effective_to"] < raw["effective_from"]:
        raise BrokenInput("effective_to is before effective_from", where=where, hint="swap the two days")
    unknown = sorted(set(raw) - ({f.name for f in fields(Rulebook)} - {"rules"} | {"rule"}))
    if unknown:
        raise BrokenInput(
            f"key {unknown[0]!r} is not known", where=where, hint="check the spelling; rules are [[rule]]"
        )
    listed = raw.get("rule", [])
    if not isinstance(listed, list) or not all(isinstance(r, dict) for r in listed):
        raise BrokenInput("rule is not a list of tables", where=where, hint="begin each rule with [[rule]]")
    rules = tuple(_load_rule(r, f"{where} rule {i + 1}") for i, r in enumerate(listed))
    ids = [rule.id for rule in rules]
    if len(ids) != len(set(ids)):
        twin = next(i for i in ids if ids.count(i) > 1)
        raise BrokenInput(f"rule id {twin} stands twice", where=where, hint="give each rule its own id")
    return Rulebook(
        id=raw["id"],
        title=raw["title"],
        version=raw["version"],
        source=raw["source"],
        effective_from=raw["effective_from"],
        effective_to=raw.get("effective_to"),
        rules=rules,
    )


def parse_toml(text: bytes | str, *, where: str = "") -> dict[str, Any]:
    """The tables of a TOML text; BrokenInput, with the line, if it is none, or nests too deeply."""
    try:
        return tomllib.loads(text.decode("utf-8-sig") if isinstance(text, bytes) else text)
    except UnicodeDecodeError as problem:
        raise BrokenInput(f"byte {problem.start} is not UTF-8", where=where, hint="save the file as UTF-8") from problem
    except RecursionError as problem:
        raise BrokenInput("nested too deeply", where=where, hint="write flatter predicates") from problem
    except ValueError as problem:  # a TOMLDecodeError, or a number with thousands of digits
        raise BrokenInput(f"not TOML ({problem})", where=where, hint="mend the line that is named") from problem


def _is_day(value: Any) -> bool:
    return isinstance(value, date) and not isinstance(value, datetime)


_CHOICES = {
    "standing": ("retrieved", "from_memory", "inferred"),
    "severity": ("error", "warn", "info"),
    "grade": ("auto", "semi", "human"),
}


def _load_rule(raw: Mapping[str, Any], where: str) -> Rule:
    where = f"{where} ({raw['id']})" if isinstance(raw.get("id"), str) else where
    for key in ("id", "title", "reason", "source"):
        if not isinstance(raw.get(key), str) or not raw[key].strip():
            raise BrokenInput(f"{key} is missing", where=where, hint="every rule says what it is, why, and whence")
    for key, choices in _CHOICES.items():
        if not isinstance(raw.get(key), str) or raw[key] not in choices:
            raise BrokenInput(f"{key} is {raw.get(key)!r}", where=where, hint=f"use one of {', '.join(choices)}")
    unknown = sorted(set(raw) - {f.name for f in fields(Rule)})
    if unknown:
        raise BrokenInput(f"key {unknown[0]!r} is not known", where=where, hint="check the spelling")
    for key in ("check", "accepts", "refuses"):
        needed = raw["grade"] != "human" or "check" in raw
        if not isinstance(raw.get(key), dict) and (needed or key in raw):
            raise BrokenInput(
                f"{key} is missing or not a table", where=where, hint="a rule brings its check and two examples"
            )
    for key in ("check", "when"):
        if raw.get(key) is not None:
            _check_predicate(raw[key], where)
    return Rule(
        id=raw["id"],
        title=raw["title"],
        reason=raw["reason"],
        source=raw["source"],
        standing=raw["standing"],
        severity=raw["severity"],
        grade=raw["grade"],
        check=raw.get("check"),
        when=raw.get("when"),
        accepts=raw.get("accepts", {}),
        refuses=raw.get("refuses", {}),
    )


_PATH_ONLY = {"present", "declared"}
_NUMBER, _SCALAR = (int, float), (int, float, str, date)
_WANTS: Mapping[str, type | tuple[type, ...]] = {
    "equals": (bool, *_SCALAR),
    "at_least": _SCALAR,
    "at_most": _SCALAR,
    "more_than": _SCALAR,
    "less_than": _SCALAR,
    "one_of": list,
    "includes": list,
    "matches": str,
    "count_at_least": int,
    "subset": str,
    "sums_to": _NUMBER,
}
"""What may stand beside the path of each operator."""


def _check_predicate(tree: Any, where: str) -> None:
    """Raise BrokenInput unless `tree` is a predicate that `holds` can evaluate."""
    if not isinstance(tree, dict) or len(tree) != 1:
        raise BrokenInput("a predicate is a table with one operator", where=where, hint='write { present = "title" }')
    ((operator, argument),) = tree.items()
    pair = isinstance(argument, list) and len(argument) == 2
    if operator in _PATH_ONLY:
        fine = _is_path(argument)
    elif operator in _WANTS:
        fine = pair and _is_path(argument[0]) and isinstance(argument[1], _WANTS[operator])
        if fine and operator == "subset":
            fine = _is_path(argument[1])
        elif fine and operator == "matches":
            _check_pattern(argument[1], where)
        elif fine and operator != "equals":
            fine = not isinstance(argument[1], bool)  # true is no number
    elif operator in ("every", "some"):
        fine = pair and _is_path(argument[0])
        if fine:
            _check_predicate(argument[1], where)
    elif operator in ("all", "any", "implies"):
        fine = isinstance(argument, list) and bool(argument) and (pair or operator != "implies")
        for part in argument if fine else []:
            _check_predicate(part, where)
    elif operator == "not":
        fine = True
        _check_predicate(argument, where)
    else:
        raise BrokenInput(f"operator {operator!r} is not known", where=where, hint="see guildmark.core.rules")
    if not fine:
        raise BrokenInput(
            f"operator {operator!r} has the wrong arguments", where=where, hint="see guildmark.core.rules"
        )


def _is_path(value: Any) -> bool:
    return isinstance(value, str) and all(value.split("."))


_LONGEST_MATCHED = 500
"""Characters of a text that `matches` looks at; whether a longer one matches is unknown."""

_PATTERN_PARTS = re.compile(
    r"""(?P<back>\\[1-9])|\\.|\[\^?\]?(?:\\.|[^\]\\])*\]   # a back reference, an escape, a class
      | (?P<look>\(\?(?!:)) | \(\?:                           # look-around, flags, names; a plain group
      | (?P<group>\)(?:[*+]|\{|\?))                          # a group that repeats or may be left out
      | (?P<repeat>[*+]|\{\d*,\d*\}) | (?P<choice>[?|]) | .""",
    re.VERBOSE | re.DOTALL,
)


def _check_pattern(pattern: str, where: str) -> None:
    """Raise BrokenInput unless `pattern` is one that no text of `_LONGEST_MATCHED` characters can make slow.

    A rulebook may come from anybody, and Python's matcher tries one way after the other: each repeat
    multiplies the work by the length of the text, each alternative doubles it, a repeated group has no bound.
    """
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as problem:
        raise BrokenInput(f"{pattern[:60]!r} is not a pattern ({problem})", where=where, hint="mend it") from problem
    kinds = [part.lastgroup for part in _PATTERN_PARTS.finditer(pattern)]
    loops, choices = kinds.count("repeat") + 1, kinds.count("choice")  # the search for a start is a loop too
    steps = math.comb(_LONGEST_MATCHED + loops, loops) * 2**choices
    if len(pattern) > 200 or steps > 50_000_000 or {"back", "look", "group"} & set(kinds):
        raise BrokenInput(
            f"{pattern[:60]!r} could take too long to match",
            where=where,
            hint="use at most two repeats, few alternatives, and neither look-around nor repeated groups",
        )


def lookup(data: Any, path: str) -> Any:
    """The value at a dotted path, or `_MISSING`; a `*` collects the rest of the path from each item of a list."""
    value = data
    parts = path.split(".")
    for position, part in enumerate(parts):
        if part == "*":
            if not isinstance(value, list):
                return _MISSING
            rest = ".".join(parts[position + 1 :])
            found = [lookup(item, rest) if rest else item for item in value]
            flat: list[Any] = []
            for item in found:
                if isinstance(item, list) and "*" in rest:
                    flat.extend(item)
                else:
                    flat.append(item)
            return flat
        if not isinstance(value, Mapping) or part not in value or value[part] is None:
            return _MISSING
        value = value[part]
    return value


def holds(tree: Mapping[str, Any], data: Any) -> Truth:
    """Whether the predicate is true of `data`; None where a needed value is missing or unfit."""
    ((operator, argument),) = tree.items()
    match operator:
        case "present":
            return _present(data, argument)
        case "declared":
            value = lookup(data, argument)
            return value is not _MISSING and value != ""
        case "not":
            truth = holds(argument, data)
            return None if truth is None else not truth
        case "all":
            return _all(holds(part, data) for part in argument)
        case "any":
            return _any(holds(part, data) for part in argument)
        case "implies":
            premise = holds(argument[0], data)
            return _any([None if premise is None else not premise, holds(argument[1], data)])
        case "every" | "some":
            items = lookup(data, argument[0])
            if not isinstance(items, list):
                return None
            truths = [holds(argument[1], item) for item in items]
            return _all(truths) if operator == "every" else _any(truths)
        case "subset":
            left, right = lookup(data, argument[0]), lookup(data, argument[1])
            if not isinstance(left, list) or not isinstance(right, list) or _MISSING in left or _MISSING in right:
                return None
            return _among(_flatten(left), _flatten(right))
        case _:
            value = lookup(data, argument[0])
            return None if value is _MISSING else _compare(operator, value, argument[1])


def _present(data: Any, path: str) -> bool:
    """Whether a value is there and filled; behind a `*`: there are items, and it is so for each of them."""
    before, star, rest = path.partition("*")
    if not star:
        value = lookup(data, path)
        return value is not _MISSING and value not in ("", [], {}, "none")
    items = lookup(data, before.rstrip(".")) if before else data
    if not isinstance(items, list) or not items:
        return False
    return all(_present({"item": item}, f"item{rest}") for item in items)


def _flatten(values: list[Any]) -> list[Any]:
    return [x for v in values for x in (v if isinstance(v, list) else [v])]


def _all(truths: Iterable[Truth]) -> Truth:
    seen = list(truths)
    if any(t is False for t in seen):
        return False
    return None if any(t is None for t in seen) else True


def _any(truths: Iterable[Truth]) -> Truth:
    seen = list(truths)
    if any(t is True for t in seen):
        return True
    return None if any(t is None for t in seen) else False


def _kind(value: Any) -> str:
    """The kind of a plain value, as JSON has them: what differs in kind is neither equal nor different."""
    if isinstance(value, bool):
        return "truth"
    return "number" if isinstance(value, int | float) else type(value).__name__


def _among(values: Iterable[Any], known: Iterable[Any]) -> bool:
    """Whether each of `values` is one of `known`, of the same kind and equal."""
    listed = [(_kind(k), k) for k in known]
    return all((_kind(v), v) in listed for v in values)


def _compare(operator: str, value: Any, wanted: Any) -> Truth:
    """A comparison whose operands may be of any kind: None where they cannot be compared."""
    match operator:
        case "one_of":
            return _among([value], wanted)
        case "includes":
            return _among(wanted, _flatten(value)) if isinstance(value, list) else None
        case "matches":
            if not isinstance(value, str) or len(value) > _LONGEST_MATCHED:
                return None
            return re.search(wanted, value) is not None
        case "count_at_least":
            return len(value) >= wanted if isinstance(value, list) else None
        case "sums_to":
            if not isinstance(value, list) or any(_kind(v) != "number" for v in value):
                return None
            try:
                return bool(abs(math.fsum(value) - wanted) <= 1e-6)
            except (OverflowError, ValueError):  # numbers that no decimal holds
                return None
    if _kind(value) != _kind(wanted):
        return None
    match operator:
        case "equals":
            return bool(value == wanted)
        case "at_least":
            return bool(value >= wanted)
        case "at_most":
            return bool(value <= wanted)
        case "more_than":
            return bool(value > wanted)
        case "less_than":
            return bool(value < wanted)
    raise AssertionError(operator)


def evaluate(rulebook: Rulebook, data: Mapping[str, Any], *, on: date, judgements: Iterable[Judgement] = ()) -> Report:
    """What each rule finds in `data` on the day `on`; never raises on data.

    A rule that fails blocks (FAIL) only if it is an error whose fact was seen in its source; advice that is
    not followed is an UNKNOWN that is not required, since the rulebook cannot say that it matters. A semi
    rule whose structure holds, and a human rule, are UNKNOWN until a `Judgement` by a named person; a
    judgement never overrules a structural failure or data that is missing, so a finding that one would settle
    says so (`because["awaits_judgement"]`); of two about one rule the later in `judgements` counts.
    A rulebook that is not in force on `on` gives one UNKNOWN, one without rules gives an empty report.
    """
    subject = f"{rulebook.title} ({rulebook.version})"
    if on < rulebook.effective_from or (rulebook.effective_to is not None and on > rulebook.effective_to):
        until = f" to {rulebook.effective_to}" if rulebook.effective_to else ""
        says = f"This rulebook is in force from {rulebook.effective_from}{until}, not on {on}."
        return Report(subject, (Finding(f"{rulebook.id}.in_force", Verdict.UNKNOWN, says),))
    by_rule = {j.rule_id: j for j in judgements}
    return Report(subject, tuple(_evaluate_rule(rule, data, by_rule.get(rule.id)) for rule in rulebook.rules))


def _evaluate_rule(rule: Rule, data: Mapping[str, Any], judgement: Judgement | None) -> Finding:
    because: dict[str, Any] = {"standing": rule.standing, "severity": rule.severity, "grade": rule.grade}
    paths = sorted(set(_paths(rule.check)) | set(_paths(rule.when)))
    because["looked_at"] = {path: _plain(lookup(data, path)) for path in paths}
    applies = True if rule.when is None else holds(rule.when, data)
    truth: Truth = True if rule.check is None else holds(rule.check, data)
    if applies is False:
        return Finding(
            rule.id, Verdict.NOT_APPLICABLE, f"{rule.title}: does not apply here.", rule.blocks, because, rule.source
        )
    if truth is False and applies is True:
        verdict = Verdict.FAIL if rule.blocks else Verdict.UNKNOWN
        says = f"{rule.title}: not met. {rule.reason}"
    elif truth is None or applies is None:
        missing = [path for path in paths if lookup(data, path) is _MISSING]
        why = (
            f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} not given"
            if missing
            else (f"what is given under {', '.join(paths) or 'this'} does not say enough")
        )
        verdict = Verdict.UNKNOWN
        says = f"{rule.title}: cannot tell, {why}."
    elif rule.grade == "auto":
        verdict, says = Verdict.PASS, f"{rule.title}: met."
    elif judgement is None:
        because["awaits_judgement"] = True
        verdict = Verdict.UNKNOWN
        says = f"{rule.title}: the structure is there; a named person has to judge the substance."
    else:
        because["judgement"] = {"by": judgement.by, "reason": judgement.reason, "at": judgement.at.isoformat()}
        verdict = judgement.verdict if rule.blocks or judgement.verdict is Verdict.PASS else Verdict.UNKNOWN
        word = "met" if judgement.verdict is Verdict.PASS else "not met"
        says = f"{rule.title}: judged {word} by {judgement.by}: {judgement.reason}"
    return Finding(rule.id, verdict, says, rule.blocks, because, rule.source)


def _paths(tree: Any) -> Iterable[str]:
    """Every path that a predicate reads from the top of the data."""
    if not isinstance(tree, Mapping):
        return
    ((operator, argument),) = tree.items()
    if operator in _PATH_ONLY:
        yield argument
    elif operator == "subset":
        yield from argument
    elif operator in _WANTS or operator in ("every", "some"):
        yield argument[0]
    elif operator == "not":
        yield from _paths(argument)
    else:
        for part in argument:
            yield from _paths(part)


def _plain(value: Any) -> Any:
    if value is _MISSING:
        return None
    if isinstance(value, list):
        return [_plain(v) for v in value]
    if isinstance(value, date):
        return value.isoformat()
    return value


def check_examples(rulebook: Rulebook) -> Report:
    """Whether each rule accepts the example it says it accepts and refuses the one it says it refuses."""
    findings = []
    for rule in rulebook.rules:
        if rule.check is None:
            findings.append(Finding(rule.id, Verdict.NOT_APPLICABLE, "Judged by a person; no example to run."))
            continue
        for name, example, wanted in (("accepts", rule.accepts, True), ("refuses", rule.refuses, False)):
            applies = True if rule.when is None else holds(rule.when, example)
            fine = applies is True and holds(rule.check, example) is wanted
            verdict = Verdict.PASS if fine else Verdict.FAIL
            says = f"The example that rule {rule.id} {name} is {'' if fine else 'not '}one that it {name}."
            findings.append(Finding(f"{rule.id}.{name}", verdict, says, because={"example": dict(example)}))
    return Report(f"Examples of {rulebook.id}", tuple(findings))
