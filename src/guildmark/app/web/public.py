"""Pages for anyone: check a credential, claim one's own, check a paper, and every document that a verifier fetches.

The pages for checking hold no state: no session, no cookie, nothing of what is checked is kept. They are therefore
exempt from the CSRF check, which would need a cookie to protect nothing. Taking a credential changes a row, and is not
exempt.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from uuid import UUID

from django import forms
from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from guildmark.app.access import audience
from guildmark.app.doors import network
from guildmark.app.queries.awards import (
    award_by_claim,
    award_on_paper,
    files_of,
    holder_view,
    is_erased,
    is_made_out_to,
    paper_view,
)
from guildmark.app.queries.published import PublishedFetcher, published
from guildmark.app.records import Award
from guildmark.app.services.awards import claim_award
from guildmark.app.web.security import private
from guildmark.core.errors import GuildmarkError
from guildmark.core.report import Finding, Report, Verdict
from guildmark.credential.verify import verify_credential

LARGEST = 5_000_000
"""Bytes of a credential or badge image that is looked at; a form around it may take a little more."""

TOO_LARGE = "What you sent is larger than 5 MB; a credential is far smaller, so check that you chose the right file."

A_PAPER = "This is a PDF: follow the address in its QR code, or choose the credential (JSON) or the badge image."

ERASED = (
    "A credential with this number was issued here. Its holder has asked us to forget them, so this page can no longer "
    "compare the paper with it. Ask the holder for the credential itself: its file can still be checked."
)

UNKNOWN_LINK = "This link is not known. Ask your provider to send it again."


class PlainForm(forms.Form):
    """Labels stand as they are written, without Django's colon."""

    def __init__(self, *args, **options):
        super().__init__(*args, label_suffix="", **options)


class VerifyForm(PlainForm):
    """One of three: text, a file, an address."""

    text = forms.CharField(
        required=False,
        strip=True,
        max_length=LARGEST,
        label="Paste the credential",
        help_text="Everything from the first { to the last }.",
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false", "autocomplete": "off"}),
    )
    file = forms.FileField(
        required=False,
        label="Or choose its file",
        help_text="JSON, or a badge image in PNG or SVG; at most 5 MB.",
        widget=forms.FileInput(attrs={"accept": ".json,.jsonld,.png,.svg,application/json,image/png,image/svg+xml"}),
    )
    url = forms.URLField(
        required=False,
        assume_scheme="https",
        label="Or give its web address",
        help_text="It begins with https:// and leads to the credential or the badge image.",
        widget=forms.URLInput(attrs={"autocomplete": "off", "inputmode": "url"}),
    )

    def clean_file(self):
        given = self.cleaned_data["file"]
        if given and given.size > LARGEST:
            raise forms.ValidationError(TOO_LARGE)
        if given and given.read(5) == b"%PDF-":
            raise forms.ValidationError(A_PAPER)
        if given:
            given.seek(0)
        return given

    def clean(self):
        given = super().clean()
        self.ways = [name for name in ("text", "file", "url") if given.get(name)]
        if len(self.ways) != 1 and not self.errors:
            raise forms.ValidationError("Paste a credential, choose a file, or give an address: one of the three.")
        return given

    @property
    def way(self) -> str:
        """The field that was filled in."""
        return self.ways[0]

    def document(self) -> bytes:
        """The bytes to check, from whichever way they came."""
        given = self.cleaned_data
        match self.way:
            case "text":
                return given["text"].encode()
            case "file":
                return given["file"].read()
            case _:
                return PublishedFetcher(network()).fetch(given["url"]).body

    def paper(self) -> UUID | None:
        """The award, if what was given is the address that a certificate of this site prints."""
        url = self.cleaned_data.get("url") or ""
        found = re.fullmatch(re.escape(settings.BASE_URL) + r"/verify/([0-9a-f-]{36})", url)
        try:
            return UUID(found[1]) if found else None
        except ValueError:
            return None


class NameForm(PlainForm):
    """The name on a paper, as it is printed."""

    name = forms.CharField(
        max_length=300,
        label="Name on the paper",
        help_text="Letter by letter as it is printed, with its accents and capitals.",
        error_messages={"required": "Type the name that is printed on the paper."},
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )


_WORDS = {
    Verdict.PASS: ("✓", "Holds"),
    Verdict.FAIL: ("✕", "Does not hold"),
    Verdict.UNKNOWN: ("?", "Cannot be told"),
    Verdict.NOT_APPLICABLE: ("–", "Does not apply"),
}
"""Symbol and word; the symbol is decoration, the word is what counts."""

_ORDER = [Verdict.FAIL, Verdict.UNKNOWN, Verdict.PASS, Verdict.NOT_APPLICABLE]


@dataclass(frozen=True, slots=True)
class Line:
    """One finding as the page shows it."""

    finding: Finding

    @property
    def symbol(self) -> str:
        return _WORDS[self.finding.verdict][0]

    @property
    def word(self) -> str:
        return _WORDS[self.finding.verdict][1]

    @property
    def style(self) -> str:
        return self.finding.verdict.name.lower().replace("_", "-")


