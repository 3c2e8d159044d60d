"""A provider's pages, from a draft to a revoked award, by the people whose roles they are; and what Mallory gets."""

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

from guildmark.app.doors import blob_store
from guildmark.app.records import (
    Award,
    BlueprintVersion,
    CoDesign,
    Decision,
    Enrolment,
    Event,
    Membership,
    Offering,
    OutboxMessage,
    Person,
    StatusChange,
    Submission,
)
from guildmark.app.services import assess, design
from guildmark.core.report import Verdict
from tests.app import cast as acts
from tests.app.cast import sample
from tests.web.test_public import assert_accessible, assert_guarded, assert_private

HARBOUR = "harbour-university"
NOW = timezone.now().replace(microsecond=0)


@pytest.fixture(autouse=True)
def today(monkeypatch):
    """The pages look at the real clock, so the cast acts on the same day."""
    monkeypatch.setattr(acts, "NOW", NOW - timedelta(hours=1))


@pytest.fixture
def cast(db):
    return acts.cast()


@pytest.fixture
def dana(cast):
    return acts.person("dana", "Dana Whitfield", HARBOUR, "designer")


def signed_in(person: Person) -> Client:
    client = Client()
    client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    return client


def url(name: str, id=None, **more) -> str:
    return reverse(name, kwargs={"slug": HARBOUR, **({} if id is None else {"id": id}), **more})


def upload(document, name: str = "blueprint.json") -> SimpleUploadedFile:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return SimpleUploadedFile(name, body, content_type="application/json")


def shown(response, status: int = 200):
    """The page, once it is known to be whole, accessible and guarded."""
    assert response.status_code == status
    assert_guarded(response)
    return assert_accessible(response)


def told(client: Client, path: str, data=None):
    """The page that an action leads to."""
    response = client.post(path, data or {})
    assert response.status_code == 302, response.content.decode()[:2000]
    return shown(client.get(response.url, follow=True))


# --- Designing ---


def test_the_list_of_a_new_provider_says_how_to_begin(cast, dana):
    page = shown(signed_in(dana).get(url("blueprints")))
    assert "There is none yet." in page.text
    assert "Draft a micro-credential" in page.text
    assert "Draft a micro-credential" not in shown(signed_in(cast.lee).get(url("blueprints"))).text


def test_a_copy_of_a_sample_is_the_providers_own_with_demand_frozen_in(cast, dana):
    client, snapshot = signed_in(dana), acts.demand()
    page = shown(client.get(url("draft-blueprint")))
    assert "Data protection in practice" in page.text
    form = {"sample": "data-protection", "title": "Data protection at sea", "demand": str(snapshot.pk)}
    page = told(client, url("draft-blueprint"), form)
    assert "“Data protection at sea” is a draft." in page.text
    row = BlueprintVersion.objects.get()
    assert (row.title, row.provider, row.created_by) == ("Data protection at sea", cast.harbour, dana)
    assert row.document["provider_id"] == cast.harbour.did
    assert row.blueprint_id != sample("data-protection")["id"]
    assert row.document["demand"]["sha256"] == snapshot.frozen["sha256"]
    listed = shown(client.get(url("blueprints"))).text
    assert "Data protection at sea v1 Draft" in listed
    assert f"{snapshot.of} ads" in listed


def test_a_file_is_a_draft_and_the_same_again_its_next_version(cast, dana):
    client = signed_in(dana)
    for _ in range(2):
        told(client, url("draft-blueprint"), {"file": upload(sample())})
    assert list(BlueprintVersion.objects.order_by("version").values_list("version", flat=True)) == [1, 2]


BAD_DRAFTS = {
    "nothing": ({}, "Choose a sample or a file: one of the two."),
    "both": ({"sample": "data-protection", "file": b"{}"}, "one of the two"),
    "not JSON": ({"file": b"{oops"}, "not JSON at line 1"),
    "a list": ({"file": b"[]"}, "is not an object"),
    "binary": ({"file": b"\x89PNG\r\n\x1a\n\xff"}, "UTF-8"),
    "too large": ({"file": b" " * 1_000_001}, "larger than 1 MB"),
    "another's": ({"file": {**sample(), "provider_id": "did:web:mill.example"}}, "provider_id is did:web:mill.example"),
    "no such sample": ({"sample": "alchemy"}, "Select a valid choice"),
    "no such demand": (
        {"sample": "data-protection", "demand": "6f6d1c52-0000-4000-8000-00000000dead"},
        "Select a valid choice",
    ),
    "a file with a title": ({"file": sample(), "title": "Other"}, "A file brings its own title"),
}


