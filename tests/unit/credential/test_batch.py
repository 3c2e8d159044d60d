"""A batch gives, row by row, the bytes of signing one by one."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.credential.others import small

from guildmark.core.codecs import jcs
from guildmark.core.errors import BrokenInput
from guildmark.credential.batch import Batch
from guildmark.credential.keys import SoftwareSigner
from guildmark.credential.proof import sign_document
from guildmark.credential.shape import put

NOW = datetime(2026, 12, 1, tzinfo=UTC)
SIGNER = SoftwareSigner(bytes(32), "did:web:a.example#key-1")
PATHS: list[tuple[str | int, ...]] = [
    ("id",),
    ("validFrom",),
    ("credentialStatus", "statusListIndex"),
    ("credentialSubject", "identifier", 0, "identityHash"),
    ("credentialSubject", "result", 0, "value"),
    ("credentialSubject", "creditsEarned"),
    ("credentialSubject", "achievement", "tag", 0),
]
BATCHES = {
    suite: Batch(small(), PATHS, SIGNER, created=NOW, cryptosuite=suite)
    for suite in ("eddsa-rdfc-2022", "eddsa-jcs-2022")
}


def one_by_one(values: list[Any], suite: str) -> bytes:
    document = small()
    for path, value in zip(PATHS, values, strict=True):
        put(document, path, value)
    return jcs(sign_document(document, SIGNER, created=NOW, cryptosuite=suite))


ADDRESSES = st.sampled_from(["urn:uuid:1", "urn:uuid:2", "did:web:a.example", "https://a.example/1"])
TEXTS = st.text(max_size=12) | st.sampled_from(["privacy", "law", 'a"b\\c', "\U0001f510\n"])
NUMBERS = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-10, 2**54) | st.sampled_from([2.5, 3.0])


@pytest.mark.parametrize("suite", BATCHES)
@settings(max_examples=250, deadline=None)
@given(st.tuples(ADDRESSES, TEXTS, TEXTS, TEXTS, TEXTS, NUMBERS, TEXTS))
def test_every_row_gives_what_signing_it_alone_gives_or_its_error(suite, values):
    try:
        expected: bytes | str = one_by_one(list(values), suite)
    except BrokenInput as problem:
        expected = str(problem)
    try:
        found: bytes | str = BATCHES[suite].sign(values)
    except BrokenInput as problem:
        found = str(problem)
    assert found == expected


ROW = ["urn:uuid:9", "2026-03-01T00:00:00Z", "99", "sha256$ff", "64", 1.25, "civil law"]


@pytest.mark.parametrize("suite", BATCHES)
def test_an_ordinary_row_is_signed_without_the_slow_way(suite, monkeypatch):
    monkeypatch.setattr(BATCHES[suite], "_sign_slowly", None)
    assert BATCHES[suite].sign(ROW) == one_by_one(ROW, suite)


def test_what_cannot_change_is_named_at_once():
    with pytest.raises(BrokenInput, match=r"issuer\.type\.0"):
        Batch(small(), [("issuer", "type", 0)], SIGNER, created=NOW)
    with pytest.raises(BrokenInput, match="not a term"):
        Batch(small(extra="x"), PATHS, SIGNER, created=NOW)
