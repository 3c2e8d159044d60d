"""The site says everything in English, Spanish and German, and its templates are ready for right-to-left."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import messages

TEMPLATES = sorted((messages.APP / "web" / "templates").rglob("*.html"))
CSS = messages.APP / "web" / "static" / "guildmark" / "site.css"

PLACEHOLDER = re.compile(r"%\([a-z_]+\)[sd]|%%|\{\d+\}")
TAG = re.compile(r"<[^>]*>")


def _named(message) -> str:
    return f"{message.id!r} ({message.context or 'no context'})"


@pytest.mark.parametrize("language", messages.LANGUAGES)
def test_everything_that_is_said_is_translated(language):
    missing = [_named(m) for m in messages.gaps(language)]
    assert missing == [], f"run `python3 dev.py messages`, translate, and run it again: {len(missing)} missing"


@pytest.mark.parametrize("language", [*messages.LANGUAGES, messages.ENGLISH])
def test_a_translation_keeps_every_value_and_every_tag(language):
    checked = 0
    for message in messages.held(language):
        if not message.id or not messages.is_there(message):
            continue
        plural = isinstance(message.id, tuple | list)
        sources = list(message.id) if plural else [message.id]
        forms = list(message.string) if plural else [message.string]
        for number, form in enumerate(forms):
            source = sources[min(number, len(sources) - 1)]
            assert set(PLACEHOLDER.findall(form)) == set(PLACEHOLDER.findall(source)), _named(message)
            assert sorted(TAG.findall(form)) == sorted(TAG.findall(source)), _named(message)
            assert form.startswith("\n") == source.startswith("\n"), _named(message)
            assert form.endswith("\n") == source.endswith("\n"), _named(message)
            checked += 1
    assert checked > (100 if language == messages.ENGLISH else 1000)


@pytest.mark.parametrize("language", [*messages.LANGUAGES, messages.ENGLISH])
def test_what_programs_read_is_what_translators_wrote(language):
    """The .mo files are in the repository, so that the site speaks without a build step; each is its .po file."""
    assert messages.file_of(language, "mo").read_bytes() == messages.compiled(messages.held(language))


@pytest.mark.parametrize("language", messages.LANGUAGES)
def test_a_translation_addresses_the_reader_formally(language):
    """German says Sie, Spanish usted; nobody is called du or tú in the middle of it."""
    familiar = {"de": r"\b(du|dir|dich|dein\w*|euch|euer\w*)\b", "es": r"\b(tú|tu|tus|contigo|vosotros|vuestr\w+)\b"}
    for message in messages.held(language):
        forms = message.string if isinstance(message.string, tuple | list) else [message.string]
        for form in forms:
            found = re.search(familiar[language], form, re.IGNORECASE)
            assert found is None, f"{form!r} says {found and found[0]!r}"


def test_what_signing_in_says_is_collected_from_allauth_as_far_as_it_is_shown():
    said = {str(message.id) for message in messages.borrowed()}
    assert {"Sign Up", "Sign-In Code", "Unused codes", "Create Passkey", "Incorrect code."} <= said
    assert not [text for text in said if "phone" in text.lower()]


# --- What stands in templates ---

# Names and signs that are the same in every language.
SAME_EVERYWHERE = re.compile(
    r"guildmark|webhook-id|SHA-256|JSON|CSV|PDF|ZIP|DID|https://your-domain/\.well-known/guildmark\.txt"
)


def _visible(text: str) -> Iterator[str]:
    """The pieces of a template that a reader sees and that no translate tag or variable brings."""
    text = re.sub(r"\{#.*?#\}|\{% comment.*?endcomment %\}", "", text, flags=re.DOTALL)
    text = re.sub(r"\{% blocktranslate\b.*?\{% endblocktranslate %\}", "\0", text, flags=re.DOTALL)
    text = re.sub(r"\{%.*?%\}|\{\{.*?\}\}", "\0", text, flags=re.DOTALL)
    for attribute in re.findall(r"\b(?:alt|title|aria-label|placeholder)=\"([^\"]*)\"", text):
        yield from attribute.split("\0")
    yield from TAG.sub("\0", text).split("\0")


def test_a_text_outside_a_translate_tag_is_found():
    assert [piece for piece in _visible('<p>Hello {{ name }}</p><img alt="A cat">') if piece.strip()] == [
        "A cat",
        "Hello ",
    ]


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(messages.APP)))
def test_every_text_of_a_template_is_in_a_translate_tag(path: Path):
    loose = [
        piece.strip()
        for piece in _visible(path.read_text("utf-8"))
        if re.search(r"[^\W\d_]{2}", SAME_EVERYWHERE.sub("", piece))
    ]
    assert loose == []


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(messages.APP)))
def test_a_template_writes_days_in_the_readers_way(path: Path):
    """`|day` and `|moment` do; a format of its own would be English in every language. ISO 8601 is for programs."""
    own = [f for f in re.findall(r"\|date:[\"']([^\"']*)[\"']", path.read_text("utf-8")) if f not in ("c", "Y-m-d")]
    assert own == []


def test_the_style_sheet_knows_no_left_and_no_right():
    css = re.sub(r"/\*.*?\*/", "", CSS.read_text("utf-8"), flags=re.DOTALL)
    sided = re.findall(
        r"[{;]\s*((?:margin|padding|border)-(?:left|right)[^;]*|(?:left|right)\s*:[^;]*|(?:float|text-align)\s*:\s*(?:left|right))",
        css,
    )
    assert sided == []
