"""PNG files in a folder, with labels.csv (name,text), boxes.csv (name,character,x0,y0,x1,y1) and masks/."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from synth_engine.atomic import staging, write_bytes
from synth_engine.export.plan import ExportPlan
from synth_engine.export.sample_blocks import SampleBlock

Put = Callable[[str, Callable[[], bytes]], None]


def write_folder(folder: Path, plan: ExportPlan, blocks: Iterator[SampleBlock]) -> None:
    """Write the samples into the new ``folder``."""
    (folder / "masks" if plan.masks else folder).mkdir(parents=True)

    def put(name: str, encode: Callable[[], bytes]) -> None:
        (folder / name).write_bytes(encode())

    _write(folder, plan, blocks, put)


def add_to_folder(folder: Path, plan: ExportPlan, blocks: Iterator[SampleBlock]) -> None:
    """Write the samples into ``folder``; pictures that it holds already are kept. labels.csv comes last."""
    (folder / "masks" if plan.masks else folder).mkdir(parents=True, exist_ok=True)
    with staging(folder / "png") as parts:

        def put(name: str, encode: Callable[[], bytes]) -> None:
            if not (folder / name).exists():
                (parts / "picture").write_bytes(encode())
                (parts / "picture").replace(folder / name)

        _write(folder, plan, blocks, put)


def _write(folder: Path, plan: ExportPlan, blocks: Iterator[SampleBlock], put: Put) -> None:
    labels, boxes = _Table("name", "text"), _Table("name", "character", "x0", "y0", "x1", "y1")
    for block in blocks:
        names, texts = block.names(), block.batch.texts()
        for i, name in enumerate(names):
            put(f"{name}.png", lambda i=i, block=block: block.picture(i))  # type: ignore[misc]
            if plan.masks:
                put(f"masks/{name}.mask.png", lambda i=i, block=block: block.mask(i))  # type: ignore[misc]
        labels.add(zip(names, texts, strict=True))
        if plan.boxes:
            boxes.add(_box_rows(names, texts, block.batch.boxes.tolist()))
    if plan.boxes:
        boxes.write(folder / "boxes.csv")
    labels.write(folder / "labels.csv")


def _box_rows(names: list[str], texts: list[str], boxes: list[list[list[int]]]) -> Iterator[Sequence[object]]:
    for name, text, rows in zip(names, texts, boxes, strict=True):
        for character, box in zip(text, rows, strict=False):  # boxes go on past the end of a short text
            yield (name, character, *box)


class _Table:
    """A CSV file in the making."""

    def __init__(self, *columns: str) -> None:
        self._text = io.StringIO()
        self._rows = csv.writer(self._text, lineterminator="\n")
        self._rows.writerow(columns)

    def add(self, rows: Iterable[Sequence[object]]) -> None:
        self._rows.writerows(rows)

    def write(self, path: Path) -> None:
        write_bytes(path, self._text.getvalue().encode())
