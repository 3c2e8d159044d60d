"""What a signed credential says, in words for a certificate or a page.

Everything here stands in the signed document; what has no field in Open Badges is read back from the sentences
that `open_badge` wrote into the criteria (a line of another issuer that does not fit stays a paragraph of its
own). Nothing is checked: a paper or a page that shows particulars says beside them what verification found.

Text comes out as one line without control and direction characters, so that nothing printed can be read in
another order than it is stored.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC
from typing import Any, Literal

from guildmark.core.codecs import parse_iso
from guildmark.core.errors import BrokenInput
from guildmark.credential.open_badge import CREDIT_UNIT, LEVEL, NOT_UNDER_AQF, number
from guildmark.credential.signed import issuer_id, listed

LARGER_NOT_UNDER_AQF = (
    "This certificate and its components are not issued under the Australian Qualifications Framework (AQF)."
)
"""The same statement for a larger credential of an Australian provider."""

MOST_COMPONENTS = 60
"""As many as verification looks at; a larger document is not printed."""

_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class OutcomeResult:
    """One learning outcome, the skills it is aligned to, and how much of it was shown. "" where not stated."""

    statement: str
    level: str = ""
    skills: tuple[str, ...] = ()
    percent: str = ""


@dataclass(frozen=True, slots=True)
class CriterionResult:
    """One criterion of a rubric: the level reached, what that level means, and the level that was needed."""

    name: str
    reached: str
    descriptor: str = ""
    required: str = ""


@dataclass(frozen=True, slots=True)
class Endorser:
    """Who signed an endorsement that is inside the credential, and what it says."""

    name: str
    claim: str


@dataclass(frozen=True, slots=True)
class Particulars:
    """What is printed about one credential. "" and () where the document says nothing; dates are in words."""

    kind: Literal["badge", "clr"]
    id: str
    title: str
    description: str
    language: str
    issuer: str
    issuer_id: str
    country: str
    issued: str
    decided: str = ""
    valid_until: str = ""
    level: str = ""
    credit: str = ""
    credit_basis: str = ""
    workload: str = ""
    total: str = ""
    total_required: str = ""
    outcomes: tuple[OutcomeResult, ...] = ()
    criteria: tuple[CriterionResult, ...] = ()
    assessment: tuple[str, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    paragraphs: tuple[str, ...] = ()
    approval: str = ""
    evidence: tuple[str, ...] = ()
    endorsers: tuple[Endorser, ...] = ()
    statements: tuple[str, ...] = ()
    key: str = ""
    components: tuple[Particulars, ...] = field(default=())

    def fact(self, name: str) -> str:
        """The value of one of `facts`, "" if it is not stated."""
        return dict(self.facts).get(name, "")


def particulars(document: Mapping[str, Any]) -> Particulars:
    """The particulars of an OpenBadgeCredential, or of a ClrCredential with those of its components.

    BrokenInput if the document does not say what it is called, who issued it or since when it counts.
    """
    kinds = listed(document.get("type"))
    if "ClrCredential" in kinds:
        return _larger(document)
    if not {"OpenBadgeCredential", "AchievementCredential"} & {k for k in kinds if isinstance(k, str)}:
        raise BrokenInput("is neither an Open Badge nor a comprehensive learner record", where="credential")
    return _badge(document)


def day(moment: Any) -> str:
    """The day of an ISO 8601 moment in words: 24 November 2026 (UTC)."""
    at = parse_iso(moment).astimezone(UTC)
    return f"{at.day} {_MONTHS[at.month - 1]} {at.year}"


def line(text: Any, limit: int = 4000) -> str:
    """One line in NFC without control, direction and private characters; cut after `limit` with an ellipsis."""
    if not isinstance(text, str):
        return ""
    kept = "".join(_character(c) for c in unicodedata.normalize("NFC", text))
    flat = " ".join(kept.split())
    return flat if len(flat) <= limit else flat[: limit - 1] + "…"


_JOINERS = "\u200c\u200d"
"""Letters of Persian and of many scripts of India, and joined emoji, need them; they move nothing."""


def _character(c: str) -> str:
    match unicodedata.category(c):
        case "Cc" | "Zl" | "Zp":
            return " "
        case "Cf":
            return c if c in _JOINERS else ""
        case "Cs" | "Co" | "Cn":
            return "\ufffd"
        case _:
            return c


# --- One badge ---


def _badge(document: Mapping[str, Any]) -> Particulars:
    subject = _mapping(_first(document.get("credentialSubject")))
    achievement = _mapping(_first(subject.get("achievement")))
    told = _Narrative(_mapping(achievement.get("criteria")).get("narrative"))
    alignments = [a for a in listed(achievement.get("alignment")) if isinstance(a, Mapping)]
    level = _alignment(alignments, LEVEL)
    unit = _alignment(alignments, CREDIT_UNIT)
    results = _by("resultDescription", subject.get("result"))
    described = _by("id", achievement.get("resultDescription")).values()
    total = next((d for d in described if d["id"].endswith("#result/total")), {})
    outcomes = tuple(_outcome(d, results) for d in described if d.get("resultType") == "Percent" and d is not total)
    credit, workload = line(unit.get("targetName")) or _bare_credit(subject) or told.credit, told.workload
    return Particulars(
        kind="badge",
        **_common(document, achievement),
        level=line(level.get("targetName")) or told.level,
        credit=credit,
        credit_basis=line(unit.get("targetDescription")),
        workload=f"{workload} hours" if workload else "",
        total=_percent(results.get(total.get("id", ""), {}).get("value")),
        total_required=_percent(total.get("requiredValue")),
        outcomes=outcomes or tuple(OutcomeResult(text) for text in told.outcomes),
        criteria=tuple(found for d in described if (found := _criterion(d, results))),
        assessment=tuple(told.assessment),
        facts=tuple(told.facts),
        paragraphs=tuple(told.paragraphs),
        approval=told.approval,
        evidence=tuple(
            ": ".join(filter(None, (line(e.get("name")), line(e.get("description")))))
            for e in listed(document.get("evidence"))
            if isinstance(e, Mapping)
        ),
        endorsers=tuple(_endorsers(document, achievement)),
        statements=(NOT_UNDER_AQF,) if _country(document) == "AU" or told.says_not_under_aqf else (),
    )


def _common(document: Mapping[str, Any], achievement: Mapping[str, Any]) -> dict[str, Any]:
    issuer = _mapping(document.get("issuer"))
    title = line(document.get("name")) or line(achievement.get("name"))
    name = line(issuer.get("name")) or line(issuer_id(document))
    for what, value in (("name", title), ("issuer", name)):
        if not value:
            raise BrokenInput(f"has no {what} that can be printed", where="credential")
    language = achievement.get("inLanguage")
    proof = _mapping(_first(document.get("proof")))
    return {
        "id": line(document.get("id")),
        "title": title,
        "description": line(achievement.get("description")),
        "language": language if isinstance(language, str) else "",
        "issuer": name,
        "issuer_id": line(issuer_id(document)),
        "country": _country(document),
        "issued": day(document.get("validFrom", document.get("issuanceDate"))),
        "decided": day(document["awardedDate"]) if "awardedDate" in document else "",
        "valid_until": day(ends) if (ends := document.get("validUntil", document.get("expirationDate"))) else "",
        "key": line(proof.get("verificationMethod")),
    }


def _outcome(description: Mapping[str, Any], results: Mapping[str, Mapping[str, Any]]) -> OutcomeResult:
    alignments = [a for a in listed(description.get("alignment")) if isinstance(a, Mapping)]
    return OutcomeResult(
        statement=line(description.get("name")),
        level=line(_alignment(alignments, LEVEL).get("targetName")),
        skills=tuple(line(a.get("targetName")) for a in alignments if a.get("targetType") != LEVEL),
        percent=_percent(results.get(description["id"], {}).get("value")),
    )


def _criterion(description: Mapping[str, Any], results: Mapping[str, Mapping[str, Any]]) -> CriterionResult | None:
    """The level reached on a rubric's criterion; None for what is no such criterion or has no result."""
    if description.get("resultType") != "RubricCriterionLevel" or description["id"] not in results:
        return None
    levels = _by("id", description.get("rubricCriterionLevel"))
    reached = levels.get(str(results[description["id"]].get("achievedLevel")), {})
    required = levels.get(str(description.get("requiredLevel")), {})
    return CriterionResult(
        name=line(description.get("name")),
        reached=line(reached.get("name")) or "not stated",
        descriptor=line(reached.get("description")),
        required=line(required.get("name")),
    )


