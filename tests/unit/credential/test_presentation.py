"""A presentation holds if its holder shows it here and now, and everything in it holds on its own."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guildmark.core.doors import NoNetwork
from guildmark.core.errors import BrokenInput
from guildmark.core.report import Report, Verdict
from guildmark.credential.did import did_key
from guildmark.credential.envelope import packed
from guildmark.credential.jose import VC_JOSE, sign_vc_jwt
from guildmark.credential.keys import SoftwareSigner
from guildmark.credential.presentation import holder_id, verify_presentation
from guildmark.credential.proof import add_proof, sign_document
from guildmark.credential.verify import LARGEST, MOST_PARTS

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
V2 = "https://www.w3.org/ns/credentials/v2"


def somebody(seed: int) -> tuple[str, SoftwareSigner]:
    raw = bytes([seed]) * 32
    did = did_key(SoftwareSigner(raw, "did:key:unnamed").public_key)
    return did, SoftwareSigner(raw, f"{did}#{did.removeprefix('did:key:')}")


ZOE, ZOE_SIGNS = somebody(1)
MALLORY, MALLORY_SIGNS = somebody(2)
ISSUER, ISSUER_SIGNS = somebody(3)


def credential(subject: str = ZOE) -> dict[str, Any]:
    document = {"@context": [V2], "type": ["VerifiableCredential"], "issuer": ISSUER, "credentialSubject": {}}
    return sign_document({**document, "credentialSubject": {"id": subject}}, ISSUER_SIGNS, created=NOW)


def unsigned(*parts: Any, **members: Any) -> dict[str, Any]:
    document = {"@context": [V2], "type": ["VerifiablePresentation"], "holder": ZOE, **members}
    return {**document, "verifiableCredential": list(parts)} if parts else document


def shown(document: dict[str, Any], signer: SoftwareSigner = ZOE_SIGNS, **how: Any) -> dict[str, Any]:
    asked = {"purpose": "authentication", "challenge": "c-1", "domain": "verifier.example", **how}
    return sign_document(document, signer, created=NOW, **asked)


def look(document: Any, **asked: Any) -> Report:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    given = {"challenge": "c-1", "domain": "verifier.example", "any_kind": True, **asked}
    return verify_presentation(body, now=NOW, fetcher=NoNetwork(), **given)


def failing(report: Report) -> list[str]:
    return [finding.id for finding in report.failed()]


def test_what_its_holder_shows_here_and_now_holds_and_each_question_has_its_finding():
    report = look(shown(unsigned(credential(), packed(sign_vc_jwt(_bare(), ISSUER_SIGNS, form=VC_JOSE)))))
    assert report.verdict is Verdict.PASS, report.to_json()
    assert [f.id for f in report.findings] == [
        "document.readable",
        "document.structure",
        "document.context",
        "document.lossless",
        "proof.signature",
        "proof.key_bound",
        "proof.challenge",
        "proof.domain",
        "credentials.1",
        "credentials.2",
    ]
    assert ZOE in report["proof.key_bound"].says


def _bare() -> dict[str, Any]:
    return {name: value for name, value in credential().items() if name != "proof"}


def test_one_without_a_credential_in_it_holds():
    assert look(shown(unsigned())).verdict is Verdict.PASS


@pytest.mark.parametrize("suite", ["eddsa-rdfc-2022", "eddsa-jcs-2022"])
def test_either_suite_shows_it(suite):
    assert look(shown(unsigned(credential()), cryptosuite=suite)).verdict is Verdict.PASS


def test_who_shows_it_need_not_be_named_as_its_holder():
    document = unsigned()
    del document["holder"]
    report = look(shown(document))
    assert report.verdict is Verdict.PASS
    assert ZOE in report["proof.key_bound"].says


def test_mallory_does_not_show_what_is_zoes():
    assert failing(look(shown(unsigned(credential()), MALLORY_SIGNS))) == ["proof.key_bound"]


def test_mallory_does_not_show_again_what_she_has_seen():
    seen = shown(unsigned(credential()))
    assert failing(look(seen, challenge="c-2")) == ["proof.challenge"]
    assert failing(look(seen, domain="another.example")) == ["proof.domain"]
    assert failing(look(seen, domain=["verifier.example", "another.example"])) == ["proof.domain"]
    changed = {**seen, "proof": {**seen["proof"], "challenge": "c-2"}}
    assert failing(look(changed, challenge="c-2")) == ["proof.signature"]


def test_a_signature_of_one_proof_and_a_challenge_of_another_do_not_add_up():
    old = shown(unsigned(credential()), challenge="old")
    forged = {**old["proof"], "challenge": "c-1"}
    for proofs in ([old["proof"], forged], [forged, old["proof"]]):
        assert look({**old, "proof": proofs}).verdict is Verdict.FAIL


def test_of_several_proofs_the_one_for_this_verifier_counts():
    first = shown(unsigned(credential()), domain="another.example", challenge="x")
    both = add_proof(
        first, ZOE_SIGNS, created=NOW, purpose="authentication", challenge="c-1", domain="verifier.example"
    )
    assert look(both).verdict is Verdict.PASS


def test_without_a_challenge_it_may_have_been_shown_before_and_that_is_said():
    report = look(shown(unsigned()), challenge=None, domain=None)
    assert report.verdict is Verdict.PASS
    assert report["proof.challenge"].verdict is Verdict.UNKNOWN
    assert "shown before" in report["proof.challenge"].says


def test_a_signature_that_was_made_to_award_shows_nothing():
    assert "proof.signature" in failing(look(shown(unsigned(), purpose="assertionMethod")))


def test_one_that_nobody_signed_shows_nothing():
    assert "proof.signature" in failing(look(unsigned(credential())))


def test_what_was_added_to_it_is_found():
    made = shown(unsigned(credential()))
    assert "proof.signature" in failing(look({**made, "verifiableCredential": [credential(MALLORY)]}))
    assert "document.lossless" in failing(look({**made, "note": "unknown to the contexts"}))


def test_a_credential_that_does_not_hold_is_named_with_the_reason():
    bad = {**credential(), "credentialSubject": {"id": MALLORY}}
    report = look(shown(unsigned(credential(), bad)))
    assert failing(report) == ["credentials.2"]
    assert "proof.signature" in {f["id"] for f in report["credentials.2"].because["findings"]}


def test_that_it_is_made_out_to_somebody_else_is_said_and_decides_nothing():
    report = look(shown(unsigned(credential("did:example:child"))))
    assert report.verdict is Verdict.PASS
    assert "somebody else" in report["credentials.1"].says


@pytest.mark.parametrize(
    "part",
    [7, "a.b.c", [], {}, {"type": "VerifiablePresentation"}, {"type": "EnvelopedVerifiableCredential", "id": "x"}],
    ids=str,
)
def test_what_is_no_credential_is_not_taken_for_one(part):
    made = shown(unsigned())
    assert look({**made, "verifiableCredential": [part]}).verdict is Verdict.FAIL


def test_a_credential_is_no_presentation():
    assert failing(look(credential())) == ["document.structure"]


def test_one_that_is_packed_in_a_token_is_unknown():
    report = look({"@context": V2, "type": "EnvelopedVerifiablePresentation", "id": "data:application/vp+jwt,a.b.c"})
    assert report.verdict is Verdict.UNKNOWN


def test_a_key_that_cannot_be_had_is_unknown():
    elsewhere = SoftwareSigner(b"\x09" * 32, "did:web:gone.example#key-1")
    report = look(shown(unsigned(holder="did:web:gone.example"), elsewhere))
    assert report.verdict is Verdict.UNKNOWN


@pytest.mark.parametrize("holder", ["z6Mk", {"id": "z6Mk"}, 7, [], {}], ids=str)
def test_a_holder_that_is_no_url_is_refused(holder):
    made = {**shown(unsigned()), "holder": holder}
    assert "document.structure" in failing(look(made))


def test_the_holder_is_told_whichever_way_it_is_written():
    assert holder_id({"holder": {"id": ZOE}}) == holder_id({"holder": ZOE}) == ZOE
    assert holder_id({"holder": 7}) == holder_id({}) == ""


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b'{"a":1,"a":2}', b"[" * 5000], ids=repr)
def test_what_cannot_be_read_is_an_error_in_a_sentence(body):
    with pytest.raises(BrokenInput):
        look(body)


def test_what_is_too_large_is_not_read():
    with pytest.raises(BrokenInput, match="larger"):
        look(b" " * (LARGEST + 1))


def test_a_crowd_of_credentials_and_of_values_is_bounded():
    made = shown(unsigned())
    many = [{"type": "VerifiableCredential"}] * (MOST_PARTS + 50)
    report = look({**made, "verifiableCredential": many})
    assert "credentials.more" in report
    assert len(report.findings) < MOST_PARTS + 20
    report = look({**made, "verifiableCredential": [{"a": list(range(10_000))}] * 10})
    assert report.verdict is Verdict.UNKNOWN


_json = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(["@context", "type", "holder", "verifiableCredential", "proof", "id"]), _json)
def test_no_value_of_a_member_breaks_it_or_passes_for_what_was_signed(member, value):
    made = shown(unsigned(credential()))
    if json.dumps(made.get(member)) == json.dumps(value):
        return
    assert look({**made, member: value}).verdict is not Verdict.PASS
