"""A blueprint is read or refused with one sentence; what was read is written and read again unchanged."""

from __future__ import annotations

import csv
import gzip
import json
from datetime import date
from importlib.resources import files

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.paths import data
from tests.unit.design.conftest import SAMPLES, put

from guildmark.core.errors import BrokenInput
from guildmark.design.blueprint import Blueprint, blueprint_digest, read_blueprint
from guildmark.skills.demand import DemandLine, FrozenDemand, freeze_demand

LINES = (
    DemandLine("http://data.europa.eu/esco/skill/598de5b0", "SQL", 7, 20, 0.35, 0.18, 0.57),
    DemandLine("http://data.europa.eu/esco/skill/ccd0a1d9", "Python", 5, 20, 0.25, 0.11, 0.47),
)
DEMAND = freeze_demand(LINES, source="ads of our own", query="data", on=date(2026, 11, 24))


# --- The samples ---


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_is_read_and_written_and_read_again_unchanged(sample, name):
    blueprint = read_blueprint(sample(name), name)
    again = read_blueprint(json.dumps(blueprint.to_json()).encode(), name)
    assert again == blueprint
    assert blueprint_digest(again) == blueprint_digest(blueprint)
    assert blueprint.to_json() == sample(name)


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_has_hours_and_credit_that_agree(sample, name):
    blueprint = read_blueprint(sample(name), name)
    assert blueprint.hours == sum(o.hours for o in blueprint.outcomes)
    if blueprint.credit.unit == "ECTS":
        assert blueprint.credit.value * 25 <= blueprint.hours <= blueprint.credit.value * 30
    assert f"{blueprint.hours:g} notional hours" in blueprint.credit.basis
    assert blueprint.credit_recognition.startswith(f"{blueprint.credit.value:g} ")
    assert blueprint.hours == {"data-protection": 50, "data-storytelling": 40, "sql-python-operations": 60}[name]


@pytest.mark.parametrize("name", SAMPLES)
def test_each_task_of_a_sample_leads_to_an_outcome_that_each_assessment_on_the_way_shows(sample, name):
    blueprint = read_blueprint(sample(name), name)
    assert {e.task for e in blueprint.task_map} == {t.id for t in blueprint.tasks}
    assert {e.outcome for e in blueprint.task_map} == {o.id for o in blueprint.outcomes}
    for edge in blueprint.task_map:
        assessment = next(a for a in blueprint.assessments if a.id == edge.assessment)
        assert any(c.outcome == edge.outcome for c in assessment.criteria)


@pytest.mark.parametrize("name", SAMPLES)
def test_each_outcome_of_a_sample_is_aligned_and_shown_under_controlled_conditions(sample, name):
    blueprint = read_blueprint(sample(name), name)
    secure = {c.outcome for a in blueprint.assessments if a.secure for c in a.criteria}
    for outcome in blueprint.outcomes:
        assert outcome.alignments
        assert outcome.id in secure


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_names_nobody_real(sample, name):
    """Whoever speaks in a sample is invented and says so, or is the cast of the demo."""
    value = sample(name)
    heard = [t["source"] for t in value["tasks"]]
    assert all("invented for this demo" in said or said.startswith("Job ad") for said in heard)
    assert "invented for this demo" in value["quality_assurance"]["agency"]
    for need in value["evidence_of_need"]:
        assert need["party"] == "Job ads" or "Invented for this demo" in need["statement"]
    for url in (value["appeals_url"], value["further_info_url"]):
        assert url.startswith("https://demo.guildmark.example/")
    assert value["provider_id"].startswith("did:web:demo.guildmark.example:")


def _aligned(sample):
    for name in SAMPLES:
        for outcome in sample(name)["outcomes"]:
            yield from outcome["alignments"]


def test_every_skill_that_a_sample_aligns_to_is_in_the_framework_that_comes_with_guildmark(sample):
    text = (files("guildmark.skills") / "data" / "guildmark-skills.csv").read_text(encoding="utf-8")
    known = {row["esco"] for row in csv.DictReader(text.splitlines())}
    for alignment in _aligned(sample):
        assert alignment["framework"] == "ESCO"
        assert alignment["uri"] == f"http://data.europa.eu/esco/skill/{alignment['code']}"
        assert alignment["code"] in known, alignment["label"]


