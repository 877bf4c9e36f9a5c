"""A frozen reader: it reads a character where it is, its mistakes are the label loss, another recipe's is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

tf = pytest.importorskip("tensorflow")

import keras  # noqa: E402
from keras import layers  # noqa: E402

from gan.assessment.label_preservation import LabelPreservation  # noqa: E402
from gan.settings.config import Config  # noqa: E402
from gan.simgan.label_judge import LabelJudge, readable  # noqa: E402
from gan.simgan.model import build_simgan  # noqa: E402
from synth_engine import Recipe, Synthesizer  # noqa: E402
from synth_engine.errors import ModelError  # noqa: E402
from synth_engine.training.value_range import to_network  # noqa: E402

BOX = np.array([[[8, 4, 16, 12], [0, 0, 0, 0]]], np.int16)  # its middle is in row 1, column 2 of cells of 4 px


def grid(recipe: Recipe, classes: int = 0, stride: int = 4) -> keras.Model:
    """Mean of a cell's ink, then scores."""
    images = keras.Input((*recipe.shape, 1))
    cells = layers.AveragePooling2D(stride, padding="same")(images)
    return keras.Model(images, layers.Conv2D(classes or len(recipe.alphabet) + 1, 1)(cells))


def heads(recipe: Recipe) -> keras.Model:
    images = keras.Input((*recipe.shape, 1))
    scores = layers.Dense(recipe.length_max * len(recipe.alphabet))(layers.Flatten()(images))
    return keras.Model(images, layers.Reshape((recipe.length_max, len(recipe.alphabet)))(scores))


@pytest.mark.parametrize("stride", [2, 4, 8])
def test_a_character_is_read_in_the_cell_of_its_middle(tiny: Recipe, stride: int) -> None:
    reader = LabelJudge(grid(tiny, stride=stride), tiny)
    cell = np.zeros((1, *tiny.shape, 1), np.float32)
    row, column = 7 // stride * stride, 11 // stride * stride
    cell[0, row : row + stride, column : column + stride] = 1.0
    inside, outside, nowhere = (np.asarray(reader.scores(images, BOX))[0, 0] for images in (cell, 1 - cell, 0 * cell))
    assert (reader.stride, len(nowhere)) == (stride, len(tiny.alphabet))
    assert not np.allclose(inside, nowhere)
    np.testing.assert_array_equal(outside, nowhere)


@pytest.mark.parametrize("build", [grid, heads])
def test_features_are_what_the_last_layer_sees(tiny: Recipe, build: object) -> None:
    features = LabelJudge(build(tiny), tiny).features(np.ones((3, *tiny.shape, 1), np.float32))  # type: ignore[operator]
    np.testing.assert_array_equal(features, np.ones((3, 1 if build is grid else tiny.shape[0] * tiny.shape[1])))


def test_only_characters_with_ink_on_the_canvas_count() -> None:
    labels = np.array([[3, 1], [3, 255]], np.uint8)
    assert readable(labels, np.repeat(BOX, 2, axis=0)).numpy().tolist() == [[True, False], [True, False]]


def test_the_label_loss_is_what_the_cross_entropy_of_the_characters_there_grew_by(tiny: Recipe) -> None:
    reader = LabelJudge(grid(tiny), tiny)
    raw, images = np.random.default_rng(0).normal(size=(2, 1, *tiny.shape, 1)).astype(np.float32)
    before, after = (np.asarray(reader.scores(shown, BOX))[0, 0] for shown in (raw, images))
    worse = []
    for label in range(len(tiny.alphabet)):
        read = reader.compare(images, raw, np.array([[label, 255]], np.uint8), BOX)
        entropy = [np.log(np.exp(logits).sum()) - logits[label] for logits in (before, after)]
        worse.append(entropy[1] > entropy[0])
        assert float(read.loss()) == pytest.approx(max(entropy[1] - entropy[0], 0.0), rel=1e-4, abs=1e-6)
        assert float(read.loss(3.0)) == pytest.approx(3.0 * float(read.loss()))
        assert (read.raw_right[0, 0], read.right[0, 0]) == (before.argmax() == label, after.argmax() == label)
        assert read.there.numpy().tolist() == [[1.0, 0.0]]
    assert len(set(worse)) == 2


