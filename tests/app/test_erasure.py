"""Somebody who was erased is nowhere, and everything that others rely on stands."""

from __future__ import annotations

import secrets
from datetime import timedelta
from uuid import uuid4

import pytest
from click.testing import CliRunner
from django.apps import apps
from django.core import mail
from django.db import connection

from guildmark.app.doors import blob_store
from guildmark.app.queries.awards import award_by_claim, holder_files
from guildmark.app.queries.organisations import learner as find
from guildmark.app.queries.published import published_fetcher
from guildmark.app.records import (
    Award,
    Consent,
    Event,
    Learner,
    LogEntry,
    OutboxMessage,
    Person,
    StatusList,
    Submission,
)
from guildmark.app.services import assess, awards, erasure, pathways, people
from guildmark.app.services.ledger import log, publish_checkpoint
from guildmark.app.services.mail import deliver_due
from guildmark.app.services.recovery import forget_orphans
from guildmark.cli import cli
from guildmark.core.errors import BrokenInput, NotAllowed, OutsideFailure
from guildmark.core.report import Verdict
from guildmark.credential.verify import verify_credential
from guildmark.ledger.receipt import ledger_findings
from tests.app import cast as world

NOW = world.NOW
NAME, ADDRESS = "Zenobia Quillfeather", "zenobia.quillfeather@example.org"


@pytest.fixture
def cast(real_database, settings, tmp_path):
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    settings.EMAIL_FILE_PATH = tmp_path / "mail"
    return world.cast()


@pytest.fixture
def root(cast):
    return Person.objects.create_superuser("root", "root@example.org", "a long password", id=uuid4())


@pytest.fixture
def zenobia(cast):
    """Somebody about whom the site knows all that it can know of anybody: `learner`, `award`, `document`, `token`."""
    learner = world.learner(ADDRESS, NAME)
    learner.person = Person.objects.create(id=uuid4(), username=ADDRESS, name=NAME, email=ADDRESS, first_name="Zenobia")
    learner.save()
    version = world.publish(cast)
    enrolment = world.enrol(cast, version, learner)
    works = world.hand_in(enrolment)
    assess.submit_work(
        id=uuid4(), enrolment=enrolment, assessment=works[0].assessment, title=f"Report of {NAME}",
        media_type="text/plain", body=f"{NAME} wrote this.".encode(), now=NOW,
    )  # fmt: skip
    for work in works:
        assessment = next(a for a in version.document["assessments"] if a["id"] == work.assessment)
        for criterion in assessment["criteria"]:
            for marker in (cast.lee, cast.priya):
                assess.record_mark(
                    submission=work, criterion=criterion["id"], level="excellent", comment=f"{NAME} did well.",
                    marker=marker, now=NOW,
                )  # fmt: skip
    decision, _ = assess.record_result(id=uuid4(), enrolment=enrolment, actor=cast.ana, now=NOW)
    award, token = world.award(cast, decision)
    deliver_due(now=NOW)
    people.give_consent(learner=learner, purpose="matching", now=NOW)
    claim = world.claim_stack(cast, world.stack_rule(cast), learner)
    for state, code in (("suspended", "under_review"), ("valid", "review_closed")):
        awards.change_status(
            award=award, state=state, code=code, note=f"{NAME} asked.", entropy=secrets.token_bytes, actor=cast.ana,
            now=NOW,
        )  # fmt: skip
    ad = apps.get_model("guildmark", "JobAd").objects.filter(mentions__label="SQL").first()
    run = pathways.rank_candidates(
        id=uuid4(), ad=ad, framework_id="guildmark", employer=cast.northwind, actor=cast.omar, now=NOW
    )
    pathways.decide_match(run=run, learner=learner, decision="invite", reason=f"{NAME} fits.", actor=cast.omar, now=NOW)
    publish_checkpoint()
    award.refresh_from_db()
    made = world.SimpleNamespace(learner=learner, award=award, token=token, claim=claim, run=run)
    made.document, made.receipt, made.larger = bytes(award.document), award.receipt, bytes(claim.award.document)
    return made


def _erase(made, root):
    return erasure.erase_learner(learner=made.learner, entropy=secrets.token_bytes, actor=root, now=NOW)


def _tells_of(text):
    """Every place in the database, file by file and column by column, and in HOME, that holds the text."""
    found = []
    for model in apps.get_models():
        for row in model._default_manager.all():
            for field in model._meta.concrete_fields:
                value = getattr(row, field.attname)
                if text in (value.decode("latin-1") if isinstance(value, bytes) else str(value)):
                    found.append(f"{model.__name__}.{field.attname}")
    return found


