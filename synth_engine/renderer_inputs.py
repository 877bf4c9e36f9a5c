"""What both renderers take from a recipe: the texts, the shared mask, and where characters start."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from synth_engine.njit import Text
from synth_engine.recipe import Placement, Recipe
from synth_engine.samples import PADDING


def text_of(recipe: Recipe) -> Text:
    """The arrays from which the kernels sample texts and faces."""
    most, number = recipe.length_max, {character: i for i, character in enumerate(recipe.alphabet)}
    pools = recipe.alphabets or (recipe.alphabet,) * most
    return Text(
        length=recipe.length_range,
        font_below=thresholds([face.share for face in recipe.faces], 32),
        pools=_indices(pools, number, max(map(len, pools))),
        sizes=np.array([len(pool) for pool in pools], np.uint64),
        words=_indices(recipe.words, number, most),
    )


def mask_pixels(recipe: Recipe) -> NDArray[np.bool_]:
    """The recipe's shared mask, (H, W) bool: its lines as Pillow draws them, OR its rows."""
    height, width = recipe.shape
    picture = Image.new("1", (width, height))
    draw = ImageDraw.Draw(picture)
    for line in recipe.mask.lines:
        draw.line(line, fill=1, width=recipe.mask.line_width_px)
    pixels = np.array(picture, dtype=np.bool_)
    if recipe.mask.rows:
        rows = np.stack([np.frombuffer(bytes.fromhex(row), np.uint8) for row in recipe.mask.rows])
        pixels |= np.unpackbits(rows, axis=1, count=width).astype(np.bool_)
    return pixels


def x_ranges(placement: Placement, length: int) -> NDArray[np.float64]:
    """(L, 2): the lowest tile x and the span above it, px, of each of ``length`` characters."""
    x = np.empty((length, 2))
    x[:, 0] = placement.x_from_px + placement.pitch_px * np.arange(length)
    x[:, 1] = placement.x_span_px
    return x


def thresholds(shares: Sequence[float], bits: int) -> NDArray[np.uint64]:
    """Cumulative shares scaled to 2^bits, (N,) uint64: a random number of that many bits selects the first above it.

    Example: shares 1 and 3 with 16 bits are [16384, 65536]; a number below 16384 selects the first.
    """
    cumulative = np.cumsum(shares) / np.sum(shares)
    scaled = np.round(cumulative * 2.0**bits)
    scaled[-1] = 2.0**bits
    return np.asarray(scaled, np.uint64)


def _indices(texts: Sequence[str], number: dict[str, int], width: int) -> NDArray[np.uint8]:
    """(texts, width) uint8: the characters' indices into the alphabet, padded with `PADDING`."""
    rows = [[number[character] for character in text] + [PADDING] * (width - len(text)) for text in texts]
    return np.array(rows, np.uint8).reshape(len(texts), width)
