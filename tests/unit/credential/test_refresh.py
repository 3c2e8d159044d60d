"""A credential is refreshed once, by its own issuer and nobody else, and the report says which edition was judged."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest
from tests.unit.credential.award_cast import (
    BASE,
    LATER,
    LIST,
    MALLORY,
    NOW,
    ZOE,
    Web,
    award,
    signed,
    verified,
    web,
)

from guildmark.core.codecs import iso, jcs
from guildmark.core.report import Finding, Report, Verdict
from guildmark.credential.status import status_entry
from guildmark.credential.verify import verify_and_read

PLACE = f"{BASE}/refresh/1"
EXTENSIONS = "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json"
SERVICE = {"id": PLACE, "type": "1EdTechCredentialRefresh"}


def badge(service: Any = SERVICE, **changes: Any) -> dict[str, Any]:
    made = award(endorsements=[], map_url="", approval=None)
    return {**made, "@context": [*made["@context"], EXTENSIONS], "refreshService": service, **changes}


OLD = signed(badge())
SOON = iso(NOW + timedelta(minutes=10))


def newer(**changes: Any) -> dict[str, Any]:
    return badge(validFrom=SOON, **changes)


def serving(document: Any, **documents: bytes) -> Web:
    place = web()
    if document is not None:
        place.documents[PLACE] = document if isinstance(document, bytes) else jcs(document)
    place.documents.update(documents)
    return place


def told(report: Report) -> tuple[Finding, str]:
    finding = report["document.refresh"]
    assert finding.required is False
    return finding, finding.because["judged"]


def test_the_newer_edition_is_the_one_that_is_judged() -> None:
    report = verified(OLD, serving(signed(newer(name="A better name"))))
    finding, judged = told(report)
    assert (finding.verdict, judged) == (Verdict.PASS, "the newer edition")
    assert finding.says == "Its issuer has published a newer edition of it, of 2026-11-24, and that one was judged."
    assert report.subject.startswith("“A better name”")
    assert report.verdict is Verdict.PASS


def test_whoever_reads_it_reads_the_edition_that_was_judged() -> None:
    place = serving(signed(newer(name="A better name")))
    report, read = verify_and_read(jcs(OLD), now=LATER, fetcher=place)
    assert (told(report)[1], read["name"]) == ("the newer edition", "A better name")
    assert verify_and_read(jcs(OLD), now=LATER, fetcher=serving(None))[1] == OLD


def test_an_edition_that_was_withdrawn_is_withdrawn_though_the_old_one_holds() -> None:
    later = signed(newer(credentialStatus=status_entry(LIST, 5, f"{LIST}/reasons")))
    place = web(award=("revoked", "misconduct"))  # the old one is
    place.documents[PLACE] = jcs(later)
    report = verified(OLD, place)
    assert (told(report)[1], report.verdict) == ("the newer edition", Verdict.PASS)
    ended = signed(newer(validUntil=iso(NOW + timedelta(minutes=20))))
    report = verified(OLD, serving(ended))
    assert (told(report)[1], report.verdict) == ("the newer edition", Verdict.FAIL)


def test_a_newer_edition_is_not_refreshed_again() -> None:
    place = serving(signed(newer(service={**SERVICE, "id": f"{PLACE}/again"})))
    place.documents[f"{PLACE}/again"] = jcs(signed(badge(validFrom=iso(NOW + timedelta(minutes=20)))))
    report = verified(OLD, place)
    assert [f.id for f in report.findings].count("document.refresh") == 1
    assert f"{PLACE}/again" not in place.asked


def test_whose_it_is_is_asked_of_the_edition_that_was_judged() -> None:
    other = newer()
    other["credentialSubject"]["identifier"] = other["credentialSubject"]["identifier"][1:]
    report = verified(OLD, serving(signed(other)), recipient=ZOE.email)
    assert report["recipient"].verdict is Verdict.UNKNOWN
    assert verified(OLD, serving(None), recipient=ZOE.email)["recipient"].verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("service", "says", "verdict"),
    [
        (None, "out of reach", Verdict.UNKNOWN),
        (b"<html>", "does not have this credential", Verdict.UNKNOWN),
        (b"[]", "does not have this credential", Verdict.UNKNOWN),
        (b"", "does not have this credential", Verdict.UNKNOWN),
        (b"x" * 5_000_001, "does not have this credential", Verdict.UNKNOWN),
        (signed(newer(id="urn:uuid:another")), "does not have this credential", Verdict.UNKNOWN),
        (
            signed({**newer(), "issuer": MALLORY.to_profile()}, MALLORY),
            "does not have this credential",
            Verdict.UNKNOWN,
        ),
        (signed(newer(), MALLORY), "does not hold", Verdict.UNKNOWN),
        ({**signed(newer()), "name": "Changed"}, "does not hold", Verdict.UNKNOWN),
        ({**signed(newer()), "validFrom": "soon"}, "cannot be told from their dates", Verdict.UNKNOWN),
        (OLD, "no newer edition", Verdict.PASS),
        (signed(badge(validFrom=iso(NOW - timedelta(days=1)))), "no newer edition", Verdict.PASS),
    ],
    ids=range(12),
)
def test_otherwise_the_credential_at_hand_is_judged(service: Any, says: str, verdict: Verdict) -> None:
    report = verified(OLD, serving(service))
    finding, judged = told(report)
    assert (finding.verdict, judged) == (verdict, "the credential at hand")
    assert says in finding.says
    assert report.verdict is Verdict.PASS
    assert report.subject == verified(signed(award())).subject


@pytest.mark.parametrize(
    ("service", "says"),
    [
        ({**SERVICE, "id": "http://demo.guildmark.example/refresh/1"}, "no safe address"),
        ({**SERVICE, "id": "file:///etc/passwd"}, "no safe address"),
        ({"id": PLACE, "type": "MediatedRefresh2021"}, "of a kind that is not asked here (MediatedRefresh2021)"),
        ({"id": PLACE}, "of a kind that is not asked here (no type)"),
        ("here", "of a kind that is not asked here"),
        ([], "of a kind that is not asked here"),
    ],
    ids=range(6),
)
def test_other_services_are_not_asked(service: Any, says: str) -> None:
    place = serving(signed(newer()))
    document = {**OLD, "refreshService": service}  # its signature no longer holds, which comes second
    finding, judged = told(verified(document, place))
    assert (finding.verdict, judged) == (Verdict.UNKNOWN, "the credential at hand")
    assert says in finding.says
    assert PLACE not in place.asked


def test_nobody_but_the_issuer_sends_a_verifier_anywhere() -> None:
    place = serving(signed(newer()))
    report = verified({**OLD, "name": "Changed"}, place)
    assert "was not asked" in told(report)[0].says
    assert report.verdict is Verdict.FAIL
    assert PLACE not in place.asked


def test_without_a_service_nothing_is_said() -> None:
    assert "document.refresh" not in verified(signed(award()), web())


def test_a_long_list_of_services_takes_no_long_time() -> None:
    document = {**OLD, "refreshService": [{"type": ["x"] * 20} for _ in range(1000)]}
    place = serving(None)
    verified(document, place)
    begun = time.process_time()
    verified(document, place)
    assert time.process_time() - begun < 1.0
