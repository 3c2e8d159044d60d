"""Whether a document is what VC Data Model 2.0, Open Badges 3.0 and CLR 2.0 say it must be.

The published JSON Schemas accept a credential whose context is a stranger's, whose type is anything and whose
results point nowhere. Here each rule of the data model is a rule:

1. context: the credentials context first, then the Open Badges one (and the CLR one for a ClrCredential);
2. type: VerifiableCredential, and the kind of credential that the subject's type fits;
3. required members, each of the right shape; nothing is null or an empty list. A set may be written as a list
   or as one object, since the published schemas allow both;
4. the subject has an id or an identifier, and an identifier is a closed object with a well-formed hash;
5. the achievement has its criteria; alignments have a name and an absolute address;
6. words of closed vocabularies are of them, or begin with `ext:`;
7. each result points into the achievement, its level into that rubric, its value into the bounds;
8. status entries are whole; related resources carry a digest;
9. a CLR's association joins at least one achievement that is in it.

What lies inside and is signed on its own (endorsements, the credentials of a transcript) is looked at by the
same rules, but in its own finding: see `verify`.

Sources: W3C VC Data Model 2.0, section 4 and 5.3; 1EdTech Open Badges 3.0 "Data Model" and "Serialization";
CLR 2.0 schema.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any
from urllib.parse import urlsplit

from guildmark.core.codecs import parse_iso
from guildmark.core.errors import BrokenInput
from guildmark.core.report import Finding, Verdict
from guildmark.credential.jsonld import CLR, CREDENTIALS_V1, CREDENTIALS_V2
from guildmark.credential.signed import listed, plain, sentence

SOURCE = "VC Data Model 2.0, 4 Basic Concepts; Open Badges 3.0, Data Model"

KINDS: Mapping[str, str] = {
    "OpenBadgeCredential": "an Open Badge",
    "ClrCredential": "a transcript",
    "EndorsementCredential": "an endorsement",
    "BitstringStatusListCredential": "a status list",
}
"""Kinds whose rules are here, and what people call one."""

_OF_1EDTECH = ("OpenBadgeCredential", "ClrCredential", "EndorsementCredential")

_OPEN_BADGES = re.compile(r"https://purl\.imsglobal\.org/spec/ob/v3p0/context(-3\.\d\.\d)?\.json")


def _vocabulary(words: str) -> frozenset[str]:
    return frozenset(words.split())


ACHIEVEMENT_TYPES = _vocabulary(
    """
    Achievement ApprenticeshipCertificate Assessment Assignment AssociateDegree Award Badge
    BachelorDegree Certificate CertificateOfCompletion Certification CommunityService Competency Course
    CoCurricular Degree Diploma DoctoralDegree Fieldwork GeneralEducationDevelopment
    JourneymanCertificate LearningProgram License Membership ProfessionalDoctorate
    QualityAssuranceCredential MasterCertificate MasterDegree MicroCredential ResearchDoctorate
    SecondarySchoolDiploma
    """
)
RESULT_TYPES = _vocabulary(
    """
    GradePointAverage LetterGrade Percent PerformanceLevel PredictedScore RawScore Result
    RubricCriterion RubricCriterionLevel RubricScore ScaledScore Status
    """
)
RESULT_STATUSES = _vocabulary(
    """
    Completed Enrolled Failed InProgress OnHold Provisional Withdrew
    """
)
TARGET_TYPES = _vocabulary(
    """
    ceasn:Competency ceterms:Credential CFItem CFRubric CFRubricCriterion CFRubricCriterionLevel CTDL
    """
)
IDENTITY_TYPES = _vocabulary(
    """
    name sourcedId systemId productId userName accountId emailAddress nationalIdentityNumber isbn issn
    lisSourcedId oneRosterSourcedId sisSourcedId ltiContextId ltiDeploymentId ltiToolId ltiPlatformId
    ltiUserId identifier
    """
)
ASSOCIATION_TYPES = _vocabulary(
    """
    exactMatchOf isChildOf isParentOf isPartOf isPeerOf isRelatedTo precedes replacedBy
    """
)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is not as the standard says: its rule, where it stands, what is wrong."""

    rule: str
    path: str
    says: str

    def __str__(self) -> str:
        return f"“{self.path}” {self.says}" if self.path else f"it {self.says}"


