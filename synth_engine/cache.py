"""Where derived data (glyph banks, compiled kernels) is kept between runs."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import platformdirs


def cache_folder() -> Path:
    """``$SYNTH_ENGINE_CACHE`` if set, else the user's cache folder for this project; not created here."""
    chosen = os.environ.get("SYNTH_ENGINE_CACHE")
    return Path(chosen) if chosen else Path(platformdirs.user_cache_dir("synth_engine"))


@contextmanager
def kernel_cache(*sources: Path) -> Iterator[None]:
    """While modules are imported: Numba keeps their machine code in a folder named after what is in ``sources``.

    Numba decides by a source file's own stamp whether its cached code is current, and does not see a change in a
    function that was inlined from another file. The user's cache folder is used because an installed package may not
    be writable; ``$NUMBA_CACHE_DIR`` goes before it.
    """
    from numba.core import config

    files = sorted(file for source in sources for file in source.glob("*.py"))
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:16]
    before = config.CACHE_DIR
    config.CACHE_DIR = before or str(cache_folder() / f"kernels-{digest}")
    try:
        yield
    finally:
        config.CACHE_DIR = before
