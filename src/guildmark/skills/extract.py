"""Skills in the text of a job ad: where a framework's own labels stand in it, word by word.

This is a lexical extractor. It finds what an ad says in the words of the framework, in other forms of these words and
in British or American spelling; it does not find what an ad says in other words, it does not know who is meant or
whether a skill is denied ("no SQL needed"), and so it misses most of what a careful reader finds (bench/extraction.py
measures how much). What it finds, it can show: `text[start:end]` are the words.

1. Labels and text become rows of words (`guildmark.skills.words`): folded, light stems, breaks where punctuation parts.
   The note of a label ("Java (computer programming)") is left away; one word alone only bends to its plural.
2. All labels are one trie over word stems; a label of more than `LONGEST_LABEL` words is not looked for and listed in
   `Extractor.unusable`.
3. Longest match wins, then the first; places do not overlap. If several skills share the words equally well, each is
   mentioned.
4. Words that also mean something else are guarded. Labels of one or two letters (R, C, Go, HR) count only when
   written just so, not tied to other words (R&D), and in company: next to another label in a list, or after words like
   "experience with". Names that are words too (Excel, Swift, Access) count when written as names inside a sentence, or
   in company. Common words (lead, data, report) never count alone.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Any

from guildmark.skills.ads import JobAd
from guildmark.skills.framework import Framework, Skill
from guildmark.skills.words import Word, words_of

LONGEST_LABEL = 20
"""Words; the longest of ESCO's labels has 20. It bounds the work at each word of a text."""

AS_PREFERRED, AS_ALTERNATIVE, BENT, BENT_ALTERNATIVE, GUARDED = 1.0, 0.9, 0.8, 0.7, 0.6
SHARED = 0.5
"""What a confidence is multiplied by when the words belong to several skills."""

_NO_EDGE = frozenset(["and", "or"])
"""A label that begins or ends with one of these is the torn half of another."""
_LIST_GAP = re.compile(r"[\s,/&+|()•·-]*(?:\b(?:and|or|and/or)\b)?[\s,/&+|()•·-]*")
_LONGEST_GAP = 12
_LINKS = frozenset(["in", "with", "of", "using"])


@cache
def _guarded() -> dict[str, frozenset[str]]:
    """The lists of guarded-words.toml: names, common, cues, followers."""
    text = (files("guildmark.skills") / "data" / "guarded-words.toml").read_text(encoding="utf-8")
    return {name: frozenset(words.split()) for name, words in tomllib.loads(text).items()}


@dataclass(frozen=True, slots=True)
class Mention:
    """A skill found in an ad: `words` are `ad.text[start:end]`, `label` is the skill's own.

    `confidence` orders mentions by how directly the words name the skill. It is not calibrated: 0.9 does not mean that
    nine of ten are right. 1.0 the preferred label, 0.9 an alternative label, 0.8 and 0.7 the same in another form or
    spelling, 0.6 a guarded word that counts because of its company; half of that if several skills share the words.
    """

    ad_id: str
    skill_uri: str
    label: str
    words: str
    start: int
    end: int
    confidence: float

    def to_json(self) -> dict[str, Any]:
        """The mention as plain JSON values."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class _Entry:
    """One label at the end of its way through the trie."""

    skill: Skill
    preferred: bool
    folded: tuple[str, ...]
    singular: str
    written: str

    def confidence(self, folded: Sequence[str]) -> float:
        if self.folded == tuple(folded):
            return AS_PREFERRED if self.preferred else AS_ALTERNATIVE
        return BENT if self.preferred else BENT_ALTERNATIVE


@dataclass(frozen=True, slots=True)
class _Match:
    first: int
    last: int
    entries: tuple[tuple[_Entry, float], ...]
    guarded: bool = False

    @property
    def lists(self) -> bool:
        """Whether this keeps company with names of tools: what stands beside a tool in a list is one, too."""
        return any(entry.skill.kind in ("tool", "knowledge", "language") for entry, _ in self.entries)


class Extractor:
    """Finds the skills of one framework: of ESCO's 100,000 labels two seconds after it was made. Never changed."""

    def __init__(self, framework: Framework) -> None:
        self.framework = framework
        self.unusable: tuple[str, ...] = ()
        self._vocabulary: dict[str, int] = {}
        self._steps: dict[tuple[int, int], int] = {}
        self._ends: dict[int, list[_Entry]] = {}
        unusable = []
        nodes = 1
        for skill in framework.skills.values():
            seen: set[str | tuple[str, ...]] = set()
            for label, preferred in _labels(skill):
                words = words_of(label)
                folded = tuple(w.folded for w in words)
                # One word alone may be a name, and then how it is written counts: Less and LESS are two.
                same = label if len(words) == 1 else folded
                if same in seen:
                    continue
                seen.add(same)
                if not 0 < len(words) <= LONGEST_LABEL or {folded[0], folded[-1]} & _NO_EDGE:
                    unusable.append(label)
                    continue
                node = 0
                for word in words:
                    token = self._vocabulary.setdefault(word.stem, len(self._vocabulary))
                    step = self._steps.get((node, token))
                    if step is None:
                        step = self._steps[node, token] = nodes
                        nodes += 1
                    node = step
                written = label[words[0].start : words[-1].end]
                entry = _Entry(skill, preferred, folded, words[0].singular, written)
                self._ends.setdefault(node, []).append(entry)
        self.unusable = tuple(unusable)

    def mentions(self, ad: JobAd) -> list[Mention]:
        """Every place of the ad's text that names a skill, in the order of the text. Time is linear in the text."""
        words = words_of(ad.text)
        matches = _without_overlap(self._matches(words), len(words))
        kept = _in_company(matches, words, ad.text)
        found = []
        for match in kept:
            start, end = words[match.first].start, words[match.last].end
            best = _best(match.entries)
            share = SHARED if len(best) > 1 else 1.0
            for entry, confidence in best:
                sure = min(confidence, GUARDED) if match.guarded else confidence
                skill = entry.skill
                found.append(
                    Mention(ad.id, skill.uri, skill.label, ad.text[start:end], start, end, round(sure * share, 2))
                )
        return sorted(found, key=lambda m: (m.start, m.end, m.skill_uri))

    def _matches(self, words: Sequence[Word]) -> Iterable[_Match]:
        tokens = [self._vocabulary.get(word.stem, -1) for word in words]
        steps, ends = self._steps, self._ends
        for first, token in enumerate(tokens):
            node = steps.get((0, token))
            last = first
            while node is not None:
                if (entries := ends.get(node)) and (match := _match(entries, words, first, last)):
                    yield match
                last += 1
                node = steps.get((node, tokens[last])) if last < len(tokens) else None


