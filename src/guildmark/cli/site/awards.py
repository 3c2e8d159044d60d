"""Steps 6 and 8: award, claim, change the status."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from guildmark.cli.output import place, read_input, say, write_files
from guildmark.cli.progress import Progress
from guildmark.cli.site import AS, World, actor
from guildmark.core.errors import BrokenInput, GuildmarkError, NotAllowed

if TYPE_CHECKING:
    from guildmark.assess.result_list import DateOrder


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


@click.command("award-list")
@click.argument("file")
@click.option("--offering", "offering_id", required=True, metavar="OFFERING")
@click.option(
    "--results-from", "source", default="", metavar="SYSTEM", help="Where the results come from, if the file has any."
)
@click.option(
    "--columns",
    multiple=True,
    metavar="KEY=HEADING",
    help="A column that its heading does not tell; may be given more than once. KEY= takes one out.",
)
@click.option("--dates", type=click.Choice(["day", "month"]), help="Which comes first in dates such as 03/04/2026.")
@AS
@click.pass_obj
def award_list(
    world: World,
    file: str,
    offering_id: str,
    source: str,
    columns: tuple[str, ...],
    dates: str | None,
    username: str,
) -> dict[str, Any]:
    """Award everybody in a CSV file: signed, recorded, in the log, with a mail each. `-` is standard input.

    Columns are those of the sample file that the offering's page has. Rows that cannot be awarded are told with their
    number and hold up no other. The same file again changes nothing; a run that was interrupted is gone on with.

    Example: guildmark site award-list class.csv --offering 0a1b... --results-from "Campus One" --as ana
    """
    from django.utils import timezone

    from guildmark.app.access import require
    from guildmark.app.queries.award_lists import bad_rows, labels_of, problem_lines, progress
    from guildmark.app.queries.design import blueprint_value
    from guildmark.app.queries.organisations import offering as find
    from guildmark.app.services import bulk_awards as bulk
    from guildmark.app.services.award_lists import stop_list
    from guildmark.app.services.bulk_rows import room_to_write
    from guildmark.app.services.ledger import publish_checkpoint
    from guildmark.assess.result_list import columns_of

    who, offering = actor(username), find(offering_id)
    provider = offering.blueprint_version.provider
    body = read_input(file, limit=bulk.LARGEST)

    def permitted(brings_results: bool) -> None:
        require(who, "award", provider)
        if brings_results:
            require(who, "decide", provider)

    permitted(bool(source))
    with room_to_write():
        row = bulk.interrupted_list(offering=offering, body=body)
        if row is None:
            reading = bulk.open_list(
                id=world.new_id(),
                offering=offering,
                source=source,
                file_name=place(file) if file == "-" else Path(file).name,
                body=body,
                columns=_headings(columns),
                order=cast("DateOrder", dates or ""),
                actor=who,
                now=world.now,
            )
            row = reading.award_list
            with Progress("reading", 0) as shown:
                for done in bulk.read_into(reading, actor=who, now=world.now):
                    shown.at(done)
        permitted(row.brings_results)
        before, runner = progress(row, now=world.now), world.new_id().hex
        labels = labels_of(columns_of(blueprint_value(offering.blueprint_version)))
        told = [*problem_lines(bad_rows(row), labels)]  # now, since a list of which nothing can be awarded is not kept
        if bulk.start_bulk(award_list=row, runner=runner, actor=who, now=world.now, beat=timezone.now()):
            awarder = bulk.BulkAwarder(row, entropy=world.entropy, new_id=world.new_id, now=world.now)
            try:
                with Progress("awarding", before.total) as shown:
                    done = before.settled
                    shown.start(done)
                    while settled := awarder.award_chunk(runner=runner, beat=timezone.now()):
                        done += settled
                        shown.at(done)
                        permitted(row.brings_results)
            except BaseException as problem:  # Ctrl-C too: nobody goes on with the list until somebody says so
                says = (
                    str(problem) if isinstance(problem, GuildmarkError) else "The command that awarded it was stopped."
                )
                row.refresh_from_db()
                if row.runner == runner:
                    stop_list(award_list=row, problem=says, now=world.now)
                raise
            told = [*problem_lines(bad_rows(row), labels)]
            after = progress(row, now=world.now)
            if after.ready:
                raise NotAllowed("Somebody else has taken up this list, and goes on with it.")
        else:
            after = before
        checkpoint, _ = publish_checkpoint()
    made, already = after.awarded - before.awarded, after.already + before.awarded
    facts = world.say(
        f"{made:,} of {after.total:,} awarded, {already:,} were already, {after.bad:,} have to be mended; "
        f"the log has {checkpoint.size:,} entries.",
        awarded=made,
        already=already,
        bad=after.bad,
        problems=[{"row": number, "field": where, "says": says} for number, where, says in told],
        entries=checkpoint.size,
    )
    if not world.as_json:
        for number, where, says in told:
            say(f"  row {number}{f', {where}' if where else ''}: {says}")
    return facts


def _headings(columns: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for text in columns:
        key, equals, heading = text.partition("=")
        if not equals or not key.strip():
            raise BrokenInput(f"{text[:60]!r} names no column", where="--columns", hint="write email=E-Mail")
        found[key.strip()] = heading.strip()
    return found


@click.command("claim")
@click.argument("token")
@click.pass_obj
def claim(world: World, token: str) -> dict[str, Any]:
    """Take a credential with its claim link, or the token at the end of it; no account is needed.

    Example: guildmark site claim q2hk...
    """
    from guildmark.app.queries.awards import award_by_claim
    from guildmark.app.services.awards import claim_award

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

commands = [award, award_list, claim, export_award, suspend, reinstate, revoke]
