"""What the issuer's status list says about a credential: valid, suspended or revoked, why, and what replaced it.

Rules (W3C Bitstring Status List 1.0 section 3.2, Open Badges 3.0 Verification step 4), in the order in which they are
asked; a finding names the error of section 3.5 in `because`, as `error`:

1. a list that cannot be fetched, or is none, tells nothing: the answer is unknown, never "not revoked"
   (STATUS_RETRIEVAL_ERROR);
2. nor does one that is not signed by the credential's own issuer or is out of date (STATUS_VERIFICATION_ERROR);
3. an entry that points at a list of another purpose is wrong in itself: the answer is no (STATUS_VERIFICATION_ERROR);
4. a list that expands beyond its bound, or not at all, tells nothing (MALFORMED_VALUE_ERROR), nor does one in which an
   entry could not hide (STATUS_LIST_LENGTH_ERROR);
5. an entry beyond the end of its list is wrong in itself (RANGE_ERROR), and so is one that is not as section 2.1 has it
   (MALFORMED_VALUE_ERROR);
6. what the entry points at decides; the sibling list of reasons is read only if that is set, and only adds words.

An entry of another purpose (`message`, `refresh`) is read by the same steps and decides nothing; whatever is wrong with
it is advice. A list is fetched and verified once in a `World`, which is about one moment, so that `ttl` is kept: none
was cached before the verification began.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import unquote

from guildmark.core.codecs import iso, parse_iso, parse_json
from guildmark.core.errors import BrokenInput, GuildmarkError, OutsideFailure
from guildmark.core.report import Finding, Verdict
from guildmark.credential.envelope import open_envelope
from guildmark.credential.signed import World, dates, issuer_id, issuer_name, listed, look_at_signature, plain, sentence
from guildmark.credential.status import (
    LARGEST_REPLACEMENTS,
    LEAST_BITS,
    REASONS,
    StatusEntry,
    decode_list,
    read_bit,
    read_value,
    reason_of,
    replacement_of,
)

SOURCE = "Bitstring Status List 1.0, 3.2 Validate Algorithm"

MOST_ENTRIES = 4

RETRIEVAL = "STATUS_RETRIEVAL_ERROR"
VERIFICATION = "STATUS_VERIFICATION_ERROR"
LENGTH = "STATUS_LIST_LENGTH_ERROR"
RANGE = "RANGE_ERROR"
MALFORMED = "MALFORMED_VALUE_ERROR"

_DECIDE = ("revocation", "suspension")


class _Untold(GuildmarkError):
    """The list cannot tell; the message says why, `error` names it as the standard does."""

    def __init__(self, says: str, error: str) -> None:
        super().__init__(says)
        self.error = error


@dataclass(frozen=True, slots=True)
class _Form:
    """One of the two forms in which lists of bits are published: what entry, document and list are called."""

    entry: str
    document: str
    subject: str
    source: str


_BITSTRING = _Form("BitstringStatusListEntry", "BitstringStatusListCredential", "BitstringStatusList", SOURCE)
_OF_2021 = _Form(
    "StatusList2021Entry", "StatusList2021Credential", "StatusList2021", "Status List 2021, 3.2 Validate Algorithm"
)
"""What Bitstring Status List was called before; badges of VC Data Model 1.1 have it."""


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
        # The message may well be “revoked” (decisions/0003), in words that are the issuer's own.
        says = "Whether it was withdrawn cannot be told: its issuer says so in messages, which no program understands."
        findings.insert(0, Finding("status.revocation", Verdict.UNKNOWN, says, source=SOURCE))
    if len(entries) > MOST_ENTRIES:
        says = f"It has more than {MOST_ENTRIES} status entries; the rest was not looked at."
        findings.append(Finding("status.more", Verdict.UNKNOWN, says, source=SOURCE))
    return tuple(findings)


def _entry(entry: Any, document: Mapping[str, Any], world: World) -> Finding:
    kinds = listed(entry.get("type")) if isinstance(entry, Mapping) else []
    if "1EdTechRevocationList" in kinds:
        return _revocation_list(entry, document, world)
    form = _BITSTRING if _BITSTRING.entry in kinds else _OF_2021 if _OF_2021.entry in kinds else None
    if form is None:
        kind = plain(kinds[0] if kinds else "no type", 60)
        says = f"Whether it was withdrawn cannot be told: its status is of a kind not known here ({kind})."
        return Finding("status.revocation", Verdict.UNKNOWN, says, source=SOURCE)
    purpose = entry.get("statusPurpose")
    decides = purpose in _DECIDE or not isinstance(purpose, str)
    try:
        status = StatusEntry.from_json(entry)
    except BrokenInput as problem:
        says = f"Whether it was withdrawn cannot be told: its status entry is wrong, {plain(problem.what)}."
        found = Finding("status.revocation", Verdict.FAIL, says, because={"error": MALFORMED}, source=form.source)
        return found if decides else _advice(purpose, found)
    if decides:
        return _read(status, document, world, form)
    return _advice(purpose, _told(status, document, world, form))


def _advice(purpose: str, found: Finding) -> Finding:
    """What an entry of another purpose says, which does not decide if the credential holds."""
    id = f"status.{re.sub(r'[^a-z]', '', purpose.lower())[:20] or 'other'}"
    if found.verdict is Verdict.PASS or "value" in found.because:
        return replace(found, id=id, required=False)
    says = f"It has a status of another kind (“{plain(purpose, 40)}”), which does not decide if it holds."
    return replace(found, id=id, verdict=Verdict.UNKNOWN, says=says, required=False)


def _told(status: StatusEntry, document: Mapping[str, Any], world: World, form: _Form) -> Finding:
    """The value of an entry that does not decide, and the word that its issuer has for it, for programs: the standard
    says that messages should not be shown to people.
    """
    if status.purpose not in ("message", "refresh"):
        return Finding("", Verdict.UNKNOWN, "", source=form.source)
    because: dict[str, Any] = {
        "list": plain(status.list_url, 300),
        "index": status.index,
        "purpose": status.purpose,
    }
    found = _value_of(status, document, world, form, because)
    if isinstance(found, Finding):
        return found
    value, _ = found
    because["value"] = value
    if status.messages:
        because["message"] = plain(status.messages[value], 200)
    if status.purpose == "refresh" and not value:
        says = "Its issuer has published no newer edition of it."
        return Finding("", Verdict.PASS, says, because=because, source=form.source)
    says = "Its status list has a message about it, which does not decide if it holds."
    if status.purpose == "refresh":
        says = "Its issuer has published a newer edition of it, which does not decide if this one holds."
    return Finding("", Verdict.UNKNOWN, says, because=because, source=form.source)


def _read(status: StatusEntry, document: Mapping[str, Any], world: World, form: _Form) -> Finding:
    because: dict[str, Any] = {
        "list": plain(status.list_url, 300),
        "index": status.index,
        "purpose": status.purpose,
    }
    found = _value_of(status, document, world, form, because)
    if isinstance(found, Finding):
        return found
    value, listing = found

    def finding(verdict: Verdict, says: str) -> Finding:
        return Finding(f"status.{status.purpose}", verdict, sentence(says), because=because, source=form.source)

    name = issuer_name(document)
    by = f"says the list of {name}" + (f" of {listing.on}" if listing.on else "")
    if status.size > 1:
        because["value"] = value
    if status.messages:
        because["message"] = plain(status.messages[value], 200)
    if not value:
        word = "Neither revoked nor suspended" if status.purpose == "revocation" else "Not suspended"
        return finding(Verdict.PASS, f"{word}, {by}.")
    if status.purpose == "suspension":
        because["state"] = "suspended"
        return finding(Verdict.FAIL, f"Suspended, {by}.")
    state, why, newer = _reason(status, document, listing.entries, world)
    because["state"] = state or ("suspended or revoked" if status.reasons_url else "revoked")
    if not state:
        word = "Revoked or suspended" if status.reasons_url else "Revoked"
        return finding(Verdict.FAIL, f"{word}, {by}. {why}".strip())
    because["reason"] = why
    if newer:
        because["replaced by"] = newer
        return finding(Verdict.FAIL, f"Replaced by a newer credential, {newer}: {REASONS[state][why]} So {by}.")
    return finding(Verdict.FAIL, f"{state.capitalize()}: {REASONS[state][why]} So {by}.")


def _value_of(
    status: StatusEntry, document: Mapping[str, Any], world: World, form: _Form, because: dict[str, Any]
) -> tuple[int, _List] | Finding:
    """What stands at the entry's place in its list; the finding that says why that cannot be told (rules 1 to 5)."""

    def finding(verdict: Verdict, says: str, error: str) -> Finding:
        because["error"] = error
        return Finding(f"status.{status.purpose}", verdict, sentence(says), because=because, source=form.source)

    try:
        listing = _status_list(status.list_url, issuer_id(document), world)
        if form is not listing.form:
            raise _Untold("what lies at its address is not a status list.", VERIFICATION)
    except _Untold as problem:
        return finding(Verdict.UNKNOWN, f"Whether it was withdrawn cannot be told: {problem}", problem.error)
    if listing.on:
        because["list of"] = listing.on
    if status.purpose not in listing.purposes:
        other = plain(", ".join(listing.purposes), 60)
        says = f"Its status entry points at a list for something else ({other})."
        return finding(Verdict.FAIL, says, VERIFICATION)
    trouble, entries = listing.trouble, listing.entries // status.size
    if trouble is None and entries < LEAST_BITS:
        trouble = _too_short(entries)
    if trouble is not None:
        return finding(Verdict.UNKNOWN, f"Whether it was withdrawn cannot be told: {trouble}", trouble.error)
    if status.index >= entries:
        says = f"Its status entry points beyond the end of the list ({entries:,} entries)."
        return finding(Verdict.FAIL, says, RANGE)
    if status.size == 1:
        return int(read_bit(listing.bits, status.index)), listing
    return read_value(listing.bits, status.index, status.size), listing


