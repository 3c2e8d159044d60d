"""What is handed to `guildmark site` is taken whole, or row by row with the bad ones listed, or not at all."""

from __future__ import annotations

import io
import json
import sys
from importlib.resources import files

import pytest
from django.apps import apps

from guildmark.app.records import JobAd, Organisation, OrganisationKey, StackRule
from guildmark.cli import main
from tests.app import cast as world
from tests.cli.hostile import NAMES, lay_out

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def home(settings, tmp_path):
    settings.HOME = tmp_path / "home"
    return settings.HOME


@pytest.fixture
def cast(db):
    return world.cast()


def _run(capsys, *words):
    with pytest.raises(SystemExit) as ended:
        main(["site", *map(str, words)])
    said = capsys.readouterr()
    return ended.value.code, said.out, said.err


def _rows():
    return {model.__name__: model.objects.count() for model in apps.get_app_config("guildmark").get_models()}


@pytest.mark.parametrize(
    "words",
    [
        ("draft-blueprint", "BAD", "--provider", "harbour-university", "--as", "quinn"),
        ("add-stack-rule", "BAD", "--owner", "harbour-university", "--as", "quinn"),
        ("ingest-ads", "BAD"),
        ("load-framework", "BAD"),
    ],
    ids=lambda words: words[0],
)
def test_a_file_that_cannot_be_read_is_one_sentence_that_names_it_and_no_row(words, cast, capsys, tmp_path):
    bad = lay_out(tmp_path / "bad")
    before = _rows()
    refused = 0
    for name in NAMES:
        code, out, err = _run(capsys, *(bad / name if word == "BAD" else word for word in words))
        assert "Traceback" not in err, name
        if code == 2:
            refused += 1
            assert out == "", name
            assert err.startswith("guildmark: "), name
            assert name in err, (name, err)
            assert err.count("\n") == 1, (name, err)
        else:
            assert words[0] == "ingest-ads", (name, err)
            assert code == 1, name
            assert "not taken: row 1" in err, name
    assert refused > 20
    after = _rows()
    # Looking at a file of ads is an event also where no ad was usable.
    assert {**after, "Event": 0} == {**before, "Event": 0}


def test_a_revision_names_its_file_too_and_leaves_the_draft_as_it_was(cast, capsys, tmp_path):
    draft = world.draft(cast)
    wrong = tmp_path / "wrong.json"
    wrong.write_text(json.dumps({**world.sample(), "outcomes": "none"}))
    code, out, err = _run(capsys, "revise-draft", draft.id, wrong, "--as", "quinn")
    assert (code, out) == (2, "")
    assert err.startswith(f"guildmark: {wrong}, outcomes")
    digest = draft.digest
    draft.refresh_from_db()
    assert draft.digest == digest


def test_good_ads_are_taken_and_each_bad_one_is_listed_by_row_and_field(cast, capsys, tmp_path):
    ads = tmp_path / "ads.csv"
    ads.write_text(
        "\ufeffid;text;posted\r\n1;We need SQL;2026-01-02\r\n2;;\r\n3;Python;yesterday\r\n4;Java;;\r\n5;Excel;\r\n",
        encoding="utf-8",
    )
    code, out, err = _run(capsys, "ingest-ads", ads)
    assert code == 1
    assert out == "Ads taken in: 2. There already: 0. Rows not taken: 3.\n"
    assert err.splitlines() == [
        "  not taken: row 2, text: is empty; an ad without words asks for nothing",
        "  not taken: row 3, posted: 'yesterday' is no date; write 2026-11-24",
        "  not taken: row 4: has 4 cells, the heading 3; put texts with separators in quotes",
    ]
    assert set(JobAd.objects.values_list("text", flat=True)) == {"We need SQL", "Excel"}


def test_an_ad_that_takes_the_id_of_another_is_a_bad_row_and_the_others_are_taken(cast, capsys, tmp_path):
    ads = tmp_path / "ads.csv"
    ads.write_text("id,text\n1,We need SQL\n")
    assert _run(capsys, "ingest-ads", ads)[0] == 0
    ads.write_text("id,text\n0,Java\n1,We need Python\n2,Excel\n")
    code, out, err = _run(capsys, "ingest-ads", ads)
    assert code == 1
    assert out == "Ads taken in: 2. There already: 0. Rows not taken: 1.\n"
    assert err == "  not taken: row 2, id: '1' is here already with another text; give a changed ad a new id\n"
    assert JobAd.objects.get(id="1").text == "We need SQL"
    assert JobAd.objects.count() == 3


def test_more_ads_than_a_database_takes_values_at_once_are_taken(cast, capsys, tmp_path):
    ads = tmp_path / "ads.csv"
    ads.write_text("id,text\n" + "".join(f"{n},Ad number {n}\n" for n in range(2500)))
    assert _run(capsys, "ingest-ads", ads)[1].startswith("Ads taken in: 2500.")
    assert _run(capsys, "ingest-ads", ads)[1].startswith("Ads taken in: 0. There already: 2500.")


