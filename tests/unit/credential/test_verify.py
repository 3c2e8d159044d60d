"""A credential holds, or one finding says in plain words why not; whatever Mallory does, it never passes."""

from __future__ import annotations

import base64
import copy
import hashlib
import json
from datetime import timedelta
from typing import Any

import pytest
from tests.unit.credential.award_cast import (
    BASE,
    HARBOUR,
    LATER,
    LIST,
    MALLORY,
    NORTHWIND,
    NOW,
    ZOE,
    achievement_url,
    award,
    blueprint,
    endorsement,
    larger,
    lists,
    signed,
    signed_award,
    signed_larger,
    signer,
    verified,
    web,
)

from guildmark.core.codecs import iso, jcs, multibase_encode
from guildmark.core.doors import NoNetwork
from guildmark.core.errors import BrokenInput
from guildmark.core.report import Report, Verdict
from guildmark.credential.bake import bake
from guildmark.credential.did import did_document, did_key
from guildmark.credential.keys import SoftwareSigner
from guildmark.credential.open_badge import IssuerProfile, Recipient
from guildmark.credential.proof import sign_document
from guildmark.credential.verify import DEEPEST, LARGEST, MOST_PARTS, MOST_RELATED, verify_credential

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
DID_DOCUMENT = f"{BASE}/issuers/harbour-university/did.json"


def failing(report: Report) -> list[str]:
    return [finding.id for finding in report.failed()]


def says(report: Report, id: str) -> str:
    return report[id].says


# --- What holds ---


def test_a_fresh_award_holds_and_each_question_has_its_own_finding() -> None:
    report = verified(signed_award())
    assert report.verdict is Verdict.PASS
    assert [f.id for f in report.findings] == [
        "document.readable",
        "document.structure",
        "document.context",
        "document.lossless",
        "proof.signature",
        "proof.key_bound",
        "status.revocation",
        "validity.dates",
        "related.1",
        "related.2",
        "endorsements.1",
        "recipient",
    ]
    assert report.subject == "“Data analysis with SQL and Python for operations”, issued by Harbour University"
    assert says(report, "document.structure") == "It has everything that an Open Badge needs."
    assert says(report, "status.revocation") == (
        "Neither revoked nor suspended, says the list of Harbour University of 2026-11-24."
    )


def test_the_name_of_the_issuer_is_told_apart_from_who_holds_the_key() -> None:
    assert says(verified(signed_award()), "proof.key_bound") == (
        f"The key is the issuer's, {HARBOUR.id}, which calls itself Harbour University: it is listed at "
        "demo.guildmark.example."
    )


def test_every_sentence_is_one_line_that_ends_with_a_full_stop() -> None:
    for report in (verified(signed_award()), verified(signed_award(), web(award=("revoked", "misconduct")))):
        for finding in report.findings:
            assert finding.says.isprintable()
            assert finding.says.endswith(".")
            assert ".." not in finding.says


@pytest.mark.parametrize("image", [PIXEL, b'<svg xmlns="http://www.w3.org/2000/svg"></svg>'], ids=["png", "svg"])
def test_a_badge_image_is_verified_by_the_credential_that_it_carries(image: bytes) -> None:
    report = verified(bake(image, jcs(signed_award())))
    assert report.verdict is Verdict.PASS
    assert "image" in says(report, "document.readable")


def test_white_space_a_byte_order_mark_and_the_order_of_members_change_nothing() -> None:
    backwards = dict(reversed(signed_award().items()))
    text = "\ufeff\n" + json.dumps(backwards, indent=4, ensure_ascii=False)
    assert verified(text.encode()).verdict is Verdict.PASS


# --- Suspended, revoked, out of reach ---


def test_a_revoked_credential_fails_with_its_reason() -> None:
    report = verified(signed_award(), web(award=("revoked", "misconduct")))
    assert failing(report) == ["status.revocation"]
    assert says(report, "status.revocation") == (
        "Revoked: misconduct was established. So says the list of Harbour University of 2026-11-24."
    )


def test_a_suspended_credential_fails_and_is_not_called_revoked() -> None:
    report = verified(signed_award(), web(award=("suspended", "under_review")))
    assert failing(report) == ["status.revocation"]
    assert says(report, "status.revocation").startswith("Suspended: it is under review.")
    assert "evoked" not in says(report, "status.revocation")


def test_without_the_status_list_nothing_passes() -> None:
    place = web()
    del place.documents[LIST]
    report = verified(signed_award(), place)
    assert report.verdict is Verdict.UNKNOWN
    assert [f.id for f in report.unknown()] == ["status.revocation"]


def test_without_any_network_it_is_unknown_and_says_so() -> None:
    report = verify_credential(jcs(signed_award()), now=LATER, fetcher=NoNetwork())
    assert report.verdict is Verdict.UNKNOWN
    assert not report.failed()
    assert "out of reach" in says(report, "status.revocation")


