"""The picture of a badge: an SVG with real text, title and description, and the same as a PNG.

The form is a hexagon for a micro-credential and a shield-like circle for a larger credential. Under the title
stands a mark in the manner of stonemasons: straight strokes chosen by the SHA-256 of the issuer's id,
mirrored at a staff, the same on every badge of that issuer. It decorates and identifies nothing; identity is
in the signature.
"""

from __future__ import annotations

import hashlib
import json
import re
from functools import cache
from importlib.resources import files
from math import cos, pi, sin
from typing import Any, Literal
from xml.sax.saxutils import escape

from guildmark.core.errors import BrokenInput

_FONT = "'Libertinus Serif', 'Source Serif 4', Georgia, 'Times New Roman', serif"
_DEFAULT_COLOURS = ("#1f4e5f", "#5b3a6b", "#7a3b1e", "#2f5d3a", "#26407a", "#7a1f3d")
"""All dark enough for white text at 7:1 (WCAG 2.2, success criterion 1.4.6)."""


def badge_svg(
    *,
    title: str,
    issuer_name: str,
    issuer_id: str = "",
    colour: str = "",
    kind: Literal["badge", "clr"] = "badge",
) -> str:
    """The badge as an SVG document of 512 by 512, without scripts, links or outside files.

    `colour` is `#rrggbb`; without one it follows from the issuer's id. Text is black or white, whichever
    contrasts more. A title that is too long for the picture is cut with an ellipsis; `<title>` has all of it.
    Control characters, which no SVG may hold, are left out.
    """
    title, issuer_name = _NOT_IN_XML.sub("", title), _NOT_IN_XML.sub("", issuer_name)
    seed = hashlib.sha256((issuer_id or issuer_name).encode()).digest()
    back = colour.lower() or _DEFAULT_COLOURS[seed[0] % len(_DEFAULT_COLOURS)]
    if not re.fullmatch(r"#[0-9a-f]{6}", back):
        raise BrokenInput(f"colour {colour!r} is not known", where="badge image", hint="write it like #1f4e5f")
    ink = "#ffffff" if _contrast(back, "#ffffff") >= _contrast(back, "#000000") else "#000000"
    what = "Micro-credential" if kind == "badge" else "Certificate"
    lines, size = _wrapped(title)
    first = 222 - (len(lines) - 1) * size * 0.56
    names = [line if len(line) <= 30 else line[:29] + "…" for line in _fill(" ".join(issuer_name.split()), 26)][:2]
    name_size = 22.0 if len(names) == 1 and len(names[0]) <= 22 else 16.5
    shape = _hexagon if kind == "badge" else _circle
    texts = [_text(124, 19, ink, what.upper(), spacing=3)]
    texts += [_text(first + i * size * 1.16, size, ink, line, bold=True) for i, line in enumerate(lines)]
    texts += [_text(408 - (len(names) - 1) * 8 + i * 19, name_size, ink, line) for i, line in enumerate(names)]
    return "\n".join(
        [
            '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 512 512" width="512" height="512"'
            ' role="img" aria-labelledby="badge-title badge-desc">',
            f'<title id="badge-title">{escape(title)}</title>',
            f'<desc id="badge-desc">{escape(f"{what} “{title}”, awarded by {issuer_name}.")}</desc>',
            shape(236, fill=back, stroke=_shade(back, 0.72), width=14),
            shape(208, fill="none", stroke=ink, width=2.5, opacity=0.75),
            _mark(seed, ink),
            *texts,
            "</svg>",
            "",
        ]
    )


def badge_png(svg: str, *, pixels: int = 600) -> bytes:
    """The SVG as a square PNG with a transparent background; needs no display and no system font."""
    if not 64 <= pixels <= 2000:
        raise BrokenInput(f"a badge of {pixels} pixels is not made", where="badge image", hint="use 64 to 2,000")
    return render("badge.typ", {"svg": svg}, png_ppi=pixels * 72 / 512)