def test_ads_may_come_through_a_pipe(cast, capsys, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"text\nWe need SQL\n")))
    code, out, _ = _run(capsys, "ingest-ads", "-")
    assert code == 0
    assert out.startswith("Ads taken in: 1.")
    assert JobAd.objects.get().source == "standard input"


def test_a_rule_that_windows_saved_with_a_byte_order_mark_is_a_rule(cast, capsys, tmp_path):
    rule = tmp_path / "rule.toml"
    text = files("guildmark.pathways").joinpath("data/operations-data-analyst.toml").read_text(encoding="utf-8")
    rule.write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    code, out, err = _run(capsys, "add-stack-rule", rule, "--owner", "harbour-university", "--as", "quinn")
    assert code == 0, err
    assert out.endswith("as operations-data-analyst.\n")
    assert StackRule.objects.count() == 1


@pytest.mark.parametrize("slug", ["../../x", "a b", "é", "", "a/b", "a:b", "a#b", "x" * 51])
def test_a_slug_that_could_leave_its_folder_or_its_did_is_refused_and_nothing_is_written(slug, db, capsys, home):
    before = _rows()
    code, out, err = _run(capsys, "add-organisation", slug, "--name", "X", "--kind", "provider", "--country", "AU")
    assert (code, out) == (2, "")
    assert err.startswith("guildmark: "), err
    assert err.count("\n") == 1
    assert _rows() == before
    assert not list(home.rglob("did.json"))


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"--country": "Australia"}, "country: 'Australia' is no country code; write two letters, such as AU."),
        ({"--country": "au"}, "country: 'au' is no country code"),
        ({"--name": ""}, "name: This field cannot be blank."),
        ({"--name": "x" * 201}, "name: "),
        ({"--did": "mill.example"}, "did: 'mill.example' is no DID; write one like did:web:example.edu."),
        ({"--did": "did:web:a b"}, "did: 'did:web:a b' is no DID"),
        ({"--did": "did:web:mill.example#key"}, "did: 'did:web:mill.example#key' is no DID"),
    ],
)
def test_an_organisation_with_an_unfit_value_is_not_made(changed, says, db, capsys):
    options = {"--name": "X", "--kind": "provider", "--country": "AU", **changed}
    code, _, err = _run(capsys, "add-organisation", "mill", *(part for pair in options.items() for part in pair))
    assert code == 2
    assert err.startswith(f"guildmark: {says}"), err
    assert (Organisation.objects.count(), OrganisationKey.objects.count()) == (0, 0)


def test_an_organisation_whose_key_cannot_be_made_is_not_made_either(db, capsys, monkeypatch):
    from guildmark.core.errors import NotAllowed

    def refuse(**_):
        raise NotAllowed("No key today.")

    monkeypatch.setattr("guildmark.app.services.people.seal_new_key", refuse)
    words = ("add-organisation", "mill", "--name", "X", "--kind", "provider", "--country", "AU")
    assert _run(capsys, *words) == (2, "", "guildmark: No key today.\n")
    assert not Organisation.objects.exists()


def test_facts_that_other_programs_would_read_differently_are_refused(db, capsys, tmp_path):
    facts = tmp_path / "facts.json"
    facts.write_text('{"students": 123456789012345678901234567890}')
    words = ("add-organisation", "mill", "--name", "X", "--kind", "provider", "--country", "AU", "--facts", facts)
    code, _, err = _run(capsys, *words)
    assert code == 2
    assert "has no canonical JSON form" in err
    assert not Organisation.objects.exists()


def test_people_and_learners_have_addresses_and_a_role_given_twice_is_one(cast, capsys):
    assert _run(capsys, "add-learner", "nobody", "--name", "X")[2] == "guildmark: email: Enter a valid email address.\n"
    assert _run(capsys, "add-learner", "a@example.org", "--name", "")[0] == 2
    assert _run(capsys, "add-person", "a b", "--name", "X", "--email", "x@example.org")[0] == 2
    twice = ("--role", "harbour-university=marker") * 2
    assert _run(capsys, "add-person", "max", "--name", "Max", "--email", "max@example.org", *twice)[0] == 0
    code, _, err = _run(
        capsys, "add-person", "x", "--name", "X", "--email", "x@example.org", "--role", "harbour-university"
    )
    assert (code, err) == (2, "guildmark: --role: a role is missing its '='; write organisation=role.\n")


def test_a_framework_that_is_not_loaded_is_one_sentence_for_every_verb_that_asks_for_one(cast, capsys):
    assert _run(capsys, "ingest-ads")[0] == 0
    assert _run(capsys, "consent", cast.mei.email, "matching")[0] == 0
    for words in (
        ("suggest-roles", cast.mei.email),
        ("refresh-demand",),
        ("rank-candidates", "guildmark-ad-01", "--partner", "northwind-logistics", "--as", "omar"),
    ):
        code, out, err = _run(capsys, *words, "--framework", "nope")
        assert (code, out) == (2, ""), words
        assert err == "guildmark: framework 'nope' is not loaded; run guildmark site load-framework.\n", words


