"""The picture of a badge: readable by eyes and by screen readers, the same each time, and nothing in it runs."""

from __future__ import annotations

import io
import re

import pytest
from defusedxml import ElementTree
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from guildmark.core.errors import BrokenInput
from guildmark.credential.badge_image import _contrast, _luminance, badge_png, badge_svg
from guildmark.credential.bake import bake, extract

SVG = "{http://www.w3.org/2000/svg}"
TITLE, ISSUER, ID = "Data protection & “privacy” <basics>", "Harbour University", "did:web:a.example"


def parts(svg):
    return ElementTree.fromstring(svg.encode())


def shown(svg):
    """The words that eyes see, without title and description."""
    return [element.text for element in parts(svg).iter(f"{SVG}text")]


def test_a_badge_names_itself_to_those_who_cannot_see_it():
    root = parts(badge_svg(title=TITLE, issuer_name=ISSUER, issuer_id=ID))
    assert root.get("role") == "img"
    ids = {element.get("id"): element.text for element in root.iter() if element.get("id")}
    title, description = (ids[name] for name in root.get("aria-labelledby").split())
    assert title == TITLE
    assert description == f"Micro-credential “{TITLE}”, awarded by {ISSUER}."


def test_a_badge_shows_what_it_is_its_title_and_its_issuer():
    words = shown(badge_svg(title=TITLE, issuer_name=ISSUER, issuer_id=ID))
    assert words[0] == "MICRO-CREDENTIAL"
    assert " ".join(words[1:]) == f"{TITLE} {ISSUER}"
    assert shown(badge_svg(title=TITLE, issuer_name=ISSUER, issuer_id=ID, kind="clr"))[0] == "CERTIFICATE"


def test_the_same_badge_is_the_same_bytes_and_a_larger_credential_looks_otherwise():
    made = badge_svg(title=TITLE, issuer_name=ISSUER, issuer_id=ID)
    assert made == badge_svg(title=TITLE, issuer_name=ISSUER, issuer_id=ID)
    larger = badge_svg(title=TITLE, issuer_name=ISSUER, issuer_id=ID, kind="clr")
    assert "<polygon" in made
    assert "<polygon" not in larger
    assert "<circle" in larger


def test_the_mark_and_the_colour_follow_the_issuer_and_not_the_title():
    def mark(svg):
        root = parts(svg)
        return root.find(f"{SVG}path").get("d"), root.find(f"{SVG}polygon").get("fill")

    first = mark(badge_svg(title="One", issuer_name="A", issuer_id=ID))
    assert mark(badge_svg(title="Two", issuer_name="B", issuer_id=ID)) == first
    others = {mark(badge_svg(title="One", issuer_name="A", issuer_id=f"did:web:{n}.example")) for n in range(40)}
    assert len(others) > 30


def test_the_mark_is_the_same_on_both_sides_of_its_staff():
    path = parts(badge_svg(title="One", issuer_name="A", issuer_id=ID)).find(f"{SVG}path").get("d")
    strokes = re.findall(r"M(\d+) (\d+)L(\d+) (\d+)", path)
    assert strokes
    mirrored = {tuple(str(512 - int(n)) if i % 2 == 0 else n for i, n in enumerate(stroke)) for stroke in strokes}
    assert mirrored == set(strokes)


@given(st.integers(0, 0xFFFFFF))
def test_whatever_the_colour_the_words_can_be_read(number):
    colour = f"#{number:06x}"
    root = parts(badge_svg(title="One", issuer_name="A", colour=colour))
    ink = {element.get("fill") for element in root.iter(f"{SVG}text")}
    assert len(ink) == 1
    assert _contrast(colour, ink.pop()) >= 4.5  # WCAG 2.2, success criterion 1.4.3


def test_without_a_colour_the_words_can_be_read_by_more_people():
    for n in range(30):
        root = parts(badge_svg(title="One", issuer_name="A", issuer_id=f"did:web:{n}.example"))
        assert _contrast(root.find(f"{SVG}polygon").get("fill"), "#ffffff") >= 7  # success criterion 1.4.6


