"""Reads about an award, for its holder and for whoever was handed its paper: views, images, PDFs, files."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from django.conf import settings

from guildmark.app.records import Award
from guildmark.core.codecs import parse_json
from guildmark.core.errors import NotAllowed
from guildmark.credential.badge_image import badge_png, badge_svg
from guildmark.credential.bake import bake
from guildmark.credential.open_badge import is_recipient
from guildmark.credential.render.certificate import certificate_pdf, record_pdf
from guildmark.credential.render.particulars import Particulars, particulars


def award_by_claim(token: str) -> Award | None:
    """The award whose claim link carries this token; the token itself is stored nowhere. One statement."""
    wanted = hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
    return Award.objects.filter(claim_sha256=wanted).select_related("issuer", "learner").first()


def award_on_paper(id: UUID) -> Award | None:
    """The award whose certificate leads to `paper_url`. One statement."""
    return Award.objects.filter(pk=id).select_related("issuer", "learner").first()


def is_erased(award: Award) -> bool:
    """Whether the document is gone since its learner was erased; only its place in the status list is left."""
    return not award.document


def replaced_by(credential_id: str) -> str:
    """Where the paper page of the award lies that replaced this credential, "" if none did. One statement.

    That page names nobody, so whoever holds the old credential may be led there.
    """
    new = Award.objects.filter(replaces__credential_id=credential_id).exclude(document=b"").first()
    return paper_url(new) if new is not None else ""


def signed_by(key_id: str, *, now: datetime) -> list[Award]:
    """The badges that this key signed and that are not revoked and have not ended, oldest first; larger credentials
    come last, since they are made up of the others. Reads every award of the key's owner.
    """
    rows = Award.objects.filter(issuer__keys__key_id=key_id).exclude(state=Award.State.REVOKED).exclude(document=b"")
    found = [row for row in rows.select_related("issuer", "learner", "decision") if signing_key(row) == key_id]
    standing = [row for row in found if row.valid_until is None or row.valid_until > now]
    return sorted(standing, key=lambda row: (row.kind != "badge", row.issued_at, row.id))


def signing_key(award: Award) -> str:
    """The id of the key that signed the award's document, "" if it names none."""
    proof = parse_json(bytes(award.document)).get("proof")
    first = proof[0] if isinstance(proof, list) and proof else proof
    return str(first.get("verificationMethod", "")) if isinstance(first, dict) else ""


def revoked_for(award: Award) -> str:
    """The code of the reason for which the award was revoked, "" if it was not. One statement."""
    change = award.status_changes.filter(state=Award.State.REVOKED).order_by("-id").first()
    return change.code if change is not None else ""


def paper_url(award: Award) -> str:
    """Where the QR code of the certificate leads: a random number and nothing about the person (decision 0004)."""
    return f"{settings.BASE_URL}/verify/{award.id}"


def badge_image(award: Award, kind: Literal["png", "svg"]) -> bytes:
    """The badge's picture with exactly the signed bytes inside."""
    shown = _particulars(award)
    svg = badge_svg(title=shown.title, issuer_name=shown.issuer, issuer_id=shown.issuer_id, kind=shown.kind)
    picture = badge_png(svg) if kind == "png" else svg.encode()
    return bake(picture, bytes(award.document))


def certificate(award: Award) -> bytes:
    """The certificate to print (PDF/UA); BrokenInput if the learner's name is no longer the one that was signed."""
    return certificate_pdf(bytes(award.document), name=award.learner.name, verify_url=paper_url(award))


def record_of_results(award: Award) -> bytes:
    """The record of results (PDF/UA), for larger credentials with the results of each component."""
    return record_pdf(bytes(award.document), name=award.learner.name, verify_url=paper_url(award))


@dataclass(frozen=True, slots=True)
class HolderFile:
    """One file that the holder can take: how it is made, and what the link says."""

    name: str
    media_type: str
    says: str
    make: Callable[[Award], bytes]


_FILES = (
    HolderFile("credential.json", "application/vc+ld+json", "The credential itself (Open Badges 3.0, JSON)",
               lambda award: bytes(award.document)),
    HolderFile("badge.png", "image/png", "Badge image with the credential inside (PNG)",
               lambda award: badge_image(award, "png")),
    HolderFile("badge.svg", "image/svg+xml", "Badge image with the credential inside (SVG)",
               lambda award: badge_image(award, "svg")),
    HolderFile("certificate.pdf", "application/pdf", "Certificate to print (PDF)", certificate),
    HolderFile("record.pdf", "application/pdf", "Record of results (PDF)", record_of_results),
    HolderFile("receipt.txt", "text/plain; charset=utf-8", "Receipt from the public log (text)",
               lambda award: award.receipt.encode()),
)  # fmt: skip


def files_of(award: Award) -> tuple[HolderFile, ...]:
    """The files that this award has now; a receipt is there once a checkpoint covers the award."""
    return tuple(file for file in _FILES if file.name != "receipt.txt" or award.receipt)


def holder_files(award: Award) -> dict[str, bytes]:
    """Every file of the award, by name; NotAllowed once its learner was erased."""
    if is_erased(award):
        raise NotAllowed("The learner of this award was erased, and its documents with them.")
    return {file.name: file.make(award) for file in files_of(award)}


@dataclass(frozen=True, slots=True)
class HolderView:
    """What the holder sees. `shown` is what the signed document says; the rest is from the rows."""

    title: str
    learner: str
    issuer: str
    issued_at: datetime
    claimed_at: datetime | None
    shown: Particulars
    files: tuple[HolderFile, ...]
    paper_url: str


def holder_view(award: Award) -> HolderView:
    return HolderView(
        title=award.title,
        learner=award.learner.name,
        issuer=award.issuer.name,
        issued_at=award.issued_at,
        claimed_at=award.claimed_at,
        shown=_particulars(award),
        files=files_of(award),
        paper_url=paper_url(award),
    )


@dataclass(frozen=True, slots=True)
class PaperView:
    """What anyone with the paper may compare it with; no name, and no results before the right name is given."""

    shown: Particulars
    sha256: str


def paper_view(award: Award) -> PaperView:
    return PaperView(shown=_particulars(award), sha256=hashlib.sha256(bytes(award.document)).hexdigest())


def is_made_out_to(award: Award, name: str) -> bool:
    """Whether the signed document was made out to this name, letter by letter (spaces aside)."""
    return is_recipient(parse_json(bytes(award.document)), name=name)


def _particulars(award: Award) -> Particulars:
    return particulars(parse_json(bytes(award.document), where=award.credential_id))
