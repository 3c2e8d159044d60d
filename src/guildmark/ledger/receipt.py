"""Receipts (C2SP tlog-proof): one text that shows offline that an entry is in a log.

A receipt is the entry's index, the path from its leaf to the root, and the checkpoint that signs the root.
The `extra` line carries the nonce of a learner's leaf, so that the credential needs no term of its own for
it. It is not authenticated and need not be: a wrong nonce rebuilds a leaf that the path does not lead from.

What a receipt is worth depends on who else has seen the checkpoint, and is always said as a level:
S, self-logged only; W, seen by independent witnesses; T, time-stamped by others; C, on a chain and final.
Cosignatures and time-stamps are not read yet, so that every receipt is level S here.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from guildmark.core.errors import BrokenInput
from guildmark.core.report import Finding, Report, Verdict
from guildmark.ledger.checkpoint import Checkpoint, read_checkpoint, read_decimal
from guildmark.ledger.entries import NONCE_SIZE, credential_leaf
from guildmark.ledger.merkle import HASH_SIZE, leaf_hash, verify_inclusion
from guildmark.ledger.note import InvalidNote, VerifierKey, decode_base64, parse_note

FIRST_LINE = "c2sp.org/tlog-proof@v1"
MAX_RECEIPT = 200_000
"""Bytes of a receipt that we are ready to read: a note, a path of at most 63 hashes, and the extra line."""
_PROOF_CLAUSE = "C2SP tlog-proof, Verifying a tlog proof"

SELF_LOGGED = (
    "Level S, self-logged only: the log is its operator's own. It shows later changes to anybody who kept a "
    "checkpoint; it does not show when the entry was written, nor that others see the same log."
)


@dataclass(frozen=True, slots=True)
class Receipt:
    """A receipt as its parts; `checkpoint` is the signed note exactly as the log issued it."""

    index: int
    proof: tuple[bytes, ...]
    checkpoint: str
    extra: bytes = b""

    @property
    def nonce(self) -> bytes:
        """The nonce of a learner's leaf, or b"" if the extra data is not one."""
        return self.extra if len(self.extra) == NONCE_SIZE else b""

    def to_text(self) -> str:
        """The receipt as tlog-proof text; file names end in `.tlog-proof`."""
        extra = [f"extra {base64.b64encode(self.extra).decode()}"] if self.extra else []
        path = [base64.b64encode(step).decode() for step in self.proof]
        return "\n".join([FIRST_LINE, *extra, f"index {self.index}", *path, "", self.checkpoint])


def read_receipt(text: str | bytes, *, where: str = "receipt") -> Receipt:
    """The parts of a receipt, nothing verified; BrokenInput names the line that is wrong."""
    if isinstance(text, bytes):
        try:
            text = text.decode("utf-8")
        except UnicodeDecodeError as problem:
            raise BrokenInput(
                f"byte {problem.start} is not UTF-8", where=where, hint="a receipt is a text file"
            ) from problem
    if len(text) > MAX_RECEIPT:
        raise BrokenInput(
            f"{len(text):,} characters are more than {MAX_RECEIPT:,}", where=where, hint="is this a receipt?"
        )
    if "\r" in text:
        raise BrokenInput("holds carriage returns", where=where, hint="keep the line ends as they were served (LF)")
    head, empty, checkpoint = text.partition("\n\n")
    lines = head.split("\n")
    if lines[0] != FIRST_LINE:
        raise BrokenInput(f"line 1 is not {FIRST_LINE}", where=where, hint="is this a receipt?")
    if not empty:
        raise BrokenInput("has no empty line before a checkpoint", where=where, hint="check that all of it was copied")
    rest, extra = lines[1:], b""
    if rest and rest[0].startswith("extra "):
        extra = _line_bytes(rest.pop(0).removeprefix("extra "), 2, where)
    at = len(lines) - len(rest) + 1
    index = read_decimal(rest[0].removeprefix("index ")) if rest and rest[0].startswith("index ") else None
    if index is None:
        raise BrokenInput(
            f"line {at} does not say index and a number", where=where, hint="check that all of it was copied"
        )
    proof = tuple(_line_bytes(line, at + 1 + i, where) for i, line in enumerate(rest[1:]))
    for i, step in enumerate(proof):
        if len(step) != HASH_SIZE:
            raise BrokenInput(f"line {at + 1 + i} is no hash of {HASH_SIZE} bytes", where=where)
    read_checkpoint(checkpoint, where=f"{where}, checkpoint")
    return Receipt(index, proof, checkpoint, extra)


def _line_bytes(text: str, line: int, where: str) -> bytes:
    try:
        return decode_base64(text)
    except ValueError as problem:
        raise BrokenInput(
            f"line {line} is not base64", where=where, hint="check that all of it was copied"
        ) from problem


Trust = VerifierKey | str | Sequence[VerifierKey | str]


def trusted_keys(trust: Trust) -> tuple[VerifierKey, ...]:
    """The log keys that a verifier trusts, from keys or their texts; BrokenInput if one is no key."""
    listed = [trust] if isinstance(trust, VerifierKey | str) else trust
    return tuple(key if isinstance(key, VerifierKey) else VerifierKey.parse(key) for key in listed)


