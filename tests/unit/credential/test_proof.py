"""Proofs: the vectors of others hold, what we sign holds for others, and whatever is changed is noticed or named."""

from __future__ import annotations

import copy
import hashlib
import json
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st
from openvc.errors import OpenvcError
from openvc.keys import Ed25519SigningKey, P256SigningKey, P384SigningKey
from openvc.proof.data_integrity import DataIntegrityProofSuite
from openvc.proof.di_ecdsa_rdfc import EcdsaRdfcProofSuite
from openvc.proof.di_jcs import EcdsaJcsProofSuite, EddsaJcsProofSuite
from tests.paths import counted, vectors
from tests.unit.credential.award_cast import HARBOUR, award, did_documents, signed_award, signer
from tests.unit.credential.others import (
    EXAMPLES,
    NOW,
    alone,
    changed,
    places,
    signer_in_vector,
    signer_of,
    small,
    vector,
    w3c_sets,
    without,
)

from guildmark.core.codecs import (
    base64url_encode,
    jcs,
    multibase_decode,
    multibase_encode,
    multikey_encode,
    parse_iso,
)
from guildmark.core.doors import Document, NoNetwork
from guildmark.core.errors import BrokenInput, OutsideFailure
from guildmark.core.report import Verdict
from guildmark.credential.did import did_key
from guildmark.credential.jsonld import OPEN_BADGES, context_sets, to_dataset
from guildmark.credential.keys import PublicKey, SoftwareSigner, jwk_of
from guildmark.credential.proof import MOST_PROOFS, check_proofs, sign_document
from guildmark.credential.rdfc import canonicalize
from guildmark.credential.resolve import FoundKey, find_key

PASS, FAIL, UNKNOWN = Verdict.PASS, Verdict.FAIL, Verdict.UNKNOWN
SECRET = hashlib.sha256(b"a key for these tests").digest()
_PUBLIC = SoftwareSigner(SECRET, "x:y").public_key
METHOD = f"{did_key(_PUBLIC)}#{multikey_encode('Ed25519', _PUBLIC)}"
SIGNER = SoftwareSigner(SECRET, METHOD)


def signed(document=None, **options):
    return sign_document(document or small(), SIGNER, **{"created": NOW, **options})


def check(document, find=alone, **options):
    """The check of a document with one proof."""
    (found,) = check_proofs(document, find, **{"now": NOW, **options})
    return found


def reproof(document, **members):
    """The document with members of its proof changed; None takes one away."""
    proof = {**document["proof"], **members}
    return {**document, "proof": {key: value for key, value in proof.items() if value is not None}}


# --- W3C and 1EdTech ------------------------------------------------------------------------------------

# file -> (the signed document in it, its suite, its kind of key)
SUITES = {
    "w3c-vc-di-eddsa/eddsa-rdfc-2022.json": ("eddsa-rdfc-2022/signedDataInt.json", "eddsa-rdfc-2022", "Ed25519"),
    "w3c-vc-di-eddsa/eddsa-rdfc-2022-employ.json": (
        "eddsa-rdfc-2022/employ/signedDataInt.json",
        "eddsa-rdfc-2022",
        "Ed25519",
    ),
    "w3c-vc-di-eddsa/eddsa-jcs-2022.json": ("eddsa-jcs-2022/signedJCS.json", "eddsa-jcs-2022", "Ed25519"),
    "w3c-vc-di-eddsa/Ed25519Signature2020.json": (
        "Ed25519Signature2020/signedEdSig.json",
        "Ed25519Signature2020",
        "Ed25519",
    ),
    "w3c-vc-di-ecdsa/ecdsa-rdfc-2019-p256.json": (
        "ecdsa-rdfc-2019-p256/signedECDSAP256.json",
        "ecdsa-rdfc-2019",
        "P-256",
    ),
    "w3c-vc-di-ecdsa/ecdsa-rdfc-2019-p256-employ.json": (
        "ecdsa-rdfc-2019-p256/employ/signedECDSAP256.json",
        "ecdsa-rdfc-2019",
        "P-256",
    ),
    "w3c-vc-di-ecdsa/ecdsa-rdfc-2019-p384.json": (
        "ecdsa-rdfc-2019-p384/signedECDSAP384.json",
        "ecdsa-rdfc-2019",
        "P-384",
    ),
    "w3c-vc-di-ecdsa/ecdsa-rdfc-2019-p384-employ.json": (
        "ecdsa-rdfc-2019-p384/employ/signedECDSAP384.json",
        "ecdsa-rdfc-2019",
        "P-384",
    ),
    "w3c-vc-di-ecdsa/ecdsa-jcs-2019-p256.json": (
        "ecdsa-jcs-2019-p256/signedJCSECDSAP256.json",
        "ecdsa-jcs-2019",
        "P-256",
    ),
    "w3c-vc-di-ecdsa/ecdsa-jcs-2019-p384.json": (
        "ecdsa-jcs-2019-p384/signedJCSECDSAP384.json",
        "ecdsa-jcs-2019",
        "P-384",
    ),
}
W3C = [pytest.param(file, id=file.partition("/")[2].removesuffix(".json")) for file in SUITES]


