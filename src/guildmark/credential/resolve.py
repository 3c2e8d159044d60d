"""Finds the key that a proof or a token names, and whether its owner vouches for it.

Rules (W3C Controlled Identifiers 1.0 section 3.3 "Retrieve Verification Method"; Open Badges 3.0 "Dereferencing the
Public Key"; sharpened):

1. a did:key and a did:jwk are their own documents;
2. a did:web, and an https URL, is read through the fetcher; the document's `id` must be the one asked for;
3. the key is vouched for only if that document lists it under the purpose (`assertionMethod`), says that it
   controls it, and it is neither revoked nor expired;
4. `https://issuer#z6Mk...` carries a key in its fragment. The signature can be checked with it even if the
   document is out of reach, but then anybody may have made that key: it is not vouched for;
5. a did:webvh is read as its history, all of which must hold; the newest version says which keys count now. A method
   that names an older version (`?versionId=`) gains nothing by it: whoever stole a retired key would name it too;
6. an https URL may also serve a bare JSON Web Key, a set of them, or one verification method. Whoever can put a file on
   a server can publish those, so they count only if they lie at the issuer's own address, character by character, or
   the document of the issuer (of the method's `controller`) lists the key, by its address or with the same key in it.
   The same host is not enough: many share one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs

from guildmark.core.codecs import UnknownKind, iso, parse_iso, parse_json
from guildmark.core.doors import Fetcher
from guildmark.core.errors import BrokenInput, OutsideFailure
from guildmark.core.report import Verdict
from guildmark.credential.did import (
    did_of,
    did_web_url,
    did_webvh_url,
    jwk_of_did_jwk,
    key_of_did_jwk,
    key_of_did_key,
    own_document,
    witness_url,
)
from guildmark.credential.keys import PublicKey
from guildmark.credential.webvh import FromTheFuture, History, Version, read_history

MOST_KEYS = 100
"""Keys of one set that are looked at."""

MOST_METHODS = 1_000
"""Verification methods of one document that are looked at."""

MOST_VERSIONS = 30
"""Earlier versions in which a key is looked for that is listed no more, only to say until when it was."""

LARGEST = 1_000_000
"""Bytes of a document that lists keys; an issuer's with its logo in it has some 100,000."""

Memory = dict[str, Any]
"""What one verification has read already, under the identifier it belongs to, so that nothing is read twice."""


@dataclass(frozen=True, slots=True)
class FoundKey:
    """What is known about a verification method.

    `key` is None if no key could be had; `controller` is whose key it is; `vouched` says whether that
    controller's own document lists it for the purpose, and `says` why or why not, in words.
    """

    key: PublicKey | None
    controller: str
    vouched: Verdict
    says: str


def find_key(
    method: str, *, purpose: str, now: datetime, fetcher: Fetcher, issuer: str = "", memory: Memory | None = None
) -> FoundKey:
    """The key behind a verification method, or behind the `kid` of a token. Never raises: what cannot be found is a
    value that says so.

    `issuer` is who claims to have signed. Where the key itself does not say whose it is, or says that it is another's,
    the issuer's own document is asked too (rule 6); `controller` is the issuer only if that document lists the key or
    the key lies at the issuer's own address. `memory` belongs to one verification, with one `now` and one fetcher.
    Cost: at most five fetches.
    """
    look = _Look(purpose, now, fetcher, {} if memory is None else memory)
    found, whose = look.at(method)
    if found.key is None:
        return found
    if whose:
        found = look.vouched(found, method, whose)
    if not issuer or found.controller == issuer or found.vouched is Verdict.FAIL:
        return found
    asked = look.vouched(found, method, issuer)
    if asked.vouched is Verdict.PASS:
        return asked
    if whose is not None:  # another's, whatever the issuer's document would have said
        return found
    return replace(asked, says=f"The key lies at {did_of(method)}, where anybody may have put it. {asked.says}")


def find_listed(
    key: PublicKey, issuer: str, *, purpose: str, now: datetime, fetcher: Fetcher, memory: Memory | None = None
) -> FoundKey:
    """Whether the issuer's own document lists this very key, under whatever name: for a key that came along with a
    signature, such as a `jwk` in the header of a token, and binds nobody by itself. Never raises.
    """
    found = FoundKey(key, "", Verdict.UNKNOWN, "The key came along with the signature.")
    return _Look(purpose, now, fetcher, {} if memory is None else memory).vouched(found, "", issuer)