def _reason(status: StatusEntry, document: Mapping[str, Any], entries: int, world: World) -> tuple[str, str, str]:
    """(state, reason code, id of what replaced it or ""), or ("", why there is none, "")."""
    if not status.reasons_url:
        return "", "", ""
    try:
        reasons = _status_list(status.reasons_url, issuer_id(document), world)
    except _Untold:
        return "", "The reason could not be read.", ""
    if reasons.trouble is not None or "message" not in reasons.purposes or len(reasons.bits) != entries:
        return "", "The reason could not be read.", ""
    found = reason_of(reasons.bits[status.index])
    if found is None:
        return "", "No reason is published.", ""
    marks, id = reasons.replacements, document.get("id")
    if found[0] != "revoked" or len(marks) != entries * 16 or not isinstance(id, str):
        return *found, ""
    return *found, replacement_of(marks[status.index * 16 : status.index * 16 + 16], id)


@dataclass(frozen=True, slots=True)
class _List:
    """A list that was signed by whom it should be: its day, what it is for, and its bits or why it has none that can be
    read; in a list of reasons also what replaced the credentials.
    """

    form: _Form
    on: str
    purposes: tuple[str, ...]
    bits: bytes = b""
    trouble: _Untold | None = None
    replacements: bytes = b""

    @property
    def entries(self) -> int:
        return len(self.bits) * 8


