"""Whose key it is: only the owner's own document vouches for it, and whatever cannot be read is a value."""

from __future__ import annotations

import copy
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.credential.others import NOW
from tests.unit.credential.test_did import DID, SIGNER, implementers
from tests.unit.credential.test_webvh import (
    Settings,
    day,
    deactivate,
    document,
    entries,
    multikey,
    rotate,
    signer,
    started,
    update,
    watched,
    witness_file,
)

from guildmark.core.codecs import base64url_encode, multibase_encode, multikey_encode
from guildmark.core.doors import Document, NoNetwork
from guildmark.core.errors import BrokenInput, OutsideFailure
from guildmark.core.report import Verdict
from guildmark.credential.did import did_document, did_jwk, did_key
from guildmark.credential.keys import PublicKey, SoftwareSigner, jwk_of
from guildmark.credential.resolve import find_key, find_listed, key_in_document, place_of

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


def find(method, web=None, issuer=""):
    return find_key(method, purpose="assertionMethod", now=NOW, fetcher=Web(web or {}), issuer=issuer)


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
    ["did:example:123#key-1", "urn:uuid:1#key", "http://a.example/1#key-1", "did:#1"],
)
def test_a_kind_of_identifier_that_is_not_known_is_unknown_and_not_asked_for(method):
    web = Web()
    found = find_key(method, purpose="assertionMethod", now=NOW, fetcher=web)
    assert (found.key, found.vouched, web.asked) == (None, UNKNOWN, [])


@pytest.mark.parametrize(
    "method",
    ["did:web:127.0.0.1#key-1", "did:web:a.example:..#key-1", "did:web:localhost#key-1", "did:webvh:x:a.example#1"],
)
def test_an_odd_did_web_is_not_asked_for(method):
    web = Web()
    found = find_key(method, purpose="assertionMethod", now=NOW, fetcher=web)
    assert (found.key, found.vouched, web.asked) == (None, FAIL, [])


@pytest.mark.parametrize("body", [b"", b"<html>", b"\xff", b'{"id": 1, "id": 2}', b"[" * 5000, b"NaN"])
def test_a_document_that_cannot_be_read_leaves_the_key_unknown(body):
    found = find(METHOD, {"https://a.example/.well-known/did.json": body})
    assert (found.key, found.vouched) == (None, UNKNOWN)
    assert "is not a readable document" in found.says


# --- Keys that lie at an https address by themselves ---------------------------------------------------

ISSUER = "https://a.example/issuers/1"
KEYS = "https://a.example/keys.json"
MALLORY = SoftwareSigner(bytes(32), "https://mallory.example/key")
JWK = jwk_of(SIGNER)


def issuer_document(*entries, **more):
    return {"id": ISSUER, "assertionMethod": list(entries), **more}


def embedded(id=f"{ISSUER}#key-1", controller=ISSUER, jwk=JWK, **more):
    return {"id": id, "type": "JsonWebKey", "controller": controller, "publicKeyJwk": jwk, **more}


@pytest.mark.parametrize(
    ("method", "served"),
    [
        (ISSUER, JWK),
        (f"{ISSUER}#a", {**JWK, "kid": "a"}),
        (ISSUER, {"keys": [JWK]}),
        (f"{ISSUER}#a", {"keys": [{**jwk_of(MALLORY), "kid": "b"}, {**JWK, "kid": "a"}]}),
        (f"{ISSUER}#a", {"keys": [{**JWK, "kid": f"{ISSUER}#a", "use": "sig", "key_ops": ["verify"]}]}),
    ],
)
def test_a_key_at_the_issuers_own_address_is_the_issuers(method, served):
    found = find(method, {ISSUER: served}, ISSUER)
    assert (found.vouched, found.controller, found.key.public_key) == (PASS, ISSUER, SIGNER.public_key)
    assert found.key.key_id == method


