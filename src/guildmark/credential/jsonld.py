"""JSON-LD to the statements that a signature covers, and nothing lost on the way.

A signature of an `rdfc` cryptosuite covers RDF statements, not the JSON text. Whatever JSON-LD drops
silently, anyone may add or change afterwards. So every loss is found here and has a name: when signing it is
refused, when verifying it is a finding.

Rules:

1. contexts come from the set shipped here, each pinned by digest; an address that is not in it is not
   fetched, and a context written out in the document is not accepted (Data Integrity 1.0 sections 2.4.1, 4.6
   and 5.14);
2. every member and every type is written as a term of these contexts: no full IRIs of theirs, no JSON-LD
   syntax as keys, no list directly in a list, no text where a number or a truth value stands, since with them
   the same statements could be written so that a reader of the plain JSON does not see them (Data Integrity
   1.0 section 2.4.3);
3. no relative IRIs, no names of blank nodes, no null, no text direction: RDF has no place for them; contexts
   stand at the top of a credential, the document's or an embedded one's, and nowhere else but in a proof that
   repeats them;
4. numbers are those that RDF and JSON print alike: integers below 2**53, fractions of at most 16 digits.

What remains is what JSON-LD calls the same: a value and a list of that value alone or repeated, a set in another
order, an id and an object with nothing but that id, 3 and 3.0, and what is said twice of one thing and then only
once. Readers take these alike.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files
from typing import Any

from guildmark.core.codecs import depth, jcs
from guildmark.core.errors import BrokenInput
from guildmark.credential.expand import (
    ABOUT_THE_WHOLE,
    ABSOLUTE,
    BASE,
    DEEPEST,
    LANGUAGE,
    MOST_VALUES,
    NOT_TEXT,
    RDF,
    RDF_TYPE,
    SURROGATE,
    Beyond,
    Expander,
    credential_like,
    native,
    not_a_name,
    only_endorses,
    told_as_text,
)
from guildmark.credential.expand import double_text as double_text
from guildmark.credential.rdfc import XSD_STRING, Quad, literal

CREDENTIALS_V2 = "https://www.w3.org/ns/credentials/v2"
CREDENTIALS_V1 = "https://www.w3.org/2018/credentials/v1"
OPEN_BADGES = "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"
OB_EXTENSIONS = "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json"
CLR = "https://purl.imsglobal.org/spec/clr/v2p0/context-2.0.1.json"


@dataclass(frozen=True, slots=True)
class ContextSet:
    """Contexts by address. `name` says which revision of Open Badges 3.0.3 is among them.

    `written_out` lets a document write out contexts of its own: whoever does so can give any word any meaning.
    """

    name: str
    documents: Mapping[str, Mapping[str, Any]] = field(repr=False)
    written_out: bool = False
    # What PyLD made of them, once for each thread, since its caches bear only one: half the time of an expansion.
    _made: threading.local = field(default_factory=threading.local, repr=False, compare=False)
    # The expander, and what others keep, see known_shapes.
    memory: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    def plus(self, documents: Mapping[str, Mapping[str, Any]], *, written_out: bool = False) -> ContextSet:
        """A set with more contexts, for the vectors of others. Contexts with `@vocab` hide losses, and written-out
        ones say what they like: not for production.
        """
        return ContextSet(self.name, {**self.documents, **documents}, written_out)


@lru_cache(maxsize=1)
def context_sets() -> tuple[ContextSet, ContextSet]:
    """(current, older): the shipped contexts with each of the two documents served as Open Badges 3.0.3.

    RuntimeError if a file does not have the digest that `contexts/index.json` pins: the installation is
    damaged.
    """
    folder = files("guildmark.credential") / "contexts"
    current: dict[str, Any] = {}
    older: dict[str, Any] = {}
    for row in json.loads((folder / "index.json").read_bytes()):
        document = json.loads((folder / row["file"]).read_bytes())
        if hashlib.sha256(jcs(document)).hexdigest() != row["jcs_sha256"]:
            raise RuntimeError(f"the shipped context {row['file']} is not the one that is pinned: reinstall guildmark")
        if row.get("revision") == "older":
            older[row["url"]] = document
        else:
            current[row["url"]] = document
    return (
        ContextSet("Open Badges 3.0.3 as of June 2026", current),
        ContextSet("Open Badges 3.0.3 as of December 2023", {**current, **older}),
    )


@dataclass(frozen=True, slots=True)
class Dataset:
    """The statements of a document, and what of it they do not carry (empty when nothing is lost)."""

    quads: tuple[Quad, ...]
    losses: tuple[str, ...]


class UnreadableJsonLd(BrokenInput):
    """The document uses a context that is not known here, or breaks a rule of JSON-LD."""


def to_dataset(document: Mapping[str, Any], contexts: ContextSet) -> Dataset:
    """The RDF statements of a JSON-LD document.

    Some 0.1 ms for a badge of 3 KB where `expand.Expander` reads it, forty times as long where PyLD has to.
    UnreadableJsonLd if a context is unknown, redefines a protected term, or the document has too many values.
    """
    try:
        read = _expander(contexts).read(document)
    except Beyond:
        return _by_pyld(document, contexts)
    losses: list[str] = []
    if read.doubtful:
        losses = _losses_of_plain_json(document, contexts)
        _refuse_unknown_contexts(document, contexts)
    losses += [_not_a_term(term) for term in read.dropped]
    losses += read.losses
    return Dataset(tuple(dict.fromkeys(read.quads)), tuple(dict.fromkeys(losses)))


def _expander(contexts: ContextSet) -> Expander:
    expander = contexts.memory.get("expander")
    if expander is None:
        expander = contexts.memory.setdefault("expander", Expander(contexts.documents))
    assert isinstance(expander, Expander)
    return expander


def _by_pyld(document: Mapping[str, Any], contexts: ContextSet) -> Dataset:
    """The same for any document, and what it is measured by."""
    losses = _losses_of_plain_json(document, contexts)
    expanded, dropped = _expand(document, contexts)
    losses += [_not_a_term(term) for term in dropped]
    writer = _Writer(losses)
    for node in expanded:
        writer.document(node)
    return Dataset(tuple(dict.fromkeys(writer.quads)), tuple(dict.fromkeys(losses)))


def _losses_of_plain_json(document: Mapping[str, Any], contexts: ContextSet) -> list[str]:
    if depth(document) > DEEPEST:
        raise UnreadableJsonLd(f"nests deeper than {DEEPEST} levels", hint="is this one credential?")
    return [*_losses_of_form(document), *_losses_of_types(document, contexts)]


def _not_a_term(key: str) -> str:
    return f"“{key}” is not a term of its contexts"


def unknown_contexts(document: Mapping[str, Any], contexts: ContextSet) -> tuple[str, ...]:
    """The `@context` entries, anywhere in the document, that are not in the set; written-out ones as JSON."""
    found: list[str] = []
    for key, value in _members(document):
        if key == "@context":
            for entry in value if isinstance(value, list) else [value]:
                if isinstance(entry, Mapping) and contexts.written_out:
                    continue
                if not isinstance(entry, str):
                    found.append(json.dumps(entry)[:80])
                elif entry not in contexts.documents:
                    found.append(entry)
    return tuple(dict.fromkeys(found))


def _members(document: Any) -> Iterator[tuple[str, Any]]:
    """Every (key, value) of every object in the document, without recursion."""
    waiting = [document]
    while waiting:
        item = waiting.pop()
        if isinstance(item, Mapping):
            for key, value in item.items():
                yield key, value
                if key != "@context":
                    waiting.append(value)
        elif isinstance(item, list):
            waiting.extend(item)


def _proofs_with_its_context(item: Mapping[str, Any]) -> Iterator[int]:
    """The ids (as Python has them) of a document's proofs that repeat its contexts, as `jcs` suites have it: read
    once more, these change nothing.
    """
    if "proof" in item and "@context" in item:
        proofs = item["proof"]
        for proof in proofs if isinstance(proofs, list) else [proofs]:
            if isinstance(proof, Mapping) and proof.get("@context") == item["@context"]:
                yield id(proof)


_VALUE_OBJECT = {"@value", "@language"}
_NEW_COPY = "ask its issuer for a new copy"


def _losses_of_form(document: Mapping[str, Any]) -> Iterator[str]:
    """Rules 2 to 4, as far as the plain JSON shows them. UnreadableJsonLd for more values than
    MOST_VALUES.
    """
    count = 0
    same: set[int] = set()
    waiting: list[Any] = [document]
    while waiting:
        item = waiting.pop()
        count += 1
        if count > MOST_VALUES:
            raise UnreadableJsonLd(f"has more than {MOST_VALUES:,} values", hint="is this one credential?")
        match item:
            case Mapping():
                if (
                    "@context" in item
                    and item is not document
                    and not credential_like(item.get("type"))
                    and id(item) not in same
                ):
                    yield "“@context” stands inside a part of it"
                same.update(_proofs_with_its_context(item))
                for key, value in item.items():
                    if key == "@context":
                        continue
                    if key.startswith("@") and not (key in _VALUE_OBJECT and set(item) >= _VALUE_OBJECT):
                        yield f"“{key}” is JSON-LD syntax and not a term"
                    elif ":" in key:
                        yield f"“{key}” is not written as a term"
                    if value is None:
                        yield f"“{key}” is null"
                    if SURROGATE.search(key):
                        raise UnreadableJsonLd("a key is not valid Unicode", hint="ask its issuer for a new copy")
                    waiting.append(value)
            case list():
                if any(entry is None for entry in item):
                    yield "a list contains null"
                if any(isinstance(entry, list) for entry in item):
                    yield "a list stands directly in a list"
                waiting.extend(item)
            case str():
                if SURROGATE.search(item):
                    raise UnreadableJsonLd("a text is not valid Unicode", hint="ask its issuer for a new copy")
            case bool() | None:
                pass
            case int():
                if abs(item) >= 10**300:
                    raise UnreadableJsonLd("a number is too large to be read", hint="numbers end at about 1e308")
                if abs(item) >= 2**53:
                    yield f"the number {item} is too large to be exact"
            case float():
                if not math.isfinite(item):
                    raise UnreadableJsonLd("a number is too large to be read", hint="numbers end at about 1e308")
                if item != float(f"{item:.15e}"):
                    yield f"the number {item!r} has more than 16 digits"


def _losses_of_types(document: Mapping[str, Any], contexts: ContextSet) -> Iterator[str]:
    """Rule 2 for the values of `type`: one that a context has a term for is written as that term."""
    written = [
        kind
        for key, value in _members(document)
        if key == "type"
        for kind in (value if isinstance(value, list) else [value])
        if isinstance(kind, str) and ":" in kind
    ]
    if not written:
        return
    defined = set(_iris_of_terms(list(contexts.documents.values())))
    for kind in written:
        if kind in defined or not re.match(r"(https?|urn|did|tag):", kind):
            yield f"the type “{kind}” is not written as a term"


def _iris_of_terms(waiting: list[Any]) -> Iterator[str]:
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            yield item
        elif isinstance(item, list):
            waiting.extend(item)
        elif isinstance(item, Mapping):
            waiting.extend(item.values())


def _refuse_unknown_contexts(document: Mapping[str, Any], contexts: ContextSet) -> None:
    unknown = unknown_contexts(document, contexts)
    if unknown:
        raise UnreadableJsonLd(f"the context {unknown[0]} is not known here", where="@context")


def _expand(document: Mapping[str, Any], contexts: ContextSet) -> tuple[list[Any], list[str]]:
    """The expanded form, and the terms that JSON-LD dropped."""
    from pyld.context_resolver import ContextResolver
    from pyld.jsonld import JsonLdError, JsonLdProcessor

    _refuse_unknown_contexts(document, contexts)

    def load(url: str, _options: Any) -> dict[str, Any]:
        if url not in contexts.documents:
            raise JsonLdError("not known here", "guildmark.UnknownContext", {"url": url})
        # PyLD keeps for later what is tagged as static.
        return {"contextUrl": None, "documentUrl": url, "document": contexts.documents[url], "tag": "static"}

    dropped: list[str] = []
    processor = JsonLdProcessor(on_property_dropped=lambda name: dropped.append(str(name)))
    options = {
        "base": BASE,
        "documentLoader": load,
        "processingMode": "json-ld-1.1",
        # A cache of this set's: the one PyLD shares goes by address, and one address has two documents.
        "contextResolver": ContextResolver(contexts._made.__dict__, load),
    }
    try:
        return processor.expand(dict(document), options), dropped
    except JsonLdError as problem:
        raise UnreadableJsonLd(f"not valid JSON-LD ({_innermost(problem)})") from problem
    except (RuntimeError, TypeError, AttributeError, LookupError, ArithmeticError, ValueError) as problem:
        # PyLD meets some malformed documents with Python's own errors; they are the document's fault all the
        # same.
        raise UnreadableJsonLd(f"not valid JSON-LD ({type(problem).__name__})") from problem


def _innermost(problem: BaseException) -> str:
    while problem.__cause__ is not None:
        problem = problem.__cause__
    text = str(problem.args[0]) if problem.args else type(problem).__name__
    return text.split("\n")[0].rstrip(".;")[:160]


class _Writer:
    """Expanded JSON-LD to quads (JSON-LD 1.1 API, sections 8.1 to 8.3), noting what has no statement.

    Blank nodes cannot be named in a document (rule 3), so no node map is needed: each object is its own node,
    and statements repeated about one IRI are one statement.
    """

    def __init__(self, losses: list[str]) -> None:
        self.quads: list[Quad] = []
        self.losses = losses
        self.blanks = 0
        self.root: str | None = None

    def document(self, node: Mapping[str, Any]) -> None:
        """The statements of a whole document. All about itself must stand at its top, where a reader looks
        for them: one who moves its status entry into a part that repeats its id would otherwise hide it (rule
        2).
        """
        if "@id" in node:
            self.root = f"<{node['@id']}>"
        self.node(node, "", top=True)

    def blank(self) -> str:
        self.blanks += 1
        return f"_:n{self.blanks}"

    def iri(self, value: Any) -> str | None:
        text = str(value)
        if isinstance(value, str) and ABSOLUTE.match(text) and not text.startswith("relative:"):
            return f"<{text}>"
        self.losses.append(not_a_name(text))
        return None

    def node(self, node: Mapping[str, Any], graph: str, *, top: bool = False) -> str | None:
        """The statements about one node; the term by which others refer to it."""
        subject = self.iri(node["@id"]) if "@id" in node else self.blank()
        if subject is None:
            subject = self.blank()
        elsewhere = subject == self.root and not top and not graph and len(node) > 1
        if elsewhere and not only_endorses(set(node), node.get("@type")):
            self.losses.append(ABOUT_THE_WHOLE)
        for key, values in node.items():
            match key:
                case "@id" | "@context":
                    continue
                case "@type":
                    for value in values:
                        kind = self.iri(value)
                        if kind is not None:
                            self.quads.append((subject, RDF_TYPE, kind, graph))
                case "@graph":
                    for value in values:
                        self.part(value, subject)
                case "@reverse" | "@included" | "@index" | "@nest":
                    self.losses.append(f"“{key}” is not used in credentials")
                case _:
                    predicate = self.iri(key)
                    for value in values:
                        term = self.value(value, graph)
                        if predicate is not None and term is not None:
                            self.quads.append((subject, predicate, term, graph))
        return subject

    def part(self, value: Any, graph: str) -> None:
        """An entry of a graph: only a node makes statements there."""
        if not isinstance(value, Mapping) or "@value" in value or "@list" in value:
            self.losses.append(f"{json.dumps(value)[:60]} has no statement")
        else:
            self.node(value, graph)

    def value(self, value: Any, graph: str) -> str | None:
        if not isinstance(value, Mapping):
            self.losses.append(f"{json.dumps(value)[:60]} has no statement")
            return None
        if "@list" in value:
            return self.list(value["@list"], graph)
        if "@value" in value:
            return self.literal(value)
        return self.node(value, graph)

    def list(self, items: list[Any], graph: str) -> str:
        rest = f"<{RDF}nil>"
        for item in reversed(items):
            term, cell = self.value(item, graph), self.blank()
            if term is not None:
                self.quads.append((cell, f"<{RDF}first>", term, graph))
            self.quads.append((cell, f"<{RDF}rest>", rest, graph))
            rest = cell
        return rest

    def literal(self, value: Mapping[str, Any]) -> str | None:
        raw, datatype = value["@value"], value.get("@type")
        if "@direction" in value or "@index" in value:
            self.losses.append(f"the direction of “{raw}” has no statement")
        if datatype == "@json":
            try:
                return literal(jcs(raw).decode("utf-8"), f"{RDF}JSON")
            except BrokenInput as problem:
                raise UnreadableJsonLd(f"holds JSON that has no canonical form ({problem.what})") from problem
        if datatype is not None and self.iri(datatype) is None:
            return None
        match raw:
            case bool() | int() | float():
                return native(raw, datatype)
            case str() if datatype is not None and datatype.rpartition("#")[2] in NOT_TEXT:
                self.losses.append(told_as_text(raw))
                return literal(raw, datatype)
            case str():
                language = value.get("@language", "")
                if language and not LANGUAGE.match(language):
                    self.losses.append(f"“{language}” is not a language")
                    return None
                return literal(raw, datatype or XSD_STRING, language)
        self.losses.append(f"{json.dumps(raw)[:60]} has no statement")
        return None
