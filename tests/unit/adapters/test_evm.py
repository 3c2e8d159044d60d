"""A digest goes to a chain and is read back, on an EVM in this process; a test chain is never evidence."""

from __future__ import annotations

import json

import httpx
import pytest
from tests.unit.ledger.cast import ORIGIN, Key

from guildmark.adapters.evm import EVIDENCE_CHAINS, ChainNotKept, EvmAnchor, rpc_call
from guildmark.core.doors import AnchorReceipt
from guildmark.core.errors import BrokenInput, OutsideFailure
from guildmark.core.report import Verdict
from guildmark.ledger.anchor import anchor_findings
from guildmark.ledger.checkpoint import Checkpoint, checkpoint_digest

CHECKPOINT = Checkpoint(ORIGIN, 7, b"r" * 32).sign(Key())
DIGEST = checkpoint_digest(CHECKPOINT)


class InProcessChain:
    """eth-tester's EVM behind the JSON-RPC methods that an anchor asks for."""

    def __init__(self):
        from eth_tester import EthereumTester, PyEVMBackend

        self.tester = EthereumTester(PyEVMBackend())
        self.chain_id = 131277322940537  # py-evm's own

    def __call__(self, method, params):
        from eth_tester.exceptions import BlockNotFound, TransactionNotFound

        try:
            return getattr(self, method)(*params)
        except (BlockNotFound, TransactionNotFound):
            return None

    def eth_chainId(self):  # noqa: N802 - the node's name for it
        return hex(self.chain_id)

    def web3_clientVersion(self):  # noqa: N802
        return "EthereumTester/0.14"

    def eth_accounts(self):
        return list(self.tester.get_accounts())

    def eth_sendTransaction(self, wanted):  # noqa: N802
        return self.tester.send_transaction({**wanted, "value": int(wanted["value"], 16), "gas": 100_000})

    def eth_getTransactionReceipt(self, transaction):  # noqa: N802
        found = self.tester.get_transaction_receipt(transaction)
        return {
            "blockHash": found["block_hash"],
            "blockNumber": hex(found["block_number"]),
            "status": hex(found["status"]),
            "gasUsed": hex(found["gas_used"]),
        }

    def eth_getTransactionByHash(self, transaction):  # noqa: N802
        found = self.tester.get_transaction_by_hash(transaction)
        return {"input": found["data"], "blockHash": found["block_hash"]}

    def eth_getBlockByNumber(self, number, whole):  # noqa: N802
        found = self.tester.get_block_by_number("finalized" if number == "finalized" else int(number, 16))
        return {"hash": found["hash"], "number": hex(found["number"])}


@pytest.fixture(scope="module")
def chain():
    pytest.importorskip("eth_tester", reason="eth-tester is not installed")
    return InProcessChain()


def test_a_digest_is_written_and_read_back(chain):
    anchor = EvmAnchor(chain)
    receipt = anchor.anchor(DIGEST)
    assert receipt.digest == DIGEST
    assert receipt.chain == "eip155:131277322940537"
    assert receipt.facts["chain_id"] == 131277322940537
    stored = chain.tester.get_transaction_by_hash(receipt.facts["transaction"])
    assert stored["data"] == "0x" + DIGEST.hex()
    assert chain.eth_getTransactionReceipt(receipt.facts["transaction"])["gasUsed"] == hex(22_280)
    assert anchor.holds(receipt)
    json.dumps(dict(receipt.facts))  # plain values: a database keeps them


def test_another_digest_transaction_block_or_chain_is_not_held(chain):
    anchor = EvmAnchor(chain)
    good, other = anchor.anchor(DIGEST), anchor.anchor(bytes(32))
    for facts, digest in (
        (good.facts, b"x" * 32),
        (good.facts | {"transaction": "0x" + "ab" * 32}, DIGEST),
        (good.facts | {"transaction": other.facts["transaction"]}, DIGEST),
        (good.facts | {"block_number": 10_000}, DIGEST),
        (good.facts | {"block_hash": other.facts["block_hash"]}, DIGEST),
        (good.facts | {"chain_id": 1}, DIGEST),
    ):
        assert not anchor.holds(AnchorReceipt(good.chain, digest, facts, good.evidence)), facts


