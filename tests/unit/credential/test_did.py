"""DIDs: the key in a did:key, the address of a did:web, and the document that an issuer publishes."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.paths import counted
from tests.unit.credential.others import NOW, vector

from guildmark.core.codecs import (
    UnknownKind,
    base58_decode,
    base64url_encode,
    jcs,
    multibase_decode,
    multibase_encode,
    multikey_encode,
)
from guildmark.core.errors import BrokenInput
from guildmark.core.report import Verdict
from guildmark.credential.did import (
    did_document,
    did_jwk,
    did_key,
    did_of,
    did_web_of,
    did_web_url,
    key_of_did_jwk,
    key_of_did_key,
    own_document,
)
from guildmark.credential.keys import PublicKey, SoftwareSigner, jwk_of
from guildmark.credential.resolve import key_in_document

DID = "did:web:a.example"
SIGNER = SoftwareSigner(bytes(range(32)), f"{DID}#key-1")


def implementers():
    """(DID, DID document) of everybody who reported theirs to W3C's test suite."""
    for report in vector("did/did-key-web-documents.json").values():
        for did in report["dids"]:
            for kind in ("application/did+json", "application/did+ld+json"):
                if kind in report[did]:
                    yield did, json.loads(report[did][kind]["representation"])


# --- did:key --------------------------------------------------------------------------------------------


def test_the_key_of_every_reported_did_key_is_the_one_in_its_document():
    known, unknown = 0, 0
    for did, document in implementers():
        if did.startswith("did:key:z6Mk"):
            (entry,) = document.get("verificationMethod", document.get("publicKey"))
            theirs = (
                multibase_decode(entry["publicKeyMultibase"])[2:]
                if "publicKeyMultibase" in entry
                else base58_decode(entry["publicKeyBase58"])
            )
            key = key_of_did_key(did)
            assert (key.key_id, key.algorithm, key.public_key) == (entry["id"], "Ed25519", theirs)
            assert did_key(theirs) == did
            counted("did", did)
            known += 1
        elif did.startswith("did:key:"):  # BLS12-381, which is not checked here
            with pytest.raises(BrokenInput, match=r"a key of kind BLS12-381 G[12] is not known here"):
                key_of_did_key(did)
            counted("did", did)
            unknown += 1
    assert known >= 2
    assert unknown >= 1


@given(st.binary(min_size=32, max_size=32))
def test_a_did_key_is_its_key(public_key):
    assert key_of_did_key(did_key(public_key)).public_key == public_key


@pytest.mark.parametrize(
    ("algorithm", "size", "start"), [("Ed25519", 32, "z6Mk"), ("P-256", 33, "zDn"), ("P-384", 49, "z82L")]
)
def test_the_first_letters_of_a_did_key_tell_the_kind(algorithm, size, start):
    did = did_key(b"\x02" + bytes(range(1, size)), algorithm)
    assert did.startswith(f"did:key:{start}")
    assert key_of_did_key(did).algorithm == algorithm


@pytest.mark.parametrize(
    "did",
    [
        "did:web:a.example",
        "did:key:",
        "did:key:z",
        "did:key:6Mk",
        "did:key:z6Mk",
        "did:key:z6MkO0Il",
        "did:key:" + multibase_encode(b"\xed\x01" + bytes(31)),
        "did:key:" + multibase_encode(b"\xed\x01" + bytes(33)),
        "did:key:" + multibase_encode(b"\x12\x00" + bytes(32)),
        "did:key:" + "z" + "1" * 5000,
        "did:key:" + multibase_encode(b"\xed\x01" + bytes(32), "u"),
        "",
    ],
)
def test_what_is_no_did_key_is_one_sentence(did):
    with pytest.raises(BrokenInput) as refused:
        key_of_did_key(did)
    assert "\n" not in str(refused.value)


# --- did:jwk --------------------------------------------------------------------------------------------

# The method specification's own examples, a P-256 key to sign with and an X25519 key that only agrees on secrets.
EXAMPLE = (
    "did:jwk:eyJjcnYiOiJQLTI1NiIsImt0eSI6IkVDIiwieCI6ImFjYklRaXVNczNpOF91c3pFakoydHBUdFJNNEVVM3l6OTFQSDZDZEgyVjAiLCJ5Ij"
    "oiX0tjeUxqOXZXTXB0bm1LdG00NkdxRHo4d2Y3NEk1TEtncmwyR3pIM25TRSJ9"
)
AGREES = (
    "did:jwk:eyJrdHkiOiJPS1AiLCJjcnYiOiJYMjU1MTkiLCJ1c2UiOiJlbmMiLCJ4IjoiM3A3YmZYdDl3YlRUVzJIQzdPUTFOei1EUThoYmVHZE5yZng"
    "tRkctSUswOCJ9"
)


