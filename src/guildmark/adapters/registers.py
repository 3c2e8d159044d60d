"""Registers of organisations: the numbers that they give, how such a number is built, and one that can be asked.

Few national registers of education providers answer a program without a contract. Those that do not are looked up by a
named person; the scheme says where. A check digit shows that a number was typed right, and nothing about whose it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from guildmark.core.codecs import parse_json
from guildmark.core.doors import Fetcher, Listed
from guildmark.core.errors import BrokenInput, OutsideFailure

_CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"


@dataclass(frozen=True, slots=True)
class Scheme:
    """A kind of number: how it is written, what its check digits say, and the page where a person looks it up."""

    id: str
    title: str
    pattern: str
    example: str
    page: str
    fits: Callable[[str], bool] = lambda _number: True


def _abn(number: str) -> bool:
    """Australian Business Number: the weighted sum, one taken from the first digit, is a multiple of 89."""
    digits = [int(d) for d in number]
    digits[0] -= 1
    weights = (10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19)
    return sum(d * w for d, w in zip(digits, weights, strict=True)) % 89 == 0


def _lei(number: str) -> bool:
    """Legal Entity Identifier (ISO 17442): letters as 10 to 35, the whole is 1 modulo 97 (ISO 7064)."""
    return int("".join(str(int(c, 36)) for c in number)) % 97 == 1


def _ror(number: str) -> bool:
    """ROR: six characters in Crockford's base 32 after the 0, and two check digits (ISO 7064, modulo 97)."""
    value = 0
    for c in number[:7]:
        value = value * 32 + _CROCKFORD.index(c)
    return 98 - (value * 100) % 97 == int(number[7:])


SCHEMES: Mapping[str, Scheme] = {
    scheme.id: scheme
    for scheme in (
        Scheme("ror", "ROR, Research Organization Registry", r"0[0-9a-hjkmnp-tv-z]{6}[0-9]{2}", "03yrm5c26",
               "https://ror.org/search", _ror),
        Scheme("teqsa", "TEQSA provider ID (Australia)", r"PRV[0-9]{5}", "PRV12345",
               "https://www.teqsa.gov.au/national-register"),
        Scheme("rto", "RTO code (Australia, training.gov.au)", r"[0-9]{4,6}", "45678", "https://training.gov.au"),
        Scheme("cricos", "CRICOS provider code (Australia)", r"[0-9]{5}[A-Z]", "00001A",
               "https://cricos.education.gov.au"),
        Scheme("abn", "ABN, Australian Business Number", r"[0-9]{11}", "51824753556",
               "https://abr.business.gov.au", _abn),
        Scheme("ukprn", "UKPRN (United Kingdom)", r"1[0-9]{7}", "10001234", "https://www.ukrlp.co.uk"),
        Scheme("lei", "LEI, Legal Entity Identifier", r"[0-9A-Z]{18}[0-9]{2}", "529900T8BM49AURSDO55",
               "https://search.gleif.org", _lei),
        Scheme("other", "Another register", r"[A-Za-z0-9][A-Za-z0-9 ./:-]{1,58}", "2026/123", ""),
    )
}  # fmt: skip
"""The schemes by id; `example` is written like a number of that kind and need not be anybody's."""


def read_number(scheme: str, text: str) -> str:
    """The number as its register writes it; BrokenInput for an unknown scheme or a number that cannot be one of it."""
    known = SCHEMES.get(scheme)
    if known is None:
        raise BrokenInput(f"there is no scheme {scheme[:40]!r}", where="scheme", hint=f"one of {', '.join(SCHEMES)}")
    number = text.strip() if scheme == "other" else re.sub(r"[\s.-]", "", text)
    if scheme == "ror":
        number = re.sub(r"^(https?://)?ror\.?org/", "", number.lower())
    elif scheme != "other":
        number = number.upper()
    if not re.fullmatch(known.pattern, number):
        hint = f"write it like {known.example}"
        raise BrokenInput(f"{text.strip()[:60]!r} is not written as this register does", where="number", hint=hint)
    if not known.fits(number):
        raise BrokenInput(f"{number} has a wrong check digit", where="number", hint="compare it figure by figure")
    return number


class RorRegister:
    """ROR, asked through its public API (https://ror.readme.io/docs/rest-api, schema 2.1); no key is needed."""

    name = "ROR"

    def __init__(self, fetcher: Fetcher) -> None:
        self.fetcher = fetcher

    def look_up(self, number: str) -> Listed | None:
        """The entry under this number, whatever its status; None where ROR answers that there is none (404)."""
        try:
            body = self.fetcher.fetch(f"https://api.ror.org/v2/organizations/{number}").body
        except OutsideFailure as problem:
            if str(problem).rstrip(".").endswith("answered 404"):
                return None
            raise
        try:
            record = parse_json(body, where="api.ror.org")
            listed = next(name["value"] for name in record["names"] if "ror_display" in name["types"])
            countries = [place["geonames_details"]["country_code"] for place in record["locations"]]
            if record["id"] != f"https://ror.org/{number}":
                raise ValueError("another record")
            return Listed(
                name=str(listed),
                url=f"https://ror.org/{number}",
                active=record["status"] == "active",
                country=str(countries[0]) if countries else "",
            )
        except (BrokenInput, KeyError, TypeError, ValueError, StopIteration) as problem:
            raise OutsideFailure("ROR answered something that is no entry of its register") from problem
