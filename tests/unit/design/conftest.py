"""The three sample blueprints, as plain values that a test may change."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib.resources import files
from typing import Any

import pytest

from guildmark.design.blueprint import Blueprint, read_blueprint

SAMPLES = ("data-protection", "data-storytelling", "sql-python-operations")


@pytest.fixture
def sample() -> Callable[..., dict[str, Any]]:
    """`sample()` is a fresh copy of a sample blueprint's JSON."""

    def read(name: str = "sql-python-operations") -> dict[str, Any]:
        value: dict[str, Any] = json.loads((files("guildmark.design") / "samples" / f"{name}.json").read_bytes())
        return value

    return read


@pytest.fixture
def changed(sample) -> Callable[..., Blueprint]:
    """`changed(("outcomes", 0, "hours"), 25, ...)`: the sample with values put at paths; `...` takes one out."""

    def make(*paths_and_values: Any, name: str = "sql-python-operations") -> Blueprint:
        return read_blueprint(put(sample(name), *paths_and_values), "plan.json")

    return make


def put(value: dict[str, Any], *paths_and_values: Any) -> dict[str, Any]:
    """`value` with each value put at its path; `...` takes the member out."""
    for path, new in zip(paths_and_values[::2], paths_and_values[1::2], strict=True):
        holder: Any = value
        *way, last = path if isinstance(path, tuple) else (path,)
        for step in way:
            holder = holder[step]
        if new is ...:
            del holder[last]
        else:
            holder[last] = new
    return value