@pytest.mark.parametrize(
    ("method", "listed_as"),
    [
        (KEYS, KEYS),
        (f"{KEYS}#a", f"{KEYS}#a"),
        (f"{KEYS}#a", embedded()),
        (f"{KEYS}#a", embedded(f"{KEYS}#a")),
        (KEYS, {"id": "#k", "controller": ISSUER, "type": "Multikey", "publicKeyMultibase": MULTIKEY}),
    ],
)
def test_a_key_elsewhere_is_the_issuers_if_its_document_lists_it(method, listed_as):
    web = {KEYS: {"keys": [{**JWK, "kid": "a"}]} if "#" in method else JWK, ISSUER: issuer_document(listed_as)}
    found = find(method, web, ISSUER)
    assert (found.vouched, found.controller, found.key.public_key) == (PASS, ISSUER, SIGNER.public_key)


@pytest.mark.parametrize(
    "document",
    [
        issuer_document(),
        issuer_document(embedded(jwk=jwk_of(MALLORY))),
        issuer_document(embedded(controller="https://mallory.example")),
        issuer_document(embedded(revoked="2026-01-01T00:00:00Z")),
        issuer_document(embedded(expires="2026-01-01T00:00:00Z")),
        issuer_document(f"{KEYS}x", f"{KEYS}#b"),
        {"id": ISSUER, "verificationMethod": [embedded()], "authentication": [f"{ISSUER}#key-1"]},
        {"id": "https://a.example/issuers/2", "assertionMethod": [KEYS]},
        {"assertionMethod": [KEYS]},
        [KEYS],
    ],
)
def test_a_key_that_the_issuers_document_does_not_list_is_not_the_issuers(document):
    """Mallory, who has a folder on the same host, served it there, and the signature with it will hold."""
    found = find(KEYS, {KEYS: JWK, ISSUER: document}, ISSUER)
    assert (found.vouched, found.key.public_key) == (FAIL, SIGNER.public_key)
    assert f"The key lies at {KEYS}, where anybody may have put it." in found.says


def test_a_key_elsewhere_is_unknown_while_the_issuers_document_is_out_of_reach():
    found = find(KEYS, {KEYS: JWK}, ISSUER)
    assert (found.vouched, found.controller) == (UNKNOWN, ISSUER)
    assert "could not be read" in found.says


def test_nobody_is_meant_by_a_key_elsewhere_while_nobody_is_asked_about():
    found = find(KEYS, {KEYS: JWK})
    assert found.controller == KEYS


def test_an_address_that_leads_on_to_another_is_still_the_one_that_was_asked_for():
    """An open redirect on the issuer's host answers with whatever Mallory serves."""
    door = "https://a.example/redirect?to=https://mallory.example/"
    for served in (JWK, {"id": door, "assertionMethod": [embedded(f"{door}#k", door)]}):
        found = find(f"{door}#k" if "id" in served else door, {door: served, ISSUER: issuer_document()}, ISSUER)
        assert found.controller != ISSUER or found.vouched is FAIL


def test_an_address_is_the_issuers_only_character_by_character():
    for near in (f"{ISSUER}/", f"{ISSUER}?", "https://A.example/issuers/1", "https://a.example/issuers/%31"):
        found = find(near, {near: JWK, ISSUER: issuer_document()}, ISSUER)
        assert (found.controller, found.vouched) != (ISSUER, PASS)


def test_a_method_by_itself_belongs_to_whom_it_names_if_that_one_lists_it():
    method = "https://a.example/keys/1"
    alone = embedded(method)
    for web, verdict in (
        ({method: alone, ISSUER: issuer_document(method)}, PASS),
        ({method: alone, ISSUER: issuer_document()}, FAIL),
        ({method: alone}, UNKNOWN),
        ({method: {**alone, "id": "https://a.example/keys/2"}, ISSUER: issuer_document(method)}, FAIL),
        ({method: {**alone, "revoked": "2026-01-01T00:00:00Z"}, ISSUER: issuer_document(method)}, FAIL),
    ):
        for asked in ("", ISSUER):
            assert find(method, web, asked).vouched is verdict
    assert find(method, {method: alone, ISSUER: issuer_document(method)}).controller == ISSUER
    mallorys = {method: embedded(method, controller="https://mallory.example"), ISSUER: issuer_document()}
    assert find(method, mallorys, ISSUER).vouched is not PASS


