"""JSON-LD to statements: the same as others write them, and every way to say something unseen has a name."""

from __future__ import annotations

import hashlib
import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyld import jsonld as pyld
from tests.paths import vectors
from tests.unit.credential.award_cast import signed_award
from tests.unit.credential.nquads import parse
from tests.unit.credential.others import changed, example_sets, places, small, vector

from guildmark.core.codecs import jcs
from guildmark.credential import jsonld
from guildmark.credential.jsonld import (
    CREDENTIALS_V2,
    OPEN_BADGES,
    ContextSet,
    UnreadableJsonLd,
    context_sets,
    to_dataset,
    unknown_contexts,
)
from guildmark.credential.rdfc import canonicalize

CURRENT, OLDER = context_sets()


def form(document, contexts=CURRENT):
    return canonicalize(to_dataset(document, contexts).quads)


def losses(document, contexts=CURRENT):
    return to_dataset(document, contexts).losses


def badge(**members):
    """A badge with more members in its achievement."""
    document = small()
    document["credentialSubject"]["achievement"].update(members)
    return document


# --- Contexts -------------------------------------------------------------------------------------------


def test_every_shipped_context_has_its_pinned_digest_and_is_in_the_index():
    folder = files("guildmark.credential") / "contexts"
    rows = json.loads((folder / "index.json").read_bytes())
    for row in rows:
        document = json.loads((folder / row["file"]).read_bytes())
        assert hashlib.sha256(jcs(document)).hexdigest() == row["jcs_sha256"], row["file"]
    shipped = {entry.name for entry in folder.iterdir() if entry.name.endswith(".json")}
    assert shipped == {row["file"] for row in rows} | {"index.json"}


@pytest.mark.parametrize("source", ["w3c-contexts", "1edtech-contexts"])
def test_the_shipped_contexts_say_what_their_authors_published(source):
    compared = 0
    for row in vector(f"{source}/index.json"):
        theirs = json.loads((vectors(source) / row["file"]).read_bytes())
        ours = [contexts.documents[row["url"]] for contexts in (CURRENT, OLDER) if row["url"] in contexts.documents]
        if ours:
            assert theirs in ours, row["file"]
            compared += 1
    assert compared >= 5


def test_credentials_v2_is_the_one_whose_digest_the_recommendation_prints():
    (row,) = [row for row in vector("w3c-contexts/index.json") if row["url"] == CREDENTIALS_V2]
    raw = (vectors("w3c-contexts") / row["file"]).read_bytes()
    assert hashlib.sha256(raw).hexdigest() == row["sha256_published_by_spec"]
    assert json.loads(raw) == CURRENT.documents[CREDENTIALS_V2]


def test_a_changed_context_file_stops_the_program(tmp_path, monkeypatch):
    copy = tmp_path / "contexts"
    shutil.copytree(str(files("guildmark.credential") / "contexts"), copy)
    text = (copy / "ob-3.0.3.rev2026-06-29.json").read_text()
    (copy / "ob-3.0.3.rev2026-06-29.json").write_text(text.replace('"@protected": true', '"@protected": false', 1))
    monkeypatch.setattr(jsonld, "files", lambda _package: tmp_path)
    with pytest.raises(RuntimeError, match=r"ob-3\.0\.3\.rev2026-06-29\.json is not the one that is pinned"):
        context_sets.__wrapped__()


def test_the_two_revisions_of_open_badges_differ_where_they_are_known_to():
    document = small(endorsementJwt=["eyJ.a.b"])
    assert losses(document) == ()
    assert losses(document, OLDER) == ("“endorsementJwt” is not a term of its contexts",)


# --- The same statements as others ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "canonical"),
    [
        ("w3c-vc-di-eddsa/eddsa-rdfc-2022.json", "eddsa-rdfc-2022/canonDocDataInt.txt"),
        ("w3c-vc-di-eddsa/Ed25519Signature2020.json", "Ed25519Signature2020/canonDocEdSig.txt"),
        ("w3c-vc-di-ecdsa/ecdsa-rdfc-2019-p256.json", "ecdsa-rdfc-2019-p256/canonDocECDSAP256.txt"),
    ],
)
def test_w3c_examples_have_the_statements_that_w3c_prints(name, canonical):
    for contexts in example_sets():
        assert form(vector(name)["unsigned.json"], contexts) == vector(name)[canonical]
        assert losses(vector(name)["unsigned.json"], contexts) == ()


