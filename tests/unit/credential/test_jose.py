"""Tokens: what is made says what it must, and whatever was changed, left out or made up is refused."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.credential import award_cast as cast
from tests.unit.credential.token_cast import (
    HARBOUR,
    KINDS,
    award,
    forged,
    found,
    parts,
    resigned,
    signer,
)

from guildmark.core.codecs import base64url_decode, base64url_encode, parse_json
from guildmark.core.errors import BrokenInput
from guildmark.core.report import Verdict
from guildmark.credential.jose import (
    MOST_HEADER,
    MOST_PAYLOAD,
    VC_11,
    VC_JOSE,
    VC_JWT,
    check_token,
    claims_of,
    content_of,
    decode,
    encode,
    read_token,
    sign_vc_jwt,
    time_problem,
    write_json,
)
from guildmark.credential.keys import JOSE_NAMES, jwk_of
from guildmark.credential.resolve import FoundKey


def checked(token: str, kind: str = "Ed25519") -> Verdict:
    return check_token(read_token(token), HARBOUR.id, lambda _: found(signer(kind))).verdict


# --- Made ---


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_key_makes_a_token_that_holds(kind):
    token = sign_vc_jwt(award(), signer(kind))
    header, _, _ = parts(token)
    assert header == {"alg": JOSE_NAMES[kind], "kid": signer(kind).key_id, "typ": "JWT"}
    assert checked(token, kind) is Verdict.PASS


def test_the_claims_repeat_the_members_and_the_rest_is_the_credential():
    document = award()
    _, claims, _ = parts(sign_vc_jwt(document, signer()))
    own = {name: claims.pop(name) for name in ("iss", "jti", "nbf", "sub", "exp")}
    assert claims == document
    assert own == {
        "iss": HARBOUR.id,
        "jti": document["id"],
        "nbf": int(cast.NOW.timestamp()),
        "sub": "did:example:zoe",
        "exp": int(cast.NOW.timestamp()) + 1096 * 86400,
    }


def test_a_recipient_without_an_id_gives_no_sub_and_nothing_is_missed():
    token = sign_vc_jwt(cast.award(), signer())
    assert "sub" not in parts(token)[1]
    assert content_of(read_token(token), strict=True).odd == ()
    assert content_of(read_token(token), strict=True).wrong == ()


def test_a_token_of_vc_jose_cose_has_the_credential_and_nothing_else():
    header, claims, _ = parts(sign_vc_jwt(award(), signer("P-256"), form=VC_JOSE))
    assert header["typ"] == "vc+jwt"
    assert claims == award()


def test_the_key_itself_in_the_header_is_the_public_one():
    header, _, _ = parts(sign_vc_jwt(award(), signer("RSA"), with_key=True))
    assert header == {"alg": "RS256", "jwk": jwk_of(signer("RSA")), "typ": "JWT"}
    assert not {"d", "p", "q"} & set(header["jwk"])


@pytest.mark.parametrize("form", [VC_JWT, VC_JOSE])
def test_what_comes_out_of_a_token_is_what_went_in(form):
    content = content_of(read_token(sign_vc_jwt(award(), signer(), form=form)), strict=True)
    assert (content.form, content.document) == (form, award())
    assert content.wrong == content.odd == ()


@pytest.mark.parametrize(
    "change",
    [{"id": 7}, {"issuer": {}}, {"validFrom": None}, {"validFrom": "yesterday"}, {"jti": "urn:x"}, {"exp": 1}],
    ids=str,
)
def test_a_document_that_the_claims_cannot_repeat_is_not_signed(change):
    with pytest.raises(BrokenInput):
        sign_vc_jwt({**award(), **change}, signer())


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "\ud800", {1: 2}, {3}, 2**70], ids=str)
def test_what_is_no_json_is_not_signed(value):
    with pytest.raises(BrokenInput):
        sign_vc_jwt({**award(), "name": value}, signer())


def test_null_is_written_as_it_is():
    assert write_json({"a": None, "b": [1.5, "null"]}, "") == b'{"a":null,"b":[1.5,"null"]}'


def test_other_forms_and_keys_that_have_no_name_in_jose_are_refused():
    with pytest.raises(BrokenInput, match="not made here"):
        sign_vc_jwt(award(), signer(), form=VC_11)

    class Strange:
        key_id, algorithm, public_key = "x:y", "X25519", b""

        def sign(self, message: bytes) -> bytes:
            raise AssertionError("never asked")

    with pytest.raises(BrokenInput, match="cannot sign a token"):
        sign_vc_jwt(award(), Strange())


# --- Changed ---


@pytest.mark.parametrize("kind", KINDS)
def test_a_changed_claim_is_refused(kind):
    token = sign_vc_jwt(award(), signer(kind))
    assert checked(forged(token, claims={"name": "Other"}), kind) is Verdict.FAIL


@settings(deadline=None)
@given(st.data())
def test_a_token_with_any_letter_changed_is_refused(data):
    token = sign_vc_jwt(award(), signer())
    place = data.draw(st.integers(0, len(token) - 1))
    letter = data.draw(st.sampled_from("ABab01-_.+/=~ é").filter(lambda c: c != token[place]))
    changed = token[:place] + letter + token[place + 1 :]
    try:
        verdict = checked(changed)
    except BrokenInput:
        return
    assert verdict is not Verdict.PASS


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "none"},
        {"alg": None},
        {"alg": ["EdDSA"]},
        {"alg": "HS256"},
        {"alg": "ES256"},
        {"alg": "RS256"},
        {"crit": ["b64"], "b64": False},
        {"crit": []},
        {"b64": False},
        {"typ": "kb+jwt"},
        {"typ": "at+jwt"},
        {"typ": "dc+sd-jwt"},
        {"typ": 7},
    ],
    ids=str,
)
def test_a_header_that_asks_for_something_else_does_not_pass(header):
    token = resigned(sign_vc_jwt(award(), signer()), signer(), header=header)
    assert checked(token) is not Verdict.PASS


def test_a_public_key_is_never_used_as_a_shared_secret():
    for alg in ("HS256", "HS384", "HS512"):
        token = forged(sign_vc_jwt(award(), signer("RSA")), header={"alg": alg})
        assert checked(token, "RSA") is Verdict.UNKNOWN


def test_the_name_of_rfc_9864_and_a_media_type_in_full_are_understood():
    token = resigned(sign_vc_jwt(award(), signer()), signer(), header={"alg": "Ed25519", "typ": "application/VC+JWT"})
    assert checked(token) is Verdict.PASS


# --- Keys ---


def asked(token: str, issuer: str = HARBOUR.id) -> list[str]:
    names: list[str] = []

    def find(method: str) -> FoundKey:
        names.append(method)
        return found(signer())

    check_token(read_token(token), issuer, find)
    return names


def test_a_key_is_asked_for_by_its_address_or_as_one_of_the_issuers():
    token = sign_vc_jwt(award(), signer())
    assert asked(token) == [signer().key_id]
    assert asked(forged(token, header={"kid": "#key-9"})) == [f"{HARBOUR.id}#key-9"]
    assert asked(forged(token, header={"kid": "thumb"})) == [f"{HARBOUR.id}#thumb"]
    assert asked(forged(token, header={"kid": None})) == []
    assert asked(forged(token, header={"kid": None}), "did:key:z6Mk") == ["did:key:z6Mk"]
    assert asked(forged(token, header={"kid": None}), "did:jwk:e30") == ["did:jwk:e30#0"]


def test_a_key_that_comes_along_checks_the_signature_and_binds_nobody():
    token = sign_vc_jwt(award(), signer("P-256"), with_key=True)
    check = check_token(read_token(token), HARBOUR.id, lambda _: found(signer()))
    assert check.verdict is Verdict.PASS
    assert check.found is not None
    assert check.found.vouched is Verdict.UNKNOWN
    listed = check_token(
        read_token(token), HARBOUR.id, lambda _: found(signer()), lambda key, _: found(signer("P-256"))
    )
    assert listed.found is not None
    assert listed.found.vouched is Verdict.PASS


@pytest.mark.parametrize("jwk", [{"kty": "oct", "k": "AA"}, {}, 7, {**jwk_of(signer()), "d": "AA"}], ids=str)
def test_a_key_that_comes_along_and_is_none_is_refused(jwk):
    token = resigned(sign_vc_jwt(award(), signer(), with_key=True), signer(), header={"jwk": jwk})
    assert checked(token) is Verdict.FAIL


# --- Claims against members ---


def problems(token: str, **options: Any) -> tuple[tuple[str, ...], tuple[str, ...]]:
    content = content_of(read_token(token), **options)
    return content.wrong, content.odd


@pytest.mark.parametrize("claim", ["iss", "jti", "nbf", "sub", "exp"])
def test_a_claim_that_is_not_the_member_is_wrong_in_every_profile(claim):
    token = sign_vc_jwt(award(), signer())
    for value in ("did:example:other", 1, True, None, [], "1"):
        if value is not None:
            wrong, _ = problems(forged(token, claims={claim: value}))
            assert claim in " ".join(wrong)


@pytest.mark.parametrize("claim", ["iss", "jti", "nbf"])
def test_a_claim_that_must_be_there_is_missed(claim):
    wrong, _ = problems(forged(sign_vc_jwt(award(), signer()), claims={claim: None}))
    assert f"lacks “{claim}”" in wrong[0]


@pytest.mark.parametrize("claim", ["sub", "exp"])
def test_a_claim_that_samples_lack_is_odd_and_in_strict_wrong(claim):
    token = forged(sign_vc_jwt(award(), signer()), claims={claim: None})
    wrong, odd = problems(token)
    assert wrong == ()
    assert f"lacks “{claim}”" in odd[0]
    assert f"lacks “{claim}”" in problems(token, strict=True)[0][0]


def test_header_members_that_open_badges_does_not_have_are_odd_and_in_strict_wrong():
    token = forged(sign_vc_jwt(award(), signer()), header={"x5t": "AA"})
    assert problems(token)[0] == ()
    assert "x5t" in problems(token)[1][0]
    assert "x5t" in problems(token, strict=True)[0][0]
    both = forged(token, header={"x5t": None, "jwk": jwk_of(signer())})
    assert "both" in problems(both)[1][0]


def test_vc_jose_cose_ignores_what_it_does_not_know_and_forbids_vc_and_vp():
    token = sign_vc_jwt(award(), signer(), form=VC_JOSE)
    assert problems(forged(token, header={"x5t": "AA"}, claims={"iat": 1})) == ((), ())
    for name in ("vc", "vp"):
        assert name in problems(forged(token, claims={name: {}}))[0][0]


def test_a_fraction_of_a_second_makes_no_difference_and_a_second_does():
    document = {**award(), "validFrom": "2026-11-24T09:00:00.750Z"}
    token = sign_vc_jwt(document, signer())
    assert problems(token) == ((), ())
    assert problems(forged(token, claims={"nbf": 1795510800.75})) == ((), ())
    assert problems(forged(token, claims={"nbf": 1795510801}))[0] != ()


def test_a_date_of_a_megabyte_is_no_date():
    endless = f"2026-11-24T09:00:00.{'0' * 1_000_000}Z"
    assert problems(resigned(sign_vc_jwt(award(), signer()), signer(), validFrom=endless))[0]
    with pytest.raises(BrokenInput, match="not a date"):
        sign_vc_jwt({**award(), "validUntil": endless}, signer())
    with pytest.raises(BrokenInput, match="not a date"):
        sign_vc_jwt({**award(), "validUntil": [1]}, signer())


def test_the_end_of_a_signature_is_not_the_end_of_the_credential():
    token = forged(sign_vc_jwt(award(), signer(), form=VC_JOSE), claims={"exp": int(cast.NOW.timestamp()) + 5})
    content, claims = content_of(read_token(token)), parts(token)[1]
    assert content.wrong == ()
    assert time_problem(content, claims, cast.NOW) == ""
    assert time_problem(content, claims, cast.LATER) == "the token itself ran out on 2026-11-24"
    beyond = forged(token, claims={"exp": 1e300})
    assert time_problem(content_of(read_token(beyond)), parts(beyond)[1], cast.NOW) == "“exp” is not a date"


# --- VC 1.1 ---


def old(**changes: Any) -> dict[str, Any]:
    vc = {
        "@context": ["https://www.w3.org/2018/credentials/v1"],
        "type": ["VerifiableCredential"],
        "credentialSubject": {"degree": "BSc"},
    }
    claims = {"iss": "did:example:a", "jti": "urn:c", "sub": "did:example:b", "nbf": 0, "exp": 86400, "vc": vc}
    return {**claims, **changes}


def opened(claims: dict[str, Any]) -> Any:
    body = base64url_encode(json.dumps(claims).encode())
    return content_of(read_token(f"{base64url_encode(b'{}')}.{body}.AAAA"))


def test_the_claims_of_a_vc_1_1_token_are_put_back_into_their_places():
    content = opened(old())
    assert (content.form, content.wrong) == (VC_11, ())
    assert content.document == {
        **old()["vc"],
        "id": "urn:c",
        "issuer": "did:example:a",
        "issuanceDate": "1970-01-01T00:00:00Z",
        "expirationDate": "1970-01-02T00:00:00Z",
        "credentialSubject": {"degree": "BSc", "id": "did:example:b"},
    }


@pytest.mark.parametrize(
    "member",
    [
        {"id": "urn:other"},
        {"issuer": {"id": "did:example:other"}},
        {"issuer": "did:example:other"},
        {"credentialSubject": {"id": "did:example:other"}},
        {"credentialSubject": [{}, {}]},
        {"issuanceDate": "1980-01-01T00:00:00Z"},
        {"expirationDate": 7},
    ],
    ids=str,
)
def test_a_vc_1_1_token_that_contradicts_itself_is_wrong(member):
    assert opened(old(vc={**old()["vc"], **member})).wrong


def test_a_token_with_two_credentials_is_wrong():
    assert opened({**old(), **old()["vc"]}).wrong


# --- Read ---


@given(st.binary(max_size=40))
def test_base64url_is_read_back(data):
    assert decode(encode(data), "") == data
    assert encode(data).decode() == base64url_encode(data)


@given(st.text("ABQgwEIMUYckosx048_-+/= \n", max_size=9))
def test_base64url_has_one_text_for_some_bytes(text):
    try:
        data = decode(text.encode(), "")
    except BrokenInput:
        return
    assert encode(data).decode() == text
    assert base64url_decode(text) == data


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=12,
)


def _reading(read: Any, data: bytes) -> Any:
    try:
        return repr(read(data))
    except BrokenInput as problem:
        return problem.what


def _carefully(data):
    """Text has no quick way."""
    return parse_json(data.decode("utf-8-sig", "surrogatepass"))


@given(JSON, st.booleans())
def test_json_is_read_quickly_just_as_it_is_read_slowly(value, close):
    data = json.dumps(value, separators=(",", ":") if close else None, ensure_ascii=False).encode("utf-8", "replace")
    assert _reading(parse_json, data) == _reading(_carefully, data)


@pytest.mark.parametrize(
    "text",
    [
        '{"a":1,"a":1}',
        '{"a":1,"\\u0061":1}',
        "[NaN]",
        "[Infinity]",
        "[1e999]",
        '["\\ud800"]',
        '["\\ud83d\\ude00"]',
        "[" * 99 + "]" * 99,
        "[" * 100 + "]" * 100,
        "[" * 101 + "]" * 101,
        '{"a":' * 101 + "1" + "}" * 101,
        "[" * 5000,
        '["[[[[[[[[[["]',
        "[9007199254740993]",
        "[99999999999999999999]",
        "[123456789012345678901234567890.5]",
        "[-0]",
        "[-0.0]",
        "[1.0]",
        "\ufeff{}",
        "{}x",
        "",
        "9" * 5000,
        "01",
    ],
    ids=lambda text: text[:20],
)
def test_what_orjson_reads_differently_is_read_as_everywhere(text):
    data = text.encode("utf-8", "surrogatepass")
    assert _reading(parse_json, data) == _reading(_carefully, data)


def test_what_is_not_utf_8_is_refused():
    for data in (b'["\xff"]', b'["\xed\xa0\x80"]'):
        with pytest.raises(BrokenInput):
            parse_json(data)


# --- Hostile ---

_DEEP = base64url_encode(b"[" * 200_000)
HOSTILE = {
    "a header of a megabyte": f"{'A' * 1_400_000}.e30.AA",
    "a header just above the bound": f"{base64url_encode(b' ' * (MOST_HEADER + 9))}.e30.AA",
    "a payload above the bound": f"e30.{'A' * (MOST_PAYLOAD * 4 // 3 + 8)}.AA",
    "a deep payload": f"e30.{_DEEP}.AA",
    "very many values": f"e30.{base64url_encode(b'[' + b'1,' * 900_000 + b'1]')}.AA",
    "a deep header": f"{base64url_encode(b'[' * 6000)}.e30.AA",
    "a signature of a megabyte": f"e30.e30.{'A' * 1_000_000}",
    "only dots": "." * 1_000_000,
    "two parts": "e30.e30",
    "four parts": "e30.e30.AA.AA",
    "a list": "e30.W10.AA",
    "a header that is a list": "W10.e30.AA",
    "nothing": "",
    "half a character": "\ud800.e30.AA",
}


@pytest.mark.parametrize("what", HOSTILE)
def test_what_is_no_token_is_one_sentence_soon(what):
    start = time.process_time()
    with pytest.raises(BrokenInput) as caught:
        read_token(HOSTILE[what])
    assert time.process_time() - start < 0.05
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


def test_claims_of_is_what_the_token_repeats():
    assert set(claims_of(cast.award())) == {"iss", "jti", "nbf", "exp"}
