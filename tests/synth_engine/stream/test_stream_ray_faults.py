"""Ray streams under faults made for real: killed and stopped processes, failing recipes, consumers that leave."""

from __future__ import annotations

import gc
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import nullcontext
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from synth_engine import Recipe, Synthesizer
from synth_engine.errors import StreamError
from synth_engine.stream import open_stream
from synth_engine.stream.core.stream import Stream
from synth_engine.stream.ray import calls as ray_calls
from synth_engine.stream.ray import crew as ray_crew
from synth_engine.stream.ray import producer as ray_producer
from synth_engine.stream.ray.actor import RenderActor
from synth_engine.stream.ray.cluster import Cluster
from synth_engine.stream.ray.superbatch import SharedBlock
from tests.synth_engine.stream.ray_tools import (
    GONE_S,
    assert_whole,
    descendants,
    eventually,
    links,
    processes,
    producer_of,
    rendered,
    running,
)


@pytest.fixture(scope="module", autouse=True)
def cluster() -> Iterator[Cluster]:
    held = Cluster("local")
    yield held
    held.release()


class Failing(RenderActor):
    """Its recipe cannot render sample 37."""

    def _fill(self, row: Any, index: int, layout: Any) -> Any:
        size = self._plan.batch_size
        self._synth.batch = self._batch  # type: ignore[method-assign]
        if index * size <= 37 < (index + 1) * size:
            self._batch(37, 1)
        return super()._fill(row, index, layout)

    def _batch(self, start: int, count: int) -> None:
        if start <= 37 < start + count:
            raise ZeroDivisionError("a stage divides by nothing")


class Dying(RenderActor):
    """Its process ends with every call."""

    def render(self, *_: Any) -> Any:
        os._exit(1)


class Sleeping(RenderActor):
    """It takes its time."""

    def render(self, *_: Any) -> Any:
        time.sleep(600)


def by_value(monkeypatch: pytest.MonkeyPatch, actor: type[RenderActor]) -> None:
    """Hire actors of a class that the workers cannot import."""
    from ray import cloudpickle

    cloudpickle.register_pickle_by_value(sys.modules[__name__])
    monkeypatch.setattr(ray_crew, "RenderActor", actor)


def kill_each_once(stream: Stream, rng: random.Random, failures: list[str]) -> None:
    for worker, pid in enumerate(processes(stream)):
        time.sleep(rng.uniform(0.0, 0.6))
        os.kill(pid, signal.SIGKILL)
        if not eventually(lambda worker=worker, pid=pid: processes(stream)[worker] != pid, 120):
            failures.append(f"worker {worker} was not replaced")