def key_in_document(document: Any, method: str, *, purpose: str, now: datetime) -> FoundKey:
    """The key `method` as its owner's document tells it (rule 3)."""
    return _in_document(document, method, purpose, now)[0]


def place_of(document: bytes, *, where: str = "") -> str:
    """The address at which an issuer's document, or the history of its did:webvh, is read: the one that its own id
    leads to. BrokenInput if it is neither, or its id leads nowhere.
    """
    lines = document.splitlines()
    history = len(lines) > 0 and b'"versionId"' in lines[0] and lines[0].startswith(b"{")
    value = parse_json(lines[-1] if history else document, where=where)
    owner = value.get("state") if history and isinstance(value, Mapping) else value
    id = owner.get("id") if isinstance(owner, Mapping) else None
    if not isinstance(id, str):
        raise BrokenInput("has no id", where=where, hint="hand in the document that the issuer publishes")
    try:
        if history:
            return did_webvh_url(id)
        if id.startswith("did:web:"):
            return did_web_url(id)
    except BrokenInput as problem:
        raise BrokenInput(problem.what, where=where, hint=problem.hint) from problem
    if not id.startswith("https://") or "#" in id:
        hint = "a did:web, an https address, or the did.jsonl of a did:webvh"
        raise BrokenInput(f"documents of {id[:80]!r} are not looked up", where=where, hint=hint)
    return id


# --- Looking up ---


class _Unreadable(Exception):
    """A document that cannot be had; `verdict` is FAIL where trying again cannot help."""

    def __init__(self, says: str, verdict: Verdict = Verdict.UNKNOWN) -> None:
        super().__init__(says)
        self.says, self.verdict = says, verdict


