"""Networks over a whole set of images, in chunks: the memory of a forward pass does not grow with the set."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

CHUNK = 256  # images in a forward pass


def in_chunks(act: Callable[..., Any], *arrays: Any) -> Any:
    """``act`` on `CHUNK` rows of ``arrays`` at a time, joined to one array."""
    starts = range(0, len(arrays[0]), CHUNK)
    return np.concatenate([np.asarray(act(*(each[k : k + CHUNK] for each in arrays))) for k in starts])


def for_chunks(act: Callable[..., Any], rows: int) -> Callable[..., Any]:
    """``act`` as a graph if ``rows`` make more than one of the chunks of `in_chunks`: a third less time."""
    return tf.function(act, reduce_retracing=True) if rows > CHUNK else act
