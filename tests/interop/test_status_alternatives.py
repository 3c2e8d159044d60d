"""How four verifiers read the ways in which one credential could carry both revocation and suspension.

docs/decisions/0003-one-status-entry.md shows the table that is tried here; `python -m
tests.interop.test_status_alternatives` prints it as the verifiers answer today. The credential is the same each time,
but for its `credentialStatus`; every list is signed by its issuer and everything is handed in. It carries no
endorsement, since openvc-core 1.37 refuses every credential inside which another one brings its own `@context`.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from guildmark.adapters.documents import DirectoryFetcher
from guildmark.core.codecs import jcs
from guildmark.core.report import Verdict
from guildmark.credential.jsonld import context_sets
from guildmark.credential.status import LEAST_BITS, set_bit, status_entry, status_list_credential
from guildmark.credential.verify import verify_credential
from tests.interop import issued
from tests.interop.peers import need_packages, node, publish
from tests.paths import PROJECT
from tests.unit.credential import award_cast as cast

pytestmark = pytest.mark.interop

PAGE = PROJECT / "docs" / "decisions" / "0003-one-status-entry.md"

SUSPENSIONS, MESSAGES = f"{cast.BASE}/status/suspensions", f"{cast.BASE}/status/messages"
INDEX = issued.INDEX
NEIGHBOUR = INDEX // 2
"""The entry whose two bits stand where a reader that takes every entry for one bit looks for ours."""


# --- The shapes ---


def _list(url: str, purpose: str, bits: bytes) -> dict[str, Any]:
    made = status_list_credential(url=url, issuer=cast.HARBOUR.id, bits=bits, valid_from=issued.SINCE, purpose=purpose)
    return issued.signed(made)


def _bits(*set_at: int, size: int = 1) -> bytes:
    bits = bytearray(LEAST_BITS * size // 8)
    for position in set_at:
        set_bit(bits, position, True)
    return bytes(bits)


def _one_entry(state: str) -> tuple[Any, dict[str, Any]]:
    code = {"suspended": "under_review", "revoked": "issued_in_error"}.get(state, "")
    return status_entry(cast.LIST, INDEX, issued.REASONS), issued.lists(state if code else "valid", code)


def _two_entries(state: str) -> tuple[Any, dict[str, Any]]:
    entries = [
        status_entry(cast.LIST, INDEX),
        status_entry(SUSPENSIONS, INDEX, purpose="suspension"),
    ]
    return entries, {
        cast.LIST: _list(cast.LIST, "revocation", _bits(*[INDEX] * (state == "revoked"))),
        SUSPENSIONS: _list(SUSPENSIONS, "suspension", _bits(*[INDEX] * (state == "suspended"))),
    }


def _suspension_only(state: str) -> tuple[Any, dict[str, Any]]:
    set_at = [INDEX] * (state in ("suspended", "revoked"))
    return status_entry(SUSPENSIONS, INDEX, purpose="suspension"), {
        SUSPENSIONS: _list(SUSPENSIONS, "suspension", _bits(*set_at))
    }


def _two_bit_message(state: str) -> tuple[Any, dict[str, Any]]:
    """Two bits at index * 2 (Bitstring Status List 1.0 section 3.2): 0 valid, 1 suspended, 2 revoked."""
    entry = {
        **status_entry(MESSAGES, INDEX, purpose="message"),
        "statusSize": 2,
        "statusMessage": [
            {"status": "0x0", "message": "valid"},
            {"status": "0x1", "message": "suspended"},
            {"status": "0x2", "message": "revoked"},
        ],
    }
    set_at = {
        "suspended": [INDEX * 2 + 1],
        "revoked": [INDEX * 2],
        "valid, a neighbour suspended": [NEIGHBOUR * 2 + 1],
    }.get(state, [])
    return entry, {MESSAGES: _list(MESSAGES, "message", _bits(*set_at, size=2))}


STATES = ("valid", "suspended", "reinstated", "revoked")
SHAPES = {
    "one revocation entry, reasons beside it (ours)": (_one_entry, STATES),
    "array of a revocation and a suspension entry": (_two_entries, STATES),
    "one suspension entry": (_suspension_only, STATES),
    "one message entry with statusSize 2": (_two_bit_message, (*STATES, "valid, a neighbour suspended")),
}


# --- The verifiers ---


def _digitalbazaar(credential: Mapping[str, Any], folder: Path) -> str:
    answer = node("verify_db.mjs", folder / "credential.json", folder)
    if not answer["verified"]:
        return "refuses: " + "; ".join(answer["errors"])
    bits = ", ".join(f"{entry['purpose']} {'1' if entry['set'] else '0'}" for entry in answer["status"])
    return f"verified, {bits}"


def _verifier_core(credential: Mapping[str, Any], folder: Path) -> str:
    answer = node("verify_dcc.mjs", folder / "credential.json", folder)
    if answer["accepted"]:
        return "accepts"
    return (
        "refuses: " + ", ".join(e["purpose"] for e in answer["status"] if not e["valid"]) + "; ".join(answer["errors"])
    )


def _openvc(credential: Mapping[str, Any], folder: Path) -> str:
    """openvc-core, from PyPI, with its own defaults: a status that cannot be read is an error."""
    from openvc.did.did_web import DidWebResolver
    from openvc.errors import OpenvcError
    from openvc.proof.data_integrity import DataIntegrityProofSuite
    from openvc.verify import VerificationPolicy
    from openvc.verify import verify_credential as openvc_verify

    documents = DirectoryFetcher(folder)
    resolver = DidWebResolver(lambda url: json.loads(documents.fetch(url).body))
    # It ships no context of Open Badges: ours are handed in.
    contexts = dict(context_sets()[0].documents)

    def listed(url: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(documents.fetch(url).body)
        DataIntegrityProofSuite().verify(found, resolver=resolver, now=cast.NOW, extra_contexts=contexts)
        return found

    try:
        openvc_verify(
            dict(credential),
            policy=VerificationPolicy(now=cast.NOW),
            resolver=resolver,
            resolve_status_list=listed,
            extra_contexts=contexts,
        )
    except OpenvcError as problem:
        return f"refuses: {type(problem).__name__}"
    return "accepts"


def _guildmark(credential: Mapping[str, Any], folder: Path) -> str:
    report = verify_credential(jcs(credential), now=cast.NOW, fetcher=DirectoryFetcher(folder))
    if report.verdict is Verdict.PASS:
        return "accepts"
    problems = report.failed() or report.unknown()
    told = sorted({str(f.because.get("state") or f.id) for f in problems})
    return f"{'refuses' if report.verdict is Verdict.FAIL else 'cannot tell'}: {', '.join(told)}"


PEERS = {
    "@digitalbazaar/vc-bitstring-status-list": _digitalbazaar,
    "verifier-core": _verifier_core,
    "openvc-core": _openvc,
    "guildmark": _guildmark,
}


@cache
def answers(shape: str, state: str) -> dict[str, str]:
    """What each verifier says about a credential with a status of this shape in this state."""
    make, _ = SHAPES[shape]
    entry, lists = make(state)
    credential = issued.award(endorsed=False, credentialStatus=entry)
    with tempfile.TemporaryDirectory() as place:
        folder = publish(Path(place), {**cast.did_documents(), **lists})
        (folder / "credential.json").write_bytes(jcs(credential))
        return {name: ask(credential, folder) for name, ask in PEERS.items()}


def row(shape: str, state: str) -> str:
    return f"| {shape} | {state} | {' | '.join(answers(shape, state).values())} |"


CASES = [(shape, state) for shape, (_, states) in SHAPES.items() for state in states]


def table() -> str:
    """All answers as the Markdown table of the decision page."""
    head = ["credentialStatus", "state", *PEERS]
    return "\n".join(
        [f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}", *(row(shape, state) for shape, state in CASES)]
    )


@pytest.fixture(scope="module", autouse=True)
def _installed() -> None:
    need_packages("@digitalbazaar/vc-bitstring-status-list", "@digitalcredentials/verifier-core")


# --- The claims ---

OURS, ARRAY, _, MESSAGE = SHAPES


@pytest.mark.parametrize("state", ["suspended", "revoked"])
def test_with_our_one_entry_every_verifier_sees_that_the_credential_does_not_hold(state):
    found = dict(answers(OURS, state))
    assert found.pop("@digitalbazaar/vc-bitstring-status-list") == "verified, revocation 1"
    assert all(answer.startswith("refuses") for answer in found.values()), found


@pytest.mark.parametrize("state", ["valid", "reinstated"])
def test_with_our_one_entry_every_verifier_sees_that_the_credential_holds(state):
    found = dict(answers(OURS, state))
    assert found.pop("@digitalbazaar/vc-bitstring-status-list") == "verified, revocation 0"
    assert set(found.values()) == {"accepts"}


def test_we_alone_tell_suspended_from_revoked_by_the_list_of_reasons():
    assert answers(OURS, "suspended")["guildmark"] == "refuses: suspended"
    assert answers(OURS, "revoked")["guildmark"] == "refuses: revoked"


def test_with_two_entries_every_verifier_sees_the_difference_too():
    assert answers(ARRAY, "suspended")["openvc-core"] == "refuses: CredentialSuspended"
    assert answers(ARRAY, "revoked")["openvc-core"] == "refuses: CredentialRevoked"
    assert answers(ARRAY, "suspended")["verifier-core"] == "refuses: suspension"
    assert answers(ARRAY, "revoked")["verifier-core"] == "refuses: revocation"


def test_a_revoked_credential_passes_others_when_a_two_bit_message_says_so():
    found = answers(MESSAGE, "revoked")
    assert found["verifier-core"] == found["openvc-core"] == "accepts"
    assert found["@digitalbazaar/vc-bitstring-status-list"] == "verified, message 0"
    assert found["guildmark"].startswith("cannot tell")


def test_a_valid_credential_is_refused_for_a_neighbours_two_bits():
    assert answers(MESSAGE, "valid, a neighbour suspended")["verifier-core"] == "refuses: message"


@pytest.mark.parametrize(("shape", "state"), CASES)
def test_the_decision_page_shows_what_the_verifiers_answer(shape, state):
    assert row(shape, state) in PAGE.read_text(encoding="utf-8").splitlines()


if __name__ == "__main__":
    print(table())
