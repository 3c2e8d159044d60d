"""The whole product once, start to finish: read this first.

The story is told through its own commands, on whatever database the tests run on, and then looked at as a verifier, a
learner, an employer and a regulator would.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from guildmark.adapters.documents import DirectoryFetcher
from guildmark.core.report import Verdict
from guildmark.credential.bake import extract
from guildmark.credential.schema import fits, shipped_schemas
from guildmark.credential.structure import kind_of, structure_problems
from guildmark.credential.verify import verify_credential

SCHEMAS = {
    "OpenBadgeCredential": "achievementcredential_schema.json",
    "EndorsementCredential": "endorsementcredential_schema.json",
    "ClrCredential": "clrcredential_schema.json",
}
MEI, SAM, LENA = "mei.tan@example.org", "sam.okafor@example.org", "lena.vogel@example.org"


def _verify(folder, document):
    now = datetime.now(UTC) + timedelta(seconds=1)
    return verify_credential(document, now=now, fetcher=DirectoryFetcher(str(folder / "web")))


def _read(folder, name):
    return json.loads((folder / name).read_bytes())


def test_every_step_leaves_files_and_the_index_says_what_each_shows(told):
    folder, _ = told
    index = _read(folder, "index.json")
    assert {row["step"] for row in index} == set(range(1, 12))
    assert all((folder / row["file"]).is_file() and row["shows"] for row in index)


def test_demand_counts_ads_and_gives_an_interval(told):
    demand = _read(told[0], "1-demand-data.json")
    assert demand["ads"] > 0
    assert demand["source"]
    for line in demand["lines"]:
        assert 0 < line["ads"] <= line["of"] == demand["ads"]
        assert 0 <= line["low"] <= line["share"] <= line["high"] <= 1


def test_the_demand_is_frozen_into_the_blueprint_that_was_published(told):
    from guildmark.app.queries.design import blueprint_value
    from guildmark.app.records import BlueprintVersion

    providers = ("harbour-university", "rhein-academy")
    rows = BlueprintVersion.objects.filter(state="published", provider__slug__in=providers)
    assert rows.count() == 3
    for row in rows:
        demand = blueprint_value(row).demand
        assert demand.intact()
        assert demand.sha256 == _read(told[0], "1-demand-data.json")["sha256"]


def test_the_partner_is_asked_before_it_signs(told):
    from guildmark.app.records import CoDesign, Endorsement

    for row in Endorsement.objects.select_related("blueprint_version", "partner"):
        asked = CoDesign.objects.get(blueprint_version=row.blueprint_version, partner=row.partner)
        assert asked.asked_at <= row.signed_at


def test_changing_the_map_voids_the_signature_and_taking_it_back_restores_it(told):
    folder, _ = told
    assert _read(folder, "3-voided-signature.json")["verdict"] == "fail"
    assert _read(folder, "3-standing-signature.json")["verdict"] == "pass"


@pytest.mark.parametrize("name", ["sql-python-operations", "data-storytelling", "data-protection"])
def test_the_gate_is_open_only_once_people_have_judged(told, name):
    first, last = (_read(told[0], f"4-gate-{name}{end}.json") for end in ("-first", ""))
    assert first["verdict"] != "pass"
    assert last["verdict"] == "pass"
    judged = [f for f in last["findings"] if f["because"].get("judgement")]
    assert judged
    assert all(f["because"]["judgement"]["by"] and f["because"]["judgement"]["reason"] for f in judged)


def test_the_credential_holds_for_anyone_and_a_changed_copy_does_not(told):
    folder, _ = told
    document = (folder / "credential.json").read_bytes()
    report = _verify(folder, document)
    assert report.verdict is Verdict.PASS
    changed = json.loads(document)
    changed["credentialSubject"]["result"][0]["value"] = "100"
    assert _verify(folder, json.dumps(changed).encode()).verdict is Verdict.FAIL


def test_every_document_of_the_demo_is_strictly_as_the_standards_say_and_fits_the_official_schemas(told):
    schemas = {url.rpartition("_v3p0_")[2].rpartition("_v2p0_")[2]: s for url, s in shipped_schemas().items()}
    looked = set()
    for file in sorted(told[0].rglob("*.json")):
        document = json.loads(file.read_bytes())
        kind = kind_of(document) if isinstance(document, dict) else ""
        if kind:
            assert structure_problems(document, "strict") == (), file.name
        if kind in SCHEMAS:
            assert fits(document, schemas[SCHEMAS[kind]]).problems == (), file.name
            looked.add(kind)
    assert looked == set(SCHEMAS)


def test_both_images_hold_the_very_bytes_that_were_signed(told):
    folder, _ = told
    signed = (folder / "6-award" / "credential.json").read_bytes()
    for image in ("badge.png", "badge.svg"):
        assert extract((folder / "6-award" / image).read_bytes()) == signed


def test_an_award_leads_back_to_its_results_its_rule_and_its_markers(told):
    from guildmark.app.records import Award

    folder, _ = told
    credential = _read(folder, "credential.json")
    award = Award.objects.select_related("decision").get(credential_id=credential["id"])
    narrative = next(e["narrative"] for e in credential["evidence"] if e["name"] == "Assessment decision")
    assert str(award.decision_id) in narrative
    assert award.decision.marks_sha256 in narrative
    assert award.decision.enrolment.offering.blueprint_version.version == 1
    markers = {m.marker.username for s in award.decision.enrolment.submissions.all() for m in s.marks.all()}
    assert markers == {"lee", "priya"}


def test_nothing_about_a_learner_is_in_the_log(told):
    from guildmark.app.records import Learner

    folder, _ = told
    public = b"".join(p.read_bytes() for p in (folder / "web" / "log").rglob("*") if p.is_file())
    assert public
    for learner in Learner.objects.all():
        for word in (learner.email, learner.name, str(learner.id)):
            assert word.encode() not in public


def test_every_award_and_every_organisation_event_is_in_the_log(told):
    from guildmark.app.records import Award, LogEntry

    assert not LogEntry.objects.filter(index=None).exists()
    logged = set(LogEntry.objects.filter(kind="issue").values_list("award_id", flat=True))
    assert logged == set(Award.objects.values_list("id", flat=True))
    assert {"key", "endorse", "achievement", "statuslist"} <= set(LogEntry.objects.values_list("kind", flat=True))


def test_a_revoked_credential_names_its_reason(told):
    folder, _ = told
    report = _verify(folder, (folder / "8-status" / "badge.png").read_bytes())
    assert report.verdict is Verdict.FAIL
    assert any("Revoked" in f.says and "issued in error" in f.says for f in report.failed())


def test_without_the_status_list_it_cannot_be_told(told, tmp_path):
    folder, _ = told
    index = _read(folder, "web/index.json")
    kept = {url: facts for url, facts in index.items() if "/status/" not in url}
    (tmp_path / "index.json").write_text(json.dumps(kept))
    for facts in kept.values():
        target = tmp_path / facts["file"]
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((folder / "web" / facts["file"]).read_bytes())
    now = datetime.now(UTC) + timedelta(seconds=1)
    document = (folder / "credential.json").read_bytes()
    report = verify_credential(document, now=now, fetcher=DirectoryFetcher(str(tmp_path)))
    assert report.verdict is Verdict.UNKNOWN


def test_the_certificate_lists_three_components_of_two_providers(told):
    folder, _ = told
    clr = _read(folder, "9-certificate/credential.json")
    inner = clr["credentialSubject"]["verifiableCredential"]
    assert len(inner) == 3
    assert len({c["issuer"]["id"] for c in inner}) == 2
    assert _verify(folder, (folder / "9-certificate" / "credential.json").read_bytes()).verdict is Verdict.PASS


def test_a_certificate_whose_component_was_revoked_no_longer_stands_and_says_why(told):
    from guildmark.app.records import StackClaim

    folder, _ = told
    report = _verify(folder, (folder / "9-reopened" / "credential.json").read_bytes())
    assert report.verdict is Verdict.FAIL
    claim = StackClaim.objects.get(learner__email=SAM)
    assert claim.state == "open"
    assert "Data storytelling and dashboards" in claim.reason
    assert "revoked" in claim.reason
    assert StackClaim.objects.get(learner__email=MEI).state == "earned"


def test_only_people_who_opted_in_are_ranked_and_every_match_has_reasons(told):
    from guildmark.app.records import Learner, MatchDecision

    run = _read(told[0], "10-ranking.json")
    ranked = {row["person_id"] for row in run["matches"]}
    assert ranked <= {str(Learner.objects.get(email=email).id) for email in (MEI, SAM)}
    assert ranked
    assert all(row["reasons"] for row in run["matches"] if row["score"] > 0)
    decision = MatchDecision.objects.get(run__employer__slug="northwind-logistics")
    assert decision.by.username == "omar"
    assert decision.reason


def test_the_review_sees_the_outcome_that_was_consented_to(told):
    signals = _read(told[0], "11-review.json")["signals"]
    assert signals["kinds"] == {"hired": 1}
    assert signals["ratings"] == [5]


def test_withdrawing_consent_takes_the_outcome_out_of_the_review(told):
    from django.db import transaction

    from guildmark.app.queries.organisations import blueprint_version, learner
    from guildmark.app.queries.pathways import review_of
    from guildmark.app.services.people import withdraw_consent

    _, story = told
    row = blueprint_version(story.blueprints["sql-python-operations"]["blueprint"])
    with transaction.atomic():
        withdraw_consent(learner=learner(MEI), purpose="outcomes", now=datetime.now(UTC))
        assert review_of(row).n == 0
        transaction.set_rollback(True)
