"""How far long work has come: a bar with rate and time left on a terminal, plain lines elsewhere, all on stderr.

Library code takes a callable ``(done, total)``, such as a `ProgressBar`, and knows nothing of terminals.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click
from tqdm import tqdm

INTERVAL_S = 10.0  # between plain lines


class ProgressBar:
    """Shows ``done`` of ``total`` each time it is called; made by `progress_bar`."""

    def __init__(self, doing: str, unit: str, start: int = 0) -> None:
        self._doing, self._unit, self._start = doing, unit, start
        self._began = self._said = time.monotonic()
        self._bar: Any = None
        if sys.stderr.isatty():
            self._bar = tqdm(desc=doing, unit=f" {unit}", initial=start, dynamic_ncols=True)

    def __call__(self, done: int, total: int | None = None) -> None:
        """Show that ``done`` are done, of ``total`` where that is known."""
        if self._bar is not None:
            self._bar.total = total
            self._bar.update(done - self._bar.n)
        elif time.monotonic() - self._said >= INTERVAL_S:
            self._said = time.monotonic()
            click.echo(self._line(done, total), err=True)

    def close(self) -> None:
        """Leave the bar as it is now."""
        if self._bar is not None:
            self._bar.close()

    def _line(self, done: int, total: int | None) -> str:
        rate = (done - self._start) / max(self._said - self._began, 1e-9)
        of = "" if total is None else f" of {total:,}"
        left = "" if total is None or rate <= 0 else f", {tqdm.format_interval((total - done) / rate)} left"
        return f"{self._doing}: {done:,}{of} {self._unit}, {rate:,.1f}/s{left}"


@contextmanager
def progress_bar(doing: str, unit: str, start: int = 0) -> Iterator[ProgressBar]:
    """Show a piece of work while it lasts: ``with progress_bar("reading", "images") as bar: load(…, progress=bar)``.

    ``start`` is what an earlier run has done, where the work continues one; it does not count towards the rate.
    """
    bar = ProgressBar(doing, unit, start)
    try:
        yield bar
    finally:
        bar.close()


@contextmanager
def phase_bars(unit: str) -> Iterator[Callable[[str, int, int], None]]:
    """A function ``(phase, done, total)`` that shows one bar a phase; nothing where stderr is no terminal.

    For work that logs lines of its own, which then stand for the bar.
    """
    bars: dict[str, Any] = {}

    def show(phase: str, done: int, total: int) -> None:
        if phase not in bars:
            for bar in bars.values():
                bar.close()
            disable = not sys.stderr.isatty()
            bars[phase] = tqdm(
                desc=phase, total=total, initial=done - 1, unit=f" {unit}", dynamic_ncols=True, disable=disable
            )
        bars[phase].update(done - bars[phase].n)

    try:
        yield show
    finally:
        for bar in bars.values():
            bar.close()


@contextmanager
def status_line() -> Iterator[Callable[[str], None]]:
    """A function that shows a line: in one place of a terminal, elsewhere one below the other."""
    with tqdm(bar_format="{desc}", leave=False, disable=not sys.stderr.isatty()) as place:

        def show(text: str) -> None:
            if place.disable:
                click.echo(text, err=True)
            else:
                place.set_description_str(text)

        yield show
