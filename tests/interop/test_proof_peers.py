"""Data Integrity proofs, baked images and status lists of ours judged by others, and theirs by us; each also with
changed copies, which must be refused.

| peer | judges | makes |
|---|---|---|
| openvc-core | five cryptosuites | five cryptosuites |
| openbadgeslib | eddsa-rdfc-2022, ecdsa-sd-2023, PNG, SVG, encoded lists | eddsa-rdfc-2022, PNG, SVG, encoded lists |
| @digitalcredentials/vc | with verifier-core, in test_npm_peers.py | eddsa-rdfc-2022 |

@digitalbazaar/vc and @digitalcredentials/verifier-core are in test_npm_peers.py, tokens in test_token_peers.py.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from guildmark.core.codecs import jcs
from guildmark.core.report import Report, Verdict
from guildmark.credential.badge_image import badge_png, badge_svg
from guildmark.credential.bake import bake, extract
from guildmark.credential.disclosure import disclose, sign_selectively
from guildmark.credential.jose import sign_vc_jwt
from guildmark.credential.jsonld import context_sets
from guildmark.credential.keys import JOSE_NAMES, SoftwareSigner, jwk_of
from guildmark.credential.proof import sign_document
from guildmark.credential.status import decode_list, encode_list, read_bit
from guildmark.credential.verify import verify_credential
from tests.interop import issued
from tests.interop.peers import need_packages, node
from tests.interop.test_token_peers import _OpenvcKey, _pem, _public_pem, credential, module
from tests.unit.credential import award_cast as cast
from tests.unit.credential.token_cast import signer

pytestmark = pytest.mark.interop

METHOD = f"{cast.HARBOUR.id}#their-key"

# suite -> (module and class of openvc-core, kinds of key)
SUITES = {
    "eddsa-rdfc-2022": ("data_integrity", "DataIntegrityProofSuite", ("Ed25519",)),
    "eddsa-jcs-2022": ("di_jcs", "EddsaJcsProofSuite", ("Ed25519",)),
    "ecdsa-rdfc-2019": ("di_ecdsa_rdfc", "EcdsaRdfcProofSuite", ("P-256", "P-384")),
    "ecdsa-jcs-2019": ("di_jcs", "EcdsaJcsProofSuite", ("P-256", "P-384")),
}
EACH = [
    (suite, kind)
    for suite, (_, _, kinds) in SUITES.items()
    for kind in kinds
    if (suite, kind) != ("ecdsa-rdfc-2019", "P-384")
]


def openvc(suite: str) -> Any:
    place, name, _ = SUITES[suite]
    return getattr(module(f"openvc.proof.{place}"), name)()


def contexts(suite: str) -> dict[str, Any]:
    """The contexts that openvc-core does not bring along, for the suites that read JSON-LD: those of Open Badges."""
    return {} if "-jcs-" in suite else {"extra_contexts": dict(context_sets()[0].documents)}


def by(kind: str) -> SoftwareSigner:
    """Our key of a kind under the name that the tests of tokens list it by."""
    key = signer(kind)
    return SoftwareSigner(key.private_key, METHOD, kind)


def ours(document: Any, kind: str) -> Report:
    """What we find about a document whose key the issuer lists."""
    entry = {"id": METHOD, "type": "JsonWebKey", "controller": cast.HARBOUR.id, "publicKeyJwk": jwk_of(signer(kind))}
    listed = {"id": cast.HARBOUR.id, "verificationMethod": [entry], "assertionMethod": [METHOD]}
    place = cast.web()
    place.documents[f"{cast.BASE}/issuers/harbour-university/did.json"] = json.dumps(listed).encode()
    body = document if isinstance(document, bytes) else jcs(document)
    return verify_credential(body, now=datetime.now(UTC), fetcher=place)


CHANGES: tuple[tuple[tuple[str | int, ...], Any], ...] = (
    (("credentialSubject", "achievement", "name"), "Master of Everything"),
    (("credentialSubject", "creditsEarned"), 60),
    (("validUntil",), "2099-01-01T00:00:00Z"),
    (("proof", "created"), "2025-01-02T09:00:00Z"),
    (("distinction",), "with honours"),
)


def changed(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [issued.changed(document, *path, to=to) for path, to in CHANGES]


# --- openvc-core ---


@pytest.mark.parametrize(("suite", "kind"), EACH)
def test_openvc_accepts_a_proof_of_ours_and_refuses_changed_copies(suite, kind):
    errors, judge, jwk = module("openvc.errors"), openvc(suite), jwk_of(signer(kind))
    document = sign_document(credential(), by(kind), created=issued.SINCE, cryptosuite=suite)
    assert judge.verify(document, public_key_jwk=jwk, **contexts(suite)).issuer == cast.HARBOUR.id
    for copy in changed(document):
        with pytest.raises(errors.OpenvcError):
            judge.verify(copy, public_key_jwk=jwk, **contexts(suite))


@pytest.mark.parametrize(("suite", "kind"), EACH)
def test_a_proof_of_openvc_is_accepted_and_changed_copies_are_refused(suite, kind):
    key = _OpenvcKey(signer(kind), METHOD)
    made = openvc(suite).add_proof(
        credential(), signing_key=key, verification_method=METHOD, created=issued.SINCE, **contexts(suite)
    )
    if "-jcs-" in suite:
        # docs/peers.md: it signs the proof with the document's contexts, and leaves them out of what it gives.
        assert ours(made, kind)["proof.signature"].verdict is Verdict.FAIL
        made["proof"]["@context"] = made["@context"]
    report = ours(made, kind)
    assert report.verdict is Verdict.PASS, report.to_json()
    assert report["proof.signature"].because["suite"] == suite
    for copy in changed(made):
        assert ours(copy, kind).verdict is Verdict.FAIL


def without_unnamed_nodes() -> dict[str, Any]:
    """A credential in which every node but one has an id, so that no hash has to tell them apart."""
    whole = credential()
    achievement = {"id": "https://a.example/1", "type": ["Achievement"], "name": "A", "description": "B"}
    return {
        **{name: whole[name] for name in ("@context", "id", "type", "name", "validFrom")},
        "issuer": cast.HARBOUR.id,
        "credentialSubject": {
            "id": "did:example:zoe",
            "type": ["AchievementSubject"],
            "achievement": {**achievement, "criteria": {"id": "https://a.example/1/criteria"}},
        },
    }


def test_openvc_and_we_agree_on_p384_where_no_unnamed_nodes_have_to_be_told_apart():
    # docs/peers.md: it tells them apart by SHA-256, whatever the key is.
    errors, judge, jwk = module("openvc.errors"), openvc("ecdsa-rdfc-2019"), jwk_of(signer("P-384"))
    options = contexts("ecdsa-rdfc-2019")
    key = _OpenvcKey(signer("P-384"), METHOD)
    document = sign_document(without_unnamed_nodes(), by("P-384"), created=issued.SINCE, cryptosuite="ecdsa-rdfc-2019")
    judge.verify(document, public_key_jwk=jwk, **options)
    theirs = judge.add_proof(
        without_unnamed_nodes(), signing_key=key, verification_method=METHOD, created=issued.SINCE, **options
    )
    assert ours(theirs, "P-384").verdict is Verdict.PASS
    for copy in (issued.changed(document, "name", to="Master"), issued.changed(document, "issuer", to="did:example:x")):
        with pytest.raises(errors.OpenvcError):
            judge.verify(copy, public_key_jwk=jwk, **options)
        assert ours({**copy, "proof": theirs["proof"]}, "P-384").verdict is Verdict.FAIL
    whole = sign_document(credential(), by("P-384"), created=issued.SINCE, cryptosuite="ecdsa-rdfc-2019")
    with pytest.raises(errors.OpenvcError, match="does not verify"):
        judge.verify(whole, public_key_jwk=jwk, **options)


SD = contexts("ecdsa-sd-2023")
ALWAYS = ("/issuer", "/validFrom")
SHOWN = ("/credentialSubject/achievement/name", "/name")


def test_openvc_accepts_what_a_holder_of_ours_shows_and_refuses_changed_copies():
    errors, judge = module("openvc.errors"), module("openvc.proof.ecdsa_sd").EcdsaSdProofSuite()
    once = SoftwareSigner(b"\x08" * 32, "urn:once", "P-256")
    base = sign_selectively(
        credential(), by("P-256"), created=issued.SINCE, mandatory=ALWAYS, once=once, hmac_key=bytes(32)
    )
    shown, jwk = disclose(base, SHOWN), jwk_of(signer("P-256"))
    assert "evidence" not in shown
    judge.verify(shown, public_key_jwk=jwk, **SD)
    with pytest.raises(errors.OpenvcError):
        judge.verify(issued.changed(shown, "name", to="Master of Everything"), public_key_jwk=jwk, **SD)


def test_what_a_holder_shows_of_a_base_proof_of_openvc_is_accepted_and_changed_copies_are_refused():
    errors, suite = module("openvc.errors"), module("openvc.proof.ecdsa_sd").EcdsaSdProofSuite()
    key = _OpenvcKey(signer("P-256"), METHOD)
    base = suite.add_base_proof(
        without_unnamed_nodes(),
        signing_key=key,
        verification_method=METHOD,
        mandatory_pointers=ALWAYS,
        created=issued.SINCE,
        **SD,
    )
    shown = disclose(base, SHOWN)
    suite.verify(shown, public_key_jwk=jwk_of(signer("P-256")), **SD)
    assert ours(shown, "P-256")["proof.signature"].verdict is Verdict.PASS
    copy = issued.changed(shown, "name", to="Master of Everything")
    assert ours(copy, "P-256")["proof.signature"].verdict is Verdict.FAIL
    suite.verify(suite.derive_proof(base, selective_pointers=SHOWN, **SD), public_key_jwk=jwk_of(signer("P-256")), **SD)
    # docs/peers.md: where two nodes have no id, its own holder cannot show a part of what it signed.
    subject = without_unnamed_nodes()["credentialSubject"]
    unnamed = {**subject, "achievement": {**subject["achievement"], "criteria": {"narrative": "C"}}}
    other = suite.add_base_proof(
        {**without_unnamed_nodes(), "issuer": credential()["issuer"], "credentialSubject": unnamed},
        signing_key=key,
        verification_method=METHOD,
        mandatory_pointers=ALWAYS,
        created=issued.SINCE,
        **SD,
    )
    assert ours(disclose(other, SHOWN), "P-256")["proof.signature"].verdict is Verdict.PASS
    with pytest.raises(errors.OpenvcError, match="no matching base signature"):
        suite.derive_proof(other, selective_pointers=SHOWN, **SD)


# --- openbadgeslib ---


def test_openbadgeslib_accepts_a_proof_of_ours_and_refuses_changed_copies():
    ldp, verifier = module("openbadgeslib.ob3.ldp"), module("openbadgeslib.ob3.verifier")
    judge = ldp.OB3LdpVerifier(_public_pem(signer("Ed25519")))
    document = sign_document(credential(), by("Ed25519"), created=issued.SINCE)
    assert judge.verify(document).issuer.id == cast.HARBOUR.id
    for copy in changed(document):
        with pytest.raises(verifier.OB3VerificationError):
            judge.verify(copy)


def their_badge() -> Any:
    made = module("openbadgeslib.ob3.credential")
    return made.OpenBadgeCredential(
        issuer=made.Issuer(id=cast.HARBOUR.id, name="Harbour University"),
        recipient_id="did:example:zoe",
        achievement=made.Achievement(
            id="https://a.example/achievements/1", name="A", description="B", criteria_narrative="C"
        ),
        id="urn:uuid:c0000000-0000-4000-8000-00000000abcd",
        name="A badge",
        issuance_date=issued.SINCE,
    )


def test_a_proof_of_openbadgeslib_is_accepted_and_changed_copies_are_refused():
    signing = module("openbadgeslib.ob3.ldp").OB3LdpSigner(_pem(signer("Ed25519")), METHOD)
    document = signing.sign(their_badge(), created=issued.SINCE)
    report = ours(document, "Ed25519")
    assert report.verdict is Verdict.PASS, report.to_json()
    for path, to in (
        (("credentialSubject", "achievement", "name"), "Master of Everything"),
        (("validUntil",), "2099-01-01T00:00:00Z"),
        (("proof", "created"), "2025-01-02T09:00:00Z"),
    ):
        assert ours(issued.changed(document, *path, to=to), "Ed25519").verdict is Verdict.FAIL


SVG = badge_svg(title="Data", issuer_name=cast.HARBOUR.name, issuer_id=cast.HARBOUR.id)
IMAGES = {"png": badge_png(SVG), "svg": SVG.encode()}


@pytest.mark.parametrize("form", ["proof", "token"])
@pytest.mark.parametrize("kind", IMAGES)
def test_what_we_bake_openbadgeslib_takes_out_byte_for_byte(kind, form):
    judge = module("openbadgeslib.ob3.verifier").OB3Verifier
    document = sign_document(credential(), by("Ed25519"), created=issued.SINCE)
    body = jcs(document) if form == "proof" else sign_vc_jwt(credential(), signer("Ed25519")).encode()
    take_out = judge.extract_token_from_png if kind == "png" else judge.extract_token_from_svg
    found = take_out(bake(IMAGES[kind], body))
    assert (found if isinstance(found, bytes) else found.encode()) == body


@pytest.mark.parametrize("form", ["proof", "token"])
@pytest.mark.parametrize("kind", IMAGES)
def test_what_openbadgeslib_bakes_is_taken_out_and_holds_and_a_damaged_copy_does_not(kind, form):
    if form == "proof":
        signing = module("openbadgeslib.ob3.ldp").OB3LdpSigner(_pem(signer("Ed25519")), METHOD)
    else:
        signing = module("openbadgeslib.ob3.signer").OB3Signer(_pem(signer("Ed25519")), JOSE_NAMES["Ed25519"])
    make = signing.sign_into_png if kind == "png" else signing.sign_into_svg
    image = make(their_badge(), IMAGES[kind])
    inside = extract(image)
    report = ours(image, "Ed25519")
    assert report["proof.signature"].verdict is Verdict.PASS or form == "token", report.to_json()
    assert report.verdict is ours(inside, "Ed25519").verdict
    if form == "proof":
        assert report.verdict is Verdict.PASS, report.to_json()
        copy = bake(image, inside.replace(b"A badge", b"B badge"), overwrite=True)
        assert ours(copy, "Ed25519").verdict is Verdict.FAIL


def test_each_reads_the_encoded_list_of_the_other_and_sees_a_changed_bit():
    theirs, reading = module("openbadgeslib.ob3.status_list"), module("openbadgeslib.ob3.status")
    bits = bytearray(131_072 // 8)
    for index in (0, 7, 94_567, 131_071):
        bits[index // 8] |= 0x80 >> index % 8
    assert reading.decode_encoded_list(encode_list(bytes(bits))) == bytes(bits)
    found = decode_list(theirs.encode_bitstring([0, 7, 94_567, 131_071]))
    assert found == bytes(bits)
    assert not read_bit(decode_list(theirs.encode_bitstring([0, 7, 131_071])), 94_567)


# --- @digitalcredentials/vc ---


def test_a_proof_of_the_consortium_is_accepted_and_changed_copies_are_refused(tmp_path):
    need_packages("@digitalcredentials/vc", "@digitalcredentials/eddsa-rdfc-2022-cryptosuite")
    file = tmp_path / "credential.json"
    file.write_bytes(jcs(credential()))
    document = node("issue_dcc.mjs", file)["credential"]
    report = ours(document, "Ed25519")
    assert report.verdict is Verdict.PASS, report.to_json()
    assert report["proof.signature"].because["suite"] == "eddsa-rdfc-2022"
    for copy in changed(document):
        assert ours(copy, "Ed25519").verdict is Verdict.FAIL
