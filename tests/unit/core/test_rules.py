"""The rule engine: three-valued predicates, rules that block or advise, judgements, and rulebooks that are broken."""

from __future__ import annotations

import json
import time
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guildmark.core.errors import BrokenInput
from guildmark.core.report import Report, Verdict
from guildmark.core.rules import Judgement, Rulebook, check_examples, evaluate, holds, load_rulebook

PASS, FAIL, UNKNOWN, NOT_APPLICABLE = Verdict
DAY = date(2026, 11, 24)

ENVELOPE = """
id = "book"
title = "A rulebook"
version = "1"
effective_from = 2026-01-01
source = "a source"
"""


def rule(
    check: str = '{ present = "title" }',
    *,
    id: str = "R1",
    standing: str = "retrieved",
    severity: str = "error",
    grade: str = "auto",
    when: str = "",
    accepts: str = '{ title = "x" }',
    refuses: str = "{}",
    more: str = "",
) -> str:
    return f"""
[[rule]]
id = "{id}"
title = "A title"
reason = "Somebody needs a name."
source = "clause 1"
standing = "{standing}"
severity = "{severity}"
grade = "{grade}"
{f"when = {when}" if when else ""}
check = {check}
accepts = {accepts}
refuses = {refuses}
{more}
"""


def book(*rules: str, envelope: str = ENVELOPE) -> Rulebook:
    return load_rulebook(envelope + "".join(rules), where="book.toml")


def found(data: dict[str, Any], *rules: str, **options: Any) -> Report:
    return evaluate(book(*rules), data, on=options.pop("on", DAY), **options)


def truth(predicate: str, data: Any) -> bool | None:
    (one,) = book(rule(predicate)).rules
    assert one.check is not None
    return holds(one.check, data)


def judged(verdict: Verdict, rule_id: str = "R1") -> Judgement:
    return Judgement(rule_id, verdict, "Ana Ortiz", "Read it.", datetime(2026, 11, 20, tzinfo=UTC))


# --- Predicates ---


