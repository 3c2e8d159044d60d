"""Who signed a document, whether that was its issuer, and whether the signature covers all of it.

Used for credentials, for the endorsements inside them and for status lists alike, so that no kind of document
is trusted on less than another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

from guildmark.core.codecs import iso, parse_iso
from guildmark.core.doors import Document, Fetcher
from guildmark.core.errors import BrokenInput, GuildmarkError, OutsideFailure
from guildmark.core.report import Finding, Verdict
from guildmark.credential.envelope import Opened
from guildmark.credential.jose import SOURCE as JOSE
from guildmark.credential.jose import TYPES as TOKEN_TYPES
from guildmark.credential.jose import Content, check_token, time_problem
from guildmark.credential.jsonld import (
    CREDENTIALS_V1,
    CREDENTIALS_V2,
    ContextSet,
    UnreadableJsonLd,
    context_sets,
    to_dataset,
    unknown_contexts,
)
from guildmark.credential.keys import PublicKey
from guildmark.credential.known_shapes import Fit, shapes_under
from guildmark.credential.proof import MOST_PROOFS, ProofCheck, check_proofs
from guildmark.credential.resolve import FoundKey, find_key, find_listed
from guildmark.credential.sd_jwt import TYPES as SD_JWT_TYPES
from guildmark.credential.sd_jwt import disclosures_finding

MOST_FETCHES = 60
"""Documents that one verification may fetch; a transcript of twenty credentials of five issuers needs some
50.
"""

MOST_VALUES = 60_000
"""Members and values that one verification looks at in all its documents, the ones inside counted again, at
some 0.1 ms each. A transcript of sixty badges has 50,000.
"""


@dataclass(slots=True)
class World:
    """What one verification knows of the outside: the moment, and each document it fetched, once.

    It also counts the work done, since documents inside a document cost again.
    """

    now: datetime
    fetcher: Fetcher
    sets: tuple[ContextSet, ...] = field(default_factory=context_sets)
    any_kind: bool = False  # whether a credential need be no more than one of the VC Data Model
    profile: Literal["strict", "tolerant"] = "tolerant"  # how much is forgiven, see `structure`
    fetched: dict[str, Document | OutsideFailure] = field(default_factory=dict)
    keys: dict[tuple[str, str], FoundKey] = field(default_factory=dict)
    owners: dict[str, Any] = field(default_factory=dict)
    lists: dict[tuple[str, str], Any] = field(default_factory=dict)
    values: int = 0
    parts: int = 0
    fits: dict[int, tuple[Any, Fit | None]] = field(default_factory=dict)
    allowed: int = MOST_FETCHES

    def begin_another(self) -> None:
        """The next verification at the same moment begins: what was fetched and found stays known, the bounds begin
        anew.
        """
        self.values = self.parts = 0
        self.fits = {}
        self.allowed = len(self.fetched) + MOST_FETCHES

    def fit(self, document: Mapping[str, Any]) -> Fit | None:
        """How the document without its proof fits a shape that is known: then it loses nothing, and has a hash."""
        found = self.fits.get(id(document))
        if found is None:  # with the document, so that nothing else gets its id
            bare = {key: value for key, value in document.items() if key != "proof"}
            found = self.fits[id(document)] = document, shapes_under(self.sets[0]).fit(bare)
        return found[1]

    def can_afford(self, document: Any, *, times: int = 1) -> bool:
        """Whether a document may be looked at, so many times, without more work in all than MOST_VALUES; if so, it
        counts.
        """
        fit = self.fit(document) if isinstance(document, Mapping) else None
        if fit is None:
            cost = _size(document) * times
        else:
            proof = document.get("proof")
            rest = fit.known.memory.get("size")
            if rest is None:
                rest = fit.known.memory["size"] = _size(document) - _size(proof)
            cost = (rest + _size(proof)) * times
        if self.values + cost > MOST_VALUES:
            return False
        self.values += cost
        return True

    def fetch(self, url: str) -> Document:
        """The document at `url`; OutsideFailure if it cannot be had, the same on every asking."""
        if url not in self.fetched:
            if len(self.fetched) >= self.allowed:
                raise OutsideFailure(f"{url} was not fetched: this document asks for more than {MOST_FETCHES} others")
            try:
                self.fetched[url] = self.fetcher.fetch(url)
            except OutsideFailure as problem:
                self.fetched[url] = problem
            except GuildmarkError as problem:  # an address that is none, say
                self.fetched[url] = OutsideFailure(str(problem))
        found = self.fetched[url]
        if isinstance(found, OutsideFailure):
            raise found
        return found

    def key(self, method: str, issuer: str = "") -> FoundKey:
        """The key of a verification method; `issuer`, who claims to have signed, is asked whether it lists a key
        that lies elsewhere.
        """
        asked = (method, issuer)
        if asked not in self.keys:
            purpose = "assertionMethod"
            self.keys[asked] = find_key(
                method, purpose=purpose, now=self.now, fetcher=self, issuer=issuer, memory=self.owners
            )
        return self.keys[asked]

    def listed(self, key: PublicKey, issuer: str) -> FoundKey:
        """Whether the issuer's own document lists a key that came along with a signature."""
        purpose = "assertionMethod"
        return find_listed(key, issuer, purpose=purpose, now=self.now, fetcher=self, memory=self.owners)


