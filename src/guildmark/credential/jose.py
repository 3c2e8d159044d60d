"""Credentials signed as a JSON Web Token: made, read and checked.

Three forms travel under the name, told apart by what stands in them:

| form | header `typ` | payload |
|---|---|---|
| `vc-jwt` | `JWT` | the credential, and the claims `iss`, `jti`, `nbf`, `sub`, `exp` that repeat it |
| `vc-jose` | `vc+jwt` | the credential, as it is |
| `vc-1.1` | `JWT` | the claims, and under `vc` what they do not say |

Sources: Open Badges 3.0, "JSON Web Token Proof Format"; VC-JOSE-COSE 1.0, 3.1; VC Data Model 1.1, 6.3.1; RFC 7515.

Rules:

1. the algorithm is the key's, never the token's choice: `alg` must be the name that the key's kind has. `none`
   is no signature, and an extension that must be understood (`crit`) is not;
2. base64url is read only as it is written: padding, another alphabet or a different last letter with the same
   meaning are refused, so that one credential has one text;
3. JSON is read as everywhere here: no key twice, no NaN, no half characters, no deep nesting. What `orjson`
   reads and writes back as the very same bytes has none of these; everything else takes the slower way;
4. a key that comes with the token (`jwk`) checks the signature and says nothing about the issuer, unless the
   issuer's own document lists the same key;
5. a claim that contradicts the credential is never chosen between: the token fails.

Work is linear in the token, at most MOST_PAYLOAD bytes of it.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import orjson

from guildmark.core.codecs import iso, parse_iso, parse_json
from guildmark.core.doors import Signer
from guildmark.core.errors import BrokenInput
from guildmark.core.report import Verdict
from guildmark.credential.keys import JOSE_NAMES, PublicKey, jwk_of, jwk_thumbprint, signature_holds
from guildmark.credential.proof import FindKey, ProofCheck
from guildmark.credential.resolve import FoundKey

VC_JWT, VC_JOSE, VC_11 = "vc-jwt", "vc-jose", "vc-1.1"

MOST_HEADER = 8192
"""Bytes of a header. 1EdTech's own samples have one of 527 bytes, with an RSA key in it."""

MOST_PAYLOAD = 2_000_000
"""Bytes of a payload, the same as of a credential in an image."""

MOST_COMMAS = 100_000
"""Commas in a payload: what has more is not looked at whole anyway, and would cost a tenth of a second to read."""

REGISTERED = frozenset({"iss", "sub", "aud", "exp", "nbf", "iat", "jti", "cnf", "status"})
"""Claims of RFC 7519, RFC 7800 and Token Status List: they are about the token, and no members of the credential."""

SOURCE = "Open Badges 3.0, Verify a Credential VC-JWT Signature; VC-JOSE-COSE 1.0, 3.1.1; RFC 7515, 5.2"

Listed = Callable[[PublicKey, str], FoundKey]
"""Says whether an issuer's own document lists this very key: `resolve.find_listed` with its world filled in."""

_ALGORITHMS = {name: kind for kind, name in JOSE_NAMES.items()} | {"Ed25519": "Ed25519"}  # the last: RFC 9864

_TYPES = {"jwt": "", "vc+jwt": VC_JOSE, "vc+ld+jwt": VC_JOSE, "vc+ld+json+jwt": VC_JOSE}
"""`typ` in lower case and without `application/` -> the form that it alone decides."""

TYPES = frozenset({"", *_TYPES})


@dataclass(frozen=True, slots=True)
class Token:
    """A JSON Web Signature in compact form, taken apart and not checked yet.

    `signed` are the bytes under the signature, exactly as they came.
    """

    header: Mapping[str, Any]
    claims: dict[str, Any]
    signed: bytes
    signature: bytes

    @property
    def typ(self) -> str:
        """The header's `typ` in lower case and without `application/`; "" if there is none."""
        found = self.header.get("typ", "")
        return found.lower().removeprefix("application/") if isinstance(found, str) else "?"


# --- Base64url and JSON, as they were written ---


def encode(data: bytes) -> bytes:
    """Base64url without padding. Two searches for single bytes are twice as fast as a table for all of them."""
    return binascii.b2a_base64(data, newline=False).rstrip(b"=").replace(b"+", b"-").replace(b"/", b"_")


_LAST = {2: frozenset(b"AQgw"), 3: frozenset(b"AEIMQUYcgkosw048")}
"""Letters that may end base64url text of this length modulo 4: the bits that belong to no byte are 0."""


