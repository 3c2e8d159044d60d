"""The canonical form of a document is the text that signatures are over, and says what it leaves out."""

from __future__ import annotations

import hashlib
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.paths import counted
from tests.unit.credential.award_cast import award, signed_award
from tests.unit.credential.others import example_sets, vector

from guildmark.core.codecs import jcs
from guildmark.core.errors import BrokenInput
from guildmark.credential.canonical import FORMS, canonical_form
from guildmark.credential.rdfc import TooMuchWork, canonicalize

V2 = "https://www.w3.org/ns/credentials/v2"


def test_it_is_the_canonical_document_of_the_w3c_vector() -> None:
    found = vector("w3c-vc-di-eddsa/eddsa-rdfc-2022.json")
    made = canonical_form(found["unsigned.json"], contexts=example_sets()[0])
    assert made.data.decode() == found["eddsa-rdfc-2022/canonDocDataInt.txt"]
    assert hashlib.sha256(made.data).hexdigest() == found["eddsa-rdfc-2022/docHashDataInt.txt"]
    counted("w3c-vc-di-eddsa", "eddsa-rdfc-2022.json")


def test_the_order_in_which_a_document_is_written_does_not_matter() -> None:
    document = award()
    other = dict(reversed(list(document.items())))
    for form in ("rdfc", "jcs"):
        assert canonical_form(document, form) == canonical_form(other, form)
    assert canonical_form(document, "jcs").data == jcs(document)


def test_a_changed_value_changes_both_forms() -> None:
    for form in ("rdfc", "jcs"):
        assert canonical_form(award(), form) != canonical_form({**award(), "name": "x"}, form)


def test_what_no_term_defines_is_told_and_not_in_the_text() -> None:
    made = canonical_form({**award(), "distinction": "with honours"})
    assert b"with honours" not in made.data
    assert any("distinction" in loss for loss in made.losses)
    assert canonical_form(award()).losses == ()
    assert b"with honours" in canonical_form({**award(), "distinction": "with honours"}, "jcs").data


def test_blank_nodes_may_be_told_apart_by_another_hash() -> None:
    one, other = (canonical_form(signed_award(), digest=name).data for name in ("sha256", "sha384"))
    assert hashlib.sha256(one).digest() != hashlib.sha256(other).digest()
    assert one.count(b"\n") == other.count(b"\n")


@pytest.mark.parametrize(
    ("document", "options", "says"),
    [
        ({}, {"form": "xml"}, "there is no canonical form 'xml'; use rdfc or jcs"),
        ({}, {"digest": "md5"}, "use sha256 or sha384"),
        ({"@context": "https://strange.example/v1"}, {}, "strange.example"),
        ({"a": 2**60}, {"form": "jcs"}, "no canonical JSON form"),
    ],
)
def test_what_has_no_canonical_form_is_one_sentence(document, options, says) -> None:
    with pytest.raises(BrokenInput) as refused:
        canonical_form(document, **options)
    assert says in str(refused.value)
    assert "\n" not in str(refused.value)


def test_nodes_made_to_be_alike_are_refused_in_no_time() -> None:
    """Nobody can be told from anybody: each one is an organisation above the next, in a circle of circles."""
    hostile = [(f"_:n{a}", "<http://a/p>", f"_:n{b}", "") for a in range(10) for b in range(10) if a != b]
    spent = []
    for _ in range(3):
        start = time.process_time()
        with pytest.raises(TooMuchWork):
            canonicalize(hostile)
        spent.append(time.process_time() - start)
    assert min(spent) < 0.05


VALUES = st.recursive(
    st.none() | st.booleans() | st.text(max_size=5) | st.integers(-9, 9),
    lambda value: st.lists(value) | st.dictionaries(st.text(max_size=4), value),
    max_leaves=12,
)


@given(VALUES, st.sampled_from(FORMS))
def test_whatever_stands_in_a_document_there_is_a_form_or_one_sentence(value, form) -> None:
    document = {"@context": [V2], "name": "x", "y": value}
    try:
        made = canonical_form(document, form)
    except BrokenInput as problem:
        assert "\n" not in str(problem)  # noqa: PT017 - either outcome is right
    else:
        assert canonical_form(dict(reversed(document.items())), form) == made