@pytest.mark.parametrize("case", BAD_DRAFTS)
def test_a_draft_that_cannot_be_read_says_what_to_do_and_keeps_the_rest(cast, dana, case):
    data, says = BAD_DRAFTS[case]
    data = {name: upload(given) if name == "file" else given for name, given in data.items()}
    response = signed_in(dana).post(url("draft-blueprint"), data)
    page = shown(response, 422)
    assert says in page.text
    assert "Problem" in response.content.decode()
    if "title" in data:
        assert 'value="Other"' in response.content.decode()
    assert not BlueprintVersion.objects.exists()


def test_the_page_says_in_words_what_the_blueprint_says(cast, dana):
    version = acts.draft(cast)
    page = shown(signed_in(dana).get(url("blueprint", version.id)))
    document = version.document
    for outcome in document["outcomes"]:
        assert outcome["statement"] in page.text
        assert outcome["level"] in page.text
        assert outcome["alignments"][0]["label"] in page.text
    for task in document["tasks"]:
        assert task["statement"] in page.text
    assert "6 AU-CP" in page.text
    assert f"{document['demand']['of']} job ads" in page.text
    ads = {label: n for _, label, n in document["demand"]["counts"]}
    label = next(a["label"] for o in document["outcomes"] for a in o["alignments"] if a["label"] in ads)
    assert f"{label} {ads[label]} of {document['demand']['of']}" in page.text
    assert "Nobody has been asked to sign yet." in page.text
    assert "Quality gate: not run yet" in page.text


def test_markup_in_a_blueprint_stays_text(cast, dana):
    document = sample() | {"title": "<script>alert(1)</script>", "purpose": "<b>bold</b>"}
    page = shown(signed_in(dana).get(url("blueprint", acts.draft(cast, document).id)))
    assert page.all("b") == []
    assert "<script>alert(1)</script>" in page.text


def test_a_draft_is_taken_as_a_file_changed_and_uploaded_again(cast, dana):
    client, version = signed_in(dana), acts.draft(cast)
    file = client.get(url("blueprint-file", version.id))
    assert file.headers["Content-Disposition"].startswith("attachment")
    document = json.loads(file.content)
    page = told(client, url("revise-blueprint", version.id), {"file": upload(document | {"title": "Data at work"})})
    assert "The draft is changed." in page.text
    version.refresh_from_db()
    assert version.title == "Data at work"
    shown(client.get(url("revise-blueprint", version.id)))
    for bad, says in (({}, "This field is required."), ({"file": upload(b"{}")}, "blueprint, credit: is missing")):
        assert says in shown(client.post(url("revise-blueprint", version.id), bad), 422).text


def test_a_partner_is_asked_signs_and_the_signature_is_void_once_the_map_changes(cast, dana):
    client, version = signed_in(dana), acts.draft(cast)
    page = told(client, url("ask-partner", version.id), {"partner": str(cast.northwind.pk)})
    assert "Northwind Logistics is asked to sign, and told by e-mail." in page.text
    assert "Not signed yet Northwind Logistics was asked by Dana Whitfield" in page.text
    assert OutboxMessage.objects.filter(to=cast.omar.email).count() == 1
    acts.endorse(cast, version)
    page = shown(client.get(url("blueprint", version.id)))
    assert "✓ Signed Northwind Logistics signed the whole map" in page.text
    assert "1 signed, 1 asked" in shown(client.get(url("blueprints"))).text
    document = json.loads(json.dumps(version.document))
    document["tasks"][0]["statement"] = "Do something else."
    page = told(client, url("revise-blueprint", version.id), {"file": upload(document)})
    assert "✕ Void Void: Northwind Logistics signed" in page.text
    assert "0 signed, 1 void, 1 asked" in shown(client.get(url("blueprints"))).text


def test_a_withdrawn_signature_says_so(cast, dana):
    version = acts.draft(cast)
    endorsement = acts.endorse(cast, version)
    design.withdraw_endorsement(endorsement=endorsement, reason="No longer.", actor=cast.omar, now=NOW)
    page = shown(signed_in(dana).get(url("blueprint", version.id)))
    assert "Withdrawn Northwind Logistics signed on" in page.text


@pytest.mark.parametrize("partner", ["", "oops", "6f6d1c52-0000-4000-8000-00000000dead", "self"])
def test_only_a_partner_from_the_list_can_be_asked(cast, dana, partner):
    version = acts.draft(cast)
    given = str(cast.harbour.pk) if partner == "self" else partner
    page = shown(signed_in(dana).post(url("ask-partner", version.id), {"partner": given}), 422)
    assert any(says in page.text for says in ("choose one from the list", "Choose the partner to ask.", "valid UUID"))
    assert not CoDesign.objects.exists()


