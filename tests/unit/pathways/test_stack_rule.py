"""A stack rule is read whole or refused with the part and the key that is wrong."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.pathways.cast import ENVELOPE, EXAMPLES, HARBOUR, RHEIN, achievements, group, held, rule

from guildmark.core.errors import BrokenInput
from guildmark.pathways.stack import read_stack_rule
from guildmark.pathways.stack_rule import MOST_PARTS, months_later, reaches

ECTS = """
[[conversion]]
unit = "ECTS"
amount = 60
counts_as = 48
basis = "by_full_year"
reason = "A full-time year is 60 ECTS and 48 credit points."
"""
TOTAL = '[[total]]\nid = "size"\ntitle = "Size"\nreason = "r"\nneed = { credits = 12 }\n'
CAP = '[[cap]]\nid = "cap"\ntitle = "Elsewhere"\nreason = "r"\n'


def test_text_and_bytes_are_the_same_rule():
    text = ENVELOPE + group() + EXAMPLES
    assert read_stack_rule(text) == read_stack_rule(text.encode()) == read_stack_rule(b"\xef\xbb\xbf" + text.encode())


def test_a_group_takes_what_the_rule_says_for_all_unless_it_says_otherwise():
    read = rule(
        group("a"),
        group("b", more='minimum_level = ["AQF:7"]\nmonths = 12'),
        top='months = 60\nminimum_level = ["AQF:5"]',
    )
    assert [(g.minimum_level, g.months) for g in read.groups] == [(("AQF:5",), 60), (("AQF:7",), 12)]


def test_credit_converts_by_the_stated_ratio_exactly():
    read = rule(group(), ECTS)
    assert read.credits(held(credit_value=2, credit_unit="ECTS")) == Fraction(8, 5)
    assert read.credits(held(credit_value=2, credit_unit="CATS")) is None
    assert read.fraction == 500


def test_a_conversion_for_an_issuer_comes_before_one_for_all():
    own = ECTS.replace("amount = 60", "amount = 1").replace("counts_as = 48", f'counts_as = 1\nissuers = ["{RHEIN}"]')
    read = rule(group(), ECTS, own)
    assert read.credits(held(credit_value=2, credit_unit="ECTS", issuer_id=RHEIN)) == 2
    assert read.credits(held(credit_value=2, credit_unit="ECTS")) == Fraction(8, 5)


def test_another_providers_points_under_the_same_name_are_not_the_rules_points():
    read = rule(group(), top=f'unit_of = ["{HARBOUR}"]')
    assert read.credits(held(credit_value=4)) == 4
    assert read.credits(held(credit_value=4, issuer_id=RHEIN)) is None


def test_levels_compare_within_one_framework_only():
    assert reaches("AQF:6", ("AQF:5", "EQF:5"))
    assert reaches("EQF:5", ("AQF:5", "EQF:5"))
    assert not reaches("EQF:4", ("AQF:4", "EQF:5"))
    assert not any(reaches(level, ("AQF:5",)) for level in ("NZQCF:9", "EQF:8", "none", "AQF:11", "AQF", "", "5"))


@pytest.mark.parametrize(
    ("day", "months", "later"),
    [
        (date(2026, 8, 31), 6, date(2027, 2, 28)),
        (date(2024, 2, 29), 12, date(2025, 2, 28)),
        (date(2026, 11, 24), 36, date(2029, 11, 24)),
        (date(2026, 12, 1), 1, date(2027, 1, 1)),
        (date(9999, 6, 1), 12, date.max),
    ],
)
def test_months_are_those_of_the_calendar(day, months, later):
    assert months_later(day, months) == later


@given(st.dates(date(1900, 1, 1), date(2500, 1, 1)), st.integers(1, 1200), st.integers(1, 1200))
def test_more_months_are_never_earlier(day, months, more):
    assert day < months_later(day, months) <= months_later(day, months + more)


def test_a_share_is_of_the_published_number():
    read = rule(group(), TOTAL, CAP + 'at_most = { share = "1/3", of_total = "size" }')
    assert read.caps[0].at_most.value == 4


BROKEN = [
    ("", "id", "not TOML at all", "not TOML"),
    ('id = "r"', 'id = ""', "a rule without an id", "id is missing"),
    ('version = "1"', "version = 1", "a version that is no text", "version is missing or not text"),
    ('source = "Harbour University, policy 7"', "", "a rule from nowhere", "source is missing"),
    ("effective_from = 2026-01-01", 'effective_from = "2026-01-01"', "a day in quotes", "effective_from"),
    ("effective_from = 2026-01-01", "effective_from = 2026-01-01T00:00:00Z", "a moment for a day", "effective_from"),
    ("2026-01-01", "2026-01-01\neffective_to = 2025-01-01", "dates the wrong way round", "effective_to is before"),
    ('unit = "AU-CP"', 'unit = "AU-CP"\nunits = 1', "a key that nobody knows", "'units' is not a known key"),
    ('unit = "AU-CP"', 'unit = "AU-CP"\nmonths = 0', "no months", "months is 0"),
    ('unit = "AU-CP"', 'unit = "AU-CP"\nminimum_level = ["5"]', "a level of no framework", "minimum_level names '5'"),
    ('unit = "AU-CP"', 'unit = "AU-CP"\nminimum_level = ["AQF:5", "AQF:6"]', "two levels of one", "two levels"),
    (f'issuers = ["{HARBOUR}", "{RHEIN}"]', "", "a tag that anybody may write", "issuers is missing"),
    (f'issuers = ["{HARBOUR}", "{RHEIN}"]', "issuers = []", "an empty list", "issuers is not a list of texts"),
    ('from = { tags = ["data"] }', "", "a group of nothing", "is not a table"),
    ('from = { tags = ["data"] }', "from = {}", "an empty pool", "from is empty"),
    ('from = { tags = ["data"] }', 'from = { tag = ["data"] }', "a misspelt pool", "'tag' is not a known key"),
    ('from = { tags = ["data"] }', 'from = { achievements = ["x"] }', "an unknown achievement", "names 'x'"),
    ("need = { credits = 6 }", "need = { credits = 0 }", "a group that needs nothing", "credits is 0"),
    ("need = { credits = 6 }", "need = { credits = nan }", "a need that is no number", "credits is nan"),
    ("need = { credits = 6 }", "need = { credits = 1.005 }", "a third decimal", "more than two decimals"),
    ("need = { credits = 6 }", "need = { credits = 6, count = 1 }", "two needs", "credits and count"),
    ("need = { credits = 6 }", "need = { count = 1.5 }", "half a credential", "count is 1.5"),
    ("need = { credits = 6 }", "need = { count = true }", "truth for a number", "count is True"),
    ("earns = false", "earns = true", "no refused example", "example is missing"),
    ("[[example]]", "[[samples]]", "no example", "example is missing"),
    ("holdings = []", 'holdings = ["sql"]', "a holding that is no table", "is not a table"),
    ("holdings = []", 'holdings = [{ achievement = "x" }]', "a holding of nobody", "issuer is missing"),
    ("[[group]]", "[group]", "a group that is not a list", "group is not a list"),
]


@pytest.mark.parametrize(("old", "new", "what", "says"), BROKEN, ids=[b[2] for b in BROKEN])
def test_what_is_wrong_is_named(old, new, what, says):
    text = ENVELOPE + group() + EXAMPLES
    broken = text.replace(old, new) if old else f"{new} ="
    with pytest.raises(BrokenInput) as caught:
        read_stack_rule(broken, where="rule.toml")
    assert says in str(caught.value)
    assert caught.value.where.startswith("rule.toml")
    assert caught.value.hint


@pytest.mark.parametrize(
    ("parts", "says"),
    [
        ([], "earned by nobody"),
        ([group(), group()], "'g' stands twice"),
        ([group(), TOTAL.replace('"size"', '"g"')], "'g' stands twice"),
        ([group(), CAP + 'at_most = { share = "1/2", of_total = "size" }'], "of_total is 'size'"),
        ([group(), TOTAL, CAP + 'at_most = { share = "0.x", of_total = "size" }'], "share is '0.x'"),
        ([group(), TOTAL, CAP + 'at_most = { share = "1/0", of_total = "size" }'], "share is '1/0'"),
        ([group(), TOTAL, CAP + 'at_most = { share = "3/2", of_total = "size" }'], "share is '3/2'"),
        ([group(), ECTS, ECTS], "'ECTS' is converted twice"),
        ([group(), ECTS.replace("by_full_year", "by_guess")], "basis is 'by_guess'"),
        ([group(), ECTS.replace("amount = 60", "amount = 997")], "too fine"),
        ([group(), achievements("a").replace('title = "Course a"', "")], "title is missing"),
        (
            [group(), achievements("a") + 'offer = { credits = 1, unit = "ECTS", level = "5", hours = 1 }'],
            "level is '5'",
        ),
        (
            [group(), achievements("a") + "[achievements.b]\nid='ach:a'\ntitle='B'\nissuer='" + HARBOUR + "'"],
            "another name",
        ),
        ([achievements("a"), group(from_='{ achievements = ["a", "a"] }')], "twice"),
        ([achievements("a"), group(from_='{ achievements = ["a"] }', need="{ count = 2 }")], "is 2 of 1"),
        ([achievements("a"), group(), '[[overlap]]\nachievements = ["a"]\nreason = "r"'], "fewer than two"),
        ([group(f"g{n}") for n in range(MOST_PARTS + 1)], f"more than {MOST_PARTS}"),
    ],
)
def test_parts_that_do_not_fit_together_are_refused(parts, says):
    with pytest.raises(BrokenInput) as caught:
        rule(*parts)
    assert says in str(caught.value)


@pytest.mark.parametrize(
    "hostile",
    [b"\xff\xfe", "x = " + "[" * 5000, "x = " + "9" * 10_000, "\0", "# " + "x" * 1_000_001, "id = 2026-13-45"],
)
def test_hostile_text_is_refused_in_a_sentence(hostile):
    with pytest.raises(BrokenInput) as caught:
        read_stack_rule(hostile)
    assert len(str(caught.value)) < 500
