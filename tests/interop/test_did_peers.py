"""Identifiers that we publish, read by openvc-core, which is not ours; and changed copies, which it must refuse."""

from __future__ import annotations

import base64

import pytest

from guildmark.core.codecs import jcs, parse_json
from guildmark.credential.did import did_document, did_jwk, did_key, did_web_url
from guildmark.credential.keys import PublicKey, SoftwareSigner, jwk_of
from guildmark.credential.webvh import parallel_did_web
from tests.interop.peers import absent
from tests.unit.credential.test_webvh import day, deactivate, document, multikey, rotate, signer, started, update

try:
    from openvc.did.base import DidResolutionError
    from openvc.did.did_jwk import DidJwkResolver
    from openvc.did.did_key import DidKeyResolver
    from openvc.did.did_web import DidWebResolver
    from openvc.did.did_webvh import DidWebvhResolver
except ImportError:
    DidResolutionError = None

KEYS = [SoftwareSigner(bytes(range(1, 33)), "did:web:a.example#key-1", kind) for kind in ("Ed25519", "P-256")]
KEYS.append(SoftwareSigner(bytes(range(1, 49)), "did:web:a.example#key-1", "P-384"))


@pytest.fixture(autouse=True)
def peer():
    if DidResolutionError is None:
        absent("openvc-core is not installed")


def jwks(found):
    """The public keys of a document as the peer tells them, without what only names them."""
    told = [method.public_key_jwk for method in found.verification_methods]
    return [{name: jwk[name] for name in jwk if name in ("kty", "crv", "x", "y")} for jwk in told]


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.algorithm)
def test_the_peer_reads_our_did_jwk_and_did_key(key):
    assert jwks(DidJwkResolver().resolve(did_jwk(key))) == [jwk_of(key)]
    assert jwks(DidKeyResolver().resolve(did_key(key.public_key, key.algorithm))) == [jwk_of(key)]


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.algorithm)
def test_the_peer_reads_our_did_web_as_a_json_web_key(key):
    did = "did:web:a.example"
    served = {did_web_url(did): did_document(did, [], jwk=[key])}
    assert jwks(DidWebResolver(served.__getitem__).resolve(did)) == [jwk_of(key)]
    served = {did_web_url(did): {**did_document(did, [], jwk=[key]), "id": "did:web:b.example"}}
    with pytest.raises(DidResolutionError):
        DidWebResolver(served.__getitem__).resolve(did)


def replayed(did, log: bytes):
    return DidWebvhResolver(lambda url: log.decode()).resolve(did)


def test_the_peer_replays_our_did_webvh_to_the_same_keys():
    did, log = started()
    log += rotate(log, signer(2), now=day(1), next_keys=[multikey(3)])
    log += update(log, signer(3), now=day(2), document=document(did, 51), next_keys=[multikey(4)])
    found = replayed(did, log)
    assert found.id == did
    assert jwks(found) == [jwk_of(PublicKey("a:b", "Ed25519", signer(51).public_key))]


def test_the_peer_refuses_changed_copies_and_what_was_given_up():
    did, log = started()
    log += rotate(log, signer(2), now=day(1), next_keys=[multikey(3)])
    rows = log.splitlines()
    entry = parse_json(rows[1])
    changed = jcs({**entry, "state": document(did, 99)})
    unsigned = jcs({**entry, "proof": []})
    other = entry["proof"][0]["proofValue"]
    forged = rows[1].replace(other.encode(), (other[:-1] + ("2" if other[-1] == "1" else "1")).encode())
    for bad in (rows[0] + b"\n" + line for line in (changed, unsigned, forged, rows[0])):
        with pytest.raises(DidResolutionError):
            replayed(did, bad)
    with pytest.raises(DidResolutionError):
        replayed(did, log + deactivate(log, signer(3), now=day(2)))


def test_the_peer_reads_the_did_web_beside_it():
    did, log = started()
    beside = parallel_did_web(parse_json(log)["state"])
    found = DidWebResolver(lambda url: beside).resolve(beside["id"])
    assert found.id == "did:web:a.example:issuers:x"
    assert did in beside["alsoKnownAs"]
    assert base64.urlsafe_b64decode(jwks(found)[0]["x"] + "=") == signer(50).public_key
