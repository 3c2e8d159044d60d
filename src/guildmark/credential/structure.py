"""Whether a document is what Open Badges 3.0 and CLR 2.0 say it must be, beyond what their JSON Schemas check.

The published schemas accept a credential whose context is a stranger's, whose type is anything and whose
results point nowhere. Here each rule of the data model is a rule:

1. context: the credentials context first, then the Open Badges one (and the CLR one for a ClrCredential);
2. type: VerifiableCredential, and the kind of credential that the subject's type fits;
3. required members, each of the right shape; nothing is null or an empty list. That a set is written as a
   list is the canonical form, and advice only, since the published schemas allow a single object too;
4. the subject has an id or an identifier, and an identifier is a closed object with a well-formed hash;
5. the achievement has its criteria; alignments have a name and an absolute address;
6. words of closed vocabularies are of them, or begin with `ext:`;
7. each result points into the achievement, its level into that rubric, its value into the bounds;
8. dates have a zone and are in order; there is at most one status; related resources carry a digest;
9. embedded endorsements and credentials are checked by the same rules; an endorsement is about this
   credential, its issuer or its achievement; a CLR's association joins at least one achievement that is in it.

Sources: 1EdTech Open Badges 3.0 "Data Model" and "Serialization"; CLR 2.0 schema; W3C VC Data Model 2.0
sections 4 and 5.3.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any
from urllib.parse import urlsplit

from guildmark.core.codecs import parse_iso
from guildmark.core.errors import BrokenInput
from guildmark.core.report import Finding, Report, Verdict
from guildmark.credential.clr import CLR
from guildmark.credential.endorsement import embedded_endorsements
from guildmark.credential.open_badge import CREDENTIALS_V2

_CREDENTIALS_V1 = "https://www.w3.org/2018/credentials/v1"
_OPEN_BADGES = re.compile(r"https://purl\.imsglobal\.org/spec/ob/v3p0/context(-3\.\d\.\d)*\.json")
_MOST_NESTED = 100
"""Embedded credentials and endorsements that are looked into; no honest document has more."""

ACHIEVEMENT_TYPES = frozenset(
    ["Achievement", "ApprenticeshipCertificate", "Assessment", "Assignment", "AssociateDegree", "Award", "Badge", "BachelorDegree", "Certificate", "CertificateOfCompletion", "Certification", "CommunityService", "Competency", "Course", "CoCurricular", "Degree", "Diploma", "DoctoralDegree", "Fieldwork", "GeneralEducationDevelopment", "JourneymanCertificate", "LearningProgram", "License", "Membership", "ProfessionalDoctorate", "QualityAssuranceCredential", "MasterCertificate", "MasterDegree", "MicroCredential", "ResearchDoctorate", "SecondarySchoolDiploma"]
)
RESULT_TYPES = frozenset(
    ["GradePointAverage", "LetterGrade", "Percent", "PerformanceLevel", "PredictedScore", "RawScore", "Result", "RubricCriterion", "RubricCriterionLevel", "RubricScore", "ScaledScore", "Status"]
)
RESULT_STATUSES = frozenset(["Completed", "Enrolled", "Failed", "InProgress", "OnHold", "Provisional", "Withdrew"])
TARGET_TYPES = frozenset(
    ["ceasn:Competency", "ceterms:Credential", "CFItem", "CFRubric", "CFRubricCriterion", "CFRubricCriterionLevel", "CTDL"]
)
IDENTITY_TYPES = frozenset(
    ["name", "sourcedId", "systemId", "productId", "userName", "accountId", "emailAddress", "nationalIdentityNumber", "isbn", "issn", "lisSourcedId", "oneRosterSourcedId", "sisSourcedId", "ltiContextId", "ltiDeploymentId", "ltiToolId", "ltiPlatformId", "ltiUserId", "identifier"]
)
ASSOCIATION_TYPES = frozenset(
    ["exactMatchOf", "isChildOf", "isParentOf", "isPartOf", "isPeerOf", "isRelatedTo", "precedes", "replacedBy"]
)

_TITLES = {
    "context": "The contexts are those of the standard, in order",
    "type": "It says which kind of credential it is",
    "members": "What must be there is there, in the right shape",
    "subject": "It says to whom it belongs",
    "achievement": "The achievement is described",
    "vocabulary": "Words of closed vocabularies are of them",
    "results": "Each result points to what was assessed",
    "dates": "Dates have a time zone and are in order",
    "status": "There is at most one status entry, and it is complete",
    "related": "Related resources carry a digest",
    "embedded": "Embedded credentials and endorsements are well-formed and belong here",
    "form": "It is written in the canonical form",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is not as the standard says: its rule, where it stands, what is wrong."""

    rule: str
    path: str
    says: str