def plain(text: Any, limit: int = 120) -> str:
    """Text out of a document that is not trusted yet: one line, no control characters, not endless."""
    line = str(text)
    if not line.isprintable():
        line = "".join(c if c.isprintable() else " " for c in line)
    line = line.strip()
    return line if len(line) <= limit else line[: limit - 1] + "…"


def sentence(text: Any, limit: int = 500) -> str:
    """The same, ending as a sentence does."""
    line = plain(text, limit)
    return line if line.endswith((".", "…", "!", "?")) else f"{line}."


def listed(value: Any) -> list[Any]:
    """JSON-LD writes one value with or without a list around it."""
    return value if isinstance(value, list) else [] if value is None else [value]


def _size(value: Any) -> int:
    count, waiting = 0, [value]
    while waiting:
        item = waiting.pop()
        count += 1
        if isinstance(item, Mapping):
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)
    return count


def issuer_id(document: Mapping[str, Any]) -> str:
    """The id of the issuer, "" if there is none."""
    issuer = document.get("issuer")
    found = issuer.get("id") if type(issuer) is dict or isinstance(issuer, Mapping) else issuer
    return found if isinstance(found, str) else ""


def words(value: Any) -> str:
    """Text, also where it stands with its language, or in several languages (the first); "" if there is none."""
    if type(value) is str:
        return value.strip()
    first = value[0] if isinstance(value, list) and value else value
    text = first.get("@value") if isinstance(first, Mapping) else first
    return text.strip() if isinstance(text, str) else ""


def issuer_name(document: Mapping[str, Any]) -> str:
    """What the document calls its issuer, or its id."""
    issuer = document.get("issuer")
    name = words(issuer.get("name")) if type(issuer) is dict or isinstance(issuer, Mapping) else ""
    return plain(name or issuer_id(document) or "nobody in particular")


def known_as(document: Mapping[str, Any]) -> str:
    """The issuer's name with its id, since a name is what anybody may call himself."""
    name, id = issuer_name(document), plain(issuer_id(document))
    return name if name == id or not id else f"{name} ({id})"


@dataclass(frozen=True, slots=True)
class Signed:
    """What the proofs of a document showed: four findings, each on its own, and `more` about a token."""

    context: Finding
    lossless: Finding
    signature: Finding
    key_bound: Finding
    more: tuple[Finding, ...] = ()

    @property
    def findings(self) -> tuple[Finding, ...]:
        return self.context, self.lossless, self.signature, self.key_bound, *self.more

    @property
    def trouble(self) -> str:
        """The first thing that keeps this document from being trusted, in words; "" if nothing does."""
        return next((f.says for f in self.findings if f.verdict is not Verdict.PASS and f.required), "")


