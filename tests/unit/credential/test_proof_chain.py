"""Several proofs: of a set each stands for itself, and a link of a chain holds only if all before it do."""

from __future__ import annotations

import copy
import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.paths import counted
from tests.unit.credential.others import (
    NOW,
    alone,
    changed,
    places,
    signer_in_vector,
    signer_of,
    small,
    vector,
    w3c_sets,
)

from guildmark.core.codecs import jcs, multibase_decode, parse_iso
from guildmark.core.doors import NoNetwork
from guildmark.core.errors import BrokenInput
from guildmark.core.report import Verdict
from guildmark.credential.jsonld import context_sets, to_dataset
from guildmark.credential.keys import signature_holds
from guildmark.credential.proof import MOST_PROOFS, add_proof, check_proofs, sign_document
from guildmark.credential.rdfc import canonicalize
from guildmark.credential.resolve import FoundKey
from guildmark.credential.signed import World, look_at_signature

PASS, FAIL, UNKNOWN = Verdict.PASS, Verdict.FAIL, Verdict.UNKNOWN
FIRST, SECOND, THIRD = "urn:proof:1", "urn:proof:2", "urn:proof:3"
DEAN, BOARD, NOTARY = signer_of("dean"), signer_of("board"), signer_of("notary", "P-384")


def issued(document=None, **options):
    return sign_document(document or small(), DEAN, **{"created": NOW, "id": FIRST, **options})


def chain(first="eddsa-rdfc-2022", second="eddsa-rdfc-2022", third="ecdsa-rdfc-2019"):
    """The dean signs, the board signs what the dean signed, the notary what both did."""
    document = issued(cryptosuite=first)
    document = add_proof(document, BOARD, created=NOW, cryptosuite=second, id=SECOND, previous=FIRST)
    return add_proof(document, NOTARY, created=NOW, cryptosuite=third, id=THIRD, previous=[FIRST, SECOND])


def check(document, find=alone, **options):
    return check_proofs(document, find, **{"now": NOW, **options})


def verdicts(document, find=alone, **options):
    return [found.verdict for found in check(document, find, **options)]


def with_proofs(document, *proofs):
    return {**document, "proof": list(proofs)}


# --- W3C ------------------------------------------------------------------------------------------------

_FILE = "w3c-vc-di-eddsa/proof-set-chain.json"


@pytest.mark.parametrize("name", ["signedProofSet1", "signedProofSet2", "signedProofChain1", "signedProofChain2"])
def test_the_sets_and_chains_of_w3c_hold_and_we_make_the_same(name):
    theirs = vector(_FILE)[f"{name}.json"]
    proofs = theirs["proof"] if isinstance(theirs["proof"], list) else [theirs["proof"]]
    found = check(theirs, sets=w3c_sets())
    assert [(row.verdict, row.losses) for row in found] == [(PASS, ())] * len(proofs)

    keys = {pair["publicKeyMultibase"]: pair for pair in vector(_FILE)["multiKeyPairs.json"].values()}
    ours = {key: value for key, value in theirs.items() if key != "proof"}
    for proof in proofs:
        method = proof["verificationMethod"]
        key = signer_in_vector(keys[method.partition("#")[2]]["privateKeyMultibase"], method, "Ed25519")
        options = {"created": parse_iso(proof["created"]), "id": proof.get("id", ""), "contexts": w3c_sets()[0]}
        if "proof" in ours:
            ours = add_proof(ours, key, previous=proof.get("previousProof", ()), **options)
        else:
            ours = sign_document(ours, key, **options)
    assert ours["proof"] == theirs["proof"]
    counted("w3c-vc-di-eddsa", f"proof-set-chain.json {name}")


def test_the_longest_chain_of_w3c_without_any_one_of_its_links_does_not_hold_as_a_whole():
    theirs = vector(_FILE)["signedProofChain2.json"]
    for place in range(3):
        left = [proof for at, proof in enumerate(theirs["proof"]) if at != place]
        assert verdicts(with_proofs(theirs, *left), sets=w3c_sets())[-1] is FAIL


