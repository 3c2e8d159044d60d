"""Headers for every page: nothing from outside, no inline script or style; private pages are kept nowhere."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from guildmark.app.services.verbs import BUSY, lost_a_race
from guildmark.core.errors import OutsideFailure

POLICY = "; ".join(
    [
        "default-src 'none'",
        "connect-src 'self'",
        "font-src 'self'",
        "img-src 'self' data:",  # the style sheet draws its small icons as data
        "style-src 'self'",
        "script-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    ]
)

PRIVATE = {
    "Cache-Control": "private, no-store",
    # Other sites are never told the address. Not `no-referrer`: under that, browsers send `Origin: null` with the
    # page's own form, which the CSRF check rightly refuses.
    "Referrer-Policy": "same-origin",
    "X-Robots-Tag": "noindex, nofollow",
}


def private(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Declare that a view's address or answer is about one person; its refusals and errors are private too."""
    view.private = True
    return view


class NoClaimLinks(logging.Filter):
    """Takes the token out of what is logged about an address: whoever reads a log must not be able to use it."""

    def filter(self, record: logging.LogRecord) -> bool:
        said = record.getMessage()
        masked = re.sub(r"(/(?:claim|shared|invitation)/)[^/\s'\"]+", r"\1...", said)
        if masked != said:
            record.msg, record.args = masked, ()
        return True


class SecurityHeaders:
    """Adds the headers to each answer, an error page as much as any other; a busy site says when to come back."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, OutsideFailure) or (isinstance(exception, DatabaseError) and lost_a_race(exception)):
            says = str(exception) if isinstance(exception, OutsideFailure) else BUSY
            response = render(request, "guildmark/problem.html", {"problem": says}, status=503)
            response.headers["Retry-After"] = "10"
            return response
        return None

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", POLICY)
        response.headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
        match = request.resolver_match
        if match is not None and getattr(match.func, "private", False):
            for name, value in PRIVATE.items():
                response.headers[name] = value
        return response
