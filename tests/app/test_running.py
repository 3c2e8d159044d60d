"""The worker and the server as an operator runs them: processes of their own, with a home of their own."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import pytest

from guildmark.app.web.security import POLICY

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]

AWARD = """
import json, django
django.setup()
from django.utils import timezone
from tests.app import cast as world
cast = world.cast()
decision = world.decide(cast, world.publish(cast))
world.NOW = timezone.now()  # the server and the worker look at the real clock
award, token = world.award(cast, decision)
print(json.dumps({"award": str(award.id), "token": token, "title": award.title}))
"""

ASK = """
import json, django
django.setup()
from guildmark.app.records import Award, LogEntry, OutboxMessage
print(json.dumps({
    "receipts": [a.receipt for a in Award.objects.all()],
    "waiting": LogEntry.objects.filter(index=None).count(),
    "mail": [[str(m.sent_at), m.body] for m in OutboxMessage.objects.all()],
}))
"""

KILLED = """
import django
django.setup()
from django_tasks_db.models import DBTaskResult
DBTaskResult.objects.update(status="RUNNING")
"""


class Site:
    """A home and a database of their own, and programs that run in them."""

    def __init__(self, home, database):
        kept = {name: value for name, value in os.environ.items() if not name.startswith("GUILDMARK_")}
        self.home = home
        self.environment = {
            **kept,
            "GUILDMARK_HOME": str(home),
            "DJANGO_SETTINGS_MODULE": "guildmark.app.settings",
            "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}",
            **({"GUILDMARK_DATABASE_URL": database} if database else {}),
        }

    def python(self, text):
        return subprocess.run(
            [sys.executable, "-c", text], env=self.environment, check=True, capture_output=True, text=True, cwd=ROOT
        ).stdout

    def ask(self):
        return json.loads(self.python(ASK))

    @contextmanager
    def running(self, *words):
        """`guildmark site WORDS` runs; it is asked to stop at the end, and has to do so cleanly and soon."""
        log = (self.home / f"{words[0]}.log").open("a+")
        program = subprocess.Popen(
            [sys.executable, "-c", "from guildmark.cli import main; main()", "site", *words],
            env=self.environment,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=ROOT,
        )
        try:
            yield program
            program.send_signal(signal.SIGTERM)
            assert program.wait(timeout=15) == 0
        finally:
            if program.poll() is None:
                program.kill()
                program.wait()
            log.seek(0)
            print(log.read())
            log.close()


@pytest.fixture(scope="module")
def database():
    """A fresh PostgreSQL database beside the tests' own, or None for SQLite in the site's home."""
    given = os.environ.get("GUILDMARK_DATABASE_URL", "")
    if not given.startswith("postgres"):
        yield None
        return
    import psycopg

    name = f"running_{uuid4().hex}"
    with psycopg.connect(given, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}")
        yield urlunsplit(urlsplit(given)._replace(path=f"/{name}"))
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="module")
def site(database, tmp_path_factory):
    """A migrated site with one award, for which nobody has worked yet."""
    made = Site(tmp_path_factory.mktemp("site"), database)
    subprocess.run(
        [sys.executable, "-c", "from guildmark.cli import main; main()", "site", "migrate"],
        env=made.environment, check=True, capture_output=True, cwd=ROOT,
    )  # fmt: skip
    vars(made).update(json.loads(made.python(AWARD)))
    return made


def _until(true, seconds=15.0):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.2)


def test_only_their_owner_reads_the_database_the_mail_and_the_work(site):
    private = ["blobs", "mail", "secrets", *(p.name for p in site.home.glob("guildmark.sqlite3*"))]
    assert {(site.home / name).stat().st_mode & 0o077 for name in private} == {0}
    assert (site.home / "web" / "index.json").stat().st_mode & 0o044 == 0o044


def test_the_worker_sends_mail_and_logs_awards_even_those_that_a_killed_one_had_begun(site):
    site.python(KILLED)
    with site.running("worker"):
        _until(lambda: list((site.home / "mail").glob("*.log")) and (site.home / "web/log/checkpoint").exists())
        _until(lambda: all(site.ask()["receipts"]))
    (message,) = (site.home / "mail").glob("*.log")
    assert site.token in message.read_text()
    told = site.ask()
    assert told["waiting"] == 0
    assert all(sent != "None" and body == "" for sent, body in told["mail"])
    assert told["receipts"][0].startswith("c2sp.org/tlog-proof@v1")


@contextmanager
def _served(site):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    def get(path, method="GET"):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request(method, path)
        response = connection.getresponse()
        response.body = response.read()
        connection.close()
        return response

    def answers():
        try:
            return get("/verify").status == 200
        except OSError:
            return False

    with site.running("serve", "--port", str(port), "--workers", "2"):
        _until(answers)
        yield get


def test_the_server_gives_every_kind_of_page_and_document_and_the_same_after_a_restart(site):
    with _served(site) as get:
        assert get("/").status == 200
        claim = get(f"/claim/{site.token}")
        assert claim.status == 200
        assert site.title in claim.body.decode()
        assert claim.headers["Cache-Control"] == "private, no-store"
        assert get(f"/verify/{site.award}").status == 200
        missing = get("/nothing/here")
        assert missing.status == 404
        assert b"<h1" in missing.body
        for path, media_type in (
            ("/status/1", "application/vc+ld+json"),
            ("/status/1/reasons", "application/vc+ld+json"),
            ("/issuers/harbour-university/did.json", "application/did+ld+json"),
        ):
            found, head = get(path), get(path, "HEAD")
            assert (found.status, found.headers["Content-Type"]) == (200, media_type)
            assert found.headers["Access-Control-Allow-Origin"] == "*"
            assert found.headers["Cache-Control"] == "public, max-age=60"
            assert (head.status, head.body) == (200, b"")
            assert head.headers["Content-Length"] == str(len(found.body))
        first = get("/status/1").body
    with _served(site) as get:
        assert get("/status/1").body == first
        assert site.title in get(f"/claim/{site.token}").body.decode()
        signing_in = get("/admin/login/")
        assert signing_in.status == 200
        assert signing_in.headers["Content-Security-Policy"] == POLICY
        page = signing_in.body.decode()
        files = [part.split('"')[0] for part in (*page.split('href="')[1:], *page.split('src="')[1:])]
        styles = [path for path in files if path.endswith((".css", ".js"))]
        assert len(styles) >= 4
        for path in styles:
            assert get(path).status == 200, path
        assert "<style" not in page
        assert "<script>" not in page
        assert " style=" not in page
    assert site.token not in (site.home / "serve.log").read_text()


def test_a_site_that_is_started_twice_at_once_is_made_once(tmp_path):
    new = Site(tmp_path / "new", None)
    programs = [
        subprocess.Popen(
            [sys.executable, "-c", "from guildmark.cli import main; main()", "site", "migrate"],
            env=new.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT,
        )
        for _ in range(3)
    ]  # fmt: skip
    said = [program.communicate(timeout=60)[0] for program in programs]
    assert said == ["The sqlite3 database is up to date.\n"] * 3


def test_neither_starts_on_a_database_of_another_version(database, tmp_path):
    empty = Site(tmp_path, None)
    for words in (["worker"], ["serve", "--port", "1"]):
        done = subprocess.run(
            [sys.executable, "-c", "from guildmark.cli import main; main()", "site", *words],
            env=empty.environment, capture_output=True, text=True, cwd=ROOT, timeout=30, check=False,
        )  # fmt: skip
        assert done.returncode == 2
        assert done.stderr == "guildmark: the database is not of this version; run guildmark site migrate.\n"
