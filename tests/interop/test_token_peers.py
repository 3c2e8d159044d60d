"""Tokens of ours judged by others, and theirs by us; each also with a changed copy, which must be refused.

| peer | judges | makes |
|---|---|---|
| jose (npm) | VC-JWT, VC-JOSE-COSE | both |
| joserfc, PyJWT | VC-JWT, VC-JOSE-COSE | both |
| openbadgeslib | VC-JWT | VC-JWT |
| openvc-core | VC 1.1 tokens, SD-JWT VC | both |
| sd-jwt | SD-JWT, key binding | both |

Where a peer differs, and which clause says so, stands in `docs/peers.md`.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from guildmark.core.report import Report, Verdict
from guildmark.credential.envelope import bare_document, open_envelope
from guildmark.credential.jose import VC_11, VC_JOSE, VC_JWT, claims_of, sign_vc_jwt
from guildmark.credential.keys import JOSE_NAMES, PublicKey, SoftwareSigner, jwk_of
from guildmark.credential.open_badge import Recipient
from guildmark.credential.sd_jwt import present_sd_jwt, sign_sd_jwt
from guildmark.credential.verify import verify_credential
from tests.interop import issued
from tests.interop.peers import absent, need_packages, node
from tests.unit.credential import award_cast as cast
from tests.unit.credential.test_sd_jwt import bytes_in_turn
from tests.unit.credential.token_cast import HOLDER, KINDS, forged, parts, signer

pytestmark = [
    pytest.mark.interop,
    pytest.mark.filterwarnings("ignore:EdDSA is deprecated"),  # joserfc prefers the name of RFC 9864
]

AUDIENCE, NONCE = "https://employer.example", "n-0S6_WzA2Mj"
HIDE = ("/name", "/evidence", "/credentialSubject/result/0", "/credentialSubject/achievement/criteria")


@cache
def credential() -> dict[str, Any]:
    """An award to a DID, in force since 2025, with no status list to ask."""
    made = cast.award(
        valid_from=issued.SINCE,
        valid_until=None,
        status_entry=None,
        endorsements=[],
        recipient=Recipient(did="did:example:zoe"),
    )
    return {name: value for name, value in made.items() if name != "relatedResource"}


def module(name: str) -> Any:
    import importlib

    try:
        return importlib.import_module(name)
    except ImportError as problem:
        absent(f"{name} is not installed ({problem})")


def ours(token: str, jwk: Mapping[str, Any], name: str = "#their-key", **options: Any) -> Report:
    """What we find about a token whose key the issuer lists."""
    method = cast.HARBOUR.id + name
    entry = {"id": method, "type": "JsonWebKey", "controller": cast.HARBOUR.id, "publicKeyJwk": dict(jwk)}
    document = {"id": cast.HARBOUR.id, "verificationMethod": [entry], "assertionMethod": [method]}
    place = cast.web()
    place.documents[f"{cast.BASE}/issuers/harbour-university/did.json"] = json.dumps(document).encode()
    return verify_credential(token.encode(), now=datetime.now(UTC), fetcher=place, **options)


def accepted_by_us(token: str, jwk: Mapping[str, Any], **options: Any) -> None:
    """It passes, and each of three changed copies fails."""
    report = ours(token, jwk, **options)
    assert report.verdict is Verdict.PASS, report.to_json()
    for copy in tampered(token):
        assert ours(copy, jwk, **options).verdict is Verdict.FAIL


def tampered(token: str) -> list[str]:
    """Changed copies: another name, another signature, another header."""
    head, _, tail = token.partition("~")
    _, _, signature = parts(head)
    turned = signature[:20] + ("A" if signature[20] != "A" else "B") + signature[21:]
    rest = f"~{tail}" if tail or token.endswith("~") else ""
    return [
        forged(head, claims={"awardedDate": "2001-01-01T00:00:00Z"}) + rest,
        head.rpartition(".")[0] + "." + turned + rest,
        forged(head, header={"alg": "none"}).rpartition(".")[0] + "." + rest,
    ]


# --- VC-JWT and VC-JOSE-COSE: the JOSE libraries ---

Judge = Callable[[str, dict[str, str], str], dict[str, Any]]


def by_joserfc(token: str, jwk: dict[str, str], alg: str) -> dict[str, Any]:
    """The claims; an exception if it refuses."""
    jws, keys = module("joserfc.jws"), module("joserfc.jwk")
    registry = jws.JWSRegistry(algorithms=[alg])
    registry.max_payload_length = 1_000_000
    found = jws.deserialize_compact(token, keys.import_key(jwk), registry=registry)
    claims: dict[str, Any] = json.loads(found.payload)
    return claims


def by_pyjwt(token: str, jwk: dict[str, str], alg: str) -> dict[str, Any]:
    jwt = module("jwt")
    claims: dict[str, Any] = jwt.decode(token, jwt.PyJWK(jwk, algorithm=alg).key, algorithms=[alg])
    return claims


JUDGES: dict[str, Judge] = {"joserfc": by_joserfc, "PyJWT": by_pyjwt}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("form", [VC_JWT, VC_JOSE])
@pytest.mark.parametrize("peer", JUDGES)
def test_a_token_of_ours_is_accepted_and_changed_copies_are_refused(peer, form, kind):
    token, jwk, alg = sign_vc_jwt(credential(), signer(kind), form=form), jwk_of(signer(kind)), JOSE_NAMES[kind]
    claims = JUDGES[peer](token, jwk, alg)
    assert {**claims, **credential()} == claims
    for copy in tampered(token):
        with pytest.raises(Exception, match=r".+"):
            JUDGES[peer](copy, jwk, alg)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("form", [VC_JWT, VC_JOSE])
def test_a_token_of_joserfc_and_one_of_pyjwt_are_accepted_and_changed_copies_are_refused(form, kind):
    jws, keys, jwt = module("joserfc.jws"), module("joserfc.jwk"), module("jwt")
    alg = JOSE_NAMES[kind]
    payload = {**credential(), **(claims_of(credential()) if form == VC_JWT else {})}
    header = {"alg": alg, "kid": f"{cast.HARBOUR.id}#their-key", "typ": "JWT" if form == VC_JWT else "vc+jwt"}
    name, size = {"Ed25519": ("OKP", "Ed25519"), "RSA": ("RSA", 2048)}.get(kind, ("EC", kind))
    key = keys.generate_key(name, size)
    theirs = jws.serialize_compact(header, json.dumps(payload), key, registry=jws.JWSRegistry(algorithms=[alg]))
    accepted_by_us(theirs, key.as_dict(private=False))
    pem = key.as_pem(private=True)
    accepted_by_us(jwt.encode(payload, pem, algorithm=alg, headers=header), key.as_dict(private=False))


def test_jose_accepts_our_tokens_and_refuses_changed_copies(tmp_path):
    need_packages("jose")
    tasks = []
    for kind in KINDS:
        for form in (VC_JWT, VC_JOSE):
            token = sign_vc_jwt(credential(), signer(kind), form=form)
            for copy in (token, *tampered(token)):
                tasks.append({"token": copy, "jwk": jwk_of(signer(kind)), "alg": JOSE_NAMES[kind]})
    answers = _jose(tmp_path, verify=tasks)["verify"]
    assert [answer["accepted"] for answer in answers] == [True, False, False, False] * (len(tasks) // 4), answers
    for answer in answers[::4]:
        assert {**answer["claims"], **credential()} == answer["claims"]


def test_tokens_of_jose_are_accepted_and_changed_copies_are_refused(tmp_path):
    need_packages("jose")
    kid, tasks = f"{cast.HARBOUR.id}#their-key", []
    for alg in JOSE_NAMES.values():
        tasks.append({"header": {"alg": alg, "kid": kid, "typ": "vc+jwt"}, "payload": credential()})
        payload = {**credential(), **claims_of(credential())}
        tasks.append({"header": {"alg": alg, "kid": kid, "typ": "JWT"}, "payload": payload})
    answers = _jose(tmp_path, sign=tasks)["sign"]
    assert len(answers) == len(tasks)
    for answer in answers:
        accepted_by_us(answer["token"], answer["jwk"])


def _jose(folder: Path, **tasks: Any) -> dict[str, Any]:
    file = folder / "tasks.json"
    file.write_text(json.dumps(tasks))
    return node("tokens.mjs", file)


# --- openbadgeslib ---


def _pem(signer: SoftwareSigner) -> bytes:
    """A private key of ours as others take it."""
    if signer.algorithm == "RSA":
        key: Any = serialization.load_der_private_key(signer.private_key, password=None)
    elif signer.algorithm == "Ed25519":
        key = ed25519.Ed25519PrivateKey.from_private_bytes(signer.private_key)
    else:
        curve = ec.SECP256R1() if signer.algorithm == "P-256" else ec.SECP384R1()
        key = ec.derive_private_key(int.from_bytes(signer.private_key), curve)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _public_pem(signer: SoftwareSigner) -> bytes:
    key: Any = serialization.load_pem_private_key(_pem(signer), password=None)
    return key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


@pytest.mark.parametrize("kind", ["RSA", "P-256", "Ed25519"])
def test_openbadgeslib_accepts_our_tokens_and_refuses_changed_copies(kind):
    verifier = module("openbadgeslib.ob3.verifier")
    judge = verifier.OB3Verifier(_public_pem(signer(kind)))
    token = sign_vc_jwt(credential(), signer(kind))
    assert judge.verify(token).issuer.id == cast.HARBOUR.id
    for copy in tampered(token):
        with pytest.raises(verifier.OB3VerificationError):
            judge.verify(copy)


@pytest.mark.parametrize("kind", ["RSA", "P-256", "Ed25519"])
def test_tokens_of_openbadgeslib_are_accepted_and_changed_copies_are_refused(kind):
    made, theirs = module("openbadgeslib.ob3.credential"), module("openbadgeslib.ob3.signer")
    badge = made.OpenBadgeCredential(
        issuer=made.Issuer(id=cast.HARBOUR.id, name="Harbour University"),
        recipient_id="did:example:zoe",
        achievement=made.Achievement(
            id="https://a.example/achievements/1", name="A", description="B", criteria_narrative="C"
        ),
        id="urn:uuid:c0000000-0000-4000-8000-00000000abcd",
        name="A badge",
        issuance_date=issued.SINCE,
    )
    token = theirs.OB3Signer(_pem(signer(kind)), JOSE_NAMES[kind]).sign(badge)
    accepted_by_us(token, jwk_of(signer(kind)))


# --- openvc-core ---


class _OpenvcKey:
    """A key of ours as openvc-core asks for one."""

    def __init__(self, signer: SoftwareSigner, kid: str = "") -> None:
        self.alg, self.kid, self.sign = JOSE_NAMES[signer.algorithm], kid or signer.key_id, signer.sign


def test_openvc_checks_the_signature_of_our_tokens_and_refuses_changed_copies():
    keys = module("openvc.keys")
    for kind in ("Ed25519", "P-256", "P-384"):
        token = sign_vc_jwt(credential(), signer(kind))
        jwk, alg = jwk_of(signer(kind)), JOSE_NAMES[kind]

        def holds(text: str, jwk: dict[str, str] = jwk, alg: str = alg) -> bool:
            signed, _, signature = text.rpartition(".")
            raw = base64.urlsafe_b64decode(signature + "==")
            return bool(keys.verify_signature(alg=alg, public_jwk=jwk, signing_input=signed.encode(), signature=raw))

        assert holds(token)
        assert not any(holds(copy) for copy in tampered(token)[:2])


def test_openvc_refuses_a_payload_that_is_the_credential_for_no_other_reason():
    # docs/peers.md: it asks for “vc”, which VC-JOSE-COSE 1.0, 3.1.1 forbids and Open Badges 3.0 does not have.
    suites = module("openvc.proof.vc_jwt")
    token = sign_vc_jwt(credential(), signer("P-256"))
    with pytest.raises(suites.ClaimsInvalid, match="no embedded `vc` object"):
        suites.VcJwtProofSuite().verify(token, public_key_jwk=jwk_of(signer("P-256")))


@pytest.mark.parametrize("kind", ["Ed25519", "P-256", "P-384"])
def test_a_vc_1_1_token_of_openvc_is_accepted_and_changed_copies_are_refused(kind, monkeypatch):
    suites = module("openvc.proof.vc_jwt")
    monkeypatch.setattr(suites.time, "time", issued.SINCE.timestamp)  # it takes the moment of signing for `nbf`
    key = _OpenvcKey(signer(kind), f"{cast.HARBOUR.id}#their-key")
    token = suites.VcJwtProofSuite().sign(credential(), signing_key=key)
    monkeypatch.undo()
    assert open_envelope(token).form == VC_11
    assert bare_document(open_envelope(token)) == credential()
    report = ours(token, jwk_of(signer(kind)))
    assert report.verdict is Verdict.PASS, report.to_json()
    changed = parts(token)[1]["vc"] | {"awardedDate": "2001-01-01T00:00:00Z"}
    for copy in (forged(token, claims={"vc": changed}), *tampered(token)[1:]):
        assert ours(copy, jwk_of(signer(kind))).verdict is Verdict.FAIL


def test_an_sd_jwt_vc_of_ours_is_accepted_by_openvc_and_changed_copies_are_refused():
    suites = module("openvc.proof.sd_jwt")
    errors = module("openvc.errors")
    for kind in ("Ed25519", "P-256", "P-384"):
        for vct in ("https://a.example/badge", ""):
            jwk = jwk_of(signer(kind))
            whole = sd_jwt(kind, vct)
            for shown in (whole, present_sd_jwt(whole, show=HIDE[:2])):
                suites.SdJwtVcProofSuite().verify(shown, public_key_jwk=jwk)
                for copy in (*tampered(shown), other_disclosure(shown), f"{shown}{shown.split('~')[1]}~"):
                    with pytest.raises(errors.OpenvcError):
                        suites.SdJwtVcProofSuite().verify(copy, public_key_jwk=jwk)


def test_a_presentation_of_ours_is_accepted_by_openvc_for_its_audience_only():
    suites, errors = module("openvc.proof.sd_jwt"), module("openvc.errors")
    text = presentation()
    options = {"public_key_jwk": jwk_of(signer("P-256")), "require_key_binding": True}
    assert suites.SdJwtVcProofSuite().verify(text, audience=AUDIENCE, nonce=NONCE, **options).key_bound
    for changes in ({"audience": "https://other.example", "nonce": NONCE}, {"audience": AUDIENCE, "nonce": "other"}):
        with pytest.raises(errors.OpenvcError):
            suites.SdJwtVcProofSuite().verify(text, **changes, **options)


def test_an_sd_jwt_vc_of_openvc_is_accepted_and_changed_copies_are_refused():
    suites = module("openvc.proof.sd_jwt")
    suite = suites.SdJwtVcProofSuite()
    for kind in ("Ed25519", "P-256", "P-384"):
        key = _OpenvcKey(signer(kind), f"{cast.HARBOUR.id}#their-key")
        claims = {**credential(), "iss": cast.HARBOUR.id}
        token = suite.issue(
            claims,
            signing_key=key,
            disclosable=["name", "evidence"],
            holder_jwk=jwk_of(HOLDER),
            vct="https://a.example/badge",
            decoys=2,
        )
        report = ours(token, jwk_of(signer(kind)))
        assert report.failed() == ()
        assert bare_document(open_envelope(token)) == credential()
        for copy in (*tampered(token), other_disclosure(token)):
            assert ours(copy, jwk_of(signer(kind))).verdict is Verdict.FAIL
        shown = suite.create_presentation(token, holder_key=_OpenvcKey(HOLDER), audience=AUDIENCE, nonce=NONCE)
        asked = {"audience": AUDIENCE, "nonce": NONCE}
        assert ours(shown, jwk_of(signer(kind)), **asked)["proof.holder"].verdict is Verdict.PASS
        asked["nonce"] = "other"
        assert ours(shown, jwk_of(signer(kind)), **asked)["proof.holder"].verdict is Verdict.FAIL


# --- sd-jwt, the reference implementation ---


HELD = SoftwareSigner(b"\x09" * 32, "did:example:zoe#p-256", "P-256")
"""The holder's key; the reference implementation takes ES256 for it and nothing else."""


