"""What is remembered of a shape never changes a report: quick and careful verification say the same."""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.credential.others import small

from guildmark.core.codecs import jcs, parse_json
from guildmark.core.doors import NoNetwork
from guildmark.core.errors import BrokenInput
from guildmark.core.report import Report, Verdict
from guildmark.credential import verify
from guildmark.credential.did import did_key
from guildmark.credential.jsonld import ContextSet, context_sets
from guildmark.credential.keys import SoftwareSigner
from guildmark.credential.known_shapes import shapes_under
from guildmark.credential.known_structure import known_structure
from guildmark.credential.proof import sign_document, sign_to_bytes
from guildmark.credential.shape import put
from guildmark.credential.structure import structure_finding

NOW = datetime(2026, 12, 1, tzinfo=UTC)
_PUBLIC = SoftwareSigner(bytes(32), "did:key:x").public_key
ISSUER = did_key(_PUBLIC)
SIGNER = SoftwareSigner(bytes(32), f"{ISSUER}#{ISSUER.removeprefix('did:key:')}")
HASH = "sha256$" + "0" * 64


def badge(**changes: Any) -> dict[str, Any]:
    document = small(issuer={"id": ISSUER, "type": ["Profile"], "name": "A"})
    document["credentialSubject"]["identifier"][0]["identityHash"] = HASH
    document["credentialSubject"]["result"][0]["value"] = "P"
    del document["credentialStatus"]
    return {**document, **changes}


def signed(document: dict[str, Any]) -> bytes:
    return jcs(sign_document(document, SIGNER, created=NOW))


def fresh() -> tuple[ContextSet, ...]:
    """The shipped contexts, without anything remembered of them."""
    return tuple(ContextSet(one.name, one.documents) for one in context_sets())


def report(data: bytes, sets: tuple[ContextSet, ...]) -> Report:
    return verify.verify_credential(data, now=NOW, fetcher=NoNetwork(), sets=sets)


@pytest.fixture(scope="module")
def warm() -> tuple[ContextSet, ...]:
    """Contexts under which this badge was met often: it is verified in the fast lane from then on."""
    sets = fresh()
    for n in range(80):
        assert report(signed(badge(id=f"urn:uuid:c{n}")), sets).verdict is Verdict.PASS
    return sets


def test_a_badge_of_a_known_shape_takes_the_fast_lane_and_says_the_same(warm, monkeypatch):
    data = signed(badge(id="urn:uuid:other"))
    expected = report(data, fresh())
    monkeypatch.setattr(verify, "look_at_signature", None)  # the careful way, which is not taken
    assert report(data, warm) == expected


PLACES: list[tuple[str | int, ...]] = [
    ("id",),
    ("name", "@value"),
    ("validFrom",),
    ("validUntil",),
    ("issuer", "name"),
    ("credentialSubject", "identifier", 0, "identityHash"),
    ("credentialSubject", "identifier", 0, "salt"),
    ("credentialSubject", "result", 0, "value"),
    ("credentialSubject", "creditsEarned"),
    ("proof", "created"),
    ("proof", "proofValue"),
    ("proof", "proofPurpose"),
    ("proof", "verificationMethod"),
    ("proof", "cryptosuite"),
]
VALUES = st.sampled_from(
    [
        *("", "x", "P", "D", "87", "urn:uuid:7", "https://a.example/1", HASH, "sha256$0", "\x00", "z" + "1" * 88),
        *("2026-12-02T00:00:00Z", "2020-01-01T00:00:00Z", "2026-01-01", "eddsa-jcs-2022", "authentication"),
        *(f"{ISSUER}#x", 5, 2.5, None, [], {}),
    ]
)


@settings(max_examples=400, deadline=None)
@given(place=st.sampled_from(PLACES), value=VALUES, again=st.booleans())
def test_whatever_is_changed_the_report_is_that_of_a_stranger(warm, place, value, again):
    document = parse_json(signed(badge()))
    put(document, place, value)
    if again:  # signed after the change, where that is possible
        bare = {key: item for key, item in document.items() if key != "proof"}
        try:
            document = sign_document(bare, SIGNER, created=NOW)
        except BrokenInput:
            return
    data = jcs(document)
    assert report(data, warm) == report(data, fresh())


@settings(max_examples=200, deadline=None)
@given(place=st.sampled_from(PLACES[:9]), value=VALUES)
def test_what_is_known_of_its_structure_is_what_the_rules_say(warm, place, value):
    document = parse_json(signed(badge()))
    put(document, place, value)
    bare = copy.deepcopy({key: item for key, item in document.items() if key != "proof"})
    fit = shapes_under(warm[0]).fit(bare)
    assert known_structure(document, fit) == structure_finding(document)


@settings(max_examples=200, deadline=None)
@given(place=st.sampled_from(PLACES[:9]), value=VALUES)
def test_signing_to_bytes_gives_what_signing_gives_or_its_error(warm, place, value):
    contexts = warm[0]
    document = badge()
    put(document, place, value)
    try:
        expected: bytes | str = jcs(sign_document(document, SIGNER, created=NOW))
    except BrokenInput as problem:
        expected = str(problem)
    try:
        found: bytes | str = sign_to_bytes(document, SIGNER, created=NOW, contexts=contexts)
    except BrokenInput as problem:
        found = str(problem)
    assert found == expected
