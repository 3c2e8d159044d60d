"""Data Integrity proofs: `eddsa-rdfc-2022` is made, it and its relatives are checked.

The signed bytes are the hash of the proof's own options followed by the hash of the document without proofs
(vc-di-eddsa sections 3.2 and 3.3, vc-di-ecdsa section 3.2). For `rdfc` suites both are hashed as canonical
RDF, for `jcs` suites as canonical JSON.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from guildmark.core.codecs import iso, jcs, multibase_decode, multibase_encode, parse_iso
from guildmark.core.doors import Signer
from guildmark.core.errors import BrokenInput
from guildmark.core.report import Verdict
from guildmark.credential.jsonld import ContextSet, UnreadableJsonLd, context_sets, to_dataset
from guildmark.credential.keys import signature_holds
from guildmark.credential.rdfc import TooMuchWork, canonicalize
from guildmark.credential.resolve import FoundKey

FindKey = Callable[[str], FoundKey]
"""Finds the key of a verification method: `resolve.find_key` with its world filled in."""

ED25519_2020 = "https://w3id.org/security/suites/ed25519-2020/v1"

_Hashes = dict[tuple[str, str, str], tuple[bytes, tuple[str, ...]] | BrokenInput]
"""(form, digest, context set) -> the document's hash and what it does not cover, or why it has none."""

MOST_PROOFS = 8
"""Proofs that are looked at in one document; each costs a signature check and perhaps a fetch."""


@dataclass(frozen=True, slots=True)
class _Suite:
    """How a suite hashes, and the kinds of key it takes."""

    form: str  # rdfc or jcs
    algorithms: tuple[str, ...]


_SUITES = {
    "eddsa-rdfc-2022": _Suite("rdfc", ("Ed25519",)),
    "eddsa-2022": _Suite("rdfc", ("Ed25519",)),  # the name of eddsa-rdfc-2022 before 2023, still seen in badges
    "eddsa-jcs-2022": _Suite("jcs", ("Ed25519",)),
    "ecdsa-rdfc-2019": _Suite("rdfc", ("P-256", "P-384")),
    "ecdsa-jcs-2019": _Suite("jcs", ("P-256", "P-384")),
    "Ed25519Signature2020": _Suite("rdfc", ("Ed25519",)),  # a proof type of its own, before Data Integrity had suites
}


def sign_document(
    document: Mapping[str, Any],
    signer: Signer,
    *,
    created: datetime,
    purpose: str = "assertionMethod",
    contexts: ContextSet | None = None,
) -> dict[str, Any]:
    """The document with an `eddsa-rdfc-2022` proof by `signer`, made at `created`; the same input gives the
    same bytes.

    BrokenInput, naming it, for anything in the document that the signature would not cover (an undefined
    term, a relative URL, null), for control characters that verifiers read differently, and for a document
    signed already.
    """
    where = str(document.get("id", "document"))
    if "proof" in document:
        raise BrokenInput("is signed already", where=where, hint="sign the document without its proof")
    if signer.algorithm != "Ed25519":
        raise BrokenInput(f"a key of kind {signer.algorithm} cannot make this signature", where=signer.key_id)
    for text in _texts(document):
        if _UNSAFE.search(text):
            raise BrokenInput(f"{text[:40]!r} contains a control character", where=where, hint="take it out")
    options: dict[str, Any] = {
        "type": "DataIntegrityProof",
        "cryptosuite": "eddsa-rdfc-2022",
        "created": iso(created),
        "verificationMethod": signer.key_id,
        "proofPurpose": purpose,
    }
    chosen = contexts or context_sets()[0]
    losses: list[str] = []
    message = _hash_data(document, options, "rdfc", "sha256", chosen, losses)
    if losses:
        raise BrokenInput(
            f"cannot be signed whole: {losses[0]}",
            where=where,
            hint="a signature would not cover it, so anybody could change it",
        )
    return {**document, "proof": {**options, "proofValue": multibase_encode(signer.sign(message))}}


