"""`guildmark canonicalize`: the text that a signature over a document is made of."""

from __future__ import annotations

import sys

import click


@click.command("canonicalize")
@click.argument("file")
@click.option(
    "--form",
    type=click.Choice(["rdfc", "jcs"]),
    default="rdfc",
    show_default=True,
    help="Canonical RDF (RDFC-1.0, as N-Quads), or canonical JSON (RFC 8785).",
)
@click.option("--bare", is_flag=True, help="Leave its proof out, as signatures do.")
@click.option("--hash", "hashed", is_flag=True, help="Print only the hash, in hex.")
@click.option(
    "--digest",
    type=click.Choice(["sha256", "sha384"]),
    default="sha256",
    show_default=True,
    help="The hash, and for rdfc the one by which unnamed nodes are told apart.",
)
@click.option("--out", metavar="FILE", help="Write to FILE instead of standard output.")
def command(file: str, form: str, bare: bool, hashed: bool, digest: str, out: str | None) -> None:
    """Print the canonical form of the JSON document in FILE (- reads standard input).

    What the form leaves out, since no term defines it, is said on standard error.

    Example: guildmark canonicalize credential.json --bare --hash

    Exit codes: 0 printed, 1 printed, but part of the document is not in it, 2 it has no canonical form.
    """
    import hashlib

    from guildmark.cli.output import place, read_object, say, write_out
    from guildmark.core.errors import BrokenInput
    from guildmark.credential.canonical import canonical_form

    document = read_object(file)
    if bare:
        document.pop("proof", None)
    try:
        made = canonical_form(document, form, digest=digest)
    except BrokenInput as problem:
        raise BrokenInput(problem.what, where=place(file), hint=problem.hint) from problem
    text = hashlib.new(digest, made.data).hexdigest().encode() + b"\n" if hashed else made.data
    write_out(text, out)
    for loss in made.losses[:20]:
        say(f"not in it: {loss}", err=True)
    if len(made.losses) > 20:
        say(f"not in it: {len(made.losses) - 20} more", err=True)
    if made.losses:
        sys.exit(1)
