"""TFRecord shards: one tf.train.Example a sample, with the features index, text, image/encoded, boxes, mask/encoded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from synth_engine.errors import RunError
from synth_engine.export.plan import ExportPlan
from synth_engine.export.sample_blocks import SampleBlock
from synth_engine.tensorflow_setup import prepare_tensorflow


def write_tfrecord(path: Path, plan: ExportPlan, blocks: Iterator[SampleBlock]) -> None:
    """Write the samples as ``path``; raises RunError if TensorFlow cannot write it."""
    tf = prepare_tensorflow(None)
    try:
        with tf.io.TFRecordWriter(str(path)) as writer:
            for block in blocks:
                for example in _examples(tf.train, block, plan):
                    # otherwise the order of a map's entries is not fixed
                    writer.write(example.SerializeToString(deterministic=True))
    except tf.errors.OpError as error:
        raise RunError(f"TensorFlow cannot write {path.name}: {error.message}", path) from error


def _examples(train: Any, block: SampleBlock, plan: ExportPlan) -> Iterator[Any]:
    boxes = block.batch.boxes.reshape(len(block), -1).tolist()
    for i, (index, text) in enumerate(zip(block.indices, block.batch.texts(), strict=True)):
        feature = {
            "index": _integers(train, [index]),
            "text": _content(train, text.encode()),
            "image/encoded": _content(train, block.picture(i)),
        }
        if plan.boxes:
            feature["boxes"] = _integers(train, boxes[i])
        if plan.masks:
            feature["mask/encoded"] = _content(train, block.mask(i))
        yield train.Example(features=train.Features(feature=feature))


def _integers(train: Any, values: list[int]) -> Any:
    return train.Feature(int64_list=train.Int64List(value=values))


def _content(train: Any, value: bytes) -> Any:
    return train.Feature(bytes_list=train.BytesList(value=[value]))
