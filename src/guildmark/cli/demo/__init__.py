"""`guildmark demo`: the whole story on one machine, told through the commands that anyone can run."""

from __future__ import annotations

import os
import secrets
import shutil
import sys
import time
from pathlib import Path

import click

from guildmark.core.errors import BrokenInput


@click.command("demo")
@click.option("--no-serve", is_flag=True, help="Tell the story and stop.")
@click.option("--port", default=8000, type=click.IntRange(1, 65535), help="Where the site answers afterwards.")
@click.option(
    "--folder",
    type=click.Path(path_type=Path),
    default=Path("var/demo"),
    help="Where the story leaves its files; emptied first if an earlier demo made it.",
)
def command(no_serve: bool, port: int, folder: Path) -> None:
    """Tell the whole story in eleven steps, then serve the site it made.

    Each step goes through its own command, and its files are left in var/demo with an index.json. Everything is
    real: the keys sign, the log is a log, the verifier reads only what a verifier could fetch. What is invented
    are the people and organisations, and that is said where they stand.

    Example: guildmark demo --no-serve
    """
    home = folder.resolve()
    fresh(home)
    # The story has a database and a web folder of its own, whatever the site beside it uses.
    os.environ["GUILDMARK_HOME"] = str(home)
    os.environ.pop("GUILDMARK_DATABASE_URL", None)
    os.environ["GUILDMARK_DEMO_SITE"] = "1"
    os.environ["GUILDMARK_STATUS_DAYS"] = "0"  # no worker renews its lists once it is told
    os.environ.setdefault("GUILDMARK_BASE_URL", "https://demo.guildmark.example")
    from guildmark.cli.demo.story import Story
    from guildmark.cli.site import ready

    ready()
    started = time.monotonic()
    story = Story(home)
    story.tell()
    click.echo(f"\nThe story took {time.monotonic() - started:.0f} s. Its files and what each shows: ", nl=False)
    click.echo(story.shown("index.json"))
    me, award = os.path.relpath(sys.argv[0]), story.credential_id
    who = "Begin as Solveig (designs), Márit (marks), Astrid (awards), Moana (hires) or Aroha (learns)."
    click.echo("Go on from here, for example:")
    click.echo(f"  {me} verify {story.shown('credential.json')} --documents {story.shown('web')}")
    click.echo(f"  GUILDMARK_HOME={story.shown('.')} {me} site revoke {award} --code issued_in_error --as ana")
    click.echo(f"  GUILDMARK_HOME={story.shown('.')} GUILDMARK_DEMO_SITE=1 {me} site serve")
    click.echo(f"    and be anybody with one click. {who}")
    if no_serve:
        return
    from guildmark.cli.site.operate import serve_site

    here, password = f"http://127.0.0.1:{port}", secrets.token_urlsafe(12)
    story.site("create-operator", "operator", "--email", "ops@example.org", "--password", password, quiet=True)
    click.echo(f"\nThe site is at {here}/ until you press Ctrl-C. It knows {story.folder} and nothing else.")
    click.echo(f"  Be anybody with one click:  {here}/  {who}")
    click.echo(f"  Mei's credential, by the link that she was sent:  {here}/claim/{story.claim_token}")
    click.echo(f"  The operator's admin:  {here}/admin/  as operator, password {password}")
    click.echo(f"  Check a credential:  {here}/verify  with {story.shown('credential.json')}")
    serve_site("127.0.0.1", port, workers=1)


def fresh(folder: Path) -> None:
    """The folder is there and empty; BrokenInput if it holds something that no demo made."""
    if folder.exists() and any(folder.iterdir()):
        if not (folder / "index.json").exists() and not (folder / "guildmark.sqlite3").exists():
            raise BrokenInput("holds something that no demo made", where=str(folder), hint="name another with --folder")
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
