"""The certificate and the record of results: paper for people, made from the signed credential alone.

Both are PDF/UA-1 (tagged, with title and language), set by typst, and come out byte for byte the same for the
same input on one machine: the date inside is the credential's own. What is printed is what `particulars` reads
from the signed document, plus two things that do not stand in it in clear: the recipient's name, which must
match the hash that was signed, and the address in the QR code.

A paper proves nothing by itself, and says so: it names the credential, its SHA-256 and where to check it.

Names and titles may be in any script for which this machine has a font. typst brings Latin, Greek and Cyrillic
(Libertinus Serif); Chinese, Japanese, Korean, Arabic, Hebrew and the scripts of India need a system font
(Debian: fonts-noto-core, fonts-noto-cjk). Without one, BrokenInput says which letters cannot be shown; no paper
comes out with boxes in place of a name. The labels are in English; text of the credential is tagged with the
credential's language.
"""

from __future__ import annotations

import hashlib
import io
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Literal

from guildmark.core.codecs import parse_iso, parse_json
from guildmark.core.errors import BrokenInput
from guildmark.credential.badge_image import badge_svg, render
from guildmark.credential.open_badge import is_recipient
from guildmark.credential.render.particulars import line, particulars
from guildmark.credential.signed import listed

Kind = Literal["certificate", "record"]

LONGEST_WORD = 36
"""Letters after which a word may be broken, so that no name or address runs off the page."""

_ON_CERTIFICATE = (
    "Form of participation",
    "Supervision and identity verification",
    "Quality assurance",
    "Prerequisites",
    "Stackability",
    "Credit recognition",
)
"""Facts of the criteria that frameworks ask a certificate to show; the record shows all of them."""


def certificate_pdf(document: bytes, *, name: str, verify_url: str) -> bytes:
    """The certificate of a signed Open Badge or larger credential, normally one A4 page.

    `name` is the recipient's; BrokenInput if the credential was made out to another. `verify_url` goes into the
    QR code and must not tell who the recipient is.
    """
    return _pdf("certificate", document, name, verify_url)


def record_pdf(document: bytes, *, name: str, verify_url: str) -> bytes:
    """The record of results: every outcome and criterion with the level reached, the rule, the evidence.

    For a larger credential, those of each component. The arguments are those of `certificate_pdf`.
    """
    return _pdf("record", document, name, verify_url)


def _pdf(kind: Kind, document: bytes, name: str, verify_url: str) -> bytes:
    value = parse_json(document, where="credential")
    data = paper(kind, document, name=name, verify_url=verify_url)
    created = int(parse_iso(value["validFrom"], where="credential.validFrom").timestamp())
    return render("paper.typ", data, created=max(created, 0))


def paper(kind: Kind, document: bytes, *, name: str, verify_url: str) -> dict[str, Any]:
    """What the template is told, as plain values; all text in it is data and none is markup."""
    value = parse_json(document, where="credential")
    if not isinstance(value, Mapping):
        raise BrokenInput("is JSON, but not a document", where="credential")
    found = particulars(value)
    holder = _holder(value, name)
    shown = {
        "paper": kind,
        "holder": holder,
        "holder_size": next(size for most, size in _NAME_SIZES if len(holder) <= most),
        "title_size": next(size for most, size in _TITLE_SIZES if len(found.title) <= most),
        "tongue": _language(found.language),
        "sha256": hashlib.sha256(document).hexdigest(),
        "verify_url": verify_url,
        "qr": _qr(verify_url),
        "badge": badge_svg(title=found.title, issuer_name=found.issuer, issuer_id=found.issuer_id, kind=found.kind),
        "certificate_facts": [[what, text] for what in _ON_CERTIFICATE if (text := found.fact(what))],
        **asdict(found),
    }
    kept = {"qr", "badge", "verify_url"}
    return {key: each if key in kept else _breakable(each) for key, each in shown.items()}


_NAME_SIZES = ((26, 30), (40, 23), (70, 17), (10_000, 12))
_TITLE_SIZES = ((40, 22), (90, 18), (160, 14), (10_000, 11))
"""(letters up to, size in points)."""


def _holder(value: Mapping[str, Any], name: str) -> str:
    """The name to print: only the one that was signed, since a paper with another would be a false one."""
    shown = line(name, 300)
    subject = value.get("credentialSubject")
    entries = listed(subject.get("identifier")) if isinstance(subject, Mapping) else []
    named = any(isinstance(e, Mapping) and e.get("identityType") == "name" for e in entries)
    if not shown and not named:
        return ""
    if not named or not is_recipient(value, name=name):
        raise BrokenInput(
            "the credential was not made out to this name",
            where="certificate",
            hint="use the name as it was when the credential was awarded, or have a new one issued",
        )
    return shown


def _qr(url: str) -> str:
    import segno

    if not re.fullmatch(r"https?://[\x21-\x7e]{3,500}", url):
        raise BrokenInput(f"{url[:80]!r} is not a web address for a QR code", where="certificate")
    out = io.BytesIO()
    segno.make_qr(url, error="m").save(out, kind="svg", border=4, xmldecl=False, nl=False)
    return out.getvalue().decode("ascii")


def _language(tag: str) -> list[str]:
    """[language, region] of a BCP 47 tag as typst takes them; English where it is not one."""
    if match := re.fullmatch(r"([A-Za-z]{2,3})(?:-[A-Za-z]{4})?(?:-([A-Za-z]{2}))?(?:-.*)?", tag):
        return [match[1].lower(), (match[2] or "").upper()]
    return ["en", ""]


def _breakable(value: Any) -> Any:
    """The same values with a place to break a line in every word that is too long for one."""
    match value:
        case str():
            return " ".join(_broken(word) for word in value.split(" "))
        case dict():
            return {key: _breakable(each) for key, each in value.items()}
        case list() | tuple():
            return [_breakable(each) for each in value]
        case _:
            return value


def _broken(word: str) -> str:
    if len(word) <= LONGEST_WORD:
        return word
    parts: list[str] = []
    since = 0
    for c in word:
        joined = unicodedata.category(c).startswith("M") or c in "\u200c\u200d"
        if not joined and (since >= LONGEST_WORD or (since >= 8 and parts[-1] in "/:-#?&=._")):
            parts.append("\u200b")
            since = 0
        parts.append(c)
        since += 1
    return "".join(parts)
