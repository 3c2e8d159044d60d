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
from guildmark.credential.resolve import FoundKey
from guildmark.credential.signed import World, dates, issuer_id, key_bound_finding, signature_finding

MOST = 256
"""Dates and keys that are remembered for one shape."""


@dataclass(slots=True)
class _Lane:
    """What `verify` said about a document of a shape, as far as it is the same for all of them."""

    context: Finding
    lossless: Finding
    dates: dict[tuple[Any, ...], Finding] = field(default_factory=dict)
    told: dict[tuple[Any, ...], tuple[Finding, Finding]] = field(default_factory=dict)
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
    found = _key_that_signed(document, proof, fit, lane, world)
    if found is None:
        return None
    signature, bound = _about(document, proof, found, lane, world)
    return (
        known_structure(document, fit, any_kind=world.any_kind, ordinary=True),
        lane.context,
        lane.lossless,
        signature,
        bound,
        *status_findings(document, world),
        _dates(document, lane, world.now),
    )


def _key_that_signed(
    document: Mapping[str, Any], proof: Mapping[str, str], fit: Fit, lane: _Lane, world: World
) -> FoundKey | None:
    """The issuer's key, if its signature over the document holds; None if it does not, or not plainly."""
    method, created, value = proof["verificationMethod"], proof["created"], proof["proofValue"]
    if proof["cryptosuite"] != "eddsa-rdfc-2022" or proof["proofPurpose"] != "assertionMethod" or value[:1] != "z":
        return None
    issuer = issuer_id(document)
    found = world.key(method, issuer)
    key = found.key
    if key is None or key.algorithm != "Ed25519" or found.vouched is not Verdict.PASS or found.controller != issuer:
        return None
    start = lane.options.get((method, created))
    try:
        if start is None:
            parse_iso(created)
            options = {name: text for name, text in proof.items() if name != "proofValue"}
            known = shapes_under(world.sets[0]).fit({**options, "@context": document["@context"]})
            if known is None:
                return None
            start = _kept(lane.options, (method, created), known.sha256)
        signature = base58_decode(value[1:])
    except BrokenInput:
        return None
    return found if signature_holds(key, start + fit.sha256, signature) else None


def _about(
    document: Mapping[str, Any], proof: Mapping[str, str], found: FoundKey, lane: _Lane, world: World
) -> tuple[Finding, Finding]:
    """What `verify` says of a signature that holds, and of a key that is the issuer's."""
    method, created = proof["verificationMethod"], proof["created"]
    issuer = document["issuer"]
    name = issuer.get("name") if type(issuer) is dict else None
    asked = (method, created, found.controller, name if type(name) is str else "")
    told = lane.told.get(asked)
    if told is None:
        suite, contexts = "eddsa-rdfc-2022", world.sets[0].name
        check = ProofCheck(Verdict.PASS, HOLDS["rdfc"], suite, method, created, found, (), contexts)
        told = signature_finding(check, 1), key_bound_finding(check, document)
        if name is None or type(name) is str:
            _kept(lane.told, asked, told)
    return told


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
