"""The endpoints at which the W3C's suites are pointed: they verify for anybody, and sign on test servers alone."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from guildmark.app.records import Event
from guildmark.app.services import vc_issuer
from guildmark.app.services.api_keys import SCOPES, make_key, scopes_for
from guildmark.core.codecs import jcs
from guildmark.core.errors import BrokenInput, NotAllowed
from guildmark.credential.did import did_key, did_of
from guildmark.credential.jose import VC_JOSE, sign_vc_jwt
from guildmark.credential.keys import SoftwareSigner
from guildmark.credential.proof import sign_document
from tests.api.conftest import NoOutside, role
from tests.paths import counted, vectors

V2 = "https://www.w3.org/ns/credentials/v2"


def holder_signer(seed: int) -> SoftwareSigner:
    raw = bytes([seed]) * 32
    did = did_key(SoftwareSigner(raw, "did:key:unnamed").public_key)
    return SoftwareSigner(raw, f"{did}#{did.removeprefix('did:key:')}")


HOLDER, OTHER = holder_signer(7), holder_signer(8)


@pytest.fixture(autouse=True)
def _alone_here(monkeypatch):
    monkeypatch.setattr("guildmark.app.api.vc_api.network", NoOutside)


@pytest.fixture
def suite(settings):
    """The site is a test server."""
    settings.VC_API = True


def plain(**members: Any) -> dict[str, Any]:
    return {
        "@context": [V2],
        "type": ["VerifiableCredential"],
        "credentialSubject": {"id": "did:example:subject"},
        **members,
    }


def post(path: str, body: Any, kind: str = "application/json", **headers: str):
    sent = body if isinstance(body, bytes) else json.dumps(body)
    return Client(raise_request_exception=False).post(path, sent, content_type=kind, **headers)


def issue(credential: Any, options: Any = None, **headers: str):
    body = {"credential": credential} if options is None else {"credential": credential, "options": options}
    return post("/credentials/issue", body, **headers)


def verify(credential: Any, **options: Any):
    return post("/credentials/verify", {"verifiableCredential": credential, "options": options})


def present(presentation: Any, **options: Any):
    return post("/presentations/verify", {"verifiablePresentation": presentation, "options": options})


def kinds(answer) -> set[str]:
    assert answer.status_code == 400, answer.content
    assert answer.json()["verified"] is False
    return {problem["type"].partition("#")[2] for problem in answer.json()["problemDetails"]}


def issuer(algorithm: str = "Ed25519") -> str:
    return did_of(vc_issuer.suite_signer(algorithm).key_id)


# --- A real site signs nothing here ---


def test_a_real_site_has_no_such_issuer(cast):
    answer = issue(plain())
    assert answer.status_code == 404
    asked = {"document": plain(), "organisation": cast.harbour, "actor": cast.quinn, "caller": "x"}
    for signs in (vc_issuer.suite_signer, lambda: vc_issuer.sign_for_organisation(**asked, now=timezone.now())):
        with pytest.raises(NotAllowed):
            signs()


def test_a_real_site_gives_no_key_the_scope_to_sign_anything(cast):
    role(cast.quinn, cast.harbour, "awarder")
    assert "credentials:issue" in SCOPES
    assert "credentials:issue" not in scopes_for(cast.quinn, cast.harbour)
    with pytest.raises(BrokenInput):
        key(cast)


def test_a_key_from_a_test_server_signs_nothing_once_it_is_none(cast, settings):
    settings.VC_API = True
    role(cast.quinn, cast.harbour, "awarder")
    headers = key(cast)
    assert issue(plain(), **headers).status_code == 201
    settings.VC_API = False
    assert issue(plain(), **headers).status_code == 404


def test_a_real_site_reads_under_no_contexts_but_those_that_are_shipped(db):
    assert vc_issuer.suite_contexts() is None
    made = sign_document(plain(issuer=did_of(HOLDER.key_id)), HOLDER, created=timezone.now())
    assert verify(made).status_code == 200
    strange = {**made, "@context": [V2, {"more": "https://example.org/more"}]}
    assert "MALFORMED_VALUE_ERROR" in kinds(verify(strange))


# --- Issuing, on a test server ---


def key(cast, *scopes: str) -> dict[str, str]:
    now = timezone.now()
    _, secret = make_key(
        by=cast.quinn, organisation=cast.harbour, name="Suite", scopes=scopes or ["credentials:issue"],
        expires_at=now + timedelta(days=1), now=now,
    )  # fmt: skip
    return {"HTTP_AUTHORIZATION": f"Bearer {secret}"}


@pytest.mark.parametrize(
    ("options", "suite_name", "algorithm"),
    [
        ({}, "eddsa-rdfc-2022", "Ed25519"),
        ({"cryptosuite": "eddsa-jcs-2022"}, "eddsa-jcs-2022", "Ed25519"),
        ({"type": "DataIntegrityProof", "cryptosuite": "ecdsa-rdfc-2019"}, "ecdsa-rdfc-2019", "P-256"),
        ({"cryptosuite": "ecdsa-jcs-2019"}, "ecdsa-jcs-2019", "P-256"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_the_test_issuer_signs_is_verified(db, suite, options, suite_name, algorithm):
    answer = issue(plain(), options)
    assert answer.status_code == 201
    made = answer.json()
    assert made["proof"]["cryptosuite"] == suite_name
    assert made["issuer"] == issuer(algorithm)
    checked = verify(made)
    assert (checked.status_code, checked.json()["verified"]) == (200, True)


def test_an_issuer_that_is_named_chooses_the_key(db, suite):
    answer = issue(plain(issuer={"id": issuer("P-384"), "name": "A test"}))
    assert answer.json()["proof"]["cryptosuite"] == "ecdsa-rdfc-2019"
    assert verify(answer.json()).status_code == 200


def test_the_test_issuer_is_the_same_in_every_process_and_another_on_every_site(suite, settings):
    first = issuer()
    vc_issuer._signer.cache_clear()
    assert issuer() == first
    settings.SECRET_KEY = "another site's"
    assert issuer() != first


@pytest.mark.parametrize(
    ("credential", "options"),
    [
        (None, None),
        ("a token", None),
        (plain(issuer="did:example:somebody"), None),
        (plain(issuer=7), None),
        (plain(credentialSubject={}), None),
        ({**plain(), "@context": ["https://unknown.example/"]}, None),
        ({**plain(), "undefined term": 1}, None),
        (plain(), []),
        (plain(), {"cryptosuite": "none-2022"}),
        (plain(), {"cryptosuite": 7}),
        (plain(), {"type": "Ed25519Signature2018"}),
        (plain(), {"created": "yesterday"}),
        (plain(), {"proofPurpose": "authentication"}),
        (plain(), {"credentialStatus": {"type": "x"}}),
        (plain(), {"previousProof": "urn:uuid:nobody"}),
        (plain(), {"domain": [7]}),
    ],
    ids=range(16),
)
def test_what_cannot_be_signed_whole_in_its_own_name_is_refused(db, suite, credential, options):
    answer = issue(credential, options)
    if options == {"previousProof": "urn:uuid:nobody"}:  # it names no proof in a document that has none
        assert "previousProof" not in answer.json()["proof"]
        return
    assert answer.status_code == 400
    assert answer.json()["problemDetails"][0]["detail"]


def test_options_are_in_the_proof(db, suite):
    options = {"created": "2026-01-02T03:04:05Z", "challenge": "c-1", "domain": "example.org"}
    proof = issue(plain(), options).json()["proof"]
    assert {name: proof[name] for name in options} == options


def test_a_credential_of_version_1_gets_the_words_for_its_proof(db, suite):
    old = {
        "@context": ["https://www.w3.org/2018/credentials/v1"],
        "type": ["VerifiableCredential"],
        "issuanceDate": "2020-03-16T22:37:26Z",
        "credentialSubject": {"id": "did:example:subject"},
    }
    made = issue(old).json()
    assert made["@context"] == [*old["@context"], "https://w3id.org/security/data-integrity/v2"]
    assert verify(made).status_code == 200
    assert issue({**made, "proof": [made["proof"]]}).json()["@context"] == made["@context"]


def test_a_second_proof_stands_beside_the_first(db, suite):
    first = issue(plain()).json()
    second = issue(first).json()
    assert [proof["cryptosuite"] for proof in second["proof"]] == ["eddsa-rdfc-2022"] * 2
    assert verify(second).status_code == 200


def test_an_organisation_signs_by_a_key_that_permits_it_and_it_is_on_record(cast, suite):
    role(cast.quinn, cast.harbour, "awarder")
    made = issue(plain(id="urn:uuid:6d8c1f0e-4b0e-4a57-9a4e-0f6f3e1c2b7a"), **key(cast)).json()
    assert made["issuer"] == cast.harbour.did
    assert verify(made).status_code == 200
    event = Event.objects.get(verb="sign_by_program")
    assert (event.actor, event.organisation, event.subject) == (cast.quinn, cast.harbour, made["id"])


def test_mallory_signs_for_nobody_else(cast, suite):
    role(cast.quinn, cast.harbour, "awarder")
    assert issue(plain(), HTTP_AUTHORIZATION="Bearer gmk_nobody_0").status_code == 401
    assert issue(plain(), **key(cast, "verify")).status_code == 403
    with pytest.raises(BrokenInput):
        make_key(
            by=cast.mallory, organisation=cast.harbour, name="x", scopes=["credentials:issue"],
            expires_at=timezone.now() + timedelta(days=1), now=timezone.now(),
        )  # fmt: skip
    assert issue(plain(issuer=cast.northwind.did), **key(cast)).status_code == 400
    assert issue(plain(issuer=cast.harbour.did)).status_code == 400
    assert Event.objects.filter(verb="sign_by_program").count() == 0


# --- The W3C's inputs ---


NOT_SIGNED_WHOLE = {
    "credential-description-language-direction-en-ok.json",
    "credential-name-language-direction-en-ok.json",
    "issuer-description-language-direction-en-ok.json",
}
"""A direction of text has no place in RDF, so a signature of an rdfc suite would not cover it."""


def inputs(*kinds: str) -> list[dict[str, Any]]:
    rows = json.loads((vectors("w3c-vcdm2-suite") / "inputs.json").read_text())
    return [row for row in rows if row["file"].startswith(kinds)]


def as_the_suite_sends(document: dict[str, Any]) -> dict[str, Any]:
    """The suite names the issuer unless the input is about that, and fills in the dates."""
    given = json.loads(json.dumps(document))
    named = given.get("issuer")
    if isinstance(named, dict):
        if "id" not in named:
            named["id"] = issuer()
    elif "issuer" not in given:
        given["issuer"] = issuer()
    moments = {"PAST DATE": "2025-01-01T00:00:00Z", "FUTURE DATE": "2099-01-01T00:00:00Z"}
    return {name: moments.get(value, value) if isinstance(value, str) else value for name, value in given.items()}


def not_verified(answer) -> set[str]:
    """The findings for which a credential or presentation is not verified; none if it is."""
    return set() if answer.status_code == 200 else {problem["finding"] for problem in answer.json()["problemDetails"]}


TELLS = {
    "credential-validuntil-ok.json": {"validity.dates"},
    "credential-validuntil-tz-ok.json": {"validity.dates"},
    "credential-status-ok.json": {"status.revocation"},
}
"""Good credentials that are not verified all the same: two ran out in 2023, of one the status cannot be told."""


def test_the_suites_credentials_are_signed_if_they_are_good_and_refused_if_not(db, suite):
    wrong, rows = {}, inputs("credential", "issuer")
    for row in rows:
        answer = issue(as_the_suite_sends(row["document"]))
        if row["expected"] != "ok" or row["file"] in NOT_SIGNED_WHOLE:
            if answer.status_code != 400 or not answer.json()["problemDetails"]:
                wrong[row["file"]] = answer.content
        elif answer.status_code != 201:
            wrong[row["file"]] = answer.content
        elif not_verified(verify(answer.json(), checks=["proof"])) != TELLS.get(row["file"], set()):
            wrong[row["file"]] = verify(answer.json()).content
    assert wrong == {}
    counted("w3c-vcdm2-suite", [row["file"] for row in rows])


def as_its_holder_shows(document: dict[str, Any]) -> dict[str, Any]:
    """The suite signs presentations and the credentials in them with a key of its own; so do we, with ours."""
    given, who = json.loads(json.dumps(document)), did_of(HOLDER.key_id)
    if str(given.get("holder")).startswith("did:key:"):
        given["holder"] = who
    given["verifiableCredential"] = [
        sign_document({**part, "issuer": who}, HOLDER, created=timezone.now())
        if isinstance(part, dict) and part.get("type") == ["VerifiableCredential"]
        else part
        for part in given.get("verifiableCredential", [])
    ]
    if not given["verifiableCredential"]:
        del given["verifiableCredential"]
    return shown(given)


def test_the_suites_presentations_are_verified_if_they_are_good_and_refused_if_not(db, suite):
    wrong, rows = {}, [row for row in inputs("presentation") if row["expected"] != "see-suite"]
    for row in rows:
        try:
            made = as_its_holder_shows(row["document"])
        except BrokenInput as problem:
            if row["expected"] == "ok":
                wrong[row["file"]] = problem
            continue
        found = not_verified(present(made, **ASKED))
        if row["file"] == "presentation-enveloped-vc-ok.json":  # whose token is an example that nobody signed
            if found != {"credentials.1"}:
                wrong[row["file"]] = found
        elif (found == set()) is not (row["expected"] == "ok"):
            wrong[row["file"]] = found
    assert wrong == {}
    counted("w3c-vcdm2-suite", [row["file"] for row in rows])


def test_the_context_for_examples_is_the_one_that_the_w3c_publishes():
    ours = vc_issuer._EXAMPLES["https://www.w3.org/ns/credentials/examples/v2"]
    assert ours == json.loads((vectors("w3c-contexts") / "credentials-examples-v2.json").read_text())
    counted("w3c-contexts", "credentials-examples-v2.json")


# --- Verifying, for anybody ---


@pytest.fixture
def good(db) -> dict[str, Any]:
    document = plain(issuer=did_of(HOLDER.key_id), validFrom="2026-01-01T00:00:00Z")
    return sign_document(document, HOLDER, created=timezone.now())


def test_anybody_may_ask_whether_a_credential_holds(good):
    answer = verify(good)
    assert (answer.status_code, answer.json()["verified"], answer.json()["problemDetails"]) == (200, True, [])
    assert answer.json()["report"]["verdict"] == "pass"


def test_a_token_is_verified_as_a_text_and_in_an_envelope(db):
    token = sign_vc_jwt(plain(issuer=did_of(HOLDER.key_id)), HOLDER, form=VC_JOSE)
    assert verify(token).status_code == 200
    packed = {"@context": V2, "type": "EnvelopedVerifiableCredential", "id": f"data:application/vc+jwt,{token}"}
    assert verify(packed).status_code == 200
    assert kinds(verify(token[:-4] + "AAAA"))
    assert kinds(verify({**packed, "id": token}))


def changed(document: dict[str, Any], **members: Any) -> dict[str, Any]:
    return {**document, **members}


def test_each_thing_that_is_wrong_has_its_kind_of_problem(good):
    assert "CRYPTOGRAPHIC_SECURITY_ERROR" in kinds(verify(changed(good, validFrom="2026-01-02T00:00:00Z")))
    assert "CRYPTOGRAPHIC_SECURITY_ERROR" in kinds(verify({k: v for k, v in good.items() if k != "proof"}))
    assert "CRYPTOGRAPHIC_SECURITY_ERROR" in kinds(verify(changed(good, issuer="did:example:other")))
    assert "CRYPTOGRAPHIC_SECURITY_ERROR" in kinds(verify(changed(good, more="not covered")))
    assert "MALFORMED_VALUE_ERROR" in kinds(verify(changed(good, credentialSubject={})))
    assert "RANGE_ERROR" in kinds(verify(changed(good, validUntil="2026-01-02T00:00:00Z")))
    assert kinds(verify("not.a.token")) == {"PARSING_ERROR"}


def test_a_credential_that_was_put_into_a_text_is_not_one(good):
    """A suite of the W3C found this verified: JSON within JSON is neither an object nor a token."""
    answer = verify(json.dumps(good))
    assert answer.status_code == 400
    assert answer.json()["problemDetails"][0]["detail"]


def test_what_cannot_be_told_is_not_verified(good):
    lost = plain(issuer="did:web:gone.example")
    elsewhere = SoftwareSigner(b"\x01" * 32, "did:web:gone.example#key-1")
    answer = verify(sign_document(lost, elsewhere, created=timezone.now()))
    assert "CRYPTOGRAPHIC_SECURITY_ERROR" in kinds(answer)
    assert {p["verdict"] for p in answer.json()["problemDetails"]} == {"unknown"}


@pytest.mark.parametrize("path", ["/credentials/verify", "/presentations/verify", "/credentials/issue"])
@pytest.mark.parametrize(
    "body", [b" ", b"{", b"[]", b"7", b'{"a": 1, "a": 2}', b"\xff", b"[" * 9000, b'{"options": 7}', b"{}",
             b'{"verifiableCredential": 7}', b'{"verifiablePresentation": []}'], ids=lambda b: str(b[:20])
)  # fmt: skip
def test_a_request_that_cannot_be_read_is_refused_with_a_problem(db, suite, path, body):
    answer = post(path, body)
    assert answer.status_code == 400
    assert answer.json()["problemDetails"][0]["detail"]


def test_other_methods_types_and_sizes_are_refused(db):
    assert Client().get("/credentials/verify").status_code == 405
    assert post("/credentials/verify", b"{}", kind="text/plain").status_code == 415
    assert post("/credentials/verify", b" " * 5_000_001).status_code == 413


def test_strangers_are_bound_on_a_real_site_and_not_on_a_test_server(good, settings):
    codes = [verify("x").status_code for _ in range(31)]
    assert codes == [400] * 30 + [429]
    settings.VC_API = True
    assert verify(good).status_code == 200


# --- Presentations ---


def shown(document: dict[str, Any] | None = None, signer: SoftwareSigner = HOLDER, **how: Any) -> dict[str, Any]:
    """A presentation by its holder, in answer to the challenge c-1 of verifier.example."""
    given = document or {
        "@context": [V2], "type": ["VerifiablePresentation"], "holder": did_of(HOLDER.key_id),
    }  # fmt: skip
    sets = vc_issuer.suite_contexts()
    asked = {
        "purpose": "authentication",
        "contexts": sets[0] if sets else None,
        "challenge": "c-1",
        "domain": "verifier.example",
        **how,
    }
    return sign_document(given, signer, created=timezone.now(), **asked)


ASKED = {"challenge": "c-1", "domain": "verifier.example"}


def with_credential(good: dict[str, Any]) -> dict[str, Any]:
    return {
        "@context": [V2],
        "type": ["VerifiablePresentation"],
        "holder": did_of(HOLDER.key_id),
        "verifiableCredential": [good],
    }


def findings(answer) -> set[str]:
    kinds(answer)
    return {problem["finding"] for problem in answer.json()["problemDetails"]}


def test_a_presentation_that_answers_the_challenge_is_verified(good):
    for document in (None, with_credential(good)):
        answer = present(shown(document), **ASKED)
        assert (answer.status_code, answer.json()["verified"]) == (200, True), answer.content


def test_a_presentation_that_was_made_for_another_occasion_is_refused(good):
    made = shown(with_credential(good))
    assert findings(present(made, challenge="c-2", domain="verifier.example")) == {"proof.challenge"}
    assert findings(present(made, challenge="c-1", domain="other.example")) == {"proof.domain"}
    assert findings(present(shown(challenge="", domain=""), **ASKED)) == {"proof.challenge", "proof.domain"}
    assert kinds(present(made, challenge="c-2", domain="x.example")) == {
        "INVALID_CHALLENGE_ERROR", "INVALID_DOMAIN_ERROR",
    }  # fmt: skip


def test_a_presentation_by_somebody_else_is_refused(good):
    assert "proof.key_bound" in findings(present(shown(with_credential(good), OTHER), **ASKED))


def test_a_signature_that_was_made_to_award_shows_nothing(good):
    assert "proof.signature" in findings(present(shown(purpose="assertionMethod"), **ASKED))


def test_a_presentation_that_was_changed_or_not_signed_is_refused(good):
    made = shown(with_credential(good))
    assert "proof.signature" in findings(present({**made, "verifiableCredential": []}, **ASKED))
    assert "proof.signature" in findings(present({k: v for k, v in made.items() if k != "proof"}, **ASKED))
    made["proof"]["challenge"] = "c-2"
    assert "proof.signature" in findings(present(made, challenge="c-2", domain="verifier.example"))


def test_the_signature_of_one_proof_and_the_challenge_of_another_do_not_add_up(good):
    made = shown(with_credential(good), challenge="old")
    stolen = {**made["proof"], "challenge": "c-1"}
    assert findings(present({**made, "proof": [made["proof"], stolen]}, **ASKED))


def test_of_two_proofs_the_one_for_this_verifier_counts(good):
    from guildmark.credential.proof import add_proof

    first = shown(with_credential(good), domain="other.example")
    made = add_proof(first, HOLDER, created=timezone.now(), purpose="authentication", **ASKED)
    assert present(made, **ASKED).status_code == 200


def test_a_credential_in_it_that_does_not_hold_is_named(good):
    bad = {**good, "validFrom": "2026-01-03T00:00:00Z"}
    document = {**with_credential(good), "verifiableCredential": [good, bad]}
    answer = present(shown(document), **ASKED)
    assert findings(answer) == {"credentials.2"}


def test_no_presentation_is_no_credential_and_the_other_way_round(good):
    assert "document.structure" in findings(present(good, **ASKED))
    assert kinds(verify(shown()))


def test_the_report_of_a_presentation_is_bounded(good):
    made = {**with_credential(good), "verifiableCredential": [{"type": "VerifiableCredential"}] * 300}
    answer = present({**made, "proof": shown()["proof"]}, **ASKED)
    assert "credentials.more" in findings(answer)
    assert len(answer.content) < 300_000


def test_jcs_of_what_is_sent_is_what_is_verified(good):
    """Nothing of a document is lost on the way through the request."""
    assert jcs(json.loads(json.dumps(good))) == jcs(good)