def test_every_skill_that_a_sample_aligns_to_is_in_esco_under_this_label(sample):
    with gzip.open(data("esco-1.1.1") / "skills.csv.gz", "rt", encoding="utf-8", newline="") as file:
        labels = {row["uuid"]: row["preferredLabel"] for row in csv.DictReader(file)}
    for alignment in _aligned(sample):
        assert labels[alignment["code"]] == alignment["label"]


# --- Reading ---


def test_json_saved_by_a_windows_editor_is_read(sample):
    assert read_blueprint(b"\xef\xbb\xbf" + json.dumps(sample()).encode()).title == sample()["title"]


TOML = """
id = "urn:uuid:1"
version = 1
title = "SQL"
description = "Ask a database."
purpose = "For analysts."
language = "en"
country = "AU"
provider_id = "did:web:x.example"
level = "AQF:5"
hours = 10
delivery_mode = "online"
credit = { value = 0, unit = "none", basis = "none" }
award_rule = { pass_mark = 50, each_outcome = true }
tasks = [{ id = "t", statement = "Answer a question" }]
task_map = [{ task = "t", outcome = "o", assessment = "a" }]

[[outcomes]]
id = "o"
statement = "Ask a database"
level = "AQF:5"
hours = 10
kind = "application"

[[assessments]]
id = "a"
title = "Talk"
type = "Performance"
weight = 1
outcomes = ["o"]
secure = true
supervision = "supervised_with_id"
criteria = [{ id = "c", title = "Asks", outcome = "o", pass_level = "yes", levels = [
    { id = "no", title = "No", descriptor = "Does not.", points = 0 },
    { id = "yes", title = "Yes", descriptor = "Does.", points = 1 },
] }]
"""


def test_toml_is_read_as_json_is():
    blueprint = read_blueprint(TOML.encode(), "plan.toml")
    assert (blueprint.title, blueprint.award_rule.min_markers) == ("SQL", 2)
    assert read_blueprint(json.dumps(blueprint.to_json()).encode()) == blueprint


def test_an_explicit_none_is_kept_and_what_is_missing_is_left_out(changed):
    blueprint = changed("prerequisites", "none", "cost", ...)
    assert blueprint.to_json()["prerequisites"] == "none"
    assert "cost" not in blueprint.to_json()


def _reversed_keys(value):
    if isinstance(value, dict):
        return {key: _reversed_keys(value[key]) for key in reversed(value)}
    return [_reversed_keys(v) for v in value] if isinstance(value, list) else value


@pytest.mark.parametrize("name", SAMPLES)
def test_the_order_of_keys_does_not_change_the_digest(sample, name):
    turned = read_blueprint(_reversed_keys(sample(name)))
    assert blueprint_digest(turned) == blueprint_digest(read_blueprint(sample(name)))


def test_a_whole_number_written_with_a_point_says_the_same(changed):
    assert blueprint_digest(changed("hours", 60.0, "version", 1.0)) == blueprint_digest(changed())


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("title", "Another"),
        ("hours", None),
        (("outcomes", 0, "statement"), "Another."),
        (("assessments", 0, "criteria", 0, "levels", 1, "descriptor"), "Another."),
        (("credit", "value"), 7),
        ("review_months", 13),
    ],
)
def test_saying_anything_else_changes_the_digest(changed, path, value):
    if path == "hours":
        other = changed("hours", 61, ("outcomes", 0, "hours"), 25)
    else:
        other = changed(path, value)
    assert blueprint_digest(other) != blueprint_digest(changed())


# --- The demand behind it ---


