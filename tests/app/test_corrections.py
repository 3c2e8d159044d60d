"""A mistake found after the award: the wrong one is revoked, a right one takes its place, and nothing is rewritten."""

from __future__ import annotations

import secrets
from datetime import timedelta
from uuid import uuid4

import pytest

from guildmark.app.queries.assess import decision_value
from guildmark.app.queries.awards import paper_url, replaced_by
from guildmark.app.records import Award, Decision, Event, Mark, MarkCorrection, OutboxMessage
from guildmark.app.services.corrections import correct_award
from guildmark.core.codecs import parse_json
from guildmark.core.errors import BrokenInput, NotAllowed
from guildmark.credential.open_badge import is_recipient
from tests.app import cast as acts
from tests.app.cast import NOW

LATER = NOW + timedelta(days=3)


@pytest.fixture
def made(cast):
    return acts.awarded(cast)


def correct(cast, award, **changes):
    given = {
        "name": award.learner.name,
        "awarded_on": decision_value(award.decision).decided_at.date(),
        "levels": {},
        "reason": "The learner told us.",
        "actor": cast.ana,
        **changes,
    }
    return correct_award(id=uuid4(), decision_id=uuid4(), award=award, entropy=secrets.token_bytes, now=LATER, **given)


def test_a_wrong_name_is_corrected_by_an_award_that_replaces_the_old_one(cast, made):
    before = bytes(made.award.document)
    done = correct(cast, made.award, name="Mei-Lin Tan")
    assert (done.old.state, done.new.state, done.new.replaces) == ("revoked", "valid", done.old)
    assert done.old.status_changes.get().code == "superseded"
    assert bytes(Award.objects.get(pk=made.award.pk).document) == before, "what was signed is never rewritten"
    assert is_recipient(parse_json(done.new.document), name="Mei-Lin Tan")
    assert decision_value(done.new.decision).decided_at == decision_value(done.old.decision).decided_at
    assert replaced_by(done.old.credential_id) == paper_url(done.new)
    assert replaced_by(done.new.credential_id) == ""
    event = Event.objects.get(verb="correct_award")
    assert event.facts == {"changed": ["name"], "replaced_by": done.new.credential_id}
    assert event.organisation == cast.harbour
    assert OutboxMessage.objects.filter(to="mei@example.org").count() == 3, "awarded, revoked, awarded"


def test_a_wrong_day_is_corrected_and_the_row_says_when_that_was_found(cast, made):
    done = correct(cast, made.award, awarded_on=NOW.date() + timedelta(days=1))
    value = decision_value(done.new.decision)
    assert value.decided_at.date() == NOW.date() + timedelta(days=1)
    assert done.new.decision.decided_at == LATER


def test_a_wrong_mark_keeps_what_was_given_beside_what_it_should_have_been(cast, made):
    old = decision_value(made.decision)
    mark = Mark.objects.order_by("id")[0]
    document = made.version.document
    criterion = next(c for a in document["assessments"] for c in a["criteria"] if c["id"] == mark.criterion)
    passing = [level["id"] for level in criterion["levels"]]
    other = Mark.objects.get(submission=mark.submission, criterion=mark.criterion, marker=cast.priya)
    lower = passing[passing.index(criterion["pass_level"])]
    done = correct(cast, made.award, levels={mark.pk: lower, other.pk: lower})
    assert done.old.status_changes.get().code == "result_corrected"
    assert Mark.objects.get(pk=mark.pk).level == "excellent"
    assert MarkCorrection.objects.get(mark=mark).level == lower
    assert decision_value(done.new.decision).percent < old.percent
    assert decision_value(Decision.objects.get(pk=made.decision.pk)) == old


def test_where_the_right_result_is_no_pass_the_award_is_revoked_and_nothing_is_awarded(cast, made):
    lowest = {}
    for assessment in made.version.document["assessments"]:
        for criterion in assessment["criteria"]:
            for mark in Mark.objects.filter(submission__assessment=assessment["id"], criterion=criterion["id"]):
                lowest[mark.pk] = criterion["levels"][0]["id"]
    done = correct(cast, made.award, levels=lowest)
    assert done.new is None
    assert done.old.state == "revoked"
    assert Award.objects.count() == 1


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({}, "Nothing would be different"),
        ({"name": "Other", "reason": " "}, "needs a reason"),
        ({"name": ""}, "name is empty"),
        ({"awarded_on": LATER.date() + timedelta(days=1)}, "still to come"),
        ({"awarded_on": NOW.date() - timedelta(days=400)}, "before the offering opened"),
        ({"levels": {0: "excellent"}}, "on other work"),
    ],
)
def test_a_correction_that_cannot_be_leaves_everything_as_it_was(cast, made, changes, says):
    before = Event.objects.count()
    with pytest.raises((BrokenInput, NotAllowed), match=says):
        correct(cast, made.award, **changes)
    made.award.refresh_from_db()
    assert (made.award.state, Event.objects.count()) == ("valid", before)


def test_a_level_that_the_rubric_does_not_have_is_refused(cast, made):
    with pytest.raises(BrokenInput):
        correct(cast, made.award, levels={Mark.objects.all()[0].pk: "superb"})
    assert not MarkCorrection.objects.exists()


def test_marks_that_become_irreconcilable_decide_nothing(cast, made):
    mark = Mark.objects.order_by("id")[0]
    document = made.version.document
    criterion = next(c for a in document["assessments"] for c in a["criteria"] if c["id"] == mark.criterion)
    with pytest.raises(NotAllowed, match="another marker has to look"):
        correct(cast, made.award, levels={mark.pk: criterion["levels"][0]["id"]})
    made.award.refresh_from_db()
    assert made.award.state == "valid"


def test_an_award_is_corrected_once_and_then_its_replacement(cast, made):
    first = correct(cast, made.award, name="Mei-Lin Tan")
    with pytest.raises(NotAllowed, match="revoked already"):
        correct(cast, made.award, name="Mei Lin Tan")
    second = correct(cast, first.new, name="Mei Lin Tan")
    assert second.new.replaces == first.new


def test_a_name_that_another_provider_signed_is_not_changed_from_here(cast, made):
    other = Award.objects.get(pk=made.award.pk)
    other.pk = uuid4()
    mill = acts.Organisation.objects.get(slug="mill")
    other.credential_id, other.claim_sha256, other.kind, other.decision = "urn:x", "x", "clr", None
    other.issuer, other.status_index = mill, 0 if made.award.status_index else 1
    other.save(force_insert=True)
    with pytest.raises(NotAllowed, match="Another provider"):
        correct(cast, made.award, name="Somebody")


def test_nobody_corrects_their_own_award(cast, made):
    cast.ana.email = made.award.learner.email
    with pytest.raises(NotAllowed, match="their own work"):
        correct(cast, made.award, name="Dr Tan", actor=cast.ana)
