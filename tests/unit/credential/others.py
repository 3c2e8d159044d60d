"""What the tests of this room share: the vectors of others with the contexts they need, and keys by their owner."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import cache
from typing import Any

from tests.paths import vectors

from guildmark.core.codecs import multibase_decode, multikey_encode, parse_json
from guildmark.core.doors import NoNetwork
from guildmark.credential.jsonld import CREDENTIALS_V2, OPEN_BADGES, ContextSet, context_sets
from guildmark.credential.keys import SoftwareSigner
from guildmark.credential.resolve import FoundKey, find_key

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
EXAMPLES = "https://www.w3.org/ns/credentials/examples/v2"
CITIZENSHIP = "https://w3id.org/citizenship/v4rc1"


@cache
def vector(name: str) -> Any:
    return parse_json(vectors(name).read_bytes())


@cache
def example_sets() -> tuple[ContextSet, ...]:
    """The shipped sets and, for W3C's examples only, the context that gives them `alumniOf`."""
    found = {EXAMPLES: vector("w3c-contexts/credentials-examples-v2.json")}
    return tuple(contexts.plus(found) for contexts in context_sets())


@cache
def w3c_sets() -> tuple[ContextSet, ...]:
    """The same with the context of the permanent resident cards in W3C's examples."""
    found = {CITIZENSHIP: vector("w3c-contexts/citizenship-v4rc1.json")}
    return tuple(contexts.plus(found) for contexts in example_sets())


def signer_of(name: str, algorithm: str = "Ed25519") -> SoftwareSigner:
    """A key of its own for each name, under its did:key."""
    seed = hashlib.sha384(name.encode()).digest()[: 48 if algorithm == "P-384" else 32]
    public = SoftwareSigner(seed, "x:y", algorithm).public_key
    multikey = multikey_encode(algorithm, public)
    return SoftwareSigner(seed, f"did:key:{multikey}#{multikey}", algorithm)


def signer_in_vector(multibase: str, method: str, algorithm: str) -> SoftwareSigner:
    """The key that W3C prints in multibase: two bytes that say which kind, and the private key."""
    return SoftwareSigner(multibase_decode(multibase)[2:], method, algorithm)


def alone(method: str) -> FoundKey:
    """Finds a key without any network: a did:key, or the key in the fragment."""
    return find_key(method, purpose="assertionMethod", now=NOW, fetcher=NoNetwork())


def small(**changes: Any) -> dict[str, Any]:
    """A small badge in which every kind of value stands: dates, numbers, truth values, languages, lists, ids."""
    document: dict[str, Any] = {
        "@context": [CREDENTIALS_V2, OPEN_BADGES],
        "id": "urn:uuid:c0000000-0000-4000-8000-000000000001",
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "name": {"@value": "Data protection", "@language": "en"},
        "issuer": {"id": "did:web:a.example", "type": ["Profile"], "name": "A"},
        "validFrom": "2026-01-01T00:00:00Z",
        "validUntil": "2029-01-01T00:00:00Z",
        "credentialStatus": {
            "id": "https://a.example/status/1#7",
            "type": "BitstringStatusListEntry",
            "statusPurpose": "revocation",
            "statusListIndex": "7",
            "statusListCredential": "https://a.example/status/1",
        },
        "credentialSubject": {
            "type": ["AchievementSubject"],
            "identifier": [
                {
                    "type": "IdentityObject",
                    "hashed": True,
                    "identityHash": "sha256$00",
                    "identityType": "emailAddress",
                    "salt": "s",
                }
            ],
            "creditsEarned": 2.5,
            "result": [{"type": ["Result"], "resultDescription": "urn:uuid:1", "value": "87"}],
            "achievement": {
                "id": "https://a.example/achievements/1",
                "type": ["Achievement"],
                "name": "Data protection",
                "description": "Line one\nline “two” \U0001f510",
                "criteria": {"narrative": "Pass."},
                "creditsAvailable": 3,
                "tag": ["law", "privacy"],
                "resultDescription": [
                    {
                        "id": "urn:uuid:1",
                        "type": ["ResultDescription"],
                        "name": "Mark",
                        "resultType": "LetterGrade",
                        "allowedValue": ["F", "P", "D"],
                    }
                ],
            },
        },
    }
    document.update(changes)
    return {key: value for key, value in document.items() if value != "left out"}


Path = tuple[str | int, ...]


def places(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every (path, value) below a document, contexts left out."""
    if path:
        yield path, value
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in items:
        if key != "@context":
            yield from places(child, (*path, key))


def changed(document: dict[str, Any], path: Path, change: Callable[[Any], Any]) -> dict[str, Any]:
    """A copy of the document in which the value at `path` went through `change`."""
    value = copy.deepcopy(document)
    holder: Any = value
    for step in path[:-1]:
        holder = holder[step]
    holder[path[-1]] = change(holder[path[-1]])
    return value


def without(document: dict[str, Any], path: Path) -> dict[str, Any]:
    value = copy.deepcopy(document)
    holder: Any = value
    for step in path[:-1]:
        holder = holder[step]
    del holder[path[-1]]
    return value


def as_json(document: Any) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode()
