"""A verdict on a page: its symbol, which is decoration, its word, which counts, and the name of its style."""

from __future__ import annotations

from django import template
from django.utils.translation import gettext as _

from guildmark.core.report import Verdict

register = template.Library()

_SYMBOLS = {Verdict.PASS: "✓", Verdict.FAIL: "✕", Verdict.UNKNOWN: "?", Verdict.NOT_APPLICABLE: "–"}


@register.filter
def symbol(verdict: Verdict) -> str:
    return _SYMBOLS[verdict]


@register.filter
def style(verdict: Verdict) -> str:
    return verdict.name.lower().replace("_", "-")


@register.filter
def holds(verdict: Verdict) -> str:
    """Whether something holds, in a word or three."""
    return {
        Verdict.PASS: _("Holds"),
        Verdict.FAIL: _("Does not hold"),
        Verdict.UNKNOWN: _("Cannot be told"),
        Verdict.NOT_APPLICABLE: _("Does not apply"),
    }[verdict]
