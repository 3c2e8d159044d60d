"""A credential is held against the schemas that it names, and a schema has no power over whoever reads it."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.paths import counted, vectors
from tests.unit.credential.award_cast import (
    HARBOUR,
    NAMES,
    NORTHWIND,
    Web,
    award,
    endorsement,
    larger,
    signed,
    signed_award,
    signed_larger,
    verified,
    web,
)
from tests.unit.credential.whole import badge, transcript
from tests.unit.credential.whole import endorsement as whole_endorsement

from guildmark.core.report import Finding, Verdict
from guildmark.credential.schema import MOST_SCHEMAS, Fit, fits, schema_findings, shipped_schemas
from guildmark.credential.signed import World

LATEST = "https://json-schema.org/draft/2020-12/schema"
ADDRESS = "https://a.example/schema.json"
OURS = {"id": ADDRESS, "type": "JsonSchema"}
OF_1EDTECH = "https://purl.imsglobal.org/spec/ob/v3p0/schema/json/ob_v3p0_achievementcredential_schema.json"


def found(entry: Any, schema: Any = None, document: Any = None) -> Finding:
    """The one finding about a document that names this schema, where `schema` is published at ADDRESS."""
    body = schema if isinstance(schema, bytes) else json.dumps(schema).encode()
    place = Web({ADDRESS: body} if schema is not None else {})
    world = World(now=datetime(2026, 1, 1, tzinfo=UTC), fetcher=place)
    (finding,) = schema_findings({**(document or award()), "credentialSchema": entry}, world)
    return finding


def of(**members: Any) -> dict[str, Any]:
    return {"$schema": LATEST, **members}


# --- The published schemas ---


def test_the_shipped_schemas_are_those_that_1edtech_publishes() -> None:
    folder = vectors("1edtech-schemas")
    published = {
        file.name: json.loads(file.read_text()) for part in ("ob", "clr") for file in (folder / part).glob("*.json")
    }
    shipped = shipped_schemas()
    assert len(shipped) == 6
    for url, schema in shipped.items():
        assert published[url.rpartition("/")[2]] == schema
        assert schema["$id"].rpartition("/")[2] == url.rpartition("/")[2]


SCHEMAS = {
    "ob/ob_v3p0_achievementcredential_schema.json": (
        badge(),
        *(signed_award(name) for name in NAMES),
    ),
    "ob/ob_v3p0_endorsementcredential_schema.json": (
        whole_endorsement(),
        endorsement(),
        signed(endorsement(), NORTHWIND),
    ),
    "ob/ob_v3p0_profile_schema.json": (badge()["issuer"], HARBOUR.to_profile()),
    "clr/clr_v2p0_clrcredential_schema.json": (transcript(), larger(), json.loads(signed_larger())),
    "clr/clr_v2p0_achievementcredential_schema.json": (badge(), award()),
    "clr/clr_v2p0_endorsementcredential_schema.json": (whole_endorsement(), endorsement()),
    "clr/clr_v2p0_profile_schema.json": (badge()["issuer"],),
    "ob/ob_v3p0_getopenbadgecredentialsresponse_schema.json": ({"credential": [award(), badge()]},),
    "clr/clr_v2p0_getclrcredentialsresponse_schema.json": ({"credential": [larger()]},),
}


@pytest.mark.parametrize("file", SCHEMAS)
def test_what_we_make_fits_the_official_schema(file: str) -> None:
    schema = json.loads((vectors("1edtech-schemas") / file).read_text())
    for document in SCHEMAS[file]:
        assert fits(document, schema) == Fit(Verdict.PASS)
    broken = {key: value for key, value in SCHEMAS[file][0].items() if key not in ("id", "credential")}
    assert fits({**broken, "credential": 7}, schema).verdict is Verdict.FAIL
    counted("1edtech-schemas", file)


@pytest.mark.parametrize("document", [award(), endorsement(), larger(), badge(), transcript()])
def test_what_we_make_fits_the_schemas_of_the_w3c(document: dict[str, Any]) -> None:
    folder = vectors("w3c-vc-data-model")
    credential = json.loads((folder / "verifiable-credential-schema.json").read_text())
    presentation = json.loads((folder / "verifiable-presentation-schema.json").read_text())
    assert fits(document, credential) == Fit(Verdict.PASS)
    assert fits({**document, "type": []}, credential).verdict is Verdict.FAIL
    shown = {"@context": ["https://www.w3.org/ns/credentials/v2"], "type": ["VerifiablePresentation"]}
    shown["verifiableCredential"] = [document]
    assert fits(shown, presentation).verdict is Verdict.UNKNOWN  # it refers to the other, and nothing is fetched for it
    presentation["$defs"]["credential"] = {name: part for name, part in credential.items() if name != "$schema"}
    assert fits(shown, presentation) == Fit(Verdict.PASS)
    assert fits({**shown, "verifiableCredential": [{**document, "type": []}]}, presentation).verdict is Verdict.FAIL
    counted("w3c-vc-data-model", ["verifiable-credential-schema.json", "verifiable-presentation-schema.json"])


# --- Findings ---


def test_a_badge_that_names_the_schema_of_1edtech_is_held_against_it_without_fetching() -> None:
    place = web()
    report = verified(signed(with_schema()), place)
    assert report["schema.1"].verdict is Verdict.PASS
    assert report.verdict is Verdict.PASS
    assert not [url for url in place.asked if "purl.imsglobal.org" in url]


def with_schema(**changes: Any) -> dict[str, Any]:
    document = {
        **award(),
        "credentialSchema": [{"id": OF_1EDTECH, "type": "1EdTechJsonSchemaValidator2019"}],
        **changes,
    }
    document["@context"] = [*document["@context"], "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json"]
    return document


def test_a_badge_that_does_not_fit_fails_and_the_place_is_named() -> None:
    document = with_schema(validFrom=7)
    finding = found(document["credentialSchema"], None, document)
    assert finding.verdict is Verdict.FAIL
    assert "“validFrom”: 7 is not of type 'string'" in finding.says
    assert finding.because["problems"]


def test_a_schema_of_1edtech_that_cannot_be_had_keeps_a_badge_from_passing() -> None:
    entry = {"id": ADDRESS, "type": "1EdTechJsonSchemaValidator2019"}
    finding = found(entry)
    assert (finding.verdict, finding.required) == (Verdict.UNKNOWN, True)


def test_another_schema_that_cannot_be_had_is_advice() -> None:
    finding = found(OURS)
    assert (finding.verdict, finding.required) == (Verdict.UNKNOWN, False)


def test_a_schema_of_another_kind_is_unknown() -> None:
    finding = found({"id": ADDRESS, "type": "ZkpExampleSchema2018"}, of())
    assert finding.verdict is Verdict.UNKNOWN
    assert "of a kind that is not checked here (ZkpExampleSchema2018)" in finding.says
    assert found("https://a.example").verdict is Verdict.UNKNOWN
    assert found({"id": ADDRESS, "type": {"a": 1}}).verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(
    "draft",
    [
        "https://json-schema.org/draft/2020-12/schema",
        "https://json-schema.org/draft/2019-09/schema#",
        "http://json-schema.org/draft-07/schema#",
    ],
)
def test_a_schema_is_read_as_its_version_says(draft: str) -> None:
    schema = {"$schema": draft, "required": ["name"], "properties": {"name": {"type": "string", "minLength": 3}}}
    assert found(OURS, schema).verdict is Verdict.PASS
    assert found(OURS, schema, {"name": "ab"}).verdict is Verdict.FAIL


def test_a_schema_has_the_digest_that_was_signed() -> None:
    body = json.dumps(of()).encode()
    sri = "sha256-" + base64.b64encode(hashlib.sha256(body).digest()).decode()
    assert found({**OURS, "digestSRI": sri}, body).verdict is Verdict.PASS
    assert found({**OURS, "digestSRI": sri}, body + b" ").verdict is Verdict.FAIL
    assert found({**OURS, "digestSRI": "crc32-AAAA"}, body).verdict is Verdict.UNKNOWN
    entry = {"id": OF_1EDTECH, "type": "1EdTechJsonSchemaValidator2019", "digestSRI": sri}
    assert found(entry).verdict is Verdict.UNKNOWN  # what is shipped is not taken for what was signed


def test_more_schemas_than_are_looked_at_are_said() -> None:
    world = World(now=datetime(2026, 1, 1, tzinfo=UTC), fetcher=Web({ADDRESS: json.dumps(of()).encode()}))
    findings = schema_findings({**award(), "credentialSchema": [OURS] * 9}, world)
    assert [f.id for f in findings] == [*(f"schema.{n}" for n in range(1, MOST_SCHEMAS + 1)), "schema.more"]
    assert schema_findings(award(), world) == ()


# --- Schemas of strangers ---

_TOWER = {f"a{n}": {"allOf": [{"$ref": f"#/$defs/a{n + 1}"}] * 2} for n in range(40)} | {"a40": {}}
HOSTILE = {
    "a tower of references": of(**{"$defs": _TOWER, "$ref": "#/$defs/a0"}),
    "a reference to itself": of(**{"$ref": "#"}),
    "another document": of(**{"$ref": "https://b.example/schema.json"}),
    "a local file": of(**{"$ref": "file:///etc/passwd"}),
    "a part that is not there": of(**{"$ref": "#/$defs/none"}),
    "a pattern with lookaround": of(properties={"name": {"pattern": "(?=a)b"}}),
    "a pattern among names": of(patternProperties={"(a)\\1": {}}),
    "a schema of another version inside": of(properties={"name": {"$schema": LATEST, "pattern": "(a+)+$"}}),
    "thousands of alternatives": of(anyOf=[{"type": "string"}] * 5000),
    "lists of names that are none": of(required=[{"a": n} for n in range(3000)]),
    "unevaluated names by pattern": of(unevaluatedProperties=False, patternProperties={"^a": {}}),
    "a type that is none": of(type="thing"),
    "properties that are a list": of(properties=[]),
    "no version": {"type": "object"},
    "a version that is not known": {"$schema": "https://a.example/draft"},
    "no object": [1],
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_schema_that_asks_too_much_is_unknown_and_soon_so(name: str) -> None:
    start = time.process_time()
    finding = found(OURS, HOSTILE[name])
    assert finding.verdict is Verdict.UNKNOWN, finding.says
    assert finding.says.endswith(".")
    assert time.process_time() - start < 2


BUSY = {
    "members compared with each other": ({"unevaluatedItems": False, "contains": {"type": "object"}}, Verdict.UNKNOWN),
    "items that are each unique": ({"items": {"uniqueItems": True}, "uniqueItems": True}, Verdict.PASS),
    "a message about each item": ({"items": {"anyOf": [{"type": "string"}] * 50}}, Verdict.UNKNOWN),
}


@pytest.mark.parametrize("name", BUSY)
def test_a_large_document_and_a_busy_schema_are_soon_done(name: str) -> None:
    start = time.process_time()
    schema, verdict = BUSY[name]
    fit = fits({"x": [{"a": [n]} for n in range(20_000)]}, of(properties={"x": schema}))
    assert fit.verdict is verdict
    assert time.process_time() - start < 2


def test_a_pattern_that_keeps_others_busy_is_answered() -> None:
    schema = of(properties={"name": {"pattern": "^(([a-z])+.)+[A-Z]([a-z])+$"}})
    start = time.process_time()
    assert fits({"name": "a" * 10_000}, schema).verdict is Verdict.FAIL
    assert time.process_time() - start < 1


def test_a_reference_to_the_whole_is_followed_by_the_same_rules() -> None:
    """The library would go on with its own validator, uncounted, wherever a schema says its version."""
    schema = of(properties={"name": {"pattern": "^(a+)+$"}, "x": {"items": {"$ref": "#"}}})
    start = time.process_time()
    fit = fits({"x": [{"name": "a" * 3000 + "!"}] * 20}, schema)
    assert fit.verdict in (Verdict.FAIL, Verdict.UNKNOWN)
    assert time.process_time() - start < 2


@pytest.mark.parametrize(
    ("schema", "good", "bad"),
    [
        (of(properties={"a": {"uniqueItems": True}}), [1, 2, True, "1"], [1, 1.0]),
        (of(properties={"a": {"additionalProperties": False, "properties": {"b": {}}}}), {"b": 1}, {"c": 1}),
        (of(properties={"a": {"additionalProperties": {"type": "string"}}}), {"b": "1"}, {"c": 1}),
        (of(properties={"a": {"patternProperties": {"^b": {"type": "number"}}}}), {"b1": 1, "c": ""}, {"b1": ""}),
        (
            of(properties={"a": {"patternProperties": {"^b": {}}, "additionalProperties": False}}),
            {"b1": 1},
            {"b1": 1, "c": 1},
        ),
        (of(properties={"a": {"pattern": "^x+$"}}), "xx", "xy"),
        (of(properties={"a": {"propertyNames": {"pattern": "^[a-z]{2}$"}}}), {"en": 1}, {"english": 1}),
    ],
)
def test_the_rules_that_are_ours_say_what_the_librarys_say(schema: Any, good: Any, bad: Any) -> None:
    from jsonschema import Draft202012Validator

    for value in (good, bad):
        theirs = Draft202012Validator(schema).is_valid({"a": value})
        assert (fits({"a": value}, schema).verdict is Verdict.PASS) is theirs is (value is good)


values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats(allow_nan=False) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
KEYWORDS = (
    "type",
    "enum",
    "const",
    "properties",
    "required",
    "items",
    "allOf",
    "not",
    "$ref",
    "$defs",
    "pattern",
    "if",
    "contains",
    "minimum",
    "multipleOf",
    "$id",
    "$anchor",
    "$dynamicRef",
    "dependentRequired",
)


@given(st.dictionaries(st.sampled_from(KEYWORDS), values, max_size=4), values)
@settings(max_examples=200, deadline=None)
def test_nothing_that_stands_in_a_schema_makes_it_raise(schema: dict[str, Any], value: Any) -> None:
    assert fits(value, of(**schema)).verdict in (Verdict.PASS, Verdict.FAIL, Verdict.UNKNOWN)


def test_a_document_that_does_not_fit_is_told_in_a_few_words() -> None:
    fit = fits(
        {"name": "x" * 100_000, "more": [7] * 1000},
        of(properties={"more": {"items": {"type": "string"}}}, maxProperties=1),
    )
    assert fit.verdict is Verdict.FAIL
    assert len(fit.problems) <= 20
    assert all(len(problem) < 400 for problem in fit.problems)
