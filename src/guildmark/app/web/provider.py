"""Pages of those who design for a provider: blueprints, signatures, the quality gate, offerings."""

from __future__ import annotations

import dataclasses
import json
import re
import uuid
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from guildmark.app.access import audience, permits
from guildmark.app.queries.comments import threads
from guildmark.app.queries.design import blueprint_value
from guildmark.app.queries.needs import needs_for
from guildmark.app.queries.provider import (
    blueprint_lines,
    blueprints_of,
    demand_of,
    enrolments_of,
    is_open,
    offerings_of,
    partners_to_ask,
    signatures,
    snapshots,
)
from guildmark.app.records import BlueprintVersion, GateResult, Need, Organisation
from guildmark.app.services import assess, design
from guildmark.app.services.needs import answer_need
from guildmark.app.web.answers import SYMBOLS, Line, attempt, lines_of, page_of, style_of
from guildmark.app.web.charts import Bar, interval_chart
from guildmark.app.web.loaders import load_offering, load_provider, load_version
from guildmark.app.web.public import PlainForm
from guildmark.app.web.security import private
from guildmark.app.web.sentences import told
from guildmark.assess.delivery import Activity
from guildmark.core.errors import BrokenInput, GuildmarkError
from guildmark.core.report import Finding, Report, Verdict
from guildmark.core.rules import Rule, Rulebook
from guildmark.design.blueprint import Blueprint
from guildmark.design.gate import CORE, builtin_rulebooks
from guildmark.skills.demand import DemandLine

LARGEST = 1_000_000
"""Bytes of a blueprint file; the samples have about 12,000."""

# --- Drafting ---


@cache
def samples() -> dict[str, dict[str, Any]]:
    """The blueprints that come with guildmark, by name."""
    folder = files("guildmark.design") / "samples"
    found = sorted((entry for entry in folder.iterdir() if entry.name.endswith(".json")), key=lambda e: e.name)
    return {entry.name.removesuffix(".json"): json.loads(entry.read_bytes()) for entry in found}


class BlueprintFile(forms.FileField):
    """A blueprint as a file, bounded."""

    widget = forms.FileInput(attrs={"accept": ".json,.toml,application/json"})

    def clean(self, data: Any, initial: Any = None) -> Any:
        given = super().clean(data, initial)
        if given and given.size > LARGEST:
            raise forms.ValidationError(_("That file is larger than 1 MB; a blueprint is far smaller."))
        return given


class DraftForm(PlainForm):
    """A new blueprint: from a sample or from a file, with the demand that it answers."""

    sample = forms.ChoiceField(
        required=False,
        label=gettext_lazy("Start from a copy of a sample"),
        help_text=gettext_lazy("You can change everything afterwards: take the file, edit it, and upload it again."),
    )
    title = forms.CharField(
        required=False,
        max_length=300,
        label=gettext_lazy("Title of the copy"),
        help_text=gettext_lazy("Left empty, it has the title of the sample."),
    )
    file = BlueprintFile(required=False, label=gettext_lazy("Or upload a blueprint"))
    demand = forms.ModelChoiceField(
        queryset=None,
        required=False,
        label=gettext_lazy("Demand that it answers"),
        empty_label=gettext_lazy("none, or what the file says"),
        help_text=gettext_lazy("How many job ads ask for each skill, as measured on a day; frozen into the draft."),
    )

    def __init__(self, *args: Any, provider: Organisation, **options: Any) -> None:
        super().__init__(*args, **options)
        self.provider = provider
        titles = [(name, found["title"]) for name, found in samples().items()]
        self.fields["sample"].choices = [("", _("no sample")), *titles]
        self.fields["file"].help_text = _("JSON or TOML, at most 1 MB. Its provider_id has to be %(did)s.") % {
            "did": provider.did
        }
        demand = self.fields["demand"]
        demand.queryset = snapshots()
        demand.label_from_instance = lambda row: (
            _("“%(query)s”, %(n)d ads, %(day)s (%(source)s)")
            % {
                "query": row.query or _("all ads"),
                "n": row.of,
                "day": row.on,
                "source": row.source,
            }
        )

    def clean(self) -> dict[str, Any]:
        given = super().clean()
        if not self.errors and bool(given.get("sample")) == bool(given.get("file")):
            raise forms.ValidationError(_("Choose a sample or a file: one of the two."))
        if given.get("file") and given.get("title"):
            self.add_error("title", _("A file brings its own title; leave this empty."))
        return given

    def document(self) -> bytes:
        """The blueprint: the file as it is, or a copy of the sample that is this provider's own."""
        given = self.cleaned_data
        if given["file"]:
            return given["file"].read()
        sample = samples()[given["sample"]]
        copy = {**sample, "id": f"urn:uuid:{uuid.uuid4()}", "provider_id": self.provider.did}
        return json.dumps({**copy, "title": given["title"] or sample["title"]}).encode()


