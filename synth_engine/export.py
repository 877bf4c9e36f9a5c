"""Data sets on disk: PNG files and a CSV of name,text."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from PIL import Image
from tqdm import tqdm

from synth_engine.atomic import write_bytes, write_with
from synth_engine.errors import RunError
from synth_engine.sheet import to_grey
from synth_engine.synthesizer import Synthesizer

BLOCK = 512


def export_png(synthesizer: Synthesizer, out: str | Path, *, count: int, start: int = 0) -> None:
    """Write samples ``start`` … as ``<index>.png`` (8-bit grey, ink white) and ``labels.csv`` into the folder ``out``.

    The CSV is written last, so a folder that has one is complete. Pictures that are already there are kept: a stopped
    export goes on where it was. Raises RunError when the folder holds an export of another recipe, seed or range.
    """
    folder = Path(out)
    _claim(folder, f"{synthesizer.recipe.key} {synthesizer.seed} {start} {count}\n")
    table = io.StringIO()
    rows = csv.writer(table, lineterminator="\n")
    rows.writerow(["name", "text"])
    with tqdm(total=count, unit="image", disable=None) as progress:
        for first in range(start, start + count, BLOCK):
            batch = synthesizer.batch(first, min(BLOCK, start + count - first))
            names = [f"{first + i:09d}" for i in range(len(batch))]
            for name, image in zip(names, to_grey(batch.images), strict=True):
                _write_once(folder / f"{name}.png", Image.fromarray(image))
            rows.writerows(zip(names, batch.texts(), strict=True))
            progress.update(len(batch))
    write_bytes(folder / "labels.csv", table.getvalue().encode())


def _claim(folder: Path, content: str) -> None:
    marker = folder / ".export"
    if folder.exists() and any(folder.iterdir()) and (not marker.exists() or marker.read_text() != content):
        raise RunError(f"{folder} is not empty and holds no part of this export: choose another --out", folder)
    write_bytes(marker, content.encode())


def _write_once(path: Path, picture: Image.Image) -> None:
    if not path.exists():
        write_with(path, picture.save)