def test_the_gate_is_run_judged_and_passed_and_the_version_is_published_and_offered(cast, dana):
    version, designer, admin = acts.draft(cast), signed_in(dana), signed_in(cast.quinn)
    acts.endorse(cast, version)
    page = told(designer, url("run-gate", version.id), {"rulebooks": ["au_nmf"]})
    assert "Quality gate: still open" in page.text
    assert "? Open" in page.text
    assert "✓ Met" in page.text
    assert "Publish this version" not in page.text
    refused = told(admin, url("publish-blueprint", version.id))
    assert "The quality gate says unknown" in refused.text
    links = [a["href"] for a in page.all("a") if "/judge/" in a.get("href", "")]
    assert links
    for link in links:
        asked = shown(designer.get(link))
        assert "Why it is asked" in asked.text
        assert "is on record" in told(designer, link, {"verdict": "pass", "reason": "Read and met."}).text
    stale = shown(designer.get(url("blueprint", version.id)))
    assert "Quality gate: something changed since it looked" in stale.text
    page = told(designer, url("run-gate", version.id), {"rulebooks": ["au_nmf"]})
    assert "The quality gate passes this draft." in page.text
    assert "an administrator of your organisation can publish it" in page.text
    assert designer.post(url("publish-blueprint", version.id)).status_code == 403
    page = told(admin, url("publish-blueprint", version.id))
    assert "is published. Now open an offering." in page.text
    version.refresh_from_db()
    assert version.state == "published"

    shown(designer.get(url("open-offering", version.id)))
    form = {
        "title": "Autumn",
        "opens_on": "2026-01-01",
        "closes_on": "",
        "activities": "90, text, Joins step by step\n\n40, Practice, Clean a table, then another",
    }
    page = told(designer, url("open-offering", version.id), form)
    assert "“Autumn” is open from 2026-01-01." in page.text
    assert "Nobody is enrolled yet." in page.text
    row = Offering.objects.get()
    assert [(a.minutes, a.kind, a.title) for a in row.activities.all()] == [
        (90, "text", "Joins step by step"),
        (40, "practice", "Clean a table, then another"),
    ]
    again = told(admin, url("run-gate", version.id))
    assert "only a draft is reviewed" in again.text
    for name in ("revise-blueprint",):
        assert "never changes" in shown(designer.get(url(name, version.id), follow=True)).text
    for link in links[:1]:
        assert "only a draft is judged" in shown(designer.get(link, follow=True)).text


def test_a_standing_that_changed_since_asks_for_the_gate_again(cast, dana):
    version, admin = acts.draft(cast), signed_in(cast.quinn)
    acts.endorse(cast, version)
    acts.judge_all(cast, version)
    acts.review(cast, version)
    assert "Quality gate: passed" in shown(admin.get(url("blueprint", version.id))).text
    told(admin, f"/o/{HARBOUR}/people/standing", {"regulated": "no"})
    page = shown(admin.get(url("blueprint", version.id)))
    assert "something changed since it looked" in page.text
    assert "what your organisation says of itself changed" in page.text
    assert "Publish this version" not in page.text
    assert "changed after the gate looked" in told(admin, url("publish-blueprint", version.id)).text
    told(admin, url("run-gate", version.id))
    assert "something changed since it looked" not in shown(admin.get(url("blueprint", version.id))).text


def test_that_an_organisation_was_checked_since_changes_nothing_for_the_gate(cast):
    version, admin = acts.draft(cast), signed_in(cast.quinn)
    acts.review(cast, version)
    cast.harbour.facts = {**cast.harbour.facts, "checked": {"how": "A call", "by": "Root", "on": "2026-11-24"}}
    cast.harbour.save()
    assert "something changed since it looked" not in shown(admin.get(url("blueprint", version.id))).text


def test_what_fails_stands_first_with_its_word(cast, dana):
    document = sample()
    for assessment in document["assessments"]:
        assessment["secure"] = False
    version = acts.draft(cast, document)
    page = told(signed_in(dana), url("run-gate", version.id))
    assert "Quality gate: not passed" in page.text
    assert "2 findings" not in page.text
    assert page.text.index("✕ Not met") < page.text.index("✓ Met")


def test_a_rulebook_that_does_not_exist_and_a_judgement_without_reason_are_refused(cast, dana):
    client, version = signed_in(dana), acts.draft(cast)
    assert "Select a valid choice" in shown(client.post(url("run-gate", version.id), {"rulebooks": "moon"}), 422).text
    link = url("judge-rule", version.id, rule="AU-R6")
    for data, says in (
        ({"verdict": "pass", "reason": " "}, "This field is required."),
        ({"verdict": "perhaps", "reason": "So."}, "Select a valid choice"),
        ({"reason": "So."}, "This field is required."),
    ):
        page = shown(client.post(link, data), 422)
        assert says in page.text
    assert "So." in page.text, "what was typed is kept"
    for rule in ("GM-2", "XX-1"):
        assert client.get(url("judge-rule", version.id, rule=rule)).status_code == 404
    assert not version.judgements.exists()