def look_at_signature(document: Mapping[str, Any], world: World, opened: Opened | None = None) -> Signed:
    """The four findings about how a document is signed; `opened` is the token that it came in, if it did. Never
    raises on what a document may contain.
    """
    if opened is not None and opened.token is not None:
        return _look_at_token(opened, world)
    proofs = listed(document.get("proof"))[:MOST_PROOFS]
    # A proof that builds on others signs another document than they do, and one of which parts are shown has many
    # signatures: each takes the work once more.
    again = sum(
        isinstance(proof, Mapping) and ("previousProof" in proof or proof.get("cryptosuite") == "ecdsa-sd-2023")
        for proof in proofs
    )
    if not world.can_afford(document, times=1 + again):
        return _too_large()
    issuer = issuer_id(document)
    fit = world.fit(document)
    checks = check_proofs(document, lambda method: world.key(method, issuer), now=world.now, sets=world.sets, fit=fit)
    best = _best(checks, issuer)
    return Signed(
        context=_context(document, best, world),
        lossless=_lossless(document, best, world),
        signature=signature_finding(best, len(checks)),
        key_bound=key_bound_finding(best, document),
    )


def _look_at_token(opened: Opened, world: World) -> Signed:
    """The same questions about a token. Only the token's own signature counts: a proof inside it says that the
    document was signed once, and not that it was put into this token.
    """
    document, token, content = opened.document, opened.token, opened.content
    assert token is not None
    assert content is not None
    if not world.can_afford(document):
        return _too_large()
    issuer = issuer_id(document)
    types = TOKEN_TYPES if opened.sd_jwt is None else SD_JWT_TYPES
    check = check_token(token, issuer, lambda method: world.key(method, issuer), world.listed, types=types)
    more = () if opened.sd_jwt is None else disclosures_finding(opened.sd_jwt)
    return Signed(
        context=_context(document, check, world),
        lossless=_every_byte(document, world),
        signature=replace(signature_finding(check, 1), source=JOSE),
        key_bound=key_bound_finding(check, document),
        more=(_claims(content, time_problem(content, token.claims, world.now)), *more),
    )


def _every_byte(document: Mapping[str, Any], world: World) -> Finding:
    """A token's signature is over its bytes, so that nothing escapes it, whatever JSON-LD makes of them. What no
    standard gives a meaning to is signed nevertheless: worth saying, and no reason to refuse.
    """
    source = "RFC 7515, 5.2 Message Signature or MAC Validation; Data Integrity 1.0, 2.4.3 Securing Data Losslessly"
    says, verdict, because = "A token's signature covers all of it.", Verdict.PASS, {}
    try:
        losses = losses_of(document, world)
    except UnreadableJsonLd as problem:
        verdict = Verdict.UNKNOWN
        says = f"A token's signature covers all of it; what it means to programs cannot be told: {problem.what}."
    else:
        if losses:
            verdict, because = Verdict.UNKNOWN, {"without a meaning": [plain(loss) for loss in losses[:20]]}
            shown = "; ".join(plain(loss, 100) for loss in losses[:3])
            says = f"A token's signature covers all of it; to parts of it no standard gives a meaning: {shown}."
    told = verdict is Verdict.PASS
    return Finding("document.lossless", verdict, sentence(says), required=told, because=because, source=source)


def losses_of(document: Mapping[str, Any], world: World) -> tuple[str, ...]:
    """What JSON-LD loses of a document without its proofs; UnreadableJsonLd if it cannot be read as that."""
    if world.fit(document) is not None:
        return ()
    bare = {key: value for key, value in document.items() if key != "proof"}
    losses = to_dataset(bare, world.sets[0]).losses
    if not losses:
        shapes_under(world.sets[0]).met(bare)
    return losses


def _claims(content: Content, late: str) -> Finding:
    """`proof.claims`: whether what the token says about itself is what the credential says."""
    wrong = [*content.wrong, *([late] if late else [])]
    because: dict[str, Any] = {"form": content.form}

    def finding(verdict: Verdict, says: str, *, required: bool = True) -> Finding:
        return Finding("proof.claims", verdict, sentence(says), required=required, because=because, source=JOSE)

    if wrong:
        because["wrong"] = [plain(problem, 200) for problem in wrong[:20]]
        return finding(Verdict.FAIL, f"The token and the credential in it do not agree: {plain(wrong[0], 200)}.")
    if content.odd:
        because["odd"] = [plain(problem, 200) for problem in content.odd[:20]]
        says = f"The token is not quite made as Open Badges asks: {plain(content.odd[0], 200)}."
        return finding(Verdict.UNKNOWN, says, required=False)
    return finding(Verdict.PASS, "What the token says of itself is what the credential says.")


