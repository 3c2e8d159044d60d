"""How every verb prints a `Report` and ends: the text for people, JSON with `--json`, the exit code by verdict."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

import click

from guildmark.core.codecs import parse_iso
from guildmark.core.errors import BrokenInput
from guildmark.core.report import EXIT_CODES, Report, render_text


def finish(report: Report, as_json: bool) -> NoReturn:
    """Print the report and end the process: 0 pass, 1 fail, 3 unknown."""
    click.echo(json.dumps(report.to_json(), indent=2, ensure_ascii=False) if as_json else render_text(report))
    sys.exit(EXIT_CODES[report.verdict])


def print_json(value: Any) -> None:
    """Plain JSON values for programs: two spaces, letters as they are."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def read_input(source: str, *, limit: int = 20_000_000) -> bytes:
    """The bytes of a file, or of standard input for `-`; BrokenInput if it is missing or larger than `limit` bytes."""
    if source == "-":
        data = sys.stdin.buffer.read(limit + 1)
    else:
        try:
            with Path(source).open("rb") as stream:
                data = stream.read(limit + 1)
        except OSError as problem:
            raise BrokenInput(f"cannot be read ({problem.strerror})", where=source, hint="check the path") from problem
    if len(data) > limit:
        raise BrokenInput(f"is larger than {limit:,} bytes", where=source, hint="is this the right file?")
    return data


def moment(text: str | None) -> datetime:
    """The `--now` of a verb: the given moment, or the clock of this machine."""
    return datetime.now(UTC) if text is None else parse_iso(text, where="--now")
