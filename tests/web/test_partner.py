"""An industry partner's pages: signing maps, finding people, checking credentials, telling what came of it."""

from __future__ import annotations

import json
from datetime import timedelta
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from guildmark.app.queries.partner import map_of
from guildmark.app.records import (
    Award,
    CoDesign,
    Destination,
    Endorsement,
    Event,
    JobAd,
    MatchDecision,
    MatchRun,
    Membership,
    Mention,
    OutboxMessage,
    Person,
)
from guildmark.app.services import awards, design, pathways, people, skills
from guildmark.core.errors import BrokenInput, NotAllowed
from guildmark.core.report import Verdict
from guildmark.credential.endorsement import read_endorsement
from guildmark.credential.verify import verify_credential
from tests.app import cast as acts
from tests.app.cast import sample
from tests.web.test_public import assert_accessible, assert_guarded, assert_private

NORTHWIND = "northwind-logistics"
NOW = timezone.now().replace(microsecond=0)

AD = (
    "Operations analyst. You write SQL queries, automate reports with Python and present the numbers to a warehouse "
    "team. Experience with Docker is a plus."
)


@pytest.fixture(autouse=True)
def today(monkeypatch):
    """The pages look at the real clock, so the cast acts on the same day."""
    monkeypatch.setattr(acts, "NOW", NOW - timedelta(hours=1))


@pytest.fixture
def cast(db):
    return acts.cast()


@pytest.fixture
def asked(cast):
    """A draft of Harbour whose map Northwind was asked to sign."""
    version = acts.draft(cast)
    design.ask_partner(version=version, partner=cast.northwind, actor=cast.quinn, now=acts.NOW)
    return version


@pytest.fixture
def omar(cast):
    return signed_in(cast.omar)


def signed_in(person: Person) -> Client:
    client = Client()
    client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    return client


def url(name: str, slug: str = NORTHWIND, **more) -> str:
    return reverse(name, kwargs={"slug": slug, **more})


def shown(response, status: int = 200):
    assert response.status_code == status
    assert_guarded(response)
    return assert_accessible(response)


def signature(client: Client, version, **given):
    """What the form for signing sends, with the digest of the map that its page showed."""
    page = shown(client.get(url("map", id=version.id)))
    return {"scope": "whole", "claim": "We hire for this.", "shown": page.by_id("id_shown")["value"], **given}


def revised(cast, version, **changes) -> None:
    """The draft with another first outcome."""
    document = {**version.document}
    document["outcomes"] = [{**document["outcomes"][0], **changes}, *document["outcomes"][1:]]
    design.revise_draft(version=version, document=json.dumps(document).encode(), actor=cast.quinn, now=acts.NOW)


# --- Maps ---


def test_a_map_that_the_partner_was_asked_to_sign_waits_on_its_pages(cast, omar, asked):
    home = shown(omar.get("/"))
    assert "1 map of tasks could be signed." in home.text
    page = shown(omar.get(url("maps")))
    assert f"{asked.title} version 1, draft" in page.text
    assert "Waits for you" in page.text


def test_a_map_is_told_in_words(omar, asked):
    page = shown(omar.get(url("map", id=asked.id)))
    document = asked.document
    for said in (
        *(t["statement"] for t in document["tasks"]),
        *(o["statement"] for o in document["outcomes"]),
        *(a["title"] for a in document["assessments"]),
        *(c["title"] for a in document["assessments"] for c in a["criteria"]),
        *(level["descriptor"] for a in document["assessments"] for c in a["criteria"] for level in c["levels"]),
    ):
        assert " ".join(said.split()) in page.text
    assert len([a for a in page.all("th") if not a.get("scope")]) == 0


