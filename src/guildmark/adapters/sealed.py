"""Small secrets at rest: encrypted under the site's passphrase, and open only in memory while one is used.

A sealed secret is one line of canonical JSON, so that it explains itself and can be kept in a column:

    {"format": "guildmark-secret-1", "kdf": "scrypt", "n": 32768, "name": "webhook:...", "nonce": "...", "p": 1,
     "r": 8, "salt": "...", "sealed": "..."}

`sealed` is the secret under AES-256-GCM with the key that scrypt makes of the passphrase. Every other member is its
associated data: a sealed secret that was moved to another row, and so bears another name, does not open.
"""

from __future__ import annotations

from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from guildmark.core.codecs import base64url_decode, base64url_encode, jcs, parse_json
from guildmark.core.errors import BrokenInput

FORMAT = "guildmark-secret-1"

_NUMBERS = {"n": 2**15, "p": 1, "r": 8}
"""scrypt's numbers, those of `adapters.keys`; other numbers are another format."""


def seal_secret(secret: bytes, *, name: str, entropy: bytes, passphrase: str) -> bytes:
    """The secret, encrypted for the place called `name`; salt and nonce come from `entropy`, 32 fresh bytes or more."""
    if len(entropy) < 32:
        raise ValueError(f"a sealed secret needs 32 bytes of entropy, not {len(entropy)}")
    if not passphrase:
        raise BrokenInput("the passphrase is empty", where=name, hint="set GUILDMARK_KEY_PASSPHRASE")
    salt, nonce = _drawn(entropy, f"salt of {name}", 16), _drawn(entropy, f"nonce of {name}", 12)
    header = _header(name, base64url_encode(salt), base64url_encode(nonce))
    sealed = _cipher(salt, passphrase).encrypt(nonce, secret, jcs(header))
    return jcs({**header, "sealed": base64url_encode(sealed)})


def open_secret(sealed: bytes, *, name: str, passphrase: str) -> bytes:
    """The secret that was sealed for `name`; takes about a tenth of a second by design.

    BrokenInput if the bytes are damaged, were sealed for another place, or under another passphrase.
    """
    value = parse_json(sealed, where=name)
    try:
        header = _header(name, value["salt"], value["nonce"])
        salt, nonce, body = (base64url_decode(str(value[member])) for member in ("salt", "nonce", "sealed"))
        return _cipher(salt, passphrase).decrypt(nonce, body, jcs(header))
    except (InvalidTag, KeyError, TypeError, ValueError, BrokenInput) as problem:
        raise BrokenInput(
            "the secret does not open: the passphrase is another one, or the row was changed",
            where=name,
            hint="check GUILDMARK_KEY_PASSPHRASE, or make a new secret",
        ) from problem


def _header(name: str, salt: str, nonce: str) -> dict[str, Any]:
    return {"format": FORMAT, "kdf": "scrypt", "name": name, "nonce": nonce, "salt": salt, **_NUMBERS}


def _drawn(entropy: bytes, what: str, size: int) -> bytes:
    return HKDF(hashes.SHA256(), size, salt=None, info=f"{FORMAT} {what}".encode()).derive(entropy)


def _cipher(salt: bytes, passphrase: str) -> AESGCM:
    return AESGCM(Scrypt(salt=salt, length=32, **_NUMBERS).derive(passphrase.encode("utf-8")))
