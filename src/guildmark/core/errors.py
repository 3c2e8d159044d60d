"""Errors for people: one sentence that says what was wrong, where, and what to do.

A negative answer ("this credential is revoked") is never an error; it is a `Report`. These exceptions are for input
that cannot be understood at all. Each room adds its own subclasses beside the code that raises them.

    GuildmarkError
    ├── BrokenInput      what was handed in cannot be read: a file, a row, a document
    ├── NotAllowed       a step that the current state or role does not permit
    └── OutsideFailure   the network, a chain or a file system did not answer as it should
"""

from __future__ import annotations

from unicodedata import category


class GuildmarkError(Exception):
    """The root of everything guildmark raises on purpose."""


def one_line(text: str) -> str:
    """The text on one line: what cannot be printed, such as a line break in a name, is written out as its escape."""
    return "".join(c if c.isprintable() or category(c) == "Zs" else c.encode("unicode_escape").decode() for c in text)


class BrokenInput(GuildmarkError):
    """Input that cannot be understood; the message names what, where and what to do.

    `where` is a file name, a row number, a field path or a rule id; `hint` says what to do about it.
    """

    def __init__(self, what: str, *, where: str = "", hint: str = "") -> None:
        self.what, self.where, self.hint = what, where, hint
        super().__init__(what, where, hint)

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        advice = f"; {self.hint}" if self.hint else ""
        sentence = one_line(f"{place}{self.what}{advice}")
        return sentence if sentence.endswith((".", "?", "!")) else f"{sentence}."


class NotAllowed(GuildmarkError):
    """The state or the role does not permit this step; the message says what would."""


class OutsideFailure(GuildmarkError):
    """Something outside did not answer as it should; trying again may help, and the message says what."""