def test_a_partner_signs_the_whole_map_in_its_own_words(cast, omar, asked):
    response = omar.post(url("map", id=asked.id), signature(omar, asked, claim="We hire for this, and pay for it."))
    assert response.headers["Location"] == url("map", id=asked.id)
    row = Endorsement.objects.get()
    said = read_endorsement(row.document)
    assert (said.partner_id, said.scope, said.claim) == (
        cast.northwind.did,
        "whole",
        "We hire for this, and pay for it.",
    )
    assert json.loads(row.signed_map)["edges"]
    page = shown(omar.get(url("map", id=asked.id)))
    assert "“We hire for this, and pay for it.”" in page.text
    assert "Sign the map" not in page.text
    assert "Stands" in shown(omar.get(url("maps"))).text
    assert "could be signed" not in shown(omar.get("/")).text
    assert Event.objects.get(verb="endorse").actor == cast.omar


def test_a_partner_signs_single_outcomes_and_later_the_rest(omar, asked):
    first = asked.document["outcomes"][0]["id"]
    omar.post(url("map", id=asked.id), signature(omar, asked, scope="part", outcomes=[first]))
    assert Endorsement.objects.get().scope == [first]
    page = shown(omar.get(url("map", id=asked.id)))
    assert "for a part" in page.text
    omar.post(url("map", id=asked.id), signature(omar, asked))
    assert [row.scope for row in Endorsement.objects.all()] == [[first], "whole"]
    omar.post(url("map", id=asked.id), {**signature_of_a_signed(asked), "claim": "Again."})
    assert Endorsement.objects.count() == 2, "nothing is left to sign"


def signature_of_a_signed(version):
    from guildmark.app.queries.design import blueprint_value
    from guildmark.design.codesign import map_digest

    return {"scope": "whole", "shown": map_digest(blueprint_value(version))}


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"claim": ""}, "Say in a sentence what you vouch for."),
        ({"claim": "x" * 2001}, "at most 2000 characters"),
        ({"scope": ""}, "Choose the whole map, or a part of it."),
        ({"scope": "all"}, "not one of the available choices"),
        ({"scope": "part"}, "Choose at least one outcome, or sign the whole map."),
        ({"scope": "part", "outcomes": ["gone"]}, "not one of the available choices"),
    ],
)
def test_a_signature_that_says_too_little_is_no_signature(omar, asked, given, says):
    response = omar.post(url("map", id=asked.id), signature(omar, asked, **given))
    page = shown(response, 422)
    assert says in page.text
    assert "Problem" in response.content.decode().split("</title>")[0]
    assert not Endorsement.objects.exists()
    if "claim" not in given:
        assert "We hire for this." in page.text, "what was typed stays"


def test_nobody_signs_what_they_were_not_shown(cast, omar, asked):
    given = signature(omar, asked)
    revised(cast, asked, statement="Something else altogether.")
    page = shown(omar.post(url("map", id=asked.id), given), 422)
    assert "The map changed while you were reading." in page.text
    assert "Something else altogether." in page.text
    assert not Endorsement.objects.exists()
    again = {**given, "shown": page.by_id("id_shown")["value"]}
    assert omar.post(url("map", id=asked.id), again).status_code == 302
    assert Endorsement.objects.count() == 1


def test_a_signature_over_a_map_that_changed_is_void_and_says_what_changed(cast, omar, asked):
    before = asked.document["outcomes"][0]["statement"]
    omar.post(url("map", id=asked.id), signature(omar, asked))
    revised(cast, asked, statement="Something else altogether.")
    page = shown(omar.get(url("map", id=asked.id)))
    assert "Void: the map is not what was signed any more" in page.text
    outcome = asked.document["outcomes"][0]["id"]
    assert f"In the outcome {outcome}, statement was “{before}” and is “Something else altogether.”." in page.text
    assert "Void: the map changed Waits for you" in shown(omar.get(url("maps"))).text
    assert "1 map of tasks could be signed." in shown(omar.get("/")).text
    omar.post(url("map", id=asked.id), signature(omar, asked))
    page = shown(omar.get(url("map", id=asked.id)))
    assert "Replaced by a later signature" in page.text
    assert "Void" not in shown(omar.get(url("maps"))).text


