"""An award becomes a document that says what was decided, whose it is, and nothing that could be misread."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.unit.credential.award_cast import (
    GATE_REPORT,
    HARBOUR,
    NAMES,
    NOW,
    ZOE,
    achievement_url,
    award,
    blueprint,
    decision,
    map_bytes,
    signed,
    verified,
)
from tests.unit.credential.whole import TOKEN, badge, person, profile, transcript
from tests.unit.credential.whole import endorsement as whole_endorsement
from tests.unit.credential.whole import subject as whole_subject

from guildmark.core.codecs import iso, jcs
from guildmark.core.errors import BrokenInput
from guildmark.core.report import Verdict
from guildmark.credential.jsonld import context_sets, to_dataset
from guildmark.credential.model import RESULT_TYPES
from guildmark.credential.open_badge import (
    NOT_UNDER_AQF,
    IssuerProfile,
    Recipient,
    achievement,
    award_document,
    credential,
    decimal_text,
    identity_hash,
    in_words,
    is_recipient,
    level_label,
    make,
    number,
    related_resource,
    replaces,
    same_credential,
    same_identity,
)
from guildmark.credential.structure import structure_problems
from guildmark.design.blueprint import blueprint_digest

SALT = "5f1c9a3377bd4e0a"


# --- The document ---


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("revision", [0, 1])
def test_every_word_of_an_award_is_covered_by_a_signature_under_both_revisions(name: str, revision: int) -> None:
    assert to_dataset(award(name), context_sets()[revision]).losses == ()


def test_both_revisions_of_the_context_give_an_award_the_same_statements() -> None:
    current, older = (to_dataset(award(), contexts).quads for contexts in context_sets())
    assert current == older


def test_the_same_award_gives_the_same_bytes() -> None:
    assert jcs(award()) == jcs(award())


def test_the_award_says_who_what_when_and_until_when() -> None:
    document = award()
    assert document["issuer"]["id"] == document["credentialSubject"]["achievement"]["creator"]["id"] == HARBOUR.id
    assert document["validFrom"] == "2026-11-24T09:00:00Z"
    assert document["validUntil"] == iso(NOW + timedelta(days=1096))
    assert document["awardedDate"] == iso(decision().decided_at)
    assert document["name"] == blueprint().title


def test_sets_are_written_as_lists_and_nothing_is_empty() -> None:
    """Open Badges 3.0, Serialization: the canonical form that strict readers ask for."""
    waiting: list[Any] = [award()]
    sets = ("alignment", "endorsement", "evidence", "identifier", "result", "relatedResource")
    while waiting:
        item = waiting.pop()
        assert item not in (None, [], {}, "")
        if isinstance(item, dict):
            assert all(isinstance(item[name], list) for name in sets if name in item)
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)


def test_there_is_one_status_entry_since_open_badges_has_room_for_one() -> None:
    assert isinstance(award()["credentialStatus"], dict)
    assert "credentialStatus" not in award(status_entry=None)


def test_each_decided_result_is_there_and_points_into_the_achievement() -> None:
    subject, decided = award()["credentialSubject"], decision()
    described = {entry["id"]: entry for entry in subject["achievement"]["resultDescription"]}
    results = {entry["resultDescription"]: entry for entry in subject["result"]}
    assert set(results) <= set(described)
    url = achievement_url(blueprint())
    assert results[f"{url}#result/total"]["value"] == decimal_text(decided.percent)
    for outcome in decided.outcome_results:
        assert results[f"{url}#outcome/{outcome.outcome_id}"]["value"] == decimal_text(outcome.percent)
    criteria = [c for a in blueprint().assessments for c in a.criteria]
    assert sum("achievedLevel" in entry for entry in results.values()) == len(criteria)
    assert {entry["resultType"] for entry in described.values()} <= RESULT_TYPES


def test_the_decision_behind_it_can_be_traced_and_no_marker_is_named() -> None:
    text = json.dumps(award())
    decided = decision()
    assert hashlib.sha256(jcs(decided.to_json())).hexdigest() in text
    assert decided.marks_sha256 in text
    assert blueprint_digest(blueprint()) in text
    assert not any(f'"{marker}"' in text for marker in decided.marker_ids)


def test_neither_the_address_nor_the_name_of_the_holder_stands_in_it() -> None:
    text = json.dumps(award(), ensure_ascii=False).lower()
    assert "example.org" not in text
    assert "nguy" not in text


def test_the_approval_and_the_map_are_signed_by_their_digests() -> None:
    gate, mapped = award()["relatedResource"]
    assert gate["digestSRI"] == "sha256-" + base64.b64encode(hashlib.sha256(GATE_REPORT).digest()).decode()
    assert mapped["digestSRI"] == "sha256-" + base64.b64encode(hashlib.sha256(map_bytes()).digest()).decode()
    assert related_resource("urn:x", "00" * 32)["mediaType"] == "application/json"
    assert "relatedResource" not in award(approval=None, map_url="")


def test_the_criteria_say_in_words_what_frameworks_ask_for() -> None:
    words = award()["credentialSubject"]["achievement"]["criteria"]["narrative"]
    assert "Workload:" in words
    assert "the report is at https://demo.guildmark.example/gate/" in words
    assert NOT_UNDER_AQF in words
    assert NOT_UNDER_AQF not in award("data-protection")["credentialSubject"]["achievement"]["criteria"]["narrative"]


def test_whole_numbers_are_written_whole_since_languages_differ_about_3_and_3_0() -> None:
    assert isinstance(number(3.0), int)
    assert number(2.5) == 2.5
    assert decimal_text(75.0) == "75"
    assert decimal_text(82.504) == "82.5"


def test_a_blueprint_without_credit_promises_none() -> None:
    plan = replace(blueprint(), credit=replace(blueprint().credit, unit="none", value=0))
    made = achievement(plan, "https://a.example/1")
    assert "creditsAvailable" not in made
    assert "Credit: no credit." in made["criteria"]["narrative"]


def test_codes_become_words() -> None:
    assert in_words("P1D") == "1 day"
    assert in_words("P12W") == "12 weeks"
    assert in_words("supervised_with_id") == "supervised, with identity verification"
    assert in_words("some_other_code") == "some other code"
    assert in_words("As it is_written") == "As it is_written"
    assert level_label("AQF:5") == "AQF level 5"
    assert level_label("none") == "none"


# --- What is refused ---


def test_a_decision_that_is_no_pass_is_not_awarded() -> None:
    with pytest.raises(BrokenInput, match="not a pass"):
        award(decision=replace(decision(), passed=False))


def test_a_decision_on_another_blueprint_is_not_awarded() -> None:
    with pytest.raises(BrokenInput, match="another content"):
        award(decision=decision("data-storytelling"))
    with pytest.raises(BrokenInput, match="another content"):
        award(blueprint=replace(blueprint(), title="Something grander"))


def test_evidence_with_a_field_that_open_badges_does_not_have_is_refused_by_name() -> None:
    with pytest.raises(BrokenInput, match="evidence 2: 'url' is not a field"):
        award(evidence=[{"name": "a"}, {"name": "b", "url": "https://a.example"}])


def test_an_award_is_made_by_keyword_only() -> None:
    with pytest.raises(TypeError):
        award_document("urn:uuid:1")  # type: ignore[call-arg, misc]


# --- Profiles and recipients ---


def test_a_profile_leaves_out_what_is_not_known() -> None:
    assert IssuerProfile("did:web:a.example", "A").to_profile() == {
        "id": "did:web:a.example",
        "type": ["Profile"],
        "name": "A",
    }
    full = IssuerProfile("did:web:a.example", "A", "https://a.example", "AU", "https://a.example/logo.png")
    assert full.to_profile()["address"] == {"type": ["Address"], "addressCountryCode": "AU"}
    assert full.to_profile()["image"]["id"] == "https://a.example/logo.png"


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"name": "Zoë"},
        {"email": "zoe@example.org"},
        {"email": "zoe@example.org", "salt": "short"},
        {"did": "did:example:zoe", "name": "Zoë"},
    ],
)
def test_a_recipient_without_identity_or_salt_is_refused(arguments: dict[str, str]) -> None:
    with pytest.raises(BrokenInput, match="recipient"):
        Recipient(**arguments)


def test_a_recipient_with_a_did_needs_nothing_else() -> None:
    assert Recipient(did="did:example:zoe").to_subject() == {"id": "did:example:zoe"}


def test_the_hash_of_an_address_is_that_of_the_specification() -> None:
    # Open Badges 3.0, IdentityHash: sha256 of a@example.com followed by the salt Kosher.
    assert identity_hash("a@example.com", "Kosher") == ("sha256$" + hashlib.sha256(b"a@example.comKosher").hexdigest())


def test_an_address_is_recognised_in_any_case_and_a_name_in_any_spacing_and_normal_form() -> None:
    document = award()
    assert is_recipient(document, email=" zoe.NGUYEN@example.org")
    assert is_recipient(document, name="Zoë  Nguyễn")
    assert is_recipient(document, name="Zoë Nguyễn")  # decomposed letters
    assert is_recipient(document, email=ZOE.email, name=ZOE.name)
    assert not is_recipient(document, email=ZOE.email, name="Mallory")
    assert not is_recipient(document, email=ZOE.name)
    assert not is_recipient(document)


@pytest.mark.parametrize(
    ("entry", "same"),
    [
        ({"hashed": False, "identityHash": "zoe"}, True),
        ({"hashed": "true", "identityHash": "zoe"}, True),
        ({"identityHash": identity_hash("zoe", SALT), "salt": SALT, "hashed": True}, True),
        ({"identityHash": identity_hash("zoe", SALT).upper(), "salt": SALT, "hashed": True}, False),
        ({"identityHash": identity_hash("zoe", ""), "hashed": True}, True),
        ({"identityHash": "md5$" + hashlib.md5(b"zoe").hexdigest(), "hashed": True}, True),
        ({"identityHash": "sha1$" + hashlib.sha1(b"zoe").hexdigest(), "hashed": True}, False),
        ({"identityHash": "zoe", "hashed": True}, False),
        ({"identityHash": 7, "hashed": True}, False),
        ({"identityHash": "zoe", "salt": [], "hashed": True}, False),
        ({}, False),
    ],
)
def test_an_identity_is_compared_as_it_says_it_is_written(entry: dict[str, Any], same: bool) -> None:
    assert same_identity(entry, "zoe") is same


# --- Any part of the model ---


def test_a_part_is_typed_and_written_as_the_standard_writes_it() -> None:
    made = make(
        "Evidence", type="https://a.example/terms#Log", name="Work", description="", narrative=None, own=(1.0, True)
    )
    assert made == {"type": ["Evidence", "https://a.example/terms#Log"], "name": "Work", "own": [1, True]}
    assert isinstance(made["own"][0], int)
    assert make("Image", id="https://a.example/1.png") == {"type": "Image", "id": "https://a.example/1.png"}


@pytest.mark.parametrize(
    ("kind", "members", "says"),
    [
        ("Alignment", {"targetName": "Data"}, "targetUrl: is missing"),
        ("Alignment", {"targetName": "Data", "targetUrl": "data"}, "targetUrl: is not an absolute URL"),
        ("Image", {"id": "https://a.example/1.png", "size": 3}, "size: is not a member of Image"),
        ("Result", {"status": "Brilliant"}, "status: is “Brilliant”, which the standard does not have"),
        ("Profile", {"id": "did:example:a", "parentOrg": "https://a.example"}, "parentOrg: is not an object"),
    ],
)
def test_a_part_that_is_not_as_the_standard_says_is_not_made(kind: str, members: dict[str, Any], says: str) -> None:
    with pytest.raises(BrokenInput, match=re.escape(says)):
        make(kind, **members)


@pytest.mark.parametrize("document", [badge(), transcript(), whole_endorsement()], ids=["badge", "record", "words"])
def test_documents_with_every_member_are_wholly_covered_by_a_signature(document: dict[str, Any]) -> None:
    assert to_dataset(document, context_sets()[0]).losses == ()


def test_a_signature_over_every_member_holds() -> None:
    document = signed({**badge(), "issuer": {**badge()["issuer"], "id": HARBOUR.id}})
    report = verified(document)
    assert report["document.structure"].verdict is Verdict.PASS
    assert report["document.lossless"].verdict is Verdict.PASS
    assert report["proof.signature"].verdict is Verdict.PASS
    assert report["proof.key_bound"].verdict is Verdict.PASS
    assert report["schema.1"].verdict is Verdict.PASS


def test_a_credential_that_is_not_as_the_standard_says_is_not_made() -> None:
    with pytest.raises(BrokenInput, match="credentialSubject: does not say whose it is"):
        credential(
            "OpenBadgeCredential",
            id="urn:x:1",
            issuer="did:example:a",
            valid_from=NOW,
            subject={k: v for k, v in whole_subject().items() if k not in ("id", "identifier")},
        )


def test_what_is_signed_on_its_own_stays_as_it_was_signed() -> None:
    """JSON-LD tells 3.0 from 3, so a number in a signed endorsement is not written otherwise."""
    inner = {"type": ["VerifiableCredential"], "own": 3.0}
    made = make("Profile", id="did:example:a", endorsement=inner, endorsementJwt=TOKEN)
    assert made["endorsement"] == [inner]
    assert isinstance(made["endorsement"][0]["own"], float)


# --- An award with more ---


def test_an_award_has_any_further_member() -> None:
    document = award(
        endorsement_tokens=[TOKEN],
        members={
            "description": "In short.",
            "refreshService": {"id": "https://a.example/r", "type": "https://a.example/#R"},
        },
        subject_members={
            "activityStartDate": NOW - timedelta(days=90),
            "role": "Intern",
            "source": person(),
            "identifier": [make("IdentityObject", hashed=False, identityHash="s1", identityType="sisSourcedId")],
        },
        achievement_members={"humanCode": "SQL-1", "tag": ["sql"], "related": make("Related", id="urn:x:old")},
        issuer=replace(HARBOUR, members={"email": "office@a.example", "parentOrg": profile()}),
    )
    subject = document["credentialSubject"]
    assert structure_problems(document, "strict") == ()
    assert to_dataset(document, context_sets()[0]).losses == ()
    assert document["description"] == "In short."
    assert subject["role"] == "Intern"
    assert [entry["identityType"] for entry in subject["identifier"]] == ["emailAddress", "name", "sisSourcedId"]
    assert subject["achievement"]["endorsementJwt"] == [TOKEN]
    assert subject["achievement"]["related"] == [{"type": ["Related"], "id": "urn:x:old"}]
    assert document["issuer"]["email"] == subject["achievement"]["creator"]["email"] == "office@a.example"
    assert document["type"] == ["VerifiableCredential", "OpenBadgeCredential"]


def test_tokens_of_endorsement_have_a_meaning_under_the_current_context_only() -> None:
    document = award(endorsement_tokens=[TOKEN])
    current, older = (to_dataset(document, contexts).losses for contexts in context_sets())
    assert current == ()
    assert "endorsementJwt" in older[0]


@pytest.mark.parametrize(
    ("argument", "members", "says"),
    [
        ("members", {"id": "urn:x:2"}, "credential.id: is decided by what it is made from"),
        ("members", {"validFrom": "2020-01-01T00:00:00Z"}, "credential.validFrom: is decided"),
        ("subject_members", {"result": [{}]}, "credentialSubject.result: is decided"),
        ("subject_members", {"creditsEarned": 99}, "credentialSubject.creditsEarned: is decided"),
        ("achievement_members", {"criteria": {"narrative": "None."}}, "achievement.criteria: is decided"),
        ("achievement_members", {"inLanguage": "de"}, "achievement.inLanguage: is decided"),
        ("subject_members", {"source": "Ada"}, "credentialSubject.source: is not an object"),
        ("endorsement_tokens", ["no"], "endorsementJwt[0]: is not a JSON Web Signature"),
    ],
)
def test_what_is_decided_cannot_be_said_otherwise(argument: str, members: Any, says: str) -> None:
    with pytest.raises(BrokenInput, match=re.escape(says)):
        award(**{argument: members})


# --- The same credential, and the newer one ---


def stated(
    id: str = "http://a.example/c/1", issuer: Any = "did:example:a", begins: str = "2010-01-01T00:00:00Z"
) -> Any:
    return {"id": id, "issuer": issuer, "validFrom": begins}


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (stated(), stated(), True),
        (stated(), stated(issuer={"id": "did:example:a", "name": "A"}), True),
        (stated("http://a.example/c%2F1"), stated("http://a.example/c/1"), True),
        (stated(" http://a.example/c/1 "), stated("http://a.example/c/1%20"), True),
        (stated(issuer="did%3Aexample:a"), stated(), True),
        (stated(), stated("http://a.example/c/2"), False),
        (stated(), stated(issuer="did:example:b"), False),
        (stated(), stated("HTTP://a.example/c/1"), False),
        ({"issuer": "did:example:a"}, {"issuer": "did:example:a"}, False),
        (stated(""), stated(""), False),
        (stated(issuer={}), stated(issuer={}), False),
    ],
)
def test_credentials_are_the_same_by_issuer_and_id(one: Any, other: Any, same: bool) -> None:
    assert same_credential(one, other) is same
    assert same_credential(other, one) is same


def test_the_credential_that_counts_from_later_replaces_the_other() -> None:
    first, second = stated(), stated(begins="2010-03-01T00:00:00+02:00")
    assert replaces(second, first)
    assert not replaces(first, second)
    assert not replaces(first, first)  # both are up to date
    assert not replaces(stated("urn:x:2", begins="2020-01-01T00:00:00Z"), first)
    old = {"id": first["id"], "issuer": first["issuer"], "issuanceDate": "2009-01-01T00:00:00Z"}
    assert replaces(first, old)
    with pytest.raises(BrokenInput, match="issuanceDate"):
        replaces(first, {"id": first["id"], "issuer": first["issuer"]})
