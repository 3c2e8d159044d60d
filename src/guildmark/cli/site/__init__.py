"""`guildmark site ...`: the verbs that need the database, one file per room. Needs the `app` extra (Django)."""

from __future__ import annotations

import os
import re
import secrets
import uuid
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from typing import Any

import click

from guildmark.cli.output import moment, print_json, say
from guildmark.core.errors import BrokenInput, GuildmarkError, OutsideFailure

_ROOMS = ("organisations", "skills", "design", "assess", "awards", "ledger", "pathways", "privacy", "operate")


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
            say(sentence)
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

    def invoke(self, ctx: click.Context) -> Any:
        """Run a verb; a database that is not there, not ready or refuses a value is one sentence, not a traceback."""
        try:
            return super().invoke(ctx)
        except Exception as problem:
            if sentence := _about_database(problem):
                raise sentence from problem
            raise


def _about_database(problem: Exception) -> GuildmarkError | None:
    """What a refusal of the database means to the person who runs the site; None if it is a defect of ours."""
    # Named rather than imported: without Django there is no database, and this is asked all the same.
    kinds = {kind.__name__ for kind in type(problem).__mro__ if kind.__module__ == "django.db.utils"}
    if not kinds & {"DatabaseError", "InterfaceError"} or "IntegrityError" in kinds:
        return None
    said = str(problem).strip().partition("\n")[0].rstrip(".")
    if re.search(r"no such (table|column)|(relation|column) .* does not exist", said):
        return BrokenInput("the database is not ready for this version", hint="run guildmark site migrate first")
    if "DataError" in kinds:
        return BrokenInput(f"the database does not take a value ({said})", hint="shorten or mend what was handed in")
    return OutsideFailure(f"The database could not do this ({said}); nothing was changed.")


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
    now = moment(now_text)
    if not 1970 <= now.year < 9000:  # what is issued then is valid for years, and there have to be any
        raise BrokenInput(f"{now.year} is no year to act in", where="--now", hint="write one from 1970 to 8999")
    ctx.obj = World(now=now, as_json=as_json)


def ready() -> None:
    """Django is set up; BrokenInput if it is not installed."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "guildmark.app.settings")
    try:
        import django
    except ImportError as problem:
        raise BrokenInput("this verb needs the app", hint="pip install 'guildmark[app]'") from problem
    from django.core.exceptions import ImproperlyConfigured

    try:
        django.setup()
    except ImproperlyConfigured as problem:
        raise BrokenInput(str(problem).rstrip("."), where="settings", hint="see docs/operations.md") from problem
    except OSError as problem:
        what = f"cannot be used ({problem.strerror})"
        raise BrokenInput(
            what, where=str(problem.filename), hint="let GUILDMARK_HOME name a folder of yours"
        ) from problem


def words(context: click.Context, parameter: click.Parameter, value: str) -> str:
    """A text that people will read; BrokenInput if there is nothing in it."""
    if not value.strip():
        raise BrokenInput("is empty", where=f"--{parameter.name}", hint="write what people should read there")
    return value


AS = click.option("--as", "username", required=True, metavar="USERNAME", help="The person who acts.")


def actor(username: str) -> Any:
    """The person who acts."""
    from guildmark.app.queries.organisations import person

    return person(username)