def test_the_official_badge_has_the_statements_that_its_guide_prints():
    given_ = vector("1edtech-ob3-vector/eddsa-rdfc-2022-ob.json")
    for contexts in (CURRENT, OLDER):
        assert form(given_["unsigned"], contexts).strip() == given_["canonicalDocument"].strip()
        assert losses(given_["unsigned"], contexts) == ()


def theirs(document):
    """PyLD's own way from JSON-LD to canonical statements; its writer of RDF shares nothing with ours."""

    def load(url, _options):
        return {"contextUrl": None, "documentUrl": url, "document": CURRENT.documents[url]}

    text = pyld.to_rdf(document, {"documentLoader": load, "format": "application/n-quads"})
    return canonicalize(parse(text))


def test_a_whole_award_has_the_statements_that_pyld_finds():
    award = signed_award()
    del award["proof"]
    assert form(award) == theirs(award)
    assert len(to_dataset(award, CURRENT).quads) > 300


@given(
    st.one_of(
        st.integers(-(2**53) + 1, 2**53 - 1),
        st.floats(allow_nan=False, allow_infinity=False, width=32),
        st.floats(-1e15, 1e15),
        st.sampled_from([0.0, -0.0, 1e21, 1e-7, 0.1, 1e20, 5e-324, 1.7976931348623157e308, 3.0]),
    )
)
@settings(max_examples=40, deadline=None)
def test_numbers_are_written_as_pyld_writes_them_or_named_as_lost(number):
    document = {
        "@context": [CREDENTIALS_V2, OPEN_BADGES],
        "id": "urn:x:1",
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "credentialSubject": {"type": "AchievementSubject", "creditsEarned": number},
    }
    if not losses(document):
        assert form(document) == theirs(document)


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\b\f\x0b\x7f"), max_size=30))
@settings(max_examples=40, deadline=None)
def test_text_is_written_as_pyld_writes_it(text):
    document = small(description=text)
    assert losses(document) == ()
    assert json.dumps(text, ensure_ascii=False)[1:-1] in form(document).replace(r"\u007F", "\x7f") or any(
        ord(c) < 32 for c in text
    )
    assert form(document) == form(json.loads(json.dumps(document)))


def test_an_ordered_list_keeps_its_order_and_a_set_has_none():
    document = small()
    turned = badge(tag=["privacy", "law"])
    assert form(turned) == form(document)
    description = document["credentialSubject"]["achievement"]["resultDescription"][0]
    other = badge(resultDescription=[{**description, "allowedValue": ["D", "P", "F"]}])
    assert form(other) != form(document)


def test_what_json_ld_calls_the_same_is_the_same_and_no_loss():
    document = small()
    for other in (
        small(validUntil=["2029-01-01T00:00:00Z"]),
        badge(tag=["law", "privacy", "law"]),
        badge(creditsAvailable=3.0),
        changed(document, ("credentialStatus", "statusListCredential"), lambda v: {"id": v}),
        changed(document, ("issuer", "type"), lambda v: v[0]),
    ):
        assert form(other) == form(document)
        assert losses(other) == ()


# --- Losses ---------------------------------------------------------------------------------------------


def test_nothing_is_lost_of_the_badges_that_are_made_here():
    assert losses(small()) == ()
    assert losses(signed_award()) == ()