def test_a_reorganised_chain_no_longer_holds_it(chain):
    anchor = EvmAnchor(chain)
    before = chain.tester.take_snapshot()
    receipt = anchor.anchor(DIGEST)
    assert anchor.holds(receipt)
    chain.tester.revert_to_snapshot(before)
    assert not anchor.holds(receipt)
    chain.tester.mine_blocks(2)
    assert not anchor.holds(receipt)


def test_a_test_chain_is_no_evidence_and_says_so(chain):
    anchor = EvmAnchor(chain)
    receipt = anchor.anchor(DIGEST)
    report = anchor_findings(receipt, checkpoint=CHECKPOINT, held=anchor.holds(receipt))
    assert receipt.evidence is False
    assert report["anchor.evidence"].says.startswith("Test chain: no evidence")
    assert report.verdict is Verdict.UNKNOWN
    assert not any(finding.verdict is Verdict.PASS or finding.required for finding in report.findings)


@pytest.mark.parametrize(("number", "version"), [(31337, "anvil/v1.7.1"), (1337, "Geth/v1"), (11155111, "Geth/v1")])
def test_test_chains_are_no_evidence_whatever_node_tells_of_them(chain, number, version):
    assert EvmAnchor(_Says(chain, eth_chainId=hex(number), web3_clientVersion=version)).anchor(DIGEST).evidence is False


def test_a_development_node_that_calls_itself_ethereum_is_no_evidence(chain):
    genesis = {"hash": EVIDENCE_CHAINS[1], "number": "0x0"}
    for version, first, counts in (
        ("anvil/v1.7.1", genesis, False),
        ("Geth/v1.16", {"hash": "0x" + "00" * 32, "number": "0x0"}, False),
        ("Geth/v1.16", None, False),
        ("Geth/v1.16", genesis, True),
    ):
        node = _Says(chain, eth_chainId="0x1", web3_clientVersion=version, first=first)
        assert EvmAnchor(node).anchor(DIGEST).evidence is counts, version


class _Says:
    """A node that answers some questions with what a test wants it to say, the others as the chain does."""

    def __init__(self, chain, **says):
        self.chain, self.says = chain, says

    def __call__(self, method, params):
        if method == "eth_getBlockByNumber" and params[0] == "0x0" and "first" in self.says:
            return self.says["first"]
        if method in self.says:
            value = self.says[method]
            if isinstance(value, Exception):
                raise value
            return value
        return self.chain(method, params)


def test_a_node_that_shows_something_else_than_was_written_is_not_believed(chain):
    lies = _Says(chain, eth_getTransactionByHash={"input": "0x" + "00" * 32, "blockHash": "0x" + "11" * 32})
    with pytest.raises(ChainNotKept, match="does not show the digest"):
        EvmAnchor(lies).anchor(DIGEST)
    reverted = _Says(
        chain, eth_getTransactionReceipt={"blockHash": "0x" + "1" * 64, "blockNumber": "0x1", "status": "0x0"}
    )
    with pytest.raises(ChainNotKept):
        EvmAnchor(reverted).anchor(DIGEST)


@pytest.mark.parametrize(
    ("says", "match"),
    [
        ({"eth_accounts": []}, "no unlocked account"),
        ({"eth_chainId": None}, "no number for eth_chainId"),
        ({"eth_chainId": "nonsense"}, "no number for eth_chainId"),
        ({"eth_sendTransaction": "0x12"}, "no hash for eth_sendTransaction"),
        ({"eth_getTransactionReceipt": None}, "is in no block yet"),
        ({"eth_getTransactionReceipt": {"blockHash": "0x1", "blockNumber": "0x1"}}, "no hash for blockHash"),
        ({"eth_sendTransaction": OutsideFailure("insufficient funds.")}, "insufficient funds"),
    ],
)
def test_a_node_that_does_not_play_along_is_named_in_a_sentence(chain, says, match):
    slept = []
    anchor = EvmAnchor(_Says(chain, **says), patience=0.5, pause=0.1, sleep=slept.append)
    with pytest.raises(OutsideFailure, match=match):
        anchor.anchor(DIGEST)
    assert len(slept) in (0, 5)


