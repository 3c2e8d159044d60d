"""`guildmark unbake`: the credential that a badge image carries, byte for byte."""

from __future__ import annotations

import click


@click.command("unbake")
@click.argument("image")
@click.option("--out", metavar="FILE", help="Write the credential to FILE instead of standard output.")
def command(image: str, out: str | None) -> None:
    """Take the credential out of the IMAGE (PNG or SVG; - reads standard input).

    It comes out as it went in, and is not verified: `guildmark verify` does that, also on the image.

    Example: guildmark unbake award.png --out credential.json

    Exit codes: 0 there was one, 2 there is none, or not just one.
    """
    from guildmark.cli.output import place, read_input, write_out
    from guildmark.core.errors import BrokenInput
    from guildmark.credential.bake import extract

    try:
        found = extract(read_input(image))
    except BrokenInput as problem:
        raise BrokenInput(problem.what, where=place(image), hint=problem.hint) from problem
    write_out(found, out)
