"""Kernels kept on disk are those of today's source, also where another room's functions were inlined into them."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest
from numba.core import config
from numba.core.dispatcher import Dispatcher

import synth_engine
from synth_engine.cache import kernel_cache

ROOT = Path(synth_engine.__file__).parent
NJIT, FAST, PICTURE = ROOT / "njit", ROOT / "fast/kernels", ROOT / "picture/kernels"
# A folder of kernels, and all folders whose functions they inline.
INLINED = {
    "synth_engine.njit": (NJIT,),
    "synth_engine.fast.kernels": (FAST, NJIT),
    "synth_engine.picture.kernels": (PICTURE, NJIT),
    "synth_engine.picture.kernels.stages": (PICTURE / "stages", PICTURE, NJIT),
}


@pytest.fixture(autouse=True)
def _engine_chooses_the_folder() -> None:
    if config.CACHE_DIR:
        pytest.skip("NUMBA_CACHE_DIR is set, which goes before the engine's folders")


def folder_of(*sources: Path) -> Path:
    with kernel_cache(*sources):
        return Path(config.CACHE_DIR)


@pytest.mark.parametrize("package", INLINED)
def test_every_kernel_is_kept_in_a_folder_named_after_all_that_it_inlines(package: str) -> None:
    sources = INLINED[package]
    modules = [importlib.import_module(f"{package}.{file.stem}") for file in sorted(sources[0].glob("[a-z]*.py"))]
    kernels = {kernel for module in modules for kernel in vars(module).values() if isinstance(kernel, Dispatcher)}
    kept = {kernel for kernel in kernels if kernel.stats.cache_path and kernel.__module__.rpartition(".")[0] == package}
    assert kept
    for kernel in kept:
        assert Path(kernel.stats.cache_path).parent == folder_of(*sources), kernel


def test_a_change_in_any_source_means_another_folder(tmp_path: Path) -> None:
    own, shared = tmp_path / "own", tmp_path / "shared"
    for folder in (own, shared):
        folder.mkdir()
        (folder / "kernel.py").write_text("one = 1\n")
    before = folder_of(own, shared)
    (shared / "kernel.py").write_text("one = 2\n")
    assert folder_of(own, shared) != before
