"""An anchor on an Ethereum-like chain: 32 bytes as the data of a plain transaction, over JSON-RPC.

No contract: a transaction that carries a digest costs 22,280 gas whatever the number of credentials beneath
it, which is the cheapest of what was measured. The account is one that the node holds unlocked; the key is
never here.

What a node tells is believed only as far as a node can be: an anchor counts as *evidence* when the chain is
one whose blocks outsiders keep, named here by its number and its first block. Development nodes and public
test networks are none of those, whatever number they give themselves.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import httpx

from guildmark.core.doors import AnchorReceipt
from guildmark.core.errors import BrokenInput, OutsideFailure

Call = Callable[[str, Sequence[Any]], Any]
"""Asks the node: (method, params) -> result. Raises OutsideFailure if there is no answer."""

EVIDENCE_CHAINS: Mapping[int, str] = {
    1: "0xd4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3",
}
"""Chain number -> hash of its first block. Ethereum only (EIP-155; go-ethereum `MainnetGenesisHash`).

A number alone is no evidence, since a development node can be started with any. An operator who anchors
elsewhere hands in its own.
"""

_DEVELOPMENT_NODES = (
    "anvil",
    "hardhat",
    "ganache",
    "ethereumjs testrpc",
    "eth-tester",
    "ethereumtester",
    "tevm",
)


class ChainNotKept(OutsideFailure):
    """The chain took the transaction and does not show the digest in it."""


def rpc_call(url: str, *, timeout: float = 10.0, transport: httpx.BaseTransport | None = None) -> Call:
    """Asks a JSON-RPC node over HTTP. The URL may hold a secret, so that errors name its host only."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise BrokenInput("is no http address of a node", where="chain node", hint="write http://127.0.0.1:8545")
    host = parts.hostname

    def call(method: str, params: Sequence[Any]) -> Any:
        question = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}
        try:
            with httpx.Client(timeout=timeout, transport=transport, trust_env=False) as client:
                answer = client.post(url, json=question)
            answer.raise_for_status()
            value = answer.json()
        except (httpx.HTTPError, ValueError) as problem:
            reason = _status(problem) or type(problem).__name__
            raise OutsideFailure(f"the chain node at {host} did not answer {method} ({reason}).") from None
        if not isinstance(value, dict) or value.get("id") != 1:
            raise OutsideFailure(f"the chain node at {host} answered {method} with something that is not JSON-RPC.")
        if value.get("error") is not None:
            error = value["error"]
            says = error.get("message", error) if isinstance(error, dict) else error
            raise OutsideFailure(f"the chain node at {host} refused {method}: {str(says)[:200]}.")
        return value.get("result")

    return call


def _status(problem: Exception) -> str:
    return f"HTTP {problem.response.status_code}" if isinstance(problem, httpx.HTTPStatusError) else ""


