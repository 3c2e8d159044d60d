"""Reads of the pathways room: held credentials verified now, needs of ads, offers, what a review sees."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime
from uuid import UUID

from guildmark.app.queries.assess import decision_value
from guildmark.app.queries.design import blueprint_value
from guildmark.app.queries.published import published_fetcher
from guildmark.app.queries.skills import ad_value, framework_value, loaded_framework, mention_values
from guildmark.app.records import Award, BlueprintVersion, Consent, Destination, JobAd, Learner, Mention
from guildmark.assess.decision import Decision
from guildmark.assess.holding import HeldSkill, Holding
from guildmark.core.errors import NotAllowed
from guildmark.core.report import Report, Verdict
from guildmark.credential.verify import verify_credential
from guildmark.design.blueprint import Blueprint
from guildmark.pathways import feedback as feedback_room
from guildmark.pathways import match as match_room
from guildmark.skills.extract import Extractor
from guildmark.skills.extract import Mention as MentionValue


def holdings_of(learner: Learner, *, on: date, now: datetime) -> list[Holding]:
    """The learner's badges as pathways see them, each verified now from its signed bytes and the published lists."""
    return _holdings([learner.pk], None, now=now)[learner.pk]


def _holdings(learners: Sequence[UUID], shows: Collection[str] | None, *, now: datetime) -> dict[UUID, list[Holding]]:
    """The badges of each learner, or only those that show one of the skills in `shows`; nothing else is verified.

    Two statements, and one or two for each document that the credentials point to: their issuers' keys, status lists,
    achievements. Verifying costs a tenth of a second for each credential, and so is done only where it can matter.
    """
    awards = list(
        Award.objects.filter(learner__in=learners, kind="badge")
        .exclude(document=b"")
        .select_related("issuer", "decision__enrolment__offering")
        .order_by("issued_at", "id")
    )
    versions = {award.decision.enrolment.offering.blueprint_version_id for award in awards}
    blueprints = {row.pk: (row, blueprint_value(row)) for row in BlueprintVersion.objects.filter(pk__in=versions)}
    fetcher = published_fetcher()
    found: dict[UUID, list[Holding]] = {pk: [] for pk in learners}
    for award in awards:
        version, blueprint = blueprints[award.decision.enrolment.offering.blueprint_version_id]
        decision = decision_value(award.decision)
        skills = _skills(blueprint, decision)
        if shows is None or any(skill.uri in shows for skill in skills):
            report = verify_credential(bytes(award.document), now=now, fetcher=fetcher)
            found[award.learner_id].append(
                Holding(
                    credential_id=award.credential_id,
                    achievement_id=version.blueprint_id,
                    title=award.title,
                    issuer_id=award.issuer.did,
                    learner_id=str(award.learner_id),
                    skills=skills,
                    credit_value=blueprint.credit.value,
                    credit_unit=blueprint.credit.unit,
                    level=blueprint.level,
                    assessed_on=decision.decided_at.date(),
                    valid_until=award.valid_until.date() if award.valid_until else None,
                    status=_status(award, report),
                    tags=(),
                )
            )
    return found


def _skills(blueprint: Blueprint, decision: Decision) -> tuple[HeldSkill, ...]:
    """What the decision vouches for: the skills of the outcomes that were achieved."""
    achieved = {r.outcome_id for r in decision.outcome_results if r.achieved}
    skills = {
        a.uri: HeldSkill(uri=a.uri, label=a.label, level=outcome.level)
        for outcome in blueprint.outcomes
        if outcome.id in achieved
        for a in outcome.alignments
    }
    return tuple(skills.values())


def _status(award: Award, report: Report) -> str:
    """What verification found: the row's own state only names which kind of refusal it was."""
    if report.verdict is Verdict.PASS:
        return "valid"
    if report.verdict is Verdict.UNKNOWN:
        return "unverified"
    if award.state != Award.State.VALID:
        return award.state
    return "expired" if any(f.id == "validity.dates" for f in report.failed()) else "unverified"


