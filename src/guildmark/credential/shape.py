"""Compiled shapes: the hash of a document's canonical RDF without expanding it again.

Nearly all the time of an `rdfc` signature goes into JSON-LD expansion, and nearly all documents of one issuer
look alike. So the *shape* of a document - its keys, list lengths, contexts, types, and which addresses in it are
the same - is compiled once: the generic path runs with a mark in place of each value that may change (a *slot*),
and each statement it gives becomes a template. Filling the templates gives, byte for byte, what the generic path
(`jsonld.to_dataset`, `rdfc.canonicalize`) would give.

Why that is exact, and where it stops:

1. JSON-LD looks at keys, contexts, types, and at the beginning of an address; all of these are constants of the
   shape. What it does with another text or number depends only on where it stands. A value that the generic path
   treats in any other way (it vanishes, or comes out changed) is a constant, too;
2. the labels of blank nodes are not compiled: the first-degree hash of each is computed from the filled
   templates, as RDFC-1.0 section 4.6 has it, and sorted. Where two tie that have another blank node in what is
   said of them, the shape does not fit;
3. two addresses that were one must stay one, two nodes that were two must stay two, two statements that could
   become one must not: otherwise the shape does not fit;
4. whatever is not proven by the strict matcher does not fit, and the generic path decides. A document that loses
   something to JSON-LD is never compiled, so what fits loses nothing.

The code of matcher and filler is generated. Text of a document gets into it through `repr` only.
"""

from __future__ import annotations

import copy
import hashlib
import json
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cmp_to_key
from typing import Any

from guildmark.credential.jsonld import ContextSet, double_text, to_dataset
from guildmark.credential.rdfc import TO_ESCAPE, Quad, escape_text

Path = tuple[str | int, ...]

