"""RDF Dataset Canonicalization, RDFC-1.0: blank nodes get names that depend on the graph alone.

A quad is four strings, each the canonical N-Quads form of a term (`<iri>`, `_:label`, `"text"^^<type>`), the
graph "" for the default graph. `canonicalize` returns the sorted lines that a signature covers.

Rules (W3C RDF Dataset Canonicalization, section 4; step numbers in the code are those of the Recommendation):

1. a blank node whose first-degree hash is unique is named at once, in order of the hashes (4.4.3 step 4,
   4.6);
2. those that tie are told apart by the paths to their neighbours, the least path winning (4.4.3 step 5, 4.8);
3. the work of rule 2 can grow as a factorial, so it is counted, and a graph that asks for too much is refused
   before it costs more than some 50 ms (section 7.1 asks for such a limit).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import permutations

from guildmark.core.errors import BrokenInput

Quad = tuple[str, str, str, str]

XSD_STRING = "http://www.w3.org/2001/XMLSchema#string"

MOST_WORK = 10_000
"""Steps of rule 2 that a dataset may take, some 1.5 microseconds each. The hardest dataset of W3C's suite
that is not made to be refused takes 6,144; the largest official badge takes fewer than 200.
"""

_DEEPEST = 150
"""How far rule 2 follows neighbours of neighbours; each step is a few Python frames of the thousand there
are.
"""


class TooMuchWork(BrokenInput):
    """The blank nodes of the document are so alike that naming them would take too long: refused."""

    def __init__(self) -> None:
        super().__init__(
            "its unnamed parts are so alike that telling them apart takes too much work",
            hint="give them ids; documents like this are also made on purpose, to stall verifiers",
        )


_ESCAPES = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r"}
TO_ESCAPE = re.compile('["\\\\\x00-\x1f\x7f\ufffe\uffff]')


def literal(text: str, datatype: str = XSD_STRING, language: str = "") -> str:
    """A literal in canonical N-Quads (RDF 1.2 N-Quads, canonical form): short escapes, then `\\u` for other
    controls.
    """
    escaped = escape_text(text)
    if language:
        return f'"{escaped}"@{language}'
    return f'"{escaped}"' if datatype == XSD_STRING else f'"{escaped}"^^<{datatype}>'


def escape_text(text: str) -> str:
    """The text of a literal as canonical N-Quads write it between the quotation marks."""
    return TO_ESCAPE.sub(lambda m: _ESCAPES.get(m[0]) or f"\\u{ord(m[0]):04X}", text)


def canonicalize(quads: Iterable[Quad], *, algorithm: str = "sha256", most_work: int = MOST_WORK) -> str:
    """The canonical N-Quads of a dataset; equal for two datasets exactly if they say the same.

    `algorithm` is `sha256` or `sha384` (hashlib's names). Raises TooMuchWork beyond `most_work` steps.

    >>> canonicalize([("_:x", "<http://a/p>", "_:y", ""), ("_:y", "<http://a/q>", '"1"', "")])
    '_:c14n0 <http://a/p> _:c14n1 .\\n_:c14n1 <http://a/q> "1" .\\n'
    """
    statements = set(quads)
    names = canonical_labels(statements, algorithm=algorithm, most_work=most_work)
    named = names.get
    return "".join(sorted([_line(named(s, s), p, named(o, o), named(g, g)) for s, p, o, g in statements]))


def canonical_labels(quads: Iterable[Quad], *, algorithm: str = "sha256", most_work: int = MOST_WORK) -> dict[str, str]:
    """The canonical name of each blank node (`_:n7` -> `_:c14n0`): the issued identifiers map of RDFC-1.0.

    As `canonicalize`, which puts these names into the lines.
    """
    return _Canonicalizer(set(quads), algorithm, most_work).run()


def line(quad: Quad, names: Mapping[str, str]) -> str:
    """A quad as a line of canonical N-Quads, its blank nodes under `names`; one that has none there keeps its
    own.
    """
    s, p, o, g = quad
    return _line(names.get(s, s), p, names.get(o, o), names.get(g, g))


def _blank(term: str) -> bool:
    return term.startswith("_:")


def _line(s: str, p: str, o: str, g: str) -> str:
    return f"{s} {p} {o} {g} .\n" if g else f"{s} {p} {o} .\n"


class _Issuer:
    """Names in the order of asking (4.5); a copy shares nothing."""

    __slots__ = ("issued", "prefix")

    def __init__(self, prefix: str, issued: dict[str, str] | None = None) -> None:
        self.prefix = prefix
        self.issued = {} if issued is None else dict(issued)

    def issue(self, label: str) -> str:
        if label not in self.issued:
            self.issued[label] = f"{self.prefix}{len(self.issued)}"
        return self.issued[label]

    def copy(self) -> _Issuer:
        return _Issuer(self.prefix, self.issued)


class _Canonicalizer:
    def __init__(self, quads: set[Quad], algorithm: str, most_work: int) -> None:
        self.quads = quads
        self.new_hash: Callable[[bytes], hashlib._Hash] = getattr(hashlib, algorithm)
        self.work_left = most_work
        self.canonical = _Issuer("_:c14n")
        self.mentions: dict[str, list[Quad]] = {}
        self.first: dict[str, str] = {}

    def run(self) -> dict[str, str]:
        for quad in self.quads:
            s, _, o, g = quad
            if s.startswith("_:"):
                self.mentions.setdefault(s, []).append(quad)
            if o.startswith("_:") and o != s:
                self.mentions.setdefault(o, []).append(quad)
            if g.startswith("_:") and g != s and g != o:
                self.mentions.setdefault(g, []).append(quad)
        by_hash: dict[str, list[str]] = {}
        for label in self.mentions:
            self.first[label] = self._first_degree(label)
            by_hash.setdefault(self.first[label], []).append(label)
        tied = []
        for digest in sorted(by_hash):
            if len(by_hash[digest]) == 1:
                self.canonical.issue(by_hash[digest][0])
            else:
                tied.append(by_hash[digest])
        for labels in tied:
            self._name_tied(labels)
        return self.canonical.issued

    def _hash(self, text: str) -> str:
        return self.new_hash(text.encode("utf-8")).hexdigest()

    def _first_degree(self, label: str) -> str:
        def mask(term: str) -> str:
            return "_:a" if term == label else "_:z" if term.startswith("_:") else term

        return self._hash("".join(sorted([_line(mask(s), p, mask(o), mask(g)) for s, p, o, g in self.mentions[label]])))

    def _name_tied(self, labels: list[str]) -> None:
        """4.4.3 step 5 for one hash that several nodes share."""
        results = []
        for label in labels:
            if label not in self.canonical.issued:
                issuer = _Issuer("_:b")
                issuer.issue(label)
                results.append(self._n_degree(label, issuer, 0))
        for _, issuer in sorted(results, key=lambda result: result[0]):
            for label in issuer.issued:
                self.canonical.issue(label)

    def _related(self, related: str, predicate: str, position: str, issuer: _Issuer) -> str:
        """4.7: the hash of a neighbour, by the best name it has so far."""
        name = self.canonical.issued.get(related) or issuer.issued.get(related) or self.first[related]
        return self._hash(position + (predicate if position != "g" else "") + name)

    def _neighbours(self, label: str, issuer: _Issuer) -> Iterator[tuple[str, str]]:
        for quad in self.mentions[label]:
            for term, position in ((quad[0], "s"), (quad[2], "o"), (quad[3], "g")):
                if _blank(term) and term != label:
                    self._work(1)
                    yield self._related(term, quad[1], position, issuer), term

    def _work(self, steps: int) -> None:
        self.work_left -= steps
        if self.work_left < 0:
            raise TooMuchWork()

    def _n_degree(self, label: str, issuer: _Issuer, depth: int) -> tuple[str, _Issuer]:
        """4.8: the hash of all paths from `label`, and the names given on the way."""
        if depth > _DEEPEST:
            raise TooMuchWork()
        groups: dict[str, list[str]] = {}
        for digest, term in self._neighbours(label, issuer):
            groups.setdefault(digest, []).append(term)
        data = ""
        for digest in sorted(groups):
            chosen_path, chosen_issuer = self._least_path(groups[digest], issuer, depth)
            data += digest + chosen_path
            issuer = chosen_issuer
        return self._hash(data), issuer

    def _least_path(self, group: list[str], issuer: _Issuer, depth: int) -> tuple[str, _Issuer]:
        """4.8 step 5: over every order of a group of like neighbours. Repeats are kept, equal orders tried
        once.
        """
        chosen_path, chosen_issuer = "", issuer
        seen: set[tuple[str, ...]] = set()
        for order in permutations(group):
            self._work(1)
            if order in seen:
                continue
            seen.add(order)
            found = self._path(order, issuer.copy(), chosen_path, depth)
            if found is not None and (not chosen_path or found[0] < chosen_path):
                chosen_path, chosen_issuer = found
        return chosen_path, chosen_issuer

    def _path(self, order: tuple[str, ...], issuer: _Issuer, best: str, depth: int) -> tuple[str, _Issuer] | None:
        """4.8 steps 5.4.1 to 5.4.5: the path in this order, or None once it cannot be the least."""
        path, to_follow = "", []
        for term in order:
            if term in self.canonical.issued:
                path += self.canonical.issued[term]
            else:
                if term not in issuer.issued:
                    to_follow.append(term)
                path += issuer.issue(term)
            if best and len(path) >= len(best) and path > best:
                return None
        for term in to_follow:
            self._work(1)
            digest, followed = self._n_degree(term, issuer, depth + 1)
            path += issuer.issue(term) + f"<{digest}>"
            issuer = followed
            if best and len(path) >= len(best) and path > best:
                return None
        return path, issuer
