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

What cannot be told is unknown and never passes. Two things are advice, since the credential stands without them:
a linked document that is out of reach, and an endorsement that ran out or was withdrawn. Work is bounded: bytes,
values, documents inside, fetches; what lies beyond a bound is unknown and said.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from guildmark.core.codecs import multibase_decode, parse_json
from guildmark.core.doors import Fetcher
from guildmark.core.errors import BrokenInput, OutsideFailure
from guildmark.core.report import Finding, Report, Verdict
from guildmark.credential.endorsement import embedded_endorsements
from guildmark.credential.open_badge import plain_email, plain_name, same_identity
from guildmark.credential.read_status import status_findings
from guildmark.credential.signed import (
    World,
    dates,
    issuer_id,
    issuer_name,
    known_as,
    listed,
    look_at_signature,
    plain,
    sentence,
    words,
)
from guildmark.credential.structure import kind_of, structure_finding

LARGEST = 5_000_000
"""Bytes that a credential may have, image included."""

DEEPEST = 3
"""How far credentials within credentials are followed: a transcript, its badges, their endorsements."""

MOST_PARTS = 100
"""Credentials and endorsements inside one document, at any depth; more are not looked at, and the report says so."""

MOST_RELATED = 10
"""Linked documents that are fetched for one credential."""


def verify_credential(document: bytes, *, now: datetime, fetcher: Fetcher, recipient: str | None = None) -> Report:
    """What is found about a signed credential (JSON, or a badge image that carries one) at the moment `now`.

    `recipient` (an e-mail address, a DID, a name or another identifier) asks whether the credential is this
    person's. Lists, keys and linked documents are read through `fetcher`. BrokenInput if the document cannot
    be read at all: not JSON, a key twice in one object, nested too deeply, too large, an image without a
    credential.
    """
    data, where_from = _take_out(bytes(document))
    if _JWS.match(data.strip()):
        return _other_form("It is signed as a JSON Web Token")
    value = _parse(data)
    other = _form(value)
    if other:
        return _other_form(other)
    readable = Finding("document.readable", Verdict.PASS, f"It is a readable document{where_from}.")
    world = World(now=now, fetcher=fetcher)
    findings = (readable, *_verify(value, world, recipient, 0), _recipient(value, recipient))
    return Report(_title(value), findings)


def document_inside(document: bytes) -> Mapping[str, Any]:
    """The document that is JSON or that a PNG or SVG badge carries, as a value; BrokenInput if it cannot be read."""
    return _parse(_take_out(bytes(document))[0])


# --- Step 1: read it ---

_JWS = re.compile(rb"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*(~[A-Za-z0-9._~-]*)?\Z")


def _take_out(data: bytes) -> tuple[bytes, str]:
    """(the credential's own bytes, how they came, in words)."""
    if len(data) > LARGEST:
        raise BrokenInput(f"is larger than {LARGEST:,} bytes", where="credential", hint="is this one credential?")
    if not data.strip():
        raise BrokenInput("is empty", where="credential", hint="paste or upload the whole credential")
    for begin, kind in ((b"\x89PNG", "PNG"), (b"<", "SVG")):
        if data.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(begin):
            from guildmark.credential.bake import extract

            return extract(data), f", taken out of {'a PNG' if kind == 'PNG' else 'an SVG'} image"
    return data, ""


def _parse(data: bytes) -> Mapping[str, Any]:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as problem:
        raise BrokenInput(
            "is neither JSON text nor a PNG or SVG image",
            where="credential",
            hint="choose the file that its issuer sent",
        ) from problem
    value = parse_json(text.removeprefix("\ufeff"), where="credential")
    if not isinstance(value, Mapping):
        raise BrokenInput("is JSON, but not a document", where="credential", hint="a credential begins with {")
    return value


_OPEN_BADGES_2 = {"https://w3id.org/openbadges/v1", "https://w3id.org/openbadges/v2"}


def _form(document: Mapping[str, Any]) -> str:
    """What a document is whose form is known, but not checked here; "" for a credential."""
    types, contexts = listed(document.get("type")), listed(document.get("@context"))
    if "EnvelopedVerifiableCredential" in types:
        return "It is a credential packed in a token"
    if "VerifiablePresentation" in types:
        return "It is a presentation that holds credentials, not a credential"
    if "VerifiableCredential" not in types and _OPEN_BADGES_2 & {c for c in contexts if isinstance(c, str)}:
        return "It belongs to an Open Badge of version 2"
    if "signatures" in document or {"payload", "signature"} <= set(document):
        return "It is signed as a JSON Web Signature"
    return ""


