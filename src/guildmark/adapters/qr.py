"""A QR code read from a picture that somebody took: bounded work on whatever was uploaded."""

from __future__ import annotations

import io

import zxingcpp
from PIL import Image, UnidentifiedImageError

from guildmark.core.errors import BrokenInput

MOST_PIXELS = 25_000_000
"""Of a JPEG that is looked at, which is made smaller while it is read; cameras of telephones make about 12 million."""

MOST_PIXELS_WHOLE = 10_000_000
"""Of a picture of another kind, which is unpacked whole before it is made smaller: 40 MB at most."""

_SIDE = 2000
"""Pixels to which a larger picture is made smaller first: a code that a person can frame is still legible."""

_KINDS = ("PNG", "JPEG", "WEBP", "GIF")


def read_qr(picture: bytes) -> str:
    """The text of the one QR code in a PNG, JPEG, WebP or GIF picture.

    BrokenInput for what is no picture, has too many pixels, or shows no code or several; the size is asked before
    anything is unpacked.
    """
    try:
        with Image.open(io.BytesIO(picture), formats=_KINDS) as image:
            most = MOST_PIXELS if image.format == "JPEG" else MOST_PIXELS_WHOLE
            if image.width * image.height > most:
                raise BrokenInput("has too many pixels", where="picture", hint="make it smaller, or cut it to the code")
            image.draft("L", (_SIDE, _SIDE))
            image.thumbnail((_SIDE, _SIDE))
            grey = image.convert("L")
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError) as problem:
        raise BrokenInput("cannot be read as a picture", where="picture", hint="send a PNG or JPEG file") from problem
    codes = zxingcpp.read_barcodes(grey, formats=zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode))
    found = {code.text for code in codes}
    if len(found) != 1:
        raise BrokenInput(
            "shows several QR codes" if found else "shows no QR code that can be read",
            where="picture",
            hint="photograph the one code straight on, in good light, with a little white around it",
        )
    return found.pop()
