"""Whatever is done to a signed credential, or to what it points at, verification answers and never passes a
change."""

from __future__ import annotations

import copy
import json
from functools import cache
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unit.credential.award_cast import (
    BASE,
    HARBOUR,
    INDEX,
    LIST,
    NORTHWIND,
    NOW,
    RHEIN,
    ZOE,
    Web,
    endorsement,
    signed,
    verified,
    web,
)

from guildmark.core.codecs import jcs
from guildmark.core.errors import BrokenInput
from guildmark.core.report import Report, Verdict
from guildmark.credential.open_badge import related_resource
from guildmark.credential.status import status_entry

DID_DOCUMENT = f"{BASE}/issuers/harbour-university/did.json"
MORE = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@cache
def _small(kind: str) -> str:
    """A small badge with everything that a finding looks at, or a transcript of one."""
    badge: dict[str, Any] = {
        "@context": [
            "https://www.w3.org/ns/credentials/v2",
            "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json",
        ],
        "id": "urn:uuid:c0000000-0000-4000-8000-000000000001",
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "name": "Knots",
        "issuer": HARBOUR.to_profile(),
        "validFrom": "2026-11-24T09:00:00Z",
        "validUntil": "2029-11-24T09:00:00Z",
        "credentialSubject": {
            "type": ["AchievementSubject"],
            **ZOE.to_subject(),
            "creditsEarned": 2.5,
            "achievement": {
                "id": f"{BASE}/achievements/knots",
                "type": ["Achievement"],
                "name": "Knots",
                "description": "Ties knots.",
                "criteria": {"narrative": "Tie five knots."},
                "resultDescription": [
                    {
                        "id": f"{BASE}/achievements/knots#total",
                        "type": ["ResultDescription"],
                        "name": "Total",
                        "resultType": "Percent",
                        "valueMin": "0",
                        "valueMax": "100",
                    }
                ],
            },
            "result": [{"type": ["Result"], "resultDescription": f"{BASE}/achievements/knots#total", "value": "82.5"}],
        },
        "credentialStatus": status_entry(LIST, INDEX, f"{LIST}/reasons"),
        "relatedResource": [related_resource(f"{BASE}/x", "00" * 32)],
    }
    about = {"id": badge["credentialSubject"]["achievement"]["id"], "type": ["EndorsementSubject"]}
    praise = {**endorsement(), "credentialSubject": about}
    badge["credentialSubject"]["achievement"]["endorsement"] = [signed(praise, NORTHWIND)]
    del badge["relatedResource"]
    made = signed(badge)
    if kind == "badge":
        return json.dumps(made)
    subject = {"type": ["ClrSubject"], **ZOE.to_subject(), "verifiableCredential": [made]}
    clr = {
        "@context": [
            badge["@context"][0],
            "https://purl.imsglobal.org/spec/clr/v2p0/context-2.0.1.json",
            badge["@context"][1],
        ],
        "id": "urn:uuid:c0000000-0000-4000-8000-000000000002",
        "type": ["VerifiableCredential", "ClrCredential"],
        "name": "Sailor",
        "issuer": RHEIN.to_profile(),
        "validFrom": badge["validFrom"],
        "credentialSubject": subject,
    }
    return json.dumps(signed(clr, RHEIN))


def small(kind: str = "badge") -> dict[str, Any]:
    document: dict[str, Any] = json.loads(_small(kind))
    return document


@cache
def _place() -> Web:
    return web()


