"""Documents in which every member of the data model stands, made with our builder; for tests of what reads them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from functools import cache
from typing import Any

from guildmark.credential.open_badge import credential, identity_hash, make

MADE = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
HOME = "https://college.example"
TOKEN = "eyJhbGciOiJFZERTQSJ9.eyJpc3MiOiJ4In0.c2lnbmF0dXJl"


def image(name: str) -> dict[str, Any]:
    return make("Image", id=f"{HOME}/{name}.png", caption=f"The {name}")


def alignment(name: str = "data") -> dict[str, Any]:
    return make(
        "Alignment",
        targetName=name,
        targetUrl=f"{HOME}/skills/{name}",
        targetCode="S1",
        targetDescription="Reads tables.",
        targetFramework="College skills",
        targetType="CFItem",
    )


def profile(name: str = "college", **members: Any) -> dict[str, Any]:
    """An organisation with all that a Profile has."""
    address = make(
        "Address",
        addressCountry="Australia",
        addressCountryCode="AU",
        addressRegion="VIC",
        addressLocality="Melbourne",
        streetAddress="1 Quay",
        postOfficeBoxNumber="12",
        postalCode="3000",
        geo=make("GeoCoordinates", latitude=-37.8, longitude=144.9),
    )
    return make(
        "Profile",
        **{
            "id": f"{HOME}/{name}",
            "name": name.title(),
            "url": HOME,
            "phone": "+61312345678",
            "description": "A college.",
            "image": image("crest"),
            "email": "office@college.example",
            "address": address,
            "otherIdentifier": make("IdentifierEntry", identifier="PRV12345", identifierType="identifier"),
            "official": "Ada Registrar",
            "endorsementJwt": TOKEN,
            **members,
        },
    )


def person() -> dict[str, Any]:
    """A person with every part of a name."""
    return make(
        "Profile",
        id="did:example:assessor",
        familyName="Nguyễn",
        givenName="Zoë",
        additionalName="Anh",
        patronymicName="Petrovna",
        honorificPrefix="Dr",
        honorificSuffix="PhD",
        familyNamePrefix="van",
        dateOfBirth=date(1998, 3, 14),
    )


@cache
def _endorsement() -> dict[str, Any]:
    return credential(
        "EndorsementCredential",
        id="urn:uuid:e0000000-0000-4000-8000-0000000000aa",
        issuer=profile("partner"),
        valid_from=MADE,
        valid_until=datetime(2030, 1, 1, tzinfo=UTC),
        subject=make("EndorsementSubject", id=f"{HOME}/achievements/1", endorsementComment="**Good** work."),
        name="Endorsement by a partner",
        description="What a partner thinks.",
        awardedDate=MADE,
        evidence=make("Evidence", id=f"{HOME}/visit", name="A visit"),
        credentialSchema={
            "id": "https://purl.imsglobal.org/spec/ob/v3p0/schema/json/ob_v3p0_endorsementcredential_schema.json",
            "type": "1EdTechJsonSchemaValidator2019",
        },
        contexts=["https://purl.imsglobal.org/spec/ob/v3p0/extensions.json"],
    )


def endorsement() -> dict[str, Any]:
    return dict(_endorsement())


def achievement(**members: Any) -> dict[str, Any]:
    """An achievement with every member, and results of three kinds."""
    levels = [
        make(
            "RubricCriterionLevel",
            id=f"{HOME}/levels/{n}",
            name=name,
            alignment=alignment(name),
            description=f"Is {name}.",
            level=str(n),
            points=f"{n}.5",
        )
        for n, name in enumerate(("novice", "able", "expert"))
    ]
    results = [
        make(
            "ResultDescription",
            id=f"{HOME}/results/percent",
            name="Total",
            resultType="Percent",
            valueMin="0",
            valueMax="100",
            requiredValue="50",
            alignment=alignment(),
        ),
        make(
            "ResultDescription",
            id=f"{HOME}/results/grade",
            name="Grade",
            resultType="LetterGrade",
            allowedValue=["F", "P", "D"],
            requiredValue="P",
        ),
        make(
            "ResultDescription",
            id=f"{HOME}/results/rubric",
            name="Rubric",
            resultType="RubricCriterionLevel",
            rubricCriterionLevel=levels,
            requiredLevel=f"{HOME}/levels/1",
        ),
        make("ResultDescription", id=f"{HOME}/results/status", name="Status", resultType="Status"),
        make("ResultDescription", id=f"{HOME}/results/own", name="Applause", resultType="ext:Applause"),
    ]
    return make(
        "Achievement",
        **{
            "id": f"{HOME}/achievements/1",
            "name": "Data in practice",
            "description": "Works with data.",
            "criteria": make("Criteria", id=f"{HOME}/criteria/1", narrative="Pass the *project*."),
            "achievementType": "MicroCredential",
            "alignment": [alignment("data"), alignment("care")],
            "creator": profile("creator"),
            "creditsAvailable": 3.5,
            "endorsement": endorsement(),
            "endorsementJwt": TOKEN,
            "fieldOfStudy": "Information",
            "humanCode": "DATA-1",
            "image": image("badge"),
            "inLanguage": "en-AU",
            "otherIdentifier": make("IdentifierEntry", identifier="X1", identifierType="ext:courseNumber"),
            "related": make("Related", id=f"{HOME}/achievements/1/de", inLanguage="de", version="2"),
            "resultDescription": results,
            "specialization": "Operations",
            "tag": ["data", "work"],
            "version": "2",
            **members,
        },
    )


def subject(**members: Any) -> dict[str, Any]:
    """A subject with every member and a result for each description."""
    return make(
        "AchievementSubject",
        **{
            "id": "did:example:zoe",
            "activityStartDate": datetime(2026, 7, 1, tzinfo=UTC),
            "activityEndDate": datetime(2026, 11, 1, tzinfo=UTC),
            "creditsEarned": 3.5,
            "achievement": achievement(),
            "identifier": [
                make(
                    "IdentityObject",
                    hashed=True,
                    identityHash=identity_hash("zoe@example.org", "a salt of some length"),
                    identityType="emailAddress",
                    salt="a salt of some length",
                ),
                make("IdentityObject", hashed=False, identityHash="s123", identityType="sisSourcedId"),
            ],
            "image": image("award"),
            "licenseNumber": "L-77",
            "narrative": "Two projects.",
            "result": [
                make("Result", resultDescription=f"{HOME}/results/percent", value="82.5", alignment=alignment()),
                make("Result", resultDescription=f"{HOME}/results/grade", value="D"),
                make("Result", resultDescription=f"{HOME}/results/rubric", achievedLevel=f"{HOME}/levels/2"),
                make("Result", resultDescription=f"{HOME}/results/status", status="Completed"),
                make("Result", resultDescription=f"{HOME}/results/own", value="long"),
            ],
            "role": "Intern",
            "source": person(),
            "term": "2026-2",
            **members,
        },
    )


@cache
def _badge() -> dict[str, Any]:
    return credential(
        "OpenBadgeCredential",
        id="urn:uuid:b0000000-0000-4000-8000-0000000000aa",
        issuer=profile(parentOrg=profile("university"), endorsement=endorsement()),
        valid_from=MADE,
        valid_until=datetime(2030, 1, 1, tzinfo=UTC),
        subject=subject(),
        contexts=["https://purl.imsglobal.org/spec/ob/v3p0/extensions.json"],
        name="Data in practice",
        description="An award with everything.",
        image=image("wallet"),
        awardedDate=MADE,
        endorsement=endorsement(),
        endorsementJwt=TOKEN,
        evidence=make(
            "Evidence",
            id=f"{HOME}/work/1",
            name="Project",
            description="A report.",
            narrative="How it was done.",
            genre="Report",
            audience="Managers",
        ),
        credentialSchema={
            "id": "https://purl.imsglobal.org/spec/ob/v3p0/schema/json/ob_v3p0_achievementcredential_schema.json",
            "type": "1EdTechJsonSchemaValidator2019",
        },
        credentialStatus={"id": f"{HOME}/revocations", "type": "1EdTechRevocationList"},
        refreshService={"id": f"{HOME}/refresh", "type": "1EdTechCredentialRefresh"},
        termsOfUse={"id": f"{HOME}/terms", "type": f"{HOME}/types#Terms"},
    )


def badge() -> dict[str, Any]:
    """An OpenBadgeCredential in which every member of the model stands, unsigned."""
    return dict(_badge())


def transcript() -> dict[str, Any]:
    """A ClrCredential in which every member of the model stands, unsigned."""
    larger = achievement(id=f"{HOME}/achievements/2", name="All of it")
    joined = make(
        "Association",
        associationType="isPartOf",
        sourceId=f"{HOME}/achievements/1",
        targetId=f"{HOME}/achievements/2",
    )
    return credential(
        "ClrCredential",
        id="urn:uuid:c0000000-0000-4000-8000-0000000000aa",
        issuer=profile(),
        valid_from=MADE,
        subject=make(
            "ClrSubject",
            id="did:example:zoe",
            identifier=make("IdentityObject", hashed=False, identityHash="s123", identityType="sisSourcedId"),
            achievement=larger,
            verifiableCredential=badge(),
            association=joined,
        ),
        name="A record",
        description="A record with everything.",
        image=image("record"),
        partial=False,
        awardedDate=MADE,
        endorsement=endorsement(),
        endorsementJwt=TOKEN,
        evidence=make("Evidence", id=f"{HOME}/work/1"),
    )