_UNSAFE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")
"""PyLD and rdf-canonize write these differently from RDFC-1.0, so a signature over them holds in some
verifiers only.
"""


def _texts(value: Any) -> Iterator[str]:
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, Mapping):
            waiting.extend(item.values())
        elif isinstance(item, (list, tuple)):
            waiting.extend(item)
        elif isinstance(item, str):
            yield item


@dataclass(frozen=True, slots=True)
class ProofCheck:
    """What one proof showed.

    `verdict` is about the signature alone; `found` is the key it was checked with, and whether its owner
    vouches for it. `losses` are what a signature does not cover (None if nobody looked), `contexts` the set of
    contexts under which it held.
    """

    verdict: Verdict
    says: str
    suite: str = ""
    method: str = ""
    created: str = ""
    found: FoundKey | None = None
    losses: tuple[str, ...] | None = None
    contexts: str = ""


def check_proofs(
    document: Mapping[str, Any],
    find: FindKey,
    *,
    now: datetime,
    purpose: str = "assertionMethod",
    sets: tuple[ContextSet, ...] | None = None,
) -> tuple[ProofCheck, ...]:
    """Each proof of the document, in order; empty if it has none. Never raises on what a document may
    contain.
    """
    proofs = document.get("proof")
    listed = proofs if isinstance(proofs, list) else [] if proofs is None else [proofs]
    bare = {key: value for key, value in document.items() if key != "proof"}
    hashes: _Hashes = {}
    return tuple(
        _check(bare, proof, find, now, purpose, sets or context_sets(), hashes) for proof in listed[:MOST_PROOFS]
    )


def _check(
    bare: Mapping[str, Any],
    proof: Any,
    find: FindKey,
    now: datetime,
    purpose: str,
    sets: tuple[ContextSet, ...],
    hashes: _Hashes,
) -> ProofCheck:
    if not isinstance(proof, Mapping):
        return ProofCheck(Verdict.FAIL, "The proof is not an object.")
    kind = proof.get("type")
    name = proof.get("cryptosuite") if kind == "DataIntegrityProof" else kind
    method, created = proof.get("verificationMethod"), proof.get("created", "")
    suite = _SUITES.get(name) if isinstance(name, str) else None
    if suite is None:
        return ProofCheck(Verdict.UNKNOWN, f"The kind of signature “{str(name)[:60]}” cannot be checked here.")
    if "previousProof" in proof:
        return ProofCheck(Verdict.UNKNOWN, "The proof builds on another proof; such chains cannot be checked here.")
    wrong = _wrong_options(proof, method, now, purpose)
    if wrong:
        return ProofCheck(Verdict.FAIL, wrong, suite=str(name), method=str(method)[:300])
    assert isinstance(method, str)
    found = find(method)

    def answer(verdict: Verdict, says: str, losses: tuple[str, ...] | None = None, contexts: str = "") -> ProofCheck:
        return ProofCheck(verdict, says, str(name), method, str(created), found, losses, contexts)

    if found.key is None:
        return answer(
            Verdict.UNKNOWN,
            f"The signature was not checked, since there is no key to check it with. {found.says}",
        )
    if found.key.algorithm not in suite.algorithms:
        return answer(Verdict.FAIL, f"The signature claims to be {name}, but its key is of kind {found.key.algorithm}.")
    try:
        signature = _signature(proof)
    except BrokenInput as problem:
        return answer(Verdict.FAIL, f"The signature is not written as one ({problem.what}).")
    digest = "sha384" if found.key.algorithm == "P-384" else "sha256"
    options = {key: value for key, value in proof.items() if key != "proofValue"}
    lost: tuple[str, ...] | None = None
    for contexts in sets:
        losses: list[str] = []
        try:
            message = _hash_data(bare, options, suite.form, digest, contexts, losses, hashes)
        except (UnreadableJsonLd, TooMuchWork) as problem:
            return answer(Verdict.UNKNOWN, f"The signature was not checked: the document {_sentence(problem)}")
        except BrokenInput as problem:
            return answer(Verdict.FAIL, f"The signature cannot hold: {problem}")
        if signature_holds(found.key, message, signature):
            says = "Nothing was changed since it was signed."
            return answer(Verdict.PASS, says, tuple(losses), contexts.name)
        if lost is None and suite.form == "rdfc":
            lost = tuple(losses)
    return answer(Verdict.FAIL, "The signature does not hold: something was changed, or another key signed it.", lost)