def structure_report(document: Mapping[str, Any]) -> Report:
    """One finding for each rule (`structure.context`, ...): PASS, or FAIL naming the places. Never raises on data."""
    found: dict[str, list[Problem]] = {}
    for problem in structure_problems(document):
        found.setdefault(problem.rule, []).append(problem)
    return Report("Structure", tuple(_finding(rule, found.get(rule, [])) for rule in _TITLES))


def structure_problems(document: Mapping[str, Any]) -> tuple[Problem, ...]:
    """Everything that is not as the standards say, in the order of reading; at most 200."""
    return tuple(islice(_credential(document, ""), 200))


def _finding(rule: str, problems: list[Problem]) -> Finding:
    source = "Open Badges 3.0, Data Model"
    if not problems:
        return Finding(f"structure.{rule}", Verdict.PASS, f"{_TITLES[rule]}.", source=source)
    places = "; ".join(f"{p.path or 'document'} {p.says}" for p in problems[:3])
    more = f"; and {len(problems) - 3} more" if len(problems) > 3 else ""
    if rule == "form":  # the published schemas allow both forms, so this is advice
        says = f"Readable, but not the canonical form: {places}{more}."
        return Finding("structure.form", Verdict.UNKNOWN, says, required=False, source=source)
    because = {"problems": [f"{p.path or 'document'} {p.says}" for p in problems[:20]]}
    return Finding(
        f"structure.{rule}", Verdict.FAIL, f"Not so: {places}{more}.", because=because, source=source
    )


# --- The credential ---


def _credential(document: Any, path: str) -> Iterator[Problem]:
    if not isinstance(document, Mapping):
        yield Problem("members", path, "is not an object")
        return
    types = _list(document.get("type"))
    kind = _kind(types)
    old = _CREDENTIALS_V1 in _list(document.get("@context"))
    yield from _context(document, kind, old, path)
    if "VerifiableCredential" not in types:
        yield Problem("type", _at(path, "type"), "does not name VerifiableCredential")
    if not kind:
        yield Problem(
            "type",
            _at(path, "type"),
            "names none of OpenBadgeCredential, EndorsementCredential, ClrCredential",
        )
    if not _url(document.get("id")):
        yield Problem("members", _at(path, "id"), "is not an absolute URL or URN")
    if kind in ("EndorsementCredential", "ClrCredential") and not _text(document.get("name")):
        yield Problem("members", _at(path, "name"), "is missing")
    yield from _profile(document.get("issuer"), _at(path, "issuer"), reference=True)
    yield from _dates(document, old, path)
    yield from _status(document, path)
    yield from _related(document, path)
    yield from _evidence(document, path)
    yield from _shape(document, path)
    match kind:
        case "OpenBadgeCredential":
            yield from _badge_subject(document, path)
            yield from _endorsements(document, path)
        case "EndorsementCredential":
            yield from _endorsement_subject(document, path)
        case "ClrCredential":
            yield from _clr_subject(document, path)
            yield from _endorsements(document, path)


def _kind(types: list[Any]) -> str:
    if "OpenBadgeCredential" in types or "AchievementCredential" in types:
        return "OpenBadgeCredential"
    return next((kind for kind in ("EndorsementCredential", "ClrCredential") if kind in types), "")


def _context(document: Mapping[str, Any], kind: str, old: bool, path: str) -> Iterator[Problem]:
    where, contexts = _at(path, "@context"), document.get("@context")
    if not isinstance(contexts, list) or not all(isinstance(c, str) for c in contexts):
        yield Problem("context", where, "is not a list of addresses")
        return
    if not contexts or contexts[0] not in (CREDENTIALS_V2, _CREDENTIALS_V1):
        yield Problem("context", where, f"does not begin with {CREDENTIALS_V2}")
    if kind == "ClrCredential" and not old and CLR not in contexts:
        yield Problem("context", where, f"does not name {CLR}")
    place = contexts[1:] if kind == "ClrCredential" or old else contexts[1:2]
    if kind and not any(_OPEN_BADGES.fullmatch(c) for c in place):
        yield Problem("context", where, "does not name the Open Badges 3.0 context after it")


