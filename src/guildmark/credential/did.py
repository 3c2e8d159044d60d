"""Decentralised identifiers: the key in a did:key, the address of a did:web, and the document that lists
keys.

Rules (W3C Controlled Identifiers 1.0; did:key and did:web method specifications):

1. a did:key is its key; its one verification method is `did:key:z6Mk...#z6Mk...`;
2. a did:web names a host and a path: `did:web:example.edu:a:b` is read at `https://example.edu/a/b/did.json`,
   a bare host at `/.well-known/did.json`; a port is written `%3A8443`; an IP address is refused;
3. the `id` of the document must be the DID that was asked for;
4. a key may make assertions for the DID only if the document lists it under `assertionMethod`, its
   `controller` is the DID, and it is neither revoked nor expired.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import unquote, urlsplit

from guildmark.core.codecs import multikey_decode, multikey_encode
from guildmark.core.errors import BrokenInput
from guildmark.credential.keys import HasPublicKey, PublicKey

CONTEXTS = ("https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1")

_HOST = re.compile(r"(?=.{1,253}\Z)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?\Z")
_SEGMENT = re.compile(r"([A-Za-z0-9._-]|%[0-9A-Fa-f]{2})+\Z")


def did_of(url: str) -> str:
    """The DID or URL without fragment, query and, for a DID, path: who a verification method belongs to."""
    bare = url.split("#", 1)[0]
    return re.split(r"[/?]", bare, maxsplit=1)[0] if bare.startswith("did:") else bare


def did_key(public_key: bytes, algorithm: str = "Ed25519") -> str:
    """The did:key of a public key."""
    return f"did:key:{multikey_encode(algorithm, public_key)}"


def key_of_did_key(did: str) -> PublicKey:
    """The one key of a did:key, under its verification method; BrokenInput if it is none."""
    if not did.startswith("did:key:"):
        raise BrokenInput("not a did:key", where=did)
    multikey = did.removeprefix("did:key:")
    algorithm, raw = multikey_decode(multikey)
    return PublicKey(f"{did}#{multikey}", algorithm, raw)


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
        if not _SEGMENT.match(segment) or unquote(segment) in (".", "..") or "/" in unquote(segment):
            raise BrokenInput(f"{segment!r} cannot stand in a did:web path", where=did)
    place = "/".join(path) if path else ".well-known"
    return f"https://{host.lower()}{':' + port if port else ''}/{place}/did.json"


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


def did_document(did: str, keys: Iterable[HasPublicKey], *, also_known_as: Iterable[str] = ()) -> dict[str, Any]:
    """The document to publish for `did`: each key as a Multikey, allowed to make assertions.

    Every `key_id` must be the DID with a fragment; BrokenInput otherwise, since nobody could follow it.
    """
    methods = []
    for key in keys:
        if did_of(key.key_id) != did or "#" not in key.key_id:
            raise BrokenInput(f"key {key.key_id!r} is not a key of {did}", hint=f"name it {did}#key-1")
        methods.append(
            {
                "id": key.key_id,
                "type": "Multikey",
                "controller": did,
                "publicKeyMultibase": multikey_encode(key.algorithm, key.public_key),
            }
        )
    if not methods:
        raise BrokenInput("a DID document without a key is of no use", where=did)
    document: dict[str, Any] = {"@context": list(CONTEXTS), "id": did}
    others = list(also_known_as)
    if others:
        document["alsoKnownAs"] = others
    document["verificationMethod"] = methods
    document["assertionMethod"] = [method["id"] for method in methods]
    return document
