"""What can be learned, for anyone: find it, compare it, see who needs it, and enrol."""

from __future__ import annotations

import uuid
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from guildmark.app.access import audience
from guildmark.app.queries.learning import Entry, catalogue_entries, course, search
from guildmark.app.records import Enrolment, Learner, Offering, Person
from guildmark.app.services.assess import enrol as enrol_learner
from guildmark.app.services.learners import become_learner
from guildmark.app.web.addresses import confirmed_addresses
from guildmark.app.web.loaders import load_published
from guildmark.app.web.sentences import told
from guildmark.core.errors import GuildmarkError

ON_A_PAGE = 20

MOST_COMPARED = 3


class FindForm(forms.Form):
    """What to narrow the catalogue by; the choices are what is in it."""

    q = forms.CharField(
        required=False,
        max_length=200,
        label=gettext_lazy("Words"),
        help_text=gettext_lazy("Of the title, the description or what you will be able to do."),
        widget=forms.TextInput(attrs={"type": "search"}),
    )
    provider = forms.ChoiceField(required=False, label=gettext_lazy("Provider"))
    level = forms.ChoiceField(required=False, label=gettext_lazy("Level"))

    def __init__(self, data: object, entries: list[Entry]) -> None:
        super().__init__(data, label_suffix="", auto_id="find_%s")
        providers = sorted({(e.provider_slug, e.provider) for e in entries}, key=lambda pair: pair[1].casefold())
        self.fields["provider"].choices = [("", _("Any provider")), *providers]
        levels = sorted({e.level for e in entries})
        self.fields["level"].choices = [("", _("Any level")), *((level, level_in_words(level)) for level in levels)]


def level_in_words(level: str) -> str:
    """`AQF:5` for people."""
    framework, _colon, step = level.partition(":")
    return _("%(framework)s level %(step)s") % {"framework": framework, "step": step} if step else _("no level")


@audience("public")
@require_safe
def catalogue(request: HttpRequest) -> HttpResponse:
    """Everything in which one can enrol today, narrowed by words, provider and level. One statement."""
    entries = catalogue_entries(on=timezone.now().date())
    form = FindForm(request.GET if request.GET.keys() & {"q", "provider", "level"} else None, entries)
    found = entries
    if form.is_bound:
        given = form.cleaned_data if form.is_valid() else None
        found = search(entries, words=given["q"], provider=given["provider"], level=given["level"]) if given else []
    page = Paginator(found, ON_A_PAGE).get_page(request.GET.get("page"))
    query = request.GET.copy()
    query.pop("page", None)
    context = {
        "form": form,
        "page": page,
        "lines": [(entry, level_in_words(entry.level)) for entry in page],
        "all": len(entries),
        "query": query.urlencode(),
    }
    return render(request, "guildmark/catalogue.html", context, status=422 if form.errors else 200)


def _chosen(request: HttpRequest) -> list[UUID]:
    """The ids in the query string, each once; whatever is no id is not there."""
    try:
        return list(dict.fromkeys(UUID(text) for text in request.GET.getlist("with")))
    except ValueError:
        raise Http404(_("One of the things to compare is not in the catalogue.")) from None


@audience("public")
@require_safe
def compare(request: HttpRequest) -> HttpResponse:
    """Up to three micro-credentials beside each other."""
    now, chosen = timezone.now(), _chosen(request)
    columns = [course(load_published(id), now=now) for id in chosen[:MOST_COMPARED]]
    context = {
        "columns": [(c, level_in_words(c.plan.level), delivery_in_words(c.plan.delivery_mode)) for c in columns],
        "too_many": len(chosen) > MOST_COMPARED,
        "most": MOST_COMPARED,
    }
    return render(request, "guildmark/compare.html", context)


def delivery_in_words(mode: str) -> str:
    """How it is taught, for people."""
    return {
        "online": _("online"),
        "onsite": _("on site"),
        "blended": _("partly online, partly on site"),
        "work_based": _("at work"),
        "work_experience": _("in a placement"),
        "volunteering": _("as a volunteer"),
    }.get(mode, mode)


@audience("public")
@require_safe
def entry(request: HttpRequest, id: UUID) -> HttpResponse:
    """One micro-credential, told to whoever thinks about taking it."""
    now = timezone.now()
    one = course(load_published(id), now=now)
    mine = None
    if request.user.is_authenticated:
        rows = Enrolment.objects.filter(learner__person=request.user, offering__blueprint_version=one.version)
        mine = rows.order_by("-enrolled_at").first()
    context = {
        "one": one,
        "level": level_in_words(one.plan.level),
        "delivery": delivery_in_words(one.plan.delivery_mode),
        "today": now.date(),
        "mine": mine,
    }
    return render(request, "guildmark/course.html", context)


@audience("person")
@require_http_methods(["GET", "POST"])
def enrol(request: HttpRequest, id: UUID) -> HttpResponse:
    """The person who is signed in is enrolled. Whoever comes here by the way of signing in chooses on the page."""
    version = load_published(id)
    if request.method == "GET":
        return redirect("course", id=id)
    offering = _offering(request.POST.get("offering", ""), version)
    now = timezone.now()
    try:
        enrolment = enrol_learner(id=uuid.uuid4(), offering=offering, learner=learner_of(request.user), now=now)
    except GuildmarkError as problem:
        messages.error(request, told(problem))
        return redirect("course", id=id)
    messages.success(request, _("You are enrolled in %(title)s.") % {"title": version.title})
    return redirect("learning", id=enrolment.id)


def _offering(text: str, version: object) -> Offering:
    try:
        wanted = UUID(text)
    except ValueError:
        raise Http404(_("There is no such offering.")) from None
    return get_object_or_404(Offering, pk=wanted, blueprint_version=version)


def learner_of(person: Person) -> Learner:
    """The person as a learner, made or found now under an address that they have confirmed."""
    return become_learner(id=uuid.uuid4(), person=person, emails=confirmed_addresses(person), now=timezone.now())
