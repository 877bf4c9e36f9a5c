"""The engine's throughput on one core and two, as ratios inside one run, and the memory that it keeps.

Rates are medians over rounds in which the rivals take turns. They are in the thread's own CPU time, so that other work
on a shared machine weighs on all alike. The rivals are the plain twin, copies of the finished arrays in cache (`BATCH`
images, over and over) and out of it (`MANY`), and OpenCV for the opening of real images. ``SYNTH_BENCH_TINY=1`` runs
the same checks on small counts.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from synth_engine import Recipe, Synthesizer
from synth_engine.real import binarize
from synth_engine.recipe import Binarize
from tests.naive.fast import Naive

TINY = os.environ.get("SYNTH_BENCH_TINY") == "1"
BATCH, MANY = 512, 4096 if TINY else 65_536
ROUNDS, NAIVE_IMAGES = (5, 8) if TINY else (25, 40)
# Batches in a turn: so many that a fast rival's turn does not consist of warming up after a slow one's.
TURN = 8 if TINY else 64
THREAD_ROUNDS, THREAD_TURNS = (5, 16) if TINY else (40, 128)
FEW_IMAGES, ALL_IMAGES = (10**4, 10**5) if TINY else (10**6, 10**8)

MEMORY = """
import os, sys
from synth_engine import Recipe, Synthesizer
from synth_engine.real import binarize
from synth_engine.recipe import Binarize
synth, held = Synthesizer(Recipe.named("hackmit"), 1), []
batch = synth.batch(0, 1000)
for start in range(0, int(sys.argv[2]), 1000):
    synth.fill(batch.images, batch.labels, start)
    if start + 1000 in (int(sys.argv[1]), int(sys.argv[2])):
        with open("/proc/self/statm") as file:
            held.append(int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE"))
print(held)
"""


def cpu_seconds(action: Callable[[], object]) -> float:
    started = time.thread_time()
    action()
    return time.thread_time() - started


def rates_of(rivals: dict[str, tuple[int, Callable[[], object]]]) -> dict[str, float]:
    """Images a CPU second of each rival (images a call, call): medians over interleaved rounds after a warm-up."""
    seconds: dict[str, list[float]] = {name: [] for name in rivals}
    for round_ in range(ROUNDS + 1):
        for name, (_, action) in rivals.items():
            taken = cpu_seconds(action)
            if round_:
                seconds[name].append(taken)
    return {name: rivals[name][0] / statistics.median(taken) for name, taken in seconds.items()}


def fills(synth: Synthesizer, count: int, turns: int) -> dict[str, tuple[int, Callable[[], object]]]:
    """Rivals that make ``turns`` batches of ``count`` images, packed or not, or copy them."""
    batch = synth.batch(0, count)
    packed, held = np.empty((count, 50, 13), np.uint8), np.empty_like(batch.images)

    def each(action: Callable[[int], object]) -> tuple[int, Callable[[], object]]:
        return turns * count, lambda: [action(turn * count) for turn in range(turns)]

    return {
        "uint8": each(lambda start: synth.fill(batch.images, batch.labels, start)),
        "packed": each(lambda start: synth.fill(packed, batch.labels, start, packed=True)),
        "copy": each(lambda _: np.copyto(held, batch.images)),
    }


def child(*arguments: str) -> list[float]:
    """What a fresh interpreter prints, a JSON list."""
    command = [sys.executable, "-c", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=1800)
    values: list[float] = json.loads(done.stdout)
    return values


@pytest.fixture(scope="module")
def rates() -> dict[str, float]:
    recipe = Recipe.named("hackmit")
    synth, free, twin = (
        Synthesizer(recipe, seed=1),
        Synthesizer(recipe.replace(filter=None), seed=1),
        Naive(recipe, 1),
    )
    rivals: dict[str, Any] = {f"{name} in cache": rival for name, rival in fills(synth, BATCH, TURN).items()}
    rivals |= {f"{name} out of cache": rival for name, rival in fills(synth, MANY, 1).items()}
    rivals |= {f"{name} unfiltered": rival for name, rival in fills(free, BATCH, TURN).items() if name != "copy"}
    rivals["naive"] = NAIVE_IMAGES, lambda: [twin.sample(i) for i in range(NAIVE_IMAGES)]
    return rates_of(rivals)


def test_engine_against_the_plain_twin(benchmark: BenchmarkFixture, rates: dict[str, float]) -> None:
    synth = Synthesizer(Recipe.named("hackmit"), seed=1)
    batch = synth.batch(0, BATCH)
    benchmark.extra_info.update({f"{name} images/s": round(rate) for name, rate in rates.items()})
    benchmark.extra_info["uint8 / naive"] = round(rates["uint8 in cache"] / rates["naive"])
    benchmark(synth.fill, batch.images, batch.labels, 0)
    assert rates["uint8 in cache"] > 2500 * rates["naive"], rates


@pytest.mark.parametrize(("where", "floor"), [("in cache", 0.08), ("out of cache", 0.15)])
def test_engine_against_a_memory_copy(
    benchmark: BenchmarkFixture, rates: dict[str, float], where: str, floor: float
) -> None:
    """The floors guard against a slide; where the time goes is in docs/results.md."""
    uint8, packed, copy = (rates[f"{name} {where}"] for name in ("uint8", "packed", "copy"))
    benchmark.extra_info["uint8 / copy"] = round(uint8 / copy, 3)
    benchmark.extra_info["packed / uint8"] = round(packed / uint8, 2)
    images = np.zeros((BATCH, 50, 100), np.uint8)
    benchmark(np.copyto, np.empty_like(images), images)
    assert uint8 > floor * copy, rates


@pytest.mark.parametrize("side_px", [2, 3, 5])
def test_opening_against_opencv(benchmark: BenchmarkFixture, side_px: int) -> None:
    """Real images are opened by the kernel that opens synthetic ones; OpenCV's erosion and dilation do the same."""
    cv2 = pytest.importorskip("cv2")
    images = Synthesizer(Recipe.named("hackmit"), seed=1).batch(0, BATCH).images * np.uint8(255)
    square, first, last = np.ones((side_px, side_px), np.uint8), (side_px - 1) // 2, side_px // 2
    ground = {"borderType": cv2.BORDER_CONSTANT, "borderValue": 0}

    def opencv() -> list[Any]:
        eroded = [cv2.erode(image, square, anchor=(first, first), **ground) for image in images]
        return [cv2.dilate(image, square, anchor=(last, last), **ground) for image in eroded]

    rule = Binarize(threshold=0, open_px=side_px)
    assert np.array_equal(binarize(images, rule) * np.uint8(255), np.stack(opencv()))
    rates = rates_of({"engine": (BATCH, lambda: binarize(images, rule)), "OpenCV": (BATCH, opencv)})
    benchmark.extra_info["engine / OpenCV"] = round(rates["engine"] / rates["OpenCV"], 1)
    benchmark(binarize, images, rule)
    assert rates["engine"] > rates["OpenCV"], rates


def test_two_threads_against_one(benchmark: BenchmarkFixture) -> None:
    """Wall time, the best of many rounds: what the machine does besides cannot make either look faster."""
    synth = Synthesizer(Recipe.named("hackmit"), seed=1)
    batches = [synth.batch(0, BATCH) for _ in range(2)]

    def fill(which: int) -> None:
        batch = batches[which]
        for turn in range(THREAD_TURNS):  # long enough for the system to move a thread to an idle core
            synth.fill(batch.images, batch.labels, (2 * turn + which) * BATCH, boxes=batch.boxes)

    def wall(action: Callable[[], object]) -> float:
        started = time.perf_counter()
        action()
        return time.perf_counter() - started

    with ThreadPoolExecutor(2) as pool:
        rounds = [(wall(lambda: fill(0)), wall(lambda: list(pool.map(fill, (0, 1))))) for _ in range(THREAD_ROUNDS)]
    one, two = (min(times) for times in zip(*rounds, strict=True))
    benchmark.extra_info["two threads / one"] = round(2 * one / two, 2)
    benchmark(fill, 0)
    assert 2 * one / two > (0.3 if TINY else 1.2), rounds  # a tiny run on a busy machine proves little


@pytest.mark.timeout(1800)
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads a process's memory as Linux shows it")
def test_memory_does_not_grow_with_the_images(benchmark: BenchmarkFixture) -> None:
    few, every = child(MEMORY, str(FEW_IMAGES), str(ALL_IMAGES))
    benchmark.extra_info.update({f"bytes after {FEW_IMAGES}": few, f"after {ALL_IMAGES}": every})
    benchmark.pedantic(lambda: None)
    assert every <= 1.01 * few
