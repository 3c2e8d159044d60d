"""Signing keys of organisations and of the log: made once, encrypted at rest, opened when something is signed."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache

from django.conf import settings

from guildmark.adapters.keys import open_key, seal_key
from guildmark.app.records import Organisation, OrganisationKey
from guildmark.core.doors import Signer
from guildmark.core.errors import NotAllowed


def seal_new_key(*, key_id: str, purpose: str, entropy: bytes, now: datetime) -> OrganisationKey:
    """A new Ed25519 key with its private half encrypted under the site's passphrase; not saved yet."""
    sealed, public_key = seal_key(entropy, key_id=key_id, passphrase=settings.KEY_PASSPHRASE)
    return OrganisationKey(
        key_id=key_id, purpose=purpose, algorithm="Ed25519", public_key=public_key, sealed=sealed, created_at=now
    )


def signer_for(organisation: Organisation) -> Signer:
    """Signs with the organisation's newest key that is not retired; NotAllowed if it has none."""
    key = organisation.keys.filter(purpose="issue", retired_at=None).order_by("-created_at", "-id").first()
    if key is None:
        raise NotAllowed(f"{organisation} has no signing key: make one first.")
    return _open(key.key_id, key.sealed)


def log_signer(*, key_id: str, entropy: bytes, now: datetime) -> Signer:
    """Signs checkpoints of the log; the key is made, from `entropy`, when the log is first asked for.

    It belongs to no organisation: what signs the log never signs a credential.
    """
    key = OrganisationKey.objects.filter(purpose="log", key_id=key_id).first()
    if key is None:
        made = seal_new_key(key_id=key_id, purpose="log", entropy=entropy, now=now)
        facts = {name: getattr(made, name) for name in ("algorithm", "public_key", "sealed", "created_at")}
        # Of two processes that start a log at the same moment, one makes the key and both use it.
        key, _ = OrganisationKey.objects.get_or_create(key_id=key_id, purpose="log", defaults=facts)
    return _open(key.key_id, key.sealed)


@lru_cache(maxsize=64)
def _open(key_id: str, sealed: bytes) -> Signer:
    """Opening takes a tenth of a second by design (scrypt), so an opened key stays in this process's memory."""
    return open_key(sealed, passphrase=settings.KEY_PASSPHRASE)
