"""The expander reads as PyLD does, whatever is written, and leaves to PyLD what it does not read."""

from __future__ import annotations

import itertools
import warnings
from concurrent.futures import ThreadPoolExecutor
from random import Random  # noqa: TID251 - seeded

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.credential.mutations import (
    FOLDERS,
    mutated,
    of_others,
    of_ours,
    proof,
    strange_document,
    strange_set,
    wide_sets,
)
from tests.unit.credential.others import small

from guildmark.core.errors import BrokenInput
from guildmark.credential.expand import DEEPEST, MOST_SCOPES, MOST_VALUES, Beyond, Expander
from guildmark.credential.jsonld import (
    CREDENTIALS_V2,
    OPEN_BADGES,
    Dataset,
    UnreadableJsonLd,
    _by_pyld,
    _expander,
    context_sets,
    to_dataset,
)
from guildmark.credential.rdfc import canonicalize

CURRENT, OLDER = context_sets()


def said(read, document, contexts):
    """The dataset, or the sentence with which the document was refused."""
    try:
        return read(document, contexts)
    except BrokenInput as problem:
        return f"{type(problem).__name__}: {problem}"


def read_here(document, contexts=CURRENT):
    try:
        _expander(contexts).read(document)
    except Beyond:
        return False
    return True


def assert_as_pyld(document, contexts):
    """The same dataset, or the same refusal. Only the order may differ, where two terms mean the same."""
    ours, theirs = said(to_dataset, document, contexts), said(_by_pyld, document, contexts)
    if ours != theirs:
        assert isinstance(ours, Dataset), document
        assert isinstance(theirs, Dataset), document
        assert sorted(ours.losses) == sorted(theirs.losses), document
        assert canonicalize(ours.quads) == canonicalize(theirs.quads), document


def badge(**members):
    """A badge with more members in its achievement."""
    document = small()
    document["credentialSubject"]["achievement"].update(members)
    return document


# --- As PyLD --------------------------------------------------------------------------------------------


def test_every_kind_of_document_that_credentials_are_is_read_here_and_statement_for_statement_as_pyld_reads_it():
    for document, contexts in itertools.product(of_ours(), (CURRENT, OLDER)):
        assert read_here(document, contexts), document["type"]
        assert to_dataset(document, contexts) == _by_pyld(document, contexts)


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_documents_of_others_are_read_as_pyld_reads_them(folder):
    documents = [document for name, document in of_others() if name.startswith(f"{folder}/")]
    for document in documents:
        for contexts in (CURRENT, wide_sets()[0]):
            assert said(to_dataset, document, contexts) == said(_by_pyld, document, contexts)


def test_most_documents_of_others_that_can_be_read_are_read_here():
    readable = [d for _, d in of_others() if isinstance(said(to_dataset, d, CURRENT), Dataset)]
    assert len(readable) >= 100
    assert sum(read_here(document) for document in readable) >= 0.9 * len(readable)


@given(st.integers(0, 2**64 - 1))
@settings(max_examples=60, deadline=None)
def test_changed_documents_of_ours_are_read_as_pyld_reads_them(seed):
    random = Random(seed)
    for _ in range(12):
        assert_as_pyld(mutated(random, random.choice(of_ours())), random.choice((CURRENT, OLDER)))


@given(st.integers(0, 2**64 - 1))
@settings(max_examples=40, deadline=None)
def test_changed_documents_of_others_are_read_as_pyld_reads_them(seed):
    random = Random(seed)
    for _ in range(8):
        assert_as_pyld(mutated(random, random.choice(of_others())[1]), random.choice(wide_sets()))


@given(st.integers(0, 2**64 - 1))
@settings(max_examples=100, deadline=None)
def test_documents_under_contexts_that_nobody_would_write_are_read_as_pyld_reads_them(seed):
    random = Random(seed)
    contexts = strange_set(random)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)  # PyLD's, about such contexts
        for _ in range(4):
            assert_as_pyld(strange_document(random), contexts)


def test_many_changed_documents_are_read_here_so_that_the_comparison_says_something():
    random = Random(1)
    documents = [mutated(random, random.choice(of_ours())) for _ in range(200)]
    assert sum(map(read_here, documents)) >= 100


# --- What once differed ---------------------------------------------------------------------------------


def test_a_type_that_looks_like_a_keyword_is_refused_alone_and_lost_among_others():
    for kinds in ("@nothing", ["@nothing"], ["Achievement", "@nothing"], ["@nothing", "Achievement"]):
        assert_as_pyld(badge(type=kinds), CURRENT)
    with pytest.raises(UnreadableJsonLd):
        to_dataset(badge(type="@nothing"), CURRENT)


def test_what_is_dropped_in_an_ordered_list_is_told_from_its_beginning():
    listed = [{"id": "urn:1", "first": 1}, {"id": "urn:2", "second": 2}]
    losses = to_dataset(
        badge(resultDescription=[{"type": "ResultDescription", "allowedValue": listed}]), CURRENT
    ).losses
    assert losses == ("“first” is not a term of its contexts", "“second” is not a term of its contexts")


