"""How every verb reads its input, prints its answer and ends: text for people, JSON with `--json`, codes by verdict."""

from __future__ import annotations

import codecs
import json
import os
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

import click

from guildmark.core.codecs import parse_iso, parse_json
from guildmark.core.errors import BrokenInput, one_line
from guildmark.core.report import EXIT_CODES, Report, render_text


def finish(report: Report, as_json: bool) -> NoReturn:
    """Print the report and end the process: 0 pass, 1 fail, 3 unknown."""
    if as_json:
        print_json(report.to_json())
    else:
        click.echo(render_text(report))
    sys.exit(EXIT_CODES[report.verdict])


def print_json(value: Any) -> None:
    """Plain JSON values for programs: two spaces, letters as they are, or as escapes where the output lacks them."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    plain = codecs.lookup(encoding).name.startswith("utf")
    click.echo(json.dumps(value, indent=2, ensure_ascii=not plain))


def place(source: str) -> str:
    """What a message calls the source of some input."""
    return "standard input" if source == "-" else source


def read_input(source: str, *, limit: int = 20_000_000) -> bytes:
    """The bytes of a file, or of standard input for `-`; BrokenInput if it is missing or larger than `limit` bytes."""
    try:
        if source != "-":
            with Path(source).open("rb") as stream:
                data = stream.read(limit + 1)
        elif sys.stdin is None:
            raise BrokenInput("is closed", where=place(source), hint="hand the input in with a pipe, or name a file")
        else:
            data = sys.stdin.buffer.read(limit + 1)
    except OSError as problem:
        why = problem.strerror or str(problem)
        raise BrokenInput(f"cannot be read ({why})", where=place(source), hint="check the path") from problem
    if len(data) > limit:
        raise BrokenInput(f"is larger than {limit:,} bytes", where=place(source), hint="is this the right file?")
    return data


def read_object(source: str) -> dict[str, Any]:
    """The JSON object in a file, or on standard input for `-`; BrokenInput, naming it, if it holds none."""
    value = parse_json(read_input(source), where=place(source))
    if not isinstance(value, dict):
        raise BrokenInput("is JSON, but not a document", where=place(source), hint="a document begins with {")
    return value


def write_out(data: bytes, file: str | None) -> None:
    """The bytes are on standard output, or in `file`, in place of what was there; BrokenInput says why they cannot."""
    if file is None:
        click.echo(data, nl=False)
    else:
        write_files(Path(file).parent, {Path(file).name: data})


def write_files(directory: Path, files: Mapping[str, bytes]) -> None:
    """Every file lies in `directory`, or none of them is new: BrokenInput says why it cannot be written.

    All are written beside first and renamed last, so that a full disk leaves what was there.
    """
    beside = {name: directory / f".{name}.{os.getpid()}" for name in files}
    try:
        directory.mkdir(parents=True, exist_ok=True)
        if taken := [name for name in files if (directory / name).is_dir()]:
            raise IsADirectoryError(0, f"{taken[0]} is a folder")
        for name, body in files.items():
            beside[name].write_bytes(body)
        for name in files:
            beside[name].replace(directory / name)
    except OSError as problem:
        for path in beside.values():
            if path.parent.is_dir():
                path.unlink(missing_ok=True)
        hint = "name a folder that you may write to"
        raise BrokenInput(f"cannot be written ({problem.strerror})", where=str(directory), hint=hint) from problem


def say(sentence: str, *, err: bool = False) -> None:
    """Print one line; what a name or title brings along to steer a terminal is written out as its escape."""
    click.echo(one_line(sentence), err=err)


def moment(text: str | None, option: str = "--now") -> datetime:
    """The moment that an option of a verb gives, or the clock of this machine."""
    return datetime.now(UTC) if text is None else parse_iso(text, where=option)