def test_a_signature_of_before_maps_were_kept_is_void_without_a_reason(cast, omar, asked):
    acts.endorse(cast, asked)
    Endorsement.objects.update(signed_map=b"")
    revised(cast, asked, statement="Something else altogether.")
    assert "so what changed cannot be shown" in shown(omar.get(url("map", id=asked.id))).text


def test_a_partner_that_signed_without_being_asked_here_can_read_and_withdraw_only(cast, omar):
    version = acts.draft(cast)
    acts.endorse(cast, version)
    page = shown(omar.get(url("map", id=version.id)))
    assert "has not asked you to sign this map here" in page.text
    omar.post(url("map", id=version.id), signature_of_a_signed(version))
    assert Endorsement.objects.count() == 1


def test_a_published_map_is_not_signed_any_more(cast, omar):
    version = acts.publish(cast)
    Endorsement.objects.update(withdrawn_at=NOW)
    CoDesign.objects.create(blueprint_version=version, partner=cast.northwind, asked_by=cast.quinn, asked_at=NOW)
    assert "a map is signed before it is published" in shown(omar.get(url("map", id=version.id))).text
    omar.post(url("map", id=version.id), {"claim": "Late.", **signature_of_a_signed(version)})
    assert Endorsement.objects.count() == 1


def test_a_signature_is_withdrawn_with_a_reason(cast, omar, asked):
    omar.post(url("map", id=asked.id), signature(omar, asked))
    row = Endorsement.objects.get()
    where = url("withdraw-signature", id=asked.id, endorsement=row.id)
    page = shown(omar.post(where, {"reason": " "}), 422)
    assert "Say why in a sentence." in page.text
    assert Endorsement.objects.get().withdrawn_at is None
    page = shown(omar.post(where, {"reason": "We no longer hire for this."}, follow=True))
    assert "The signature is withdrawn" in page.text
    assert Endorsement.objects.get().withdrawn_at is not None
    assert Event.objects.get(verb="withdraw_endorsement").facts["reason"] == "We no longer hire for this."
    page = shown(omar.post(where, {"reason": "Again."}, follow=True))
    assert "has withdrawn this endorsement already" in page.text
    assert "Waits for you" in shown(omar.get(url("maps"))).text, "it was asked for, and can be signed again"


def test_an_unchecked_partner_is_told_why_it_cannot_sign(cast, omar, asked):
    cast.northwind.facts = {"checked": False}
    cast.northwind.save()
    page = shown(omar.post(url("map", id=asked.id), signature(omar, asked)), 422)
    assert "has not been checked yet" in page.text


def test_an_administrator_reads_the_map_and_does_not_sign_it(cast, asked):
    nora = acts.person("nora", "Nora", NORTHWIND, "admin")
    client = signed_in(nora)
    page = shown(client.get(url("map", id=asked.id)))
    assert "Somebody with the role of partner in your organisation can sign it." in page.text
    assert client.post(url("map", id=asked.id), signature_of_a_signed(asked)).status_code == 403
    acts.endorse(cast, asked)
    where = url("withdraw-signature", id=asked.id, endorsement=Endorsement.objects.get().id)
    assert client.post(where, {"reason": "Mine."}).status_code == 403


# --- Finding people ---


@pytest.fixture
def hiring(cast):
    """An ad, and Mei with a credential that shows some of it and her agreement to be matched."""
    made = acts.awarded(cast)
    people.give_consent(learner=cast.mei, purpose="matching", now=acts.NOW)
    ad = skills.add_ad(
        id="ad-1",
        title="Operations analyst",
        employer="Northwind",
        place="",
        text=AD,
        source="test",
        actor=cast.omar,
        now=acts.NOW,
    )
    made.ad = ad
    return made


def ranked(client: Client, ad: JobAd) -> MatchRun:
    response = client.post(url("hire-ad"), {"id": ad.id})
    run = MatchRun.objects.latest("at")
    assert response.headers["Location"] == url("ranking", id=run.id)
    return run