# --- Sets -----------------------------------------------------------------------------------------------


def test_a_second_proof_stands_beside_the_first_and_each_holds_by_itself():
    document = add_proof(issued(), BOARD, created=NOW, cryptosuite="eddsa-jcs-2022")
    first, second = document["proof"]
    assert "previousProof" not in second
    assert verdicts(document) == [PASS, PASS]
    assert verdicts(with_proofs(document, first)) == verdicts(with_proofs(document, second)) == [PASS]
    assert verdicts(with_proofs(document, second, first)) == [PASS, PASS]
    other = changed(document, ("proof", 1, "created"), lambda _: "2026-11-24T08:00:00Z")
    assert verdicts(other) == [PASS, FAIL]


def test_the_bytes_of_the_proofs_before_are_left_as_they_were():
    document = issued()
    before = copy.deepcopy(document)
    more = add_proof(document, BOARD, created=NOW)
    assert document == before
    assert more["proof"][0] == before["proof"]


# --- Chains ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "suites",
    [
        ("eddsa-rdfc-2022", "eddsa-rdfc-2022", "ecdsa-rdfc-2019"),
        ("eddsa-jcs-2022", "eddsa-jcs-2022", "ecdsa-jcs-2019"),
        ("eddsa-jcs-2022", "eddsa-rdfc-2022", "ecdsa-jcs-2019"),
    ],
    ids=["rdfc", "jcs", "mixed"],
)
def test_a_chain_holds_as_a_whole_and_covers_everything(suites):
    found = check(chain(*suites))
    assert [(row.verdict, row.losses) for row in found] == [(PASS, ())] * 3
    assert [row.previous for row in found] == [(), (0,), (0, 1)]
    assert chain(*suites)["proof"][2]["previousProof"] == [FIRST, SECOND]


def test_what_a_link_signs_is_the_document_with_the_proofs_before_it():
    """Data Integrity 1.0 section 4.3, step 6, by hand: once as canonical RDF, once as canonical JSON."""
    document = chain("eddsa-rdfc-2022", "eddsa-rdfc-2022", "ecdsa-jcs-2019")
    bare = {key: value for key, value in document.items() if key != "proof"}
    dean, board, notary = document["proof"]

    def rdf(value):
        return hashlib.sha256(canonicalize(to_dataset(value, context_sets()[0]).quads).encode()).digest()

    def options(proof):
        return {key: value for key, value in proof.items() if key != "proofValue"}

    signed = rdf({**options(board), "@context": bare["@context"]}) + rdf({**bare, "proof": [dean]})
    assert signature_holds(BOARD, signed, multibase_decode(board["proofValue"]))
    parts = (options(notary), {**bare, "proof": [dean, board]})
    signed = b"".join(hashlib.sha384(jcs(part)).digest() for part in parts)
    assert signature_holds(NOTARY, signed, multibase_decode(notary["proofValue"]))


def test_a_missing_link_is_named():
    document = chain()
    first, second, third = document["proof"]
    found = check(with_proofs(document, second, third))
    assert [row.verdict for row in found] == [FAIL, FAIL]
    assert found[0].says == f"The proof builds on another, “{FIRST}”, that is missing."
    assert verdicts(with_proofs(document, first)) == [PASS]
    assert verdicts(with_proofs(document, first, second)) == [PASS, PASS]


def test_the_order_in_which_the_proofs_stand_does_not_matter_to_canonical_rdf():
    document = chain()
    assert verdicts(with_proofs(document, *reversed(document["proof"]))) == [PASS] * 3


def test_a_link_that_does_not_hold_breaks_all_that_build_on_it():
    document = chain()
    first, second, third = document["proof"]
    mallory = sign_document(small(), signer_of("mallory"), created=NOW, id=FIRST)["proof"]
    for other in (mallory, {**first, "created": "2026-11-24T08:00:00Z"}, {**first, "proofValue": "z1"}):
        found = check(with_proofs(document, other, second, third))
        assert [row.verdict for row in found[1:]] == [FAIL, FAIL], other
    assert found[0].verdict is FAIL


