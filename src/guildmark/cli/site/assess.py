"""Step 5: offerings, activities, submissions, marks, the decision."""

from __future__ import annotations

import mimetypes
import re
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import click

from guildmark.cli.output import read_input
from guildmark.cli.site import AS, World, actor, words
from guildmark.core.errors import BrokenInput
from guildmark.core.report import render_text


@click.command("open-offering")
@click.argument("blueprint")
@click.option("--title", required=True, callback=words)
@click.option("--opens-on", metavar="DATE", help="By default today.")
@click.option("--closes-on", metavar="DATE", help="By default never: learners start when they like.")
@click.option(
    "--activity", "activities", multiple=True, metavar="KEY:KIND:MINUTES:TITLE", help="May be given more than once."
)
@AS
@click.pass_obj
def open_offering(
    world: World,
    blueprint: str,
    title: str,
    opens_on: str | None,
    closes_on: str | None,
    activities: tuple[str, ...],
    username: str,
) -> dict[str, Any]:
    """Offer a published blueprint, with activities that learners do in their own time.

    Example: guildmark site open-offering 7b0c... --title Autumn --activity joins:text:90:"Joins by steps" --as dana
    """
    from guildmark.app.access import require
    from guildmark.app.queries.organisations import blueprint_version
    from guildmark.app.services.assess import open_offering as open_it
    from guildmark.assess.delivery import Activity

    who, row = actor(username), blueprint_version(blueprint)
    require(who, "offer", row.provider)
    parts = [a.split(":", 3) for a in activities]
    for given, pieces in zip(activities, parts, strict=True):
        if len(pieces) != 4 or not re.fullmatch(r"[\w-]{1,50} [\w -]{1,40} [0-9]{1,9}", " ".join(pieces[:3]), re.ASCII):
            raise BrokenInput(f"{given[:80]!r} is no activity", where="--activity", hint="write key:kind:minutes:title")
    if twins := [key for key, times in Counter(pieces[0] for pieces in parts).items() if times > 1]:
        raise BrokenInput(f"the key {twins[0]!r} stands twice", where="--activity", hint="give each its own key")
    offering = open_it(
        id=world.new_id(),
        version=row,
        title=title,
        opens_on=_day(opens_on) or world.now.date(),
        closes_on=_day(closes_on),
        activities=[Activity(id=k, kind=kind, minutes=int(m), title=t, required=True) for k, kind, m, t in parts],
        actor=who,
        now=world.now,
    )
    ends = offering.closes_on or "further notice"
    return world.say(
        f"{title} is open from {offering.opens_on} until {ends} (offering {offering.id}).", offering=str(offering.id)
    )


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as problem:
        raise BrokenInput(f"{text!r} is not a date", hint="write 2026-11-24") from problem


@click.command("enrol")
@click.argument("offering")
@click.argument("email")
@click.pass_obj
def enrol(world: World, offering: str, email: str) -> dict[str, Any]:
    """Enrol a learner in an offering.

    Example: guildmark site enrol 0a1b... mei@example.org
    """
    from guildmark.app.queries.organisations import learner
    from guildmark.app.queries.organisations import offering as find
    from guildmark.app.services.assess import enrol as enrol_it

    row = enrol_it(id=world.new_id(), offering=find(offering), learner=learner(email), now=world.now)
    return world.say(f"{row.learner} is enrolled in {row.offering.title} (enrolment {row.id}).", enrolment=str(row.id))


@click.command("complete-activity")
@click.argument("enrolment")
@click.argument("keys", nargs=-1, required=True)
@click.pass_obj
def complete_activity(world: World, enrolment: str, keys: tuple[str, ...]) -> dict[str, Any]:
    """Note that a learner has done activities, and say what is still to do.

    Example: guildmark site complete-activity 0a1b... joins cleaning
    """
    from guildmark.app.queries.organisations import enrolment as find
    from guildmark.app.services.assess import complete_activity as complete

    row = find(enrolment)
    for key in keys:
        report = complete(enrolment=row, key=key, now=world.now)
    facts = world.say(f"{row.learner} has done {', '.join(keys)}.", completion=report.to_json())
    if not world.as_json:
        click.echo(render_text(report))
    return facts


@click.command("submit-work")
@click.argument("enrolment")
@click.argument("assessment")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--title", required=True, callback=words)
@click.pass_obj
def submit_work(world: World, enrolment: str, assessment: str, file: Path, title: str) -> dict[str, Any]:
    """Hand in a piece of work for one assessment.

    Example: guildmark site submit-work 0a1b... project report.md --title "Late deliveries in spring"
    """
    from guildmark.app.queries.organisations import enrolment as find
    from guildmark.app.services.assess import submit_work as submit

    row = submit(
        id=world.new_id(),
        enrolment=find(enrolment),
        assessment=assessment,
        title=title,
        media_type=mimetypes.guess_type(file.name)[0] or "application/octet-stream",
        body=read_input(str(file)),
        now=world.now,
    )
    return world.say(
        f"{title} is handed in, SHA-256 {row.sha256[:12]} (submission {row.id}).",
        submission=str(row.id),
        sha256=row.sha256,
    )


@click.command("record-mark")
@click.argument("submission")
@click.argument("criterion")
@click.argument("level")
@click.option("--comment", default="")
@AS
@click.pass_obj
def record_mark(
    world: World, submission: str, criterion: str, level: str, comment: str, username: str
) -> dict[str, Any]:
    """Record one marker's level for one criterion.

    Example: guildmark site record-mark 0a1b... c-joins proficient --comment "Joins are right." --as lee
    """
    from guildmark.app.access import require
    from guildmark.app.queries.organisations import submission as find
    from guildmark.app.services.assess import record_mark as record

    who, row = actor(username), find(submission)
    require(who, "mark", row.enrolment.offering.blueprint_version.provider)
    record(submission=row, criterion=criterion, level=level, comment=comment, marker=who, now=world.now)
    return world.say(f"{who} marked {criterion}: {level}.", criterion=criterion, level=level)


@click.command("record-result")
@click.argument("enrolment")
@AS
@click.pass_obj
def record_result(world: World, enrolment: str, username: str) -> dict[str, Any]:
    """Decide from the marks, under the blueprint's award rule, and record the decision with its statistics.

    Example: guildmark site record-result 0a1b... --as ana
    """
    from guildmark.app.access import require
    from guildmark.app.queries.organisations import enrolment as find
    from guildmark.app.services.assess import record_result as record

    who, row = actor(username), find(enrolment)
    require(who, "decide", row.offering.blueprint_version.provider)
    decision, value = record(id=world.new_id(), enrolment=row, actor=who, now=world.now)
    facts = world.say(
        f"{row.learner}: {'passed' if value.passed else 'not passed'} with {value.percent:.0f} % "
        f"(decision {decision.id}).",
        decision=str(decision.id),
        passed=value.passed,
        percent=value.percent,
        document=decision.document,
    )
    if not world.as_json:
        if value.agreement is not None:
            click.echo(f"  {value.agreement.says}")
        click.echo(render_text(value.report))
    return facts


commands = [open_offering, enrol, complete_activity, submit_work, record_mark, record_result]
