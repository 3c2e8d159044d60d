"""What people do on the pages, programs do here: each operation, and what it is answered when it cannot be."""

from __future__ import annotations

import json
import secrets
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.utils import timezone

from guildmark.app.records import (
    Award,
    BlueprintVersion,
    Decision,
    Event,
    JobAd,
    KeptAnswer,
    MatchRun,
    OutboxMessage,
    StackRule,
    StatusChange,
)
from guildmark.app.services.erasure import erase_learner
from guildmark.core.report import Verdict
from guildmark.credential.envelope import same_content
from tests.api.conftest import program, role
from tests.app import cast as world

KEY = "0b5a7f0e-5a51-4d9a-9f0a-1d3c5b7e9f11"


def problem_of(answer, status: int) -> dict:
    """The problem that the answer is, which has every member that one has."""
    assert answer.status_code == status, answer.content[:500]
    assert answer.headers["Content-Type"] == "application/problem+json"
    body = answer.json()
    assert set(body) == {"type", "title", "status", "detail", "errors"}
    assert body["status"] == status
    assert body["detail"]
    return body


def award(programs, decision, **headers):
    return programs.harbour.post("/awards", {"decision": str(decision.id)}, **headers)


# --- Who calls ---


def test_a_key_says_for_whom_it_acts(cast, programs):
    answer = programs.northwind.get("/me").json()
    assert answer["organisation"]["slug"] == cast.northwind.slug
    assert "matches:read" in answer["scopes"]


EVERYTHING = (
    ("get", "/me"),
    ("get", "/blueprints"),
    ("get", f"/blueprints/{KEY}"),
    ("get", "/decisions"),
    ("get", "/awards"),
    ("post", "/awards"),
    ("get", f"/awards/{KEY}"),
    ("get", f"/awards/{KEY}/credential"),
    ("get", f"/awards/{KEY}/token"),
    ("get", f"/awards/{KEY}/status"),
    ("post", f"/awards/{KEY}/status"),
    ("get", "/stacks"),
    ("get", "/stacks/small-certificate"),
    ("get", f"/stacks/small-certificate/learners/{KEY}"),
    ("get", "/matches"),
    ("get", f"/matches/{KEY}"),
)
"""Every operation that needs a key."""


def test_the_list_of_operations_is_whole():
    from guildmark.app.api.address import openapi

    said = {
        (method, path.removeprefix("/api/v1").replace("{id}", KEY).replace("{learner}", KEY))
        for path, methods in openapi()["paths"].items()
        for method in methods
    }
    tried = {(method, path.replace("small-certificate", KEY)) for method, path in EVERYTHING}
    assert said == {*tried, ("post", "/verify")}


@pytest.mark.parametrize(("method", "path"), EVERYTHING)
def test_without_a_valid_key_everything_is_401(db, programs, method, path):
    for header in (None, "Bearer gmk_00000000_0", "Bearer ", "Bearer x y", "Basic cXVpbm46eA==", "gmk_x", "Bearer \0"):
        asked = {} if header is None else {"HTTP_AUTHORIZATION": header}
        ask = getattr(programs.stranger, method)
        answer = ask(path, {}, **asked)
        problem_of(answer, 401)
        assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_being_signed_in_on_the_pages_is_no_key(cast, programs):
    programs.stranger.web.force_login(cast.quinn)
    problem_of(programs.stranger.get("/me"), 401)


@pytest.mark.parametrize(("method", "path"), [one for one in EVERYTHING if one[1] != "/me"])
def test_a_key_without_the_scope_is_told_which_one_is_missing(cast, programs, method, path):
    weak = program(cast.quinn, cast.harbour, "verify")
    answer = getattr(weak, method)(path, {})
    body = problem_of(answer, 403)
    scope = answer.headers["WWW-Authenticate"].partition('scope="')[2].rstrip('"')
    assert scope in body["detail"]


