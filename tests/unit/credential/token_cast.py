"""What the tests of tokens share: an award, keys of every kind that signs tokens, and ways to take a token apart."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from tests.unit.credential import award_cast as cast

from guildmark.core.codecs import base64url_decode, base64url_encode
from guildmark.core.report import Verdict
from guildmark.credential.did import did_document
from guildmark.credential.keys import PublicKey, SoftwareSigner
from guildmark.credential.open_badge import IssuerProfile, Recipient
from guildmark.credential.resolve import FoundKey

HARBOUR = cast.HARBOUR
HOLDER = SoftwareSigner(b"h" * 32, "did:example:zoe#key-1")
ZOE = Recipient(did="did:example:zoe")

KINDS = ("Ed25519", "P-256", "P-384", "RSA")


@cache
def signer(kind: str = "Ed25519", profile: IssuerProfile = HARBOUR) -> SoftwareSigner:
    """The issuer's key of a kind; its Ed25519 key is the one of `award_cast`."""
    if kind == "Ed25519":
        return cast.signer(profile)
    if kind == "RSA":
        made = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
            serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return SoftwareSigner(made, f"{profile.id}#rsa", "RSA")
    return SoftwareSigner(b"\x07" * (48 if kind == "P-384" else 32), f"{profile.id}#{kind.lower()}", kind)


def found(by: SoftwareSigner, owner: str = HARBOUR.id) -> FoundKey:
    return FoundKey(PublicKey(by.key_id, by.algorithm, by.public_key), owner, Verdict.PASS, "")


def award(**changes: Any) -> dict[str, Any]:
    """An award to a DID, so that the token has every claim."""
    return cast.award(**{"recipient": ZOE, **changes})


def web(*kinds: str) -> cast.Web:
    """The world of the cast, in which Harbour University lists its keys of these kinds too."""
    place = cast.web()
    keys = [signer("Ed25519"), *(signer(kind) for kind in kinds if kind != "Ed25519")]
    document = did_document(HARBOUR.id, keys)
    place.documents[f"{cast.BASE}/issuers/harbour-university/did.json"] = json.dumps(document).encode()
    return place


def parts(token: str) -> tuple[dict[str, Any], dict[str, Any], str]:
    head, body, signature = token.partition("~")[0].split(".")
    return json.loads(base64url_decode(head)), json.loads(base64url_decode(body)), signature


def forged(token: str, *, header: Mapping[str, Any] | None = None, claims: Mapping[str, Any] | None = None) -> str:
    """The token with these members changed (None takes one out), its signature left as it was."""
    head, body, signature = parts(token)
    return f"{_part(head, header)}.{_part(body, claims)}.{signature}"


def resigned(token: str, by: SoftwareSigner, *, header: Mapping[str, Any] | None = None, **claims: Any) -> str:
    """The same, signed again by `by`."""
    head, body, _ = parts(token)
    text = f"{_part(head, header)}.{_part(body, claims)}"
    return f"{text}.{base64url_encode(by.sign(text.encode()))}"


def _part(members: Mapping[str, Any], changes: Mapping[str, Any] | None) -> str:
    value = {name: item for name, item in {**members, **(changes or {})}.items() if item is not None}
    return base64url_encode(json.dumps(value).encode())


LATER = cast.NOW + timedelta(hours=1)
