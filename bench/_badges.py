"""Badges of an ordinary size for benchmarks: 3.4 KB, two alignments, results, identities, evidence and a status entry.

They differ from learner to learner in a dozen values, as a graduation does. Everything is computed from the number.
"""

from __future__ import annotations

import hashlib
import uuid
from typing import Any

from guildmark.credential.did import did_key
from guildmark.credential.jsonld import CREDENTIALS_V2, OPEN_BADGES
from guildmark.credential.keys import SoftwareSigner
from guildmark.credential.shape import Path

SEED = hashlib.sha256(b"guildmark's benchmark").digest()
_PUBLIC = SoftwareSigner(SEED, "did:key:of-the-benchmark").public_key
ISSUER = did_key(_PUBLIC)
SIGNER = SoftwareSigner(SEED, f"{ISSUER}#{ISSUER.removeprefix('did:key:')}")
CREATED = "2026-07-01T00:00:00Z"

_BASE = "https://badges.example.edu"
_COURSE = f"{_BASE}/achievements/data-science"
_NAMES = ("Ada Lovelace", "Łukasz Kowalski", "Zoë Müller", "陳大文", "Seán O’Brien", "Aïsha al-Masri", "Иван Петров")


def badge(n: int) -> dict[str, Any]:
    """The unsigned badge of learner number `n`."""
    digest = hashlib.sha256(str(n).encode()).hexdigest()
    id, holder = (uuid.UUID(digest[place : place + 32]) for place in (0, 32))
    name, points, day = f"{_NAMES[n % len(_NAMES)]} {n}", 50 + n % 51, 1 + n % 28
    profile = {
        "id": ISSUER,
        "type": ["Profile"],
        "name": "Example University",
        "url": "https://www.example.edu/",
        "email": "badges@example.edu",
    }
    return {
        "@context": [CREDENTIALS_V2, OPEN_BADGES],
        "id": f"urn:uuid:{id}",
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "name": "Micro-credential in Data Science Foundations",
        "issuer": profile,
        "validFrom": f"2026-07-{day:02}T00:00:00Z",
        "awardedDate": f"2026-06-{day:02}T00:00:00Z",
        "credentialSubject": {
            "id": f"urn:uuid:{holder}",
            "type": ["AchievementSubject"],
            "identifier": [
                {"type": "IdentityObject", "identityHash": name, "identityType": "name", "hashed": False},
                {
                    "type": "IdentityObject",
                    "identityHash": f"sha256${digest}",
                    "identityType": "emailAddress",
                    "hashed": True,
                    "salt": digest[:16],
                },
            ],
            "activityEndDate": f"2026-06-{day:02}T00:00:00Z",
            "creditsEarned": 5,
            "term": "Spring 2026",
            "result": [
                {"type": ["Result"], "resultDescription": f"{_COURSE}/result/grade", "value": "ABC"[n % 3]},
                {"type": ["Result"], "resultDescription": f"{_COURSE}/result/points", "value": str(points)},
            ],
            "achievement": {
                "id": _COURSE,
                "type": ["Achievement"],
                "achievementType": "MicroCredential",
                "name": "Micro-credential in Data Science Foundations",
                "description": "Holders can clean, model and present data with open tools, and judge what a model can "
                "and cannot tell.",
                "criteria": {
                    "id": f"{_COURSE}/criteria",
                    "narrative": "Passed four assignments and a supervised examination with at least 50 points in "
                    "each, and took part in two peer reviews.",
                },
                "creator": profile,
                "image": {"id": f"{_BASE}/img/data-science.png", "type": "Image", "caption": "A blue hexagon"},
                "humanCode": "DS-101",
                "fieldOfStudy": "Data science",
                "creditsAvailable": 5,
                "inLanguage": "en",
                "version": "2026.1",
                "tag": ["data science", "statistics", "python"],
                "alignment": [
                    {
                        "type": ["Alignment"],
                        "targetCode": "S4.8.1",
                        "targetName": "analyse big data",
                        "targetDescription": "Collect and evaluate numerical data in large quantities.",
                        "targetFramework": "ESCO v1.2",
                        "targetType": "ext:EscoSkill",
                        "targetUrl": "http://data.europa.eu/esco/skill/47a49cd6-097d-457a-9f7b-c290c14930d5",
                    },
                    {
                        "type": ["Alignment"],
                        "targetCode": "0542",
                        "targetName": "Statistics",
                        "targetFramework": "ISCED-F 2013",
                        "targetType": "CFItem",
                        "targetUrl": "http://data.europa.eu/snb/isced-f/0542",
                    },
                ],
                "resultDescription": [
                    {
                        "id": f"{_COURSE}/result/grade",
                        "type": ["ResultDescription"],
                        "name": "Final grade",
                        "resultType": "LetterGrade",
                    },
                    {
                        "id": f"{_COURSE}/result/points",
                        "type": ["ResultDescription"],
                        "name": "Points",
                        "resultType": "RawScore",
                        "valueMin": "0",
                        "valueMax": "100",
                    },
                ],
            },
        },
        "evidence": [
            {
                "id": f"{_BASE}/evidence/{id}",
                "type": ["Evidence"],
                "name": "Capstone report",
                "narrative": f"Report and code of {name}, marked {points} of 100.",
                "genre": "Report",
            }
        ],
        "credentialStatus": {
            "id": f"{_BASE}/status/0#{n}",
            "type": "BitstringStatusListEntry",
            "statusPurpose": "revocation",
            "statusListIndex": str(n),
            "statusListCredential": f"{_BASE}/status/0",
        },
    }


CHANGING: tuple[Path, ...] = (
    ("id",),
    ("validFrom",),
    ("awardedDate",),
    ("credentialSubject", "id"),
    ("credentialSubject", "identifier", 0, "identityHash"),
    ("credentialSubject", "identifier", 1, "identityHash"),
    ("credentialSubject", "identifier", 1, "salt"),
    ("credentialSubject", "activityEndDate"),
    ("credentialSubject", "result", 0, "value"),
    ("credentialSubject", "result", 1, "value"),
    ("evidence", 0, "id"),
    ("evidence", 0, "narrative"),
    ("credentialStatus", "id"),
    ("credentialStatus", "statusListIndex"),
)
"""Where the badges differ."""


def row(document: dict[str, Any]) -> tuple[Any, ...]:
    """The values at CHANGING."""
    found = []
    for path in CHANGING:
        value: Any = document
        for step in path:
            value = value[step]
        found.append(value)
    return tuple(found)
