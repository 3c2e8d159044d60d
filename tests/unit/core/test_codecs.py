"""Encodings: the vectors of others, there and back, and everything that is not what it seems is refused."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime, timedelta, timezone

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st
from tests.paths import counted, vectors

from guildmark.core.codecs import (
    MULTIKEY_PREFIXES,
    base58_decode,
    base58_encode,
    base64url_decode,
    base64url_encode,
    depth,
    iso,
    jcs,
    multibase_decode,
    multibase_encode,
    multikey_decode,
    multikey_encode,
    parse_iso,
    parse_json,
)
from guildmark.core.errors import BrokenInput

# --- Multibase ------------------------------------------------------------------------------------------


def test_the_multibase_vectors_come_out():
    rows = dict(json.loads((vectors("multibase") / "basic.json").read_bytes()))
    plain = rows["encoding"].encode()
    for name, base in (("base58btc", "z"), ("base64url", "u")):
        assert multibase_encode(plain, base) == rows[name]
        assert multibase_decode(rows[name]) == plain
    for name, text in rows.items():
        if name not in ("encoding", "base58btc", "base64url"):
            with pytest.raises(BrokenInput, match="multibase prefix"):
                multibase_decode(text)
    counted("multibase", rows.keys() - {"encoding"})


@pytest.mark.parametrize(
    ("raw", "text"),
    [  # draft-msporny-base58, section 5, and leading zeros
        (b"Hello World!", "2NEpo7TZRRrLZSi2U"),
        (
            b"The quick brown fox jumps over the lazy dog.",
            "USm3fpXnKG5EUBx2ndxBDMPVciP5hGey2Jh4NDv6gmeo1LkMeiKrLJUUBk6Z",
        ),
        (bytes.fromhex("0000287fb4cd"), "11233QC4"),
        (b"", ""),
        (b"\0", "1"),
        (b"\0\0\0", "111"),
        (b"\xff", "5Q"),
    ],
)
def test_base58_writes_as_its_draft_prints(raw, text):
    assert base58_encode(raw) == text
    assert base58_decode(text) == raw


@given(st.binary(max_size=100), st.sampled_from("zu"))
def test_bytes_come_back_from_both_bases(data, base):
    assert multibase_decode(multibase_encode(data, base)) == data


def test_leading_zeros_come_back():
    for zeros in range(4):
        assert multibase_decode("z" + "1" * zeros) == bytes(zeros)
        for base in "zu":
            data = bytes(zeros) + b"yes mani !"
            assert multibase_decode(multibase_encode(data, base)) == data


@given(st.text("123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz", max_size=40))
def test_a_base58_text_is_the_only_one_of_its_bytes(text):
    assert base58_encode(base58_decode(text)) == text


@pytest.mark.parametrize(("text", "at"), [("0", 0), ("1O", 1), ("11I", 2), ("abl", 2), ("a b", 1), ("é", 0), ("a+", 1)])
def test_a_letter_that_base58_lacks_is_named_with_its_place(text, at):
    with pytest.raises(BrokenInput, match=rf"at position {at} is not a base58btc character"):
        base58_decode(text)


def test_a_base58_text_without_end_is_refused_at_once():
    assert base58_encode(base58_decode("z" * 4096)) == "z" * 4096
    with pytest.raises(BrokenInput, match="longer than 4,096"):
        base58_decode("z" * 4097)


@pytest.mark.parametrize("text", ["", "x00", "m", "Z", "f00", " z1", "\0"])
def test_another_base_is_refused(text):
    with pytest.raises(BrokenInput, match=r"is not supported; use z \(base58btc\) or u \(base64url\)"):
        multibase_decode(text)
    with pytest.raises(ValueError, match="is not one of z, u"):
        multibase_encode(b"", "f")


# --- Base64url ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "text"),
    [(b"", ""), (b"f", "Zg"), (b"fo", "Zm8"), (b"foo", "Zm9v"), (b"\xfb\xff", "-_8"), (b"foobar", "Zm9vYmFy")],
)
def test_base64url_writes_as_rfc_4648_prints_without_padding(raw, text):
    assert base64url_encode(raw) == text
    assert base64url_decode(text) == raw


@pytest.mark.parametrize("text", ["Zg==", "Zm9v=", "+/8", "-/8", "Z", "Zm9vZ", "Zm 9v", "Zm9v\n", "Zé", "Zg\0", "."])
def test_what_is_not_base64url_without_padding_is_refused(text):
    with pytest.raises(BrokenInput, match="base64url text cannot be decoded"):
        base64url_decode(text)


# --- Multikey -------------------------------------------------------------------------------------------


def test_the_prefixes_are_those_of_controlled_identifiers():
    assert {name: prefix.hex() for name, prefix in MULTIKEY_PREFIXES.items()} == {
        "Ed25519": "ed01",
        "P-256": "8024",
        "P-384": "8124",
    }


@pytest.mark.parametrize(
    ("name", "file", "algorithm"),
    [
        ("w3c-vc-di-eddsa/eddsa-rdfc-2022.json", "keyPair.json", "Ed25519"),
        ("w3c-vc-di-ecdsa/ecdsa-rdfc-2019-p256.json", "p256KeyPair.json", "P-256"),
    ],
)
def test_w3c_s_keys_are_read_and_written_back(name, file, algorithm):
    folder, _, path = name.partition("/")
    text = json.loads((vectors(folder) / path).read_bytes())[file]["publicKeyMultibase"]
    assert multikey_decode(text)[0] == algorithm
    assert multikey_encode(*multikey_decode(text)) == text


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\xed",
        b"\xed\x01",
        b"\xed\x01" + bytes(31),
        b"\xed\x01" + bytes(33),
        b"\x80\x24" + bytes(32),
        b"\x12\x00" * 17,
    ],
)
def test_a_key_of_another_kind_or_length_is_refused(raw):
    with pytest.raises(BrokenInput, match=r"the kind of key is not known here|should have|are no key"):
        multikey_decode(multibase_encode(raw))


def test_a_key_of_another_length_is_not_written():
    with pytest.raises(ValueError, match="a P-256 public key has 33 bytes, not 65"):
        multikey_encode("P-256", bytes(65))


# --- JCS ------------------------------------------------------------------------------------------------


def test_the_jcs_vectors_come_out_byte_for_byte():
    rows = json.loads((vectors("jcs") / "vectors.json").read_bytes())
    for row in rows:
        written = jcs(parse_json(row["inputText"]))
        assert written == row["outputText"].encode(), row["name"]
        assert written == bytes.fromhex("".join(row["outputHex"])), row["name"]
    assert len(rows) >= 4


@pytest.mark.parametrize(
    ("number", "text"),
    [  # RFC 8785, appendix B
        (0.0, "0"),
        (-0.0, "0"),
        (5e-324, "5e-324"),
        (-5e-324, "-5e-324"),
        (1.7976931348623157e308, "1.7976931348623157e+308"),
        (9007199254740992.0, "9007199254740992"),
        (295147905179352830000.0, "295147905179352830000"),
        (9.999999999999997e22, "9.999999999999997e+22"),
        (1e23, "1e+23"),
        (1e21, "1e+21"),
        (9.999999999999997e-7, "9.999999999999997e-7"),
        (0.000001, "0.000001"),
        (333333333.3333332, "333333333.3333332"),
        (1424953923781206.2, "1424953923781206.2"),
    ],
)
def test_numbers_are_written_as_rfc_8785_prints(number, text):
    assert jcs(number).decode() == text


@pytest.mark.parametrize(
    "value", [2**53 + 1, -(2**60), math.nan, math.inf, -math.inf, "\ud800", {"\ud800": 1}, [[{"a": 2**64}]]]
)
def test_what_json_cannot_carry_is_refused_in_one_sentence(value):
    with pytest.raises(BrokenInput, match="value has no canonical JSON form") as refused:
        jcs(value)
    assert "\n" not in str(refused.value)


_json = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**53) + 1, 2**53 - 1),
        # From 2**53 on, a float without a fraction is written as an integer that no longer is exact.
        st.floats(-(2.0**53) + 1, 2.0**53 - 1),
        st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=4), inner, max_size=4),
    ),
    max_leaves=12,
)


@given(_json)
def test_the_canonical_form_says_the_same_and_is_its_own(value):
    written = jcs(value)
    assert parse_json(written) == value
    assert jcs(parse_json(written)) == written


# --- Reading JSON ---------------------------------------------------------------------------------------


@given(_json)
def test_what_python_writes_is_read(value):
    assert parse_json(json.dumps(value)) == value
    assert parse_json(b"\xef\xbb\xbf" + json.dumps(value, ensure_ascii=False).encode()) == value


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "not JSON at line 1 column 1"),
        (b"{", "not JSON at line 1 column 2"),
        (b'{\n "a": 1,\n}', "not JSON at line 3"),
        (b"{'a': 1}", "not JSON at line 1"),
        (b"{} {}", "not JSON at line 1 column 4"),
        (b"\xff\xfe{}", "byte 0 is not UTF-8; save the file as UTF-8"),
        (b'"\xc3"', "byte 1 is not UTF-8"),
        ('{"a": 1}'.encode("utf-16"), "is not UTF-8"),
        (b'{"a": 1, "b": 2, "a": 1}', "key 'a' stands twice in one object; keep one of them"),
        (b'[{"a": {"b": 1, "b": 1}}]', "key 'b' stands twice"),
        (rb'{"a": 1, "\u0061": 2}', "key 'a' stands twice"),
        (b"NaN", "NaN is not JSON"),
        (b"[-Infinity]", "-Infinity is not JSON"),
        (b"[1e999]", "number 1e999 is too large"),
        (b"[" + b"9" * 5000 + b"]", "too many digits"),
        (rb'"\ud800"', "half a surrogate pair"),
        (rb'{"\udfff": 1}', "half a surrogate pair"),
        (b"[" * 101 + b"1" + b"]" * 101, "nested too deeply; at most 100 levels"),
        (b'{"a":' * 101 + b"1" + b"}" * 101, "nested too deeply; at most 100 levels"),
        (b"[" * 100_000, "nested too deeply; at most 100 levels"),
    ],
)
def test_what_others_would_read_differently_is_refused(data, says):
    with pytest.raises(BrokenInput) as refused:
        parse_json(data, where="x.json")
    assert str(refused.value).startswith("x.json: ")
    assert says in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_whole_surrogate_pair_is_a_character():
    assert parse_json(rb'"\ud83d\ude00"') == "\U0001f600"


def test_a_hundred_levels_are_read():
    assert depth(parse_json(b"[" * 100 + b"1" + b"]" * 100)) == 100
    assert [depth(value) for value in (1, "x", [], {}, [1], {"a": [{}]})] == [0, 0, 0, 0, 1, 2]


# --- Moments --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("2026-11-24T09:00:00Z", "2026-11-24T09:00:00Z"),
        ("2026-11-24T20:00:00+11:00", "2026-11-24T09:00:00Z"),
        ("2026-11-24T09:00:00.999Z", "2026-11-24T09:00:00Z"),
        ("2026-11-23T23:30:00-09:30", "2026-11-24T09:00:00Z"),
    ],
)
def test_a_moment_is_read_with_its_zone_and_written_in_utc(text, written):
    assert iso(parse_iso(text)) == written


@given(st.datetimes(min_value=datetime(2, 1, 1), max_value=datetime(9998, 1, 1)), st.integers(-23, 23))  # noqa: DTZ001
def test_a_written_moment_is_the_same_to_the_second(moment, hours):
    moment = moment.replace(tzinfo=timezone(timedelta(hours=hours)))
    assert parse_iso(iso(moment)) == moment.astimezone(UTC).replace(microsecond=0)


@pytest.mark.parametrize(
    "text", ["", "yesterday", "2026-13-01T00:00:00Z", "2026-02-30T00:00:00Z", None, 7, "2026-11-24T25:00:00Z"]
)
def test_what_is_no_moment_is_refused(text):
    with pytest.raises(BrokenInput, match=r"is not a date and time; write 2026-11-24T09:00:00Z"):
        parse_iso(text)


@pytest.mark.parametrize("text", ["2026-11-24T09:00:00", "2026-11-24"])
def test_a_moment_without_a_zone_is_refused(text):
    with pytest.raises(BrokenInput, match="has no time zone; end it with Z"):
        parse_iso(text)
    with pytest.raises(ValueError, match="without a time zone"):
        iso(datetime(2026, 1, 1))  # noqa: DTZ001 - that is the point


def test_a_moment_beyond_the_calendar_is_refused():
    with pytest.raises(BrokenInput, match="is beyond the calendar"):
        parse_iso("9999-12-31T23:59:59-01:00")


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers(-(2**53) + 1, 2**53 - 1)
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_canonical_json_is_that_of_rfc8785_whichever_way_it_was_made(value):
    assert jcs(value) == rfc8785.dumps(value)


@given(st.text(alphabet='{}[]",:\\01.eE+-ab \nu', max_size=60))
def test_the_quick_way_of_reading_json_never_says_yes_where_the_careful_one_says_no(text):
    def read(data):
        try:
            return repr(parse_json(data))
        except BrokenInput as problem:
            return str(problem)

    assert read(text.encode()) == read(text)


@pytest.mark.parametrize(
    "text",
    ['{"a":1,"a":1}', "1e999", "18446744073709551616", "[1e5]", "-0", "1.0", '{"a":NaN}', '"\\ud800"', "1" * 5000],
)
def test_quick_and_careful_reading_of_odd_json_agree(text):
    def read(data):
        try:
            return repr(parse_json(data))
        except BrokenInput as problem:
            return str(problem)

    assert read(text.encode()) == read(text)
