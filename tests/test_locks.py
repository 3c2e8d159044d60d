"""The lock files pin everything by hash, name no host, and agree with pyproject.toml."""

from __future__ import annotations

import json
import re
import tomllib

import pytest

from tests.paths import PROJECT

LOCKS = {"requirements.lock": ("app",), "requirements-test.lock": ("app", "test")}


def _pins(name: str) -> dict[str, str]:
    """Name -> the requirement with its hashes, one text each."""
    text = (PROJECT / name).read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return {re.split(r"[=\[; ]", line, maxsplit=1)[0].lower().replace("_", "-"): line for line in lines}


def _wanted(extras: tuple[str, ...]) -> set[str]:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = [*project["dependencies"], *(r for e in extras for r in project["optional-dependencies"][e])]
    return {re.split(r"[\[<>=;! ]", r, maxsplit=1)[0].lower().replace("_", "-") for r in named}


@pytest.mark.parametrize("name", LOCKS)
def test_every_pin_has_an_exact_version_and_hashes(name):
    for package, line in _pins(name).items():
        assert re.search(r"==\S+", line), package
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", line), package


@pytest.mark.parametrize("name", LOCKS)
def test_no_lock_names_a_host(name):
    text = (PROJECT / name).read_text(encoding="utf-8")
    assert not re.search(r"https?://|file://|--(extra-)?index-url|--find-links|@ ", text)


@pytest.mark.parametrize(("name", "extras"), LOCKS.items())
def test_everything_that_pyproject_asks_for_is_locked(name, extras):
    assert _wanted(extras) - set(_pins(name)) == set()


def test_what_the_tests_need_contains_what_running_needs():
    run, test = _pins("requirements.lock"), _pins("requirements-test.lock")
    different = {p for p, line in run.items() if test.get(p, "").split(" --hash")[0] != line.split(" --hash")[0]}
    assert different == set()


def test_the_npm_lock_has_integrity_and_names_no_host():
    lock = json.loads((PROJECT / "tests" / "interop" / "package-lock.json").read_bytes())
    packages = {name: facts for name, facts in lock["packages"].items() if name}
    assert packages
    assert [name for name, facts in packages.items() if "integrity" not in facts] == []
    assert [name for name, facts in packages.items() if "resolved" in facts] == []
    assert "omit-lockfile-registry-resolved=true" in (PROJECT / ".npmrc").read_text(encoding="utf-8")