def _bytes_of(text, folder):
    return [path for path in folder.rglob("*") if path.is_file() and text.encode() in path.read_bytes()]


def test_no_byte_of_name_or_address_is_left_in_the_database_or_in_home(zenobia, root, home):
    told = [word for word in (NAME, ADDRESS, zenobia.token) if _bytes_of(word, home) or _tells_of(word)]
    assert told == [NAME, ADDRESS, zenobia.token], "they are there before, or the test looks in the wrong place"
    erased = _erase(zenobia, root)
    assert erased.awards == 2
    assert erased.kept == ()
    for word in (NAME, ADDRESS, "Zenobia", "Quillfeather", zenobia.token, zenobia.document.decode()[:200]):
        assert _tells_of(word) == []
        assert _bytes_of(word, home) == []
    if connection.vendor == "sqlite":
        assert (home / "real.sqlite3").exists(), "the file was among those that were read"


def test_the_log_is_sound_and_the_leaf_matches_nothing_that_is_left(zenobia, root):
    leaves = list(LogEntry.objects.order_by("id").values_list("leaf", flat=True))
    _erase(zenobia, root)
    publish_checkpoint()
    assert log().fsck().verdict is Verdict.PASS
    assert list(LogEntry.objects.order_by("id").values_list("leaf", flat=True)) == leaves
    row = Award.objects.get(pk=zenobia.award.pk)
    assert (bytes(row.document), row.salt, bytes(row.nonce), row.receipt) == (b"", "", b"", "")
    assert not LogEntry.objects.filter(award__learner=zenobia.learner).exists()


def test_what_the_holder_kept_goes_on_verifying_with_its_receipt(zenobia, root):
    _erase(zenobia, root)
    for document in (zenobia.document, zenobia.larger):
        report = verify_credential(document, now=NOW, fetcher=published_fetcher())
        assert report.verdict is Verdict.PASS, [f.says for f in (*report.failed(), *report.unknown())]
    report = ledger_findings(zenobia.document, zenobia.receipt.encode(), vkey=[log().vkey])
    assert report.verdict is Verdict.PASS


def test_a_credential_can_still_be_revoked_and_nobody_is_written_to(cast, zenobia, root):
    _erase(zenobia, root)
    awards.change_status(
        award=zenobia.award, state="revoked", code="issued_in_error", note="", entropy=secrets.token_bytes,
        actor=cast.ana, now=NOW,
    )  # fmt: skip
    assert OutboxMessage.objects.count() == 0
    for document in (zenobia.document, zenobia.larger):
        assert verify_credential(document, now=NOW, fetcher=published_fetcher()).verdict is Verdict.FAIL


def test_its_place_in_the_status_list_is_never_given_to_another(cast, zenobia, root):
    before = StatusList.objects.get().bits
    _erase(zenobia, root)
    assert StatusList.objects.get().bits == before
    row = Award.objects.get(pk=zenobia.award.pk)
    assert (row.status_list_id, row.status_index) == (zenobia.award.status_list_id, zenobia.award.status_index)


def test_others_keep_what_is_theirs_even_the_same_work(cast, zenobia, root):
    other = world.decide(cast, world.publish(cast), who=cast.mei)
    award, _ = world.award(cast, other)
    deliver_due(now=NOW)
    shared = {s.sha256 for s in Submission.objects.filter(enrolment__learner=cast.mei)}
    _erase(zenobia, root)
    assert all(blob_store().get(digest) for digest in shared)
    assert bytes(Award.objects.get(pk=award.pk).document) == bytes(award.document)
    assert OutboxMessage.objects.filter(to=cast.mei.email).count() == 1
    assert _bytes_of(cast.mei.email, mail_folder()) != []


def mail_folder():
    from django.conf import settings

    return settings.EMAIL_FILE_PATH


def test_in_a_file_with_several_messages_only_theirs_are_gone(zenobia, root):
    (path,) = [p for p in mail_folder().iterdir() if zenobia.token in p.read_text()]
    other = b"To: Mei Tan <mei@example.org>\n\nZenobia.quillfeather wrote to you\n" + b"-" * 79 + b"\n"
    path.write_bytes(other + path.read_bytes() + other)
    _erase(zenobia, root)
    assert path.read_bytes() == other + other


