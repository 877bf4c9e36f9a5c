"""Ray actors as producers: the same batches, drawn by processes on this machine or on a cluster.

Ray costs by the object, not by the byte, so a call returns several batches at once (a superbatch) and every actor has
a few calls in flight. A call depends on nothing but its arguments and (recipe, seed): an actor that is lost is started
again by Ray, its calls are run again, and the same bytes come. Importing this module does not import Ray.
"""

from __future__ import annotations

import math
import os
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from synth_engine.errors import RejectionError, StreamError, SynthError
from synth_engine.stream.base import StreamPlan
from synth_engine.stream.buffers import BufferPool
from synth_engine.stream.ray_cluster import Cluster, import_ray
from synth_engine.synthesizer import Batch, FillCount, Synthesizer

START_TIMEOUT_S = 600.0  # for all actors to have loaded their kernels: sixteen on two busy cores took two minutes
BATCH_TIMEOUT_S = 300.0  # for one call, the start of a replaced actor included
POLL_S = 0.2  # how soon a waiting `take` notices that the stream was closed
CALLS_PER_ACTOR = 2
SUPERBATCH_BYTES = 20 * 2**20
STORE_SHARE = 4  # calls in flight fill at most a quarter of the object store: Ray frees what was consumed late
SPARE_BUFFERS = 8


