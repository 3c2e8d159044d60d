"""An award as an unsigned Open Badges 3.0 document, from a blueprint and a decision; and any other document of the
whole data model, part by part.

Sources: 1EdTech Open Badges 3.0 (document 2.0 of 2025-04-07), sections "Data Model", "Serialization" and
"Credential equality and comparison algorithm"; W3C Verifiable Credentials Data Model 2.0. Both published revisions of
the context at `context-3.0.3.json` give an award the same meaning, unless it holds endorsements as tokens: the term
`endorsementJwt` is in the current revision only, so under the older one a signature would not cover them.

`make` writes any class of the model (`model.CLASSES`) and `credential` any kind of credential, both checked by the
rules by which documents are read. An award has every further member through `members`, `subject_members`,
`achievement_members` and `IssuerProfile.members`; what blueprint and decision decide cannot be said otherwise there.

What Open Badges has no field for is said in a way that is signed, and never in a field that means something
else:

- the *level* and the *unit of credit* are alignments of the achievement, with the target types
  `ext:QualificationLevel` and `ext:CreditUnit`; `creditsAvailable` and `creditsEarned` carry the bare number;
- *hours*, mode, prerequisites, assessment and quality assurance are sentences of the criteria's narrative;
- the *approval* is a `relatedResource` (Data Model 2.0, section 5.3) whose digest is signed; the criteria
  name it;
- the *decision* is an evidence entry with the SHA-256 of the decision record, of the marks and of the
  blueprint, so that the award can be traced to them by whoever holds the records, while no marker is named in
  public;
- the recipient's e-mail address and name are salted hashes. The salt is public, so a hash hides a name from
  being read, not from being guessed: whoever knows the name can check it, which is the point.
"""

from __future__ import annotations

import base64
import hashlib
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from urllib.parse import quote, unquote

from guildmark.assess.decision import Decision
from guildmark.core.codecs import iso, jcs, parse_iso
from guildmark.core.errors import BrokenInput
from guildmark.credential.jsonld import CLR
from guildmark.credential.model import CLASSES, typed
from guildmark.credential.structure import class_problems, structure_problems
from guildmark.design.blueprint import Alignment, Assessment, Blueprint, Criterion, Outcome, blueprint_digest
from guildmark.design.codesign import map_digest

CREDENTIALS_V2 = "https://www.w3.org/ns/credentials/v2"
OPEN_BADGES = "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"

LEVEL, CREDIT_UNIT = "ext:QualificationLevel", "ext:CreditUnit"
"""Target types of the two alignments that stand for what Open Badges has no field for."""

NOT_UNDER_AQF = "This micro-credential is not issued under the Australian Qualifications Framework (AQF)."
"""Australia's National Microcredentials Framework asks for this statement on what a provider issues."""

_FRAMEWORK_PAGES = {
    "AQF": "https://www.aqf.edu.au/framework/aqf-levels",
    "EQF": "https://europass.europa.eu/en/description-eight-eqf-levels",
    "NZQCF": "https://www2.nzqa.govt.nz/qualifications-and-standards/about-new-zealand-qualifications-credentials-framework/",
    "ECTS": "https://education.ec.europa.eu/education-levels/higher-education/inclusive-and-connected-higher-education/"
    "european-credit-transfer-and-accumulation-system",
}
_COMPETENCE_FRAMEWORKS = {"esco": "ESCO", "onet": "O*NET", "o*net": "O*NET"}


