"""Credentials in tokens: every question is asked of them that is asked of a document with a proof."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.paths import counted, vectors
from tests.unit.credential import award_cast as cast
from tests.unit.credential.test_sd_jwt import bytes_in_turn
from tests.unit.credential.token_cast import (
    HARBOUR,
    HOLDER,
    KINDS,
    award,
    forged,
    resigned,
    signer,
    web,
)

from guildmark.core.codecs import base64url_encode, jcs
from guildmark.core.doors import NoNetwork
from guildmark.core.errors import BrokenInput
from guildmark.core.report import Report, Verdict
from guildmark.credential.bake import bake
from guildmark.credential.did import did_key
from guildmark.credential.envelope import packed
from guildmark.credential.jose import VC_JOSE, sign_jws, sign_vc_jwt
from guildmark.credential.jsonld import CREDENTIALS_V1
from guildmark.credential.keys import PublicKey, SoftwareSigner, jwk_of
from guildmark.credential.open_badge import IssuerProfile
from guildmark.credential.resolve import FoundKey
from guildmark.credential.sd_jwt import present_sd_jwt, sign_sd_jwt
from guildmark.credential.signed import World
from guildmark.credential.verify import document_inside, verify_credential


def verified(token: str, place: cast.Web | None = None, **options: Any) -> Report:
    return cast.verified(token.encode(), place, **options)


def failing(report: Report) -> list[str]:
    return [finding.id for finding in report.failed()]


# --- VC-JWT ---


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("form", ["vc-jwt", "vc-jose"])
def test_an_award_in_a_token_holds_with_the_same_findings_as_with_a_proof(kind, form):
    report = verified(sign_vc_jwt(award(), signer(kind), form=form), web(kind))
    assert report.verdict is Verdict.PASS, report.to_json()
    proved = cast.verified(cast.signed(award()))
    assert [f.id for f in report.findings if f.id != "proof.claims"] == [f.id for f in proved.findings]
    assert report.subject == proved.subject
    assert report["proof.claims"].verdict is Verdict.PASS
    assert report["document.readable"].says == "It is a readable token."
    assert "RFC 7515" in report["proof.signature"].source


@pytest.mark.parametrize("form", ["vc-jwt", "vc-jose"])
def test_a_changed_token_fails(form):
    token = sign_vc_jwt(award(), signer(), form=form)
    assert failing(verified(forged(token, claims={"awardedDate": "2020-01-01T00:00:00Z"}))) == ["proof.signature"]


def test_a_token_without_a_signature_fails():
    token = forged(sign_vc_jwt(award(), signer()), header={"alg": "none"}).rpartition(".")[0] + "."
    assert "proof.signature" in failing(verified(token))


def test_another_organisations_token_in_this_issuers_name_fails():
    for form in ("vc-jwt", "vc-jose"):
        report = verified(sign_vc_jwt(award(), cast.signer(cast.MALLORY), form=form))
        assert report["proof.signature"].verdict is Verdict.PASS
        assert failing(report) == ["proof.key_bound"]


def test_a_key_that_came_with_the_token_is_the_issuers_only_if_the_issuer_lists_it():
    token = sign_vc_jwt(award(), signer("P-256"), with_key=True)
    assert verified(token, web("P-256")).verdict is Verdict.PASS
    report = verified(token)
    assert report["proof.signature"].verdict is Verdict.PASS
    assert failing(report) == ["proof.key_bound"]
    offline = verify_credential(token.encode(), now=cast.LATER, fetcher=NoNetwork())
    assert offline["proof.key_bound"].verdict is Verdict.UNKNOWN


def test_an_issuer_that_is_its_own_key_needs_no_address_in_the_token():
    key = SoftwareSigner(b"\x05" * 32, "did:key:x#x")
    own = IssuerProfile(did_key(key.public_key), "Own")
    document = {**award(), "issuer": own.to_profile()}
    for header in ({"kid": None}, {"kid": None, "jwk": jwk_of(key)}):
        token = resigned(sign_vc_jwt(document, key), key, header=header)
        assert verified(token)["proof.key_bound"].verdict is Verdict.PASS
    other = SoftwareSigner(b"\x06" * 32, "did:key:x#x")
    token = resigned(sign_vc_jwt(document, other), other, header={"kid": None, "jwk": jwk_of(other)})
    assert "proof.key_bound" in failing(verified(token))


def test_claims_that_contradict_the_credential_fail():
    token = resigned(sign_vc_jwt(award(), signer()), signer(), jti="urn:other")
    assert failing(verified(token)) == ["proof.claims"]


def test_a_missing_sub_is_advice():
    report = verified(resigned(sign_vc_jwt(award(), signer()), signer(), sub=None))
    finding = report["proof.claims"]
    assert (finding.verdict, finding.required) == (Verdict.UNKNOWN, False)
    assert report.verdict is Verdict.PASS


def test_a_signature_that_ran_out_fails_though_the_credential_is_in_force():
    token = resigned(sign_vc_jwt(award(), signer(), form=VC_JOSE), signer(), exp=int(cast.NOW.timestamp()) + 1)
    report = verified(token)
    assert failing(report) == ["proof.claims"]
    assert "ran out" in report["proof.claims"].says


def test_a_member_that_no_standard_knows_is_signed_in_a_token_and_said_as_advice():
    document = {**award(), "distinction": "with honours"}
    report = verified(sign_vc_jwt(document, signer()))
    finding = report["document.lossless"]
    assert (finding.verdict, finding.required) == (Verdict.UNKNOWN, False)
    assert "distinction" in finding.says
    assert report.verdict is Verdict.PASS
    assert failing(verified(forged(sign_vc_jwt(document, signer()), claims={"distinction": "none"}))) == [
        "proof.signature"
    ]


def test_a_token_with_contexts_that_are_not_known_is_unknown():
    document = {**award(), "@context": [*award()["@context"], "https://mallory.example/context"]}
    report = verified(sign_vc_jwt(document, signer()))
    assert report["document.context"].verdict is Verdict.UNKNOWN
    assert report.verdict is Verdict.UNKNOWN


def test_a_revoked_token_fails():
    report = verified(sign_vc_jwt(award(), signer()), cast.web(award=("revoked", "misconduct")))
    assert failing(report) == ["status.revocation"]


def test_a_status_in_a_claim_is_not_overlooked():
    status = {"status_list": {"idx": 1, "uri": "https://a.example/list"}}
    report = verified(resigned(sign_vc_jwt(award(), signer()), signer(), status=status))
    assert report["status.token"].verdict is Verdict.UNKNOWN
    assert report["status.revocation"].verdict is Verdict.PASS
    alone = award(status_entry=None)
    report = verified(resigned(sign_vc_jwt(alone, signer()), signer(), status=status))
    assert report["status.revocation"].verdict is Verdict.UNKNOWN


def test_the_recipient_of_a_token_is_asked_about_as_of_any_credential():
    token = sign_vc_jwt(cast.award(), signer())
    assert verified(token, recipient="zoe.nguyen@example.org")["recipient"].verdict is Verdict.PASS
    assert failing(verified(token, recipient="mallory@example.org")) == ["recipient"]


def test_a_proof_inside_does_not_help_a_broken_token():
    token = forged(sign_vc_jwt(cast.signed(award()), signer()), claims={"iat": 1})
    assert failing(verified(token)) == ["proof.signature"]


PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


@pytest.mark.parametrize("image", [PIXEL, b'<svg xmlns="http://www.w3.org/2000/svg"></svg>'], ids=["png", "svg"])
def test_a_badge_image_that_carries_a_token_is_verified(image):
    report = cast.verified(bake(image, sign_vc_jwt(award(), signer()).encode()))
    assert report.verdict is Verdict.PASS
    assert "image" in report["document.readable"].says


def test_white_space_around_a_token_changes_nothing():
    assert cast.verified(f"\n {sign_vc_jwt(award(), signer())}\r\n".encode()).verdict is Verdict.PASS


def test_a_packed_token_is_verified_as_the_token():
    document = packed(sign_vc_jwt(award(), signer(), form=VC_JOSE))
    assert cast.verified(document).verdict is Verdict.PASS
    document["id"] = document["id"].replace("vc+jwt", "vc+cose")
    assert cast.verified(document)["document.form"].verdict is Verdict.UNKNOWN


def test_what_is_inside_a_token_can_be_read_out_of_it():
    assert document_inside(sign_vc_jwt(award(), signer()).encode()) == award()
    assert document_inside(jcs(packed(sign_vc_jwt(award(), signer())))) == award()
    with pytest.raises(BrokenInput, match="without a credential"):
        document_inside(b"e30.e30.AA")


def test_a_token_without_a_credential_is_another_form():
    for claims in ({"sub": "x"}, {"vct": "https://a.example/pid", "given_name": "Zoë"}):
        token = resigned("e30.e30.AA", signer(), header={"alg": "EdDSA"}, **claims)
        assert verified(token)["document.form"].verdict is Verdict.UNKNOWN


def test_a_token_that_cannot_be_read_is_one_sentence():
    for token in ("e30.e30.A", "e30.W10.AA", f"e30.{base64url_encode(b'{')}.AA", "e30.e30.AA~!~x", "W10.e30.AA"):
        with pytest.raises(BrokenInput) as caught:
            verified(token)
        assert caught.value.where == "credential" or "JSON" in str(caught.value)
        assert caught.value.hint


# --- VC 1.1 ---


def test_a_vc_1_1_badge_in_a_token_is_taken_for_the_badge_that_it_is():
    document = award()
    vc = {
        name: item
        for name, item in document.items()
        if name not in ("id", "validFrom", "validUntil", "relatedResource")
    }
    vc["@context"] = [CREDENTIALS_V1, document["@context"][1]]
    claims = {
        "iss": HARBOUR.id,
        "jti": document["id"],
        "sub": "did:example:zoe",
        "nbf": int(cast.NOW.timestamp()),
        "exp": int(cast.NOW.timestamp()) + 86400,
        "vc": vc,
    }
    header = {"alg": "EdDSA", "kid": signer().key_id, "typ": "JWT"}
    token = resigned("e30.e30.AA", signer(), header=header, **claims)
    report = verified(token)
    for id in ("document.structure", "proof.signature", "proof.key_bound", "proof.claims", "validity.dates"):
        assert report[id].verdict is Verdict.PASS, report[id].says
    assert failing(verified(token, now=datetime(2027, 1, 1, tzinfo=UTC))) == ["validity.dates"]
    assert "proof.signature" in failing(verified(forged(token, claims={"sub": "did:example:mallory"})))


# --- Endorsements and components in tokens ---


def endorsed(*tokens: Any) -> Report:
    document = award(endorsements=[])
    document["credentialSubject"]["achievement"]["endorsementJwt"] = list(tokens)
    return verified(sign_vc_jwt(document, signer()))


def endorsement(by: IssuerProfile = cast.NORTHWIND, **changes: Any) -> str:
    return sign_vc_jwt({**cast.endorsement(), **changes}, cast.signer(by))


def test_an_endorsement_in_a_token_is_verified_as_any_other():
    report = endorsed(endorsement())
    assert report["endorsements.1"].verdict is Verdict.PASS, report.to_json()
    assert report["endorsements.1"].says.startswith("Northwind Logistics")


def test_an_endorsement_in_a_token_that_was_changed_or_forged_or_is_about_another_thing_fails():
    for token in (
        forged(endorsement(), claims={"name": "Other"}),
        endorsement(by=cast.MALLORY),
        endorsement(credentialSubject={"id": "https://a.example/other", "type": ["EndorsementSubject"]}),
        sign_vc_jwt(award(), signer()),
    ):
        assert failing(endorsed(token)) == ["endorsements.1"]


def test_an_endorsement_that_is_no_token_is_unknown():
    for token in ("hello", "e30.e30.A", 7):
        report = endorsed(endorsement(), token)
        assert report["endorsements.1"].verdict is Verdict.PASS
        assert report["endorsements.2"].verdict is Verdict.UNKNOWN


def test_the_credentials_of_a_transcript_may_come_in_tokens():
    parts = [packed(sign_vc_jwt(cast.award(name), signer(profile=_issuer(name)))) for name in cast.NAMES]
    document = cast.larger()
    document["credentialSubject"]["verifiableCredential"] = parts
    report = cast.verified(cast.signed(document))
    assert report["document.structure"].verdict is Verdict.PASS, report["document.structure"].says
    for number in range(1, len(parts) + 1):
        assert report[f"components.{number}"].verdict is Verdict.PASS, report[f"components.{number}"].says
    parts[0] = packed(forged(sign_vc_jwt(cast.award(), signer()), claims={"name": "Master of Everything"}))
    assert "components.1" in failing(cast.verified(cast.signed(document)))


def _issuer(name: str) -> IssuerProfile:
    id = cast.award(name)["issuer"]["id"]
    return next(found for found in (cast.HARBOUR, cast.RHEIN) if found.id == id)


# --- SD-JWT ---

HIDE = (
    "/name",
    "/credentialSubject/achievement/criteria",
    "/credentialSubject/result/0",
    "/credentialSubject/identifier/0",
)


def sd(**options: Any) -> str:
    document = options.pop("document", None) or cast.award(recipient=cast.ZOE)
    given = {"hide": HIDE, "randomness": bytes_in_turn(), "vct": "https://a.example/badge", "holder": HOLDER}
    return sign_sd_jwt(document, signer(), **{**given, **options})


def test_an_sd_jwt_with_everything_shown_holds():
    for vct in ("", "https://a.example/badge"):
        report = verified(sd(vct=vct))
        assert report.verdict is Verdict.PASS, report.to_json()
        assert report["document.shown"].verdict is Verdict.PASS


def test_a_changed_or_added_disclosure_fails():
    token, *shown, end = sd().split("~")
    assert "proof.disclosures" in failing(verified("~".join([token, shown[0], *shown, end])))
    assert "proof.signature" in failing(verified("~".join([forged(token, claims={"iat": 1}), *shown, end])))


def test_what_is_kept_back_and_needed_is_unknown_and_not_failed():
    report = verified(present_sd_jwt(sd(), show=()))
    assert report["document.structure"].verdict is Verdict.UNKNOWN
    assert report["document.shown"].verdict is Verdict.UNKNOWN
    assert report.verdict is Verdict.UNKNOWN
    assert failing(report) == []


def test_what_is_kept_back_and_not_needed_does_no_harm():
    shown = [place for place in HIDE if place != "/credentialSubject/result/0"]
    assert verified(present_sd_jwt(sd(), show=shown)).verdict is Verdict.PASS


def test_whose_it_is_cannot_be_told_while_an_identifier_is_kept_back():
    kept = verified(present_sd_jwt(sd(), show=HIDE[:3]), recipient="zoe.nguyen@example.org")
    assert kept["recipient"].verdict is Verdict.UNKNOWN
    assert verified(sd(), recipient="zoe.nguyen@example.org")["recipient"].verdict is Verdict.PASS
    assert failing(verified(sd(), recipient="mallory@example.org")) == ["recipient"]


def test_an_end_or_a_status_that_may_be_kept_back_is_unknown():
    document = cast.award(status_entry=None, valid_until=None)
    report = verified(present_sd_jwt(sd(document=document), show=HIDE[1:]))
    assert report["status.revocation"].verdict is Verdict.UNKNOWN
    assert report["validity.dates"].verdict is Verdict.UNKNOWN
    whole = verified(sd(document=document))
    assert whole["status.revocation"].verdict is Verdict.NOT_APPLICABLE
    assert whole.verdict is Verdict.PASS


def test_a_holder_cannot_keep_a_status_entry_back_unseen():
    document = cast.award()
    entry = base64url_encode(json.dumps(["salt", document["credentialStatus"]]).encode())
    digest = base64url_encode(hashlib.sha256(entry.encode()).digest())
    for place in (
        {"credentialStatus": [{"...": digest}]},
        {"credentialStatus": [document["credentialStatus"], {"...": digest}]},
    ):
        token = sign_jws({**document, **place, "iss": HARBOUR.id}, signer(), "vc+sd-jwt", "test") + "~"
        report = verified(token)
        assert report["status.hidden"].verdict is Verdict.UNKNOWN
        assert report.verdict is not Verdict.PASS


def test_a_presentation_is_for_one_verifier_and_one_moment():
    options = {"holder": HOLDER, "audience": "https://employer.example", "nonce": "n-1", "at": cast.NOW}
    text = present_sd_jwt(sd(), show=HIDE, **options)
    asked = {"audience": "https://employer.example", "nonce": "n-1"}
    assert verified(text, **asked).verdict is Verdict.PASS
    assert verified(text).verdict is Verdict.PASS
    assert failing(verified(text, **{**asked, "nonce": "n-2"})) == ["proof.holder"]
    assert failing(verified(sd(), **asked)) == ["proof.holder"]
    assert failing(verified(sign_vc_jwt(award(), signer()), **asked)) == ["proof.holder"]


# --- Hostile ---


def test_a_token_with_much_in_it_is_judged_soon():
    big = sign_vc_jwt({**award(), "more": list(range(80_000))}, signer())
    for token in (big, json.dumps(packed(big))):
        start = time.process_time()
        report = verified(token, fetcher=NoNetwork())
        assert report["document.lossless"].verdict is Verdict.UNKNOWN
        assert report.verdict is Verdict.UNKNOWN
        assert time.process_time() - start < 0.5


def test_a_token_with_too_much_in_it_is_one_sentence():
    with pytest.raises(BrokenInput, match="more than 100,000 values"):
        verified(sign_vc_jwt({**award(), "more": list(range(120_000))}, signer()))
    with pytest.raises(BrokenInput, match="does not hold a token"):
        cast.verified({"type": "EnvelopedVerifiableCredential", "id": "data:application/vc+jwt," + "%41" * 600_000})


def test_tokens_in_tokens_are_not_followed_for_ever():
    about_another = {**cast.endorsement()["credentialSubject"], "id": cast.endorsement()["id"]}
    token = endorsement(credentialSubject=about_another)
    for _ in range(4):
        token = endorsement(credentialSubject=about_another, endorsementJwt=[token])
    assert endorsed(endorsement(endorsementJwt=[endorsement(credentialSubject=about_another)])).verdict is Verdict.PASS
    assert endorsed(endorsement(endorsementJwt=[token]))["endorsements.1"].verdict is Verdict.UNKNOWN


# --- Vectors ---


def rows(name: str) -> Any:
    return json.loads((vectors("w3c-vc-jose-cose-suite") / name).read_text())


def suite_world(monkeypatch: pytest.MonkeyPatch) -> None:
    """The suite names its keys by thumbprint and gives them as `vm-*.json`."""
    keys = {}
    for row in rows("inputs.json").items():
        if row[0].startswith("vm-") and "p521" not in row[0]:
            jwk = row[1]["publicKeyJwk"]
            keys[jwk["kid"]] = PublicKey.from_jwk(row[1]["id"], jwk)

    def key(self: World, method: str, issuer: str = "") -> FoundKey:
        return FoundKey(keys.get(method.rpartition("#")[2]), issuer, Verdict.PASS, "Listed by the suite.")

    monkeypatch.setattr(World, "key", key)


SUITE = {
    "credential-jose-minimal.txt": Verdict.PASS,
    "credential-jose-bad-signature.txt": Verdict.FAIL,
    "credential-jose-unknown-extensions.txt": Verdict.UNKNOWN,  # ES512, which is not among the suites here
    "credential-sdjwt-selective.txt": Verdict.PASS,
}


@pytest.mark.parametrize("name", SUITE)
def test_the_tokens_of_the_w3c_suite_get_the_verdict_that_they_deserve(name, monkeypatch):
    suite_world(monkeypatch)
    report = verify_credential(rows("inputs.json")[name].strip().encode(), now=cast.NOW, fetcher=NoNetwork())
    assert report["proof.signature"].verdict is SUITE[name]
    assert report["proof.claims"].verdict is Verdict.PASS
    counted("w3c-vc-jose-cose-suite", name)


def test_the_badge_in_a_token_that_1edtech_baked_holds_but_for_whose_key_it_is():
    baked = json.loads((vectors("1edtech-validator") / "baked.json").read_text())
    (row,) = [row for row in baked if row["name"] == "simple-jwt.svg"]
    report = verify_credential(
        base64.b64decode(row["base64"]), now=datetime(2026, 1, 15, tzinfo=UTC), fetcher=NoNetwork()
    )
    assert failing(report) == []
    assert report["proof.signature"].verdict is Verdict.PASS
    assert report["proof.key_bound"].verdict is Verdict.UNKNOWN
    assert "sub" in report["proof.claims"].says
    assert [f.id for f in report.unknown()] == ["proof.key_bound"]
    counted("1edtech-validator", "simple-jwt.svg")


# --- Status lists in tokens ---


def with_list(token: str) -> Report:
    place = cast.web()
    place.documents[cast.LIST] = token.encode()
    return verified(sign_vc_jwt(award(), signer()), place)


def test_a_status_list_may_come_in_a_token_of_the_issuer():
    listing = json.loads(cast.lists(HARBOUR)[cast.LIST])
    del listing["proof"]
    for form in ("vc-jwt", "vc-jose"):
        assert with_list(sign_vc_jwt(listing, signer(), form=form)).verdict is Verdict.PASS
    revoked = json.loads(cast.lists(HARBOUR, {cast.INDEX: ("revoked", "misconduct")})[cast.LIST])
    del revoked["proof"]
    assert failing(with_list(sign_vc_jwt(revoked, signer()))) == ["status.revocation"]


def test_a_status_list_in_a_token_that_another_signed_or_that_was_changed_tells_nothing():
    listing = json.loads(cast.lists(HARBOUR)[cast.LIST])
    del listing["proof"]
    good = sign_vc_jwt(listing, signer())
    for token in (
        sign_vc_jwt(listing, cast.signer(cast.MALLORY)),
        forged(good, claims={"name": "Other"}),
        resigned(good, signer(), jti="urn:other"),
        f"{good}~",
        "e30.e30.AA",
    ):
        assert with_list(token)["status.revocation"].verdict is Verdict.UNKNOWN


# --- Keys at addresses ---


def test_a_key_that_lies_at_another_address_is_the_issuers_only_if_the_issuer_says_so():
    kid = "https://keys.example/harbour.json"
    token = resigned(sign_vc_jwt(award(), signer("P-256")), signer("P-256"), header={"kid": kid})
    place = cast.web()
    place.documents[kid] = json.dumps(jwk_of(signer("P-256"))).encode()
    report = verified(token, place)
    assert report["proof.signature"].verdict is Verdict.PASS
    assert failing(report) == ["proof.key_bound"]
    listing = web("P-256")
    listing.documents[kid] = place.documents[kid]
    assert verified(token, listing).verdict is Verdict.PASS


# --- More of the suite ---

UNSIGNED = (
    "credential-full.json",
    "credential-minimal.json",
    "credential-selective.json",
    "credential-unknown-extensions.json",
)


@pytest.mark.parametrize("name", UNSIGNED)
def test_each_credential_of_the_w3c_suite_is_signed_and_comes_back_as_it_was(name):
    credential = rows("inputs.json")[name]
    for kind in KINDS:
        token = sign_vc_jwt(credential, signer(kind), form=VC_JOSE)
        assert document_inside(token.encode()) == credential
    counted("w3c-vc-jose-cose-suite", name)


@pytest.mark.parametrize("name", ["presentation-jose-bad-credential.txt", "presentation-single.json"])
def test_a_presentation_of_the_w3c_suite_with_a_bad_credential_in_it_is_never_passed(name):
    found = rows("inputs.json")[name]
    data = found.strip().encode() if isinstance(found, str) else jcs(found)
    assert verify_credential(data, now=cast.NOW, fetcher=NoNetwork()).verdict is not Verdict.PASS
    counted("w3c-vc-jose-cose-suite", name)


def test_the_vc_1_1_token_of_the_openid4vci_response_is_read():
    found = json.loads((vectors("openid") / "openid4vci-1.0-examples.json").read_text())
    text = found["credential_response_jwt_vc_json.txt"]["_text"]
    token = json.loads("".join(text[text.index("{") :].split()))["credentials"][0]["credential"]
    document = document_inside(token.encode())
    assert "VerifiableCredential" in document["type"]
    assert document["issuer"]
    assert verified(token).verdict is not Verdict.PASS
    counted("openid", "openid4vci credential_response_jwt_vc_json")
