"""The scaling between pixels and the inputs of networks, one for real and for synthetic images.

With two different scalings a discriminator could separate the two by the background alone.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def to_network(images: Any) -> Any:
    """Binary images (…, H, W) uint8 {0, 1} as (…, H, W, 1) float32 {-1, 1}; NumPy arrays or TensorFlow tensors."""
    if isinstance(images, np.ndarray):
        return images.astype(np.float32)[..., None] * np.float32(2) - np.float32(1)
    import tensorflow as tf

    return tf.cast(images, tf.float32)[..., tf.newaxis] * 2.0 - 1.0


def from_network(images: Any) -> NDArray[np.uint8]:
    """Networks' images (…, H, W, 1) float in [-1, 1] as grey (…, H, W) uint8 0–255; values outside are clipped."""
    grey = np.clip((np.asarray(images)[..., 0] + 1.0) * 127.5, 0.0, 255.0)
    return np.round(grey).astype(np.uint8)
