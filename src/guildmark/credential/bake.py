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
from collections.abc import Iterator
from xml.etree.ElementTree import Element, ParseError
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

from defusedxml import ElementTree, common

from guildmark.core.errors import BrokenInput

MAX_IMAGE, MAX_CREDENTIAL = 10_000_000, 2_000_000
"""Bytes. A badge image is tens of kilobytes, a credential with endorsements some tens more."""

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


def _chunks(image: bytes) -> Iterator[tuple[bytes, bytes, int, int]]:
    """(type, data, start, end) of each chunk up to IEND; BrokenInput where the file is cut off or damaged."""
    position = len(_PNG)
    while position < len(image):
        if position + 12 > len(image):
            raise BrokenInput("ends in the middle of a chunk", where="image", hint="copy the whole file again")
        (length,) = struct.unpack_from(">I", image, position)
        kind, end = image[position + 4 : position + 8], position + 12 + length
        if end > len(image):
            raise BrokenInput("ends in the middle of a chunk", where="image", hint="copy the whole file again")
        data = image[position + 8 : end - 4]
        if zlib.crc32(kind + data) != struct.unpack_from(">I", image, end - 4)[0]:
            raise BrokenInput(
                f"chunk {kind.decode('latin-1')!r} is damaged (its checksum is wrong)",
                where="image",
                hint="copy it again",
            )
        if position == len(_PNG) and kind != b"IHDR":
            raise BrokenInput("does not begin with an image header", where="image", hint="is it a PNG file?")
        yield kind, data, position, end
        if kind == b"IEND":
            return
        position = end
    raise BrokenInput("has no end chunk", where="image", hint="copy the whole file again")


def _is_ours(kind: bytes, data: bytes) -> bool:
    return kind in (b"iTXt", b"tEXt", b"zTXt") and data.startswith(KEYWORD + b"\0")


def _bake_png(image: bytes, credential: bytes, overwrite: bool) -> bytes:
    data = KEYWORD + b"\0\0\0\0\0" + credential  # no compression, no language, no translated keyword
    ours = struct.pack(">I", len(data)) + b"iTXt" + data + struct.pack(">I", zlib.crc32(b"iTXt" + data))
    kept = [_PNG]
    for kind, held, start, end in _chunks(image):
        if _is_ours(kind, held):
            if not overwrite:
                raise _already()
            continue
        kept.append(image[start:end])
        if kind == b"IHDR":
            kept.append(ours)
    return b"".join(kept)


def _extract_png(image: bytes) -> bytes:
    found: list[tuple[bytes, bytes]] = []
    old: list[tuple[bytes, bytes]] = []
    for kind, data, _, _ in _chunks(image):
        if _is_ours(kind, data):
            found.append((kind, data))
        elif kind in (b"iTXt", b"tEXt") and data.startswith(_OLD_KEYWORD + b"\0"):
            old.append((kind, data))
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
_CREDENTIAL = f"{NAMESPACE} credential"


def _parse(image: bytes) -> Element:
    """The SVG's root. Entities are refused, so that nothing can grow while it is read or be fetched from
    elsewhere.
    """
    try:
        root: Element = ElementTree.fromstring(image)
    except common.DefusedXmlException as problem:
        raise BrokenInput(
            "declares an entity, which is not read", where="image", hint="save it without one"
        ) from problem
    except (ParseError, ValueError, LookupError, RecursionError) as problem:
        raise BrokenInput(
            f"is not well-formed SVG ({problem})", where="image", hint="save it again as SVG"
        ) from problem
    if root.tag.rpartition("}")[2] != "svg":
        raise BrokenInput("its outermost element is not <svg>", where="image")
    return root


def _places(image: bytes) -> tuple[int, list[tuple[int, int]]]:
    """Byte offsets in an SVG that `_parse` accepted: of its `<svg`, and of each outermost credential's start and
    end.
    """
    parser = expat.ParserCreate(namespace_separator=" ")
    starts: list[int] = []
    opened: list[int] = []
    held: list[tuple[int, int]] = []

    def start(name: str, _attributes: dict[str, str]) -> None:
        starts.append(parser.CurrentByteIndex)
        if name == _CREDENTIAL:
            opened.append(parser.CurrentByteIndex)

    def end(name: str) -> None:
        if name == _CREDENTIAL:
            begin = opened.pop()
            if opened:  # inside another, with which it goes
                return
            tag = _OPENING.match(image, begin)
            alone = tag is not None and tag[0].endswith(b"/>")
            held.append((begin, tag.end() if tag and alone else image.index(b">", parser.CurrentByteIndex) + 1))

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.Parse(image, True)
    return starts[0], held


def _bake_svg(image: bytes, credential: bytes, overwrite: bool) -> bytes:
    _parse(image)
    _, held = _places(image)
    if held and not overwrite:
        raise _already()
    for start, end in reversed(held):
        image = image[:start] + image[end:]
    _parse(image)
    root, _ = _places(image)
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
    root = _parse(image)
    found = list(root.iter(f"{{{NAMESPACE}}}credential")) or list(root.iter(f"{{{_OLD_NAMESPACE}}}assertion"))
    if not found:
        raise _nothing()
    if len(found) > 1:
        raise BrokenInput("carries more than one credential", where="image", hint="ask the issuer for a clean copy")
    text = found[0].get("verify")
    return _checked(("".join(found[0].itertext()) if text is None else text).encode("utf-8"))


def _checked(credential: bytes) -> bytes:
    if len(credential) > MAX_CREDENTIAL:
        raise BrokenInput(f"the credential is larger than {MAX_CREDENTIAL:,} bytes", where="image")
    _text(credential)
    return credential


def _already() -> BrokenInput:
    return BrokenInput("already carries a credential", where="image", hint="take the clean image, or overwrite it")


def _nothing() -> BrokenInput:
    return BrokenInput("carries no credential", where="image", hint="choose the badge file that the issuer sent")
