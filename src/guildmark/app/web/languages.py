"""The reader's language: what they chose, else what their browser asks for, else English.

A choice is kept in a cookie, and with the account of whoever is signed in, so that e-mails come in it too.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.middleware.locale import LocaleMiddleware
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from guildmark.app.access import audience
from guildmark.app.services.people import keep_language

KEPT = 365 * 24 * 60 * 60
"""Seconds for which a browser remembers the choice."""


class Languages(LocaleMiddleware):
    """Pages say their language, and that another cookie or wish may get another one; data says neither."""

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        if response.headers.get("Content-Type", "").startswith("text/html"):
            patch_vary_headers(response, ("Accept-Language", "Cookie"))
            response.headers.setdefault("Content-Language", translation.get_language())
        return response


def remember(response: HttpResponse, language: str) -> None:
    """The browser sends the language with every later request."""
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        language,
        max_age=KEPT,
        path=settings.LANGUAGE_COOKIE_PATH,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def page_to_keep(request: HttpRequest) -> str:
    """Where the reader is: this page, or the page that held the form, if this is the answer to one."""
    if request.method in ("GET", "HEAD"):
        return request.get_full_path()
    before = urlsplit(request.headers.get("Referer", ""))
    return before._replace(scheme="", netloc="").geturl() if before.netloc == request.get_host() else request.path


# Pages that hold no state set no cookie, so their form could carry no token against forgery. Instead a browser's own
# word on where the form stood is taken; without it, nobody is signed in either, since the session's cookie is Lax.
@audience("public")
@csrf_exempt
@require_POST
def choose_language(request: HttpRequest) -> HttpResponse:
    """The pages speak the chosen language from now on, beginning with the one that the reader was on."""
    origin = request.headers.get("Origin")
    if origin is not None and urlsplit(origin).netloc != request.get_host():
        raise PermissionDenied(_("The language is chosen at the foot of our own pages."))
    wanted, back = request.POST.get("language", ""), request.POST.get("next", "")
    # A backslash or a second slash leads elsewhere in some browsers, which Django knows about.
    if not url_has_allowed_host_and_scheme(back, None) or not back.startswith("/"):
        back = reverse("home")
    response = redirect(back)
    if wanted in dict(settings.LANGUAGES):
        remember(response, wanted)
        if request.user.is_authenticated:
            keep_language(person=request.user, language=wanted)
    return response
