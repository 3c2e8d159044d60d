"""`guildmark stack`: a rule and credentials from files, exit codes by report, bad entries listed by row and field."""

from __future__ import annotations

import json
from importlib.resources import files

import pytest

from guildmark.cli import main

RULE = files("guildmark.pathways") / "data" / "operations-data-analyst.toml"
SAMPLES = ("sql-python-operations", "data-storytelling", "data-protection")


def held(name, **changes) -> dict:
    """One entry of a holdings file, for somebody who passed the sample blueprint of this name."""
    blueprint = json.loads((files("guildmark.design") / "samples" / f"{name}.json").read_bytes())
    return {
        "credential_id": f"urn:example:{name}",
        "achievement_id": blueprint["id"],
        "title": blueprint["title"],
        "issuer_id": blueprint["provider_id"],
        "learner_id": "mei",
        "skills": [],
        "credit_value": blueprint["credit"]["value"],
        "credit_unit": blueprint["credit"]["unit"],
        "level": blueprint["level"],
        "assessed_on": "2026-11-01",
        "valid_until": None,
        "status": "valid",
        "tags": [],
        **changes,
    }


@pytest.fixture
def stack(tmp_path, capsys):
    """(exit code, standard output, standard error) of `guildmark stack` on these entries and this rule."""

    def run(entries, *words, rule=None, on="2026-11-24"):
        (tmp_path / "rule.toml").write_bytes(RULE.read_bytes() if rule is None else rule)
        text = entries if isinstance(entries, str) else json.dumps(entries)
        (tmp_path / "held.json").write_text(text, encoding="utf-8")
        with pytest.raises(SystemExit) as stop:
            main(["stack", str(tmp_path / "rule.toml"), str(tmp_path / "held.json"), "--on", on, *words])
        out = capsys.readouterr()
        return stop.value.code or 0, out.out, out.err

    return run


ALL = [held(name) for name in SAMPLES]


def test_three_credentials_of_two_providers_earn_the_certificate(stack):
    code, out, err = stack(ALL)
    assert (code, err) == (0, "")
    assert "Size of the certificate: 11.6 of 11.5 AU-CP" in out
    assert out.rstrip().endswith("=> PASS")


def test_a_suspended_one_opens_it_again_and_the_shortest_way_is_told(stack):
    code, out, _ = stack([*ALL[:2], held("data-protection", status="suspended")])
    assert code == 1
    assert "“Data protection in practice” is suspended." in out
    assert "The shortest way, 50 notional hours:" in out


def test_what_could_not_be_verified_leaves_it_unknown(stack):
    assert stack([*ALL[:2], held("data-protection", status="unverified")])[0] == 3
    assert stack(ALL, on="2001-01-01")[0] == 3


def test_json_is_the_whole_result(stack):
    code, out, _ = stack(ALL, "--json")
    value = json.loads(out)
    assert code == 0
    assert value["earned"] is True
    assert set(value["placement"].values()) == {"analysis", "responsibility"}
    assert value["problems"] == []


def test_entries_that_cannot_be_read_are_listed_and_the_others_are_used(stack):
    bad = [held("data-storytelling", credit_value="4"), "nothing", held("data-storytelling", status="fine")]
    code, out, err = stack([*ALL, *bad])
    assert code == 0
    lines = err.splitlines()
    assert lines[0].startswith("not read: row 4, credit_value: is not a number")
    assert lines[1].startswith("not read: row 5: is not an object")
    assert "'fine' is not known" in lines[2]
    _, out, _ = stack([*ALL, *bad], "--json")
    assert [(p["row"], p["field"]) for p in json.loads(out)["problems"]][:2] == [(4, "credit_value"), (5, "")]


@pytest.mark.parametrize(
    ("entries", "says"),
    [
        ("{", "not JSON"),
        ("{}", "is not a list"),
        (json.dumps([held("data-protection"), held("data-storytelling", learner_id="sam")]), "several people"),
        (json.dumps([held("data-protection"), held("data-protection", status="revoked")]), "twice with two contents"),
    ],
)
def test_a_file_that_makes_no_sense_is_one_sentence(stack, entries, says):
    code, out, err = stack(entries)
    assert (code, out) == (2, "")
    assert says in err
    assert err.count("\n") == 1


def test_a_rule_that_fails_its_own_example_is_not_used(stack):
    liar = RULE.read_bytes().replace(b"earns = true", b"earns = false").replace(b"earns = false", b"earns = true", 1)
    liar = liar.replace(b'status = "suspended"', b'status = "valid"')
    code, _, err = stack(ALL, rule=liar)
    assert code == 2
    assert "the rule says that it should not be" in err


def test_a_missing_file_and_a_bad_day_are_one_sentence(stack, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["stack", "nowhere.toml", "nowhere.json"])
    assert stop.value.code == 2
    assert "nowhere.toml: cannot be read" in capsys.readouterr().err
    code, _, err = stack(ALL, on="tomorrow")
    assert code == 2
    assert "--on" in err
