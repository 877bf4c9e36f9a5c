"""HistoryBuffer: refined images of earlier steps, shown again so that the discriminator does not forget them.

Section 2.3 of the paper. The images are a variable on the device; a checkpoint saves it with its random state.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from synth_engine.errors import RunError
from synth_engine.training.value_range import to_network

Tensor = Any


class HistoryBuffer(tf.Module):
    """Holds up to ``capacity`` binary images (H, W, 1), a byte a pixel; takes and returns them as float32 {-1, 1}.

    ``batch_size`` must be even and divide ``capacity``; raises RunError if it does not.
    """

    def __init__(self, capacity: int, shape: tuple[int, int], batch_size: int, seed: int) -> None:
        super().__init__(name="history")
        if batch_size % 2 or capacity % batch_size or capacity < batch_size:
            message = f"expected whole batches of even size, received {capacity} images in batches of {batch_size}"
            raise RunError(f"{message}; choose an even batch size", (capacity, batch_size))
        self.capacity, self.half = capacity, batch_size // 2
        self.images = tf.Variable(tf.zeros((capacity, *shape), tf.uint8), trainable=False, name="images")
        self.filled = tf.Variable(0, dtype=tf.int64, trainable=False, name="filled")
        self.generator = tf.random.Generator.from_seed(seed, alg="philox")

    def exchange(self, refined: Tensor) -> Tensor:
        """Half of ``refined`` and half a batch from earlier calls; then keep half of ``refined``.

        ``refined``: (batch_size, H, W, 1) {-1, 1}, returned whole until half a batch is stored. The half that is kept
        fills free slots first; once all are full it replaces as many distinct ones, chosen at random.
        """
        mixed = tf.cond(self.filled >= self.half, lambda: self._mix(refined), lambda: tf.identity(refined))
        slots = tf.cond(self.filled < self.capacity, self._free_slots, lambda: self._sample_slots(self.capacity))
        self.images.scatter_update(tf.IndexedSlices(tf.cast(refined[: self.half, ..., 0] > 0, tf.uint8), slots))
        self.filled.assign(tf.minimum(self.filled + self.half, self.capacity))
        return mixed

    def _mix(self, refined: Tensor) -> Tensor:
        earlier = to_network(tf.gather(self.images, self._sample_slots(self.filled)))
        return tf.concat([refined[: self.half], earlier], axis=0)

    def _free_slots(self) -> Tensor:
        return self.filled + tf.range(self.half, dtype=tf.int64)

    def _sample_slots(self, limit: Any) -> Tensor:
        """Half a batch of distinct slots below ``limit``: those with the largest of as many random numbers."""
        keys = self.generator.uniform((self.capacity,))
        keys = tf.where(tf.range(self.capacity, dtype=tf.int64) < tf.cast(limit, tf.int64), keys, -1.0)
        return tf.cast(tf.math.top_k(keys, k=self.half, sorted=False).indices, tf.int64)
