"""Step 7: the log's checkpoint, its anchors, its health."""

from __future__ import annotations

from typing import Any

import click

from guildmark.cli.output import finish
from guildmark.cli.site import World


@click.command("publish-checkpoint")
@click.pass_obj
def publish_checkpoint(world: World) -> dict[str, Any]:
    """Take every waiting entry into the log, sign the checkpoint, give each award its receipt.

    Example: guildmark site publish-checkpoint
    """
    from guildmark.app.services.ledger import publish_checkpoint as publish

    checkpoint, receipts = publish()
    return world.say(
        f"Entries in the log {checkpoint.origin}: {checkpoint.size}. Receipts written: {receipts}.",
        origin=checkpoint.origin,
        size=checkpoint.size,
        receipts=receipts,
    )


@click.command("anchor-checkpoint")
@click.option("--rpc", metavar="URL", help="JSON-RPC address of the chain; by default GUILDMARK_EVM_URL.")
@click.pass_obj
def anchor_checkpoint(world: World, rpc: str | None) -> dict[str, Any]:
    """Write the digest of the last checkpoint to a chain, and say whether that chain is evidence.

    Example: guildmark site anchor-checkpoint --rpc http://127.0.0.1:8545
    """
    from guildmark.app.services.ledger import anchor_checkpoint as anchor

    row, report = anchor(rpc_url=rpc, now=world.now)
    said = " ".join(finding.says for finding in report.findings)
    return world.say(f"Anchored on {row.chain}. {said}", chain=row.chain, facts=row.facts, evidence=row.evidence)


@click.command("check-log")
@click.pass_obj
def check_log(world: World) -> None:
    """Re-derive the log from its entries and compare it with the last signed checkpoint.

    Example: guildmark site check-log
    """
    from guildmark.app.services.ledger import log

    finish(log().fsck(), world.as_json)


commands = [publish_checkpoint, anchor_checkpoint, check_log]
