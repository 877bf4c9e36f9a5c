"""What delivery costs on top of rendering: bare kernel, streams, tf.data and Ray, compared in one run.

The ways take turns round by round, so that other work on the machine affects them alike. What a stream renders ahead
while another way has its turn is a percent or two of a turn. `extra_info` holds for each way its images a second
(median of the rounds' wall time), its rate and its CPU time an image as multiples of the bare kernel's on as many
threads; compare ratios between machines, never rates, and not those of a machine whose other work fills its caches.
The floors, 0.85 of the goals, are asserted only on a machine that does little else. SYNTH_BENCH_TINY=1 runs
everything once and small, without them.
"""

from __future__ import annotations

import os
import platform
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from synth_engine import Recipe, Synthesizer
from synth_engine.errors import SynthError
from synth_engine.stream import meter, open_stream, tf_dataset
from synth_engine.stream.core.buffers import aligned_empty
from synth_engine.stream.ray.cluster import Cluster
from synth_engine.tensorflow_setup import prepare_tensorflow

TINY = os.environ.get("SYNTH_BENCH_TINY") == "1"
BATCH_SIZE = 16 if TINY else 512
BATCHES = 4 if TINY else 480
ROUNDS = 1 if TINY else 9
SMALL_BATCHES = 40 if TINY else 1000  # of one image: what is left is the cost of a batch
CONSUMER_IMAGES_PER_S = 40_000
RAY_BATCHES = 2 * BATCHES  # many more than the actors render ahead while the other way has its turn

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


@pytest.fixture(scope="module")
def tf() -> Any:
    """TensorFlow with one thread (its second would sum on the core that renders), where it does not run already."""
    try:
        return prepare_tensorflow(seed=None, threads=1)
    except SynthError:
        return prepare_tensorflow(seed=None)


def kernel(recipe: Recipe, batches: int = BATCHES, size: int = BATCH_SIZE, images: int = 1) -> Callable[[], None]:
    """The floor: one thread writes into the same arrays again and again; ``images``: into so many in turn."""
    synth = Synthesizer(recipe, 7)
    places = [aligned_empty((size, *recipe.image_shape), "u1") for _ in range(images)]
    labels = aligned_empty((size, recipe.length_max), "u1")
    boxes = aligned_empty((*labels.shape, 4), "i2")

    def render() -> None:
        for index in range(batches):
            synth.fill(places[index % images], labels, index * size, boxes=boxes)

    return render


