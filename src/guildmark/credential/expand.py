"""JSON-LD to statements in one pass, for documents as credentials are: an expander over processed contexts.

Expanding spends its time on contexts: which term means what here, after the contexts of the document, of its types
and of the terms on the way. That does not depend on the values. So it is worked out once (`Scope`), and a document
is then read in one pass that writes its statements as it goes (JSON-LD 1.1 API, sections 5.1 and 8.1 to 8.3).

Rules:

1. what a context means is PyLD's word and not ours (`Scope` asks its context processing and its IRI expansion):
   there is one reading of contexts, and a change of a protected term is refused by the same code;
2. what is not read here is left to PyLD altogether (`Beyond`), never read in part: keywords as keys, but for
   `@context` and text with `@value` and `@language`; contexts that are written out; terms for other keywords than
   `@id` and `@type`; terms with `@reverse`, `@nest`, `@direction` or the containers `@language`, `@index`, `@id` and
   `@type`; graphs of anything but objects; lists in lists; contexts with `@import`; and whatever is wrong;
3. what is read here has the same statements, in the same order, and the same losses as by PyLD. Where two terms of
   one object mean the same, the order may differ.
"""

from __future__ import annotations

import math
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from guildmark.core.codecs import jcs
from guildmark.core.errors import BrokenInput
from guildmark.credential.rdfc import XSD_STRING, Quad, escape_text, literal

MOST_VALUES = 50_000
"""Members and values that a document may have; PyLD takes about 0.1 ms each. A large transcript has 5,000."""

DEEPEST = 100
"""Levels of objects and lists, as `core.codecs.parse_json` has them; a transcript of transcripts has some 20."""

MOST_SCOPES = 400
"""Scopes that are kept for a set of contexts, some 20 KB each; what credentials use are a few dozen."""

_MOST_KEPT = 64
"""Answers of one kind that a scope keeps for what documents write in it."""

BASE = "relative://document/"
"""What relative addresses are resolved against, so that they are recognised afterwards: without a base, PyLD takes
http://example.org/base/ and makes them look absolute.
"""

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
XSD = "http://www.w3.org/2001/XMLSchema#"
RDF_TYPE = f"<{RDF}type>"
_FIRST, _REST, _NIL = f"<{RDF}first>", f"<{RDF}rest>", f"<{RDF}nil>"

ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\x00-\x20<>\"{}|^`\\]*\Z")
LANGUAGE = re.compile(r"[a-zA-Z]{1,8}(-[a-zA-Z0-9]{1,8})*\Z")

SURROGATE = re.compile("[\ud800-\udfff]")

NOT_TEXT = {"boolean", "integer", "nonNegativeInteger", "positiveInteger", "decimal", "float", "double"}
"""Types of XML Schema that JSON writes without quotation marks; contexts name them with http and with https."""

_OB = "https://purl.imsglobal.org/spec/vc/ob/vocab.html#"
_ENDORSEMENT = f"{_OB}EndorsementSubject"
_OF_ENDORSEMENTS = {"@id", "@type", f"{_OB}endorsementComment"}


def credential_like(kinds: object) -> bool:
    """Whether this `type` is a credential's, or of one packed in a token: each brings its own context (VC Data Model
    2.0, 4.13).
    """
    return any(
        kind in ("VerifiableCredential", "EnvelopedVerifiableCredential")
        for kind in (kinds if isinstance(kinds, list) else [kinds])
    )


def only_endorses(keys: set[str], kinds: object) -> bool:
    """Whether a node of these expanded keys and types is the subject of an endorsement and nothing else: one inside
    a credential may be about the credential, and hides nothing that a reader looks for at its top.
    """
    return kinds == [_ENDORSEMENT] and keys <= _OF_ENDORSEMENTS


