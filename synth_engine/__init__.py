"""Labelled synthetic images of short text, by the million: the same bytes for any number of workers.

Importing this package loads NumPy and msgspec. A `Synthesizer` adds Numba and Pillow, `synth_engine.real` OpenCV, and
`synth_engine.stream` Ray and TensorFlow, each only when it is used.
"""

from __future__ import annotations

from synth_engine.errors import SynthError
from synth_engine.recipe import Recipe
from synth_engine.samples import Batch, FillCount
from synth_engine.synthesizer import Synthesizer

__version__ = "0.1.0"
__all__ = ["Batch", "FillCount", "Recipe", "SynthError", "Synthesizer"]
