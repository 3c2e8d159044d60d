"""Pages for anyone: check a credential, claim one's own, and every document that a verifier fetches."""

from __future__ import annotations

from dataclasses import dataclass

from django import forms
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from guildmark.app.access import audience
from guildmark.app.doors import network
from guildmark.app.queries.awards import award_by_claim, badge_image, certificate, holder_view, record_of_results
from guildmark.app.queries.published import PublishedFetcher, published
from guildmark.app.services.awards import claim_award
from guildmark.core.errors import GuildmarkError
from guildmark.core.report import Report, Verdict
from guildmark.credential.verify import verify_credential

LARGEST = 5_000_000


class VerifyForm(forms.Form):
    """One of three: text, a file, an address."""

    text = forms.CharField(
        required=False,
        strip=True,
        max_length=LARGEST,
        label="Paste the credential",
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false", "autocomplete": "off"}),
    )
    file = forms.FileField(required=False, label="or upload it (JSON, or a badge image in PNG or SVG)")
    url = forms.URLField(required=False, assume_scheme="https", label="or give its web address")

    def clean(self):
        given = super().clean()
        ways = [name for name in ("text", "file", "url") if given.get(name)]
        if len(ways) != 1 and not self.errors:
            raise forms.ValidationError("Paste a credential, upload a file, or give an address: one of the three.")
        if "file" in ways and given["file"].size > LARGEST:
            raise forms.ValidationError("The file is larger than 5 MB; a credential is far smaller.")
        return given

    def document(self) -> bytes:
        """The bytes to check, from whichever way they came."""
        given = self.cleaned_data
        if given.get("text"):
            return given["text"].encode()
        if given.get("file"):
            return given["file"].read()
        return PublishedFetcher(network()).fetch(given["url"]).body


@dataclass(frozen=True, slots=True)
class Answer:
    """The report in the words of the page."""

    report: Report

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
                return "Do not rely on it. What went wrong stands first below."
            case _:
                return "Something that is needed could not be read. Do not rely on it until you have tried again."

    @property
    def findings(self):
        order = {Verdict.FAIL: 0, Verdict.UNKNOWN: 1, Verdict.PASS: 2, Verdict.NOT_APPLICABLE: 3}
        return sorted(self.report.findings, key=lambda f: order[f.verdict])

    @property
    def verdict(self) -> str:
        return self.report.verdict.value


@audience("public")
@require_http_methods(["GET", "POST"])
def verify(request: HttpRequest) -> HttpResponse:
    """Anyone checks a credential; nothing that is checked is kept."""
    form = VerifyForm(request.POST or None, request.FILES or None)
    answer, problem = None, ""
    if request.method == "POST" and form.is_valid():
        try:
            answer = Answer(verify_credential(form.document(), now=timezone.now(), fetcher=PublishedFetcher(network())))
        except GuildmarkError as error:
            problem = str(error)
    status = 422 if request.method == "POST" and answer is None else 200
    context = {"form": form, "answer": answer, "problem": problem}
    return render(request, "guildmark/verify.html", context, status=status)


@audience("public")
@require_GET
def home(request: HttpRequest) -> HttpResponse:
    return redirect("verify")


@audience("public")
@require_GET
def claim(request: HttpRequest, token: str) -> HttpResponse:
    """A learner's own credential behind a link that nobody can guess; no account is needed."""
    award = award_by_claim(token)
    if award is None:
        raise Http404("This link is not known. Ask your provider to send it again.")
    document = bytes(award.document)
    answer = Answer(verify_credential(document, now=timezone.now(), fetcher=PublishedFetcher(network())))
    context = {"award": award, "view": holder_view(award), "answer": answer, "token": token}
    return _private(render(request, "guildmark/claim.html", context))


@audience("public")
@require_POST
def claim_accept(request: HttpRequest, token: str) -> HttpResponse:
    """The learner takes the credential; taking it twice changes nothing."""
    award = award_by_claim(token)
    if award is None:
        raise Http404("This link is not known. Ask your provider to send it again.")
    claim_award(award=award, now=timezone.now())
    return redirect("claim", token=token)


_FILES = {
    "credential.json": ("application/vc+ld+json", lambda award: bytes(award.document)),
    "badge.png": ("image/png", lambda award: badge_image(award, "png")),
    "badge.svg": ("image/svg+xml", lambda award: badge_image(award, "svg")),
    "certificate.pdf": ("application/pdf", certificate),
    "record.pdf": ("application/pdf", record_of_results),
    "receipt.txt": ("text/plain; charset=utf-8", lambda award: award.receipt.encode()),
}


@audience("public")
@require_GET
def claim_file(request: HttpRequest, token: str, name: str) -> HttpResponse:
    """One of the files of a credential, for whoever has the link."""
    award = award_by_claim(token)
    if award is None or name not in _FILES:
        raise Http404("This link is not known. Ask your provider to send it again.")
    media_type, make = _FILES[name]
    body = make(award)
    if not body:
        raise Http404("This file is not there yet; try again in a minute.")
    response = HttpResponse(body, content_type=media_type)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return _private(response)


@audience("public")
@require_GET
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


def _private(response: HttpResponse) -> HttpResponse:
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Robots-Tag"] = "noindex"
    return response