# --- Dates ---


def test_an_expired_credential_fails_and_says_when_it_expired() -> None:
    report = verified(signed_award(), now=NOW + timedelta(days=1097))
    assert failing(report) == ["validity.dates"]
    assert says(report, "validity.dates") == "Expired on 2029-11-24."


def test_a_credential_from_the_future_does_not_count_yet() -> None:
    report = verified(signed_award(), now=NOW - timedelta(days=2))
    assert says(report, "validity.dates") == "Not valid yet: it counts from 2026-11-24."


# --- What it links to ---


def test_a_linked_document_that_was_changed_fails() -> None:
    place = web()
    place.documents[f"{BASE}/gate/a0000000-0000-4000-8000-000000000001"] += b" "
    report = verified(signed_award(), place)
    assert failing(report) == ["related.1"]
    assert "was changed after this was signed" in says(report, "related.1")


def test_a_linked_document_out_of_reach_is_told_and_leaves_the_credential_standing() -> None:
    place = web()
    del place.documents[f"{BASE}/gate/a0000000-0000-4000-8000-000000000001"]
    report = verified(signed_award(), place)
    assert report.verdict is Verdict.PASS
    assert report["related.1"].verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("digests", "verdict"),
    [
        ({"digestSRI": "sha384-" + base64.b64encode(hashlib.sha384(b"x").digest()).decode()}, Verdict.PASS),
        ({"digestSRI": "sha512-" + base64.b64encode(hashlib.sha512(b"x").digest()).decode() + "?a"}, Verdict.PASS),
        ({"digestMultibase": multibase_encode(b"\x12\x20" + hashlib.sha256(b"x").digest())}, Verdict.PASS),
        ({"digestMultibase": multibase_encode(b"\x13\x40" + hashlib.sha512(b"x").digest(), "u")}, Verdict.PASS),
        ({"digestMultibase": multibase_encode(b"\x12\x20" + hashlib.sha256(b"y").digest())}, Verdict.FAIL),
        ({"digestMultibase": "zzz"}, Verdict.UNKNOWN),
        ({"digestMultibase": "zz0"}, Verdict.UNKNOWN),
        ({"digestSRI": "sha256-AAAA md5-AAAA"}, Verdict.FAIL),
        ({"digestSRI": "sha256-?"}, Verdict.FAIL),
        ({"digestSRI": "sha256-!"}, Verdict.UNKNOWN),
        ({"digestSRI": "md5-AAAA"}, Verdict.UNKNOWN),
        # The stronger of two decides, as Subresource Integrity says; a weak one cannot save it.
        (
            {
                "digestSRI": f"sha256-{base64.b64encode(hashlib.sha256(b'x').digest()).decode()} "
                f"sha512-{base64.b64encode(hashlib.sha512(b'y').digest()).decode()}"
            },
            Verdict.FAIL,
        ),
        # Both ways of telling it must agree with what is served.
        (
            {
                "digestSRI": f"sha256-{base64.b64encode(hashlib.sha256(b'x').digest()).decode()}",
                "digestMultibase": multibase_encode(b"\x12\x20" + hashlib.sha256(b"y").digest()),
            },
            Verdict.FAIL,
        ),
    ],
)
def test_digests_of_both_kinds_are_read_and_strange_ones_are_not_guessed(
    digests: dict[str, str], verdict: Verdict
) -> None:
    place = web()
    place.documents[f"{BASE}/x"] = b"x"
    document = award(approval=None, map_url="")
    document["relatedResource"] = [{"id": f"{BASE}/x", **digests}]
    assert verified(signed(document), place)["related.1"].verdict is verdict


def test_no_more_than_a_few_linked_documents_are_fetched_and_the_rest_is_told() -> None:
    document = award(approval=None, map_url="", endorsements=[])
    document["relatedResource"] = [{"id": f"{BASE}/x/{n}", "digestSRI": "sha256-AAAA"} for n in range(40)]
    place = web()
    report = verified(signed(document), place)
    assert sum(url.startswith(f"{BASE}/x/") for url in place.asked) == MOST_RELATED
    assert report["related.more"].verdict is Verdict.UNKNOWN


# --- Mallory changes something ---


