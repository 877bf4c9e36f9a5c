"""A stream of batches: their order, its counts, and how it ends.

A `Stream` asks a producer for one batch after another. Counting, ending, failing and closing are here; rendering and
transport are the producer's (`stream.threads`, `stream.inline`, `stream.ray`).
"""

from __future__ import annotations

import atexit
import gc
import threading
import time
import weakref
from types import TracebackType
from typing import Protocol

from synth_engine.samples import Batch
from synth_engine.stream.core.plan import StreamPlan
from synth_engine.stream.core.stats import StreamStats, WorkerStats


class Producer(Protocol):
    """Where a stream's batches come from. ``take`` is never called by two threads at once, ``stop`` at any time."""

    @property
    def remade(self) -> int:
        """Workers lost and replaced so far."""

    @property
    def in_flight(self) -> int:
        """Batches begun, or asked of a worker, and not taken yet."""

    @property
    def worker_stats(self) -> tuple[WorkerStats, ...]:
        """What each worker has done so far."""

    def take(self) -> Batch | None:
        """The next batch in order, None after the last; raises what a worker raised, as the worker raised it."""

    def stop(self) -> None:
        """Make no further batches, and let a waiting ``take`` return soon. Does not wait."""

    def close(self) -> None:
        """Stop, and end or release everything that the producer started."""


class Stream:
    """Batches in order, with the same bytes from every producer: an iterator and a context manager.

    An error of a worker is raised once, from ``next``; then the stream is closed and stays empty. ``failure`` keeps
    the error for callers who see it only through another library (`surfacing`). Iterators over one stream share it:
    each batch goes to one of them.
    """

    def __init__(self, plan: StreamPlan, producer: Producer) -> None:
        self.plan = plan
        self.failure: Exception | None = None
        self._producer = producer
        self._batches = self._images = self._candidates = 0
        self._waited_s, self._opened = 0.0, time.perf_counter()
        self._turn = threading.RLock()
        self._closing = False
        self._finish = weakref.finalize(self, producer.close)
        self._finish.atexit = False
        _leave_in_order(self)

    def __iter__(self) -> Stream:
        return self

    def __next__(self) -> Batch:
        with self._turn:
            batch = None if self._closing else self._take()
            if batch is None:
                self.close()
                raise StopIteration
            self._count(batch)
            return batch

    def __enter__(self) -> Stream:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the stream and everything it started. Safe to call twice, and while another thread waits for a batch."""
        self._closing = True
        self._producer.stop()
        with self._turn:
            self._finish()

    @property
    def stats(self) -> StreamStats:
        """What the stream has delivered so far."""
        return StreamStats(
            batches=self._batches,
            images=self._images,
            candidates=self._candidates,
            waited_s=self._waited_s,
            open_s=time.perf_counter() - self._opened,
            remade=self._producer.remade,
            in_flight=self._producer.in_flight,
            workers=self._producer.worker_stats,
        )

    def _take(self) -> Batch | None:
        began = time.perf_counter()
        try:
            return self._producer.take()
        except Exception as error:
            if self._closing:  # closed by another thread: the error is how the wait ended, no failure
                return None
            self.failure = error
            self.close()
            raise
        except BaseException:
            self.close()
            raise
        finally:
            self._waited_s += time.perf_counter() - began

    def _count(self, batch: Batch) -> None:
        self._batches += 1
        self._images += len(batch)
        self._candidates += batch.candidates


_left_open: weakref.WeakSet[Stream] = weakref.WeakSet()
_foreign_threads = False
EXIT_GRACE_S = 0.1


def expect_foreign_threads() -> None:
    """Call this before a library takes batches in threads that Python does not manage.

    The interpreter stops such a thread wherever it is when it exits, and TensorFlow then waits for that thread for
    ever. So streams end while Python still runs, and those threads get a moment to leave.
    """
    global _foreign_threads
    _foreign_threads = True


def _leave_in_order(stream: Stream) -> None:
    _left_open.add(stream)
    atexit.unregister(_close_at_exit)
    atexit.register(_close_at_exit)  # again each time: handlers run latest first, and this one must run before Ray's


def _close_at_exit() -> None:
    for stream in list(_left_open):
        stream.close()
    if _foreign_threads:
        gc.collect()  # frees iterators in reference cycles while Python still runs
        time.sleep(EXIT_GRACE_S)