def _endorsers(document: Mapping[str, Any], achievement: Mapping[str, Any]) -> Iterator[Endorser]:
    issuer = _mapping(document.get("issuer"))
    for place in (document, achievement, issuer):
        for one in listed(place.get("endorsement")):
            if isinstance(one, Mapping) and (found := endorser(one)).name:
                yield found


def endorser(endorsement: Mapping[str, Any]) -> Endorser:
    """Who signed the endorsement, and what it says; "" where it does not say."""
    by = _mapping(endorsement.get("issuer"))
    comment = _mapping(_first(endorsement.get("credentialSubject"))).get("endorsementComment")
    # The digest of the signed map stands after an empty line; it is for machines.
    claim = comment.partition("\n\nmap sha-256:")[0] if isinstance(comment, str) else ""
    return Endorser(line(by.get("name")) or line(issuer_id(endorsement)), line(claim))


# --- A larger credential ---


def _larger(document: Mapping[str, Any]) -> Particulars:
    subject = _mapping(_first(document.get("credentialSubject")))
    achievement = _mapping(_first(subject.get("achievement")))
    held = [c for c in listed(subject.get("verifiableCredential")) if isinstance(c, Mapping)]
    if len(held) > MOST_COMPONENTS:
        raise BrokenInput(f"has more than {MOST_COMPONENTS} components", where="credential")
    components = tuple(_badge(part) for part in held)
    if _country(document) == "AU":
        statements: tuple[str, ...] = (LARGER_NOT_UNDER_AQF,)
    else:
        statements = tuple(f"“{c.title}”: {says}" for c in components for says in c.statements)
    narrative = _mapping(achievement.get("criteria")).get("narrative")
    told = narrative.partition("\n\nComponents that counted:")[0] if isinstance(narrative, str) else ""
    common = _common(document, achievement)
    return Particulars(
        kind="clr",
        **common,
        paragraphs=() if line(told) == common["description"] else tuple(filter(None, [line(told)])),
        endorsers=tuple(_endorsers(document, achievement)),
        statements=statements,
        components=components,
    )