@pytest.mark.parametrize(
    ("predicate", "data", "expected"),
    [
        ('{ present = "a" }', {"a": "x"}, True),
        ('{ present = "a" }', {"a": 0}, True),
        ('{ present = "a" }', {"a": False}, True),
        ('{ present = "a" }', {"a": ""}, False),
        ('{ present = "a" }', {"a": []}, False),
        ('{ present = "a" }', {"a": "none"}, False),
        ('{ present = "a" }', {"a": None}, False),
        ('{ present = "a" }', {}, False),
        ('{ present = "a.b" }', {"a": 5}, False),
        ('{ present = "a.*.b" }', {"a": [{"b": 1}, {"b": 2}]}, True),
        ('{ present = "a.*.b" }', {"a": [{"b": 1}, {}]}, False),
        ('{ present = "a.*.b" }', {"a": []}, False),
        ('{ present = "a.*" }', {"a": ["x", ""]}, False),
        ('{ present = "a.*.b.*.c" }', {"a": [{"b": [{"c": 1}]}]}, True),
        ('{ present = "a.*.b.*.c" }', {"a": [{"b": [{"c": 1}]}, {"b": []}]}, False),
        ('{ declared = "a" }', {"a": "none"}, True),
        ('{ declared = "a" }', {"a": 0}, True),
        ('{ declared = "a" }', {"a": ""}, False),
        ('{ declared = "a" }', {}, False),
        ('{ equals = ["a", "x"] }', {"a": "x"}, True),
        ('{ equals = ["a", "x"] }', {"a": "y"}, False),
        ('{ equals = ["a", 1] }', {"a": 1.0}, True),
        ('{ equals = ["a", "x"] }', {}, None),
        ('{ at_least = ["a", 1] }', {"a": 1}, True),
        ('{ at_least = ["a", 1] }', {"a": 0.99}, False),
        ('{ at_least = ["a", 1] }', {"a": "1"}, None),
        ('{ at_most = ["a", 84] }', {"a": 84}, True),
        ('{ at_most = ["a", 84] }', {"a": 85}, False),
        ('{ more_than = ["a", 0] }', {"a": 0}, False),
        ('{ less_than = ["a", 600] }', {"a": 10**400}, False),
        ('{ one_of = ["a", ["x", "y"]] }', {"a": "y"}, True),
        ('{ one_of = ["a", ["x", "y"]] }', {"a": ["y"]}, False),
        ('{ one_of = ["a", ["x"]] }', {}, None),
        ('{ matches = ["a", "^https://"] }', {"a": "https://x"}, True),
        ('{ matches = ["a", "^https://"] }', {"a": "ask"}, False),
        ('{ matches = ["a", "^https://"] }', {"a": {"b": 1}}, None),
        ('{ count_at_least = ["a", 1] }', {"a": [0]}, True),
        ('{ count_at_least = ["a", 1] }', {"a": []}, False),
        ('{ count_at_least = ["a", 1] }', {"a": "text"}, None),
        ('{ includes = ["a", ["x", "y"]] }', {"a": ["y", "z", "x"]}, True),
        ('{ includes = ["a", ["x", "y"]] }', {"a": ["y", "z", "z"]}, False),
        ('{ includes = ["a", ["x"]] }', {"a": "x"}, None),
        ('{ subset = ["a.*.id", "b"] }', {"a": [{"id": "o1"}], "b": ["o2", "o1"]}, True),
        ('{ subset = ["a.*.id", "b"] }', {"a": [{"id": "o1"}], "b": ["o2"]}, False),
        ('{ subset = ["a.*.id", "b"] }', {"a": [{}], "b": ["o2"]}, None),
        ('{ subset = ["a.*.id", "b"] }', {"a": [{"id": "o1"}]}, None),
        ('{ sums_to = ["a.*.w", 1] }', {"a": [{"w": 0.1}] * 10}, True),
        ('{ sums_to = ["a.*.w", 1] }', {"a": [{"w": 0.9}]}, False),
        ('{ sums_to = ["a", 1] }', {"a": [10**400]}, None),
        ('{ sums_to = ["a", 1] }', {"a": "1"}, None),
        ('{ sums_to = ["a", 1] }', {"a": [True]}, None),
        ('{ every = ["a", { present = "b" }] }', {"a": [{"b": 1}, {}]}, False),
        ('{ every = ["a", { at_least = ["b", 1] }] }', {"a": [{"b": 1}, {}]}, None),
        ('{ every = ["a", { at_least = ["b", 1] }] }', {"a": [{"b": 0}, {}]}, False),
        ('{ every = ["a", { present = "b" }] }', {"a": []}, True),
        ('{ every = ["a", { present = "b" }] }', {}, None),
        ('{ some = ["a", { at_least = ["b", 1] }] }', {"a": [{"b": 1}, {}]}, True),
        ('{ some = ["a", { at_least = ["b", 1] }] }', {"a": [{"b": 0}, {}]}, None),
        ('{ some = ["a", { at_least = ["b", 1] }] }', {"a": []}, False),
    ],
)
def test_a_predicate_is_true_false_or_unknown(predicate, data, expected):
    assert truth(predicate, data) is expected


T, F, U = "{ equals = ['t', 1] }", "{ equals = ['t', 2] }", "{ equals = ['u', 1] }"


@pytest.mark.parametrize(
    ("predicate", "expected"),
    [
        (f"{{ all = [{T}, {T}] }}", True),
        (f"{{ all = [{T}, {U}] }}", None),
        (f"{{ all = [{U}, {F}] }}", False),
        (f"{{ any = [{F}, {F}] }}", False),
        (f"{{ any = [{F}, {U}] }}", None),
        (f"{{ any = [{U}, {T}] }}", True),
        (f"{{ not = {T} }}", False),
        (f"{{ not = {U} }}", None),
        (f"{{ implies = [{F}, {U}] }}", True),
        (f"{{ implies = [{T}, {F}] }}", False),
        (f"{{ implies = [{U}, {T}] }}", True),
        (f"{{ implies = [{U}, {F}] }}", None),
        (f"{{ implies = [{T}, {U}] }}", None),
    ],
)
def test_unknown_spreads_as_kleene_says(predicate, expected):
    assert truth(predicate, {"t": 1}) is expected


@pytest.mark.parametrize("value", ["no", 0, [], {}])
def test_what_is_no_truth_value_is_neither_true_nor_false(value):
    """A provider file that says "no" must not make a rule for unregulated providers inapplicable."""
    assert truth('{ equals = ["regulated", false] }', {"regulated": value}) is None


def test_true_is_not_the_number_one():
    assert truth('{ at_least = ["hours", 1] }', {"hours": True}) is None
    assert truth('{ one_of = ["a", [1, 2]] }', {"a": True}) is False
    assert truth('{ subset = ["a", "b"] }', {"a": [True], "b": [1]}) is False


