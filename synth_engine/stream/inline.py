"""The simplest producer: the thread that asks for a batch renders it.

For programs with threads of their own, and for debugging: a breakpoint in a recipe's code stops the caller.
"""

from __future__ import annotations

import time

from synth_engine.samples import Batch
from synth_engine.stream.core.buffers import BufferPool
from synth_engine.stream.core.plan import StreamPlan
from synth_engine.stream.core.rendering import render_batch
from synth_engine.stream.core.stats import WorkerStats
from synth_engine.synthesizer import Synthesizer

SPARE_BUFFERS = 4  # batches that a consumer may hold at once without new allocations


class InlineProducer:
    """Renders nothing ahead. Raises FontError at once; ``take`` raises what `render_batch` does."""

    remade = in_flight = 0

    def __init__(self, plan: StreamPlan) -> None:
        self._plan, self._synth = plan, Synthesizer(plan.recipe, plan.seed)
        self._pool = BufferPool(keep=SPARE_BUFFERS)
        self._indices = plan.indices()
        self._made, self._busy_s = 0, 0.0

    @property
    def worker_stats(self) -> tuple[WorkerStats, ...]:
        """One entry for all callers."""
        return (WorkerStats(name="caller", batches=self._made, busy_s=self._busy_s),)

    def take(self) -> Batch | None:
        """The next batch."""
        index = next(self._indices, None)
        if index is None:
            return None
        began = time.perf_counter()
        batch = render_batch(self._synth, self._plan, index, self._pool)
        self._made += 1
        self._busy_s += time.perf_counter() - began
        return batch

    def stop(self) -> None:
        """Nothing runs between calls."""

    def close(self) -> None:
        """Nothing was started."""
