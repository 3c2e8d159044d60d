"""Encodings used in more than one room: base58btc, multibase, Multikey, JCS, ISO dates.

Sources: W3C Controlled Identifiers 1.0 sections 2.4 (multibase) and 2.2.2 (Multikey); RFC 8785 (JCS).
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
from datetime import UTC, datetime
from typing import Any

import orjson
import rfc8785

from guildmark.core.errors import BrokenInput

_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]|[\ud800-\udfff]")
_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_BASE58_DIGITS = bytes(_BASE58.find(chr(code)) & 255 for code in range(256))
"""From a character to its digit; 255 for one that is none."""

MULTIKEY_PREFIXES: dict[str, bytes] = {
    "Ed25519": b"\xed\x01",
    "P-256": b"\x80\x24",
    "P-384": b"\x81\x24",
}
"""Multicodec prefixes of public keys (Controlled Identifiers 1.0, table in section 2.2.2)."""

_KEY_SIZES = {"Ed25519": 32, "P-256": 33, "P-384": 49}

_OTHER_KINDS: dict[bytes, str] = {
    b"\xe7\x01": "secp256k1",
    b"\xec\x01": "X25519",
    b"\xea\x01": "BLS12-381 G1",
    b"\xeb\x01": "BLS12-381 G2",
    b"\xee\x01": "BLS12-381 G1 and G2",
    b"\x82\x24": "P-521",
    b"\x83\x24": "Ed448",
    b"\x84\x24": "X448",
    b"\x85\x24": "RSA",
    b"\x86\x24": "SM2",
}
"""Multicodec prefixes of public keys with which nothing is checked here, so that a message can name their kind."""


class UnknownKind(BrokenInput):
    """A key that is perhaps in order, but of a kind with which nothing can be checked here."""


def base58_encode(data: bytes) -> str:
    """Base58btc, leading zero bytes as leading `1`s. Quadratic in length: meant for keys and proofs."""
    zeros = len(data) - len(data.lstrip(b"\0"))
    number = int.from_bytes(data, "big")
    blocks = []
    while number >= _TEN_DIGITS:  # ten digits at a time, of which each pair is looked up: half the time of one by one
        number, rest = divmod(number, _TEN_DIGITS)
        rest, last = divmod(rest, 3364)
        rest, fourth = divmod(rest, 3364)
        rest, third = divmod(rest, 3364)
        first, second = divmod(rest, 3364)
        blocks.append(_PAIRS[first] + _PAIRS[second] + _PAIRS[third] + _PAIRS[fourth] + _PAIRS[last])
    digits = []
    while number:
        number, rest = divmod(number, 58)
        digits.append(_BASE58[rest])
    return "1" * zeros + "".join(reversed(digits)) + "".join(reversed(blocks))


_TEN_DIGITS = 58**10
_PAIRS = [first + second for first in _BASE58 for second in _BASE58]


def base58_decode(text: str) -> bytes:
    """The bytes of a base58btc text of at most 4,096 characters; BrokenInput names the character that is not."""
    if len(text) > 4096:
        raise BrokenInput(f"base58 text of {len(text)} characters is longer than 4,096", hint="is this a key or proof?")
    digits = text.encode("utf-8", "surrogatepass").translate(_BASE58_DIGITS)
    if 255 in digits:
        position = next(n for n, character in enumerate(text) if character not in _BASE58)
        raise BrokenInput(f"{text[position]!r} at position {position} is not a base58btc character")
    odd = len(digits) % 4
    number = 0
    for digit in digits[:odd]:
        number = number * 58 + digit
    rest = digits[odd:]
    for first, second, third, fourth in zip(rest[::4], rest[1::4], rest[2::4], rest[3::4], strict=True):
        number = number * 11316496 + (first * 195112 + second * 3364 + third * 58 + fourth)
    zeros = len(text) - len(text.lstrip("1"))
    return b"\0" * zeros + number.to_bytes((number.bit_length() + 7) // 8, "big")


def base64url_encode(data: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def base64url_decode(text: str) -> bytes:
    """The bytes of base64url text without padding; BrokenInput if it is anything else."""
    try:
        raw = text.encode("ascii")
        if b"=" in raw or b"+" in raw or b"/" in raw:
            raise ValueError("not the URL-safe alphabet without padding")
        return base64.b64decode(raw + b"=" * (-len(raw) % 4), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error) as problem:
        raise BrokenInput(f"base64url text cannot be decoded ({problem})") from problem


def multibase_encode(data: bytes, base: str = "z") -> str:
    """`z` is base58btc, `u` is base64url without padding."""
    if base == "z":
        return "z" + base58_encode(data)
    if base == "u":
        return "u" + base64url_encode(data)
    raise ValueError(f"multibase {base!r} is not one of z, u")


def multibase_decode(text: str) -> bytes:
    """The bytes of a multibase text whose prefix is `z` or `u`; BrokenInput for any other prefix."""
    match text[:1]:
        case "z":
            return base58_decode(text[1:])
        case "u":
            return base64url_decode(text[1:])
        case prefix:
            raise BrokenInput(
                f"multibase prefix {prefix!r} is not supported", hint="use z (base58btc) or u (base64url)"
            )


def multikey_encode(algorithm: str, public_key: bytes) -> str:
    """`publicKeyMultibase` for raw public key bytes (compressed points for the P curves).

    UnknownKind for a kind that has no Multikey, such as RSA, whose keys are published as JSON Web Keys.
    """
    if algorithm not in _KEY_SIZES:
        raise UnknownKind(f"a key of kind {algorithm[:20]} has no Multikey", hint="publish it as a JSON Web Key")
    if len(public_key) != _KEY_SIZES[algorithm]:
        raise ValueError(f"a {algorithm} public key has {_KEY_SIZES[algorithm]} bytes, not {len(public_key)}")
    return multibase_encode(MULTIKEY_PREFIXES[algorithm] + public_key)


def multikey_decode(text: str) -> tuple[str, bytes]:
    """(algorithm, raw public key) of a `publicKeyMultibase`; UnknownKind if its kind is not known here, BrokenInput
    if the length is wrong or it is no multibase text.
    """
    data = multibase_decode(text)
    for algorithm, prefix in MULTIKEY_PREFIXES.items():
        if data.startswith(prefix):
            key = data[len(prefix) :]
            if len(key) != _KEY_SIZES[algorithm]:
                raise BrokenInput(
                    f"{algorithm} key of {len(key)} bytes should have {_KEY_SIZES[algorithm]}", where=text[:100]
                )
            return algorithm, key
    if len(data) < 3:
        raise BrokenInput(f"{len(data)} bytes are no key", where=text[:24])
    kind = _OTHER_KINDS.get(data[:2], "")
    what = f"a key of kind {kind} is not known here" if kind else "the kind of key is not known here"
    raise UnknownKind(what, where=text[:24], hint=f"known: {', '.join(MULTIKEY_PREFIXES)}")


def jcs(value: Any) -> bytes:
    """The JSON Canonicalization Scheme (RFC 8785) form of a JSON value, as UTF-8.

    Raises BrokenInput for what JCS cannot carry: integers beyond 2**53, NaN, infinities, lone surrogates.
    """
    if _has_only_plain_values(value):
        try:
            data = orjson.dumps(value, option=orjson.OPT_SORT_KEYS | orjson.OPT_STRICT_INTEGER)
        except TypeError:
            pass  # rfc8785 says what is wrong
        else:
            # Keys sort by code point as they do by UTF-16, unless there is a character beyond U+FFFF.
            if not any(byte in data for byte in _BEYOND_UTF_16) or _has_only_ascii_keys(value):
                return data
    try:
        if (same := _without_whole_floats(value)) is not None:
            return orjson.dumps(same, option=orjson.OPT_SORT_KEYS | orjson.OPT_STRICT_INTEGER)
    except (TypeError, RecursionError):
        pass  # said below
    try:
        return rfc8785.dumps(value)
    except (rfc8785.CanonicalizationError, UnicodeEncodeError, RecursionError) as problem:
        raise BrokenInput(f"value has no canonical JSON form ({problem})") from problem


_BEYOND_UTF_16 = (b"\xf0", b"\xf1", b"\xf2", b"\xf3", b"\xf4")
"""How a character beyond U+FFFF begins in UTF-8."""


def _has_only_plain_values(value: Any) -> bool:
    """Whether orjson writes the values as JCS does, at a sixtieth of the time: no floats, whose forms differ."""
    level = [value]
    while level:
        deeper: list[Any] = []
        for item in level:
            kind = type(item)
            if kind is str:
                continue
            if kind is dict:
                deeper += item.values()
            elif kind is list:
                deeper += item
            elif kind is not int and kind is not bool and item is not None:
                return False
        level = deeper
    return True


def _without_whole_floats(value: Any) -> Any:
    """The value with integers for floats that are whole, which JCS writes as such; None if orjson could still write
    something in it in another way: a float that needs an exponent in one of the two, a key that is not ASCII, another
    kind of thing.
    """
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return value if value is not None else _NULL
    if kind is int:
        return value if -(2**53) < value < 2**53 else None
    if kind is float:
        size = abs(value)
        if size < 2**53 and value == int(value):
            return int(value)
        return value if 1e-3 < size < 1e15 else None
    if kind is dict:
        made = {}
        for key, item in value.items():
            if type(key) is not str or not key.isascii() or (plain := _without_whole_floats(item)) is None:
                return None
            made[key] = None if plain is _NULL else plain
        return made
    if kind is list:
        many = [_without_whole_floats(item) for item in value]
        return None if any(item is None for item in many) else [None if item is _NULL else item for item in many]
    return None


_NULL = object()


def _has_only_ascii_keys(value: Any) -> bool:
    """Whether keys sort by code point as they do by UTF-16, which JCS asks for."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if type(item) is dict:
            if not "".join(item).isascii():
                return False
            waiting += item.values()
        elif type(item) is list:
            waiting += item
    return True


