"""Parts of a credential: whatever the holder shows holds, and nothing else does."""

from __future__ import annotations

import copy
import hashlib
import time
from functools import cache

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st
from openvc.errors import OpenvcError
from openvc.keys import P256SigningKey
from openvc.proof.ecdsa_sd import EcdsaSdProofSuite
from tests.paths import counted
from tests.unit.credential.award_cast import award
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
    without,
)

from guildmark.core.codecs import parse_iso
from guildmark.core.errors import BrokenInput
from guildmark.core.report import Verdict
from guildmark.credential.disclosure import disclose, select, sign_selectively
from guildmark.credential.jsonld import OPEN_BADGES, context_sets, to_dataset
from guildmark.credential.keys import jwk_of
from guildmark.credential.proof import add_proof, check_proofs, sign_document
from guildmark.credential.proof_sd import MOST_STATEMENTS, Derived, read_base, read_derived

PASS, FAIL, UNKNOWN = Verdict.PASS, Verdict.FAIL, Verdict.UNKNOWN
ISSUER, ONCE = signer_of("issuer", "P-256"), signer_of("once", "P-256")
MANDATORY = ["/issuer", "/validFrom", "/validUntil", "/credentialStatus"]
EXTRA = {OPEN_BADGES: context_sets()[0].documents[OPEN_BADGES]}


def signed(document=None, **options):
    options = {"created": NOW, "mandatory": MANDATORY, "once": ONCE, "hmac_key": bytes(range(32)), **options}
    return sign_selectively(document or small(), ISSUER, **options)


BASE = signed()
SHOWN = ["/credentialSubject/achievement/name", "/credentialSubject/result", "/name"]


def check(document, **options):
    (found,) = check_proofs(document, alone, **{"now": NOW, **options})
    return found


def value_of(document, **parts):
    """The document with other parts in its proof value."""
    old = read_derived(document["proof"]["proofValue"])
    new = Derived(*(parts.get(name, getattr(old, name)) for name in Derived.__slots__))
    return changed(document, ("proof", "proofValue"), lambda _: new.write())


# --- W3C ------------------------------------------------------------------------------------------------

CASES = {"prc": "prCred", "employ": "employ"}


def case(name):
    file = f"w3c-vc-di-ecdsa/ecdsa-sd-2023-{name}.json"
    rows = vector(file)
    return file, {key.removeprefix(f"ecdsa-sd-2023/{name}/"): row for key, row in rows.items()}


@pytest.mark.parametrize("name", CASES)
def test_the_derived_proof_of_w3c_holds_and_covers_everything(name):
    file, rows = case(name)
    found = check(rows["derivedRevealDocument.json"], sets=w3c_sets())
    assert (found.verdict, found.losses, found.found.vouched) == (PASS, (), PASS)
    assert found.says.endswith("its holder may have left out other parts.")
    counted(*file.split("/"))


@pytest.mark.parametrize("name", CASES)
def test_the_derived_proof_of_w3c_with_any_one_value_changed_does_not_hold(name):
    document = case(name)[1]["derivedRevealDocument.json"]
    for path, value in places(document):
        if isinstance(value, str) and path != ("proof", "proofValue"):
            other = value[:-1] + ("2" if value[-1] != "2" else "3")
            found = check(changed(document, path, lambda _, other=other: other), sets=w3c_sets()[:1])
            assert found.verdict is not PASS, path


@pytest.mark.parametrize("name", CASES)
def test_we_make_the_base_and_the_derived_proof_that_w3c_prints(name):
    file, rows = case(name)
    theirs, keys = rows["addSignedSDBase.json"], rows["SDKeyMaterial.json"]
    ours = sign_selectively(
        without(theirs, ("proof",)),
        signer_in_vector(keys["baseKeyPair"]["secretKeyMultibase"], theirs["proof"]["verificationMethod"], "P-256"),
        created=parse_iso(theirs["proof"]["created"]),
        mandatory=rows[f"{CASES[name]}Mandatory.json"],
        once=signer_in_vector(keys["proofKeyPair"]["secretKeyMultibase"], "urn:once", "P-256"),
        hmac_key=bytes.fromhex(keys["hmacKeyString"]),
        contexts=w3c_sets()[0],
    )
    assert ours == theirs
    selective = rows[f"{CASES[name]}Selective.json"]
    assert disclose(theirs, selective, contexts=w3c_sets()[0]) == rows["derivedRevealDocument.json"]
    counted(*file.split("/"))


