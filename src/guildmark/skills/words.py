"""Text as a row of words that can be compared: where each stands, its forms brought together, and where labels end.

Everything here is linear in the length of the text, whatever the text is.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

BREAK = ","
"""Stands in the row of words wherever punctuation parts them: a label without a comma never matches across one."""

LONGEST_WORD = 60
"""Characters; what is longer is no word (a key, a picture in base64) and parts what stands around it."""

_INVISIBLE = "\u00ad\u200b-\u200d\u2060\ufeff"
_WORD = re.compile(
    rf"(?<![\w.])\.net(?!\w)|[^\W_](?:[\u0300-\u036f]|[{_INVISIBLE}]*[^\W_])*(?:\+\+|\#)?", re.IGNORECASE
)
_PLAIN = re.compile(rf"[A-Za-z]{{1,{LONGEST_WORD}}}(?: [A-Za-z]{{1,{LONGEST_WORD}}})*")
_SPACE = re.compile(r"['’]?[ \t\u00a0\u2009\u202f]{1,3}|[ \t]?\r?\n[ \t]?")
_TIGHT = frozenset(["-", "\u2010", "\u2011", "\u2013", "/", ".", "'", "’", "_", "&", "+", ""])
_HARD = re.compile(r"[.!?:;\n\r•·▪●*]")
_DROP = re.compile(rf"[{_INVISIBLE}]")
_SKIPPED = frozenset(["a", "an", "the", "our", "your", "their", "its"])

_AMERICAN = {
    "programme": "program",
    "centre": "center",
    "licence": "license",
    "practise": "practice",
    "defence": "defense",
    "catalogue": "catalog",
    "analysis": "analyse",
    "analyze": "analyse",
}


class Word(NamedTuple):
    """One word of a text: `text[start:end]`, its folded form, its singular, its stem, and how it follows the last word.

    `before` is the character that ties it to the word before (`-` in "problem-solving", "" when it is loose), `opens`
    is true for the first word of a sentence or line. A break has the three forms `,` and no place of its own.
    """

    folded: str
    singular: str
    stem: str
    start: int
    end: int
    before: str = ""
    opens: bool = False


def words_of(text: str) -> list[Word]:
    """The words of a text with a break wherever punctuation parts them, without articles, possessives, URLs, e-mails.

    "R&D" gives r, and, d; "Node.js" gives node, js; "C++", "C#" and ".NET" are one word each.
    """
    if _PLAIN.fullmatch(text):
        return _plain(text)
    found: list[Word] = []
    last_end, loose_break, opens, tie = 0, False, True, ""
    for start, end in _places(text):
        gap = text[last_end:start] if start - last_end <= 5 else None
        if last_end == 0 and not found:
            gap = ""
        joined, tied = _joins(text, gap, last_end, start)
        if not joined:
            loose_break = True
            opens = opens or gap is None or _HARD.search(gap) is not None
        tie = tied if joined else ""
        if joined and gap is not None and "&" in gap and found:
            at = last_end + gap.index("&")
            found.append(Word("and", "and", "and", at, at + 1, before="&" if gap == "&" else ""))
        raw = text[start:end]
        last_end = end
        folded, singular, stem = forms(raw)
        if folded in _SKIPPED and not tie:
            continue
        if loose_break and found:
            found.append(Word(BREAK, BREAK, BREAK, end, end))
        found.append(Word(folded, singular, stem, start, end, before=tie, opens=opens))
        loose_break, opens = False, False
    return found


def _plain(text: str) -> list[Word]:
    """The same for a text of nothing but unaccented letters and single spaces, as most labels are; far faster."""
    found: list[Word] = []
    start = 0
    for raw in text.split(" "):
        end = start + len(raw)
        folded, singular, stem = forms(raw)
        if folded not in _SKIPPED:
            found.append(Word(folded, singular, stem, start, end, "", not found))
        start = end + 1
    return found


def _joins(text: str, gap: str | None, last_end: int, start: int) -> tuple[bool, str]:
    """Whether what stands between two words lets a label go on, and the character that ties them, if one does."""
    if gap is None:
        return False, ""
    if gap in _TIGHT:
        # "Node.js" and "ASP.NET" are one name each; in "our data.Analysis is" the space was forgotten.
        sentence = gap == "." and text[start].isupper() and text[last_end - 1].islower()
        return not sentence, gap
    if gap.strip(" ") == "&":
        return True, ""
    if _SPACE.fullmatch(gap):
        # A text that was wrapped goes on in small letters; a new item of a list mostly begins with a capital.
        return "\n" not in gap or text[start].islower(), ""
    return False, ""


def _places(text: str) -> Iterator[tuple[int, int]]:
    """Where the words stand; what stands in addresses of the web and of mail, and in <PLACEHOLDERS>, is passed over."""
    hidden = _hidden(text)
    low, high = next(hidden, (len(text), len(text)))
    for match in _WORD.finditer(text):
        start, end = match.span()
        while start >= high:
            low, high = next(hidden, (len(text) + 1, len(text) + 1))
        if end <= low and end - start <= LONGEST_WORD:
            yield start, end


def _hidden(text: str) -> Iterator[tuple[int, int]]:
    for match in re.finditer(r"\S+", text):
        chunk = match.group()
        name, at, host = chunk.partition("@")
        is_mail = bool(at and name and "." in host)
        is_web = "://" in chunk or chunk[:4].lower() == "www."
        is_mask = chunk[0] == "<" and chunk[-1] == ">" and chunk[1:-1].isupper()
        if is_mail or is_web or is_mask:
            yield match.span()


@lru_cache(maxsize=1 << 16)
def forms(raw: str) -> tuple[str, str, str]:
    """A word's folded form, its singular in American spelling, and its stem.

    The stem is light: plural, -ing, -ed and a final e are taken off, double consonants become one. It is made to bring
    "manage", "manages", "managing" and "managed" together, not "manager" or "management"; "buildings" are not "build".
    """
    folded = _DROP.sub("", unicodedata.normalize("NFKC", raw)).casefold()
    if len(folded) <= 3 or not (folded.isascii() and folded.isalpha()):
        return folded, folded, folded
    singular = _american(_singular(folded))
    return folded, singular, singular if folded.endswith("ings") else _stem(singular)


def _singular(word: str) -> str:
    if word.endswith("sses") or (word.endswith(("xes", "ches", "shes", "zzes")) and len(word) > 5):
        return word[:-2]
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith("s") and not word.endswith(("ss", "us", "is")) and len(word) > 4:
        return word[:-1]  # of shorter ones too many are no plurals: ETCS, LEDS, news
    return word


def _american(word: str) -> str:
    word = _AMERICAN.get(word, word)
    if len(word) < 6:
        return word
    word = re.sub(r"is(e|ed|er|ing|ation)$", r"iz\1", word)
    word = re.sub(r"yz(ed|er|ing)$", r"ys\1", word)
    return re.sub(r"our(|ed|ing|al)$", r"or\1", word)


def _stem(word: str) -> str:
    if word.endswith("ing") and len(word) > 5 and re.search(r"[aeiouy]", word[:-3]):
        word = word[:-3]
    elif word.endswith("ed") and not word.endswith("eed") and len(word) > 4 and re.search(r"[aeiouy]", word[:-2]):
        word = word[:-2]
    elif word.endswith("e") and len(word) > 4:
        word = word[:-1]
    if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "aeiou":
        word = word[:-1]
    return word