def verify_receipt(text: str | bytes | Receipt, *, vkey: Trust, leaf: bytes, where: str = "receipt") -> Report:
    """Whether the receipt shows `leaf` in a log whose key is among `vkey`. Needs nothing but its arguments.

    `ledger.receipt`: it can be read; `ledger.checkpoint`: a trusted key signed it under its own origin;
    `ledger.inclusion`: the path leads from this leaf to the signed root; `ledger.level`: what that is worth.
    A log that the verifier has no key for is unknown, not false; everything else that does not fit fails.
    """
    subject = "Receipt of the log"
    keys = trusted_keys(vkey)
    try:
        receipt = text if isinstance(text, Receipt) else read_receipt(text, where=where)
        claimed = read_checkpoint(receipt.checkpoint, where=f"{where}, checkpoint")
    except BrokenInput as problem:
        says = f"The receipt cannot be read: {problem}"
        return Report(subject, (Finding("ledger.receipt", Verdict.FAIL, says, source="C2SP tlog-proof, Format"),))
    readable = Finding(
        "ledger.receipt",
        Verdict.PASS,
        f"The receipt can be read: entry {receipt.index} of {claimed.origin} at {claimed.size} entries.",
        because={"index": receipt.index, "origin": claimed.origin, "size": claimed.size},
        source="C2SP tlog-proof, Format",
    )
    signed = _checkpoint_finding(receipt, claimed, keys)
    return Report(
        subject,
        (readable, signed, _inclusion_finding(receipt, claimed, leaf, signed.verdict), _level(receipt, keys)),
    )


def _checkpoint_finding(receipt: Receipt, claimed: Checkpoint, keys: Sequence[VerifierKey]) -> Finding:
    note = parse_note(receipt.checkpoint)
    own = [key for key in keys if key.name == claimed.origin]
    because: dict[str, Any] = {
        "origin": claimed.origin,
        "size": claimed.size,
        "trusted": [str(key) for key in keys],
    }
    if not own:
        verdict, says = (
            Verdict.UNKNOWN,
            f"No key is trusted for the log {claimed.origin}, so its checkpoint says nothing.",
        )
    else:
        try:
            signers = note.signed_by(own)
        except InvalidNote:
            signers = ()
        if signers:
            verdict, says = Verdict.PASS, f"The checkpoint is signed by the trusted key of {claimed.origin}."
        else:
            verdict, says = (
                Verdict.FAIL,
                f"The checkpoint is not signed by the trusted key of {claimed.origin}.",
            )
    return Finding(
        "ledger.checkpoint",
        verdict,
        says,
        because=because,
        source="C2SP tlog-checkpoint; signed-note, Signatures",
    )


def _inclusion_finding(receipt: Receipt, claimed: Checkpoint, leaf: bytes, signed: Verdict) -> Finding:
    hashed = leaf_hash(leaf)
    because = {"index": receipt.index, "leaf_hash": hashed.hex(), "root": claimed.root.hex()}
    if not verify_inclusion(
        index=receipt.index, size=claimed.size, leaf=hashed, proof=receipt.proof, root=claimed.root
    ):
        verdict, says = (
            Verdict.FAIL,
            "The receipt does not belong to this document: its path does not lead to the root.",
        )
    elif signed is Verdict.PASS:
        verdict, says = Verdict.PASS, f"This document is entry {receipt.index} of the log."
    else:
        verdict, says = Verdict.UNKNOWN, "The path leads to a root that nobody you trust has signed."
    return Finding("ledger.inclusion", verdict, says, because=because, source=f"{_PROOF_CLAUSE}; RFC 9162, 2.1.3.2")


def _level(receipt: Receipt, keys: Sequence[VerifierKey]) -> Finding:
    """A limit that is stated, not a fault: unknown and not required, so that it is never a green tick."""
    known = {(key.name, key.key_id) for key in keys}
    others = [line.name for line in parse_note(receipt.checkpoint).signatures if (line.name, line.key_id) not in known]
    because = {"level": "S", "signatures_not_looked_at": others}
    return Finding(
        "ledger.level",
        Verdict.UNKNOWN,
        SELF_LOGGED,
        required=False,
        because=because,
        source="C2SP tlog-proof",
    )


def ledger_findings(
    credential: bytes | Mapping[str, Any],
    receipt_text: str | bytes | None,
    *,
    vkey: Trust,
    where: str = "receipt",
) -> Report:
    """What a receipt says about a credential in hand; without one, a single finding that is not applicable.

    The leaf is rebuilt from the credential and the receipt's nonce. A credential whose leaf cannot be built
    (it has no proof by its issuer) fails `ledger.inclusion`.
    """
    subject = "Receipt of the log"
    if receipt_text is None:
        says = "No receipt was handed in, so nothing is said about a log."
        return Report(subject, (Finding("ledger.receipt", Verdict.NOT_APPLICABLE, says, required=False),))
    try:
        receipt = read_receipt(receipt_text, where=where)
    except BrokenInput:
        return verify_receipt(receipt_text, vkey=vkey, leaf=b"", where=where)
    if not receipt.nonce:
        says = f"The receipt has no nonce of {NONCE_SIZE} bytes, so it is not the receipt of a credential."
        return Report(subject, (Finding("ledger.receipt", Verdict.FAIL, says, source="C2SP tlog-proof, Format"),))
    try:
        leaf = credential_leaf(credential, receipt.nonce)
    except BrokenInput as problem:
        report = verify_receipt(receipt, vkey=vkey, leaf=b"", where=where)
        says = f"The entry of this document cannot be built: {problem}"
        return Report(
            subject,
            tuple(replace(f, says=says) if f.id == "ledger.inclusion" else f for f in report.findings),
        )
    return verify_receipt(receipt, vkey=vkey, leaf=leaf, where=where)
