"""Awards in bulk: nobody can tell them from single ones, and nothing interrupts, doubles or loses one."""

from __future__ import annotations

import io
import json
import secrets
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction

from guildmark.app.queries.assess import decision_value, evidence_of, marks_of
from guildmark.app.queries.design import blueprint_value
from guildmark.app.queries.published import published_fetcher
from guildmark.app.records import (
    Award,
    AwardList,
    AwardListRow,
    Decision,
    Enrolment,
    Event,
    Learner,
    LogEntry,
    OutboxMessage,
    Person,
    StatusList,
    TransferredResult,
    WebhookDelivery,
    WebhookEndpoint,
)
from guildmark.app.services import award_lists as lists
from guildmark.app.services import bulk_awards as bulk
from guildmark.app.services import ledger, status
from guildmark.app.services.awards import same_for_all
from guildmark.app.services.bulk_rows import Same, insert_rows, reserve_ids, update_rows
from guildmark.app.services.keys import signer_for
from guildmark.app.services.status import list_url, reasons_url
from guildmark.app.tasks.award_lists import run_slice
from guildmark.assess.decision import reproduce
from guildmark.cli import main
from guildmark.cli.progress import Progress
from guildmark.core.codecs import jcs
from guildmark.core.errors import BrokenInput, NotAllowed
from guildmark.credential.open_badge import Recipient, award_document
from guildmark.credential.proof import sign_document
from guildmark.credential.status import status_entry
from guildmark.credential.verify import verify_credential
from guildmark.ledger.entries import learner_leaf
from tests.app import cast as acts
from tests.app.test_award_lists import BAD, FAILS, ClassList, problems, states

NOW = acts.NOW


@pytest.fixture
def offering(cast):
    return acts.enrol(cast, acts.publish(cast)).offering


@pytest.fixture
def class_list(offering):
    return ClassList(blueprint_value(offering.blueprint_version))


def read(cast, offering, body: bytes, *, source: str = "Campus One", columns=None, order="") -> AwardList:
    reading = bulk.open_list(
        id=uuid4(), offering=offering, source=source, file_name="class.csv", body=body, columns=columns or {},
        order=order, actor=cast.ana, now=NOW,
    )  # fmt: skip
    list(bulk.read_into(reading, actor=cast.ana, now=NOW))
    return reading.award_list


def awarder_of(row: AwardList) -> bulk.BulkAwarder:
    return bulk.BulkAwarder(row, entropy=secrets.token_bytes, new_id=uuid4, now=NOW)


def finished(cast, offering, body: bytes, most: int = 1000, **more) -> AwardList:
    row = read(cast, offering, body, **more)
    if bulk.start_bulk(award_list=row, runner="one", actor=cast.ana, now=NOW, beat=NOW):
        awarder = awarder_of(row)
        while awarder.award_chunk(runner="one", beat=NOW, most=most):
            pass
        row.refresh_from_db()
    return row


def one_by_one(cast, offering, body: bytes) -> AwardList:
    row = lists.upload_list(
        id=uuid4(), offering=offering, source="Campus One", file_name="class.csv", body=body, actor=cast.ana, now=NOW
    )
    row = lists.read_list(award_list=row, columns=row.columns, order=row.date_order, actor=cast.ana, now=NOW)
    lists.start_list(award_list=row, actor=cast.ana, now=NOW)
    lists.claim_list(runner="one", now=NOW)
    while lists.award_batch(award_list=row, runner="one", entropy=secrets.token_bytes, new_id=uuid4, now=NOW):
        pass
    row.refresh_from_db()
    return row


def various(class_list: ClassList, n: int = 8, first: int = 0) -> ClassList:
    """Rows whose levels, markers, names and days differ in every way that a passing row can."""
    for i in range(first, first + n):
        class_list.add(
            f"Zoë “{i}” O'Neil\\Peña",
            f"learner{i}@example.org",
            p_query_1="proficient" if i % 2 else "excellent",
            s_explain_2="proficient" if i % 3 == 1 else "excellent",
            marker_1=["Ines Prieto", 'Ann "Bo"', "Ann", "Zoë \\ Q"][i % 4],
            marker_2=["Tom Baker", "Ann Bo", "ann b"][i % 3],
            assessed_on=["2026-03-31", "2026-04-01"][i % 2],
        )
    return class_list


