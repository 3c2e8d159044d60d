"""Filters that every template has: days, moments and numbers as the reader writes them, verdicts, what rooms say."""

from __future__ import annotations

from datetime import date, datetime

from django import template
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.html import format_html

from guildmark.app.web.answers import HOLDS_WORDS, SYMBOLS, style_of
from guildmark.app.web.sentences import told as told_in_their_language
from guildmark.app.web.sentences import told_or_none
from guildmark.core.report import Verdict

register = template.Library()

register.filter("style", style_of)


@register.filter
def symbol(verdict: Verdict) -> str:
    """The sign of a verdict, which is decoration: the word beside it is what counts."""
    return SYMBOLS[verdict]


@register.filter
def holds(verdict: Verdict) -> str:
    """Whether something holds, in a word or three."""
    return str(HOLDS_WORDS[verdict][1])


@register.filter
def day(value: date | datetime | None) -> str:
    """The day as the reader writes it, and for programs as ISO 8601; nothing for no day."""
    return _time(value, "DATE_FORMAT")


@register.filter
def moment(value: datetime | None) -> str:
    """Day and time of day."""
    return _time(value, "DATETIME_FORMAT")


def _time(value: date | datetime | None, style: str) -> str:
    if not isinstance(value, date):
        return ""
    if isinstance(value, datetime) and timezone.is_aware(value):
        value = timezone.localtime(value)
    exact = value.date() if isinstance(value, datetime) and style == "DATE_FORMAT" else value
    return format_html('<time datetime="{}">{}</time>', exact.isoformat(), date_format(value, style))


@register.filter
def number(value: object) -> object:
    """A count with its thousands apart; not for years, versions or anything that a program reads."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return number_format(value, use_l10n=True, force_grouping=True)
    return value


@register.filter
def told(text: object) -> str:
    """A sentence of a room or a service, in the reader's language where it is translated."""
    return told_in_their_language(text) if text else ""


@register.filter
def translated(text: object) -> object:
    """As `told`, for a text that may be translated already: what is not known stays as it is, and is not marked."""
    return (told_or_none(str(text)) or text) if text else ""
