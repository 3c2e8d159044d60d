"""The command line: one file per verb; verbs on files work without Django installed, `guildmark site` needs it."""

from __future__ import annotations

import codecs
import io
import json
import os
import sys
import traceback
from contextlib import suppress
from importlib import import_module
from pkgutil import iter_modules
from typing import NoReturn

import click
from click.shell_completion import shell_complete

from guildmark import __version__
from guildmark.core.errors import GuildmarkError, OutsideFailure, one_line

_NOT_VERBS = {"output", "progress"}


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

    Exit codes: 0 pass, 1 fail, 2 the input or the call could not be understood, 3 unknown. Whatever stopped a verb
    before it had an answer ends with none of these: 130 Ctrl-C, 141 nobody reads the output, 70 a defect of ours.
    """


def main(args: list[str] | None = None) -> NoReturn:
    """Run a verb and end the process with its exit code; what goes wrong is one sentence on standard error.

    click's own entry point ends with 1 when it is interrupted or nobody reads on, and Python does after a defect. To
    a script, 1 means that a credential does not hold, so the three have codes of their own here.
    """
    _print_anything()
    if shell := os.environ.get("_GUILDMARK_COMPLETE"):
        sys.exit(shell_complete(cli, {}, "guildmark", "_GUILDMARK_COMPLETE", shell))
    code = _run(sys.argv[1:] if args is None else args)
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:  # the reader went away after the last line
        _stop_printing()
    sys.exit(code)


def _run(args: list[str]) -> int:
    """The exit code of a verb, everything that it had to say being said."""
    try:
        with cli.make_context("guildmark", args) as context:
            cli.invoke(context)
        return 0
    except SystemExit as stop:
        return int(stop.code or 0)
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.ClickException as problem:
        problem.show()
        return _no_answer(2, problem.format_message(), args, told=True)
    except OutsideFailure as problem:
        return _no_answer(3, str(problem), args)
    except GuildmarkError as problem:
        return _no_answer(2, str(problem), args)
    except BrokenPipeError:
        _stop_printing()
        return 141
    except OSError as problem:
        place = one_line(str(problem.filename or "the output"))
        return _no_answer(2, f"{place}: cannot be used ({problem.strerror}); check the path and the disk.", args)
    except (KeyboardInterrupt, click.Abort):
        return _no_answer(130, "stopped before it was done.", args)
    except Exception:
        traceback.print_exc()
        return _no_answer(70, "this is a defect of guildmark and says nothing about your input.", args)


def _no_answer(code: int, sentence: str, args: list[str], *, told: bool = False) -> int:
    """The exit code of a verb that has no answer: the sentence is on standard error, and with --json also in JSON."""
    if not told:
        click.echo(f"guildmark: {sentence}", err=True)
    if "--json" in args:
        try:
            click.echo(json.dumps({"error": sentence, "exit_code": code}))
        except OSError:  # there is nowhere to print to
            _stop_printing()
    return code


def _print_anything() -> None:
    """A letter that the terminal's encoding lacks is printed as `?`, half a character of a file name as its escape."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            unicode = codecs.lookup(stream.encoding).name.startswith("utf")
            stream.reconfigure(errors="backslashreplace" if unicode else "replace")


def _stop_printing() -> None:
    """What is still in standard output's buffer goes nowhere, so that Python does not complain about it at the end."""
    with suppress(OSError, ValueError, AttributeError):  # it is closed, or a test's and no file at all
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
