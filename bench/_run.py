"""How every benchmark measures and ends: contenders in turn, medians, one JSON line a figure, exit 1 below a floor."""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value against the least that is promised; `floor` None promises nothing."""

    name: str
    value: float
    unit: str
    floor: float | None = None

    def line(self) -> str:
        holds = self.floor is None or self.value >= self.floor
        value = float(f"{self.value:.4g}")
        return json.dumps({"name": self.name, "value": value, "unit": self.unit, "floor": self.floor, "holds": holds})


def rates(contenders: Mapping[str, Callable[[], object]], *, rounds: int, slice_seconds: float) -> dict[str, float]:
    """Calls per CPU second of each contender: the median over rounds in turn, so that drift of the machine hits all."""
    seen: dict[str, list[float]] = {name: [] for name in contenders}
    for call in contenders.values():
        call()  # warm
    for _ in range(rounds):
        for name, call in contenders.items():
            calls, wall, cpu = 0, time.perf_counter(), time.process_time()
            while time.perf_counter() - wall < slice_seconds:
                call()
                calls += 1
            seen[name].append(calls / (time.process_time() - cpu))
    return {name: statistics.median(values) for name, values in seen.items()}


QUICK = 0.7
"""The share of a floor that a quick look has to reach: on a machine that others use as well it says whether something
broke, not how near the limit we are.
"""


def finish(figures: list[Figure], *, share: float = 1.0) -> None:
    """Print each figure; end with 1 if one is below its floor, or `share` of it."""
    figures = [replace(f, floor=None if f.floor is None else round(f.floor * share, 4)) for f in figures]
    for figure in figures:
        print(figure.line())
    sys.exit(0 if all(f.floor is None or f.value >= f.floor for f in figures) else 1)
