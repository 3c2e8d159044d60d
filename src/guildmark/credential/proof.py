"""Data Integrity proofs: made with five cryptosuites, checked with eight, alone, in sets and in chains.

The signed bytes are the hash of the proof's own options followed by the hash of the document without proofs
(vc-di-eddsa sections 3.2 and 3.3, vc-di-ecdsa sections 3.2 and 3.3). For `rdfc` suites both are hashed as
canonical RDF, for `jcs` suites as canonical JSON. `ecdsa-sd-2023` signs each statement: `proof_sd.py` says how.

Several proofs are a set: each stands for itself. A proof that names others as its `previousProof` builds a chain: it
signs the document with those proofs in it, and holds only if they do (Data Integrity 1.0 sections 2.1.2, 4.3 and
4.5).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import Any, TypeVar

import orjson

from guildmark.core.codecs import iso, jcs, multibase_decode, multibase_encode, parse_iso, parse_json
from guildmark.core.doors import Signer
from guildmark.core.errors import BrokenInput
from guildmark.core.report import Verdict
from guildmark.credential import proof_sd
from guildmark.credential.jsonld import ContextSet, Dataset, UnreadableJsonLd, context_sets, to_dataset
from guildmark.credential.keys import signature_holds
from guildmark.credential.known_shapes import Fit, shapes_under
from guildmark.credential.rdfc import TooMuchWork, canonicalize
from guildmark.credential.resolve import FoundKey
from guildmark.credential.shape import UNSAFE

FindKey = Callable[[str], FoundKey]
"""Finds the key of a verification method: `resolve.find_key` with its world filled in."""

ED25519_2020 = "https://w3id.org/security/suites/ed25519-2020/v1"

MOST_PROOFS = 8
"""Proofs that are looked at in one document; each costs a signature check and perhaps a fetch."""


@dataclass(frozen=True, slots=True)
class _Suite:
    """How a suite hashes, and the kinds of key it takes."""

    form: str  # rdfc, jcs or sd
    algorithms: tuple[str, ...]


_SUITES = {
    "eddsa-rdfc-2022": _Suite("rdfc", ("Ed25519",)),
    "eddsa-2022": _Suite("rdfc", ("Ed25519",)),  # the name of eddsa-rdfc-2022 before 2023, still seen in badges
    "eddsa-jcs-2022": _Suite("jcs", ("Ed25519",)),
    "ecdsa-rdfc-2019": _Suite("rdfc", ("P-256", "P-384")),
    "ecdsa-jcs-2019": _Suite("jcs", ("P-256", "P-384")),
    "ecdsa-sd-2023": _Suite("sd", ("P-256",)),
    "Ed25519Signature2020": _Suite("rdfc", ("Ed25519",)),  # a proof type of its own, before Data Integrity had suites
}

SIGNING_SUITES = ("eddsa-rdfc-2022", "eddsa-jcs-2022", "ecdsa-rdfc-2019", "ecdsa-jcs-2019")
"""The cryptosuites of `sign_document` and `add_proof`; `disclosure.sign_selectively` makes ecdsa-sd-2023."""


def _digest_of(algorithm: str) -> str:
    """The hash that goes with a kind of key (vc-di-ecdsa section 3)."""
    return "sha384" if algorithm == "P-384" else "sha256"


# --- Making ---------------------------------------------------------------------------------------------


def sign_document(
    document: Mapping[str, Any],
    signer: Signer,
    *,
    created: datetime,
    cryptosuite: str = "eddsa-rdfc-2022",
    purpose: str = "assertionMethod",
    expires: datetime | None = None,
    domain: str | Sequence[str] = "",
    challenge: str = "",
    id: str = "",
    contexts: ContextSet | None = None,
) -> dict[str, Any]:
    """The document with a proof by `signer`, made at `created`; the same input gives the same bytes, if the signer
    is a deterministic one.

    `cryptosuite` is one of SIGNING_SUITES: `eddsa-` with an Ed25519 key, `ecdsa-` with P-256 or P-384. `domain` and
    `challenge` say to whom and in answer to what (a presentation has the purpose `authentication`); `id` is an
    absolute URL by which a later proof can name this one.

    BrokenInput, naming it, for anything in the document that an `rdfc` signature would not cover (an undefined
    term, a relative URL, null), whichever the suite, since a reader of JSON-LD would not see it; for control
    characters that verifiers read differently; and for a document signed already.
    """
    if "proof" in document:
        raise BrokenInput("is signed already", where=_where(document), hint="sign the document without its proof")
    options = proof_options(
        signer, cryptosuite, created, purpose, expires=expires, domain=domain, challenge=challenge, id=id
    )
    return {**document, "proof": _made(document, options, signer, contexts or context_sets()[0])}


def sign_to_bytes(
    document: Mapping[str, Any], signer: Signer, *, created: datetime, contexts: ContextSet | None = None
) -> bytes:
    """`sign_document` with `eddsa-rdfc-2022`, as canonical JSON (RFC 8785): `jcs` of what that gives, and its errors.

    Of a shape that is known, some 50 microseconds with a key in memory.
    """
    known = contexts or context_sets()[0]
    fit = shapes_under(known).fit(document) if "proof" not in document and signer.algorithm == "Ed25519" else None
    if fit is None or not fit.known.memory.get("signed"):
        signed = sign_document(document, signer, created=created, contexts=known)
        if fit is not None:
            # So there is no control character in its constants; values with one do not fit.
            fit.known.memory["signed"] = True
        return jcs(signed)
    options = proof_options(signer, "eddsa-rdfc-2022", created, "assertionMethod")
    starts: dict[tuple[str, str], bytes] = fit.known.memory.setdefault("starts", {})
    key = options["verificationMethod"], options["created"]
    start = starts.get(key)
    if start is None:
        refuse_control_characters({}, options)
        start, losses = canonical_hash_of_options(options, document, known)
        refuse_losses(document, [losses])
        if len(starts) >= 256:
            starts.clear()
        starts[key] = start
    proof = {**options, "proofValue": multibase_encode(signer.sign(start + fit.sha256))}
    return jcs({**document, "proof": proof})


def add_proof(
    document: Mapping[str, Any],
    signer: Signer,
    *,
    created: datetime,
    previous: str | Sequence[str] = (),
    cryptosuite: str = "eddsa-rdfc-2022",
    purpose: str = "assertionMethod",
    expires: datetime | None = None,
    domain: str | Sequence[str] = "",
    challenge: str = "",
    id: str = "",
    contexts: ContextSet | None = None,
) -> dict[str, Any]:
    """The signed document with one more proof by `signer`, after the others (Data Integrity 1.0 section 4.3).

    `previous` are the ids of proofs in it on which this one builds: it signs them too, and holds only if they do.
    They are not checked here. Without it the new proof stands beside the others, as one of a set. The rest is as for
    `sign_document`.

    BrokenInput as there, and for a document without a proof, with MOST_PROOFS already, a previous proof that is not
    in it, and an id that another proof has.
    """
    where = _where(document)
    proofs = document.get("proof")
    there = list(proofs) if isinstance(proofs, list) else [] if proofs is None else [proofs]
    if not there:
        raise BrokenInput("has no proof yet", where=where, hint="sign_document makes the first")
    if len(there) >= MOST_PROOFS:
        raise BrokenInput(f"has {len(there)} proofs already", where=where, hint="verifiers look at so many and no more")
    if not all(isinstance(proof, Mapping) for proof in there):
        raise BrokenInput("has a proof that is not an object", where=where)
    if id and any(proof.get("id") == id for proof in there):
        raise BrokenInput(f"has a proof {id} already", where=where, hint="each proof has an id of its own")
    wanted = [previous] if isinstance(previous, str) else list(previous)
    for name in wanted:
        if sum(proof.get("id") == name for proof in there) != 1:
            raise BrokenInput(f"does not have one proof with the id {name!r}", where=where)
    options = proof_options(
        signer, cryptosuite, created, purpose, expires=expires, domain=domain, challenge=challenge, id=id
    )
    bare: dict[str, Any] = {key: value for key, value in document.items() if key != "proof"}
    if wanted:
        options["previousProof"] = wanted[0] if len(wanted) == 1 else wanted
        bare["proof"] = [proof for proof in there if proof.get("id") in wanted]
    made = _made(bare, options, signer, contexts or context_sets()[0])
    return {**document, "proof": [*there, made]}


def _where(document: Mapping[str, Any]) -> str:
    return str(document.get("id", "document"))


def proof_options(
    signer: Signer,
    cryptosuite: str,
    created: datetime,
    purpose: str,
    *,
    expires: datetime | None = None,
    domain: str | Sequence[str] = "",
    challenge: str = "",
    id: str = "",
) -> dict[str, Any]:
    """A proof by `signer` as far as it can be written before it is signed. BrokenInput if the suite takes no such
    key.
    """
    suite = _SUITES.get(cryptosuite)
    if suite is None or (cryptosuite not in SIGNING_SUITES and suite.form != "sd"):
        raise BrokenInput(
            f"signatures of kind {cryptosuite!r} are not made", hint=f"known: {', '.join(SIGNING_SUITES)}"
        )
    if signer.algorithm not in suite.algorithms:
        raise BrokenInput(
            f"a key of kind {signer.algorithm} cannot make this signature",
            where=signer.key_id,
            hint=f"{cryptosuite} takes {' or '.join(suite.algorithms)}",
        )
    options: dict[str, Any] = {"id": id} if id else {}
    options |= {"type": "DataIntegrityProof", "cryptosuite": cryptosuite, "created": iso(created)}
    if expires is not None:
        options["expires"] = iso(expires)
    options |= {"verificationMethod": signer.key_id, "proofPurpose": purpose}
    if domain:
        options["domain"] = domain if isinstance(domain, str) else list(domain)
    if challenge:
        options["challenge"] = challenge
    return options


def _made(
    document: Mapping[str, Any], options: Mapping[str, Any], signer: Signer, contexts: ContextSet
) -> dict[str, Any]:
    """The proof over a document, which has those in it that come before, if any."""
    refuse_control_characters(document, options)
    form, digest = _SUITES[options["cryptosuite"]].form, _digest_of(signer.algorithm)
    if form == "jcs":
        refuse_losses(
            document, (to_dataset(document, contexts).losses, _options_data(options, document, contexts).losses)
        )
        options = {"@context": document.get("@context"), **options}
        hashed = _hash_data(options, form, digest, contexts)[0] + _hash_data(document, form, digest, contexts)[0]
    else:
        parts = (
            _hash_data(_with_context(options, document), form, digest, contexts),
            _hash_data(document, form, digest, contexts),
        )
        refuse_losses(document, [losses for _, losses in parts])
        hashed = b"".join(data for data, _ in parts)
    return {**options, "proofValue": multibase_encode(signer.sign(hashed))}


def refuse_losses(document: Mapping[str, Any], losses: Collection[Sequence[str]]) -> None:
    """BrokenInput naming the first thing that a signature would not cover."""
    first = next((row[0] for row in losses if row), "")
    if first:
        raise BrokenInput(
            f"cannot be signed whole: {first}",
            where=_where(document),
            hint="a signature would not cover it, so anybody could change it",
        )


def refuse_control_characters(document: Mapping[str, Any], options: Mapping[str, Any]) -> None:
    """BrokenInput for characters that verifiers read differently."""
    for text in _texts([document, options]):
        if UNSAFE.search(text):
            raise BrokenInput(f"{text[:40]!r} contains a control character", where=_where(document), hint="take it out")


def _texts(value: Any) -> Iterator[str]:
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, Mapping):
            waiting.extend(item.keys())
            waiting.extend(item.values())
        elif isinstance(item, (list, tuple)):
            waiting.extend(item)
        elif isinstance(item, str):
            yield item


# --- Checking -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ProofCheck:
    """What one proof showed.

    `verdict` is about the signature, and about those it builds on; `found` is the key it was checked with, and
    whether its owner vouches for it. `losses` are what a signature does not cover (None if nobody looked),
    `contexts` the set of contexts under which it held, `previous` the places of the proofs on which it builds.
    """

    verdict: Verdict
    says: str
    suite: str = ""
    method: str = ""
    created: str = ""
    found: FoundKey | None = None
    losses: tuple[str, ...] | None = None
    contexts: str = ""
    previous: tuple[int, ...] = ()


def check_proofs(
    document: Mapping[str, Any],
    find: FindKey,
    *,
    now: datetime,
    purpose: str = "assertionMethod",
    domain: str | Collection[str] | None = None,
    challenge: str | None = None,
    sets: tuple[ContextSet, ...] | None = None,
    fit: Fit | None = None,
) -> tuple[ProofCheck, ...]:
    """Each of the first MOST_PROOFS proofs of the document, in order; empty if it has none. Never raises on what a
    document may contain.

    Each stands for itself, and one that builds on others passes only if they do and somebody vouches for their keys.
    `fit` is what is known already of the document without its proofs, under the first of the `sets`.
    `domain` (one or several) and `challenge`, where given, are what each proof must have been made for (Data
    Integrity 1.0 section 4.4).
    """
    asked = _Asked(now, purpose, domain, challenge)
    proofs = document.get("proof")
    listed = proofs if isinstance(proofs, list) else [] if proofs is None else [proofs]
    subject = _Subject(document, listed, sets or context_sets(), fit)
    return _with_previous([_check(subject, place, find, asked) for place in range(len(subject.proofs))])


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the verifier expects of a proof."""

    now: datetime
    purpose: str
    domain: str | Collection[str] | None
    challenge: str | None