@given(st.sampled_from([path for path, value in places(chain()) if path[0] == "proof" and isinstance(value, str)]))
@settings(max_examples=30, deadline=None)
def test_any_one_value_changed_in_any_link_breaks_the_end_of_the_chain(path):
    other = changed(chain(), path, lambda value: value[:-1] + ("2" if value[-1] != "2" else "3"))
    assert check(other, sets=context_sets()[:1])[2].verdict is not PASS


def test_a_link_whose_own_signature_holds_says_that_the_one_before_does_not():
    """The board signs over a proof of the dean that was never right."""
    document = changed(issued(), ("proof", "proofValue"), lambda value: value[:-1] + ("2" if value[-1] != "2" else "3"))
    document = add_proof(document, BOARD, created=NOW, previous=FIRST)
    found = check(document)[1]
    assert found.verdict is FAIL
    assert found.says.startswith("The proof builds on another that does not hold. The signature does not hold:")


def test_a_link_before_that_cannot_be_checked_leaves_the_chain_unknown():
    document = sign_document(small(), DEAN, created=NOW, id=FIRST)
    document = add_proof(document, BOARD, created=NOW, previous=FIRST)

    def without_the_dean(method):
        nobody = FoundKey(None, "did:web:a.example", UNKNOWN, "It is out of reach.")
        return nobody if method == DEAN.key_id else alone(method)

    found = check(document, without_the_dean)[1]
    assert (found.verdict, found.says) == (
        UNKNOWN,
        "The proof builds on another that was not checked. The signature was not checked, since there is no key to "
        "check it with. It is out of reach.",
    )


@pytest.mark.parametrize("vouched", [FAIL, UNKNOWN])
def test_a_link_before_must_be_of_a_key_that_its_owner_vouches_for(vouched):
    document = add_proof(issued(), BOARD, created=NOW, previous=FIRST)

    def revoked(method):
        found = alone(method)
        return FoundKey(found.key, found.controller, vouched, "It is revoked.") if method == DEAN.key_id else found

    found = check(document, revoked)
    assert [row.verdict for row in found] == [PASS, vouched]
    assert found[1].says == "The proof builds on another whose key is not vouched for. It is revoked."


def test_proofs_that_build_on_each_other_in_a_circle_fail_at_once():
    first, second, third = chain()["proof"]
    asked = []
    circle = with_proofs(chain(), {**first, "previousProof": SECOND}, second, third)
    found = check(circle, lambda method: asked.append(method) or alone(method))
    assert [row.verdict for row in found] == [FAIL, FAIL, FAIL]
    assert [row.says for row in found[:2]] == ["The proof builds on itself, by way of others or alone."] * 2
    assert asked == [NOTARY.key_id]
    alone_ = check(with_proofs(chain(), {**first, "previousProof": FIRST}))
    assert "builds on itself" in alone_[0].says


@pytest.mark.parametrize(
    ("previous", "says"),
    [
        (None, "builds on others, but does not name them"),
        ([], "builds on others, but does not name them"),
        ([7], "builds on others, but does not name them"),
        ({"id": FIRST}, "builds on others, but does not name them"),
        ("", "builds on another, “”, that is missing"),
        ([FIRST, "urn:proof:9"], "builds on another, “urn:proof:9”, that is missing"),
        (FIRST, "The signature does not hold"),
        ([FIRST, FIRST], "The signature does not hold"),
    ],
)
def test_a_previous_proof_that_is_not_named_as_one_is_no_crash(previous, says):
    first = issued()["proof"]
    other = add_proof(issued(), BOARD, created=NOW)["proof"][1]
    found = check(with_proofs(issued(), first, {**other, "previousProof": previous}))[1]
    assert found.verdict is FAIL
    assert says in found.says


def test_a_name_that_two_proofs_have_names_none():
    first, second, _ = chain()["proof"]
    found = check(with_proofs(chain(), first, first, second))
    assert [row.verdict for row in found] == [PASS, PASS, FAIL]
    assert "more than one has that name" in found[2].says


