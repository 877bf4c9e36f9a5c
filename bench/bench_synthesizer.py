"""Generator throughput on one core, as ratios inside one run: against the plain twin, and against a memory copy.

Each figure is the median over rounds in which the rivals take turns, in the process's own CPU time, so that other
work on a shared machine weighs on all of them alike. ``SYNTH_BENCH_TINY=1`` runs the same checks on small counts.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from synth_engine import Recipe, Synthesizer
from tests.naive import Naive

TINY = os.environ.get("SYNTH_BENCH_TINY") == "1"
BATCH = 1024
ROUNDS = 5 if TINY else 25
NAIVE_IMAGES = 8 if TINY else 40
TURN = 8  # batches in a turn, so that a fast rival's turn does not begin and end with the slow one's cold caches


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


@pytest.fixture(scope="module")
def rates() -> dict[str, float]:
    recipe = Recipe.named("hackmit")
    synth, twin = Synthesizer(recipe, seed=1), Naive(recipe, seed=1)
    batch = synth.batch(0, BATCH)
    packed = np.empty((BATCH, 50, 13), np.uint8)
    held = np.empty_like(batch.images)

    def fill() -> None:
        for turn in range(TURN):
            synth.fill(batch.images, batch.labels, turn * BATCH)

    def fill_packed() -> None:
        for turn in range(TURN):
            synth.fill(packed, batch.labels, turn * BATCH, packed=True)

    def copy() -> None:
        for _ in range(TURN):
            np.copyto(held, batch.images)

    return rates_of(
        {
            "engine": (TURN * BATCH, fill),
            "packed": (TURN * BATCH, fill_packed),
            "copy": (TURN * BATCH, copy),
            "naive": (NAIVE_IMAGES, lambda: [twin.sample(i) for i in range(NAIVE_IMAGES)]),
        }
    )


def test_engine_against_the_plain_twin(benchmark: BenchmarkFixture, rates: dict[str, float]) -> None:
    synth = Synthesizer(Recipe.named("hackmit"), seed=1)
    batch = synth.batch(0, BATCH)
    benchmark.extra_info.update({f"{name} images/s": round(rate) for name, rate in rates.items()})
    benchmark.extra_info["engine / naive"] = round(rates["engine"] / rates["naive"])
    benchmark(synth.fill, batch.images, batch.labels, 0)
    assert rates["engine"] > 1000 * rates["naive"], rates


def test_engine_against_a_memory_copy(benchmark: BenchmarkFixture, rates: dict[str, float]) -> None:
    """The floor guards against a slide; where the time goes is in bench/README.md."""
    images = Synthesizer(Recipe.named("hackmit"), seed=1).batch(0, BATCH).images
    held = np.empty_like(images)
    benchmark.extra_info["engine / copy"] = round(rates["engine"] / rates["copy"], 3)
    benchmark.extra_info["packed / unpacked"] = round(rates["packed"] / rates["engine"], 2)
    benchmark(np.copyto, held, images)
    assert rates["engine"] > 0.05 * rates["copy"], rates