def _status_list(url: str, issuer: str, world: World) -> _List:
    """The issuer's list at `url`, read once in a verification; _Untold says why it tells nothing (rules 1 and 2)."""
    if (url, issuer) not in world.lists:
        try:
            world.lists[url, issuer] = _trusted_list(url, issuer, world)
        except _Untold as problem:
            world.lists[url, issuer] = problem
    found = world.lists[url, issuer]
    if isinstance(found, _Untold):
        raise found.with_traceback(None)  # or it would grow with every credential that asks
    assert isinstance(found, _List)
    return found


def _too_short(entries: int) -> _Untold:
    return _Untold(f"the list is shorter than the standard allows ({entries:,} entries).", LENGTH)


def _trusted_list(url: str, issuer: str, world: World) -> _List:
    try:
        opened = open_envelope(world.fetch(url).body, url)
    except OutsideFailure as problem:
        raise _Untold(f"the list is out of reach. {plain(problem, 300)}", RETRIEVAL) from problem
    except BrokenInput as problem:
        raise _Untold("the list is not a readable document.", RETRIEVAL) from problem
    listing = opened.document
    form = next((form for form in (_BITSTRING, _OF_2021) if form.document in listed(listing.get("type"))), None)
    if form is None:
        raise _Untold("what lies at its address is not a status list.", RETRIEVAL)
    if "id" in listing and listing["id"] != url:
        raise _Untold(f"what lies at its address is another list ({plain(listing['id'])}).", VERIFICATION)
    if issuer_id(listing) != issuer or not issuer:
        raise _Untold(f"the list comes from {issuer_name(listing)}, not from the issuer.", VERIFICATION)
    trouble = look_at_signature(listing, world, opened).trouble
    if trouble:
        raise _Untold(f"the list cannot be trusted. {trouble}", VERIFICATION)
    when = dates(listing, world.now)
    if when.verdict is Verdict.FAIL:
        raise _Untold(f"the list is not one for today. {when.says}", VERIFICATION)
    return _content(listing, form)


