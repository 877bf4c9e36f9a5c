"""Batches for `Learner`: synthetic images of the engine's stream, and pseudo-labelled real images in random order.

A batch is a dict of tensors. images (B, H, W) uint8 {0, 1}, labels (B, L) uint8, boxes (B, L, 4) int16 come from the
stream, with first, int64, the index of the batch's first sample; real_images (R, H, W) uint8, real_labels (R, L) uint8,
real_points (R, L, 2) float32, real_weights (R, L) float32 and real_costs (alphabet,) float32 from `Lesson`. Refining,
scaling and warping happen in the learner, on its device. There are no labels of real images.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from classifier.learning.lesson import PseudoLabels
from synth_engine.real.selection import pass_indices
from synth_engine.recipe import Recipe
from synth_engine.stream import open_stream, surfacing, tf_dataset

NAMES = ("images", "labels", "boxes")


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where synthetic images come from: a recipe's samples under a seed, made by threads or Ray actors."""

    recipe: Recipe
    seed: int
    workers: int = 0
    ray_address: str | None = None


@dataclass(frozen=True)
class Lesson:
    """Real images (M, H, W) uint8 {0, 1} with their pseudo-labels."""

    images: NDArray[np.uint8]
    pseudo: PseudoLabels

    def dataset(self, size: int, seed: int, first: int, stop: int) -> tf.data.Dataset:
        """Batches ``first`` … ``stop - 1`` of ``size`` images: passes over all images, each in a random order.

        TensorFlow holds the images: a Python generator that is left open would keep the process from ending.
        """
        held = {"images": self.images, **vars(self.pseudo)}
        tensors = {f"real_{name}": tf.convert_to_tensor(value) for name, value in held.items()}
        costs = {"real_costs": tensors.pop("real_costs")}
        picked = pass_indices(len(self.images), first * size, (stop - first) * size, seed).reshape(stop - first, size)
        batches = tf.data.Dataset.from_tensor_slices(picked)
        return batches.map(lambda batch: {name: tf.gather(each, batch) for name, each in tensors.items()} | costs)


@contextmanager
def open_batches(
    source: Source, size: int, start: int, count: int, real: tf.data.Dataset | None = None
) -> Iterator[tf.data.Dataset]:
    """``count`` synthetic batches of ``size`` from batch number ``start``, merged with as many of ``real``.

    What a worker of the stream raises comes out of the ``with`` as it was raised.
    """
    with (
        open_stream(
            source.recipe,
            source.seed,
            batch_size=size,
            start_batch=start,
            batches=count,
            workers=source.workers,
            ray_address=source.ray_address,
        ) as stream,
        surfacing(stream),
    ):
        firsts = tf.data.Dataset.range(start * size, (start + count) * size, size)
        synthetic = tf.data.Dataset.zip(tf_dataset(stream), firsts).map(
            lambda arrays, first: {**dict(zip(NAMES, arrays, strict=True)), "first": first}
        )
        if real is not None:
            synthetic = tf.data.Dataset.zip(synthetic, real).map(lambda one, other: {**one, **other})
        yield synthetic.apply(tf.data.experimental.assert_cardinality(count)).prefetch(2)
