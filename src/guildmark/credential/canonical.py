"""The canonical form of a JSON document: the text that a signature is over, whoever wrote the document.

`rdfc` is what the document says as JSON-LD, in canonical N-Quads (RDF Dataset Canonicalization 1.0); `jcs` is the
document itself, in canonical JSON (RFC 8785).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from guildmark.core.codecs import jcs
from guildmark.core.errors import BrokenInput
from guildmark.credential.jsonld import ContextSet, context_sets, to_dataset
from guildmark.credential.rdfc import canonicalize

FORMS = ("rdfc", "jcs")


@dataclass(frozen=True, slots=True)
class Canonical:
    """A canonical form as UTF-8 bytes, and what of the document is not in it, in words."""

    form: str
    data: bytes
    losses: tuple[str, ...] = ()


def canonical_form(
    document: Mapping[str, Any], form: str = "rdfc", *, digest: str = "sha256", contexts: ContextSet | None = None
) -> Canonical:
    """The canonical form of the whole document, its proofs included if it has any.

    `form` is one of FORMS, `digest` the hash by which `rdfc` tells blank nodes apart: sha256 or sha384. `losses`
    names what no term defines, so that an `rdfc` signature would not cover it; `jcs` loses nothing.

    BrokenInput for another form or digest, for a document that has no such form (a context that is not shipped, a
    number that JSON Canonicalization cannot write) or has too many values, and for blank nodes that would take
    too much work to tell apart (`rdfc.TooMuchWork`, after some 30 ms). Expanding takes some 0.1 ms for each value.
    """
    if form not in FORMS:
        raise BrokenInput(f"there is no canonical form {form!r}", hint=f"use {' or '.join(FORMS)}")
    if digest not in ("sha256", "sha384"):
        raise BrokenInput(f"blank nodes are not told apart by {digest!r}", hint="use sha256 or sha384")
    if form == "jcs":
        return Canonical(form, jcs(document))
    dataset = to_dataset(document, contexts or context_sets()[0])
    return Canonical(form, canonicalize(dataset.quads, algorithm=digest).encode("utf-8"), dataset.losses)
