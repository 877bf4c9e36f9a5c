"""Data of `SimGAN.fit`: synthetic batches from a stream and real ones from memory, grouped as a phase needs them.

The order of real images depends on the seed and the position alone, so that a resumed run sees what an uninterrupted
one sees.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from gan.simgan.schedule import SchedulePhase

Dataset = Any
Images = npt.NDArray[np.uint8]


def real_batches(images: Images, batch_size: int, seed: int, first: int = 0) -> Dataset:
    """Endless batches (batch_size, H, W) uint8 of ``images`` (N, H, W), from batch ``first`` on.

    Each pass over the images is another permutation; a batch may continue from one pass into the next.
    """
    held = tf.convert_to_tensor(images)
    passes = tf.data.Dataset.range(first, np.iinfo(np.int64).max)
    return passes.map(lambda batch: tf.gather(held, _order(batch, len(images), batch_size, seed)))


def phase_batches(synthetic: Dataset, real: Dataset, phase: SchedulePhase) -> Dataset:
    """Elements as `SimGAN` takes them in ``phase``: (S, B, H, W) synthetic and (R, B, H, W) real, uint8.

    ``synthetic`` and ``real`` are batches (B, H, W), from where the phase starts or goes on. Further components of
    ``synthetic``, labels and boxes, follow the real images.
    """
    groups = (
        synthetic.batch(phase.synthetic_per_step, drop_remainder=True),
        real.batch(phase.real_per_step, drop_remainder=True),
    )
    return tf.data.Dataset.zip(groups).map(_known_last).prefetch(2)


def hold_out(images: Images, most: int) -> tuple[Images, Images]:
    """Images to train on, and images to assess on: the last ``most``, at most a quarter.

    Fewer than eight images are used for both.
    """
    count = min(most, len(images) // 4)
    return (images[:-count], images[-count:]) if count > 1 else (images, images)


def _known_last(synthetic: Any, real: Any) -> tuple[Any, ...]:
    images, *known = synthetic if isinstance(synthetic, tuple) else (synthetic,)
    return images, real, *known


def _order(batch: Any, count: int, batch_size: int, seed: int) -> Any:
    """Indices (batch_size,) of a batch: position p holds entry p mod count of permutation p div count."""
    positions = batch * batch_size + tf.range(batch_size, dtype=tf.int64)
    passes = positions // count
    seeds = tf.stack([tf.fill(passes.shape, tf.constant(seed, tf.int64)), passes, tf.zeros_like(passes)], axis=1)
    # the public `index_shuffle` takes one seed for all positions, and a batch may span two permutations
    last = tf.constant(count - 1, tf.int64)
    return tf.raw_ops.RandomIndexShuffle(index=positions % count, seed=seeds, max_index=last, rounds=4)