def _labels(skill: Skill) -> Iterable[tuple[str, bool]]:
    """The label and its alternatives, each without the note in brackets at its end."""
    for label, preferred in ((skill.label, True), *((alternative, False) for alternative in skill.alt_labels)):
        yield re.sub(r"\s*\([^()]*\)\s*$", "", label) or label, preferred


def _match(entries: Sequence[_Entry], words: Sequence[Word], first: int, last: int) -> _Match | None:
    """The labels that end here and fit, or nothing if none may stand alone for these words."""
    folded = [word.folded for word in words[first : last + 1]]
    fit = [(entry, entry.confidence(folded)) for entry in entries]
    guarded = False
    if first == last:
        word = words[first]
        fit = [(entry, sure) for entry, sure in fit if entry.singular == word.singular]
        if word.singular in _guarded()["common"]:
            return None
        guarded = _is_short(word.folded) or word.singular in _guarded()["names"]
    if not fit:
        return None
    return _Match(first, last, tuple(fit), guarded)


def _best(fit: Sequence[tuple[_Entry, float]]) -> tuple[tuple[_Entry, float], ...]:
    """One entry for each skill that fits best: two labels of a skill may fit, and several skills equally well."""
    best = max(sure for _, sure in fit)
    return tuple({entry.skill.uri: (entry, sure) for entry, sure in fit if sure == best}.values())


def _is_short(folded: str) -> bool:
    return len(folded) <= 2 and folded.isalpha()


def _in_company(matches: Sequence[_Match], words: Sequence[Word], text: str) -> list[_Match]:
    """The matches without those guarded ones that nothing vouches for; a name written as one is guarded no more."""
    judged = [_as_written(match, words, text) if match.guarded else match for match in matches]
    present = [match for match in judged if match is not None]
    vouched = [not m.guarded or _has_cue(m, words) for m in present]
    for order in (range(1, len(present)), range(len(present) - 2, -1, -1)):
        step = order.step
        for at in order:
            neighbour = present[at - step]
            if not vouched[at] and vouched[at - step] and neighbour.lists:
                vouched[at] = _in_one_list(neighbour, present[at], words, text)
    return [match for match, sure in zip(present, vouched, strict=True) if sure]


def _as_written(match: _Match, words: Sequence[Word], text: str) -> _Match | None:
    """The match, no longer guarded if it is a name written as one, or nothing if its writing speaks against it."""
    word = words[match.first]
    follower = words[match.last + 1].before if match.last + 1 < len(words) else ""
    if word.before not in ("", "/") or follower not in ("", "/"):
        return None
    here = text[word.start : word.end]
    as_label = tuple((entry, sure) for entry, sure in match.entries if entry.written == here)
    if _is_short(word.folded):
        return replace(match, entries=as_label) if as_label else None
    if as_label and here != here.lower() and not word.opens:
        return replace(match, entries=as_label, guarded=False)
    return match


def _has_cue(match: _Match, words: Sequence[Word]) -> bool:
    """ "experience with R", "programming in Go", "R developer"."""
    after = words[match.last + 1] if match.last + 1 < len(words) else None
    if after is not None and after.singular in _guarded()["followers"]:
        return True
    if match.first < 2:
        return False
    noun, link = words[match.first - 2], words[match.first - 1]
    return link.folded in _LINKS and noun.singular in _guarded()["cues"]


def _in_one_list(one: _Match, other: _Match, words: Sequence[Word], text: str) -> bool:
    low, high = sorted((one, other), key=lambda m: m.first)
    start, end = words[low.last].end, words[high.first].start
    return end - start <= _LONGEST_GAP and _LIST_GAP.fullmatch(text, start, end) is not None


def _without_overlap(matches: Iterable[_Match], length: int) -> list[_Match]:
    """The longest first, then the first: what overlaps something taken already is left. In the order of the text."""
    taken = bytearray(length)
    kept = []
    for match in sorted(matches, key=lambda m: (m.first - m.last, m.first)):
        if not any(taken[match.first : match.last + 1]):
            taken[match.first : match.last + 1] = b"\1" * (match.last + 1 - match.first)
            kept.append(match)
    return sorted(kept, key=lambda m: m.first)