def test_mallory_finds_nothing_of_others_by_its_id(cast, programs, passed):
    made = award(programs, passed).json()
    world.stack_rule(cast)
    ranking = match_run(cast)
    version = BlueprintVersion.objects.get()
    mallory = programs.mallory
    for path in (
        f"/blueprints/{version.id}",
        f"/awards/{made['id']}",
        f"/awards/{made['id']}/credential",
        f"/awards/{made['id']}/token",
        f"/awards/{made['id']}/status",
        "/stacks/small-certificate",
        f"/stacks/small-certificate/learners/{cast.mei.id}",
        f"/matches/{ranking.id}",
    ):
        problem_of(mallory.get(path), 404)
    for path in ("/blueprints", "/decisions", "/awards", "/stacks", "/matches"):
        assert mallory.get(path).json() == {"items": [], "next": None}
    assert mallory.get("/awards", {"learner": cast.mei.id, "blueprint": version.id}).json()["items"] == []
    problem_of(mallory.post("/awards", {"decision": str(passed.id)}), 404)
    change = {"state": "revoked", "code": "misconduct"}
    problem_of(mallory.post(f"/awards/{made['id']}/status", change), 404)
    assert Award.objects.get().state == "valid"


def test_mallory_gets_nobody_elses_kept_answer(programs, passed):
    award(programs, passed, HTTP_IDEMPOTENCY_KEY=KEY)
    problem_of(programs.mallory.post("/awards", {"decision": str(passed.id)}, HTTP_IDEMPOTENCY_KEY=KEY), 404)


# --- Blueprints ---


def test_a_blueprint_is_listed_and_read_with_its_content(programs, passed):
    line = programs.harbour.get("/blueprints").json()["items"][0]
    whole = programs.harbour.get(f"/blueprints/{line['id']}").json()
    assert whole.pop("document")["title"] == line["title"]
    assert whole == line
    assert programs.harbour.get("/blueprints", {"state": "draft"}).json()["items"] == []
    assert len(programs.harbour.get("/blueprints", {"state": "published"}).json()["items"]) == 1


# --- Awards ---


def test_a_passed_decision_is_awarded_and_the_learner_is_told(cast, programs, passed):
    waiting = programs.harbour.get("/decisions", {"passed": "true", "awarded": "false"}).json()["items"]
    assert [one["id"] for one in waiting] == [str(passed.id)]
    answer = award(programs, passed)
    assert answer.status_code == 201, answer.content
    made = answer.json()
    assert made["learner"] == {"id": str(cast.mei.id), "name": "Mei Tan", "email": "mei@example.org"}
    assert (made["state"], made["kind"], made["claimed_at"]) == ("valid", "badge", None)
    assert answer.headers["Location"] == f"/api/v1/awards/{made['id']}"
    again = programs.harbour.get(f"/awards/{made['id']}")
    assert again.json() == made
    assert again.headers["ETag"] == answer.headers["ETag"]
    assert OutboxMessage.objects.filter(to="mei@example.org").count() == 1
    assert programs.harbour.get("/decisions", {"awarded": "true"}).json()["items"][0]["award"] == made["id"]


def test_the_maker_of_the_key_is_who_awarded_and_the_key_is_on_record(cast, programs, passed):
    award(programs, passed)
    row = Award.objects.get()
    assert row.awarded_by == cast.quinn
    events = Event.objects.filter(subject=row.credential_id).order_by("id")
    assert [e.verb for e in events] == ["award_credential", "award_by_program"]
    assert events[1].facts["caller"].startswith("key:")


def test_the_claim_link_goes_to_the_learner_alone(programs, passed):
    answer = award(programs, passed)
    token = OutboxMessage.objects.get(to="mei@example.org").body.partition("/claim/")[2].split()[0]
    assert token not in answer.content.decode()


def test_what_is_awarded_already_is_a_conflict(programs, passed):
    award(programs, passed)
    assert "already" in problem_of(award(programs, passed), 409)["detail"]
    assert Award.objects.count() == 1


def test_a_decision_that_is_no_pass_cannot_be_awarded(cast, programs):
    failed = world.decide(cast, world.publish(cast), level=_lowest())
    assert not failed.passed
    assert "not a pass" in problem_of(award(programs, failed), 409)["detail"]
    assert not Award.objects.exists()


def _lowest() -> str:
    levels = world.sample()["assessments"][0]["criteria"][0]["levels"]
    return min(levels, key=lambda level: level["points"])["id"]


def test_a_decision_that_nobody_made_is_not_there(programs, db):
    problem_of(programs.harbour.post("/awards", {"decision": str(uuid4())}), 404)


