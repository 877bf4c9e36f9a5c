"""A recipe as the numbers and arrays that the fast kernels take."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from synth_engine.fast.kernels import Plan
from synth_engine.fonts.glyph_bank import pack_rows, turn_angles
from synth_engine.njit import LANES
from synth_engine.recipe import Recipe
from synth_engine.renderer_inputs import mask_pixels, text_of, thresholds, x_ranges


def plan_of(recipe: Recipe, *, profiles: bool) -> Plan:
    """The kernels' view of ``recipe``; ``profiles`` as `uses_profiles` says. Raises RecipeError without `placement`."""
    placement = recipe.require_placement()
    turns = placement.turns
    cells = [len(turn_angles(turn, recipe.raster.angle_step_deg)) for turn in turns]
    first = np.concatenate([[0], np.cumsum(cells)[:-1]])
    y = np.array([turn.y_px for turn in turns], np.float64)
    return Plan(
        shape=recipe.shape,
        text=text_of(recipe),
        counts=(len(recipe.alphabet), int(sum(cells))),
        x=x_ranges(placement, recipe.length_max),
        turns=np.stack([thresholds([turn.share for turn in turns], 16), first, cells], axis=1).astype(np.uint64),
        turns_y=np.stack([y[:, 0], y[:, 1] - y[:, 0]], axis=1),
        filter=_filter(recipe),
        glyph_count=len(recipe.faces) * len(recipe.alphabet) * int(sum(cells)),
        narrow=_narrow(recipe) if profiles else (np.uint64(0),) * 4,
        mask=_planes(mask_pixels(recipe)),
        flip=round(recipe.noise.flip_probability * 2**16),
        open_px=recipe.binarize.open_px,
    )


def _filter(recipe: Recipe) -> tuple[int, int, int, int]:
    """(run of inked columns or 0 = off, slack in px, most candidates of a text, most candidates of a sample)."""
    rule = recipe.filter
    if rule is None:
        return 0, 2, 1, 1
    return rule.gap_px - 1, rule.slack_px, 1 if rule.redraw == "all" else rule.text_tries, rule.tries_max


def uses_profiles(recipe: Recipe, words: int) -> bool:
    """Whether the filter can decide by column profiles, for glyphs that are ``words`` 64-bit words wide."""
    return recipe.filter is not None and recipe.filter.slack_px == 2 and recipe.shape[1] <= 128 and words == 1


def _planes(pixels: NDArray[np.bool_]) -> NDArray[np.uint64]:
    """(words, tall) uint64: pixels (H, W) as the kernels' canvas holds them, ``tall`` being H rounded up to `LANES`."""
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
