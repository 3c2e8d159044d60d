"""Credentials of which the holder shows parts: `ecdsa-sd-2023` made by an issuer, and derived by a holder.

Which statements a JSON pointer stands for is found in three steps (vc-di-ecdsa sections 3.4.6 to 3.4.16, with other
means): every unnamed part of the document gets an id, the pointers select from that, and what both have in common are
the statements. Parts that JSON-LD makes and JSON does not show (the cells of a list, the graph of an embedded proof)
are told by what they hang on and what they hold, so they are shown whole or not at all.

What is derived is read back as a verifier reads it before it leaves, so it holds or it is refused.
"""

from __future__ import annotations

import copy
import hashlib
import hmac
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from guildmark.core.codecs import base64url_decode, base64url_encode, jcs, multibase_decode
from guildmark.core.doors import Signer
from guildmark.core.errors import BrokenInput
from guildmark.credential import proof_sd
from guildmark.credential.jsonld import ContextSet, context_sets, to_dataset
from guildmark.credential.keys import PublicKey, signature_holds
from guildmark.credential.proof import (
    canonical_hash_of_options,
    proof_options,
    refuse_control_characters,
    refuse_losses,
)
from guildmark.credential.proof_sd import MOST_STATEMENTS, Base, Derived, shown_lines, signed_bytes
from guildmark.credential.rdfc import Quad, canonical_labels, canonicalize, line


def sign_selectively(
    document: Mapping[str, Any],
    signer: Signer,
    *,
    created: datetime,
    mandatory: Sequence[str],
    once: Signer,
    hmac_key: bytes,
    purpose: str = "assertionMethod",
    expires: datetime | None = None,
    id: str = "",
    contexts: ContextSet | None = None,
) -> dict[str, Any]:
    """The document with an `ecdsa-sd-2023` base proof, for its holder alone: with `disclose` the holder makes of it
    what others get to see (vc-di-ecdsa section 3.6.1).

    `mandatory` are JSON pointers (RFC 6901) to what must always be shown; a verifier can only look at dates and a
    status that are. `once` is a P-256 key that has signed nothing else and never will, `hmac_key` 32 random bytes of
    the same kind: they keep the parts that are not shown from being guessed. Costs a signature for each statement.

    BrokenInput as for `proof.sign_document`, for a pointer that leads nowhere or to part of a list, and for more
    statements than verifiers check.
    """
    if "proof" in document:
        raise BrokenInput("is signed already", where=_where(document), hint="sign the document without its proof")
    if once.algorithm != "P-256" or len(hmac_key) != 32:
        raise BrokenInput("selective disclosure takes a P-256 key and 32 bytes that are used once")
    chosen = contexts or context_sets()[0]
    options = proof_options(signer, proof_sd.NAME, created, purpose, expires=expires, id=id)
    refuse_control_characters(document, options)
    proof_hash, losses = canonical_hash_of_options(options, document, chosen)
    refuse_losses(document, (losses, to_dataset(document, chosen).losses))
    parts = _Parts(document, hmac_key, chosen)
    always = parts.lines(mandatory)
    others = [text for text in parts.all if text not in always]
    if len(others) > MOST_STATEMENTS:
        raise BrokenInput(
            f"has {len(others):,} statements that may be left out, more than {MOST_STATEMENTS:,}",
            where=_where(document),
            hint="make larger parts of it mandatory",
        )
    public_key = PublicKey("urn:once", once.algorithm, once.public_key)
    data = signed_bytes(proof_hash, _bytes_of(public_key), [text for text in parts.all if text in always])
    base = Base(
        signer.sign(data),
        _bytes_of(public_key),
        hmac_key,
        tuple(once.sign(text.encode("utf-8")) for text in others),
        tuple(mandatory),
    )
    return {**document, "proof": {**options, "proofValue": base.write()}}


