"""Compiled shapes: byte for byte what the generic path gives, or no answer at all."""

from __future__ import annotations

import copy
import hashlib
import json
import random  # noqa: TID251 - seeded: the same documents in every run
from functools import cache
from typing import Any

import pytest
from tests.unit.credential.others import small, vector

from guildmark.core.errors import BrokenInput
from guildmark.credential.jsonld import context_sets, to_dataset
from guildmark.credential.rdfc import TooMuchWork, canonicalize
from guildmark.credential.shape import Misfit, NoShape, Shape, compile_shape, leaves, put

CONTEXTS = context_sets()[0]


def generic(document: dict[str, Any]) -> tuple[str, tuple[str, ...]]:
    dataset = to_dataset(document, CONTEXTS)
    return canonicalize(dataset.quads), dataset.losses


def full() -> dict[str, Any]:
    """A badge with endorsement (a proof inside, so a named graph), two alike identities, results and rubric levels."""
    document = small()
    subject = document["credentialSubject"]
    subject["identifier"].append({**subject["identifier"][0], "identityHash": "sha256$01"})
    subject["result"].append({"type": ["Result"], "resultDescription": "urn:uuid:1", "value": "87", "status": "Passed"})
    subject["achievement"]["alignment"] = [
        {"type": ["Alignment"], "targetName": f"Skill {n}", "targetUrl": f"https://skills.example/{n}"} for n in (1, 2)
    ]
    subject["achievement"]["creator"] = copy.deepcopy(document["issuer"])
    document["issuer"]["url"] = "https://a.example/"
    document["endorsement"] = [
        {
            "@context": document["@context"],
            "id": "urn:uuid:e",
            "type": ["VerifiableCredential", "EndorsementCredential"],
            "issuer": {"id": "did:web:b.example", "type": ["Profile"], "name": "B"},
            "name": "Endorsed",
            "validFrom": "2026-01-01T00:00:00Z",
            "credentialSubject": {"id": document["id"], "type": ["EndorsementSubject"], "endorsementComment": "Good."},
            "proof": {
                "type": "DataIntegrityProof",
                "cryptosuite": "eddsa-rdfc-2022",
                "created": "2026-01-01T00:00:00Z",
                "verificationMethod": "did:web:b.example#key-1",
                "proofPurpose": "assertionMethod",
                "proofValue": "z3abc",
            },
        }
    ]
    return document


@cache
def originals() -> list[dict[str, Any]]:
    documents = [small(), full()]
    for name in ("simple", "endorsement-valid", "simple_v1"):
        document = dict(vector(f"1edtech-validator/ob30/{name}.json"))
        document.pop("proof", None)
        if not generic(document)[1]:
            documents.append(document)
    return documents


@cache
def shapes() -> list[Shape]:
    return [compile_shape(document, CONTEXTS) for document in originals()]


TEXTS = ["", "a", "87", "B", "Good.", 'quo"te', "back\\slash", "line\nline\r\t", "\x00", "\x0b", "\x7f", "\ufffe"]
TEXTS += ["\uffff", "\U0001f510", "é", "zq0q1z", "{v1}", "'''", "\\u0041", "true", "https://a.example/", "urn:uuid:1"]
TEXTS += ["_:b0", "@id", "mailto:x"]
ADDRESSES = ["https://a.example/1", "https://a.example/2", "urn:uuid:1", "urn:uuid:2", "did:web:a.example", "https://"]
ADDRESSES += ["did:web:b.example", "http://a.example", "https://a b", "https://é.example/\x7f", "urn://x", "relative"]
ADDRESSES += ["ob:Achievement", "_:b1", "https://a.example/<", "did:web:a.example#key-1", ""]


def changed(document: dict[str, Any], draw: random.Random) -> dict[str, Any]:
    """The document with some values other, taken so that equal ones, odd ones and hostile ones are frequent."""
    result = copy.deepcopy(document)
    places = list(leaves(result))
    for path, value in draw.sample(places, draw.choice([1, 1, 2, 3, 8, len(places)])):
        other: Any
        match value:
            case bool():
                other = draw.choice([True, False, 1, "true"])
            case int() | float():
                other = draw.choice([0, -7, 3, 2.5, 2.0, 1e21, 1e-9, 0.1 + 0.2, 2**53, 2**53 - 1, True, "3"])
            case _ if ":" in value and draw.random() < 0.7:
                other = draw.choice([*ADDRESSES, f"{value}{draw.randrange(3)}"])
            case _:
                other = draw.choice([*TEXTS, "".join(draw.choice('ab\n"\\é𝄞\x1f') for _ in range(draw.randrange(6)))])
        put(result, path, other)
    if draw.random() < 0.2:
        disturb(result, draw)
    return result