@dataclass(frozen=True, slots=True)
class _Look:
    """One look into the world, for one purpose at one moment."""

    purpose: str
    now: datetime
    fetcher: Fetcher
    memory: Memory

    def at(self, method: str) -> tuple[FoundKey, str | None]:
        """The key as its own document tells it, and whose it is: "" if its owner's, another if it names that one as its
        controller, None if it is nobody's in particular.
        """
        owner = did_of(method)
        if method.startswith(("did:key:", "did:jwk:")):
            return self._own(method, owner), ""
        if owner.startswith("did:webvh:"):
            return self._in_history(method, owner), ""
        try:
            document = self._fetched(owner)
        except _Unreadable as problem:
            return FoundKey(_in_fragment(method), owner, problem.verdict, problem.says), ""
        if owner.startswith("https://") and isinstance(document, Mapping) and _stands_alone(document):
            return self._alone(document, method, owner)
        return _in_document(document, method, self.purpose, self.now)

    def vouched(self, found: FoundKey, method: str, owner: str) -> FoundKey:
        """The same key, and whether the document of `owner` lists it for the purpose (rule 6)."""
        assert found.key is not None
        try:
            document = self._document(owner)
        except _Unreadable as problem:
            return replace(found, controller=owner, vouched=problem.verdict, says=problem.says)
        if not isinstance(document, Mapping) or document.get("id") != owner:
            says = f"What is published for {owner} is about another."
            return replace(found, controller=owner, vouched=Verdict.FAIL, says=says)
        says = f"{owner} does not list this key as one that may sign for it."
        for id, entry in _relative(owner, document.get(self.purpose)).items():
            told = _in_document(document, id, self.purpose, self.now, owner)[0]
            if told.key is not None and _same(told.key, found.key):
                if told.vouched is Verdict.PASS:
                    return replace(found, controller=owner, vouched=Verdict.PASS, says=told.says)
                says = told.says
            elif told.key is None and id == method and len(entry) == 1:  # a reference to where the key lies
                says = f"{owner} lists this key as one that may sign for it."
                return replace(found, controller=owner, vouched=Verdict.PASS, says=says)
        return replace(found, controller=owner, vouched=Verdict.FAIL, says=says)

    def _own(self, method: str, owner: str) -> FoundKey:
        """Rule 1."""
        try:
            key = key_of_did_key(owner) if owner.startswith("did:key:") else key_of_did_jwk(owner)
            fits = owner.startswith("did:key:") or jwk_of_did_jwk(owner).get("use", "sig") == "sig"
        except UnknownKind as problem:
            return FoundKey(None, owner, Verdict.UNKNOWN, f"The key cannot be used: {_what(problem)}.")
        except BrokenInput as problem:
            return FoundKey(None, owner, Verdict.FAIL, f"“{owner[:200]}” is not a key ({problem.what}).")
        if method not in (owner, key.key_id):
            return FoundKey(None, owner, Verdict.FAIL, f"“{method[:300]}” names another key than its own.")
        if not fits:
            return FoundKey(key, owner, Verdict.FAIL, "The key says of itself that it is not for signatures.")
        return FoundKey(key, owner, Verdict.PASS, "The key is the identifier itself.")

    def _remembered(self, owner: str, read: Callable[[str], Any]) -> Any:
        """What `read` finds for an identifier, or why it found nothing; asked for once."""
        if owner not in self.memory:
            try:
                self.memory[owner] = read(owner)
            except _Unreadable as problem:
                self.memory[owner] = problem
        found = self.memory[owner]
        if isinstance(found, _Unreadable):
            raise found
        return found

    def _fetched(self, owner: str) -> Any:
        """The document at the address of a did:web or an https URL."""
        return self._remembered(owner, self._fetch)

    def _fetch(self, owner: str) -> Any:
        try:
            url = did_web_url(owner) if owner.startswith("did:web:") else owner
        except BrokenInput as problem:
            raise _Unreadable(f"The key cannot be looked up: {problem}", Verdict.FAIL) from problem
        if not url.startswith("https://"):
            says = f"Keys of “{owner[:80]}” cannot be looked up: its kind of identifier is not known here."
            raise _Unreadable(says)
        try:
            body = self.fetcher.fetch(url).body
            if len(body) > LARGEST:
                raise _Unreadable(f"The list of keys of {owner} is larger than {LARGEST:,} bytes.")
            return parse_json(body, where=url)
        except OutsideFailure as problem:
            raise _Unreadable(f"The list of keys of {owner} could not be read: {problem}") from problem
        except (BrokenInput, ValueError) as problem:
            raise _Unreadable(f"The list of keys of {owner} is not a readable document: {problem}") from problem

    def _document(self, owner: str) -> Any:
        """The document of any identifier, as of now."""
        if owner.startswith(("did:key:", "did:jwk:")):
            try:
                return own_document(owner)
            except BrokenInput as problem:
                raise _Unreadable(f"“{owner[:200]}” is not a key ({problem.what}).", Verdict.FAIL) from problem
        if owner.startswith("did:webvh:"):
            return _renamed(self._history(owner).newest.document, owner)
        return self._fetched(owner)

    # --- Rule 5 ---

    def _history(self, did: str) -> History:
        """The history of a did:webvh that is still in use."""
        history: History = self._remembered(did, self._read_history)
        return history

    def _read_history(self, did: str) -> History:
        try:
            url = did_webvh_url(did)
        except BrokenInput as problem:
            raise _Unreadable(f"The key cannot be looked up: {problem}", Verdict.FAIL) from problem
        try:
            log = self.fetcher.fetch(url).body
            if not log.startswith(b"{"):
                raise _Unreadable(f"The history of keys of {did} is not a readable document.")
            history = read_history(did, log, now=self.now, witness=lambda: self.fetcher.fetch(witness_url(url)).body)
        except OutsideFailure as problem:
            raise _Unreadable(f"The history of keys of {did} could not be read: {problem}") from problem
        except FromTheFuture as problem:
            raise _Unreadable(f"The history of keys of {did} cannot be told for this moment: {problem}") from problem
        except BrokenInput as problem:
            raise _Unreadable(f"The history of keys of {did} does not hold: {problem}", Verdict.FAIL) from problem
        if history.deactivated:
            since = iso(history.newest.moment)[:10]
            raise _Unreadable(f"{did} was given up on {since}, so no key signs for it.", Verdict.FAIL)
        return history

    def _in_history(self, method: str, did: str) -> FoundKey:
        try:
            history = self._history(did)
        except _Unreadable as problem:
            return FoundKey(_in_fragment(method), did, problem.verdict, problem.says)
        before, _, fragment = method.partition("#")
        bare, query = f"{did}#{fragment}", before.removeprefix(did)
        found = self._in_version(history.newest, bare, did)
        if query:
            pinned = _pinned(history, query)
            if pinned is None:
                says = f"“{method[:300]}” names no version of {did}."
                return FoundKey(found.key, did, Verdict.FAIL, says)
            old = self._in_version(pinned, bare, did)
            if old.key is None or found.key is None or not _same(old.key, found.key):
                says = f"{did} listed this key once and does so no more."
                return FoundKey(old.key or found.key, did, Verdict.FAIL, says)
        if found.vouched is not Verdict.PASS:
            for version in reversed(history.versions[-MOST_VERSIONS:-1]):
                old = self._in_version(version, bare, did)
                if old.vouched is Verdict.PASS:
                    until = iso(history.versions[version.number].moment)[:10]
                    says = f"{did} listed this key until {until} and does so no more."
                    return replace(old, vouched=Verdict.FAIL, says=says)
        return found

    def _in_version(self, version: Version, method: str, did: str) -> FoundKey:
        return _in_document(_renamed(version.document, did), method, self.purpose, self.now)[0]

    # --- Rule 6 ---

    def _alone(self, document: Mapping[str, Any], method: str, owner: str) -> tuple[FoundKey, str | None]:
        """A key that lies at an https address by itself, and whom it names as its controller (None for nobody)."""
        entry = _chosen(document, method)
        if entry is None:
            return FoundKey(None, owner, Verdict.FAIL, f"{owner} serves keys, but not the one that is named."), ""
        bare = "kty" in entry
        try:
            key = PublicKey.from_jwk(method, entry) if bare else _read(entry, method)
        except UnknownKind as problem:
            return FoundKey(None, owner, Verdict.UNKNOWN, f"The key cannot be used: {_what(problem)}."), ""
        except BrokenInput as problem:
            return FoundKey(None, owner, Verdict.FAIL, f"{owner} serves a key that cannot be read: {problem}"), ""
        if bare and not _for_signatures(entry):
            says = "The key says of itself that it is not for signatures."
            return FoundKey(key, owner, Verdict.FAIL, says), ""
        ended = _ended(entry, owner, self.now)
        if ended:
            return FoundKey(key, owner, Verdict.FAIL, ended), ""
        if not bare and entry.get("id") not in (method, owner):
            return FoundKey(key, owner, Verdict.FAIL, f"What is published for {owner} is about another."), ""
        if bare:
            return FoundKey(key, owner, Verdict.PASS, f"The key lies at {owner} itself."), None
        whose = str(entry.get("controller"))[:300]
        return FoundKey(key, whose, Verdict.UNKNOWN, f"The key says that it belongs to {whose}."), whose


