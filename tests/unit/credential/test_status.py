"""Status lists: which bit is whose, what others' lists say, and lists made to burst."""

from __future__ import annotations

import gzip
import zlib
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openvc.status import bitstring as openvc
from tests.unit.credential.others import NOW, vector

from guildmark.core.codecs import base64url_encode
from guildmark.core.errors import BrokenInput
from guildmark.credential.jsonld import context_sets, to_dataset
from guildmark.credential.status import (
    LARGEST_LIST,
    LEAST_BITS,
    REASONS,
    StatusEntry,
    decode_list,
    encode_list,
    read_bit,
    read_value,
    reason_list_credential,
    reason_number,
    reason_of,
    replacement_mark,
    replacement_of,
    set_bit,
    status_entry,
    status_list_credential,
)

URL = "https://a.example/status/1"
SIZE = LEAST_BITS // 8


def packed(data, **options):
    return "u" + base64url_encode(gzip.compress(data, **{"mtime": 0, **options}))


# --- Bits -----------------------------------------------------------------------------------------------


def test_index_0_is_the_left_most_bit():
    bits = bytearray(2)
    set_bit(bits, 0, True)
    assert bits == b"\x80\x00"
    set_bit(bits, 15, True)
    assert bits == b"\x80\x01"
    set_bit(bits, 0, False)
    assert bits == b"\x00\x01"
    assert [read_bit(bits, index) for index in range(16)] == [False] * 15 + [True]


@given(st.sets(st.integers(0, 255)), st.sets(st.integers(0, 255)))
def test_what_was_set_and_not_cleared_is_set(marked, cleared):
    bits = bytearray(32)
    for index in marked:
        set_bit(bits, index, True)
        set_bit(bits, index, True)
    for index in cleared:
        set_bit(bits, index, False)
    assert {index for index in range(256) if read_bit(bits, index)} == marked - cleared


@pytest.mark.parametrize("index", [-1, 16, 10**9])
def test_an_index_beyond_the_list_is_an_error_and_not_a_no(index):
    with pytest.raises(BrokenInput, match=rf"index {index} is not in a list of 16 entries"):
        read_bit(bytes(2), index)
    with pytest.raises(BrokenInput, match="is not in a list"):
        set_bit(bytearray(2), index, True)


# --- Encoded lists --------------------------------------------------------------------------------------


@given(st.binary(max_size=300))
def test_a_list_comes_back_and_the_same_bits_are_the_same_text(bits):
    assert decode_list(encode_list(bits)) == bits
    assert encode_list(bits) == encode_list(bytes(bits))


def test_the_list_of_1edtech_s_validator_has_the_one_bit_that_its_test_asks_for():
    subject = vector("1edtech-validator/bitstring-testlist.json")["credentialSubject"]
    bits = decode_list(subject["encodedList"])
    assert len(bits) == SIZE
    assert sum(map(int.bit_count, bits)) == 1


def test_the_lists_of_the_dcc_say_what_the_names_of_its_fixtures_say():
    lists = {
        document["id"].rpartition("/")[2]: decode_list(document["credentialSubject"]["encodedList"])
        for document in vector("dcc-fixtures/status-lists.json").values()
    }
    checked = 0
    for name in ("v1", "v2"):
        for row in vector(f"dcc-fixtures/{name}.json"):
            if "credentialStatus" in row["credential"]:
                entry = StatusEntry.from_json(row["credential"]["credentialStatus"])
                bits = lists[entry.list_url.rpartition("/")[2]]
                assert read_bit(bits, entry.index) is ("revokedStatus" in row["path"]), row["path"]
                checked += 1
    assert checked >= 10


@given(st.sets(st.integers(0, LEAST_BITS - 1), max_size=5))
def test_openvc_reads_our_lists_and_we_read_openvc_s(marked):
    ours, theirs = bytearray(SIZE), openvc.new_bitstring(LEAST_BITS)
    for index in marked:
        set_bit(ours, index, True)
        openvc.set_status_bit(theirs, index, 1)
    assert openvc.decode_bitstring(encode_list(ours)) == bytes(ours) == bytes(theirs)
    assert decode_list(openvc.encode_bitstring(bytes(theirs))) == bytes(theirs)
    for index in marked:
        assert openvc.get_status_bit(bytes(ours), index) == 1


