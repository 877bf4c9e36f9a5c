"""A user's own stages: functions named in a recipe as ``package.module:name``, put in among the engine's.

A function gets one image, or one character's patch, and writes into an output that holds zeros:

    warp     function(ink, values, key, out)       ink, out (S, S) uint8: coverage of one character, ink's in the middle
    clutter  function(values, key, cover)          cover (H, W) uint8: coverage of the marks
    camera   function(image, values, key, out)     image, out (H, W, C) uint8

``values`` (V,) float64 are numbers sampled from the part's ranges, in the alphabetical order of their names. ``key``
is a uint64 whose words from `FREE_WORD` (64) on are free for the function's own random numbers: ``word(key, 64)``, …
(both in `synth_engine.njit.random`). It is the image's key, or for a warp the character's. What a function writes may
depend on nothing else, or samples would depend on who makes them. Compiled functions (``numba.njit``) run fast, but any
callable works. A warp that makes ink larger says so in the part's ``grow_px``.

A recipe with such a stage runs the module that it names: load no recipe that you do not trust.
"""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from synth_engine.errors import RecipeError, StageError
from synth_engine.njit.random import sample_key
from synth_engine.picture.kernels.columns import X1
from synth_engine.picture.kernels.resample import tighten
from synth_engine.picture.stages.stage import Ends, RecipeStage, Registry, SampledRanges, Shape, Stage
from synth_engine.recipe import Camera, Clutter, Own, OwnMark, Warp, low_high

Domain = Literal["warp", "clutter", "camera"]
Function = Callable[..., Any]
Bools: TypeAlias = NDArray[np.bool_]
Bytes: TypeAlias = NDArray[np.uint8]
Floats: TypeAlias = NDArray[np.float64]
Words: TypeAlias = NDArray[np.uint64]
Counts: TypeAlias = NDArray[np.int64]
Places: TypeAlias = NDArray[np.int32]
AnyStage: TypeAlias = Warp | Clutter | Camera


@dataclass(frozen=True, kw_only=True)
class UserStage(Stage):
    """A stage whose kernel calls a user's function, and takes ``start`` before the arguments of its domain.

    It raises StageError for whatever the function raises, and names the sample.
    """

    def apply(self, start: int, *arguments: object) -> None:
        """Run the kernel; ``start``: index of the block's first sample. Raises StageError."""
        self.kernel(start, *arguments)


def own_stage(part: Own | OwnMark, domain: Domain) -> UserStage:
    """The stage of a user's function; raises RecipeError as `resolve` does."""
    kernel = {"warp": _warp_kernel, "clutter": _clutter_kernel, "camera": _camera_kernel}[domain]
    return UserStage(columns=_columns, kernel=kernel(part, resolve(part.function)), grow_px=_growth)


def find_stage(part: AnyStage, registry: Registry, domain: Domain) -> Stage:
    """The engine's stage for ``part``, or the user's that it names; raises RecipeError as `resolve` does."""
    return own_stage(part, domain) if isinstance(part, Own | OwnMark) else registry[type(part)]


def stages_of(
    parts: Sequence[AnyStage], registry: Registry, domain: Domain, number: int, shape: Shape
) -> list[RecipeStage]:
    """The stages of one list of a recipe, numbered from ``number``; raises RecipeError as `resolve` does."""
    stages = [find_stage(part, registry, domain) for part in parts]
    return [
        RecipeStage(ranges=SampledRanges(stage.columns(part, shape), number + i, part.probability), apply=stage.apply)
        for i, (part, stage) in enumerate(zip(parts, stages, strict=True))
    ]


def resolve(function: str) -> Function:
    """The callable that ``package.module:name`` names; raises RecipeError where there is none."""
    module_name, _, name = function.partition(":")
    try:
        module = importlib.import_module(module_name)
    except Exception as error:  # a module may fail in any way while it is run
        raise RecipeError(
            f"own stage {function}: importing {module_name} failed with {type(error).__name__}: {error}; put the "
            "module's folder on Python's path, in every process that makes samples",
            function,
        ) from error
    if not hasattr(module, name):
        near = difflib.get_close_matches(name, dir(module), n=1)
        hint = f"did you mean {near[0]}?" if near else "name a function that it defines"
        raise RecipeError(f"own stage {function}: {module_name} has no {name}; {hint}", function)
    found = getattr(module, name)
    if not callable(found):
        raise RecipeError(f"own stage {function}: expected a function, received {type(found).__name__}", function)
    return found  # type: ignore[no-any-return]


def _columns(part: Own | OwnMark, shape: Shape) -> list[Ends]:  # noqa: ARG001
    return [low_high(value) for _, value in sorted(part.values.items())]


def _growth(part: Own, side_px: float, shape: Shape) -> float:  # noqa: ARG001
    return part.grow_px


@contextmanager
def _named(function: str, sample: int) -> Iterator[None]:
    """Whatever is raised within becomes a StageError that names the function and the sample."""
    try:
        yield
    except Exception as error:
        raise StageError(
            f"own stage {function} failed at sample {sample} with {type(error).__name__}: {error}; correct the "
            "function, or take the stage out of the recipe",
            function,
        ) from error


def _warp_kernel(part: Own | OwnMark, function: Function) -> Callable[..., None]:
    def kernel(
        start: int,
        on: Bools,
        params: Floats,
        keys: Words,
        counts: Counts,
        ink: Bytes,
        origin: Places,
        extent: Places,
        *_: object,
    ) -> None:
        given, out = np.empty((2, *ink.shape[2:]), np.uint8)
        for i in np.flatnonzero(on):
            for k in range(counts[i]):
                if extent[i, k, X1]:
                    origin[i, k] -= _centre(ink[i, k], extent[i, k], given)
                    out[:] = 0
                    with _named(part.function, start + int(i)):
                        function(given, _values(part, params[i]), sample_key(keys[i], np.uint64(k)), out)
                    ink[i, k] = out
                    extent[i, k] = 0, 0, *out.shape
                    tighten(out, extent[i, k])

    return kernel


def _centre(patch: Bytes, extent: Places, given: Bytes) -> tuple[int, int]:
    """Copy the ink to the middle of ``given``, where it has room to grow; returns by how much it moved, x and y."""
    x0, y0, x1, y1 = (int(at) for at in extent)
    x, y = (patch.shape[1] - x1 + x0) // 2, (patch.shape[0] - y1 + y0) // 2
    given[:] = 0
    given[y : y + y1 - y0, x : x + x1 - x0] = patch[y0:y1, x0:x1]
    return x - x0, y - y0


def _clutter_kernel(part: Own | OwnMark, function: Function) -> Callable[..., None]:
    def kernel(start: int, on: Bools, params: Floats, keys: Words, cover: Bytes) -> None:
        for i in np.flatnonzero(on):
            with _named(part.function, start + int(i)):
                function(_values(part, params[i]), keys[i], cover[i])

    return kernel


def _camera_kernel(part: Own | OwnMark, function: Function) -> Callable[..., None]:
    def kernel(start: int, on: Bools, params: Floats, keys: Words, images: Bytes, _: object) -> None:
        out = np.empty(images.shape[1:], np.uint8)
        for i in np.flatnonzero(on):
            out[:] = 0
            with _named(part.function, start + int(i)):
                function(images[i], _values(part, params[i]), keys[i], out)
            images[i] = out

    return kernel


def _values(part: Own | OwnMark, row: Floats) -> Floats:
    """The part's own numbers: the rows of ``params`` are as wide as the widest stage's."""
    return np.ascontiguousarray(row[: len(part.values)])
