"""Someone who has only the documentation and what each command prints can tell the story by hand."""

from __future__ import annotations

import json
import re
import shlex
from importlib.resources import files
from pathlib import Path

import pytest
from django.conf import settings as django_settings

from guildmark.cli import main

DOCS = Path(__file__).parents[2] / "docs" / "operations.md"


def _commands():
    """The commands of the section, in their order."""
    section = DOCS.read_text(encoding="utf-8").partition("## A first credential, by hand")[2]
    return re.search(r"```sh\n(.*?)```", section, re.DOTALL)[1].splitlines()


@pytest.mark.django_db(transaction=True)
def test_the_commands_of_the_documentation_work_as_written_with_the_ids_that_they_print(
    settings, tmp_path, monkeypatch, capsys
):
    settings.HOME = tmp_path / "a home with späces"
    monkeypatch.chdir(tmp_path)
    blueprint = json.loads(files("guildmark.design").joinpath("samples/sql-python-operations.json").read_text())
    host = django_settings.BASE_URL.removeprefix("https://")
    blueprint["provider_id"] = f"did:web:{host}:issuers:old-mill"
    Path("blueprint.json").write_text(json.dumps(blueprint))
    Path("facts.json").write_text('{"regulated": true}')
    Path("work.md").write_text("What I found out about late orders.")
    known: dict[str, str] = {}
    for line in _commands():
        words = [known[word.strip("<>")] if word.startswith("<") else word for word in shlex.split(line)]
        assert words[0] == "guildmark"
        with pytest.raises(SystemExit) as ended:
            main(words[1:])
        said = capsys.readouterr()
        assert ended.value.code == 0, (line, said.out, said.err)
        known |= dict(re.findall(r"\((\w+) ([0-9a-f-]{36})\)", said.out))
    assert {"demand", "blueprint", "endorsement", "offering", "enrolment", "submission"} < set(known)
    assert {"decision", "award", "run"} < set(known)
    assert "1 outcome was told with consent (hired: 1)" in said.out


@pytest.mark.django_db(transaction=True)
def test_a_claim_link_and_an_id_of_a_ranking_do_where_a_token_and_an_address_would(settings, tmp_path, capsys):
    from tests.app import cast as world

    settings.HOME = tmp_path
    cast = world.cast()
    made = world.awarded(cast)

    def run(*words):
        with pytest.raises(SystemExit) as ended:
            main(["site", *map(str, words)])
        return ended.value.code, capsys.readouterr().out

    code, out = run("claim", f"{django_settings.BASE_URL}/claim/{made.token}")
    assert code == 0, out
    email = made.award.learner.email
    assert run("consent", email, "matching")[0] == 0
    run("load-framework")
    run("ingest-ads")
    run("refresh-demand", "--framework", "guildmark")
    words = ("--framework", "guildmark", "--partner", "northwind-logistics", "--as", "omar")
    code, out = run("rank-candidates", "guildmark-ad-01", *words)
    assert code == 0, out
    ranking = re.search(r"\(run ([0-9a-f-]{36})\)", out)[1]
    person = re.search(r"learner ([0-9a-f-]{36})", out)[1]
    assert run("decide-match", ranking, person, "invite", "--reason", "Fits.", "--as", "omar")[0] == 0
