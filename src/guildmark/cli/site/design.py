"""Steps 2 to 4: blueprints, endorsement by partners, the quality gate."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import click

from guildmark.cli.output import place, read_input
from guildmark.cli.site import AS, World, actor, words
from guildmark.core.codecs import iso, parse_iso
from guildmark.core.errors import BrokenInput
from guildmark.core.report import Verdict, render_text
from guildmark.design.blueprint import read_blueprint


@click.command("draft-blueprint")
@click.argument("file")
@click.option("--provider", required=True, metavar="ORGANISATION")
@click.option("--demand", metavar="DEMAND", help="The demand to freeze into the blueprint, as refresh-demand named it.")
@AS
@click.pass_obj
def draft_blueprint(world: World, file: str, provider: str, demand: str | None, username: str) -> dict[str, Any]:
    """Draft a blueprint from a JSON or TOML file; a known one gets its next version.

    Three to begin from are in src/guildmark/design/samples; give yours an id and your own provider_id.

    Example: guildmark site draft-blueprint sql.json --provider harbour-university --demand 1f0e... --as dana
    """
    from guildmark.app.access import require
    from guildmark.app.queries.organisations import demand_snapshot, organisation
    from guildmark.app.services.design import draft_blueprint as draft

    who, owner = actor(username), organisation(provider)
    require(who, "design", owner)
    document = read_input(file)
    read_blueprint(document, place(file))  # what is wrong with it is said with the name of the file
    row = draft(
        id=world.new_id(),
        document=document,
        provider=owner,
        demand=demand_snapshot(demand) if demand else None,
        actor=who,
        now=world.now,
    )
    return world.say(
        f"{row} is a draft (blueprint {row.id}).",
        blueprint=str(row.id),
        blueprint_id=row.blueprint_id,
        version=row.version,
        digest=row.digest,
    )


@click.command("revise-draft")
@click.argument("blueprint")
@click.argument("file")
@AS
@click.pass_obj
def revise_draft(world: World, blueprint: str, file: str, username: str) -> dict[str, Any]:
    """Change a draft; endorsements of a map that changed are void from then on.

    Example: guildmark site revise-draft 7b0c... sql.json --as dana
    """
    from guildmark.app.access import require
    from guildmark.app.queries.design import endorsement_report
    from guildmark.app.queries.organisations import blueprint_version
    from guildmark.app.services.design import revise_draft as revise

    who, row = actor(username), blueprint_version(blueprint)
    require(who, "design", row.provider)
    document = read_input(file)
    read_blueprint(document, place(file))
    row = revise(version=row, document=document, actor=who, now=world.now)
    report = endorsement_report(row, now=world.now)
    facts = world.say(f"{row} now has digest {row.digest[:12]}.", digest=row.digest, endorsements=report.to_json())
    if not world.as_json:
        click.echo(render_text(report))
    return facts


@click.command("ask-partner")
@click.argument("blueprint")
@click.option("--partner", required=True, metavar="ORGANISATION")
@AS
@click.pass_obj
def ask_partner(world: World, blueprint: str, partner: str, username: str) -> dict[str, Any]:
    """Ask an industry partner to read a draft and to sign its map; its people are told by e-mail.

    Example: guildmark site ask-partner 7b0c... --partner northwind-logistics --as dana
    """
    from guildmark.app.access import require
    from guildmark.app.queries.organisations import blueprint_version, organisation
    from guildmark.app.services.design import ask_partner as ask

    who, row, asked = actor(username), blueprint_version(blueprint), organisation(partner)
    require(who, "design", row.provider)
    ask(version=row, partner=asked, actor=who, now=world.now)
    return world.say(f"{asked} is asked to sign the map of {row}.", blueprint=str(row.id), partner=asked.slug)


@click.command("endorse")
@click.argument("blueprint")
@click.option("--partner", required=True, metavar="ORGANISATION")
@click.option(
    "--outcome", "outcomes", multiple=True, metavar="ID", help="Only these outcomes; by default the whole map."
)
@click.option("--claim", required=True, callback=words, help="What the partner says, in its own words.")
@click.option("--valid-until", metavar="TIME", help="By default two years from now.")
@AS
@click.pass_obj
def endorse(
    world: World,
    blueprint: str,
    partner: str,
    outcomes: tuple[str, ...],
    claim: str,
    valid_until: str | None,
    username: str,
) -> dict[str, Any]:
    """Sign the task, outcome and assessment map of a blueprint with the partner's own key.

    Example: guildmark site endorse 7b0c... --partner northwind-logistics --claim "We hire for this." --as omar
    """
    from guildmark.app.access import require
    from guildmark.app.queries.organisations import blueprint_version, organisation
    from guildmark.app.services.design import endorse as sign

    who, row, owner = actor(username), blueprint_version(blueprint), organisation(partner)
    require(who, "endorse", owner)
    until: datetime = parse_iso(valid_until, where="--valid-until") if valid_until else world.now + timedelta(days=730)
    if until <= world.now:
        raise BrokenInput(f"{iso(until)} is over already", where="--valid-until", hint="name a moment to come")
    made = sign(
        id=world.new_id(),
        version=row,
        partner=owner,
        scope=outcomes or "whole",
        claim=claim,
        valid_until=until,
        actor=who,
        now=world.now,
    )
    return world.say(
        f"{owner} has signed the map of {row} (endorsement {made.id}).",
        endorsement=str(made.id),
        credential=made.credential_id,
        map_sha256=made.map_digest,
    )


@click.command("withdraw-endorsement")
@click.argument("endorsement")
@click.option("--reason", required=True)
@AS
@click.pass_obj
def withdraw_endorsement(world: World, endorsement: str, reason: str, username: str) -> dict[str, Any]:
    """Take a partner's signature back: it counts for no gate and goes into no badge from now on.

    Example: guildmark site withdraw-endorsement 7b0c... --reason "We no longer hire for this." --as omar
    """
    from guildmark.app.access import require
    from guildmark.app.queries.organisations import endorsement as find
    from guildmark.app.services.design import withdraw_endorsement as withdraw

    who, row = actor(username), find(endorsement)
    require(who, "endorse", row.partner)
    withdraw(endorsement=row, reason=reason, actor=who, now=world.now)
    return world.say(
        f"{row.partner} has withdrawn its signature under {row.blueprint_version}.", endorsement=str(row.id)
    )


@click.command("judge")
@click.argument("blueprint")
@click.argument("rule")
@click.argument("verdict", type=click.Choice(["pass", "fail"]))
@click.option("--reason", required=True)
@AS
@click.pass_obj
def judge(world: World, blueprint: str, rule: str, verdict: str, reason: str, username: str) -> dict[str, Any]:
    """Decide, as a named person and with a reason, what a rule cannot decide from data.

    Example: guildmark site judge 7b0c... AU-R6 pass --reason "Three employers interviewed in May." --as quinn
    """
    from guildmark.app.access import require
    from guildmark.app.queries.organisations import blueprint_version
    from guildmark.app.services.design import judge as decide

    who, row = actor(username), blueprint_version(blueprint)
    require(who, "judge", row.provider)
    decide(version=row, rule_id=rule, verdict=Verdict(verdict), reason=reason, actor=who, now=world.now)
    return world.say(f"{who} judged {rule} of {row}: {verdict}.", rule=rule, verdict=verdict)


@click.command("submit-for-review")
@click.argument("blueprint")
@click.option(
    "--rulebook",
    "rulebooks",
    multiple=True,
    required=True,
    metavar="ID",
    help="guildmark_core, au_nmf or eu_2022. May be given more than once.",
)
@AS
@click.pass_obj
def submit_for_review(world: World, blueprint: str, rulebooks: tuple[str, ...], username: str) -> dict[str, Any]:
    """Run the quality gate over a draft and record what it finds.

    Example: guildmark site submit-for-review 7b0c... --rulebook guildmark_core --rulebook au_nmf --as dana
    """
    from guildmark.app.access import require
    from guildmark.app.queries.organisations import blueprint_version
    from guildmark.app.services.design import submit_for_review as submit

    who, row = actor(username), blueprint_version(blueprint)
    require(who, "design", row.provider)
    result, report = submit(id=world.new_id(), version=row, rulebooks=rulebooks, actor=who, now=world.now)
    blocking = [f.id for f in (*report.failed(), *report.unknown())]
    facts = world.say(
        f"The gate says {report.verdict.value} to {row}"
        + (f", because of {', '.join(blocking)}." if blocking else f" after {len(report.findings)} findings."),
        gate=str(result.id),
        verdict=report.verdict.value,
        blocking=blocking,
        report=report.to_json(),
    )
    if not world.as_json:
        for finding in (*report.failed(), *report.unknown()):
            click.echo(f"  {finding.id}: {finding.says}")
    return facts


@click.command("publish-blueprint")
@click.argument("blueprint")
@AS
@click.pass_obj
def publish_blueprint(world: World, blueprint: str, username: str) -> dict[str, Any]:
    """Publish a draft that the gate passed; from then on it never changes.

    Example: guildmark site publish-blueprint 7b0c... --as quinn
    """
    from guildmark.app.access import require
    from guildmark.app.queries.organisations import blueprint_version
    from guildmark.app.services.design import publish_blueprint as publish

    who, row = actor(username), blueprint_version(blueprint)
    require(who, "publish", row.provider)
    row = publish(version=row, actor=who, now=world.now)
    return world.say(f"{row} is published.", blueprint=str(row.id), state=row.state)


commands = [
    draft_blueprint,
    revise_draft,
    ask_partner,
    endorse,
    withdraw_endorsement,
    judge,
    submit_for_review,
    publish_blueprint,
]