def _other_form(what: str) -> Report:
    """The report about a form that later versions check: unknown, whatever it says."""
    finding = Finding("document.form", Verdict.UNKNOWN, f"{what}; that form cannot be checked here yet.")
    return Report("A document of another form", (finding,))


# --- Steps 2 to 8, for one document ---


def _verify(document: Mapping[str, Any], world: World, recipient: str | None, depth: int) -> tuple[Finding, ...]:
    signed = look_at_signature(document, world)
    return (
        structure_finding(document),
        *signed.findings,
        *status_findings(document, world),
        dates(document, world.now),
        *_related(document, world),
        *_endorsements(document, world, depth),
        *_components(document, world, recipient, depth),
    )


def _title(document: Mapping[str, Any]) -> str:
    first = next((s for s in listed(document.get("credentialSubject")) if isinstance(s, Mapping)), {})
    achievement = first.get("achievement")
    inner = achievement.get("name") if isinstance(achievement, Mapping) else None
    name = words(document.get("name")) or words(inner)
    what = f"“{plain(name)}”" if name else "A credential"
    return f"{what}, issued by {issuer_name(document)}"


def _related(document: Mapping[str, Any], world: World) -> tuple[Finding, ...]:
    """Step 6: linked documents whose digest was signed."""
    entries = listed(document.get("relatedResource"))
    found = [_resource(f"related.{n}", entry, world) for n, entry in enumerate(entries[:MOST_RELATED], start=1)]
    if len(entries) > MOST_RELATED:
        says = f"It names more than {MOST_RELATED} linked documents; the rest was not looked at."
        found.append(Finding("related.more", Verdict.UNKNOWN, says, required=False, source=_RELATED))
    return tuple(found)


_RELATED = "VC Data Model 2.0, 5.3 Integrity of Related Resources"


def _resource(id: str, entry: Any, world: World) -> Finding:
    url = entry.get("id") if isinstance(entry, Mapping) else None

    def finding(verdict: Verdict, says: str) -> Finding:
        because = {"url": plain(url, 300)} if isinstance(url, str) else {}
        told = verdict is not Verdict.UNKNOWN  # the credential stands without what it only points at
        return Finding(id, verdict, sentence(says), required=told, because=because, source=_RELATED)

    digests = _digests(entry) if isinstance(entry, Mapping) else []
    if not isinstance(url, str) or not digests:
        return finding(Verdict.UNKNOWN, "It links to a document without a digest that can be checked here.")
    try:
        body = world.fetch(url).body
    except OutsideFailure as problem:
        return finding(Verdict.UNKNOWN, f"A document that it links to is out of reach. {problem}")
    if all(hashlib.new(name, body).digest() in expected for name, expected in digests):
        return finding(Verdict.PASS, f"The document at {plain(url)} is the one that was signed.")
    return finding(Verdict.FAIL, f"The document at {plain(url)} was changed after this was signed.")


def _digests(entry: Mapping[str, Any]) -> list[tuple[str, list[bytes]]]:
    """(hash name, digests of which one must fit) for each way in which the entry tells its digest; [] if one of
    them cannot be read, since nobody knows what it would have said.
    """
    readers = (("digestSRI", _sri), ("digestMultibase", _multihash))
    found = [read(entry[member]) for member, read in readers if member in entry]
    return [digest for digest in found if digest is not None] if None not in found else []


def _sri(value: Any) -> tuple[str, list[bytes]] | None:
    """The strongest hash that a Subresource Integrity text has, and each digest it gives for that."""
    parts = [part.partition("-") for part in value.split()] if isinstance(value, str) else []
    for name in ("sha512", "sha384", "sha256"):
        texts = [text.partition("?")[0] for given, _, text in parts if given == name]
        if texts:
            try:
                return name, [base64.b64decode(text, validate=True) for text in texts]
            except ValueError:
                return None
    return None


_MULTIHASHES = {b"\x12\x20": "sha256", b"\x20\x30": "sha384", b"\x13\x40": "sha512"}
"""Multihash prefixes: the code of the hash and the length of its digest."""


def _multihash(value: Any) -> tuple[str, list[bytes]] | None:
    try:
        data = multibase_decode(value) if isinstance(value, str) else b""
    except BrokenInput:
        return None
    name = _MULTIHASHES.get(data[:2])
    return (name, [data[2:]]) if name is not None else None


# --- Step 7: endorsements ---

