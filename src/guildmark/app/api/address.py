"""What surrounds every operation: plain refusals, ETags, the OpenAPI file and its page, and the addresses of OAuth."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Any

from django.conf import settings
from django.core.exceptions import BadRequest, SuspiciousOperation
from django.http import HttpRequest, HttpResponse, JsonResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.shortcuts import render
from django.utils import timezone
from django.utils.http import parse_etags
from django.views.decorators.http import require_safe
from ninja import NinjaAPI
from oauth2_provider.views import RevokeTokenView, TokenView

from guildmark.app.access import audience
from guildmark.app.api.operations import CREDENTIAL, CREDENTIALS, etag_of, router
from guildmark.app.api.problems import KINDS, MEDIA_TYPE, install, problem, problem_of
from guildmark.app.services.api_keys import SCOPES, forget_old_tokens
from guildmark.app.services.envelopes import FILES
from guildmark.credential.envelope import MEDIA_TYPES as TOKEN_TYPES
from guildmark.credential.verify import LARGEST

View = Callable[..., HttpResponse]

PREFIX = "/api/v1/"

LARGEST_JSON = 64_000
"""Bytes of a request that is no credential."""

LARGEST_FORM = 16_000
"""Bytes of a request for a token."""


class Api(NinjaAPI):
    """Operations are known by the names of their functions."""

    def get_openapi_operation_id(self, operation) -> str:
        return operation.view_func.__name__


api = Api(
    title="guildmark",
    version="1.0.0",
    description="Blueprints, awards, status, verification, stacks and matches, for programs of an organisation.",
    openapi_url=None,
    docs_url=None,
    urls_namespace="api",
)
api.add_router("", router)
install(api)


# --- Around an operation ---


def plainly(view: View, name: str) -> View:
    """The view, answering everything plainly: odd addresses and bodies, HEAD, an unchanged object, what went wrong."""
    takes = CREDENTIALS if name == "verify" else ("application/json",)
    most = LARGEST if name == "verify" else LARGEST_JSON

    @wraps(view)
    def whole(request: HttpRequest, *args: Any, **named: Any) -> HttpResponse:
        head = request.method == "HEAD"
        if head:
            request.method = "GET"
        try:
            response = _refused(request, takes, most) or view(request, *args, **named)
        except Exception as exception:  # told as a problem, and logged if nobody foresaw it
            response = problem_of(exception)
        if response.status_code == 405 and response.headers.get("Content-Type") != MEDIA_TYPE:
            allowed = {m.strip() for m in response.headers["Allow"].split(",")}
            allow = ", ".join(sorted(allowed | ({"HEAD"} if "GET" in allowed else set())))
            response = problem(405, f"This address takes {allow}.", Allow=allow)
        if request.method == "GET" and response.status_code == 200:
            response = _unless_known(request, response)
        if head:
            length = str(len(response.content))
            response.content = b""
            response.headers["Content-Length"] = length
        return response

    whole.csrf_exempt = True  # a bearer key is needed, which no browser sends by itself; cookies are not looked at
    whole.private = True
    return whole


def _refused(request: HttpRequest, takes: tuple[str, ...], most: int) -> HttpResponse | None:
    """The problem of a request that no operation needs to see, if it has one."""
    if "\0" in request.path:
        return problem(404)
    wrong = [name for name, values in request.GET.lists() if "\0" in name or any("\0" in v for v in values)]
    if wrong:
        says = "A text cannot contain the character NUL."
        return problem(422, says, errors=[{"where": f"query.{name}".replace("\0", ""), "says": says} for name in wrong])
    if request.method != "POST":
        return None
    if _length(request) > most:
        return problem(413, f"At most {most:,} bytes are taken here.")
    if _length(request) and request.content_type.lower() not in takes:
        return problem(415, f"Send the body as {', '.join(takes)}.")
    return None


def _length(request: HttpRequest) -> int:
    text = str(request.META.get("CONTENT_LENGTH") or "0")
    return int(text) if text.isascii() and text.isdigit() else 0


def _unless_known(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """The answer with its ETag, or 304 if the caller has it already."""
    etag = etag_of(response.content)
    known = parse_etags(request.headers.get("If-None-Match", ""))
    if "*" in known or etag in [tag.removeprefix("W/") for tag in known]:
        response = HttpResponse(status=304)
        del response.headers["Content-Type"]
    response.headers["ETag"] = etag
    return response


def nothing(request: HttpRequest, path: str = "") -> HttpResponse:
    """No operation has this address."""
    return problem(404, "No operation has this address; the OpenAPI file lists those there are.")


def operations() -> list[Any]:
    """The addresses of the operations, each answering plainly, for programs."""
    patterns = [p for p in api.urls[0] if p.name != "api-root"]
    for pattern in patterns:
        name = audience("public" if pattern.name == "verify" else "program")
        pattern.callback = name(plainly(pattern.callback, pattern.name))
    return patterns


no_operation = audience("public")(plainly(nothing, "nothing"))


# --- The OpenAPI file and its page ---


@lru_cache
def openapi() -> dict[str, Any]:
    """The OpenAPI 3.1 document of the operations, as plain JSON values."""
    document = json.loads(json.dumps(api.get_openapi_schema(path_prefix=PREFIX)))
    document.pop("servers", None)  # where the file is, the operations are
    document["components"]["schemas"]["Credential"] = {
        "type": "object",
        "title": "Credential",
        "description": "A signed credential (Open Badges 3.0, CLR 2.0), whatever members it has.",
    }
    document["components"]["securitySchemes"] = {
        "key": {"type": "http", "scheme": "bearer", "description": "A key, made on the organisation's pages."},
        "oauth2": {
            "type": "oauth2",
            "flows": {"clientCredentials": {"tokenUrl": f"{settings.BASE_URL}/oauth/token", "scopes": dict(SCOPES)}},
        },
    }
    scopes = {(m, p): _scope(op) for p, m, op in _bound()}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            _complete(operation, method, scopes[method, path])
    return document


def _bound() -> list[tuple[str, str, Any]]:
    """(path, method, operation) of each."""
    found = []
    for bound in api._get_bound_routers():
        for path, view in bound.path_operations.items():
            plain = re.sub(r"{[^}:]+:", "{", path)  # without converters, as in the file
            found += [(PREFIX.rstrip("/") + plain, m.lower(), op) for op in view.operations for m in op.methods]
    return found


def _scope(operation: Any) -> str | None:
    """The scope that an operation needs; "" for any key, None for none at all."""
    return (operation.auth_callbacks[0].scope or "") if operation.auth_callbacks else None


_HEADERS = {
    "401": ("WWW-Authenticate", "How to show who you are."),
    "403": ("WWW-Authenticate", "The scope that is missing."),
    "405": ("Allow", "What this address takes."),
    "429": ("Retry-After", "Seconds to wait."),
    "503": ("Retry-After", "Seconds to wait."),
}


def _complete(operation: dict[str, Any], method: str, scope: str | None) -> None:
    """What ninja does not say of an operation: problems and their type, ETags, who may call."""
    for status, answer in operation["responses"].items():
        if int(status) >= 400:
            kind = KINDS[int(status)]
            answer["description"] = f"{kind.title}. {kind.advice}"
            answer["content"] = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
            if status in _HEADERS:
                name, says = _HEADERS[status]
                answer["headers"] = {name: {"description": says, "schema": {"type": "string"}}}
    good = next(answer for status, answer in operation["responses"].items() if status < "300")
    if operation["operationId"] == "read_credential":
        good["content"] = {CREDENTIAL: {"schema": {"$ref": "#/components/schemas/Credential"}}}
    if operation["operationId"] == "read_token":
        good["content"] = {TOKEN_TYPES[form]: {"schema": {"type": "string"}} for form in FILES}
    if operation["operationId"] != "verify":
        says = "Changes whenever the object does."
        good["headers"] = {"ETag": {"description": says, "schema": {"type": "string"}}}
    if method == "get":
        operation["responses"]["304"] = {"description": "It is as you know it: the ETag is the one you sent."}
        operation["parameters"].append(
            {
                "in": "header",
                "name": "If-None-Match",
                "required": False,
                "schema": {"type": "string"},
                "description": "The ETag that you have: answered with 304 if nothing has changed since.",
            }
        )
    elif "201" in operation["responses"]:
        good["headers"]["Location"] = {"description": "The address of what was made.", "schema": {"type": "string"}}
    if scope is None:
        operation["security"] = [{}, {"key": []}, {"oauth2": ["verify"]}]
    else:
        operation["security"] = [{"key": []}, {"oauth2": [scope] if scope else []}]


@audience("public")
@require_safe
def openapi_file(request: HttpRequest) -> HttpResponse:
    """The OpenAPI file, for anyone."""
    response = _unless_known(request, JsonResponse(openapi(), json_dumps_params={"ensure_ascii": False}))
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cache-Control"] = "public, max-age=300"
    return response


@audience("public")
@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """Every operation, scope and problem on one page."""
    lines = [
        {
            "method": method.upper(),
            "path": path,
            "says": [_parts(text) for text in operation["description"].split("\n\n")],
            "scope": _scope_in_words(operation),
            "statuses": sorted(operation["responses"]),
        }
        for path, methods in openapi()["paths"].items()
        for method, operation in methods.items()
    ]
    context = {"operations": lines, "scopes": SCOPES.items(), "problems": KINDS.items()}
    return render(request, "guildmark/api.html", context)


def _parts(text: str) -> list[dict[str, Any]]:
    """The text in pieces; what stands between backticks is code."""
    return [{"text": piece, "code": bool(n % 2)} for n, piece in enumerate(text.split("`")) if piece]


def _scope_in_words(operation: dict[str, Any]) -> str:
    wanted = next(way["oauth2"] for way in operation["security"] if "oauth2" in way)
    return "" if {} in operation["security"] else (wanted[0] if wanted else "any")


# --- OAuth 2 ---


_UNREADABLE = (SuspiciousOperation, BadRequest, MultiPartParserError, UnreadablePostError, ValueError, LookupError)
"""What Django raises for a form that is too much, cut off, or in no charset that there is."""


def _oauth(view: View) -> View:
    """The library's view; what it would stumble over is refused before (RFC 6749 section 5.2)."""

    @wraps(view)
    def whole(request: HttpRequest) -> HttpResponse:
        if request.method == "POST":
            try:
                if _length(request) > LARGEST_FORM:
                    return JsonResponse({"error": "invalid_request"}, status=413)
                fields = [text for name, values in request.POST.lists() for text in (name, *values)]
            except (
                SuspiciousOperation,
                BadRequest,
                MultiPartParserError,
                UnreadablePostError,
                ValueError,
                LookupError,
            ):
                # Too much, cut off, in no charset that there is: a form that cannot be read.
                fields = ["\0"]
            if any("\0" in text for text in fields):
                return JsonResponse({"error": "invalid_request"}, status=400)
        response = view(request)
        if response.status_code == 200:
            forget_old_tokens(now=timezone.now())
        return response

    whole.csrf_exempt = True  # a client shows its secret, which no browser sends by itself
    whole.private = True
    return audience("public")(whole)


token = _oauth(TokenView.as_view())
revoke_token = _oauth(RevokeTokenView.as_view())
