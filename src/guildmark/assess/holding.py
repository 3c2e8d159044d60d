"""A held credential as stacking and matching see it: what it says, and whether it stands today.

Whoever builds a `Holding` has verified the credential or says `unverified`; the pathways rooms believe
`status` and look no further. No name and no e-mail address is in it: a holding is about a learner known by
an id.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal, get_args

from guildmark.core.errors import BrokenInput

HoldingStatus = Literal["valid", "suspended", "revoked", "expired", "unverified"]

MOST_CREDIT = 1000
"""No one credential carries more; the same limit as a blueprint's."""

_STATUSES: tuple[HoldingStatus, ...] = get_args(HoldingStatus)


@dataclass(frozen=True, slots=True)
class HeldSkill:
    """A skill that the credential vouches for; `level` is in the credential's own words."""

    uri: str
    label: str
    level: str = ""

    def to_json(self) -> dict[str, Any]:
        """The skill as plain JSON values."""
        return {"uri": self.uri, "label": self.label, "level": self.level}


@dataclass(frozen=True, slots=True)
class Holding:
    """One held credential.

    `credit_value` is in `credit_unit` ("AU-CP", "ECTS", "none"); `level` is written like "AQF:5" or "none";
    `assessed_on` is the day of the decision, which recency rules count from; `tags` are free words of the
    issuer.
    """

    credential_id: str
    achievement_id: str
    title: str
    issuer_id: str
    learner_id: str
    skills: tuple[HeldSkill, ...]
    credit_value: float
    credit_unit: str
    level: str
    assessed_on: date
    valid_until: date | None
    status: HoldingStatus
    tags: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.status not in _STATUSES:
            raise BrokenInput(
                f"status {self.status!r} is not known",
                where=self.credential_id,
                hint=f"one of {', '.join(_STATUSES)}",
            )
        if not 0 <= self.credit_value <= MOST_CREDIT:
            raise BrokenInput(
                f"its credit is not a number from 0 to {MOST_CREDIT}",
                where=self.credential_id,
                hint="write 0 if none",
            )

    def stands(self, on: date) -> bool:
        """Whether the credential counts on this day: valid, assessed by then, and not past its last day."""
        ended = self.valid_until is not None and self.valid_until < on
        return self.status == "valid" and self.assessed_on <= on and not ended

    def why_not(self, on: date) -> str:
        """Why it does not count on this day, as the end of a sentence ("is revoked"); "" if it does."""
        if self.status == "unverified":
            return "could not be verified"
        if self.status != "valid":
            return f"is {self.status}"
        if self.valid_until is not None and self.valid_until < on:
            return f"expired after {self.valid_until}"
        if self.assessed_on > on:
            return f"was only assessed on {self.assessed_on}"
        return ""

    def to_json(self) -> dict[str, Any]:
        """The holding as plain JSON values; `from_json` reads it back unchanged."""
        return {
            "credential_id": self.credential_id,
            "achievement_id": self.achievement_id,
            "title": self.title,
            "issuer_id": self.issuer_id,
            "learner_id": self.learner_id,
            "skills": [s.to_json() for s in self.skills],
            "credit_value": self.credit_value,
            "credit_unit": self.credit_unit,
            "level": self.level,
            "assessed_on": self.assessed_on.isoformat(),
            "valid_until": None if self.valid_until is None else self.valid_until.isoformat(),
            "status": self.status,
            "tags": list(self.tags),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any], where: str = "holding") -> Holding:
        """The holding that `to_json` wrote; BrokenInput names a member that is missing or unfit.

        The command line reads holdings from files that people write, so this trusts nothing in `value`.
        """
        if not isinstance(value, Mapping):
            raise BrokenInput("is not an object", where=where, hint="write one object for each held credential")
        skills = value.get("skills")
        if not isinstance(skills, list):
            raise BrokenInput("is not a list", where=f"{where}.skills", hint="write [] if there are none")
        tags = value.get("tags", [])
        if not isinstance(tags, list) or not all(isinstance(t, str) for t in tags):
            raise BrokenInput("is not a list of words", where=f"{where}.tags", hint="write [] if there are none")
        credit = value.get("credit_value")
        if isinstance(credit, bool) or not isinstance(credit, int | float):
            raise BrokenInput("is not a number", where=f"{where}.credit_value", hint="write 0 if there is none")
        assessed_on = _day(value, "assessed_on", where)
        if assessed_on is None:
            raise BrokenInput("is missing", where=f"{where}.assessed_on", hint="write a day such as 2026-11-24")
        return cls(
            credential_id=_id(value, "credential_id", where),
            achievement_id=_id(value, "achievement_id", where),
            title=_text(value, "title", where),
            issuer_id=_id(value, "issuer_id", where),
            learner_id=_id(value, "learner_id", where),
            skills=tuple(_skill(s, f"{where}.skills[{i}]") for i, s in enumerate(skills)),
            credit_value=credit,
            credit_unit=_text(value, "credit_unit", where),
            level=_text(value, "level", where),
            assessed_on=assessed_on,
            valid_until=_day(value, "valid_until", where),
            status=_text(value, "status", where),  # type: ignore[arg-type]  # __post_init__ refuses any other word
            tags=tuple(tags),
        )


def _text(value: Mapping[str, Any], name: str, where: str, default: str | None = None) -> str:
    found = value.get(name, default)
    if not isinstance(found, str):
        raise BrokenInput("is missing or not text", where=f"{where}.{name}", hint="write it as text in quotes")
    return found


def _id(value: Mapping[str, Any], name: str, where: str) -> str:
    """A text that names something: two credentials without an id would be taken for one."""
    found = _text(value, name, where)
    if not found.strip():
        raise BrokenInput("is empty", where=f"{where}.{name}", hint="write the identifier")
    return found


def _skill(value: Any, where: str) -> HeldSkill:
    if not isinstance(value, Mapping):
        raise BrokenInput("is not an object", where=where, hint="write uri, label and level")
    return HeldSkill(_text(value, "uri", where), _text(value, "label", where), _text(value, "level", where, ""))


def _day(value: Mapping[str, Any], name: str, where: str) -> date | None:
    found = value.get(name)
    if found is None:
        return None
    try:
        return date.fromisoformat(found)
    except (TypeError, ValueError) as problem:
        raise BrokenInput(f"{found!r} is not a day", where=f"{where}.{name}", hint="write 2026-11-24") from problem
