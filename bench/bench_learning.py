"""What a training step of the reader costs: as it learns, against the same network of Keras' own layers.

The default grid network in the fastest precision that the machine has, one batch held in memory. Rivals take turns;
rates are of the whole process's CPU time, medians over rounds, `wall` the best round on the clock. SYNTH_BENCH_TINY=1
runs a small network once.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

import pytest
from pytest_benchmark.fixture import BenchmarkFixture
from rates import Rival, rates_of

from synth_engine import Recipe, Synthesizer
from synth_engine.tensorflow_setup import prepare_tensorflow

tf = prepare_tensorflow(seed=None)

import keras  # noqa: E402

from classifier.learning.learner import Learner, make_learner  # noqa: E402
from classifier.learning.settings import TrainingSettings  # noqa: E402
from classifier.networks.heads import build  # noqa: E402
from synth_engine.training.precision import best_precision, in_precision  # noqa: E402

TINY = os.environ.get("SYNTH_BENCH_TINY") == "1"
STEPS, ROUNDS = (1, 1) if TINY else (10, 5)
LEAST = 1.1  # measured 1.65 in bfloat16 with AMX; 1.27 on the clock in float32

pytestmark = pytest.mark.benchmark(group="learning")


def steps_of(learner: Learner, batch: dict[str, Any], walls: list[float]) -> Callable[[], object]:
    """A turn of `STEPS` compiled steps on ``batch``, noting how long it takes."""
    optimizer = keras.optimizers.Adam(1e-3)
    optimizer.build(learner.student.trainable_variables)
    learner.compile(optimizer=optimizer, jit_compile=False)
    step = tf.function(lambda: learner.train_step(batch))

    def turn() -> None:
        began = time.perf_counter()
        for _ in range(STEPS):
            step()
        walls.append(time.perf_counter() - began)

    return turn


def test_a_step_against_built_in_layers(benchmark: BenchmarkFixture) -> None:
    recipe = Recipe.named("hackmit-target")
    settings = TrainingSettings(width=4, depth=2, batch_size=4) if TINY else TrainingSettings()
    drawn = Synthesizer(recipe, 3).batch(0, settings.batch_size)
    batch = {name: tf.constant(getattr(drawn, name)) for name in ("images", "labels", "boxes")}
    network = build("grid", recipe, width=settings.width, depth=settings.depth)
    network = in_precision(network, best_precision())
    learners = {
        "learner": make_learner(network, settings),
        "built-in": Learner(network, keras.models.clone_model(network), settings),
    }
    walls: dict[str, list[float]] = {name: [] for name in learners}
    images = STEPS * settings.batch_size
    rivals = {name: Rival(images, steps_of(each, batch, walls[name])) for name, each in learners.items()}
    rates = benchmark.pedantic(rates_of, (rivals, ROUNDS), rounds=1)
    ratio = rates["learner"] / rates["built-in"]
    benchmark.extra_info["images_per_cpu_s"] = {name: round(rate) for name, rate in rates.items()}
    benchmark.extra_info["wall"] = {name: round(images / min(taken)) for name, taken in walls.items()}
    benchmark.extra_info["ratio"] = round(ratio, 2)
    benchmark.extra_info["machine"] = f"{os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}, {best_precision()}"
    assert TINY or ratio >= LEAST, ratio
