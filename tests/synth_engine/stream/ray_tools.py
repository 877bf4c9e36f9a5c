"""What the modules that test Ray streams share: a look at processes and sockets, and whole-stream comparisons."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress
from itertools import islice
from pathlib import Path

import numpy as np

from synth_engine import Recipe, Synthesizer
from synth_engine.stream.core.stream import Stream
from synth_engine.stream.ray.producer import RayProducer

GONE_S = 5.0  # on a machine that does little else; `eventually` waits longer on others


def producer_of(stream: Stream) -> RayProducer:
    producer = stream._producer
    assert isinstance(producer, RayProducer)
    return producer


def processes(stream: Stream) -> list[int]:
    """The workers' process numbers, as last heard of."""
    crew = producer_of(stream)._crew
    assert crew
    return [worker.process.pid for worker in crew.workers if worker.process]


def rendered(stream: Stream) -> int:
    """Batches that the actors have rendered."""
    import ray

    crew = producer_of(stream)._crew
    assert crew
    return sum(ray.get([worker.handle.rendered.remote() for worker in crew.workers], timeout=60))


def assert_whole(recipe: Recipe, stream: Stream, batches: int) -> None:
    """The next batches of the stream are the synthesizer's, to the byte."""
    synth, size = Synthesizer(recipe, stream.plan.seed), stream.plan.batch_size
    first = stream.stats.batches + stream.plan.start_batch
    for index, batch in enumerate(islice(stream, batches), first):
        expected = synth.batch(index * size, size)
        assert (batch.start, batch.candidates, len(batch)) == (expected.start, expected.candidates, size)
        for name in ("images", "labels", "boxes"):
            np.testing.assert_array_equal(getattr(batch, name), getattr(expected, name))
    assert stream.stats.batches + stream.plan.start_batch == first + batches


def eventually(true: Callable[[], bool], within_s: float = GONE_S) -> bool:
    """Whether it becomes true in time; with more to do than processors, the machine has as many times longer."""
    deadline = time.monotonic() + within_s * max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))
    while not true() and time.monotonic() < deadline:
        time.sleep(0.05)
    return true()


def running(pids: list[int]) -> list[int]:
    """Those of the processes that run; zombies do not."""
    return [pid for pid in pids if _stat(pid)[:1] not in ([], ["Z"], ["X"])]


def descendants(pid: int) -> list[int]:
    """Processes below this one, as they are now."""
    parents = {int(path.name): _stat(int(path.name)) for path in Path("/proc").iterdir() if path.name.isdigit()}
    found = [pid]
    for parent in found:
        found += [child for child, stat in parents.items() if stat[1:2] == [str(parent)]]
    return found[1:]


def listening(pids: list[int]) -> set[str]:
    """Hexadecimal addresses (as in /proc/net/tcp) on which the processes accept connections."""
    addresses: dict[str, str] = {}
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in Path(table).read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A":
                addresses[f"socket:[{fields[9]}]"] = fields[1].partition(":")[0]
    return {addresses[link] for pid in pids for link in links(pid) if link in addresses}


def links(pid: int) -> list[str]:
    """What the process's descriptors are open on."""
    found = []
    with suppress(OSError):  # gone meanwhile
        for path in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(OSError):
                found.append(str(path.readlink()))
    return found


def _stat(pid: int) -> list[str]:
    """State, parent, …; nothing where there is no such process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []
