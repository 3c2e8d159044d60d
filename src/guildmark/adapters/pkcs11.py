"""Signing keys in a hardware module, or in SoftHSM, through PKCS #11: the private key never leaves it.

Needs the extra `pkcs11` (`pip install guildmark[pkcs11]`) and the module's own library, such as
`/usr/lib/softhsm/libsofthsm2.so`. The key pair lies in the module already, made with the tools of its maker:

    softhsm2-util --init-token --free --label issuer --pin 1234 --so-pin 5678
    pkcs11-tool --module /usr/lib/softhsm/libsofthsm2.so --login --token-label issuer \
        --keypairgen --key-type EC:edwards25519 --label key-1

The PIN comes from the environment (GUILDMARK_PKCS11_PIN) through the caller, and is kept nowhere.
"""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path
from types import TracebackType
from typing import Any

from guildmark.core.errors import BrokenInput, OutsideFailure
from guildmark.credential.keys import PublicKey

PIN = "GUILDMARK_PKCS11_PIN"

_CURVES = {
    bytes.fromhex("06082a8648ce3d030107"): ("P-256", 32, hashlib.sha256),
    bytes.fromhex("06052b81040022"): ("P-384", 48, hashlib.sha384),
}
"""The curve's object identifier in DER, as CKA_EC_PARAMS has it -> kind of key, bytes of a number, digest."""


class Pkcs11Signer:
    """A `core.doors.Signer` whose private key stays in a PKCS #11 module. Safe to use from several threads.

    `library` is the module's file, `token` and `label` the names of token and key pair, `key_id` the verification
    method that goes into proofs. Ed25519, P-256, P-384 and RSA keys sign as `credential.keys` says, except that an
    ECDSA signature is another each time, where the module draws its own numbers.

    BrokenInput if python-pkcs11 or the library is missing, there is no such token or key pair, or the key is of
    another kind; OutsideFailure if the module does not answer as it should, the PIN being wrong included.
    """

    def __init__(self, library: Path | str, *, token: str, label: str, pin: str, key_id: str) -> None:
        if ":" not in key_id:
            hint = "write it like did:web:example.edu#key-1"
            raise BrokenInput(f"key id {key_id!r} is not an absolute URL", hint=hint)
        if not pin:
            raise BrokenInput("the PIN is empty", where=token, hint=f"set {PIN}")
        self.key_id = key_id
        self._lock = threading.Lock()
        self._session = _opened(str(library), token, pin)
        try:
            self._private, public = self._pair(label, token)
            self.algorithm, self.public_key = _public(public, key_id)
        except BaseException:
            self.close()
            raise

    def __repr__(self) -> str:
        return f"Pkcs11Signer(key_id={self.key_id!r})"

    def __enter__(self) -> Pkcs11Signer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """The session has ended; the signer signs no more."""
        self._session.close()

    def sign(self, message: bytes) -> bytes:
        """The signature over `message`, made in the module; OutsideFailure if that refuses."""
        import pkcs11

        try:
            with self._lock:  # a session does one thing at a time (PKCS #11 section 5.2)
                match self.algorithm:
                    case "Ed25519":
                        return bytes(self._private.sign(message, mechanism=pkcs11.Mechanism.EDDSA))
                    case "RSA":
                        return bytes(self._private.sign(message, mechanism=pkcs11.Mechanism.SHA256_RSA_PKCS))
                    case _:
                        digest = next(how for kind, _, how in _CURVES.values() if kind == self.algorithm)
                        hashed = digest(message).digest()
                        return bytes(self._private.sign(hashed, mechanism=pkcs11.Mechanism.ECDSA))
        except pkcs11.PKCS11Error as problem:
            raise OutsideFailure(f"the module did not sign with {self.key_id} ({_named(problem)})") from problem

    def _pair(self, label: str, token: str) -> tuple[Any, Any]:
        import pkcs11

        try:
            found = [
                self._session.get_key(object_class=kind, label=label)
                for kind in (pkcs11.ObjectClass.PRIVATE_KEY, pkcs11.ObjectClass.PUBLIC_KEY)
            ]
        except pkcs11.NoSuchKey as problem:
            raise BrokenInput(
                f"has no key pair named {label!r}", where=token, hint="make it with its tools"
            ) from problem
        except pkcs11.MultipleObjectsReturned as problem:
            raise BrokenInput(f"has several keys named {label!r}", where=token, hint="rename one") from problem
        except pkcs11.PKCS11Error as problem:
            raise OutsideFailure(f"the token {token} did not show its keys ({_named(problem)})") from problem
        return found[0], found[1]


