"""A status list that may be trusted decides; one that may not leaves the answer unknown."""

from __future__ import annotations

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
from guildmark.credential.status import LEAST_BITS, encode_list, set_bit, status_entry, status_list_credential


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


@pytest.mark.parametrize("entry", ["https://a.example/1", {"type": "StatusList2021Entry"}, {"id": "x"}, 7, [[]]])
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


# --- The older 1EdTech Revocation List ---

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


def test_an_older_list_without_a_safe_address_tells_nothing() -> None:
    document = {**signed_award(), "credentialStatus": {"id": "http://a.example", "type": "1EdTechRevocationList"}}
    assert status(web(), document).verdict is Verdict.UNKNOWN
