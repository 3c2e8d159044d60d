"""Where the shared vectors and data lie; a test that needs one counts as skipped where it is absent.

A run of the tests ends with a line that says how many vectors of each source passed:

    vectors: dcc-fixtures 37, jcs 6, w3c-rdf-canon 65, multibase in 2 tests

For that a test says which vectors it ran, once they hold: `counted("jcs", name)`. See there.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent
_VECTORS = Path(os.environ.get("GUILDMARK_VECTORS", PROJECT.parent / "shared" / "vectors"))
_DATA = Path(os.environ.get("GUILDMARK_DATA", PROJECT.parent / "shared" / "data"))


def vectors(name: str = "") -> Path:
    """The folder of vectors called `name`, or a skip that says what is missing. A test that asks and never says
    what it ran (`counted`) shows in the last line as one of the tests of that source.
    """
    path = _there(_VECTORS / name, "shared vectors")
    used.setdefault(name.partition("/")[0], set())
    return path


def counted(folder: str, names: str | Iterable[str]) -> None:
    """From here on the vectors called `names` of the source `folder` count as run by the test that is running,
    if that test passes. Call it at the end of the test, after its claims.

    A name is whatever tells one vector of the folder from another: a file, a file and a row. Each counts once in
    a run, however many tests and workers run it, so that the number is one of vectors and not of tests:

        @pytest.mark.parametrize("name", NAMES)
        def test_each_sample_is_canonical(name):
            assert canonical(read(name)) == expected(name)
            counted("w3c-rdf-canon", name)
    """
    used.setdefault(folder, set()).update([names] if isinstance(names, str) else names)


used: dict[str, set[str]] = {}
"""Source -> the vectors that the running test has said it ran; `tests/conftest.py` empties and collects it."""


def data(name: str = "") -> Path:
    """The folder of data called `name`, or a skip that says what is missing."""
    return _there(_DATA / name, "shared data")


def _there(path: Path, what: str) -> Path:
    if not path.exists():
        pytest.skip(f"{what} not here: {path.name}")
    return path