@dataclass(frozen=True, slots=True)
class IssuerProfile:
    """The organisation that signs, as it stands in a credential. `id` is its DID, `country` an ISO 3166-1
    code; `members` are any other members of a Profile (`email`, `phone`, `description`, `otherIdentifier`,
    `parentOrg`, `official`, `endorsement`, the parts of a person's name, ...).
    """

    id: str
    name: str
    url: str = ""
    country: str = ""
    image: str = ""
    members: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def to_profile(self) -> dict[str, Any]:
        """The Open Badges Profile; BrokenInput if one of the further members is not as the standard has it, or is
        one that the other fields say.
        """
        profile: dict[str, Any] = {"id": self.id, "type": ["Profile"], "name": self.name}
        if self.url:
            profile["url"] = self.url
        if self.country:
            profile["address"] = {"type": ["Address"], "addressCountryCode": self.country}
        if self.image:
            profile["image"] = {"id": self.image, "type": "Image"}
        return make("Profile", **joined(profile, self.members, "profile")) if self.members else profile


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who is awarded. A DID becomes the subject's id; e-mail address and name are hashed with the salt."""

    email: str = ""
    name: str = ""
    salt: str = ""
    did: str = ""

    def __post_init__(self) -> None:
        if not self.email and not self.did:
            raise BrokenInput("a recipient needs an e-mail address or a DID", where="recipient")
        if (self.email or self.name) and len(self.salt) < 16:
            raise BrokenInput(
                "a hashed recipient needs a salt of at least 16 characters",
                where="recipient.salt",
                hint="make it random",
            )

    def to_subject(self) -> dict[str, Any]:
        """`id` and `identifier` of the credential's subject."""
        subject: dict[str, Any] = {"id": self.did} if self.did else {}
        known = [("emailAddress", plain_email(self.email)), ("name", plain_name(self.name))]
        identifiers = [
            {
                "type": "IdentityObject",
                "hashed": True,
                "identityHash": identity_hash(value, self.salt),
                "identityType": kind,
                "salt": self.salt,
            }
            for kind, value in known
            if value and self.salt
        ]
        if identifiers:
            subject["identifier"] = identifiers
        return subject


# --- Any part, and any credential, of the data model ---


def make(kind: str, /, **members: Any) -> dict[str, Any]:
    """A thing of a class of `model.CLASSES`, such as `make("Alignment", targetName=..., targetUrl=...)`.

    It is typed (`type` adds further types), a set of one is a list, empty members are left out, dates and whole
    numbers are written as the standard and other processors write them; members that the class does not have are kept,
    if it is open. BrokenInput names the first member that is missing or not as the standard has it.
    """
    thing = written(kind, members)
    problems = class_problems(thing, kind)
    if problems:
        raise BrokenInput(problems[0].says, where=problems[0].path or kind)
    return thing


def credential(
    kind: str,
    /,
    *,
    id: str,
    issuer: Mapping[str, Any] | str,
    valid_from: datetime,
    subject: Mapping[str, Any],
    valid_until: datetime | None = None,
    contexts: Sequence[str] = (),
    types: Sequence[str] = (),
    **members: Any,
) -> dict[str, Any]:
    """An unsigned OpenBadgeCredential, EndorsementCredential or ClrCredential, with any member that its class has.

    `subject` is written by `make`; `contexts` and `types` are those of extensions, after the standard's own.
    BrokenInput names the first thing that is not as the standards have it, in the strict profile.
    """
    own = {"ClrCredential": [CREDENTIALS_V2, CLR, OPEN_BADGES]}.get(kind, [CREDENTIALS_V2, OPEN_BADGES])
    document = {
        "@context": [*own, *contexts],
        "id": id,
        "type": ["VerifiableCredential", kind, *types],
        "issuer": issuer if isinstance(issuer, str) else dict(issuer),
        "validFrom": iso(valid_from),
        **({"validUntil": iso(valid_until)} if valid_until is not None else {}),
        **written(kind, {**members, "credentialSubject": subject}),
    }
    return checked(document)


def written(kind: str, members: Mapping[str, Any]) -> dict[str, Any]:
    """The members of a class as the standard writes them, the type first; not checked yet."""
    table = CLASSES[kind].members
    types = typed(kind)
    if "type" in types and isinstance(types["type"], list):
        given = members.get("type", [])
        types["type"] = list(dict.fromkeys([*types["type"], *([given] if isinstance(given, str) else given)]))
    made: dict[str, Any] = dict(types)
    for name, value in members.items():
        if name == "type" and types:
            continue
        plain = _plain(value, name)
        if plain in (None, "", [], {}):
            continue
        made[name] = [plain] if name in table and table[name].many and not isinstance(plain, list) else plain
    return made


_SIGNED = frozenset(name for kind in CLASSES.values() for name, m in kind.members.items() if m.shape == "signed")