def test_a_link_beyond_those_that_are_looked_at_is_unknown():
    first, second, _ = chain()["proof"]
    document = with_proofs(chain(), second, *[{"type": "Other"}] * (MOST_PROOFS - 1), first)
    found = check(document)
    assert len(found) == MOST_PROOFS
    assert found[0].verdict is UNKNOWN
    assert "not one of the first 8" in found[0].says


_json = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-9, 9), st.sampled_from([FIRST, SECOND, THIRD, "", "x", "\ud800"])),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(["id", "@id"]), inner)),
    max_leaves=4,
)


@given(
    st.sampled_from([0, 1, 2]),
    st.sampled_from(["id", "previousProof", "domain", "challenge", "@context", "type", "cryptosuite", "proofValue"]),
    _json,
    st.sampled_from(["eddsa-rdfc-2022", "eddsa-jcs-2022"]),
)
@settings(max_examples=80, deadline=None)
def test_whatever_stands_in_a_proof_is_no_crash_and_does_not_make_the_chain_hold(place, member, value, suite):
    document = chain(suite, suite)
    if value == [] or document["proof"][place].get(member) == value or (member == "previousProof" and value == [FIRST]):
        return  # an empty list says nothing, and so changes nothing
    other = changed(document, ("proof", place), lambda proof: {**proof, member: value})
    assert PASS not in verdicts(other, domain="a.example", challenge="x")
    end = check(other, sets=context_sets()[:1])[2]
    assert not (end.verdict is PASS and end.losses == ())


# --- Adding ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("document", "options", "says"),
    [
        (small(), {}, "has no proof yet; sign_document makes the first"),
        (small(proof=[]), {}, "has no proof yet"),
        (small(proof="x"), {}, "has a proof that is not an object"),
        (small(proof=[{}] * MOST_PROOFS), {}, "has 8 proofs already; verifiers look at so many"),
        (issued(), {"id": FIRST}, f"has a proof {FIRST} already"),
        (issued(), {"previous": "urn:proof:9"}, "does not have one proof with the id 'urn:proof:9'"),
        (small(proof=[{"id": FIRST}] * 2), {"previous": FIRST}, "does not have one proof with the id"),
        (issued(), {"id": "second"}, "cannot be signed whole: “second” is not an absolute URL"),
        (issued(), {"challenge": "a\x00b"}, "contains a control character"),
        (small(proof={"id": FIRST, "colour": "red"}), {"previous": FIRST}, "“colour” is not a term of its contexts"),
    ],
)
def test_what_cannot_be_a_further_proof_is_refused(document, options, says):
    for suite in ("eddsa-rdfc-2022", "eddsa-jcs-2022"):
        with pytest.raises(BrokenInput) as refused:
            add_proof(document, BOARD, created=NOW, cryptosuite=suite, **options)
        assert says in str(refused.value)
        assert "\n" not in str(refused.value)


# --- For whom, and in answer to what ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("signed", "asked", "verdict", "says"),
    [
        ({"domain": "a.example"}, {"domain": "a.example"}, PASS, "Nothing was changed"),
        ({"domain": ["b.example", "a.example"]}, {"domain": ["a.example", "b.example"]}, PASS, "Nothing was changed"),
        ({"domain": ["a.example"]}, {"domain": "a.example"}, PASS, "Nothing was changed"),
        ({"domain": "a.example"}, {}, PASS, "Nothing was changed"),
        ({"domain": "a.example"}, {"domain": "b.example"}, FAIL, "made for “a.example”, not for “b.example”"),
        ({"domain": ["a.example", "b.example"]}, {"domain": "a.example"}, FAIL, "made for “a.example, b.example”"),
        ({}, {"domain": "a.example"}, FAIL, "was made for “”, not for “a.example”"),
        ({"challenge": "7"}, {"challenge": "7"}, PASS, "Nothing was changed"),
        ({"challenge": "7"}, {"challenge": "8"}, FAIL, "does not answer the challenge"),
        ({}, {"challenge": "7"}, FAIL, "does not answer the challenge"),
        ({"challenge": "7"}, {"challenge": ""}, FAIL, "does not answer the challenge"),
    ],
)
def test_a_proof_holds_only_where_and_in_answer_to_what_it_was_made_for(signed, asked, verdict, says):
    for suite in ("eddsa-rdfc-2022", "eddsa-jcs-2022"):
        (found,) = check(issued(cryptosuite=suite, **signed), **asked)
        assert found.verdict is verdict
        assert says in found.says