# --- openvc ---------------------------------------------------------------------------------------------


def test_openvc_accepts_what_we_derive_and_refuses_it_changed():
    document = disclose(BASE, SHOWN)
    EcdsaSdProofSuite().verify(document, public_key_jwk=jwk_of(ISSUER), now=NOW, extra_contexts=EXTRA)
    other = changed(document, ("credentialSubject", "achievement", "name"), lambda _: "Law")
    with pytest.raises(OpenvcError):
        EcdsaSdProofSuite().verify(other, public_key_jwk=jwk_of(ISSUER), now=NOW, extra_contexts=EXTRA)


# openvc cannot derive from a document with a list that has an order, nor show two parts without ids, also of its own.
PLAIN = without(small(), ("credentialSubject", "achievement", "resultDescription"))


def test_what_openvc_derives_of_ours_is_what_we_derive():
    base = signed(PLAIN)
    theirs = EcdsaSdProofSuite().derive_proof(base, selective_pointers=["/name"], extra_contexts=EXTRA)
    assert check(theirs).verdict is PASS
    assert theirs["proof"] == disclose(base, ["/name"])["proof"]


def test_what_openvc_signs_and_derives_holds():
    key = P256SigningKey(ec.derive_private_key(int.from_bytes(ISSUER.private_key), ec.SECP256R1()), ISSUER.key_id)
    base = EcdsaSdProofSuite().add_base_proof(
        PLAIN,
        signing_key=key,
        verification_method=ISSUER.key_id,
        mandatory_pointers=MANDATORY,
        created=NOW,
        extra_contexts=EXTRA,
    )
    theirs = EcdsaSdProofSuite().derive_proof(base, selective_pointers=["/name"], extra_contexts=EXTRA)
    assert check(theirs).verdict is check(disclose(base, SHOWN)).verdict is PASS
    assert check({**theirs, "validUntil": "2030-01-01T00:00:00Z"}).verdict is FAIL


# --- Any part, and any change ----------------------------------------------------------------------------


@cache
def pointers():
    """A pointer to every place of the small badge, but for what stands inside a list that has an order."""
    found = []
    for path, _ in places(small()):
        if "allowedValue" not in path[:-1] and not (path[:1] == ("name",) and len(path) > 1):
            found.append("/" + "/".join(str(step).replace("~", "~0").replace("/", "~1") for step in path))
    return found


@given(st.lists(st.sampled_from(pointers()), max_size=6))
@settings(max_examples=40, deadline=None)
def test_any_parts_that_are_shown_hold_and_no_others_are_shown(chosen):
    document = disclose(BASE, chosen)
    found = check(document)
    assert (found.verdict, found.losses) == (PASS, ())
    assert without(document, ("proof",)) == select(small(), [*MANDATORY, *chosen])
    everything = set(to_dataset(small(), context_sets()[0]).quads)
    assert len(to_dataset(without(document, ("proof",)), context_sets()[0]).quads) <= len(everything)


@given(
    st.lists(st.sampled_from(pointers()), min_size=1, max_size=4),
    st.data(),
    st.one_of(st.booleans(), st.integers(0, 99), st.text(max_size=9), st.sampled_from([{}, ["a"], {"id": "urn:x"}])),
)
@settings(max_examples=60, deadline=None)
def test_any_change_to_what_is_shown_is_noticed(chosen, data, value):
    document = disclose(BASE, chosen)
    path, before = data.draw(st.sampled_from(list(places(document))))
    if [value] == before or value == before or (value == ["a"] and before == "a"):
        return
    found = check_proofs(changed(document, path, lambda _: value), alone, now=NOW, sets=context_sets()[:1])
    assert not any(row.verdict is PASS and row.losses == () for row in found), (path, value)


