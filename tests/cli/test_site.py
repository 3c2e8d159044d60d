"""`guildmark site` asks who acts: Mallory, who has roles elsewhere, gets one sentence and changes nothing."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from guildmark.app.records import Award, BlueprintVersion, Endorsement, Event, GateResult
from guildmark.cli import cli, main
from tests.app import cast as world

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def home(settings, tmp_path):
    settings.HOME = tmp_path
    return tmp_path


@pytest.fixture
def cast(db):
    return world.cast()


def _run(capsys, *words):
    """(exit code, standard output, standard error) of a command."""
    with pytest.raises(SystemExit) as stop:
        main([str(w) for w in words])
    printed = capsys.readouterr()
    return stop.value.code or 0, printed.out, printed.err


def test_mallory_gets_one_sentence_from_every_verb_that_needs_a_role(cast, capsys, tmp_path):
    made = world.awarded(cast)
    version, award = made.version.id, made.award.id
    draft = tmp_path / "draft.json"
    draft.write_text(json.dumps(world.sample()))
    rule = tmp_path / "rule.toml"
    rule.write_text("")
    attempts = [
        ("draft-blueprint", draft, "--provider", "harbour-university"),
        ("endorse", version, "--partner", "northwind-logistics", "--claim", "Fine."),
        ("judge", version, "GM-9", "pass", "--reason", "Fine."),
        ("submit-for-review", version, "--rulebook", "guildmark_core"),
        ("publish-blueprint", version),
        ("open-offering", version, "--title", "Mine"),
        ("record-mark", made.decision.enrolment.submissions.get(assessment="project").id, "p-query", "excellent"),
        ("record-result", made.decision.enrolment_id),
        ("award", made.decision.id),
        ("suspend", award, "--code", "under_review"),
        ("revoke", award, "--code", "misconduct"),
        ("add-stack-rule", rule, "--owner", "harbour-university"),
        ("record-destination", award, "hired", "--employer", "northwind-logistics"),
        ("record-destination", award, "hired"),
        ("review", version),
        ("withdraw-endorsement", made.version.endorsements.get().id, "--reason", "Because."),
        ("rank-candidates", "guildmark-ad-01", "--framework", "guildmark", "--partner", "northwind-logistics"),
    ]
    models = (Award, BlueprintVersion, Endorsement, GateResult, Event)
    before = [m.objects.count() for m in models]
    for words in attempts:
        code, _, err = _run(capsys, "site", *words, "--as", "mallory")
        assert code == 2, words
        assert "may not" in err, words
        assert err.count("\n") == 1, words
    assert [m.objects.count() for m in models] == before


def test_a_person_or_thing_that_is_not_there_is_one_sentence(cast, capsys):
    for words in (
        ("award", "7", "--as", "ana"),
        ("award", "7b0c1a9e-0000-4000-8000-000000000000", "--as", "ana"),
        ("claim", "wrong"),
        ("review", "nothing", "--as", "quinn"),
        ("draft-blueprint", "missing.json", "--provider", "harbour-university", "--as", "quinn"),
        ("consent", "nobody@example.org", "matching"),
        ("anchor-checkpoint",),
    ):
        code, _, err = _run(capsys, "site", *words)
        assert code == 2, words
        assert err.startswith("guildmark: "), words
        assert err.count("\n") == 1, words


def test_facts_come_as_json_for_programs(cast):
    done = CliRunner().invoke(cli, ["site", "--json", "add-learner", "new@example.org", "--name", "New"])
    assert done.exit_code == 0, done.output
    assert set(json.loads(done.output)) == {"learner"}


def test_an_operator_needs_a_password_worth_the_name(db, capsys):
    code, _, err = _run(capsys, "site", "create-operator", "root", "--email", "r@example.org", "--password", "short")
    assert code == 2
    assert "at least 12" in err


def test_every_file_of_an_award_is_exported(cast, tmp_path):
    made = world.awarded(cast)
    done = CliRunner().invoke(cli, ["site", "export-award", str(made.award.id), str(tmp_path / "out")])
    assert done.exit_code == 0, done.output
    names = {p.name for p in (tmp_path / "out").iterdir()}
    assert {"credential.json", "badge.png", "badge.svg", "certificate.pdf", "record.pdf"} <= names
    assert (tmp_path / "out" / "credential.json").read_bytes() == bytes(made.award.document)