def test_an_empty_list_of_the_least_size_is_small():
    assert len(encode_list(bytes(SIZE))) < 100


def test_a_list_of_exactly_the_largest_size_is_read_and_one_byte_more_is_not():
    assert len(decode_list(packed(bytes(1000)), largest=1000)) == 1000
    with pytest.raises(BrokenInput, match="expands to more than 1,000 bytes"):
        decode_list(packed(bytes(1001)), largest=1000)


def test_a_bomb_is_not_unpacked():
    bomb = packed(bytes(LARGEST_LIST * 4))
    assert len(bomb) < LARGEST_LIST / 100
    with pytest.raises(BrokenInput, match="expands to more than 16,777,216 bytes"):
        decode_list(bomb)


@pytest.mark.parametrize("cut", [1, 4, 8, 9, 15])
def test_a_list_that_was_cut_off_is_refused(cut):
    whole = gzip.compress(bytes(range(256)) * 4)
    with pytest.raises(BrokenInput, match="ends too early; fetch the list again"):
        decode_list("u" + base64url_encode(whole[:-cut]))


@pytest.mark.parametrize("more", [b"\0", b"more", gzip.compress(b"second", mtime=0)])
def test_bytes_after_the_end_are_refused(more):
    with pytest.raises(BrokenInput, match="has bytes after its end"):
        decode_list("u" + base64url_encode(gzip.compress(bytes(8)) + more))


def test_a_list_whose_checksum_is_wrong_is_refused():
    whole = bytearray(gzip.compress(bytes(8)))
    whole[-5] ^= 1
    with pytest.raises(BrokenInput, match="is not gzip"):
        decode_list("u" + base64url_encode(bytes(whole)))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (None, "does not start with u"),
        (7, "does not start with u"),
        (["u"], "does not start with u"),
        ("", "does not start with u"),
        (packed(bytes(8))[1:], "does not start with u"),
        ("z" + packed(bytes(8))[1:], "does not start with u"),
        ("u!", "cannot be decoded"),
        ("u" + packed(bytes(8))[1:] + "=", "cannot be decoded"),
        ("u é", "cannot be decoded"),
        ("u", "ends too early"),
        ("u" + base64url_encode(b"no gzip at all"), "is not gzip"),
        ("u" + base64url_encode(zlib.compress(bytes(8))), "is not gzip"),
    ],
)
def test_what_is_no_list_is_one_sentence(text, says):
    with pytest.raises(BrokenInput) as refused:
        decode_list(text)
    assert says in str(refused.value)
    assert "\n" not in str(refused.value)


# --- Entries --------------------------------------------------------------------------------------------


def test_an_entry_comes_back_from_its_json():
    entry = StatusEntry(URL, 94567, reasons_url=f"{URL}/reasons")
    value = entry.to_json()
    assert value == {
        "id": f"{URL}#94567",
        "type": "BitstringStatusListEntry",
        "statusPurpose": "revocation",
        "statusListIndex": "94567",
        "statusListCredential": URL,
        "statusReference": f"{URL}/reasons",
    }
    assert StatusEntry.from_json(value) == entry
    assert "statusReference" not in status_entry(URL, 1)


def test_an_index_written_as_a_number_is_read():
    assert StatusEntry.from_json({**status_entry(URL, 7), "statusListIndex": 7}).index == 7


@pytest.mark.parametrize(
    "index", [None, "", "-1", "+1", "1.0", "1e3", " 1", "١", "0x1", 1.0, True, -1, ["1"], {}, "9" * 13]
)
def test_an_index_that_is_no_number_is_one_sentence(index):
    with pytest.raises(BrokenInput, match=r"^credentialStatus: statusListIndex .* is not a number\.$"):
        StatusEntry.from_json({**status_entry(URL, 7), "statusListIndex": index})


@pytest.mark.parametrize("member", ["statusListCredential", "statusPurpose"])
@pytest.mark.parametrize("value", [None, 7, ["x"], {"id": URL}])
def test_an_entry_without_its_list_or_purpose_is_one_sentence(member, value):
    with pytest.raises(BrokenInput, match=rf"^credentialStatus: {member} is missing\.$"):
        StatusEntry.from_json({**status_entry(URL, 7), member: value})


