"""Events are appended and nothing else: the database refuses to change or delete one, whoever asks.

The refusal is a trigger, put there after each run of migrations (SQLite drops it when a migration remakes the table).
It holds against our own code and against a hand that slips in a shell. Whoever owns the database can drop a trigger:
what must not be changed by them is in the public log.
"""

from __future__ import annotations

from typing import Any

from django.db import connections

TABLE = "guildmark_event"
SAYS = "events are appended, never changed or deleted"

_SQLITE = [
    f"CREATE TRIGGER IF NOT EXISTS {TABLE}_no_{what.lower()} BEFORE {what} ON {TABLE} "
    f"BEGIN SELECT RAISE(ABORT, '{SAYS}'); END"
    for what in ("UPDATE", "DELETE")
]

_POSTGRESQL = [
    f"CREATE OR REPLACE FUNCTION {TABLE}_refuse() RETURNS trigger LANGUAGE plpgsql AS "
    f"$$ BEGIN RAISE EXCEPTION '{SAYS}' USING ERRCODE = 'integrity_constraint_violation'; END $$",
    f"DROP TRIGGER IF EXISTS {TABLE}_append_only ON {TABLE}",
    f"CREATE TRIGGER {TABLE}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {TABLE} "
    f"FOR EACH STATEMENT EXECUTE FUNCTION {TABLE}_refuse()",
]

_DROP = {
    "sqlite": [f"DROP TRIGGER IF EXISTS {TABLE}_no_{what}" for what in ("update", "delete")],
    "postgresql": [f"DROP TRIGGER IF EXISTS {TABLE}_append_only ON {TABLE}"],
}


def guard_events(*, using: str, **_said: Any) -> None:
    """The database `using` refuses to change or delete an event, if it has the table already."""
    connection = connections[using]
    if TABLE not in connection.introspection.table_names():
        return
    statements = _SQLITE if connection.vendor == "sqlite" else _POSTGRESQL
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def lifting_statements(vendor: str) -> list[str]:
    """What lifts the guard, for tests that empty their tables; the next `migrate` or `flush` puts it back."""
    return list(_DROP[vendor])
