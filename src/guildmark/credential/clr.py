"""A larger credential that lists its components: Comprehensive Learner Record 2.0 with the signed credentials
inside.

Sources: 1EdTech CLR 2.0 (JSON Schema and context 2.0.1). Each component keeps its own proof and is verified
on its own; an Association says that its achievement `isPartOf` the larger one. `partial` is true unless the caller
says otherwise: the record lists what counted towards this credential, not all that the issuer knows of the learner.

A component without a proof is refused, also one upgraded from Open Badges 2.0, which the guide lets stand unsigned on
the word of the record's issuer: our verification holds every component to a signature of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from guildmark.core.codecs import iso
from guildmark.core.errors import BrokenInput
from guildmark.credential.jsonld import CLR
from guildmark.credential.open_badge import (
    CREDENTIALS_V2,
    OPEN_BADGES,
    IssuerProfile,
    Recipient,
    checked,
    joined,
    make,
    written,
)


def clr_document(
    *,
    credential_id: str,
    name: str,
    issuer: IssuerProfile,
    recipient: Recipient,
    credentials: Sequence[Mapping[str, Any]],
    achievement_id: str,
    description: str,
    valid_from: datetime,
    status_entry: Mapping[str, Any] | None,
    valid_until: datetime | None = None,
    criteria: str = "",
    achievement_type: str = "Certificate",
    partial: bool = True,
    associations: Sequence[tuple[str, str, str]] = (),
    members: Mapping[str, Any] | None = None,
    subject_members: Mapping[str, Any] | None = None,
    achievement_members: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The unsigned ClrCredential of a larger achievement whose components are `credentials` (signed, kept as
    they are).

    `associations` are further ones, as (type, source id, target id), such as `("precedes", first, second)`.
    `members`, `subject_members` and `achievement_members` are further members of the record, of its subject and of the
    larger achievement, as `open_badge.make` takes them; what the other arguments say cannot be replaced.

    BrokenInput if there is no component, if one carries no proof or no achievement, if one stands twice, or if a
    further member is not as the standard has it.
    """
    parts = [_achievement_id(credential, i) for i, credential in enumerate(credentials)]
    if not parts:
        raise BrokenInput("a larger credential needs at least one component", where="credentials")
    ids = [credential.get("id") for credential in credentials]
    if len(set(ids)) != len(ids):
        twin = next(i for i in ids if ids.count(i) > 1)
        raise BrokenInput(f"component {twin} stands twice", where="credentials", hint="list each component once")
    counted = "\n".join(f"- {c.get('name') or c['id']}" for c in credentials)
    larger = {
        "id": achievement_id,
        "type": ["Achievement"],
        "achievementType": achievement_type,
        "name": name,
        "description": description,
        "criteria": {"narrative": criteria or f"{description}\n\nComponents that counted:\n\n{counted}"},
        "creator": issuer.to_profile(),
    }
    document: dict[str, Any] = {
        "@context": [CREDENTIALS_V2, CLR, OPEN_BADGES],
        "id": credential_id,
        "type": ["VerifiableCredential", "ClrCredential"],
        "name": name,
        "issuer": issuer.to_profile(),
        "validFrom": iso(valid_from),
        "partial": partial,
        "credentialSubject": {
            "type": ["ClrSubject"],
            **recipient.to_subject(),
            "achievement": [larger],
            "verifiableCredential": [dict(credential) for credential in credentials],
            "association": [
                {
                    "type": "Association",
                    "associationType": "isPartOf",
                    "sourceId": part,
                    "targetId": achievement_id,
                }
                for part in dict.fromkeys(parts)
            ]
            + [
                make("Association", associationType=kind, sourceId=source, targetId=target)
                for kind, source, target in associations
            ],
        },
    }
    if valid_until is not None:
        document["validUntil"] = iso(valid_until)
    if status_entry is not None:
        document["credentialStatus"] = dict(status_entry)
    if not (members or subject_members or achievement_members or associations):
        return document
    subject = document["credentialSubject"]
    if achievement_members:
        subject["achievement"] = [written("Achievement", joined(larger, achievement_members, "achievement"))]
    document["credentialSubject"] = written("ClrSubject", joined(subject, subject_members or {}, "credentialSubject"))
    return checked(written("ClrCredential", joined(document, members or {}, "credential")))


def _achievement_id(credential: Mapping[str, Any], position: int) -> str:
    where = f"component {position + 1}"
    if "proof" not in credential:
        raise BrokenInput("carries no proof", where=where, hint="embed signed credentials only")
    if not isinstance(credential.get("id"), str):
        raise BrokenInput("has no id", where=where, hint="embed Open Badges 3.0 credentials")
    subject = credential.get("credentialSubject")
    achievement = subject.get("achievement") if isinstance(subject, Mapping) else None
    if not isinstance(achievement, Mapping) or not isinstance(achievement.get("id"), str):
        raise BrokenInput("has no achievement with an id", where=where, hint="embed Open Badges 3.0 credentials")
    return str(achievement["id"])
