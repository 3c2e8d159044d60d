"""The quality gate blocks until all is decided: from data where data can, and by named people where it cannot."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import Any

import pytest
from tests.unit.design.conftest import SAMPLES
from tests.unit.design.test_blueprint import DEMAND

from guildmark.core.report import Report, Verdict
from guildmark.core.rules import Judgement, load_rulebook
from guildmark.design.codesign import Endorsed, map_digest
from guildmark.design.gate import AWARD_TEMPLATE, builtin_rulebooks, gate, gate_facts

PASS, FAIL, UNKNOWN, NOT_APPLICABLE = Verdict
TODAY = date(2026, 11, 24)
HARBOUR = {"name": "Harbour University", "country": "AU", "regulated": True}
RHEIN = {"name": "Rhein Academy", "country": "DE", "regulated": True}


def endorsed(blueprint, *scopes, partner="did:web:northwind.example", signed=None) -> tuple[Endorsed, ...]:
    return tuple(
        Endorsed(
            partner_id=partner,
            partner_name="Northwind Logistics",
            scope=scope,
            digest=map_digest(signed or blueprint, scope),
            at=datetime(2026, 11, 3, tzinfo=UTC),
            credential_id="urn:uuid:1",
            claim="We hire for this.",
        )
        for scope in scopes or ("whole",)
    )


def judged(rule_id: str, verdict: Verdict = PASS) -> Judgement:
    return Judgement(rule_id, verdict, "Ana Ortiz", "Read against the rule.", datetime(2026, 11, 20, tzinfo=UTC))


def semi(*books: str) -> list[str]:
    return [r.id for b in books for r in builtin_rulebooks()[b].rules if r.grade != "auto"]


def run(blueprint, *books: str, provider=HARBOUR, by=None, on=TODAY, judgements: Any = None) -> Report:
    return gate(
        blueprint,
        [builtin_rulebooks()[b] for b in books],
        provider=provider,
        endorsed=endorsed(blueprint) if by is None else by,
        judgements=[judged(id) for id in semi(*books)] if judgements is None else judgements,
        on=on,
    )


@pytest.fixture
def plan(changed):
    """A sample with the demand behind it frozen in, changed as asked."""

    def make(*changes: Any, name: str = "sql-python-operations"):
        return changed("demand", DEMAND.to_json(), *changes, name=name)

    return make


# --- The samples pass, and each thing that is missing blocks ---


@pytest.mark.parametrize(
    ("name", "books", "provider"),
    [
        ("sql-python-operations", ("guildmark_core", "au_nmf"), HARBOUR),
        ("data-storytelling", ("guildmark_core", "au_nmf"), HARBOUR),
        ("data-protection", ("guildmark_core", "eu_2022"), RHEIN),
    ],
)
def test_a_sample_passes_once_it_is_signed_and_judged_and_not_a_step_earlier(plan, name, books, provider):
    blueprint = plan(name=name)
    assert run(blueprint, *books, provider=provider).verdict is PASS
    unsigned = run(blueprint, *books, provider=provider, by=())
    assert (unsigned.verdict, unsigned["GM-5"].verdict) == (FAIL, FAIL)
    open_still = run(blueprint, *books, provider=provider, judgements=[])
    assert open_still.verdict is UNKNOWN
    applying = {f.id for f in open_still.unknown()}
    assert applying <= set(semi(*books))
    assert "GM-9" in applying


@pytest.mark.parametrize("left_out", ["GM-9", "AU-E05", "AU-E10", "AU-E11"])
def test_one_judgement_that_is_missing_holds_it_up(plan, left_out):
    judgements = [judged(id) for id in semi("guildmark_core", "au_nmf") if id != left_out]
    report = run(plan(), "guildmark_core", "au_nmf", judgements=judgements)
    assert report.verdict is UNKNOWN
    assert [f.id for f in report.unknown()] == [left_out]
    assert report[left_out].says.endswith("a named person has to judge the substance.")


def test_a_person_who_says_no_blocks(plan):
    report = run(plan(), "guildmark_core", judgements=[judged("GM-9", FAIL)])
    assert report.verdict is FAIL
    assert "judged not met by Ana Ortiz: Read against the rule." in report["GM-9"].says


CORE_BREAKS = [
    ("GM-1", [("outcomes", 0, "alignments"), []]),
    ("GM-2", [("assessments", 1, "secure"), False]),
    ("GM-4", [("demand", "counts", 0, 2), 9]),
    ("GM-6", ["review_months", 120]),
    ("GM-7", ["appeals_url", "mailto:somebody@example.org"]),
    ("GM-8", [("award_rule", "min_markers"), 1]),
]


@pytest.mark.parametrize(("rule", "changes"), CORE_BREAKS)
def test_what_breaks_a_core_rule_blocks(plan, rule, changes):
    report = run(plan(*changes), "guildmark_core")
    assert report.verdict is FAIL
    assert [f.id for f in report.failed()] == [rule]


@pytest.mark.parametrize(
    ("rule", "changes"), [("GM-4", ["demand", ...]), ("GM-6", ["review_months", ...]), ("GM-7", ["appeals_url", ...])]
)
def test_what_is_not_stated_is_unknown_and_blocks(plan, rule, changes):
    report = run(plan(*changes), "guildmark_core")
    assert report.verdict is UNKNOWN
    assert [f.id for f in report.unknown()] == [rule]


def test_a_task_that_leads_nowhere_and_an_outcome_that_no_task_needs_block(plan, sample):
    task = {"id": "new", "statement": "Another task."}
    assert run(plan("tasks", [*sample()["tasks"], task]), "guildmark_core")["GM-3"].verdict is FAIL
    edges = [e for e in sample()["task_map"] if e["outcome"] != "clean"]
    assert run(plan("task_map", edges), "guildmark_core")["GM-3"].verdict is FAIL


def test_credit_that_does_not_fit_the_hours_blocks_where_the_unit_says_how_many(plan):
    ects = ["guildmark_core", "eu_2022"]
    report = run(plan(("credit", "value"), 10, name="data-protection"), *ects, provider=RHEIN)
    assert [f.id for f in report.failed()] == ["GM-10"]
    assert run(plan(name="data-protection"), *ects, provider=RHEIN)["GM-10"].verdict is PASS
    assert run(plan(("credit", "value"), 48), "guildmark_core")["GM-10"].verdict is NOT_APPLICABLE


# --- Signatures at the gate ---


def test_a_signature_for_another_map_blocks(plan):
    report = run(plan(), "guildmark_core", by=endorsed(plan(), signed=plan(("outcomes", 0, "statement"), "Else.")))
    assert {f.id for f in report.failed()} == {"GM-5", "endorsement.did:web:northwind.example"}


def test_a_partner_who_signs_again_after_a_change_opens_the_gate_again(plan):
    blueprint = plan(("outcomes", 0, "statement"), "Another outcome.")
    both = (*endorsed(blueprint, signed=plan()), *endorsed(blueprint))
    report = run(blueprint, "guildmark_core", by=both)
    assert report.verdict is PASS
    assert report["GM-5"].because["looked_at"]["standing_endorsements"] == ["did:web:northwind.example"]


def test_a_signature_over_one_outcome_is_none_over_the_others(plan):
    assert run(plan(), "guildmark_core", by=endorsed(plan(), ("query",)))["GM-5"].verdict is FAIL
    parts = endorsed(plan(), ("query",), ("clean", "explain"))
    assert run(plan(), "guildmark_core", by=parts)["GM-5"].verdict is PASS


def test_a_provider_cannot_be_its_own_industry_partner(plan):
    own = endorsed(plan(), partner=plan().provider_id)
    assert run(plan(), "guildmark_core", "au_nmf", by=own)["GM-5"].verdict is FAIL
    assert run(plan(), "guildmark_core", "au_nmf", by=own)["AU-E11"].verdict is FAIL


# --- The Australian framework ---


@pytest.mark.parametrize(
    ("rules", "changes"),
    [
        ({"AU-E06", "AU-R1"}, ["hours", 0.75, "outcomes", None]),
        ({"AU-R2"}, ["title", "Graduate Certificate in SQL"]),
        ({"AU-E08"}, ["delivery_mode", "onsite"]),
    ],
)
def test_a_minimum_standard_of_the_australian_framework_blocks(plan, sample, rules, changes):
    if None in changes:  # one outcome of three quarters of an hour
        value = sample()
        value["outcomes"] = [{**value["outcomes"][0], "hours": 0.75}]
        for a in value["assessments"]:
            a["outcomes"], a["criteria"] = ["query"], a["criteria"][:1]
        keep = {"assessments": value["assessments"], "task_map": value["task_map"][:2], "outcomes": value["outcomes"]}
        changes = ["hours", 0.75, *(part for pair in keep.items() for part in pair)]
    report = run(plan(*changes), "au_nmf")
    assert {f.id for f in report.failed()} == rules


def test_an_outcome_that_nothing_assesses_blocks(plan, sample):
    value = sample()["assessments"]
    for a in value:
        a["criteria"] = [c for c in a["criteria"] if c["outcome"] != "clean"]
    report = run(plan("assessments", value), "au_nmf")
    assert {f.id for f in report.failed()} == {"AU-E05", "AU-R4"}


def test_an_unregulated_provider_needs_a_complete_quality_assurance_statement(plan):
    unregulated = HARBOUR | {"regulated": False}
    assert run(plan(), "au_nmf", provider=unregulated).verdict is PASS
    report = run(plan(("quality_assurance", "review_process"), ...), "au_nmf", provider=unregulated)
    assert {f.id for f in report.failed()} == {"AU-E13", "AU-R5"}
    assert run(plan(), "au_nmf")["AU-E13"].verdict is NOT_APPLICABLE


@pytest.mark.parametrize("regulated", [..., "no", 0, None])
def test_whether_a_provider_is_regulated_is_never_guessed(plan, regulated):
    provider = HARBOUR | {"regulated": regulated}
    if regulated is ...:
        del provider["regulated"]
    report = run(plan(), "au_nmf", provider=provider)
    assert report.verdict is UNKNOWN
    assert {f.id for f in report.unknown()} == {"AU-E13", "AU-R5"}


@pytest.mark.parametrize(
    ("rule", "changes"),
    [
        ("AU-E07", ["synchrony", ...]),
        ("AU-E14", ["prerequisites", ...]),
        ("AU-E15", ["cost", ...]),
        ("AU-E16", [("outcomes", 0, "level"), "advanced"]),
        ("AU-E17", ["validity_months", ...]),
        ("AU-R2-SIZE", ["hours", 640, ("outcomes", 0, "hours"), 604]),
        ("AU-R6", ["evidence_of_need", []]),
    ],
)
def test_what_is_remembered_recommended_or_concluded_advises_and_never_blocks(plan, rule, changes):
    report = run(plan(*changes), "au_nmf")
    assert report.verdict is PASS
    assert report[rule].verdict is UNKNOWN
    assert not report[rule].required
    assert "not met" in report[rule].says


def test_an_award_of_a_provider_elsewhere_does_not_carry_the_australian_statement(plan):
    assert run(plan("country", "NZ"), "au_nmf")["AU-R7"].verdict is UNKNOWN
    assert run(plan(), "au_nmf")["AU-R7"].verdict is PASS


# --- The European framework ---


@pytest.mark.parametrize(
    ("rule", "changes", "provider"),
    [
        ("EU-M03", [], {"country": "Germany"}),
        ("EU-M03", [], {"country": "DE\n"}),
        ("EU-M04", [], {"name": ""}),
        ("EU-M08", ["level", "AQF:5"], {}),
        ("EU-M10", ["delivery_mode", "work_based"], {}),
        ("EU-M11", [("quality_assurance", "agency"), ...], {}),
    ],
)
def test_a_mandatory_element_that_is_missing_or_unfit_blocks(plan, rule, changes, provider):
    report = run(plan(*changes, name="data-protection"), "eu_2022", provider=RHEIN | provider)
    assert [f.id for f in report.failed()] == [rule]


def test_a_level_that_does_not_apply_may_be_declared_so(plan):
    report = run(plan("level", "none", name="data-protection"), "eu_2022", provider=RHEIN)
    assert report["EU-M08"].verdict is PASS


@pytest.mark.parametrize(
    ("rule", "changes"),
    [
        ("EU-M07-ECTS", [("credit", "unit"), "AU-CP"]),
        ("EU-O01", ["prerequisites", ...]),
        ("EU-O02", [("assessments", 0, "supervision"), "watched"]),
        ("EU-O04", ["stackability", "maybe"]),
        ("EU-O05", ["further_info_url", "ask us"]),
    ],
)
def test_an_optional_element_advises(plan, rule, changes):
    report = run(plan(*changes, name="data-protection"), "eu_2022", provider=RHEIN)
    assert report.verdict is PASS
    assert (report[rule].verdict, report[rule].required) == (UNKNOWN, False)


def test_a_check_that_mandatory_elements_are_on_the_award_looks_for_each_by_name():
    (rule,) = [r for r in builtin_rulebooks()["eu_2022"].rules if r.id == "EU-R1"]
    assert len(set(rule.check["includes"][1])) == 11
    assert set(rule.check["includes"][1]) <= set(AWARD_TEMPLATE["carries"])


# --- Rulebooks at the gate ---


def empty(more: str = "") -> Any:
    text = 'id = "empty"\ntitle = "Empty"\nversion = "1"\neffective_from = 2026-01-01\nsource = "s"\n'
    return load_rulebook(text + more)


def test_without_a_rulebook_nothing_passes_not_even_with_a_signature(plan):
    report = run(plan())
    assert report.verdict is UNKNOWN
    assert report.findings == ()


def test_an_empty_rulebook_is_never_pass_whatever_other_rulebooks_say(plan):
    books = [builtin_rulebooks()["au_nmf"], empty()]
    judgements = [judged(id) for id in semi("au_nmf")]
    blueprint = plan()
    report = gate(blueprint, books, provider=HARBOUR, endorsed=endorsed(blueprint), judgements=judgements, on=TODAY)
    assert report.verdict is UNKNOWN
    assert [f.id for f in report.unknown()] == ["empty.nothing_passed"]


def test_a_rulebook_of_which_nothing_was_met_cannot_vouch(plan):
    advice = """