def w3c(file):
    return copy.deepcopy(vector(file)[SUITES[file][0]])


@pytest.mark.parametrize("file", W3C)
def test_the_signature_in_w3c_s_vector_holds_and_covers_everything(file):
    found = check(w3c(file), sets=w3c_sets())
    assert (found.verdict, found.suite, found.losses) == (PASS, SUITES[file][1], ())
    assert found.found.vouched is PASS
    counted(*file.split("/"))


@pytest.mark.parametrize("file", W3C)
def test_w3c_s_vector_with_any_one_value_changed_does_not_hold(file):
    document = w3c(file)
    for path, value in places(document):
        if isinstance(value, str) and path != ("proof", "proofValue"):
            # Another letter at the end keeps dates, addresses and keys what they are.
            other = value[:-1] + ("2" if value[-1] != "2" else "3")
            found = check_proofs(
                changed(document, path, lambda _, other=other: other), alone, now=NOW, sets=w3c_sets()[:1]
            )
            assert found[0].verdict is not PASS, path


@pytest.mark.parametrize("file", [file for file in W3C if "Signature2020" not in file.values[0]])
def test_we_make_the_signature_that_w3c_prints(file):
    theirs, (_, suite, kind) = w3c(file), SUITES[file]
    (pair,) = (value for name, value in vector(file).items() if "eyPair" in name)
    private = pair.get("secretKeyMultibase") or pair["privateKeyMultibase"]
    ours = sign_document(
        without(theirs, ("proof",)),
        signer_in_vector(private, theirs["proof"]["verificationMethod"], kind),
        created=parse_iso(theirs["proof"]["created"]),
        cryptosuite=suite,
        contexts=w3c_sets()[0],
    )
    assert ours == theirs
    counted(*file.split("/"))


def test_we_make_the_signature_that_1edtech_prints():
    given_ = vector("1edtech-ob3-vector/eddsa-rdfc-2022-ob.json")
    public = multibase_decode(given_["publicKeyMultibase"])[2:]
    # The file's members stand one beside their names; seed and public key are the pair that ends with the key.
    (pair,) = {value for value in given_.values() if len(value) == 128 and str(value).endswith(public.hex())}
    seed = bytes.fromhex(pair)[:32]
    ours = sign_document(
        given_["unsigned"],
        SoftwareSigner(seed, given_["signed"]["proof"]["verificationMethod"]),
        created=datetime(2010, 1, 1, 19, 23, 24, tzinfo=UTC),
    )
    assert ours["proof"]["proofValue"] == given_["signed"]["proof"]["proofValue"]
    assert ours == given_["signed"]


def test_1edtech_s_badge_holds_but_nobody_vouches_for_a_key_that_stands_in_its_own_name():
    found = check(vector("1edtech-ob3-vector/eddsa-rdfc-2022-ob.json")["signed"])
    assert (found.verdict, found.losses) == (PASS, ())
    assert found.found.vouched is UNKNOWN


