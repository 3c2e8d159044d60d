"""Signing keys at rest: what opens, what does not, and what a file from elsewhere may not ask for."""

from __future__ import annotations

import json

import pytest

from guildmark.adapters import keys
from guildmark.adapters.keys import FORMATS, new_signer, open_key, public_half, seal_key, seal_signer
from guildmark.core.codecs import base64url_decode, base64url_encode, jcs
from guildmark.core.errors import BrokenInput
from guildmark.credential.keys import PublicKey, signature_holds

KEY_ID = "did:web:harbour.example#key-1"
ENTROPY = bytes(range(32))
PASSPHRASE = "correct horse battery staple"


@pytest.fixture(autouse=True)
def cheap(monkeypatch):
    """Sealed files carry their own numbers, so tests seal with cheap ones; one test below has the real ones."""
    monkeypatch.setattr(keys, "_N", 2**4)


def sealed(**changes):
    raw, _ = seal_key(ENTROPY, key_id=KEY_ID, passphrase=PASSPHRASE)
    value = {**json.loads(raw), **changes}
    return jcs({name: member for name, member in value.items() if member != "left out"})


def test_a_sealed_key_opens_and_signs_under_its_key_id():
    raw, public_key = seal_key(ENTROPY, key_id=KEY_ID, passphrase=PASSPHRASE)
    signer = open_key(raw, passphrase=PASSPHRASE)
    assert (signer.key_id, signer.algorithm, signer.public_key) == (KEY_ID, "Ed25519", public_key)
    assert signature_holds(PublicKey(KEY_ID, "Ed25519", public_key), b"message", signer.sign(b"message"))


def test_the_real_numbers_open_too(monkeypatch):
    monkeypatch.undo()
    raw, public_key = seal_key(ENTROPY, key_id=KEY_ID, passphrase=PASSPHRASE)
    assert json.loads(raw)["n"] >= 2**15
    assert open_key(raw, passphrase=PASSPHRASE).public_key == public_key


def test_the_same_entropy_gives_the_same_file_and_other_entropy_another_key():
    first, public_key = seal_key(ENTROPY, key_id=KEY_ID, passphrase=PASSPHRASE)
    assert seal_key(ENTROPY, key_id=KEY_ID, passphrase=PASSPHRASE) == (first, public_key)
    other, other_key = seal_key(ENTROPY[::-1], key_id=KEY_ID, passphrase=PASSPHRASE)
    assert other_key != public_key
    for member in ("nonce", "salt", "sealed", "public_key"):
        assert json.loads(first)[member] != json.loads(other)[member]


def test_the_same_entropy_gives_each_key_id_a_key_of_its_own():
    _, first = seal_key(ENTROPY, key_id=KEY_ID, passphrase=PASSPHRASE)
    _, second = seal_key(ENTROPY, key_id=f"{KEY_ID}b", passphrase=PASSPHRASE)
    assert first != second


def test_the_private_key_stands_nowhere_in_the_file():
    raw, _ = seal_key(ENTROPY, key_id=KEY_ID, passphrase=PASSPHRASE)
    private = open_key(raw, passphrase=PASSPHRASE).private_key
    assert private not in raw
    assert base64url_encode(private).encode() not in raw
    assert private.hex() not in repr(open_key(raw, passphrase=PASSPHRASE))
    assert ENTROPY not in raw


@pytest.mark.parametrize("passphrase", ["", "correct horse battery stapl", "Correct horse battery staple", "ÿ"])
def test_another_passphrase_opens_nothing_and_says_so_in_one_sentence(passphrase):
    with pytest.raises(BrokenInput, match=r"^did:web:harbour\.example#key-1: the key does not open") as refused:
        open_key(sealed(), passphrase=passphrase)
    said = str(refused.value)
    assert said.count(".\n") == 0
    assert "passphrase" in said
    assert passphrase == "" or passphrase not in said


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("key_id", "did:web:mallory.example#key-1"),
        ("n", 32),
        ("p", 2),
        ("r", 4),
        ("nonce", base64url_encode(bytes(12))),
        ("salt", base64url_encode(bytes(16))),
        ("public_key", base64url_encode(bytes(32))),
        ("sealed", base64url_encode(bytes(48))),
    ],
)
def test_a_key_with_one_member_changed_does_not_open(member, value):
    with pytest.raises(BrokenInput, match="the key does not open"):
        open_key(sealed(**{member: value}), passphrase=PASSPHRASE)


