"""The fast lane of verification: a credential of a known shape with one ordinary signature that holds.

Nothing is decided here that `verify` would decide otherwise. What it said about a document of this shape is
remembered where it depends on the shape alone (its contexts, that nothing is lost, that nothing lies inside it); the
questions that depend on its values are asked again, by the same functions. Whatever is not plain - a signature
that does not hold, a key that nobody vouches for, an odd proof - leaves the lane and is told by `verify`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from guildmark.core.codecs import base58_decode, parse_iso
from guildmark.core.errors import BrokenInput
from guildmark.core.report import Finding, Verdict
from guildmark.credential.keys import signature_holds
from guildmark.credential.known_shapes import Fit, shapes_under
from guildmark.credential.known_structure import is_ordinary, known_structure
from guildmark.credential.proof import HOLDS, ProofCheck
from guildmark.credential.read_status import status_findings
from guildmark.credential.signed import World, dates, issuer_id, key_bound_finding, signature_finding

MOST = 256
"""Dates and keys that are remembered for one shape."""


@dataclass(slots=True)
class _Lane:
    """What `verify` said about a document of a shape, as far as it is the same for all of them."""

    context: Finding
    lossless: Finding
    dates: dict[tuple[Any, ...], Finding] = field(default_factory=dict)
    bound: dict[tuple[Any, ...], Finding] = field(default_factory=dict)
    options: dict[tuple[Any, ...], bytes] = field(default_factory=dict)


def remember(fit: Fit, context: Finding, lossless: Finding) -> None:
    """Tells that `verify` found a document of this shape signed under the current contexts, with nothing inside it to
    verify and nothing that it links to.
    """
    if context.verdict is Verdict.PASS and lossless.verdict is Verdict.PASS:
        fit.known.memory.setdefault("lane", _Lane(context, lossless))


def quick_findings(document: Mapping[str, Any], fit: Fit, world: World) -> tuple[Finding, ...] | None:
    """The findings of `verify` about a document, in their order; None if it has to be looked at there."""
    lane = fit.known.memory.get("lane")
    proof = document.get("proof")
    if lane is None or proof is None or not is_ordinary(proof):
        return None
    assert isinstance(lane, _Lane)
    check = _check(document, proof, fit, lane, world)
    if check is None:
        return None
    return (
        known_structure(document, fit, any_kind=world.any_kind),
        lane.context,
        lane.lossless,
        signature_finding(check, 1),
        _bound(document, check, lane),
        *status_findings(document, world),
        _dates(document, lane, world.now),
    )


def _check(
    document: Mapping[str, Any], proof: Mapping[str, str], fit: Fit, lane: _Lane, world: World
) -> ProofCheck | None:
    """What `check_proofs` says of a proof that holds; None if it is not one, or not plainly."""
    method, created, value = proof["verificationMethod"], proof["created"], proof["proofValue"]
    if proof["cryptosuite"] != "eddsa-rdfc-2022" or proof["proofPurpose"] != "assertionMethod" or value[:1] != "z":
        return None
    issuer = issuer_id(document)
    found = world.key(method, issuer)
    key = found.key
    if key is None or key.algorithm != "Ed25519" or found.vouched is not Verdict.PASS or found.controller != issuer:
        return None
    known = (method, created)
    start = lane.options.get(known)
    try:
        if start is None:
            parse_iso(created)
            options = {name: text for name, text in proof.items() if name != "proofValue"}
            found_options = shapes_under(world.sets[0]).fit({**options, "@context": document["@context"]})
            if found_options is None:
                return None
            start = _kept(lane.options, known, found_options.sha256)
        signature = base58_decode(value[1:])
    except BrokenInput:
        return None
    if not signature_holds(key, start + fit.sha256, signature):
        return None
    return ProofCheck(Verdict.PASS, HOLDS["rdfc"], "eddsa-rdfc-2022", method, created, found, (), world.sets[0].name)


def _bound(document: Mapping[str, Any], check: ProofCheck, lane: _Lane) -> Finding:
    issuer = document["issuer"]
    name = issuer.get("name") if type(issuer) is dict else None
    if type(name) is not str:
        return key_bound_finding(check, document)
    asked = (check.method, check.found.controller if check.found else "", name)
    return lane.bound.get(asked) or _kept(lane.bound, asked, key_bound_finding(check, document))


def _dates(document: Mapping[str, Any], lane: _Lane, now: datetime) -> Finding:
    asked = (now, *[document.get(n) for n in ("validFrom", "validUntil", "issuanceDate", "expirationDate")])
    try:
        return lane.dates.get(asked) or _kept(lane.dates, asked, dates(document, now))
    except TypeError:  # no dates at all, but lists or objects
        return dates(document, now)


_T = TypeVar("_T")


def _kept(memory: dict[tuple[Any, ...], _T], key: tuple[Any, ...], value: _T) -> _T:
    if len(memory) >= MOST:
        memory.clear()
    memory[key] = value
    return value
