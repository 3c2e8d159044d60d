"""Where the shared vectors and data lie; a test that needs one counts as skipped where it is absent."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent
_VECTORS = Path(os.environ.get("GUILDMARK_VECTORS", PROJECT.parent / "shared" / "vectors"))
_DATA = Path(os.environ.get("GUILDMARK_DATA", PROJECT.parent / "shared" / "data"))


def vectors(name: str = "") -> Path:
    """The folder of vectors called `name`, or a skip that says what is missing."""
    return _there(_VECTORS / name, "shared vectors")


def data(name: str = "") -> Path:
    """The folder of data called `name`, or a skip that says what is missing."""
    return _there(_DATA / name, "shared data")


def _there(path: Path, what: str) -> Path:
    if not path.exists():
        pytest.skip(f"{what} not here: {path.name}")
    return path
