"""A credential that takes the place of another names it, its bytes and the reason, and nothing of that is lost."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.credential.award_cast import award, signed, verified, web

from guildmark.core.codecs import jcs, multibase_decode
from guildmark.core.errors import BrokenInput
from guildmark.core.report import Verdict
from guildmark.credential.jsonld import context_sets, to_dataset
from guildmark.credential.replacement import GENRE, replacement_evidence, replacement_findings
from guildmark.credential.status import ONLY_WITH_A_REPLACEMENT, REASONS

OLD = jcs(signed(award()))
OLD_ID = award()["id"]


def replacing(code: str = "corrected") -> dict[str, Any]:
    return award(
        credential_id="urn:uuid:c0000000-0000-4000-8000-00000000aaaa",
        members={"evidence": [replacement_evidence(OLD, code)]},
    )


@pytest.mark.parametrize("code", sorted(ONLY_WITH_A_REPLACEMENT | {"key_compromised", "result_corrected"}))
def test_the_new_one_names_the_old_one_and_why(code: str) -> None:
    report = verified(signed(replacing(code)))
    finding = report["document.replaces"]
    assert finding.says == f"It takes the place of an earlier credential, {OLD_ID}: {REASONS['revoked'][code]}"
    assert (finding.because["replaces"], finding.because["reason"]) == (OLD_ID, code)
    assert finding.verdict is Verdict.NOT_APPLICABLE
    assert report.verdict is Verdict.PASS


def test_the_old_one_is_named_by_the_digest_of_its_bytes_too() -> None:
    (entry,) = [e for e in replacing()["evidence"] if e.get("genre") == GENRE]
    assert multibase_decode(entry["digestMultibase"]) == b"\x12\x20" + hashlib.sha256(OLD).digest()


@pytest.mark.parametrize("contexts", context_sets(), ids=lambda one: one.name)
def test_nothing_of_it_is_lost_under_the_shipped_contexts(contexts: Any) -> None:
    assert to_dataset(replacing(), contexts).losses == ()


def test_the_strict_profile_has_nothing_against_it() -> None:
    report = verified(signed(replacing()), profile="strict")
    assert report.verdict is Verdict.PASS, [f.says for f in (*report.failed(), *report.unknown())]


def test_the_old_one_is_looked_for_nowhere() -> None:
    place = web()
    report = verified(signed(replacing()), place)
    assert OLD_ID not in place.asked
    assert not [f.id for f in report.findings if f.id.startswith("evidence.")]


def test_a_changed_reason_breaks_the_signature() -> None:
    document = signed(replacing())
    entry = next(e for e in document["evidence"] if e.get("genre") == GENRE)
    entry["description"] = "It was renewed for a further term."
    assert verified(document).verdict is Verdict.FAIL


def test_many_of_one_shape_say_each_what_it_replaces() -> None:
    for number in range(40):
        document = replacing()
        entry = next(e for e in document["evidence"] if e.get("genre") == GENRE)
        entry["id"] = f"urn:uuid:{number}"
        assert verified(signed(document))["document.replaces"].because["replaces"] == f"urn:uuid:{number}"


def test_a_reason_in_other_words_is_told_as_it_stands() -> None:
    entry = {"type": ["Evidence"], "id": "urn:x:1", "genre": GENRE, "description": "We moved house"}
    (found,) = replacement_findings({"evidence": [entry]})
    assert found.says == "It takes the place of an earlier credential, urn:x:1: we moved house."
    assert found.because["reason"] == ""
    (found,) = replacement_findings({"evidence": {"id": "urn:x:1", "genre": GENRE}})
    assert found.says == "It takes the place of an earlier credential, urn:x:1."


@given(
    st.recursive(
        st.none() | st.text() | st.just(GENRE) | st.integers(),
        lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["id", "genre", "description"]), inner),
        max_leaves=12,
    )
)
def test_whatever_stands_as_evidence_breaks_nothing(evidence: Any) -> None:
    for finding in replacement_findings({"evidence": evidence}):
        assert finding.verdict is Verdict.NOT_APPLICABLE
        assert "\n" not in finding.says


@pytest.mark.parametrize(
    ("old", "code", "says"),
    [
        (OLD, "appeal", "is not one for 'revoked'"),
        (b"[]", "corrected", "has no id"),
        (b'{"id": 7}', "corrected", "has no id"),
        (b"x", "corrected", "replaced credential"),
    ],
    ids=range(4),
)
def test_what_cannot_be_named_is_one_sentence(old: bytes, code: str, says: str) -> None:
    with pytest.raises(BrokenInput, match=says):
        replacement_evidence(old, code)
