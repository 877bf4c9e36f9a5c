"""The ctc network: texts of any length from scores of columns, without the characters' places.

Graves et al. 2006, "Connectionist temporal classification: labelling unsegmented sequence data with recurrent neural
networks" (ICML).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifier.networks.head import PRESENCE_MIN, STRIDE, CharacterTargets, Head
from classifier.networks.readings import Floats, Readings, log_softmax
from synth_engine.errors import ModelError
from synth_engine.recipe import Recipe
from synth_engine.samples import PADDING


class CtcHead(Head):
    """Scores (N, T, alphabet + 1) of T = ceil(W/4) columns of `STRIDE` px, the last class for no character."""

    name = "ctc"
    scores_kind = "columns"
    has_places = False
    extra_classes = 1

    def build(self, recipe: Recipe, *, width: int, depth: int) -> Any:
        """The grid's features, each column of cells made one position of a sequence.

        Raises ModelError where the recipe's texts may need more columns than there are.
        """
        import keras
        from keras import layers

        from classifier.networks.layers import MOMENTUM, cell_features

        _check_columns(recipe)
        characters = len(recipe.alphabet)
        images = keras.Input((*recipe.shape, 1), name="images")
        cells = cell_features(images, width, depth)
        height, columns = cells.shape[1:3]
        column = layers.Conv2D(2 * width, (height, 1), use_bias=False)(cells)
        column = layers.ReLU()(layers.BatchNormalization(momentum=MOMENTUM)(column))
        scores = layers.Conv2D(characters + 1, 1)(column)
        return keras.Model(images, layers.Reshape((columns, characters + 1), name="scores")(scores), name=self.name)

    def loss(
        self,
        scores: Any,
        targets: CharacterTargets,
        shape: tuple[int, int],  # noqa: ARG002
        blank_weight: float,  # noqa: ARG002
    ) -> tuple[Any, Any]:
        """See `ctc_loss`; the share is one of texts."""
        return ctc_loss(scores, targets.labels, targets.weights)

    def decode(self, scores: Floats, recipe: Recipe, *, presence_min: float = PRESENCE_MIN) -> Readings:  # noqa: ARG002
        """See `decode_ctc`."""
        return decode_ctc(scores, recipe.length_max, recipe.shape[0])


def ctc_loss(scores: Any, labels: Any, weights: Any) -> tuple[Any, Any]:
    """Mean over texts of -log p(text) (eq. 8) for each character, and the share of texts whose best path is right.

    scores: (N, T, alphabet + 1) float32; labels: (N, L) uint8, 255 past a text's end; weights: (N, L) float32. A text
    counts as its most doubtful character does, since scores do not say which columns a character has.
    """
    import tensorflow as tf

    present = labels != PADDING
    lengths = tf.reduce_sum(tf.cast(present, tf.int32), axis=1)
    classes = tf.where(present, tf.cast(labels, tf.int32), 0)
    count, columns, blank = tf.shape(scores)[0], tf.shape(scores)[1], scores.shape[-1] - 1
    errors = tf.nn.ctc_loss(
        classes, scores, lengths, tf.fill([count], columns), logits_time_major=False, blank_index=blank
    )
    weight = tf.reduce_min(tf.where(present, weights, 1.0), axis=1) * tf.cast(lengths > 0, tf.float32)
    total = tf.maximum(tf.reduce_sum(weight * tf.cast(lengths, tf.float32)), 1.0)
    right = tf.cast(_spelt(tf, scores, classes, lengths), tf.float32)
    return tf.reduce_sum(errors * weight) / total, tf.reduce_sum(right * weight) / tf.maximum(
        tf.reduce_sum(weight), 1.0
    )


def decode_ctc(scores: Floats, length: int, height: int) -> Readings:
    """The best path of (N, T, alphabet + 1): its first ``length`` characters, each in its most certain column.

    The scores tell no y: it is the middle of ``height`` px.
    """
    probabilities = np.exp(log_softmax(scores))
    path, begins = _path(scores)
    number = begins.cumsum(axis=1) - 1
    blank = scores.shape[-1] - 1
    runs = [np.where((number == k) & (path != blank), probabilities.max(axis=-1), -1.0) for k in range(length)]
    strengths = np.stack(runs, axis=1)
    columns, certainty = strengths.argmax(axis=-1), strengths.max(axis=-1)
    kept = certainty >= 0.0
    picked = np.take_along_axis(scores, columns[..., np.newaxis], axis=1)
    x = columns * np.float32(STRIDE) + np.float32((STRIDE - 1) / 2)
    return Readings(
        codes=np.where(kept, picked[..., :-1].argmax(axis=-1), PADDING).astype(np.uint8),
        certainty=np.where(kept, certainty, 1.0).astype(np.float32),
        points=np.stack([x, np.full_like(x, height / 2)], -1).astype(np.float32),
        scores=log_softmax(picked[..., :-1]),
    )


def _check_columns(recipe: Recipe) -> None:
    columns = -(-recipe.shape[1] // STRIDE)
    if 2 * recipe.length_max - 1 > columns:
        raise ModelError(
            f"a ctc network needs {2 * recipe.length_max - 1} columns of {STRIDE} px for {recipe.length_max} equal "
            f"characters, the canvas has {columns}; use --network grid or a wider canvas",
            recipe.length_max,
        )


def _path(scores: Floats) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """The best class (N, T) of each column, and where a character begins."""
    path = scores.argmax(axis=-1)
    before = np.pad(path[:, :-1], ((0, 0), (1, 0)), constant_values=-1)
    return path, (path != before) & (path != scores.shape[-1] - 1)


def _spelt(tf: Any, scores: Any, classes: Any, lengths: Any) -> Any:
    """Whether the best path of each text spells ``classes``, of which the first ``lengths`` count."""
    path = tf.argmax(scores, -1, output_type=tf.int32)
    before = tf.pad(path[:, :-1], [[0, 0], [1, 0]], constant_values=-1)
    begins = (path != before) & (path != scores.shape[-1] - 1)
    number = tf.cumsum(tf.cast(begins, tf.int32), axis=1) - 1
    wanted = tf.gather(classes, tf.clip_by_value(number, 0, tf.shape(classes)[1] - 1), batch_dims=1)
    agrees = tf.reduce_all(~begins | ((number < lengths[:, tf.newaxis]) & (path == wanted)), axis=1)
    return agrees & (number[:, -1] + 1 == lengths)
