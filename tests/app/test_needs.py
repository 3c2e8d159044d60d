"""Needs, comments, declining and register numbers: what the services allow, and what they refuse."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest

from guildmark.app.queries.comments import threads, waiting_comments
from guildmark.app.queries.design import blueprint_value
from guildmark.app.queries.needs import needs_for
from guildmark.app.queries.partner import map_of
from guildmark.app.queries.waiting import to_decide, to_mark
from guildmark.app.records import CoDesign, Decision, Need, Organisation, OutboxMessage, RegisterNumber
from guildmark.app.services import assess, design, needs, numbers
from guildmark.core.doors import Listed
from guildmark.core.errors import BrokenInput, NotAllowed, OutsideFailure
from guildmark.core.report import Verdict
from tests.app import cast as acts
from tests.app.cast import NOW, sample


def open_need(cast, **given):
    facts = {
        "role": "Operations analyst",
        "words": "Writes SQL and explains the numbers.",
        "field": "06",
        "hires": 12,
        "by_when": NOW.date() + timedelta(days=200),
        **given,
    }
    return needs.open_need(id=uuid4(), partner=cast.northwind, actor=cast.omar, now=NOW, **facts)


def test_a_need_names_the_skills_in_its_words_and_providers_in_its_field_see_it(cast):
    version = acts.draft(cast)
    row = open_need(cast)
    assert "SQL" in [label for _uri, label in row.skills]
    assert list(needs_for(cast.harbour)) == [row]
    other = open_need(cast, field="09")
    assert list(needs_for(cast.harbour)) == [row], "health is not a field of a provider that designs in computing"
    assert set(needs_for(cast.harbour, every_field=True)) == {row, other}
    assert version.provider == cast.harbour


@pytest.mark.parametrize(
    "given",
    [
        {"role": " "},
        {"words": ""},
        {"words": "x" * 1_000_000},
        {"field": "99"},
        {"hires": 0},
        {"hires": 10**7},
        {"by_when": NOW.date() - timedelta(days=1)},
        {"role": "r" * 301},
    ],
    ids=lambda given: next(iter(given)),
)
def test_a_need_that_says_too_little_or_too_much_is_refused(cast, given):
    with pytest.raises(BrokenInput):
        open_need(cast, **given)
    assert not Need.objects.exists()


def test_a_partner_whom_nobody_checked_opens_no_need(cast):
    cast.northwind.facts = {"checked": False}
    cast.northwind.save()
    with pytest.raises(NotAllowed, match="not been checked"):
        open_need(cast)


def test_a_draft_answers_a_need_and_the_partner_may_read_it(cast):
    row, version = open_need(cast), acts.draft(cast)
    needs.answer_need(need=row, version=version, actor=cast.quinn, now=NOW)
    needs.answer_need(need=row, version=version, actor=cast.quinn, now=NOW)
    row.refresh_from_db()
    assert row.state == "answered"
    assert map_of(cast.northwind, version.pk).wanted
    assert OutboxMessage.objects.filter(subject__contains="answers your need").count() == 1
    needs.close_need(need=row, reason="We hired.", actor=cast.omar, now=NOW)
    with pytest.raises(NotAllowed, match="closed"):
        needs.answer_need(need=row, version=version, actor=cast.quinn, now=NOW)
    with pytest.raises(NotAllowed, match="closed already"):
        needs.close_need(need=row, reason="Again.", actor=cast.omar, now=NOW)
    assert not needs_for(cast.harbour).exists()


def test_comments_are_between_the_two_and_answered_when_the_provider_wrote_last(cast):
    version = acts.draft(cast)
    design.ask_partner(version=version, partner=cast.northwind, actor=cast.quinn, now=NOW)
    facts = {"version": version, "partner": cast.northwind, "element": "", "now": NOW}
    design.comment(id=uuid4(), text="Too long.", organisation=cast.northwind, actor=cast.omar, **facts)
    (thread,) = threads(version, blueprint_value(version))
    assert not thread.answered
    assert waiting_comments(provider=cast.harbour).count() == 1
    later = {**facts, "now": NOW + timedelta(minutes=1)}
    design.comment(id=uuid4(), text="Shortened.", organisation=cast.harbour, actor=cast.quinn, **later)
    (thread,) = threads(version, blueprint_value(version), cast.northwind)
    assert thread.answered
    assert not waiting_comments(provider=cast.harbour).exists()
    assert waiting_comments(partner=cast.northwind).count() == 1
    with pytest.raises(BrokenInput, match="no element"):
        design.comment(
            id=uuid4(), text="x", organisation=cast.northwind, actor=cast.omar, **{**facts, "element": "task:0"}
        )
    with pytest.raises(BrokenInput, match="needs words"):
        design.comment(id=uuid4(), text=" ", organisation=cast.northwind, actor=cast.omar, **facts)
    mill = Organisation.objects.get(slug="mill")
    with pytest.raises(NotAllowed, match="takes no part"):
        design.comment(id=uuid4(), text="x", organisation=mill, actor=cast.mallory, **facts)
    with pytest.raises(NotAllowed, match="was not asked"):
        design.comment(id=uuid4(), text="x", organisation=mill, actor=cast.mallory, **{**facts, "partner": mill})


def test_a_partner_declines_with_a_reason_and_can_be_asked_again(cast):
    version = acts.draft(cast)
    design.ask_partner(version=version, partner=cast.northwind, actor=cast.quinn, now=NOW)
    facts = {"version": version, "partner": cast.northwind, "actor": cast.omar, "now": NOW}
    with pytest.raises(BrokenInput, match="needs a reason"):
        design.decline_to_sign(reason=" ", **facts)
    design.decline_to_sign(reason="No warehouse in it.", **facts)
    assert not map_of(cast.northwind, version.pk).wanted
    with pytest.raises(NotAllowed, match="declined already"):
        design.decline_to_sign(reason="Still.", **facts)
    design.ask_partner(version=version, partner=cast.northwind, actor=cast.quinn, now=NOW)
    assert CoDesign.objects.get().declined_at is None
    assert map_of(cast.northwind, version.pk).wanted


def test_what_is_published_is_neither_reviewed_nor_judged_any_more(cast):
    version = acts.publish(cast)
    with pytest.raises(NotAllowed, match="only a draft"):
        acts.review(cast, version)
    with pytest.raises(NotAllowed, match="only a draft"):
        design.judge(version=version, rule_id="GM-9", verdict=Verdict.PASS, reason="Fine.", actor=cast.quinn, now=NOW)


# --- What waits ---


def test_work_with_enough_marks_waits_for_nobody_until_a_decision_asks_for_another_marker(cast):
    version = acts.publish(cast, {**sample("sql-python-operations")})
    enrolment = acts.enrol(cast, version)
    work = acts.hand_in(enrolment)
    third = acts.person("third", "Third Marker", cast.harbour.slug, "marker")
    assert to_mark(third, cast.harbour).count() == len(work)
    acts.mark(cast, work[1:])
    first = work[0]
    criteria = next(a for a in version.document["assessments"] if a["id"] == first.assessment)["criteria"]
    for criterion in criteria:
        levels = [level["id"] for level in criterion["levels"]]
        for marker, level in ((cast.lee, levels[0]), (cast.priya, levels[-1])):
            assess.record_mark(
                submission=first, criterion=criterion["id"], level=level, comment="", marker=marker, now=NOW
            )
    assert not to_mark(third, cast.harbour).exists()
    assess.record_result(id=uuid4(), enrolment=enrolment, actor=cast.ana, now=NOW)
    assert first in to_mark(third, cast.harbour)


def test_a_clear_fail_waits_for_no_decision_until_there_are_new_marks(cast):
    version = acts.publish(cast)
    lowest = version.document["assessments"][0]["criteria"][0]["levels"][0]["id"]
    decision = acts.decide(cast, version, level=lowest)
    assert decision.document["report"]["verdict"] == "fail"
    assert not to_decide(cast.harbour).exists()
    Decision.objects.update(decided_at=NOW - timedelta(hours=1))
    assert to_decide(cast.harbour).count() == 1


# --- Register numbers ---


class FakeRegister:
    name = "A register"

    def __init__(self, listed):
        self.listed = listed

    def look_up(self, number):
        if isinstance(self.listed, Exception):
            raise self.listed
        return self.listed


def claimed(cast, scheme="ror", number="https://ror.org/03yrm5c26"):
    return numbers.claim_number(
        id=uuid4(), organisation=cast.harbour, scheme=scheme, number=number, actor=cast.quinn, now=NOW
    )


@pytest.mark.parametrize(
    ("listed", "state", "says"),
    [
        (Listed("Harbour University", "https://ror.org/1", True, "AU"), "found", "Harbour University (AU)"),
        (Listed("Another University", "https://ror.org/1", True), "claimed", "another name"),
        (Listed("Harbour University", "https://ror.org/1", False), "claimed", "no longer in force"),
        (None, "not found", "lists no organisation"),
    ],
    ids=["same name", "another name", "closed", "nothing"],
)
def test_a_register_confirms_only_a_live_entry_with_the_same_name(cast, listed, state, says):
    row = numbers.ask_register(row=claimed(cast), register=FakeRegister(listed), actor=cast.quinn, now=NOW)
    assert (row.state, row.looked_by, row.looked_at) == (state, "A register", NOW)
    assert says in row.saw


def test_a_register_that_does_not_answer_changes_nothing(cast):
    row = claimed(cast)
    with pytest.raises(OutsideFailure):
        numbers.ask_register(row=row, register=FakeRegister(OutsideFailure("down")), actor=cast.quinn, now=NOW)
    with pytest.raises(NotAllowed, match="named person"):
        numbers.ask_register(row=row, register=None, actor=cast.quinn, now=NOW)
    assert RegisterNumber.objects.get().state == "claimed"


def test_a_person_looks_a_number_up_for_others_only(cast):
    row = claimed(cast, "teqsa", "prv 12345")
    assert row.number == "PRV12345"
    facts = {"row": row, "found": True, "saw": "National Register, page of PRV12345.", "now": NOW}
    with pytest.raises(NotAllowed, match="somebody else"):
        numbers.look_up_by_person(by="Quinn Abara", actor=cast.quinn, **facts)
    with pytest.raises(BrokenInput, match="what they saw"):
        numbers.look_up_by_person(by="M", actor=cast.mallory, **{**facts, "saw": " "})
    found = numbers.look_up_by_person(by="The operator", actor=cast.mallory, **facts)
    assert (found.state, found.looked_by) == ("found", "The operator")
    again = claimed(cast, "teqsa", "PRV54321")
    assert (again.state, RegisterNumber.objects.count()) == ("claimed", 1), "another number has to be looked up again"