def test_the_samples_of_1edtech_s_validator_hold_as_its_own_tests_say():
    folder = vectors("1edtech-validator") / "ob30"
    seen = {}
    for path in sorted(folder.glob("*.json")):
        checks = check_proofs(json.loads(path.read_bytes()), alone, now=NOW)
        seen[path.name] = checks[0].verdict if checks else None
    holds = ["simple.json", "simple-context-version.json", "simple-err-expired.json", "endorsement-valid.json"]
    holds += ["simple-eddsa-2022.json", "simple_v1.json", "simple-err-issuer.json"]
    for name in holds:
        assert seen[name] is PASS, name
    assert seen["simple-noproof.json"] is None
    for name in ("simple-err-proof-value.json", "simple-err-proof-method-no-scheme.json"):
        assert seen[name] is FAIL, name
    for name in ("simple-err-context.json", "simple-err-type.json", "simple-err-issuer-type.json"):
        assert seen[name] is not PASS, name


class DccWeb:
    """The DID documents of the DCC fixtures, by address."""

    def fetch(self, url):
        for document in vector("dcc-fixtures/dids.json").values():
            path = document["id"].removeprefix("did:web:").replace(":", "/")
            if url == f"https://{path}/did.json":
                return Document(url, json.dumps(document).encode())
        raise OutsideFailure(f"{url} is not here")


def dcc_find(method):
    return find_key(method, purpose="assertionMethod", now=NOW, fetcher=DccWeb())


@pytest.mark.parametrize("name", ["v1", "v2"])
def test_every_proof_of_the_dcc_fixtures_holds_or_says_what_is_unknown(name):
    held = 0
    for row in vector(f"dcc-fixtures/{name}.json"):
        for found in check_proofs(row["credential"], dcc_find, now=NOW):
            if "https://w3id.org/dcc/v1" in row["credential"]["@context"]:
                assert found.verdict is UNKNOWN  # a context that is not shipped
                assert "https://w3id.org/dcc/v1 is not known" in found.says
            else:
                assert (found.verdict, found.found.vouched) == (PASS, PASS), (row["path"], found.says)
                held += 1
    assert held >= 14


def test_the_status_lists_of_the_dcc_hold():
    held = [check(document, dcc_find).verdict for document in vector("dcc-fixtures/status-lists.json").values()]
    assert held == [PASS] * len(held)
    assert held


# --- openvc, an implementation that shares only PyLD with ours -------------------------------------------


def ours_for(kid, raw, algorithm):
    return lambda _method: FoundKey(PublicKey(kid, algorithm, raw), kid.partition("#")[0], PASS, "")


def test_openvc_accepts_what_we_sign_and_refuses_it_changed():
    jwk = {"kty": "OKP", "crv": "Ed25519", "x": base64url_encode(SIGNER.public_key)}
    extra = {OPEN_BADGES: context_sets()[0].documents[OPEN_BADGES]}
    document = signed()
    DataIntegrityProofSuite().verify(document, public_key_jwk=jwk, now=NOW, extra_contexts=extra)
    other = changed(document, ("credentialSubject", "creditsEarned"), lambda _: 25)
    with pytest.raises(OpenvcError):
        DataIntegrityProofSuite().verify(other, public_key_jwk=jwk, now=NOW, extra_contexts=extra)


def test_openvc_accepts_a_whole_award_of_ours():
    key = signer(HARBOUR)
    jwk = {"kty": "OKP", "crv": "Ed25519", "x": base64url_encode(key.public_key)}
    extra = {OPEN_BADGES: context_sets()[0].documents[OPEN_BADGES]}
    # Without endorsements: openvc refuses any document in whose parts a @context stands, and endorsements have one.
    document = sign_document(award(endorsements=[]), key, created=NOW)
    found = DataIntegrityProofSuite().verify(document, public_key_jwk=jwk, now=NOW, extra_contexts=extra)
    assert found.issuer == HARBOUR.id
    assert check(signed_award(), ours_for(key.key_id, key.public_key, "Ed25519")).verdict is PASS


def _openvc_key(kind):
    if kind == "Ed25519":
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        return Ed25519SigningKey(Ed25519PrivateKey.from_private_bytes(SECRET), "did:web:a.example#key-1")
    curve, cls = {"P-256": (ec.SECP256R1(), P256SigningKey), "P-384": (ec.SECP384R1(), P384SigningKey)}[kind]
    return cls(ec.derive_private_key(int.from_bytes(SECRET, "big") >> 1, curve), "did:web:a.example#key-1")


