"""Whether a credential holds: every question on its own, answered in words that a recruiter understands.

The steps, numbered as in the code (Open Badges 3.0 "OpenBadgeCredential Verification"; VC Data Model 2.0
section 7.1; Data Integrity 1.0 section 4.6):

1. read it: JSON, or a PNG or SVG badge that carries it;
2. structure: is this a credential, with what its kind needs;
3. context, losslessness, signature, key: who signed, was it the issuer, and does the signature cover
   everything;
4. status: was it suspended or revoked since;
5. dates: is it in force at the moment asked about;
6. what it links to by digest: is it still what was signed;
7. endorsements inside it: verified by these same steps, and about something in it;
8. credentials inside it (a transcript): verified by these same steps;
9. the recipient, if one was asked about.

What cannot be told is unknown and never passes.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from guildmark.core.codecs import parse_json
from guildmark.core.doors import Fetcher
from guildmark.core.errors import BrokenInput, OutsideFailure
from guildmark.core.report import Finding, Report, Verdict
from guildmark.credential.read_status import status_findings
from guildmark.credential.signed import World, dates, issuer_id, issuer_name, listed, look_at_signature, plain

LARGEST = 5_000_000
"""Bytes that a credential may have, image included."""

DEEPEST = 3
"""How far credentials within credentials are followed: a transcript, its badges, their endorsements."""

MOST_PARTS = 60
"""Credentials and endorsements inside one document; more are not looked at, and the report says so."""

_JWS = re.compile(rb"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*\Z")

_KINDS = {
    "OpenBadgeCredential": "Open Badge",
    "AchievementCredential": "Open Badge",
    "EndorsementCredential": "endorsement",
    "ClrCredential": "comprehensive learner record",
    "BitstringStatusListCredential": "status list",
}


def verify_credential(
    document: bytes, *, now: datetime, fetcher: Fetcher, recipient: str | None = None
) -> Report:
    """What is found about a signed credential (JSON, or a badge image that carries one) at the moment `now`.

    `recipient` (an e-mail address, a DID or another identifier) asks whether the credential is this person's.
    Lists, keys and linked documents are read through `fetcher`. BrokenInput if the document cannot be read at
    all: not JSON, a key twice in one object, nested too deeply, too large, an image without a credential.
    """
    data, where_from = _take_out(bytes(document))
    if _JWS.match(data.strip()):
        says = "It is signed as a JSON Web Token, a form that cannot be checked here yet."
        return Report(
            "A credential as a JSON Web Token", (Finding("proof.signature", Verdict.UNKNOWN, says),)
        )
    try:
        value = parse_json(data, where="credential")
    except ValueError as problem:  # a number of thousands of digits
        raise BrokenInput("a number in it is too long to be read", where="credential") from problem
    if not isinstance(value, Mapping):
        raise BrokenInput(
            "is JSON, but not a document", where="credential", hint="a credential begins with {"
        )
    readable = Finding("document.readable", Verdict.PASS, f"It is a readable document{where_from}.")
    world = World(now=now, fetcher=fetcher)
    findings = (readable, *_verify(value, world, 0), _recipient(value, recipient))
    return Report(_title(value), findings)


def _take_out(data: bytes) -> tuple[bytes, str]:
    """Step 1: (the credential's own bytes, how they came, in words)."""
    if len(data) > LARGEST:
        raise BrokenInput(
            f"is larger than {LARGEST:,} bytes", where="credential", hint="is this one credential?"
        )
    if not data.strip():
        raise BrokenInput("is empty", where="credential", hint="paste or upload the whole credential")
    for begin, kind in ((b"\x89PNG", "PNG"), (b"<", "SVG")):
        if data.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(begin):
            from guildmark.credential.bake import extract

            return extract(data), f", taken out of a {kind} image"
    return data, ""


def _verify(document: Mapping[str, Any], world: World, depth: int) -> tuple[Finding, ...]:
    """Steps 2 to 8 for one document."""
    signed = look_at_signature(document, world)
    return (
        _structure(document),
        signed.context,
        signed.lossless,
        signed.signature,
        signed.key_bound,
        *status_findings(document, world),
        dates(document, world.now),
        *_related(document, world),
        *_endorsements(document, world, depth),
        *_components(document, world, depth),
    )


def _title(document: Mapping[str, Any]) -> str:
    subject = document.get("credentialSubject")
    first = listed(subject)[0] if listed(subject) else None
    achievement = first.get("achievement") if isinstance(first, Mapping) else None
    inner = achievement.get("name") if isinstance(achievement, Mapping) else None
    name = document.get("name") if isinstance(document.get("name"), str) else inner
    what = f"“{plain(name)}”" if isinstance(name, str) and name.strip() else "A credential"
    return f"{what}, issued by {issuer_name(document)}"


def _structure(document: Mapping[str, Any]) -> Finding:
    """Step 2: the envelope that every credential has, then what its kind asks for."""
    kinds = [kind for kind in listed(document.get("type")) if isinstance(kind, str)]
    problems = list(_envelope(document, kinds))
    known = next((kind for kind in kinds if kind in _KINDS), None)
    if known is None and not problems:
        problems.append("its kind is not one of Open Badges or comprehensive learner records")
    if not problems:
        from guildmark.credential.structure import structure_findings

        problems += [f.says for f in structure_findings(document) if f.verdict is Verdict.FAIL]
    because: dict[str, Any] = {"type": kinds[:10]}
    if problems:
        because["problems"] = [plain(problem, 300) for problem in problems[:30]]
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        says = f"It is not built as it should be: {plain(problems[0], 300).rstrip('.')}{more}."
        return Finding("document.structure", Verdict.FAIL, says, because=because, source=_STRUCTURE)
    assert known is not None
    says = f"It has everything that an {_KINDS[known]} needs." if _KINDS[known][0] in "Oe" else ""
    says = says or f"It has everything that a {_KINDS[known]} needs."
    return Finding("document.structure", Verdict.PASS, says, because=because, source=_STRUCTURE)


_STRUCTURE = "VC Data Model 2.0, 4 Basic Concepts; Open Badges 3.0, Data Model"


def _envelope(document: Mapping[str, Any], kinds: list[str]) -> Iterator[str]:
    if "VerifiableCredential" not in kinds:
        yield "it does not say that it is a credential (type)"
    if not re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", issuer_id(document)):
        yield "it does not say who issued it, by an absolute URL (issuer)"
    subjects = listed(document.get("credentialSubject"))
    if not subjects or not all(isinstance(subject, Mapping) and subject for subject in subjects):
        yield "it says nothing about anybody (credentialSubject)"
    if "id" in document and not isinstance(document["id"], str):
        yield "its id is not text"


_DIGESTS = {"sha256": "sha256", "sha384": "sha384", "sha512": "sha512"}

MOST_RELATED = 10


def _related(document: Mapping[str, Any], world: World) -> tuple[Finding, ...]:
    """Step 6: linked documents whose digest was signed (VC Data Model 2.0 section 5.3)."""
    found = []
    for number, entry in enumerate(listed(document.get("relatedResource"))[:MOST_RELATED], start=1):
        url = entry.get("id") if isinstance(entry, Mapping) else None
        id, because = f"related.{number}", {"url": plain(url, 300)}
        digest = _sri(entry.get("digestSRI")) if isinstance(entry, Mapping) else None
        if not isinstance(url, str) or digest is None:
            says = "A linked document is named without a digest that can be checked here."
            found.append(Finding(id, Verdict.UNKNOWN, says, required=False, because=because, source=_RELATED))
            continue
        try:
            body = world.fetch(url).body
        except OutsideFailure as problem:
            says = plain(f"A linked document is out of reach: {problem}", 300)
            found.append(Finding(id, Verdict.UNKNOWN, says, required=False, because=because, source=_RELATED))
            continue
        name, expected = digest
        if hashlib.new(name, body).digest() == expected:
            says = f"The document at {plain(url)} is the one that was signed."
            found.append(Finding(id, Verdict.PASS, says, because=because, source=_RELATED))
        else:
            says = f"The document at {plain(url)} was changed since it was signed."
            found.append(Finding(id, Verdict.FAIL, says, because=because, source=_RELATED))
    return tuple(found)


_RELATED = "VC Data Model 2.0, 5.3 Integrity of Related Resources"


def _sri(value: Any) -> tuple[str, bytes] | None:
    """(hash name, digest) of the first Subresource Integrity entry whose hash is known."""
    for part in value.split() if isinstance(value, str) else []:
        name, _, text = part.partition("-")
        if name in _DIGESTS:
            try:
                return name, base64.b64decode(text, validate=True)
            except ValueError:
                return None
    return None


_SOFT = ("status.", "validity.", "related.")
"""Findings by which an endorsement no longer counts, without anybody having done wrong."""


def _endorsements(document: Mapping[str, Any], world: World, depth: int) -> tuple[Finding, ...]:
    """Step 7: one finding for each endorsement anywhere in the document, but not in credentials inside it."""
    found = []
    for number, endorsement in enumerate(_embedded_endorsements(document), start=1):
        if number > MOST_PARTS:
            says = f"It holds more than {MOST_PARTS} endorsements; the rest was not looked at."
            found.append(Finding("endorsements.more", Verdict.UNKNOWN, says, source=_ENDORSED))
            break
        found.append(_endorsement(f"endorsements.{number}", endorsement, document, world, depth))
    return tuple(found)


_ENDORSED = "Open Badges 3.0, EndorsementCredential Verification"


def _endorsement(id: str, endorsement: Any, document: Mapping[str, Any], world: World, depth: int) -> Finding:
    if not isinstance(endorsement, Mapping):
        says = "It holds an endorsement as a JSON Web Token, a form that cannot be checked here yet."
        return Finding(id, Verdict.UNKNOWN, says, source=_ENDORSED)
    who = issuer_name(endorsement)
    subjects = [s.get("id") for s in listed(endorsement.get("credentialSubject")) if isinstance(s, Mapping)]
    report = _inner(endorsement, world, depth)
    because = {"issuer": issuer_id(endorsement), "about": subjects[:5], "findings": _summary(report)}

    def finding(verdict: Verdict, says: str, *, required: bool = True) -> Finding:
        return Finding(id, verdict, plain(says, 400), required, because, _ENDORSED)

    hard = [f for f in report.failed() if not f.id.startswith(_SOFT)]
    if hard:
        return finding(Verdict.FAIL, f"An endorsement in the name of {who} does not hold. {hard[0].says}")
    if not subjects or not set(subjects) <= _ids(document):
        about = plain(subjects[0] if subjects else "nothing")
        return finding(Verdict.FAIL, f"The endorsement by {who} is about something else ({about}).")
    if report.failed():
        says = f"The endorsement by {who} no longer counts, the credential stands without it. {report.failed()[0].says}"
        return finding(Verdict.UNKNOWN, says, required=False)
    if report.verdict is not Verdict.PASS:
        why = report.unknown()[0].says if report.unknown() else ""
        return finding(Verdict.UNKNOWN, f"Whether {who} really endorses it cannot be told. {why}")
    return finding(Verdict.PASS, f"{who} endorses it, in a signature of its own that holds.")


def _components(document: Mapping[str, Any], world: World, depth: int) -> tuple[Finding, ...]:
    """Step 8: one finding for each credential inside a transcript."""
    found = []
    inner = [
        part
        for subject in listed(document.get("credentialSubject"))
        if isinstance(subject, Mapping)
        for part in listed(subject.get("verifiableCredential"))
    ]
    for number, part in enumerate(inner, start=1):
        id = f"components.{number}"
        if number > MOST_PARTS:
            says = f"It holds more than {MOST_PARTS} credentials; the rest was not looked at."
            found.append(Finding("components.more", Verdict.UNKNOWN, says, source=_CLR))
            break
        if not isinstance(part, Mapping):
            says = "It holds a credential in a form that cannot be checked here yet."
            found.append(Finding(id, Verdict.UNKNOWN, says, source=_CLR))
            continue
        report = _inner(part, world, depth)
        because = {"id": plain(part.get("id", ""), 300), "findings": _summary(report)}
        name = _title(part)
        match report.verdict:
            case Verdict.PASS:
                says = f"{name}: holds."
            case Verdict.FAIL:
                says = f"{name}: does not hold. {report.failed()[0].says}"
            case _:
                says = (
                    f"{name}: cannot be told. {report.unknown()[0].says if report.unknown() else ''}".strip()
                )
        found.append(Finding(id, report.verdict, plain(says, 500), because=because, source=_CLR))
    return tuple(found)


_CLR = "Comprehensive Learner Record 2.0, verification of embedded credentials"


def _inner(document: Mapping[str, Any], world: World, depth: int) -> Report:
    """The report about a document inside another, which is not followed for ever."""
    if depth >= DEEPEST:
        says = f"It lies more than {DEEPEST} credentials deep, which is not looked at."
        return Report("", (Finding("document.readable", Verdict.UNKNOWN, says),))
    return Report(_title(document), _verify(document, world, depth + 1))


def _summary(report: Report) -> list[dict[str, str]]:
    return [{"id": f.id, "verdict": f.verdict.value, "says": f.says} for f in report.findings]


def _is_credential(value: Mapping[str, Any]) -> bool:
    return "VerifiableCredential" in listed(value.get("type")) or "proof" in value


def _embedded_endorsements(document: Mapping[str, Any]) -> Iterator[Any]:
    """What stands under `endorsement` and `endorsementJwt` anywhere, without entering credentials inside."""
    waiting: list[Any] = [document]
    while waiting:
        item = waiting.pop(0)
        if isinstance(item, Mapping):
            if item is not document and _is_credential(item):
                continue
            for key, value in item.items():
                if key in ("endorsement", "endorsementJwt"):
                    yield from listed(value)
                elif key not in ("@context", "proof"):
                    waiting.append(value)
        elif isinstance(item, list):
            waiting.extend(item)


def _ids(document: Mapping[str, Any]) -> set[Any]:
    """Every `id` in the document itself, not those in credentials inside it."""
    found: set[Any] = set()
    waiting: list[Any] = [document]
    while waiting:
        item = waiting.pop()
        if isinstance(item, Mapping):
            if item is not document and _is_credential(item):
                continue
            if isinstance(item.get("id"), str):
                found.add(item["id"])
            waiting.extend(value for key, value in item.items() if key not in ("@context", "proof"))
        elif isinstance(item, list):
            waiting.extend(item)
    if issuer_id(document):
        found.add(issuer_id(document))
    return found


def _recipient(document: Mapping[str, Any], recipient: str | None) -> Finding:
    """Step 9: the subject's id, or one of its identifiers, plain or hashed with its salt (OB 3.0
    IdentityHash).
    """
    source = "Open Badges 3.0, Verify the Recipient Using an Identifier"
    if recipient is None:
        says = "Nobody asked whose it is."
        return Finding("recipient", Verdict.NOT_APPLICABLE, says, required=False, source=source)
    wanted = recipient.strip()
    subjects = [s for s in listed(document.get("credentialSubject")) if isinstance(s, Mapping)]
    asked = 0
    for subject in subjects:
        if isinstance(subject.get("id"), str):
            asked += 1
            if subject["id"] == wanted:
                return Finding("recipient", Verdict.PASS, f"It is about {plain(wanted)}.", source=source)
        for entry in listed(subject.get("identifier")):
            if isinstance(entry, Mapping) and isinstance(entry.get("identityHash"), str):
                asked += 1
                if any(_same_identity(entry, form) for form in dict.fromkeys((wanted, wanted.lower()))):
                    return Finding("recipient", Verdict.PASS, f"It is about {plain(wanted)}.", source=source)
    if not asked:
        return Finding(
            "recipient",
            Verdict.UNKNOWN,
            "It does not say in a way that can be checked whose it is.",
            source=source,
        )
    return Finding("recipient", Verdict.FAIL, f"It is not about {plain(wanted)}.", source=source)


def _same_identity(entry: Mapping[str, Any], wanted: str) -> bool:
    given = entry["identityHash"]
    if entry.get("hashed") is not True:
        return bool(given == wanted)
    algorithm, _, digest = given.partition("$")
    if algorithm not in ("sha256", "md5"):
        return False
    salt = entry.get("salt", "")
    salted = (wanted + (salt if isinstance(salt, str) else "")).encode("utf-8", "replace")
    return bool(hashlib.new(algorithm, salted, usedforsecurity=False).hexdigest() == digest.lower())
