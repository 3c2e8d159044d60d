"""A verification that is handed a receipt says whether the document is in a log that is trusted."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from tests.paths import PROJECT

from guildmark.adapters.documents import DirectoryFetcher
from guildmark.core.report import Report, Verdict
from guildmark.credential.verify import verify_credential
from guildmark.ledger.note import VerifierKey

SAMPLE = PROJECT / "docs" / "sample"
RECEIPT = (SAMPLE / "receipt.txt").read_bytes()
KEY = VerifierKey.parse((SAMPLE / "web" / "log" / "vkey").read_text().strip())


def found(name: str = "credential.json", **options: Any) -> Report:
    body = options.pop("body", None) or (SAMPLE / name).read_bytes()
    options = {"receipt": RECEIPT, "log_keys": [KEY], **options}
    return verify_credential(
        body, now=datetime(2026, 12, 1, tzinfo=UTC), fetcher=DirectoryFetcher(SAMPLE / "web"), **options
    )


def test_the_document_is_an_entry_of_the_log() -> None:
    report = found()
    assert report["ledger.inclusion"].verdict is Verdict.PASS
    assert report.verdict is Verdict.PASS
    assert not any(f.id.startswith("ledger.") for f in found(receipt=None).findings)


def test_the_receipt_of_another_document_fails() -> None:
    report = found("revoked.json")
    assert {f.id for f in report.failed()} == {"status.revocation", "ledger.inclusion"}


def test_a_log_that_nobody_trusts_says_nothing() -> None:
    for keys in ((), [VerifierKey.of("other.example/log", bytes(32))]):
        report = found(log_keys=keys)
        assert report["ledger.checkpoint"].verdict is Verdict.UNKNOWN
        assert report.verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(
    "receipt", [b"", b"\xff", b"no receipt", RECEIPT[:-40], RECEIPT.replace(b"index ", b"index 1")]
)
def test_a_receipt_that_was_damaged_never_passes(receipt: bytes) -> None:
    report = found(receipt=receipt)
    assert report.verdict is not Verdict.PASS
    assert [f.id for f in report.findings if f.id.startswith("ledger.")] != []


def test_whether_a_token_is_in_the_log_cannot_be_told() -> None:
    from tests.unit.credential.token_cast import award, signer

    from guildmark.credential.jose import sign_vc_jwt

    report = found(body=sign_vc_jwt(award(), signer()).encode())
    assert report["ledger.inclusion"].verdict is Verdict.UNKNOWN
