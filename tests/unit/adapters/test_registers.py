"""Numbers in public registers: how each is written, its check digits, and what ROR answers."""

from __future__ import annotations

import json

import pytest

from guildmark.adapters.registers import SCHEMES, RorRegister, read_number
from guildmark.core.doors import Document, Listed
from guildmark.core.errors import BrokenInput, OutsideFailure


@pytest.mark.parametrize("scheme", sorted(SCHEMES))
def test_each_scheme_takes_its_own_example(scheme):
    assert read_number(scheme, f" {SCHEMES[scheme].example} ") == SCHEMES[scheme].example


@pytest.mark.parametrize(
    ("scheme", "text", "number"),
    [
        ("ror", "https://ror.org/03yrm5c26", "03yrm5c26"),
        ("ror", "ror.org/03YRM5C26", "03yrm5c26"),
        ("abn", "51 824 753 556", "51824753556"),
        ("teqsa", "prv12345", "PRV12345"),
    ],
)
def test_a_number_is_read_however_people_write_it(scheme, text, number):
    assert read_number(scheme, text) == number


@pytest.mark.parametrize(
    ("scheme", "text", "says"),
    [
        ("ror", "03yrm5c27", "check digit"),
        ("abn", "51824753557", "check digit"),
        ("lei", "529900T8BM49AURSDO56", "check digit"),
        ("teqsa", "12345", "not written as"),
        ("other", "", "not written as"),
        ("abn", "５１８２４７５３５５６", "not written as"),
        ("guild", "1", "no scheme"),
    ],
)
def test_a_number_that_cannot_be_one_is_refused_and_says_why(scheme, text, says):
    with pytest.raises(BrokenInput, match=says):
        read_number(scheme, text)


class FakeFetcher:
    def __init__(self, answer):
        self.answer = answer

    def fetch(self, url):
        assert url == "https://api.ror.org/v2/organizations/03yrm5c26"
        if isinstance(self.answer, Exception):
            raise self.answer
        return Document(url, json.dumps(self.answer).encode())


RECORD = {
    "id": "https://ror.org/03yrm5c26",
    "names": [
        {"value": "CDL", "types": ["acronym"]},
        {"value": "A Digital Library", "types": ["label", "ror_display"]},
    ],
    "locations": [{"geonames_details": {"country_code": "US"}}],
    "status": "active",
}
"""Shaped like a record of schema 2.1 (https://ror.readme.io/docs/ror-data-structure), shortened."""


def test_ror_tells_name_country_and_status():
    found = RorRegister(FakeFetcher(RECORD)).look_up("03yrm5c26")
    assert found == Listed("A Digital Library", "https://ror.org/03yrm5c26", True, "US")
    assert not RorRegister(FakeFetcher({**RECORD, "status": "withdrawn"})).look_up("03yrm5c26").active


def test_ror_knows_no_such_number_or_does_not_answer():
    assert RorRegister(FakeFetcher(OutsideFailure("api.ror.org answered 404"))).look_up("03yrm5c26") is None
    with pytest.raises(OutsideFailure, match="503"):
        RorRegister(FakeFetcher(OutsideFailure("api.ror.org answered 503"))).look_up("03yrm5c26")


@pytest.mark.parametrize("record", [[], {}, {**RECORD, "id": "x"}, {**RECORD, "names": []}, {**RECORD, "locations": 1}])
def test_an_answer_that_is_no_record_is_no_answer(record):
    with pytest.raises(OutsideFailure, match="no entry"):
        RorRegister(FakeFetcher(record)).look_up("03yrm5c26")
