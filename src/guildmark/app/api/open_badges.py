"""The Open Badges 3.0 API under /ims/ob/v3p0: apps read what a learner holds, and bring what others awarded them.

Each answer that is not what was asked for is an `Imsx_StatusInfo`. Who calls is a learner's app with a token
(`services.apps`); cookies are never looked at. Source: Open Badges 3.0, "Open Badges API" and "Open Badges API
Security".
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from django.conf import settings
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.request import UnreadablePostError
from django.utils import timezone
from django.utils.http import parse_etags
from ninja.throttling import SimpleRateThrottle

from guildmark.app.access import audience
from guildmark.app.api.operations import etag_of
from guildmark.app.api.problems import Refusal, log
from guildmark.app.queries.backpack import held_page, profile_of
from guildmark.app.services.apps import (
    READ_CREDENTIALS,
    READ_PROFILE,
    SCOPES,
    WRITE_CREDENTIALS,
    WRITE_PROFILE,
    Holder,
    WrongMetadata,
    holder_of,
    register_app,
)
from guildmark.app.services.backpack import (
    LARGEST,
    LARGEST_PROFILE,
    Outcome,
    bring_credential,
    read_json,
    read_jws,
    write_profile,
)
from guildmark.app.services.verbs import lost_a_race
from guildmark.core.codecs import parse_iso, parse_json
from guildmark.core.errors import BrokenInput, NotAllowed, OutsideFailure

View = Callable[..., HttpResponse]

PREFIX = "/ims/ob/v3p0"

JSON_KINDS = ("application/json", "application/vc+ld+json", "application/ld+json", "application/vc")
"""How a signed badge may be sent; the specification names the first two."""

LIMIT, MOST = 50, 100
"""Credentials on a page, if nobody says, and at most."""

LARGEST_REGISTRATION = 16_000

_MINOR = {
    400: "invalid_data",
    401: "unauthorizedrequest",
    403: "forbidden",
    404: "not_found",
    405: "not_allowed",
    413: "invalid_data",
    415: "not_acceptable",
    429: "server_busy",
    500: "internal_server_error",
    503: "server_busy",
}
"""Status -> the word of `Imsx_CodeMinorFieldValue` that comes nearest."""


# --- Refusals ---


def status_info(status: int, says: str, *, minor: str = "", **headers: str) -> HttpResponse:
    """What was wrong as an Imsx_StatusInfo; a header's name is written with _ for -."""
    body = {
        "imsx_codeMajor": "failure",
        "imsx_severity": "error",
        "imsx_description": says,
        "imsx_codeMinor": {
            "imsx_codeMinorField": [
                {"imsx_codeMinorFieldName": "guildmark", "imsx_codeMinorFieldValue": minor or _MINOR[status]}
            ]
        },
    }
    response = JsonResponse(body, status=status, json_dumps_params={"ensure_ascii": False})
    for name, value in headers.items():
        response.headers[name.replace("_", "-")] = value
    return response


def _info_of(exception: Exception) -> HttpResponse:
    match exception:
        case _Query():
            return status_info(exception.status, exception.detail, minor="invalid_query_parameter")
        case Refusal():
            return status_info(exception.status, exception.detail, **exception.headers)
        case BrokenInput():
            return status_info(400, str(exception))
        case NotAllowed():
            return status_info(403, str(exception))
        case RequestDataTooBig():
            return status_info(413, "The request is too large.")
        case SuspiciousOperation() | UnreadablePostError():
            return status_info(400, "The request cannot be read.")
        case OutsideFailure():
            return status_info(503, str(exception), Retry_After="10")
        case DatabaseError() if lost_a_race(exception):
            return status_info(503, "The site is busy; try again in a moment.", Retry_After="10")
        case _:
            log.error("A request to the Open Badges API failed", exc_info=exception)
            return status_info(500, "Something went wrong here; it is on record.")


def endpoint(**methods: View) -> View:
    """The address that answers these methods (GET too if HEAD is asked), each with what went wrong if it did."""
    allow = ", ".join(sorted({*methods, *(["HEAD"] if "GET" in methods else [])}))

    def whole(request: HttpRequest, *args: Any, **named: Any) -> HttpResponse:
        view = methods.get("GET" if request.method == "HEAD" else str(request.method))
        if view is None:
            return status_info(405, f"This address takes {allow}.", Allow=allow)
        try:
            response = view(request, *args, **named)
        except Exception as exception:  # told as a status, and logged if nobody foresaw it
            response = _info_of(exception)
        if request.method in ("GET", "HEAD") and response.status_code == 200:
            response = _unless_known(request, response)
        return response

    whole.csrf_exempt = True  # a bearer token is needed, which no browser sends by itself
    whole.private = True
    return whole


