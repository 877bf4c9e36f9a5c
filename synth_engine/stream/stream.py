"""What every stream has in common: which batches come, in which order, and how a stream ends.

A `Stream` asks a producer (`threads`, `ray_actors`) for one batch after another; counting, ending, failing and
closing are here, drawing and transport are the producer's.
"""

from __future__ import annotations

import atexit
import gc
import math
import threading
import time
import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from types import TracebackType
from typing import Protocol

from synth_engine.errors import StreamError, SynthError
from synth_engine.recipe import Recipe
from synth_engine.samples import Batch, Outputs
from synth_engine.stream.buffers import BufferPool
from synth_engine.synthesizer import SAMPLES_MAX, Synthesizer


@dataclass(frozen=True, kw_only=True)
class StreamPlan:
    """Batches ``start_batch``, ``start_batch + 1``, … of (recipe, seed): ``batches`` of them, or without end.

    Batch b holds samples b·batch_size … (b + 1)·batch_size - 1. Raises StreamError for numbers out of range.
    """

    recipe: Recipe
    seed: int
    batch_size: int
    start_batch: int = 0
    batches: int | None = None

    def __post_init__(self) -> None:
        _at_least("batch_size", self.batch_size, 1)
        _at_least("start_batch", self.start_batch, 0)
        if self.batches is not None:
            _at_least("batches", self.batches, 0)
        if (self.start_batch + (self.batches or 1)) * self.batch_size > SAMPLES_MAX:
            raise StreamError(
                f"`start_batch` is {self.start_batch}; expected batches that end at sample 2**62 at the latest",
                self.start_batch,
            )

    @property
    def shapes(self) -> tuple[tuple[int, ...], tuple[int, int], tuple[int, int, int]]:
        """Shapes of a batch's images (N, H, W) or (N, H, W, 3), labels (N, L) and boxes (N, L, 4)."""
        size, length = self.batch_size, self.recipe.length_max
        return (size, *self.recipe.image_shape), (size, length), (size, length, 4)

    @property
    def batch_bytes(self) -> int:
        """Size of one batch's images, labels and boxes."""
        return self.batch_size * (math.prod(self.recipe.image_shape) + 9 * self.recipe.length_max)

    def indices(self) -> Iterator[int]:
        """The numbers of the batches, in order."""
        return count(self.start_batch) if self.batches is None else iter(range(self.start_batch, self.stop_batch))

    @property
    def stop_batch(self) -> int:
        """Number of the first batch that no longer comes; only for a plan that ends."""
        if self.batches is None:
            raise StreamError("an endless stream has no last batch; give `batches`")
        return self.start_batch + self.batches


@dataclass(frozen=True, kw_only=True)
class WorkerStats:
    """What one worker (a thread, an actor) has done: batches drawn, delivered or not, and seconds spent on them."""

    name: str
    batches: int = 0
    busy_s: float = 0.0

    def since(self, before: WorkerStats) -> WorkerStats:
        """What came after ``before``."""
        return WorkerStats(name=self.name, batches=self.batches - before.batches, busy_s=self.busy_s - before.busy_s)


@dataclass(frozen=True, kw_only=True)
class StreamStats:
    """What a stream has delivered so far.

    candidates: images drawn for the delivered ones, rejected ones included; waited_s: seconds that the consumer
    waited for batches; open_s: seconds since the stream was opened; remade: workers that were lost and replaced (what
    they owed was made again, the same bytes); in_flight: batches begun and not delivered; workers: each worker's
    share, empty where a producer does not tell.
    """

    batches: int = 0
    images: int = 0
    candidates: int = 0
    waited_s: float = 0.0
    open_s: float = 0.0
    remade: int = 0
    in_flight: int = 0
    workers: tuple[WorkerStats, ...] = ()

    @property
    def images_per_s(self) -> float:
        """Images delivered a second."""
        return self.images / self.open_s if self.open_s else 0.0

    @property
    def waited_share(self) -> float:
        """Share of the time that the consumer waited, 0 to 1."""
        return self.waited_s / self.open_s if self.open_s else 0.0

    @property
    def rejected_share(self) -> float:
        """Share of the candidates that the filter rejected, 0 to 1."""
        return 1 - self.images / self.candidates if self.candidates else 0.0

    def since(self, before: StreamStats) -> StreamStats:
        """What came after ``before``, an earlier reading of the same stream; in_flight is as of now."""
        earlier = {worker.name: worker for worker in before.workers}
        return StreamStats(
            batches=self.batches - before.batches,
            images=self.images - before.images,
            candidates=self.candidates - before.candidates,
            waited_s=self.waited_s - before.waited_s,
            open_s=self.open_s - before.open_s,
            remade=self.remade - before.remade,
            in_flight=self.in_flight,
            workers=tuple(
                worker.since(earlier.get(worker.name, WorkerStats(name=worker.name))) for worker in self.workers
            ),
        )


