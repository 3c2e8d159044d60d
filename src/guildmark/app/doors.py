"""The doors that the product opens, built from settings: files, log tiles, the network, a chain."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings

from guildmark.adapters.blobs import DirectoryBlobs
from guildmark.adapters.fetch import GuardedFetcher, GuardedPoster
from guildmark.adapters.log_files import TileFiles
from guildmark.adapters.registers import RorRegister
from guildmark.core.doors import Fetcher, NumberRegister, Poster


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


def webhook_poster() -> Poster:
    """The same way outside for what is sent; settings.WEBHOOKS_INSIDE opens this machine's network in development."""
    return GuardedPoster(inside=settings.WEBHOOKS_INSIDE)


def number_register(scheme: str) -> NumberRegister | None:
    """The register that can be asked for a number of this scheme; None where a person has to look."""
    return RorRegister(network()) if scheme == "ror" else None
