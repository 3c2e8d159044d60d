"""did:webvh 1.0: an identifier whose keys have a history that nobody can rewrite unseen.

The history is a file of JSON lines, one for each version. The rules, numbered as in the code (did:webvh 1.0, "Read
(Resolve)"):

1. each entry has `versionId`, `versionTime`, `parameters`, `state` (the DID document), `proof`, and nothing else; a
   parameter holds until another entry says otherwise, and only those of version 1.0 are known;
2. each entry is signed (`eddsa-jcs-2022`) by a key that may update: one of the `updateKeys` before it, or, where the
   next keys were committed to (pre-rotation), one of its own, each of which must have its hash in the
   `nextKeyHashes` before it;
3. `versionId` is the number of the entry and the hash over it and the `versionId` before it: a chain;
4. `versionTime` grows, and does not lie more than five minutes ahead of `now`;
5. the identifier's first part, its SCID, is the hash of the first entry, so no other history can have it;
6. the document's `id` has that SCID for ever; its host changes only if the first entry said `portable`, and then it
   names the identifier that it had before under `alsoKnownAs`;
7. after `deactivated` there is nothing more;
8. where witnesses are named, as many as the threshold says have signed the `versionId` of this entry or a later one;
9. the identifier asked for is the `id` of some version.

`read_history` checks all of it for every entry. `create`, `update`, `rotate` and `deactivate` write entries, and
refuse to add one to a history that does not hold.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from guildmark.core.codecs import base58_encode, iso, jcs, multibase_decode, multibase_encode, parse_iso, parse_json
from guildmark.core.doors import Signer
from guildmark.core.errors import BrokenInput
from guildmark.credential.did import did_web_url, did_webvh_url
from guildmark.credential.keys import PublicKey, signature_holds

METHOD = "did:webvh:1.0"

LARGEST = 400_000
"""Bytes of a history, and of the witnesses' proofs of one."""

MOST_ENTRIES = 150
"""Versions of a history that is read; a key renewed each month gives 120 in ten years."""

MOST_VALUES = 15_000
"""Values in all entries together, since each costs about a microsecond to put in canonical form."""

MOST_PROOFS = 8
"""Proofs of one entry; every one of them has to hold."""

MOST_WITNESSES = 40
"""Witnesses of one identifier; at most twice as many proofs of theirs for each version are looked at."""

TOLERANCE = timedelta(minutes=5)
"""How far ahead of the reader's clock an entry may be dated."""

_SCID = "{SCID}"
_MEMBERS = frozenset({"versionId", "versionTime", "parameters", "state", "proof"})
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|\+00:00)\Z")
_HASH = re.compile(r"[1-9A-HJ-NP-Za-km-z]{20,100}\Z")


class FromTheFuture(BrokenInput):
    """An entry is dated later than the moment at which the history is read, so it may yet turn out to hold."""


@dataclass(frozen=True, slots=True)
class Parameters:
    """What the entries up to one say about those after it (did:webvh 1.0, "DID Method Parameters")."""

    scid: str = ""
    update_keys: tuple[str, ...] = ()
    next_key_hashes: tuple[str, ...] = ()
    threshold: int = 0
    witnesses: tuple[str, ...] = ()
    watchers: tuple[str, ...] = ()
    portable: bool = False
    deactivated: bool = False
    ttl: int = 3600

    @property
    def pre_rotation(self) -> bool:
        """Whether the keys of the next entry are committed to."""
        return bool(self.next_key_hashes)


@dataclass(frozen=True, slots=True)
class Version:
    """One entry that holds: the document as it stands in the log, and since when."""

    number: int
    id: str
    moment: datetime
    document: Mapping[str, Any]
    parameters: Parameters


@dataclass(frozen=True, slots=True)
class History:
    """Every version of a did:webvh, oldest first; all of them hold."""

    did: str
    versions: tuple[Version, ...]

    @property
    def newest(self) -> Version:
        return self.versions[-1]

    @property
    def deactivated(self) -> bool:
        """Whether the identifier was given up for good; then its newest document speaks for nobody."""
        return self.newest.parameters.deactivated

    def at(self, moment: datetime) -> Version | None:
        """The version in force at a moment by the controller's own dates; None before the first."""
        return next((version for version in reversed(self.versions) if version.moment <= moment), None)

    def version(self, id: str) -> Version | None:
        """The version with exactly this `versionId`; None if there is none."""
        return next((version for version in self.versions if version.id == id), None)


