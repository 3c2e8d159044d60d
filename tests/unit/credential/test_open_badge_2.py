"""An Open Badge of version 2 is believed where its issuer publishes it or signed it, and becomes one of version 3."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.paths import counted, vectors
from tests.unit.credential.award_cast import HARBOUR, Web, signed, verified

from guildmark.core.codecs import base64url_encode, jcs
from guildmark.core.errors import BrokenInput
from guildmark.core.report import Report, Verdict
from guildmark.credential.jsonld import context_sets, to_dataset
from guildmark.credential.open_badge import IssuerProfile, identity_hash
from guildmark.credential.open_badge_2 import (
    ASSERTION,
    BADGE_CLASS,
    holder,
    is_assertion,
    key_of_pem,
    linked_back,
    moment,
    signed_assertion,
    upgrade,
)
from guildmark.credential.structure import structure_problems
from guildmark.credential.verify import verify_credential

V2 = "https://w3id.org/openbadges/v2"
HOME = "https://maker.example"
AT = datetime(2017, 6, 1, tzinfo=UTC)
HELD = f"{HOME}/assertions/123"
SECRET = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PEM = (
    SECRET.public_key()
    .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    .decode()
)


def issuer(**changes: Any) -> dict[str, Any]:
    return {
        "@context": V2,
        "id": f"{HOME}/issuer",
        "type": "Profile",
        "name": "Example Maker Society",
        "url": HOME,
        "email": "contact@maker.example",
        "telephone": "+16175551212",
        "publicKey": f"{HOME}/key",
        "revocationList": f"{HOME}/revoked",
        **changes,
    }


def badge_class(**changes: Any) -> dict[str, Any]:
    return {
        "@context": V2,
        "id": f"{HOME}/badges/5",
        "type": "BadgeClass",
        "name": "3-D Printmaster",
        "description": "Knows 3-D printing.",
        "image": f"{HOME}/badges/5/image",
        "criteria": {"narrative": "A test and *supervised* work."},
        "tags": ["printing", "safety"],
        "version": 2,
        "alignment": [
            {"targetName": "Safety", "targetUrl": "https://skills.example/safety", "targetCode": "S1"},
            {"name": "Old", "url": "https://skills.example/old", "description": "From version 1."},
        ],
        "issuer": f"{HOME}/issuer",
        **changes,
    }


def assertion(**changes: Any) -> dict[str, Any]:
    return {
        "@context": V2,
        "id": HELD,
        "type": "Assertion",
        "recipient": {
            "type": "email",
            "hashed": True,
            "salt": "deadsea",
            "identity": identity_hash("alice@example.org", "deadsea"),
        },
        "issuedOn": "2016-12-31T23:59:59+00:00",
        "expires": "2018-01-01T00:00:00Z",
        "badge": f"{HOME}/badges/5",
        "evidence": [f"{HOME}/work", {"id": f"{HOME}/more", "narrative": "More.", "genre": "Film"}],
        "narrative": "All of it.",
        "image": f"{HOME}/assertions/123.png",
        "verification": {"type": "hosted"},
        **changes,
    }


def key(**changes: Any) -> dict[str, Any]:
    return {"@context": V2, "id": f"{HOME}/key", "type": "CryptographicKey", "owner": f"{HOME}/issuer", **changes}


def place(*more: dict[str, Any], without: str = "") -> Web:
    """What the maker society publishes, with other documents in place of or besides its own."""
    own = [
        assertion(),
        badge_class(),
        issuer(),
        key(publicKeyPem=PEM),
        {"id": f"{HOME}/revoked", "type": "RevocationList", "revokedAssertions": ["urn:uuid:other"]},
    ]
    published = {document["id"]: json.dumps(document).encode() for document in [*own, *more]}
    published.pop(without, None)
    return Web(published)


def looked(document: Any = None, at: Web | None = None, *, now: datetime = AT, recipient: str | None = None) -> Report:
    data = document if isinstance(document, bytes) else json.dumps(document or assertion()).encode()
    return verify_credential(data, now=now, fetcher=at or place(), recipient=recipient)


def bad(report: Report) -> dict[str, str]:
    kept = (Verdict.FAIL, Verdict.UNKNOWN)
    return {f.id: f.verdict.value for f in report.findings if f.verdict in kept and f.required}


def part(value: Any) -> str:
    return base64url_encode(json.dumps(value).encode())


def token(document: dict[str, Any] | None = None, secret: Any = SECRET, alg: str = "RS256", **header: Any) -> bytes:
    """The assertion as a JSON Web Signature."""
    text = f"{part({'alg': alg, **header})}.{part(document or signed_one())}"
    return f"{text}.{base64url_encode(secret.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256()))}".encode()


def signed_one(**changes: Any) -> dict[str, Any]:
    made = {"id": "urn:uuid:00000000-0000-4000-8000-000000000001", "verification": {"type": "signed"}, **changes}
    return assertion(**made)


# --- Hosted ---


def test_a_hosted_badge_holds_where_its_issuer_publishes_it() -> None:
    report = looked(recipient="Alice@example.org")
    assert report.verdict is Verdict.PASS, report.to_json()
    assert report.subject == "“3-D Printmaster”, issued by Example Maker Society (https://maker.example/issuer)"
    assert report["proof.signature"].says == "It is what its issuer publishes at https://maker.example/assertions/123."
    assert report["recipient"].verdict is Verdict.PASS
    assert looked(recipient="bob@example.org")["recipient"].verdict is Verdict.FAIL


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("recipient", {"type": "email", "identity": "bob@example.org", "hashed": False}),
        ("issuedOn", "2017-12-31T23:59:59+00:00"),
        ("expires", "2030-01-01T00:00:00Z"),
        ("badge", f"{HOME}/badges/6"),
        ("evidence", f"{HOME}/other"),
        ("narrative", "More than all of it."),
    ],
)
def test_what_was_changed_after_it_was_published_fails(member: str, value: Any) -> None:
    report = looked(assertion(**{member: value}))
    assert report["proof.signature"].verdict is Verdict.FAIL
    assert f"“{member}”" in report["proof.signature"].says


def test_what_stands_inside_and_what_is_linked_are_alike() -> None:
    inside = assertion(badge=badge_class(issuer=issuer()))
    assert looked(inside).verdict is Verdict.PASS
    assert looked(assertion(), place(inside)).verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("missing", "unknown"),
    [
        (HELD, {"proof.signature"}),
        (f"{HOME}/badges/5", {"badge.class", "issuer.profile", "proof.key_bound"}),
        (f"{HOME}/issuer", {"issuer.profile", "proof.key_bound"}),
    ],
)
def test_what_cannot_be_read_is_unknown_and_never_passed(missing: str, unknown: set[str]) -> None:
    report = looked(at=place(without=missing))
    assert {f.id for f in report.unknown()} == unknown
    assert report.verdict is not Verdict.PASS


def test_a_badge_at_a_strangers_address_is_not_its_issuers() -> None:
    """Mallory publishes an assertion and a BadgeClass in another's name, with a profile of her own making inside."""
    evil = "https://mallory.example"
    forged = issuer(verification={"allowedOrigins": ["mallory.example", "maker.example"]})
    made = assertion(id=f"{evil}/1", badge=badge_class(id=f"{evil}/badge", issuer=forged))
    published = badge_class(id=f"{evil}/badge", issuer=forged)
    report = looked(made, place(made, published))
    assert report["proof.key_bound"].verdict is Verdict.FAIL
    assert "https://mallory.example/1" in report["proof.key_bound"].says
    assert looked(made, place(made, published, without=f"{HOME}/issuer"))["proof.key_bound"].verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("rules", "verdict"),
    [
        ({"allowedOrigins": "badges.example"}, Verdict.PASS),
        ({"allowedOrigins": ["BADGES.example", "x.example"]}, Verdict.PASS),
        ({"startsWith": ["https://badges.example/maker/"]}, Verdict.PASS),
        ({"startsWith": "https://badges.example/other/"}, Verdict.FAIL),
        ({"startsWith": ["https://badges.example/maker/"], "allowedOrigins": "x.example"}, Verdict.FAIL),
        ({}, Verdict.FAIL),
        ("anything", Verdict.FAIL),
    ],
)
def test_an_issuers_own_profile_says_where_its_badges_lie(rules: Any, verdict: Verdict) -> None:
    there = "https://badges.example/maker"
    made = assertion(id=f"{there}/1", badge=f"{there}/badge")
    report = looked(made, place(made, badge_class(id=f"{there}/badge"), issuer(verification=rules)))
    assert report["proof.key_bound"].verdict is verdict


