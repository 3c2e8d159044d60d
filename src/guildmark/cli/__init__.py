"""The command line: one file per verb; verbs on files work without Django installed, `guildmark site` needs it."""

from __future__ import annotations

import sys
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import click

from guildmark import __version__
from guildmark.core.errors import GuildmarkError, OutsideFailure

_NOT_VERBS = {"output"}


class _Verbs(click.Group):
    """Loads the file of a verb only when it is asked for, so that `guildmark verify` never imports Django."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(m.name.replace("_", "-") for m in iter_modules(__path__) if m.name not in _NOT_VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        command: click.Command = import_module(f"guildmark.cli.{cmd_name.replace('-', '_')}").command
        return command


@click.group(cls=_Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="guildmark")
def cli() -> None:
    """Design, co-sign, assess, award, stack, verify and match micro-credentials.

    Exit codes: 0 pass, 1 fail, 2 the input or the call could not be understood, 3 unknown.
    """


def main(args: list[str] | None = None) -> Any:
    """Run a verb; what guildmark raises on purpose becomes one sentence on standard error."""
    try:
        return cli.main(args=args, prog_name="guildmark")
    except OutsideFailure as problem:
        click.echo(f"guildmark: {problem}", err=True)
        sys.exit(3)
    except GuildmarkError as problem:
        click.echo(f"guildmark: {problem}", err=True)
        sys.exit(2)