def _profile(value: Any, path: str, *, reference: bool = False) -> Iterator[Problem]:
    if reference and isinstance(value, str):
        if not _url(value):
            yield Problem("members", path, "is not an absolute URL or DID")
        return
    if not isinstance(value, Mapping):
        yield Problem("members", path, "is missing")
        return
    if not _url(value.get("id")):
        yield Problem("members", _at(path, "id"), "is not an absolute URL or DID")
    if "Profile" not in _list(value.get("type")):
        yield Problem("members", _at(path, "type"), "does not name Profile")


def _dates(document: Mapping[str, Any], old: bool, path: str) -> Iterator[Problem]:
    begin, end = ("issuanceDate", "expirationDate") if old else ("validFrom", "validUntil")
    moments = {}
    for name in (begin, end, "awardedDate"):
        value = document.get(name)
        if value is None:
            if name == begin:
                yield Problem("dates", _at(path, name), "is missing")
            continue
        try:
            moments[name] = parse_iso(value)
        except BrokenInput as problem:
            yield Problem("dates", _at(path, name), f"cannot be read: {problem.what}")
    if begin in moments and end in moments and moments[end] <= moments[begin]:
        yield Problem("dates", _at(path, end), f"is not after {begin}")


def _status(document: Mapping[str, Any], path: str) -> Iterator[Problem]:
    status = document.get("credentialStatus")
    if status is None:
        return
    where = _at(path, "credentialStatus")
    if not isinstance(status, Mapping):
        yield Problem("status", where, "is not one object (Open Badges 3.0 has room for one)")
        return
    if not _list(status.get("type")):
        yield Problem("status", _at(where, "type"), "is missing")
    if "BitstringStatusListEntry" in _list(status.get("type")):
        if not _text(status.get("statusPurpose")):
            yield Problem("status", _at(where, "statusPurpose"), "is missing")
        index = status.get("statusListIndex")
        if not (isinstance(index, str) and re.fullmatch(r"[0-9]{1,15}", index)):
            yield Problem("status", _at(where, "statusListIndex"), "is not a number written as text")
        if not _url(status.get("statusListCredential")):
            yield Problem("status", _at(where, "statusListCredential"), "is not an absolute URL")


def _related(document: Mapping[str, Any], path: str) -> Iterator[Problem]:
    seen: set[str] = set()
    for where, entry in _entries(document, "relatedResource", path):
        if not isinstance(entry, Mapping) or not _url(entry.get("id")):
            yield Problem("related", where, "has no absolute id")
            continue
        if entry["id"] in seen:
            yield Problem("related", where, "stands twice")
        seen.add(entry["id"])
        if not _text(entry.get("digestSRI")) and not _text(entry.get("digestMultibase")):
            yield Problem("related", where, "has no digest")


def _evidence(document: Mapping[str, Any], path: str) -> Iterator[Problem]:
    for where, entry in _entries(document, "evidence", path):
        if not isinstance(entry, Mapping) or "Evidence" not in _list(entry.get("type")):
            yield Problem("members", where, "is not typed as Evidence")
        elif "id" in entry and not _url(entry["id"]):
            yield Problem("members", _at(where, "id"), "is not an absolute URL")


_SETS = (
    "alignment",
    "association",
    "endorsement",
    "evidence",
    "identifier",
    "related",
    "relatedResource",
    "result",
    "resultDescription",
    "rubricCriterionLevel",
    "tag",
    "verifiableCredential",
)


def _shape(document: Mapping[str, Any], path: str) -> Iterator[Problem]:
    """Nothing is null or an empty array; sets are arrays (Open Badges 3.0, "Serialization"). Iterative."""
    waiting: list[tuple[str, Any]] = [(path, document)]
    while waiting:
        where, value = waiting.pop()
        if isinstance(value, Mapping):
            for key, item in value.items():
                at = _at(where, str(key))
                if item is None or item == []:
                    yield Problem("members", at, "is null or empty; leave it out")
                elif key in _SETS and isinstance(item, Mapping):
                    yield Problem("form", at, "is one object where the canonical form is a list")
                if key not in ("endorsement", "verifiableCredential"):  # looked into by their own rules
                    waiting.append((at, item))
        elif isinstance(value, list):
            waiting.extend((f"{where}[{i}]", item) for i, item in enumerate(value))


# --- Subjects ---


