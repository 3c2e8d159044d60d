"""Selective disclosure: an SD-JWT whose parts its holder may show or keep back.

The payload is the credential itself, the same document that a proof or a VC-JWT would sign, with the claims
`iss`, `nbf`, `exp` that repeat it and, for an SD-JWT VC, `vct` and `cnf`. Where something can be kept back, the
payload has its digest instead, and a disclosure beside the token has a salt and the value. Put all disclosures
back and take the claims off, and the document is there again, member for member.

| header `typ` | with | source |
|---|---|---|
| `dc+sd-jwt` (`vc+sd-jwt` before 2024) | `vct` | SD-JWT VC, 2 |
| `vc+sd-jwt` | no `vct` | VC-JOSE-COSE 1.0, 3.2.1 |

Rules (RFC 9901, section 7):

1. each digest stands once in the whole token, each disclosure belongs to one of them and is shown once;
2. a disclosure of a member has three parts, of an element two; it may not be called `_sd` or `...`, nor overwrite
   a member;
3. what a verifier decides by is always shown: `iss`, `nbf`, `exp`, `cnf`, `vct`, `status`;
4. what is not shown is unknown. A decoy looks the same, so that nobody can count what is kept back;
5. a presentation that is asked for with a nonce and an audience carries a signature by the holder's key (`cnf`)
   over exactly what is shown. Without it, anybody who saw the credential could show it.

Bounds: MOST_DISCLOSURES, and nesting of MOST_DEPTH with every disclosure in place. Work is linear in the token.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

import orjson

from guildmark.core.codecs import parse_json
from guildmark.core.doors import Signer
from guildmark.core.errors import BrokenInput
from guildmark.core.report import Finding, Verdict
from guildmark.credential.jose import (
    MOST_PAYLOAD,
    REGISTERED,
    Content,
    Token,
    check_token,
    claims_of,
    compare_claims,
    decode,
    encode,
    read_token,
    sign_jws,
    write_json,
)
from guildmark.credential.keys import HasPublicKey, PublicKey, jwk_of
from guildmark.credential.resolve import FoundKey

SD_JWT_VC, VC_SD_JWT = "sd-jwt-vc", "vc-sd-jwt"

MOST_DISCLOSURES = 1000
"""An award with every member of every result hidden on its own has some 400."""

MOST_DEPTH = 100

TYPES = frozenset({"", "sd-jwt", "dc+sd-jwt", "vc+sd-jwt", "vc+ld+sd-jwt", "vc+ld+json+sd-jwt"})
"""`typ` of an SD-JWT, in lower case and without `application/`."""

SOURCE = "RFC 9901, 7 Verification and Processing; SD-JWT VC, 2"
_KEY_BINDING = "RFC 9901, 7.3 Verification by the Verifier"

ALWAYS_SHOWN = frozenset({"iss", "nbf", "exp", "cnf", "vct", "vct#integrity", "status", "aud"})
"""Claims that a disclosure may not bring (SD-JWT VC, 2.2.2.2)."""

_NEVER_HIDDEN = frozenset(
    {
        *("@context", "type", "id", "issuer", "validFrom", "validUntil", "credentialStatus", "credentialSchema"),
        *("relatedResource", "termsOfUse", "refreshService", "proof"),
    }
)
"""Members of a credential by which a verifier decides (VC-JOSE-COSE, 3.2.1): we do not hide them."""

_OWN = REGISTERED | {"vct", "vct#integrity", "_sd_alg"}
"""Members of the payload that are about the token."""

_FUNCTIONS = {"sha256": hashlib.sha256, "sha384": hashlib.sha384, "sha512": hashlib.sha512}
_HASHES = {"sha-256": "sha256", "sha-384": "sha384", "sha-512": "sha512"}

Path = tuple[str | int, ...]


# --- Read ---


@dataclass(frozen=True, slots=True)
class Disclosure:
    """A part that is shown: the text that came beside the token, where it belongs, and in which other one it lies
    (the digest of that; "" if it stands in the token itself).
    """

    text: str
    path: Path
    inside: str


@dataclass(frozen=True, slots=True)
class SdJwt:
    """An SD-JWT with what is shown put into its place; the signature is not checked yet.

    `hidden` are the objects and lists in which something is kept back, or a decoy stands. `trouble` says in words
    which rule the disclosures break, "" if none; then only the token's own members stand in `claims`.
    """

    token: Token
    claims: dict[str, Any]
    shown: Mapping[str, Disclosure]
    hidden: tuple[Path, ...]
    trouble: str
    key_binding: str
    presented: bytes = field(repr=False)

    @property
    def vct(self) -> str:
        """The type of an SD-JWT VC, "" for one of VC-JOSE-COSE."""
        found = self.token.claims.get("vct")
        return found if isinstance(found, str) else ""


def read_sd_jwt(text: bytes | str, where: str = "token") -> SdJwt:
    """The SD-JWT, with or without a key binding; BrokenInput if it is none, has more than MOST_DISCLOSURES, or a
    disclosure is not base64url of a JSON list.
    """
    data = text if isinstance(text, str) else bytes(text).decode("ascii", "replace")
    first, *parts = data.split("~", MOST_DISCLOSURES + 2)
    if not parts:
        raise BrokenInput("has no “~”, with which an SD-JWT ends", where=where, hint="copy the whole token")
    if len(parts) > MOST_DISCLOSURES + 1:
        raise BrokenInput(f"has more than {MOST_DISCLOSURES:,} disclosures", where=where)
    if len(data) > MOST_PAYLOAD * 4 // 3:
        raise BrokenInput(f"it is larger than {MOST_PAYLOAD * 4 // 3:,} bytes", where=where)
    token, bound = read_token(first, where), parts.pop()
    presented = data[: len(data) - len(bound)].encode()
    name = token.claims.get("_sd_alg", "sha-256")
    known = _HASHES.get(name) if isinstance(name, str) else None
    own = {key: value for key, value in token.claims.items() if key not in ("_sd", "_sd_alg")}
    if known is None:
        trouble = f"its digests are of a kind not known here (“{str(name)[:20]}”)"
        return SdJwt(token, own, {}, ((),), trouble, bound, presented)
    work = _Work(_by_digest(parts, known, where))
    try:
        claims = work.whole(token.claims)
    except _Wrong as problem:
        return SdJwt(token, own, {}, ((),), str(problem), bound, presented)
    return SdJwt(token, claims, work.shown, tuple(work.hidden), "", bound, presented)


class _Wrong(Exception):
    """A rule that the disclosures break, in words."""


def _by_digest(parts: Sequence[str], hash_name: str, where: str) -> dict[str, tuple[str, Any]]:
    """Digest -> (the disclosure as it came, its list); the same one twice is told by `_Work` as one too many."""
    found: dict[str, tuple[str, Any]] = {}
    for number, part in enumerate(parts):
        raw = part.encode("ascii", "replace")
        value = parse_json(decode(raw, where), where=where)
        if not isinstance(value, list):
            raise BrokenInput(f"disclosure {number + 1} is not a list", where=where)
        digest = _digest(raw, hash_name)
        found[f"{digest} {number}" if digest in found else digest] = part, value
    return found


def _digest(disclosure: bytes, hash_name: str = "sha256") -> str:
    return encode(_FUNCTIONS[hash_name](disclosure).digest()).decode()


class _Work:
    """Puts disclosures where their digests stand (RFC 9901, 7.1 step 3)."""

    def __init__(self, disclosures: Mapping[str, tuple[str, Any]]) -> None:
        self.disclosures = disclosures
        self.seen: set[str] = set()
        self.shown: dict[str, Disclosure] = {}
        self.hidden: list[Path] = []

    def whole(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        claims = self._object(payload, (), "")
        if len(self.shown) != len(self.disclosures):
            raise _Wrong("a part is shown that was not signed, or one is shown twice")
        return claims

    def _value(self, value: Any, path: Path, inside: str) -> Any:
        if type(value) is dict:
            return self._object(value, path, inside)
        return self._list(value, path, inside) if type(value) is list else value

    def _object(self, value: Mapping[str, Any], path: Path, inside: str) -> dict[str, Any]:
        if len(path) > MOST_DEPTH:
            raise _Wrong(f"it nests deeper than {MOST_DEPTH} levels")
        if "..." in value:
            raise _Wrong("a member is called “...”, which stands for a hidden element")
        made = dict(value)
        made.pop("_sd", None)
        if not path:
            made.pop("_sd_alg", None)
        for name, item in made.items():
            if type(item) is dict:
                made[name] = self._object(item, (*path, name), inside)
            elif type(item) is list:
                made[name] = self._list(item, (*path, name), inside)
        if "_sd" not in value:
            return made
        digests = value["_sd"]
        if not isinstance(digests, list):
            raise _Wrong("“_sd” is not a list of digests")
        for digest in digests:
            parts = self._take(digest, 3)
            if parts is None:
                self._hide(path)
                continue
            name = parts[1]
            if not isinstance(name, str) or name in ("_sd", "..."):
                raise _Wrong("a part is shown under a name that it may not have")
            if name in made:
                raise _Wrong(f"“{name[:40]}” is shown, and stands there already")
            if not path and name in ALWAYS_SHOWN:
                raise _Wrong(f"“{name}” may not be hidden, and was")
            self._note(digest, (*path, name), inside)
            made[name] = self._value(parts[2], (*path, name), digest)
        return made

    def _list(self, value: list[Any], path: Path, inside: str) -> list[Any]:
        if len(path) > MOST_DEPTH:
            raise _Wrong(f"it nests deeper than {MOST_DEPTH} levels")
        made: list[Any] = []
        for item in value:
            if type(item) is not dict or "..." not in item:
                made.append(self._value(item, (*path, len(made)), inside))
                continue
            if len(item) != 1:
                raise _Wrong("a hidden element has members")
            parts = self._take(item["..."], 2)
            if parts is None:
                self._hide(path)
                continue
            at = (*path, len(made))
            self._note(item["..."], at, inside)
            made.append(self._value(parts[1], at, item["..."]))
        return made

    def _take(self, digest: Any, size: int) -> list[Any] | None:
        """The disclosure of a digest; None if it is kept back."""
        if not isinstance(digest, str):
            raise _Wrong("a digest is not text")
        if digest in self.seen:
            raise _Wrong("a digest stands twice")
        self.seen.add(digest)
        if digest not in self.disclosures:
            return None
        parts: list[Any] = self.disclosures[digest][1]
        if len(parts) != size or not isinstance(parts[0], str):
            raise _Wrong("a part that is shown is not made as one")
        return parts

    def _note(self, digest: str, path: Path, inside: str) -> None:
        self.shown[digest] = Disclosure(self.disclosures[digest][0], path, inside)

    def _hide(self, path: Path) -> None:
        if not self.hidden or self.hidden[-1] != path:
            self.hidden.append(path)


def content_of_sd_jwt(found: SdJwt, *, strict: bool = False) -> Content:
    """The credential in an SD-JWT as far as it is shown, without the claims about the token."""
    document = {name: value for name, value in found.claims.items() if name not in _OWN}
    form = SD_JWT_VC if found.vct else VC_SD_JWT
    wrong = [f"it holds a credential and another one under “{name}”" for name in ("vc", "vp") if name in document]
    if found.token.typ == "dc+sd-jwt" and not found.vct:
        wrong.append("its type says that it has a “vct”, and it has none")
    return compare_claims(form, Token(found.token.header, found.claims, b"", b""), document, strict=strict, wrong=wrong)


def disclosures_finding(found: SdJwt) -> tuple[Finding, ...]:
    """`proof.disclosures`: whether what is shown is what was signed; and, as advice, `document.shown`: whether
    that is all of it.
    """
    if found.trouble:
        says = f"What is shown is not what was signed: {found.trouble}."
        return (Finding("proof.disclosures", Verdict.FAIL, says, source=SOURCE),)
    because = {"shown": [pointer(d.path)[:200] for d in list(found.shown.values())[:50]]}
    count = len(found.shown)
    says = f"Each of the {count} parts that are shown was signed." if count > 1 else "What is shown was signed."
    first = Finding("proof.disclosures", Verdict.PASS, says, because=because, source=SOURCE)
    if not found.hidden:
        return first, Finding("document.shown", Verdict.PASS, "All that was signed is shown.", source=SOURCE)
    because = {"in": [pointer(path)[:200] for path in found.hidden[:20]]}
    says = "Not all that was signed is shown: its holder may keep parts of it back."
    return first, Finding("document.shown", Verdict.UNKNOWN, says, required=False, because=because, source=SOURCE)


# --- Key binding ---


def key_binding_finding(found: SdJwt, *, audience: str | None, nonce: str | None, now: datetime) -> Finding:
    """`proof.holder`: whether the holder's own key signed this presentation, for `audience` and with `nonce`.

    Where neither was asked for, a presentation without a signature is not applicable, and one with is advice: it
    says for whom it was made, and nobody knows if that is the one who looks.
    """
    asked = audience is not None or nonce is not None

    def finding(verdict: Verdict, says: str, *, required: bool = True) -> Finding:
        return Finding("proof.holder", verdict, says, required=required, source=_KEY_BINDING)

    if not found.key_binding:
        if asked:
            return finding(Verdict.FAIL, "Its holder did not sign that it is shown here and now.")
        return finding(Verdict.NOT_APPLICABLE, "Nobody asked its holder to sign for it.")
    cnf = found.token.claims.get("cnf")
    jwk = cnf.get("jwk") if isinstance(cnf, dict) else None
    try:
        if not isinstance(jwk, dict):
            says = "It names no key of a holder that is known here, so nobody can tell who shows it."
            return finding(Verdict.FAIL if cnf is None else Verdict.UNKNOWN, says)
        key = PublicKey.from_jwk("cnf", jwk)
        token = read_token(found.key_binding, "key binding")
    except BrokenInput as problem:
        return finding(Verdict.FAIL, f"The holder's signature cannot be read: {problem.what}.")
    own = FoundKey(key, "cnf", Verdict.PASS, "")
    check = check_token(token, "cnf", lambda _: own, types={"kb+jwt"}, named=False)
    if check.verdict is not Verdict.PASS:
        return finding(check.verdict, "The holder's signature does not hold.")
    name = _HASHES[str(found.token.claims.get("_sd_alg", "sha-256"))] if not found.trouble else "sha256"
    if token.claims.get("sd_hash") != _digest(found.presented, name):
        return finding(Verdict.FAIL, "Its holder signed for another choice of what is shown.")
    made = token.claims.get("iat")
    if isinstance(made, bool) or not isinstance(made, int | float) or made > now.timestamp() + _CLOCKS:
        return finding(Verdict.FAIL, "The holder's signature has no date, or one that is still to come.")
    for claim, value, word in (("aud", audience, "for somebody else"), ("nonce", nonce, "for another occasion")):
        given = token.claims.get(claim)
        if not isinstance(given, str) or not given:
            return finding(Verdict.FAIL, f"The holder's signature has no “{claim}”.")
        if value is not None and given != value:
            return finding(Verdict.FAIL, f"It was shown {word}.")
    if not asked:
        says = "Its holder signed that it is shown; to whom and when, nobody asked."
        return finding(Verdict.UNKNOWN, says, required=False)
    if nonce is None:
        says = "Its holder signed that it is shown here; whether now or earlier, nobody asked."
        return finding(Verdict.UNKNOWN, says)
    return finding(Verdict.PASS, "Its holder signed that it is shown here and now.")


_CLOCKS = 300
"""Seconds by which a holder's clock may be ahead."""