MOST_SLOTS = 1_500
MOST_QUADS = 1_500
MOST_BLANKS = 300
"""Documents beyond these are left to the generic path: compiling takes more than linear time in each."""

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:(//)?")
_NOT_IN_IRI = re.compile(r'[\x00-\x20\x7f\ufffe\uffff<>"{}|^`\\\ud800-\udfff]')
UNSAFE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")
"""Characters that PyLD and rdf-canonize write differently from RDFC-1.0, so that a signature over them holds in some
verifiers only: never signed, and left to the generic path.
"""


class NoShape(Exception):
    """This document has no compiled form; the generic path is the only one."""


class Misfit(Exception):
    """The document does not fit the shape; the generic path decides."""


@dataclass(slots=True)
class _Slot:
    """A value that may change: where it stands (an address that stands in several places is one slot)."""

    number: int
    path: Path
    mark: Any
    prefix: str  # the beginning that an address must keep; "" for other values
    kind: type
    role: str  # iri or literal; "" until the statements are there
    others: list[Path] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Part:
    """A changing part of a template: the value of slot `number`, or the label of blank node `number`."""

    number: int
    blank: bool = False


Term = tuple[str | _Part, ...]
Line = tuple[Term, Term, Term, Term]


@dataclass(frozen=True, slots=True)
class Shape:
    """One compiled shape.

    `match(document)` is the tuple of its values in slot order, in UTF-8 as they stand in the statements; `digest` of
    these is the SHA-256 of the canonical N-Quads, `lines` of them these themselves. `fit(document)` is its values as
    they stand in the document, and that SHA-256, in one step of some 30 microseconds; `hash_of_values` is the hash for
    such values from elsewhere, and `accept` only tells whether the shape can take them. All raise Misfit for what
    does not fit.

    `paths` are the places of the slots, `same_paths` all the places where each of their values stands, `kinds` whether
    it is an `iri`, a `literal`, an `int` or a `float`, `beginnings` how an address has to begin (which is not part of
    its value in the tuple).
    """

    paths: tuple[Path, ...]
    same_paths: tuple[tuple[Path, ...], ...]
    kinds: tuple[str, ...]
    beginnings: tuple[str, ...]
    match: Callable[[Any], tuple[bytes, ...]]
    digest: Callable[..., bytes]
    lines: Callable[..., bytes]
    accept: Callable[..., None]
    fit: Callable[[Any], tuple[tuple[Any, ...], bytes]]
    hash_of_values: Callable[..., bytes]

    def hash_of(self, document: Any) -> bytes:
        """SHA-256 of the canonical form of a document of this shape."""
        return self.fit(document)[1]


def compile_shape(
    document: Mapping[str, Any],
    contexts: ContextSet,
    *,
    changes: Callable[[Path, Any], bool] | None = None,
    beginnings: Mapping[Path, str] | None = None,
) -> Shape:
    """The shape of a document, in which the values that `changes` accepts (all, if it is None) are slots and the
    others constants. `beginnings` tells of addresses how all of them begin: the more that is, the faster the shape.

    NoShape if the document loses something to JSON-LD, is larger than the bounds above, or cannot be read at all
    (BrokenInput of the generic path passes through). Takes two or three runs of the generic path.
    """
    exemplar: dict[str, Any] = copy.deepcopy(dict(document))
    if to_dataset(exemplar, contexts).losses:
        raise NoShape("something in it is lost to JSON-LD")
    # First each value by itself, to see where it comes out; then addresses that are the same as one slot; then texts
    # that make two statements one.
    slots, marked = _mark(exemplar, changes or (lambda *_: True), {}, {}, {})
    roles = _templates(to_dataset(marked, contexts).quads, slots)[1]
    known = {slot.path: role for slot, role in zip(slots, roles, strict=True) if role}
    terms = tuple(_terms_with_colon(contexts))
    for path, role in list(known.items()):
        if role == "iri" and any(term.startswith(prefix_of(value_at(exemplar, path))) for term in terms):
            del known[path]  # a context might mean something else by such an address
    same: dict[Path, Path] = {}
    first: dict[str, Path] = {}
    for path, role in known.items():
        if role == "iri":
            same[path] = first.setdefault(value_at(exemplar, path), path)
    for _ in range(3):
        slots, marked = _mark(exemplar, lambda path, _: path in known, known, same, beginnings or {})
        dataset = to_dataset(marked, contexts)
        lines, roles = _templates(dataset.quads, slots)
        if dataset.losses or any(role != known[slot.path] for slot, role in zip(slots, roles, strict=True)):
            raise NoShape("its values change what it says")
        if not _made_one(exemplar, slots, lines, known, same):
            return _build(exemplar, slots, lines)
    raise NoShape("its values change what it says")


def _made_one(
    exemplar: Any, slots: list[_Slot], lines: list[Line], known: dict[Path, str], same: dict[Path, Path]
) -> bool:
    """Whether statements of the exemplar that are one would become two with these slots; if so, `same` and `known`
    are changed so that they stay one.
    """
    changed = False
    for group in _could_be_one(lines):
        texts: dict[str, Line] = {}
        for line in group:
            text = _filled(line[2], exemplar, slots)
            other = texts.setdefault(text, line)
            if other is line:
                continue
            changed = True
            numbers = sorted(part.number for term in (other[2], line[2]) for part in term if isinstance(part, _Part))
            paths = [slots[number].path for number in numbers]
            if len(paths) == 2:
                same[paths[1]] = same.setdefault(paths[0], paths[0])
            else:
                del known[paths[0]]  # the other one is a constant
    return changed


def _filled(term: Term, exemplar: Any, slots: list[_Slot]) -> str:
    """A term with the exemplar's own values."""

    def text(part: _Part) -> str:
        slot = slots[part.number]
        value = value_at(exemplar, slot.path)
        if slot.kind is not str:
            return double_text(value) if slot.kind is float else str(value)
        return value[len(slot.prefix) :] if slot.role == "iri" else escape_text(value)

    return "".join(part if isinstance(part, str) else text(part) for part in term)


def _terms_with_colon(contexts: ContextSet) -> Iterator[str]:
    waiting: list[Any] = list(contexts.documents.values())
    while waiting:
        item = waiting.pop()
        if isinstance(item, Mapping):
            yield from (key for key in item if ":" in key)
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)


# --- Marking the values ---


_NEVER_SLOTS = {"@context", "type", "@type", "@language", "@direction"}


def leaves(value: Any, *, everything: bool = False) -> Iterator[tuple[Path, Any]]:
    """Each value of a JSON document that is no object or list; without `everything` but for contexts, types and
    languages.
    """
    waiting: list[tuple[Path, Any]] = [((), value)]
    while waiting:
        here, item = waiting.pop()
        if isinstance(item, dict):
            waiting.extend(
                ((*here, key), child) for key, child in reversed(item.items()) if everything or key not in _NEVER_SLOTS
            )
        elif isinstance(item, list):
            waiting.extend(((*here, n), child) for n, child in reversed(list(enumerate(item))))
        else:
            yield here, item


