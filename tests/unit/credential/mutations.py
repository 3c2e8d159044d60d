"""Documents and contexts that nobody would write, made from ones that somebody did, by a random generator."""

from __future__ import annotations

import copy
import functools
import json
from random import Random  # noqa: TID251 - seeded by whoever calls
from typing import Any

from tests.paths import vectors
from tests.unit.credential.award_cast import signed_award
from tests.unit.credential.others import small

from guildmark.credential.jsonld import CLR, CREDENTIALS_V1, CREDENTIALS_V2, OPEN_BADGES, ContextSet, context_sets

FOLDERS = (
    "1edtech-ob3-vector",
    "1edtech-validator",
    "blockcerts",
    "dcc-fixtures",
    "did",
    "did-webvh",
    "w3c-vc-data-model",
    "w3c-vc-di-ecdsa",
    "w3c-vc-di-eddsa",
    "w3c-vc-jose-cose-suite",
    "w3c-vcdm2-suite",
)


@functools.cache
def wide_sets() -> tuple[ContextSet, ...]:
    """The shipped sets with every context that is among the vectors; with `@vocab` in some of them."""
    more: dict[str, Any] = {}
    for folder in ("w3c-contexts", "1edtech-contexts"):
        for row in json.loads((vectors(folder) / "index.json").read_bytes()):
            document = json.loads((vectors(folder) / row["file"]).read_bytes())
            if isinstance(document, dict) and "@context" in document:
                more[row["url"]] = document
    return tuple(
        contexts.plus({url: document for url, document in more.items() if url not in contexts.documents})
        for contexts in context_sets()
    )


def _with_context(value: Any) -> list[dict[str, Any]]:
    """The outermost objects with a context in a file of vectors."""
    found, waiting = [], [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict) and "@context" in item:
            found.append(item)
        elif isinstance(item, (dict, list)):
            waiting.extend(item.values() if isinstance(item, dict) else item)
    return found


@functools.cache
def of_others() -> list[tuple[str, dict[str, Any]]]:
    """(name, document) for every JSON-LD document among the vectors of others."""
    found = []
    for folder in FOLDERS:
        for path in sorted(vectors(folder).rglob("*.json*")):
            try:
                value = json.loads(path.read_bytes())
            except ValueError:
                continue
            for n, document in enumerate(_with_context(value)):
                found.append((f"{folder}/{path.name}#{n}", document))
    return found


def proof(**members: Any) -> dict[str, Any]:
    return {
        "type": "DataIntegrityProof",
        "cryptosuite": "eddsa-rdfc-2022",
        "created": "2026-01-01T00:00:00Z",
        "verificationMethod": "did:web:a.example#1",
        "proofPurpose": "assertionMethod",
        "proofValue": "z1",
        **members,
    }


@functools.cache
def of_ours() -> list[dict[str, Any]]:
    """One of each kind of document that credentials are."""
    badge = small(proof=proof())
    endorsement = {
        "@context": [CREDENTIALS_V2, OPEN_BADGES],
        "id": "urn:uuid:e",
        "type": ["VerifiableCredential", "EndorsementCredential"],
        "issuer": {"id": "did:web:b.example", "type": ["Profile"], "name": "B"},
        "validFrom": "2026-01-01T00:00:00Z",
        "credentialSubject": {"id": badge["id"], "type": ["EndorsementSubject"], "endorsementComment": "Good."},
        "proof": [proof(), proof(previousProof="urn:uuid:p")],
    }
    endorsed = small(endorsement=[endorsement], proof=proof())
    clr = {
        "@context": [CREDENTIALS_V2, CLR, OPEN_BADGES],
        "id": "urn:uuid:clr",
        "type": ["VerifiableCredential", "ClrCredential"],
        "issuer": "did:web:a.example",
        "partial": True,
        "credentialSubject": {
            "type": ["ClrSubject"],
            "verifiableCredential": [badge, endorsed],
            "association": [
                {"type": "Association", "associationType": "isChildOf", "sourceId": "urn:a", "targetId": "urn:b"}
            ],
        },
    }
    listing = {
        "@context": [CREDENTIALS_V2],
        "id": "https://a.example/status/1",
        "type": ["VerifiableCredential", "BitstringStatusListCredential"],
        "issuer": "did:web:a.example",
        "credentialSubject": {
            "id": "https://a.example/status/1#list",
            "type": "BitstringStatusList",
            "statusPurpose": "revocation",
            "encodedList": "uH4sI",
        },
    }
    presentation = {
        "@context": [CREDENTIALS_V2],
        "type": "VerifiablePresentation",
        "holder": "did:web:c.example",
        "verifiableCredential": [
            endorsed,
            {"@context": CREDENTIALS_V2, "id": "data:application/vc+jwt,e", "type": "EnvelopedVerifiableCredential"},
        ],
        "proof": proof(challenge="c", domain="d"),
    }
    first = {
        "@context": [CREDENTIALS_V1, "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.2.json"],
        "id": "urn:uuid:1",
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "issuer": {"id": "did:web:a.example", "type": "Profile", "name": "A"},
        "issuanceDate": "2026-01-01T00:00:00Z",
        "credentialSubject": badge["credentialSubject"],
    }
    schema = {
        "@context": CREDENTIALS_V2,
        "type": ["VerifiableCredential", "JsonSchemaCredential"],
        "issuer": "did:web:a.example",
        "credentialSubject": {"type": "JsonSchema", "jsonSchema": {"type": "object", "required": ["a", 1, None]}},
    }
    return [signed_award(), badge, endorsement, endorsed, clr, listing, presentation, first, schema]