@given(st.lists(st.sampled_from(pointers()), min_size=1, max_size=4), st.data())
@settings(max_examples=40, deadline=None)
def test_a_part_that_is_left_out_afterwards_is_noticed(chosen, data):
    document = disclose(BASE, chosen)
    path, _ = data.draw(st.sampled_from([row for row in places(document) if row[0][0] != "proof"]))
    found = check(without(document, path), sets=context_sets()[:1])
    same = to_dataset(without(document, ("proof",)), context_sets()[0]).quads
    if set(to_dataset(without(without(document, path), ("proof",)), context_sets()[0]).quads) != set(same):
        assert not (found.verdict is PASS and found.losses == ()), path


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_any_one_letter_of_the_proof_value_changed_is_noticed(data):
    document = disclose(BASE, SHOWN)
    value = document["proof"]["proofValue"]
    at = data.draw(st.integers(0, len(value) - 1))
    letter = data.draw(st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=+u"))
    if letter != value[at] and at < len(value) - 1:
        other = changed(document, ("proof", "proofValue"), lambda _: value[:at] + letter + value[at + 1 :])
        assert check(other, sets=context_sets()[:1]).verdict is FAIL


def test_the_statement_of_one_document_cannot_be_shown_in_another_of_the_same_issuer():
    mine, yours = (
        disclose(signed(small(id=f"https://a.example/{n}"), once=signer_of(n, "P-256")), ["/credentialSubject"])
        for n in "12"
    )
    assert check(mine).verdict is check(yours).verdict is PASS
    assert check({**mine, "proof": yours["proof"]}).verdict is FAIL
    assert check({**mine, "credentialSubject": yours["credentialSubject"]}).verdict is PASS  # they say the same
    part = read_derived(yours["proof"]["proofValue"])
    assert check(value_of(mine, signatures=part.signatures)).verdict is FAIL
    assert check(value_of(mine, public_key=part.public_key, signatures=part.signatures)).verdict is FAIL


def test_one_thing_cannot_be_shown_as_two():
    """Two results with the names of one would hold line by line."""
    document = disclose(BASE, ["/credentialSubject/result"])
    two = changed(document, ("credentialSubject", "result"), lambda result: [*result, *copy.deepcopy(result)])
    labels = read_derived(document["proof"]["proofValue"]).labels
    for names in (labels, {**labels, max(labels) + 1: next(iter(labels.values()))}, {**labels, 9: bytes(32)}):
        assert check(value_of(two, labels=names)).verdict is FAIL


# --- What is no derived proof -----------------------------------------------------------------------------

_FULL = disclose(BASE, SHOWN)
_PARTS = read_derived(_FULL["proof"]["proofValue"])


@pytest.mark.parametrize(
    ("parts", "says"),
    [
        ({"signature": bytes(64)}, "something was changed, or another key signed it"),
        ({"signature": bytes(63)}, "a part of proofValue is of the wrong kind or length"),
        ({"public_key": bytes(35)}, "a part of proofValue is of the wrong kind or length"),
        ({"public_key": _PARTS.public_key[:2] + bytes(33)}, "something was changed, or another key signed it"),
        ({"signatures": _PARTS.signatures[:-1]}, "it does not have one signature for each statement"),
        ({"signatures": (*_PARTS.signatures, bytes(64))}, "it does not have one signature for each statement"),
        ({"signatures": (bytes(64), *_PARTS.signatures[1:])}, "a statement is not as it was signed"),
        ({"signatures": tuple(reversed(_PARTS.signatures))}, "a statement is not as it was signed"),
        ({"signatures": (bytes(64),) * (MOST_STATEMENTS + 1)}, "it has more than 1,000 signatures"),
        ({"labels": {}}, "a part of the document has no name"),
        ({"labels": {**_PARTS.labels, 0: bytes(32)}}, "a statement is not as it was signed"),
        ({"labels": {**_PARTS.labels, -1: bytes(32)}}, "a part of proofValue is of the wrong kind or length"),
        ({"labels": {**_PARTS.labels, "0": bytes(32)}}, "a part of proofValue is of the wrong kind or length"),
        ({"labels": {**_PARTS.labels, 99: next(iter(_PARTS.labels.values()))}}, "two parts of the document have one"),
        ({"mandatory": _PARTS.mandatory[:-1]}, "it does not have one signature for each statement"),
        ({"mandatory": (*_PARTS.mandatory, 10**9)}, "it counts on statements that are not there"),
        ({"mandatory": (*_PARTS.mandatory, _PARTS.mandatory[0])}, "an index stands twice"),
        ({"mandatory": [*_PARTS.mandatory, -1]}, "a part of proofValue is of the wrong kind or length"),
    ],
)
def test_a_proof_value_that_is_not_right_says_why(parts, says):
    found = check(value_of(_FULL, **parts))
    assert found.verdict is FAIL
    assert says in found.says


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (None, "does not start with u"),
        ("zabc", "does not start with u"),
        ("u", "does not begin with the bytes d95d01"),
        ("u====", "base64url text cannot be decoded"),
        ("u2V0B", "CBOR ends too early"),
        ("u2V0BgA", "does not have five parts"),
        ("u2V0BhQEBAQEB", "a part of proofValue is of the wrong kind or length"),
        ("u" + "A" * 300_000, "longer than 200,000 characters"),
        (BASE["proof"]["proofValue"], "it is the copy of its holder, who first has to choose what to show"),
    ],
)
def test_what_is_no_derived_proof_value_fails_in_a_sentence(value, says):
    found = check(changed(_FULL, ("proof", "proofValue"), lambda _: value))
    assert found.verdict is FAIL
    assert says in found.says