def disclose(
    document: Mapping[str, Any], pointers: Sequence[str], *, contexts: ContextSet | None = None
) -> dict[str, Any]:
    """What remains of a document with a base proof when only the mandatory parts and those at `pointers` (RFC 6901)
    are shown, with a proof that holds for it (vc-di-ecdsa section 3.6.6).

    The ids and types on the way to a pointer are shown as well. Whether the issuer signed it is not checked here; the
    signatures of the statements are. BrokenInput for a document without a base proof, a pointer that leads nowhere or
    to part of a list, nothing to show, and a base proof that does not fit the document.
    """
    proof, where = document.get("proof"), _where(document)
    if not isinstance(proof, Mapping) or proof.get("cryptosuite") != proof_sd.NAME:
        raise BrokenInput("has no proof of which parts can be shown", where=where, hint="ask its issuer for one")
    chosen = contexts or context_sets()[0]
    base = proof_sd.read_base(proof.get("proofValue"))
    wanted = list(dict.fromkeys([*base.mandatory, *pointers]))
    if not wanted:
        raise BrokenInput("shows nothing", where=where, hint="name at least one part of it")
    bare = {key: value for key, value in document.items() if key != "proof"}
    parts = _Parts(bare, base.hmac_key, chosen)
    always = parts.lines(base.mandatory)
    others = [text for text in parts.all if text not in always]
    if len(others) != len(base.signatures):
        raise BrokenInput("was changed since it was signed", where=where)
    signature_of = dict(zip(others, base.signatures, strict=True))

    shown = parts.quads(wanted)
    labels = {
        int(canonical.removeprefix("_:c14n")): base64url_decode(parts.names[label].removeprefix("_:u"))
        for label, canonical in canonical_labels(shown).items()
    }
    lines = sorted(line(quad, parts.names) for quad in shown)
    derived = Derived(
        base.signature,
        base.public_key,
        tuple(signature_of[text] for text in lines if text not in always),
        dict(sorted(labels.items())),
        tuple(place for place, text in enumerate(lines) if text in always),
    )
    reveal = select(bare, wanted)
    once = PublicKey("urn:once", "P-256", base.public_key[2:])
    if shown_lines(to_dataset(reveal, chosen).quads, derived.labels) != lines or not always <= set(lines):
        raise BrokenInput("cannot be shown in these parts", where=where, hint="show larger ones")
    if not all(signature_holds(once, text.encode("utf-8"), signature_of[text]) for text in lines if text not in always):
        raise BrokenInput("was changed since it was signed", where=where)
    return {**reveal, "proof": {**proof, "proofValue": derived.write()}}


def _where(document: Mapping[str, Any]) -> str:
    return str(document.get("id", "document"))


def _bytes_of(key: PublicKey) -> bytes:
    return multibase_decode(key.multikey)


# --- Selecting ------------------------------------------------------------------------------------------

_Tree = dict[str, Any]
"""Steps of pointers; a step that leads to all of it has the value None."""


def select(document: Mapping[str, Any], pointers: Iterable[str]) -> dict[str, Any]:
    """The part of a document to which JSON pointers lead, with its contexts, and the ids and types on the way
    (vc-di-ecdsa section 3.4.13). BrokenInput for a pointer that leads nowhere or to contexts.
    """
    tree: _Tree | None = {}
    for pointer in pointers:
        steps = _steps(pointer)
        _follow(document, steps, pointer)
        tree = _plant(tree, steps)
    picked: dict[str, Any] = _pick(document, tree)
    return {"@context": document["@context"], **picked} if "@context" in document else picked


def _steps(pointer: str) -> list[str]:
    if pointer and not pointer.startswith("/"):
        raise BrokenInput(f"{pointer[:100]!r} is not a JSON pointer", hint="write it like /credentialSubject/result")
    steps = [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]
    if "@context" in steps:
        raise BrokenInput("a pointer leads to contexts", hint="they are always shown whole")
    return steps


def _follow(value: Any, steps: Sequence[str], pointer: str) -> None:
    for step in steps:
        if isinstance(value, Mapping) and step in value:
            value = value[step]
        elif isinstance(value, list) and _INDEX.match(step) and int(step) < len(value):
            value = value[int(step)]
        else:
            raise BrokenInput(f"nothing stands at {pointer[:100]}", hint="the pointer does not fit the document")


_INDEX = re.compile(r"(0|[1-9][0-9]{0,8})\Z", re.ASCII)


def _plant(tree: _Tree | None, steps: Sequence[str]) -> _Tree | None:
    """The tree with one more pointer in it."""
    if tree is None or not steps:
        return None
    branch = tree
    for step in steps[:-1]:
        below = branch.setdefault(step, {})
        if below is None:  # all of it is chosen already
            return tree
        branch = below
    branch[steps[-1]] = None
    return tree


