"""A mistake found after the award: the wrong one is revoked, a right one takes its place, and nothing is rewritten."""

from __future__ import annotations

import secrets
from datetime import timedelta
from uuid import uuid4

import pytest

from guildmark.app.queries.assess import decision_value
from guildmark.app.queries.awards import paper_url, replaced_by, signed_by, signing_key
from guildmark.app.queries.published import published_fetcher
from guildmark.app.records import Award, Decision, Event, Mark, MarkCorrection, OutboxMessage
from guildmark.app.services import corrections, people
from guildmark.app.services.awards import change_status
from guildmark.app.services.corrections import correct_award, reissue_award, renew_award
from guildmark.core.codecs import parse_json
from guildmark.core.errors import BrokenInput, NotAllowed
from guildmark.core.report import Verdict
from guildmark.credential.open_badge import is_recipient
from guildmark.credential.verify import verify_credential
from tests.app import cast as acts
from tests.app.cast import NOW

LATER = NOW + timedelta(days=3)


@pytest.fixture
def made(cast):
    return acts.awarded(cast)


def correct(cast, award, **changes):
    given = {
        "name": award.learner.name,
        "awarded_on": decision_value(award.decision).decided_at.date(),
        "levels": {},
        "reason": "The learner told us.",
        "actor": cast.ana,
        **changes,
    }
    return correct_award(id=uuid4(), decision_id=uuid4(), award=award, entropy=secrets.token_bytes, now=LATER, **given)


def test_a_wrong_name_is_corrected_by_an_award_that_replaces_the_old_one(cast, made):
    before = bytes(made.award.document)
    done = correct(cast, made.award, name="Mei-Lin Tan")
    assert (done.old.state, done.new.state, done.new.replaces) == ("revoked", "valid", done.old)
    assert done.old.status_changes.get().code == "corrected"
    assert bytes(Award.objects.get(pk=made.award.pk).document) == before, "what was signed is never rewritten"
    assert is_recipient(parse_json(done.new.document), name="Mei-Lin Tan")
    assert decision_value(done.new.decision).decided_at == decision_value(done.old.decision).decided_at
    assert replaced_by(done.old.credential_id) == paper_url(done.new)
    assert replaced_by(done.new.credential_id) == ""
    event = Event.objects.get(verb="correct_award")
    assert event.facts == {"changed": ["name"], "replaced_by": done.new.credential_id}
    assert event.organisation == cast.harbour
    assert OutboxMessage.objects.filter(to="mei@example.org").count() == 3, "awarded, revoked, awarded"


def test_a_wrong_day_is_corrected_and_the_row_says_when_that_was_found(cast, made):
    done = correct(cast, made.award, awarded_on=NOW.date() + timedelta(days=1))
    value = decision_value(done.new.decision)
    assert value.decided_at.date() == NOW.date() + timedelta(days=1)
    assert done.new.decision.decided_at == LATER


def test_a_wrong_mark_keeps_what_was_given_beside_what_it_should_have_been(cast, made):
    old = decision_value(made.decision)
    mark = Mark.objects.order_by("id")[0]
    document = made.version.document
    criterion = next(c for a in document["assessments"] for c in a["criteria"] if c["id"] == mark.criterion)
    passing = [level["id"] for level in criterion["levels"]]
    other = Mark.objects.get(submission=mark.submission, criterion=mark.criterion, marker=cast.priya)
    lower = passing[passing.index(criterion["pass_level"])]
    done = correct(cast, made.award, levels={mark.pk: lower, other.pk: lower})
    assert done.old.status_changes.get().code == "result_corrected"
    assert Mark.objects.get(pk=mark.pk).level == "excellent"
    assert MarkCorrection.objects.get(mark=mark).level == lower
    assert decision_value(done.new.decision).percent < old.percent
    assert decision_value(Decision.objects.get(pk=made.decision.pk)) == old


