"""Organisations, people, keys, learners and their consent."""

from __future__ import annotations

from typing import Any

import click

from guildmark.cli.output import place, read_input
from guildmark.cli.site import World
from guildmark.core.codecs import parse_json
from guildmark.core.errors import BrokenInput


@click.command("add-organisation")
@click.argument("slug")
@click.option("--name", required=True)
@click.option("--kind", type=click.Choice(["provider", "partner", "regulator"]), required=True)
@click.option("--did", help="Its decentralised identifier; by default a did:web of this site.")
@click.option("--country", required=True, metavar="XX", help="ISO 3166 code of two letters.")
@click.option("--facts", metavar="FILE", help="JSON object with what frameworks ask about a provider.")
@click.pass_obj
def add_organisation(
    world: World, slug: str, name: str, kind: str, did: str | None, country: str, facts: str | None
) -> dict[str, Any]:
    """Register an organisation and make its first signing key.

    Example: guildmark site add-organisation harbour-university --name "Harbour University" --kind provider --country AU
    """
    from django.db import transaction

    from guildmark.app.services.people import create_key, default_did, register_organisation

    given = parse_json(read_input(facts), where=place(facts)) if facts else {}
    if not isinstance(given, dict):
        raise BrokenInput("is not a JSON object", where=place(str(facts)), hint='write {"regulated": true, ...}')
    with transaction.atomic():  # an organisation without a key could sign nothing
        organisation = register_organisation(
            id=world.new_id(),
            slug=slug,
            name=name,
            kind=kind,
            did=did or default_did(kind, slug),
            country=country,
            facts=given,
            now=world.now,
        )
        key = create_key(organisation=organisation, entropy=world.entropy(), now=world.now)
    return world.say(
        f"{name} is here as {slug}: {organisation.did}; its key is {key.key_id}.",
        organisation=slug,
        did=organisation.did,
        key=key.key_id,
    )


@click.command("make-key")
@click.argument("slug")
@click.pass_obj
def make_key(world: World, slug: str) -> dict[str, Any]:
    """Make an organisation one more signing key; it signs with that from now on.

    The key is in the organisation's published document and in the log. What the others signed goes on verifying.

    Example: guildmark site make-key old-mill
    """
    from guildmark.app.queries.organisations import organisation as find
    from guildmark.app.services.people import create_key

    row = find(slug)
    key = create_key(organisation=row, entropy=world.entropy(), now=world.now)
    return world.say(f"{row.name} signs with {key.key_id} from now on.", organisation=slug, key=key.key_id)


@click.command("retire-key")
@click.argument("key_id", metavar="KEY")
@click.pass_obj
def retire_key(world: World, key_id: str) -> dict[str, Any]:
    """Take a signing key out of its organisation's published document, since it was exposed.

    What it signed no longer verifies from then on, so first make another key (`make-key`) and issue anew what this one
    signed (`reissue --signed-by`).

    Example: guildmark site retire-key did:web:badges.example.edu:issuers:old-mill#key-1
    """
    from guildmark.app.services.people import retire_key as retire

    key = retire(key_id=key_id, now=world.now)
    return world.say(f"{key.key_id} signs nothing any more, and what it signed no longer verifies.", key=key.key_id)


@click.command("check-organisation")
@click.argument("slug")
@click.option("--how", required=True, help="How it was checked: the register and its number, a call back.")
@click.option("--by", required=True, help="The name of the person who looked.")
@click.pass_obj
def check_organisation(world: World, slug: str, how: str, by: str) -> dict[str, Any]:
    """Stand for it that an organisation which registered itself is who it says; until then it can sign nothing.

    Example: guildmark site check-organisation mill --how "National register, no. 123" --by "Ana Ruiz"
    """
    from guildmark.app.queries.organisations import organisation
    from guildmark.app.services.people import confirm_organisation

    row = confirm_organisation(organisation=organisation(slug), how=how, by=by, now=world.now)
    return world.say(f"{row.name} was checked by {by}: {how}.", organisation=row.slug)


@click.command("add-person")
@click.argument("username")
@click.option("--name", required=True)
@click.option("--email", required=True)
@click.option(
    "--role",
    "roles",
    multiple=True,
    metavar="ORGANISATION=ROLE",
    help="Role is admin, designer, marker, awarder or partner. May be given more than once.",
)
@click.pass_obj
def add_person(world: World, username: str, name: str, email: str, roles: tuple[str, ...]) -> dict[str, Any]:
    """Add a person with roles in organisations.

    Example: guildmark site add-person ana --name "Ana Ruiz" --email ana@example.edu --role harbour-university=awarder
    """
    from guildmark.app.services.people import add_person as add

    parts = [role.partition("=") for role in roles]
    if not all(between for _, between, _ in parts):
        raise BrokenInput("a role is missing its '='", where="--role", hint="write organisation=role")
    add(
        id=world.new_id(),
        username=username,
        name=name,
        email=email,
        roles=[(slug, role) for slug, _, role in parts],
        now=world.now,
    )
    return world.say(f"{name} is here as {username}: {', '.join(roles) or 'no role yet'}.", username=username)


@click.command("add-learner")
@click.argument("email")
@click.option("--name", required=True)
@click.pass_obj
def add_learner(world: World, email: str, name: str) -> dict[str, Any]:
    """Add a learner, who needs no account.

    Example: guildmark site add-learner mei@example.org --name "Mei Tan"
    """
    from guildmark.app.services.people import add_learner as add

    row = add(id=world.new_id(), name=name, email=email, now=world.now)
    return world.say(f"{row.name} is a learner, known by {row.email}.", learner=str(row.id))


@click.command("consent")
@click.argument("email")
@click.argument("purpose", type=click.Choice(["matching", "outcomes"]))
@click.option("--withdraw", is_flag=True, help="Take the consent back.")
@click.pass_obj
def consent(world: World, email: str, purpose: str, withdraw: bool) -> dict[str, Any]:
    """Record that a learner agrees to be matched, or to have outcomes recorded, or takes that back.

    Example: guildmark site consent mei@example.org matching
    """
    from guildmark.app.queries.organisations import learner
    from guildmark.app.services.people import give_consent, withdraw_consent

    row = learner(email)
    if withdraw:
        withdraw_consent(learner=row, purpose=purpose, now=world.now)
        return world.say(f"{row.name} no longer agrees to {purpose}.", purpose=purpose, live=False)
    give_consent(learner=row, purpose=purpose, now=world.now)
    return world.say(f"{row.name} agrees to {purpose}.", purpose=purpose, live=True)


commands = [add_organisation, make_key, retire_key, check_organisation, add_person, add_learner, consent]
