"""Forgetting people, for the operator of the site."""

from __future__ import annotations

from typing import Any

import click

from guildmark.cli.site import AS, World, actor


@click.command("erase-learner")
@click.argument("whom", metavar="LEARNER")
@AS
@click.confirmation_option("--yes", prompt="This cannot be undone. Erase this learner?", help="Do not ask.")
@click.pass_obj
def erase_learner(world: World, whom: str, username: str) -> dict[str, Any]:
    """Forget who a learner was: name, address, documents, work; log and status lists stay as they are.

    LEARNER is an e-mail address or an id. Credentials that the learner has kept go on verifying. Needs an operator.
    Backups, and files that were exported, are not touched.

    Example: guildmark site erase-learner mei@example.org --as root
    """
    from guildmark.app.access import require_operator
    from guildmark.app.queries.organisations import learner
    from guildmark.app.services.erasure import erase_learner as erase

    who = actor(username)
    require_operator(who)
    row = learner(whom)
    gone = erase(learner=row, entropy=world.entropy, actor=who, now=world.now)
    facts = world.say(
        f"Erased: {gone.awards} awards' documents, {gone.works} files of work, {gone.messages} messages.",
        learner=str(row.pk),
        awards=gone.awards,
        works=gone.works,
        messages=gone.messages,
        kept=list(gone.kept),
    )
    if not world.as_json:
        for sentence in gone.kept:
            click.echo(f"  kept  {sentence}")
    return facts


@click.command("tidy-database")
@click.pass_obj
def tidy_database(world: World) -> dict[str, Any]:
    """Write SQLite's file anew, so that nothing that was deleted is left in it.

    Example: guildmark site tidy-database
    """
    from guildmark.app.services.erasure import tidy_database as tidy

    tidy()
    return world.say("The database holds nothing that was deleted.")


commands = [erase_learner, tidy_database]
