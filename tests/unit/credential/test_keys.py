"""Keys in memory: RFC 8032's own signatures, and nothing that cannot be a signature is one."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from hypothesis import given
from hypothesis import strategies as st

from guildmark.core.doors import Signer
from guildmark.core.errors import BrokenInput
from guildmark.credential.keys import PublicKey, SoftwareSigner, signature_holds

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
