"""Co-design: what an industry partner signs, and whether that signature still stands for the map as it is now.

A partner signs the *map*: job tasks, the outcomes that they are for, the assessments with the rubrics that show them,
and the edges between. Its digest is in the signed endorsement, so changing any of it voids the signature visibly, and
changing anything else does not. Building and checking the signed envelope is `credential.endorsement`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from guildmark.core.codecs import jcs
from guildmark.core.errors import BrokenInput
from guildmark.core.memo import by_identity
from guildmark.core.report import Finding, Report, Verdict
from guildmark.design.blueprint import Blueprint

Scope = str | tuple[str, ...]
"""`"whole"`, or the ids of the outcomes that the partner speaks about."""


@dataclass(frozen=True, slots=True)
class Endorsed:
    """An endorsement whose signature somebody has verified, as a value."""

    partner_id: str
    partner_name: str
    scope: Scope
    digest: str
    at: datetime
    credential_id: str
    claim: str


def map_document(blueprint: Blueprint, scope: Scope = "whole") -> dict[str, Any]:
    """The map in scope as plain JSON values: the bytes that are published are its JCS form, and those are signed.

    In scope are the named outcomes, the edges that lead to them, the tasks and assessments at the ends of those edges,
    of each assessment the criteria for these outcomes, and its weight. Order in the blueprint means nothing: everything
    is ordered by id. BrokenInput for an outcome that the blueprint does not have.
    """
    wanted = {o.id for o in blueprint.outcomes} if scope == "whole" else _named(blueprint, scope)
    edges = sorted(
        ((e.task, e.outcome, e.assessment) for e in blueprint.task_map if e.outcome in wanted),
    )
    tasks = {t.id for t in blueprint.tasks} if scope == "whole" else {task for task, _, _ in edges}
    assessments = [a for a in blueprint.assessments if wanted.intersection(a.outcomes)]
    value = blueprint.to_json()
    return {
        "blueprint": blueprint.id,
        "scope": "whole" if scope == "whole" else sorted(wanted),
        "tasks": _by_id(t for t in value["tasks"] if t["id"] in tasks),
        "outcomes": _by_id(
            {**o, "alignments": sorted(o["alignments"], key=lambda a: (a["framework"], a["uri"], jcs(a)))}
            for o in value["outcomes"]
            if o["id"] in wanted
        ),
        "assessments": _by_id(
            {
                **{k: v for k, v in a.items() if k != "criteria"},
                "outcomes": sorted(wanted.intersection(a["outcomes"])),
                "criteria": _by_id(c for c in a["criteria"] if c["outcome"] in wanted),
            }
            for a in value["assessments"]
            if a["id"] in {found.id for found in assessments}
        ),
        "edges": [list(e) for e in dict.fromkeys(edges)],
    }


def map_digest(blueprint: Blueprint, scope: Scope = "whole") -> str:
    """SHA-256 (hex) of the JCS form of `map_document`: what a partner signs."""
    if scope == "whole":
        return _whole_digest(blueprint)
    return hashlib.sha256(jcs(map_document(blueprint, scope))).hexdigest()


@by_identity(16)
def _whole_digest(blueprint: Blueprint) -> str:
    return hashlib.sha256(jcs(map_document(blueprint, "whole"))).hexdigest()


def map_changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[str, ...]:
    """What differs between two maps, each difference as a sentence: what came, what went, what now reads otherwise.

    Both are values of `map_document`. No sentence means that they are the same map.
    """
    said: list[str] = []
    for kind, members in (("task", "tasks"), ("outcome", "outcomes"), ("assessment", "assessments")):
        before = {str(item["id"]): item for item in old[members]}
        after = {str(item["id"]): item for item in new[members]}
        said += [f"The {kind} {id} is gone: “{_says(before[id])}”." for id in before if id not in after]
        said += [f"The {kind} {id} is new: “{_says(after[id])}”." for id in after if id not in before]
        for id in (id for id in before if id in after):
            said += _member_changes(f"the {kind} {id}", before[id], after[id])
    edges = [[tuple(edge) for edge in one["edges"]] for one in (old, new)]
    for verb, lines in (
        ("is gone", [e for e in edges[0] if e not in edges[1]]),
        ("is new", [e for e in edges[1] if e not in edges[0]]),
    ):
        said += [f"The line from task {t} to outcome {o} to assessment {a} {verb}." for t, o, a in lines]
    return tuple(said)


def _says(item: Mapping[str, Any]) -> str:
    return str(item.get("statement") or item.get("title") or item["id"])


def _member_changes(name: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    said = []
    for key in sorted(before.keys() | after.keys()):
        was, now = before.get(key), after.get(key)
        if was == now:
            continue
        if isinstance(was, str | int | float) and isinstance(now, str | int | float):
            said.append(f"In {name}, {key} was “{was}” and is “{now}”.")
        else:
            said.append(f"In {name}, the {key} changed.")
    return said


def endorsement_findings(blueprint: Blueprint, endorsed: Iterable[Endorsed]) -> Report:
    """One finding for each endorsement: it stands for the present map, or it is void because the map changed.

    A void one that its partner has replaced by signing again does not apply any more.
    """
    listed = tuple(endorsed)
    standing = [e for e in listed if stands(blueprint, e)]
    findings = [_finding(blueprint, e, standing) for e in listed]
    return Report(f"Endorsements of {blueprint.title}", tuple(findings))


def stands(blueprint: Blueprint, endorsed: Endorsed) -> bool:
    """Whether the map in the scope of the endorsement is still what was signed."""
    try:
        return map_digest(blueprint, endorsed.scope) == endorsed.digest
    except BrokenInput:  # an outcome in scope is gone
        return False


def endorsed_outcomes(blueprint: Blueprint, endorsed: Iterable[Endorsed]) -> set[str]:
    """The outcomes that an endorsement which stands speaks about; what a provider says of itself does not count."""
    found: set[str] = set()
    for e in endorsed:
        if e.partner_id != blueprint.provider_id and stands(blueprint, e):
            found |= {o.id for o in blueprint.outcomes} if e.scope == "whole" else set(e.scope)
    return found


def _finding(blueprint: Blueprint, endorsed: Endorsed, standing: Sequence[Endorsed]) -> Finding:
    whole = isinstance(endorsed.scope, str)
    what = "the whole map" if whole else f"the map of {', '.join(endorsed.scope)}"
    signed = f"{endorsed.partner_name} signed {what} on {endorsed.at.date()}"
    because: dict[str, Any] = {
        "signed": endorsed.digest,
        "scope": endorsed.scope if whole else list(endorsed.scope),
        "credential": endorsed.credential_id,
    }
    try:
        because["present"] = map_digest(blueprint, endorsed.scope)
        change = "the map changed since"
    except BrokenInput as problem:
        change = problem.what
    if endorsed in standing:
        verdict, says = Verdict.PASS, f"{signed}, and it is unchanged: “{endorsed.claim}”"
    elif again := [e for e in standing if e.partner_id == endorsed.partner_id and e.at >= endorsed.at]:
        verdict = Verdict.NOT_APPLICABLE
        says = f"{signed}; {change}, and the partner signed again on {again[-1].at.date()}."
    else:
        verdict, says = Verdict.FAIL, f"Void: {signed}, and {change}; ask again."
    return Finding(
        f"endorsement.{endorsed.partner_id}",
        verdict,
        says,
        because=because,
        source="Open Badges 3.0, EndorsementCredential; guildmark map digest",
    )


def _named(blueprint: Blueprint, scope: Scope) -> set[str]:
    if isinstance(scope, str) or not scope:
        raise BrokenInput(f"scope {scope!r} is not known", where=blueprint.title, hint='use "whole" or ids of outcomes')
    known = {o.id for o in blueprint.outcomes}
    for outcome in scope:
        if outcome not in known:
            raise BrokenInput(
                f"there is no outcome {outcome!r}", where=blueprint.title, hint="name outcomes by their id"
            )
    return set(scope)


def _by_id(items: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return sorted((dict(item) for item in items), key=lambda item: str(item["id"]))
