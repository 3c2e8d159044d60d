"""Whatever a file holds, a verb answers, or ends with 2 and one sentence that names the file; it never breaks."""

from __future__ import annotations

import json
from importlib.resources import files

import pytest

from guildmark.adapters.keys import new_signer, seal_signer
from guildmark.cli import main
from guildmark.core.codecs import jcs
from guildmark.ledger.note import VerifierKey
from tests.cli.hostile import NAMES, lay_out
from tests.cli.test_verify import SVG, publish
from tests.unit.credential.award_cast import signed_award, web

VKEY = str(VerifierKey.of("x.example/log", bytes(32)))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Hostile files in `bad`, and good ones beside, so that each verb gets one bad file at a time."""
    root = tmp_path_factory.mktemp("hostile")
    lay_out(root / "bad")
    publish(web(), root / "web")
    (root / "credential.json").write_bytes(jcs(signed_award()))
    blueprint = files("guildmark.design").joinpath("samples/data-storytelling.json").read_bytes()
    (root / "blueprint.json").write_bytes(blueprint)
    (root / "rule.toml").write_bytes(
        files("guildmark.pathways").joinpath("data/operations-data-analyst.toml").read_bytes()
    )
    (root / "badge.svg").write_bytes(SVG)
    sealed = seal_signer(new_signer(bytes(64), key_id="did:web:a.example#key-1"), entropy=bytes(64), passphrase="p")
    (root / "issuer.key").write_bytes(sealed)
    (root / "ads.csv").write_text("id,text\n1,We need SQL\n")
    (root / "marks.csv").write_text("submission_id,assessment_id,criterion_id,marker_id,level_id,comment,at\n")
    return root


def _run(capsys, *words):
    with pytest.raises(SystemExit) as ended:
        main([str(word) for word in words])
    said = capsys.readouterr()
    return ended.value.code, said.out, said.err


VERBS = {
    "verify": ("verify", "BAD", "--documents", "web"),
    "verify --documents": ("verify", "credential.json", "--documents", "BAD"),
    "check": ("check", "BAD"),
    "check --rulebook": ("check", "blueprint.json", "--rulebook", "BAD"),
    "check --provider": ("check", "blueprint.json", "--provider", "BAD"),
    "check --judgements": ("check", "blueprint.json", "--judgements", "BAD"),
    "agreement": ("agreement", "BAD", "--blueprint", "blueprint.json"),
    "agreement --blueprint": ("agreement", "marks.csv", "--blueprint", "BAD"),
    "extract": ("extract", "BAD"),
    "extract --framework": ("extract", "ads.csv", "--framework", "BAD"),
    "demand": ("demand", "BAD"),
    "stack rule": ("stack", "BAD", "bad/list.json"),
    "stack holdings": ("stack", "rule.toml", "BAD"),
    "receipt": ("receipt", "BAD", "--credential", "credential.json", "--vkey", VKEY),
    "receipt --vkey": ("receipt", "bad/empty", "--credential", "credential.json", "--vkey", "BAD"),
    "log fsck": ("log", "fsck", "BAD", "--vkey", VKEY),
    "log fsck --vkey": ("log", "fsck", "web", "--vkey", "BAD"),
    "verify --issuer-document": ("verify", "credential.json", "--documents", "web", "--issuer-document", "BAD"),
    "verify --trust": ("verify", "credential.json", "--documents", "web", "--trust", "BAD"),
    "verify --receipt": ("verify", "credential.json", "--documents", "web", "--receipt", "BAD", "--vkey", VKEY),
    "verify --vkey": ("verify", "credential.json", "--documents", "web", "--receipt", "bad/empty", "--vkey", "BAD"),
    "sign": ("sign", "BAD", "--key", "issuer.key", "--out", "out"),
    "sign --key": ("sign", "credential.json", "--key", "BAD"),
    "canonicalize": ("canonicalize", "BAD", "--out", "out"),
    "canonicalize jcs": ("canonicalize", "BAD", "--form", "jcs", "--out", "out"),
    "bake": ("bake", "BAD", "credential.json", "--out", "out"),
    "bake credential": ("bake", "badge.svg", "BAD", "--out", "out"),
    "unbake": ("unbake", "BAD", "--out", "out"),
    "status show": ("status", "show", "BAD"),
    "status check": ("status", "check", "BAD", "--documents", "web"),
    "status check --documents": ("status", "check", "credential.json", "--documents", "BAD"),
    "keys show": ("keys", "show", "BAD"),
    "keys document": ("keys", "document", "BAD"),
    "keys rename": ("keys", "rename", "BAD", "new.key", "--id", "did:web:a.example#key-1"),
    "keys webvh create": ("keys", "webvh", "create", "https://a.example", "--update-key", "BAD", "--key", "BAD"),
    "keys webvh rotate": ("keys", "webvh", "rotate", "BAD", "--update-key", "x.key"),
    "keys webvh deactivate": ("keys", "webvh", "deactivate", "BAD", "--update-key", "x.key"),
}


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_on_files_answers_or_says_in_one_sentence_which_file_is_wrong(verb, folder, capsys, monkeypatch):
    monkeypatch.chdir(folder)
    monkeypatch.setenv("GUILDMARK_KEY_PASSPHRASE", "p")
    refused = 0
    for name in NAMES:
        bad = f"bad/{name}"
        code, out, err = _run(capsys, *(bad if word == "BAD" else word for word in VERBS[verb]))
        assert code in (0, 1, 2, 3), (name, err)
        assert "Traceback" not in err, name
        if code == 2:
            refused += 1
            assert out == "", name
            assert err.startswith("guildmark: "), name
            assert err.count("\n") == 1, (name, err)
            assert len(err) < 700, (name, err)
            assert not err.endswith(("?.\n", "....\n")), (name, err)
            assert name in err, (name, err)
    assert refused >= 3  # a folder, nothing at all and noise are no input of any verb


@pytest.mark.parametrize("name", ["credential.json", "bad/crlf.json", "bad/empty", "bad/cut-off.png", "bad/missing"])
@pytest.mark.parametrize("documents", ["web", "bad", "bad/missing"])
def test_what_verify_prints_with_json_can_be_parsed_whatever_happens(name, documents, folder, capsys, monkeypatch):
    monkeypatch.chdir(folder)
    code, out, err = _run(capsys, "verify", name, "--documents", documents, "--json", "--now", "2026-11-24T10:00:00Z")
    answer = json.loads(out)
    if code == 2:
        assert answer == {"error": err.removeprefix("guildmark: ").rstrip("\n"), "exit_code": 2}
    else:
        assert err == ""
        assert answer["verdict"] == {0: "pass", 1: "fail", 3: "unknown"}[code]


def test_a_call_that_click_does_not_understand_is_json_too_if_json_was_asked_for(capsys):
    code, out, err = _run(capsys, "verify", "--json")
    assert code == 2
    assert json.loads(out) == {"error": "Missing argument 'FILE'.", "exit_code": 2}
    assert "Usage: guildmark verify" in err
    assert _run(capsys, "frobnicate")[:2] == (2, "")


def test_standard_input_is_named_as_such(folder, capsys, monkeypatch):
    import io
    import sys

    monkeypatch.chdir(folder)
    for words in (
        ("verify", "-", "--documents", "web"),
        ("check", "-"),
        ("stack", "rule.toml", "-"),
        ("agreement", "-", "--blueprint", "blueprint.json"),
        ("demand", "-"),
    ):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"{")))
        code, _, err = _run(capsys, *words)
        assert code == 2
        assert err.startswith("guildmark: standard input"), words
    monkeypatch.setattr(sys, "stdin", None)  # as after `<&-`
    assert _run(capsys, "verify", "-", "--documents", "web")[2].startswith("guildmark: standard input: is closed;")


def test_a_title_from_a_file_cannot_steer_the_terminal(tmp_path, capsys):
    ads = tmp_path / "ads.jsonl"
    ads.write_text(json.dumps({"id": "1", "title": "Clerk\u001b[2J\n=> PASS", "text": "We need SQL"}))
    code, out, _ = _run(capsys, "extract", ads)
    assert code == 0
    assert out.splitlines()[0] == r"1: Clerk\x1b[2J\n=> PASS"


def test_an_open_quote_is_named_as_the_reason_why_the_rows_after_it_are_missing(tmp_path, capsys):
    ads = tmp_path / "ads.csv"
    ads.write_text('id,text\n1,SQL\n2,"Python\n3,Java\n')
    code, out, err = _run(capsys, "demand", ads)
    assert code == 1
    assert "1 of 1  SQL" in out
    assert (
        err
        == "not read: row 2: opens a quote that nothing closes, so it and all after it were not read; close the quote\n"
    )
