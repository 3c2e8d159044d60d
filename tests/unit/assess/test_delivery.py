"""Activities are done at any time and in any order; what is left is said, and never failed."""

from __future__ import annotations

from datetime import date

import pytest

from guildmark.assess.delivery import Activity, Offering, completion
from guildmark.core.errors import BrokenInput
from guildmark.core.report import Verdict

READ = Activity("read", "Read the case", "text", 20)
TRY = Activity("try", "Try the queries", "practice", 60)
MORE = Activity("more", "Read further", "text", 30, required=False)


def test_all_required_activities_complete_the_offering():
    assert completion([READ, TRY, MORE], {"try", "read"}).verdict is Verdict.PASS


def test_what_is_left_is_unknown_and_says_how_long_it_takes():
    report = completion([READ, TRY, MORE], {"read", "more"})
    assert report.verdict is Verdict.UNKNOWN
    assert report["activity.try"].says == "Try the queries: still to do, about 60 minutes."


def test_doing_more_than_is_required_does_not_make_up_for_what_is():
    assert completion([READ, MORE], {"more"}).verdict is Verdict.UNKNOWN


def test_an_offering_without_activities_is_never_complete():
    assert completion([], ()).verdict is Verdict.UNKNOWN


def test_something_done_that_is_not_on_the_list_is_refused():
    with pytest.raises(BrokenInput, match="no activity 'swim'"):
        completion([READ], {"swim"})


def test_two_activities_with_one_id_are_refused():
    with pytest.raises(BrokenInput, match="stands twice"):
        completion([READ, READ], ())


@pytest.mark.parametrize(("id", "title", "minutes"), [("", "x", 1), ("x", "", 1), ("x", "y", -1)])
def test_an_activity_needs_an_id_a_title_and_no_negative_length(id, title, minutes):
    with pytest.raises(BrokenInput):
        Activity(id, title, "text", minutes)


def test_the_last_day_of_an_offering_counts_and_without_one_it_stays_open():
    offering = Offering("o", "urn:uuid:b", 1, "Spring", date(2026, 9, 1), date(2026, 11, 24))
    assert [offering.is_open(date(2026, m, d)) for m, d in ((8, 31), (9, 1), (11, 24), (11, 25))] == [
        False,
        True,
        True,
        False,
    ]
    assert Offering("o", "urn:uuid:b", 1, "Always", date(2026, 9, 1), None).is_open(date(2099, 1, 1))
