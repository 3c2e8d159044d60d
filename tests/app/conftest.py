"""Every test of the app has a home of its own for files, and may have the cast."""

from __future__ import annotations

import sqlite3
import threading

import pytest
from django.db import connection, connections

from tests.app import cast as cast_module


@pytest.fixture(autouse=True)
def home(settings, tmp_path):
    settings.HOME = tmp_path
    return tmp_path


@pytest.fixture
def cast(db):
    return cast_module.cast()


@pytest.fixture
def real_database(transactional_db, tmp_path):
    """A database as a site has it, that several connections use at once.

    Tests run on SQLite in memory, where threads share one cache and lock whole tables; a site has a file, WAL and
    IMMEDIATE. So the empty tables move to a file for this test. On PostgreSQL the test's database is the real thing.
    """
    if connection.vendor != "sqlite":
        yield
        return
    connection.ensure_connection()
    memory, name, path = connection.connection, connection.settings_dict["NAME"], tmp_path / "real.sqlite3"
    with sqlite3.connect(path) as file:
        memory.backup(file)
    file.close()
    connection.settings_dict["NAME"], connection.connection = str(path), None
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"], connection.connection = name, memory


@pytest.fixture
def at_once(real_database):
    """Run verbs at the same moment, each in a thread with a connection of its own; what each returned or raised."""

    def run(*verbs):
        start, outcomes = threading.Barrier(len(verbs)), [None] * len(verbs)

        def one(place, verb):
            try:
                start.wait(timeout=20)
                outcomes[place] = verb()
            except Exception as problem:
                outcomes[place] = problem
            finally:
                connections.close_all()

        threads = [threading.Thread(target=one, args=pair) for pair in enumerate(verbs)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=90)
        assert not any(thread.is_alive() for thread in threads), "two verbs wait for each other for ever"
        return outcomes

    return run
