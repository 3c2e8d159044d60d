"""Open Badges of version 2 (and 1.1) on the way in: whether one holds, and what it is as an Open Badge of version 3.

A badge of version 2 is three documents: an Assertion (who was awarded what, when), a BadgeClass (what for) and an
Issuer profile. It carries no signature of its own; it is *hosted*, true because its issuer's site says so now, or
*signed*, the payload of a JSON Web Signature. Rules (Open Badges 2.0, "Verification"):

1. hosted: what was handed in only tells the address. What is published there counts; if it says anything else, the
   badge fails, and if it cannot be had, nothing is known;
2. signed: the key is one that the issuer's own profile lists, and names that issuer as its owner;
3. the issuer's profile is read at its own id, never believed from inside the badge, since from inside it anybody can
   say anything: embedded, it only tells a name. The same holds for a BadgeClass with a web address;
4. a hosted assertion and its BadgeClass lie where the issuer's profile says (`verification.startsWith`,
   `allowedOrigins`), or else on the issuer's own origin;
5. revoked: `revoked` in the hosted assertion; for a signed one, the issuer's revocation list;
6. dates and recipient are read as in version 3.

`upgrade` writes the same achievement as an unsigned Open Badge of version 3, as the Implementation Guide says
("Migrating from OB 2.0"). What version 3 has no member for (extensions, telephone numbers as recipients) is not
carried over: their contexts cannot stand in a document of version 3. The original stays behind it as evidence.

Sources: Open Badges 2.0 (IMS Final Release, 12 April 2018); Open Badges 3.0 Implementation Guide 2.0, "Migrating from
OB 2.0, OB 2.1, and CLR 1.0".
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from guildmark.core.codecs import iso, parse_iso, parse_json
from guildmark.core.errors import BrokenInput, OutsideFailure
from guildmark.core.report import Finding, Report, Verdict
from guildmark.credential.jose import Token, read_token
from guildmark.credential.keys import JOSE_NAMES, PublicKey, signature_holds
from guildmark.credential.open_badge import IssuerProfile, credential, make
from guildmark.credential.signed import World, listed, plain, sentence, words

CONTEXTS = frozenset({"https://w3id.org/openbadges/v1", "https://w3id.org/openbadges/v2"})

ASSERTION = "https://w3id.org/openbadges#Assertion"
BADGE_CLASS = "https://w3id.org/openbadges#BadgeClass"
ACHIEVEMENT = "https://purl.imsglobal.org/spec/vc/ob/vocab.html#Achievement"
PROFILE = "https://purl.imsglobal.org/spec/vc/ob/vocab.html#Profile"
"""Types by which documents of one version name those of the other: neither context has the other's terms."""

_VERIFICATION = "Open Badges 2.0, Verification"
_CLASSES = "Open Badges 2.0, Open Badges Vocabulary"

_MOST_KEYS = 5


def is_assertion(document: Mapping[str, Any]) -> bool:
    """Whether it is an Assertion of version 1.1 or 2, and no credential of the W3C."""
    types, contexts = listed(document.get("type")), listed(document.get("@context"))
    ours = bool(CONTEXTS & {c for c in contexts if isinstance(c, str)})
    return ours and "Assertion" in types and "VerifiableCredential" not in types


def signed_assertion(data: bytes | str) -> Token | None:
    """The token, if the text is a JSON Web Signature over an Assertion; None for anything else."""
    text = data.encode("utf-8", "replace") if isinstance(data, str) else data
    try:
        token = read_token(text.strip())
    except BrokenInput:
        return None
    return token if is_assertion(token.claims) else None


def verify_assertion(assertion: Mapping[str, Any], world: World, token: Token | None = None) -> Report:
    """What is found about an Assertion, hosted or (with its token) signed, at the moment of the world.

    The findings have the ids that those of version 3 have. Whose it is, is not among them: `holder` says it in the
    form of version 3. Never raises on what an Assertion may contain.
    """
    return _Look(world, token).at(assertion)