def decode(text: bytes, where: str) -> bytes:
    """The bytes of base64url text; BrokenInput for padding, other letters, and bits that no byte has."""
    rest = len(text) % 4
    if rest == 1 or (rest and text[-1] not in _LAST[rest]):
        raise BrokenInput("base64url text is cut off or has bits too many", where=where)
    if b"+" in text or b"/" in text or b"=" in text:
        raise BrokenInput("is not base64url text", where=where)
    try:
        padded = text.replace(b"-", b"+").replace(b"_", b"/") + b"=" * (-len(text) % 4)
        return binascii.a2b_base64(padded, strict_mode=True)
    except binascii.Error as problem:
        raise BrokenInput(f"is not base64url text ({problem})", where=where) from problem


_null = re.compile(b"null").search  # faster than `in`

_STRICTLY = orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_SUBCLASS


def write_json(value: Mapping[str, Any], where: str) -> bytes:
    """Compact JSON in the order given; BrokenInput for what is no JSON value (NaN, a date, half a character)."""
    try:
        data = orjson.dumps(value, option=_STRICTLY)
    except orjson.JSONEncodeError as problem:
        raise BrokenInput(f"cannot be written as JSON ({problem})", where=where) from problem
    if _null(data) and _has_nan(value):  # orjson writes NaN as null
        raise BrokenInput("holds a number that JSON does not have", where=where)
    return data


def _has_nan(value: Any) -> bool:
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, Mapping):
            waiting.extend(item.values())
        elif isinstance(item, list | tuple):
            waiting.extend(item)
        elif isinstance(item, float) and item - item != 0:
            return True
    return False


# --- Read ---


def read_token(text: bytes | str, where: str = "token") -> Token:
    """The token in compact form; BrokenInput if it is not three parts of base64url with JSON objects in the
    first two, or if one of them is too large.
    """
    data = text.encode("utf-8", "replace") if isinstance(text, str) else bytes(text)
    first, _, rest = data.partition(b".")
    middle, dot, last = rest.partition(b".")
    if not dot or b"." in last or not first:
        raise BrokenInput("is not a token of three parts", where=where, hint="copy the whole token")
    if len(first) > MOST_HEADER * 4 // 3 + 4:
        raise BrokenInput(f"its header is larger than {MOST_HEADER:,} bytes", where=where)
    if len(middle) > MOST_PAYLOAD * 4 // 3 + 4 or len(last) > 4096:
        raise BrokenInput(f"it is larger than {MOST_PAYLOAD:,} bytes", where=where)
    header = _short_header(first, where) if len(first) < 600 else _header(first, where)
    payload = decode(middle, where)
    if len(payload) > 2 * MOST_COMMAS and payload.count(b",") > MOST_COMMAS:
        raise BrokenInput(f"it holds more than {MOST_COMMAS:,} values", where=where, hint="is this one credential?")
    claims = parse_json(payload, where=where)
    if not isinstance(claims, dict):
        raise BrokenInput("its payload is JSON, but not an object", where=where)
    return Token(header, claims, data[: len(data) - len(last) - 1], decode(last, where))


def _header(part: bytes, where: str) -> Mapping[str, Any]:
    header = parse_json(decode(part, where), where=where)
    if not isinstance(header, dict):
        raise BrokenInput("its header is JSON, but not an object", where=where)
    return header


_short_header = lru_cache(maxsize=256)(_header)
"""An issuer's tokens have one header between them."""


@dataclass(frozen=True, slots=True)
class Content:
    """The credential in a token, and what in the token contradicts it (`wrong`) or is missing from it (`odd`), in
    words. `alone` are the claims with a date that the credential does not repeat.
    """

    form: str
    document: dict[str, Any]
    wrong: tuple[str, ...] = ()
    odd: tuple[str, ...] = ()
    alone: tuple[str, ...] = ()


def content_of(token: Token, *, strict: bool = False) -> Content:
    """The credential that a token carries, without its claims, and how the two agree.

    `strict` asks for each claim and each header member exactly as Open Badges 3.0 has it. Otherwise what is only
    missing, or more than that, is odd: official samples have no `sub`.
    """
    claims = token.claims
    inner = claims.get("vc")
    wrong: list[str] = []
    form = _TYPES.get(token.typ, "")
    if isinstance(inner, dict) and not ("@context" in claims or "credentialSubject" in claims):
        if form == VC_JOSE:
            wrong.append("it holds its credential under “vc”, which its type forbids")
        return Content(VC_11, _document_11(inner, claims, wrong), tuple(wrong))
    document = {name: value for name, value in claims.items() if name not in REGISTERED}
    for name in ("vc", "vp"):
        if name in document:
            wrong.append(f"it holds a credential and another one under “{name}”")
    return compare_claims(form or VC_JWT, token, document, strict=strict, wrong=wrong)


