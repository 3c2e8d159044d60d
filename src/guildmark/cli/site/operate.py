"""Running the site: the database, the worker, the published files."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import Any

import click

from guildmark.cli.site import World


@click.command("migrate")
@click.pass_obj
def migrate(world: World) -> dict[str, Any]:
    """Bring the database to the present version; every row is kept.

    Where no framework of skills is loaded yet, the small one that comes with guildmark is, so that the first ad that
    somebody brings finds its skills.

    Example: guildmark site migrate
    """
    from django.conf import settings
    from django.core.management import call_command

    from guildmark.app.services.skills import begin_with_a_framework

    _make_home()
    turn = os.open(settings.HOME, os.O_RDONLY)
    try:
        fcntl.flock(turn, fcntl.LOCK_EX)  # of two that start a site at once, one makes its tables
        call_command("migrate", verbosity=0, interactive=False)
        begin_with_a_framework(now=world.now)
    finally:
        os.close(turn)
    engine = settings.DATABASES["default"]["ENGINE"].rsplit(".", 1)[-1]
    return world.say(f"The {engine} database is up to date.", engine=engine)


def _make_home() -> None:
    """HOME is there, and what is about people in it can be read only by whoever runs the site.

    HOME itself stays open, so that a static server can serve HOME/web.
    """
    from django.conf import settings
    from django.db import connection

    settings.HOME.mkdir(parents=True, exist_ok=True)
    for name in ("blobs", "mail"):
        (settings.HOME / name).mkdir(exist_ok=True)
        (settings.HOME / name).chmod(0o700)
    if connection.vendor == "sqlite" and not connection.is_in_memory_db():
        file = Path(connection.settings_dict["NAME"])
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)
        file.chmod(0o600)  # SQLite gives its other files (-wal, -shm) the mode of this one


def _ready_database() -> None:
    """BrokenInput unless the database can be reached and has the tables of this version."""
    from django.db import DatabaseError, connection
    from django.db.migrations.executor import MigrationExecutor

    from guildmark.core.errors import BrokenInput, OutsideFailure

    try:
        executor = MigrationExecutor(connection)
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError as problem:
        raise OutsideFailure(f"The database cannot be used: {str(problem).strip().splitlines()[0]}.") from problem
    if missing:
        raise BrokenInput("the database is not of this version", hint="run guildmark site migrate")


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
    from django.core.validators import validate_email

    from guildmark.app.records import Person
    from guildmark.core.errors import BrokenInput

    try:
        validate_password(password)
    except ValidationError as problem:
        raise BrokenInput(
            " ".join(problem.messages).rstrip("."), where="--password", hint="choose another"
        ) from problem
    try:
        validate_email(email)
    except ValidationError as problem:
        raise BrokenInput(f"{email[:80]!r} is no e-mail address", where="--email", hint="write one") from problem
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


@click.command("publish-status")
@click.option("--all", "every", is_flag=True, help="Sign all lists anew, whether they changed or not.")
@click.pass_obj
def publish_status(world: World, every: bool) -> dict[str, Any]:
    """Sign and publish the status lists that changed or are to be renewed; the worker does it by itself.

    Example: guildmark site publish-status

    Exit codes: 0 done, 3 a list could not be published; the others are.
    """
    from guildmark.app.services.status import publish_due_lists
    from guildmark.core.errors import OutsideFailure

    done, problems = publish_due_lists(now=world.now, every=every)
    if problems:
        raise OutsideFailure(" ".join(f"List {number}: {says}" for number, says in problems.items()))
    return world.say(f"{len(done)} lists are published.", lists=done)


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
    from datetime import UTC, datetime

    from django.core.management import call_command

    from guildmark.app.services.recovery import catch_up

    _ready_database()
    catch_up(now=datetime.now(UTC))
    call_command("prune_db_task_results", queue_name="*", verbosity=0)
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
    from django.db import connections
    from granian import Granian
    from granian.constants import Interfaces

    from guildmark.app.services.publish import export_web

    _ready_database()
    export_web()
    connections.close_all()  # each worker process opens its own
    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)
    Granian(
        "guildmark.app.wsgi:application",
        address=host,
        port=port,
        workers=workers,
        blocking_threads=8,  # each holds a connection to the database
        interface=Interfaces.WSGI,
    ).serve()


commands = [migrate, create_operator, export_web, publish_status, deliver_mail, worker, serve]