class ReviseForm(PlainForm):
    """New content for a draft."""

    file = BlueprintFile(
        label=gettext_lazy("The blueprint as it should be"),
        help_text=gettext_lazy("JSON or TOML, at most 1 MB. Its id stays; its demand stays frozen as it is."),
    )


@audience("person")
@require_safe
def blueprints(request: HttpRequest, slug: str) -> HttpResponse:
    """Every blueprint of the provider: its state, the demand behind it, who signed."""
    provider = load_provider(request, slug)
    page = page_of(request, blueprints_of(provider))
    context = {
        "organisation": provider,
        "page": page,
        "lines": blueprint_lines(page.object_list),
        "may_design": permits(request.user, "design", provider),
    }
    return render(request, "guildmark/provider/blueprints.html", context)


@audience("person")
@require_http_methods(["GET", "HEAD", "POST"])
def draft_blueprint(request: HttpRequest, slug: str) -> HttpResponse:
    """A designer drafts a blueprint."""
    provider = load_provider(request, slug, "design")
    wanted = request.GET.get("need", "")
    need = _open_need(provider, wanted)
    if wanted and need is None and request.method != "POST":
        raise Http404(_("This need is not open any more."))
    sent = (request.POST, request.FILES) if request.method == "POST" else ()
    form = DraftForm(*sent, provider=provider, initial={"demand": request.GET.get("demand", "")[:36]})
    if request.method == "POST" and form.is_valid():
        try:
            row = design.draft_blueprint(
                id=uuid.uuid4(),
                document=form.document(),
                provider=provider,
                demand=form.cleaned_data["demand"],
                actor=request.user,
                now=timezone.now(),
            )
        except GuildmarkError as problem:
            form.add_error("file" if form.cleaned_data["file"] else None, told(problem))
        else:
            messages.success(request, _("“%(title)s” is a draft.") % {"title": row.title})
            if wanted:
                _answer(request, need, row)
            return redirect("blueprint", slug=slug, id=row.id)
    back, says = (reverse("blueprints", args=[slug]), _("Micro-credentials")), ""
    if need is not None:
        back = (reverse("answer-need", args=[slug, need.id]), need.role)
        says = _("The draft answers “%(role)s”: %(partner)s is told at once, and can read it and comment on it.")
        says %= {"role": need.role, "partner": need.partner}
    return form_page(request, form, provider, _("Draft a micro-credential"), _("Make the draft"), back, says=says)


def _open_need(provider: Organisation, text: str) -> Need | None:
    """The need with this id, if it is one that the provider could answer."""
    try:
        return needs_for(provider, every_field=True).filter(pk=uuid.UUID(text)).first()
    except ValueError:
        return None


def _answer(request: HttpRequest, need: Need | None, draft: BlueprintVersion) -> None:
    """The new draft answers the need it was begun for; where the need was closed meanwhile, it stays a draft."""
    if need is None:
        messages.error(request, _("This need is not open any more."))
    elif attempt(request, lambda: answer_need(need=need, version=draft, actor=request.user, now=timezone.now())):
        says = _("%(partner)s is told, and can read “%(title)s”.")
        messages.success(request, says % {"partner": need.partner, "title": draft.title})


def form_page(
    request: HttpRequest,
    form: forms.Form,
    organisation: Organisation,
    title: str,
    button: str,
    back: tuple[str, str],
    **more: Any,
) -> HttpResponse:
    """The page of one form; 422 if what was sent has to be mended."""
    context = {
        "form": form,
        "organisation": organisation,
        "title": title,
        "button": button,
        "back_to": back[0],
        "back": back[1],
        **more,
    }
    return render(request, "guildmark/provider/form.html", context, status=422 if form.errors else 200)


# --- One blueprint ---


