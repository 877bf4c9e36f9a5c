"""What the kernels of both renderers share: how they are compiled, random words, texts, ink as bits and its finish."""

from __future__ import annotations

from pathlib import Path

from synth_engine.cache import kernel_cache

FOLDER = Path(__file__).parent  # a part of every kernel cache's key, since these functions are inlined elsewhere

with kernel_cache(FOLDER):
    from synth_engine.njit import finishing
    from synth_engine.njit.intrinsics import LANES
    from synth_engine.njit.texts import Text

__all__ = ["FOLDER", "LANES", "Text", "finishing"]