@pytest.mark.parametrize(
    ("suite", "kind"),
    [
        (DataIntegrityProofSuite, "Ed25519"),
        (EddsaJcsProofSuite, "Ed25519"),
        (EcdsaRdfcProofSuite, "P-256"),
        (EcdsaRdfcProofSuite, "P-384"),
        (EcdsaJcsProofSuite, "P-256"),
        (EcdsaJcsProofSuite, "P-384"),
    ],
)
def test_we_accept_what_openvc_signs_and_refuse_it_changed(suite, kind):
    """Two things that openvc does otherwise than the Recommendations are kept out of the way here. Its `jcs` proofs
    are signed with a @context that they do not show (vc-di-eddsa section 3.3.1 step 2). Its P-384 documents are
    canonicalized with SHA-256 (vc-di-ecdsa section 3 asks for SHA-384); where unnamed parts tie, that gives
    other names, so the document for P-384 has none.
    """
    key = _openvc_key(kind)
    rdfc = "Jcs" not in suite.__name__
    extra = {"extra_contexts": {OPEN_BADGES: context_sets()[0].documents[OPEN_BADGES]}} if rdfc else {}
    document = small()
    if kind == "P-384":
        document["credentialSubject"] = {"id": "urn:uuid:2", "type": ["AchievementSubject"], "creditsEarned": 2.5}
    document = suite().add_proof(
        document, signing_key=key, verification_method="did:web:a.example#key-1", created=NOW, **extra
    )
    if not rdfc:
        document["proof"]["@context"] = document["@context"]
    find = ours_for("did:web:a.example#key-1", key.public_key_raw(), kind)
    found = check(document, find)
    assert (found.verdict, found.losses) == (PASS, ())
    changes = {
        ("validUntil",): "2028-01-01T00:00:00Z",
        ("credentialSubject", "creditsEarned"): 25,
        ("proof", "created"): "2026-11-24T08:00:00Z",
    }
    for path, value in changes.items():
        assert check(changed(document, path, lambda _, value=value: value), find).verdict is FAIL, path


# --- Any one value --------------------------------------------------------------------------------------

SIGNED = signed()
PLACES = [(path, value) for path, value in places(SIGNED)]
_values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**54), 2**54),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=12),
    st.sampled_from(["https://a.example/other", "2030-01-01T00:00:00Z", "urn:uuid:2", {}, {"id": "urn:uuid:2"}]),
)


def same(before, after):
    """Whether JSON-LD calls two values the same: one stands alone or in a list, 3 is 3.0, an id is an object."""

    def plain(value):
        if isinstance(value, dict):
            return plain(value["id"]) if set(value) == {"id"} else {key: plain(child) for key, child in value.items()}
        if isinstance(value, list):
            return plain(value[0]) if len(value) == 1 else [plain(child) for child in value]
        return float(value) if isinstance(value, int) and not isinstance(value, bool) else value

    return repr(plain(before)) == repr(plain(after))


def noticed(document):
    """Whether a check finds that a document is not as it was signed: it does not hold, or a loss is named."""
    found = check_proofs(document, alone, now=NOW, sets=context_sets()[:1])
    return not any(row.verdict is PASS and row.losses == () for row in found)


@given(st.sampled_from(PLACES), _values)
@settings(max_examples=100, deadline=None)
def test_any_one_value_changed_anywhere_is_noticed(place, value):
    path, before = place
    if not same(before, value):
        assert noticed(changed(SIGNED, path, lambda _: value)), (path, value)


def test_any_one_member_taken_away_is_noticed():
    for path, _ in PLACES:
        other = without(SIGNED, path)
        if path != ("proof",):
            assert noticed(other), path
    assert check_proofs(without(SIGNED, ("proof",)), alone, now=NOW) == ()


@given(st.sampled_from([((), SIGNED), *PLACES]), st.sampled_from(["x", "validUntil", "name", "id", "type"]), _values)
@settings(max_examples=40, deadline=None)
def test_any_one_member_added_anywhere_is_noticed(place, key, value):
    path, holder = place
    if not isinstance(holder, dict) or key in holder or value == []:
        return
    other = changed(SIGNED, path, lambda v: {**v, key: value}) if path else {**SIGNED, key: value}
    assert noticed(other), (path, key, value)


