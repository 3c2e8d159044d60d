"""Who fits a job, and which job fits a person: from verified skills only, with every reason named.

The score is *coverage*, not a probability: the share of what an ad asks for that a person's credentials show.

    score = sum over skills of weight x the best that any credential shows / sum of weights

- `weight` is 1 for what the ad asks for and `OPTIONAL` for what it calls welcome, times how directly the ad's words
  name the skill (the mention's confidence).
- A credential shows a skill fully (1) if it is aligned to that skill, or to the same one under another framework's
  identifier; and by half (`RELATED`) if a crosswalk puts both under one O*NET element. The reason says which.
- The best credential counts, never the sum: ten badges for one skill are worth one.
- Only credentials that stand on the day count. How long ago they were earned does not: it would stand in for age.
- No name, address, age, issuer or path to a credential enters; a person is an id and what they hold.

The contributions of the reasons add up to the score. People who did not opt in are never ranked.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from math import fsum
from typing import TYPE_CHECKING, Any

from guildmark.assess.holding import Holding
from guildmark.core.errors import BrokenInput
from guildmark.skills.framework import ESCO_SKILL

if TYPE_CHECKING:
    from guildmark.skills.ads import JobAd
    from guildmark.skills.extract import Mention
    from guildmark.skills.framework import Framework, Skill

OPTIONAL = 0.5
"""The weight of a skill that an ad calls welcome. A policy, as the next one: neither is learnt from who was hired."""

RELATED = 0.5
"""What a skill shows of another one under the same O*NET element."""

MOST_RELATED = 20
"""An element that more skills than this share says too little about any two of them."""

STEPS = 20_000
"""Choices that `suggest_closing` looks at before it is content with the best so far."""

_WELCOME = re.compile(
    r"\b(?:nice[- ]to[- ]have|desirable|desired|preferred|preferabl[ey]|ideally|optional(?:ly)?|bonus|advantage(?:ous)?"
    r"|(?:a|big|strong|huge) plus)\b",
    re.IGNORECASE,
)
_SENTENCE_ENDS = re.compile(r"[.!?;](?=\s)|\n")


@dataclass(frozen=True, slots=True)
class Related:
    """Another skill that shows something of the one that is needed: how much, and by which path."""

    uri: str
    label: str
    shows: float
    path: str


@dataclass(frozen=True, slots=True)
class NeededSkill:
    """A skill that an ad asks for. `words` are the ad's own; `related` what else shows it, wholly or in part."""

    uri: str
    label: str
    weight: float = 1.0
    optional: bool = False
    words: str = ""
    related: tuple[Related, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The skill as plain JSON values."""
        return {
            "uri": self.uri,
            "label": self.label,
            "weight": self.weight,
            "optional": self.optional,
            "words": self.words,
            "related": [{"uri": r.uri, "label": r.label, "shows": r.shows, "path": r.path} for r in self.related],
        }


@dataclass(frozen=True, slots=True)
class JobNeed:
    """What one job ad asks for, each skill once."""

    job_id: str
    title: str
    skills: tuple[NeededSkill, ...]

    def shown_by(self) -> frozenset[str]:
        """Every skill that shows something of what is asked for; what shows none of these adds nothing to a match."""
        return frozenset(uri for s in self.skills for uri in (s.uri, *(r.uri for r in s.related)))

    def __post_init__(self) -> None:
        uris = [skill.uri for skill in self.skills]
        if len(set(uris)) != len(uris):
            raise BrokenInput("one skill is needed twice", where=self.job_id, hint="name each skill once")
        for skill in self.skills:
            if not 0 < skill.weight < float("inf"):
                raise BrokenInput(
                    f"weight {skill.weight} of {skill.label} is not above 0", where=self.job_id, hint="leave it out"
                )

    def to_json(self) -> dict[str, Any]:
        """The need as plain JSON values."""
        return {"job_id": self.job_id, "title": self.title, "skills": [s.to_json() for s in self.skills]}


@dataclass(frozen=True, slots=True)
class Person:
    """A person as matching sees them: an id, whether they asked to be matched, and what they hold. Nothing else."""

    id: str
    opted_in: bool
    holdings: tuple[Holding, ...]

    def __post_init__(self) -> None:
        for holding in self.holdings:
            if holding.learner_id != self.id:
                raise BrokenInput(
                    "is another person's", where=holding.credential_id, hint="match people by what they hold themselves"
                )


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a skill counts as shown: by which credential, along which path, and what that adds to the score."""

    skill_uri: str
    label: str
    credential_id: str
    title: str
    shows: float
    adds: float
    path: str

    @property
    def says(self) -> str:
        part = "shows" if self.shows == 1 else "shows part of"
        return f"“{self.title}” {part} {self.label} ({self.path})."

    def to_json(self) -> dict[str, Any]:
        """The reason as plain JSON values, with the sentence for people."""
        return {
            "skill": self.skill_uri,
            "label": self.label,
            "credential_id": self.credential_id,
            "title": self.title,
            "shows": self.shows,
            "adds": self.adds,
            "path": self.path,
            "says": self.says,
        }


@dataclass(frozen=True, slots=True)
class MissingSkill:
    """A skill that is needed and not shown, or only in part; `also` are other identifiers of the same skill."""

    uri: str
    label: str
    weight: float
    shown: float = 0.0
    also: frozenset[str] = field(default=frozenset())

    def to_json(self) -> dict[str, Any]:
        """The skill as plain JSON values."""
        return {"uri": self.uri, "label": self.label, "weight": self.weight, "shown": self.shown}


@dataclass(frozen=True, slots=True)
class Match:
    """One person and one job: `score` from 0 to 1, the reasons that add up to it, and what is missing."""

    person_id: str
    job_id: str
    score: float
    reasons: tuple[Reason, ...]
    missing: tuple[MissingSkill, ...]


@dataclass(frozen=True, slots=True)
class Offer:
    """Something to learn: the skills that it vouches for, and its notional hours."""

    id: str
    title: str
    skills: frozenset[str]
    hours: float


@dataclass(frozen=True, slots=True)
class Closing:
    """An offer that closes a gap, and the labels of the missing skills that it would show."""

    offer_id: str
    labels: tuple[str, ...]


# -- what an ad asks for ---------------------------------------------------------------------------------------


def need_from_mentions(ad: JobAd, mentions: Iterable[Mention], framework: Framework) -> JobNeed:
    """What the ad asks for, from the skills that were found in its text, in the order of the text.

    A skill that is mentioned several times counts once, by its most demanding mention. One that the framework does not
    know keeps the mention's label and has no relatives. BrokenInput for a mention of another ad.
    """
    return Needs(framework).of(ad, mentions)


class Needs:
    """`need_from_mentions` for many ads: the framework's crosswalk is sorted once for all of them."""

    def __init__(self, framework: Framework) -> None:
        self._framework, self._by_code = framework, _by_code(framework)

    def of(self, ad: JobAd, mentions: Iterable[Mention]) -> JobNeed:
        found: dict[str, NeededSkill] = {}
        for mention in sorted(mentions, key=lambda m: (m.start, m.end, m.skill_uri)):
            if mention.ad_id != ad.id:
                raise BrokenInput(f"a mention of ad {mention.ad_id!r}", where=ad.id, hint="hand in this ad's mentions")
            optional = _is_welcome(ad.text, mention.start, mention.end)
            weight = round((OPTIONAL if optional else 1.0) * mention.confidence, 6)
            known = found.get(mention.skill_uri)
            if weight <= 0 or (known is not None and known.weight >= weight):
                continue
            skill = self._framework.skills.get(mention.skill_uri)
            found[mention.skill_uri] = NeededSkill(
                uri=mention.skill_uri,
                label=skill.label if skill else mention.label,
                weight=weight,
                optional=optional,
                words=mention.words,
                related=known.related if known else _related(skill, self._by_code),
            )
        return JobNeed(ad.id, ad.title, tuple(found.values()))


def _is_welcome(text: str, start: int, end: int) -> bool:
    """Whether the sentence (or line) around a mention says that the skill is welcome rather than needed."""
    before = max(
        (m.end() for m in _SENTENCE_ENDS.finditer(text, max(0, start - 500), start)), default=max(0, start - 500)
    )
    after = _SENTENCE_ENDS.search(text, end, end + 500)
    return _WELCOME.search(text, before, after.start() if after else min(len(text), end + 500)) is not None


def _by_code(framework: Framework) -> Mapping[tuple[str, str], list[Skill]]:
    """The skills under each code of another framework, ordered by URI."""
    found: dict[tuple[str, str], list[Skill]] = {}
    for skill in sorted(framework.skills.values(), key=lambda s: s.uri):
        for scheme, code in skill.codes.items():
            if code:
                found.setdefault((scheme, code), []).append(skill)
    return found


def _related(skill: Skill | None, by_code: Mapping[tuple[str, str], list[Skill]]) -> tuple[Related, ...]:
    """What else shows this skill: the same one by another framework's identifier, and its neighbours in a crosswalk.

    An ESCO code is one skill, an O*NET element a family of them. Languages are one family there and no help to each
    other, so they have no relatives.
    """
    found: dict[str, Related] = {}
    if skill is None:
        return ()
    if esco := skill.codes.get("esco"):
        others = [(ESCO_SKILL + esco, skill.label), *((o.uri, o.label) for o in by_code[("esco", esco)])]
        for uri, label in others:
            found.setdefault(uri, Related(uri, label, 1.0, f"both are ESCO {esco}"))
    onet = skill.codes.get("onet", "")
    family = by_code[("onet", onet)] if onet and skill.kind != "language" else []
    for other in family if len(family) <= MOST_RELATED else ():
        found.setdefault(other.uri, Related(other.uri, other.label, RELATED, f"both are O*NET {onet}"))
    found.pop(skill.uri, None)
    return tuple(sorted(found.values(), key=lambda r: (-r.shows, r.uri)))


# -- ranking ---------------------------------------------------------------------------------------------------


def rank_people(need: JobNeed, people: Iterable[Person], *, on: date) -> list[Match]:
    """The people who opted in and show something of what is needed, best first; equals by id.

    Who shows nothing that was asked for is no match and is not listed. BrokenInput if two people have one id.
    """
    wanted = _Wanted(need)
    matches, seen = [], set()
    for person in people:
        if person.id in seen:
            raise BrokenInput("is there twice", where=person.id, hint="hand in each person once")
        seen.add(person.id)
        if person.opted_in and (match := wanted.match(person, on)) is not None:
            matches.append(match)
    return sorted(matches, key=lambda m: (-m.score, m.person_id))


def rank_jobs(person: Person, needs: Iterable[JobNeed], *, on: date) -> list[Match]:
    """The jobs that ask for something the person shows, best first; equals by id. [] for one who did not opt in."""
    if not person.opted_in:
        return []
    matches = [m for need in needs if (m := _Wanted(need).match(person, on)) is not None]
    return sorted(matches, key=lambda m: (-m.score, m.job_id))


class _Wanted:
    """A need, looked up by the URI of a held skill: which needed skills it shows, and how well."""

    def __init__(self, need: JobNeed) -> None:
        self.need = need
        self.total = fsum(skill.weight for skill in need.skills)
        self.shown_by: dict[str, list[tuple[int, float, str]]] = {}
        for n, skill in enumerate(need.skills):
            self.shown_by.setdefault(skill.uri, []).append((n, 1.0, "the same skill"))
            for related in skill.related:
                self.shown_by.setdefault(related.uri, []).append((n, related.shows, related.path))
        # What is missing is the same value for everybody who lacks it, and always in this order.
        order = sorted(enumerate(need.skills), key=lambda pair: (-pair[1].weight, pair[1].label, pair[1].uri))
        self.lacking = [(n, self._missing(n, 0.0)) for n, _ in order]

    def match(self, person: Person, on: date) -> Match | None:
        """The match of a person, or None if nothing that they hold is asked for."""
        best: dict[int, tuple[tuple[float, date, str, str], Holding]] = {}
        for holding in person.holdings:
            stands = None
            for skill in holding.skills:
                for n, shows, path in self.shown_by.get(skill.uri, ()):
                    if stands is None:
                        stands = holding.stands(on)
                    # Of equally good evidence the latest is named; that does not touch the score.
                    rank = (shows, holding.assessed_on, holding.credential_id, path)
                    if stands and (n not in best or best[n][0] < rank):
                        best[n] = (rank, holding)
        if not best:
            return None
        shown = {n: rank[0] for n, (rank, _) in best.items()}
        missing = [
            lacking if n not in shown else self._missing(n, shown[n])
            for n, lacking in self.lacking
            if shown.get(n, 0.0) < 1
        ]
        reasons = [self._reason(n, rank, holding) for n, (rank, holding) in best.items()]
        return Match(
            person_id=person.id,
            job_id=self.need.job_id,
            score=round(fsum(share * self.need.skills[n].weight for n, share in shown.items()) / self.total, 6),
            reasons=tuple(sorted(reasons, key=lambda r: (-r.adds, r.label, r.skill_uri))),
            missing=tuple(missing),
        )

    def _reason(self, n: int, rank: tuple[float, date, str, str], holding: Holding) -> Reason:
        skill, shows, path = self.need.skills[n], rank[0], rank[3]
        return Reason(
            skill_uri=skill.uri,
            label=skill.label,
            credential_id=holding.credential_id,
            title=holding.title,
            shows=shows,
            adds=shows * skill.weight / self.total,
            path=path,
        )

    def _missing(self, n: int, shown: float) -> MissingSkill:
        skill = self.need.skills[n]
        same = frozenset(r.uri for r in skill.related if r.shows == 1)
        return MissingSkill(skill.uri, skill.label, skill.weight, shown, same)


# -- closing the gap -------------------------------------------------------------------------------------------


def suggest_closing(missing: Sequence[MissingSkill], offers: Iterable[Offer]) -> tuple[Closing, ...]:
    """The fewest offers that show all missing skills which any offer shows; of several such sets the shortest in hours.

    Exact by branch and bound, starting from the greedy choice; after `STEPS` choices (dozens of offers that overlap in
    many ways) the best so far stands. Offers are ordered by what they close, most first; () if none closes anything.
    """
    wanted = {uri: n for n, skill in enumerate(missing) for uri in (skill.uri, *skill.also)}
    closes: dict[str, frozenset[int]] = {}
    by_id: dict[str, Offer] = {}
    for offer in sorted(offers, key=lambda o: (o.hours, o.id)):
        skills = frozenset(wanted[uri] for uri in offer.skills if uri in wanted)
        # An offer that closes no more than a shorter one (or the first of two equal ones) cannot be better.
        if skills and offer.id not in by_id and not any(skills <= other for other in closes.values()):
            closes[offer.id], by_id[offer.id] = skills, offer
    chosen = _fewest(closes, {id_: offer.hours for id_, offer in by_id.items()})
    order = sorted(chosen, key=lambda id_: (-len(closes[id_]), by_id[id_].hours, id_))
    return tuple(Closing(id_, tuple(missing[n].label for n in sorted(closes[id_]))) for id_ in order)


def _fewest(closes: Mapping[str, frozenset[int]], hours: Mapping[str, float]) -> tuple[str, ...]:
    """The ids of a set cover: fewest sets, then fewest hours, then the first in order."""
    if not closes:
        return ()
    everything = frozenset().union(*closes.values())
    greedy: list[str] = []
    while left := everything.difference(*(closes[id_] for id_ in greedy)):
        greedy.append(max(closes, key=lambda id_: (len(closes[id_] & left), -hours[id_])))
    best = (len(greedy), fsum(hours[id_] for id_ in greedy), tuple(sorted(greedy)))
    widest = max(len(skills) for skills in closes.values())
    steps = 0
    waiting: list[tuple[tuple[str, ...], frozenset[int]]] = [((), everything)]
    while waiting and steps < STEPS:
        steps += 1
        taken, left = waiting.pop()
        if not left:
            best = min(best, (len(taken), fsum(hours[id_] for id_ in taken), tuple(sorted(taken))))
            continue
        if len(taken) + -(-len(left) // widest) > best[0]:
            continue
        # The skill that the fewest offers close has to be closed by one of them.
        rarest = min(left, key=lambda n: (sum(n in skills for skills in closes.values()), n))
        waiting += [((*taken, id_), left - skills) for id_, skills in closes.items() if rarest in skills]
    return best[2]