@pytest.mark.parametrize("seed", [1, 2])
def test_every_actor_killed_once_changes_no_byte(
    tiny: Recipe, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.setattr(ray_calls, "SUPERBATCH_BYTES", 8 * 2**20)
    failures: list[str] = []
    with open_stream(tiny, seed, batch_size=2048, workers=3) as stream:
        killer = threading.Thread(target=kill_each_once, args=(stream, random.Random(seed), failures))
        killer.start()
        while killer.is_alive():
            assert_whole(tiny, stream, 5)
        assert_whole(tiny, stream, 12)
        assert not failures
        counts = producer_of(stream).workers
        assert [count.lost for count in counts] == [1, 1, 1]
        assert stream.stats.remade == 3
        again = sum(count.rendered_again for count in counts)
    told = [record.getMessage() for record in caplog.records if "are rendered again" in record.getMessage()]
    assert len(told) == 3
    assert again > 0
    assert all(f"Ray worker {worker} (process " in "".join(told) for worker in range(3))


def test_an_actor_that_dies_again_and_again_ends_the_stream(tiny: Recipe, monkeypatch: pytest.MonkeyPatch) -> None:
    by_value(monkeypatch, Dying)
    monkeypatch.setattr(ray_crew, "LOSSES_IN_A_ROW_MAX", 1)
    with (
        open_stream(tiny, 7, batch_size=4, workers=1) as stream,
        pytest.raises(StreamError, match="received 2 losses in a row, the last one: ActorDiedError"),
    ):
        next(stream)


def test_a_recipe_that_fails_in_a_worker_says_where_once(tiny: Recipe, monkeypatch: pytest.MonkeyPatch) -> None:
    by_value(monkeypatch, Failing)
    with open_stream(tiny, 7, batch_size=5, workers=2) as stream:
        assert_whole(tiny, stream, 7)
        with pytest.raises(
            StreamError,
            match=r"recipe tiny: rendering sample 37 \(seed \d+\) failed with ZeroDivisionError: a stage",
        ) as caught:
            next(stream)
        assert caught.value.value == 37
        (note,) = caught.value.__notes__
        assert note.startswith("in the Ray worker, process ")
        assert note.count("Traceback") == 1
        assert "in _batch" in note
        assert list(stream) == []


def test_a_consumer_that_pauses_has_a_stated_number_of_batches_waiting(tiny: Recipe) -> None:
    with open_stream(tiny, 7, batch_size=2048, workers=2) as stream:
        next(stream)
        assert not eventually(lambda: rendered(stream) > producer_of(stream).batches_ahead, 0.5)
        assert_whole(tiny, stream, 3 * producer_of(stream).batches_ahead)


def test_a_consumer_that_keeps_everything_gets_copies_and_blocks_stay_few(
    tiny: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ray_calls, "SUPERBATCH_BYTES", 4 * 2**20)
    with open_stream(tiny, 7, batch_size=1024, workers=2) as stream:
        producer = producer_of(stream)
        kept = list(islice(stream, 20 * producer._per_call))
        assert len(producer._blocks) <= producer._in_flight + 1 + ray_producer.HELD_BLOCKS
        for index in range(0, len(kept), 7):
            expected = Synthesizer(tiny, 7).batch(index * 1024, 1024)
            np.testing.assert_array_equal(kept[index].images, expected.images)
    assert kept[0].images.sum() == Synthesizer(tiny, 7).batch(0, 1024).images.sum()  # readable after the end


def test_without_shared_memory_batches_come_through_the_store_aligned(
    tiny: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SharedBlock, "supported", False)
    with open_stream(tiny, 7, batch_size=33, batches=40, workers=2) as stream:
        producer = producer_of(stream)
        assert_whole(tiny, stream, 39)
        assert not producer._blocks
        last = next(stream)
        assert all(array.ctypes.data % 64 == 0 for array in (last.images, last.labels, last.boxes))


def test_resuming_draws_nothing_of_the_batches_before(tiny: Recipe) -> None:
    with open_stream(tiny, 7, batch_size=16, start_batch=10**9, workers=2) as stream:
        assert_whole(tiny, stream, 1)
        assert rendered(stream) <= producer_of(stream).batches_ahead + stream.stats.batches


@pytest.mark.parametrize("leave", [None, ValueError])
def test_a_consumer_that_leaves_leaves_nothing_behind(tiny: Recipe, leave: type[Exception] | None) -> None:
    threads = threading.active_count()
    with pytest.raises(leave) if leave else nullcontext(), open_stream(tiny, 7, batch_size=999, workers=2) as stream:
        assert_whole(tiny, stream, 2)
        pids = processes(stream)
        if leave:
            raise leave
    assert_nothing_left(pids, threads)


@pytest.mark.usefixtures("interruptible")
def test_a_consumer_interrupted_while_it_waits_leaves_nothing_behind(
    tiny: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_value(monkeypatch, Sleeping)
    threads = threading.active_count()
    stream = open_stream(tiny, 7, batch_size=999, workers=2)
    pids = processes(stream)
    threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        next(stream)
    assert_nothing_left(pids, threads)


def assert_nothing_left(pids: list[int], threads: int) -> None:
    """No actor, no thread, no shared memory."""
    assert eventually(lambda: not running(pids))
    assert eventually(lambda: threading.active_count() <= threads)
    gc.collect()
    assert not [link for link in links(os.getpid()) if "synth-stream" in link]


INTERRUPTED = """
import ray  # before ours
import sys
from synth_engine import Recipe
from synth_engine.stream import open_stream

with open_stream(Recipe.load(sys.argv[1]), 7, batch_size=64, workers=2, ray_address="local") as stream:
    for batch in stream:
        if batch.start == 0:
            print(batch.images.sum(), flush=True)
"""


@pytest.mark.usefixtures("interruptible")
def test_an_interrupted_script_leaves_no_process(tiny: Recipe, tmp_path: Path) -> None:
    tiny.save(tmp_path / "tiny.toml")
    command = [sys.executable, "-c", INTERRUPTED, str(tmp_path / "tiny.toml")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as script:
        assert script.stdout
        assert script.stdout.readline().strip() == str(Synthesizer(tiny, 7).batch(0, 64).images.sum())
        pids = descendants(script.pid)
        assert len(pids) > 3
        script.send_signal(signal.SIGINT)
        try:
            script.wait(GONE_S + 60)
        finally:
            script.kill()
    assert eventually(lambda: not running(pids)), running(pids)