def test_the_key_of_a_did_jwk_is_the_one_of_its_specification():
    key = key_of_did_jwk(EXAMPLE)
    assert (key.key_id, key.algorithm) == (f"{EXAMPLE}#0", "P-256")
    assert jwk_of(key)["x"] == "acbIQiuMs3i8_uszEjJ2tpTtRM4EU3yz91PH6CdH2V0"
    assert did_jwk(key) == EXAMPLE
    with pytest.raises(UnknownKind, match="X25519 is not known here"):
        key_of_did_jwk(AGREES)


@pytest.mark.parametrize("algorithm", ["Ed25519", "P-256", "P-384"])
def test_a_did_jwk_is_its_key(algorithm):
    size = 48 if algorithm == "P-384" else 32
    signer = SoftwareSigner(bytes(range(1, size + 1)), "a:b", algorithm)
    key = key_of_did_jwk(did_jwk(signer))
    assert (key.algorithm, key.public_key) == (algorithm, signer.public_key)


@pytest.mark.parametrize(
    "did",
    [
        "did:jwk:",
        "did:jwk:!",
        "did:jwk:e30",
        "did:web:a.example",
        "did:jwk:" + base64url_encode(b"[]"),
        "did:jwk:" + base64url_encode(b'{"kty":"OKP","kty":"OKP"}'),
        "did:jwk:" + base64url_encode(b"{" * 2000),
        "did:jwk:" + base64url_encode(jcs({"kty": "OKP", "crv": "Ed25519", "x": "AA"})),
        "did:jwk:" + base64url_encode(jcs({**jwk_of(SIGNER), "d": base64url_encode(bytes(32))})),
        "did:jwk:" + "A" * 5000,
    ],
)
def test_what_is_no_did_jwk_is_one_sentence(did):
    with pytest.raises(BrokenInput) as refused:
        key_of_did_jwk(did)
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 400


def test_an_identifier_that_is_its_key_has_a_document_that_nobody_publishes():
    for did in (did_key(SIGNER.public_key), did_jwk(SIGNER), EXAMPLE):
        document = own_document(did)
        (method,) = document["assertionMethod"]
        assert document["id"] == did
        assert key_in_document(document, method, purpose="assertionMethod", now=NOW).vouched is Verdict.PASS


# --- did:web --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("did", "url"),
    [
        # The method specification's own examples.
        ("did:web:w3c-ccg.github.io", "https://w3c-ccg.github.io/.well-known/did.json"),
        ("did:web:w3c-ccg.github.io:user:alice", "https://w3c-ccg.github.io/user/alice/did.json"),
        ("did:web:example.com%3A3000", "https://example.com:3000/.well-known/did.json"),
        ("did:web:example.com%3A3000:user:alice", "https://example.com:3000/user/alice/did.json"),
        ("did:web:A.Example", "https://a.example/.well-known/did.json"),
        ("did:web:a.example:X_y-z.1", "https://a.example/X_y-z.1/did.json"),
        ("did:web:a.example:x%20y", "https://a.example/x%20y/did.json"),
        ("did:web:xn--mnchen-3ya.example", "https://xn--mnchen-3ya.example/.well-known/did.json"),
    ],
)
def test_a_did_web_is_read_where_its_specification_says(did, url):
    assert did_web_url(did) == url


@pytest.mark.parametrize(
    "did",
    [
        "did:key:z6Mk",
        "did:web:",
        "did:web::x",
        "did:web:localhost",
        "did:web:127.0.0.1",
        "did:web:127.1",
        "did:web:2130706433",
        "did:web:0x7f.1",
        "did:web:%5B%3A%3A1%5D",
        "did:web:a.example.",
        "did:web:.example",
        "did:web:-a.example",
        "did:web:a_b.example",
        "did:web:a.example%2Fx",
        "did:web:a.example%23x",
        "did:web:user%40a.example",
        "did:web:a.example%3A0",
        "did:web:a.example%3A65536",
        "did:web:a.example%3Ax",
        "did:web:a.example%3A٣",
        "did:web:a.example:",
        "did:web:a.example::x",
        "did:web:a.example:..",
        "did:web:a.example:%2e%2E",
        "did:web:a.example:.",
        "did:web:a.example:x%2Fy",
        "did:web:a.example:x%5Cy",
        "did:web:a.example:x%00",
        "did:web:a.example:%20x",
        "did:web:a.example:x/y",
        "did:web:a.example:x?y",
        "did:web:a.example:x y",
        "did:web:a.example:%zz",
        "did:web:a.example:é",
        "did:web:münchen.example",
        "did:web:" + "a" * 250 + ".example",
        "did:web:a.example\n",
    ],
)
def test_a_did_web_that_leads_somewhere_odd_is_refused(did):
    with pytest.raises(BrokenInput):
        did_web_url(did)