# --- Make ---


def sign_sd_jwt(
    document: Mapping[str, Any],
    signer: Signer,
    *,
    hide: Iterable[str],
    randomness: Callable[[int], bytes],
    vct: str = "",
    holder: HasPublicKey | None = None,
    decoys: int = 0,
) -> str:
    """The credential as an SD-JWT in which each place of `hide` can be kept back; its holder gets all of it.

    `hide` are JSON Pointers (RFC 6901) into the document, to members and to elements of lists, also one inside
    another. `randomness` gives that many unpredictable bytes at each call: 16 for every salt. `vct` makes it an
    SD-JWT VC of that type, `holder` binds it to a key, and `decoys` digests of nothing are added to each object
    in which something is hidden. Digests are sorted, so that their order tells nothing.

    BrokenInput for a pointer that points nowhere or at what a verifier decides by, for a member called `_sd` or
    `...`, and for what `sign_vc_jwt` refuses.
    """
    where = str(document.get("id", "document"))
    claims = claims_of(document)
    del claims["jti"]
    if "proof" in document:
        raise BrokenInput("carries a proof, which would not hold over a part", where=where, hint="take it off first")
    _refuse_reserved(document, where)
    payload = dict(document)
    copied: dict[int, Any] = {}  # what of the document is a copy by now, so that the caller's stays as it is
    disclosures: list[str] = []
    plan = _plan(frozenset(hide))
    if any(("credentialSubject", "id") in paths for paths in plan):
        claims.pop("sub", None)
    for paths in plan:
        touched: dict[int, dict[str, Any]] = {}
        for path in paths:
            inside, last = _place(payload, path, copied, where)
            salt = encode(randomness(16)).decode()
            if isinstance(last, str):
                digest = _disclose([salt, last, inside.pop(last)], disclosures)
                inside.setdefault("_sd", []).append(digest)
                touched[id(inside)] = inside
            else:
                inside[last] = {"...": _disclose([salt, inside[last]], disclosures)}
        for changed in touched.values():
            changed["_sd"] += (encode(hashlib.sha256(randomness(32)).digest()).decode() for _ in range(decoys))
            changed["_sd"].sort()
    payload |= claims
    if disclosures:
        payload["_sd_alg"] = "sha-256"
    if vct:
        payload["vct"] = vct
    if holder is not None:
        payload["cnf"] = {"jwk": jwk_of(holder)}
    token = sign_jws(payload, signer, "dc+sd-jwt" if vct else "vc+sd-jwt", where, is_json=True)
    return "~".join([token, *disclosures, ""])


