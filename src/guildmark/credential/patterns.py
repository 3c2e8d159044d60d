"""Regular expressions that strangers write, matched in time proportional to the text.

A JSON Schema comes from whoever issued a credential, and Python's `re` can be kept busy for ever by a pattern such as
`(a+)+$`. Here a pattern becomes an automaton (Thompson's construction) whose states are followed all at once, so no
text takes more than its length times the size of the pattern, and mostly far less since transitions are remembered.

Understood is what JSON Schema recommends of ECMA-262 (2020-12 Core, section 6.4), with its meaning: `\\d` and `\\w` are
ASCII. Lookaround, backreferences, word boundaries and Unicode properties are not understood and refused.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

from guildmark.core.errors import BrokenInput

LONGEST = 500
"""Characters of a pattern."""

MOST_STATES = 2000
"""States of its automaton; `{2,1000}` makes a thousand."""

_DEEPEST = 40
_LAST = 0x10FFFF
_REMEMBERED = 5000

Ranges = tuple[tuple[int, int], ...]

_DIGIT: Ranges = ((0x30, 0x39),)
_WORD: Ranges = ((0x30, 0x39), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A))
_SPACE: Ranges = (
    *((0x09, 0x0D), (0x20, 0x20), (0xA0, 0xA0), (0x1680, 0x1680), (0x2000, 0x200A)),
    *((0x2028, 0x2029), (0x202F, 0x202F), (0x205F, 0x205F), (0x3000, 0x3000), (0xFEFF, 0xFEFF)),
)
_LINE_ENDS: Ranges = ((0x0A, 0x0A), (0x0D, 0x0D), (0x2028, 0x2029))
_CLASSES = {"d": _DIGIT, "w": _WORD, "s": _SPACE}
_CONTROLS = {"t": 0x09, "n": 0x0A, "v": 0x0B, "f": 0x0C, "r": 0x0D}


class NotUnderstood(BrokenInput):
    """A pattern that uses what is not understood here, is too large, or is none."""


@lru_cache(maxsize=256)
def compiled(pattern: str) -> Pattern:
    """The automaton of a pattern; NotUnderstood says why there is none. Linear in the states it makes."""
    return _Reader(pattern).read()


def _but(ranges: Ranges) -> Ranges:
    """All other characters."""
    found, start = [], 0
    for low, high in sorted(ranges):
        if start < low:
            found.append((start, low - 1))
        start = max(start, high + 1)
    return (*found, (start, _LAST)) if start <= _LAST else tuple(found)


@dataclass(slots=True)
class Pattern:
    """An automaton. State 0 begins, `last` accepts; `free` edges cost nothing, `begin` and `end` ones are free at the
    beginning and at the end of the text.
    """

    last: int = 0
    free: list[list[int]] = field(default_factory=lambda: [[]])
    begin: list[list[int]] = field(default_factory=lambda: [[]])
    end: list[list[int]] = field(default_factory=lambda: [[]])
    steps: list[tuple[Ranges, int] | None] = field(default_factory=lambda: [None])
    _known: dict[tuple[frozenset[int], str], frozenset[int]] = field(default_factory=dict)

    @property
    def states(self) -> int:
        return len(self.free)

    def found_in(self, text: str) -> bool:
        """Whether the pattern matches somewhere in the text, as JSON Schema's `pattern` asks."""
        now = self._closed({0}, begin=True, end=not text)
        again = self._closed({0})
        for place, character in enumerate(text):
            if self.last in now:
                return True
            key = (now, character)
            then = self._known.get(key)
            if then is None:
                if len(self._known) > _REMEMBERED:
                    self._known.clear()
                then = self._known[key] = self._closed(self._after(now, ord(character))) | again
            now = self._closed(set(then), end=True) if place == len(text) - 1 else then
        return self.last in now

    def _after(self, now: frozenset[int], code: int) -> set[int]:
        then = set()
        for state in now:
            step = self.steps[state]
            if step is not None and any(low <= code <= high for low, high in step[0]):
                then.add(step[1])
        return then

    def _closed(self, states: set[int], *, begin: bool = False, end: bool = False) -> frozenset[int]:
        waiting, found = list(states), set(states)
        while waiting:
            state = waiting.pop()
            edges = [*self.free[state], *(self.begin[state] if begin else ()), *(self.end[state] if end else ())]
            for then in edges:
                if then not in found:
                    found.add(then)
                    waiting.append(then)
        return frozenset(found)


