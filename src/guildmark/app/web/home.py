"""The first page: what guildmark is for a stranger, and what waits for whoever is signed in."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth import login
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from guildmark.app.access import audience
from guildmark.app.queries.waiting import organisations_of, waiting_for
from guildmark.app.records import Person


@audience("public")
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """A stranger is told what can be done here; a person who is signed in, what waits for them."""
    if not request.user.is_authenticated:
        people = Person.objects.filter(is_superuser=False).order_by("name") if settings.DEMO else []
        return render(request, "guildmark/landing.html", {"people": people})
    context = {
        "waiting": waiting_for(request.user, now=timezone.now()),
        "organisations": organisations_of(request.user),
        "learner": getattr(request.user, "learner", None),
    }
    return render(request, "guildmark/home.html", context)


@audience("public")
@require_POST
def demo_sign_in(request: HttpRequest) -> HttpResponse:
    """In the demo, and only there, anybody is any of its invented people with one click."""
    if not settings.DEMO:
        raise Http404("This is not the demo.")
    person = get_object_or_404(Person, username=request.POST.get("username", ""), is_superuser=False)
    login(request, person, backend="django.contrib.auth.backends.ModelBackend")
    return redirect("home")
