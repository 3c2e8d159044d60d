"""Pages of a learner: what they hold and share, where they learn, where it leads, what they agreed to."""

from __future__ import annotations

import secrets
import uuid
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from guildmark.app.access import audience
from guildmark.app.doors import blob_store
from guildmark.app.queries.awards import holder_view, is_made_out_to, paper_url, paper_view
from guildmark.app.queries.design import blueprint_value
from guildmark.app.queries.export import everything_of
from guildmark.app.queries.learning import (
    decisions_of,
    enrolments_of,
    news_of,
    progress_of,
    share_by_token,
    share_url,
)
from guildmark.app.queries.pathways import suggest_roles
from guildmark.app.records import (
    Award,
    Consent,
    Enrolment,
    JobAd,
    Learner,
    ShareLink,
    SkillFramework,
    StackClaim,
    StackRule,
    Submission,
)
from guildmark.app.services.assess import complete_activity, submit_work
from guildmark.app.services.awards import claim_award
from guildmark.app.services.pathways import claim_stack
from guildmark.app.services.people import give_consent, withdraw_consent
from guildmark.app.services.sharing import end_share, share_award
from guildmark.app.web.catalogue import confirmed_addresses, learner_of
from guildmark.app.web.loaders import load_own_award, load_own_enrolment
from guildmark.app.web.public import award_file, checked, tokens_of
from guildmark.app.web.security import private
from guildmark.app.web.sentences import told
from guildmark.app.web.showing import DAYS, several
from guildmark.app.work_files import IN_WORDS, LARGEST, file_name, media_type_of
from guildmark.core.errors import GuildmarkError, NotAllowed

ON_A_PAGE = 50

MOST_ROLES = 20

TOO_LARGE = gettext_lazy("The file is larger than 20 MB. Make it smaller, or hand in a part of it, and try again.")


def _learner(request: HttpRequest) -> Learner | None:
    return Learner.objects.filter(person=request.user).first()


# -- what is held --------------------------------------------------------------------------------------------------


def state_in_words(award: Award, now: datetime) -> tuple[str, str]:
    """(words, verdict for the symbol) for the state of a credential as its row has it; its page verifies it."""
    if award.state == Award.State.REVOKED:
        return _("revoked"), "fail"
    if award.state == Award.State.SUSPENDED:
        return _("suspended"), "fail"
    if award.valid_until is not None and award.valid_until <= now:
        return _("expired"), "fail"
    return _("in force"), "pass"


@audience("person")
@private
@require_safe
def wallet(request: HttpRequest) -> HttpResponse:
    """What the person holds and where they learn; a fixed number of statements."""
    learner, now = _learner(request), timezone.now()
    if learner is None:
        addresses = confirmed_addresses(request.user)
        waiting = Learner.objects.filter(email__in=addresses, person=None).annotate(n=Count("awards")).first()
        return render(request, "guildmark/wallet.html", {"learner": None, "waiting": waiting})
    awards = learner.awards.select_related("issuer").defer("document").order_by("-issued_at", "id")
    page = Paginator(awards, ON_A_PAGE).get_page(request.GET.get("page"))
    context = {
        "learner": learner,
        "news": news_of(learner, now=now),
        "page": page,
        "awards": [(award, *state_in_words(award, now)) for award in page],
        "enrolments": enrolments_of(learner),
        "held": learner.held.defer("document").order_by("-begins_at", "id")[:ON_A_PAGE],
    }
    return render(request, "guildmark/wallet.html", context)


@audience("person")
@private
@require_POST
def open_wallet(request: HttpRequest) -> HttpResponse:
    """What was awarded to the person's confirmed address is theirs."""
    try:
        learner_of(request.user)
    except GuildmarkError as problem:
        messages.error(request, told(problem))
    return redirect("wallet")


@audience("person")
@private
@require_safe
def credential(request: HttpRequest, id: UUID) -> HttpResponse:
    """One's own credential, verified now, with its files and whom it is shared with."""
    return _credential_page(request, load_own_award(request, id))