def test_a_text_too_long_to_match_is_unknown_and_is_not_cut():
    assert truth('{ matches = ["a", "^a+$"] }', {"a": "a" * 500}) is True
    assert truth('{ matches = ["a", "^a+$"] }', {"a": "a" * 501}) is None
    assert truth('{ matches = ["a", "^a+$"] }', {"a": "a" * 20_000 + "!"}) is None


# --- Rules: what blocks, what advises, what a person judges ---


def test_a_rule_that_is_met_passes_and_says_so():
    finding = found({"title": "SQL"}, rule())["R1"]
    assert (finding.verdict, finding.says, finding.source) == (PASS, "A title: met.", "clause 1")
    assert finding.because["looked_at"] == {"title": "SQL"}


def test_a_rule_that_is_not_met_fails_with_its_reason():
    finding = found({}, rule())["R1"]
    assert finding.verdict is FAIL
    assert finding.says == "A title: not met. Somebody needs a name."


def test_a_missing_value_is_unknown_and_named():
    finding = found({}, rule('{ at_least = ["hours", 1] }', accepts="{ hours = 1 }", refuses="{ hours = 0 }"))["R1"]
    assert (finding.verdict, finding.required) == (UNKNOWN, True)
    assert finding.says == "A title: cannot tell, hours is not given."


def test_a_value_that_does_not_fit_is_unknown_and_named():
    check = rule('{ at_least = ["hours", 1] }', accepts="{ hours = 1 }", refuses="{ hours = 0 }")
    finding = found({"hours": "forty"}, check)["R1"]
    assert finding.verdict is UNKNOWN
    assert finding.says == "A title: cannot tell, what is given under hours does not say enough."


@pytest.mark.parametrize(
    ("standing", "severity", "verdict", "required"),
    [
        ("retrieved", "error", FAIL, True),
        ("retrieved", "warn", UNKNOWN, False),
        ("retrieved", "info", UNKNOWN, False),
        ("from_memory", "error", UNKNOWN, False),
        ("inferred", "error", UNKNOWN, False),
    ],
)
def test_only_an_error_whose_fact_was_seen_in_its_source_blocks(standing, severity, verdict, required):
    finding = found({}, rule(standing=standing, severity=severity))["R1"]
    assert (finding.verdict, finding.required) == (verdict, required)


def test_advice_from_memory_holds_nothing_up():
    report = found({"hours": 2}, rule('{ present = "hours" }', id="R2"), rule(standing="from_memory"))
    assert report["R1"].verdict is UNKNOWN
    assert report.verdict is PASS


def test_a_rule_whose_condition_is_false_does_not_apply():
    conditional = rule(when='{ equals = ["mode", "onsite"] }')
    assert found({"mode": "online"}, conditional)["R1"].verdict is NOT_APPLICABLE
    assert found({"mode": "onsite"}, conditional)["R1"].verdict is FAIL


@pytest.mark.parametrize("title", ["", "SQL"])
def test_a_rule_whose_condition_is_unknown_is_unknown_even_if_its_check_is_decided(title):
    finding = found({"title": title}, rule(when='{ equals = ["mode", "onsite"] }'))["R1"]
    assert finding.verdict is UNKNOWN
    assert "mode is not given" in finding.says


def test_a_semi_rule_waits_for_a_named_person():
    semi = rule(grade="semi")
    assert found({"title": "SQL"}, semi)["R1"].verdict is UNKNOWN
    finding = found({"title": "SQL"}, semi, judgements=[judged(PASS)])["R1"]
    assert (finding.verdict, finding.says) == (PASS, "A title: judged met by Ana Ortiz: Read it.")
    assert finding.because["judgement"]["by"] == "Ana Ortiz"
    assert found({"title": "SQL"}, semi, judgements=[judged(FAIL)])["R1"].verdict is FAIL


@pytest.mark.parametrize(("data", "verdict"), [({"title": ""}, FAIL), ({}, FAIL)])
def test_a_judgement_never_overrules_a_structural_failure(data, verdict):
    assert found(data, rule(grade="semi"), judgements=[judged(PASS)])["R1"].verdict is verdict


def test_a_judgement_never_fills_in_a_missing_value():
    semi = rule('{ at_least = ["hours", 1] }', grade="semi", accepts="{ hours = 1 }", refuses="{ hours = 0 }")
    assert found({}, semi, judgements=[judged(PASS)])["R1"].verdict is UNKNOWN


