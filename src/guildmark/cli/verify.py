"""`guildmark verify`: whether a credential holds, finding by finding."""

from __future__ import annotations

import click


@click.command("verify")
@click.argument("file")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@click.option("--now", "at", metavar="TIME", help="Verify as of this moment, such as 2026-11-24T09:00:00Z.")
@click.option(
    "--documents",
    metavar="DIR",
    help="Read keys, status lists and linked documents from DIR, whose index.json maps addresses to files, and never "
    "from the network.",
)
@click.option(
    "--issuer-document",
    "issuer_documents",
    metavar="FILE",
    multiple=True,
    help="Take FILE for what its id stands for (a did:web, an https issuer, or the did.jsonl of a did:webvh), and "
    "do not ask the network about that: you vouch for it. Repeatable.",
)
@click.option("--recipient", metavar="WHO", help="Also check that it is about this e-mail address, DID or identifier.")
def command(
    file: str,
    as_json: bool,
    at: str | None,
    documents: str | None,
    issuer_documents: tuple[str, ...],
    recipient: str | None,
) -> None:
    """Check the credential in FILE (JSON, or a PNG or SVG badge; - reads standard input).

    Each finding stands on its own line, the verdict last. Exit codes: 0 it holds, 1 it does not, 3 it cannot
    be told, 2 it cannot be read.

    Example: guildmark verify credential.json --documents web
    """
    from guildmark.cli.output import finish, moment, place, read_input
    from guildmark.core.doors import Fetcher
    from guildmark.core.errors import BrokenInput
    from guildmark.credential.verify import verify_credential

    data = read_input(file)
    fetcher: Fetcher
    if documents is None:
        from guildmark.adapters.fetch import GuardedFetcher

        fetcher = GuardedFetcher()
    else:
        from guildmark.adapters.documents import DirectoryFetcher

        fetcher = DirectoryFetcher(documents)
    if issuer_documents:
        from guildmark.adapters.documents import WithDocuments
        from guildmark.credential.resolve import place_of

        given = {name: read_input(name, limit=1_000_000) for name in issuer_documents}
        fetcher = WithDocuments({place_of(body, where=place(name)): body for name, body in given.items()}, fetcher)
    now = moment(at)
    try:
        report = verify_credential(data, now=now, fetcher=fetcher, recipient=recipient)
    except BrokenInput as problem:
        raise BrokenInput(problem.what, where=place(file), hint=problem.hint) from problem
    finish(report, as_json)
