"""What came of it: consented outcomes of graduates as signals for the next review of a blueprint.

Only counts, ratings, shares and means leave this module, never a person. An outcome whose consent was not given, or
was taken back, is not counted in anything. The signals are for the provider's own review: with the number
of outcomes known, a share can be turned back into a count, so publishing them would need stronger
suppression than a minimum.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal, get_args

from guildmark.assess.agreement import wilson_interval
from guildmark.core.codecs import iso, parse_iso
from guildmark.core.errors import BrokenInput

DestinationKind = Literal["hired", "interviewed", "not_hired"]

KINDS: tuple[DestinationKind, ...] = get_args(DestinationKind)

FEWEST_OUTCOMES = 5
"""Below this number no share and no mean is shown. A policy, not a fact: hand in another `at_least`."""


@dataclass(frozen=True, slots=True)
class Destination:
    """What became of one holder of one version of a blueprint.

    `rating` is the employer's, 1 (poor) to 5 (excellent), or None. `consented` has no default: somebody has
    to have asked. `source` says who told ("employer", "learner"). Hand in one outcome for each award, the
    latest.
    """

    blueprint_id: str
    blueprint_version: int
    kind: DestinationKind
    rating: int | None
    consented: bool
    at: datetime
    source: str

    def __post_init__(self) -> None:
        where = f"outcome for {self.blueprint_id}"
        if self.kind not in KINDS:
            raise BrokenInput(f"outcome {self.kind!r} is not known", where=where, hint=f"one of {', '.join(KINDS)}")
        if self.rating is not None and (type(self.rating) is not int or not 1 <= self.rating <= 5):
            raise BrokenInput(
                f"rating {self.rating!r} is not a whole number from 1 to 5",
                where=where,
                hint="leave it out if there is none",
            )
        if not isinstance(self.consented, bool):
            raise BrokenInput(f"consent is {self.consented!r}", where=where, hint="write true or false")
        if self.at.tzinfo is None:
            raise BrokenInput("the moment has no time zone", where=where, hint="add one, such as UTC")

    def without_consent(self) -> Destination:
        """The outcome once its consent is taken back: from now on it counts in nothing."""
        return replace(self, consented=False)

    def to_json(self) -> dict[str, Any]:
        """The outcome as plain JSON values; `from_json` reads it back."""
        return {
            "blueprint_id": self.blueprint_id,
            "blueprint_version": self.blueprint_version,
            "kind": self.kind,
            "rating": self.rating,
            "consented": self.consented,
            "at": iso(self.at),
            "source": self.source,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Destination:
        """The outcome that `to_json` wrote."""
        return cls(**{**value, "at": parse_iso(value["at"], where="outcome.at")})


@dataclass(frozen=True, slots=True)
class ReviewSignals:
    """What the consented outcomes say about one version of a blueprint.

    `n` outcomes, `rated` of them with a rating; `kinds` counts the outcomes of each kind and `ratings` lists
    the ratings, lowest first, neither with a name. `hired_share` with its 95 % Wilson interval `low` to `high`,
    and `mean_rating`, are None where fewer than `at_least` outcomes (or ratings) stand behind them: a count is
    what was told, a share would be a claim.
    """

    blueprint_id: str
    blueprint_version: int
    n: int
    kinds: Mapping[str, int]
    ratings: tuple[int, ...]
    hired_share: float | None
    low: float | None
    high: float | None
    rated: int
    mean_rating: float | None
    at_least: int
    says: str

    def to_json(self) -> dict[str, Any]:
        """The signals as plain JSON values."""
        return {
            "blueprint_id": self.blueprint_id,
            "blueprint_version": self.blueprint_version,
            "n": self.n,
            "kinds": dict(self.kinds),
            "ratings": list(self.ratings),
            "hired_share": self.hired_share,
            "low": self.low,
            "high": self.high,
            "rated": self.rated,
            "mean_rating": self.mean_rating,
            "at_least": self.at_least,
            "says": self.says,
        }


def review_signals(
    blueprint_id: str, version: int, destinations: Iterable[Destination], *, at_least: int = FEWEST_OUTCOMES
) -> ReviewSignals:
    """The signals for this version; outcomes of other versions, or without consent, are passed over.

    What rests on fewer than `at_least` outcomes is withheld and `says` says so: a mean of two ratings is
    two people's opinion, and nearly tells who said what.
    """
    if at_least < 1:
        raise ValueError("at_least is 1 or more")
    counted = [
        d for d in destinations if d.consented and d.blueprint_id == blueprint_id and d.blueprint_version == version
    ]
    n, hired = len(counted), sum(d.kind == "hired" for d in counted)
    ratings = [d.rating for d in counted if d.rating is not None]
    share, low, high, mean = None, None, None, None
    if n >= at_least:
        share, (low, high) = hired / n, wilson_interval(hired, n)
    if len(ratings) >= at_least:
        mean = math.fsum(ratings) / len(ratings)
    kinds: Mapping[str, int] = Counter(sorted(str(d.kind) for d in counted))
    parts = [
        _hired_in_words(n, kinds, share, low, high, at_least),
        _rating_in_words(n, sorted(ratings), mean, at_least),
    ]
    says = " ".join(part for part in parts if part)
    return ReviewSignals(
        blueprint_id=blueprint_id,
        blueprint_version=version,
        n=n,
        kinds=kinds,
        ratings=tuple(sorted(ratings)),
        hired_share=share,
        low=low,
        high=high,
        rated=len(ratings),
        mean_rating=mean,
        at_least=at_least,
        says=says,
    )


def _hired_in_words(
    n: int, kinds: Mapping[str, int], share: float | None, low: float | None, high: float | None, at_least: int
) -> str:
    if n == 0:
        return "No outcome has been told with consent for this version."
    told = "1 outcome was" if n == 1 else f"{n} outcomes were"
    counts = ", ".join(f"{kind.replace('_', ' ')}: {count}" for kind, count in kinds.items())
    if share is None:
        return f"{told} told with consent ({counts}); under {at_least} no share is shown."
    return f"{told} told with consent ({counts}): {share:.0%} hired (95 % interval {low:.0%} to {high:.0%})."


def _rating_in_words(n: int, ratings: Sequence[int], mean: float | None, at_least: int) -> str:
    if n == 0:
        return ""
    if not ratings:
        return "None has a rating."
    if mean is None:
        listed = ", ".join(str(rating) for rating in ratings)
        return f"Rated {listed} of 5; under {at_least} ratings no mean is shown."
    return f"The mean of {len(ratings)} ratings is {mean:.1f} of 5."