def _credential_page(request: HttpRequest, award: Award, form: ShareForm | None = None) -> HttpResponse:
    now = timezone.now()
    token = request.session.pop(f"shared {award.id}", None)
    context = {
        "award": award,
        "view": holder_view(award),
        "answer": checked(bytes(award.document)),
        "changes": award.status_changes.order_by("-at", "-id"),
        "links": award.share_links.filter(revoked_at=None, expires_at__gt=now),
        "form": form or ShareForm(),
        "shared": {"token": token, "url": share_url(token)} if token else None,
        "linkedin": linkedin_url(award),
        "tokens": tokens_of(award, "credential-file", award.id),
    }
    return render(request, "guildmark/credential.html", context, status=422 if form is not None else 200)


def linkedin_url(award: Award) -> str:
    """LinkedIn's form for adding a certification, filled in; it is told no name, and no page that shows one."""
    facts = {
        "startTask": "CERTIFICATION_NAME",
        "name": award.title,
        "organizationName": award.issuer.name,
        "issueYear": award.issued_at.year,
        "issueMonth": award.issued_at.month,
        "certUrl": paper_url(award),
        "certId": award.credential_id,
    }
    if award.valid_until is not None:
        facts |= {"expirationYear": award.valid_until.year, "expirationMonth": award.valid_until.month}
    return "https://www.linkedin.com/profile/add?" + urlencode(facts)


@audience("person")
@private
@require_POST
def take(request: HttpRequest, id: UUID) -> HttpResponse:
    """The learner takes the credential; taking it twice changes nothing."""
    award = claim_award(award=load_own_award(request, id), now=timezone.now())
    messages.success(request, _("“%(title)s” is yours.") % {"title": award.title})
    return redirect("credential", id=id)


@audience("person")
@private
@require_safe
def credential_file(request: HttpRequest, id: UUID, name: str) -> HttpResponse:
    """One of the files of one's own credential."""
    award = load_own_award(request, id)
    return award_file(request, award, name, {"back": _address("credential", id=id)})


def _address(name: str, **of: object) -> str:
    return reverse(name, kwargs=of)


# -- sharing -------------------------------------------------------------------------------------------------------


class ShareForm(forms.Form):
    """For how long a link shows the credential."""

    days = forms.TypedChoiceField(
        coerce=int,
        initial=30,
        label=gettext_lazy("Show it for"),
        choices=DAYS,
    )

    def __init__(self, data: object = None) -> None:
        super().__init__(data, label_suffix="")


@audience("person")
@private
@require_POST
def share(request: HttpRequest, id: UUID) -> HttpResponse:
    """A link that shows the credential for a while; its address is shown once, on the page that follows."""
    award = load_own_award(request, id)
    form = ShareForm(request.POST)
    if form.is_valid():
        try:
            _link, token = share_award(
                id=uuid.uuid4(),
                award=award,
                days=form.cleaned_data["days"],
                entropy=secrets.token_bytes(24),
                actor=request.user,
                now=timezone.now(),
            )
        except GuildmarkError as problem:
            form.add_error(None, told(problem))
        else:
            request.session[f"shared {award.id}"] = token
            return redirect(_address("credential", id=id) + "#share")
    return _credential_page(request, award, form)


@audience("person")
@private
@require_POST
def unshare(request: HttpRequest, id: UUID, link: UUID) -> HttpResponse:
    """The link shows nothing any more."""
    row = get_object_or_404(ShareLink.objects.select_related("award"), pk=link, award=load_own_award(request, id))
    end_share(link=row, actor=request.user, now=timezone.now())
    messages.success(request, _("That link shows nothing any more."))
    return redirect(_address("credential", id=id) + "#share")


@audience("public")
@private
@require_safe
def shared(request: HttpRequest, token: str) -> HttpResponse:
    """What somebody chose to show: their credential with its results, verified now. No session is read."""
    link = share_by_token(token)
    if link is None:
        raise Http404(_("This link is not known. Ask whoever sent it to share the credential again."))
    if link.revoked_at is not None or link.expires_at <= timezone.now():
        says = _("This link has ended. Ask whoever sent it to share the credential again.")
        return render(request, "guildmark/shared.html", {"ended": says}, status=410)
    if link.more.exists():
        return several(request, link)
    award = link.award
    # The name that was signed, or none: a learner who changed theirs is shown under no name that was not verified.
    name = award.learner.name if is_made_out_to(award, award.learner.name) else ""
    context = {"view": paper_view(award), "answer": checked(bytes(award.document)), "name": name, "link": link}
    return render(request, "guildmark/shared.html", context)