def places(document: Any) -> list[tuple[Any, Any]]:
    """Every (holder, key) in a document, contexts left out."""
    found, waiting = [], [document]
    while waiting:
        item = waiting.pop()
        for key in list(item) if isinstance(item, dict) else range(len(item)):
            if key != "@context":
                found.append((item, key))
                if isinstance(item[key], (dict, list)):
                    waiting.append(item[key])
    return found


_TERMS = (  # noqa: SIM905 - words are read more easily so
    "id type name description issuer image proof credentialSubject achievement criteria narrative evidence "
    "result endorsement related creator address otherIdentifier identifier alignment resultDescription "
    "allowedValue tag verifiableCredential credentialStatus credentialSchema termsOfUse holder partial "
    "association creditsEarned hashed jsonSchema statusSize proofPurpose verificationMethod assertionMethod "
    "encodedList geo latitude parentOrg sec validUntil refreshService renderMethod relatedResource digestSRI "
    "nonce confidenceMethod unknown Name schema:name cred:issuer https://schema.org/name urn:x:y xsd:date"
).split()
_KEYWORDS = (  # noqa: SIM905 - words are read more easily so
    "@id @type @value @language @list @set @graph @index @included @reverse @nest @direction @none @json @x"
).split()
_TYPES = (  # noqa: SIM905 - words are read more easily so
    "VerifiableCredential OpenBadgeCredential AchievementCredential EndorsementCredential ClrCredential "
    "ClrSubject AchievementSubject EndorsementSubject Achievement Profile Image Criteria Evidence Result "
    "ResultDescription IdentityObject Address GeoCoordinates Related Alignment DataIntegrityProof "
    "Ed25519Signature2020 JsonSchema BitstringStatusList BitstringStatusListEntry VerifiablePresentation "
    "EnvelopedVerifiableCredential Unknown 1EdTechRevocationList id type name @id @json cred:Other "
    "https://w3id.org/openbadges#BadgeClass _:b ./x"
).split()
_TEXTS = (
    "", "x", "Achievement", "assertionMethod", "name", "@id", "@none", "@nothing", "did:web:a.example", "urn:uuid:1",
    "urn:uuid:c0000000-0000-4000-8000-000000000001", "https://a.example/x/../y", "./a", "../b", "#c", "?d", "//e/f",
    "a:b", "_:b0", "xsd:date", "schema:name", "cred:x", "relative://document/x", "https://a.example/a b", "a\u00a0:b",
    "urn:\u00a0x", "urn:\u2028y", "tab\tline\nquote\"back\\slash", "\x7f\x1f\b", "“quotes”\n", "\ufffe", "\ud800",
    "3", "true", "2026-01-01", "en", "de-CH", "not a language", "\U0001f510",
)  # fmt: skip
_NUMBERS = (0, 1, -1, 3.0, 2.5, 1e21, 10**22, 2**53, -(2**60), 0.30000000000000004, 1e-7, -0.0, 10**301, float("inf"))
_CONTEXTS = (
    CREDENTIALS_V2, CREDENTIALS_V1, OPEN_BADGES, CLR, "https://w3id.org/security/data-integrity/v2",
    "https://w3id.org/security/suites/ed25519-2020/v1", "https://purl.imsglobal.org/spec/ob/v3p0/context.json",
    "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json", "https://unknown.example/", None, {}, {"x": "urn:x"}, 1,
)  # fmt: skip


