"""A cast for documents: two providers, an industry partner, a learner, and awards of the sample blueprints.

Keys, ids and salts are fixed, so the same document comes out each time.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.resources import files
from typing import Any

from guildmark.assess.decision import Decision, decide
from guildmark.assess.marking import Mark
from guildmark.core.codecs import jcs
from guildmark.core.doors import Document
from guildmark.core.errors import OutsideFailure
from guildmark.core.report import Report
from guildmark.credential.clr import clr_document
from guildmark.credential.did import did_document
from guildmark.credential.endorsement import endorsement_document
from guildmark.credential.keys import SoftwareSigner
from guildmark.credential.open_badge import IssuerProfile, Recipient, award_document
from guildmark.credential.proof import sign_document
from guildmark.credential.status import (
    LEAST_BITS,
    reason_list_credential,
    reason_number,
    set_bit,
    status_entry,
    status_list_credential,
)
from guildmark.credential.verify import verify_credential
from guildmark.design.blueprint import Blueprint, read_blueprint
from guildmark.design.codesign import Scope, map_digest, map_document

BASE = "https://demo.guildmark.example"
NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
_WEB = "did:web:demo.guildmark.example"

HARBOUR = IssuerProfile(f"{_WEB}:issuers:harbour-university", "Harbour University", f"{BASE}/issuers/harbour", "AU")
RHEIN = IssuerProfile(f"{_WEB}:issuers:rhein-academy", "Rhein Academy", f"{BASE}/issuers/rhein", "DE")
NORTHWIND = IssuerProfile(f"{_WEB}:partners:northwind-logistics", "Northwind Logistics", country="AU")

MALLORY = IssuerProfile("did:web:mallory.example", "Harbour University", "https://mallory.example", "AU")
"""A stranger who calls herself by another's name."""

ZOE = Recipient(email="Zoe.Nguyen@example.org", name="Zoë Nguyễn", salt="5f1c9a3377bd4e0a8f2c6d1e90ab34cd")
GATE_REPORT = jcs({"report": "what the gate found"})
LIST, RHEIN_LIST = f"{BASE}/status/1", f"{BASE}/status/2"
NAMES = ("sql-python-operations", "data-storytelling", "data-protection")
INDEX = 94567
LARGER_INDEX = 77


def signer(profile: IssuerProfile) -> SoftwareSigner:
    return SoftwareSigner(hashlib.sha256(profile.id.encode()).digest(), f"{profile.id}#key-1")


def did_documents() -> dict[str, dict[str, Any]]:
    """URL -> DID document of everyone in the cast."""
    found = {}
    for profile in (HARBOUR, RHEIN, NORTHWIND):
        path = profile.id.removeprefix(f"{_WEB}:").replace(":", "/")
        found[f"{BASE}/{path}/did.json"] = did_document(profile.id, [signer(profile)])
    return found


@cache
def blueprint(name: str = "sql-python-operations") -> Blueprint:
    text = (files("guildmark.design") / "samples" / f"{name}.json").read_bytes()
    return read_blueprint(text, name)


def achievement_url(plan: Blueprint) -> str:
    return f"{BASE}/achievements/{plan.id.removeprefix('urn:uuid:')}/{plan.version}"


@cache
def decision(name: str = "sql-python-operations", level: str = "proficient") -> Decision:
    """Two markers agree on `level` everywhere, except that Ben sees the first criterion one level higher."""
    plan = blueprint(name)
    marks = []
    for assessment in plan.assessments:
        for criterion in assessment.criteria:
            ids = [found.id for found in criterion.levels]
            higher = ids[min(ids.index(level) + 1, len(ids) - 1)]
            for marker in ("ana", "ben"):
                first = marker == "ben" and not marks[1:]
                marks.append(
                    Mark(
                        submission_id=f"work-{assessment.id}",
                        assessment_id=assessment.id,
                        criterion_id=criterion.id,
                        marker_id=marker,
                        level_id=higher if first else level,
                        comment="As the rubric says.",
                        at=NOW - timedelta(days=3),
                    )
                )
    return decide(
        plan,
        marks,
        decision_id=f"urn:uuid:d0000000-0000-4000-8000-{hashlib.sha256(name.encode()).hexdigest()[:12]}",
        learner_id="learner-zoe",
        decided_by="quinn",
        now=NOW - timedelta(days=1),
    )


def endorsement(name: str = "sql-python-operations", *, scope: Scope = "whole") -> dict[str, Any]:
    """Northwind's endorsement of the map, unsigned."""
    plan = blueprint(name)
    return endorsement_document(
        id="urn:uuid:e0000000-0000-4000-8000-000000000001",
        partner=NORTHWIND,
        target_id=achievement_url(plan),
        blueprint=plan,
        scope=scope,
        digest=map_digest(plan, scope),
        claim="We worked on these tasks with the university; people who pass can start with us.",
        valid_from=NOW - timedelta(days=30),
        map_url=f"{achievement_url(plan)}/map",
    )


