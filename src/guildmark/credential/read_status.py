"""What the issuer's status list says about a credential: valid, suspended or revoked, and why.

Rules (W3C Bitstring Status List 1.0 section 3.2, Open Badges 3.0 Verification step 4):

1. a list that cannot be read, is not signed by the credential's own issuer, is out of date, too short, or
   expands beyond its bound tells nothing: the answer is unknown, never "not revoked";
2. an entry that points beyond the list, or at a list of another purpose, is wrong in itself: the answer is
   no;
3. the bit decides; the sibling list of reasons is read only if the bit is set, and only adds words.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from guildmark.core.codecs import parse_json
from guildmark.core.errors import BrokenInput, GuildmarkError, OutsideFailure
from guildmark.core.report import Finding, Verdict
from guildmark.credential.signed import World, dates, issuer_id, issuer_name, listed, look_at_signature, plain
from guildmark.credential.status import LEAST_BITS, REASONS, StatusEntry, decode_list, read_bit, reason_of

SOURCE = "Bitstring Status List 1.0, 3.2 Validate Algorithm"

MOST_ENTRIES = 4


class _Untold(GuildmarkError):
    """The list cannot tell; the message says why."""


def status_findings(document: Mapping[str, Any], world: World) -> tuple[Finding, ...]:
    """One finding for each status entry: `status.revocation` first, even if the credential has none."""
    entries = listed(document.get("credentialStatus"))
    if not entries:
        says = "Its issuer keeps no list of withdrawn credentials for it."
        return (Finding("status.revocation", Verdict.NOT_APPLICABLE, says, required=False, source=SOURCE),)
    findings = [_entry(entry, document, world) for entry in entries[:MOST_ENTRIES]]
    if len(entries) > MOST_ENTRIES:
        says = f"It has more than {MOST_ENTRIES} status entries; the rest was not looked at."
        findings.append(Finding("status.more", Verdict.UNKNOWN, says, source=SOURCE))
    return tuple(findings)


def _entry(entry: Any, document: Mapping[str, Any], world: World) -> Finding:
    kinds = listed(entry.get("type")) if isinstance(entry, Mapping) else []
    if "1EdTechRevocationList" in kinds:
        return _revocation_list(entry, document, world)
    if "BitstringStatusListEntry" not in kinds:
        says = f"Its status is published in a way that cannot be read here ({plain(kinds[:1] or entry, 60)})."
        return Finding("status.revocation", Verdict.UNKNOWN, says, source=SOURCE)
    try:
        status = StatusEntry.from_json(entry)
    except BrokenInput as problem:
        says = f"Its status entry is not written as one: {plain(problem.what)}."
        return Finding("status.revocation", Verdict.FAIL, says, source=SOURCE)
    if status.purpose not in ("revocation", "suspension"):
        says = f"It has a status for another purpose ({plain(status.purpose, 40)}), which does not decide validity."
        return Finding(
            f"status.{plain(status.purpose, 20)}", Verdict.UNKNOWN, says, required=False, source=SOURCE
        )
    return _read(status, document, world)


def _read(status: StatusEntry, document: Mapping[str, Any], world: World) -> Finding:
    because: dict[str, Any] = {"list": status.list_url, "index": status.index, "purpose": status.purpose}

    def finding(verdict: Verdict, says: str) -> Finding:
        return Finding(f"status.{status.purpose}", verdict, plain(says, 500), because=because, source=SOURCE)

    issuer = issuer_id(document)
    try:
        listing, purposes, bits = _status_list(status.list_url, issuer, world)
    except _Untold as problem:
        return finding(Verdict.UNKNOWN, f"Whether it was withdrawn cannot be told: {problem}")
    on = str(listing.get("validFrom", ""))[:10]
    because["list of"] = on
    if status.purpose not in purposes:
        return finding(
            Verdict.FAIL, f"Its status entry points at a list for another purpose ({plain(purposes, 60)})."
        )
    if status.index >= len(bits) * 8:
        return finding(
            Verdict.FAIL, f"Its status entry points beyond the end of the list ({len(bits) * 8:,} entries)."
        )
    name = issuer_name(document)
    if not read_bit(bits, status.index):
        return finding(Verdict.PASS, f"Neither revoked nor suspended, says the list of {name} of {on}.")
    if status.purpose == "suspension":
        because["state"] = "suspended"
        return finding(Verdict.FAIL, f"Suspended, says the list of {name} of {on}.")
    state, why = _reason(status, issuer, len(bits), world)
    because["state"] = state or "suspended or revoked"
    if not state:
        word = "Revoked or suspended" if status.reasons_url else "Revoked"
        return finding(Verdict.FAIL, f"{word}, says the list of {name} of {on}. {why}".strip())
    because["reason"] = why
    return finding(
        Verdict.FAIL, f"{state.capitalize()}: {REASONS[state][why]} So says the list of {name} of {on}."
    )


def _reason(status: StatusEntry, issuer: str, length: int, world: World) -> tuple[str, str]:
    """(state, reason code), or ("", why there is none)."""
    if not status.reasons_url:
        return "", ""
    try:
        _, purposes, reasons = _status_list(status.reasons_url, issuer, world)
    except _Untold:
        return "", "The reason could not be read."
    if "message" not in purposes or len(reasons) != length * 8:
        return "", "The list of reasons does not fit the list."
    return reason_of(reasons[status.index]) or ("", "No reason is published.")


def _status_list(url: str, issuer: str, world: World) -> tuple[Mapping[str, Any], list[Any], bytes]:
    """(document, purposes, bits) of a list that may be trusted; _Untold says why it may not (rule 1)."""
    try:
        listing = parse_json(world.fetch(url).body, where=url)
    except OutsideFailure as problem:
        raise _Untold(f"the list is out of reach. {problem}") from problem
    except (BrokenInput, ValueError) as problem:
        raise _Untold("the list is not a readable document.") from problem
    if not isinstance(listing, Mapping) or "BitstringStatusListCredential" not in listed(listing.get("type")):
        raise _Untold("what lies at its address is not a status list.")
    if "id" in listing and listing["id"] != url:
        raise _Untold(f"the list at its address is another one ({plain(listing['id'])}).")
    if issuer_id(listing) != issuer or not issuer:
        raise _Untold(f"the list is signed by {issuer_name(listing)}, not by the issuer.")
    trouble = look_at_signature(listing, world).trouble
    if trouble:
        raise _Untold(f"the list cannot be trusted. {trouble}")
    when = dates(listing, world.now)
    if when.verdict is Verdict.FAIL:
        raise _Untold(f"the list is out of date. {when.says}")
    subject = listing.get("credentialSubject")
    if not isinstance(subject, Mapping) or "BitstringStatusList" not in listed(subject.get("type")):
        raise _Untold("the list has no content.")
    try:
        bits = decode_list(subject.get("encodedList", ""))
    except BrokenInput as problem:
        raise _Untold(f"the list cannot be unpacked ({problem.what}).") from problem
    if len(bits) * 8 < LEAST_BITS:
        raise _Untold(f"the list is shorter than the standard allows ({len(bits) * 8:,} entries).")
    return listing, listed(subject.get("statusPurpose")), bits


def _revocation_list(entry: Mapping[str, Any], document: Mapping[str, Any], world: World) -> Finding:
    """The older 1EdTech Revocation List: plain JSON, not signed, trusted because of where it lies."""
    source = "1EdTech Verifiable Credentials Revocation List 1.0"
    url = str(entry.get("id", ""))
    because = {"list": url}

    def finding(verdict: Verdict, says: str) -> Finding:
        return Finding("status.revocation", verdict, plain(says, 400), because=because, source=source)

    try:
        listing = parse_json(world.fetch(url).body, where=url)
    except (OutsideFailure, BrokenInput, ValueError) as problem:
        return finding(Verdict.UNKNOWN, f"Whether it was revoked cannot be told: {problem}")
    rows = listing.get("revokedCredential") if isinstance(listing, Mapping) else None
    if not isinstance(rows, list) or listing.get("issuer") != issuer_id(document):
        says = (
            "Whether it was revoked cannot be told: what lies at its address is not the list of its issuer."
        )
        return finding(Verdict.UNKNOWN, says)
    for row in rows:
        if (
            isinstance(row, Mapping)
            and row.get("id") == document.get("id")
            and row.get("revoked", True) is not False
        ):
            why = (
                f": {plain(row['revocationReason'])}" if isinstance(row.get("revocationReason"), str) else ""
            )
            return finding(Verdict.FAIL, f"Revoked{why}. So says the list of {issuer_name(document)}.")
    return finding(Verdict.PASS, f"Not revoked, says the (unsigned) list of {issuer_name(document)}.")
