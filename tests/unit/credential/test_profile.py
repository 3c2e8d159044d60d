"""Two profiles: what others commonly write is forgiven in one, and what a standard says is asked for in the other."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.unit.credential.award_cast import LATER, award, signed, signed_larger, verified, web
from tests.unit.credential.token_cast import award as token_award
from tests.unit.credential.token_cast import resigned, signer

from guildmark.core.report import Verdict
from guildmark.credential.jose import sign_vc_jwt
from guildmark.credential.verify import verify_credentials


def loosely() -> dict[str, Any]:
    """An award as many write one: a set of one without its list."""
    document = award()
    return signed({**document, "evidence": document["evidence"][0]})


def test_a_departure_that_nobody_can_misread_is_told_and_forgiven_or_refused() -> None:
    document = loosely()
    for _ in range(2):  # the second time from what is remembered of the shape
        tolerant, strict = (verified(document, profile=profile) for profile in ("tolerant", "strict"))
        assert tolerant.verdict is Verdict.PASS
        assert tolerant["document.structure"].because["warnings"]
        assert [finding.id for finding in strict.failed()] == ["document.structure"]


def test_what_keeps_to_the_standard_passes_in_both() -> None:
    for document in (signed(award()), json.loads(signed_larger())):
        for profile in ("strict", "tolerant"):
            assert verified(document, profile=profile).verdict is Verdict.PASS


@pytest.mark.parametrize(("profile", "verdict"), [("tolerant", Verdict.PASS), ("strict", Verdict.FAIL)])
def test_a_token_without_the_claim_sub_is_forgiven_or_refused(profile: str, verdict: Verdict) -> None:
    whole = sign_vc_jwt(token_award(), signer())
    assert verified(whole.encode(), profile=profile).verdict is Verdict.PASS
    assert verified(resigned(whole, signer(), sub=None).encode(), profile=profile).verdict is verdict


def test_many_at_once_are_held_to_the_profile_too() -> None:
    documents = [json.dumps(found).encode() for found in (signed(award()), loosely(), loosely())]
    reports = list(verify_credentials(documents, now=LATER, fetcher=web(), profile="strict"))
    assert [getattr(report, "verdict", None) for report in reports] == [Verdict.PASS, Verdict.FAIL, Verdict.FAIL]
