"""The one Report: its verdict, and that nothing can take unknown for fine."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guildmark.core.report import EXIT_CODES, Finding, Report, Verdict, merge, render_text

PASS, FAIL, UNKNOWN, NOT_APPLICABLE = Verdict

plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | st.text(),
    lambda values: st.lists(values, max_size=3) | st.dictionaries(st.text(), values, max_size=3),
    max_leaves=8,
)
findings = st.builds(
    Finding,
    id=st.text(min_size=1, max_size=12),
    verdict=st.sampled_from(Verdict),
    says=st.text(max_size=40),
    required=st.booleans(),
    because=st.dictionaries(st.text(max_size=8), plain, max_size=3),
    source=st.text(max_size=12),
)
reports = st.builds(Report, st.text(max_size=20), st.lists(findings, max_size=6).map(tuple))


def report(*verdicts: Verdict, required: bool = True) -> Report:
    return Report("A subject", tuple(Finding(f"f{i}", v, "Said.", required) for i, v in enumerate(verdicts)))


def test_an_empty_report_is_unknown():
    assert report().verdict is UNKNOWN


def test_a_report_in_which_nothing_applies_is_unknown():
    assert report(NOT_APPLICABLE, NOT_APPLICABLE).verdict is UNKNOWN


def test_one_failure_fails_whatever_passed():
    assert report(PASS, FAIL, PASS, UNKNOWN).verdict is FAIL


def test_a_required_unknown_is_never_pass():
    assert report(PASS, UNKNOWN).verdict is UNKNOWN


def test_advice_that_is_unknown_does_not_hold_up_what_passed():
    assert merge("both", [report(PASS), report(UNKNOWN, required=False)]).verdict is PASS


def test_advice_alone_is_unknown():
    assert report(UNKNOWN, required=False).verdict is UNKNOWN


def test_a_failure_counts_even_where_it_was_not_required():
    assert report(PASS, FAIL, required=False).verdict is FAIL


@given(reports, findings)
def test_a_pass_needs_one_pass_no_failure_and_no_required_unknown(made, one_more):
    verdicts = [f.verdict for f in made.findings]
    blocked = any(f.required and f.verdict is UNKNOWN for f in made.findings)
    assert (made.verdict is PASS) == (PASS in verdicts and FAIL not in verdicts and not blocked)
    if made.verdict is FAIL:
        assert made.plus(one_more).verdict is FAIL
    if one_more.verdict is FAIL:
        assert made.plus(one_more).verdict is FAIL
    if one_more.verdict is NOT_APPLICABLE:
        assert made.plus(one_more).verdict is made.verdict


@given(reports, reports)
def test_the_order_of_findings_does_not_change_the_verdict_and_merging_loses_none(one, other):
    together = merge("both", [one, other])
    assert together.findings == one.findings + other.findings
    assert together.verdict is merge("both", [other, one]).verdict


@given(reports)
def test_what_is_written_as_json_is_read_back_the_same(made):
    again = Report.from_json(json.loads(json.dumps(made.to_json())))
    assert again == made
    assert again.verdict is made.verdict


def test_a_verdict_in_json_is_computed_again_and_never_believed():
    forged = report(FAIL).to_json() | {"verdict": "pass"}
    assert Report.from_json(forged).verdict is FAIL


def test_neither_a_report_nor_a_verdict_has_a_truth_value():
    with pytest.raises(TypeError, match=r"report\.verdict is Verdict\.PASS"):
        bool(report(PASS))
    with pytest.raises(TypeError, match=r"is Verdict\.PASS"):
        bool(FAIL)


def test_only_a_pass_exits_with_nothing():
    assert {v: EXIT_CODES[v] for v in Verdict} == {PASS: 0, FAIL: 1, UNKNOWN: 3, NOT_APPLICABLE: 3}


def test_a_finding_is_found_by_its_id_and_a_missing_one_names_those_that_are_there():
    made = report(PASS, FAIL)
    assert made["f1"].verdict is FAIL
    assert "f1" in made
    assert "f2" not in made
    with pytest.raises(KeyError, match=r"f2 \(findings: f0, f1\)"):
        made["f2"]


def test_failed_and_unknown_list_what_blocks_in_order():
    made = report(UNKNOWN, FAIL, PASS, FAIL, UNKNOWN).plus(Finding("advice", UNKNOWN, "Said.", required=False))
    assert [f.id for f in made.failed()] == ["f1", "f3"]
    assert [f.id for f in made.unknown()] == ["f0", "f4"]


def test_text_shows_the_subject_a_line_for_each_finding_and_the_verdict_last():
    made = Report(
        "Quality gate",
        (
            Finding("a", PASS, "Fine."),
            Finding("longer", FAIL, "Not fine."),
            Finding("b", UNKNOWN, "Nobody knows.", required=False),
            Finding("c", NOT_APPLICABLE, "Not asked."),
        ),
    )
    assert render_text(made).splitlines() == [
        "Quality gate",
        "  pass     a       Fine.",
        "  FAIL     longer  Not fine.",
        "  unknown  b       Nobody knows. (advice)",
        "  n/a      c       Not asked.",
        "=> FAIL",
    ]


def test_text_of_an_empty_report_says_unknown():
    assert render_text(report()) == "A subject\n=> UNKNOWN"
