"""Signing keys as files: encrypted under a passphrase, and open only in the memory of the process that signs.

A sealed key is one line of canonical JSON, so that it explains itself and can be kept in a file or a column:

    {"algorithm": "Ed25519", "format": "guildmark-key-1", "kdf": "scrypt", "key_id": "did:web:...#key-1",
     "n": 32768, "nonce": "...", "p": 1, "public_key": "...", "r": 8, "salt": "...", "sealed": "..."}

`sealed` is the private key under AES-256-GCM with the key that scrypt makes of the passphrase. Every other
member is its associated data: a sealed key that was given another key id, or weaker numbers, does not open.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from guildmark.core.codecs import base64url_decode, base64url_encode, jcs, parse_json
from guildmark.core.doors import Signer
from guildmark.core.errors import BrokenInput
from guildmark.credential.keys import SoftwareSigner

FORMAT = "guildmark-key-1"

_N, _R, _P = 2**15, 8, 1
"""scrypt's numbers: 32 MiB and about a tenth of a second for each guess. The site's passphrase is random unless
an operator chooses one; since each file names its numbers, they can grow without a new format.
"""

_DEAREST = 2**23
"""n times r times p of the dearest key that is opened: 1 GiB of memory, whatever a file asks for."""

_LARGEST_FILE = 10_000
_MEMBERS = ("algorithm", "format", "kdf", "key_id", "n", "nonce", "p", "public_key", "r", "salt", "sealed")


def seal_key(entropy: bytes, *, key_id: str, passphrase: str) -> tuple[bytes, bytes]:
    """(sealed key, public key) of a new Ed25519 key made from `entropy`, 32 secret random bytes or more.

    Private key, salt and nonce are drawn from `entropy` with HKDF, so the same arguments give the same bytes.
    """
    if len(entropy) < 32:
        raise ValueError(f"a key needs 32 bytes of entropy, not {len(entropy)}")
    if not passphrase:
        raise BrokenInput("the passphrase is empty", where=key_id, hint="set GUILDMARK_KEY_PASSPHRASE")
    signer = SoftwareSigner(_drawn(entropy, f"private key of {key_id}", 32), key_id)
    header: dict[str, Any] = {
        "algorithm": signer.algorithm,
        "format": FORMAT,
        "kdf": "scrypt",
        "key_id": key_id,
        "n": _N,
        "nonce": base64url_encode(_drawn(entropy, f"nonce of {key_id}", 12)),
        "p": _P,
        "public_key": base64url_encode(signer.public_key),
        "r": _R,
        "salt": base64url_encode(_drawn(entropy, f"salt of {key_id}", 16)),
    }
    sealed = _cipher(header, passphrase).encrypt(base64url_decode(header["nonce"]), signer.private_key, jcs(header))
    return jcs({**header, "sealed": base64url_encode(sealed)}), signer.public_key


def open_key(sealed: bytes, *, passphrase: str) -> Signer:
    """The signer in a sealed key; takes about a tenth of a second by design.

    BrokenInput if the file is no sealed key, is damaged, or the passphrase is not the one that sealed it.
    """
    header = _header(sealed)
    where = header["key_id"]
    secret = base64url_decode(header.pop("sealed"))
    try:
        private_key = _cipher(header, passphrase).decrypt(base64url_decode(header["nonce"]), secret, jcs(header))
    except InvalidTag as problem:
        raise BrokenInput(
            "the key does not open: the passphrase is another one, or the file was changed",
            where=where,
            hint="check GUILDMARK_KEY_PASSPHRASE, or restore the key from backup",
        ) from problem
    signer = SoftwareSigner(private_key, where)
    if signer.public_key != base64url_decode(header["public_key"]):
        raise BrokenInput("the private key belongs to another public key", where=where, hint="restore it from backup")
    return signer


def _drawn(entropy: bytes, what: str, size: int) -> bytes:
    return HKDF(hashes.SHA256(), size, salt=None, info=f"{FORMAT} {what}".encode()).derive(entropy)


def _cipher(header: Mapping[str, Any], passphrase: str) -> AESGCM:
    kdf = Scrypt(salt=base64url_decode(header["salt"]), length=32, n=header["n"], r=header["r"], p=header["p"])
    return AESGCM(kdf.derive(passphrase.encode("utf-8")))


def _header(sealed: bytes) -> dict[str, Any]:
    """The members of a sealed key, each known to be of its kind and its size; BrokenInput otherwise."""
    mend = "restore the key from backup"
    if len(sealed) > _LARGEST_FILE:
        raise BrokenInput(f"a sealed key has fewer than {_LARGEST_FILE:,} bytes", where="key file", hint=mend)
    try:
        value = parse_json(sealed, where="key file")
    except BrokenInput as problem:
        raise BrokenInput(f"is not a sealed key ({problem.what})", where="key file", hint=mend) from problem
    if not isinstance(value, dict) or not str(value.get("format", "")).startswith("guildmark-key-"):
        raise BrokenInput("is not a sealed key", where="key file", hint="is this the right file?")
    if value["format"] != FORMAT:
        raise BrokenInput(
            f"is of the form {value['format'][:40]!r}, which is not known here",
            where="key file",
            hint="use the version of guildmark that sealed it",
        )
    wrong = next((name for name in sorted({*_MEMBERS, *value}) if not _right(name, value.get(name))), None)
    if wrong is not None or value["n"] * value["r"] * value["p"] > _DEAREST:
        raise BrokenInput(f"its “{wrong or 'n'}” is missing or wrong", where="key file", hint=mend)
    return value


_SIZES = {
    "nonce": 12,
    "public_key": 32,
    "salt": 16,
    "sealed": 48,
}  # a tag of 16 bytes follows the private key


def _right(name: str, value: Any) -> bool:
    """Whether a member of a sealed key has a value of its kind; a member that is not known is never right."""
    match name:
        case "format":
            return bool(value == FORMAT)
        case "algorithm":
            return bool(value == "Ed25519")
        case "kdf":
            return bool(value == "scrypt")
        case "key_id":
            return isinstance(value, str) and ":" in value
        case "n":
            return type(value) is int and 1 < value <= _DEAREST and value & (value - 1) == 0
        case "r" | "p":
            return type(value) is int and 1 <= value <= 32
        case "nonce" | "public_key" | "salt" | "sealed":
            try:
                return isinstance(value, str) and len(base64url_decode(value)) == _SIZES[name]
            except BrokenInput:
                return False
    return False
