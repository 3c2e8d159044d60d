"""Extraction: labels and their forms are found where they stand, longest first; words that mislead are guarded."""

from __future__ import annotations

import time
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.paths import data

from guildmark.skills.ads import JobAd, builtin_ads, read_ads
from guildmark.skills.extract import LONGEST_LABEL, Extractor
from guildmark.skills.framework import Framework, Skill
from guildmark.skills.load import builtin_framework, load_framework
from guildmark.skills.words import BREAK, words_of


def framework_of(*skills):
    """A framework of (label, alternatives, kind); the URI is the label."""
    values = [Skill(f"urn:{label}", label, tuple(others), kind=kind) for label, others, kind in skills]
    return Framework("test", "Test", "1", "none", {s.uri: s for s in values})


TOOLS = framework_of(
    ("SQL", [], "tool"),
    ("Python (computer programming)", [], "tool"),
    ("R", [], "tool"),
    ("C", [], "tool"),
    ("C++", [], "tool"),
    ("C#", [], "tool"),
    ("Go", [], "tool"),
    (".NET", [], "tool"),
    ("Node.js", [], "tool"),
    ("Spreadsheets", ["Excel"], "tool"),
    ("lead", [], "skill"),
    ("Less", ["LESS"], "tool"),
    ("analyse data", ["data analysis"], "skill"),
    ("data quality", [], "knowledge"),
    ("data quality assessment", [], "knowledge"),
    ("manage projects", ["project management"], "skill"),
    ("extract, transform and load", [], "tool"),
    ("health and safety", [], "knowledge"),
    ("marketing", [], "knowledge"),
    ("database", [], "knowledge"),
    ("work in a team", [], "skill"),
    ("solve problems", ["problem-solving"], "skill"),
    ("train control", ["ETCS"], "knowledge"),
)
EXTRACTOR = Extractor(TOOLS)


def mentions(text, extractor=EXTRACTOR):
    return extractor.mentions(JobAd("ad-1", "", "", text))


def found(text, extractor=EXTRACTOR):
    return [(m.words, m.label) for m in mentions(text, extractor)]


def words(text):
    return [m.words for m in mentions(text)]


def test_a_mention_says_which_skill_where_and_in_which_words():
    (mention,) = mentions("We expect Data Analysis.")
    assert (mention.ad_id, mention.skill_uri, mention.label) == ("ad-1", "urn:analyse data", "analyse data")
    assert (mention.words, mention.start, mention.end) == ("Data Analysis", 10, 23)


def test_confidence_falls_from_the_label_to_an_alternative_to_another_form_to_company():
    text = "analyse data; data analysis; analysing data; data analyses. SQL, R"
    assert {m.words: m.confidence for m in mentions(text)} == {
        "analyse data": 1.0,
        "data analysis": 0.9,
        "analysing data": 0.8,
        "data analyses": 0.7,
        "SQL": 1.0,
        "R": 0.6,
    }


@pytest.mark.parametrize(
    "text",
    ["SQLite", "NoSQL", "MySQL2", "sqlé", "Spreadsheetsx", "predatabase", "marketings3", "jobs@sql.com", "https://a.b/sql",
     "www.sql.org", "<SQL>"],
)  # fmt: skip
def test_a_label_inside_another_word_an_address_or_a_mask_is_no_mention(text):
    assert words(text) == []


def test_case_hyphens_line_wraps_articles_and_spelling_do_not_hide_a_label():
    assert words("ANALYSE DATA") == ["ANALYSE DATA"]
    assert words("analyze the data") == ["analyze the data"]
    assert words("Problem solving and problem‑solving") == ["Problem solving", "problem‑solving"]
    assert words("you manage\nprojects") == ["manage\nprojects"]
    assert words("managing our projects") == ["managing our projects"]
    assert words("work in the team") == ["work in the team"]
    assert words("Health & safety") == ["Health & safety"]
    assert words("ana\u00adlyse da\u200bta") == ["ana\u00adlyse da\u200bta"]