# --- The sentences of the criteria ---


class _Narrative:
    """The lines that `open_badge` wrote, sorted; what does not fit is kept as a paragraph."""

    def __init__(self, text: Any) -> None:
        self.outcomes: list[str] = []
        self.assessment: list[str] = []
        self.facts: list[tuple[str, str]] = []
        self.paragraphs: list[str] = []
        self.workload = self.level = self.credit = self.approval = ""
        self.says_not_under_aqf = False
        items = self.paragraphs
        for each in (text if isinstance(text, str) else "").splitlines():
            items = self._take(line(each), items)

    def _take(self, each: str, items: list[str]) -> list[str]:
        """Sort one line; the list into which a list item after it goes."""
        if each == "The holder has shown, in assessed work:":
            return self.outcomes
        if each == "Assessed by:":
            return self.assessment
        if each == NOT_UNDER_AQF:
            self.says_not_under_aqf = True
        elif each.startswith("- "):
            items.append(each[2:])
        elif size := re.fullmatch(r"Workload: (.+?) hours\. Level: (.+?)\. Credit: (.+)\.", each):
            self.workload, self.level, self.credit = size.groups()
        elif each.startswith(("Approved by ", "Approved on ", "Approved; ")):
            self.approval = each
        elif fact := re.fullmatch(r"([A-Z][A-Za-z ]{2,60}): (.+)", each):
            self.facts.append((fact[1], fact[2].removesuffix(".")))
        elif each:
            self.paragraphs.append(each)
        return items


# --- Small readings ---


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _first(value: Any) -> Any:
    return next(iter(listed(value)), None)


def _by(key: str, value: Any) -> dict[str, Mapping[str, Any]]:
    """The entries of a list by one of their fields, where that is text; others cannot be referred to."""
    return {e[key]: e for e in listed(value) if isinstance(e, Mapping) and isinstance(e.get(key), str)}


def _country(document: Mapping[str, Any]) -> str:
    code = _mapping(_mapping(document.get("issuer")).get("address")).get("addressCountryCode")
    return line(code, 20)


def _alignment(alignments: list[Mapping[str, Any]], kind: str) -> Mapping[str, Any]:
    return next((a for a in alignments if a.get("targetType") == kind), {})


def _bare_credit(subject: Mapping[str, Any]) -> str:
    earned = subject.get("creditsEarned")
    if isinstance(earned, bool) or not isinstance(earned, int | float):
        return ""
    return f"{number(earned)} (the unit is not stated)"


def _percent(value: Any) -> str:
    return f"{line(value, 20)}\u00a0%" if isinstance(value, str) and value.strip() else ""
