"""Pages for anyone: check a credential, claim one's own, check a paper, and every document that a verifier fetches.

The pages for checking hold no state: no session, no cookie, nothing of what is checked is kept. They are therefore
exempt from the CSRF check, which would need a cookie to protect nothing. Taking a credential changes a row, and is not
exempt.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import segno
from django import forms
from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from guildmark.adapters.qr import read_qr
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
    replaced_by,
)
from guildmark.app.queries.published import PublishedFetcher, published
from guildmark.app.queries.reading import Reading, reading_of
from guildmark.app.records import Award
from guildmark.app.services.awards import claim_award
from guildmark.app.services.envelopes import FILES, PARTS, SD_JWT_VC, in_envelope, made_anew
from guildmark.app.web.answers import HOLDS_WORDS, ORDER, SYMBOLS, style_of
from guildmark.app.web.security import private
from guildmark.app.web.sentences import told
from guildmark.core.errors import BrokenInput, GuildmarkError
from guildmark.core.report import Finding, Report, Verdict
from guildmark.credential.bake import extract
from guildmark.credential.envelope import is_token
from guildmark.credential.verify import document_inside, verify_and_read

LARGEST = 5_000_000
"""Bytes of a credential or badge image that is looked at; a form around it may take a little more."""

DOCUMENTS = ".json,.jsonld,.jwt,.jws,.sd-jwt,.txt,application/json,text/plain,.png,.svg,image/png,image/svg+xml"
"""What a browser offers where a file with a credential is chosen."""

TOO_LARGE = _("What you sent is larger than 5 MB; a credential is far smaller, so check that you chose the right file.")

A_PAPER = _("This is a PDF: follow the address in its QR code, or choose the credential (JSON) or the badge image.")

ERASED = _(
    "A credential with this number was issued here. Its holder has asked us to forget them, so this page can no longer "
    "compare the paper with it. Ask the holder for the credential itself: its file can still be checked."
)

UNKNOWN_LINK = _("This link is not known. Ask your provider to send it again.")


class PlainForm(forms.Form):
    """Labels stand as they are written, without Django's colon."""

    def __init__(self, *args, **options):
        super().__init__(*args, label_suffix="", **options)


