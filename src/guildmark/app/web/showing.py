"""What a learner shows of several credentials: by a link that ends, or on a public page, which is off by default.

Exactly what they chose, verified whenever somebody looks.
"""

from __future__ import annotations

import secrets
import uuid
from dataclasses import dataclass
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from guildmark.app.access import audience
from guildmark.app.queries.awards import is_made_out_to, paper_view
from guildmark.app.queries.learning import share_by_token, share_url
from guildmark.app.records import Award, Learner, PublicPage, ShareLink
from guildmark.app.services.sharing import MOST_SHOWN, close_public_page, end_share, open_public_page, share_award
from guildmark.app.web.public import Answer, PlainForm, checked
from guildmark.app.web.security import private
from guildmark.app.web.sentences import told
from guildmark.core.errors import GuildmarkError

NOT_THERE = gettext_lazy("There is no such page, or its owner has closed it.")


DAYS = [
    (7, gettext_lazy("one week")),
    (30, gettext_lazy("30 days")),
    (90, gettext_lazy("90 days")),
    (365, gettext_lazy("a year")),
]


class ChoiceForm(PlainForm):
    """Some of one's own credentials."""

    awards = forms.ModelMultipleChoiceField(
        queryset=Award.objects.none(),
        widget=forms.CheckboxSelectMultiple,
        label=gettext_lazy("Show these credentials"),
        error_messages={"required": gettext_lazy("Choose at least one credential.")},
    )

    def __init__(self, *args, learner: Learner, **options):
        super().__init__(*args, **options)
        rows = learner.awards.exclude(document=b"").select_related("issuer").defer("document")
        self.fields["awards"].queryset = rows.order_by("-issued_at", "id")

    def clean_awards(self):
        chosen = self.cleaned_data["awards"]
        if len(chosen) > MOST_SHOWN:
            raise forms.ValidationError(_("Choose at most %(n)d credentials.") % {"n": MOST_SHOWN})
        return chosen


class PageForm(ChoiceForm):
    """Which credentials everybody sees, and where."""

    address = forms.CharField(
        required=False,
        max_length=40,
        label=gettext_lazy("The last part of its address"),
        help_text=gettext_lazy(
            "3 to 40 letters from a to z, digits and hyphens. Leave it empty for one that nobody can guess."
        ),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "autocapitalize": "none"}),
    )


class LinkForm(ChoiceForm):
    """Which credentials one link shows, and for how long."""

    days = forms.TypedChoiceField(coerce=int, initial=30, label=gettext_lazy("Show it for"), choices=DAYS)


def _address(page: PublicPage) -> str:
    return f"{settings.BASE_URL}/holders/{page.address}"


@audience("person")
@private
@require_http_methods(["GET", "HEAD", "POST"])
def choose(request: HttpRequest) -> HttpResponse:
    """The learner chooses what is public; opening the page again replaces what was chosen."""
    learner = Learner.objects.filter(person=request.user).first()
    if learner is None:
        return render(request, "guildmark/public_page.html", {"form": None})
    page = PublicPage.objects.filter(learner=learner).first()
    before = {"address": page.address, "awards": page.awards.all()} if page is not None else {}
    form = PageForm(request.POST if request.method == "POST" else None, learner=learner, initial=before)
    if request.method == "POST" and form.is_valid():
        try:
            opened = open_public_page(
                learner=learner,
                address=form.cleaned_data["address"],
                awards=list(form.cleaned_data["awards"]),
                entropy=secrets.token_bytes(12),
                actor=request.user,
                now=timezone.now(),
            )
        except GuildmarkError as problem:
            form.add_error("address", told(problem))
        else:
            messages.success(request, _("Your page is open: %(address)s") % {"address": _address(opened)})
            return redirect("public-page")
    context = {"form": form, "page": page, "address": _address(page) if page is not None else ""}
    return render(request, "guildmark/public_page.html", context, status=422 if form.errors else 200)


@audience("person")
@private
@require_POST
def close(request: HttpRequest) -> HttpResponse:
    """The page shows nothing any more."""
    learner = Learner.objects.filter(person=request.user).first()
    if learner is not None:
        close_public_page(learner=learner, actor=request.user, now=timezone.now())
        messages.success(request, _("Your page is closed; nobody sees it any more."))
    return redirect("public-page")


