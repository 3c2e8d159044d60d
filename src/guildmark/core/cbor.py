"""CBOR as far as proofs use it (RFC 8949): whole numbers, bytes, text, lists and maps.

What is written is deterministic (section 4.2.1): shortest heads, known lengths, keys in the order of their bytes.
What is read may have its keys in another order, since not every library sorts them; all else that is not
deterministic, and tags, floats and simple values, are refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from guildmark.core.errors import BrokenInput

DEEPEST = 8
"""Levels of lists and maps; a proof has two."""

MOST_ITEMS = 10_000
"""Values that are read, at some microsecond each; a proof over a thousand statements has 4,000."""


def encode(value: Any) -> bytes:
    """The deterministic CBOR of whole numbers below 2**64, bytes, text, lists and maps of these; TypeError for
    anything else.
    """
    match value:
        case bool():
            pass
        case int() if 0 <= value < 2**64:
            return _head(0, value)
        case int() if -(2**64) <= value < 0:
            return _head(1, -1 - value)
        case bytes():
            return _head(2, len(value)) + value
        case str():
            text = value.encode("utf-8")
            return _head(3, len(text)) + text
        case Mapping():
            entries = sorted((encode(key), encode(child)) for key, child in value.items())
            return _head(5, len(entries)) + b"".join(key + child for key, child in entries)
        case Sequence():
            return _head(4, len(value)) + b"".join(encode(child) for child in value)
    raise TypeError(f"CBOR is not written for {type(value).__name__}")


def _head(kind: int, number: int) -> bytes:
    if number < 24:
        return bytes([kind << 5 | number])
    size = 1 if number < 2**8 else 2 if number < 2**16 else 4 if number < 2**32 else 8
    return bytes([kind << 5 | {1: 24, 2: 25, 4: 26, 8: 27}[size]]) + number.to_bytes(size)


def decode(data: bytes) -> Any:
    """The value in `data`, which must be one and nothing after it.

    BrokenInput for what ends early, a number written longer than needed, an unknown length, a key that stands
    twice, a key that is a list or map, more than `DEEPEST` levels or `MOST_ITEMS` values, tags, floats and simple
    values.
    """
    reader = _Reader(data)
    value = reader.value(0)
    if reader.at != len(data):
        raise BrokenInput(f"{len(data) - reader.at} bytes follow the CBOR value")
    return value


class _Reader:
    """Where reading is, and how many values were read."""

    __slots__ = ("at", "count", "data")

    def __init__(self, data: bytes) -> None:
        self.data, self.at, self.count = data, 0, 0

    def value(self, depth: int) -> Any:
        self.count += 1
        if depth > DEEPEST:
            raise BrokenInput(f"CBOR nests deeper than {DEEPEST} levels")
        if self.count > MOST_ITEMS:
            raise BrokenInput(f"CBOR has more than {MOST_ITEMS:,} values")
        kind, number = self.head()
        match kind:
            case 0:
                return number
            case 1:
                return -1 - number
            case 2:
                return self.take(number)
            case 3:
                try:
                    return self.take(number).decode("utf-8")
                except UnicodeDecodeError as problem:
                    raise BrokenInput("a CBOR text is not UTF-8") from problem
            case 4:
                return [self.value(depth + 1) for _ in range(number)]
            case 5:
                return self.map(number, depth)
        raise BrokenInput("a CBOR tag, float or simple value stands where none belongs")

    def map(self, size: int, depth: int) -> dict[Any, Any]:
        entries: dict[Any, Any] = {}
        for _ in range(size):
            key = self.value(depth + 1)
            if not isinstance(key, (int, bytes, str)):
                raise BrokenInput("a CBOR key is a list or a map")
            if key in entries:
                raise BrokenInput("a CBOR key stands twice")
            entries[key] = self.value(depth + 1)
        return entries

    def take(self, size: int) -> bytes:
        piece = self.data[self.at : self.at + size]
        if len(piece) != size:
            raise BrokenInput("CBOR ends too early")
        self.at += size
        return piece

    def head(self) -> tuple[int, int]:
        """(kind, number)."""
        first = self.take(1)[0]
        kind, short = first >> 5, first & 31
        if short < 24:
            return kind, short
        if short > 27:
            raise BrokenInput("a CBOR length is not known beforehand")
        size = 1 << (short - 24)
        number = int.from_bytes(self.take(size))
        if number < (24 if size == 1 else 1 << (size * 4)):
            raise BrokenInput("a CBOR number is written longer than it has to be")
        return kind, number
