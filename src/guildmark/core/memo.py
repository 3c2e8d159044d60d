"""Remembering what was computed from a value that never changes."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TypeVar

V = TypeVar("V")
R = TypeVar("R")


def by_identity(most: int) -> Callable[[Callable[[V], R]], Callable[[V], R]]:
    """The function is computed once for each of the last `most` values that it was asked about, known by being the
    same object. For frozen values that are dear to compare; they are kept alive meanwhile, so that none is taken for
    another.
    """

    def remember(compute: Callable[[V], R]) -> Callable[[V], R]:
        known: list[tuple[V, R]] = []

        @wraps(compute)
        def asked(value: V) -> R:
            for kept, answer in known[:]:
                if kept is value:
                    return answer
            answer = compute(value)
            known.insert(0, (value, answer))
            del known[most:]
            return answer

        return asked

    return remember
