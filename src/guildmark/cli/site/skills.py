"""Step 1: frameworks, job ads, demand."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from guildmark.cli.output import say
from guildmark.cli.site import World
from guildmark.core.problems import RowProblem


def _list_and_end(problems: tuple[RowProblem, ...], most: int = 10) -> None:
    """The rows that were not taken, on standard error; if there are any, the exit code is 1."""
    for problem in problems[:most]:
        say(f"  not taken: {problem}", err=True)
    if len(problems) > most:
        click.echo(f"  ... and {len(problems) - most} more, which --json lists", err=True)
    if problems:
        sys.exit(1)


@click.command("load-framework")
@click.argument("path", required=False, type=click.Path(path_type=Path))
@click.pass_obj
def load_framework(world: World, path: Path | None) -> dict[str, Any]:
    """Load a skill framework: ESCO or O*NET files at PATH, or the small one that comes with guildmark.

    Rows that cannot be used are listed, the others taken. Exit code: 0 all taken, 1 some rows not, 2 unreadable.

    Example: guildmark site load-framework data/esco-1.1.1
    """
    from guildmark.app.services.skills import load_framework as load

    record, ingested = load(path=path, now=world.now)
    facts = world.say(
        f"{record.title} {record.version} is here as {record.id}. "
        f"Skills: {ingested.added}. Rows not taken: {len(ingested.problems)}.",
        framework=record.id,
        skills=ingested.added,
        problems=[str(p) for p in ingested.problems],
    )
    _list_and_end(ingested.problems)
    return facts


@click.command("ingest-ads")
@click.argument("file", metavar="[ADS]", required=False)
@click.pass_obj
def ingest_ads(world: World, file: str | None) -> dict[str, Any]:
    """Take in job ads (CSV, JSON lines, SkillSpan; - reads standard input), or the few that come with guildmark.

    Rows that cannot be used are listed, the others taken. Exit code: 0 all taken, 1 some rows not, 2 unreadable.

    Example: guildmark site ingest-ads ads.csv
    """
    from guildmark.app.services.skills import ingest_ads as ingest
    from guildmark.cli.extract import read_ads_of

    read = read_ads_of(file) if file is not None else None
    ingested = ingest(path=None, read=read, now=world.now)
    facts = world.say(
        f"Ads taken in: {ingested.added}. There already: {ingested.known}. Rows not taken: {len(ingested.problems)}.",
        added=ingested.added,
        known=ingested.known,
        problems=[str(p) for p in ingested.problems],
    )
    _list_and_end(ingested.problems)
    return facts


@click.command("refresh-demand")
@click.option("--framework", "framework_id", required=True)
@click.option("--query", default="", help="Only ads that hold these words.")
@click.pass_obj
def refresh_demand(world: World, framework_id: str, query: str) -> dict[str, Any]:
    """Find the skills in every ad and measure how many ads ask for each, with an interval.

    Example: guildmark site refresh-demand --framework guildmark --query data
    """
    from guildmark.app.queries.skills import words_that_show
    from guildmark.app.services.skills import extract_mentions
    from guildmark.app.services.skills import refresh_demand as refresh

    mentions = extract_mentions(framework_id=framework_id, now=world.now)
    snapshot = refresh(id=world.new_id(), framework_id=framework_id, query=query, on=world.now.date(), now=world.now)
    facts = world.say(
        f"{mentions} mentions found; demand over {snapshot.of} ads is frozen (demand {snapshot.id}).",
        demand=str(snapshot.id),
        mentions=mentions,
        ads=snapshot.of,
        source=snapshot.source,
        lines=snapshot.lines,
        sha256=snapshot.sha256,
    )
    if not world.as_json:
        for line in snapshot.lines[:8]:
            words = ", ".join(f"“{w}”" for w in words_that_show(snapshot, line["skill_uri"]))
            say(
                f"  {line['share']:5.0%} ({line['low']:.0%} to {line['high']:.0%})  {line['label']}"
                f"  in {line['ads']} of {line['of']} ads: {words}"
            )
    return facts


commands = [load_framework, ingest_ads, refresh_demand]