def holder(assertion: Mapping[str, Any]) -> dict[str, Any]:
    """`id` and `identifier` of a subject of version 3, from the recipient; {} if it names nobody in a way that
    version 3 knows.
    """
    recipient = assertion.get("recipient")
    if not isinstance(recipient, Mapping) or not isinstance(recipient.get("identity"), str):
        return {}
    kind = str(recipient.get("type", "")).rpartition("/")[2].rpartition(":")[2]
    identity, hashed, salt = recipient["identity"], recipient.get("hashed") is True, recipient.get("salt")
    if kind in ("id", "url") and not hashed:
        return {"id": identity} if urlsplit(identity).scheme else {}
    if not identity.strip() or kind not in _IDENTITIES:
        return {}
    entry = {"hashed": hashed, "identityHash": identity, "identityType": _IDENTITIES[kind]}
    if hashed and isinstance(salt, str):
        entry["salt"] = salt
    return {"identifier": [{"type": "IdentityObject", **entry}]}


_IDENTITIES = {"email": "emailAddress", "id": "identifier", "url": "ext:url", "telephone": "ext:telephone"}


# --- Whether one holds ---


@dataclass(slots=True)
class _Look:
    """One look at an assertion: the world, and the token if it is signed."""

    world: World
    token: Token | None

    def at(self, given: Mapping[str, Any]) -> Report:
        readable = Finding("document.readable", Verdict.PASS, "It is a readable Open Badge of version 2.")
        assertion, held = (given, None) if self.token is not None else self._hosted(given)
        badge, badge_says = self._badge(assertion)
        issuer, issuer_says, vouched = self._issuer(badge)
        who = _called(issuer)
        signature, bound = (
            self._signature(assertion, issuer, who, vouched)
            if self.token is not None
            else (held, self._scope(assertion, badge, issuer, who, vouched))
        )
        found = (
            readable,
            _structure(assertion, badge, issuer),
            *badge_says,
            *issuer_says,
            *([signature] if signature is not None else []),
            bound,
            self._revocation(assertion, issuer, who, vouched),
            self._dates(assertion),
            *_endorsements(assertion, badge, issuer),
        )
        return Report(f"“{plain(words(badge.get('name')) or 'A badge')}”, issued by {who}", found)

    def _read(self, url: str) -> Mapping[str, Any]:
        """The document at the address; OutsideFailure if there is none that can be read."""
        try:
            value = parse_json(self.world.fetch(url).body, where=url)
        except BrokenInput as problem:
            raise OutsideFailure(f"What is published at {plain(url)} cannot be read: {problem.what}.") from problem
        if not isinstance(value, Mapping):
            raise OutsideFailure(f"What is published at {plain(url)} is no document.")
        return value

    def _hosted(self, given: Mapping[str, Any]) -> tuple[Mapping[str, Any], Finding]:
        """(the assertion that counts, whether it is what was handed in)."""
        url = _id(given)

        def finding(verdict: Verdict, says: str) -> Finding:
            because = {"hosted": plain(url, 300)}
            return Finding("proof.signature", verdict, sentence(says), because=because, source=_VERIFICATION)

        if "SignedBadge" in _verification(given) or "signed" in _verification(given):
            says = "It says that it is signed, but it came without its signature."
            return given, finding(Verdict.FAIL, says)
        if not _web(url):
            return given, finding(Verdict.FAIL, "It says that it is hosted, but not where.")
        try:
            hosted = self._read(url)
        except OutsideFailure as problem:
            says = f"Whether its issuer still publishes it cannot be told. {problem}"
            return given, finding(Verdict.UNKNOWN, says)
        if _id(hosted) != url:
            return given, finding(Verdict.FAIL, f"What is published at {plain(url)} is another badge.")
        if hosted.get("revoked") is True:
            return {**given, **hosted}, finding(Verdict.PASS, f"Its issuer says at {plain(url)} what became of it.")
        different = [name for name in _SAID if _alike(name, given.get(name)) != _alike(name, hosted.get(name))]
        if different:
            says = f"It was changed: at {plain(url)} its issuer says otherwise (“{different[0]}”)."
            return hosted, finding(Verdict.FAIL, says)
        return hosted, finding(Verdict.PASS, f"It is what its issuer publishes at {plain(url)}.")

    def _badge(self, assertion: Mapping[str, Any]) -> tuple[Mapping[str, Any], tuple[Finding, ...]]:
        """(the BadgeClass, what is wrong with how it was had)."""
        given = assertion.get("badge")
        url = _id(given)
        if isinstance(given, Mapping) and not _web(url):
            return given, ()

        def finding(verdict: Verdict, says: str) -> tuple[Finding, ...]:
            because = {"badge": plain(url, 300)}
            return (Finding("badge.class", verdict, sentence(says), because=because, source=_CLASSES),)

        inside = given if isinstance(given, Mapping) else {}
        if not url:
            return inside, finding(Verdict.FAIL, "It does not say what it was awarded for.")
        try:
            published = self._read(url) if _web(url) else {}
        except OutsideFailure as problem:
            return inside, finding(Verdict.UNKNOWN, f"What it was awarded for cannot be looked up. {problem}")
        if _id(published) != url or "BadgeClass" not in listed(published.get("type")):
            return inside, finding(Verdict.FAIL, f"What is published at {plain(url)} is not what it was awarded for.")
        different = [n for n in _AWARDED if inside and _alike(n, inside.get(n)) != _alike(n, published.get(n))]
        if different:
            says = f"At {plain(url)} what it was awarded for is described in other words (“{different[0]}”)."
            return published, finding(Verdict.FAIL, says)
        return published, finding(Verdict.PASS, f"What it was awarded for is described at {plain(url)}.")

    def _issuer(self, badge: Mapping[str, Any]) -> tuple[Mapping[str, Any], tuple[Finding, ...], bool]:
        """(the issuer's profile, what is to be said of it, whether it is the issuer's own)."""
        given = badge.get("issuer")
        url = _id(given)
        inside = given if isinstance(given, Mapping) else {"id": url}

        def finding(verdict: Verdict, says: str) -> tuple[Finding, ...]:
            because = {"issuer": plain(url, 300)}
            return (Finding("issuer.profile", verdict, sentence(says), because=because, source=_CLASSES),)

        if not _web(url):
            says = "Its issuer has no web address at which a profile could be read."
            return inside, finding(Verdict.UNKNOWN, says), False
        try:
            published = self._read(url)
        except OutsideFailure as problem:
            return inside, finding(Verdict.UNKNOWN, f"Its issuer's profile cannot be read. {problem}"), False
        if _id(published) != url:
            return (
                inside,
                finding(Verdict.FAIL, f"What is published at {plain(url)} is not its issuer's profile."),
                False,
            )
        return published, finding(Verdict.PASS, f"Its issuer's profile is published at {plain(url)}."), True

    def _scope(
        self,
        assertion: Mapping[str, Any],
        badge: Mapping[str, Any],
        issuer: Mapping[str, Any],
        who: str,
        vouched: bool,
    ) -> Finding:
        """Rule 4, for a hosted badge."""
        places = [place for place in (_id(assertion), _id(badge)) if _web(place)]
        because = {"issuer": plain(_id(issuer), 300), "places": [plain(place, 300) for place in places]}

        def finding(verdict: Verdict, says: str) -> Finding:
            return Finding("proof.key_bound", verdict, sentence(says), because=because, source=_VERIFICATION)

        if not vouched:
            return finding(Verdict.UNKNOWN, f"Nothing shows that {who} issues badges at this address.")
        outside = [place for place in places if not _allowed(place, issuer)]
        if outside or not places:
            where = plain(outside[0]) if outside else "an address of its own"
            return finding(Verdict.FAIL, f"It lies at {where}, which is not a place of its issuer, {who}.")
        return finding(Verdict.PASS, f"It lies where {who} issues its badges.")

    def _signature(
        self, assertion: Mapping[str, Any], issuer: Mapping[str, Any], who: str, vouched: bool
    ) -> tuple[Finding, Finding]:
        """Rule 2, for a signed badge."""
        token = self.token
        assert token is not None
        alg, because = token.header.get("alg"), {"issuer": plain(_id(issuer), 300)}

        def pair(holds: tuple[Verdict, str], bound: tuple[Verdict, str]) -> tuple[Finding, Finding]:
            one = {**because, "suite": plain(alg, 30)}
            return (
                Finding("proof.signature", holds[0], sentence(holds[1]), because=one, source=_VERIFICATION),
                Finding("proof.key_bound", bound[0], sentence(bound[1]), because=because, source=_VERIFICATION),
            )

        unbound = (Verdict.UNKNOWN, f"Nothing shows that {who} signed this.")
        if not isinstance(alg, str) or alg not in JOSE_NAMES.values():
            says = f"It is signed in a way that is not known here ({plain(alg, 30)})."
            return pair((Verdict.FAIL if alg == "none" else Verdict.UNKNOWN, says), unbound)
        if "crit" in token.header:
            return pair((Verdict.UNKNOWN, "Its signature asks for what is not known here."), unbound)
        named = _verifier(assertion).get("creator")
        own = {_id(key): key for key in listed(issuer.get("publicKey"))[:_MOST_KEYS] if _id(key)}
        wanted = [_id(named)] if _id(named) else list(own)
        if not wanted:
            return pair((Verdict.UNKNOWN, "Neither it nor its issuer names a key."), unbound)
        trouble = ""
        for id in wanted:
            try:
                entry = own.get(id) if isinstance(own.get(id), Mapping) else self._read(id)
                assert isinstance(entry, Mapping)
                key = key_of_pem(entry.get("publicKeyPem"), id)
            except (OutsideFailure, BrokenInput) as problem:
                trouble = trouble or str(problem)
                continue
            if JOSE_NAMES.get(key.algorithm) != alg or not signature_holds(key, token.signed, token.signature):
                continue
            holds = (Verdict.PASS, "The signature holds.")
            if not vouched:
                return pair(holds, unbound)
            if id not in own:
                says = f"The signature holds, but {who} does not list its key ({plain(id)})."
                return pair(holds, (Verdict.FAIL, says))
            if entry.get("owner", _id(issuer)) != _id(issuer):
                says = f"The signature holds, but the key belongs to {plain(entry.get('owner'))}, not to {who}."
                return pair(holds, (Verdict.FAIL, says))
            return pair(holds, (Verdict.PASS, f"{who} lists the key in its profile."))
        if trouble:
            return pair((Verdict.UNKNOWN, f"The key cannot be had. {trouble}"), unbound)
        return pair((Verdict.FAIL, "The signature does not fit: it was changed, or another key signed it."), unbound)

    def _revocation(self, assertion: Mapping[str, Any], issuer: Mapping[str, Any], who: str, vouched: bool) -> Finding:
        """Rule 5."""

        def finding(verdict: Verdict, says: str) -> Finding:
            return Finding("status.revocation", verdict, sentence(says), source=_VERIFICATION)

        if assertion.get("revoked") is True:
            return finding(Verdict.FAIL, _revoked(assertion.get("revocationReason")))
        if self.token is None:
            return finding(Verdict.NOT_APPLICABLE, "A hosted badge is withdrawn where it is published.")
        url = _id(issuer.get("revocationList"))
        if not vouched:
            return finding(Verdict.UNKNOWN, "Whether it was withdrawn cannot be told without its issuer's profile.")
        if not url:
            return finding(Verdict.NOT_APPLICABLE, "Its issuer keeps no list by which it could be withdrawn.")
        try:
            entries = listed(self._read(url).get("revokedAssertions"))
        except OutsideFailure as problem:
            return finding(Verdict.UNKNOWN, f"Whether it was withdrawn cannot be told. {problem}")
        names = {name for name in (_id(assertion), assertion.get("uid")) if isinstance(name, str) and name}
        for entry in entries:
            about = [entry.get("id"), entry.get("uid")] if isinstance(entry, Mapping) else [entry]
            if any(isinstance(name, str) and name in names for name in about) and _stands(entry):
                reason = entry.get("revocationReason") if isinstance(entry, Mapping) else None
                return finding(Verdict.FAIL, _revoked(reason))
        return finding(Verdict.PASS, f"Not revoked, says the list of {who}.")

    def _dates(self, assertion: Mapping[str, Any]) -> Finding:
        def finding(verdict: Verdict, says: str) -> Finding:
            return Finding("validity.dates", verdict, sentence(says), because={"now": iso(now)}, source=_VERIFICATION)

        now = self.world.now
        try:
            start = moment(assertion.get("issuedOn"))
            end = moment(assertion["expires"]) if "expires" in assertion else None
        except BrokenInput as problem:
            return finding(Verdict.FAIL, f"Its dates cannot be relied on: {plain(problem.what)}.")
        if now < start:
            return finding(Verdict.FAIL, f"Not valid yet: it counts from {iso(start)[:10]}.")
        if end is not None and now > end:
            return finding(Verdict.FAIL, f"Expired on {iso(end)[:10]}.")
        until = f" until {iso(end)[:10]}" if end is not None else ", without an end"
        return finding(Verdict.PASS, f"Valid from {iso(start)[:10]}{until}.")


