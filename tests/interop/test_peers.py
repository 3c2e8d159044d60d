"""A missing peer is a skip with its reason, and a failure where all peers are asked for."""

from __future__ import annotations

import json
import re

import pytest

from tests.interop.peers import HERE, absent, need_packages
from tests.paths import PROJECT


def test_a_missing_peer_is_a_skip_that_says_what_to_do(monkeypatch):
    monkeypatch.delenv("GUILDMARK_REQUIRE_PEERS", raising=False)
    with pytest.raises(pytest.skip.Exception, match="npm ci"):
        absent("anvil is not installed: run `npm ci` in tests/interop")


def test_a_missing_peer_is_a_failure_in_ci(monkeypatch):
    monkeypatch.setenv("GUILDMARK_REQUIRE_PEERS", "1")
    with pytest.raises(pytest.fail.Exception, match="no-such-package"):
        need_packages("@guildmark/no-such-package")


def test_a_machine_without_node_is_a_missing_peer(monkeypatch):
    monkeypatch.setenv("GUILDMARK_REQUIRE_PEERS", "1")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(pytest.fail.Exception, match="node is not installed"):
        need_packages("@digitalbazaar/vc")


# --- The page about them ---


def _exchanged() -> list[list[str]]:
    """The cells of each line of the table of what is exchanged."""
    page = (PROJECT / "docs" / "peers.md").read_text(encoding="utf-8")
    table = page.partition("## What is exchanged")[2].partition("## Where we disagree")[0]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table.splitlines() if line[:5] in PEERS]


PEERS = {"| npm", "| PyP"}


def test_each_peer_is_told_with_the_version_that_is_installed():
    pinned = json.loads((HERE / "package-lock.json").read_bytes())["packages"]
    versions = {name.removeprefix("node_modules/"): found.get("version") for name, found in pinned.items()}
    locked = (PROJECT / "requirements-test.lock").read_text(encoding="utf-8").lower()
    for kind, name, version in (row[0].split() for row in _exchanged()):
        if kind == "npm":
            assert versions.get(name) == version, name
        else:
            assert f"\n{name.lower()}=={version}" in f"\n{locked}", name
    named = {row[0].split()[1] for row in _exchanged()}
    asked_for = {
        "@digitalbazaar/vc",
        "@digitalcredentials/verifier-core",
        "jose",
        "openvc-core",
        "openbadgeslib",
        "sd-jwt",
    }
    assert asked_for <= named


def test_each_exchange_that_is_told_is_a_test_that_there_is():
    tests = "".join(path.read_text(encoding="utf-8") for path in HERE.glob("test_*.py"))
    there = set(re.findall(r"^def (test_\w+)", tests, re.MULTILINE))
    told = {name for row in _exchanged() for cell in row[2:] for name in re.findall(r"`(test_\w+)`", cell)}
    assert len(told) > 20
    assert told - there == set()