def test_where_the_right_result_is_no_pass_the_award_is_revoked_and_nothing_is_awarded(cast, made):
    lowest = {}
    for assessment in made.version.document["assessments"]:
        for criterion in assessment["criteria"]:
            for mark in Mark.objects.filter(submission__assessment=assessment["id"], criterion=criterion["id"]):
                lowest[mark.pk] = criterion["levels"][0]["id"]
    done = correct(cast, made.award, levels=lowest)
    assert done.new is None
    assert done.old.state == "revoked"
    assert Award.objects.count() == 1


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({}, "Nothing would be different"),
        ({"name": "Other", "reason": " "}, "needs a reason"),
        ({"name": ""}, "name is empty"),
        ({"awarded_on": LATER.date() + timedelta(days=1)}, "still to come"),
        ({"awarded_on": NOW.date() - timedelta(days=400)}, "before the offering opened"),
        ({"levels": {0: "excellent"}}, "on other work"),
    ],
)
def test_a_correction_that_cannot_be_leaves_everything_as_it_was(cast, made, changes, says):
    before = Event.objects.count()
    with pytest.raises((BrokenInput, NotAllowed), match=says):
        correct(cast, made.award, **changes)
    made.award.refresh_from_db()
    assert (made.award.state, Event.objects.count()) == ("valid", before)


def test_a_level_that_the_rubric_does_not_have_is_refused(cast, made):
    with pytest.raises(BrokenInput):
        correct(cast, made.award, levels={Mark.objects.all()[0].pk: "superb"})
    assert not MarkCorrection.objects.exists()


def test_marks_that_become_irreconcilable_decide_nothing(cast, made):
    mark = Mark.objects.order_by("id")[0]
    document = made.version.document
    criterion = next(c for a in document["assessments"] for c in a["criteria"] if c["id"] == mark.criterion)
    with pytest.raises(NotAllowed, match="another marker has to look"):
        correct(cast, made.award, levels={mark.pk: criterion["levels"][0]["id"]})
    made.award.refresh_from_db()
    assert made.award.state == "valid"


def test_an_award_is_corrected_once_and_then_its_replacement(cast, made):
    first = correct(cast, made.award, name="Mei-Lin Tan")
    with pytest.raises(NotAllowed, match="revoked already"):
        correct(cast, made.award, name="Mei Lin Tan")
    second = correct(cast, first.new, name="Mei Lin Tan")
    assert second.new.replaces == first.new


def test_a_name_that_another_provider_signed_is_not_changed_from_here(cast, made):
    other = Award.objects.get(pk=made.award.pk)
    other.pk = uuid4()
    mill = acts.Organisation.objects.get(slug="mill")
    other.credential_id, other.claim_sha256, other.kind, other.decision = "urn:x", "x", "clr", None
    other.issuer, other.status_index = mill, 0 if made.award.status_index else 1
    other.save(force_insert=True)
    with pytest.raises(NotAllowed, match="Another provider"):
        correct(cast, made.award, name="Somebody")


def test_nobody_corrects_their_own_award(cast, made):
    cast.ana.email = made.award.learner.email
    with pytest.raises(NotAllowed, match="their own work"):
        correct(cast, made.award, name="Dr Tan", actor=cast.ana)


# --- Issued anew, and renewed ---


def report_of(award, now=LATER):
    return verify_credential(bytes(award.document), now=now, fetcher=published_fetcher())


def replacing(award):
    """What the document of an award says that it replaces: (id, reason)."""
    because = report_of(award)["document.replaces"].because
    return because["replaces"], because["reason"]


def reissue(cast, award, code="reissued", now=LATER, **changes):
    given = {"actor": cast.ana, "note": "", **changes}
    return reissue_award(
        id=uuid4(), decision_id=uuid4(), award=award, code=code, entropy=secrets.token_bytes, now=now, **given
    )


def renew(cast, award, now=LATER, **changes):
    given = {"actor": cast.ana, "note": "", **changes}
    return renew_award(id=uuid4(), decision_id=uuid4(), award=award, entropy=secrets.token_bytes, now=now, **given)


@pytest.fixture
def ending(cast):
    """An award that is valid for 24 months."""
    version = acts.publish(cast, {**acts.sample(), "validity_months": 24})
    return acts.award(cast, acts.decide(cast, version))[0]


def new_key(cast):
    return people.create_key(organisation=cast.harbour, entropy=secrets.token_bytes(32), now=LATER)


