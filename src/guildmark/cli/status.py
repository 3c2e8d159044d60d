"""`guildmark status`: what a status list says, and what it says about a credential."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from guildmark.core.report import Finding, Report

MOST_SHOWN = 1000
"""Entries that are set and printed one by one."""

_DOCUMENTS = click.option(
    "--documents",
    metavar="DIR",
    help="Read keys and lists from DIR, whose index.json maps addresses to files, and never from the network.",
)


@click.group("status")
def command() -> None:
    """Show what a status list says, and ask it about a credential.

    Example: guildmark status check credential.json
    """


@command.command()
@click.argument("file")
@_DOCUMENTS
@click.option("--now", "at", metavar="TIME", help="Ask as of this moment, such as 2026-11-24T09:00:00Z.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def check(file: str, documents: str | None, at: str | None, as_json: bool) -> None:
    """Say whether the credential in FILE was suspended or revoked (- reads standard input).

    Its list is fetched, and believed only if its issuer signed it, as is the entry in the credential. Nothing else is
    said about the credential: `guildmark verify` does that.

    Example: guildmark status check credential.json --documents web

    Exit codes: 0 neither, 1 suspended or revoked, 3 it cannot be told or its issuer keeps no list, 2 it cannot be read.
    """
    from guildmark.cli.output import finish, moment, place, read_input
    from guildmark.cli.verify import fetcher_for
    from guildmark.core.errors import BrokenInput
    from guildmark.core.report import Report
    from guildmark.credential.verify import verify_credential

    data, fetcher, now = read_input(file), fetcher_for(documents), moment(at)
    try:
        report = verify_credential(data, now=now, fetcher=fetcher)
    except BrokenInput as problem:
        raise BrokenInput(problem.what, where=place(file), hint=problem.hint) from problem
    finish(Report(report.subject, _about_status(report) or report.unknown()), as_json)


def _about_status(report: Report) -> tuple[Finding, ...]:
    """What the report says about status; nothing good, if nobody shows that the entry asked about is the issuer's."""
    from guildmark.core.report import Verdict

    troubles = [
        f for f in report.findings if f.id.startswith("proof.") and f.required and f.verdict is not Verdict.PASS
    ]
    found = []
    for finding in report.findings:
        if finding.id.startswith("status."):
            if troubles and finding.verdict is Verdict.PASS:
                says = f"Whether this is the entry that its issuer gave it cannot be told. {troubles[0].says}"
                finding = replace(finding, verdict=Verdict.UNKNOWN, says=says)
            found.append(finding)
    return tuple(found)


@command.command()
@click.argument("file")
@click.option("--index", "indexes", type=click.IntRange(0), multiple=True, help="Show this entry. Repeatable.")
@click.option(
    "--size", type=click.IntRange(1, 8), default=1, show_default=True, help="Bits of one entry: 1, 2, 4 or 8."
)
@click.option("--json", "as_json", is_flag=True, help="Print the same as JSON.")
def show(file: str, indexes: tuple[int, ...], size: int, as_json: bool) -> None:
    """Show the status list in FILE (a BitstringStatusListCredential; - reads standard input).

    How many entries it has and which are set. Its signature is not checked: whoever relies on a list asks
    `guildmark status check` about a credential.

    Example: guildmark status show list.json --index 94567

    Exit codes: 0 shown, 2 it is no status list, or has no such entry.
    """
    from guildmark.cli.output import place, print_json, read_input, say
    from guildmark.core.errors import BrokenInput
    from guildmark.credential.envelope import open_envelope
    from guildmark.credential.status import decode_list

    if 8 % size:
        raise BrokenInput(f"an entry has no {size} bits", where="--size", hint="use 1, 2, 4 or 8")
    try:
        listing = open_envelope(read_input(file), place(file)).document
        subject = _subject(listing)
        bits = decode_list(subject["encodedList"])
    except BrokenInput as problem:
        raise BrokenInput(problem.what, where=place(file), hint=problem.hint) from problem
    entries = len(bits) * 8 // size
    for index in indexes:
        if index >= entries:
            raise BrokenInput(f"has {entries:,} entries, and none at {index:,}", where=place(file))
    told = _told(listing, subject, bits, size, indexes)
    if as_json:
        print_json(told)
        return
    for name, value in told.items():
        if not isinstance(value, dict):
            label = "set in all" if name == "set_in_all" else name
            say(f"{label + ':':<12}{_shown(', '.join(value) if isinstance(value, list) else value)}")
    for index, value in told["set"].items():
        say(f"{'set:':<12}{index}" + (f" = {value}" if size > 1 else ""))
    if len(told["set"]) < told["set_in_all"]:
        say(f"{'set:':<12}and {told['set_in_all'] - len(told['set']):,} more")
    for index, value in told["entry"].items():
        say(f"{f'entry {index}:':<12}{value if size > 1 else 'set' if value else 'not set'}")


def _shown(value: Any) -> str:
    from guildmark.credential.signed import plain

    return f"{value:,}" if isinstance(value, int) else plain(value, 300)


def _subject(listing: Mapping[str, Any]) -> Mapping[str, Any]:
    from guildmark.core.errors import BrokenInput
    from guildmark.credential.signed import listed

    subject = listing.get("credentialSubject")
    kinds = listed(listing.get("type"))
    if "BitstringStatusListCredential" not in kinds or not isinstance(subject, Mapping) or "encodedList" not in subject:
        raise BrokenInput("is no Bitstring status list", hint="name the document at statusListCredential")
    return subject


def _told(
    listing: Mapping[str, Any], subject: Mapping[str, Any], bits: bytes, size: int, indexes: tuple[int, ...]
) -> dict[str, Any]:
    from guildmark.credential.signed import issuer_id, listed

    entries = _set(bits, size)
    found = dict(entry for entry, _ in zip(entries, range(MOST_SHOWN), strict=False))
    dates = {
        name: listing[member] for name, member in (("from", "validFrom"), ("until", "validUntil")) if member in listing
    }
    return {
        "list": str(listing.get("id", "")),
        "issuer": issuer_id(listing),
        "purpose": [str(purpose) for purpose in listed(subject.get("statusPurpose"))],
        **dates,
        "entries": len(bits) * 8 // size,
        "set_in_all": len(found) + sum(1 for _ in entries) if size > 1 else int.from_bytes(bits).bit_count(),
        "set": found,
        "entry": {index: _value(bits, index, size) for index in indexes},
    }


def _set(bits: bytes, size: int) -> Iterator[tuple[int, int]]:
    """(index, value) of each entry that is not 0, in order; bytes that are 0 are skipped without looking at each."""
    for match in re.finditer(rb"[^\x00]", bits):
        at = match.start() * 8 // size
        for index in range(at, at + 8 // size):
            value = _value(bits, index, size)
            if value:
                yield index, value


def _value(bits: bytes, index: int, size: int) -> int:
    """The entry at an index, whose first bit is the left-most (Bitstring Status List 1.0, 3.3)."""
    byte, place = divmod(index * size, 8)
    return bits[byte] >> (8 - size - place) & ((1 << size) - 1)
