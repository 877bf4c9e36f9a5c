"""Streams as `tf.data` datasets. Importing this module does not import TensorFlow.

Nothing is copied on the way in: a batch's arrays lie on 64-byte boundaries, which TensorFlow aliases, and they are
never written again while a tensor refers to them. What costs is each call from TensorFlow into Python and the threads
that it wakes, so one call brings several batches, and TensorFlow tells them apart without touching their bytes.
Scaling to the network's range is left to the training step: there it is fused with the first layer, here it would
quadruple the bytes that move.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from synth_engine.stream.base import Stream, expect_foreign_threads

if TYPE_CHECKING:
    import tensorflow as tf
    from numpy.typing import NDArray

    from synth_engine.synthesizer import Batch

CALL_BATCHES = 4  # as many as threads draw ahead by default: more would leave them waiting while a call's are consumed
CALL_PATIENCE_S = 0.005  # a call returns what it has once this has passed: slow recipes come batch by batch
KINDS = ("u1", "u1", "i2")  # of images, labels, boxes


def tf_dataset(stream: Stream) -> tf.data.Dataset:
    """The rest of the stream as (images uint8 (N, H, W), labels uint8 (N, L), boxes int16 (N, L, 4)) tensors.

    Shapes are static. Every iterator goes on where the last one stopped, less what it had taken ahead (4 batches at
    most): resume from the batches that were trained on, not from ``stream.stats``. Nothing is prefetched here, nor
    does TensorFlow add it unasked: the stream draws ahead, and a hand-over between threads costs more than a call.
    TensorFlow reports an error of the stream as its own UnknownError: run the loop inside `surfacing`. Closing the
    stream ends the dataset.
    """
    import tensorflow as tf

    expect_foreign_threads()
    shapes, types = stream.plan.shapes, tuple(tf.dtypes.as_dtype(np.dtype(kind)) for kind in KINDS)
    calls = _Calls(stream, CALL_BATCHES)

    def call(_: Any) -> tuple[Any, ...]:
        count, *arrays = tf.numpy_function(calls.take, [], (tf.int64, *(types * CALL_BATCHES)))
        count.set_shape(())
        for array, shape in zip(arrays, shapes * CALL_BATCHES, strict=True):
            array.set_shape(shape)
        return count, *arrays

    def apart(count: Any, *arrays: Any) -> tf.data.Dataset:
        rows = [tf.data.Dataset.from_tensors(arrays[k : k + 3]) for k in range(0, len(arrays), 3)]
        batches = rows[0]
        for row in rows[1:]:
            batches = batches.concatenate(row)
        return batches.take(count)

    endless = tf.data.Dataset.range(np.iinfo(np.int64).max)
    filled = endless.map(call, synchronous=True).take_while(lambda count, *_: count > 0)
    plain = tf.data.Options()
    plain.experimental_optimization.inject_prefetch = False
    return filled.flat_map(apart).with_options(plain)


@contextmanager
def surfacing(stream: Stream) -> Iterator[Stream]:
    """Raise the stream's own error in place of the one that TensorFlow makes of it::

    with open_stream(recipe, seed, batch_size=64) as stream, surfacing(stream):
        model.fit(tf_dataset(stream), steps_per_epoch=100, shuffle=False)
    """
    try:
        yield stream
    except Exception as error:
        if stream.failure is None or error is stream.failure:
            raise
        raise stream.failure from stream.failure.__cause__


class _Calls:
    """What TensorFlow calls for batches."""

    def __init__(self, stream: Stream, most: int) -> None:
        self._stream, self._most = stream, most
        self._failure: Exception | None = None

    def take(self) -> tuple[Any, ...]:
        """How many batches come, then images, labels and boxes of ``most``; places left over hold anything.

        No batches: the stream has ended. An error comes after the batches before it, at the next call.
        """
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise failure
        batches = self._next_batches()
        arrays = [array for batch in batches for array in (batch.images, batch.labels, batch.boxes)] or self._nothing()
        return np.int64(len(batches)), *arrays, *(arrays[-3:] * (self._most - len(arrays) // 3))

    def _nothing(self) -> list[NDArray[Any]]:
        return [np.zeros(shape, kind) for shape, kind in zip(self._stream.plan.shapes, KINDS, strict=True)]

    def _next_batches(self) -> list[Batch]:
        batches: list[Batch] = []
        ends = math.inf
        try:
            while len(batches) < self._most and time.perf_counter() < ends:
                batches.append(next(self._stream))
                ends = min(ends, time.perf_counter() + CALL_PATIENCE_S)
        except StopIteration:
            pass
        except Exception as error:
            if not batches:
                raise
            self._failure = error
        return batches
