"""The rulebooks that come with guildmark: each example runs, and each rule says what the collected facts say.

The facts are those of `GUILDMARK_FRAMEWORKS` (by default `shared/frameworks` beside the project): which elements a
framework has, which it requires, and whether that was seen in the source or is remembered.
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.paths import PROJECT

from guildmark.core.report import Verdict
from guildmark.core.rules import Rule, check_examples
from guildmark.design.gate import builtin_rulebooks
from guildmark.design.levels import HOURS_OF_A_CREDIT, LEVELS

FRAMEWORKS = Path(os.environ.get("GUILDMARK_FRAMEWORKS", PROJECT.parent / "shared" / "frameworks"))
BOOKS = sorted(builtin_rulebooks())
NATIONAL = ("au_nmf", "eu_2022")

SEVERITY = {"required": "error", "conditional": "error", "recommended": "warn", "optional": "info"}
REQUIREMENT_REMEMBERED = {"AU-E07"}
"""Elements that were seen while that they are *required* was not, as their note says: no reason to block."""
OUR_CONCLUSION = {"AU-R2-SIZE", "EU-M07-ECTS"}
"""Rules that we drew out of a fact of another id, so that it can be blocking where its part is and advice elsewhere."""


@cache
def facts(name: str) -> Any:
    file = FRAMEWORKS / name
    if not file.exists():
        pytest.skip(f"shared frameworks not here: {name}")
    return yaml.safe_load(file.read_text(encoding="utf-8"))


def rules(book: str) -> dict[str, Rule]:
    return {rule.id: rule for rule in builtin_rulebooks()[book].rules}


def test_there_are_three():
    assert BOOKS == ["au_nmf", "eu_2022", "guildmark_core"]


@pytest.mark.parametrize("book", BOOKS)
def test_every_rule_accepts_and_refuses_its_own_examples(book):
    report = check_examples(builtin_rulebooks()[book])
    assert report.failed() == ()
    assert report.verdict is Verdict.PASS
    assert len(report.findings) == 2 * len(rules(book))


def test_no_two_rulebooks_share_the_id_of_a_rule():
    """A judgement names a rule by its id alone."""
    ids = [id for book in BOOKS for id in rules(book)]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("book", BOOKS)
def test_what_is_only_remembered_or_concluded_never_blocks(book):
    advice = [rule for rule in rules(book).values() if rule.standing != "retrieved"]
    assert not any(rule.blocks for rule in advice)


@pytest.mark.parametrize("book", NATIONAL)
def test_every_element_and_rule_of_the_framework_is_a_rule_and_nothing_is_added(book):
    known = facts(f"frameworks/{book}.yaml")
    expected = {e["id"] for e in known["elements"]} | {r["id"] for r in known["rules"]}
    assert set(rules(book)) - OUR_CONCLUSION == expected


@pytest.mark.parametrize("book", NATIONAL)
def test_every_element_is_as_serious_as_the_framework_says_and_as_sure_as_we_are(book):
    for element in facts(f"frameworks/{book}.yaml")["elements"]:
        rule = rules(book)[element["id"]]
        assert rule.severity == SEVERITY[element["mandatory"]], element["id"]
        assert rule.grade == element["check"]["machine"], element["id"]
        if element["id"] in REQUIREMENT_REMEMBERED:
            assert "from memory" in element["note"]
            assert rule.standing == "from_memory"
        else:
            assert rule.standing == element["provenance"], element["id"]


@pytest.mark.parametrize("book", NATIONAL)
def test_every_rule_of_the_framework_keeps_its_severity_grade_and_standing(book):
    for fact in facts(f"frameworks/{book}.yaml")["rules"]:
        rule = rules(book)[fact["id"]]
        stated = (rule.severity, rule.grade, rule.standing)
        assert stated == (fact["severity"], fact["machine"], fact["provenance"]), fact["id"]


WORDS_OF_SOURCE = {
    "S01": "National Microcredentials Framework",
    "S02": "MicroCred Seeker",
    "S10": "Council Recommendation of 16 June 2022",
    "S11": "consultation group (December 2020)",
    "S34": "Australian universities have published",
    "S40": "EQAR",
}


@pytest.mark.parametrize("book", NATIONAL)
def test_every_rule_names_the_source_in_which_its_fact_was_seen(book):
    known = facts(f"frameworks/{book}.yaml")
    for fact in [*known["elements"], *known["rules"]]:
        assert WORDS_OF_SOURCE[fact["source"]] in rules(book)[fact["id"]].source, fact["id"]


@pytest.mark.parametrize(
    ("id", "fact"), [("au_nmf", "November 2021, released 22 March 2022"), ("eu_2022", "16 June 2022, OJ C 243")]
)
def test_a_rulebook_is_in_force_from_the_day_its_framework_was_published(id, fact):
    assert facts(f"frameworks/{id}.yaml")["version"] == fact
    day = {"au_nmf": "2022-03-22", "eu_2022": "2022-06-16"}[id]
    assert builtin_rulebooks()[id].effective_from.isoformat() == day
    assert builtin_rulebooks()[id].effective_to is None


def test_the_levels_that_we_know_are_those_of_the_facts():
    known = facts("levels.yaml")["frameworks"]
    for name, steps in LEVELS.items():
        fact = known[name.replace("-", "_")]
        assert fact["provenance"] == "retrieved"
        assert [str(step) for step in fact["levels"]] == list(steps)


def test_the_hours_of_a_credit_are_those_of_the_facts():
    known = {unit["id"]: unit for unit in facts("credit_units.yaml")["units"]}
    for unit, (fewest, most) in HOURS_OF_A_CREDIT.items():
        fact = known[{"NZ": "NZ_CREDIT"}.get(unit, unit)]
        assert (fact["hours_min"], fact["hours_max"]) == (fewest, most)
        assert fact["provenance"].startswith("retrieved")


def test_the_size_that_is_too_large_for_a_micro_credential_is_the_least_of_any_award():
    ranges = facts("credit_units.yaml")["aqf_volume_of_learning_hours"]
    least = min(value[0] for value in ranges.values() if isinstance(value, list))
    assert rules("au_nmf")["AU-R2-SIZE"].check == {"less_than": ["hours", least]}
