"""Placing: texts, places and warps are sampled until every image of a block keeps the recipe's limits and filter."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from synth_engine.errors import RecipeError
from synth_engine.picture.kernels import characters, labels, layout, texts
from synth_engine.picture.layout import character_side, layout_of
from synth_engine.picture.stages.stage import WARP_NUMBER
from synth_engine.picture.stages.user_stages import find_stage, stages_of
from synth_engine.picture.stages.warps import WARPS
from synth_engine.picture.stages.workspace import BLOCK_IMAGES, Workspace
from synth_engine.picture.tiles import TileBank
from synth_engine.recipe import Limits, Picture, Recipe
from synth_engine.renderer_inputs import text_of

PATCHES_BYTES_MAX = 2**30  # every thread that renders holds them


class Placing:
    """Puts the characters of a block on their patches; raises RecipeError for patches that take too much memory."""

    def __init__(self, recipe: Recipe, picture: Picture, seed: np.uint64) -> None:
        tiles = TileBank.of(recipe, picture)
        warps = picture.warps
        side = character_side(picture.character, tiles)
        for warp in warps:
            side += 2 * find_stage(warp, WARPS, "warp").grow_px(warp, side, recipe.shape)
        self.side = _checked_side(math.ceil(side), recipe)
        self._seed, self._shape = seed, recipe.shape
        self._text, self._alphabet = text_of(recipe), len(recipe.alphabet)
        self._bank = layout.TileArrays(
            tiles.quads, tiles.place, tiles.ink, tiles.natural, tiles.tile, tiles.advance, tiles.kerning
        )
        self._layout = layout_of(recipe, picture)
        self._nearest = picture.character.interpolation == "nearest"
        self._warps = stages_of(warps, WARPS, "warp", WARP_NUMBER, recipe.shape)
        self._accepts_all = picture.limits is None and recipe.filter is None
        self._limits, self._rule, self.text_tries, self.tries_max = _acceptance(recipe, picture)

    def place(self, work: Workspace, text: NDArray[np.uint8], start: int) -> int:
        """Place the texts of samples ``start`` … and write their labels to ``text`` (B, L) uint8.

        Returns the index in the block of the first image that no candidate fitted, or -1. Raises StageError.
        """
        work.attempts[:], work.active[:] = 0, True
        for _ in range(self.tries_max):
            self._make(work, text, start)
            if self._accepts_all:
                return -1
            labels.judge(
                work.active, work.counts, work.ink, work.origin, work.extent, self._limits, self._rule,
                work.plane, work.columns, work.accepted,
            )  # fmt: skip
            np.logical_and(work.active, ~work.accepted, out=work.active)
            if not work.active.any():
                return -1
            work.attempts[work.active] += 1
        return int(np.argmax(work.active))

    def _make(self, work: Workspace, text: NDArray[np.uint8], start: int) -> None:
        texts.sample_texts(
            self._seed, start, work.attempts, self.text_tries, work.active, self._text, text,
            work.fonts, work.counts,
        )  # fmt: skip
        layout.place_characters(
            self._seed, start, work.attempts, work.active, self._layout, self._bank, work.counts, work.fonts,
            text, self._alphabet, self._shape, work.placed,
        )  # fmt: skip
        characters.render_characters(
            work.active, work.counts, work.placed, self._bank.quads, self._bank.place,
            self._nearest, work.corners, work.inverse, work.ink, work.origin, work.extent,
        )  # fmt: skip
        for warp in self._warps:
            warp.ranges.sample(work, self._seed, start, again=True)
            warp.apply(
                start, work.on, work.params, work.keys, work.counts, work.ink, work.origin, work.extent,
                work.patch, *self._shape,
            )  # fmt: skip


def _checked_side(side: int, recipe: Recipe) -> int:
    size = BLOCK_IMAGES * recipe.length_max * side**2
    if size > PATCHES_BYTES_MAX:
        raise RecipeError(
            f"recipe {recipe.name}: a character may become {side:,} px wide or high, and patches for {BLOCK_IMAGES} "
            f"images of {recipe.length_max} take {size / 2**20:,.0f} MiB; expected at most "
            f"{PATCHES_BYTES_MAX / 2**20:,.0f} MiB: lower `size_px`, the ranges of `picture.character`, or those of "
            "`picture.warps`",
            side,
        )
    return side


def _acceptance(recipe: Recipe, picture: Picture) -> tuple[tuple[float, float], tuple[int, int], int, int]:
    """((clipped, covered) share, (gap, slack), candidates a text is tried, candidates a sample is tried)."""
    limits, rule = picture.limits or Limits(), recipe.filter
    shares = (float(limits.clipped_share), float(limits.covered_share))
    if rule is None:
        return shares, (0, 0), limits.text_tries, limits.tries_max
    tries = 1 if rule.redraw == "all" else rule.text_tries
    return shares, (rule.gap_px, rule.slack_px), tries, rule.tries_max
