"""Measuring a stream: how fast batches come, what the filter costs, and who waits for whom. To size a machine with."""

from __future__ import annotations

import time
from collections.abc import Callable

from synth_engine.stream.core.stats import StreamStats
from synth_engine.stream.core.stream import Stream

INTERVAL_S = 1.0


def measure(
    stream: Stream,
    seconds: float,
    *,
    images_per_s: float | None = None,
    report: Callable[[str], object] | None = None,
) -> StreamStats:
    """Take batches for ``seconds``, as they come or at ``images_per_s``; less if the stream ends.

    ``report`` gets a line every `INTERVAL_S` seconds. Returns the counts without the first batch, which includes
    compiling and starting.
    """
    next(stream, None)
    first = last = stream.stats
    pause = stream.plan.batch_size / images_per_s if images_per_s else 0.0
    began = due = time.perf_counter()
    next_report = began + INTERVAL_S
    while time.perf_counter() - began < seconds and next(stream, None) is not None:
        if pause:
            due += pause
            time.sleep(max(0.0, due - time.perf_counter()))
        if report is not None and time.perf_counter() >= next_report:
            now, next_report = stream.stats, next_report + INTERVAL_S
            report(f"{now.open_s - first.open_s:4.0f} s: {line(now.since(last))}")
            last = now
    return stream.stats.since(first)


def line(stats: StreamStats) -> str:
    """Counts of a stream in one line."""
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
    """A line for each worker: batches rendered, milliseconds a batch, share of the time spent rendering."""
    rows = zip(stats.workers, busy_shares(stats), strict=True)
    return "\n".join(
        f"  {worker.name}: {worker.batches} batches, {1e3 * worker.busy_s / max(1, worker.batches):.2f} ms each, "
        f"busy {100 * share:.0f}%"
        for worker, share in rows
    )


def busy_shares(stats: StreamStats) -> list[float]:
    """Share of the time that each worker rendered; over short times above 1, since a batch counts when it is done."""
    return [worker.busy_s / stats.open_s if stats.open_s else 0.0 for worker in stats.workers]