def a_value(random: Random, document: Any, terms: list[str], depth: int = 0) -> Any:
    kind = random.randrange(12 if depth < 3 else 6)
    if kind <= 2:
        return random.choice(_TEXTS)
    if kind == 3:
        return random.choice(_NUMBERS)
    if kind == 4:
        return random.choice((None, True, False))
    if kind == 5:
        return random.choice(_TYPES)
    if kind <= 7:
        return [a_value(random, document, terms, depth + 1) for _ in range(random.randrange(4))]
    if kind == 8:
        return {"@value": a_value(random, document, terms, 3), "@language": random.choice(("en", "DE", "", "1 2", 7))}
    if kind == 9 and depth == 0:
        holder, key = random.choice(places(document))
        return copy.deepcopy(holder[key])
    made = {a_key(random, terms): a_value(random, document, terms, depth + 1) for _ in range(random.randrange(4))}
    if random.random() < 0.5:
        made["type"] = a_type(random)
    if random.random() < 0.3:
        made["id"] = random.choice(_TEXTS)
    return made


def a_key(random: Random, terms: list[str]) -> str:
    return random.choice(_KEYWORDS) if random.random() < 0.08 else random.choice(terms)


def a_type(random: Random) -> Any:
    if random.random() < 0.05:
        return random.choice((None, 1, [], {}, ["x", 1], [["x"]]))
    kinds = [random.choice(_TYPES) for _ in range(random.randrange(1, 4))]
    return kinds[0] if len(kinds) == 1 and random.random() < 0.5 else kinds


def mutated(random: Random, document: dict[str, Any], terms: list[str] = _TERMS) -> dict[str, Any]:
    """A copy with one to four changes."""
    document = copy.deepcopy(document)
    for _ in range(random.randrange(1, 5)):
        spots = places(document)
        if not spots:
            return document
        holder, key = random.choice(spots)
        match random.randrange(12):
            case 0:
                del holder[key]
            case 1 | 2:
                holder[key] = a_value(random, document, terms)
            case 3 if isinstance(holder, dict):
                holder[a_key(random, terms)] = holder.pop(key)
            case 4 | 5 if isinstance(holder, dict):
                holder[a_key(random, terms)] = a_value(random, document, terms)
            case 6 if isinstance(holder, dict):
                holder["type"] = a_type(random)
            case 7 if isinstance(holder, dict):
                holder["id"] = random.choice(_TEXTS)
            case 8:
                holder[key] = [holder[key]]
            case 9 if isinstance(holder[key], dict):
                entries = [
                    random.choice(_CONTEXTS[: 8 if random.random() < 0.8 else None]) for _ in range(random.randrange(3))
                ]
                holder[key]["@context"] = random.choice(
                    (entries, entries[0] if entries else [], document.get("@context"))
                )
            case 10 if isinstance(holder, dict):
                holder["proof"] = proof() | ({"@context": document.get("@context")} if random.random() < 0.3 else {})
            case _:
                entries = document.get("@context")
                if random.random() < 0.3 and isinstance(entries, list) and entries:
                    random.shuffle(entries)
                    entries.append(random.choice(_CONTEXTS))
    return document


# --- Contexts that nobody would write ---------------------------------------------------------------------

_STRANGE_TERMS = ["a", "b", "c", "d", "e", "T", "U", "V", "id", "type", "v", "p:x", "lang", "name"]


def strange_set(random: Random) -> ContextSet:
    """The shipped contexts and three more of random terms, whose types and terms have contexts of their own."""
    made = {f"https://c.example/{n}": {"@context": _a_context(random, 0)} for n in range(3)}
    return context_sets()[0].plus(made)