class _Links:
    """Which proof builds on which: the places of the previous ones, or what is wrong, for each."""

    def __init__(self, proofs: Sequence[Any], more: bool) -> None:
        if not any(isinstance(proof, Mapping) and "previousProof" in proof for proof in proofs):
            self.previous: list[tuple[int, ...]] = [()] * len(proofs)
            self.wrong: list[tuple[Verdict, str]] = [(Verdict.PASS, "")] * len(proofs)
            return
        ids: dict[str, list[int]] = {}
        for place, proof in enumerate(proofs):
            if isinstance(proof, Mapping) and isinstance(proof.get("id"), str):
                ids.setdefault(proof["id"], []).append(place)
        self.previous, self.wrong = [], []
        for proof in proofs:
            places, verdict, says = _places(proof, ids, more)
            self.previous.append(places)
            self.wrong.append((verdict, says))
        for place in range(len(proofs)):
            if place in self.behind(place):
                self.wrong[place] = Verdict.FAIL, "The proof builds on itself, by way of others or alone."

    def behind(self, place: int) -> set[int]:
        """All on which a proof builds, directly or not."""
        found: set[int] = set()
        waiting = list(self.previous[place])
        while waiting:
            one = waiting.pop()
            if one not in found:
                found.add(one)
                waiting.extend(self.previous[one])
        return found