def _pick(source: Any, tree: _Tree | None) -> Any:
    if tree is None:
        return copy.deepcopy(source)
    if isinstance(source, list):
        return [_pick(source[int(step)], tree[step]) for step in sorted(tree, key=int)]
    first = {key: copy.deepcopy(source[key]) for key in ("id", "type") if key in source}
    return first | {key: _pick(source[key], tree[key]) for key in source if key in tree and key not in first}


# --- Statements -----------------------------------------------------------------------------------------


class _Parts:
    """A document's statements under the names that are signed, and those of its parts.

    `names` is the signed name of each blank node, `all` every statement as a line, in order.
    """

    def __init__(self, document: Mapping[str, Any], hmac_key: bytes, contexts: ContextSet) -> None:
        self.contexts = contexts
        self.prefix = f"urn:part:{hashlib.sha256(jcs(document)).hexdigest()}:"
        self.document = _with_ids(document, self.prefix)
        self.statements = self._read(self.document)
        if canonicalize(self.statements) != canonicalize(to_dataset(document, contexts).quads):
            raise BrokenInput("has parts that cannot be told apart", where=_where(document), hint="give them ids")
        self.names = {
            label: f"_:u{base64url_encode(_digest(hmac_key, canonical))}"
            for label, canonical in canonical_labels(self.statements).items()
        }
        self.all = sorted(line(quad, self.names) for quad in self.statements)

    def quads(self, pointers: Sequence[str]) -> set[Quad]:
        """The statements to which pointers lead; none for no pointer. BrokenInput if they cannot be told."""
        if not pointers:
            return set()
        found = self._read(select(self.document, pointers))
        if not found <= self.statements:
            raise BrokenInput(
                "a pointer leads to part of something that is signed whole", hint="a list is shown whole or not at all"
            )
        return found

    def lines(self, pointers: Sequence[str]) -> set[str]:
        return {line(quad, self.names) for quad in self.quads(pointers)}

    def _read(self, document: Mapping[str, Any]) -> set[Quad]:
        def plain(term: str) -> str:
            return f"_:p{term[len(self.prefix) + 1 : -1]}" if term.startswith(f"<{self.prefix}") else term

        quads = {(plain(s), p, plain(o), plain(g)) for s, p, o, g in to_dataset(document, self.contexts).quads}
        names = dict(_names_of_hidden(quads))
        return {(names.get(s, s), p, names.get(o, o), names.get(g, g)) for s, p, o, g in quads}


def _digest(key: bytes, canonical: str) -> bytes:
    return hmac.digest(key, canonical.removeprefix("_:").encode("ascii"), "sha256")


def _with_ids(document: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    """A copy in which every part without an id has one."""
    made: dict[str, Any] = copy.deepcopy(dict(document))
    waiting: list[Any] = [made]
    count = 0
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict) and "@value" not in item:
            waiting.extend(value for key, value in item.items() if key != "@context")
            if "id" not in item:
                item["id"] = f"{prefix}{count}"
                count += 1
        elif isinstance(item, list):
            waiting.extend(item)
    return made


def _names_of_hidden(quads: set[Quad]) -> Iterator[tuple[str, str]]:
    """Names for the blank nodes that JSON does not show: the cells of lists and the graphs of embedded proofs, from
    what they hang on and what they hold.
    """
    hidden = {term for quad in quads for term in (quad[0], quad[2], quad[3]) if term.startswith("_:n")}
    holds: dict[str, list[str]] = {label: [] for label in hidden}
    hangs: dict[str, list[Quad]] = {label: [] for label in hidden}
    for quad in quads:
        s, p, o, g = quad
        for label in {s, g} & hidden:
            rest = tuple("" if term in hidden else term for term in (s, o, g))
            holds[label].append(" ".join((rest[0], p, *rest[1:])))
        if o in hidden:
            hangs[o].append(quad)
    names: dict[str, str] = {}
    waiting = hidden
    while waiting:
        left = set()
        for label in waiting:
            above = [(names.get(s, s), p, names.get(g, g)) for s, p, _, g in hangs[label]]
            if any(term in hidden for s, _, g in above for term in (s, g)):
                left.add(label)
                continue
            text = "\n".join([*(" ".join(row) for row in sorted(above)), "", *sorted(holds[label])])
            names[label] = f"_:h{hashlib.sha256(text.encode('utf-8')).hexdigest()}"
            yield label, names[label]
        if left == waiting:
            return  # nothing hangs on anything: left as they are, and found out when the forms are compared
        waiting = left