def _a_context(random: Random, depth: int) -> dict[str, Any]:
    made: dict[str, Any] = {}
    if random.random() < 0.8:
        made |= {"id": "@id", "type": "@type"}
    for key, chance, values in (
        ("@vocab", 0.15, ("https://v.example/", "", "rel/")),
        ("@language", 0.1, ("en", "de")),
        ("@direction", 0.02, ("ltr",)),
        ("@base", 0.08, ("https://b.example/x/", "y/", None)),
        ("@protected", 0.1, (True, False)),
        ("@propagate", 0.15 if depth else 0.01, (True, False)),
        ("@version", 0.1, (1.1,)),
    ):
        if random.random() < chance:
            made[key] = random.choice(values)
    for term in random.sample(_STRANGE_TERMS, random.randrange(1, 7)):
        made[term] = _a_definition(random, term, depth)
    made["p"] = "https://p.example/"
    return made


def _a_definition(random: Random, term: str, depth: int) -> Any:
    if term == "p:x":
        return "https://p.example/x"
    iri = random.choice((f"https://t.example/{term}", f"https://t.example/{term}", "https://t.example/same", "p:y"))
    if random.random() < 0.03:
        iri = random.choice(
            ("@id", "@type", "@value", "@graph", "@nest", "@language", "@list", "@set", "@index", "@none")
        )
    if random.random() < 0.25:
        return random.choice((iri, None))
    made: dict[str, Any] = {"@id": iri}
    if random.random() < 0.4:
        made["@type"] = random.choice(
            ("@id", "@vocab", "@json", "@none", "https://www.w3.org/2001/XMLSchema#integer", "p:t")
        )
    elif random.random() < 0.2:
        made["@language"] = random.choice(("en", None, "EN"))
    if random.random() < 0.35:
        made["@container"] = random.choice(
            (
                "@set",
                "@list",
                "@graph",
                "@set",
                "@list",
                "@graph",
                ["@graph", "@set"],
                "@language",
                "@index",
                "@id",
                ["@index", "@set"],
            )
        )
    if random.random() < 0.05:
        made["@protected"] = random.choice((True, False))
    if random.random() < 0.03:
        made["@reverse"] = made.pop("@id")
        made.pop("@container", None)
    if random.random() < 0.04:
        made["@direction"] = random.choice(("rtl", None))
    if random.random() < 0.1:
        made["@prefix"] = True
    if random.random() < 0.02:
        made["@nest"] = "@nest"
    if depth < 2 and random.random() < 0.4:
        inner = random.choice((_a_context(random, depth + 1), _a_context(random, depth + 1), None))
        made["@context"] = "https://c.example/1" if random.random() < 0.1 else inner
    return made


def strange_document(random: Random) -> dict[str, Any]:
    """A document in the terms of a strange set."""

    def an_object(depth: int) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for term in random.sample(_STRANGE_TERMS, random.randrange(1, 5)):
            made[term] = a_member(depth + 1)
        if random.random() < 0.6:
            made["type"] = random.choice(("T", "U", "V", ["T", "U"], ["V", "T"], "a", "https://x.example/"))
        if random.random() < 0.3:
            made["id"] = random.choice(("https://i.example/1", "p:1", "rel", "urn:1", "T", "_:b"))
        if random.random() < 0.08:
            made["@context"] = f"https://c.example/{random.randrange(3)}"
        return made

    def a_member(depth: int) -> Any:
        kind = random.randrange(10)
        if kind < 4 and depth < 4:
            return an_object(depth)
        if kind == 4 and depth < 4:
            return [a_member(depth + 1) for _ in range(random.randrange(3))]
        if kind == 5 and depth < 4:
            return [an_object(depth + 1) for _ in range(random.randrange(3))]
        if kind == 6 and depth < 4:
            return random.choice(
                (
                    {"id": "urn:1"},
                    {"id": "p:1"},
                    {"type": "T"},
                    {},
                    {"@value": "x", "@language": "en"},
                    {"v": "x"},
                    {"v": "x", "lang": "en"},
                )
            )
        return random.choice(("x", "T", "p:y", "https://i.example/2", 3, 2.5, True, "a", None, "rel"))

    document = an_object(0)
    document["@context"] = [f"https://c.example/{random.randrange(3)}" for _ in range(random.choice((1, 1, 1, 2)))]
    return document
