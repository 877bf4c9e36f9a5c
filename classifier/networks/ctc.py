"""Connectionist temporal classification: texts of any length from scores of columns, without the characters' places.

Graves et al. 2006, "Connectionist temporal classification: labelling unsegmented sequence data with recurrent neural
networks" (ICML). Scores are (N, T, alphabet + 1), one row a column of `STRIDE` px, the last class for none.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifier.networks.head import STRIDE
from classifier.networks.readings import Floats, Readings, log_softmax
from synth_engine.samples import PADDING


def ctc_loss(scores: Any, labels: Any, weights: Any) -> tuple[Any, Any]:
    """Mean over texts of -log p(text) (eq. 8), a character; and the share of texts whose best path is right.

    labels: (N, L) uint8, 255 past a text's end; weights: (N, L) float32: a text counts as its most doubtful character
    does, since its characters cannot be told apart in the scores.
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
    """The best path of (N, T, alphabet + 1): its first ``length`` characters, each where it is surest.

    y is the middle of ``height`` px, since nothing tells it.
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