def test_a_document_of_keys_whose_controller_is_the_issuer_needs_the_issuers_word():
    document = {"id": KEYS, "verificationMethod": [embedded(f"{KEYS}#a")]}
    assert find(f"{KEYS}#a", {KEYS: document, ISSUER: issuer_document(f"{KEYS}#a")}, ISSUER).vouched is PASS
    assert find(f"{KEYS}#a", {KEYS: document, ISSUER: issuer_document()}, ISSUER).vouched is FAIL
    assert find(f"{KEYS}#a", {KEYS: document}, ISSUER).vouched is UNKNOWN


def test_an_issuer_may_list_a_did_key_as_its_own():
    did = did_key(SIGNER.public_key)
    method = f"{did}#{MULTIKEY}"
    assert find(method, {ISSUER: issuer_document(method)}, ISSUER).controller == ISSUER
    for web in ({ISSUER: issuer_document()}, {}):
        found = find(method, web, ISSUER)
        assert (found.controller, found.vouched) == (did, PASS)  # a key of its own, and not the issuer's


@pytest.mark.parametrize(
    ("served", "verdict", "says"),
    [
        ({**JWK, "use": "enc"}, FAIL, "not for signatures"),
        ({**JWK, "key_ops": ["sign"]}, FAIL, "not for signatures"),
        ({**JWK, "key_ops": "verify"}, FAIL, "not for signatures"),
        ({**JWK, "d": "AA"}, FAIL, "a private key stands where a public one belongs"),
        ({**JWK, "x": "AA"}, FAIL, "cannot be read"),
        ({"kty": "EC", "crv": "secp256k1", "x": "AA", "y": "AA"}, UNKNOWN, "is not known here"),
        ({"kty": "oct", "k": "AA"}, UNKNOWN, "is not known here"),
        ({**JWK, "kid": "b"}, FAIL, "not the one that is named"),
        ({"keys": []}, FAIL, "not the one that is named"),
        ({"keys": [JWK]}, FAIL, "not the one that is named"),
        ({"keys": [None, 1, "x"]}, FAIL, "not the one that is named"),
        ({"keys": [{**JWK, "kid": "a"}, {**jwk_of(MALLORY), "kid": "a"}]}, FAIL, "not the one that is named"),
        ({"keys": [{"kty": "oct", "kid": str(n)} for n in range(100)] + [{**JWK, "kid": "a"}]}, FAIL, "not the one"),
    ],
)
def test_a_key_that_is_not_for_this_is_not_used(served, verdict, says):
    found = find(f"{ISSUER}#a", {ISSUER: served}, ISSUER)
    assert found.vouched is verdict
    assert says in found.says


def test_two_keys_without_a_name_are_none():
    found = find(ISSUER, {ISSUER: {"keys": [JWK, jwk_of(MALLORY)]}}, ISSUER)
    assert (found.key, found.vouched) == (None, FAIL)


def test_a_key_that_came_with_the_signature_is_the_issuers_only_if_its_document_lists_it():
    def ask(document):
        web = Web({ISSUER: document} if document else {})
        key = PublicKey("a:b", SIGNER.algorithm, SIGNER.public_key)
        return find_listed(key, ISSUER, purpose="assertionMethod", now=NOW, fetcher=web)

    assert ask(issuer_document(embedded())).vouched is PASS
    assert ask(issuer_document(embedded(jwk=jwk_of(MALLORY)))).vouched is FAIL
    assert ask(issuer_document("a:b#x")).vouched is FAIL
    assert ask(None).vouched is UNKNOWN


# --- did:jwk -----------------------------------------------------------------------------------------------