def _badge_subject(document: Mapping[str, Any], path: str) -> Iterator[Problem]:
    where, subject = _at(path, "credentialSubject"), document.get("credentialSubject")
    if not isinstance(subject, Mapping):
        yield Problem("subject", where, "is not one object")
        return
    if "AchievementSubject" not in _list(subject.get("type")):
        yield Problem("subject", _at(where, "type"), "does not name AchievementSubject")
    yield from _belongs(subject, where)
    achievement = subject.get("achievement")
    yield from _achievement(achievement, _at(where, "achievement"))
    yield from _credits(subject, "creditsEarned", where)
    described = _described(achievement)
    for at, result in _entries(subject, "result", where):
        yield from _result(result, described, at)


def _belongs(subject: Mapping[str, Any], where: str) -> Iterator[Problem]:
    identifiers = list(_entries(subject, "identifier", where))
    if "id" in subject and not _url(subject["id"]):
        yield Problem("subject", _at(where, "id"), "is not an absolute URL or DID")
    if "id" not in subject and not identifiers:
        yield Problem("subject", where, "has neither an id nor an identifier")
    for at, entry in identifiers:
        yield from _identity(entry, at)


def _identity(entry: Any, where: str) -> Iterator[Problem]:
    if not isinstance(entry, Mapping) or entry.get("type") != "IdentityObject":
        yield Problem("subject", where, 'is not an object with "type": "IdentityObject"')
        return
    extra = sorted(set(map(str, entry)) - {"type", "hashed", "identityHash", "identityType", "salt"})
    if extra:
        yield Problem("subject", _at(where, extra[0]), "is not a member of an IdentityObject")
    if not isinstance(entry.get("hashed"), bool):
        yield Problem("subject", _at(where, "hashed"), "is not true or false")
    value = entry.get("identityHash")
    if not _text(value):
        yield Problem("subject", _at(where, "identityHash"), "is missing")
    elif entry.get("hashed") is True and not re.fullmatch(
        r"sha256\$[0-9a-fA-F]{64}|md5\$[0-9a-fA-F]{32}", str(value)
    ):
        yield Problem("subject", _at(where, "identityHash"), "is not sha256$ or md5$ and a hex digest")
    yield from _word(entry, "identityType", IDENTITY_TYPES, where)


def _achievement(value: Any, where: str) -> Iterator[Problem]:
    if not isinstance(value, Mapping):
        yield Problem("achievement", where, "is not one object")
        return
    if not _url(value.get("id")):
        yield Problem("achievement", _at(where, "id"), "is not an absolute URL or URN")
    if "Achievement" not in _list(value.get("type")):
        yield Problem("achievement", _at(where, "type"), "does not name Achievement")
    for name in ("name", "description"):
        if not _text(value.get(name)):
            yield Problem("achievement", _at(where, name), "is missing")
    criteria = value.get("criteria")
    if not isinstance(criteria, Mapping) or not (
        _url(criteria.get("id")) or _text(criteria.get("narrative"))
    ):
        yield Problem("achievement", _at(where, "criteria"), "has neither an address nor a narrative")
    if "achievementType" in value:
        yield from _word(value, "achievementType", ACHIEVEMENT_TYPES, where)
    yield from _credits(value, "creditsAvailable", where)
    if "creator" in value:
        yield from _profile(value["creator"], _at(where, "creator"))
    yield from _alignments(value, where)
    ids: set[Any] = set()
    for at, entry in _entries(value, "resultDescription", where):
        yield from _result_description(entry, ids, at)


def _credits(holder: Mapping[str, Any], name: str, where: str) -> Iterator[Problem]:
    value = holder.get(name)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int | float) or value < 0):
        yield Problem("achievement", _at(where, name), "is not a number of at least 0")


def _alignments(holder: Mapping[str, Any], where: str) -> Iterator[Problem]:
    for at, entry in _entries(holder, "alignment", where):
        if not isinstance(entry, Mapping) or "Alignment" not in _list(entry.get("type")):
            yield Problem("achievement", at, "is not typed as Alignment")
            continue
        if not _text(entry.get("targetName")):
            yield Problem("achievement", _at(at, "targetName"), "is missing")
        if not _url(entry.get("targetUrl")):
            yield Problem("achievement", _at(at, "targetUrl"), "is not an absolute URL")
        if "targetType" in entry:
            yield from _word(entry, "targetType", TARGET_TYPES, at)


# --- Results ---


