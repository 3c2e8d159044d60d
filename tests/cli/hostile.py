"""Files that nobody should be able to hurt us with, by name."""

from __future__ import annotations

import gzip
import random
import struct
import zlib
from pathlib import Path

PNG = b"\x89PNG\r\n\x1a\n"
SVG = '<svg xmlns="http://www.w3.org/2000/svg">'


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


_HEAD = _chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
_NOISE = random.Random(7).randbytes(4000)  # the same noise in every run
_LAUGHS = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10 if n else "lol"}">' for n in range(10))

FILES: dict[str, bytes] = {
    "empty": b"",
    "blank": b" \n\n",
    "only-a-bom": b"\xef\xbb\xbf",
    "utf16.json": '{"a": 1}'.encode("utf-16"),
    "noise": _NOISE,
    "zeros": bytes(4000),
    "list.json": b"[]",
    "list-of-anything.json": b'[1, null, "x", {}, []]',
    "number.json": b"7",
    "null.json": b"null",
    "object.json": b"{}",
    "endless-lists.json": b"[" * 100_000,
    "endless-objects.json": b'{"a":' * 5000 + b"1" + b"}" * 5000,
    "twins.json": b'{"a": 1, "a": 2}',
    "too-many-digits.json": b'{"a": ' + b"9" * 10_000 + b"}",
    "infinite.json": b'{"a": 1e999}',
    "not-a-number.json": b'{"a": NaN}',
    "half-a-letter.json": b'{"a": "\\ud800"}',
    "cut-off.json": b'{"a": [1, 2',
    "crlf.json": b'{\r\n"a": 1\r\n}\r\n',
    "strange.json": b'{"@context": {"a": "b"}, "type": 5, "issuer": {"id": 5}, "proof": [[]], "name": [1]}',
    "cut-off.csv.gz": gzip.compress(b"id,text\n1,SQL\n" + _NOISE)[:300],
    "no-gzip.csv.gz": b"id,text\n1,SQL\n",
    "other-columns.csv": b"a,b\n1,2\n",
    "latin-1.csv": "id,text\n1,Größe\n".encode("latin-1"),
    "cut-off.png": PNG + _HEAD[:10],
    "damaged.png": PNG + _HEAD[:-1] + b"x" + _chunk(b"IEND", b""),
    "no-credential.png": PNG + _HEAD + _chunk(b"IDAT", zlib.compress(b"\0\0")) + _chunk(b"IEND", b""),
    "huge-length.png": PNG + b"\xff\xff\xff\xffIHDR",
    "bomb.png": PNG
    + _HEAD
    + _chunk(b"iTXt", b"openbadgecredential\0\1\0\0\0" + zlib.compress(bytes(60_000_000), 9))
    + _chunk(b"IEND", b""),
    "cut-off.svg": SVG[:-1].encode(),
    "laughs.svg": f'<?xml version="1.0"?><!DOCTYPE x [{_LAUGHS}]>{SVG}&a9;</svg>'.encode(),
    "other-file.svg": f'<!DOCTYPE x [<!ENTITY x SYSTEM "file:///etc/passwd">]>{SVG}&x;</svg>'.encode(),
    "deep.svg": (SVG + "<g>" * 50_000).encode(),
    "broken.toml": b"a = ",
    "endless.toml": b"a = " + b"[" * 100_000,
    "digits.toml": b"a = " + b"9" * 6000,
}


def lay_out(folder: Path) -> Path:
    """All of them in a folder, with a folder among them that stands where a file should."""
    folder.mkdir()
    for name, body in FILES.items():
        (folder / name).write_bytes(body)
    (folder / "a-folder").mkdir()
    return folder


NAMES = (*FILES, "a-folder", "missing")
