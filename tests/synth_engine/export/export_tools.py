"""What the tests of exports share: each format's own reader, and the files of a folder."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

ROOT = Path(__file__).parents[3]


class Sample(NamedTuple):
    index: int
    text: str
    picture: bytes
    boxes: list[int]
    mask: bytes | None


def read_png(folder: Path) -> Iterator[Sample]:
    for part in sorted(folder.glob("shard-*")) or [folder]:
        boxes = list(csv.DictReader((part / "boxes.csv").open()))
        for row in csv.DictReader((part / "labels.csv").open()):
            name, mask = row["name"], part / "masks" / f"{row['name']}.mask.png"
            own = [int(box[side]) for box in boxes if box["name"] == name for side in ("x0", "y0", "x1", "y1")]
            picture = (part / f"{name}.png").read_bytes()
            yield Sample(int(name), row["text"], picture, own, mask.read_bytes() if mask.exists() else None)


def read_webdataset(folder: Path) -> Iterator[Sample]:
    from webdataset import WebDataset

    for found in WebDataset([str(path) for path in sorted(folder.glob("*.tar"))], shardshuffle=False):
        about = json.loads(found["json"])
        yield Sample(
            int(found["__key__"]),
            about["text"],
            found["png"],
            [side for box in about["boxes"] for side in box],
            found.get("mask.png"),
        )


def read_tfrecord(folder: Path) -> Iterator[Sample]:
    import tensorflow as tf

    for record in tf.data.TFRecordDataset([str(path) for path in sorted(folder.glob("*.tfrecord"))]):
        feature = tf.train.Example.FromString(record.numpy()).features.feature
        mask = feature["mask/encoded"].bytes_list.value
        yield Sample(
            feature["index"].int64_list.value[0],
            feature["text"].bytes_list.value[0].decode(),
            feature["image/encoded"].bytes_list.value[0],
            list(feature["boxes"].int64_list.value),
            mask[0] if mask else None,
        )


def read_parquet(folder: Path) -> Iterator[Sample]:
    from pyarrow import parquet

    for path in sorted(folder.glob("*.parquet")):
        for row in parquet.read_table(path).to_pylist():
            yield Sample(row["index"], row["text"], row["image"], row["boxes"], row.get("mask"))


READERS = {"png": read_png, "webdataset": read_webdataset, "tfrecord": read_tfrecord, "parquet": read_parquet}


def pixels(picture: bytes) -> Any:
    return np.asarray(Image.open(io.BytesIO(picture)))


def contents(folder: Path) -> dict[str, bytes]:
    """Every file by its path in the folder, hidden ones included."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
