"""Tiles and entry bundles (C2SP tlog-tiles): the log as immutable files that any web server or mirror can
serve.

A tile is 256 hashes wide and 8 levels high: `tile/<L>/<N>` holds the roots of the complete subtrees of 256**L
leaves number 256*N onwards; `tile/entries/<N>` holds the entries themselves, each after its length as uint16.
The rightmost tile of a level is partial and its name ends in `.p/<width>`. Everything else in a log follows
from these files and the checkpoint.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from guildmark.core.errors import BrokenInput
from guildmark.ledger.merkle import (
    HASH_SIZE,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    range_root,
    root_of,
)

WIDTH = 256
MAX_ENTRY = 0xFFFF
"""Bytes of one entry, what its uint16 length can say."""

Level = int | Literal["entries"]


_MOST_NODES = 200_000
"""Hashes between the levels of tiles that are kept while a log is read: some 30 MB."""


class TileReader(Protocol):
    """Reads a file of the log by its path below the log's address; None if there is none."""

    def get(self, path: str) -> bytes | None: ...


class MissingTile(BrokenInput):
    """A file that the log must have for its size is not there, or has the wrong length."""


def tile_path(level: Level, index: int, width: int = WIDTH) -> str:
    """The path of a tile or bundle: `tile/0/x001/x234/067`, with `.p/<width>` when it is partial."""
    digits = f"{index:03d}"
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[i : i + 3] for i in range(0, len(digits), 3)]
    name = "/".join([f"x{group}" for group in groups[:-1]] + groups[-1:])
    return f"tile/{level}/{name}" + (f".p/{width}" if width < WIDTH else "")


def tile_width(level: Level, index: int, size: int) -> int:
    """How many hashes or entries a tile has in a log of `size`: 256, fewer at the edge, 0 beyond it."""
    total = size if level == "entries" else size >> 8 * level
    return max(0, min(WIDTH, total - WIDTH * index))