@pytest.mark.parametrize(
    ("members", "says"),
    [
        ({"favouriteColour": "red"}, "“favouriteColour” is not a term of its contexts"),
        ({"Name": "x"}, "“Name” is not a term of its contexts"),
        ({"https://schema.org/name": "x"}, "“https://schema.org/name” is not written as a term"),
        ({"schema:name": "x"}, "“schema:name” is not written as a term"),
        ({"@reverse": {}}, "“@reverse” is JSON-LD syntax and not a term"),
        ({"@included": []}, "“@included” is JSON-LD syntax and not a term"),
        ({"@graph": []}, "“@graph” is JSON-LD syntax and not a term"),
        ({"@nest": {}}, "“@nest” is JSON-LD syntax and not a term"),
        ({"inLanguage": {"@value": "en"}}, "“@value” is JSON-LD syntax and not a term"),
        ({"inLanguage": {"@set": ["en"]}}, "“@set” is JSON-LD syntax and not a term"),
        ({"inLanguage": {"@list": ["en"]}}, "“@list” is JSON-LD syntax and not a term"),
        ({"id": "achievement"}, "“achievement” is not an absolute URL"),
        ({"id": "../x"}, "“x” is not an absolute URL"),
        ({"id": "//a.example/x"}, "“relative://a.example/x” is not an absolute URL"),
        ({"id": "?x"}, "“?x” is not an absolute URL"),
        ({"id": "./a:b"}, "“./a:b” is not an absolute URL"),
        ({"id": "relative://document/x"}, "“x” is not an absolute URL"),
        ({"id": "#x"}, "“#x” is not an absolute URL"),
        ({"id": ""}, "“” is not an absolute URL"),
        ({"id": "https://a.example/a b"}, "“https://a.example/a b” is not an absolute URL"),
        ({"id": "https://a.example/<x>"}, "“https://a.example/<x>” is not an absolute URL"),
        ({"id": "_:b0"}, "“_:b0” names a blank node"),
        ({"image": {"id": "logo.png", "type": "Image"}}, "“logo.png” is not an absolute URL"),
        ({"type": ["Achievement", "Unknown"]}, "“Unknown” is not an absolute URL"),
        ({"inLanguage": None}, "“inLanguage” is null"),
        ({"tag": ["law", None]}, "a list contains null"),
        ({"tag": ["law", ["privacy"]]}, "a list stands directly in a list"),
        ({"tag": ["law", []]}, "a list stands directly in a list"),
        ({"criteria": [[{"narrative": "Pass."}]]}, "a list stands directly in a list"),
        ({"creditsAvailable": "3"}, "“3” is text where a number or a truth value stands"),
        ({"creditsAvailable": 2**53}, f"the number {2**53} is too large to be exact"),
        ({"creditsAvailable": -(2**60)}, f"the number {-(2**60)} is too large to be exact"),
        ({"creditsAvailable": 0.30000000000000004}, "the number 0.30000000000000004 has more than 16 digits"),
        ({"criteria": {"@context": OPEN_BADGES, "narrative": "x"}}, "“@context” stands inside a part of it"),
        ({"@context": CREDENTIALS_V2}, "“@context” stands inside a part of it"),
        ({"description": {"@value": "x", "@language": "en", "@direction": "rtl"}}, "“@direction” is JSON-LD syntax"),
    ],
)
def test_what_a_signature_would_not_cover_has_a_name(members, says):
    assert any(loss.startswith(says) for loss in losses(badge(**members)))


@pytest.mark.parametrize("text", ["true", "false"])
def test_a_truth_value_in_quotation_marks_has_a_name(text):
    place = ("credentialSubject", "identifier", 0, "hashed")
    assert losses(changed(small(), place, lambda _: text)) == (
        f"“{text}” is text where a number or a truth value stands",
    )


@pytest.mark.parametrize(
    "kind",
    [
        "https://purl.imsglobal.org/spec/vc/ob/vocab.html#OpenBadgeCredential",
        "https://purl.imsglobal.org/spec/vc/ob/vocab.html#EndorsementCredential",
        "cred:Other",
    ],
)
def test_a_type_that_is_not_written_as_its_term_has_a_name(kind):
    found = losses(small(type=["VerifiableCredential", kind]))
    assert f"the type “{kind}” is not written as a term" in found


def test_a_type_of_someone_else_may_be_a_full_address():
    document = badge(type=["Achievement", "https://w3id.org/openbadges#BadgeClass"])
    assert losses(document) == ()


