"""Steps 9 to 11: stack, match, feedback."""

from __future__ import annotations

from typing import Any

import click

from guildmark.cli.output import place, read_input
from guildmark.cli.site import AS, World, actor
from guildmark.core.report import Report, render_text


@click.command("add-stack-rule")
@click.argument("file")
@click.option("--owner", required=True, metavar="ORGANISATION")
@AS
@click.pass_obj
def add_stack_rule(world: World, file: str, owner: str, username: str) -> dict[str, Any]:
    """Declare the rule of a larger credential, a TOML file; one to begin from is in src/guildmark/pathways/data.

    Example: guildmark site add-stack-rule certificate.toml --owner harbour-university --as quinn
    """
    from guildmark.app.access import require
    from guildmark.app.queries.organisations import organisation
    from guildmark.app.services.pathways import add_stack_rule as add
    from guildmark.pathways.stack import read_stack_rule
    from guildmark.skills.files import decode

    who, provider = actor(username), organisation(owner)
    require(who, "publish", provider)
    text = decode(read_input(file), where=place(file))
    read_stack_rule(text, where=place(file))  # what is wrong with it is said with the name of the file
    row = add(text=text, owner=provider, actor=who, now=world.now)
    return world.say(f"{row.title} ({row.version}) is declared by {provider} as {row.id}.", rule=row.id)


@click.command("claim-stack")
@click.argument("rule")
@click.argument("email")
@AS
@click.pass_obj
def claim_stack(world: World, rule: str, email: str, username: str) -> dict[str, Any]:
    """Solve a stack rule for a learner's credentials and award the larger credential if it is earned.

    Example: guildmark site claim-stack operations-data-analyst mei@example.org --as ana
    """
    from guildmark.app.access import require
    from guildmark.app.queries.organisations import learner, stack_rule
    from guildmark.app.services.pathways import claim_stack as claim

    who, row = actor(username), stack_rule(rule)
    require(who, "award", row.owner)
    made = claim(id=world.new_id(), rule=row, learner=learner(email), entropy=world.entropy, actor=who, now=world.now)
    report = Report.from_json(made.result["report"])
    facts = world.say(
        f"{row.title} for {made.learner}: {made.state}" + (f" (award {made.award_id})." if made.award_id else "."),
        claim=str(made.id),
        state=made.state,
        award=str(made.award_id) if made.award_id else None,
        result=made.result,
    )
    if not world.as_json:
        click.echo(render_text(report))
    return facts


@click.command("rank-candidates")
@click.argument("ad")
@click.option("--framework", "framework_id", required=True)
@click.option("--partner", required=True, metavar="ORGANISATION", help="The employer who asks.")
@AS
@click.pass_obj
def rank_candidates(world: World, ad: str, framework_id: str, partner: str, username: str) -> dict[str, Any]:
    """Rank people who opted in for a job ad, from verified skills only, with reasons.

    Example: guildmark site rank-candidates ad-007 --framework guildmark --partner northwind-logistics --as omar
    """
    from guildmark.app.access import require
    from guildmark.app.queries.organisations import job_ad, organisation
    from guildmark.app.services.pathways import rank_candidates as rank

    who, employer = actor(username), organisation(partner)
    require(who, "hire", employer)
    run = rank(id=world.new_id(), ad=job_ad(ad), framework_id=framework_id, employer=employer, actor=who, now=world.now)
    facts = world.say(
        f"Ranked for {run.ad.title or run.ad.id}: {len(run.matches)} of those who opted in (run {run.id}).",
        run=str(run.id),
        need=run.need,
        matches=run.matches,
    )
    if not world.as_json:
        for match in run.matches:
            click.echo(f"  {match['score']:.2f}  learner {match['person_id']}")
            for reason in match["reasons"]:
                click.echo(f"        {reason['says']}")
            if match["missing"]:
                click.echo(f"        missing: {', '.join(m['label'] for m in match['missing'])}")
            for offer in match["closes"]:
                click.echo(f"        {offer['title']} would close: {', '.join(offer['labels'])}")
    return facts


