"""Streams as `tf.data` datasets. Importing this module does not import TensorFlow.

Nothing is copied on the way in: a batch's arrays lie on 64-byte boundaries, which TensorFlow aliases, and they are
never written again while a tensor refers to them. Scaling to the network's range is left to the training step: there
it is fused with the first layer, here it would quadruple the bytes that move.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from synth_engine.stream.base import Stream, expect_foreign_threads

if TYPE_CHECKING:
    import tensorflow as tf
    from numpy.typing import NDArray

PREFETCH = 2


def tf_dataset(stream: Stream) -> tf.data.Dataset:
    """The rest of the stream as (images uint8 (N, H, W), labels uint8 (N, L), boxes int16 (N, L, 4)) tensors.

    Shapes are static. Every iterator goes on where the last one stopped, less what it had prefetched (3 batches at
    most): resume from the batches that were trained on, not from ``stream.stats``. TensorFlow reports an error of the
    stream as its own UnknownError: run the loop inside `surfacing`. Closing the stream ends the dataset.
    """
    import tensorflow as tf

    expect_foreign_threads()
    images, labels, boxes = stream.plan.shapes
    signature = (
        tf.TensorSpec(images, tf.uint8, "images"),
        tf.TensorSpec(labels, tf.uint8, "labels"),
        tf.TensorSpec(boxes, tf.int16, "boxes"),
    )

    def arrays() -> Iterator[tuple[NDArray[Any], ...]]:
        for batch in stream:
            yield batch.images, batch.labels, batch.boxes

    return tf.data.Dataset.from_generator(arrays, output_signature=signature).prefetch(PREFETCH)


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
        raise stream.failure from None
