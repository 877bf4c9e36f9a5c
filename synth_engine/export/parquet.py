"""Parquet shards: columns index int64, text string, image binary (PNG), boxes list<int16>, mask binary (PNG)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from synth_engine.export.plan import ExportPlan
from synth_engine.export.sample_blocks import SampleBlock

BLOCKS_A_GROUP = 16  # so a row group has some megabytes


def write_parquet(path: Path, plan: ExportPlan, blocks: Iterator[SampleBlock]) -> None:
    """Write the samples as ``path``, with the plan's record in the schema's metadata."""
    import pyarrow
    from pyarrow.parquet import ParquetWriter

    schema = _schema(pyarrow, plan)
    tables = (_table(pyarrow, schema, block, plan) for block in blocks)
    with ParquetWriter(path, schema, compression="none", use_dictionary=False) as writer:  # PNG is compressed already
        while group := list(islice(tables, BLOCKS_A_GROUP)):
            writer.write_table(pyarrow.concat_tables(group))


def _schema(pa: Any, plan: ExportPlan) -> Any:
    fields = [("index", pa.int64()), ("text", pa.string()), ("image", pa.binary())]
    fields += [("boxes", pa.list_(pa.int16()))] if plan.boxes else []
    fields += [("mask", pa.binary())] if plan.masks else []
    record = plan.record()
    return pa.schema(fields, {key: v if isinstance(v, str) else json.dumps(v) for key, v in record.items()})


def _table(pa: Any, schema: Any, block: SampleBlock, plan: ExportPlan) -> Any:
    count = range(len(block))
    columns = [
        pa.array(block.indices, pa.int64()),
        pa.array(block.batch.texts(), pa.string()),
        pa.array([block.picture(i) for i in count], pa.binary()),
    ]
    if plan.boxes:
        boxes = block.batch.boxes.reshape(len(block), -1)
        offsets = np.arange(len(block) + 1, dtype=np.int32) * np.int32(boxes.shape[1])
        columns.append(pa.ListArray.from_arrays(offsets, boxes.ravel()))
    if plan.masks:
        columns.append(pa.array([block.mask(i) for i in count], pa.binary()))
    return pa.table(columns, schema=schema)
