"""Target: the real images of a recipe, read, binarised and of one size, with an account of what was left out.

Nothing is resized: an image of another size is another kind of image, or the recipe's canvas is wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from synth_engine.errors import RealImagesError
from synth_engine.real.binarize import binarize
from synth_engine.real.images import Found, iter_grey
from synth_engine.recipe import Recipe

NAMES_SHOWN = 5


@dataclass(frozen=True, slots=True)
class IntakeReport:
    """What became of the files of a target.

    ``read`` counts the images that can be used; ``damaged`` holds (name, reason), ``wrong_size`` (name, (height,
    width) in px).
    """

    read: int
    damaged: tuple[tuple[str, str], ...] = ()
    wrong_size: tuple[tuple[str, tuple[int, int]], ...] = ()

    def summary(self) -> str:
        """One line, such as "20000 read, 2 damaged, 1 of another size"."""
        return f"{self.read} read, {len(self.damaged)} damaged, {len(self.wrong_size)} of another size"

    def lines(self, shown: int = NAMES_SHOWN) -> list[str]:
        """The summary, then the first ``shown`` names of each kind with their reasons."""
        damaged = [f"damaged: {name}: {reason}" for name, reason in self.damaged]
        sizes = [f"another size: {name}: {width}x{height} px" for name, (height, width) in self.wrong_size]
        return [self.summary(), *_first(damaged, shown), *_first(sizes, shown)]


@dataclass(frozen=True, slots=True)
class RealImages:
    """The usable real images: ``images`` (N, H, W) uint8 {0, 1}, unique ``names``, and the `IntakeReport`."""

    images: npt.NDArray[np.uint8]
    names: tuple[str, ...]
    report: IntakeReport


def load_real_images(
    path: str | Path, recipe: Recipe, limit: int | None = None, *, progress: bool = False
) -> RealImages:
    """Read the real images in ``path`` (see `iter_grey`) and binarise them by ``recipe.binarize``.

    Stops after ``limit`` usable images. Damaged images, repeated names (the first is kept) and images that are not
    ``recipe.shape`` are left out, counted and named in the report. ``progress`` shows a bar on stderr. Raises
    RealImagesError if ``path`` is missing or empty, or if no image can be used, RecipeError for a grey or RGB recipe.
    """
    recipe.require_binary()
    if limit is not None and limit < 1:
        raise RealImagesError(f"expected a limit of at least 1 image, received {limit}", limit)
    sorter = _Sorter(recipe)
    for found in _shown(iter_grey(path), progress):
        sorter.add(found)
        if len(sorter.images) == limit:
            break
    return sorter.target(path)


@dataclass(slots=True)
class _Sorter:
    """Sorts found images into usable, damaged and of another size."""

    recipe: Recipe
    images: dict[str, npt.NDArray[np.uint8]] = field(default_factory=dict)
    damaged: list[tuple[str, str]] = field(default_factory=list)
    wrong_size: list[tuple[str, tuple[int, int]]] = field(default_factory=list)

    def add(self, found: Found) -> None:
        if found.grey is None:
            self.damaged.append((found.name, found.problem or "unreadable"))
        elif found.grey.shape != self.recipe.shape:
            height, width = found.grey.shape
            self.wrong_size.append((found.name, (height, width)))
        elif found.name in self.images:
            self.damaged.append((found.name, "repeats the name of an earlier image; rename it"))
        else:
            self.images[found.name] = binarize(found.grey, self.recipe.binarize)

    def target(self, path: str | Path) -> RealImages:
        report = IntakeReport(len(self.images), tuple(self.damaged), tuple(self.wrong_size))
        if not self.images:
            height, width = self.recipe.shape
            raise RealImagesError(
                f"expected images of {width}x{height} px in {path}, none can be used; set the canvas of recipe "
                f"{self.recipe.name} to the images' size or fetch them again: {'; '.join(report.lines())}",
                report,
            )
        return RealImages(np.stack(list(self.images.values())), tuple(self.images), report)


def _shown(found: Iterator[Found], progress: bool) -> Iterable[Found]:
    if not progress:
        return found
    from tqdm import tqdm

    return tqdm(found, desc="reading", unit=" images", disable=None)


def _first(lines: list[str], shown: int) -> list[str]:
    rest = len(lines) - shown
    return lines[:shown] + ([f"… and {rest} more"] if rest > 0 else [])