[[rule]]
id = "X-1"
title = "It has a motto"
reason = "r"
source = "s"
standing = "from_memory"
severity = "warn"
grade = "auto"
check = { present = "motto" }
accepts = { motto = "x" }
refuses = {}
"""
    books = [builtin_rulebooks()["au_nmf"], empty(advice)]
    judgements = [judged(id) for id in semi("au_nmf")]
    report = gate(plan(), books, provider=HARBOUR, endorsed=endorsed(plan()), judgements=judgements, on=TODAY)
    assert report.verdict is UNKNOWN
    assert "none of its 1 rules was met" in report["empty.nothing_passed"].says


def test_a_rulebook_that_is_not_in_force_yet_blocks(plan):
    report = run(plan(), "guildmark_core", "au_nmf", on=date(2025, 12, 31))
    assert report.verdict is UNKNOWN
    assert report["guildmark_core.in_force"].says == "This rulebook is in force from 2026-01-01, not on 2025-12-31."
    assert report["AU-E01"].verdict is PASS


# --- What rules are told ---


@pytest.mark.parametrize("name", SAMPLES)
def test_facts_are_plain_json_and_so_is_the_report(plan, name):
    blueprint = plan(name=name)
    facts = gate_facts(blueprint, provider=HARBOUR, endorsed=endorsed(blueprint))
    assert json.loads(json.dumps(facts)) == facts
    report = run(blueprint, "guildmark_core", "au_nmf", "eu_2022")
    assert Report.from_json(json.loads(json.dumps(report.to_json()))) == report


def test_a_provider_cannot_overwrite_what_follows_from_the_blueprint(plan):
    facts = gate_facts(plan(), provider={"demand_intact": False, "outcomes": []}, endorsed=())
    assert facts["demand_intact"] is True
    assert len(facts["outcomes"]) == 3


# --- The promise about awards is kept by awards ---


@pytest.mark.parametrize("name", SAMPLES)
def test_what_the_gate_says_every_award_carries_is_on_an_award(name):
    from tests.unit.credential.award_cast import award, blueprint

    document, plan = award(name), blueprint(name)
    subject = document["credentialSubject"]
    achievement = subject["achievement"]
    narrative = achievement["criteria"]["narrative"]
    carried = {
        "learner": bool(subject.get("id") or subject.get("identifier")),
        "title": achievement["name"] == plan.title,
        "country": document["issuer"]["address"]["addressCountryCode"] == plan.country,
        "awarding_body": bool(document["issuer"]["name"]),
        "issue_date": bool(document["validFrom"] and document["awardedDate"]),
        "learning_outcomes": all(o.statement in narrative for o in plan.outcomes),
        "workload": f"Workload: {plan.hours:g} hours" in narrative,
        "level": plan.level in [a.get("targetCode") for a in achievement["alignment"]],
        "assessment": all(f"{a.title} ({a.type}" in narrative for a in plan.assessments),
        "participation": f"Form of participation: {plan.delivery_mode}" in narrative,
        "quality_assurance": plan.quality_assurance["type"] in narrative,
    }
    assert set(carried) == set(AWARD_TEMPLATE["carries"])
    assert all(carried.values()), carried
    assert achievement["achievementType"] == AWARD_TEMPLATE["credential_type"]
    assert subject["result"]
    assert (AWARD_TEMPLATE["statement"] in narrative) == (plan.country == "AU")
