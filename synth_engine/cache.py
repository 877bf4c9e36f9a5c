"""Where derived data (glyph banks, compiled kernels) is kept between runs."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs


def cache_folder() -> Path:
    """``$SYNTH_ENGINE_CACHE`` if set, else the user's cache folder for this project; not created here."""
    chosen = os.environ.get("SYNTH_ENGINE_CACHE")
    return Path(chosen) if chosen else Path(platformdirs.user_cache_dir("synth_engine"))