def test_the_credential_is_served_byte_for_byte(programs, passed):
    made = award(programs, passed).json()
    answer = programs.harbour.get(f"/awards/{made['id']}/credential")
    assert answer.content == bytes(Award.objects.get().document)
    assert answer.headers["Content-Type"] == "application/vc+ld+json"
    same = programs.harbour.get(f"/awards/{made['id']}/credential", HTTP_IF_NONE_MATCH=answer.headers["ETag"])
    assert (same.status_code, same.content) == (304, b"")


def test_the_same_credential_is_served_as_a_token(programs, passed):
    made = award(programs, passed).json()
    stored, address = bytes(Award.objects.get().document), f"/awards/{made['id']}/token"
    jwt = programs.harbour.get(address)
    whole = programs.harbour.get(address, {"form": "sd-jwt-vc"})
    part = programs.harbour.get(address, {"form": "sd-jwt-vc", "show": ["name"]})
    kinds = [answer.headers["Content-Type"] for answer in (jwt, whole, part)]
    assert kinds == ["application/vc+jwt", "application/dc+sd-jwt", "application/dc+sd-jwt"]
    assert same_content(stored, jwt.content, whole.content).verdict is Verdict.PASS
    assert same_content(stored, part.content).verdict is Verdict.UNKNOWN
    for answer in (jwt, whole, part):
        kind = answer.headers["Content-Type"]
        assert programs.stranger.post("/verify", answer.content, kind).json()["verdict"] == "pass"
    known = programs.harbour.get(address, HTTP_IF_NONE_MATCH=jwt.headers["ETag"])
    assert (known.status_code, known.content) == (304, b"")


def test_a_token_that_cannot_be_is_refused_plainly(programs, passed):
    made = award(programs, passed).json()
    address = f"/awards/{made['id']}/token"
    for query in ({"form": "vc-jose"}, {"show": "shoe size"}, {"form": "sd-jwt-vc", "show": "results"}):
        problem_of(programs.harbour.get(address, query), 422)
    programs.harbour.post(f"/awards/{made['id']}/status", {"state": "suspended", "code": "under_review"})
    assert "is suspended" in problem_of(programs.harbour.get(address), 409)["detail"]


def test_awards_are_found_by_state_claim_learner_and_blueprint(cast, programs, passed):
    made = award(programs, passed).json()
    for query, found in (
        ({"state": "valid"}, 1),
        ({"state": "revoked"}, 0),
        ({"claimed": "false"}, 1),
        ({"claimed": "true"}, 0),
        ({"learner": cast.mei.id}, 1),
        ({"learner": uuid4()}, 0),
        ({"blueprint": made["blueprint"]}, 1),
        ({"blueprint": uuid4()}, 0),
    ):
        assert len(programs.harbour.get("/awards", query).json()["items"]) == found, query


@pytest.mark.django_db(transaction=True)
def test_of_an_erased_learner_nothing_is_told(cast, programs, passed):
    made = award(programs, passed, HTTP_IDEMPOTENCY_KEY=KEY).json()
    assert KeptAnswer.objects.count() == 1
    erase_learner(learner=cast.mei, entropy=secrets.token_bytes, actor=cast.quinn, now=timezone.now())
    problem_of(programs.harbour.get(f"/awards/{made['id']}/credential"), 410)
    problem_of(programs.harbour.get(f"/awards/{made['id']}/token"), 410)
    assert programs.harbour.get(f"/awards/{made['id']}").json()["learner"] is None
    assert programs.harbour.get("/decisions").json()["items"][0]["learner"] is None
    assert not KeptAnswer.objects.exists()


# --- Status ---


def test_an_award_is_suspended_reinstated_and_revoked_with_reasons(programs, passed):
    made = award(programs, passed).json()
    where = f"/awards/{made['id']}/status"
    for state, code in (("suspended", "appeal"), ("valid", "review_closed"), ("revoked", "misconduct")):
        answer = programs.harbour.post(where, {"state": state, "code": code, "note": "Case 7."})
        assert answer.status_code == 200, answer.content
        assert answer.json()["state"] == state
        assert answer.headers["ETag"] == programs.harbour.get(where).headers["ETag"]
    changes = programs.harbour.get(where).json()["changes"]
    assert [c["state"] for c in changes] == ["suspended", "valid", "revoked"]
    assert {c["note"] for c in changes} == {"Case 7."}
    assert all(c["says"] for c in changes)