@pytest.mark.parametrize("size", [0, -1, "1", None, [1], True, 1.0, 17, 10**9])
def test_a_size_that_is_no_small_number_of_bits_is_one_sentence(size):
    with pytest.raises(
        BrokenInput, match=r"^credentialStatus: statusSize .* is (not a number of|more than 16) bits\.$"
    ):
        StatusEntry.from_json({**status_entry(URL, 7), "statusSize": size})


WORDS = ("fine", "late", "undefined", "lost")


def test_an_entry_of_several_bits_has_a_word_for_each_value():
    entry = StatusEntry(URL, 7, purpose="message", size=2, messages=WORDS)
    value = entry.to_json()
    assert value["statusMessage"][2] == {"status": "0x2", "message": "undefined"}
    value["statusMessage"].reverse()
    assert StatusEntry.from_json(value) == entry, "in whatever order they stand"


@pytest.mark.parametrize(
    "messages",
    [
        None,
        {},
        [],
        [{"status": hex(n), "message": "x"} for n in range(3)],
        [{"status": hex(n), "message": "x"} for n in (0, 1, 2, 2)],
        [{"status": hex(n), "message": "x"} for n in (0, 1, 2, 4)],
        [{"status": hex(n), "message": n} for n in range(4)],
        [{"status": n, "message": "x"} for n in range(4)],
        [{"status": f"0x{n}g", "message": "x"} for n in range(4)],
        [{"message": "x"}] * 4,
        ["x"] * 4,
    ],
    ids=range(11),
)
def test_words_that_do_not_fit_the_values_are_one_sentence(messages):
    with pytest.raises(BrokenInput, match="statusMessage does not say what each value means"):
        StatusEntry.from_json({**status_entry(URL, 7), "statusSize": 2, "statusMessage": messages})


