"""One function for each operation. Objects come from the caller's own organisation; what others own is not there."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from typing import Annotated, Any, Literal, TypeVar
from uuid import UUID, uuid4

from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Header, Query, Router, Schema

from guildmark.app.api.callers import Needs, StrangersBound
from guildmark.app.api.pages import Cursor, Limit, page_of
from guildmark.app.api.problems import READ, WRITE, Refusal, documented
from guildmark.app.api.shapes import (
    AwardIn,
    AwardOut,
    AwardPage,
    BlueprintLine,
    BlueprintOut,
    BlueprintPage,
    CallerOut,
    CandidateOut,
    ClaimOut,
    DecisionOut,
    DecisionPage,
    MatchLine,
    MatchOut,
    MatchPage,
    ProgressOut,
    ReportOut,
    StackLine,
    StackOut,
    StackPage,
    State,
    StatusIn,
    StatusOut,
)
from guildmark.app.doors import network
from guildmark.app.queries.partner import candidates_of
from guildmark.app.queries.pathways import holdings_of
from guildmark.app.queries.published import PublishedFetcher
from guildmark.app.records import Award, BlueprintVersion, Decision, Learner, MatchRun, StackRule
from guildmark.app.services.api_keys import Caller
from guildmark.app.services.awards import award_credential, change_status
from guildmark.app.services.envelopes import PARTS, in_envelope
from guildmark.app.services.events import note_event
from guildmark.app.services.requests import Answer, answer_once
from guildmark.app.services.verbs import hold
from guildmark.credential.jose import VC_JWT
from guildmark.credential.verify import verify_credential
from guildmark.pathways.stack import solve_stack
from guildmark.pathways.stack_rule import read_stack_rule

M = TypeVar("M", bound=Model)

router = Router()

CREDENTIAL = "application/vc+ld+json"
TOKENS = ("application/vc+jwt", "application/jwt", "application/dc+sd-jwt", "application/vc+sd-jwt")
CREDENTIALS = ("application/json", CREDENTIAL, "application/ld+json", "image/png", "image/svg+xml", *TOKENS)
"""What `verify` takes: a credential as JSON or as a token, or a badge image that carries one."""

IdempotencyKey = Annotated[
    str | None,
    Header(
        None,
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        pattern=r"^[!-~]+$",
        description="Chosen by you, a UUID for example: the same request with the same key does nothing twice.",
    ),
]
IfMatch = Annotated[
    str | None,
    Header(
        None,
        alias="If-Match",
        max_length=400,
        description="The ETag of the status that you read: refused (412) if somebody has changed it since.",
    ),
]


def told(shape: Schema, status: int = 200) -> HttpResponse:
    """The shape as an answer."""
    return HttpResponse(body_of(shape), status=status, content_type="application/json")


def body_of(shape: Schema) -> bytes:
    """The bytes of an answer; a shape gives the same bytes wherever it is told, so that its ETag is the same."""
    return shape.model_dump_json().encode()


def etag_of(body: bytes) -> str:
    """The strong ETag of an answer."""
    return f'"{hashlib.sha256(body).hexdigest()[:40]}"'


def one(rows: QuerySet[M], id: Any) -> M:
    """The row, or the same 404 for one that is not there and one that somebody else owns."""
    row = rows.filter(pk=id).first()
    if row is None:
        raise Refusal(404)
    return row


def once(request: HttpRequest, key: str | None, act: Callable[[], Answer]) -> HttpResponse:
    """The answer of `act`, or the one that this request had before under the same key."""
    asked = f"{request.method} {request.path}\n".encode() + request.body
    given = answer_once(
        caller=request.auth,
        key=key,
        request_sha256=hashlib.sha256(asked).hexdigest(),
        act=act,
        now=timezone.now(),
    )
    response = HttpResponse(given.body, status=given.status, content_type="application/json")
    response.headers["ETag"] = given.etag
    if given.location:
        response.headers["Location"] = given.location
    return response


def _acted(caller: Caller, award: Award, verb: str) -> None:
    """On record beside what the verb noted: with which key or client its maker acted."""
    note_event(
        verb=verb,
        subject=award.credential_id,
        organisation=caller.organisation,
        actor=caller.actor,
        now=timezone.now(),
        caller=caller.id,
    )


# --- The caller ---


@router.get("/me", auth=Needs(None), response=documented({200: CallerOut}, *READ), tags=["caller"])
def who_am_i(request: HttpRequest):
    """For which organisation this key acts, and which scopes it has now."""
    return told(CallerOut.of(request.auth))


# --- Blueprints ---


def _blueprints(caller: Caller) -> QuerySet[BlueprintVersion]:
    return BlueprintVersion.objects.filter(provider=caller.organisation)


@router.get(
    "/blueprints",
    auth=Needs("blueprints:read"),
    response=documented({200: BlueprintPage}, *READ),
    tags=["blueprints"],
)
def list_blueprints(
    request: HttpRequest,
    limit: Limit,
    cursor: Cursor,
    state: Annotated[str | None, Query(None, pattern="^(draft|published|withdrawn)$")],
):
    """Every version of the organisation's blueprints, the oldest first."""
    rows = _blueprints(request.auth).defer("document")
    if state:
        rows = rows.filter(state=state)
    items, after = page_of(rows, by="created_at", cursor=cursor, limit=limit, shape=BlueprintLine.of)
    return told(BlueprintPage(items=items, next=after))