def compare_claims(
    form: str, token: Token, document: dict[str, Any], *, strict: bool = False, wrong: list[str] | None = None
) -> Content:
    """The document with what the claims say of it; each is needed in `vc-jwt` and may be left out of the others.
    `wrong` is what was found before.
    """
    wrong = [] if wrong is None else wrong
    odd: list[str] = []
    alone: list[str] = []
    claims = token.claims
    needed = form == VC_JWT
    softly = wrong if strict else odd
    for claim, member, value, missing in (
        ("iss", "issuer", _id_of(document.get("issuer")), wrong),
        ("jti", "id", document.get("id"), wrong),
        ("sub", "credentialSubject.id", _id_of(document.get("credentialSubject")), softly),
    ):
        if claim not in claims:
            if needed and value is not None:
                missing.append(f"it lacks “{claim}”, which repeats “{member}”")
        elif value is None and claim == "sub":
            odd.append("it names a subject in “sub”, and the credential names none by an id")
        elif claims[claim] != value:
            wrong.append(f"“{claim}” is not “{member}”")
    for claim, name, older, missing in (
        ("nbf", "validFrom", "issuanceDate", wrong),
        ("exp", "validUntil", "expirationDate", softly),
    ):
        text = document.get(name, document.get(older))
        if claim not in claims:
            if needed and text is not None:
                missing.append(f"it lacks “{claim}”, which repeats “{name}”")
        elif not _same_moment(claims[claim], text):
            alone.append(claim)
            if text is None and needed:
                softly.append(f"it has “{claim}”, and the credential no “{name}”")
            elif text is not None and (needed or claim == "nbf"):  # elsewhere `exp` is when the signature ends
                wrong.append(f"“{claim}” is not “{name}”")
    if "aud" in claims:  # RFC 7519, 4.1.3; an official sample has its subject there
        softly.append("it is made for one audience (“aud”), and a credential is for whoever sees it")
    if needed:
        more = token.header.keys() - {"alg", "kid", "jwk", "typ"}
        if more:
            softly.append(f"its header has “{min(more)[:40]}”, which Open Badges does not know")
        if "kid" in token.header and "jwk" in token.header:
            softly.append("its header has both “kid” and “jwk”")
    return Content(form, document, tuple(wrong), tuple(odd), tuple(alone))


def _id_of(value: Any) -> Any:
    return value.get("id") if isinstance(value, Mapping) else value if isinstance(value, str) else None


def _document_11(inner: Mapping[str, Any], claims: Mapping[str, Any], wrong: list[str]) -> dict[str, Any]:
    """The credential of a VC 1.1 token: what the claims say is put back into its place (VC Data Model 1.1,
    6.3.1 "JWT Decoding").
    """
    document = dict(inner)
    contexts = document.get("@context")
    new = isinstance(contexts, list) and contexts[:1] == ["https://www.w3.org/ns/credentials/v2"]
    begin, end = ("validFrom", "validUntil") if new else ("issuanceDate", "expirationDate")

    def put(holder: dict[str, Any], member: str, claim: str) -> None:
        if claim in claims and holder.setdefault(member, claims[claim]) != claims[claim]:
            wrong.append(f"“{claim}” is not “{member}”")

    put(document, "id", "jti")
    for member, claim in (("issuer", "iss"), ("credentialSubject", "sub")):
        if isinstance(document.get(member), Mapping):
            document[member] = dict(document[member])
            put(document[member], "id", claim)
        elif member == "issuer":
            put(document, member, claim)
        elif claim in claims:
            wrong.append("“sub” is about one subject, and the credential is not")
    for member, claim in ((begin, "nbf"), (end, "exp")):
        if claim in claims and member not in document:
            moment = _moment(claims[claim])
            if moment is None:
                wrong.append(f"“{claim}” is not a date")
            else:
                document[member] = iso(moment)
        elif claim in claims and not _same_moment(claims[claim], document[member]):
            wrong.append(f"“{claim}” is not “{member}”")
    return document