def _pinned(history: History, query: str) -> Version | None:
    """The version that a DID URL's query names (did:webvh 1.0, "Reading did:webvh DID URLs"); None if none."""
    if not query.startswith("?") or len(query) > 300:
        return None
    asked = {name: values[-1] for name, values in parse_qs(query[1:]).items()}
    found: list[Version | None] = []
    for name, value in asked.items():
        match name:
            case "versionId":
                found.append(history.version(value))
            case "versionNumber":
                found.append(next((v for v in history.versions if str(v.number) == value), None))
            case "versionTime":
                try:
                    found.append(history.at(parse_iso(value)))
                except BrokenInput:
                    found.append(None)
            case _:
                found.append(None)
    same = {version.number if version else 0 for version in found}
    return found[0] if len(same) == 1 else None


def _renamed(document: Mapping[str, Any], did: str) -> Mapping[str, Any]:
    """The document of a did:webvh under the name by which it was asked for, if it moved to another host since: the
    history shows that both are one.
    """
    now_called = document.get("id")
    if now_called == did or not isinstance(now_called, str):
        return document

    def changed(value: Any) -> Any:
        if isinstance(value, str):
            return did + value[len(now_called) :] if did_of(value) == now_called else value
        if isinstance(value, list):
            return [changed(item) for item in value]
        return {name: changed(item) for name, item in value.items()} if isinstance(value, Mapping) else value

    renamed: Mapping[str, Any] = changed(document)
    return renamed


# --- What a document says ---


