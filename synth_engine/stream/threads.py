"""The default producer: threads of this process, which the kernels let run side by side (they release the GIL)."""

from __future__ import annotations

import os
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor

from synth_engine.stream.base import StreamPlan, draw_batch
from synth_engine.stream.buffers import BufferPool
from synth_engine.synthesizer import Batch, Synthesizer

SPARE_BUFFERS = 4  # batches that a consumer may hold at once without its memory being allocated anew


class ThreadProducer:
    """Draws up to ``prefetch`` batches ahead of the consumer; ``threads`` is `default_threads` unless given.

    Raises FontError at once, RejectionError from ``take``.
    """

    remade = 0

    def __init__(self, plan: StreamPlan, *, threads: int | None = None, prefetch: int = 4) -> None:
        threads = threads or default_threads()
        self._plan, self._synth = plan, Synthesizer(plan.recipe, plan.seed)
        self._ahead = max(prefetch, threads)
        self._pool = BufferPool(keep=self._ahead + threads + SPARE_BUFFERS)
        self._indices = plan.indices()
        self._pending: deque[Future[Batch]] = deque()
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix="synth-stream")
        self._submit()

    def take(self) -> Batch | None:
        """The next batch; raises CancelledError when stopped meanwhile."""
        if not self._pending:
            return None
        batch = self._pending.popleft().result()
        self._submit()
        return batch

    def stop(self) -> None:
        """Cancel what has not begun."""
        self._executor.shutdown(wait=False, cancel_futures=True)

    def close(self) -> None:
        """Stop, and wait for the batches being drawn."""
        self._executor.shutdown(wait=True, cancel_futures=True)
        self._pending.clear()

    def _submit(self) -> None:
        while len(self._pending) < self._ahead:
            index = next(self._indices, None)
            if index is None:
                return
            self._pending.append(self._executor.submit(draw_batch, self._synth, self._plan, index, self._pool))


def default_threads() -> int:
    """Two where two processors are available: drawing outruns training long before that."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(2, usable)
