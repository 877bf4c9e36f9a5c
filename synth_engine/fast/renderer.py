"""BinaryRenderer: the samples of a binary recipe with a `Placement`, by the fast kernels."""

from __future__ import annotations

import threading

import numpy as np
from numpy.typing import NDArray

from synth_engine.fast.inputs import plan_of, uses_profiles
from synth_engine.fast.kernels import GlyphArrays, Plan, Scratch, render, render_masks
from synth_engine.fonts.glyph_bank import GlyphBank, glyph_table
from synth_engine.recipe import Recipe
from synth_engine.samples import Outputs, Rendered


class BinaryRenderer:
    """Renders the samples of (recipe, seed); one instance serves any number of threads."""

    def __init__(self, recipe: Recipe, seed: int) -> None:
        self._recipe, self._seed = recipe, np.uint64(seed)
        bank = GlyphBank.of(recipe)
        profiles = uses_profiles(recipe, len(bank.rows))
        self._bank = GlyphArrays(bank.rows, glyph_table(bank, profiles=profiles))
        self._plan: Plan = plan_of(recipe, profiles=profiles)
        self._local = threading.local()

    @property
    def tries_max(self) -> int:
        """Most candidates of one sample; if all are rejected, it is an error."""
        return int(self._plan.filter[3])

    def render(self, out: Outputs, start: int) -> Rendered:
        """Fill ``out``, whose arrays fit and are contiguous, with the samples from ``start`` on."""
        asked = max(len(out.centres), len(out.masks))
        placements = np.empty((asked, self._recipe.length_max, 3), np.int64)
        failed, candidates, relabelled = render(
            self._bank,
            self._plan,
            self._scratch(),
            self._seed,
            start,
            out.packed,
            out.images.reshape(-1),
            out.labels,
            out.boxes,
            placements,
        )
        if asked:
            self._render_masks(out, placements, len(out.labels) if failed < 0 else int(failed))
        return Rendered(int(failed), int(candidates), int(relabelled))

    def _render_masks(self, out: Outputs, placements: NDArray[np.int64], count: int) -> None:
        shape, scratch = self._recipe.shape, self._scratch()
        masks, labels = out.masks.reshape(-1), out.labels[:count]
        render_masks(self._bank, shape, scratch, labels, placements, masks, out.centres)

    def _scratch(self) -> Scratch:
        if not hasattr(self._local, "scratch"):
            pad, (words, tall) = len(self._bank.rows), self._plan.mask.shape
            self._local.scratch = Scratch(
                canvas=np.zeros((pad + words + pad, tall), np.uint64),
                blank=np.zeros((words, tall), np.uint64),
                inked=np.zeros(words + 1, np.uint64),
                counts=np.zeros(self._recipe.shape[1], np.int64),
                label=np.zeros(self._recipe.length_max, np.uint8),
                placed=np.zeros((self._recipe.length_max, 3), np.int64),
            )
        scratch: Scratch = self._local.scratch
        return scratch
