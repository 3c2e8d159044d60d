"""Pages of those who decide and award: decisions with what they rest on, awards one or many, and their status."""

from __future__ import annotations

import math
import secrets
import uuid
from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from guildmark.app.access import audience, permits
from guildmark.app.queries.assess import brought_to, decision_value
from guildmark.app.queries.awards import revoked_for
from guildmark.app.queries.design import blueprint_value
from guildmark.app.queries.provider import awards_of, may_still_mark, undecided, work_of
from guildmark.app.queries.waiting import to_award
from guildmark.app.records import Award, Decision, Enrolment, Mark, MarkCorrection, Organisation
from guildmark.app.services.assess import record_result
from guildmark.app.services.awards import award_credential, change_status, resend_claim
from guildmark.app.services.corrections import correct_award, reissue_award, renew_award
from guildmark.app.services.status import REASONS
from guildmark.app.web.answers import PAGE, attempt, lines_of, page_of
from guildmark.app.web.loaders import load_award, load_enrolment, load_provider
from guildmark.app.web.provider import form_page
from guildmark.app.web.public import PlainForm
from guildmark.app.web.security import private
from guildmark.app.web.sentences import told
from guildmark.assess.decision import Decision as DecisionValue
from guildmark.core.errors import BrokenInput, GuildmarkError
from guildmark.core.report import Verdict
from guildmark.credential.status import ONLY_WITH_A_REPLACEMENT
from guildmark.design.blueprint import Blueprint, Criterion

# --- The list ---


class FindForm(PlainForm):
    """Which awards to list."""

    q = forms.CharField(required=False, max_length=200, label=gettext_lazy("Learner or title"))
    show = forms.ChoiceField(
        required=False,
        label=gettext_lazy("Show"),
        choices=[
            ("", gettext_lazy("all awards")),
            ("unclaimed", gettext_lazy("not taken yet")),
            ("valid", gettext_lazy("valid")),
            ("suspended", gettext_lazy("suspended")),
            ("revoked", gettext_lazy("revoked")),
        ],
    )

    def wanted(self) -> dict[str, Any]:
        """Filters for `awards_of`; none if the form cannot be read."""
        if not self.is_valid():
            return {}
        show = self.cleaned_data["show"]
        state = "" if show == "unclaimed" else show
        return {"text": self.cleaned_data["q"], "state": state, "unclaimed": show == "unclaimed"}


@private
@audience("person")
@require_safe
def awards(request: HttpRequest, slug: str) -> HttpResponse:
    """Learners who wait for a decision, decisions that wait for an award, and every award."""
    provider = load_provider(request, slug, "decide", "award", "change_status")
    form = FindForm(request.GET)
    wanted = form.wanted()
    kept = request.GET.copy()
    kept.pop("page", None)
    context = {
        "organisation": provider,
        "to_decide": page_of(request, undecided(provider), "decide"),
        "to_award": page_of(request, to_award(provider), "award"),
        "page": page_of(request, awards_of(provider, **wanted)),
        "query": kept.urlencode(),
        "find": form,
        "may_decide": permits(request.user, "decide", provider),
        "may_award": permits(request.user, "award", provider),
    }
    return render(request, "guildmark/provider/awards.html", context)


# --- Deciding ---


@private
@audience("person")
@require_http_methods(["GET", "HEAD", "POST"])
def decide(request: HttpRequest, slug: str, id: uuid.UUID) -> HttpResponse:
    """What the marks of one learner say under the award rule: decided by a person, told in words."""
    enrolment = load_enrolment(request, slug, id, "decide")
    if request.method == "POST":
        _decide(request, enrolment)
        return redirect("decide", slug=slug, id=id)
    version = enrolment.offering.blueprint_version
    provider, blueprint = version.provider, blueprint_value(version)
    row = enrolment.decisions.select_related("decided_by").order_by("-passed", "-decided_at", "-id").first()
    blind = may_still_mark(enrolment, request.user, provider)
    value = decision_value(row) if row is not None and not blind else None
    context = {
        "organisation": provider,
        "enrolment": enrolment,
        "version": version,
        "rule": blueprint.award_rule,
        "brought": brought_to(enrolment),
        "work": [(w, _assessment(blueprint, w.assessment)) for w in work_of(enrolment)],
        "decision": row,
        "blind": blind,
        "value": value,
        "lines": lines_of(value.report.findings) if value else [],
        "results": _results(blueprint, value) if value else [],
        "award": Award.objects.filter(decision=row).first() if row is not None else None,
        "may_award": permits(request.user, "award", provider),
    }
    return render(request, "guildmark/provider/decide.html", context)