def test_a_document_that_says_nothing_has_no_losses_but_those_of_its_keys():
    for document in ({}, {"@context": CREDENTIALS_V2, "id": "x"}, {"@context": CREDENTIALS_V2, "id": "x", "y": 1}):
        assert_as_pyld(document, CURRENT)
    assert to_dataset({"@context": CREDENTIALS_V2, "id": "x"}, CURRENT).losses == ()


# --- What is left to PyLD -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "members",
    [
        {"@id": "urn:x"},
        {"@type": "Achievement"},
        {"@graph": []},
        {"name": {"@value": "x"}},
        {"name": {"@value": "x", "@language": "en", "@direction": "ltr"}},
        {"tag": [["x"]]},
        {"related": {"@set": []}},
        {"id": 7},
        {"type": None},
        {"criteria": {"@context": {"x": "urn:x"}}},
        {"criteria": {"@context": []}},
        {"criteria": {"@context": "https://unknown.example/"}},
        {"endorsement": {"type": "VerifiableCredential", "proof": "urn:x"}},
    ],
)
def test_what_credentials_do_not_use_is_left_to_pyld(members):
    assert read_here(badge())
    assert not read_here(badge(**members))
    assert_as_pyld(badge(**members), CURRENT)


@pytest.mark.parametrize(
    "definition",
    [
        {"@id": "urn:x:a", "@container": "@language"},
        {"@id": "urn:x:a", "@container": "@index"},
        {"@id": "urn:x:a", "@container": "@id"},
        {"@id": "urn:x:a", "@container": "@type"},
        {"@id": "urn:x:a", "@direction": "rtl"},
        {"@reverse": "urn:x:a"},
        "@graph",
        "@value",
        "@included",
        "@nest",
    ],
)
@pytest.mark.parametrize("value", ["x", {"en": "x"}, [{"id": "urn:y", "name": "x"}], {"name": "x"}])
def test_a_term_that_credentials_do_not_use_is_left_to_pyld(definition, value):
    url = "https://a.example/c"
    contexts = CURRENT.plus({url: {"@context": {"strange": definition}}})
    document = badge(strange=value)
    assert read_here({**document, "@context": [CREDENTIALS_V2, OPEN_BADGES]}, contexts)
    document["@context"] = [CREDENTIALS_V2, OPEN_BADGES, url]
    assert not read_here(document, contexts)
    assert_as_pyld(document, contexts)


def test_contexts_that_import_others_are_left_to_pyld():
    contexts = CURRENT.plus({"https://a.example/c": {"@context": {"@import": OPEN_BADGES}}})
    assert not read_here(small(), contexts)
    assert to_dataset(small(), contexts) == to_dataset(small(), CURRENT)


# --- Bounds ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("member", ["tag", "type", "related"])
def test_values_are_counted_wherever_they_stand(member):
    document = badge(**{member: ["Achievement"] * MOST_VALUES})
    assert not read_here(document)
    with pytest.raises(UnreadableJsonLd, match="more than 50,000 values"):
        to_dataset(document, CURRENT)


@pytest.mark.parametrize("inner", [{}, {"name": ["x"]}, {"name": [{"@value": "x", "@language": "en"}]}, {"x": [[1]]}])
def test_what_nests_as_deep_as_is_allowed_is_read_and_deeper_is_refused(inner):
    for levels in range(DEEPEST - 8, DEEPEST + 2):
        value = inner
        for _ in range(levels):
            value = {"criteria": value}
        assert_as_pyld({"@context": [CREDENTIALS_V2, OPEN_BADGES], "type": "Achievement", **value}, CURRENT)


def many_scopes(start, count):
    """A document whose objects have each a sequence of contexts of its own."""
    urls = [f"https://a.example/{n}" for n in range(30)]
    pairs = itertools.islice(itertools.permutations(urls, 2), start, start + count)
    return {"@context": urls[0], "t0": [{"@context": list(pair), "t1": "x", "t2": "y"} for pair in pairs]}


def test_what_is_kept_of_contexts_is_bounded_and_answers_stay_the_same():
    terms = {f"https://a.example/{n}": {"@context": {f"t{n}": f"urn:x:{n}"}} for n in range(30)}
    contexts = CURRENT.plus(terms)
    expander = _expander(contexts)
    expected = to_dataset(small(), contexts)
    assert expected == to_dataset(small(), CURRENT)
    for start in range(0, 870, 30):
        to_dataset(many_scopes(start, 30), contexts)
        assert expander.made <= MOST_SCOPES
    assert_as_pyld(many_scopes(0, 870), contexts)
    assert to_dataset(small(), contexts) == expected
    assert expander.made < MOST_SCOPES / 2  # it began anew


def test_a_credential_in_a_credential_needs_no_scopes_of_its_own():
    expander = Expander(CURRENT.documents)
    inner = small(proof=proof())
    counts = []
    for _ in range(6):
        expander.read(inner)
        counts.append(expander.made)
        inner = small(endorsement=[inner], proof=proof())
    assert counts[2:] == counts[2:3] * 4


def test_threads_share_what_was_worked_out():
    expected = [to_dataset(document, CURRENT) for document in of_ours()]
    fresh = CURRENT.plus({})

    def work(n):
        return to_dataset(of_ours()[n % len(expected)], fresh) == expected[n % len(expected)]

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(160)))
