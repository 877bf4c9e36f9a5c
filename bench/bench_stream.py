"""What delivery costs on top of drawing: bare kernel, thread stream, Ray stream, tf.data, compared inside one run.

The ways take turns round by round, so that other work on the machine meets them alike; what a stream draws ahead
while another way has its turn is a few percent of a turn. `extra_info` holds each way's images a second (median of
the rounds' wall time) and its CPU time as a multiple of the bare kernel's; compare ratios between machines, never
rates. SYNTH_BENCH_TINY=1 runs everything once and small.
"""

from __future__ import annotations

import os
import platform
import statistics
import time
from collections.abc import Callable, Iterator
from functools import partial

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from synth_engine import Recipe, Synthesizer
from synth_engine.runtime import prepare_tensorflow
from synth_engine.stream import open_stream, tf_dataset
from synth_engine.stream.buffers import aligned_empty
from synth_engine.stream.ray_cluster import Cluster

TINY = os.environ.get("SYNTH_BENCH_TINY") == "1"
BATCH_SIZE = 16 if TINY else 512
BATCHES = 4 if TINY else 160
ROUNDS = 1 if TINY else 7

RAY_BATCHES = 4 * BATCHES  # many more than the actors draw ahead while the other way has its turn

Way = tuple[int, Callable[[], object]]  # batches, and what delivers them

pytestmark = pytest.mark.benchmark(group="stream")


@pytest.fixture(scope="module", params=["hackmit", "hackmit without filter"])
def recipe(request: pytest.FixtureRequest) -> Recipe:
    named = Recipe.named("hackmit")
    return named if request.param == "hackmit" else named.replace(filter=None)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    held = Cluster("local")
    yield held
    held.release()


def bare_kernel(synth: Synthesizer) -> None:
    """The floor: one thread writes into the same arrays again and again."""
    height, width = synth.recipe.shape
    images = aligned_empty((BATCH_SIZE, height, width), "u1")
    labels = aligned_empty((BATCH_SIZE, synth.recipe.length_max), "u1")
    boxes = aligned_empty((*labels.shape, 4), "i2")
    for index in range(BATCHES):
        synth.fill(images, labels, index * BATCH_SIZE, boxes=boxes)


def fresh_arrays(synth: Synthesizer) -> None:
    for index in range(BATCHES):
        synth.batch(index * BATCH_SIZE, BATCH_SIZE)


def take(batches: Iterator[object], count: int) -> None:
    for _ in range(count):
        next(batches)


def compare(benchmark: BenchmarkFixture, ways: dict[str, Way]) -> None:
    """Run the ways in turn, the first one as the reference, and record their rates and CPU ratios."""
    wall: dict[str, list[float]] = {name: [] for name in ways}
    cpu: dict[str, list[float]] = {name: [] for name in ways}

    def one_round() -> None:
        for name, (_, way) in ways.items():
            began, cpu_began = time.perf_counter(), time.process_time()
            way()
            wall[name].append(time.perf_counter() - began)
            cpu[name].append(time.process_time() - cpu_began)

    benchmark.pedantic(one_round, rounds=ROUNDS, warmup_rounds=1)
    first, (first_batches, _) = next(iter(ways.items()))
    for name, (batches, _) in ways.items():
        rate = BATCH_SIZE * batches / statistics.median(wall[name][1:])
        ratios = [own / base * first_batches / batches for own, base in zip(cpu[name][1:], cpu[first][1:], strict=True)]
        benchmark.extra_info[name] = {"images_per_s": round(rate), "cpu_ratio": round(statistics.median(ratios), 2)}
    benchmark.extra_info["machine"] = f"{os.cpu_count()} CPUs, {platform.machine()}, load {os.getloadavg()[0]:.1f}"
    benchmark.extra_info["sample"] = f"{ROUNDS} rounds of {BATCHES} batches of {BATCH_SIZE}"


def test_threads_and_tf_data(benchmark: BenchmarkFixture, recipe: Recipe) -> None:
    prepare_tensorflow(seed=None)
    synth = Synthesizer(recipe, 7)
    with (
        open_stream(recipe, 7, batch_size=BATCH_SIZE, threads=1) as single,
        open_stream(recipe, 7, batch_size=BATCH_SIZE) as default,
        open_stream(recipe, 7, batch_size=BATCH_SIZE) as source,
    ):
        ways: dict[str, Callable[[], object]] = {
            "bare kernel, one thread": partial(bare_kernel, synth),
            "fresh arrays, one thread": partial(fresh_arrays, synth),
            "stream, one thread": partial(take, single, BATCHES),
            "stream, default threads": partial(take, default, BATCHES),
            "stream into tf.data": partial(take, iter(tf_dataset(source)), BATCHES),
        }
        compare(benchmark, {name: (BATCHES, way) for name, way in ways.items()})


def test_ray(benchmark: BenchmarkFixture, recipe: Recipe, cluster: Cluster) -> None:
    """The CPU ratio is the driver's share alone: what delivery takes from a trainer; the actors' work is elsewhere."""
    assert cluster.started_here
    kernel = partial(bare_kernel, Synthesizer(recipe, 7))
    with open_stream(recipe, 7, batch_size=BATCH_SIZE, workers=2) as stream:
        actors = partial(take, stream, RAY_BATCHES)
        compare(benchmark, {"bare kernel, one thread": (BATCHES, kernel), "Ray, two actors": (RAY_BATCHES, actors)})
