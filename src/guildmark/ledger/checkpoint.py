"""Checkpoints (C2SP tlog-checkpoint): a log's origin, size and root, signed as a note.

A checkpoint carries no time: when a log existed is for witnesses, time-stamps and chains to say, never for
the log.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from guildmark.core.doors import Signer
from guildmark.core.errors import BrokenInput
from guildmark.ledger.merkle import HASH_SIZE
from guildmark.ledger.note import VerifierKey, decode_base64, parse_note, sign_note

MAX_SIZE = 2**63 - 1
"""The largest tree we read: what other implementations hold in a signed 64-bit number."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a log says it is: `size` entries under `root`. `extensions` are kept, not interpreted."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    @property
    def body(self) -> str:
        """The text that is signed, and whose SHA-256 is anchored."""
        lines = (self.origin, str(self.size), base64.b64encode(self.root).decode(), *self.extensions)
        return "".join(f"{line}\n" for line in lines)

    @classmethod
    def parse(cls, body: str, *, where: str = "checkpoint") -> Checkpoint:
        """The checkpoint in a note's text; BrokenInput names the line that is wrong."""
        if not body.endswith("\n"):
            raise BrokenInput("does not end in a newline", where=where, hint="check that all of it was copied")
        lines = body[:-1].split("\n")
        if len(lines) < 3 or not all(lines):
            raise BrokenInput("needs three or more lines, none empty", where=where, hint="origin, size, root hash")
        origin, size_text, root_text, *extensions = lines
        size = read_decimal(size_text)
        if size is None:
            raise BrokenInput(
                f"line 2 is no tree size ({size_text[:30]!r})",
                where=where,
                hint="a number without leading zeros",
            )
        try:
            root = decode_base64(root_text)
        except ValueError as problem:
            raise BrokenInput("line 3 is not base64", where=where, hint="it is the root hash") from problem
        if len(root) != HASH_SIZE:
            raise BrokenInput(f"root hash of {len(root)} bytes should have {HASH_SIZE}", where=where)
        return cls(origin, size, root, tuple(extensions))

    def sign(self, signer: Signer) -> str:
        """The checkpoint as a note signed under the log's origin."""
        return sign_note(self.body, signer, self.origin)


def read_checkpoint(text: str | bytes, *, where: str = "checkpoint") -> Checkpoint:
    """What a signed checkpoint *claims*: no signature is looked at, as `open_checkpoint` does."""
    return Checkpoint.parse(parse_note(text, where=where).body, where=where)


def open_checkpoint(text: str | bytes, keys: Sequence[VerifierKey], *, where: str = "checkpoint") -> Checkpoint:
    """The checkpoint, signed by one of `keys` whose name is its origin; BrokenInput otherwise."""
    note = parse_note(text, where=where)
    checkpoint = Checkpoint.parse(note.body, where=where)
    if not note.signed_by(key for key in keys if key.name == checkpoint.origin):
        raise BrokenInput(
            f"is not signed by a known key of {checkpoint.origin}",
            where=where,
            hint="is this the right log and key?",
        )
    return checkpoint


def checkpoint_digest(text: str | bytes) -> bytes:
    """SHA-256 over the body of a signed checkpoint: the 32 bytes that are written to a chain.

    Signatures are left out, so that a checkpoint has the same digest whichever witnesses have signed it by
    then.
    """
    return sha256(parse_note(text).body.encode()).digest()


def read_decimal(text: str) -> int | None:
    """The number in ASCII digits without leading zeros and at most 2**63 - 1; None for anything else."""
    if not (text.isascii() and text.isdigit()) or len(text) > 19 or (len(text) > 1 and text[0] == "0"):
        return None
    number = int(text)
    return number if number <= MAX_SIZE else None