def structure_finding(document: Mapping[str, Any]) -> Finding:
    """`document.structure`: PASS, FAIL naming the first problem, or UNKNOWN for a kind not in KINDS.

    It is about this document alone; credentials and endorsements inside it are looked at on their own. Never
    raises on data.
    """
    kind = kind_of(document)
    problems = structure_problems(document)
    because: dict[str, Any] = {"type": [plain(t, 100) for t in listed(document.get("type"))[:10]]}

    def finding(verdict: Verdict, says: str) -> Finding:
        return Finding("document.structure", verdict, sentence(says), because=because, source=SOURCE)

    if problems:
        because["problems"] = [plain(problem, 300) for problem in problems[:30]]
        what = f"the way {KINDS[kind]} must be" if kind else "the way a credential must be"
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        return finding(Verdict.FAIL, f"It is not made {what}: {plain(problems[0], 250)}{more}.")
    if not kind:
        says = "It is neither an Open Badge nor a transcript; whether it is complete cannot be told here."
        return finding(Verdict.UNKNOWN, says)
    return finding(Verdict.PASS, f"It has everything that {KINDS[kind]} needs.")


def structure_problems(document: Mapping[str, Any]) -> tuple[Problem, ...]:
    """Everything that is not as the standards say, in the order of reading; at most 200."""
    return tuple(islice(_credential(document), 200))


def kind_of(document: Mapping[str, Any]) -> str:
    """Which of KINDS the document says it is; "" for none of them."""
    types = listed(document.get("type"))
    if "AchievementCredential" in types:  # an alias in the Open Badges context
        return "OpenBadgeCredential"
    return next((kind for kind in KINDS if kind in types), "")


# --- The credential ---


def _credential(document: Mapping[str, Any]) -> Iterator[Problem]:
    types, kind = listed(document.get("type")), kind_of(document)
    old = CREDENTIALS_V1 in listed(document.get("@context"))
    yield from _context(document, kind, old)
    if "VerifiableCredential" not in types or not all(isinstance(name, str) for name in types):
        yield Problem("type", "type", "does not say that this is a credential (VerifiableCredential)")
    yield from _issuer(document.get("issuer"), profile=kind in _OF_1EDTECH)
    yield from _members(document, kind, old)
    yield from _parts(document, kind)
    yield from _status(document)
    yield from _related(document)
    yield from _empty(document)
    match kind:
        case "OpenBadgeCredential":
            yield from _badge_subject(document)
        case "EndorsementCredential":
            yield from _endorsement_subject(document)
        case "ClrCredential":
            yield from _clr_subject(document)
        case _:
            yield from _any_subject(document)


def _context(document: Mapping[str, Any], kind: str, old: bool) -> Iterator[Problem]:
    contexts = document.get("@context")
    if not isinstance(contexts, list) or not all(isinstance(c, str | Mapping) for c in contexts):
        if not (kind not in _OF_1EDTECH and contexts == CREDENTIALS_V2):  # alone it may stand without a list
            yield Problem("context", "@context", "is not a list of addresses")
        return
    if not contexts or contexts[0] not in (CREDENTIALS_V2, CREDENTIALS_V1):
        yield Problem("context", "@context", f"does not begin with {CREDENTIALS_V2}")
    for context in contexts:
        if isinstance(context, str) and not _url(context):
            yield Problem("context", "@context", f"names “{plain(context, 60)}”, which is not an absolute URL")
    if kind not in _OF_1EDTECH:
        return
    if kind == "ClrCredential" and not old and CLR not in contexts:
        yield Problem("context", "@context", f"does not name {CLR}")
    place = contexts[1:] if kind == "ClrCredential" or old else contexts[1:2]
    if not any(isinstance(c, str) and _OPEN_BADGES.fullmatch(c) for c in place):
        yield Problem("context", "@context", "does not name the Open Badges 3.0 context after it")


