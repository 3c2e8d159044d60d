"""A receipt shows offline that a credential is in a log, and says plainly how little a log alone shows."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.ledger.cast import ORIGIN, Key, MemoryStore
from tests.unit.ledger.test_entries import ADA, DID, NONCE

from guildmark.core.errors import BrokenInput
from guildmark.core.report import Verdict
from guildmark.ledger.entries import credential_leaf, organisation_leaf
from guildmark.ledger.log import Log
from guildmark.ledger.note import VerifierKey
from guildmark.ledger.receipt import Receipt, ledger_findings, read_receipt, verify_receipt

VKEY = VerifierKey.of(ORIGIN, Key().public_key)
LEAF = credential_leaf(ADA, NONCE)


@pytest.fixture(scope="module")
def receipt():
    store = MemoryStore()
    log = Log(store, Key(), ORIGIN)
    for number in range(5):
        store.append(credential_leaf(ADA | {"number": number}, NONCE))
    log.publish()
    key = store.append(LEAF)
    store.append(organisation_leaf("key", {"issuer": DID}))
    return log.receipt(log.publish().indexes[key], NONCE)


def _verdicts(report):
    return {finding.id: finding.verdict.value for finding in report.findings}


def test_the_text_is_a_tlog_proof(receipt):
    lines = receipt.to_text().split("\n")
    assert lines[0] == "c2sp.org/tlog-proof@v1"
    assert lines[1] == f"extra {base64.b64encode(NONCE).decode()}"
    assert lines[2] == "index 6"
    assert [len(base64.b64decode(line)) for line in lines[3:5]] == [32, 32]
    assert lines[5:8] == ["", ORIGIN, "7"]
    assert receipt.to_text().endswith("\n")
    assert read_receipt(receipt.to_text()) == receipt
    assert read_receipt(receipt.to_text().encode()) == receipt


def test_without_extra_data_there_is_no_extra_line(receipt):
    plain = Receipt(receipt.index, receipt.proof, receipt.checkpoint)
    assert plain.to_text().split("\n")[1] == "index 6"
    assert read_receipt(plain.to_text()) == plain


def test_a_good_receipt_passes_and_says_level_s_without_a_green_tick(receipt):
    report = ledger_findings(ADA, receipt.to_text(), vkey=VKEY)
    assert report.verdict is Verdict.PASS
    assert _verdicts(report) == {
        "ledger.receipt": "pass",
        "ledger.checkpoint": "pass",
        "ledger.inclusion": "pass",
        "ledger.level": "unknown",
    }
    level = report["ledger.level"]
    assert level.required is False
    assert level.because["level"] == "S"
    assert "self-logged only" in level.says
    assert verify_receipt(receipt, vkey=str(VKEY), leaf=LEAF) == report
    assert verify_receipt(receipt.to_text(), vkey=[str(VKEY)], leaf=LEAF).verdict is Verdict.PASS


def test_another_credential_nonce_or_index_does_not_belong_to_the_receipt(receipt):
    changed = ADA | {"credentialSubject": {"name": "Mallory"}}
    for credential, other in (
        (changed, receipt),
        (ADA, Receipt(receipt.index, receipt.proof, receipt.checkpoint, bytes(32))),
        (ADA, Receipt(5, receipt.proof, receipt.checkpoint, NONCE)),
        (ADA, Receipt(7, receipt.proof, receipt.checkpoint, NONCE)),
        (ADA, Receipt(receipt.index, receipt.proof[:-1], receipt.checkpoint, NONCE)),
        (ADA, Receipt(receipt.index, (*receipt.proof, bytes(32)), receipt.checkpoint, NONCE)),
    ):
        report = ledger_findings(credential, other.to_text(), vkey=VKEY)
        assert report["ledger.inclusion"].verdict is Verdict.FAIL
        assert report.verdict is Verdict.FAIL


def test_a_changed_checkpoint_fails_and_the_path_no_longer_counts(receipt):
    larger = receipt.to_text().replace(f"{ORIGIN}\n7\n", f"{ORIGIN}\n8\n")
    report = ledger_findings(ADA, larger, vkey=VKEY)
    assert report["ledger.checkpoint"].verdict is Verdict.FAIL
    assert report["ledger.inclusion"].verdict is not Verdict.PASS


def test_a_log_that_mallory_made_under_the_same_name_fails(receipt):
    store = MemoryStore()
    key = store.append(LEAF)
    log = Log(store, Key(b"M" * 32), ORIGIN)
    forged = log.receipt(log.publish().indexes[key], NONCE)
    report = ledger_findings(ADA, forged.to_text(), vkey=VKEY)
    assert report["ledger.checkpoint"].verdict is Verdict.FAIL
    assert report["ledger.inclusion"].verdict is Verdict.UNKNOWN


def test_a_log_that_nobody_trusts_is_unknown_never_pass(receipt):
    elsewhere = VerifierKey.of("else.example/log", Key(b"E" * 32).public_key)
    report = ledger_findings(ADA, receipt.to_text(), vkey=elsewhere)
    assert _verdicts(report)["ledger.checkpoint"] == _verdicts(report)["ledger.inclusion"] == "unknown"
    assert report.verdict is Verdict.UNKNOWN
    assert ledger_findings(ADA, receipt.to_text(), vkey=[]).verdict is Verdict.UNKNOWN


def test_no_receipt_says_nothing():
    report = ledger_findings(ADA, None, vkey=VKEY)
    assert _verdicts(report) == {"ledger.receipt": "not applicable"}


def test_a_receipt_that_cannot_be_read_or_has_no_nonce_fails(receipt):
    assert ledger_findings(ADA, "hello", vkey=VKEY)["ledger.receipt"].verdict is Verdict.FAIL
    plain = Receipt(receipt.index, receipt.proof, receipt.checkpoint)
    assert "no nonce" in ledger_findings(ADA, plain.to_text(), vkey=VKEY)["ledger.receipt"].says


def test_a_document_without_its_issuers_proof_has_no_entry(receipt):
    unsigned = {k: v for k, v in ADA.items() if k != "proof"}
    report = ledger_findings(unsigned, receipt.to_text(), vkey=VKEY)
    assert report["ledger.inclusion"].verdict is Verdict.FAIL
    assert "cannot be built" in report["ledger.inclusion"].says


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda t: t.replace("proof@v1", "proof@v2"), "line 1 is not"),
        (lambda t: t.replace("index 6", "index 06"), "line 3 does not say index"),
        (lambda t: t.replace("index 6", "index six"), "line 3 does not say index"),
        (lambda t: t.replace("index 6\n", ""), "does not say index"),
        (lambda t: t.replace("extra ", "extra !"), "line 2 is not base64"),
        (lambda t: t.replace("index 6\n", "index 6\nAAAA\n"), "line 4 is no hash"),
        (lambda t: t.replace("index 6\n", "index 6\n\n"), "checkpoint"),
        (lambda t: t.replace("\n\n", "\n"), "no empty line"),
        (lambda t: t.replace("\n", "\r\n"), "carriage returns"),
        (lambda t: t[:-20], "checkpoint"),
        (lambda t: t * 1000, "more than"),
    ],
)
def test_what_is_no_receipt_is_refused_in_a_sentence(receipt, change, says):
    with pytest.raises(BrokenInput, match=says):
        read_receipt(change(receipt.to_text()))


@given(st.data())
def test_no_single_changed_character_passes(receipt, data):
    text = receipt.to_text()
    position = data.draw(st.integers(0, len(text) - 1))
    letter = data.draw(st.characters(codec="utf-8").filter(lambda c: c != text[position]))
    changed = text[:position] + letter + text[position + 1 :]
    assert ledger_findings(ADA, changed, vkey=VKEY).verdict is not Verdict.PASS
