"""A picture recipe's layout as numbers, and the size of the patches that hold a character."""

from __future__ import annotations

import math

import numpy as np

from synth_engine.picture.kernels.columns import INK_HEIGHT, INK_WIDTH
from synth_engine.picture.kernels.layout import CELLS, FLOW, FREE, LayoutArrays
from synth_engine.picture.tiles import TileBank
from synth_engine.recipe import Character, Flow, Free, Picture, Recipe, low_high
from synth_engine.renderer_inputs import x_ranges

ENDLESS_PX = 1e9  # a line this long is squeezed by no recipe


def layout_of(recipe: Recipe, picture: Picture) -> LayoutArrays:
    """The kernels' view of where and how the characters of ``recipe`` stand; raises RecipeError where nothing says."""
    layout, character = picture.layout, picture.character
    shape = character.angle_deg, character.scale, character.aspect, character.shear
    turns, x, line = np.ones((1, 5)), np.zeros((recipe.length_max, 2)), np.zeros((6, 2))
    if isinstance(layout, Flow):
        kind = FLOW
        fit_px = ENDLESS_PX if layout.fit_px is None else layout.fit_px
        ranges = (layout.x_px, layout.y_px, layout.gap_px, layout.jitter_px, layout.space_px, fit_px)
        line[:] = [low_high(ends) for ends in ranges]
    elif isinstance(layout, Free):
        kind = FREE
        line[:2] = [low_high(layout.x_px), low_high(layout.y_px)]
    else:
        placement = recipe.require_placement()
        kind, x = CELLS, x_ranges(placement, recipe.length_max)
        shares = np.cumsum([turn.share for turn in placement.turns]) / sum(turn.share for turn in placement.turns)
        shares[-1] = 1.0
        ends = np.array([(*turn.angle_deg, *turn.y_px) for turn in placement.turns], np.float64)
        turns = np.stack([shares, ends[:, 0], ends[:, 1] - ends[:, 0], ends[:, 2], ends[:, 3] - ends[:, 2]], 1)
    return LayoutArrays(
        kind=kind,
        turns=turns,
        x=x,
        line=line,
        centred=isinstance(layout, Flow) and layout.align == "centre",
        kerning=isinstance(layout, Flow) and layout.kerning,
        space_share=float(layout.space_share) if isinstance(layout, Flow) else 0.0,
        shape=np.array([low_high(v) for v in shape], np.float64),
        perspective=float(character.perspective),
        turn_first=character.turn_first,
    )


def character_side(character: Character, tiles: TileBank) -> float:
    """Side in px of a square that holds any character however it is turned, scaled and slanted."""
    height, width = tiles.place[:, INK_HEIGHT].max(), tiles.place[:, INK_WIDTH].max()
    largest = max(abs(v) for v in low_high(character.scale))
    wide = width * max(abs(v) for v in low_high(character.aspect)) * (1 + character.perspective)
    high = height * (1 + character.perspective)
    slant = max(abs(v) for v in low_high(character.shear)) * height
    return math.hypot(wide + slant, high) * largest + 4
