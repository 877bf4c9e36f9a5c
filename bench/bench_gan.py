"""What a step of SimGAN costs: with its data pipeline, from memory, compared with a plain Keras loop, and to assess.

Rivals take turns. Rates are medians over rounds, by CPU time of the whole process, so that the stream's threads count.
"pipeline" is a step in `fit` on the stream and the real images, "memory" one on a constant batch. "plain loop" is
`train_on_batch` with the same networks, batch, optimisers and updates, in float32; a run uses the fastest precision of
the machine. `extra_info` holds images a second, the ratios and the precision. SYNTH_BENCH_TINY=1 runs a small network
once. The full run also measures the memory of a step with the paper's batch of 512.
"""

from __future__ import annotations

import os
import resource
import time
from functools import partial
from typing import Any

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture
from rates import Rival, rates_of

from synth_engine import Recipe, Synthesizer
from synth_engine.tensorflow_setup import prepare_tensorflow

tf = prepare_tensorflow(seed=None)

import keras  # noqa: E402

from gan.assessment.assessor import Assessor  # noqa: E402
from gan.run.data import phase_batches, real_batches  # noqa: E402
from gan.settings.config import Config  # noqa: E402
from gan.simgan.history import HistoryBuffer  # noqa: E402
from gan.simgan.model import SimGAN, build_optimizer, build_simgan  # noqa: E402
from gan.simgan.networks import build_discriminator, build_refiner  # noqa: E402
from gan.simgan.schedule import phases  # noqa: E402
from synth_engine.stream import open_stream, tf_dataset  # noqa: E402
from synth_engine.training.precision import best_precision  # noqa: E402
from synth_engine.training.two_sample import TwoSampleTest  # noqa: E402
from synth_engine.training.value_range import to_network  # noqa: E402

TINY = os.environ.get("SYNTH_BENCH_TINY") == "1"
CONFIG = (Config(features=4, blocks=1, batch_size=8, history_batches=2) if TINY else Config()).replace(
    precision=best_precision()
)
STEPS, ROUNDS = (2, 1) if TINY else (25, 5)  # every turn renders two more steps ahead, and starts its data
WANTED = {"pipeline over memory": 0.95, "step over plain loop": 1.3}
LEAST = {"pipeline over memory": 0.85, "step over plain loop": 0.9 if CONFIG.precision == "float32" else 1.2}

pytestmark = pytest.mark.benchmark(group="gan")


@pytest.fixture(scope="module")
def recipe() -> Recipe:
    return Recipe.named("hackmit-target")


@pytest.fixture(scope="module")
def images(recipe: Recipe) -> np.ndarray:
    """As many images as a run has real ones, rendered under another seed."""
    return Synthesizer(recipe, 99).batch(0, 64 if TINY else 4_096).images


def piped(config: Config, recipe: Recipe, images: np.ndarray) -> Any:
    """The data of a run."""
    phase = phases(config)[-1]
    stream = open_stream(recipe, config.seed, batch_size=config.batch_size)
    synthetic = tf_dataset(stream).map(lambda images, *_: images)
    steps = (ROUNDS + 2) * (STEPS + 4)  # more than all turns take
    return phase_batches(synthetic, real_batches(images, config.batch_size, config.seed, 0, steps), phase)


def constant(config: Config, images: np.ndarray) -> Any:
    batch = images[: config.batch_size]
    return tf.data.Dataset.from_tensors((np.stack([batch, batch]), batch[None])).repeat()


def fit(model: SimGAN, data: Any) -> None:
    model.fit(data, steps_per_epoch=STEPS, epochs=1, verbose=0, shuffle=False)


def compiled(config: Config, network: keras.Model, rate: float, loss: Any) -> keras.Model:
    """``network`` compiled for `train_on_batch`."""
    network.compile(build_optimizer(config, rate, config.steps), loss=loss)
    return network


def cross_entropy(wanted: Any, logits: Any) -> Any:
    """Mean over patches; ``wanted`` is 1 for real, 0 for refined."""
    return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(wanted, logits))


class PlainLoop:
    """The original's way: `train_on_batch` on NumPy batches, a stacked model with the discriminator held still.

    It does less than our step: images stay grey, there is no R1 penalty and no average of weights.
    """

    def __init__(self, config: Config, shape: tuple[int, int]) -> None:
        config = config.replace(precision="float32")
        self.refiner, judge = build_refiner(shape, config), build_discriminator(config)
        frozen = keras.models.clone_model(judge)
        self.judge = compiled(config, judge, config.discriminator_rate, cross_entropy)
        frozen.trainable = False
        image = keras.Input((*shape, 1))
        refined = self.refiner(image)
        both = keras.Model(image, [refined, frozen(refined)])
        self.both = compiled(config, both, config.refiner_rate, ["mean_absolute_error", cross_entropy])
        self.frozen = frozen
        self.history = HistoryBuffer(config.history_batches * config.batch_size, shape, config.batch_size, config.seed)

    def step(self, synthetic: np.ndarray, real: np.ndarray) -> None:
        images = to_network(synthetic)
        logits = np.zeros((len(images), *self.judge.compute_output_shape(images.shape)[1:]), np.float32)
        self.both.train_on_batch(images, [images, logits + 1])
        refined = self.history.exchange(self.refiner.predict_on_batch(images)).numpy()
        self.judge.train_on_batch(to_network(real), logits + 1)
        self.judge.train_on_batch(refined, logits)
        self.frozen.set_weights(self.judge.get_weights())

    def run(self, batches: np.ndarray) -> None:
        for _ in range(STEPS):
            self.step(batches, batches)