def places(value: Any, way: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to every value inside."""
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return (
        [way, *(place for key, item in steps for place in places(item, (*way, key)))]
        if way
        else [place for key, item in steps for place in places(item, (*way, key))]
    )


def at(document: Any, way: tuple[Any, ...]) -> Any:
    for step in way:
        document = document[step]
    return document


LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([2**53, -(2**53), 10**400, 0, -0.0, 1e300, 1e-320, 2.5, 3.0]),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=20),
    st.sampled_from(
        [
            "",
            "urn:uuid:x",
            HARBOUR.id,
            "did:web:",
            "did:key:z",
            "https://[",
            "_:b0",
            "z" * 5000,
            "0001-01-01T00:00:00+14:00",
        ]
    ),
    st.sampled_from(["VerifiableCredential", "OpenBadgeCredential", "EndorsementCredential", "\x00", "\u202e", "𝒵"]),
)
KEYS = st.one_of(
    st.text(max_size=8),
    st.sampled_from(
        ["@id", "@type", "@value", "@context", "@graph", "@included", "@nest", "@reverse", "@list", "@set", "@language"]
    ),
    st.sampled_from(
        [
            "id",
            "type",
            "name",
            "proof",
            "endorsement",
            "credentialStatus",
            "validUntil",
            "evidence",
            "identifier",
            "result",
        ]
    ),
)
JSON = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=6,
)


@st.composite
def mutations(draw: st.DrawFn, original: Any) -> Any:
    """The original with one to three things replaced, wrapped, removed, added, or moved."""
    document = copy.deepcopy(original)
    for _ in range(draw(st.integers(1, 3))):
        ways = places(document)
        if not ways:
            return draw(JSON)
        way = draw(st.sampled_from(ways))
        holder, key = at(document, way[:-1]), way[-1]
        match draw(st.sampled_from(["replace", "wrap", "value", "remove", "add", "copy", "twice"])):
            case "replace":
                holder[key] = draw(JSON)
            case "wrap":
                holder[key] = [holder[key]]
            case "value":
                holder[key] = {"@value": holder[key]}
            case "remove":
                del holder[key]
            case "add" if isinstance(holder[key], dict):
                holder[key][draw(KEYS)] = draw(JSON)
            case "copy":
                holder[key] = copy.deepcopy(at(document, draw(st.sampled_from(ways))))
            case _:
                holder[key] = [holder[key], copy.deepcopy(holder[key])]
    return document


def meaning(value: Any) -> Any:
    """JSON up to what JSON-LD does not tell apart: order, lists of one, repeats, 3 and 3.0, plain `@value`."""
    if isinstance(value, dict):
        if set(value) == {"@value"}:
            return meaning(value["@value"])
        return {key: meaning(item) for key, item in value.items()}
    if isinstance(value, list):
        flat: list[Any] = []
        for item in value:
            flat.extend(item if isinstance(item, list) else [item])
        found = {json.dumps(meaning(item), sort_keys=True): meaning(item) for item in flat}
        return next(iter(found.values())) if len(found) == 1 else [found[key] for key in sorted(found)]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**53 else value


def claims(document: Any) -> Any:
    """What it says, without its own proof, of which any one suffices and others may stand beside it."""
    return meaning({k: v for k, v in document.items() if k != "proof"} if isinstance(document, dict) else document)


def found(document: Any, place: Web) -> Report | None:
    """The report, or None for what cannot be read; anything else that is raised is a bug."""
    try:
        report = verified(json.dumps(document).encode(), place)
    except BrokenInput:
        return None
    assert json.dumps(report.to_json(), ensure_ascii=False).encode()
    assert all(f.says.isprintable() and f.says.endswith((".", "…", "!", "?")) for f in report.findings)
    assert report.subject.isprintable()
    return report


def test_the_originals_hold() -> None:
    for kind in ("badge", "transcript"):
        report = found(small(kind), _place())
        assert report is not None
        assert report.verdict is Verdict.PASS


@MORE
@given(mutations(small()))
def test_a_changed_badge_never_passes(document: Any) -> None:
    report = found(document, _place())
    if report is not None and report.verdict is Verdict.PASS:
        assert claims(document) == claims(small())


@settings(MORE, max_examples=40)
@given(mutations(small("transcript")))
def test_a_changed_transcript_never_passes(document: Any) -> None:
    report = found(document, _place())
    if report is not None and report.verdict is Verdict.PASS:
        now, before = claims(document), claims(small("transcript"))
        # A component's own proof lies inside what the transcript signs, so it counts as a claim here.
        assert now == before


@MORE
@given(mutations(json.loads(web(award=("revoked", "misconduct")).documents[LIST])))
def test_no_change_of_the_status_list_brings_a_revoked_credential_back(listing: Any) -> None:
    place = web(award=("revoked", "misconduct"))
    place.documents[LIST] = json.dumps(listing).encode()
    report = found(small(), place)
    assert report is not None
    assert report.verdict is not Verdict.PASS


@settings(MORE, max_examples=60)
@given(mutations(json.loads(web(award=("revoked", "misconduct")).documents[f"{LIST}/reasons"])))
def test_no_change_of_the_list_of_reasons_gives_another_reason(listing: Any) -> None:
    place = web(award=("revoked", "misconduct"))
    place.documents[f"{LIST}/reasons"] = json.dumps(listing).encode()
    report = found(small(), place)
    assert report is not None
    assert report["status.revocation"].verdict is Verdict.FAIL
    says = report["status.revocation"].says
    assert says.startswith(("Revoked: misconduct was established.", "Revoked or suspended, says the list"))


@MORE
@given(mutations(json.loads(web().documents[DID_DOCUMENT])))
def test_a_changed_did_document_never_makes_verification_stumble(document: Any) -> None:
    place = web()
    place.documents[DID_DOCUMENT] = json.dumps(document).encode()
    assert found(small(), place) is not None


@settings(MORE, max_examples=60)
@given(
    st.sampled_from([LIST, DID_DOCUMENT, f"{LIST}/reasons"]),
    st.one_of(st.binary(max_size=60), JSON.map(lambda v: json.dumps(v).encode())),
)
def test_what_is_fetched_may_be_anything(url: str, body: bytes) -> None:
    place = web(award=("suspended", "appeal"))
    place.documents[url] = body
    report = found(small(), place)
    assert report is not None
    assert report.verdict is not Verdict.PASS


@settings(MORE, max_examples=200)
@given(st.dictionaries(KEYS, JSON, max_size=6))
def test_any_json_object_gets_an_answer(document: Any) -> None:
    report = found(document, _place())
    assert report is None or report.verdict is not Verdict.PASS


@settings(MORE, max_examples=200)
@given(
    st.one_of(
        st.binary(max_size=200),
        st.binary(max_size=50).map(lambda b: b"\x89PNG\r\n\x1a\n" + b),
        st.text().map(lambda t: ("<svg" + t).encode()),
    )
)
def test_any_bytes_get_an_answer(data: bytes) -> None:
    try:
        report = verified(data, _place())
    except BrokenInput:
        return
    assert report.verdict is not Verdict.PASS


def test_the_same_bytes_give_the_same_report() -> None:
    data = jcs(small())
    assert verified(data, web()).to_json() == verified(data, web()).to_json()
    assert NOW
