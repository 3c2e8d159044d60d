"""What the issuer's status list says about a credential: valid, suspended or revoked, and why.

Rules (W3C Bitstring Status List 1.0 section 3.2, Open Badges 3.0 Verification step 4):

1. a list that cannot be read, is not signed by the credential's own issuer, is out of date, too short, or
   expands beyond its bound tells nothing: the answer is unknown, never "not revoked";
2. an entry that points beyond the list, or at a list of another purpose, is wrong in itself: the answer is
   no;
3. the bit decides; the sibling list of reasons is read only if the bit is set, and only adds words.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from guildmark.core.codecs import iso, parse_iso, parse_json
from guildmark.core.errors import BrokenInput, GuildmarkError, OutsideFailure
from guildmark.core.report import Finding, Verdict
from guildmark.credential.envelope import open_envelope
from guildmark.credential.signed import World, dates, issuer_id, issuer_name, listed, look_at_signature, plain, sentence
from guildmark.credential.status import LEAST_BITS, REASONS, StatusEntry, decode_list, read_bit, reason_of

SOURCE = "Bitstring Status List 1.0, 3.2 Validate Algorithm"

MOST_ENTRIES = 4


class _Untold(GuildmarkError):
    """The list cannot tell; the message says why."""


def status_findings(document: Mapping[str, Any], world: World) -> tuple[Finding, ...]:
    """One finding for each status entry: `status.revocation` first, even if the credential has none; a second
    one with the same purpose is `status.revocation.2`.
    """
    entries = listed(document.get("credentialStatus"))
    if not entries:
        says = "Its issuer keeps no list by which it could be withdrawn."
        return (Finding("status.revocation", Verdict.NOT_APPLICABLE, says, source=SOURCE),)
    findings: list[Finding] = []
    for number, entry in enumerate(entries[:MOST_ENTRIES], start=1):
        found = _entry(entry, document, world)
        twin = any(found.id == other.id for other in findings)
        findings.append(replace(found, id=f"{found.id}.{number}") if twin else found)
    ids = [found.id.rsplit(".", 1)[0] if found.id[-1].isdigit() else found.id for found in findings]
    if "status.message" in ids and not {"status.revocation", "status.suspension"} & set(ids):
        # The message may well be “revoked” (decisions/0003), and it is not read here.
        says = "Whether it was withdrawn cannot be told: its issuer says so in messages, which are not read here."
        findings.insert(0, Finding("status.revocation", Verdict.UNKNOWN, says, source=SOURCE))
    if len(entries) > MOST_ENTRIES:
        says = f"It has more than {MOST_ENTRIES} status entries; the rest was not looked at."
        findings.append(Finding("status.more", Verdict.UNKNOWN, says, source=SOURCE))
    return tuple(findings)


def _entry(entry: Any, document: Mapping[str, Any], world: World) -> Finding:
    kinds = listed(entry.get("type")) if isinstance(entry, Mapping) else []
    if "1EdTechRevocationList" in kinds:
        return _revocation_list(entry, document, world)
    if "BitstringStatusListEntry" not in kinds:
        kind = plain(kinds[0] if kinds else "no type", 60)
        says = f"Whether it was withdrawn cannot be told: its status is of a kind not known here ({kind})."
        return Finding("status.revocation", Verdict.UNKNOWN, says, source=SOURCE)
    purpose = entry.get("statusPurpose")
    if isinstance(purpose, str) and purpose not in ("revocation", "suspension"):
        says = f"It has a status of another kind (“{plain(purpose, 40)}”), which does not decide if it holds."
        id = f"status.{re.sub(r'[^a-z]', '', purpose.lower())[:20] or 'other'}"
        return Finding(id, Verdict.UNKNOWN, says, required=False, source=SOURCE)
    try:
        status = StatusEntry.from_json(entry)
    except BrokenInput as problem:
        says = f"Whether it was withdrawn cannot be told: its status entry is wrong, {plain(problem.what)}."
        return Finding("status.revocation", Verdict.FAIL, says, source=SOURCE)
    return _read(status, document, world)


def _read(status: StatusEntry, document: Mapping[str, Any], world: World) -> Finding:
    because: dict[str, Any] = {
        "list": plain(status.list_url, 300),
        "index": status.index,
        "purpose": status.purpose,
    }

    def finding(verdict: Verdict, says: str) -> Finding:
        return Finding(f"status.{status.purpose}", verdict, sentence(says), because=because, source=SOURCE)

    issuer, name = issuer_id(document), issuer_name(document)
    try:
        listing = _status_list(status.list_url, issuer, world)
    except _Untold as problem:
        return finding(Verdict.UNKNOWN, f"Whether it was withdrawn cannot be told: {problem}")
    if listing.on:
        because["list of"] = listing.on
    if status.purpose not in listing.purposes:
        other = plain(", ".join(listing.purposes), 60)
        return finding(Verdict.FAIL, f"Its status entry points at a list for something else ({other}).")
    if status.index >= len(listing.bits) * 8:
        entries = len(listing.bits) * 8
        return finding(Verdict.FAIL, f"Its status entry points beyond the end of the list ({entries:,} entries).")
    by = f"says the list of {name}" + (f" of {listing.on}" if listing.on else "")
    if not read_bit(listing.bits, status.index):
        word = "Neither revoked nor suspended" if status.purpose == "revocation" else "Not suspended"
        return finding(Verdict.PASS, f"{word}, {by}.")
    if status.purpose == "suspension":
        because["state"] = "suspended"
        return finding(Verdict.FAIL, f"Suspended, {by}.")
    state, why = _reason(status, issuer, len(listing.bits), world)
    because["state"] = state or ("suspended or revoked" if status.reasons_url else "revoked")
    if not state:
        word = "Revoked or suspended" if status.reasons_url else "Revoked"
        return finding(Verdict.FAIL, f"{word}, {by}. {why}".strip())
    because["reason"] = why
    return finding(Verdict.FAIL, f"{state.capitalize()}: {REASONS[state][why]} So {by}.")


def _reason(status: StatusEntry, issuer: str, length: int, world: World) -> tuple[str, str]:
    """(state, reason code), or ("", why there is none)."""
    if not status.reasons_url:
        return "", ""
    try:
        reasons = _status_list(status.reasons_url, issuer, world)
    except _Untold:
        return "", "The reason could not be read."
    if "message" not in reasons.purposes or len(reasons.bits) != length * 8:
        return "", "The reason could not be read."
    return reason_of(reasons.bits[status.index]) or ("", "No reason is published.")


@dataclass(frozen=True, slots=True)
class _List:
    """A list that may be trusted: its day, what it is for, its bits."""

    on: str
    purposes: tuple[str, ...]
    bits: bytes


def _status_list(url: str, issuer: str, world: World) -> _List:
    """The issuer's list at `url`, read once in a verification; _Untold says why it tells nothing (rule 1)."""
    if (url, issuer) not in world.lists:
        try:
            world.lists[url, issuer] = _trusted_list(url, issuer, world)
        except _Untold as problem:
            world.lists[url, issuer] = problem
    found = world.lists[url, issuer]
    if isinstance(found, _Untold):
        raise found
    assert isinstance(found, _List)
    return found


