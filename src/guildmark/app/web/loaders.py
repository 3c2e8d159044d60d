"""Pages get their objects here and nowhere else: a loader returns what the person may act on, or there is no page.

Somebody without any role in an organisation is answered as if it were not there (404); somebody whose role does not
permit the action is told which role would (403).
"""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404

from guildmark.app.access import ACTIONS, permits
from guildmark.app.records import Membership, Organisation


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
