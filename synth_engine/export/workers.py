"""Shards made by several processes: one task a shard, a common progress, and an orderly end after a failure."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import CancelledError, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import cached_property
from multiprocessing import get_context, parent_process
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from synth_engine.errors import RunError
from synth_engine.export.plan import ExportPlan
from synth_engine.export.shards import Tick, make_shard
from synth_engine.synthesizer import Synthesizer

if TYPE_CHECKING:
    import ctypes

POLL_S = 0.2  # how often the progress is shown


class Shared(NamedTuple):
    """Memory of all processes: ``stop`` is 1 once no more shards are wanted, ``done[k]`` counts shard k's samples."""

    stop: ctypes.c_byte
    done: ctypes.Array[ctypes.c_longlong]


def default_workers(shards: int) -> int:
    """One process a processor, at most one a shard; 0, this process, where that is one."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    workers = min(shards, usable)
    return workers if workers > 1 else 0


def make_shards(plan: ExportPlan, folder: Path, shards: Sequence[int], workers: int, tick: Tick) -> None:
    """Make ``shards`` in ``workers`` processes; ``tick`` gets the number of samples done since its last call.

    After the first failure, and on Ctrl-C, the other workers stop and clear away their unfinished shards before it is
    raised. Raises RunError as `make_shard` does, and when a process is lost.
    """
    context = get_context("spawn")  # a fork would copy the locks that other threads hold
    # without locks: a worker killed while it holds one would leave all others waiting for ever
    shared = Shared(stop=context.RawValue("b", 0), done=context.RawArray("q", plan.shards))
    job = (plan, folder, shared)
    pool = ProcessPoolExecutor(min(workers, len(shards)), context, initializer=_start, initargs=job)
    try:
        with interrupts_held():
            tasks = [pool.submit(_make, shard) for shard in shards]
        _follow(tasks, shared, tick)
    except BrokenProcessPool as error:
        raise RunError(
            "a worker was lost without a word (killed, or out of memory?); finished shards are kept, and the same "
            "command goes on: try fewer --workers"
        ) from error
    finally:
        shared.stop.value = 1
        pool.shutdown(wait=True, cancel_futures=True)


def _follow(tasks: Sequence[Future[None]], shared: Shared, tick: Tick) -> None:
    pending, shown = set(tasks), 0
    while pending:
        finished, pending = wait(pending, POLL_S)
        now = sum(shared.done)
        tick(now - shown)
        shown = now
        for task in finished:
            task.result()


@contextmanager
def interrupts_held() -> Iterator[None]:
    """Hold back Ctrl-C: processes that are started meanwhile never see it, and this one sees it at the end.

    A terminal sends Ctrl-C to all its processes, and one that is interrupted while it starts prints a long traceback.
    """
    with _handler_held(), _signal_blocked():
        yield


@contextmanager
def _signal_blocked() -> Iterator[None]:
    """Block SIGINT in this thread and, by inheritance, in the processes that it starts."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _handler_held() -> Iterator[None]:
    """Put off the handler too: where another thread receives the signal, Python still calls it in the main thread."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    held: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: held.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if held:
            signal.raise_signal(signal.SIGINT)


class ShardWorker:
    """What a worker process keeps from shard to shard."""

    def __init__(self, plan: ExportPlan, folder: Path, shared: Shared) -> None:
        self.plan, self.folder, self.shared = plan, folder, shared

    @cached_property
    def synth(self) -> Synthesizer:
        return Synthesizer(self.plan.recipe, self.plan.seed)

    def make(self, shard: int) -> None:
        """Make ``shard``; raises CancelledError, and leaves nothing of it, once it is no longer wanted."""

        def tick(count: int) -> None:
            self.shared.done[shard] += count
            if self.shared.stop.value:
                raise CancelledError

        tick(0)
        make_shard(self.synth, self.plan, self.folder, shard, tick)


_worker: ShardWorker


def _start(plan: ExportPlan, folder: Path, shared: Shared) -> None:
    global _worker
    _worker = ShardWorker(plan, folder, shared)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _make(shard: int) -> None:
    _worker.make(shard)


def _end_with_parent() -> None:
    """End with the parent process: a killed one cannot tell its workers, which would wait for ever."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
