"""An award rests on a decision, holds for verifiers, and its status reaches them in the same moment."""

from __future__ import annotations

import hashlib
import json
import secrets
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from guildmark.app.queries.awards import award_by_claim
from guildmark.app.queries.published import published, published_fetcher
from guildmark.app.records import Award, LogEntry, OutboxMessage, StatusChange
from guildmark.app.services import awards, status
from guildmark.app.services.ledger import publish_checkpoint
from guildmark.core.errors import BrokenInput, NotAllowed
from guildmark.core.report import Verdict
from guildmark.credential.verify import verify_credential
from tests.app import cast as world

NOW = world.NOW


def _verify(award, now=NOW):
    return verify_credential(bytes(award.document), now=now, fetcher=published_fetcher())


def _change(cast, award, state, code, now=NOW):
    return awards.change_status(
        award=award, state=state, code=code, note="", entropy=secrets.token_bytes, actor=cast.ana, now=now
    )[0]


def test_an_award_verifies_with_what_the_site_publishes(cast):
    made = world.awarded(cast)
    report = _verify(made.award)
    assert report.verdict is Verdict.PASS, [f.says for f in report.findings if f.verdict is not Verdict.PASS]


def test_there_is_no_award_without_a_pass(cast):
    decision = world.decide(cast, world.publish(cast), level="beginning")
    assert not decision.passed
    with pytest.raises(NotAllowed, match="not a pass"):
        world.award(cast, decision)
    assert Award.objects.count() == 0
    assert OutboxMessage.objects.count() == 0


def test_a_decision_has_one_award(cast):
    made = world.awarded(cast)
    with pytest.raises(NotAllowed, match="has its award already"):
        world.award(cast, made.decision)


def test_the_learner_is_told_through_the_outbox_and_only_the_hash_of_the_token_is_kept(cast):
    made = world.awarded(cast)
    message = OutboxMessage.objects.get(to=cast.mei.email)
    assert made.token in message.body
    assert message.sent_at is None
    assert made.award.claim_sha256 == hashlib.sha256(made.token.encode()).hexdigest()
    assert award_by_claim(made.token) == made.award
    assert award_by_claim(made.token[:-1]) is None
    assert award_by_claim("") is None


def test_claiming_twice_keeps_the_first_moment(cast):
    made = world.awarded(cast)
    awards.claim_award(award=made.award, now=NOW)
    later = awards.claim_award(award=made.award, now=NOW + timedelta(days=1))
    assert later.claimed_at == NOW


@pytest.mark.parametrize(
    ("state", "code", "words"),
    [("suspended", "under_review", "under review"), ("revoked", "misconduct", "misconduct")],
)
def test_a_changed_status_is_what_verifiers_see_and_its_reason_is_named(cast, state, code, words):
    made = world.awarded(cast)
    _change(cast, made.award, state, code)
    report = _verify(made.award)
    assert report.verdict is Verdict.FAIL
    assert any(state in f.says.lower() and words in f.says for f in report.failed())


def test_a_suspension_ends_and_leaves_no_trace_for_verifiers(cast):
    made = world.awarded(cast)
    _change(cast, made.award, "suspended", "under_review")
    award = _change(cast, made.award, "valid", "review_closed")
    assert _verify(award).verdict is Verdict.PASS
    assert [c.state for c in StatusChange.objects.order_by("id")] == ["suspended", "valid"]


def test_revocation_is_for_good(cast):
    made = world.awarded(cast)
    _change(cast, made.award, "revoked", "issued_in_error")
    for state, code in (("valid", "review_closed"), ("suspended", "under_review")):
        with pytest.raises(NotAllowed, match="cannot become"):
            _change(cast, made.award, state, code)


def test_an_unknown_reason_changes_nothing(cast):
    made = world.awarded(cast)
    with pytest.raises(BrokenInput, match="reason code"):
        _change(cast, made.award, "revoked", "because")
    assert _verify(made.award).verdict is Verdict.PASS
    assert StatusChange.objects.count() == 0