def _opened(library: str, token: str, pin: str) -> Any:
    """A session in which the keys of the token can be used."""
    try:
        import pkcs11
    except ImportError as problem:
        hint = "install it with the extra: pip install guildmark[pkcs11]"
        raise BrokenInput("python-pkcs11 is not installed", where=library, hint=hint) from problem
    try:
        module = pkcs11.lib(library)
    except (RuntimeError, OSError, pkcs11.PKCS11Error) as problem:
        hint = "name the module's library, such as /usr/lib/softhsm/libsofthsm2.so"
        raise BrokenInput("cannot be used as a PKCS #11 module", where=library, hint=hint) from problem
    try:
        return module.get_token(token_label=token).open(user_pin=pin)
    except (pkcs11.NoSuchToken, pkcs11.MultipleTokensReturned) as problem:
        raise BrokenInput(f"has no token named {token!r}, or several", where=library) from problem
    except pkcs11.PinIncorrect as problem:
        raise OutsideFailure(f"the token {token} does not take this PIN; check {PIN}") from problem
    except pkcs11.PKCS11Error as problem:
        raise OutsideFailure(f"the token {token} does not open ({_named(problem)})") from problem


def _public(key: Any, key_id: str) -> tuple[str, bytes]:
    """(kind, public key bytes as `credential.keys` has them) of a public key object."""
    import pkcs11

    kind = key.key_type
    try:
        if kind == pkcs11.KeyType.RSA:
            n, e = key[pkcs11.Attribute.MODULUS], key[pkcs11.Attribute.PUBLIC_EXPONENT]
            return "RSA", _rsa_public(bytes(n), bytes(e), key_id)
        if kind == pkcs11.KeyType.EC_EDWARDS:
            point = _inside(bytes(key[pkcs11.Attribute.EC_POINT]), 32)
            if len(point) == 32:
                return "Ed25519", point
        curve = _CURVES.get(bytes(key[pkcs11.Attribute.EC_PARAMS])) if kind == pkcs11.KeyType.EC else None
        if curve is not None:
            point = _inside(bytes(key[pkcs11.Attribute.EC_POINT]), 1 + 2 * curve[1])
            if len(point) == 1 + 2 * curve[1] and point[0] == 4:
                return curve[0], bytes([2 + point[-1] % 2]) + point[1 : 1 + curve[1]]
    except pkcs11.PKCS11Error as problem:
        raise OutsideFailure(f"the module does not show the public key of {key_id} ({_named(problem)})") from problem
    raise BrokenInput("the key in the module is of a kind that is not known here", where=key_id)


def _inside(value: bytes, size: int) -> bytes:
    """A point out of the OCTET STRING around it, which some modules leave out (PKCS #11 section 6.3.3)."""
    if len(value) != size and value[:1] == b"\x04" and value[1:2] == bytes([size]):
        return value[2:]
    return value


def _rsa_public(n: bytes, e: bytes, key_id: str) -> bytes:
    from guildmark.core.codecs import base64url_encode

    jwk = {"kty": "RSA", "n": base64url_encode(n), "e": base64url_encode(e)}
    return PublicKey.from_jwk(key_id, jwk).public_key


def _named(problem: Exception) -> str:
    """What went wrong, in the standard's own word, since the library's errors often have no text."""
    return str(problem) or type(problem).__name__