def test_a_judgement_of_an_automatic_rule_changes_nothing():
    assert found({}, rule(), judgements=[judged(PASS)])["R1"].verdict is FAIL
    assert found({"title": "SQL"}, rule(), judgements=[judged(FAIL)])["R1"].verdict is PASS


def test_the_later_of_two_judgements_counts():
    semi = rule(grade="semi")
    assert found({"title": "x"}, semi, judgements=[judged(PASS), judged(FAIL)])["R1"].verdict is FAIL
    assert found({"title": "x"}, semi, judgements=[judged(FAIL), judged(PASS)])["R1"].verdict is PASS


def test_a_judgement_of_another_rule_does_not_count():
    assert found({"title": "x"}, rule(grade="semi"), judgements=[judged(PASS, "R2")])["R1"].verdict is UNKNOWN


def test_a_human_rule_needs_no_check_and_waits_for_a_person():
    text = '[[rule]]\nid = "R1"\ntitle = "It is clear"\nreason = "r"\nsource = "s"\nstanding = "retrieved"\n'
    text += 'severity = "error"\ngrade = "human"\n'
    assert found({}, text)["R1"].verdict is UNKNOWN
    assert found({}, text, judgements=[judged(PASS)])["R1"].verdict is PASS
    assert check_examples(book(text)).verdict is UNKNOWN


def test_a_judgement_that_a_remembered_rule_is_not_met_is_advice():
    semi = rule(grade="semi", standing="from_memory")
    finding = found({"title": "x"}, semi, judgements=[judged(FAIL)])["R1"]
    assert (finding.verdict, finding.required) == (UNKNOWN, False)


@pytest.mark.parametrize(("by", "reason"), [("", "Read it."), ("  ", "Read it."), ("Ana", ""), ("Ana", " \n")])
def test_a_judgement_without_a_name_or_a_reason_is_refused(by, reason):
    with pytest.raises(BrokenInput, match=r"^R1: a judgement needs a named person and a reason; say who"):
        Judgement("R1", PASS, by, reason, datetime(2026, 11, 20, tzinfo=UTC))


@pytest.mark.parametrize("verdict", [UNKNOWN, NOT_APPLICABLE])
def test_a_judgement_is_pass_or_fail(verdict):
    with pytest.raises(BrokenInput, match=r"^R1: a judgement is pass or fail"):
        judged(verdict)


# --- Rulebooks: in force, empty, examples ---


@pytest.mark.parametrize(
    ("on", "in_force"),
    [("2025-12-31", False), ("2026-01-01", True), ("2026-06-30", True), ("2026-07-01", False)],
)
def test_a_rulebook_is_in_force_from_its_first_to_its_last_day(on, in_force):
    dated = book(rule(), envelope=ENVELOPE + "effective_to = 2026-06-30\n")
    report = evaluate(dated, {"title": "SQL"}, on=date.fromisoformat(on))
    assert ("R1" in report) == in_force
    assert report.verdict is (PASS if in_force else UNKNOWN)
    if not in_force:
        assert report["book.in_force"].required
        says = f"This rulebook is in force from 2026-01-01 to 2026-06-30, not on {on}."
        assert report["book.in_force"].says == says


def test_an_empty_rulebook_is_never_pass():
    assert evaluate(book(), {"title": "SQL"}, on=DAY).verdict is UNKNOWN
    assert check_examples(book()).verdict is UNKNOWN


def test_examples_that_do_what_they_say_pass():
    report = check_examples(book(rule()))
    assert {f.id: f.verdict for f in report.findings} == {"R1.accepts": PASS, "R1.refuses": PASS}


@pytest.mark.parametrize(
    ("accepts", "refuses", "failed"),
    [
        ("{}", "{}", "R1.accepts"),
        ('{ title = "x" }', '{ title = "y" }', "R1.refuses"),
    ],
)
def test_an_example_that_does_not_do_what_it_says_is_found(accepts, refuses, failed):
    report = check_examples(book(rule(accepts=accepts, refuses=refuses)))
    assert [f.id for f in report.failed()] == [failed]


def test_a_refused_example_must_be_refused_and_not_merely_unknown():
    text = rule('{ at_least = ["hours", 1] }', accepts="{ hours = 1 }", refuses="{}")
    assert check_examples(book(text))["R1.refuses"].verdict is FAIL