def award(name: str = "sql-python-operations", **changes: Any) -> dict[str, Any]:
    """An award to Zoë, unsigned, with everything that it can have. `changes` are arguments of `award_document`."""
    plan = blueprint(name)
    issuer = RHEIN if plan.country == "DE" else HARBOUR
    arguments: dict[str, Any] = {
        "credential_id": f"urn:uuid:c0000000-0000-4000-8000-{hashlib.sha256(name.encode()).hexdigest()[:12]}",
        "blueprint": plan,
        "decision": decision(name),
        "issuer": issuer,
        "recipient": ZOE,
        "valid_from": NOW,
        "valid_until": NOW + timedelta(days=1096),
        "status_entry": status_entry(_list_of(issuer), INDEX + NAMES.index(name), f"{_list_of(issuer)}/reasons"),
        "endorsements": [sign_document(endorsement(name), signer(NORTHWIND), created=NOW - timedelta(days=30))],
        "evidence": [
            {"name": "Project report", "description": "Late orders in one warehouse.", "genre": "Report"},
        ],
        "approval": {
            "url": f"{BASE}/gate/a0000000-0000-4000-8000-000000000001",
            "sha256": hashlib.sha256(GATE_REPORT).hexdigest(),
            "by": "the academic board",
            "on": "2026-10-01",
        },
        "achievement_url": achievement_url(plan),
        "map_url": f"{achievement_url(plan)}/map",
    }
    return award_document(**{**arguments, **changes})


def _list_of(issuer: IssuerProfile) -> str:
    return RHEIN_LIST if issuer is RHEIN else LIST


@cache
def _signed(name: str) -> bytes:
    document = award(name)
    issuer = RHEIN if document["issuer"]["id"] == RHEIN.id else HARBOUR
    return jcs(sign_document(document, signer(issuer), created=NOW))


def signed_award(name: str = "sql-python-operations") -> dict[str, Any]:
    """The same, signed by its provider."""
    value: dict[str, Any] = json.loads(_signed(name))
    return value


def larger(**changes: Any) -> dict[str, Any]:
    """The certificate that three micro-credentials add up to, unsigned."""
    arguments: dict[str, Any] = {
        "credential_id": "urn:uuid:c0000000-0000-4000-8000-0000000000ff",
        "name": "Operations data analyst",
        "issuer": HARBOUR,
        "recipient": ZOE,
        "credentials": [signed_award(name) for name in NAMES],
        "achievement_id": f"{BASE}/achievements/stacks/operations-data-analyst",
        "description": "Earned under the rule operations-data-analyst version 1 of Harbour University.",
        "valid_from": NOW,
        "status_entry": status_entry(LIST, LARGER_INDEX, f"{LIST}/reasons"),
    }
    return clr_document(**{**arguments, **changes})


def map_bytes(name: str = "sql-python-operations", scope: Scope = "whole") -> bytes:
    return jcs(map_document(blueprint(name), scope))


@cache
def signed_larger() -> bytes:
    """The certificate, signed by Harbour University."""
    return jcs(sign_document(larger(), signer(HARBOUR), created=NOW))


LATER = NOW + timedelta(hours=1)
"""A moment at which everything here is in force."""


class Web:
    """A Fetcher over documents in memory, which tests may change; it remembers what it was asked for."""

    def __init__(self, documents: Mapping[str, bytes]) -> None:
        self.documents = dict(documents)
        self.asked: list[str] = []

    def fetch(self, url: str) -> Document:
        self.asked.append(url)
        if url not in self.documents:
            raise OutsideFailure(f"{url} is not among the documents at hand")
        return Document(url, self.documents[url], "application/json")


def lists(issuer: IssuerProfile, states: Mapping[int, tuple[str, str]] | None = None) -> dict[str, bytes]:
    """URL -> status list and list of reasons of an issuer, signed; `states` are index -> (state, reason code)."""
    url = _list_of(issuer)
    bits, reasons = bytearray(LEAST_BITS // 8), bytearray(LEAST_BITS)
    for index, (state, code) in (states or {}).items():
        set_bit(bits, index, True)
        reasons[index] = reason_number(state, code)
    made = [
        status_list_credential(url=url, issuer=issuer.id, bits=bytes(bits), valid_from=NOW),
        reason_list_credential(url=f"{url}/reasons", issuer=issuer.id, reasons=bytes(reasons), valid_from=NOW),
    ]
    return {doc["id"]: jcs(sign_document(doc, signer(issuer), created=NOW)) for doc in made}


@cache
def _clean_lists() -> dict[str, bytes]:
    return {**lists(HARBOUR), **lists(RHEIN)}


def web(**states: tuple[str, str]) -> Web:
    """Everything that a verifier fetches. `award` and `larger` are states of the two documents of Harbour
    University, such as `award=("suspended", "under_review")`.
    """
    documents = {url: jcs(document) for url, document in did_documents().items()} | _clean_lists()
    own = did_document(MALLORY.id, [signer(MALLORY)])
    documents["https://mallory.example/.well-known/did.json"] = jcs(own)
    if states:
        places = {"award": INDEX, "larger": LARGER_INDEX}
        documents |= lists(HARBOUR, {places[name]: state for name, state in states.items()})
    documents[f"{BASE}/gate/a0000000-0000-4000-8000-000000000001"] = GATE_REPORT
    for name in NAMES:
        documents[f"{achievement_url(blueprint(name))}/map"] = map_bytes(name)
    return Web(documents)


def signed(document: Mapping[str, Any], by: IssuerProfile = HARBOUR) -> dict[str, Any]:
    """The document with a proof of `by`, whoever it says issued it; an older proof is taken off first."""
    bare = {key: value for key, value in document.items() if key != "proof"}
    return sign_document(bare, signer(by), created=NOW)


def verified(document: Mapping[str, Any] | bytes, place: Web | None = None, **options: Any) -> Report:
    """What verification finds an hour after the award, unless `now` says otherwise."""
    data = document if isinstance(document, bytes) else json.dumps(document).encode()
    return verify_credential(data, **{"now": LATER, "fetcher": place or web(), **options})