def _result_description(entry: Any, ids: set[Any], where: str) -> Iterator[Problem]:
    if not isinstance(entry, Mapping) or "ResultDescription" not in _list(entry.get("type")):
        yield Problem("results", where, "is not typed as ResultDescription")
        return
    if not _url(entry.get("id")):
        yield Problem("results", _at(where, "id"), "is not an absolute URL or URN")
    elif entry["id"] in ids:
        yield Problem("results", _at(where, "id"), "stands twice")
    ids.add(entry["id"] if isinstance(entry.get("id"), str) else "")
    if not _text(entry.get("name")):
        yield Problem("results", _at(where, "name"), "is missing")
    yield from _word(entry, "resultType", RESULT_TYPES, where)
    yield from _alignments(entry, where)
    levels = _levels(entry)
    for at, level in _entries(entry, "rubricCriterionLevel", where):
        if not isinstance(level, Mapping) or not _url(level.get("id")) or not _text(level.get("name")):
            yield Problem("results", at, "has no absolute id or no name")
        elif "RubricCriterionLevel" not in _list(level.get("type")):
            yield Problem("results", at, "is not typed as RubricCriterionLevel")
    if "requiredLevel" in entry and entry["requiredLevel"] not in levels:
        yield Problem("results", _at(where, "requiredLevel"), "is none of the levels of this rubric")


def _described(achievement: Any) -> dict[str, Mapping[str, Any]]:
    if not isinstance(achievement, Mapping):
        return {}
    entries = (entry for _, entry in _entries(achievement, "resultDescription", ""))
    return {e["id"]: e for e in entries if isinstance(e, Mapping) and isinstance(e.get("id"), str)}


def _levels(description: Mapping[str, Any]) -> list[Any]:
    entries = (entry for _, entry in _entries(description, "rubricCriterionLevel", ""))
    return [e.get("id") for e in entries if isinstance(e, Mapping)]


def _result(result: Any, described: Mapping[str, Mapping[str, Any]], where: str) -> Iterator[Problem]:
    if not isinstance(result, Mapping) or "Result" not in _list(result.get("type")):
        yield Problem("results", where, "is not typed as Result")
        return
    yield from _alignments(result, where)
    if "status" in result and result["status"] not in RESULT_STATUSES:
        yield Problem("vocabulary", _at(where, "status"), f"is {result['status']!r}, which is no status")
    link = result.get("resultDescription")
    if link is None:
        return
    description = described.get(link) if isinstance(link, str) else None
    if description is None:
        yield Problem("results", _at(where, "resultDescription"), "is not in the achievement that is awarded")
        return
    if "achievedLevel" in result and result["achievedLevel"] not in _levels(description):
        yield Problem("results", _at(where, "achievedLevel"), "is none of the levels of its rubric")
    if description.get("resultType") == "Status" and "status" not in result:
        yield Problem("results", _at(where, "status"), "is missing, though the result is a status")
    yield from _value(result.get("value"), description, where)


def _value(value: Any, description: Mapping[str, Any], where: str) -> Iterator[Problem]:
    if value is None:
        return
    if not isinstance(value, str):
        yield Problem("results", _at(where, "value"), "is not text")
        return
    allowed = description.get("allowedValue")
    if isinstance(allowed, list) and value not in allowed:
        yield Problem("results", _at(where, "value"), f"is {value!r}, which is not allowed")
    number = _number(value)
    low, high = _number(description.get("valueMin")), _number(description.get("valueMax"))
    if number is None:
        if low is not None or high is not None:
            yield Problem("results", _at(where, "value"), f"is {value!r}, which is not a number")
    elif (low is not None and number < low) or (high is not None and number > high):
        yield Problem("results", _at(where, "value"), f"is {value}, outside what the description allows")


# --- Endorsements and larger credentials ---


def _endorsements(document: Mapping[str, Any], path: str) -> Iterator[Problem]:
    subject = document.get("credentialSubject")
    achievement = subject.get("achievement") if isinstance(subject, Mapping) else None
    own = {_id(document), _id(document.get("issuer"))}
    own |= {_id(entry) for entry in _list(achievement)}
    own |= {_id(entry.get("creator")) for entry in _list(achievement) if isinstance(entry, Mapping)}
    for at, entry in islice(embedded_endorsements(document), _MOST_NESTED):
        where = _at(path, at)
        yield from _nested(_credential(entry, where))
        about = entry.get("credentialSubject")
        if _id(about) not in own:
            yield Problem(
                "embedded", _at(where, "credentialSubject.id"), "is about something that is not here"
            )


