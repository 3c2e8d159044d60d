"""What is written into the log: blinded leaves for learners, statements in clear for organisations.

Both begin with two lines, `guildmark-log/v1` and the kind. A learner's leaf names the issuer and its key,
because that lets an issuer's monitor see a credential that the issuer never made, and otherwise only a
commitment: without the 32-byte nonce nobody can tell which credential it is, not even somebody who has the
credential. Erasing the credential and its nonce leaves a line that matches nothing.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from guildmark.core.codecs import jcs, parse_json
from guildmark.core.errors import BrokenInput
from guildmark.core.report import Finding, Report, Verdict
from guildmark.ledger.merkle import leaf_hash
from guildmark.ledger.note import decode_base64
from guildmark.ledger.tiles import MAX_ENTRY

VERSION = "guildmark-log/v1"
ISSUE = "issue"
NONCE_SIZE = 32
ORGANISATION_KINDS: Mapping[str, str] = {
    "key": "a signing key was added, rotated, or is compromised from a time on",
    "accredit": "one organisation accredits another",
    "withdraw": "an accreditation is withdrawn",
    "endorse": "an organisation endorses an issuer or an achievement",
    "policy": "from an index on, all credentials of the issuer are logged",
    "achievement": "a version of an achievement's definition, by its hash",
    "statuslist": "a version of a status list, by its number and its hash",
    "anchor": "a checkpoint's digest was written somewhere",
    "didwebvh": "an entry of the issuer's DID log, by its hash",
}
"""What an organisation may say. Revocation is never a leaf of its own: a status list's new version is."""

_COMMIT = b"guildmark-commit/v1"
_DID = re.compile(r"did:[a-z0-9]+:[\x21-\x7e]+")
_KEY_ID = re.compile(r"[\x21-\x7e]+")


def learner_leaf(issuer_did: str, key_id: str, credential: bytes | Mapping[str, Any], nonce: bytes) -> bytes:
    """The leaf of an issued credential, five ASCII lines that tell nothing about the learner.

    `credential` is the signed document. `nonce` is 32 random bytes made for this credential alone and kept
    with it; it goes into the receipt. The same four values always give the same leaf. Bytes that are not a
    JSON object (a compact JWS) are committed to as they are.
    """
    if not _DID.fullmatch(issuer_did):
        raise BrokenInput(f"{issuer_did[:60]!r} is not a DID", where="issuer", hint="use did:web:example.edu")
    if not _KEY_ID.fullmatch(key_id):
        raise BrokenInput(f"{key_id[:60]!r} is not a key id", where="key", hint="use did:web:example.edu#key-1")
    if len(nonce) != NONCE_SIZE:
        raise BrokenInput(f"the nonce has {len(nonce)} bytes instead of {NONCE_SIZE}", where="log entry")
    return leaf_beginning(issuer_did, key_id) + commitment_line(credential_digest(credential, issuer_did), nonce)


def leaf_beginning(issuer_did: str, key_id: str) -> bytes:
    """The first four lines of a learner's leaf, the same for every credential that an issuer signs with one key."""
    return "".join(f"{line}\n" for line in (VERSION, ISSUE, issuer_did, key_id)).encode()


def commitment_line(digest: bytes, nonce: bytes) -> bytes:
    """The last line of a learner's leaf: the commitment to a `credential_digest`, blinded with the nonce."""
    return base64.b64encode(sha256(_COMMIT + nonce + digest).digest()) + b"\n"


