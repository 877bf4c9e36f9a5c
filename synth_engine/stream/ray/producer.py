"""RayProducer: the same batches, rendered by Ray actors on this machine or on a cluster.

A few calls are in flight, each for several batches (`calls`). Those of a lost actor go to another one, which renders
the same bytes. Importing this module does not import Ray. docs/scale.md says what it costs and when it pays.
"""

from __future__ import annotations

import logging
import os
import time
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synth_engine.errors import StreamError
from synth_engine.samples import Batch, FillCount
from synth_engine.stream.core.buffers import BufferPool
from synth_engine.stream.core.plan import StreamPlan
from synth_engine.stream.core.stats import WorkerStats
from synth_engine.stream.ray import crew as ray_crew
from synth_engine.stream.ray.actor import Reply
from synth_engine.stream.ray.calls import (
    Call,
    kept_busy,
    seconds_per_batch,
    share_out,
    spans_of,
    worker_asked,
)
from synth_engine.stream.ray.cluster import Cluster, import_ray
from synth_engine.stream.ray.crew import Crew, LostError, WorkerCount, answer
from synth_engine.stream.ray.superbatch import BlockName, Holds, SharedBlock, SuperbatchLayout
from synth_engine.synthesizer import Synthesizer

STORE_SHARE = 4  # calls in flight fill at most a quarter of the object store, since Ray frees consumed objects late
MEMORY_SHARE = 16  # shared blocks fill at most a sixteenth of the machine's memory
HELD_BLOCKS = 3  # that the consumer may refer to; beyond them it gets copies
SPARE_BUFFERS = 8

log = logging.getLogger(__name__)


