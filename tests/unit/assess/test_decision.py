"""A decision follows from the marks and the rule alone; what is missing or split never passes."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guildmark.assess.decision import Decision, decide, marks_digest, reproduce, settle
from guildmark.core.codecs import jcs
from guildmark.core.errors import BrokenInput
from guildmark.core.report import Verdict
from guildmark.design.blueprint import blueprint_digest

NOW = datetime(2026, 11, 24, 9, 30, 0, 123456, tzinfo=UTC)


def decided(blueprint, marks, **other) -> Decision:
    given = {"decision_id": "decision-1", "learner_id": "lee", "decided_by": "dana", "now": NOW, **other}
    return decide(blueprint, marks, **given)


def with_rule(blueprint, **rule):
    return dataclasses.replace(blueprint, award_rule=dataclasses.replace(blueprint.award_rule, **rule))


class TestPassing:
    def test_good_work_by_two_markers_passes(self, blueprint, marks):
        decision = decided(blueprint, marks(ana="good great good", ben="good great good"))
        assert decision.passed
        assert decision.report.verdict is Verdict.PASS
        # report: (2 + 3) / 6, talk: 2 / 3
        assert decision.percent == pytest.approx(100 * (0.6 * 5 / 6 + 0.4 * 2 / 3))

    def test_what_it_rests_on_is_in_it(self, blueprint, marks):
        given = marks(ana="good great good", ben="good great great")
        decision = decided(blueprint, given)
        assert (decision.blueprint_id, decision.blueprint_version) == (blueprint.id, blueprint.version)
        assert decision.blueprint_digest == blueprint_digest(blueprint)
        assert decision.marks_sha256 == marks_digest(given)
        assert decision.marker_ids == ("ana", "ben")
        assert decision.decided_by == "dana"
        assert decision.rule == {"pass_mark": 50.0, "each_outcome": True, "min_markers": 2, "tolerance": 1.0}

    def test_outcome_results_keep_the_level_ids_of_the_rubric(self, blueprint, marks):
        first, second = decided(blueprint, marks(ana="good great good", ben="great great good")).outcome_results
        assert (first.outcome_id, first.levels) == ("o1", {"query": "good"})
        assert (first.points, first.max_points) == (2.5, 3.0)
        assert first.percent == pytest.approx(250 / 3)
        assert (second.levels, second.achieved) == ({"chart": "great", "speak": "good"}, True)

    def test_the_pass_mark_itself_passes_though_its_decimals_are_not_binary(self, blueprint, marks):
        """A total of 70 % by points of 0.7 and weights of 0.6 and 0.4, none of which is an exact float."""
        rule = with_rule(blueprint, pass_mark=70.0, each_outcome=False)
        levels = tuple(dataclasses.replace(x, points=p) for x, p in zip(LEVELS(rule), (0, 0.1, 0.7, 1), strict=True))
        scaled = dataclasses.replace(
            rule,
            assessments=tuple(
                dataclasses.replace(a, criteria=tuple(dataclasses.replace(c, levels=levels) for c in a.criteria))
                for a in rule.assessments
            ),
        )
        decision = decided(scaled, marks(ana="good good good", ben="good good good"))
        assert decision.percent == 70.0
        assert decision.passed

    def test_a_total_below_the_pass_mark_fails_though_each_outcome_is_achieved(self, blueprint, marks):
        decision = decided(with_rule(blueprint, pass_mark=90.0), marks(ana="good good good", ben="good good good"))
        assert all(r.achieved for r in decision.outcome_results)
        assert decision.report["pass_mark"].verdict is Verdict.FAIL
        assert not decision.passed

    def test_an_outcome_not_achieved_fails_though_the_total_is_reached(self, blueprint, marks):
        decision = decided(blueprint, marks(ana="some great great", ben="some great great"))
        assert decision.report["pass_mark"].verdict is Verdict.PASS
        assert decision.report["outcome.o1"].verdict is Verdict.FAIL
        assert decision.report.verdict is Verdict.FAIL
        assert not decision.passed

    def test_where_the_rule_does_not_ask_for_each_outcome_the_total_decides(self, blueprint, marks):
        given = marks(ana="some great great", ben="some great great")
        decision = decided(with_rule(blueprint, each_outcome=False), given)
        assert decision.passed
        assert not decision.outcome_results[0].achieved
        assert decision.report["outcome.o1"].verdict is not Verdict.PASS


def LEVELS(blueprint):  # noqa: N802 - reads like the constant that it is
    return blueprint.assessments[0].criteria[0].levels


class TestWhatIsMissing:
    @pytest.mark.parametrize(
        "by",
        [
            {},
            {"ana": "great great great"},
            {"ana": "great great great", "ben": "great - great"},
            {"ana": "great great -", "ben": "great great -"},
        ],
    )
    def test_missing_marks_never_pass_and_are_unknown_not_failed(self, blueprint, marks, by):
        decision = decided(with_rule(blueprint, pass_mark=0.0, each_outcome=False), marks(**by))
        assert not decision.passed
        assert decision.report.verdict is Verdict.UNKNOWN
        assert decision.report["marks.complete"].verdict is Verdict.UNKNOWN

    def test_poor_work_is_not_failed_before_all_have_marked(self, blueprint, marks):
        decision = decided(blueprint, marks(ana="none none none", ben="none none -"))
        assert decision.report.verdict is Verdict.UNKNOWN

    def test_it_says_what_is_missing(self, blueprint, marks):
        finding = decided(blueprint, marks(ana="good good good", ben="good good -")).report["marks.complete"]
        assert finding.says == "Marks are missing: Speak well has 1 mark, 2 are needed."
        assert finding.because["missing"][0]["criterion"] == "speak"

    def test_no_rule_gets_by_with_one_marker(self, blueprint, marks):
        decision = decided(with_rule(blueprint, min_markers=1), marks(ana="great great great"))
        assert not decision.passed
        assert decision.rule["min_markers"] == 2

    def test_a_rule_may_ask_for_three(self, blueprint, marks):
        rule = with_rule(blueprint, min_markers=3)
        good = "good good good"
        assert not decided(rule, marks(ana=good, ben=good)).passed
        assert decided(rule, marks(ana=good, ben=good, cleo=good)).passed

    def test_an_assessment_without_criteria_cannot_be_passed(self, blueprint, marks):
        report, talk = blueprint.assessments
        hollow = dataclasses.replace(blueprint, assessments=(report, dataclasses.replace(talk, criteria=())))
        decision = decided(hollow, marks(ana="great great -", ben="great great -"))
        assert decision.report.verdict is Verdict.UNKNOWN
        assert "Talk: no criterion" in decision.report["marks.complete"].says

    def test_an_outcome_that_no_criterion_shows_is_not_achieved(self, blueprint, marks):
        more = dataclasses.replace(blueprint.outcomes[0], id="o3", statement="Fly")
        wide = dataclasses.replace(blueprint, outcomes=(*blueprint.outcomes, more))
        decision = decided(wide, marks(ana="great great great", ben="great great great"))
        assert not decision.passed
        assert not decision.outcome_results[2].achieved
        assert decision.report["outcome.o3"].verdict is Verdict.UNKNOWN

    def test_a_decision_without_two_markers_has_no_agreement_figure(self, blueprint, marks):
        assert decided(blueprint, marks(ana="good good good")).agreement is None


class TestDisagreement:
    def test_beyond_the_tolerance_a_third_marker_is_asked_for(self, blueprint, marks):
        decision = decided(blueprint, marks(ana="great great great", ben="some great great"))
        finding = decision.report["marks.reconciled"]
        assert finding.says == (
            "Another marker is needed, who has not seen these marks: "
            "marks for Query well are 2 points apart, the rule allows 1."
        )
        assert (finding.verdict, decision.report.verdict) == (Verdict.UNKNOWN, Verdict.UNKNOWN)
        assert not decision.passed

    def test_the_third_marker_settles_it_with_the_majority(self, blueprint, marks):
        two = marks(ana="great great great", ben="some great great")
        up, down = (decided(blueprint, two + marks(cleo=f"{level} - -")) for level in ("good", "none"))
        assert up.passed
        assert up.outcome_results[0].levels == {"query": "good"}
        assert down.report["outcome.o1"].verdict is Verdict.FAIL
        assert down.outcome_results[0].levels == {"query": "some"}

    def test_three_marks_that_are_all_apart_stay_unsettled(self, blueprint, marks):
        strict = with_rule(blueprint, tolerance=0.0)
        apart = marks(ana="great great great", ben="some great great", cleo="good - -")
        assert decided(strict, apart).report.verdict is Verdict.UNKNOWN
        assert decided(strict, apart + marks(dora="good - -", eve="good - -")).passed

    def test_half_of_the_markers_is_no_majority(self, blueprint, marks):
        strict = with_rule(blueprint, tolerance=0.0)
        four = marks(ana="good good good", ben="good good good", cleo="great - -", dora="none - -")
        assert decided(strict, four).report.verdict is Verdict.UNKNOWN

    def test_a_split_over_the_pass_level_needs_a_third_marker_though_it_is_within_the_tolerance(self, blueprint, marks):
        split = marks(ana="good great great", ben="some great great")
        decision = decided(blueprint, split)
        assert "evenly split over the pass level Good" in decision.report["marks.reconciled"].says
        assert decision.report.verdict is Verdict.UNKNOWN
        assert decided(blueprint, split + marks(cleo="good - -")).passed
        assert decided(blueprint, split + marks(cleo="some - -")).report.verdict is Verdict.FAIL

    def test_neighbours_on_one_side_of_the_pass_level_are_agreement_and_the_lower_level_counts(self, blueprint, marks):
        decision = decided(blueprint, marks(ana="great good good", ben="good good good"))
        assert decision.passed
        assert decision.outcome_results[0].levels == {"query": "good"}

    def test_where_each_criterion_stands_can_be_asked_before_deciding(self, blueprint, marks):
        found = settle(blueprint, marks(ana="great great -", ben="some great good"))
        assert [(s.criterion_id, s.needs) for s in found] == [
            ("query", "another marker"),
            ("chart", "nothing"),
            ("speak", "marks"),
        ]


class TestBadMarks:
    def test_marking_one_criterion_twice_is_refused(self, blueprint, mark):
        later = NOW - timedelta(hours=1)
        with pytest.raises(BrokenInput, match="ana marked query twice"):
            decided(blueprint, [mark("query", "ana", "good"), mark("query", "ana", "great", at=later)])

    @pytest.mark.parametrize(
        "other", [{"assessment_id": "essay"}, {"criterion_id": "essay"}, {"level_id": "excellent"}]
    )
    def test_ids_that_the_blueprint_does_not_know_are_refused(self, blueprint, mark, other):
        strange = dataclasses.replace(mark("query", "ana", "good"), **other)
        with pytest.raises(BrokenInput, match=next(iter(other.values()))):
            decided(blueprint, [strange])

    def test_two_pieces_of_work_for_one_assessment_are_refused(self, blueprint, mark):
        with pytest.raises(BrokenInput, match="two submissions, first and second"):
            decided(
                blueprint,
                [
                    mark("query", "ana", "good", submission_id="first"),
                    mark("query", "ben", "good", submission_id="second"),
                ],
            )

    @pytest.mark.parametrize("who", [{"learner_id": "ana"}, {"learner_id": "dana"}])
    def test_nobody_marks_or_decides_on_their_own_work(self, blueprint, marks, who):
        decision = decided(blueprint, marks(ana="good good good", ben="good good good"), **who)
        assert decision.report["marks.independent"].verdict is Verdict.FAIL
        assert not decision.passed


class TestMadeAgain:
    def test_a_decision_survives_being_stored(self, blueprint, marks):
        decision = decided(blueprint, marks(ana="great good good", ben="good good good", cleo="good - -"))
        stored = json.loads(jcs(decision.to_json()))
        assert Decision.from_json(stored) == decision

    def test_the_same_marks_and_rule_make_it_again(self, blueprint, marks):
        given = marks(ana="great good good", ben="good good good")
        stored = Decision.from_json(json.loads(json.dumps(decided(blueprint, given).to_json())))
        assert reproduce(stored, blueprint, given[::-1]).verdict is Verdict.PASS

    @pytest.mark.parametrize("change", [{"level_id": "great"}, {"comment": "Changed."}, {"marker_id": "mallory"}])
    def test_a_changed_mark_is_noticed(self, blueprint, marks, change):
        given = marks(ana="good good good", ben="good good good")
        decision = decided(blueprint, given)
        report = reproduce(decision, blueprint, (dataclasses.replace(given[0], **change), *given[1:]))
        assert report["reproduce.marks"].verdict is Verdict.FAIL

    def test_a_changed_rule_or_a_changed_result_is_noticed(self, blueprint, marks):
        given = marks(ana="good good good", ben="good good good")
        decision = decided(blueprint, given)
        assert reproduce(decision, with_rule(blueprint, pass_mark=10.0), given).verdict is Verdict.FAIL
        forged = dataclasses.replace(decision, percent=99.0)
        assert reproduce(forged, blueprint, given)["reproduce.decision"].verdict is Verdict.FAIL

    def test_equal_moments_in_other_time_zones_are_equal_marks(self, mark):
        here = mark("query", "ana", "good", at=datetime.fromisoformat("2026-11-20T14:00:00+00:00"))
        there = mark("query", "ana", "good", at=datetime.fromisoformat("2026-11-21T00:00:00+10:00"))
        assert marks_digest([here]) == marks_digest([there])


LEVEL_IDS = ("none", "some", "good", "great")
one_marker = st.lists(st.sampled_from((*LEVEL_IDS, "-")), min_size=3, max_size=3).map(" ".join)
panels = st.lists(one_marker, max_size=4).map(lambda rows: dict(zip("abcd", rows, strict=False)))


class TestForAnyMarks:
    @given(by=panels, random=st.randoms(use_true_random=False))
    def test_the_order_of_the_marks_is_no_matter(self, blueprint, marks, by, random):
        given = list(marks(**by))
        first = decided(blueprint, given)
        random.shuffle(given)
        assert decided(blueprint, given).to_json() == first.to_json()

    @given(
        by=panels,
        each=st.booleans(),
        tolerance=st.sampled_from([0.0, 0.5, 1.0, 3.0]),
        wanted=st.integers(0, 100),
    )
    def test_passing_means_that_nothing_was_missing_split_or_below(self, blueprint, marks, by, each, tolerance, wanted):
        rule = with_rule(blueprint, each_outcome=each, tolerance=tolerance, pass_mark=float(wanted))
        decision = decided(rule, marks(**by))
        assert decision.passed is (decision.report.verdict is Verdict.PASS)
        assert 0 <= decision.percent <= 100
        if decision.passed:
            assert all(s.needs == "nothing" and len(s.marker_ids) >= 2 for s in settle(rule, marks(**by)))
            assert decision.percent >= wanted - 1e-9
            assert not each or all(r.achieved for r in decision.outcome_results)
        if any(s.needs != "nothing" for s in settle(rule, marks(**by))):
            assert decision.report.verdict is Verdict.UNKNOWN

    @given(by=panels)
    def test_a_higher_mark_never_turns_a_pass_into_a_fail(self, blueprint, marks, by):
        free = with_rule(blueprint, tolerance=3.0)
        verdicts = []
        for level in LEVEL_IDS:
            raised = {**by, "a": f"{level} great great", "b": by.get("b", "good good good")}
            verdicts.append(decided(free, marks(**raised)).report.verdict)
        assert not any(low is Verdict.PASS and high is not Verdict.PASS for low, high in pairwise(verdicts))
