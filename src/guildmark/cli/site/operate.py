"""Running the site: the database, the worker, the published files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from guildmark.cli.site import World


@click.command("migrate")
@click.pass_obj
def migrate(world: World) -> dict[str, Any]:
    """Bring the database to the present version; every row is kept.

    Example: guildmark site migrate
    """
    from django.conf import settings
    from django.core.management import call_command

    settings.HOME.mkdir(parents=True, exist_ok=True)
    call_command("migrate", verbosity=0, interactive=False)
    engine = settings.DATABASES["default"]["ENGINE"].rsplit(".", 1)[-1]
    return world.say(f"The {engine} database is up to date.", engine=engine)


@click.command("create-operator")
@click.argument("username")
@click.option("--email", required=True)
@click.password_option("--password", envvar="GUILDMARK_OPERATOR_PASSWORD")
@click.pass_obj
def create_operator(world: World, username: str, email: str, password: str) -> dict[str, Any]:
    """Make an operator who may use the admin; the password is asked for, or taken from the environment.

    Example: guildmark site create-operator root --email ops@example.edu
    """
    from django.contrib.auth.password_validation import validate_password
    from django.core.exceptions import ValidationError

    from guildmark.app.records import Person
    from guildmark.core.errors import BrokenInput

    try:
        validate_password(password)
    except ValidationError as problem:
        raise BrokenInput(
            " ".join(problem.messages).rstrip("."), where="--password", hint="choose another"
        ) from problem
    if Person.objects.filter(username=username).exists():
        raise BrokenInput(f"a person {username!r} exists already", hint="choose another name")
    Person.objects.create_superuser(username=username, email=email, password=password, id=world.new_id())
    return world.say(f"{username} may use the admin.", username=username)


@click.command("export-web")
@click.argument("directory", type=click.Path(path_type=Path))
@click.pass_obj
def export_web(world: World, directory: Path) -> dict[str, Any]:
    """Write every document that a verifier would fetch, with an index.json from address to file.

    Example: guildmark site export-web var/web
    """
    from guildmark.app.services.publish import export_web as export

    count = export(directory)
    return world.say(f"{count} documents are in {directory}.", documents=count)


@click.command("deliver-mail")
@click.pass_obj
def deliver_mail(world: World) -> dict[str, Any]:
    """Send what lies in the outbox and is due.

    Example: guildmark site deliver-mail
    """
    from guildmark.app.services.mail import deliver_due

    sent, failed = deliver_due(now=world.now)
    return world.say(f"{sent} sent, {failed} failed.", sent=sent, failed=failed)


@click.command("worker")
def worker() -> None:
    """Do what verbs left for later (mail, checkpoints), until stopped.

    Example: guildmark site worker
    """
    from django.core.management import call_command

    call_command("db_worker", queue_name="*", interval=1, verbosity=1)


@click.command("serve")
@click.option("--host", default="127.0.0.1")
@click.option("--port", default=8000, type=click.IntRange(1, 65535))
@click.option("--workers", default=1, type=click.IntRange(1, 64))
def serve(host: str, port: int, workers: int) -> None:
    """Serve the site until stopped.

    Example: guildmark site serve --port 8000
    """
    click.echo(f"guildmark is at http://{host}:{port}/ (stop with Ctrl-C)")
    serve_site(host, port, workers=workers)


def serve_site(host: str, port: int, *, workers: int) -> None:
    """Serve until stopped, with the settings that the environment gives."""
    from django.conf import settings
    from granian import Granian
    from granian.constants import Interfaces

    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)
    Granian(
        "guildmark.app.wsgi:application", address=host, port=port, workers=workers, interface=Interfaces.WSGI
    ).serve()


commands = [migrate, create_operator, export_web, deliver_mail, worker, serve]