@audience("person")
@private
@require_http_methods(["GET", "HEAD", "POST"])
def share_several(request: HttpRequest) -> HttpResponse:
    """One link that shows several credentials for a while; its address is shown once, on the page that follows."""
    learner, now = Learner.objects.filter(person=request.user).first(), timezone.now()
    if learner is None:
        return render(request, "guildmark/share_several.html", {"form": None})
    form = LinkForm(request.POST if request.method == "POST" else None, learner=learner)
    if request.method == "POST" and form.is_valid():
        first, *more = form.cleaned_data["awards"]
        try:
            _link, token = share_award(
                id=uuid.uuid4(),
                award=first,
                more=more,
                days=form.cleaned_data["days"],
                entropy=secrets.token_bytes(24),
                actor=request.user,
                now=now,
            )
        except GuildmarkError as problem:
            form.add_error(None, told(problem))
        else:
            request.session["shared several"] = token
            return redirect("share-several")
    token = request.session.pop("shared several", None)
    links = ShareLink.objects.filter(award__learner=learner, revoked_at=None, expires_at__gt=now)
    context = {
        "form": form,
        "links": links.select_related("award").prefetch_related("more"),
        "shared": {"token": token, "url": share_url(token)} if token else None,
    }
    return render(request, "guildmark/share_several.html", context, status=422 if form.errors else 200)


@audience("person")
@private
@require_POST
def end_link(request: HttpRequest, link: UUID) -> HttpResponse:
    """The link shows nothing any more, whatever it showed."""
    row = get_object_or_404(ShareLink.objects.select_related("award"), pk=link, award__learner__person=request.user)
    end_share(link=row, actor=request.user, now=timezone.now())
    messages.success(request, _("That link shows nothing any more."))
    return redirect("share-several")


@dataclass(frozen=True, slots=True)
class Shown:
    """One credential on the page, as it stands at this moment."""

    award: Award
    answer: Answer


def _open_page(address: str) -> PublicPage:
    page = PublicPage.objects.filter(address=address, opened_at__isnull=False).select_related("learner").first()
    if page is None:
        raise Http404(NOT_THERE)
    return page


@audience("public")
@private
@require_safe
def page(request: HttpRequest, address: str) -> HttpResponse:
    """What the learner chose to show everybody, each credential verified now. No session is read."""
    opened = _open_page(address)
    awards = opened.awards.select_related("issuer").order_by("-issued_at", "id")[:MOST_SHOWN]
    shown = [Shown(award, checked(bytes(award.document))) for award in awards]
    return render(request, "guildmark/holder.html", {"page": opened, "name": opened.learner.name, "shown": shown})


@audience("public")
@private
@require_safe
def credential(request: HttpRequest, address: str, id: UUID) -> HttpResponse:
    """One credential of the page, in plain words."""
    opened = _open_page(address)
    award = opened.awards.select_related("issuer", "learner").filter(pk=id).first()
    if award is None:
        raise Http404(NOT_THERE)
    # The name that was signed, or none: see `learner.shared`.
    name = award.learner.name if is_made_out_to(award, award.learner.name) else ""
    context = {"view": paper_view(award), "answer": checked(bytes(award.document)), "name": name, "page": opened}
    return render(request, "guildmark/shared.html", context)


def several(request: HttpRequest, link: ShareLink) -> HttpResponse:
    """What a link to several credentials shows: each with whether it holds now."""
    awards = [link.award, *link.more.select_related("issuer").order_by("-issued_at", "id")]
    shown = [Shown(award, checked(bytes(award.document))) for award in awards]
    context = {"name": link.award.learner.name, "shown": shown, "token": request.resolver_match.kwargs["token"]}
    return render(request, "guildmark/holder.html", context | {"link": link})


@audience("public")
@private
@require_safe
def shared_one(request: HttpRequest, token: str, id: UUID) -> HttpResponse:
    """One of the credentials behind a link to several, in plain words, while the link lasts."""
    link = share_by_token(token)
    if link is None or link.revoked_at is not None or link.expires_at <= timezone.now():
        return redirect("shared", token=token)  # which says what is the matter
    award = link.award if link.award_id == id else link.more.select_related("issuer", "learner").filter(pk=id).first()
    if award is None:
        raise Http404(NOT_THERE)
    name = award.learner.name if is_made_out_to(award, award.learner.name) else ""
    context = {"view": paper_view(award), "answer": checked(bytes(award.document)), "name": name, "link": link}
    return render(request, "guildmark/shared.html", context | {"token": token})