def put(document: Any, path: Path, value: Any) -> None:
    """Sets the value at a path that exists."""
    for step in path[:-1]:
        document = document[step]
    document[path[-1]] = value


def value_at(document: Any, path: Path) -> Any:
    """The value at a path that exists."""
    for step in path:
        document = document[step]
    return document


def prefix_of(value: Any) -> str:
    """The scheme of an address, with the slashes after it; "" for other values."""
    scheme = _SCHEME.match(value) if type(value) is str else None
    return scheme[0] if scheme and len(value) > scheme.end() else ""


def common_beginning(texts: Sequence[str]) -> str:
    """How all these addresses begin, up to a character at which addresses are divided; "" if not alike."""
    if len(texts) < 2:
        return ""
    first, last = min(texts), max(texts)
    size = next((n for n, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), min(len(first), len(last)))
    divided = max(first.rfind(character, 0, size) for character in "/#:?=")
    beginning = first[: divided + 1]
    return beginning if prefix_of(beginning + "x") else ""


def _mark(
    exemplar: dict[str, Any],
    changes: Callable[[Path, Any], bool],
    roles: Mapping[Path, str],
    same: Mapping[Path, Path],
    beginnings: Mapping[Path, str],
) -> tuple[list[_Slot], dict[str, Any]]:
    """The slots, and the document with a mark in each. Where `roles` are known, texts that only look like addresses
    are texts; paths that are the `same` are one slot.
    """
    text = json.dumps(exemplar, ensure_ascii=False)
    salt = next(n for n in range(10**6) if f"zq{n}q" not in text and str(71_000_000 + n) not in text)
    marked: dict[str, Any] = copy.deepcopy(exemplar)
    slots: list[_Slot] = []
    at: dict[Path, _Slot] = {}
    for path, value in leaves(exemplar):
        if type(value) not in (str, int, float) or not changes(path, value):
            continue
        number = len(slots)
        if number >= MOST_SLOTS:
            raise NoShape("it has too many values")
        earlier = at.get(same.get(path, path))
        if earlier is not None:
            earlier.others.append(path)
            put(marked, path, earlier.mark)
            continue
        role = roles.get(path, "")
        prefix = prefix_of(value) if role != "literal" else ""
        longer = beginnings.get(path, "")
        if role == "iri" and longer.startswith(prefix) and value.startswith(longer) and value != longer:
            prefix = longer
        mark: Any
        if type(value) is str:
            mark = f"{prefix}zq{salt}q{number}z"
        else:
            mark = (71_000_000 + salt) * 10_000 + number
            mark = mark if type(value) is int else mark + 0.5
        at[path] = slot = _Slot(number, path, mark, prefix, type(value), role)
        put(marked, path, mark)
        slots.append(slot)
    return slots, marked


# --- Statements to templates ---


def _templates(quads: tuple[Quad, ...], slots: list[_Slot]) -> tuple[list[Line], list[str]]:
    """A template for each statement, and for each slot whether it came out as `iri` or as `literal`, "" if in a way
    that is not understood.
    """
    if len(quads) > MOST_QUADS:
        raise NoShape("it has too many statements")
    by_text = {double_text(slot.mark) if slot.kind is float else str(slot.mark): slot for slot in slots}
    any_mark = re.compile("|".join(map(re.escape, by_text)) or r"(?!)")
    blanks: dict[str, int] = {}
    roles: list[set[str]] = [set() for _ in slots]

    def term(text: str) -> Term:
        if text.startswith("_:"):
            return ("_:", _Part(blanks.setdefault(text, len(blanks)), blank=True))
        role, end = ("iri", len(text) - 1) if text.startswith("<") else ("literal", text.rindex('"'))
        slot = by_text.get(text[1:end])
        if slot is None:
            for hit in any_mark.findall(text):
                roles[by_text[hit].number].add("changed")
            return (text,)
        roles[slot.number].add(role)
        return (text[0] + (slot.prefix if role == "iri" else ""), _Part(slot.number), text[end:])

    lines: list[Line] = [(term(s), (p,), term(o), term(g) if g else ()) for s, p, o, g in quads]
    if any(any_mark.search(str(line[1][0])) for line in lines):
        raise NoShape("a predicate changes")
    if len(blanks) > MOST_BLANKS:
        raise NoShape("it has too many unnamed parts")
    return lines, [_role(slot, found) for slot, found in zip(slots, roles, strict=True)]


