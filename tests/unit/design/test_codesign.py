"""What a partner signs: the map in scope. Changing it voids the signature; changing anything else does not."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guildmark.core.errors import BrokenInput
from guildmark.core.report import Report, Verdict
from guildmark.design.blueprint import read_blueprint
from guildmark.design.codesign import (
    Endorsed,
    endorsed_outcomes,
    endorsement_findings,
    map_changes,
    map_digest,
    map_document,
    stands,
)

PASS, FAIL, UNKNOWN, NOT_APPLICABLE = Verdict
NORTHWIND = "did:web:demo.guildmark.example:partners:northwind-logistics"


def signed(blueprint, scope="whole", *, partner=NORTHWIND, day=3, digest=None) -> Endorsed:
    """The partner signed the map in scope as it is in this blueprint."""
    return Endorsed(
        partner_id=partner,
        partner_name="Northwind Logistics",
        scope=scope,
        digest=digest or map_digest(blueprint, scope),
        at=datetime(2026, 11, day, 9, tzinfo=UTC),
        credential_id=f"urn:uuid:{day}",
        claim="We hire for this.",
    )


def test_a_signature_over_the_map_as_it_is_stands_and_quotes_the_partner(changed):
    blueprint = changed()
    finding = endorsement_findings(blueprint, [signed(blueprint)])[f"endorsement.{NORTHWIND}"]
    assert finding.verdict is PASS
    says = "Northwind Logistics signed the whole map on 2026-11-03, and it is unchanged: “We hire for this.”"
    assert finding.says == says


LEVEL = ("assessments", 0, "criteria", 0, "levels", 1)
IN_THE_MAP = [
    (("tasks", 0, "statement"), "Another task."),
    (("tasks", 0, "source"), "Somebody else"),
    (("outcomes", 0, "statement"), "Another outcome."),
    (("outcomes", 0, "level"), "AQF:6"),
    (("outcomes", 0, "kind"), "knowledge"),
    (("outcomes", 0, "alignments", 0, "uri"), "http://example.org/another"),
    (("assessments", 0, "title"), "Another project"),
    (("assessments", 0, "type"), "Exam"),
    (("assessments", 0, "secure"), True),
    (("assessments", 0, "supervision"), "supervised_no_id"),
    (("assessments", 0, "criteria", 0, "title"), "Another criterion"),
    (("assessments", 0, "criteria", 0, "pass_level"), "developing"),
    ((*LEVEL, "descriptor"), "Another descriptor."),
    ((*LEVEL, "points"), 1.5),
    (("task_map", 0), {"task": "brief-shift", "outcome": "query", "assessment": "project"}),
]


@pytest.mark.parametrize(("path", "value"), IN_THE_MAP)
def test_changing_any_part_of_the_map_voids_the_signature_and_says_what_to_do(changed, path, value):
    endorsed = signed(changed())
    finding = endorsement_findings(changed(path, value), [endorsed])[f"endorsement.{NORTHWIND}"]
    assert finding.verdict is FAIL
    says = "Void: Northwind Logistics signed the whole map on 2026-11-03, and the map changed since; ask again."
    assert finding.says == says
    assert finding.because["signed"] != finding.because["present"]


def test_changing_hours_or_weights_voids_the_signature(changed):
    endorsed = signed(changed())
    hours = changed(("outcomes", 0, "hours"), 23, ("outcomes", 1, "hours"), 21)
    weights = changed(("assessments", 0, "weight"), 0.5, ("assessments", 1, "weight"), 0.5)
    assert not stands(hours, endorsed)
    assert not stands(weights, endorsed)


def test_leaving_out_an_edge_or_adding_a_task_voids_the_signature(changed, sample):
    endorsed = signed(changed())
    edges, tasks = sample()["task_map"], sample()["tasks"]
    assert not stands(changed("task_map", edges[:-1]), endorsed)
    assert not stands(changed("tasks", [*tasks, {"id": "new", "statement": "Another."}]), endorsed)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("title", "Another title"),
        ("description", "Another description."),
        ("version", 2),
        ("cost", "AUD 10"),
        ("level", "AQF:6"),
        ("review_months", 6),
        (("credit", "value"), 5),
        (("award_rule", "pass_mark"), 70),
        ("delivery_mode", "blended"),
        ("appeals_url", ...),
        ("evidence_of_need", []),
        ("quality_assurance", ...),
    ],
)
def test_changing_what_is_not_in_the_map_leaves_the_signature_standing(changed, path, value):
    assert stands(changed(path, value), signed(changed()))


def test_order_in_the_blueprint_means_nothing(changed, sample):
    value = sample()
    for outcome in value["outcomes"]:
        outcome["alignments"].reverse()
    for assessment in value["assessments"]:
        assessment["criteria"].reverse()
        assessment["outcomes"].reverse()
    turned = changed(
        *("outcomes", value["outcomes"][::-1]),
        *("tasks", value["tasks"][::-1]),
        *("assessments", value["assessments"][::-1]),
        *("task_map", value["task_map"][::-1]),
    )
    for scope in ("whole", ("query",), ("query", "explain")):
        assert map_digest(turned, scope) == map_digest(changed(), scope)


# --- Scopes ---


def test_a_scope_holds_its_outcomes_with_their_tasks_assessments_and_edges_and_nothing_else(changed):
    document = map_document(changed(), ("query",))
    assert [o["id"] for o in document["outcomes"]] == ["query"]
    assert [t["id"] for t in document["tasks"]] == ["late-orders"]
    assert [(a["id"], [c["id"] for c in a["criteria"]]) for a in document["assessments"]] == [
        ("practical", ["s-query"]),
        ("project", ["p-query"]),
    ]
    assert document["edges"] == [["late-orders", "query", "practical"], ["late-orders", "query", "project"]]
    assert document["scope"] == ["query"]


def test_each_scope_has_a_digest_of_its_own(changed):
    blueprint = changed()
    scopes = ["whole", ("query",), ("clean",), ("query", "clean"), ("query", "clean", "explain")]
    assert len({map_digest(blueprint, scope) for scope in scopes}) == len(scopes)


def test_neither_order_nor_repetition_of_the_outcomes_in_scope_matters(changed):
    blueprint = changed()
    assert map_digest(blueprint, ("clean", "query")) == map_digest(blueprint, ("query", "clean", "query"))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("outcomes", 1, "statement"), "Another outcome."),
        (("tasks", 1, "statement"), "Another task."),
        (("assessments", 0, "criteria", 1, "levels", 0, "descriptor"), "Another descriptor."),
        (("task_map", 2, "task"), "brief-shift"),
    ],
)
def test_changing_something_outside_the_scope_leaves_its_signature_standing_and_voids_the_whole(changed, path, value):
    part, other, whole = (signed(changed(), scope) for scope in (("query",), ("clean",), "whole"))
    after = changed(path, value)
    assert stands(after, part)
    assert not stands(after, other)
    assert not stands(after, whole)


def test_a_signature_over_an_outcome_that_is_gone_is_void_and_says_which(changed):
    endorsed = signed(changed(), ("query", "clean"))
    endorsed = dataclasses.replace(endorsed, scope=("query", "gone"))
    finding = endorsement_findings(changed(), [endorsed])[f"endorsement.{NORTHWIND}"]
    assert finding.verdict is FAIL
    assert "signed the map of query, gone on 2026-11-03, and there is no outcome 'gone'; ask again." in finding.says


@pytest.mark.parametrize(
    ("scope", "says"),
    [
        (("gone",), "there is no outcome 'gone'; name outcomes by their id"),
        ((), r"scope \(\) is not known; use"),
        ("part", "scope 'part' is not known; use"),
    ],
)
def test_a_scope_that_leads_nowhere_is_refused(changed, scope, says):
    with pytest.raises(BrokenInput, match=says):
        map_digest(changed(), scope)


# --- Signing again, and whose word counts ---


def test_a_void_signature_does_not_apply_once_its_partner_has_signed_again(changed):
    old, after = signed(changed(), day=3), changed(("outcomes", 0, "statement"), "Another outcome.")
    report = endorsement_findings(after, [old, signed(after, day=9)])
    assert [f.verdict for f in report.findings] == [NOT_APPLICABLE, PASS]
    assert report.findings[0].says.endswith("the map changed since, and the partner signed again on 2026-11-09.")
    assert report.verdict is PASS


def test_what_a_partner_signed_earlier_or_another_partner_signed_does_not_mend_a_void_signature(changed):
    after = changed(("outcomes", 0, "statement"), "Another outcome.")
    void = signed(changed(), day=9)
    assert endorsement_findings(after, [void, signed(after, day=3)]).findings[0].verdict is FAIL
    other = signed(after, partner="did:web:other.example", day=12)
    assert endorsement_findings(after, [void, other]).findings[0].verdict is FAIL


def test_outcomes_that_partners_speak_about_are_those_of_signatures_that_stand(changed):
    before, after = changed(), changed(("outcomes", 1, "statement"), "Another outcome.")
    endorsed = [signed(before, ("query",)), signed(before, ("clean",)), signed(before)]
    assert endorsed_outcomes(before, endorsed) == {"query", "clean", "explain"}
    assert endorsed_outcomes(after, endorsed) == {"query"}
    assert endorsed_outcomes(after, []) == set()


def test_what_a_provider_signs_about_itself_is_no_co_design(changed):
    blueprint = changed()
    assert endorsed_outcomes(blueprint, [signed(blueprint, partner=blueprint.provider_id)]) == set()


def test_without_endorsements_nothing_is_known(changed):
    assert endorsement_findings(changed(), []).verdict is UNKNOWN


@given(st.sampled_from(["whole", ("query",), ("query", "clean")]), st.text(min_size=64, max_size=64))
def test_only_the_digest_of_the_present_map_stands_and_its_report_is_plain_json(scope, digest):
    blueprint = read_blueprint((files("guildmark.design") / "samples" / "sql-python-operations.json").read_bytes())
    endorsed = signed(blueprint, scope, digest=digest)
    report = endorsement_findings(blueprint, [endorsed, signed(blueprint, scope, partner="did:web:b.example")])
    assert [f.verdict for f in report.findings] == [FAIL, PASS]
    assert Report.from_json(json.loads(json.dumps(report.to_json()))) == report


# --- What changed ---


def test_what_changed_in_a_map_is_told_one_sentence_each(changed):
    before = map_document(changed())
    assert map_changes(before, before) == ()
    after = map_document(changed(("outcomes", 0, "statement"), "Another outcome.", ("outcomes", 0, "level"), "AQF:6"))
    old = before["outcomes"]
    (first,) = [o for o in after["outcomes"] if o["statement"] == "Another outcome."]
    (was,) = [o for o in old if o["id"] == first["id"]]
    assert map_changes(before, after) == (
        f"In the outcome {first['id']}, level was “{was['level']}” and is “AQF:6”.",
        f"In the outcome {first['id']}, statement was “{was['statement']}” and is “Another outcome.”.",
    )


def test_what_came_and_what_went_is_told_with_its_words(changed):
    whole, part = map_document(changed()), map_document(changed(), ("query",))
    said = map_changes(whole, part)
    gone = [o for o in whole["outcomes"] if o["id"] != "query"]
    for outcome in gone:
        assert f"The outcome {outcome['id']} is gone: “{outcome['statement']}”." in said
    assert any(line.startswith("The line from task ") and line.endswith(" is gone.") for line in said)
    assert f"The outcome {gone[0]['id']} is new: “{gone[0]['statement']}”." in map_changes(part, whole)


def test_a_changed_rubric_is_named_though_not_spelled_out(changed):
    after = changed(("assessments", 0, "criteria", 0, "title"), "Another criterion")
    said = map_changes(map_document(changed()), map_document(after))
    assert said == (f"In the assessment {after.assessments[0].id}, the criteria changed.",)


@given(st.sampled_from(["whole", ("query",), ("clean",), ("query", "clean")]), st.sampled_from(["whole", ("query",)]))
def test_there_is_a_sentence_exactly_when_the_digest_differs(one, other):
    blueprint = read_blueprint((files("guildmark.design") / "samples" / "sql-python-operations.json").read_bytes())
    old, new = map_document(blueprint, one), map_document(blueprint, other)
    assert bool(map_changes(old, new)) == (map_digest(blueprint, one) != map_digest(blueprint, other))
