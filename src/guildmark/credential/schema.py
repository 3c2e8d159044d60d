"""Whether a credential fits the JSON Schemas that it names, without giving those who write schemas any power here.

Rules (VC JSON Schema 1.0, sections 2 and 3; Open Badges 3.0, Verification step 1):

1. `JsonSchema` and `1EdTechJsonSchemaValidator2019` are held against; of other kinds nothing is said;
2. a schema comes from the set shipped here or from the Fetcher, and if the entry has a digest, it is that document;
   what cannot be had, read or understood makes the answer unknown;
3. a schema refers to itself only: no other document is fetched for it;
4. patterns are matched by `patterns`, in linear time; a schema with a pattern that is not understood is unknown;
5. all work is counted, and a schema that takes too much of it is unknown;
6. a schema of 1EdTech is part of Open Badges verification, so that unknown counts; any other is advice while unknown,
   since VC Data Model 2.0 leaves schemas to whoever uses a credential. A credential that does not fit fails.

A `format` is not checked: JSON Schema makes it an annotation, and `structure` reads dates and addresses itself.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from itertools import islice
from typing import Any

from jsonschema import (  # type: ignore[import-untyped]
    Draft7Validator,
    Draft201909Validator,
    Draft202012Validator,
    validators,
)
from jsonschema.exceptions import SchemaError, UnknownType, ValidationError, best_match  # type: ignore[import-untyped]
from referencing import Registry
from referencing.exceptions import NoSuchAnchor, PointerToNowhere, Unresolvable

from guildmark.core.codecs import parse_json
from guildmark.core.errors import BrokenInput, OutsideFailure
from guildmark.core.report import Finding, Verdict
from guildmark.credential.integrity import digest_holds
from guildmark.credential.patterns import NotUnderstood, compiled
from guildmark.credential.signed import World, listed, plain, sentence

SOURCE = "VC JSON Schema 1.0, 3 Validation; Open Badges 3.0, Verification step 1"

MOST_SCHEMAS = 5
"""Schemas that are looked at for one credential."""

LARGEST = 200_000
"""Bytes of a schema; the largest of 1EdTech has 120,000."""

MOST_NODES = 6_000
"""Objects and values of a schema; the largest of 1EdTech has 2,600."""

MOST_WORK = 60_000
"""Work that one schema may take, in units of 4 to 10 us: a badge in which everything stands takes 4,000."""

_OF_1EDTECH = "1EdTechJsonSchemaValidator2019"

_DRAFTS: Mapping[str, Any] = {
    "https://json-schema.org/draft/2020-12/schema": Draft202012Validator,
    "https://json-schema.org/draft/2019-09/schema": Draft201909Validator,
    "http://json-schema.org/draft-07/schema": Draft7Validator,
}


def schema_findings(document: Mapping[str, Any], world: World) -> tuple[Finding, ...]:
    """`schema.1`, `schema.2`, ...: one finding for each schema that the credential names. Never raises on what a
    credential or a schema may contain.
    """
    entries = listed(document.get("credentialSchema"))
    found = [_finding(f"schema.{n}", e, document, world) for n, e in enumerate(entries[:MOST_SCHEMAS], start=1)]
    if len(entries) > MOST_SCHEMAS:
        says = f"It names more than {MOST_SCHEMAS} schemas; the rest was not looked at."
        found.append(Finding("schema.more", Verdict.UNKNOWN, says, source=SOURCE))
    return tuple(found)


def _finding(id: str, entry: Any, document: Mapping[str, Any], world: World) -> Finding:
    kinds = listed(entry.get("type")) if isinstance(entry, Mapping) else []
    url = entry.get("id") if isinstance(entry, Mapping) else None
    where = plain(url, 200)

    def finding(verdict: Verdict, says: str, **more: Any) -> Finding:
        needed = verdict is not Verdict.UNKNOWN or _OF_1EDTECH in kinds
        because = {"schema": plain(url, 300), "type": [plain(kind, 60) for kind in kinds[:5]], **more}
        return Finding(id, verdict, sentence(says), required=needed, because=because, source=SOURCE)

    if not isinstance(url, str) or not {_OF_1EDTECH, "JsonSchema"} & {k for k in kinds if isinstance(k, str)}:
        kind = plain(kinds[0] if kinds else "no type", 60)
        return finding(Verdict.UNKNOWN, f"It names a schema of a kind that is not checked here ({kind}).")
    try:
        schema = _schema(entry, url, world)
    except OutsideFailure as problem:
        return finding(Verdict.UNKNOWN, f"The schema that it names is out of reach. {problem}")
    except BrokenInput as problem:
        return finding(Verdict.UNKNOWN, f"The schema at {where} cannot be read: {problem.what}.")
    if schema is None:
        return finding(Verdict.FAIL, f"The schema at {where} was changed after this was signed.")
    result = fits(document, schema)
    match result.verdict:
        case Verdict.PASS:
            return finding(Verdict.PASS, f"It fits the schema at {where}.")
        case Verdict.FAIL:
            problems = list(result.problems)
            return finding(Verdict.FAIL, f"It does not fit the schema at {where}: {problems[0]}.", problems=problems)
        case _:
            says = f"Whether it fits the schema at {where} cannot be told: {result.problems[0]}."
            return finding(Verdict.UNKNOWN, says)


def _schema(entry: Mapping[str, Any], url: str, world: World) -> Any | None:
    """The schema as a value; None if it is not the one whose digest was signed."""
    digests = "digestSRI" in entry or "digestMultibase" in entry
    shipped = shipped_schemas().get(url)
    if shipped is not None and not digests:
        return shipped
    body = world.fetch(url).body
    if digests:
        holds = digest_holds(entry, body)
        if holds is None:
            raise BrokenInput("its digest is of a kind that is not known here")
        if not holds:
            return None
    if len(body) > LARGEST:
        raise BrokenInput(f"it is larger than {LARGEST:,} bytes")
    return parse_json(body, where=url)


@lru_cache(maxsize=1)
def shipped_schemas() -> Mapping[str, Any]:
    """Address -> schema of 1EdTech, for those that are shipped. RuntimeError if a file is not the one that is pinned:
    the installation is damaged.
    """
    folder = files("guildmark.credential") / "schemas"
    found: dict[str, Any] = {}
    for row in json.loads((folder / "index.json").read_bytes()):
        body = (folder / row["file"]).read_bytes()
        if hashlib.sha256(body).hexdigest() != row["sha256"]:
            raise RuntimeError(f"the shipped schema {row['file']} is not the one that is pinned: reinstall guildmark")
        found |= dict.fromkeys(row["urls"], json.loads(body))
    return found


# --- Holding a value against a schema ---


@dataclass(frozen=True, slots=True)
class Fit:
    """PASS, FAIL with what does not fit and where, or UNKNOWN with why it cannot be told."""

    verdict: Verdict
    problems: tuple[str, ...] = ()


def fits(value: Any, schema: Any, *, most_work: int = MOST_WORK) -> Fit:
    """Whether a JSON value fits a JSON Schema (draft 7, 2019-09 or 2020-12, as its `$schema` says), within `most_work`
    (rules 3 to 5 above). Never raises on data. A badge takes 15 ms, a schema that is not shipped as much for each
    10,000 bytes, since it is itself checked first.
    """
    if not isinstance(schema, Mapping):
        return Fit(Verdict.UNKNOWN, ("it is no JSON Schema, but another value",))
    named = schema.get("$schema")
    draft = _DRAFTS.get(named.rstrip("#") if isinstance(named, str) else "")
    if draft is None:
        return Fit(Verdict.UNKNOWN, ("it does not say by which version of JSON Schema it is to be read",))
    purse = _Purse(most_work)
    token = _PURSE.set(purse)
    try:
        if not any(schema is known for known in shipped_schemas().values()):
            _look_over(schema, purse)
            draft.check_schema(schema, format_checker=None)
        # Where a schema says `$schema`, the library would go on with a validator that is not the counted one.
        bare = {key: value for key, value in schema.items() if key != "$schema"}
        validator = _counted(draft)(bare, registry=Registry())
        errors = list(islice(validator.iter_errors(value), 20))
    except (_TooMuch, RecursionError):
        return Fit(Verdict.UNKNOWN, ("it takes more work than is done here",))
    except NotUnderstood as problem:
        return Fit(Verdict.UNKNOWN, (plain(problem.what, 200),))
    except (Unresolvable, PointerToNowhere, NoSuchAnchor):
        return Fit(Verdict.UNKNOWN, ("it refers to what is not in it",))
    except (SchemaError, UnknownType, TypeError, ValueError, AttributeError, KeyError, OverflowError):
        return Fit(Verdict.UNKNOWN, ("it is no well-formed JSON Schema",))
    finally:
        _PURSE.reset(token)
    if not errors:
        return Fit(Verdict.PASS)
    first = best_match(errors)
    ordered = [first, *(error for error in errors if error is not first)]
    return Fit(Verdict.FAIL, tuple(_told(error) for error in ordered if error is not None))


def _told(error: ValidationError) -> str:
    path = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in error.absolute_path)
    return f"“{plain(path.lstrip('.') or 'the document', 120)}”: {plain(error.message, 160)}"


class _TooMuch(Exception):
    pass


@dataclass(slots=True)
class _Purse:
    """What may still be spent."""

    left: int

    def spend(self, cost: int) -> None:
        self.left -= cost
        if self.left < 0:
            raise _TooMuch


_PURSE: ContextVar[_Purse] = ContextVar("purse")


def _look_over(schema: Mapping[str, Any], purse: _Purse) -> None:
    """Refuses what would cost before anything is counted: a large schema, a pattern that is not understood (used or
    not), a `$schema` within, and lists of names that are none, which the library compares each with each.
    """
    nodes = 0
    waiting: list[Any] = [schema]
    unevaluated = by_pattern = False
    while waiting:
        item = waiting.pop()
        nodes += 1
        if nodes > MOST_NODES:
            raise _TooMuch
        if isinstance(item, Mapping):
            if "$schema" in item and item is not schema:
                raise NotUnderstood("it holds a schema of another version, which is not followed here")
            for name in ("required", "type"):
                _only_names(item.get(name))
            for name in ("dependentRequired", "dependencies"):
                found = item.get(name)
                for names in found.values() if isinstance(found, Mapping) else ():
                    _only_names(names)
            unevaluated = unevaluated or "unevaluatedProperties" in item
            if isinstance(item.get("pattern"), str):
                purse.spend(compiled(item["pattern"]).states // 20)
            named = item.get("patternProperties")
            if isinstance(named, Mapping):
                by_pattern = True
                for pattern in named:
                    purse.spend(compiled(str(pattern)).states // 20)
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)
    if unevaluated and by_pattern:
        raise NotUnderstood("it combines unevaluatedProperties with patternProperties, which is not followed here")


def _only_names(value: Any) -> None:
    if isinstance(value, list) and not all(isinstance(name, str) for name in value):
        raise ValueError("not a list of names")


def _weight(value: Any) -> int:
    """What it costs to write a value into a message, about; not counted further than a large one."""
    count = 0
    waiting = [value]
    while waiting and count < 20_000:
        item = waiting.pop()
        count += 1
        if isinstance(item, Mapping):
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)
        elif isinstance(item, str):
            count += len(item) // 50
    return 1 + count // 3


_Rule = Callable[[Any, Any, Any, Any], Iterator[ValidationError] | None]


@lru_cache(maxsize=len(_DRAFTS))
def _counted(draft: Any) -> Any:
    """The validator of a draft whose every step costs, and whose patterns are ours."""
    own = {
        "pattern": _pattern,
        "patternProperties": _pattern_properties,
        "additionalProperties": _additional_properties,
        "uniqueItems": _unique_items,
        "unevaluatedItems": _costly(draft.VALIDATORS.get("unevaluatedItems", _nothing)),
        "unevaluatedProperties": _costly(draft.VALIDATORS.get("unevaluatedProperties", _nothing)),
        "format": _nothing,
    }
    rules = {name: _paid(own.get(name, rule)) for name, rule in draft.VALIDATORS.items()}
    return validators.extend(draft, rules)


def _paid(rule: _Rule) -> _Rule:
    def paid(validator: Any, wanted: Any, value: Any, schema: Any) -> Iterator[ValidationError]:
        purse = _PURSE.get()
        purse.spend(1)
        for error in rule(validator, wanted, value, schema) or ():
            purse.spend(_weight(value))  # its message holds the value
            yield error

    return paid


def _costly(rule: _Rule) -> _Rule:
    """A rule of the library that compares each member with each."""

    def costly(validator: Any, wanted: Any, value: Any, schema: Any) -> Iterator[ValidationError]:
        _PURSE.get().spend(len(value) ** 2 // 1000 if isinstance(value, Mapping | list) else 0)
        yield from rule(validator, wanted, value, schema) or ()

    return costly


def _nothing(validator: Any, wanted: Any, value: Any, schema: Any) -> None:
    return None


def _found(pattern: str, text: str) -> bool:
    automaton = compiled(pattern)
    _PURSE.get().spend(1 + len(text) * (1 + automaton.states // 200) // 20)
    return automaton.found_in(text)


def _pattern(validator: Any, wanted: Any, value: Any, schema: Any) -> Iterator[ValidationError]:
    if isinstance(value, str) and not _found(wanted, value):
        yield ValidationError(f"{plain(value, 60)!r} does not match {plain(wanted, 60)!r}")


def _pattern_properties(validator: Any, wanted: Any, value: Any, schema: Any) -> Iterator[ValidationError]:
    if isinstance(value, Mapping):
        for pattern, inner in wanted.items():
            for name, item in value.items():
                if _found(pattern, name):
                    yield from validator.descend(item, inner, path=name, schema_path=pattern)


def _additional_properties(validator: Any, wanted: Any, value: Any, schema: Any) -> Iterator[ValidationError]:
    if not isinstance(value, Mapping):
        return
    named, patterns = schema.get("properties", {}), schema.get("patternProperties", {})
    for name, item in value.items():
        if name in named or any(_found(pattern, name) for pattern in patterns):
            continue
        if isinstance(wanted, Mapping):
            yield from validator.descend(item, wanted, path=name)
        elif wanted is False:
            yield ValidationError(f"{plain(name, 60)!r} is not a member that it allows")


def _unique_items(validator: Any, wanted: Any, value: Any, schema: Any) -> Iterator[ValidationError]:
    if wanted is not True or not isinstance(value, list):
        return
    _PURSE.get().spend(_weight(value))
    seen = {json.dumps(_alike(item), sort_keys=True) for item in value}
    if len(seen) != len(value):
        yield ValidationError("a value stands twice, where each may stand once")


def _alike(value: Any) -> Any:
    """The value with 1.0 written as 1, which JSON Schema holds for the same."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, Mapping):
        return {key: _alike(item) for key, item in value.items()}
    return [_alike(item) for item in value] if isinstance(value, list) else value
