"""Compiled kernels: Numba code only, no checks (those are in `synthesizer`), no allocation inside a sample."""

from __future__ import annotations

from pathlib import Path

from synth_engine.cache import kernel_cache

with kernel_cache(Path(__file__).parent):
    from synth_engine.kernels.masks import draw_masks
    from synth_engine.kernels.render import Glyphs, Plan, Scratch, render
    from synth_engine.kernels.text import Text
    from synth_engine.kernels.vector import LANES

__all__ = ["LANES", "Glyphs", "Plan", "Scratch", "Text", "draw_masks", "render"]