BAD_OFFERINGS = {
    "no title": ({"title": ""}, "This field is required."),
    "no day": ({"opens_on": "soon"}, "Enter a valid date."),
    "ends first": ({"closes_on": "2025-12-31"}, "The last day is before the first; swap the two."),
    "an activity in disorder": ({"activities": "Read\n90, text, Joins"}, "line 1: is not minutes, kind and title"),
    "an unknown kind": ({"activities": "90, text, Joins\n5, magic, Spells"}, "line 2: there is no kind “magic”"),
}


@pytest.mark.parametrize("case", BAD_OFFERINGS)
def test_an_offering_that_does_not_fit_says_what_to_mend(cast, case):
    version = acts.publish(cast)
    data, says = BAD_OFFERINGS[case]
    sent = {"title": "Autumn", "opens_on": "2026-01-01", "activities": ""} | data
    response = signed_in(cast.quinn).post(url("open-offering", version.id), sent)
    assert says in shown(response, 422).text
    assert not Offering.objects.exists()


def test_a_draft_cannot_be_offered(cast, dana):
    version = acts.draft(cast)
    page = told(signed_in(dana), url("open-offering", version.id), {"title": "Early", "opens_on": "2026-01-01"})
    assert "Only a published micro-credential can be offered" in page.text
    assert not Offering.objects.exists()


def test_an_offering_lists_its_learners_and_how_far_they_are(cast):
    enrolment = acts.enrol(cast, acts.publish(cast))
    assess.complete_activity(enrolment=enrolment, key="start", now=NOW)
    page = shown(signed_in(cast.quinn).get(url("offering-enrolments", enrolment.offering_id)))
    assert "Mei Tan" in page.text
    assert "1 of 1 0 of 2 No decision yet" in page.text
    assert "Open for enrolment" in page.text


# --- Marking ---


@pytest.fixture
def work(cast) -> list[Submission]:
    return acts.hand_in(acts.enrol(cast, acts.publish(cast)))


def answers(row: Submission, level: str = "excellent", **more) -> dict[str, str]:
    document = row.enrolment.offering.blueprint_version.document
    criteria = next(a for a in document["assessments"] if a["id"] == row.assessment)["criteria"]
    given = {"seen": row.sha256}
    for n, _ in enumerate(criteria):
        given |= {f"level_{n}": level, f"comment_{n}": f"Seen by me: {n}."}
    return given | more


def test_a_marker_marks_a_piece_of_work_by_its_rubric(cast, work):
    client = signed_in(cast.lee)
    page = shown(client.get(url("marking")))
    assert all(row.title in page.text for row in work)
    assert "Mei Tan" not in page.text, "a mark is about the work"
    row = work[0]
    response = client.get(url("mark-work", row.id))
    page = shown(response)
    assert_private(response)
    document = row.enrolment.offering.blueprint_version.document
    assessment = next(a for a in document["assessments"] if a["id"] == row.assessment)
    for criterion in assessment["criteria"]:
        assert criterion["title"] in page.text
        assert all(level["descriptor"] in page.text for level in criterion["levels"])
    assert "Mei Tan" not in page.text
    page = told(client, url("mark-work", row.id), answers(row))
    assert "Your marks are on record. Next piece" in page.text
    following = [a["href"] for a in page.all("a") if a.get("href") == url("mark-work", work[1].id)]
    assert len(following) == 2, "the next piece, and its line in the list"
    assert row.marks.filter(marker=cast.lee).count() == len(assessment["criteria"])
    page = shown(client.get(url("mark-work", row.id)))
    assert "Your marks" in page.text
    assert "Seen by me: 0." in page.text
    assert "You have marked this work already" in told(client, url("mark-work", row.id), answers(row)).text


def test_after_the_last_piece_no_next_one_is_offered(cast, work):
    client = signed_in(cast.lee)
    for row in work:
        page = told(client, url("mark-work", row.id), answers(row))
    assert "Your marks are on record." in page.text
    assert "Nothing waits for your marks." in page.text
    assert "Next piece" not in page.text


def test_no_marker_sees_what_another_gave_before_the_decision(cast, work):
    row, lee, priya = work[0], signed_in(cast.lee), signed_in(cast.priya)
    told(lee, url("mark-work", row.id), answers(row, comment_0="A secret of Lee's."))
    for path in (url("marking"), url("mark-work", row.id)):
        page = shown(priya.get(path))
        assert "secret" not in page.text
        assert "Lee Marsh" not in page.text
    told(priya, url("mark-work", row.id), answers(row))
    assert "secret" not in shown(priya.get(url("mark-work", row.id))).text, "nor afterwards, before it is decided"
    told(lee, url("mark-work", work[1].id), answers(work[1]))
    told(priya, url("mark-work", work[1].id), answers(work[1]))
    told(signed_in(cast.ana), url("decide", row.enrolment_id))
    page = shown(priya.get(url("mark-work", row.id)))
    assert "A secret of Lee's." in page.text
    assert "the decision is made" in page.text.lower()