def changed(path: str, value: Any) -> dict[str, Any]:
    document = copy.deepcopy(signed_award())
    holder: Any = document
    *way, last = path.split("/")
    for step in way:
        holder = holder[int(step) if step.isdigit() else step]
    holder[int(last) if last.isdigit() else last] = value
    return document


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("name", "Master of Data Science"),
        ("validUntil", "2099-01-01T00:00:00Z"),
        ("credentialSubject/achievement/name", "Master of Data Science"),
        ("credentialSubject/achievement/criteria/narrative", "Being there."),
        ("credentialSubject/creditsEarned", 600),
        ("credentialSubject/result/0/value", "100"),
        ("credentialSubject/identifier/0/identityHash", "sha256$" + "0" * 64),
        ("issuer/name", "Another University"),
        ("credentialStatus/statusListIndex", "5"),
        ("credentialStatus/statusPurpose", "suspension"),
        ("credentialStatus/statusListCredential", f"{BASE}/status/2"),
        ("relatedResource/0/digestSRI", "sha256-" + "A" * 43 + "="),
        ("evidence/0/narrative", "All was well."),
        ("proof/created", "2020-01-01T00:00:00Z"),
        ("credentialSubject/achievement/endorsement/0/issuer/name", "A famous company"),
    ],
)
def test_any_signed_value_that_is_changed_breaks_the_signature(path: str, value: Any) -> None:
    report = verified(changed(path, value))
    assert report.verdict is Verdict.FAIL
    assert report["proof.signature"].verdict is Verdict.FAIL
    assert report["proof.key_bound"].verdict is not Verdict.PASS


@pytest.mark.parametrize("name", ["credentialStatus", "validUntil", "relatedResource", "evidence", "awardedDate"])
def test_nothing_that_was_signed_can_be_left_out(name: str) -> None:
    document = copy.deepcopy(signed_award())
    del document[name]
    assert verified(document)["proof.signature"].verdict is Verdict.FAIL


def test_a_status_entry_moved_into_a_part_that_repeats_the_id_is_found() -> None:
    document = copy.deepcopy(signed_award())
    entry = document.pop("credentialStatus")
    document["credentialSubject"]["source"] = {"id": document["id"], "credentialStatus": entry}
    assert verified(document, web(award=("revoked", "misconduct"))).verdict is Verdict.FAIL


@pytest.mark.parametrize("place", ["evidence/0/id", "credentialSubject/achievement/id", "issuer/parentOrg"])
def test_a_status_entry_cannot_hide_in_another_node(place: str) -> None:
    document = copy.deepcopy(signed_award())
    entry = document.pop("credentialStatus")
    document["credentialStatus"] = entry["id"]
    document["issuer"]["parentOrg"] = entry
    report = verified(document, web(award=("revoked", "misconduct")))
    assert report.verdict is Verdict.FAIL


def test_a_status_written_as_a_bare_address_is_not_taken_for_none() -> None:
    document = award()
    document["credentialStatus"] = {"id": f"{LIST}#1", "type": "SomethingElse"}
    del document["credentialStatus"]["type"]
    report = verified(signed(document))
    assert report.verdict is not Verdict.PASS
    assert report["status.revocation"].verdict is Verdict.UNKNOWN


def test_a_proof_copied_from_another_credential_of_the_issuer_does_not_hold() -> None:
    document = {**copy.deepcopy(signed_award()), "proof": signed_award("data-storytelling")["proof"]}
    assert verified(document)["proof.signature"].verdict is Verdict.FAIL


def test_a_valid_signature_of_a_stranger_is_its_own_finding() -> None:
    report = verified(signed(signed_award(), MALLORY))
    assert report["proof.signature"].verdict is Verdict.PASS
    assert report["proof.key_bound"].verdict is Verdict.FAIL
    assert failing(report) == ["proof.key_bound"]
    assert says(report, "proof.key_bound") == (
        f"The signature holds, but the key belongs to {MALLORY.id}, not to the issuer, Harbour University "
        f"({HARBOUR.id})."
    )


def test_an_issuer_swapped_while_the_name_stays_shows_the_strangers_identifier() -> None:
    document = award(issuer=MALLORY, endorsements=[], status_entry=None)
    report = verified(signed(document, MALLORY))
    assert says(report, "proof.key_bound") == (
        "The key is the issuer's, did:web:mallory.example, which calls itself Harbour University: it is listed "
        "at mallory.example."
    )
    swapped = changed("issuer/id", MALLORY.id)
    assert failing(verified(swapped))[:2] == ["proof.signature", "proof.key_bound"]


def test_a_bare_key_as_issuer_says_that_nobody_vouches_for_the_name() -> None:
    seed = hashlib.sha256(b"mallory").digest()
    did = did_key(SoftwareSigner(seed, "urn:x").public_key)
    profile = IssuerProfile(did, "Harbour University")
    own = SoftwareSigner(seed, f"{did}#{did.removeprefix('did:key:')}")
    document = award(issuer=profile, endorsements=[], status_entry=None)
    report = verified(sign_document(document, own, created=NOW))
    assert report["proof.key_bound"].verdict is Verdict.PASS
    assert says(report, "proof.key_bound").endswith("; who holds that key, it does not say.")


def test_a_did_document_of_somebody_else_vouches_for_nothing() -> None:
    place = web()
    place.documents[DID_DOCUMENT] = place.documents["https://mallory.example/.well-known/did.json"]
    report = verified(signed_award(), place)
    assert report["proof.key_bound"].verdict is Verdict.FAIL
    assert "about another" in says(report, "proof.key_bound")


