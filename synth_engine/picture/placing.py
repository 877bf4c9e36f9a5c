"""Placing: text, characters and warps are drawn until every image of a block keeps the recipe's limits and filter."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synth_engine.errors import RecipeError
from synth_engine.picture.kernels import characters, labels, layout, texts
from synth_engine.picture.layout import character_side, layout_of
from synth_engine.picture.stages.drawn import WARP, find_stage, stages_of
from synth_engine.picture.stages.warps import WARPS
from synth_engine.picture.tiles import TileBank
from synth_engine.picture.workspace import BLOCK, Block
from synth_engine.recipe import Limits, Recipe
from synth_engine.renderer_inputs import text_of

PATCHES_BYTES_MAX = 2**30  # every thread that draws holds them


class Placing:
    """Puts the characters of a block on their patches."""

    def __init__(self, recipe: Recipe, seed: Any) -> None:
        assert recipe.picture is not None
        tiles = TileBank.of(recipe)
        warps = recipe.picture.warps
        side = character_side(recipe, tiles)
        for warp in warps:
            side += 2 * find_stage(warp, WARPS, "warp").grow_px(warp, side, recipe.shape)
        self.side = _checked_side(math.ceil(side), recipe)
        self._seed, self._shape = seed, recipe.shape
        self._text, self._alphabet = text_of(recipe), len(recipe.alphabet)
        self._bank = layout.Bank(
            tiles.quads, tiles.place, tiles.ink, tiles.natural, tiles.tile, tiles.advance, tiles.kerning
        )
        self._layout = layout_of(recipe)
        self._nearest = recipe.picture.character.interpolation == "nearest"
        self._warps = stages_of(warps, WARPS, "warp", WARP, recipe.shape)
        self._accepts_all = recipe.picture.limits is None and recipe.filter is None
        self._limits, self._rule, self.text_tries, self.tries_max = _acceptance(recipe)

    def place(self, block: Block, text: NDArray[np.uint8], start: int) -> int:
        """Place the texts, written to ``text`` (B, L); returns the first image that nothing fitted, or -1."""
        block.attempts[:], block.active[:] = 0, True
        for _ in range(self.tries_max):
            self._draw(block, text, start)
            if self._accepts_all:
                return -1
            labels.judge(
                block.active, block.counts, block.ink, block.origin, block.extent, self._limits, self._rule,
                block.plane, block.columns, block.accepted,
            )  # fmt: skip
            np.logical_and(block.active, ~block.accepted, out=block.active)
            if not block.active.any():
                return -1
            block.attempts[block.active] += 1
        return int(np.argmax(block.active))

    def _draw(self, block: Block, text: NDArray[np.uint8], start: int) -> None:
        texts.draw_texts(
            self._seed, start, block.attempts, self.text_tries, block.active, self._text, text,
            block.fonts, block.counts,
        )  # fmt: skip
        layout.place_characters(
            self._seed, start, block.attempts, block.active, self._layout, self._bank, block.counts, block.fonts,
            text, self._alphabet, self._shape, block.placed,
        )  # fmt: skip
        characters.draw_characters(
            block.active, block.counts, block.placed, self._bank.quads, self._bank.place,
            self._nearest, block.corners, block.inverse, block.ink, block.origin, block.extent,
        )  # fmt: skip
        for warp in self._warps:
            warp.draw(block, self._seed, start, again=True)
            warp.kernel(
                block.on, block.params, block.keys, block.counts, block.ink, block.origin, block.extent,
                block.patch, *self._shape,
            )  # fmt: skip


def _checked_side(side: int, recipe: Recipe) -> int:
    size = BLOCK * recipe.length_max * side**2
    if size > PATCHES_BYTES_MAX:
        raise RecipeError(
            f"recipe {recipe.name}: a character may become {side:,} px wide or high, and patches for {BLOCK} images of "
            f"{recipe.length_max} take {size / 2**20:,.0f} MiB; expected at most {PATCHES_BYTES_MAX / 2**20:,.0f} MiB: "
            "lower `size_px`, the ranges of `picture.character`, or those of `picture.warps`",
            side,
        )
    return side


def _acceptance(recipe: Recipe) -> tuple[tuple[float, float], tuple[int, int], int, int]:
    """((clipped, covered) share, (gap, slack), candidates a text is tried, candidates a sample is tried)."""
    assert recipe.picture is not None
    limits, rule = recipe.picture.limits or Limits(), recipe.filter
    shares = (float(limits.clipped_share), float(limits.covered_share))
    if rule is None:
        return shares, (0, 0), limits.text_tries, limits.tries_max
    tries = 1 if rule.redraw == "all" else rule.text_tries
    return shares, (rule.gap_px, rule.slack_px), tries, rule.tries_max
