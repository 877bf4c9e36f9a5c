"""The actors of one stream: starting them, noticing that one is lost, and starting another in its place.

Ray's own restarts are not used, because they repeat calls silently. Here the log says which batches are rendered again,
a replacement goes to a node with room (one added meanwhile included), and an actor that dies again and again ends the
stream with the reason.
"""

from __future__ import annotations

import logging
import pickle
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from synth_engine.errors import StreamError
from synth_engine.stream.core.plan import StreamPlan
from synth_engine.stream.ray.actor import Process, RenderActor, Reply
from synth_engine.stream.ray.cluster import Cluster, import_ray
from synth_engine.stream.ray.same_build import versions
from synth_engine.stream.ray.superbatch import BlockName

START_TIMEOUT_S = 600.0  # for all actors to have loaded their kernels: sixteen on two busy cores took two minutes
ANSWER_TIMEOUT_S = 300.0  # for one call, the start of a replaced actor included
POLL_S = 0.2  # how soon a waiting call notices that the stream was closed
LOSSES_IN_A_ROW_MAX = 5
SLIVER_CPUS = 0.001

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class WorkerCount:
    """What one worker has done so far.

    ``batches`` delivered, in ``busy_s`` seconds of rendering; processes ``lost``, and batches ``rendered_again`` for
    them; ``process`` is the one that answered last.
    """

    worker: int
    process: str
    batches: int
    lost: int
    rendered_again: int
    busy_s: float


class LostError(Exception):
    """An actor is gone, and with it the batches asked of it."""


