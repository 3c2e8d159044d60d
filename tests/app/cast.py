"""A small world made through the services themselves: a provider, a partner, their people, a published blueprint.

Each function leaves the database as the verb it stands for would, so that a test begins where it wants to.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

from guildmark.app.records import (
    Award,
    BlueprintVersion,
    Decision,
    DemandSnapshot,
    Learner,
    Organisation,
    Person,
    Submission,
)
from guildmark.app.services import assess, awards, design, pathways, people, skills
from guildmark.assess.delivery import Activity
from guildmark.core.report import Verdict

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
PROVIDER_FACTS = {
    "regulated": True,
    "register": "an invented register",
    "register_status": "registered",
    "qa_type": "external review",
    "qa_agency": "an invented agency",
}


@dataclass
class Cast:
    """Who is there: the provider Harbour, the partner Northwind, and Mallory, who belongs to neither."""

    harbour: Organisation
    northwind: Organisation
    ana: Person
    quinn: Person
    lee: Person
    priya: Person
    omar: Person
    mallory: Person
    mei: Learner


def cast() -> Cast:
    """The organisations with a key each, their people with a role each, and one learner."""
    harbour = organisation("harbour-university", "Harbour University", "provider", PROVIDER_FACTS)
    northwind = organisation("northwind-logistics", "Northwind Logistics", "partner", {})
    organisation("mill", "The Mill", "provider", {})
    return Cast(
        harbour=harbour,
        northwind=northwind,
        ana=person("ana", "Ana Ruiz", harbour.slug, "awarder"),
        quinn=person("quinn", "Quinn Abara", harbour.slug, "admin"),
        lee=person("lee", "Lee Marsh", harbour.slug, "marker"),
        priya=person("priya", "Priya Nair", harbour.slug, "marker"),
        omar=person("omar", "Omar Haddad", northwind.slug, "partner"),
        mallory=person("mallory", "Mallory", "mill", "admin"),
        mei=learner("mei@example.org", "Mei Tan"),
    )


def organisation(slug: str, name: str, kind: str, facts: dict[str, Any]) -> Organisation:
    row = people.register_organisation(
        id=uuid4(),
        slug=slug,
        name=name,
        kind=kind,
        did=people.default_did(kind, slug),
        country="AU",
        facts=facts,
        now=NOW,
    )
    people.create_key(organisation=row, entropy=secrets.token_bytes(32), now=NOW)
    return row


def person(username: str, name: str, slug: str, role: str) -> Person:
    return people.add_person(
        id=uuid4(), username=username, name=name, email=f"{username}@example.org", roles=[(slug, role)], now=NOW
    )


def learner(email: str, name: str) -> Learner:
    return people.add_learner(id=uuid4(), name=name, email=email, now=NOW)


def sample(name: str = "sql-python-operations") -> dict[str, Any]:
    """A sample blueprint as plain JSON."""
    return json.loads(files("guildmark.design").joinpath(f"samples/{name}.json").read_bytes())


def demand() -> DemandSnapshot:
    """Demand over the job ads that come with guildmark, measured once for each test."""
    if found := DemandSnapshot.objects.first():
        return found
    framework, _ = skills.load_framework(path=None, now=NOW)
    skills.ingest_ads(path=None, now=NOW)
    skills.extract_mentions(framework_id=framework.id, now=NOW)
    return skills.refresh_demand(id=uuid4(), framework_id=framework.id, query="data", on=NOW.date(), now=NOW)


def draft(cast: Cast, document: dict[str, Any] | None = None) -> BlueprintVersion:
    body = json.dumps(document or sample()).encode()
    return design.draft_blueprint(
        id=uuid4(), document=body, provider=cast.harbour, demand=demand(), actor=cast.quinn, now=NOW
    )


def endorse(cast: Cast, version: BlueprintVersion, scope: tuple[str, ...] | str = "whole") -> Any:
    return design.endorse(
        id=uuid4(),
        version=version,
        partner=cast.northwind,
        scope=scope,
        claim="We hire for this.",
        valid_until=None,
        actor=cast.omar,
        now=NOW,
    )


def review(cast: Cast, version: BlueprintVersion) -> tuple[Any, Any]:
    return design.submit_for_review(
        id=uuid4(), version=version, rulebooks=("guildmark_core",), actor=cast.quinn, now=NOW
    )


def judge_all(cast: Cast, version: BlueprintVersion) -> None:
    """Whatever the gate leaves to people is judged to be met."""
    _, report = review(cast, version)
    for finding in report.unknown():
        if finding.required:
            design.judge(
                version=version,
                rule_id=finding.id,
                verdict=Verdict.PASS,
                reason="Read and met.",
                actor=cast.quinn,
                now=NOW,
            )


def publish(cast: Cast, document: dict[str, Any] | None = None) -> BlueprintVersion:
    """A blueprint that was drafted, endorsed, judged, gated and published."""
    version = draft(cast, document)
    endorse(cast, version)
    judge_all(cast, version)
    _, report = review(cast, version)
    assert report.verdict is Verdict.PASS, [f.says for f in (*report.failed(), *report.unknown())]
    return design.publish_blueprint(version=version, actor=cast.quinn, now=NOW)


def enrol(cast: Cast, version: BlueprintVersion, who: Learner | None = None) -> Any:
    offering = assess.open_offering(
        id=uuid4(),
        version=version,
        title="Open all year",
        opens_on=NOW.date(),
        closes_on=None,
        activities=[Activity(id="start", title="Read the brief", kind="text", minutes=40, required=True)],
        actor=cast.quinn,
        now=NOW,
    )
    return assess.enrol(id=uuid4(), offering=offering, learner=who or cast.mei, now=NOW)


def hand_in(enrolment: Any) -> list[Submission]:
    """Work for every assessment of the blueprint."""
    return [
        assess.submit_work(
            id=uuid4(),
            enrolment=enrolment,
            assessment=assessment["id"],
            title=assessment["title"],
            media_type="text/markdown",
            body=f"# {assessment['title']}\n".encode(),
            now=NOW,
        )
        for assessment in enrolment.offering.blueprint_version.document["assessments"]
    ]


def mark(cast: Cast, submissions: list[Submission], level: str = "excellent") -> None:
    """Both markers give every criterion the same level."""
    for row in submissions:
        document = row.enrolment.offering.blueprint_version.document
        criteria = next(a for a in document["assessments"] if a["id"] == row.assessment)["criteria"]
        for marker in (cast.lee, cast.priya):
            for criterion in criteria:
                assess.record_mark(
                    submission=row, criterion=criterion["id"], level=level, comment="", marker=marker, now=NOW
                )


def decide(cast: Cast, version: BlueprintVersion, *, who: Learner | None = None, level: str = "excellent") -> Decision:
    enrolment = enrol(cast, version, who)
    mark(cast, hand_in(enrolment), level)
    row, _ = assess.record_result(id=uuid4(), enrolment=enrolment, actor=cast.ana, now=NOW)
    return row


def award(cast: Cast, decision: Decision) -> tuple[Award, str]:
    return awards.award_credential(id=uuid4(), decision=decision, entropy=secrets.token_bytes, actor=cast.ana, now=NOW)


def awarded(cast: Cast) -> SimpleNamespace:
    """A published blueprint and an award on it: `version`, `decision`, `award`, `token`."""
    version = publish(cast)
    decision = decide(cast, version)
    row, token = award(cast, decision)
    return SimpleNamespace(version=version, decision=decision, award=row, token=token)


STACK_RULE = """
id = "small-certificate"
title = "Small certificate"
version = "1"
source = "An invented policy"
effective_from = 2024-01-01
unit = "AU-CP"

[achievements.sql]
id = "urn:uuid:6f6d1c52-9b1e-4c5e-8d57-0a3f6c1b7e01"
title = "Data analysis with SQL and Python for operations"
issuer = "did:web:demo.guildmark.example:issuers:harbour-university"

[[group]]
id = "analysis"
title = "Analysis"
reason = "The one thing that it is about."
from = { achievements = ["sql"] }
need = { count = 1 }

[[example]]
title = "Enough"
earns = true
on = 2026-11-24
holdings = [
  { achievement = "sql", credits = 6, unit = "AU-CP", level = "AQF:5", assessed_on = 2026-11-01 },
]

[[example]]
title = "Nothing"
earns = false
on = 2026-11-24
holdings = []
"""
"""A larger credential that one award on `sample()` earns."""


def stack_rule(cast: Cast) -> Any:
    return pathways.add_stack_rule(text=STACK_RULE, owner=cast.harbour, actor=cast.quinn, now=NOW)


def claim_stack(cast: Cast, rule: Any, who: Learner | None = None) -> Any:
    return pathways.claim_stack(
        id=uuid4(), rule=rule, learner=who or cast.mei, entropy=secrets.token_bytes, actor=cast.ana, now=NOW
    )