def _decide(request: HttpRequest, enrolment: Enrolment) -> None:
    if enrolment.decisions.filter(passed=True).exists():
        messages.error(request, _("%(learner)s has passed already.") % {"learner": enrolment.learner})
        return
    made = attempt(
        request,
        lambda: record_result(id=uuid.uuid4(), enrolment=enrolment, actor=request.user, now=timezone.now()),
    )
    if made and made[0].passed:
        messages.success(request, _("Decided: %(learner)s has passed.") % {"learner": enrolment.learner})
    elif made:
        says = _("Decided: %(learner)s has not passed. The findings say why, or what is still open.")
        messages.info(request, says % {"learner": enrolment.learner})


def _assessment(blueprint: Blueprint, id: str) -> str:
    return next((a.title for a in blueprint.assessments if a.id == id), id)


def _results(blueprint: Blueprint, value: DecisionValue) -> list[tuple[str, str, bool]]:
    """(outcome, percent, achieved) once all marks are settled; rounded down, so that 59.96 is never shown as 60."""
    if any(value.report[id].verdict is not Verdict.PASS for id in ("marks.complete", "marks.reconciled")):
        return []
    statements = {o.id: o.statement for o in blueprint.outcomes}
    return [
        (statements.get(r.outcome_id, r.outcome_id), f"{math.floor(r.percent * 10) / 10:g} %", r.achieved)
        for r in value.outcome_results
    ]


# --- Awarding ---


@audience("person")
@require_POST
def give_awards(request: HttpRequest, slug: str) -> HttpResponse:
    """Each chosen decision gets its award or its reason why not; one that fails holds up none of the others."""
    provider = load_provider(request, slug, "award")
    chosen = list(dict.fromkeys(request.POST.getlist("decision")))
    if not chosen:
        messages.error(request, _("Choose at least one learner."))
    elif len(chosen) > PAGE:
        messages.error(request, _("Choose at most %(most)d learners at once.") % {"most": PAGE})
        chosen = []
    for text in chosen:
        _give(request, provider, text)
    return redirect("awards", slug=slug)


def _give(request: HttpRequest, provider: Organisation, text: str) -> None:
    decision = _decision(provider, text)
    if decision is None:
        messages.error(request, _("One of the decisions is not known here; reload the page and choose again."))
        return
    learner, title = decision.enrolment.learner, decision.enrolment.offering.blueprint_version.title
    try:
        award_credential(
            id=uuid.uuid4(), decision=decision, entropy=secrets.token_bytes, actor=request.user, now=timezone.now()
        )
    except GuildmarkError as problem:
        messages.error(request, _("%(learner)s: %(problem)s") % {"learner": learner, "problem": problem})
    else:
        says = _("%(learner)s has “%(title)s”; the link to take it goes out by e-mail.")
        messages.success(request, says % {"learner": learner, "title": title})


def _decision(provider: Organisation, text: str) -> Decision | None:
    try:
        key = uuid.UUID(text)
    except ValueError:
        return None
    rows = Decision.objects.select_related("enrolment__learner", "enrolment__offering__blueprint_version")
    return rows.filter(pk=key, enrolment__offering__blueprint_version__provider=provider).first()


# --- One award ---


MOVES = {
    "suspended": (gettext_lazy("Suspend"), gettext_lazy("Suspend this credential")),
    "valid": (gettext_lazy("Reinstate"), gettext_lazy("Reinstate this credential")),
    "revoked": (gettext_lazy("Revoke"), gettext_lazy("Revoke this credential for good")),
}
"""State to come -> what the link to it says, and what the button says."""

OPEN_TO = {"valid": ("suspended", "revoked"), "suspended": ("valid", "revoked"), "revoked": ()}
"""State -> states that a person may bring about; the service decides, this only says what to offer."""


