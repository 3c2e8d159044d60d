"""Whether a document is what VC Data Model 2.0, Open Badges 3.0 and CLR 2.0 say it must be.

The published JSON Schemas accept a credential whose context is a stranger's, whose type is anything and whose
results point nowhere. Here each rule of the data model is a rule:

1. context: the credentials context first, then the Open Badges one (and the CLR one for a ClrCredential);
2. type: VerifiableCredential, and the kind of credential that the subject's type fits;
3. each class has its members, each of the right shape and as often as the table in `model` says; nothing is null
   or an empty list;
4. the subject has an id or an identifier, and an identifier is a closed object with a well-formed hash;
5. the achievement has its criteria; alignments have a name and an absolute address;
6. words of closed vocabularies are of them, or begin with `ext:` where anybody may add words;
7. each result points into the achievement, its level into that rubric, its value into the bounds; a description's
   own bounds, levels and required value fit each other;
8. dates have a zone, and an end is not before its beginning;
9. status entries are whole; related resources carry a digest;
10. a CLR's association joins achievements that are in it;
11. a presentation holds objects, and says by a URL who holds it.

Members that no rule knows are left alone, here and wherever documents are read.

Two profiles: in `strict` every departure from the standards fails. In `tolerant`, what others commonly write and
what cannot be misread is a warning: a set of one without its list, an image as a bare address, a list around a type,
a list of status entries, a time without a zone, and what the standards only recommend, such as criteria that say
something. A `Problem` knows whether it is `tolerated`.

What lies inside and is signed on its own (endorsements, the credentials of a transcript) is looked at by the
same rules, but in its own finding: see `verify`.

Sources: W3C VC Data Model 2.0, sections 4 and 5.3; 1EdTech Open Badges 3.0 "Data Model" and "Serialization";
CLR 2.0 schema.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice, pairwise
from typing import Any, Literal
from urllib.parse import urlsplit

from guildmark.core.codecs import parse_iso
from guildmark.core.errors import BrokenInput
from guildmark.core.report import Finding, Verdict
from guildmark.credential.jsonld import CREDENTIALS_V1, CREDENTIALS_V2
from guildmark.credential.model import CLASSES, EXTENSIBLE, VOCABULARIES, Class, Member
from guildmark.credential.signed import MOST_VALUES, listed, plain, sentence

SOURCE = "VC Data Model 2.0, 4 Basic Concepts; Open Badges 3.0, Data Model"

Strictness = Literal["strict", "tolerant"]
"""How much is forgiven: nothing, or what cannot be misread."""

KINDS: Mapping[str, str] = {
    "OpenBadgeCredential": "an Open Badge",
    "ClrCredential": "a transcript",
    "EndorsementCredential": "an endorsement",
    "BitstringStatusListCredential": "a status list",
    "VerifiablePresentation": "a presentation",
}
"""Kinds whose rules are here, and what people call one."""

_OF_1EDTECH = ("OpenBadgeCredential", "ClrCredential", "EndorsementCredential")

_OPEN_BADGES = re.compile(r"https://purl\.imsglobal\.org/spec/ob/v3p0/context(-3\.\d\.\d)?\.json")
_CLR = re.compile(r"https://purl\.imsglobal\.org/spec/clr/v2p0/context(-2\.\d\.\d)?\.json")

_MOST = 200
"""Problems that are told of one document."""

_DEEPEST = 20
"""Organisations above one another, and any other nesting of classes."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is not as the standard says: its rule, where it stands, what is wrong, and whether the tolerant
    profile lets it pass.
    """

    rule: str
    path: str
    says: str
    tolerated: bool = False

    def __str__(self) -> str:
        return f"“{self.path}” {self.says}" if self.path else f"it {self.says}"

    def to_json(self) -> dict[str, str]:
        """Rule, path and sentence as plain JSON, cut to a length that a page can show."""
        return {"rule": self.rule, "path": plain(self.path, 200), "says": plain(self.says, 200)}


def structure_finding(
    document: Mapping[str, Any], profile: Strictness = "tolerant", *, any_kind: bool = False
) -> Finding:
    """`document.structure`: PASS, FAIL naming the first problem, or UNKNOWN for a kind not in KINDS. With `any_kind`
    such a one passes as soon as it keeps the rules of all credentials, those of the VC Data Model.

    `because` has `problems` (sentences) and `details` (rule, path, sentence of each) of what fails, and `warnings`
    of what the tolerant profile lets pass; at most 30 of each. It is about this document alone; credentials and
    endorsements inside it are looked at on their own. A document of more than MOST_VALUES values is not looked at
    and UNKNOWN. Never raises on data; linear in the size of the document, some 3 us for each value.
    """
    kind = kind_of(document)
    because: dict[str, Any] = {"type": [plain(t, 100) for t in listed(document.get("type"))[:10]]}

    def finding(verdict: Verdict, says: str) -> Finding:
        return Finding("document.structure", verdict, sentence(says), because=because, source=SOURCE)

    if _too_large(document):
        says = f"It was not looked at: with what lies inside, there are more than {MOST_VALUES:,} values to check."
        return finding(Verdict.UNKNOWN, says)
    problems, warnings = _sorted(document, profile)
    if problems:
        because["problems"] = [plain(problem, 300) for problem in problems[:30]]
        because["details"] = [problem.to_json() for problem in problems[:30]]
    if warnings:
        because["warnings"] = [problem.to_json() for problem in warnings[:30]]
    if problems:
        what = f"the way {KINDS[kind]} must be" if kind else "the way a credential must be"
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        return finding(Verdict.FAIL, f"It is not made {what}: {plain(problems[0], 250)}{more}.")
    if not kind and any_kind:
        return finding(Verdict.PASS, "It is made the way every verifiable credential must be.")
    if not kind:
        says = "It is neither an Open Badge nor a transcript; whether it is complete cannot be told here."
        return finding(Verdict.UNKNOWN, says)
    if warnings:
        says = f"It has everything that {KINDS[kind]} needs, though not quite as the standard writes it"
        more = f" (and {len(warnings) - 1} more)" if len(warnings) > 1 else ""
        return finding(Verdict.PASS, f"{says}: {plain(warnings[0], 250)}{more}.")
    return finding(Verdict.PASS, f"It has everything that {KINDS[kind]} needs.")


def structure_problems(document: Mapping[str, Any], profile: Strictness = "tolerant") -> tuple[Problem, ...]:
    """Everything that fails in the profile, in the order of reading; at most 200."""
    return _sorted(document, profile)[0]


def structure_warnings(document: Mapping[str, Any]) -> tuple[Problem, ...]:
    """What the tolerant profile lets pass, in the order of reading; at most 200."""
    return _sorted(document, "tolerant")[1]


def class_problems(value: Any, kind: str, where: str = "") -> tuple[Problem, ...]:
    """Everything that is not as the standard says in one thing of a class of `model.CLASSES`, such as an
    Alignment, strictly; at most 200.
    """
    return tuple(islice(_thing(value, kind, where), _MOST))


def _sorted(document: Mapping[str, Any], profile: Strictness) -> tuple[tuple[Problem, ...], tuple[Problem, ...]]:
    """(what fails, what is let pass); a document of faults is not read on once enough of them fail."""
    problems: list[Problem] = []
    warnings: list[Problem] = []
    for problem in _document(document):
        if problem.tolerated and profile == "tolerant":
            if len(warnings) < _MOST:
                warnings.append(problem)
        else:
            problems.append(problem)
            if len(problems) == _MOST:
                break
    return tuple(problems), tuple(warnings)


def _too_large(document: Mapping[str, Any]) -> bool:
    """Whether it has more than MOST_VALUES members and values; counted no further than that."""
    count = 0
    waiting: list[Any] = [document]
    while waiting and count + len(waiting) <= MOST_VALUES:
        item = waiting.pop()
        count += 1
        if isinstance(item, Mapping):
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)
    return count + len(waiting) > MOST_VALUES


def kind_of(document: Mapping[str, Any]) -> str:
    """Which of KINDS the document says it is; "" for none of them."""
    types = listed(document.get("type"))
    if "AchievementCredential" in types:  # an alias in the Open Badges context
        return "OpenBadgeCredential"
    return next((kind for kind in KINDS if kind in types), "")


# --- The credential, and the presentation ---


def _document(document: Mapping[str, Any]) -> Iterator[Problem]:
    kind = kind_of(document)
    if kind == "VerifiablePresentation":
        yield from _presentation(document)
    else:
        yield from _credential(document, kind)


def _credential(document: Mapping[str, Any], kind: str) -> Iterator[Problem]:
    types = listed(document.get("type"))
    old = CREDENTIALS_V1 in listed(document.get("@context"))
    yield from _context(document, kind, old)
    if "VerifiableCredential" not in types or not all(isinstance(name, str) for name in types):
        yield Problem("type", "type", "does not say that this is a credential (VerifiableCredential)")
    yield from _issuer(document.get("issuer"), kind, old)
    if ("id" in document or kind in _OF_1EDTECH) and not is_url(document.get("id")):
        yield Problem("members", "id", "is not an absolute URL or URN")
    yield from _dates(document, kind, old)
    yield from _parts(document, kind)
    yield from _status(document)
    yield from _related(document)
    if kind in _OF_1EDTECH:
        yield from _empty(document)
        yield from _thing(document, kind, "")
        if old and kind == "OpenBadgeCredential" and not is_text(document.get("name")):
            yield Problem("members", "name", "is missing", tolerated=True)
    else:
        yield from _language(document, "")
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
        if isinstance(context, str) and not is_url(context):
            yield Problem("context", "@context", f"names “{plain(context, 60)}”, which is not an absolute URL")
    if kind not in _OF_1EDTECH:
        return
    if kind == "ClrCredential" and not any(isinstance(c, str) and _CLR.fullmatch(c) for c in contexts):
        yield Problem("context", "@context", "does not name the CLR 2.0 context")
    place = contexts[1:] if kind == "ClrCredential" or old else contexts[1:2]
    if not any(isinstance(c, str) and _OPEN_BADGES.fullmatch(c) for c in place):
        yield Problem("context", "@context", "does not name the Open Badges 3.0 context after it")


def _issuer(issuer: Any, kind: str, old: bool) -> Iterator[Problem]:
    if isinstance(issuer, Mapping):
        if kind in _OF_1EDTECH:
            yield from _thing(issuer, "Profile", "issuer")
            return
        if not is_url(issuer.get("id")):
            yield Problem("members", "issuer.id", "is not an absolute URL or a DID")
        yield from _language(issuer, "issuer")
    elif not is_url(issuer):
        yield Problem("members", "issuer", "does not say who issued it, by an absolute URL or a DID")
    elif old and kind in _OF_1EDTECH:
        yield Problem("members", "issuer", "is an address, where a badge of 2022 has a Profile", tolerated=True)


def _dates(document: Mapping[str, Any], kind: str, old: bool) -> Iterator[Problem]:
    """The period of validity: readable, with a zone, and its end not before its beginning."""
    begin, end = ("issuanceDate", "expirationDate") if old else ("validFrom", "validUntil")
    if kind in _OF_1EDTECH and begin not in document:
        yield Problem("dates", begin, "is missing")
    for name in (begin, end):
        if name in document:
            yield from _moment(document[name], name)
    start, stop = _read(document.get(begin)), _read(document.get(end))
    if start is not None and stop is not None and stop < start:
        yield Problem("dates", end, f"is before “{begin}”")


def _language(holder: Mapping[str, Any], path: str) -> Iterator[Problem]:
    """A name or description is text, or text with its language and direction (VC Data Model 2.0, 11.1)."""
    for name in ("name", "description"):
        if name in holder and not is_text(holder[name]):
            yield Problem("members", _at(path, name), "is not text")


_PARTS: Mapping[str, tuple[str, ...]] = {
    "credentialSchema": ("id", "type"),
    "credentialStatus": ("type",),
    "refreshService": ("type",),
    "termsOfUse": ("type",),
    "evidence": ("type",),
    "proof": ("type",),
}
"""Members that point elsewhere, and what each must say (VC Data Model 2.0, sections 4.9 to 5.6)."""


def _parts(document: Mapping[str, Any], kind: str) -> Iterator[Problem]:
    ours = kind in _OF_1EDTECH
    for part, needed in _PARTS.items():
        if part == "evidence" and ours:
            continue  # a class of its own there
        if ours and part in ("credentialStatus", "refreshService") and isinstance(document.get(part), list):
            yield Problem("members", part, "is a list, where the standard has one value", tolerated=True)
        for where, entry in _entries(document, part, ""):
            if not isinstance(entry, Mapping):
                yield Problem("members", where, "is not an object")
                continue
            if "type" in needed and not _names(entry.get("type")):
                yield Problem("members", _at(where, "type"), "is missing")
            if ("id" in needed or "id" in entry) and not is_url(entry.get("id")):
                yield Problem("members", _at(where, "id"), "is not an absolute URL")
            elif ours and part in ("credentialStatus", "refreshService") and "id" not in entry:
                yield Problem("members", _at(where, "id"), "is missing", tolerated=True)


def _status(document: Mapping[str, Any]) -> Iterator[Problem]:
    """Open Badges 3.0 has room for one entry, VC Data Model 2.0 for several; each must be whole."""
    for where, entry in _entries(document, "credentialStatus", ""):
        if not isinstance(entry, Mapping) or "BitstringStatusListEntry" not in listed(entry.get("type")):
            continue
        if not is_text(entry.get("statusPurpose")):
            yield Problem("status", _at(where, "statusPurpose"), "is missing")
        index = entry.get("statusListIndex")
        number = isinstance(index, int) and not isinstance(index, bool) and 0 <= index < 10**12
        if not number and not (isinstance(index, str) and re.fullmatch(r"[0-9]{1,12}", index, re.ASCII)):
            yield Problem("status", _at(where, "statusListIndex"), "is not a number written as text")
        elif number:
            at = _at(where, "statusListIndex")
            yield Problem("status", at, "is a number, where the standard has its digits as text", tolerated=True)
        if not is_url(entry.get("statusListCredential")):
            yield Problem("status", _at(where, "statusListCredential"), "is not an absolute URL")


def _related(document: Mapping[str, Any]) -> Iterator[Problem]:
    seen: set[str] = set()
    for where, entry in _entries(document, "relatedResource", ""):
        if not isinstance(entry, Mapping) or not is_url(entry.get("id")):
            yield Problem("related", where, "has no absolute id")
            continue
        if entry["id"] in seen:
            yield Problem("related", where, "stands twice")
        seen.add(entry["id"])
        if not is_text(entry.get("digestSRI")) and not is_text(entry.get("digestMultibase")):
            yield Problem("related", where, "has no digest")


def _empty(document: Mapping[str, Any]) -> Iterator[Problem]:
    """Nothing is null or an empty list (Open Badges 3.0, "Serialization"); parts that are signed on their own
    are left out, and so are terms that a context switches off.
    """
    waiting: list[tuple[str, Any]] = [("", document)]
    while waiting:
        where, value = waiting.pop()
        if isinstance(value, Mapping):
            for key, item in value.items():
                if item is None or item == []:
                    yield Problem("members", _at(where, key), "is empty")
                elif isinstance(item, Mapping | list) and key not in (
                    "endorsement",
                    "verifiableCredential",
                    "@context",
                ):
                    waiting.append((_at(where, key), item))
        elif isinstance(value, list):
            waiting.extend((f"{where}[{i}]", item) for i, item in enumerate(value) if isinstance(item, Mapping | list))


def _any_subject(document: Mapping[str, Any]) -> Iterator[Problem]:
    subjects = listed(document.get("credentialSubject"))
    if not subjects or not all(isinstance(subject, Mapping) and subject for subject in subjects):
        yield Problem("subject", "credentialSubject", "says nothing about anybody")
    for where, subject in _entries(document, "credentialSubject", ""):
        if isinstance(subject, Mapping) and "id" in subject and not is_url(subject["id"]):
            yield Problem("subject", _at(where, "id"), "is not an absolute URL or DID")


def _presentation(document: Mapping[str, Any]) -> Iterator[Problem]:
    """VC Data Model 2.0, 4.13 Verifiable Presentations."""
    old = CREDENTIALS_V1 in listed(document.get("@context"))
    yield from _context(document, "", old)
    if not _names(document.get("type")):
        yield Problem("type", "type", "is not a list of names")
    if "id" in document and not is_url(document["id"]):
        yield Problem("members", "id", "is not an absolute URL or URN")
    holder = document.get("holder")
    if "holder" in document and not is_url(holder.get("id") if isinstance(holder, Mapping) else holder):
        yield Problem("members", "holder", "does not say by an absolute URL or a DID who holds it")
    for where, entry in _entries(document, "verifiableCredential", ""):
        if not isinstance(entry, Mapping):
            yield Problem("members", where, "is not an object; a token stands in an EnvelopedVerifiableCredential")
        elif "EnvelopedVerifiableCredential" in listed(entry.get("type")):
            if not isinstance(entry.get("id"), str) or not entry["id"].startswith("data:"):
                yield Problem("members", _at(where, "id"), "is not a data: URL that holds the credential")
        elif "VerifiableCredential" not in listed(entry.get("type")):
            yield Problem("type", _at(where, "type"), "does not say that this is a credential (VerifiableCredential)")
    for where, entry in _entries(document, "proof", ""):
        if not isinstance(entry, Mapping) or not _names(entry.get("type")):
            yield Problem("members", _at(where, "type"), "is missing")


# --- Classes of the model ---


def _thing(value: Any, kind: str, where: str, depth: int = 0) -> Iterator[Problem]:
    """What is wrong with a thing of a class: its type, its members by the table, then what only this class asks."""
    about = CLASSES[kind]
    if not isinstance(value, Mapping):
        yield Problem(about.rule, where, f"is not an object ({kind})")
        return
    if depth > _DEEPEST:
        yield Problem(about.rule, where, f"lies more than {_DEEPEST} things deep")
        return
    yield from _type(value, kind, about, where)
    for name, member in about.members.items():
        found = value.get(name)
        if name not in value or ((found is None or found == []) and member.needed):
            if member.needed:
                yield Problem(about.rule, _at(where, name), "is missing")
        elif found is not None and found != []:  # an empty one that is not needed is told of by `_empty`
            yield from _member(found, member, _at(where, name), about.rule, depth)
    if about.closed:
        for extra in sorted(map(str, set(value) - set(about.members) - {"type"})):
            yield Problem(about.rule, _at(where, plain(extra, 60)), f"is not a member of {kind}")
    if kind in _MORE:
        yield from _MORE[kind](value, where)


def _type(value: Mapping[str, Any], kind: str, about: Class, where: str) -> Iterator[Problem]:
    found = value.get("type")
    if about.typed == "names" and (kind not in listed(found) or not _names(found)):
        yield Problem(about.rule, _at(where, "type"), f"does not name {kind}")
    elif about.typed == "is" and found != kind:
        once = found == [kind] and kind not in ("IdentityObject", "Association")
        yield Problem(about.rule, _at(where, "type"), f"is not the text “{kind}”", tolerated=once)


def _member(value: Any, member: Member, where: str, rule: str, depth: int) -> Iterator[Problem]:
    if member.many:
        if not isinstance(value, list):
            yield Problem(rule, where, "stands alone, where the standard has a list", tolerated=True)
        for i, entry in enumerate(listed(value)):
            yield from _shape(entry, member.shape, f"{where}[{i}]", rule, depth)
    elif isinstance(value, list) and member.shape != "text":  # text may be a list of languages
        yield Problem(rule, where, "is a list, where the standard has one value")
    else:
        yield from _shape(value, member.shape, where, rule, depth)


def _shape(value: Any, shape: str, where: str, rule: str, depth: int) -> Iterator[Problem]:
    match shape:
        case "text":
            if not is_text(value):
                yield Problem(rule, where, "is not text", tolerated=_language_map(value))
        case "salt":
            if not isinstance(value, str):
                yield Problem(rule, where, "is not text")
        case "url":
            if not is_url(value):
                yield Problem(rule, where, "is not an absolute URL, URN or DID")
        case "moment":
            yield from _moment(value, where)
        case "time":
            yield from _moment(value, where, zone=False)
        case "day":
            if not _day(value):
                yield Problem("dates", where, "is not a date such as 1998-03-14")
        case "yes or no":
            if not isinstance(value, bool):
                yield Problem(rule, where, "is not true or false")
        case "number" | "degrees":
            if isinstance(value, bool) or not isinstance(value, int | float):
                yield Problem(rule, where, "is not a number")
            elif shape == "number" and value < 0:
                yield Problem(rule, where, "is not a number of at least 0")
        case "language":
            if not isinstance(value, str) or not _LANGUAGE.fullmatch(value):
                loose = isinstance(value, str) and _ANY_LANGUAGE.fullmatch(value) is not None
                yield Problem(rule, where, "is not a language tag such as en or de-AT", tolerated=loose)
        case "email":
            if not isinstance(value, str) or not _EMAIL.fullmatch(value):
                yield Problem(rule, where, "is not an e-mail address", tolerated=isinstance(value, str))
        case "country":
            if not isinstance(value, str) or not re.fullmatch("[A-Z]{2}", value):
                loose = isinstance(value, str) and bool(value.strip())
                yield Problem(rule, where, "is not a country code of two letters", tolerated=loose)
        case "jws":
            if not isinstance(value, str) or not _JWS.fullmatch(value):
                yield Problem(rule, where, "is not a JSON Web Signature in compact form")
        case "signed":
            if not isinstance(value, Mapping):
                yield Problem(rule, where, "is not an object with a signature of its own")
        case "Image" if isinstance(value, str):
            yield Problem(rule, where, "is an address, where the standard has an object", tolerated=is_url(value))
        case _ if shape in CLASSES:
            yield from _thing(value, shape, where, depth + 1)
        case _:
            yield from _word(value, shape.strip("[]"), where)


def _word(value: Any, vocabulary: str, where: str) -> Iterator[Problem]:
    own = vocabulary in EXTENSIBLE and isinstance(value, str) and re.fullmatch(r"ext:[A-Za-z0-9._-]+", value)
    if not own and not (isinstance(value, str) and value in VOCABULARIES[vocabulary]):
        yield Problem("vocabulary", where, f"is “{plain(value, 60)}”, which the standard does not have")


# --- What only one class asks ---


def _badge_subject(subject: Mapping[str, Any], where: str) -> Iterator[Problem]:
    yield from _belongs(subject, where)
    start, end = _read(subject.get("activityStartDate")), _read(subject.get("activityEndDate"))
    if start is not None and end is not None and end < start:
        yield Problem("dates", _at(where, "activityEndDate"), "is before “activityStartDate”")
    described = _described(subject.get("achievement"))
    for at, result in _entries(subject, "result", where):
        if isinstance(result, Mapping):
            yield from _result(result, described, at)


def _belongs(subject: Mapping[str, Any], where: str) -> Iterator[Problem]:
    if "id" not in subject and not listed(subject.get("identifier")):
        yield Problem("subject", where, "does not say whose it is, by an id or an identifier")


def _identity(entry: Mapping[str, Any], where: str) -> Iterator[Problem]:
    value = entry.get("identityHash")
    hashed = entry.get("hashed") is True and is_text(value)
    if hashed and not is_hash(value):
        yield Problem("subject", _at(where, "identityHash"), "is not sha256$ or md5$ and a hex digest")


def _criteria(criteria: Mapping[str, Any], where: str) -> Iterator[Problem]:
    if "id" not in criteria and not is_text(criteria.get("narrative")):
        yield Problem("achievement", where, "has neither an address nor a narrative", tolerated=True)


def _achievement(value: Mapping[str, Any], where: str) -> Iterator[Problem]:
    ids: set[str] = set()
    for at, entry in _entries(value, "resultDescription", where):
        yield from _once(entry, ids, at)


def _place(value: Mapping[str, Any], where: str) -> Iterator[Problem]:
    for name, most in (("latitude", 90), ("longitude", 180)):
        number = value.get(name)
        if isinstance(number, int | float) and not -most <= number <= most:
            yield Problem("members", _at(where, name), f"is not between -{most} and {most}")


def _once(entry: Any, ids: set[str], where: str) -> Iterator[Problem]:
    id = _id(entry)
    if id and id in ids:
        yield Problem("results", _at(where, "id"), "stands twice")
    ids.add(id)


def _result_description(entry: Mapping[str, Any], where: str) -> Iterator[Problem]:
    levels: set[str] = set()
    points = []
    for at, level in _entries(entry, "rubricCriterionLevel", where):
        yield from _once(level, levels, at)
        points.append(_number(level.get("points")) if isinstance(level, Mapping) else None)
    if "requiredLevel" in entry and not (isinstance(entry["requiredLevel"], str) and entry["requiredLevel"] in levels):
        yield Problem("results", _at(where, "requiredLevel"), "is none of the levels of this rubric")
    if _falling(points):
        at = _at(where, "rubricCriterionLevel")
        yield Problem("results", at, "does not go from the lowest level to the highest", tolerated=True)
    low, high = _number(entry.get("valueMin")), _number(entry.get("valueMax"))
    if low is not None and high is not None and low > high:
        yield Problem("results", _at(where, "valueMin"), "is more than “valueMax”")
    allowed = [value for value in listed(entry.get("allowedValue")) if isinstance(value, str)]
    if len(set(allowed)) != len(allowed):
        yield Problem("results", _at(where, "allowedValue"), "names a value twice")
    if _falling([_number(value) for value in allowed]):
        at = _at(where, "allowedValue")
        yield Problem("results", at, "does not go from the lowest value to the highest", tolerated=True)
    needed = entry.get("requiredValue")
    if isinstance(needed, str) and allowed and needed not in set(allowed):
        yield Problem("results", _at(where, "requiredValue"), "is none of the allowed values")
    elif isinstance(needed, str) and _outside(_number(needed), low, high):
        yield Problem("results", _at(where, "requiredValue"), "is outside what may be reached")


def _falling(numbers: list[float | None]) -> bool:
    """Whether there are numbers for all, and one is less than the one before it."""
    return (
        bool(numbers)
        and all(n is not None for n in numbers)
        and any(b < a for a, b in pairwise(n for n in numbers if n is not None))
    )


@dataclass(frozen=True, slots=True)
class _Description:
    """What results are held against, read once however many results there are."""

    entry: Mapping[str, Any]
    levels: frozenset[str]
    allowed: frozenset[str] | None


def _described(achievement: Any) -> dict[str, _Description]:
    if not isinstance(achievement, Mapping):
        return {}
    found = {}
    for _, entry in _entries(achievement, "resultDescription", ""):
        if isinstance(entry, Mapping) and _id(entry):
            levels = frozenset(_id(level) for _, level in _entries(entry, "rubricCriterionLevel", ""))
            values = listed(entry.get("allowedValue"))
            allowed = frozenset(value for value in values if isinstance(value, str)) if values else None
            found[_id(entry)] = _Description(entry, levels - {""}, allowed)
    return found


def _result(result: Mapping[str, Any], described: Mapping[str, _Description], where: str) -> Iterator[Problem]:
    link, level = result.get("resultDescription"), result.get("achievedLevel")
    if not {"value", "achievedLevel", "status"} & set(result):
        yield Problem("results", where, "says no result: no value, no level, no status", tolerated=True)
    if link is None:
        if level is not None:
            yield Problem("results", _at(where, "achievedLevel"), "belongs to no description of a result")
        return
    description = described.get(link) if isinstance(link, str) else None
    if description is None:
        yield Problem("results", _at(where, "resultDescription"), "is not in the achievement that is awarded")
        return
    if "achievedLevel" in result and not (isinstance(level, str) and level in description.levels):
        yield Problem("results", _at(where, "achievedLevel"), "is none of the levels of its rubric")
    if description.entry.get("resultType") == "Status" and "status" not in result:
        yield Problem("results", _at(where, "status"), "is missing, though the result is a status")
    value = result.get("value")
    if isinstance(value, str):
        yield from _value(value, description, _at(where, "value"))


def _value(value: str, description: _Description, where: str) -> Iterator[Problem]:
    if description.allowed is not None and value not in description.allowed:
        yield Problem("results", where, f"is “{plain(value, 60)}”, which is not allowed")
    number = _number(value)
    low, high = _number(description.entry.get("valueMin")), _number(description.entry.get("valueMax"))
    if number is None:
        if low is not None or high is not None:
            yield Problem("results", where, f"is “{plain(value, 60)}”, which is not a number")
    elif _outside(number, low, high):
        yield Problem("results", where, f"is {plain(value, 40)}, outside what its description allows")


def _outside(number: float | None, low: float | None, high: float | None) -> bool:
    return number is not None and ((low is not None and number < low) or (high is not None and number > high))


def _clr_subject(subject: Mapping[str, Any], where: str) -> Iterator[Problem]:
    yield from _belongs(subject, where)
    known = {_id(achievement) for achievement in listed(subject.get("achievement"))}
    for credential in listed(subject.get("verifiableCredential")):
        inner = credential.get("credentialSubject") if isinstance(credential, Mapping) else None
        for one in listed(inner):
            if isinstance(one, Mapping):
                known |= {_id(entry) for entry in listed(one.get("achievement"))}
    known.discard("")
    for at, association in _entries(subject, "association", where):
        if isinstance(association, Mapping):
            yield from _association(association, known, at)


def _association(value: Mapping[str, Any], known: set[str], where: str) -> Iterator[Problem]:
    ends = {name: value.get(name) for name in ("sourceId", "targetId")}
    strange = [name for name, end in ends.items() if not (isinstance(end, str) and end in known)]
    if len(strange) == 2:
        yield Problem("association", where, "joins nothing that is in this record")
    elif strange and is_url(ends[strange[0]]):
        yield Problem("association", _at(where, strange[0]), "is no achievement of this record", tolerated=True)


_MORE: Mapping[str, Callable[[Mapping[str, Any], str], Iterator[Problem]]] = {
    "AchievementSubject": _badge_subject,
    "ClrSubject": _clr_subject,
    "IdentityObject": _identity,
    "Achievement": _achievement,
    "Criteria": _criteria,
    "GeoCoordinates": _place,
    "ResultDescription": _result_description,
}


# --- Small questions ---

_LANGUAGE = re.compile(r"[a-z]{2,4}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?")
_ANY_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,8}")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
_JWS = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]+")
_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII)


def _moment(value: Any, where: str, *, zone: bool = True) -> Iterator[Problem]:
    try:
        parse_iso(value)
    except BrokenInput as problem:
        loose = False
        if not zone and isinstance(value, str):
            try:
                loose = datetime.fromisoformat(value).tzinfo is None
            except ValueError:
                loose = False
        yield Problem("dates", where, f"cannot be read: {plain(problem.what, 200)}", tolerated=loose)
        return
    if not _TIMESTAMP.fullmatch(value):
        yield Problem("dates", where, "is not written as in 2026-11-24T09:00:00Z", tolerated=True)


def _read(value: Any) -> datetime | None:
    try:
        return parse_iso(value)
    except BrokenInput:
        return None


def _day(value: Any) -> bool:
    try:
        return isinstance(value, str) and date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def _entries(holder: Mapping[str, Any], name: str, path: str) -> Iterator[tuple[str, Any]]:
    yield from ((f"{_at(path, name)}[{i}]", entry) for i, entry in enumerate(listed(holder.get(name))))


def is_text(value: Any) -> bool:
    """Text, or text with its language and direction, once or in several languages."""
    if isinstance(value, list):
        return bool(value) and all(isinstance(item, Mapping) and is_text(item) for item in value)
    if isinstance(value, Mapping):
        if not {"@value"} <= set(value) <= {"@value", "@language", "@direction"}:
            return False
        direction = value.get("@direction", "ltr")
        return all(isinstance(v, str) and v.strip() for v in value.values()) and direction in ("ltr", "rtl")
    return isinstance(value, str) and bool(value.strip())


def _language_map(value: Any) -> bool:
    """`{"en": "..."}`: the published schemas take it, though the contexts do not give it a meaning."""
    return (
        isinstance(value, Mapping)
        and bool(value)
        and all(isinstance(k, str) and re.fullmatch(r"[a-z]{2}(-[A-Z]{2})?", k) for k in value)
        and all(isinstance(v, str) and v.strip() for v in value.values())
    )


def is_hash(value: Any) -> bool:
    """An identity hash: its algorithm and a hex digest of the right length (Open Badges 3.0, IdentityHash)."""
    return isinstance(value, str) and _HASH.fullmatch(value) is not None


HASH = r"(?:sha256\$[0-9a-fA-F]{64}|md5\$[0-9a-fA-F]{32})"

_HASH = re.compile(HASH)


def _names(value: Any) -> bool:
    return bool(listed(value)) and all(isinstance(name, str) and name.strip() for name in listed(value))


PLAIN_URL = r"(?:https?://[a-z0-9.-]+(?::[0-9]+)?(?:/[!-~]*)?|urn:[a-z0-9][!-~]+|did:[a-z0-9]+:[!-~]+)"
"""Addresses as nearly all are: what `is_url` finds as well, in ten times as long."""

_PLAIN_URL = re.compile(PLAIN_URL)


def is_url(value: Any) -> bool:
    """An absolute URL, URN or DID."""
    if type(value) is str and _PLAIN_URL.fullmatch(value):
        return True
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