def test_final_is_what_the_chain_calls_final(chain):
    receipt = EvmAnchor(chain).anchor(DIGEST)
    number = receipt.facts["block_number"]

    class Finality(_Says):
        def __call__(self, method, params):
            if method == "eth_getBlockByNumber" and params[0] == "finalized":
                if isinstance(self.says["finalized"], Exception):
                    raise self.says["finalized"]
                return self.says["finalized"]
            return self.chain(method, params)

    for finalized, final in (
        ({"number": hex(number)}, True),
        ({"number": hex(number - 1)}, False),
        (None, False),
        (OutsideFailure("unknown block tag."), False),
    ):
        assert EvmAnchor(Finality(chain, finalized=finalized)).is_final(receipt) is final


def test_only_a_sha256_digest_is_anchored(chain):
    with pytest.raises(BrokenInput, match="31 bytes"):
        EvmAnchor(chain).anchor(bytes(31))


# --- what the findings say -------------------------------------------------------------------------------

EVIDENCE = AnchorReceipt("eip155:1", DIGEST, {"chain_id": 1, "transaction": "0xab"}, evidence=True)
TEST = AnchorReceipt("eip155:31337", DIGEST, {"chain_id": 31337, "transaction": "0xab"}, evidence=False)


@pytest.mark.parametrize(
    ("receipt", "held", "verdict"),
    [
        (EVIDENCE, True, Verdict.PASS),
        (EVIDENCE, None, Verdict.UNKNOWN),
        (EVIDENCE, False, Verdict.FAIL),
        (TEST, True, Verdict.UNKNOWN),
        (TEST, None, Verdict.UNKNOWN),
        (TEST, False, Verdict.UNKNOWN),
    ],
)
def test_an_anchor_passes_only_on_a_chain_that_counts_and_was_asked(receipt, held, verdict):
    assert anchor_findings(receipt, checkpoint=CHECKPOINT, held=held).verdict is verdict


def test_the_digest_of_another_checkpoint_fails_on_any_chain():
    other = Checkpoint(ORIGIN, 8, b"s" * 32).sign(Key())
    for receipt in (EVIDENCE, TEST):
        assert anchor_findings(receipt, checkpoint=other, held=True).verdict is Verdict.FAIL
    assert anchor_findings(EVIDENCE, held=True).verdict is Verdict.UNKNOWN


# --- over HTTP -------------------------------------------------------------------------------------------


def _node(answer):
    return rpc_call("http://user:secret@node.example:8545/key", transport=httpx.MockTransport(answer))


def test_a_question_is_json_rpc():
    def answer(request):
        asked = json.loads(request.content)
        assert (asked["jsonrpc"], asked["method"], asked["params"]) == ("2.0", "eth_chainId", [1])
        return httpx.Response(200, json={"jsonrpc": "2.0", "id": asked["id"], "result": "0x1"})

    assert _node(answer)("eth_chainId", [1]) == "0x1"


@pytest.mark.parametrize(
    ("response", "says"),
    [
        (httpx.Response(500), "HTTP 500"),
        (httpx.Response(200, text="<html>"), "did not answer"),
        (httpx.Response(200, json=[]), "not JSON-RPC"),
        (httpx.Response(200, json={"id": 7, "result": "0x1"}), "not JSON-RPC"),
        (
            httpx.Response(200, json={"id": 1, "error": {"code": -3, "message": "no funds"}}),
            "refused .*no funds",
        ),
        (httpx.Response(200, json={"id": 1, "error": "odd"}), "refused .*odd"),
        (httpx.ConnectError("refused"), "ConnectError"),
    ],
)
def test_a_node_that_fails_is_named_by_its_host_without_the_secret(response, says):
    def answer(request):
        if isinstance(response, Exception):
            raise response
        return response

    with pytest.raises(OutsideFailure, match=says) as raised:
        _node(answer)("eth_chainId", [])
    assert "node.example" in str(raised.value)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "node", "http://", ""])
def test_what_is_no_address_of_a_node_is_refused(url):
    with pytest.raises(BrokenInput, match="no http address"):
        rpc_call(url)
