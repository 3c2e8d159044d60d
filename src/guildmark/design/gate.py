"""The quality gate: national frameworks and our own core rules, run over a blueprint; it blocks until all is decided.

The gate asks two kinds of thing. What can be read from data is decided from data. What needs a person's judgement
(semi and human rules) stays unknown until a named person has judged it, with a reason. Unknown is never pass.

Some elements of a framework exist only on the award (who received it, when). The gate checks that this product's award
documents carry them, as `AWARD_TEMPLATE` says, and the rule's title says that it is about the award.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any

from guildmark.core.report import Finding, Report, Verdict
from guildmark.core.rules import Judgement, Rulebook, evaluate, load_rulebook
from guildmark.design.blueprint import Blueprint
from guildmark.design.codesign import Endorsed, endorsed_outcomes, endorsement_findings, stands
from guildmark.design.levels import credit_fits_hours, known_level, names_aqf_award

CORE = "guildmark_core"
"""The rulebook of our own that no provider can leave out."""

AWARD_TEMPLATE: Mapping[str, Any] = {
    "credential_type": "MicroCredential",
    "format": "OB3",
    "subject": "salted hash of the learner's e-mail address, or the learner's DID",
    "issuer": "the provider's Profile with its DID, name and country",
    "issued": "validFrom and awardedDate",
    "grade": "result for each outcome and criterion",
    "signed": True,
    "status_endpoint": True,
    "exportable": True,
    "statement": "This micro-credential is not issued under the Australian Qualifications Framework (AQF).",
    "carries": [
        "learner",
        "title",
        "country",
        "awarding_body",
        "issue_date",
        "learning_outcomes",
        "workload",
        "level",
        "assessment",
        "participation",
        "quality_assurance",
    ],
}
"""What every award document of this product carries, whatever the blueprint says (`credential.open_badge`).

The `statement` stands on awards of Australian blueprints only.
"""


@cache
def builtin_rulebooks() -> Mapping[str, Rulebook]:
    """The rulebooks that come with guildmark, by id: `guildmark_core`, `au_nmf`, `eu_2022`."""
    folder = files("guildmark.design") / "rulebooks"
    books = [
        load_rulebook(entry.read_text(encoding="utf-8"), where=entry.name)
        for entry in sorted(folder.iterdir(), key=lambda e: e.name)
        if entry.name.endswith(".toml")
    ]
    return {book.id: book for book in books}


def gate_facts(blueprint: Blueprint, *, provider: Mapping[str, Any], endorsed: Sequence[Endorsed]) -> dict[str, Any]:
    """The blueprint as plain data for rules: its own members, and what follows from them.

    Derived members: `assessed` (outcomes that some assessment shows), `securely_assessed` (those that a
    secure one shows), `mapped` (outcomes with an edge), `map_tasks`, `standing_endorsements` (partners, other
    than the provider itself, whose signature stands), `endorsed_outcomes` (what those speak about),
    `demand_intact`, `level_known` (of the whole and of each outcome), `credit_fits_hours`, `names_aqf_award`,
    and `award`, what the award document will carry.
    """
    data = blueprint.to_json()
    partners = {e.partner_id for e in endorsed if stands(blueprint, e)} - {blueprint.provider_id}
    secure = [a for a in blueprint.assessments if a.secure]
    levels = {blueprint.level, *(o.level for o in blueprint.outcomes)}
    credit = blueprint.credit
    return {
        **data,
        "provider": dict(provider),
        "assessed": sorted({c.outcome for a in blueprint.assessments for c in a.criteria}),
        "securely_assessed": sorted({c.outcome for a in secure for c in a.criteria}),
        "mapped": sorted({edge.outcome for edge in blueprint.task_map}),
        "map_tasks": sorted({edge.task for edge in blueprint.task_map}),
        "standing_endorsements": sorted(partners),
        "endorsed_outcomes": sorted(endorsed_outcomes(blueprint, endorsed)),
        "demand_intact": blueprint.demand.intact() if blueprint.demand is not None else None,
        "level_known": all(known_level(level) for level in levels),
        "credit_fits_hours": credit_fits_hours(credit.value, credit.unit, blueprint.hours),
        "names_aqf_award": names_aqf_award(blueprint.title),
        "evidence_of_need": data.get("evidence_of_need", []),
        "award": AWARD_TEMPLATE if blueprint.country == "AU" else {**AWARD_TEMPLATE, "statement": None},
    }


def gate(
    blueprint: Blueprint,
    rulebooks: Iterable[Rulebook],
    *,
    provider: Mapping[str, Any],
    endorsed: Sequence[Endorsed],
    judgements: Iterable[Judgement],
    on: date,
) -> Report:
    """Every finding of every rulebook about the blueprint on the day `on`, and of each endorsement.

    Only a report whose verdict is PASS lets a blueprint be published. Without a rulebook there is nothing that
    could pass, and a rulebook of which nothing passed is unknown, whatever other rulebooks say. An
    endorsement that is void fails, so that nobody publishes under a signature for another map.
    """
    facts = gate_facts(blueprint, provider=provider, endorsed=endorsed)
    decided = tuple(judgements)
    findings: list[Finding] = []
    for book in rulebooks:
        report = evaluate(book, facts, on=on, judgements=decided)
        findings.extend(report.findings)
        if not any(f.verdict is Verdict.PASS for f in report.findings):
            says = f"{report.subject}: none of its {len(book.rules)} rules was met, so it cannot vouch for anything."
            findings.append(Finding(f"{book.id}.nothing_passed", Verdict.UNKNOWN, says, source=book.source))
    if findings:
        findings.extend(endorsement_findings(blueprint, endorsed).findings)
    return Report(f"Quality gate: {blueprint.title}, version {blueprint.version}", tuple(findings))