_SAID = ("recipient", "badge", "issuedOn", "expires", "evidence", "narrative")
"""Members of an assertion that say what was awarded: handed in and hosted, they are the same."""

_AWARDED = ("name", "description", "criteria", "issuer")
"""Members of a BadgeClass that say what for, and by whom."""


def _alike(name: str, value: Any) -> Any:
    """What is compared: a document that stands inside and its address are alike, one value and a list of it too."""
    if name in ("badge", "issuer"):
        return _id(value) or value
    return [_id(entry) if isinstance(entry, Mapping) and set(entry) == {"id"} else entry for entry in listed(value)]


def _stands(entry: Any) -> bool:
    return not isinstance(entry, Mapping) or entry.get("revoked", True) is not False


def _revoked(reason: Any) -> str:
    return f"Revoked by its issuer: {plain(reason, 200)}." if isinstance(reason, str) and reason else "Revoked."


def _endorsements(*documents: Mapping[str, Any]) -> Iterator[Finding]:
    count = sum(len(listed(document.get("endorsement"))) for document in documents)
    if count:
        says = f"It names {count} endorsements of version 2, which are not looked at."
        if count == 1:
            says = "It names an endorsement of version 2, which is not looked at."
        yield Finding("endorsements", Verdict.UNKNOWN, says, required=False, source=_CLASSES)