# --- Reading ---


def read_history(did: str, log: bytes, *, now: datetime, witness: Callable[[], bytes]) -> History:
    """The history of `did` in the bytes of its `did.jsonl`, every rule above checked at the moment `now`.

    `witness` brings the bytes of `did-witness.json`; it is called once, and only if an entry has to be witnessed.
    BrokenInput names the entry and the rule that does not hold (FromTheFuture if it is the date), or says that the
    file is larger than a reader should have to bear. Cost: two hashes and one signature an entry, some 0.2 ms.
    """
    did_webvh_url(did)
    versions = versions_in(log, now)
    if versions[0].parameters.scid != did.split(":")[2]:
        raise BrokenInput("the history belongs to another identifier", where=did)
    _witnessed(versions, witness)
    if not any(version.document["id"] == did for version in versions):  # rule 9
        raise BrokenInput("the history never had this identifier", where=did, hint="was it moved to another host?")
    return History(did, versions)


def versions_in(log: bytes, now: datetime) -> tuple[Version, ...]:
    """Every version, with all rules checked but those about witnesses and the identifier asked for: what a writer needs
    to know before another entry. BrokenInput as `read_history` says.
    """
    versions: list[Version] = []
    active, values = Parameters(), 0
    for number, line in enumerate(_lines(log), start=1):
        where = f"entry {number}"
        entry = _entry(line, where)
        values += _count(entry)
        if values > MOST_VALUES:
            raise BrokenInput(f"the history has more than {MOST_VALUES:,} values", where=where)
        before, previous = active, versions[-1] if versions else None
        if before.deactivated:  # rule 7
            raise BrokenInput("comes after the identifier was given up", where=where)
        active = _parameters(entry["parameters"], before, previous is None, where)
        parts = _Parts(entry)
        scid = active.scid
        if previous is None and scid != _hash(parts.whole(scid).replace(scid.encode(), _SCID.encode())):  # rule 5
            raise BrokenInput("the identifier is not the hash of this entry", where=where, hint=_CHANGED)
        if entry["versionId"] != f"{number}-{_hash(parts.whole(previous.id if previous else scid))}":  # rule 3
            raise BrokenInput("its versionId is not the hash of it and of what came before", where=where, hint=_CHANGED)
        moment = _moment(entry["versionTime"], previous, now, where)
        _same_identifier(entry["state"], previous, before, active, where)
        committed = before.pre_rotation and previous is not None
        if committed:
            _committed(entry["parameters"], active, before, where)
        keys = active.update_keys if previous is None or committed else before.update_keys
        _signed(entry["proof"], parts.whole(entry["versionId"]), keys, now, where)  # rule 2
        versions.append(Version(number, entry["versionId"], moment, entry["state"], active))
    return tuple(versions)


_CHANGED = "something was changed since it was written"


def _lines(log: bytes) -> list[bytes]:
    """The entries, one to a line; a line holds an object and nothing else, so that no byte is without meaning."""
    if len(log) > LARGEST:
        raise BrokenInput(f"the history is larger than {LARGEST:,} bytes", where="did.jsonl")
    lines = log.split(b"\n", MOST_ENTRIES + 1)
    if lines[-1] == b"":
        lines.pop()
    if not lines:
        raise BrokenInput("the history is empty", where="did.jsonl")
    if len(lines) > MOST_ENTRIES:
        raise BrokenInput(f"the history has more than {MOST_ENTRIES} entries", where="did.jsonl")
    for number, line in enumerate(lines, start=1):
        if not line.startswith(b"{") or not line.endswith(b"}"):
            raise BrokenInput("is not one JSON object on one line", where=f"entry {number}")
    return lines


def _entry(line: bytes, where: str) -> dict[str, Any]:
    """Rule 1, as far as the form goes."""
    entry = parse_json(line, where=where, max_depth=20)
    if not isinstance(entry, dict) or set(entry) != _MEMBERS:
        odd = sorted(_MEMBERS ^ set(entry))[0] if isinstance(entry, dict) else "anything"
        raise BrokenInput(f"its “{odd[:40]}” is missing or does not belong there", where=where)
    for member, kind in (("versionId", str), ("versionTime", str), ("parameters", dict), ("state", dict)):
        if not isinstance(entry[member], kind):
            raise BrokenInput(f"its “{member}” is not of its kind", where=where)
    return entry


