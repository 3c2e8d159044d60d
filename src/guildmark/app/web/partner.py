"""Pages of an industry partner: sign maps of tasks, find people, check their credentials, say what came of it."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from guildmark.app.access import audience, permits
from guildmark.app.queries.comments import kind_of, threads
from guildmark.app.queries.design import blueprint_value, elements_of
from guildmark.app.queries.partner import (
    Candidate,
    MapLine,
    candidates_of,
    find_ads,
    frameworks,
    maps_of,
    rankings_of,
    skills_of,
)
from guildmark.app.queries.published import PublishedFetcher
from guildmark.app.records import BlueprintVersion, Endorsement, JobAd, MatchRun, Organisation
from guildmark.app.services import design, feedback, pathways, skills
from guildmark.app.web import public
from guildmark.app.web.answers import page_of
from guildmark.app.web.loaders import load_map, load_partner, load_ranking
from guildmark.app.web.public import LARGEST, Answer, PlainForm
from guildmark.app.web.security import private
from guildmark.app.web.sentences import told
from guildmark.core.errors import BrokenInput, GuildmarkError
from guildmark.core.report import Report
from guildmark.credential.verify import verify_credentials
from guildmark.design.blueprint import Blueprint
from guildmark.design.codesign import map_digest
from guildmark.skills.ads import LONGEST_TEXT

SIGNED_FOR = timedelta(days=730)
"""How long a signature holds, unless it is withdrawn or the map changes."""

MOST_FILES = 20
LARGEST_IN_ALL = 20_000_000
"""Bytes of all files that are checked at once; a credential with its picture has about 100,000."""


# -- maps ----------------------------------------------------------------------------------------------------------


class SignForm(PlainForm):
    """What a partner signs, in its own words. `shown` is the digest of the map that the page showed."""

    scope = forms.ChoiceField(
        label=gettext_lazy("What you sign"),
        widget=forms.RadioSelect,
        choices=[
            ("whole", gettext_lazy("The whole map")),
            ("part", gettext_lazy("Only the outcomes chosen below, with their tasks and assessments")),
        ],
        error_messages={"required": gettext_lazy("Choose the whole map, or a part of it.")},
    )
    outcomes = forms.MultipleChoiceField(
        required=False, label=gettext_lazy("Outcomes"), widget=forms.CheckboxSelectMultiple
    )
    claim = forms.CharField(
        max_length=2000,
        label=gettext_lazy("What you say about it"),
        help_text=gettext_lazy("In your own words. It is public, and stands in every credential that is awarded."),
        error_messages={"required": gettext_lazy("Say in a sentence what you vouch for.")},
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    shown = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, blueprint: Blueprint, **options: Any) -> None:
        super().__init__(*args, **options)
        self.digest = map_digest(blueprint)
        self.fields["outcomes"].choices = [(o.id, o.statement) for o in blueprint.outcomes]
        self.fields["shown"].initial = self.digest

    def clean(self) -> dict[str, Any]:
        given = super().clean()
        if given.get("shown") != self.digest:
            self.data = self.data.copy()
            self.data["shown"] = self.digest
            raise forms.ValidationError(
                _("The map changed while you were reading. Read it again below, then sign what you see.")
            )
        if given.get("scope") == "part" and not given.get("outcomes") and "outcomes" not in self.errors:
            self.add_error("outcomes", _("Choose at least one outcome, or sign the whole map."))
        if given.get("scope") == "whole" and given.get("outcomes"):
            self.add_error("scope", _("You chose single outcomes below: say whether you sign only those."))
        return given

    @property
    def signed_scope(self) -> str | tuple[str, ...]:
        given = self.cleaned_data
        return "whole" if given["scope"] == "whole" else tuple(given["outcomes"])


class ReasonForm(PlainForm):
    """Why a signature is withdrawn."""

    reason = forms.CharField(
        max_length=2000,
        label=gettext_lazy("Why you withdraw it"),
        error_messages={"required": gettext_lazy("Say why in a sentence.")},
        widget=forms.Textarea(attrs={"rows": 2}),
    )


@audience("person")
@require_safe
def maps(request: HttpRequest, slug: str) -> HttpResponse:
    """Every map that the partner was asked to sign or has signed, what waits first."""
    partner = load_partner(request, slug)
    context = {"organisation": partner, "lines": maps_of(partner)}
    return render(request, "guildmark/partner/maps.html", context)


@audience("person")
@require_http_methods(["GET", "HEAD", "POST"])
def one_map(request: HttpRequest, slug: str, id: UUID) -> HttpResponse:
    """One map in words; whoever may sign for the partner signs it, or a part of it."""
    actions = ["endorse"] if request.method == "POST" else []
    partner, line = load_map(request, slug, id, *actions)
    blueprint = blueprint_value(line.version)
    form = SignForm(request.POST if request.method == "POST" else None, blueprint=blueprint)
    if request.method == "POST":
        if not line.may_be_signed:
            messages.error(request, _("There is nothing to sign here now: read below how your signature stands."))
            return redirect("map", slug=slug, id=id)
        if form.is_valid():
            now = timezone.now()
            try:
                design.endorse(
                    id=uuid.uuid4(),
                    version=line.version,
                    partner=partner,
                    scope=form.signed_scope,
                    claim=form.cleaned_data["claim"],
                    valid_until=now + SIGNED_FOR,
                    actor=request.user,
                    now=now,
                )
            except GuildmarkError as problem:
                form.add_error(None, told(problem))
            else:
                messages.success(
                    request, _("%(name)s has signed “%(title)s”.") % {"name": partner, "title": line.version.title}
                )
                return redirect("map", slug=slug, id=id)
    return _map_page(request, partner, line, blueprint, form)


@audience("person")
@require_POST
def withdraw(request: HttpRequest, slug: str, id: UUID, endorsement: UUID) -> HttpResponse:
    """The partner takes one of its signatures back, with a reason."""
    partner, line = load_map(request, slug, id, "endorse")
    row = get_object_or_404(Endorsement, pk=endorsement, partner=partner, blueprint_version=line.version)
    form = ReasonForm(request.POST, auto_id=f"withdraw_{endorsement}_%s")
    if form.is_valid():
        try:
            design.withdraw_endorsement(
                endorsement=row, reason=form.cleaned_data["reason"], actor=request.user, now=timezone.now()
            )
        except GuildmarkError as problem:
            messages.error(request, told(problem))
        else:
            messages.success(request, _("The signature is withdrawn: it counts for nothing from now on."))
        return redirect("map", slug=slug, id=id)
    blueprint = blueprint_value(line.version)
    return _map_page(request, partner, line, blueprint, SignForm(blueprint=blueprint), withdrawing=form)


class CommentForm(PlainForm):
    """What one side says to the other about an element of a draft, or the whole."""

    element = forms.ChoiceField(required=False, label=gettext_lazy("About"))
    text = forms.CharField(
        max_length=5000,
        label=gettext_lazy("Your comment"),
        help_text=gettext_lazy("Only the provider and your organisation read it."),
        error_messages={"required": gettext_lazy("Write what you mean.")},
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def __init__(self, *args: Any, blueprint: Blueprint, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["element"].choices = [
            (element, f"{kind_of(element)}: {says}" if says else kind_of(element))
            for element, says in elements_of(blueprint).items()
        ]


class DeclineForm(PlainForm):
    """Why a partner does not sign."""

    why = forms.CharField(
        max_length=2000,
        label=gettext_lazy("Why you do not sign it"),
        help_text=gettext_lazy("The provider reads it. You can still sign later, if the draft changes."),
        error_messages={"required": gettext_lazy("Say in a sentence what stands in the way.")},
        widget=forms.Textarea(attrs={"rows": 2}),
    )


@audience("person")
@require_POST
def comment(request: HttpRequest, slug: str, id: UUID) -> HttpResponse:
    """The partner says something about an element of a draft, or the whole."""
    partner, line = load_map(request, slug, id, "endorse")
    blueprint = blueprint_value(line.version)
    form = CommentForm(request.POST, blueprint=blueprint, auto_id="comment_%s")
    if form.is_valid():
        try:
            design.comment(
                id=uuid.uuid4(),
                version=line.version,
                partner=partner,
                organisation=partner,
                actor=request.user,
                now=timezone.now(),
                **form.cleaned_data,
            )
        except GuildmarkError as problem:
            form.add_error(None, told(problem))
        else:
            messages.success(request, _("Your comment is with the provider."))
            return redirect(f"{reverse('map', args=[slug, id])}#comments")
    return _map_page(request, partner, line, blueprint, SignForm(blueprint=blueprint), commenting=form)


@audience("person")
@require_POST
def decline(request: HttpRequest, slug: str, id: UUID) -> HttpResponse:
    """The partner says that it does not sign, and why."""
    partner, line = load_map(request, slug, id, "endorse")
    form = DeclineForm(request.POST, auto_id="decline_%s")
    if form.is_valid():
        try:
            design.decline_to_sign(
                version=line.version,
                partner=partner,
                reason=form.cleaned_data["why"],
                actor=request.user,
                now=timezone.now(),
            )
        except GuildmarkError as problem:
            messages.error(request, told(problem))
        else:
            messages.success(request, _("The provider is told that you do not sign it, and why."))
        return redirect("map", slug=slug, id=id)
    blueprint = blueprint_value(line.version)
    return _map_page(request, partner, line, blueprint, SignForm(blueprint=blueprint), declining=form)


def _map_page(
    request: HttpRequest,
    partner: Organisation,
    line: MapLine,
    blueprint: Blueprint,
    form: SignForm,
    withdrawing: ReasonForm | None = None,
    commenting: CommentForm | None = None,
    declining: DeclineForm | None = None,
) -> HttpResponse:
    said = {
        "task": {t.id: t.statement for t in blueprint.tasks},
        "outcome": {o.id: o.statement for o in blueprint.outcomes},
        "assessment": {a.id: a.title for a in blueprint.assessments},
    }
    reasons = {}
    for signed in line.signed:
        reasons[signed.row.id] = ReasonForm(auto_id=f"withdraw_{signed.row.id}_%s")
        if withdrawing is not None and withdrawing.auto_id == reasons[signed.row.id].auto_id:
            reasons[signed.row.id] = withdrawing
    wrong = withdrawing or commenting or declining or (form if form.is_bound else None)
    is_draft = line.version.state == BlueprintVersion.State.DRAFT
    context = {
        "organisation": partner,
        "line": line,
        "blueprint": blueprint,
        "assessments": [
            (
                assessment,
                round(100 * assessment.weight),
                [said["outcome"][o] for o in assessment.outcomes],
                [(criterion, said["outcome"][criterion.outcome]) for criterion in assessment.criteria],
            )
            for assessment in blueprint.assessments
        ],
        "edges": [
            (said["task"][e.task], said["outcome"][e.outcome], said["assessment"][e.assessment])
            for e in blueprint.task_map
        ],
        "signatures": [
            (signed, [said["outcome"].get(o, o) for o in signed.about], reasons[signed.row.id])
            for signed in line.signed
        ],
        "form": form,
        "wrong": wrong,
        "threads": threads(line.version, blueprint, partner),
        "comment_form": commenting or CommentForm(blueprint=blueprint, auto_id="comment_%s"),
        "decline_form": declining or DeclineForm(auto_id="decline_%s"),
        "may_comment": is_draft and line.asked_at is not None and permits(request.user, "endorse", partner),
        "may_sign": permits(request.user, "endorse", partner),
        "until": timezone.now() + SIGNED_FOR,
    }
    return render(request, "guildmark/partner/map.html", context, status=422 if wrong else 200)


# -- finding people ------------------------------------------------------------------------------------------------


class AdForm(PlainForm):
    """A job ad that is pasted in."""

    title = forms.CharField(max_length=300, label=gettext_lazy("Title of the job"))
    place = forms.CharField(max_length=300, required=False, label=gettext_lazy("Place"))
    text = forms.CharField(
        max_length=LONGEST_TEXT,
        label=gettext_lazy("Text of the ad"),
        help_text=gettext_lazy("As you would publish it. The skills are found in its words."),
        widget=forms.Textarea(attrs={"rows": 12}),
    )


@audience("person")
@require_safe
def hire(request: HttpRequest, slug: str) -> HttpResponse:
    """Where finding people begins: search the ads that are known, and the rankings made so far."""
    partner = load_partner(request, slug, "hire")
    words = request.GET.get("q", "").replace("\x00", "")[:200]
    context = {
        "organisation": partner,
        "words": words,
        "page": page_of(request, find_ads(words)),
        "query": f"q={words}" if words else "",
        "rankings": rankings_of(partner)[:20],
    }
    if words:
        query = request.GET.copy()
        query.pop("page", None)
        context["query"] = query.urlencode()
    return render(request, "guildmark/partner/hire.html", context)


@audience("person")
@require_http_methods(["GET", "HEAD", "POST"])
def paste_ad(request: HttpRequest, slug: str) -> HttpResponse:
    """A job ad that is not known yet is pasted, and its skills are found."""
    partner = load_partner(request, slug, "hire")
    form = AdForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            row = skills.add_ad(
                id=f"pasted-{uuid.uuid4()}",
                title=given["title"],
                employer=partner.name,
                place=given["place"],
                text=given["text"],
                source=f"pasted by {partner.name}",
                actor=request.user,
                now=timezone.now(),
            )
        except GuildmarkError as problem:
            form.add_error("text", told(problem))
        else:
            return redirect(_ad_url(slug, row))
    context = {"organisation": partner, "form": form}
    return render(request, "guildmark/partner/paste.html", context, status=422 if form.errors else 200)


def _ad_url(slug: str, row: JobAd) -> str:
    """The page of an ad; its id came from outside and may hold anything, so it travels in the query."""
    return f"{reverse('hire-ad', args=[slug])}?{urlencode({'id': row.id})}"


def _ad(id: str | None) -> JobAd:
    row = JobAd.objects.filter(pk=id).first() if id and "\x00" not in id else None
    if row is None:
        raise Http404(_("This job ad is not known. Search for it, or paste it."))
    return row


@audience("person")
@require_http_methods(["GET", "HEAD", "POST"])
def ad(request: HttpRequest, slug: str) -> HttpResponse:
    """One job ad with the skills that were found in it; people are ranked for it."""
    partner = load_partner(request, slug, "hire")
    given = request.POST if request.method == "POST" else request.GET
    row = _ad(given.get("id"))
    known = list(frameworks())
    if request.method == "POST":
        framework = next((f for f in known if f.id == given.get("framework")), known[0] if known else None)
        try:
            run = pathways.rank_candidates(
                id=uuid.uuid4(),
                ad=row,
                framework_id=framework.id if framework else "",
                employer=partner,
                actor=request.user,
                now=timezone.now(),
            )
        except GuildmarkError as problem:
            messages.error(request, told(problem))
            return redirect(_ad_url(slug, row))
        return redirect("ranking", slug=slug, id=run.id)
    context = {"organisation": partner, "ad": row, "skills": skills_of(row), "frameworks": known}
    return render(request, "guildmark/partner/ad.html", context)


class DecideForm(PlainForm):
    """What somebody decides about one candidate."""

    decision = forms.ChoiceField(
        choices=[("invite", gettext_lazy("Invite")), ("decline", gettext_lazy("Decline"))],
        error_messages={
            "required": gettext_lazy("Choose one of the two buttons."),
            "invalid_choice": gettext_lazy("Choose one of the two buttons."),
        },
    )
    reason = forms.CharField(
        max_length=2000,
        label=gettext_lazy("Why"),
        help_text=gettext_lazy("Kept on record with your name; it is not sent."),
        error_messages={"required": gettext_lazy("Say why in a sentence; nothing was decided.")},
        widget=forms.Textarea(attrs={"rows": 2}),
    )


class OutcomeForm(PlainForm):
    """What came of an invitation, for one of the credentials that were the reason for it."""

    award = forms.ChoiceField(label=gettext_lazy("For which credential"))
    kind = forms.ChoiceField(
        label=gettext_lazy("What came of it"),
        choices=[
            ("hired", gettext_lazy("Hired")),
            ("interviewed", gettext_lazy("Interviewed, still open")),
            ("not_hired", gettext_lazy("Not hired")),
        ],
    )
    rating = forms.TypedChoiceField(
        required=False,
        coerce=int,
        empty_value=None,
        label=gettext_lazy("How well the credential told what the person can do"),
        choices=[
            ("", gettext_lazy("no rating")),
            ("1", gettext_lazy("1: poorly")),
            ("2", "2"),
            ("3", "3"),
            ("4", "4"),
            ("5", gettext_lazy("5: very well")),
        ],
    )

    def __init__(self, *args: Any, candidate: Candidate, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["award"].choices = [(str(a.id), a.title) for a in candidate.awards]


@audience("person")
@private
@require_safe
def ranking(request: HttpRequest, slug: str, id: UUID) -> HttpResponse:
    """Who was ranked for the ad, and why; names of those only who were invited."""
    run = load_ranking(request, slug, id)
    return _ranking_page(request, run)


def _candidate(run: MatchRun, number: int) -> Candidate:
    found = next((c for c in candidates_of(run) if c.number == number), None)
    if found is None or found.gone:
        raise Http404(_("There is no such candidate in this ranking; they may have withdrawn their consent."))
    return found


@audience("person")
@private
@require_POST
def decide(request: HttpRequest, slug: str, id: UUID, number: int) -> HttpResponse:
    """A person invites or declines one candidate, with a reason."""
    run = load_ranking(request, slug, id)
    candidate = _candidate(run, number)
    form = DecideForm(request.POST, auto_id=f"decide{number}_%s")
    if not form.is_valid():
        if "decision" in form.errors:  # which button was pressed; there is no field to lead to
            messages.error(request, form.errors["decision"][0])
            return redirect("ranking", slug=slug, id=id)
        return _ranking_page(request, run, number, form)
    try:
        pathways.decide_match(
            run=run,
            learner=candidate.learner,
            decision=form.cleaned_data["decision"],
            reason=form.cleaned_data["reason"],
            actor=request.user,
            now=timezone.now(),
        )
    except GuildmarkError as problem:
        messages.error(request, told(problem))
    else:
        says = {
            "invite": _("Candidate %(n)d is invited: they are told by e-mail, and you see their name below."),
            "decline": _("Candidate %(n)d is declined; they are not told."),
        }
        messages.success(request, says[form.cleaned_data["decision"]] % {"n": number})
    return redirect("ranking", slug=slug, id=id)


@audience("person")
@private
@require_POST
def outcome(request: HttpRequest, slug: str, id: UUID, number: int) -> HttpResponse:
    """The employer says what came of an invitation; it goes to the next review of what was awarded."""
    run = load_ranking(request, slug, id)
    candidate = _candidate(run, number)
    if not candidate.invited:
        raise Http404(_("An outcome is recorded for somebody who was invited."))
    if not candidate.awards:
        messages.error(request, _("There is nothing left to tell: each of the credentials has its outcome."))
        return redirect("ranking", slug=slug, id=id)
    form = OutcomeForm(request.POST, candidate=candidate, auto_id=f"outcome{number}_%s")
    if not form.is_valid():
        return _ranking_page(request, run, number, form)
    award = next(a for a in candidate.awards if str(a.id) == form.cleaned_data["award"])
    try:
        feedback.record_destination(
            id=uuid.uuid4(),
            award=award,
            kind=form.cleaned_data["kind"],
            rating=form.cleaned_data["rating"],
            employer=run.employer,
            actor=request.user,
            now=timezone.now(),
        )
    except GuildmarkError as problem:
        messages.error(request, told(problem))
    else:
        messages.success(request, _("Thank you: the next review of “%(title)s” sees it.") % {"title": award.title})
    return redirect("ranking", slug=slug, id=id)


def _ranking_page(
    request: HttpRequest, run: MatchRun, number: int = 0, wrong: DecideForm | OutcomeForm | None = None
) -> HttpResponse:
    lines = []
    for candidate in candidates_of(run):
        mine = wrong if candidate.number == number else None
        deciding = mine if isinstance(mine, DecideForm) else DecideForm(auto_id=f"decide{candidate.number}_%s")
        if isinstance(mine, OutcomeForm):
            telling = mine
        else:
            telling = OutcomeForm(candidate=candidate, auto_id=f"outcome{candidate.number}_%s")
        lines.append((candidate, deciding, telling))
    context = {
        "organisation": run.employer,
        "run": run,
        "lines": lines,
        "needs": run.need["skills"],
        "may_decide": run.by_id == request.user.id,
        "wrong": wrong,
        "number": number,
    }
    return render(request, "guildmark/partner/ranking.html", context, status=422 if wrong else 200)


# -- checking many credentials -------------------------------------------------------------------------------------


class ManyFiles(forms.FileField):
    """Up to `MOST_FILES` files of one field, each bounded, and all of them together."""

    class Input(forms.FileInput):
        allow_multiple_selected = True

        def value_from_datadict(self, data: Any, files: Any, name: str) -> list[Any]:
            return files.getlist(name)

    widget = Input(attrs={"accept": public.DOCUMENTS})

    def clean(self, data: Any, initial: Any = None) -> list[Any]:
        if not data:
            raise forms.ValidationError(_("Choose at least one file."))
        if len(data) > MOST_FILES:
            says = _("You chose %(n)d files; at most %(most)d are checked at once.")
            raise forms.ValidationError(says % {"n": len(data), "most": MOST_FILES})
        if sum(file.size for file in data) > LARGEST_IN_ALL:
            raise forms.ValidationError(_("The files are larger than 20 MB together; check fewer at once."))
        return data


class CheckManyForm(PlainForm):
    files = ManyFiles(
        label=gettext_lazy("Files"),
        help_text=gettext_lazy(
            "Up to 20 at once: JSON, tokens (JWT, SD-JWT), or badge images in PNG or SVG; 5 MB each, 20 MB together."
        ),
    )


@audience("person")
@private
@require_http_methods(["GET", "HEAD", "POST"])
def check_many(request: HttpRequest, slug: str) -> HttpResponse:
    """A list of credentials is checked at once, each with an answer and its reasons; nothing of it is kept."""
    partner = load_partner(request, slug)
    context: dict[str, Any] = {"organisation": partner, "form": CheckManyForm(), "answers": None}
    if request.method != "POST":
        return render(request, "guildmark/partner/check.html", context)
    form = CheckManyForm(request.POST, request.FILES)
    if not form.is_valid():
        context["form"] = form
        return render(request, "guildmark/partner/check.html", context, status=422)
    context["answers"] = _answers(form.cleaned_data["files"])
    return render(request, "guildmark/partner/check.html", context)


def _answers(files: list[Any]) -> list[dict[str, Any]]:
    """What each file came to: an answer, or the sentence why it could not be read.

    All are checked at one moment and together, so that keys and lists of an issuer are read once, and a host that does
    not answer is waited for once.
    """
    problems = [_unfit(file) for file in files]
    bodies = [file.read() for file, problem in zip(files, problems, strict=True) if not problem]
    reports = verify_credentials(bodies, now=timezone.now(), fetcher=PublishedFetcher(public.network()))
    return [
        {"name": file.name, "problem": problem} if problem else {"name": file.name, **_found(next(reports))}
        for file, problem in zip(files, problems, strict=True)
    ]


def _unfit(file: Any) -> Any:
    """Why a file is not looked at, "" if it is."""
    if file.size > LARGEST:
        return public.TOO_LARGE
    if file.read(5) == b"%PDF-":
        return public.A_PAPER
    file.seek(0)
    return ""


def _found(report: Report | BrokenInput) -> dict[str, Any]:
    if isinstance(report, BrokenInput):
        return {"problem": told(report)}
    answer = Answer(report)
    return {"answer": answer, "why": [line for line in answer.lines if line.style in _TELLING]}


_TELLING = ("fail", "unknown")