@router.get(
    "/blueprints/{uuid:id}",
    auth=Needs("blueprints:read"),
    response=documented({200: BlueprintOut}, *READ),
    tags=["blueprints"],
)
def read_blueprint(request: HttpRequest, id: UUID):
    """One version of a blueprint, with its content."""
    row = one(_blueprints(request.auth), id)
    return told(BlueprintOut.of(row, document=row.document))


# --- Decisions and awards ---


def _decisions(caller: Caller) -> QuerySet[Decision]:
    return Decision.objects.filter(enrolment__offering__blueprint_version__provider=caller.organisation).select_related(
        "enrolment__learner", "enrolment__offering", "award"
    )


def _awards(caller: Caller) -> QuerySet[Award]:
    return (
        Award.objects.filter(issuer=caller.organisation)
        .select_related("learner", "decision__enrolment__offering")
        .defer("document", "receipt", "nonce", "salt")
    )


@router.get("/decisions", auth=Needs("awards:read"), response=documented({200: DecisionPage}, *READ), tags=["awards"])
def list_decisions(
    request: HttpRequest,
    limit: Limit,
    cursor: Cursor,
    passed: bool | None = None,
    awarded: bool | None = None,
):
    """What was decided about learners, the oldest first.

    `passed=true&awarded=false` are those that wait for an award.
    """
    rows = _decisions(request.auth)
    if passed is not None:
        rows = rows.filter(passed=passed)
    if awarded is not None:
        rows = rows.filter(award__isnull=not awarded)
    items, after = page_of(rows, by="decided_at", cursor=cursor, limit=limit, shape=DecisionOut.of)
    return told(DecisionPage(items=items, next=after))


@router.get("/awards", auth=Needs("awards:read"), response=documented({200: AwardPage}, *READ), tags=["awards"])
def list_awards(
    request: HttpRequest,
    limit: Limit,
    cursor: Cursor,
    state: State | None = None,
    claimed: bool | None = None,
    blueprint: Annotated[UUID | None, Query(None, description="The id of a blueprint version.")] = None,
    learner: UUID | None = None,
):
    """The organisation's awards, the oldest first; each filter narrows them."""
    rows = _awards(request.auth)
    wanted = Q()
    if state is not None:
        wanted &= Q(state=state)
    if claimed is not None:
        wanted &= Q(claimed_at__isnull=not claimed)
    if blueprint is not None:
        wanted &= Q(decision__enrolment__offering__blueprint_version=blueprint)
    if learner is not None:
        wanted &= Q(learner=learner)
    items, after = page_of(rows.filter(wanted), by="issued_at", cursor=cursor, limit=limit, shape=AwardOut.of)
    return told(AwardPage(items=items, next=after))


@router.post("/awards", auth=Needs("awards:write"), response=documented({201: AwardOut}, *WRITE), tags=["awards"])
def create_award(request: HttpRequest, given: AwardIn, idempotency_key: IdempotencyKey):
    """A passed decision gets its award: the credential is signed, logged, and on its way to the learner by e-mail.

    409 if the decision is not a pass, or has its award already.
    """
    caller: Caller = request.auth
    decision, id, now = one(_decisions(caller), given.decision), uuid4(), timezone.now()

    def act() -> Answer:
        award, _ = award_credential(id=id, decision=decision, entropy=secrets.token_bytes, actor=caller.actor, now=now)
        _acted(caller, award, "award_by_program")
        body = body_of(AwardOut.of(one(_awards(caller), award.pk)))
        return Answer(201, body, etag_of(body), f"/api/v1/awards/{award.pk}", award.learner_id)

    return once(request, idempotency_key, act)