def test_an_award_is_exported_whole_or_not_at_all(cast, capsys, tmp_path):
    award = world.awarded(cast).award
    (tmp_path / "file").write_text("mine")
    code, out, err = _run(capsys, "export-award", award.id, tmp_path / "file")
    assert (code, out) == (2, "")
    assert err == f"guildmark: {tmp_path}/file: cannot be written (File exists); name a folder that you may write to.\n"
    assert (tmp_path / "file").read_text() == "mine"
    (tmp_path / "out" / "record.pdf").mkdir(parents=True)
    (tmp_path / "out" / "credential.json").write_text("older")
    code, _, err = _run(capsys, "export-award", award.id, tmp_path / "out")
    assert code == 2
    assert "record.pdf is a folder" in err
    assert {p.name for p in (tmp_path / "out").iterdir()} == {"record.pdf", "credential.json"}
    assert (tmp_path / "out" / "credential.json").read_text() == "older"


def test_a_disk_that_fills_up_leaves_the_files_that_were_there(cast, capsys, tmp_path, monkeypatch):
    from pathlib import Path

    award = world.awarded(cast).award
    assert _run(capsys, "export-award", award.id, tmp_path / "out")[0] == 0
    before = {p.name: p.read_bytes() for p in (tmp_path / "out").iterdir()}
    write = Path.write_bytes

    def fills_up(path, body):
        if "record" in path.name:
            write(path, body[:10])
            raise OSError(28, "No space left on device", str(path))
        return write(path, body)

    monkeypatch.setattr(Path, "write_bytes", fills_up)
    code, _, err = _run(capsys, "export-award", award.id, tmp_path / "out")
    assert code == 2
    assert "cannot be written (No space left on device)" in err
    assert {p.name: p.read_bytes() for p in (tmp_path / "out").iterdir()} == before


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--activity", "a:text:10:A", "--activity", "a:text:9:B"), "--activity: the key 'a' stands twice"),
        (("--activity", "ä b:text:10:A"), "--activity: 'ä b:text:10:A' is no activity; write key:kind:minutes:title."),
        (("--activity", "a:text:²:A"), "--activity: 'a:text:²:A' is no activity"),
        (("--activity", "a:text:10"), "--activity: 'a:text:10' is no activity"),
        (("--activity", "a:text:10:"), "a: an activity needs an id and a title"),
        (("--activity", "a:text:999999999:A"), "a: takes more minutes than a year of work"),
        (("--activity", f"a:text:{'9' * 30}:A"), "--activity: 'a:text:999"),
        (("--opens-on", "2026-13-01"), "'2026-13-01' is not a date"),
        (("--opens-on", "2026-12-01", "--closes-on", "2026-11-01"), "T: closes on 2026-11-01, before it opens"),
        (("--title", " "), "--title: is empty"),
    ],
)
def test_an_offering_that_cannot_be_is_one_sentence_and_no_row(options, says, cast, capsys):
    version = world.publish(cast)
    before = _rows()
    code, out, err = _run(capsys, "open-offering", version.id, "--title", "T", *options, "--as", "quinn")
    assert (code, out) == (2, "")
    assert err.startswith(f"guildmark: {says}"), err
    assert err.count("\n") == 1
    assert _rows() == before


def test_a_name_that_is_not_known_is_answered_with_those_that_are(cast, capsys, tmp_path):
    enrolment = world.enrol(cast, world.publish(cast))
    work = tmp_path / "work.md"
    work.write_text("Something.")
    keys = ", ".join(sorted(enrolment.offering.activities.values_list("key", flat=True)))
    assert f"there is no activity 'nope'; one of: {keys}." in _run(capsys, "complete-activity", enrolment.id, "nope")[2]
    err = _run(capsys, "submit-work", enrolment.id, "nope", work, "--title", "T")[2]
    assert "there is no assessment 'nope'; one of: project, practical." in err


def test_nobody_signs_for_a_time_that_is_over_or_acts_beyond_the_calendar(cast, capsys):
    draft = world.draft(cast)
    words = ("endorse", draft.id, "--partner", "northwind-logistics", "--as", "omar", "--claim")
    code, _, err = _run(capsys, *words, "Fine.", "--valid-until", "2020-01-01T00:00:00Z")
    assert (code, err) == (
        2,
        "guildmark: --valid-until: 2020-01-01T00:00:00Z is over already; name a moment to come.\n",
    )
    assert _run(capsys, *words, " ")[2].startswith("guildmark: --claim: is empty")
    code, _, err = _run(capsys, "--now", "9999-06-01T00:00:00Z", *words, "Fine.")
    assert (code, err) == (2, "guildmark: --now: 9999 is no year to act in; write one from 1970 to 8999.\n")
    assert not draft.endorsements.exists()


def test_an_operator_has_an_address(db, capsys):
    words = ("create-operator", "root", "--email", "nobody", "--password", "long and worth the name")
    assert _run(capsys, *words)[2] == "guildmark: --email: 'nobody' is no e-mail address; write one.\n"
