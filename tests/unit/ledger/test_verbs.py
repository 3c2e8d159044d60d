"""`guildmark receipt` and `guildmark log fsck`: the report, and an exit code that a script can trust."""

from __future__ import annotations

import json

import pytest
from tests.paths import vectors
from tests.unit.ledger.cast import ORIGIN, Key
from tests.unit.ledger.test_entries import ADA, NONCE

from guildmark.adapters.log_files import SqliteLogStore
from guildmark.cli import main
from guildmark.ledger.entries import credential_leaf
from guildmark.ledger.log import Log
from guildmark.ledger.note import VerifierKey


@pytest.fixture
def folder(tmp_path):
    """A log with three entries, one of them Ada's, and her files."""
    store = SqliteLogStore(tmp_path / "log")
    log = Log(store, Key(), ORIGIN)
    store.append(credential_leaf(ADA | {"number": 1}, NONCE))
    key = store.append(credential_leaf(ADA, NONCE))
    store.append(credential_leaf(ADA | {"number": 2}, NONCE))
    index = log.publish().indexes[key]
    (tmp_path / "ada.tlog-proof").write_text(log.receipt(index, NONCE).to_text())
    (tmp_path / "ada.json").write_text(json.dumps(ADA, indent=2))
    (tmp_path / "mallory.json").write_text(json.dumps(ADA | {"credentialSubject": {"name": "Mallory"}}))
    (tmp_path / "vkey").write_text(f"# the log of Harbour University\n{log.vkey}\n")
    (tmp_path / "other-vkey").write_text(str(VerifierKey.of("else.example/log", Key(b"E" * 32).public_key)))
    store.close()
    return tmp_path


def _run(capsys, *arguments):
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    said = capsys.readouterr()
    return ended.value.code, said.out, said.err


def test_a_receipt_is_checked_offline(folder, capsys):
    receipt, credential = folder / "ada.tlog-proof", folder / "ada.json"
    code, out, _ = _run(capsys, "receipt", receipt, "--credential", credential, "--vkey", folder / "vkey")
    assert code == 0
    assert "ledger.inclusion" in out
    assert "Level S, self-logged only" in out
    key = (folder / "vkey").read_text().splitlines()[1]
    code, out, _ = _run(capsys, "receipt", receipt, "--credential", credential, "--vkey", key, "--json")
    assert code == 0
    assert json.loads(out)["verdict"] == "pass"


def test_the_exit_code_says_not_in_the_log_or_not_a_log_that_is_trusted(folder, capsys):
    receipt = folder / "ada.tlog-proof"
    code, out, _ = _run(capsys, "receipt", receipt, "--credential", folder / "mallory.json", "--vkey", folder / "vkey")
    assert (code, "does not belong to this document" in out) == (1, True)
    code, out, _ = _run(
        capsys, "receipt", receipt, "--credential", folder / "ada.json", "--vkey", folder / "other-vkey"
    )
    assert (code, "No key is trusted" in out) == (3, True)


@pytest.mark.parametrize(
    ("receipt", "credential", "vkey", "says"),
    [
        ("ada.json", "ada.json", "vkey", "line 1 is not"),
        ("nothing", "ada.json", "vkey", "cannot be read"),
        ("ada.tlog-proof", "vkey", "vkey", "not JSON"),
        ("ada.tlog-proof", "ada.json", "nothing", "cannot be read"),
        ("ada.tlog-proof", "ada.json", "ada.json", "verifier key has three parts"),
        ("ada.tlog-proof", "ada.json", "empty", "no verifier key"),
        ("ada.tlog-proof", "ada.json", "log.example+12345678+AAAA", "not of the kind"),
        ("ada.tlog-proof", "broken.png", "vkey", "broken.png: has no end"),
    ],
)
def test_what_cannot_be_read_is_one_sentence_and_exit_code_2(folder, capsys, receipt, credential, vkey, says):
    (folder / "empty").write_text("# nothing\n")
    (folder / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    named = vkey if "+" in vkey else folder / vkey
    code, out, err = _run(capsys, "receipt", folder / receipt, "--credential", folder / credential, "--vkey", named)
    assert (code, out) == (2, "")
    assert says in err
    assert len(err.strip().splitlines()) == 1


def test_fsck_passes_a_whole_log_and_names_the_damage_in_another(folder, capsys):
    public = folder / "log" / "public"
    code, out, _ = _run(capsys, "log", "fsck", public, "--vkey", folder / "vkey")
    assert (code, "The entries lead to the signed root" in out) == (0, True)
    tile = public / "tile/0/000.p/3"
    tile.write_bytes(tile.read_bytes()[:-1] + b"x")
    code, out, _ = _run(capsys, "log", "fsck", public, "--vkey", folder / "vkey", "--json")
    assert code == 1
    failed = [f for f in json.loads(out)["findings"] if f["verdict"] == "fail"]
    assert [(f["id"], f["because"]["problems"]) for f in failed] == [
        ("ledger.entries", ["entry 2 does not hash to its place in the tile"])
    ]
    code, out, _ = _run(capsys, "log", "fsck", public, "--vkey", folder / "other-vkey")
    assert (code, "not signed by a known key" in out) == (1, True)
    code, _, err = _run(capsys, "log", "fsck", folder, "--vkey", folder / "vkey")
    assert (code, "there is no log here" in err) == (2, True)


def test_fsck_reads_a_log_that_tessera_wrote(capsys):
    log = vectors("tessera-log")
    code, _, _ = _run(capsys, "log", "fsck", log, "--vkey", log / "vkey.txt")
    assert code == 0