def sd_jwt(kind: str, vct: str = "https://a.example/badge") -> str:
    return sign_sd_jwt(
        credential(), signer(kind), hide=HIDE, randomness=bytes_in_turn(), vct=vct, holder=HELD, decoys=1
    )


def presentation() -> str:
    return present_sd_jwt(
        sd_jwt("P-256"), show=HIDE[:1], holder=HELD, audience=AUDIENCE, nonce=NONCE, at=datetime.now(UTC)
    )


def other_disclosure(text: str) -> str:
    """The same with another value in its first disclosure."""
    token, first, *rest = text.split("~")
    value = json.loads(base64.urlsafe_b64decode(first + "=="))
    value[-1] = "a value that nobody signed"
    made = base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()
    return "~".join([token, made, *rest])


def _jwcrypto(jwk: Mapping[str, Any]) -> Any:
    return module("jwcrypto.jwk").JWK(**jwk)


def by_sd_jwt(text: str, jwk: Mapping[str, Any], **options: Any) -> dict[str, Any]:
    verifier = module("sd_jwt.verifier").SDJWTVerifier(text, lambda issuer, header: _jwcrypto(jwk), **options)
    payload: dict[str, Any] = verifier.get_verified_payload()
    return payload


@pytest.mark.parametrize("kind", ["P-256", "P-384", "Ed25519", "RSA"])
def test_an_sd_jwt_of_ours_is_accepted_by_the_reference_and_changed_copies_are_refused(kind):
    jwk = jwk_of(signer(kind))
    whole = sd_jwt(kind)
    payload = by_sd_jwt(whole, jwk)
    assert {name: payload[name] for name in credential()} == credential()
    part = by_sd_jwt(present_sd_jwt(whole, show=HIDE[:1]), jwk)
    assert part["name"] == credential()["name"]
    assert "evidence" not in part
    for copy in (*tampered(whole)[:2], f"{whole}{whole.split('~')[1]}~"):
        with pytest.raises(Exception, match=r".+"):
            by_sd_jwt(copy, jwk)
    # docs/peers.md: a disclosure that belongs to no digest is left out, where RFC 9901, 7.1 step 5 asks to refuse it.
    lenient = by_sd_jwt(other_disclosure(whole), jwk)
    assert "that nobody signed" not in json.dumps(lenient)