def render(template: str, data: dict[str, Any], *, png_ppi: float | None = None, created: int = 0) -> bytes:
    """A typst template of this package filled with `data`: a PDF/UA-1, or a PNG of its first page.

    `created` is the PDF's date in seconds since 1970, so that the same input gives the same bytes.
    BrokenInput if the text has a character that no font here can show, since PDF/UA forbids boxes in place of
    letters.
    """
    import typst

    inputs = {"data": json.dumps(data, ensure_ascii=False)}
    source = _template(template)
    try:
        if png_ppi is not None:
            return bytes(typst.compile(source, format="png", ppi=png_ppi, sys_inputs=inputs))
        return bytes(typst.compile(source, sys_inputs=inputs, pdf_standards="ua-1", timestamp=created))
    except typst.TypstError as problem:
        if missing := re.search(r'the text `"(.*?)"` could not be displayed', str(problem)):
            raise BrokenInput(
                f"no font on this machine can show “{missing[1]}”",
                where=template.removesuffix(".typ"),
                hint="install fonts for that script (Debian: fonts-noto-core, fonts-noto-cjk)",
            ) from problem
        raise


@cache
def _template(name: str) -> bytes:
    return (files("guildmark.credential.render") / name).read_bytes()


# --- Shapes ---


def _hexagon(radius: float, **paint: Any) -> str:
    corners = ((256 + radius * cos(k * pi / 3), 256 - radius * sin(k * pi / 3)) for k in range(6))
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in corners)
    return f'<polygon points="{points}" {_paint(**paint)}/>'


def _circle(radius: float, **paint: Any) -> str:
    ring = f'<circle cx="256" cy="256" r="{radius:g}" {_paint(**paint)}/>'
    if paint["fill"] != "none":
        return ring
    return ring + f'\n<circle cx="256" cy="256" r="{radius - 10:g}" {_paint(**paint)} stroke-dasharray="2 7"/>'


def _paint(*, fill: str, stroke: str, width: float, opacity: float = 1) -> str:
    return (
        f'fill="{fill}" stroke="{stroke}" stroke-width="{width:g}" stroke-opacity="{opacity:g}" stroke-linejoin="round"'
    )


def _mark(seed: bytes, ink: str) -> str:
    """Four of the strokes that a staff with five rungs offers on one side, and their mirror images."""
    rungs = (0, 14, 28, 42, 56)
    strokes = [((0, a), (26, b)) for a in rungs for b in rungs if abs(a - b) in (14, 28)]
    strokes += [((26, a), (26, b)) for a, b in zip(rungs, rungs[2:], strict=False)]
    chosen = sorted({seed[i] % len(strokes) for i in range(1, 6)})
    path = ["M256 312v60"]
    for index in chosen:
        (x1, y1), (x2, y2) = strokes[index]
        for side in (-1, 1):
            path.append(f"M{256 + side * x1} {314 + y1}L{256 + side * x2} {314 + y2}")
    return f'<path d="{"".join(path)}" fill="none" stroke="{ink}" stroke-width="4" stroke-linecap="round"/>'


def _text(y: float, size: float, ink: str, text: str, *, bold: bool = False, spacing: float = 0) -> str:
    weight = ' font-weight="700"' if bold else ""
    letters = f' letter-spacing="{spacing:g}"' if spacing else ""
    return (
        f'<text x="256" y="{y:.1f}" text-anchor="middle" font-family="{_FONT}" font-size="{size:g}"'
        f'{weight}{letters} fill="{ink}">{escape(text)}</text>'
    )


# --- Words and colours ---


_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def _wrapped(title: str) -> tuple[list[str], float]:
    """The title in at most five lines and the size at which they fit; the middle of the hexagon is 340
    wide.
    """
    words = " ".join(title.split())
    for size, letters in ((40.0, 14), (36.0, 17), (32.0, 20), (28.0, 23), (24.0, 27)):
        lines = _fill(words, letters)
        if len(lines) * size <= 125 and all(len(line) <= letters for line in lines):
            return lines, size
    lines = [line if len(line) <= 27 else line[:26] + "…" for line in _fill(words, 27)]
    return (lines if len(lines) <= 5 else [*lines[:4], lines[4][:26].rstrip() + "…"]), 24.0


def _fill(text: str, letters: int) -> list[str]:
    lines: list[str] = []
    for word in text.split(" "):
        if lines and len(lines[-1]) + 1 + len(word) <= letters:
            lines[-1] += " " + word
        else:
            lines.append(word)
    return lines


def _luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2)."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one: str, other: str) -> float:
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _shade(colour: str, factor: float) -> str:
    return "#" + "".join(f"{round(int(colour[i : i + 2], 16) * factor):02x}" for i in (1, 3, 5))