@router.get(
    "/awards/{uuid:id}", auth=Needs("awards:read"), response=documented({200: AwardOut}, *READ), tags=["awards"]
)
def read_award(request: HttpRequest, id: UUID):
    """One award."""
    return told(AwardOut.of(one(_awards(request.auth), id)))


@router.get(
    "/awards/{uuid:id}/credential",
    auth=Needs("awards:read"),
    response=documented({200: dict[str, Any]}, *READ, 410),
    tags=["awards"],
)
def read_credential(request: HttpRequest, id: UUID):
    """The signed credential, byte for byte as it was signed."""
    document = one(Award.objects.filter(issuer=request.auth.organisation).only("document"), id).document
    if not document:
        raise Refusal(410, "The learner of this award was erased, and the credential with them.")
    return HttpResponse(bytes(document), content_type=CREDENTIAL)


@router.get(
    "/awards/{uuid:id}/token",
    auth=Needs("awards:read"),
    response=documented({200: str}, *READ, 409, 410),
    tags=["awards"],
)
def read_token(
    request: HttpRequest,
    id: UUID,
    form: Annotated[
        Literal["vc-jwt", "sd-jwt-vc"],
        Query(VC_JWT, description="`vc-jwt` shows everything; of `sd-jwt-vc` parts can be kept back."),
    ],
    show: Annotated[
        list[Literal["name", "email", "results"]],
        Query([], description="What an `sd-jwt-vc` shows; everything, if nothing is said.", max_length=3),
    ],
):
    """The same credential as a token, signed for this answer by the organisation's key and kept nowhere.

    An `sd-jwt-vc` is another text each time. 409 for an award that is suspended or revoked, and for a larger
    credential of which parts should be kept back.
    """
    row = one(Award.objects.filter(issuer=request.auth.organisation).select_related("issuer"), id)
    if not row.document:
        raise Refusal(410, "The learner of this award was erased, and the credential with them.")
    made = in_envelope(row, form, show=show or PARTS, entropy=secrets.token_bytes, now=timezone.now())
    return HttpResponse(made.text, content_type=made.media_type)


@router.get(
    "/awards/{uuid:id}/status",
    auth=Needs("awards:read"),
    response=documented({200: StatusOut}, *READ),
    tags=["status"],
)
def read_status(request: HttpRequest, id: UUID):
    """Whether the award holds, and every change with its reason."""
    return told(StatusOut.of(one(_awards(request.auth), id)))


@router.post(
    "/awards/{uuid:id}/status",
    auth=Needs("status:write"),
    response=documented({200: StatusOut}, *WRITE, 412),
    tags=["status"],
)
def change_award_status(
    request: HttpRequest, id: UUID, given: StatusIn, idempotency_key: IdempotencyKey, if_match: IfMatch
):
    """The award is suspended, reinstated or revoked; the status list is published anew and the learner is told.

    409 if it cannot become that from what it is: what is revoked stays revoked.
    """
    caller: Caller = request.auth
    award, now = one(_awards(caller), id), timezone.now()

    def act() -> Answer:
        hold(award.learner)  # in the order of services.verbs: the learner before the award
        row = hold(award)
        if if_match is not None and not _matches(if_match, etag_of(body_of(StatusOut.of(row)))):
            raise Refusal(412)
        row, _ = change_status(
            award=row,
            state=given.state,
            code=given.code,
            note=given.note,
            entropy=secrets.token_bytes,
            actor=caller.actor,
            now=now,
        )
        _acted(caller, row, "change_status_by_program")
        body = body_of(StatusOut.of(row))
        return Answer(200, body, etag_of(body), learner=row.learner_id)

    return once(request, idempotency_key, act)


def _matches(header: str, etag: str) -> bool:
    """Whether If-Match names this ETag; a weak one never does (RFC 9110 section 13.1.1)."""
    return header.strip() == "*" or etag in [part.strip() for part in header.split(",")]


# --- Verifying ---


