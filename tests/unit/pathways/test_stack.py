"""Credentials add up exactly as the rule says, count once, and every one that does not count is told why."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction
from importlib.resources import files
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.pathways.cast import HARBOUR, ON, RHEIN, achievements, group, held, rule, showing

from guildmark.assess.holding import Holding
from guildmark.core.codecs import jcs
from guildmark.core.errors import BrokenInput
from guildmark.core.report import Report, Verdict
from guildmark.pathways import allocate as allocate_room
from guildmark.pathways.stack import MOST_HOLDINGS, check_examples, read_stack_rule, solve_stack

ECTS = '[[conversion]]\nunit = "ECTS"\namount = 60\ncounts_as = 48\nbasis = "by_full_year"\nreason = "Years."\n'
ELSEWHERE = f"""
[[total]]
id = "size"
title = "Size"
reason = "A certificate has a size."
need = {{ credits = 12 }}

[[cap]]
id = "elsewhere"
title = "From others"
reason = "Half is our own."
of = {{ issuers_other_than = ["{HARBOUR}"] }}
at_most = {{ share = "1/2", of_total = "size" }}
"""


def left_out(result) -> dict[str, str]:
    return {left.credential_id: left.why for left in result.left_out}


# -- what counts -------------------------------------------------------------------------------------------------


def test_enough_credit_earns_and_the_report_says_from_what():
    result = solve_stack(rule(group(need="{ credits = 10 }")), [held("a"), held("b", credit_value=4)], on=ON)
    assert result.earned
    assert result.report.verdict is Verdict.PASS
    assert result.placement == {"cred:a": "g", "cred:b": "g"}
    assert result.report["group.g"].says == (
        "Group g: 10 of 10 AU-CP, from “Course a” (6 AU-CP) and “Course b” (4 AU-CP)."
    )


def test_a_hundredth_too_little_does_not_earn():
    result = solve_stack(rule(group(need="{ credits = 6.01 }")), [held("a")], on=ON)
    assert not result.earned
    assert result.report.verdict is Verdict.FAIL
    assert result.gaps[0].to_json() == {"id": "g", "title": "Group g", "missing": 0.01, "unit": "AU-CP"}


@pytest.mark.parametrize("values", [(0.1, 0.2), (0.7, 0.1), (1.1, 2.2), (0.1,) * 3])
def test_sums_do_not_miss_for_the_sake_of_floats(values):
    needed = sum((Fraction(str(v)) for v in values), Fraction(0))
    holdings = [held(str(n), credit_value=v) for n, v in enumerate(values)]
    assert solve_stack(rule(group(need=f"{{ credits = {float(needed)} }}")), holdings, on=ON).earned


def test_three_thirds_are_one():
    third = '[[conversion]]\nunit = "ECTS"\namount = 3\ncounts_as = 1\nbasis = "by_hours"\nreason = "r"\n'
    holdings = [held(n, credit_value=1, credit_unit="ECTS") for n in "abc"]
    assert solve_stack(rule(group(need="{ credits = 1 }"), third), holdings, on=ON).earned
    assert not solve_stack(rule(group(need="{ credits = 1 }"), third), holdings[:2], on=ON).earned


def test_a_conversion_is_named_with_its_basis():
    result = solve_stack(
        rule(group(need="{ credits = 1.6 }"), ECTS), [held("a", credit_value=2, credit_unit="ECTS")], on=ON
    )
    assert "(2 ECTS as 1.6 AU-CP)" in result.report["group.g"].says
    assert result.report["group.g"].because["conversions"] == ["60 ECTS count as 48 AU-CP (by full year)"]


def test_a_credential_fills_one_group_only():
    one = rule(group("x", need="{ count = 1 }"), group("y", need="{ count = 1 }"))
    assert not solve_stack(one, [held("a")], on=ON).earned
    assert solve_stack(one, [held("a"), held("b")], on=ON).placement == {"cred:a": "x", "cred:b": "y"}


def test_the_same_achievement_counts_once_however_often_it_is_held():
    twice = [held("a"), held("a", credential_id="cred:again")]
    result = solve_stack(rule(group(need="{ count = 2 }")), twice, on=ON)
    assert not result.earned
    assert left_out(result) == {"cred:again": "is the same achievement as cred:a, which counts already"}


def test_one_credential_handed_in_twice_is_one():
    assert not solve_stack(rule(group(need="{ count = 2 }")), [held("a"), held("a")], on=ON).earned


def test_achievements_that_overlap_count_once():
    text = [achievements("a", "b"), group(need="{ count = 2 }"), '[[overlap]]\nachievements = ["a", "b"]\nreason = "r"']
    result = solve_stack(rule(*text), [held("a"), held("b"), held("c")], on=ON)
    assert result.earned
    assert left_out(result) == {"cred:b": "overlaps with “Course a”, which counts already"}


def test_an_achievement_is_its_issuers_and_nobody_elses():
    named = rule(achievements("a"), group(from_='{ achievements = ["a"] }'))
    assert solve_stack(named, [held("a")], on=ON).earned
    forged = solve_stack(named, [held("a", issuer_id="did:web:mallory.example")], on=ON)
    assert not forged.earned
    assert f"only {HARBOUR} can issue this achievement" in forged.report["group.g"].says


def test_a_tag_counts_from_the_named_issuers_only():
    result = solve_stack(rule(group()), [held("a", issuer_id="did:web:mallory.example")], on=ON)
    assert left_out(result) == {"cred:a": "is from did:web:mallory.example, which the rule does not name"}


def test_skills_make_a_pool_too():
    pool = rule(group(from_='{ skills = ["urn:sql"] }'))
    assert solve_stack(pool, [showing("a", "urn:sql")], on=ON).earned
    assert left_out(solve_stack(pool, [showing("a", "urn:tea")], on=ON)) == {
        "cred:a": "is nothing that this rule asks for"
    }


def test_levels_are_compared_and_never_converted():
    levelled = rule(group(), top='minimum_level = ["AQF:5", "EQF:5"]')
    for level, earned in (("AQF:5", True), ("AQF:9", True), ("EQF:5", True), ("AQF:4", False), ("NZQCF:9", False)):
        result = solve_stack(levelled, [held("a", level=level)], on=ON)
        assert result.earned is earned, level
    assert left_out(result) == {"cred:a": "is at level NZQCF:9, and AQF:5 or EQF:5 is needed"}


def test_recency_counts_from_the_assessment_to_the_day():
    recent = rule(group(), top="months = 36")
    assert solve_stack(recent, [held("a", assessed_on=date(2023, 11, 24))], on=ON).earned
    result = solve_stack(recent, [held("a", assessed_on=date(2023, 11, 23))], on=ON)
    assert "assessed on 2023-11-23, more than 36 months before 2026-11-24" in left_out(result)["cred:a"]


def test_a_cap_leaves_out_whole_credentials():
    pools = rule(group(need="{ credits = 6 }"), ELSEWHERE)
    own, theirs = held("own"), [held(n, issuer_id=RHEIN, credit_value=4) for n in "xy"]
    result = solve_stack(pools, [own, *theirs], on=ON)
    assert not result.earned
    assert sum(c != "cred:own" for c in result.placement) == 1
    assert result.report["cap.elsewhere"].says == "From others: 4 of at most 6 AU-CP."
    assert "go over one of its caps" in next(iter(left_out(result).values()))
    assert solve_stack(pools, [own, *theirs, held("more", credit_value=2)], on=ON).earned


def test_a_total_looks_at_what_is_counted_in_all_groups():
    higher = (
        '[[total]]\nid = "h"\ntitle = "Higher"\nreason = "r"\nof = { minimum_level = ["AQF:6"] }\nneed = { count = 1 }'
    )
    groups = [group("x", need="{ count = 1 }"), group("y", need="{ count = 1 }"), higher]
    low, high = [held("a"), held("b")], held("c", level="AQF:6")
    assert not solve_stack(rule(*groups), low, on=ON).earned
    assert solve_stack(rule(*groups), [*low, high], on=ON).earned


def test_credit_in_a_unit_that_the_rule_does_not_name_is_not_guessed():
    result = solve_stack(rule(group()), [held("a", credit_unit="CATS", credit_value=60)], on=ON)
    assert "has its credit in CATS, and the rule does not say" in left_out(result)["cred:a"]
    assert solve_stack(rule(group(need="{ count = 1 }")), [held("a", credit_unit="none", credit_value=0)], on=ON).earned


# -- what stands -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"status": "suspended"}, "is suspended"),
        ({"status": "revoked"}, "is revoked"),
        ({"status": "expired"}, "is expired"),
        ({"valid_until": date(2026, 11, 23)}, "expired after 2026-11-23"),
        ({"assessed_on": date(2026, 11, 25)}, "was only assessed on 2026-11-25"),
    ],
)
def test_what_does_not_stand_does_not_count_and_the_group_says_why(change, why):
    result = solve_stack(rule(group()), [held("a", **change)], on=ON)
    assert result.report.verdict is Verdict.FAIL
    assert left_out(result) == {"cred:a": why}
    assert result.report["group.g"].says == f"Group g: 0 of 6 AU-CP. 6 AU-CP missing. “Course a” {why}."


def test_what_could_not_be_verified_is_unknown_where_it_would_decide_and_never_counts():
    result = solve_stack(rule(group()), [held("a", status="unverified")], on=ON)
    assert not result.earned
    assert result.placement == {}
    assert result.report.verdict is Verdict.UNKNOWN
    assert result.left_out[0].undecided


def test_what_could_not_be_verified_and_would_not_be_enough_is_a_plain_no():
    result = solve_stack(rule(group(need="{ credits = 7 }")), [held("a", status="unverified")], on=ON)
    assert result.report.verdict is Verdict.FAIL
    old = rule(group(), top="months = 1")
    stale = held("a", status="unverified", assessed_on=date(2020, 1, 1))
    assert solve_stack(old, [stale], on=ON).report.verdict is Verdict.FAIL


def test_what_could_not_be_verified_harms_nothing_that_is_earned():
    result = solve_stack(rule(group()), [held("a"), held("b", status="unverified")], on=ON)
    assert result.earned
    assert result.report.verdict is Verdict.PASS


@pytest.mark.parametrize("on", [date(2025, 12, 31), date(2027, 1, 1)])
def test_a_rule_that_is_not_in_force_is_unknown(on):
    text = rule(group())
    result = solve_stack(replace(text, effective_to=date(2026, 12, 31)), [held("a")], on=on)
    assert not result.earned
    assert result.report.verdict is Verdict.UNKNOWN


def test_a_search_that_was_stopped_is_unknown(monkeypatch):
    monkeypatch.setattr(allocate_room, "CUTS", 0)
    result = solve_stack(rule(group()), [held("a")], on=ON)
    assert not result.earned
    assert result.report.verdict is Verdict.UNKNOWN
    assert "stopped at its bound" in result.report["group.g"].says


def test_nobody_earns_with_nothing():
    assert solve_stack(rule(group()), [], on=ON).report.verdict is Verdict.FAIL


def test_credentials_of_two_people_never_add_up():
    with pytest.raises(BrokenInput, match="several people"):
        solve_stack(rule(group()), [held("a"), held("b", learner_id="sam")], on=ON)


def test_one_id_with_two_contents_is_refused():
    with pytest.raises(BrokenInput, match="cred:a: is there twice"):
        solve_stack(rule(group()), [held("a", status="revoked"), held("a")], on=ON)


def test_more_credentials_than_anybody_has_are_refused():
    with pytest.raises(BrokenInput, match=f"more than {MOST_HOLDINGS}"):
        solve_stack(rule(group()), [held(str(n)) for n in range(MOST_HOLDINGS + 1)], on=ON)


# -- which placement, and the way on -----------------------------------------------------------------------------


def test_no_more_is_used_than_is_needed_and_the_longest_held_first():
    old, new = held("old", assessed_on=date(2025, 1, 1)), held("new")
    result = solve_stack(rule(group()), [new, old], on=ON)
    assert result.placement == {"cred:old": "g"}
    assert left_out(result) == {"cred:new": "is not needed and stays free for something else"}


def test_the_shortest_way_closes_every_gap_in_the_fewest_hours():
    offers = ""
    for name, credits, hours in (("long", 6, 90), ("half", 3, 25), ("other", 3, 30), ("tiny", 1, 1)):
        offers += (
            achievements(name)
            + f'offer = {{ credits = {credits}, unit = "AU-CP", level = "AQF:5", hours = {hours} }}\n'
        )
    named = rule(offers, group(from_='{ achievements = ["long", "half", "other", "tiny"] }'))
    result = solve_stack(named, [], on=ON)
    assert [(step.title, step.hours) for step in result.way] == [("Course half", 25.0), ("Course other", 30.0)]
    assert [s.title for s in solve_stack(named, [held("half", credit_value=3)], on=ON).way] == ["Course other"]
    assert solve_stack(named, [held("long")], on=ON).way == ()


def test_no_way_is_made_up_where_the_offers_do_not_reach():
    short = achievements("a") + 'offer = { credits = 2, unit = "AU-CP", level = "AQF:5", hours = 1 }\n'
    assert solve_stack(rule(short, group(from_='{ achievements = ["a"] }')), [], on=ON).way == ()


def test_a_result_is_plain_json_and_its_report_is_read_back():
    result = solve_stack(rule(group(), ELSEWHERE), [held("a"), held("b", status="revoked")], on=ON)
    value = json.loads(jcs(result.to_json()))
    assert value["placement"] == {"cred:a": "g"}
    assert Report.from_json(value["report"]) == result.report
    assert value["left_out"][0]["says"] == "“Course b” is revoked."


# -- against an implementation of its own ------------------------------------------------------------------------

RULE = rule(
    ECTS,
    achievements("a", "b"),
    achievements("c", issuer=RHEIN),
    group("core", from_='{ achievements = ["a", "b", "c"] }', need="{ credits = 7.5 }"),
    group(
        "free",
        from_='{ tags = ["data"] }',
        need="{ count = 1 }",
        more='minimum_level = ["AQF:6", "EQF:6"]\nmonths = 24',
    ),
    ELSEWHERE,
    top='minimum_level = ["AQF:5", "EQF:5"]\nmonths = 60',
)

holdings = st.lists(
    st.builds(
        lambda n, name, issuer, credit, unit, level, age, status, tags: held(
            name,
            credential_id=f"cred:{n}:{name}:{issuer[-12:]}:{credit}:{unit}:{level}:{age}:{status}:{tags}",
            issuer_id=issuer,
            credit_value=credit,
            credit_unit=unit,
            level=level,
            assessed_on=ON - timedelta(days=age),
            status=status,
            tags=tags,
        ),
        st.integers(0, 2),
        st.sampled_from(["a", "b", "c", "d"]),
        st.sampled_from([HARBOUR, HARBOUR, RHEIN, "did:web:mallory.example"]),
        st.sampled_from([0, 2, 3.75, 4, 6, 7.5]),
        st.sampled_from(["AU-CP", "AU-CP", "ECTS", "CATS"]),
        st.sampled_from(["AQF:4", "AQF:5", "AQF:6", "EQF:6", "none"]),
        st.sampled_from([-1, 0, 600, 1000, 2000]),
        st.sampled_from(["valid", "valid", "valid", "suspended", "unverified"]),
        st.sampled_from([(), ("data",), ("data",)]),
    ),
    max_size=6,
    unique_by=lambda h: h.credential_id,
)


def credit(holding: Holding) -> Fraction:
    factor = {"AU-CP": Fraction(1), "ECTS": Fraction(4, 5)}.get(holding.credit_unit, Fraction(0))
    return Fraction(str(holding.credit_value)) * factor


def may_fill(holding: Holding) -> list[str | None]:
    """The groups of RULE that a credential may fill, written out by hand."""
    places: list[str | None] = [None]
    level = int(holding.level[4:]) if holding.level[:4] in ("AQF:", "EQF:") else 0
    if holding.status != "valid" or holding.assessed_on > ON:
        return places
    owner = {"ach:a": HARBOUR, "ach:b": HARBOUR, "ach:c": RHEIN}.get(holding.achievement_id)
    if owner == holding.issuer_id and level >= 5 and holding.assessed_on >= date(2021, 11, 24) and credit(holding):
        places.append("core")
    trusted = holding.issuer_id in (HARBOUR, RHEIN)
    if trusted and "data" in holding.tags and level >= 6 and holding.assessed_on >= date(2024, 11, 24):
        places.append("free")
    return places


def can_be_earned(held_now: list[Holding]) -> bool:
    """Whether any placement at all satisfies RULE."""
    for choice in product(*(may_fill(h) for h in held_now)):
        used = [(h, g) for h, g in zip(held_now, choice, strict=True) if g]
        same = [(h.issuer_id, h.achievement_id) for h, _ in used]
        if (
            len(same) == len(set(same))
            and sum(credit(h) for h, g in used if g == "core") >= Fraction("7.5")
            and sum(g == "free" for _, g in used) >= 1
            and sum(credit(h) for h, _ in used) >= 12
            and sum(credit(h) for h, _ in used if h.issuer_id != HARBOUR) <= 6
        ):
            return True
    return False


@settings(deadline=None, max_examples=120)
@given(holdings)
def test_it_is_earned_exactly_where_some_placement_earns_it(held_now):
    result = solve_stack(RULE, held_now, on=ON)
    assert result.earned is can_be_earned(held_now)
    assert (result.report.verdict is Verdict.PASS) is result.earned
    assert set(result.placement) | {left.credential_id for left in result.left_out} == {
        h.credential_id for h in held_now
    }
    assert all(g in may_fill(h) for h in held_now if (g := result.placement.get(h.credential_id)))
    hoped = [replace(h, status="valid") if h.status == "unverified" else h for h in held_now]
    assert (result.report.verdict is Verdict.UNKNOWN) is (not result.earned and can_be_earned(hoped))


@settings(deadline=None, max_examples=40)
@given(holdings, st.randoms(use_true_random=False))
def test_the_order_of_the_credentials_changes_nothing(held_now, random):
    shuffled = list(held_now)
    random.shuffle(shuffled)
    assert solve_stack(RULE, shuffled, on=ON) == solve_stack(RULE, held_now, on=ON)


@settings(deadline=None, max_examples=40)
@given(holdings, holdings)
def test_one_more_credential_never_loses_what_is_earned(held_now, more):
    ids = {h.credential_id for h in held_now}
    every = [*held_now, *(h for h in more if h.credential_id not in ids)]
    assert solve_stack(RULE, every, on=ON).earned or not solve_stack(RULE, held_now, on=ON).earned


# -- the demo's certificate --------------------------------------------------------------------------------------


def demo_rule():
    return read_stack_rule((files("guildmark.pathways") / "data" / "operations-data-analyst.toml").read_bytes())


def sample(name, **changes) -> Holding:
    """What somebody holds who passed a sample blueprint, as `app.queries.pathways` builds it."""
    blueprint = json.loads((files("guildmark.design") / "samples" / f"{name}.json").read_bytes())
    values = {
        "credential_id": f"urn:uuid:{name}",
        "achievement_id": blueprint["id"],
        "title": blueprint["title"],
        "issuer_id": blueprint["provider_id"],
        "credit_value": blueprint["credit"]["value"],
        "credit_unit": blueprint["credit"]["unit"],
        "level": blueprint["level"],
        "tags": (),
    }
    return held(**{**values, **changes})


SAMPLES = ("sql-python-operations", "data-storytelling", "data-protection")


def test_the_demos_rule_answers_its_own_examples():
    report = check_examples(demo_rule())
    assert report.verdict is Verdict.PASS
    assert len(report.findings) >= 4


def test_the_three_sample_credentials_of_two_providers_earn_the_certificate():
    result = solve_stack(demo_rule(), [sample(name) for name in SAMPLES], on=ON)
    assert result.earned, [f.says for f in result.report.findings]
    assert set(result.placement) == {f"urn:uuid:{name}" for name in SAMPLES}


@pytest.mark.parametrize("status", ["suspended", "revoked"])
@pytest.mark.parametrize("missing", SAMPLES)
def test_without_any_one_of_them_the_certificate_is_open_and_says_why_and_how_to_close_it(missing, status):
    three = [sample(name, status=status if name == missing else "valid") for name in SAMPLES]
    result = solve_stack(demo_rule(), three, on=ON)
    assert not result.earned
    assert any(f"is {status}" in finding.says for finding in result.report.failed())
    assert [step.title for step in result.way] == [sample(missing).title]


def test_what_the_rule_offers_is_what_the_samples_promise():
    promised = {sample(name).achievement_id: sample(name) for name in SAMPLES}
    for achievement in demo_rule().achievements.values():
        blueprint = promised[achievement.id]
        assert (achievement.title, achievement.issuer) == (blueprint.title, blueprint.issuer_id)
        assert (achievement.offer.credits, achievement.offer.unit) == (blueprint.credit_value, blueprint.credit_unit)
        assert achievement.offer.level == blueprint.level


def test_a_rule_whose_example_is_not_true_fails_its_check():
    liar = rule(group())
    report = check_examples(liar)
    assert report.verdict is Verdict.FAIL
    assert report.failed()[0].says == "Enough: not earned, and the rule says that it should be."
