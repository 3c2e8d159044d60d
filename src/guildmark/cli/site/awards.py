"""Steps 6 and 8: award, claim, change the status."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from guildmark.cli.output import write_files
from guildmark.cli.site import AS, World, actor


@click.command("award")
@click.argument("decision")
@AS
@click.pass_obj
def award(world: World, decision: str, username: str) -> dict[str, Any]:
    """Award the credential that a passed decision earns: signed, with a status entry, waiting for the log.

    Example: guildmark site award 7b0c... --as ana
    """
    from django.conf import settings

    from guildmark.app.access import require
    from guildmark.app.queries.organisations import decision as find
    from guildmark.app.services.awards import award_credential

    who, row = actor(username), find(decision)
    require(who, "award", row.enrolment.offering.blueprint_version.provider)
    made, token = award_credential(id=world.new_id(), decision=row, entropy=world.entropy, actor=who, now=world.now)
    facts = world.say(
        f"{made.title} is awarded to {made.learner} (award {made.id}).",
        award=str(made.id),
        credential=made.credential_id,
        claim_token=token,
    )
    if not world.as_json:
        click.echo(f"  The claim link, which is in the mail too: {settings.BASE_URL}/claim/{token}")
    return facts


@click.command("claim")
@click.argument("token")
@click.pass_obj
def claim(world: World, token: str) -> dict[str, Any]:
    """Take a credential with its claim link, or the token at the end of it; no account is needed.

    Example: guildmark site claim q2hk...
    """
    from guildmark.app.queries.awards import award_by_claim
    from guildmark.app.services.awards import claim_award
    from guildmark.core.errors import BrokenInput

    found = award_by_claim(token.rpartition("/")[2])
    if found is None:
        raise BrokenInput("this claim token is not known", hint="ask the provider to send the link again")
    claim_award(award=found, now=world.now)
    return world.say(f"{found.learner} has taken {found.title}.", award=str(found.id))


@click.command("export-award")
@click.argument("award_id", metavar="AWARD")
@click.argument("directory", type=click.Path(path_type=Path))
@click.pass_obj
def export_award(world: World, award_id: str, directory: Path) -> dict[str, Any]:
    """Write every file of an award: credential, badge images, certificate, record of results, receipt.

    Example: guildmark site export-award 7b0c... out/
    """
    from guildmark.app.queries.awards import holder_files
    from guildmark.app.queries.organisations import award as find

    files = holder_files(find(award_id))
    write_files(directory, files)
    return world.say(f"{len(files)} files are in {directory}.", files=sorted(files))


def _status_command(name: str, state: str, text: str, example_code: str) -> click.Command:
    from guildmark.credential.status import REASONS

    example = f"Example: guildmark site {name} 7b0c... --code {example_code} --as ana"

    @click.command(name, help=f"{text}\n\nThe code is one of {', '.join(REASONS[state])}.\n\n{example}")
    @click.argument("award_id", metavar="AWARD")
    @click.option("--code", required=True, help="The reason; it is published.")
    @click.option("--note", default="", help="For the provider's own record; never published.")
    @AS
    @click.pass_obj
    def run(world: World, award_id: str, code: str, note: str, username: str) -> dict[str, Any]:
        from guildmark.app.access import require
        from guildmark.app.queries.organisations import award as find
        from guildmark.app.services.awards import change_status

        who, row = actor(username), find(award_id)
        require(who, "change_status", row.issuer)
        row, reopened = change_status(
            award=row, state=state, code=code, note=note, actor=who, entropy=world.entropy, now=world.now
        )
        facts = world.say(
            f"{row.title} of {row.learner} is {row.state} ({code}); the published status list says so.",
            award=str(row.id),
            state=row.state,
            reopened=[str(claim.id) for claim in reopened],
        )
        if not world.as_json:
            for claim in reopened:
                now = f"open again. {claim.reason}" if claim.state == "open" else "earned again."
                click.echo(f"  {claim.rule.title}: {now}")
        return facts

    return run


suspend = _status_command("suspend", "suspended", "Suspend a credential for a while.", "under_review")
reinstate = _status_command("reinstate", "valid", "End a suspension.", "review_closed")
revoke = _status_command("revoke", "revoked", "Revoke a credential for good.", "issued_in_error")

commands = [award, claim, export_award, suspend, reinstate, revoke]
