"""RenderActor: what runs in a Ray worker. It renders superbatches and reports failures for the driver to raise.

A call depends on nothing but its arguments and (recipe, seed), so any worker can repeat another one's call.
"""

from __future__ import annotations

import os
import pickle
import time
import traceback
from contextlib import suppress
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from synth_engine.errors import SynthError
from synth_engine.samples import FillCount
from synth_engine.stream.core.plan import StreamPlan
from synth_engine.stream.core.rendering import rendering_error
from synth_engine.stream.ray.cluster import import_ray
from synth_engine.stream.ray.same_build import check_versions
from synth_engine.stream.ray.superbatch import BlockName, SuperbatchLayout, open_block
from synth_engine.synthesizer import Synthesizer


class Process(NamedTuple):
    """A worker process: Ray's node, its address, and the process number there."""

    node: str
    host: str
    pid: int

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}"


class Reply(NamedTuple):
    """One call's batches: ``rows`` (M, row_bytes) uint8 by the packed `SuperbatchLayout`; None: in the caller's block.

    ``failure`` is the error that ended the call after the batches that have counts; ``busy_s`` the seconds it took.
    """

    rows: NDArray[np.uint8] | None
    counts: list[FillCount]
    failure: SynthError | None
    process: Process
    busy_s: float


class RenderActor:
    """The class of the Ray actors. Its methods are not async: one call at a time uses the memory.

    ``plan`` is a pickled StreamPlan, unpickled only once the versions are known to be the driver's.
    """

    def __init__(self, plan: bytes, batches: int, versions: dict[str, str]) -> None:
        self._pickled, self._batches, self._versions = plan, batches, versions
        self._blocks: dict[int, NDArray[np.uint8] | None] = {}
        self._rendered = 0

    def ready(self, block: BlockName | None) -> tuple[Process, bool]:
        """Load the kernels; return the process, and whether it can render into the driver's memory."""
        render_first(self._synth, self._plan)
        return self._process, self._shared(block) is not None

    def render(self, first: int, batches: int, block: BlockName | None) -> Reply:
        """Render batches ``first`` … ``first + batches - 1``, into ``block`` where this process can reach it."""
        counts: list[FillCount] = []
        failure, rows, shared, began = None, None, self._shared(block), time.perf_counter()
        try:
            layout = self._packed if shared is None else self._plain
            rows = (self._own if shared is None else shared).reshape(-1, layout.row_bytes)[:batches]
            for k in range(batches):
                counts.append(self._fill(rows[k], first + k, layout))
        except Exception as error:
            failure = self._explain(error, first + len(counts))
        busy_s = time.perf_counter() - began
        return Reply(None if shared is not None else rows, counts, failure, self._process, busy_s)

    def rendered(self) -> int:
        """Batches that this process has rendered so far."""
        return self._rendered

    @cached_property
    def _plan(self) -> StreamPlan:  # lazily: Ray reports errors of __init__ without their type
        check_versions(self._versions, self._process.host)
        plan: StreamPlan = pickle.loads(self._pickled)
        return plan

    @cached_property
    def _synth(self) -> Synthesizer:
        return Synthesizer(self._plan.recipe, self._plan.seed)

    @cached_property
    def _plain(self) -> SuperbatchLayout:
        return SuperbatchLayout(self._plan)

    @cached_property
    def _packed(self) -> SuperbatchLayout:
        return SuperbatchLayout(self._plan, packed=True)

    @cached_property
    def _process(self) -> Process:
        ray = import_ray()
        return Process(ray.get_runtime_context().get_node_id(), ray.util.get_node_ip_address(), os.getpid())

    @cached_property
    def _own(self) -> NDArray[np.uint8]:
        """Memory of the longest reply; Ray copies what `render` returns before the next call begins."""
        return np.empty(self._batches * self._packed.row_bytes, np.uint8)

    def _shared(self, block: BlockName | None) -> NDArray[np.uint8] | None:
        if block is None or block.node != self._process.node:
            return None
        if block.inode not in self._blocks:
            self._blocks[block.inode] = open_block(block)
        return self._blocks[block.inode]

    def _fill(self, row: NDArray[np.uint8], index: int, layout: SuperbatchLayout) -> FillCount:
        images, labels, boxes = layout.views(row)
        start = index * self._plan.batch_size
        count = self._synth.fill(images, labels, start, boxes=boxes, packed=layout.packed)
        self._rendered += 1
        return count

    def _explain(self, error: Exception, index: int) -> SynthError:
        """The error that the driver raises: it names recipe and sample, and has this process's traceback as a note."""
        trace = "".join(traceback.format_exception(error)).rstrip()
        if not isinstance(error, SynthError):
            error = rendering_error(self._synth, index * self._plan.batch_size, self._plan.batch_size, error)
        error.add_note(f"in the Ray worker, {self._process}:\n{trace}")
        return error.with_traceback(None)


def render_first(synth: Synthesizer, plan: StreamPlan, samples: int = 1) -> None:
    """Render the plan's first samples, so that compiled kernels are in the cache on disk; errors are left for later."""
    with suppress(Exception):  # raised when its batch is due, after those before it
        synth.batch(plan.start_batch * plan.batch_size, samples)