@pytest.mark.parametrize(
    "text",
    ["Projects we manage. Data", "manage; projects", "manage, projects", "manage (projects)", "data - analysis",
     "Manage\nProjects", "manage\n\nprojects", "data" + " " * 5 + "analysis", "data. Analysis", "data.Analysis"],
)  # fmt: skip
def test_a_label_does_not_reach_across_punctuation_a_list_or_a_gap(text):
    assert words(text) == []


def test_a_label_with_a_comma_is_found_with_its_comma():
    assert words("we extract, transform and load") == ["extract, transform and load"]
    assert words("we extract transform and load") == []


def test_the_longest_label_wins_even_if_another_begins_before_it():
    assert found("the data quality assessment") == [("data quality assessment", "data quality assessment")]
    assert found("analyse data quality") == [("analyse data", "analyse data")]  # as long as the other, and first
    assert found("analyse data quality assessment") == [("data quality assessment", "data quality assessment")]


def test_names_with_signs_stay_whole():
    assert words("C++, C#, .NET and Node.js") == ["C++", "C#", ".NET", "Node.js"]
    assert words("net income, node js") == ["node js"]


def test_the_note_of_a_label_is_left_away():
    assert found("python") == [("python", "Python (computer programming)")]


def test_one_word_bends_to_its_plural_and_no_further():
    assert words("databases") == ["databases"]
    assert words("the market, marketed, markets") == []
    assert words("cranes etc.") == []  # ETCS is no plural of etc


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Python, R and SQL", ["Python", "R", "SQL"]),
        ("SQL/R", ["SQL", "R"]),
        ("C, Go, R or SQL", ["C", "Go", "R", "SQL"]),  # each vouches for the next
        ("experience with R", ["R"]),
        ("proficiency in Go", ["Go"]),
        ("R scripts", ["R"]),
        ("our R&D works with SQL", ["SQL"]),
        ("R&D, SQL", ["SQL"]),
        ("SQL, r", ["SQL"]),
        ("Go to market. SQL", ["SQL"]),
        ("Go-to-market plans, SQL", ["SQL"]),
        ("plan C", []),
        ("manage projects, R", ["manage projects"]),  # no tool in the list
        ("C-level managers use SQL", ["SQL"]),
    ],
)
def test_labels_of_one_or_two_letters_need_their_case_and_company(text, expected):
    assert words(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("good at Excel", ["Excel"]),
        ("We excel in service", []),
        ("Excel in your career", []),
        ("SQL, excel", ["SQL", "excel"]),
        ("no less than SQL", ["SQL"]),
        ("CSS with LESS", ["LESS"]),
    ],
)
def test_names_that_are_words_too_need_to_be_written_as_names_or_company(text, expected):
    assert words(text) == expected


def test_common_words_never_count_alone():
    assert words("SQL, lead, Lead a team. You lead.") == ["SQL"]


def test_words_that_belong_to_several_skills_mention_each_at_half_the_confidence():
    shared = framework_of(("keep stock", ["stock care"], "skill"), ("count stock", ["stock care"], "skill"))
    both = mentions("stock care", Extractor(shared))
    assert [(m.label, m.confidence) for m in both] == [("count stock", 0.45), ("keep stock", 0.45)]


def test_the_preferred_label_of_one_skill_beats_the_alternative_of_another():
    shared = framework_of(("stock care", [], "skill"), ("count stock", ["stock care"], "skill"))
    assert found("stock care", Extractor(shared)) == [("stock care", "stock care")]


def test_labels_that_cannot_be_looked_for_are_said():
    odd = framework_of(("???", [], "skill"), ("and procedures", [], "skill"), ("x " * (LONGEST_LABEL + 1), [], "skill"))
    assert Extractor(odd).unusable == ("???", "and procedures", "x " * (LONGEST_LABEL + 1))


