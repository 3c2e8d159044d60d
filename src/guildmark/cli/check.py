"""`guildmark check`: run the quality gate over a blueprint file."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from guildmark.cli.output import finish, moment, place, read_input

if TYPE_CHECKING:
    from guildmark.core.rules import Judgement, Rulebook


@click.command("check")
@click.argument("blueprint")
@click.option(
    "--rulebook", "names", multiple=True, metavar="ID|FILE", help="A rulebook that comes with guildmark, or a file."
)
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
    from guildmark.design.blueprint import read_blueprint
    from guildmark.design.gate import gate

    books = [_rulebook(name) for name in dict.fromkeys(names or ("guildmark_core",))]
    facts: Any = parse_json(read_input(provider), where=place(provider)) if provider else {}
    if not isinstance(facts, dict):
        raise BrokenInput("is not an object", where=place(str(provider)), hint='write {"name": "...", "country": "AU"}')
    try:
        day = date.fromisoformat(on) if on else moment(None).date()
    except ValueError as problem:
        raise BrokenInput(f"{on!r} is not a date", where="--on", hint="write 2026-11-24") from problem
    report = gate(
        read_blueprint(read_input(blueprint), place(blueprint)),
        books,
        provider=facts,
        endorsed=(),
        judgements=_judgements(judgements, books),
        on=day,
    )
    finish(report, as_json)


def _rulebook(name: str) -> Rulebook:
    """A rulebook that comes with guildmark, or one from a file whose examples do what they say."""
    from guildmark.core.errors import BrokenInput
    from guildmark.core.rules import check_examples, load_rulebook
    from guildmark.design.gate import builtin_rulebooks

    known = builtin_rulebooks()
    if name in known:
        return known[name]
    if not Path(name).exists():
        raise BrokenInput(f"there is no rulebook {name!r}", hint=f"use {', '.join(sorted(known))}, or a file")
    book = load_rulebook(read_input(name), where=name)
    wrong = check_examples(book).failed()
    if wrong:
        raise BrokenInput(wrong[0].says.rstrip("."), where=name, hint="mend the rule or its example")
    return book


def _judgements(file: str | None, books: list[Rulebook]) -> list[Judgement]:
    """What people decided, each about a rule of these or of guildmark's own rulebooks that a person may judge."""
    from guildmark.core.codecs import parse_iso, parse_json
    from guildmark.core.errors import BrokenInput
    from guildmark.core.report import Verdict
    from guildmark.core.rules import Judgement
    from guildmark.design.gate import builtin_rulebooks

    if file is None:
        return []
    rows = parse_json(read_input(file), where=place(file))
    if not isinstance(rows, list):
        raise BrokenInput("is not a list", where=place(file), hint="write one object for each judgement")
    grades = {rule.id: rule.grade for book in (*builtin_rulebooks().values(), *books) for rule in book.rules}
    found = []
    for number, row in enumerate(rows, 1):
        where = f"{place(file)}, judgement {number}"
        if not isinstance(row, dict) or set(row) != {"rule_id", "verdict", "by", "reason", "at"}:
            raise BrokenInput("is not a judgement", where=where, hint="give rule_id, verdict, by, reason and at")
        for name in row:
            if not isinstance(row[name], str):
                raise BrokenInput(f"{name} is not text", where=where, hint="write it in quotes")
        if row["verdict"] not in ("pass", "fail"):
            raise BrokenInput(f"verdict is {row['verdict'][:60]!r}", where=where, hint="write pass or fail")
        if row["rule_id"] not in grades:
            hint = "take the id from the report"
            raise BrokenInput(f"no rulebook has a rule {row['rule_id'][:60]!r}", where=where, hint=hint)
        if grades[row["rule_id"]] == "auto":
            hint = "mend the blueprint instead"
            raise BrokenInput(f"rule {row['rule_id']} is decided from the data alone", where=where, hint=hint)
        at = parse_iso(row["at"], where=where)
        found.append(Judgement(row["rule_id"], Verdict(row["verdict"]), row["by"], row["reason"], at))
    return found