@dataclass(frozen=True, slots=True)
class Answer:
    """The report in the words of the page."""

    report: Report

    @property
    def symbol(self) -> str:
        return _WORDS[self.report.verdict][0]

    @property
    def style(self) -> str:
        return self.report.verdict.name.lower().replace("_", "-")

    @property
    def headline(self) -> str:
        match self.report.verdict:
            case Verdict.PASS:
                return "This credential holds."
            case Verdict.FAIL:
                return "This credential does not hold."
            case _:
                return "We could not tell whether this credential holds."

    @property
    def advice(self) -> str:
        match self.report.verdict:
            case Verdict.PASS:
                return "It is unchanged since its issuer signed it, and it is in force now."
            case Verdict.FAIL:
                return "Do not rely on it. What went wrong stands first in the list."
            case _:
                return "Something that is needed could not be read. Do not rely on it until you have tried again."

    @property
    def lines(self) -> list[Line]:
        return [Line(f) for f in sorted(self.report.findings, key=lambda f: _ORDER.index(f.verdict))]


def checked(document: bytes) -> Answer:
    """The document is verified now, with what is published here and elsewhere."""
    return Answer(verify_credential(document, now=timezone.now(), fetcher=PublishedFetcher(network())))


@audience("public")
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def verify(request: HttpRequest) -> HttpResponse:
    """Anyone checks a credential; nothing that is checked is kept."""
    if request.method != "POST":
        return render(request, "guildmark/verify.html", {"form": VerifyForm(), "answer": None})
    try:
        # Asked before the body is read, so that a huge one is refused and not stored first.
        if int(request.META.get("CONTENT_LENGTH") or 0) > LARGEST + 100_000:
            raise RequestDataTooBig
        form = VerifyForm(request.POST, request.FILES)
    except RequestDataTooBig:
        context = {"form": VerifyForm(), "answer": None, "problem": TOO_LARGE}
        return render(request, "guildmark/verify.html", context, status=413)
    answer = None
    if form.is_valid():
        if award := form.paper():
            return redirect("verify-paper", id=award)
        try:
            answer = checked(form.document())
        except GuildmarkError as error:
            form.add_error(form.way, str(error))
    shown = VerifyForm() if answer else form
    context = {"form": shown, "answer": answer}
    return render(request, "guildmark/verify.html", context, status=200 if answer else 422)


@audience("public")
@private
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def verify_paper(request: HttpRequest, id: UUID) -> HttpResponse:
    """Where a certificate's QR code leads: whether that credential holds now, and whether the name on it is right.

    Neither a name nor a result is shown before the right name was typed, so that the address alone, in a log or a
    history, tells of nobody (docs/decisions/0004).
    """
    award = award_on_paper(id)
    if award is None:
        raise Http404("No credential with this number was issued here. A paper that bears it cannot be relied on.")
    if is_erased(award):
        return render(request, "guildmark/problem.html", {"problem": ERASED}, status=410)
    form = NameForm(request.POST if request.method == "POST" else None)
    named = is_made_out_to(award, form.cleaned_data["name"]) if form.is_valid() else None
    context = {"view": paper_view(award), "answer": checked(bytes(award.document)), "form": form, "named": named}
    status = 422 if form.is_bound and named is None else 200
    return render(request, "guildmark/paper.html", context, status=status)


def _claimed(token: str) -> Award:
    award = award_by_claim(token)
    if award is None:
        raise Http404(UNKNOWN_LINK)
    return award


@audience("public")
@private
@require_safe
def claim(request: HttpRequest, token: str) -> HttpResponse:
    """A learner's own credential behind a link that nobody can guess; no account is needed."""
    award = _claimed(token)
    context = {"view": holder_view(award), "answer": checked(bytes(award.document)), "token": token}
    return render(request, "guildmark/claim.html", context)


@audience("public")
@private
@require_POST
def claim_accept(request: HttpRequest, token: str) -> HttpResponse:
    """The learner takes the credential; taking it twice changes nothing."""
    claim_award(award=_claimed(token), now=timezone.now())
    return redirect("claim", token=token)


@audience("public")
@private
@require_safe
def claim_file(request: HttpRequest, token: str, name: str) -> HttpResponse:
    """One of the files of a credential, for whoever has the link."""
    return award_file(request, _claimed(token), name, {"token": token})


def award_file(request: HttpRequest, award: Award, name: str, back: dict[str, str]) -> HttpResponse:
    """One of the files of an award that the caller has let through; `back` is where a problem's page leads."""
    file = next((f for f in files_of(award) if f.name == name), None)
    if file is None:
        raise Http404("This file is not there; a receipt comes with the log's next checkpoint, a minute later.")
    try:
        body = file.make(award)
    except GuildmarkError as error:
        return render(request, "guildmark/problem.html", {"problem": str(error), **back}, status=422)
    response = HttpResponse(body, content_type=file.media_type)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@audience("public")
@require_safe
def published_document(request: HttpRequest, path: str) -> HttpResponse:
    """A DID document, an achievement, a status list, a tile of the log: bytes as published, for any verifier."""
    found = published(settings.BASE_URL + request.get_full_path())
    if found is None:
        raise Http404("Nothing is published at this address.")
    response = HttpResponse(found.body, content_type=found.media_type)
    response.headers["Access-Control-Allow-Origin"] = "*"
    immutable = path.startswith("log/tile/") and ".p/" not in path
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if immutable else "public, max-age=60"
    return response


def refused(request: HttpRequest, exception: Exception) -> HttpResponse:
    """The page for a request that Django does not take: too large, or malformed."""
    large = isinstance(exception, RequestDataTooBig)
    says = TOO_LARGE if large else "The request could not be understood; go back, reload the page and try again."
    return render(request, "guildmark/problem.html", {"problem": says}, status=413 if large else 400)
