"""Keys in memory: RFC 8032's own signatures, and nothing that cannot be a signature is one."""

from __future__ import annotations

import json

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from hypothesis import given
from hypothesis import strategies as st

from guildmark.core.codecs import base64url_encode
from guildmark.core.doors import Signer
from guildmark.core.errors import BrokenInput
from guildmark.credential.keys import (
    JOSE_NAMES,
    PublicKey,
    SoftwareSigner,
    jwk_of,
    jwk_thumbprint,
    signature_holds,
)

KEY_ID = "did:web:a.example#key-1"

RFC_8032 = [  # section 7.1, tests 1 to 3
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
]


@pytest.mark.parametrize(("private", "public", "message", "signature"), RFC_8032)
def test_ed25519_signs_as_rfc_8032_prints(private, public, message, signature):
    signer: Signer = SoftwareSigner(bytes.fromhex(private), KEY_ID)
    assert signer.public_key.hex() == public
    assert signer.sign(bytes.fromhex(message)).hex() == signature
    assert signature_holds(signer, bytes.fromhex(message), bytes.fromhex(signature))


@given(st.binary(max_size=40), st.integers(0, 511))
def test_a_signature_with_one_bit_turned_does_not_hold(message, bit):
    signer = SoftwareSigner(bytes(32), KEY_ID)
    signature = bytearray(signer.sign(message))
    signature[bit // 8] ^= 1 << bit % 8
    assert not signature_holds(signer, message, bytes(signature))
    assert not signature_holds(signer, message + b"x", signer.sign(message))


@given(st.sampled_from(["Ed25519", "P-256", "P-384", "secp256k1", ""]), st.binary(max_size=60), st.binary(max_size=100))
def test_whatever_is_no_signature_is_none(algorithm, public_key, signature):
    assert signature_holds(PublicKey(KEY_ID, algorithm, public_key), b"message", signature) is False


@pytest.mark.parametrize(
    ("algorithm", "curve", "digest", "size"),
    [("P-256", ec.SECP256R1(), hashes.SHA256(), 32), ("P-384", ec.SECP384R1(), hashes.SHA384(), 48)],
)
def test_ecdsa_signatures_are_r_and_s_side_by_side(algorithm, curve, digest, size):
    private = ec.derive_private_key(12345, curve)
    point = private.public_key().public_bytes(serialization.Encoding.X962, serialization.PublicFormat.CompressedPoint)
    key = PublicKey(KEY_ID, algorithm, point)
    der = private.sign(b"message", ec.ECDSA(digest))
    r, s = decode_dss_signature(der)
    raw = r.to_bytes(size, "big") + s.to_bytes(size, "big")
    assert signature_holds(key, b"message", raw)
    for other in (der, raw[:-1], raw + b"\0", raw[size:] + raw[:size], bytes(2 * size), b"\xff" * 2 * size, b""):
        assert not signature_holds(key, b"message", other)
    assert not signature_holds(key, b"Message", raw)


def test_a_key_knows_its_multikey_and_comes_back_from_it():
    key = PublicKey(KEY_ID, "Ed25519", bytes(range(32)))
    assert PublicKey.from_multikey(KEY_ID, key.multikey) == key


def test_the_private_key_is_not_shown():
    assert repr(SoftwareSigner(b"\x07" * 32, KEY_ID)) == f"SoftwareSigner(key_id='{KEY_ID}')"


@pytest.mark.parametrize("size", [0, 31, 33, 64])
def test_a_private_key_of_another_size_is_refused(size):
    with pytest.raises(BrokenInput, match=f"has 32 bytes, not {size}"):
        SoftwareSigner(bytes(size), KEY_ID)


def test_a_key_needs_an_absolute_name():
    with pytest.raises(BrokenInput, match=r"'key-1' is not an absolute URL; write it like did:web"):
        SoftwareSigner(bytes(32), "key-1")


def rsa_key(bits: int = 2048) -> bytes:
    key = rsa.generate_private_key(public_exponent=65537, key_size=bits)
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.DER, form, serialization.NoEncryption())


