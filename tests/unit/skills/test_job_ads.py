"""Job ads: a user's own as CSV or JSON lines, SkillSpan's; what is wrong with a row is said, the others are read."""

from __future__ import annotations

import gzip
import json
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.paths import data

from guildmark.core.errors import BrokenInput
from guildmark.core.problems import RowProblem
from guildmark.skills.ads import LONGEST_TEXT, JobAd, ReadAds, parse_ads, read_ads

HEADING = "id,title,employer,place,posted,source,text"


def parse(text: str) -> ReadAds:
    return parse_ads(text, where="ads.csv")


def test_an_ad_of_a_csv_file_has_everything_its_row_says():
    (ad,) = parse(f"{HEADING}\n7,Weaver,Loom & Co,Leeds,2026-11-24,our own site,Weave cloth\n").ads
    assert ad == JobAd("7", "Weaver", "Loom & Co", "Weave cloth", date(2026, 11, 24), "Leeds", "our own site")


def test_a_text_is_enough_and_the_id_comes_from_it():
    (ad,) = parse("text\nWeave cloth\n").ads
    assert (ad.title, ad.posted, ad.source) == ("", None, "ads.csv")
    assert ad.id == parse("title,text\nWeaver,Weave cloth\n").ads[0].id
    assert ad.id != parse("text\nWeave more cloth\n").ads[0].id


def test_byte_order_mark_windows_line_ends_semicolons_and_blank_lines_change_nothing(tmp_path):
    file = tmp_path / "ads.csv"
    file.write_bytes('\ufeffid;text;posted\r\n1;"Weave; then\r\nspin";2026-11-24\r\n\r\n;;\r\n2;Spin;\r\n'.encode())
    read = read_ads(file)
    assert read.problems == ()
    assert [(ad.id, ad.text) for ad in read.ads] == [("1", "Weave; then\r\nspin"), ("2", "Spin")]


def test_a_packed_file_is_read(tmp_path):
    file = tmp_path / "ads.jsonl.gz"
    file.write_bytes(gzip.compress(b'{"text": "Weave"}\n'))
    assert read_ads(file).ads[0].text == "Weave"


def test_json_lines_are_read_with_numbers_as_ids_and_nothing_as_nothing():
    rows = [{"id": 7, "title": None, "text": "Weave"}, {"text": "Spin", "posted": "2026-11-24T08:00:00Z", "pay": 1}]
    read = parse("\n".join(json.dumps(row) for row in rows))
    assert (read.ads[0].id, read.ads[0].title) == ("7", "")
    assert read.ads[1].posted == date(2026, 11, 24)


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("1,T,E,P,2026-13-40,,Weave", "row 2, posted: '2026-13-40' is no date; write 2026-11-24"),
        ("1,T,E,P,24.11.2026,,Weave", "row 2, posted: '24.11.2026' is no date; write 2026-11-24"),
        ("1,T,E,P,,,", "row 2, text: is empty; an ad without words asks for nothing"),
        ("1,T,E,P,,,\0", "row 2, text: holds a zero byte; save the file as plain text"),
        ("1,T,E,P,,Weave", "row 2: has 6 cells, the heading 7; put texts with separators in quotes"),
        (f"1,{'T' * 301},E,P,,,Weave", "row 2, title: has 301 characters, at most 300 are read"),
        (f"{'1' * 201},T,E,P,,,Weave", "row 2, id: has 201 characters, at most 200 are read"),
        (f"1,T,E,P,,,{'x' * (LONGEST_TEXT + 1)}", "row 2, text: has 100,001 characters, at most 100,000 are read"),
    ],
)
def test_a_bad_row_is_listed_by_row_and_field_and_the_others_are_read(row, problem):
    read = parse(f"{HEADING}\n0,,,,,,Before\n{row}\n2,,,,,,After\n")
    assert [ad.text for ad in read.ads] == ["Before", "After"]
    assert [str(p) for p in read.problems] == [problem]


def test_a_cell_beyond_all_measure_is_one_bad_row_and_its_lines_are_no_ads():
    novel = "\n".join(f"9,,,,,,line {n} of a novel" for n in range(9_000))
    read = parse(f'{HEADING}\n1,,,,,,Before\n2,,,,,,"{novel}"\n3,,,,,,After\n')
    assert [ad.text for ad in read.ads] == ["Before", "After"]
    assert [(p.row, p.field) for p in read.problems] == [(2, "")]


def test_a_quote_that_is_never_closed_is_listed():
    read = parse(f'{HEADING}\n1,,,,,,Before\n2,,,,,,"Never closed\n3,,,,,,Swallowed\n')
    assert [ad.text for ad in read.ads] == ["Before"]
    assert [p.row for p in read.problems] == [2]
    assert "close the quote" in read.problems[0].says