def test_half_a_rubric_records_nothing_and_keeps_what_was_typed(cast, work):
    row, client = work[0], signed_in(cast.lee)
    data = answers(row)
    del data["level_0"]
    response = client.post(url("mark-work", row.id), data)
    page = shown(response, 422)
    assert "Choose a level." in page.text
    assert "Seen by me: 0." in page.text
    assert 'value="excellent"' in response.content.decode()
    for bad in ("brilliant", ""):
        shown(client.post(url("mark-work", row.id), answers(row, level_0=bad)), 422)
    assert not row.marks.exists()


def test_work_that_was_replaced_meanwhile_is_not_marked_unread(cast, work):
    row, client = work[0], signed_in(cast.lee)
    data = answers(row)
    assess.submit_work(
        id=uuid4(), enrolment=row.enrolment, assessment=row.assessment, title=row.title,
        media_type="text/markdown", body=b"# Another\n", now=NOW,
    )  # fmt: skip
    page = shown(client.post(url("mark-work", row.id), data), 422)
    assert "The learner has replaced this work since you opened it." in page.text
    assert not row.marks.exists()
    row.refresh_from_db()
    told(client, url("mark-work", row.id), answers(row))


def test_nobody_marks_their_own_work(cast, work):
    cast.mei.person = cast.lee
    cast.mei.save()
    page = shown(signed_in(cast.lee).post(url("mark-work", work[0].id), answers(work[0])), 422)
    assert "cannot mark their own work" in page.text
    assert not work[0].marks.exists()


def test_the_file_is_kept_and_never_opened(cast, work):
    work[0].media_type = "text/html"
    work[0].save()
    response = signed_in(cast.lee).get(url("work-file", work[0].id))
    assert response.content == blob_store().get(work[0].sha256)
    assert response.headers["Content-Disposition"].startswith('attachment; filename="')
    assert response.headers["Content-Type"] == "application/octet-stream"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in response.headers["Content-Security-Policy"]
    assert_private(response)


def test_a_file_that_is_gone_is_told(cast, work, home):
    digest = work[0].sha256
    (home / "blobs" / digest[:2] / digest).unlink()
    for person in (cast.lee, cast.ana):
        page = shown(signed_in(person).get(url("work-file", work[0].id), follow=True))
        assert "the stored file is missing" in page.text


# --- Deciding ---


def test_a_decision_tells_what_is_missing_and_then_that_it_is_passed(cast, work):
    client, enrolment = signed_in(cast.ana), work[0].enrolment
    acts.mark(cast, work[:1])
    assert "Mei Tan" in shown(client.get(url("awards"))).text
    page = shown(client.get(url("decide", enrolment.id)))
    assert "marked by 2 people" in page.text
    page = told(client, url("decide", enrolment.id))
    assert "has not passed" in page.text
    assert "Marks are missing" in page.text
    assert "Result of each outcome" not in page.text, "nothing is a result before all is settled"
    acts.mark(cast, work[1:])
    assert "new marks since" not in shown(client.get(url("awards"))).text, "the cast marks in the past"
    page = told(client, url("decide", enrolment.id))
    assert "Decided: Mei Tan has passed." in page.text
    row = Decision.objects.get(passed=True)
    assert row.document["agreement"]["says"] in page.text
    for outcome in row.document["report"]["findings"]:
        assert outcome["says"] in page.text
    assert "100 %" in page.text
    assert "has passed already" in told(client, url("decide", enrolment.id)).text
    assert Decision.objects.count() == 2


def test_a_failed_decision_says_so(cast, work):
    acts.mark(cast, work, work_level(work[0], 0))
    page = told(signed_in(cast.ana), url("decide", work[0].enrolment_id))
    assert "✕ Not passed" in page.text
    assert "Award the credential" not in page.text


def work_level(row: Submission, place: int) -> str:
    document = row.enrolment.offering.blueprint_version.document
    return document["assessments"][0]["criteria"][0]["levels"][place]["id"]


def test_who_decides_and_may_still_mark_does_not_see_the_results(cast, work):
    mo = acts.person("mo", "Mo Adler", HARBOUR, "awarder")
    Membership.objects.create(person=mo, organisation=cast.harbour, role="marker")
    acts.mark(cast, work, work_level(work[0], 0))
    page = told(signed_in(mo), url("decide", work[0].enrolment_id))
    assert "what others gave is not shown to you" in page.text
    assert "Not achieved" not in page.text
    assert " %" not in page.text.split("Decided:")[1].split("The rule:")[1].split("marked by")[1]


def test_nobody_decides_on_their_own_work(cast, work):
    acts.mark(cast, work)
    cast.mei.person = cast.ana
    cast.mei.save()
    assert "cannot decide on their own work" in told(signed_in(cast.ana), url("decide", work[0].enrolment_id)).text
    assert not Decision.objects.exists()


# --- Awarding ---