def test_a_presentation_of_ours_is_accepted_by_the_reference_for_its_audience_only():
    jwk = jwk_of(signer("P-256"))
    options = {"expected_aud": AUDIENCE, "expected_nonce": NONCE}
    assert by_sd_jwt(presentation(), jwk, **options)["name"] == credential()["name"]
    for change in ({"expected_aud": "https://other.example"}, {"expected_nonce": "other"}):
        with pytest.raises(Exception, match=r".+"):
            by_sd_jwt(presentation(), jwk, **{**options, **change})


def test_an_sd_jwt_of_the_reference_is_accepted_and_changed_copies_are_refused():
    issuer, common = module("sd_jwt.issuer"), module("sd_jwt.common")
    jwk = module("jwcrypto.jwk")
    key = jwk.JWK.generate(kty="EC", crv="P-256")
    held = jwk.JWK.generate(kty="EC", crv="P-256")
    claims: dict[str, Any] = {**credential(), "iss": cast.HARBOUR.id, "vct": "https://a.example/badge"}
    claims[common.SDObj("name")] = claims.pop("name")
    claims["evidence"] = [common.SDObj(entry) for entry in claims["evidence"]]
    header = {"typ": "dc+sd-jwt", "kid": f"{cast.HARBOUR.id}#their-key"}
    made = issuer.SDJWTIssuer(claims, key, held, add_decoy_claims=False, extra_header_parameters=header)
    whole, public = made.sd_jwt_issuance, key.export_public(as_dict=True)
    report = ours(whole, public)
    assert report.verdict is Verdict.PASS, report.to_json()
    assert bare_document(open_envelope(whole)) == credential()
    for copy in (*tampered(whole), other_disclosure(whole)):
        assert ours(copy, public).verdict is Verdict.FAIL
    holder = module("sd_jwt.holder").SDJWTHolder(whole)
    holder.create_presentation({"name": True}, NONCE, AUDIENCE, held)
    shown = ours(holder.sd_jwt_presentation, public, audience=AUDIENCE, nonce=NONCE)
    assert shown["proof.holder"].verdict is Verdict.PASS, shown["proof.holder"].says
    assert shown["document.shown"].verdict is Verdict.UNKNOWN
    assert shown.failed() == ()


def test_the_keys_of_the_cast_are_the_same_to_all():
    for kind in KINDS:
        again = PublicKey.from_jwk("did:example:a#1", jwk_of(signer(kind)))
        assert again.public_key == signer(kind).public_key