def _places(proof: Any, ids: Mapping[str, list[int]], more: bool) -> tuple[tuple[int, ...], Verdict, str]:
    """Where the proofs stand that one names as its previous ones, in the order of the document."""
    if not isinstance(proof, Mapping) or "previousProof" not in proof:
        return (), Verdict.PASS, ""
    names = proof["previousProof"]
    names = names if isinstance(names, list) else [names]
    if not names or not all(isinstance(name, str) for name in names):
        return (), Verdict.FAIL, "The proof builds on others, but does not name them."
    found: set[int] = set()
    for name in names:
        places = ids.get(name, [])
        if len(places) == 1:
            found.add(places[0])
        elif places:
            return (), Verdict.FAIL, f"The proof builds on “{name[:100]}”, and more than one has that name."
        elif more:
            says = (
                f"The proof builds on “{name[:100]}”, which is not one of the first {MOST_PROOFS} that are looked at."
            )
            return (), Verdict.UNKNOWN, says
        else:
            return (), Verdict.FAIL, f"The proof builds on another, “{name[:100]}”, that is missing."
    return tuple(sorted(found)), Verdict.PASS, ""


_Hashed = tuple[bytes, tuple[str, ...]]
"""The hash of a canonical form, and what of the document it does not cover."""


class _Subject:
    """A document whose proofs are checked. What they have in common is worked out once."""

    def __init__(
        self, document: Mapping[str, Any], proofs: list[Any], sets: tuple[ContextSet, ...], fit: Fit | None
    ) -> None:
        self.bare = {key: value for key, value in document.items() if key != "proof"}
        self.proofs = proofs[:MOST_PROOFS]
        self.links = _Links(self.proofs, more=len(proofs) > MOST_PROOFS)
        self.sets = sets
        self._hashes: dict[tuple[Any, ...], _Hashed | BrokenInput] = {}
        if fit is not None:
            self._hashes[(), "rdfc", "sha256", sets[0].name] = fit.sha256, ()
        self._datasets: dict[tuple[Any, ...], Dataset | BrokenInput] = {}

    def signed_by(self, place: int) -> dict[str, Any]:
        """What a proof signs: the document, with those proofs in it that come before."""
        previous = self.links.previous[place]
        return {**self.bare, "proof": [self.proofs[one] for one in previous]} if previous else {**self.bare}

    def hash(self, place: int, form: str, digest: str, contexts: ContextSet) -> _Hashed:
        """The hash of that, whichever proof asks; BrokenInput if there is none."""
        own = self.proofs[place].get("@context", self) if form == "jcs" else self
        if own is self or own == self.bare.get("@context"):
            key = self.links.previous[place], form, digest, contexts.name
            return _once(self._hashes, key, lambda: _hash_data(self.signed_by(place), form, digest, contexts))
        # The proof carries its own @context. The document's must begin with it, and it is what was signed
        # (vc-di-eddsa section 3.3.2): contexts that came later are not covered.
        if not _begins_with(self.bare.get("@context"), own):
            raise BrokenInput("its contexts are not those that were signed")
        data, losses = _hash_data({**self.signed_by(place), "@context": own}, form, digest, contexts)
        later = _listed(self.bare.get("@context"))[len(_listed(own)) :]
        return data, (*losses, *(f"the context “{str(entry)[:100]}” was added later" for entry in later))

    def dataset(self, place: int, contexts: ContextSet) -> Dataset:
        key = self.links.previous[place], contexts.name
        return _once(self._datasets, key, lambda: to_dataset(self.signed_by(place), contexts))


