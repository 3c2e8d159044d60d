"""Bitstring status lists: one bit for each credential, and beside them why it is set.

A credential carries one entry (Open Badges 3.0 allows no second): purpose `revocation`, one bit. The bit is
set while the credential is suspended and once it is revoked, so every verifier in the world refuses both. A
sibling list of purpose `message`, named by the entry's `statusReference`, has one byte at the same index; it
tells suspended from revoked and gives the reason. docs/decisions/0003-one-status-entry.md says why. Beside the
reasons stands what replaced a credential, readable for whoever holds it (docs/decisions/0009-what-replaces-what.md).

Rules (W3C Bitstring Status List 1.0):

1. index 0 is the left-most bit of the first byte (section 3.3);
2. an uncompressed list has at least 131,072 bits, so that an index hides among many (section 2.2);
3. the encoded list is multibase base64url (`u`) of its gzip form (section 2.2);
4. reading expands no more than a bound, whatever the compressed bytes claim (section 5.2 of Data Integrity
   asks for bounded work; a list of 16 million entries takes 2 MiB);
5. an entry of `statusSize` bits stands at index times size, its first bit the left-most; one of more bits than one
   says what each of its values means (section 2.1).
"""

from __future__ import annotations

import gzip
import hashlib
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from guildmark.core.codecs import base64url_decode, base64url_encode, iso
from guildmark.core.errors import BrokenInput

LEAST_BITS = 131_072
"""The shortest list (Bitstring Status List 1.0 section 2.2)."""

LARGEST_LIST = 16 * 1024 * 1024
"""Bytes that a list may expand to: 134 million entries of one bit."""

CREDENTIALS_V2 = "https://www.w3.org/ns/credentials/v2"

REASONS: Mapping[str, Mapping[str, str]] = {
    "valid": {
        "review_closed": "the review is closed and found nothing against it.",
        "suspended_in_error": "it was suspended in error.",
        "component_reinstated": "the credential it builds on holds again.",
    },
    "suspended": {
        "under_review": "it is under review.",
        "integrity_inquiry": "an inquiry into academic integrity is open.",
        "appeal": "an appeal is open.",
        "at_holders_request": "its holder asked for it.",
        "component_suspended": "a credential it builds on is suspended.",
    },
    "revoked": {
        "issued_in_error": "issued in error.",
        "result_corrected": "the result it rests on was corrected.",
        "misconduct": "misconduct was established.",
        "superseded": "a newer credential replaces it.",
        "at_holders_request": "its holder asked for it.",
        "key_compromised": "the key that signed it was exposed.",
        "component_revoked": "a credential it builds on is revoked.",
        "corrected": "it said something wrong, and a corrected one takes its place.",
        "renewed": "it was renewed for a further term.",
        "reissued": "it was issued anew.",
    },
}
"""State -> reason code -> what a person reads. Codes are part of the interface; add new ones, never reuse
one.
"""

_NUMBERS: Mapping[int, tuple[str, str]] = {
    1: ("suspended", "under_review"),
    2: ("suspended", "integrity_inquiry"),
    3: ("suspended", "appeal"),
    4: ("suspended", "at_holders_request"),
    5: ("suspended", "component_suspended"),
    16: ("revoked", "issued_in_error"),
    17: ("revoked", "result_corrected"),
    18: ("revoked", "misconduct"),
    19: ("revoked", "superseded"),
    20: ("revoked", "at_holders_request"),
    21: ("revoked", "key_compromised"),
    22: ("revoked", "component_revoked"),
    23: ("revoked", "corrected"),
    24: ("revoked", "renewed"),
    25: ("revoked", "reissued"),
}
"""The byte that stands for each reason. 0 says nothing: it is also what a reinstated credential shows, so
that a suspension that came to nothing leaves no trace. Numbers once published keep their meaning for good.
"""


ONLY_WITH_A_REPLACEMENT = frozenset({"corrected", "renewed", "reissued"})
"""Reasons that are given by whoever awards the replacement at the same moment, and by nobody else."""

