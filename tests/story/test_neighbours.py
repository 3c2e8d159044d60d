"""Around the story: providers, partners and learners of four sectors, so that whoever looks finds every state there is.

What the demo is for is counted here through the queries and records that its pages read.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime

import pytest
from django.test import Client

from guildmark.app.web.home import START_AS


@pytest.fixture
def now(told):
    return datetime.now(UTC)


def _sectors():
    from guildmark.cli.demo.neighbours import facts

    return sorted({course["query"] for course in facts()["course"] if course["query"] != "data"})


def _versions(**filters):
    from guildmark.app.records import BlueprintVersion

    return BlueprintVersion.objects.filter(**filters)


def test_there_are_several_providers_partners_and_learners(told):
    from guildmark.app.records import Learner, Organisation

    assert Organisation.objects.filter(kind="provider", blueprints__state="published").distinct().count() >= 6
    assert Organisation.objects.filter(kind="partner").count() >= 6
    assert Learner.objects.count() >= 20


def test_four_sectors_have_ads_demand_and_a_published_course(told):
    from guildmark.app.queries.design import blueprint_value
    from guildmark.app.records import DemandSnapshot

    assert len(_sectors()) == 4
    queries = {blueprint_value(row).demand.query for row in _versions(state="published")}
    for query in _sectors():
        snapshot = DemandSnapshot.objects.get(query=query)
        assert snapshot.of >= 7
        assert len(snapshot.lines) >= 20
        assert query in queries


def test_the_ads_are_marked_as_invented_and_each_asks_for_several_skills(told):
    from guildmark.app.records import JobAd
    from guildmark.skills.ads import OWN_SOURCE

    ads = JobAd.objects.filter(id__startswith="guildmark-neighbour-ad-")
    assert ads.count() >= 24
    for ad in ads:
        assert ad.source == OWN_SOURCE
        assert ad.employer.endswith("(invented)")
        assert ad.mentions.values("skill_uri").distinct().count() >= 5


def test_a_sector_is_asked_for_what_its_course_teaches(told):
    from guildmark.app.queries.design import blueprint_value

    for row in _versions(state="published").exclude(provider__slug__in=("harbour-university", "rhein-academy")):
        blueprint = blueprint_value(row)
        asked = {uri for uri, _, _ in blueprint.demand.counts}
        assert {a.uri for outcome in blueprint.outcomes for a in outcome.alignments} <= asked


def _last_verdict(version):
    last = version.gate_results.order_by("-seq").first()
    return last.verdict if last is not None else None


def _lines(version):
    """How each partner that was asked, or has signed, stands to the version."""
    from guildmark.app.queries.partner import map_of
    from guildmark.app.records import Organisation

    partners = Organisation.objects.filter(kind="partner").order_by("slug")
    return [line for line in (map_of(partner, version.id) for partner in partners) if line is not None]


def test_a_draft_may_have_met_no_gate_been_refused_by_it_or_be_ready_to_publish(told):
    verdicts = [_last_verdict(row) for row in _versions(state="draft")]
    assert None in verdicts
    assert "fail" in verdicts
    assert "pass" in verdicts


def test_what_failed_at_the_gate_names_what_is_missing(told):
    from guildmark.core.report import Report

    (row,) = [row for row in _versions(state="draft") if _last_verdict(row) == "fail"]
    report = Report.from_json(row.gate_results.latest("seq").report)
    assert {"GM-2", "GM-5"} <= {finding.id for finding in report.failed()}


def test_what_is_ready_to_publish_was_judged_and_what_was_signed_stands(told):
    (row,) = [row for row in _versions(state="draft") if _last_verdict(row) == "pass"]
    assert row.judgements.filter(blueprint_digest=row.digest).exists()
    assert any(line.standing for line in _lines(row))


def test_partners_were_asked_and_have_not_signed_have_signed_or_see_their_signature_void(told):
    lines = [line for row in _versions(state="draft") for line in _lines(row)]
    assert any(line.wanted and not line.signed for line in lines)
    assert any(line.standing for line in lines)
    (void,) = [line for line in lines if line.void]
    assert void.wanted
    assert any(signed.changes for signed in void.signed)


def test_a_second_version_took_the_place_of_a_first_and_both_were_awarded(told):
    from guildmark.app.records import Award

    first, second = _versions(title="Secure web services in Python", state="published").order_by("version")
    assert first.blueprint_id == second.blueprint_id
    assert first.digest != second.digest
    for row in (first, second):
        assert Award.objects.filter(decision__enrolment__offering__blueprint_version=row).exists()


def test_offerings_are_open_scheduled_and_over(told):
    from guildmark.app.records import Offering

    today = datetime.now(UTC).date()
    assert Offering.objects.filter(opens_on__lte=today, closes_on=None).count() >= 5
    assert Offering.objects.filter(opens_on__gt=today).exists()
    assert Offering.objects.filter(closes_on__lt=today).exists()


def test_learners_stand_at_every_stage(told):
    from django.db.models import Count

    from guildmark.app.records import Enrolment

    rows = Enrolment.objects.annotate(
        n_done=Count("done", distinct=True),
        n_work=Count("submissions", distinct=True),
        n_markers=Count("submissions__marks__marker", distinct=True),
        n_decisions=Count("decisions", distinct=True),
    )
    stages = {(min(r.n_done, 1), min(r.n_work, 1), r.n_markers, min(r.n_decisions, 1)) for r in rows}
    assert {
        (0, 0, 0, 0),  # just enrolled
        (1, 0, 0, 0),  # learning
        (1, 1, 0, 0),  # handed in
        (1, 1, 1, 0),  # one marker has marked
        (1, 1, 2, 0),  # both have
        (1, 1, 2, 1),  # decided
    } <= stages


def test_markers_disagree_once_so_that_another_one_has_to_look(told):
    from guildmark.app.queries.assess import marks_of
    from guildmark.app.queries.design import blueprint_value
    from guildmark.app.records import Enrolment
    from guildmark.assess.decision import settle

    open_ones = Enrolment.objects.filter(decisions=None, submissions__marks__isnull=False).distinct()
    needs = {
        settled.needs
        for enrolment in open_ones
        for settled in settle(blueprint_value(enrolment.offering.blueprint_version), marks_of(enrolment))
    }
    assert {"another marker", "marks", "nothing"} <= needs


def test_decisions_are_passed_with_and_without_an_award_and_not_passed(told):
    from guildmark.app.records import Decision

    assert Decision.objects.filter(passed=True, award__isnull=False).exists()
    assert Decision.objects.filter(passed=True, award=None).count() >= 3
    assert Decision.objects.filter(passed=False).exists()


def test_credentials_are_unclaimed_claimed_suspended_revoked_and_expired(told, now):
    from guildmark.app.records import Award

    theirs = Award.objects.exclude(issuer__slug__in=("harbour-university", "rhein-academy"))
    assert theirs.filter(state="valid", claimed_at=None).exists()
    assert theirs.filter(state="valid", claimed_at__isnull=False, valid_until__gt=now).exists()
    assert theirs.filter(state="suspended").exists()
    assert theirs.filter(state="revoked").exists()
    assert theirs.filter(state="valid", valid_until__lt=now).exists()


def test_no_credential_of_a_provider_was_awarded_before_its_course_was_published_or_after_now(told, now):
    from guildmark.app.records import Award

    for award in Award.objects.filter(kind="badge").select_related("decision__enrolment__offering__blueprint_version"):
        enrolment = award.decision.enrolment
        published = enrolment.offering.blueprint_version.published_at
        moments = [published, enrolment.enrolled_at, award.decision.decided_at, award.issued_at, now]
        assert moments == sorted(moments)


def test_a_certificate_is_earned_by_one_learner_and_nearly_by_another(told):
    from guildmark.app.records import StackClaim

    claims = StackClaim.objects.filter(rule="care-team-member")
    assert claims.get(learner__name="Aroha Ngata").award.state == "valid"
    nearly = claims.get(learner__name="Thiago Moura")
    assert nearly.state == "open"
    assert nearly.award is None
    assert "1 of 3 ECTS" in nearly.reason


def test_consents_are_given_and_withdrawn_people_are_ranked_and_outcomes_recorded(told):
    from guildmark.app.records import Consent, Destination, MatchDecision, MatchRun

    assert Consent.objects.filter(withdrawn_at=None).count() >= 6
    assert Consent.objects.filter(withdrawn_at__isnull=False).exists()
    assert MatchRun.objects.values("employer").distinct().count() >= 5
    assert all(run.matches for run in MatchRun.objects.all())
    assert set(MatchDecision.objects.values_list("decision", flat=True)) == {"invite", "decline"}
    assert Destination.objects.values("employer").distinct().count() >= 4


def test_one_credential_is_shared_by_a_link_that_works_until_it_ends(told, now):
    from guildmark.app.records import ShareLink

    link = ShareLink.objects.get()
    assert link.expires_at > now
    assert link.award.learner.name == "Aroha Ngata"


def test_an_organisation_waits_to_be_checked(told):
    from guildmark.app.records import Organisation

    unchecked = [row.slug for row in Organisation.objects.all() if row.facts.get("checked") is False]
    assert unchecked == ["pampa-welding-school"]


@pytest.mark.parametrize("username", [username for username, _, _ in START_AS])
def test_something_waits_for_whoever_is_offered_first(told, now, username):
    from guildmark.app.queries.organisations import person
    from guildmark.app.queries.waiting import waiting_for

    assert waiting_for(person(username), now=now)


@pytest.mark.parametrize("role", ["admin", "designer", "marker", "awarder", "partner"])
def test_something_waits_for_somebody_in_every_role_of_every_kind_of_organisation(told, now, role):
    from guildmark.app.queries.waiting import waiting_for
    from guildmark.app.records import Membership, Organisation

    kind = "partner" if role == "partner" else "provider"
    for organisation in Organisation.objects.filter(kind=kind):
        members = Membership.objects.filter(organisation=organisation, role=role).select_related("person")
        found = [waiting_for(row.person, now=now) for row in members]
        assert not found or any(found), organisation.slug


def test_everybody_of_the_demo_has_a_home_with_one_click(told):
    from guildmark.app.records import Person

    for person in Person.objects.filter(is_superuser=False).order_by("username"):
        client = Client()
        response = client.post("/demo/sign-in", {"username": person.username}, follow=True)
        assert response.status_code == 200
        assert person.name in response.content.decode()


def test_no_mail_and_no_page_carries_an_address_outside_the_examples(told):
    from guildmark.app.records import Learner, OutboxMessage, Person

    text = [Client().get(path).content.decode() for path in ("/", "/learn", "/register")]
    for message in OutboxMessage.objects.all():
        text += [message.to, message.subject, message.body]
    text += [row.email for model in (Person, Learner) for row in model.objects.all()]
    files = [path for path in (told[0] / "web").rglob("*") if path.suffix in ("", ".json")]
    text += [path.read_text(encoding="utf-8", errors="replace") for path in files if path.is_file()]
    hosts = set(re.findall(r"[\w.+-]+@((?:[\w-]+\.)+[a-z]{2,})", "\n".join(text)))
    assert hosts
    assert all(re.search(r"(?:^|\.)example(?:\.(?:org|com|net))?$", host) for host in hosts), hosts


def test_everything_that_was_recorded_is_in_the_log(told):
    from guildmark.app.records import LogEntry

    assert LogEntry.objects.filter(issuer__contains="nordlys").exists()
    assert not LogEntry.objects.filter(index=None).exists()


def test_the_care_certificate_verifies_for_anyone(told):
    from guildmark.adapters.documents import DirectoryFetcher
    from guildmark.app.records import Award
    from guildmark.core.report import Verdict
    from guildmark.credential.verify import verify_credential

    fetcher = DirectoryFetcher(str(told[0] / "web"))
    verdicts = {
        award.learner.name: verify_credential(bytes(award.document), now=datetime.now(UTC), fetcher=fetcher).verdict
        for award in Award.objects.filter(issuer__slug="nordlys-health-college").order_by("issued_at")
    }
    assert verdicts["Aroha Ngata"] is Verdict.PASS
    assert verdicts["Sigrún Jónsdóttir"] is Verdict.FAIL


def test_what_the_neighbours_teach_is_in_the_framework_that_comes_with_guildmark():
    from guildmark.cli.demo.neighbours import blueprint_of, facts
    from guildmark.design.blueprint import read_blueprint

    for course in facts()["course"]:
        assert read_blueprint(json.dumps(blueprint_of(course["key"])).encode()).title == course["title"]