def test_a_pasted_ad_is_read_for_its_skills(cast, omar):
    acts.demand()
    shown(omar.get(url("paste-ad")))
    response = omar.post(url("paste-ad"), {"title": "Operations analyst", "text": AD, "place": "Fremantle"})
    page = shown(omar.get(response.headers["Location"]))
    ad = JobAd.objects.get(source="pasted by Northwind Logistics")
    assert (ad.title, ad.employer, ad.place, ad.text) == ("Operations analyst", "Northwind Logistics", "Fremantle", AD)
    mentions = list(Mention.objects.filter(ad=ad))
    assert mentions
    assert all(ad.text[m.start : m.end] == m.words for m in mentions)
    assert "SQL" in page.text
    assert "Operations analyst" in shown(omar.get(url("hire"), {"q": "fremantle"})).text
    again = omar.post(url("paste-ad"), {"title": "Other title", "text": f"  {AD}\n", "place": ""})
    assert again.headers["Location"] == response.headers["Location"], "the same text is the same ad"
    assert Event.objects.filter(verb="add_ad").count() == 1


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"title": ""}, "This field is required."),
        ({"text": ""}, "This field is required."),
        ({"text": "x" * 100_001}, "at most 100000 characters"),
        ({"title": "x" * 301}, "at most 300 characters"),
        ({"text": "a\x00b"}, "Null characters are not allowed."),
    ],
)
def test_an_ad_that_cannot_be_read_is_marked(omar, given, says):
    page = shown(omar.post(url("paste-ad"), {"title": "Job", "text": AD, **given}), 422)
    assert says in page.text
    assert not JobAd.objects.exists()


def test_the_service_refuses_an_empty_and_an_endless_ad(cast):
    for text, says in ((" \n ", "needs a text"), ("x" * 100_001, "100,001 characters")):
        with pytest.raises(BrokenInput, match=says):
            skills.add_ad(id="x", title="", employer="", place="", text=text, source="", actor=cast.omar, now=NOW)


def test_ads_are_searched_word_by_word(cast, omar, hiring):
    page = shown(omar.get(url("hire"), {"q": "docker WAREHOUSE plus"}))
    assert "1 job ad with “docker WAREHOUSE plus”." in page.text
    assert "0 job ads" in shown(omar.get(url("hire"), {"q": "zzz nothing"})).text
    shown(omar.get(url("hire"), {"q": "a\x00" * 500, "page": "x"}))


def test_people_are_ranked_with_reasons_and_without_names(cast, omar, hiring):
    run = ranked(omar, hiring.ad)
    assert run.employer == cast.northwind
    response = omar.get(url("ranking", id=run.id))
    page = shown(response)
    assert_private(response)
    for said in ("Candidate 1", "Why", "shows", "Not shown", "Docker", "you see a number instead of a name"):
        assert said in page.text
    assert "Mei" not in response.content.decode()
    assert str(cast.mei.id) not in response.content.decode()
    assert hiring.award.credential_id not in response.content.decode()
    assert "Operations analyst" in shown(omar.get(url("hire"))).text


def test_somebody_who_did_not_agree_is_in_no_ranking(cast, omar, hiring):
    people.withdraw_consent(learner=cast.mei, purpose="matching", now=NOW)
    run = ranked(omar, hiring.ad)
    assert run.matches == []
    assert "Nobody who agreed to be matched" in shown(omar.get(url("ranking", id=run.id))).text


def test_an_ad_without_skills_ranks_nobody_and_says_why(cast, omar, hiring):
    ad = JobAd.objects.create(id="a/b c?", source="x", text="Zzz.", text_sha256="0" * 64, ingested_at=NOW)
    page = shown(omar.get(url("hire-ad"), {"id": ad.id}))
    assert "No skill was found in this ad" in page.text
    page = shown(omar.post(url("hire-ad"), {"id": ad.id}, follow=True))
    assert "no skill was found in this ad" in page.text
    assert not MatchRun.objects.exists()


