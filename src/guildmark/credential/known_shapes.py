"""The shapes that this process has met, so that the next document of one is hashed without expanding it.

Rules:

1. a shape is compiled when its structure was met often enough (`often`) in documents that lose nothing, since
   compiling costs a hundred times the generic path, some 15 ms;
2. a shape that has fitted many documents is compiled once more with only those values as slots that were seen to
   change: an issuer's badges differ in a dozen values of seventy;
3. what is kept is bounded. When room is needed, the shape that was used least goes; uses count half as much after
   every few admissions. So one who sends many structures in order to flush the others drives out his own.

Everything here is a memory of what the generic path answered; without it every answer is the same, only later.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections import OrderedDict
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any

from guildmark.core.errors import BrokenInput
from guildmark.credential.jsonld import ContextSet
from guildmark.credential.shape import Misfit, NoShape, Path, Shape, common_beginning, compile_shape, leaves, prefix_of

OFTEN = 32
"""Documents of one structure after which it is compiled: by then they have cost half as much as compiling does."""

ENOUGH_TO_NARROW = 24
"""Documents of one shape after which the values that never changed become constants."""

MOST_STRUCTURES = 4096
"""Structures whose meetings are counted."""

MOST_IN_ONE_PLACE = 6
"""Shapes that are tried for one document; each that does not fit costs a microsecond or two."""


@dataclass(eq=False, slots=True)
class Known:
    """A compiled shape and what is known of it. `memory` is for what others derive from the shape alone."""

    shape: Shape
    place: Hashable
    uses: int
    example: Mapping[str, Any] | None  # until it was narrowed
    changed: set[int] = field(default_factory=set)
    seen: list[tuple[Any, ...]] = field(default_factory=list)
    memory: dict[Any, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Fit:
    """A document that fits a known shape: it loses nothing to JSON-LD, these are its values in slot order, and
    this is its hash."""

    known: Known
    values: tuple[Any, ...]
    sha256: bytes


def shapes_under(contexts: ContextSet) -> KnownShapes:
    """The shapes that this process knows under a set of contexts."""
    known = contexts.memory.get("shapes")
    if known is None:
        known = contexts.memory.setdefault("shapes", KnownShapes(contexts, often=OFTEN))
    assert isinstance(known, KnownShapes)
    return known


class KnownShapes:
    """A bounded memory of shapes under one set of contexts; several threads may use it."""

    def __init__(self, contexts: ContextSet, *, often: int, most: int = 256) -> None:
        self.contexts = contexts
        self.often = often
        self.most = most
        self._places: dict[Hashable, list[Known]] = {}
        self._met: OrderedDict[bytes, int] = OrderedDict()
        self._count = self._admitted = 0
        self._lock = threading.Lock()

    def fit(self, document: Any) -> Fit | None:
        """How the document (without its proof) fits a known shape; None if the generic path has to be taken, and
        then `met` should be told.
        """
        for known in self._places.get(_place(document), ()):
            try:
                values, digest = known.shape.fit(document)
            except Misfit:
                continue
            known.uses += 1
            if known.example is not None:
                self._learn(known, values)
            return Fit(known, values, digest)
        return None

    def met(self, document: Mapping[str, Any]) -> None:
        """Tells that the generic path found nothing lost in a document that fitted no shape. Every `often` times
        for one structure this compiles it, which takes some 15 ms.
        """
        key = _structure(document)
        with self._lock:
            count = self._met.pop(key, 0) + 1
            self._met[key] = count
            if len(self._met) > MOST_STRUCTURES:
                self._met.popitem(last=False)
            if count < self.often:
                return
            self._met[key] = 0
        if self.learn(document) is None:
            self._met[key] = -8 * self.often  # it has no shape: not again soon

    def learn(self, document: Mapping[str, Any]) -> Known | None:
        """Compiles the shape of a document at once; None if it has none."""
        try:
            shape = compile_shape(document, self.contexts)
        except (NoShape, BrokenInput):
            return None
        return self._admit(Known(shape, _place(document), self.often, dict(document)))

    def _learn(self, known: Known, values: tuple[Any, ...]) -> None:
        """Rule 2."""
        known.seen.append(values)
        known.changed.update(n for n, (a, b) in enumerate(zip(known.seen[0], values, strict=True)) if a != b)
        if known.uses < self.often + ENOUGH_TO_NARROW:
            return
        (example, known.example), (seen, known.seen) = (known.example, None), (known.seen, [])
        if example is None or len(known.changed) == len(known.shape.paths):
            return
        changing: set[Path] = {known.shape.paths[n] for n in known.changed}
        begin = {
            known.shape.paths[n]: common_beginning([values[n] for values in seen])
            for n in known.changed
            if known.shape.kinds[n] == "iri"
        }
        try:
            shape = compile_shape(example, self.contexts, changes=lambda path, _: path in changing, beginnings=begin)
        except (NoShape, BrokenInput):
            return
        self._admit(Known(shape, known.place, known.uses, None))

    def _admit(self, known: Known) -> Known:
        with self._lock:
            # A new list, since others may be walking along the old one. The narrower a shape, the faster it is.
            here = sorted([*self._places.get(known.place, ()), known], key=lambda other: len(other.shape.paths))
            self._places[known.place] = here
            self._count += 1
            self._admitted += 1
            if len(here) > MOST_IN_ONE_PLACE:
                self._forget(min((k for k in here if k is not known), key=lambda k: k.uses))
            elif self._count > self.most:
                self._forget(
                    min((k for ks in self._places.values() for k in ks if k is not known), key=lambda k: k.uses)
                )
            if self._admitted % 32 == 0:
                for other in (k for ks in self._places.values() for k in ks):
                    other.uses //= 2
        return known

    def _forget(self, known: Known) -> None:
        rest = [other for other in self._places[known.place] if other is not known]
        self._count -= 1
        if rest:
            self._places[known.place] = rest
        else:
            del self._places[known.place]


def _place(document: Any) -> Hashable:
    """Where the shapes of documents like this one are kept: its issuer, its achievement, its number of members."""
    try:
        issuer, subject = document.get("issuer"), document.get("credentialSubject")
        if type(issuer) is dict:
            issuer = issuer.get("id")
        achievement = subject.get("achievement") if type(subject) is dict else None
        if type(achievement) is dict:
            achievement = achievement.get("id")
        place = (issuer, achievement, len(document))
        hash(place)
        return place
    except (AttributeError, TypeError):
        return None


def _structure(document: Mapping[str, Any]) -> bytes:
    """A digest of the keys, kinds of value, contexts and types of a document, and of which addresses are the same."""
    seen: dict[str, int] = {}
    parts: list[Any] = [_place(document)]
    for path, value in leaves(document, everything=True):
        if any(step in ("@context", "type") for step in path):
            parts.append((path, value))
        else:
            which = seen.setdefault(value, len(seen)) if prefix_of(value) else ""
            parts.append((path, type(value).__name__, which))
    return hashlib.sha256(json.dumps(parts, default=str).encode("utf-8", "surrogatepass")).digest()