def test_what_is_revoked_stays_revoked(programs, passed):
    made = award(programs, passed).json()
    where = f"/awards/{made['id']}/status"
    programs.harbour.post(where, {"state": "revoked", "code": "misconduct"})
    problem_of(programs.harbour.post(where, {"state": "valid", "code": "review_closed"}), 409)


def test_a_reason_of_another_state_is_refused(programs, passed):
    made = award(programs, passed).json()
    answer = programs.harbour.post(f"/awards/{made['id']}/status", {"state": "suspended", "code": "misconduct"})
    assert "under_review" in problem_of(answer, 422)["detail"]
    assert not StatusChange.objects.exists()


def test_whoever_read_an_older_status_changes_nothing(programs, passed):
    made = award(programs, passed).json()
    where = f"/awards/{made['id']}/status"
    read = programs.harbour.get(where).headers["ETag"]
    first = programs.harbour.post(where, {"state": "suspended", "code": "appeal"}, HTTP_IF_MATCH=read)
    assert first.status_code == 200
    problem_of(programs.harbour.post(where, {"state": "revoked", "code": "misconduct"}, HTTP_IF_MATCH=read), 412)
    assert Award.objects.get().state == "suspended"
    fresh = first.headers["ETag"]
    problem_of(
        programs.harbour.post(where, {"state": "valid", "code": "review_closed"}, HTTP_IF_MATCH="W/" + fresh), 412
    )
    now = programs.harbour.post(where, {"state": "valid", "code": "review_closed"}, HTTP_IF_MATCH=f'"x", {fresh}')
    assert now.status_code == 200


# --- Verifying ---


def test_a_stranger_checks_a_credential_and_is_told_that_it_holds(programs, passed):
    award(programs, passed)
    answer = programs.stranger.post("/verify", bytes(Award.objects.get().document), "application/vc+ld+json")
    assert answer.status_code == 200, answer.content
    assert answer.json()["verdict"] == "pass", answer.json()


def test_a_revoked_credential_is_an_answer_and_not_an_error(programs, passed):
    made = award(programs, passed).json()
    document = programs.harbour.get(f"/awards/{made['id']}/credential").content
    programs.harbour.post(f"/awards/{made['id']}/status", {"state": "revoked", "code": "misconduct"})
    report = programs.stranger.post("/verify", document).json()
    assert report["verdict"] == "fail"
    assert "fail" in {f["verdict"] for f in report["findings"] if f["id"].startswith("status")}


def test_a_badge_image_is_checked(programs, passed):
    from guildmark.app.queries.awards import badge_image

    award(programs, passed)
    row = Award.objects.get()
    for kind in ("png", "svg"):
        media = {"png": "image/png", "svg": "image/svg+xml"}[kind]
        assert programs.stranger.post("/verify", badge_image(row, kind), media).json()["verdict"] == "pass"


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"", "application/json", 422),
        (b"{", "application/json", 422),
        (b"[]", "application/json", 422),
        (b"\xff\xfe", "application/json", 422),
        (b"\0", "application/json", 422),
        (b"{}", "text/plain", 415),
        (b"{}", "", 415),
        (b"not a picture", "image/png", 422),
        (b"<svg", "image/svg+xml", 422),
        (b'{"a":' * 5000 + b"1" + b"}" * 5000, "application/json", 422),
        (b"x" * 5_000_001, "application/json", 413),
    ],
    ids=["empty", "half", "list", "no text", "nul", "text", "no type", "no png", "no svg", "deep", "huge"],
)
def test_what_is_no_credential_is_refused_plainly(db, programs, body, kind, status):
    problem_of(programs.stranger.post("/verify", body, kind), status)


def test_a_stranger_who_asks_too_often_is_told_to_wait_and_a_key_is_not_bound(programs, db):
    for _ in range(30):
        assert programs.stranger.post("/verify", "{").status_code == 422
    answer = programs.stranger.post("/verify", "{")
    problem_of(answer, 429)
    assert 0 < int(answer.headers["Retry-After"]) <= 60
    assert programs.northwind.post("/verify", "{").status_code == 422
    problem_of(programs.stranger.post("/verify", "{", HTTP_AUTHORIZATION="Bearer gmk_nobody_0"), 401)


def test_a_forged_header_is_no_way_round_the_bound(programs, db):
    for number in range(31):
        answer = programs.stranger.post("/verify", "{", HTTP_X_FORWARDED_FOR=f"10.0.0.{number}")
    problem_of(answer, 429)


# --- Stacks ---