def _disclose(parts: list[Any], disclosures: list[str]) -> str:
    text = encode(orjson.dumps(parts))
    disclosures.append(text.decode())
    return _digest(text)


def _refuse_reserved(document: Mapping[str, Any], where: str) -> None:
    """BrokenInput for what is no JSON, and for a name that would be read as a digest."""
    data = write_json(document, where)
    waiting: list[Any] = [document] if (b"_" in data and b'"_sd' in data) or b'"..."' in data else []
    while waiting:
        item = waiting.pop()
        if isinstance(item, Mapping):
            if not item.keys().isdisjoint({"_sd", "...", "_sd_alg"}):
                raise BrokenInput("has a member with a name that SD-JWT keeps for itself", where=where)
            waiting.extend(item.values())
        elif isinstance(item, list | tuple):
            waiting.extend(item)
    if "vct" in document:
        raise BrokenInput("the member “vct” has the name of a claim", where=where, hint="take it out")


@lru_cache(maxsize=64)
def _plan(hide: frozenset[str]) -> tuple[tuple[tuple[str, ...], ...], ...]:
    """The paths by their length, the longest first: what lies in a hidden part is hidden before it."""
    paths = {_path(text) for text in hide}
    sizes = sorted({len(path) for path in paths}, reverse=True)
    return tuple(tuple(sorted(path for path in paths if len(path) == size)) for size in sizes)