_T = TypeVar("_T")


def _once(known: dict[tuple[Any, ...], _T | BrokenInput], key: tuple[Any, ...], make: Callable[[], _T]) -> _T:
    """What `make` gave or raised the first time."""
    if key not in known:
        try:
            known[key] = make()
        except BrokenInput as problem:
            known[key] = problem
    found = known[key]
    if isinstance(found, BrokenInput):
        raise found
    return found


def _check(subject: _Subject, place: int, find: FindKey, asked: _Asked) -> ProofCheck:
    """One proof, whatever becomes of those it builds on."""
    proof = subject.proofs[place]
    if not isinstance(proof, Mapping):
        return ProofCheck(Verdict.FAIL, "The proof is not an object.")
    kind = proof.get("type")
    name = proof.get("cryptosuite") if kind == "DataIntegrityProof" else kind
    method, created = proof.get("verificationMethod"), proof.get("created", "")
    previous = subject.links.previous[place]
    suite = _SUITES.get(name) if isinstance(name, str) else None
    if suite is None:
        says = f"The kind of signature “{str(name)[:60]}” cannot be checked here."
        return ProofCheck(Verdict.UNKNOWN, says, previous=previous)
    verdict, wrong = subject.links.wrong[place]
    if not wrong:
        verdict, wrong = Verdict.FAIL, _wrong_options(proof, method, asked)
    if wrong:
        return ProofCheck(verdict, wrong, suite=str(name), method=str(method)[:300], previous=previous)
    assert isinstance(method, str)
    found = find(method)

    def answer(verdict: Verdict, says: str, losses: tuple[str, ...] | None = None, contexts: str = "") -> ProofCheck:
        return ProofCheck(verdict, says, str(name), method, str(created), found, losses, contexts, previous)

    if found.key is None:
        return answer(
            Verdict.UNKNOWN,
            f"The signature was not checked, since there is no key to check it with. {found.says}",
        )
    if found.key.algorithm not in suite.algorithms:
        return answer(Verdict.FAIL, f"The signature claims to be {name}, but its key is of kind {found.key.algorithm}.")
    try:
        holds = _reader(suite, proof, subject, place, found)
    except proof_sd.HoldersCopy as problem:
        return answer(Verdict.FAIL, f"The signature was not checked: {problem.what}.")
    except BrokenInput as problem:
        return answer(Verdict.FAIL, f"The signature is not written as one ({problem.what}).")
    lost: tuple[str, ...] | None = None
    fault = ""
    for contexts in subject.sets:
        try:
            fault, losses = holds(contexts)
        except (UnreadableJsonLd, TooMuchWork) as problem:
            return answer(Verdict.UNKNOWN, f"The signature was not checked: the document {_sentence(problem)}")
        except BrokenInput as problem:
            return answer(Verdict.FAIL, f"The signature cannot hold: {problem}")
        if not fault:
            return answer(Verdict.PASS, HOLDS[suite.form], losses, contexts.name)
        if suite.form == "jcs":
            return answer(Verdict.FAIL, f"The signature does not hold: {fault}.")
        lost = losses if lost is None else lost
    return answer(Verdict.FAIL, f"The signature does not hold: {fault}.", lost)