def test_nobody_finds_or_matches_or_awards_somebody_who_was_erased(cast, zenobia, root, client):
    enrolment = zenobia.award.decision.enrolment
    _erase(zenobia, root)
    with pytest.raises(BrokenInput, match="no learner"):
        find(ADDRESS)
    gone = find(str(zenobia.learner.pk))
    assert not Consent.objects.filter(learner=gone, withdrawn_at=None).exists()
    assert award_by_claim(zenobia.token) is None
    refused = [
        lambda: people.give_consent(learner=gone, purpose="matching", now=NOW),
        lambda: assess.enrol(id=uuid4(), offering=enrolment.offering, learner=gone, now=NOW),
        lambda: world.claim_stack(cast, zenobia.claim.rule, gone),
        lambda: _erase(world.SimpleNamespace(learner=gone), root),
        lambda: holder_files(Award.objects.get(pk=zenobia.award.pk)),
        lambda: assess.submit_work(
            id=uuid4(), enrolment=enrolment, assessment="project", title="x", media_type="text/plain",
            body=b"x", now=NOW,
        ),
    ]  # fmt: skip
    for verb in refused:
        with pytest.raises(NotAllowed, match="erased"):
            verb()
    paper = client.get(f"/verify/{zenobia.award.pk}")
    assert paper.status_code == 410
    assert "can still be checked" in paper.content.decode()
    assert paper.headers["Cache-Control"] == "private, no-store"


def test_a_colleague_who_also_learned_keeps_the_account_and_that_is_said(cast, zenobia, root):
    learner = world.learner(cast.lee.email, "Lee Marsh")
    erased = erasure.erase_learner(learner=learner, entropy=secrets.token_bytes, actor=root, now=NOW)
    assert erased.kept == ("lee: an account with the same e-mail address.",)
    assert Person.objects.get(username="lee").is_active


def test_erasing_is_on_record_without_saying_who(zenobia, root):
    _erase(zenobia, root)
    event = Event.objects.get(verb="erase_learner")
    assert (event.actor, event.subject) == (root, str(zenobia.learner.pk))


def test_only_an_operator_erases_and_only_after_saying_yes(cast, zenobia, root):
    def run(*words, **options):
        return CliRunner().invoke(cli, ["site", "erase-learner", ADDRESS, *words], **options)

    for name in ("quinn", "mallory", "ana"):
        assert isinstance(run("--as", name, "--yes").exception, NotAllowed)
    assert run("--as", "root", input="n\n").exit_code != 0
    assert Learner.objects.filter(email=ADDRESS).exists()
    done = run("--as", "root", "--yes")
    assert done.exit_code == 0, done.output
    assert "2 awards' documents" in done.output
    assert not Learner.objects.filter(email=ADDRESS).exists()


def test_a_database_that_is_in_use_is_said_and_can_be_tidied_later(zenobia, root, monkeypatch):
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL tidies by itself")
    import sqlite3

    reader = sqlite3.connect(connection.settings_dict["NAME"])
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM guildmark_learner").fetchone()
    monkeypatch.setitem(connection.settings_dict["OPTIONS"], "timeout", 0.2)
    connection.close()
    with pytest.raises(OutsideFailure, match="tidy-database in a quiet moment"):
        _erase(zenobia, root)
    assert not Learner.objects.filter(email=ADDRESS).exists()
    reader.close()
    erasure.tidy_database()


def test_work_that_was_replaced_is_gone_and_so_is_work_that_no_submission_names(cast, home):
    enrolment = world.enrol(cast, world.publish(cast))

    def hand_in(body):
        return assess.submit_work(
            id=uuid4(), enrolment=enrolment, assessment="project", title="Work",
            media_type="text/plain", body=body, now=NOW,
        )  # fmt: skip

    hand_in(b"first try")
    hand_in(b"second try")
    assert _bytes_of("first try", home / "blobs") == []
    orphan = blob_store().put(b"nobody handed this in")
    from django.utils import timezone

    assert forget_orphans(before=timezone.now() - timedelta(days=1)) == 0, "perhaps somebody is handing it in now"
    assert forget_orphans(before=timezone.now() + timedelta(seconds=5)) == 1
    with pytest.raises(BrokenInput):
        blob_store().get(orphan)
    assert _bytes_of("second try", home / "blobs") != []


def test_an_event_never_names_a_learner(zenobia):
    for event in Event.objects.all():
        for word in (NAME, ADDRESS, zenobia.token):
            assert word not in f"{event.subject} {event.facts}"
    assert mail.outbox == []
