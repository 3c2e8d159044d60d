"""`guildmark site` asks who acts: Mallory, who has roles elsewhere, gets one sentence and changes nothing."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from guildmark.app.records import Award, BlueprintVersion, Endorsement, Event, GateResult
from guildmark.cli import cli, main
from guildmark.core.report import Verdict
from guildmark.credential.envelope import same_content
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
        ("correct", award, "--name", "Mallory", "--reason", "Fine."),
        ("reissue", award, "--code", "reissued"),
        ("reissue", "--signed-by", f"{cast.harbour.did}#key-1"),
        ("renew", award),
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


def test_an_award_is_exported_as_tokens_of_the_same_content_too(cast, tmp_path):
    made = world.awarded(cast)
    words = ["site", "export-award", str(made.award.id), str(tmp_path), "--token", "vc-jwt", "--token", "sd-jwt-vc"]
    assert CliRunner().invoke(cli, words).exit_code == 0
    files = [(tmp_path / name).read_bytes() for name in ("credential.json", "credential.jwt", "credential.sd-jwt")]
    assert same_content(*files).verdict is Verdict.PASS
    assert CliRunner().invoke(cli, [*words, "--show", "name"]).exit_code == 0
    assert same_content(files[0], (tmp_path / "credential.sd-jwt").read_bytes()).verdict is Verdict.UNKNOWN


def test_a_token_that_cannot_be_exported_is_refused_in_a_sentence_and_nothing_is_written(cast, capsys, tmp_path):
    made = world.awarded(cast)
    out = tmp_path / "out"
    for words, says in (
        (["--show", "name"], "add --token sd-jwt-vc"),
        (["--token", "sd-jwt-vc", "--show", "results"], "whose it is"),
    ):
        code, _, err = _run(capsys, "site", "export-award", made.award.id, out, *words)
        assert code == 2
        assert says in err
        assert err.count("\n") == 1
    assert not out.exists()


# --- Another credential in the place of one ---


def _site(*words):
    """The facts that a command answers with."""
    done = CliRunner().invoke(cli, ["site", "--json", *map(str, words)], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_a_name_and_a_mark_are_corrected_by_a_command(cast, capsys):
    made = world.awarded(cast)
    told = _site("correct", made.award.id, "--name", "Mei-Lin Tan", "--reason", "Misspelt.", "--as", "ana")
    new = Award.objects.get(pk=told["award"])
    assert (str(new.replaces_id), new.learner.name) == (told["replaces"], "Mei-Lin Tan")
    marks = [f"--mark={who}:p-query=proficient" for who in ("lee", "priya")]
    told = _site("correct", new.id, *marks, "--reason", "Misread.", "--as", "ana")
    assert Award.objects.get(pk=told["award"]).replaces == new
    for words, says in (
        (("--mark", "p-query"), "names no mark"),
        (("--mark", "omar:p-query=excellent"), "there is no mark of"),
        (("--awarded-on", "yesterday"), "is no date"),
        ((), "Nothing would be different"),
    ):
        code, _, err = _run(capsys, "site", "correct", told["award"], *words, "--reason", "x", "--as", "ana")
        assert (code, err.count("\n")) == (2, 1)
        assert says in err


def test_after_a_key_was_exposed_three_commands_put_it_right(cast, capsys):
    made = world.awarded(cast)
    claim = world.claim_stack(cast, world.stack_rule(cast))
    old = f"{cast.harbour.did}#key-1"
    told = _site("reissue", "--signed-by", old, "--as", "ana")
    assert told["awards"] == []
    assert "make a new one first" in told["problems"][0]["says"]
    code, _, err = _run(capsys, "site", "retire-key", old)
    assert code == 2
    assert "would have no key to sign with" in err
    assert _site("make-key", "harbour-university")["key"] == f"{cast.harbour.did}#key-2"
    told = _site("reissue", "--signed-by", old, "--as", "ana")
    assert [row["replaces"] for row in told["awards"]] == [str(made.award.id)]
    claim.refresh_from_db()
    assert claim.award.replaces is not None, "the larger one went with it"
    assert _site("reissue", "--signed-by", old, "--as", "ana")["awards"] == [], "a second time nothing is left"
    assert _site("retire-key", old)["key"] == old
    assert old not in (cast.harbour.keys.filter(retired_at=None).values_list("key_id", flat=True))
    code, _, err = _run(capsys, "site", "reissue", "--as", "ana")
    assert code == 2
    assert "name an award, or a key" in err


def test_a_credential_is_renewed_by_a_command(cast, capsys):
    version = world.publish(cast, {**world.sample(), "validity_months": 24})
    award = world.award(cast, world.decide(cast, version))[0]
    code, out, _ = _run(capsys, "site", "renew", award.id, "--as", "ana")
    assert code == 0
    assert f"it takes the place of {award.id}" in out
    assert "valid until 2030-11-2" in out
    code, _, err = _run(capsys, "site", "renew", award.id, "--as", "ana")
    assert code == 2
    assert "revoked already" in err


def test_lists_are_published_by_a_command_if_they_are_due(cast):
    world.awarded(cast)
    assert _site("publish-status") == {"lists": []}
    assert _site("publish-status", "--all") == {"lists": [1]}