HOLDS = {
    "rdfc": "Nothing was changed since it was signed.",
    "jcs": "Nothing was changed since it was signed.",
    "sd": "What it shows was not changed since it was signed; its holder may have left out other parts.",
}
_CHANGED = "something was changed, or another key signed it"


def _reader(
    suite: _Suite, proof: Mapping[str, Any], subject: _Subject, place: int, found: FoundKey
) -> Callable[[ContextSet], tuple[str, tuple[str, ...]]]:
    """Takes a set of contexts and tells why the proof does not hold under it, "" if it does, and what it does not
    cover. BrokenInput, before any of this, for a signature that is none.
    """
    key = found.key
    assert key is not None
    digest = _digest_of(key.algorithm)
    options = {name: value for name, value in proof.items() if name != "proofValue"}

    def options_hash(contexts: ContextSet) -> _Hashed:
        if suite.form == "jcs":
            try:
                return _hash_of_json(orjson.dumps(options, option=orjson.OPT_STRICT_INTEGER), digest), ()
            except TypeError:
                return _hash_data(options, "jcs", digest, contexts)
        used = _with_context(options, subject.bare)
        data, losses = _hash_data(used, "rdfc", digest, contexts)
        if options.get("@context", used["@context"]) not in (used["@context"], subject.bare.get("@context")):
            losses = (*losses, "“@context” in its proof is not used")
        return data, losses

    if suite.form == "sd":
        derived = proof_sd.read_derived(proof.get("proofValue"))

        def statements(contexts: ContextSet) -> tuple[str, tuple[str, ...]]:
            data, losses = options_hash(contexts)
            dataset = subject.dataset(place, contexts)
            return proof_sd.what_is_wrong(derived, dataset.quads, data, key), (*losses, *dataset.losses)

        return statements
    signature = _signature(proof)

    def whole(contexts: ContextSet) -> tuple[str, tuple[str, ...]]:
        first, more = options_hash(contexts)
        second, losses = subject.hash(place, suite.form, digest, contexts)
        return "" if signature_holds(key, first + second, signature) else _CHANGED, (*more, *losses)

    return whole


