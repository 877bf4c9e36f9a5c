"""Contact sheets: many small images in one picture, for people to look at. All sheets of the project are made here."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image, ImageDraw, ImageFont

from synth_engine.atomic import write_with
from synth_engine.errors import SynthError

GAP_PX = 4
CAPTION_PX = 14
PAPER, INK = 96, 255


def to_grey(images: ArrayLike) -> NDArray[np.uint8]:
    """Images (N, H, W), (N, H, W, 1) or RGB (N, H, W, 3) as uint8 0–255, without a last axis of 1.

    They may be uint8 {0, 1}, uint8 0–255, bool, or float in [-1, 1].
    """
    array = np.asarray(images)
    array = array[..., 0] if array.ndim == 4 and array.shape[3] == 1 else array
    if array.dtype.kind == "f":
        return np.round(np.clip((array + 1) * 127.5, 0, 255)).astype(np.uint8)
    return (array * np.uint8(255 if array.size == 0 or array.max() <= 1 else 1)).astype(np.uint8)


def row_sheet(rows: Sequence[tuple[str, ArrayLike]], *, columns: int | None = None, scale: int = 2) -> Image.Image:
    """A row for each (caption, images (N, H, W)) pair: at most ``columns`` images, enlarged ``scale`` times."""
    greys = [to_grey(images)[:columns] for _, images in rows]
    height, width = (scale * side for side in greys[0].shape[1:3])
    most = max(len(grey) for grey in greys)
    size = (most * (width + GAP_PX) + GAP_PX, len(rows) * (height + CAPTION_PX + GAP_PX) + GAP_PX)
    sheet = _paper(greys, size)
    for r, ((caption, _), grey) in enumerate(zip(rows, greys, strict=True)):
        top = GAP_PX + r * (height + CAPTION_PX + GAP_PX)
        _write(sheet, (GAP_PX, top), caption)
        for c, image in enumerate(grey):
            _paste(sheet, image, (GAP_PX + c * (width + GAP_PX), top + CAPTION_PX), scale)
    return sheet


def labelled_sheet(images: ArrayLike, texts: Sequence[str], *, columns: int = 8, scale: int = 2) -> Image.Image:
    """Images (N, H, W) in a grid, each under its text."""
    grey = to_grey(images)
    height, width = (scale * side for side in grey.shape[1:3])
    lines = -(-len(grey) // columns)
    cell = (width + GAP_PX, height + CAPTION_PX + GAP_PX)
    sheet = _paper([grey], (min(columns, len(grey)) * cell[0] + GAP_PX, lines * cell[1] + GAP_PX))
    for i, (image, text) in enumerate(zip(grey, texts, strict=True)):
        at = (GAP_PX + i % columns * cell[0], GAP_PX + i // columns * cell[1])
        _write(sheet, at, text)
        _paste(sheet, image, (at[0], at[1] + CAPTION_PX), scale)
    return sheet


def save_picture(picture: Image.Image, path: str | Path) -> None:
    """Write ``picture`` in the format of the path's ending, whole or not at all; raises SynthError for another."""
    known = Image.registered_extensions()
    if Path(path).suffix.lower() not in known:
        raise SynthError(f"{path} has no ending of a picture format; call it .png", path)
    write_with(Path(path), picture.save)


def _paper(images: Sequence[NDArray[np.uint8]], size: tuple[int, int]) -> Image.Image:
    if any(array.ndim == 4 for array in images):
        return Image.new("RGB", size, (PAPER, PAPER, PAPER))
    return Image.new("L", size, PAPER)


def _write(sheet: Image.Image, at: tuple[int, int], text: str) -> None:
    ImageDraw.Draw(sheet).text(
        at, text, fill=(INK,) * len(sheet.getbands()), font=ImageFont.load_default(CAPTION_PX - 3)
    )


def _paste(sheet: Image.Image, image: NDArray[np.uint8], at: tuple[int, int], scale: int) -> None:
    picture = Image.fromarray(image)
    sheet.paste(picture.resize((picture.width * scale, picture.height * scale), Image.Resampling.NEAREST), at)
