"""Reads of the pathways room: held credentials verified now, needs of ads, offers, what a review sees."""

from __future__ import annotations

from datetime import date, datetime

from guildmark.app.queries.assess import decision_value
from guildmark.app.queries.design import blueprint_value
from guildmark.app.queries.published import published_fetcher
from guildmark.app.queries.skills import framework_value
from guildmark.app.records import Award, BlueprintVersion, Consent, Destination, JobAd, Learner, SkillFramework
from guildmark.assess.holding import HeldSkill, Holding
from guildmark.core.errors import BrokenInput, NotAllowed
from guildmark.core.report import Report, Verdict
from guildmark.credential.verify import verify_credential
from guildmark.pathways import feedback as feedback_room
from guildmark.pathways import match as match_room
from guildmark.skills.ads import JobAd as AdValue
from guildmark.skills.extract import Extractor


def holdings_of(learner: Learner, *, on: date, now: datetime) -> list[Holding]:
    """The learner's badges as pathways see them, each verified now from its signed bytes and the published lists."""
    awards = (
        Award.objects.filter(learner=learner, kind="badge")
        .select_related("issuer", "decision__enrolment__offering__blueprint_version")
        .order_by("issued_at", "id")
    )
    return [_holding(award, now=now) for award in awards]


def _holding(award: Award, *, now: datetime) -> Holding:
    version = award.decision.enrolment.offering.blueprint_version
    blueprint, decision = blueprint_value(version), decision_value(award.decision)
    achieved = {r.outcome_id for r in decision.outcome_results if r.achieved}
    report = verify_credential(bytes(award.document), now=now, fetcher=published_fetcher())
    skills = {
        a.uri: HeldSkill(uri=a.uri, label=a.label, level=outcome.level)
        for outcome in blueprint.outcomes
        if outcome.id in achieved
        for a in outcome.alignments
    }
    return Holding(
        credential_id=award.credential_id,
        achievement_id=version.blueprint_id,
        title=award.title,
        issuer_id=award.issuer.did,
        learner_id=str(award.learner_id),
        skills=tuple(skills.values()),
        credit_value=blueprint.credit.value,
        credit_unit=blueprint.credit.unit,
        level=blueprint.level,
        assessed_on=decision.decided_at.date(),
        valid_until=award.valid_until.date() if award.valid_until else None,
        status=_status(award, report),
        tags=(),
    )


def _status(award: Award, report: Report) -> str:
    """What verification found: the row's own state only names which kind of refusal it was."""
    if report.verdict is Verdict.PASS:
        return "valid"
    if report.verdict is Verdict.UNKNOWN:
        return "unverified"
    if award.state != Award.State.VALID:
        return award.state
    return "expired" if any(f.id == "validity.dates" for f in report.failed()) else "unverified"


def people_who_opted_in(*, on: date, now: datetime) -> list[match_room.Person]:
    """Learners with live consent to matching; nobody else is even read."""
    learners = Learner.objects.filter(
        pk__in=Consent.objects.filter(purpose=Consent.Purpose.MATCHING, withdrawn_at=None).values("learner")
    )
    return [
        match_room.Person(id=str(row.id), opted_in=True, holdings=tuple(holdings_of(row, on=on, now=now)))
        for row in learners
    ]


def job_need(ad: JobAd, *, framework_id: str) -> match_room.JobNeed:
    """What the ad asks for, from the skills that the framework finds in its text."""
    record = SkillFramework.objects.filter(id=framework_id).first()
    if record is None:
        raise BrokenInput(f"framework {framework_id!r} is not loaded", hint="run guildmark site load-framework")
    framework = framework_value(record)
    value = AdValue(
        id=ad.id,
        title=ad.title,
        employer=ad.employer,
        text=ad.text,
        posted=ad.posted,
        place=ad.place,
        source=ad.source,
    )
    return match_room.need_from_mentions(value, Extractor(framework).mentions(value), framework)


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
    person = match_room.Person(id=str(learner.id), opted_in=True, holdings=tuple(holdings_of(learner, on=on, now=now)))
    ads = {ad.id: ad for ad in JobAd.objects.filter(mentions__framework_id=framework_id).distinct()}
    record = SkillFramework.objects.get(id=framework_id)
    framework = framework_value(record)
    extractor = Extractor(framework)
    needs = []
    for ad in ads.values():
        value = AdValue(
            id=ad.id,
            title=ad.title,
            employer=ad.employer,
            text=ad.text,
            posted=ad.posted,
            place=ad.place,
            source=ad.source,
        )
        needs.append(match_room.need_from_mentions(value, extractor.mentions(value), framework))
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