@pytest.mark.parametrize(
    ("url", "did"),
    [
        ("https://a.example", "did:web:a.example"),
        ("https://a.example/", "did:web:a.example"),
        ("https://a.example/issuers/x", "did:web:a.example:issuers:x"),
        ("https://a.example:8443/x/", "did:web:a.example%3A8443:x"),
    ],
)
def test_the_did_web_of_an_address_leads_back_to_it(url, did):
    assert did_web_of(url) == did
    place = did_web_url(did).removesuffix("/did.json").removesuffix("/.well-known")
    assert place == url.rstrip("/")


@pytest.mark.parametrize(
    "url",
    [
        "http://a.example/",
        "a.example",
        "",
        "https://",
        "https://127.0.0.1/",
        "https://localhost/",
        "https://a.example:99999/",
        "https://[::1",
        "https://a.example/x:y",
        "https://a.example/x?y",
        "https://a.example/x#y",
        "https://user@a.example/",
        "https://a.example/../x",
    ],
)
def test_an_address_that_has_no_did_web_is_refused(url):
    with pytest.raises(BrokenInput):
        did_web_of(url)


@pytest.mark.parametrize(
    ("method", "owner"),
    [
        ("did:web:a.example#key-1", "did:web:a.example"),
        ("did:web:a.example:x?service=y#key-1", "did:web:a.example:x"),
        ("did:web:a.example/path#key-1", "did:web:a.example"),
        ("https://a.example/issuers/1#z6Mk", "https://a.example/issuers/1"),
        ("https://a.example/issuers?id=1#z6Mk", "https://a.example/issuers?id=1"),
        ("did:web:a.example", "did:web:a.example"),
    ],
)
def test_a_method_belongs_to_what_stands_before_its_fragment(method, owner):
    assert did_of(method) == owner


# --- The document ---------------------------------------------------------------------------------------


def test_a_published_document_lists_its_keys_for_assertions():
    second = PublicKey(f"{DID}#key-2", "P-256", b"\x02" + bytes(32))
    document = did_document(DID, [SIGNER, second], also_known_as=["https://a.example/"])
    assert document["id"] == DID
    assert document["alsoKnownAs"] == ["https://a.example/"]
    assert document["assertionMethod"] == [f"{DID}#key-1", f"{DID}#key-2"]
    for key in (SIGNER, second):
        found = key_in_document(document, key.key_id, purpose="assertionMethod", now=NOW)
        assert found.vouched is Verdict.PASS
        assert (found.key.algorithm, found.key.public_key) == (key.algorithm, key.public_key)
    assert document["verificationMethod"][0]["publicKeyMultibase"] == multikey_encode("Ed25519", SIGNER.public_key)


@pytest.mark.parametrize("key_id", ["did:web:b.example#key-1", DID, "https://a.example#key-1", "did:web:a.example:x#1"])
def test_a_key_of_somebody_else_is_not_published(key_id):
    with pytest.raises(BrokenInput, match=r"is not a key of did:web:a\.example; name it did:web:a\.example#key-1"):
        did_document(DID, [PublicKey(key_id, "Ed25519", bytes(32))])


def test_a_document_without_a_key_is_not_made():
    with pytest.raises(BrokenInput, match="without a key is of no use"):
        did_document(DID, [])


def test_a_key_can_be_published_as_a_json_web_key_for_those_who_know_no_other_form():
    second = SoftwareSigner(bytes(range(1, 33)), f"{DID}#key-2", "P-256")
    document = did_document(DID, [SIGNER], jwk=[second])
    assert [method["type"] for method in document["verificationMethod"]] == ["Multikey", "JsonWebKey"]
    assert document["verificationMethod"][1]["publicKeyJwk"] == jwk_of(second)
    assert document["@context"][1:] == [
        "https://w3id.org/security/multikey/v1",
        "https://w3id.org/security/jwk/v1",
    ]
    found = key_in_document(document, second.key_id, purpose="assertionMethod", now=NOW)
    assert (found.vouched, found.key.public_key) == (Verdict.PASS, second.public_key)


def test_an_rsa_key_is_always_a_json_web_key():
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    form = (serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    signer = SoftwareSigner(made.private_bytes(*form), f"{DID}#rsa", "RSA")
    document = did_document(DID, [signer])
    assert document["verificationMethod"][0]["type"] == "JsonWebKey"
    assert key_in_document(document, signer.key_id, purpose="assertionMethod", now=NOW).vouched is Verdict.PASS
    with pytest.raises(UnknownKind, match="RSA has no Multikey"):
        multikey_encode("RSA", signer.public_key)


def test_an_https_issuer_publishes_a_controlled_identifier_document():
    key = PublicKey("https://a.example/issuers/1#key-1", "Ed25519", SIGNER.public_key)
    document = did_document("https://a.example/issuers/1", [key])
    assert document["@context"] == ["https://www.w3.org/ns/cid/v1"]
    assert key_in_document(document, key.key_id, purpose="assertionMethod", now=NOW).vouched is Verdict.PASS


def test_a_name_stands_once():
    with pytest.raises(BrokenInput, match="is listed twice"):
        did_document(DID, [SIGNER], jwk=[SIGNER])
