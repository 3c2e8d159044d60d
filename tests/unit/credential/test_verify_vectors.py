"""What is found about credentials of others: 1EdTech's samples and vector, and the Digital Credentials
Consortium's fixtures."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.paths import counted, vectors
from tests.unit.credential.award_cast import Web

from guildmark.core.codecs import jcs, multikey_encode
from guildmark.core.doors import NoNetwork
from guildmark.core.report import Report, Verdict
from guildmark.credential.did import did_of, did_web_url
from guildmark.credential.resolve import find_key
from guildmark.credential.signed import listed
from guildmark.credential.status import decode_list, read_bit
from guildmark.credential.verify import verify_credential

THEN = datetime(2026, 1, 15, tzinfo=UTC)


def checked(document: Any, place: Any = None) -> Report:
    data = document if isinstance(document, bytes) else json.dumps(document).encode()
    return verify_credential(data, now=THEN, fetcher=place or NoNetwork())


def bad(report: Report) -> dict[str, str]:
    """The findings that keep it from passing: id -> verdict."""
    kept = (Verdict.FAIL, Verdict.UNKNOWN)
    return {f.id: f.verdict.value for f in report.findings if f.verdict in kept and f.required}


SAMPLES = {
    # The signature holds; offline nobody vouches for the key that stands in the address.
    "simple.json": {"proof.key_bound": "unknown"},
    "simple-context-version.json": {"proof.key_bound": "unknown"},
    "simple-eddsa-2022.json": {"proof.key_bound": "unknown"},
    "simple-did-web-method.json": {"proof.key_bound": "unknown"},
    "simple_v1.json": {"proof.key_bound": "unknown"},
    "endorsement-valid.json": {"proof.key_bound": "unknown"},
    "credential-status-revoked.json": {"proof.key_bound": "unknown", "status.revocation": "unknown"},
    "bit-string-list__credential-status-revoked.json": {"proof.key_bound": "unknown", "status.revocation": "unknown"},
    "simple-err-expired.json": {"proof.key_bound": "unknown", "validity.dates": "fail"},
    "simple-err-issuer.json": {"document.structure": "fail", "proof.key_bound": "fail"},
    "simple-err-issuer-type.json": {
        "document.structure": "fail",
        "document.lossless": "fail",
        "proof.signature": "fail",
        "proof.key_bound": "unknown",
    },
    "simple-err-proof-value.json": {"proof.signature": "fail", "proof.key_bound": "unknown"},
    "simple-err-proof-method-no-scheme.json": {"proof.signature": "fail", "proof.key_bound": "unknown"},
    "simple-noproof.json": {
        "document.structure": "fail",
        "proof.signature": "fail",
        "proof.key_bound": "unknown",
    },
    "simple-err-type.json": {
        "document.structure": "unknown",
        "document.lossless": "fail",
        "proof.signature": "fail",
        "proof.key_bound": "unknown",
    },
    "simple-err-evidence-type.json": {
        "document.structure": "fail",
        "document.lossless": "fail",
        "proof.signature": "fail",
        "proof.key_bound": "unknown",
    },
    "simple-err-context.json": {
        "document.structure": "fail",
        "document.context": "fail",
        "document.lossless": "fail",
        "proof.signature": "fail",
        "proof.key_bound": "fail",
    },
}


@pytest.mark.parametrize("name", SAMPLES)
def test_each_1edtech_sample_gets_the_findings_it_deserves(name: str) -> None:
    report = checked((vectors("1edtech-validator") / "ob30" / name).read_bytes())
    assert bad(report) == SAMPLES[name]
    counted("1edtech-validator", f"ob30/{name}")


def test_every_1edtech_sample_is_among_them() -> None:
    assert {path.name for path in (vectors("1edtech-validator") / "ob30").iterdir()} == set(SAMPLES)


def _world_of(document: dict[str, Any]) -> Web:
    """Where the issuer lists the key that its proof names, and the lists that its status names are published."""
    found: dict[str, bytes] = {}
    for proof in listed(document.get("proof")):
        method = proof["verificationMethod"]
        key = find_key(method, purpose="assertionMethod", now=THEN, fetcher=NoNetwork()).key
        owner = did_of(method)
        if key is not None:
            multikey = multikey_encode(key.algorithm, key.public_key)
            entry = {"id": method, "type": "Multikey", "controller": owner, "publicKeyMultibase": multikey}
            url = did_web_url(owner) if owner.startswith("did:web:") else owner
            found[url] = jcs({"id": owner, "assertionMethod": [entry]})
    for status in listed(document.get("credentialStatus")):
        if status["type"] == "1EdTechRevocationList":
            revoked = [{"id": document["id"]}]
            found[status["id"]] = jcs({"issuer": document["issuer"]["id"], "revokedCredential": revoked})
        else:
            published = vectors("1edtech-validator") / "bitstring-testlist.json"
            found[status["statusListCredential"]] = published.read_bytes()
    return Web(found)


def _expected() -> list[tuple[str, str]]:
    try:
        rows = json.loads((vectors("1edtech-validator") / "expected.json").read_text())
    except pytest.skip.Exception:
        return []
    return [(row["file"], row["expected"].split()[0].strip(":")) for row in rows]


@pytest.mark.parametrize(("name", "expected"), _expected())
def test_each_1edtech_sample_is_what_its_own_validator_says(name: str, expected: str) -> None:
    """With the issuer's keys and lists at hand; a warning there is an older context, suite or data model."""
    document = json.loads((vectors("1edtech-validator") / "ob30" / name).read_text())
    report = checked(document, _world_of(document))
    if name.startswith("bit-string-list"):
        # Its bit is set, but the list says that it lies at another address: it may be any list of that issuer.
        published = json.loads((vectors("1edtech-validator") / "bitstring-testlist.json").read_text())
        bits = decode_list(published["credentialSubject"]["encodedList"])
        assert read_bit(bits, document["credentialStatus"]["statusListIndex"])
        assert published["id"] != document["credentialStatus"]["statusListCredential"]
        assert report["status.revocation"].verdict is Verdict.UNKNOWN
        assert report.verdict is Verdict.UNKNOWN
        counted("1edtech-validator", "bitstring-testlist.json")
    else:
        assert report.verdict is (Verdict.PASS if expected in ("valid", "warning") else Verdict.FAIL), bad(report)
    counted("1edtech-validator", f"ob30/{name}")