def test_a_rule_is_listed_and_read_as_it_was_written(cast, programs):
    world.stack_rule(cast)
    assert programs.harbour.get("/stacks").json()["items"] == [
        {"id": "small-certificate", "title": "Small certificate", "version": "1"}
    ]
    assert programs.harbour.get("/stacks/small-certificate").json()["text"] == world.STACK_RULE


def test_how_far_a_learner_is_counts_what_the_organisation_awarded(cast, programs, passed):
    world.stack_rule(cast)
    where = f"/stacks/small-certificate/learners/{cast.mei.id}"
    before = programs.harbour.get(where).json()
    assert (before["earned"], before["placement"]) == (False, {})
    assert before["gaps"][0]["missing"] == 1
    made = award(programs, passed).json()
    after = programs.harbour.get(where).json()
    assert after["earned"], after["report"]
    assert after["placement"] == {made["credential_id"]: "analysis"}
    assert after["claim"] is None


def test_a_learner_of_somebody_else_has_no_progress_here(cast, programs):
    world.stack_rule(cast)
    stranger = world.learner("zoe@example.org", "Zoe")
    problem_of(programs.harbour.get(f"/stacks/small-certificate/learners/{stranger.id}"), 404)


# --- Matches ---


def match_run(cast, **changes):
    ad = JobAd.objects.first() or JobAd.objects.create(
        id="ad-1", title="Analyst", text="SQL", text_sha256="", ingested_at=world.NOW
    )
    person = {
        "person_id": str(cast.mei.id),
        "score": 0.5,
        "reasons": [{"credential_id": "urn:uuid:x", "says": "SQL: shown."}],
        "missing": [{"label": "Python", "uri": "urn:x"}],
        "closes": [],
    }
    given = {"id": uuid4(), "ad": ad, "employer": cast.northwind, "need": {}, "matches": [person], "at": world.NOW}
    return MatchRun.objects.create(**{**given, "by": cast.omar, **changes})


def test_a_ranking_is_told_as_the_people_in_it_permit(cast, programs):
    from guildmark.app.services.people import give_consent, withdraw_consent

    row = match_run(cast)
    give_consent(learner=cast.mei, purpose="matching", now=world.NOW)
    assert programs.northwind.get("/matches").json()["items"][0]["people"] == 1
    one = programs.northwind.get(f"/matches/{row.id}").json()["candidates"][0]
    assert (one["percent"], one["reasons"], one["missing"]) == (50, ["SQL: shown."], ["Python"])
    assert (one["name"], one["withdrawn"]) == (None, False)
    assert str(cast.mei.id) not in programs.northwind.get(f"/matches/{row.id}").content.decode()
    withdraw_consent(learner=cast.mei, purpose="matching", now=world.NOW)
    gone = programs.northwind.get(f"/matches/{row.id}").json()["candidates"][0]
    assert (gone["withdrawn"], gone["reasons"], gone["percent"]) == (True, [], 0)


# --- Pages ---


