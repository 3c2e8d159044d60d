"""CBOR: the examples of RFC 8949, back and forth, and nothing that is written in two ways."""

from __future__ import annotations

import contextlib
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openvc.cbor import decode as openvc_decode
from openvc.cbor import encode as openvc_encode

from guildmark.core.cbor import decode, encode
from guildmark.core.errors import BrokenInput


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0, "00"),
        (23, "17"),
        (24, "1818"),
        (255, "18ff"),
        (256, "190100"),
        (1000, "1903e8"),
        (65536, "1a00010000"),
        (1000000000000, "1b000000e8d4a51000"),
        (18446744073709551615, "1bffffffffffffffff"),
        (-1, "20"),
        (-1000, "3903e7"),
        (-18446744073709551616, "3bffffffffffffffff"),
        (b"", "40"),
        (b"\1\2\3\4", "4401020304"),
        ("", "60"),
        ("IETF", "6449455446"),
        ("\u6c34", "63e6b0b4"),
        ([], "80"),
        ([1, [2, 3], [4, 5]], "8301820203820405"),
        (list(range(1, 26)), "98190102030405060708090a0b0c0d0e0f101112131415161718181819"),
        ({}, "a0"),
        ({1: 2, 3: 4}, "a201020304"),
        ({"a": 1, "b": [2, 3]}, "a26161016162820203"),
    ],
)
def test_the_examples_of_the_rfc_come_out_byte_for_byte(value, written):
    """RFC 8949 appendix A, as far as proofs have such values."""
    assert encode(value).hex() == written
    assert decode(bytes.fromhex(written)) == value


_values = st.recursive(
    st.one_of(st.integers(-(2**64), 2**64 - 1), st.binary(max_size=300), st.text(max_size=30)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=5), st.dictionaries(st.one_of(st.integers(0, 2**33), st.text()), inner, max_size=5)
    ),
    max_leaves=20,
)


def levels(value):
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + max(map(levels, inside), default=0)


@given(_values)
def test_what_is_written_is_read_back_and_is_what_another_library_writes(value):
    if levels(value) <= 8:
        assert decode(encode(value)) == value
        assert openvc_decode(encode(value)) == value
        assert decode(openvc_encode(value)) == value


@given(st.binary(max_size=80))
def test_whatever_is_read_is_one_value_and_all_else_is_refused(data):
    with contextlib.suppress(BrokenInput):
        assert len(encode(decode(data))) == len(data)  # keys may have stood in another order


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("", "ends too early"),
        ("18", "ends too early"),
        ("4401", "ends too early"),
        ("8201", "ends too early"),
        ("a101", "ends too early"),
        ("0000", "1 bytes follow the CBOR value"),
        ("1817", "written longer than it has to be"),
        ("190018", "written longer than it has to be"),
        ("5800", "written longer than it has to be"),
        ("9f01ff", "length is not known beforehand"),
        ("5f4101ff", "length is not known beforehand"),
        ("1c", "length is not known beforehand"),
        ("a201010102", "key stands twice"),
        ("a18001", "key is a list or a map"),
        ("61ff", "not UTF-8"),
        ("c001", "tag, float or simple value"),
        ("f4", "tag, float or simple value"),
        ("f93c00", "tag, float or simple value"),
        ("81" * 9 + "01", "nests deeper than 8 levels"),
    ],
)
def test_what_is_not_deterministic_or_not_whole_is_refused(written, says):
    with pytest.raises(BrokenInput, match=says):
        decode(bytes.fromhex(written))


def test_keys_in_another_order_are_read_since_libraries_differ():
    assert decode(bytes.fromhex("a203040102")) == {3: 4, 1: 2}


@pytest.mark.parametrize("value", [True, None, 1.5, 2**64, {1.5: 1}, object()])
def test_what_proofs_do_not_have_is_not_written(value):
    with pytest.raises(TypeError):
        encode(value)


@pytest.mark.parametrize(
    "data",
    [b"\x9b" + b"\xff" * 8 + bytes(200_000), b"\x81" * 200_000, b"\x5b" + b"\xff" * 8, bytes.fromhex("9a000f4240") * 9],
    ids=["many", "deep", "long", "many of many"],
)
def test_a_bomb_is_refused_at_once(data):
    start = time.process_time()
    with pytest.raises(BrokenInput):
        decode(data)
    assert time.process_time() - start < 0.05
