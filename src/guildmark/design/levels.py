"""Level vocabularies: which levels a framework has. Level and size are separate questions; nothing here converts.

Source: the frameworks' own pages as recorded in the facts (AQF and NZQCF levels 1 to 10, EQF 1 to 8).
"""

from __future__ import annotations

from collections.abc import Mapping

LEVELS: Mapping[str, tuple[str, ...]] = {
    "AQF": tuple(str(n) for n in range(1, 11)),
    "NZQCF": tuple(str(n) for n in range(1, 11)),
    "EQF": tuple(str(n) for n in range(1, 9)),
}

AQF_AWARDS = (
    "certificate i",
    "certificate ii",
    "certificate iii",
    "certificate iv",
    "diploma",
    "advanced diploma",
    "associate degree",
    "bachelor",
    "graduate certificate",
    "graduate diploma",
    "master",
    "doctor",
    "undergraduate certificate",
)
"""Titles that belong to awards of the Australian Qualifications Framework; a micro-credential may not carry them."""


def known_level(level: str) -> bool:
    """Whether `level` ("AQF:5", "EQF:6") names a level of a framework that we hold; "none" is known too."""
    framework, _, step = level.partition(":")
    return level == "none" or step in LEVELS.get(framework, ())


def level_number(level: str) -> int | None:
    """The number of a level within its framework, None for "none" or a level that is not known."""
    framework, _, step = level.partition(":")
    return int(step) if step in LEVELS.get(framework, ()) else None


def names_aqf_award(title: str) -> bool:
    """Whether a title reads like an award of the AQF ("Diploma of ...", "Certificate IV in ...")."""
    words = f" {title.lower()} "
    return any(f" {award} " in words for award in AQF_AWARDS)