def parse_json(data: bytes | str, *, where: str = "", max_depth: int = 100) -> Any:
    """The JSON value in `data`, refusing what other readers would read differently.

    BrokenInput for bytes that are not UTF-8, syntax errors (with line and column), a key that stands twice in one
    object, NaN or Infinity, numbers too large for others (1e999), half a surrogate pair, and nesting deeper than
    `max_depth`.
    """
    if isinstance(data, bytes):
        # What comes out again byte for byte was read as everybody reads it: no key twice, no odd number.
        try:
            value = orjson.loads(data)
            text, indented = data.strip(), b""
            same = orjson.dumps(value) == text
            if not same:
                indented = orjson.dumps(value, option=orjson.OPT_INDENT_2)
                same = indented == text
            if same and data.count(b"{") + data.count(b"[") > max_depth:
                # Each line of it begins with two spaces for every list and object that is open there.
                indented = indented or orjson.dumps(value, option=orjson.OPT_INDENT_2)
                same = b"\n" + b"  " * (max_depth - 1) not in indented  # otherwise the exact count decides
            if same:
                return value
        except (orjson.JSONDecodeError, TypeError):
            pass  # said below, in words
        try:
            data = data.decode("utf-8-sig")
        except UnicodeDecodeError as problem:
            raise BrokenInput(
                f"byte {problem.start} is not UTF-8", where=where, hint="save the file as UTF-8"
            ) from problem

    # Before the parser sees it: where the recursion limit was raised, deep nesting would end the process.
    if _nests_beyond(data, max_depth):
        raise BrokenInput("nested too deeply", where=where, hint=f"at most {max_depth} levels")

    def no_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        value = dict(pairs)
        if len(value) != len(pairs):
            seen: set[str] = set()
            twin = next(k for k, _ in pairs if k in seen or seen.add(k))  # type: ignore[func-returns-value]
            raise BrokenInput(f"key {twin!r} stands twice in one object", where=where, hint="keep one of them")
        return value

    def no_constant(name: str) -> None:
        raise BrokenInput(f"{name} is not JSON", where=where, hint="use a number or leave the member out")

    def finite(text: str) -> float:
        number = float(text)
        if math.isinf(number):
            raise BrokenInput(f"number {text[:30]} is too large", where=where, hint="write a smaller one")
        return number

    try:
        value = json.loads(data, object_pairs_hook=no_twins, parse_constant=no_constant, parse_float=finite)
    except json.JSONDecodeError as problem:
        raise BrokenInput(
            f"not JSON at line {problem.lineno} column {problem.colno} ({problem.msg})",
            where=where,
            hint="check that the whole document was copied",
        ) from problem
    except ValueError as problem:  # Python reads no integer of more than 4,300 digits
        raise BrokenInput("a number has too many digits", where=where, hint="write a smaller one") from problem
    if _SURROGATE.search(data):
        try:
            json.dumps(value, ensure_ascii=False).encode()
        except UnicodeEncodeError as problem:
            raise BrokenInput(
                "half a surrogate pair is no character", where=where, hint="mend the \\ud... escape"
            ) from problem
    return value