def test_the_learner_is_told_of_a_change_with_its_reason(cast):
    made = world.awarded(cast)
    _change(cast, made.award, "suspended", "under_review")
    body = OutboxMessage.objects.filter(to=cast.mei.email).last().body
    assert "under review" in body


def test_a_published_status_list_says_nothing_about_anybody(cast):
    made = world.awarded(cast)
    _change(cast, made.award, "revoked", "misconduct")
    for url in (
        json.loads(made.award.document)["credentialStatus"]["statusListCredential"],
        json.loads(made.award.document)["credentialStatus"]["statusReference"],
    ):
        body = published(url).body
        assert cast.mei.email.encode() not in body
        assert str(made.award.id).encode() not in body


def test_no_two_awards_share_an_index(cast):
    version = world.publish(cast)
    made = []
    for number in range(12):
        who = world.learner(f"learner{number}@example.org", f"Learner {number}")
        made.append(world.award(cast, world.decide(cast, version, who=who))[0])
    places = {(a.status_list_id, a.status_index) for a in made}
    assert len(places) == len(made)


def test_a_list_that_is_half_full_is_followed_by_another_and_never_dragged_through_a_count(cast, monkeypatch):
    monkeypatch.setattr(status, "SIZE", 4)  # the lists of the site are longer; what is signed is not looked at here
    monkeypatch.setattr(status, "publish_status_list", lambda number, now: None)
    version = world.publish(cast)
    decision = world.decide(cast, version)
    issuer = cast.harbour
    first = status.allocate_status(issuer=issuer, entropy=secrets.token_bytes, now=NOW)[1]
    made, _token = world.award(cast, decision)
    assert made.status_list == first
    Award.objects.filter(pk=made.pk).update(status_index=0)
    with CaptureQueriesContext(connection) as asked:
        assert status.allocate_status(issuer=issuer, entropy=secrets.token_bytes, now=NOW)[1] == first
    assert not [q["sql"] for q in asked if "GROUP BY" in q["sql"]]
    other = world.learner("other@example.org", "Somebody Else")
    world.award(cast, world.decide(cast, version, who=other))
    second = status.allocate_status(issuer=issuer, entropy=secrets.token_bytes, now=NOW)[1]
    assert second.number == first.number + 1


@pytest.mark.django_db(transaction=True)
def test_an_award_and_its_leaf_stand_or_fall_together(cast):
    decision = world.decide(cast, world.publish(cast))
    before = LogEntry.objects.count()
    with transaction.atomic():
        world.award(cast, decision)
        transaction.set_rollback(True)  # as if the machine stopped before the commit
    assert Award.objects.count() == 0
    assert LogEntry.objects.count() == before


@pytest.mark.django_db(transaction=True)
def test_a_logged_award_has_a_receipt_that_checks_offline(cast):
    from guildmark.app.services.ledger import log
    from guildmark.ledger.note import VerifierKey
    from guildmark.ledger.receipt import ledger_findings

    made = world.awarded(cast)
    publish_checkpoint()
    made.award.refresh_from_db()
    key = VerifierKey.parse(str(log().vkey))
    report = ledger_findings(bytes(made.award.document), made.award.receipt.encode(), vkey=[key])
    assert report.verdict is Verdict.PASS
    other = json.loads(made.award.document)
    other["name"] = "Another"
    report = ledger_findings(json.dumps(other).encode(), made.award.receipt.encode(), vkey=[key])
    assert report.verdict is Verdict.FAIL


def test_a_credential_keeps_what_its_blueprint_said_when_it_was_awarded(cast):
    made = world.awarded(cast)
    changed = {**world.sample(), "title": "Another title"}
    world.publish(cast, changed)
    made.award.refresh_from_db()
    assert json.loads(made.award.document)["name"] == world.sample()["title"]
    assert _verify(made.award).verdict is Verdict.PASS
