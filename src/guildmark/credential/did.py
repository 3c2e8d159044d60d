"""Decentralised identifiers: the key in a did:key or did:jwk, the address of a did:web or did:webvh, and the
document that lists keys.

Rules (W3C Controlled Identifiers 1.0; did:key, did:jwk, did:web and did:webvh method specifications):

1. a did:key is its key; its one verification method is `did:key:z6Mk...#z6Mk...`;
2. a did:jwk is its JSON Web Key in base64url; its one verification method is `did:jwk:...#0`;
3. a did:web names a host and a path: `did:web:example.edu:a:b` is read at `https://example.edu/a/b/did.json`,
   a bare host at `/.well-known/did.json`; a port is written `%3A8443`; an IP address is refused;
4. a did:webvh has the hash of its own first entry before the host; its history is read at `did.jsonl` in the same
   place, and `webvh.py` says what is in it;
5. the `id` of the document must be the identifier that was asked for;
6. a key may make assertions for the identifier only if the document lists it under `assertionMethod`, its
   `controller` is the identifier, and it is neither revoked nor expired.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import unquote, urlsplit

from guildmark.core.codecs import (
    base64url_decode,
    base64url_encode,
    jcs,
    multikey_decode,
    multikey_encode,
    parse_json,
)
from guildmark.core.errors import BrokenInput
from guildmark.credential.keys import HasPublicKey, PublicKey, jwk_of

DID_CONTEXT = "https://www.w3.org/ns/did/v1"
CID_CONTEXT = "https://www.w3.org/ns/cid/v1"
MULTIKEY_CONTEXT = "https://w3id.org/security/multikey/v1"
JWK_CONTEXT = "https://w3id.org/security/jwk/v1"

LONGEST_JWK = 4_000
"""Characters of a did:jwk; one of an RSA key of 8,192 bits has 1,900."""

_HOST = re.compile(r"(?=.{1,253}\Z)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?\Z")
_SCID = re.compile(r"[1-9A-HJ-NP-Za-km-z]{46}\Z")
_SEGMENT = re.compile(r"([A-Za-z0-9._-]|%[0-9A-Fa-f]{2})+\Z")


def did_of(url: str) -> str:
    """The DID or URL without fragment, query and, for a DID, path: who a verification method belongs to."""
    bare = url.split("#", 1)[0]
    return re.split(r"[/?]", bare, maxsplit=1)[0] if bare.startswith("did:") else bare


def did_key(public_key: bytes, algorithm: str = "Ed25519") -> str:
    """The did:key of a public key."""
    return f"did:key:{multikey_encode(algorithm, public_key)}"


@lru_cache(maxsize=1024)
def key_of_did_key(did: str) -> PublicKey:
    """The one key of a did:key, under its verification method; BrokenInput if it is none."""
    if not did.startswith("did:key:"):
        raise BrokenInput("not a did:key", where=did[:100])
    multikey = did.removeprefix("did:key:")
    if not multikey.startswith("z"):  # one key has one did:key (did:key, "Format")
        raise BrokenInput("a did:key is written in base58btc, beginning with z", where=did[:100])
    algorithm, raw = multikey_decode(multikey)
    return PublicKey(f"{did}#{multikey}", algorithm, raw)


def did_jwk(key: HasPublicKey) -> str:
    """The did:jwk of a public key: its JSON Web Key with nothing but the key itself in it, in canonical form."""
    return f"did:jwk:{base64url_encode(jcs(jwk_of(key)))}"


def jwk_of_did_jwk(did: str) -> Mapping[str, Any]:
    """The JSON Web Key of a did:jwk as it stands there; BrokenInput if there is none."""
    if not did.startswith("did:jwk:"):
        raise BrokenInput("not a did:jwk", where=did[:100])
    if len(did) > LONGEST_JWK:
        raise BrokenInput(f"is longer than {LONGEST_JWK:,} characters", where=did[:100], hint="is this one key?")
    jwk = parse_json(base64url_decode(did.removeprefix("did:jwk:")), where=did[:100], max_depth=5)
    if not isinstance(jwk, Mapping):
        raise BrokenInput("holds no JSON Web Key", where=did[:100])
    return jwk


def key_of_did_jwk(did: str) -> PublicKey:
    """The one key of a did:jwk, under its verification method; BrokenInput if it is none, `core.codecs.UnknownKind` if
    it is of a kind that is not known here.
    """
    return PublicKey.from_jwk(f"{did}#0", jwk_of_did_jwk(did))


def did_web_url(did: str) -> str:
    """Where the document of a did:web is read; BrokenInput for IP addresses, dots that climb and other
    oddities.
    """
    if not did.startswith("did:web:"):
        raise BrokenInput("not a did:web", where=did)
    first, *path = did.removeprefix("did:web:").split(":")
    host, _, port = unquote(first).partition(":")
    if port and not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise BrokenInput(f"{port!r} is not a port", where=did)
    if _is_address(host) or not _HOST.match(host.lower()):
        raise BrokenInput(f"{host!r} is not a host name", where=did, hint="did:web needs a domain name")
    for segment in path:
        plain = unquote(segment)
        climbs = plain in (".", "..") or plain != plain.strip() or any(letter in plain for letter in "/\\\0")
        if not _SEGMENT.match(segment) or climbs:
            raise BrokenInput(f"{segment!r} cannot stand in a did:web path", where=did)
    place = "/".join(path) if path else ".well-known"
    return f"https://{host.lower()}{':' + port if port else ''}/{place}/did.json"


def did_webvh_url(did: str) -> str:
    """Where the history of a did:webvh is read; BrokenInput if the hash in it is none, and as for a did:web.

    Its witnesses' file lies beside it: `witness_url`. A host outside ASCII is written in its `xn--` form.
    """
    method, _, rest = did.removeprefix("did:webvh:").partition(":")
    if not did.startswith("did:webvh:") or not _SCID.match(method):
        raise BrokenInput("is not a did:webvh", where=did[:100], hint="one begins did:webvh:Qm...")
    try:
        return did_web_url(f"did:web:{rest}").removesuffix("did.json") + "did.jsonl"
    except BrokenInput as problem:
        raise BrokenInput(problem.what, where=did[:300], hint="did:webvh needs a domain name") from problem


def witness_url(log_url: str) -> str:
    """Where the proofs of the witnesses of a did:webvh lie, given where its history lies."""
    return log_url.removesuffix("did.jsonl") + "did-witness.json"


def did_web_of(url: str) -> str:
    """The did:web whose document would lie under this https address: `https://a.edu/x/y` is
    `did:web:a.edu:x:y`.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as problem:
        raise BrokenInput(f"{url!r} is not an address") from problem
    if parts.scheme != "https" or not parts.hostname:
        raise BrokenInput(f"{url!r} is not an https address")
    if parts.query or parts.fragment or "@" in parts.netloc or ":" in parts.path:
        raise BrokenInput(
            f"{url!r} has no did:web",
            hint="leave out user name, query and fragment, and colons in the path",
        )
    host = parts.hostname if port is None else f"{parts.hostname}%3A{port}"
    did = ":".join(["did:web", host, *(p for p in parts.path.split("/") if p)])
    did_web_url(did)
    return did


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return host.replace(".", "").isdigit()
    return True


