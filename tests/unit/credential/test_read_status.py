"""A status list that may be trusted decides; one that may not leaves the answer unknown."""

from __future__ import annotations

import base64
import gzip
import json
from datetime import timedelta
from typing import Any

import pytest
from tests.unit.credential.award_cast import (
    HARBOUR,
    INDEX,
    LATER,
    LIST,
    MALLORY,
    NOW,
    RHEIN,
    Web,
    signed,
    signed_award,
    web,
)

from guildmark.core.codecs import base64url_encode, iso, jcs
from guildmark.core.report import Finding, Verdict
from guildmark.credential.read_status import MOST_ENTRIES, status_findings
from guildmark.credential.signed import World
from guildmark.credential.status import (
    LEAST_BITS,
    encode_list,
    read_bit,
    reason_list_credential,
    reason_number,
    set_bit,
    status_entry,
    status_list_credential,
)


def status(place: Web, document: dict[str, Any] | None = None, **changes: Any) -> Finding:
    made = document or signed_award()
    if changes:
        made["credentialStatus"] = {**made["credentialStatus"], **changes}
    return status_findings(made, World(now=LATER, fetcher=place))[0]


def listing(**changes: Any) -> dict[str, Any]:
    """An unsigned list of Harbour University in which the award is revoked."""
    bits = bytearray(LEAST_BITS // 8)
    set_bit(bits, INDEX, True)
    made = status_list_credential(url=LIST, issuer=HARBOUR.id, bits=bytes(bits), valid_from=NOW)
    subject = changes.pop("subject", {})
    return {**made, **changes, "credentialSubject": {**made["credentialSubject"], **subject}}


def serving(document: dict[str, Any] | bytes, **signing: Any) -> Web:
    place = web()
    place.documents[LIST] = document if isinstance(document, bytes) else jcs(signed(document, **signing))
    return place


# --- The bit and its reason ---


def test_a_bit_that_is_not_set_passes() -> None:
    assert status(web()).verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("state", "code", "says"),
    [
        ("suspended", "integrity_inquiry", "Suspended: an inquiry into academic integrity is open."),
        ("suspended", "at_holders_request", "Suspended: its holder asked for it."),
        ("revoked", "issued_in_error", "Revoked: issued in error."),
        ("revoked", "key_compromised", "Revoked: the key that signed it was exposed."),
        ("revoked", "component_revoked", "Revoked: a credential it builds on is revoked."),
    ],
)
def test_suspended_and_revoked_are_told_apart_with_their_reason(state: str, code: str, says: str) -> None:
    found = status(web(award=(state, code)))
    assert found.verdict is Verdict.FAIL
    assert found.says.startswith(says)
    assert found.because["state"] == state
    assert found.because["reason"] == code


def test_a_set_bit_fails_even_if_the_reason_is_out_of_reach() -> None:
    place = web(award=("revoked", "misconduct"))
    del place.documents[f"{LIST}/reasons"]
    found = status(place)
    assert found.verdict is Verdict.FAIL
    assert found.says == (
        "Revoked or suspended, says the list of Harbour University of 2026-11-24. The reason could not be read."
    )


def test_reasons_of_another_issuer_are_not_read() -> None:
    place = web(award=("revoked", "misconduct"))
    reasons = json.loads(place.documents[f"{LIST}/reasons"])
    place.documents[f"{LIST}/reasons"] = jcs(signed({**reasons, "issuer": MALLORY.id}, MALLORY))
    assert "misconduct" not in status(place).says


def test_without_a_list_of_reasons_a_set_bit_is_a_revocation() -> None:
    document = signed_award()
    document["credentialStatus"] = status_entry(LIST, INDEX)
    found = status(web(award=("revoked", "misconduct")), document)
    assert found.says == "Revoked, says the list of Harbour University of 2026-11-24."


def test_the_bit_before_and_after_belong_to_others() -> None:
    place = web(award=("revoked", "misconduct"))
    for index in (INDEX - 1, INDEX + 1):
        assert status(place, statusListIndex=str(index)).verdict is Verdict.PASS