def _count(value: Any) -> int:
    count, waiting = 0, [value]
    while waiting:
        item = waiting.pop()
        count += 1
        if isinstance(item, dict):
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)
        elif isinstance(item, str):
            count += len(item) // 64
    return count


class _Parts:
    """The canonical form of an entry without its proof, for whichever `versionId`: the rest is written once."""

    def __init__(self, entry: Mapping[str, Any]) -> None:
        parameters, state = jcs(entry["parameters"]), jcs(entry["state"])
        self._head = b'{"parameters":' + parameters + b',"state":' + state + b',"versionId":'
        self._tail = b',"versionTime":' + jcs(entry["versionTime"]) + b"}"

    def whole(self, version_id: str) -> bytes:
        return self._head + jcs(version_id) + self._tail


def _hash(data: bytes) -> str:
    """The SHA-256 multihash in base58btc, without a multibase prefix (did:webvh 1.0, "Generate Entry Hash")."""
    return base58_encode(b"\x12\x20" + hashlib.sha256(data).digest())


def key_hash(multikey: str) -> str:
    """What commits to a key before it is used (did:webvh 1.0, "Pre-Rotation Key Hash Generation")."""
    return _hash(multikey.encode("ascii"))


def _moment(text: str, previous: Version | None, now: datetime, where: str) -> datetime:
    """Rule 4."""
    if not _TIME.match(text):
        raise BrokenInput(f"{text[:40]!r} is not a time in UTC", where=where, hint="write 2026-11-24T09:00:00Z")
    moment = parse_iso(text, where=where)
    if previous is not None and moment <= previous.moment:
        raise BrokenInput("is not dated after the entry before it", where=where)
    if moment > now + TOLERANCE:
        raise FromTheFuture(f"is dated {iso(moment)}, which is still to come", where=where)
    return moment


def _same_identifier(
    state: Mapping[str, Any], previous: Version | None, before: Parameters, active: Parameters, where: str
) -> None:
    """Rule 6."""
    did = state.get("id")
    if not isinstance(did, str):
        raise BrokenInput("its document has no id", where=where)
    did_webvh_url(did)
    if did.split(":")[2] != active.scid:
        raise BrokenInput("its document is about another identifier", where=where)
    if previous is None or did == previous.document["id"]:
        return
    if not before.portable:
        raise BrokenInput("moves the identifier to another host, which its first entry did not permit", where=where)
    others = state.get("alsoKnownAs")
    if not isinstance(others, list) or previous.document["id"] not in others:
        hint = "it stands under alsoKnownAs"
        raise BrokenInput("moves the identifier without naming the one before", where=where, hint=hint)


def _committed(given: Mapping[str, Any], active: Parameters, before: Parameters, where: str) -> None:
    """Rule 2, pre-rotation: keys and the next hashes stand in the entry itself, and every key was committed to."""
    for member in ("updateKeys", "nextKeyHashes"):
        if given.get(member) is None:
            raise BrokenInput(f"leaves out “{member}” although the next keys were committed to", where=where)
    for key in active.update_keys:
        if key_hash(key) not in before.next_key_hashes:
            raise BrokenInput("brings in a key that the entry before did not commit to", where=where)


def _signed(proofs: Any, document: bytes, keys: tuple[str, ...], now: datetime, where: str) -> None:
    """Rule 2: there is a proof, and each holds, by a key that may update."""
    listed = proofs if isinstance(proofs, list) else [proofs]
    if not 0 < len(listed) <= MOST_PROOFS:
        raise BrokenInput(f"has no proof, or more than {MOST_PROOFS}", where=where)
    digest = hashlib.sha256(document).digest()
    for proof in listed:
        try:
            multikey = _proof_holds(proof, digest, now)
        except BrokenInput as problem:
            raise BrokenInput(problem.what, where=where) from problem
        if multikey not in keys:
            raise BrokenInput("is signed by a key that may not update the identifier", where=where)


