"""Industry partners sign the task, outcome and assessment map: Open Badges 3.0 EndorsementCredentials.

The claim is for people and stands in `endorsementComment`. What is signed for machines is a `relatedResource`
(W3C Verifiable Credentials Data Model 2.0, section 5.3): the address of the map, limited to the outcomes in
scope, and the SHA-256 of its bytes. Change the map and the bytes at that address no longer have the digest
that the partner signed. The comment repeats digest and scope in one line, so that a reader of the bare text
sees what was signed; `read_endorsement` refuses a document in which the two disagree.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections import deque
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote, unquote

from guildmark.core.codecs import iso, parse_iso, parse_json
from guildmark.core.errors import BrokenInput
from guildmark.credential.open_badge import CREDENTIALS_V2, OPEN_BADGES, IssuerProfile, related_resource
from guildmark.design.blueprint import Blueprint
from guildmark.design.codesign import Endorsed, map_digest

Scope = str | tuple[str, ...]
"""`"whole"`, or the ids of the outcomes that the partner speaks about."""


def scoped_map_url(map_url: str, scope: Scope) -> str:
    """Where the part of the map in scope is served: `map_url` itself, or with `?outcomes=a,b`."""
    if isinstance(scope, str):
        return map_url
    return f"{map_url}?outcomes={','.join(quote(outcome, safe='') for outcome in scope)}"


def endorsement_document(
    *,
    id: str,
    partner: IssuerProfile,
    target_id: str,
    blueprint: Blueprint,
    scope: Scope,
    digest: str,
    claim: str,
    valid_from: datetime,
    valid_until: datetime | None = None,
    map_url: str = "",
    status_entry: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The unsigned EndorsementCredential of `partner` for the achievement `target_id`.

    `map_url` defaults to `target_id` + `/map`. BrokenInput if `digest` is not the digest of the map in
    `scope` as the blueprint has it now (a partner must not sign what it was not shown), or if the claim is
    empty.
    """
    if map_digest(blueprint, scope) != digest:
        raise BrokenInput(
            "the digest is not that of the map in scope",
            where="endorsement.digest",
            hint="show the partner the present map",
        )
    if not claim.strip():
        raise BrokenInput("an endorsement says something", where="endorsement.claim", hint="write one sentence")
    where = scoped_map_url(map_url or f"{target_id}/map", scope)
    document: dict[str, Any] = {
        "@context": [CREDENTIALS_V2, OPEN_BADGES],
        "id": id,
        "type": ["VerifiableCredential", "EndorsementCredential"],
        "name": f"Endorsement of {blueprint.title} by {partner.name}",
        "issuer": partner.to_profile(),
        "validFrom": iso(valid_from),
        "credentialSubject": {
            "id": target_id,
            "type": ["EndorsementSubject"],
            "endorsementComment": f"{claim.strip()}\n\n{_digest_line(digest, scope)}",
        },
        "relatedResource": [related_resource(where, digest)],
    }
    if valid_until is not None:
        document["validUntil"] = iso(valid_until)
    if status_entry is not None:
        document["credentialStatus"] = dict(status_entry)
    return document


def read_endorsement(document: Mapping[str, Any] | bytes) -> Endorsed:
    """What an endorsement of ours says, as a value. It does not check the signature: verify the document
    first.

    BrokenInput names the field if it is no endorsement of a map, or if its text and its digest disagree.
    """
    if isinstance(document, (bytes, bytearray, memoryview)):
        parsed = parse_json(bytes(document), where="endorsement")
    else:
        parsed = document
    if not isinstance(parsed, Mapping) or "EndorsementCredential" not in _listed(parsed.get("type")):
        raise BrokenInput("is not an EndorsementCredential", where="endorsement.type")
    issuer, subject = parsed.get("issuer"), parsed.get("credentialSubject")
    if not isinstance(issuer, Mapping) or not isinstance(issuer.get("id"), str):
        raise BrokenInput("names no partner", where="endorsement.issuer")
    comment = subject.get("endorsementComment") if isinstance(subject, Mapping) else None
    if not isinstance(comment, str):
        raise BrokenInput("has no comment", where="endorsement.credentialSubject.endorsementComment")
    digest, scope = _related_map(parsed)
    claim, _, line = comment.rpartition("\n\n")
    if line != _digest_line(digest, scope):
        raise BrokenInput(
            "the text does not repeat the digest and scope that are signed",
            where="endorsement.credentialSubject.endorsementComment",
            hint="ask the partner to sign again",
        )
    return Endorsed(
        partner_id=issuer["id"],
        partner_name=str(issuer.get("name") or issuer["id"]),
        scope=scope,
        digest=digest,
        at=parse_iso(str(parsed.get("validFrom")), where="endorsement.validFrom"),
        credential_id=str(parsed.get("id", "")),
        claim=claim,
    )


def embedded_endorsements(document: Mapping[str, Any]) -> Iterator[Any]:
    """What stands under `endorsement` and `endorsementJwt` anywhere in a credential, without entering the
    credentials inside it. An endorsement may be anything: a document, a JSON Web Token, or neither.
    """
    waiting: deque[Any] = deque([document])
    while waiting:
        item = waiting.popleft()
        if isinstance(item, Mapping):
            for key, value in item.items():
                if key in ("endorsement", "endorsementJwt"):
                    yield from _listed(value)
                elif key not in ("@context", "proof", "verifiableCredential"):
                    waiting.append(value)
        elif isinstance(item, list):
            waiting.extend(item)


def _digest_line(digest: str, scope: Scope) -> str:
    return f"map sha-256: {digest}; scope: {scope if isinstance(scope, str) else ', '.join(scope)}"


def _related_map(document: Mapping[str, Any]) -> tuple[str, Scope]:
    for entry in _listed(document.get("relatedResource")):
        if not isinstance(entry, Mapping):
            continue
        sri, url = entry.get("digestSRI"), entry.get("id")
        if (
            isinstance(sri, str)
            and isinstance(url, str)
            and (match := re.fullmatch(r"sha256-([A-Za-z0-9+/]{43}=)", sri))
        ):
            try:
                digest = base64.b64decode(match[1], validate=True).hex()
            except binascii.Error as problem:
                raise BrokenInput("digest is not base64", where="endorsement.relatedResource.digestSRI") from problem
            _, marker, outcomes = url.partition("?outcomes=")
            return digest, tuple(unquote(o) for o in outcomes.split(",")) if marker else "whole"
    raise BrokenInput("names no map with its SHA-256", where="endorsement.relatedResource")


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]