def _role(slot: _Slot, found: set[str]) -> str:
    if found == {"literal"}:
        return "literal"
    return "iri" if found == {"iri"} and slot.prefix else ""


def _text(line: Line) -> Text:
    """A line of N-Quads as one run of constant and changing parts, no two constants side by side."""
    parts: list[str | _Part] = []
    for term in line:
        if not term:
            continue
        for part in (*term, " "):
            if parts and isinstance(part, str) and isinstance(parts[-1], str):
                parts[-1] += part
            else:
                parts.append(part)
    last = parts[-1]
    assert isinstance(last, str)
    parts[-1] = last + ".\n"
    return tuple(parts)


Text = tuple[str | _Part, ...]


def _order(a: Text, b: Text) -> int | None:
    """-1 or 1 if a text comes before or after another whatever its parts hold, 0 if that depends on them, None if
    they are the same.
    """
    left, right = list(a), list(b)
    while left and right:
        x, y = left.pop(0), right.pop(0)
        if x == y:
            continue
        if isinstance(x, _Part) or isinstance(y, _Part):
            return 0
        size = min(len(x), len(y))
        if x[:size] != y[:size]:
            return -1 if x < y else 1
        if x[size:]:
            left.insert(0, x[size:])
        if y[size:]:
            right.insert(0, y[size:])
    return None if not left and not right else -1 if not left else 1


def _runs(keys: Sequence[Text]) -> list[list[int]]:
    """The places of texts in their order: runs of which each comes before the next whatever the parts hold, while the
    order inside a run depends on them.
    """
    runs = [[n] for n in range(len(keys))]
    merged = True
    while merged:
        merged = False
        for i, run in enumerate(runs):
            for j in range(i + 1, len(runs)):
                orders = {_order(keys[a], keys[b]) for a in run for b in runs[j]}
                if len(orders) > 1 or not orders <= {-1, 1}:
                    run.extend(runs.pop(j))
                    merged = True
                    break
            if merged:
                break
    return sorted(runs, key=lambda run: _by_order(keys[run[0]]))


def _before(a: Text, b: Text) -> int:
    return _order(a, b) or 0


_by_order = cmp_to_key(_before)


def _is_blank(term: Term) -> bool:
    return len(term) == 2


def _ends(term: Term) -> tuple[str, str]:
    """How an object begins and what follows its text: enough to tell an address from a literal of another type."""
    whole = "".join(part if isinstance(part, str) else "" for part in term)
    return whole[0], "" if whole[0] == "<" else whole[whole.rindex('"') :]


# --- Generating the code ---


@dataclass(slots=True)
class _Code:
    """Rows of a function in Python, in which every text of a document stands as its `repr`, and the values that they
    name.
    """

    rows: list[str] = field(default_factory=list)
    names: dict[str, Any] = field(default_factory=dict)

    def add(self, row: str, level: int = 0) -> None:
        self.rows.append(" " * level + row)

    def constant(self, value: Any) -> str:
        name = f"K{id(self)}_{len(self.names)}"
        self.names[name] = value
        return name


def _function(head: str, *pieces: _Code) -> Callable[..., Any]:
    """One function of several pieces; Misfit for what only a value of another kind can cause."""
    rows = [f"  {row}" for piece in pieces for row in piece.rows] or ["  pass"]
    wrong = "(TypeError, KeyError, IndexError, AttributeError, UnicodeEncodeError)"
    source = "\n".join([f"def made({head}):", " try:", *rows, f" except {wrong}: raise Misfit from None"])
    names: dict[str, Any] = {**_KNOWN, "Misfit": Misfit}
    for piece in pieces:
        names.update(piece.names)
    exec(compile(source, "<shape>", "exec"), names)  # noqa: S102 - text of documents stands in it as repr only
    made: Callable[..., Any] = names["made"]
    return made


def _elements(texts: Sequence[Text]) -> list[str]:
    """Expressions for the pieces of some texts one after the other, in UTF-8; constants side by side are one."""
    merged: list[str | _Part] = []
    for part in (part for text in texts for part in text):
        if merged and isinstance(part, str) and isinstance(merged[-1], str):
            merged[-1] += part
        else:
            merged.append(part)
    return [
        repr(part.encode()) if isinstance(part, str) else f"{'b' if part.blank else 'v'}{part.number}"
        for part in merged
        if part
    ]


