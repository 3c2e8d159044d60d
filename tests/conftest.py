"""What all tests share: a database whose events nobody can delete can still be emptied after a test."""

from __future__ import annotations

import pytest
from django.db import connections


@pytest.fixture(autouse=True, scope="session")
def _events_can_be_flushed():
    """`flush`, with which tests in several connections end, lifts the guard of events; it puts it back itself."""
    from guildmark.app.records.append_only import lifting_statements

    operations = type(connections["default"].ops)
    flush = operations.sql_flush

    def lifted(self, style, tables, **options):
        found = flush(self, style, tables, **options)
        return [*lifting_statements(self.connection.vendor), *found] if found else found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(operations, "sql_flush", lifted)
        yield
