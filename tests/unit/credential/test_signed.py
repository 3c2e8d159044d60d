"""Who signed, with whose key, under which contexts, and from when until when."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.unit.credential.award_cast import HARBOUR, LATER, NOW, award, signed_award, signer, web

from guildmark.core.codecs import jcs, multikey_encode
from guildmark.core.doors import Document
from guildmark.core.errors import BrokenInput, OutsideFailure
from guildmark.core.report import Verdict
from guildmark.credential.jsonld import context_sets
from guildmark.credential.keys import SoftwareSigner
from guildmark.credential.open_badge import IssuerProfile
from guildmark.credential.proof import sign_document
from guildmark.credential.signed import (
    MOST_FETCHES,
    World,
    dates,
    issuer_name,
    known_as,
    look_at_signature,
    plain,
    sentence,
)


def world() -> World:
    return World(now=LATER, fetcher=web())


# --- The key ---


def test_all_four_findings_pass_for_the_issuers_own_signature() -> None:
    signed = look_at_signature(signed_award(), world())
    assert [f.verdict for f in signed.findings] == [Verdict.PASS] * 4
    assert signed.trouble == ""


def test_trouble_is_the_first_finding_that_does_not_pass() -> None:
    signed = look_at_signature({**signed_award(), "name": "Other"}, world())
    assert signed.trouble == "The signature does not hold: something was changed, or another key signed it."


@pytest.mark.parametrize(
    ("member", "value", "says"),
    [
        ("revoked", "2026-01-01T00:00:00Z", "is revoked since 2026-01-01"),
        ("expires", "2026-11-24T09:00:00Z", "is out of use since 2026-11-24"),
        ("revoked", "sometime", "no readable date"),
        ("controller", "did:web:mallory.example", "not to the issuer"),
    ],
)
def test_a_key_that_its_owner_withdrew_or_does_not_control_is_not_the_issuers(
    member: str, value: str, says: str
) -> None:
    place = web()
    key = signer(HARBOUR)
    method = {
        "id": key.key_id,
        "type": "Multikey",
        "controller": HARBOUR.id,
        "publicKeyMultibase": multikey_encode("Ed25519", key.public_key),
        member: value,
    }
    url = "https://demo.guildmark.example/issuers/harbour-university/did.json"
    place.documents[url] = jcs({"id": HARBOUR.id, "verificationMethod": [method], "assertionMethod": [key.key_id]})
    found = look_at_signature(signed_award(), World(now=LATER, fetcher=place)).key_bound
    assert found.verdict is Verdict.FAIL
    assert says in found.says


def test_an_issuer_at_an_https_address_may_list_the_key_in_a_document_there() -> None:
    issuer = IssuerProfile("https://university.example/issuer", "Harbour University")
    key = SoftwareSigner(hashlib.sha256(b"https").digest(), f"{issuer.id}#key-1")
    place = web()
    method = {
        "id": key.key_id,
        "type": "Multikey",
        "controller": issuer.id,
        "publicKeyMultibase": multikey_encode("Ed25519", key.public_key),
    }
    place.documents[issuer.id] = jcs({"id": issuer.id, "assertionMethod": [method]})
    made = sign_document(award(issuer=issuer, endorsements=[]), key, created=NOW)
    found = look_at_signature(made, World(now=LATER, fetcher=place)).key_bound
    assert found.verdict is Verdict.PASS
    assert found.says.endswith("it is listed at university.example.")


# --- Contexts ---


def test_a_document_that_means_the_same_under_both_revisions_holds_whichever_it_was_signed_under() -> None:
    older = context_sets()[1]
    made = sign_document(award(), signer(HARBOUR), created=NOW, contexts=older)
    assert look_at_signature(made, world()).signature.verdict is Verdict.PASS


def test_what_only_the_newer_context_defines_is_not_covered_by_a_signature_under_the_older() -> None:
    older = context_sets()[1]
    made = sign_document(award(), signer(HARBOUR), created=NOW, contexts=older)
    made["endorsementJwt"] = ["eyJhbGciOiJub25lIn0.e30."]
    signed = look_at_signature(made, world())
    assert signed.signature.verdict is Verdict.PASS
    assert older.name in signed.context.says
    assert signed.lossless.verdict is Verdict.FAIL
    assert "endorsementJwt" in signed.lossless.says


# --- Dates ---


@pytest.mark.parametrize(
    ("members", "verdict", "says"),
    [
        ({}, Verdict.NOT_APPLICABLE, "It gives no dates."),
        ({"validFrom": "2026-01-01T00:00:00Z"}, Verdict.PASS, "Valid from 2026-01-01, without an end."),
        ({"validUntil": "2026-12-01T00:00:00Z"}, Verdict.PASS, "Valid until 2026-12-01."),
        ({"validUntil": "2026-11-24T10:00:00Z"}, Verdict.PASS, "Valid until 2026-11-24."),
        ({"validUntil": "2026-11-24T09:59:59Z"}, Verdict.FAIL, "Expired on 2026-11-24."),
        ({"validFrom": "2026-11-24T20:00:01+10:00"}, Verdict.FAIL, "Not valid yet: it counts from 2026-11-24."),
        ({"issuanceDate": "2027-01-01T00:00:00Z"}, Verdict.FAIL, "Not valid yet: it counts from 2027-01-01."),
        ({"expirationDate": "2020-01-01T00:00:00Z"}, Verdict.FAIL, "Expired on 2020-01-01."),
        ({"validUntil": "2026-12-01T00:00:00"}, Verdict.FAIL, "no time zone"),
        ({"validUntil": "next year"}, Verdict.FAIL, "not a date"),
        ({"validUntil": None}, Verdict.FAIL, "not a date"),
        ({"validFrom": ["2026-01-01T00:00:00Z"]}, Verdict.FAIL, "not a date"),
        ({"validUntil": "9999-12-31T23:59:59-14:00"}, Verdict.FAIL, "beyond the calendar"),
    ],
)
def test_dates_are_told_in_words(members: dict[str, Any], verdict: Verdict, says: str) -> None:
    found = dates(members, datetime(2026, 11, 24, 10, 0, tzinfo=UTC))
    assert found.verdict is verdict
    assert says in found.says


# --- The world ---


class Counting:
    def __init__(self) -> None:
        self.asked: list[str] = []

    def fetch(self, url: str) -> Document:
        self.asked.append(url)
        if url == "https://bad":
            raise BrokenInput("is no address", where=url)
        if url.startswith("https://gone"):
            raise OutsideFailure(f"{url} is gone")
        return Document(url, b"{}")


def test_a_document_is_fetched_once_and_a_failure_stays_the_same() -> None:
    fetcher = Counting()
    place = World(now=NOW, fetcher=fetcher)
    assert place.fetch("https://a").body == place.fetch("https://a").body
    for _ in range(2):
        with pytest.raises(OutsideFailure, match="is gone"):
            place.fetch("https://gone")
    assert fetcher.asked == ["https://a", "https://gone"]


def test_an_address_that_is_none_is_out_of_reach_and_not_the_users_mistake() -> None:
    with pytest.raises(OutsideFailure, match="is no address"):
        World(now=NOW, fetcher=Counting()).fetch("https://bad")


def test_one_verification_fetches_a_bounded_number_of_documents() -> None:
    fetcher = Counting()
    place = World(now=NOW, fetcher=fetcher)
    for number in range(MOST_FETCHES):
        place.fetch(f"https://a/{number}")
    with pytest.raises(OutsideFailure, match="more than"):
        place.fetch("https://one.more")
    assert len(fetcher.asked) == MOST_FETCHES
    assert place.fetch("https://a/1").url == "https://a/1"


# --- Words ---


@pytest.mark.parametrize(
    ("issuer", "name", "known"),
    [
        ("did:web:a.example", "did:web:a.example", "did:web:a.example"),
        ({"id": "did:web:a.example", "name": "A"}, "A", "A (did:web:a.example)"),
        ({"id": "did:web:a.example", "name": {"@value": "A", "@language": "en"}}, "A", "A (did:web:a.example)"),
        ({"id": "did:web:a.example", "name": [{"@value": "A"}]}, "A", "A (did:web:a.example)"),
        ({"id": "did:web:a.example", "name": "  "}, "did:web:a.example", "did:web:a.example"),
        ({"name": "A"}, "A", "A"),
        ({}, "nobody in particular", "nobody in particular"),
        ([], "nobody in particular", "nobody in particular"),
        (7, "nobody in particular", "nobody in particular"),
    ],
)
def test_an_issuer_is_named_with_its_identifier(issuer: Any, name: str, known: str) -> None:
    assert issuer_name({"issuer": issuer}) == name
    assert known_as({"issuer": issuer}) == known


def test_text_of_strangers_is_one_short_line_without_tricks() -> None:
    assert plain("a\nb\x1b[31m\u202ec") == "a b [31m c"
    assert len(plain("x" * 500)) == 120
    assert sentence("It is so") == sentence("It is so.") == "It is so."
    assert sentence("x" * 900).endswith("…")