def _join(elements: Sequence[str]) -> str:
    if len(elements) == 1 and not elements[0].startswith("*"):
        return elements[0]
    return f"J(({''.join(f'{element}, ' for element in elements)}))"


def _build(exemplar: dict[str, Any], slots: list[_Slot], lines: list[Line]) -> Shape:
    """The functions of a shape, each put together from the same pieces of code."""
    walk, accept = _walking(exemplar, slots), _accepting(slots)
    lines_code, digest = _filling(lines, whole=True), _filling(lines, whole=False)
    head = ", ".join(f"v{slot.number}" for slot in slots)
    given = f"({''.join(f'v{slot.number}, ' for slot in slots)})"
    answer = _Code(["return digest"])
    keep, values, both = _Code([f"raw = {given}"]), _Code([f"return {given}"]), _Code(["return raw, digest"])
    return Shape(
        paths=tuple(slot.path for slot in slots),
        same_paths=tuple((slot.path, *slot.others) for slot in slots),
        kinds=tuple(slot.role if slot.kind is str else slot.kind.__name__ for slot in slots),
        beginnings=tuple(slot.prefix for slot in slots),
        match=_function("d", walk, accept, values),
        digest=_function(head, digest, answer),
        lines=_function(head, lines_code),
        accept=_function(head, accept, _keeping_apart(lines)),
        fit=_function("d", walk, keep, accept, digest, both),
        hash_of_values=_function(head, accept, digest, answer),
    )


def _walking(exemplar: dict[str, Any], slots: list[_Slot]) -> _Code:
    """From the document `d` to the raw values; Misfit, or an error that becomes one, if it has another shape."""
    code = _Code()
    places = {slot.path: slot for slot in slots}
    again = {path: slot for slot in slots for path in slot.others}
    inside = {path[:n] for path in (*places, *again) for n in range(len(path))}
    later: list[str] = []
    count = 0

    def walk(value: Any, path: Path, name: str) -> None:
        nonlocal count
        if path not in inside:
            code.add(f"if {name} != {code.constant(value)}: raise Misfit")
            for where, number in leaves(value, everything=True):  # 1 == 1.0 == True, and yet they say other things
                if type(number) in (int, float, bool):
                    at = "".join(f"[{step!r}]" for step in where)
                    code.add(f"if type({name}{at}) is not {type(number).__name__}: raise Misfit")
            return
        kind = "dict" if isinstance(value, dict) else "list"
        code.add(f"if type({name}) is not {kind} or len({name}) != {len(value)}: raise Misfit")
        for key, child in value.items() if isinstance(value, dict) else enumerate(value):
            here, at = (*path, key), f"{name}[{key!r}]"
            if here in places:
                code.add(f"v{places[here].number} = {at}")
            elif here in again:
                later.append(f"if {at} != v{again[here].number}: raise Misfit")
            else:
                count += 1
                child_name = f"x{count}"
                code.add(f"{child_name} = {at}")
                walk(child, here, child_name)

    walk(exemplar, (), "d")
    for row in later:
        code.add(row)
    return code


def _accepting(slots: list[_Slot]) -> _Code:
    """From raw values to what stands for them in the statements, in UTF-8; Misfit if the generic path has to look."""
    code = _Code()
    addresses = [slot for slot in slots if slot.role == "iri"]
    literals = [slot.number for slot in slots if slot.kind is str and slot.role == "literal"]
    if addresses:  # anything that is no text makes join raise TypeError
        code.add(f"a = ''.join(({''.join(f'v{slot.number}, ' for slot in addresses)}))")
    for slot in addresses:
        size = len(slot.prefix)
        code.add(f"if v{slot.number}[:{size}] != {slot.prefix!r} or len(v{slot.number}) == {size}: raise Misfit")
        if slot.prefix.endswith(":"):  # urn://x means another thing to JSON-LD than urn:x
            code.add(f"if v{slot.number}[{size}:{size + 2}] == '//': raise Misfit")
    if addresses:
        code.add("if bad(a): raise Misfit")
    if literals:
        code.add(f"t = ''.join(({''.join(f'v{n}, ' for n in literals)}))")
        code.add("if odd(t):")
        code.add("if never(t): raise Misfit", 1)
        for n in literals:
            code.add(f"if odd(v{n}): v{n} = escape(v{n})", 1)
    for slot in slots:
        match slot.kind.__name__:
            case "int":
                code.add(f"if type(v{slot.number}) is not int or not -MOST < v{slot.number} < MOST: raise Misfit")
                code.add(f"v{slot.number} = b'%d' % v{slot.number}")
            case "float":
                code.add(f"v{slot.number} = real(v{slot.number})")
            case _:
                cut = f"[{len(slot.prefix)}:]" if slot.prefix else ""
                code.add(f"v{slot.number} = v{slot.number}{cut}.encode()")
    return code