@pytest.fixture(scope="module")
def every_kind() -> list[SoftwareSigner]:
    return [
        SoftwareSigner(bytes(range(32)), KEY_ID),
        SoftwareSigner(bytes(range(1, 33)), KEY_ID, "P-256"),
        SoftwareSigner(bytes(range(1, 49)), KEY_ID, "P-384"),
        SoftwareSigner(rsa_key(), KEY_ID, "RSA"),
    ]


def test_every_kind_of_key_signs_the_same_twice_and_its_signature_holds(every_kind):
    for signer in every_kind:
        signature = signer.sign(b"message")
        assert signature == signer.sign(b"message")
        assert signature_holds(signer, b"message", signature)
        assert not signature_holds(signer, b"messagf", signature)
        assert not signature_holds(signer, b"message", signature[:-1] + bytes([signature[-1] ^ 1]))
        others = [other for other in every_kind if other is not signer]
        assert not any(signature_holds(other, b"message", signature) for other in others)


def test_a_private_key_does_not_show(every_kind):
    for signer in every_kind:
        assert repr(signer.private_key)[2:20] not in repr(signer)


def test_a_jwk_comes_back_and_joserfc_reads_it_with_the_same_thumbprint(every_kind):
    from joserfc.jwk import import_key

    for signer in every_kind:
        jwk = jwk_of(signer)
        assert PublicKey.from_jwk(KEY_ID, jwk) == PublicKey(KEY_ID, signer.algorithm, signer.public_key)
        assert import_key(jwk).thumbprint() == jwk_thumbprint(signer)


def test_joserfc_accepts_what_is_signed_here(every_kind):
    from joserfc import jws
    from joserfc.jwk import import_key

    for signer in every_kind:
        name = JOSE_NAMES[signer.algorithm]
        start = f"{base64url_encode(json.dumps({'alg': name}).encode())}.{base64url_encode(b'payload')}"
        token = f"{start}.{base64url_encode(signer.sign(start.encode()))}"
        assert jws.deserialize_compact(token, import_key(jwk_of(signer)), algorithms=[name]).payload == b"payload"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"d": "AA"}, "private key"),
        ({"crv": "secp256k1"}, "not known here"),
        ({"kty": None}, "not known here"),
        ({"x": "AA"}, "32 bytes"),
        ({"y": "A" * 43}, "not on P-256"),
        ({"y": 5}, "missing or wrong"),
        ({"y": "+" * 43}, "cannot be decoded"),
    ],
)
def test_a_jwk_that_is_none_is_refused_with_the_reason(every_kind, change, says):
    with pytest.raises(BrokenInput, match=says):
        PublicKey.from_jwk(KEY_ID, {**jwk_of(every_kind[1]), **change})


def test_an_rsa_key_of_a_size_that_can_be_forged_neither_signs_nor_checks(every_kind):
    with pytest.raises(BrokenInput, match="2,048"):
        SoftwareSigner(rsa_key(1024), KEY_ID, "RSA")
    small = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    numbers = small.public_key().public_numbers()
    jwk = {"kty": "RSA", "n": base64url_encode(numbers.n.to_bytes(128)), "e": "AQAB"}
    with pytest.raises(BrokenInput, match="2,048"):
        PublicKey.from_jwk(KEY_ID, jwk)
    raw = small.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.PKCS1)
    signature = small.sign(b"m", padding.PKCS1v15(), hashes.SHA256())
    assert not signature_holds(PublicKey(KEY_ID, "RSA", raw), b"m", signature)


def test_rfc_6979_gives_the_signature_it_prints():
    number = bytes.fromhex("C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721")  # appendix A.2.5
    signer = SoftwareSigner(number, KEY_ID, "P-256")
    assert signer.sign(b"sample").hex().upper() == (
        "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716"
        "F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8"
    )


@pytest.mark.parametrize(
    ("private", "algorithm"),
    [(bytes(32), "P-256"), (b"\xff" * 48, "P-384"), (b"", "RSA"), (bytes(32), "secp256k1"), (bytes(31), "P-256")],
)
def test_what_is_no_private_key_is_refused(private, algorithm):
    with pytest.raises(BrokenInput):
        SoftwareSigner(private, KEY_ID, algorithm)
