"""Two of everything at the same moment, on the database that a site has: nothing is lost, nothing is done twice."""

from __future__ import annotations

import json
import secrets
import threading
import time
from datetime import timedelta
from functools import partial
from uuid import uuid4

import pytest
from django.core import mail
from django.db import connection, transaction

from guildmark.app.doors import web_folder
from guildmark.app.queries.published import published_fetcher
from guildmark.app.records import (
    Award,
    BlueprintVersion,
    Decision,
    Endorsement,
    Event,
    LogEntry,
    Mark,
    Organisation,
    OrganisationKey,
    OutboxMessage,
    StackClaim,
    StatusList,
)
from guildmark.app.services import assess, awards, people
from guildmark.app.services import mail as mail_service
from guildmark.app.services.ledger import log, publish_checkpoint
from guildmark.core.errors import GuildmarkError, NotAllowed, OutsideFailure
from guildmark.core.report import Verdict
from guildmark.credential import status as status_room
from guildmark.credential.verify import verify_credential
from guildmark.ledger.entries import history_findings
from tests.app import cast as world

NOW = world.NOW


@pytest.fixture
def cast(real_database):
    return world.cast()


def _change(cast, award, state, code):
    return awards.change_status(
        award=award, state=state, code=code, note="", entropy=secrets.token_bytes, actor=cast.ana, now=NOW
    )[0]


def _decisions(cast, version, how_many):
    return [
        world.decide(cast, version, who=world.learner(f"learner{n}@example.org", f"Learner {n}"))
        for n in range(how_many)
    ]


def _problems(outcomes):
    return [outcome for outcome in outcomes if isinstance(outcome, Exception)]


def _bits_of(award):
    """(bit, reason number) of the award as the published lists have it."""
    row = StatusList.objects.get(pk=award.status_list_id)
    bits = status_room.decode_list(json.loads(row.published)["credentialSubject"]["encodedList"])
    return status_room.read_bit(bits, award.status_index), row.reasons[award.status_index]


def _sound(organisation):
    leaves = [bytes(r.leaf) for r in LogEntry.objects.filter(issuer=organisation.did).order_by("id")]
    return history_findings(organisation.did, leaves).verdict is Verdict.PASS


def test_awards_at_once_share_no_index_and_one_list(cast, at_once):
    decisions = _decisions(cast, world.publish(cast), 6)
    outcomes = at_once(*(partial(world.award, cast, decision) for decision in decisions))
    assert _problems(outcomes) == []
    places = {(award.status_list_id, award.status_index) for award in Award.objects.all()}
    assert len(places) == 6
    assert StatusList.objects.count() == 1, "the first award makes the list, and the others find it"
    assert OutboxMessage.objects.count() == 6
    assert _sound(cast.harbour)


def test_two_issuers_whose_first_awards_come_at_once_have_a_list_each(cast, at_once):
    from guildmark.app.services.status import allocate_status

    mill = Organisation.objects.get(slug="mill")
    outcomes = at_once(
        *(
            partial(allocate_status, issuer=issuer, entropy=secrets.token_bytes, now=NOW)
            for issuer in (cast.harbour, mill)
        )
    )
    assert _problems(outcomes) == []
    assert sorted(StatusList.objects.values_list("number", "issuer__slug")) in (
        [(1, "harbour-university"), (2, "mill")],
        [(1, "mill"), (2, "harbour-university")],
    )


def test_a_decision_that_is_awarded_twice_at_once_has_one_award(cast, at_once):
    decision = world.decide(cast, world.publish(cast))
    outcomes = at_once(*[partial(world.award, cast, decision)] * 3)
    assert Award.objects.count() == 1
    assert OutboxMessage.objects.count() == 1
    refused = _problems(outcomes)
    assert len(refused) == 2
    assert all(isinstance(r, NotAllowed) for r in refused), refused


def test_status_changes_of_one_list_at_once_are_all_published(cast, at_once):
    made = [world.award(cast, d)[0] for d in _decisions(cast, world.publish(cast), 4)]
    steps = [("suspended", "under_review"), ("revoked", "misconduct")] * 2
    outcomes = at_once(*(partial(_change, cast, award, *step) for award, step in zip(made, steps, strict=True)))
    assert _problems(outcomes) == []
    assert all(_bits_of(award) == (True, status_room.reason_number(*s)) for award, s in zip(made, steps, strict=True))
    row = StatusList.objects.get()
    assert row.seq == 5
    assert _sound(cast.harbour)
    assert (web_folder() / "status/1.json").read_bytes() == row.published, "the file is the last version"
    assert (web_folder() / "status/1/reasons.json").read_bytes() == row.published_reasons


