"""The plainest producer: batches are drawn when they are asked for, by whoever asks.

For programs that have threads of their own, and for debugging: a breakpoint in a recipe's code stops the caller.
"""

from __future__ import annotations

import time

from synth_engine.samples import Batch
from synth_engine.stream.buffers import BufferPool
from synth_engine.stream.stream import StreamPlan, WorkerStats, draw_batch
from synth_engine.synthesizer import Synthesizer

SPARE_BUFFERS = 4  # batches that a consumer may hold at once without its memory being allocated anew


class CallingProducer:
    """Draws nothing ahead. Raises FontError at once, from ``take`` what a recipe raises."""

    remade = in_flight = 0

    def __init__(self, plan: StreamPlan) -> None:
        self._plan, self._synth = plan, Synthesizer(plan.recipe, plan.seed)
        self._pool = BufferPool(keep=SPARE_BUFFERS)
        self._indices = plan.indices()
        self._made, self._busy_s = 0, 0.0

    @property
    def worker_stats(self) -> tuple[WorkerStats, ...]:
        """The callers, as one."""
        return (WorkerStats(name="caller", batches=self._made, busy_s=self._busy_s),)

    def take(self) -> Batch | None:
        """The next batch."""
        index = next(self._indices, None)
        if index is None:
            return None
        began = time.perf_counter()
        batch = draw_batch(self._synth, self._plan, index, self._pool)
        self._made += 1
        self._busy_s += time.perf_counter() - began
        return batch

    def stop(self) -> None:
        """Nothing runs between calls."""

    def close(self) -> None:
        """Nothing was started."""
