"""A learner's leaf tells nothing about the learner; an organisation's tells all, in order."""

from __future__ import annotations

import base64
import json
from hashlib import sha256

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from guildmark.core.errors import BrokenInput
from guildmark.core.report import Verdict
from guildmark.ledger.entries import (
    ORGANISATION_KINDS,
    credential_leaf,
    history_findings,
    learner_leaf,
    organisation_leaf,
    read_leaf,
)
from guildmark.ledger.merkle import leaf_hash

DID = "did:web:demo.guildmark.example:issuers:harbour-university"
KEY = f"{DID}#key-1"
PROOF = {"type": "DataIntegrityProof", "verificationMethod": KEY, "proofValue": "z3FX"}
ADA = {
    "id": "urn:uuid:6f8b1c9e-0000-4000-8000-000000000001",
    "issuer": {"id": DID},
    "credentialSubject": {"name": "Ada Byron", "result": 87.5},
    "proof": PROOF,
}
NONCE = bytes(range(32))


def test_the_leaf_is_five_lines_whose_last_is_the_commitment():
    commit = sha256(b"guildmark-commit/v1" + NONCE + sha256(rfc8785.dumps(ADA)).digest()).digest()
    leaf = learner_leaf(DID, KEY, ADA, NONCE)
    assert leaf.decode() == f"guildmark-log/v1\nissue\n{DID}\n{KEY}\n{base64.b64encode(commit).decode()}\n"
    read = read_leaf(leaf)
    assert (read.kind, read.issuer, read.key_id, read.commit) == ("issue", DID, KEY, commit)


def test_bytes_in_any_layout_and_the_value_give_one_leaf():
    pretty = json.dumps(ADA, indent=4, sort_keys=True).encode()
    assert learner_leaf(DID, KEY, pretty, NONCE) == learner_leaf(DID, KEY, ADA, NONCE)
    assert credential_leaf(b"\xef\xbb\xbf" + pretty, NONCE) == learner_leaf(DID, KEY, ADA, NONCE)
    assert credential_leaf(pretty, NONCE) == credential_leaf(ADA, NONCE) == learner_leaf(DID, KEY, ADA, NONCE)


def test_a_proof_that_somebody_else_adds_later_leaves_the_leaf_as_it_was():
    anchor = {
        "type": "DataIntegrityProof",
        "verificationMethod": "did:web:else.example#k",
        "proofValue": "z9",
    }
    anchored = ADA | {"proof": [anchor, PROOF]}
    assert credential_leaf(anchored, NONCE) == credential_leaf(ADA, NONCE)


def test_every_value_counts():
    leaf = credential_leaf(ADA, NONCE)
    for change in (
        {"credentialSubject": {"name": "Ada Byron", "result": 87.6}},
        {"proof": PROOF | {"proofValue": "z3FY"}},
        {"extra": None},
    ):
        assert credential_leaf(ADA | change, NONCE) != leaf
    assert credential_leaf(ADA, NONCE[:-1] + b"x") != leaf


def test_nothing_of_the_learner_is_in_the_leaf_and_guessing_needs_the_nonce():
    leaf = credential_leaf(ADA, NONCE)
    for canary in (b"Ada", b"Byron", b"87.5", b"6f8b1c9e", sha256(rfc8785.dumps(ADA)).hexdigest().encode()):
        assert canary not in leaf
    assert base64.b64encode(sha256(rfc8785.dumps(ADA)).digest()) not in leaf
    assert credential_leaf(ADA, bytes(32)) != leaf


def test_a_compact_jws_is_committed_to_as_its_bytes():
    jws = b"eyJhbGciOiJFZERTQSJ9.eyJpc3MiOiJ4In0.c2ln"
    commit = sha256(b"guildmark-commit/v1" + NONCE + sha256(jws).digest()).digest()
    assert read_leaf(learner_leaf(DID, KEY, jws, NONCE)).commit == commit


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((DID, KEY, ADA, b"short"), "nonce has 5 bytes"),
        (("harbour", KEY, ADA, NONCE), "is not a DID"),
        ((DID + "\nissue", KEY, ADA, NONCE), "is not a DID"),
        ((DID, KEY + "\nx", ADA, NONCE), "is not a key id"),
        ((DID, KEY, ADA | {"proof": []}, NONCE), "no proofs by"),
        ((DID, KEY, ADA | {"proof": [PROOF, PROOF]}, NONCE), "2 proofs by"),
        ((DID, KEY, {k: v for k, v in ADA.items() if k != "proof"}, NONCE), "no proofs by"),
        ((DID, KEY, ADA | {"n": 2**60}, NONCE), "no canonical JSON"),
        ((DID, KEY, b'{"a": 1', NONCE), "not JSON"),
    ],
)
def test_a_leaf_is_refused_in_a_sentence(arguments, says):
    with pytest.raises(BrokenInput, match=says):
        learner_leaf(*arguments)


