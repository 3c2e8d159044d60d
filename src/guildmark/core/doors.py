"""The few doors to the outside world, as small Protocols. Real ones live in `guildmark.adapters`.

Rooms take these as arguments, so that every test and every offline check hands in its own world.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Document:
    """What a fetch brought: the bytes exactly as served, and the media type without parameters ("" if none)."""

    url: str
    body: bytes
    media_type: str = ""


class Fetcher(Protocol):
    """Brings the document at a URL, or raises `core.errors.OutsideFailure` saying why not."""

    def fetch(self, url: str) -> Document: ...


class NoNetwork:
    """A Fetcher that has nothing: every fetch fails, so that what depends on it is unknown."""

    def fetch(self, url: str) -> Document:
        from guildmark.core.errors import OutsideFailure

        raise OutsideFailure(f"{url} was not fetched: no network here")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered to what was sent: its HTTP status, and the beginning of its body."""

    status: int
    body: bytes = b""


class Poster(Protocol):
    """Sends bytes to a URL and returns the answer, whatever its status; OutsideFailure if there is none."""

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer: ...


@dataclass(frozen=True, slots=True)
class Listed:
    """What a public register says under a number: for whom, where a person can read it, and whether it is in force."""

    name: str
    url: str
    active: bool
    country: str = ""


class NumberRegister(Protocol):
    """A public register of organisations that can be asked for a number."""

    @property
    def name(self) -> str:
        """The register in words."""
        ...

    def look_up(self, number: str) -> Listed | None:
        """The entry under this number, None if there is none; OutsideFailure if the register cannot be asked."""
        ...


class Signer(Protocol):
    """Holds one private key and signs with it; the key itself never leaves."""

    @property
    def key_id(self) -> str:
        """The verification method: an absolute URL such as `did:web:example.edu#key-1`."""
        ...

    @property
    def algorithm(self) -> str:
        """`Ed25519`, `P-256`, ...: the kind of key, named as in Multikey."""
        ...

    @property
    def public_key(self) -> bytes:
        """The raw public key bytes (32 for Ed25519)."""
        ...

    def sign(self, message: bytes) -> bytes: ...


class Timestamper(Protocol):
    """Returns a token over a SHA-256 digest from an authority whose clock is not ours (RFC 3161)."""

    def timestamp(self, digest: bytes) -> bytes: ...


@dataclass(frozen=True, slots=True)
class AnchorReceipt:
    """Where a 32-byte digest was written on a chain, as plain JSON values in `facts`.

    `evidence` is False on a test chain: such an anchor shows that the code works and proves nothing to anyone.
    """

    chain: str
    digest: bytes
    facts: Mapping[str, str | int]
    evidence: bool


class Anchor(Protocol):
    """Writes a 32-byte digest to a chain, and looks one up again."""

    def anchor(self, digest: bytes) -> AnchorReceipt: ...

    def holds(self, receipt: AnchorReceipt) -> bool:
        """Whether the chain, asked now, shows this digest in the place that the receipt names."""
        ...


class BlobStore(Protocol):
    """Bytes under the SHA-256 of their content (hex); storing the same bytes twice is one blob."""

    def put(self, data: bytes) -> str: ...

    def get(self, digest: str) -> bytes: ...