def test_an_example_to_which_the_rule_does_not_apply_is_no_example():
    text = rule(
        when='{ equals = ["mode", "onsite"] }',
        refuses='{ mode = "online" }',
        accepts='{ mode = "onsite", title = "x" }',
    )
    assert [f.id for f in check_examples(book(text)).failed()] == ["R1.refuses"]


# --- Broken rulebooks ---


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"\xff\xfe", "book.toml: byte 0 is not UTF-8; save the file as UTF-8."),
        ("id = [", r"book.toml: not TOML \(.*\); mend the line that is named"),
        ("x = " + "[" * 5000, "book.toml: n.*"),
        ("x = 1" + "0" * 5000, "book.toml: not TOML"),
        (ENVELOPE.replace('id = "book"', ""), "book.toml: id is missing or not text; write id = "),
        (ENVELOPE.replace('"book"', "5"), "book.toml: id is missing or not text"),
        (ENVELOPE.replace("2026-01-01", '"2026-01-01"'), "book.toml: effective_from is missing or not a day"),
        (ENVELOPE.replace("2026-01-01", "2026-01-01T00:00:00Z"), "effective_from is missing or not a day"),
        (ENVELOPE + 'effective_to = "soon"', "effective_to is missing or not a day; write effective_to = 2026-11-24"),
        (ENVELOPE + "effective_to = 2025-01-01", "effective_to is before effective_from; swap"),
        (ENVELOPE + "effective_untl = 2027-01-01", "key 'effective_untl' is not known; check the spelling"),
        (ENVELOPE + '[[rules]]\nid = "R1"', r"key 'rules' is not known; check the spelling; rules are \[\[rule\]\]"),
        (ENVELOPE + "rule = 5", r"rule is not a list of tables; begin each rule with \[\[rule\]\]"),
        (ENVELOPE + '[rule]\nid = "R1"', "rule is not a list of tables"),
        (ENVELOPE + rule() + rule(), "rule id R1 stands twice; give each rule its own id"),
        (ENVELOPE + rule().replace('id = "R1"', ""), "book.toml rule 1: id is missing"),
        (ENVELOPE + rule(id="R7").replace("reason", "raeson"), r"rule 1 \(R7\): reason is missing"),
        (ENVELOPE + rule(standing="rumour"), r"\(R1\): standing is 'rumour'; use one of retrieved, from_memory"),
        (ENVELOPE + rule().replace('severity = "error"', "severity = []"), r"severity is \[\]; use one of error"),
        (ENVELOPE + rule().replace('{ title = "x" }', "5"), "accepts is missing or not a table"),
        (ENVELOPE + rule().replace("refuses = {}", ""), "refuses is missing or not a table; a rule brings its check"),
        (ENVELOPE + rule(more='wen = { present = "x" }'), "key 'wen' is not known"),
        (ENVELOPE + rule("{ is_there = 'x' }"), "operator 'is_there' is not known"),
        (ENVELOPE + rule("{}"), "a predicate is a table with one operator"),
        (ENVELOPE + rule("{ present = 'a', declared = 'a' }"), "a predicate is a table with one operator"),
        (ENVELOPE + rule("{ present = '' }"), "operator 'present' has the wrong arguments"),
        (ENVELOPE + rule("{ present = 'a..b' }"), "operator 'present' has the wrong arguments"),
        (ENVELOPE + rule("{ at_least = ['a'] }"), "operator 'at_least' has the wrong arguments"),
        (ENVELOPE + rule("{ at_least = ['a', true] }"), "operator 'at_least' has the wrong arguments"),
        (ENVELOPE + rule("{ subset = ['a', 5] }"), "operator 'subset' has the wrong arguments"),
        (ENVELOPE + rule("{ one_of = ['a', 'abc'] }"), "operator 'one_of' has the wrong arguments"),
        (ENVELOPE + rule("{ count_at_least = ['a', '1'] }"), "operator 'count_at_least' has the wrong arguments"),
        (ENVELOPE + rule("{ all = [] }"), "operator 'all' has the wrong arguments"),
        (ENVELOPE + rule("{ implies = [{ present = 'a' }] }"), "operator 'implies' has the wrong arguments"),
        (ENVELOPE + rule("{ not = 5 }"), "a predicate is a table"),
        (ENVELOPE + rule("{ matches = ['a', '('] }"), r"'\(' is not a pattern"),
        (ENVELOPE + rule("{ matches = ['a', 5] }"), "operator 'matches' has the wrong arguments"),
        (ENVELOPE + rule(when="{ present = 5 }"), "operator 'present' has the wrong arguments"),
    ],
)
def test_a_broken_rulebook_is_one_sentence_of_what_where_and_what_to_do(text, says):
    with pytest.raises(BrokenInput, match=says) as problem:
        load_rulebook(text, where="book.toml")
    assert str(problem.value).startswith("book.toml")
    assert len(str(problem.value)) < 300
    assert "\n" not in str(problem.value)