def test_each_known_type_written_in_full_is_a_loss_wherever_it_stands():
    document = small()
    iris = {}
    waiting = [CURRENT.documents[url]["@context"] for url in document["@context"]]
    while waiting:
        item = waiting.pop()
        for term, value in item.items() if isinstance(item, dict) else enumerate(item):
            iri = value.get("@id") if isinstance(value, dict) else value
            if isinstance(iri, str) and isinstance(term, str):
                iris[term] = iri
            if isinstance(value, (dict, list)):
                waiting.append(value)
    kinds = [(path, kind) for path, kind in places(document) if "type" in path[-2:] and isinstance(kind, str)]
    assert len(kinds) >= 8
    for path, kind in kinds:
        assert losses(changed(document, path, lambda _, kind=kind: iris[kind])), path


def test_a_status_that_is_moved_out_of_sight_has_a_name():
    """The statements stay the same when a part that repeats the credential's id takes them over."""
    document = small()
    moved = small(credentialStatus="left out")
    moved["evidence"] = []
    moved["credentialSubject"]["achievement"]["endorsement"] = []
    moved["credentialSubject"]["achievement"]["related"] = [
        {"id": document["id"], "type": document["type"], "credentialStatus": document["credentialStatus"]}
    ]
    assert "a part of it makes statements about the whole" in losses(moved)


def test_a_value_that_is_hidden_in_a_list_in_a_list_has_a_name_wherever_it_stands():
    document = small()
    for path, _ in places(document):
        if not {"id", "type", "@value", "@language"} & set(path[-2:]):  # JSON-LD itself refuses these
            found = losses(changed(document, path, lambda v: [[v]]))
            assert "a list stands directly in a list" in found, path


def test_an_address_with_dots_is_signed_as_it_is_written():
    assert "<https://a.example/x/../y>" in form(badge(id="https://a.example/x/../y"))


# --- Contexts of strangers ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "entry",
    [
        "https://attacker.example/context",
        "http://www.w3.org/ns/credentials/v2",
        "https://www.w3.org/ns/credentials/v2/",
        "https://www.w3.org/ns/credentials/v2#",
        "",
        {"name": "https://attacker.example/name"},
        {"@vocab": "https://attacker.example/"},
        {"@base": "https://attacker.example/"},
        {},
        None,
        7,
        ["https://attacker.example/context"],
    ],
)
def test_a_context_that_is_not_shipped_is_not_used(entry):
    document = small()
    document["@context"] = [*document["@context"], entry]
    with pytest.raises(UnreadableJsonLd, match="is not known here"):
        to_dataset(document, CURRENT)
    assert unknown_contexts(document, CURRENT)


def test_a_context_that_is_not_shipped_is_found_at_any_depth():
    document = badge(**{"@context": "https://attacker.example/context"})
    with pytest.raises(UnreadableJsonLd, match="is not known here"):
        to_dataset(document, CURRENT)
    assert unknown_contexts(document, CURRENT) == ("https://attacker.example/context",)


@pytest.mark.parametrize("term", ["id", "type", "name", "VerifiableCredential", "Achievement"])
def test_a_context_that_redefines_a_protected_term_is_refused(term):
    redefining = CURRENT.plus({"https://a.example/c": {"@context": {term: "https://attacker.example/x"}}})
    document = small()
    document["@context"] = [*document["@context"], "https://a.example/c"]
    with pytest.raises(UnreadableJsonLd, match="not valid JSON-LD"):
        to_dataset(document, redefining)


def test_the_first_open_badges_context_cannot_be_used_with_credentials_v2():
    """It redefines protected terms; so says 1EdTech's own list of its contexts."""
    document = small()
    document["@context"] = [CREDENTIALS_V2, "https://purl.imsglobal.org/spec/ob/v3p0/context.json"]
    with pytest.raises(UnreadableJsonLd, match="not valid JSON-LD"):
        to_dataset(document, CURRENT)


def test_a_document_without_a_context_loses_everything():
    document = small()
    del document["@context"]
    assert "“issuer” is not a term of its contexts" in losses(document)


def test_a_set_of_contexts_is_never_changed_by_adding_to_it():
    more = CURRENT.plus({"https://a.example/c": {"@context": {}}})
    assert isinstance(more, ContextSet)
    assert "https://a.example/c" not in CURRENT.documents