def as_single(award: Award) -> bytes:
    """The document that `award_credential` would have made with this award's ids, salt, moment and place."""
    enrolment, version = award.decision.enrolment, award.decision.enrolment.offering.blueprint_version
    blueprint = blueprint_value(version)
    document = award_document(
        **same_for_all(version, blueprint, now=award.issued_at),
        credential_id=award.credential_id,
        decision=decision_value(award.decision),
        recipient=Recipient(email=award.learner.email, name=award.learner.name, salt=award.salt),
        status_entry=status_entry(list_url(award.status_list), award.status_index, reasons_url(award.status_list)),
        evidence=evidence_of(enrolment),
    )
    return jcs(sign_document(document, signer_for(award.issuer), created=award.issued_at))


# --- The same as one by one ---


def test_a_bulk_award_has_the_very_document_that_a_single_award_would_have(cast, offering, class_list):
    finished(cast, offering, various(class_list, 13).body())
    awards = list(Award.objects.select_related("decision__enrolment", "learner", "issuer", "status_list"))
    assert len(awards) == 13
    for award in awards:
        assert award.document == as_single(award)
        leaf = learner_leaf(award.issuer.did, signer_for(award.issuer).key_id, award.document, award.nonce)
        assert bytes(award.log_entry.leaf) == leaf


def test_what_is_awarded_in_bulk_verifies_and_its_decision_can_be_made_again(cast, offering, class_list):
    finished(cast, offering, various(class_list, 4).body())
    blueprint = blueprint_value(offering.blueprint_version)
    for award in Award.objects.all():
        report = verify_credential(award.document, now=NOW + timedelta(hours=1), fetcher=published_fetcher())
        assert report.failed() == ()
        again = reproduce(decision_value(award.decision), blueprint, marks_of(award.decision.enrolment))
        assert again.failed() == ()
        assert len(again.findings) == 3


def shape_of(record, drop: tuple[str, ...]) -> list[str]:
    """The rows of a table without what is random or a reference, so that two ways of writing can be compared."""
    names = [f.attname for f in record._meta.concrete_fields if f.attname not in drop]
    return sorted(json.dumps(row, default=str, sort_keys=True) for row in record.objects.values(*names))


RANDOM = {
    Learner: ("id",),
    Enrolment: ("id", "learner_id"),
    TransferredResult: ("id", "enrolment_id", "award_list_id", "marks"),
    Award: ("id", "credential_id", "learner_id", "decision_id", "document", "salt", "status_index", "claim_sha256",
            "nonce"),
    LogEntry: ("id", "leaf", "award_id"),
    AwardListRow: ("id", "award_list_id", "award_id"),
    AwardList: ("id", "runner", "beat_at"),
}  # fmt: skip


def snapshot() -> dict[str, object]:
    found: dict[str, object] = {record.__name__: shape_of(record, drop) for record, drop in RANDOM.items()}
    ids = [str(pk) for record in (Enrolment, Decision, Award) for pk in record.objects.values_list("pk", flat=True)]
    texts = json.dumps(
        list(Event.objects.order_by("id").values("verb", "facts", "actor", "organisation", "other")), default=str
    )
    for id in [*ids, *map(str, AwardList.objects.values_list("pk", flat=True))]:
        texts = texts.replace(id, "id")
    found["events"] = texts
    found["mails"] = [
        (m.to, m.subject, m.body.split("/claim/")[0], m.created_at, m.due_at, m.attempts, m.sent_at, m.dead, m.problem)
        for m in OutboxMessage.objects.order_by("to")
    ]
    found["decisions"] = sorted(
        json.dumps({**d.document, "id": "", "learner_id": "", "marks_sha256": "", "report": ""}, sort_keys=True)
        for d in Decision.objects.filter(decided_by__username="ana")
    )
    return found


