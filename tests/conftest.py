"""What all tests share: a database whose events nobody can delete can still be emptied after a test, and the last
line, which counts the vectors of others by source.
"""

from __future__ import annotations

import pytest
from django.db import connections

from tests import paths

_COUNTED = pytest.StashKey[dict[str, tuple[set[str], set[str]]]]()
"""Source -> (vectors that held, tests that asked for it)."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item):
    paths.used.clear()
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    """What the test said it ran travels with its report, so that it comes back from the workers of xdist too."""
    try:
        return (yield)
    finally:
        if paths.used:
            item.user_properties.append(("vectors", {folder: sorted(names) for folder, names in paths.used.items()}))


class _Count:
    def __init__(self, config):
        self.counted = config.stash.setdefault(_COUNTED, {})

    def pytest_runtest_logreport(self, report):
        if report.when == "call" and report.passed:
            for folder, names in (
                p for name, value in report.user_properties if name == "vectors" for p in value.items()
            ):
                held, tests = self.counted.setdefault(folder, (set(), set()))
                held.update(names)
                tests.add(report.nodeid)


def pytest_configure(config):
    config.pluginmanager.register(_Count(config), "vector-count")


def pytest_terminal_summary(terminalreporter, config):
    found = sorted(config.stash.get(_COUNTED, {}).items())
    told = [f"{folder} {len(held)}" for folder, (held, _) in found if held]
    rest = [
        f"{folder or 'all'} in {len(tests)} test{'s' * (len(tests) > 1)}" for folder, (held, tests) in found if not held
    ]
    if told or rest:
        terminalreporter.write_line(f"vectors: {', '.join(told + rest)}")


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
