"""A recipe turned into the numbers and arrays that the kernels take."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from synth_engine.glyphs import LANES, pack_rows, turn_angles
from synth_engine.kernels import Plan, Text
from synth_engine.recipe import Recipe


def plan_of(recipe: Recipe, *, profiles: bool) -> Plan:
    """The kernels' view of ``recipe``; ``profiles`` as `uses_profiles` says."""
    assert recipe.placement is not None  # a recipe without a picture has one
    turns = recipe.placement.turns
    cells = [len(turn_angles(turn, recipe.raster.angle_step_deg)) for turn in turns]
    first = np.concatenate([[0], np.cumsum(cells)[:-1]])
    y = np.array([turn.y_px for turn in turns], np.float64)
    return Plan(
        shape=recipe.shape,
        text=text_of(recipe),
        counts=(len(recipe.alphabet), int(sum(cells))),
        x=x_ranges(recipe),
        turns=np.stack([thresholds([turn.share for turn in turns], 16), first, cells], axis=1).astype(np.uint64),
        turns_y=np.stack([y[:, 0], y[:, 1] - y[:, 0]], axis=1),
        filter=_filter(recipe),
        glyphs=len(recipe.faces) * len(recipe.alphabet) * int(sum(cells)),
        narrow=_narrow(recipe) if profiles else (np.uint64(0),) * 4,
        mask=_planes(mask_pixels(recipe)),
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


def uses_profiles(recipe: Recipe, words: int) -> bool:
    """Whether the filter can decide by the column profiles of glyphs that are ``words`` words wide."""
    return recipe.filter is not None and recipe.filter.slack_px == 2 and recipe.shape[1] <= 128 and words == 1


def _planes(pixels: NDArray[np.bool_]) -> NDArray[np.uint64]:
    """(words, tall): a picture as the kernels' canvas holds it."""
    height, width = pixels.shape
    tall = np.zeros((-(-height // LANES) * LANES, width), np.bool_)
    tall[:height] = pixels
    return pack_rows(tall, (width + 63) // 64)


def _narrow(recipe: Recipe) -> tuple[np.uint64, ...]:
    """Two words of the columns inside a canvas up to 128 px; two with the first column of a run at its right edge."""
    width = recipe.shape[1]
    run = _filter(recipe)[0]
    inside, right = 2**width - 1, 2 ** (width - run) if run <= width else 0
    return tuple(np.uint64(word % 2**64) for word in (inside, inside >> 64, right, right >> 64))


def text_of(recipe: Recipe) -> Text:
    """What the recipe's texts are drawn from."""
    most, number = recipe.length_max, {character: i for i, character in enumerate(recipe.alphabet)}
    pools = recipe.alphabets or (recipe.alphabet,) * most
    return Text(
        length=recipe.length_range,
        font_below=thresholds([face.share for face in recipe.faces], 32),
        pools=_indices(pools, number, max(map(len, pools))),
        sizes=np.array([len(pool) for pool in pools], np.uint64),
        words=_indices(recipe.words, number, most),
    )


def _indices(texts: Sequence[str], number: dict[str, int], width: int) -> NDArray[np.uint8]:
    """(texts, width): the characters' numbers, padded with 255."""
    rows = [[number[character] for character in text] + [255] * (width - len(text)) for text in texts]
    return np.array(rows, np.uint8).reshape(len(texts), width)
