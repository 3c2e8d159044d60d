"""A checkpoint is anchored on a real node, `anvil`, over HTTP: written, read back, lost in a reorganisation.

The binary comes from the npm package @foundry-rs/anvil, installed by `npm ci` in this folder.
"""

from __future__ import annotations

import socket
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from guildmark.adapters.evm import EvmAnchor, rpc_call
from guildmark.core.errors import OutsideFailure
from guildmark.core.report import Verdict
from guildmark.ledger.anchor import anchor_findings
from guildmark.ledger.checkpoint import checkpoint_digest
from guildmark.ledger.log import Log
from tests.interop.peers import MODULES, absent
from tests.unit.ledger.cast import ORIGIN, Key, MemoryStore
from tests.unit.ledger.test_log import _leaf

pytestmark = pytest.mark.interop


def _binary() -> Path:
    """The node's binary, not npm's start script: that one outlives a signal to it."""
    found = sorted((MODULES / "@foundry-rs").glob("anvil-*/bin/anvil*"))
    if found:
        return found[0]
    absent("anvil is not installed: run `npm ci` in tests/interop")


@contextmanager
def _anvil(*options: str):
    """A node on a free port of this machine only; stopped at the end. Yields its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [str(_binary()), "--host", "127.0.0.1", "--port", str(port), "--silent", *options]
    node = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        url = f"http://127.0.0.1:{port}"
        call = rpc_call(url, timeout=2)
        for _ in range(200):
            try:
                call("eth_chainId", [])
                break
            except OutsideFailure:
                assert node.poll() is None, "anvil ended at once"
                time.sleep(0.05)
        else:
            pytest.fail("anvil did not answer within 10 seconds")
        yield url
    finally:
        node.terminate()
        try:
            node.wait(timeout=10)
        except subprocess.TimeoutExpired:
            node.kill()
            node.wait()


@pytest.fixture(scope="module")
def anvil():
    with _anvil() as url:
        yield url


@pytest.fixture(scope="module")
def checkpoint():
    store = MemoryStore()
    for number in range(3):
        store.append(_leaf(number))
    return Log(store, Key(), ORIGIN).publish().text


def test_a_checkpoint_is_anchored_and_read_back(anvil, checkpoint):
    anchor = EvmAnchor(anvil)
    receipt = anchor.anchor(checkpoint_digest(checkpoint))
    assert receipt.chain == "eip155:31337"
    assert anchor.holds(receipt)
    seen = rpc_call(anvil)("eth_getTransactionByHash", [receipt.facts["transaction"]])
    assert seen["input"] == "0x" + checkpoint_digest(checkpoint).hex()
    cost = rpc_call(anvil)("eth_getTransactionReceipt", [receipt.facts["transaction"]])["gasUsed"]
    assert int(cost, 16) == 22_280


def test_it_is_shown_as_a_test_chain_without_evidence(anvil, checkpoint):
    anchor = EvmAnchor(anvil)
    receipt = anchor.anchor(checkpoint_digest(checkpoint))
    report = anchor_findings(receipt, checkpoint=checkpoint, held=anchor.holds(receipt))
    assert report["anchor.evidence"].says.startswith("Test chain: no evidence")
    assert report.verdict is Verdict.UNKNOWN


def test_the_first_blocks_of_a_node_are_not_yet_final(anvil, checkpoint):
    anchor = EvmAnchor(anvil)
    receipt = anchor.anchor(checkpoint_digest(checkpoint))
    assert not anchor.is_final(receipt)
    rpc_call(anvil)("anvil_mine", [hex(100)])
    assert anchor.is_final(receipt)


def test_after_a_reorganisation_the_anchor_is_gone(anvil, checkpoint):
    call, anchor = rpc_call(anvil), EvmAnchor(anvil)
    before = call("evm_snapshot", [])
    receipt = anchor.anchor(checkpoint_digest(checkpoint))
    assert anchor.holds(receipt)
    assert call("evm_revert", [before]) is True
    assert not anchor.holds(receipt)


def test_a_node_that_mines_nothing_is_waited_for_and_then_named(checkpoint):
    with _anvil("--no-mining") as url:
        anchor = EvmAnchor(url, patience=0.3, pause=0.05)
        with pytest.raises(OutsideFailure, match="is in no block yet"):
            anchor.anchor(checkpoint_digest(checkpoint))


def test_a_node_that_calls_itself_ethereum_is_still_no_evidence(checkpoint):
    with _anvil("--chain-id", "1") as url:
        receipt = EvmAnchor(url).anchor(checkpoint_digest(checkpoint))
        assert receipt.chain == "eip155:1"
        assert receipt.evidence is False


def test_a_stopped_node_is_an_outside_failure(checkpoint):
    with _anvil() as url:
        pass
    with pytest.raises(OutsideFailure, match=r"the chain node at 127\.0\.0\.1 did not answer"):
        EvmAnchor(url).anchor(checkpoint_digest(checkpoint))