def test_one_award_that_is_changed_twice_at_once_changes_once(cast, at_once):
    made = world.awarded(cast)
    outcomes = at_once(*[partial(_change, cast, made.award, "suspended", "under_review")] * 3)
    assert len(_problems(outcomes)) == 2
    assert all(isinstance(p, NotAllowed) for p in _problems(outcomes)), outcomes
    assert made.award.status_changes.count() == 1


def test_awards_while_checkpoints_are_published_are_all_in_the_log(cast, at_once):
    decisions = _decisions(cast, world.publish(cast), 4)
    outcomes = at_once(*(partial(world.award, cast, d) for d in decisions), *[publish_checkpoint] * 3)
    assert all(isinstance(p, OutsideFailure) for p in _problems(outcomes)), outcomes
    assert Award.objects.count() == 4, "a checkpoint makes no award fail"
    publish_checkpoint()
    assert not LogEntry.objects.filter(index=None).exists()
    assert not Award.objects.filter(receipt="").exists()
    assert log().fsck().verdict is Verdict.PASS


def test_checkpoints_at_once_are_one_history(cast, at_once):
    world.publish(cast)
    outcomes = at_once(*[publish_checkpoint] * 4)
    assert _problems(outcomes) == []
    assert OrganisationKey.objects.filter(purpose="log").count() == 1, "one of them made the log's key"
    indexes = list(LogEntry.objects.order_by("index").values_list("index", flat=True))
    assert indexes == list(range(len(indexes)))
    assert log().fsck().verdict is Verdict.PASS


def test_workers_at_once_send_each_message_once(cast, at_once):
    for number in range(12):
        mail_service.post(to=f"l{number}@example.org", subject="Hello", body="Hello.", now=NOW)
    outcomes = at_once(*[partial(mail_service.deliver_due, now=NOW)] * 3)
    assert _problems(outcomes) == []
    assert sum(sent for sent, _ in outcomes) == 12
    assert sorted(m.to[0] for m in mail.outbox) == sorted(f"l{n}@example.org" for n in range(12))


def test_a_credential_that_is_claimed_twice_at_once_is_claimed_once(cast, at_once):
    made = world.awarded(cast)
    moments = [NOW + timedelta(minutes=n) for n in range(3)]
    outcomes = at_once(*(partial(awards.claim_award, award=made.award, now=moment) for moment in moments))
    assert _problems(outcomes) == []
    assert len({row.claimed_at for row in outcomes}) == 1
    assert Event.objects.filter(verb="claim_award").count() == 1


def test_endorsements_of_one_partner_at_once_are_one_chain(cast, at_once):
    version = world.draft(cast)
    outcomes = at_once(*[partial(world.endorse, cast, version)] * 4)
    assert _problems(outcomes) == []
    assert Endorsement.objects.count() == 4
    assert _sound(cast.northwind)


def test_keys_made_at_once_have_a_number_each(cast, at_once):
    outcomes = at_once(
        *(
            partial(people.create_key, organisation=cast.harbour, entropy=secrets.token_bytes(32), now=NOW)
            for _ in range(3)
        )
    )
    assert _problems(outcomes) == []
    ids = [key.key_id.partition("#")[2] for key in cast.harbour.keys.order_by("id")]
    assert ids == ["key-1", "key-2", "key-3", "key-4"]
    published = json.loads((web_folder() / "issuers/harbour-university/did.json").read_bytes())
    assert len(published["assertionMethod"]) == 4


def test_drafts_of_one_blueprint_at_once_are_versions_one_after_the_other(cast, at_once):
    world.demand()
    outcomes = at_once(*[partial(world.draft, cast)] * 3)
    assert _problems(outcomes) == []
    assert list(BlueprintVersion.objects.order_by("version").values_list("version", flat=True)) == [1, 2, 3]


