"""Whose key it is: only the owner's own document vouches for it, and whatever cannot be read is a value."""

from __future__ import annotations

import copy
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.credential.others import NOW
from tests.unit.credential.test_did import DID, SIGNER, implementers

from guildmark.core.codecs import base64url_encode, multibase_encode, multikey_encode
from guildmark.core.doors import Document, NoNetwork
from guildmark.core.errors import OutsideFailure
from guildmark.core.report import Verdict
from guildmark.credential.did import did_document, did_key
from guildmark.credential.resolve import find_key, key_in_document

PASS, FAIL, UNKNOWN = Verdict.PASS, Verdict.FAIL, Verdict.UNKNOWN
METHOD = SIGNER.key_id
DOCUMENT = did_document(DID, [SIGNER])
MULTIKEY = multikey_encode("Ed25519", SIGNER.public_key)


class Web(dict):
    """Documents by address; what is asked for is remembered."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.asked = []

    def fetch(self, url):
        self.asked.append(url)
        if url not in self:
            raise OutsideFailure(f"{url} answered 404")
        body = self[url]
        return Document(url, body if isinstance(body, bytes) else json.dumps(body).encode())


def find(method, web=None):
    return find_key(method, purpose="assertionMethod", now=NOW, fetcher=Web(web or {}))


def listed(purpose="assertionMethod", **changes):
    """What is found of the key in the document, with members of its one method changed (None takes away)."""
    document = copy.deepcopy(DOCUMENT)
    entry = {**document["verificationMethod"][0], **changes}
    document["verificationMethod"] = [{key: value for key, value in entry.items() if value is not None}]
    return key_in_document(document, METHOD, purpose=purpose, now=NOW)


# --- Looking up -----------------------------------------------------------------------------------------


def test_a_did_key_needs_no_network():
    did = did_key(SIGNER.public_key)
    for method in (did, f"{did}#{MULTIKEY}"):
        found = find_key(method, purpose="assertionMethod", now=NOW, fetcher=NoNetwork())
        assert (found.vouched, found.controller) == (PASS, did)
        assert found.key.public_key == SIGNER.public_key


@pytest.mark.parametrize(
    "method", [f"{did_key(SIGNER.public_key)}#other", f"{did_key(SIGNER.public_key)}#{MULTIKEY[:-1]}1", "did:key:x#x"]
)
def test_a_did_key_that_names_another_key_has_none(method):
    found = find(method)
    assert (found.key, found.vouched) == (None, FAIL)


def test_a_did_web_is_read_at_its_address_and_vouches_for_the_keys_it_lists():
    web = Web({"https://a.example/.well-known/did.json": DOCUMENT})
    found = find_key(METHOD, purpose="assertionMethod", now=NOW, fetcher=web)
    assert (found.vouched, found.controller) == (PASS, DID)
    assert found.key.public_key == SIGNER.public_key
    assert web.asked == ["https://a.example/.well-known/did.json"]


def test_an_https_issuer_vouches_with_a_document_at_its_own_address():
    owner = "https://a.example/issuers/1"
    method = f"{owner}#{MULTIKEY}"
    entry = {"id": method, "type": "Multikey", "controller": owner, "publicKeyMultibase": MULTIKEY}
    assert find(method, {owner: {"id": owner, "assertionMethod": [entry]}}).vouched is PASS
    assert find(method, {owner: {"id": owner, "assertionMethod": []}}).vouched is FAIL


def test_a_key_in_the_fragment_checks_a_signature_but_nobody_vouches_for_it():
    for method in (f"https://a.example/issuers/1#{MULTIKEY}", f"did:web:a.example#{MULTIKEY}"):
        found = find(method)
        assert found.key.public_key == SIGNER.public_key
        assert found.vouched is UNKNOWN
        assert "could not be read" in found.says


@pytest.mark.parametrize(
    "method",
    ["did:example:123#key-1", "did:webvh:x:a.example#1", "urn:uuid:1#key", "http://a.example/1#key-1", "did:#1"],
)
def test_a_kind_of_identifier_that_is_not_known_is_unknown_and_not_asked_for(method):
    web = Web()
    found = find_key(method, purpose="assertionMethod", now=NOW, fetcher=web)
    assert (found.key, found.vouched, web.asked) == (None, UNKNOWN, [])


@pytest.mark.parametrize("method", ["did:web:127.0.0.1#key-1", "did:web:a.example:..#key-1", "did:web:localhost#key-1"])
def test_an_odd_did_web_is_not_asked_for(method):
    web = Web()
    found = find_key(method, purpose="assertionMethod", now=NOW, fetcher=web)
    assert (found.key, found.vouched, web.asked) == (None, FAIL, [])


@pytest.mark.parametrize("body", [b"", b"<html>", b"\xff", b'{"id": 1, "id": 2}', b"[" * 5000, b"NaN"])
def test_a_document_that_cannot_be_read_leaves_the_key_unknown(body):
    found = find(METHOD, {"https://a.example/.well-known/did.json": body})
    assert (found.key, found.vouched) == (None, UNKNOWN)
    assert "is not a readable document" in found.says


# --- What the document says -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "document", [None, [], "x", {}, {"id": "did:web:b.example"}, {"id": [DID]}, {**DOCUMENT, "id": f"{DID}:x"}]
)
def test_a_document_about_another_vouches_for_nothing(document):
    found = key_in_document(document, METHOD, purpose="assertionMethod", now=NOW)
    assert found.vouched is FAIL
    assert "is about another" in found.says


def test_a_key_for_another_purpose_is_not_vouched_for():
    found = listed(purpose="authentication")
    assert (found.vouched, found.key.public_key) == (FAIL, SIGNER.public_key)
    assert "does not list this key" in found.says


def test_a_key_that_is_listed_only_as_a_method_is_not_vouched_for():
    document = {**DOCUMENT, "assertionMethod": []}
    found = key_in_document(document, METHOD, purpose="assertionMethod", now=NOW)
    assert (found.vouched, found.key.public_key) == (FAIL, SIGNER.public_key)


def test_a_key_that_belongs_to_another_is_not_vouched_for():
    for controller in ("did:web:mallory.example", [DID], f"{DID}#key-1"):
        found = listed(controller=controller)
        assert found.vouched is FAIL
        assert "belongs to" in found.says
    assert listed(controller=None).vouched is FAIL


def test_relative_ids_are_the_owners_own():
    document = json.loads(json.dumps(DOCUMENT).replace(METHOD, "#key-1"))
    assert document["assertionMethod"] == ["#key-1"]
    assert key_in_document(document, METHOD, purpose="assertionMethod", now=NOW).vouched is PASS


def test_a_method_may_stand_in_the_purpose_itself_and_alone():
    document = {"id": DID, "assertionMethod": DOCUMENT["verificationMethod"][0]}
    assert key_in_document(document, METHOD, purpose="assertionMethod", now=NOW).vouched is PASS


@pytest.mark.parametrize(
    ("member", "moment", "verdict"),
    [
        ("revoked", "2026-11-24T09:00:00Z", FAIL),
        ("revoked", "2026-11-24T09:00:01Z", PASS),
        ("expires", "2026-11-24T08:59:59Z", FAIL),
        ("expires", "2026-11-24T20:00:00+10:00", PASS),
        ("expires", "2026-11-24T19:00:00+10:00", FAIL),
        ("expires", "soon", FAIL),
        ("revoked", 1, FAIL),
        ("revoked", True, FAIL),
        ("revoked", "2026-11-24T09:00:01", FAIL),
    ],
)
def test_a_key_that_is_revoked_or_expired_is_not_vouched_for(member, moment, verdict):
    found = listed(**{member: moment})
    assert (found.vouched, found.key.public_key) == (verdict, SIGNER.public_key)


def test_a_key_that_was_revoked_long_ago_says_since_when():
    assert listed(revoked="2026-01-02T00:00:00Z").says == f"This key of {DID} is revoked since 2026-01-02."


# --- Forms of keys --------------------------------------------------------------------------------------


def test_a_jwk_of_ed25519_is_the_same_key():
    jwk = {"kty": "OKP", "crv": "Ed25519", "x": base64url_encode(SIGNER.public_key)}
    found = listed(publicKeyMultibase=None, type="JsonWebKey", publicKeyJwk=jwk)
    assert (found.vouched, found.key.public_key) == (PASS, SIGNER.public_key)


@pytest.mark.parametrize(("curve", "size"), [("P-256", 32), ("P-384", 48)])
def test_a_jwk_of_a_p_curve_becomes_the_compressed_point(curve, size):
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    made = {"P-256": ec.SECP256R1(), "P-384": ec.SECP384R1()}[curve]
    for secret in range(1, 7):
        public = ec.derive_private_key(secret, made).public_key()
        numbers = public.public_numbers()
        jwk = {"kty": "EC", "crv": curve}
        jwk |= {name: base64url_encode(getattr(numbers, name).to_bytes(size, "big")) for name in "xy"}
        theirs = public.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.CompressedPoint)
        found = listed(publicKeyMultibase=None, publicKeyJwk=jwk)
        assert (found.key.algorithm, found.key.public_key) == (curve, theirs)


@pytest.mark.parametrize(
    "form",
    [
        {"publicKeyMultibase": None},
        {"publicKeyMultibase": "x"},
        {"publicKeyMultibase": 7},
        {"publicKeyMultibase": MULTIKEY[:-1]},
        {"publicKeyMultibase": multibase_encode(b"\x12\x00" + bytes(32))},
        {"publicKeyMultibase": None, "publicKeyBase58": "B12NYF8RrR3h41TDCTJojY59usg3mbtbjnFs7Eud1Y6u"},
        {"publicKeyMultibase": None, "publicKeyJwk": {"kty": "RSA", "n": "AQAB", "e": "AQAB"}},
        {"publicKeyMultibase": None, "publicKeyJwk": {"kty": "OKP", "crv": "Ed25519", "x": "AA"}},
        {"publicKeyMultibase": None, "publicKeyJwk": {"kty": "OKP", "crv": "Ed25519"}},
        {"publicKeyMultibase": None, "publicKeyJwk": {"kty": "OKP", "crv": "Ed25519", "x": "!"}},
        {"publicKeyMultibase": None, "publicKeyJwk": {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}},
        {"publicKeyMultibase": None, "publicKeyJwk": {"kty": "EC", "crv": ["P-256"]}},
        {"publicKeyMultibase": None, "publicKeyJwk": "x"},
    ],
)
def test_a_key_in_a_form_that_is_not_known_is_none(form):
    found = listed(**form)
    assert (found.key, found.vouched) == (None, FAIL)
    assert "in a form that is not known here" in found.says


def test_every_reported_document_is_read_without_a_crash_and_vouches_for_what_it_lists():
    vouched = 0
    for did, document in implementers():
        entries = document.get("assertionMethod", [])
        for entry in entries if isinstance(entries, list) else [entries]:
            name = entry if isinstance(entry, str) else entry["id"]
            method = did + name if name.startswith("#") else name
            found = key_in_document(document, method, purpose="assertionMethod", now=NOW)
            assert (found.vouched is PASS) is (found.key is not None), (did, found.says)
            vouched += found.vouched is PASS
    assert vouched >= 2


_json = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.text(max_size=5), st.sampled_from([METHOD, DID, "#key-1", MULTIKEY])
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(
                ["id", "controller", "publicKeyMultibase", "publicKeyJwk", "crv", "x", "y", "revoked", "type"]
            ),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=8,
)


@given(_json, _json)
@settings(deadline=None)
def test_whatever_a_document_says_is_a_value(methods, purposes):
    document = {"id": DID, "verificationMethod": methods, "assertionMethod": purposes}
    found = key_in_document(document, METHOD, purpose="assertionMethod", now=NOW)
    assert "\n" not in found.says
    assert found.vouched is not PASS or found.key is not None


@given(st.text(max_size=40))
@settings(deadline=None)
def test_whatever_is_named_as_a_key_is_a_value(text):
    for method in (text, f"did:web:{text}", f"did:key:{text}", f"https://a.example/{text}", f"{DID}#{text}"):
        assert find(method).vouched is not PASS