@given(st.sampled_from([(path, value) for path, value in PLACES if isinstance(value, str)]), st.data())
@settings(max_examples=40, deadline=None)
def test_any_one_letter_changed_is_noticed(place, data):
    path, text = place
    at = data.draw(st.integers(0, len(text) - 1))
    letter = data.draw(st.characters(exclude_categories=["Cs"]))
    other = text[:at] + letter + text[at + 1 :]
    # A language is the same in capitals (RFC 5646 section 2.1.1).
    if other != text and not (path[-1] == "@language" and other.lower() == text.lower()):
        assert noticed(changed(SIGNED, path, lambda _: other)), (path, other)


def test_another_order_of_members_changes_nothing():
    assert check({key: SIGNED[key] for key in reversed(SIGNED)}).verdict is PASS
    assert check(json.loads(jcs(SIGNED))).verdict is PASS


# --- Signing --------------------------------------------------------------------------------------------


def test_the_same_document_is_signed_into_the_same_bytes():
    assert jcs(signed()) == jcs(signed())
    assert signed()["proof"]["created"] == "2026-11-24T09:00:00Z"
    assert check(signed()).says == "Nothing was changed since it was signed."


def test_signing_leaves_the_document_as_it_was():
    document = small()
    before = copy.deepcopy(document)
    signed(document)
    assert document == before


@pytest.mark.parametrize("suite", ["eddsa-rdfc-2022", "eddsa-jcs-2022"])
@pytest.mark.parametrize(
    ("document", "says"),
    [
        (small(favouriteColour="red"), "cannot be signed whole: “favouriteColour” is not a term"),
        (small(image={"id": "logo.png", "type": "Image"}), "cannot be signed whole: “logo.png” is not an absolute URL"),
        (small(id="credential-1"), "cannot be signed whole: “credential-1” is not an absolute URL"),
        (small(description=None), "cannot be signed whole: “description” is null"),
        (small(description="a\x0bb"), "contains a control character; take it out"),
        (small(description="a\x7fb"), "contains a control character; take it out"),
        (small(description="a\ufffeb"), "contains a control character; take it out"),
        (small(description="a\uffffb"), "contains a control character; take it out"),
        (small(tag=["a", {"b": "\x1b"}]), "contains a control character; take it out"),
        (small(**{"na\x00me": "x"}), "contains a control character; take it out"),
        (small(proof={}), "is signed already; sign the document without its proof"),
        (small(**{"@context": ["https://attacker.example/"]}), "the context https://attacker.example/ is not known"),
    ],
)
def test_what_would_not_be_covered_is_not_signed(document, says, suite):
    """Nor by a suite that covers the JSON text: a reader of JSON-LD would not see it."""
    with pytest.raises(BrokenInput) as refused:
        signed(document, cryptosuite=suite)
    assert says in str(refused.value)
    assert "\n" not in str(refused.value)


KINDS = [
    ("eddsa-rdfc-2022", "Ed25519"),
    ("eddsa-jcs-2022", "Ed25519"),
    ("ecdsa-rdfc-2019", "P-256"),
    ("ecdsa-rdfc-2019", "P-384"),
    ("ecdsa-jcs-2019", "P-256"),
    ("ecdsa-jcs-2019", "P-384"),
]


@pytest.mark.parametrize(("suite", "kind"), KINDS)
def test_what_we_sign_with_any_suite_holds_and_says_so(suite, kind):
    document = sign_document(small(), signer_of("a", kind), created=NOW, cryptosuite=suite)
    found = check(document)
    assert (found.verdict, found.suite, found.losses, found.found.vouched) == (PASS, suite, (), PASS)
    assert document["proof"].get("@context") == (document["@context"] if "jcs" in suite else None)
    assert sign_document(small(), signer_of("a", kind), created=NOW, cryptosuite=suite) == document
    # A reader of JSON-LD loses nothing of the whole either.
    assert to_dataset(document, context_sets()[0]).losses == ()