def test_a_reader_of_the_database_cannot_tell_which_way_made_a_row(cast, offering, class_list):
    body = various(class_list, 7).body()
    found = {}
    for name, run in (("bulk", finished), ("single", one_by_one)):
        with transaction.atomic():
            run(cast, offering, body)
            found[name] = snapshot()
            transaction.set_rollback(True)
    for table in found["bulk"]:
        assert found["bulk"][table] == found["single"][table], table


def test_the_texts_in_json_columns_are_those_that_django_writes(cast, offering, class_list):
    finished(cast, offering, various(class_list, 5).body())
    for record, name in ((Decision, "document"), (TransferredResult, "marks"), (Event, "facts")):
        for row in record.objects.all():
            with connection.cursor() as cursor:
                cursor.execute(f"SELECT {name} FROM {record._meta.db_table} WHERE id = %s",
                               [row.pk.hex if hasattr(row.pk, "hex") else row.pk])  # fmt: skip
                (text,) = cursor.fetchone()
            if connection.vendor == "sqlite":
                assert text == json.dumps(getattr(row, name))


def test_each_learner_has_a_claim_link_of_their_own_that_works(cast, offering, class_list):
    from guildmark.app.queries.awards import award_by_claim

    finished(cast, offering, class_list.many(3).body())
    for message in OutboxMessage.objects.all():
        token = message.body.split("/claim/")[1].split("\n")[0]
        assert award_by_claim(token).learner.email == message.to


def test_the_mail_is_in_the_language_of_whoever_reads_it(cast, offering, class_list):
    Person.objects.filter(pk=cast.omar.pk).update(language="es", email="Learner1@Example.org")
    finished(cast, offering, class_list.many(2).body())
    subjects = dict(OutboxMessage.objects.values_list("to", "subject"))
    assert subjects["learner0@example.org"].startswith("Your credential")
    assert subjects["learner1@example.org"].startswith("Su credencial")


def test_every_award_is_in_the_log_with_a_receipt_that_holds(cast, offering, class_list):
    from guildmark.ledger.receipt import verify_receipt

    finished(cast, offering, class_list.many(5).body())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ledger, "_AT_ONCE", 2)
        _, receipts = ledger.publish_checkpoint()
    assert receipts == 5
    assert LogEntry.objects.filter(index=None).count() == 0
    for award in Award.objects.select_related("log_entry"):
        report = verify_receipt(award.receipt, vkey=ledger.log().vkey, leaf=bytes(award.log_entry.leaf))
        assert report.failed() == ()
        assert report["ledger.inclusion"].verdict.value == "pass"
    assert ledger.log().fsck().failed() == ()


def test_organisations_are_told_of_each_award_by_webhook(cast, offering, class_list):
    WebhookEndpoint.objects.create(
        id=uuid4(), organisation=cast.harbour, url="https://h.example/", kinds=["award.made", "decision.passed"],
        sealed=b"", created_by=cast.ana, created_at=NOW,
    )  # fmt: skip
    finished(cast, offering, class_list.many(2).body())
    told = [json.loads(bytes(d.payload)) for d in WebhookDelivery.objects.all()]
    assert sorted(t["type"] for t in told) == ["award.made", "award.made", "decision.passed", "decision.passed"]
    assert {t["data"]["award"] for t in told if t["type"] == "award.made"} == {str(a.pk) for a in Award.objects.all()}


# --- What is not plain goes the ordinary way ---


