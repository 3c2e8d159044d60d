"""Endpoints of the kind of the W3C's VC-API, at which its test suites can be pointed (docs/api.md).

`/credentials/verify` and `/presentations/verify` answer anybody: 200 and `verified: true`, or 400 and what was wrong,
as problem details (VC Data Model 2.0, 7.2). What cannot be told is not verified. `/credentials/issue` is not there
unless the site is a test server.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.request import UnreadablePostError
from django.utils import timezone

from guildmark.app.access import audience
from guildmark.app.api.callers import Needs, StrangersBound
from guildmark.app.api.problems import Refusal, log
from guildmark.app.doors import network
from guildmark.app.queries.published import PublishedFetcher
from guildmark.app.services.vc_issuer import sign_anything, sign_for_organisation, suite_contexts, suite_signer
from guildmark.app.services.verbs import lost_a_race
from guildmark.core.codecs import parse_iso, parse_json
from guildmark.core.errors import BrokenInput, NotAllowed, OutsideFailure
from guildmark.core.report import Finding, Report, Verdict
from guildmark.credential.did import did_of
from guildmark.credential.envelope import is_token
from guildmark.credential.presentation import verify_presentation
from guildmark.credential.signed import issuer_id
from guildmark.credential.verify import LARGEST, verify_credential

View = Callable[[HttpRequest, Mapping[str, Any]], HttpResponse]

KINDS = ("application/json", "application/ld+json", "application/vc+ld+json", "application/vc", "application/vp")

SCOPE = "credentials:issue"

_VCDM = "https://www.w3.org/TR/vc-data-model#"
_SECURITY = "https://w3id.org/security#"
_STATUS = "https://www.w3.org/ns/credentials/status-list#"

PARSING, CRYPTOGRAPHIC, MALFORMED, RANGE = (
    (f"{_VCDM}PARSING_ERROR", "It cannot be read"),
    (f"{_VCDM}CRYPTOGRAPHIC_SECURITY_ERROR", "It is not secured by whom it names"),
    (f"{_VCDM}MALFORMED_VALUE_ERROR", "It has a value that is not as the standard asks"),
    (f"{_VCDM}RANGE_ERROR", "It has a value out of range"),
)
"""The kinds of problem of VC Data Model 2.0, section 7.2, each with its title."""

_KINDS: tuple[tuple[str, tuple[str, str]], ...] = (
    ("document.readable", PARSING),
    ("document.form", PARSING),
    ("document.lossless", CRYPTOGRAPHIC),
    ("document.", MALFORMED),
    ("proof.challenge", (f"{_SECURITY}INVALID_CHALLENGE_ERROR", "It answers another challenge")),
    ("proof.domain", (f"{_SECURITY}INVALID_DOMAIN_ERROR", "It was made for another domain")),
    ("proof.", CRYPTOGRAPHIC),
    ("validity.", RANGE),
    ("status.", (f"{_STATUS}STATUS_VERIFICATION_ERROR", "Its status does not permit to rely on it")),
    ("schema", MALFORMED),
    ("", CRYPTOGRAPHIC),
)
"""How the name of a finding begins -> the kind of problem that it is; the first that fits."""

_SIGNING = {"type", "cryptosuite", "created", "expires", "challenge", "domain", "proofPurpose", "previousProof"}
"""Options of signing; another would be one that is not heeded."""


# --- Answers ---


def _problem(kind: tuple[str, str], detail: str, **more: Any) -> dict[str, Any]:
    return {"type": kind[0], "title": kind[1], "detail": detail, **more}


def _refused(status: int, *problems: dict[str, Any], **headers: str) -> HttpResponse:
    body = {"problemDetails": list(problems)}
    return JsonResponse(body, status=status, headers=headers, json_dumps_params={"ensure_ascii": False})


def _unverified(*problems: dict[str, Any]) -> HttpResponse:
    body = {"verified": False, "problemDetails": list(problems)}
    return JsonResponse(body, status=400, json_dumps_params={"ensure_ascii": False})


def problems_of(report: Report) -> list[dict[str, Any]]:
    """What failed and what could not be told, as problem details; those of credentials in a presentation too."""
    return [
        _problem(_kind(finding.id), finding.says, finding=finding.id, verdict=finding.verdict.value)
        for finding in _bad(report.findings)
    ]


def _bad(findings: tuple[Finding, ...]) -> Iterator[Finding]:
    for finding in findings:
        if finding.verdict is Verdict.FAIL or (finding.verdict is Verdict.UNKNOWN and finding.required):
            yield finding


def _kind(id: str) -> tuple[str, str]:
    return next(kind for begins, kind in _KINDS if id.startswith(begins))


def _told(report: Report) -> HttpResponse:
    """200 if it is verified, 400 if not; the whole report stands beside."""
    if report.verdict is not Verdict.PASS:
        problems = problems_of(report) or [_problem(CRYPTOGRAPHIC, "Nothing about it could be told.")]
        return _unverified(*problems)
    body = {"verified": True, "problemDetails": [], "report": report.to_json()}
    return JsonResponse(body, json_dumps_params={"ensure_ascii": False})


# --- Around each ---


def _endpoint(view: View) -> Callable[[HttpRequest], HttpResponse]:
    """The view gets the JSON object that was posted; whatever goes wrong is told in problem details."""

    def whole(request: HttpRequest) -> HttpResponse:
        if request.method != "POST":
            return _refused(405, _problem(PARSING, "This address takes POST."), Allow="POST")
        try:
            return view(request, _body(request))
        except Refusal as problem:
            headers = {name.replace("_", "-"): value for name, value in problem.headers.items()}
            return _refused(problem.status, _problem(PARSING, problem.detail or "Refused."), **headers)
        except BrokenInput as problem:
            return _refused(400, _problem(MALFORMED, str(problem)))
        except NotAllowed as problem:
            return _refused(403, _problem(MALFORMED, str(problem)))
        except RequestDataTooBig:
            return _refused(413, _problem(PARSING, "The request is too large."))
        except (SuspiciousOperation, UnreadablePostError):
            return _refused(400, _problem(PARSING, "The request cannot be read."))
        except (OutsideFailure, DatabaseError) as problem:
            if isinstance(problem, DatabaseError) and not lost_a_race(problem):
                return _unforeseen(problem)
            return _refused(503, _problem(PARSING, "Try again in a moment."), **{"Retry-After": "10"})
        except Exception as problem:  # told, and logged since nobody foresaw it
            return _unforeseen(problem)

    whole.csrf_exempt = True  # cookies are not looked at
    whole.private = True
    return whole


def _unforeseen(problem: Exception) -> HttpResponse:
    log.error("A request to the VC-API failed", exc_info=problem)
    return _refused(500, _problem(PARSING, "Something went wrong here; it is on record."))


def _body(request: HttpRequest) -> Mapping[str, Any]:
    if request.content_type.lower() not in KINDS:
        raise Refusal(415, f"Send {KINDS[0]}.")
    length = str(request.META.get("CONTENT_LENGTH") or "0")
    if length.isascii() and length.isdigit() and int(length) > LARGEST:
        raise Refusal(413, f"At most {LARGEST:,} bytes are taken here.")
    try:
        value = parse_json(request.body.decode("utf-8"), where="request")
    except (BrokenInput, UnicodeDecodeError) as problem:
        raise Refusal(400, "The request is not JSON in UTF-8, or has a name twice in one object.") from problem
    if not isinstance(value, Mapping):
        raise Refusal(400, "The request is not a JSON object.")
    return value


def _bounded(request: HttpRequest) -> None:
    """Strangers may ask as often as at /api/v1/verify; a test server is asked as often as its suite likes."""
    if settings.VC_API:
        return
    bound = StrangersBound()
    if not bound.allow_request(request):
        raise Refusal(429, "Too many requests; wait, or use a key.", Retry_After=str(int(bound.wait() or 60) + 1))


def _options(given: Mapping[str, Any]) -> Mapping[str, Any]:
    options = given.get("options")
    if options is None:
        return {}
    if not isinstance(options, Mapping):
        raise BrokenInput("is not an object", where="options")
    return options


def _text(options: Mapping[str, Any], name: str) -> str | None:
    value = options.get(name)
    if value is not None and (not isinstance(value, str) or not value):
        raise BrokenInput("is not a text", where=f"options.{name}")
    return value


def _texts(options: Mapping[str, Any], name: str) -> list[str]:
    value = options.get(name)
    texts = value if isinstance(value, list) else [] if value is None else [value]
    if not all(isinstance(text, str) and text for text in texts):
        raise BrokenInput("is not a text, nor a list of such", where=f"options.{name}")
    return texts


# --- Verifying ---


def _verify(request: HttpRequest, given: Mapping[str, Any]) -> HttpResponse:
    """Whether `verifiableCredential` holds: an object, or a token. Every question is asked, whatever `checks` says."""
    _bounded(request)
    _options(given)
    document = _document(given.get("verifiableCredential"), "verifiableCredential")
    fetcher = PublishedFetcher(network())
    try:
        report = verify_credential(document, now=timezone.now(), fetcher=fetcher, any_kind=True, sets=suite_contexts())
    except BrokenInput as problem:
        return _unverified(_problem(PARSING, str(problem)))
    return _told(report)


def _verify_presented(request: HttpRequest, given: Mapping[str, Any]) -> HttpResponse:
    """Whether `verifiablePresentation` holds, and answers the `challenge` and `domain` of the options."""
    _bounded(request)
    options = _options(given)
    challenge, domains = _text(options, "challenge"), _texts(options, "domain")
    document = _document(given.get("verifiablePresentation"), "verifiablePresentation")
    try:
        report = verify_presentation(
            document,
            now=timezone.now(),
            fetcher=PublishedFetcher(network()),
            challenge=challenge,
            domain=domains or None,
            any_kind=True,
            sets=suite_contexts(),
        )
    except BrokenInput as problem:
        return _unverified(_problem(PARSING, str(problem)))
    return _told(report)


def _document(value: Any, where: str) -> bytes:
    if isinstance(value, str) and is_token(value.encode("utf-8", "replace")):
        return value.encode()
    if not isinstance(value, Mapping):
        raise BrokenInput("is missing, or neither an object nor a token", where=where)
    return json.dumps(value).encode()


# --- Issuing ---


def _issue(request: HttpRequest, given: Mapping[str, Any]) -> HttpResponse:
    """`credential`, signed: by the organisation of the key that was shown, or by the test issuer for nobody's key.

    The answer is the signed credential itself, which is what the W3C's suites read.
    """
    if not settings.VC_API:
        raise Refusal(404, "No credential is issued at this address.")
    document = given.get("credential")
    if not isinstance(document, Mapping):
        raise BrokenInput("is missing, or not an object", where="credential")
    how, now = _how(_options(given)), timezone.now()
    if "Authorization" in request.headers:
        caller = Needs(SCOPE)(request)
        if caller is None:
            raise Refusal(401, "The key is unknown, has ended or was revoked.", WWW_Authenticate="Bearer")
        signed = sign_for_organisation(
            document=document,
            organisation=caller.organisation,
            actor=caller.actor,
            caller=caller.id,
            now=now,
            **how,
        )
    else:
        signer = suite_signer(_algorithm(document, how.get("cryptosuite", "")))
        signed = sign_anything(document, signer, issuer=did_of(signer.key_id), now=now, **how)
    return JsonResponse(signed, status=201, json_dumps_params={"ensure_ascii": False})


def _algorithm(document: Mapping[str, Any], cryptosuite: str) -> str:
    """The kind of key: that of the test issuer whom the credential names, or one that the suite takes."""
    for algorithm in ("P-256", "P-384"):
        if issuer_id(document) == did_of(suite_signer(algorithm).key_id):
            return algorithm
    return "P-256" if cryptosuite.startswith("ecdsa-") else "Ed25519"


def _how(options: Mapping[str, Any]) -> dict[str, Any]:
    unknown = sorted(set(options) - _SIGNING)
    if unknown:
        raise BrokenInput(f"has {unknown[0][:60]!r}, which is not heeded here", where="options")
    if _text(options, "type") not in (None, "DataIntegrityProof"):
        raise BrokenInput("is not DataIntegrityProof", where="options.type")
    if _text(options, "proofPurpose") not in (None, "assertionMethod"):
        raise BrokenInput("is not assertionMethod", where="options.proofPurpose")
    domains = _texts(options, "domain")
    how: dict[str, Any] = {
        "cryptosuite": _text(options, "cryptosuite"),
        "created": _moment(options, "created"),
        "expires": _moment(options, "expires"),
        "challenge": _text(options, "challenge"),
        "domain": domains[0] if len(domains) == 1 else domains,
        "previous": _texts(options, "previousProof"),
    }
    return {name: value for name, value in how.items() if value}


def _moment(options: Mapping[str, Any], name: str) -> datetime | None:
    text = _text(options, name)
    return None if text is None else parse_iso(text, where=f"options.{name}")


verify = audience("public")(_endpoint(_verify))
verify_presented = audience("public")(_endpoint(_verify_presented))
issue = audience("program")(_endpoint(_issue))