def _with_previous(checks: Sequence[ProofCheck]) -> tuple[ProofCheck, ...]:
    """The checks, where none passes that builds on one that does not. Circles have failed already."""
    if not any(check.previous for check in checks):
        return tuple(checks)
    settled: dict[int, ProofCheck] = {}

    def settle(place: int) -> ProofCheck:
        if place not in settled:
            check = checks[place]
            if check.verdict is Verdict.PASS:
                before = [_as_previous(settle(one)) for one in check.previous]
                for verdict in (Verdict.FAIL, Verdict.UNKNOWN):
                    wrong = next((says for found, says in before if found is verdict), "")
                    if wrong:
                        check = replace(check, verdict=verdict, says=wrong)
                        break
            settled[place] = check
        return settled[place]

    return tuple(settle(place) for place in range(len(checks)))


def _as_previous(before: ProofCheck) -> tuple[Verdict, str]:
    """What a proof is worth to one that builds on it: its key must be vouched for as well, since nobody else asks."""
    if before.verdict is not Verdict.PASS:
        how = "does not hold" if before.verdict is Verdict.FAIL else "was not checked"
        return before.verdict, f"The proof builds on another that {how}. {before.says}"
    assert before.found is not None
    if before.found.vouched is not Verdict.PASS:
        return before.found.vouched, f"The proof builds on another whose key is not vouched for. {before.found.says}"
    return Verdict.PASS, ""