def native(raw: bool | int | float, datatype: str | None) -> str:
    """A truth value or a number as a literal (JSON-LD 1.1 API section 8.2.2), of `datatype` or else of its own."""
    if isinstance(raw, bool):
        return literal("true" if raw else "false", datatype or f"{XSD}boolean")
    if _is_double(raw) or datatype == f"{XSD}double":
        return literal(double_text(float(raw)), datatype or f"{XSD}double")
    return literal(str(int(raw)), datatype or f"{XSD}integer")


def _is_double(number: int | float) -> bool:
    """JSON-LD knows one kind of number, as JavaScript does: 3.0 is the integer 3."""
    return number != int(number) or abs(number) >= 1e21


def double_text(number: float) -> str:
    """The canonical form of a double (JSON-LD 1.1 API section 8.6): 5.5 is 5.5E0, 5 is 5.0E0."""
    mantissa, _, exponent = f"{number:.15e}".partition("e")
    whole, _, fraction = mantissa.partition(".")
    return f"{whole}.{fraction.rstrip('0') or '0'}E{int(exponent)}"


def not_a_name(text: str) -> str:
    """The loss when `text` should name something and does not."""
    what = "names a blank node" if text.startswith("_:") else "is not an absolute URL"
    return f"“{text.removeprefix(BASE)}” {what}"


def told_as_text(text: str) -> str:
    """The loss when a text has a type of numbers or truth values."""
    return f"“{text}” is text where a number or a truth value stands"


ABOUT_THE_WHOLE = "a part of it makes statements about the whole"


class Beyond(Exception):
    """The document has something that is not read here (rule 2)."""


@dataclass(slots=True)
class Reading:
    """What a document says, and what of it was lost. `doubtful`: its form and its types have to be looked at as
    well, for there is something that may be a loss of form, or that was not looked into.
    """

    quads: list[Quad]
    dropped: list[str]
    losses: list[str]
    doubtful: bool


class Expander:
    """Reads documents under a set of contexts. Several threads may use it; what it keeps is bounded by MOST_SCOPES:
    when there are more, it begins anew.
    """

    def __init__(self, documents: Mapping[str, Mapping[str, Any]]) -> None:
        from pyld.context_resolver import ContextResolver
        from pyld.jsonld import JsonLdError, JsonLdProcessor

        def load(url: str, _options: Any) -> dict[str, Any]:
            if url not in documents:
                raise JsonLdError("not known here", "guildmark.UnknownContext", {"url": url})
            return {"contextUrl": None, "documentUrl": url, "document": documents[url], "tag": "static"}

        self.documents = documents
        self.pyld = JsonLdProcessor()
        self.value_of = JsonLdProcessor.get_context_value
        self._lock = threading.Lock()
        self._load = load
        self._resolver = ContextResolver
        self._importing = any(_has_import(document) for document in documents.values())
        self._begin()

    def _begin(self) -> None:
        self.made = 0
        options = {"base": BASE, "documentLoader": self._load, "processingMode": "json-ld-1.1"}
        self._options = {**options, "contextResolver": self._resolver({}, self._load), "isFrame": False}
        self._root = Scope(self, self.pyld._get_initial_context(self._options), None)

    def read(self, document: Mapping[str, Any]) -> Reading:
        """The statements of a document. Beyond if it has something that is not read here; half a microsecond a
        value once its contexts are known, some 10 ms before.
        """
        if self._importing or type(document) is not dict:
            raise Beyond("its contexts import others, or it is no plain dict")
        if self.made >= MOST_SCOPES:
            with self._lock:
                self._begin()
        reader = _Reader()
        try:
            reader.document(document, self._root)
        except RecursionError as problem:
            raise Beyond("nests too deep for this stack") from problem
        return Reading(reader.quads, reader.dropped, reader.losses, reader.doubtful)

    def process(self, active: Any, local: Any, *, override: bool = False, propagate: bool = True) -> Any:
        """The context that `local` makes of the active one (JSON-LD 1.1 API section 4.1)."""
        if self.made >= MOST_SCOPES:
            raise Beyond("has too many contexts of its own")
        with self._lock:  # PyLD's resolver bears one thread at a time
            try:
                return self.pyld._process_context(
                    active, local, self._options, override_protected=override, propagate=propagate
                )
            except Exception as problem:  # whatever it is, reading the document by PyLD gives it its sentence
                raise Beyond("has a context that cannot be processed") from problem

    def iri(self, active: Any, text: str, **how: Any) -> Any:
        """The expansion of a term, a compact IRI or an address (JSON-LD 1.1 API section 5.2)."""
        try:
            return self.pyld._expand_iri(active, text, **how)
        except Exception as problem:
            raise Beyond("has a name that cannot be expanded") from problem