def _content(listing: Mapping[str, Any], form: _Form) -> _List:
    """What a list that may be trusted holds; its bits are expanded, or why they cannot be (rule 4)."""
    subjects = [
        subject
        for subject in listed(listing.get("credentialSubject"))
        if isinstance(subject, Mapping) and form.subject in listed(subject.get("type"))
    ]
    if not subjects:
        raise _Untold("the list has no content.", MALFORMED)
    on = listing.get("validFrom") or listing.get("issuanceDate")
    day = iso(parse_iso(on))[:10] if isinstance(on, str) else ""
    purposes = _purposes(subjects[0])
    try:
        bits = _expanded(subjects[0], form)
    except BrokenInput as problem:
        says = f"the list cannot be unpacked ({plain(problem.what)})."
        return _List(form, day, purposes, trouble=_Untold(says, MALFORMED))
    if len(bits) * 8 < LEAST_BITS:
        return _List(form, day, purposes, trouble=_too_short(len(bits) * 8))
    replacements = b""
    if len(subjects) > 1 and "message" in purposes and "replacement" in _purposes(subjects[1]):
        try:
            replacements = decode_list(subjects[1].get("encodedList", ""), largest=LARGEST_REPLACEMENTS)
        except BrokenInput:
            replacements = b""  # it only adds to the reason
    return _List(form, day, purposes, bits, replacements=replacements)


def _purposes(subject: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(p for p in listed(subject.get("statusPurpose")) if isinstance(p, str))


def _expanded(subject: Mapping[str, Any], form: _Form) -> bytes:
    text = subject.get("encodedList", "")
    if form is _OF_2021 and isinstance(text, str):
        # The same bytes in base64url, or by some issuers in base64, without the letter that tells the base.
        text = "u" + text.rstrip("=").replace("+", "-").replace("/", "_")
    return decode_list(text)


def _revocation_list(entry: Mapping[str, Any], document: Mapping[str, Any], world: World) -> Finding:
    """The 1EdTech Revocation List: plain JSON, not signed, trusted because of where it lies (https)."""
    source = "1EdTech Verifiable Credentials Revocation List 1.0"
    url, untold = entry.get("id"), "Whether it was revoked cannot be told:"
    because: dict[str, Any] = {"list": plain(url, 300)}

    def finding(verdict: Verdict, says: str) -> Finding:
        return Finding("status.revocation", verdict, sentence(says), because=because, source=source)

    if not isinstance(url, str) or not url.startswith("https://"):
        because["error"] = MALFORMED
        return finding(Verdict.UNKNOWN, f"{untold} its list has no safe address.")
    try:
        revoked = _revoked(url, issuer_id(document), world)
    except _Untold as problem:
        because["error"] = problem.error
        return finding(Verdict.UNKNOWN, f"{untold} {problem}")
    id = document.get("id")
    if not isinstance(id, str):
        because["error"] = MALFORMED
        return finding(Verdict.UNKNOWN, f"{untold} it has no id that could stand in the list.")
    name = issuer_name(document)
    reason = revoked.get(_same(id))
    if reason is None:
        return finding(Verdict.PASS, f"Not revoked, says the list of {name} (which is not signed).")
    because["state"] = "revoked"
    why = f": {reason}" if reason else ""
    return finding(Verdict.FAIL, f"Revoked, says the list of {name}{why.rstrip('.')}.")


def _same(id: str) -> str:
    """The form in which ids are compared (Open Badges 3.0, Credential equality and comparison algorithm)."""
    return unquote(id).strip()


def _revoked(url: str, issuer: str, world: World) -> Mapping[str, str]:
    """Id -> reason, in their issuer's words or "", of what a 1EdTech Revocation List calls revoked; read once."""
    key = (url, f"1EdTechRevocationList {issuer}")
    if key not in world.lists:
        try:
            world.lists[key] = _read_revoked(url, issuer, world)
        except _Untold as problem:
            world.lists[key] = problem
    found = world.lists[key]
    if isinstance(found, _Untold):
        raise found.with_traceback(None)  # or it would grow with every credential that asks
    assert isinstance(found, dict)
    return found


def _read_revoked(url: str, issuer: str, world: World) -> dict[str, str]:
    try:
        listing = parse_json(world.fetch(url).body, where=url)
    except OutsideFailure as problem:
        raise _Untold(f"the list is out of reach. {problem}", RETRIEVAL) from problem
    except BrokenInput as problem:
        raise _Untold("the list is not a readable document.", RETRIEVAL) from problem
    rows = listing.get("revokedCredential") if isinstance(listing, Mapping) else None
    if not isinstance(rows, list) or not issuer or issuer_id(listing) != issuer:
        raise _Untold("what lies at its address is not the list of its issuer.", VERIFICATION)
    found: dict[str, str] = {}
    for row in rows:
        id = row.get("id") if isinstance(row, Mapping) and row.get("revoked", True) is not False else None
        if isinstance(id, str):
            reason = row.get("revocationReason")
            found[_same(id)] = plain(reason, 200) if isinstance(reason, str) else ""
    return found