@pytest.mark.parametrize("id", ["", "nothing", "a\x00b", "x" * 3000])
def test_an_unknown_ad_is_a_plain_answer(omar, id):
    for method in (omar.get, omar.post):
        assert "This job ad is not known." in shown(method(url("hire-ad"), {"id": id}), 404).text


def test_inviting_shows_the_name_and_tells_the_learner(cast, omar, hiring):
    run = ranked(omar, hiring.ad)
    given = {"decision": "invite", "reason": "Holds most of it."}
    page = shown(omar.post(url("decide-match", id=run.id, number=1), given, follow=True))
    assert "Mei Tan" in page.text
    assert "Invite" in page.text
    assert "“Holds most of it.”" in page.text
    assert cast.mei.email not in page.text
    row = MatchDecision.objects.get()
    assert (row.learner, row.decision, row.by) == (cast.mei, "invite", cast.omar)
    told = OutboxMessage.objects.filter(to=cast.mei.email).latest("id")
    assert told.subject == "Northwind Logistics invites you"
    assert cast.omar.email in told.body
    assert "Holds most of it." not in told.body


def test_declining_shows_no_name_and_tells_nobody(cast, omar, hiring):
    run, before = ranked(omar, hiring.ad), OutboxMessage.objects.count()
    response = omar.post(
        url("decide-match", id=run.id, number=1), {"decision": "decline", "reason": "No Docker."}, follow=True
    )
    assert "Decline, " in shown(response).text
    assert "Mei" not in response.content.decode()
    assert OutboxMessage.objects.count() == before


def test_a_decision_needs_a_reason_and_one_of_two_words(cast, omar, hiring):
    run = ranked(omar, hiring.ad)
    where = url("decide-match", id=run.id, number=1)
    page = shown(omar.post(where, {"decision": "invite", "reason": "  "}), 422)
    assert "Say why in a sentence; nothing was decided." in page.text
    page = shown(omar.post(where, {"decision": "hire", "reason": "Good."}, follow=True))
    assert "Choose one of the two buttons." in page.text
    assert not MatchDecision.objects.exists()
    assert "Mei" not in page.text


@pytest.mark.parametrize("number", [0, 2, 99999999999999999999])
def test_a_candidate_who_is_not_there_is_a_plain_answer(omar, hiring, number):
    run = ranked(omar, hiring.ad)
    for name in ("decide-match", "record-outcome"):
        shown(omar.post(url(name, id=run.id, number=number), {"decision": "invite", "reason": "x"}), 404)


def test_whoever_withdraws_consent_is_a_number_again_and_nothing_else(cast, omar, hiring):
    run = ranked(omar, hiring.ad)
    omar.post(url("decide-match", id=run.id, number=1), {"decision": "invite", "reason": "Good."})
    people.withdraw_consent(learner=cast.mei, purpose="matching", now=NOW)
    response = omar.get(url("ranking", id=run.id))
    page = shown(response)
    assert "This person has withdrawn their consent to be matched" in page.text
    for said in ("Mei", hiring.version.title, "Good."):
        assert said not in response.content.decode()
    shown(omar.post(url("decide-match", id=run.id, number=1), {"decision": "invite", "reason": "x"}), 404)
    with pytest.raises(NotAllowed, match="withdrawn their consent"):
        pathways.decide_match(run=run, learner=cast.mei, decision="invite", reason="x", actor=cast.omar, now=NOW)
    assert MatchDecision.objects.count() == 1


def test_a_colleague_sees_the_ranking_and_decides_nothing_on_it(cast, omar, hiring):
    run = ranked(omar, hiring.ad)
    nils = signed_in(acts.person("nils", "Nils", NORTHWIND, "partner"))
    page = shown(nils.get(url("ranking", id=run.id)))
    assert "Omar Haddad made this ranking and decides on it" in page.text
    assert not page.all("textarea")
    given = {"decision": "invite", "reason": "Mine."}
    page = shown(nils.post(url("decide-match", id=run.id, number=1), given, follow=True))
    assert "This ranking was made for somebody else" in page.text
    assert not MatchDecision.objects.exists()


