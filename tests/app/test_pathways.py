"""Larger credentials follow their components; rankings rest on what is verified now, at a bounded cost."""

from __future__ import annotations

import secrets
from uuid import uuid4

import pytest
from click.testing import CliRunner
from django.db import connection
from django.test.utils import CaptureQueriesContext

from guildmark.app.queries.pathways import job_need, suggest_roles
from guildmark.app.records import Award, JobAd, Mention, Skill, StackClaim
from guildmark.app.services import awards, pathways, people
from guildmark.cli import cli
from guildmark.core.errors import NotAllowed
from guildmark.credential.verify import verify_credential
from tests.app import cast as world

NOW = world.NOW


def _change(cast, award, state, code):
    return awards.change_status(
        award=award, state=state, code=code, note="", entropy=secrets.token_bytes, actor=cast.ana, now=NOW
    )


@pytest.fixture
def stacked(cast):
    """A component, and the claim to the larger credential that it earned."""
    made = world.awarded(cast)
    claim = world.claim_stack(cast, world.stack_rule(cast))
    assert claim.state == StackClaim.State.EARNED
    return made.award, claim


def test_a_revoked_component_opens_the_larger_credential_and_says_why(cast, stacked):
    component, claim = stacked
    _, changed = _change(cast, component, "revoked", "misconduct")
    assert [c.pk for c in changed] == [claim.pk]
    claim.refresh_from_db()
    assert claim.state == StackClaim.State.OPEN
    assert component.title in claim.reason
    assert claim.award.state == Award.State.REVOKED


def test_a_component_that_is_reinstated_reinstates_the_larger_credential(cast, stacked):
    component, claim = stacked
    _change(cast, component, "suspended", "under_review")
    claim.award.refresh_from_db()
    assert claim.award.state == Award.State.SUSPENDED
    _change(cast, component, "valid", "review_closed")
    claim.award.refresh_from_db()
    claim.refresh_from_db()
    assert claim.award.state == Award.State.VALID
    assert claim.state == StackClaim.State.EARNED


def test_a_reinstated_component_does_not_end_what_the_issuer_suspended_for_its_own_reason(cast, stacked):
    component, claim = stacked
    _change(cast, claim.award, "suspended", "integrity_inquiry")
    _change(cast, component, "suspended", "under_review")
    _change(cast, component, "valid", "review_closed")
    claim.award.refresh_from_db()
    assert claim.award.state == Award.State.SUSPENDED


def _graduates(cast, version, start, how_many):
    """Learners with an award each who agreed to be matched."""
    for number in range(start, start + how_many):
        who = world.learner(f"graduate{number}@example.org", f"Graduate {number}")
        world.award(cast, world.decide(cast, version, who=who))
        people.give_consent(learner=who, purpose="matching", now=NOW)


def _rank(cast, ad):
    return pathways.rank_candidates(
        id=uuid4(), ad=ad, framework_id="guildmark", employer=cast.northwind, actor=cast.omar, now=NOW
    )


def _statements(run):
    with CaptureQueriesContext(connection) as asked:
        run()
    return len(asked)


def _an_ad(text="We need SQL and Python."):
    return JobAd.objects.create(id=str(uuid4()), source="test", text=text, text_sha256=uuid4().hex, ingested_at=NOW)


def test_a_ranking_asks_the_database_as_often_for_one_person_as_for_five(cast):
    version = world.publish(cast)
    ad = _an_ad()
    _graduates(cast, version, 0, 1)
    one = _statements(lambda: _rank(cast, ad))
    _graduates(cast, version, 1, 4)
    assert _statements(lambda: _rank(cast, ad)) == one
    assert len(_rank(cast, ad).matches) == 5


def test_only_credentials_that_show_something_of_what_is_needed_are_verified(cast, monkeypatch):
    _graduates(cast, world.publish(cast), 0, 2)
    verified = []

    def verify(document, **world_of_it):
        verified.append(document)
        return verify_credential(document, **world_of_it)

    monkeypatch.setattr("guildmark.app.queries.pathways.verify_credential", verify)
    assert _rank(cast, _an_ad("You speak German and French.")).matches == []
    assert verified == []
    assert len(_rank(cast, _an_ad()).matches) == 2
    assert len(verified) == 2


def test_a_ranking_rests_on_the_stored_mentions_and_their_confidence(cast, monkeypatch):
    world.publish(cast)
    ad = JobAd.objects.filter(mentions__framework_id="guildmark").first()
    live = job_need(ad, framework_id="guildmark")

    def never(*arguments):
        raise AssertionError("the ad is not read again")

    monkeypatch.setattr("guildmark.app.queries.pathways.Extractor", never)
    assert job_need(ad, framework_id="guildmark") == live
    mention = Mention.objects.filter(ad=ad).first()
    Mention.objects.filter(ad=ad).exclude(pk=mention.pk).delete()
    Mention.objects.filter(pk=mention.pk).update(confidence=0.25)
    (skill,) = job_need(ad, framework_id="guildmark").skills
    assert skill.uri == mention.skill_uri
    assert skill.weight in (0.25, 0.125)


def test_stored_mentions_and_a_fresh_look_give_the_same_need(cast):
    world.publish(cast)
    ads = list(JobAd.objects.filter(mentions__framework_id="guildmark").distinct())
    stored = [job_need(ad, framework_id="guildmark") for ad in ads]
    Mention.objects.all().delete()
    assert [job_need(ad, framework_id="guildmark") for ad in ads] == stored


def test_roles_for_a_person_cost_the_same_whatever_the_number_of_ads(cast):
    version = world.publish(cast)
    _graduates(cast, version, 0, 1)
    who = Award.objects.get().learner

    def suggest():
        return suggest_roles(who, framework_id="guildmark", on=NOW.date(), now=NOW)

    before, roles = _statements(suggest), suggest()
    for _ in range(5):
        ad = _an_ad()
        Mention.objects.create(
            ad=ad, framework_id="guildmark", skill_uri=Skill.objects.get(label="SQL").uri, label="SQL", words="SQL",
            start=8, end=11, confidence=1.0,
        )  # fmt: skip
    assert _statements(suggest) == before
    assert len(suggest()) == len(roles) + 5


def test_who_left_the_employer_decides_nothing_any_more(cast):
    _graduates(cast, world.publish(cast), 0, 1)
    run = _rank(cast, _an_ad())
    assert run.employer == cast.northwind
    cast.omar.memberships.all().delete()
    decided = CliRunner().invoke(
        cli,
        ["site", "decide-match", str(run.id), "graduate0@example.org", "invite", "--reason", "Yes.", "--as", "omar"],
    )
    assert isinstance(decided.exception, NotAllowed)
    assert run.decisions.count() == 0