def _structure(assertion: Mapping[str, Any], badge: Mapping[str, Any], issuer: Mapping[str, Any]) -> Finding:
    problems = list(_problems(assertion, badge, issuer))
    if not problems:
        says = "It has everything that an Open Badge of version 2 needs."
        return Finding("document.structure", Verdict.PASS, says, source=_CLASSES)
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    says = f"It is not made the way an Open Badge of version 2 must be: {problems[0]}{more}."
    because = {"problems": problems[:30]}
    return Finding("document.structure", Verdict.FAIL, sentence(says), because=because, source=_CLASSES)


def _problems(assertion: Mapping[str, Any], badge: Mapping[str, Any], issuer: Mapping[str, Any]) -> Iterator[str]:
    if assertion.get("revoked") is True:
        return  # “only `revoked` and `id` are required”
    if not _absolute(_id(assertion)):
        yield "“id” is not an absolute URL or URN"
    recipient = assertion.get("recipient")
    if not isinstance(recipient, Mapping):
        yield "“recipient” is missing"
    else:
        if not isinstance(recipient.get("identity"), str) or not recipient["identity"].strip():
            yield "“recipient.identity” is missing"
        if not isinstance(recipient.get("type"), str):
            yield "“recipient.type” is missing"
        if not isinstance(recipient.get("hashed", False), bool):
            yield "“recipient.hashed” is not true or false"
    if not {"hosted", "HostedBadge", "signed", "SignedBadge"} & _verification(assertion):
        yield "“verification.type” is neither hosted nor signed"
    if "issuedOn" not in assertion:
        yield "“issuedOn” is missing"
    for name in ("name", "description"):
        if not words(badge.get(name)):
            yield f"“badge.{name}” is missing"
    for name in ("image", "criteria"):
        if not badge.get(name):
            yield f"“badge.{name}” is missing"
    if not _absolute(_id(issuer)):
        yield "“badge.issuer” is missing"
    if set(issuer) - {"id"}:  # otherwise it could not be read, which is another finding
        for name in ("name", "url", "email"):
            if not words(issuer.get(name)):
                yield f"“badge.issuer.{name}” is missing"