def people_who_opted_in(need: match_room.JobNeed, *, now: datetime) -> list[match_room.Person]:
    """Learners with live consent to matching, and what they hold of what is needed; nobody else is even read."""
    consents = Consent.objects.filter(purpose=Consent.Purpose.MATCHING, withdrawn_at=None)
    learners = list(consents.order_by("learner").values_list("learner", flat=True))
    held = _holdings(learners, need.shown_by(), now=now)
    return [match_room.Person(id=str(pk), opted_in=True, holdings=tuple(held[pk])) for pk in learners]


def job_need(ad: JobAd, *, framework_id: str) -> match_room.JobNeed:
    """What the ad asks for: the mentions of the framework's skills that are stored, or are found in its text now."""
    framework = framework_value(loaded_framework(framework_id))
    value = ad_value(ad)
    stored = mention_values(Mention.objects.filter(ad=ad, framework_id=framework_id))
    # An ad without any may have come in since the skills of all ads were last looked for.
    return match_room.need_from_mentions(value, stored or Extractor(framework).mentions(value), framework)


def offers() -> list[match_room.Offer]:
    """What can be learned now: the latest published version of every blueprint, with the skills it vouches for."""
    found = {}
    for row in BlueprintVersion.objects.filter(state=BlueprintVersion.State.PUBLISHED).order_by(
        "blueprint_id", "version"
    ):
        blueprint = blueprint_value(row)
        uris = {a.uri for outcome in blueprint.outcomes for a in outcome.alignments}
        found[row.blueprint_id] = match_room.Offer(
            id=str(row.id), title=row.title, skills=frozenset(uris), hours=blueprint.hours
        )
    return list(found.values())


def suggest_roles(learner: Learner, *, framework_id: str, on: date, now: datetime) -> list[dict]:
    """Job ads that ask for something the learner holds, best first; NotAllowed without live consent."""
    if not Consent.objects.filter(learner=learner, purpose=Consent.Purpose.MATCHING, withdrawn_at=None).exists():
        raise NotAllowed(f"{learner} has not agreed to be matched.")
    needs_of = match_room.Needs(framework_value(loaded_framework(framework_id)))
    mentions: dict[str, list[MentionValue]] = {}
    for mention in mention_values(Mention.objects.filter(framework_id=framework_id).order_by("ad", "start", "id")):
        mentions.setdefault(mention.ad_id, []).append(mention)
    ads = {ad.id: ad for ad in JobAd.objects.filter(mentions__framework_id=framework_id).distinct()}
    needs = [needs_of.of(ad_value(ad), mentions.get(ad.id, ())) for ad in ads.values()]
    shows = frozenset().union(*(need.shown_by() for need in needs))
    holdings = _holdings([learner.pk], shows, now=now)[learner.pk]
    person = match_room.Person(id=str(learner.id), opted_in=True, holdings=tuple(holdings))
    return [
        {
            "ad": match.job_id,
            "title": ads[match.job_id].title,
            "score": match.score,
            "reasons": [reason.to_json() for reason in match.reasons],
            "missing": [skill.to_json() for skill in match.missing],
        }
        for match in match_room.rank_jobs(person, [n for n in needs if n.skills], on=on)
        if match.score > 0
    ]


def review_of(version: BlueprintVersion) -> feedback_room.ReviewSignals:
    """What the next review of this version sees: outcomes told with consent that still stands."""
    rows = Destination.objects.filter(
        blueprint_id=version.blueprint_id, blueprint_version=version.version
    ).select_related("consent")
    values = [
        feedback_room.Destination(
            blueprint_id=row.blueprint_id,
            blueprint_version=row.blueprint_version,
            kind=row.kind,
            rating=row.rating,
            consented=row.consent.withdrawn_at is None,
            at=row.at,
            source=row.source,
        )
        for row in rows
    ]
    return feedback_room.review_signals(version.blueprint_id, version.version, values)