def _endorsement_subject(document: Mapping[str, Any], path: str) -> Iterator[Problem]:
    where, subject = _at(path, "credentialSubject"), document.get("credentialSubject")
    if not isinstance(subject, Mapping):
        yield Problem("subject", where, "is not one object")
        return
    if "EndorsementSubject" not in _list(subject.get("type")):
        yield Problem("subject", _at(where, "type"), "does not name EndorsementSubject")
    if not _url(subject.get("id")):
        yield Problem("subject", _at(where, "id"), "is not an absolute URL of what is endorsed")


def _clr_subject(document: Mapping[str, Any], path: str) -> Iterator[Problem]:
    where, subject = _at(path, "credentialSubject"), document.get("credentialSubject")
    if not isinstance(subject, Mapping):
        yield Problem("subject", where, "is not one object")
        return
    if "ClrSubject" not in _list(subject.get("type")):
        yield Problem("subject", _at(where, "type"), "does not name ClrSubject")
    yield from _belongs(subject, where)
    known = set()
    for at, achievement in _entries(subject, "achievement", where):
        yield from _achievement(achievement, at)
        known.add(_id(achievement))
    components = list(_entries(subject, "verifiableCredential", where))
    if not components:
        yield Problem("embedded", _at(where, "verifiableCredential"), "is empty")
    for at, credential in components[:_MOST_NESTED]:
        if isinstance(credential, Mapping) and not _kind(_list(credential.get("type"))):
            continue  # a credential of another standard keeps its own rules
        yield from _nested(_credential(credential, at))
        inner = credential.get("credentialSubject") if isinstance(credential, Mapping) else None
        if isinstance(inner, Mapping):
            known |= {_id(entry) for entry in _list(inner.get("achievement"))}
    for at, association in _entries(subject, "association", where):
        yield from _association(association, known, at)


def _association(value: Any, known: set[str], where: str) -> Iterator[Problem]:
    if not isinstance(value, Mapping) or value.get("type") != "Association":
        yield Problem("embedded", where, 'is not an object with "type": "Association"')
        return
    extra = sorted(set(map(str, value)) - {"type", "associationType", "sourceId", "targetId"})
    if extra:
        yield Problem("embedded", _at(where, extra[0]), "is not a member of an Association")
    if value.get("associationType") not in ASSOCIATION_TYPES:
        yield Problem("vocabulary", _at(where, "associationType"), "is not one of the standard's")
    ends = [value.get("sourceId"), value.get("targetId")]
    for name, end in zip(("sourceId", "targetId"), ends, strict=True):
        if not _url(end):
            yield Problem("embedded", _at(where, name), "is not an absolute URL or URN")
    if not known.intersection(end for end in ends if isinstance(end, str)):
        yield Problem("embedded", where, "joins nothing that is in this record")


def _nested(problems: Iterable[Problem]) -> Iterator[Problem]:
    for problem in problems:
        yield problem if problem.rule == "form" else Problem("embedded", problem.path, problem.says)


# --- Small questions ---


def _word(holder: Mapping[str, Any], name: str, vocabulary: frozenset[str], where: str) -> Iterator[Problem]:
    value = holder.get(name)
    own = isinstance(value, str) and re.fullmatch(r"ext:[A-Za-z0-9._-]+", value)
    if not own and not (isinstance(value, str) and value in vocabulary):
        yield Problem(
            "vocabulary", _at(where, name), f"is {str(value)[:60]!r}, which the standard does not have"
        )


def _entries(holder: Mapping[str, Any], name: str, path: str) -> Iterator[tuple[str, Any]]:
    yield from ((f"{_at(path, name)}[{i}]", entry) for i, entry in enumerate(_list(holder.get(name))))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _text(value: Any) -> bool:
    """Text, or the language map that the standard allows in its place."""
    if isinstance(value, Mapping):
        return bool(value) and all(isinstance(v, str) and v.strip() for v in value.values())
    return isinstance(value, str) and bool(value.strip())


def _url(value: Any) -> bool:
    if not isinstance(value, str) or re.search(r"\s", value):
        return False
    try:
        parts = urlsplit(value)
    except ValueError:
        return False
    return bool(parts.scheme) and bool(parts.netloc if parts.scheme in ("http", "https") else parts.path)


def _number(value: Any) -> float | None:
    try:
        return (
            float(value)
            if isinstance(value, str) and re.fullmatch(r"-?\d{1,15}(\.\d{1,15})?", value)
            else None
        )
    except ValueError:
        return None


def _id(value: Any) -> str:
    if isinstance(value, Mapping):
        value = value.get("id")
    return value if isinstance(value, str) else ""


def _at(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