def _verifier(assertion: Mapping[str, Any]) -> Mapping[str, Any]:
    """The VerificationObject, also under the name that it had in version 1."""
    found = assertion.get("verification", assertion.get("verify"))
    return found if isinstance(found, Mapping) else {}


def _verification(assertion: Mapping[str, Any]) -> set[str]:
    return {kind for kind in listed(_verifier(assertion).get("type")) if isinstance(kind, str)}


def _allowed(place: str, issuer: Mapping[str, Any]) -> bool:
    """Whether the issuer's profile, its own, lets a badge lie there."""
    rules = issuer.get("verification")
    starts = [s for s in listed(rules.get("startsWith")) if isinstance(s, str)] if isinstance(rules, Mapping) else []
    hosts = [h for h in listed(rules.get("allowedOrigins")) if isinstance(h, str)] if isinstance(rules, Mapping) else []
    if starts and not any(start and place.startswith(start) for start in starts):
        return False
    if hosts:
        return (urlsplit(place).hostname or "") in {host.lower() for host in hosts}
    return bool(starts) or _origin(place) == _origin(_id(issuer))


def _origin(url: str) -> tuple[str, str, int | None]:
    """Scheme, host and port; http and https of one host are one origin here, since old badges changed over."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return ("", url, None)
    return ("web" if parts.scheme in ("http", "https") else parts.scheme, parts.hostname or "", port)


def _called(issuer: Mapping[str, Any]) -> str:
    name, id = plain(words(issuer.get("name"))), plain(_id(issuer))
    return f"{name} ({id})" if name and id else name or id or "nobody in particular"


def _id(value: Any) -> str:
    if isinstance(value, Mapping):
        value = value.get("id")
    return value if isinstance(value, str) else ""


def _web(url: str) -> bool:
    return url.startswith(("https://", "http://"))


def _absolute(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return bool(parts.scheme and (parts.netloc or parts.path))


def moment(value: Any) -> datetime:
    """A date of version 2, or of version 1, which also knew seconds since 1970 and days. BrokenInput if it is none."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**11:
        return datetime.fromtimestamp(value, UTC)
    if isinstance(value, str) and len(value) == len("2016-12-31"):
        return parse_iso(f"{value}T00:00:00Z")
    return parse_iso(value)


