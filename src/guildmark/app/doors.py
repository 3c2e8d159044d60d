"""The doors that the product opens, built from settings: files, log tiles, the network, a chain."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings

from guildmark.adapters.blobs import DirectoryBlobs
from guildmark.adapters.fetch import GuardedFetcher
from guildmark.adapters.log_files import TileFiles
from guildmark.core.doors import Fetcher


def blob_store() -> DirectoryBlobs:
    """Submissions and evidence, by content."""
    return DirectoryBlobs(settings.HOME / "blobs")


def log_folder() -> Path:
    """Where the log's public files lie; below the web folder, so that any static server can serve them."""
    return web_folder() / "log"


def log_tiles() -> TileFiles:
    """The tiles and the public checkpoint of the site's log."""
    return TileFiles(log_folder())


def web_folder() -> Path:
    """Every document that verifiers fetch, as files."""
    return settings.HOME / "web"


def network() -> Fetcher:
    """The guarded way outside: https, public addresses, bounded."""
    return GuardedFetcher()