def _has_import(document: Any) -> bool:
    waiting = [document]
    while waiting:
        item = waiting.pop()
        if isinstance(item, Mapping):
            if "@import" in item:
                return True
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)
    return False


_SKIPPED, _DROPPED, _ID, _TYPE, _PROPERTY, _JSON = range(6)
_PLAIN, _GRAPH, _LIST = range(3)


class _Term:
    """What a key means in a scope: its kind and, of a property, all that its values need."""

    __slots__ = (
        "container",
        "datatype",
        "doubtful",
        "end",
        "inside",
        "kind",
        "name",
        "names",
        "not_text",
        "predicate",
        "reference",
        "scope",
        "scoped",
    )

    def __init__(self, kind: int, *, name: str = "", doubtful: bool = False) -> None:
        self.kind = kind
        self.name = name  # the IRI; of what is dropped, what it is called in the loss
        self.doubtful = doubtful
        self.predicate = ""
        self.container = _PLAIN
        self.end = ""  # what follows the text in a literal, from its closing quotation mark on
        self.names = ""  # "@id" or "@vocab" if a text names something
        self.datatype: str | None = None
        self.not_text = False
        self.scoped = False
        self.scope: Scope  # in which its values are read
        self.inside: Scope  # in which the members of an object are read
        self.reference: Scope  # the same for an object with nothing but an id


_CONTEXT = _Term(_SKIPPED)