class GateForm(PlainForm):
    """Rulebooks to run beside our own core rules."""

    rulebooks = forms.MultipleChoiceField(
        required=False,
        widget=forms.CheckboxSelectMultiple,
        label=gettext_lazy("Rulebooks"),
        help_text=gettext_lazy("The guildmark core rules always run."),
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        books = [book for book in builtin_rulebooks().values() if book.id != CORE]
        self.fields["rulebooks"].choices = [
            (book.id, _("%(title)s (version %(version)s)") % {"title": book.title, "version": book.version})
            for book in books
        ]


class AskForm(PlainForm):
    """A partner to be asked."""

    partner = forms.ModelChoiceField(
        queryset=None,
        label=gettext_lazy("Industry partner"),
        empty_label=gettext_lazy("Choose one"),
        error_messages={
            "required": gettext_lazy("Choose the partner to ask."),
            "invalid_choice": gettext_lazy("That is no industry partner who can be asked; choose one from the list."),
        },
    )

    def __init__(self, *args: Any, version: BlueprintVersion, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["partner"].queryset = partners_to_ask(version)


class JudgeForm(PlainForm):
    """A person's verdict on one rule."""

    verdict = forms.ChoiceField(
        widget=forms.RadioSelect,
        label=gettext_lazy("Your verdict"),
        choices=[("pass", gettext_lazy("Met")), ("fail", gettext_lazy("Not met"))],
    )
    reason = forms.CharField(
        max_length=2000,
        label=gettext_lazy("Reason"),
        help_text=gettext_lazy("What you read and why you decide so. It is recorded with your name, and published."),
        widget=forms.Textarea(attrs={"rows": 4}),
    )


@dataclasses.dataclass(frozen=True, slots=True)
class MapRow:
    """One edge of the map in words."""

    task: str
    outcome: str
    assessment: str
    secure: bool


def _map_rows(blueprint: Blueprint) -> list[MapRow]:
    tasks = {t.id: t.statement for t in blueprint.tasks}
    outcomes = {o.id: o.statement for o in blueprint.outcomes}
    assessments = {a.id: a for a in blueprint.assessments}
    return [
        MapRow(tasks[e.task], outcomes[e.outcome], assessments[e.assessment].title, assessments[e.assessment].secure)
        for e in blueprint.task_map
    ]


@audience("person")
@require_safe
def blueprint(request: HttpRequest, slug: str, id: uuid.UUID) -> HttpResponse:
    """One version of a blueprint: what it says in words, who signed, what the gate found, what can be done now."""
    version = load_version(request, slug, id)
    return _blueprint_page(request, version)


def _blueprint_page(
    request: HttpRequest, version: BlueprintVersion, *, ask: AskForm | None = None, gate: GateForm | None = None
) -> HttpResponse:
    provider, value = version.provider, blueprint_value(version)
    is_draft = version.state == BlueprintVersion.State.DRAFT
    may = {action: permits(request.user, action, provider) for action in ("design", "judge", "publish", "offer")}
    result = version.gate_results.select_related("by").order_by("-seq").first()
    stale = is_draft and result is not None and result.digest != design.gate_digest(version)
    gate_lines = _gate_lines(version, result, may_judge=is_draft and may["judge"]) if result else []
    context = {
        "organisation": provider,
        "version": version,
        "blueprint": value,
        "map_rows": _map_rows(value),
        "demand_lines": demand_of(value),
        "demand_chart": _demand_chart(demand_of(value)),
        "signatures": [
            Line(SYMBOLS[s.verdict], s.word, style_of(s.verdict), s.says)
            for s in signatures(version, now=timezone.now())
        ],
        "threads": threads(version, value),
        "answer_to": reverse("answer-comment", args=[provider.slug, version.id]) if is_draft and may["design"] else "",
        "needs_answered": version.needs_answered.select_related("need__partner").order_by("at", "id"),
        "is_draft": is_draft,
        "may": may,
        "gate": result,
        "gate_stale": stale,
        "gate_open": [line for line in gate_lines if line.style in ("fail", "unknown")],
        "gate_rest": [line for line in gate_lines if line.style not in ("fail", "unknown")],
        "gate_passed": result is not None and result.verdict == Verdict.PASS.value and not stale,
        "gate_form": gate or GateForm(initial={"rulebooks": _books_before(version, result)}),
        "ask_form": ask or AskForm(version=version),
        "offerings": offerings_of(version),
    }
    bound = next((form for form in (ask, gate) if form is not None), None)
    context["form"] = bound
    return render(request, "guildmark/provider/blueprint.html", context, status=422 if bound else 200)


def _demand_chart(lines: list[DemandLine]) -> SafeString:
    """How often ads ask for each skill, with the interval in which the true share lies."""
    return interval_chart(
        "demand-chart",
        title=_("Share of job ads that ask for each skill"),
        says=_("A dot for each share on the line of its 95 % interval. The same numbers are in the table."),
        bars=[
            Bar(line.label, line.share, f"{round(100 * line.share)} %", low=line.low, high=line.high) for line in lines
        ],
    )


def _books_before(version: BlueprintVersion, result: GateResult | None) -> list[str]:
    """The rulebooks of the last run; before the first, the one of the blueprint's own country, if it is known."""
    if result is not None:
        return [id for id, _version in result.rulebooks]
    return ["au_nmf"] if version.document.get("country") == "AU" else ["eu_2022"]


def _gate_lines(version: BlueprintVersion, result: GateResult, *, may_judge: bool) -> list[Line]:
    def action(finding: Finding) -> str:
        if not may_judge or not _for_people(finding):
            return ""
        return reverse("judge-rule", args=[version.provider.slug, version.id, finding.id])

    return lines_of(Report.from_json(result.report).findings, action=action)


def _for_people(finding: Finding) -> bool:
    """Whether a person's judgement decides this finding, now or again; missing data is no matter of judgement."""
    return "awaits_judgement" in finding.because or "judgement" in finding.because


@audience("person")
@require_safe
def blueprint_file(request: HttpRequest, slug: str, id: uuid.UUID) -> HttpResponse:
    """The blueprint as a file, to be edited and uploaded again."""
    version = load_version(request, slug, id)
    body = json.dumps(version.document, indent=2, ensure_ascii=False) + "\n"
    response = HttpResponse(body, content_type="application/json; charset=utf-8")
    name = f"{slugify(version.title)[:60] or 'blueprint'}-v{version.version}.json"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@audience("person")
@require_http_methods(["GET", "HEAD", "POST"])
def revise_blueprint(request: HttpRequest, slug: str, id: uuid.UUID) -> HttpResponse:
    """A designer uploads new content for a draft; signatures over a map that changed are void and shown so."""
    version = load_version(request, slug, id, "design")
    here = reverse("blueprint", args=[slug, id])
    if version.state != BlueprintVersion.State.DRAFT:
        messages.error(
            request, _("%(version)s is published and never changes: draft a new version.") % {"version": version}
        )
        return redirect(here)
    form = ReviseForm(request.POST or None, request.FILES or None)
    if request.method == "POST":
        form = ReviseForm(request.POST, request.FILES)
    if request.method == "POST" and form.is_valid():
        try:
            design.revise_draft(
                version=version, document=form.cleaned_data["file"].read(), actor=request.user, now=timezone.now()
            )
        except GuildmarkError as problem:
            form.add_error("file", told(problem))
        else:
            messages.success(request, _("The draft is changed. Look whether the signatures still stand."))
            return redirect(here)
    says = _("A signature over a map that you change is void, and judgements are asked again.")
    title = _("Revise “%(title)s”") % {"title": version.title}
    return form_page(request, form, version.provider, title, _("Change the draft"), (here, version.title), says=says)


@audience("person")
@require_POST
def ask_partner(request: HttpRequest, slug: str, id: uuid.UUID) -> HttpResponse:
    """A designer asks an industry partner to read and sign the map of a draft."""
    version = load_version(request, slug, id, "design")
    form = AskForm(request.POST, version=version)
    if not form.is_valid():
        return _blueprint_page(request, version, ask=form)
    partner = form.cleaned_data["partner"]
    asked = attempt(
        request,
        lambda: design.ask_partner(version=version, partner=partner, actor=request.user, now=timezone.now()),
    )
    if asked:
        messages.success(request, _("%(partner)s is asked to sign, and told by e-mail.") % {"partner": partner})
    return redirect("blueprint", slug=slug, id=id)


@audience("person")
@require_POST
def answer_comment(request: HttpRequest, slug: str, id: uuid.UUID) -> HttpResponse:
    """A designer answers a partner's comment on a draft."""
    version = load_version(request, slug, id, "design")
    here = f"{reverse('blueprint', args=[slug, id])}#comments"
    thread = next(
        (
            t
            for t in threads(version, blueprint_value(version))
            if (str(t.partner.pk), t.element) == (request.POST.get("partner"), request.POST.get("element", ""))
        ),
        None,
    )
    if thread is None:
        raise Http404("There is no such comment.")
    said = attempt(
        request,
        lambda: design.comment(
            id=uuid.uuid4(),
            version=version,
            partner=thread.partner,
            element=thread.element,
            text=request.POST.get("text", "").replace("\x00", "")[:5000],
            organisation=version.provider,
            actor=request.user,
            now=timezone.now(),
        ),
    )
    if said:
        messages.success(request, _("Your answer is with %(partner)s.") % {"partner": thread.partner})
    return redirect(here)


@audience("person")
@require_POST
def run_gate(request: HttpRequest, slug: str, id: uuid.UUID) -> HttpResponse:
    """The quality gate looks at a draft."""
    version = load_version(request, slug, id, "design")
    form = GateForm(request.POST)
    if not form.is_valid():
        return _blueprint_page(request, version, gate=form)

    def look() -> Report:
        _row, report = design.submit_for_review(
            id=uuid.uuid4(),
            version=version,
            rulebooks=tuple(form.cleaned_data["rulebooks"]),
            actor=request.user,
            now=timezone.now(),
        )
        return report

    report = attempt(request, look)
    if report is not None and report.verdict is Verdict.PASS:
        messages.success(request, _("The quality gate passes this draft."))
    elif report is not None:
        says = _("The quality gate has looked: %(failed)d not met, %(open)d open. They stand first in its list.")
        messages.info(request, says % {"failed": len(report.failed()), "open": len(report.unknown())})
    return redirect(f"{reverse('blueprint', args=[slug, id])}#gate")


@audience("person")
@require_http_methods(["GET", "HEAD", "POST"])
def judge_rule(request: HttpRequest, slug: str, id: uuid.UUID, rule: str) -> HttpResponse:
    """A named person judges one rule that data alone cannot decide."""
    version = load_version(request, slug, id, "judge")
    book, asked = _rule_for_people(rule)
    here = reverse("blueprint", args=[slug, id])
    if version.state != BlueprintVersion.State.DRAFT:
        messages.error(
            request, _("%(version)s is not a draft any more; only a draft is judged.") % {"version": version}
        )
        return redirect(here)
    form = JudgeForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            design.judge(
                version=version,
                rule_id=asked.id,
                verdict=Verdict(form.cleaned_data["verdict"]),
                reason=form.cleaned_data["reason"],
                actor=request.user,
                now=timezone.now(),
            )
        except GuildmarkError as problem:
            form.add_error("reason", told(problem))
        else:
            says = _("Your judgement of %(rule)s is on record. Run the gate again when you have judged all.")
            messages.success(request, says % {"rule": asked.id})
            return redirect(f"{here}#gate")
    facts = [
        (_("Micro-credential"), str(version)),
        (_("Rulebook"), book.title),
        (_("Why it is asked"), asked.reason),
        (_("Source"), asked.source),
    ]
    found = _last_finding(version, asked.id)
    if found is not None:
        facts.append((_("What the gate found"), found.says))
    title = _("Judge: %(rule)s") % {"rule": asked.title}
    return form_page(request, form, version.provider, title, _("Record"), (here, version.title), facts=facts)


def _rule_for_people(id: str) -> tuple[Rulebook, Rule]:
    """The rule and its rulebook; 404 if there is none or data alone decides it."""
    for book in builtin_rulebooks().values():
        for rule in book.rules:
            if rule.id == id and rule.grade != "auto":
                return book, rule
    raise Http404("There is no such rule for people to judge.")


def _last_finding(version: BlueprintVersion, rule: str) -> Finding | None:
    result = version.gate_results.order_by("-seq").first()
    findings = Report.from_json(result.report).findings if result else ()
    return next((f for f in findings if f.id == rule), None)


@audience("person")
@require_POST
def publish_blueprint(request: HttpRequest, slug: str, id: uuid.UUID) -> HttpResponse:
    """An administrator publishes a draft that the gate passed."""
    version = load_version(request, slug, id, "publish")
    row = attempt(request, lambda: design.publish_blueprint(version=version, actor=request.user, now=timezone.now()))
    if row:
        messages.success(request, _("%(version)s is published. Now open an offering.") % {"version": row})
    return redirect("blueprint", slug=slug, id=id)


# --- Offerings ---


KINDS = ("text", "video", "audio", "practice", "project", "quiz")
MOST_ACTIVITIES = 100


class OfferingForm(PlainForm):
    """One run of a published blueprint."""

    title = forms.CharField(max_length=300, label=gettext_lazy("Title of the offering"))
    opens_on = forms.DateField(
        label=gettext_lazy("First day"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    closes_on = forms.DateField(
        required=False,
        label=gettext_lazy("Last day to enrol"),
        help_text=gettext_lazy("Left empty, it stays open and learners start when they like."),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    activities = forms.CharField(
        required=False,
        max_length=20_000,
        label=gettext_lazy("Activities"),
        help_text=gettext_lazy(
            "One a line: minutes, kind and title with commas between, such as “90, text, Joins step by step”. "
            "Kinds are text, video, audio, practice, project and quiz."
        ),
        widget=forms.Textarea(attrs={"rows": 6}),
    )

    def clean_activities(self) -> list[Activity]:
        lines = [line.strip() for line in self.cleaned_data["activities"].splitlines()]
        found, problems = [], []
        for number, line in enumerate(lines, start=1):
            if not line:
                continue
            try:
                found.append(_activity(number, line))
            except BrokenInput as problem:
                problems.append(told(problem))
        if len(found) > MOST_ACTIVITIES:
            problems.append(_("There are more than %(most)d activities.") % {"most": MOST_ACTIVITIES})
        if problems:
            raise forms.ValidationError(problems[:10])
        return found

    def clean(self) -> dict[str, Any]:
        given = super().clean()
        opens, closes = given.get("opens_on"), given.get("closes_on")
        if opens and closes and closes < opens:
            self.add_error("closes_on", _("The last day is before the first; swap the two."))
        return given


def _activity(number: int, line: str) -> Activity:
    parts = re.fullmatch(r"([0-9]{1,5})\s*,\s*(\w+)\s*,\s*(.+)", line)
    if parts is None:
        raise BrokenInput(
            _("is not minutes, kind and title"),
            where=_("line %(n)d") % {"n": number},
            hint=_("write it like “90, text, Joins step by step”"),
        )
    minutes, kind, title = int(parts[1]), parts[2].lower(), parts[3]
    where = _("line %(n)d") % {"n": number}
    if kind not in KINDS:
        raise BrokenInput(_("there is no kind “%(kind)s”") % {"kind": kind[:40]}, where=where, hint=", ".join(KINDS))
    if len(title) > 300:
        raise BrokenInput(_("the title is too long"), where=where, hint=_("at most 300 characters"))
    return Activity(id=f"activity-{number}", title=title, kind=kind, minutes=minutes, required=True)


@audience("person")
@require_http_methods(["GET", "HEAD", "POST"])
def open_offering(request: HttpRequest, slug: str, id: uuid.UUID) -> HttpResponse:
    """A designer offers a published blueprint."""
    version = load_version(request, slug, id, "offer")
    here = reverse("blueprint", args=[slug, id])
    if version.state != BlueprintVersion.State.PUBLISHED:
        messages.error(request, _("Only a published micro-credential can be offered; this one is a draft."))
        return redirect(here)
    today: date = timezone.now().date()
    initial = {"title": version.title, "opens_on": today}
    form = OfferingForm(request.POST if request.method == "POST" else None, initial=initial)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            row = assess.open_offering(
                id=uuid.uuid4(), version=version, actor=request.user, now=timezone.now(), **given
            )
        except GuildmarkError as problem:
            form.add_error(None, told(problem))
        else:
            messages.success(
                request, _("“%(title)s” is open from %(day)s.") % {"title": row.title, "day": row.opens_on}
            )
            return redirect("offering-enrolments", slug=slug, id=row.id)
    return form_page(
        request, form, version.provider, _("Open an offering"), _("Open it"), (here, version.title), says=str(version)
    )


@private
@audience("person")
@require_safe
def offering_enrolments(request: HttpRequest, slug: str, id: uuid.UUID) -> HttpResponse:
    """Who learns in the offering, and how far each has come."""
    offering = load_offering(request, slug, id, "offer", "decide")
    version = offering.blueprint_version
    context = {
        "organisation": version.provider,
        "offering": offering,
        "version": version,
        "page": page_of(request, enrolments_of(offering)),
        "activities": offering.activities.count(),
        "assessments": len(version.document["assessments"]),
        "is_open": is_open(offering, timezone.now().date()),
        "may_decide": permits(request.user, "decide", version.provider),
    }
    return render(request, "guildmark/provider/offering.html", context)
