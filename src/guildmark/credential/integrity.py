"""Whether bytes that lie elsewhere are the ones whose digest was signed.

Source: VC Data Model 2.0, 5.3 Integrity of Related Resources: `digestSRI` (Subresource Integrity) and
`digestMultibase` (a multihash).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote_to_bytes

from guildmark.core.codecs import multibase_decode
from guildmark.core.errors import BrokenInput


def digest_holds(entry: Mapping[str, Any], body: bytes) -> bool | None:
    """Whether the bytes have every digest that the entry tells; None if it tells none, or one that cannot be read,
    since nobody knows what it would have said.
    """
    digests = _digests(entry)
    if not digests:
        return None
    return all(hashlib.new(name, body).digest() in expected for name, expected in digests)


def tells_digest(entry: Mapping[str, Any]) -> bool:
    """Whether the entry tells a digest, and each that it tells can be read."""
    return bool(_digests(entry))


def _digests(entry: Mapping[str, Any]) -> list[tuple[str, list[bytes]]]:
    """(hash name, digests of which one must fit) for each way in which the entry tells its digest; [] if one of
    them cannot be read, since nobody knows what it would have said.
    """
    readers = (("digestSRI", _sri), ("digestMultibase", _multihash))
    found = [read(entry[member]) for member, read in readers if member in entry]
    return [digest for digest in found if digest is not None] if None not in found else []


def _sri(value: Any) -> tuple[str, list[bytes]] | None:
    """The strongest hash that a Subresource Integrity text has, and each digest it gives for that."""
    parts = [part.partition("-") for part in value.split()] if isinstance(value, str) else []
    for name in ("sha512", "sha384", "sha256"):
        texts = [text.partition("?")[0] for given, _, text in parts if given == name]
        if texts:
            try:
                return name, [base64.b64decode(text, validate=True) for text in texts]
            except ValueError:
                return None
    return None


_MULTIHASHES = {b"\x12\x20": "sha256", b"\x20\x30": "sha384", b"\x13\x40": "sha512"}
"""Multihash prefixes: the code of the hash and the length of its digest."""


def _multihash(value: Any) -> tuple[str, list[bytes]] | None:
    try:
        data = multibase_decode(value) if isinstance(value, str) else b""
    except BrokenInput:
        return None
    name = _MULTIHASHES.get(data[:2])
    return (name, [data[2:]]) if name is not None else None


MOST_ESCAPES = 100_000
"""`%` in a data: URL that are read; what is longer is written in base64."""


def inside_data_url(url: str) -> bytes:
    """The bytes that a data: URL holds (RFC 2397); BrokenInput if it is none, or would take long to read."""
    head, comma, text = url.partition(",")
    if not head.lower().startswith("data:") or not comma:
        raise BrokenInput("is not a data: URL")
    if text.count("%") > MOST_ESCAPES:
        raise BrokenInput(f"has more than {MOST_ESCAPES:,} escapes")
    data = unquote_to_bytes(text)
    if not head.lower().endswith(";base64"):
        return data
    try:
        return base64.b64decode(data, validate=True)
    except binascii.Error as problem:
        raise BrokenInput("is not base64") from problem
