"""People are ranked from verified skills only; each point of a score has its reason, and nobody is ranked unasked."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from datetime import date
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.pathways.cast import ON, showing

from guildmark.core.codecs import jcs
from guildmark.core.errors import BrokenInput
from guildmark.pathways import match as room
from guildmark.pathways.match import (
    OPTIONAL,
    RELATED,
    JobNeed,
    MissingSkill,
    NeededSkill,
    Offer,
    Person,
    Related,
    need_from_mentions,
    rank_jobs,
    rank_people,
    suggest_closing,
)
from guildmark.skills.ads import JobAd, builtin_ads
from guildmark.skills.extract import Extractor, Mention
from guildmark.skills.framework import ESCO_SKILL, Framework, Skill
from guildmark.skills.load import builtin_framework

SQL, PYTHON, TALK, LAW = "urn:sql", "urn:python", "urn:talk", "urn:law"


def needed(uri, weight=1.0, **more) -> NeededSkill:
    return NeededSkill(uri, uri.removeprefix("urn:"), weight, **more)


def need(*skills, job="job") -> JobNeed:
    return JobNeed(job, "Analyst", tuple(skills))


def person(id, *holdings, opted_in=True) -> Person:
    return Person(id, opted_in, tuple(replace(h, learner_id=id) for h in holdings))


THREE = need(needed(SQL), needed(PYTHON), needed(TALK))


# -- ranking -----------------------------------------------------------------------------------------------------


def test_the_score_is_the_share_of_the_need_that_is_shown():
    both, one = person("p", showing("a", SQL, PYTHON)), person("q", showing("b", SQL))
    ranked = rank_people(THREE, [one, both], on=ON)
    assert [(m.person_id, m.score) for m in ranked] == [("p", 0.666667), ("q", 0.333333)]
    assert [skill.label for skill in ranked[0].missing] == ["talk"]


def test_a_reason_names_the_credential_and_says_it_in_a_sentence():
    (match,) = rank_people(need(needed(SQL)), [person("p", showing("a", SQL))], on=ON)
    reason = match.reasons[0].to_json()
    assert reason["credential_id"] == "cred:a"
    assert reason["says"] == "“Course a” shows sql (the same skill)."
    assert match.score == 1
    assert match.missing == ()


def test_who_did_not_opt_in_is_never_ranked():
    hidden = person("p", showing("a", SQL), opted_in=False)
    assert rank_people(THREE, [hidden], on=ON) == []
    assert rank_jobs(hidden, [THREE], on=ON) == []


@pytest.mark.parametrize(
    "change",
    [
        *({"status": status} for status in ("suspended", "revoked", "expired", "unverified")),
        {"valid_until": date(2026, 11, 23)},
        {"assessed_on": date(2026, 11, 25)},
    ],
)
def test_what_does_not_stand_today_counts_for_nothing(change):
    assert rank_people(THREE, [person("p", showing("a", SQL, **change))], on=ON) == []
    held = person("p", showing("a", SQL, **change), showing("b", PYTHON))
    assert rank_people(THREE, [held], on=ON)[0].score == 0.333333


def test_who_shows_nothing_that_is_asked_for_is_no_match():
    assert rank_people(THREE, [person("p", showing("a", LAW)), person("q")], on=ON) == []


def test_ten_badges_for_one_skill_are_worth_one():
    ten = person("p", *(showing(str(n), SQL) for n in range(10)))
    one = person("q", showing("a", SQL))
    assert [m.score for m in rank_people(THREE, [ten, one], on=ON)] == [0.333333, 0.333333]


def test_what_is_needed_outweighs_what_is_welcome():
    mixed = need(needed(SQL), needed(PYTHON, OPTIONAL))
    ranked = rank_people(mixed, [person("a", showing("x", PYTHON)), person("b", showing("y", SQL))], on=ON)
    assert [(m.person_id, m.score) for m in ranked] == [("b", 0.666667), ("a", 0.333333)]


def test_a_related_skill_counts_in_part_and_says_by_which_path():
    related = needed(SQL, related=(Related(PYTHON, "python", RELATED, "both are O*NET 2.B.3.e"),))
    (match,) = rank_people(need(related), [person("p", showing("a", PYTHON))], on=ON)
    assert match.score == 0.5
    assert match.reasons[0].says == "“Course a” shows part of sql (both are O*NET 2.B.3.e)."
    assert [(m.label, m.shown) for m in match.missing] == [("sql", 0.5)]


def test_the_skill_itself_comes_before_a_relative():
    related = needed(SQL, related=(Related(PYTHON, "python", RELATED, "both are O*NET 2.B.3.e"),))
    both = person("p", showing("later", PYTHON, assessed_on=ON), showing("earlier", SQL))
    (match,) = rank_people(need(related), [both], on=ON)
    assert (match.score, match.reasons[0].credential_id) == (1.0, "cred:earlier")


def test_equals_are_ordered_by_id_and_people_by_nothing_else():
    people = [person(id_, showing("a", SQL)) for id_ in "cab"]
    assert [m.person_id for m in rank_people(THREE, people, on=ON)] == ["a", "b", "c"]


def test_one_person_twice_and_a_borrowed_credential_are_refused():
    with pytest.raises(BrokenInput, match="p: is there twice"):
        rank_people(THREE, [person("p"), person("p")], on=ON)
    with pytest.raises(BrokenInput, match="cred:a: is another person's"):
        Person("sam", True, (showing("a", SQL),))


def test_a_person_is_an_id_a_consent_and_what_they_hold():
    assert [f.name for f in fields(Person)] == ["id", "opted_in", "holdings"]


def test_jobs_are_ranked_for_a_person_the_same_way():
    mei = person("mei", showing("a", SQL, PYTHON))
    jobs = [need(needed(LAW), job="law"), need(needed(SQL), needed(LAW), job="half"), need(needed(SQL), job="all")]
    ranked = rank_jobs(mei, jobs, on=ON)
    assert [(m.job_id, m.score) for m in ranked] == [("all", 1.0), ("half", 0.5)]
    assert ranked[1] == rank_people(jobs[1], [mei], on=ON)[0]


uris = st.sampled_from([SQL, PYTHON, TALK, LAW, "urn:other"])
badges = st.builds(
    lambda n, skills, status, day: showing(
        f"{n}-{status}-{day}", *sorted(skills), status=status, assessed_on=date(2026, 1, day)
    ),
    st.integers(0, 5),
    st.sets(uris, max_size=4),
    st.sampled_from(["valid", "valid", "revoked"]),
    st.integers(1, 3),
)
needs = st.lists(
    st.builds(
        lambda uri, weight, other: needed(
            uri, weight, related=() if other == uri else (Related(other, "o", RELATED, "both"),)
        ),
        uris,
        st.sampled_from([0.25, 0.5, 0.9, 1.0]),
        uris,
    ),
    min_size=1,
    max_size=4,
    unique_by=lambda s: s.uri,
).map(lambda skills: need(*skills))


def plain_score(wanted: JobNeed, holdings) -> float:
    """The definition, written out: for each needed skill the best that any standing credential shows."""
    held = {s.uri for holding in holdings if holding.status == "valid" for s in holding.skills}
    shown = [
        max([1.0 if skill.uri in held else 0.0, *(r.shows for r in skill.related if r.uri in held)])
        for skill in wanted.skills
    ]
    weights = [skill.weight for skill in wanted.skills]
    return sum(w * s for w, s in zip(weights, shown, strict=True)) / sum(weights)


@settings(deadline=None)
@given(needs, st.lists(badges, max_size=5))
def test_the_score_is_what_the_definition_says_and_the_reasons_add_up_to_it(wanted, held):
    found = rank_people(wanted, [person("p", *held)], on=ON)
    score = found[0].score if found else 0.0
    assert score == pytest.approx(plain_score(wanted, held), abs=1e-6)
    for match in found:
        assert sum(reason.adds for reason in match.reasons) == pytest.approx(match.score, abs=1e-6)
        assert all(reason.credential_id in {h.credential_id for h in held} for reason in match.reasons)
        assert {m.uri for m in match.missing} | {r.skill_uri for r in match.reasons if r.shows == 1} == {
            s.uri for s in wanted.skills
        }
        assert jcs([r.to_json() for r in match.reasons] + [m.to_json() for m in match.missing])


@settings(deadline=None)
@given(needs, st.lists(badges, max_size=4), badges)
def test_one_more_credential_never_lowers_a_score(wanted, held, more):
    before, after = (
        rank_people(wanted, [person("p", *held)], on=ON),
        rank_people(wanted, [person("p", *held, more)], on=ON),
    )
    assert (after[0].score if after else 0) >= (before[0].score if before else 0)


@settings(deadline=None)
@given(needs, st.lists(badges, max_size=4), st.randoms(use_true_random=False))
def test_order_and_identity_change_nothing(wanted, held, random):
    crowd = [person(f"p{n}", *held[n:]) for n in range(len(held))]
    shuffled = [person(p.id, *random.sample(p.holdings, len(p.holdings))) for p in crowd]
    random.shuffle(shuffled)
    assert rank_people(wanted, shuffled, on=ON) == rank_people(wanted, crowd, on=ON)
    alias = [m.score for m in rank_people(wanted, [person("zz", *held)], on=ON)]
    assert alias == [m.score for m in rank_people(wanted, [person("aa", *held)], on=ON)]


# -- what an ad asks for -----------------------------------------------------------------------------------------

TEXT = "You write SQL every day. Python is a plus.\nNice to have: public speaking"
AD = JobAd("ad", "Analyst", "Northwind", TEXT)
FRAMEWORK = Framework(
    "f",
    "F",
    "1",
    "none",
    {
        SQL: Skill(SQL, "SQL", kind="tool", codes={"onet": "43232306"}),
        PYTHON: Skill(PYTHON, "Python", kind="tool", codes={"onet": "43232306", "esco": "py"}),
        TALK: Skill(TALK, "Public speaking"),
        "urn:de": Skill("urn:de", "German", kind="language", codes={"onet": "2.C.7.b"}),
        "urn:fr": Skill("urn:fr", "French", kind="language", codes={"onet": "2.C.7.b"}),
    },
)


def mention(uri, words, confidence=1.0, ad="ad", text=TEXT) -> Mention:
    start = text.index(words)
    return Mention(ad, uri, words, words, start, start + len(words), confidence)


def test_what_a_sentence_calls_welcome_weighs_half_and_the_next_sentence_does_not():
    mentions = [mention(SQL, "SQL"), mention(PYTHON, "Python"), mention(TALK, "public speaking", 0.9)]
    found = need_from_mentions(AD, mentions[::-1], FRAMEWORK)
    assert [(s.label, s.weight, s.optional) for s in found.skills] == [
        ("SQL", 1.0, False),
        ("Python", OPTIONAL, True),
        ("Public speaking", 0.45, True),
    ]


def test_a_skill_counts_once_by_its_most_demanding_mention():
    twice = JobAd("ad", "t", "e", "Python is a plus. Python is what you do all day.")
    first = mention(PYTHON, "Python", text=twice.text)
    second = replace(first, start=18, end=24)
    found = need_from_mentions(twice, [first, second], FRAMEWORK)
    assert [(s.uri, s.weight, s.optional) for s in found.skills] == [(PYTHON, 1.0, False)]


def test_a_shared_element_relates_two_tools_and_an_esco_code_is_the_same_skill():
    (sql, python) = need_from_mentions(AD, [mention(SQL, "SQL"), mention(PYTHON, "Python")], FRAMEWORK).skills
    assert [(r.uri, r.shows, r.path) for r in sql.related] == [(PYTHON, RELATED, "both are O*NET 43232306")]
    assert [(r.uri, r.shows) for r in python.related] == [(ESCO_SKILL + "py", 1.0), (SQL, RELATED)]


def test_languages_of_one_family_do_not_stand_in_for_each_other():
    (german,) = need_from_mentions(AD, [replace(mention(SQL, "SQL"), skill_uri="urn:de")], FRAMEWORK).skills
    assert german.related == ()


def test_an_element_that_many_skills_share_relates_none():
    skills = {f"urn:{n}": Skill(f"urn:{n}", str(n), codes={"onet": "9"}) for n in range(room.MOST_RELATED + 1)}
    crowded = replace(FRAMEWORK, skills=skills)
    (one,) = need_from_mentions(AD, [replace(mention(SQL, "SQL"), skill_uri="urn:0")], crowded).skills
    assert one.related == ()


def test_a_skill_that_the_framework_does_not_know_is_kept_under_its_mentions_label():
    found = need_from_mentions(AD, [replace(mention(SQL, "SQL"), skill_uri="urn:unknown")], FRAMEWORK)
    assert [(s.uri, s.label, s.related) for s in found.skills] == [("urn:unknown", "SQL", ())]


def test_mentions_of_another_ad_and_skills_that_are_needed_twice_are_refused():
    with pytest.raises(BrokenInput, match="a mention of ad 'other'"):
        need_from_mentions(AD, [mention(SQL, "SQL", ad="other")], FRAMEWORK)
    with pytest.raises(BrokenInput, match="needed twice"):
        need(needed(SQL), needed(SQL))
    with pytest.raises(BrokenInput, match="not above 0"):
        need(needed(SQL, 0))


def test_an_ad_without_skills_needs_nothing_and_nobody_matches_it():
    empty = need_from_mentions(AD, [], FRAMEWORK)
    assert not empty.skills
    assert rank_people(empty, [person("p", showing("a", SQL))], on=ON) == []


def test_our_own_ads_give_needs_that_are_plain_json_and_full_matches_of_themselves():
    framework = builtin_framework()
    extractor = Extractor(framework)
    for ad in builtin_ads()[:8]:
        wanted = need_from_mentions(ad, extractor.mentions(ad), framework)
        assert wanted.skills, ad.id
        assert json.loads(jcs(wanted.to_json()))["job_id"] == ad.id
        everything = person("p", showing("all", *(s.uri for s in wanted.skills)))
        assert rank_people(wanted, [everything], on=ON)[0].score == 1


# -- closing the gap ---------------------------------------------------------------------------------------------


def gaps(*uris) -> list[MissingSkill]:
    return [MissingSkill(uri, uri.removeprefix("urn:"), 1.0) for uri in uris]


def offer(id, hours, *uris) -> Offer:
    return Offer(id, f"Offer {id}", frozenset(uris), hours)


def test_the_offer_that_closes_the_gap_is_named_with_what_it_closes():
    (closing,) = suggest_closing(gaps(SQL, PYTHON), [offer("x", 10, SQL, PYTHON, LAW), offer("y", 5, LAW)])
    assert (closing.offer_id, closing.labels) == ("x", ("sql", "python"))


def test_fewest_offers_first_then_fewest_hours():
    offers = [offer("one", 90, SQL, PYTHON), offer("s", 1, SQL), offer("p", 1, PYTHON)]
    assert [c.offer_id for c in suggest_closing(gaps(SQL, PYTHON), offers)] == ["one"]
    assert [c.offer_id for c in suggest_closing(gaps(SQL), offers)] == ["s"]


def test_greedy_would_take_three_where_two_do():
    wide = offer("wide", 1, "urn:1", "urn:2", "urn:4", "urn:5")
    rows = [offer("low", 1, "urn:1", "urn:2", "urn:3"), offer("high", 1, "urn:4", "urn:5", "urn:6")]
    closing = suggest_closing(gaps(*(f"urn:{n}" for n in range(1, 7))), [wide, *rows])
    assert {c.offer_id for c in closing} == {"low", "high"}


def test_what_no_offer_closes_stays_open_and_the_rest_is_closed():
    assert [c.labels for c in suggest_closing(gaps(SQL, LAW), [offer("x", 1, SQL)])] == [("sql",)]
    assert suggest_closing(gaps(LAW), [offer("x", 1, SQL)]) == ()
    assert suggest_closing([], [offer("x", 1, SQL)]) == ()
    assert suggest_closing(gaps(SQL), []) == ()


def test_another_identifier_of_the_same_skill_closes_it():
    missing = [MissingSkill(SQL, "sql", 1.0, also=frozenset({"urn:esco:sql"}))]
    assert [c.offer_id for c in suggest_closing(missing, [offer("x", 1, "urn:esco:sql")])] == ["x"]


catalogues = st.lists(st.tuples(st.integers(1, 9), st.sets(st.integers(0, 5), max_size=4)), max_size=6).map(
    lambda rows: [offer(f"o{n}", hours, *(f"urn:{s}" for s in skills)) for n, (hours, skills) in enumerate(rows)]
)


@settings(deadline=None)
@given(catalogues, st.randoms(use_true_random=False))
def test_it_is_the_smallest_and_shortest_cover_that_trying_all_finds(offers, random):
    missing = gaps(*(f"urn:{n}" for n in range(5)))
    wanted = {m.uri for m in missing} & {uri for o in offers for uri in o.skills}
    covers = (
        (len(some), sum(o.hours for o in some))
        for size in range(len(offers) + 1)
        for some in combinations(offers, size)
        if wanted <= {uri for o in some for uri in o.skills}
    )
    found = suggest_closing(missing, offers)
    hours = {o.id: o.hours for o in offers}
    assert (len(found), sum(hours[c.offer_id] for c in found)) == min(covers)
    shuffled = list(offers)
    random.shuffle(shuffled)
    assert suggest_closing(missing, shuffled) == found


def test_a_hostile_catalogue_ends_with_a_cover(monkeypatch):
    monkeypatch.setattr(room, "STEPS", 200)
    offers = [
        offer("-".join(map(str, triple)), 1 + sum(triple), *(f"urn:{n}" for n in triple))
        for triple in combinations(range(15), 3)
    ]
    found = suggest_closing(gaps(*(f"urn:{n}" for n in range(15))), offers)
    assert {label for c in found for label in c.labels} == {str(n) for n in range(15)}
    assert 5 <= len(found) <= 8