def test_a_did_document_that_no_longer_lists_the_key_fails() -> None:
    place = web()
    new = SoftwareSigner(hashlib.sha256(b"new").digest(), f"{HARBOUR.id}#key-2")
    place.documents[DID_DOCUMENT] = jcs(did_document(HARBOUR.id, [new]))
    assert verified(signed_award(), place).verdict is Verdict.FAIL


def test_a_key_in_the_address_fragment_is_not_the_issuers_as_long_as_nobody_lists_it() -> None:
    seed = hashlib.sha256(b"anybody").digest()
    fragment = did_key(SoftwareSigner(seed, "urn:x").public_key).removeprefix("did:key:")
    issuer = IssuerProfile("https://university.example/issuer", "Harbour University")
    document = award(issuer=issuer, endorsements=[], status_entry=None)
    forged = sign_document(document, SoftwareSigner(seed, f"{issuer.id}#{fragment}"), created=NOW)
    report = verified(forged)
    assert report["proof.signature"].verdict is Verdict.PASS
    assert report["proof.key_bound"].verdict is Verdict.UNKNOWN
    assert report.verdict is Verdict.UNKNOWN
    assert says(report, "proof.key_bound").startswith("The signature holds, but the key is not known to belong")


@pytest.mark.parametrize(
    ("member", "value", "verdict"),
    [
        ("proofPurpose", "authentication", Verdict.FAIL),
        ("proofPurpose", None, Verdict.FAIL),
        ("cryptosuite", "eddsa-jcs-2022", Verdict.FAIL),
        ("cryptosuite", "ecdsa-rdfc-2019", Verdict.FAIL),
        ("cryptosuite", "none", Verdict.UNKNOWN),
        ("cryptosuite", ["eddsa-rdfc-2022"], Verdict.UNKNOWN),
        ("type", "Ed25519Signature2020", Verdict.FAIL),
        ("type", "MerkleProof2019", Verdict.UNKNOWN),
        ("proofValue", "z", Verdict.FAIL),
        ("proofValue", 7, Verdict.FAIL),
        ("verificationMethod", "key-1", Verdict.FAIL),
        ("verificationMethod", {"id": "did:key:z6Mk"}, Verdict.FAIL),
        ("expires", "2026-11-24T09:30:00Z", Verdict.FAIL),
        ("expires", "soon", Verdict.FAIL),
        ("created", "2026-11-24", Verdict.FAIL),
        ("previousProof", "urn:uuid:1", Verdict.FAIL),
    ],
)
def test_a_proof_that_claims_another_purpose_suite_or_time_does_not_pass(
    member: str, value: Any, verdict: Verdict
) -> None:
    report = verified(changed(f"proof/{member}", value))
    assert report["proof.signature"].verdict is verdict
    assert report.verdict is not Verdict.PASS


def test_a_signature_that_ran_out_fails_though_it_was_made_honestly() -> None:
    document = signed_award()
    document["proof"]["expires"] = iso(NOW + timedelta(minutes=30))
    assert "ran out" in says(verified(document), "proof.signature")


def test_a_strangers_second_proof_neither_helps_a_forgery_nor_harms_the_real_one() -> None:
    honest = signed_award()
    stranger = signed(honest, MALLORY)["proof"]
    assert verified({**honest, "proof": [stranger, honest["proof"]]}).verdict is Verdict.PASS
    forged = changed("name", "Master of Data Science")
    both = {**forged, "proof": [signed(forged, MALLORY)["proof"], forged["proof"]]}
    assert verified(both).verdict is Verdict.FAIL


@pytest.mark.parametrize("proof", [[], {}, None, "signed", [[]], 1, [None]])
def test_without_a_proof_it_is_not_signed(proof: Any) -> None:
    report = verified({**signed_award(), "proof": proof})
    assert report.verdict is not Verdict.PASS
    assert report["proof.signature"].verdict is not Verdict.PASS
    bare = {key: value for key, value in signed_award().items() if key != "proof"}
    assert says(verified(bare), "proof.signature") == "It is not signed at all."


# --- Contexts ---


@pytest.mark.parametrize(
    "context",
    [
        "https://mallory.example/context",
        {"name": "https://mallory.example/other#name"},
        {"@vocab": "https://mallory.example/"},
        {"@vocab": None},
        {"@base": "https://mallory.example/"},
        {"@import": "https://mallory.example/context"},
        {"bonus": {"@id": "https://mallory.example/#bonus", "@type": "@json"}},
    ],
)
def test_terms_defined_in_an_unknown_place_are_never_passed(context: Any) -> None:
    document = copy.deepcopy(signed_award())
    document["@context"].append(context)
    document["bonus"] = {"degree": "Master"}
    report = verified(document)
    assert report.verdict is not Verdict.PASS
    assert report["document.context"].verdict is Verdict.UNKNOWN