def test_a_key_with_any_one_bit_turned_does_not_open():
    secret = base64url_decode(json.loads(sealed())["sealed"])
    for position in range(len(secret)):
        changed = bytearray(secret)
        changed[position] ^= 1
        with pytest.raises(BrokenInput, match="the key does not open"):
            open_key(sealed(sealed=base64url_encode(bytes(changed))), passphrase=PASSPHRASE)


@pytest.mark.parametrize(
    ("member", "value"),
    [
        *[(name, "left out") for name in keys._MEMBERS if name != "format"],
        *[(name, None) for name in keys._MEMBERS if name != "format"],
        ("algorithm", "P-256"),
        ("kdf", "none"),
        ("key_id", "no-colon"),
        ("n", 0),
        ("n", 1),
        ("n", 33),
        ("n", 16.5),
        ("n", True),
        ("n", "16"),
        ("r", 0),
        ("r", 33),
        ("p", 0),
        ("p", 33),
        ("salt", ""),
        ("salt", "AAAA"),
        ("salt", "not base64url!"),
        ("sealed", base64url_encode(bytes(47))),
        ("extra", 1),
    ],
)
def test_a_malformed_key_file_is_told_by_its_member(member, value):
    with pytest.raises(BrokenInput, match=rf"^key file: its “{member}” is missing or wrong; restore"):
        open_key(sealed(**{member: value}), passphrase=PASSPHRASE)


@pytest.mark.parametrize("numbers", [{"n": 2**40}, {"n": 2**23}, {"n": 2**20, "r": 32}, {"n": 2**20, "p": 32}])
def test_a_file_that_asks_for_endless_work_is_refused_before_any_is_done(numbers):
    with pytest.raises(BrokenInput, match="is missing or wrong"):
        open_key(sealed(**numbers), passphrase=PASSPHRASE)


@pytest.mark.parametrize(
    "raw",
    [b"", b"\xff\xfe", b"[]", b"1", b"null", b"{}", b"{", b'{"format": 1}', b'{"format": "other"}', b"-----BEGIN"],
)
def test_what_is_no_sealed_key_says_so(raw):
    with pytest.raises(BrokenInput, match=r"^key file: is not a sealed key"):
        open_key(raw, passphrase=PASSPHRASE)


def test_a_sealed_key_that_was_cut_off_anywhere_is_one_sentence():
    raw = sealed()
    for end in range(0, len(raw), 7):
        with pytest.raises(BrokenInput, match=r"^key file: is not a sealed key"):
            open_key(raw[:end], passphrase=PASSPHRASE)


def test_a_huge_file_is_not_read_as_a_key():
    with pytest.raises(BrokenInput, match="fewer than 10,000 bytes"):
        open_key(b" " * 10_001, passphrase=PASSPHRASE)


def test_a_later_format_is_named():
    with pytest.raises(BrokenInput, match=r"'guildmark-key-3', which is not known here; use the version"):
        open_key(sealed(format="guildmark-key-3"), passphrase=PASSPHRASE)


def test_a_key_is_not_made_of_too_little():
    with pytest.raises(ValueError, match="32 bytes of entropy, not 31"):
        seal_key(bytes(31), key_id=KEY_ID, passphrase=PASSPHRASE)
    with pytest.raises(BrokenInput, match="the passphrase is empty; set GUILDMARK_KEY_PASSPHRASE"):
        seal_key(ENTROPY, key_id=KEY_ID, passphrase="")
    with pytest.raises(BrokenInput, match="not an absolute URL"):
        seal_key(ENTROPY, key_id="key-1", passphrase=PASSPHRASE)


# --- Kinds of key -----------------------------------------------------------------------------------------

KINDS = ("Ed25519", "P-256", "P-384", "RSA")

FIRST_FORM = (
    b'{"algorithm":"Ed25519","format":"guildmark-key-1","kdf":"scrypt","key_id":"did:web:harbour.example#k'
    b'ey-1","n":16,"nonce":"QCyABVrZdYPSWQyG","p":1,"public_key":"jm8eNucCclRseu006IjvuBRaThM2VkZyu_HkO6bE'
    b'7wY","r":8,"salt":"bGjkFBRjy3fD2ROUnVIKqQ","sealed":"Xm6hR333NNGOY9V3yrIrQJve2ubiLq6IEIAZpTLzQRpdFVB'
    b'mkO6BIE7S6gXiQVuf"}'
)
"""A file of the first form, as it lies on somebody's disk."""


