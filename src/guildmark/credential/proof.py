"""Data Integrity proofs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from guildmark.core.doors import Signer


def sign_document(
    document: Mapping[str, Any], signer: Signer, *, created: datetime, purpose: str = "assertionMethod"
) -> dict[str, Any]:
    """The document with an `eddsa-rdfc-2022` proof by `signer`, made at `created`."""
    raise NotImplementedError
