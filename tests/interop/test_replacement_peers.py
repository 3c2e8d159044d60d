"""A credential that says what it replaces is one for verifiers of others too, and so is the list that says it of the
old one: each accepts the new one and refuses the old one, or a changed copy.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from guildmark.core.codecs import jcs
from guildmark.credential.replacement import replacement_evidence
from guildmark.credential.status import LEAST_BITS, reason_list_credential, reason_number
from tests.interop import issued
from tests.interop.peers import need_packages, publish
from tests.interop.test_npm_peers import PACKAGES
from tests.interop.test_npm_peers import judged as judged_by_npm
from tests.interop.test_status_alternatives import PEERS
from tests.paths import vectors
from tests.unit.credential import award_cast as cast

pytestmark = pytest.mark.interop

NEW_ID = "urn:uuid:c0000000-0000-4000-8000-00000000aaaa"
OLD = issued.award(endorsed=False)


@pytest.fixture(scope="module", autouse=True)
def _installed() -> None:
    need_packages(*PACKAGES)


def new(index: int = 5) -> dict[str, Any]:
    document = cast.award(
        credential_id=NEW_ID,
        valid_from=issued.SINCE,
        valid_until=None,
        endorsements=[],
        status_entry={**OLD["credentialStatus"], "id": f"{cast.LIST}#{index}", "statusListIndex": str(index)},
        members={"evidence": [replacement_evidence(jcs(OLD), "corrected")]},
    )
    return issued.signed(document)


def web() -> dict[str, Any]:
    """The old one is revoked, and the list of reasons says what replaced it."""
    found = issued.web("revoked", "corrected")
    reasons = bytearray(LEAST_BITS)
    reasons[issued.INDEX] = reason_number("revoked", "corrected")
    found[issued.REASONS] = issued.signed(
        reason_list_credential(
            url=issued.REASONS,
            issuer=cast.HARBOUR.id,
            reasons=bytes(reasons),
            valid_from=issued.SINCE,
            replaced={issued.INDEX: (OLD["id"], NEW_ID)},
        )
    )
    return found


ACCEPTED = {"@digitalbazaar/vc-bitstring-status-list": "verified, revocation 0"}
WITHDRAWN = {
    "@digitalbazaar/vc-bitstring-status-list": "verified, revocation 1",
    "verifier-core": "refuses: revocation",
    "openvc-core": "refuses: CredentialRevoked",
    "guildmark": "refuses: revoked",
}


@pytest.mark.parametrize("peer", PEERS)
def test_the_new_one_is_accepted_the_old_one_is_not_and_a_changed_copy_neither(peer, tmp_path):
    folder = publish(tmp_path / "web", web())

    def ask(document):
        (folder / "credential.json").write_bytes(jcs(document))
        return PEERS[peer](document, folder)

    assert ask(new()) == ACCEPTED.get(peer, "accepts")
    assert ask(OLD) == WITHDRAWN[peer]
    changed = new()
    changed["evidence"][-1]["id"] = "urn:uuid:another"
    assert ask(changed) not in (ACCEPTED.get(peer, "accepts"), "accepts")


def test_the_new_one_fits_the_official_schema(tmp_path):
    base = "https://purl.imsglobal.org/spec/ob/v3p0/schema/json"
    name = "ob_v3p0_achievementcredential_schema.json"
    official = {f"{base}/{name}": json.loads((vectors("1edtech-schemas") / "ob" / name).read_bytes())}
    documents = publish(tmp_path / "web", {**web(), **official})
    answer = judged_by_npm("verify_dcc.mjs", new(), documents, tmp_path)
    assert answer["schema"] == [{"schema": f"{base}/{name}", "valid": True, "errors": []}]


def test_the_list_that_says_what_replaced_it_is_a_credential_for_others(tmp_path):
    found = web()
    documents = publish(tmp_path / "web", found)
    for peer in ("verify_db.mjs", "verify_dcc.mjs"):
        answer = judged_by_npm(peer, found[issued.REASONS], documents, tmp_path)
        assert answer["verified"], answer
