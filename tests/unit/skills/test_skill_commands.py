"""`guildmark extract` and `guildmark demand`: what they print, and what they end with."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from click.testing import CliRunner

from guildmark.cli.demand import command as demand
from guildmark.cli.extract import command as extract
from guildmark.core.errors import BrokenInput


def run(command, *arguments, stdin=None):
    return CliRunner().invoke(command, [str(a) for a in arguments], input=stdin)


@pytest.fixture
def ads(tmp_path):
    file = tmp_path / "ads.csv"
    file.write_text(
        "id,title,posted,text\n"
        "a,Analyst,2026-11-24,We need SQL and data analysis\n"
        "b,Planner,2026-11-24,SQL helps; you plan routes\n"
        "c,Painter,someday,Paint\n"
        "d,Singer,,Sing\n",
        encoding="utf-8",
    )
    return file


def test_extract_shows_the_skills_of_one_text_and_the_words(tmp_path):
    (tmp_path / "ad.txt").write_text("You analyse data with SQL, R and Python.", encoding="utf-8")
    result = run(extract, tmp_path / "ad.txt")
    assert result.exit_code == 0, result.output
    lines = [line.split() for line in result.stdout.splitlines()[1:]]
    assert lines == [
        ["4", "0.90", "Data", "analysis:", "“analyse", "data”"],
        ["22", "1.00", "SQL:", "“SQL”"],
        ["27", "0.60", "R", "programming:", "“R”"],
        ["33", "1.00", "Python:", "“Python”"],
    ]


def test_extract_reads_standard_input_and_says_when_nothing_was_found():
    result = run(extract, "-", stdin="Sing.\n")
    assert result.exit_code == 0
    assert "names no skill of this framework" in result.stdout


def test_extract_lists_bad_rows_and_ends_with_1(ads):
    result = run(extract, ads)
    assert result.exit_code == 1
    assert "b: Planner" in result.stdout
    assert result.stderr == "not read: row 3, posted: 'someday' is no date; write 2026-11-24\n"


def test_extract_gives_json_in_which_the_places_are_those_of_the_text(ads):
    value = json.loads(run(extract, ads, "--json").stdout)
    assert [ad["id"] for ad in value["ads"]] == ["a", "b", "d"]
    first = value["ads"][0]["mentions"][0]
    assert "We need SQL and data analysis"[first["start"] : first["end"]] == first["words"] == "SQL"
    assert value["framework"]["id"] == "guildmark"
    assert value["problems"] == [{"row": 3, "field": "posted", "says": "'someday' is no date; write 2026-11-24"}]


def test_extract_uses_another_framework_and_lists_its_bad_rows(tmp_path, ads):
    folder = tmp_path / "esco-9.9"
    folder.mkdir()
    uri = "http://data.europa.eu/esco/skill/x"
    (folder / "skills_en.csv").write_text(f"conceptUri,preferredLabel\n{uri},sing\n{uri}2,\n", encoding="utf-8")
    (folder / "occupations_en.csv").write_text("conceptUri,preferredLabel\n", encoding="utf-8")
    heading = "occupationUri,relationType,skillUri\n"
    (folder / "occupationSkillRelations_en.csv").write_text(heading, encoding="utf-8")
    result = run(extract, ads, "--framework", folder)
    assert "sing: “Sing”" in result.stdout
    assert "not read of the framework: row 2, skills_en.csv:preferredLabel: is empty" in result.stderr


def test_demand_counts_ads_with_an_interval_and_the_words(ads):
    result = run(demand, ads)
    assert result.exit_code == 1, result.output  # row 3 was not read
    assert result.stdout.splitlines()[:2] == [
        f"3 ads from {ads}; guildmark starter skills 2026.1",
        "   67% (21% to 94%)        2 of 3  SQL: “sql”",
    ]
    assert "not read: row 3, posted" in result.stderr


def test_demand_takes_only_ads_with_the_words_asked_for_and_gives_json(ads):
    value = json.loads(run(demand, ads, "--query", "PLAN", "--json").stdout)
    assert (value["ads"], value["query"], value["source"]) == (1, "PLAN", ["ads.csv"])
    assert {line["label"]: line["words"] for line in value["lines"]} == {
        "SQL": ["sql"],
        "Transport planning": ["plan routes"],
    }


def test_demand_of_no_ad_is_unknown(ads):
    result = run(demand, ads, "--query", "astronaut")
    assert result.exit_code == 3
    assert result.stdout.startswith("0 ads that hold “astronaut”")


def test_demand_without_a_file_counts_our_own_ads_and_says_so():
    result = run(demand, "--most", "1")
    assert result.exit_code == 0
    assert "from guildmark's own writing: invented ads of invented employers" in result.stdout
    assert "skills more" in result.stdout


def test_demand_reads_standard_input():
    assert run(demand, "-", stdin='{"text": "SQL"}\n').stdout.startswith("1 ads from standard input")


@pytest.mark.parametrize("command", [extract, demand])
def test_a_file_that_is_not_there_is_one_sentence(command):
    with pytest.raises(BrokenInput, match=r"none.csv: cannot be read \(No such file or directory\)"):
        CliRunner().invoke(command, ["none.csv"], catch_exceptions=False)


@pytest.mark.parametrize("verb", ["extract", "demand"])
def test_neither_verb_needs_django(verb):
    code = (
        "import sys; sys.modules['django'] = None\n"
        "from guildmark.cli import cli\n"
        f"cli.main(['{verb}', '-', '--json'], standalone_mode=False)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], input=b"text\nSQL\n", capture_output=True, check=False, timeout=60
    )
    assert ended.returncode == 0, ended.stderr.decode()
    assert b'"label": "SQL"' in ended.stdout