def test_what_came_of_an_invitation_is_recorded_with_consent(cast, omar, hiring):
    run = ranked(omar, hiring.ad)
    where = url("record-outcome", id=run.id, number=1)
    given = {"award": str(hiring.award.id), "kind": "hired", "rating": "4"}
    shown(omar.post(where, given), 404)
    omar.post(url("decide-match", id=run.id, number=1), {"decision": "invite", "reason": "Good."})
    assert "They have not agreed that outcomes are recorded" in shown(omar.get(url("ranking", id=run.id))).text
    page = shown(omar.post(where, given, follow=True))
    assert "has not agreed that outcomes are recorded" in page.text
    assert not Destination.objects.exists()
    people.give_consent(learner=cast.mei, purpose="outcomes", now=NOW)
    assert "Say what came of it" in shown(omar.get(url("ranking", id=run.id))).text
    page = shown(omar.post(where, given, follow=True))
    row = Destination.objects.get()
    assert (row.award, row.kind, row.rating, row.employer, row.source) == (
        hiring.award,
        "hired",
        4,
        cast.northwind,
        "employer",
    )
    assert f"Hired, 4 of 5: {hiring.award.title}" in page.text
    assert "There is nothing left to tell" in shown(omar.post(where, given, follow=True)).text
    assert Destination.objects.count() == 1, "one award is told of once"


@pytest.mark.parametrize("given", [{"award": "x"}, {"kind": "married"}, {"rating": "6"}, {"rating": "x"}])
def test_an_outcome_that_cannot_be_is_marked(cast, omar, hiring, given):
    people.give_consent(learner=cast.mei, purpose="outcomes", now=NOW)
    run = ranked(omar, hiring.ad)
    omar.post(url("decide-match", id=run.id, number=1), {"decision": "invite", "reason": "Good."})
    sent = {"award": str(hiring.award.id), "kind": "hired", "rating": "", **given}
    page = shown(omar.post(url("record-outcome", id=run.id, number=1), sent), 422)
    assert "not one of the available choices" in page.text
    assert not Destination.objects.exists()


# --- Checking many ---


def files(*bodies: bytes) -> dict[str, list[SimpleUploadedFile]]:
    return {"files": [SimpleUploadedFile(f"file-{n}.json", body) for n, body in enumerate(bodies, 1)]}


def test_a_list_of_credentials_is_answered_one_by_one(cast, omar, hiring):
    document = bytes(hiring.award.document)
    changed = json.dumps({**json.loads(document), "name": "Master of everything"}).encode()
    response = omar.post(url("check-many"), files(document, changed, b"{", b"%PDF-1.7"))
    page = shown(response)
    assert_private(response)
    assert "4 files were checked just now" in page.text
    for said in (
        "file-1.json ✓ This credential holds.",
        "file-2.json ✕ This credential does not hold.",
        "Does not hold:",
        "file-3.json ? Not checked",
        "file-4.json ? Not checked This is a PDF",
    ):
        assert said in page.text
    awards.change_status(
        award=hiring.award, state="revoked", code="issued_in_error", note="", entropy=lambda n: b"\x01" * n,
        actor=cast.ana, now=NOW,
    )  # fmt: skip
    page = shown(omar.post(url("check-many"), files(document)))
    assert "file-1.json ✕ This credential does not hold." in page.text