def _issuer(issuer: Any, *, profile: bool) -> Iterator[Problem]:
    if isinstance(issuer, Mapping):
        yield from _profile(issuer, "issuer", profile=profile)
        yield from _language(issuer, "issuer")
    elif not _url(issuer):
        yield Problem("members", "issuer", "does not say who issued it, by an absolute URL or a DID")


def _profile(value: Any, path: str, *, profile: bool = True) -> Iterator[Problem]:
    if not isinstance(value, Mapping) or not _url(value.get("id")):
        yield Problem("members", _at(path, "id"), "is not an absolute URL or a DID")
    elif profile and "Profile" not in listed(value.get("type")):
        yield Problem("members", _at(path, "type"), "does not name Profile")


def _members(document: Mapping[str, Any], kind: str, old: bool) -> Iterator[Problem]:
    """Id, name and dates. Whether the dates can be read, and what they mean now, is `validity.dates`."""
    if ("id" in document or kind in _OF_1EDTECH) and not _url(document.get("id")):
        yield Problem("members", "id", "is not an absolute URL or URN")
    if kind in ("EndorsementCredential", "ClrCredential") and not _text(document.get("name")):
        yield Problem("members", "name", "is missing")
    yield from _language(document, "")
    begin = "issuanceDate" if old else "validFrom"
    if kind in _OF_1EDTECH and begin not in document:
        yield Problem("dates", begin, "is missing")
    if "awardedDate" in document:
        try:
            parse_iso(document["awardedDate"])
        except BrokenInput as problem:
            yield Problem("dates", "awardedDate", f"cannot be read: {problem.what}")


def _language(holder: Mapping[str, Any], path: str) -> Iterator[Problem]:
    """A name or description is text, or text with its language and direction (VC Data Model 2.0, 11.1)."""
    for name in ("name", "description"):
        if name in holder and not _text(holder[name]):
            yield Problem("members", _at(path, name), "is not text")


_PARTS = {
    "credentialSchema": ("id", "type"),
    "credentialStatus": ("type",),
    "refreshService": ("type",),
    "termsOfUse": ("type",),
    "evidence": ("type",),
    "proof": ("type",),
}
"""Members that point elsewhere, and what each must say (VC Data Model 2.0, sections 4.9 to 5.6)."""


def _parts(document: Mapping[str, Any], kind: str) -> Iterator[Problem]:
    for part, needed in _PARTS.items():
        for where, entry in _entries(document, part, ""):
            if not isinstance(entry, Mapping):
                yield Problem("members", where, "is not an object")
                continue
            if "type" in needed and not _names(entry.get("type")):
                yield Problem("members", _at(where, "type"), "is missing")
            elif part == "evidence" and kind in _OF_1EDTECH and "Evidence" not in listed(entry.get("type")):
                yield Problem("members", _at(where, "type"), "does not name Evidence")
            if ("id" in needed or "id" in entry) and not _url(entry.get("id")):
                yield Problem("members", _at(where, "id"), "is not an absolute URL")


def _status(document: Mapping[str, Any]) -> Iterator[Problem]:
    """Open Badges 3.0 has room for one entry, VC Data Model 2.0 for several; each must be whole."""
    for where, entry in _entries(document, "credentialStatus", ""):
        if not isinstance(entry, Mapping) or "BitstringStatusListEntry" not in listed(entry.get("type")):
            continue
        if not _text(entry.get("statusPurpose")):
            yield Problem("status", _at(where, "statusPurpose"), "is missing")
        index = entry.get("statusListIndex")
        number = isinstance(index, int) and not isinstance(index, bool) and 0 <= index < 10**12
        if not number and not (isinstance(index, str) and re.fullmatch(r"[0-9]{1,12}", index, re.ASCII)):
            yield Problem("status", _at(where, "statusListIndex"), "is not a number written as text")
        if not _url(entry.get("statusListCredential")):
            yield Problem("status", _at(where, "statusListCredential"), "is not an absolute URL")


def _related(document: Mapping[str, Any]) -> Iterator[Problem]:
    seen: set[str] = set()
    for where, entry in _entries(document, "relatedResource", ""):
        if not isinstance(entry, Mapping) or not _url(entry.get("id")):
            yield Problem("related", where, "has no absolute id")
            continue
        if entry["id"] in seen:
            yield Problem("related", where, "stands twice")
        seen.add(entry["id"])
        if not _text(entry.get("digestSRI")) and not _text(entry.get("digestMultibase")):
            yield Problem("related", where, "has no digest")