def test_a_did_jwk_needs_no_network():
    did = did_jwk(SIGNER)
    for method in (did, f"{did}#0"):
        found = find_key(method, purpose="assertionMethod", now=NOW, fetcher=NoNetwork())
        assert (found.vouched, found.controller, found.key.public_key) == (PASS, did, SIGNER.public_key)
    assert find(f"{did}#1").key is None


@pytest.mark.parametrize(
    ("jwk", "verdict"),
    [
        ({**JWK, "use": "enc"}, FAIL),
        ({"kty": "OKP", "crv": "X25519", "x": JWK["x"]}, UNKNOWN),
        ({**JWK, "x": "AA"}, FAIL),
        ([], FAIL),
    ],
)
def test_a_did_jwk_that_cannot_sign_does_not_pass(jwk, verdict):
    method = f"did:jwk:{base64url_encode(json.dumps(jwk).encode())}#0"
    assert find(method).vouched is verdict


# --- did:webvh ---------------------------------------------------------------------------------------------


def histories():
    """(did, address, log with a key that was replaced in March, the second key's method)."""
    did, log = started()
    new = PublicKey(f"{did}#key-2", "Ed25519", signer(60).public_key)
    log += rotate(log, signer(2), now=day(60), next_keys=[multikey(3)], document=did_document(did, [new]))
    return did, "https://a.example/issuers/x/did.jsonl", log, document(did)


def test_the_keys_of_a_did_webvh_are_those_of_its_newest_version():
    did, url, log, _ = histories()
    found = find(f"{did}#key-2", {url: log}, did)
    assert (found.vouched, found.controller) == (PASS, did)
    found = find(f"{did}#key-1", {url: log}, did)
    assert found.vouched is FAIL
    assert found.says == f"{did} listed this key until 2026-03-02 and does so no more."
    assert find(f"{did}#key-9", {url: log}, did).vouched is FAIL


def test_naming_an_old_version_does_not_bring_a_retired_key_back():
    did, url, log, _ = histories()
    ids = [json.loads(line)["versionId"] for line in log.splitlines()]
    for query in (f"versionId={ids[0]}", "versionNumber=1", "versionTime=2026-02-01T00:00:00Z"):
        assert find(f"{did}?{query}#key-1", {url: log}, did).vouched is FAIL
    for query in (f"versionId={ids[1]}", "versionNumber=2", "versionTime=2026-04-01T00:00:00Z"):
        assert find(f"{did}?{query}#key-2", {url: log}, did).vouched is PASS
    for query in ("versionId=1-x", "versionNumber=3", "versionTime=2025-01-01T00:00:00Z", "versionTime=x", "a=b", ""):
        assert find(f"{did}?{query}#key-2", {url: log}, did).vouched is FAIL
    assert find(f"{did}?versionNumber=1&versionId={ids[1]}#key-2", {url: log}, did).vouched is FAIL


def test_a_history_that_does_not_hold_vouches_for_nothing():
    did, url, log, _ = histories()
    found = find(f"{did}#key-2", {url: log.replace(b"key-2", b"key-3")}, did)
    assert (found.key, found.vouched) == (None, FAIL)
    assert "does not hold: entry 2" in found.says


@pytest.mark.parametrize("body", [b"", b"<html>", b"\xff", b"[]"])
def test_a_page_where_a_history_should_be_leaves_the_key_unknown(body):
    did, url, _, _ = histories()
    assert find(f"{did}#key-2", {url: body}, did).vouched is UNKNOWN
    assert find(f"{did}#key-2", {}, did).vouched is UNKNOWN


def test_a_history_with_entries_after_the_moment_asked_about_cannot_be_told():
    did, url, log, _ = histories()
    then = NOW.replace(year=2026, month=2)
    found = find_key(f"{did}#key-1", purpose="assertionMethod", now=then, fetcher=Web({url: log}))
    assert (found.key, found.vouched) == (None, UNKNOWN)


def test_an_identifier_that_was_given_up_signs_nothing():
    did, url, log, _ = histories()
    log += deactivate(log, signer(3), now=day(90))
    found = find(f"{did}#key-2", {url: log}, did)
    assert (found.key, found.vouched) == (None, FAIL)
    assert "was given up on 2026-04-01" in found.says


