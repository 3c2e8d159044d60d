"""Columns of our own: signed documents stay bytes on every database."""

from __future__ import annotations

from django.db import models


class BytesField(models.BinaryField):
    """A BinaryField that always reads back as `bytes` (psycopg hands out memoryviews)."""

    def from_db_value(self, value, expression, connection):
        return None if value is None else bytes(value)
