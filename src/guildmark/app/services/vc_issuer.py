"""The issuer of a test server: it signs whatever keeps the rules of the VC Data Model, as the W3C's suites ask of one.

On a real site nothing is signed that was not decided, so all of this answers only while GUILDMARK_VC_API is 1. What no
key was shown for is signed by keys that belong to nobody: they are made out of the site's secret, under a did:key, and
no key of an organisation is ever used without the consent of its administrator, which is a key with the scope
`credentials:issue`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from guildmark.app.records import Organisation, Person
from guildmark.app.services.events import note_event
from guildmark.app.services.keys import signer_for
from guildmark.app.services.verbs import verb
from guildmark.core.codecs import jcs
from guildmark.core.doors import Signer
from guildmark.core.errors import BrokenInput, NotAllowed
from guildmark.credential.did import did_key
from guildmark.credential.jsonld import CREDENTIALS_V1, CREDENTIALS_V2, ContextSet, context_sets
from guildmark.credential.keys import SoftwareSigner
from guildmark.credential.proof import add_proof, sign_document
from guildmark.credential.signed import issuer_id, plain
from guildmark.credential.structure import structure_problems

DATA_INTEGRITY = "https://w3id.org/security/data-integrity/v2"

_PROOFS = {DATA_INTEGRITY, "https://w3id.org/security/data-integrity/v1", CREDENTIALS_V2}
"""Contexts with the words of a Data Integrity proof in them."""

_SIZES = {"Ed25519": 32, "P-256": 32, "P-384": 48}

_EXAMPLES = {
    "https://www.w3.org/ns/credentials/examples/v2": {
        "@context": {"@vocab": "https://www.w3.org/ns/credentials/examples#"}
    }
}
"""The W3C's context for examples gives every word a meaning, so no document under it can be told to be whole."""


def suite_contexts() -> tuple[ContextSet, ...] | None:
    """The contexts under which a test server reads and signs; None on a real site, which has the shipped ones."""
    return _suite_contexts() if settings.VC_API else None


@lru_cache(maxsize=1)
def _suite_contexts() -> tuple[ContextSet, ...]:
    return tuple(contexts.plus(_EXAMPLES, written_out=True) for contexts in context_sets())


def suite_signer(algorithm: str = "Ed25519") -> Signer:
    """The test server's key of this kind; its controller is its did:key. NotAllowed on a real site."""
    if not settings.VC_API:
        raise NotAllowed("There is no test issuer here.")
    return _signer(settings.SECRET_KEY, algorithm)


@lru_cache(maxsize=len(_SIZES))
def _signer(secret: str, algorithm: str) -> Signer:
    """The same in every process of the server; nobody learns anything of the secret from it."""
    label = f"guildmark test issuer {algorithm}".encode()
    drawn = HKDF(algorithm=hashes.SHA256(), length=_SIZES[algorithm], salt=None, info=label).derive(secret.encode())
    public = SoftwareSigner(drawn, "did:key:unnamed", algorithm).public_key
    did = did_key(public, algorithm)
    return SoftwareSigner(drawn, f"{did}#{did.removeprefix('did:key:')}", algorithm)


def _with_words_for_a_proof(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document with the context that gives a proof its meaning, where its own do not (Data Integrity 1.0, 2.4.2
    Context Injection): those of credentials of version 1.1.
    """
    contexts = document.get("@context")
    if isinstance(contexts, list) and CREDENTIALS_V1 in contexts and not _PROOFS & {str(c) for c in contexts}:
        return {**document, "@context": [*contexts, DATA_INTEGRITY]}
    return dict(document)


@verb
def sign_for_organisation(
    *, document: Mapping[str, Any], organisation: Organisation, actor: Person, caller: str, now: datetime, **how: Any
) -> dict[str, Any]:
    """The document, signed in the name of the organisation, and on record; `how` is as for `sign_anything`."""
    if not settings.VC_API:
        raise NotAllowed("Only what was decided is signed here.")
    signed = sign_anything(document, signer_for(organisation), issuer=organisation.did, now=now, **how)
    note_event(
        verb="sign_by_program",
        subject=plain(signed.get("id", ""), 300),
        organisation=organisation,
        actor=actor,
        now=now,
        caller=caller,
        sha256=hashlib.sha256(jcs(signed)).hexdigest(),
    )
    return signed


def sign_anything(
    document: Mapping[str, Any],
    signer: Signer,
    *,
    issuer: str,
    now: datetime,
    cryptosuite: str = "",
    created: datetime | None = None,
    previous: Sequence[str] = (),
    **more: Any,
) -> dict[str, Any]:
    """The document with one more proof, as the issuer's; without an issuer it gets this one.

    BrokenInput for a document that is no credential of the VC Data Model, names another issuer, or cannot be signed
    whole.
    """
    given = _with_words_for_a_proof(document)
    if "issuer" not in given:
        given["issuer"] = issuer
    if problems := structure_problems(given):
        raise BrokenInput(f"is not made as the VC Data Model asks: {plain(problems[0], 200)}", where="credential")
    if issuer_id(given) != issuer:
        raise BrokenInput(f"names another issuer than {issuer}", where="credential", hint="leave the issuer out")
    suite = cryptosuite or ("eddsa-rdfc-2022" if signer.algorithm == "Ed25519" else "ecdsa-rdfc-2019")
    sets = suite_contexts()
    how = {"created": created or now, "cryptosuite": suite, "contexts": sets[0] if sets else None, **more}
    if "proof" in given:
        return add_proof(given, signer, previous=previous, **how)
    return sign_document(given, signer, **how)
