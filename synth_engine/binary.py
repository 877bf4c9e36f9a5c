"""The fast path: binary recipes whose characters stand turned in cells, drawn on rows of 64-bit words."""

from __future__ import annotations

import threading

import numpy as np
from numpy.typing import NDArray

from synth_engine.glyphs import GlyphBank
from synth_engine.kernels import MIRRORED, PIXELS, Glyphs, Plan, Scratch, render
from synth_engine.outputs import Outputs, Rendered
from synth_engine.plan import plan_of
from synth_engine.recipe import Recipe


class BinaryRenderer:
    """Draws the samples of such a recipe; one instance serves any number of threads."""

    def __init__(self, recipe: Recipe, seed: int) -> None:
        self._recipe, self._seed = recipe, np.uint64(seed)
        bank = GlyphBank.of(recipe)
        self._glyphs = Glyphs(bank.rows, bank.place, bank.columns)
        self._plan: Plan = plan_of(recipe)
        self._local = threading.local()

    @property
    def tries_max(self) -> int:
        """Candidates that a sample is tried before it is an error."""
        return int(self._plan.filter[3])

    def render(self, out: Outputs, start: int) -> Rendered:
        """Fill ``out``, whose arrays fit and are contiguous, with the samples from ``start`` on."""
        failed, candidates, relabelled = render(
            self._glyphs,
            self._plan,
            self._scratch(),
            self._seed,
            start,
            out.packed,
            out.images,
            _as_words(out.images, out.packed),
            out.labels,
            out.boxes,
        )
        return Rendered(int(failed), int(candidates), int(relabelled))

    def _scratch(self) -> Scratch:
        if not hasattr(self._local, "scratch"):
            height, width = self._recipe.shape
            pad, words = self._glyphs.rows.shape[1], (width + 63) // 64
            self._local.scratch = Scratch(
                canvas=np.zeros((height, pad + words + pad + 1), np.uint64),
                profile=np.zeros((3, pad + words + pad + 1), np.uint64),
                inked=np.zeros(words + 1, np.uint64),
                counts=np.zeros(width, np.int64),
                pixels=PIXELS,
                mirrored=MIRRORED,
                stream=np.zeros(height * width // 64 + 2, np.uint64),
                placed=np.zeros((self._recipe.length_max, 3), np.int64),
            )
        scratch: Scratch = self._local.scratch
        return scratch


def _as_words(images: NDArray[np.uint8], packed: bool) -> NDArray[np.uint64]:
    """The same memory as 64-bit words, one row an image; no columns where an image's bytes do not divide by 8."""
    size = images[0].size if len(images) else 0
    if packed or size % 8 or images.ctypes.data % 8:
        return np.empty((len(images), 0), np.uint64)
    return images.reshape(len(images), size).view(np.uint64)
