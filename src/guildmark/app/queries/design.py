"""Reads of the design room: blueprints as values, who endorsed what, what the gate is told."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from guildmark.app.queries.published import published_fetcher
from guildmark.app.records import BlueprintVersion, Endorsement
from guildmark.core.report import Report, Verdict
from guildmark.core.rules import Judgement
from guildmark.credential.endorsement import read_endorsement
from guildmark.credential.verify import verify_credential
from guildmark.design.blueprint import Blueprint, read_blueprint
from guildmark.design.codesign import Endorsed, endorsement_findings


def blueprint_value(version: BlueprintVersion) -> Blueprint:
    """The blueprint as the rooms know it."""
    return read_blueprint(version.document, str(version))


def elements_of(blueprint: Blueprint) -> dict[str, str]:
    """What partners can talk about, in the blueprint's order: "" for the whole, then each task, outcome, assessment."""
    found = {"": ""}
    found |= {f"task:{task.id}": task.statement for task in blueprint.tasks}
    found |= {f"outcome:{outcome.id}": outcome.statement for outcome in blueprint.outcomes}
    return found | {f"assessment:{assessment.id}": assessment.title for assessment in blueprint.assessments}


def live_endorsements(version: BlueprintVersion) -> list[Endorsement]:
    """Endorsements of this version that their partner has not withdrawn."""
    return list(version.endorsements.filter(withdrawn_at=None).select_related("partner"))


def live_endorsed(version: BlueprintVersion, *, now: datetime) -> list[Endorsed]:
    """The endorsements whose signature verifies now, as values; one that does not verify vouches for nothing.

    That the map was changed since is no fault of the signature: the design room compares the digests and says so.
    """
    verified = []
    for row in live_endorsements(version):
        report = verify_credential(row.document, now=now, fetcher=published_fetcher())
        troubles = (*report.failed(), *(f for f in report.unknown() if f.required))
        if report.findings and all(f.id.startswith("related.") for f in troubles):
            verified.append(read_endorsement(row.document))
    return verified


def endorsement_report(version: BlueprintVersion, *, now: datetime) -> Report:
    """Which signatures stand for the present map, and which are void because it changed."""
    return endorsement_findings(blueprint_value(version), live_endorsed(version, now=now))


def gate_inputs(version: BlueprintVersion, *, now: datetime) -> dict[str, Any]:
    """What the quality gate is told besides the blueprint: the provider, verified endorsements, live judgements."""
    judgements = [
        Judgement(rule_id=row.rule_id, verdict=Verdict(row.verdict), by=str(row.by), reason=row.reason, at=row.at)
        for row in version.judgements.filter(blueprint_digest=version.digest).select_related("by").order_by("at", "id")
    ]
    provider = version.provider
    return {
        "provider": {"id": provider.did, "name": provider.name, "country": provider.country, **provider.facts},
        "endorsed": live_endorsed(version, now=now),
        "judgements": judgements,
    }
