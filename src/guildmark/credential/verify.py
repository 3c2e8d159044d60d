"""Whether a credential holds."""

from __future__ import annotations

from datetime import datetime

from guildmark.core.doors import Fetcher
from guildmark.core.report import Report


def verify_credential(
    document: bytes, *, now: datetime, fetcher: Fetcher, recipient: str | None = None
) -> Report:
    """What is found about a signed credential (JSON, or a badge image that carries one) at the moment `now`.

    `recipient` (an e-mail address, a DID or another identifier) asks whether it is this person's. BrokenInput if it cannot be read at all.
    """
    raise NotImplementedError