def _trusted_list(url: str, issuer: str, world: World) -> _List:
    try:
        opened = open_envelope(world.fetch(url).body, url)
    except OutsideFailure as problem:
        raise _Untold(f"the list is out of reach. {plain(problem, 300)}") from problem
    except BrokenInput as problem:
        raise _Untold("the list is not a readable document.") from problem
    listing = opened.document
    if "BitstringStatusListCredential" not in listed(listing.get("type")):
        raise _Untold("what lies at its address is not a status list.")
    if "id" in listing and listing["id"] != url:
        raise _Untold(f"what lies at its address is another list ({plain(listing['id'])}).")
    if issuer_id(listing) != issuer or not issuer:
        raise _Untold(f"the list comes from {issuer_name(listing)}, not from the issuer.")
    trouble = look_at_signature(listing, world, opened).trouble
    if trouble:
        raise _Untold(f"the list cannot be trusted. {trouble}")
    when = dates(listing, world.now)
    if when.verdict is Verdict.FAIL:
        raise _Untold(f"the list is not one for today. {when.says}")
    subject = listing.get("credentialSubject")
    if not isinstance(subject, Mapping) or "BitstringStatusList" not in listed(subject.get("type")):
        raise _Untold("the list has no content.")
    try:
        bits = decode_list(subject.get("encodedList", ""))
    except BrokenInput as problem:
        raise _Untold(f"the list cannot be unpacked ({plain(problem.what)}).") from problem
    if len(bits) * 8 < LEAST_BITS:
        raise _Untold(f"the list is shorter than the standard allows ({len(bits) * 8:,} entries).")
    purposes = tuple(p for p in listed(subject.get("statusPurpose")) if isinstance(p, str))
    on = listing.get("validFrom") or listing.get("issuanceDate")
    return _List(iso(parse_iso(on))[:10] if isinstance(on, str) else "", purposes, bits)


def _revocation_list(entry: Mapping[str, Any], document: Mapping[str, Any], world: World) -> Finding:
    """The older 1EdTech Revocation List: plain JSON, not signed, trusted because of where it lies (https)."""
    source = "1EdTech Verifiable Credentials Revocation List 1.0"
    url, untold = entry.get("id"), "Whether it was revoked cannot be told:"

    def finding(verdict: Verdict, says: str) -> Finding:
        because = {"list": plain(url, 300)}
        return Finding("status.revocation", verdict, sentence(says), because=because, source=source)

    if not isinstance(url, str) or not url.startswith("https://"):
        return finding(Verdict.UNKNOWN, f"{untold} its list has no safe address.")
    try:
        listing = parse_json(world.fetch(url).body, where=url)
    except OutsideFailure as problem:
        return finding(Verdict.UNKNOWN, f"{untold} the list is out of reach. {problem}")
    except BrokenInput:
        return finding(Verdict.UNKNOWN, f"{untold} the list is not a readable document.")
    rows = listing.get("revokedCredential") if isinstance(listing, Mapping) else None
    if not isinstance(rows, list) or not issuer_id(document) or issuer_id(listing) != issuer_id(document):
        return finding(Verdict.UNKNOWN, f"{untold} what lies at its address is not the list of its issuer.")
    if not isinstance(document.get("id"), str):
        return finding(Verdict.UNKNOWN, f"{untold} it has no id that could stand in the list.")
    for row in rows:
        revoked = isinstance(row, Mapping) and row.get("revoked", True) is not False
        if revoked and row.get("id") == document["id"]:
            reason = row.get("revocationReason")
            why = f": {plain(reason, 200)}" if isinstance(reason, str) and reason.strip() else ""
            return finding(Verdict.FAIL, f"Revoked, says the list of {issuer_name(document)}{why.rstrip('.')}.")
    return finding(Verdict.PASS, f"Not revoked, says the list of {issuer_name(document)} (which is not signed).")