def _plain(value: Any, name: str = "") -> Any:
    """JSON of what programs have: moments, days, tuples, numbers that are whole. What is signed on its own stays as it
    was signed.
    """
    if name in _SIGNED:
        return list(value) if isinstance(value, tuple) else value
    match value:
        case bool():
            return value
        case float():
            return number(value)
        case datetime():
            return iso(value)
        case date():
            return value.isoformat()
        case Mapping():
            return {key: _plain(item, key) for key, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
        case _:
            return value


def checked(document: dict[str, Any]) -> dict[str, Any]:
    """The document; BrokenInput names the first thing in it that is not as the standards have it, strictly."""
    problems = structure_problems(document, "strict")
    if problems:
        raise BrokenInput(problems[0].says, where=problems[0].path)
    return document


def joined(base: Mapping[str, Any], more: Mapping[str, Any], where: str) -> dict[str, Any]:
    """`base` with further members: lists grow; BrokenInput if one would replace what stands there."""
    made = dict(base)
    for name, value in more.items():
        if name not in made:
            made[name] = value
        elif isinstance(made[name], list) and isinstance(value, list | tuple) and name not in ("@context", "result"):
            made[name] = [*made[name], *value]
        else:
            raise BrokenInput("is decided by what it is made from", where=f"{where}.{name}", hint="leave it out")
    return made


# --- Which credential replaces which ---


def credential_key(document: Mapping[str, Any]) -> tuple[str, str] | None:
    """(issuer's id, credential's id), percent-decoded and trimmed: what tells credentials apart; None if one is
    missing.
    """
    issuer = document.get("issuer")
    who, id = issuer.get("id") if isinstance(issuer, Mapping) else issuer, document.get("id")
    if not isinstance(who, str) or not isinstance(id, str) or not who.strip() or not id.strip():
        return None
    return unquote(who).strip(), unquote(id).strip()


def same_credential(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether both are the same credential, perhaps at different times (Open Badges 3.0, "Credential equality and
    comparison algorithm"). Without an id of the credential and of its issuer, nothing is the same as anything.
    """
    key = credential_key(one)
    return key is not None and key == credential_key(other)


def replaces(new: Mapping[str, Any], old: Mapping[str, Any]) -> bool:
    """Whether `new` is the same credential as `old` and the more recent of the two, by `validFrom` (`issuanceDate` in
    a badge of VC Data Model 1.1). BrokenInput if the date of one of them cannot be read.
    """
    return same_credential(new, old) and _begins(new) > _begins(old)


def _begins(document: Mapping[str, Any]) -> datetime:
    name = "validFrom" if "validFrom" in document else "issuanceDate"
    return parse_iso(document.get(name, ""), where=name)


# --- Who is awarded ---


def identity_hash(value: str, salt: str) -> str:
    """`sha256$` and the hex digest of the UTF-8 value with the salt appended (Open Badges 3.0,
    IdentityHash).
    """
    return "sha256$" + hashlib.sha256((value + salt).encode()).hexdigest()


def plain_email(address: str) -> str:
    """The form of an e-mail address that is hashed: without surrounding space, in lower case."""
    return address.strip().lower()


def plain_name(name: str) -> str:
    """The form of a name that is hashed: NFC, single spaces; letters keep their case."""
    return " ".join(unicodedata.normalize("NFC", name).split())


def same_identity(entry: Mapping[str, Any], value: str) -> bool:
    """Whether an IdentityObject is this value, in plain text or hashed (`sha256$` or `md5$`, salt appended)."""
    stands, salt = entry.get("identityHash"), entry.get("salt", "")
    if not isinstance(stands, str) or not isinstance(salt, str):
        return False
    if entry.get("hashed") is not True:
        return stands == value
    algorithm, _, digest = stands.partition("$")
    if algorithm not in ("sha256", "md5"):
        return False
    salted = (value + salt).encode("utf-8", "replace")
    return hashlib.new(algorithm, salted, usedforsecurity=False).hexdigest() == digest.lower()


def is_recipient(document: Mapping[str, Any], *, email: str = "", name: str = "") -> bool:
    """Whether the credential was made out to this e-mail address (or name), by hash or in plain text."""
    subject = document.get("credentialSubject")
    entries = subject.get("identifier", []) if isinstance(subject, Mapping) else []
    asked = {"emailAddress": plain_email(email), "name": plain_name(name)}
    matches = {kind: False for kind, value in asked.items() if value}
    for entry in entries if isinstance(entries, list) else [entries]:
        kind = entry.get("identityType") if isinstance(entry, Mapping) else None
        if isinstance(kind, str) and kind in matches:
            matches[kind] = matches[kind] or same_identity(entry, asked[kind])
    return bool(matches) and all(matches.values())


def related_resource(url: str, sha256: str, *, media_type: str = "application/json") -> dict[str, Any]:
    """A `relatedResource` whose bytes have this SHA-256 (hex): the signature covers them though they lie
    elsewhere.
    """
    digest = base64.b64encode(bytes.fromhex(sha256)).decode("ascii")
    return {"id": url, "mediaType": media_type, "digestSRI": f"sha256-{digest}"}


def achievement(blueprint: Blueprint, url: str, *, approval: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The blueprint as an Open Badges Achievement whose id is `url`.

    Result descriptions: one for the total in percent, one for each outcome in percent with the skills that it
    is aligned to, one for each criterion with the levels of its rubric. Their ids are fragments of `url`.
    """
    made: dict[str, Any] = {
        "id": url,
        "type": ["Achievement"],
        "achievementType": "MicroCredential",
        "name": blueprint.title,
        "description": blueprint.description,
        "criteria": {"narrative": _criteria(blueprint, approval)},
        "inLanguage": blueprint.language,
        "version": str(blueprint.version),
        "alignment": [
            *_unique(_alignment(a) for outcome in blueprint.outcomes for a in outcome.alignments),
            *_level_alignments(blueprint),
            *_credit_alignments(blueprint),
        ],
        "resultDescription": [
            _total_description(blueprint, url),
            *(_outcome_description(outcome, url) for outcome in blueprint.outcomes),
            *(_criterion_description(a, c, url) for a in blueprint.assessments for c in a.criteria),
        ],
    }
    if blueprint.credit.unit != "none" and blueprint.credit.value:
        made["creditsAvailable"] = number(blueprint.credit.value)
    if blueprint.field:
        made["fieldOfStudy"] = f"{blueprint.field['scheme']} {blueprint.field['code']}".strip()
    if not made["alignment"]:
        del made["alignment"]  # an empty set is left out (Open Badges 3.0, "Serialization")
    return made


def award_document(
    *,
    credential_id: str,
    blueprint: Blueprint,
    decision: Decision,
    issuer: IssuerProfile,
    recipient: Recipient,
    valid_from: datetime,
    valid_until: datetime | None,
    status_entry: Mapping[str, Any] | None,
    achievement_url: str,
    endorsements: Sequence[Mapping[str, Any]] = (),
    endorsement_tokens: Sequence[str] = (),
    evidence: Sequence[Mapping[str, str]] = (),
    approval: Mapping[str, Any] | None = None,
    map_url: str = "",
    image: str = "",
    members: Mapping[str, Any] | None = None,
    subject_members: Mapping[str, Any] | None = None,
    achievement_members: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The unsigned OpenBadgeCredential for a passed decision.

    `endorsements` are signed EndorsementCredentials of the achievement, kept as they are, and
    `endorsement_tokens` the same as JSON Web Signatures in compact form (`endorsementJwt`). `evidence` entries
    have `name` and any of `id`, `description`, `narrative`, `genre`, `audience`. `approval` has `url` and
    `sha256` (hex, of the bytes served there) of the gate report, and `by` and `on` as text. `map_url` is
    where the map that partners sign is served.

    `members`, `subject_members` and `achievement_members` are further members of the credential (`description`,
    `image`, `refreshService`, `termsOfUse`, `credentialSchema`, ...), its subject (`activityStartDate`, `role`,
    `source`, `term`, `licenseNumber`, `narrative`, ...) and its achievement (`humanCode`, `tag`, `related`,
    `otherIdentifier`, `specialization`, ...), as `make` takes them. Lists are added to; what blueprint, decision or
    the other arguments say cannot be replaced.

    BrokenInput if the decision is not a pass or is about another blueprint, or if a further member is not as the
    standard has it.
    """
    if not decision.passed:
        raise BrokenInput("the decision is not a pass, so there is nothing to award", where=decision.id)
    if decision.blueprint_digest != blueprint_digest(blueprint):
        raise BrokenInput(
            "the decision was made on another content of the blueprint",
            where=decision.id,
            hint="decide again",
        )
    awarded = achievement(blueprint, achievement_url, approval=approval)
    awarded["creator"] = issuer.to_profile()
    if endorsements:
        awarded["endorsement"] = [dict(e) for e in endorsements]
    if endorsement_tokens:
        awarded["endorsementJwt"] = list(endorsement_tokens)
    if image:
        awarded["image"] = {"id": image, "type": "Image", "caption": f"Badge: {blueprint.title}"}
    subject: dict[str, Any] = {
        "type": ["AchievementSubject"],
        **recipient.to_subject(),
        "achievement": awarded,
        "result": _results(blueprint, decision, achievement_url),
    }
    if "creditsAvailable" in awarded:
        subject["creditsEarned"] = awarded["creditsAvailable"]
    document: dict[str, Any] = {
        "@context": [CREDENTIALS_V2, OPEN_BADGES],
        "id": credential_id,
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "name": blueprint.title,
        "issuer": issuer.to_profile(),
        "validFrom": iso(valid_from),
        "awardedDate": iso(decision.decided_at),
        "credentialSubject": subject,
        "evidence": [_decision_evidence(decision), *(_evidence(e, i) for i, e in enumerate(evidence))],
    }
    if valid_until is not None:
        document["validUntil"] = iso(valid_until)
    if status_entry is not None:
        document["credentialStatus"] = dict(status_entry)
    related = []
    if approval is not None:
        related.append(related_resource(str(approval["url"]), str(approval["sha256"])))
    if map_url:
        related.append(related_resource(map_url, map_digest(blueprint)))
    if related:
        document["relatedResource"] = related
    if not (members or subject_members or achievement_members or endorsement_tokens):
        return document
    awarded = written("Achievement", joined(awarded, achievement_members or {}, "achievement"))
    subject = joined({**subject, "achievement": awarded}, subject_members or {}, "credentialSubject")
    document["credentialSubject"] = written("AchievementSubject", subject)
    return checked(written("OpenBadgeCredential", joined(document, members or {}, "credential")))


def number(value: float) -> int | float:
    """The same number as an int where it is whole.

    JSON-LD processors write 3.0 as `3.0E0` or `3` depending on whether their language tells the two apart, so
    a signature over 3.0 would not verify after the document went through another language.
    """
    return int(value) if float(value).is_integer() else float(value)


def decimal_text(value: float) -> str:
    """A number as text with at most two decimals and no trailing zeros: 82.5, 75."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def level_label(level: str) -> str:
    """`AQF:5` as `AQF level 5`; `none` as it is."""
    framework, _, step = level.partition(":")
    return f"{framework} level {step}" if step else level


# --- Alignments ---


def _alignment(alignment: Alignment) -> dict[str, Any]:
    key = alignment.framework.strip().lower()
    known = next((name for start, name in _COMPETENCE_FRAMEWORKS.items() if key.startswith(start)), None)
    made = {
        "type": ["Alignment"],
        "targetType": "ceasn:Competency",
        "targetName": alignment.label,
        "targetUrl": alignment.uri,
        "targetFramework": alignment.framework or known or "",
    }
    if alignment.code:
        made["targetCode"] = alignment.code
    return {key: value for key, value in made.items() if value}


def _level_alignments(blueprint: Blueprint) -> list[dict[str, Any]]:
    levels = dict.fromkeys([blueprint.level, *(outcome.level for outcome in blueprint.outcomes)])
    return [_level_alignment(level) for level in levels if level and level != "none"]


def _level_alignment(level: str) -> dict[str, Any]:
    framework = level.partition(":")[0]
    made = {
        "type": ["Alignment"],
        "targetType": LEVEL,
        "targetName": level_label(level),
        "targetUrl": _FRAMEWORK_PAGES.get(framework, f"urn:guildmark:level:{quote(level, safe='')}"),
        "targetFramework": framework,
        "targetCode": level,
    }
    if framework == "AQF":
        made["targetDescription"] = f"The level of difficulty is comparable. {NOT_UNDER_AQF}"
    return made


def _credit_alignments(blueprint: Blueprint) -> list[dict[str, Any]]:
    credit = blueprint.credit
    if credit.unit == "none" or not credit.value:
        return []
    made = {
        "type": ["Alignment"],
        "targetType": CREDIT_UNIT,
        "targetName": credit_label(blueprint),
        "targetUrl": _FRAMEWORK_PAGES.get(credit.unit, f"urn:guildmark:credit-unit:{quote(credit.unit, safe='')}"),
        "targetFramework": credit.unit,
        "targetCode": credit.unit,
    }
    if credit.basis:
        made["targetDescription"] = credit.basis
    return [made]


_UNIT_NAMES = {"AU-CP": "credit points (Australia, provider's own scale)", "ECTS": "ECTS credits"}


def credit_label(blueprint: Blueprint) -> str:
    """The credit with its unit in words, or that there is none."""
    credit = blueprint.credit
    if credit.unit == "none" or not credit.value:
        return "no credit"
    return f"{decimal_text(credit.value)} {_UNIT_NAMES.get(credit.unit, credit.unit)}"


def _unique(alignments: Any) -> list[dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for alignment in alignments:
        found.setdefault(alignment["targetUrl"], alignment)
    return list(found.values())


# --- Results ---


def _part(url: str, *names: str) -> str:
    return url + "#" + "/".join(quote(name, safe="") for name in names)


def _total_description(blueprint: Blueprint, url: str) -> dict[str, Any]:
    return {
        "id": _part(url, "result", "total"),
        "type": ["ResultDescription"],
        "name": "Total",
        "resultType": "Percent",
        "valueMin": "0",
        "valueMax": "100",
        "requiredValue": decimal_text(blueprint.award_rule.pass_mark),
    }


def _outcome_description(outcome: Outcome, url: str) -> dict[str, Any]:
    made: dict[str, Any] = {
        "id": _part(url, "outcome", outcome.id),
        "type": ["ResultDescription"],
        "name": outcome.statement,
        "resultType": "Percent",
        "valueMin": "0",
        "valueMax": "100",
    }
    alignments = _unique(_alignment(a) for a in outcome.alignments)
    if outcome.level and outcome.level != "none":
        alignments.append(_level_alignment(outcome.level))
    if alignments:
        made["alignment"] = alignments
    return made


def _criterion_description(assessment: Assessment, criterion: Criterion, url: str) -> dict[str, Any]:
    return {
        "id": _part(url, "criterion", assessment.id, criterion.id),
        "type": ["ResultDescription"],
        "name": f"{assessment.title}: {criterion.title}",
        "resultType": "RubricCriterionLevel",
        "requiredLevel": _part(url, "level", assessment.id, criterion.id, criterion.pass_level),
        "rubricCriterionLevel": [
            {
                "id": _part(url, "level", assessment.id, criterion.id, level.id),
                "type": ["RubricCriterionLevel"],
                "name": level.title,
                "description": level.descriptor,
                "level": level.id,
                "points": decimal_text(level.points),
            }
            for level in criterion.levels
        ],
    }


def _results(blueprint: Blueprint, decision: Decision, url: str) -> list[dict[str, Any]]:
    results = [_percent(_part(url, "result", "total"), decision.percent)]
    levels: dict[str, str] = {}
    for reached in decision.outcome_results:
        results.append(_percent(_part(url, "outcome", reached.outcome_id), reached.percent))
        levels.update(reached.levels)
    for assessment in blueprint.assessments:
        for criterion in assessment.criteria:
            if criterion.id in levels:
                results.append(
                    {
                        "type": ["Result"],
                        "resultDescription": _part(url, "criterion", assessment.id, criterion.id),
                        "achievedLevel": _part(url, "level", assessment.id, criterion.id, levels[criterion.id]),
                    }
                )
    return results


def _percent(description: str, value: float) -> dict[str, Any]:
    return {"type": ["Result"], "resultDescription": description, "value": decimal_text(value)}


# --- Words and evidence ---


def _criteria(blueprint: Blueprint, approval: Mapping[str, Any] | None) -> str:
    """What the holder had to do, in Markdown: the part that people read and that has no field of its own."""
    rule = blueprint.award_rule
    lines = ["The holder has shown, in assessed work:", ""]
    lines += [f"- {o.statement} ({level_label(o.level)}, {decimal_text(o.hours)} hours)" for o in blueprint.outcomes]
    lines += ["", "Assessed by:", ""]
    for assessment in blueprint.assessments:
        watched = f", {in_words(assessment.supervision)}" if assessment.supervision else ""
        weight = f"{decimal_text(assessment.weight * 100)} % of the total"
        lines.append(f"- {assessment.title} ({assessment.type}, {weight}{watched})")
    each = " and every outcome achieved" if rule.each_outcome else ""
    lines += [
        "",
        f"Award rule: at least {decimal_text(rule.pass_mark)} % in total{each}; each criterion is marked by at least "
        f"{rule.min_markers} people independently.",
        f"Workload: {decimal_text(blueprint.hours)} hours. Level: {level_label(blueprint.level)}. "
        f"Credit: {credit_label(blueprint)}.",
    ]
    lines += [f"{title}: {text.rstrip('.')}." for title, text in facts(blueprint) if text]
    if approval is not None:
        by = f" by {approval['by']}" if approval.get("by") else ""
        on = f" on {approval['on']}" if approval.get("on") else ""
        lines.append(f"Approved{by}{on}; the report is at {approval['url']} (SHA-256 {approval['sha256']}).")
    if blueprint.country == "AU":
        lines.append(NOT_UNDER_AQF)
    return "\n".join(lines)


def facts(blueprint: Blueprint) -> list[tuple[str, str]]:
    """(what, value) for people: what frameworks ask for and no field of a badge holds. "" where not
    stated.
    """
    quality = [f"{in_words(key)}: {in_words(text)}" for key, text in (blueprint.quality_assurance or {}).items()]
    mode = [in_words(part) for part in (blueprint.delivery_mode, blueprint.synchrony) if part]
    months = blueprint.validity_months
    return [
        ("Form of participation", ", ".join(mode)),
        ("Location", in_words(blueprint.location)),
        ("Duration", in_words(blueprint.duration)),
        ("Prerequisites", in_words(blueprint.prerequisites)),
        ("Supervision and identity verification", in_words(blueprint.supervision)),
        ("Quality assurance", "; ".join(quality)),
        ("Stackability", in_words(blueprint.stackability)),
        ("Credit recognition", in_words(blueprint.credit_recognition)),
        ("Industry recognition", in_words(blueprint.industry_recognition)),
        ("Validity", f"{months} months" if months else ""),
        ("Further information", blueprint.further_info_url),
    ]


_WORDS = {
    "onsite": "on site",
    "work_based": "work-based",
    "unsupervised_no_id": "unsupervised, no identity verification",
    "supervised_no_id": "supervised, no identity verification",
    "supervised_with_id": "supervised, with identity verification",
    "stackable_integrated": "stackable, can be integrated towards another credential",
    "stand_alone": "stand-alone",
    "qa_process": "process",
    "review_process": "review",
    "provider_profile": "provider",
}
_DURATION_UNITS = {"D": "day", "W": "week", "M": "month", "Y": "year"}


def in_words(value: str) -> str:
    """A code of the vocabularies, or an ISO 8601 duration of one unit, as words; any other text as it is."""
    if value in _WORDS:
        return _WORDS[value]
    if match := re.fullmatch(r"P(\d+)([DWMY])", value):
        return f"{match[1]} {_DURATION_UNITS[match[2]]}{'' if match[1] == '1' else 's'}"
    return value.replace("_", " ") if re.fullmatch(r"[a-z]+(_[a-z]+)+", value) else value


def _decision_evidence(decision: Decision) -> dict[str, Any]:
    markers = len(decision.marker_ids)
    record = hashlib.sha256(jcs(decision.to_json())).hexdigest()
    says = [
        f"Decision {decision.id}, made {iso(decision.decided_at)} from the marks of {markers} independent markers: "
        f"{decimal_text(decision.percent)} %, passed.",
        f"decision sha-256: {record}",
        f"marks sha-256: {decision.marks_sha256}",
        f"blueprint sha-256: {decision.blueprint_digest}",
    ]
    return {
        "type": ["Evidence"],
        "name": "Assessment decision",
        "description": "The recorded decision on which this award rests; the provider keeps the record.",
        "narrative": "\n".join(says),
        "genre": "Assessment record",
    }


_EVIDENCE_FIELDS = ("id", "name", "description", "narrative", "genre", "audience")


def _evidence(entry: Mapping[str, str], position: int) -> dict[str, Any]:
    unknown = sorted(set(entry) - {*_EVIDENCE_FIELDS, "type"})
    if unknown:
        raise BrokenInput(
            f"{unknown[0]!r} is not a field of evidence",
            where=f"evidence {position + 1}",
            hint=f"use {', '.join(_EVIDENCE_FIELDS)}",
        )
    return {"type": ["Evidence"], **{key: entry[key] for key in _EVIDENCE_FIELDS if entry.get(key)}}