@pytest.mark.parametrize(("suite", "kind"), KINDS)
def test_what_we_sign_with_any_suite_does_not_hold_once_a_value_is_changed(suite, kind):
    document = sign_document(
        small(), signer_of("a", kind), created=NOW, cryptosuite=suite, expires=NOW, challenge="1", domain=["x", "y"]
    )
    assert check(document).verdict is PASS
    for path, value in places(document):
        if isinstance(value, str) and path != ("proof", "proofValue"):
            other = value[:-1] + ("2" if value[-1] != "2" else "3")
            found = check(changed(document, path, lambda _, other=other: other), sets=context_sets()[:1])
            assert found.verdict is not PASS, path


@pytest.mark.parametrize(("suite", "kind"), KINDS)
def test_openvc_accepts_what_we_sign_with_any_suite(suite, kind):
    """For P-384 openvc canonicalizes with SHA-256, so a document without unnamed parts is signed."""
    key, document = signer_of("a", kind), small()
    if kind == "P-384":
        document["credentialSubject"] = {"id": "urn:uuid:2", "type": ["AchievementSubject"], "creditsEarned": 2.5}
    document = sign_document(document, key, created=NOW, cryptosuite=suite)
    rdfc = {"extra_contexts": {OPEN_BADGES: context_sets()[0].documents[OPEN_BADGES]}} if "rdfc" in suite else {}
    theirs = {
        "eddsa-rdfc-2022": DataIntegrityProofSuite,
        "eddsa-jcs-2022": EddsaJcsProofSuite,
        "ecdsa-rdfc-2019": EcdsaRdfcProofSuite,
        "ecdsa-jcs-2019": EcdsaJcsProofSuite,
    }[suite]()
    theirs.verify(document, public_key_jwk=jwk_of(key), now=NOW, **rdfc)
    with pytest.raises(OpenvcError):
        theirs.verify({**document, "validUntil": "2028-01-01T00:00:00Z"}, public_key_jwk=jwk_of(key), now=NOW, **rdfc)


@pytest.mark.parametrize(
    ("suite", "kind", "says"),
    [
        ("eddsa-rdfc-2022", "P-256", "a key of kind P-256 cannot make this signature; eddsa-rdfc-2022 takes Ed25519"),
        ("eddsa-jcs-2022", "P-384", "a key of kind P-384 cannot make this signature"),
        ("ecdsa-rdfc-2019", "Ed25519", "ecdsa-rdfc-2019 takes P-256 or P-384"),
        ("ecdsa-jcs-2019", "Ed25519", "a key of kind Ed25519 cannot make this signature"),
        (
            "Ed25519Signature2020",
            "Ed25519",
            "signatures of kind 'Ed25519Signature2020' are not made; known: eddsa-rdfc",
        ),
        ("bbs-2023", "Ed25519", "signatures of kind 'bbs-2023' are not made"),
    ],
)
def test_a_key_of_another_kind_cannot_sign(suite, kind, says):
    class Refuses:
        key_id, algorithm, public_key = "did:web:a.example#key-1", kind, b""

        def sign(self, message):
            raise AssertionError("asked to sign")

    with pytest.raises(BrokenInput) as refused:
        sign_document(small(), Refuses(), created=NOW, cryptosuite=suite)
    assert says in str(refused.value)


def test_a_moment_without_a_zone_is_not_signed():
    with pytest.raises(ValueError, match="without a time zone"):
        signed(created=datetime(2026, 1, 1))  # noqa: DTZ001 - that is the point