def test_a_tenth_of_the_rows_is_bad_and_told_as_the_page_tells_it(cast, offering, class_list):
    kinds = [change for change, _, _ in BAD.values()] + [FAILS]
    for n in range(70):
        change = kinds[n // 5 % len(kinds)] if n % 5 == 3 else {}
        class_list.add(**{"name": f"Learner {n}", "email": f"l{n}@example.org", **change})
    body = class_list.body()
    with transaction.atomic():
        single = one_by_one(cast, offering, body)
        expected = states(single), problems(single)
        transaction.set_rollback(True)
    row = finished(cast, offering, body)
    assert (states(row), problems(row)) == expected
    assert Award.objects.count() == OutboxMessage.objects.count() == states(row).count("awarded") == 57


def test_a_learner_who_is_here_already_keeps_their_name_and_their_enrolment(cast, offering, class_list):
    row = finished(cast, offering, class_list.add("Another Name", "mei@example.org").body())
    award = Award.objects.get()
    assert states(row) == ["awarded"]
    assert (award.learner, award.learner.name) == (cast.mei, "Mei Tan")
    assert Enrolment.objects.filter(learner=cast.mei).count() == 1
    assert Event.objects.filter(verb="enrol").count() == 1  # when she enrolled
    assert award.document == as_single(award)


def test_work_that_was_handed_in_after_reading_is_not_overruled(cast, offering, class_list):
    row = read(cast, offering, class_list.add("Mei Tan", "mei@example.org").many(1).body())
    acts.hand_in(Enrolment.objects.get(learner=cast.mei))
    bulk.start_bulk(award_list=row, runner="one", actor=cast.ana, now=NOW, beat=NOW)
    assert awarder_of(row).award_chunk(runner="one", beat=NOW) == 2
    assert states(row) == ["bad", "awarded"]
    assert "Work was handed in here" in problems(row)[0][2]


def test_a_new_learner_needs_an_address_that_the_site_takes(cast, offering, class_list):
    body = class_list.add("A", "a..b@example.org").add("B", "b.-c@example.org").body()
    row = finished(cast, offering, body)
    assert states(row) == ["bad", "awarded"]
    assert "email" in problems(row)[0][2]


def test_an_offering_that_is_over_takes_nobody(cast, offering, class_list):
    offering.opens_on, offering.closes_on = NOW.date() - timedelta(days=9), NOW.date() - timedelta(days=1)
    offering.save()
    row = finished(cast, offering, class_list.many(2).body())
    assert states(row) == ["bad", "bad"]
    assert "is open from" in problems(row)[0][2]


def test_a_list_without_results_awards_the_decisions_on_record(cast, offering, class_list):
    from guildmark.app.services import assess

    enrolment = Enrolment.objects.get(learner=cast.mei)
    acts.mark(cast, acts.hand_in(enrolment))
    assess.record_result(id=uuid4(), enrolment=enrolment, actor=cast.ana, now=NOW - timedelta(days=2))
    row = finished(cast, offering, b"Name;E-Mail\nMei Tan;mei@example.org\nNobody;nobody@example.org\n", source="")
    award = Award.objects.get()
    assert states(row) == ["awarded", "bad"]
    assert award.document == as_single(award)
    assert json.loads(award.document)["awardedDate"] == "2026-11-22T09:00:00Z"


# --- Once, whatever happens ---


def test_the_same_file_again_changes_nothing(cast, offering, class_list):
    body = class_list.many(3).body()
    finished(cast, offering, body)
    tables = (Award, Learner, Decision, Event, OutboxMessage, AwardList, AwardListRow, LogEntry)
    before = [record.objects.count() for record in tables]
    row = read(cast, offering, body)
    assert states(row) == ["already"] * 3
    assert not bulk.start_bulk(award_list=row, runner="two", actor=cast.ana, now=NOW, beat=NOW)
    assert [record.objects.count() for record in tables] == before


def test_an_interrupted_list_goes_on_where_it_stopped(cast, offering, class_list, monkeypatch):
    body = class_list.many(5).body()
    row = read(cast, offering, body)
    bulk.start_bulk(award_list=row, runner="one", actor=cast.ana, now=NOW, beat=NOW)
    assert awarder_of(row).award_chunk(runner="one", beat=NOW, most=2) == 2

    def killed(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:  # after awards and leaves were written, before mails are
        patch.setattr(bulk, "claim_mail", killed)
        with pytest.raises(KeyboardInterrupt):
            awarder_of(row).award_chunk(runner="one", beat=NOW, most=2)
    assert states(row) == ["awarded", "awarded", "ready", "ready", "ready"]
    assert Award.objects.count() == LogEntry.objects.filter(kind="issue").count() == 2
    again = bulk.interrupted_list(offering=offering, body=body)
    assert again == row
    bulk.start_bulk(award_list=again, runner="two", actor=cast.ana, now=NOW, beat=NOW)
    assert awarder_of(row).award_chunk(runner="one", beat=NOW) == 0  # the first is not dead after all
    assert awarder_of(again).award_chunk(runner="two", beat=NOW) == 3
    assert Award.objects.count() == OutboxMessage.objects.count() == 5
    assert bulk.interrupted_list(offering=offering, body=body) is None


def test_reading_that_was_interrupted_begins_anew(cast, offering, class_list, monkeypatch):
    body = class_list.many(5).body()
    monkeypatch.setattr(bulk, "CHUNK", 2)
    reading = bulk.open_list(
        id=uuid4(), offering=offering, source="Campus One", file_name="c.csv", body=body, columns={}, order="",
        actor=cast.ana, now=NOW,
    )  # fmt: skip
    assert next(bulk.read_into(reading, actor=cast.ana, now=NOW)) == 2
    finished(cast, offering, body)
    assert AwardList.objects.count() == 1
    assert Award.objects.count() == 5


def test_a_worker_may_go_on_with_a_list_that_a_command_left(cast, offering, class_list):
    row = read(cast, offering, class_list.many(4).body())
    bulk.start_bulk(award_list=row, runner="one", actor=cast.ana, now=NOW, beat=NOW - timedelta(minutes=2))
    awarder_of(row).award_chunk(runner="one", beat=NOW - timedelta(minutes=2), most=2)
    while run_slice(seconds=60) != "no list is free":
        pass
    assert states(row) == ["awarded"] * 4


def test_two_at_once_award_nobody_twice(cast, offering, class_list, at_once):
    row = read(cast, offering, class_list.many(6).body())

    def run(runner):
        bulk.start_bulk(award_list=row, runner=runner, actor=cast.ana, now=NOW, beat=NOW)
        awarder = awarder_of(row)
        return sum(iter(lambda: awarder.award_chunk(runner=runner, beat=NOW, most=2), 0))

    outcomes = at_once(lambda: run("one"), lambda: run("two"))
    assert sum(outcomes) == 6
    assert Award.objects.count() == OutboxMessage.objects.count() == 6


def test_a_withdrawn_micro_credential_is_awarded_to_nobody(cast, offering, class_list):
    row = read(cast, offering, class_list.many(1).body())
    bulk.start_bulk(award_list=row, runner="one", actor=cast.ana, now=NOW, beat=NOW)
    awarder = awarder_of(row)
    offering.blueprint_version.state = "withdrawn"
    offering.blueprint_version.save()
    with pytest.raises(NotAllowed, match="only a published"):
        awarder.award_chunk(runner="one", beat=NOW)
    assert Award.objects.count() == 0


# --- Columns ---


def test_columns_that_the_heading_does_not_tell_are_named(cast, offering):
    body = b"wer;wohin\nMei Tan;mei@example.org\n"
    with pytest.raises(BrokenInput, match="choose the column"):
        read(cast, offering, body, source="")
    row = read(cast, offering, body, source="", columns={"name": "WER", "email": "wohin"})
    assert row.columns == {"name": 0, "email": 1}


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        ({"nme": "wer"}, "no column 'nme'"),
        ({"name": "who"}, "not in the heading"),
        ({"name": "twice"}, "more than once"),
    ],
)
def test_a_column_that_is_not_there_is_named(cast, offering, columns, says):
    with pytest.raises(BrokenInput, match=says):
        read(cast, offering, b"wer;twice;twice\na;b;c\n", columns=columns)


