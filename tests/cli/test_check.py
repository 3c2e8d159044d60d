"""`guildmark check`: the quality gate over files, its exit codes, and one sentence for what cannot be read."""

from __future__ import annotations

import json
from datetime import date
from importlib.resources import files

import pytest

from guildmark.cli import main
from guildmark.core.report import Report, Verdict
from guildmark.skills.demand import freeze_demand

SEMI = ("AU-E05", "AU-E10", "AU-E18", "AU-R6")
OWN_RULE = """
id = "house"
title = "House rules"
version = "1"
effective_from = 2026-01-01
source = "the house"

[[rule]]
id = "H-1"
title = "It has a title"
reason = "We like names."
source = "the house"
standing = "retrieved"
severity = "error"
grade = "auto"
check = { present = "title" }
accepts = { title = "x" }
refuses = {}
"""


def sample() -> dict:
    return json.loads((files("guildmark.design") / "samples" / "sql-python-operations.json").read_bytes())


@pytest.fixture
def write(tmp_path):
    """`write("plan.json", value)`: the path of a file with these bytes, this text, or this value as JSON."""

    def make(name, value) -> str:
        if not isinstance(value, bytes):
            value = (value if isinstance(value, str) else json.dumps(value)).encode()
        (tmp_path / name).write_bytes(value)
        return str(tmp_path / name)

    return make


@pytest.fixture
def check(capsys):
    """(exit code, standard output, standard error) of `guildmark check ... --on 2026-11-24`."""

    def run(*words, on=("--on", "2026-11-24")):
        with pytest.raises(SystemExit) as stop:
            main(["check", *words, *on])
        out, err = capsys.readouterr()
        return stop.value.code, out, err

    return run


@pytest.fixture
def plan(write) -> str:
    return write("plan.json", sample())


@pytest.fixture
def provider(write) -> str:
    return write("provider.json", {"name": "Harbour University", "country": "AU", "regulated": True})


def judgements(*rules, **changes):
    one = {"verdict": "pass", "by": "Ana Ortiz", "reason": "Read it.", "at": "2026-11-20T09:00:00Z", **changes}
    return [{"rule_id": rule, **one} for rule in rules]


# --- Verdicts and exit codes ---


def test_a_blueprint_alone_fails_the_core_rules_for_want_of_a_signature(check, plan):
    code, out, _ = check(plan)
    assert code == 1
    assert out.splitlines()[0] == "Quality gate: Data analysis with SQL and Python for operations, version 1"
    assert "  FAIL     GM-5" in out
    assert (
        "  unknown  GM-4   The demand behind it is frozen and intact: cannot tell, demand_intact is not given." in out
    )
    assert out.splitlines()[-1] == "=> FAIL"


def australian(write, **changes) -> str:
    """The sample without a claim of recognition, since a file carries no signature that could show it."""
    value = sample() | changes
    del value["industry_recognition"]
    return write("plan.json", value)


def test_it_passes_the_australian_framework_once_people_have_judged(check, write, provider):
    words = (australian(write), "--rulebook", "au_nmf", "--provider", provider)
    code, out, _ = check(*words)
    assert (code, out.splitlines()[-1]) == (3, "=> UNKNOWN")
    code, out, _ = check(*words, "--judgements", write("judgements.json", judgements(*SEMI)))
    assert (code, out.splitlines()[-1]) == (0, "=> PASS")
    assert "judged met by Ana Ortiz: Read it." in out


def test_a_person_who_says_no_fails_it(check, write, provider):
    said = write("judgements.json", judgements("AU-E05", verdict="fail"))
    code, out, _ = check(australian(write), "--rulebook", "au_nmf", "--provider", provider, "--judgements", said)
    assert code == 1
    assert "judged not met by Ana Ortiz" in out


def test_without_a_provider_what_depends_on_it_is_unknown(check, write):
    code, out, _ = check(australian(write), "--rulebook", "au_nmf")
    assert code == 3
    assert "provider.regulated is not given" in out


def test_changing_a_count_of_the_frozen_demand_is_found(check, write):
    demand = freeze_demand((), source="ads", query="data", on=date(2026, 11, 24)).to_json()
    code, out, _ = check(write("plan.json", sample() | {"demand": demand}))
    assert "pass     GM-4" in out
    demand["of"] = 20
    code, out, _ = check(write("plan.json", sample() | {"demand": demand}))
    assert code == 1
    assert "FAIL     GM-4" in out


def test_json_is_the_same_report(check, plan):
    code, out, _ = check(plan, "--json")
    report = Report.from_json(json.loads(out))
    assert code == 1
    assert report.verdict is Verdict.FAIL
    assert json.loads(out)["verdict"] == "fail"


def test_a_day_on_which_the_rules_are_not_in_force_is_unknown(check, plan):
    code, out, _ = check(plan, "--rulebook", "au_nmf", on=("--on", "2022-03-21"))
    assert code == 3
    assert "This rulebook is in force from 2022-03-22, not on 2022-03-21." in out


def test_a_blueprint_is_read_from_standard_input(check, monkeypatch):
    import io
    import sys

    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(json.dumps(sample()).encode())))
    assert check("-")[0] == 1


# --- Rulebooks of one's own ---


def test_a_rulebook_of_ones_own_runs_beside_those_that_come_with_guildmark(check, plan, write):
    own = write("house.toml", OWN_RULE)
    assert check(plan, "--rulebook", own)[0] == 0
    code, out, _ = check(plan, "--rulebook", own, "--rulebook", "guildmark_core")
    assert code == 1
    assert "pass     H-1" in out