class EvmAnchor:
    """An `Anchor` on the chain of one node.

    `node` is the node's URL, or a `Call` of one's own (a chain in process). Without `account` the node's
    first unlocked account pays. A transaction is waited for `patience` seconds, asking every `pause` seconds.
    """

    def __init__(
        self,
        node: str | Call,
        account: str | None = None,
        *,
        evidence_chains: Mapping[int, str] = EVIDENCE_CHAINS,
        patience: float = 60.0,
        pause: float = 0.05,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._call = rpc_call(node) if isinstance(node, str) else node
        self._account, self._evidence_chains = account, evidence_chains
        self._tries, self._pause, self._sleep = max(1, int(patience / pause)), pause, sleep

    def anchor(self, digest: bytes) -> AnchorReceipt:
        """Write 32 bytes to the chain, wait until they are in a block, and read them back.

        OutsideFailure if the node refuses or is too slow (its message names the transaction, which may still
        be taken up later); ChainNotKept if what is read back is not what was written.
        """
        if len(digest) != 32:
            raise BrokenInput(
                f"a digest of {len(digest)} bytes cannot be anchored", hint="hand in a SHA-256 (32 bytes)"
            )
        chain_id = _number(self._call("eth_chainId", []), "eth_chainId")
        account = self._account or self._first_account()
        data = "0x" + digest.hex()
        wanted = {"from": account, "to": account, "value": "0x0", "data": data}
        transaction = _hash(self._call("eth_sendTransaction", [wanted]), "eth_sendTransaction")
        mined = self._wait(transaction)
        facts: dict[str, str | int] = {
            "chain_id": chain_id,
            "transaction": transaction,
            "block_number": _number(mined.get("blockNumber"), "blockNumber"),
            "block_hash": _hash(mined.get("blockHash"), "blockHash"),
            "account": account,
        }
        receipt = AnchorReceipt(f"eip155:{chain_id}", digest, facts, evidence=self._is_evidence(chain_id))
        if mined.get("status") != "0x1" or not self.holds(receipt):
            raise ChainNotKept(f"transaction {transaction} is in a block but does not show the digest; anchor again.")
        return receipt

    def holds(self, receipt: AnchorReceipt) -> bool:
        """Whether this node, asked now, shows the digest in that transaction of that block of its own chain.

        False also after a reorganisation that moved the transaction: its block is no longer the one in the
        receipt. OutsideFailure if the node does not answer.
        """
        chain_id = _number(self._call("eth_chainId", []), "eth_chainId")
        found = self._call("eth_getTransactionByHash", [receipt.facts["transaction"]])
        if chain_id != receipt.facts["chain_id"] or not isinstance(found, dict):
            return False
        block = self._call("eth_getBlockByNumber", [hex(int(receipt.facts["block_number"])), False])
        if not isinstance(block, dict):
            return False
        data = found.get("input", found.get("data"))
        return (
            _same(data, "0x" + receipt.digest.hex())
            and _same(found.get("blockHash"), receipt.facts["block_hash"])
            and _same(block.get("hash"), receipt.facts["block_hash"])
        )

    def is_final(self, receipt: AnchorReceipt) -> bool:
        """Whether the chain calls the receipt's block final and still holds the digest; False where it cannot
        say.
        """
        try:
            block = self._call("eth_getBlockByNumber", ["finalized", False])
        except OutsideFailure:  # an older node does not know the word
            return False
        if not isinstance(block, dict) or not isinstance(block.get("number"), str):
            return False
        return _number(block["number"], "finalized") >= int(receipt.facts["block_number"]) and self.holds(receipt)

    def _first_account(self) -> str:
        accounts = self._call("eth_accounts", [])
        if not isinstance(accounts, list) or not accounts:
            raise OutsideFailure("the chain node holds no unlocked account; name one that it can sign for.")
        return str(accounts[0])

    def _wait(self, transaction: str) -> Mapping[str, Any]:
        for _ in range(self._tries):
            mined = self._call("eth_getTransactionReceipt", [transaction])
            if isinstance(mined, dict) and mined.get("blockHash"):
                return mined
            self._sleep(self._pause)
        raise OutsideFailure(f"transaction {transaction} is in no block yet; look for it later.")

    def _is_evidence(self, chain_id: int) -> bool:
        """A chain that counts, known by its first block, and not told by a node made for development."""
        first = self._evidence_chains.get(chain_id)
        if first is None:
            return False
        try:
            version = str(self._call("web3_clientVersion", [])).lower()
            block = self._call("eth_getBlockByNumber", ["0x0", False])
        except OutsideFailure:
            return False
        if any(name in version for name in _DEVELOPMENT_NODES) or not isinstance(block, dict):
            return False
        return _same(block.get("hash"), first)


def _number(value: Any, what: str) -> int:
    """A JSON-RPC quantity: hexadecimal after 0x."""
    try:
        return int(value, 16)
    except (TypeError, ValueError) as problem:
        raise OutsideFailure(f"the chain node gave no number for {what} ({str(value)[:40]!r}).") from problem


def _hash(value: Any, what: str) -> str:
    if not isinstance(value, str) or len(value) != 66 or not value.startswith("0x"):
        raise OutsideFailure(f"the chain node gave no hash for {what} ({str(value)[:80]!r}).")
    return value.lower()


def _same(one: Any, other: Any) -> bool:
    """Whether two hexadecimal texts say the same; a missing one never does."""
    return isinstance(one, str) and isinstance(other, str) and one.lower() == other.lower()
