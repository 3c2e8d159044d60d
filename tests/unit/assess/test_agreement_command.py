"""`guildmark agreement`: what it prints, and what it ends with."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from guildmark.assess.agreement import agreement, by_criterion
from guildmark.cli.agreement import command
from guildmark.core.errors import BrokenInput

HEADING = "submission_id,assessment_id,criterion_id,marker_id,level_id,comment,at"


@pytest.fixture
def marked(blueprint):
    """CSV rows: six submissions, two markers who differ by one level on every third."""
    rows = [HEADING]
    for criterion in blueprint.assessments[0].criteria:
        for piece in range(6):
            for marker, place in (("ana", piece % 3), ("ben", piece % 3 + (piece % 3 == 0))):
                level = criterion.levels[place].id
                rows.append(f"work-{piece},report,{criterion.id},{marker},{level},,2026-11-20T14:00:00Z")
    return rows


@pytest.fixture
def run(tmp_path, blueprint):
    """Runs the command on these rows."""

    def command_on(rows, *more):
        (tmp_path / "blueprint.json").write_text(json.dumps(blueprint.to_json()), encoding="utf-8")
        (tmp_path / "marks.csv").write_text("\n".join(rows), encoding="utf-8")
        arguments = [str(tmp_path / "marks.csv"), "--blueprint", str(tmp_path / "blueprint.json"), *more]
        return CliRunner().invoke(command, arguments)

    return command_on


def test_it_says_how_far_two_markers_agree_and_where(run, marked):
    result = run(marked)
    assert result.exit_code == 0, result.output
    assert "quadratic weighted kappa is 0." in result.output
    assert "67% of the pairs of marks are the same level" in result.output
    assert "6 pieces marked by two or more, 67% same level, 100% same or next level." in result.output


def test_a_row_that_cannot_be_read_is_listed_and_the_rest_is_measured(run, marked):
    bad = marked[1].replace("work-0", "work-9").split(",")
    bad[4] = "superb"
    result = run([*marked, ",".join(bad)])
    assert result.exit_code == 1
    assert f"not read: row {len(marked)}, level_id: " in result.stderr
    assert "superb" in result.stderr
    assert "quadratic weighted kappa" in result.stdout


def test_json_carries_the_figures_the_criteria_and_the_problems(run, marked):
    result = run([*marked, "only,three,cells"], "--json")
    assert result.exit_code == 1
    answer = json.loads(result.stdout)
    assert answer["agreement"]["statistic"] == "quadratic weighted kappa"
    assert answer["agreement"]["low"] <= answer["agreement"]["value"] <= answer["agreement"]["high"]
    assert answer["marks"] == len(marked) - 1
    assert answer["problems"][0]["row"] == len(marked)
    assert {"criterion_id", "n", "exact_share", "adjacent_share"} <= set(answer["criteria"][0])


def test_too_little_to_measure_is_unknown(run, marked):
    result = run(marked[:3])
    assert result.exit_code == 3
    assert "no coefficient is given" in result.output


def test_a_missing_file_and_a_broken_blueprint_are_refused(tmp_path):
    missing = CliRunner().invoke(command, ["nowhere.csv", "--blueprint", "nowhere.json"])
    assert isinstance(missing.exception, BrokenInput)
    (tmp_path / "broken.json").write_text("{")
    (tmp_path / "marks.csv").write_text(HEADING)
    broken = CliRunner().invoke(command, [str(tmp_path / "marks.csv"), "--blueprint", str(tmp_path / "broken.json")])
    assert isinstance(broken.exception, BrokenInput)


class TestAgreementOfMarks:
    """`agreement` and `by_criterion` on marks, whatever their order."""

    def many(self, mark, *panels):
        """One submission for each panel of (marker, level) pairs on the criterion query."""
        return [
            mark("query", marker, level, submission_id=f"work-{i}")
            for i, panel in enumerate(panels)
            for marker, level in panel.items()
        ]

    def test_two_markers_give_weighted_kappa_more_give_alpha(self, blueprint, mark):
        two = self.many(mark, *[{"ana": x, "ben": y} for x, y in zip(LEVELS, LEVELS[1:] + LEVELS[:1], strict=True)])
        three = [*two, mark("query", "cleo", "good", submission_id="work-0")]
        assert agreement(two, blueprint).statistic == "quadratic weighted kappa"
        assert agreement(three, blueprint).statistic == "Krippendorff's alpha (ordinal)"
        assert agreement(three, blueprint).markers == 3

    def test_levels_can_be_given_instead_of_a_blueprint(self, blueprint, mark):
        given = self.many(mark, *[{"ana": x, "ben": "good"} for x in LEVELS * 2])
        assert agreement(given, LEVELS) == agreement(given, blueprint) == agreement(given[::-1], blueprint)

    def test_marks_by_one_marker_only_say_nothing(self, blueprint, mark):
        found = agreement(self.many(mark, *[{"ana": "good"}] * 9), blueprint)
        assert (found.n, found.value, found.exact_share) == (0, None, None)
        assert found.says.startswith("Nothing was marked by two")

    def test_full_agreement_on_one_level_has_a_share_and_no_coefficient(self, blueprint, mark):
        found = agreement(self.many(mark, *[{"ana": "good", "ben": "good"}] * 12), blueprint)
        assert (found.value, found.low, found.high, found.exact_share) == (None, None, None, 1.0)
        assert "one single level" in found.says

    def test_few_criteria_carry_a_warning_and_fewer_than_five_no_coefficient(self, blueprint, mark):
        panels = [{"ana": x, "ben": x} for x in LEVELS * 2]
        assert "8 is few" in agreement(self.many(mark, *panels), blueprint).says
        assert agreement(self.many(mark, *panels[:4]), blueprint).value is None

    def test_bad_marks_and_scales_are_refused(self, blueprint, mark):
        one = mark("query", "ana", "good")
        for marks, scale, words in (
            ([one, one], blueprint, "twice"),
            ([mark("query", "ana", "superb")], blueprint, "not on the scale"),
            ([mark("essay", "ana", "good")], blueprint, "no criterion 'essay'"),
            ([one], ["good"], "fewer than two"),
            ([one], "good", "one text"),
        ):
            with pytest.raises(BrokenInput, match=words):
                agreement(marks, scale)

    def test_each_criterion_has_its_line_even_without_marks(self, blueprint, mark):
        lines = by_criterion(
            self.many(mark, {"ana": "good", "ben": "great"}, {"ana": "none", "ben": "great"}), blueprint
        )
        assert [(x.criterion_id, x.n) for x in lines] == [("query", 2), ("chart", 0), ("speak", 0)]
        assert (lines[0].exact_share, lines[0].adjacent_share, lines[1].exact_share) == (0.0, 0.5, None)


LEVELS = ["none", "some", "good", "great"]
