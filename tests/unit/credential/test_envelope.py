"""One award, many envelopes: each gives back the one document, and any difference between them is named."""

from __future__ import annotations

import base64
import copy
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.credential import award_cast as cast
from tests.unit.credential.others import changed, places
from tests.unit.credential.test_sd_jwt import HIDE, VCT, bytes_in_turn
from tests.unit.credential.token_cast import award, forged, resigned, signer

from guildmark.core.codecs import jcs
from guildmark.core.errors import BrokenInput
from guildmark.core.report import Report, Verdict
from guildmark.credential.envelope import (
    UnknownEnvelope,
    bare_document,
    open_envelope,
    open_token,
    packed,
    same_content,
)
from guildmark.credential.jose import VC_JOSE, VC_JWT, sign_vc_jwt
from guildmark.credential.sd_jwt import present_sd_jwt, sign_sd_jwt


def sd(document: dict[str, Any] | None = None, **options: Any) -> str:
    return sign_sd_jwt(
        document or award(), signer(), **{"hide": HIDE, "randomness": bytes_in_turn(), "vct": VCT, **options}
    )


@cache
def proved() -> dict[str, Any]:
    return cast.signed(award())


def envelopes() -> dict[str, Any]:
    document = award()
    return {
        "data-integrity": proved(),
        "data-integrity as bytes": jcs(proved()),
        "vc-jwt RS256": sign_vc_jwt(document, signer("RSA")),
        "vc-jwt ES256": sign_vc_jwt(document, signer("P-256")),
        "vc-jwt EdDSA": sign_vc_jwt(document, signer()),
        "vc-jwt around a proof": sign_vc_jwt(proved(), signer()),
        "vc-jose": sign_vc_jwt(document, signer(), form=VC_JOSE),
        "vc-jose, packed": packed(sign_vc_jwt(document, signer(), form=VC_JOSE)),
        "sd-jwt-vc": sd(),
        "vc-sd-jwt": sd(vct=""),
        "sd-jwt, packed": packed(sd()),
    }


def test_every_envelope_of_one_award_gives_back_the_one_document():
    for name, envelope in envelopes().items():
        assert jcs(bare_document(open_envelope(envelope))) == jcs(award()), name


def test_the_report_says_that_the_envelopes_hold_the_same():
    report = same_content(*envelopes().values())
    assert report.verdict is Verdict.PASS
    assert len(report.findings) == len(envelopes()) - 1
    assert len({finding.because["sha256"] for finding in report.findings}) == 1
    assert report["content.3"].says == "The vc-jwt holds the same document as the data-integrity."


def differs(report: Report) -> str:
    assert report.verdict is Verdict.FAIL
    return report["content.2"].says


@settings(deadline=None)
@given(st.sampled_from([path for path, _ in places(award())]))
def test_a_difference_anywhere_is_found_and_named(path):
    other = changed(award(), path, lambda value: {"other": 1} if value != {"other": 1} else 2)
    report = same_content(proved(), {**other, "proof": {}})
    assert report.verdict is Verdict.FAIL
    assert str(path[0]) in report["content.2"].says


def test_what_only_looks_alike_is_not_the_same():
    one = {"@context": [], "a": 1, "b": [1, 2], "c": "ü"}
    for change in ({"a": True}, {"a": "1"}, {"b": [2, 1]}, {"b": [1]}, {"c": "u\u0308"}, {"d": None}):
        assert same_content(one, {**one, **change}).verdict is Verdict.FAIL
    assert same_content(one, {"c": "ü", "b": [1.0, 2], "a": 1.0, "@context": []}).verdict is Verdict.PASS


def test_a_token_that_contradicts_itself_is_not_the_same():
    token = forged(sign_vc_jwt(award(), signer()), claims={"jti": "urn:other"})
    assert "contradicts itself" in differs(same_content(award(), token))


def test_an_sd_jwt_that_keeps_something_back_is_unknown_and_never_the_same():
    shown = present_sd_jwt(sd(), show=("/name", "/credentialSubject/result/0"))
    for pair in ((award(), shown), (shown, award()), (shown, shown)):
        assert same_content(*pair).verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("name",), "Other"),
        (("awardedDate",), "2020-01-01T00:00:00Z"),
        (("credentialSubject", "result", 0, "value"), "100"),
        (("credentialSubject", "achievement", "name"), "Other"),
    ],
    ids=str,
)
def test_an_sd_jwt_that_shows_something_else_is_not_the_same(path, value):
    shown = present_sd_jwt(sd(), show=("/name", "/credentialSubject/result/0"))
    other = changed(award(), path, lambda _: value)
    assert same_content(other, shown).verdict is Verdict.FAIL
    assert same_content(shown, other).verdict is Verdict.FAIL


def test_what_is_more_in_the_other_document_is_a_difference_where_nothing_is_kept_back():
    shown = present_sd_jwt(sd(), show=HIDE[1:])  # the name is kept back, at the top
    deeper = copy.deepcopy(award())
    deeper["credentialSubject"]["more"] = 1
    assert "/credentialSubject/more" in differs(same_content(shown, deeper))
    assert same_content(shown, {**award(), "more": 1}).verdict is Verdict.UNKNOWN


def test_one_envelope_is_nothing_to_compare():
    with pytest.raises(BrokenInput, match="two envelopes"):
        same_content(award())


# --- Packed ---


def test_a_packed_token_comes_out_as_it_went_in():
    token = sign_vc_jwt(award(), signer())
    document = packed(token)
    assert document["id"] == f"data:application/vc+jwt,{token}"
    assert open_envelope(document).form == VC_JWT
    assert open_envelope(document).text == token
    coded = base64.b64encode(token.encode()).decode()
    assert open_envelope({**document, "id": f"data:application/vc+jwt;base64,{coded}"}).text == token
    assert packed(sd())["id"].startswith("data:application/dc+sd-jwt,")


@pytest.mark.parametrize(
    "id",
    [
        None,
        7,
        "",
        "https://a.example/x",
        "data:text/plain,x",
        "data:application/vc+jwt,",
        "data:application/vc+jwt,a.b",
    ],
    ids=str,
)
def test_a_packed_token_that_is_none_is_refused(id):
    with pytest.raises(BrokenInput):
        open_envelope({"type": "EnvelopedVerifiableCredential", "id": id})


def test_another_kind_of_envelope_is_told_apart_from_a_broken_one():
    with pytest.raises(UnknownEnvelope):
        open_envelope({"type": "EnvelopedVerifiableCredential", "id": "data:application/vc+cose;base64,2D=="})


def test_an_sd_jwt_without_its_end_is_not_taken_for_a_plain_token():
    token = sd().partition("~")[0]
    untyped = resigned(token, signer(), header={"typ": None})
    inner = {"header": {"typ": None}, "_sd": None, "_sd_alg": None}
    assert "cut off" in open_token(untyped).content.wrong[0]
    assert "cut off" in open_token(resigned(token, signer(), **inner)).content.wrong[0]