# --- Checking -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("members", "verdict", "says"),
    [
        ({"cryptosuite": "bbs-2023"}, UNKNOWN, "The kind of signature “bbs-2023” cannot be checked here."),
        ({"cryptosuite": None}, UNKNOWN, "The kind of signature “None” cannot be checked here."),
        ({"cryptosuite": ["eddsa-rdfc-2022"]}, UNKNOWN, "cannot be checked here"),
        ({"type": "RsaSignature2018"}, UNKNOWN, "The kind of signature “RsaSignature2018”"),
        ({"type": ["DataIntegrityProof"]}, UNKNOWN, "cannot be checked here"),
        ({"previousProof": "urn:uuid:1"}, FAIL, "builds on another, “urn:uuid:1”, that is missing"),
        ({"verificationMethod": None}, FAIL, "does not say by which key"),
        ({"verificationMethod": 7}, FAIL, "does not say by which key"),
        ({"verificationMethod": "#key-1"}, FAIL, "not as an absolute URL"),
        ({"verificationMethod": "z6Mk"}, FAIL, "not as an absolute URL"),
        ({"verificationMethod": {"id": METHOD}}, FAIL, "not as an absolute URL"),
        ({"verificationMethod": "did:other:x#1"}, UNKNOWN, "there is no key to check it with"),
        ({"proofPurpose": "authentication"}, FAIL, "for another purpose: “authentication”, not “assertionMethod”"),
        ({"proofPurpose": None}, FAIL, "for another purpose"),
        ({"created": "yesterday"}, FAIL, "“created” is not a date with a time zone"),
        ({"created": "2026-01-01T00:00:00"}, FAIL, "“created” is not a date with a time zone"),
        ({"expires": "2026-11-24T08:59:59Z"}, FAIL, "The signature itself ran out on 2026-11-24."),
        ({"expires": 1}, FAIL, "“expires” is not a date"),
        ({"proofValue": None}, FAIL, "not written as one (proofValue does not start with z)"),
        ({"proofValue": "u" + "A" * 86}, FAIL, "does not start with z"),
        ({"proofValue": "z0"}, FAIL, "not a base58btc character"),
        ({"proofValue": "z" + "1" * 5000}, FAIL, "longer than 4,096"),
        ({"proofValue": "z"}, FAIL, "The signature does not hold"),
        ({"proofValue": multibase_encode(bytes(64))}, FAIL, "The signature does not hold"),
        ({"proofValue": multibase_encode(bytes(63))}, FAIL, "The signature does not hold"),
        ({"cryptosuite": "ecdsa-rdfc-2019"}, FAIL, "claims to be ecdsa-rdfc-2019, but its key is of kind Ed25519"),
        ({"cryptosuite": "eddsa-jcs-2022"}, FAIL, "The signature does not hold"),
        ({"created": None}, FAIL, "The signature does not hold"),
        ({"nonce": "added"}, FAIL, "The signature does not hold"),
        ({"domain": "https://a.example"}, FAIL, "The signature does not hold"),
    ],
)
def test_a_proof_that_is_not_right_says_why(members, verdict, says):
    found = check(reproof(SIGNED, **members))
    assert found.verdict is verdict
    assert says in found.says


@pytest.mark.parametrize("proof", ["x", 7, True, [], [None], ["x", {}], [[SIGNED["proof"]]], {}, [{}]])
def test_what_is_no_proof_never_passes_and_never_raises(proof):
    found = check_proofs({**SIGNED, "proof": proof}, alone, now=NOW)
    assert all(row.verdict is not PASS for row in found)
    assert (found == ()) is (proof == [])


def test_a_signature_for_later_is_not_a_matter_of_this_check_but_an_expired_one_is():
    document = signed(created=NOW + timedelta(days=1))
    assert check(document).verdict is PASS


def test_of_several_proofs_each_is_checked_by_itself():
    other = reproof(SIGNED, proofValue=multibase_encode(bytes(64)))["proof"]
    document = {**SIGNED, "proof": [other, SIGNED["proof"], {"type": "Unknown"}]}
    assert [row.verdict for row in check_proofs(document, alone, now=NOW)] == [FAIL, PASS, UNKNOWN]


def test_only_so_many_proofs_are_looked_at():
    document = {**SIGNED, "proof": [SIGNED["proof"]] * 50}
    asked = []
    found = check_proofs(document, lambda method: asked.append(method) or alone(method), now=NOW)
    assert len(found) == len(asked) == MOST_PROOFS


def test_a_key_that_cannot_be_had_leaves_the_signature_unknown():
    document = sign_document(small(), SoftwareSigner(SECRET, "did:web:a.example#key-1"), created=NOW)
    found = check(document)
    assert found.verdict is UNKNOWN
    assert "no network here" in found.says