def test_a_host_that_only_begins_like_the_issuers_is_another() -> None:
    made = assertion(id="https://maker.example.evil.example/1")
    assert looked(made, place(made))["proof.key_bound"].verdict is Verdict.FAIL


@pytest.mark.parametrize("changes", [{"id": f"{HOME}/other"}, {"type": "Assertion"}])
def test_another_document_at_the_address_is_not_taken(changes: dict[str, Any]) -> None:
    at = place()
    at.documents[f"{HOME}/badges/5"] = json.dumps(badge_class(**changes)).encode()
    assert looked(at=at)["badge.class"].verdict is Verdict.FAIL
    at = place()
    at.documents[HELD] = json.dumps(assertion(id="https://maker.example/assertions/124")).encode()
    assert looked(at=at)["proof.signature"].verdict is Verdict.FAIL


def test_a_description_inside_that_says_otherwise_fails() -> None:
    inside = assertion(badge=badge_class(name="Doctor of Printing"))
    report = looked(inside, place(inside))
    assert report["badge.class"].verdict is Verdict.FAIL


def test_a_revoked_hosted_badge_fails_with_its_reason() -> None:
    at = place({"id": HELD, "revoked": True, "revocationReason": "Awarded in error"})
    report = looked(at=at)
    assert report["status.revocation"].says == "Revoked by its issuer: Awarded in error."
    assert report.verdict is Verdict.FAIL