def tile_names(size: int) -> Iterator[tuple[Level, int, int]]:
    """(level, index, width) of every bundle and tile of a log of `size` entries."""
    for index in range(-(-size // WIDTH)):
        yield "entries", index, tile_width("entries", index, size)
    level = 0
    while size >> 8 * level:
        for index in range(-(-(size >> 8 * level) // WIDTH)):
            yield level, index, tile_width(level, index, size)
        level += 1


def write_bundle(entries: Sequence[bytes]) -> bytes:
    """Entries, each after its length as a big-endian uint16."""
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def read_bundle(data: bytes, *, where: str = "entry bundle") -> tuple[bytes, ...]:
    """The entries of a bundle; BrokenInput if it ends within one."""
    entries: list[bytes] = []
    position = 0
    while position < len(data):
        start = position + 2
        position = start + int.from_bytes(data[position:start], "big")
        if start > len(data) or position > len(data):
            raise BrokenInput(f"ends within entry {len(entries)}", where=where, hint="copy it from a mirror again")
        entries.append(data[start:position])
    return tuple(entries)


class TileTree:
    """A log of a given size, read from its tiles; each tile is read once and kept."""

    def __init__(self, reader: TileReader, size: int) -> None:
        self._reader = reader
        self.size = size
        self._read: dict[tuple[int, int], tuple[bytes, ...]] = {}
        self._nodes: dict[tuple[int, int], bytes] = {}

    def tile(self, level: int, index: int) -> tuple[bytes, ...]:
        """The hashes of a tile at this size; MissingTile if it is not there or has the wrong length."""
        if (level, index) not in self._read:
            width = tile_width(level, index, self.size)
            path, data = self._file(level, index, width)
            if len(data) < width * HASH_SIZE or len(data) % HASH_SIZE:
                raise MissingTile(f"has {len(data)} bytes instead of {width * HASH_SIZE}", where=path, hint=_REPAIR)
            self._read[level, index] = tuple(data[i : i + HASH_SIZE] for i in range(0, width * HASH_SIZE, HASH_SIZE))
        return self._read[level, index]

    def bundle(self, index: int) -> tuple[bytes, ...]:
        """The entries of bundle `index` at this size; MissingTile or BrokenInput if they cannot be read."""
        width = tile_width("entries", index, self.size)
        path, data = self._file("entries", index, width)
        entries = read_bundle(data, where=path)
        if len(entries) < width:
            raise MissingTile(f"has {len(entries)} entries instead of {width}", where=path, hint=_REPAIR)
        return entries[:width]

    def _file(self, level: Level, index: int, width: int) -> tuple[str, bytes]:
        """A partial tile may have been deleted once the full one was there, so that one will do as well."""
        if width == 0:
            raise MissingTile(f"a log of {self.size} entries has no {tile_path(level, index)}", where="tiles")
        path = tile_path(level, index, width)
        data = self._reader.get(path)
        if data is None and width < WIDTH:
            path = tile_path(level, index)
            data = self._reader.get(path)
        if data is None:
            raise MissingTile("is missing", where=tile_path(level, index, width), hint=_REPAIR)
        return path, data

    def node(self, level: int, index: int) -> bytes:
        """The hash of the complete subtree at (level, index), which lies within one tile; each is computed once."""
        if level % 8 == 0:
            return self.tile(level // 8, index // WIDTH)[index % WIDTH]
        found = self._nodes.get((level, index))
        if found is None:
            found = node_hash(self.node(level - 1, 2 * index), self.node(level - 1, 2 * index + 1))
            if len(self._nodes) >= _MOST_NODES:
                self._nodes.clear()
            self._nodes[level, index] = found
        return found

    def root(self) -> bytes:
        """The root, from the rightmost tile of each level alone."""
        return range_root(0, self.size, self.node)

    def inclusion(self, index: int) -> tuple[bytes, ...]:
        """The inclusion proof of entry `index`."""
        return inclusion_proof(index, self.size, self.node)

    def consistency(self, old: int) -> tuple[bytes, ...]:
        """The proof that this log extends the one that had `old` entries."""
        return consistency_proof(old, self.size, self.node)


_REPAIR = "copy it from a mirror or a backup"


@dataclass(frozen=True, slots=True)
class Growth:
    """A log grown by some entries: its size, its root, and every file that it needs beyond those it had."""

    size: int
    root: bytes
    files: Mapping[str, bytes]


def grow(reader: TileReader, size: int, entries: Sequence[bytes]) -> Growth:
    """The log of `size` entries with `entries` added. Reads the right edge only; writes nothing.

    The same log and entries give the same bytes under the same names, always: this is what makes publishing
    again after a crash safe. Holds the new files in memory, about 100 bytes an entry beyond the entries
    themselves.
    """
    for entry in entries:
        if len(entry) > MAX_ENTRY:
            raise BrokenInput(f"an entry of {len(entry):,} bytes is longer than {MAX_ENTRY:,}", where="log entry")
    tree = TileTree(reader, size)
    files: dict[str, bytes] = {}
    bundle = list(tree.bundle(size // WIDTH)) if size % WIDTH else []
    if bundle and tuple(map(leaf_hash, bundle)) != tree.tile(0, size // WIDTH):
        # its entries are copied into the next, larger bundle: damage must not travel with them
        path = tile_path("entries", size // WIDTH, len(bundle))
        raise BrokenInput("holds an entry that does not hash to its place", where=path, hint=_REPAIR)
    _fill("entries", size // WIDTH, bundle, entries, files)
    level, new = 0, [leaf_hash(entry) for entry in entries]
    while new:
        had = size >> 8 * level
        hashes = list(tree.tile(level, had // WIDTH)) if had % WIDTH else []
        full = _fill(level, had // WIDTH, hashes, new, files)
        level, new = level + 1, [root_of(tile) for tile in full]
    grown = TileTree(_Over(files, reader), size + len(entries))
    return Growth(grown.size, grown.root(), files)


def _fill(
    level: Level, first: int, have: list[bytes], new: Sequence[bytes], files: dict[str, bytes]
) -> list[Sequence[bytes]]:
    """Add tiles from number `first` on, holding `have` and then `new`, to `files`; return the full ones."""
    values = [*have, *new]
    full: list[Sequence[bytes]] = []
    write = write_bundle if level == "entries" else b"".join
    for number in range(-(-len(values) // WIDTH)):
        part = values[number * WIDTH : (number + 1) * WIDTH]
        files[tile_path(level, first + number, len(part))] = write(part)
        if len(part) == WIDTH:
            full.append(part)
    return full


@dataclass(frozen=True, slots=True)
class _Over:
    """New files laid over those of the log, so that the grown tree can be read before anything is written."""

    files: Mapping[str, bytes]
    below: TileReader

    def get(self, path: str) -> bytes | None:
        found = self.files.get(path)
        return self.below.get(path) if found is None else found