def _sentence(problem: BrokenInput) -> str:
    return f"{problem.what}." if problem.what.startswith(("has", "is")) else f"cannot be read, {problem.what}."


def _wrong_options(proof: Mapping[str, Any], method: Any, now: datetime, purpose: str) -> str:
    """What is wrong with a proof before any key is looked up, in words; empty if nothing."""
    if not isinstance(method, str) or not re.match(r"(did|https?|urn):", method):
        return "The proof does not say by which key it was made, or not as an absolute URL."
    if proof.get("proofPurpose") != purpose:
        given = str(proof.get("proofPurpose"))[:60]
        return f"The signature was made for another purpose: “{given}”, not “{purpose}”."
    for member in ("created", "expires"):
        if member in proof:
            try:
                moment = parse_iso(proof[member])
            except BrokenInput:
                return f"The proof's “{member}” is not a date with a time zone."
            if member == "expires" and moment < now:
                return f"The signature itself ran out on {iso(moment)[:10]}."
    return ""


def _signature(proof: Mapping[str, Any]) -> bytes:
    value = proof.get("proofValue")
    if not isinstance(value, str) or not value.startswith("z"):
        raise BrokenInput("proofValue does not start with z")
    return multibase_decode(value)


def _hash_data(
    bare: Mapping[str, Any],
    options: Mapping[str, Any],
    form: str,
    digest: str,
    contexts: ContextSet,
    losses: list[str],
    hashes: _Hashes | None = None,
) -> bytes:
    """The bytes that are signed; what they do not cover is added to `losses`. `hashes` remembers the
    document's part, which is the same for each of its proofs.
    """

    def hashed(value: Mapping[str, Any]) -> bytes:
        if form == "jcs":
            data = jcs(value)
        else:
            dataset = to_dataset(value, contexts)
            losses.extend(dataset.losses)
            data = canonicalize(dataset.quads, algorithm=digest).encode("utf-8")
        return hashlib.new(digest, data).digest()

    def document() -> bytes:
        known = {} if hashes is None else hashes
        key = (form, digest, contexts.name)
        if key not in known:
            start = len(losses)
            try:
                known[key] = hashed(bare), tuple(losses[start:])
            except BrokenInput as problem:
                known[key] = problem
            del losses[start:]
        found = known[key]
        if isinstance(found, BrokenInput):
            raise found
        losses.extend(found[1])
        return found[0]

    if form == "jcs":
        # The proof carries its own @context, and the document's must begin with it (vc-di-eddsa section
        # 3.3.2).
        if "@context" in options and not _begins_with(bare.get("@context"), options["@context"]):
            raise BrokenInput("its contexts are not those that were signed")
        return hashed(options) + document()
    # Ed25519Signature2020 defines its terms in a context of its own; other suites use the document's.
    context = ED25519_2020 if options.get("type") == "Ed25519Signature2020" else bare.get("@context")
    return hashed({**options, "@context": context}) + document()


def _begins_with(contexts: Any, first: Any) -> bool:
    def listed(value: Any) -> list[str]:
        return [json.dumps(entry, sort_keys=True) for entry in (value if isinstance(value, list) else [value])]

    return listed(contexts)[: len(listed(first))] == listed(first)
