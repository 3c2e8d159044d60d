"""Every refusal as RFC 9457 `application/problem+json`: what was wrong, where, and what to do."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.db import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI, Schema
from ninja.errors import HttpError, Throttled, ValidationError
from pydantic import Field

from guildmark.app.services.verbs import BUSY, lost_a_race
from guildmark.core.errors import BrokenInput, NotAllowed, OutsideFailure

log = logging.getLogger("django.request")


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of problem: its name in the address of `type`, its title, and what to do."""

    name: str
    title: str
    advice: str


KINDS: dict[int, Kind] = {
    400: Kind("bad-request", "The request cannot be read", "Send well-formed JSON in UTF-8."),
    401: Kind("unauthorized", "No valid key or token", "Send `Authorization: Bearer` with a key that is still valid."),
    403: Kind("forbidden", "The key does not permit this", "Use a key that has the scope which the detail names."),
    404: Kind("not-found", "There is nothing here for you", "Check the address; what others own is not shown."),
    405: Kind("method-not-allowed", "This address does not take that method", "Use one of those that `Allow` names."),
    409: Kind("conflict", "The present state does not permit this", "Read the object again; the detail says why not."),
    410: Kind("gone", "What was here is gone", "Do not ask again; the learner was erased."),
    412: Kind("precondition-failed", "Somebody changed it meanwhile", "Read it again and send its present ETag."),
    413: Kind("too-large", "The request is too large", "Send less; the detail says how much is taken."),
    415: Kind("unsupported-media-type", "This type of content is not taken", "Send one of the types of the detail."),
    422: Kind(
        "unprocessable", "The request says something that cannot be", "Correct what `errors` or the detail names."
    ),
    429: Kind("too-many-requests", "Too many requests", "Wait as many seconds as `Retry-After` says, or use a key."),
    500: Kind("internal-error", "Something went wrong here", "It is on record; try again later."),
    503: Kind("unavailable", "The site is busy", "Try again after as many seconds as `Retry-After` says."),
}
"""Status -> its kind; the page of the API lists them."""

MEDIA_TYPE = "application/problem+json"


class Error(Schema):
    """One thing that is wrong with the request."""

    where: str = Field(description="The part of the request, such as body.decision or query.limit.")
    says: str


class Problem(Schema):
    """RFC 9457: what was wrong, and what to do."""

    type: str = Field(description="The address of this kind of problem.")
    title: str
    status: int
    detail: str
    errors: list[Error] = Field(default=[], description="What is wrong, part by part; empty if it is no single part.")


class Refusal(Exception):
    """An answer that is a problem; `headers` go with it."""

    def __init__(self, status: int, detail: str = "", **headers: str) -> None:
        self.status, self.detail, self.headers = status, detail, headers
        super().__init__(status, detail)


def problem(status: int, detail: str = "", *, errors: Sequence[dict[str, str]] = (), **headers: str) -> HttpResponse:
    """The problem as an answer; a header's name is written with _ for -."""
    kind = KINDS[status]
    body = {
        "type": f"{settings.BASE_URL}/api/v1/#{kind.name}",
        "title": kind.title,
        "status": status,
        "detail": detail or kind.advice,
        "errors": list(errors),
    }
    response = HttpResponse(json.dumps(body, ensure_ascii=False), status=status, content_type=MEDIA_TYPE)
    for name, value in headers.items():
        response.headers[name.replace("_", "-")] = value
    return response


def problem_of(exception: Exception) -> HttpResponse:
    """The problem that an exception stands for; what nobody foresaw is logged and told as 500."""
    match exception:
        case Refusal():
            return problem(exception.status, exception.detail, **exception.headers)
        case ValidationError():
            return problem(422, errors=[_error(found) for found in exception.errors])
        case Throttled():
            return problem(429)  # ninja adds Retry-After
        case HttpError() if exception.status_code == 401:
            return problem(401, WWW_Authenticate="Bearer")
        case HttpError() if exception.status_code in KINDS:
            return problem(exception.status_code)
        case BrokenInput():
            return problem(422, str(exception))
        case NotAllowed():
            return problem(409, str(exception))
        case OutsideFailure():
            return problem(503, str(exception), Retry_After="10")
        case DatabaseError() if lost_a_race(exception):
            return problem(503, BUSY, Retry_After="10")
        case Http404():
            return problem(404)
        case RequestDataTooBig():
            return problem(413)
        case SuspiciousOperation():
            return problem(400)
        case _:
            log.error("A request to the API failed", exc_info=exception)
            return problem(500)


def _error(found: dict[str, Any]) -> dict[str, str]:
    """One of pydantic's errors, without the name that ninja gives the body and without what was sent."""
    place = [str(part) for part in found["loc"] if part not in ("given",)]
    return {"where": ".".join(place), "says": str(found["msg"])}


def install(api: NinjaAPI) -> None:
    """Whatever an operation raises is answered as a problem."""

    def answer(request: HttpRequest, exception: Exception) -> HttpResponse:
        return problem_of(exception)

    for kind in (Exception, Http404, HttpError, ValidationError):
        api.add_exception_handler(kind, answer)


READ = (401, 403, 404, 405, 422, 500, 503)
"""What any read may be answered instead."""

WRITE = (400, *READ, 409, 413, 415)
"""What any POST may be answered instead."""


def documented(good: dict[int, Any], *statuses: int) -> dict[int, Any]:
    """The `response` of an operation: its good answers, and these problems."""
    return {**good, **dict.fromkeys(sorted(statuses), Problem)}
