"""Changes that a parser lets through: in a JSON document, in the parts of a token; everything else is bytes."""

from __future__ import annotations

import base64
import binascii
import json
import random
from typing import Any

WORDS = (
    None, True, 0, -1, 1.5, 2**53, "", "x", [], {}, "did:example:mallory", "https://mallory.example", "none",
    "2099-01-01T00:00:00Z", "assertionMethod", "DataIntegrityProof", "eddsa-jcs-2022", "EnvelopedVerifiableCredential",
)  # fmt: skip
NAMES = (
    "@context", "@id", "@type", "@value", "@graph", "@included", "id", "type", "name", "proof", "issuer", "evidence",
    "credentialSubject", "credentialStatus", "validUntil", "previousProof", "proofValue", "verificationMethod",
    "cryptosuite", "endorsement", "endorsementJwt", "verifiableCredential", "digestSRI", "vc", "iss", "alg", "jwk",
    "_sd",
)  # fmt: skip


def mutated(data: bytes, seed: int) -> bytes | None:
    """The data with one to three changes that keep its form; None if it has none that is known here."""
    rng = random.Random(seed)
    head, dot, _ = data.partition(b".")
    if dot and head.startswith(b"eyJ"):
        return _token(data, rng)
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return json.dumps(_changed(value, rng), ensure_ascii=False).encode("utf-8", "replace")


def _token(data: bytes, rng: random.Random) -> bytes | None:
    jws, *disclosures = data.split(b"~")
    parts = jws.split(b".")
    if disclosures and rng.random() < 0.4:
        at = rng.randrange(len(disclosures))
        disclosures[at : at + 1] = rng.choice(([], [disclosures[at]] * 2, [_part(disclosures[at], rng)]))
    else:
        at = rng.randrange(len(parts))
        parts[at] = _part(parts[at], rng)
    return b"~".join([b".".join(parts), *disclosures])


def _part(text: bytes, rng: random.Random) -> bytes:
    try:
        body = base64.urlsafe_b64decode(text + b"=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        return text
    try:
        made = json.dumps(_changed(json.loads(body), rng)).encode()
    except (ValueError, RecursionError):
        made = bytes(rng.sample(body, len(body))) if body and rng.random() < 0.5 else body[:-1]
    return base64.urlsafe_b64encode(made).rstrip(b"=")


def _changed(value: Any, rng: random.Random) -> Any:
    holder = {"": value}
    for _ in range(rng.randint(1, 3)):
        places = [*_places(holder)]
        if places:
            inside, key = rng.choice(places)
            _change(inside, key, rng, places)
    return holder.get("", {})


def _places(value: Any) -> Any:
    waiting = [value]
    while waiting:
        item = waiting.pop()
        for key in [*item] if isinstance(item, dict) else range(len(item)):
            yield item, key
            if isinstance(item[key], dict | list):
                waiting.append(item[key])


def _change(inside: Any, key: Any, rng: random.Random, places: list[Any]) -> None:
    other, there = rng.choice(places)
    try:
        elsewhere = json.loads(json.dumps(other[there]))
    except (KeyError, IndexError, ValueError):
        elsewhere = None
    match rng.randrange(8):
        case 0:
            del inside[key]
        case 1:
            inside[key] = rng.choice(WORDS)
        case 2:
            inside[key] = elsewhere
        case 3 if isinstance(inside, dict):
            inside[rng.choice(NAMES)] = rng.choice([*WORDS, elsewhere])
        case 4 if isinstance(inside, dict):
            inside[rng.choice(NAMES)] = inside.pop(key)
        case 5:
            inside[key] = [inside[key]] if rng.random() < 0.5 else [inside[key], elsewhere]
        case 6 if isinstance(inside[key], list):
            rng.shuffle(inside[key])
        case _ if isinstance(inside[key], str) and inside[key]:
            text, at = inside[key], rng.randrange(len(inside[key]))
            inside[key] = text[:at] + rng.choice('aZ0 -_:/#\u00e9\u200b\\"') + text[at + rng.randint(0, 1) :]
