"""Finds the key that a proof names, and whether its owner vouches for it.

Rules (W3C Controlled Identifiers 1.0 section 3.3 "Retrieve Verification Method", sharpened):

1. a did:key is its own document;
2. a did:web, and an https URL, is read through the fetcher; the document's `id` must be the one asked for;
3. the key is vouched for only if that document lists it under the purpose (`assertionMethod`), says that it
   controls it, and it is neither revoked nor expired;
4. `https://issuer#z6Mk...` carries a key in its fragment. The signature can be checked with it even if the
   document is out of reach, but then anybody may have made that key: it is not vouched for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from guildmark.core.codecs import iso, parse_iso, parse_json
from guildmark.core.doors import Fetcher
from guildmark.core.errors import BrokenInput, OutsideFailure
from guildmark.core.report import Verdict
from guildmark.credential.did import did_of, did_web_url, key_of_did_key
from guildmark.credential.keys import PublicKey


@dataclass(frozen=True, slots=True)
class FoundKey:
    """What is known about a verification method.

    `key` is None if no key could be had; `controller` is whose key it is; `vouched` says whether that
    controller's own document lists it for the purpose, and `says` why or why not, in words.
    """

    key: PublicKey | None
    controller: str
    vouched: Verdict
    says: str


def find_key(method: str, *, purpose: str, now: datetime, fetcher: Fetcher) -> FoundKey:
    """The key behind a verification method. Never raises: what cannot be found is a value that says so."""
    owner = did_of(method)
    if method.startswith("did:key:"):
        try:
            key = key_of_did_key(owner)
        except BrokenInput as problem:
            return FoundKey(None, owner, Verdict.FAIL, f"“{owner}” is not a key ({problem.what}).")
        if method not in (owner, key.key_id):
            return FoundKey(None, owner, Verdict.FAIL, f"“{method}” names another key than its own.")
        return FoundKey(key, owner, Verdict.PASS, "The key is the identifier itself.")
    try:
        url = _where(owner)
    except BrokenInput as problem:
        return FoundKey(None, owner, Verdict.FAIL, f"The key cannot be looked up: {problem}")
    if url is None:
        return FoundKey(
            _in_fragment(method),
            owner,
            Verdict.UNKNOWN,
            f"Keys of “{owner[:80]}” cannot be looked up: its kind of identifier is not known here.",
        )
    try:
        document = parse_json(fetcher.fetch(url).body, where=url)
    except OutsideFailure as problem:
        says = f"The list of keys of {owner} could not be read: {problem}"
        return FoundKey(_in_fragment(method), owner, Verdict.UNKNOWN, says)
    except (BrokenInput, ValueError) as problem:
        says = f"The list of keys of {owner} is not a readable document: {problem}"
        return FoundKey(_in_fragment(method), owner, Verdict.UNKNOWN, says)
    return key_in_document(document, method, purpose=purpose, now=now)


def key_in_document(document: Any, method: str, *, purpose: str, now: datetime) -> FoundKey:
    """The key `method` as its owner's document tells it (rule 3)."""
    owner = did_of(method)
    if not isinstance(document, Mapping) or document.get("id") != owner:
        return FoundKey(_in_fragment(method), owner, Verdict.FAIL, f"What is published for {owner} is about another.")
    listed = _relative(owner, document.get(purpose))
    entry = listed.get(method)
    if entry is None:
        entry = _relative(owner, document.get("verificationMethod")).get(method)
        says = f"{owner} does not list this key as one that may sign for it."
        return FoundKey(_key(entry, method) or _in_fragment(method), owner, Verdict.FAIL, says)
    if "controller" not in entry:  # only a reference stood there
        entry = _relative(owner, document.get("verificationMethod")).get(method, {})
    key = _key(entry, method)
    if key is None:
        return FoundKey(None, owner, Verdict.FAIL, f"{owner} lists this key in a form that is not known here.")
    if entry.get("controller") != owner:
        says = f"{owner} lists this key, but it belongs to {entry.get('controller')}."
        return FoundKey(key, str(entry.get("controller")), Verdict.FAIL, says)
    for member, word in (("revoked", "revoked"), ("expires", "out of use")):
        if member in entry:
            try:
                moment = parse_iso(entry[member])
            except BrokenInput:
                return FoundKey(key, owner, Verdict.FAIL, f"{owner} gives no readable date for “{member}” of this key.")
            if moment <= now:
                says = f"This key of {owner} is {word} since {iso(moment)[:10]}."
                return FoundKey(key, owner, Verdict.FAIL, says)
    return FoundKey(key, owner, Verdict.PASS, f"{owner} lists this key as one that may sign for it.")


def _where(owner: str) -> str | None:
    """Where the document of a DID or URL is read; None for kinds that are not known here."""
    if owner.startswith("did:web:"):
        return did_web_url(owner)
    if owner.startswith("https://"):
        return owner
    return None


def _relative(owner: str, entries: Any) -> dict[str, Mapping[str, Any]]:
    """Verification methods by absolute id; a reference is an entry with nothing but its id."""
    found: dict[str, Mapping[str, Any]] = {}
    for entry in entries if isinstance(entries, list) else [entries]:
        method = entry if isinstance(entry, str) else entry.get("id") if isinstance(entry, Mapping) else None
        if isinstance(method, str):
            absolute = owner + method if method.startswith("#") else method
            found[absolute] = entry if isinstance(entry, Mapping) else {"id": absolute}
    return found


def _in_fragment(method: str) -> PublicKey | None:
    _, _, fragment = method.partition("#")
    try:
        return PublicKey.from_multikey(method, fragment)
    except BrokenInput:
        return None


def _key(entry: Mapping[str, Any] | None, method: str) -> PublicKey | None:
    """The key of a Multikey, an Ed25519VerificationKey2020 or a JsonWebKey; None if it cannot be read."""
    if entry is None:
        return None
    try:
        if isinstance(entry.get("publicKeyMultibase"), str):
            return PublicKey.from_multikey(method, entry["publicKeyMultibase"])
        jwk = entry.get("publicKeyJwk")
        return PublicKey.from_jwk(method, jwk) if isinstance(jwk, Mapping) else None
    except BrokenInput:
        return None