def passed(cast, n: int) -> list[Decision]:
    """Decisions on `n` learners of one offering."""
    version = BlueprintVersion.objects.filter(state="published").first() or acts.publish(cast)
    found = []
    for i in range(n):
        who = acts.learner(f"learner{Enrolment.objects.count()}@example.org", f"Learner {i}")
        found.append(acts.decide(cast, version, who=who))
    return found


def test_several_are_awarded_at_once_and_each_outcome_is_told(cast):
    one, two, other = passed(cast, 3)
    acts.award(cast, other)
    client = signed_in(cast.ana)
    page = shown(client.get(url("awards")))
    boxes = [a["value"] for a in page.all("input") if a.get("type") == "checkbox"]
    assert set(boxes) == {str(one.pk), str(two.pk)}
    page = told(
        client, url("give-awards"), {"decision": [str(one.pk), str(other.pk), str(two.pk), "oops", str(uuid4())]}
    )
    assert page.text.count("the link to take it goes out by e-mail") == 2
    assert "Learner 2: This decision has its award already." in page.text
    assert page.text.count("One of the decisions is not known here") == 2
    assert Award.objects.count() == 3
    assert "No passed decision waits for its award." in page.text


def test_awarding_nobody_or_too_many_at_once_is_told(cast):
    client = signed_in(cast.ana)
    assert "Choose at least one learner." in told(client, url("give-awards")).text
    many = {"decision": [str(uuid4()) for _ in range(51)]}
    assert "Choose at most 50 learners at once." in told(client, url("give-awards"), many).text


def test_a_decision_that_is_no_pass_is_not_awarded(cast):
    version = acts.publish(cast)
    row = acts.decide(cast, version, level=version.document["assessments"][0]["criteria"][0]["levels"][0]["id"])
    page = told(signed_in(cast.ana), url("give-awards"), {"decision": [str(row.pk)]})
    assert "The decision is not a pass" in page.text
    assert not Award.objects.exists()


def test_the_list_of_awards_is_searched_and_filtered(cast):
    for row in passed(cast, 2):
        acts.award(cast, row)
    first, second = Award.objects.order_by("learner__name")
    Award.objects.filter(pk=first.pk).update(claimed_at=NOW)
    Award.objects.filter(pk=second.pk).update(state="suspended")
    client = signed_in(cast.ana)
    for query, there, absent in (
        ("?show=unclaimed", "Learner 1", "Learner 0"),
        ("?show=suspended", "Learner 1", "Learner 0"),
        ("?q=LEARNER+0", "Learner 0", "Learner 1"),
        ("?show=valid", "Learner 0", "Learner 1"),
    ):
        text = shown(client.get(url("awards") + query)).text
        assert there in text
        assert absent not in text
    for query in ("?show=moon", "?q=%00", "?page=oops", "?page=99", "?decide=-1"):
        shown(client.get(url("awards") + query))


def test_a_fresh_link_goes_to_the_learner_and_ends_the_old_one(cast, client):
    made = acts.awarded(cast)
    award, mail = made.award, OutboxMessage.objects.count()
    page = told(signed_in(cast.ana), url("resend-claim", award.id))
    assert "A fresh link to take it is on its way to Mei Tan." in page.text
    assert OutboxMessage.objects.count() == mail + 1
    message = OutboxMessage.objects.last()
    assert message.to == "mei@example.org"
    token = message.body.split("/claim/")[1].split()[0]
    assert token not in page.text
    assert client.get(f"/claim/{token}").status_code == 200
    assert client.get(f"/claim/{made.token}").status_code == 404
    event = Event.objects.get(verb="resend_claim")
    assert event.actor == cast.ana
    assert token not in json.dumps(event.facts)


def test_an_award_is_suspended_reinstated_and_revoked_each_with_its_reason(cast):
    award, client = acts.awarded(cast).award, signed_in(cast.ana)
    page = shown(client.get(url("award-detail", award.id)))
    assert "Suspend" in page.text
    assert "Reinstate" not in page.text
    page = shown(client.get(url("change-status", award.id, state="suspended")))
    assert "You can end this again." in page.text
    assert "component" not in page.text
    data = {"code": "under_review", "note": "An inquiry by phone."}
    page = told(client, url("change-status", award.id, state="suspended"), data)
    assert "is now suspended" in page.text
    assert "it is under review." in page.text
    assert "An inquiry by phone." in page.text
    assert "phone" not in OutboxMessage.objects.last().body
    told(client, url("change-status", award.id, state="valid"), {"code": "review_closed"})
    revoke = url("change-status", award.id, state="revoked")
    page = shown(client.post(revoke, {"code": "issued_in_error", "note": "Twice."}), 422)
    assert "Tick this if you are sure" in page.text
    assert "Twice." in page.text
    page = told(client, revoke, {"code": "issued_in_error", "sure": "on"})
    assert "is now revoked" in page.text
    assert "revoked for good" in page.text
    assert "that change is not possible" in told(client, url("change-status", award.id, state="valid")).text
    assert "nothing to take any more" in told(client, url("resend-claim", award.id)).text
    assert list(StatusChange.objects.values_list("state", flat=True)) == ["suspended", "valid", "revoked"]


