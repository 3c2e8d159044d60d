"""Long lists page by page: a cursor says after which row to go on, so that no row is told twice or left out."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, TypeVar
from uuid import UUID

from django.db.models import Model, Q, QuerySet
from ninja import Query, Schema
from pydantic import Field

from guildmark.core.codecs import base64url_decode, base64url_encode
from guildmark.core.errors import BrokenInput, GuildmarkError

M = TypeVar("M", bound=Model)
S = TypeVar("S", bound=Schema)

Limit = Annotated[int, Query(50, ge=1, le=100, description="Rows on a page.")]
Cursor = Annotated[
    str | None, Query(None, max_length=400, description="`next` of the page before; leave it out for the first.")
]


class Page(Schema):
    """Some of the rows; `next` is the cursor of the page after, and null on the last one."""

    next: str | None = Field(description="Send it as `cursor` for the page after; null on the last page.")


def page_of(
    rows: QuerySet[M], *, by: str | None, cursor: str | None, limit: int, shape: Callable[[M], S]
) -> tuple[list[S], str | None]:
    """(rows as shapes, cursor of the page after), oldest first by the moment `by` and then by id. One statement.

    BrokenInput for a cursor that is none of ours.
    """
    order = [by, "pk"] if by else ["pk"]
    rows = rows.order_by(*order)
    if cursor:
        rows = rows.filter(_after(by, _read(cursor, by, rows.model)))
    found = list(rows[: limit + 1])
    more = len(found) > limit
    return [shape(row) for row in found[:limit]], _cursor(found[limit - 1], by) if more else None


def _after(by: str | None, values: list[Any]) -> Q:
    if by is None:
        return Q(pk__gt=values[0])
    moment, pk = values
    return Q(**{f"{by}__gt": moment}) | Q(**{by: moment, "pk__gt": pk})


def _cursor(row: Model, by: str | None) -> str:
    values = [getattr(row, by).isoformat()] if by else []
    return base64url_encode(json.dumps([*values, str(row.pk)]).encode())


def _read(cursor: str, by: str | None, model: type[Model]) -> list[Any]:
    try:
        values = json.loads(base64url_decode(cursor))
        if not isinstance(values, list) or not all(isinstance(value, str) and "\0" not in value for value in values):
            raise ValueError("not a list of texts")
        *moments, pk = values
        if len(moments) != (1 if by else 0):
            raise ValueError("a cursor of another list")
        pk.encode()
        at = [datetime.fromisoformat(moment) for moment in moments]
        if any(moment.tzinfo is None for moment in at):
            raise ValueError("a moment without a zone")
        return [*at, UUID(pk) if model._meta.pk.get_internal_type() == "UUIDField" else pk]
    except (ValueError, RecursionError, GuildmarkError) as problem:
        raise BrokenInput(
            "this is not a cursor of this list", where="cursor", hint="send `next` of the page before as it is"
        ) from problem