class _Reader:
    """Reads a pattern from left to right and adds states as it goes; each method returns the state in which it ends."""

    def __init__(self, text: str) -> None:
        if len(text) > LONGEST:
            raise NotUnderstood(f"a pattern of more than {LONGEST} characters is not followed")
        self.text, self.at, self.depth = text, 0, 0
        self.made = Pattern()

    def read(self) -> Pattern:
        self.made.last = self._choice(0)
        if self.at < len(self.text):
            raise self._refused("a closing bracket without an opening one")
        return self.made

    def _refused(self, what: str) -> NotUnderstood:
        return NotUnderstood(f"pattern {self.text[:80]!r} has {what} at character {self.at + 1}")

    def _state(self) -> int:
        if self.made.states >= MOST_STATES:
            raise NotUnderstood(f"a pattern of more than {MOST_STATES} states is not followed")
        for edges in (self.made.free, self.made.begin, self.made.end):
            edges.append([])
        self.made.steps.append(None)
        return self.made.states - 1

    def _peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def _take(self, wanted: str) -> bool:
        if self.text.startswith(wanted, self.at):
            self.at += len(wanted)
            return True
        return False

    def _choice(self, start: int) -> int:
        end = self._state()
        while True:
            begin = self._state()
            self.made.free[start].append(begin)
            self.made.free[self._row(begin)].append(end)
            if not self._take("|"):
                return end

    def _row(self, start: int) -> int:
        while self._peek() not in ("", "|", ")"):
            start = self._repeated(start)
        return start

    def _repeated(self, start: int) -> int:
        begin, self_at = self._state(), self.at
        self.made.free[start].append(begin)
        end = self._atom(begin)
        least, most = self._times()
        if (least, most) == (1, 1):
            return end
        if self.text[self_at] in "^$":
            raise self._refused("a repeated anchor")
        after = self.at
        if least == 0:
            self.made.free[begin].append(end)
        for _ in range(1, least):
            end = self._again(self_at, end)
        if most is None:
            loop = self._state()
            self.made.free[end].append(loop)
            back = self._again(self_at, loop)
            self.made.free[back].append(loop)
            end = loop
        else:
            skips = []
            for _ in range(max(least, 1), most):
                skips.append(end)
                end = self._again(self_at, end)
            for skip in skips:
                self.made.free[skip].append(end)
        self.at = after
        if most == 0:  # the atom was read, and is not to stand there
            end = self._state()
            self.made.free[start].append(end)
        return end

    def _again(self, at: int, start: int) -> int:
        """The atom that begins at `at` once more."""
        begin = self._state()
        self.made.free[start].append(begin)
        self.at = at
        return self._atom(begin)

    def _times(self) -> tuple[int, int | None]:
        least, most = 1, 1
        many: int | None
        if self._take("*"):
            least, many = 0, None
        elif self._take("+"):
            least, many = 1, None
        elif self._take("?"):
            least, many = 0, 1
        elif self._take("{"):
            least = self._digits()
            many = (None if self._peek() == "}" else self._digits()) if self._take(",") else least
            if not self._take("}") or (many is not None and many < least):
                raise self._refused("a repetition that is none")
        else:
            return least, most
        self._take("?")  # whether few or many are taken first does not change whether there is a match
        return least, many

    def _digits(self) -> int:
        start = self.at
        while self._peek() in tuple("0123456789"):
            self.at += 1
        if not 1 <= self.at - start <= 4:
            raise self._refused("a repetition that is none")
        return int(self.text[start : self.at])

    def _atom(self, start: int) -> int:
        character = self._peek()
        self.at += 1
        match character:
            case "(":
                return self._group(start)
            case "[":
                return self._step(start, self._set())
            case ".":
                return self._step(start, _but(_LINE_ENDS))
            case "^" | "$":
                end = self._state()
                (self.made.begin if character == "^" else self.made.end)[start].append(end)
                return end
            case "\\":
                return self._step(start, self._escape())
            case "*" | "+" | "?" | "{":
                self.at -= 1
                raise self._refused("a repetition of nothing")
            case _:
                return self._step(start, ((ord(character), ord(character)),))

    def _group(self, start: int) -> int:
        if self._peek() == "?" and not self._take("?:"):
            raise self._refused("a kind of group that is not followed here")
        self.depth += 1
        if self.depth > _DEEPEST:
            raise self._refused("groups nested too deeply")
        end = self._choice(start)
        self.depth -= 1
        if not self._take(")"):
            raise self._refused("a group without an end")
        return end

    def _step(self, start: int, ranges: Ranges) -> int:
        end = self._state()
        self.made.steps[start] = (ranges, end)
        return end

    def _set(self) -> Ranges:
        negated = self._take("^")
        found: list[tuple[int, int]] = []
        while not self._take("]"):
            if self.at >= len(self.text):
                raise self._refused("a set without an end")
            low = self._one()
            if self._peek() == "-" and self.text[self.at + 1 : self.at + 2] not in ("]", ""):
                self.at += 1
                high = self._one()
                if len(low) != 1 or len(high) != 1 or low[0][0] > high[0][1] or low[0][0] != low[0][1]:
                    raise self._refused("a range that is none")
                found.append((low[0][0], high[0][1]))
            else:
                found.extend(low)
        return _but(tuple(found)) if negated else tuple(found)

    def _one(self) -> Ranges:
        character = self._peek()
        self.at += 1
        if character == "\\":
            return ((0x08, 0x08),) if self._take("b") else self._escape()
        return ((ord(character), ord(character)),)

    def _escape(self) -> Ranges:
        character = self._peek()
        self.at += 1
        if character.lower() in _CLASSES:
            ranges = _CLASSES[character.lower()]
            return ranges if character.islower() else _but(ranges)
        if character in _CONTROLS:
            return ((_CONTROLS[character],) * 2,)
        if character in ("x", "u"):
            return ((self._hex(2 if character == "x" else 4),) * 2,)
        if character == "" or character.isalnum():
            raise self._refused("an escape that is not followed here")
        return ((ord(character), ord(character)),)

    def _hex(self, digits: int) -> int:
        text = self.text[self.at : self.at + digits]
        if len(text) != digits or any(c not in "0123456789abcdefABCDEF" for c in text):
            raise self._refused("an escape that is none")
        self.at += digits
        return int(text, 16)