class Scope:
    """An active context, and what was worked out of it."""

    __slots__ = (
        "_by_context",
        "_by_types",
        "_iris",
        "_typed",
        "active",
        "expander",
        "ids",
        "kinds",
        "prefixes",
        "previous",
        "terms",
        "values",
    )

    def __init__(self, expander: Expander, active: Any, previous: Scope | None) -> None:
        self.expander = expander
        self.active = active
        self.previous = previous  # where objects below go back to, after a context of types (section 4.1.2)
        mappings = active["mappings"]
        self.ids = [key for key, of in mappings.items() if of and of["@id"] == "@id"]
        self.kinds = [key for key, of in mappings.items() if of and of["@id"] == "@type" and key != "@type"]
        self.values = [key for key, of in mappings.items() if of and of["@id"] == "@value"]
        self.prefixes = {key for key, of in mappings.items() if of and of["_prefix"]}
        self.terms: dict[str, _Term] = {"@context": _CONTEXT}
        self._by_context: dict[Any, Scope] = {}
        self._by_types: dict[tuple[str, ...], Scope] = {}
        self._typed: dict[Any, tuple[Scope, list[Any], bool]] = {}
        self._iris: dict[str, Any] = {}

    def _next(self, local: Any, *, override: bool = False, propagate: bool = True) -> Scope:
        active = self.expander.process(self.active, local, override=override, propagate=propagate)
        before = active.get("previousContext")
        if before is None:
            previous = None
        elif before is self.active:
            previous = self
        elif self.previous is not None and before is self.previous.active:
            previous = self.previous
        else:
            raise Beyond("goes back to a context that is not at hand")
        found = Scope(self.expander, active, previous)
        if found.says_the_same(self):
            return self  # a credential in a credential repeats its contexts: so there is one scope at any depth
        self.expander.made += 1
        return found

    def _value(self, key: str, what: str) -> Any:
        return self.expander.value_of(self.active, key, what)

    def local(self, written: Any) -> Scope:
        """The scope after the `@context` of an object: addresses that are known, at most a handful."""
        key = tuple(written) if type(written) is list else written
        try:
            found = self._by_context.get(key)
        except TypeError as problem:
            raise Beyond("writes out a context") from problem
        if found is None:
            entries = written if type(written) is list else [written]
            known = self.expander.documents
            if not 1 <= len(entries) <= 16 or not all(type(e) is str and e in known for e in entries):
                raise Beyond("has contexts that are not known, or many")
            found = self._next(written)
            if len(self._by_context) < _MOST_KEPT:
                self._by_context[key] = found
        return found

    def says_the_same(self, other: Scope) -> bool:
        """Whether two active contexts differ in nothing but PyLD's number for them."""
        a, b = self.active, other.active
        return (
            set(a) == set(b)
            and all(a[key] == b[key] for key in a if key not in ("_uuid", "previousContext"))
            and (self.previous is other.previous)
        )

    def typed(self, written: Any) -> tuple[Scope, list[Any], bool]:
        """The scope after the contexts of these types, the types expanded, and whether one has a colon."""
        key = tuple(written) if type(written) is list else written
        try:
            found = self._typed.get(key)
        except TypeError as problem:
            raise Beyond("has a type that is no text") from problem
        if found is None:
            names = written if type(written) is list else [written]
            if not all(type(name) is str for name in names):
                raise Beyond("has a type that is no text")
            colon = any(":" in name or not name.isprintable() for name in names)
            found = (self._after(sorted(names)), [self.iri(name) for name in names], colon)
            if None in found[1]:
                raise Beyond("has a type that the context takes back")
            if len(names) <= 8 and len(self._typed) < _MOST_KEPT and all(n in self.active["mappings"] for n in names):
                self._typed[key] = found
        return found

    def _after(self, names: list[str]) -> Scope:
        scope: Scope = self
        path: tuple[str, ...] = ()
        for name in names:
            context = self._value(name, "@context")
            if context is None or context is False:
                continue
            path += (name,)
            after = self._by_types.get(path)
            if after is None:
                after = self._by_types[path] = scope._next(context, propagate=False)
            scope = after
        return scope

    def iri(self, name: str) -> Any:
        """The expansion of a type, or of a value that is one of a vocabulary."""
        found = self._iris.get(name)
        if found is None:
            found = self.expander.iri(self.active, name, vocab=True, base=BASE)
            if name in self.active["mappings"]:
                self._iris[name] = found
        return found

    def address(self, text: str) -> Any:
        """The expansion of an id."""
        return self.expander.iri(self.active, text, base=BASE)

    def term(self, key: str) -> _Term:
        """What a key means; kept if it is defined here."""
        if type(key) is not str or key.startswith("@"):
            raise Beyond("has a key that is JSON-LD syntax")
        term = self._term(key)
        if key in self.active["mappings"]:
            self.terms[key] = term
        return term

    def _term(self, key: str) -> _Term:
        from pyld.jsonld import _is_absolute_iri, _is_keyword

        expander = self.expander
        doubtful = ":" in key or not key.isprintable()
        expanded = expander.iri(self.active, key, vocab=True)
        if _is_keyword(expanded):
            if expanded not in ("@id", "@type"):
                raise Beyond("has a term for a keyword")
            return _Term(_ID if expanded == "@id" else _TYPE, name=expanded, doubtful=doubtful)
        if expanded is None or not _is_absolute_iri(expanded):
            return _Term(_DROPPED, name=str(expanded), doubtful=True)
        if not ABSOLUTE.match(expanded) or expanded.startswith("relative:"):
            raise Beyond("has a term that is no absolute IRI")
        term = _Term(_PROPERTY, name=expanded, doubtful=doubtful or key == "type")
        term.predicate = f"<{expanded}>"
        term.container = self._container(key)
        context = self._value(key, "@context")
        term.scope = self if context is None else self._next(context, override=True)
        term.scoped = context is not None
        if self._value(key, "@type") == "@json":
            if term.container != _PLAIN or term.scoped or self._value(key, "reverse"):
                raise Beyond("has JSON in a container")
            term.kind, term.doubtful = _JSON, True
            return term
        term.scope._complete(term, key)
        return term

    def _container(self, key: str) -> int:
        containers = set(self._value(key, "@container") or ())
        if containers <= {"@set"}:
            return _PLAIN
        if containers <= {"@set", "@graph"}:
            return _GRAPH
        if containers == {"@list"}:
            return _LIST
        raise Beyond("has a container that is not read here")

    def _complete(self, term: _Term, key: str) -> None:
        """What the values of a term need, in the scope in which they are read (sections 5.1.2 and 5.3.2)."""
        if self._value(key, "reverse") or self._value(key, "@direction") is not None:
            raise Beyond("has a term that is not read here")
        if str(self.expander.iri(self.active, key, vocab=True)).startswith("@"):
            raise Beyond("has a term that becomes a keyword inside")
        kind, language = self._value(key, "@type"), self._value(key, "@language")
        if kind in ("@id", "@vocab"):
            term.names = kind
        elif kind == "@json":
            raise Beyond("has JSON that its own context makes")
        elif kind is not None and kind != "@none":
            if not ABSOLUTE.match(kind) or kind.startswith("relative:"):
                raise Beyond("has a type of values that is no absolute IRI")
            term.datatype = kind
            term.not_text = kind.rpartition("#")[2] in NOT_TEXT
            term.end = '"' if kind == XSD_STRING else f'"^^<{kind}>'
        elif language:
            if not LANGUAGE.match(language):
                raise Beyond("has a language that is none")
            term.end = f'"@{language}'
        else:
            term.end = '"'
        self._enter(term, key)

    def _enter(self, term: _Term, key: str) -> None:
        """Objects go back to before the contexts of types; then the term's own context is read once more, as it is
        in this scope (section 5.1.2, steps 7 and 8).
        """
        context = self._value(key, "@context")
        before = self if self.previous is None else self.previous
        term.reference, term.inside = self, before
        if context is not None:
            term.reference = self._next(context, override=True)
            term.inside = term.reference if before is self else before._next(context, override=True)


