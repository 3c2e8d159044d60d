"""Credentials inside badge images: PNG and SVG, put in and taken out.

Source: 1EdTech Open Badges 3.0, "Open Badges Document Formats", section Baked Badge. In a PNG the credential
is the uncompressed text of one `iTXt` chunk with the keyword `openbadgecredential`; in an SVG it is the CDATA
(or, for a compact JWS, the attribute `verify`) of one `<openbadges:credential>` directly under `<svg>`.

A badge of version 2 (keyword `openbadges`, element `<openbadges:assertion>` of http://openbadges.org; Open Badges
2.0, "Badge Baking") is taken out too, if there is no credential of version 3; none is put in.

Images come from strangers. Sizes are bounded, chunks are read without decompressing anything, an SVG that
declares an entity is refused, and the credential that comes out is byte for byte the one that went in.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NoReturn
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

from guildmark.core.errors import BrokenInput

MAX_IMAGE, MAX_CREDENTIAL = 10_000_000, 2_000_000
"""Bytes. A badge image is tens of kilobytes, a credential with endorsements some tens more."""

MOST_CHUNKS = 20_000
"""Chunks of a PNG. One of MAX_IMAGE bytes, written as libpng does, has 1,300."""

MOST_MARKUP = 50_000
"""Characters `<` and `=` of an SVG together: an element or an attribute each, and about a microsecond of work."""

MOST_HELD = 20
"""Credentials in one SVG that are read, if only to be replaced."""

KEYWORD = b"openbadgecredential"
NAMESPACE = "https://purl.imsglobal.org/ob/v3p0"
_OLD_KEYWORD, _OLD_NAMESPACE = b"openbadges", "http://openbadges.org"

_PNG = b"\x89PNG\r\n\x1a\n"
_JWS = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]+")


def media_type(image: bytes) -> str:
    """`image/png`, `image/svg+xml`, or "" for anything else; only the beginning is looked at."""
    if image.startswith(_PNG):
        return "image/png"
    start = image[:4096].lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith((b"<svg", b"<?xml", b"<!--", b"<!DOCTYPE svg")) and b"<svg" in image[:65_536]:
        return "image/svg+xml"
    return ""


def bake(image: bytes, credential: bytes, *, overwrite: bool = False) -> bytes:
    """The image with the credential (JSON or a compact JWS, UTF-8) inside; `extract` gives the same bytes
    back.

    BrokenInput if the image is no PNG or SVG, is damaged or too large, or already carries a credential and
    `overwrite` is not set (then the old one is replaced).
    """
    _bounded(image, credential)
    _text(credential)
    match media_type(image):
        case "image/png":
            return _bake_png(image, credential, overwrite)
        case "image/svg+xml":
            return _bake_svg(image, credential, overwrite)
        case _:
            raise BrokenInput("is neither a PNG nor an SVG image", where="image", hint="bake into a PNG or SVG file")


def extract(image: bytes) -> bytes:
    """The credential in a baked PNG or SVG, byte for byte; the assertion, if it is a badge of version 2.

    BrokenInput if there is none, if the image is damaged, or if it holds more than one, since then nobody
    could say which one is shown.
    """
    _bounded(image, b"")
    match media_type(image):
        case "image/png":
            return _extract_png(image)
        case "image/svg+xml":
            return _extract_svg(image)
        case _:
            raise BrokenInput(
                "is neither a PNG nor an SVG image", where="image", hint="choose the badge's PNG or SVG file"
            )


def _bounded(image: bytes, credential: bytes) -> None:
    if len(image) > MAX_IMAGE:
        raise BrokenInput(f"is larger than {MAX_IMAGE:,} bytes", where="image", hint="use a smaller image")
    if len(credential) > MAX_CREDENTIAL:
        raise BrokenInput(f"is larger than {MAX_CREDENTIAL:,} bytes", where="credential")


def _text(credential: bytes) -> str:
    try:
        text = credential.decode("utf-8")
    except UnicodeDecodeError as problem:
        raise BrokenInput("is not UTF-8 text", where="credential", hint="bake the signed document itself") from problem
    if not text.strip() or "\0" in text:
        raise BrokenInput("is empty or has a NUL character", where="credential", hint="bake the signed document itself")
    return text


# --- PNG (W3C Portable Network Graphics, sections 5 and 11.3.3.4) ---


def _chunks(image: bytes) -> Iterator[tuple[bytes, int, int]]:
    """(type, start, end) of each chunk up to IEND; BrokenInput where the file is cut off or damaged.

    Its data lie from `start` + 8 to `end` - 4. Nothing is copied: the checksums are most of the work.
    """
    position, count, view, size = len(_PNG), 0, memoryview(image), len(image)
    while position < size:
        count += 1
        if count > MOST_CHUNKS:
            raise BrokenInput(f"has more than {MOST_CHUNKS:,} chunks", where="image", hint="save it again as PNG")
        if position + 12 > size:
            raise BrokenInput("ends in the middle of a chunk", where="image", hint="copy the whole file again")
        kind, end = image[position + 4 : position + 8], position + 12 + _NUMBER(image, position)[0]
        if end > size:
            raise BrokenInput("ends in the middle of a chunk", where="image", hint="copy the whole file again")
        if zlib.crc32(view[position + 4 : end - 4]) != _NUMBER(image, end - 4)[0]:
            raise BrokenInput(
                f"chunk {kind.decode('latin-1')!r} is damaged (its checksum is wrong)",
                where="image",
                hint="copy it again",
            )
        if position == len(_PNG) and kind != b"IHDR":
            raise BrokenInput("does not begin with an image header", where="image", hint="is it a PNG file?")
        yield kind, position, end
        if kind == b"IEND":
            return
        position = end
    raise BrokenInput("has no end chunk", where="image", hint="copy the whole file again")


_NUMBER = struct.Struct(">I").unpack_from
_TEXTS = frozenset((b"iTXt", b"tEXt", b"zTXt"))


def _keyword(image: bytes, kind: bytes, start: int, end: int) -> bytes:
    """The keyword of a chunk of text, as far as it matters here; b"" for another chunk."""
    if kind not in _TEXTS:
        return b""
    keyword, nul, _ = image[start + 8 : min(end - 4, start + 9 + len(KEYWORD))].partition(b"\0")
    return keyword if nul else b""


_BEGINNING = b"iTXt" + KEYWORD + b"\0\0\0\0\0"
"""Of the chunk: no compression, no language, no translated keyword."""

_CRC_OF_BEGINNING = zlib.crc32(_BEGINNING)


@dataclass(frozen=True, slots=True)
class _Layout:
    """What `_bake_png` asks of an image: the parts of it before and after the new chunk, and whether one goes."""

    before: memoryview
    after: tuple[memoryview, ...]
    baked: bool


_REMEMBERED = 1_000_000
"""Bytes that the image may have whose layout is kept for the next credential."""

_last: list[tuple[bytes, _Layout]] = []
"""The last image and its layout: one image is baked for everybody who earned the badge, and is read once for them."""


def _layout(image: bytes) -> _Layout:
    """BrokenInput for a PNG that is cut off or damaged."""
    for same, layout in _last:
        if same is image:  # bytes do not change
            return layout
    view, after, kept, end = memoryview(image), list[memoryview](), 0, 0
    for kind, start, end in _chunks(image):
        if kind == b"IHDR" and kept == 0:
            kept = end
        elif _keyword(image, kind, start, end) == KEYWORD:
            after.append(view[kept:start])
            kept = end
    first = 8 + 12 + _NUMBER(image, 8)[0]
    found = _Layout(view[:first], (*after, view[kept:end]), bool(after))
    if len(image) <= _REMEMBERED:
        _last[:] = [(image, found)]
    return found


def _bake_png(image: bytes, credential: bytes, overwrite: bool) -> bytes:
    layout = _layout(image)
    if layout.baked and not overwrite:
        raise _already()
    length = struct.pack(">I", len(_BEGINNING) - 4 + len(credential))
    crc = struct.pack(">I", zlib.crc32(credential, _CRC_OF_BEGINNING))
    return b"".join((layout.before, length + _BEGINNING, credential, crc, *layout.after))


def _extract_png(image: bytes) -> bytes:
    found: list[tuple[bytes, bytes]] = []
    old: list[tuple[bytes, bytes]] = []
    for kind, start, end in _chunks(image):
        keyword = _keyword(image, kind, start, end)
        if keyword == KEYWORD:
            found.append((kind, image[start + 8 : end - 4]))
        elif keyword == _OLD_KEYWORD and kind != b"zTXt":
            old.append((kind, image[start + 8 : end - 4]))
    if not found and not old:
        raise _nothing()
    if len(found or old) > 1:
        raise BrokenInput("carries more than one credential", where="image", hint="ask the issuer for a clean copy")
    kind, data = (found or old)[0]
    rest = data.partition(b"\0")[2]
    if not found and kind == b"tEXt":  # as the first tools of version 1 did
        return _checked(rest)
    if kind != b"iTXt" or len(rest) < 4:
        raise BrokenInput(
            "the credential is not in an iTXt chunk", where="image", hint="ask the issuer for a clean copy"
        )
    if rest[0] != 0:
        raise BrokenInput("the credential is compressed, which Open Badges 3.0 forbids", where="image")
    parts = rest[2:].split(b"\0", 2)
    if len(parts) != 3:
        raise BrokenInput("the credential's chunk is malformed", where="image", hint="ask the issuer for a clean copy")
    return _checked(parts[2])


# --- SVG ---

_OPENING = re.compile(rb"""<[^\s/>]+(?:[^<>"']|"[^"]*"|'[^']*')*>""")
_CREDENTIAL, _OLD_ASSERTION = f"{NAMESPACE} credential", f"{_OLD_NAMESPACE} assertion"


class _Refused(Exception):
    """Something that lets a document grow while it is read, or fetches from elsewhere; the message says what."""


@dataclass(slots=True)
class _Held:
    """A credential in an SVG: its element, the attribute `verify`, the text inside, and where it stands in bytes."""

    element: str
    verify: str | None
    start: int
    end: int = 0
    texts: list[str] = field(default_factory=list)
    outermost: bool = True

    @property
    def text(self) -> str:
        return "".join(self.texts) if self.verify is None else self.verify


class _Reader:
    """One pass over an SVG, which builds no tree: the byte offset of its `<svg`, and the credentials in it."""

    def __init__(self, image: bytes) -> None:
        self.image, self.root, self.held = image, -1, list[_Held]()
        self._open: list[_Held] = []
        self._parser = parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.StartElementHandler, parser.EndElementHandler = self._start, self._end
        parser.EntityDeclHandler = parser.UnparsedEntityDeclHandler = _refusing("an entity")
        parser.SkippedEntityHandler = _refusing("an entity")
        parser.ExternalEntityRefHandler = _refusing("an entity")
        parser.AttlistDeclHandler = _refusing("attributes")  # each default would be added to each element
        parser.Parse(image, True)

    def _start(self, name: str, attributes: Mapping[str, str]) -> None:
        if self.root < 0:
            self.root = self._parser.CurrentByteIndex
            if name.rpartition(" ")[2] != "svg":
                raise BrokenInput("its outermost element is not <svg>", where="image")
        if name in (_CREDENTIAL, _OLD_ASSERTION):
            if len(self.held) >= MOST_HELD:
                raise BrokenInput(f"carries more than {MOST_HELD} credentials", where="image")
            outermost = not any(held.element == name for held in self._open)
            held = _Held(name, attributes.get("verify"), self._parser.CurrentByteIndex, outermost=outermost)
            self.held.append(held)
            self._open.append(held)
            self._parser.CharacterDataHandler = self._text

    def _text(self, text: str) -> None:
        for held in self._open:
            held.texts.append(text)

    def _end(self, name: str) -> None:
        if self._open and name == self._open[-1].element:
            held = self._open.pop()
            tag = _OPENING.match(self.image, held.start)
            alone = tag is not None and tag[0].endswith(b"/>")
            at = self._parser.CurrentByteIndex
            held.end = tag.end() if tag and alone else self.image.index(b">", at) + 1
            if not self._open:
                self._parser.CharacterDataHandler = None


def _refusing(what: str) -> Callable[..., NoReturn]:
    def refuse(*_: object) -> NoReturn:
        raise _Refused(what)

    return refuse


def _read_svg(image: bytes) -> _Reader:
    """The SVG, read; BrokenInput if it is malformed, made to grow while it is read, or of too many parts."""
    if image.count(b"<") + image.count(b"=") > MOST_MARKUP:
        what = f"has more than {MOST_MARKUP:,} elements and attributes"
        raise BrokenInput(what, where="image", hint="simplify the drawing, or use a PNG")
    try:
        return _Reader(image)
    except _Refused as problem:
        raise BrokenInput(
            f"declares {problem}, which is not read", where="image", hint="save it without one"
        ) from problem
    except (expat.ExpatError, ValueError, LookupError) as problem:
        raise BrokenInput(
            f"is not well-formed SVG ({problem})", where="image", hint="save it again as SVG"
        ) from problem


def _bake_svg(image: bytes, credential: bytes, overwrite: bool) -> bytes:
    found = _read_svg(image)
    held = [held for held in found.held if held.element == _CREDENTIAL and held.outermost]
    if held:
        if not overwrite:
            raise _already()
        for one in reversed(held):
            image = image[: one.start] + image[one.end :]
        found = _read_svg(image)
    root = found.root
    tag = _OPENING.match(image, root)
    if tag is None or not tag[0].startswith((b"<svg ", b"<svg>", b"<svg/", b"<svg\n", b"<svg\r", b"<svg\t")):
        raise BrokenInput("its <svg> has a prefix or is not UTF-8", where="image", hint="save it again as plain SVG")
    opening, inside = tag[0], _element(_text(credential))
    alone = opening.endswith(b"/>")
    namespace = b"" if b"xmlns:openbadges" in opening else f' xmlns:openbadges="{NAMESPACE}"'.encode()
    opening = opening[: -2 if alone else -1] + namespace + b">"
    baked = image[:root] + opening + inside + (b"</svg>" if alone else b"") + image[tag.end() :]
    if not _comes_out(baked, credential):
        raise BrokenInput("the credential would not come out of this SVG unchanged", where="image", hint="use a PNG")
    return baked


def _comes_out(baked: bytes, credential: bytes) -> bool:
    try:
        return _extract_svg(baked) == credential
    except BrokenInput:
        return False


def _element(text: str) -> bytes:
    if _JWS.fullmatch(text):
        return f"<openbadges:credential verify={quoteattr(text)}/>".encode()
    if "]]>" in text or "\r" in text:  # a CDATA section cannot hold the one and turns the other into a line feed
        body = escape(text, {"\r": "&#13;"})
    else:
        body = f"<![CDATA[{text}]]>"
    return f"<openbadges:credential>{body}</openbadges:credential>".encode()


def _extract_svg(image: bytes) -> bytes:
    every = _read_svg(image).held
    found = [held for held in every if held.element == _CREDENTIAL] or every
    if not found:
        raise _nothing()
    if len(found) > 1:
        raise BrokenInput("carries more than one credential", where="image", hint="ask the issuer for a clean copy")
    return _checked(found[0].text.encode("utf-8"))


def _checked(credential: bytes) -> bytes:
    if len(credential) > MAX_CREDENTIAL:
        raise BrokenInput(f"the credential is larger than {MAX_CREDENTIAL:,} bytes", where="image")
    _text(credential)
    return credential


def _already() -> BrokenInput:
    return BrokenInput("already carries a credential", where="image", hint="take the clean image, or overwrite it")


def _nothing() -> BrokenInput:
    return BrokenInput("carries no credential", where="image", hint="choose the badge file that the issuer sent")