def test_results_need_the_system_they_come_from(cast, offering, class_list):
    with pytest.raises(BrokenInput, match="which system"):
        read(cast, offering, class_list.many(1).body(), source=" ")


# --- Rows written many at once ---


def test_rows_written_at_once_read_back_as_they_were_given(cast):
    moment = datetime(2026, 3, 1, 12, 30, 15, 123456, tzinfo=UTC)
    ids = [uuid4() for _ in range(3)]
    names = ["Zoë", "tab\there\\", "\U0001f510 ' \" %s"]
    emails = [f"l{n}@x.org" for n in range(3)]
    insert_rows(Learner, {"id": ids, "name": names, "email": emails, "created_at": [moment, NOW, moment]})
    found = list(Learner.objects.filter(pk__in=ids).order_by("email").values_list("name", "created_at", "person_id"))
    assert found == list(zip(names, [moment, NOW, moment], [None] * 3, strict=True))
    assert update_rows(Learner, ids[:2], {"name": ["A", "B"], "created_at": Same(NOW)}, where="erased_at IS NULL") == 2
    assert list(Learner.objects.filter(pk__in=ids).order_by("email").values_list("name", flat=True)) == [
        "A",
        "B",
        names[2],
    ]


def test_no_row_of_many_is_lost(cast):
    with transaction.atomic():
        assert (
            insert_rows(Event, {"at": Same(NOW), "verb": Same("counted"), "subject": [f"{n}" for n in range(1001)]})
            == 1001
        )
    assert list(Event.objects.filter(verb="counted").values_list("subject", flat=True)) == [f"{n}" for n in range(1001)]


