"""A recipe turned into the numbers and arrays that the kernels take."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from synth_engine.glyphs import turn_angles
from synth_engine.kernels import Plan
from synth_engine.recipe import Recipe


def plan_of(recipe: Recipe) -> Plan:
    """The kernels' view of ``recipe``."""
    assert recipe.placement is not None  # a recipe without a picture has one
    turns = recipe.placement.turns
    cells = [len(turn_angles(turn, recipe.raster.angle_step_deg)) for turn in turns]
    first = np.concatenate([[0], np.cumsum(cells)[:-1]])
    y = np.array([turn.y_px for turn in turns], np.float64)
    return Plan(
        shape=recipe.shape,
        length=recipe.length_range,
        counts=(len(recipe.alphabet), int(sum(cells))),
        x=x_ranges(recipe),
        font_below=thresholds([font.share for font in recipe.fonts], 32),
        turns=np.stack([thresholds([turn.share for turn in turns], 16), first, cells, y[:, 0], y[:, 1] - y[:, 0]], 1),
        filter=_filter(recipe),
        mask=_words(mask_pixels(recipe)),
        flip=round(recipe.noise.flip_probability * 2**16),
        open_px=recipe.binarize.open_px,
    )


def mask_pixels(recipe: Recipe) -> NDArray[np.bool_]:
    """The recipe's shared mask: (H, W) bool, its lines drawn by Pillow, its rows OR-ed in."""
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


def x_ranges(recipe: Recipe) -> NDArray[np.float64]:
    """(L, 2): each character's lowest tile x and the span above it, px."""
    placement = recipe.placement
    assert placement is not None
    x = np.empty((recipe.length_max, 2))
    x[:, 0] = placement.x_from_px + placement.pitch_px * np.arange(recipe.length_max)
    x[:, 1] = placement.x_span_px
    return x


def thresholds(shares: Sequence[float], bits: int) -> NDArray[np.uint64]:
    """Cumulative shares scaled to 2^bits; a draw d of that many bits chooses the first entry above it."""
    cumulative = np.cumsum(shares) / np.sum(shares)
    scaled = np.round(cumulative * 2.0**bits)
    scaled[-1] = 2.0**bits
    return np.asarray(scaled, np.uint64)


def _filter(recipe: Recipe) -> tuple[int, int, int, int]:
    """(run of inked columns or 0 = off, slack, candidates a text is tried, candidates a sample is tried)."""
    rule = recipe.filter
    if rule is None:
        return 0, 2, 1, 1
    return rule.gap_px - 1, rule.slack_px, 1 if rule.redraw == "all" else rule.text_tries, rule.tries_max


def _words(pixels: NDArray[np.bool_]) -> NDArray[np.uint64]:
    height, width = pixels.shape
    wide = np.zeros((height, 64 * ((width + 63) // 64)), np.bool_)
    wide[:, :width] = pixels
    return np.packbits(wide, axis=1, bitorder="little").view("<u8").astype(np.uint64)