class Reply(NamedTuple):
    """One call's batches, one after the other: images (M·N, H, W), labels (M·N, L), boxes (M·N, L, 4), M counts.

    ``failure`` is what ended the call after the batches that have counts, if anything did. ``process`` tells one
    incarnation of an actor from the next.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    boxes: NDArray[np.int16]
    counts: list[FillCount]
    failure: SynthError | None
    process: tuple[str, int]


class RenderActor:
    """Runs in a Ray worker. Its methods are plain functions (never async): a call at a time may use the buffers."""

    def __init__(self, plan: StreamPlan, batches: int) -> None:
        self._plan, self._batches = plan, batches

    @cached_property
    def _synth(self) -> Synthesizer:  # not in __init__, whose errors Ray reports without their type
        return Synthesizer(self._plan.recipe, self._plan.seed)

    @cached_property
    def _buffers(self) -> tuple[NDArray[Any], ...]:
        """Memory of the longest reply; Ray copies what `render` returns before the next call begins."""
        kinds = zip(self._plan.shapes, ("u1", "u1", "i2"), strict=True)
        return tuple(np.empty((self._batches * shape[0], *shape[1:]), kind) for shape, kind in kinds)

    def ready(self) -> tuple[str, int]:
        """Load the kernels; return the process."""
        compile_kernels(self._synth, self._plan)
        return _process()

    def render(self, first: int, batches: int) -> Reply:
        """Batches ``first`` … ``first + batches - 1``."""
        size = self._plan.batch_size
        images, labels, boxes = (buffer[: batches * size] for buffer in self._buffers)
        counts: list[FillCount] = []
        failure = None
        try:
            for k in range(batches):
                rows = slice(k * size, (k + 1) * size)
                counts.append(self._synth.fill(images[rows], labels[rows], (first + k) * size, boxes=boxes[rows]))
        except SynthError as error:
            failure = error
        return Reply(images, labels, boxes, counts, failure, _process())


class RayProducer:
    """``workers`` actors, asked in turn; replies are taken in the order of the calls.

    Raises FontError and StreamError at once, from ``take`` what an actor raised, or StreamError when none answers.
    """

    def __init__(self, plan: StreamPlan, *, workers: int, address: str | None = None) -> None:
        self.remade = 0
        self._plan, self._stopping = plan, False
        compile_kernels(Synthesizer(plan.recipe, plan.seed), plan)  # once, not in every actor at the same time
        self._cluster = Cluster(address)
        self._actors: list[Any] = []
        self._pending: deque[tuple[Any, int, int]] = deque()
        self._batches: Iterator[Batch] = iter(())
        try:
            self._per_call, self._in_flight = share_store(plan, workers, self._cluster.store_bytes())
            self.processes = self._start(workers)
        except BaseException:
            self.close()
            raise
        self._pool = BufferPool(keep=SPARE_BUFFERS)
        self._calls = _spans(plan, self._per_call)
        self._sent = 0
        self._batches = self._deliver()

    def take(self) -> Batch | None:
        """The next batch, copied out of the object store."""
        return next(self._batches, None)

    def stop(self) -> None:
        """Let a waiting ``take`` end."""
        self._stopping = True

    def close(self) -> None:
        """Let go of the actors, which end after the calls they have, and of the cluster; a private one ends here."""
        self.stop()
        self._batches = iter(())
        self._pending.clear()
        self._actors.clear()  # Ray ends an actor without handles; killing it would print about each call it still had
        self._cluster.release()

    def _start(self, workers: int) -> list[tuple[str, int]]:
        ray = import_ray()
        options = ray.remote(
            num_cpus=self._cluster.cpus_per_actor(workers), max_restarts=-1, max_task_retries=-1, max_concurrency=1
        )
        actor_class = options(RenderActor)
        self._actors = [actor_class.remote(self._plan, self._per_call) for _ in range(workers)]
        calls = [actor.ready.remote() for actor in self._actors]
        done, _ = ray.wait(calls, num_returns=workers, timeout=START_TIMEOUT_S)
        if len(done) < workers:
            raise StreamError(
                f"expected {workers} Ray actors to start within {START_TIMEOUT_S:g} s, received {len(done)}; "
                f"ask for fewer workers, or for a cluster with free CPUs",
                len(done),
            )
        return [_value(call) for call in calls]

    def _deliver(self) -> Iterator[Batch]:
        self._submit()
        while self._pending:
            call, worker, first = self._pending.popleft()
            reply = self._receive(call)
            self._submit()
            self._note_process(worker, reply.process)
            for k in range(len(reply.counts)):
                yield self._batch(reply, k, first + k)
            if reply.failure is not None:
                raise reply.failure

    def _submit(self) -> None:
        while len(self._pending) < self._in_flight:
            first, batches = next(self._calls, (0, 0))
            if not batches:
                return
            worker = self._sent % len(self._actors)
            self._pending.append((self._actors[worker].render.remote(first, batches), worker, first))
            self._sent += 1

    def _receive(self, call: Any) -> Reply:
        deadline = time.monotonic() + BATCH_TIMEOUT_S
        while not self._stopping and time.monotonic() < deadline:
            if _arrived(call):
                reply: Reply = _value(call)
                return reply
        if self._stopping:
            raise StreamError("the stream was closed while a batch was waited for")
        raise StreamError(
            f"expected a Ray actor to answer within {BATCH_TIMEOUT_S:g} s, received nothing; "
            f"look into Ray's log for workers that die again and again, or use `workers=0`"
        )

    def _note_process(self, worker: int, process: tuple[str, int]) -> None:
        self.remade += process != self.processes[worker]
        self.processes[worker] = process

    def _batch(self, reply: Reply, k: int, index: int) -> Batch:
        """Copied, so that a batch is writable and does not hold its whole superbatch in the object store."""
        size = self._plan.batch_size
        images, labels, boxes = (self._copy(array[k * size : (k + 1) * size]) for array in reply[:3])
        return Batch(
            images=images,
            labels=labels,
            boxes=boxes,
            alphabet=self._plan.recipe.alphabet,
            start=index * size,
            **reply.counts[k]._asdict(),
        )

    def _copy(self, rows: NDArray[Any]) -> NDArray[Any]:
        copy = self._pool.empty(rows.shape, rows.dtype)
        np.copyto(copy, rows)
        return copy


def share_store(plan: StreamPlan, workers: int, store_bytes: int) -> tuple[int, int]:
    """(batches a call, calls in flight) such that replies in flight fill no more than their share of the store.

    Raises StreamError when not even one batch fits.
    """
    budget = store_bytes // STORE_SHARE
    in_flight = min(workers * CALLS_PER_ACTOR, budget // plan.batch_bytes)
    if in_flight < 1:
        raise StreamError(
            f"a batch of {plan.batch_bytes / 2**20:.0f} MiB expected to fit a quarter of Ray's object store, "
            f"received a store of {store_bytes / 2**20:.0f} MiB; make `batch_size` smaller or use `workers=0`",
            plan.batch_size,
        )
    per_call = max(1, min(SUPERBATCH_BYTES, budget // in_flight) // plan.batch_bytes)
    if plan.batches is not None:
        per_call = max(1, min(per_call, math.ceil(plan.batches / workers)))
    return per_call, in_flight


def compile_kernels(synth: Synthesizer, plan: StreamPlan) -> None:
    """Draw one sample, whatever comes of it, so that compiled kernels are in the cache on disk."""
    with suppress(RejectionError):
        synth.batch(plan.start_batch * plan.batch_size, 1)


def _spans(plan: StreamPlan, per_call: int) -> Iterator[tuple[int, int]]:
    """(first batch, batches) of every call, in order."""
    first = plan.start_batch
    while plan.batches is None or first < plan.stop_batch:
        batches = per_call if plan.batches is None else min(per_call, plan.stop_batch - first)
        yield first, batches
        first += batches


def _arrived(call: Any) -> bool:
    ray = import_ray()
    if not ray.is_initialized():  # ray.wait would start a Ray of its own
        raise StreamError("Ray was shut down under the stream; close the stream first")
    done, _ = ray.wait([call], timeout=POLL_S)
    return bool(done)


def _value(call: Any) -> Any:
    """The result of a call that has arrived; raises what the actor raised, as the actor raised it."""
    ray = import_ray()
    try:
        return ray.get(call, timeout=BATCH_TIMEOUT_S)
    except ray.exceptions.RayTaskError as error:
        raise error.cause from error
    except ray.exceptions.RayError as error:
        raise StreamError(
            f"expected a Ray actor's batches, received {type(error).__name__}: {error}; open the stream again, "
            f"or use `workers=0`"
        ) from error


def _process() -> tuple[str, int]:
    node: Callable[[], str] = import_ray().get_runtime_context().get_node_id
    return node(), os.getpid()
