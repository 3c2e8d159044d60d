"""What is proven: Open Badges and CLR documents, proofs, keys and DIDs, status lists, verification.

For programs that use this room as a library, the names below are all that is needed; the rest are details that may
move. It needs no Django, no settings and no network, and nothing is loaded before its name is used.

    >>> from datetime import datetime, timezone
    >>> from guildmark.credential import NoNetwork, SoftwareSigner, did_key, sign_document, verify_credential

    >>> key = bytes(range(32))  # in earnest: 32 random bytes, kept secret
    >>> signer = SoftwareSigner(key, did_key(SoftwareSigner(key, "did:key:").public_key))
    >>> fragment = signer.key_id.removeprefix("did:key:")
    >>> signer = SoftwareSigner(key, f"{signer.key_id}#{fragment}")
    >>> badge = {
    ...     "@context": [
    ...         "https://www.w3.org/ns/credentials/v2",
    ...         "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json",
    ...     ],
    ...     "id": "urn:uuid:4c1f0e0a-6f0d-4d5e-9f0c-3f1d2b7a9e11",
    ...     "type": ["VerifiableCredential", "OpenBadgeCredential"],
    ...     "name": "Knots",
    ...     "issuer": {"id": f"did:key:{fragment}", "type": ["Profile"], "name": "Harbour University"},
    ...     "validFrom": "2026-11-24T09:00:00Z",
    ...     "credentialSubject": {
    ...         "id": "did:example:zoe",
    ...         "type": ["AchievementSubject"],
    ...         "achievement": {
    ...             "id": "https://harbour.example/knots",
    ...             "type": ["Achievement"],
    ...             "name": "Knots",
    ...             "description": "Ties the ten knots of a sailor.",
    ...             "criteria": {"narrative": "Ties each of the ten knots within a minute."},
    ...         },
    ...     },
    ... }
    >>> now = datetime(2026, 12, 1, tzinfo=timezone.utc)
    >>> signed = sign_document(badge, signer, created=now)
    >>> import json
    >>> report = verify_credential(json.dumps(signed).encode(), now=now, fetcher=NoNetwork())
    >>> print(report.verdict.value)
    pass
    >>> signed["name"] = "Master of the Seas"
    >>> report = verify_credential(json.dumps(signed).encode(), now=now, fetcher=NoNetwork())
    >>> print(report.verdict.value, [finding.id for finding in report.failed()])
    fail ['proof.signature']

A verifier that may ask the network hands in `guildmark.adapters.fetch.GuardedFetcher()`, one that has all documents
in a folder `guildmark.adapters.documents.DirectoryFetcher(folder)`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from guildmark.core.doors import Document, Fetcher, NoNetwork, Signer
    from guildmark.core.errors import BrokenInput, GuildmarkError, OutsideFailure
    from guildmark.core.report import Finding, Report, Verdict
    from guildmark.credential.bake import bake as bake_credential
    from guildmark.credential.bake import extract as extract_credential
    from guildmark.credential.canonical import Canonical, canonical_form
    from guildmark.credential.did import did_document, did_key, did_web_url
    from guildmark.credential.disclosure import disclose, sign_selectively
    from guildmark.credential.envelope import bare_document, open_envelope, same_content
    from guildmark.credential.jose import sign_vc_jwt
    from guildmark.credential.keys import PublicKey, SoftwareSigner, jwk_of
    from guildmark.credential.presentation import verify_presentation
    from guildmark.credential.proof import SIGNING_SUITES, add_proof, sign_document
    from guildmark.credential.sd_jwt import present_sd_jwt, sign_sd_jwt
    from guildmark.credential.status import decode_list, encode_list, status_entry, status_list_credential
    from guildmark.credential.structure import structure_finding
    from guildmark.credential.trust import read_trust, trust_findings
    from guildmark.credential.verify import verify_credential, verify_credentials

__all__ = [
    "SIGNING_SUITES",
    "BrokenInput",
    "Canonical",
    "Document",
    "Fetcher",
    "Finding",
    "GuildmarkError",
    "NoNetwork",
    "OutsideFailure",
    "PublicKey",
    "Report",
    "Signer",
    "SoftwareSigner",
    "Verdict",
    "add_proof",
    "bake_credential",
    "bare_document",
    "canonical_form",
    "decode_list",
    "did_document",
    "did_key",
    "did_web_url",
    "disclose",
    "encode_list",
    "extract_credential",
    "jwk_of",
    "open_envelope",
    "present_sd_jwt",
    "read_trust",
    "same_content",
    "sign_document",
    "sign_sd_jwt",
    "sign_selectively",
    "sign_vc_jwt",
    "status_entry",
    "status_list_credential",
    "structure_finding",
    "trust_findings",
    "verify_credential",
    "verify_credentials",
    "verify_presentation",
]

_HOME = {
    "core.doors": ("Document", "Fetcher", "NoNetwork", "Signer"),
    "core.errors": ("BrokenInput", "GuildmarkError", "OutsideFailure"),
    "core.report": ("Finding", "Report", "Verdict"),
    "credential.canonical": ("Canonical", "canonical_form"),
    "credential.did": ("did_document", "did_key", "did_web_url"),
    "credential.disclosure": ("disclose", "sign_selectively"),
    "credential.envelope": ("bare_document", "open_envelope", "same_content"),
    "credential.jose": ("sign_vc_jwt",),
    "credential.keys": ("PublicKey", "SoftwareSigner", "jwk_of"),
    "credential.presentation": ("verify_presentation",),
    "credential.proof": ("SIGNING_SUITES", "add_proof", "sign_document"),
    "credential.sd_jwt": ("present_sd_jwt", "sign_sd_jwt"),
    "credential.status": ("decode_list", "encode_list", "status_entry", "status_list_credential"),
    "credential.structure": ("structure_finding",),
    "credential.trust": ("read_trust", "trust_findings"),
    "credential.verify": ("verify_credential", "verify_credentials"),
}
_PLACES = {name: (module, name) for module, names in _HOME.items() for name in names} | {
    "bake_credential": ("credential.bake", "bake"),  # `bake` is the name of the module
    "extract_credential": ("credential.bake", "extract"),
}


def __getattr__(name: str) -> Any:
    """The public name, loaded the first time it is asked for (PEP 562)."""
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, inside = _PLACES[name]
    value = getattr(import_module(f"guildmark.{module}"), inside)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
