"""Public keys, and a signer that holds its private key in this process.

Four kinds of key, under the names that Multikey and JOSE give them:

| algorithm | signature | public key bytes |
|---|---|---|
| `Ed25519` | RFC 8032, JOSE `EdDSA` | 32 |
| `P-256` | ECDSA with SHA-256, r and s side by side, JOSE `ES256` | 33, a compressed point |
| `P-384` | ECDSA with SHA-384, r and s side by side, JOSE `ES384` | 49, a compressed point |
| `RSA` | PKCS #1 v1.5 with SHA-256, JOSE `RS256` | an RSAPublicKey in DER (RFC 8017 appendix A.1.1) |

Ed25519 goes through libsodium, which signs 1.7 and checks 1.9 times as fast as OpenSSL and is stricter about
odd points; the others through OpenSSL. Every signature is deterministic: the same key and message give the
same bytes (ECDSA after RFC 6979).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

import nacl.bindings
import nacl.exceptions
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from guildmark.core.codecs import (
    UnknownKind,
    base64url_decode,
    base64url_encode,
    jcs,
    multikey_decode,
    multikey_encode,
)
from guildmark.core.errors import BrokenInput

JOSE_NAMES = {"Ed25519": "EdDSA", "P-256": "ES256", "P-384": "ES384", "RSA": "RS256"}
"""Kind of key -> the `alg` that a signature of it has in JOSE (RFC 7518, RFC 8037)."""

_RSA_BITS = range(2048, 8193)
"""Sizes of RSA keys: below, a signature can be forged; above, one check takes longer than all other work."""


class HasPublicKey(Protocol):
    """What a DID document says about a key: any `Signer` has it, and so has `PublicKey`."""

    @property
    def key_id(self) -> str: ...

    @property
    def algorithm(self) -> str: ...

    @property
    def public_key(self) -> bytes: ...


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A public key under the absolute URL by which signatures name it."""

    key_id: str
    algorithm: str
    public_key: bytes

    @classmethod
    def from_multikey(cls, key_id: str, multikey: str) -> PublicKey:
        """The key of a `publicKeyMultibase`; BrokenInput if its kind or its length is not known."""
        algorithm, raw = multikey_decode(multikey)
        return cls(key_id, algorithm, raw)

    @classmethod
    def from_jwk(cls, key_id: str, jwk: Mapping[str, Any]) -> PublicKey:
        """The key of a JSON Web Key (RFC 7517, 7518, 8037).

        UnknownKind for a kind that is not known here; BrokenInput for a member that is missing or wrong, a point that
        is not on its curve, an RSA key of fewer than 2,048 or more than 8,192 bits, and for a private key: whoever
        publishes that has lost it.
        """
        if "d" in jwk:
            raise BrokenInput("a private key stands where a public one belongs", where=key_id)
        kind, curve = jwk.get("kty"), jwk.get("crv")
        if kind == "OKP" and curve == "Ed25519":
            x = _member(jwk, "x", key_id)
            if len(x) != 32:
                raise BrokenInput(f"an Ed25519 key has 32 bytes, not {len(x)}", where=key_id)
            return cls(key_id, "Ed25519", x)
        if kind == "EC" and isinstance(curve, str) and curve in _CURVES:
            return cls(key_id, curve, _compressed(curve, _member(jwk, "x", key_id), _member(jwk, "y", key_id), key_id))
        if kind == "RSA":
            n, e = (int.from_bytes(_member(jwk, name, key_id)) for name in ("n", "e"))
            return cls(key_id, "RSA", _rsa_bytes(n, e, key_id))
        raise UnknownKind(f"a key of kind {str(kind)[:20]!r} {str(curve or '')[:20]} is not known here", where=key_id)

    @property
    def multikey(self) -> str:
        return multikey_encode(self.algorithm, self.public_key)


