"""Patterns of strangers say the same as elsewhere, and never take longer than their text is long."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guildmark.credential.patterns import LONGEST, NotUnderstood, compiled

TEXTS = ("", "a", "b", "ab", "ba", "aab", "abab", "aaa", "xyz", "a.b.c", "12", "a1", "A", "é", "a\nb", "-", "]")


@pytest.mark.parametrize(
    "pattern",
    [
        "", "^$", "a", "^a", "a$", "^a$|b", "(a|b)*c?", "^(a|)b$", "a{2,3}$", "^a{0}$", "^(?:ab){2}$", "[^a-c]", "[a-]",
        "^(a*)*$", "^(a{0,2}){2,}$", "(^a|b$)", "[]", "[^]", "a+?b", r"^\w+$", r"\d", r"\S\s", r"[\d.-]", "a.b",
        r"^[a-zA-Z0-9_-]+\.[a-zA-Z0-9_-]*\.[a-zA-Z0-9_-]+$", r"^[a-z]{2}(-[A-Z]{2})?$", r"\x61\u0062", r"\-\]",
    ],
)  # fmt: skip
def test_a_pattern_finds_what_it_finds_elsewhere(pattern: str) -> None:
    if pattern in ("[]", "[^]"):  # ECMA-262: no character, and any
        found = [text for text in TEXTS if compiled(pattern).found_in(text)]
        assert found == ([] if pattern == "[]" else [text for text in TEXTS if text])
        return
    for text in TEXTS:
        assert compiled(pattern).found_in(text) is (re.search(pattern, text, re.ASCII) is not None), text


pieces = st.recursive(
    st.sampled_from(["a", "b", "[ab]", "[^a]", ".", "(?:a|b)"]),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map(lambda two: f"(?:{two[0]}|{two[1]})"),
        st.tuples(inner, st.sampled_from(["*", "+", "?", "{2}", "{0,2}", "{1,}"])).map(lambda p: f"(?:{p[0]}){p[1]}"),
    ),
    max_leaves=6,
)


@given(pieces, st.text("ab", max_size=8), st.booleans(), st.booleans())
def test_any_pattern_finds_what_it_finds_elsewhere(pattern: str, text: str, begin: bool, end: bool) -> None:
    whole = f"{'^' * begin}(?:{pattern}){'$' * end}"
    wanted = re.search(f"{'^' * begin}(?:{pattern}){chr(92)}Z" if end else whole, text) is not None
    assert compiled(whole).found_in(text) is wanted


@pytest.mark.parametrize("pattern", ["^(a+)+$", "^(a|a)*$", "(a*)*b", "^([a-z]+.)+[A-Z]$", "^(a?){50}a{50}$"])
def test_a_pattern_that_keeps_others_busy_is_answered_in_time(pattern: str) -> None:
    start = time.process_time()
    assert not compiled(pattern).found_in("a" * 20_000 + "!")
    assert time.process_time() - start < 1


@pytest.mark.parametrize(
    ("pattern", "says"),
    [
        ("(?=a)", "a kind of group"),
        ("(?<n>a)", "a kind of group"),
        (r"\bword", "an escape"),
        (r"(a)\1", "an escape"),
        (r"\p{L}", "an escape"),
        ("(a", "a group without an end"),
        ("a)", "a closing bracket"),
        ("[a", "a set without an end"),
        ("[b-a]", "a range that is none"),
        ("*a", "a repetition of nothing"),
        ("a**", "a repetition of nothing"),
        ("a{3,2}", "a repetition that is none"),
        ("a{x}", "a repetition that is none"),
        ("^*", "a repeated anchor"),
        ("\\", "an escape"),
        (r"\u12", "an escape that is none"),
        ("(" * 60, "nested too deeply"),
        ("a" * (LONGEST + 1), "more than 500 characters"),
        ("((a{99}){99}){99}", "more than 2000 states"),
    ],
)
def test_what_is_not_understood_is_said(pattern: str, says: str) -> None:
    with pytest.raises(NotUnderstood, match=re.escape(says)):
        compiled(pattern)
