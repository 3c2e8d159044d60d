"""Charts as SVG, made here: a title and a sentence for who does not see them, classes for colours, no style inline.

A chart never stands alone: the page shows the same numbers as a table beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

WIDTH = 360
LONGEST = 46
"""Characters of a label that fit into the width; the table has it in full."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One line of a chart: its label, its value (None where it is withheld) and how the value reads.

    `low` and `high` are the ends of its interval, where there is one.
    """

    label: str
    value: float | None
    says: str = ""
    low: float | None = None
    high: float | None = None


def bar_chart(id: str, *, title: str, says: str, bars: Sequence[Bar], most: float = 0, left: int = 0) -> SafeString:
    """A horizontal bar for each line, from 0 to `most` (or the longest); labels stand `left` of it, or above it."""
    longest = max([most, *(bar.value for bar in bars if bar.value is not None)])
    row, wide = (22, 240) if left else (40, 280)
    parts = []
    for n, bar in enumerate(bars):
        top = n * row + (0 if left else 18)
        label = format_html('<text x="0" y="{}">{}</text>', n * row + (16 if left else 13), _short(bar.label))
        if bar.value is None:
            mark = format_html('<text class="withheld" x="{}" y="{}">{}</text>', left, top + 16, _("withheld"))
        else:
            length = round(wide * bar.value / longest) if longest else 0
            mark = format_html(
                '<rect x="{}" y="{}" width="{}" height="16"></rect><text x="{}" y="{}">{}</text>',
                left, top + 3, length, left + length + 6, top + 16, bar.says,
            )  # fmt: skip
        parts.append((label, mark))
    return _svg(id, title=title, says=says, height=row * len(bars) + 4, parts=parts)


def interval_chart(id: str, *, title: str, says: str, bars: Sequence[Bar]) -> SafeString:
    """A dot for each share, from 0 to 1, on the line of its interval."""
    row, wide, parts = 44, 250, []
    for n, bar in enumerate(bars):
        y = n * row + 29
        label = format_html('<text x="0" y="{}">{}</text>', n * row + 13, _short(bar.label))
        low, high, value = (round(wide * (end or 0)) + 5 for end in (bar.low, bar.high, bar.value))
        mark = format_html(
            '<line class="axis" x1="5" x2="{}" y1="{}" y2="{}"></line>'
            '<line class="interval" x1="{}" x2="{}" y1="{}" y2="{}"></line><circle cx="{}" cy="{}" r="5"></circle>'
            '<text x="{}" y="{}">{}</text>',
            wide + 5, y, y, low, high, y, y, value, y, wide + 16, y + 5, bar.says,
        )  # fmt: skip
        parts.append((label, mark))
    return _svg(id, title=title, says=says, height=row * len(bars) + 4, parts=parts)


def _short(label: str) -> str:
    return label if len(label) <= LONGEST else f"{label[: LONGEST - 1]}…"


def _svg(id: str, *, title: str, says: str, height: int, parts: Sequence[tuple[SafeString, SafeString]]) -> SafeString:
    return format_html(
        '<svg class="chart" viewBox="0 0 {} {}" role="img" aria-labelledby="{id}-title {id}-says">'
        '<title id="{id}-title">{}</title><desc id="{id}-says">{}</desc>{}</svg>',
        WIDTH, height, title, says, format_html_join("", "{}{}", parts), id=id,
    )  # fmt: skip