def jwk_of(key: HasPublicKey) -> dict[str, str]:
    """The public JSON Web Key of a key, without `kid` and `alg`."""
    match key.algorithm:
        case "Ed25519":
            return {"kty": "OKP", "crv": "Ed25519", "x": base64url_encode(key.public_key)}
        case "RSA":
            numbers = _rsa(key.public_key).public_numbers()
            return {"kty": "RSA", "n": _number(numbers.n), "e": _number(numbers.e)}
        case curve:
            size = _CURVES[curve][2]
            point = _point(curve, key.public_key).public_numbers()
            x, y = (base64url_encode(value.to_bytes(size)) for value in (point.x, point.y))
            return {"kty": "EC", "crv": curve, "x": x, "y": y}


def jwk_thumbprint(key: HasPublicKey) -> str:
    """The SHA-256 thumbprint of a key, in base64url (RFC 7638)."""
    digest = hashes.Hash(hashes.SHA256())
    digest.update(jcs(jwk_of(key)))
    return base64url_encode(digest.finalize())


class SoftwareSigner:
    """A `core.doors.Signer` with its private key in memory.

    `key_id` is the verification method that goes into proofs, such as `did:web:example.edu#key-1`.
    `private_key` is 32 bytes for Ed25519 (the seed of RFC 8032) and P-256, 48 for P-384 (the number, big-endian),
    and PKCS #8 in DER for RSA. BrokenInput if it is none such. It is left out of `repr`, so that it cannot slip
    into a log.
    """

    __slots__ = ("_sign", "algorithm", "key_id", "private_key", "public_key")

    def __init__(self, private_key: bytes, key_id: str, algorithm: str = "Ed25519") -> None:
        if ":" not in key_id:
            raise BrokenInput(
                f"key id {key_id!r} is not an absolute URL", hint="write it like did:web:example.edu#key-1"
            )
        size = {"Ed25519": 32, "P-256": 32, "P-384": 48}.get(algorithm)
        if size is None and algorithm != "RSA":
            raise BrokenInput(f"keys of kind {algorithm!r} cannot sign here", where=key_id)
        if size is not None and len(private_key) != size:
            kind = "an Ed25519" if algorithm == "Ed25519" else f"a {algorithm}"
            raise BrokenInput(f"{kind} private key has {size} bytes, not {len(private_key)}", where=key_id)
        self.private_key, self.key_id, self.algorithm = private_key, key_id, algorithm
        self.public_key: bytes
        self._sign: Callable[[bytes], bytes]
        match algorithm:
            case "Ed25519":
                public, secret = nacl.bindings.crypto_sign_seed_keypair(private_key)
                self.public_key = public
                self._sign = lambda message: nacl.bindings.crypto_sign(message, secret)[:64]
            case "RSA":
                self.public_key, self._sign = _rsa_signing(private_key, key_id)
            case _:
                self.public_key, self._sign = _curve_signing(private_key, algorithm, key_id)

    def __repr__(self) -> str:
        return f"SoftwareSigner(key_id={self.key_id!r})"

    def sign(self, message: bytes) -> bytes:
        """The signature over `message`; its form is in the table at the top of this file."""
        return self._sign(message)


def signature_holds(key: HasPublicKey, message: bytes, signature: bytes) -> bool:
    """Whether `signature` is one of this key over `message`. Never raises: what cannot be a signature is
    none.

    P-256 and P-384 signatures are r and s side by side, as Data Integrity and JOSE write them (vc-di-ecdsa
    section 3.2, RFC 7518 section 3.4).
    """
    try:
        if key.algorithm == "Ed25519":
            if len(signature) != 64:
                return False
            nacl.bindings.crypto_sign_open(signature + message, key.public_key)
            return True
        if key.algorithm == "RSA":
            _rsa(key.public_key).verify(signature, message, padding.PKCS1v15(), hashes.SHA256())
            return True
        _, digest, size = _CURVES[key.algorithm]
        if len(signature) != 2 * size:
            return False
        r, s = int.from_bytes(signature[:size]), int.from_bytes(signature[size:])
        _point(key.algorithm, key.public_key).verify(encode_dss_signature(r, s), message, ec.ECDSA(digest))
        return True
    except (InvalidSignature, nacl.exceptions.CryptoError, ValueError, TypeError, KeyError, UnsupportedAlgorithm):
        return False