class RayProducer:
    """``workers`` actors: as many as there are processors take `TURNS_IN_A_ROW` calls each, then the next ones.

    Replies are taken in the order of the calls, and at most ``batches_ahead`` batches are asked for ahead of the
    consumer. Batches are read-only. On this machine they are views of memory shared with the actors; from other
    machines they are unpacked into memory of this process, or views of Ray's object store.

    Raises FontError and StreamError at once; ``take`` raises what an actor raised, and StreamError if none answers.
    """

    def __init__(self, plan: StreamPlan, *, workers: int, address: str | None = None) -> None:
        self._plan, self._stopping = plan, False
        self._layout, self._holds, self._pool = SuperbatchLayout(plan), Holds(), BufferPool(keep=SPARE_BUFFERS)
        self._packed = SuperbatchLayout(plan, packed=True)
        batch_s = seconds_per_batch(Synthesizer(plan.recipe, plan.seed), plan)  # compiles once for all actors
        self._pending: deque[Call] = deque()
        self._blocks: list[SharedBlock] = []
        self._free: list[SharedBlock] = []
        self._batches: Iterator[Batch] = iter(())
        self._crew: Crew | None = None
        self._cluster = Cluster(address)
        try:
            self._at_once = kept_busy(workers, self._cluster.cpus())
            self._per_call, self._in_flight = share_out(
                plan,
                at_once=self._at_once,
                budget=self._budget(),
                row_bytes=(self._layout if self._shares else self._packed).row_bytes,
                batch_s=batch_s,
            )
            self._crew = Crew(self._cluster, plan, workers=workers, batches=self._per_call)
            self._crew.start(self._first_block())
        except BaseException:
            self.close()
            raise
        self._spans = spans_of(plan, self._per_call)
        self._sent = self._asked = self._taken = 0
        self._batches = self._deliver(self._crew)

    @property
    def remade(self) -> int:
        """Workers lost and replaced so far."""
        return sum(count.lost for count in self.workers)

    @property
    def workers(self) -> list[WorkerCount]:
        """What each worker has delivered, and how often it was lost."""
        return [worker.count for worker in self._crew.workers] if self._crew else []

    @property
    def worker_stats(self) -> tuple[WorkerStats, ...]:
        """One entry for each actor."""
        return tuple(
            WorkerStats(name=f"actor {count.worker}", batches=count.batches, busy_s=count.busy_s)
            for count in self.workers
        )

    @property
    def in_flight(self) -> int:
        """Batches asked for and not taken yet."""
        return self._asked - self._taken

    @property
    def batches_ahead(self) -> int:
        """Most batches that are rendered or asked for and not yet taken."""
        return (self._in_flight + 1) * self._per_call

    def take(self) -> Batch | None:
        """The next batch."""
        batch = next(self._batches, None)
        self._taken += batch is not None
        return batch

    def stop(self) -> None:
        """Let a waiting ``take`` end."""
        self._stopping = True

    def close(self) -> None:
        """End the actors at once and release the cluster; a private one shuts down."""
        self.stop()
        self._batches = iter(())
        self._pending.clear()
        if self._crew:
            self._crew.close()
        for block in self._blocks:
            block.close()
        self._blocks.clear()
        self._free.clear()
        self._cluster.release()

    def _budget(self) -> int:
        """Most bytes of all calls in flight."""
        store = self._cluster.store_bytes() // STORE_SHARE
        return max(store, memory_bytes() // MEMORY_SHARE) if self._shares else store

    @property
    def _shares(self) -> bool:
        return self._cluster.started_here and SharedBlock.supported

    def _deliver(self, crew: Crew) -> Iterator[Batch]:
        self._submit(crew)
        while self._pending:
            call = self._pending.popleft()
            reply = self._receive(crew, call)
            crew.count_reply(call.worker, reply)
            self._submit(crew)
            yield from self._batches_of(call, reply)
            if reply.failure is not None:
                raise reply.failure

    def _submit(self, crew: Crew) -> None:
        while len(self._pending) < self._in_flight:
            first, batches = next(self._spans, (0, 0))
            if not batches:
                return
            worker = crew.workers[worker_asked(self._sent, len(crew.workers), self._at_once)]
            self._pending.append(Call(first, batches, worker, self._block() if worker.shares else None))
            self._sent += 1
            self._asked += batches

    def _receive(self, crew: Crew, call: Call) -> Reply:
        while True:
            deadline = time.monotonic() + ray_crew.ANSWER_TIMEOUT_S
            try:
                reply: Reply = answer(call.reference, deadline, lambda: self._stopping)
                return reply
            except LostError as error:
                self._ask_again(crew, call, error)
            except TimeoutError as error:
                raise StreamError(
                    f"expected a Ray actor to answer within {ray_crew.ANSWER_TIMEOUT_S:g} s, received nothing; "
                    f"look into Ray's log for workers that hang, or use `workers=0`"
                ) from error

    def _ask_again(self, crew: Crew, call: Call, error: LostError) -> None:
        worker = call.worker
        owed = [call, *(other for other in self._pending if other.worker is worker)]
        log.warning(
            "Ray worker %d (%s) was lost: %s; batches %s are rendered again",
            *(worker.number, worker.process, error, ", ".join(map(str, owed))),
        )
        crew.replace(worker, error)
        worker.rendered_again += sum(other.batches for other in owed)
        for other in owed:
            if other.block is not None:  # the lost process may be alive, only out of reach, and still write there
                self._abandon(other.block)
                other.block = self._fresh_block()
            other.send()

    def _batches_of(self, call: Call, reply: Reply) -> Iterator[Batch]:
        """Batches of a reply: views while the consumer releases earlier ones, else copies, to bound shared memory."""
        block, call.block = call.block, None
        if reply.rows is not None and block is not None:
            self._free.append(block)
            block = None
        memory, layout = (reply.rows, self._packed) if block is None else (block.memory, self._layout)
        if memory is None:
            raise StreamError(f"batches {call} expected in the reply of {reply.process}, received none; open it again")
        rows = memory.reshape(-1, layout.row_bytes)
        copied = layout.packed or len(self._holds) >= HELD_BLOCKS
        if not copied:
            rows = self._holds.lend(rows, block, self._free)
        for k, count in enumerate(reply.counts):
            arrays = layout.views(rows[k])
            yield self._batch([self._copy(array) for array in arrays] if copied else arrays, call.first + k, count)
        if copied and block is not None:
            self._free.append(block)

    def _batch(self, arrays: list[NDArray[Any]], index: int, count: FillCount) -> Batch:
        images, labels, boxes = arrays
        return Batch(
            images=images,
            labels=labels,
            boxes=boxes,
            alphabet=self._plan.recipe.alphabet,
            start=index * self._plan.batch_size,
            **count._asdict(),
        )

    def _copy(self, array: NDArray[Any]) -> NDArray[Any]:
        """A copy in memory of the pool, images unpacked."""
        shape = self._plan.shapes[0] if array.ndim == 3 and array.dtype == np.uint8 else array.shape
        copy = self._pool.empty(shape, array.dtype)
        if shape == array.shape:
            np.copyto(copy, array)
        else:
            from synth_engine.fast.kernels.unpack import PIXELS, unpack_rows  # Numba is loaded with the first batch

            unpack_rows(array.reshape(-1, array.shape[2]), PIXELS, copy.reshape(-1, shape[2]))
        copy.flags.writeable = False
        return copy

    def _first_block(self) -> BlockName | None:
        if not SharedBlock.supported:
            return None
        block = self._fresh_block()
        self._free.append(block)
        return block.name

    def _block(self) -> SharedBlock:
        return self._free.pop() if self._free else self._fresh_block()

    def _abandon(self, block: SharedBlock) -> None:
        self._blocks.remove(block)
        block.close()

    def _fresh_block(self) -> SharedBlock:
        node = import_ray().get_runtime_context().get_node_id()
        block = SharedBlock(self._per_call * self._layout.row_bytes, node)
        self._blocks.append(block)
        return block


def memory_bytes() -> int:
    """Memory of this machine; 0 where the system does not tell."""
    with suppress(AttributeError, ValueError, OSError):
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return 0
