"""How far long work is: a bar on a terminal, a plain line now and then elsewhere. Nothing on standard output."""

from __future__ import annotations

import sys
import time
from types import TracebackType

_WIDTH = 30
_EVERY = 0.2
"""Seconds between two pictures of the bar; elsewhere there is a line for each tenth of the work."""


class Progress:
    """`with Progress("awarding", 5000) as progress: progress.at(1200)`; `total` 0 where nobody knows."""

    def __init__(self, what: str, total: int) -> None:
        self._what, self._total = what, total
        self._begun = self._shown = time.monotonic()
        self._tenths = self._done = self._first = 0
        self._bar = sys.stderr is not None and sys.stderr.isatty()

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar and self._done:
            self._write(f"\r{self._line()}\x1b[K\n")

    def start(self, done: int) -> None:
        """So much was done before: it counts for the bar and not for the rate."""
        self._first = self._done = done

    def at(self, done: int) -> None:
        """So much is done; shown if it is time."""
        self._done = done
        now = time.monotonic()
        if self._bar:
            if now - self._shown >= _EVERY:
                self._shown = now
                self._write(f"\r{self._line()}\x1b[K")
        elif self._total and (tenths := 10 * done // self._total) > self._tenths:
            self._tenths = tenths
            self._write(f"{self._line()}\n")

    def _line(self) -> str:
        gone = max(time.monotonic() - self._begun, 1e-6)
        rate = (self._done - self._first) / gone
        if not self._total:
            return f"{self._what}: {self._done:,}, {rate:,.0f} a second"
        full = _WIDTH * self._done // self._total
        bar = f" [{'#' * full}{'.' * (_WIDTH - full)}]" if self._bar else ""
        left = (self._total - self._done) / rate if rate else 0.0
        ends = f", {_duration(left)} left" if self._done < self._total else f" in {_duration(gone)}"
        return f"{self._what}{bar}: {self._done:,} of {self._total:,}, {rate:,.0f} a second{ends}"

    def _write(self, text: str) -> None:
        if sys.stderr is not None:
            sys.stderr.write(text)
            sys.stderr.flush()


def _duration(seconds: float) -> str:
    whole = round(seconds)
    return f"{whole} s" if whole < 120 else f"{whole // 60} min {whole % 60:02d} s"