def test_a_constraint_that_single_rows_have_many_have_too(cast):
    rows = {"id": [uuid4(), uuid4()], "name": Same("A"), "email": Same("a@x.org"), "created_at": Same(NOW)}
    with pytest.raises(IntegrityError), transaction.atomic():
        insert_rows(Learner, rows)
    assert not Learner.objects.filter(email="a@x.org").exists()


def test_reserved_ids_are_nobody_elses(cast):
    with transaction.atomic():
        ids = reserve_ids(Event, 3)
        insert_rows(Event, {"id": ids, "at": Same(NOW), "verb": Same("x"), "subject": ["a", "b", "c"]})
    later = Event.objects.create(at=NOW, verb="y", subject="d")
    assert ids == sorted(set(ids))
    assert later.pk > ids[-1]


def test_columns_of_different_lengths_are_refused():
    with pytest.raises(ValueError, match="equally long"):
        insert_rows(Event, {"verb": ["a"], "subject": ["a", "b"]})
    with pytest.raises(ValueError, match="no column"):
        insert_rows(Event, {"verbs": ["a"]})


def test_a_status_place_is_taken_once_across_lists(cast, monkeypatch):
    monkeypatch.setattr(status, "SIZE", 64)
    monkeypatch.setattr(status, "publish_status_list", lambda *_, **__: None)
    with transaction.atomic():
        places = bulk.allocate_many(cast.harbour, 40, secrets.token_bytes, NOW)
    assert len({(row.pk, index) for row, index in places}) == 40
    assert StatusList.objects.filter(issuer=cast.harbour).count() == 2


# --- The command ---


@pytest.fixture
def command(cast, offering, tmp_path, capsys):
    """`guildmark site award-list` on a file with this body: (exit code, standard output, standard error)."""

    def run(body: bytes, *words: str, as_json: bool = False):
        file = tmp_path / "class.csv"
        file.write_bytes(body)
        before = ["site", "--now", NOW.isoformat(), *(["--json"] if as_json else [])]
        with pytest.raises(SystemExit) as ended:
            main([*before, "award-list", str(file), "--offering", str(offering.pk), "--as", "ana", *words])
        said = capsys.readouterr()
        return ended.value.code, said.out, said.err

    return run


FROM = ("--results-from", "Campus One")