def test_the_same_ad_twice_counts_once():
    read = parse(f"{HEADING}\n1,,,,,,Weave\n1,,,,,,Weave\n2,,,,,,Weave\n")
    assert [ad.id for ad in read.ads] == ["1"]
    assert [str(p) for p in read.problems] == [
        "row 2, text: is the ad of row 1 again; it counts once",
        "row 3, text: is the ad of row 1 again; it counts once",
    ]


def test_an_id_with_two_texts_is_listed_and_the_first_stays():
    read = parse(f"{HEADING}\n1,,,,,,Weave\n1,,,,,,Spin\n")
    assert [ad.text for ad in read.ads] == ["Weave"]
    assert str(read.problems[0]) == "row 2, id: '1' stands in row 1 with another text; give each ad its own id"


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ('{"text": ["Weave"]}', RowProblem(2, "text", "is list and no text")),
        ('{"text": "Weave", "id": true}', RowProblem(2, "id", "is bool and no text")),
        ('{"text": "half a \\ud83d smile"}', RowProblem(
            2, "", "half a surrogate pair is no character")),
        ('["Weave"]', RowProblem(2, "", "is no JSON object")),
        ('{"text": "Wea', RowProblem(2, "", "is no JSON object on one line")),
        ("[" * 100_000, RowProblem(2, "", "is no JSON object on one line")),
    ],
)  # fmt: skip
def test_a_bad_line_of_json_is_listed_and_the_others_are_read(line, problem):
    read = parse('{"text": "Before"}\n\n' + line + '\n{"text": "After"}')
    assert [ad.text for ad in read.ads] == ["Before", "After"]
    assert read.problems == (problem,)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "ads.csv: is empty; give a CSV file or JSON lines with a column text."),
        ("\n \n", "ads.csv: is empty; give a CSV file or JSON lines with a column text."),
        ("title,body\nWeaver,Weave\n", "ads.csv: has no column 'text'; it needs text."),
        ("text,text\na,b\n", "ads.csv: has the column 'text' twice; keep one of them."),
        ('[{"text": "Weave"}]', "ads.csv: is one JSON list; write one ad on each line, without brackets around them."),
        ('{\n  "text": "Weave"\n}', "ads.csv: its first line is no JSON object; write each ad as one JSON object"),
    ],
)
def test_a_file_that_is_no_table_of_ads_is_one_sentence(text, says):
    with pytest.raises(BrokenInput) as caught:
        parse(text)
    assert str(caught.value).startswith(says)


def test_a_file_that_is_missing_or_no_text_is_one_sentence(tmp_path):
    with pytest.raises(BrokenInput, match=r"none.csv: cannot be read \(No such file or directory\)"):
        read_ads(tmp_path / "none.csv")
    (tmp_path / "ads.csv").write_bytes(b"text\n\xff\n")
    with pytest.raises(BrokenInput, match=r"ads.csv: byte 5 is not UTF-8; save the file as UTF-8\."):
        read_ads(tmp_path / "ads.csv")
    (tmp_path / "ads.csv.gz").write_bytes(b"text\nWeave\n")
    with pytest.raises(BrokenInput, match=r"ads.csv.gz: cannot be read"):
        read_ads(tmp_path / "ads.csv.gz")


@given(st.text(max_size=200))
def test_whatever_the_text_is_ads_come_of_it_or_one_sentence(text):
    try:
        read = parse(text)
    except BrokenInput as problem:
        said = str(problem)
    else:
        said = "ads.csv: "
        assert all(ad.id and ad.text.strip() for ad in read.ads)
    assert said.startswith("ads.csv: ")


def test_sentences_of_skillspan_become_the_ads_they_are_from():
    rows = [
        {"idx": 1, "tokens": ["Senior", "Weaver", "<ORGANIZATION>"], "source": "tech"},
        {"idx": 1, "tokens": ["Date", "posted:", "2021-07-14"], "source": "tech"},
        {"idx": 1, "tokens": ["Weave", "cloth", "."], "source": "house"},
        {"idx": 2, "tokens": "Weave", "source": "tech"},
    ]
    read = parse_ads("\n".join(json.dumps(row) for row in rows), where="data/train.json.gz")
    tech, house = read.ads
    assert tech.id == "skillspan-train-tech-1"
    assert tech.title == "Senior Weaver"
    assert tech.posted == date(2021, 7, 14)
    assert tech.text == "Senior Weaver <ORGANIZATION>\nDate posted: 2021-07-14"
    assert (house.id, house.title, house.text) == ("skillspan-train-house-1", "", "Weave cloth .")
    assert house.source == "SkillSpan train, house (MIT licence)"
    assert read.problems == (RowProblem(4, "tokens", "is no list of words"),)


def test_the_training_sentences_of_skillspan_are_140_ads():
    read = read_ads(data("train-skillspan") / "train.json.gz")
    assert (len(read.ads), read.problems) == (140, ())
    assert sum(ad.posted is not None for ad in read.ads) == 80
