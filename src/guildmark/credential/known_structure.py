"""What is known of documents of one shape besides their hash: that they are made as they must be.

The rules of `structure` are read once for a shape, not once for a document:

1. most of a document of a known shape is a constant, and what the rules say of constants does not change;
2. of a value that changes, where nothing else depends on it, the rules ask one small question (is it an address, is
   it text, ...). The places where that is so are listed here with the question, and only it is asked again. A value
   that does not answer it with yes goes to the full rules;
3. the others (dates, results with their bounds) are remembered with their values: a few hundred combinations.

So the finding is the one that `structure_finding` gives; the tests hold that against random values.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from guildmark.core.report import Finding
from guildmark.credential.known_shapes import Fit
from guildmark.credential.shape import Path
from guildmark.credential.structure import HASH, PLAIN_URL, Strictness, is_hash, is_text, is_url, structure_finding

MOST_COMBINATIONS = 512
"""Combinations of values that are remembered for one shape."""

_PROOF = {"type", "cryptosuite", "created", "verificationMethod", "proofPurpose", "proofValue"}

_Question = Callable[[Any], bool]
_EVERY = -1
_DIGITS = re.compile(r"[0-9]{1,12}", re.ASCII)


def _is_index(value: Any) -> bool:
    return type(value) is str and _DIGITS.fullmatch(value) is not None


def _is_string(value: Any) -> bool:
    return type(value) is str


_QUESTIONS: Mapping[Path, _Question] = {
    ("id",): is_url,
    ("credentialSubject", "id"): is_url,
    ("credentialSubject", "narrative"): is_text,
    ("credentialSubject", "identifier", _EVERY, "salt"): _is_string,
    ("credentialStatus", "id"): is_url,
    ("credentialStatus", "statusListIndex"): _is_index,
    ("evidence", _EVERY, "id"): is_url,
    ("evidence", _EVERY, "name"): is_text,
    ("evidence", _EVERY, "narrative"): is_text,
    ("evidence", _EVERY, "description"): is_text,
}
"""Places of which `structure` asks one question and nothing else."""


def _question(path: Path, document: Mapping[str, Any]) -> _Question | None:
    plain = tuple(_EVERY if type(step) is int else step for step in path)
    if plain == ("credentialSubject", "identifier", _EVERY, "identityHash"):
        # Whether it is hashed is a constant of the shape.
        return is_hash if document["credentialSubject"]["identifier"][path[2]].get("hashed") is True else is_text
    return _QUESTIONS.get(plain)


_BETWEEN = "\x1f"
_AS_PATTERN: Mapping[_Question, str] = {
    is_url: PLAIN_URL,
    is_text: rf"[^\S{_BETWEEN}]*[^\s{_BETWEEN}][^{_BETWEEN}]*",
    is_hash: HASH,
    _is_index: "[0-9]{1,12}",
    _is_string: f"[^{_BETWEEN}]*",
}
"""For each question a pattern of texts that answer it with yes, so that all are asked at once."""


@dataclass(slots=True)
class _Memory:
    """What is remembered for one shape in one profile."""

    asked: list[tuple[int, _Question]]
    kept: list[int]
    places: list[int] = field(init=False)
    pattern: re.Pattern[str] = field(init=False)
    found: dict[tuple[Any, ...], Finding] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.places = [n for n, _ in self.asked]
        self.pattern = re.compile(_BETWEEN.join(_AS_PATTERN[question] for _, question in self.asked))

    def answers_yes(self, values: tuple[Any, ...]) -> bool:
        """Whether every question is answered with yes."""
        try:
            if self.pattern.fullmatch(_BETWEEN.join([values[n] for n in self.places])):
                return True
        except TypeError:
            return False  # a number, where the questions are about texts
        return all(question(values[n]) for n, question in self.asked)


def known_structure(
    document: Mapping[str, Any],
    fit: Fit | None,
    profile: Strictness = "tolerant",
    *,
    any_kind: bool = False,
    ordinary: bool | None = None,
) -> Finding:
    """`structure_finding` of the same, from what is known of the shape that the document without its proof fits.

    `ordinary` is what `is_ordinary` says of its proof, where somebody has asked already.
    """

    def look() -> Finding:
        return structure_finding(document, profile, any_kind=any_kind)

    if fit is None or not (is_ordinary(document.get("proof")) if ordinary is None else ordinary):
        return look()
    sort = ("structure", profile, any_kind)
    shape, memory = fit.known.shape, fit.known.memory.get(sort)
    if memory is None:
        asked, kept = [], []
        for n, places in enumerate(shape.same_paths):
            questions = [_question(path, document) for path in places]
            if None in questions:
                kept.append(n)
            else:
                asked += [(n, question) for question in questions if question is not None]
        memory = fit.known.memory.setdefault(sort, _Memory(asked, kept))
    assert isinstance(memory, _Memory)
    values = fit.values
    if not memory.answers_yes(values):
        return look()
    key = tuple([values[n] for n in memory.kept])
    finding = memory.found.get(key)
    if finding is None:
        finding = look()
        if len(memory.found) >= MOST_COMBINATIONS:
            memory.found.clear()
        memory.found[key] = finding
    return finding


def is_ordinary(proof: Any) -> bool:
    """Whether a proof has just the members that each has, all texts: then the rules find nothing in it."""
    if type(proof) is not dict or proof.keys() != _PROOF or proof["type"] != "DataIntegrityProof":
        return False
    return {type(value) for value in proof.values()} == {str}
