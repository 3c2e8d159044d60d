"""A missing peer is a skip with its reason, and a failure where all peers are asked for."""

from __future__ import annotations

import pytest

from tests.interop.peers import absent, need_packages


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
