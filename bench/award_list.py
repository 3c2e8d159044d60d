"""Awards by list against the same awards made one by one, and the claim of issue 3: 5,000 rows, 50 of them bad.

The list is read, started and run as the site does it, on a SQLite file with the site's own settings; the peer calls
the services of the single award (`enrol`, `record_transferred_result`, `award_credential`) for other learners, each
verb in a transaction of its own. Both run in this process, one after the other, so the ratio is of CPU seconds.

    python3 dev.py bench award_list [--quick]
"""

from __future__ import annotations

import os
import secrets
import sys
import tempfile
import time
from uuid import uuid4

from bench._run import Figure, finish

KINDS = 10


def main() -> None:
    quick = "--quick" in sys.argv
    rows, bad, singles = (60, 10, 20) if quick else (5000, 50, 300)
    with tempfile.TemporaryDirectory(prefix="guildmark-bench-") as home:
        os.environ |= {"GUILDMARK_HOME": home, "DJANGO_SETTINGS_MODULE": "guildmark.app.settings"}
        os.environ.pop("GUILDMARK_DATABASE_URL", None)
        finish(_figures(rows, bad, singles))


def _figures(rows: int, bad: int, singles: int) -> list[Figure]:
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0, interactive=False)
    from tests.app import cast as acts

    from guildmark.app.queries.design import blueprint_value
    from guildmark.app.records import Award, AwardListRow, OutboxMessage
    from guildmark.app.services import award_lists as lists
    from guildmark.app.tasks.award_lists import run_slice

    cast = acts.cast()
    offering = acts.enrol(cast, acts.publish(cast)).offering
    blueprint = blueprint_value(offering.blueprint_version)
    body = _file(blueprint, rows, bad)

    def read() -> lists.AwardList:
        row = lists.upload_list(
            id=uuid4(), offering=offering, source="Campus One", file_name="class.csv", body=body,
            actor=cast.ana, now=acts.NOW,
        )  # fmt: skip
        return lists.read_list(award_list=row, columns=row.columns, order=row.date_order, actor=cast.ana, now=acts.NOW)

    begun = time.perf_counter()
    row = read()
    reading = time.perf_counter() - begun
    told = row.rows.filter(state="bad").count()
    lists.start_list(award_list=row, actor=cast.ana, now=acts.NOW)
    cpu = time.process_time()
    while run_slice(seconds=3600) != "no list is free":
        pass
    by_list = (rows - bad) / (time.process_time() - cpu)
    awarded, mails = Award.objects.count(), OutboxMessage.objects.count()
    again = AwardListRow.objects.filter(award_list=read(), state="ready").count()
    cpu = time.process_time()
    for n in range(singles):
        _single(cast, offering, blueprint, row, n)
    one_by_one = singles / (time.process_time() - cpu)
    return [
        Figure(f"awarded of {rows - bad} good rows", awarded / (rows - bad), "share", 1.0),
        Figure(f"bad rows of {KINDS} kinds that are told, of {bad}", told / bad, "share", 1.0),
        Figure("mails queued for each award", mails / awarded, "share", 1.0),
        Figure("rows that the same file again would not award", 1 - again / rows, "share", 1.0),
        Figure("awards by list, per CPU second", by_list, "1/s"),
        Figure("awards by list against awards one by one", by_list / one_by_one, "x", 0.9),
        Figure("rows read and judged before a list starts", rows / reading, "1/s"),
    ]


def _file(blueprint, rows: int, bad: int) -> bytes:
    """A class list; every `rows / bad`th row is bad, the kinds in turn."""
    from guildmark.assess.result_list import sample_file

    lines = sample_file(blueprint).decode().splitlines()
    made = [lines[0]]
    for n in range(rows):
        cells = lines[1].split(",")
        cells[0], cells[1], cells[2] = f"Learner {n}", f"learner{n}@example.org", f"R{n}"
        if n % (rows // bad) == 1:
            _spoil(cells, n // (rows // bad) % KINDS)
        made.append(",".join(cells))
    return "\r\n".join(made).encode()


def _spoil(cells: list[str], kind: int) -> None:
    match kind:
        case 0:
            cells[0] = ""
        case 1:
            cells[1] = ""
        case 2:
            cells[1] = "nowhere"
        case 3:
            cells[0] = "=A1"
        case 4:
            cells[3] = "31/02/2026"
        case 5:
            cells[3] = "2099-01-01"
        case 6:
            cells[5] = cells[4]
        case 7:
            cells[6] = "2.5"
        case 8:
            cells[7] = ""
        case _:
            cells[6] = cells[7] = "beginning"


def _single(cast, offering, blueprint, award_list, n: int) -> None:
    from tests.app.cast import NOW

    from guildmark.app.services import assess, awards
    from guildmark.app.services.people import add_learner
    from guildmark.app.services.transfers import record_transferred_result
    from guildmark.assess.result_list import ListedResult

    best = {f"{a.id}/{c.id}": c.levels[-1].id for a in blueprint.assessments for c in a.criteria}
    result = ListedResult(n, f"Single {n}", f"single{n}@example.org", "", NOW.date(), {"A": best, "B": best})
    learner = add_learner(id=uuid4(), name=result.name, email=result.email, now=NOW)
    decision, _ = record_transferred_result(
        id=uuid4(),
        decision_id=uuid4(),
        enrolment=assess.enrol(id=uuid4(), offering=offering, learner=learner, now=NOW),
        marks=result.marks(f"urn:{n}"),
        assessed_on=NOW.date(),
        reference="",
        award_list=award_list,
        row=n,
        actor=cast.ana,
        now=NOW,
    )
    awards.award_credential(id=uuid4(), decision=decision, entropy=secrets.token_bytes, actor=cast.ana, now=NOW)


if __name__ == "__main__":
    main()
