"""The four-head network: one score for each position of a text and each character, as the original work had it.

It is here as the reference that other networks are measured against. It reads texts of one fixed length, does not know
where a character is, and reads fewer texts right than the grid network.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from classifier.networks.head import PRESENCE_MIN, CharacterTargets, Head
from classifier.networks.readings import Floats, Readings, log_softmax
from synth_engine.errors import ModelError
from synth_engine.recipe import Recipe
from synth_engine.samples import PADDING


class PositionHead(Head):
    """Scores (N, L, alphabet), one position after the other, the same number of characters in every text."""

    name = "four-head"
    scores_kind = "positions"
    has_places = False
    extra_classes = 0

    def build(self, recipe: Recipe, *, width: int, depth: int) -> Any:  # noqa: ARG002
        """The original's network: 32, then 4 x 128 convolutions with pooling, dropout, one dense layer, L heads.

        ``width`` and ``depth`` change nothing. Raises ModelError where the recipe's texts vary in length.
        """
        import keras
        from keras import layers

        if recipe.length_range[0] != recipe.length_range[1]:
            raise ModelError(
                f"expected a fixed length for a four-head network, received {recipe.length_range}; use --network grid",
                recipe.length_range,
            )
        length, characters = recipe.length_max, len(recipe.alphabet)
        images = keras.Input((*recipe.shape, 1), name="images")
        x = layers.Conv2D(32, 3, padding="same", activation="relu")(images)
        for _ in range(4):
            x = layers.Conv2D(128, 3, padding="same", activation="relu")(x)
            x = layers.MaxPooling2D(2, padding="same")(x)
        x = layers.Flatten()(layers.Dropout(0.25)(x))
        x = layers.Dropout(0.5)(layers.Dense(128, activation="relu")(x))
        scores = layers.Dense(length * characters, name="heads")(x)
        return keras.Model(images, layers.Reshape((length, characters), name="scores")(scores), name=self.name)

    def loss(
        self,
        scores: Any,
        targets: CharacterTargets,
        shape: tuple[int, int],  # noqa: ARG002
        blank_weight: float,  # noqa: ARG002
    ) -> tuple[Any, Any]:
        """See `position_loss`."""
        return position_loss(scores, targets.labels, targets.weights)

    def decode(self, scores: Floats, recipe: Recipe, *, presence_min: float = PRESENCE_MIN) -> Readings:  # noqa: ARG002
        """See `decode_positions`."""
        return decode_positions(scores, recipe.shape)

    def can_judge(self, network: Any, recipe: Recipe) -> bool:
        """Whether there is a position for each character of the recipe's longest text."""
        return tuple(network.output_shape[1:]) == (recipe.length_max, len(recipe.alphabet))


def position_loss(scores: Any, labels: Any, weights: Any) -> tuple[Any, Any]:
    """Weighted mean cross-entropy over positions, and the weighted share of characters that are scored right.

    scores: (N, L, alphabet) float32; labels: (N, L) uint8, 255 for none; weights: (N, L) float32.
    """
    import tensorflow as tf

    weights = weights * tf.cast(labels != PADDING, tf.float32)
    classes = tf.where(labels == PADDING, 0, tf.cast(labels, tf.int32))
    total = tf.maximum(tf.reduce_sum(weights), 1.0)
    errors = tf.nn.sparse_softmax_cross_entropy_with_logits(classes, scores)
    right = tf.cast(tf.argmax(scores, -1, output_type=tf.int32) == classes, tf.float32)
    return tf.reduce_sum(errors * weights) / total, tf.reduce_sum(right * weights) / total


def decode_positions(scores: Floats, shape: tuple[int, int]) -> Readings:
    """The best class of each position of (N, L, alphabet) scores for images of ``shape`` H, W.

    The scores tell no places: middles are spread evenly over the width, at half the height.
    """
    count, length, _ = scores.shape
    x = (np.arange(length, dtype=np.float32) + 0.5) * shape[1] / length
    points = np.broadcast_to(np.stack([x, np.full_like(x, shape[0] / 2)], -1), (count, length, 2))
    classes = log_softmax(scores)
    return Readings(
        codes=classes.argmax(axis=-1).astype(np.uint8),
        certainty=np.exp(classes.max(axis=-1)).astype(np.float32),
        points=np.ascontiguousarray(points, np.float32),
        scores=classes,
    )
