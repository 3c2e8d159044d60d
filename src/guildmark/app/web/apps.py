"""Pages on which a learner lets an app in, sees what it may do and what it brought, and shuts it out."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from oauth2_provider.exceptions import OAuthToolkitError
from oauth2_provider.models import get_application_model
from oauth2_provider.views import AuthorizationView
from oauthlib.oauth2.rfc6749.errors import InvalidRequestError

from guildmark.app.access import audience
from guildmark.app.queries.backpack import apps_of
from guildmark.app.records import ApiClient, HeldCredential, HolderProfile, Learner
from guildmark.app.services import backpack
from guildmark.app.services.apps import (
    OFFLINE,
    READ_CREDENTIALS,
    READ_PROFILE,
    WRITE_CREDENTIALS,
    WRITE_PROFILE,
    note_let_in,
    shut_out,
)
from guildmark.app.web.addresses import confirmed_addresses
from guildmark.app.web.catalogue import learner_of
from guildmark.app.web.public import checked
from guildmark.app.web.security import POLICY, private
from guildmark.app.web.sentences import told
from guildmark.core.errors import GuildmarkError
from guildmark.credential.open_badge import is_recipient
from guildmark.credential.verify import document_inside


def may(scopes: Any) -> list[str]:
    """What these scopes let an app do, in words."""
    says = {
        READ_CREDENTIALS: _("read all the credentials that you hold, with your name and your results in them"),
        WRITE_CREDENTIALS: _("put credentials of other issuers here for you, and replace them by newer ones"),
        READ_PROFILE: _("read your name and your e-mail address"),
        WRITE_PROFILE: _("write the profile that other apps read; your name and address on this site stay as they are"),
        OFFLINE: _("do so while you are away, until you end it"),
    }
    return [says[scope] for scope in says if scope in scopes]


# --- Letting in ---


class _Consent(AuthorizationView):
    """What the library asks a person, on our page, after our own questions to the app."""

    template_name = "guildmark/authorize.html"

    def validate_authorization_request(self, request: HttpRequest) -> Any:
        """What Open Badges 3.0 asks of a request beyond OAuth 2: a state, and PKCE with S256."""
        scopes, credentials = super().validate_authorization_request(request)
        given = request.GET
        missing = [n for n in ("redirect_uri", "scope", "state", "code_challenge") if not given.get(n)]
        says = f"{missing[0]} is missing" if missing else ""
        if not says and given.get("code_challenge_method") != "S256":
            says = "code_challenge_method is not S256"
        if says:
            problem = InvalidRequestError(description=says, state=given.get("state") or None)
            raise OAuthToolkitError(error=problem, redirect_uri=credentials["redirect_uri"])
        return scopes, credentials

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """The page is shown every time: nobody lets an app in without seeing what it asks for."""
        if {"approval_prompt", "prompt"} & set(request.GET):
            query = urlencode([(n, v) for n, v in request.GET.lists() if n not in ("approval_prompt", "prompt")], True)
            return redirect(f"{request.path}?{query}")
        response = super().get(request, *args, **kwargs)
        application = getattr(self, "oauth2_data", {}).get("application")
        if application is not None:
            # A browser holds a form's redirect to this too, and the app is on another host by its nature.
            origin = "{0.scheme}://{0.netloc}".format(urlsplit(self.oauth2_data["redirect_uri"]))
            policy = POLICY.replace("form-action 'self'", f"form-action 'self' {origin}")
            response.headers["Content-Security-Policy"] = policy
        return response

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        context["may"] = may(kwargs.get("scopes", ()))
        redirect_uri = kwargs.get("redirect_uri")
        context["host"] = urlsplit(redirect_uri).netloc if redirect_uri else ""
        return context

    def form_valid(self, form: Any) -> HttpResponse:
        """The learner agreed or declined; whoever agrees holds something here from then on, if only an empty wallet."""
        if form.cleaned_data.get("allow"):
            try:
                learner_of(self.request.user)
            except GuildmarkError as problem:
                context = {"problem": told(problem)}
                return render(self.request, "guildmark/problem.html", context, status=422)
        response = super().form_valid(form)
        client = get_application_model().objects.filter(client_id=form.cleaned_data["client_id"]).first()
        location = response.headers.get("Location", "")
        if client is not None and "code=" in location:
            note_let_in(person=self.request.user, client=client, now=timezone.now())
            response.headers["Location"] = _with_scope(location, form.cleaned_data["scope"])
        return response

    def error_response(self, error: Any, application: Any, **kwargs: Any) -> HttpResponse:
        """What is wrong goes back to the app, unless it is unclear whose address that is: then a page says it."""
        response = super().error_response(error, application, **kwargs)
        if "Location" in response.headers:
            return response
        says = _("The app asked for something that cannot be: %(why)s") % {"why": error.oauthlib_error.error}
        return render(self.request, "guildmark/problem.html", {"problem": says}, status=400)


def _with_scope(location: str, scope: str) -> str:
    """Open Badges 3.0 wants the scope beside the code."""
    parts = urlsplit(location)
    query = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] != "scope"]
    return urlunsplit(parts._replace(query=urlencode([*query, ("scope", scope)])))


authorize = audience("person")(private(require_http_methods(["GET", "POST"])(_Consent.as_view())))


# --- Who is in ---


def _learner(request: HttpRequest) -> Learner:
    learner = Learner.objects.filter(person=request.user).first()
    if learner is None:
        raise Http404(_("You hold nothing here yet."))
    return learner


@audience("person")
@private
@require_safe
def apps(request: HttpRequest) -> HttpResponse:
    """The apps that act for the person, what each may do, and since when."""
    found = [(one, may(one.scopes)) for one in apps_of(request.user, now=timezone.now())]
    profile = HolderProfile.objects.filter(learner__person=request.user).select_related("client").first()
    return render(request, "guildmark/apps.html", {"apps": found, "profile": profile})


@audience("person")
@private
@require_POST
def end(request: HttpRequest, id: UUID) -> HttpResponse:
    """The app acts for the person no more; what it brought stays."""
    client = get_object_or_404(ApiClient, pk=id, organisation=None)
    shut_out(person=request.user, client=client, now=timezone.now())
    messages.success(request, _("“%(name)s” can do nothing for you any more.") % {"name": client.name})
    return redirect("apps")


@audience("person")
@private
@require_POST
def forget_profile(request: HttpRequest) -> HttpResponse:
    """What an app wrote about the person is gone."""
    backpack.forget_profile(learner=_learner(request), actor=request.user, now=timezone.now())
    messages.success(request, _("Apps read the name and address that this site knows again."))
    return redirect("apps")


# --- What they brought ---


def _held(request: HttpRequest, id: UUID) -> HeldCredential:
    return get_object_or_404(HeldCredential.objects.select_related("client"), pk=id, learner=_learner(request))


@audience("person")
@private
@require_safe
def received(request: HttpRequest, id: UUID) -> HttpResponse:
    """One credential from elsewhere, verified now, and whether it is made out to the learner."""
    held = _held(request, id)
    document = bytes(held.document)
    try:
        answer, problem, whose = checked(document), "", _whose(document, request)
    except GuildmarkError as error:
        answer, problem, whose = None, told(error), ""
    context = {"held": held, "answer": answer, "problem": problem, "whose": whose}
    return render(request, "guildmark/received.html", context)


def _whose(document: bytes, request: HttpRequest) -> str:
    """ "address" or "name" if the credential is made out to one that the person has shown to be theirs; "" if that
    cannot be told. It is a question of its own: a credential that names its holder in another way may hold.
    """
    inside = document_inside(document)
    if any(is_recipient(inside, email=address) for address in confirmed_addresses(request.user)):
        return "address"
    return "name" if is_recipient(inside, name=_learner(request).name) else ""


@audience("person")
@private
@require_safe
def received_file(request: HttpRequest, id: UUID) -> HttpResponse:
    """The credential as it came, byte for byte."""
    held = _held(request, id)
    kinds = {"json": ("application/vc+ld+json", "json"), "jws": ("text/plain", "jws")}
    media_type, ending = kinds[held.form]
    response = HttpResponse(bytes(held.document), content_type=media_type)
    name = f"{slugify(held.title)[:60] or 'credential'}.{ending}"
    response.headers["Content-Disposition"] = content_disposition_header(True, name)
    return response


@audience("person")
@private
@require_POST
def remove(request: HttpRequest, id: UUID) -> HttpResponse:
    """The learner holds it here no longer."""
    held = _held(request, id)
    backpack.put_away(held=held, actor=request.user, now=timezone.now())
    messages.success(request, _("“%(title)s” is removed from here.") % {"title": held.title})
    return redirect("wallet")