def _in_document(
    document: Any, method: str, purpose: str, now: datetime, owner: str | None = None
) -> tuple[FoundKey, str]:
    """The key as its owner's document tells it, and whom it belongs to if that is another ("" if it is not)."""
    owner = did_of(method) if owner is None else owner
    if not isinstance(document, Mapping) or document.get("id") != owner:
        says = f"What is published for {owner} is about another."
        return FoundKey(_in_fragment(method), owner, Verdict.FAIL, says), ""
    methods = _relative(owner, document.get("verificationMethod"))
    listed = _relative(owner, document.get(purpose)).get(method)
    entry = listed if listed is not None and len(listed) > 1 else methods.get(method, listed)
    try:
        key = _read(entry, method) if entry is not None else None
    except UnknownKind as problem:
        says = f"{owner} lists a key that cannot be used: {_what(problem)}."
        return FoundKey(None, owner, Verdict.UNKNOWN, says), ""
    except BrokenInput:
        key = None
    if listed is not None and (key is None or entry is None):
        says = f"{owner} lists this key in a form that is not known here."
        return FoundKey(None, owner, Verdict.FAIL, says), ""
    if entry is not None and key is not None:
        ended = _ended(entry, owner, now)
        if ended:
            return FoundKey(key, owner, Verdict.FAIL, ended), ""
        controller = entry.get("controller")
        if controller != owner:
            says = f"{owner} lists this key, but it belongs to {str(controller)[:300]}."
            claimed = controller if isinstance(controller, str) else ""
            return FoundKey(key, str(controller)[:300], Verdict.FAIL, says), claimed
    if listed is None:
        says = f"{owner} does not list this key as one that may sign for it."
        return FoundKey(key or _in_fragment(method), owner, Verdict.FAIL, says), ""
    return FoundKey(key, owner, Verdict.PASS, f"{owner} lists this key as one that may sign for it."), ""


def _ended(entry: Mapping[str, Any], owner: str, now: datetime) -> str:
    """Why a key no longer counts at `now`, in words; "" if it does."""
    for member, word in (("revoked", "revoked"), ("expires", "out of use")):
        if member in entry:
            try:
                moment = parse_iso(entry[member])
            except BrokenInput:
                return f"{owner} gives no readable date for “{member}” of this key."
            if moment <= now:
                return f"This key of {owner} is {word} since {iso(moment)[:10]}."
    return ""


def _relative(owner: str, entries: Any) -> dict[str, Mapping[str, Any]]:
    """Verification methods by absolute id; a reference is an entry with nothing but its id."""
    found: dict[str, Mapping[str, Any]] = {}
    for entry in entries[:MOST_METHODS] if isinstance(entries, list) else [entries]:
        method = entry if isinstance(entry, str) else entry.get("id") if isinstance(entry, Mapping) else None
        if isinstance(method, str):
            absolute = owner + method if method.startswith("#") else method
            found[absolute] = entry if isinstance(entry, Mapping) else {"id": absolute}
    return found


def _in_fragment(method: str) -> PublicKey | None:
    _, _, fragment = method.partition("#")
    try:
        return PublicKey.from_multikey(method, fragment)
    except BrokenInput:
        return None


def _read(entry: Mapping[str, Any], method: str) -> PublicKey | None:
    """The key of a Multikey, an Ed25519VerificationKey2020 or a JsonWebKey; None if it is in no such form. BrokenInput
    if it is, but cannot be read.
    """
    if isinstance(entry.get("publicKeyMultibase"), str):
        return PublicKey.from_multikey(method, entry["publicKeyMultibase"])
    jwk = entry.get("publicKeyJwk")
    return PublicKey.from_jwk(method, jwk) if isinstance(jwk, Mapping) else None


def _same(one: PublicKey, other: PublicKey) -> bool:
    return (one.algorithm, one.public_key) == (other.algorithm, other.public_key)


def _what(problem: BrokenInput) -> str:
    return problem.what


# --- Keys that stand alone ---


def _stands_alone(document: Mapping[str, Any]) -> bool:
    """Whether a document is a JSON Web Key, a set of them, or one verification method, and not a list of an owner."""
    one = "controller" in document and ("publicKeyMultibase" in document or "publicKeyJwk" in document)
    return "kty" in document or isinstance(document.get("keys"), list) or one


def _chosen(document: Mapping[str, Any], method: str) -> Mapping[str, Any] | None:
    """The one key that is meant: by its `kid` in a set, or the only one; None if that is not clear."""
    _, mark, fragment = method.partition("#")
    if "keys" not in document:
        fits = not mark or "kid" not in document or document["kid"] in (fragment, method)
        return document if fits else None
    listed = document["keys"] if isinstance(document["keys"], list) else []
    keys = [key for key in listed[:MOST_KEYS] if isinstance(key, Mapping) and "kty" in key]
    named = [key for key in keys if key.get("kid") in ((fragment, method) if mark else (method,))]
    wanted = named if named or mark else keys
    return wanted[0] if len(wanted) == 1 else None


def _for_signatures(jwk: Mapping[str, Any]) -> bool:
    """What a JSON Web Key says about its own use (RFC 7517 sections 4.2 and 4.3)."""
    operations = jwk.get("key_ops", ["verify"])
    return jwk.get("use", "sig") == "sig" and isinstance(operations, list) and "verify" in operations