def _path(text: str) -> tuple[str, ...]:
    if not text.startswith("/"):
        raise BrokenInput(
            f"{text[:60]!r} is not a JSON Pointer", hint="begin with /, such as /credentialSubject/result/0"
        )
    return tuple(step.replace("~1", "/").replace("~0", "~") for step in text[1:].split("/"))


def _place(payload: dict[str, Any], path: tuple[str, ...], copied: dict[int, Any], where: str) -> tuple[Any, str | int]:
    """(the object or list, the name or index in it) of a place that may be hidden; all on the way is copied once."""
    if path[0] in _NEVER_HIDDEN or path == ("credentialSubject",) or "@context" in path:
        raise BrokenInput(f"{pointer(path)} may not be hidden: a verifier decides by it", where=where)
    found: Any = payload
    for number, step in enumerate(path, start=1):
        key: str | int = step
        if isinstance(found, list) and re.fullmatch(r"0|[1-9][0-9]{0,8}", step) and int(step) < len(found):
            key = int(step)
        elif not isinstance(found, dict) or step not in found:
            raise BrokenInput(f"{pointer(path)} is not in the document", where=where, hint="name what is there")
        if number == len(path):
            return found, key
        child = found[key]
        if isinstance(child, dict | list | tuple) and id(child) not in copied:
            child = dict(child) if isinstance(child, dict) else list(child)
            copied[id(child)] = found[key] = child
        found = child
    raise AssertionError("a pointer has at least one step")


