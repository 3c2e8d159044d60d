"""`guildmark log`: looks after the files of a transparency log."""

from __future__ import annotations

from pathlib import Path

import click

from guildmark.cli.output import finish
from guildmark.cli.receipt import read_keys


@click.group()
def command() -> None:
    """Look after the files of a transparency log.

    Example: guildmark log fsck var/demo/web/log --vkey var/demo/web/log/vkey
    """


@command.command()
@click.argument("directory")
@click.option(
    "--vkey",
    required=True,
    multiple=True,
    help="The log's verifier key: a file, or the key itself. Repeatable.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def fsck(directory: str, vkey: tuple[str, ...], as_json: bool) -> None:
    """Compute every hash of a log again and compare it with its tiles and its signed checkpoint.

    DIRECTORY holds `checkpoint` and `tile/` as C2SP tlog-tiles lays them out; a mirror of any such log will
    do.

    Example: guildmark log fsck var/demo/web/log --vkey var/demo/web/log/vkey

    Exit codes: 0 whole, 1 damaged or not signed by this key, 2 there is no log in the directory.
    """
    from guildmark.adapters.log_files import TileFiles
    from guildmark.core.errors import BrokenInput
    from guildmark.ledger.log import audit

    keys = read_keys(vkey)
    tiles = TileFiles(Path(directory))
    checkpoint = tiles.get("checkpoint")
    if checkpoint is None:
        raise BrokenInput("there is no log here: no file `checkpoint`", where=directory, hint="name the public folder")
    finish(audit(tiles, checkpoint, keys), as_json)