@given(st.integers(1, 16), st.lists(st.integers(0, 2**16 - 1), min_size=1, max_size=40))
def test_a_value_of_several_bits_is_read_where_it_stands(size, values):
    """Beside a list written as one long number in base 2."""
    values = [value % (1 << size) for value in values]
    digits = "".join(f"{value:0{size}b}" for value in values)
    bits = int(digits.ljust(-(-len(digits) // 8) * 8, "0"), 2).to_bytes(-(-len(digits) // 8), "big")
    assert [read_value(bits, index, size) for index in range(len(values))] == values
    with pytest.raises(BrokenInput, match="is not in a list of"):
        read_value(bits, len(bits) * 8 // size, size)


def test_of_several_references_the_first_leads_to_the_reasons():
    value = {**status_entry(URL, 7), "statusReference": [f"{URL}/reasons", "https://a.example/help"]}
    assert StatusEntry.from_json(value).reasons_url == f"{URL}/reasons"


# --- Reasons --------------------------------------------------------------------------------------------


def test_every_reason_has_a_number_of_its_own_and_every_reinstatement_is_0():
    numbers = {}
    for state in ("suspended", "revoked"):
        for code in REASONS[state]:
            number = reason_number(state, code)
            assert reason_of(number) == (state, code)
            numbers[number] = (state, code)
    assert len(numbers) == sum(len(REASONS[state]) for state in ("suspended", "revoked"))
    assert all(0 < number < 256 for number in numbers)
    assert {reason_number("valid", code) for code in REASONS["valid"]} == {0}


def test_the_numbers_once_published_keep_their_meaning():
    """These stand in lists that others have copies of: add new ones below, change none."""
    published = {
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
    assert {number: reason_of(number) for number in published} == published


@pytest.mark.parametrize("number", [0, 6, 15, 26, 255, 256, -1])
def test_a_number_of_a_later_version_says_nothing(number):
    assert reason_of(number) is None


@pytest.mark.parametrize(
    ("state", "code", "hint"),
    [
        ("revoked", "appeal", "use one of issued_in_error, result_corrected"),
        ("suspended", "", "use one of under_review"),
        ("deleted", "misconduct", "use one of states are valid, suspended, revoked"),
    ],
)
def test_a_reason_that_is_not_known_names_those_that_are(state, code, hint):
    with pytest.raises(BrokenInput) as refused:
        reason_number(state, code)
    assert hint in str(refused.value)


# --- Documents ------------------------------------------------------------------------------------------


def test_the_documents_to_publish_can_be_signed_whole():
    made = {"url": URL, "issuer": "did:web:a.example", "valid_from": NOW, "valid_until": NOW + timedelta(days=1)}
    bits, reasons = bytearray(SIZE), bytearray(LEAST_BITS)
    set_bit(bits, 7, True)
    reasons[7] = reason_number("revoked", "misconduct")
    status = status_list_credential(bits=bits, **made)
    why = reason_list_credential(reasons=reasons, **made)
    for document in (status, why):
        assert to_dataset(document, context_sets()[0]).losses == ()
        assert document["validUntil"] == "2026-11-25T09:00:00Z"
    assert status["credentialSubject"]["statusPurpose"] == "revocation"
    assert decode_list(status["credentialSubject"]["encodedList"]) == bits
    assert why["credentialSubject"]["statusPurpose"] == "message"
    assert decode_list(why["credentialSubject"]["encodedList"])[7] == 18
    assert "18 revoked: misconduct was established" in why["description"]


def test_a_list_in_which_an_index_could_not_hide_is_not_made():
    with pytest.raises(BrokenInput, match="131064 entries is shorter than 131,072"):
        status_list_credential(url=URL, issuer="did:web:a.example", bits=bytes(SIZE - 1), valid_from=NOW)
    with pytest.raises(BrokenInput, match="131071 reasons is shorter than 131,072"):
        reason_list_credential(url=URL, issuer="did:web:a.example", reasons=bytes(LEAST_BITS - 1), valid_from=NOW)


def test_a_reason_that_has_no_meaning_is_not_published():
    with pytest.raises(BrokenInput, match="reason number 6 is not known"):
        reason_list_credential(url=URL, issuer="did:web:a.example", reasons=bytes([6]) * LEAST_BITS, valid_from=NOW)


# --- What replaced what ---------------------------------------------------------------------------------

OLD, NEW = "urn:uuid:c0000000-0000-4000-8000-000000000001", "urn:uuid:5b5c1c3e-26f0-4a55-9b0e-6f7a7e6d1a11"


def _replacements(**options):
    made = reason_list_credential(
        url=URL, issuer="did:web:a.example", reasons=bytes(LEAST_BITS), valid_from=NOW, **options
    )
    return made, made["credentialSubject"]


def test_what_replaced_a_credential_is_readable_for_whoever_has_its_id():
    mark = replacement_mark(OLD, NEW)
    assert replacement_of(mark, OLD) == NEW
    assert replacement_of(mark, NEW) != NEW
    assert UUID(NEW).bytes not in mark
    assert replacement_of(bytes(16), OLD) == replacement_of(b"", OLD) == ""


@given(st.text(), st.uuids())
def test_every_replacement_comes_back(old, new):
    assert replacement_of(replacement_mark(old, new.urn), old) == new.urn


@pytest.mark.parametrize("id", ["", "https://a.example/1", "urn:uuid:x", "urn:uuid:"])
def test_a_replacement_without_a_uuid_is_one_sentence(id):
    with pytest.raises(BrokenInput, match=r"is no urn:uuid:\.$"):
        replacement_mark(OLD, id)


def test_the_list_of_replacements_stands_beside_the_reasons_and_can_be_signed_whole():
    document, (reasons, replacements) = _replacements(replaced={7: (OLD, NEW)})
    assert to_dataset(document, context_sets()[0]).losses == ()
    assert (reasons["statusPurpose"], replacements["statusPurpose"]) == ("message", "replacement")
    marks = decode_list(replacements["encodedList"])
    assert len(marks) == LEAST_BITS * 16
    assert replacement_of(marks[7 * 16 : 8 * 16], OLD) == NEW
    assert not any(marks[: 7 * 16] + marks[8 * 16 :])
    assert NEW.removeprefix("urn:uuid:") not in str(document)


def test_where_nothing_was_replaced_there_is_no_list_of_it():
    assert _replacements()[0] == _replacements(replaced={})[0]
    assert isinstance(_replacements()[1], dict)


def test_a_replacement_beyond_the_list_is_one_sentence():
    with pytest.raises(BrokenInput, match="is not in a list of 131072 entries"):
        _replacements(replaced={LEAST_BITS: (OLD, NEW)})