# -- learning ------------------------------------------------------------------------------------------------------


class WorkForm(forms.Form):
    """A file for one assessment."""

    file = forms.FileField(
        label=gettext_lazy("Your work"), error_messages={"required": gettext_lazy("Choose the file with your work.")}
    )
    title = forms.CharField(
        required=False,
        max_length=200,
        label=gettext_lazy("What it is called"),
        help_text=gettext_lazy("It stands in your credential as evidence. Empty: the title of the assessment."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def __init__(self, data: object = None, files: object = None, *, number: int) -> None:
        super().__init__(data, files, prefix=f"work{number}", label_suffix="")
        self.fields["file"].help_text = _("One file, at most 20 MB: %(kinds)s.") % {"kinds": IN_WORDS}

    def clean_file(self):
        given = self.cleaned_data["file"]
        if given.size > LARGEST:
            raise forms.ValidationError(TOO_LARGE)
        self.body = given.read()
        try:
            self.media_type = media_type_of(given.name, self.body)
        except GuildmarkError as problem:
            raise forms.ValidationError(told(problem)) from problem
        return given

    def clean_title(self):
        title = self.cleaned_data["title"]
        if not title.isprintable():
            raise forms.ValidationError(_("Write the title on one line, without control characters."))
        return title


@dataclass(frozen=True, slots=True)
class Part:
    """One assessment as its learner meets it: what is asked, what was handed in, and the form while it is open."""

    assessment: object
    percent: float
    criteria: list[tuple[str, str, str]]
    work: Submission | None
    marking: bool
    form: WorkForm | None


@audience("person")
@private
@require_safe
def learning(request: HttpRequest, id: UUID) -> HttpResponse:
    """One enrolment: activities to tick off, work to hand in, decisions in words."""
    return _learning_page(request, load_own_enrolment(request, id))


def _learning_page(
    request: HttpRequest, enrolment: Enrolment, bound: dict[str, WorkForm] | None = None
) -> HttpResponse:
    plan = blueprint_value(enrolment.offering.blueprint_version)
    done = dict(enrolment.done.values_list("activity_id", "done_at"))
    work = {row.assessment: row for row in enrolment.submissions.annotate(n=Count("marks"))}
    decisions = decisions_of(enrolment)
    passed = any(d.passed for d in decisions)
    parts = []
    for number, assessment in enumerate(plan.assessments):
        row = work.get(assessment.id)
        marking = row is not None and row.n > 0
        form = None if marking or passed else WorkForm(number=number)
        criteria = []
        for criterion in assessment.criteria:
            needed = next(level for level in criterion.levels if level.id == criterion.pass_level)
            criteria.append((criterion.title, needed.title, needed.descriptor))
        form = (bound or {}).get(assessment.id, form)
        parts.append(Part(assessment, assessment.weight * 100, criteria, row, marking, form))
    context = {
        "enrolment": enrolment,
        "version": enrolment.offering.blueprint_version,
        "plan": plan,
        "activities": [(a, done.get(a.id)) for a in enrolment.offering.activities.all()],
        "parts": parts,
        "decisions": decisions,
        "award": Award.objects.filter(decision__enrolment=enrolment).defer("document").first(),
    }
    return render(request, "guildmark/learning.html", context, status=422 if bound else 200)


@audience("person")
@private
@require_POST
def done(request: HttpRequest, id: UUID) -> HttpResponse:
    """An activity is ticked off."""
    enrolment = load_own_enrolment(request, id)
    try:
        complete_activity(enrolment=enrolment, key=request.POST.get("activity", ""), now=timezone.now())
    except GuildmarkError as problem:
        messages.error(request, told(problem))
    return redirect(_address("learning", id=id) + "#activities")


@audience("person")
@private
@csrf_exempt  # asked for in _hand_in, once the size is known: reading the token reads the whole body
@require_POST
def hand_in(request: HttpRequest, id: UUID) -> HttpResponse:
    """Work is handed in for one assessment; until marking begins it replaces what was there."""
    enrolment = load_own_enrolment(request, id)
    if _announced(request) > LARGEST + 100_000:
        context = {"problem": TOO_LARGE, "back": _address("learning", id=id)}
        return render(request, "guildmark/problem.html", context, status=413)
    return _hand_in(request, enrolment)


def _announced(request: HttpRequest) -> int:
    """Bytes of the body, as the browser says before it sends them."""
    text = request.META.get("CONTENT_LENGTH") or "0"
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else 0


@csrf_protect
def _hand_in(request: HttpRequest, enrolment: Enrolment) -> HttpResponse:
    wanted = request.POST.get("assessment", "")
    plan = blueprint_value(enrolment.offering.blueprint_version)
    found = [(number, a) for number, a in enumerate(plan.assessments) if a.id == wanted]
    if not found:
        raise Http404(_("There is no such assessment."))
    number, assessment = found[0]
    form = WorkForm(request.POST, request.FILES, number=number)
    if form.is_valid():
        try:
            submit_work(
                id=uuid.uuid4(),
                enrolment=enrolment,
                assessment=assessment.id,
                title=form.cleaned_data["title"] or assessment.title,
                media_type=form.media_type,
                body=form.body,
                now=timezone.now(),
            )
        except GuildmarkError as problem:
            form.add_error(None, told(problem))
        else:
            messages.success(request, _("“%(title)s” is handed in.") % {"title": assessment.title})
            return redirect(_address("learning", id=enrolment.id) + "#work")
    return _learning_page(request, enrolment, {assessment.id: form})


@audience("person")
@private
@require_safe
def work(request: HttpRequest, id: UUID, submission: UUID) -> HttpResponse:
    """What one handed in, as it is stored."""
    row = get_object_or_404(Submission, pk=submission, enrolment=load_own_enrolment(request, id))
    try:
        body = blob_store().get(row.sha256)
    except GuildmarkError as problem:
        context = {"problem": told(problem), "back": _address("learning", id=id)}
        return render(request, "guildmark/problem.html", context, status=422)
    response = HttpResponse(body, content_type=row.media_type)
    response.headers["Content-Disposition"] = content_disposition_header(True, file_name(row.title, row.media_type))
    return response


# -- where it leads ------------------------------------------------------------------------------------------------


@audience("person")
@private
@require_safe
def stacks(request: HttpRequest) -> HttpResponse:
    """How far what the person holds leads to each larger credential, and the shortest way on."""
    learner, problem, found = _learner(request), "", []
    if learner is not None:
        try:
            found = progress_of(learner, now=timezone.now())
        except GuildmarkError as error:
            problem = told(error)
    return render(request, "guildmark/stacks.html", {"learner": learner, "progress": found, "problem": problem})


@audience("person")
@private
@require_POST
def claim_larger(request: HttpRequest, rule: str) -> HttpResponse:
    """The larger credential is awarded by its owner's declared rule, if the rule is met when it is solved again now."""
    row = get_object_or_404(StackRule.objects.select_related("owner"), pk=rule)
    learner = _learner(request)
    if learner is None:
        raise Http404(_("You hold nothing yet that could be counted."))
    try:
        claim = claim_stack(
            id=uuid.uuid4(),
            rule=row,
            learner=learner,
            entropy=secrets.token_bytes,
            actor=request.user,
            now=timezone.now(),
        )
    except GuildmarkError as problem:
        messages.error(request, told(problem))
        return redirect("stacks")
    if claim.award is not None and claim.state == StackClaim.State.EARNED:
        messages.success(request, _("“%(title)s” is awarded to you.") % {"title": row.title})
        return redirect("credential", id=claim.award_id)
    messages.error(
        request, _("Not all that “%(title)s” asks for is there: %(why)s") % {"title": row.title, "why": claim.reason}
    )
    return redirect("stacks")


@audience("person")
@private
@require_safe
def roles(request: HttpRequest) -> HttpResponse:
    """Job ads that ask for what the person holds; nothing is looked at before they agreed to be matched."""
    learner, now = _learner(request), timezone.now()
    agreed = learner is not None and learner.consents.filter(purpose="matching", withdrawn_at=None).exists()
    found: list[dict] = []
    framework = SkillFramework.objects.filter(pk=request.GET.get("framework") or None).first()
    with_ads = SkillFramework.objects.filter(mention__isnull=False).distinct()
    if request.GET.get("framework") and framework is None:
        raise Http404(_("This framework of skills is not loaded here."))
    framework = framework or with_ads.first()
    if agreed and framework is not None:
        found = suggest_roles(learner, framework_id=framework.id, on=now.date(), now=now)
    ads = JobAd.objects.defer("text").in_bulk([role["ad"] for role in found[:MOST_ROLES]])
    context = {
        "learner": learner,
        "agreed": agreed,
        "framework": framework,
        "frameworks": with_ads,
        "roles": [{**role, "percent": role["score"] * 100, "of": ads[role["ad"]]} for role in found[:MOST_ROLES]],
        "all": len(found),
    }
    return render(request, "guildmark/roles.html", context)


# -- consent -------------------------------------------------------------------------------------------------------


def _purposes() -> list[tuple[str, str, list[str]]]:
    """(purpose, title, what it means) for each thing that a learner may agree to."""
    return [
        (
            "matching",
            _("Being found for work"),
            [
                _("Employers on this site may see how well what you hold fits a job, and which credential shows it."),
                _("Only credentials that hold are looked at: no name, age, photo, address or school."),
                _("A ranking decides nothing: whom to invite is decided by a named person, with a reason."),
                _("Without it you are in no ranking. Withdraw it, and from that moment you are in no new one."),
            ],
        ),
        (
            "outcomes",
            _("Telling what became of it"),
            [
                _("An employer may record that you were hired, and how well the credential prepared you."),
                _("The provider sees it with others' when it reviews the micro-credential."),
                _("No shares are shown where few people told something."),
                _("Without it nothing is recorded. Withdraw it, and what was recorded is no longer counted."),
            ],
        ),
    ]


@audience("person")
@private
@require_http_methods(["GET", "HEAD", "POST"])
def consents(request: HttpRequest) -> HttpResponse:
    """What the person agreed to, and withdrew; each with what it means. They agree and withdraw here."""
    if request.method == "POST":
        return _change_consent(request)
    learner = _learner(request)
    rows = list(learner.consents.order_by("-granted_at", "-id")) if learner is not None else []
    purposes = [
        (purpose, title, means, next((r for r in rows if r.purpose == purpose and r.withdrawn_at is None), None))
        for purpose, title, means in _purposes()
    ]
    titles = {purpose: title for purpose, title, _means in _purposes()}
    history = [(titles.get(row.purpose, row.purpose), row) for row in rows]
    return render(request, "guildmark/consents.html", {"purposes": purposes, "history": history})


def _change_consent(request: HttpRequest) -> HttpResponse:
    purpose, step = request.POST.get("purpose", ""), request.POST.get("step", "")
    if purpose not in Consent.Purpose.values or step not in ("give", "withdraw"):
        raise Http404(_("There is nothing of that name to agree to."))
    now = timezone.now()
    try:
        if step == "give":
            give_consent(learner=learner_of(request.user), purpose=purpose, now=now)
            messages.success(request, _("You have agreed. You can withdraw it here at any time."))
        else:
            learner = _learner(request)
            if learner is None:
                raise NotAllowed(_("You have not agreed to anything yet."))
            withdraw_consent(learner=learner, purpose=purpose, now=now)
            messages.success(request, _("You have withdrawn it, from this moment on."))
    except GuildmarkError as problem:
        messages.error(request, told(problem))
    return redirect("consents")


@audience("person")
@private
@require_safe
def everything(request: HttpRequest) -> HttpResponse:
    """All that is kept about the learner, in one file."""
    learner, now = _learner(request), timezone.now()
    if learner is None:
        raise Http404(_("Nothing is kept about you as a learner yet."))
    response = HttpResponse(everything_of(learner, now=now), content_type="application/zip")
    name = f"guildmark-{now:%Y-%m-%d}.zip"
    response.headers["Content-Disposition"] = content_disposition_header(True, name)
    return response
