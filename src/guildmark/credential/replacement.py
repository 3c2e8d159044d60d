"""A credential that takes the place of an earlier one says so, and why, in a way that every verifier accepts.

No term of credentials/v2 or Open Badges 3.0 means "replaces", and a context of our own would not be known elsewhere. So
the new credential has an evidence entry for the old one: its id, the digest of its signed bytes, and the reason. It
is signed as part of the new one. The old one says by whom it was replaced through its status list (`status`), since
nothing that was signed changes. docs/decisions/0009-what-replaces-what.md says what else was tried.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from guildmark.core.codecs import multibase_encode, parse_json
from guildmark.core.errors import BrokenInput
from guildmark.core.report import Finding, Verdict
from guildmark.credential.signed import listed, plain, sentence, words
from guildmark.credential.status import REASONS

GENRE = "Replaced credential"
"""The genre by which such an entry is known."""

MOST = 5
"""Credentials that one may take the place of, as far as is told."""

SOURCE = "Open Badges 3.0, Evidence; VC Data Model 2.0, 5.6 Evidence"


def replacement_evidence(old: bytes, code: str) -> dict[str, Any]:
    """The entry for the signed credential `old` (its bytes, as handed to its holder), replaced for the reason `code`.

    BrokenInput for a reason that is none for a revocation, or a credential without an id.
    """
    says = REASONS["revoked"].get(code)
    if says is None:
        raise BrokenInput(f"reason code {code!r} is not one for 'revoked'", where="replacement")
    document = parse_json(old, where="replaced credential")
    id = document.get("id") if isinstance(document, Mapping) else None
    if not isinstance(id, str) or not id:
        raise BrokenInput("has no id", where="replaced credential")
    return {
        "type": ["Evidence"],
        "id": id,
        "name": "The credential that this one replaces",
        "description": says[:1].upper() + says[1:],
        "genre": GENRE,
        "digestMultibase": multibase_encode(b"\x12\x20" + hashlib.sha256(old).digest(), "u"),
    }


def is_replacement(entry: Any) -> bool:
    """Whether an evidence entry is about a credential that this one replaces."""
    return isinstance(entry, Mapping) and entry.get("genre") == GENRE and isinstance(entry.get("id"), str)


def replacement_findings(document: Mapping[str, Any]) -> tuple[Finding, ...]:
    """`document.replaces` for each credential that its issuer says it takes the place of; it neither helps nor harms,
    since the old one says for itself whether it holds.
    """
    found: list[Finding] = []
    for entry in listed(document.get("evidence")):
        if is_replacement(entry) and len(found) < MOST:
            id, why = plain(entry["id"], 300), plain(words(entry.get("description")), 200)
            because = {"replaces": id, "reason": _CODES.get(why.lower(), "")}
            says = f"It takes the place of an earlier credential, {id}: {why[:1].lower()}{why[1:]}" if why else ""
            says = says or f"It takes the place of an earlier credential, {id}."
            number = f".{len(found) + 1}" if found else ""
            finding_id = f"document.replaces{number}"
            found.append(Finding(finding_id, Verdict.NOT_APPLICABLE, sentence(says), False, because, SOURCE))
    return tuple(found)


_CODES = {says.lower(): code for code, says in REASONS["revoked"].items()}
