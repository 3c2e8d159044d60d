"""What has left the building verifies for ever: the sample of the README, its receipt, and a revoked one.

The files in docs/sample were made by the demo on 24 November 2026 and are never made anew: a format that changes has to
go on reading them.
"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from guildmark.adapters.documents import DirectoryFetcher
from guildmark.core.report import Verdict
from guildmark.credential.verify import verify_credential
from guildmark.ledger.note import VerifierKey
from guildmark.ledger.receipt import ledger_findings
from tests.paths import PROJECT

SAMPLE = PROJECT / "docs" / "sample"
NOW = datetime(2026, 12, 1, tzinfo=UTC)


def _verify(name, now=NOW):
    fetcher = DirectoryFetcher(str(SAMPLE / "web"))
    return verify_credential((SAMPLE / name).read_bytes(), now=now, fetcher=fetcher)


def test_the_sample_holds():
    report = _verify("credential.json")
    assert report.verdict is Verdict.PASS
    assert {f.verdict for f in report.findings} == {Verdict.PASS, Verdict.NOT_APPLICABLE}


def test_the_sample_expires_when_it_says():
    report = _verify("credential.json", datetime(2030, 1, 1, tzinfo=UTC))
    assert report.failed()[0].id == "validity.dates"


def test_the_revoked_sample_names_its_reason():
    (finding,) = _verify("revoked.json").failed()
    assert finding.id == "status.revocation"
    assert "issued in error" in finding.says


@pytest.mark.parametrize("name", ["credential.json", "revoked.json"])
def test_a_changed_copy_does_not_hold(name):
    document = (SAMPLE / name).read_bytes().replace(b"Harbour University", b"Harbour Academy")
    report = verify_credential(document, now=NOW, fetcher=DirectoryFetcher(str(SAMPLE / "web")))
    assert "proof.signature" in [f.id for f in report.failed()]


def test_the_receipt_of_the_sample_leads_to_its_checkpoint():
    key = VerifierKey.parse((SAMPLE / "web" / "log" / "vkey").read_text().strip())
    receipt = (SAMPLE / "receipt.txt").read_bytes()
    assert ledger_findings((SAMPLE / "credential.json").read_bytes(), receipt, vkey=[key]).verdict is Verdict.PASS
    assert ledger_findings((SAMPLE / "revoked.json").read_bytes(), receipt, vkey=[key]).verdict is Verdict.FAIL
