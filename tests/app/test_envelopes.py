"""One award, many envelopes: made when somebody asks for one, and all of them hold the same document."""

from __future__ import annotations

import json
import secrets

import pytest

from guildmark.app.queries.published import published_fetcher
from guildmark.app.records import Award, Event
from guildmark.app.services.awards import change_status
from guildmark.app.services.envelopes import EMAIL, NAME, PARTS, RESULTS, in_envelope, made_anew
from guildmark.core.codecs import jcs
from guildmark.core.errors import BrokenInput, NotAllowed
from guildmark.core.report import Report, Verdict
from guildmark.credential.envelope import open_envelope, packed, same_content
from guildmark.credential.verify import verify_credential
from tests.app import cast as world

NOW = world.NOW


def token(award: Award, form: str = "vc-jwt", *, show: tuple[str, ...] = PARTS) -> str:
    return in_envelope(award, form, show=show, entropy=secrets.token_bytes, now=NOW).text


def verified(text: str, **asked: str) -> Report:
    return verify_credential(text.encode(), now=NOW, fetcher=published_fetcher(), **asked)


@pytest.fixture
def award(cast) -> Award:
    return world.awarded(cast).award


def test_every_envelope_of_an_award_holds_the_same_document(award):
    stored, jwt, sd_jwt = bytes(award.document), token(award), token(award, "sd-jwt-vc")
    report = same_content(stored, jwt, sd_jwt, packed(jwt))
    assert report.verdict is Verdict.PASS, [f.says for f in report.findings]


@pytest.mark.parametrize("form", ["vc-jwt", "sd-jwt-vc"])
def test_a_token_verifies_with_what_the_site_publishes_and_names_its_holder(cast, award, form):
    report = verified(token(award, form), recipient=cast.mei.email)
    assert report.verdict is Verdict.PASS, [f.says for f in report.findings if f.verdict is not Verdict.PASS]
    assert report["recipient"].verdict is Verdict.PASS


def test_making_a_token_stores_nothing_and_changes_nothing(award):
    before, events = Award.objects.values().get(), Event.objects.count()
    token(award)
    token(award, "sd-jwt-vc")
    assert Award.objects.values().get() == before
    assert Event.objects.count() == events


def test_a_vc_jwt_comes_out_the_same_and_an_sd_jwt_never_does(award):
    assert token(award) == token(award)
    one, two = token(award, "sd-jwt-vc", show=(NAME,)), token(award, "sd-jwt-vc", show=(NAME,))
    assert not set(one.split("~")) & set(two.split("~")) - {""}


# --- Showing a part ---


@pytest.mark.parametrize("show", [(NAME,), (EMAIL,), (NAME, EMAIL), (NAME, RESULTS), (EMAIL, RESULTS)], ids="-".join)
def test_a_part_that_is_shown_is_there_and_one_that_is_not_is_nowhere(cast, award, show):
    text = token(award, "sd-jwt-vc", show=show)
    document = open_envelope(text).document
    kinds = {entry["identityType"] for entry in document["credentialSubject"]["identifier"]}
    assert ("name" in kinds, "emailAddress" in kinds) == (NAME in show, EMAIL in show)
    assert ("result" in document["credentialSubject"]) is (RESULTS in show)
    assert all((entry.keys() == {"type"}) is (RESULTS not in show) for entry in document["evidence"])
    assert verified(text).verdict is Verdict.PASS
    asked = verified(text, recipient=cast.mei.name)["recipient"]
    assert asked.verdict is (Verdict.PASS if NAME in show else Verdict.UNKNOWN)
    assert same_content(bytes(award.document), text).verdict is Verdict.UNKNOWN


def test_no_result_can_be_read_out_of_a_token_that_keeps_results_back(award):
    """Marks stand in the results, and in the sentence about the decision that is the evidence."""
    told = jcs(dict(open_envelope(token(award, "sd-jwt-vc", show=(NAME,))).document)).decode()
    stored = json.loads(bytes(award.document))
    said = [entry["value"] for entry in stored["credentialSubject"]["result"] if "value" in entry]
    assert said
    assert "decision sha-256" not in told
    assert "achievedLevel" not in told
    assert not [value for value in said if f'"{value}"' in told and len(value) > 3]


def test_a_credential_without_an_end_can_be_shown_in_part_too(cast):
    document = world.sample()
    document["validity_months"] = None
    made = world.award(cast, world.decide(cast, world.publish(cast, document)))[0]
    assert "validUntil" not in json.loads(bytes(made.document))
    assert verified(token(made, "sd-jwt-vc", show=(NAME,))).verdict is Verdict.PASS


# --- What is refused ---


@pytest.mark.parametrize(("state", "code"), [("suspended", "under_review"), ("revoked", "misconduct")])
def test_what_is_not_in_force_is_not_signed_again(cast, award, state, code):
    award = change_status(
        award=award, state=state, code=code, note="", entropy=secrets.token_bytes, actor=cast.ana, now=NOW
    )[0]
    assert made_anew(award) == ()
    with pytest.raises(NotAllowed, match=f"is {state}"):
        token(award)


def test_a_token_made_before_is_revoked_with_the_award(cast, award):
    texts = [token(award), token(award, "sd-jwt-vc", show=(NAME,))]
    change_status(
        award=award, state="revoked", code="misconduct", note="", entropy=secrets.token_bytes, actor=cast.ana, now=NOW
    )
    for text in texts:
        assert verified(text)["status.revocation"].verdict is Verdict.FAIL


def test_mallory_who_changes_what_is_stored_gets_no_signature_under_it(award):
    document = json.loads(bytes(award.document))
    for changed in (
        {**document, "name": "Master of everything"},
        {name: value for name, value in document.items() if name != "proof"},
        {**document, "id": "urn:uuid:00000000-0000-4000-8000-000000000000"},
    ):
        award.document = jcs(changed)
        with pytest.raises(NotAllowed, match="not what its issuer signed"):
            token(award)


@pytest.mark.parametrize(
    ("form", "show", "says"),
    [
        ("vc-jwt-2", PARTS, "there is no form"),
        ("sd-jwt-vc", ("name", "shoe size"), "is no part to show"),
        ("sd-jwt-vc", (RESULTS,), "nobody could tell whose it is"),
        ("sd-jwt-vc", (), "nobody could tell whose it is"),
    ],
    ids=["form", "part", "nobody", "nothing"],
)
def test_what_makes_no_sense_is_refused_in_a_sentence(award, form, show, says):
    with pytest.raises(BrokenInput, match=says):
        token(award, form, show=show)


def test_a_larger_credential_is_shown_whole_or_not_at_all(award):
    award.kind = "clr"
    assert made_anew(award) == ("vc-jwt",)
    with pytest.raises(NotAllowed, match="cannot be shown in part"):
        token(award, "sd-jwt-vc")