def record(benchmark: BenchmarkFixture, rates: dict[str, float], ratios: dict[str, float]) -> None:
    benchmark.extra_info["images_per_cpu_s"] = {name: round(rate, 1) for name, rate in rates.items()}
    benchmark.extra_info["ratios"] = {name: round(ratio, 3) for name, ratio in ratios.items()}
    benchmark.extra_info["wanted"] = {name: WANTED[name] for name in ratios}
    benchmark.extra_info["machine"] = f"{os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}, batch {CONFIG.batch_size}"
    benchmark.extra_info["precision"] = CONFIG.precision
    assert TINY or all(ratio >= LEAST[name] for name, ratio in ratios.items()), ratios


def test_the_pipeline_against_memory(benchmark: BenchmarkFixture, recipe: Recipe, images: np.ndarray) -> None:
    model = build_simgan(CONFIG, recipe.shape)
    made = STEPS * CONFIG.batch_size
    ways = {"memory": constant(CONFIG, images), "pipeline": piped(CONFIG, recipe, images)}
    rivals = {name: Rival(made, partial(fit, model, data)) for name, data in ways.items()}
    rates = benchmark.pedantic(rates_of, (rivals, ROUNDS), rounds=1)
    record(benchmark, rates, {"pipeline over memory": rates["pipeline"] / rates["memory"]})


def test_the_step_against_a_plain_loop(benchmark: BenchmarkFixture, recipe: Recipe, images: np.ndarray) -> None:
    plain = PlainLoop(CONFIG, recipe.shape)
    made, batch = STEPS * CONFIG.batch_size, images[: CONFIG.batch_size]
    rivals = {"plain loop": Rival(made, partial(plain.run, batch))}
    for name, config in (("step", CONFIG), ("step in float32", CONFIG.replace(precision="float32"))):
        model = build_simgan(config, recipe.shape)
        rivals[name] = Rival(made, partial(fit, model, constant(config, images)))
    rates = benchmark.pedantic(rates_of, (rivals, ROUNDS), rounds=1)
    record(benchmark, rates, {"step over plain loop": rates["step"] / rates["plain loop"]})


def test_an_assessment_in_steps(benchmark: BenchmarkFixture, recipe: Recipe, images: np.ndarray) -> None:
    """Without a reader, which adds two passes over both sets."""
    model, count = build_simgan(CONFIG, recipe.shape), 16 if TINY else CONFIG.assessed_images
    synthetic = Synthesizer(recipe, 7).batch(0, count)
    test = TwoSampleTest(recipe.shape, 2 if TINY else CONFIG.two_sample_steps, 0, repeats=CONFIG.two_sample_repeats)
    assessor = Assessor(model, synthetic, 7, images[:count], test, None)
    data, made = constant(CONFIG, images), STEPS * CONFIG.batch_size
    rivals = {"step": Rival(made, partial(fit, model, data)), "assessment": Rival(1, partial(assessor.assess, 1))}
    rates = benchmark.pedantic(rates_of, (rivals, ROUNDS), rounds=1)
    steps = rates["step"] / CONFIG.batch_size / rates["assessment"]
    share = steps / CONFIG.assess_steps
    benchmark.extra_info["assessment"] = {"steps": round(steps, 1), "share": round(share, 3)}
    assert TINY or share < 0.6


@pytest.mark.skipif(TINY, reason="takes a minute and gigabytes")
def test_memory_at_the_papers_batch(benchmark: BenchmarkFixture, recipe: Recipe) -> None:
    """Peak resident memory of the process so far, GB; its history of 100 batches is 0.26 GB of it."""
    config = Config.preset("paper", refiner_updates=1, precision=CONFIG.precision)
    model = build_simgan(config, recipe.shape)
    batch = Synthesizer(recipe, 99).batch(0, config.batch_size).images
    data = constant(config, batch)
    began = time.perf_counter()
    benchmark.pedantic(model.fit, (data,), {"steps_per_epoch": 1, "verbose": 0, "shuffle": False}, rounds=1)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    benchmark.extra_info["paper"] = {"peak_gb": round(peak, 1), "step_wall_s": round(time.perf_counter() - began, 1)}
