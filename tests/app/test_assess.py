"""Learners work in their own time; marks, once given, stand; the decision is recorded with what it rests on."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import uuid4

import pytest

from guildmark.app.records import Decision, Mark, Submission
from guildmark.app.services import assess
from guildmark.core.errors import BrokenInput, NotAllowed
from guildmark.core.report import Verdict
from tests.app import cast as world

NOW = world.NOW


def _hand_in(enrolment, assessment="project", body=b"work"):
    return assess.submit_work(
        id=uuid4(),
        enrolment=enrolment,
        assessment=assessment,
        title="Work",
        media_type="text/plain",
        body=body,
        now=NOW,
    )


def test_only_what_is_published_is_offered(cast):
    with pytest.raises(NotAllowed, match="only a published blueprint"):
        world.enrol(cast, world.draft(cast))


def test_nobody_enrols_outside_the_dates(cast):
    offering = assess.open_offering(
        id=uuid4(), version=world.publish(cast), title="Spring", opens_on=date(2027, 3, 1), closes_on=date(2027, 6, 1),
        activities=[], actor=cast.quinn, now=NOW,
    )  # fmt: skip
    for days in (0, 365):
        with pytest.raises(NotAllowed, match="is open from"):
            assess.enrol(id=uuid4(), offering=offering, learner=cast.mei, now=NOW + timedelta(days=days))


def test_an_offering_that_closes_before_it_opens_is_refused(cast):
    with pytest.raises(BrokenInput, match="before it opens"):
        assess.open_offering(
            id=uuid4(), version=world.publish(cast), title="Spring", opens_on=date(2027, 3, 1),
            closes_on=date(2027, 2, 1), activities=[], actor=cast.quinn, now=NOW,
        )  # fmt: skip


def test_what_is_still_to_do_is_said(cast):
    enrolment = world.enrol(cast, world.publish(cast))
    assert assess.complete_activity(enrolment=enrolment, key="start", now=NOW).verdict is Verdict.PASS
    with pytest.raises(BrokenInput, match="no activity 'swim'"):
        assess.complete_activity(enrolment=enrolment, key="swim", now=NOW)


def test_work_may_be_replaced_until_marking_begins(cast):
    enrolment = world.enrol(cast, world.publish(cast))
    first, second = _hand_in(enrolment), _hand_in(enrolment, body=b"better work")
    assert Submission.objects.count() == 1
    assert first.sha256 != second.sha256
    world.mark(cast, [second])
    with pytest.raises(NotAllowed, match="marking has begun"):
        _hand_in(enrolment, body=b"too late")


@pytest.mark.parametrize(
    ("assessment", "body", "says"), [("swimming", b"x", "no assessment"), ("project", b"", "empty")]
)
def test_work_that_is_none_is_refused(cast, assessment, body, says):
    enrolment = world.enrol(cast, world.publish(cast))
    with pytest.raises(BrokenInput, match=says):
        _hand_in(enrolment, assessment, body)
    assert Submission.objects.count() == 0


def test_a_marker_marks_a_criterion_once_and_only_with_a_level_of_its_rubric(cast):
    enrolment = world.enrol(cast, world.publish(cast))
    work = _hand_in(enrolment)
    facts = {"submission": work, "comment": "", "marker": cast.lee, "now": NOW}
    assess.record_mark(criterion="p-query", level="proficient", **facts)
    with pytest.raises(NotAllowed, match="has marked p-query already"):
        assess.record_mark(criterion="p-query", level="excellent", **facts)
    with pytest.raises(BrokenInput):
        assess.record_mark(criterion="p-clean", level="heroic", **facts)
    with pytest.raises(BrokenInput):
        assess.record_mark(criterion="p-swim", level="proficient", **facts)
    assert Mark.objects.count() == 1


def test_one_marker_is_not_enough_for_a_decision(cast):
    enrolment = world.enrol(cast, world.publish(cast))
    for work in world.hand_in(enrolment):
        for assessment in enrolment.offering.blueprint_version.document["assessments"]:
            for criterion in assessment["criteria"] if assessment["id"] == work.assessment else []:
                assess.record_mark(
                    submission=work, criterion=criterion["id"], level="excellent", comment="", marker=cast.lee, now=NOW
                )
    row, value = assess.record_result(id=uuid4(), enrolment=enrolment, actor=cast.ana, now=NOW)
    assert not row.passed
    assert value.report.verdict is Verdict.UNKNOWN


def test_the_decision_is_recorded_with_its_marks_and_read_back_equal(cast):
    from guildmark.app.queries.assess import decision_value, marks_of
    from guildmark.assess.decision import Decision as Value

    row = world.decide(cast, world.publish(cast))
    value = decision_value(Decision.objects.get(pk=row.pk))
    assert row.passed
    assert value.marks_sha256 == row.marks_sha256
    assert set(value.marker_ids) == {"lee", "priya"}
    assert Value.from_json(value.to_json()) == value
    assert len(marks_of(row.enrolment)) == 12


def test_marks_after_the_decision_belong_to_an_appeal(cast):
    row = world.decide(cast, world.publish(cast))
    work = row.enrolment.submissions.get(assessment="project")
    with pytest.raises(NotAllowed, match="appeal"):
        assess.record_mark(
            submission=work, criterion="p-query", level="beginning", comment="", marker=cast.ana, now=NOW
        )


@pytest.mark.parametrize("by", ["e-mail", "account"])
def test_nobody_marks_or_decides_on_their_own_work(cast, by):
    who = world.learner(cast.lee.email.upper() if by == "e-mail" else "lee@home.example", "Lee Marsh")
    if by == "account":
        who.person = cast.lee
        who.save()
    enrolment = world.enrol(cast, world.publish(cast), who)
    work = _hand_in(enrolment)
    with pytest.raises(NotAllowed, match="own work"):
        assess.record_mark(
            submission=work, criterion="p-query", level="excellent", comment="", marker=cast.lee, now=NOW
        )
    with pytest.raises(NotAllowed, match="own work"):
        assess.record_result(id=uuid4(), enrolment=enrolment, actor=cast.lee, now=NOW)
    assert Mark.objects.count() == Decision.objects.count() == 0
