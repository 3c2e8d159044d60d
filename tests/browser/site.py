"""A site as an operator runs it: server and worker in processes of their own, an empty home, mail as files.

Nothing here touches Django: the browser's driver keeps an event loop in this process, in which Django's database
refuses to work. Whatever GUILDMARK_DATABASE_URL the tests run with, these sites keep SQLite in their own homes.
"""

from __future__ import annotations

import email
import email.policy
import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

GUILDMARK = (sys.executable, "-c", "from guildmark.cli import main; main()")

PUBLIC = "https://demo.guildmark.example"
"""The public address in what the site publishes and mails; the test reaches the same pages at `Site.url`."""

_BETWEEN_MAILS = "-" * 79 + "\n"  # as Django's file backend divides them


def free_port() -> int:
    """A port that nothing listened on a moment ago."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


@dataclass(frozen=True)
class Mail:
    """One mail that was sent."""

    to: str
    subject: str
    body: str

    @property
    def path(self) -> str:
        """Where on the site the first link of the mail leads."""
        (_, path), *_ = re.findall(r"(https?://[^/\s]+)(/\S*)", self.body)
        return str(path).rstrip(".")

    @property
    def code(self) -> str:
        """The code to type in, which stands on a line of its own."""
        found = re.search(r"^\s*([A-Z0-9]{3,}(?:-[A-Z0-9]{3,})*)\s*$", self.body, re.MULTILINE)
        assert found, f"no code in: {self.body}"
        return found[1]


@dataclass
class Site:
    """Where the site answers and where its home is; what an operator can do beside it."""

    url: str
    home: Path
    environment: Mapping[str, str]

    def command(self, *words: str) -> str:
        """What `guildmark WORDS` printed, run by the operator of this site."""
        done = subprocess.run(
            [*GUILDMARK, *words], env=dict(self.environment), cwd=self.home, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"guildmark {' '.join(words)} ended with {done.returncode}: {done.stderr}"
        return done.stdout

    def mails(self, to: str = "") -> list[Mail]:
        """Every mail that was sent so far, oldest first; those to one address, if one is named."""
        files = sorted((self.home / "mail").glob("*.log"), key=lambda file: (file.stat().st_mtime_ns, file.name))
        texts = [text for file in files for text in file.read_text().split(_BETWEEN_MAILS) if text.strip()]
        read = [email.message_from_string(text, policy=email.policy.default) for text in texts]
        found = [Mail(str(m["To"]), str(m["Subject"]), m.get_body(("plain",)).get_content()) for m in read]
        return [mail for mail in found if not to or mail.to == to]

    def mail(self, to: str, subject: str, *, within: float = 30) -> Mail:
        """The newest mail to `to` with `subject` in its subject; it is waited for, since a worker sends it."""
        until = time.monotonic() + within
        while True:
            if found := [mail for mail in self.mails(to) if subject.casefold() in mail.subject.casefold()]:
                return found[-1]
            if time.monotonic() > until:
                seen = [(mail.to, mail.subject) for mail in self.mails()]
                raise AssertionError(f"no mail about {subject!r} to {to} after {within} s; there are {seen}")
            time.sleep(0.2)

    def log(self) -> str:
        """What server and worker wrote to standard error."""
        return "".join(file.read_text(errors="replace") for file in sorted(self.home.parent.glob("*.stderr")))


@contextmanager
def running(folder: Path, *, home: Path | None = None, port: int | None = None, **more: str) -> Iterator[Site]:
    """A site that runs until the block ends; `home` is one that was filled before, or else an empty one is made.

    `more` is further environment, such as GUILDMARK_DEMO_SITE="1".
    """
    port = port or free_port()
    made, home = home is None, home or folder / "home"
    environment = {k: v for k, v in os.environ.items() if not k.startswith("GUILDMARK_")}
    environment |= {"GUILDMARK_HOME": str(home), "PYTHONUNBUFFERED": "1", **more}
    site = Site(f"http://127.0.0.1:{port}", home, environment)
    if made:
        home.mkdir(parents=True)
    site.command("site", "migrate")
    programs = {"serve": ("serve", "--port", str(port)), "worker": ("worker",)}
    processes = []
    try:
        for name, words in programs.items():
            with open(home.parent / f"{name}.stderr", "w") as log:
                processes.append(
                    subprocess.Popen(
                        [*GUILDMARK, "site", *words], env=environment, cwd=home, stdout=subprocess.DEVNULL, stderr=log
                    )
                )
        _wait_until_it_answers(site, processes[0])
        yield site
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            try:
                process.wait(timeout=15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_until_it_answers(site: Site, server: subprocess.Popen[bytes], within: float = 60) -> None:
    until = time.monotonic() + within
    while True:
        try:
            with urllib.request.urlopen(f"{site.url}/verify", timeout=5):
                return
        except (urllib.error.URLError, OSError) as problem:
            if server.poll() is not None or time.monotonic() > until:
                raise AssertionError(f"the site did not start: {problem}\n{site.log()}") from problem
            time.sleep(0.1)