@pytest.mark.parametrize(
    ("changes", "now", "verdict"),
    [
        ({}, AT, Verdict.PASS),
        ({}, datetime(2016, 1, 1, tzinfo=UTC), Verdict.FAIL),
        ({}, datetime(2018, 1, 2, tzinfo=UTC), Verdict.FAIL),
        ({"expires": "some day"}, AT, Verdict.FAIL),
        ({"issuedOn": "2016-12-31T23:59:59"}, AT, Verdict.FAIL),
        ({"issuedOn": 1483228799}, AT, Verdict.PASS),
        ({"issuedOn": "2016-12-31"}, AT, Verdict.PASS),
    ],
)
def test_dates_are_those_of_the_badge(changes: dict[str, Any], now: datetime, verdict: Verdict) -> None:
    made = assertion(**changes)
    assert looked(made, place(made), now=now)["validity.dates"].verdict is verdict


@pytest.mark.parametrize(
    ("where", "member"),
    [
        *(("assertion", name) for name in ("recipient", "issuedOn")),
        *(("badge", name) for name in ("name", "description", "image", "criteria")),
        *(("issuer", name) for name in ("name", "url", "email")),
    ],
)
def test_a_member_that_is_needed_is_missed(where: str, member: str) -> None:
    whole = {"assertion": assertion(), "badge": badge_class(), "issuer": issuer()}
    del whole[where][member]
    report = looked(whole["assertion"], place(*whole.values()))
    assert report["document.structure"].verdict is Verdict.FAIL
    assert f"{member}” is missing" in report["document.structure"].says


def test_endorsements_of_version_2_are_named_and_not_looked_at() -> None:
    made = assertion(endorsement=[f"{HOME}/e1", f"{HOME}/e2"])
    report = looked(made, place(made))
    assert report["endorsements"].says == "It names 2 endorsements of version 2, which are not looked at."
    assert report.verdict is Verdict.PASS


# --- Signed ---


def test_a_signed_badge_holds_if_its_issuer_lists_the_key() -> None:
    report = looked(token(), recipient="alice@example.org")
    assert report.verdict is Verdict.PASS, report.to_json()
    assert "lists the key in its profile" in report["proof.key_bound"].says
    named = signed_one(verification={"type": "SignedBadge", "creator": f"{HOME}/key"})
    assert looked(token(named)).verdict is Verdict.PASS


