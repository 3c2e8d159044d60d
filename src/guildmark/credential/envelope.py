"""One award, many envelopes: takes the one document out of each, and shows that they hold the same.

| envelope | what carries the credential |
|---|---|
| `data-integrity` | a JSON document with a `proof` inside |
| `vc-jwt`, `vc-jose`, `vc-1.1` | a JSON Web Token, see `jose` |
| `sd-jwt-vc`, `vc-sd-jwt` | an SD-JWT, see `sd_jwt` |

A token may itself be packed in a document, as an `EnvelopedVerifiableCredential` whose id is a `data:` URL (VC
Data Model 2.0, 4.13). Take off what belongs to the envelope (proofs, registered claims, digests), and the same
document is left, which `same_content` compares by its canonical form (RFC 8785).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import unquote_to_bytes

from guildmark.core.codecs import jcs, parse_json
from guildmark.core.errors import BrokenInput
from guildmark.core.report import Finding, Report, Verdict
from guildmark.credential.jose import Content, Token, content_of, read_token
from guildmark.credential.sd_jwt import SdJwt, content_of_sd_jwt, pointer, read_sd_jwt

DATA_INTEGRITY = "data-integrity"

MEDIA_TYPES = {
    "vc-jwt": "application/vc+jwt",
    "vc-jose": "application/vc+jwt",
    "vc-1.1": "application/jwt",
    "sd-jwt-vc": "application/dc+sd-jwt",
    "vc-sd-jwt": "application/vc+sd-jwt",
}
"""Form -> the media type under which it is packed. VC-JOSE-COSE has one for every token with a credential in it."""

_PACKED = re.compile(r"data:application/([A-Za-z0-9.+-]+)(;base64)?,(.*)", re.DOTALL)
_KNOWN = ("vc+jwt", "jwt", "vc+ld+jwt", "vc+ld+json+jwt", "vc+sd-jwt", "dc+sd-jwt", "vc+ld+json+sd-jwt")
_TOKEN = re.compile(rb"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*(~[A-Za-z0-9._~-]*)?\Z")


MOST_ESCAPES = 2000
"""Escapes (%7E) in a data: URL; no letter of a token needs one, and some write its “~” so."""


class UnknownEnvelope(BrokenInput):
    """A credential in an envelope that is not known here, such as COSE."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A document as it came out of its envelope; nothing is checked yet.

    `document` is the credential: with its proofs in it, or without the claims of the token that carried it.
    `token` is that token, None for a plain document; `sd_jwt` is set if parts of it may be kept back.
    """

    form: str
    document: Mapping[str, Any]
    token: Token | None = None
    content: Content | None = None
    sd_jwt: SdJwt | None = None
    text: str = field(default="", repr=False)

    @property
    def hidden(self) -> tuple[tuple[str | int, ...], ...]:
        """Where something may be kept back."""
        return self.sd_jwt.hidden if self.sd_jwt is not None else ()


def is_token(data: bytes) -> bool:
    """Whether these bytes have the shape of a JSON Web Token or an SD-JWT."""
    return bool(_TOKEN.match(data))


def is_enveloped(document: Mapping[str, Any]) -> bool:
    """Whether a document is a token packed in an `EnvelopedVerifiableCredential`."""
    types = document.get("type")
    return "EnvelopedVerifiableCredential" in (types if isinstance(types, list) else [types])


def open_envelope(value: bytes | str | Mapping[str, Any], where: str = "credential", *, strict: bool = False) -> Opened:
    """The one document in an envelope: JSON, a token, or a packed token.

    `strict` holds the claims of a token to every word of Open Badges 3.0 (see `jose.content_of`). BrokenInput if it
    cannot be read; UnknownEnvelope for one of another kind.
    """
    if isinstance(value, Mapping):
        if is_enveloped(value):
            return open_token(_unpacked(value, where), where, strict=strict)
        return Opened(DATA_INTEGRITY, value)
    data = value.encode("utf-8", "replace") if isinstance(value, str) else bytes(value)
    if is_token(data.strip()):
        return open_token(data.strip().decode("ascii"), where, strict=strict)
    document = parse_json(data, where=where)
    if not isinstance(document, Mapping):
        raise BrokenInput("is JSON, but not a document", where=where, hint="a credential begins with {")
    return open_envelope(document, where, strict=strict)


def open_token(text: str, where: str = "credential", *, strict: bool = False) -> Opened:
    """The document in a JSON Web Token or an SD-JWT; BrokenInput if it cannot be read."""
    if "~" in text:
        found = read_sd_jwt(text, where)
        content = content_of_sd_jwt(found, strict=strict)
        return Opened(content.form, content.document, found.token, content, found, text)
    token = read_token(text, where)
    content = content_of(token, strict=strict)
    if _hides(token.claims):
        content = replace(content, wrong=("it is an SD-JWT of which all that was hidden is cut off", *content.wrong))
    return Opened(content.form, content.document, token, content, None, text)


def _hides(claims: Mapping[str, Any]) -> bool:
    """Whether a token without an end (`~`) has digests in it: whoever cut them off would have a credential without,
    say, its status.
    """
    waiting: list[Any] = [claims]
    while waiting:
        item = waiting.pop()
        if isinstance(item, Mapping):
            if not item.keys().isdisjoint({"_sd", "_sd_alg", "..."}):
                return True
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)
    return False


def packed(token: str) -> dict[str, Any]:
    """The token as a document, which can stand where credentials stand: in a transcript, in a presentation."""
    form = open_token(token).form
    return {
        "@context": "https://www.w3.org/ns/credentials/v2",
        "type": "EnvelopedVerifiableCredential",
        "id": f"data:{MEDIA_TYPES[form]},{token}",
    }


def _unpacked(document: Mapping[str, Any], where: str) -> str:
    url = document.get("id")
    match = _PACKED.match(url) if isinstance(url, str) else None
    if match is None:
        raise BrokenInput("its id is not a data: URL with a token", where=where)
    kind, coded, text = match.groups()
    if kind.lower() not in _KNOWN:
        raise UnknownEnvelope(f"is packed as “{kind[:40]}”, which is not known here", where=where)
    if text.count("%") > MOST_ESCAPES:
        raise BrokenInput("its data: URL does not hold a token", where=where)
    try:
        data = base64.b64decode(text, validate=True) if coded else unquote_to_bytes(text)
    except binascii.Error as problem:
        raise BrokenInput("its data: URL is not base64", where=where) from problem
    if not is_token(data):
        raise BrokenInput("its data: URL does not hold a token", where=where)
    return data.decode("ascii")


# --- The same content ---


def bare_document(opened: Opened) -> dict[str, Any]:
    """What is left of a credential once its envelope is off: the document without `proof`."""
    return {name: value for name, value in opened.document.items() if name != "proof"}


def same_content(*envelopes: bytes | str | Mapping[str, Any]) -> Report:
    """Whether these envelopes hold one and the same document: a finding `content.N` for each one after the first.

    PASS if the canonical forms (RFC 8785) of the two documents are the same bytes; FAIL, naming the first place in
    which they differ; UNKNOWN if one keeps something back and they agree in all that is shown. It says nothing
    about who signed: verify each. BrokenInput if one cannot be read.
    """
    if len(envelopes) < 2:
        raise BrokenInput("two envelopes are needed to be compared", where="envelopes")
    first, *others = (open_envelope(envelope, f"envelope {n}") for n, envelope in enumerate(envelopes, start=1))
    findings = [_same(f"content.{n}", first, other) for n, other in enumerate(others, start=2)]
    name = first.document.get("id")
    return Report(f"Envelopes of {name if isinstance(name, str) else 'one credential'}", tuple(findings))


_SAME = "RFC 8785; VC Data Model 2.0, 4.12 Securing Mechanisms"


def _same(id: str, first: Opened, other: Opened) -> Finding:
    one, two = bare_document(first), bare_document(other)
    forms = {"forms": [first.form, other.form]}
    for opened in (first, other):
        if opened.sd_jwt is not None and opened.sd_jwt.trouble:
            says = f"The {opened.form} cannot be compared: {opened.sd_jwt.trouble}."
            return Finding(id, Verdict.FAIL, says, because=forms, source=_SAME)
        if opened.content is not None and opened.content.wrong:
            says = f"The {opened.form} contradicts itself: {opened.content.wrong[0]}."
            return Finding(id, Verdict.FAIL, says, because=forms, source=_SAME)
    if first.hidden or other.hidden:
        place = next(_differences(one, two, (), _Hidden(first.hidden), _Hidden(other.hidden)), None)
        if place is None:
            says = f"The {other.form} agrees with the {first.form} in all that is shown; the rest cannot be told."
            return Finding(id, Verdict.UNKNOWN, says, because=forms, source=_SAME)
    else:
        digests = [hashlib.sha256(jcs(document)).hexdigest() for document in (one, two)]
        if digests[0] == digests[1]:
            says = f"The {other.form} holds the same document as the {first.form}."
            return Finding(id, Verdict.PASS, says, because={**forms, "sha256": digests[0]}, source=_SAME)
        place = next(_differences(one, two, (), _Hidden(), _Hidden()), ())
    says = (
        f"The {other.form} holds another document than the {first.form}: they differ at {pointer(place) or 'the top'}."
    )
    return Finding(id, Verdict.FAIL, says[:500], because=forms, source=_SAME)


_Path = tuple[str | int, ...]


class _Hidden:
    """Where something is kept back: `at` a place itself, `below` it or deeper."""

    def __init__(self, paths: tuple[_Path, ...] = ()) -> None:
        self.at = set(paths)
        self.below = {path[:n] for path in paths for n in range(len(path) + 1)}


def _differences(one: Any, two: Any, path: _Path, hidden: _Hidden, hidden_too: _Hidden) -> Iterator[_Path]:
    """The places in which two documents differ, where nothing kept back can explain it."""
    if isinstance(one, Mapping) and isinstance(two, Mapping):
        for name in sorted({*one, *two}):
            if name in one and name in two:
                yield from _differences(one[name], two[name], (*path, name), hidden, hidden_too)
            elif path not in (hidden.at if name in two else hidden_too.at):
                yield (*path, name)
    elif isinstance(one, list) and isinstance(two, list):
        if path in hidden.at and path in hidden_too.at:
            return  # nothing can be said about what both leave out
        if path in hidden.at or path in hidden_too.at:
            few, more, kept = (one, two, hidden) if path in hidden.at else (two, one, hidden_too)
            there = {jcs(item) for item in more}
            for number, item in enumerate(few):  # each that is shown stands among all, unless it hides something itself
                if (*path, number) not in kept.below and jcs(item) not in there:
                    yield (*path, number)
            return
        if len(one) != len(two):
            yield path
        for number, (left, right) in enumerate(zip(one, two, strict=False)):
            yield from _differences(left, right, (*path, number), hidden, hidden_too)
    elif isinstance(one, bool) is not isinstance(two, bool) or one != two:
        yield path
