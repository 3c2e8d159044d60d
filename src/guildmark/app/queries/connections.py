"""The programs of an organisation: keys and clients that act for it, endpoints that are told."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Case, CharField, Count, Exists, F, OuterRef, Q, QuerySet, Subquery, Value, When

from guildmark.app.records import (
    ApiClient,
    ApiKey,
    Membership,
    Organisation,
    WebhookDelivery,
    WebhookEndpoint,
)


def keys_of(organisation: Organisation, *, now: datetime) -> QuerySet[ApiKey]:
    """Each key with `standing`: works, orphaned (its maker administers no more), ended or revoked; live ones first."""
    rows = ApiKey.objects.filter(organisation=organisation).select_related("created_by")
    return rows.annotate(standing=_standing(When(expires_at__lte=now, then=Value("ended")))).order_by(
        F("revoked_at").asc(nulls_first=True), "-expires_at", "id"
    )


def clients_of(organisation: Organisation) -> QuerySet[ApiClient]:
    """Each OAuth client with `standing`, as keys; those that are not revoked first."""
    rows = ApiClient.objects.filter(organisation=organisation).select_related("created_by")
    return rows.annotate(standing=_standing()).order_by(F("revoked_at").asc(nulls_first=True), "-created_at", "id")


def _standing(*more: When) -> Case:
    administers = Membership.objects.filter(
        person=OuterRef("created_by"),
        person__is_active=True,
        organisation=OuterRef("organisation"),
        role=Membership.Role.ADMIN,
    )
    return Case(
        When(revoked_at__isnull=False, then=Value("revoked")),
        *more,
        When(~Exists(administers), then=Value("orphaned")),
        default=Value("works"),
        output_field=CharField(),
    )


def endpoints_of(organisation: Organisation) -> QuerySet[WebhookEndpoint]:
    """Each webhook endpoint with its last delivery that was tried, and how many wait, are held or failed."""
    tried = WebhookDelivery.objects.filter(endpoint=OuterRef("pk"), last_attempt_at__isnull=False)
    last = tried.order_by("-last_attempt_at", "-id")
    return (
        WebhookEndpoint.objects.filter(organisation=organisation)
        .annotate(
            last_kind=Subquery(last.values("kind")[:1]),
            last_state=Subquery(last.values("state")[:1]),
            last_at=Subquery(last.values("last_attempt_at")[:1]),
            waiting=Count("deliveries", filter=Q(deliveries__state=WebhookDelivery.State.WAITING)),
            held=Count("deliveries", filter=Q(deliveries__state=WebhookDelivery.State.HELD)),
            failed=Count("deliveries", filter=Q(deliveries__state=WebhookDelivery.State.FAILED)),
        )
        .order_by("created_at", "id")
    )


def deliveries_of(endpoint: WebhookEndpoint) -> QuerySet[WebhookDelivery]:
    """What was sent and what waits, newest first."""
    return WebhookDelivery.objects.filter(endpoint=endpoint).order_by("-created_at", "-id")


def kept_since(endpoint: WebhookEndpoint, *, now: datetime) -> dict[int, int]:
    """Hours -> how many deliveries of the last so many hours are still kept; for the choice of what to send again."""
    spans = (1, 24, 7 * 24, 30 * 24)
    counts = WebhookDelivery.objects.filter(endpoint=endpoint).aggregate(
        **{f"h{hours}": Count("pk", filter=Q(created_at__gte=now - timedelta(hours=hours))) for hours in spans}
    )
    return {hours: counts[f"h{hours}"] for hours in spans}
