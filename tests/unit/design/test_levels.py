"""Levels, credit and titles."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guildmark.design.levels import LEVELS, credit_fits_hours, known_level, level_number, names_aqf_award


@pytest.mark.parametrize("level", ["AQF:1", "AQF:10", "EQF:8", "NZQCF:5", "QF-EHEA:short", "RQF:E1", "SCQF:12", "none"])
def test_a_level_of_a_framework_that_we_hold_is_known_and_so_is_none(level):
    assert known_level(level)


@pytest.mark.parametrize(
    "level",
    [
        "AQF:0",
        "AQF:11",
        "EQF:9",
        "FHEQ:3",
        "AQF",
        "AQF:",
        "aqf:5",
        "EQF:5 ",
        "EQF:05",
        "",
        ":",
        "5",
        "none:1",
        "advanced",
    ],
)
def test_anything_else_is_not_a_known_level(level):
    assert not known_level(level)
    assert level_number(level) is None


def test_a_level_has_its_number_within_its_framework_and_one_without_a_number_has_none():
    assert level_number("AQF:5") == 5
    assert level_number("SCQF:12") == 12
    assert level_number("RQF:E1") is None
    assert level_number("QF-EHEA:second") is None
    assert level_number("none") is None


@given(st.text() | st.sampled_from([f"{name}:{step}" for name, steps in LEVELS.items() for step in steps]))
def test_a_number_is_only_given_to_a_known_level(level):
    number = level_number(level)
    assert number is None or (known_level(level) and level.endswith(f":{number}"))


@pytest.mark.parametrize(
    ("value", "unit", "hours", "fits"),
    [
        (2, "ECTS", 50, True),
        (2, "ECTS", 60, True),
        (2, "ECTS", 49.5, False),
        (2, "ECTS", 61, False),
        (0, "ECTS", 50, False),
        (0.5, "ECTS", 15, True),
        (4, "NZ", 40, True),
        (4, "NZ", 41, False),
        (6, "AU-CP", 60, None),
        (0, "none", 60, None),
    ],
)
def test_credit_fits_hours_only_within_the_range_of_its_unit_and_is_unknown_without_one(value, unit, hours, fits):
    assert credit_fits_hours(value, unit, hours) is fits


@pytest.mark.parametrize(
    "title",
    [
        "Diploma of Data",
        "Advanced Diploma: Data",
        "Certificate IV in Training",
        "certificate  iii in warehousing",
        "Certificate 4 in Training",
        "Graduate Certificate in Analytics",
        "Undergraduate Certificate of Data",
        "Associate Degree in Data",
        "Bachelor of Data",
        "Bachelor's Degree in Data",
        "Bachelor Honours: Data",
        "Master of Analytics",
        "Masters degree, part one",
        "Doctor of Data",
        "Doctorate in Data",
        "A part of the Diploma of Nursing",
    ],
)
def test_a_title_that_reads_like_an_award_of_the_aqf_is_noticed(title):
    assert names_aqf_award(title)


@pytest.mark.parametrize(
    "title",
    [
        "Data analysis with SQL and Python",
        "Master data management",
        "Master the spreadsheet",
        "Mastering SQL",
        "Diplomatic writing",
        "Certificate management with TLS",
        "Certificates in the cloud",
        "Doctor and patient: talking about data",
        "Graduate skills for work",
        "",
    ],
)
def test_a_title_that_only_shares_a_word_with_an_award_is_not(title):
    assert not names_aqf_award(title)
