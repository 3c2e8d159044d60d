"""`ecdsa-sd-2023`: what stands in its proof values, and whether a derived one holds.

The issuer signs each statement of a document by itself with a key made for this document alone, and that key,
together with the statements that must always be shown, with its own. So the holder can show some statements and
leave out others, and what is shown is still signed.

Rules (W3C vc-di-ecdsa, sections 3.4 to 3.6; the checks marked * are ours):

1. a proof value is `u`, base64url, three bytes that say which kind it is, and CBOR (3.5.2, 3.5.3, 3.5.7, 3.5.8);
2. the blank nodes of what is shown get their canonical names, then the names that the proof gives for these
   (3.4.1, 3.4.3); * no two may get the same, or the holder could make two things of one;
3. the lines are put in order, and those at the mandatory indexes are hashed together (3.4.17);
4. the issuer's key must have signed the hash of the proof's options, the key of this document, and that hash;
5. the key of this document must have signed each other line, in order, and there is a signature for each.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from guildmark.core import cbor
from guildmark.core.codecs import MULTIKEY_PREFIXES, base64url_decode, base64url_encode
from guildmark.core.errors import BrokenInput
from guildmark.credential.keys import HasPublicKey, PublicKey, signature_holds
from guildmark.credential.rdfc import Quad, TooMuchWork, canonical_labels, line

NAME = "ecdsa-sd-2023"

MOST_STATEMENTS = 1_000
"""Statements with a signature of their own; each takes some 0.1 ms to check. A badge with results has 200."""

_BASE, _DERIVED = b"\xd9\x5d\x00", b"\xd9\x5d\x01"
_KEY_BYTES = 35
_MOST_BYTES = 200_000
_P256 = MULTIKEY_PREFIXES["P-256"]


class HoldersCopy(BrokenInput):
    """A base proof where a derived one belongs: it is for the holder, and would tell a verifier everything."""

    def __init__(self) -> None:
        super().__init__("it is the copy of its holder, who first has to choose what to show")


@dataclass(frozen=True, slots=True)
class Base:
    """What the issuer hands the holder. `public_key` is that of this document, in the bytes of a Multikey."""

    signature: bytes
    public_key: bytes
    hmac_key: bytes
    signatures: tuple[bytes, ...]
    mandatory: tuple[str, ...]

    def write(self) -> str:
        """The proof value (3.5.2)."""
        parts = [self.signature, self.public_key, self.hmac_key, self.signatures, self.mandatory]
        return _write(_BASE, parts)


@dataclass(frozen=True, slots=True)
class Derived:
    """What the holder shows. `labels` are the names of blank nodes: 3 -> the bytes for the node that is called
    `_:c14n3` in what is shown; `mandatory` the indexes of the lines that the issuer's signature covers together.
    """

    signature: bytes
    public_key: bytes
    signatures: tuple[bytes, ...]
    labels: Mapping[int, bytes]
    mandatory: tuple[int, ...]

    def write(self) -> str:
        """The proof value (3.5.7)."""
        parts = [self.signature, self.public_key, self.signatures, self.labels, self.mandatory]
        return _write(_DERIVED, parts)


def _write(kind: bytes, parts: Sequence[Any]) -> str:
    return "u" + base64url_encode(kind + cbor.encode(parts))


def _read(value: Any, kind: bytes) -> list[Any]:
    if not isinstance(value, str) or not value.startswith("u"):
        raise BrokenInput("proofValue does not start with u")
    if len(value) > _MOST_BYTES:
        raise BrokenInput(f"proofValue is longer than {_MOST_BYTES:,} characters")
    data = base64url_decode(value[1:])
    if data[:3] == _BASE != kind:
        raise HoldersCopy()
    if data[:3] != kind:
        raise BrokenInput(f"proofValue does not begin with the bytes {kind.hex()}")
    parts = cbor.decode(data[3:])
    if not isinstance(parts, list) or len(parts) != 5:
        raise BrokenInput("proofValue does not have five parts")
    return parts


def read_base(value: Any) -> Base:
    """The parts of a base proof value (3.5.3). BrokenInput if they are not what they should be."""
    signature, public_key, hmac_key, signatures, mandatory = _read(value, _BASE)
    if not (
        _is_signature(signature)
        and _is_key(public_key)
        and isinstance(hmac_key, bytes)
        and len(hmac_key) == 32
        and _is_list_of(signatures, _is_signature)
        and _is_list_of(mandatory, lambda part: isinstance(part, str))
    ):
        raise BrokenInput("a part of proofValue is of the wrong kind or length")
    return Base(signature, public_key, hmac_key, tuple(signatures), tuple(mandatory))


def read_derived(value: Any) -> Derived:
    """The parts of a derived proof value (3.5.8). BrokenInput if they are not what they should be, and for names
    or indexes that stand twice.
    """
    signature, public_key, signatures, labels, mandatory = _read(value, _DERIVED)
    if not (
        _is_signature(signature)
        and _is_key(public_key)
        and _is_list_of(signatures, _is_signature)
        and isinstance(labels, dict)
        and all(_is_index(key) and isinstance(name, bytes) and len(name) == 32 for key, name in labels.items())
        and _is_list_of(mandatory, _is_index)
    ):
        raise BrokenInput("a part of proofValue is of the wrong kind or length")
    if len(set(labels.values())) != len(labels):
        raise BrokenInput("two parts of the document have one name")
    if len(set(mandatory)) != len(mandatory):
        raise BrokenInput("an index stands twice")
    if len(signatures) > MOST_STATEMENTS:
        raise BrokenInput(f"it has more than {MOST_STATEMENTS:,} signatures")
    return Derived(signature, public_key, tuple(signatures), labels, tuple(mandatory))


def _is_signature(part: Any) -> bool:
    return isinstance(part, bytes) and len(part) == 64


def _is_key(part: Any) -> bool:
    return isinstance(part, bytes) and len(part) == _KEY_BYTES and part.startswith(_P256)


def _is_index(part: Any) -> bool:
    return isinstance(part, int) and part >= 0


def _is_list_of(part: Any, belongs: Any) -> bool:
    return isinstance(part, list) and all(belongs(item) for item in part)


def shown_lines(quads: Collection[Quad], labels: Mapping[int, bytes]) -> list[str]:
    """The statements under the names that were signed, in order (3.4.2). BrokenInput if a blank node has no
    name; TooMuchWork as `canonicalize`.
    """
    named = {f"_:c14n{number}": f"_:u{base64url_encode(name)}" for number, name in labels.items()}
    names = canonical_labels(quads)
    if not set(names.values()) <= set(named):
        raise BrokenInput("a part of the document has no name")
    names = {label: named[canonical] for label, canonical in names.items()}
    return sorted(line(quad, names) for quad in set(quads))


def signed_bytes(proof_hash: bytes, public_key: bytes, mandatory: Collection[str]) -> bytes:
    """What the issuer's key signs (3.5.1)."""
    return proof_hash + public_key + hashlib.sha256("".join(mandatory).encode("utf-8")).digest()