@router.post(
    "/verify",
    throttle=StrangersBound(),
    response=documented({200: ReportOut}, *(s for s in WRITE if s not in (403, 404, 409)), 429),
    tags=["verify"],
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": {"$ref": "#/components/schemas/Credential"}},
                **{kind: {"schema": {"type": "string", "format": "binary"}} for kind in CREDENTIALS[3:]},
            },
        }
    },
)
def verify(request: HttpRequest):
    """Whether a credential holds: its JSON, a token (JWT, SD-JWT), or a badge image that carries it. Nothing of it is
    kept.

    `application/vc+ld+json` and `application/ld+json` are taken as `application/json` is.

    Anyone may ask, thirty times a minute from one address; a key with the scope `verify` is not bound. That a
    credential does not hold is an answer (200, verdict `fail`); 422 is for what cannot be read as one.
    """
    report = verify_credential(request.body, now=timezone.now(), fetcher=PublishedFetcher(network()))
    return told(ReportOut(**report.to_json()))


# --- Stacks ---


def _stacks(caller: Caller) -> QuerySet[StackRule]:
    return StackRule.objects.filter(owner=caller.organisation)


@router.get("/stacks", auth=Needs("stacks:read"), response=documented({200: StackPage}, *READ), tags=["stacks"])
def list_stacks(request: HttpRequest, limit: Limit, cursor: Cursor):
    """The rules of larger credentials that the organisation has declared, by id."""
    rows = _stacks(request.auth).defer("text")
    items, after = page_of(rows, by=None, cursor=cursor, limit=limit, shape=StackLine.of)
    return told(StackPage(items=items, next=after))


@router.get("/stacks/{id}", auth=Needs("stacks:read"), response=documented({200: StackOut}, *READ), tags=["stacks"])
def read_stack(request: HttpRequest, id: str):
    """One rule, as its owner wrote it."""
    row = one(_stacks(request.auth), id)
    return told(StackOut.of(row, text=row.text))


@router.get(
    "/stacks/{id}/learners/{uuid:learner}",
    auth=Needs("stacks:read"),
    response=documented({200: ProgressOut}, *READ),
    tags=["stacks"],
)
def read_progress(request: HttpRequest, id: str, learner: UUID):
    """How far a learner of the organisation is towards a larger credential.

    What counts is what this organisation awarded, each credential verified now; what others awarded to the learner is
    the learner's to show.
    """
    caller: Caller = request.auth
    row = one(_stacks(caller), id)
    mine = Q(awards__issuer=caller.organisation) | Q(
        enrolments__offering__blueprint_version__provider=caller.organisation
    )
    who = one(Learner.objects.filter(mine, erased_at=None).distinct(), learner)
    now = timezone.now()
    held = [h for h in holdings_of(who, on=now.date(), now=now) if h.issuer_id == caller.organisation.did]
    result = solve_stack(read_stack_rule(row.text, where=row.id), held, on=now.date()).to_json()
    claim = row.claims.filter(learner=who).first()
    return told(
        ProgressOut(
            rule=row.id,
            version=row.version,
            learner=who.id,
            on=result["on"],
            earned=result["earned"],
            placement=result["placement"],
            gaps=result["gaps"],
            report=result["report"],
            claim=ClaimOut.of(claim) if claim else None,
        )
    )


# --- Matches ---


def _matches_of(caller: Caller) -> QuerySet[MatchRun]:
    return MatchRun.objects.filter(employer=caller.organisation).select_related("ad")


@router.get("/matches", auth=Needs("matches:read"), response=documented({200: MatchPage}, *READ), tags=["matches"])
def list_matches(request: HttpRequest, limit: Limit, cursor: Cursor):
    """The rankings that the organisation ran, the oldest first."""
    items, after = page_of(_matches_of(request.auth), by="at", cursor=cursor, limit=limit, shape=MatchLine.of)
    return told(MatchPage(items=items, next=after))


@router.get(
    "/matches/{uuid:id}", auth=Needs("matches:read"), response=documented({200: MatchOut}, *READ), tags=["matches"]
)
def read_match(request: HttpRequest, id: UUID):
    """One ranking with its reasons, as the people in it permit now. It decides nothing: people do, on the pages."""
    row = one(_matches_of(request.auth), id)
    return told(MatchOut.of(row, candidates=[CandidateOut.of(c) for c in candidates_of(row)]))