def _many(cast, count):
    """So many rows in each list, several of them at one moment."""
    version = BlueprintVersion.objects.first()
    decision = Decision.objects.first()
    known = Award.objects.first()
    rule = StackRule.objects.first()
    moments = [world.NOW + timedelta(seconds=number // 3) for number in range(count)]
    BlueprintVersion.objects.bulk_create(
        BlueprintVersion(
            id=uuid4(), blueprint_id=version.blueprint_id, version=number + 100, provider=cast.harbour, title="Again",
            document=version.document, digest=version.digest, created_at=at, created_by=cast.quinn,
        )
        for number, at in enumerate(moments)
    )  # fmt: skip
    Decision.objects.bulk_create(
        Decision(
            id=uuid4(), enrolment=decision.enrolment, document=decision.document, passed=False, marks_sha256="",
            decided_by=cast.quinn, decided_at=at,
        )
        for at in moments
    )  # fmt: skip
    Award.objects.bulk_create(
        Award(
            id=uuid4(), kind="clr", credential_id=f"urn:uuid:{uuid4()}", learner=cast.mei, issuer=cast.harbour,
            title="More", document=b"{}", salt="", status_list=known.status_list,
            status_index=(known.status_index + 1 + number) % 131_072, issued_at=at, awarded_by=cast.quinn,
            claim_sha256=uuid4().hex, nonce=b"",
        )
        for number, at in enumerate(moments)
    )  # fmt: skip
    StackRule.objects.bulk_create(
        StackRule(id=f"rule-{number:04}", title="R", version="1", owner=cast.harbour, text=rule.text)
        for number in range(count)
    )
    for at in moments[:5]:
        match_run(cast, employer=cast.harbour, at=at)
    MatchRun.objects.bulk_create(
        MatchRun(id=uuid4(), ad=JobAd.objects.first(), employer=cast.harbour, need={}, matches=[], at=at, by=cast.omar)
        for at in moments[5:]
    )


LISTS = ("/blueprints", "/decisions", "/awards", "/stacks", "/matches")


def test_every_list_takes_three_statements_at_10_and_at_1000_rows(cast, programs, passed, django_assert_num_queries):
    award(programs, passed)
    world.stack_rule(cast)
    role(cast.quinn, cast.harbour, "partner")
    reader = program(cast.quinn, cast.harbour)
    reader.get("/me")  # the key's moment of last use is written now, and not again for ten minutes
    for count in (10, 1000):
        _clear()
        _many(cast, count)
        for path in LISTS:
            with django_assert_num_queries(3):
                answer = reader.get(path, {"limit": 100})
            assert len(answer.json()["items"]) >= min(count, 100)


def _clear():
    MatchRun.objects.all().delete()
    Award.objects.filter(kind="clr").delete()
    Decision.objects.filter(marks_sha256="").delete()
    BlueprintVersion.objects.filter(version__gte=100).delete()
    StackRule.objects.filter(id__startswith="rule-").delete()


def test_page_by_page_every_row_is_told_once_and_the_oldest_first(cast, programs, passed):
    award(programs, passed)
    world.stack_rule(cast)
    role(cast.quinn, cast.harbour, "partner")
    reader = program(cast.quinn, cast.harbour)
    _many(cast, 20)
    for path in LISTS:
        whole = reader.get(path, {"limit": 100}).json()
        assert whole["next"] is None
        found, cursor = [], None
        while True:
            page = reader.get(path, {"limit": 7, **({"cursor": cursor} if cursor else {})}).json()
            found += page["items"]
            if (cursor := page["next"]) is None:
                break
            assert len(page["items"]) == 7
        assert found == whole["items"]
        assert len({one["id"] for one in found}) == len(found) >= 20


@pytest.mark.parametrize(
    "cursor",
    ["x", "!!", "WzFd", "W10", "eyJhIjoxfQ", "WyJ4IiwieSJd", "WyIyMDI2LTAxLTAxVDAwOjAwOjAwIiwgIngiXQ", "A" * 401],
    ids=["letter", "signs", "number", "empty", "object", "no moment", "no zone", "long"],
)
def test_a_cursor_of_ones_own_making_is_refused(programs, cursor):
    for path in LISTS[:3]:
        problem_of(programs.harbour.get(path, {"cursor": cursor}), 422)


def test_a_cursor_of_another_list_is_refused(cast, programs, passed):
    world.stack_rule(cast)
    StackRule.objects.create(id="second", title="S", version="1", owner=cast.harbour, text=world.STACK_RULE)
    cursor = programs.harbour.get("/stacks", {"limit": 1}).json()["next"]
    problem_of(programs.harbour.get("/awards", {"cursor": cursor}), 422)


# --- Once and only once ---


def test_the_same_request_with_the_same_key_does_nothing_twice(programs, passed):
    first = award(programs, passed, HTTP_IDEMPOTENCY_KEY=KEY)
    second = award(programs, passed, HTTP_IDEMPOTENCY_KEY=KEY)
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.content == second.content
    for name in ("ETag", "Location"):
        assert first.headers[name] == second.headers[name]
    assert Award.objects.count() == 1
    assert OutboxMessage.objects.filter(to="mei@example.org").count() == 1


def test_a_status_changes_once_under_one_key(programs, passed):
    made = award(programs, passed).json()
    where, change = f"/awards/{made['id']}/status", {"state": "suspended", "code": "appeal"}
    answers = [programs.harbour.post(where, change, HTTP_IDEMPOTENCY_KEY=KEY) for _ in range(2)]
    assert [a.status_code for a in answers] == [200, 200]
    assert answers[0].content == answers[1].content
    assert StatusChange.objects.count() == 1


def test_a_key_that_went_with_another_request_is_refused(programs, passed):
    made = award(programs, passed, HTTP_IDEMPOTENCY_KEY=KEY).json()
    other = programs.harbour.post("/awards", {"decision": str(uuid4())}, HTTP_IDEMPOTENCY_KEY=KEY)
    problem_of(other, 404)  # what is not there is not there, whatever the key
    change = {"state": "suspended", "code": "appeal"}
    answer = programs.harbour.post(f"/awards/{made['id']}/status", change, HTTP_IDEMPOTENCY_KEY=KEY)
    assert "another request" in problem_of(answer, 422)["detail"]
    assert Award.objects.get().state == "valid"


def test_a_refused_request_leaves_nothing_and_may_be_sent_again(programs, passed):
    made = award(programs, passed).json()
    problem_of(award(programs, passed, HTTP_IDEMPOTENCY_KEY=KEY), 409)
    assert not KeptAnswer.objects.exists()
    change = {"state": "suspended", "code": "appeal"}
    answer = programs.harbour.post(f"/awards/{made['id']}/status", change, HTTP_IDEMPOTENCY_KEY=KEY)
    assert answer.status_code == 200


def test_an_answer_is_kept_for_a_day_and_no_longer(programs, passed):
    award(programs, passed, HTTP_IDEMPOTENCY_KEY=KEY)
    KeptAnswer.objects.update(at=timezone.now() - timedelta(hours=23, minutes=59))
    assert award(programs, passed, HTTP_IDEMPOTENCY_KEY=KEY).status_code == 201
    KeptAnswer.objects.update(at=timezone.now() - timedelta(hours=24))
    problem_of(award(programs, passed, HTTP_IDEMPOTENCY_KEY=KEY), 409)


@pytest.mark.parametrize("key", ["", "with space", "ü", "x" * 256, "a\0b"], ids=["empty", "space", "ü", "long", "nul"])
def test_a_key_that_cannot_be_one_is_refused(programs, passed, key):
    problem_of(award(programs, passed, HTTP_IDEMPOTENCY_KEY=key), 422)
    assert not Award.objects.exists()


def test_twins_at_the_same_moment_make_one_award_and_are_answered_alike(real_database, at_once):
    cast = world.cast()
    role(cast.quinn, cast.harbour, "awarder")
    decision = world.decide(cast, world.publish(cast))
    twin = [program(cast.quinn, cast.harbour, "awards:write")] * 2
    sent = [lambda p=p: p.post("/awards", {"decision": str(decision.id)}, HTTP_IDEMPOTENCY_KEY=KEY) for p in twin]
    answers = at_once(*sent)
    assert [a.status_code for a in answers] == [201, 201], answers
    assert answers[0].content == answers[1].content
    assert Award.objects.count() == 1


# --- What is asked oddly ---


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"", "application/json", 422),
        (b"{", "application/json", 400),
        (b"\xff", "application/json", 400),
        (b"[" * 100_000, "application/json", 413),
        (b"[" * 50_000, "application/json", 400),
        (b"[]", "application/json", 422),
        (b"null", "application/json", 422),
        (b"{}", "application/json", 422),
        (b'{"decision": 7}', "application/json", 422),
        (b'{"decision": "x"}', "application/json", 422),
        (b'{"decision": "\\u0000"}', "application/json", 422),
        (b'{"decision": "\\ud800"}', "application/json", 422),
        (f'{{"decision": "{KEY}", "more": 1}}'.encode(), "application/json", 422),
        (f'{{"decision": "{KEY}"}}'.encode(), "text/plain", 415),
        (f'{{"decision": "{KEY}"}}'.encode(), "application/x-www-form-urlencoded", 415),
        (b"decision=1", "multipart/form-data; boundary=x", 415),
    ],
    ids=lambda value: None if isinstance(value, int) else repr(value[:30]),
)
def test_an_odd_body_is_a_plain_refusal(programs, db, body, kind, status):
    problem_of(programs.harbour.post("/awards", body, kind), status)