def test_a_context_hidden_in_a_part_is_found() -> None:
    report = verified(changed("credentialSubject/@context", {"@vocab": "https://mallory.example/"}))
    assert report["document.context"].verdict is Verdict.UNKNOWN
    known = verified(changed("credentialSubject/@context", "https://www.w3.org/ns/credentials/v2"))
    assert known.verdict is Verdict.FAIL
    assert known["document.lossless"].verdict is Verdict.FAIL


def test_a_document_that_does_not_begin_with_the_credentials_context_is_none() -> None:
    report = verified(changed("@context", ["https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"]))
    assert report["document.context"].verdict is Verdict.FAIL


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("grade", "A+"),
        ("https://schema.org/award", "Master"),
        ("@included", [{"id": "urn:x:1", "name": "Master"}]),
        ("@reverse", {}),
        ("@graph", []),
        ("@id", "urn:uuid:another"),
        ("note", None),
    ],
)
def test_what_a_signature_does_not_cover_cannot_be_added(name: str, value: Any) -> None:
    report = verified({**signed_award(), name: value})
    assert report.verdict is not Verdict.PASS
    assert report["document.lossless"].verdict is not Verdict.PASS


# --- Endorsements ---


def with_endorsement(made: Any) -> dict[str, Any]:
    return signed(award(endorsements=[made]) if isinstance(made, dict) else award(endorsements=[]))


def endorsed(**changes: Any) -> dict[str, Any]:
    return {**endorsement(), **changes}


def test_an_endorsement_that_holds_says_who_endorses_what() -> None:
    assert says(verified(signed_award()), "endorsements.1") == (
        f"Northwind Logistics ({NORTHWIND.id}) endorses the achievement, and signed that."
    )


def test_a_forged_endorsement_makes_the_whole_credential_fail() -> None:
    report = verified(with_endorsement(signed(endorsement(), MALLORY)))
    assert failing(report) == ["endorsements.1"]
    assert says(report, "endorsements.1").startswith("An endorsement in the name of Northwind Logistics")


def test_an_endorsement_changed_after_it_was_signed_fails() -> None:
    made = signed(endorsement(), NORTHWIND)
    made["credentialSubject"]["endorsementComment"] = "The best there is."
    assert failing(verified(with_endorsement(made))) == ["endorsements.1"]


def test_an_endorsement_without_a_signature_fails() -> None:
    report = verified(with_endorsement(endorsement()))
    assert "not signed at all" in says(report, "endorsements.1")


@pytest.mark.parametrize("other", ["https://other.example/achievements/1", "urn:uuid:0", BASE])
def test_a_true_endorsement_of_something_else_fails(other: str) -> None:
    made = endorsed(credentialSubject={**endorsement()["credentialSubject"], "id": other})
    report = verified(with_endorsement(signed(made, NORTHWIND)))
    assert failing(report) == ["endorsements.1"]
    assert "about something else" in says(report, "endorsements.1")


def test_an_endorsement_of_an_achievement_that_is_only_mentioned_fails() -> None:
    other = "https://other.example/achievements/1"
    made = endorsed(credentialSubject={**endorsement()["credentialSubject"], "id": other})
    document = award(endorsements=[signed(made, NORTHWIND)])
    document["credentialSubject"]["achievement"]["related"] = [{"id": other, "type": ["Related"]}]
    report = verified(signed(document))
    assert failing(report) == ["endorsements.1"]


@pytest.mark.parametrize(
    ("about", "words"),
    [("credential", "endorses this credential"), ("issuer", "endorses its issuer")],
)
def test_an_endorsement_may_be_about_the_credential_or_its_issuer(about: str, words: str) -> None:
    document = award(endorsements=[])
    target = document["id"] if about == "credential" else HARBOUR.id
    made = endorsed(credentialSubject={**endorsement()["credentialSubject"], "id": target})
    document["endorsement"] = [signed(made, NORTHWIND)]
    report = verified(signed(document))
    assert report.verdict is Verdict.PASS
    assert words in says(report, "endorsements.1")


def test_an_issuer_who_endorses_itself_is_shown_as_that() -> None:
    made = endorsed(issuer=HARBOUR.to_profile())
    report = verified(with_endorsement(signed(made, HARBOUR)))
    assert says(report, "endorsements.1") == "Its own issuer, Harbour University, endorses the achievement."


def test_a_badge_is_not_an_endorsement_though_it_is_signed_and_about_the_issuer() -> None:
    badge = award(
        credential_id="urn:uuid:c0000000-0000-4000-8000-00000000bbbb",
        issuer=NORTHWIND,
        recipient=Recipient(did=HARBOUR.id),
        endorsements=[],
        status_entry=None,
        approval=None,
    )
    report = verified(with_endorsement(signed(badge, NORTHWIND)))
    assert failing(report) == ["endorsements.1"]
    assert "is not one" in says(report, "endorsements.1")


