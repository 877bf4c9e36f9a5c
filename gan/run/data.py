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
from synth_engine.real.selection import pass_indices

Dataset = Any
Images = npt.NDArray[np.uint8]


def real_batches(images: Images, batch_size: int, seed: int, first: int, count: int) -> Dataset:
    """Batches ``first`` … ``first`` + ``count`` - 1, each (batch_size, H, W) uint8, of ``images`` (N, H, W).

    Each pass over the images is another permutation; a batch may continue from one pass into the next.
    """
    held = tf.convert_to_tensor(images)
    order = pass_indices(len(images), first * batch_size, count * batch_size, seed)
    batches = tf.data.Dataset.from_tensor_slices(order.reshape(count, batch_size))
    return batches.map(lambda batch: tf.gather(held, batch))


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
