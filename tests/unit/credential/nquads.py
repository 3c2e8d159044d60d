"""Reads N-Quads into the quads of `guildmark.credential.rdfc`; tests only."""

from __future__ import annotations

import re

from guildmark.credential.rdfc import Quad, literal

_TERM = re.compile(r'\s*(<[^>]*>|_:[^\s<"]+|"(?:[^"\\]|\\.)*"(?:\^\^<[^>]*>|@[A-Za-z0-9-]+)?)')
_SHORT = {"t": "\t", "b": "\b", "n": "\n", "r": "\r", "f": "\f", '"': '"', "'": "'", "\\": "\\"}


def _unescape(text: str) -> str:
    def one(m: re.Match[str]) -> str:
        code = m[1] or m[2]
        return chr(int(code, 16)) if code else _SHORT[m[3]]

    return re.sub(r"\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(.))", one, text, flags=re.S)


def _term(raw: str) -> str:
    if raw.startswith("<"):
        return _unescape(raw)
    if raw.startswith("_:"):
        return raw
    text, _, rest = raw[1:].rpartition('"')
    if rest.startswith("@"):
        return literal(_unescape(text), language=rest[1:])
    return literal(_unescape(text), _unescape(rest[3:-1])) if rest else literal(_unescape(text))


def parse(text: str) -> list[Quad]:
    quads = []
    for line in text.split("\n"):
        if not line.strip() or line.startswith("#"):
            continue
        terms = [_term(raw) for raw in _TERM.findall(line)]
        assert len(terms) in (3, 4), line
        s, p, o, *g = terms
        quads.append((s, p, o, g[0] if g else ""))
    return quads
