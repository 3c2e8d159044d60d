"""The blueprint: what a micro-credential promises, as one frozen value that is signed, gated, assessed and awarded.

A blueprint is data. Reading one checks every reference in it and names the path of what does not fit; after that the
other rooms trust it. An explicit "none" is a value (somebody has decided); a member that is missing is not, and the
quality gate tells the two apart.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import pairwise
from typing import Any

from guildmark.core.codecs import jcs, parse_json
from guildmark.core.errors import BrokenInput
from guildmark.core.memo import by_identity
from guildmark.skills.demand import FrozenDemand


@dataclass(frozen=True, slots=True)
class Alignment:
    """A skill, task or level in somebody's framework that an outcome is aligned to, by its URI."""

    uri: str
    label: str
    framework: str
    code: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What somebody can do afterwards. `hours` are notional hours; `level` is written "AQF:5", "EQF:6" or "none"."""

    id: str
    statement: str
    level: str
    hours: float
    kind: str
    alignments: tuple[Alignment, ...]


@dataclass(frozen=True, slots=True)
class Task:
    """A task of the job, as the industry partner would say it; `source` says where it was heard."""

    id: str
    statement: str
    source: str = ""


@dataclass(frozen=True, slots=True)
class CriterionLevel:
    id: str
    title: str
    descriptor: str
    points: float


@dataclass(frozen=True, slots=True)
class Criterion:
    """One line of a rubric: levels from low to high, each with its descriptor; `pass_level` is the id of one."""

    id: str
    title: str
    outcome: str
    levels: tuple[CriterionLevel, ...]
    pass_level: str


@dataclass(frozen=True, slots=True)
class Assessment:
    """How outcomes are shown. `secure`: identity is verified and conditions are controlled. Weights add up to 1."""

    id: str
    title: str
    type: str
    weight: float
    outcomes: tuple[str, ...]
    secure: bool
    supervision: str
    criteria: tuple[Criterion, ...]


@dataclass(frozen=True, slots=True)
class MapEdge:
    """This task is what that outcome is for, and that assessment shows it."""

    task: str
    outcome: str
    assessment: str


@dataclass(frozen=True, slots=True)
class Credit:
    """Credit with its unit and the reason for the number; unit "none" with value 0 where none is given."""

    value: float
    unit: str
    basis: str


@dataclass(frozen=True, slots=True)
class Need:
    """Evidence that somebody needs this: who said it, in which role, what kind of evidence, and when."""

    party: str
    role: str
    kind: str
    statement: str
    date: str
    commitment: str = ""


@dataclass(frozen=True, slots=True)
class AwardRule:
    """When the credential is awarded: percent to reach, whether each outcome must be achieved, markers, tolerance."""

    pass_mark: float
    each_outcome: bool
    min_markers: int = 2
    tolerance: float = 1.0


@dataclass(frozen=True, slots=True)
class Blueprint:
    """One version of the design of a micro-credential. `hours` is the sum of its outcomes' notional hours."""

    id: str
    version: int
    title: str
    description: str
    purpose: str
    language: str
    country: str
    provider_id: str
    outcomes: tuple[Outcome, ...]
    tasks: tuple[Task, ...]
    assessments: tuple[Assessment, ...]
    task_map: tuple[MapEdge, ...]
    credit: Credit
    level: str
    hours: float
    delivery_mode: str
    award_rule: AwardRule
    field: Mapping[str, str] | None = None
    synchrony: str = ""
    location: str = ""
    duration: str = ""
    prerequisites: str = ""
    cost: str = ""
    validity_months: int | None = None
    review_months: int | None = None
    quality_assurance: Mapping[str, str] | None = None
    supervision: str = ""
    stackability: str = ""
    credit_recognition: str = ""
    industry_recognition: str = ""
    evidence_of_need: tuple[Need, ...] = ()
    demand: FrozenDemand | None = None
    appeals_url: str = ""
    further_info_url: str = ""
    image_colour: str = ""

    def to_json(self) -> dict[str, Any]:
        """The blueprint as plain JSON values; `read_blueprint` gives it back. What was not given is left out."""
        value: dict[str, Any] = {}
        for f in fields(self):
            item = getattr(self, f.name)
            if item is None or item == "" or item == ():
                continue
            value[f.name] = item.to_json() if isinstance(item, FrozenDemand) else _plain(item)
        return value

    def outcome(self, id: str) -> Outcome:
        return next(o for o in self.outcomes if o.id == id)


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(v) for v in value]
    if isinstance(value, Mapping):
        return dict(value)
    if hasattr(value, "__dataclass_fields__"):
        return {f.name: _plain(getattr(value, f.name)) for f in fields(value) if getattr(value, f.name) != ""}
    return value