def test_the_label_loss_repairs_a_refiner_that_spoils_labels(tiny: Recipe) -> None:
    reader = LabelJudge(grid(tiny), tiny)
    config = Config(
        features=4, blocks=1, batch_size=4, history_batches=2, refiner_rate=1e-2, label_weight=1e3, self_reg_weight=0.0
    )
    model, batch = build_simgan(config, tiny.shape, reader), Synthesizer(tiny, 0).batch(0, 4)
    model.refiner.weights[-1].assign(tf.ones(4))  # grey ground
    before = [np.asarray(weight) for weight in reader.network.weights]
    known = [tf.constant(array) for array in (batch.images, batch.labels, batch.boxes)]
    losses = []
    for _ in range(40):
        model.reset_metrics()
        losses.append(float(model.update_refiner(*known)["label_loss"]))
    assert max(losses[-10:]) < 0.5 * losses[0]
    assert all(np.array_equal(weight, old) for weight, old in zip(reader.network.weights, before, strict=True))


def test_the_weights_of_labels_and_of_self_regularisation_are_those_of_the_loss(tiny: Recipe) -> None:
    reader, batch = LabelJudge(grid(tiny), tiny), Synthesizer(tiny, 0).batch(0, 4)
    known = [tf.constant(array) for array in (batch.images, batch.labels, batch.boxes)]

    def taught(weights: dict[str, float], common: float, factor: float, self_reg_factor: float) -> np.ndarray:
        config = Config(
            features=4, blocks=1, batch_size=4, history_batches=2, optimizer="sgd", refiner_rate=1.0, **weights
        )
        model = build_simgan(config, tiny.shape, reader)
        model.refiner.weights[-1].assign(tf.ones(4))
        model.label_weights.common.assign(common)
        model.label_weights.factors.assign([factor] * len(tiny.alphabet))
        model.label_weights.self_reg_factor.assign(self_reg_factor)
        model.update_refiner(*known)
        return np.concatenate([np.ravel(each) for each in model.refiner.get_weights()])

    light, heavy = {"label_weight": 4.0, "self_reg_weight": 1.0}, {"label_weight": 8.0, "self_reg_weight": 2.0}
    plain, wanted = taught(light, 4.0, 1.0, 1.0), taught(heavy, 8.0, 1.0, 1.0)
    np.testing.assert_allclose(taught(light, 4.0, 2.0, 2.0), wanted, atol=1e-5)
    for common, factor, self_reg_factor in ((4.0, 1.0, 2.0), (4.0, 2.0, 1.0), (2.0, 2.0, 2.0)):
        assert np.abs(taught(light, common, factor, self_reg_factor) - wanted).max() > 1e-3
    assert np.abs(plain - wanted).max() > 1e-3


def test_a_reader_of_another_alphabet_or_canvas_is_refused(tiny: Recipe, tmp_path: Path) -> None:
    grid(tiny, classes=9).save(tmp_path / "classifier.keras")
    with pytest.raises(ModelError, match=r"classifier.keras takes .*expected a reader.*5 characters.*tiny"):
        LabelJudge.load(tmp_path / "classifier.keras", tiny)
    with pytest.raises(ModelError, match="expected a reader"):
        LabelJudge(grid(tiny), Recipe.named("hackmit"))


def test_labels_are_counted_on_all_samples_and_features_on_as_many_as_are_real(tiny: Recipe) -> None:
    synthetic = Synthesizer(tiny, 1).batch(0, 40)
    raw, real = to_network(synthetic.images), to_network(Synthesizer(tiny, 2).batch(0, 6).images)
    test = LabelPreservation(LabelJudge(heads(tiny), tiny), synthetic, raw, real)
    refined = np.concatenate([raw[:6], -raw[6:]])
    metrics = test.metrics(refined)
    assert metrics["kernel_distance"] == metrics["kernel_distance_raw"] == test.kernel_raw
    assert test.metrics(raw)["label_preservation"] == 1.0
    assert metrics["label_preservation"] != 1.0


def test_images_that_refining_left_as_they_were_are_not_read_again(
    tiny: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    synthetic, reader = Synthesizer(tiny, 1).batch(0, 40), LabelJudge(heads(tiny), tiny)
    raw, scores, asked = to_network(synthetic.images), reader.scores, list[int]()
    refined = raw.copy()
    refined[[3, 17]] *= -1.0
    whole = scores(refined, synthetic.boxes).numpy().argmax(axis=-1) == synthetic.labels

    def count_and_score(images: np.ndarray, boxes: np.ndarray) -> object:
        asked.append(len(images))
        return scores(images, boxes)

    monkeypatch.setattr(reader, "scores", count_and_score)
    test = LabelPreservation(reader, synthetic, raw, raw[:6])
    expected = whole[test.there].sum() / test.raw_right[test.there].sum()
    assert test.metrics(refined)["label_preservation"] == expected
    assert asked == [40, 2]
