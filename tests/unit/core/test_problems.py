"""What was wrong with one row, and the sentences of errors."""

from __future__ import annotations

import pytest

from guildmark.core.doors import NoNetwork
from guildmark.core.errors import BrokenInput, GuildmarkError, NotAllowed, OutsideFailure
from guildmark.core.problems import RowProblem


def test_a_row_problem_names_row_field_and_what_to_mend():
    assert str(RowProblem(3, "level_id", "is empty; write a level")) == "row 3, level_id: is empty; write a level"


def test_a_row_problem_about_the_whole_row_names_no_field():
    assert str(RowProblem(3, "", "has two cells; it should have five")) == "row 3: has two cells; it should have five"


def test_broken_input_is_one_sentence_of_where_what_and_what_to_do():
    problem = BrokenInput("is not a number", where="plan.json, hours", hint="write 40")
    assert str(problem) == "plan.json, hours: is not a number; write 40."
    assert (problem.what, problem.where, problem.hint) == ("is not a number", "plan.json, hours", "write 40")


@pytest.mark.parametrize(
    ("problem", "says"),
    [
        (BrokenInput("is empty"), "is empty."),
        (BrokenInput("is empty", where="a.csv"), "a.csv: is empty."),
        (
            BrokenInput("is larger than 9 bytes", hint="is this the right file?"),
            "is larger than 9 bytes; is this the right file?",
        ),
        (BrokenInput("is no id", hint="it looks like 123e4567-..."), "is no id; it looks like 123e4567-..."),
        (BrokenInput("is 95\u00a0% of it"), "is 95\u00a0% of it."),
        (BrokenInput("is empty", hint="fill it"), "is empty; fill it."),
    ],
)
def test_what_is_not_known_is_left_out_of_the_sentence(problem, says):
    assert str(problem) == says


@pytest.mark.parametrize("kind", [BrokenInput, NotAllowed, OutsideFailure])
def test_all_that_guildmark_raises_on_purpose_is_one_family(kind):
    assert issubclass(kind, GuildmarkError)


def test_no_network_says_which_document_was_not_fetched():
    with pytest.raises(OutsideFailure, match=r"https://example\.org/a was not fetched"):
        NoNetwork().fetch("https://example.org/a")


def test_an_error_stays_one_line_whatever_the_input_is_called():
    from guildmark.core.errors import BrokenInput

    problem = BrokenInput("is not\x00 known", where="a\nb\x1b[31m", hint="leave it\r out")
    assert str(problem) == r"a\nb\x1b[31m: is not\x00 known; leave it\r out."
    assert str(BrokenInput("„é ü” 信", where="名")) == "名: „é ü” 信."