def test_a_rulebook_named_twice_runs_once(check, plan, write):
    own = write("house.toml", OWN_RULE)
    assert check(plan, "--rulebook", own, "--rulebook", own)[1].count("H-1") == 1


def test_an_empty_rulebook_is_unknown_alone_and_beside_one_that_passes(check, plan, write):
    empty = write("empty.toml", OWN_RULE.partition("[[rule]]")[0])
    assert check(plan, "--rulebook", empty)[0] == 3
    assert check(plan, "--rulebook", empty, "--rulebook", write("house.toml", OWN_RULE))[0] == 3


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (OWN_RULE.replace("[[rule]]", "[[rule"), "not TOML"),
        (OWN_RULE.replace("{ present", "{ is_there"), "operator 'is_there' is not known"),
        (
            OWN_RULE.replace('check = { present = "title" }', 'check = { matches = ["title", "(a+)+$"] }'),
            "could take too long",
        ),
        (OWN_RULE.replace("refuses = {}", 'refuses = { title = "x" }'), "rule H-1 refuses is not one that it refuses"),
        (b"\xff", "byte 0 is not UTF-8"),
    ],
)
def test_a_broken_rulebook_is_one_sentence(check, plan, write, text, says):
    assert_one_sentence(check(plan, "--rulebook", write("house.toml", text)), says)


# --- Bad input ---


def assert_one_sentence(done, says) -> None:
    code, out, err = done
    assert code == 2
    assert out == ""
    assert says in err
    assert err.startswith("guildmark: ")
    assert err.count("\n") == 1
    assert err.endswith(".\n")


@pytest.mark.parametrize(
    ("document", "says"),
    [
        (b"{", "plan.json: not JSON at line 1 column 2"),
        (b"[]", "plan.json: is not an object"),
        (b'{"a": 1, "a": 2}', "key 'a' stands twice"),
        (b"\x89PNG", "plan.json: byte 0 is not UTF-8"),
        ({"title": "x"}, "plan.json, credit: is missing"),
        ({**sample(), "hours": -1}, "plan.json, hours: is -1; write a number from 0.25 to 10000"),
        ({**sample(), "title": "\ud800"}, "half a surrogate pair is no character"),
    ],
)
def test_a_broken_blueprint_is_one_sentence(check, write, document, says):
    assert_one_sentence(check(write("plan.json", document)), says)


def test_a_file_that_is_not_there_or_is_a_folder_is_one_sentence(check, plan, tmp_path):
    assert_one_sentence(
        check(str(tmp_path / "gone.json")), "cannot be read (No such file or directory); check the path"
    )
    assert_one_sentence(check(str(tmp_path)), "cannot be read (Is a directory)")
    assert_one_sentence(check(plan, "--rulebook", str(tmp_path)), "cannot be read (Is a directory)")


def test_a_rulebook_that_nobody_knows_names_those_that_are_known(check, plan):
    says = "there is no rulebook 'nz'; use au_nmf, eu_2022, guildmark_core, or a file"
    assert_one_sentence(check(plan, "--rulebook", "nz"), says)


@pytest.mark.parametrize(
    ("on", "says"), [("soon", "--on: 'soon' is not a date; write 2026-11-24"), ("2026-02-30", "is not a date")]
)
def test_a_day_that_is_none_is_one_sentence(check, plan, on, says):
    assert_one_sentence(check(plan, on=("--on", on)), says)


@pytest.mark.parametrize(
    ("facts", "says"), [("[]", "provider.json: is not an object"), ("{", "provider.json: not JSON")]
)
def test_a_broken_provider_is_one_sentence(check, plan, write, facts, says):
    assert_one_sentence(check(plan, "--provider", write("provider.json", facts)), says)


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ({}, "judgements.json: is not a list; write one object for each judgement"),
        ([5], "judgements.json, judgement 1: is not a judgement; give rule_id, verdict, by, reason and at"),
        ([*judgements("GM-9"), {"rule_id": "GM-9"}], "judgement 2: is not a judgement"),
        (judgements("GM-9", note="x"), "judgement 1: is not a judgement"),
        (judgements("GM-9", by=""), "GM-9: a judgement needs a named person and a reason; say who decided and why"),
        (judgements("GM-9", reason=" "), "GM-9: a judgement needs a named person and a reason"),
        (judgements("GM-9", by=5), "judgement 1: by is not text; write it in quotes"),
        (judgements("GM-9", reason=None), "judgement 1: reason is not text"),
        (judgements("GM-9", verdict="unknown"), "judgement 1: verdict is 'unknown'; write pass or fail"),
        (judgements("GM-9", verdict="maybe"), "judgement 1: verdict is 'maybe'"),
        (judgements("GM-9", at="yesterday"), "judgement 1: 'yesterday' is not a date and time"),
        (judgements("GM-9", at="2026-11-20T09:00:00"), "has no time zone"),
        (judgements("GM-99"), "judgement 1: no rulebook has a rule 'GM-99'; take the id from the report"),
        (judgements("GM-1"), "judgement 1: rule GM-1 is decided from the data alone; mend the blueprint instead"),
        (judgements(["GM-9"]), "judgement 1: rule_id is not text"),
    ],
)
def test_a_broken_judgement_is_one_sentence(check, plan, write, rows, says):
    assert_one_sentence(check(plan, "--judgements", write("judgements.json", rows)), says)