class Worker:
    """One place in the crew, whichever actor fills it at the time."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.handle: Any = None
        self.process: Process | None = None
        self.node = ""  # of the actor, or where it is being started
        self.shares = False  # whether it renders into the driver's memory
        self.batches = self.lost = self.rendered_again = 0
        self.lost_in_a_row = 0
        self.busy_s = 0.0

    @property
    def count(self) -> WorkerCount:
        """A copy of the counts."""
        return WorkerCount(
            worker=self.number,
            process=str(self.process),
            batches=self.batches,
            lost=self.lost,
            rendered_again=self.rendered_again,
            busy_s=self.busy_s,
        )


class Crew:
    """``workers`` actors that render at most ``batches`` batches of the plan in a call."""

    def __init__(self, cluster: Cluster, plan: StreamPlan, *, workers: int, batches: int) -> None:
        self._cluster, self._batches, self._plan = cluster, batches, pickle.dumps(plan)
        self._cpus = cluster.cpus_per_actor(workers)
        self.workers = [Worker(number) for number in range(workers)]

    def start(self, block: BlockName | None) -> None:
        """Start all actors and wait until they have loaded their kernels; raises StreamError if they do not."""
        deadline = time.monotonic() + START_TIMEOUT_S
        for worker in self.workers:
            self._start_actor(worker, self._cpus, "SPREAD")
        calls = [(worker, worker.handle.ready.remote(block)) for worker in self.workers]
        for begun, (worker, call) in enumerate(calls):
            worker.process, worker.shares = self._started(worker, call, block, deadline, begun)
            worker.node = worker.process.node

    def replace(self, worker: Worker, error: LostError) -> None:
        """Start another actor; raises StreamError after more than `LOSSES_IN_A_ROW_MAX` losses in a row."""
        worker.lost += 1
        worker.lost_in_a_row += 1
        if worker.lost_in_a_row > LOSSES_IN_A_ROW_MAX:
            raise StreamError(
                f"Ray worker {worker.number} expected to answer, received {worker.lost_in_a_row} losses in a row, the "
                f"last one: {error}; look into Ray's log for the reason (memory?), or use `workers=0`"
            ) from error
        self._end(worker)
        worker.node = self._emptiest_node(but=worker.node)
        affinity = import_ray().util.scheduling_strategies.NodeAffinitySchedulingStrategy
        self._start_actor(worker, _free_sliver(), affinity(worker.node, soft=True) if worker.node else "SPREAD")

    def count_reply(self, worker: Worker, reply: Reply) -> None:
        """Add a reply to the counts of its worker."""
        worker.process, worker.node, worker.lost_in_a_row = reply.process, reply.process.node, 0
        worker.batches += len(reply.counts)
        worker.busy_s += reply.busy_s

    def close(self) -> None:
        """End all actors at once, in the middle of a call too."""
        for worker in self.workers:
            self._end(worker)

    def _start_actor(self, worker: Worker, cpus: float, where: Any) -> None:
        options = import_ray().remote(
            num_cpus=cpus, max_restarts=0, max_task_retries=0, max_concurrency=1, scheduling_strategy=where
        )
        worker.handle = options(RenderActor).remote(self._plan, self._batches, versions())

    def _emptiest_node(self, but: str) -> str:
        """The node with the fewest of our workers a processor; "" if no node has processors.

        ``but`` comes last: for some seconds Ray still reports a lost node as alive.
        """
        here = Counter(worker.node for worker in self.workers)
        nodes = [node for node in import_ray().nodes() if node["Alive"] and node["Resources"].get("CPU", 0) > 0]
        busy = {node["NodeID"]: here[node["NodeID"]] / node["Resources"]["CPU"] for node in nodes}
        return min(busy, key=lambda node: (node == but, busy[node]), default="")

    def _end(self, worker: Worker) -> None:
        handle, worker.handle = worker.handle, None
        ray = import_ray()
        if handle is not None and ray.is_initialized():
            with suppress(Exception):  # gone already, or Ray is
                ray.kill(handle)

    def _started(
        self, worker: Worker, call: Any, block: BlockName | None, deadline: float, begun: int
    ) -> tuple[Process, bool]:
        while True:
            try:
                started: tuple[Process, bool] = answer(call, deadline, lambda: False)
                return started
            except TimeoutError as error:
                raise StreamError(
                    f"expected {len(self.workers)} Ray actors to start within {START_TIMEOUT_S:g} s, received {begun}; "
                    f"ask for fewer workers, or for a cluster with free CPUs",
                    begun,
                ) from error
            except LostError as error:
                log.warning("Ray worker %d was lost while it started: %s", worker.number, error)
                self.replace(worker, error)
                call = worker.handle.ready.remote(block)


def _free_sliver() -> float:
    """CPUs that a replacement reserves: almost none, since the lost actor's may have left the cluster with its node.

    Not zero where some are free: an actor of zero CPUs also fits a head node without any, and Ray places it there.
    """
    return SLIVER_CPUS if import_ray().available_resources().get("CPU", 0.0) >= SLIVER_CPUS else 0.0


def answer(call: Any, deadline: float, stopped: Callable[[], bool]) -> Any:
    """The result of a call.

    Raises what the method raised, LostError if the actor is gone, StreamError if ``stopped()``, TimeoutError after
    ``deadline``.
    """
    ray = import_ray()
    while not stopped():
        if not ray.is_initialized():  # ray.get would start one
            raise StreamError("Ray was shut down under the stream; close the stream first")
        left_s = deadline - time.monotonic()
        try:
            return ray.get(call, timeout=min(POLL_S, max(left_s, 0.0)))
        except ray.exceptions.GetTimeoutError:
            if left_s <= 0:
                raise TimeoutError from None
        except ray.exceptions.RayTaskError as error:
            raise error.cause from error
        except ray.exceptions.RayError as error:
            raise _explained(ray, error) from error
    raise StreamError("the stream was closed while a batch was waited for")


def _explained(ray: Any, error: Exception) -> Exception:
    """LostError where another actor may succeed; else a StreamError with Ray's message."""
    kinds = ray.exceptions
    lost = (kinds.RayActorError, kinds.ObjectLostError, kinds.WorkerCrashedError, kinds.NodeDiedError)
    text = f"{type(error).__name__}: {error}"
    if isinstance(error, (*lost, kinds.OutOfMemoryError)) and not getattr(error, "actor_init_failed", False):
        return LostError(" ".join(text.split())[:120])
    return StreamError(
        f"expected a Ray actor's batches, received {text}; "
        f"check that every node has this package, open the stream again, or use `workers=0`"
    )