def test_whoever_has_either_learns_of_the_other_and_why(cast, made):
    done = correct(cast, made.award, name="Mei-Lin Tan")
    old, new = report_of(done.old), report_of(done.new)
    assert old.verdict is Verdict.FAIL
    found = old["status.revocation"]
    assert found.says.startswith(
        f"Replaced by a newer credential, {done.new.credential_id}: it said something wrong, and a corrected one takes"
    )
    assert (found.because["replaced by"], found.because["reason"]) == (done.new.credential_id, "corrected")
    assert new.verdict is Verdict.PASS
    assert replacing(done.new) == (done.old.credential_id, "corrected")


def test_a_correction_publishes_its_list_once(cast, made):
    made.award.status_list.refresh_from_db()
    before = made.award.status_list.seq
    correct(cast, made.award, name="Mei-Lin Tan")
    made.award.status_list.refresh_from_db()
    assert made.award.status_list.seq == before + 1


def test_what_replaced_what_is_not_public(cast, made):
    done = correct(cast, made.award, name="Mei-Lin Tan")
    row = done.old.status_list
    row.refresh_from_db()
    number = done.new.credential_id.removeprefix("urn:uuid:")
    assert number not in (bytes(row.published) + bytes(row.published_reasons)).decode()


def test_a_correction_does_not_prolong(cast, ending):
    done = correct(cast, ending, name="Mei-Lin Tan")
    assert done.new.valid_until == ending.valid_until
    assert parse_json(done.new.document)["validUntil"] == parse_json(ending.document)["validUntil"]


def test_after_a_key_was_exposed_the_same_is_signed_by_another(cast, made):
    key = new_key(cast)
    new = reissue(cast, made.award, "key_compromised", note="Seen in a backup.")
    assert (signing_key(made.award), signing_key(new)) == (f"{cast.harbour.did}#key-1", key.key_id)
    made.award.refresh_from_db()
    assert (made.award.state, new.replaces, new.valid_until) == ("revoked", made.award, made.award.valid_until)
    found = report_of(made.award)["status.revocation"]
    assert (found.because["replaced by"], found.because["reason"]) == (new.credential_id, "key_compromised")
    assert replacing(new) == (made.award.credential_id, "key_compromised")
    assert report_of(new).verdict is Verdict.PASS
    old, again = parse_json(made.award.document), parse_json(new.document)
    assert old["credentialSubject"]["result"] == again["credentialSubject"]["result"]
    assert old["awardedDate"] == again["awardedDate"]
    assert Event.objects.get(verb="reissue_award").facts["code"] == "key_compromised"


def test_an_exposed_key_signs_nothing_anew(cast, made):
    with pytest.raises(NotAllowed, match="make a new one first"):
        reissue(cast, made.award, "key_compromised")
    made.award.refresh_from_db()
    assert made.award.state == "valid"
    assert reissue(cast, made.award).replaces == made.award, "for another reason the key may be the same"


def test_a_larger_credential_is_made_up_anew_with_what_took_the_place_of_its_part(cast, made):
    claim = acts.claim_stack(cast, acts.stack_rule(cast))
    was = claim.award
    new = reissue(cast, made.award)
    claim.refresh_from_db()
    was.refresh_from_db()
    assert (was.state, claim.state, claim.award.state, claim.award.replaces) == ("revoked", "earned", "valid", was)
    part = parse_json(claim.award.document)["credentialSubject"]["verifiableCredential"][0]
    assert part["id"] == new.credential_id
    assert replacing(claim.award) == (was.credential_id, "component_revoked")
    assert report_of(was)["status.revocation"].because["replaced by"] == claim.award.credential_id
    assert report_of(claim.award).verdict is Verdict.PASS


def test_a_larger_credential_itself_is_issued_anew(cast, made):
    claim = acts.claim_stack(cast, acts.stack_rule(cast))
    was = claim.award
    new_key(cast)
    new = reissue(cast, was, "key_compromised")
    assert (new.kind, new.replaces, report_of(new).verdict) == ("clr", was, Verdict.PASS)
    assert report_of(was)["status.revocation"].because["replaced by"] == new.credential_id
    made.award.refresh_from_db()
    assert made.award.state == "valid", "what it is made of stands"


def test_a_larger_credential_that_is_no_longer_earned_is_left_as_it_is(cast, made):
    claim = acts.claim_stack(cast, acts.stack_rule(cast))
    change_status(
        award=made.award,
        state="suspended",
        code="appeal",
        note="",
        entropy=secrets.token_bytes,
        actor=cast.ana,
        now=LATER,
    )
    with pytest.raises(NotAllowed, match="no longer earned"):
        reissue(cast, Award.objects.get(pk=claim.award_id))
    assert Award.objects.get(pk=claim.award_id).state == "suspended"


