"""Signing keys as files: encrypted under a passphrase, and open only in the memory of the process that signs.

A sealed key is one line of canonical JSON, so that it explains itself and can be kept in a file or a column:

    {"algorithm": "Ed25519", "format": "guildmark-key-1", "kdf": "scrypt", "key_id": "did:web:...#key-1",
     "n": 32768, "nonce": "...", "p": 1, "public_key": "...", "r": 8, "salt": "...", "sealed": "..."}

`sealed` is the private key under AES-256-GCM with the key that scrypt makes of the passphrase. Every other
member is its associated data: a sealed key that was given another key id, or weaker numbers, does not open.

`guildmark-key-1` holds an Ed25519 key; `guildmark-key-2` has the same members and holds one of P-256, P-384 or RSA,
the private key in the form that `credential.keys.SoftwareSigner` takes. Both open for ever.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from guildmark.core.codecs import base64url_decode, base64url_encode, jcs, parse_json
from guildmark.core.errors import BrokenInput
from guildmark.credential.keys import PublicKey, SoftwareSigner

FORMAT = "guildmark-key-1"

FORMATS = {"Ed25519": FORMAT, "P-256": "guildmark-key-2", "P-384": "guildmark-key-2", "RSA": "guildmark-key-2"}
"""Kind of key -> the form of the file that holds one."""

RSA_BITS = 3072
"""The size of new RSA keys: as strong as P-256 (NIST SP 800-57 part 1, table 2)."""

_N, _R, _P = 2**15, 8, 1
"""scrypt's numbers: 32 MiB and about a tenth of a second for each guess. The site's passphrase is random unless
an operator chooses one; since each file names its numbers, they can grow without a new format.
"""

_DEAREST = 2**23
"""n times r times p of the dearest key that is opened: 1 GiB of memory, whatever a file asks for."""

_LARGEST_FILE = 10_000
_MEMBERS = ("algorithm", "format", "kdf", "key_id", "n", "nonce", "p", "public_key", "r", "salt", "sealed")


def seal_key(entropy: bytes, *, key_id: str, passphrase: str, algorithm: str = "Ed25519") -> tuple[bytes, bytes]:
    """(sealed key, public key) of a new key made from `entropy`, 32 secret random bytes or more.

    Private key, salt and nonce are drawn from `entropy` with HKDF, so the same arguments give the same bytes; but an
    RSA key is drawn by OpenSSL and differs each time.
    """
    signer = new_signer(entropy, key_id=key_id, algorithm=algorithm)
    return seal_signer(signer, entropy=entropy, passphrase=passphrase), signer.public_key


def new_signer(entropy: bytes, *, key_id: str, algorithm: str = "Ed25519") -> SoftwareSigner:
    """A signer with a new private key, drawn from `entropy` as `seal_key` says."""
    if len(entropy) < 32:
        raise ValueError(f"a key needs 32 bytes of entropy, not {len(entropy)}")
    if algorithm == "RSA":
        made = rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS)
        form = (serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        return SoftwareSigner(made.private_bytes(*form), key_id, algorithm)
    what = f"private key of {key_id}"
    if algorithm in _ORDERS:
        # Sixteen bytes more than the number needs, so that none is likelier than another (FIPS 186-5, A.2.1).
        order, size = _ORDERS[algorithm], _PRIVATE_SIZES[algorithm]
        drawn = int.from_bytes(_drawn(entropy, f"{algorithm} {what}", size + 16))
        return SoftwareSigner((drawn % (order - 1) + 1).to_bytes(size), key_id, algorithm)
    return SoftwareSigner(_drawn(entropy, what, 32), key_id, algorithm)


def seal_signer(signer: SoftwareSigner, *, entropy: bytes, passphrase: str) -> bytes:
    """The sealed key of a signer; `entropy`, 32 random bytes or more, gives salt and nonce and must be another each
    time one key is sealed.
    """
    if len(entropy) < 32:
        raise ValueError(f"sealing a key needs 32 bytes of entropy, not {len(entropy)}")
    key_id = signer.key_id
    if not passphrase:
        raise BrokenInput("the passphrase is empty", where=key_id, hint="set GUILDMARK_KEY_PASSPHRASE")
    header: dict[str, Any] = {
        "algorithm": signer.algorithm,
        "format": FORMATS[signer.algorithm],
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
    return jcs({**header, "sealed": base64url_encode(sealed)})


def open_key(sealed: bytes, *, passphrase: str) -> SoftwareSigner:
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
    signer = SoftwareSigner(private_key, where, header["algorithm"])
    if signer.public_key != base64url_decode(header["public_key"]):
        raise BrokenInput("the private key belongs to another public key", where=where, hint="restore it from backup")
    return signer


def public_half(sealed: bytes) -> PublicKey:
    """What a sealed key says about itself without a passphrase; only opening it shows that this is true."""
    header = _header(sealed)
    return PublicKey(header["key_id"], header["algorithm"], base64url_decode(header["public_key"]))


_ORDERS = {
    "P-256": 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
    "P-384": int(
        "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973", 16
    ),
}
"""How many points the curves have (SP 800-186 section 3.2.1)."""

_PRIVATE_SIZES = {"Ed25519": 32, "P-256": 32, "P-384": 48}


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
    if value["format"] not in FORMATS.values():
        raise BrokenInput(
            f"is of the form {value['format'][:40]!r}, which is not known here",
            where="key file",
            hint="use the version of guildmark that sealed it",
        )
    kind = str(value.get("algorithm"))
    fits = FORMATS.get(kind) == value["format"]
    names = sorted({*_MEMBERS, *value}) if fits else ["algorithm"]
    wrong = next((name for name in names if not fits or not _right(name, value.get(name), kind)), None)
    if wrong is not None or value["n"] * value["r"] * value["p"] > _DEAREST:
        raise BrokenInput(f"its “{wrong or 'n'}” is missing or wrong", where="key file", hint=mend)
    return value


_SIZES: dict[str, dict[str, range]] = {
    "Ed25519": {"public_key": range(32, 33), "sealed": range(48, 49)},  # a tag of 16 bytes follows the private key
    "P-256": {"public_key": range(33, 34), "sealed": range(48, 49)},
    "P-384": {"public_key": range(49, 50), "sealed": range(64, 65)},
    "RSA": {"public_key": range(260, 1200), "sealed": range(1000, 6000)},
}


def _right(name: str, value: Any, algorithm: str) -> bool:
    """Whether a member of a sealed key has a value of its kind; a member that is not known is never right."""
    match name:
        case "format":
            return True  # compared before
        case "algorithm":
            return isinstance(value, str) and value in FORMATS
        case "kdf":
            return bool(value == "scrypt")
        case "key_id":
            return isinstance(value, str) and ":" in value
        case "n":
            return type(value) is int and 1 < value <= _DEAREST and value & (value - 1) == 0
        case "r" | "p":
            return type(value) is int and 1 <= value <= 32
        case "nonce" | "public_key" | "salt" | "sealed":
            sizes = {"nonce": range(12, 13), "salt": range(16, 17), **_SIZES[algorithm]}
            try:
                return isinstance(value, str) and len(base64url_decode(value)) in sizes[name]
            except BrokenInput:
                return False
    return False