def _empty(document: Mapping[str, Any]) -> Iterator[Problem]:
    """Nothing is null or an empty list (Open Badges 3.0, "Serialization"); parts that are signed on their own
    are left out.
    """
    waiting: list[tuple[str, Any]] = [("", document)]
    while waiting:
        where, value = waiting.pop()
        if isinstance(value, Mapping):
            for key, item in value.items():
                at = _at(where, key)
                if item is None or item == []:
                    yield Problem("members", at, "is empty")
                if key not in ("endorsement", "verifiableCredential"):
                    waiting.append((at, item))
        elif isinstance(value, list):
            waiting.extend((f"{where}[{i}]", item) for i, item in enumerate(value))


# --- Subjects ---


def _any_subject(document: Mapping[str, Any]) -> Iterator[Problem]:
    subjects = listed(document.get("credentialSubject"))
    if not subjects or not all(isinstance(subject, Mapping) and subject for subject in subjects):
        yield Problem("subject", "credentialSubject", "says nothing about anybody")
    for where, subject in _entries(document, "credentialSubject", ""):
        if isinstance(subject, Mapping) and "id" in subject and not _url(subject["id"]):
            yield Problem("subject", _at(where, "id"), "is not an absolute URL or DID")


def _one_subject(document: Mapping[str, Any], kind: str) -> Iterator[Problem]:
    subject = document.get("credentialSubject")
    if not isinstance(subject, Mapping):
        yield Problem("subject", "credentialSubject", "is missing, or not one object")
    elif kind not in listed(subject.get("type")):
        yield Problem("subject", "credentialSubject.type", f"does not name {kind}")


def _badge_subject(document: Mapping[str, Any]) -> Iterator[Problem]:
    yield from _one_subject(document, "AchievementSubject")
    where, subject = "credentialSubject", document.get("credentialSubject")
    if not isinstance(subject, Mapping):
        return
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
        yield Problem("subject", where, "does not say whose it is, by an id or an identifier")
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
    elif entry.get("hashed") is True and not re.fullmatch(r"sha256\$[0-9a-fA-F]{64}|md5\$[0-9a-fA-F]{32}", str(value)):
        yield Problem("subject", _at(where, "identityHash"), "is not sha256$ or md5$ and a hex digest")
    yield from _word(entry, "identityType", IDENTITY_TYPES, where)


def _achievement(value: Any, where: str) -> Iterator[Problem]:
    if not isinstance(value, Mapping):
        yield Problem("achievement", where, "is missing, or not one object")
        return
    if not _url(value.get("id")):
        yield Problem("achievement", _at(where, "id"), "is not an absolute URL or URN")
    if "Achievement" not in listed(value.get("type")):
        yield Problem("achievement", _at(where, "type"), "does not name Achievement")
    for name in ("name", "description"):
        if not _text(value.get(name)):
            yield Problem("achievement", _at(where, name), "is missing")
    criteria = value.get("criteria")
    if not isinstance(criteria, Mapping) or not (_url(criteria.get("id")) or _text(criteria.get("narrative"))):
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
        if not isinstance(entry, Mapping) or "Alignment" not in listed(entry.get("type")):
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
    if not isinstance(entry, Mapping) or "ResultDescription" not in listed(entry.get("type")):
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
        elif "RubricCriterionLevel" not in listed(level.get("type")):
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
    if not isinstance(result, Mapping) or "Result" not in listed(result.get("type")):
        yield Problem("results", where, "is not typed as Result")
        return
    yield from _alignments(result, where)
    if "status" in result and result["status"] not in list(RESULT_STATUSES):
        yield Problem("vocabulary", _at(where, "status"), f"is “{plain(result['status'], 60)}”, which is no status")
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
        yield Problem("results", _at(where, "value"), f"is “{plain(value, 60)}”, which is not allowed")
    number = _number(value)
    low, high = _number(description.get("valueMin")), _number(description.get("valueMax"))
    if number is None:
        if low is not None or high is not None:
            yield Problem("results", _at(where, "value"), f"is “{plain(value, 60)}”, which is not a number")
    elif (low is not None and number < low) or (high is not None and number > high):
        yield Problem("results", _at(where, "value"), f"is {plain(value, 40)}, outside what its description allows")


