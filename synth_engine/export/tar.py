"""WebDataset shards: tar files with ``<index>.png``, ``<index>.json`` and ``<index>.mask.png`` for each sample."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from synth_engine.export.plan import ExportPlan
from synth_engine.export.sample_blocks import SampleBlock


def write_tar(path: Path, plan: ExportPlan, blocks: Iterator[SampleBlock]) -> None:
    """Write the samples as ``path``; the bytes do not depend on the time or the user."""
    from webdataset import TarWriter

    fixed = {"mtime": 0, "user": "synth-engine", "group": "synth-engine", "mode": 0o644}
    with path.open("wb") as file, TarWriter(file, encoder=False, **fixed) as writer:
        for block in blocks:
            for sample in _samples(block, plan):
                writer.write(sample)


def _samples(block: SampleBlock, plan: ExportPlan) -> Iterator[dict[str, Any]]:
    boxes = block.batch.boxes.tolist()
    for i, (name, text) in enumerate(zip(block.names(), block.batch.texts(), strict=True)):
        about = {"text": text, "boxes": boxes[i]} if plan.boxes else {"text": text}
        sample = {"__key__": name, "png": block.picture(i), "json": json.dumps(about).encode()}
        yield {**sample, "mask.png": block.mask(i)} if plan.masks else sample