@by_identity(16)
def blueprint_digest(blueprint: Blueprint) -> str:
    """SHA-256 (hex) over the JCS form: two blueprints have one digest exactly when they say the same."""
    return hashlib.sha256(jcs(blueprint.to_json())).hexdigest()


_KINDS = ("application", "knowledge")
_MODES = ("online", "onsite", "blended", "work_based", "work_experience", "volunteering")
_LARGEST = {"outcomes": 100, "tasks": 200, "assessments": 50, "task_map": 2000, "levels": 20, "criteria": 100}


def read_blueprint(data: bytes | Mapping[str, Any], where: str = "blueprint") -> Blueprint:
    """The blueprint in JSON or TOML bytes, or in plain values; BrokenInput names the path of the first thing unfit.

    Beyond shapes it checks what every room relies on: references lead somewhere, ids are unique, weights add up to 1,
    hours add up, rubric levels rise, the pass level exists, the map covers only what is there.
    """
    raw = _parse(data, where)
    reader = _Reader(where)
    blueprint = _blueprint(reader, raw)
    _check(reader, blueprint)
    return blueprint


def _parse(data: bytes | Mapping[str, Any], where: str) -> Mapping[str, Any]:
    if isinstance(data, Mapping):
        return data
    text = data.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text.startswith((b"{", b"[")) or not text:
        raw = parse_json(data, where=where)
    else:
        try:
            raw = tomllib.loads(data.decode("utf-8-sig"))
        except UnicodeDecodeError as problem:
            raise BrokenInput(
                f"byte {problem.start} is not UTF-8", where=where, hint="save the file as UTF-8"
            ) from problem
        except RecursionError as problem:
            raise BrokenInput("nested too deeply", where=where, hint="a blueprint is not that deep") from problem
        except ValueError as problem:  # a TOMLDecodeError, or a number with thousands of digits
            raise BrokenInput(
                f"neither JSON nor TOML ({problem})", where=where, hint="mend the line named"
            ) from problem
    if not isinstance(raw, Mapping):
        raise BrokenInput("is not an object", where=where, hint="a blueprint is one JSON object or TOML document")
    return raw


# A text goes into signed documents, pages and files: no control characters but tab and line ends.
_WRITABLE = re.compile(r"[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]*")


def _shown(value: Any) -> str:
    """A value of any size as a few words for an error."""
    if isinstance(value, int | float | str):
        text = "a very large number" if isinstance(value, int) and abs(value) > 10**30 else repr(value)
        return text if len(text) <= 60 else f"{text[:57]}..."
    return "null" if value is None else "a list" if isinstance(value, list) else "an object"