def test_only_a_key_on_p_256_makes_such_proofs():
    other = changed(_FULL, ("proof", "verificationMethod"), lambda _: signer_of("a", "P-384").key_id)
    assert "its key is of kind P-384" in check(other).says
    with pytest.raises(BrokenInput, match="cannot make this signature; ecdsa-sd-2023 takes P-256"):
        sign_selectively(
            small(), signer_of("a"), created=NOW, mandatory=MANDATORY, once=ONCE, hmac_key=bytes(range(32))
        )


def test_a_proof_with_a_thousand_signatures_takes_time_in_proportion_and_one_more_is_refused():
    document = small()
    document["credentialSubject"]["achievement"]["tag"] = [f"t{n}" for n in range(900)]
    shown = disclose(signed(document), [""])
    start = time.process_time()
    assert check(shown, sets=context_sets()[:1]).verdict is PASS
    assert time.process_time() - start < 1
    document["credentialSubject"]["achievement"]["tag"] = [f"t{n}" for n in range(MOST_STATEMENTS)]
    with pytest.raises(BrokenInput, match=r"that may be left out, more than 1,000; make larger parts of it mandatory"):
        signed(document)
    assert check(disclose(signed(document, mandatory=["/credentialSubject"]), [])).verdict is PASS


# --- Making and showing -----------------------------------------------------------------------------------


def test_the_ids_and_types_on_the_way_are_shown_and_nothing_beside_them():
    document = disclose(BASE, ["/credentialSubject/achievement/name"])
    assert document["credentialSubject"] == {
        "type": ["AchievementSubject"],
        "achievement": {
            "id": "https://a.example/achievements/1",
            "type": ["Achievement"],
            "name": "Data protection",
        },
    }
    assert {"id", "type", "issuer", "validFrom", "validUntil", "credentialStatus"} < set(document)
    assert "name" not in document


def test_an_endorsement_inside_a_badge_is_shown_whole_and_still_holds():
    document = disclose(signed(award(), mandatory=["/issuer"]), ["/credentialSubject/achievement/endorsement/0"])
    assert check(document).verdict is PASS
    shown = document["credentialSubject"]["achievement"]["endorsement"]
    assert shown == award()["credentialSubject"]["achievement"]["endorsement"][:1]