class VerifyForm(PlainForm):
    """One of three: text, a file or picture, an address; and whom it should be about, if somebody wants to know."""

    text = forms.CharField(
        required=False,
        strip=True,
        max_length=LARGEST,
        label=_("Paste the credential"),
        help_text=_("Everything from the first { to the last }, or the whole token, which begins with eyJ."),
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false", "autocomplete": "off"}),
    )
    file = forms.FileField(
        required=False,
        label=_("Or choose its file, or a photo of its QR code"),
        help_text=_(
            "JSON, a token (JWT, SD-JWT), a badge image in PNG or SVG, or a picture (PNG, JPEG) that shows the QR "
            "code; at most 5 MB."
        ),
        widget=forms.FileInput(attrs={"accept": f"{DOCUMENTS},image/jpeg"}),
    )
    url = forms.URLField(
        required=False,
        assume_scheme="https",
        label=_("Or give its web address"),
        help_text=_("It begins with https:// and leads to the credential, the badge image, or a page that was shared."),
        widget=forms.URLInput(attrs={"autocomplete": "off", "inputmode": "url"}),
    )
    recipient = forms.CharField(
        required=False,
        max_length=300,
        label=_("Whose should it be?"),
        help_text=_("If you want to ask: the e-mail address or the name that the person gave you. It is kept nowhere."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
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
            raise forms.ValidationError(_("Paste a credential, choose a file, or give an address: one of the three."))
        return given

    @property
    def way(self) -> str:
        """The field that was filled in."""
        return self.ways[0]

    def given(self) -> Given:
        """What was given, whichever way it came; a QR code counts as what it says. Fetches nothing."""
        said = self.cleaned_data
        match self.way:
            case "text":
                return Given(body=said["text"].encode())
            case "file":
                return _from_file(said["file"].read())
            case _:
                return Given(url=said["url"])


@dataclass(frozen=True, slots=True)
class Given:
    """A document, or an address where one is."""

    body: bytes = b""
    url: str = ""

    def page(self) -> HttpResponse | None:
        """The page of this site that the address leads to: of a paper, or of what was shared. Nothing else is one."""
        path = self.url.removeprefix(settings.BASE_URL) if self.url.startswith(settings.BASE_URL + "/") else ""
        if found := re.fullmatch(r"/verify/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})", path):
            return redirect("verify-paper", id=UUID(found[1]))
        if found := re.fullmatch(r"/shared/([0-9a-f]{16,128})", path):
            return redirect("shared", token=found[1])
        if path.startswith("/claim/"):
            raise BrokenInput(
                "is the holder's own key to it", where="this link", hint="ask the holder to share the credential"
            )
        return None

    def document(self) -> bytes:
        """The bytes to check, fetched if they are elsewhere."""
        return self.body or PublishedFetcher(network()).fetch(self.url).body


_PICTURES = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"RIFF")


def _from_file(body: bytes) -> Given:
    """A credential or a badge as it is; of another picture, what its QR code says."""
    if not body.startswith(_PICTURES):
        return Given(body=body)
    no_badge: BrokenInput | None = None
    if body.startswith(b"\x89PNG"):
        try:
            return Given(body=extract(body))
        except BrokenInput as problem:
            no_badge = problem
    try:
        text = read_qr(body).strip()
    except BrokenInput as problem:
        # A picture without a code may be a photo or the wrong badge; one that cannot be read is a badge that was cut.
        raise no_badge if no_badge is not None and "read as a picture" in problem.what else problem from no_badge
    if text.startswith("https://"):
        return Given(url=text)
    if text.startswith("{") or is_token(text.encode()):
        return Given(body=text.encode())
    raise BrokenInput(
        "holds neither a credential nor an https address", where="QR code", hint="use the code on the certificate"
    )


class NameForm(PlainForm):
    """The name on a paper, as it is printed."""

    name = forms.CharField(
        max_length=300,
        label=_("Name on the paper"),
        help_text=_("Letter by letter as it is printed, with its accents and capitals."),
        error_messages={"required": _("Type the name that is printed on the paper.")},
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )


@dataclass(frozen=True, slots=True)
class Line:
    """One finding as the page shows it."""

    finding: Finding

    @property
    def symbol(self) -> str:
        return SYMBOLS[self.finding.verdict]

    @property
    def word(self) -> str:
        return str(HOLDS_WORDS[self.finding.verdict][1])

    @property
    def style(self) -> str:
        return style_of(self.finding.verdict)


@dataclass(frozen=True, slots=True)
class Answer:
    """The report in the words of the page, how the credential reads, and where the one is that replaced it."""

    report: Report
    reading: Reading | None = None
    replaced_by: str = ""

    @property
    def symbol(self) -> str:
        return SYMBOLS[self.report.verdict]

    @property
    def style(self) -> str:
        return style_of(self.report.verdict)

    @property
    def headline(self) -> str:
        match self.report.verdict:
            case Verdict.PASS:
                return _("This credential holds.")
            case Verdict.FAIL:
                return _("This credential does not hold.")
            case _:
                return _("We could not tell whether this credential holds.")

    @property
    def advice(self) -> str:
        match self.report.verdict:
            case Verdict.PASS:
                return _("It is unchanged since its issuer signed it, and it is in force now.")
            case Verdict.FAIL:
                return _("Do not rely on it. What went wrong stands first in the list.")
            case _:
                return _("Something that is needed could not be read. Do not rely on it until you have tried again.")

    @property
    def replaced(self) -> str:
        """That another credential took its place and why, in words; "" if its issuer's list says nothing of that."""
        told = [f.because for f in self.report.findings if f.id.startswith("status.") and "replaced by" in f.because]
        if not told:
            return ""
        match told[0].get("reason"):
            case "corrected" | "result_corrected":
                return _("Its issuer found a mistake in it and has replaced it.")
            case "renewed":
                return _("It was renewed: a newer credential takes its place.")
            case "reissued" | "key_compromised":
                return _("Its issuer has issued it anew: a newer credential takes its place.")
            case _:
                return _("A newer credential takes its place.")

    @property
    def replaces(self) -> bool:
        """Whether it says that it takes the place of an earlier one."""
        return "document.replaces" in self.report

    @property
    def whose(self) -> Line | None:
        """What was found about the recipient that was asked about."""
        return next((Line(f) for f in self.report.findings if f.id == "recipient"), None)

    @property
    def lines(self) -> list[Line]:
        return [Line(f) for f in sorted(self.report.findings, key=lambda f: ORDER.index(f.verdict))]


def checked(document: bytes, *, recipient: str = "") -> Answer:
    """The document is verified now, with what is published here and elsewhere, and read in plain words.

    `recipient` asks whether it is this person's; BrokenInput if the document cannot be read.
    """
    now, fetcher = timezone.now(), PublishedFetcher(network())
    report, judged = verify_and_read(document, now=now, fetcher=fetcher, recipient=recipient or None)
    try:
        inside = document_inside(document) if judged is None else judged
        reading = reading_of(inside, report, now=now)
    except BrokenInput:  # what is signed is no credential, and the report says what it is
        return Answer(report)
    newer = replaced_by(str(inside.get("id", ""))) if report.verdict is Verdict.FAIL else ""
    return Answer(report, reading, newer)


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
        try:
            given = form.given()
            if page := given.page():
                return page
            answer = checked(given.document(), recipient=form.cleaned_data["recipient"])
        except GuildmarkError as error:
            form.add_error(form.way, told(error))
    shown = VerifyForm() if answer else form
    asked = form.cleaned_data.get("recipient", "") if answer else ""
    context = {"form": shown, "answer": answer, "asked": asked}
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
    address = f"{settings.BASE_URL}/claim/{token}"
    code = segno.make(address, error="m").svg_data_uri(scale=4, border=4, light="#fff")
    context = {
        "view": holder_view(award),
        "answer": checked(bytes(award.document)),
        "token": token,
        "code": code,
        "tokens": tokens_of(award, "claim-file", token),
    }
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


def tokens_of(award: Award, name: str, of: Any) -> dict[str, str]:
    """The addresses at which the award can be had as a token now, by form; `name` and `of` are those of its files."""
    return {form.replace("-", "_"): reverse(name, args=(of, FILES[form])) for form in made_anew(award)}


def award_file(request: HttpRequest, award: Award, name: str, back: dict[str, str]) -> HttpResponse:
    """One of the files of an award that the caller has let through; `back` is where a problem's page leads.

    A token is made for this answer and kept nowhere. Of an SD-JWT the address says what it shows: `?show=name`.
    """
    form = next((form for form, known in FILES.items() if known == name), None)
    file = next((f for f in files_of(award) if f.name == name), None)
    if file is None and form is None:
        raise Http404("This file is not there; a receipt comes with the log's next checkpoint, a minute later.")
    try:
        if form is not None:
            show = request.GET.getlist("show") if form == SD_JWT_VC else PARTS
            made = in_envelope(award, form, show=show, entropy=secrets.token_bytes, now=timezone.now())
            body, media_type = made.text.encode(), made.media_type
        else:
            body, media_type = file.make(award), file.media_type
    except GuildmarkError as error:
        return render(request, "guildmark/problem.html", {"problem": told(error), **back}, status=422)
    response = HttpResponse(body, content_type=media_type)
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
    says = TOO_LARGE if large else _("The request could not be understood; go back, reload the page and try again.")
    return render(request, "guildmark/problem.html", {"problem": says}, status=413 if large else 400)
