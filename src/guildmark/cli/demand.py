"""`guildmark demand`: how many job ads ask for each skill."""

from __future__ import annotations

import sys

import click


@click.command(name="demand")
@click.argument("file", metavar="[ADS]", required=False)
@click.option("--framework", "folder", metavar="DIR", help="ESCO or O*NET files; by default guildmark's own skills.")
@click.option("--query", default="", metavar="WORDS", help="Only ads that hold these words in title or text.")
@click.option("--most", default=25, show_default=True, type=click.IntRange(1), help="Lines to print; --json has all.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
def command(file: str | None, folder: str | None, query: str, most: int, as_json: bool) -> None:
    """How many of the job ads in ADS name each skill, with a 95 % interval and the words that show it.

    ADS is CSV or JSON lines with a column text (see `guildmark extract`), or SkillSpan; `-` reads standard input.
    Without ADS the few that come with guildmark are counted, which we wrote ourselves: they show how it works.

    The interval (Wilson's) says how far the share may be off because ads are few. It knows nothing of ads that are not
    in the file, of skills that an ad names in other words, or of one employer's ads being alike.

    Exit code: 0 counted, 1 counted but some rows were not read, 3 no ad to count, 2 unreadable.

    Example: guildmark demand ads.csv --query data
    """
    from guildmark.cli.extract import framework_of, problems_json, read_ads_of, tell_problems
    from guildmark.cli.output import place, print_json, say
    from guildmark.skills.ads import OWN_SOURCE, ReadAds, builtin_ads
    from guildmark.skills.demand import measure_demand, wordings
    from guildmark.skills.extract import Extractor

    read = ReadAds(builtin_ads(), ()) if file is None else read_ads_of(file)
    words = query.casefold()
    ads = [ad for ad in read.ads if words in ad.title.casefold() or words in ad.text.casefold()]
    framework, framework_problems = framework_of(folder)
    extractor = Extractor(framework)
    mentions = [m for ad in ads for m in extractor.mentions(ad)]
    lines = measure_demand(ads, mentions, query=query)
    shown = wordings(mentions)
    if as_json:
        print_json(
            {
                "framework": {"id": framework.id, "version": framework.version, "skills": len(framework.skills)},
                "source": sorted({ad.source for ad in ads}),
                "query": query,
                "ads": len(ads),
                "lines": [{**line.to_json(), "words": list(shown[line.skill_uri])} for line in lines],
                **problems_json(read.problems, framework_problems),
            }
        )
    else:
        asked = f" that hold “{query}”" if query else ""
        source = OWN_SOURCE if file is None else place(file)
        say(f"{len(ads)} ads{asked} from {source}; {framework.title} {framework.version}")
        for line in lines[:most]:
            share = f"{line.share:4.0%} ({line.low:.0%} to {line.high:.0%})"
            quoted = ", ".join(f"“{w}”" for w in shown[line.skill_uri])
            say(f"  {share:<20} {line.ads:>5} of {line.of}  {line.label}: {quoted}")
        if len(lines) > most:
            click.echo(f"  and {len(lines) - most} skills more")
        tell_problems(read.problems, framework_problems)
    if not ads:
        sys.exit(3)
    sys.exit(1 if read.problems else 0)