@pytest.mark.parametrize(
    ("pointers", "says"),
    [
        (["credentialSubject"], "is not a JSON pointer; write it like"),
        (["/colour"], "nothing stands at /colour; the pointer does not fit"),
        (["/credentialSubject/result/1"], "nothing stands at /credentialSubject/result/1"),
        (["/credentialSubject/result/00"], "nothing stands at /credentialSubject/result/00"),
        (["/credentialSubject/result/-"], "nothing stands at /credentialSubject/result/-"),
        (["/credentialSubject/result/²"], "nothing stands at /credentialSubject/result/²"),
        (["/validFrom/0"], "nothing stands at /validFrom/0"),
        (["/@context/0"], "leads to contexts; they are always shown whole"),
        (["/credentialSubject/achievement/resultDescription/0/allowedValue/0"], "a list is shown whole or not at all"),
    ],
)
def test_a_pointer_that_leads_nowhere_is_refused(pointers, says):
    for tried in (lambda: disclose(BASE, pointers), lambda: signed(mandatory=pointers)):
        with pytest.raises(BrokenInput) as refused:
            tried()
        assert says in str(refused.value)
        assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("document", "options", "says"),
    [
        (BASE, {}, "is signed already"),
        (small(colour="red"), {}, "cannot be signed whole: “colour” is not a term"),
        (small(description="a\x0bb"), {}, "contains a control character"),
        (None, {"hmac_key": b"short"}, "32 bytes that are used once"),
        (None, {"once": signer_of("a")}, "takes a P-256 key and 32 bytes"),
        (None, {"id": "first"}, "cannot be signed whole: “first” is not an absolute URL"),
    ],
)
def test_what_cannot_be_signed_for_parts_is_refused(document, options, says):
    with pytest.raises(BrokenInput) as refused:
        signed(document, **options)
    assert says in str(refused.value)


def test_only_a_base_proof_that_fits_its_document_is_derived_from():
    for document, says in (
        (small(), "has no proof of which parts can be shown"),
        (sign_document(small(), ISSUER, created=NOW, cryptosuite="ecdsa-rdfc-2019"), "has no proof of which parts"),
        (disclose(BASE, []), "does not begin with the bytes d95d00"),
        ({**BASE, "description": "added"}, "was changed since it was signed"),
        ({**BASE, "name": "Law"}, "was changed since it was signed"),
    ):
        with pytest.raises(BrokenInput) as refused:
            disclose(document, ["/name"])
        assert says in str(refused.value)
    with pytest.raises(BrokenInput, match="shows nothing; name at least one part"):
        disclose(signed(mandatory=[]), [])
    assert check(disclose(signed(mandatory=[]), ["/issuer"])).verdict is PASS


def test_the_base_proof_holds_what_it_takes_to_derive_and_the_names_do_not_follow_from_the_document():
    base = read_base(BASE["proof"]["proofValue"])
    assert (base.mandatory, base.hmac_key) == (tuple(MANDATORY), bytes(range(32)))
    other = read_derived(disclose(signed(hmac_key=hashlib.sha256().digest()), SHOWN)["proof"]["proofValue"])
    assert set(other.labels.values()).isdisjoint(_PARTS.labels.values())


def test_a_notary_can_sign_what_is_shown():
    document = disclose(signed(id="urn:proof:1"), SHOWN)
    document = add_proof(document, signer_of("notary"), created=NOW, previous="urn:proof:1")
    assert [found.verdict for found in check_proofs(document, alone, now=NOW)] == [PASS, PASS]
    broken = changed(document, ("name", "@value"), lambda _: "Law")
    assert [found.verdict for found in check_proofs(broken, alone, now=NOW)] == [FAIL, FAIL]


# --- Selecting ------------------------------------------------------------------------------------------


def test_pointers_are_read_as_their_rfc_says():
    document = {"@context": "c", "a/b": {"~1": [10, 11, 12]}, "": {"": 1}, "id": "i", "x": 1}
    assert select(document, ["/a~1b/~01/2", "/a~1b/~01/0"]) == {"@context": "c", "id": "i", "a/b": {"~1": [10, 12]}}
    assert select(document, ["//"]) == {"@context": "c", "id": "i", "": {"": 1}}
    assert select(document, [""]) == document
    assert select(document, ["/a~1b", "/a~1b/~01/2"]) == select(document, ["/a~1b/~01/2", "/a~1b"])
