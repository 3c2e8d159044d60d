"""What an anchor on a chain says about a checkpoint, in plain words.

A chain can say that a digest existed when a block was made. On a test chain anybody can make any block, so
that such an anchor shows that the code works and proves nothing: "test chain: no evidence".
"""

from __future__ import annotations

from guildmark.core.doors import AnchorReceipt
from guildmark.core.report import Finding, Report, Verdict
from guildmark.ledger.checkpoint import checkpoint_digest

NO_EVIDENCE = (
    "Test chain: no evidence. Outsiders do not keep its blocks: the anchor shows that anchoring works, and "
    "nothing about when the log existed."
)


def anchor_findings(
    receipt: AnchorReceipt, *, checkpoint: str | bytes | None = None, held: bool | None = None
) -> Report:
    """What `receipt` is worth: `anchor.digest`, `anchor.chain`, `anchor.evidence`.

    `checkpoint` is the signed checkpoint it should be about. `held` is what `Anchor.holds` answered when the
    chain was asked now, None if nobody asked. On a test chain nothing passes, so that the report alone is
    unknown; the findings neither help nor harm a credential's report. A wrong digest fails on any chain.
    """
    because = {"chain": receipt.chain, "digest": receipt.digest.hex(), **receipt.facts}
    good = Verdict.PASS if receipt.evidence else Verdict.NOT_APPLICABLE
    return Report(
        f"Anchor on {receipt.chain}",
        (_digest(receipt, checkpoint, good), _chain(held, good, receipt), _evidence(receipt, held, because)),
    )


def _digest(receipt: AnchorReceipt, checkpoint: str | bytes | None, good: Verdict) -> Finding:
    because = {"anchored": receipt.digest.hex()}
    if checkpoint is None:
        says = "No checkpoint was handed in to compare the digest with."
        return Finding("anchor.digest", Verdict.UNKNOWN, says, receipt.evidence, because)
    wanted = checkpoint_digest(checkpoint)
    because["checkpoint"] = wanted.hex()
    if wanted != receipt.digest:
        return Finding(
            "anchor.digest",
            Verdict.FAIL,
            "The digest on the chain is not that of this checkpoint.",
            True,
            because,
        )
    return Finding(
        "anchor.digest",
        good,
        "The digest on the chain is that of this checkpoint.",
        receipt.evidence,
        because,
    )


def _chain(held: bool | None, good: Verdict, receipt: AnchorReceipt) -> Finding:
    match held:
        case True:
            verdict, says = good, "The chain, asked now, shows the digest where the anchor says."
        case False:
            verdict, says = (
                Verdict.FAIL,
                "The chain, asked now, does not show the digest where the anchor says.",
            )
            if not receipt.evidence:  # a test chain forgets whenever it is started anew
                verdict, says = (
                    Verdict.UNKNOWN,
                    "The test chain, asked now, does not show the digest any more.",
                )
        case None:
            verdict, says = Verdict.UNKNOWN, "The chain was not asked now."
    return Finding("anchor.chain", verdict, says, required=receipt.evidence)


def _evidence(receipt: AnchorReceipt, held: bool | None, because: dict[str, str | int]) -> Finding:
    if not receipt.evidence:
        return Finding("anchor.evidence", Verdict.UNKNOWN, NO_EVIDENCE, required=False, because=because)
    if held is not True:
        says = f"Whether {receipt.chain} holds this digest was not confirmed."
        return Finding("anchor.evidence", Verdict.UNKNOWN, says, because=because)
    says = f"The checkpoint existed when {receipt.chain} took up this transaction, as the node asked tells it."
    return Finding("anchor.evidence", Verdict.PASS, says, because=because)