def test_luminance_and_contrast_are_those_of_wcag():
    assert (_luminance("#000000"), _luminance("#ffffff")) == (0, pytest.approx(1))
    assert _contrast("#000000", "#ffffff") == pytest.approx(21)
    assert _contrast("#777777", "#ffffff") == pytest.approx(4.478, abs=0.001)


@pytest.mark.parametrize(
    "colour", ["red", "#fff", "1f4e5f", "#1f4e5g", "#1f4e5f ", "url(#x)", '#000000" onload="x', "#1f4e5f\n"]
)
def test_a_colour_in_another_form_is_one_sentence(colour):
    with pytest.raises(BrokenInput, match=r"^badge image: colour .* is not known; write it like #1f4e5f\.$"):
        badge_svg(title="One", issuer_name="A", colour=colour)


@given(st.text(max_size=200), st.text(max_size=80))
@settings(deadline=None)
def test_whatever_the_words_the_picture_is_well_formed_and_nothing_in_it_runs(title, issuer):
    svg = badge_svg(title=title, issuer_name=issuer)
    root = parts(svg)
    kinds = {element.tag.removeprefix(SVG) for element in root.iter()}
    assert kinds <= {"svg", "title", "desc", "polygon", "path", "text"}
    attributes = {name for element in root.iter() for name in element.attrib}
    assert not any(name.startswith("on") or "href" in name or name == "style" for name in attributes)


@given(st.lists(st.text("abcdefghij", min_size=1, max_size=40), min_size=1, max_size=40).map(" ".join))
def test_a_long_title_is_cut_with_an_ellipsis_and_stands_whole_in_the_title_element(title):
    svg = badge_svg(title=title, issuer_name="A")
    lines = shown(svg)[1:-1]
    assert parts(svg).find(f"{SVG}title").text == title
    assert 1 <= len(lines) <= 5
    assert all(len(line) <= 27 for line in lines)
    if "…" not in "".join(lines):
        assert " ".join(lines) == title


@pytest.mark.parametrize("title", ["a\x00b", "a\x0bb", "a\x1fb", "a\ufffeb", "a\ud800b"])
def test_characters_that_no_svg_may_hold_are_left_out(title):
    svg = badge_svg(title=title, issuer_name=title)
    assert parts(svg).find(f"{SVG}title").text == "ab"
    assert "ab" in shown(svg)


# --- PNG ------------------------------------------------------------------------------------------------


def test_a_png_is_square_sharp_and_transparent_at_its_corners():
    svg = badge_svg(title=TITLE, issuer_name=ISSUER, issuer_id=ID, colour="#1f4e5f")
    with Image.open(io.BytesIO(badge_png(svg, pixels=200))) as image:
        assert image.size == (200, 200)
        pixels = image.convert("RGBA")
        assert [pixels.getpixel(corner)[3] for corner in ((0, 0), (199, 0), (0, 199), (199, 199))] == [0] * 4
        assert pixels.getpixel((60, 150)) == (0x1F, 0x4E, 0x5F, 255)
        colours = {pixels.getpixel((x, y)) for x in range(40, 160) for y in range(60, 140)}
    assert (255, 255, 255, 255) in colours  # words are drawn


def test_a_badge_carries_its_credential_in_both_forms():
    svg = badge_svg(title=TITLE, issuer_name=ISSUER, issuer_id=ID)
    for image in (svg.encode(), badge_png(svg, pixels=64)):
        assert extract(bake(image, b'{"id": 1}')) == b'{"id": 1}'


@pytest.mark.parametrize("pixels", [0, 63, 2001, -1, 10**9])
def test_a_badge_of_a_senseless_size_is_not_made(pixels):
    with pytest.raises(BrokenInput, match=f"a badge of {pixels} pixels is not made; use 64 to 2,000"):
        badge_png(badge_svg(title="One", issuer_name="A"), pixels=pixels)