def test_a_note_with_nul_is_refused(programs, passed):
    made = award(programs, passed).json()
    change = {"state": "suspended", "code": "appeal", "note": "a\0b"}
    said = problem_of(programs.harbour.post(f"/awards/{made['id']}/status", change), 422)
    assert said["errors"][0]["where"] == "body.note"


@pytest.mark.parametrize(
    "path",
    ["/nothing", "/awards/", "/awards/7", "/awards/%00", "/stacks/%00", "/stacks/a%2Fb", "/stacks/%ff", "//", "/../.."],
)
def test_an_odd_address_is_not_there(programs, db, path):
    problem_of(programs.harbour.get(path), 404)


@pytest.mark.parametrize(
    "query",
    [{"limit": "0"}, {"limit": "101"}, {"limit": "x"}, {"state": "good"}, {"learner": "7"}, {"claimed": "perhaps"},
     {"state": "\0"}, {"a\0b": "1"}],
    ids=["zero", "many", "letter", "state", "id", "bool", "nul", "nul name"],
)  # fmt: skip
def test_an_odd_question_is_refused_with_its_place(programs, db, query):
    said = problem_of(programs.harbour.get("/awards", query), 422)
    assert said["errors"][0]["where"].startswith("query.")


def test_another_method_is_told_which_are_taken(programs, db):
    for method in ("put", "patch", "delete", "options", "trace"):
        answer = getattr(programs.harbour.web, method)("/api/v1/awards", **programs.harbour.headers)
        problem_of(answer, 405)
        assert answer.headers["Allow"] == "GET, HEAD, POST"