def test_the_official_vector_of_eddsa_rdfc_2022_has_a_signature_that_holds() -> None:
    row = json.loads((vectors("1edtech-ob3-vector") / "eddsa-rdfc-2022-ob.json").read_text())
    assert bad(checked(row["signed"])) == {"proof.key_bound": "unknown"}
    assert bad(checked({**row["signed"], "name": "Other"}))["proof.signature"] == "fail"
    counted("1edtech-ob3-vector", "eddsa-rdfc-2022-ob.json")


def test_a_transcript_of_a_context_that_is_not_shipped_is_not_passed() -> None:
    report = checked((vectors("1edtech-validator") / "clr20__simple_v1.json").read_bytes())
    assert report["document.context"].verdict is Verdict.UNKNOWN
    assert report["document.structure"].verdict is Verdict.PASS
    # Its first badge is signed by a key in the issuer's fragment, the others by a did:key that is not the issuer.
    assert [f.verdict for f in report.findings if f.id.startswith("components.")] == [
        Verdict.UNKNOWN,
        *[Verdict.FAIL] * 5,
    ]
    counted("1edtech-validator", "clr20__simple_v1.json")


def test_badges_baked_by_others_are_read() -> None:
    rows = {row["name"]: base64.b64decode(row["base64"]) for row in json.loads(_baked())}
    assert bad(checked(rows["simple-json.png"])) == {"proof.key_bound": "unknown"}
    assert bad(checked(rows["simple-jwt.svg"])) == {"proof.key_bound": "unknown"}
    counted("1edtech-validator", [f"baked.json {name}" for name in rows])


def _baked() -> str:
    return (vectors("1edtech-validator") / "baked.json").read_text()


# --- Digital Credentials Consortium ---

HOME = "https://digitalcredentials.github.io/vc-test-fixtures/"


def fixtures(version: str) -> list[tuple[str, dict[str, Any]]]:
    rows = json.loads((vectors("dcc-fixtures") / f"{version}.json").read_text())
    return [(row["path"], row["credential"]) for row in rows]


def dcc() -> Web:
    folder = vectors("dcc-fixtures")
    dids = json.loads((folder / "dids.json").read_text())
    lists = json.loads((folder / "status-lists.json").read_text())
    documents = {HOME + path: jcs(document) for path, document in dids.items()}
    return Web(documents | {document["id"]: jcs(document) for document in lists.values()})


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_the_consortiums_signatures_hold_and_their_keys_are_the_issuers(version: str) -> None:
    place, looked = dcc(), 0
    for path, credential in fixtures(version):
        report = checked(credential, place)
        counted("dcc-fixtures", f"{version} {path}")
        if "https://w3id.org/dcc/v1" in credential["@context"]:  # a context that is not shipped
            assert report["document.context"].verdict is Verdict.UNKNOWN
            assert report.verdict is not Verdict.PASS
            continue
        looked += 1
        for id in ("document.context", "document.lossless", "proof.signature", "proof.key_bound"):
            assert report[id].verdict is Verdict.PASS, (path, report[id].says)
        expired = path.endswith("-expired.json")
        assert (report["validity.dates"].verdict is Verdict.FAIL) is (expired or _past(credential)), path
    assert looked == {"v1": 14, "v2": 22}[version]


def _past(credential: dict[str, Any]) -> bool:
    end = credential.get("validUntil") or credential.get("expirationDate")
    return end is not None and datetime.fromisoformat(end) < THEN


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_the_consortiums_badges_pass_where_they_say_whose_they_are(version: str) -> None:
    place, passed = dcc(), []
    for path, credential in fixtures(version):
        report = checked(credential, place)
        named = "id" in credential["credentialSubject"]
        if "OpenBadgeCredential" in credential["type"]:
            # Open Badges 3.0, Verification step 1: the subject has an id or an identifier.
            assert (report["document.structure"].verdict is Verdict.PASS) is named, (path, report.to_json())
        if report.verdict is Verdict.PASS:
            passed.append(path)
    assert len(passed) == {"v1": 1, "v2": 5}[version]


def test_a_plain_credential_of_the_consortium_is_unknown() -> None:
    (credential,) = [c for path, c in fixtures("v1") if "oldDCCExample" in path]
    report = checked(credential, dcc())
    assert report.verdict is Verdict.UNKNOWN
    assert not report.failed()


def test_changed_fixtures_of_the_consortium_fail() -> None:
    place = dcc()
    for path, credential in fixtures("v1") + fixtures("v2"):
        if "https://w3id.org/dcc/v1" not in credential["@context"]:
            report = checked({**credential, "name": "Changed"}, place)
            assert report["proof.signature"].verdict is Verdict.FAIL, path