@click.command("suggest-roles")
@click.argument("email")
@click.option("--framework", "framework_id", required=True)
@click.pass_obj
def suggest_roles(world: World, email: str, framework_id: str) -> dict[str, Any]:
    """Rank the job ads for one learner who opted in.

    Example: guildmark site suggest-roles mei@example.org --framework guildmark
    """
    from guildmark.app.queries.organisations import learner
    from guildmark.app.queries.pathways import suggest_roles as suggest

    roles = suggest(learner(email), framework_id=framework_id, on=world.now.date(), now=world.now)
    facts = world.say(f"{len(roles)} job ads ask for something that you hold.", roles=roles)
    if not world.as_json:
        for role in roles[:5]:
            click.echo(f"  {role['score']:.2f}  {role['title'] or 'untitled ad'} ({role['ad']})")
    return facts


@click.command("decide-match")
@click.argument("run")
@click.argument("whom", metavar="LEARNER")
@click.argument("decision", type=click.Choice(["invite", "decline"]))
@click.option("--reason", required=True)
@AS
@click.pass_obj
def decide_match(world: World, run: str, whom: str, decision: str, reason: str, username: str) -> dict[str, Any]:
    """Log what a person decided about one match; the ranking decides nothing.

    LEARNER is the id that the ranking shows, or an e-mail address.

    Example: guildmark site decide-match 7b0c... mei@example.org invite --reason "Holds all three." --as omar
    """
    from guildmark.app.access import require
    from guildmark.app.queries.organisations import learner, match_run
    from guildmark.app.services.pathways import decide_match as decide

    who, ranking = actor(username), match_run(run)
    if ranking.employer is not None:
        require(who, "hire", ranking.employer)
    decide(run=ranking, learner=learner(whom), decision=decision, reason=reason, actor=who, now=world.now)
    return world.say(f"{who} decided: {decision}. {reason}", decision=decision)


@click.command("record-destination")
@click.argument("award_id", metavar="AWARD")
@click.argument("kind", type=click.Choice(["hired", "interviewed", "not_hired"]))
@click.option("--rating", type=click.IntRange(1, 5))
@click.option("--employer", metavar="ORGANISATION")
@AS
@click.pass_obj
def record_destination(
    world: World, award_id: str, kind: str, rating: int | None, employer: str | None, username: str
) -> dict[str, Any]:
    """Record what became of a graduate, with their consent, for the blueprint version of their award.

    Example: guildmark site record-destination 7b0c... hired --rating 5 --employer northwind-logistics --as omar
    """
    from guildmark.app.access import require
    from guildmark.app.queries.organisations import award, organisation
    from guildmark.app.services.feedback import record_destination as record

    who, row = actor(username), award(award_id)
    source = organisation(employer) if employer else None
    require(who, "hire" if source else "review", source or row.issuer)
    made = record(id=world.new_id(), award=row, kind=kind, rating=rating, employer=source, actor=who, now=world.now)
    return world.say(f"{kind} is recorded for {row.title}.", destination=str(made.id))


@click.command("review")
@click.argument("blueprint")
@AS
@click.pass_obj
def review(world: World, blueprint: str, username: str) -> dict[str, Any]:
    """What the next review of a blueprint version sees of its graduates, told with their consent.

    Example: guildmark site review 7b0c... --as dana
    """
    from guildmark.app.access import require
    from guildmark.app.queries.organisations import blueprint_version
    from guildmark.app.queries.pathways import review_of

    row = blueprint_version(blueprint)
    require(actor(username), "review", row.provider)
    signals = review_of(row)
    return world.say(f"{row}: {signals.says}", signals=signals.to_json())


commands = [
    add_stack_rule,
    claim_stack,
    rank_candidates,
    suggest_roles,
    decide_match,
    record_destination,
    review,
]
