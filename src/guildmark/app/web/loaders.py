"""Pages get their objects here and nowhere else: a loader returns what the person may act on, or there is no page.

Somebody without any role in an organisation is answered as if it were not there (404); somebody whose role does not
permit the action is told which role would (403).
"""

from __future__ import annotations

from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404
from django.utils import timezone

from guildmark.app.access import ACTIONS, permits
from guildmark.app.queries.partner import MapLine, map_of
from guildmark.app.queries.waiting import open_invitations
from guildmark.app.records import (
    ApiClient,
    ApiKey,
    Award,
    AwardList,
    BlueprintVersion,
    Enrolment,
    Invitation,
    MatchRun,
    Membership,
    Offering,
    Organisation,
    Submission,
    WebhookDelivery,
    WebhookEndpoint,
)
from guildmark.app.web.addresses import confirmed_addresses


def load_organisation(request: HttpRequest, slug: str, *actions: str) -> Organisation:
    """The organisation, if the person has a role in it that permits one of `actions` (any role, if none is named)."""
    organisation = get_object_or_404(Organisation, slug=slug)
    check(request, organisation, *actions)
    return organisation


def check(request: HttpRequest, organisation: Organisation, *actions: str) -> None:
    """Return only if the person may do one of `actions` for the organisation."""
    if not Membership.objects.filter(person=request.user, organisation=organisation).exists():
        raise Http404("There is nothing here for you.")
    if actions and not any(permits(request.user, action, organisation) for action in actions):
        roles = sorted({str(role) for action in actions for role in ACTIONS[action]})
        raise PermissionDenied(f"That needs the role {' or '.join(roles)} in {organisation}.")


def load_provider(request: HttpRequest, slug: str, *actions: str) -> Organisation:
    """As `load_organisation`; to an organisation that is no provider, a provider's pages are not there."""
    organisation = load_organisation(request, slug)
    if organisation.kind != Organisation.Kind.PROVIDER:
        raise Http404("There is nothing here for you.")
    check(request, organisation, *actions)
    return organisation


def load_version(request: HttpRequest, slug: str, id: UUID, *actions: str) -> BlueprintVersion:
    """The blueprint version of this provider."""
    provider = load_provider(request, slug, *actions)
    rows = BlueprintVersion.objects.select_related("provider", "created_by")
    return get_object_or_404(rows, pk=id, provider=provider)


def load_offering(request: HttpRequest, slug: str, id: UUID, *actions: str) -> Offering:
    """The offering of one of this provider's blueprints."""
    provider = load_provider(request, slug, *actions)
    rows = Offering.objects.select_related("blueprint_version__provider")
    return get_object_or_404(rows, pk=id, blueprint_version__provider=provider)


def load_submission(request: HttpRequest, slug: str, id: UUID, *actions: str) -> Submission:
    """The piece of work that was handed in to this provider."""
    provider = load_provider(request, slug, *actions)
    rows = Submission.objects.select_related("enrolment__learner", "enrolment__offering__blueprint_version__provider")
    return get_object_or_404(rows, pk=id, enrolment__offering__blueprint_version__provider=provider)


def load_enrolment(request: HttpRequest, slug: str, id: UUID, *actions: str) -> Enrolment:
    """The enrolment in one of this provider's offerings."""
    provider = load_provider(request, slug, *actions)
    rows = Enrolment.objects.select_related("learner", "offering__blueprint_version__provider")
    return get_object_or_404(rows, pk=id, offering__blueprint_version__provider=provider)


def load_award(request: HttpRequest, slug: str, id: UUID, *actions: str) -> Award:
    """The award that this provider issued."""
    provider = load_provider(request, slug, *actions)
    return get_object_or_404(Award.objects.select_related("issuer", "learner", "awarded_by"), pk=id, issuer=provider)


def load_award_list(request: HttpRequest, slug: str, id: UUID, *actions: str) -> AwardList:
    """The list of learners that was uploaded for one of this provider's offerings."""
    provider = load_provider(request, slug, *actions)
    rows = AwardList.objects.select_related("offering__blueprint_version__provider", "uploaded_by", "started_by")
    return get_object_or_404(rows, pk=id, offering__blueprint_version__provider=provider)


def load_own_award(request: HttpRequest, id: UUID) -> Award:
    """The credential, if it is this person's own."""
    return get_object_or_404(Award.objects.select_related("issuer", "learner"), pk=id, learner__person=request.user)


def load_own_invitation(request: HttpRequest, id: UUID) -> Invitation:
    """The invitation, if it went to an address that this person has confirmed and can still be accepted."""
    rows = open_invitations(confirmed_addresses(request.user), now=timezone.now())
    return get_object_or_404(rows, pk=id)


def load_own_enrolment(request: HttpRequest, id: UUID) -> Enrolment:
    """The enrolment, if it is this person's own."""
    rows = Enrolment.objects.select_related("learner", "offering__blueprint_version__provider")
    return get_object_or_404(rows, pk=id, learner__person=request.user)


def load_published(id: UUID) -> BlueprintVersion:
    """The published blueprint version, for anyone."""
    rows = BlueprintVersion.objects.filter(state=BlueprintVersion.State.PUBLISHED).select_related("provider")
    return get_object_or_404(rows, pk=id)


def load_partner(request: HttpRequest, slug: str, *actions: str) -> Organisation:
    """As `load_organisation`; to an organisation that is no industry partner, a partner's pages are not there."""
    organisation = load_organisation(request, slug)
    if organisation.kind != Organisation.Kind.PARTNER:
        raise Http404("There is nothing here for you.")
    check(request, organisation, *actions)
    return organisation


def load_map(request: HttpRequest, slug: str, id: UUID, *actions: str) -> tuple[Organisation, MapLine]:
    """The partner, and the map that it was asked to sign or has signed; nobody else sees the map of a draft."""
    partner = load_partner(request, slug, *actions)
    line = map_of(partner, id)
    if line is None:
        raise Http404("There is nothing here for you.")
    return partner, line


def load_ranking(request: HttpRequest, slug: str, id: UUID) -> MatchRun:
    """The ranking that this partner asked for; only those who hire see whom it ranks."""
    partner = load_partner(request, slug, "hire")
    return get_object_or_404(MatchRun.objects.select_related("ad", "by", "employer"), pk=id, employer=partner)


def load_api_key(request: HttpRequest, slug: str, id: UUID) -> ApiKey:
    """The key of the organisation, for who may manage keys."""
    organisation = load_organisation(request, slug, "manage_keys")
    return get_object_or_404(ApiKey.objects.select_related("organisation"), pk=id, organisation=organisation)


def load_api_client(request: HttpRequest, slug: str, id: UUID) -> ApiClient:
    """The OAuth client of the organisation, for who may manage keys."""
    organisation = load_organisation(request, slug, "manage_keys")
    return get_object_or_404(ApiClient.objects.select_related("organisation"), pk=id, organisation=organisation)


def load_endpoint(request: HttpRequest, slug: str, id: UUID) -> WebhookEndpoint:
    """The webhook endpoint of the organisation, for who may manage them."""
    organisation = load_organisation(request, slug, "manage_webhooks")
    rows = WebhookEndpoint.objects.select_related("organisation")
    return get_object_or_404(rows, pk=id, organisation=organisation)


def load_delivery(request: HttpRequest, slug: str, endpoint: UUID, id: UUID) -> WebhookDelivery:
    """The message to one of the organisation's webhook endpoints."""
    row = load_endpoint(request, slug, endpoint)
    return get_object_or_404(WebhookDelivery.objects.select_related("endpoint__organisation"), pk=id, endpoint=row)
