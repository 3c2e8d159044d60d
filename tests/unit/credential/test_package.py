"""`guildmark.credential` as a library: what it exports is there, its example runs, and it costs little to load."""

from __future__ import annotations

import doctest
import os
import re
import subprocess
import sys

import pytest
from tests.paths import PROJECT

import guildmark.credential as room

HEAVY = ("django", "scipy", "numpy", "pyld", "lxml", "jsonschema", "typst", "segno", "httpx", "click", "requests")
SAMPLE = PROJECT / "docs" / "sample"

MEASURE = """
import sys, time
start = time.process_time()
from guildmark.credential import (
    NoNetwork, SoftwareSigner, add_proof, bake_credential, extract_credential, sign_document, verify_credential,
)
spent = time.process_time() - start
print(spent, *[name for name in sys.argv[1:] if name in sys.modules])
"""


def _fresh(program: str, *arguments: str) -> list[str]:
    command = [sys.executable, "-c", program, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=PROJECT / "src")
    return done.stdout.split()


def test_each_name_that_it_promises_is_there():
    assert sorted(room.__all__) == sorted(room._PLACES)
    for name in room.__all__:
        assert getattr(room, name) is not None, name
    assert set(room.__all__) <= set(dir(room))


def test_a_name_that_it_does_not_have_is_an_attribute_error():
    with pytest.raises(AttributeError, match="has no attribute 'frobnicate'"):
        _ = room.frobnicate


def test_the_example_in_its_docstring_runs():
    result = doctest.testmod(room, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert result.attempted >= 10
    assert result.failed == 0


def test_loading_it_costs_less_than_three_tenths_of_a_second_and_nothing_heavy():
    runs = [_fresh(MEASURE, *HEAVY) for _ in range(3)]
    assert min(float(run[0]) for run in runs) < 0.3
    assert runs[0][1:] == []


def test_the_package_alone_loads_nothing_before_a_name_is_used():
    program = "import sys, guildmark.credential\nprint(*[m for m in sys.modules if m.startswith('guildmark.')])"
    assert _fresh(program) == ["guildmark.credential"]


def test_a_credential_is_verified_without_anything_of_the_site():
    program = f"""
import sys
for name in {HEAVY[:1] + HEAVY[5:]!r}:
    sys.modules[name] = None  # importing it fails
from datetime import datetime, timezone
from guildmark.adapters.documents import DirectoryFetcher
from guildmark.credential import verify_credential
document = open({str(SAMPLE / "credential.json")!r}, "rb").read()
now = datetime(2026, 12, 1, tzinfo=timezone.utc)
print(verify_credential(document, now=now, fetcher=DirectoryFetcher({str(SAMPLE / "web")!r})).verdict.value)
"""
    assert _fresh(program) == ["pass"]


def test_the_example_in_the_documentation_runs():
    page = (PROJECT / "docs" / "verify.md").read_text(encoding="utf-8")
    (program,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        cwd=PROJECT,
        env={**os.environ, "PYTHONPATH": str(PROJECT / "src")},
    )
    assert done.stdout == "pass\n"


def test_each_command_in_the_documentation_that_needs_no_more_than_the_sample_runs(capsys, monkeypatch):
    from guildmark.cli import main

    monkeypatch.chdir(PROJECT)
    page = (PROJECT / "docs" / "verify.md").read_text(encoding="utf-8")
    shown = [line.split()[1:] for line in page.splitlines() if line.startswith(".venv/bin/guildmark ")]
    codes = []
    for words in shown:
        if words[0] in ("verify", "status"):
            at = [] if words[:2] == ["status", "show"] else ["--now", "2026-12-01T00:00:00Z"]
            with pytest.raises(SystemExit) as ended:
                main([*words, *at])
            codes.append(ended.value.code)
    assert codes == [0, 0, 1, 0]