class ReasonForm(PlainForm):
    """A reason that is published by its code, and a note that is not."""

    code = forms.ChoiceField(widget=forms.RadioSelect, label=gettext_lazy("Reason"))
    note = forms.CharField(
        required=False,
        max_length=2000,
        label=gettext_lazy("Note for your own record"),
        help_text=gettext_lazy("It is not published, and the learner is not sent it."),
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class StatusForm(ReasonForm):
    """Why the status changes."""

    def __init__(self, *args: Any, state: str, **options: Any) -> None:
        super().__init__(*args, **options)
        # Reasons about components are given by the site itself, when a credential that a larger one rests on changes;
        # others by those who put another credential in its place, on pages of their own.
        codes = {
            code: says
            for code, says in REASONS[state].items()
            if not code.startswith("component_") and code not in ONLY_WITH_A_REPLACEMENT
        }
        self.fields["code"].choices = [(code, told(says[:1].upper() + says[1:])) for code, says in codes.items()]
        if state == Award.State.REVOKED:
            self.fields["sure"] = forms.BooleanField(
                label=_("I know that a revocation cannot be taken back."),
                error_messages={"required": _("Tick this if you are sure; a suspension can be ended again.")},
            )


@private
@audience("person")
@require_safe
def award(request: HttpRequest, slug: str, id: uuid.UUID) -> HttpResponse:
    """One award: who holds it, how it stands and why, and what can be done."""
    row = load_award(request, slug, id, "change_status", "award", "decide")
    changes = [
        (change, REASONS.get(change.state, {}).get(change.code, change.code))
        for change in row.status_changes.select_related("by").order_by("at", "id")
    ]
    may_change = permits(request.user, "change_status", row.issuer)
    context = {
        "organisation": row.issuer,
        "award": row,
        "changes": changes,
        "replaced_by": Award.objects.filter(replaces=row).first(),
        "why_replaces": _why_replaces(row),
        "corrections": _corrections(row),
        "brought": brought_to(row.decision.enrolment) if row.decision_id is not None else None,
        "may_award": permits(request.user, "award", row.issuer),
        "may_change": may_change,
        "may_correct": row.decision_id is not None
        and row.state != Award.State.REVOKED
        and permits(request.user, "award", row.issuer),
        "may_reissue": _may_be_replaced(row) and permits(request.user, "award", row.issuer),
        "may_renew": row.valid_until is not None and row.state == Award.State.VALID,
        "moves": [(state, MOVES[state][0]) for state in OPEN_TO[row.state]] if may_change else [],
    }
    return render(request, "guildmark/provider/award.html", context)


def _why_replaces(award: Award) -> str:
    code = revoked_for(award.replaces) if award.replaces is not None else ""
    return REASONS["revoked"].get(code, "")


def _may_be_replaced(award: Award) -> bool:
    ended = award.valid_until is not None and award.valid_until <= timezone.now()
    return award.state != Award.State.REVOKED and not ended


def _corrections(award: Award) -> list[tuple[MarkCorrection, str, str, str]]:
    """The marks that were corrected after an award on this work, oldest first: criterion, level before, level now."""
    if award.decision is None:
        return []
    enrolment = award.decision.enrolment
    rows = MarkCorrection.objects.filter(mark__submission__enrolment=enrolment).select_related(
        "mark__marker", "mark__submission", "by"
    )
    criteria = {
        (assessment.id, criterion.id): criterion
        for assessment in blueprint_value(enrolment.offering.blueprint_version).assessments
        for criterion in assessment.criteria
    }
    found = []
    for row in rows.order_by("at", "id"):
        criterion = criteria[row.mark.submission.assessment, row.mark.criterion]
        titles = {level.id: level.title for level in criterion.levels}
        found.append((row, criterion.title, titles[row.mark.level], titles[row.level]))
    return found


class CorrectForm(PlainForm):
    """What the award should say: a name, a day, and any mark that was wrong."""

    name = forms.CharField(
        max_length=200,
        label=gettext_lazy("Made out to"),
        error_messages={"required": gettext_lazy("Write the name as it should stand on the certificate.")},
    )
    awarded_on = forms.DateField(
        label=gettext_lazy("Day of the decision"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    reason = forms.CharField(
        max_length=2000,
        label=gettext_lazy("What was wrong, and how it was found"),
        help_text=gettext_lazy("It stays in your record; the learner and whoever checks read that it was replaced."),
        error_messages={"required": gettext_lazy("Say what was wrong, and how it was found.")},
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    sure = forms.BooleanField(
        label=gettext_lazy("I know that the award as it is now is revoked for good."),
        error_messages={"required": gettext_lazy("Tick this if you are sure.")},
    )

    def __init__(self, *args: Any, marks: list[tuple[Mark, Criterion]], **options: Any) -> None:
        super().__init__(*args, **options)
        self.marks = marks
        for mark, criterion in marks:
            given = next(level.title for level in criterion.levels if level.id == mark.level)
            self.fields[f"mark_{mark.pk}"] = forms.ChoiceField(
                required=False,
                label=_("“%(criterion)s”, marked by %(marker)s")
                % {"criterion": criterion.title, "marker": mark.marker},
                choices=[
                    ("", _("as it is: %(level)s") % {"level": given}),
                    *((level.id, level.title) for level in criterion.levels if level.id != mark.level),
                ],
            )
        self.order_fields(["name", "awarded_on", *(f"mark_{mark.pk}" for mark, _c in marks), "reason", "sure"])

    def levels(self) -> dict[int, str]:
        """The marks that were wrong, and what they should have been."""
        given = {mark.pk: self.cleaned_data[f"mark_{mark.pk}"] for mark, _criterion in self.marks}
        return {key: level for key, level in given.items() if level}


@private
@audience("person")
@require_http_methods(["GET", "HEAD", "POST"])
def correct(request: HttpRequest, slug: str, id: uuid.UUID) -> HttpResponse:
    """An award that says something wrong is revoked, and a right one takes its place; each leads to the other."""
    row = load_award(request, slug, id, "award")
    here = reverse("award-detail", args=[slug, id])
    if row.state == Award.State.REVOKED or row.decision is None:
        messages.error(
            request, _("A revoked award is not corrected, and a larger credential by correcting what it rests on.")
        )
        return redirect(here)
    value = decision_value(row.decision)
    form = CorrectForm(
        request.POST if request.method == "POST" else None,
        marks=_marks_of(row),
        initial={"name": row.learner.name, "awarded_on": value.decided_at.date()},
    )
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            made = correct_award(
                id=uuid.uuid4(),
                decision_id=uuid.uuid4(),
                award=row,
                name=given["name"],
                awarded_on=given["awarded_on"],
                levels=form.levels(),
                reason=given["reason"],
                entropy=secrets.token_bytes,
                actor=request.user,
                now=timezone.now(),
            )
        except BrokenInput as problem:
            form.add_error(problem.where if problem.where in form.fields else None, told(problem))
        except GuildmarkError as problem:
            form.add_error(None, told(problem))
        else:
            if made.new is None:
                messages.info(
                    request, _("The award is revoked. With the corrected marks it is no pass, so nothing is awarded.")
                )
                return redirect(here)
            messages.success(
                request, _("Corrected: this award takes the place of the one before, and the learner is told.")
            )
            return redirect("award-detail", slug=slug, id=made.new.id)
    facts = [(_("Credential"), row.title), (_("Learner"), row.learner.name)]
    says = _(
        "A signed credential never changes. The one that is wrong is revoked, with the reason that it was replaced, "
        "and a new one is awarded from the same work; whoever has the old one is led to the new one."
    )
    return form_page(
        request, form, row.issuer, _("Correct this award"), _("Revoke it and award anew"), (here, row.title),
        facts=facts, says=says,
    )  # fmt: skip


class AnewForm(ReasonForm):
    """That a newer award takes the place of this one."""

    sure = forms.BooleanField(
        label=gettext_lazy("I know that the award as it is now is revoked for good."),
        error_messages={"required": gettext_lazy("Tick this if you are sure.")},
    )

    def __init__(self, *args: Any, codes: tuple[str, ...], **options: Any) -> None:
        super().__init__(*args, **options)
        if codes:
            says = {code: REASONS["revoked"][code] for code in codes}
            self.fields["code"].choices = [(code, told(text[:1].upper() + text[1:])) for code, text in says.items()]
        else:
            del self.fields["code"]


@private
@audience("person")
@require_http_methods(["GET", "HEAD", "POST"])
def renew(request: HttpRequest, slug: str, id: uuid.UUID) -> HttpResponse:
    """A credential that will end is valid for a further term: a newer one takes its place."""
    says = _(
        "A signed credential never changes, so its end cannot be moved. A newer one, valid for a further term after "
        "that end, takes its place; the learner is sent it, and whoever checks the old one is told."
    )
    return _anew(request, slug, id, (), renew_award, _("Renew this award"), _("Renew it"), says)


@private
@audience("person")
@require_http_methods(["GET", "HEAD", "POST"])
def reissue(request: HttpRequest, slug: str, id: uuid.UUID) -> HttpResponse:
    """The same credential, signed with the key of today, takes the place of this one."""
    says = _(
        "The same is signed again, with the key that you sign with now, and takes the place of this one; the learner "
        "is sent it, and whoever checks the old one is told. Do this if the key that signed it was exposed."
    )
    codes = ("reissued", "key_compromised")
    return _anew(request, slug, id, codes, reissue_award, _("Issue this award anew"), _("Issue it anew"), says)


def _anew(
    request: HttpRequest,
    slug: str,
    id: uuid.UUID,
    codes: tuple[str, ...],
    verb: Callable[..., Award],
    title: str,
    button: str,
    says: str,
) -> HttpResponse:
    row = load_award(request, slug, id, "award")
    here = reverse("award-detail", args=[slug, id])
    form = AnewForm(request.POST if request.method == "POST" else None, codes=codes)
    if request.method == "POST" and form.is_valid():
        given = {name: form.cleaned_data[name] for name in ("code", "note") if name in form.cleaned_data}
        try:
            new = verb(
                id=uuid.uuid4(),
                decision_id=uuid.uuid4(),
                award=row,
                entropy=secrets.token_bytes,
                actor=request.user,
                now=timezone.now(),
                **given,
            )
        except GuildmarkError as problem:
            form.add_error(None, told(problem))
        else:
            messages.success(request, _("This award takes the place of the one before, and the learner is told."))
            return redirect("award-detail", slug=slug, id=new.id)
    facts = [(_("Credential"), row.title), (_("Learner"), row.learner.name)]
    return form_page(request, form, row.issuer, title, button, (here, row.title), facts=facts, says=says)


def _marks_of(award: Award) -> list[tuple[Mark, Criterion]]:
    """The marks that the award rests on, each with its criterion, in the order of the blueprint."""
    enrolment = award.decision.enrolment
    marks = Mark.objects.filter(submission__enrolment=enrolment).select_related("submission", "marker")
    found: dict[tuple[str, str], list[Mark]] = {}
    for mark in marks.order_by("marked_at", "id"):
        found.setdefault((mark.submission.assessment, mark.criterion), []).append(mark)
    blueprint = blueprint_value(enrolment.offering.blueprint_version)
    return [
        (mark, criterion)
        for assessment in blueprint.assessments
        for criterion in assessment.criteria
        for mark in found.get((assessment.id, criterion.id), ())
    ]


@audience("person")
@require_POST
def resend(request: HttpRequest, slug: str, id: uuid.UUID) -> HttpResponse:
    """The learner is sent a fresh link to take the credential."""
    row = load_award(request, slug, id, "change_status")
    sent = attempt(
        request,
        lambda: resend_claim(award=row, entropy=secrets.token_bytes, actor=request.user, now=timezone.now()),
    )
    if sent:
        messages.success(request, _("A fresh link to take it is on its way to %(learner)s.") % {"learner": row.learner})
    return redirect("award-detail", slug=slug, id=id)


@private
@audience("person")
@require_http_methods(["GET", "HEAD", "POST"])
def status(request: HttpRequest, slug: str, id: uuid.UUID, state: str) -> HttpResponse:
    """The page on which a suspension, reinstatement or revocation is given its reason and confirmed."""
    row = load_award(request, slug, id, "change_status")
    if state not in MOVES:
        raise Http404("There is no such status.")
    here = reverse("award-detail", args=[slug, id])
    if state not in OPEN_TO[row.state]:
        messages.error(
            request,
            _("This credential is %(state)s; that change is not possible.") % {"state": row.get_state_display()},
        )
        return redirect(here)
    form = StatusForm(request.POST if request.method == "POST" else None, state=state)
    if request.method == "POST" and form.is_valid():
        try:
            changed, reopened = change_status(
                award=row,
                state=state,
                code=form.cleaned_data["code"],
                note=form.cleaned_data["note"],
                entropy=secrets.token_bytes,
                actor=request.user,
                now=timezone.now(),
            )
        except GuildmarkError as problem:
            form.add_error(None, told(problem))
        else:
            _tell_change(request, changed, len(reopened))
            return redirect(here)
    facts = [
        (_("Credential"), row.title),
        (_("Learner"), row.learner.name),
        (_("Status now"), row.get_state_display()),
    ]
    button = MOVES[state][1]
    return form_page(
        request, form, row.issuer, button, button, (here, row.title), facts=facts, says=_consequence(state)
    )


def _consequence(state: str) -> str:
    match state:
        case "suspended":
            return _("Whoever checks it is told at once that it does not hold, and why. You can end this again.")
        case "valid":
            return _("Whoever checks it is told at once that it holds again.")
        case _:
            return _("Whoever checks it is told from now on that it does not hold, and why. This is for good.")


def _tell_change(request: HttpRequest, award: Award, reopened: int) -> None:
    says = _("“%(title)s” of %(learner)s is now %(state)s; the published status list says so.")
    messages.success(
        request, says % {"title": award.title, "learner": award.learner, "state": award.get_state_display().lower()}
    )
    if reopened:
        more = ngettext(
            "%(n)d larger credential rests on it and was looked at again.",
            "%(n)d larger credentials rest on it and were looked at again.",
            reopened,
        )
        messages.info(request, more % {"n": reopened})
