"""`guildmark bake`: a credential goes into a badge image."""

from __future__ import annotations

import click


@click.command("bake")
@click.argument("image")
@click.argument("credential")
@click.option("--out", metavar="FILE", help="Write the badge to FILE instead of standard output.")
@click.option("--overwrite", is_flag=True, help="Replace a credential that the image carries already.")
def command(image: str, credential: str, out: str | None, overwrite: bool) -> None:
    """Put the CREDENTIAL (JSON or a token) into the IMAGE, a PNG or SVG file.

    It goes in byte for byte, and `guildmark unbake` gives it back so. It is not verified: `guildmark verify` does
    that, also on the badge.

    Example: guildmark bake badge.png credential.json --out award.png

    Exit codes: 0 baked, 2 it cannot be.
    """
    from guildmark.cli.output import place, read_input, write_out
    from guildmark.core.errors import BrokenInput
    from guildmark.credential.bake import bake
    from guildmark.credential.verify import document_inside

    picture, text = read_input(image), read_input(credential)
    try:
        document_inside(text)
    except BrokenInput as problem:
        raise BrokenInput(problem.what, where=place(credential), hint=problem.hint) from problem
    try:
        # What surrounds a document in its file is not the document's, and a token has to be alone in its attribute.
        baked = bake(picture, text.removeprefix(b"\xef\xbb\xbf").strip(), overwrite=overwrite)
    except BrokenInput as problem:
        source = credential if problem.where == "credential" else image
        raise BrokenInput(problem.what, where=place(source), hint=problem.hint) from problem
    write_out(baked, out)
