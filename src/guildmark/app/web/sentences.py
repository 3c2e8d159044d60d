"""What a room or a service says, in the reader's language, as far as it was translated.

Rooms know no Django and say their findings and refusals as English sentences. `python3 dev.py messages` collects those
sentences from the source, with a numbered gap where a value stands, and translators find them in the .po files under
the context "sentence". `told` finds the sentence that a text was made from and fills the gaps of its translation with
the same values. A text that fits none stays as it is, and says that it is English.
"""

from __future__ import annotations

import re
from datetime import date
from functools import lru_cache

from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.translation import get_language
from django.utils.translation.trans_real import translation

CONTEXT = "sentence"
_GAP = re.compile(r"\{(\d+)\}")
_ENDS = (".", "…", "!", "?")
_DEEPEST = 3
"""A gap may hold a sentence of its own (`{0}; that form cannot be checked here yet.`), and that one another."""


@lru_cache(maxsize=8)
def _known(language: str) -> tuple[tuple[re.Pattern[str], str], ...]:
    """Each translated sentence of the language as a pattern, the one with the most words of its own first."""
    start, known = f"{CONTEXT}\x04", {}
    for key, said in translation(language)._catalog.items():
        if isinstance(key, str) and key.startswith(start) and said:
            known[key.removeprefix(start)] = said
    longest_first = sorted(known, key=lambda text: (-len(_GAP.sub("", text)), text))
    return tuple((_pattern(text), known[text]) for text in longest_first)


def _pattern(text: str) -> re.Pattern[str]:
    """Matches what the sentence becomes once its gaps are filled, with or without the full stop."""
    parts = _GAP.split(text.rstrip("."))
    made, seen = [], set()
    for n, part in enumerate(parts):
        if n % 2 == 0:
            made.append(re.escape(part))
        else:  # a gap that stands twice holds the same value twice
            made.append(f"(?P=g{part})" if part in seen else f"(?P<g{part}>.+?)")
            seen.add(part)
    whole = "".join(made)
    first = re.escape(parts[0][:1])
    if parts[0][:1].islower():  # a sentence of its own begins with a capital
        whole = f"[{parts[0][0]}{parts[0][0].upper()}]{whole[len(first) :]}"
    return re.compile(rf"{whole}(?P<end>[.…!?]?)", re.DOTALL)


def told_or_none(text: str, depth: int = 0) -> str | None:
    """The text in the reader's language; None where nobody has translated it. In English, the text itself."""
    language = get_language() or "en"
    if language.split("-")[0] == "en":
        return text
    for pattern, said in _known(language):
        found = pattern.fullmatch(text)
        if found is None:
            continue
        filled = said.rstrip(".")
        for name, value in found.groupdict().items():
            if name != "end":
                inner = _day(value) or (_listed(value, depth + 1) if depth < _DEEPEST else None)
                filled = filled.replace(f"{{{name.removeprefix('g')}}}", inner or value)
        if text[:1].isupper():
            filled = filled[:1].upper() + filled[1:]
        return filled + found["end"]
    if ": " in text or "; " in text:
        return _in_parts(text, depth)
    return None


def _listed(value: str, depth: int) -> str | None:
    """A gap may list sentences (`a; b; and 2 more`): each is told, or else the whole is looked for."""
    parts = [told_or_none(part, depth) for part in value.split("; ")] if "; " in value else [None]
    told_parts = [part for part in parts if part]
    return "; ".join(told_parts) if len(told_parts) == len(parts) else told_or_none(value, depth)


def _day(value: str) -> str | None:
    """A day in a gap, written as the reader does; None for anything else."""
    try:
        return date_format(date.fromisoformat(value)) if len(value) == len("2026-11-24") else None
    except ValueError:
        return None


def _in_parts(text: str, depth: int) -> str | None:
    """A refusal is `where: what; hint.`, each said in its own place: told if what and hint are."""
    end = text[-1] if text.endswith(_ENDS) else ""
    body, advice = text.removesuffix(end), ""
    if depth >= _DEEPEST:
        return None
    if "; " in body:
        body, advice = body.rsplit("; ", 1)
        hint = told_or_none(advice, _DEEPEST)
        what = told_or_none(body, depth + 1)
        return f"{what}; {hint}{end}" if what and hint else None
    where, what = body.split(": ", 1)
    rest = told_or_none(what, _DEEPEST)
    return f"{where}: {rest}{end}" if rest else None


def told(text: object) -> str:
    """What to show: translated, or in English and marked so for a browser that reads aloud."""
    said = told_or_none(str(text))
    return format_html('<span lang="en" dir="ltr">{}</span>', str(text)) if said is None else said
