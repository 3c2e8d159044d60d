"""The arrows hold: the contracts pass, and each kind of violation, planted in a copy of the source, is caught.

A contract that nobody has seen fail may be checking nothing.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from itertools import pairwise
from pathlib import Path

import pytest

from tests.paths import PROJECT

BIN = Path(sys.executable).parent
ROOMS = ("core", "skills", "design", "assess", "ledger", "credential", "pathways")
DOWNSTREAM = ("core", "skills", "design", "assess", "credential", "pathways", "adapters", "app", "cli")
"""The story in order; `ledger` stands beside `assess`, neither knows the other."""

STORY = "The story runs one way: imports point upstream"
INSIDE_APP = "Inside the app: web, api and tasks call services, services call queries, queries read records"
FORBIDDEN = "Rooms know no framework, no network, no other process"


def lint_imports(project: Path) -> tuple[int, str]:
    """(exit code, report on one line) of import-linter over the source in `project`."""
    done = subprocess.run(
        [BIN / "lint-imports", "--no-cache", "--no-logo"],
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(project / "src"), "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.returncode, " ".join((done.stdout + done.stderr).split())


@pytest.fixture
def copy(tmp_path) -> Path:
    """A copy of the source with its configuration, to plant things in."""
    shutil.copytree(PROJECT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    shutil.copy(PROJECT / "pyproject.toml", tmp_path)
    return tmp_path


def plant(project: Path, module: str, text: str) -> None:
    file = project / "src" / Path(*module.split(".")).with_suffix(".py")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"from __future__ import annotations\n\n{text}\n", encoding="utf-8")


def test_the_three_contracts_are_kept():
    code, report = lint_imports(PROJECT)
    assert code == 0, report
    assert [name for name in (STORY, INSIDE_APP, FORBIDDEN) if f"{name} KEPT" not in report] == []
    assert "Contracts: 3 kept, 0 broken." in report


def test_every_room_is_under_the_contract_that_forbids():
    contracts = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    (forbidden,) = [c for c in contracts if c["type"] == "forbidden"]
    assert set(forbidden["source_modules"]) == {f"guildmark.{room}" for room in ROOMS}
    (story,) = [c for c in contracts if c["name"] == STORY]
    assert story["exhaustive"] is True


def test_a_copy_without_anything_planted_passes(copy):
    code, report = lint_imports(copy)
    assert code == 0, report


def test_an_import_from_a_later_room_is_caught_in_every_room(copy):
    pairs = list(pairwise(DOWNSTREAM))
    pairs += [("ledger", "credential"), ("assess", "ledger"), ("ledger", "assess")]
    for room, later in pairs:
        plant(copy, f"guildmark.{room}.planted_{later}", f"import guildmark.{later}")
    code, report = lint_imports(copy)
    assert code == 1
    assert f"{STORY} BROKEN" in report
    missed = [
        (room, later) for room, later in pairs if f"guildmark.{room}.planted_{later} -> guildmark.{later}" not in report
    ]
    assert missed == []


def test_a_package_that_has_no_place_in_the_story_is_caught(copy):
    plant(copy, "guildmark.utils.__init__", "")
    code, report = lint_imports(copy)
    assert code == 1
    assert "The following modules are not listed as layers: - guildmark.utils" in report


def test_the_layers_inside_the_app_are_caught(copy):
    planted = {
        "guildmark.app.records.planted": "guildmark.app.queries.design",
        "guildmark.app.queries.planted": "guildmark.app.services.design",
        "guildmark.app.services.planted": "guildmark.app.web.public",
        "guildmark.app.tasks.planted": "guildmark.app.web.public",
    }
    for module, imported in planted.items():
        plant(copy, module, f"import {imported}")
    code, report = lint_imports(copy)
    assert code == 1
    assert f"{INSIDE_APP} BROKEN" in report
    assert [m for m, i in planted.items() if f"{m} -> {i}" not in report] == []


def test_a_framework_the_network_or_another_process_is_caught_in_every_room(copy):
    outside = ("django", "http.client", "socket", "requests", "httpx", "subprocess", "pydantic")
    for room, module in zip(ROOMS, outside, strict=True):
        plant(copy, f"guildmark.{room}.planted", f"import {module}")
    # Not only at the top of a file, and not only directly.
    plant(copy, "guildmark.design.hidden", "def ask() -> None:\n    import ninja")
    plant(copy, "guildmark.core.through", "import django.db")
    plant(copy, "guildmark.skills.indirect", "import guildmark.core.through")
    code, report = lint_imports(copy)
    assert code == 1
    assert f"{FORBIDDEN} BROKEN" in report
    for room, module in zip(ROOMS, outside, strict=True):
        assert f"guildmark.{room}.planted -> {module.partition('.')[0]}" in report
    assert "guildmark.design.hidden -> ninja" in report
    assert "guildmark.skills is not allowed to import django" in report


# --- Clock, randomness, ids and network by other doors: ruff's banned APIs ---

BANNED = {
    "from datetime import datetime\n\ndatetime.now()": "datetime.datetime.now",
    "import datetime\n\ndatetime.datetime.now(datetime.UTC)": "datetime.datetime.now",
    "from datetime import datetime as d\n\nd.utcnow()": "datetime.datetime.utcnow",
    "from datetime import date\n\ndate.today()": "datetime.date.today",
    "import time\n\ntime.time()": "time.time",
    "from time import time": "time.time",
    "import random": "random",
    "from random import choice": "random",
    "import secrets": "secrets",
    "from secrets import token_bytes": "secrets",
    "from uuid import uuid4": "uuid.uuid4",
    "import uuid\n\nuuid.uuid4()": "uuid.uuid4",
    "import urllib.request": "urllib.request",
    "from urllib.request import urlopen": "urllib.request",
    "from urllib import request": "urllib.request",
    "import os\n\nos.urandom(8)": "os.urandom",
}


def banned(text: str, path: str) -> list[str]:
    """The banned APIs that ruff, configured as this project is, sees in `text` as if it lay at `path`."""
    done = subprocess.run(
        [
            BIN / "ruff",
            "check",
            "--select",
            "TID251",
            "--no-cache",
            "--output-format",
            "concise",
            "--stdin-filename",
            path,
            "-",
        ],
        cwd=PROJECT,
        input=text,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode in (0, 1), done.stderr
    return re.findall(r"TID251 `([\w.]+)` is banned", done.stdout)


@pytest.mark.parametrize(("text", "api"), BANNED.items())
def test_clock_randomness_ids_and_network_are_banned_in_a_room(text, api):
    assert api in banned(text, "src/guildmark/core/planted.py")


@pytest.mark.parametrize("room", ROOMS)
def test_they_are_banned_in_every_room(room):
    everything = "\n".join(BANNED)
    assert set(banned(everything, f"src/guildmark/{room}/deep/planted.py")) == set(BANNED.values())


@pytest.mark.parametrize("outside", ["app", "cli", "adapters"])
def test_they_are_allowed_where_the_world_begins(outside):
    assert banned("\n".join(BANNED), f"src/guildmark/{outside}/planted.py") == []


def test_no_room_switches_the_ban_off_for_itself():
    quiet = [
        f"{file.relative_to(PROJECT)}:{number}"
        for room in ROOMS
        for file in sorted((PROJECT / "src" / "guildmark" / room).rglob("*.py"))
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1)
        if re.search(r"#\s*(noqa(?!: *[A-Z])|noqa:.*TID251|ruff: *noqa)", line)
    ]
    assert quiet == []


# --- Verbs on files work without Django ---

WITHOUT_DJANGO = """
import sys

class NoDjango:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("django", "django_tasks", "django_tasks_db", "psycopg"):
            raise ModuleNotFoundError(f"{name} is not installed here", name=name)
        return None

sys.meta_path.insert(0, NoDjango())
try:
    import django
except ModuleNotFoundError:
    pass
else:
    raise SystemExit("the blocker does not block")

from click.testing import CliRunner
from guildmark.cli import cli

for words in (["--help"], *([verb, "--help"] for verb in sys.argv[1].split(",")), ["check", sys.argv[2]]):
    done = CliRunner().invoke(cli, words)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    print(*words[:2], done.exit_code, sep="|")
assert not [name for name in sys.modules if name.partition(".")[0] == "django"]
"""


def test_verbs_on_files_work_without_django_installed():
    sample = PROJECT / "src" / "guildmark" / "design" / "samples" / "data-protection.json"
    verbs = ("verify", "check", "receipt", "agreement", "log")
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_DJANGO, ",".join(verbs), sample],
        env={k: v for k, v in os.environ.items() if not k.startswith("DJANGO")},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    said = done.stdout.splitlines()
    assert said == ["--help|0", *(f"{verb}|--help|0" for verb in verbs), f"check|{sample}|1"]