_SOFT = ("status.", "validity.", "related.")
"""Findings by which an endorsement no longer counts, without anybody having done wrong."""

_ENDORSED = "Open Badges 3.0, EndorsementCredential Verification"


def _endorsements(document: Mapping[str, Any], world: World, depth: int) -> tuple[Finding, ...]:
    """One finding for each endorsement anywhere in the document, but not in credentials inside it."""
    found = []
    for number, endorsement in enumerate(embedded_endorsements(document), start=1):
        if not _room(world):
            says = "It holds more endorsements than are looked at here."
            found.append(Finding("endorsements.more", Verdict.UNKNOWN, says, source=_ENDORSED))
            break
        found.append(_endorsement(f"endorsements.{number}", endorsement, document, world, depth))
    return tuple(found)


def _endorsement(id: str, endorsement: Any, document: Mapping[str, Any], world: World, depth: int) -> Finding:
    if not isinstance(endorsement, Mapping):
        says = "It holds an endorsement in a form that cannot be checked here yet."
        return Finding(id, Verdict.UNKNOWN, says, source=_ENDORSED)
    name, who = issuer_name(endorsement), known_as(endorsement)
    about = [_id(subject) for subject in listed(endorsement.get("credentialSubject"))]
    report = _inner(endorsement, world, None, depth)
    because = {
        "issuer": plain(issuer_id(endorsement), 300),
        "about": [plain(subject, 300) for subject in about[:5]],
        "findings": _summary(report),
    }

    def finding(verdict: Verdict, says: str, *, required: bool = True) -> Finding:
        return Finding(id, verdict, sentence(says), required, because, _ENDORSED)

    hard = [f for f in report.failed() if not f.id.startswith(_SOFT)]
    if hard:
        return finding(Verdict.FAIL, f"An endorsement in the name of {who} does not hold. {hard[0].says}")
    if kind_of(endorsement) != "EndorsementCredential":
        return finding(Verdict.FAIL, f"What stands as an endorsement by {who} is not one.")
    can_be = _can_be_endorsed(document)
    strange = [subject for subject in about if subject not in can_be]
    if strange or not about:
        what = plain(strange[0] if strange else "") or "nothing"
        return finding(Verdict.FAIL, f"The endorsement by {who} is about something else ({what}).")
    if report.failed():
        says = f"The endorsement by {who} no longer counts; the credential stands without it."
        return finding(Verdict.UNKNOWN, f"{says} {report.failed()[0].says}", required=False)
    if report.verdict is not Verdict.PASS:
        why = report.unknown()[0].says if report.unknown() else ""
        return finding(Verdict.UNKNOWN, f"Whether {who} endorses it cannot be told. {why}".strip())
    what = " and ".join(dict.fromkeys(can_be[subject] for subject in about))
    if issuer_id(endorsement) == issuer_id(document):
        return finding(Verdict.PASS, f"Its own issuer, {name}, endorses {what}.")
    return finding(Verdict.PASS, f"{who} endorses {what}, and signed that.")


def _can_be_endorsed(document: Mapping[str, Any]) -> dict[str, str]:
    """id -> what it is in words, for all that an endorsement inside may be about (Open Badges 3.0: "the
    credential, and the achievement and profiles in the credential").
    """
    found = {_id(document): "this credential", issuer_id(document): "its issuer"}
    for subject in listed(document.get("credentialSubject")):
        for achievement in listed(subject.get("achievement")) if isinstance(subject, Mapping) else []:
            found.setdefault(_id(achievement), "the achievement")
            if isinstance(achievement, Mapping):
                found.setdefault(_id(achievement.get("creator")), "the achievement's creator")
    found.pop("", None)
    return found


def _id(value: Any) -> str:
    if isinstance(value, Mapping):
        value = value.get("id")
    return value if isinstance(value, str) else ""


# --- Step 8: the credentials of a transcript ---

_CLR = "Comprehensive Learner Record 2.0, verification of embedded credentials"


def _components(document: Mapping[str, Any], world: World, recipient: str | None, depth: int) -> tuple[Finding, ...]:
    """One finding for each credential inside a transcript."""
    found = []
    subjects = [s for s in listed(document.get("credentialSubject")) if isinstance(s, Mapping)]
    parts = [part for subject in subjects for part in listed(subject.get("verifiableCredential"))]
    for number, part in enumerate(parts, start=1):
        if not _room(world):
            says = "It holds more credentials than are looked at here."
            found.append(Finding("components.more", Verdict.UNKNOWN, says, source=_CLR))
            break
        found.append(_component(f"components.{number}", part, subjects, world, recipient, depth))
    return tuple(found)


