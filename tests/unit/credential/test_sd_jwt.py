"""SD-JWT: any choice of parts can be shown, only what was signed passes, and what is kept back is unknown."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.paths import counted, vectors
from tests.unit.credential import award_cast as cast
from tests.unit.credential.token_cast import HARBOUR, HOLDER, LATER, award, found, parts, resigned, signer

from guildmark.core.codecs import base64url_decode, base64url_encode, jcs
from guildmark.core.errors import BrokenInput
from guildmark.core.report import Verdict
from guildmark.credential.jose import check_token, content_of, read_token, sign_jws
from guildmark.credential.keys import PublicKey, jwk_of
from guildmark.credential.sd_jwt import (
    MOST_DISCLOSURES,
    TYPES,
    SdJwt,
    content_of_sd_jwt,
    disclosures_finding,
    key_binding_finding,
    present_sd_jwt,
    read_sd_jwt,
    sign_sd_jwt,
)

VCT = "https://demo.guildmark.example/types/open-badge"
HIDE = (
    "/name",
    "/evidence",
    "/credentialSubject/result/0",
    "/credentialSubject/result/1",
    "/credentialSubject/result/1/value",
    "/credentialSubject/achievement/criteria/narrative",
)


def bytes_in_turn() -> Any:
    count = iter(range(10**6))
    return lambda size: hashlib.sha256(str(next(count)).encode()).digest()[:size]


@cache
def issued(**options: Any) -> str:
    return sign_sd_jwt(award(), signer(), **{"hide": HIDE, "randomness": bytes_in_turn(), "vct": VCT, **options})


def read(text: str) -> SdJwt:
    return read_sd_jwt(text)


def signature(text: str) -> Verdict:
    token = read(text).token
    return check_token(token, HARBOUR.id, lambda _: found(signer()), types=TYPES).verdict


# --- Made ---


def test_with_everything_shown_it_is_the_same_document():
    whole = read(issued())
    assert whole.trouble == ""
    assert whole.hidden == ()
    assert jcs(content_of_sd_jwt(whole).document) == jcs(award())
    assert content_of_sd_jwt(whole).wrong == ()
    assert signature(issued()) is Verdict.PASS


def test_the_payload_is_the_credential_with_its_claims_and_nothing_of_what_can_be_hidden():
    header, claims, _ = parts(issued(holder=HOLDER))
    assert header == {"alg": "EdDSA", "kid": signer().key_id, "typ": "dc+sd-jwt"}
    assert {name for name in claims if name not in award()} == {
        *("iss", "nbf", "exp", "sub", "vct", "cnf", "_sd", "_sd_alg")
    }
    assert claims["vct"] == VCT
    assert claims["cnf"] == {"jwk": jwk_of(HOLDER)}
    assert "name" not in claims
    assert award()["evidence"][0]["description"] not in json.dumps(claims)
    assert claims["_sd"] == sorted(claims["_sd"])


def test_without_a_type_it_is_one_of_vc_jose_cose():
    header, claims, _ = parts(issued(vct=""))
    assert header["typ"] == "vc+sd-jwt"
    assert "vct" not in claims


def test_the_same_salts_make_the_same_token_and_each_salt_is_another():
    again = sign_sd_jwt(award(), signer(), hide=HIDE, randomness=bytes_in_turn(), vct=VCT)
    assert again == issued()
    salts = [json.loads(base64url_decode(part))[0] for part in issued().split("~")[1:-1]]
    assert len(set(salts)) == len(salts) == len(HIDE)
    assert all(len(base64url_decode(salt)) == 16 for salt in salts)


def test_decoys_stand_beside_every_digest_and_also_in_hidden_parts():
    text = issued(decoys=3, hide=("/name", "/evidence/0", "/evidence/0/name", "/evidence"))
    _, claims, _ = parts(text)
    assert len(claims["_sd"]) == 2 + 3
    inner = [json.loads(base64url_decode(part)) for part in text.split("~")[1:-1]]
    (entry,) = [value for value in inner if len(value) == 2]
    assert len(entry[1]["_sd"]) == 1 + 3
    assert entry[1]["_sd"] == sorted(entry[1]["_sd"])


def test_an_identifier_that_is_hidden_is_not_told_by_a_claim():
    _, claims, _ = parts(issued(hide=("/credentialSubject/id",)))
    assert "did:example:zoe" not in json.dumps(claims)


@pytest.mark.parametrize(
    "place",
    [
        *("/issuer", "/issuer/name", "/@context", "/@context/0", "/type", "/validUntil", "/credentialStatus"),
        *("/relatedResource/0", "/credentialSubject", "/nothing", "/evidence/99", "/evidence/x", "/evidence/-1"),
        *("/evidence/²", "name", "", "/", "/name/0"),
    ],
)
def test_what_a_verifier_decides_by_and_what_is_not_there_cannot_be_hidden(place):
    with pytest.raises(BrokenInput):
        issued(hide=(place,))


@pytest.mark.parametrize(
    "change", [{"_sd": []}, {"name": {"...": "x"}}, {"vct": "x"}, {"cnf": {}}, {"proof": {}}], ids=str
)
def test_a_document_with_a_reserved_name_is_not_signed(change):
    with pytest.raises(BrokenInput):
        sign_sd_jwt({**award(), **change}, signer(), hide=(), randomness=bytes_in_turn())


# --- Shown ---


def removed(document: Any, hide: str) -> None:
    *way, last = hide.removeprefix("/").split("/")
    for step in way:
        if isinstance(document, list) and int(step) >= len(document):
            return
        document = document[int(step)] if isinstance(document, list) else document.get(step, {})
    if isinstance(document, list):
        del document[int(last)]
    else:
        document.pop(last, None)


@settings(deadline=None)
@given(st.sets(st.sampled_from(HIDE)))
def test_any_choice_of_parts_holds_and_shows_just_these(show):
    text = present_sd_jwt(issued(), show=show)
    shown = read(text)
    assert shown.trouble == ""
    assert signature(text) is Verdict.PASS
    wanted = json.loads(jcs(award()))
    inner, outer = "/credentialSubject/result/1/value", "/credentialSubject/result/1"
    seen = set(show) | ({outer} if inner in show else set()) | ({inner} if outer in show else set())
    for place in sorted(set(HIDE) - seen, reverse=True):
        removed(wanted, place)
    assert content_of_sd_jwt(shown).document == wanted
    assert bool(shown.hidden) is (seen != set(HIDE))


def test_what_is_kept_back_is_told_as_advice_and_never_as_passed():
    first, second = disclosures_finding(read(present_sd_jwt(issued(), show=("/name",))))
    assert (first.id, first.verdict) == ("proof.disclosures", Verdict.PASS)
    assert (second.id, second.verdict, second.required) == ("document.shown", Verdict.UNKNOWN, False)
    assert second.because["in"] == [
        "/credentialSubject/achievement/criteria",
        "/credentialSubject/result",
        "",
    ]
    assert [f.verdict for f in disclosures_finding(read(issued()))] == [Verdict.PASS, Verdict.PASS]


def test_what_cannot_be_kept_back_cannot_be_asked_for():
    with pytest.raises(BrokenInput, match="not a part"):
        present_sd_jwt(issued(), show=("/issuer",))


# --- Changed ---


def pieces(text: str) -> tuple[str, list[str], str]:
    token, *shown, bound = text.split("~")
    return token, shown, bound


def disclosure(*value: Any) -> str:
    return base64url_encode(json.dumps(value).encode())


def digest(text: str) -> str:
    return base64url_encode(hashlib.sha256(text.encode()).digest())


def troubles() -> Iterator[tuple[str, str]]:
    token, shown, _ = pieces(issued())
    yield "a changed value", "~".join([token, *shown[:-1], disclosure("salt", "name", "Other"), ""])
    yield "a part that nobody signed", "~".join([token, *shown, disclosure("salt", "gpa", 4), ""])
    yield "a part twice", "~".join([token, *shown, shown[0], ""])
    yield "an element without its object", "~".join([token, *[s for s in shown if len(base64url_decode(s)) < 60], ""])

    def made(claims: dict[str, Any], *disclosures: str) -> str:
        payload = {**claims, "iss": HARBOUR.id}
        return "~".join([sign_jws(payload, signer(), "dc+sd-jwt", "test"), *disclosures, ""])

    name = disclosure("s", "name", "Zoë")
    yield "a digest twice in one object", made({"_sd": [digest(name)] * 2}, name)
    yield "a digest twice in two objects", made({"_sd": [digest(name)], "a": {"_sd": [digest(name)]}}, name)
    yield "a digest twice, not shown", made({"_sd": [digest(name)], "a": {"_sd": [digest(name)]}})
    yield "a member that stands there already", made({"name": "x", "_sd": [digest(name)]}, name)
    for bad in ("_sd", "...", "iss", "nbf", "exp", "cnf", "vct", "status", 7, None):
        part = disclosure("s", bad, "x")
        yield f"a member called {bad}", made({"_sd": [digest(part)]}, part)
    for value in (["s"], ["s", "n"], ["s", "n", 1, 2], [7, "n", 1], []):
        part = disclosure(*value)
        yield f"a member made of {value}", made({"_sd": [digest(part)]}, part)
    part = disclosure("s", "n", 1)
    yield "an element made of three", made({"list": [{"...": digest(part)}]}, part)
    yield "an element with more in it", made({"list": [{"...": "x", "more": 1}]})
    yield "an object called ...", made({"a": {"...": "x"}})
    yield "digests that are none", made({"_sd": "x"})
    yield "a digest that is none", made({"_sd": [7]})
    yield "an element whose digest is none", made({"list": [{"...": 7}]})
    yield "another kind of digest", made({"_sd_alg": "md5"})
    yield "a kind of digest that is none", made({"_sd_alg": ["sha-256"]})
    nested: Any = "deep"
    chain: list[str] = []
    for _ in range(120):
        chain.append(disclosure("s", "a", nested))
        nested = {"_sd": [digest(chain[-1])]}
    yield "parts within parts without end", made({"a": nested}, *chain)


TROUBLES = dict(troubles())


@pytest.mark.parametrize("what", TROUBLES)
def test_what_is_shown_must_be_what_was_signed(what):
    got = read(TROUBLES[what])
    assert got.trouble
    (finding,) = disclosures_finding(got)
    assert finding.verdict is Verdict.FAIL
    assert finding.says.endswith(".")


@settings(deadline=None)
@given(st.data())
def test_an_sd_jwt_with_any_letter_changed_is_refused(data):
    text = issued()
    place = data.draw(st.integers(0, len(text) - 2))
    letter = data.draw(st.sampled_from("ABab01-_.~").filter(lambda c: c != text[place]))
    changed = text[:place] + letter + text[place + 1 :]
    try:
        got = read(changed)
    except BrokenInput:
        return
    assert got.trouble or got.key_binding or signature(changed) is not Verdict.PASS


def test_an_sd_jwt_whose_end_was_cut_off_is_no_plain_token():
    token = issued().partition("~")[0]
    check = check_token(read_token(token), HARBOUR.id, lambda _: found(signer()))
    assert check.verdict is Verdict.FAIL
    assert "_sd" in content_of(read_token(token)).document


HOSTILE = {
    "too many parts": "e30.e30.AA" + "~W10" * (MOST_DISCLOSURES + 1) + "~",
    "far too many parts": "e30.e30.AA" + "~" * 1_000_000,
    "a part that is no base64": "e30.e30.AA~!~",
    "a part that is no json": f"e30.e30.AA~{base64url_encode(b'{')}~",
    "a part that is no list": "e30.e30.AA~e30~",
    "a deep part": f"e30.e30.AA~{base64url_encode(b'[' * 100_000)}~",
    "no end": "e30.e30.AA",
    "too large": "e30.e30.AA~" + "A" * 3_000_000 + "~",
}


@pytest.mark.parametrize("what", HOSTILE)
def test_what_is_no_sd_jwt_is_one_sentence_soon(what):
    start = time.process_time()
    with pytest.raises(BrokenInput) as caught:
        read(HOSTILE[what])
    assert time.process_time() - start < 0.05
    assert "\n" not in str(caught.value)


def test_as_many_parts_as_may_be_are_put_into_place_soon():
    shown = [disclosure(f"s{n}", f"n{n}", n) for n in range(MOST_DISCLOSURES)]
    token = sign_jws({"_sd": [digest(part) for part in shown]}, signer(), "dc+sd-jwt", "test")
    start = time.process_time()
    got = read("~".join([token, *shown, ""]))
    assert time.process_time() - start < 0.05
    assert len(got.claims) == MOST_DISCLOSURES


def test_other_digests_of_the_registry_are_understood():
    for name, kind in (("sha-384", hashlib.sha384), ("sha-512", hashlib.sha512)):
        part = disclosure("s", "name", "Zoë")
        payload = {"_sd": [base64url_encode(kind(part.encode()).digest())], "_sd_alg": name}
        got = read(f"{sign_jws(payload, signer(), 'dc+sd-jwt', 'test')}~{part}~")
        assert got.claims == {"name": "Zoë"}


# --- The holder ---


def presented(**changes: Any) -> str:
    options = {"holder": HOLDER, "audience": "https://employer.example", "nonce": "n-1", "at": cast.NOW}
    return present_sd_jwt(issued(holder=HOLDER), show=("/name",), **{**options, **changes})


def holder(text: str, audience: str | None = "https://employer.example", nonce: str | None = "n-1") -> Any:
    return key_binding_finding(read(text), audience=audience, nonce=nonce, now=LATER)


def test_a_presentation_signed_by_its_holder_passes_where_it_was_asked_for():
    assert holder(presented()).verdict is Verdict.PASS
    assert signature(presented()) is Verdict.PASS


def test_a_presentation_for_another_or_at_another_time_is_refused():
    assert holder(presented(), audience="https://other.example").verdict is Verdict.FAIL
    assert holder(presented(), nonce="n-2").verdict is Verdict.FAIL
    assert holder(presented(at=cast.NOW.replace(year=2030))).verdict is Verdict.FAIL


def test_a_presentation_that_nobody_signed_is_refused_where_that_was_asked_for():
    bare = present_sd_jwt(issued(holder=HOLDER), show=("/name",))
    assert holder(bare).verdict is Verdict.FAIL
    assert holder(bare, None, None).verdict is Verdict.NOT_APPLICABLE


def test_for_whom_it_was_signed_is_unknown_where_nobody_asked():
    finding = holder(presented(), None, None)
    assert (finding.verdict, finding.required) == (Verdict.UNKNOWN, False)
    assert holder(presented(), nonce=None).verdict is Verdict.UNKNOWN
    assert holder(presented(), audience=None).verdict is Verdict.PASS


def test_a_holder_who_signed_for_another_choice_is_refused():
    token, shown, bound = pieces(presented())
    more = pieces(issued(holder=HOLDER))[1]
    assert holder("~".join([token, *more, bound])).verdict is Verdict.FAIL
    assert holder("~".join([token, bound])).verdict is Verdict.FAIL
    assert len(shown) == 1


def test_another_key_than_the_one_it_was_issued_to_is_refused():
    assert holder(presented(holder=signer("P-256"))).verdict is Verdict.FAIL
    unbound = present_sd_jwt(issued(), show=(), holder=HOLDER, audience="a", nonce="n", at=cast.NOW)
    assert holder(unbound, "a", "n").verdict is Verdict.FAIL


@pytest.mark.parametrize(
    "change",
    [
        {"header": {"typ": "JWT"}},
        {"header": {"alg": "none"}},
        {"aud": 7},
        {"nonce": None},
        {"iat": None},
        {"sd_hash": "x"},
    ],
    ids=str,
)
def test_a_holders_signature_with_something_else_in_it_is_refused(change):
    token, shown, bound = pieces(presented())
    again = resigned(bound, HOLDER, **change)
    assert holder("~".join([token, *shown, again])).verdict is Verdict.FAIL


def test_a_holders_signature_that_is_none_is_refused():
    assert holder(presented()[:-90]).verdict is Verdict.FAIL
    assert holder(issued(holder=HOLDER) + "x.y.z").verdict is Verdict.FAIL


def test_a_holder_signs_for_somebody():
    with pytest.raises(BrokenInput, match="for an audience"):
        presented(nonce="")


# --- Vectors ---


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, str):
        yield value


def test_the_examples_of_openid4vp_are_read_and_hold():
    rows = json.loads((vectors("openid") / "openid4vp-1.0-examples.json").read_text())
    whole, presentation = (
        "".join(rows[f"sd_jwt_vcld/01/sd_jwt_{file}.txt"]["_text"].split()) for file in ("issuance", "presentation")
    )
    assert read(whole).trouble == read(presentation).trouble == ""
    assert not read(whole).hidden
    kb = read_token(read(presentation).key_binding)
    finding = key_binding_finding(read(presentation), audience=kb.claims["aud"], nonce=kb.claims["nonce"], now=cast.NOW)
    assert finding.verdict is Verdict.PASS
    counted("openid", [f"openid4vp sd_jwt_vcld {file}" for file in ("issuance", "presentation")])


def test_the_sd_jwt_of_the_openid4vci_response_is_read():
    texts = _texts(json.loads((vectors("openid") / "openid4vci-1.0-examples.json").read_text()))
    (text,) = [text for text in texts if "dc+sd-jwt" not in text and text.count("~") > 5]
    body = "".join(text[text.index("{") :].split())
    got = read(json.loads(body)["credentials"][0]["credential"])
    assert got.trouble == ""
    assert got.shown
    assert got.vct
    counted("openid", "openid4vci credential_response_sd_jwt_vc")


def test_the_sd_jwt_of_the_w3c_suite_holds():
    rows = json.loads((vectors("w3c-vc-jose-cose-suite") / "inputs.json").read_text())
    got = read(rows["credential-sdjwt-selective.txt"].strip())
    key = PublicKey.from_jwk("https://example.issuer/vc-jose-cose#key-2", rows["vm-p384.json"]["publicKeyJwk"])
    owner = "https://example.issuer/vc-jose-cose"
    entry = found(signer())
    known = type(entry)(key, owner, Verdict.PASS, "")
    assert check_token(got.token, owner, lambda _: known, types=TYPES).verdict is Verdict.PASS
    assert got.trouble == ""
    counted("w3c-vc-jose-cose-suite", "credential-sdjwt-selective.txt")


def test_the_document_that_is_signed_stays_as_it_is():
    document = award()
    before = jcs(document)
    sign_sd_jwt(document, signer(), hide=HIDE, randomness=bytes_in_turn(), decoys=2)
    assert jcs(document) == before
