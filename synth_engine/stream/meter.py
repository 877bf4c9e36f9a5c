"""Watching a stream: how fast batches come, what the filter costs, and who waits for whom. To size a machine with."""

from __future__ import annotations

import sys
import time
from typing import Any

import click
from tqdm import tqdm

from synth_engine.stream.stream import Stream, StreamStats

INTERVAL_S = 1.0


def watch(stream: Stream, seconds: float, *, images_per_s: float | None = None) -> StreamStats:
    """Take batches for ``seconds``, as they come or at ``images_per_s``, and say once a second how it goes.

    Lines go to stderr, in one place of a terminal. A stream that ends is left earlier. Returns what was taken, without
    the first batch: compiling and starting are not what is measured.
    """
    next(stream, None)
    first = last = stream.stats
    pause = stream.plan.batch_size / images_per_s if images_per_s else 0.0
    began = due = time.perf_counter()
    tell = began + INTERVAL_S
    with tqdm(bar_format="{desc}", leave=False, disable=not sys.stderr.isatty()) as place:
        while time.perf_counter() - began < seconds and next(stream, None) is not None:
            if pause:
                due += pause
                time.sleep(max(0.0, due - time.perf_counter()))
            if time.perf_counter() >= tell:
                now, tell = stream.stats, tell + INTERVAL_S
                _show(place, f"{now.open_s - first.open_s:4.0f} s: {line(now.since(last))}")
                last = now
    return stream.stats.since(first)


def line(stats: StreamStats) -> str:
    """A stretch of a stream in one line."""
    parts = [
        f"{stats.images_per_s:,.0f} images/s",
        f"{100 * (1 - stats.rejected_share):.1f}% of the candidates passed",
        f"the consumer waited {100 * stats.waited_share:.1f}% of the time",
        f"{stats.in_flight} batches in flight",
    ]
    if stats.remade:
        parts.append(f"{stats.remade} workers replaced")
    if stats.workers:
        parts.append("workers busy " + " ".join(f"{100 * share:.0f}%" for share in busy_shares(stats)))
    return ", ".join(parts)


def table(stats: StreamStats) -> str:
    """A line a worker: batches drawn, milliseconds a batch, share of the time that it drew."""
    rows = zip(stats.workers, busy_shares(stats), strict=True)
    return "\n".join(
        f"  {worker.name}: {worker.batches} batches, {1e3 * worker.busy_s / max(1, worker.batches):.2f} ms each, "
        f"busy {100 * share:.0f}%"
        for worker, share in rows
    )


def busy_shares(stats: StreamStats) -> list[float]:
    """Share of the time that each worker drew, 0 to 1 (a batch counts when it is done, so a moment may exceed 1)."""
    return [worker.busy_s / stats.open_s if stats.open_s else 0.0 for worker in stats.workers]


def _show(place: Any, text: str) -> None:
    if place.disable:
        click.echo(text, err=True)
    else:
        place.set_description_str(text)
