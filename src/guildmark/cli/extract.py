"""`guildmark extract`: the skills that job ads name, with the words that show them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from guildmark.core.problems import RowProblem
    from guildmark.skills.ads import ReadAds
    from guildmark.skills.framework import Framework

_TABLES = (".csv", ".json", ".jsonl")


@click.command(name="extract")
@click.argument("file", metavar="FILE")
@click.option("--framework", "folder", metavar="DIR", help="ESCO or O*NET files; by default guildmark's own skills.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
def command(file: str, folder: str | None, as_json: bool) -> None:
    """Find the skills that FILE names, and show the words that name them.

    A file that ends in .csv, .json or .jsonl (or that and .gz) holds job ads: the column text, and if you like id,
    title, employer, place, posted and source. Any other file, and standard input for `-`, is the text of one ad.

    Only labels of the framework and their forms are found, not what an ad says in other words; the confidence orders
    mentions and is no probability.

    Exit code: 0 done, 1 done but some rows were not read, 2 unreadable.

    Example: guildmark extract ads.csv --framework esco-1.1.1 --json
    """
    from guildmark.cli.output import place, print_json, read_input, say
    from guildmark.skills.ads import JobAd, ReadAds
    from guildmark.skills.extract import Extractor
    from guildmark.skills.files import decode

    if file.lower().removesuffix(".gz").endswith(_TABLES):
        read = read_ads_of(file)
    else:
        text = decode(read_input(file), where=place(file))
        ad = JobAd(id=place(file), title="", employer="", text=text, source=place(file))
        read = ReadAds((ad,), ())
    framework, framework_problems = framework_of(folder)
    extractor = Extractor(framework)
    found = [(ad, extractor.mentions(ad)) for ad in read.ads]
    if as_json:
        print_json(
            {
                "framework": {"id": framework.id, "version": framework.version, "skills": len(framework.skills)},
                "ads": [
                    {"id": ad.id, "title": ad.title, "mentions": [m.to_json() for m in mentions]}
                    for ad, mentions in found
                ],
                **problems_json(read.problems, framework_problems),
            }
        )
    else:
        for ad, mentions in found:
            say(f"{ad.id}{': ' if ad.title else ''}{ad.title}")
            for m in mentions:
                say(f"  {m.start:>6}  {m.confidence:.2f}  {m.label}: “{' '.join(m.words.split())}”")
            if not mentions:
                click.echo("  names no skill of this framework")
        tell_problems(read.problems, framework_problems)
    sys.exit(1 if read.problems else 0)


def read_ads_of(file: str) -> ReadAds:
    """The ads of a file, or of standard input for `-`."""
    from pathlib import Path

    from guildmark.cli.output import read_input
    from guildmark.skills.ads import LARGEST_FILE, parse_ads, read_ads
    from guildmark.skills.files import decode

    if file == "-":
        return parse_ads(decode(read_input("-", limit=LARGEST_FILE), where="standard input"), where="standard input")
    return read_ads(Path(file))


def framework_of(folder: str | None) -> tuple[Framework, tuple[RowProblem, ...]]:
    """The framework in a folder with the rows that it could not use, or our own."""
    from pathlib import Path

    from guildmark.skills.load import builtin_framework, load_framework

    if folder is None:
        return builtin_framework(), ()
    loaded = load_framework(Path(folder))
    return loaded.framework, loaded.problems


def problems_json(ads: tuple[RowProblem, ...], framework: tuple[RowProblem, ...]) -> dict[str, Any]:
    """The rows that were not read, for programs."""
    return {
        name: [{"row": p.row, "field": p.field, "says": p.says} for p in problems]
        for name, problems in (("problems", ads), ("framework_problems", framework))
    }


def tell_problems(ads: tuple[RowProblem, ...], framework: tuple[RowProblem, ...], most: int = 20) -> None:
    """The rows that were not read, on standard error."""
    from guildmark.cli.output import say

    for kind, problems in (("not read", ads), ("not read of the framework", framework)):
        for problem in problems[:most]:
            say(f"{kind}: {problem}", err=True)
        if len(problems) > most:
            click.echo(f"{kind}: {len(problems) - most} rows more; --json lists all", err=True)