def test_the_demand_is_frozen_in_with_source_query_date_counts_and_hash(changed):
    blueprint = changed("demand", DEMAND.to_json())
    assert blueprint.demand == DEMAND
    assert blueprint.demand.intact()
    assert set(blueprint.to_json()["demand"]) == {"source", "query", "on", "of", "counts", "sha256"}
    assert read_blueprint(json.dumps(blueprint.to_json()).encode()) == blueprint


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("counts", 0, 2), 8),
        (("counts", 1, 1), "Java"),
        (("counts", 1, 0), "http://example.org/other"),
        ("of", 21),
        ("query", "data analyst"),
        ("source", "somebody else's ads"),
        ("on", "2026-11-23"),
        ("sha256", "0" * 64),
    ],
)
def test_a_count_or_anything_else_that_was_changed_afterwards_is_found(changed, path, value):
    blueprint = changed("demand", put(DEMAND.to_json(), path, value))
    assert not blueprint.demand.intact()


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        (("counts", 0, 2), 7.4, "'7.4' is not a count"),
        (("counts", 0, 2), "7", "'7' is not a count"),
        (("counts", 0, 2), True, "'True' is not a count"),
        (("counts", 0, 2), -7, "'-7' is not a count"),
        (("counts", 0), ["only two", "members"], "not enough values"),
        ("counts", 5, "not iterable"),
        ("of", 20.0, "'20.0' is not a count"),
        ("source", 5, "'5' is not text"),
        ("on", "yesterday", "Invalid isoformat"),
        ("on", ..., "on is missing"),
        ("sha256", ..., "sha256 is missing"),
        ("note", "x", "note is not known"),
    ],
)
def test_demand_that_would_have_to_be_mended_in_reading_is_refused(sample, path, value, says):
    """7.4 must not become 7 and then agree with the hash of 7."""
    broken = put(
        sample() | {"demand": DEMAND.to_json()}, ("demand", *(path if isinstance(path, tuple) else (path,))), value
    )
    with pytest.raises(BrokenInput, match=says) as problem:
        read_blueprint(broken, "plan.json")
    assert str(problem.value).startswith("plan.json, demand: ")
    assert str(problem.value).endswith("; freeze it again.")


def test_frozen_demand_alone_is_refused_in_one_sentence():
    with pytest.raises(BrokenInput, match=r"demand: query is missing; freeze it again\."):
        FrozenDemand.from_json({"source": "x"})


# --- Bad input ---


@pytest.mark.parametrize(
    ("document", "says"),
    [
        (b"", "plan.json: not JSON at line 1 column 1"),
        (b"{", "plan.json: not JSON at line 1 column 2"),
        (b"[]", "plan.json: is not an object; a blueprint is one JSON object or TOML document"),
        (b"null", "plan.json: neither JSON nor TOML"),
        (b"\xff\xfe{", "plan.json: byte 0 is not UTF-8; save the file as UTF-8"),
        (b'{"id": "a", "id": "b"}', "key 'id' stands twice in one object; keep one of them"),
        (b'{"hours": NaN}', "NaN is not JSON"),
        (b'{"hours": 1e999}', "number 1e999 is too large"),
        (b'{"hours": 1' + b"0" * 5000 + b"}", "a number has too many digits"),
        (b'{"title": "\\ud800"}', "half a surrogate pair is no character"),
        (b'{"a":' * 200 + b"1" + b"}" * 200, "nested too deeply"),
        (b"[" * 100_000, "nested too deeply"),
        (b"x = " + b"[" * 20_000, "nested too deeply|neither JSON nor TOML"),
        (b"hours = 1" + b"0" * 5000, "neither JSON nor TOML"),
        (b"{}", "plan.json, credit: is missing; write"),
        (
            TOML.replace("hours = 10", "hours = 0x" + "f" * 5000, 1).encode(),
            "hours: is a very large number; write a number",
        ),
        (TOML.replace("hours = 10", "hours = inf", 1).encode(), "hours: is inf; write a number from 0.25 to 10000"),
        (TOML.replace("hours = 10", "hours = nan", 1).encode(), "hours: is nan; write a number"),
        (TOML.replace('title = "SQL"', "title = 2026-11-24", 1).encode(), "title: is missing or not text"),
    ],
)
def test_a_document_that_is_none_is_refused_in_one_sentence(document, says):
    with pytest.raises(BrokenInput, match=says) as problem:
        read_blueprint(document, "plan.json")
    assert_one_sentence(problem.value)


def assert_one_sentence(problem: BrokenInput) -> None:
    text = str(problem)
    assert text.startswith("plan.json")
    assert problem.hint
    assert "\n" not in text
    assert len(text) < 400