def _real(value: Any) -> bytes:
    if type(value) is not float or not math.isfinite(value) or value == int(value) or abs(value) >= 1e21:
        raise Misfit  # 3.0 is an integer to JSON-LD
    if value != float(f"{value:.15e}"):
        raise Misfit
    return double_text(value).encode()


def _tied(hashes: Sequence[str], alone: Sequence[bool]) -> list[bytes]:
    """The labels of blank nodes of which some have the same hash: these come last, in the order of the hash (RDFC-1.0
    section 4.4.3, steps 4 and 5).

    Of nodes that stand alone, the same hash means the same statements about each, so that either may be first. Misfit
    where others tie, since what is said of their neighbours would decide.
    """
    places: dict[str, list[int]] = {}
    for n, found in enumerate(hashes):
        places.setdefault(found, []).append(n)
    if any(len(group) > 1 and not all(alone[n] for n in group) for group in places.values()):
        raise Misfit
    order = sorted(places.items(), key=lambda pair: (len(pair[1]) > 1, pair[0]))
    labels = [b""] * len(hashes)
    for label, n in enumerate(n for _, group in order for n in group):
        labels[n] = b"c14n%d" % label
    return labels


_KNOWN = {
    "J": b"".join,
    "sha256": hashlib.sha256,
    "bad": _NOT_IN_IRI.search,
    "odd": TO_ESCAPE.search,
    "never": UNSAFE.search,
    "escape": escape_text,
    "real": _real,
    "tied": _tied,
    "MOST": 2**53,
}
"""What generated code may name besides its own constants."""


def _filling(lines: list[Line], *, whole: bool) -> _Code:
    """From values in UTF-8 to the canonical text (`whole`), or to its SHA-256."""
    code = _keeping_apart(lines)
    blanks = sorted(
        {part.number for line in lines for term in line for part in term if isinstance(part, _Part) and part.blank}
    )
    for number in blanks:
        _first_degree(number, lines, code)
    if blanks:
        # Twins, which always tie, come last; they are the usual tie, and where they are the only one all is known.
        twins = _twins(blanks, lines)
        others = [n for n in blanks if n not in twins]
        labels = [b"c14n%d" % n for n in range(len(blanks))]
        hashes = "".join(f"h{n}, " for n in blanks)
        sorts = "".join(f"h{n}, " for n in others)
        code.add(f"L = dict(zip(sorted(({sorts})), {code.constant(labels[: len(others)])}))")
        apart = f" and h{twins[0]} not in L" if twins else ""
        code.add(f"if len(L) == {len(others)}{apart}:")
        for n in others:
            code.add(f"b{n} = L[h{n}]", 1)
        for label, n in zip(labels[len(others) :], twins, strict=True):
            code.add(f"b{n} = {label!r}", 1)
        alone = code.constant([_alone(n, lines) for n in blanks])
        code.add(f"else: {''.join(f'b{n}, ' for n in blanks)} = tied(({hashes}), {alone})")
    lead, pieces = _arrange(lines)
    if whole:
        code.add(f"return {_join([repr(lead.encode()), *pieces])}")
    elif pieces:
        started = code.constant(hashlib.sha256(lead.encode()))
        code.add(f"h = {started}.copy()")
        code.add(f"h.update({_join(pieces)})")
        code.add("digest = h.digest()")
    else:
        code.add(f"digest = {code.constant(hashlib.sha256(lead.encode()).digest())}")
    return code


def _twins(blanks: Sequence[int], lines: list[Line]) -> list[int]:
    """The blank nodes, standing alone, of which the same is said whatever the values are, if there is one such set."""
    said: dict[Any, list[int]] = {}
    for number in blanks:
        if _alone(number, lines):
            about = [line for line in lines if any(_Part(number, blank=True) in term for term in line)]
            said.setdefault(frozenset(tuple(_mask(t, number) for t in line) for line in about), []).append(number)
    sets = [numbers for numbers in said.values() if len(numbers) > 1]
    return sets[0] if len(sets) == 1 else []