_BRACKETS = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"?|[\[{]|[\]}]', re.DOTALL)


def _nests_beyond(text: str, most: int) -> bool:
    """Whether more than `most` brackets are open at once in a JSON text, those in its strings left out."""
    level = 0
    for found in _BRACKETS.finditer(text):
        first = text[found.start()]
        level += (first in "[{") - (first in "]}")
        if level > most:
            return True
    return False


def depth(value: Any) -> int:
    """How deeply lists and objects nest: 0 for a scalar. Iterative, so hostile input cannot exhaust the stack."""
    deepest, waiting = 0, [(value, 0)]
    while waiting:
        item, level = waiting.pop()
        deepest = max(deepest, level)
        if isinstance(item, dict):
            waiting.extend((child, level + 1) for child in item.values())
        elif isinstance(item, list):
            waiting.extend((child, level + 1) for child in item)
    return deepest


def iso(moment: datetime) -> str:
    """RFC 3339 in UTC with `Z`, whole seconds: the form that every signed document carries."""
    if moment.tzinfo is None:
        raise ValueError("a moment without a time zone cannot be written")
    return moment.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z"


def parse_iso(text: str, *, where: str = "") -> datetime:
    """The moment in an XSD dateTimeStamp; BrokenInput if it has no zone or is no date."""
    try:
        moment = datetime.fromisoformat(text)
    except (ValueError, TypeError) as problem:
        raise BrokenInput(
            f"{text!r} is not a date and time", where=where, hint="write 2026-11-24T09:00:00Z"
        ) from problem
    if moment.tzinfo is None:
        raise BrokenInput(f"{text!r} has no time zone", where=where, hint="end it with Z or an offset such as +10:00")
    try:
        moment.astimezone(UTC)
    except OverflowError as problem:
        raise BrokenInput(
            f"{text!r} is beyond the calendar", where=where, hint="use the years 1 to 9999 UTC"
        ) from problem
    return moment
