"""Metrics of a refiner, on sets made so that the answer is known; their targets, and the choice of the best step."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest

tf = pytest.importorskip("tensorflow")

from gan.assessment.assessor import Assessor, mean_deviation  # noqa: E402
from gan.assessment.kernel_distance import kernel_distance  # noqa: E402
from gan.assessment.label_preservation import preservation  # noqa: E402
from gan.run.data import hold_out  # noqa: E402
from gan.run.report import refinement_report  # noqa: E402
from gan.settings.config import Config  # noqa: E402
from gan.settings.targets import helps, may_be_chosen, metric_targets  # noqa: E402
from gan.simgan.best_step import BestStep  # noqa: E402
from gan.simgan.model import build_simgan  # noqa: E402
from synth_engine import Recipe, Synthesizer  # noqa: E402
from synth_engine.errors import RunError  # noqa: E402
from synth_engine.training.refinement_report import RefinerMetrics  # noqa: E402
from synth_engine.training.two_sample import TwoSampleTest  # noqa: E402

RNG = np.random.default_rng(0)
GOOD = RefinerMetrics(
    step=9, mean_change=0.02, changed_pixels=0.01, accuracy_real=0.7, accuracy_refined=0.6, two_sample_accuracy=0.6,
    two_sample_accuracy_raw=0.8, relative_deviation=0.95, kernel_distance=0.01, kernel_distance_raw=0.03,
    label_preservation=0.995, label_preservation_worst=0.98,
)  # fmt: skip


def binary(count: int, ink: float) -> np.ndarray:
    return np.where(RNG.random((count, 12, 16, 1)) < ink, 1.0, -1.0).astype(np.float32)


def changed(**values: Any) -> RefinerMetrics:
    return msgspec.structs.replace(GOOD, **values)


def test_a_two_sample_test_gets_as_many_synthetic_images_as_real_ones(tiny: Recipe) -> None:
    class Counting(TwoSampleTest):
        def accuracy(self, one: np.ndarray, other: np.ndarray) -> float:
            counted.append((len(one), len(other)))
            return 0.5

    counted: list[tuple[int, int]] = []
    model = build_simgan(Config(features=4, blocks=1, batch_size=2, history_batches=2), tiny.shape)
    synthetic, real = Synthesizer(tiny, 1).batch(0, 20), Synthesizer(tiny, 2).batch(0, 12).images
    Assessor(model, synthetic, 1, real, Counting(tiny.shape, 1, 0), None).assess(1)
    assert counted == [(12, 12)] * 2


def test_the_kernel_distance_is_zero_on_average_for_one_distribution_and_grows_with_a_shift() -> None:
    distances = [kernel_distance(*RNG.normal(size=(2, 100, 8))) for _ in range(30)]
    assert abs(np.mean(distances)) < 3 * np.std(distances) / np.sqrt(len(distances))
    one, other = RNG.normal(size=(2, 100, 8))
    near, far = kernel_distance(one, other + 0.5), kernel_distance(one, other + 1.0)
    assert max(distances) < near < far


def test_the_kernel_distance_is_that_of_the_formula() -> None:
    x, y = np.array([[1.0, 0.0], [0.0, 2.0]]), np.array([[1.0, 1.0], [2.0, 0.0], [0.0, 0.0]])
    k = lambda a, b: (a @ b / 2 + 1) ** 3  # noqa: E731
    within_y = np.mean([k(y[i], y[j]) for i in range(3) for j in range(3) if i != j])
    assert kernel_distance(x, y) == pytest.approx(
        k(x[0], x[1]) + within_y - 2 * np.mean([k(a, b) for a in x for b in y])
    )


def test_label_preservation_compares_class_by_class_and_skips_padding() -> None:
    labels = np.array([[0, 1], [0, 1], [0, 255]], np.uint8)
    raw = np.array([[True, True], [True, True], [True, False]])
    refined = np.array([[True, True], [True, False], [True, True]])
    assert preservation(raw, refined, labels, labels != 255) == (pytest.approx(4 / 5), 0.5)


def test_images_that_are_all_alike_have_no_deviation() -> None:
    images = binary(50, 0.5)
    assert mean_deviation(np.repeat(images[:1], 50, axis=0)) == 0.0
    assert mean_deviation(images / 2) == pytest.approx(mean_deviation(images) / 2)


def test_a_refiner_that_changes_nothing_has_the_metrics_of_raw_images(tiny: Recipe) -> None:
    config = Config(features=4, blocks=1, batch_size=2, history_batches=2)
    model = build_simgan(config, tiny.shape)  # starts as the identity
    synthetic, real = Synthesizer(tiny, 1).batch(0, 20), Synthesizer(tiny, 2).batch(0, 12).images
    metrics = Assessor(model, synthetic, 1, real, TwoSampleTest(tiny.shape, 2, 0, eager=True), None).assess(7)
    assert (metrics.step, metrics.mean_change, metrics.changed_pixels, metrics.relative_deviation) == (7, 0.0, 0.0, 1.0)
    assert metrics.two_sample_accuracy == metrics.two_sample_accuracy_raw
    assert metrics.label_preservation is None
    assert [target.received for target in metric_targets(metrics)].count("needs --reader") == 3


@pytest.mark.parametrize(
    ("missed", "metric"),
    [
        ({"mean_change": 0.0004}, "mean change"), ({"mean_change": 0.2}, "mean change"),
        ({"accuracy_real": 1.0, "accuracy_refined": 1.0}, "discriminator"),
        ({"two_sample_accuracy": 0.72}, "two-sample"), ({"kernel_distance": 0.02}, "kernel"),
        ({"label_preservation": 0.98}, "label preservation"),
        ({"label_preservation_worst": 0.9}, "label preservation, worst"), ({"relative_deviation": 0.5}, "pixel"),
    ],
)  # fmt: skip
def test_each_target_can_be_missed(missed: dict[str, float], metric: str) -> None:
    assert all(target.reached for target in metric_targets(GOOD))
    assert [t.name.startswith(metric) for t in metric_targets(changed(**missed)) if not t.reached] == [True]


@pytest.mark.parametrize(
    "missed",
    [{"two_sample_accuracy": 0.72}, {"label_preservation": 0.98}, {"label_preservation_worst": 0.9},
     {"relative_deviation": 0.5}, {"label_preservation": None, "label_preservation_worst": None}],
)  # fmt: skip
def test_a_refiner_helps_only_with_every_needed_target(missed: dict[str, float | None]) -> None:
    assert helps(GOOD)
    assert helps(changed(kernel_distance=0.02, accuracy_real=1.0, accuracy_refined=1.0, mean_change=0.0004))
    assert not helps(changed(**missed))
    report = refinement_report(changed(**missed), GOOD, "the last one")
    assert report.helps is False
    assert [target.needed for target in report.targets if not target.reached] == [True] * len(missed)


def test_a_step_may_be_chosen_by_its_label_preservation_or_without_a_reader_by_change_and_deviation() -> None:
    assert may_be_chosen(changed(relative_deviation=0.1))
    assert not may_be_chosen(changed(label_preservation_worst=0.96))
    blind = changed(label_preservation=None, label_preservation_worst=None)
    assert may_be_chosen(blind)
    assert not may_be_chosen(msgspec.structs.replace(blind, mean_change=0.2))
    assert not may_be_chosen(msgspec.structs.replace(blind, relative_deviation=0.7))


def test_the_best_that_passes_is_kept_and_until_then_the_latest() -> None:
    weight, taken = tf.Variable([0.0]), []
    best = BestStep([weight])
    offers = [(1, 0.5, 0.9), (2, 0.55, 0.9), (3, 0.7, 1.0), (4, 0.65, 1.0), (5, 0.66, 1.0), (6, 0.5, 0.9)]
    for step, accuracy, preserved in offers:
        weight.assign([float(step)])
        metrics = changed(step=step, two_sample_accuracy=accuracy, label_preservation=preserved)
        taken.append(best.offer(metrics, [weight]))
    assert taken == [True, True, True, True, False, False]
    best.apply([weight])
    assert (int(best.step), float(weight[0])) == (4, 4.0)
    assert "65.0%" in best.reason()


def test_of_steps_that_may_be_chosen_the_most_targets_count_before_the_lowest_two_sample_accuracy() -> None:
    weight = tf.Variable([0.0])
    best = BestStep([weight])
    little = changed(step=1, two_sample_accuracy=0.55, mean_change=0.003)
    assert best.offer(little, [weight])
    assert best.offer(changed(step=2, two_sample_accuracy=0.65), [weight])
    assert not best.offer(msgspec.structs.replace(little, step=3), [weight])
    assert "(7)" in best.reason()
    better_nowhere_needed = changed(step=4, two_sample_accuracy=0.75, mean_change=0.02)
    assert not best.offer(better_nowhere_needed, [weight])


def test_targets_that_a_reader_needs_count_before_the_others() -> None:
    weight = tf.Variable([0.0])
    best = BestStep([weight])
    assert best.offer(changed(step=1, mean_change=0.003, kernel_distance=0.02), [weight])
    assert not best.offer(changed(step=2, two_sample_accuracy=0.75), [weight])


def test_metrics_survive_their_row() -> None:
    for metrics in (GOOD, changed(kernel_distance=None)):
        assert RefinerMetrics.from_row({name: str(value) for name, value in metrics.as_row().items()}) == metrics


def test_a_damaged_row_of_metrics_is_refused_with_the_remedy() -> None:
    with pytest.raises(RunError, match=r"assessment\.csv is damaged .*start a new run"):
        RefinerMetrics.from_row({**{name: str(value) for name, value in GOOD.as_row().items()}, "mean_change": "x"})


def test_images_held_out_are_not_trained_on() -> None:
    images = np.arange(40, dtype=np.uint8)[:, None, None]
    for most, count in ((4, 4), (100, 10)):
        training, held_out = hold_out(images, most)
        assert len(held_out) == count
        assert not np.intersect1d(training, held_out).size
