"""Headers for every page: nothing from outside, no inline script or style; private pages are kept nowhere."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

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


class SecurityHeaders:
    """Adds the headers to each answer, an error page as much as any other."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", POLICY)
        response.headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
        match = request.resolver_match
        if match is not None and getattr(match.func, "private", False):
            for name, value in PRIVATE.items():
                response.headers[name] = value
        return response