def disturb(document: Any, draw: random.Random) -> None:
    """One change of structure somewhere: a member more, less, or of another kind; a list turned or lengthened."""
    waiting, objects = [document], []
    while waiting:
        item = waiting.pop()
        if isinstance(item, (dict, list)):
            objects.append(item)
            waiting.extend(item.values() if isinstance(item, dict) else item)
    item = draw.choice(objects)
    if isinstance(item, list):
        draw.choice([item.reverse, lambda: item.append("x"), lambda: item.extend(item[:1])])()
    elif item:
        key = draw.choice(list(item))
        draw.choice([lambda: item.pop(key), lambda: item.update({key: [item[key]]}), lambda: item.update(extra="1")])()


@pytest.mark.parametrize("part", range(5))
def test_what_fits_gives_the_bytes_of_the_generic_path_and_loses_nothing(part):
    draw = random.Random(part)
    fitted = tried = 0
    while fitted < 210:  # of five parts, so that more than a thousand are compared
        tried += 1
        assert tried < 2_000, "hardly anything fits"
        chosen = tried % len(originals())
        document = changed(originals()[chosen], draw)
        try:
            values = shapes()[chosen].match(document)
            text, digest = shapes()[chosen].lines(*values).decode(), shapes()[chosen].digest(*values)
        except Misfit:
            continue
        fitted += 1
        try:
            expected, losses = generic(document)
        except (BrokenInput, TooMuchWork) as problem:
            pytest.fail(f"{problem} for {json.dumps(document)}")
        assert losses == (), json.dumps(document)
        assert text == expected, json.dumps(document)
        assert digest == hashlib.sha256(expected.encode()).digest()


def test_ordinary_changes_of_values_fit():
    document, shape = full(), compile_shape(full(), CONTEXTS)
    for path, value in leaves(document):
        if type(value) is str and ":" not in value and path in shape.paths:
            other = copy.deepcopy(document)
            for same in [place for place, text in leaves(document) if text == value]:
                put(other, same, f"{value}, changed")
            text, losses = generic(other)
            assert shape.lines(*shape.match(other)).decode() == text
            assert not losses


def test_only_the_values_asked_for_are_slots():
    subject = ("credentialSubject", "identifier", 0, "identityHash")
    shape = compile_shape(small(), CONTEXTS, changes=lambda path, _: path in (subject, ("id",)))
    assert set(shape.paths) == {subject, ("id",)}
    other = small(id="urn:uuid:other")
    assert shape.hash_of(other) == hashlib.sha256(generic(other)[0].encode()).digest()
    with pytest.raises(Misfit):
        shape.match(small(validFrom="2026-01-02T00:00:00Z"))


def test_two_unnamed_parts_that_become_alike_do_not_fit():
    document = full()
    shape = compile_shape(document, CONTEXTS)
    identities = document["credentialSubject"]["identifier"]
    identities[1] = dict(identities[0])
    with pytest.raises(Misfit):
        shape.hash_of(document)


def test_alike_parts_of_one_thing_fit_whichever_comes_first():
    """An issuer that is the creator too has its address twice, and nothing tells the two apart."""
    document = full()
    address = {"type": ["Address"], "addressCountryCode": "AU"}
    document["issuer"]["address"] = dict(address)
    document["credentialSubject"]["achievement"]["creator"]["address"] = dict(address)
    for changes in (None, lambda path, _: path == ("validFrom",)):
        shape = compile_shape(document, CONTEXTS, changes=changes)
        assert shape.lines(*shape.match(document)).decode() == generic(document)[0]
        assert shape.hash_of(document) == hashlib.sha256(generic(document)[0].encode()).digest()
    shape = compile_shape(document, CONTEXTS)
    document["issuer"]["address"]["addressCountryCode"] = "ES"
    assert shape.lines(*shape.match(document)).decode() == generic(document)[0]


def test_one_is_not_true_and_not_one_point_nought():
    document = small()
    document["credentialSubject"]["achievement"]["creditsAvailable"] = 1
    shape = compile_shape(document, CONTEXTS, changes=lambda path, _: path == ("id",))
    for other in (True, 1.0):
        document["credentialSubject"]["achievement"]["creditsAvailable"] = other
        with pytest.raises(Misfit):
            shape.match(document)


def test_a_document_that_loses_something_has_no_shape():
    with pytest.raises(NoShape, match="lost"):
        compile_shape(small(notATerm="x"), CONTEXTS)


def test_nothing_in_a_document_is_run():
    document = small(name={"@value": "'''+__import__('os').abort()+'''{__import__}", "@language": "en"})
    document["credentialSubject"]["achievement"]["tag"] = ["\\'\"{0}{v1!r}", "}{", "\\N{BULLET}"]
    for changes in (None, lambda *_: False):
        shape = compile_shape(document, CONTEXTS, changes=changes)
        assert shape.lines(*shape.match(document)).decode() == generic(document)[0]


@pytest.mark.parametrize("junk", [None, [], "x", 7, {}, {"@context": 1}, {"id": {"id": []}}])
def test_what_is_no_document_does_not_fit(junk):
    with pytest.raises(Misfit):
        compile_shape(small(), CONTEXTS).match(junk)
