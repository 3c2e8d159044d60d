"""`guildmark check`: run the quality gate over a blueprint file."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import click

from guildmark.cli.output import finish, moment, read_input


@click.command("check")
@click.argument("blueprint")
@click.option("--rulebook", "names", multiple=True, metavar="ID|FILE", help="A rulebook that comes with guildmark, or a file.")
@click.option("--provider", metavar="FILE", help="JSON object: name, country, regulated, ... of the provider.")
@click.option("--judgements", metavar="FILE", help="JSON list of {rule_id, verdict, by, reason, at}.")
@click.option("--on", metavar="DATE", help="The day on which rules must be in force; by default today.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def command(
    blueprint: str, names: tuple[str, ...], provider: str | None, judgements: str | None, on: str | None, as_json: bool
) -> None:
    """Check a blueprint against rulebooks: by default guildmark's own core rules.

    Endorsements are signatures, which a file alone does not carry: rules that need one stay open here and are decided
    on a site.

    Example: guildmark check sql.json --rulebook au_nmf --provider harbour.json
    """
    from guildmark.core.codecs import parse_json
    from guildmark.core.errors import BrokenInput
    from guildmark.core.rules import Rulebook, load_rulebook
    from guildmark.design.blueprint import read_blueprint
    from guildmark.design.gate import builtin_rulebooks, gate

    known = builtin_rulebooks()
    books: list[Rulebook] = []
    for name in names or ("guildmark_core",):
        if name in known:
            books.append(known[name])
        elif Path(name).exists():
            books.append(load_rulebook(read_input(name), where=name))
        else:
            raise BrokenInput(f"there is no rulebook {name!r}", hint=f"use {', '.join(sorted(known))}, or a file")
    facts: Any = parse_json(read_input(provider), where=provider) if provider else {}
    if not isinstance(facts, dict):
        raise BrokenInput("is not an object", where=str(provider), hint='write {"name": "...", "country": "AU"}')
    try:
        day = date.fromisoformat(on) if on else moment(None).date()
    except ValueError as problem:
        raise BrokenInput(f"{on!r} is not a date", where="--on", hint="write 2026-11-24") from problem
    report = gate(
        read_blueprint(read_input(blueprint), blueprint),
        books,
        provider=facts,
        endorsed=(),
        judgements=_judgements(judgements),
        on=day,
    )
    finish(report, as_json)


def _judgements(file: str | None) -> list[Any]:
    from guildmark.core.codecs import parse_iso, parse_json
    from guildmark.core.errors import BrokenInput
    from guildmark.core.report import Verdict
    from guildmark.core.rules import Judgement

    if file is None:
        return []
    rows = parse_json(read_input(file), where=file)
    if not isinstance(rows, list):
        raise BrokenInput("is not a list", where=file, hint="write one object for each judgement")
    found = []
    for number, row in enumerate(rows, 1):
        try:
            found.append(
                Judgement(row["rule_id"], Verdict(row["verdict"]), row["by"], row["reason"], parse_iso(row["at"], where=file))
            )
        except (KeyError, TypeError, ValueError) as problem:
            raise BrokenInput(
                f"judgement {number} is unfit ({problem})", where=file, hint="give rule_id, verdict, by, reason and at"
            ) from problem
    return found