def test_a_dead_host_is_waited_for_once(omar, network, monkeypatch):
    asked = []

    def fetch(address):
        asked.append(address)
        return type(network).fetch(network, address)

    monkeypatch.setattr(network, "fetch", fetch)
    document = {
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "type": ["VerifiableCredential"],
        "issuer": "did:web:dead.example",
        "credentialSubject": {},
        "proof": {
            "type": "DataIntegrityProof",
            "cryptosuite": "eddsa-rdfc-2022",
            "verificationMethod": "did:web:dead.example#key-1",
            "proofPurpose": "assertionMethod",
            "proofValue": "z1",
        },
    }
    bodies = [json.dumps({**document, "id": f"urn:uuid:{uuid4()}"}).encode() for _ in range(5)]
    page = shown(omar.post(url("check-many"), files(*bodies)))
    assert "5 files were checked just now" in page.text
    assert len(asked) == len(set(asked))


@pytest.mark.parametrize(
    ("sent", "says"),
    [
        ([], "Choose at least one file."),
        ([b""], "Choose at least one file."),
        ([b"{}"] * 21, "You chose 21 files; at most 20 are checked at once."),
        ([b"x" * 4_100_000] * 5, "larger than 20 MB together"),
    ],
)
def test_a_list_that_is_too_short_or_too_long_is_marked(omar, sent, says):
    if sent == [b""]:
        page = shown(omar.post(url("check-many"), {}), 422)
    else:
        page = shown(omar.post(url("check-many"), files(*sent)), 422)
    assert says in page.text


def test_one_file_that_is_too_large_spoils_no_other(omar, hiring):
    page = shown(omar.post(url("check-many"), files(b"x" * 5_000_001, bytes(hiring.award.document))))
    assert "file-1.json ? Not checked What you sent is larger than 5 MB" in page.text
    assert "file-2.json ✓ This credential holds." in page.text


# --- Mallory, methods, and what lists cost ---


def test_mallory_gets_nothing_of_a_partner(cast, omar, hiring):
    version = acts.draft(cast, {**sample(), "id": f"urn:uuid:{uuid4()}"})
    design.ask_partner(version=version, partner=cast.northwind, actor=cast.quinn, now=acts.NOW)
    signed = acts.endorse(cast, version)
    run = ranked(omar, hiring.ad)
    rival = acts.organisation("rival", "Rival", "partner", {})
    eve = signed_in(acts.person("eve", "Eve", "rival", "partner"))
    mallory = signed_in(cast.mallory)
    harbour = signed_in(cast.quinn)
    reads = [
        url("maps"),
        url("map", id=version.id),
        url("hire"),
        url("paste-ad"),
        url("hire-ad") + "?id=ad-1",
        url("check-many"),
        url("ranking", id=run.id),
    ]
    writes = [
        (url("map", id=version.id), signature_of_a_signed(version) | {"claim": "Mine."}),
        (url("withdraw-signature", id=version.id, endorsement=signed.id), {"reason": "Mine."}),
        (url("paste-ad"), {"title": "x", "text": "SQL"}),
        (url("hire-ad"), {"id": "ad-1"}),
        (url("check-many"), {}),
        (url("decide-match", id=run.id, number=1), {"decision": "invite", "reason": "Mine."}),
        (url("record-outcome", id=run.id, number=1), {"kind": "hired"}),
    ]
    counts = [m.objects.count() for m in (Endorsement, JobAd, MatchRun, MatchDecision, Destination)]
    for client in (mallory, eve, harbour):
        for where in reads:
            shown(client.get(where), 404)
        for where, given in writes:
            shown(client.post(where, given), 404)
    # Through their own organisation, the same ids lead nowhere either.
    own = [
        url("map", "rival", id=version.id),
        url("ranking", "rival", id=run.id),
    ]
    for where in own:
        shown(eve.get(where), 404)
    shown(eve.post(url("map", "rival", id=version.id), {"claim": "Mine."}), 404)
    shown(eve.post(url("withdraw-signature", "rival", id=version.id, endorsement=signed.id), {"reason": "x"}), 404)
    for name in ("decide-match", "record-outcome"):
        given = {"decision": "invite", "reason": "x"}
        shown(eve.post(url(name, "rival", id=run.id, number=1), given), 404)
    # A provider has no pages of a partner.
    for name in ("maps", "hire", "paste-ad", "hire-ad", "check-many"):
        shown(harbour.get(url(name, "harbour-university")), 404)
    stranger = Client()
    for where in reads:
        assert stranger.get(where).headers["Location"].startswith("/account/login/")
    for where, given in writes:
        assert stranger.post(where, given).headers["Location"].startswith("/account/login/")
    assert counts == [m.objects.count() for m in (Endorsement, JobAd, MatchRun, MatchDecision, Destination)]
    assert rival.endorsements.count() == 0