def did_document(
    did: str,
    keys: Iterable[HasPublicKey],
    *,
    jwk: Iterable[HasPublicKey] = (),
    also_known_as: Iterable[str] = (),
) -> dict[str, Any]:
    """The document to publish for a DID, or for an https URL that issues (a controlled identifier document, to be
    served at that URL): each key allowed to make assertions.

    `keys` are listed as Multikey, those of `jwk` as JsonWebKey, for verifiers that know JSON Web Keys only; an RSA key
    is always listed so, since it has no Multikey. Every `key_id` must be the identifier with a fragment and stand
    once; BrokenInput otherwise, since nobody could follow it (Controlled Identifiers 1.0 sections 2.2 and 3.3).
    """
    methods: list[dict[str, Any]] = []
    for key, as_jwk in [*((key, key.algorithm == "RSA") for key in keys), *((key, True) for key in jwk)]:
        if did_of(key.key_id) != did or "#" not in key.key_id:
            raise BrokenInput(f"key {key.key_id!r} is not a key of {did}", hint=f"name it {did}#key-1")
        if key.key_id in (method["id"] for method in methods):
            raise BrokenInput(f"key {key.key_id!r} is listed twice", hint="give each key a name of its own")
        method: dict[str, Any] = {"id": key.key_id, "type": "JsonWebKey" if as_jwk else "Multikey", "controller": did}
        if as_jwk:
            method["publicKeyJwk"] = jwk_of(key)
        else:
            method["publicKeyMultibase"] = multikey_encode(key.algorithm, key.public_key)
        methods.append(method)
    if not methods:
        raise BrokenInput("a DID document without a key is of no use", where=did)
    document: dict[str, Any] = {"@context": _contexts(did, methods), "id": did}
    others = list(also_known_as)
    if others:
        document["alsoKnownAs"] = others
    document["verificationMethod"] = methods
    document["assertionMethod"] = [method["id"] for method in methods]
    return document


def _contexts(did: str, methods: list[dict[str, Any]]) -> list[str]:
    """The contexts that define what the methods say; the one of controlled identifiers defines both kinds of key."""
    if not did.startswith("did:"):
        return [CID_CONTEXT]
    kinds = {method["type"] for method in methods}
    found = {"Multikey": MULTIKEY_CONTEXT, "JsonWebKey": JWK_CONTEXT}
    return [DID_CONTEXT, *(context for kind, context in found.items() if kind in kinds)]


def own_document(did: str) -> dict[str, Any]:
    """The document of a did:key or did:jwk, which nobody has to publish, since it follows from the identifier."""
    key = key_of_did_key(did) if did.startswith("did:key:") else key_of_did_jwk(did)
    return did_document(did, [key]) if did.startswith("did:key:") else did_document(did, [], jwk=[key])
