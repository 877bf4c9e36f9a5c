"""Painting: ground, clutter behind, text, clutter before, then the camera."""

from __future__ import annotations

from itertools import takewhile
from typing import Any

import numpy as np

from synth_engine.picture.kernels import blend
from synth_engine.picture.kernels.ink_levels import draw_inks
from synth_engine.picture.kernels.stages.ground import ground_mean, ink_levels
from synth_engine.picture.stages.camera import CAMERA as CAMERA_KERNELS
from synth_engine.picture.stages.clutter import CLUTTER as CLUTTER_KERNELS
from synth_engine.picture.stages.drawn import CAMERA, CLUTTER, GROUND, INK, DrawnStage, find_stage, stages_of
from synth_engine.picture.stages.ground import make_ground
from synth_engine.picture.stages.ink_levels import ink_columns, level_columns
from synth_engine.picture.stages.stage import Ends
from synth_engine.picture.workspace import Block
from synth_engine.recipe import Clutter, OwnMark, Recipe, low_high
from synth_engine.renderer_inputs import mask_pixels


class Painting:
    """Paints the placed characters of a block."""

    def __init__(self, recipe: Recipe, seed: Any) -> None:
        picture = recipe.picture
        assert picture is not None
        self._seed = seed
        self.channels = 3 if recipe.color == "rgb" else 1
        ground = make_ground(picture.ground, recipe.shape, self.channels)
        self._ground = DrawnStage(ground.columns, ground.paint, GROUND)
        self._each = picture.ink.per == "character"
        contrast = picture.ink.contrast
        self._contrast = None if contrast is None else low_high(contrast)
        self._ink = DrawnStage(ink_columns(picture.ink, self.channels), draw_inks, INK)
        marks = [_Mark(part, CLUTTER + i, recipe.shape, self.channels) for i, part in enumerate(picture.clutter)]
        self._behind = [mark for mark in marks if mark.behind]
        before = [mark for mark in marks if not mark.behind]
        shared = 0 if self._each else len(list(takewhile(lambda mark: mark.in_text_ink, before)))
        self._with_text, self._before = before[:shared], before[shared:]
        self._camera = stages_of(picture.camera, CAMERA_KERNELS, "camera", CAMERA, recipe.shape)
        self._mask = 255 * mask_pixels(recipe).astype(np.uint8)
        self._masked = bool(self._mask.any())

    def paint(self, block: Block, images: Any, start: int) -> None:
        """Fill ``images`` (B, H, W, C) uint8."""
        self._ground.draw(block, self._seed, start)
        self._ground.kernel(block.params, block.keys, images)
        self._draw_ink(block, images, start)
        for mark in self._behind:
            mark.draw(block, self._seed, start, images)
        self._text(block, images, start)
        for mark in self._before:
            mark.draw(block, self._seed, start, images)
        for stage in self._camera:
            stage.draw(block, self._seed, start)
            stage.kernel(block.on, block.params, block.keys, images, block.floats)

    def _draw_ink(self, block: Block, images: Any, start: int) -> None:
        self._ink.draw(block, self._seed, start)
        draw_inks(block.keys, self._ink.low, self._ink.high, self._each, block.levels, block.units)
        if self._contrast is not None:
            ground_mean(images, block.means)
            ink_levels(block.levels, block.means, *self._contrast, block.units)

    def _text(self, block: Block, images: Any, start: int) -> None:
        layers = block.counts, block.ink, block.origin, block.extent
        block.opacity[:] = 1
        if self._each:
            if self._masked:
                block.cover[:] = self._mask
                blend.blend(block.every, block.cover, block.levels, block.opacity, images)
            blend.blend_characters(*layers, block.levels, images)
            return
        blend.gather(*layers, block.cover)
        if self._masked:
            np.maximum(block.cover, self._mask, out=block.cover)
        for mark in self._with_text:
            mark.draw_cover(block, self._seed, start)
        blend.blend(block.every, block.cover, block.levels, block.opacity, images)


class _Mark:
    """One kind of clutter with the ink it is drawn in."""

    def __init__(self, part: Clutter, number: int, shape: tuple[int, int], channels: int) -> None:
        stage = find_stage(part, CLUTTER_KERNELS, "clutter")
        own: list[Ends] = []
        if part.level is not None or part.rgb is not None:
            own = level_columns(part.level or 0.0, part.rgb if channels == 3 or part.level is None else None, channels)
        columns = stage.columns(part, shape)
        self.behind, self._own = part.behind, len(own)
        # Such marks and the text are one layer: its coverage is their maximum, and it is blended once.
        self.in_text_ink = not own and part.opacity == 1 and not isinstance(part, OwnMark)
        self._opacity = len(columns)
        self._stage = DrawnStage([*columns, low_high(part.opacity), *own], stage.kernel, number, part.probability)

    def draw_cover(self, block: Block, seed: Any, start: int) -> None:
        """Add the marks to the block's ``cover``."""
        self._stage.draw(block, seed, start)
        self._stage.kernel(block.on, block.params, block.keys, block.cover)

    def draw(self, block: Block, seed: Any, start: int, images: Any) -> None:
        """Draw the marks of the images that have them over ``images``."""
        block.cover[:] = 0
        self.draw_cover(block, seed, start)
        block.opacity[:] = block.params[:, self._opacity]
        levels = block.levels
        if self._own:
            levels = block.mark_levels
            levels[:, 0] = block.params[:, self._opacity + 1 : self._opacity + 1 + self._own]
        blend.blend(block.on, block.cover, levels, block.opacity, images)