def test_an_endorsement_that_ran_out_no_longer_counts_and_the_credential_stands() -> None:
    made = endorsed(validUntil=iso(NOW - timedelta(days=1)))
    report = verified(with_endorsement(signed(made, NORTHWIND)))
    assert report.verdict is Verdict.PASS
    assert "no longer counts" in says(report, "endorsements.1")


def test_an_endorsement_whose_map_was_changed_no_longer_counts() -> None:
    place = web()
    place.documents[f"{achievement_url(blueprint())}/map"] += b" "
    report = verified(signed(award(map_url="")), place)
    assert report["endorsements.1"].verdict is Verdict.UNKNOWN
    assert "changed after this was signed" in says(report, "endorsements.1")


def test_an_endorser_whose_keys_are_out_of_reach_leaves_it_unknown() -> None:
    place = web()
    del place.documents[f"{BASE}/partners/northwind-logistics/did.json"]
    report = verified(signed_award(), place)
    assert report.verdict is Verdict.UNKNOWN
    assert [f.id for f in report.unknown()] == ["endorsements.1"]


@pytest.mark.parametrize("place", ["document", "issuer", "creator"])
def test_endorsements_are_found_wherever_they_stand(place: str) -> None:
    document = award(endorsements=[])
    holders = {
        "document": document,
        "issuer": document["issuer"],
        "creator": document["credentialSubject"]["achievement"]["creator"],
    }
    holders[place]["endorsement"] = [signed(endorsement(), MALLORY)]
    assert "endorsements.1" in failing(verified(signed(document)))


def test_an_endorsement_in_a_token_that_says_nothing_is_never_passed() -> None:
    document = award(endorsements=[])
    document["endorsementJwt"] = ["eyJhbGciOiJSUzI1NiJ9.e30.c2ln"]
    report = verified(signed(document))
    assert report["endorsements.1"].verdict is Verdict.FAIL
    assert report.verdict is Verdict.FAIL


def test_a_status_entry_cannot_hide_in_an_endorsement_that_is_about_the_credential() -> None:
    document = award(endorsements=[])
    made = endorsed(credentialSubject={**endorsement()["credentialSubject"], "id": document["id"]})
    document["endorsement"] = [signed(made, NORTHWIND)]
    document = signed(document)
    document["endorsement"][0]["credentialSubject"]["credentialStatus"] = document.pop("credentialStatus")
    assert verified(document, web(award=("revoked", "misconduct"))).verdict is Verdict.FAIL


# --- Transcripts ---


def test_a_transcript_holds_with_one_finding_for_each_credential() -> None:
    report = verified(signed_larger())
    assert report.verdict is Verdict.PASS
    assert [f.id for f in report.findings if f.id.startswith("components.")] == [
        "components.1",
        "components.2",
        "components.3",
    ]
    assert says(report, "document.structure") == "It has everything that a transcript needs."
    assert says(report, "components.3") == "“Data protection in practice”, issued by Rhein Academy: it holds."


def test_a_revoked_component_makes_the_transcript_fail_and_says_which_and_why() -> None:
    report = verified(signed_larger(), web(award=("revoked", "result_corrected")))
    assert failing(report) == ["components.1"]
    assert says(report, "components.1").endswith(
        "it does not hold. Revoked: the result it rests on was corrected. So says the list of Harbour "
        "University of 2026-11-24."
    )


def test_a_forged_component_fails_though_the_transcript_is_signed_honestly() -> None:
    parts = [signed_award(), changed("name", "Master of Data Science")]
    parts[1]["id"] = "urn:uuid:other"
    report = verified(signed(larger(credentials=parts)))
    assert report["proof.signature"].verdict is Verdict.PASS
    assert "components.2" in failing(report)


@pytest.mark.parametrize("part", ["eyJhbGciOiJSUzI1NiJ9.e30.c2l", 7, {"type": "EnvelopedVerifiableCredential"}])
def test_a_component_of_another_form_is_unknown(part: Any) -> None:
    document = json.loads(signed_larger())
    document["credentialSubject"]["verifiableCredential"].append(part)
    assert verified(document)["components.4"].verdict is Verdict.UNKNOWN


def test_components_of_another_person_are_found_when_somebody_asks_whose_it_is() -> None:
    parts = [signed_award(), signed(award(recipient=Recipient(email="mallory@example.org", salt="s" * 16)))]
    parts[1] = signed({**parts[1], "id": "urn:uuid:c0000000-0000-4000-8000-00000000aaaa"})
    document = signed(larger(credentials=parts))
    assert verified(document).verdict is Verdict.PASS  # hashes with two salts cannot be compared
    report = verified(document, recipient="zoe.nguyen@example.org")
    assert failing(report) == ["components.2"]
    assert "It is not made out to zoe.nguyen@example.org." in says(report, "components.2")


