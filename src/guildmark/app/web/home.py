"""The first page: what guildmark is for a stranger, and what waits for whoever is signed in."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth import login
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from guildmark.app.access import audience
from guildmark.app.queries.demo import found_by_name, people_of_the_demo
from guildmark.app.queries.waiting import organisations_of, waiting_for
from guildmark.app.records import Person
from guildmark.app.web.addresses import confirmed_addresses

START_AS: tuple[tuple[str, Promise, Promise], ...] = (
    (
        "solveig",
        _("Designer of a provider"),
        _("A course that the quality gate has passed and that could be published today, and the demand behind it."),
    ),
    (
        "marit",
        _("Marker"),
        _("Work to mark against a rubric, without seeing what the other marker thinks of it."),
    ),
    (
        "astrid",
        _("Awarder"),
        _("A decision to make, a pass to award, credentials that nobody has taken yet."),
    ),
    (
        "moana",
        _("Industry partner"),
        _("A map of tasks to sign or not, and people to find for a job by skills that were shown."),
    ),
    (
        "aroha",
        _("Learner"),
        _("A certificate to take, a course to go on with, roles that fit, and what is shared with whom."),
    ),
)
"""Whom to be first in the demo, one for each audience: username, audience, and what there is to look at."""


@dataclass(frozen=True, slots=True)
class Start:
    """One of START_AS who is there, with the organisation they act for."""

    person: Person
    organisation: str
    audience: Promise
    shows: Promise


@audience("public")
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """A stranger is told what can be done here; a person who is signed in, what waits for them."""
    if not request.user.is_authenticated:
        return render(request, "guildmark/landing.html", _demo() if settings.DEMO else {})
    context = {
        "waiting": waiting_for(request.user, now=timezone.now(), confirmed=confirmed_addresses(request.user)),
        "organisations": organisations_of(request.user),
        "learner": getattr(request.user, "learner", None),
    }
    return render(request, "guildmark/home.html", context)


def _demo() -> dict:
    """Whom the demo offers to be: one for each audience first, then everybody else by organisation."""
    found = found_by_name([username for username, _, _ in START_AS])
    starts = [Start(*found[name], whom, shows) for name, whom, shows in START_AS if name in found]
    groups = people_of_the_demo(besides=list(found))
    return {
        "starts": starts,
        "groups": groups,
        "others": len({member.person.pk for group in groups for member in group.members}),
    }


@audience("public")
@require_POST
def demo_sign_in(request: HttpRequest) -> HttpResponse:
    """In the demo, and only there, anybody is any of its invented people with one click."""
    if not settings.DEMO:
        raise Http404("This is not the demo.")
    username = request.POST.get("username", "").replace("\x00", " ")  # PostgreSQL takes no zero byte
    person = get_object_or_404(Person, username=username, is_superuser=False, is_active=True)
    login(request, person, backend="django.contrib.auth.backends.ModelBackend")
    return redirect("home")
