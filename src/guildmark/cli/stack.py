"""`guildmark stack`: whether the credentials in a file add up to a larger one under a rule."""

from __future__ import annotations

import sys
from datetime import date
from typing import TYPE_CHECKING, Any

import click

from guildmark.cli.output import moment, place, print_json, read_input, say

if TYPE_CHECKING:
    from guildmark.assess.holding import Holding
    from guildmark.core.problems import RowProblem
    from guildmark.pathways.stack import StackResult


@click.command("stack")
@click.argument("rule_file", metavar="RULE.toml")
@click.argument("holdings_file", metavar="HOLDINGS.json")
@click.option("--on", metavar="DATE", help="The day to decide for, such as 2026-11-24; by default today.")
@click.option("--json", "as_json", is_flag=True, help="Print the whole result as JSON.")
def command(rule_file: str, holdings_file: str, on: str | None, as_json: bool) -> None:
    """Decide whether one person's credentials earn the larger credential of a rule, and what is missing if not.

    HOLDINGS.json is a list of held credentials, each with credential_id, achievement_id, title, issuer_id, learner_id,
    skills, credit_value, credit_unit, level, assessed_on, valid_until, status and tags; `-` reads standard input. The
    status is believed as it stands there: verify the credentials first. Entries that cannot be read are listed, and
    the others are used.

    Exit codes: 0 earned, 1 not earned, 3 it cannot be told, 2 it cannot be read.

    Example: guildmark stack certificate.toml holdings.json --on 2026-11-24
    """
    from guildmark.core.errors import BrokenInput
    from guildmark.core.report import EXIT_CODES, render_text
    from guildmark.pathways.stack import check_examples, read_stack_rule, solve_stack

    rule = read_stack_rule(read_input(rule_file), where=place(rule_file))
    if wrong := check_examples(rule).failed():
        raise BrokenInput(wrong[0].says.rstrip("."), where=place(rule_file), hint="mend the rule or its example")
    try:
        day = date.fromisoformat(on) if on else moment(None).date()
    except ValueError as problem:
        raise BrokenInput(f"{on!r} is not a date", where="--on", hint="write 2026-11-24") from problem
    holdings, problems = _holdings(holdings_file)
    result = solve_stack(rule, holdings, on=day)
    if as_json:
        unread = [{"row": p.row, "field": p.field, "says": p.says} for p in problems]
        print_json({**result.to_json(), "problems": unread})
    else:
        click.echo(render_text(result.report))
        for line in _way_in_words(result):
            say(line)
    for row in problems:
        say(f"not read: {row}", err=True)
    sys.exit(EXIT_CODES[result.report.verdict])


def _holdings(file: str) -> tuple[list[Holding], list[RowProblem]]:
    """The credentials that can be read, and what was wrong with each of the others."""
    from guildmark.assess.holding import Holding
    from guildmark.core.codecs import parse_json
    from guildmark.core.errors import BrokenInput
    from guildmark.core.problems import RowProblem

    rows: Any = parse_json(read_input(file), where=place(file))
    if not isinstance(rows, list):
        raise BrokenInput("is not a list", where=place(file), hint="write one object for each held credential")
    holdings, problems = [], []
    for number, row in enumerate(rows, 1):
        try:
            holdings.append(Holding.from_json(row, where=""))
        except BrokenInput as problem:
            says = f"{problem.what}; {problem.hint}" if problem.hint else problem.what
            problems.append(RowProblem(number, problem.where.lstrip("."), says))
    return holdings, problems


def _way_in_words(result: StackResult) -> list[str]:
    if not result.way:
        return []
    hours = sum(step.hours for step in result.way)
    return [
        f"The shortest way, {hours:g} notional hours:",
        *(f"  {step.title} ({step.hours:g} h, {step.issuer_id})" for step in result.way),
    ]
