"""Threads as producers, and what holds for every stream: order, ends, errors, nothing left behind."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable
from itertools import islice
from typing import Any, cast

import numpy as np
import pytest

from synth_engine import Batch, Recipe, Synthesizer
from synth_engine.errors import FontError, RejectionError, StreamError
from synth_engine.fast.renderer import BinaryRenderer
from synth_engine.recipe import Filter, Font
from synth_engine.samples import Outputs
from synth_engine.stream import open_stream
from synth_engine.stream.core.buffers import BufferPool, aligned_empty
from synth_engine.stream.core.plan import StreamPlan
from synth_engine.stream.core.stream import Stream


def assert_equal(batch: Batch, expected: Batch) -> None:
    assert (batch.start, batch.candidates, batch.texts()) == (expected.start, expected.candidates, expected.texts())
    for name in ("images", "labels", "boxes"):
        np.testing.assert_array_equal(getattr(batch, name), getattr(expected, name))


def stream_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("synth-stream")]


def made(stream: Stream) -> int:
    return sum(worker.batches for worker in stream.stats.workers)


def wait_for(condition: Callable[[], bool]) -> None:
    ends = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < ends
        time.sleep(0.01)


@pytest.fixture(scope="module")
def impossible(tiny: Recipe) -> Recipe:
    """No image has a run of 30 px of ink for each of its two characters."""
    return tiny.replace(filter=Filter(gap_px=30, tries_max=20))


@pytest.mark.parametrize("threads", [0, 1, 3])
def test_batches_are_the_synthesizers_own(tiny: Recipe, threads: int) -> None:
    synth = Synthesizer(tiny, seed=7)
    with open_stream(tiny, 7, batch_size=5, batches=9, threads=threads) as stream:
        for index, batch in enumerate(stream):
            assert_equal(batch, synth.batch(5 * index, 5))
    assert index == 8


def test_starting_late_gives_the_tail(tiny: Recipe) -> None:
    with open_stream(tiny, 7, batch_size=4, batches=6) as stream:
        tail = list(stream)[4:]
    with open_stream(tiny, 7, batch_size=4, start_batch=4, batches=2) as stream:
        for batch, expected in zip(stream, tail, strict=True):
            assert_equal(batch, expected)


def test_held_batches_keep_their_bytes(tiny: Recipe) -> None:
    with open_stream(tiny, 7, batch_size=4, prefetch=2) as stream:
        held = [batch.images[1:] for batch in islice(stream, 40)][::7]
        rest = list(islice(stream, 40))
    for k, rows in enumerate(held):
        np.testing.assert_array_equal(rows, Synthesizer(tiny, 7).batch(28 * k + 1, 3).images)
    assert len(rest) == 40


@pytest.mark.parametrize("threads", [1, 2])
def test_a_slow_consumer_stops_the_threads_at_the_stated_number(tiny: Recipe, threads: int) -> None:
    with open_stream(tiny, 7, batch_size=4, threads=threads, prefetch=3) as stream:
        for taken in (1, 2):
            next(stream)
            wait_for(lambda: made(stream) >= 3 + taken)  # noqa: B023 called within this round
            time.sleep(0.1)
            assert (made(stream), stream.stats.in_flight) == (3 + taken, 3)


def test_memory_does_not_grow_with_what_was_delivered(tiny: Recipe) -> None:
    with open_stream(tiny, 7, batch_size=512, threads=2, prefetch=3) as stream:
        addresses = {batch.images.ctypes.data for batch in islice(stream, 200)}
    assert len(addresses) <= 2 * (3 + 1 + 2)  # of each thread: all that are ahead, the next one, two with the consumer


def test_starting_late_renders_nothing_before(tiny: Recipe, monkeypatch: pytest.MonkeyPatch) -> None:
    starts, fill = [], Synthesizer.fill_unchecked

    def noting(synth: Synthesizer, out: Outputs, start: int) -> Any:
        starts.append(start)
        return fill(synth, out, start)

    monkeypatch.setattr(Synthesizer, "fill_unchecked", noting)
    with open_stream(tiny, 7, batch_size=4, start_batch=1_000_000, batches=3) as stream:
        assert len(list(stream)) == 3
    assert sorted(starts) == [4_000_000, 4_000_004, 4_000_008]


def test_an_early_stop_leaves_no_threads(tiny: Recipe) -> None:
    with open_stream(tiny, 7, batch_size=4, threads=2) as stream:
        next(stream)
        assert stream_threads()
    assert not stream_threads()
    assert list(stream) == []
    stream.close()


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt])
def test_a_consumer_that_raises_leaves_no_threads(tiny: Recipe, error: type[BaseException]) -> None:
    def consume() -> None:
        with open_stream(tiny, 7, batch_size=4, threads=2) as stream:
            next(stream)
            raise error

    with pytest.raises(error):
        consume()
    assert not stream_threads()


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("consumer", ["for batch in stream: pass", "next(stream); time.sleep(60)"])
def test_an_interrupted_process_has_ended_its_threads(consumer: str) -> None:
    code = (
        "import threading, time; from synth_engine import Recipe; from synth_engine.stream import open_stream\n"
        "try:\n"
        "    with open_stream(Recipe.named('hackmit'), 7, batch_size=256) as stream:\n"
        "        next(stream); print('ready', flush=True)\n"
        f"        {consumer}\n"
        "except KeyboardInterrupt:\n"
        "    print([t.name for t in threading.enumerate()])"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        child.send_signal(signal.SIGINT)
        try:
            assert child.communicate(timeout=60)[0] == "['MainThread']\n"
        finally:
            child.kill()
    assert child.returncode == 0


def test_a_forgotten_stream_ends_its_threads(tiny: Recipe) -> None:
    stream = open_stream(tiny, 7, batch_size=4, threads=2)
    assert len(next(stream)) == 4
    del stream
    assert not stream_threads()


def test_a_workers_error_comes_once_with_its_type(impossible: Recipe) -> None:
    with open_stream(impossible, 7, batch_size=4) as stream:
        with pytest.raises(RejectionError, match="rejected all 20 candidates for sample 0") as caught:
            next(stream)
        assert stream.failure is caught.value
        assert list(stream) == []
        assert not stream_threads()


def broken_at(index: int) -> Callable[..., Any]:
    """A `BinaryRenderer.render` with a fault that only sample ``index`` meets."""
    render = BinaryRenderer.render

    def render_or_break(renderer: BinaryRenderer, out: Outputs, start: int) -> Any:
        if start <= index < start + len(out.labels):
            raise ZeroDivisionError("a fault of the stage")
        return render(renderer, out, start)

    return render_or_break


@pytest.mark.parametrize("threads", [0, 1, 3])
def test_a_fault_in_a_recipe_arrives_once_with_recipe_sample_and_traceback(
    tiny: Recipe, monkeypatch: pytest.MonkeyPatch, threads: int
) -> None:
    monkeypatch.setattr(BinaryRenderer, "render", broken_at(14))
    with open_stream(tiny, 7, batch_size=4, threads=threads) as stream:
        assert len(list(islice(stream, 3))) == 3
        with pytest.raises(StreamError, match=r"tiny: rendering sample 14 \(seed 7\) failed with Zero") as caught:
            next(stream)
        assert list(stream) == []
    assert caught.value.value == 14
    trace = "".join(traceback.format_exception(caught.value))
    assert trace.count("in render_or_break") == 1
    assert trace.count("ZeroDivisionError: a fault of the stage\n") == 1


def test_stats_count_what_was_delivered(hackmit: Recipe) -> None:
    with open_stream(hackmit, 3, batch_size=8) as stream:
        batches = list(islice(stream, 3))
        stats = stream.stats
    assert (stats.batches, stats.images, stats.remade) == (3, 24, 0)
    assert stats.candidates == sum(batch.candidates for batch in batches) > 24
    assert stats.waited_s > 0


def test_no_batches_are_no_batches(tiny: Recipe) -> None:
    with open_stream(tiny, 7, batch_size=4, batches=0) as stream:
        assert list(stream) == []


@pytest.mark.parametrize(
    ("name", "value"), [("batch_size", 0), ("start_batch", -1), ("batches", -1), ("threads", -1), ("prefetch", 0)]
)
def test_numbers_out_of_range_are_named(tiny: Recipe, name: str, value: int) -> None:
    with pytest.raises(StreamError, match=f"`{name}` is {value}; expected an integer of at least"):
        open_stream(tiny, 7, **cast(Any, {"batch_size": 4, name: value}))


@pytest.mark.parametrize(("start", "batches"), [(2**60 + 1, None), (2**60 - 2, 3)])
def test_samples_without_a_number_are_refused_before_any_is_rendered(
    tiny: Recipe, start: int, batches: int | None
) -> None:
    with pytest.raises(StreamError, match=f"`start_batch` is {start}; expected batches that end at sample 2"):
        StreamPlan(recipe=tiny, seed=7, batch_size=4, start_batch=start, batches=batches)
    StreamPlan(recipe=tiny, seed=7, batch_size=4, start_batch=2**60 - 3, batches=3)


def test_a_font_that_is_missing_is_found_at_once(tiny: Recipe) -> None:
    with pytest.raises(FontError, match=r"nowhere\.ttf"):
        open_stream(tiny.replace(fonts=(Font(file="nowhere.ttf", size_px=16),)), 7, batch_size=4)


class Stuck:
    """A producer whose worker never answers."""

    remade = in_flight = 0
    worker_stats = ()

    def __init__(self) -> None:
        self.waiting, self.stopped = threading.Event(), threading.Event()

    def take(self) -> Batch:
        self.waiting.set()
        self.stopped.wait()
        raise RuntimeError("stopped")

    def stop(self) -> None:
        self.stopped.set()

    close = stop


def test_closing_releases_a_consumer_that_waits(tiny: Recipe) -> None:
    producer = Stuck()
    stream = Stream(StreamPlan(recipe=tiny, seed=7, batch_size=4), producer)
    got: list[list[Batch]] = []
    consumer = threading.Thread(target=lambda: got.append(list(stream)))
    consumer.start()
    producer.waiting.wait()
    stream.close()
    consumer.join(timeout=60)
    assert got == [[]]
    assert stream.failure is None


def test_importing_the_stream_loads_neither_ray_nor_tensorflow() -> None:
    code = (
        "import sys, synth_engine, synth_engine.stream; print({'ray', 'tensorflow', 'keras', 'cv2'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


@pytest.mark.parametrize("shape", [(7,), (3, 5, 11), (2, 64)])
@pytest.mark.parametrize("dtype", ["u1", "i2", "f4"])
def test_arrays_lie_on_64_byte_boundaries(shape: tuple[int, ...], dtype: str) -> None:
    for array in (aligned_empty(shape, dtype), BufferPool(keep=2).empty(shape, dtype)):
        assert (array.shape, array.dtype, array.ctypes.data % 64) == (shape, np.dtype(dtype), 0)
        assert array.flags.c_contiguous
        assert array.flags.writeable


def test_memory_is_used_again_only_after_its_last_view_is_gone() -> None:
    pool = BufferPool(keep=2)
    array = pool.empty((4, 16), "u1")
    address, view = array.ctypes.data, array[2:].view("i2")[:, ::2]
    del array
    assert pool.empty((4, 16), "u1").ctypes.data != address
    del view
    assert pool.empty((4, 16), "u1").ctypes.data == address


def test_a_pool_keeps_no_more_than_it_was_told() -> None:
    pool = BufferPool(keep=2)
    arrays = [pool.empty((4096,), "u1") for _ in range(5)]
    last = {array.ctypes.data for array in arrays[-2:]}
    while arrays:
        del arrays[0]
    assert {a.ctypes.data for a in [pool.empty((4096,), "u1") for _ in range(2)]} == last
