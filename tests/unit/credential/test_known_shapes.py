"""What is remembered of documents: learned from what was met, never wrong, bounded, and not to be flushed."""

from __future__ import annotations

import hashlib
from typing import Any

from tests.unit.credential.others import small

from guildmark.credential.jsonld import context_sets, to_dataset
from guildmark.credential.known_shapes import ENOUGH_TO_NARROW, KnownShapes
from guildmark.credential.rdfc import canonicalize

CONTEXTS = context_sets()[0]


def memory(**settings: int) -> KnownShapes:
    return KnownShapes(CONTEXTS, **{"often": 2, **settings})


def numbered(n: int, **changes: Any) -> dict[str, Any]:
    return small(id=f"urn:uuid:c0000000-0000-4000-8000-{n:012}", **changes)


def generic(document: dict[str, Any]) -> bytes:
    return hashlib.sha256(canonicalize(to_dataset(document, CONTEXTS).quads).encode()).digest()


def test_a_structure_is_compiled_when_it_was_met_often_enough():
    known = memory(often=3)
    for n in range(3):
        assert known.fit(numbered(n)) is None
        known.met(numbered(n))
    found = known.fit(numbered(7))
    assert found is not None
    assert found.sha256 == generic(numbered(7))


def test_after_many_documents_what_never_changed_is_a_constant():
    known = memory()
    known.learn(numbered(0))
    for n in range(ENOUGH_TO_NARROW + 5):
        found = known.fit(numbered(n))
        assert found is not None
        assert found.sha256 == generic(numbered(n))
    assert found.known.shape.paths == (("id",),)
    # One that differs elsewhere fits the wider shape still.
    other = numbered(1, validFrom="2026-02-02T00:00:00Z")
    wider = known.fit(other)
    assert wider is not None
    assert len(wider.known.shape.paths) > 1
    assert wider.sha256 == generic(other)


def test_what_was_used_much_stays_when_somebody_sends_many_structures():
    known = memory(most=8)
    known.learn(numbered(0))
    for n in range(40):
        assert known.fit(numbered(n)) is not None
    for n in range(30):
        strange = numbered(n, issuer={"id": f"did:web:{n}.example", "type": ["Profile"]})
        known.met(strange)
        known.met(strange)
    assert known.fit(numbered(99)) is not None
    assert sum(len(place) for place in known._places.values()) <= 8


def test_a_document_that_has_no_shape_is_tried_once():
    known = memory(often=1)
    lossy = numbered(1, notATerm="x")
    known.met(lossy)
    known.met(lossy)
    assert known.fit(lossy) is None


def test_what_is_no_document_fits_nothing():
    known = memory()
    known.learn(numbered(0))
    for junk in (
        {},
        {"issuer": [], "credentialSubject": 3},
        {"issuer": {"id": ["x"]}},
        {"credentialSubject": {"achievement": {"id": {}}}},
    ):
        assert known.fit(junk) is None