def _sentence(problem: BrokenInput) -> str:
    return f"{problem.what}." if problem.what.startswith(("has", "is")) else f"cannot be read, {problem.what}."


_METHOD = re.compile(r"(did|https?|urn):")


def _wrong_options(proof: Mapping[str, Any], method: Any, asked: _Asked) -> str:
    """What is wrong with a proof before any key is looked up, in words; empty if nothing."""
    if not isinstance(method, str) or not _METHOD.match(method):
        return "The proof does not say by which key it was made, or not as an absolute URL."
    if proof.get("proofPurpose") != asked.purpose:
        given = str(proof.get("proofPurpose"))[:60]
        return f"The signature was made for another purpose: “{given}”, not “{asked.purpose}”."
    for member in ("created", "expires"):
        if member in proof:
            try:
                moment = parse_iso(proof[member])
            except BrokenInput:
                return f"The proof's “{member}” is not a date with a time zone."
            if member == "expires" and moment < asked.now:
                return f"The signature itself ran out on {iso(moment)[:10]}."
    if asked.domain is not None:
        expected = {asked.domain} if isinstance(asked.domain, str) else set(asked.domain)
        given_ = [str(entry) for entry in _listed(proof.get("domain", []))]
        if set(given_) != expected:
            return f"The signature was made for “{', '.join(given_)[:100]}”, not for “{', '.join(sorted(expected))}”."
    if asked.challenge is not None and proof.get("challenge") != asked.challenge:
        return "The signature does not answer the challenge that was given for it."
    return ""


def _signature(proof: Mapping[str, Any]) -> bytes:
    value = proof.get("proofValue")
    if not isinstance(value, str) or not value.startswith("z"):
        raise BrokenInput("proofValue does not start with z")
    return multibase_decode(value)


# --- Hashing --------------------------------------------------------------------------------------------


def _hash_data(document: Mapping[str, Any], form: str, digest: str, contexts: ContextSet) -> _Hashed:
    """The hash of a document's canonical form, and what it does not cover. `form` is rdfc or jcs, `digest` sha256 or
    sha384. BrokenInput if the document has no such form. All hashing of documents and options goes through here.
    """
    if form == "jcs":
        return _HASHES[digest](jcs(document)).digest(), ()
    shapes = shapes_under(contexts) if digest == "sha256" else None
    fit = shapes.fit(document) if shapes else None
    if fit is not None:
        return fit.sha256, ()
    dataset = to_dataset(document, contexts)
    data = canonicalize(dataset.quads, algorithm=digest).encode("utf-8")
    if shapes and not dataset.losses:
        shapes.met(document)
    return hashlib.new(digest, data).digest(), dataset.losses


@lru_cache(maxsize=512)
def _hash_of_json(text: bytes, digest: str) -> bytes:
    """The hash of the canonical form of some JSON text; many credentials of a batch have the same options."""
    return _HASHES[digest](jcs(parse_json(text))).digest()


_HASHES = {"sha256": hashlib.sha256, "sha384": hashlib.sha384}


def _with_context(options: Mapping[str, Any], document: Mapping[str, Any]) -> dict[str, Any]:
    """A proof's options as the JSON-LD document that is hashed. Ed25519Signature2020 defines its terms in a context
    of its own; other suites use the document's.
    """
    own = options.get("type") == "Ed25519Signature2020"
    return {**options, "@context": ED25519_2020 if own else document.get("@context")}


def canonical_hash_of_options(
    options: Mapping[str, Any], document: Mapping[str, Any], contexts: ContextSet
) -> tuple[bytes, tuple[str, ...]]:
    """The SHA-256 of a proof's options as canonical RDF, and what it does not cover."""
    return _hash_data(_with_context(options, document), "rdfc", "sha256", contexts)


def _options_data(options: Mapping[str, Any], document: Mapping[str, Any], contexts: ContextSet) -> Dataset:
    return to_dataset(_with_context(options, document), contexts)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _begins_with(contexts: Any, first: Any) -> bool:
    def listed(value: Any) -> list[str]:
        return [json.dumps(entry, sort_keys=True) for entry in _listed(value)]

    return listed(contexts)[: len(listed(first))] == listed(first)
