"""How the process ends and what it prints where the world is not as a developer's: encodings, pipes, signals, defects.

Each program here runs in a process of its own, since what is tested belongs to the process.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import click
import pytest

import guildmark.cli
from guildmark.cli import main
from guildmark.core.codecs import jcs
from tests.cli.test_verify import publish
from tests.unit.credential.award_cast import signed_award, web

GUILDMARK = (sys.executable, "-c", "from guildmark.cli import main; main()")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with a space and letters of all kinds in its name: a credential, and what a verifier would fetch."""
    folder = tmp_path_factory.mktemp("Prüfung 証明")
    publish(web(), folder / "web")
    (folder / "credential.json").write_bytes(jcs(signed_award()))
    return folder


VERIFY = ("verify", "credential.json", "--documents", "web", "--now", "2026-11-24T10:00:00Z")


def _guildmark(*words, cwd=None, **environment):
    return subprocess.run(
        [*GUILDMARK, *words], cwd=cwd, env={**os.environ, **environment}, capture_output=True, check=False
    )


@pytest.mark.parametrize(
    "environment",
    [{"LC_ALL": "C"}, *({"PYTHONIOENCODING": name} for name in ("ascii", "latin-1", "cp1252", "utf-16"))],
    ids=lambda environment: next(iter(environment.values())),
)
def test_any_encoding_of_the_terminal_will_do(environment, place):
    encoding = environment.get("PYTHONIOENCODING", "utf-8").replace("ascii", "utf-8")  # click writes UTF-8 to ASCII
    done = _guildmark(*VERIFY, cwd=place, **environment)
    assert done.returncode == 0, done.stderr
    assert "=> PASS" in done.stdout.decode(encoding)
    done = _guildmark(*VERIFY, "--json", cwd=place, **environment)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout.decode(encoding))
    assert report["subject"].startswith("“Data analysis")


def test_a_file_name_that_is_no_text_is_printed_all_the_same(tmp_path):
    name = os.fsdecode(b"caf\xe9.txt")
    (tmp_path / name).write_text("We need SQL.")
    done = _guildmark("extract", name, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert b"SQL" in done.stdout
    missing = _guildmark("verify", os.fsdecode(b"\xff"), cwd=tmp_path)
    assert missing.returncode == 2
    assert missing.stderr.count(b"\n") == 1


def test_a_reader_that_goes_away_is_no_verdict(place):
    program = f"import os; os.environ['PYTHONUNBUFFERED'] = '1'; {GUILDMARK[-1]}"
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-c", program, *VERIFY], cwd=place, stdout=writer, stderr=subprocess.PIPE, check=False
    )
    os.close(writer)
    assert done.returncode == 141
    assert done.stderr == b""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full on this system")
@pytest.mark.parametrize("options", [(), ("--json",)])
def test_a_full_disk_behind_the_output_is_no_verdict(place, options):
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [*GUILDMARK, *VERIFY, *options], cwd=place, stdout=full, stderr=subprocess.PIPE, check=False
        )
    assert done.returncode == 2
    assert done.stderr.decode() == (
        "guildmark: the output: cannot be used (No space left on device); check the path and the disk.\n"
    )


def test_an_interruption_is_no_verdict(place):
    waiting = subprocess.Popen(
        [*GUILDMARK, "verify", "-", "--documents", "web"],
        cwd=place,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    time.sleep(1.5)  # it has started by then and waits for standard input
    waiting.send_signal(signal.SIGINT)
    out, err = waiting.communicate(timeout=20)
    assert waiting.returncode == 130
    assert (out, err) == (b"", b"guildmark: stopped before it was done.\n")


def test_a_defect_is_no_verdict_and_says_that_it_is_ours(monkeypatch, capsys):
    @click.command()
    def broken():
        raise KeyError("a defect")

    monkeypatch.setattr(guildmark.cli.cli, "get_command", lambda context, name: broken)
    with pytest.raises(SystemExit) as ended:
        main(["verify"])
    assert ended.value.code == 70
    err = capsys.readouterr().err
    assert "KeyError: 'a defect'" in err
    assert err.endswith("guildmark: this is a defect of guildmark and says nothing about your input.\n")


@pytest.mark.parametrize(
    ("environment", "code", "says"),
    [
        ({}, 2, "the database is not ready for this version; run guildmark site migrate first"),
        ({"GUILDMARK_HOME": "/dev/null/x"}, 2, "/dev/null/x/secrets: cannot be used (Not a directory)"),
        ({"GUILDMARK_DATABASE_URL": "mysql://x"}, 2, "settings: GUILDMARK_DATABASE_URL starts with 'mysql'"),
        ({"GUILDMARK_BASE_URL": "http://mill.example"}, 2, "settings: GUILDMARK_BASE_URL is 'http://mill.example'"),
        ({"GUILDMARK_DATABASE_URL": "postgres://x@127.0.0.1:1/x"}, 3, "The database could not do this (connection"),
        ({"GUILDMARK_DATABASE_URL": "sqlite:////dev/null/x"}, 3, "The database could not do this (unable to open"),
    ],
)
def test_a_site_that_is_not_set_up_says_what_to_do(environment, code, says, tmp_path):
    settings = {"GUILDMARK_HOME": str(tmp_path), "GUILDMARK_DATABASE_URL": f"sqlite:///{tmp_path}/x.sqlite3"}
    done = _guildmark("site", "consent", "a@example.org", "matching", cwd=tmp_path, **{**settings, **environment})
    err = done.stderr.decode()
    assert done.returncode == code, err
    assert err.startswith(f"guildmark: {says}")
    assert err.count("\n") == 1
