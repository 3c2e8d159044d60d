"""`guildmark site ...`: the verbs that need the database, one file per room. Needs the `app` extra (Django)."""

from __future__ import annotations

import os
import secrets
import uuid
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from typing import Any

import click

from guildmark.cli.output import moment, print_json
from guildmark.core.errors import BrokenInput

_ROOMS = ("organisations", "skills", "design", "assess", "awards", "ledger", "pathways", "operate")


@dataclass(frozen=True, slots=True)
class World:
    """What the command line brings to a service: the moment, fresh ids, randomness, and how to print."""

    now: datetime
    as_json: bool

    def new_id(self) -> uuid.UUID:
        return uuid.uuid4()

    def entropy(self, size: int = 32) -> bytes:
        return secrets.token_bytes(size)

    def say(self, sentence: str, **facts: Any) -> dict[str, Any]:
        """Print the sentence for a person, or the facts as JSON; return the facts."""
        if self.as_json:
            print_json(facts)
        else:
            click.echo(sentence)
        return facts


class _Verbs(click.Group):
    def _all(self) -> dict[str, click.Command]:
        found: dict[str, click.Command] = {}
        for room in _ROOMS:
            found |= {c.name: c for c in import_module(f"guildmark.cli.site.{room}").commands}
        return found

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self._all())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return self._all().get(cmd_name)


@click.group("site", cls=_Verbs)
@click.option("--now", "now_text", metavar="TIME", help="Act at this moment (2026-11-24T09:00:00Z) instead of now.")
@click.option("--json", "as_json", is_flag=True, help="Print facts as JSON instead of a sentence.")
@click.pass_context
def command(ctx: click.Context, now_text: str | None, as_json: bool) -> None:
    """Run a site: design, endorse, gate, deliver, assess, award, log, stack, match.

    Verbs that need a permission are given the person who acts with --as USERNAME.

    Example: guildmark site award 7b0c... --as ana
    """
    ready()
    ctx.obj = World(now=moment(now_text), as_json=as_json)


def ready() -> None:
    """Django is set up; BrokenInput if it is not installed."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "guildmark.app.settings")
    try:
        import django
    except ImportError as problem:
        raise BrokenInput("this verb needs the app", hint="pip install 'guildmark[app]'") from problem
    django.setup()


AS = click.option("--as", "username", required=True, metavar="USERNAME", help="The person who acts.")


def actor(username: str) -> Any:
    """The person who acts."""
    from guildmark.app.queries.organisations import person

    return person(username)
