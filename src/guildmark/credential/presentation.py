"""Whether a presentation holds: who shows it, that they show it here and now, and each credential in it on its own.

The steps (VC Data Model 2.0, 4.13 and 7.1; Data Integrity 1.0, 4.4):

1. read it, and ask whether it is made the way a presentation must be;
2. its proof was made for `authentication` by a key of its holder, and its document lists that key for that;
3. it answers this challenge, for this domain, where the verifier gave them: otherwise whoever has seen a
   presentation once could show it again;
4. each credential in it is verified by the steps of `verify`.

That a credential is made out to the one who shows it does not follow from any of this, and is said of each as advice:
parents show what their children were awarded, and employers what their staff was.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from guildmark.core.codecs import parse_json
from guildmark.core.doors import Fetcher
from guildmark.core.errors import BrokenInput
from guildmark.core.report import Finding, Report, Verdict
from guildmark.credential.jsonld import ContextSet, UnreadableJsonLd, context_sets, to_dataset, unknown_contexts
from guildmark.credential.proof import MOST_PROOFS, ProofCheck, check_proofs
from guildmark.credential.resolve import FoundKey, find_key
from guildmark.credential.signed import MOST_VALUES, World, listed, plain, sentence
from guildmark.credential.structure import structure_finding
from guildmark.credential.verify import LARGEST, part_report

_SOURCE = "VC Data Model 2.0, 4.13 Verifiable Presentations"
_PROOF = "Data Integrity 1.0, 4.4 Verify Proof"


def verify_presentation(
    document: bytes,
    *,
    now: datetime,
    fetcher: Fetcher,
    challenge: str | None = None,
    domain: str | Collection[str] | None = None,
    any_kind: bool = False,
    sets: tuple[ContextSet, ...] | None = None,
) -> Report:
    """What is found about a signed presentation (JSON) at the moment `now`.

    `challenge` and `domain` are what the verifier asked for; without a challenge nothing shows that the presentation
    was made for this occasion, which is said as advice. `any_kind` and `sets` are as for `verify_credential`. All that
    lies inside shares the bounds of one verification. BrokenInput if it cannot be read at all.
    """
    value = _read(document)
    world = World(now, fetcher, sets or context_sets(), any_kind)
    readable = Finding("document.readable", Verdict.PASS, "It is a readable document.")
    if "VerifiablePresentation" not in listed(value.get("type")):
        return Report(_title(value), (readable, _no_presentation(value)))
    if not world.can_afford(value, times=2):
        says = f"It was not looked at: with what lies inside, there are more than {MOST_VALUES:,} values to check."
        return Report(_title(value), (readable, Finding("document.structure", Verdict.UNKNOWN, says, source=_SOURCE)))
    return Report(
        _title(value),
        (
            readable,
            structure_finding(value),
            *_signed(value, world, challenge, domain),
            *_credentials(value, world),
        ),
    )


def _read(document: bytes) -> Mapping[str, Any]:
    if len(document) > LARGEST:
        raise BrokenInput(f"is larger than {LARGEST:,} bytes", where="presentation", hint="is this one presentation?")
    value = parse_json(document, where="presentation")
    if not isinstance(value, Mapping):
        raise BrokenInput("is JSON, but not a document", where="presentation", hint="a presentation begins with {")
    return value


def _no_presentation(value: Mapping[str, Any]) -> Finding:
    if "EnvelopedVerifiablePresentation" in listed(value.get("type")):
        says = "It is a presentation packed in a token; that form cannot be checked here yet."
        return Finding("document.structure", Verdict.UNKNOWN, says, source=_SOURCE)
    says = "It does not say that it is a presentation (VerifiablePresentation)."
    return Finding("document.structure", Verdict.FAIL, says, source=_SOURCE)


def holder_id(document: Mapping[str, Any]) -> str:
    """The id of the holder that a presentation names, "" if it names none."""
    holder = document.get("holder")
    found = holder.get("id") if isinstance(holder, Mapping) else holder
    return found if isinstance(found, str) else ""


def _title(document: Mapping[str, Any]) -> str:
    holder = holder_id(document)
    return f"A presentation by {plain(holder)}" if holder else "A presentation"


# --- Who shows it ---


def _signed(
    document: Mapping[str, Any], world: World, challenge: str | None, domain: str | Collection[str] | None
) -> tuple[Finding, ...]:
    holder = holder_id(document)
    keys: dict[str, FoundKey] = {}

    def find(method: str) -> FoundKey:
        if method not in keys:
            keys[method] = find_key(method, purpose="authentication", now=world.now, fetcher=world, issuer=holder)
        return keys[method]

    checks = check_proofs(document, find, now=world.now, purpose="authentication", sets=world.sets)
    proofs = listed(document.get("proof"))[:MOST_PROOFS]
    told = [(_challenge(proof, challenge), _domain(proof, domain)) for proof in proofs]
    # One proof answers every question, so that the signature of one and the challenge of another never add up.
    places = sorted(range(len(checks)), key=lambda n: (_rank(checks[n], holder), _refused(told[n])))
    best = checks[places[0]] if places else None
    return (
        _context(document, world),
        _lossless(document, best, world),
        _signature(best, len(checks)),
        _key_bound(best, holder),
        *(told[places[0]] if places else (_challenge(None, challenge), _domain(None, domain))),
    )


def _refused(findings: tuple[Finding, ...]) -> int:
    return sum(finding.verdict is Verdict.FAIL for finding in findings)


def _rank(check: ProofCheck, holder: str) -> int:
    """The proof that tells most comes first: one that holds, by a key of the holder."""
    found = check.found
    bound = found is not None and found.vouched is Verdict.PASS and holder in ("", found.controller)
    return {Verdict.PASS: 0 if bound else 1, Verdict.FAIL: 2}.get(check.verdict, 3)


def _context(document: Mapping[str, Any], world: World) -> Finding:
    unknown = unknown_contexts(document, world.sets[0])
    source = "Data Integrity 1.0, 4.6 Context Validation"
    if unknown:
        where = plain(unknown[0]) if "{" not in unknown[0] else "the document itself"
        says = f"It uses terms defined in {where}, which is not known here; what they mean cannot be told."
        return Finding("document.context", Verdict.UNKNOWN, says, source=source)
    return Finding("document.context", Verdict.PASS, "Every term in it is defined by a known context.", source=source)


def _lossless(document: Mapping[str, Any], best: ProofCheck | None, world: World) -> Finding:
    source = "Data Integrity 1.0, 2.4.3 Securing Data Losslessly"
    losses = best.losses if best is not None else None
    if losses is None:
        try:
            losses = to_dataset({k: v for k, v in document.items() if k != "proof"}, world.sets[0]).losses
        except UnreadableJsonLd as problem:
            says = sentence(f"Whether a signature can cover all of it cannot be told: {problem.what}")
            return Finding("document.lossless", Verdict.UNKNOWN, says, source=source)
    if losses:
        says = sentence(f"Part of it is not covered by any signature: {plain(losses[0])}")
        because = {"not covered": [plain(loss) for loss in losses[:20]]}
        return Finding("document.lossless", Verdict.FAIL, says, because=because, source=source)
    return Finding("document.lossless", Verdict.PASS, "There is nothing in it that a signature misses.", source=source)


def _signature(best: ProofCheck | None, count: int) -> Finding:
    if best is None:
        says = "It is not signed at all, so nothing tells who shows it."
        return Finding("proof.signature", Verdict.FAIL, says, source=_PROOF)
    because = {"suite": plain(best.suite, 60), "key": plain(best.method, 300), "proofs": count}
    return Finding("proof.signature", best.verdict, sentence(best.says), because=because, source=_PROOF)


def _key_bound(best: ProofCheck | None, holder: str) -> Finding:
    source = "Controlled Identifiers 1.0, 3.3 Retrieve Verification Method"
    because = {"holder": plain(holder, 300), "key": plain(best.method, 300) if best else ""}

    def finding(verdict: Verdict, says: str) -> Finding:
        return Finding("proof.key_bound", verdict, sentence(says), because=because, source=source)

    if best is None or best.found is None:
        return finding(Verdict.UNKNOWN, "Nothing shows who signed this.")
    whose = best.found.controller
    if holder and whose != holder:
        return finding(Verdict.FAIL, f"The key belongs to {plain(whose)}, not to the holder, {plain(holder)}.")
    if best.found.vouched is not Verdict.PASS:
        return finding(best.found.vouched, f"The key is not known to belong to whoever shows this. {best.found.says}")
    if best.verdict is not Verdict.PASS:
        return finding(Verdict.UNKNOWN, f"It names a key of {plain(whose)}, but nothing shows that it was used.")
    return finding(Verdict.PASS, f"It is shown by {plain(whose)}, whose key it is.")


def _challenge(proof: Any, asked: str | None) -> Finding:
    given = proof.get("challenge") if isinstance(proof, Mapping) else None
    if asked is None:
        says = "Nobody asked for an answer to a challenge, so it may be one that was shown before."
        return Finding("proof.challenge", Verdict.UNKNOWN, says, required=False, source=_PROOF)
    if given == asked:
        return Finding("proof.challenge", Verdict.PASS, "It answers the challenge that was given.", source=_PROOF)
    says = "It does not answer the challenge that was given for it, so it may be one that was shown before."
    return Finding("proof.challenge", Verdict.FAIL, says, source=_PROOF)


def _domain(proof: Any, asked: str | Collection[str] | None) -> Finding:
    if asked is None:
        says = "Nobody asked for whom it was made."
        return Finding("proof.domain", Verdict.NOT_APPLICABLE, says, source=_PROOF)
    expected = {asked} if isinstance(asked, str) else set(asked)
    given = listed(proof.get("domain")) if isinstance(proof, Mapping) else []
    if {str(entry) for entry in given} == expected:
        return Finding("proof.domain", Verdict.PASS, "It was made for this verifier.", source=_PROOF)
    says = f"It was made for “{plain(', '.join(str(entry) for entry in given))}”, not for this verifier."
    return Finding("proof.domain", Verdict.FAIL, says, source=_PROOF)


# --- What is shown ---


def _credentials(document: Mapping[str, Any], world: World) -> tuple[Finding, ...]:
    """One finding for each credential; that there is none is no fault (4.13: the property may be present)."""
    holder, found = holder_id(document), []
    for number, part in enumerate(listed(document.get("verifiableCredential")), start=1):
        report = part_report(part, world)
        if report is None:
            says = "It holds more credentials than are looked at here."
            found.append(Finding("credentials.more", Verdict.UNKNOWN, says, source=_SOURCE))
            break
        found.append(_credential(number, report, part, holder))
    return tuple(found)


def _credential(number: int, report: Report | str, part: Any, holder: str) -> Finding:
    id = f"credentials.{number}"
    if isinstance(report, str):
        return Finding(id, Verdict.UNKNOWN, sentence(f"It holds a credential {report}"), source=_SOURCE)
    because: dict[str, Any] = {
        "findings": [{"id": f.id, "verdict": f.verdict.value, "says": f.says} for f in report.findings]
    }
    subjects = [s.get("id") for s in listed(part.get("credentialSubject")) if isinstance(s, Mapping)]
    if holder and any(isinstance(subject, str) for subject in subjects) and holder not in subjects:
        because["made out to"] = [plain(subject, 300) for subject in subjects[:5]]
    match report.verdict:
        case Verdict.PASS:
            says = f"{report.subject}: it holds."
        case Verdict.FAIL:
            says = f"{report.subject}: it does not hold. {report.failed()[0].says}"
        case _:
            why = report.unknown()[0].says if report.unknown() else ""
            says = f"{report.subject}: whether it holds cannot be told. {why}".strip()
    if "made out to" in because:
        says += " It is made out to somebody else than the one who shows it."
    return Finding(id, report.verdict, sentence(says), because=because, source=_SOURCE)
