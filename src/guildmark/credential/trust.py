"""Whether a credential that holds is good enough for one who relies on it: a policy, as a rulebook.

Verification says what is so: who signed, how, that it is not revoked, who endorses it. Whom to believe it does not
say. That is a policy of the verifier's own, written as rules (`core.rules`) over the facts that the verification
established:

| fact | what it is | known if |
|---|---|---|
| `issuer.id` | the issuer's id | the signature holds with a key of the issuer |
| `issuer.method` | `did:web`, `did:key`, `https`, ... | the same |
| `issuer.lists` | the lists of the policy in which the issuer stands | the same |
| `proof.suite` | the cryptosuite, or `JWS` and the algorithm | the signature holds |
| `endorsements.issuers` | who endorses it, the issuer itself left out | always |
| `endorsements.lists` | the lists in which one of them stands | always |
| `status.kept` | whether its issuer keeps a list by which it could be withdrawn | that list could be read |
| `status.age_days` | days since the oldest of these lists was made, as it says itself | the same |
| `receipt.in_log` | whether a receipt shows it in a log that is trusted | a receipt was handed in |
| `receipt.origin` | that log | it does show it |
| `validity.age_days`, `validity.days_left` | days since its beginning, until its end | it is in force; it has an end |
| `recipient.confirmed` | whether it is made out to the one who was asked about | somebody asked, and it can be told |
| `resources.checked` | linked documents and evidence found to be what was signed | always |

A fact that is not known is missing, and the rule that needs it unknown. An endorsement that could not be checked may
count or not: a rule on which that hangs is unknown. A policy without rules, or not in force, is unknown too, so
that no file passes everything by saying nothing.

Beside its rules the file has `[lists]`: names, and the ids that each holds, or the name of a file that does (one id
a line, a JSON list, or an object with `registry`, as the Digital Credentials Consortium publishes its registries).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

from guildmark.core.codecs import parse_iso, parse_json
from guildmark.core.errors import BrokenInput
from guildmark.core.report import Finding, Report, Verdict
from guildmark.core.rules import Rulebook, check_examples, evaluate, parse_toml, read_rulebook
from guildmark.credential.endorsement import embedded_endorsements
from guildmark.credential.envelope import open_envelope
from guildmark.credential.signed import issuer_id
from guildmark.credential.verify import MOST_PARTS, document_inside

MOST_LISTED = 100_000
"""Ids that a list may hold."""


@dataclass(frozen=True, slots=True)
class Trust:
    """A policy: rules over what a verification established, and the lists that they name."""

    rulebook: Rulebook
    lists: Mapping[str, frozenset[str]]


def read_trust(text: bytes | str, *, where: str = "trust", read: Callable[[str], bytes] | None = None) -> Trust:
    """The policy in a TOML text. `read` gives the bytes of a file that a list names; without it none may.

    BrokenInput, naming the rule or the list, if it is no rulebook, if an example of a rule does not do what the rule
    says, or if a list is none.
    """
    raw = parse_toml(text, where=where)
    named = raw.pop("lists", {})
    if not isinstance(named, dict):
        raise BrokenInput("lists is not a table", where=where, hint="begin it with [lists]")
    rulebook = read_rulebook(raw, where=where)
    wrong = check_examples(rulebook).failed()
    if wrong:
        raise BrokenInput(wrong[0].says.rstrip("."), where=where, hint="mend the rule or its example")
    return Trust(rulebook, {name: _ids(value, f"{where}, list {name}", read) for name, value in named.items()})


def _ids(value: Any, where: str, read: Callable[[str], bytes] | None) -> frozenset[str]:
    if isinstance(value, str):
        if read is None:
            raise BrokenInput("names a file, and files are not read here", where=where, hint="write the ids themselves")
        value = _in_file(read(value), f"{where} ({value})")
    if not isinstance(value, list) or not all(isinstance(id, str) and id.strip() for id in value):
        raise BrokenInput("is not a list of ids", where=where, hint='write ["did:web:a.example"]')
    if len(value) > MOST_LISTED:
        raise BrokenInput(f"holds more than {MOST_LISTED:,} ids", where=where)
    return frozenset(value)


def _in_file(data: bytes, where: str) -> list[Any]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise BrokenInput(f"byte {problem.start} is not UTF-8", where=where, hint="save the file as UTF-8") from problem
    if text.lstrip().startswith(("[", "{")):
        value = parse_json(text, where=where)
        value = value.get("registry") if isinstance(value, dict) else value
        if not isinstance(value, list | dict):
            raise BrokenInput("holds no ids", where=where, hint="write a JSON list, or one id a line")
        return list(value)
    lines = [line.strip() for line in text.splitlines()]
    return [line for line in lines if line and not line.startswith("#")]


def trust_findings(report: Report, document: bytes, trust: Trust, *, now: datetime) -> tuple[Finding, ...]:
    """One finding for each rule, `trust.` and the rule's id, with the rule's source; `report` is what verification
    found about `document` at the moment `now`, with the findings of its receipt if it has one.

    A rule that fails is FAIL if it blocks (an error whose standing is retrieved), else advice. BrokenInput if the
    document cannot be read.
    """
    inside = document_inside(document)
    found = evaluate(trust.rulebook, _facts(report, inside, trust, now), on=now.astimezone(UTC).date()).findings
    hoped = evaluate(trust.rulebook, _facts(report, inside, trust, now, hope=True), on=now.astimezone(UTC).date())
    if not found:
        says = "The policy has no rules, so nothing is said about whom to trust."
        return (Finding("trust.rules", Verdict.UNKNOWN, says, source=trust.rulebook.source),)
    return tuple(_told(one, other, trust) for one, other in zip(found, hoped.findings, strict=True))


def _told(finding: Finding, hoped: Finding, trust: Trust) -> Finding:
    """The finding of a rule; unknown if another would come out, were all endorsements that cannot be checked good."""
    if finding.verdict is not hoped.verdict:
        says = f"{finding.says} Whether that stays so cannot be told: an endorsement could not be checked."
        finding = replace(finding, verdict=Verdict.UNKNOWN, says=says)
    id = finding.id if finding.id.startswith("trust.") else f"trust.{finding.id}"
    return replace(finding, id=id, source=finding.source or trust.rulebook.source)


def _facts(
    report: Report, document: Mapping[str, Any], trust: Trust, now: datetime, *, hope: bool = False
) -> dict[str, Any]:
    facts: dict[str, Any] = {"endorsements": _endorsements(report, document, trust, hope)}
    signature, bound = _passed(report, "proof.signature"), _passed(report, "proof.key_bound")
    if signature is not None and isinstance(signature.because.get("suite"), str):
        facts["proof"] = {"suite": signature.because["suite"]}
    # Not the id in the finding, which is made fit to be read: two that differ could look the same there.
    issuer = issuer_id(document)
    if signature is not None and bound is not None and issuer:
        facts["issuer"] = {"id": issuer, "method": _method(issuer), "lists": _lists(trust, {issuer})}
    for name, value in (
        ("status", _status(report, now)),
        ("receipt", _receipt(report)),
        ("validity", _validity(report, now)),
        ("recipient", _recipient(report)),
    ):
        if value:
            facts[name] = value
    linked = [f for f in report.findings if f.id.startswith(("related.", "evidence."))]
    facts["resources"] = {"checked": sum(f.verdict is Verdict.PASS for f in linked)}
    return facts


def _passed(report: Report, id: str) -> Finding | None:
    return report[id] if id in report and report[id].verdict is Verdict.PASS else None


def _method(issuer: str) -> str:
    parts = issuer.split(":")
    return ":".join(parts[:2]) if parts[0] == "did" else parts[0].lower()


def _lists(trust: Trust, ids: set[str]) -> list[str]:
    return sorted(name for name, held in trust.lists.items() if ids & held)


def _endorsements(report: Report, document: Mapping[str, Any], trust: Trust, hope: bool) -> dict[str, Any]:
    own, found = issuer_id(document), set()
    for number, issuer in _endorsers(document):
        id = f"endorsements.{number}"
        if id in report and issuer and issuer != own:
            finding = report[id]
            hoped = hope and finding.verdict is Verdict.UNKNOWN and finding.required
            if finding.verdict is Verdict.PASS or hoped:
                found.add(issuer)
    return {"issuers": sorted(found), "lists": _lists(trust, found)}


def _endorsers(document: Mapping[str, Any]) -> Iterator[tuple[int, str]]:
    """The number of each endorsement in the report, and who it says issued it."""
    for number, part in enumerate(embedded_endorsements(document), start=1):
        if number > MOST_PARTS:
            return
        if isinstance(part, str | Mapping):
            try:
                yield number, issuer_id(open_envelope(part).document)
            except BrokenInput:  # told as such in the report
                continue


def _status(report: Report, now: datetime) -> dict[str, Any]:
    found = [f for f in report.findings if f.id.startswith("status.") and f.required]
    if any(f.verdict is Verdict.UNKNOWN for f in found) or not found:
        return {}
    asked = [f for f in found if f.verdict is not Verdict.NOT_APPLICABLE]
    if not asked:
        return {"kept": False}
    days = [_day(f.because.get("list of")) for f in asked]
    known = [day for day in days if day is not None]
    age = {"age_days": (now.astimezone(UTC).date() - min(known)).days} if known and len(known) == len(days) else {}
    return {"kept": True, **age}


def _day(text: Any) -> date | None:
    try:
        return date.fromisoformat(text[:10]) if isinstance(text, str) else None
    except ValueError:
        return None


def _receipt(report: Report) -> dict[str, Any]:
    if "ledger.inclusion" not in report:
        return {"in_log": False} if any(f.id == "ledger.receipt" for f in report.failed()) else {}
    match report["ledger.inclusion"].verdict:
        case Verdict.PASS:
            return {"in_log": True, "origin": report["ledger.checkpoint"].because["origin"]}
        case Verdict.FAIL:
            return {"in_log": False}
    return {}


def _validity(report: Report, now: datetime) -> dict[str, Any]:
    finding = _passed(report, "validity.dates")
    if finding is None:
        return {}
    found = {name: parse_iso(finding.because[name]) for name in ("validFrom", "validUntil") if name in finding.because}
    told = {"age_days": (now - found["validFrom"]).days} if "validFrom" in found else {}
    return {**told, "days_left": (found["validUntil"] - now).days} if "validUntil" in found else told


def _recipient(report: Report) -> dict[str, Any]:
    verdict = report["recipient"].verdict if "recipient" in report else Verdict.UNKNOWN
    return {"confirmed": verdict is Verdict.PASS} if verdict in (Verdict.PASS, Verdict.FAIL) else {}