def _alone(number: int, lines: list[Line]) -> bool:
    """Whether no statement about this blank node has another one in it."""
    blanks = [{part.number for t in line for part in t if isinstance(part, _Part) and part.blank} for line in lines]
    return all(found == {number} for found in blanks if number in found)


def _keeping_apart(lines: list[Line]) -> _Code:
    """Rule 3: nodes and statements that were different have to stay so."""
    code = _Code()
    subjects = sorted({line[0] for line in lines if not _is_blank(line[0])}, key=repr)
    alike = [a for a in subjects if any(a is not b and _order(a, b) == 0 for b in subjects)]
    if alike:
        shown = "".join(f"{_join(_elements([term]))}, " for term in alike)
        code.add(f"if len({{{shown}}}) != {len(alike)}: raise Misfit")
    for group in _could_be_one(lines):
        shown = "".join(f"{_join(_elements([line[2]]))}, " for line in group)
        code.add(f"if len({{{shown}}}) != {len(group)}: raise Misfit")
    return code


def _could_be_one(lines: list[Line]) -> list[list[Line]]:
    """Groups of statements that could become one when their slots are filled."""
    groups: dict[Any, list[Line]] = {}
    for line in lines:
        if not _is_blank(line[2]):
            groups.setdefault((line[0], line[1], line[3], _ends(line[2])), []).append(line)
    return [group for group in groups.values() if len(group) > 1 and any(len(line[2]) > 1 for line in group)]


def _first_degree(number: int, lines: list[Line], code: _Code) -> None:
    """`h<number>`: the Hash First Degree Quads of a blank node (RDFC-1.0 section 4.6.3)."""
    texts = []
    for line in lines:
        if any(isinstance(part, _Part) and part.blank and part.number == number for term in line for part in term):
            masked = tuple(_mask(term, number) for term in line)
            texts.append(_text((masked[0], masked[1], masked[2], masked[3])))
    ordered = [[texts[n] for n in run] for run in _runs(texts)]
    if all(map(_constant, ordered)):
        plain = "".join(str(part) for run in ordered for part in run[0])
        code.add(f"h{number} = {hashlib.sha256(plain.encode()).hexdigest()!r}")
        return
    code.add(f"h{number} = sha256({_join(_in_order(ordered))}).hexdigest()")


def _mask(term: Term, number: int) -> Term:
    if not term or not _is_blank(term):
        return term
    part = term[1]
    assert isinstance(part, _Part)
    return ("_:a",) if part.number == number else ("_:z",)


def _arrange(lines: list[Line]) -> tuple[str, list[str]]:
    """(constant text at the beginning, expressions for the rest): the lines in their order, which is fixed here
    where it does not depend on values, and sorted at run time where it does.
    """

    chunks: dict[Term, list[Text]] = {}
    for line in lines:
        chunks.setdefault(line[0], []).append(_text(line))
    subjects = list(chunks)
    lead, rest, pieces = "", False, []
    for run in _runs([(*subject, " ") for subject in subjects]):
        shown = []
        for subject in (subjects[n] for n in run):
            ordered = [[chunks[subject][n] for n in inner] for inner in _runs(chunks[subject])]
            while not rest and len(run) == 1 and ordered and _constant(ordered[0]):
                lead += "".join(str(part) for part in ordered.pop(0)[0])
            rest = rest or bool(ordered)
            if ordered:
                shown.append(_in_order(ordered))
        if len(shown) > 1:
            pieces.append(f"*sorted(({''.join(f'{_join(elements)}, ' for elements in shown)}))")
        elif shown:
            pieces.extend(shown[0])
    return lead, pieces


def _constant(run: list[Text]) -> bool:
    return len(run) == 1 and all(isinstance(part, str) for part in run[0])


def _in_order(runs: list[list[Text]]) -> list[str]:
    """Expressions for lines in their order, sorted where that depends on values."""
    pieces: list[str] = []
    plain: list[Text] = []
    for run in runs:
        if len(run) == 1:
            plain.append(run[0])
            continue
        pieces += [*_elements(plain), f"*sorted(({''.join(f'{_join(_elements([text]))}, ' for text in run)}))"]
        plain = []
    return [*pieces, *_elements(plain)]
