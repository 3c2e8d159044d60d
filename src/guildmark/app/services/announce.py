"""What organisations are told of by webhook: events that matter to others, written down in their own transaction.

An event that is rolled back was never written down, so nothing is sent for it. The payload holds ids and addresses
only: who may know a name or an e-mail address asks for it, and is asked who they are.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from django.conf import settings
from django.db.models import Model
from django.utils.translation import gettext_lazy as _

from guildmark.app.records import (
    Award,
    BlueprintVersion,
    Decision,
    Endorsement,
    Event,
    Organisation,
    WebhookDelivery,
    WebhookEndpoint,
)
from guildmark.app.services.follow_ups import enqueue
from guildmark.core.codecs import iso

KINDS: Mapping[str, str] = {
    "award.made": _("A credential was awarded"),
    "award.claimed": _("A learner took a credential"),
    "award.suspended": _("A credential was suspended"),
    "award.reinstated": _("A credential was reinstated"),
    "award.revoked": _("A credential was revoked"),
    "decision.passed": _("A learner passed"),
    "decision.not_passed": _("A learner did not pass"),
    "blueprint.published": _("A blueprint was published"),
    "endorsement.signed": _("A partner signed a map"),
    "endorsement.withdrawn": _("A partner withdrew its signature"),
}
"""Kind of event -> what it says. A kind never changes its meaning; new ones may come."""

TEST = "test"
"""The kind of a delivery that somebody asked for to see whether it arrives; every endpoint takes it."""

_STATES = {"suspended": "award.suspended", "valid": "award.reinstated", "revoked": "award.revoked"}


def announce(event: Event, about: Model) -> None:
    """Every endpoint that wants this event has a delivery waiting, or held while the endpoint is switched off."""
    kind = _kind(event, about)
    if kind is None:
        return
    concerned = [organisation.pk for organisation in _concerned(about)]
    endpoints = [
        endpoint
        for endpoint in WebhookEndpoint.objects.filter(organisation__in=concerned).select_related("organisation")
        if kind in endpoint.kinds
    ]
    for endpoint in endpoints:
        place_delivery(
            id=_message_id(endpoint, event),
            endpoint=endpoint,
            kind=kind,
            data=_data(about, endpoint.organisation),
            now=event.at,
        )
    if any(endpoint.disabled_at is None for endpoint in endpoints):
        enqueue("deliver_webhooks")


def listens(organisation: Organisation) -> bool:
    """Whether anybody is told of what happens to this organisation."""
    return WebhookEndpoint.objects.filter(organisation=organisation).exists()


def announce_many(told: Iterable[tuple[Event, Model]], *, organisation: Organisation) -> None:
    """As `announce` for each event and what it is about, where all of them concern this one organisation alone."""
    endpoints = list(WebhookEndpoint.objects.filter(organisation=organisation).select_related("organisation"))
    deliveries = []
    for event, about in told:
        kind = _kind(event, about)
        for endpoint in endpoints:
            if kind is not None and kind in endpoint.kinds:
                data = _data(about, endpoint.organisation)
                id = _message_id(endpoint, event)
                deliveries.append(_delivery(id=id, endpoint=endpoint, kind=kind, data=data, now=event.at))
    WebhookDelivery.objects.bulk_create(deliveries, batch_size=500)
    if any(delivery.endpoint.disabled_at is None for delivery in deliveries):
        enqueue("deliver_webhooks")


def _message_id(endpoint: WebhookEndpoint, event: Event) -> UUID:
    """The same event is the same message for an endpoint, whatever becomes of the process that says so."""
    return uuid5(endpoint.pk, f"{event.pk} {event.at.isoformat()} {event.verb} {event.subject}")


def place_delivery(
    *, id: UUID, endpoint: WebhookEndpoint, kind: str, data: Mapping[str, Any], now: datetime
) -> WebhookDelivery:
    """The message lies ready under its `webhook-id`, its bytes fixed; whoever calls this enqueues the sending."""
    delivery = _delivery(id=id, endpoint=endpoint, kind=kind, data=data, now=now)
    delivery.save(force_insert=True)
    return delivery


def _delivery(
    *, id: UUID, endpoint: WebhookEndpoint, kind: str, data: Mapping[str, Any], now: datetime
) -> WebhookDelivery:
    payload = {"type": kind, "timestamp": iso(now), "data": data}
    held = endpoint.disabled_at is not None
    return WebhookDelivery(
        id=id,
        endpoint=endpoint,
        kind=kind,
        payload=json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode(),
        state=WebhookDelivery.State.HELD if held else WebhookDelivery.State.WAITING,
        next_attempt_at=None if held else now,
        created_at=now,
    )


def _kind(event: Event, about: Model) -> str | None:
    match event.verb, about:
        case "award_credential" | "claim_stack", Award():
            return "award.made"
        case "claim_award", Award():
            return "award.claimed"
        case "change_status", Award():
            return _STATES[event.facts["state"]]
        case "record_result", Decision():
            return "decision.passed" if about.passed else "decision.not_passed"
        case "publish_blueprint", BlueprintVersion():
            return "blueprint.published"
        case "endorse", Endorsement():
            return "endorsement.signed"
        case "withdraw_endorsement", Endorsement():
            return "endorsement.withdrawn"
    return None


def _concerned(about: Model) -> list[Organisation]:
    """Whose event it is: who issued, who teaches, and for a signature both who gave it and who has it."""
    match about:
        case Award():
            return [about.issuer]
        case Decision():
            return [about.enrolment.offering.blueprint_version.provider]
        case BlueprintVersion():
            return [about.provider]
        case Endorsement():
            return [about.partner, about.blueprint_version.provider]
    raise TypeError(f"no organisation is told of a {type(about).__name__}")


def _data(about: Model, organisation: Organisation) -> dict[str, Any]:
    """Ids and addresses, no name, no e-mail address, no id of a learner."""
    room = f"{settings.BASE_URL}/o/{organisation.slug}"
    match about:
        case Award():
            of = about.decision.enrolment.offering.blueprint_version if about.decision is not None else None
            return {
                "award": str(about.pk),
                "credential": about.credential_id,
                "kind": about.kind,
                "blueprint": _blueprint(of) if of is not None else None,
                "decision": str(about.decision_id) if about.decision_id else None,
                "issuer": about.issuer.did,
                "url": f"{room}/awards/{about.pk}",
            }
        case Decision():
            enrolment = about.enrolment
            return {
                "decision": str(about.pk),
                "enrolment": str(enrolment.pk),
                "offering": str(enrolment.offering_id),
                "blueprint": _blueprint(enrolment.offering.blueprint_version),
                "url": f"{room}/decisions/{enrolment.pk}",
            }
        case BlueprintVersion():
            return {"blueprint": _blueprint(about), "url": f"{room}/blueprints/{about.pk}"}
        case Endorsement():
            version = about.blueprint_version
            own = about.partner_id == organisation.pk
            return {
                "endorsement": about.credential_id,
                "partner": about.partner.did,
                "blueprint": _blueprint(version),
                "url": f"{room}/maps/{version.pk}" if own else f"{room}/blueprints/{version.pk}",
            }
    raise TypeError(f"nothing is told of a {type(about).__name__}")


def _blueprint(version: BlueprintVersion) -> dict[str, Any]:
    short = version.blueprint_id.removeprefix("urn:uuid:")
    return {
        "id": str(version.pk),
        "urn": version.blueprint_id,
        "version": version.version,
        "achievement": f"{settings.BASE_URL}/achievements/{short}/{version.version}",
    }
