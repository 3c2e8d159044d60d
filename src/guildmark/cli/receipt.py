"""`guildmark receipt`: whether a receipt shows a credential in a log, checked without any network."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from guildmark.cli.output import finish, place, read_input

if TYPE_CHECKING:
    from guildmark.ledger.note import VerifierKey


@click.command()
@click.argument("receipt")
@click.option("--credential", required=True, help="The credential: JSON, or a badge image that holds it.")
@click.option(
    "--vkey",
    required=True,
    multiple=True,
    help="The verifier key of a log that you trust: a file, or the key itself. May be given several times.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def command(receipt: str, credential: str, vkey: tuple[str, ...], as_json: bool) -> None:
    """Check offline that a credential is in a transparency log.

    RECEIPT is a C2SP tlog-proof file, `-` reads it from standard input. The credential itself is not verified
    here: `guildmark verify` does that.

    Example: guildmark receipt award.tlog-proof --credential award.json --vkey var/demo/web/log/vkey

    Exit codes: 0 it is in the log, 1 it is not, 2 something cannot be read, 3 the log is not one you trust.
    """
    from guildmark.ledger.receipt import ledger_findings, read_receipt

    keys = read_keys(vkey)
    text = read_input(receipt)
    read_receipt(text, where=place(receipt))
    finish(ledger_findings(_document(credential), text, vkey=keys, where=place(receipt)), as_json)


def _document(source: str) -> bytes:
    """The signed JSON of a credential file or of a PNG or SVG that it was baked into; BrokenInput if it is
    neither.
    """
    from guildmark.core.codecs import parse_json
    from guildmark.core.errors import BrokenInput
    from guildmark.credential.bake import extract

    data = read_input(source)
    if data.startswith(b"\x89PNG") or data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        try:
            data = extract(data)
        except BrokenInput as problem:
            raise BrokenInput(problem.what, where=place(source), hint=problem.hint) from problem
    parse_json(data, where=place(source))
    return data


def read_keys(values: Sequence[str]) -> list[VerifierKey]:
    """The verifier keys in files, one to a line (`#` begins a comment), or written out; BrokenInput if one is
    none.
    """
    from guildmark.core.errors import BrokenInput
    from guildmark.ledger.note import VerifierKey

    keys: list[VerifierKey] = []
    for value in values:
        if "+" in value and not Path(value).is_file():
            keys.append(VerifierKey.parse(value))
            continue
        try:
            text = read_input(value, limit=100_000).decode("utf-8-sig")
        except UnicodeDecodeError as problem:
            raise BrokenInput("is not a text file", where=place(value), hint="hand in the log's vkey file") from problem
        lines = [line.strip() for line in text.splitlines()]
        try:
            found = [VerifierKey.parse(line) for line in lines if line and not line.startswith("#")]
        except BrokenInput as problem:
            what = f"holds a line that is no verifier key ({problem.where[:60]}: {problem.what})"
            raise BrokenInput(what, where=place(value), hint="hand in the log's vkey file") from problem
        if not found:
            raise BrokenInput("holds no verifier key", where=place(value), hint="hand in the log's vkey file")
        keys.extend(found)
    return keys