def key_of_pem(text: Any, id: str) -> PublicKey:
    """The key of a CryptographicKey's `publicKeyPem`; BrokenInput if it is none of a kind that is known here."""
    if not isinstance(text, str) or len(text) > 10_000:
        raise BrokenInput("has no publicKeyPem", where=plain(id))
    try:
        key = serialization.load_pem_public_key(text.encode("utf-8", "replace"))
    except (ValueError, UnsupportedAlgorithm) as problem:
        raise BrokenInput("its publicKeyPem is no public key", where=plain(id)) from problem
    if isinstance(key, rsa.RSAPublicKey) and 2048 <= key.key_size <= 8192:
        form = serialization.PublicFormat.PKCS1
        return PublicKey(id, "RSA", key.public_bytes(serialization.Encoding.DER, form))
    if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in ("secp256r1", "secp384r1"):
        point = key.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.CompressedPoint)
        return PublicKey(id, "P-256" if key.curve.name == "secp256r1" else "P-384", point)
    raise BrokenInput("its publicKeyPem is a key of a kind that is not known here", where=plain(id))


# --- The same as an Open Badge of version 3 ---


def upgrade(
    assertion: Mapping[str, Any],
    badge: Mapping[str, Any],
    issuer: Mapping[str, Any],
    *,
    credential_id: str,
    achievement_id: str,
    signer: IssuerProfile | None = None,
    token: str = "",
) -> dict[str, Any]:
    """The unsigned OpenBadgeCredential of an Assertion, its BadgeClass and its Issuer profile, each as documents.

    `credential_id` and `achievement_id` are new: the old ids stay those of the documents of version 2, which keep
    their addresses. `signer` is the issuer as it stands in version 3, such as its did:web; its `otherIdentifier` is
    the old id. Without `signer` the issuer is the old id itself: so a record's issuer takes in the badge of another,
    without a proof of its own. Sign the result only if you are the same issuer (Implementation Guide).

    The original is evidence, by its address or, if it was signed, as a data: URL of its `token`. `validFrom` and
    `awardedDate` are its `issuedOn`. BrokenInput if a member that version 3 needs is missing, if the recipient is
    named in no way that it knows, or if the badge was revoked: that is not to be issued again.
    """
    if assertion.get("revoked") is True:
        raise BrokenInput("the badge was revoked", where="assertion.revoked", hint="do not issue it again")
    subject = holder(assertion)
    if not subject:
        raise BrokenInput("names its recipient in no way that version 3 knows", where="assertion.recipient")
    try:
        issued = moment(assertion.get("issuedOn"))
        ends = moment(assertion["expires"]) if "expires" in assertion else None
    except BrokenInput as problem:
        raise BrokenInput(problem.what, where="assertion", hint=problem.hint) from problem
    old = _profile(issuer)
    return credential(
        "OpenBadgeCredential",
        id=credential_id,
        issuer=_now_known_as(signer, _id(issuer)) if signer is not None else old,
        valid_from=issued,
        valid_until=ends,
        awardedDate=issued,
        name=words(badge.get("name")),
        subject=make(
            "AchievementSubject",
            **subject,
            achievement=_achievement(badge, old, achievement_id),
            image=_image(assertion.get("image")),
            narrative=words(assertion.get("narrative")),
        ),
        evidence=[*(_evidence(entry) for entry in listed(assertion.get("evidence"))), _original(assertion, token)],
    )