def _moment(value: Any) -> datetime | None:
    """A NumericDate (RFC 7519, 2) as a moment; None if it is none, or beyond the calendar."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def numeric(text: Any) -> int:
    """The NumericDate of a date and time, in whole seconds; BrokenInput if it is none."""
    if not isinstance(text, str) or len(text) > 64:
        raise BrokenInput(f"{str(text)[:40]!r} is not a date and time", hint="write 2026-11-24T09:00:00Z")
    return _numeric(text)


@lru_cache(maxsize=1024)
def _numeric(text: str) -> int:
    """A batch has the same few dates. Texts are short, so that what strangers write does not fill the memory."""
    return int(parse_iso(text).timestamp() // 1)


def _same_moment(claim: Any, text: Any) -> bool:
    """Whether a NumericDate is this date, to the second: issuers drop the fraction, or keep it."""
    if isinstance(claim, bool) or not isinstance(claim, int | float):
        return False
    try:
        return claim // 1 == numeric(text)
    except BrokenInput:
        return False


def time_problem(content: Content, claims: Mapping[str, Any], now: datetime) -> str:
    """Why the token itself does not count at `now`, in words; "" if it does (RFC 7519, 4.1.4 and 4.1.5). Where a
    claim only repeats a date of the credential, that date says it.
    """
    for claim in content.alone:
        moment = _moment(claims[claim])
        if moment is None:
            return f"“{claim}” is not a date"
        if claim == "exp" and now >= moment:
            return f"the token itself ran out on {iso(moment)[:10]}"
        if claim == "nbf" and now < moment:
            return f"the token itself counts from {iso(moment)[:10]}"
    return ""


# --- Check ---


def check_token(
    token: Token,
    issuer: str,
    find: FindKey,
    listed: Listed | None = None,
    *,
    types: Collection[str] = TYPES,
    named: bool = True,
) -> ProofCheck:
    """What the signature of a token shows, in the same words as a proof inside a document. Never raises.

    `issuer` is the issuer's id in the credential that the token carries; `find` the key of a verification
    method; `listed` is asked about a key that came with the token. A token of another type than `types` was made to
    be read as something else (RFC 8725, 3.11). With `named` False the header says nothing about the key, and `find`
    is asked for `issuer`.
    """
    header = token.header
    alg = header.get("alg")
    suite = f"JWS {str(alg)[:20]}"
    if alg == "none":
        return ProofCheck(Verdict.FAIL, "It is a token without a signature.", suite)
    if token.typ not in types:
        return ProofCheck(Verdict.FAIL, f"The token was made for something else (“{token.typ[:40]}”).", suite)
    if "crit" in header or header.get("b64", True) is not True:
        return ProofCheck(Verdict.FAIL, "The token asks for an extension that is not known here.", suite)
    kind = _ALGORITHMS.get(alg) if isinstance(alg, str) else None
    if kind is None:
        return ProofCheck(Verdict.UNKNOWN, f"The kind of signature “{str(alg)[:20]}” cannot be checked here.", suite)
    method, found = _key(header, issuer, find, listed) if named else (issuer, find(issuer))
    if found.key is None:
        says = f"The signature was not checked, since there is no key to check it with. {found.says}"
        return ProofCheck(found.vouched if method == _WRONG else Verdict.UNKNOWN, says, suite, method, "", found)
    if found.key.algorithm != kind:
        says = f"The signature claims to be {alg}, but its key is of kind {found.key.algorithm}."
        return ProofCheck(Verdict.FAIL, says, suite, method, "", found)
    if signature_holds(found.key, token.signed, token.signature):
        return ProofCheck(Verdict.PASS, "Nothing was changed since it was signed.", suite, method, "", found)
    says = "The signature does not hold: something was changed, or another key signed it."
    return ProofCheck(Verdict.FAIL, says, suite, method, "", found)


_WRONG = "a key in the header"


def _key(header: Mapping[str, Any], issuer: str, find: FindKey, listed: Listed | None) -> tuple[str, FoundKey]:
    """(the verification method, its key) for `kid`, for `jwk`, or for an issuer that is its own key."""
    kid, jwk = header.get("kid"), header.get("jwk")
    if isinstance(kid, str) and 0 < len(kid) <= 2000:
        if re.match(r"(did|https?|urn):", kid):
            return kid, find(kid)
        method = f"{issuer}#{kid.removeprefix('#')}"  # VC-JOSE-COSE, 4.1: it tells the issuer's keys apart
        return method, find(method)
    if jwk is not None:
        return _header_key(jwk, issuer, find, listed)
    if issuer.startswith(("did:key:", "did:jwk:")):
        method = f"{issuer}#0" if issuer.startswith("did:jwk:") else issuer
        return method, find(method)
    return "", FoundKey(None, issuer, Verdict.UNKNOWN, "The token does not say by which key it was signed.")


def _header_key(jwk: Any, issuer: str, find: FindKey, listed: Listed | None) -> tuple[str, FoundKey]:
    """The key in the header, vouched for only by the issuer's own list (rule 4): the same key, whatever its name."""
    try:
        if not isinstance(jwk, Mapping):
            raise BrokenInput("it is not an object")
        key = PublicKey.from_jwk(issuer, jwk)
        key = replace(key, key_id=f"{issuer}#{jwk_thumbprint(key)}")
    except BrokenInput as problem:
        says = f"The key in the token's header cannot be used: {problem.what}."
        return _WRONG, FoundKey(None, issuer, Verdict.FAIL, says)
    if listed is not None:
        return key.key_id, listed(key, issuer)
    return key.key_id, FoundKey(key, issuer, Verdict.UNKNOWN, "It came with the token itself; anybody can make one.")