LEVEL = ("assessments", 0, "criteria", 0, "levels")


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        ("title", ..., "plan.json, title: is missing or not text; write title as text in quotes"),
        ("title", 5, "title: is missing or not text"),
        ("title", " ", "title: is missing or not text"),
        ("title", "x" * 20_001, "title: has 20,001 characters; shorten it"),
        ("title", "a\x00b", "title: has a control character"),
        ("title", "a\x1b[2Jb", "title: has a control character"),
        ("titel", "x", "titel: is not a member of a blueprint; check the spelling, or leave it out"),
        ("version", 1.5, "version: is 1.5; write a whole number"),
        ("version", True, "version: is True; write a number"),
        ("version", 0, "version: is 0; write a number from 1"),
        ("hours", "60", "hours: is '60'; write a number"),
        ("hours", -60, "hours: is -60; write a number from 0.25"),
        ("hours", float("nan"), "hours: is nan; write a number"),
        ("hours", float("inf"), "hours: is inf; write a number"),
        ("hours", [60] * 10_000, "hours: is a list; write a number"),
        ("hours", {"a": "b" * 10_000}, "hours: is an object; write a number"),
        ("hours", None, "hours: is null; write a number"),
        ("hours", 61, "hours: is 61 while the outcomes add up to 60; make the two agree"),
        ("delivery_mode", "x" * 1000, "delivery_mode: is 'xxx.*; write one of online, onsite"),
        ("outcomes", ..., "outcomes: is missing or not a list; give 1 to 100 items"),
        ("outcomes", [], "outcomes: has 0 items; give 1 to 100"),
        ("outcomes", [{}] * 101, "outcomes: has 101 items; give 1 to 100"),
        ("outcomes", [5], r"outcomes\[0\]: is not an object"),
        ("outcomes", {"a": 1}, "outcomes: is missing or not a list"),
        (("outcomes", 1, "hours"), -20, r"outcomes\[1\].hours: is -20"),
        (("outcomes", 1, "id"), "query", "outcomes: id 'query' stands twice; give each its own id"),
        (("outcomes", 1, "kind"), "skill", r"outcomes\[1\].kind: is 'skill'; write one of application, knowledge"),
        (("outcomes", 1, "leval"), "x", r"outcomes\[1\].leval: is not a member"),
        (("outcomes", 0, "alignments", 0, "uri"), "SQL", r"alignments\[0\].uri: is 'SQL'; write the URI of a skill"),
        (("outcomes", 0, "alignments", 0, "uri"), "javascript:alert(1)", "uri: is 'javascript"),
        (("outcomes", 0, "alignments", 0, "url"), "x", r"outcomes\[0\].alignments\[0\].url: is not a member"),
        (("tasks", 0, "id"), "brief-shift", "tasks: id 'brief-shift' stands twice"),
        (("task_map", 0, "task"), "gone", r"task_map\[0\].task: there is no task 'gone'; use one of brief-shift"),
        (("task_map", 0, "outcome"), "gone", r"task_map\[0\].outcome: there is no outcome 'gone'"),
        (("task_map", 0, "assessment"), "gone", r"task_map\[0\].assessment: there is no assessment 'gone'"),
        (("task_map", 1, "assessment"), "project", "task_map: late-orders to query to project stands twice; keep one"),
        (("assessments", 0, "outcomes"), ["query", "clean"], "there is no|does not show|is not shown by"),
        (("assessments", 0, "outcomes", 0), "clean", "outcomes: id 'clean' stands twice"),
        (("assessments", 0, "outcomes", 0), "gone", "there is no outcome 'gone'|does not show"),
        (("assessments", 0, "outcomes", 0), 5, r"assessments\[0\].outcomes\[0\]: is not text; write an id"),
        (("assessments", 0, "weight"), 0.7, "assessments: weights add up to 1.1; make them add up to 1"),
        (("assessments", 0, "weight"), 0, r"assessments\[0\].weight: is 0; write a number from 0.0001"),
        (("assessments", 0, "weight"), -0.6, "weight: is -0.6"),
        (("assessments", 0, "secure"), "yes", r"assessments\[0\].secure: is 'yes'; write true or false"),
        (("assessments", 1, "id"), "project", "assessments: id 'project' stands twice"),
        (("assessments", 1, "criteria", 0, "id"), "p-query", "criteria: id 'p-query' stands twice"),
        (
            ("assessments", 0, "criteria", 0, "outcome"),
            "gone",
            "'gone' is not shown by project; use one of its outcomes",
        ),
        (("assessments", 0, "criteria", 0, "pass_level"), "gone", "there is no level 'gone'; use the id of a level"),
        (LEVEL, [], r"levels: has 0 items; give 2 to 20"),
        ((*LEVEL, 1, "points"), 0, "points do not rise from level to level; order levels from low to high"),
        ((*LEVEL, 1, "points"), -1, r"levels\[1\].points: is -1"),
        ((*LEVEL, 1, "id"), "beginning", "levels: id 'beginning' stands twice"),
        ((*LEVEL, 1, "point"), 1, r"levels\[1\].point: is not a member"),
        ("credit", 2, "credit: is missing; write"),
        (("credit", "value"), -1, "credit.value: is -1; write a number from 0"),
        (("credit", "unit"), "none", 'credit.value: is 6 with the unit "none"; name the unit, or write 0'),
        (("credit", "units"), "ECTS", "credit.units: is not a member"),
        (("award_rule", "pass_mark"), 101, "award_rule.pass_mark: is 101; write a number from 0 to 100"),
        (("award_rule", "min_marker"), 3, "award_rule.min_marker: is not a member"),
        (("award_rule", "min_markers"), 1.5, "award_rule.min_markers: is 1.5; write a whole number"),
        (("award_rule", "each_outcome"), 1, "award_rule.each_outcome: is 1; write true or false"),
        ("review_months", 0, "review_months: is 0; write a number from 1 to 240"),
        ("field", "0612", 'field: is not an object of texts; write {"scheme"'),
        (("field", "code"), ..., "field.code: is missing or not text"),
        (("field", "code"), 612, "field.code: is missing or not text"),
        (("quality_assurance", "type"), None, "quality_assurance.type: is missing or not text"),
        (("evidence_of_need", 0, "party"), ..., r"evidence_of_need\[0\].party: is missing"),
        ("evidence_of_need", "many", "evidence_of_need: is missing or not a list; give 0 to"),
        ("demand", "high", "demand: is not an object; write what was frozen, or leave it out"),
    ],
)
def test_what_does_not_fit_is_named_with_its_path_and_what_to_do(sample, path, value, says):
    with pytest.raises(BrokenInput, match=says) as problem:
        read_blueprint(put(sample(), path, value), "plan.json")
    assert_one_sentence(problem.value)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda values: st.lists(values, max_size=3) | st.dictionaries(st.text(max_size=6), values, max_size=3),
    max_leaves=8,
)