def _too_large() -> Signed:
    says = f"It was not looked at: with what lies inside, there are more than {MOST_VALUES:,} values to check."
    ids = ("document.context", "document.lossless", "proof.signature", "proof.key_bound")
    context, lossless, signature, key_bound = (Finding(id, Verdict.UNKNOWN, says) for id in ids)
    return Signed(context, lossless, signature, key_bound)


def _best(checks: Sequence[ProofCheck], issuer: str) -> ProofCheck | None:
    """The proof that tells most. Any one of a set suffices (Open Badges 3.0, Proof Formats); a chain counts as one,
    and only if all of it holds, and then the issuer's link in it is the one that tells.
    """
    below = {place for check in checks for place in check.previous}
    ends = [place for place in range(len(checks)) if place not in below] or list(range(len(checks)))
    chains = [[checks[place] for place in sorted({end, *_behind(checks, end)})] for end in ends]
    found = []
    for end, chain in zip(ends, chains, strict=True):
        whole = checks[end].verdict is Verdict.PASS
        found.append(min(chain, key=lambda check: _rank(check, issuer)) if whole else checks[end])
    return min(found, key=lambda check: _rank(check, issuer), default=None)


def _behind(checks: Sequence[ProofCheck], place: int) -> set[int]:
    """The places of all on which a proof builds, directly or not."""
    found: set[int] = set()
    waiting = list(checks[place].previous)
    while waiting:
        one = waiting.pop()
        if one not in found:
            found.add(one)
            waiting.extend(checks[one].previous)
    return found


def _rank(check: ProofCheck, issuer: str) -> int:
    bound = check.found is not None and check.found.vouched is Verdict.PASS and check.found.controller == issuer
    match check.verdict:
        case Verdict.PASS:
            return 0 if bound else 1
        case Verdict.FAIL:
            return 2
        case _:
            return 3


def signature_finding(best: ProofCheck | None, count: int) -> Finding:
    source = "Data Integrity 1.0, 4.5 Verify Proof Sets and Chains"
    if best is None:
        return Finding("proof.signature", Verdict.FAIL, "It is not signed at all.", source=source)
    because = {
        "suite": plain(best.suite, 60),
        "key": plain(best.method, 300),
        "created": plain(best.created, 60),
        "proofs": count,
    }
    return Finding("proof.signature", best.verdict, sentence(best.says), because=because, source=source)


def key_bound_finding(best: ProofCheck | None, document: Mapping[str, Any]) -> Finding:
    """Whether the key is the issuer's: the controller of the key is the issuer, and its own document says
    so.
    """
    source = "Controlled Identifiers 1.0, 3.3 Retrieve Verification Method"
    issuer, name, known = issuer_id(document), issuer_name(document), known_as(document)

    def finding(verdict: Verdict, says: str) -> Finding:
        because = {"issuer": plain(issuer, 300), "key": plain(best.method, 300) if best else ""}
        return Finding("proof.key_bound", verdict, sentence(says), because=because, source=source)

    if not issuer:
        return finding(Verdict.FAIL, "It does not say who issued it.")
    if best is None or best.found is None:
        return finding(Verdict.UNKNOWN, f"Nothing shows that {name} signed this.")
    holds = "The signature holds, but the" if best.verdict is Verdict.PASS else "The"
    if best.found.controller != issuer:
        whose = plain(best.found.controller)
        return finding(Verdict.FAIL, f"{holds} key belongs to {whose}, not to the issuer, {known}.")
    if best.found.vouched is not Verdict.PASS:
        says = f"{holds} key is not known to belong to the issuer, {known}. {best.found.says}"
        return finding(best.found.vouched, says)
    if best.verdict is not Verdict.PASS:
        says = f"It names a key of {name}, but nothing shows that the key was used."
        return finding(Verdict.UNKNOWN, says)
    called = f", which calls itself {name}" if name != plain(issuer) else ""
    if issuer.startswith(("did:key:", "did:jwk:")):
        says = f"The key is the issuer's, {plain(issuer)}{called}; who holds that key, it does not say."
    else:
        says = f"The key is the issuer's, {plain(issuer)}{called}: it is listed at {_host(issuer)}."
    return finding(Verdict.PASS, says)


