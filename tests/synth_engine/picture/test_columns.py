"""The names of the kernels' columns: each of `placed`'s 19 columns has one, and they are in their tables' order."""

from __future__ import annotations

import numpy as np

from synth_engine import Recipe
from synth_engine.picture.kernels import columns as col
from synth_engine.picture.placing import Placing
from synth_engine.picture.stages.workspace import BLOCK_IMAGES, Workspace
from synth_engine.recipe import Canvas, Character, Font, Free, Picture
from tests.conftest import ARIMO


def test_every_column_of_a_placed_character_has_one_name() -> None:
    corners = range(col.CORNERS, col.CORNERS + 8)
    names = [
        *(col.GLYPH, col.MIDDLE_X, col.MIDDLE_Y, col.LEFT, col.TOP, col.ANGLE_DEG, col.SCALE, col.ASPECT, col.SHEAR),
        *corners,
        *(col.NATURAL_WIDTH, col.NATURAL_HEIGHT),
    ]
    assert names == list(range(col.PLACED))


def test_columns_hold_what_their_names_say() -> None:
    """As the worked example in `columns`: numbers that are not random can be read off the recipe."""
    picture = Picture(
        layout=Free(x_px=30.5, y_px=24.0), character=Character(angle_deg=10, scale=1.2, aspect=0.9, shear=0.1)
    )
    recipe = Recipe(
        name="one", alphabet="a", length=1, canvas=Canvas(width_px=60, height_px=40),
        fonts=(Font(file=ARIMO, size_px=24),), picture=picture,
    )  # fmt: skip
    placing = Placing(recipe, picture, np.uint64(1))
    work = Workspace.empty(recipe.shape, 1, placing.side, 1)
    placing.place(work, np.zeros((BLOCK_IMAGES, 1), np.uint8), 0)
    row, (_, height, width) = work.placed[0, 0], placing._bank.place[0]
    told = {"GLYPH": 0, "MIDDLE_X": 30.5, "MIDDLE_Y": 24, "ANGLE_DEG": 10, "SCALE": 1.2, "ASPECT": 0.9, "SHEAR": 0.1}
    told |= {"LEFT": -width / 2, "TOP": -height / 2, "NATURAL_WIDTH": 0, "NATURAL_HEIGHT": 0}
    assert {name: row[getattr(col, name)] for name in told} == told
    assert not row[col.CORNERS : col.CORNERS + 8].any()