LARGEST_REPLACEMENTS = 4 * 1024 * 1024
"""Bytes that a list of replacements may expand to: 262,144 entries of 16."""


def reason_number(state: str, code: str) -> int:
    """The byte for a reason in the list of reasons; 0 for every reinstatement. BrokenInput for a code not
    known.
    """
    if code not in REASONS.get(state, {}):
        known = ", ".join(REASONS.get(state, {})) or f"states are {', '.join(REASONS)}"
        raise BrokenInput(f"reason code {code!r} is not one for {state!r}", hint=f"use one of {known}")
    if state == "valid":
        return 0
    return next(number for number, pair in _NUMBERS.items() if pair == (state, code))


def reason_of(number: int) -> tuple[str, str] | None:
    """(state, code) of a byte in the list of reasons; None for 0 and for numbers of a later version."""
    return _NUMBERS.get(number)


def set_bit(bits: bytearray, index: int, value: bool) -> None:
    """Set or clear the bit at `index`, where 0 is the left-most; BrokenInput beyond the list."""
    if not 0 <= index < len(bits) * 8:
        raise BrokenInput(f"index {index} is not in a list of {len(bits) * 8} entries")
    mask = 0x80 >> (index % 8)
    bits[index // 8] = bits[index // 8] | mask if value else bits[index // 8] & ~mask


def read_bit(bits: bytes, index: int) -> bool:
    """The bit at `index`, where 0 is the left-most; BrokenInput beyond the list (RANGE_ERROR)."""
    if not 0 <= index < len(bits) * 8:
        raise BrokenInput(f"index {index} is not in a list of {len(bits) * 8} entries")
    return bool(bits[index // 8] & (0x80 >> (index % 8)))


def read_value(bits: bytes, index: int, size: int) -> int:
    """The entry of `size` bits at `index`, as a number; BrokenInput beyond the list (RANGE_ERROR)."""
    first, end = index * size, (index + 1) * size
    if index < 0 or end > len(bits) * 8:
        raise BrokenInput(f"index {index} is not in a list of {len(bits) * 8 // size} entries")
    whole = int.from_bytes(bits[first // 8 : (end + 7) // 8], "big")
    return whole >> (-end % 8) & ((1 << size) - 1)


def encode_list(bits: bytes) -> str:
    """`encodedList`: the same bits give the same text, since gzip's time stamp is left out."""
    return "u" + base64url_encode(gzip.compress(bits, compresslevel=6, mtime=0))


def decode_list(text: str, *, largest: int = LARGEST_LIST) -> bytes:
    """The bits of an `encodedList`; BrokenInput if it is no such thing or expands beyond `largest` bytes."""
    if not isinstance(text, str) or not text.startswith("u"):
        raise BrokenInput("encodedList does not start with u (base64url)", where="encodedList")
    packed = base64url_decode(text[1:])
    unpacker = zlib.decompressobj(wbits=31)  # 31: a gzip header is required
    try:
        bits = unpacker.decompress(packed, largest + 1)
    except zlib.error as problem:
        raise BrokenInput(f"encodedList is not gzip ({problem})", where="encodedList") from problem
    if len(bits) > largest:
        raise BrokenInput(f"encodedList expands to more than {largest:,} bytes", where="encodedList")
    if not unpacker.eof:
        raise BrokenInput("encodedList ends too early", where="encodedList", hint="fetch the list again")
    if unpacker.unused_data:
        raise BrokenInput("encodedList has bytes after its end", where="encodedList")
    return bits


MOST_BITS = 16
"""The largest `statusSize` that is read: each of its values has a message, so one of 16 bits has 65,536."""


@dataclass(frozen=True, slots=True)
class StatusEntry:
    """A `BitstringStatusListEntry` as read: where the list is, which entry, of how many bits, what it means, and where
    reasons are; `messages` are the words for each value, in the order of the values.
    """

    list_url: str
    index: int
    purpose: str = "revocation"
    reasons_url: str = ""
    size: int = 1
    messages: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        entry = status_entry(self.list_url, self.index, self.reasons_url, purpose=self.purpose)
        if self.size != 1:
            entry["statusSize"] = self.size
        if self.messages:
            entry["statusMessage"] = [{"status": hex(n), "message": text} for n, text in enumerate(self.messages)]
        return entry

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> StatusEntry:
        """The entry in a credential; BrokenInput names the member that is missing or wrong (MALFORMED_VALUE_ERROR)."""
        index = value.get("statusListIndex")
        if isinstance(index, int) and not isinstance(index, bool):
            index = str(index)  # the specification asks for a string; some issuers write a number
        if not isinstance(index, str) or not index.isascii() or not index.isdigit() or len(index) > 12:
            raise BrokenInput(f"statusListIndex {index!r} is not a number", where="credentialStatus")
        size: int = 1
        messages: tuple[str, ...] = ()
        if "statusSize" in value or "statusMessage" in value:
            size = _size(value.get("statusSize", 1))
            messages = _messages(value, size)
        for key in ("statusListCredential", "statusPurpose"):
            if not isinstance(value.get(key), str):
                raise BrokenInput(f"{key} is missing", where="credentialStatus")
        reasons = value.get("statusReference", "")
        if isinstance(reasons, list):  # "a URL or an array of URLs"
            reasons = next((url for url in reasons if isinstance(url, str)), "")
        return cls(
            list_url=value["statusListCredential"],
            index=int(index),
            purpose=value["statusPurpose"],
            reasons_url=reasons if isinstance(reasons, str) else "",
            size=size,
            messages=messages,
        )


def _size(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise BrokenInput(f"statusSize {value!r} is not a number of bits", where="credentialStatus")
    if value > MOST_BITS:
        raise BrokenInput(f"statusSize {value} is more than {MOST_BITS} bits", where="credentialStatus")
    return value


def _messages(value: Mapping[str, Any], size: int) -> tuple[str, ...]:
    """The words for each value, () for the "unset" and "set" that one bit has without any."""
    given = value.get("statusMessage")
    if given is None and size == 1:
        return ()
    if not isinstance(given, list) or len(given) != 1 << size:
        hint = f"an entry of {size} bits has {1 << size} values"
        raise BrokenInput("statusMessage does not say what each value means", where="credentialStatus", hint=hint)
    words: dict[int, str] = {}
    for one in given:
        status, message = (one.get("status"), one.get("message")) if isinstance(one, Mapping) else (None, None)
        try:
            number = int(status[2:], 16) if isinstance(status, str) and status[:2] in ("0x", "0X") else -1
        except ValueError:
            number = -1
        if not 0 <= number < 1 << size or number in words or not isinstance(message, str):
            raise BrokenInput("statusMessage does not say what each value means", where="credentialStatus")
        words[number] = message
    return tuple(words[number] for number in range(1 << size))


def status_entry(list_url: str, index: int, reasons_url: str = "", *, purpose: str = "revocation") -> dict[str, Any]:
    """The one `credentialStatus` of a credential."""
    entry = {
        "id": f"{list_url}#{index}",
        "type": "BitstringStatusListEntry",
        "statusPurpose": purpose,
        "statusListIndex": str(index),
        "statusListCredential": list_url,
    }
    if reasons_url:
        entry["statusReference"] = reasons_url
    return entry


def status_list_credential(
    *,
    url: str,
    issuer: str,
    bits: bytes,
    valid_from: datetime,
    valid_until: datetime | None = None,
    purpose: str = "revocation",
) -> dict[str, Any]:
    """The unsigned list to publish at `url`, for `proof.sign_document`.

    BrokenInput if it is shorter than the specification allows.
    """
    if len(bits) * 8 < LEAST_BITS:
        raise BrokenInput(f"a status list of {len(bits) * 8} entries is shorter than {LEAST_BITS:,}", where=url)
    return _list_document(url, issuer, bits, valid_from, valid_until, purpose, "")


def reason_list_credential(
    *,
    url: str,
    issuer: str,
    reasons: bytes,
    valid_from: datetime,
    valid_until: datetime | None = None,
    replaced: Mapping[int, tuple[str, str]] | None = None,
) -> dict[str, Any]:
    """The unsigned sibling list of reasons, one byte for each entry of the status list, to publish at `url`.

    Its description says in words what each number means, since credentials/v2 has no term for that on a list.
    `replaced` are index -> (id of the credential there, id of the one that replaced it), both `urn:uuid:`; they stand
    in a second list, of 16 bytes for each entry, which only whoever knows the first id can read.
    """
    if len(reasons) < LEAST_BITS:
        raise BrokenInput(f"a list of {len(reasons)} reasons is shorter than {LEAST_BITS:,}", where=url)
    unknown = set(reasons) - set(_NUMBERS) - {0}
    if unknown:
        raise BrokenInput(f"reason number {min(unknown)} is not known", where=url)
    words = "; ".join(f"{n} {state}: {REASONS[state][code].rstrip('.')}" for n, (state, code) in _NUMBERS.items())
    description = f"One byte for each entry, at the same index as in the status list. 0 says nothing; {words}."
    document = _list_document(url, issuer, reasons, valid_from, valid_until, "message", description)
    if replaced:
        marks = bytearray(len(reasons) * 16)
        for index, (old, new) in replaced.items():
            if not 0 <= index < len(reasons):
                raise BrokenInput(f"index {index} is not in a list of {len(reasons)} entries", where=url)
            marks[index * 16 : index * 16 + 16] = replacement_mark(old, new)
        document["description"] += (
            " The list of replacements has 16 bytes for each entry, 0 where nothing replaced it: the UUID of the "
            "credential that did, exclusive-or the first 16 bytes of the SHA-256 of the replaced credential's id."
        )
        document["credentialSubject"] = [
            document["credentialSubject"],
            {
                "id": f"{url}#replacements",
                "type": "BitstringStatusList",
                "statusPurpose": "replacement",
                "encodedList": encode_list(bytes(marks)),
            },
        ]
    return document


def replacement_mark(old: str, new: str) -> bytes:
    """What stands in the list of replacements where `old` was replaced by `new`, 16 bytes.

    It is hidden behind the id of the old credential, 122 random bits that only its holder and whoever was shown it
    know: the list is public, and the id of a credential is the address of its page. BrokenInput if `new` is no
    `urn:uuid:`.
    """
    try:
        number = UUID(new.removeprefix("urn:uuid:")) if new.startswith("urn:uuid:") else None
    except ValueError:
        number = None
    if number is None:
        raise BrokenInput(f"{new[:60]!r} is no urn:uuid:", where="replacement")
    return bytes(a ^ b for a, b in zip(number.bytes, _mask(old), strict=True))


def replacement_of(mark: bytes, old: str) -> str:
    """The id of what replaced `old`, given what stands at its place; "" if nothing does."""
    if len(mark) != 16 or not any(mark):
        return ""
    return UUID(bytes=bytes(a ^ b for a, b in zip(mark, _mask(old), strict=True))).urn


def _mask(id: str) -> bytes:
    return hashlib.sha256(id.encode()).digest()[:16]


def _list_document(
    url: str,
    issuer: str,
    bits: bytes,
    valid_from: datetime,
    valid_until: datetime | None,
    purpose: str,
    description: str,
) -> dict[str, Any]:
    document: dict[str, Any] = {
        "@context": [CREDENTIALS_V2],
        "id": url,
        "type": ["VerifiableCredential", "BitstringStatusListCredential"],
        "issuer": issuer,
        "validFrom": iso(valid_from),
    }
    if valid_until is not None:
        document["validUntil"] = iso(valid_until)
    if description:
        document["description"] = description
    document["credentialSubject"] = {
        "id": f"{url}#list",
        "type": "BitstringStatusList",
        "statusPurpose": purpose,
        "encodedList": encode_list(bits),
    }
    return document
