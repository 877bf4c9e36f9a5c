"""Pasting: characters of one real image continue another, so that the few real glyphs meet in many images.

Pure TensorFlow, stateless draws. The seam runs between two characters of both images, and nothing is moved: whatever
lies at fixed places in every image stays whole.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from synth_engine.samples import PADDING

CLEARANCE = 0.4  # how near to a seam a character's middle may lie, of the gap between it and its neighbour beyond


def paste(seed: Any, share: float, images: Any, labels: Any, points: Any, weights: Any) -> tuple[Any, Any, Any, Any]:
    """About ``share`` of the images, each from a seam on replaced by another one of the batch.

    images: (N, H, W, C); labels: (N, L) uint8, 255 for none; points: (N, L, 2) float32 x, y in px, from left to right;
    weights: (N, L) float32; ``seed`` (2,) int32 decides all draws. An image stays that has fewer than two characters,
    or no partner with a character beyond the seam and none on it. How many characters there are may change. Returns the
    same four with room for 2L characters. Source: after Yun et al. 2019, "CutMix" (arXiv 1905.04899), with whole
    characters in place of areas.
    """
    for_seam, for_partner, for_share = tf.unstack(tf.random.split(seed, 3))
    x = tf.where(labels == PADDING, float("inf"), points[..., 0])
    seam, usable = _seams(for_seam, x)
    partner, found = _partners(for_partner, x, seam)
    pasted = usable & found & (tf.random.stateless_uniform(tf.shape(seam), for_share) < share)
    columns = tf.range(images.shape[2], dtype=tf.float32)
    other = pasted[:, tf.newaxis] & (columns > seam[:, tf.newaxis])
    left = ~pasted[:, tf.newaxis] | (x < seam[:, tf.newaxis])
    right = pasted[:, tf.newaxis] & (tf.gather(x, partner) > seam[:, tf.newaxis])
    images = tf.where(other[:, tf.newaxis, :, tf.newaxis], tf.gather(images, partner), images)
    labels, points, weights = (tf.concat([each, tf.gather(each, partner)], 1) for each in (labels, points, weights))
    padding = tf.constant(PADDING, labels.dtype)
    return images, tf.where(tf.concat([left, right], 1), labels, padding), points, weights


def widened(labels: Any, points: Any, weights: Any) -> tuple[Any, Any, Any]:
    """The same characters with room for as many again, to be joined with what `paste` returns."""
    room = [0, labels.shape[1]]
    labels = tf.pad(labels, [[0, 0], room], constant_values=PADDING)
    return labels, tf.pad(points, [[0, 0], room, [0, 0]]), tf.pad(weights, [[0, 0], room])


def _seams(seed: Any, x: Any) -> tuple[Any, Any]:
    """Middles (N,) px of gaps drawn among those between neighbours in x (N, L), and whether there is one."""
    gaps = tf.reduce_sum(tf.cast(tf.math.is_finite(x), tf.int32), 1) - 1
    drawn = tf.floor(tf.random.stateless_uniform(tf.shape(gaps), seed) * tf.cast(gaps, tf.float32))
    before = tf.cast(tf.maximum(drawn, 0.0), tf.int32)
    left = tf.gather(x, before, batch_dims=1)
    right = tf.gather(x, tf.minimum(before + 1, x.shape[1] - 1), batch_dims=1)
    usable = (gaps > 0) & (right > left)
    return tf.where(usable, (left + right) / 2, 0.0), usable


def _partners(seed: Any, x: Any, seam: Any) -> tuple[Any, Any]:
    """For each image another one, drawn among those that its seam leaves whole; and whether there is one.

    Characters are taken to reach half way to their neighbours; before a text's first one its mean gap stands for that.
    """
    offset = x[tf.newaxis] - seam[:, tf.newaxis, tf.newaxis]  # (N, N, L): image, partner, the partner's characters
    before = tf.reduce_min(tf.where(offset <= 0.0, -offset, float("inf")), -1)
    after = tf.reduce_min(tf.where(offset > 0.0, offset, float("inf")), -1)
    gap = tf.where(tf.math.is_finite(before), before + after, _pitch(x)[tf.newaxis])
    itself = tf.eye(tf.shape(seam)[0], dtype=tf.bool)
    free = (tf.minimum(before, after) >= CLEARANCE * gap) & tf.math.is_finite(after) & ~itself
    drawn = tf.where(free, tf.random.stateless_uniform(tf.shape(free), seed), -1.0)
    return tf.argmax(drawn, 1), tf.reduce_any(free, 1)


def _pitch(x: Any) -> Any:
    """Mean gap (N,) px between neighbours in x (N, L); infinite where there is one character or none."""
    present = tf.math.is_finite(x)
    gaps = tf.reduce_sum(tf.cast(present, tf.float32), 1) - 1.0
    last = tf.reduce_max(tf.where(present, x, -float("inf")), 1)
    return tf.where(gaps > 0.0, (last - x[:, 0]) / tf.maximum(gaps, 1.0), float("inf"))
