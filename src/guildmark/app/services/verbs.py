"""What makes a service a verb: one transaction that stands or falls as a whole, and begins again if it lost a race.

Two verbs at the same moment wait for each other on the rows that they `hold`. Where waiting is not enough, because two
of them wait for one another, SQLite was locked for too long, or both took the same new name, the one that lost is
rolled back and runs again from its beginning, where it finds what the winner left. Callers hand in ids and moments, so
that running again does the same.

Rows are held in one order, so that this stays rare: learner, enrolment, decision, award, organisation, status list.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from django.db import DatabaseError, IntegrityError, OperationalError, connection, transaction
from django.db.models import Model

from guildmark.core.errors import BrokenInput, OutsideFailure

P = ParamSpec("P")
R = TypeVar("R")
M = TypeVar("M", bound=Model)

BUSY = "The database is busy with the work of others, so nothing was changed; try again in a moment."

_PAUSES = (0.05, 0.2, 0.5)
"""Seconds before the second, third and fourth try. Waiting for locks comes on top: 20 seconds each on SQLite."""

_LOST = frozenset(["40001", "40P01", "55P03"])
"""PostgreSQL's codes: serialization failure, deadlock detected, lock not available."""


def verb(run: Callable[P, R]) -> Callable[P, R]:
    """The function runs in one transaction of its own, or inside its caller's; OutsideFailure if it never got its turn.

    Only the outermost verb begins again, since a transaction that lost is lost as a whole.
    """

    @wraps(run)
    def whole(*arguments: P.args, **named: P.kwargs) -> R:
        if connection.in_atomic_block:
            with transaction.atomic():
                return run(*arguments, **named)
        for pause in (*_PAUSES, None):
            try:
                with transaction.atomic():
                    return run(*arguments, **named)
            except (OperationalError, IntegrityError) as problem:
                if not lost_a_race(problem):
                    raise
                if pause is None:
                    if isinstance(problem, IntegrityError):
                        raise  # the same again and again: no race but a defect, which should show
                    raise OutsideFailure(BUSY) from problem
                time.sleep(pause)
        raise AssertionError("unreachable: the last try returns or raises")

    return whole


def fits(record: type[Model], **texts: str) -> None:
    """BrokenInput for a text that is longer than its column; of the databases only PostgreSQL would refuse it."""
    for name, text in texts.items():
        most = record._meta.get_field(name).max_length
        if most is not None and len(text) > most:
            raise BrokenInput(f"has {len(text):,} characters", where=name, hint=f"shorten it to {most} at most")


def lost_a_race(problem: DatabaseError) -> bool:
    """Whether the database refused since somebody else was there at the same moment, so that a new try may succeed."""
    if isinstance(problem, IntegrityError):
        return True
    code = getattr(problem.__cause__, "sqlstate", None)
    return code in _LOST or "is locked" in str(problem)


def hold(row: M) -> M:
    """The row as it is now, and nobody else's to change until this transaction ends.

    Others may go on adding rows that point to it (on PostgreSQL: FOR NO KEY UPDATE), or two verbs that each added one
    before they hold it would wait for each other for ever.
    """
    return type(row)._default_manager.select_for_update(no_key=True).get(pk=row.pk)
