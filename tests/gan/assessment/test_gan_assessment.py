"""Figures of a refiner: what each measures, on sets made so that the answer is known; the gate and the choice."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest

tf = pytest.importorskip("tensorflow")

from gan.assessment.assessor import Assessor, spread  # noqa: E402
from gan.assessment.kernel_distance import kernel_distance  # noqa: E402
from gan.assessment.label_preservation import labels_kept  # noqa: E402
from gan.run.data import hold_out  # noqa: E402
from gan.run.outcome_files import as_dict  # noqa: E402
from gan.run.report import Outcome  # noqa: E402
from gan.settings.config import Config  # noqa: E402
from gan.settings.metrics import Figures, helps, marks, may_be_chosen  # noqa: E402
from gan.simgan.best_step import Choice  # noqa: E402
from gan.simgan.model import build_simgan  # noqa: E402
from synth_engine import Recipe, Synthesizer  # noqa: E402
from synth_engine.training.two_sample import TwoSampleTest  # noqa: E402

RNG = np.random.default_rng(0)
GOOD = Figures(
    step=9, mean_change=0.02, drawn_change=0.01, accuracy_real=0.7, accuracy_refined=0.6, two_sample=0.6,
    two_sample_raw=0.8, spread=0.95, kernel=0.01, kernel_raw=0.03, kept=0.995, kept_worst=0.98,
)  # fmt: skip


def binary(count: int, ink: float) -> np.ndarray:
    return np.where(RNG.random((count, 12, 16, 1)) < ink, 1.0, -1.0).astype(np.float32)


def changed(**values: Any) -> Figures:
    return msgspec.structs.replace(GOOD, **values)


def test_a_fresh_classifier_tells_different_sets_apart_and_equal_ones_not() -> None:
    test = TwoSampleTest((12, 16), 40, seed=0)
    few, many = binary(200, 0.2), binary(200, 0.4)
    assert test.accuracy(few, many) > 0.9
    assert 0.35 < test.accuracy(few, binary(200, 0.2)) < 0.65


def test_every_two_sample_test_starts_afresh() -> None:
    test = TwoSampleTest((12, 16), 3, seed=0, eager=True)
    one, other = binary(20, 0.2), binary(20, 0.3)
    first = test.accuracy(one, other)
    test.accuracy(other, -other)
    assert test.accuracy(one, other) == first


def test_a_two_sample_test_is_the_mean_of_different_repeats() -> None:
    one, other = binary(20, 0.2), binary(20, 0.3)
    test = TwoSampleTest((12, 16), 3, seed=0, repeats=3, eager=True)
    each = [TwoSampleTest((12, 16), 3, seed, eager=True).accuracy(one, other) for seed in test.seeds]
    assert test.seeds[0] == 0
    assert len(set(each)) > 1
    assert test.accuracy(one, other) == pytest.approx(np.mean(each))


def test_as_many_synthetic_images_as_real_ones_are_told_apart(tiny: Recipe) -> None:
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
    draws = [kernel_distance(*RNG.normal(size=(2, 100, 8))) for _ in range(30)]
    assert abs(np.mean(draws)) < 3 * np.std(draws) / np.sqrt(len(draws))
    one, other = RNG.normal(size=(2, 100, 8))
    near, far = kernel_distance(one, other + 0.5), kernel_distance(one, other + 1.0)
    assert max(draws) < near < far


def test_the_kernel_distance_is_that_of_the_formula() -> None:
    x, y = np.array([[1.0, 0.0], [0.0, 2.0]]), np.array([[1.0, 1.0], [2.0, 0.0], [0.0, 0.0]])
    k = lambda a, b: (a @ b / 2 + 1) ** 3  # noqa: E731
    within_y = np.mean([k(y[i], y[j]) for i in range(3) for j in range(3) if i != j])
    assert kernel_distance(x, y) == pytest.approx(
        k(x[0], x[1]) + within_y - 2 * np.mean([k(a, b) for a in x for b in y])
    )


def test_labels_kept_compares_class_by_class_and_skips_what_is_not_there() -> None:
    labels = np.array([[0, 1], [0, 1], [0, 255]], np.uint8)
    raw = np.array([[True, True], [True, True], [True, False]])
    refined = np.array([[True, True], [True, False], [True, True]])
    assert labels_kept(raw, refined, labels, labels != 255) == (pytest.approx(4 / 5), 0.5)


def test_images_that_are_all_alike_have_no_spread() -> None:
    images = binary(50, 0.5)
    assert spread(np.repeat(images[:1], 50, axis=0)) == 0.0
    assert spread(images / 2) == pytest.approx(spread(images) / 2)


def test_a_refiner_that_changes_nothing_leaves_every_figure_as_it_was(tiny: Recipe) -> None:
    config = Config(features=4, blocks=1, batch_size=2, history_batches=2)
    model = build_simgan(config, tiny.shape)  # starts as the identity
    synthetic, real = Synthesizer(tiny, 1).batch(0, 20), Synthesizer(tiny, 2).batch(0, 12).images
    figures = Assessor(model, synthetic, 1, real, TwoSampleTest(tiny.shape, 2, 0, eager=True), None).assess(7)
    assert (figures.step, figures.mean_change, figures.drawn_change, figures.spread) == (7, 0.0, 0.0, 1.0)
    assert figures.two_sample == figures.two_sample_raw
    assert figures.kept is None
    assert [mark.received for mark in marks(figures)].count("needs --reader") == 3


@pytest.mark.parametrize(
    ("missed", "figure"),
    [
        ({"mean_change": 0.0004}, "mean change"), ({"mean_change": 0.2}, "mean change"),
        ({"accuracy_real": 1.0, "accuracy_refined": 1.0}, "discriminator"), ({"two_sample": 0.72}, "two-sample"),
        ({"kernel": 0.02}, "kernel"), ({"kept": 0.98}, "labels kept"), ({"kept_worst": 0.9}, "labels kept, worst"),
        ({"spread": 0.5}, "spread"),
    ],
)  # fmt: skip
def test_each_mark_can_be_missed(missed: dict[str, float], figure: str) -> None:
    assert all(mark.reached for mark in marks(GOOD))
    assert [mark.name.startswith(figure) for mark in marks(changed(**missed)) if not mark.reached] == [True]


@pytest.mark.parametrize(
    "missed",
    [{"two_sample": 0.72}, {"kept": 0.98}, {"kept_worst": 0.9}, {"spread": 0.5},
     {"kept": None, "kept_worst": None}],
)  # fmt: skip
def test_a_refiner_helps_only_with_every_needed_mark(missed: dict[str, float | None]) -> None:
    assert helps(GOOD)
    assert helps(changed(kernel=0.02, accuracy_real=1.0, accuracy_refined=1.0, mean_change=0.0004))
    assert not helps(changed(**missed))
    account = as_dict(Outcome([GOOD], changed(**missed), "the last one"))
    assert account["helps"] is False
    assert [mark["needed"] for mark in account["marks"] if not mark["reached"]] == [True] * len(missed)


def test_the_gate_is_labels_kept_or_without_a_reader_change_and_spread() -> None:
    assert may_be_chosen(changed(spread=0.1))
    assert not may_be_chosen(changed(kept_worst=0.96))
    blind = changed(kept=None, kept_worst=None)
    assert may_be_chosen(blind)
    assert not may_be_chosen(msgspec.structs.replace(blind, mean_change=0.2))
    assert not may_be_chosen(msgspec.structs.replace(blind, spread=0.7))


def test_the_best_that_passes_is_kept_and_until_then_the_latest() -> None:
    weight, taken = tf.Variable([0.0]), []
    choice = Choice([weight])
    offers = [(1, 0.5, 0.9), (2, 0.55, 0.9), (3, 0.7, 1.0), (4, 0.65, 1.0), (5, 0.66, 1.0), (6, 0.5, 0.9)]
    for step, accuracy, kept in offers:
        weight.assign([float(step)])
        taken.append(choice.offer(changed(step=step, two_sample=accuracy, kept=kept), [weight]))
    assert taken == [True, True, True, True, False, False]
    choice.apply([weight])
    assert (int(choice.step), float(weight[0])) == (4, 4.0)
    assert "65.0%" in choice.reason()


def test_of_those_that_pass_the_most_marks_come_before_the_lowest_two_sample_accuracy() -> None:
    weight = tf.Variable([0.0])
    choice = Choice([weight])
    little, more = changed(step=1, two_sample=0.55, mean_change=0.003), changed(step=2, two_sample=0.65)
    assert choice.offer(little, [weight])
    assert choice.offer(more, [weight])
    assert not choice.offer(msgspec.structs.replace(little, step=3), [weight])
    assert "(7)" in choice.reason()
    better_nowhere_needed = changed(step=4, two_sample=0.75, mean_change=0.02)
    assert not choice.offer(better_nowhere_needed, [weight])


def test_marks_that_a_reader_needs_come_before_the_others() -> None:
    weight = tf.Variable([0.0])
    choice = Choice([weight])
    told_apart_less = changed(step=1, mean_change=0.003, kernel=0.02)
    changes_more = changed(step=2, two_sample=0.75)
    assert choice.offer(told_apart_less, [weight])
    assert not choice.offer(changes_more, [weight])


def test_figures_survive_their_row() -> None:
    for figures in (GOOD, changed(kernel=None)):
        assert Figures.from_row({name: str(value) for name, value in figures.as_row().items()}) == figures


def test_images_held_out_are_not_trained_on() -> None:
    images = np.arange(40, dtype=np.uint8)[:, None, None]
    for most, count in ((4, 4), (100, 10)):
        training, held_out = hold_out(images, most)
        assert len(held_out) == count
        assert not np.intersect1d(training, held_out).size