def _proof_holds(proof: Any, digest: bytes, now: datetime) -> str:
    """The Multikey that made this `eddsa-jcs-2022` proof over a document with this digest; BrokenInput if it does not
    hold (vc-di-eddsa section 3.3; did:webvh 1.0, "Authorized Keys").
    """
    if not isinstance(proof, Mapping):
        raise BrokenInput("its proof is not an object")
    for member, wanted in _PROOF.items():
        if proof.get(member) != wanted:
            raise BrokenInput(f"the “{member}” of its proof is not {wanted}")
    if "@context" in proof or "previousProof" in proof:
        raise BrokenInput("its proof builds on what an entry does not have")
    if "expires" in proof and parse_iso(proof["expires"]) <= now:
        raise BrokenInput("its proof has run out")
    key = _witness_key(proof.get("verificationMethod"))
    value = proof.get("proofValue")
    if not isinstance(value, str) or not value.startswith("z") or len(value) > 100:
        raise BrokenInput("its proof has no readable value")
    options = {name: member for name, member in proof.items() if name != "proofValue"}
    message = hashlib.sha256(jcs(options)).digest() + digest
    if not signature_holds(key, message, multibase_decode(value)):
        raise BrokenInput("its signature does not hold")
    return key.key_id.partition("#")[2]


_PROOF = {"type": "DataIntegrityProof", "cryptosuite": "eddsa-jcs-2022", "proofPurpose": "assertionMethod"}


def _witness_key(method: Any) -> PublicKey:
    """The Ed25519 key of `did:key:X#X`; BrokenInput for any other form."""
    body, _, fragment = method.removeprefix("did:key:").partition("#") if isinstance(method, str) else ("", "", "")
    if not isinstance(method, str) or not method.startswith("did:key:") or body != fragment or len(body) > 100:
        raise BrokenInput("its proof names no did:key with that very key after the #")
    key = PublicKey.from_multikey(method, body)
    if key.algorithm != "Ed25519" or not body.startswith("z"):
        raise BrokenInput("its proof names a key that is not Ed25519")
    return key


# --- Parameters ---


def _parameters(given: Mapping[str, Any], before: Parameters, first: bool, where: str) -> Parameters:
    """What holds from this entry on; BrokenInput for a parameter that is not known, or not of its kind (rule 1)."""
    changes: dict[str, Any] = {}
    for name, value in given.items():
        reader = _READERS.get(name)
        if reader is None:
            raise BrokenInput(f"its parameter “{name[:40]}” is not known here", where=where)
        changes |= reader(value, where)
    method = given.get("method")
    if (method is not None or first) and method != METHOD:
        raise BrokenInput(
            f"follows {str(method)[:40]!r}, which is not known here", where=where, hint=f"known: {METHOD}"
        )
    if first and not (changes.get("scid") and changes.get("update_keys")):
        raise BrokenInput("the first entry needs a scid and updateKeys", where=where)
    if not first and "scid" in given:
        raise BrokenInput("only the first entry may have a scid", where=where)
    if not first and changes.get("portable"):
        raise BrokenInput("only the first entry may permit the identifier to move", where=where)
    return replace(before, **changes)


def _texts(value: Any, name: str, where: str, most: int = 100) -> tuple[str, ...]:
    """A list of different texts; early writers wrote null for none."""
    if value is None:
        return ()
    fits = isinstance(value, list) and len(value) <= most and all(isinstance(item, str) for item in value)
    if not fits or len(set(value)) != len(value):
        raise BrokenInput(f"its parameter “{name}” is not a list of different texts", where=where)
    return tuple(value)


def _keys(value: Any, where: str) -> dict[str, Any]:
    return {"update_keys": _texts(value, "updateKeys", where, 20)}


def _next(value: Any, where: str) -> dict[str, Any]:
    return {"next_key_hashes": _texts(value, "nextKeyHashes", where)}


def _watchers(value: Any, where: str) -> dict[str, Any]:
    return {"watchers": _texts(value, "watchers", where)}


def _flag(name: str) -> Callable[[Any, str], dict[str, Any]]:
    def read(value: Any, where: str) -> dict[str, Any]:
        if type(value) is not bool:
            raise BrokenInput(f"its parameter “{name}” is neither true nor false", where=where)
        return {name: value}

    return read


def _method(value: Any, where: str) -> dict[str, Any]:
    return {}  # compared with the one that is known, above


def _scid(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, str) or not _HASH.match(value):
        raise BrokenInput("its scid is not a hash", where=where)
    return {"scid": value}


def _ttl(value: Any, where: str) -> dict[str, Any]:
    if value is None:
        return {"ttl": 3600}
    if type(value) is not int or not 0 <= value <= 2**31:
        raise BrokenInput("its parameter “ttl” is not a number of seconds", where=where)
    return {"ttl": value}


