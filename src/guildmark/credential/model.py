"""The classes of Open Badges 3.0 and CLR 2.0 as a table: what each one has, of which shape, and how often.

`structure` reads documents against it and `open_badge.make` writes with it, so that what we accept and what we issue
are one list. A member is written `shape`, with `!` where the standard requires it and `*` where it is a set: many
values, which the standard writes as a list even if there is one. Shapes:

    text        words for people; name and description may say their language (VC Data Model 2.0, 11.1)
    url         an absolute URL, URN or DID
    moment      a date and time with its zone (DateTimeZ)
    time        a date and time
    day         a date
    salt        any text, also the empty one
    yes or no   true or false
    number      a number of at least 0
    degrees     a number, for a coordinate
    language    a language tag (BCP 47)
    email       an e-mail address
    country     an ISO 3166-1 code of two letters
    jws         a JSON Web Signature in compact form
    signed      a document with its own signature, which is looked at on its own
    [words]     a word of that vocabulary of VOCABULARIES
    anything else is a class of CLASSES

Members that are not in the table are kept as they are: the classes are open, except those marked `closed`.

Sources: 1EdTech Open Badges 3.0 (document 2.0 of 2025-04-07), "Data Model"; CLR 2.0 JSON Schema.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


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

VOCABULARIES: Mapping[str, frozenset[str]] = {
    "achievement types": ACHIEVEMENT_TYPES,
    "result types": RESULT_TYPES,
    "result statuses": RESULT_STATUSES,
    "target types": TARGET_TYPES,
    "identity types": IDENTITY_TYPES,
    "association types": ASSOCIATION_TYPES,
}

EXTENSIBLE = frozenset(VOCABULARIES) - {"result statuses", "association types"}
"""Vocabularies to which anybody adds words that begin with `ext:`."""


@dataclass(frozen=True, slots=True)
class Member:
    """One member of a class: its shape, whether it must be there, whether it is a set."""

    shape: str
    needed: bool
    many: bool


@dataclass(frozen=True, slots=True)
class Class:
    """One class: its members, which rule a mistake in it breaks, and how its `type` is written.

    `typed` is `names` (one or several types of which one is the class), `is` (exactly the name of the class, as
    text) or "" (no type). A `closed` class has no other members.
    """

    rule: str
    members: Mapping[str, Member]
    typed: str = "names"
    closed: bool = False


def _class(rule: str, members: Mapping[str, str], *, typed: str = "names", closed: bool = False) -> Class:
    read = {name: Member(form.rstrip("!*"), "!" in form, "*" in form) for name, form in members.items()}
    return Class(rule, read, typed, closed)


_ENDORSED = {"endorsement": "signed*", "endorsementJwt": "jws*"}
_NAME_PARTS = (
    *("familyName", "givenName", "additionalName", "patronymicName"),
    *("honorificPrefix", "honorificSuffix", "familyNamePrefix"),
)
_OF_EVERY_CREDENTIAL = {
    "name": "text",
    "description": "text",
    "image": "Image",
    "awardedDate": "moment",
    "evidence": "Evidence*",
    **_ENDORSED,
}

CLASSES: Mapping[str, Class] = {
    "OpenBadgeCredential": _class(
        "members", {**_OF_EVERY_CREDENTIAL, "credentialSubject": "AchievementSubject!"}, typed=""
    ),
    "ClrCredential": _class(
        "members",
        {**_OF_EVERY_CREDENTIAL, "name": "text!", "partial": "yes or no", "credentialSubject": "ClrSubject!"},
        typed="",
    ),
    "EndorsementCredential": _class(
        "members",
        {
            "name": "text!",
            "description": "text",
            "awardedDate": "moment",
            "evidence": "Evidence*",
            "credentialSubject": "EndorsementSubject!",
        },
        typed="",
    ),
    "AchievementSubject": _class(
        "subject",
        {
            "id": "url",
            "activityStartDate": "time",
            "activityEndDate": "time",
            "creditsEarned": "number",
            "achievement": "Achievement!",
            "identifier": "IdentityObject*",
            "image": "Image",
            "licenseNumber": "text",
            "narrative": "text",
            "result": "Result*",
            "role": "text",
            "source": "Profile",
            "term": "text",
        },
    ),
    "ClrSubject": _class(
        "subject",
        {
            "id": "url",
            "identifier": "IdentityObject*",
            "achievement": "Achievement*",
            "verifiableCredential": "signed!*",
            "association": "Association*",
        },
    ),
    "EndorsementSubject": _class("subject", {"id": "url!", "endorsementComment": "text"}),
    "Achievement": _class(
        "achievement",
        {
            "id": "url!",
            "name": "text!",
            "description": "text!",
            "criteria": "Criteria!",
            "achievementType": "[achievement types]",
            "alignment": "Alignment*",
            "creator": "Profile",
            "creditsAvailable": "number",
            **_ENDORSED,
            "fieldOfStudy": "text",
            "humanCode": "text",
            "image": "Image",
            "inLanguage": "language",
            "otherIdentifier": "IdentifierEntry*",
            "related": "Related*",
            "resultDescription": "ResultDescription*",
            "specialization": "text",
            "tag": "text*",
            "version": "text",
        },
    ),
    "Criteria": _class("achievement", {"id": "url", "narrative": "text"}, typed=""),
    "Alignment": _class(
        "achievement",
        {
            "targetName": "text!",
            "targetUrl": "url!",
            "targetCode": "text",
            "targetDescription": "text",
            "targetFramework": "text",
            "targetType": "[target types]",
        },
    ),
    "ResultDescription": _class(
        "results",
        {
            "id": "url!",
            "name": "text!",
            "resultType": "[result types]!",
            "alignment": "Alignment*",
            "allowedValue": "text*",
            "requiredLevel": "url",
            "requiredValue": "text",
            "rubricCriterionLevel": "RubricCriterionLevel*",
            "valueMax": "text",
            "valueMin": "text",
        },
    ),
    "RubricCriterionLevel": _class(
        "results",
        {
            "id": "url!",
            "name": "text!",
            "alignment": "Alignment*",
            "description": "text",
            "level": "text",
            "points": "text",
        },
    ),
    "Result": _class(
        "results",
        {
            "achievedLevel": "url",
            "alignment": "Alignment*",
            "resultDescription": "url",
            "status": "[result statuses]",
            "value": "text",
        },
    ),
    "Evidence": _class(
        "members",
        {
            "id": "url",
            "name": "text",
            "description": "text",
            "narrative": "text",
            "genre": "text",
            "audience": "text",
        },
    ),
    "Related": _class("achievement", {"id": "url!", "inLanguage": "language", "version": "text"}),
    "Profile": _class(
        "members",
        {
            "id": "url!",
            "name": "text",
            "url": "url",
            "phone": "text",
            "description": "text",
            **_ENDORSED,
            "image": "Image",
            "email": "email",
            "address": "Address",
            "otherIdentifier": "IdentifierEntry*",
            "official": "text",
            "parentOrg": "Profile",
            **dict.fromkeys(_NAME_PARTS, "text"),
            "dateOfBirth": "day",
        },
    ),
    "Address": _class(
        "members",
        {
            "addressCountry": "text",
            "addressCountryCode": "country",
            "addressRegion": "text",
            "addressLocality": "text",
            "streetAddress": "text",
            "postOfficeBoxNumber": "text",
            "postalCode": "text",
            "geo": "GeoCoordinates",
        },
    ),
    "GeoCoordinates": _class("members", {"latitude": "degrees!", "longitude": "degrees!"}, typed="is"),
    "Image": _class("members", {"id": "url!", "caption": "text"}, typed="is", closed=True),
    "IdentityObject": _class(
        "subject",
        {"hashed": "yes or no!", "identityHash": "text!", "identityType": "[identity types]!", "salt": "salt"},
        typed="is",
        closed=True,
    ),
    "IdentifierEntry": _class(
        "members", {"identifier": "text!", "identifierType": "[identity types]!"}, typed="is", closed=True
    ),
    "Association": _class(
        "association",
        {"associationType": "[association types]!", "sourceId": "url!", "targetId": "url!"},
        typed="is",
        closed=True,
    ),
}


def typed(kind: str) -> dict[str, Any]:
    """The `type` with which a thing of the class begins, as the standard writes it; {} if it has none."""
    match CLASSES[kind].typed:
        case "names":
            return {"type": [kind]}
        case "is":
            return {"type": kind}
        case _:
            return {}
