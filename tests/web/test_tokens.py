"""Credentials in other envelopes on the pages: a learner takes theirs as a token, anyone has one checked."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from guildmark.app.queries.published import PublishedFetcher
from guildmark.app.queries.reading import reading_of
from guildmark.app.records import Learner, Person
from guildmark.app.services.people import add_person, register_organisation
from guildmark.core.codecs import jcs
from guildmark.core.report import Report, Verdict
from guildmark.credential.envelope import open_envelope, packed, same_content
from guildmark.credential.jose import sign_vc_jwt
from guildmark.credential.keys import SoftwareSigner
from guildmark.credential.proof import sign_document
from guildmark.credential.verify import verify_credential
from tests.unit.credential.award_cast import HARBOUR, endorsement, larger, signed_award, signer
from tests.unit.credential.test_open_badge_2 import assertion, place
from tests.web.conftest import ZOE
from tests.web.test_public import Page, assert_accessible, assert_guarded, assert_private, changed, upload
from tests.web.test_reading import QUESTIONS, photo

pytestmark = pytest.mark.django_db


def taken(site, client, name: str = "credential.jwt", **asked) -> bytes:
    response = client.get(f"/claim/{site.token}/{name}", asked)
    assert response.status_code == 200, Page(response).text
    return response.content


# --- The learner takes it ---


def test_the_same_credential_can_be_taken_as_a_token_and_holds_the_same(site, client):
    jwt, sd_jwt = (
        taken(site, client),
        taken(site, client, "credential.sd-jwt", show=["name", "email", "results"]),
    )
    assert same_content(bytes(site.award.document), jwt, sd_jwt).verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("name", "kind"),
    [("credential.jwt", "application/vc+jwt"), ("credential.sd-jwt?show=name", "application/dc+sd-jwt")],
)
def test_a_token_is_a_private_download_of_its_own_kind(site, client, name, kind):
    response = client.get(f"/claim/{site.token}/{name}")
    assert response.headers["Content-Type"] == kind
    assert response.headers["Content-Disposition"] == f'attachment; filename="{name.partition("?")[0]}"'
    assert_private(response)
    assert_guarded(response)


def test_the_learner_chooses_what_a_token_shows_and_the_page_begins_with_least(site, client):
    page = assert_accessible(client.get(f"/claim/{site.token}"))
    boxes = {a["value"]: "checked" in a for a in page.all("input") if a.get("name") == "show"}
    assert boxes == {"name": True, "email": False, "results": False}
    (form,) = [a for a in page.all("form") if a["action"].endswith("credential.sd-jwt")]
    assert form["method"] == "get"
    document = open_envelope(client.get(form["action"], {"show": "name"}).content).document
    assert [entry["identityType"] for entry in document["credentialSubject"]["identifier"]] == ["name"]
    assert "result" not in document["credentialSubject"]


@pytest.mark.parametrize("show", [[], ["results"], ["shoe size"]], ids=["nothing", "nobody", "unknown"])
def test_a_choice_that_makes_no_sense_is_answered_with_a_sentence(site, client, show):
    response = client.get(f"/claim/{site.token}/credential.sd-jwt", {"show": show})
    assert response.status_code == 422
    assert_private(response)
    assert re.search("whose it is|no part to show", assert_accessible(response).text)


def test_what_is_revoked_is_offered_in_no_new_envelope_and_its_own_file_stays(site, client):
    site.status("revoked", "misconduct")
    assert "credential.jwt" not in client.get(f"/claim/{site.token}").content.decode()
    refused = client.get(f"/claim/{site.token}/credential.jwt")
    assert refused.status_code == 422
    assert "is revoked" in assert_accessible(refused).text
    assert client.get(f"/claim/{site.token}/credential.json").content == bytes(site.award.document)


def test_the_page_of_a_held_credential_offers_the_same(site, client):
    zoe = add_person(
        id=site.award.learner_id, username="zoe", name=ZOE, email="zoe.nguyen@example.org", roles=[], now=timezone.now()
    )
    Learner.objects.update(person=zoe)
    client.force_login(Person.objects.get(pk=zoe.pk), backend="django.contrib.auth.backends.ModelBackend")
    page = assert_accessible(client.get(f"/my/credentials/{site.award.id}"))
    (link,) = [a["href"] for a in page.all("a") if a.get("href", "").endswith("credential.jwt")]
    assert same_content(bytes(site.award.document), client.get(link).content).verdict is Verdict.PASS


# --- Anyone has one checked ---


def test_a_token_is_checked_from_paste_file_photo_and_address(site, client, network):
    jwt = taken(site, client)
    network.held["https://wallet.example/jwt"] = jwt
    asked = (
        {"text": jwt.decode() + "\n"},
        {"file": SimpleUploadedFile("credential.jwt", jwt)},
        {"url": "https://wallet.example/jwt"},
    )
    for given in asked:
        text = assert_accessible(client.post("/verify", given)).text
        assert "This credential holds." in text
        assert all(question in text for question in QUESTIONS)


def test_a_code_may_hold_a_whole_token(client, network):
    """A small one: a badge of ours would not fit into a code."""
    key = SoftwareSigner(bytes(range(32)), "did:key:z6MkehRgf7yJbgaGfYsdoAsKdBPE3dj2CYhowQdcjqSJgvVd#x")
    document = {"id": "urn:x", "issuer": "did:key:z6Mk", "validFrom": "2026-01-01T00:00:00Z", "@context": []}
    response = upload(client, photo(sign_vc_jwt(document, key)), "photo.png")
    assert response.status_code == 200
    assert "does not hold" in assert_accessible(response).text


def test_a_changed_token_does_not_hold(site, client):
    head, body, tail = taken(site, client).split(b".")
    other = bytes([body[40] ^ 1]) if chr(body[40] ^ 1).isalnum() else b"A"
    text = upload(client, b".".join([head, body[:40] + other + body[41:], tail]), "credential.jwt")
    assert "This credential holds." not in Page(text).text


def test_a_token_reads_in_the_same_words_as_the_document_in_it(site, client):
    now = timezone.now()

    def read(body: bytes):
        report = verify_credential(body, now=now, fetcher=PublishedFetcher())
        return reading_of(open_envelope(body).document, report, now=now)

    stored, jwt = read(bytes(site.award.document)), read(taken(site, client))
    assert (jwt.shown.title, jwt.shown.outcomes, jwt.shown.criteria) == (
        stored.shown.title,
        stored.shown.outcomes,
        stored.shown.criteria,
    )
    assert (jwt.issuer.verdict, jwt.partners, jwt.assessed) == (Verdict.PASS, stored.partners, stored.assessed)
    part = read(taken(site, client, "credential.sd-jwt", show=["name"]))
    assert [o.statement for o in part.shown.outcomes] == [o.statement for o in stored.shown.outcomes]
    assert {o.percent for o in part.shown.outcomes} == {""}
    assert part.shown.criteria == ()


def test_a_token_of_which_a_part_is_kept_back_says_so_and_holds(site, client):
    text = assert_accessible(upload(client, taken(site, client, "credential.sd-jwt", show=["name"]))).text
    assert "This credential holds." in text
    assert "Not all that was signed is shown" in text


def test_a_larger_credential_whose_components_are_tokens_reads_as_one_whose_are_not():
    plain = larger()
    tokens = [
        packed(sign_vc_jwt({k: v for k, v in part.items() if k != "proof"}, signer(HARBOUR)))
        for part in plain["credentialSubject"]["verifiableCredential"]
    ]
    other = {**plain, "credentialSubject": {**plain["credentialSubject"], "verifiableCredential": tokens}}
    now = datetime(2026, 12, 1, tzinfo=UTC)
    one, two = (reading_of(document, Report("x", ()), now=now) for document in (plain, other))
    assert [part.title for part in two.shown.components] == [part.title for part in one.shown.components]
    broken = {"verifiableCredential": [{**tokens[0], "id": "data:application/vc+jwt,x"}, "", 1, tokens[1]]}
    held = reading_of(
        {**plain, "credentialSubject": {**plain["credentialSubject"], **broken}}, Report("x", ()), now=now
    )
    assert [part.title for part in held.shown.components] == [one.shown.components[1].title]


def test_a_partner_whose_endorsement_is_a_token_is_named():
    document = signed_award()
    document["credentialSubject"]["achievement"]["endorsement"] = []
    document["credentialSubject"]["achievement"]["endorsementJwt"] = [
        sign_vc_jwt(endorsement(), SoftwareSigner(bytes(32), "did:web:northwind.example#key-1"))
    ]
    report = verify_credential(jcs(document), now=datetime(2026, 12, 1, tzinfo=UTC), fetcher=PublishedFetcher())
    (partner,) = reading_of(document, report, now=datetime(2026, 12, 1, tzinfo=UTC)).partners
    assert partner.name == "Northwind Logistics"
    assert partner.verdict is not Verdict.PASS


def test_a_badge_of_version_2_is_checked_where_its_issuer_publishes_it(client, network):
    network.held.update(place().documents)
    endless = {**assertion(), "expires": "2126-01-01T00:00:00Z"}
    network.held[endless["id"]] = json.dumps(endless).encode()
    for given in ({"text": json.dumps(endless)}, {"url": endless["id"]}):
        text = assert_accessible(client.post("/verify", {**given, "recipient": "alice@example.org"})).text
        assert "This credential holds." in text
        assert "“3-D Printmaster”, issued by Example Maker Society" in text
        assert "It is made out to alice@example.org." in text
    changed_one = json.dumps({**endless, "narrative": "All and more."})
    assert "does not hold" in assert_accessible(client.post("/verify", {"text": changed_one})).text


# --- A partner has a list checked ---


def test_a_list_takes_every_envelope_and_reads_what_they_share_once(site, client, network, monkeypatch):
    network.held.update(place().documents)
    omar = add_person(
        id=site.award.id, username="omar", name="Omar", email="omar@example.org", roles=[], now=timezone.now()
    )
    northwind = register_organisation(
        id=site.award.issuer_id.__class__(int=99), slug="northwind", name="Northwind", kind="partner",
        did="did:web:demo.guildmark.example:partners:northwind", country="AU", facts={}, now=timezone.now(),
    )  # fmt: skip
    northwind.memberships.create(person=omar, role="partner")
    bodies = [
        bytes(site.award.document),
        taken(site, client),
        taken(site, client, "credential.sd-jwt", show=["name"]),
        changed(site),
        json.dumps(assertion()).encode(),
        b"eyJ.x.y~",
    ]
    asked: list[str] = []
    fetch = PublishedFetcher.fetch

    def counted(self, url):
        asked.append(url)
        return fetch(self, url)

    monkeypatch.setattr(PublishedFetcher, "fetch", counted)
    client.force_login(omar, backend="django.contrib.auth.backends.ModelBackend")
    files = [SimpleUploadedFile(f"file-{n}", body) for n, body in enumerate(bodies, 1)]
    page = assert_accessible(client.post(reverse("check-many", args=["northwind"]), {"files": files}))
    for n in (1, 2, 3):
        assert f"file-{n} ✓ This credential holds." in page.text
    assert "file-4 ✕ This credential does not hold." in page.text
    assert "file-5 ✕ This credential does not hold. “3-D Printmaster”" in page.text, "it ran out in 2018"
    assert "file-6 ? Not checked" in page.text
    assert asked
    assert len(asked) == len(set(asked))


def test_signing_again_is_not_for_documents_that_only_look_like_ours(site, client):
    """Mallory's own signature under our award is no reason to sign it."""
    document = json.loads(bytes(site.award.document))
    bare = {name: value for name, value in document.items() if name != "proof"}
    key = SoftwareSigner(bytes(range(32)), document["proof"]["verificationMethod"])
    site.award.document = jcs(sign_document(bare, key, created=timezone.now()))
    site.award.save()
    response = client.get(f"/claim/{site.token}/credential.jwt")
    assert response.status_code == 422
    assert "not what its issuer signed" in Page(response).text


def test_a_badge_of_the_older_data_model_reads_with_its_dates():
    document = signed_award()
    begins, ends = document.pop("validFrom"), document.pop("validUntil")
    old = {**document, "issuanceDate": begins, "expirationDate": ends}
    shown = reading_of(old, Report("x", ()), now=timezone.now()).shown
    assert (shown.issued, shown.valid_until) == ("24 November 2026", "24 November 2029")