def kernels(recipe: Recipe, threads: int, images: int = 1) -> Callable[[], None]:
    """The same in several threads, each with its share of the batches and arrays of its own."""
    shares = [kernel(recipe, BATCHES // threads, images=images) for _ in range(threads)]

    def render() -> None:
        workers = [threading.Thread(target=share) for share in shares]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()

    return render


def side_by_side(render: Callable[[], object], consume: Callable[[], object]) -> None:
    """Both at once, neither waiting for the other: what the machine allows when delivery costs nothing."""
    rendering = threading.Thread(target=render)
    rendering.start()
    consume()
    rendering.join()


def fresh_arrays(synth: Synthesizer) -> None:
    for index in range(BATCHES):
        synth.batch(index * BATCH_SIZE, BATCH_SIZE)


def take(batches: Iterator[object], count: int) -> None:
    for _ in range(count):
        next(batches)


def summing(tf: Any, dataset: Any, count: int) -> Callable[[], object]:
    """A graph that takes ``count`` batches and sums the images' bytes, eight at a time."""
    batches = iter(dataset)

    @tf.function(reduce_retracing=True)
    def total() -> Any:
        seen = tf.constant(0, tf.int64)
        for _ in tf.range(count):
            images = next(batches)[0]
            words = tf.bitcast(tf.reshape(images, (images.shape.num_elements() // 8, 8)), tf.int64)
            seen += tf.reduce_sum(words)
        return seen

    return total


def same_again(tf: Any, recipe: Recipe, size: int) -> Any:
    """A dataset that gives one tensor without end: what summing costs beside delivery."""
    plain = tf.data.Options()
    plain.experimental_optimization.inject_prefetch = False
    return tf.data.Dataset.from_tensors((tf.zeros((size, *recipe.image_shape), tf.uint8),)).repeat().with_options(plain)


def interleave(benchmark: BenchmarkFixture, ways: dict[str, Way]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Run the ways in turn; wall and CPU seconds a batch of each round."""
    wall: dict[str, list[float]] = {name: [] for name in ways}
    cpu: dict[str, list[float]] = {name: [] for name in ways}

    def one_round() -> None:
        for name, (batches, way) in ways.items():
            began, cpu_began = time.perf_counter(), time.process_time()
            way()
            wall[name].append((time.perf_counter() - began) / batches)
            cpu[name].append((time.process_time() - cpu_began) / batches)

    benchmark.pedantic(one_round, rounds=ROUNDS, warmup_rounds=1)
    benchmark.extra_info["machine"] = f"{os.cpu_count()} CPUs, {platform.machine()}, load {os.getloadavg()[0]:.1f}"
    if "tensorflow" in sys.modules:
        threads = sys.modules["tensorflow"].config.threading.get_intra_op_parallelism_threads()
        benchmark.extra_info["tensorflow"] = f"{threads or 'its own number of'} threads"
    return {name: own[1:] or own for name, own in wall.items()}, {name: own[1:] or own for name, own in cpu.items()}


def compare(benchmark: BenchmarkFixture, ways: dict[str, Way]) -> dict[str, dict[str, float]]:
    """Rates, and ratios to the first way: of the rates (higher is better), and of the CPU time an image."""
    wall, cpu = interleave(benchmark, ways)
    first = next(iter(ways))
    figures = {
        name: {
            "images_per_s": round(BATCH_SIZE / statistics.median(wall[name])),
            "rate_ratio": _ratio(wall[first], wall[name]),
            "cpu_ratio": _ratio(cpu[name], cpu[first]),
            "least_cpu_ratio": round(min(cpu[name]) / min(cpu[first]), 3),
        }
        for name in ways
    }
    benchmark.extra_info.update(figures)
    benchmark.extra_info["sample"] = f"{ROUNDS} rounds of {BATCHES} batches of {BATCH_SIZE}"
    return figures


def quiet() -> bool:
    """Whether the figures tell: a full run, and no more at work than this benchmark's own threads and one more."""
    return not TINY and os.getloadavg()[0] <= (os.cpu_count() or 1) + 1


def _ratio(above: list[float], below: list[float]) -> float:
    return round(statistics.median([a / b for a, b in zip(above, below, strict=True)]), 3)


@pytest.mark.parametrize("threads", [1, 2])
def test_threads_to_python(benchmark: BenchmarkFixture, recipe: Recipe, threads: int) -> None:
    with (
        open_stream(recipe, 7, batch_size=BATCH_SIZE, threads=0) as calling,
        open_stream(recipe, 7, batch_size=BATCH_SIZE, threads=threads) as pool,
    ):
        ways: dict[str, Callable[[], object]] = {
            "bare kernel": kernels(recipe, threads),
            "bare kernel, three arrays each": kernels(recipe, threads, images=3),
            "calling thread": partial(take, calling, BATCHES),
            "thread pool": partial(take, pool, BATCHES),
            "fresh arrays": partial(fresh_arrays, Synthesizer(recipe, 7)),
        }
        figures = compare(benchmark, {name: (BATCHES, way) for name, way in ways.items()})
    if recipe.filter is not None and quiet():
        assert figures["thread pool"]["cpu_ratio"] < 1 / (0.85 * 0.95), figures


@pytest.mark.parametrize("threads", [1, 2])
def test_threads_to_tf_data(benchmark: BenchmarkFixture, recipe: Recipe, threads: int, tf: Any) -> None:
    with (
        open_stream(recipe, 7, batch_size=BATCH_SIZE, threads=threads) as pool,
        open_stream(recipe, 7, batch_size=BATCH_SIZE, threads=0) as calling,
    ):
        one_tensor = summing(tf, same_again(tf, recipe, BATCH_SIZE), BATCHES)
        ways: dict[str, Callable[[], object]] = {
            "bare kernel": kernels(recipe, threads),
            "thread pool into a sum": summing(tf, tf_dataset(pool), BATCHES),
            "calling thread into a sum": summing(tf, tf_dataset(calling), BATCHES),
            "one tensor into the sum": one_tensor,
            "bare kernel beside that": partial(side_by_side, kernels(recipe, threads), one_tensor),
        }
        figures = compare(benchmark, {name: (BATCHES, way) for name, way in ways.items()})
    if recipe.filter is not None and threads == 1 and quiet():  # two threads leave two cores none for the consumer
        assert figures["thread pool into a sum"]["rate_ratio"] > 0.85 * 0.80, figures


def test_overhead_of_a_batch(benchmark: BenchmarkFixture, tf: Any) -> None:
    """CPU microseconds a batch above the bare kernel's, from batches of one image; into tf.data above the sum's too.

    Of the round that took least, as in `compare`.
    """
    recipe = Recipe.named("hackmit").replace(filter=None)
    with (
        open_stream(recipe, 7, batch_size=1, threads=0) as calling,
        open_stream(recipe, 7, batch_size=1, threads=1) as single,
        open_stream(recipe, 7, batch_size=1, threads=2) as double,
        open_stream(recipe, 7, batch_size=1, threads=1) as into_tf,
    ):
        ways = {
            "bare kernel": kernel(recipe, SMALL_BATCHES, 1),
            "calling thread": partial(take, calling, SMALL_BATCHES),
            "one thread": partial(take, single, SMALL_BATCHES),
            "two threads": partial(take, double, SMALL_BATCHES),
            "sum": summing(tf, same_again(tf, recipe, 1), SMALL_BATCHES),
            "one thread into tf.data": summing(tf, tf_dataset(into_tf), SMALL_BATCHES),
        }
        _, cpu = interleave(benchmark, {name: (SMALL_BATCHES, way) for name, way in ways.items()})
    cost = {name: 1e6 * min(seconds) for name, seconds in cpu.items()}
    above = {name: round(cost[name] - cost["bare kernel"], 1) for name in ways if name not in ("bare kernel", "sum")}
    above["one thread into tf.data"] = round(above["one thread into tf.data"] - cost["sum"], 1)
    benchmark.extra_info["overhead_us"] = above


def test_a_consumer_at_a_trainers_rate_does_not_wait(benchmark: BenchmarkFixture) -> None:
    """The share of the time that a consumer of 40,000 images/s waits for one thread's batches, in percent."""
    recipe, seconds = Recipe.named("hackmit"), 0.2 if TINY else 3.0
    with open_stream(recipe, 7, batch_size=BATCH_SIZE, threads=1) as stream:
        taken = benchmark.pedantic(
            meter.measure, args=(stream, seconds), kwargs={"images_per_s": CONSUMER_IMAGES_PER_S}, rounds=1
        )
    benchmark.extra_info["waited_percent"] = round(100 * taken.waited_share, 2)
    if quiet():
        assert taken.waited_share < 0.01 / 0.85, taken


def test_one_actor_to_tf_data(benchmark: BenchmarkFixture, recipe: Recipe, cluster: Cluster, tf: Any) -> None:
    assert cluster.started_here
    with open_stream(recipe, 7, batch_size=BATCH_SIZE, workers=1) as stream:
        ways = {
            "bare kernel": (BATCHES, kernel(recipe)),
            "one actor into a sum": (BATCHES, summing(tf, tf_dataset(stream), BATCHES)),
        }
        compare(benchmark, ways)


def test_ray(benchmark: BenchmarkFixture, recipe: Recipe, cluster: Cluster) -> None:
    """The CPU ratio is the driver's share alone: what delivery takes from a trainer; the actors' work is elsewhere."""
    assert cluster.started_here
    with open_stream(recipe, 7, batch_size=BATCH_SIZE, workers=2) as stream:
        actors = partial(take, stream, RAY_BATCHES)
        ways = {"bare kernel": (BATCHES, kernel(recipe)), "Ray, two actors": (RAY_BATCHES, actors)}
        compare(benchmark, ways)
