"""Public keys, and a signer that holds its private key in this process.

Ed25519 signs (RFC 8032); P-256 and P-384 are only verified, for documents of others (ecdsa-rdfc-2019).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from guildmark.core.codecs import multikey_decode, multikey_encode
from guildmark.core.errors import BrokenInput


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

    @property
    def multikey(self) -> str:
        return multikey_encode(self.algorithm, self.public_key)


@dataclass(frozen=True, slots=True)
class SoftwareSigner:
    """A `core.doors.Signer` with an Ed25519 private key of 32 bytes in memory.

    `key_id` is the verification method that goes into proofs, such as `did:web:example.edu#key-1`. The
    private key is left out of `repr`, so that it cannot slip into a log.
    """

    private_key: bytes = field(repr=False)
    key_id: str

    def __post_init__(self) -> None:
        if len(self.private_key) != 32:
            raise BrokenInput(f"an Ed25519 private key has 32 bytes, not {len(self.private_key)}", where=self.key_id)
        if ":" not in self.key_id:
            raise BrokenInput(
                f"key id {self.key_id!r} is not an absolute URL",
                hint="write it like did:web:example.edu#key-1",
            )

    @property
    def algorithm(self) -> str:
        return "Ed25519"

    @property
    def public_key(self) -> bytes:
        return Ed25519PrivateKey.from_private_bytes(self.private_key).public_key().public_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        return Ed25519PrivateKey.from_private_bytes(self.private_key).sign(message)


_CURVES: dict[str, tuple[ec.EllipticCurve, hashes.HashAlgorithm, int]] = {
    "P-256": (ec.SECP256R1(), hashes.SHA256(), 32),
    "P-384": (ec.SECP384R1(), hashes.SHA384(), 48),
}


def signature_holds(key: HasPublicKey, message: bytes, signature: bytes) -> bool:
    """Whether `signature` is one of this key over `message`. Never raises: what cannot be a signature is
    none.

    P-256 and P-384 signatures are r and s side by side, as Data Integrity writes them (vc-di-ecdsa section
    3.2).
    """
    try:
        if key.algorithm == "Ed25519":
            Ed25519PublicKey.from_public_bytes(key.public_key).verify(signature, message)
            return True
        curve, digest, size = _CURVES[key.algorithm]
        if len(signature) != 2 * size:
            return False
        r, s = int.from_bytes(signature[:size], "big"), int.from_bytes(signature[size:], "big")
        public = ec.EllipticCurvePublicKey.from_encoded_point(curve, key.public_key)
        public.verify(encode_dss_signature(r, s), message, ec.ECDSA(digest))
        return True
    except (InvalidSignature, ValueError, KeyError):
        return False