def linked_back(document: Mapping[str, Any], id: str) -> dict[str, Any]:
    """A BadgeClass or Issuer profile of version 2 that says which document of version 3 (`id`) is the same."""
    kind = ACHIEVEMENT if "BadgeClass" in listed(document.get("type")) else PROFILE
    link = {"type": [kind], "id": id, "version": "Open Badges v3p0"}
    kept = [entry for entry in listed(document.get("related")) if _id(entry) != id]
    return {**document, "related": [*kept, link]}


def _now_known_as(signer: IssuerProfile, old: str) -> dict[str, Any]:
    """The issuer of version 3 with its old id. The guide's `alsoKnownAs` belongs into its DID document: the contexts
    of a badge do not have it.
    """
    profile = signer.to_profile()
    if old and old != signer.id:
        entry = make("IdentifierEntry", identifier=old, identifierType="identifier")
        known = listed(profile.get("otherIdentifier"))
        profile["otherIdentifier"] = [*known, *([] if entry in known else [entry])]
    return profile


def _profile(issuer: Mapping[str, Any]) -> dict[str, Any]:
    return make(
        "Profile",
        id=_id(issuer),
        name=words(issuer.get("name")),
        url=issuer.get("url"),
        phone=issuer.get("telephone"),
        description=words(issuer.get("description")),
        image=_image(issuer.get("image")),
        email=issuer.get("email"),
    )


def _achievement(badge: Mapping[str, Any], creator: Mapping[str, Any], id: str) -> dict[str, Any]:
    criteria = badge.get("criteria")
    said = criteria if isinstance(criteria, Mapping) else {"id": criteria}
    link = make("Related", type=[BADGE_CLASS], id=_id(badge), version="Open Badges v2p0") if _id(badge) else None
    version = badge.get("version")
    return make(
        "Achievement",
        id=id,
        name=words(badge.get("name")),
        description=words(badge.get("description")),
        criteria=make("Criteria", id=said.get("id"), narrative=words(said.get("narrative"))),
        creator=creator,
        image=_image(badge.get("image")),
        alignment=[_alignment(entry) for entry in listed(badge.get("alignment")) if isinstance(entry, Mapping)],
        tag=[tag for tag in listed(badge.get("tags")) if isinstance(tag, str) and tag.strip()],
        inLanguage=badge.get("@language"),
        version=str(version) if isinstance(version, str | int | float) else None,
        related=link,
    )


def _alignment(entry: Mapping[str, Any]) -> dict[str, Any]:
    """An AlignmentObject, also with the names that it had in version 1."""
    return make(
        "Alignment",
        targetName=words(entry.get("targetName", entry.get("name"))),
        targetUrl=_id(entry.get("targetUrl", entry.get("url"))),
        targetDescription=words(entry.get("targetDescription", entry.get("description"))),
        targetFramework=words(entry.get("targetFramework")),
        targetCode=words(entry.get("targetCode")),
    )


def _image(value: Any) -> dict[str, Any] | None:
    """An image by its address or data: URL; one that cannot stand in version 3 is left out."""
    url = _id(value)
    if not _absolute(url):
        return None
    return make("Image", id=url, caption=words(value.get("caption")) if isinstance(value, Mapping) else "")


def _evidence(entry: Any) -> dict[str, Any]:
    said = entry if isinstance(entry, Mapping) else {"id": entry}
    told = {name: words(said.get(name)) for name in ("name", "description", "narrative", "genre", "audience")}
    return make("Evidence", id=_id(said), **told)


def _original(assertion: Mapping[str, Any], token: str) -> dict[str, Any]:
    """The badge of version 2, so that whoever doubts may verify it as such."""
    if token:
        id = "data:application/jose;base64," + base64.b64encode(token.strip().encode("ascii", "replace")).decode()
    else:
        id = _id(assertion)
    return make(
        "Evidence",
        type=[ASSERTION],
        id=id,
        name="Original Open Badges 2.0 assertion for this credential",
        description="This credential was issued as an Open Badges 2.0 assertion and is the same award in the form of "
        "version 3.0. The original can be verified as Open Badges 2.0 say.",
    )
