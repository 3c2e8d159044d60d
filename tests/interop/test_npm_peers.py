"""Verifiers of others judge our credentials, and we judge theirs: the documents are handed in, the network is shut.

- `verify_db.mjs`: @digitalbazaar/vc with eddsa-rdfc-2022 and vc-bitstring-status-list;
- `verify_dcc.mjs`: @digitalcredentials/verifier-core, of the Digital Credentials Consortium;
- `issue_db.mjs`: @digitalbazaar/vc as an issuer.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from guildmark.adapters.documents import DirectoryFetcher
from guildmark.core.codecs import jcs
from guildmark.core.report import Report, Verdict
from guildmark.credential.badge_image import badge_png, badge_svg
from guildmark.credential.bake import bake, extract
from guildmark.credential.verify import verify_credential
from tests.interop import issued
from tests.interop.peers import absent, need_packages, node, publish
from tests.paths import PROJECT, vectors
from tests.unit.credential import award_cast as cast

pytestmark = pytest.mark.interop

PEERS = {"digitalbazaar": "verify_db.mjs", "verifier-core": "verify_dcc.mjs"}
PACKAGES = (
    "@digitalbazaar/vc",
    "@digitalbazaar/data-integrity",
    "@digitalbazaar/ed25519-multikey",
    "@digitalbazaar/eddsa-rdfc-2022-cryptosuite",
    "@digitalbazaar/vc-bitstring-status-list",
    "@digitalcredentials/verifier-core",
)


@pytest.fixture(scope="module", autouse=True)
def _installed() -> None:
    need_packages(*PACKAGES)


@pytest.fixture(params=PEERS)
def peer(request: pytest.FixtureRequest) -> str:
    return PEERS[request.param]


@pytest.fixture(scope="module")
def award() -> dict[str, Any]:
    return issued.award()


@pytest.fixture(scope="module")
def certificate() -> dict[str, Any]:
    return issued.certificate()


@pytest.fixture(scope="module")
def documents(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return publish(tmp_path_factory.mktemp("web"), issued.web())


def judged(peer: str, document: Any, documents: Path, folder: Path) -> dict[str, Any]:
    """What a peer answers about a document (JSON, or bytes as they are)."""
    file = folder / "credential.json"
    file.write_bytes(document if isinstance(document, bytes) else jcs(document))
    return node(peer, file, documents)


def ours(document: Any, documents: Path) -> Report:
    body = document if isinstance(document, bytes) else jcs(document)
    return verify_credential(body, now=cast.NOW, fetcher=DirectoryFetcher(documents))


def endorsements_of(document: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = document["credentialSubject"]["achievement"].get("endorsement", [])
    return found


# --- Our credentials, judged by others ---


def test_an_award_is_accepted(peer, award, documents, tmp_path):
    answer = judged(peer, award, documents, tmp_path)
    assert answer["accepted"], answer
    assert answer["errors"] == []
    assert [entry["purpose"] for entry in answer["status"]] == ["revocation"]
    assert ours(award, documents).verdict is Verdict.PASS


CHANGES: dict[str, tuple[tuple[str | int, ...], Any]] = {
    "the achievement's name": (("credentialSubject", "achievement", "name"), "Master of Everything"),
    "a result": (("credentialSubject", "result", 0, "value"), "100"),
    "the credit earned": (("credentialSubject", "creditsEarned"), 60),
    "whose it is": (("credentialSubject", "identifier", 0, "identityHash"), "sha256$" + "0" * 64),
    "the digest in the evidence": (("evidence", 0, "description"), "Another decision."),
    "the status entry is gone": (("credentialStatus",), None),
    "the status entry names another index": (("credentialStatus", "statusListIndex"), "94568"),
    "the end is later": (("validUntil",), "2099-01-01T00:00:00Z"),
    "the issuer's name": (("issuer", "name"), "Another University"),
    "the issuer is another": (("issuer",), cast.RHEIN.to_profile()),
    "the key is another's": (("proof", "verificationMethod"), f"{cast.RHEIN.id}#key-1"),
    "the date of the proof": (("proof", "created"), "2025-01-02T09:00:00Z"),
    "a member that no context knows": (("distinction",), "with honours"),
    "the endorsement's words": (
        ("credentialSubject", "achievement", "endorsement", 0, "credentialSubject", "endorsementComment"),
        "We employ everybody who passes.",
    ),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_changed_copy_is_refused(peer, what, award, documents, tmp_path):
    path, to = CHANGES[what]
    copy = issued.changed(award, *path, to=to)
    answer = judged(peer, copy, documents, tmp_path)
    assert not answer["verified"], answer
    assert answer["errors"]
    assert ours(copy, documents).verdict is Verdict.FAIL


def test_an_issuer_that_signs_in_anothers_name_is_refused(peer, documents, tmp_path):
    forged = issued.signed(issued.credential(), cast.RHEIN)
    answer = judged(peer, forged, documents, tmp_path)
    assert not answer["verified"], answer
    assert ours(forged, documents).verdict is Verdict.FAIL


def test_suspended_reinstated_and_revoked_are_seen_by_the_same_file(peer, award, tmp_path):
    history = (
        ("valid", "", True),
        ("suspended", "under_review", False),
        ("valid", "review_closed", True),
        ("revoked", "issued_in_error", False),
    )
    for number, (state, code, accepted) in enumerate(history):
        documents = publish(tmp_path / str(number), issued.web(state, code))
        answer = judged(peer, award, documents, tmp_path)
        assert answer["accepted"] is accepted, (state, answer)
        assert answer["errors"] == [], "a set bit is an answer, not an error"
        assert (ours(award, documents).verdict is Verdict.PASS) is accepted


def test_another_entry_that_is_revoked_changes_nothing(peer, award, tmp_path):
    documents = publish(tmp_path / "web", issued.web("revoked", "misconduct", index=issued.INDEX + 1))
    assert judged(peer, award, documents, tmp_path)["accepted"]


def test_a_status_list_that_is_out_of_reach_is_not_taken_for_fine(peer, award, tmp_path):
    web = issued.web()
    del web[cast.LIST]
    documents = publish(tmp_path / "web", web)
    answer = judged(peer, award, documents, tmp_path)
    assert not answer["verified"], answer
    assert ours(award, documents).verdict is Verdict.UNKNOWN


def test_a_status_list_that_was_changed_is_not_believed(peer, award, tmp_path):
    web = issued.web("revoked", "misconduct")
    clean = issued.lists()[cast.LIST]["credentialSubject"]["encodedList"]
    web[cast.LIST] = issued.changed(web[cast.LIST], "credentialSubject", "encodedList", to=clean)
    documents = publish(tmp_path / "web", web)
    answer = judged(peer, award, documents, tmp_path)
    assert not answer["verified"], answer
    assert ours(award, documents).verdict is Verdict.UNKNOWN


def test_an_issuer_whose_keys_are_out_of_reach_is_not_believed(peer, award, tmp_path):
    web = {url: document for url, document in issued.web().items() if not url.endswith("did.json")}
    answer = judged(peer, award, publish(tmp_path / "web", web), tmp_path)
    assert not answer["verified"], answer


def test_the_endorsement_inside_is_a_credential_of_its_own(peer, award, documents, tmp_path):
    (inside,) = endorsements_of(award)
    answer = judged(peer, inside, documents, tmp_path)
    assert answer["accepted"], answer
    other = issued.changed(inside, "credentialSubject", "endorsementComment", to="We promise everybody a job.")
    assert not judged(peer, other, documents, tmp_path)["verified"]


def test_a_certificate_and_each_of_its_components_are_accepted(peer, certificate, documents, tmp_path):
    assert judged(peer, certificate, documents, tmp_path)["accepted"]
    parts = certificate["credentialSubject"]["verifiableCredential"]
    assert len(parts) == 2
    for part in parts:
        answer = judged(peer, part, documents, tmp_path)
        assert answer["accepted"], answer
    assert ours(certificate, documents).verdict is Verdict.PASS


def test_a_certificate_with_a_changed_component_is_refused(peer, certificate, documents, tmp_path):
    path = ("credentialSubject", "verifiableCredential", 0, "credentialSubject", "creditsEarned")
    assert not judged(peer, issued.changed(certificate, *path, to=60), documents, tmp_path)["verified"]


def test_what_comes_out_of_the_badge_images_is_accepted(peer, award, documents, tmp_path):
    signed = jcs(award)
    svg = badge_svg(title=award["name"], issuer_name=cast.HARBOUR.name, issuer_id=cast.HARBOUR.id)
    for image in (badge_png(svg), svg.encode()):
        taken = extract(bake(image, signed))
        assert taken == signed
        assert judged(peer, taken, documents, tmp_path)["accepted"]


def test_an_award_fits_the_official_schema_as_verifier_core_reads_it(award, tmp_path):
    schemas = vectors("1edtech-schemas") / "ob"
    base = "https://purl.imsglobal.org/spec/ob/v3p0/schema/json"
    official = {
        f"{base}/ob_v3p0_{kind}_schema.json": json.loads((schemas / f"ob_v3p0_{kind}_schema.json").read_bytes())
        for kind in ("achievementcredential", "endorsementcredential")
    }
    documents = publish(tmp_path / "web", {**issued.web(), **official})
    (inside,) = endorsements_of(award)
    for document, kind in ((award, "achievementcredential"), (inside, "endorsementcredential")):
        answer = judged("verify_dcc.mjs", document, documents, tmp_path)
        assert answer["schema"] == [{"schema": f"{base}/ob_v3p0_{kind}_schema.json", "valid": True, "errors": []}]
        assert answer["asked"] == []
    two = issued.award(credentialStatus=[award["credentialStatus"], award["credentialStatus"]])
    (found,) = judged("verify_dcc.mjs", two, documents, tmp_path)["schema"]
    assert found["errors"] == ["/credentialStatus must be object"], "the official schema has room for one entry"


# --- Their credentials, judged by us ---


@pytest.fixture(scope="module")
def theirs() -> dict[str, Any]:
    need_packages(*PACKAGES)
    return node("issue_db.mjs")


def _their_web(theirs: dict[str, Any], folder: Path, which: str = "list") -> Path:
    return publish(folder, {theirs["list"]["id"]: theirs[which]})


def test_what_digitalbazaar_issues_holds_here(theirs, tmp_path):
    report = ours(theirs["credential"], _their_web(theirs, tmp_path))
    assert report.verdict is Verdict.PASS, report.to_json()
    assert report["proof.signature"].because["suite"] == "eddsa-rdfc-2022"
    assert report["proof.key_bound"].verdict is Verdict.PASS
    assert report["status.revocation"].verdict is Verdict.PASS


def test_what_digitalbazaar_revokes_is_revoked_here(theirs, tmp_path):
    report = ours(theirs["credential"], _their_web(theirs, tmp_path, "revokedList"))
    assert report.verdict is Verdict.FAIL
    assert [finding.id for finding in report.failed()] == ["status.revocation"]


@pytest.mark.parametrize(
    ("path", "to"),
    [
        (("credentialSubject", "achievement", "name"), "Master of Everything"),
        (("credentialSubject", "creditsEarned"), 15),
        (("credentialSubject", "id"), "did:example:mallory"),
        (("credentialStatus", "statusListIndex"), "4712"),
        (("issuer", "name"), "Another node"),
        (("proof", "created"), "2025-01-02T09:00:00Z"),
    ],
)
def test_a_changed_copy_of_theirs_fails_here(path, to, theirs, tmp_path):
    report = ours(issued.changed(theirs["credential"], *path, to=to), _their_web(theirs, tmp_path))
    assert report.verdict is Verdict.FAIL
    assert report["proof.signature"].verdict is Verdict.FAIL


# --- The demo's own files ---


@pytest.fixture(scope="module")
def demo() -> Path:
    """The folder that `dev.py demo` left, or the one that GUILDMARK_DEMO names."""
    folder = PROJECT / os.environ.get("GUILDMARK_DEMO", "var/demo")
    if not (folder / "credential.json").exists() or not (folder / "web" / "index.json").exists():
        absent("the demo has not run: python3 dev.py demo --no-serve")
    return folder


@pytest.fixture(scope="module")
def whole_demo(demo: Path) -> Path:
    """The same, told to the end: its index is written last."""
    if not (demo / "index.json").exists():
        absent("the demo did not come to its end: python3 dev.py demo --no-serve")
    return demo


def test_the_demos_credential_is_accepted_and_a_changed_copy_refused(peer, demo, tmp_path):
    body = (demo / "credential.json").read_bytes()
    answer = judged(peer, body, demo / "web", tmp_path)
    assert answer["accepted"], answer
    copy = issued.changed(json.loads(body), "credentialSubject", "achievement", "name", to="Master of Everything")
    answer = judged(peer, copy, demo / "web", tmp_path)
    assert not answer["verified"], answer


def test_the_demos_forged_file_is_refused(peer, whole_demo, tmp_path):
    assert not judged(peer, (whole_demo / "8-forged.json").read_bytes(), whole_demo / "web", tmp_path)["verified"]


def test_the_demos_badges_carry_the_credential_that_is_accepted(peer, demo, tmp_path):
    signed = (demo / "credential.json").read_bytes()
    for name in ("badge.png", "badge.svg"):
        assert extract((demo / "6-award" / name).read_bytes()) == signed
    assert judged(peer, signed, demo / "web", tmp_path)["accepted"]


def test_the_demos_revoked_badge_is_refused_for_its_status_alone(peer, whole_demo, tmp_path):
    answer = judged(peer, extract((whole_demo / "8-status" / "badge.png").read_bytes()), whole_demo / "web", tmp_path)
    assert not answer["accepted"], answer
    assert answer["errors"] == []


def test_the_demos_certificate_its_components_and_its_endorsements_are_accepted(peer, whole_demo, tmp_path):
    certificate = json.loads((whole_demo / "9-certificate" / "credential.json").read_bytes())
    components = certificate["credentialSubject"]["verifiableCredential"]
    assert len(components) == 3
    endorsements = [inside for part in components for inside in endorsements_of(part)]
    assert endorsements
    for document in (certificate, *components, *endorsements):
        answer = judged(peer, document, whole_demo / "web", tmp_path)
        assert answer["accepted"], (document["id"], answer)
