"""`guildmark verify`: findings one by one, and an exit code that a script can trust."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from guildmark.cli import main
from guildmark.core.codecs import jcs
from guildmark.core.report import Report, Verdict
from guildmark.credential.bake import bake
from tests.unit.credential.award_cast import LIST, Web, signed_award, signed_larger, web

NOW = ("--now", "2026-11-24T10:00:00Z")
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"></svg>'


def publish(place: Web, folder: Path) -> Path:
    """The documents as files with their index, as `guildmark` publishes them."""
    folder.mkdir()
    index = {}
    for number, (url, body) in enumerate(place.documents.items()):
        (folder / f"{number}.json").write_bytes(body)
        index[url] = {"file": f"{number}.json", "type": "application/json"}
    (folder / "index.json").write_text(json.dumps(index))
    return folder


Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run `guildmark verify` on bytes against a place; (exit code, standard output, standard error)."""

    def run(data: bytes | Any, *options: str, place: Web | None = None) -> tuple[int, str, str]:
        file = tmp_path / "credential.json"
        file.write_bytes(data if isinstance(data, bytes) else jcs(data))
        folder = tmp_path / "web"
        if not folder.exists():
            publish(place or web(), folder)
        with pytest.raises(SystemExit) as ended:
            main(["verify", str(file), "--documents", str(folder), *NOW, *options])
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return run


def test_a_credential_that_holds_exits_0_with_its_findings_line_by_line(run: Run) -> None:
    code, out, err = run(signed_award())
    assert code == 0
    assert err == ""
    lines = out.splitlines()
    assert lines[0] == "“Data analysis with SQL and Python for operations”, issued by Harbour University"
    assert lines[-1] == "=> PASS"
    assert any("status.revocation" in line and "Neither revoked nor suspended" in line for line in lines)
    assert len(lines) == 14


@pytest.mark.parametrize(
    ("state", "says"),
    [
        (("revoked", "misconduct"), "Revoked: misconduct was established."),
        (("suspended", "appeal"), "Suspended: an appeal is open."),
    ],
)
def test_a_revoked_or_suspended_credential_exits_1_and_names_the_reason(
    run: Run, state: tuple[str, str], says: str
) -> None:
    code, out, _ = run(signed_award(), place=web(award=state))
    assert code == 1
    assert says in out
    assert out.endswith("=> FAIL\n")


def test_a_changed_credential_exits_1(run: Run) -> None:
    code, out, _ = run({**signed_award(), "name": "Master of Data Science"})
    assert code == 1
    assert "FAIL proof.signature The signature does not hold" in " ".join(out.split())


def test_a_missing_status_list_exits_3(run: Run) -> None:
    place = web()
    del place.documents[LIST]
    code, out, _ = run(signed_award(), place=place)
    assert code == 3
    assert "unknown status.revocation Whether it was withdrawn cannot be told" in " ".join(out.split())
    assert out.endswith("=> UNKNOWN\n")


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"{", "not JSON at line 1 column 2"),
        (jcs(signed_award())[:-40], "not JSON at line 1"),
        (b"", "is empty; paste or upload the whole credential."),
        (b"\x00\x01\x02\xff" * 30, "is neither JSON text nor a PNG or SVG image"),
        (SVG, "carries no credential; choose the badge file that the issuer sent."),
        (b"\x89PNG\r\n\x1a\n", "has no end chunk; copy the whole file again."),
    ],
)
def test_what_cannot_be_read_exits_2_with_one_sentence_naming_the_file(run: Run, data: bytes, says: str) -> None:
    code, out, err = run(data)
    assert code == 2
    assert out == ""
    assert err.startswith("guildmark: ")
    assert "credential.json: " in err
    assert says in err
    assert err.count("\n") == 1


def test_a_badge_image_and_a_transcript_are_verified_too(run: Run) -> None:
    assert run(bake(SVG, jcs(signed_award())))[0] == 0
    code, out, _ = run(signed_larger())
    assert code == 0
    assert "components.3" in out


def test_json_is_the_whole_report(run: Run) -> None:
    code, out, _ = run(signed_award(), "--json")
    assert code == 0
    report = Report.from_json(json.loads(out))
    assert report.verdict is Verdict.PASS
    assert report["status.revocation"].because["index"] == 94567


def test_another_moment_gives_another_answer(run: Run) -> None:
    code, out, _ = run(signed_award(), "--now", "2031-01-01T00:00:00Z")
    assert code == 1
    assert "Expired on 2029-11-24." in out


@pytest.mark.parametrize(("who", "code"), [("zoe.nguyen@example.org", 0), ("x@example.org", 1), ("did:example:x", 3)])
def test_the_recipient_is_checked_if_asked(run: Run, who: str, code: int) -> None:
    assert run(signed_award(), "--recipient", who)[0] == code


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--now", "tomorrow"), "--now: 'tomorrow' is not a date and time"),
        (("--now", "2026-11-24T10:00:00"), "has no time zone"),
        (("--documents", "no-such-folder"), "cannot be read"),
    ],
)
def test_a_call_that_cannot_be_understood_exits_2(run: Run, options: tuple[str, ...], says: str) -> None:
    code, _, err = run(signed_award(), *options)
    assert code == 2
    assert says in err
    assert err.count("\n") == 1


def test_a_file_that_is_not_there_exits_2(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["verify", str(tmp_path / "none.json"), "--documents", str(tmp_path)])
    assert ended.value.code == 2
    assert "none.json: cannot be read" in capsys.readouterr().err


def test_standard_input_is_read_and_django_is_not_needed(tmp_path: Path) -> None:
    folder = publish(web(), tmp_path / "web")
    program = (
        "import sys; sys.modules['django'] = None; from guildmark.cli import main; "
        f"main(['verify', '-', '--documents', {str(folder)!r}, '--now', '2026-11-24T10:00:00Z'])"
    )
    done = subprocess.run([sys.executable, "-c", program], input=jcs(signed_award()), capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    broken = subprocess.run([sys.executable, "-c", program], input=b"{", capture_output=True, check=False)
    assert broken.returncode == 2
    assert broken.stderr.decode().startswith("guildmark: standard input: not JSON")