def test_a_badge_signed_under_the_older_open_badges_context_says_so():
    """`endorsementJwt` stands in the newer revision alone; signed by its issuer under the older, it is not covered."""
    document = small()
    document["credentialSubject"]["achievement"]["endorsementJwt"] = ["eyJ.a.b"]
    older = context_sets()[1]
    proof = {key: value for key, value in SIGNED["proof"].items() if key != "proofValue"}
    hashes = [
        hashlib.sha256(canonicalize(to_dataset(part, older).quads).encode()).digest()
        for part in ({**proof, "@context": document["@context"]}, document)
    ]
    theirs = {**document, "proof": {**proof, "proofValue": multibase_encode(SIGNER.sign(b"".join(hashes)))}}
    found = check(theirs)
    assert (found.verdict, found.contexts) == (PASS, older.name)
    assert found.losses == ("“endorsementJwt” is not a term of its contexts",)
    assert check(signed(document)).contexts == context_sets()[0].name


def test_a_jcs_proof_covers_its_own_contexts():
    document = w3c("w3c-vc-di-eddsa/eddsa-jcs-2022.json")
    assert check(document).verdict is PASS  # no context needs to be known
    other = {**document, "@context": ["https://www.w3.org/ns/credentials/v2"]}
    found = check(other)
    assert found.verdict is FAIL
    assert "its contexts are not those that were signed" in found.says
    more = check({**document, "@context": [*document["@context"], "https://attacker.example/"]})
    assert (more.verdict, more.losses) == (PASS, ("the context “https://attacker.example/” was added later",))


def test_contexts_that_somebody_puts_into_an_rdfc_proof_are_named_as_not_covered():
    """Found by chance: the suite takes the document's instead, so that these were neither signed nor missed."""
    for own in (False, None, "https://attacker.example/", [OPEN_BADGES]):
        found = check(changed(SIGNED, ("proof",), lambda proof, own=own: {**proof, "@context": own}))
        assert (found.verdict, found.losses) == (PASS, ("“@context” in its proof is not used",)), own
    again = check(changed(SIGNED, ("proof",), lambda proof: {**proof, "@context": SIGNED["@context"]}))
    assert (again.verdict, again.losses) == (PASS, ())


def test_a_poison_document_is_unknown_and_soon():
    document = copy.deepcopy(SIGNED)
    part = {"type": ["Result"], "alignment": [{"type": ["Alignment"]}] * 12}
    document["credentialSubject"]["result"] = [part] * 2
    found = check(document)
    assert found.verdict is UNKNOWN
    assert "takes too much work" in found.says


def test_a_document_with_an_unknown_context_is_unknown():
    found = check({**SIGNED, "@context": [*SIGNED["@context"], EXAMPLES]})
    assert found.verdict is UNKNOWN
    assert f"the context {EXAMPLES} is not known here" in found.says


def test_a_part_whose_proof_is_no_object_is_no_crash():
    """Found by chance: an embedded credential with `"proof": false` once raised a TypeError."""
    for proof in (False, 7, "x", None, [], [7], {"@value": 1}):
        document = award()
        document["credentialSubject"]["achievement"]["endorsement"][0]["proof"] = proof
        assert check({**document, "proof": SIGNED["proof"]}).verdict is not PASS


def test_a_signature_of_one_document_does_not_fit_another():
    other = small(id="urn:uuid:c0000000-0000-4000-8000-000000000002")
    assert check({**other, "proof": SIGNED["proof"]}).verdict is FAIL


def test_mallory_s_key_in_the_fragment_of_an_honest_issuer_is_not_vouched_for():
    mallory = SoftwareSigner(hashlib.sha256(b"mallory").digest(), "x:y")
    method = f"{HARBOUR.id}#{multikey_encode('Ed25519', mallory.public_key)}"
    document = sign_document(small(), SoftwareSigner(mallory.private_key, method), created=NOW)

    class Web:
        def fetch(self, url):
            return Document(url, json.dumps(did_documents()[url]).encode())

    online = check(document, lambda m: find_key(m, purpose="assertionMethod", now=NOW, fetcher=Web()))
    offline = check(document, lambda m: find_key(m, purpose="assertionMethod", now=NOW, fetcher=NoNetwork()))
    assert (online.verdict, online.found.vouched) == (PASS, FAIL)
    assert (offline.verdict, offline.found.vouched) == (PASS, UNKNOWN)
