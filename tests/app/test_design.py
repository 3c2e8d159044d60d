"""A blueprint is published only through the gate, and what was signed or judged stands for that content alone."""

from __future__ import annotations

import json
from uuid import uuid4

import pytest

from guildmark.app.queries.design import endorsement_report
from guildmark.app.records import BlueprintVersion, LogEntry
from guildmark.app.services import design
from guildmark.core.errors import BrokenInput, NotAllowed
from guildmark.core.report import Verdict
from tests.app import cast as world

NOW = world.NOW


def _revise(cast, version, document):
    return design.revise_draft(version=version, document=json.dumps(document).encode(), actor=cast.quinn, now=NOW)


def test_nothing_is_published_that_the_gate_has_not_seen(cast):
    with pytest.raises(NotAllowed, match="not been through the quality gate"):
        design.publish_blueprint(version=world.draft(cast), actor=cast.quinn, now=NOW)


def test_the_gate_blocks_and_names_the_rules(cast):
    version = world.draft(cast)
    _, report = world.review(cast, version)
    assert report.verdict is not Verdict.PASS
    with pytest.raises(NotAllowed, match="GM-"):
        design.publish_blueprint(version=version, actor=cast.quinn, now=NOW)
    assert BlueprintVersion.objects.get().state == "draft"


def test_a_published_blueprint_is_fixed(cast):
    version = world.publish(cast)
    with pytest.raises(NotAllowed, match="draft a new version"):
        _revise(cast, version, world.sample())
    again = world.draft(cast)
    assert (again.version, again.state) == (2, "draft")


def test_a_change_after_the_gate_looked_asks_the_gate_again(cast):
    version = world.draft(cast)
    world.endorse(cast, version)
    world.judge_all(cast, version)
    world.review(cast, version)
    version = _revise(cast, version, {**world.sample(), "cost": "AUD 1"})
    with pytest.raises(NotAllowed, match="submit it for review again"):
        design.publish_blueprint(version=version, actor=cast.quinn, now=NOW)


def test_a_change_to_the_map_voids_the_partners_signature(cast):
    version = world.draft(cast)
    world.endorse(cast, version)
    assert endorsement_report(version, now=NOW).verdict is Verdict.PASS
    changed = world.sample()
    changed["outcomes"][0]["statement"] += " Unsupervised."
    assert endorsement_report(_revise(cast, version, changed), now=NOW).verdict is Verdict.FAIL


def test_a_change_outside_the_map_leaves_the_signature_standing(cast):
    version = world.draft(cast)
    world.endorse(cast, version)
    version = _revise(cast, version, {**world.sample(), "cost": "AUD 1"})
    assert endorsement_report(version, now=NOW).verdict is Verdict.PASS


def test_a_judgement_needs_a_reason_and_a_rule_that_asks_for_one(cast):
    version = world.draft(cast)
    facts = {"version": version, "verdict": Verdict.PASS, "actor": cast.quinn, "now": NOW}
    with pytest.raises(BrokenInput, match="needs a reason"):
        design.judge(rule_id="GM-9", reason=" ", **facts)
    with pytest.raises(BrokenInput, match="no rulebook has this rule"):
        design.judge(rule_id="GM-99", reason="Fine.", **facts)
    with pytest.raises(BrokenInput, match="from the data alone"):
        design.judge(rule_id="GM-1", reason="Fine.", **facts)


def test_a_judgement_is_asked_again_when_the_content_changes(cast):
    version = world.draft(cast)
    world.endorse(cast, version)
    world.judge_all(cast, version)
    version = _revise(cast, version, {**world.sample(), "cost": "AUD 1"})
    _, report = world.review(cast, version)
    assert report.verdict is Verdict.UNKNOWN


def test_a_blueprint_of_another_provider_is_refused(cast):
    world.draft(cast)
    other = {**world.sample(), "provider_id": "did:web:elsewhere.example"}
    with pytest.raises(BrokenInput, match="provider_id"):
        world.draft(cast, other)


def test_a_broken_blueprint_leaves_nothing_behind(cast):
    before = LogEntry.objects.count()
    for body in (b"{", b"[]", b'{"id": 3}', json.dumps({**world.sample(), "outcomes": []}).encode()):
        with pytest.raises(BrokenInput):
            design.draft_blueprint(
                id=uuid4(), document=body, provider=cast.harbour, demand=None, actor=cast.quinn, now=NOW
            )
    assert BlueprintVersion.objects.count() == 0
    assert LogEntry.objects.count() == before


def test_endorsements_publication_and_keys_wait_for_the_log(cast):
    world.publish(cast)
    kinds = list(
        LogEntry.objects.filter(issuer__in=[cast.harbour.did, cast.northwind.did]).values_list("kind", flat=True)
    )
    assert kinds.count("key") == 2
    assert {"endorse", "achievement"} <= set(kinds)


def test_a_withdrawn_signature_closes_the_gate_again_and_is_withdrawn_once(cast):
    version = world.draft(cast)
    row = world.endorse(cast, version)
    world.judge_all(cast, version)
    world.review(cast, version)
    design.withdraw_endorsement(endorsement=row, reason="We no longer hire for this.", actor=cast.omar, now=NOW)
    with pytest.raises(NotAllowed, match="submit it for review again"):
        design.publish_blueprint(version=version, actor=cast.quinn, now=NOW)
    _, report = world.review(cast, version)
    assert report.verdict is not Verdict.PASS
    with pytest.raises(NotAllowed, match="already"):
        design.withdraw_endorsement(endorsement=row, reason="Again.", actor=cast.omar, now=NOW)


def test_results_of_the_gate_are_counted_so_that_the_last_one_decides(cast):
    version = world.draft(cast)
    for _ in range(3):
        world.review(cast, version)
    assert list(version.gate_results.values_list("seq", flat=True)) == [1, 2, 3]


def test_the_core_rules_run_whatever_the_provider_names(cast):
    row, _ = design.submit_for_review(
        id=uuid4(), version=world.draft(cast), rulebooks=("au_nmf",), actor=cast.quinn, now=NOW
    )
    assert [name for name, _ in row.rulebooks] == ["guildmark_core", "au_nmf"]