def test_head_is_answered_as_get_without_its_body(programs, passed):
    seen = programs.harbour.get("/awards")
    answer = programs.harbour.web.head("/api/v1/awards", **programs.harbour.headers)
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["ETag"] == seen.headers["ETag"]
    assert answer.headers["Content-Length"] == str(len(seen.content))


def test_an_unchanged_list_is_not_sent_again(programs, passed):
    etag = programs.harbour.get("/decisions").headers["ETag"]
    for header in (etag, f'"other", {etag}', f"W/{etag}", "*"):
        assert programs.harbour.get("/decisions", HTTP_IF_NONE_MATCH=header).status_code == 304
    award(programs, passed)
    assert programs.harbour.get("/decisions", HTTP_IF_NONE_MATCH=etag).status_code == 200


def test_what_nobody_foresaw_is_a_problem_that_tells_nothing_of_itself(programs, db, monkeypatch):
    def breaks(*args, **named):
        raise RuntimeError("secret detail")

    monkeypatch.setattr("guildmark.app.api.operations.page_of", breaks)
    answer = programs.harbour.get("/awards")
    problem_of(answer, 500)
    assert "secret detail" not in answer.content.decode()


def test_a_busy_database_says_when_to_come_back(programs, db, monkeypatch):
    from django.db import OperationalError

    def busy(*args, **named):
        raise OperationalError("database is locked")

    monkeypatch.setattr("guildmark.app.api.operations.page_of", busy)
    answer = programs.harbour.get("/awards")
    problem_of(answer, 503)
    assert answer.headers["Retry-After"] == "10"


def test_answers_are_kept_by_nobody_on_the_way(programs, db):
    for answer in (programs.harbour.get("/awards"), programs.stranger.get("/awards")):
        assert answer.headers["Cache-Control"] == "private, no-store"


# --- The page and the file ---


def test_the_page_lists_every_operation_scope_and_problem(db, client_of_web):
    from guildmark.app.api.address import openapi
    from guildmark.app.api.problems import KINDS
    from guildmark.app.services.api_keys import SCOPES

    text = client_of_web.get("/api/v1/").content.decode()
    assert all(path in text for path in openapi()["paths"])
    assert all(scope in text for scope in SCOPES)
    assert all(f'id="{kind.name}"' in text for kind in KINDS.values())
    assert "://" not in text.replace("http://www.w3.org", "")


def test_the_file_is_for_anyone(db, client_of_web):
    answer = client_of_web.get("/api/v1/openapi.json")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.json()["openapi"].startswith("3.1")
    again = client_of_web.get("/api/v1/openapi.json", HTTP_IF_NONE_MATCH=answer.headers["ETag"])
    assert again.status_code == 304
    assert client_of_web.post("/api/v1/openapi.json").status_code == 405


def test_the_type_of_a_problem_leads_to_the_page(programs, db, settings):
    said = problem_of(programs.harbour.get("/nothing"), 404)
    assert said["type"] == f"{settings.BASE_URL}/api/v1/#not-found"


def test_ids_are_uuids(programs, passed):
    made = award(programs, passed).json()
    assert str(UUID(made["id"])) == made["id"]
    assert json.loads(json.dumps(made)) == made
