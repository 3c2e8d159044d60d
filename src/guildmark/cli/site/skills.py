"""Step 1: frameworks, job ads, demand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from guildmark.cli.site import World
from guildmark.core.problems import RowProblem


def _list(problems: tuple[RowProblem, ...], most: int = 10) -> None:
    for problem in problems[:most]:
        click.echo(f"  not taken: {problem}", err=True)
    if len(problems) > most:
        click.echo(f"  ... and {len(problems) - most} more", err=True)


@click.command("load-framework")
@click.argument("path", required=False, type=click.Path(path_type=Path))
@click.pass_obj
def load_framework(world: World, path: Path | None) -> dict[str, Any]:
    """Load a skill framework: ESCO or O*NET files at PATH, or the small one that comes with guildmark.

    Example: guildmark site load-framework data/esco-1.1.1
    """
    from guildmark.app.services.skills import load_framework as load

    record, ingested = load(path=path, now=world.now)
    _list(ingested.problems)
    return world.say(
        f"{record.title} {record.version}: {ingested.added} skills, {len(ingested.problems)} rows not taken.",
        framework=record.id,
        skills=ingested.added,
        problems=[str(p) for p in ingested.problems],
    )


@click.command("ingest-ads")
@click.argument("path", required=False, type=click.Path(path_type=Path))
@click.pass_obj
def ingest_ads(world: World, path: Path | None) -> dict[str, Any]:
    """Take in job ads (CSV, JSON lines, SkillSpan), or the few that come with guildmark.

    Example: guildmark site ingest-ads ads.csv
    """
    from guildmark.app.services.skills import ingest_ads as ingest

    ingested = ingest(path=path, now=world.now)
    _list(ingested.problems)
    return world.say(
        f"{ingested.added} ads are in, {ingested.known} were there already, {len(ingested.problems)} rows not taken.",
        added=ingested.added,
        known=ingested.known,
        problems=[str(p) for p in ingested.problems],
    )


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
        f"{mentions} mentions found; demand over {snapshot.of} ads is frozen as {snapshot.sha256[:12]}.",
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
            click.echo(
                f"  {line['share']:5.0%} ({line['low']:.0%} to {line['high']:.0%})  {line['label']}"
                f"  in {line['ads']} of {line['of']} ads: {words}"
            )
    return facts


commands = [load_framework, ingest_ads, refresh_demand]
