"""Demand: how many job ads ask for each skill, with an interval, and a way to freeze that so that it can be quoted.

A share without its number of ads is an opinion: every line carries both, with Wilson's 95 % interval (E. B. Wilson,
"Probable inference, the law of succession, and statistical inference", JASA 22, 1927).
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from guildmark.core.codecs import jcs
from guildmark.core.errors import BrokenInput

if TYPE_CHECKING:
    from guildmark.skills.ads import JobAd
    from guildmark.skills.extract import Mention

Z95 = 1.959963984540054
"""The 97.5 % point of the normal distribution."""


@dataclass(frozen=True, slots=True)
class DemandLine:
    """`ads` of `of` job ads ask for this skill: `share`, and the bounds of its 95 % interval."""

    skill_uri: str
    label: str
    ads: int
    of: int
    share: float
    low: float
    high: float

    def to_json(self) -> dict[str, Any]:
        """The line as plain JSON values."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class FrozenDemand:
    """Demand as it stood on a day: where from, which question, how many ads, the count per skill, and their hash."""

    source: str
    query: str
    on: date
    of: int
    counts: tuple[tuple[str, str, int], ...]
    sha256: str

    def intact(self) -> bool:
        """Whether the hash is still that of the content."""
        return self.sha256 == _digest(self.source, self.query, self.on, self.of, self.counts)

    def to_json(self) -> dict[str, Any]:
        """The frozen demand as plain JSON values."""
        return {**_content(self.source, self.query, self.on, self.of, self.counts), "sha256": self.sha256}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> FrozenDemand:
        """What `to_json` wrote, whether or not it is intact; BrokenInput if a member is missing or unfit."""
        try:
            extra = set(value) - set(cls.__slots__)
            if extra:
                raise ValueError(f"{min(extra)} is not known")
            return cls(
                source=_text(value["source"]),
                query=_text(value["query"]),
                on=date.fromisoformat(value["on"]),
                of=_count(value["of"]),
                counts=tuple((_text(uri), _text(label), _count(ads)) for uri, label, ads in value["counts"]),
                sha256=_text(value["sha256"]),
            )
        except KeyError as problem:
            raise BrokenInput(f"{problem.args[0]} is missing", where="demand", hint="freeze it again") from problem
        except (TypeError, ValueError) as problem:
            raise BrokenInput(f"is not frozen demand ({problem})", where="demand", hint="freeze it again") from problem


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{str(value)[:40]!r} is not text")
    return value


def _count(value: object) -> int:
    """A count as it stands: one that were mended in reading (2.7 to 2) would pass for what was hashed."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**53:
        raise TypeError(f"{str(value)[:40]!r} is not a count")
    return value


def wilson(hits: int, of: int) -> tuple[float, float]:
    """The 95 % interval of a share of 0 to `of` hits; (0, 1) when nothing was looked at."""
    if not 0 <= hits <= of:
        raise ValueError(f"{hits} of {of} is no share")
    if of == 0:
        return 0.0, 1.0
    share, z2 = hits / of, Z95 * Z95
    middle = (share + z2 / (2 * of)) / (1 + z2 / of)
    half = Z95 * math.sqrt(share * (1 - share) / of + z2 / (4 * of * of)) / (1 + z2 / of)
    # At the ends the bound is 0 or 1 exactly; rounding would leave 1e-17 or 0.99... there.
    return 0.0 if hits == 0 else max(0.0, middle - half), 1.0 if hits == of else min(1.0, middle + half)


def measure_demand(ads: Sequence[JobAd], mentions: Iterable[Mention], *, query: str = "") -> tuple[DemandLine, ...]:
    """One line per skill that any of `ads` mentions, most asked for first, then by label; each ad counts once.

    `query` only says how the ads were chosen. Mentions of ads that are not among `ads` are not counted. The interval
    takes the ads as drawn one by one: `read_ads` drops repeated texts, but one employer's ads may still be alike.
    """
    known = {ad.id for ad in ads}
    pairs = {(m.skill_uri, m.ad_id): m.label for m in mentions if m.ad_id in known}
    counts = Counter(uri for uri, _ in pairs)
    labels = {uri: label for (uri, _), label in sorted(pairs.items())}
    of = len(known)
    lines = [DemandLine(uri, labels[uri], hits, of, hits / of, *wilson(hits, of)) for uri, hits in counts.items()]
    return tuple(sorted(lines, key=lambda line: (-line.ads, line.label, line.skill_uri)))


def wordings(mentions: Iterable[Mention], *, most: int = 3) -> dict[str, tuple[str, ...]]:
    """Up to `most` different wordings of each skill, most frequent first: what the counts rest on."""
    counts: dict[str, Counter[str]] = {}
    for m in mentions:
        counts.setdefault(m.skill_uri, Counter())[" ".join(m.words.lower().split())] += 1
    return {
        uri: tuple(words for words, _ in sorted(found.items(), key=lambda item: (-item[1], item[0]))[:most])
        for uri, found in counts.items()
    }


def freeze_demand(
    lines: Sequence[DemandLine], *, source: str, query: str, on: date, of: int | None = None
) -> FrozenDemand:
    """The counts behind `lines` with their hash, so that a blueprint can say what it answered.

    `of` is the number of ads; the lines know it unless there are none.
    """
    if of is None:
        of = lines[0].of if lines else 0
    counts = tuple((line.skill_uri, line.label, line.ads) for line in lines)
    return FrozenDemand(source, query, on, of, counts, _digest(source, query, on, of, counts))


def _content(source: str, query: str, on: date, of: int, counts: Iterable[tuple[str, str, int]]) -> dict[str, Any]:
    return {"source": source, "query": query, "on": on.isoformat(), "of": of, "counts": [list(c) for c in counts]}


def _digest(source: str, query: str, on: date, of: int, counts: Iterable[tuple[str, str, int]]) -> str:
    return hashlib.sha256(jcs(_content(source, query, on, of, counts))).hexdigest()