@pytest.mark.parametrize("code", ["", "because", "component_suspended", "issued_in_error"])
def test_a_status_needs_one_of_its_own_reasons(cast, code):
    award = acts.awarded(cast).award
    path = url("change-status", award.id, state="suspended")
    page = shown(signed_in(cast.ana).post(path, {"code": code}), 422)
    assert "Reason" in page.text
    award.refresh_from_db()
    assert award.state == "valid"


def test_a_status_that_does_not_exist_is_no_page(cast):
    award = acts.awarded(cast).award
    assert signed_in(cast.ana).get(url("change-status", award.id, state="frozen")).status_code == 404


# --- Who gets in ---


def everything(cast) -> list[tuple[str, str, dict]]:
    """(method, address, what is sent) for every page and action of a provider, on things that are there."""
    made = acts.awarded(cast)
    draft = acts.draft(cast, sample("data-storytelling"))
    submission = Submission.objects.first()
    gets = [
        url("blueprints"),
        url("draft-blueprint"),
        url("blueprint", draft.id),
        url("blueprint-file", draft.id),
        url("revise-blueprint", draft.id),
        url("judge-rule", draft.id, rule="AU-R6"),
        url("open-offering", made.version.id),
        url("offering-enrolments", submission.enrolment.offering_id),
        url("marking"),
        url("mark-work", submission.id),
        url("work-file", submission.id),
        url("awards"),
        url("decide", submission.enrolment_id),
        url("award-detail", made.award.id),
        url("change-status", made.award.id, state="revoked"),
    ]
    posts = [
        (url("draft-blueprint"), {"sample": "data-protection"}),
        (url("revise-blueprint", draft.id), {"file": upload(draft.document)}),
        (url("ask-partner", draft.id), {"partner": str(cast.northwind.pk)}),
        (url("run-gate", draft.id), {}),
        (url("judge-rule", draft.id, rule="AU-R6"), {"verdict": "pass", "reason": "Mine."}),
        (url("publish-blueprint", draft.id), {}),
        (url("open-offering", made.version.id), {"title": "Mine", "opens_on": "2026-01-01"}),
        (url("mark-work", submission.id), answers(submission)),
        (url("decide", submission.enrolment_id), {}),
        (url("give-awards"), {"decision": str(made.decision.pk)}),
        (url("resend-claim", made.award.id), {}),
        (url("change-status", made.award.id, state="revoked"), {"code": "issued_in_error", "sure": "on"}),
    ]
    return [("get", path, {}) for path in gets] + [("post", path, data) for path, data in posts]


def test_mallory_gets_nothing_anywhere(cast):
    doors, client = everything(cast), signed_in(cast.mallory)
    before = Event.objects.count(), OutboxMessage.objects.count()
    for method, path, data in doors:
        assert getattr(client, method)(path, data).status_code == 404, (method, path)
    assert (Event.objects.count(), OutboxMessage.objects.count()) == before


def test_through_mallorys_own_provider_nothing_of_another_is_reached(cast):
    doors, client = everything(cast), signed_in(cast.mallory)
    for role in ("designer", "marker", "awarder"):
        Membership.objects.create(
            person=cast.mallory, organisation=acts.Organisation.objects.get(slug="mill"), role=role
        )
    before = Event.objects.count(), OutboxMessage.objects.count()
    own = ("blueprints", "blueprints/new", "marking", "awards", "awards/give")
    for method, path, data in doors:
        mine = path.replace(HARBOUR, "mill")
        if mine.removeprefix("/o/mill/") not in own:
            assert getattr(client, method)(mine, data).status_code == 404, (method, mine)
    page = told(client, "/o/mill/awards/give", {"decision": str(Decision.objects.first().pk)})
    assert "is not known here" in page.text
    assert (Event.objects.count(), OutboxMessage.objects.count()) == before


def test_a_stranger_is_asked_to_sign_in(cast, client):
    for method, path, data in everything(cast):
        response = getattr(client, method)(path, data)
        assert response.status_code == 302
        assert response.url.startswith("/account/login")


def test_each_role_is_told_what_it_may_not_do(cast, dana):
    doors = everything(cast)
    closed = {
        dana: ("/marking", "/awards", "/decisions", "/publish"),
        cast.lee: ("/new", "/revise", "/ask", "/gate", "/judge", "/publish", "/offer", "/awards", "/decisions"),
        cast.ana: ("/new", "/revise", "/ask", "/gate", "/judge", "/publish", "blueprints/offer"),
    }
    for person, parts in closed.items():
        client = signed_in(person)
        for method, path, data in doors:
            shut = any(part in path for part in parts) and not (
                person == cast.lee and "/offerings" in path and "/offer" not in parts
            )
            if shut:
                assert getattr(client, method)(path, data).status_code == 403, (person, method, path)


