"""What lies behind a digest is what was signed, or the report says so: evidence, and what a document holds itself."""

from __future__ import annotations

import base64
import hashlib
import time
from typing import Any

import pytest
from tests.unit.credential.award_cast import BASE, award, signed, signed_award, verified, web

from guildmark.core.codecs import multibase_encode
from guildmark.core.errors import BrokenInput
from guildmark.core.report import Report, Verdict
from guildmark.credential.integrity import inside_data_url
from guildmark.credential.verify import MOST_EVIDENCE

PLACE = f"{BASE}/work/1.pdf"
WORK = b"%PDF-1.7 late orders in one warehouse"


def sri(body: bytes) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(body).digest()).decode()


def multihash(body: bytes) -> str:
    return multibase_encode(b"\x12\x20" + hashlib.sha256(body).digest(), "u")


def found(*evidence: dict[str, Any], documents: dict[str, bytes] | None = None) -> Report:
    document = {**award(), "evidence": [{"type": ["Evidence"], **entry} for entry in evidence]}
    place = web()
    place.documents.update(documents or {})
    return verified(signed(document), place)


@pytest.mark.parametrize("digest", [{"digestSRI": sri(WORK)}, {"digestMultibase": multihash(WORK)}])
def test_evidence_that_lies_elsewhere_is_what_was_signed(digest: dict[str, str]) -> None:
    report = found({"id": PLACE, **digest}, documents={PLACE: WORK})
    assert report["evidence.1"].verdict is Verdict.PASS
    assert report["document.lossless"].verdict is Verdict.PASS, "the digest is signed too"
    assert report.verdict is Verdict.PASS


@pytest.mark.parametrize("digest", [{"digestSRI": sri(WORK)}, {"digestMultibase": multihash(WORK)}])
def test_evidence_that_was_changed_since_fails(digest: dict[str, str]) -> None:
    report = found({"id": PLACE, **digest}, documents={PLACE: WORK + b"!"})
    assert [finding.id for finding in report.failed()] == ["evidence.1"]
    assert "was changed after this was signed" in report["evidence.1"].says


def test_a_digest_that_was_changed_breaks_the_signature() -> None:
    document = signed({**award(), "evidence": [{"type": ["Evidence"], "id": PLACE, "digestSRI": sri(WORK)}]})
    document["evidence"][0]["digestSRI"] = sri(b"other work")
    place = web()
    place.documents[PLACE] = b"other work"
    assert "proof.signature" in [finding.id for finding in verified(document, place).failed()]


@pytest.mark.parametrize(
    "entry",
    [
        {"id": PLACE, "digestSRI": sri(WORK)},
        {"digestSRI": sri(WORK)},
        {"id": PLACE, "digestSRI": "sha1-AAAA"},
        {"id": PLACE, "digestMultibase": "zzz"},
        {"id": "data:no-comma", "digestSRI": sri(WORK)},
        {"id": "data:text/plain;base64,!", "digestSRI": sri(WORK)},
    ],
)
def test_evidence_that_cannot_be_looked_at_is_unknown_and_the_credential_stands(entry: dict[str, Any]) -> None:
    report = found(entry)
    assert report["evidence.1"].verdict is Verdict.UNKNOWN
    assert not report["evidence.1"].required


@pytest.mark.parametrize(
    "url", ["data:text/plain,late%20orders", "data:text/plain;base64,bGF0ZSBvcmRlcnM=", "DATA:,late orders"]
)
def test_evidence_that_the_document_holds_itself_is_compared_without_asking_anybody(url: str) -> None:
    body = b"late orders"
    entry = {"id": url, "digestSRI": sri(body)}
    assert found(entry)["evidence.1"].verdict is Verdict.PASS if url.startswith("data:") else True
    assert inside_data_url(url) == body
    other = found({"id": "data:,early%20orders", "digestSRI": sri(body)})
    assert other["evidence.1"].verdict is Verdict.FAIL


def test_evidence_without_a_digest_says_nothing_that_could_be_wrong() -> None:
    report = found({"id": PLACE}, {"name": "Project"}, {"id": PLACE, "digestSRI": sri(WORK)}, documents={PLACE: WORK})
    assert [f.id for f in report.findings if f.id.startswith("evidence.")] == ["evidence.3"]


def test_no_more_than_a_few_pieces_of_evidence_are_fetched() -> None:
    entries = [{"id": f"{PLACE}?{n}", "digestSRI": sri(WORK)} for n in range(40)]
    report = found(*entries)
    assert report["evidence.more"].verdict is Verdict.UNKNOWN
    assert f"evidence.{MOST_EVIDENCE}" in report
    assert f"evidence.{MOST_EVIDENCE + 1}" not in report


def test_a_shape_with_digests_is_never_taken_from_memory() -> None:
    place = web()
    document = signed({**award(), "evidence": [{"type": ["Evidence"], "id": PLACE, "digestSRI": sri(WORK)}]})
    for body, verdict in ((WORK, Verdict.PASS), (b"changed", Verdict.FAIL), (WORK, Verdict.PASS)):
        place.documents[PLACE] = body
        assert verified(document, place)["evidence.1"].verdict is verdict
    assert "evidence.1" not in verified(signed_award())


def test_a_data_url_of_escapes_alone_is_refused_at_once() -> None:
    start = time.process_time()
    with pytest.raises(BrokenInput, match="escapes"):
        inside_data_url("data:," + "%41" * 1_500_000)
    assert time.process_time() - start < 0.05