def test_one_command_awards_records_and_logs_a_file_and_tells_its_bad_rows(command, class_list):
    class_list.many(9).add("Noor", "noor at example.org").add("Bo", "bo@example.org", marker_2="")
    code, out, err = command(class_list.body(), *FROM)
    first, *told = out.splitlines()
    assert code == 0
    assert first.startswith("9 of 11 awarded, 0 were already, 2 have to be mended; the log has ")
    assert told == [
        "  row 11, email: is not an e-mail address; write one like name@example.org",
        "  row 12, marker 2: is empty; the award rule asks for two markers, so name both",
    ]
    assert "awarding: 11 of 11" in err
    assert Award.objects.exclude(receipt="").count() == 9


def test_the_command_again_changes_nothing_and_says_so(command, class_list):
    body = class_list.many(2).add("Bo", "bo@example.org", marker_2="").body()
    command(body, *FROM)
    before = Award.objects.count(), OutboxMessage.objects.count(), Event.objects.count(), AwardList.objects.count()
    code, out, _ = command(body, *FROM, as_json=True)
    after = Award.objects.count(), OutboxMessage.objects.count(), Event.objects.count(), AwardList.objects.count()
    facts = json.loads(out)
    assert code == 0
    assert (facts["awarded"], facts["already"], facts["bad"]) == (0, 2, 1)
    assert facts["problems"][0]["row"] == 4
    assert before == after


def test_a_command_that_was_stopped_is_gone_on_with(command, class_list, monkeypatch):
    body = class_list.many(5).body()
    monkeypatch.setattr(bulk.BulkAwarder.award_chunk, "__kwdefaults__", {"most": 2})
    with monkeypatch.context() as patch:
        settle, calls = bulk.BulkAwarder.settle, []

        def killed(*arguments):
            calls.append(1)
            if len(calls) == 2:
                raise KeyboardInterrupt
            return settle(*arguments)

        patch.setattr(bulk.BulkAwarder, "settle", killed)
        code, _, _ = command(body, *FROM)
    assert code != 0
    row = AwardList.objects.get()
    assert (row.state, row.problem) == ("stopped", "The command that awarded it was stopped.")
    code, out, _ = command(body, *FROM)
    assert out.startswith("3 of 5 awarded, 2 were already, 0 have to be mended")
    assert Award.objects.count() == OutboxMessage.objects.count() == 5


def test_only_who_may_award_for_the_provider_awards_a_list(command, class_list):
    code, _, err = command(class_list.many(1).body(), *FROM, "--as", "mallory")
    assert code == 2
    assert "needs the role" in err
    assert AwardList.objects.count() == 0


def test_a_file_that_is_no_list_and_columns_that_are_none_are_one_sentence(command, class_list):
    assert "workbook" in command(b"PK\x03\x04rest")[2]
    assert "names no column" in command(class_list.many(1).body(), *FROM, "--columns", "email")[2]
    assert "has no row with a learner" in command(b"name,email\n")[2]
    assert AwardList.objects.count() == 0


# --- Progress ---


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_is_a_bar_on_a_terminal_and_lines_elsewhere(monkeypatch):
    moments = iter(range(0, 1000, 10))
    monkeypatch.setattr("guildmark.cli.progress.time.monotonic", lambda: next(moments))
    shown = {}
    for name, stream in (("bar", Terminal()), ("lines", io.StringIO())):
        monkeypatch.setattr("sys.stderr", stream)
        with Progress("awarding", 1000) as progress:
            progress.start(200)
            for done in (250, 600, 1000):
                progress.at(done)
        shown[name] = stream.getvalue()
    assert "\rawarding [######........................]: 200 of 1,000" not in shown["bar"]
    assert "\rawarding [##################............]: 600 of 1,000" in shown["bar"]
    assert " a second, " in shown["bar"]
    assert " left" in shown["bar"]
    assert shown["bar"].endswith("\n")
    assert "\r" not in shown["lines"]
    assert len(shown["lines"].splitlines()) == 3
    assert shown["lines"].splitlines()[-1].startswith("awarding: 1,000 of 1,000")