_CURVES: dict[str, tuple[ec.EllipticCurve, hashes.HashAlgorithm, int]] = {
    "P-256": (ec.SECP256R1(), hashes.SHA256(), 32),
    "P-384": (ec.SECP384R1(), hashes.SHA384(), 48),
}


@lru_cache(maxsize=256)
def _point(curve: str, data: bytes) -> ec.EllipticCurvePublicKey:
    return ec.EllipticCurvePublicKey.from_encoded_point(_CURVES[curve][0], data)


@lru_cache(maxsize=256)
def _rsa(data: bytes) -> rsa.RSAPublicKey:
    key = serialization.load_der_public_key(_as_spki(data))
    if not isinstance(key, rsa.RSAPublicKey) or key.key_size not in _RSA_BITS:
        raise ValueError("not an RSA key of a size that is used here")
    return key


_RSA_ALGORITHM = bytes.fromhex("300d06092a864886f70d0101010500")
"""rsaEncryption with no parameters, in DER: what a SubjectPublicKeyInfo says before the key itself (RFC 3279)."""


def _as_spki(data: bytes) -> bytes:
    bits = _der(0x03, b"\0" + data)
    return _der(0x30, _RSA_ALGORITHM + bits)


def _der(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 128:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes([tag, 0x80 | len(length)]) + length + content


def _member(jwk: Mapping[str, Any], name: str, where: str) -> bytes:
    value = jwk.get(name)
    if not isinstance(value, str) or not value or len(value) > 2000:
        raise BrokenInput(f"the key's “{name}” is missing or wrong", where=where)
    return base64url_decode(value)


def _number(value: int) -> str:
    return base64url_encode(value.to_bytes((value.bit_length() + 7) // 8))


def _compressed(curve: str, x: bytes, y: bytes, where: str) -> bytes:
    """A point as Multikey writes it. BrokenInput if it is not on its curve."""
    size = _CURVES[curve][2]
    if len(x) != size or len(y) != size:
        raise BrokenInput(f"coordinates of {curve} have {size} bytes, not {len(x)} and {len(y)}", where=where)
    try:
        _point(curve, b"\x04" + x + y)
    except ValueError as problem:
        raise BrokenInput(f"the point is not on {curve}", where=where) from problem
    return bytes([2 + y[-1] % 2]) + x


def _rsa_bytes(n: int, e: int, where: str) -> bytes:
    if n.bit_length() not in _RSA_BITS:
        raise BrokenInput(f"an RSA key has 2,048 to 8,192 bits, not {n.bit_length()}", where=where)
    try:
        key = rsa.RSAPublicNumbers(e, n).public_key()
    except ValueError as problem:
        raise BrokenInput(f"is not an RSA key ({problem})", where=where) from problem
    return _pkcs1(key)


def _pkcs1(key: rsa.RSAPublicKey) -> bytes:
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.PKCS1)


def _rsa_signing(private_key: bytes, key_id: str) -> tuple[bytes, Callable[[bytes], bytes]]:
    try:
        key = serialization.load_der_private_key(private_key, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as problem:
        raise BrokenInput("an RSA private key is PKCS #8 in DER, and this is not", where=key_id) from problem
    if not isinstance(key, rsa.RSAPrivateKey) or key.key_size not in _RSA_BITS:
        raise BrokenInput("the private key is not RSA of 2,048 to 8,192 bits", where=key_id)
    return _pkcs1(key.public_key()), lambda message: key.sign(message, padding.PKCS1v15(), hashes.SHA256())


def _curve_signing(private_key: bytes, algorithm: str, key_id: str) -> tuple[bytes, Callable[[bytes], bytes]]:
    curve, digest, size = _CURVES[algorithm]
    try:
        key = ec.derive_private_key(int.from_bytes(private_key), curve)
    except ValueError as problem:
        raise BrokenInput(f"the number is not a {algorithm} private key", where=key_id) from problem
    how = ec.ECDSA(digest, deterministic_signing=True)

    def sign(message: bytes) -> bytes:
        r, s = decode_dss_signature(key.sign(message, how))
        return r.to_bytes(size) + s.to_bytes(size)

    public = key.public_key().public_bytes(serialization.Encoding.X962, serialization.PublicFormat.CompressedPoint)
    return public, sign