# --- Hostile documents ----------------------------------------------------------------------------------


def test_a_document_with_too_many_values_is_refused_before_it_is_expanded():
    with pytest.raises(UnreadableJsonLd, match="more than 50,000 values"):
        to_dataset(badge(tag=[str(n) for n in range(60_000)]), CURRENT)


@pytest.mark.parametrize("levels", [98, 2_000, 200_000])
def test_a_document_that_nests_without_end_is_refused_before_it_is_expanded(levels):
    value = {}
    for _ in range(levels):
        value = {"criteria": value}
    with pytest.raises(UnreadableJsonLd, match="nests deeper than 100 levels"):
        to_dataset(badge(criteria=value), CURRENT)
    while value:  # taken apart by hand, since Python frees nested values by recursion
        value = value.pop("criteria")


@pytest.mark.parametrize("text", ["\ud800", "a\udfff"])
def test_half_a_surrogate_pair_is_refused(text):
    with pytest.raises(UnreadableJsonLd, match="not valid Unicode"):
        to_dataset(badge(name=text), CURRENT)
    with pytest.raises(UnreadableJsonLd, match="not valid Unicode"):
        to_dataset(badge(**{text: "x"}), CURRENT)


@pytest.mark.parametrize("number", [float("inf"), float("-inf"), float("nan")])
def test_a_number_beyond_all_numbers_is_refused(number):
    with pytest.raises(UnreadableJsonLd, match="too large to be read"):
        to_dataset(badge(creditsAvailable=number), CURRENT)


_json = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(
                ["id", "type", "@id", "@type", "@value", "@language", "@list", "@set", "@graph", "name", "x"]
            ),
            inner,
            max_size=3,
        ),
    ),
    max_leaves=8,
)


@given(st.sampled_from(["id", "type", "issuer", "validFrom", "credentialSubject", "credentialStatus", "proof"]), _json)
@settings(max_examples=40, deadline=None)
def test_whatever_stands_in_a_member_is_read_or_refused_in_one_sentence(member, value):
    try:
        found = to_dataset(small(**{member: value}), CURRENT)
        assert canonicalize(found.quads) or found.losses
    except UnreadableJsonLd as problem:
        said = str(problem)
        assert "\n" not in said


def test_many_threads_and_both_revisions_give_each_document_its_own_statements():
    """PyLD keeps what it made of a context by address; nothing kept may reach another thread or another revision."""
    document = small(endorsementJwt=["eyJ.a.b"])
    expected = {contexts.name: (form(document, contexts), losses(document, contexts)) for contexts in (CURRENT, OLDER)}
    assert expected[CURRENT.name] != expected[OLDER.name]

    def work(n):
        contexts = (CURRENT, OLDER)[n % 2]
        return (form(document, contexts), losses(document, contexts)) == expected[contexts.name]

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(work, range(40)))


def test_a_proof_may_repeat_the_contexts_of_its_document_and_no_others():
    """As jcs suites have it, also in an embedded credential; then the statements are the same."""
    proof = {"type": "DataIntegrityProof", "cryptosuite": "eddsa-jcs-2022", "proofPurpose": "assertionMethod"}
    plain, own = small(proof=proof), small(proof=[{**proof, "@context": small()["@context"]}])
    assert to_dataset(own, context_sets()[0]).losses == ()
    assert to_dataset(own, context_sets()[0]).quads == to_dataset(plain, context_sets()[0]).quads
    other = small(proof={**proof, "@context": [CREDENTIALS_V2]})
    assert to_dataset(other, context_sets()[0]).losses == ("“@context” stands inside a part of it",)


def test_json_inside_a_document_that_has_no_canonical_form_makes_it_unreadable_as_others_do():
    """Found by fuzzing: such a status list stopped the verification of the credential that named it."""
    document = {
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "type": ["VerifiableCredential"],
        "credentialSchema": {
            "id": "https://a.example/schema",
            "type": "JsonSchema",
            "jsonSchema": {"@type": "@json", "@value": {"maximum": 2**60}},
        },
    }
    with pytest.raises(UnreadableJsonLd):
        to_dataset(document, context_sets()[0])
