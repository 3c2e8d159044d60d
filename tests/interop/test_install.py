"""`pip install .` without extras, into an empty environment: the library and the command are there, and Django is not.

Needs a package index, or a cache that has what the lock file names; without either it counts as a missing peer.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.interop.peers import absent
from tests.paths import PROJECT

pytestmark = [pytest.mark.interop, pytest.mark.slow]

SAMPLE = PROJECT / "docs" / "sample"

PROGRAM = """
import sys, time
start = time.process_time()
from guildmark.credential import verify_credential
spent = time.process_time() - start
from datetime import datetime, timezone
from pathlib import Path
from guildmark.adapters.documents import DirectoryFetcher
folder = Path(sys.argv[1])
now = datetime(2026, 12, 1, tzinfo=timezone.utc)
for name in ("credential.json", "revoked.json"):
    report = verify_credential((folder / name).read_bytes(), now=now, fetcher=DirectoryFetcher(folder / "web"))
    print(report.verdict.value)
import guildmark
print(spent, guildmark.__file__)
"""


def _run(*command: object, fails: str = "") -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
    words = [str(word) for word in command]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=600, env=environment)
    if done.returncode and fails:
        absent(f"{fails}: {done.stderr.strip()[-300:]}")
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of a new environment in which only guildmark and what it needs are installed."""
    folder = tmp_path_factory.mktemp("install")
    uv = shutil.which("uv") or Path(sys.executable).with_name("uv")
    if not Path(uv).exists():
        absent("uv is not installed")
    source = folder / "source"  # a copy, since building writes beside what it builds
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE", "NOTICE"):
        shutil.copy(PROJECT / name, source)
    shutil.copytree(PROJECT / "src", source / "src", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    _run(uv, "venv", "--quiet", "--python", sys.executable, folder / "venv")
    python = folder / "venv" / "bin" / "python"
    install = (uv, "pip", "install", "--quiet", "--python", python, "-c", PROJECT / "requirements.lock", source)
    _run(*install, fails="what guildmark needs cannot be installed here")
    return python.parent


def test_the_library_verifies_the_sample_and_loads_fast(installed):
    for _ in range(2):  # the second time as everybody after the first: what Python compiled is there
        first, second, spent, where = _run(installed / "python", "-c", PROGRAM, SAMPLE).split()
    assert (first, second) == ("pass", "fail")
    assert float(spent) < 0.3
    assert Path(where).is_relative_to(installed.parent), "it is the installed copy"


def test_the_command_verifies_the_sample(installed):
    words = ("verify", SAMPLE / "credential.json", "--documents", SAMPLE / "web", "--now", "2026-12-01T00:00:00Z")
    assert _run(installed / "guildmark", *words).endswith("=> PASS\n")


def test_nothing_of_the_site_was_installed(installed):
    program = "import importlib.util\nprint(*[n for n in ('django', 'ninja', 'PIL') if importlib.util.find_spec(n)])"
    assert _run(installed / "python", "-c", program).split() == []
