"""The default producer: threads of this process, which the kernels let run side by side (they release the GIL).

Orders go out through one queue, so a thread that is held up delays nobody else; batches come back through a ring with
a place for every batch that may be ahead, so the consumer takes them in order and no place ever holds two. All queues
are CPython's own (`queue.SimpleQueue`): handing a batch over costs a microsecond and the waking of who waits for it.
"""

from __future__ import annotations

import os
import threading
import time
from concurrent.futures import CancelledError
from queue import Empty, SimpleQueue

from synth_engine.samples import Batch
from synth_engine.stream.buffers import BufferPool
from synth_engine.stream.stream import StreamPlan, WorkerStats, draw_batch
from synth_engine.synthesizer import Synthesizer

SPARE_BUFFERS = 12  # of each thread, that a consumer may hold at once without new memory

Outcome = Batch | Exception | None  # None: the stream was stopped


class ThreadProducer:
    """Draws up to ``prefetch`` batches ahead of the consumer; ``threads`` is `default_threads` unless given.

    Ahead are at most max(prefetch, threads) batches, those being drawn included; each thread keeps the memory of as
    many, and some to spare, once it has drawn them. Raises FontError at once; from ``take`` RejectionError, or
    StreamError for what else a recipe raised.
    """

    remade = 0

    def __init__(self, plan: StreamPlan, *, threads: int | None = None, prefetch: int = 8) -> None:
        threads = threads or default_threads()
        synth, self._ahead = Synthesizer(plan.recipe, plan.seed), max(prefetch, threads)
        keep = self._ahead + 1 + SPARE_BUFFERS
        self._orders: SimpleQueue[int | None] = SimpleQueue()
        self._ring: tuple[SimpleQueue[Outcome], ...] = tuple(SimpleQueue() for _ in range(self._ahead))
        self._indices = plan.indices()
        self._ordered = self._taken = plan.start_batch
        for _ in range(self._ahead):
            self._order()
        self._workers = [_Worker(k, plan, synth, keep, self._orders, self._ring) for k in range(threads)]

    @property
    def worker_stats(self) -> tuple[WorkerStats, ...]:
        """One entry a thread."""
        return tuple(
            WorkerStats(name=worker.name, batches=worker.made, busy_s=worker.busy_s) for worker in self._workers
        )

    @property
    def in_flight(self) -> int:
        """Batches being drawn, or drawn and not taken yet."""
        return max(0, self._ordered - self._taken - self._orders.qsize())

    def take(self) -> Batch | None:
        """The next batch; raises CancelledError when stopped meanwhile."""
        if self._taken == self._ordered:
            return None
        outcome = self._ring[self._taken % self._ahead].get()
        if outcome is None:
            raise CancelledError
        self._taken += 1
        if isinstance(outcome, Exception):
            raise outcome
        self._order()
        return outcome

    def stop(self) -> None:
        """Withdraw what has not begun, and wake whoever waits."""
        _empty(self._orders)
        for _ in self._workers:
            self._orders.put(None)
        for place in self._ring:
            place.put(None)

    def close(self) -> None:
        """Stop, and wait for the batches being drawn."""
        self.stop()
        for worker in self._workers:
            if worker is not threading.current_thread():
                worker.join()
        for place in self._ring:
            _empty(place)

    def _order(self) -> None:
        index = next(self._indices, None)
        if index is not None:
            self._ordered += 1
            self._orders.put(index)


class _Worker(threading.Thread):
    """Draws what is ordered until it is told to end. A daemon, lest Python wait for it before streams are closed."""

    def __init__(
        self,
        number: int,
        plan: StreamPlan,
        synth: Synthesizer,
        keep: int,
        orders: SimpleQueue[int | None],
        ring: tuple[SimpleQueue[Outcome], ...],
    ) -> None:
        super().__init__(name=f"synth-stream-{number}", daemon=True)
        self.made, self.busy_s = 0, 0.0
        self._plan, self._synth = plan, synth
        self._pool = BufferPool(keep)  # its own: what it wrote last may still lie in its processor's cache
        self._orders, self._ring = orders, ring
        self.start()

    def run(self) -> None:
        while (index := self._orders.get()) is not None:
            self._ring[index % len(self._ring)].put(self._draw(index))

    def _draw(self, index: int) -> Outcome:
        began = time.perf_counter()
        try:
            batch = draw_batch(self._synth, self._plan, index, self._pool)
        except Exception as error:
            return error
        self.made += 1
        self.busy_s += time.perf_counter() - began
        return batch


def default_threads() -> int:
    """Two where two processors are available: drawing outruns training long before that."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(2, usable)


def _empty(queue: SimpleQueue[int | None] | SimpleQueue[Outcome]) -> None:
    try:
        while True:
            queue.get_nowait()
    except Empty:
        return
