"""Painting: ground, clutter behind, text, clutter before, then the camera."""

from __future__ import annotations

from itertools import takewhile

import numpy as np
from numpy.typing import NDArray

from synth_engine.picture.kernels import blend
from synth_engine.picture.kernels.ink_levels import sample_ink_levels
from synth_engine.picture.kernels.stages.ground import ground_mean, set_contrast
from synth_engine.picture.stages.camera import CAMERA
from synth_engine.picture.stages.clutter import CLUTTER
from synth_engine.picture.stages.ground import make_ground
from synth_engine.picture.stages.ink_levels import ink_columns, level_columns
from synth_engine.picture.stages.stage import (
    CAMERA_NUMBER,
    CLUTTER_NUMBER,
    GROUND_NUMBER,
    INK_NUMBER,
    Ends,
    SampledRanges,
)
from synth_engine.picture.stages.user_stages import find_stage, stages_of
from synth_engine.picture.stages.workspace import Workspace
from synth_engine.recipe import Clutter, OwnMark, Picture, Recipe, low_high
from synth_engine.renderer_inputs import mask_pixels

Images = NDArray[np.uint8]


class Painting:
    """Paints the placed characters of a block."""

    def __init__(self, recipe: Recipe, picture: Picture, seed: np.uint64) -> None:
        self._seed = seed
        self.channels = 3 if recipe.color == "rgb" else 1
        ground = make_ground(picture.ground, recipe.shape, self.channels)
        self._ground, self._paint_ground = SampledRanges(ground.columns, GROUND_NUMBER), ground.paint
        self._each = picture.ink.per == "character"
        contrast = picture.ink.contrast
        self._contrast = None if contrast is None else low_high(contrast)
        self._ink = SampledRanges(ink_columns(picture.ink, self.channels), INK_NUMBER)
        kinds = [
            _ClutterKind(part, CLUTTER_NUMBER + i, recipe.shape, self.channels)
            for i, part in enumerate(picture.clutter)
        ]
        self._behind = [kind for kind in kinds if kind.behind]
        before = [kind for kind in kinds if not kind.behind]
        shared = 0 if self._each else len(list(takewhile(lambda kind: kind.in_text_ink, before)))
        self._with_text, self._before = before[:shared], before[shared:]
        self._camera = stages_of(picture.camera, CAMERA, "camera", CAMERA_NUMBER, recipe.shape)
        self._mask = 255 * mask_pixels(recipe).astype(np.uint8)
        self._masked = bool(self._mask.any())

    def paint(self, work: Workspace, images: Images, start: int) -> None:
        """Fill ``images`` (B, H, W, C) uint8 with samples ``start`` …; raises StageError."""
        self._ground.sample(work, self._seed, start)
        self._paint_ground(work.params, work.keys, images)
        self._sample_ink(work, images, start)
        for kind in self._behind:
            kind.paint(work, self._seed, start, images)
        self._paint_text(work, images, start)
        for kind in self._before:
            kind.paint(work, self._seed, start, images)
        for stage in self._camera:
            stage.ranges.sample(work, self._seed, start)
            stage.apply(start, work.on, work.params, work.keys, images, work.floats)

    def _sample_ink(self, work: Workspace, images: Images, start: int) -> None:
        self._ink.sample(work, self._seed, start)
        sample_ink_levels(work.keys, self._ink.low, self._ink.high, self._each, work.levels, work.units)
        if self._contrast is not None:
            ground_mean(images, work.means)
            set_contrast(work.levels, work.means, *self._contrast, work.units)

    def _paint_text(self, work: Workspace, images: Images, start: int) -> None:
        layers = work.counts, work.ink, work.origin, work.extent
        work.opacity[:] = 1
        if self._each:
            if self._masked:
                work.cover[:] = self._mask
                blend.blend(work.every, work.cover, work.levels, work.opacity, images)
            blend.blend_characters(*layers, work.levels, images)
            return
        blend.gather(*layers, work.cover)
        if self._masked:
            np.maximum(work.cover, self._mask, out=work.cover)
        for kind in self._with_text:
            kind.add_cover(work, self._seed, start)
        blend.blend(work.every, work.cover, work.levels, work.opacity, images)


class _ClutterKind:
    """The marks of one part of ``picture.clutter``, and the ink that they are painted in."""

    def __init__(self, part: Clutter, number: int, shape: tuple[int, int], channels: int) -> None:
        stage = find_stage(part, CLUTTER, "clutter")
        own: list[Ends] = []
        if part.level is not None or part.rgb is not None:
            own = level_columns(part.level, part.rgb, channels)
        columns = stage.columns(part, shape)
        self.behind, self._own = part.behind, len(own)
        # Such marks and the text are one layer: its coverage is their maximum, and it is blended once.
        self.in_text_ink = not own and part.opacity == 1 and not isinstance(part, OwnMark)
        self._opacity = len(columns)
        self._ranges = SampledRanges([*columns, low_high(part.opacity), *own], number, part.probability)
        self._apply = stage.apply

    def add_cover(self, work: Workspace, seed: np.uint64, start: int) -> None:
        """Add the marks to the coverage in ``work.cover``."""
        self._ranges.sample(work, seed, start)
        self._apply(start, work.on, work.params, work.keys, work.cover)

    def paint(self, work: Workspace, seed: np.uint64, start: int, images: Images) -> None:
        """Blend the marks over those of ``images`` (B, H, W, C) that have them."""
        work.cover[:] = 0
        self.add_cover(work, seed, start)
        work.opacity[:] = work.params[:, self._opacity]
        levels = work.levels
        if self._own:
            levels = work.mark_levels
            levels[:, 0] = work.params[:, self._opacity + 1 : self._opacity + 1 + self._own]
        blend.blend(work.on, work.cover, levels, work.opacity, images)
