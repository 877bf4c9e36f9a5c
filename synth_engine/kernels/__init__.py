"""Compiled kernels: Numba code only, no checks (those are in `synthesizer`), no allocation inside a sample.

Numba decides by a source file's own stamp whether its cached machine code is current, and does not see a change in a
kernel that was inlined from another file. So the kernels are cached in a folder named after the content of all of
them; it is in the user's cache folder because an installed package may not be writable.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from numba.core import config

from synth_engine.cache import cache_folder


def _digest() -> str:
    sources = sorted(Path(__file__).parent.glob("*.py"))
    return hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()[:16]


_before = config.CACHE_DIR
config.CACHE_DIR = _before or str(cache_folder() / f"kernels-{_digest()}")
try:
    from synth_engine.kernels.masks import draw_masks
    from synth_engine.kernels.render import Glyphs, Plan, Scratch, render
    from synth_engine.kernels.text import Text
finally:
    config.CACHE_DIR = _before

__all__ = ["Glyphs", "Plan", "Scratch", "Text", "draw_masks", "render"]
