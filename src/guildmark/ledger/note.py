"""Signed notes and verifier keys (C2SP signed-note): a text, an empty line, one signature per line.

Only Ed25519 (signature type 0x01) is signed and verified here; the specification asks an implementation to
choose one kind. Signatures by keys that we do not know are ignored, as it demands: that is what lets a
checkpoint carry the cosignatures of witnesses and of a successor key.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from guildmark.core.doors import Signer
from guildmark.core.errors import BrokenInput

ED25519 = 0x01
MAX_NOTE = 100_000
"""Bytes of a note we read: room for 16 post-quantum signatures of 5 kB, the specification's floor."""
_DASH = "— "


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key with the name it signs under; its text form (`name+id+key`) is what people hand around."""

    name: str
    key_id: bytes
    public_key: bytes

    @classmethod
    def of(cls, name: str, public_key: bytes) -> VerifierKey:
        """The verifier key of an Ed25519 public key (32 bytes) under `name`."""
        _check_name(name)
        if len(public_key) != 32:
            raise BrokenInput(f"an Ed25519 public key has 32 bytes, not {len(public_key)}", where=name)
        return cls(name, _key_id(name, public_key), public_key)

    @classmethod
    def parse(cls, text: str) -> VerifierKey:
        """The key in `name+hex id+base64`; BrokenInput says which of the three parts is wrong."""
        text = text.strip()
        hint = "copy the whole line, such as example.edu/log+1a2b3c4d+AT..."
        parts = text.split("+", 2)  # the base64 part may hold further plus signs
        if len(parts) != 3:
            raise BrokenInput("a verifier key has three parts joined by +", where=text[:60], hint=hint)
        name, key_id, key = parts
        _check_name(name)
        try:
            material = decode_base64(key)
        except ValueError as problem:
            raise BrokenInput("the key part of a verifier key is not base64", where=name, hint=hint) from problem
        if material[:1] != bytes([ED25519]) or len(material) != 33:
            raise BrokenInput(
                "verifier key is not of the kind Ed25519 (0x01)", where=name, hint="ask the log for that one"
            )
        value = cls.of(name, material[1:])
        if value.key_id.hex() != key_id.lower():
            raise BrokenInput(f"key id {key_id} does not belong to this name and key", where=name, hint=hint)
        return value

    def __str__(self) -> str:
        key = base64.b64encode(bytes([ED25519]) + self.public_key).decode()
        return f"{self.name}+{self.key_id.hex()}+{key}"


@dataclass(frozen=True, slots=True)
class NoteSignature:
    """One signature line: whose name, which key id, and the signature bytes after it."""

    name: str
    key_id: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Note:
    """A text and its signatures. Nothing in `body` may be used before `signed_by` names a key."""

    body: str
    signatures: tuple[NoteSignature, ...]

    def signed_by(self, keys: Iterable[VerifierKey]) -> tuple[VerifierKey, ...]:
        """Those of `keys` that signed this note; InvalidNote if a signature by one of them is wrong."""
        known = {(key.name, key.key_id): key for key in keys}
        found: list[VerifierKey] = []
        for line in self.signatures:
            key = known.get((line.name, line.key_id))
            if key is None or key in found:
                continue
            try:
                Ed25519PublicKey.from_public_bytes(key.public_key).verify(line.signature, self.body.encode())
            except (InvalidSignature, ValueError) as problem:
                raise InvalidNote(key.name) from problem
            found.append(key)
        return tuple(found)


class InvalidNote(BrokenInput):
    """A note claims to be signed by a key that we know, and that signature is wrong."""

    def __init__(self, name: str) -> None:
        super().__init__(
            "a signature by a known key does not verify",
            where=name,
            hint="the text was changed; fetch it again",
        )


def parse_note(text: str | bytes, *, where: str = "note") -> Note:
    """The text and the signatures of a note; BrokenInput if it is no signed note."""
    if isinstance(text, str):
        text = text.encode("utf-8", "surrogatepass")
    if len(text) > MAX_NOTE:
        raise BrokenInput(f"a note of {len(text):,} bytes is longer than {MAX_NOTE:,}", where=where)
    try:
        decoded = text.decode("utf-8")
    except UnicodeDecodeError as problem:
        raise BrokenInput(
            f"byte {problem.start} is not UTF-8", where=where, hint="fetch it again as bytes"
        ) from problem
    if any(character < " " and character != "\n" for character in decoded):
        raise BrokenInput("holds a control character", where=where, hint="keep the line ends as they were served (LF)")
    split = decoded.rfind("\n\n")
    if split < 0 or not decoded.endswith("\n"):
        raise BrokenInput(
            "has no empty line followed by signatures", where=where, hint="check that all of it was copied"
        )
    body, lines = decoded[: split + 1], decoded[split + 2 :].split("\n")[:-1]
    signatures = tuple(_parse_signature(line, where) for line in lines)
    if not signatures:
        raise BrokenInput("carries no signature", where=where, hint="check that all of it was copied")
    return Note(body, signatures)


def _parse_signature(line: str, where: str) -> NoteSignature:
    hint = "a signature line is: — name base64"
    name, space, encoded = line.removeprefix(_DASH).partition(" ")
    if not line.startswith(_DASH) or not space or not _is_name(name):
        raise BrokenInput(f"{line[:40]!r} is not a signature line", where=where, hint=hint)
    try:
        data = decode_base64(encoded)
    except ValueError as problem:
        raise BrokenInput(f"the signature of {name} is not base64", where=where, hint=hint) from problem
    if len(data) <= 4:
        raise BrokenInput(f"the signature of {name} is too short", where=where, hint=hint)
    return NoteSignature(name, data[:4], data[4:])


def sign_note(body: str, signer: Signer, name: str) -> str:
    """`body` signed under `name`; it ends in a newline and holds no other control character."""
    if not body.endswith("\n") or any(c < " " and c != "\n" for c in body):
        raise ValueError("the text of a note ends in a newline and holds no other control character")
    if signer.algorithm != "Ed25519":
        raise BrokenInput(f"a note is signed with Ed25519, not {signer.algorithm}", where=signer.key_id)
    key = VerifierKey.of(name, signer.public_key)
    signature = base64.b64encode(key.key_id + signer.sign(body.encode())).decode()
    return f"{body}\n{_DASH}{name} {signature}\n"


def _key_id(name: str, public_key: bytes) -> bytes:
    """SHA-256(name || LF || signature type || public key), first four bytes."""
    return sha256(name.encode() + b"\n" + bytes([ED25519]) + public_key).digest()[:4]


def _is_name(name: str) -> bool:
    return bool(name) and "+" not in name and not any(c.isspace() or c < " " for c in name)


def _check_name(name: str) -> None:
    if not _is_name(name):
        raise BrokenInput(
            f"{name[:60]!r} is not a key name", hint="use a name such as example.edu/log, without spaces or +"
        )


def decode_base64(text: str) -> bytes:
    """Standard base64 in its canonical spelling; ValueError for any other: one value has one text."""
    try:
        data = base64.b64decode(text, validate=True)
    except binascii.Error as problem:
        raise ValueError(str(problem)) from problem
    if base64.b64encode(data).decode() != text:
        raise ValueError("not the canonical spelling")
    return data
