"""A credential as somebody reads it who has to decide: what the person can do, who vouches, how it was assessed, where
it leads, whether it still holds.

Everything is taken from the signed document and from what verification found; what this site knows besides (who an
issuer is, what its achievement counts towards) is told as this site's own knowledge.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import unquote, urlsplit

from django.conf import settings
from django.utils.translation import gettext as _

from guildmark.app.queries.learning import Towards, towards_of
from guildmark.app.queries.published import blueprint_at
from guildmark.app.records import Organisation
from guildmark.core.errors import BrokenInput
from guildmark.core.report import Finding, Report, Verdict
from guildmark.credential.endorsement import embedded_endorsements
from guildmark.credential.envelope import is_enveloped, is_token, open_envelope
from guildmark.credential.render.particulars import MOST_COMPONENTS, Endorser, Particulars, endorser, particulars
from guildmark.credential.signed import issuer_id, listed

ASSESSED = ("Form of participation", "Supervision and identity verification", "Quality assurance")
"""Facts of a credential that say how it was assessed and who watches over it."""

LEADS = ("Stackability", "Credit recognition", "Industry recognition")
"""Facts of a credential that say what it counts towards."""


@dataclass(frozen=True, slots=True)
class Voucher:
    """Somebody who stands behind the credential, what this site knows of them, and whether their word holds."""

    name: str
    says: str
    known: str
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Reading:
    """The answers to a reader's questions, each as far as the document and this site can tell."""

    shown: Particulars
    issuer: Voucher
    partners: tuple[Voucher, ...]
    assessed: tuple[tuple[str, str], ...]
    leads: tuple[tuple[str, str], ...]
    towards: tuple[Towards, ...]
    holds: tuple[Finding, ...]


def reading_of(document: Mapping[str, Any], report: Report, *, now: datetime) -> Reading | None:
    """How the document reads, given what was found about it; None for what is no badge and no larger credential.

    Out of a token it reads as any other, and so do credentials and endorsements in it that are tokens; what its holder
    keeps back is not there. A fixed number of statements, and one for each partner that is known here.
    """
    try:
        shown = particulars(_with_parts_opened(document))
    except BrokenInput:
        return None
    facts = dict(shown.facts)
    achievement = _achievement_id(document)
    version = blueprint_at(achievement) if achievement else None
    found = {f.id: f for f in report.findings}
    return Reading(
        shown=shown,
        issuer=_issuer(document, shown, found),
        partners=tuple(_partners(document, found)),
        assessed=tuple((name, facts[name]) for name in ASSESSED if name in facts),
        leads=tuple((name, facts[name]) for name in LEADS if name in facts),
        towards=towards_of(version, on=now.date()) if version is not None else (),
        holds=tuple(f for f in report.findings if f.id.startswith(("status.", "validity."))),
    )


def _opened(part: Any) -> Mapping[str, Any] | None:
    """A credential that stands in another, out of its token if it came in one; None for what cannot be read."""
    packed = is_token(part.encode("utf-8", "replace")) if isinstance(part, str) else False
    if packed or (isinstance(part, Mapping) and is_enveloped(part)):
        try:
            return open_envelope(part).document
        except BrokenInput:
            return None
    return part if isinstance(part, Mapping) else None


def _with_parts_opened(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """The document with the credentials of a larger one out of their tokens."""
    subject = document.get("credentialSubject")
    parts = subject.get("verifiableCredential") if isinstance(subject, Mapping) else None
    if not isinstance(subject, Mapping) or not isinstance(parts, list):
        return document
    opened = [found for part in parts[: MOST_COMPONENTS + 1] if (found := _opened(part)) is not None]
    return {**document, "credentialSubject": {**subject, "verifiableCredential": opened}}


def _achievement_id(document: Mapping[str, Any]) -> str:
    """The address of the achievement, if this site publishes it."""
    for subject in listed(document.get("credentialSubject")):
        achievement = subject.get("achievement") if isinstance(subject, Mapping) else None
        id = achievement.get("id") if isinstance(achievement, Mapping) else None
        if isinstance(id, str) and id.startswith(f"{settings.BASE_URL}/"):
            return id
    return ""


def _issuer(document: Mapping[str, Any], shown: Particulars, found: Mapping[str, Finding]) -> Voucher:
    """The issuer: whose key signed it, and what this site knows of them."""
    verdicts = [found[id].verdict for id in ("proof.signature", "proof.key_bound") if id in found]
    verdict = next((v for v in (Verdict.FAIL, Verdict.UNKNOWN) if v in verdicts), Verdict.PASS)
    if not verdicts:
        verdict = Verdict.UNKNOWN
    bound = found.get("proof.key_bound")
    return Voucher(shown.issuer, bound.says if bound is not None else "", known_here(issuer_id(document)), verdict)


def _partners(document: Mapping[str, Any], found: Mapping[str, Finding]) -> Iterator[Voucher]:
    """Those who endorsed it, in the order in which they were looked at, each with what was found."""
    for number, endorsement in enumerate(embedded_endorsements(document), start=1):
        finding = found.get(f"endorsements.{number}")
        if finding is None:
            return
        opened = _opened(endorsement)
        said = endorser(opened) if opened is not None else Endorser("", "")
        did = issuer_id(opened) if opened is not None else ""
        claim = said.claim if finding.verdict is Verdict.PASS else finding.says
        yield Voucher(said.name or _("Somebody"), claim, known_here(did), finding.verdict)


def known_here(did: str) -> str:
    """What this site knows of the organisation behind an identifier, in a sentence."""
    row = Organisation.objects.filter(did=did).first() if did else None
    if row is None:
        return _("This site does not know them: the signature shows who controls %(host)s, and not who they are.") % {
            "host": host_of(did) or did
        }
    checked = row.facts.get("checked")
    if checked is False:
        return _("They registered on this site themselves, and nobody has checked yet who they are.")
    if isinstance(checked, Mapping) and row.facts.get("domain"):
        return _("Registered on this site as %(name)s; it has shown that %(domain)s is its own.") % {
            "name": row.name,
            "domain": row.facts["domain"],
        }
    if isinstance(checked, Mapping):
        return _("Registered on this site as %(name)s; checked by %(by)s: %(how)s.") % {
            "name": row.name,
            "by": checked.get("by", ""),
            "how": checked.get("how", ""),
        }
    return _("Registered on this site as %(name)s by its operator.") % {"name": row.name}


def host_of(did: str) -> str:
    """The host behind a did:web or an https identifier, "" for others."""
    if did.startswith("did:web:"):
        return unquote(did.split(":")[2])
    return urlsplit(did).hostname or "" if did.startswith("https://") else ""