@pytest.mark.parametrize(
    "pattern",
    [
        "(a+)+$",
        "(a|a)*$",
        "(?:a|aa)+$",
        "((a*)*)*b",
        "(a?){40}a{40}",
        "a?" * 30 + "a" * 30,
        "(a|a)" * 30 + "$",
        "a*a*a*a*b",
        r"(a)\1*",
        "(?=a*)a*b",
        "(?P<x>a)",
        "a{1,100}a{1,100}a{1,100}b",
        "a{99999999999}",
        "a" * 300,
    ],
)
def test_a_pattern_that_could_take_for_ever_is_refused_when_the_rulebook_is_read(pattern):
    with pytest.raises(BrokenInput, match=r"could take too long to match|is not a pattern"):
        book(rule(f"{{ matches = ['a', '{pattern}'] }}"))


@pytest.mark.parametrize("pattern", ["a*a*b", "a*?a+b", "(?:a|a)" * 8 + "a*b", "(?:a|a)" * 16 + "b", "[^b]*.{0,400}b"])
def test_the_worst_pattern_that_is_allowed_ends_in_a_moment(pattern):
    predicate = f"{{ matches = ['a', '{pattern}'] }}"
    start = time.perf_counter()
    assert truth(predicate, {"a": "a" * 500}) is False
    assert time.perf_counter() - start < 5


@pytest.mark.parametrize("pattern", ["^https://", "^[A-Z]{2}$", "^(EQF:[1-8]|none)$", r"^\d+(?:a|b)\.[]+*?{}()|]+$"])
def test_ordinary_patterns_are_allowed(pattern):
    assert book(rule(f"{{ matches = ['a', '{pattern}'] }}")).rules


# --- Never raises on data ---

names = st.sampled_from(["title", "hours", "a", "b", "outcomes", "mode"]) | st.text(max_size=3)
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([10**400, -(10**400)])
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda values: st.lists(values, max_size=4) | st.dictionaries(names, values, max_size=5),
    max_leaves=25,
)
EVERY_OPERATOR = book(
    *(
        rule(check, id=f"R{i}", when=when)
        for i, (check, when) in enumerate(
            (check, when)
            for check in (
                '{ present = "a.*.b" }',
                '{ declared = "a.b" }',
                '{ equals = ["a", "x"] }',
                '{ at_least = ["hours", 1] }',
                '{ at_most = ["title", "m"] }',
                '{ more_than = ["a", 0.5] }',
                '{ less_than = ["a.*", 0.5] }',
                '{ matches = ["title", "^[A-Z]"] }',
                '{ one_of = ["mode", ["x", 1, true]] }',
                '{ count_at_least = ["outcomes", 1] }',
                '{ includes = ["a", ["x"]] }',
                '{ subset = ["outcomes.*.a", "b"] }',
                '{ sums_to = ["a.*.hours", 1] }',
                '{ every = ["outcomes", { at_least = ["hours", 1] }] }',
                '{ some = ["outcomes", { not = { present = "a" } }] }',
                '{ implies = [{ present = "a" }, { any = [{ equals = ["b", 1] }, { declared = "mode" }] }] }',
            )
            for when in ("", '{ equals = ["mode", true] }')
        )
    )
)


@given(st.dictionaries(names, json_values, max_size=6))
def test_evaluation_never_raises_on_data_and_its_report_is_plain_json(data):
    report = evaluate(EVERY_OPERATOR, data, on=DAY)
    assert len(report.findings) == len(EVERY_OPERATOR.rules)
    assert Report.from_json(json.loads(json.dumps(report.to_json()))) == report


@given(json_values)
def test_evaluation_does_not_even_need_an_object(data):
    assert evaluate(EVERY_OPERATOR, data, on=DAY).verdict in Verdict