def test_witnesses_are_read_beside_the_history_and_only_if_there_are_any():
    did, log = started(given=watched(1))
    url, beside = "https://a.example/issuers/x/did.jsonl", "https://a.example/issuers/x/did-witness.json"
    file = witness_file({entries(log)[0]["versionId"]: [signer(20)]}, now=NOW)
    assert find(f"{did}#key-1", {url: log, beside: file}, did).vouched is PASS
    assert find(f"{did}#key-1", {url: log, beside: b"[]"}, did).vouched is FAIL
    assert find(f"{did}#key-1", {url: log}, did).vouched is UNKNOWN
    did, url, log, _ = histories()
    web = Web({url: log})
    find_key(f"{did}#key-2", purpose="assertionMethod", now=NOW, fetcher=web)
    assert web.asked == [url]


def test_an_identifier_that_moved_keeps_its_keys_under_both_names():
    did, log = started(given=Settings(portable=True))
    moved = did.replace("a.example", "b.example")
    new = document(moved, alsoKnownAs=[did])
    log += update(log, signer(2), now=day(1), document=new, next_keys=[multikey(3)])
    for name, host in ((did, "a"), (moved, "b")):
        found = find(f"{name}#key-1", {f"https://{host}.example/issuers/x/did.jsonl": log}, name)
        assert (found.vouched, found.controller) == (PASS, name)


# --- A document at hand ------------------------------------------------------------------------------------


def test_a_document_at_hand_stands_where_its_id_leads():
    _, url, log, _ = histories()
    assert place_of(json.dumps(DOCUMENT).encode()) == "https://a.example/.well-known/did.json"
    assert place_of(json.dumps(issuer_document(), indent=2).encode()) == ISSUER
    assert place_of(log) == url
    assert place_of(log.splitlines()[0]) == url


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"[]",
        b"\xff",
        b'{"id": 1}',
        b'{"id": "did:web:127.0.0.1"}',
        b'{"id": "http://a.example"}',
        b'{"id": "https://a.example#x"}',
        b'{"id": "did:key:z6Mk"}',
        b'{"versionId": "1-x"}',
        b'{"versionId": "1-x", "state": {"id": "did:web:a.example"}}',
    ],
)
def test_a_document_whose_id_leads_nowhere_is_one_sentence(data):
    with pytest.raises(BrokenInput, match=r"^file: ") as refused:
        place_of(data, where="file")
    assert "\n" not in str(refused.value)


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
        {"publicKeyMultibase": None, "publicKeyBase58": "B12NYF8RrR3h41TDCTJojY59usg3mbtbjnFs7Eud1Y6u"},
        {"publicKeyMultibase": None, "publicKeyJwk": {"kty": "RSA", "n": "AQAB", "e": "AQAB"}},
        {"publicKeyMultibase": None, "publicKeyJwk": {"kty": "OKP", "crv": "Ed25519", "x": "AA"}},
        {"publicKeyMultibase": None, "publicKeyJwk": {"kty": "OKP", "crv": "Ed25519"}},
        {"publicKeyMultibase": None, "publicKeyJwk": {"kty": "OKP", "crv": "Ed25519", "x": "!"}},
        {"publicKeyMultibase": None, "publicKeyJwk": {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}},
        {"publicKeyMultibase": multibase_encode(b"\xed\x01" + bytes(31))},
        {"publicKeyMultibase": None, "publicKeyJwk": "x"},
    ],
)
def test_a_key_in_a_form_that_is_not_known_is_none(form):
    found = listed(**form)
    assert (found.key, found.vouched) == (None, FAIL)
    assert "in a form that is not known here" in found.says