def test_a_presentation_is_signed_for_authentication_and_for_nothing_else():
    document = {
        "@context": small()["@context"],
        "type": ["VerifiablePresentation"],
        "holder": DEAN.key_id.partition("#")[0],
        "verifiableCredential": [issued()],
    }
    document = sign_document(
        document, DEAN, created=NOW, purpose="authentication", challenge="7", domain="https://a.example"
    )
    asked = {"purpose": "authentication", "challenge": "7", "domain": "https://a.example"}
    (found,) = check(document, **asked)
    assert (found.verdict, found.losses) == (PASS, ())
    assert verdicts(document) == [FAIL]
    inside = ("verifiableCredential", 0, "validUntil")
    assert verdicts(changed(document, inside, lambda _: "2030-01-01T00:00:00Z"), **asked) == [FAIL]


def test_the_presentation_of_w3c_s_test_suite_holds_for_its_challenge_and_no_other():
    document = vector("blockcerts/vp-eddsa-rdfc-2022.json")
    asked = {"purpose": "authentication", "domain": document["proof"]["domain"]}
    assert verdicts(document, challenge="uFLOeUzjbCkc0K-21LUKrig", **asked) == [PASS]
    assert verdicts(document, challenge="uFLOeUzjbCkc0K-21LUKrih", **asked) == [FAIL]
    counted("blockcerts", "vp-eddsa-rdfc-2022.json")


# --- What the findings say ------------------------------------------------------------------------------


def looked_at(document):
    return look_at_signature(document, World(NOW, NoNetwork()))


def of(signer):
    """The small badge with the owner of a key as its issuer."""
    return small(issuer={"id": signer.key_id.partition("#")[0], "type": ["Profile"], "name": "A"})


def test_of_a_set_any_one_proof_suffices():
    document = add_proof(issued(of(DEAN)), BOARD, created=NOW)
    broken = changed(document, ("proof", 1, "created"), lambda _: "2026-11-24T08:00:00Z")
    for other in (document, broken, with_proofs(broken, *reversed(broken["proof"]))):
        assert [finding.verdict for finding in looked_at(other).findings] == [PASS] * 4


def test_a_chain_that_the_issuer_began_is_the_issuer_s():
    document = add_proof(issued(of(DEAN)), BOARD, created=NOW, previous=FIRST)
    found = looked_at(document)
    assert [finding.verdict for finding in found.findings] == [PASS] * 4
    assert found.signature.because["proofs"] == 2
    assert found.signature.because["key"] == DEAN.key_id


def test_a_chain_counts_as_a_whole_so_a_broken_end_is_not_hidden_by_its_beginning():
    document = add_proof(issued(of(DEAN)), BOARD, created=NOW, previous=FIRST)
    broken = changed(document, ("proof", 1, "created"), lambda _: "2026-11-24T08:00:00Z")
    assert looked_at(broken).signature.verdict is FAIL
    missing = with_proofs(document, document["proof"][1])
    assert looked_at(missing).signature.says == f"The proof builds on another, “{FIRST}”, that is missing."
    circle = changed(document, ("proof", 0), lambda proof: {**proof, "id": SECOND, "previousProof": SECOND})
    assert looked_at(circle).signature.verdict is FAIL


def test_a_chain_nobody_of_which_is_the_issuer_does_not_speak_for_the_issuer():
    document = add_proof(issued(of(NOTARY)), BOARD, created=NOW, previous=FIRST)
    found = looked_at(document)
    assert (found.signature.verdict, found.key_bound.verdict) == (PASS, FAIL)


def test_the_work_of_a_chain_counts_for_each_link():
    world = World(NOW, NoNetwork())
    look_at_signature(issued(), world)
    one = world.values
    look_at_signature(chain(), world)
    assert world.values > 3 * one
