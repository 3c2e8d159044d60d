"""Delivery as values: an offering of a blueprint, its activities, an enrolment, and what is still to do.

Learning is asynchronous: an activity has a length and no time of day, and the order in which they are done
is free. Having done the activities earns nothing; only assessed work does (see `assess.decision`).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from guildmark.core.errors import BrokenInput
from guildmark.core.report import Finding, Report, Verdict

LONGEST = 100_000
"""Minutes: what somebody works in a year, about."""


@dataclass(frozen=True, slots=True)
class Activity:
    """Something to do, at any time: reading, video, practice. `minutes` is what a typical learner needs."""

    id: str
    title: str
    kind: str
    minutes: int
    required: bool = True

    def __post_init__(self) -> None:
        if not self.id or not self.title:
            raise BrokenInput("an activity needs an id and a title", where=self.id or self.title, hint="give it both")
        if self.minutes < 0:
            raise BrokenInput(f"{self.minutes} minutes is less than none", where=self.id, hint="write 0 or more")
        if self.minutes > LONGEST:
            raise BrokenInput("takes more minutes than a year of work", where=self.id, hint="write fewer minutes")


@dataclass(frozen=True, slots=True)
class Offering:
    """One run of a blueprint version; without `closes_on` it is open for good (self-paced)."""

    id: str
    blueprint_id: str
    blueprint_version: int
    title: str
    opens_on: date
    closes_on: date | None
    activities: tuple[Activity, ...] = ()

    def is_open(self, on: date) -> bool:
        """Whether learners can enrol on this day; the last day counts."""
        return self.opens_on <= on and (self.closes_on is None or on <= self.closes_on)


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A learner in an offering, and which activities they have done, in any order."""

    id: str
    offering_id: str
    learner_id: str
    enrolled_at: datetime
    done: frozenset[str] = frozenset()


def completion(activities: Sequence[Activity], done: Collection[str]) -> Report:
    """Passes once every required activity is done; what is still to do is UNKNOWN, not failed.

    An activity that is not required never holds anybody up. An offering with nothing to do has nothing to
    complete, so its report is UNKNOWN. BrokenInput for two activities with one id, or something done that
    is not on the list.
    """
    known: set[str] = set()
    for activity in activities:
        if activity.id in known:
            raise BrokenInput(f"activity id {activity.id!r} stands twice", where="activities", hint="give each its own")
        known.add(activity.id)
    strangers = sorted(set(done) - known)
    if strangers:
        raise BrokenInput(f"there is no activity {strangers[0]!r}", where="done", hint="use an id from the offering")
    return Report("Completion of the activities", tuple(_done_or_open(a, a.id in done) for a in activities))


def _done_or_open(activity: Activity, done: bool) -> Finding:
    optional = "" if activity.required else " (by choice)"
    says = f"{activity.title}: {'done' if done else f'still to do, about {activity.minutes} minutes'}{optional}."
    verdict = Verdict.PASS if done else Verdict.UNKNOWN
    because = {"kind": activity.kind, "minutes": activity.minutes, "done": done}
    return Finding(f"activity.{activity.id}", verdict, says, activity.required, because)
