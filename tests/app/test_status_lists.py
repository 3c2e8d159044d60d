"""Places in status lists are random and nobody's twice, and what is published is what the lists say, in time."""

from __future__ import annotations

import json
import os
import random
import secrets
import subprocess
import sys
import time
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django_tasks_db.models import DBTaskResult

from guildmark.app.doors import web_folder
from guildmark.app.queries.published import published_fetcher
from guildmark.app.records import Award, LogEntry, StatusList
from guildmark.app.services import awards, status
from guildmark.app.services.recovery import catch_up
from guildmark.core.errors import NotAllowed
from guildmark.core.report import Verdict
from guildmark.credential import status as status_room
from guildmark.credential.verify import verify_credential
from tests.app import cast as world

NOW = world.NOW
MONTH = timedelta(days=30)


def change(cast, award, state="suspended", code="under_review", now=NOW):
    return awards.change_status(
        award=award, state=state, code=code, note="", entropy=secrets.token_bytes, actor=cast.ana, now=now
    )[0]


def listing(number=1):
    return json.loads(StatusList.objects.get(pk=number).published)


def is_set(award):
    bits = status_room.decode_list(listing(award.status_list_id)["credentialSubject"]["encodedList"])
    return status_room.read_bit(bits, award.status_index)


def orders():
    return list(
        DBTaskResult.objects.filter(task_path__endswith="publish_status_lists")
        .order_by("run_after")
        .values_list("run_after", flat=True)
    )


# --- Places ---


def take(cast, places):
    """Awards stand at these places, copied from one that was made by the verb."""
    first = Award.objects.first() or world.awarded(cast).award
    rows = []
    for row, index in places:
        token = secrets.token_hex(32)
        rows.append(
            Award(
                id=token[:32],
                kind="clr",
                credential_id=f"urn:x:{token}",
                learner=first.learner,
                issuer=first.issuer,
                title="Copy",
                document=b"{}",
                salt="",
                status_list=row,
                status_index=index,
                issued_at=NOW,
                awarded_by=first.awarded_by,
                claim_sha256=token,
                nonce=b"",
            )
        )
    Award.objects.bulk_create(rows)


def test_a_hundred_thousand_places_are_each_somebody_s_own_in_seconds_and_a_few_statements(cast):
    world.awarded(cast)
    begun = time.perf_counter()
    with CaptureQueriesContext(
        connection,
    ) as asked:
        places = status.allocate_many(cast.harbour, 100_000, random.Random(7).randbytes, NOW)
    assert time.perf_counter() - begun < 20
    assert len({(row.pk, index) for row, index in places}) == len(places) == 100_000
    assert StatusList.objects.count() == 2, "each is filled up to half"
    assert len(asked) < 60


def test_places_are_in_no_order(cast):
    indexes = [index for _, index in status.allocate_many(cast.harbour, 500, random.Random(7).randbytes, NOW)]
    rises = sum(a < b for a, b in pairwise(indexes))
    assert 200 < rises < 300, "or whoever has the list of a class could tell their places in it"
    assert min(indexes) < 6_000
    assert max(indexes) > 125_000


@pytest.mark.parametrize("few", [0, 4_000], ids=["many", "few"])
def test_what_is_taken_is_not_given_again_and_a_full_list_is_followed_by_another(cast, monkeypatch, few):
    monkeypatch.setattr(status, "SIZE", 64)
    monkeypatch.setattr(status, "FEW", few)
    monkeypatch.setattr(status, "publish_status_list", lambda *_, **__: None)
    world.awarded(cast)
    for count in (1, 20, 30, 1, 40):
        take(cast, status.allocate_many(cast.harbour, count, secrets.token_bytes, NOW))
    taken = list(Award.objects.values_list("status_list_id", "status_index"))
    assert len(set(taken)) == len(taken) == 93
    assert sorted({number for number, _ in taken}) == [1, 2, 3]