# --- Make ---


def sign_vc_jwt(document: Mapping[str, Any], signer: Signer, *, form: str = VC_JWT, with_key: bool = False) -> str:
    """The credential as a token by `signer`: RS256, ES256, ES384 or EdDSA, as the key is.

    `vc-jwt` has the header members `alg`, `kid` and `typ` `JWT`, and the claims that Open Badges asks for; `vc-jose`
    the credential alone. `with_key` puts the public key itself into the header instead of its address; then
    nothing but the issuer's document can say whose it is. The document may carry a proof: "embed first, then
    wrap". The same input gives the same text (ECDSA after RFC 6979, if the signer does).

    BrokenInput if it has no id, issuer or readable `validFrom` to repeat, if it uses a claim's name for a
    member, or is no JSON.
    """
    where = str(document.get("id", "document"))
    if form == VC_JWT:
        payload = {**document, **claims_of(document)}
    elif form == VC_JOSE:
        payload = dict(document)
    else:
        raise BrokenInput(f"tokens of the form {form!r} are not made here", where=where)
    return sign_jws(payload, signer, _typ(form), where, with_key=with_key)


def _typ(form: str) -> str:
    return "vc+jwt" if form == VC_JOSE else "JWT"


def claims_of(document: Mapping[str, Any]) -> dict[str, Any]:
    """`iss`, `jti`, `nbf`, and `sub` and `exp` where there is a subject's id and an end (Open Badges 3.0, "Create
    the JWT Payload").
    """
    where = str(document.get("id", "document"))
    if not REGISTERED.isdisjoint(document):
        twin = min(REGISTERED & document.keys())
        raise BrokenInput(f"the member “{twin}” has the name of a claim", where=where, hint="take it out")
    issuer, id, start = _id_of(document.get("issuer")), document.get("id"), document.get("validFrom")
    if not isinstance(issuer, str) or not isinstance(id, str) or not isinstance(start, str):
        raise BrokenInput("needs an id, an issuer with an id, and validFrom", where=where, hint="complete it first")
    claims: dict[str, Any] = {"iss": issuer, "jti": id, "nbf": numeric(start)}
    subject = _id_of(document.get("credentialSubject"))
    if subject is not None:
        claims["sub"] = subject
    if "validUntil" in document:
        claims["exp"] = numeric(document["validUntil"])
    return claims


def sign_jws(
    payload: Mapping[str, Any],
    signer: Signer,
    typ: str,
    where: str,
    *,
    with_key: bool = False,
    named: bool = True,
    is_json: bool = False,
) -> str:
    """The payload as a compact JWS, whose header has the key's address, the key itself, or neither. BrokenInput if
    the payload is no JSON (unless the caller knows: `is_json`), or the signer's kind has no name in JOSE.
    """
    alg = JOSE_NAMES.get(signer.algorithm)
    if alg is None:
        raise BrokenInput(f"a key of kind {signer.algorithm} cannot sign a token", where=signer.key_id)
    head = _keyed(alg, typ, signer) if with_key else _named(alg, typ, signer.key_id if named else "")
    signed = head + encode(orjson.dumps(payload) if is_json else write_json(payload, where))
    return (signed + b"." + encode(signer.sign(signed))).decode("ascii")


@lru_cache(maxsize=256)
def _named(alg: str, typ: str, key_id: str) -> bytes:
    header = {"alg": alg, "kid": key_id, "typ": typ} if key_id else {"alg": alg, "typ": typ}
    return encode(orjson.dumps(header)) + b"."


def _keyed(alg: str, typ: str, signer: Signer) -> bytes:
    return encode(orjson.dumps({"alg": alg, "jwk": jwk_of(signer), "typ": typ})) + b"."