def _paths(value, here=()):
    if here:
        yield here
    if isinstance(value, dict):
        for key in value:
            yield from _paths(value[key], (*here, key))
    elif isinstance(value, list):
        for i in range(len(value)):
            yield from _paths(value[i], (*here, i))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(choice=st.data(), new=json_values | st.just(...))
def test_whatever_stands_in_one_place_a_blueprint_is_read_or_refused_in_one_sentence(sample, choice, new):
    value = sample()
    value["demand"] = DEMAND.to_json()
    path = choice.draw(st.sampled_from(list(_paths(value))))
    try:
        blueprint = read_blueprint(put(value, path, new), "plan.json")
    except BrokenInput as problem:
        assert_one_sentence(problem)
    else:
        assert isinstance(blueprint, Blueprint)
        assert read_blueprint(json.dumps(blueprint.to_json()).encode()) == blueprint


@given(st.dictionaries(st.sampled_from(sorted(Blueprint.__dataclass_fields__)) | st.text(max_size=5), json_values))
def test_any_object_is_read_or_refused_in_one_sentence(value):
    with pytest.raises(BrokenInput) as problem:
        read_blueprint(value, "plan.json")
    assert_one_sentence(problem.value)


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_in_one_sentence(document):
    with pytest.raises(BrokenInput) as problem:
        read_blueprint(document, "plan.json")
    assert str(problem.value).startswith("plan.json")
