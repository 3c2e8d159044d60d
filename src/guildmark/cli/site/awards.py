"""Steps 6 and 8: award, claim, change the status; put another credential in the place of one."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from guildmark.cli.output import place, read_input, say, write_files
from guildmark.cli.progress import Progress
from guildmark.cli.site import AS, World, actor
from guildmark.core.errors import BrokenInput, GuildmarkError, NotAllowed

if TYPE_CHECKING:
    from guildmark.app.records import Award
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
@click.option(
    "--token",
    "forms",
    multiple=True,
    type=click.Choice(["vc-jwt", "sd-jwt-vc"]),
    help="Also as a token, signed now by the issuer; may be given more than once.",
)
@click.option(
    "--show",
    multiple=True,
    type=click.Choice(["name", "email", "results"]),
    help="With sd-jwt-vc: what it shows; everything, if nothing is said. May be given more than once.",
)
@click.pass_obj
def export_award(
    world: World, award_id: str, directory: Path, forms: tuple[str, ...], show: tuple[str, ...]
) -> dict[str, Any]:
    """Write every file of an award: credential, badge images, certificate, record of results, receipt.

    Example: guildmark site export-award 7b0c... out/ --token sd-jwt-vc --show name
    """
    from guildmark.app.queries.awards import holder_files
    from guildmark.app.queries.organisations import award as find
    from guildmark.app.services.envelopes import PARTS, in_envelope
    from guildmark.credential.sd_jwt import SD_JWT_VC

    if show and SD_JWT_VC not in forms:
        raise BrokenInput(
            "is about a token of which parts can be kept back", where="--show", hint="add --token sd-jwt-vc"
        )
    row = find(award_id)
    files = holder_files(row)
    for form in forms:
        made = in_envelope(row, form, show=show or PARTS, entropy=world.entropy, now=world.now)
        files[made.file_name] = made.text.encode() + b"\n"
    write_files(directory, files)
    return world.say(f"{len(files)} files are in {directory}.", files=sorted(files))


def _status_command(name: str, state: str, text: str, example_code: str) -> click.Command:
    from guildmark.credential.status import ONLY_WITH_A_REPLACEMENT, REASONS

    codes = [code for code in REASONS[state] if code not in ONLY_WITH_A_REPLACEMENT]
    example = f"Example: guildmark site {name} 7b0c... --code {example_code} --as ana"

    @click.command(name, help=f"{text}\n\nThe code is one of {', '.join(codes)}.\n\n{example}")
    @click.argument("award_id", metavar="AWARD")
    @click.option("--code", required=True, help="The reason; it is published.")
    @click.option("--note", default="", help="For the provider's own record; never published.")
    @AS
    @click.pass_obj
    def run(world: World, award_id: str, code: str, note: str, username: str) -> dict[str, Any]:
        from django.conf import settings

        from guildmark.app.access import require
        from guildmark.app.queries.organisations import award as find
        from guildmark.app.services.awards import change_status

        who, row = actor(username), find(award_id)
        require(who, "change_status", row.issuer)
        row, reopened = change_status(
            award=row, state=state, code=code, note=note, actor=who, entropy=world.entropy, now=world.now
        )
        delay = settings.STATUS_DELAY
        facts = world.say(
            f"{row.title} of {row.learner} is {row.state} ({code}); the published status list "
            + (f"will say so within {delay} hours." if delay else "says so."),
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


def _replaced(world: World, new: Award) -> dict[str, Any]:
    assert new.replaces is not None
    ends = f" and is valid until {new.valid_until.date()}" if new.valid_until is not None else ""
    return world.say(
        f"{new.title} of {new.learner} is awarded anew (award {new.id}){ends}; it takes the place of "
        f"{new.replaces_id}, which is revoked, and each names the other.",
        award=str(new.id),
        credential=new.credential_id,
        replaces=str(new.replaces_id),
    )


@click.command("correct")
@click.argument("award_id", metavar="AWARD")
@click.option("--name", help="Whom it should be made out to.")
@click.option("--awarded-on", metavar="DATE", help="The day on which it should have been awarded.")
@click.option(
    "--mark", "marks", multiple=True, metavar="MARKER:CRITERION=LEVEL", help="What a mark should have been. Repeatable."
)
@click.option("--reason", required=True, help="What was wrong and how it was found; for the provider's own record.")
@AS
@click.pass_obj
def correct(
    world: World,
    award_id: str,
    name: str | None,
    awarded_on: str | None,
    marks: tuple[str, ...],
    reason: str,
    username: str,
) -> dict[str, Any]:
    """Put right a name, a day or a result: the award is revoked, and one that is right takes its place.

    Whoever checks the old credential is told which one replaced it; the new one names the old one.

    Example: guildmark site correct 7b0c... --name "Zoë Miller" --reason "The learner told us." --as ana
    """
    from guildmark.app.access import require
    from guildmark.app.queries.assess import decision_value
    from guildmark.app.queries.organisations import award as find
    from guildmark.app.services.corrections import correct_award

    who, row = actor(username), find(award_id)
    require(who, "award", row.issuer)
    if row.decision is None:
        raise NotAllowed("A larger credential is corrected by correcting what it rests on.")
    made = correct_award(
        id=world.new_id(),
        decision_id=world.new_id(),
        award=row,
        name=row.learner.name if name is None else name,
        awarded_on=_day(awarded_on) if awarded_on else decision_value(row.decision).decided_at.date(),
        levels=dict(_mark(row, text) for text in marks),
        reason=reason,
        entropy=world.entropy,
        actor=who,
        now=world.now,
    )
    if made.new is None:
        says = (
            f"{row.title} of {row.learner} is revoked; with the corrected marks it is no pass, so nothing is awarded."
        )
        return world.say(says, award=None, replaces=str(row.id))
    return _replaced(world, made.new)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as problem:
        raise BrokenInput(f"{text[:40]!r} is no date", where="--awarded-on", hint="write 2026-11-24") from problem


def _mark(award: Award, text: str) -> tuple[int, str]:
    """(key of the mark, level)."""
    from guildmark.app.records import Mark

    who, equals, level = text.rpartition("=")
    marker, colon, criterion = who.partition(":")
    if not equals or not colon:
        raise BrokenInput(f"{text[:60]!r} names no mark", where="--mark", hint="write lee:p-query=excellent")
    assert award.decision is not None
    found = Mark.objects.filter(
        submission__enrolment=award.decision.enrolment_id, marker__username=marker, criterion=criterion
    ).order_by("id")
    if len(found) != 1:
        raise BrokenInput(f"there is no mark of {marker[:40]!r} for {criterion[:40]!r} in this work", where="--mark")
    return found[0].pk, level


@click.command("reissue")
@click.argument("award_id", metavar="[AWARD]", required=False)
@click.option("--signed-by", "key", metavar="KEY", help="Every award in force that this key signed, instead of one.")
@click.option(
    "--code",
    type=click.Choice(["key_compromised", "reissued"]),
    default="key_compromised",
    show_default=True,
    help="The reason; it is published.",
)
@click.option("--note", default="", help="For the provider's own record; never published.")
@AS
@click.pass_obj
def reissue(world: World, award_id: str | None, key: str | None, code: str, note: str, username: str) -> dict[str, Any]:
    """Issue a credential anew, signed with the key that its issuer signs with now; the old one is revoked.

    After a key was exposed: make another (`guildmark site make-key`), then issue anew what the old one signed. Each
    award is a transaction of its own; the same command again goes on where it was stopped.

    Example: guildmark site reissue --signed-by did:web:badges.example.edu:issuers:old-mill#key-1 --as dana
    """
    from guildmark.app.access import require
    from guildmark.app.queries.awards import signed_by
    from guildmark.app.queries.organisations import award as find
    from guildmark.app.services.corrections import reissue_award

    if (award_id is None) == (key is None):
        raise BrokenInput("name an award, or a key with --signed-by", where="reissue")
    who = actor(username)
    rows = [find(award_id)] if award_id is not None else signed_by(str(key), now=world.now)
    for issuer in {row.issuer_id: row.issuer for row in rows}.values():
        require(who, "award", issuer)
    made, problems = [], []
    for row in rows:
        try:
            new = reissue_award(
                id=world.new_id(),
                decision_id=world.new_id(),
                award=row,
                code=code,
                note=note,
                entropy=world.entropy,
                actor=who,
                now=world.now,
            )
        except GuildmarkError as problem:
            if award_id is not None:
                raise
            problems.append({"award": str(row.id), "says": str(problem)})
        else:
            made.append(new)
    if award_id is not None:
        return _replaced(world, made[0])
    facts = world.say(
        f"{len(made):,} awards are issued anew, {len(problems):,} are not.",
        awards=[{"award": str(new.id), "replaces": str(new.replaces_id)} for new in made],
        problems=problems,
    )
    if not world.as_json:
        for refused in problems:
            say(f"  award {refused['award']}: {refused['says']}")
    return facts


@click.command("renew")
@click.argument("award_id", metavar="AWARD")
@click.option("--note", default="", help="For the provider's own record; never published.")
@AS
@click.pass_obj
def renew(world: World, award_id: str, note: str, username: str) -> dict[str, Any]:
    """Renew a credential for a further term, before it ends: a new one takes its place.

    Example: guildmark site renew 7b0c... --note "Attended the refresher." --as ana
    """
    from guildmark.app.access import require
    from guildmark.app.queries.organisations import award as find
    from guildmark.app.services.corrections import renew_award

    who, row = actor(username), find(award_id)
    require(who, "award", row.issuer)
    new = renew_award(
        id=world.new_id(),
        decision_id=world.new_id(),
        award=row,
        note=note,
        entropy=world.entropy,
        actor=who,
        now=world.now,
    )
    return _replaced(world, new)


suspend = _status_command("suspend", "suspended", "Suspend a credential for a while.", "under_review")
reinstate = _status_command("reinstate", "valid", "End a suspension.", "review_closed")
revoke = _status_command("revoke", "revoked", "Revoke a credential for good.", "issued_in_error")

commands = [award, award_list, claim, export_award, suspend, reinstate, revoke, correct, reissue, renew]