class _Reader:
    """Reads members of a mapping and, when one is unfit, says where it stands."""

    def __init__(self, where: str) -> None:
        self.where = where

    def fail(self, path: str, what: str, hint: str) -> BrokenInput:
        return BrokenInput(what, where=f"{self.where}, {path}", hint=hint)

    def text(self, raw: Mapping[str, Any], name: str, path: str, *, optional: bool = False) -> str:
        value = raw.get(name)
        if value is None and optional:
            return ""
        if not isinstance(value, str) or not value.strip():
            raise self.fail(f"{path}{name}", "is missing or not text", f"write {name} as text in quotes")
        if len(value) > 20_000:
            raise self.fail(f"{path}{name}", f"has {len(value):,} characters", "shorten it to 20,000 at most")
        if not _WRITABLE.fullmatch(value):
            raise self.fail(f"{path}{name}", "has a control character or half a surrogate pair", "take it out")
        return value

    def number(self, raw: Mapping[str, Any], name: str, path: str, *, low: float, high: float) -> float:
        value = raw.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise self.fail(f"{path}{name}", f"is {_shown(value)}", f"write a number from {low:g} to {high:g}")
        return value

    def whole(self, raw: Mapping[str, Any], name: str, path: str, *, low: int, high: int) -> int:
        value = self.number(raw, name, path, low=low, high=high)
        if value != int(value):
            raise self.fail(f"{path}{name}", f"is {_shown(value)}", "write a whole number")
        return int(value)

    def truth(self, raw: Mapping[str, Any], name: str, path: str) -> bool:
        value = raw.get(name)
        if not isinstance(value, bool):
            raise self.fail(f"{path}{name}", f"is {_shown(value)}", "write true or false")
        return value

    def choice(self, raw: Mapping[str, Any], name: str, path: str, choices: Sequence[str]) -> str:
        value = self.text(raw, name, path)
        if value not in choices:
            raise self.fail(f"{path}{name}", f"is {_shown(value)}", f"write one of {', '.join(choices)}")
        return value

    def items(self, raw: Mapping[str, Any], name: str, path: str, *, least: int = 1) -> list[tuple[str, Any]]:
        value = raw.get(name, [] if least == 0 else None)
        most = _LARGEST.get(name, 1000)
        if not isinstance(value, list):
            raise self.fail(f"{path}{name}", "is missing or not a list", f"give {least} to {most} items")
        if not least <= len(value) <= most:
            raise self.fail(f"{path}{name}", f"has {len(value):,} items", f"give {least} to {most}")
        return [(f"{path}{name}[{i}].", item) for i, item in enumerate(value)]

    def objects(
        self, raw: Mapping[str, Any], name: str, path: str, *, least: int = 1
    ) -> list[tuple[str, Mapping[str, Any]]]:
        found = self.items(raw, name, path, least=least)
        for at, item in found:
            if not isinstance(item, Mapping):
                raise self.fail(at.rstrip("."), "is not an object", "write its members in braces")
        return found

    def words(self, raw: Mapping[str, Any], name: str, path: str) -> tuple[str, ...]:
        found = self.items(raw, name, path)
        for at, item in found:
            if not isinstance(item, str):
                raise self.fail(at.rstrip("."), "is not text", "write an id in quotes")
        words = tuple(item for _, item in found)
        _unique(self, f"{path}{name}", words)
        return words

    def uri(self, raw: Mapping[str, Any], name: str, path: str) -> str:
        value = self.text(raw, name, path)
        if not re.fullmatch(r"(https?://|urn:|did:)[\x21-\x7e]+", value):
            raise self.fail(
                f"{path}{name}", f"is {_shown(value)}", "write the URI of a skill, beginning with https:// or urn:"
            )
        return value

    def known(self, raw: Mapping[str, Any], cls: type, path: str) -> None:
        extra = sorted(str(name) for name in set(raw) - {f.name for f in fields(cls)})
        if extra:
            raise self.fail(
                f"{path}{extra[0][:60]}", "is not a member of a blueprint", "check the spelling, or leave it out"
            )

    def pairs(self, raw: Mapping[str, Any], name: str, example: str, *needed: str) -> Mapping[str, str] | None:
        value = raw.get(name)
        if value is None:
            return None
        if not isinstance(value, Mapping):
            raise self.fail(name, "is not an object of texts", f"write {example}")
        return {key: self.text(value, key, f"{name}.") for key in dict.fromkeys((*needed, *value))}