def test_one_name_that_two_take_at_once_is_taken_by_one_and_the_other_is_told(real_database, at_once):
    outcomes = at_once(*[partial(world.organisation, "delta", "Delta", "provider", {})] * 3)
    refused = _problems(outcomes)
    assert len(refused) == 2
    assert all("exists already" in str(problem) for problem in refused), refused


def test_a_learner_who_is_added_and_enrolled_twice_at_once_is_there_once(cast, at_once):
    enrolment = world.enrol(cast, world.publish(cast))
    twice = partial(world.learner, "new@example.org", "New")
    assert len({row.pk for row in at_once(*[twice] * 3)}) == 1
    again = partial(assess.enrol, id=uuid4(), offering=enrolment.offering, learner=twice(), now=NOW)
    assert len({row.pk for row in at_once(*[again] * 3)}) == 1


def test_a_mark_that_is_given_twice_at_once_counts_once(cast, at_once):
    work = world.hand_in(world.enrol(cast, world.publish(cast)))[0]
    criterion = world.sample()["assessments"][0]["criteria"][0]["id"]
    give = partial(
        assess.record_mark,
        submission=work,
        criterion=criterion,
        level="excellent",
        comment="",
        marker=cast.lee,
        now=NOW,
    )
    outcomes = at_once(*[give] * 3)
    assert Mark.objects.count() == 1
    assert all(isinstance(problem, NotAllowed) for problem in _problems(outcomes)), outcomes


def test_a_result_that_is_decided_twice_at_once_is_decided_once(cast, at_once):
    enrolment = world.enrol(cast, world.publish(cast))
    world.mark(cast, world.hand_in(enrolment))
    outcomes = at_once(
        *(partial(assess.record_result, id=uuid4(), enrolment=enrolment, actor=cast.ana, now=NOW) for _ in range(3))
    )
    assert Decision.objects.filter(passed=True).count() == 1
    assert all(isinstance(problem, NotAllowed) for problem in _problems(outcomes)), outcomes


def test_a_larger_credential_never_stands_on_a_component_that_is_revoked_meanwhile(cast, at_once):
    made = world.awarded(cast)
    claim = partial(world.claim_stack, cast, world.stack_rule(cast))
    outcomes = at_once(claim, partial(_change, cast, made.award, "revoked", "misconduct"))
    assert all(isinstance(problem, GuildmarkError) for problem in _problems(outcomes)), outcomes
    assert StackClaim.objects.get().state == StackClaim.State.OPEN
    assert not Award.objects.filter(kind="clr", state=Award.State.VALID).exists()


def test_verbs_that_wait_for_one_another_both_succeed(cast, at_once):
    """Two transactions that hold two rows in opposite order: the database stops one, and it begins again."""
    from guildmark.app.services.verbs import hold, verb

    mill = Organisation.objects.get(slug="mill")

    @verb
    def both(first, second):
        hold(first)
        time.sleep(0.2)
        hold(second)
        return "done"

    assert at_once(partial(both, cast.harbour, mill), partial(both, mill, cast.harbour)) == ["done", "done"]


def test_somebody_who_never_gets_a_turn_is_told_in_a_sentence(cast, at_once, monkeypatch):
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL waits for as long as it takes")
    from guildmark.app.services import verbs

    monkeypatch.setattr(verbs, "_PAUSES", (0.01,))
    monkeypatch.setitem(connection.settings_dict["OPTIONS"], "timeout", 0.1)
    connection.close()

    writing, told = threading.Event(), threading.Event()

    def hog():
        with transaction.atomic():
            writing.set()
            told.wait(timeout=20)

    def late():
        writing.wait(timeout=20)
        try:
            return world.learner("late@example.org", "Late")
        finally:
            told.set()

    _, outcome = at_once(hog, late)
    assert isinstance(outcome, OutsideFailure)
    assert "try again" in str(outcome)


def test_what_verifiers_read_while_the_status_changes_is_always_whole(cast, at_once):
    made = world.awarded(cast)

    def verify():
        return [
            verify_credential(bytes(made.award.document), now=NOW, fetcher=published_fetcher()).verdict
            for _ in range(8)
        ]

    _, seen = at_once(partial(_change, cast, made.award, "revoked", "misconduct"), verify)
    assert set(seen) <= {Verdict.PASS, Verdict.FAIL}
    assert verify_credential(bytes(made.award.document), now=NOW, fetcher=published_fetcher()).verdict is Verdict.FAIL
