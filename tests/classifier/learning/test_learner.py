"""What a step learns from, and networks that load by themselves."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from classifier.learning.settings import Augmentation, TrainingSettings
from synth_engine import Recipe, Synthesizer
from synth_engine.errors import RejectionError, RunError
from synth_engine.real.selection import pass_indices
from synth_engine.recipe import Filter
from synth_engine.training.refiner import Refiner

keras = pytest.importorskip("keras")
tf = pytest.importorskip("tensorflow")

from classifier.learning.batches import Lesson, Source, open_batches  # noqa: E402
from classifier.learning.learner import Learner, Refinement, make_learner, recalibrate  # noqa: E402
from classifier.learning.lesson import PseudoLabels  # noqa: E402
from classifier.networks.heads import build  # noqa: E402
from classifier.reading.reader import MODEL, Reader, save_reader  # noqa: E402

STILL = Augmentation(rotation_deg=0, scale=0, shear=0, shift_px=0, level=0)
SMALL = TrainingSettings(width=4, depth=2, batch_size=4)


def learner_for(recipe: Recipe, settings: TrainingSettings, refinement: Refinement | None = None) -> Learner:
    keras.utils.set_random_seed(settings.seed)
    network = build(settings.network, recipe, width=settings.width, depth=settings.depth)
    return make_learner(network, settings, refinement)


@pytest.mark.parametrize("network", ["grid", "four-head", "ctc"])
def test_sixteen_images_are_learnt_by_heart(tiny: Recipe, network: str) -> None:
    settings = replace(SMALL, network=network, width=16, batch_size=16, augmentation=STILL, average=0.9)
    learner = learner_for(tiny, settings)
    batch = Synthesizer(tiny, 4).batch(0, 16)
    data = {"images": batch.images, "labels": batch.labels, "boxes": batch.boxes}
    learner.compile(optimizer=keras.optimizers.Adam(4e-3))
    learner.fit(tf.data.Dataset.from_tensors(data).repeat(80), verbose=0, shuffle=False)
    assert Reader.of(learner.teacher, tiny).read(batch.images).texts(tiny.alphabet) == batch.texts()


def test_the_saved_model_loads_without_this_package(tiny: Recipe, tmp_path: Path) -> None:
    save_reader(build("grid", tiny, width=4, depth=2), tiny, tmp_path)
    code = f"import keras, sys; keras.models.load_model({str(tmp_path / MODEL)!r}, safe_mode=True)\n"
    code += "assert not any(name.startswith('classifier') for name in sys.modules)"
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True, capture_output=True)


@pytest.mark.parametrize(("share", "refined"), [(1.0, 4), (0.5, 2), (0.0, 0)])
def test_refined_images_are_two_valued_like_real_ones(tiny: Recipe, share: float, refined: int) -> None:
    inputs = keras.Input((*tiny.shape, 1))
    refiner = Refiner(keras.Model(inputs, keras.layers.Rescaling(-0.3)(inputs)))  # either, ground at times for ink
    learner = learner_for(tiny, SMALL, Refinement(refiner, share))
    learner.compile(keras.optimizers.Adam())
    images = tf.where(tf.random.stateless_uniform((4, *tiny.shape, 1), (1, 2)) > 0.5, 1.0, -1.0)
    result = learner._refined(images, 4).numpy()
    assert set(np.unique(result)) == {-1.0, 1.0}
    assert (result != images.numpy()).reshape(4, -1).any(axis=1).sum() == refined
    np.testing.assert_array_equal(learner._refined(images, 4), result)  # a resumed run refines alike


def lesson_of(recipe: Recipe, weight: float) -> dict[str, object]:
    """Five synthetic images, and three others as if real, taught with ``weight``."""
    batch, real = Synthesizer(recipe, 4).batch(0, 5), Synthesizer(recipe, 5).batch(0, 3)
    points = (real.boxes[..., :2] + real.boxes[..., 2:] - 1) / np.float32(2)
    weights = np.full(real.labels.shape, weight, np.float32)
    lesson = {"real_images": real.images, "real_labels": real.labels, "real_points": points, "real_weights": weights}
    costs = np.linspace(-1, 1, len(recipe.alphabet)).astype(np.float32)
    return {"images": batch.images, "labels": batch.labels, "boxes": batch.boxes, **lesson, "real_costs": costs}


def weights_after_a_step(recipe: Recipe, data: dict[str, object], **adaptation: float) -> list[np.ndarray]:
    settings = replace(SMALL, augmentation=STILL, adaptation=replace(SMALL.adaptation, **adaptation))
    learner = learner_for(recipe, settings)
    learner.compile(optimizer=keras.optimizers.SGD(1.0))
    learner.fit(tf.data.Dataset.from_tensors(data), verbose=0, shuffle=False)
    return [np.asarray(weight) for weight in learner.student.trainable_weights]


def same(ones: list[np.ndarray], others: list[np.ndarray]) -> bool:
    return all(np.array_equal(one, other) for one, other in zip(ones, others, strict=True))


def test_information_changes_what_real_images_teach_and_nothing_else(tiny: Recipe) -> None:
    data = lesson_of(tiny, 1.0)
    informed = weights_after_a_step(tiny, data, information=1.0)
    assert not same(weights_after_a_step(tiny, data), informed)
    assert same(weights_after_a_step(tiny, data, information=1.0), informed)
    synthetic = {name: value for name, value in data.items() if not name.startswith("real")}
    assert same(weights_after_a_step(tiny, synthetic), weights_after_a_step(tiny, synthetic, information=1.0))


def test_information_comes_from_real_characters_on_the_canvas_whatever_they_teach(tiny: Recipe) -> None:
    doubtful = lesson_of(tiny, 0.0)
    other = {**doubtful, "real_labels": np.where(doubtful["real_labels"] == 255, 255, 0).astype(np.uint8)}
    plain, informed = weights_after_a_step(tiny, doubtful), weights_after_a_step(tiny, doubtful, information=1.0)
    assert same(plain, weights_after_a_step(tiny, other))
    assert not same(plain, informed)
    assert same(informed, weights_after_a_step(tiny, other, information=1.0))
    off = {**doubtful, "real_points": np.full_like(doubtful["real_points"], -9.0)}
    assert same(weights_after_a_step(tiny, off), weights_after_a_step(tiny, off, information=1.0))


def test_recalibrating_moves_statistics_only(tiny: Recipe) -> None:
    network = build("grid", tiny, width=4, depth=2)
    before = [weight.numpy() for weight in network.weights]
    recalibrate(network, Synthesizer(tiny, 1).batch(0, 8).images, batch_size=4, batches=3)
    moved = {
        w.path.split("/")[-1] for w, old in zip(network.weights, before, strict=True) if not np.array_equal(w, old)
    }
    assert moved == {"moving_mean", "moving_variance"}


def test_lessons_go_on_where_they_stopped() -> None:
    pseudo = PseudoLabels(labels=np.arange(10, dtype=np.uint8).reshape(5, 2), points=np.zeros((5, 2, 2), np.float32),
                          weights=np.ones((5, 2), np.float32), costs=np.arange(3, dtype=np.float32))  # fmt: skip
    lesson = Lesson(np.zeros((5, 24, 40), np.uint8), pseudo)
    whole = [batch["real_labels"].numpy() for batch in lesson.dataset(3, 1, 0, 6)]
    assert np.array_equal(whole[2:], [batch["real_labels"].numpy() for batch in lesson.dataset(3, 1, 2, 6)])
    assert all(np.array_equal(batch["real_costs"], pseudo.costs) for batch in lesson.dataset(3, 1, 0, 6))
    assert np.array_equal(np.concatenate(whole), pseudo.labels[pass_indices(5, 0, 18, 1)].reshape(-1, 2))


def test_what_a_worker_raises_comes_out_as_it_was(tiny: Recipe) -> None:
    impossible = tiny.replace(filter=Filter(gap_px=64, tries_max=10))
    with (
        pytest.raises(RejectionError, match="rejected all"),
        open_batches(Source(recipe=impossible, seed=0), 4, 0, 2) as batches,
    ):
        list(batches)


@pytest.mark.parametrize(("name", "value"), [("network", "big"), ("steps", -1), ("average", 1.5)])
def test_settings_that_make_no_sense_are_refused(name: str, value: object) -> None:
    with pytest.raises(RunError, match=f"`{name}` is .*(choose one|expected)"):
        replace(TrainingSettings(), **{name: value})