@pytest.mark.parametrize(
    ("form", "kind"),
    [
        ({"publicKeyMultibase": multibase_encode(b"\xe7\x01" + bytes(33))}, "secp256k1"),
        ({"publicKeyMultibase": multibase_encode(b"\xec\x01" + bytes(32))}, "X25519"),
        ({"publicKeyMultibase": multibase_encode(b"\x85\x24" + bytes(270))}, "RSA"),
        ({"publicKeyMultibase": multibase_encode(b"\x12\x00" + bytes(32))}, "the kind of key is not known here"),
        (
            {"publicKeyMultibase": None, "publicKeyJwk": {"kty": "EC", "crv": "secp256k1", "x": "AA", "y": "AA"}},
            "secp256k1",
        ),
        ({"publicKeyMultibase": None, "publicKeyJwk": {"kty": "OKP", "crv": "X25519", "x": "AA"}}, "X25519"),
        ({"publicKeyMultibase": None, "publicKeyJwk": {"kty": "EC", "crv": ["P-256"]}}, "EC"),
    ],
)
def test_a_key_of_a_kind_that_is_not_known_is_unknown_and_never_passes(form, kind):
    found = listed(**form)
    assert (found.key, found.vouched) == (None, UNKNOWN)
    assert kind in found.says


def test_every_reported_document_is_read_without_a_crash_and_vouches_for_what_it_lists():
    vouched = 0
    for did, reported in implementers():
        listed_here = reported.get("assertionMethod", [])
        for entry in listed_here if isinstance(listed_here, list) else [listed_here]:
            name = entry if isinstance(entry, str) else entry["id"]
            method = did + name if name.startswith("#") else name
            found = key_in_document(reported, method, purpose="assertionMethod", now=NOW)
            assert (found.vouched is PASS) is (found.key is not None), (did, found.says)
            vouched += found.vouched is PASS
    assert vouched >= 2


def test_what_one_verification_has_read_is_not_read_again():
    did, url, log, _ = histories()
    web, memory = Web({url: log, KEYS: JWK, ISSUER: issuer_document(KEYS)}), {}
    for _ in range(3):
        for method, issuer in ((f"{did}#key-2", did), (f"{did}#key-1", did), (KEYS, ISSUER), ("https://b.example", "")):
            find_key(method, purpose="assertionMethod", now=NOW, fetcher=web, issuer=issuer, memory=memory)
    assert web.asked == [url, KEYS, ISSUER, "https://b.example"]


def test_a_list_of_keys_without_end_is_not_read():
    found = find(ISSUER, {ISSUER: b'{"id": "' + b" " * 1_000_000 + b'"}'}, ISSUER)
    assert (found.key, found.vouched) == (None, UNKNOWN)
    assert "larger than 1,000,000 bytes" in found.says


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


_served = st.recursive(
    st.one_of(
        st.none(), st.integers(), st.sampled_from([ISSUER, KEYS, f"{KEYS}#a", "a", "sig", "OKP", "Ed25519", JWK["x"]])
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(
                [
                    "id",
                    "controller",
                    "publicKeyJwk",
                    "assertionMethod",
                    "keys",
                    "kty",
                    "crv",
                    "x",
                    "kid",
                    "use",
                    "revoked",
                ]
            ),
            inner,
            max_size=5,
        ),
    ),
    max_leaves=10,
)


@given(_served, _served)
@settings(deadline=None)
def test_whatever_is_served_is_a_value_and_binds_nobody_else(keys, issuer):
    for method in (KEYS, f"{KEYS}#a"):
        found = find(method, {KEYS: keys, ISSUER: issuer}, ISSUER)
        assert "\n" not in found.says
        if found.vouched is PASS and found.controller == ISSUER:
            assert json.dumps(issuer).count(KEYS) or json.dumps(issuer).count(JWK["x"])


@given(st.text(max_size=40))
@settings(deadline=None)
def test_whatever_is_named_as_a_key_is_a_value(text):
    for method in (
        text,
        f"did:web:{text}",
        f"did:key:{text}",
        f"https://a.example/{text}",
        f"{DID}#{text}",
        f"did:jwk:{text}",
        f"did:webvh:{text}",
    ):
        assert find(method).vouched is not PASS