def pointer(path: Sequence[str | int]) -> str:
    """A path as a JSON Pointer (RFC 6901)."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)


def present_sd_jwt(
    text: str,
    *,
    show: Iterable[str],
    holder: Signer | None = None,
    audience: str = "",
    nonce: str = "",
    at: datetime | None = None,
) -> str:
    """The same token with only the disclosures at or below the places of `show`, and what those lie in.

    `show` are JSON Pointers into the credential with everything shown. With `holder`, the holder's signature for
    `audience` and `nonce`, made `at`, is added. BrokenInput if a place is not among what could be kept back.
    """
    found = read_sd_jwt(text)
    if found.trouble:
        raise BrokenInput(f"is no whole SD-JWT: {found.trouble}", where="token")
    wanted: set[str] = set()
    for asked in show:
        steps = _path(asked)
        below = [d for d, entry in found.shown.items() if tuple(map(str, entry.path))[: len(steps)] == steps]
        if not below:
            raise BrokenInput(f"{asked[:80]} is not a part that could be kept back", where="token")
        wanted.update(_with_outer(below, found.shown))
    kept = [entry.text for digest, entry in found.shown.items() if digest in wanted]
    shown = "~".join([text.partition("~")[0], *kept, ""])
    if holder is None:
        return shown
    if not audience or not nonce or at is None:
        raise BrokenInput("a holder signs for an audience, with its nonce, at a time", where="key binding")
    claims = {"iat": int(at.timestamp()), "aud": audience, "nonce": nonce, "sd_hash": _digest(shown.encode())}
    return shown + sign_jws(claims, holder, "kb+jwt", "key binding", named=False)


def _with_outer(digests: Iterable[str], shown: Mapping[str, Disclosure]) -> Iterator[str]:
    for digest in digests:
        while digest:
            yield digest
            digest = shown[digest].inside