def test_components_with_another_identifier_than_the_transcript_are_not_passed() -> None:
    part = signed(award(recipient=Recipient(did="did:example:mallory")))
    document = signed(larger(credentials=[part], recipient=Recipient(did="did:example:zoe")))
    report = verified(document)
    assert report.verdict is Verdict.UNKNOWN
    assert "another identifier" in says(report, "components.1")


# --- Whose it is ---


@pytest.mark.parametrize(
    ("asked", "verdict"),
    [
        ("zoe.nguyen@example.org", Verdict.PASS),
        (" Zoe.Nguyen@Example.ORG ", Verdict.PASS),
        ("Zoë Nguyễn", Verdict.PASS),
        ("Zoë  Nguyễn ", Verdict.PASS),
        ("mallory@example.org", Verdict.FAIL),
        ("Mallory", Verdict.FAIL),
        ("did:example:zoe", Verdict.UNKNOWN),
    ],
)
def test_the_recipient_is_recognised_by_what_the_credential_says_of_them(asked: str, verdict: Verdict) -> None:
    assert verified(signed_award(), recipient=asked)["recipient"].verdict is verdict


@pytest.mark.parametrize(
    ("subject", "asked", "verdict"),
    [
        ({"id": "did:example:zoe"}, "did:example:zoe", Verdict.PASS),
        ({"id": "did:example:zoe"}, "did:example:mallory", Verdict.FAIL),
        ({"id": "did:example:zoe"}, "zoe@example.org", Verdict.UNKNOWN),
        ({"id": "mailto:zoe@example.org"}, "zoe@example.org", Verdict.PASS),
        ({"id": "mailto:zoe@example.org"}, "mallory@example.org", Verdict.FAIL),
        ({}, "zoe@example.org", Verdict.UNKNOWN),
        ({"identifier": {"identityType": "emailAddress", "identityHash": 7}}, "zoe@example.org", Verdict.FAIL),
    ],
)
def test_a_recipient_who_cannot_be_compared_is_unknown_rather_than_wrong(
    subject: dict[str, Any], asked: str, verdict: Verdict
) -> None:
    document = {**signed_award(), "credentialSubject": {"type": ["AchievementSubject"], **subject}}
    assert verified(document, recipient=asked)["recipient"].verdict is verdict


def test_the_example_of_the_specification_is_recognised_with_md5_too() -> None:
    # Open Badges 3.0, IdentityHash: a@example.com with the salt Kosher.
    for algorithm in ("sha256", "md5"):
        digest = hashlib.new(algorithm, b"a@example.comKosher").hexdigest().upper()
        entry = {
            "type": "IdentityObject",
            "hashed": True,
            "identityHash": f"{algorithm}${digest}",
            "identityType": "emailAddress",
            "salt": "Kosher",
        }
        document = {**signed_award(), "credentialSubject": {"identifier": [entry]}}
        assert verified(document, recipient="a@example.com")["recipient"].verdict is Verdict.PASS


# --- Other forms, and what cannot be read ---


@pytest.mark.parametrize(
    "document",
    [
        b"eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJ4In0.c2ln",
        b"\n eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJ4In0.c2ln~WyJhIl0~\n",
        b'{"type": "EnvelopedVerifiableCredential", "id": "data:application/vc+cose;base64,2D0="}',
        b'{"type": ["VerifiablePresentation"], "verifiableCredential": []}',
        b'{"@context": "https://w3id.org/openbadges/v2", "type": "BadgeClass"}',
        b'{"payload": "e30", "signatures": []}',
    ],
)
def test_a_form_that_cannot_be_checked_yet_is_unknown(document: bytes) -> None:
    report = verified(document)
    assert report.verdict is Verdict.UNKNOWN
    assert report["document.form"].says.endswith("that form cannot be checked here yet.")


@pytest.mark.parametrize(
    ("document", "what"),
    [
        (b"", "is empty"),
        (b" \n\t ", "is empty"),
        (b"{", "not JSON at line 1"),
        (b'{"a": 1,}', "not JSON"),
        (b"not json", "not JSON"),
        (b"\xff\xd8\xff\xe0JFIF", "is neither JSON text nor a PNG or SVG image"),
        (bytes(range(256)), "is neither JSON text nor a PNG or SVG image"),
        (b"[]", "is JSON, but not a document"),
        (b'"text"', "is JSON, but not a document"),
        (b'{"id": "a", "id": "b"}', "stands twice"),
        (b'{"issuer": {"name": "a", "name": "b"}}', "stands twice"),
        (b'{"a": NaN}', "is not JSON"),
        (b'{"a": ' + b"9" * 5000 + b"}", "too many digits"),
        (b'{"a":' + b"[" * 5000 + b"]" * 5000 + b"}", "nested too deeply"),
        (b"[" * 200_000, "nested too deeply"),
        (PIXEL, "carries no credential"),
        (PIXEL[:40], "ends in the middle"),
        (b"<html></html>", "neither a PNG nor an SVG"),
        (b'<svg xmlns="http://www.w3.org/2000/svg"></svg>', "carries no credential"),
        (b" " * (LARGEST + 1), "is larger than"),
    ],
)
def test_what_cannot_be_read_is_one_sentence_that_says_what_where_and_what_to_do(document: bytes, what: str) -> None:
    with pytest.raises(BrokenInput) as caught:
        verified(document)
    assert what in str(caught.value)
    assert caught.value.where in ("credential", "image")
    assert caught.value.hint
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("document", [{}, {"a": 1}, {"type": "VerifiableCredential"}, {"issuer": []}])
def test_json_that_is_no_credential_fails(document: dict[str, Any]) -> None:
    report = verified(document)
    assert report.verdict is Verdict.FAIL
    assert report["document.structure"].verdict is Verdict.FAIL


