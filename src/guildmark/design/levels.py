"""Levels and credit: which levels a framework has, and how many hours a credit of a unit stands for.

Level and size are separate questions, and nothing here converts between frameworks: two bilateral tables in a
row would make a statement that nobody has made.

Sources: ASQA, volume of learning (AQF); NZQA, recognition arrangements (NZQCF); QAA, "Qualifications can
cross boundaries" (EQF, QF-EHEA, RQF, FHEQ, CQFW, SCQF); ECTS Users' Guide 2015 (ECTS); NZQA listing rules
2022 (NZ credit).
"""

from __future__ import annotations

import re
from collections.abc import Mapping


def _numbered(first: int, last: int) -> tuple[str, ...]:
    return tuple(str(n) for n in range(first, last + 1))


LEVELS: Mapping[str, tuple[str, ...]] = {
    "AQF": _numbered(1, 10),
    "NZQCF": _numbered(1, 10),
    "EQF": _numbered(1, 8),
    "QF-EHEA": ("short", "first", "second", "third"),
    "RQF": ("E1", "E2", "E3", *_numbered(1, 8)),
    "CQFW": ("E1", "E2", "E3", *_numbered(1, 8)),
    "FHEQ": _numbered(4, 8),
    "SCQF": _numbered(1, 12),
}

HOURS_OF_A_CREDIT: Mapping[str, tuple[float, float]] = {"ECTS": (25, 30), "NZ": (10, 10)}
"""The fewest and the most notional hours of one credit, for units that fix them. A credit point of an
Australian provider (AU-CP) is the provider's own and is not here."""

_AQF_AWARD = re.compile(
    r"""\b(?: certificate\ (?:i|ii|iii|iv|1|2|3|4)
         | (?:under)?graduate\ certificate | diplomas? | associate\ degree
         | (?:bachelor|master|doctor)(?:['’]?s)?\ (?:of|degree|honours)
         | doctora(?:te|l\ degree) ) \b""",
    re.IGNORECASE | re.VERBOSE,
)
"""Titles of the award types of the Australian Qualifications Framework; a micro-credential may not carry them."""


def known_level(level: str) -> bool:
    """Whether `level` ("AQF:5", "EQF:6") names a level of a framework that we hold; "none" is known too."""
    framework, _, step = level.partition(":")
    return level == "none" or step in LEVELS.get(framework, ())


def level_number(level: str) -> int | None:
    """The number of a level within its framework; None for "none", a level without one ("RQF:E1"), or another."""
    step = level.partition(":")[2]
    return int(step) if known_level(level) and step.isdecimal() else None


def credit_fits_hours(value: float, unit: str, hours: float) -> bool | None:
    """Whether so many credits are worth so many hours: exactly within the range of the unit, None if it has none."""
    if unit not in HOURS_OF_A_CREDIT:
        return None
    fewest, most = HOURS_OF_A_CREDIT[unit]
    return value * fewest <= hours <= value * most


def names_aqf_award(title: str) -> bool:
    """Whether a title reads like an award of the AQF ("Diploma of ...", "Certificate IV in ...")."""
    return _AQF_AWARD.search(" ".join(title.split())) is not None
