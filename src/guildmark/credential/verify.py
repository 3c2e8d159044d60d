"""Whether a credential holds: every question on its own, answered in words that a recruiter understands.

The steps, numbered as in the code (Open Badges 3.0 "OpenBadgeCredential Verification"; VC Data Model 2.0
section 7.1; Data Integrity 1.0 section 4.6):

1. read it: JSON, or a PNG or SVG badge that carries it;
2. structure: is this a credential, with what its kind needs, and does it fit the schemas that it names;
3. context, losslessness, signature, key: who signed, was it the issuer, and does the signature cover
   everything;
4. status: was it suspended or revoked since;
5. dates: is it in force at the moment asked about;
6. what it links to by digest, evidence too: is it still what was signed;
7. endorsements inside it: verified by these same steps, and about something in it;
8. credentials inside it (a transcript): verified by these same steps;
9. the recipient, if one was asked about;
10. the log, if a receipt was handed in: is this document an entry of one that is trusted.

A credential that names its issuer's refresh service is then refreshed, once (`refresh`); the newer edition is judged by
the same steps. One that takes the place of another says so (`replacement`).

A badge of version 2 has rules of its own, in `open_badge_2`, and findings of the same names.

What cannot be told is unknown and never passes. Two things are advice, since the credential stands without them:
a linked document that is out of reach, and an endorsement that ran out or was withdrawn. Work is bounded: bytes,
values, documents inside, fetches; what lies beyond a bound is unknown and said.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from typing import Any

from guildmark.core.codecs import parse_json
from guildmark.core.doors import Fetcher
from guildmark.core.errors import BrokenInput, OutsideFailure
from guildmark.core.report import Finding, Report, Verdict
from guildmark.credential.endorsement import embedded_endorsements
from guildmark.credential.envelope import (
    DATA_INTEGRITY,
    Opened,
    UnknownEnvelope,
    is_enveloped,
    is_token,
    open_envelope,
    open_token,
)
from guildmark.credential.fast_lane import quick_findings, remember
from guildmark.credential.integrity import digest_holds, inside_data_url, tells_digest
from guildmark.credential.jose import Token
from guildmark.credential.jsonld import ContextSet, context_sets
from guildmark.credential.known_structure import known_structure
from guildmark.credential.open_badge import plain_email, plain_name, same_identity
from guildmark.credential.open_badge_2 import holder, is_assertion, signed_assertion, verify_assertion
from guildmark.credential.read_status import status_findings
from guildmark.credential.refresh import newer_edition
from guildmark.credential.replacement import is_replacement, replacement_findings
from guildmark.credential.sd_jwt import key_binding_finding
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
from guildmark.credential.structure import Strictness, kind_of, structure_finding
from guildmark.ledger.receipt import Trust, ledger_findings

LARGEST = 5_000_000
"""Bytes that a credential may have, image included."""

DEEPEST = 3
"""How far credentials within credentials are followed: a transcript, its badges, their endorsements."""

MOST_PARTS = 100
"""Credentials and endorsements inside one document, at any depth; more are not looked at, and the report says so."""

MOST_RELATED = 10
"""Linked documents that are fetched for one credential."""


def verify_credential(
    document: bytes,
    *,
    now: datetime,
    fetcher: Fetcher,
    recipient: str | None = None,
    audience: str | None = None,
    nonce: str | None = None,
    receipt: bytes | str | None = None,
    log_keys: Trust = (),
    profile: Strictness = "tolerant",
    any_kind: bool = False,
    sets: tuple[ContextSet, ...] | None = None,
) -> Report:
    """What is found about a signed credential (JSON, a token, or a badge image that carries one) at the moment `now`.

    `recipient` (an e-mail address, a DID, a name or another identifier) asks whether the credential is this
    person's; `audience` and `nonce`, whether its holder signed that it is shown to this verifier, now (`proof.holder`).
    `receipt` (a C2SP tlog-proof) asks whether it is in the log, `log_keys` are those of the logs that are trusted.
    Lists, keys and linked documents are read through `fetcher`. `profile` says whether what others commonly write and
    what cannot be misread is forgiven (`tolerant`), or nothing is (`strict`). `any_kind` asks of a kind that is not
    known here no more than the VC Data Model does; `sets` are other contexts than the shipped ones, for the suites of
    others.

    BrokenInput if the document cannot be read at all: not JSON, a key twice in one object, nested too deeply, too
    large, an image without a credential.
    """
    world = World(now, fetcher, sets or context_sets(), any_kind, profile)
    report = _report(document, world, recipient, audience, nonce)
    return report if receipt is None else report.plus(*_receipt(document, receipt, log_keys))


def verify_credentials(
    documents: Iterable[bytes],
    *,
    now: datetime,
    fetcher: Fetcher,
    profile: Strictness = "tolerant",
    sets: tuple[ContextSet, ...] | None = None,
) -> Iterator[Report | BrokenInput]:
    """The report about each document, in their order, as `verify_credential` gives it; its error for one that cannot be
    read. Keys and status lists are fetched and verified once for all of them.
    """
    world = World(now, fetcher, sets or context_sets(), profile=profile)
    for document in documents:
        world.begin_another()
        try:
            yield _report(document, world, None, None, None)
        except BrokenInput as problem:
            yield problem


def verify_and_read(
    document: bytes, *, now: datetime, fetcher: Fetcher, recipient: str | None = None
) -> tuple[Report, Mapping[str, Any] | None]:
    """The report of `verify_credential`, and the document that it is about: the one at hand, or the newer edition that
    its refresh service had; None for what is no credential of the W3C's kind. BrokenInput if it cannot be read at all.
    """
    return _judge(document, World(now, fetcher, context_sets()), recipient, None, None)


def _report(document: bytes, world: World, recipient: str | None, audience: str | None, nonce: str | None) -> Report:
    return _judge(document, world, recipient, audience, nonce)[0]


def _judge(
    document: bytes, world: World, recipient: str | None, audience: str | None, nonce: str | None
) -> tuple[Report, Mapping[str, Any] | None]:
    """(the report, the document that it is about); None for a form that is not opened here."""
    data, where_from = _take_out(bytes(document))
    opened = _open(data, world.profile)
    if isinstance(opened, str):
        second = _second(data)
        if second is None:
            return _other_form(opened), None
        assertion, badge_token = second
        report = verify_assertion(assertion, world, badge_token)
        return report.plus(_recipient({"credentialSubject": holder(assertion)}, recipient)), None
    what = "document" if opened.token is None else "token"
    readable = _readable(f"It is a readable {what}{where_from}.")
    shown = _holder(opened, audience, nonce, world.now)
    findings = _verify(opened, world, recipient, 0)
    if "refreshService" in opened.document:
        opened, findings = _refreshed(opened, findings, world, recipient)
    whose = _recipient(opened.document, recipient, opened.hidden)
    return Report(_title(opened.document), (readable, *findings, *shown, whose)), opened.document


def _refreshed(
    opened: Opened, findings: tuple[Finding, ...], world: World, recipient: str | None
) -> tuple[Opened, tuple[Finding, ...]]:
    """The newer edition with the findings about it, or the credential at hand with those given."""

    def read(data: bytes) -> Opened | str:
        return _open(data, world.profile) if len(data) <= LARGEST else "too large"

    newer, told = newer_edition(
        opened.document, findings, world, read, lambda found: _verify(found, world, recipient, 0)
    )
    return newer or opened, told


@lru_cache(maxsize=16)
def _readable(says: str) -> Finding:
    return Finding("document.readable", Verdict.PASS, says)


def part_report(part: Any, world: World) -> Report | str | None:
    """The report about a credential that stands in a document which is none itself, such as a presentation; why it
    cannot be looked at, in words; None if `world` has no room for one more.
    """
    if not _room(world):
        return None
    opened = _part(part, world.profile)
    return opened if isinstance(opened, str) else _inner(opened, world, None, 0)


def document_inside(document: bytes) -> Mapping[str, Any]:
    """The document that is JSON, that a token holds or that a PNG or SVG badge carries, as a value; BrokenInput if it
    cannot be read.
    """
    data = _take_out(bytes(document))[0]
    opened = _open(data)
    return _parse(data) if isinstance(opened, str) and not is_token(data.strip()) else _taken(opened)


# --- Step 1: read it ---


def _second(data: bytes) -> tuple[Mapping[str, Any], Token | None] | None:
    """An Assertion of Open Badges 2, with its token if it is signed; None for anything else."""
    if is_token(data.strip()):
        token = signed_assertion(data)
        return (token.claims, token) if token is not None else None
    value = _parse(data)
    return (value, None) if is_assertion(value) else None


def _open(data: bytes, profile: Strictness = "tolerant") -> Opened | str:
    """The document in its envelope, or what it is if its form is not checked here; BrokenInput if it is unreadable."""
    try:
        if is_token(data.strip()):
            opened = open_token(data.strip().decode("ascii"), strict=profile == "strict")
            if not {"@context", "credentialSubject", "verifiableCredential"} & set(opened.document):
                return "It is a token without a credential of the W3C's kind in it"
        else:
            value = _parse(data)
            if not is_enveloped(value):
                return _form(value) or Opened(DATA_INTEGRITY, value)
            opened = open_envelope(value, strict=profile == "strict")
    except UnknownEnvelope:
        return "It is a credential packed in an envelope of another kind"
    except BrokenInput as problem:
        raise BrokenInput(problem.what, where="credential", hint=problem.hint or "copy the whole token") from problem
    return _form(opened.document) or opened


def _taken(opened: Opened | str) -> Mapping[str, Any]:
    if isinstance(opened, str):
        raise BrokenInput("is a token without a credential in it", where="credential", hint="paste the credential")
    return opened.document


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
        data.decode("utf-8")
    except UnicodeDecodeError as problem:
        raise BrokenInput(
            "is neither JSON text nor a PNG or SVG image",
            where="credential",
            hint="choose the file that its issuer sent",
        ) from problem
    value = parse_json(data, where="credential")
    if not isinstance(value, Mapping):
        raise BrokenInput("is JSON, but not a document", where="credential", hint="a credential begins with {")
    return value


_OPEN_BADGES_2 = {"https://w3id.org/openbadges/v1", "https://w3id.org/openbadges/v2"}


def _form(document: Mapping[str, Any]) -> str:
    """What a document is whose form is known, but not checked here; "" for a credential."""
    types, contexts = listed(document.get("type")), listed(document.get("@context"))
    if "EnvelopedVerifiableCredential" in types:  # in a token: one envelope is opened, not one in another
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


def _verify(opened: Opened, world: World, recipient: str | None, depth: int) -> tuple[Finding, ...]:
    document = opened.document
    fit = world.fit(document) if opened.token is None else None
    quick = quick_findings(document, fit, world) if fit is not None else None
    if quick is not None:
        return quick
    signed = look_at_signature(document, world, opened)
    others = (
        *replacement_findings(document),
        *_related(document, world),
        *_evidence(document, world),
        *_schemas(document, world),
        *_endorsements(document, world, depth),
        *_components(document, world, recipient, depth),
    )
    if fit is not None and not others and signed.signature.verdict is Verdict.PASS:
        remember(fit, signed.context, signed.lossless)
    return (
        *_kept_back((_structure(document, world),), opened),
        *signed.findings,
        *_kept_back((*_status_claim(status_findings(document, world), opened), dates(document, world.now)), opened),
        *others,
    )


def _structure(document: Mapping[str, Any], world: World) -> Finding:
    plainly = _with_components(document)
    if plainly is document:
        return known_structure(document, world.fit(document), world.profile, any_kind=world.any_kind)
    return structure_finding(plainly, world.profile, any_kind=world.any_kind)


def _with_components(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """The document with the credentials of a transcript out of their tokens, so that its associations can be told."""
    subject = document.get("credentialSubject")
    parts = subject.get("verifiableCredential") if isinstance(subject, Mapping) else None
    if not any(isinstance(part, str) or (isinstance(part, Mapping) and is_enveloped(part)) for part in listed(parts)):
        return document
    assert isinstance(subject, Mapping)
    found = [_part(part) for part in listed(parts)[:MOST_PARTS]]
    plainly = [{} if isinstance(part, str) else part.document for part in found]
    return {**document, "credentialSubject": {**subject, "verifiableCredential": plainly}}


def _status_claim(findings: tuple[Finding, ...], opened: Opened) -> tuple[Finding, ...]:
    """A token may say in a claim where its status stands (Token Status List): then that decides too."""
    if opened.token is None or "status" not in opened.token.claims:
        return findings
    says = "Whether it was withdrawn cannot be told: its token names a status of a kind not known here."
    told = Finding("status.revocation", Verdict.UNKNOWN, says, source="Token Status List, 6 Referenced Token")
    rest = tuple(f for f in findings if f.verdict is not Verdict.NOT_APPLICABLE)
    return (replace(told, id="status.token"), *rest) if rest else (told,)


def _kept_back(findings: tuple[Finding, ...], opened: Opened) -> tuple[Finding, ...]:
    """What cannot be told of a credential whose holder may keep parts of it back: that it is incomplete, and that
    it has no end or no status entry. Unknown is never pass.
    """
    if not opened.hidden or opened.token is None:
        return findings
    outside, told = () in opened.hidden, []
    for finding in findings:
        says = ""
        if finding.id == "document.structure" and finding.verdict is Verdict.FAIL:
            says = f"Parts of it may be kept back, so whether it is complete cannot be told. {finding.says}"
        elif finding.id == "status.revocation" and finding.verdict is Verdict.NOT_APPLICABLE and outside:
            says = "Whether it can be withdrawn cannot be told: parts of it may be kept back."
        elif finding.id == "validity.dates" and finding.verdict is not Verdict.FAIL and outside:
            ends = {"validUntil", "expirationDate"} & set(opened.document) or "exp" in opened.token.claims
            says = "" if ends else "Whether it ran out cannot be told: parts of it may be kept back."
        told.append(replace(finding, verdict=Verdict.UNKNOWN, says=sentence(says)) if says else finding)
    status = any(path[:1] == ("credentialStatus",) for path in opened.hidden)
    if status and any(finding.id.startswith("status.") for finding in told):
        says = "Whether it was withdrawn cannot be told: a part of its status is kept back."
        told.append(Finding("status.hidden", Verdict.UNKNOWN, says, source="VC-JOSE-COSE 1.0, 3.2.1"))
    return tuple(told)


def _holder(opened: Opened, audience: str | None, nonce: str | None, now: datetime) -> tuple[Finding, ...]:
    """`proof.holder`, for what a holder may sign, and wherever somebody asks for that."""
    if opened.sd_jwt is not None:
        return (key_binding_finding(opened.sd_jwt, audience=audience, nonce=nonce, now=now),)
    if audience is None and nonce is None:
        return ()
    says = "Its holder did not sign that it is shown here and now."
    return (Finding("proof.holder", Verdict.FAIL, says, source="VC Data Model 2.0, 4.13 Verifiable Presentations"),)


def _part(part: Any, profile: Strictness = "tolerant") -> Opened | str:
    """A credential inside a document: plain, or in a token; or why it cannot be looked at, in words."""
    if isinstance(part, str) and is_token(part.encode("utf-8", "replace")):
        part = {"type": "EnvelopedVerifiableCredential", "id": f"data:application/jwt,{part}"}
    if not isinstance(part, Mapping):
        return "in a form that cannot be checked here yet"
    try:
        opened = open_envelope(part, strict=profile == "strict")
    except UnknownEnvelope:
        return "in a form that cannot be checked here yet"
    except BrokenInput as problem:
        return f"in a token that cannot be read ({plain(problem.what)})"
    return "in a form that cannot be checked here yet" if _form(opened.document) else opened


def _schemas(document: Mapping[str, Any], world: World) -> tuple[Finding, ...]:
    """Open Badges 3.0, Verification step 1: the JSON Schemas that it names."""
    if "credentialSchema" not in document:
        return ()
    from guildmark.credential.schema import schema_findings

    return schema_findings(document, world)


def _title(document: Mapping[str, Any]) -> str:
    first = next((s for s in listed(document.get("credentialSubject")) if isinstance(s, Mapping)), {})
    achievement = first.get("achievement")
    inner = achievement.get("name") if isinstance(achievement, Mapping) else None
    return _title_of(words(document.get("name")) or words(inner), issuer_name(document))


@lru_cache(maxsize=512)
def _title_of(name: str, issuer: str) -> str:
    what = f"“{plain(name)}”" if name else "A credential"
    return f"{what}, issued by {issuer}"


def _related(document: Mapping[str, Any], world: World) -> tuple[Finding, ...]:
    """Step 6: linked documents whose digest was signed."""
    entries = listed(document.get("relatedResource"))
    found = [_resource(f"related.{n}", entry, world) for n, entry in enumerate(entries[:MOST_RELATED], start=1)]
    if len(entries) > MOST_RELATED:
        says = f"It names more than {MOST_RELATED} linked documents; the rest was not looked at."
        found.append(Finding("related.more", Verdict.UNKNOWN, says, required=False, source=_RELATED))
    return tuple(found)


_RELATED = "VC Data Model 2.0, 5.3 Integrity of Related Resources"


MOST_EVIDENCE = 10
"""Pieces of evidence with a digest that are looked at in one credential."""

_EVIDENCE = "VC Data Model 2.0, 5.6 Evidence, and 5.3 Integrity of Related Resources; Open Badges 3.0, Evidence"


def _evidence(document: Mapping[str, Any], world: World) -> tuple[Finding, ...]:
    """Step 6 for evidence that has a digest of its own, behind an address or in a data: URL. The rest is no more than
    an address: it may stand among the linked documents, and nothing was signed about what lies there if not.
    """
    entries = listed(document.get("evidence"))
    told = [
        (n, e)
        for n, e in enumerate(entries, start=1)
        if isinstance(e, Mapping) and _DIGESTS & e.keys() and not is_replacement(e)  # which is its holder's alone
    ]
    found = [_resource(f"evidence.{n}", e, world, "evidence", _EVIDENCE) for n, e in told[:MOST_EVIDENCE]]
    if len(told) > MOST_EVIDENCE:
        says = f"It has a digest for more than {MOST_EVIDENCE} pieces of evidence; the rest was not looked at."
        found.append(Finding("evidence.more", Verdict.UNKNOWN, says, required=False, source=_EVIDENCE))
    return tuple(found)


_DIGESTS = {"digestSRI", "digestMultibase"}


def _resource(id: str, entry: Any, world: World, what: str = "document", source: str = _RELATED) -> Finding:
    url = entry.get("id") if isinstance(entry, Mapping) else None

    def finding(verdict: Verdict, says: str) -> Finding:
        because = {"url": plain(url, 300)} if isinstance(url, str) else {}
        told = verdict is not Verdict.UNKNOWN  # the credential stands without what it only points at
        return Finding(id, verdict, sentence(says), required=told, because=because, source=source)

    if not isinstance(url, str) or not isinstance(entry, Mapping) or not tells_digest(entry):
        return finding(Verdict.UNKNOWN, f"It links to {_A[what]} without a digest that can be checked here.")
    where = "it holds itself" if url.startswith("data:") else f"at {plain(url)}"
    try:
        body = inside_data_url(url) if url.startswith("data:") else world.fetch(url).body
    except OutsideFailure as problem:
        return finding(Verdict.UNKNOWN, f"{_A[what].capitalize()} that it links to is out of reach. {problem}")
    except BrokenInput as problem:
        return finding(Verdict.UNKNOWN, f"The {what} that it holds itself cannot be read: {plain(problem.what)}.")
    if digest_holds(entry, body):
        return finding(Verdict.PASS, f"The {what} {where} is the one that was signed.")
    return finding(Verdict.FAIL, f"The {what} {where} was changed after this was signed.")


_A = {"document": "a document", "evidence": "evidence"}


# --- Step 7: endorsements ---

_SOFT = ("status.", "validity.", "related.")
"""Findings by which an endorsement no longer counts, without anybody having done wrong."""

_ENDORSED = "Open Badges 3.0, EndorsementCredential Verification"


def _endorsements(document: Mapping[str, Any], world: World, depth: int) -> tuple[Finding, ...]:
    """One finding for each endorsement anywhere in the document, but not in credentials inside it."""
    fit = world.fit(document)
    if fit is not None and fit.known.memory.get("endorsements") == 0:
        return ()  # whether there are any is a matter of the shape alone
    found = []
    all_of_them = list(embedded_endorsements(document))
    if fit is not None:
        fit.known.memory["endorsements"] = len(all_of_them)
    for number, endorsement in enumerate(all_of_them, start=1):
        if not _room(world):
            says = "It holds more endorsements than are looked at here."
            found.append(Finding("endorsements.more", Verdict.UNKNOWN, says, source=_ENDORSED))
            break
        found.append(_endorsement(f"endorsements.{number}", endorsement, document, world, depth))
    return tuple(found)


def _endorsement(id: str, endorsement: Any, document: Mapping[str, Any], world: World, depth: int) -> Finding:
    opened = _part(endorsement, world.profile)
    if isinstance(opened, str):
        says = sentence(f"It holds an endorsement {opened}")
        return Finding(id, Verdict.UNKNOWN, says, source=_ENDORSED)
    endorsement = opened.document
    name, who = issuer_name(endorsement), known_as(endorsement)
    about = [_id(subject) for subject in listed(endorsement.get("credentialSubject"))]
    report = _inner(opened, world, None, depth)
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
    opened = _part(part, world.profile)
    if isinstance(opened, str):
        return Finding(id, Verdict.UNKNOWN, sentence(f"It holds a credential {opened}"), source=_CLR)
    part = opened.document
    report, name = _inner(opened, world, recipient, depth), _title(part)
    same = _same_holder(part, holders) if recipient is None else _recipient(part, recipient, opened.hidden)
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


def _inner(opened: Opened, world: World, recipient: str | None, depth: int) -> Report:
    """The report about a document inside another, which is not followed for ever."""
    if depth >= DEEPEST:
        says = f"It lies more than {DEEPEST} credentials deep, which is not looked at."
        return Report("", (Finding("document.readable", Verdict.UNKNOWN, says),))
    return Report(_title(opened.document), _verify(opened, world, recipient, depth + 1))


def _summary(report: Report) -> list[dict[str, str]]:
    return [{"id": f.id, "verdict": f.verdict.value, "says": f.says} for f in report.findings]


# --- Step 9: the recipient ---


_NOBODY_ASKED = Finding(
    "recipient",
    Verdict.NOT_APPLICABLE,
    "Nobody asked whose it is.",
    source="Open Badges 3.0, Verify the Recipient Using an Identifier",
)


def _recipient(
    document: Mapping[str, Any], recipient: str | None, hidden: tuple[tuple[str | int, ...], ...] = ()
) -> Finding:
    """The subject's id, or one of its identifiers of the kind asked for, plain or hashed with its salt. The right one
    may stand in what is kept back (`hidden`).
    """
    source = "Open Badges 3.0, Verify the Recipient Using an Identifier"
    if recipient is None:
        return _NOBODY_ASKED
    subjects = [s for s in listed(document.get("credentialSubject")) if isinstance(s, Mapping)]
    same = [hit for subject in subjects for hit in _comparisons(subject, recipient.strip())]
    if any(same):
        return Finding("recipient", Verdict.PASS, f"It is made out to {plain(recipient)}.", source=source)
    if same and not any(path[:1] in ((), ("credentialSubject",)) for path in hidden):
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


# --- Step 10: the log ---


def _receipt(document: bytes, receipt: bytes | str, log_keys: Trust) -> tuple[Finding, ...]:
    """What the receipt says about the document that was handed in: `ledger.receipt` and what follows from it."""
    data = _take_out(bytes(document))[0]
    if not is_token(data.strip()):
        return ledger_findings(data, receipt, vkey=log_keys).findings
    says = "A receipt is about a signed document; whether one of the same content is in the log, a token cannot tell."
    return (Finding("ledger.inclusion", Verdict.UNKNOWN, says, source="C2SP tlog-proof, Verifying a tlog proof"),)
