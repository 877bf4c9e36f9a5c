"""The folder of a `Pictures` ground: what is in it, whether it changed, and its pixels in one array.

Which files count is said by `recipe.toml.picture_files`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from synth_engine.errors import RecipeError
from synth_engine.picture_formats import PICTURE_FORMATS, opaque
from synth_engine.recipe import Pictures
from synth_engine.recipe.toml import picture_files, pictures_content

DECODED_BYTES_MAX = 512 * 2**20  # every process of a stream holds them


@dataclass(frozen=True, kw_only=True)
class Pixels:
    """Decoded pictures, none smaller than the canvas.

    pixels: uint8, contiguous (h, w, C) pictures one after another; table (N, 3) int64: first byte, h and w (px).
    """

    pixels: NDArray[np.uint8]
    table: NDArray[np.int64]


def load_pictures(part: Pictures, shape: tuple[int, int], channels: int) -> Pixels:
    """The pictures in grey (``channels`` 1, ITU-R BT.601) or RGB (3), scaled up in proportion to cover ``shape``.

    Transparent parts are laid on white. Raises RecipeError if the folder is missing or holds no picture, if its
    content is not the part's, if a file is damaged, or if more than `DECODED_BYTES_MAX` would be decoded.
    """
    if part.content and pictures_content(part.folder) != part.content:
        raise RecipeError(
            f"the pictures in {part.folder} have changed since the recipe was saved, so its samples would change; "
            "restore them, or remove `content` from the recipe",
            part.folder,
        )
    files = picture_files(Path(part.folder))
    table = _table(files, shape, channels)
    pixels = np.empty(_end(table[-1], channels), np.uint8)
    for file, row in zip(files, table, strict=True):
        pixels[row[0] : _end(row, channels)] = _decoded(file, (int(row[1]), int(row[2])), channels).ravel()
    return Pixels(pixels=pixels, table=table)


def _table(files: list[Path], shape: tuple[int, int], channels: int) -> NDArray[np.int64]:
    """First byte, height and width of each picture, from the files' headers alone."""
    table, end = [], 0
    for file in files:
        height, width = _size(file, shape)
        table.append((end, height, width))
        end += height * width * channels
        if end > DECODED_BYTES_MAX:
            raise RecipeError(
                f"the pictures in {file.parent} up to {file.name} take {end / 2**20:,.0f} MiB decoded; expected at "
                f"most {DECODED_BYTES_MAX / 2**20:,.0f} MiB: remove some, or scale them down",
                file.parent,
            )
    return np.array(table, np.int64)


def _end(row: NDArray[np.int64], channels: int) -> int:
    return int(row[0] + row[1] * row[2] * channels)


def _size(file: Path, shape: tuple[int, int]) -> tuple[int, int]:
    """Height and width of the picture once it covers ``shape``, in px."""
    try:
        with Image.open(file, formats=PICTURE_FORMATS) as picture:
            width, height = picture.size
    except Exception as error:
        raise _damaged(file, error) from error
    factor = max(1.0, shape[0] / height, shape[1] / width)
    return max(shape[0], round(height * factor)), max(shape[1], round(width * factor))


def _decoded(file: Path, size: tuple[int, int], channels: int) -> NDArray[np.uint8]:
    try:
        with Image.open(file, formats=PICTURE_FORMATS) as picture:
            plain = opaque(picture).convert("L" if channels == 1 else "RGB")
            return np.asarray(plain.resize(size[::-1], Image.Resampling.BICUBIC))
    except Exception as error:  # Pillow raises SyntaxError, struct.error, zlib.error and more on damaged data
        raise _damaged(file, error) from error


def _damaged(file: Path, error: Exception) -> RecipeError:
    return RecipeError(f"picture {file} is damaged or of another kind ({error}); replace or remove it", file)