def _witness(value: Any, where: str) -> dict[str, Any]:
    """`{}` is none; anything else needs different did:keys and a threshold that they can reach."""
    if value is None or value == {}:
        return {"threshold": 0, "witnesses": ()}
    entries = value.get("witnesses") if isinstance(value, dict) else None
    if not isinstance(entries, list) or not 0 < len(entries) <= MOST_WITNESSES:
        raise BrokenInput(f"names no witnesses, or more than {MOST_WITNESSES}", where=where)
    ids = [entry.get("id") if isinstance(entry, dict) else None for entry in entries]
    for id in ids:
        try:
            _witness_key(f"{id}#{str(id).removeprefix('did:key:')}")
        except BrokenInput as problem:
            raise BrokenInput("names a witness that is no did:key of an Ed25519 key", where=where) from problem
    if len(set(ids)) != len(ids):
        raise BrokenInput("names the same witness twice", where=where)
    threshold = value.get("threshold")
    if type(threshold) is not int or not 1 <= threshold <= len(ids):
        raise BrokenInput("its threshold of witnesses is not a number from 1 to how many there are", where=where)
    return {"threshold": threshold, "witnesses": tuple(ids)}


_READERS: dict[str, Callable[[Any, str], dict[str, Any]]] = {
    "method": _method,
    "scid": _scid,
    "updateKeys": _keys,
    "nextKeyHashes": _next,
    "witness": _witness,
    "watchers": _watchers,
    "portable": _flag("portable"),
    "deactivated": _flag("deactivated"),
    "ttl": _ttl,
}


# --- Witnesses ---


def _witnessed(versions: tuple[Version, ...], witness: Callable[[], bytes]) -> None:
    """Rule 8: a new list of witnesses counts from the next entry on, but the first list counts at once."""
    needed: list[tuple[Version, Parameters]] = []
    before = Parameters()
    for version in versions:
        rule = before if before.witnesses else version.parameters
        if rule.witnesses:
            needed.append((version, rule))
        before = version.parameters
    if not needed:
        return
    known = {id for _, rule in needed for id in rule.witnesses}
    approved = _approvals(witness(), {version.id: version.number for version in versions}, known, versions[-1].moment)
    for version, rule in needed:
        count = sum(approved.get(id, 0) >= version.number for id in rule.witnesses)
        if count < rule.threshold:
            says = f"is witnessed by {count} where {rule.threshold} are needed"
            raise BrokenInput(says, where=f"entry {version.number}")


def _approvals(data: bytes, numbers: Mapping[str, int], known: set[str], moment: datetime) -> dict[str, int]:
    """Witness -> the newest entry that it signed, and with it all before. Proofs that do not hold, of strangers, or
    about entries that are not in the log are left out of account.
    """
    if len(data) > LARGEST:
        raise BrokenInput(f"the witnesses' proofs are larger than {LARGEST:,} bytes", where="did-witness.json")
    rows = parse_json(data, where="did-witness.json", max_depth=20)
    if not isinstance(rows, list):
        raise BrokenInput("is not a list", where="did-witness.json")
    found: list[tuple[int, str, str, Any]] = []
    for row in rows:
        id = row.get("versionId") if isinstance(row, dict) else None
        proofs = row.get("proof") if isinstance(row, dict) else None
        if not isinstance(id, str) or id not in numbers:
            continue
        for proof in proofs if isinstance(proofs, list) else [proofs]:
            method = proof.get("verificationMethod") if isinstance(proof, dict) else None
            signer = method.partition("#")[0] if isinstance(method, str) else ""
            if signer in known:
                found.append((numbers[id], signer, id, proof))
    approved: dict[str, int] = {}
    tried: dict[tuple[str, str], int] = {}
    for number, signer, id, proof in sorted(found, key=lambda row: -row[0])[: 4 * MOST_WITNESSES]:
        tried[signer, id] = tried.get((signer, id), 0) + 1
        if signer in approved or tried[signer, id] > 2:
            continue
        try:
            _proof_holds(proof, hashlib.sha256(jcs({"versionId": id})).digest(), moment)
        except BrokenInput:
            continue
        approved[signer] = number
    return approved


# --- What is published beside the history ---