def test_a_renewed_credential_is_valid_for_a_further_term(cast, ending):
    new = renew(cast, ending)
    term = ending.valid_until - NOW
    assert new.valid_until == ending.valid_until + term
    report = report_of(new, ending.valid_until + timedelta(days=1))
    assert report.verdict is Verdict.PASS
    assert parse_json(new.document)["awardedDate"] == parse_json(ending.document)["awardedDate"]
    assert report_of(ending)["status.revocation"].because["reason"] == "renewed"
    assert replacing(new) == (ending.credential_id, "renewed")
    assert renew(cast, new).valid_until == ending.valid_until + 2 * term


def test_the_learner_is_told_what_to_use_from_now_on(cast, ending):
    renew(cast, ending)
    revoked, anew = OutboxMessage.objects.filter(to="mei@example.org").order_by("id")[1:]
    assert "Reason: it was renewed for a further term." in revoked.body
    assert "takes the place of the credential that you had, which no longer holds: it was renewed" in anew.body
    assert "/claim/" in anew.body


@pytest.mark.parametrize("verb", [renew, reissue, correct])
def test_what_has_ended_or_is_revoked_is_not_replaced(cast, ending, verb):
    late = ending.valid_until + timedelta(seconds=1)
    options = {"name": "Somebody else"} if verb is correct else {"now": late}
    if verb is correct:
        Award.objects.filter(pk=ending.pk).update(valid_until=LATER)
    with pytest.raises(NotAllowed, match="ended on"):
        verb(cast, Award.objects.get(pk=ending.pk), **options)
    Award.objects.filter(pk=ending.pk).update(valid_until=late)
    change_status(
        award=ending,
        state="revoked",
        code="misconduct",
        note="",
        entropy=secrets.token_bytes,
        actor=cast.ana,
        now=LATER,
    )
    options.pop("now", None)
    with pytest.raises(NotAllowed, match="revoked already"):
        verb(cast, Award.objects.get(pk=ending.pk), **options)


def test_what_is_suspended_is_not_renewed_and_what_has_no_end_neither(cast, made, ending):
    with pytest.raises(NotAllowed, match="has no end"):
        renew(cast, Award.objects.get(pk=made.award.pk) if made.award.valid_until is None else _endless(made.award))
    change_status(
        award=ending, state="suspended", code="appeal", note="", entropy=secrets.token_bytes, actor=cast.ana, now=LATER
    )
    with pytest.raises(NotAllowed, match="is suspended: end that first"):
        renew(cast, Award.objects.get(pk=ending.pk))


def _endless(award):
    Award.objects.filter(pk=award.pk).update(valid_until=None)
    return Award.objects.get(pk=award.pk)


@pytest.mark.parametrize("verb", [renew, reissue])
def test_nobody_renews_or_issues_anew_their_own(cast, ending, verb):
    cast.ana.email = ending.learner.email
    with pytest.raises(NotAllowed, match="their own work"):
        verb(cast, ending)


def test_a_replacement_that_fails_half_way_changes_nothing(cast, ending, monkeypatch):
    def fail(**_):
        raise NotAllowed("No.")

    monkeypatch.setattr(corrections, "award_credential", fail)
    with pytest.raises(NotAllowed, match="No"):
        renew(cast, ending)
    ending.refresh_from_db()
    assert (ending.state, Decision.objects.count()) == ("valid", 1)
    assert report_of(ending).verdict is Verdict.PASS


def test_another_reason_than_these_is_refused(cast, made):
    with pytest.raises(BrokenInput, match="use key_compromised or reissued"):
        reissue(cast, made.award, "renewed")


def test_what_a_key_signed_and_is_in_force_is_found_larger_credentials_last(cast, made):
    claim = acts.claim_stack(cast, acts.stack_rule(cast))
    key = signing_key(made.award)
    assert signed_by(key, now=LATER) == [made.award, claim.award]
    new_key(cast)
    new = reissue(cast, made.award)
    assert signed_by(key, now=LATER) == [], "the larger one was made up anew with it"
    assert signed_by(signing_key(new), now=LATER)[0] == new
    assert signed_by(f"{key}0", now=LATER) == []