def test_the_issuer_is_read_from_the_credential_whether_it_is_text_or_object():
    as_text = ADA | {"issuer": DID}
    assert read_leaf(credential_leaf(as_text, NONCE)).issuer == DID
    for broken in ({"issuer": 3}, {"issuer": {}}, {"issuer": None}):
        with pytest.raises(BrokenInput, match="issuer is missing"):
            credential_leaf(ADA | broken, NONCE)
    with pytest.raises(BrokenInput, match="not a JSON object"):
        credential_leaf(b"[1]", NONCE)


def test_an_organisations_statement_is_readable_and_follows_its_last_one():
    first = organisation_leaf("key", {"issuer": DID, "key": KEY, "event": "add"})
    second = organisation_leaf("statuslist", {"issuer": DID, "url": "https://x.example/1"}, previous=first)
    assert first.startswith(b"guildmark-log/v1\nkey\n{")
    assert read_leaf(first).statement == {"issuer": DID, "key": KEY, "event": "add", "seq": 0, "prev": ""}
    statement = read_leaf(second).statement
    assert statement is not None
    assert (statement["seq"], statement["prev"]) == (1, leaf_hash(first).hex())


def test_a_statement_left_out_or_changed_shows():
    leaves: list[bytes] = []
    for number in range(4):
        statement = {"issuer": DID, "number": number}
        leaves.append(organisation_leaf("policy", statement, previous=leaves[-1] if leaves else None))
    learner = credential_leaf(ADA, NONCE)
    other = organisation_leaf("policy", {"issuer": "did:web:else.example"})
    assert history_findings(DID, [leaves[0], learner, other, *leaves[1:]]).verdict is Verdict.PASS
    report = history_findings(DID, [leaves[0], leaves[2], leaves[3]])
    assert report.verdict is Verdict.FAIL
    assert "Statement 1 is missing or changed" in report["ledger.history"].says
    forged = organisation_leaf("policy", {"issuer": DID, "number": 99}, previous=leaves[0])
    assert history_findings(DID, [leaves[0], forged, *leaves[2:]]).verdict is Verdict.FAIL
    assert history_findings(DID, [learner]).verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("kind", "statement", "says"),
    [
        ("revoke", {"issuer": DID}, "is not known"),
        ("issue", {"issuer": DID}, "is not known"),
        ("key", {}, "issuer is missing"),
        ("key", {"issuer": "harbour"}, "issuer is missing"),
        ("key", {"issuer": DID, "seq": 7}, "seq is set by the log"),
        ("key", {"issuer": DID, "text": "x" * 70_000}, "too long"),
        ("key", {"issuer": DID, "share": float("nan")}, "no canonical JSON"),
    ],
)
def test_a_statement_is_refused_in_a_sentence(kind, statement, says):
    with pytest.raises(BrokenInput, match=says):
        organisation_leaf(kind, statement)


def test_one_issuer_does_not_continue_anothers_history():
    theirs = organisation_leaf("key", {"issuer": "did:web:else.example"})
    with pytest.raises(BrokenInput, match="previous leaf is not a statement by"):
        organisation_leaf("key", {"issuer": DID}, previous=theirs)
    with pytest.raises(BrokenInput, match="previous leaf is not a statement by"):
        organisation_leaf("key", {"issuer": DID}, previous=credential_leaf(ADA, NONCE))


@given(
    st.binary(max_size=200)
    | st.sampled_from(["issue", *ORGANISATION_KINDS]).flatmap(
        lambda kind: st.text(max_size=60).map(
            lambda rest: f"guildmark-log/v1\n{kind}\n{rest}\n".encode(errors="replace")
        )
    )
)
def test_foreign_entries_are_refused_and_never_crash_a_monitor(data):
    try:
        read_leaf(data)
    except BrokenInput:
        return
    assert data.startswith(b"guildmark-log/v1\n")


@pytest.mark.parametrize(
    "rest",
    [
        f"issue\n{DID}\n{KEY}\na\n",  # one character is no base64
        f"issue\n{DID}\n{KEY}\nAAAA\n",  # three bytes are no commitment
        f"issue\n{DID}\n{KEY}\n!{base64.b64encode(NONCE).decode()}\n",
        f"issue\nnobody\n{KEY}\n{base64.b64encode(NONCE).decode()}\n",
        f"issue\n{DID}\n\n{base64.b64encode(NONCE).decode()}\n",
        'policy\n{"issuer":"did:web:x.example","prev":"","seq":true}\n',
        'policy\n{"issuer":"did:web:x.example","prev":"","seq":-1}\n',
        'policy\n{"issuer":"did:web:x.example","seq":0}\n',
        'policy\n{"issuer":5,"prev":"","seq":0}\n',
        'policy\n{"prev":"","seq":0}\n',
    ],
)
def test_an_entry_that_guildmark_would_not_have_written_is_no_leaf(rest):
    leaf = f"guildmark-log/v1\n{rest}".encode()
    with pytest.raises(BrokenInput, match="log entry: "):
        read_leaf(leaf)
    with pytest.raises(BrokenInput, match="log entry: "):
        history_findings(DID, [leaf])
