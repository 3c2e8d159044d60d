"""A mark fits its blueprint or says which of its values does not; a file of marks loses only its bad rows."""

from __future__ import annotations

import contextlib
import csv
import io
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guildmark.assess.marking import Mark, UnfitMark, check_mark, own_marks, read_marks_csv
from guildmark.core.errors import BrokenInput

HEADING = "submission_id,assessment_id,criterion_id,marker_id,level_id,comment,at"
ROW = "work-report,report,query,ana,good,Clear,2026-11-20T14:00:00Z"


def file(*rows: str, heading: str = HEADING) -> bytes:
    return "\n".join([heading, *rows]).encode()


class TestOneMark:
    def test_a_fitting_mark_gives_its_criterion(self, blueprint, mark):
        assert check_mark(blueprint, mark("chart", "ana", "good")).outcome == "o2"

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("assessment_id", "essay"),
            ("criterion_id", "speak"),  # of the other assessment
            ("level_id", "excellent"),
            ("level_id", ""),
            ("submission_id", ""),
            ("marker_id", ""),
            ("at", datetime(2026, 11, 20, 14)),  # noqa: DTZ001
        ],
    )
    def test_a_value_that_does_not_fit_is_named(self, blueprint, mark, field, value):
        values = {**{f: getattr(mark("query", "ana", "good"), f) for f in Mark.__slots__}, field: value}
        with pytest.raises(UnfitMark) as caught:
            check_mark(blueprint, Mark(**values))
        assert caught.value.field == field
        assert caught.value.hint

    def test_the_levels_to_choose_from_are_offered(self, blueprint, mark):
        with pytest.raises(BrokenInput, match="one of: none, some, good, great"):
            check_mark(blueprint, mark("query", "ana", "superb"))

    def test_a_mark_survives_being_stored(self, mark):
        value = mark("query", "ana", "good")
        assert Mark.from_json(value.to_json()) == value

    def test_a_marker_is_handed_their_own_marks_only(self, marks):
        everything = marks(ana="good good great", ben="some good none")
        assert {m.marker_id for m in own_marks(everything, "ben")} == {"ben"}
        assert own_marks(everything, "cleo") == ()

    def test_a_mark_has_no_room_for_what_others_gave(self):
        assert set(Mark.__slots__) == {
            *("submission_id", "assessment_id", "criterion_id", "marker_id", "level_id", "comment", "at")
        }


class TestAFileOfMarks:
    def test_good_rows_become_marks(self, blueprint, mark):
        read = read_marks_csv(file(ROW), blueprint)
        assert read.problems == ()
        assert read.marks == (mark("query", "ana", "good", comment="Clear"),)

    @pytest.mark.parametrize(
        ("row", "field", "words"),
        [
            (
                "work-report,essay,query,ana,good,,2026-11-20T14:00:00Z",
                "assessment_id",
                "no assessment 'essay'",
            ),
            (
                "work-report,report,speak,ana,good,,2026-11-20T14:00:00Z",
                "criterion_id",
                "one of: query, chart",
            ),
            ("work-report,report,chart,ana,9,,2026-11-20T14:00:00Z", "level_id", "no level '9'"),
            (",report,chart,ana,good,,2026-11-20T14:00:00Z", "submission_id", "is empty"),
            ("work-report,report,chart,,good,,2026-11-20T14:00:00Z", "marker_id", "is empty"),
            ("work-report,report,chart,ana,good,,yesterday", "at", "not a date and time"),
            ("work-report,report,chart,ana,good,,2026-11-20T14:00:00", "at", "no time zone"),
            ("work-report,report,chart,ana", "", "has 4 cells, the heading 7"),
            ('work-report,report,"chart"s,ana,good,,2026-11-20T14:00:00Z', "", "check its quotes"),
            ("work-report,report,query,ana,some,,2026-11-21T14:00:00Z", "marker_id", "already in row 1"),
        ],
    )
    def test_a_bad_row_is_listed_by_row_and_field_and_the_others_are_read(self, blueprint, row, field, words):
        ben = ROW.replace("ana", "ben")
        read = read_marks_csv(file(ROW, row, ben), blueprint)
        assert [m.marker_id for m in read.marks] == ["ana", "ben"]
        (problem,) = read.problems
        assert (problem.row, problem.field) == (2, field)
        assert words in problem.says

    def test_what_spreadsheets_do_to_a_file_does_no_harm(self, blueprint):
        """A byte order mark, semicolons, another order, spaces, Windows line ends, empty lines at the end."""
        text = "at; marker_id;level_id;criterion_id;assessment_id;submission_id;mood;comment\r\n"
        text += '2026-11-20T14:00:00Z;ana ;good;query;report;work-report;fine;"One;\r\ntwo"\r\n;;;;;;;\r\n\r\n'
        read = read_marks_csv(b"\xef\xbb\xbf" + text.encode(), blueprint)
        assert read.problems == ()
        assert (read.marks[0].marker_id, read.marks[0].comment) == ("ana", "One;\r\ntwo")

    def test_a_quote_that_is_never_closed_costs_the_rows_after_it_and_says_so(self, blueprint):
        read = read_marks_csv(file(ROW, ROW.replace("ana", '"ben'), ROW.replace("ana", "cleo")), blueprint)
        assert [m.marker_id for m in read.marks] == ["ana"]
        assert [(p.row, p.says) for p in read.problems] == [
            (2, "is not CSV (unexpected end of data); check its quotes")
        ]

    def test_comments_may_be_left_out(self, blueprint):
        heading = HEADING.replace(",comment", "")
        assert read_marks_csv(file(ROW.replace(",Clear", ""), heading=heading), blueprint).marks[0].comment == ""

    def test_a_heading_alone_is_an_empty_list(self, blueprint):
        assert read_marks_csv(file(), blueprint).marks == ()

    @pytest.mark.parametrize(
        ("data", "words"),
        [
            (b"", "column submission_id, assessment_id"),
            (HEADING.replace("level_id", "grade").encode(), "column level_id is missing"),
            ((HEADING + ",at").encode(), "column at stands twice"),
            (b"\xff\xfe\x00", "byte 0 is not UTF-8"),
            (b'"' + b"x" * 200_000, "is not CSV"),
            (b"{}", "is missing"),
        ],
    )
    def test_something_that_is_no_such_table_is_refused_in_one_sentence(self, blueprint, data, words):
        with pytest.raises(BrokenInput, match=words) as caught:
            read_marks_csv(data, blueprint, where="marks.csv")
        assert str(caught.value).startswith("marks.csv: ")
        assert caught.value.hint

    @given(
        st.binary(max_size=200) | st.text(max_size=200).map(lambda t: (HEADING + "\n" + t).encode("utf-8", "replace"))
    )
    def test_nothing_but_broken_input_ever_comes_of_any_bytes(self, blueprint, data):
        with contextlib.suppress(BrokenInput):
            read_marks_csv(data, blueprint)

    @given(st.lists(st.tuples(st.sampled_from(["ana", "ben", "cleo"]), st.text(max_size=20)), max_size=8))
    def test_every_row_is_either_a_mark_or_a_problem(self, blueprint, cells):
        out = io.StringIO(newline="")
        writer = csv.writer(out)
        writer.writerow(HEADING.split(","))
        for marker, level in cells:
            writer.writerow(["work-report", "report", "query", marker, level, "", "2026-11-20T14:00:00Z"])
        read = read_marks_csv(out.getvalue().encode("utf-8", "replace"), blueprint)
        assert len(read.marks) + len(read.problems) == len(cells)