def test_an_empty_framework_and_an_empty_text_find_nothing():
    assert mentions("SQL", Extractor(framework_of())) == []
    assert mentions("") == []


PIECES = [
    "data",
    "analysis",
    "Data Quality",
    "assessment",
    "R",
    "SQL",
    "C++",
    "&",
    "R&D",
    "managing",
    "projects",
    "the",
]
PIECES += [" ", "\n", "\r\n", ", ", "/", "-", ".", "'", "(", ".net", "a@b.c", "https://x", "<ORG>"]
PIECES += ["assessment", "ß", "İ", "ﬁ", "e\u0301", "\u200b", "\u00ad"]


@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=40).map("".join))
@settings(max_examples=300)
def test_the_words_of_a_mention_are_always_those_of_the_text_in_order_and_apart(text):
    end = 0
    for m in mentions(text):
        assert text[m.start : m.end] == m.words
        assert end <= m.start < m.end
        assert TOOLS.skills[m.skill_uri].label == m.label
        assert 0 < m.confidence <= 1
        end = m.end


STARTER_URIS = st.sampled_from(sorted(builtin_framework().skills))


@given(STARTER_URIS, st.sampled_from(["", "We need ", "(", "\n- "]), st.booleans())
def test_every_label_of_more_than_one_word_is_found_wherever_it_stands_whole(uri, before, shout):
    extractor = _starter()
    skill = builtin_framework().skills[uri]
    for label in (skill.label, *skill.alt_labels):
        if " " in label:
            text = f"{before}{label.upper() if shout else label}."
            assert (len(before), len(before) + len(label), uri) in {
                (m.start, m.end, m.skill_uri) for m in mentions(text, extractor)
            }


@cache
def _starter():
    return Extractor(builtin_framework())


@given(st.text(max_size=300))
def test_words_stand_where_they_say_and_breaks_only_between_them(text):
    row = words_of(text)
    assert not row or (row[0].folded != BREAK and row[-1].folded != BREAK)
    last = 0
    for word in row:
        if word.folded == BREAK:
            assert word.start == word.end
        else:
            assert last <= word.start < word.end <= len(text)
            last = word.end


HOSTILE = {
    "one long word": "a" * 1000,
    "letters and invisible signs": "a" + "\u200b" * 999,
    "the beginnings of a long label": "extract, transform and " * 40,
    "guarded letters without company": "R " * 500,
    "guarded letters in one list": "R, " * 333,
    "spaces": " " * 1000,
    "signs of mail": "@" * 1000,
    "a label again and again": "data quality " * 77,
    "combining marks": "e" + "\u0301" * 999,
    "quotes and dots": "'.-/&" * 200,
}


@pytest.mark.parametrize("unit", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_text_takes_time_in_proportion_to_its_length(unit):
    def cost(times):
        text = unit * times
        began = time.process_time()
        mentions(text)
        return time.process_time() - began

    small = min(cost(10) for _ in range(3))
    # Twenty times the text, which is 200,000 characters; quadratic work would be four hundred times as much.
    assert cost(200) < 80 * small + 0.5


def test_our_own_ads_are_searched_with_correct_places():
    for ad in builtin_ads():
        found_here = _starter().mentions(ad)
        assert found_here, ad.id
        assert all(ad.text[m.start : m.end] == m.words for m in found_here)


def test_all_of_esco_over_all_training_ads_takes_seconds_and_shows_its_words():
    extractor = Extractor(load_framework(data("esco-1.1.1")).framework)
    ads = read_ads(data("train-skillspan") / "train.json.gz").ads
    began = time.process_time()
    total = [(ad, m) for ad in ads for m in extractor.mentions(ad)]
    spent = time.process_time() - began
    assert len(total) > 1_000
    assert all(ad.text[m.start : m.end] == m.words for ad, m in total)
    assert spent < 5  # 0.4 s on the machine this was written on, which is six for 2,000 ads