def with_services(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document of a version as a resolver returns it: with the two services that every did:webvh has, `#files` and
    `#whois`, unless it says otherwise itself (did:webvh 1.0, "DID URL Resolution").
    """
    did = document["id"]
    base = did_webvh_url(did).removesuffix("did.jsonl").removesuffix(".well-known/")
    files = {"id": f"{did}#files", "type": "relativeRef", "serviceEndpoint": base}
    whois = {
        "@context": "https://identity.foundation/linked-vp/contexts/v1",
        "id": f"{did}#whois",
        "type": "LinkedVerifiablePresentation",
        "serviceEndpoint": f"{base}whois.vp",
    }
    given = document.get("service", [])
    services = list(given) if isinstance(given, list) else [given]
    there = {service.get("id") for service in services if isinstance(service, Mapping)}
    missing = [s for s in (files, whois) if not {s["id"], s["id"].removeprefix(did)} & there]
    return {**document, "service": services + missing}


def parallel_did_web(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document of the did:web at the same place, for those who do not know did:webvh; they lose the history
    (did:webvh 1.0, "Publishing a Parallel did:web DID").
    """
    did = document["id"]
    scid = did.split(":")[2]
    web = f"did:web:{did.removeprefix(f'did:webvh:{scid}:')}"
    text = jcs(with_services(document)).replace(f"did:webvh:{scid}:".encode(), b"did:web:")
    found: dict[str, Any] = parse_json(text)
    did_web_url(web)
    others = [*found.get("alsoKnownAs", []), did]
    return {**found, "alsoKnownAs": list(dict.fromkeys(other for other in others if other != web))}


# --- Writing ---


@dataclass(frozen=True, slots=True)
class Settings:
    """What a writer may say about later entries; None leaves a thing as it was."""

    portable: bool | None = None
    threshold: int | None = None
    witnesses: tuple[str, ...] = field(default=())
    ttl: int | None = None

    def given(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        if self.portable is not None:
            found["portable"] = self.portable
        if self.threshold is not None:
            ids = [{"id": id} for id in self.witnesses]
            found["witness"] = {"threshold": self.threshold, "witnesses": ids} if self.threshold else {}
        if self.ttl is not None:
            found["ttl"] = self.ttl
        return found


def placeholder(did_web: str) -> str:
    """The did:webvh, its hash still open, that will lie where a did:web lies: what the first document is written
    about.
    """
    did_web_url(did_web)
    return f"did:webvh:{_SCID}:{did_web.removeprefix('did:web:')}"


def create(
    document: Mapping[str, Any],
    signer: Signer,
    *,
    now: datetime,
    next_keys: Iterable[str] = (),
    update_keys: Iterable[str] = (),
    settings: Settings | None = None,
) -> tuple[str, bytes]:
    """(the new did:webvh, its first line), signed by `signer`, whose Ed25519 key may update from now on.

    `document` is written about `placeholder(...)`. `next_keys` are the Multikeys that alone may make the next entry
    (pre-rotation); `update_keys` are further keys that may update now. BrokenInput if the document is about something
    else or a key is not Ed25519.
    """
    did = document.get("id")
    if not isinstance(did, str) or not did.startswith(f"did:webvh:{_SCID}:"):
        raise BrokenInput("the first document is not about a did:webvh that is still open", hint="see placeholder")
    hashes = [key_hash(_updating(key)) for key in next_keys]
    parameters = {
        "method": METHOD,
        "scid": _SCID,
        "updateKeys": list(dict.fromkeys([_multikey(signer), *map(_updating, update_keys)])),
        "nextKeyHashes": hashes,
        "portable": False,
        **(settings or Settings()).given(),
    }
    entry = {"versionId": _SCID, "versionTime": iso(now), "parameters": parameters, "state": document}
    scid = _hash(jcs(entry))
    whole = parse_json(jcs(entry).replace(_SCID.encode(), scid.encode()))
    line = _line(whole, scid, 1, signer, now)
    versions_in(line, now)
    return whole["state"]["id"], line


def update(
    log: bytes,
    signer: Signer,
    *,
    now: datetime,
    document: Mapping[str, Any] | None = None,
    next_keys: Iterable[str] = (),
    update_keys: Iterable[str] | None = None,
    settings: Settings | None = None,
) -> bytes:
    """The line to append to `log`, with another document if one is given.

    Where the keys of this entry were committed to, `signer` is one of them and `next_keys` are those of the entry after
    it; without any, pre-rotation ends. Elsewhere `signer` is one that may update, and `update_keys` are the keys that
    may do so afterwards, if they change. BrokenInput if the history does not hold, or the entry would not.
    """
    newest = versions_in(log, now)[-1]
    parameters = (settings or Settings()).given()
    committed = newest.parameters.pre_rotation
    if committed:
        keys = [_multikey(signer), *map(_updating, update_keys or ())]
        parameters |= {"updateKeys": list(dict.fromkeys(keys)), "nextKeyHashes": []}
    elif update_keys is not None:
        parameters["updateKeys"] = list(dict.fromkeys(map(_updating, update_keys)))
    hashes = [key_hash(_updating(key)) for key in next_keys]
    if hashes:
        parameters["nextKeyHashes"] = hashes
    return _appended(log, newest, signer, now, parameters, newest.document if document is None else document)


def rotate(
    log: bytes,
    signer: Signer,
    *,
    now: datetime,
    next_keys: Iterable[str] = (),
    to: Iterable[str] = (),
    document: Mapping[str, Any] | None = None,
) -> bytes:
    """The line by which other keys take over: `signer` itself where it was committed to, else those of `to`.

    BrokenInput if neither is the case, since then nothing would change hands.
    """
    newest, taking = versions_in(log, now)[-1], list(to)
    if not newest.parameters.pre_rotation and not taking:
        raise BrokenInput("no key was committed to, so it has to be said which key takes over", where=newest.id)
    return update(log, signer, now=now, document=document, next_keys=next_keys, update_keys=taking)


def deactivate(log: bytes, signer: Signer, *, now: datetime) -> bytes:
    """The last line of a history: the identifier is given up, and no entry can follow.

    Where keys were committed to, `signer` is one of them; the entry keeps it, since an empty list would be no key to
    check the entry with.
    """
    newest = versions_in(log, now)[-1]
    committed = newest.parameters.pre_rotation
    parameters = {"deactivated": True, "updateKeys": [_multikey(signer)] if committed else []}
    if committed:
        parameters["nextKeyHashes"] = []
    return _appended(log, newest, signer, now, parameters, newest.document)


def witness_file(proofs: Mapping[str, Iterable[Signer]], *, now: datetime) -> bytes:
    """`did-witness.json`: for each `versionId` the proofs of these witnesses. It is published before the entry."""
    rows = []
    for id, signers in proofs.items():
        digest = hashlib.sha256(jcs({"versionId": id})).digest()
        rows.append({"versionId": id, "proof": [_proof(signer, digest, now) for signer in signers]})
    return jcs(rows)


def _appended(
    log: bytes, newest: Version, signer: Signer, now: datetime, parameters: dict[str, Any], document: Mapping[str, Any]
) -> bytes:
    entry = {"versionId": newest.id, "versionTime": iso(now), "parameters": parameters, "state": document}
    line = _line(entry, newest.id, newest.number + 1, signer, now)
    versions_in(log + line, now)  # whatever would not hold is refused before anybody publishes it
    return line


def _line(entry: Mapping[str, Any], previous: str, number: int, signer: Signer, now: datetime) -> bytes:
    chained = {**entry, "versionId": f"{number}-{_hash(jcs({**entry, 'versionId': previous}))}"}
    proof = _proof(signer, hashlib.sha256(jcs(chained)).digest(), now)
    return jcs({**chained, "proof": [proof]}) + b"\n"


def _proof(signer: Signer, digest: bytes, now: datetime) -> dict[str, Any]:
    key = _multikey(signer)
    options = {**_PROOF, "created": iso(now), "verificationMethod": f"did:key:{key}#{key}"}
    message = hashlib.sha256(jcs(options)).digest() + digest
    return {**options, "proofValue": multibase_encode(signer.sign(message))}


def _multikey(signer: Signer) -> str:
    if signer.algorithm != "Ed25519":
        raise BrokenInput(f"a key of kind {signer.algorithm} cannot sign a did:webvh", where=signer.key_id)
    return PublicKey(signer.key_id, signer.algorithm, signer.public_key).multikey


def _updating(multikey: str) -> str:
    """The Multikey of an Ed25519 key; BrokenInput otherwise."""
    if PublicKey.from_multikey(multikey, multikey).algorithm != "Ed25519" or not multikey.startswith("z"):
        raise BrokenInput("is no Multikey of an Ed25519 key", where=multikey[:60], hint="one begins z6Mk")
    return multikey