def test_whoever_does_not_hire_sees_no_ranking(cast, omar, hiring):
    run = ranked(omar, hiring.ad)
    nora = signed_in(acts.person("nora", "Nora", NORTHWIND, "admin"))
    for name, more in (("hire", {}), ("paste-ad", {}), ("hire-ad", {}), ("ranking", {"id": run.id})):
        page = shown(nora.get(url(name, **more)), 403)
        assert "That needs the role partner" in page.text


def test_wrong_methods_are_refused(omar, asked):
    id = uuid4()
    assert omar.post(url("maps")).status_code == 405
    assert omar.post(url("hire")).status_code == 405
    assert omar.post(url("ranking", id=id)).status_code == 405
    assert omar.get(url("decide-match", id=id, number=1)).status_code == 405
    assert omar.get(url("record-outcome", id=id, number=1)).status_code == 405
    assert omar.get(url("withdraw-signature", id=asked.id, endorsement=id)).status_code == 405
    assert omar.put(url("map", id=asked.id)).status_code == 405


def cost(client: Client, where: str) -> int:
    with CaptureQueriesContext(connection) as found:
        shown(client.get(where))
    return len(found)


def test_the_list_of_maps_costs_the_same_however_long_it_is(cast, omar, asked):
    acts.endorse(cast, asked)
    few = cost(omar, url("maps")), cost(omar, "/")
    for _ in range(30):
        version = acts.draft(cast, {**sample(), "id": f"urn:uuid:{uuid4()}"})
        design.ask_partner(version=version, partner=cast.northwind, actor=cast.quinn, now=acts.NOW)
    acts.endorse(cast, version)
    assert (cost(omar, url("maps")), cost(omar, "/")) == few


def test_ads_and_rankings_cost_the_same_however_many(cast, omar, hiring):
    run = ranked(omar, hiring.ad)
    few = cost(omar, url("hire")), cost(omar, url("ranking", id=run.id))
    for n in range(30):
        JobAd.objects.create(id=f"more-{n}", source="x", text=f"{n}", text_sha256=f"{n:064}", ingested_at=NOW)
        pathways.rank_candidates(
            id=uuid4(), ad=hiring.ad, framework_id=Mention.objects.filter(ad=hiring.ad)[0].framework_id,
            employer=cast.northwind, actor=cast.omar, now=NOW,
        )  # fmt: skip
    matches = []
    for n in range(30):
        learner = acts.learner(f"l{n}@example.org", f"Learner {n}")
        people.give_consent(learner=learner, purpose="matching", now=NOW)
        matches.append({**run.matches[0], "person_id": str(learner.id)})
    MatchRun.objects.filter(pk=run.pk).update(matches=[*run.matches, *matches])
    assert (cost(omar, url("hire")), cost(omar, url("ranking", id=run.id))) == few
    assert "Candidate 31" in shown(omar.get(url("ranking", id=run.id))).text


def test_a_signature_made_on_the_page_verifies(cast, omar, asked):
    omar.post(url("map", id=asked.id), signature(omar, asked))
    from guildmark.app.queries.published import published_fetcher

    report = verify_credential(
        bytes(Endorsement.objects.get().document), now=timezone.now(), fetcher=published_fetcher()
    )
    assert report.verdict is Verdict.PASS
    assert map_of(cast.northwind, asked.id).standing
    assert Award.objects.count() == 0
    assert Membership.objects.filter(organisation=cast.northwind).count() == 1
