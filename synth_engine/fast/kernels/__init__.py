"""Compiled kernels of the fast path: Numba code only, no checks (see `synthesizer`), no allocation a sample."""

from __future__ import annotations

from pathlib import Path

from synth_engine import njit
from synth_engine.cache import kernel_cache

with kernel_cache(Path(__file__).parent, njit.FOLDER):
    from synth_engine.fast.kernels import unpack
    from synth_engine.fast.kernels.masks import render_masks
    from synth_engine.fast.kernels.sample import GlyphArrays, Plan, Scratch, render

__all__ = ["GlyphArrays", "Plan", "Scratch", "render", "render_masks", "unpack"]