def _host(issuer: str) -> str:
    if issuer.startswith(("did:web:", "did:webvh:")):
        return plain(unquote(issuer.split(":")[2 + issuer.startswith("did:webvh:")]))
    return plain(urlsplit(issuer).netloc)


def _context(document: Mapping[str, Any], best: ProofCheck | None, world: World) -> Finding:
    source = "Data Integrity 1.0, 4.6 Context Validation"
    contexts = listed(document.get("@context"))
    because = {"contexts": [plain(c, 300) if isinstance(c, str) else "written out" for c in contexts[:20]]}
    # What fits a shape has no context that is not known; its proof is not part of that.
    part = document if world.fit(document) is None else {"proof": document.get("proof")}
    unknown = unknown_contexts(part, world.sets[0])
    if not contexts or contexts[0] not in (CREDENTIALS_V2, CREDENTIALS_V1):
        says = "It does not begin with the W3C's definition of a credential, so it is not one."
        return Finding("document.context", Verdict.FAIL, says, because=because, source=source)
    if unknown:
        where = plain(unknown[0]) if ":" in unknown[0] and "{" not in unknown[0] else "the document itself"
        says = f"It uses terms defined in {where}, which is not known here; what they mean cannot be told."
        return Finding("document.context", Verdict.UNKNOWN, says, because=because, source=source)
    held = best.contexts if best and best.contexts else world.sets[0].name
    says = "Every term in it is defined by a published standard."
    if held != world.sets[0].name:
        says = f"Every term in it is defined by a published standard ({held})."
    return Finding("document.context", Verdict.PASS, says, because={**because, "revision": held}, source=source)


def _lossless(document: Mapping[str, Any], best: ProofCheck | None, world: World) -> Finding:
    source = "Data Integrity 1.0, 2.4.3 Securing Data Losslessly"
    holds = best is not None and best.verdict is Verdict.PASS
    losses = best.losses if best is not None else None
    if losses is None:
        try:
            losses = losses_of(document, world)
        except UnreadableJsonLd as problem:
            says = f"Whether a signature can cover all of it cannot be told: {problem.what}."
            return Finding("document.lossless", Verdict.UNKNOWN, sentence(says), source=source)
    if losses:
        shown = "; ".join(plain(loss, 100) for loss in losses[:3])
        says = f"Part of it is not covered by {'the' if holds else 'any'} signature: {shown}."
        because = {"not covered": [plain(loss) for loss in losses[:20]]}
        return Finding("document.lossless", Verdict.FAIL, sentence(says), because=because, source=source)
    says = "The signature covers all of it." if holds else "There is nothing in it that a signature would miss."
    return Finding("document.lossless", Verdict.PASS, says, source=source)


def dates(document: Mapping[str, Any], now: datetime) -> Finding:
    """Whether `now` lies between the dates of a credential (VCDM 2.0, and the names of 1.1)."""
    source = "VC Data Model 2.0, 4.9 Validity Period; Open Badges 3.0, Verification step 4"
    moments: dict[str, datetime] = {}
    for names in (("validFrom", "issuanceDate"), ("validUntil", "expirationDate")):
        for name in names:
            if name in document:
                try:
                    moments[names[0]] = parse_iso(document[name])
                except BrokenInput as problem:
                    says = f"“{name}” cannot be relied on: {plain(problem.what)}."
                    return Finding("validity.dates", Verdict.FAIL, says, source=source)
    start, end = moments.get("validFrom"), moments.get("validUntil")
    because = {"now": iso(now), **{name: iso(moment) for name, moment in moments.items()}}
    if start is not None and now < start:
        verdict, says = Verdict.FAIL, f"Not valid yet: it counts from {_day(start)}."
    elif end is not None and now > end:
        verdict, says = Verdict.FAIL, f"Expired on {_day(end)}."
    elif start is None and end is None:
        verdict, says = Verdict.NOT_APPLICABLE, "It gives no dates."
    else:
        begin = f"Valid from {_day(start)}" if start else "Valid"
        verdict, says = Verdict.PASS, f"{begin} until {_day(end)}." if end else f"{begin}, without an end."
    return Finding("validity.dates", verdict, says, because=because, source=source)


def _day(moment: datetime) -> str:
    return iso(moment)[:10]