def _component(
    id: str,
    part: Any,
    holders: list[Mapping[str, Any]],
    world: World,
    recipient: str | None,
    depth: int,
) -> Finding:
    if not isinstance(part, Mapping) or _form(part):
        says = "It holds a credential in a form that cannot be checked here yet."
        return Finding(id, Verdict.UNKNOWN, says, source=_CLR)
    report, name = _inner(part, world, recipient, depth), _title(part)
    same = _same_holder(part, holders) if recipient is None else _recipient(part, recipient)
    report = report.plus(same)
    because = {"id": plain(_id(part), 300), "findings": _summary(report)}
    match report.verdict:
        case Verdict.PASS:
            says = f"{name}: it holds."
        case Verdict.FAIL:
            says = f"{name}: it does not hold. {report.failed()[0].says}"
        case _:
            why = report.unknown()[0].says if report.unknown() else ""
            says = f"{name}: whether it holds cannot be told. {why}".strip()
    return Finding(id, report.verdict, sentence(says), because=because, source=_CLR)


def _same_holder(part: Mapping[str, Any], holders: list[Mapping[str, Any]]) -> Finding:
    """Whether a credential inside is made out to the one whom the whole is about. Hashes with different salts
    cannot be compared: then somebody has to ask for a recipient.
    """
    inner = [s for s in listed(part.get("credentialSubject")) if isinstance(s, Mapping)]
    ours, theirs = ({_id(s) for s in found if _id(s)} for found in (holders, inner))
    if ours and theirs and not ours & theirs:
        says = "It is made out to another identifier than the transcript; it may be another person's."
        return Finding("recipient", Verdict.UNKNOWN, says, source=_CLR)
    says = "Nothing says that it is another person's."
    return Finding("recipient", Verdict.NOT_APPLICABLE, says, source=_CLR)


def _room(world: World) -> bool:
    """Whether one more document inside may be looked at; if so, it counts."""
    world.parts += 1
    return world.parts <= MOST_PARTS


def _inner(document: Mapping[str, Any], world: World, recipient: str | None, depth: int) -> Report:
    """The report about a document inside another, which is not followed for ever."""
    if depth >= DEEPEST:
        says = f"It lies more than {DEEPEST} credentials deep, which is not looked at."
        return Report("", (Finding("document.readable", Verdict.UNKNOWN, says),))
    return Report(_title(document), _verify(document, world, recipient, depth + 1))


def _summary(report: Report) -> list[dict[str, str]]:
    return [{"id": f.id, "verdict": f.verdict.value, "says": f.says} for f in report.findings]


# --- Step 9: the recipient ---


def _recipient(document: Mapping[str, Any], recipient: str | None) -> Finding:
    """The subject's id, or one of its identifiers of the kind asked for, plain or hashed with its salt."""
    source = "Open Badges 3.0, Verify the Recipient Using an Identifier"
    if recipient is None:
        says = "Nobody asked whose it is."
        return Finding("recipient", Verdict.NOT_APPLICABLE, says, source=source)
    subjects = [s for s in listed(document.get("credentialSubject")) if isinstance(s, Mapping)]
    same = [hit for subject in subjects for hit in _comparisons(subject, recipient.strip())]
    if any(same):
        return Finding("recipient", Verdict.PASS, f"It is made out to {plain(recipient)}.", source=source)
    if same:
        return Finding("recipient", Verdict.FAIL, f"It is not made out to {plain(recipient)}.", source=source)
    says = f"Whether it is made out to {plain(recipient)} cannot be told: it names its holder in another way."
    return Finding("recipient", Verdict.UNKNOWN, says, source=source)


def _comparisons(subject: Mapping[str, Any], wanted: str) -> list[bool]:
    """Each way in which the subject is named that can be compared with `wanted`, and whether it is the same."""
    address = bool(re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", wanted))
    email = "@" in wanted and not address
    forms = dict.fromkeys((wanted, plain_email(wanted) if email else plain_name(wanted)))
    found = []
    id = _id(subject)
    if id and (address or (id.startswith("mailto:") and email)):
        found.append(id in (wanted, f"mailto:{wanted}"))
    for entry in listed(subject.get("identifier")):
        kind = entry.get("identityType") if isinstance(entry, Mapping) else None
        if isinstance(kind, str) and (kind == "emailAddress") == email and not (kind == "name" and address):
            found.append(any(same_identity(entry, form) for form in forms))
    return found