class _Reader:
    """One document on its way to statements."""

    __slots__ = ("blanks", "count", "doubtful", "dropped", "losses", "quads", "root")

    def __init__(self) -> None:
        self.quads: list[Quad] = []
        self.dropped: list[str] = []
        self.losses: list[str] = []
        self.doubtful = False
        self.blanks = 0
        self.count = 1
        self.root: str | None = None

    def document(self, document: dict[str, Any], root: Scope) -> None:
        self.node(document, root, "", 0, top=True)
        if not self.quads:
            scope, _, kinds = self._enter(document, root, True)
            if _keys(document, scope, kinds) <= {"@id"}:
                self.losses.clear()  # a document that says nothing, or only what it is called, expands to nothing

    def _count(self, values: int) -> None:
        self.count += values
        if self.count > MOST_VALUES:
            raise Beyond("has too many values")

    def blank(self) -> str:
        self.blanks += 1
        return f"_:n{self.blanks}"

    def node(self, item: dict[str, Any], scope: Scope, graph: str, level: int, top: bool = False) -> str:
        """The statements about an object in a scope; the term by which others refer to it."""
        self._count(len(item))
        if level + 3 > DEEPEST:  # a list, texts with a language in it, and what they hold
            raise Beyond("nests too deep")
        scope, named, kinds = self._enter(item, scope, top)
        subject = (self.address(named, scope) if named is not None else None) or self.blank()
        if top:
            self.root = subject if named is not None else None
        elif subject == self.root and not graph and len(item) > 1:
            self._about_the_whole(item, scope, kinds)
        terms, quads = scope.terms, self.quads
        try:
            keys = sorted(item)
        except TypeError as problem:
            raise Beyond("has a key that is no text") from problem
        for key in keys:
            term = terms.get(key) or scope.term(key)
            if term.doubtful:
                self.doubtful = True
            if term.kind == _PROPERTY:
                value = item[key]
                of = type(value)
                if of is str and not term.container:
                    quads.append((subject, term.predicate, self.text(term, value), graph))
                elif of is list or term.container:
                    self.many(subject, term, value, graph, level + 1)
                elif value is None:
                    self.doubtful = True
                else:
                    found = self.value(term, value, graph, level + 1)
                    if found is not None:
                        quads.append((subject, term.predicate, found, graph))
            elif term.kind == _TYPE:
                for kind in kinds:
                    name = self.name(kind)
                    if name is not None:
                        quads.append((subject, RDF_TYPE, name, graph))
            elif term.kind == _DROPPED:
                self.dropped.append(term.name)
            elif term.kind == _JSON:
                quads.append((subject, term.predicate, _json(item[key]), graph))
        return subject

    def _enter(self, item: dict[str, Any], scope: Scope, top: bool) -> tuple[Scope, str | None, list[Any]]:
        """The scope of an object's members, its id and its expanded types (section 5.1.2, steps 9 to 11)."""
        if "@context" in item:
            scope = scope.local(item["@context"])
            if not top and not credential_like(item.get("type")):
                self.doubtful = True
        kinds: list[Any] = []
        written = [key for key in scope.kinds if key in item]
        if written:
            if len(written) > 1:
                raise Beyond("gives its types under two keys")
            types = item[written[0]]
            if type(types) is list:
                self._count(len(types))
            scope, kinds, doubtful = scope.typed(types)
            if doubtful:
                self.doubtful = True
        if [key for key in scope.kinds if key in item] != written:
            raise Beyond("has types whose contexts change what a type is")
        named = [key for key in scope.ids if key in item]
        if not named:
            return scope, None, kinds
        if len(named) > 1 or type(item[named[0]]) is not str:
            raise Beyond("has two ids, or one that is no text")
        return scope, item[named[0]], kinds

    def _about_the_whole(self, item: dict[str, Any], scope: Scope, kinds: list[Any]) -> None:
        keys = _keys(item, scope, kinds)
        if len(keys) > 1 and not only_endorses(keys, kinds):
            self.losses.append(ABOUT_THE_WHOLE)

    def many(self, subject: str, term: _Term, value: Any, graph: str, level: int) -> None:
        """The statements of a list of values, and of any value of a term that makes graphs or lists."""
        if value is None:
            self.doubtful = True
            return
        if type(value) is list:
            self._count(len(value))
            level += 1
            if None in value:
                self.doubtful = True
                value = [entry for entry in value if entry is not None]
        else:
            value = [value]
        if term.container == _LIST:
            self.quads.append((subject, term.predicate, self.list(term, value, graph, level), graph))
            return
        found: str | None
        for entry in value:
            if term.container == _GRAPH:
                if type(entry) is not dict or "@value" in entry:
                    raise Beyond("has a graph of something else than objects")
                found = self.blank()
                self.value(term, entry, found, level)
            elif type(entry) is str:
                found = self.text(term, entry)
            else:
                found = self.value(term, entry, graph, level)
            if found is not None:
                self.quads.append((subject, term.predicate, found, graph))

    def list(self, term: _Term, items: list[Any], graph: str, level: int) -> str:
        """The cells of an ordered list, from its end; what is dropped is told from its beginning."""
        rest, told = _NIL, []
        begin = len(self.dropped)
        for item in reversed(items):
            found, cell = self.value(term, item, graph, level), self.blank()
            told.append(self.dropped[begin:])
            del self.dropped[begin:]
            if found is not None:
                self.quads.append((cell, _FIRST, found, graph))
            self.quads.append((cell, _REST, rest, graph))
            rest = cell
        for dropped in reversed(told):
            self.dropped += dropped
        return rest

    def value(self, term: _Term, value: Any, graph: str, level: int) -> str | None:
        """The term of one value; None if it has none, which is a loss."""
        of = type(value)
        if of is str:
            return self.text(term, value)
        if of is dict:
            if "@value" in value:
                return self.tagged(term, value)
            if term.scope.previous is not None and len(value) <= 2 and "@context" not in value:
                return self.node(value, self._short(term, value), graph, level)
            return self.node(value, term.inside, graph, level)
        if of is bool:
            return native(value, term.datatype)
        if of is int:
            if abs(value) >= 2**53:
                self.doubtful = True
                if abs(value) >= 10**300:
                    raise Beyond("has a number that is too large")
            return native(value, term.datatype)
        if of is float:
            if not math.isfinite(value):
                raise Beyond("has a number that is none")
            if value != float(f"{value:.15e}"):
                self.doubtful = True
            return native(value, term.datatype)
        raise Beyond("has a list in a list, or a value that is not JSON")

    def _short(self, term: _Term, item: dict[str, Any]) -> Scope:
        """The scope of an object that may be nothing but a reference or a value: those stay in the contexts of types
        (section 5.1.2, step 7).
        """
        scope = term.scope
        for key in item:
            if key in scope.values:
                raise Beyond("has a value that is written out")
            if key in scope.ids and len(item) == 1:
                return term.reference
        return term.inside

    def tagged(self, term: _Term, item: dict[str, Any]) -> str | None:
        """Text with its language."""
        text, language = item.get("@value"), item.get("@language")
        if len(item) != 2 or type(text) is not str or type(language) is not str or term.scoped:
            raise Beyond("has a value that is written out")
        self._count(2)
        if not text.isprintable() or not language.isprintable():
            self.doubtful = True
        language = language.lower()
        if language and not LANGUAGE.match(language):
            self.losses.append(f"“{language}” is not a language")
            return None
        return literal(text, XSD_STRING, language)

    def text(self, term: _Term, text: str) -> str:
        """The term of a text: a literal, or what it names."""
        if term.names:
            if term.names == "@id":
                return self.address(text, term.scope) or self.blank()
            expanded = term.scope.iri(text)
            if not text.isprintable():
                self.doubtful = True
            if type(expanded) is not str:
                raise Beyond("names something that the context takes back")
            return self.name(expanded) or self.blank()
        if term.not_text:
            self.losses.append(told_as_text(text))
        # All that needs an escape is not printable, but for these two; so are surrogates, which are refused.
        if text.isprintable():
            if '"' not in text and "\\" not in text:
                return f'"{text}{term.end}'
        elif SURROGATE.search(text):
            self.doubtful = True
        return f'"{escape_text(text)}{term.end}'

    def address(self, text: str, scope: Scope) -> str | None:
        """What an id names; None if it is no absolute address, which is a loss."""
        if text.isascii() and ABSOLUTE.match(text) and text.partition(":")[0] not in scope.prefixes:
            if not text.startswith("relative:"):
                return f"<{text}>"
        elif not text.isprintable():
            self.doubtful = True
        return self.name(scope.address(text))

    def name(self, expanded: Any) -> str | None:
        """An IRI as a term; None if it is none that is absolute, which is a loss."""
        text = str(expanded)
        if type(expanded) is str and ABSOLUTE.match(text) and not text.startswith("relative:"):
            return f"<{text}>"
        self.losses.append(not_a_name(text))
        return None


def _keys(item: dict[str, Any], scope: Scope, kinds: list[Any]) -> set[str]:
    """The keys that an object has once it is expanded."""
    keys = set()
    for key, value in item.items():
        term = scope.terms.get(key) or scope.term(key)
        held = (
            term.kind in (_ID, _JSON)
            or (term.kind == _TYPE and kinds)
            or (term.kind == _PROPERTY and value is not None)
        )
        if held:
            keys.add(term.name)
    return keys


def _json(value: Any) -> str:
    try:
        return literal(jcs(value).decode("utf-8"), f"{RDF}JSON")
    except BrokenInput as problem:
        raise Beyond("has JSON that cannot be written") from problem
