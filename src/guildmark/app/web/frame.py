"""What every page knows: who is signed in, and for which organisations they act."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from guildmark.app.web.languages import page_to_keep


def frame(request: HttpRequest) -> dict[str, Any]:
    """Context of the page's frame; nothing is read before a template asks."""
    return {"demo": settings.DEMO, "languages": settings.LANGUAGES, "page_to_keep": page_to_keep(request)}