WORK = """
import secrets, sys
from datetime import datetime, UTC
import django
django.setup()
from django.conf import settings
settings.HOME = __import__("pathlib").Path(sys.argv[1])
from guildmark.app.records import Organisation
from guildmark.app.services import status
from guildmark.app.services.verbs import verb
from tests.app.test_status_lists import NOW, take
harbour = Organisation.objects.get(slug="harbour-university")
@verb
def some(count):
    take(None, status.allocate_many(harbour, count, secrets.token_bytes, NOW))
print("ready", flush=True)
sys.stdin.readline()
for count in [1] * 20 + [100] * 5:
    some(count)
print("done", flush=True)
"""


def test_two_processes_at_once_take_no_place_twice(real_database, tmp_path):
    cast = world.cast()
    world.awarded(cast)
    database = connection.settings_dict
    url = f"sqlite:///{database['NAME']}"
    if connection.vendor != "sqlite":
        host = f"{database['HOST'].replace('/', '%2F')}" if database["HOST"] else ""
        url = f"postgres://{database['USER']}:{database['PASSWORD']}@{host}:{database['PORT']}/{database['NAME']}"
        if database["HOST"].startswith("/"):
            url = f"postgres://{database['USER']}:{database['PASSWORD']}@/{database['NAME']}?host={database['HOST']}"
    connection.close()
    environment = {
        **os.environ,
        "GUILDMARK_DATABASE_URL": url,
        "DJANGO_SETTINGS_MODULE": "guildmark.app.settings",
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }
    start = [sys.executable, "-c", WORK, str(tmp_path)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    both = [subprocess.Popen(start, env=environment, **pipes) for _ in range(2)]
    assert [one.stdout.readline() for one in both] == ["ready\n"] * 2
    for one in both:
        one.stdin.write("go\n")
        one.stdin.flush()
    assert [one.communicate(timeout=120)[0] for one in both] == ["done\n"] * 2
    taken = list(Award.objects.values_list("status_list_id", "status_index"))
    assert len(set(taken)) == len(taken) == 1 + 2 * 520


# --- Publishing on a schedule ---


def test_with_a_delay_changes_are_published_together_and_meanwhile_the_old_list_stands(cast, settings):
    settings.STATUS_DELAY = timedelta(minutes=15)
    made = world.awarded(cast).award
    seq = StatusList.objects.get().seq
    change(cast, made)
    change(cast, made, "revoked", "misconduct")
    assert (StatusList.objects.get().seq, is_set(made)) == (seq, False)
    assert orders() == [NOW + timedelta(minutes=15)], "one order for both"
    assert status.publish_due_lists(now=NOW + timedelta(minutes=15)) == ([1], {})
    assert (StatusList.objects.get().seq, is_set(made)) == (seq + 1, True)
    assert (web_folder() / "status/1.json").exists() is False, "inside this test nothing is committed"
    assert status.publish_due_lists(now=NOW + timedelta(minutes=16)) == ([], {})


def test_without_a_delay_a_change_is_published_at_once(cast):
    made = world.awarded(cast).award
    change(cast, made)
    assert is_set(made)
    assert status.publish_due_lists(now=NOW) == ([], {})


def test_a_list_is_valid_for_a_while_and_renewed_after_half_of_it(cast, settings):
    settings.STATUS_VALID = MONTH
    made = world.awarded(cast).award
    assert listing()["validUntil"] == "2026-12-24T09:00:00Z"
    assert orders() == [NOW + MONTH / 2]
    early, half = NOW + MONTH / 2 - timedelta(minutes=1), NOW + MONTH / 2
    assert status.publish_due_lists(now=early) == ([], {})
    assert status.publish_due_lists(now=half) == ([1], {})
    assert listing()["validFrom"] == "2026-12-09T09:00:00Z"
    reasons = json.loads(StatusList.objects.get().published_reasons)
    assert reasons["validUntil"] == listing()["validUntil"]
    report = verify_credential(bytes(made.document), now=NOW + MONTH, fetcher=published_fetcher())
    assert report["status.revocation"].verdict is Verdict.PASS


def test_a_list_that_nobody_renewed_tells_nothing(cast, settings):
    settings.STATUS_VALID = MONTH
    made = world.awarded(cast).award
    late = NOW + MONTH + timedelta(seconds=1)
    found = verify_credential(bytes(made.document), now=late, fetcher=published_fetcher())["status.revocation"]
    assert (found.verdict, found.because["error"]) == (Verdict.UNKNOWN, "STATUS_VERIFICATION_ERROR")


@pytest.mark.parametrize(
    ("before", "after", "due"),
    [(MONTH, timedelta(0), True), (timedelta(0), MONTH, True), (MONTH, MONTH / 3, True), (MONTH, MONTH * 2, False)],
)
def test_a_site_that_changes_its_mind_about_the_time_publishes_anew(cast, settings, before, after, due):
    settings.STATUS_VALID = before
    world.awarded(cast)
    settings.STATUS_VALID = after
    done, _ = status.publish_due_lists(now=NOW + timedelta(days=6))
    assert done == ([1] if due else [])
    assert ("validUntil" in listing()) == bool(after)
    assert all(order > NOW for order in orders()), "no look is ordered over and over"


def test_a_list_that_cannot_be_signed_holds_up_no_other_and_is_tried_again(cast, settings, monkeypatch):
    settings.STATUS_VALID = MONTH
    made = world.awarded(cast).award
    status.allocate_many(world.Organisation.objects.get(slug="mill"), 1, secrets.token_bytes, NOW)
    DBTaskResult.objects.all().delete()
    made.issuer.keys.update(retired_at=NOW)
    done, problems = status.publish_due_lists(now=NOW + MONTH / 2)
    assert done == [2]
    assert "has no signing key" in problems[1]
    assert min(orders()) == NOW + MONTH / 2 + timedelta(hours=1)


def test_every_published_version_waits_for_the_log(cast, settings):
    settings.STATUS_VALID = MONTH
    world.awarded(cast)
    before = LogEntry.objects.filter(kind="statuslist").count()
    status.publish_due_lists(now=NOW + MONTH)
    assert LogEntry.objects.filter(kind="statuslist").count() == before + 1


def test_a_worker_that_starts_looks_after_the_lists(cast):
    world.awarded(cast)
    DBTaskResult.objects.all().delete()
    catch_up(now=NOW)
    assert len(orders()) == 1


def test_the_worker_publishes_what_is_due_as_a_file(real_database, settings):
    from django.core.management import call_command

    cast = world.cast()
    settings.STATUS_DELAY = timedelta(seconds=1)
    made = world.awarded(cast).award
    before = (web_folder() / "status/1.json").read_bytes()
    change(cast, made)
    assert (web_folder() / "status/1.json").read_bytes() == before
    call_command("db_worker", batch=True, interval=0, startup_delay=False, verbosity=0)
    assert (web_folder() / "status/1.json").read_bytes() == StatusList.objects.get().published != before


def test_lists_are_published_on_their_issuers_behalf_only(cast):
    """Nobody else's key signs them, whoever ordered it."""
    world.awarded(cast)
    status.publish_due_lists(now=NOW, every=True)
    assert listing()["proof"]["verificationMethod"].startswith(cast.harbour.did)
    assert listing()["issuer"] == cast.harbour.did


def test_reasons_of_a_replacement_are_nobody_s_to_give_alone(cast):
    from guildmark.core.errors import BrokenInput

    made = world.awarded(cast).award
    for code in sorted(status_room.ONLY_WITH_A_REPLACEMENT):
        with pytest.raises(BrokenInput, match="is not one for 'revoked'"):
            change(cast, made, "revoked", code)
    with pytest.raises(NotAllowed):
        change(cast, change(cast, made, "revoked", "misconduct"), "valid", "review_closed")
