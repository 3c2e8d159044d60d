"""Many rows of a table at once: binary COPY on PostgreSQL, `executemany` on SQLite; the same rows that the ORM writes.

Columns come one by one, each with a value for every row, or one `Same` value for all. Values are those of the model's
fields, but for JSON, which comes as its text: who writes ten thousand rows has made most of it beforehand. Nothing is
checked here beyond what the database checks; defaults of the model fill what is not named.

PostgreSQL's binary COPY format: the page of the COPY command in its documentation, "Binary Format"; the forms of the
values are those of its `send` functions.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import islice, repeat
from typing import Any

from django.db import connection, models

_BEGIN = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
_END = b"\xff\xff"
_NULL = b"\xff\xff\xff\xff"
_EPOCH, _FIRST_DAY = datetime(2000, 1, 1, tzinfo=UTC), date(2000, 1, 1).toordinal()


@dataclass(frozen=True, slots=True)
class Same:
    """One value for every row."""

    value: Any


Column = Sequence[Any] | Same


def insert_rows(record: type[models.Model], columns: Mapping[str, Column]) -> int:
    """The rows are in the table of `record`, in their order; how many. Keys are names of fields (`learner_id`, `at`).

    Call it inside a transaction. IntegrityError as for single rows. The database gives ids where `id` is not named.
    """
    fields = {f.attname: f for f in record._meta.concrete_fields}
    unknown = columns.keys() - fields.keys()
    if unknown:
        raise ValueError(f"{record.__name__} has no column {min(unknown)}")
    whole: dict[str, Column] = dict(columns)
    for name, field in fields.items():
        if name not in whole and not isinstance(field, models.AutoField):
            whole[name] = Same(_json_text(field.get_default()) if _is_json(field) else field.get_default())
    many = {name: column for name, column in whole.items() if not isinstance(column, Same)}
    number = len(next(iter(many.values()))) if many else 1
    if any(len(column) != number for column in many.values()):
        raise ValueError(f"the columns of {record.__name__} are not equally long")
    if not number:
        return 0
    names = [connection.ops.quote_name(fields[name].column) for name in whole]
    into = f"{connection.ops.quote_name(record._meta.db_table)} ({', '.join(names)})"
    kinds = [fields[name] for name in whole]
    if connection.vendor == "postgresql":
        _copy(into, kinds, list(whole.values()), number)
    else:
        _insert_each(into, kinds, list(whole.values()), number)
    return number


def update_rows(
    record: type[models.Model], keys: Sequence[Any], columns: Mapping[str, Column], *, where: str = ""
) -> int:
    """The rows with these primary keys have the new values; how many there were.

    `where` is a further condition in SQL, written in our source and never brought from outside.
    """
    if not keys:
        return 0
    fields = {f.attname: f for f in record._meta.concrete_fields}
    primary = record._meta.pk
    assert primary is not None
    quote = connection.ops.quote_name
    table, condition = quote(record._meta.db_table), f" AND {where}" if where else ""
    if connection.vendor != "postgresql":
        into = ", ".join(f"{quote(fields[name].column)} = %s" for name in columns)
        text = f"UPDATE {table} SET {into} WHERE {quote(primary.column)} = %s{condition}"  # noqa: S608
        values = [_adapted(fields[name], column) for name, column in columns.items()]
        with connection.cursor() as cursor:
            cursor.executemany(text, list(zip(*values, _adapted(primary, keys), strict=False)))
            return int(cursor.rowcount)
    many = {name: column for name, column in columns.items() if not isinstance(column, Same)}
    kinds = [primary.db_type(connection), *(fields[name].db_type(connection) for name in many)]
    given = ["key", *(f"v{n}" for n in range(len(many)))]
    places = {name: f"new.v{n}" for n, name in enumerate(many)}
    into = ", ".join(
        f"{quote(fields[name].column)} = {places.get(name, f'%s::{fields[name].db_type(connection)}')}"
        for name in columns
    )
    arrays = ", ".join(f"%s::{kind}[]" for kind in kinds)
    text = (
        f"UPDATE {table} SET {into} FROM unnest({arrays}) AS new ({', '.join(given)}) "  # noqa: S608
        f"WHERE {table}.{quote(primary.column)} = new.key{condition}"
    )
    same = [column.value for column in columns.values() if isinstance(column, Same)]
    with connection.cursor() as cursor:
        cursor.execute(text, [*same, list(keys), *(list(column) for column in many.values())])
        return int(cursor.rowcount)


@contextmanager
def room_to_write() -> Iterator[None]:
    """SQLite has memory for the pages that thousands of rows touch, and copies them into its file less often.

    128 MB and a write-ahead log of up to 200 MB meanwhile, instead of 2 and 4; nothing is less durable. PostgreSQL has
    its own settings for this.
    """
    if connection.vendor != "sqlite":
        yield
        return
    with connection.cursor() as cursor:
        before = {name: cursor.execute(f"PRAGMA {name}").fetchone()[0] for name in ("cache_size", "wal_autocheckpoint")}
        cursor.execute("PRAGMA cache_size = -131072")
        cursor.execute("PRAGMA wal_autocheckpoint = 50000")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            for name, value in before.items():
                cursor.execute(f"PRAGMA {name} = {value}")
            if not connection.in_atomic_block:
                cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # what somebody still reads from stays


def reserve_ids(record: type[models.Model], number: int) -> list[int]:
    """So many ids of the table that nobody else gets, rising; call it inside the transaction that uses them."""
    table = record._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)", [table, number]
            )
            return [int(id) for (id,) in cursor.fetchall()]
        # The transaction has the only right to write, so that nobody takes an id meanwhile.
        cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [table])
        last = cursor.fetchone()
    first = (int(last[0]) if last else 0) + 1
    return list(range(first, first + number))


def _json_text(value: Any) -> str:
    return json.dumps(value)


def _is_json(field: models.Field[Any, Any]) -> bool:
    return isinstance(field, models.JSONField)


# --- SQLite: each value as Django writes it ---


def _insert_each(into: str, fields: Sequence[Any], columns: Sequence[Column], number: int) -> None:
    text = f"INSERT INTO {into} VALUES ({', '.join(['%s'] * len(fields))})"  # noqa: S608
    values = [_adapted(field, column) for field, column in zip(fields, columns, strict=True)]
    with connection.cursor() as cursor:  # a column of one value never ends
        cursor.executemany(text, islice(zip(*values, strict=False), number))


def _adapted(field: Any, column: Column) -> Iterable[Any]:
    adapt = _adapter(field)
    if isinstance(column, Same):
        return repeat(adapt(column.value))
    if adapt is _as_it_is:
        return column
    return [adapt(value) for value in column]


def _as_it_is(value: Any) -> Any:
    return value


def _adapter(field: Any) -> Callable[[Any], Any]:
    """What turns a value of the field into what SQLite is given for it."""
    field = _target(field)
    if isinstance(field, models.UUIDField):
        return lambda value: None if value is None else value.hex
    if isinstance(field, models.DateTimeField | models.DateField):
        return lambda value: None if value is None else field.get_db_prep_save(value, connection)
    return _as_it_is


def _target(field: Any) -> Any:
    while field.is_relation:
        field = field.target_field
    return field


# --- PostgreSQL: COPY ---


def _copy(into: str, fields: Sequence[Any], columns: Sequence[Column], number: int) -> None:
    head = struct.pack("!h", len(fields))
    parts: list[Iterable[bytes]] = [repeat(head)]
    for field, column in zip(fields, columns, strict=True):
        encode = _encoder(field)
        parts.append(repeat(encode(column.value)) if isinstance(column, Same) else map(encode, column))
    rows = map(b"".join, islice(zip(*parts, strict=False), number))
    with connection.cursor() as cursor:
        # Django hands `copy` through to psycopg, whose errors verbs would not know for those of a lost race.
        with connection.wrap_database_errors, cursor.copy(f"COPY {into} FROM STDIN (FORMAT BINARY)") as copy:
            copy.write(_BEGIN)
            while some := b"".join(islice(rows, 200)):
                copy.write(some)
            copy.write(_END)
        if cursor.rowcount != number:
            raise RuntimeError(f"{cursor.rowcount} of {number} rows were copied")


def _encoder(field: Any) -> Callable[[Any], bytes]:
    """What turns a value of the field into its length and its bytes."""
    kind = field.db_type(connection).partition("(")[0]
    make = _ENCODERS[kind]
    return lambda value: _NULL if value is None else make(value)


def _sized(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data


def _micros(moment: datetime) -> int:
    gone = moment - _EPOCH
    return (gone.days * 86_400 + gone.seconds) * 1_000_000 + gone.microseconds


_ENCODERS: Mapping[str, Callable[[Any], bytes]] = {
    "uuid": lambda value: b"\x00\x00\x00\x10" + value.bytes,
    "timestamp with time zone": lambda value: struct.pack("!iq", 8, _micros(value)),
    "date": lambda value: struct.pack("!ii", 4, value.toordinal() - _FIRST_DAY),
    "varchar": lambda value: _sized(value.encode()),
    "text": lambda value: _sized(value.encode()),
    "jsonb": lambda value: _sized(b"\x01" + value.encode()),
    "bytea": _sized,
    "boolean": lambda value: b"\x00\x00\x00\x01" + (b"\x01" if value else b"\x00"),
    "smallint": lambda value: struct.pack("!ih", 2, value),
    "integer": lambda value: struct.pack("!ii", 4, value),
    "bigint": lambda value: struct.pack("!iq", 8, value),
}
