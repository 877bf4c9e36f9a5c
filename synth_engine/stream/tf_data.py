"""Streams as `tf.data` datasets. Importing this module does not import TensorFlow.

Nothing is copied on the way in: a batch's arrays lie on 64-byte boundaries, which TensorFlow aliases, and their memory
is not reused while a tensor refers to it. The cost is each call from TensorFlow into Python. A call of several batches
costs less, but then the batches fit in no cache, which costs more. Scaling to the network's range is left to the
training step: there it is fused with the first layer, here it would quadruple the bytes that move.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from synth_engine.stream.core.stream import Stream, expect_foreign_threads

if TYPE_CHECKING:
    import tensorflow as tf

KINDS = ("u1", "u1", "i2")  # of images, labels, boxes


def tf_dataset(stream: Stream) -> tf.data.Dataset:
    """The rest of the stream as (images uint8 (N, H, W), labels uint8 (N, L), boxes int16 (N, L, 4)) tensors.

    Shapes are static. Every iterator continues where the last one stopped. The dataset does not prefetch, since the
    stream renders ahead. If the consumer prefetches, resume from the number of batches trained on, not from
    ``stream.stats``. TensorFlow reports an error of the stream as its own UnknownError: run the loop inside
    `surfacing`. Closing the stream ends the dataset.
    """
    import tensorflow as tf

    expect_foreign_threads()
    shapes, types = stream.plan.shapes, tuple(tf.dtypes.as_dtype(np.dtype(kind)) for kind in KINDS)

    def call(_: Any) -> tuple[Any, ...]:
        more, *arrays = tf.numpy_function(lambda: _take(stream), [], (tf.bool, *types))
        more.set_shape(())
        for array, shape in zip(arrays, shapes, strict=True):
            array.set_shape(shape)
        return more, *arrays

    endless = tf.data.Dataset.range(np.iinfo(np.int64).max)
    come = endless.map(call, synchronous=True).take_while(lambda more, *_: more)
    plain = tf.data.Options()
    plain.experimental_optimization.inject_prefetch = False
    return come.map(lambda _, *arrays: arrays, synchronous=True).with_options(plain)


@contextmanager
def surfacing(stream: Stream) -> Iterator[Stream]:
    """Raise the stream's own error in place of TensorFlow's UnknownError::

    with open_stream(recipe, seed, batch_size=64) as stream, surfacing(stream):
        model.fit(tf_dataset(stream), steps_per_epoch=100, shuffle=False)
    """
    try:
        yield stream
    except Exception as error:
        if stream.failure is None or error is stream.failure:
            raise
        raise stream.failure from stream.failure.__cause__


def _take(stream: Stream) -> tuple[Any, ...]:
    """Whether there is another batch, then its images, labels and boxes, or arrays of zeros."""
    batch = next(stream, None)
    if batch is None:
        return np.bool_(False), *map(np.zeros, stream.plan.shapes, KINDS)
    return np.bool_(True), batch.images, batch.labels, batch.boxes