def test_a_signed_credential_of_an_unknown_kind_is_unknown() -> None:
    document = {
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "type": ["VerifiableCredential"],
        "issuer": HARBOUR.id,
        "credentialSubject": {"id": "did:example:zoe"},
    }
    report = verified(signed(document))
    assert report["proof.signature"].verdict is Verdict.PASS
    assert report.verdict is Verdict.UNKNOWN


def test_a_status_list_can_be_verified_itself() -> None:
    report = verified(web().documents[LIST])
    assert report.verdict is Verdict.PASS
    assert says(report, "document.structure") == "It has everything that a status list needs."


# --- Hostile size and shape ---


def nested_endorsement(levels: int) -> dict[str, Any]:
    made = endorsement()
    if levels:
        made["issuer"]["endorsement"] = [nested_endorsement(levels - 1)]
    return made


def test_endorsements_within_endorsements_are_followed_a_few_levels_and_no_further() -> None:
    report = verified(award(endorsements=[nested_endorsement(12)]))
    assert report.verdict is Verdict.FAIL
    text = json.dumps(report.to_json())
    assert len(text) < 200_000
    assert DEEPEST == 3


def test_many_embedded_endorsements_are_not_all_looked_at_and_the_report_says_so() -> None:
    one = {"type": ["VerifiableCredential", "EndorsementCredential"], "issuer": "did:example:x"}
    document = {**signed_award(), "endorsement": [one] * 500}
    report = verified(document)
    assert report["endorsements.more"].verdict is Verdict.UNKNOWN
    assert sum(f.id.startswith("endorsements.") for f in report.findings) == MOST_PARTS + 1


def test_a_tree_of_embedded_credentials_costs_no_more_than_its_bound() -> None:
    leaf: dict[str, Any] = {"type": ["VerifiableCredential", "ClrCredential"], "issuer": "did:example:x"}
    for _ in range(DEEPEST + 1):
        leaf = {**leaf, "credentialSubject": {"verifiableCredential": [leaf] * 6}}
    report = verified(leaf)
    assert report["components.more"].verdict is Verdict.UNKNOWN


def test_a_document_with_too_many_values_is_not_looked_at_and_unknown() -> None:
    document = {**signed_award(), "evidence": [{"type": ["Evidence"]}] * 40_000}
    report = verified(document)
    assert report["proof.signature"].verdict is Verdict.UNKNOWN
    assert "values to check" in says(report, "proof.signature")


def test_a_document_that_names_itself_in_circles_ends() -> None:
    document = signed_award()
    document["credentialStatus"]["statusListCredential"] = document["id"]
    document["issuer"]["id"] = document["id"]
    document["endorsement"] = [{"id": document["id"], "issuer": document["id"], "endorsement": document["id"]}]
    assert verified(document).verdict is Verdict.FAIL


def test_a_document_that_sends_the_verifier_to_a_thousand_places_is_stopped() -> None:
    def strange(number: int) -> dict[str, Any]:
        made = copy.deepcopy(endorsement())
        made["issuer"]["id"] = f"did:web:host{number}.example"
        made["proof"] = [
            {**signed_award()["proof"], "verificationMethod": f"did:web:h{number}-{n}.example#k"} for n in range(8)
        ]
        return made

    place = web()
    report = verified({**signed_award(), "endorsement": [strange(n) for n in range(60)]}, place)
    assert len(place.asked) <= 60
    assert report.verdict is Verdict.FAIL


def test_half_a_surrogate_pair_cannot_be_read() -> None:
    text = json.dumps(signed_award()).replace("Harbour", "\\udfffHarbour")
    with pytest.raises(BrokenInput, match="surrogate"):
        verified(text.encode())


def test_a_list_read_by_many_components_is_fetched_and_checked_once() -> None:
    place = web()
    verified(signed_larger(), place)
    assert place.asked.count(LIST) == 1


def test_the_lists_of_the_cast_are_those_of_their_issuers() -> None:
    assert set(lists(HARBOUR)) == {LIST, f"{LIST}/reasons"}
    assert signer(HARBOUR).public_key != signer(MALLORY).public_key
    assert ZOE.email
