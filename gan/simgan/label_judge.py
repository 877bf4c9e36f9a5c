"""LabelJudge: a frozen reader from a file, whose mistakes show whether refined images still show their labels.

It knows a reader by the shape of its network's output alone: scores on a grid (N, h, w, alphabet + 1), the last class
for blank, or by position (N, length, alphabet). Nothing here is trained.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from synth_engine.errors import ModelError
from synth_engine.recipe import Recipe
from synth_engine.samples import PADDING
from synth_engine.training.keras_files import load_network

Tensor = Any


class LabelComparison(NamedTuple):
    """How a reader reads the characters (N, L) of refined images, compared with the raw images they came from.

    labels: int32, arbitrary where padded. there: 1.0 where a character is, else 0.0. worse: by how much its
    cross-entropy has grown, and 0 where it has fallen; otherwise a refiner would gain by making strokes clearer than
    real ones. right, raw_right: 1.0 where the character is read correctly, else 0.0.
    """

    labels: Tensor
    there: Tensor
    worse: Tensor
    right: Tensor
    raw_right: Tensor

    def loss(self, weights: Tensor = 1.0) -> Tensor:
        """The mean of ``worse`` over the characters that are there, each times its weight (N, L): a scalar."""
        return tf.math.divide_no_nan(tf.reduce_sum(weights * self.worse * self.there), tf.reduce_sum(self.there))


class LabelJudge:
    """A reader's ``network`` for images (N, H, W, 1) float32 in [-1, 1] of ``recipe``.

    Raises ModelError, whose message calls it ``name``, if it takes images of another size or scores another alphabet.
    """

    def __init__(self, network: keras.Model, recipe: Recipe, name: str = "the reader") -> None:
        _check_fit(network, recipe, name)
        network.trainable = False
        self.network, self.characters = network, len(recipe.alphabet)
        self.stride = _stride(recipe.shape, network.output_shape[1:3]) if len(network.output_shape) == 4 else 0
        last = next(layer for layer in reversed(network.layers) if layer.weights)
        self._features = keras.Model(network.input, last.input)

    @classmethod
    def load(cls, path: str | Path, recipe: Recipe) -> LabelJudge:
        """From a ``.keras`` file, loaded in safe mode; raises ModelError if it is damaged or does not fit."""
        return cls(load_network(path), recipe, str(path))

    def scores(self, images: Tensor, boxes: Tensor) -> Tensor:
        """Scores (N, L, alphabet) of each character, in the grid cell of its box's centre or at its position.

        ``boxes``: (N, L, 4) x0, y0, x1, y1 in half-open px. A centre beyond the canvas belongs to the nearest cell.
        """
        scores = self.network(images, training=False)
        if not self.stride:
            return scores
        rows, columns = self.network.output_shape[1:3]
        boxes = tf.cast(boxes, tf.int32)
        centre = (boxes[..., :2] + boxes[..., 2:] - 1) // (2 * self.stride)
        cells = tf.clip_by_value(centre, 0, [columns - 1, rows - 1])
        return tf.gather_nd(scores, cells[..., ::-1], batch_dims=1)[..., : self.characters]

    def features(self, images: Tensor) -> Tensor:
        """Input of the network's last layer, (N, D) float32: its mean over the grid, if on one."""
        features = self._features(images, training=False)
        return tf.reduce_mean(features, axis=(1, 2)) if len(features.shape) == 4 else features

    def compare(self, images: Tensor, raw: Tensor, labels: Tensor, boxes: Tensor) -> LabelComparison:
        """How it reads the characters ``labels`` (N, L) uint8, padded with 255, on ``images`` and on ``raw``.

        ``raw``: the images (N, H, W, 1) that ``images`` were refined from.
        """
        wanted = tf.minimum(tf.cast(labels, tf.int32), self.characters - 1)

        def read(shown: Tensor) -> tuple[Tensor, Tensor]:
            scores = self.scores(shown, boxes)
            right = tf.argmax(scores, axis=-1, output_type=tf.int32) == wanted
            mistakes = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=wanted, logits=scores)
            return mistakes, tf.cast(right, tf.float32)

        (mistakes, right), (raw_mistakes, raw_right) = read(images), read(raw)
        there = tf.cast(readable(labels, boxes), tf.float32)
        return LabelComparison(wanted, there, tf.nn.relu(mistakes - raw_mistakes), right, raw_right)


def readable(labels: Tensor, boxes: Tensor) -> Tensor:
    """Which characters (N, L) exist and have ink on the canvas, bool."""
    return (labels != PADDING) & tf.reduce_all(boxes[..., 2:] > boxes[..., :2], axis=-1)


def _stride(shape: tuple[int, int], cells: tuple[int, int]) -> int:
    """Side of a cell in px: the smallest that divides ``shape``, rounded up, into ``cells``; 0 if none does."""
    strides = range(1, max(shape) + 1)
    return next((s for s in strides if all(-(-side // s) == n for side, n in zip(shape, cells, strict=True))), 0)


def _check_fit(network: Any, recipe: Recipe, name: str) -> None:
    taken, given = network.input_shape, network.output_shape
    by_position = (None, recipe.length_max, len(recipe.alphabet))
    on_grid = len(given) == 4 and given[-1] == len(recipe.alphabet) + 1 and _stride(recipe.shape, given[1:3])
    if taken != (None, *recipe.shape, 1) or not (on_grid or given == by_position):
        raise ModelError(
            f"{name} takes {taken} and gives {given}; expected a reader of {(None, *recipe.shape, 1)} for the "
            f"{len(recipe.alphabet)} characters of recipe {recipe.name}; train one with this recipe",
            name,
        )
