"""What pages of a provider say: how an action went, a report line by line, a page of a long list."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from django.contrib import messages
from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from guildmark.app.web.sentences import told
from guildmark.core.errors import GuildmarkError
from guildmark.core.report import Finding, Verdict

T = TypeVar("T")

PAGE = 50
"""Rows of a list on one page."""


def attempt(request: HttpRequest, act: Callable[[], T]) -> T | None:
    """What `act` returns; where it refuses, its reason becomes a message, and the answer is None."""
    try:
        return act()
    except GuildmarkError as problem:
        messages.error(request, told(problem))
        return None


def page_of(request: HttpRequest, rows: QuerySet, name: str = "page") -> Page:
    """The page of the list that the address asks for; the first or the last where there is no such page."""
    return Paginator(rows, PAGE).get_page(request.GET.get(name))


Words = Mapping[Verdict, tuple[str, str]]
"""Verdict -> symbol and word; the symbol is decoration, the word is what counts."""

RULE_WORDS: Words = {
    Verdict.PASS: ("✓", _("Met")),
    Verdict.FAIL: ("✕", _("Not met")),
    Verdict.UNKNOWN: ("?", _("Open")),
    Verdict.NOT_APPLICABLE: ("–", _("Does not apply")),
}

HOLDS_WORDS: Words = {
    Verdict.PASS: ("✓", _("Holds")),
    Verdict.FAIL: ("✕", _("Does not hold")),
    Verdict.UNKNOWN: ("?", _("Cannot be told")),
    Verdict.NOT_APPLICABLE: ("–", _("Does not apply")),
}

SYMBOLS = {verdict: symbol for verdict, (symbol, _word) in RULE_WORDS.items()}

ORDER = [Verdict.FAIL, Verdict.UNKNOWN, Verdict.PASS, Verdict.NOT_APPLICABLE]
"""What a reader has to know first stands first."""


@dataclass(frozen=True, slots=True)
class Line:
    """One finding as a page shows it; `action` is where something can be done about it, if anywhere."""

    symbol: str
    word: str
    style: str
    says: str
    id: str = ""
    source: str = ""
    advice: bool = False
    action: str = ""


def style_of(verdict: Verdict) -> str:
    """The last part of the style's name."""
    return verdict.name.lower().replace("_", "-")


def lines_of(
    findings: Sequence[Finding], words: Words = RULE_WORDS, action: Callable[[Finding], str] = lambda _: ""
) -> list[Line]:
    """The findings as lines: what failed first, then what is open, advice after what decides."""
    in_order = sorted(findings, key=lambda f: (ORDER.index(f.verdict), not f.required))
    return [
        Line(
            symbol=words[f.verdict][0],
            word=words[f.verdict][1],
            style=style_of(f.verdict),
            says=f.says,
            id=f.id,
            source=f.source,
            advice=not f.required and f.verdict is Verdict.UNKNOWN,
            action=action(f),
        )
        for f in in_order
    ]