def _blueprint(r: _Reader, raw: Mapping[str, Any]) -> Blueprint:
    r.known(raw, Blueprint, "")
    credit, rule = raw.get("credit"), raw.get("award_rule")
    if not isinstance(credit, Mapping):
        raise r.fail("credit", "is missing", 'write {"value": 2, "unit": "ECTS", "basis": "..."}, or unit "none"')
    if not isinstance(rule, Mapping):
        raise r.fail("award_rule", "is missing", 'write {"pass_mark": 50, "each_outcome": true}')
    r.known(credit, Credit, "credit.")
    r.known(rule, AwardRule, "award_rule.")
    months = {
        name: None if raw.get(name) is None else r.whole(raw, name, "", low=1, high=240)
        for name in ("validity_months", "review_months")
    }
    texts = {
        name: r.text(raw, name, "", optional=True)
        for name in (
            "synchrony",
            "location",
            "duration",
            "prerequisites",
            "cost",
            "supervision",
            "stackability",
            "credit_recognition",
            "industry_recognition",
            "appeals_url",
            "further_info_url",
            "image_colour",
        )
    }
    demand = raw.get("demand")
    return Blueprint(
        id=r.text(raw, "id", ""),
        version=r.whole(raw, "version", "", low=1, high=1_000_000),
        title=r.text(raw, "title", ""),
        description=r.text(raw, "description", ""),
        purpose=r.text(raw, "purpose", ""),
        language=r.text(raw, "language", ""),
        country=r.text(raw, "country", ""),
        provider_id=r.text(raw, "provider_id", ""),
        outcomes=tuple(_outcome(r, at, item) for at, item in r.objects(raw, "outcomes", "")),
        tasks=tuple(_task(r, at, item) for at, item in r.objects(raw, "tasks", "")),
        assessments=tuple(_assessment(r, at, item) for at, item in r.objects(raw, "assessments", "")),
        task_map=tuple(_edge(r, at, item) for at, item in r.objects(raw, "task_map", "")),
        credit=Credit(
            value=r.number(credit, "value", "credit.", low=0, high=1000),
            unit=r.text(credit, "unit", "credit."),
            basis=r.text(credit, "basis", "credit."),
        ),
        level=r.text(raw, "level", ""),
        hours=r.number(raw, "hours", "", low=0.25, high=10_000),
        delivery_mode=r.choice(raw, "delivery_mode", "", _MODES),
        award_rule=AwardRule(
            pass_mark=r.number(rule, "pass_mark", "award_rule.", low=0, high=100),
            each_outcome=r.truth(rule, "each_outcome", "award_rule."),
            min_markers=r.whole({"min_markers": 2, **rule}, "min_markers", "award_rule.", low=1, high=20),
            tolerance=r.number({"tolerance": 1.0, **rule}, "tolerance", "award_rule.", low=0, high=1000),
        ),
        field=r.pairs(raw, "field", '{"scheme": "ISCED-F", "code": "0612"}', "scheme", "code"),
        quality_assurance=r.pairs(raw, "quality_assurance", '{"type": "...", "agency": "..."}'),
        evidence_of_need=tuple(_need(r, at, item) for at, item in r.objects(raw, "evidence_of_need", "", least=0)),
        demand=None if demand is None else _demand(r, demand),
        validity_months=months["validity_months"],
        review_months=months["review_months"],
        **texts,
    )


def _demand(r: _Reader, raw: Any) -> FrozenDemand:
    if not isinstance(raw, Mapping):
        raise r.fail("demand", "is not an object", "write what was frozen, or leave it out")
    try:
        return FrozenDemand.from_json(raw)
    except BrokenInput as problem:
        raise r.fail("demand", problem.what, problem.hint) from problem


def _alignment(r: _Reader, at: str, raw: Mapping[str, Any]) -> Alignment:
    r.known(raw, Alignment, at)
    return Alignment(
        uri=r.uri(raw, "uri", at),
        label=r.text(raw, "label", at),
        framework=r.text(raw, "framework", at),
        code=r.text(raw, "code", at, optional=True),
    )


def _outcome(r: _Reader, at: str, raw: Mapping[str, Any]) -> Outcome:
    r.known(raw, Outcome, at)
    return Outcome(
        id=r.text(raw, "id", at),
        statement=r.text(raw, "statement", at),
        level=r.text(raw, "level", at),
        hours=r.number(raw, "hours", at, low=0.25, high=10_000),
        kind=r.choice(raw, "kind", at, _KINDS),
        alignments=tuple(_alignment(r, where, item) for where, item in r.objects(raw, "alignments", at, least=0)),
    )


def _task(r: _Reader, at: str, raw: Mapping[str, Any]) -> Task:
    r.known(raw, Task, at)
    return Task(r.text(raw, "id", at), r.text(raw, "statement", at), r.text(raw, "source", at, optional=True))


def _assessment(r: _Reader, at: str, raw: Mapping[str, Any]) -> Assessment:
    r.known(raw, Assessment, at)
    return Assessment(
        id=r.text(raw, "id", at),
        title=r.text(raw, "title", at),
        type=r.text(raw, "type", at),
        weight=r.number(raw, "weight", at, low=0.0001, high=1),
        outcomes=r.words(raw, "outcomes", at),
        secure=r.truth(raw, "secure", at),
        supervision=r.text(raw, "supervision", at),
        criteria=tuple(_criterion(r, where, item) for where, item in r.objects(raw, "criteria", at)),
    )


def _criterion(r: _Reader, at: str, raw: Mapping[str, Any]) -> Criterion:
    r.known(raw, Criterion, at)
    levels = tuple(_level(r, where, item) for where, item in r.objects(raw, "levels", at, least=2))
    return Criterion(
        r.text(raw, "id", at),
        r.text(raw, "title", at),
        r.text(raw, "outcome", at),
        levels,
        r.text(raw, "pass_level", at),
    )