def test_a_curve_signs_too() -> None:
    secret = ec.generate_private_key(ec.SECP256R1())
    form = (serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    text = f"{part({'alg': 'ES256'})}.{part(signed_one())}"
    from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

    r, s = decode_dss_signature(secret.sign(text.encode(), ec.ECDSA(hashes.SHA256())))
    made = f"{text}.{base64url_encode(r.to_bytes(32) + s.to_bytes(32))}".encode()
    at = place(key(publicKeyPem=secret.public_key().public_bytes(*form).decode()))
    assert looked(made, at).verdict is Verdict.PASS


def test_a_changed_signed_badge_fails() -> None:
    head, _, signature = token().decode().split(".")
    other = part(signed_one(narrative="More."))
    assert looked(f"{head}.{other}.{signature}".encode())["proof.signature"].verdict is Verdict.FAIL
    assert looked(token(secret=rsa.generate_private_key(65537, 2048)))["proof.signature"].verdict is Verdict.FAIL


@pytest.mark.parametrize(
    ("alg", "header", "verdict"),
    [("none", {}, Verdict.FAIL), ("HS256", {}, Verdict.UNKNOWN), ("RS256", {"crit": ["b64"]}, Verdict.UNKNOWN)],
)
def test_a_way_of_signing_that_is_not_known_does_not_pass(alg: str, header: Any, verdict: Verdict) -> None:
    report = looked(token(alg=alg, **header))
    assert report["proof.signature"].verdict is verdict
    assert report.verdict is not Verdict.PASS


def test_a_key_that_the_issuer_does_not_list_is_not_believed() -> None:
    """Mallory signs in the society's name, with a key that says it is the society's."""
    mallory = rsa.generate_private_key(65537, 2048)
    form = (serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    pem = mallory.public_key().public_bytes(*form).decode()
    hers = {**key(publicKeyPem=pem), "id": "https://mallory.example/key"}
    named = signed_one(verification={"type": "signed", "creator": hers["id"]})
    forged = issuer(publicKey=hers["id"])
    for made in (named, {**named, "badge": badge_class(issuer=forged)}):
        report = looked(token(made, mallory), place(hers))
        assert report["proof.key_bound"].verdict is Verdict.FAIL
    report = looked(token({**named, "badge": badge_class(id="urn:uuid:1", issuer=forged)}, mallory), place(hers))
    assert report["proof.key_bound"].verdict is Verdict.FAIL


def test_a_key_of_another_owner_is_not_the_issuers() -> None:
    report = looked(token(), place(key(publicKeyPem=PEM, owner="https://other.example")))
    assert report["proof.key_bound"].verdict is Verdict.FAIL
    assert "belongs to https://other.example" in report["proof.key_bound"].says


def test_a_key_that_cannot_be_had_is_unknown() -> None:
    assert bad(looked(token(), place(without=f"{HOME}/key"))) == {
        "proof.signature": "unknown",
        "proof.key_bound": "unknown",
    }
    assert looked(token(), place(key(publicKeyPem="no key")))["proof.signature"].verdict is Verdict.UNKNOWN


def test_a_key_may_stand_in_the_profile() -> None:
    at = place(issuer(publicKey=[key(publicKeyPem=PEM)]), without=f"{HOME}/key")
    assert looked(token(), at).verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("entries", "verdict"),
    [
        (["urn:uuid:00000000-0000-4000-8000-000000000001"], Verdict.FAIL),
        ({"id": "urn:uuid:00000000-0000-4000-8000-000000000001", "revocationReason": "Policy"}, Verdict.FAIL),
        ([{"uid": "abc123"}], Verdict.FAIL),
        ([{"id": "urn:uuid:00000000-0000-4000-8000-000000000001", "revoked": False}], Verdict.PASS),
        ([{"id": None}, 7, ["x"]], Verdict.PASS),
        ([], Verdict.PASS),
    ],
)
def test_the_issuers_list_says_whether_a_signed_badge_was_revoked(entries: Any, verdict: Verdict) -> None:
    at = place({"id": f"{HOME}/revoked", "type": "RevocationList", "revokedAssertions": entries})
    assert looked(token(signed_one(uid="abc123")), at)["status.revocation"].verdict is verdict


def test_a_list_that_cannot_be_read_is_unknown() -> None:
    assert looked(token(), place(without=f"{HOME}/revoked"))["status.revocation"].verdict is Verdict.UNKNOWN


def test_a_signed_badge_without_its_signature_fails() -> None:
    assert looked(signed_one())["proof.signature"].verdict is Verdict.FAIL


@pytest.mark.parametrize("text", [None, 7, "", "no key", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----"])
def test_a_key_that_is_none_is_refused(text: Any) -> None:
    with pytest.raises(BrokenInput, match="publicKeyPem"):
        key_of_pem(text, "https://a.example/key")


def test_a_key_of_another_kind_is_refused() -> None:
    form = (serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    for secret in (ed25519.Ed25519PrivateKey.generate(), rsa.generate_private_key(65537, 1024)):
        with pytest.raises(BrokenInput, match="of a kind that is not known here"):
            key_of_pem(secret.public_key().public_bytes(*form).decode(), "https://a.example/key")


# --- Hostile ---

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from([f"{HOME}/issuer", HELD]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(st.sampled_from(["assertion", "badge", "issuer", "key", "list"]), st.data())
@settings(max_examples=150, deadline=None)
def test_nothing_that_stands_in_a_badge_makes_it_raise(where: str, data: st.DataObject) -> None:
    parts = {
        "assertion": signed_one() if data.draw(st.booleans()) else assertion(),
        "badge": badge_class(),
        "issuer": issuer(),
        "key": key(publicKeyPem=PEM),
        "list": {"id": f"{HOME}/revoked", "revokedAssertions": []},
    }
    name = data.draw(
        st.sampled_from(sorted(set(parts[where]) - {"@context", "type"} - ({"id"} if where != "key" else set())))
    )
    parts[where][name] = data.draw(values)
    made = parts["assertion"]
    published = [value for value in parts.values() if isinstance(value.get("id"), str)]
    given_bytes = token(made) if made["verification"] == {"type": "signed"} else json.dumps(made).encode()
    assert looked(given_bytes, place(*published)).verdict in (Verdict.PASS, Verdict.FAIL, Verdict.UNKNOWN)


# --- Upgraded ---

NOW_KNOWN_AS = IssuerProfile("did:web:maker.example", "Example Maker Society", HOME, "US")


def upgraded(**changes: Any) -> dict[str, Any]:
    arguments: dict[str, Any] = {
        "credential_id": "urn:uuid:91537dba-56cb-11ec-bf63-0242ac130004",
        "achievement_id": "urn:uuid:a7467ef6-56cb-11ec-bf63-0242ac130002",
        "signer": NOW_KNOWN_AS,
    }
    parts = [changes.pop(name, made) for name, made in (("a", assertion()), ("b", badge_class()), ("i", issuer()))]
    return upgrade(*parts, **{**arguments, **changes})


def test_an_upgraded_badge_is_as_the_implementation_guide_writes_it() -> None:
    document = upgraded()
    subject = document["credentialSubject"]
    achievement = subject["achievement"]
    assert document["validFrom"] == document["awardedDate"] == "2016-12-31T23:59:59Z"
    assert document["validUntil"] == "2018-01-01T00:00:00Z"
    assert document["name"] == achievement["name"] == "3-D Printmaster"
    assert document["issuer"]["id"] == "did:web:maker.example"
    assert document["issuer"]["otherIdentifier"] == [
        {"type": "IdentifierEntry", "identifier": f"{HOME}/issuer", "identifierType": "identifier"}
    ]
    assert achievement["creator"]["id"] == f"{HOME}/issuer"
    assert achievement["creator"]["phone"] == "+16175551212"
    assert achievement["related"] == [
        {"type": ["Related", BADGE_CLASS], "id": f"{HOME}/badges/5", "version": "Open Badges v2p0"}
    ]
    assert achievement["tag"] == ["printing", "safety"]
    assert [entry["targetUrl"] for entry in achievement["alignment"]] == [
        "https://skills.example/safety",
        "https://skills.example/old",
    ]
    assert subject["narrative"] == "All of it."
    assert [entry["id"] for entry in document["evidence"]] == [f"{HOME}/work", f"{HOME}/more", HELD]
    assert document["evidence"][-1]["type"] == ["Evidence", ASSERTION]
    assert subject["identifier"][0]["identityHash"] == identity_hash("alice@example.org", "deadsea")


def test_an_upgraded_badge_is_strictly_one_of_version_3_and_its_signature_covers_all_of_it() -> None:
    document = upgraded()
    assert structure_problems(document, "strict") == ()
    assert all(to_dataset(document, contexts).losses == () for contexts in context_sets())
    report = verified(signed(upgraded(signer=HARBOUR)), now=AT, recipient="alice@example.org")
    assert report["recipient"].verdict is Verdict.PASS


def test_a_badge_that_another_takes_in_keeps_its_issuer() -> None:
    document = upgraded(signer=None)
    assert document["issuer"]["id"] == f"{HOME}/issuer"
    assert "otherIdentifier" not in document["issuer"]
    assert structure_problems(document, "strict") == ()


def test_a_signed_badge_stands_behind_its_upgrade_as_it_was_signed() -> None:
    text = token().decode()
    document = upgraded(a=signed_one(), token=text)
    head, _, data = document["evidence"][-1]["id"].partition(",")
    assert head == "data:application/jose;base64"
    assert base64.b64decode(data).decode() == text
    assert looked(base64.b64decode(data)).verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("parts", "says"),
    [
        ({"a": assertion(revoked=True)}, "the badge was revoked"),
        ({"a": assertion(recipient={"type": "email"})}, "names its recipient in no way"),
        ({"a": assertion(recipient={"type": "shoeSize", "identity": "44"})}, "names its recipient in no way"),
        ({"a": assertion(issuedOn="some day")}, "is not a date"),
        ({"a": assertion(evidence="my work")}, "is not an absolute URL"),
        ({"b": badge_class(name="")}, "name: is missing"),
        ({"b": badge_class(criteria=None)}, "has neither an address nor a narrative"),
        ({"i": issuer(id="")}, "id: is missing"),
    ],
)
def test_what_cannot_be_said_in_version_3_is_refused(parts: dict[str, Any], says: str) -> None:
    with pytest.raises(BrokenInput, match=says):
        upgraded(**parts)


@pytest.mark.parametrize(
    ("recipient", "subject"),
    [
        ({"type": "id", "identity": "did:example:alice"}, {"id": "did:example:alice"}),
        ({"type": "url", "identity": "https://alice.example"}, {"id": "https://alice.example"}),
        ({"type": "id", "identity": "alice"}, {}),
        ({"type": "http://schema.org/email", "identity": "a@x.example", "hashed": False}, "emailAddress"),
        ({"type": "schema:telephone", "identity": "+1", "hashed": False}, "ext:telephone"),
        ({"type": "email", "identity": 7}, {}),
        ("alice", {}),
    ],
)
def test_a_recipient_is_named_as_version_3_names_one(recipient: Any, subject: Any) -> None:
    found = holder({"recipient": recipient})
    if isinstance(subject, str):
        assert found["identifier"][0]["identityType"] == subject
        assert found["identifier"][0]["hashed"] is False
    else:
        assert found == subject


def test_the_documents_of_version_2_point_back() -> None:
    badge = linked_back(badge_class(related=[{"id": "https://a.example/es"}]), "urn:uuid:new")
    assert badge["related"][-1] == {
        "type": ["https://purl.imsglobal.org/spec/vc/ob/vocab.html#Achievement"],
        "id": "urn:uuid:new",
        "version": "Open Badges v3p0",
    }
    assert len(linked_back(badge, "urn:uuid:new")["related"]) == 2  # said once, however often
    assert linked_back(issuer(), "did:web:a")["related"][0]["type"][0].endswith("#Profile")


def test_dates_of_older_versions_are_read() -> None:
    assert moment(0) == datetime(1970, 1, 1, tzinfo=UTC)
    assert moment("2016-12-31") == datetime(2016, 12, 31, tzinfo=UTC)
    for value in (True, -1, 10**12, "yesterday", None, "2016-13-31"):
        with pytest.raises(BrokenInput):
            moment(value)


# --- Samples of 1EdTech ---


def sample(name: str) -> Any:
    return json.loads((vectors("1edtech-validator") / "ob20" / name).read_text())


ORGANISATION = {
    "@context": V2,
    "type": "Issuer",
    "id": "https://example.org/organization.json",
    "name": "An Example Badge Issuer",
    "url": "https://example.org",
    "email": "contact@example.org",
    "publicKey": "http://example.org/key1.json",
}


def robotics() -> dict[str, Any]:
    """The BadgeClass that the samples link to and that is not among them: theirs with endorsements, under its id."""
    made = sample("assets__badgeclass-with-endorsements.json")
    return {**made, "id": "https://example.org/robotics-badge.json"}


def theirs(*more: Any) -> Web:
    kept = ("assets__badgeclass-with-endorsements.json", "assets__key1.json", "assets__revocation-list.json")
    documents = [*map(sample, kept), robotics(), ORGANISATION, *more]
    return Web({document["id"]: jcs(document) for document in documents})


@pytest.mark.parametrize("name", ["basic-assertion.json", "assertion-with-endorsements.json"])
def test_the_hosted_samples_hold_where_they_are_hosted(name: str) -> None:
    made = sample(name)
    report = looked(made, theirs(made))
    assert bad(report) == {}
    assert report.verdict is Verdict.PASS
    assert bad(looked(made, Web({})))["proof.signature"] == "unknown"
    assert looked({**made, "issuedOn": "2015-01-01T00:00:00Z"}, theirs(made)).verdict is Verdict.FAIL
    counted("1edtech-validator", f"ob20/{name}")


def test_the_signed_sample_holds_by_the_key_that_its_issuer_lists() -> None:
    text = sample("jws.json")["simple.jwt"]
    report = looked(text.encode(), theirs())
    assert bad(report) == {}
    assert report["proof.signature"].verdict is Verdict.PASS
    stranger = {**ORGANISATION, "publicKey": "http://example.org/key2.json"}
    assert looked(text.encode(), theirs(stranger))["proof.key_bound"].verdict is Verdict.FAIL
    found = signed_assertion(text)
    assert found is not None
    assert is_assertion(found.claims)
    counted("1edtech-validator", ["ob20/jws.json simple.jwt", "ob20/assets__key1.json"])


def test_the_baked_sample_is_taken_out_and_holds() -> None:
    image = base64.b64decode(sample("jws.json")["simple-badge.png.base64"])
    held = {key: value for key, value in sample("basic-assertion.json").items() if key != "evidence"}
    assert bad(looked(image, theirs(held))) == {}
    assert looked(image, theirs(sample("basic-assertion.json")))["proof.signature"].verdict is Verdict.FAIL
    counted("1edtech-validator", "ob20/jws.json simple-badge.png")


def test_the_samples_list_revokes_what_it_names() -> None:
    profile = sample("assets__organization-with-revocation-list.json")
    badge = sample("assets__badge-from-organization-with-revocation-list.json")
    profile = {
        **profile,
        "publicKey": {**key(publicKeyPem=PEM, owner=profile["id"]), "id": "http://example.org/key3.json"},
    }
    revoked = {
        "https://example.org/beths-robotics-badge-revoked.json": Verdict.FAIL,
        "urn:uuid:52e4c6b3-8c13-4fa8-8482-a5cf34ef37a9": Verdict.FAIL,
        "urn:uuid:6deb4a00-ebce-4b28-8cc2-afa705ef7be4": Verdict.FAIL,
        "urn:uuid:6deb4a00-ebce-4b28-8cc2-afa705ef7be5": Verdict.PASS,
    }
    for id, verdict in revoked.items():
        report = looked(token(signed_one(id=id, badge=badge["id"])), theirs(profile, badge))
        assert report["status.revocation"].verdict is verdict
        assert report["proof.key_bound"].verdict is Verdict.PASS
    counted(
        "1edtech-validator",
        [
            "ob20/assets__organization-with-revocation-list.json",
            "ob20/assets__badge-from-organization-with-revocation-list.json",
            "ob20/assets__revocation-list.json",
        ],
    )


@pytest.mark.parametrize("name", ["basic-assertion.json", "assertion-with-endorsements.json"])
def test_the_samples_are_upgraded(name: str) -> None:
    made = sample(name)
    badge = made["badge"] if isinstance(made["badge"], dict) else robotics()
    document = upgrade(made, badge, ORGANISATION, credential_id="urn:uuid:1", achievement_id="urn:uuid:2")
    assert structure_problems(document, "strict") == ()
    assert to_dataset(document, context_sets()[0]).losses == ()


@pytest.mark.parametrize("name", ["assets__badgeclass1.json", "assets__issuer1.json"])
def test_the_samples_with_a_context_written_out_are_read(name: str) -> None:
    made = sample(name)
    assert not is_assertion(made)
    assert made["id"].startswith("http")
    if made["type"] == "BadgeClass":
        document = upgrade(assertion(), made, ORGANISATION, credential_id="urn:uuid:1", achievement_id="urn:uuid:2")
    else:
        document = upgrade(assertion(), badge_class(), made, credential_id="urn:uuid:1", achievement_id="urn:uuid:2")
    assert structure_problems(document, "strict") == ()
    counted("1edtech-validator", f"ob20/{name}")


@pytest.mark.parametrize("badge", [1, {}, None, [], ""], ids=str)
def test_a_badge_that_does_not_say_what_for_is_refused_in_words(badge):
    nothing = assertion(badge=badge)
    report = looked(nothing, place(nothing))
    assert report.verdict is Verdict.FAIL
    if not isinstance(badge, dict):
        assert report["badge.class"].says == "It does not say what it was awarded for."
