"""The folder that keeps derived data between runs: glyph banks and compiled kernels."""

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
    """A context in which Numba caches the machine code of the modules that it imports, in a folder of their own.

    The folder is named by a digest of the Python files in the ``sources`` folders. Numba itself compares only a file's
    own time stamp, and would miss a change in a function that is inlined from another file. The folder lies in
    `cache_folder`, since an installed package may not be writable; ``$NUMBA_CACHE_DIR`` takes precedence.
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
