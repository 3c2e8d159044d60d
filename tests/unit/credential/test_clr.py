"""A larger credential keeps its components as they were signed and says how they count."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from tests.unit.credential.award_cast import NAMES, NOW, larger, signed, signed_award, signed_larger, verified
from tests.unit.credential.whole import achievement

from guildmark.core.codecs import iso
from guildmark.core.errors import BrokenInput
from guildmark.core.report import Verdict
from guildmark.credential.jsonld import context_sets, to_dataset
from guildmark.credential.structure import structure_problems


def test_components_stand_in_it_unchanged_with_their_own_proofs() -> None:
    inside = larger()["credentialSubject"]["verifiableCredential"]
    assert inside == [signed_award(name) for name in NAMES]


def test_each_component_is_a_part_of_the_larger_achievement() -> None:
    subject = larger()["credentialSubject"]
    (whole,) = subject["achievement"]
    ends = {(a["associationType"], a["sourceId"], a["targetId"]) for a in subject["association"]}
    parts = {c["credentialSubject"]["achievement"]["id"] for c in subject["verifiableCredential"]}
    assert ends == {("isPartOf", part, whole["id"]) for part in parts}


def test_every_word_of_it_is_covered_by_a_signature_under_both_revisions() -> None:
    for contexts in context_sets():
        assert to_dataset(larger(), contexts).losses == ()


def test_it_says_that_it_does_not_hold_all_there_is_and_what_counted() -> None:
    document = larger()
    assert document["partial"] is True
    words = document["credentialSubject"]["achievement"][0]["criteria"]["narrative"]
    assert all(signed_award(name)["name"] in words for name in NAMES)
    assert larger(criteria="Three of them.")["credentialSubject"]["achievement"][0]["criteria"] == {
        "narrative": "Three of them."
    }


def test_an_end_and_a_status_are_there_only_if_given() -> None:
    document = larger(status_entry=None)
    assert "credentialStatus" not in document
    assert "validUntil" not in document
    assert larger(valid_until=NOW + timedelta(days=1))["validUntil"] == iso(NOW + timedelta(days=1))


def test_a_component_taken_out_or_exchanged_breaks_the_signature() -> None:
    for change in (lambda parts: parts.pop(), lambda parts: parts.reverse() or parts.__setitem__(0, signed_award())):
        document = json.loads(signed_larger())
        change(document["credentialSubject"]["verifiableCredential"])
        assert verified(document)["proof.signature"].verdict is Verdict.FAIL


def test_the_order_of_components_means_nothing() -> None:
    document = json.loads(signed_larger())
    document["credentialSubject"]["verifiableCredential"].reverse()
    assert verified(document).verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("credentials", "says"),
    [
        ([], "at least one component"),
        ([signed_award(), signed_award()], "stands twice"),
        ([{k: v for k, v in signed_award().items() if k != "proof"}], "component 1: carries no proof"),
        (
            [signed_award(), {k: v for k, v in signed_award("data-storytelling").items() if k != "id"}],
            "component 2: has no id",
        ),
        ([{**signed_award(), "credentialSubject": {}}], "no achievement with an id"),
        ([{**signed_award(), "credentialSubject": {"achievement": {"id": 7}}}], "no achievement with an id"),
    ],
)
def test_components_that_cannot_stand_on_their_own_are_refused(credentials: list[Any], says: str) -> None:
    with pytest.raises(BrokenInput, match=says):
        larger(credentials=credentials)


def test_two_awards_of_one_achievement_are_joined_once() -> None:
    second = signed({**signed_award(), "id": "urn:uuid:c0000000-0000-4000-8000-000000000abc"})
    assert len(larger(credentials=[signed_award(), second])["credentialSubject"]["association"]) == 1


# --- More than the components ---


def test_a_record_has_further_associations_and_members() -> None:
    first, second = (signed_award(name)["credentialSubject"]["achievement"]["id"] for name in NAMES[:2])
    document = larger(
        partial=False,
        associations=[("precedes", first, second)],
        members={"description": "All of it."},
        subject_members={"achievement": [achievement(id="urn:x:also")]},
        achievement_members={"tag": "operations"},
    )
    subject = document["credentialSubject"]
    assert structure_problems(document, "strict") == ()
    assert to_dataset(document, context_sets()[0]).losses == ()
    assert subject["association"][-1]["associationType"] == "precedes"
    assert subject["verifiableCredential"] == [signed_award(name) for name in NAMES]
    assert subject["achievement"][0]["tag"] == ["operations"]
    assert subject["achievement"][1]["id"] == "urn:x:also"
    assert document["partial"] is False


@pytest.mark.parametrize(
    ("argument", "value", "says"),
    [
        ("associations", [("eats", "urn:x:1", "urn:x:2")], "associationType: is “eats”"),
        ("associations", [("precedes", "urn:x:1", "urn:x:2")], "joins nothing that is in this record"),
        ("members", {"partial": False}, "credential.partial: is decided"),
        ("achievement_members", {"name": "Other"}, "achievement.name: is decided"),
    ],
)
def test_a_record_says_nothing_that_the_standard_does_not_have(argument: str, value: Any, says: str) -> None:
    with pytest.raises(BrokenInput, match=re.escape(says)):
        larger(**{argument: value})
