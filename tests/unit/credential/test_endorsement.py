"""A partner's endorsement says what it signed, for people and for machines, and the two must agree."""

from __future__ import annotations

import base64
import copy
import hashlib
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.credential.award_cast import (
    NORTHWIND,
    NOW,
    achievement_url,
    award,
    blueprint,
    endorsement,
    map_bytes,
    signed,
    verified,
    web,
)

from guildmark.core.codecs import jcs
from guildmark.core.errors import BrokenInput
from guildmark.core.report import Verdict
from guildmark.credential.endorsement import (
    embedded_endorsements,
    endorsement_document,
    read_endorsement,
    scoped_map_url,
)
from guildmark.credential.jsonld import context_sets, to_dataset
from guildmark.design.codesign import map_digest


def some_outcomes() -> tuple[str, ...]:
    return tuple(sorted(outcome.id for outcome in blueprint().outcomes)[:2])


def test_an_endorsement_holds_by_itself_and_the_map_it_points_at_is_checked() -> None:
    report = verified(signed(endorsement(), NORTHWIND))
    assert report.verdict is Verdict.PASS
    assert report["related.1"].verdict is Verdict.PASS


def test_changing_the_map_voids_the_signature() -> None:
    place = web()
    place.documents[f"{achievement_url(blueprint())}/map"] = map_bytes("data-storytelling")
    assert verified(signed(endorsement(), NORTHWIND), place).verdict is Verdict.FAIL


def test_every_word_of_it_is_covered_by_a_signature() -> None:
    for scope in ("whole", some_outcomes()):
        assert to_dataset(endorsement(scope=scope), context_sets()[0]).losses == ()


@pytest.mark.parametrize("whole", [True, False])
def test_what_was_endorsed_is_read_back(whole: bool) -> None:
    scope = "whole" if whole else some_outcomes()
    found = read_endorsement(jcs(signed(endorsement(scope=scope), NORTHWIND)))
    assert found.scope == scope
    assert found.digest == map_digest(blueprint(), scope)
    assert found.digest == hashlib.sha256(map_bytes(scope=scope)).hexdigest()
    assert (found.partner_id, found.partner_name) == (NORTHWIND.id, NORTHWIND.name)
    assert found.claim == "We worked on these tasks with the university; people who pass can start with us."
    assert found.credential_id == endorsement()["id"]


def test_a_reader_of_the_bare_text_sees_digest_and_scope() -> None:
    comment = endorsement(scope=some_outcomes())["credentialSubject"]["endorsementComment"]
    assert comment.endswith(
        f"\n\nmap sha-256: {map_digest(blueprint(), some_outcomes())}; scope: {', '.join(some_outcomes())}"
    )


@given(st.lists(st.text(st.characters(codec="utf-8"), min_size=1), min_size=1, max_size=4))
def test_any_outcome_ids_survive_the_address(outcomes: list[str]) -> None:
    document = endorsement()
    url = scoped_map_url("https://a.example/map", tuple(outcomes))
    document["relatedResource"][0]["id"] = url
    digest = base64.b64decode(document["relatedResource"][0]["digestSRI"].removeprefix("sha256-")).hex()
    document["credentialSubject"]["endorsementComment"] = f"x\n\nmap sha-256: {digest}; scope: {', '.join(outcomes)}"
    assert read_endorsement(document).scope == tuple(outcomes)
    assert url.isascii()


# --- What is refused ---


def arguments(**changes: Any) -> dict[str, Any]:
    return {
        "id": "urn:uuid:1",
        "partner": NORTHWIND,
        "target_id": "https://a.example/1",
        "blueprint": blueprint(),
        "scope": "whole",
        "digest": map_digest(blueprint()),
        "claim": "It is so.",
        "valid_from": NOW,
        **changes,
    }


def test_a_partner_never_signs_a_map_that_it_was_not_shown() -> None:
    changed = replace(blueprint(), outcomes=blueprint().outcomes[1:])
    for wrong in ({"digest": "0" * 64}, {"scope": some_outcomes()}, {"blueprint": changed}):
        with pytest.raises(BrokenInput, match="digest is not that of the map"):
            endorsement_document(**arguments(**wrong))


def test_an_endorsement_that_says_nothing_is_refused() -> None:
    with pytest.raises(BrokenInput, match="says something"):
        endorsement_document(**arguments(claim=" \n"))


@pytest.mark.parametrize(
    ("change", "where"),
    [
        (lambda d: d.update(type=["VerifiableCredential"]), "endorsement.type"),
        (lambda d: d.update(issuer="did:web:a.example"), "endorsement.issuer"),
        (lambda d: d.update(issuer={"name": "A"}), "endorsement.issuer"),
        (lambda d: d.update(credentialSubject=[]), "endorsementComment"),
        (lambda d: d["credentialSubject"].update(endorsementComment=7), "endorsementComment"),
        (lambda d: d["credentialSubject"].update(endorsementComment="We agree."), "endorsementComment"),
        (lambda d: d.update(relatedResource=[]), "relatedResource"),
        (lambda d: d.update(relatedResource=["https://a.example"]), "relatedResource"),
        (lambda d: d["relatedResource"][0].update(digestSRI="sha256-" + "A" * 43 + "="), "endorsementComment"),
        (lambda d: d["relatedResource"][0].update(id="https://a.example/map?outcomes=o1"), "endorsementComment"),
        (lambda d: d.update(validFrom="yesterday"), "endorsement.validFrom"),
        (lambda d: d.pop("validFrom"), "endorsement.validFrom"),
    ],
)
def test_a_document_whose_text_and_digest_disagree_is_not_read(change: Any, where: str) -> None:
    document = copy.deepcopy(endorsement())
    change(document)
    with pytest.raises(BrokenInput) as caught:
        read_endorsement(document)
    assert where in caught.value.where


@pytest.mark.parametrize("document", [b"{", b"[]", b'"x"', b"{}"])
def test_bytes_that_are_no_endorsement_are_refused(document: bytes) -> None:
    with pytest.raises(BrokenInput):
        read_endorsement(document)


# --- Endorsements inside a credential ---


def test_endorsements_are_found_anywhere_but_not_within_another_or_a_transcripts_credential() -> None:
    inner = {"endorsement": [{"name": "hidden"}]}
    document = {
        "endorsement": [{"name": "1", **inner}],
        "issuer": {"endorsement": {"name": "2"}, "parentOrg": {"endorsementJwt": "3"}},
        "credentialSubject": {"verifiableCredential": [inner], "achievement": {"creator": {"endorsement": [4, None]}}},
        "proof": inner,
        "@context": [inner],
    }
    found = [entry["name"] if isinstance(entry, dict) else entry for entry in embedded_endorsements(document)]
    assert found == ["1", "2", "3", 4, None]


def test_an_award_without_endorsements_has_none() -> None:
    assert list(embedded_endorsements(award(endorsements=[]))) == []
    assert len(list(embedded_endorsements(award()))) == 1