def _level(r: _Reader, at: str, raw: Mapping[str, Any]) -> CriterionLevel:
    r.known(raw, CriterionLevel, at)
    return CriterionLevel(
        id=r.text(raw, "id", at),
        title=r.text(raw, "title", at),
        descriptor=r.text(raw, "descriptor", at),
        points=r.number(raw, "points", at, low=0, high=1000),
    )


def _edge(r: _Reader, at: str, raw: Mapping[str, Any]) -> MapEdge:
    r.known(raw, MapEdge, at)
    return MapEdge(r.text(raw, "task", at), r.text(raw, "outcome", at), r.text(raw, "assessment", at))


def _need(r: _Reader, at: str, raw: Mapping[str, Any]) -> Need:
    r.known(raw, Need, at)
    return Need(
        party=r.text(raw, "party", at),
        role=r.text(raw, "role", at),
        kind=r.text(raw, "kind", at),
        statement=r.text(raw, "statement", at),
        date=r.text(raw, "date", at),
        commitment=r.text(raw, "commitment", at, optional=True),
    )


def _check(r: _Reader, b: Blueprint) -> None:
    """References lead somewhere, ids are unique, sums add up, levels rise."""
    tasks = _unique(r, "tasks", [t.id for t in b.tasks])
    outcomes = _unique(r, "outcomes", [o.id for o in b.outcomes])
    assessments = _unique(r, "assessments", [a.id for a in b.assessments])
    _unique(r, "criteria", [c.id for a in b.assessments for c in a.criteria])
    if len(set(b.task_map)) != len(b.task_map):
        twin = next(edge for i, edge in enumerate(b.task_map) if edge in b.task_map[:i])
        raise r.fail("task_map", f"{twin.task} to {twin.outcome} to {twin.assessment} stands twice", "keep one of them")
    for i, edge in enumerate(b.task_map):
        for name, value, known in (
            ("task", edge.task, tasks),
            ("outcome", edge.outcome, outcomes),
            ("assessment", edge.assessment, assessments),
        ):
            if value not in known:
                hint = f"use one of {', '.join(sorted(known)[:12])}"
                raise r.fail(f"task_map[{i}].{name}", f"there is no {name} {_shown(value)}", hint)
        if edge.outcome not in next(a for a in b.assessments if a.id == edge.assessment).outcomes:
            raise r.fail(
                f"task_map[{i}]",
                f"assessment {edge.assessment!r} does not show outcome {edge.outcome!r}",
                "mend one of them",
            )
    for i, a in enumerate(b.assessments):
        for value in a.outcomes:
            if value not in outcomes:
                raise r.fail(
                    f"assessments[{i}].outcomes", f"there is no outcome {_shown(value)}", "use the id of an outcome"
                )
        for j, c in enumerate(a.criteria):
            _check_criterion(r, f"assessments[{i}].criteria[{j}]", a, c)
    weights = sum(a.weight for a in b.assessments)
    if abs(weights - 1) > 1e-6:
        raise r.fail("assessments", f"weights add up to {weights:g}", "make them add up to 1")
    hours = sum(o.hours for o in b.outcomes)
    if abs(hours - b.hours) > 1e-6:
        raise r.fail("hours", f"is {b.hours:g} while the outcomes add up to {hours:g}", "make the two agree")
    if b.credit.unit == "none" and b.credit.value:
        raise r.fail("credit.value", f'is {b.credit.value:g} with the unit "none"', "name the unit, or write 0")


def _check_criterion(r: _Reader, at: str, assessment: Assessment, criterion: Criterion) -> None:
    if criterion.outcome not in assessment.outcomes:
        raise r.fail(
            f"{at}.outcome", f"{_shown(criterion.outcome)} is not shown by {assessment.id}", "use one of its outcomes"
        )
    _unique(r, f"{at}.levels", [level.id for level in criterion.levels])
    if criterion.pass_level not in {level.id for level in criterion.levels}:
        raise r.fail(f"{at}.pass_level", f"there is no level {_shown(criterion.pass_level)}", "use the id of a level")
    points = [level.points for level in criterion.levels]
    if any(a >= b for a, b in pairwise(points)):
        raise r.fail(f"{at}.levels", "points do not rise from level to level", "order levels from low to high")


def _unique(r: _Reader, path: str, ids: Sequence[str]) -> set[str]:
    seen = set(ids)
    if len(seen) != len(ids):
        twin = next(i for i in ids if list(ids).count(i) > 1)
        raise r.fail(path, f"id {_shown(twin)} stands twice", "give each its own id")
    return seen
