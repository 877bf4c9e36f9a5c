"""The default producer: threads of this process. They run in parallel, because the kernels release the GIL.

Orders go out through one queue, so a slow thread delays no other. Batches come back through a ring with a place for
every batch that may be ahead: the consumer takes them in order, and no place ever holds two. All queues are CPython's
`queue.SimpleQueue`: handing a batch over costs a microsecond and the waking of the waiting thread.
"""

from __future__ import annotations

import os
import threading
import time
from concurrent.futures import CancelledError
from queue import Empty, SimpleQueue

from synth_engine.samples import Batch
from synth_engine.stream.core.buffers import BufferPool
from synth_engine.stream.core.plan import StreamPlan
from synth_engine.stream.core.rendering import render_batch
from synth_engine.stream.core.stats import WorkerStats
from synth_engine.synthesizer import Synthesizer

SPARE_BUFFERS = 12  # batches of each thread that a consumer may hold at once without new allocations

Delivery = Batch | Exception | None  # None: the stream was stopped


class ThreadProducer:
    """Renders up to ``prefetch`` batches ahead of the consumer; ``threads`` is `default_threads` unless given.

    At most max(prefetch, threads) batches are ahead, those being rendered included. Each thread keeps memory for as
    many, and some to spare, once it has rendered them. Raises FontError at once; ``take`` raises what `render_batch`
    does.
    """

    remade = 0

    def __init__(self, plan: StreamPlan, *, threads: int | None = None, prefetch: int = 8) -> None:
        threads = threads or default_threads()
        synth, self._ahead = Synthesizer(plan.recipe, plan.seed), max(prefetch, threads)
        keep = self._ahead + 1 + SPARE_BUFFERS
        self._orders: SimpleQueue[int | None] = SimpleQueue()
        self._ring: tuple[SimpleQueue[Delivery], ...] = tuple(SimpleQueue() for _ in range(self._ahead))
        self._indices = plan.indices()
        self._ordered = self._taken = plan.start_batch
        for _ in range(self._ahead):
            self._order()
        self._workers = [_RenderThread(k, plan, synth, keep, self._orders, self._ring) for k in range(threads)]

    @property
    def worker_stats(self) -> tuple[WorkerStats, ...]:
        """One entry for each thread."""
        return tuple(
            WorkerStats(name=worker.name, batches=worker.made, busy_s=worker.busy_s) for worker in self._workers
        )

    @property
    def in_flight(self) -> int:
        """Batches being rendered, or rendered and not taken yet."""
        return max(0, self._ordered - self._taken - self._orders.qsize())

    def take(self) -> Batch | None:
        """The next batch; raises CancelledError if the stream is stopped meanwhile."""
        if self._taken == self._ordered:
            return None
        delivery = self._ring[self._taken % self._ahead].get()
        if delivery is None:
            raise CancelledError
        self._taken += 1
        if isinstance(delivery, Exception):
            raise delivery
        self._order()
        return delivery

    def stop(self) -> None:
        """Withdraw the orders that no thread has begun, and wake whoever waits."""
        _empty(self._orders)
        for _ in self._workers:
            self._orders.put(None)
        for place in self._ring:
            place.put(None)

    def close(self) -> None:
        """Stop, and wait for the batches being rendered."""
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


class _RenderThread(threading.Thread):
    """Renders what is ordered until it is told to end. A daemon: Python would wait for it before it closes streams."""

    def __init__(
        self,
        number: int,
        plan: StreamPlan,
        synth: Synthesizer,
        keep: int,
        orders: SimpleQueue[int | None],
        ring: tuple[SimpleQueue[Delivery], ...],
    ) -> None:
        super().__init__(name=f"synth-stream-{number}", daemon=True)
        self.made, self.busy_s = 0, 0.0
        self._plan, self._synth = plan, synth
        self._pool = BufferPool(keep)  # one for each thread: what it wrote last may still be in its processor's cache
        self._orders, self._ring = orders, ring
        self.start()

    def run(self) -> None:
        while (index := self._orders.get()) is not None:
            self._ring[index % len(self._ring)].put(self._render(index))

    def _render(self, index: int) -> Delivery:
        began = time.perf_counter()
        try:
            batch = render_batch(self._synth, self._plan, index, self._pool)
        except Exception as error:
            return error
        self.made += 1
        self.busy_s += time.perf_counter() - began
        return batch


def default_threads() -> int:
    """Two where two processors are available: two threads render faster than any trainer consumes."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(2, usable)


def _empty(queue: SimpleQueue[int | None] | SimpleQueue[Delivery]) -> None:
    try:
        while True:
            queue.get_nowait()
    except Empty:
        return