def _unless_known(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """The answer with its ETag, or 304 if the caller has it already. To that HTTP permits no body (RFC 9110)."""
    etag = etag_of(response.content)
    known = [tag.removeprefix("W/") for tag in parse_etags(request.headers.get("If-None-Match", ""))]
    if "*" in known or etag in known:
        response = HttpResponse(status=304)
        del response.headers["Content-Type"]
    response.headers["ETag"] = etag
    return response


def needs(scope: str) -> Callable[[Callable[[HttpRequest, Holder], HttpResponse]], View]:
    """The view gets the holder for whom the caller's token stands, if it has the scope."""

    def around(view: Callable[[HttpRequest, Holder], HttpResponse]) -> View:
        @wraps(view)
        def whole(request: HttpRequest) -> HttpResponse:
            kind, _, token = request.headers.get("Authorization", "").partition(" ")
            if kind.lower() != "bearer":
                raise Refusal(401, "Send Authorization: Bearer with an access token.", WWW_Authenticate="Bearer")
            holder = holder_of(token.strip(), now=timezone.now())
            if holder is None:
                says = "The access token is unknown, has ended or was revoked."
                raise Refusal(401, says, WWW_Authenticate='Bearer error="invalid_token"')
            if scope not in holder.scopes:
                way = f'Bearer error="insufficient_scope", scope="{scope}"'
                raise Refusal(403, f"This needs the scope {scope}.", WWW_Authenticate=way)
            return view(request, holder)

        return whole

    return around


# --- Credentials ---


@needs(READ_CREDENTIALS)
def _get_credentials(request: HttpRequest, holder: Holder) -> HttpResponse:
    """What the learner holds, each as it was signed, byte for byte."""
    limit = min(_number(request, "limit", LIMIT, least=1), MOST)
    offset = _number(request, "offset", 0, least=0)
    since = _moment(request)
    page = held_page(holder.learner, since=since, limit=limit, offset=offset)
    tokens = b",".join(b'"' + token + b'"' for token in page.tokens)  # base64url and dots: nothing to escape
    body = b'{"credential":[' + b",".join(page.documents) + b'],"compactJwsString":[' + tokens + b"]}"
    response = HttpResponse(body, content_type="application/json")
    response.headers["X-Total-Count"] = str(page.total)
    if offset or page.shown < page.total:
        response.headers["Link"] = _links(limit, offset, page.shown, page.total, request.GET.get("since"))
    return response


def _number(request: HttpRequest, name: str, default: int, *, least: int) -> int:
    text = request.GET.get(name)
    if text is None:
        return default
    if not text.isascii() or not text.isdigit() or len(text) > 9 or int(text) < least:
        raise _Query(f"is not a whole number from {least} on", where=name)
    return int(text)


def _moment(request: HttpRequest) -> datetime | None:
    text = request.GET.get("since")
    if text is None:
        return None
    try:
        return parse_iso(text, where="since")
    except BrokenInput as problem:
        raise _Query("is not a date and time with a zone", where="since") from problem


class _Query(Refusal):
    """A parameter that says what cannot be."""

    def __init__(self, what: str, *, where: str) -> None:
        super().__init__(400, f"The parameter {where} {what}.")


def _links(limit: int, offset: int, shown: int, total: int, since: str | None) -> str:
    """The Link header (RFC 8288): first and last always, prev and next where there is one."""
    at = {"first": 0, "last": max(0, total - 1) // limit * limit}
    if offset:
        at["prev"] = max(0, offset - limit)
    if offset + shown < total:
        at["next"] = offset + shown
    of = {"since": since} if since is not None else {}
    address = f"{settings.BASE_URL}{PREFIX}/credentials"
    return ", ".join(
        f'<{address}?{urlencode({"limit": limit, "offset": start, **of})}>; rel="{rel}"' for rel, start in at.items()
    )


@needs(WRITE_CREDENTIALS)
def _upsert_credential(request: HttpRequest, holder: Holder) -> HttpResponse:
    """The learner holds what was sent; 201 if it is new, 200 if it took the place of another edition."""
    kind = request.content_type.lower()
    if kind not in (*JSON_KINDS, "text/plain"):
        raise Refusal(415, f"Send a badge as {', '.join(JSON_KINDS)}, or a JWS as text/plain.")
    _small(request, LARGEST)
    brought = read_jws(request.body) if kind == "text/plain" else read_json(request.body)
    _, outcome = bring_credential(
        id=uuid4(), learner=holder.learner, client=holder.client, brought=brought, now=timezone.now()
    )
    status = 201 if outcome is Outcome.CREATED else 200
    return HttpResponse(request.body, status=status, content_type=kind)


def _small(request: HttpRequest, most: int) -> None:
    """Refused before the body is read, and again by its reader, should the announced length be wrong."""
    text = str(request.META.get("CONTENT_LENGTH") or "0")
    if text.isascii() and text.isdigit() and int(text) > most:
        raise Refusal(413, f"At most {most:,} bytes are taken here.")


# --- Profile ---


@needs(READ_PROFILE)
def _get_profile(request: HttpRequest, holder: Holder) -> HttpResponse:
    """Who the learner is."""
    return HttpResponse(profile_of(holder.learner), content_type="application/json")


@needs(WRITE_PROFILE)
def _put_profile(request: HttpRequest, holder: Holder) -> HttpResponse:
    """What was sent is the profile that apps read."""
    if request.content_type.lower() not in JSON_KINDS:
        raise Refusal(415, "Send the profile as application/json.")
    _small(request, LARGEST_PROFILE)
    write_profile(learner=holder.learner, client=holder.client, document=request.body, now=timezone.now())
    return HttpResponse(profile_of(holder.learner), content_type="application/json")


# --- Discovery ---


def discovery_document() -> dict[str, Any]:
    """The Service Description Document: an OpenAPI 3.0 file with what apps need to register and to ask."""

    def operation(name: str, says: str, scope: str, good: dict[str, Any], **more: Any) -> dict[str, Any]:
        wrong = {"description": "What was wrong.", "content": _content("Imsx_StatusInfo")}
        answers = {**good, **{str(status): wrong for status in (400, 401, 403, 405, 500)}}
        return {
            "operationId": name,
            "summary": says,
            "tags": ["OpenBadgeCredentials"],
            "security": [{"OAuth2ACG": [scope]}],
            "responses": answers,
            **more,
        }

    def good(says: str, shape: str) -> dict[str, Any]:
        return {"description": says, "content": _content(shape)}

    badge = {
        **_content("AchievementCredential"),
        "application/vc+ld+json": {"schema": {"$ref": "#/components/schemas/AchievementCredential"}},
        "text/plain": {"schema": {"type": "string", "description": "A compact JWS."}},
    }
    parameters = [
        {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": MOST}},
        {"name": "offset", "in": "query", "schema": {"type": "integer", "minimum": 0}},
        {"name": "since", "in": "query", "schema": {"type": "string", "format": "date-time"}},
    ]
    echoed = {"description": "The credential that was sent.", "content": badge}
    scopes = dict(SCOPES)
    base = settings.BASE_URL
    return {
        "openapi": "3.0.1",
        "info": {
            "title": "guildmark",
            "version": "1.0.0",
            "description": "Credentials that learners hold, for apps that they let in (Open Badges 3.0).",
            "termsOfService": settings.TERMS_URL,
            "x-imssf-privacyPolicyUrl": settings.PRIVACY_URL,
        },
        "servers": [{"url": f"{base}{PREFIX}"}],
        "tags": [{"name": "OpenBadgeCredentials"}, {"name": "Discovery"}],
        "paths": {
            "/credentials": {
                "get": operation(
                    "getCredentials",
                    "What the learner holds.",
                    READ_CREDENTIALS,
                    {"200": good("A page of credentials.", "GetOpenBadgeCredentialsResponse")},
                    parameters=parameters,
                ),
                "post": operation(
                    "upsertCredential",
                    "The learner holds one more, or a newer edition.",
                    WRITE_CREDENTIALS,
                    {"200": echoed, "201": echoed},
                    requestBody={"required": True, "content": badge},
                ),
            },
            "/profile": {
                "get": operation(
                    "getProfile", "Who the learner is.", READ_PROFILE, {"200": good("The profile.", "Profile")}
                ),
                "put": operation(
                    "putProfile",
                    "What other apps read.",
                    WRITE_PROFILE,
                    {"200": good("The profile.", "Profile")},
                    requestBody={"required": True, "content": _content("Profile")},
                ),
            },
            "/discovery": {
                "get": {
                    "operationId": "getServiceDescription",
                    "summary": "This document.",
                    "tags": ["Discovery"],
                    "security": [],
                    "responses": {
                        "200": {"description": "It.", "content": {"application/json": {"schema": {"type": "object"}}}}
                    },
                }
            },
        },
        "components": {
            "securitySchemes": {
                "OAuth2ACG": {
                    "type": "oauth2",
                    "description": "Authorization code with PKCE (S256); registration is open.",
                    "x-imssf-name": "guildmark",
                    "x-imssf-registrationUrl": f"{base}/oauth/register",
                    "x-imssf-privacyPolicyUrl": settings.PRIVACY_URL,
                    "x-imssf-termsOfServiceUrl": settings.TERMS_URL,
                    "x-imssf-revocationUrl": f"{base}/oauth/revoke",
                    "flows": {
                        "authorizationCode": {
                            "authorizationUrl": f"{base}/oauth/authorize",
                            "tokenUrl": f"{base}/oauth/token",
                            "refreshUrl": f"{base}/oauth/token",
                            "scopes": scopes,
                        }
                    },
                }
            },
            "schemas": {
                name: {"type": "object", "description": f"{name} of Open Badges 3.0.", "externalDocs": {"url": url}}
                for name, url in _SCHEMAS.items()
            },
        },
    }


_SCHEMAS = {
    name: f"https://purl.imsglobal.org/spec/ob/v3p0/schema/json/ob_v3p0_{name.lower()}_schema.json"
    for name in ("AchievementCredential", "GetOpenBadgeCredentialsResponse", "Imsx_StatusInfo", "Profile")
}


def _content(name: str) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}}


def _discover(request: HttpRequest) -> HttpResponse:
    response = JsonResponse(discovery_document())
    response.headers["Access-Control-Allow-Origin"] = "*"
    return response


def _nothing(request: HttpRequest, path: str = "") -> HttpResponse:
    raise Refusal(404, "No operation has this address; discovery lists those there are.")


# --- Registration ---


class RegistrationBound(SimpleRateThrottle):
    """How often an address may register an app; each process of the server counts for itself."""

    scope = "registrations"

    def __init__(self) -> None:
        super().__init__("20/h")

    def get_cache_key(self, request: HttpRequest) -> str:
        return self.cache_format % {"scope": self.scope, "ident": self.get_ident(request)}


def _register(request: HttpRequest) -> HttpResponse:
    """An app registers itself (RFC 7591); no token is asked for, as Open Badges 3.0 wants it."""
    if request.content_type.lower() != "application/json":
        return _wrong("invalid_client_metadata", "Send the registration as application/json.", 415)
    bound = RegistrationBound()
    if not bound.allow_request(request):
        response = _wrong("temporarily_unavailable", "Too many registrations; wait a while.", 429)
        response.headers["Retry-After"] = str(int(bound.wait() or 60) + 1)
        return response
    try:
        _small(request, LARGEST_REGISTRATION)
        said = parse_json(request.body.decode("utf-8"), where="registration")
        if not isinstance(said, dict):
            raise WrongMetadata("is not an object", where="registration")
        now = timezone.now()
        client, secret = register_app(id=uuid4(), said=said, now=now)
    except Refusal as problem:
        return _wrong("invalid_client_metadata", problem.detail, problem.status)
    except WrongMetadata as problem:
        return _wrong(problem.code, str(problem))
    except (BrokenInput, UnicodeDecodeError):
        return _wrong("invalid_client_metadata", "The registration is not JSON.")
    answer = {
        "client_id": client.client_id,
        "client_secret": secret,
        "client_id_issued_at": int(now.timestamp()),
        "client_secret_expires_at": 0,
        **client.facts,
    }
    return JsonResponse(answer, status=201, headers={"Cache-Control": "no-store", "Pragma": "no-cache"})


def _wrong(code: str, says: str, status: int = 400) -> HttpResponse:
    says = says.encode("ascii", "replace").decode().replace('"', "'").replace("\\", "/")  # RFC 7591 section 3.2.2
    return JsonResponse({"error": code, "error_description": says}, status=status)


credentials = audience("program")(endpoint(GET=_get_credentials, POST=_upsert_credential))
profile = audience("program")(endpoint(GET=_get_profile, PUT=_put_profile))
discovery = audience("public")(endpoint(GET=_discover))
nothing = audience("public")(endpoint(**dict.fromkeys(("GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"), _nothing)))
register = audience("public")(endpoint(POST=_register))
