"""`guildmark verify`: whether a credential holds, finding by finding."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import click

if TYPE_CHECKING:
    from guildmark.core.doors import Fetcher
    from guildmark.credential.trust import Trust


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
@click.option(
    "--profile",
    type=click.Choice(["strict", "tolerant"]),
    default="tolerant",
    show_default=True,
    help="Forgive what others commonly write and what cannot be misread, or nothing.",
)
@click.option("--receipt", metavar="FILE", help="Also check that this receipt shows it in a log; needs --vkey.")
@click.option(
    "--vkey",
    multiple=True,
    metavar="KEY",
    help="The verifier key of a log that you trust: a file, or the key itself. Repeatable.",
)
@click.option(
    "--trust",
    metavar="FILE",
    help="Also judge it by a policy: a TOML rulebook about whom you trust (docs/verify.md has an example).",
)
def command(
    file: str,
    as_json: bool,
    at: str | None,
    documents: str | None,
    issuer_documents: tuple[str, ...],
    recipient: str | None,
    profile: Literal["strict", "tolerant"],
    receipt: str | None,
    vkey: tuple[str, ...],
    trust: str | None,
) -> None:
    """Check the credential in FILE (JSON, a token, or a PNG or SVG badge; - reads standard input).

    Each finding stands on its own line, the verdict last. Exit codes: 0 it holds, 1 it does not, 3 it cannot
    be told, 2 it cannot be read.

    Example: guildmark verify credential.json --documents web
    """
    from guildmark.cli.output import finish, moment, place, read_input
    from guildmark.cli.receipt import read_keys
    from guildmark.core.errors import BrokenInput
    from guildmark.credential.verify import verify_credential

    if vkey and receipt is None:
        raise BrokenInput("is of no use without --receipt", where="--vkey", hint="name the receipt as well")
    data = read_input(file)
    fetcher = fetcher_for(documents, issuer_documents)
    now = moment(at)
    policy = None if trust is None else _policy(trust)
    keys = read_keys(vkey)
    text = None if receipt is None else _receipt(receipt)
    try:
        report = verify_credential(
            data, now=now, fetcher=fetcher, recipient=recipient, receipt=text, log_keys=keys, profile=profile
        )
        if policy is not None:
            from guildmark.credential.trust import trust_findings

            report = report.plus(*trust_findings(report, data, policy, now=now))
    except BrokenInput as problem:
        raise BrokenInput(problem.what, where=place(file), hint=problem.hint) from problem
    finish(report, as_json)


def fetcher_for(documents: str | None, issuer_documents: tuple[str, ...] = ()) -> Fetcher:
    """What a verb reads from: a folder or the network, and before it documents that the caller vouches for."""
    from guildmark.cli.output import place, read_input

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
    return fetcher


def _receipt(source: str) -> bytes:
    """The text of a receipt; BrokenInput if it is none, since then nothing was asked."""
    from guildmark.cli.output import place, read_input
    from guildmark.ledger.receipt import read_receipt

    text = read_input(source, limit=1_000_000)
    read_receipt(text, where=place(source))
    return text


def _policy(source: str) -> Trust:
    """The policy in a file; lists that it names lie beside it, and nowhere else."""
    from pathlib import Path

    from guildmark.cli.output import place, read_input
    from guildmark.core.errors import BrokenInput
    from guildmark.credential.trust import read_trust

    folder = Path("." if source == "-" else source).resolve()
    folder = folder if source == "-" else folder.parent

    def read(name: str) -> bytes:
        try:
            inside = (folder / name).resolve().is_relative_to(folder)
        except (OSError, ValueError):
            inside = False
        if not inside:
            raise BrokenInput(f"its list {name[:100]!r} lies elsewhere", where=place(source), hint="put it beside")
        return read_input(str(folder / name))

    return read_trust(read_input(source, limit=1_000_000), where=place(source), read=read)
