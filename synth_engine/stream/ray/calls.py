"""The calls of a stream: which batches each asks for, of which worker, and how many calls are in flight at once.

Ray costs by the call and the object, not by the byte. So a call asks for several batches at once (a
superbatch, see `superbatch`), and a few calls are in flight.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from typing import Any

from synth_engine.errors import StreamError
from synth_engine.stream.core.plan import StreamPlan
from synth_engine.stream.ray.actor import render_first
from synth_engine.stream.ray.crew import Worker
from synth_engine.stream.ray.superbatch import SharedBlock
from synth_engine.synthesizer import Synthesizer

CALLS_PER_ACTOR = 2
TURNS_IN_A_ROW = 16  # calls of each of the actors whose turn it is, before the next ones: their caches stay warm
SUPERBATCH_BYTES = 32 * 2**20
CALL_S = 1.0  # most a call of a slow recipe takes, and so most that a lost actor loses
TIMED_SAMPLES = 16


class Call:
    """Batches ``first`` … ``first + batches - 1``, asked of ``worker``."""

    def __init__(self, first: int, batches: int, worker: Worker, block: SharedBlock | None) -> None:
        self.first, self.batches, self.worker, self.block = first, batches, worker, block
        self.reference: Any = None
        self.send()

    def send(self) -> None:
        """Ask the actor that fills the worker's place now."""
        block = self.block.name if self.block else None
        self.reference = self.worker.handle.render.remote(self.first, self.batches, block)

    def __str__(self) -> str:
        last = self.first + self.batches - 1
        return f"{self.first}" if last == self.first else f"{self.first}-{last}"


def kept_busy(workers: int, cpus: float) -> int:
    """How many workers have calls at once: as many as there are processors, rounded up.

    More would render no faster, and each would find its caches cold.
    """
    return max(1, min(workers, math.ceil(cpus)))


def worker_asked(call: int, workers: int, at_once: int) -> int:
    """Index of the worker that a call is for: ``at_once`` of them take turns, then the next ones."""
    shift = call // (at_once * TURNS_IN_A_ROW) * at_once
    return (shift + call % at_once) % workers


def share_out(plan: StreamPlan, *, at_once: int, budget: int, row_bytes: int, batch_s: float) -> tuple[int, int]:
    """(batches in a call, calls in flight) such that all calls in flight, ``row_bytes`` a batch, fit ``budget`` bytes.

    ``at_once`` workers have calls at once. Raises StreamError if not even one batch fits.
    """
    in_flight = min(CALLS_PER_ACTOR * at_once, budget // row_bytes)
    if in_flight < 1:
        raise StreamError(
            f"a batch of {row_bytes / 2**20:.0f} MiB expected to fit the memory for batches in flight (a "
            f"quarter of Ray's smallest object store), received {budget / 2**20:.0f} MiB; make `batch_size` smaller, "
            f"or use `workers=0`",
            plan.batch_size,
        )
    per_call = min(SUPERBATCH_BYTES // plan.batch_bytes, budget // in_flight // row_bytes)
    per_call = max(1, min(per_call, int(CALL_S / max(batch_s, 1e-9))))
    if plan.batches is not None:
        per_call = max(1, min(per_call, math.ceil(plan.batches / at_once)))
    return per_call, in_flight


def seconds_per_batch(synth: Synthesizer, plan: StreamPlan) -> float:
    """Seconds that one thread takes for a batch, estimated from a few samples once the kernels are compiled."""
    render_first(synth, plan)
    began, samples = time.perf_counter(), min(TIMED_SAMPLES, plan.batch_size)
    render_first(synth, plan, samples)
    return (time.perf_counter() - began) * plan.batch_size / samples


def spans_of(plan: StreamPlan, per_call: int) -> Iterator[tuple[int, int]]:
    """(first batch, number of batches) of every call, in order."""
    first = plan.start_batch
    while plan.batches is None or first < plan.stop_batch:
        batches = per_call if plan.batches is None else min(per_call, plan.stop_batch - first)
        yield first, batches
        first += batches
