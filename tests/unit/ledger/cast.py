"""Who plays in the tests of the log: a signer with a fixed key, a store that can be killed at any step."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from guildmark.ledger.checkpoint import read_checkpoint
from guildmark.ledger.log import Entry, UnsoundLog
from guildmark.ledger.merkle import EMPTY_ROOT, leaf_hash, node_hash

ORIGIN = "harbour.example/log"


class Key:
    """A `Signer` whose key is the 32 bytes it is made of."""

    algorithm = "Ed25519"

    def __init__(self, seed: bytes = b"L" * 32) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.key_id = "did:web:harbour.example#log"
        self.public_key = self._key.public_key().public_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        return self._key.sign(message)


class Killed(BaseException):
    """The process died here. No `except Exception` may catch it."""


class MemoryTiles:
    """Files in a dict, written one by one; `before` is called before each step and may raise `Killed`."""

    def __init__(self, before: Callable[[str], None]) -> None:
        self.files: dict[str, bytes] = {}
        self._before = before

    def get(self, path: str) -> bytes | None:
        return self.files.get(path)

    def put(self, files: Mapping[str, bytes]) -> None:
        for path, data in files.items():
            self._before(f"put {path}")
            if self.files.get(path, data) != data:
                raise UnsoundLog(f"{path} differs")
            self.files[path] = data
        self._before("put done")

    def published(self) -> str | None:
        data = self.files.get("checkpoint")
        return None if data is None else data.decode()

    def publish(self, checkpoint: str) -> None:
        self._before("publish")
        public = self.published()
        if public is None or read_checkpoint(public).size <= read_checkpoint(checkpoint).size:
            self.files["checkpoint"] = checkpoint.encode()
        self._before("publish done")


class MemoryStore:
    """A `LogStore` in memory. `kill_at` counts steps; at that one, and not again, the process dies."""

    def __init__(self) -> None:
        self.tiles = MemoryTiles(self._step)
        self.rows: dict[str, Entry] = {}
        self.text: str | None = None
        self.signed_texts: list[str] = []
        self.steps: list[str] = []
        self.kill_at: int | None = None
        self.meanwhile: Callable[[str], None] = lambda step: None

    def _step(self, name: str) -> None:
        self.steps.append(name)
        self.meanwhile(name)
        if self.kill_at is not None and len(self.steps) > self.kill_at:
            self.kill_at = None
            raise Killed(name)

    def append(self, leaf: bytes) -> str:
        key = str(len(self.rows))
        self.rows[key] = Entry(key, leaf)
        return key

    def waiting(self) -> Sequence[Entry]:
        self._step("waiting")
        return [row for row in self.rows.values() if row.index is None]

    def assign(self, first: int, keys: Sequence[str]) -> bool:
        self._step("assign")
        taken = sum(row.index is not None for row in self.rows.values())
        if taken != first or any(self.rows[key].index is not None for key in keys):
            return False
        for index, key in enumerate(keys, first):
            self.rows[key] = Entry(key, self.rows[key].leaf, index)
        self._step("assign done")
        return True

    def assigned(self, start: int, limit: int) -> Sequence[Entry]:
        self._step("assigned")
        rows = [row for row in self.rows.values() if row.index is not None and row.index >= start]
        return sorted(rows, key=lambda row: row.index or 0)[:limit]

    def signed(self) -> str | None:
        self._step("signed")
        return self.text

    def advance(self, expected: str | None, sign: Callable[[], str]) -> str | None:
        self._step("advance")
        if self.text != expected:
            return None
        text = sign()
        self._step("advance signed")  # killed here, the signature never leaves the process
        self.text = text
        self.signed_texts.append(text)
        self._step("advance done")
        return text


def naive_root(leaves: Sequence[bytes]) -> bytes:
    """MTH of RFC 6962, section 2.1, word by word: what ours is held against."""
    if not leaves:
        return EMPTY_ROOT
    if len(leaves) == 1:
        return leaf_hash(leaves[0])
    k = _split(len(leaves))
    return node_hash(naive_root(leaves[:k]), naive_root(leaves[k:]))


def naive_path(m: int, leaves: Sequence[bytes]) -> list[bytes]:
    """PATH(m, D[n]) of RFC 6962, section 2.1.1."""
    if len(leaves) == 1:
        return []
    k = _split(len(leaves))
    if m < k:
        return [*naive_path(m, leaves[:k]), naive_root(leaves[k:])]
    return [*naive_path(m - k, leaves[k:]), naive_root(leaves[:k])]


def naive_proof(m: int, leaves: Sequence[bytes], whole: bool = True) -> list[bytes]:
    """PROOF(m, D[n]) of RFC 6962, section 2.1.2, as SUBPROOF(m, D[n], true)."""
    if m == len(leaves):
        return [] if whole else [naive_root(leaves)]
    k = _split(len(leaves))
    if m <= k:
        return [*naive_proof(m, leaves[:k], whole), naive_root(leaves[k:])]
    return [*naive_proof(m - k, leaves[k:], False), naive_root(leaves[:k])]


def _split(n: int) -> int:
    k = 1
    while k * 2 < n:
        k *= 2
    return k