def credential_digest(credential: bytes | Mapping[str, Any], issuer_did: str) -> bytes:
    """SHA-256 over the JCS form of the credential with the issuer's own proof only.

    Proofs by others (a blockchain anchor, an endorsement) may be added later without the leaf becoming
    another one.
    """
    if isinstance(credential, bytes):
        if not credential.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{"):
            return sha256(credential).digest()
        credential = parse_json(credential, where="credential")
    if not isinstance(credential, Mapping):
        raise BrokenInput("is not a JSON object", where="credential", hint="hand in the signed credential")
    return sha256(jcs({**credential, "proof": dict(issuer_proof(credential, issuer_did))})).digest()


def issuer_proof(credential: Mapping[str, Any], issuer_did: str) -> Mapping[str, Any]:
    """The one proof whose key belongs to the issuer; BrokenInput if there is none, or more than one."""
    proofs = credential.get("proof")
    listed = proofs if isinstance(proofs, list) else [proofs]
    own = [p for p in listed if isinstance(p, Mapping) and _of(p.get("verificationMethod"), issuer_did)]
    if len(own) != 1:
        raise BrokenInput(
            f"has {len(own) or 'no'} proofs by {issuer_did}",
            where="credential.proof",
            hint="the log takes signed credentials",
        )
    return own[0]


def _of(method: Any, did: str) -> bool:
    return isinstance(method, str) and method.partition("#")[0] == did


def credential_leaf(credential: bytes | Mapping[str, Any], nonce: bytes) -> bytes:
    """The leaf of a credential in hand: issuer and key id are read from it. For checking a receipt."""
    if isinstance(credential, bytes):
        credential = parse_json(credential, where="credential")
    if not isinstance(credential, Mapping):
        raise BrokenInput("is not a JSON object", where="credential", hint="hand in the signed credential")
    issuer = credential.get("issuer")
    did = issuer.get("id") if isinstance(issuer, Mapping) else issuer
    if not isinstance(did, str):
        raise BrokenInput("issuer is missing", where="credential", hint="is this a verifiable credential?")
    return learner_leaf(did, str(issuer_proof(credential, did)["verificationMethod"]), credential, nonce)


def organisation_leaf(kind: str, statement: Mapping[str, Any], *, previous: bytes | None = None) -> bytes:
    """The leaf of a public statement: two header lines, then the statement as one line of canonical JSON.

    `statement` says at least who speaks (`issuer`, a DID) and holds no personal data: it can never be erased.
    `previous` is the issuer's last organisation leaf; the new one takes the next `seq` and that leaf's hash
    as `prev`, so that a statement left out of one issuer's history shows. The first statement has seq 0 and
    prev "".
    """
    if kind not in ORGANISATION_KINDS:
        raise BrokenInput(f"kind {kind!r} is not known", where="log entry", hint=f"use {', '.join(ORGANISATION_KINDS)}")
    issuer = statement.get("issuer")
    if not isinstance(issuer, str) or not _DID.fullmatch(issuer):
        raise BrokenInput("issuer is missing or no DID", where=f"log entry {kind}", hint="say who speaks")
    for name in ("seq", "prev"):
        if name in statement:
            raise BrokenInput(
                f"{name} is set by the log",
                where=f"log entry {kind}",
                hint="hand in the previous leaf instead",
            )
    seq, prev = 0, ""
    if previous is not None:
        before = read_leaf(previous)
        if before.statement is None or before.issuer != issuer:
            raise BrokenInput(f"the previous leaf is not a statement by {issuer}", where=f"log entry {kind}")
        seq, prev = before.statement["seq"] + 1, leaf_hash(previous).hex()
    leaf = f"{VERSION}\n{kind}\n".encode() + jcs({**statement, "seq": seq, "prev": prev}) + b"\n"
    if len(leaf) > MAX_ENTRY:
        raise BrokenInput(
            f"statement of {len(leaf):,} bytes is too long",
            where=f"log entry {kind}",
            hint="log a hash of it",
        )
    return leaf


@dataclass(frozen=True, slots=True)
class Leaf:
    """A leaf as a monitor reads it: a learner's has `key_id` and `commit`, others have a `statement`."""

    kind: str
    issuer: str
    key_id: str = ""
    commit: bytes = b""
    statement: Mapping[str, Any] | None = None


def read_leaf(data: bytes) -> Leaf:
    """The leaf in the bytes of an entry; BrokenInput if they are not exactly what guildmark writes."""
    hint = "was it written by another kind of log?"
    try:
        version, kind, rest = data.decode().split("\n", 2)
    except ValueError as problem:  # includes UnicodeDecodeError
        raise BrokenInput("is not a guildmark leaf", where="log entry", hint=hint) from problem
    if version == VERSION and kind == ISSUE:
        lines = rest.split("\n")
        if len(lines) == 4 and lines[3] == "" and _DID.fullmatch(lines[0]) and _KEY_ID.fullmatch(lines[1]):
            try:
                commit = decode_base64(lines[2])
            except ValueError as problem:
                raise BrokenInput("has a commitment that is not base64", where="log entry", hint=hint) from problem
            if len(commit) == sha256().digest_size:
                return Leaf(kind, lines[0], lines[1], commit)
    elif version == VERSION and kind in ORGANISATION_KINDS and rest.endswith("\n"):
        statement = parse_json(rest[:-1], where="log entry")
        if isinstance(statement, dict) and jcs(statement) == rest[:-1].encode():
            issuer, seq, prev = (statement.get(name) for name in ("issuer", "seq", "prev"))
            counted = isinstance(seq, int) and not isinstance(seq, bool) and seq >= 0
            if isinstance(issuer, str) and _DID.fullmatch(issuer) and counted and isinstance(prev, str):
                return Leaf(kind, issuer, statement=statement)
    raise BrokenInput("is not a guildmark leaf", where="log entry", hint=hint)


def history_findings(issuer: str, leaves: Sequence[bytes]) -> Report:
    """`ledger.history`: whether an issuer's statements, in the log's order, follow without a gap."""
    expected, previous = 0, ""
    subject = f"Statements of {issuer} in the log"
    for leaf in leaves:
        read = read_leaf(leaf)
        if read.statement is None or read.issuer != issuer:
            continue
        if (read.statement["seq"], read.statement.get("prev")) != (expected, previous):
            found = read.statement["seq"]
            says = f"Statement {expected} is missing or changed: the log shows number {found} in its place."
            because = {"expected": expected, "found": json.loads(jcs(dict(read.statement)))}
            return Report(subject, (Finding("ledger.history", Verdict.FAIL, says, because=because),))
        expected, previous = expected + 1, leaf_hash(leaf).hex()
    if not expected:
        return Report(subject, (Finding("ledger.history", Verdict.UNKNOWN, "There is no statement by this issuer."),))
    says = f"All {expected} statements follow one another without a gap."
    return Report(subject, (Finding("ledger.history", Verdict.PASS, says, because={"statements": expected}),))