def test_a_list_for_suspension_suspends() -> None:
    place = serving(listing(subject={"statusPurpose": "suspension"}))
    found = status(place, statusPurpose="suspension")
    assert found.id == "status.suspension"
    assert found.says == "Suspended, says the list of Harbour University of 2026-11-24."


def test_a_list_may_have_several_purposes() -> None:
    place = serving(listing(subject={"statusPurpose": ["suspension", "revocation"]}))
    assert status(place).verdict is Verdict.FAIL


# --- Lists that tell nothing ---


@pytest.mark.parametrize(
    ("place", "says"),
    [
        (Web({}), "out of reach"),
        (serving(b"<html>"), "not a readable document"),
        (serving(b'{"type": "x", "type": "y"}'), "not a readable document"),
        (serving(b"[]"), "not a readable document"),
        (serving(b'{"type": ["VerifiableCredential"]}'), "not a status list"),
        (serving(jcs(listing())), "not signed at all"),
        (serving(listing(), by=MALLORY), f"belongs to {MALLORY.id}"),
        (serving(listing(issuer=RHEIN.id), by=RHEIN), "not from the issuer"),
        (serving(listing(issuer=MALLORY.id), by=MALLORY), "not from the issuer"),
        (serving(listing(id=f"{LIST}0")), "another list"),
        (serving(listing(validFrom=iso(NOW + timedelta(days=2)))), "not one for today"),
        (serving(listing(validUntil=iso(NOW + timedelta(minutes=1)))), "Expired"),
        (serving(listing(subject={"encodedList": encode_list(bytes(LEAST_BITS // 8 - 1))})), "shorter"),
        (serving(listing(subject={"encodedList": "u" + base64url_encode(b"not gzip")})), "cannot be unpacked"),
        (serving(listing(subject={"encodedList": "zabc"})), "cannot be unpacked"),
    ],
)
def test_a_list_that_may_not_be_trusted_leaves_it_unknown(place: Web, says: str) -> None:
    found = status(place)
    assert found.verdict is Verdict.UNKNOWN
    assert found.required
    assert says in found.says
    errors = {
        "STATUS_RETRIEVAL_ERROR",
        "STATUS_VERIFICATION_ERROR",
        "STATUS_LIST_LENGTH_ERROR",
        "MALFORMED_VALUE_ERROR",
    }
    assert found.because["error"] in errors


SHORT = {"encodedList": encode_list(bytes(LEAST_BITS // 8 - 1))}


@pytest.mark.parametrize(
    ("place", "changes", "error"),
    [
        (Web({}), {}, "STATUS_RETRIEVAL_ERROR"),
        (serving(b"<html>"), {}, "STATUS_RETRIEVAL_ERROR"),
        (serving(listing(), by=MALLORY), {}, "STATUS_VERIFICATION_ERROR"),
        (serving(listing(validUntil=iso(NOW + timedelta(minutes=1)))), {}, "STATUS_VERIFICATION_ERROR"),
        (serving(listing(subject={"statusPurpose": "message"})), {}, "STATUS_VERIFICATION_ERROR"),
        (serving(listing(subject={"encodedList": "zabc"})), {}, "MALFORMED_VALUE_ERROR"),
        (serving({**listing(), "credentialSubject": {"id": f"{LIST}#list"}}), {}, "MALFORMED_VALUE_ERROR"),
        (serving(listing(subject=SHORT)), {}, "STATUS_LIST_LENGTH_ERROR"),
        (web(), {"statusListIndex": str(LEAST_BITS)}, "RANGE_ERROR"),
        (web(), {"statusListIndex": "-1"}, "MALFORMED_VALUE_ERROR"),
        (web(), {"statusSize": 0}, "MALFORMED_VALUE_ERROR"),
        # The first question that has a bad answer is the one that is told.
        (serving(listing(subject={**SHORT, "statusPurpose": "message"})), {}, "STATUS_VERIFICATION_ERROR"),
        (serving(listing(subject=SHORT)), {"statusListIndex": str(LEAST_BITS)}, "STATUS_LIST_LENGTH_ERROR"),
    ],
    ids=range(13),
)
def test_each_error_has_the_name_that_the_standard_gives_it(place: Web, changes: dict[str, Any], error: str) -> None:
    assert status(place, **changes).because["error"] == error


def test_a_list_is_fetched_and_verified_once_for_many_credentials() -> None:
    place = web()
    world = World(now=LATER, fetcher=place)
    for index in range(50):
        document = {**signed_award(), "credentialStatus": status_entry(LIST, index)}
        assert status_findings(document, world)[0].verdict is Verdict.PASS
    assert place.asked.count(LIST) == 1
    del place.documents[LIST]
    assert status_findings(signed_award(), world)[0].verdict is Verdict.PASS


def test_a_list_that_cannot_be_had_is_asked_for_once() -> None:
    place, findings = Web({}), set()
    world = World(now=LATER, fetcher=place)
    for _ in range(50):
        findings.add(status_findings(signed_award(), world)[0].says)
    assert len(findings) == place.asked.count(LIST) == 1
    problem, depth = next(iter(world.lists.values())).__traceback__, 0
    while problem is not None:
        problem, depth = problem.tb_next, depth + 1
    assert depth < 10, "what is remembered does not grow"


def test_a_changed_bit_breaks_the_lists_signature() -> None:
    document = signed(listing())
    document["credentialSubject"]["encodedList"] = encode_list(bytes(LEAST_BITS // 8))
    found = status(serving(jcs(document)))
    assert found.verdict is Verdict.UNKNOWN
    assert "signature does not hold" in found.says


def test_a_list_that_would_fill_the_memory_is_not_unpacked() -> None:
    bomb = gzip.compress(bytes(64 * 1024 * 1024))
    found = status(serving(listing(subject={"encodedList": "u" + base64url_encode(bomb)})))
    assert found.verdict is Verdict.UNKNOWN
    assert "more than" in found.says


# --- Entries that are wrong in themselves ---


def test_an_entry_for_another_purpose_than_its_list_fails() -> None:
    found = status(serving(listing(subject={"statusPurpose": "message"})))
    assert found.verdict is Verdict.FAIL
    assert found.says == "Its status entry points at a list for something else (message)."


def test_an_entry_beyond_the_end_of_the_list_fails() -> None:
    assert status(web(), statusListIndex=str(LEAST_BITS)).verdict is Verdict.FAIL
    assert status(web(), statusListIndex=str(LEAST_BITS - 1)).verdict is Verdict.PASS


@pytest.mark.parametrize("index", ["-1", "1.0", "", "abc", "٣", None, True, [], "9" * 13])
def test_an_index_that_is_no_number_fails(index: Any) -> None:
    assert status(web(), statusListIndex=index).verdict is Verdict.FAIL


@pytest.mark.parametrize("entry", ["https://a.example/1", {"type": "RevocationList2020Status"}, {"id": "x"}, 7, [[]]])
def test_a_status_of_a_kind_not_known_here_is_unknown(entry: Any) -> None:
    found = status_findings({**signed_award(), "credentialStatus": [entry]}, World(now=LATER, fetcher=web()))
    assert found[0].verdict is Verdict.UNKNOWN
    assert found[0].required


def test_a_status_that_only_tells_something_more_is_advice() -> None:
    found = status(web(), statusPurpose="refresh")
    assert found.verdict is Verdict.UNKNOWN
    assert not found.required
    assert found.id == "status.refresh"


def test_every_entry_counts_and_each_finding_has_its_own_name() -> None:
    document = signed_award()
    clean = status_entry(LIST, 5)
    document["credentialStatus"] = [clean, document["credentialStatus"]]
    found = status_findings(document, World(now=LATER, fetcher=web(award=("revoked", "misconduct"))))
    assert [(f.id, f.verdict) for f in found] == [
        ("status.revocation", Verdict.PASS),
        ("status.revocation.2", Verdict.FAIL),
    ]


def test_more_entries_than_are_looked_at_leave_it_unknown() -> None:
    document = {**signed_award(), "credentialStatus": [status_entry(LIST, n) for n in range(50)]}
    found = status_findings(document, World(now=LATER, fetcher=web()))
    assert len(found) == MOST_ENTRIES + 1
    assert found[-1].verdict is Verdict.UNKNOWN


def test_no_status_at_all_does_not_apply() -> None:
    document = {key: value for key, value in signed_award().items() if key != "credentialStatus"}
    assert status(web(), document).verdict is Verdict.NOT_APPLICABLE


# --- What replaced it ---

NEW = "urn:uuid:5b5c1c3e-26f0-4a55-9b0e-6f7a7e6d1a11"


def reasons(code: str, state: str = "revoked", **options: Any) -> Web:
    """The award's bit is set, for this reason, and the list of replacements says what `replaced` says."""
    place = web(award=(state, code))
    marks = bytearray(LEAST_BITS)
    marks[INDEX] = reason_number(state, code)
    document = reason_list_credential(
        url=f"{LIST}/reasons", issuer=HARBOUR.id, reasons=bytes(marks), valid_from=NOW, **options
    )
    place.documents[f"{LIST}/reasons"] = jcs(signed(document))
    return place


def replaced() -> dict[int, tuple[str, str]]:
    return {INDEX: (signed_award()["id"], NEW)}


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("corrected", "it said something wrong, and a corrected one takes its place."),
        ("result_corrected", "the result it rests on was corrected."),
        ("key_compromised", "the key that signed it was exposed."),
        ("renewed", "it was renewed for a further term."),
        ("reissued", "it was issued anew."),
    ],
)
def test_a_replaced_credential_says_by_what_and_why(code: str, why: str) -> None:
    found = status(reasons(code, replaced=replaced()))
    assert found.verdict is Verdict.FAIL
    assert found.says == (
        f"Replaced by a newer credential, {NEW}: {why} So says the list of Harbour University of 2026-11-24."
    )
    assert (found.because["replaced by"], found.because["reason"]) == (NEW, code)


def test_without_a_list_of_replacements_the_reason_is_told_all_the_same() -> None:
    assert status(reasons("renewed")).says.startswith("Revoked: it was renewed for a further term.")


def test_whoever_does_not_have_the_credential_does_not_learn_what_replaced_it() -> None:
    place = reasons("corrected", replaced=replaced())
    stranger = {**signed_award(), "id": "urn:uuid:c0000000-0000-4000-8000-000000000000"}
    assert status(place, stranger).because["replaced by"] != NEW
    assert b"5b5c1c3e" not in place.documents[f"{LIST}/reasons"]


def test_what_only_is_suspended_was_not_replaced() -> None:
    found = status(reasons("under_review", "suspended", replaced=replaced()))
    assert "replaced by" not in found.because
    assert found.says.startswith("Suspended: it is under review.")


@pytest.mark.parametrize("text", ["", "zabc", encode_list(bytes(16)), encode_list(bytes(5 * 1024 * 1024)), 7])
def test_replacements_that_cannot_be_read_leave_the_reason(text: Any) -> None:
    place = reasons("corrected", replaced=replaced())
    document = json.loads(place.documents[f"{LIST}/reasons"])
    document["credentialSubject"][1]["encodedList"] = text
    place.documents[f"{LIST}/reasons"] = jcs(signed(document))
    assert status(place).says.startswith("Revoked: it said something wrong")


# --- Entries of more bits, and entries that decide nothing ---

WORDS = [{"status": hex(n), "message": word} for n, word in enumerate(["fine", "late", "undefined", "lost"])]


def wide(value: int, purpose: str = "message") -> Web:
    """A list of two bits an entry in which the award has this value and both its neighbours have the other bits."""
    bits = bytearray(LEAST_BITS // 4)
    for index, number in ((INDEX - 1, ~value), (INDEX, value), (INDEX + 1, ~value)):
        for bit in (0, 1):
            set_bit(bits, index * 2 + bit, bool(number >> (1 - bit) & 1))
    return serving(listing(subject={"statusPurpose": purpose, "encodedList": encode_list(bytes(bits))}))


@pytest.mark.parametrize("value", range(4))
def test_a_message_is_read_for_programs_and_decides_nothing(value: int) -> None:
    entry = {**status_entry(LIST, INDEX, purpose="message"), "statusSize": 2, "statusMessage": WORDS}
    document = {**signed_award(), "credentialStatus": entry}
    first, message = status_findings(document, World(now=LATER, fetcher=wide(value)))
    assert (first.id, first.verdict, first.required) == ("status.revocation", Verdict.UNKNOWN, True)
    assert (message.id, message.verdict, message.required) == ("status.message", Verdict.UNKNOWN, False)
    assert (message.because["value"], message.because["message"]) == (value, WORDS[value]["message"])
    assert WORDS[value]["message"] not in message.says, "the standard asks not to show it to people"


@pytest.mark.parametrize(("value", "verdict"), [(0, Verdict.PASS), (1, Verdict.FAIL), (2, Verdict.FAIL)])
def test_a_revocation_of_more_bits_than_one_is_one_if_any_is_set(value: int, verdict: Verdict) -> None:
    found = status(wide(value, "revocation"), statusSize=2, statusMessage=WORDS, statusReference="")
    assert found.verdict is verdict
    assert found.because["value"] == value


def test_a_list_too_short_for_the_size_of_its_entries_tells_nothing() -> None:
    found = status(web(), statusSize=2, statusMessage=WORDS)
    assert found.verdict is Verdict.UNKNOWN
    assert found.because["error"] == "STATUS_LIST_LENGTH_ERROR"


@pytest.mark.parametrize(("bit", "verdict"), [(False, Verdict.PASS), (True, Verdict.UNKNOWN)])
def test_a_newer_edition_is_told_and_decides_nothing(bit: bool, verdict: Verdict) -> None:
    bits = bytearray(LEAST_BITS // 8)
    set_bit(bits, INDEX, bit)
    place = serving(listing(subject={"statusPurpose": "refresh", "encodedList": encode_list(bytes(bits))}))
    found = status(place, statusPurpose="refresh")
    assert (found.id, found.verdict, found.required) == ("status.refresh", verdict, False)


@pytest.mark.parametrize("changes", [{"statusListIndex": "x"}, {"statusSize": 2}, {"statusListIndex": str(LEAST_BITS)}])
def test_a_message_that_is_wrong_is_advice(changes: dict[str, Any]) -> None:
    place = serving(listing(subject={"statusPurpose": "message"}))
    document = {**signed_award(), "credentialStatus": {**status_entry(LIST, INDEX, purpose="message"), **changes}}
    found = status_findings(document, World(now=LATER, fetcher=place))[-1]
    assert (found.verdict, found.required) == (Verdict.UNKNOWN, False)


# --- Status List 2021, of badges of VC Data Model 1.1 ---


def of_2021(*, text: str = "", revoked: bool = False) -> Web:
    bits = bytearray(LEAST_BITS // 8)
    set_bit(bits, INDEX, revoked)
    return serving(
        {
            "@context": ["https://www.w3.org/2018/credentials/v1", "https://w3id.org/vc/status-list/2021/v1",
                         "https://w3id.org/security/data-integrity/v2"],
            "id": LIST,
            "type": ["VerifiableCredential", "StatusList2021Credential"],
            "issuer": HARBOUR.id,
            "issuanceDate": iso(NOW),
            "credentialSubject": {
                "id": f"{LIST}#list",
                "type": "StatusList2021",
                "statusPurpose": "revocation",
                "encodedList": text or encode_list(bytes(bits))[1:],
            },
        }
    )  # fmt: skip


@pytest.mark.parametrize("revoked", [False, True])
def test_a_list_of_2021_is_read(revoked: bool) -> None:
    found = status(of_2021(revoked=revoked), type="StatusList2021Entry", statusReference="")
    assert found.verdict is (Verdict.FAIL if revoked else Verdict.PASS)
    assert found.source.startswith("Status List 2021")


def test_a_list_of_2021_in_plain_base64_is_read() -> None:
    noise = bytes(range(256)) * (LEAST_BITS // 8 // 256)
    text = base64.b64encode(gzip.compress(noise)).decode()
    assert {"+", "/"} & set(text)
    found = status(of_2021(text=text), type="StatusList2021Entry", statusReference="")
    assert found.verdict is (Verdict.FAIL if read_bit(noise, INDEX) else Verdict.PASS)


@pytest.mark.parametrize("pair", [("StatusList2021Entry", web()), ("BitstringStatusListEntry", of_2021())], ids=[0, 1])
def test_an_entry_of_one_form_and_a_list_of_the_other_tell_nothing(pair: tuple[str, Web]) -> None:
    kind, place = pair
    assert status(place, type=kind).verdict is Verdict.UNKNOWN


# --- The 1EdTech Revocation List ---

OLD = "https://demo.guildmark.example/revocations"


@pytest.mark.parametrize(
    ("body", "verdict", "says"),
    [
        ({"issuer": HARBOUR.id, "revokedCredential": []}, Verdict.PASS, "not signed"),
        ({"issuer": {"id": HARBOUR.id}, "revokedCredential": [{"id": "urn:x"}, 7]}, Verdict.PASS, "Not revoked"),
        ({"issuer": HARBOUR.id, "revokedCredential": [{"id": "ours"}]}, Verdict.FAIL, "Revoked, says"),
        (
            {"issuer": HARBOUR.id, "revokedCredential": [{"id": "ours", "revocationReason": "An error."}]},
            Verdict.FAIL,
            "Revoked, says the list of Harbour University: An error.",
        ),
        ({"issuer": HARBOUR.id, "revokedCredential": [{"id": "ours", "revoked": False}]}, Verdict.PASS, "Not"),
        ({"issuer": MALLORY.id, "revokedCredential": []}, Verdict.UNKNOWN, "not the list of its issuer"),
        ({"issuer": HARBOUR.id}, Verdict.UNKNOWN, "not the list of its issuer"),
        ([], Verdict.UNKNOWN, "not the list of its issuer"),
        (None, Verdict.UNKNOWN, "out of reach"),
    ],
)
def test_the_older_list_is_read_as_it_is(body: Any, verdict: Verdict, says: str) -> None:
    document = signed_award()
    document["credentialStatus"] = {"id": OLD, "type": "1EdTechRevocationList"}
    place = web()
    if body is not None:
        place.documents[OLD] = json.dumps(body).replace('"ours"', json.dumps(document["id"])).encode()
    found = status(place, document)
    assert found.verdict is verdict
    assert says in found.says


def test_ids_in_that_list_are_compared_percent_decoded() -> None:
    document = {**signed_award(), "id": "https://a.example/b%20c"}
    document["credentialStatus"] = {"id": OLD, "type": "1EdTechRevocationList"}
    place = web()
    place.documents[OLD] = jcs({"issuer": HARBOUR.id, "revokedCredential": [{"id": " https://a.example/b c "}]})
    assert status(place, document).verdict is Verdict.FAIL


def test_that_list_too_is_read_once_for_many_credentials() -> None:
    place = web()
    place.documents[OLD] = jcs({"issuer": HARBOUR.id, "revokedCredential": [{"id": f"urn:x:{n}"} for n in range(2000)]})
    world, found = World(now=LATER, fetcher=place), []
    for number in (7, 1999, 2000):
        document = {**signed_award(), "id": f"urn:x:{number}"}
        document["credentialStatus"] = {"id": OLD, "type": "1EdTechRevocationList"}
        found.append(status_findings(document, world)[0].verdict)
    assert found == [Verdict.FAIL, Verdict.FAIL, Verdict.PASS]
    assert place.asked.count(OLD) == 1


def test_an_older_list_without_a_safe_address_tells_nothing() -> None:
    document = {**signed_award(), "credentialStatus": {"id": "http://a.example", "type": "1EdTechRevocationList"}}
    assert status(web(), document).verdict is Verdict.UNKNOWN
