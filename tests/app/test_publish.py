"""The files that verifiers fetch are never older than the database, whoever writes them and whoever dies meanwhile."""

from __future__ import annotations

import json
import secrets
import time
from functools import partial

import pytest
from django.conf import settings
from django.db import transaction

from guildmark.app.doors import web_folder
from guildmark.app.queries.published import published, published_paths
from guildmark.app.records import Award, StatusList
from guildmark.app.services import awards, design, publish
from guildmark.app.services.ledger import publish_checkpoint
from guildmark.core.errors import OutsideFailure
from tests.app import cast as world

NOW = world.NOW


@pytest.fixture
def cast(real_database):
    return world.cast()


def _suspend(cast, award):
    awards.change_status(
        award=award,
        state="suspended",
        code="under_review",
        note="",
        entropy=secrets.token_bytes,
        actor=cast.ana,
        now=NOW,
    )


def _file(path):
    return (web_folder() / path).read_bytes()


def _run_tasks():
    from django.core.management import call_command

    call_command("db_worker", batch=True, interval=0, startup_delay=False, verbosity=0)


def test_every_published_document_is_a_file_with_the_same_bytes(cast):
    world.awarded(cast)
    publish_checkpoint()
    index = json.loads(_file("index.json"))
    for path in published_paths():
        url = f"{settings.BASE_URL}/{path}"
        assert _file(index[url]["file"]) == published(url).body
        assert index[url]["type"] == published(url).media_type
    assert f"{settings.BASE_URL}/log/checkpoint" in index
    assert f"{settings.BASE_URL}/log/vkey" in index
    assert not list(web_folder().rglob(".*.new"))


def test_what_was_not_committed_is_not_published(cast):
    made = world.awarded(cast)
    before = _file("status/1.json")
    with transaction.atomic():
        _suspend(cast, made.award)
        transaction.set_rollback(True)
    assert _file("status/1.json") == before


def test_a_process_that_dies_before_it_published_leaves_that_to_the_worker(cast, monkeypatch):
    made = world.awarded(cast)
    before = _file("status/1.json")
    with monkeypatch.context() as dying:
        dying.setattr(transaction, "on_commit", lambda run: None)
        _suspend(cast, made.award)
    assert _file("status/1.json") == before
    _run_tasks()
    assert _file("status/1.json") == StatusList.objects.get().published != before


def test_a_folder_that_cannot_be_written_is_one_sentence_and_what_was_decided_stands(cast):
    made = world.awarded(cast)
    (web_folder() / "status/1.json").unlink()
    (web_folder() / "status/1.json").mkdir()
    with pytest.raises(OutsideFailure, match=r"is recorded, but .*export-web"):
        _suspend(cast, made.award)
    assert Award.objects.get().state == Award.State.SUSPENDED
    assert Award.objects.get().status_changes.count() == 1
    (web_folder() / "status/1.json").rmdir()
    _run_tasks()
    assert _file("status/1.json") == StatusList.objects.get().published


def test_an_older_version_never_replaces_a_newer_one(cast, at_once, monkeypatch):
    version = world.publish(cast)
    first, second = (
        world.award(cast, world.decide(cast, version, who=world.learner(f"l{n}@example.org", f"L {n}")))[0]
        for n in range(2)
    )
    slow = iter([0.6])

    def read(url):
        found = published(url)
        time.sleep(next(slow, 0))  # the first to commit is held up after it has read
        return found

    monkeypatch.setattr(publish, "published", read)

    def later():
        time.sleep(0.25)
        _suspend(cast, second)

    assert at_once(partial(_suspend, cast, first), later) == [None, None]
    assert _file("status/1.json") == StatusList.objects.get().published


def test_documents_published_at_once_are_all_in_the_index(cast, at_once):
    organisations = [partial(world.organisation, f"provider-{n}", f"Provider {n}", "provider", {}) for n in range(4)]
    problems = [o for o in at_once(*organisations) if isinstance(o, Exception)]
    assert problems == []
    index = json.loads(_file("index.json"))
    assert {f"{settings.BASE_URL}/issuers/provider-{n}/did.json" for n in range(4)} <= set(index)


def test_an_index_that_cannot_be_read_is_written_anew(cast):
    made = world.awarded(cast)
    whole = json.loads(_file("index.json"))
    (web_folder() / "index.json").write_bytes(b'{"https://')
    _suspend(cast, made.award)
    assert set(whole) <= set(json.loads(_file("index.json")))


def test_a_map_is_published_as_soon_as_it_is_signed_and_follows_its_draft(cast):
    version = world.draft(cast)
    world.endorse(cast, version)
    (path,) = [path for path in published_paths() if "/map" in path]
    signed = _file(json.loads(_file("index.json"))[f"{settings.BASE_URL}/{path}"]["file"])
    changed = world.sample()
    changed["outcomes"][0]["statement"] += " More of it."
    design.revise_draft(version=version, document=json.dumps(changed).encode(), actor=cast.quinn, now=NOW)
    assert _file(json.loads(_file("index.json"))[f"{settings.BASE_URL}/{path}"]["file"]) != signed