def test_a_file_of_the_first_form_opens_for_ever():
    signer = open_key(FIRST_FORM, passphrase=PASSPHRASE)
    assert (signer.key_id, signer.algorithm) == (KEY_ID, "Ed25519")
    assert signature_holds(public_half(FIRST_FORM), b"message", signer.sign(b"message"))
    assert seal_key(ENTROPY, key_id=KEY_ID, passphrase=PASSPHRASE)[0] == FIRST_FORM


@pytest.fixture(scope="module")
def of_each_kind():
    """Kind -> its sealed file."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keys, "_N", 2**4)
        return {kind: seal_key(ENTROPY, key_id=KEY_ID, passphrase=PASSPHRASE, algorithm=kind)[0] for kind in KINDS}


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_key_opens_and_signs(kind, of_each_kind):
    raw = of_each_kind[kind]
    signer = open_key(raw, passphrase=PASSPHRASE)
    assert (signer.key_id, signer.algorithm) == (KEY_ID, kind)
    assert json.loads(raw)["format"] == FORMATS[kind] == ("guildmark-key-1" if kind == "Ed25519" else "guildmark-key-2")
    public = public_half(raw)
    assert (public.key_id, public.algorithm, public.public_key) == (KEY_ID, kind, signer.public_key)
    assert signature_holds(public, b"message", signer.sign(b"message"))
    assert len(raw) < 10_000


@pytest.mark.parametrize("kind", ["P-256", "P-384"])
def test_a_key_on_a_curve_is_the_same_for_the_same_entropy(kind, of_each_kind):
    assert seal_key(ENTROPY, key_id=KEY_ID, passphrase=PASSPHRASE, algorithm=kind)[0] == of_each_kind[kind]
    other = new_signer(ENTROPY, key_id=f"{KEY_ID}b", algorithm=kind)
    assert other.public_key != public_half(of_each_kind[kind]).public_key


def test_an_rsa_key_has_3072_bits_and_is_another_each_time(of_each_kind):
    first = open_key(of_each_kind["RSA"], passphrase=PASSPHRASE)
    assert len(first.sign(b"")) == 3072 // 8
    assert new_signer(ENTROPY, key_id=KEY_ID, algorithm="RSA").public_key != first.public_key


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("other", KINDS)
def test_a_file_does_not_pass_for_another_kind(kind, other, of_each_kind):
    if kind == other:
        return
    value = {**json.loads(of_each_kind[kind]), "algorithm": other}
    for form in set(FORMATS.values()):
        with pytest.raises(BrokenInput, match=r"is missing or wrong|does not open"):
            open_key(jcs({**value, "format": form}), passphrase=PASSPHRASE)


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_sealed_key_says_about_itself_is_only_believed_once_it_opens(kind, of_each_kind):
    value = json.loads(of_each_kind[kind])
    turned = bytearray(base64url_decode(value["public_key"]))
    turned[-1] ^= 1
    raw = jcs({**value, "public_key": base64url_encode(bytes(turned))})
    assert public_half(raw).public_key == bytes(turned)
    with pytest.raises(BrokenInput, match="the key does not open"):
        open_key(raw, passphrase=PASSPHRASE)


def test_a_key_can_be_sealed_again_under_another_name_and_passphrase(of_each_kind):
    signer = open_key(of_each_kind["P-256"], passphrase=PASSPHRASE)
    signer.key_id = "did:web:new.example#key-1"
    again = open_key(seal_signer(signer, entropy=ENTROPY[::-1], passphrase="another"), passphrase="another")
    assert (again.key_id, again.public_key) == ("did:web:new.example#key-1", signer.public_key)
    with pytest.raises(ValueError, match="32 bytes of entropy"):
        seal_signer(signer, entropy=b"", passphrase="another")


def test_a_kind_that_cannot_sign_is_refused():
    with pytest.raises(BrokenInput, match="keys of kind 'secp256k1' cannot sign here"):
        new_signer(ENTROPY, key_id=KEY_ID, algorithm="secp256k1")