def test_a_partner_has_no_provider_pages(cast):
    client = signed_in(cast.omar)
    for page in ("blueprints", "blueprints/new", "marking", "awards"):
        assert client.get(f"/o/northwind-logistics/{page}").status_code == 404


def test_every_action_needs_its_token_and_its_method(cast, dana):
    doors = everything(cast)
    for person in (cast.quinn, cast.ana, cast.lee):
        strict = Client(enforce_csrf_checks=True)
        strict.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
        for method, path, data in doors:
            if method == "post":
                assert strict.post(path, data).status_code == 403
    only_post = [path for method, path, _ in doors if method == "post" and ("get", path, {}) not in doors]
    client = signed_in(cast.quinn)
    assert only_post
    for path in only_post:
        assert client.get(path).status_code == 405
    for name in ("blueprints", "marking", "awards"):
        assert client.post(url(name)).status_code == 405


def test_a_wrong_id_is_answered_plainly(cast):
    for role in ("designer", "marker", "awarder"):
        Membership.objects.create(person=cast.quinn, organisation=cast.harbour, role=role)
    client, nothing = signed_in(cast.quinn), uuid4()
    for name in ("blueprint", "blueprint-file", "revise-blueprint", "open-offering", "offering-enrolments",
                 "mark-work", "work-file", "decide", "award-detail"):  # fmt: skip
        assert client.get(url(name, nothing)).status_code == 404
    assert client.get(f"/o/{HARBOUR}/blueprints/oops").status_code == 404


# --- How much is read ---


def statements(client: Client, path: str) -> int:
    client.get(path)  # the session and content of the first visit
    with CaptureQueriesContext(
        connection,
    ) as seen:
        assert client.get(path).status_code == 200
    return len(seen)


def test_lists_make_a_fixed_number_of_statements(cast):
    version = acts.publish(cast)
    offering = acts.enrol(cast, version).offering
    pages = {
        url("blueprints"): cast.quinn,
        url("offering-enrolments", offering.id): cast.quinn,
        url("marking"): cast.lee,
        url("awards"): cast.ana,
    }
    acts.hand_in(Enrolment.objects.get())
    grow(cast, version, offering, 0, 2)
    few = {path: statements(signed_in(person), path) for path, person in pages.items()}
    grow(cast, version, offering, 2, 30)
    for path, person in pages.items():
        assert statements(signed_in(person), path) == few[path], path


def grow(cast, version: BlueprintVersion, offering: Offering, start: int, end: int) -> None:
    """More of everything that is listed: versions with signatures, learners with work, decisions and awards."""
    for i in range(start, end):
        if i < 8:  # a signature is real, and takes its time
            acts.endorse(cast, acts.draft(cast, sample("data-storytelling") | {"id": f"urn:uuid:{uuid4()}"}))
        for kind in ("marked", "decided", "awarded"):
            who = acts.learner(f"{kind}{i}@example.org", f"{kind} {i}")
            enrolment = assess.enrol(id=uuid4(), offering=offering, learner=who, now=NOW)
            work = acts.hand_in(enrolment)
            lee_only = kind == "marked"
            for row in work:
                row.marks.create(criterion="c", marker=cast.priya if lee_only else cast.lee, level="x", marked_at=NOW)
            if lee_only:
                continue
            decision = Decision.objects.create(
                id=uuid4(), enrolment=enrolment, document={}, passed=True, marks_sha256="", decided_by=cast.ana,
                decided_at=NOW,
            )  # fmt: skip
            if kind == "awarded":
                number = Award.objects.count()
                Award.objects.create(
                    id=uuid4(), credential_id=f"urn:{number}", learner=who, issuer=cast.harbour, decision=decision,
                    title="T", document=b"", salt="", status_list=status_list(cast), status_index=number,
                    issued_at=NOW, awarded_by=cast.ana, claim_sha256=str(number), nonce=b"",
                )  # fmt: skip


def status_list(cast):
    from guildmark.app.records import StatusList

    facts = {"issuer": cast.harbour, "size": 8, "bits": b"", "reasons": b""}
    return StatusList.objects.get_or_create(number=1, defaults=facts)[0]


def test_the_verdict_of_a_judgement_can_be_that_it_is_not_met(cast, dana):
    version = acts.draft(cast)
    link = url("judge-rule", version.id, rule="AU-R6")
    told(signed_in(dana), link, {"verdict": "fail", "reason": "Nobody was interviewed."})
    assert version.judgements.get().verdict == Verdict.FAIL.value
    page = told(signed_in(dana), url("run-gate", version.id), {"rulebooks": ["au_nmf"]})
    assert "Nobody was interviewed." in page.text