def what_is_wrong(proof: Derived, quads: Collection[Quad], proof_hash: bytes, key: HasPublicKey) -> str:
    """Why a derived proof does not hold over `quads`, in words; empty if it does (3.6.7).

    `proof_hash` is the hash of the proof's options, `key` the issuer's. Costs a signature check for each statement
    that is not mandatory, but none unless the issuer signed the key for these. TooMuchWork as `canonicalize`.
    """
    try:
        lines = shown_lines(quads, proof.labels)
    except TooMuchWork:
        raise
    except BrokenInput as problem:
        return problem.what
    places = set(proof.mandatory)
    if any(place >= len(lines) for place in places):
        return "it counts on statements that are not there"
    mandatory = [text for place, text in enumerate(lines) if place in places]
    others = [text for place, text in enumerate(lines) if place not in places]
    if len(others) != len(proof.signatures):
        return "it does not have one signature for each statement"
    if not signature_holds(key, signed_bytes(proof_hash, proof.public_key, mandatory), proof.signature):
        return "something was changed, or another key signed it"
    once = PublicKey("urn:once", "P-256", proof.public_key[len(_P256) :])
    for text, signature in zip(others, proof.signatures, strict=True):
        if not signature_holds(once, text.encode("utf-8"), signature):
            return "a statement is not as it was signed"
    return ""
