"""Taking waiting entries into the log."""

from __future__ import annotations

from django_tasks import task

from guildmark.app.services import ledger


@task()
def publish_checkpoint() -> str:
    """Every waiting entry is in the log under a signed checkpoint; again with nothing waiting is harmless."""
    checkpoint, receipts = ledger.publish_checkpoint()
    return f"size {checkpoint.size}, {receipts} receipts"
