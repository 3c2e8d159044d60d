"""The doors that the product opens, built from settings: files, log tiles, the network, a chain."""

from __future__ import annotations

from django.conf import settings

from guildmark.adapters.blobs import DirectoryBlobs


def blob_store() -> DirectoryBlobs:
    """Submissions and evidence, by content."""
    return DirectoryBlobs(settings.HOME / "blobs")