# --- Endorsements and transcripts ---


def _endorsement_subject(document: Mapping[str, Any]) -> Iterator[Problem]:
    yield from _one_subject(document, "EndorsementSubject")
    subject = document.get("credentialSubject")
    if isinstance(subject, Mapping) and not _url(subject.get("id")):
        yield Problem("subject", "credentialSubject.id", "does not say by an absolute URL what is endorsed")


def _clr_subject(document: Mapping[str, Any]) -> Iterator[Problem]:
    yield from _one_subject(document, "ClrSubject")
    where, subject = "credentialSubject", document.get("credentialSubject")
    if not isinstance(subject, Mapping):
        return
    yield from _belongs(subject, where)
    known = set()
    for at, achievement in _entries(subject, "achievement", where):
        yield from _achievement(achievement, at)
        known.add(_id(achievement))
    components = listed(subject.get("verifiableCredential"))
    if not components:
        yield Problem("subject", _at(where, "verifiableCredential"), "holds no credential")
    for credential in components:
        inner = credential.get("credentialSubject") if isinstance(credential, Mapping) else None
        if isinstance(inner, Mapping):
            known |= {_id(entry) for entry in listed(inner.get("achievement"))}
    for at, association in _entries(subject, "association", where):
        yield from _association(association, known, at)


def _association(value: Any, known: set[str], where: str) -> Iterator[Problem]:
    if not isinstance(value, Mapping) or value.get("type") != "Association":
        yield Problem("association", where, 'is not an object with "type": "Association"')
        return
    extra = sorted(set(map(str, value)) - {"type", "associationType", "sourceId", "targetId"})
    if extra:
        yield Problem("association", _at(where, extra[0]), "is not a member of an Association")
    if value.get("associationType") not in list(ASSOCIATION_TYPES):
        yield Problem("vocabulary", _at(where, "associationType"), "is not one that the standard has")
    ends = [value.get("sourceId"), value.get("targetId")]
    for name, end in zip(("sourceId", "targetId"), ends, strict=True):
        if not _url(end):
            yield Problem("association", _at(where, name), "is not an absolute URL or URN")
    if not known.intersection(end for end in ends if isinstance(end, str)):
        yield Problem("association", where, "joins nothing that is in this record")


# --- Small questions ---


def _word(holder: Mapping[str, Any], name: str, vocabulary: frozenset[str], where: str) -> Iterator[Problem]:
    value = holder.get(name)
    own = isinstance(value, str) and re.fullmatch(r"ext:[A-Za-z0-9._-]+", value)
    if not own and not (isinstance(value, str) and value in vocabulary):
        yield Problem("vocabulary", _at(where, name), f"is “{plain(value, 60)}”, which the standard does not have")


def _entries(holder: Mapping[str, Any], name: str, path: str) -> Iterator[tuple[str, Any]]:
    yield from ((f"{_at(path, name)}[{i}]", entry) for i, entry in enumerate(listed(holder.get(name))))


def _text(value: Any) -> bool:
    """Text, or text with its language and direction, once or in several languages."""
    if isinstance(value, list):
        return bool(value) and all(isinstance(item, Mapping) and _text(item) for item in value)
    if isinstance(value, Mapping):
        words = [value.get("@value"), *(value[key] for key in value)]
        return set(value) <= {"@value", "@language", "@direction"} and all(map(_text, words))
    return isinstance(value, str) and bool(value.strip())


def _names(value: Any) -> bool:
    return bool(listed(value)) and all(isinstance(name, str) and name.strip() for name in listed(value))


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
        return float(value) if isinstance(value, str) and re.fullmatch(r"-?\d{1,15}(\.\d{1,15})?", value) else None
    except ValueError:
        return None


def _id(value: Any) -> str:
    if isinstance(value, Mapping):
        value = value.get("id")
    return value if isinstance(value, str) else ""


def _at(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