class Producer(Protocol):
    """Where a stream's batches come from. ``take`` is never called by two threads at once, ``stop`` at any time.

    A producer may also have ``worker_stats`` (tuple of `WorkerStats`) and ``in_flight`` (int), for `StreamStats`.
    """

    @property
    def remade(self) -> int:
        """Workers lost and replaced so far."""

    def take(self) -> Batch | None:
        """The next batch in order, None after the last; raises what a worker raised, as the worker raised it."""

    def stop(self) -> None:
        """Make no further batches, and let a waiting ``take`` come back soon. Does not wait."""

    def close(self) -> None:
        """Stop, and end or let go of everything that the producer started."""


class Stream:
    """Batches in order, the same bytes from every producer: an iterator, and a context manager that closes itself.

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
        """End the stream and everything it started; may be called again, and while another thread waits for a batch."""
        self._closing = True
        self._producer.stop()
        with self._turn:
            self._finish()

    @property
    def stats(self) -> StreamStats:
        """What was delivered so far."""
        return StreamStats(
            batches=self._batches,
            images=self._images,
            candidates=self._candidates,
            waited_s=self._waited_s,
            open_s=time.perf_counter() - self._opened,
            remade=self._producer.remade,
            in_flight=getattr(self._producer, "in_flight", 0),
            workers=tuple(getattr(self._producer, "worker_stats", ())),
        )

    def _take(self) -> Batch | None:
        began = time.perf_counter()
        try:
            return self._producer.take()
        except Exception as error:
            if self._closing:  # closed by another thread: what the wait ended with is no failure
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


def draw_batch(synth: Synthesizer, plan: StreamPlan, index: int, pool: BufferPool) -> Batch:
    """Batch ``index`` of the plan, in memory of the pool. Raises RejectionError, or StreamError as `drawing_error`."""
    shapes, start = plan.shapes, index * plan.batch_size
    images, labels = pool.empty(shapes[0], "u1"), pool.empty(shapes[1], "u1")
    boxes = pool.empty(shapes[2], "i2")
    try:
        candidates, relabelled = synth.fill_unchecked(Outputs(images, labels, boxes), start)
    except SynthError:
        raise
    except Exception as error:
        raise drawing_error(synth, start, plan.batch_size, error) from error
    return Batch(
        images=images,
        labels=labels,
        boxes=boxes,
        alphabet=plan.recipe.alphabet,
        start=start,
        candidates=candidates,
        relabelled=relabelled,
    )


def drawing_error(synth: Synthesizer, start: int, count: int, error: Exception) -> StreamError:
    """What a consumer is told of an ``error`` that no recipe should raise: the recipe, and the sample it fails on.

    Samples ``start`` … ``start + count - 1`` are drawn again, one by one, to find it; ``value`` is its index. To be
    raised from ``error``, whose traceback says where.
    """
    failing = _first_failing(synth, start, count)
    where = f"sample {failing}" if failing is not None else f"one of the samples {start} to {start + count - 1}"
    return StreamError(
        f"recipe {synth.recipe.name}: drawing {where} (seed {synth.seed}) failed with {type(error).__name__}: {error}; "
        f"a recipe without the stage that fails goes on, and a report of this error is welcome",
        failing,
    )


def _first_failing(synth: Synthesizer, start: int, count: int) -> int | None:
    for index in range(start, start + count):
        try:
            synth.batch(index, 1)
        except Exception:
            return index
    return None


_left_open: weakref.WeakSet[Stream] = weakref.WeakSet()
_foreign_threads = False
EXIT_GRACE_S = 0.1


def expect_foreign_threads() -> None:
    """To be called before a library takes batches in threads that Python does not know.

    Such a thread is stopped wherever it is when the interpreter ends, and TensorFlow then waits for it for ever. So at
    exit they get the end of their stream while Python still runs, and a moment to leave it.
    """
    global _foreign_threads
    _foreign_threads = True


def _leave_in_order(stream: Stream) -> None:
    _left_open.add(stream)
    atexit.unregister(_close_at_exit)
    atexit.register(_close_at_exit)  # anew each time: the latest is the first to run, before Ray's own


def _close_at_exit() -> None:
    for stream in list(_left_open):
        stream.close()
    if _foreign_threads:
        gc.collect()  # iterators that hang in cycles are let go of while Python still runs
        time.sleep(EXIT_GRACE_S)


def _at_least(name: str, value: int, least: int) -> None:
    if value < least:
        raise StreamError(f"`{name}` is {value}; expected an integer of at least {least}", value)
