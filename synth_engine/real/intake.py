"""Intake: which of the images found can be used, and a report of those that cannot.

The one place that decides what is damaged, repeated, of another size or of the other polarity. Training, prediction,
evaluation, calibration, comparison and review all read real images through it. Nothing is resized: an image of another
size is another kind of image, or the recipe's canvas is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from synth_engine.errors import RealImagesError
from synth_engine.real.binarize import binarize
from synth_engine.real.images import Found, image_count, iter_grey
from synth_engine.recipe import Recipe
from synth_engine.synthesizer import Synthesizer

Pixels = npt.NDArray[np.uint8]

NAMES_SHOWN = 5
POLARITY_IMAGES = 256  # real images that are read before the first is used, to learn their polarity
POLARITY_SAMPLES = 64  # images of the recipe to compare with
INVERTED_MIN = 0.5  # share of ink that separates light images with dark ink from the inverse


class GreyImage(NamedTuple):
    """A readable image: its name and its grey values (H, W), uint8 0 black to 255 white."""

    name: str
    grey: Pixels


class UsableImage(NamedTuple):
    """An image that fits a recipe: its name, grey values (H, W) uint8 as found, and ink (H, W) uint8 {0, 1}."""

    name: str
    grey: Pixels
    ink: Pixels


@dataclass(slots=True)
class IntakeReport:
    """What became of the images found; it fills while they are read.

    - read: images that can be used;
    - damaged: (name, reason);
    - wrong_size: (name, (height, width) in px), and shape: what was expected, None where any size is;
    - repeated: names that an earlier usable image has; that one is used;
    - inverted: what is wrong with the polarity of all images, None where nothing is;
    - names: of all images found, wanted or not.
    """

    read: int = 0
    damaged: list[tuple[str, str]] = field(default_factory=list)
    wrong_size: list[tuple[str, tuple[int, int]]] = field(default_factory=list)
    shape: tuple[int, int] | None = None
    repeated: list[str] = field(default_factory=list)
    inverted: str | None = None
    names: set[str] = field(default_factory=set)

    def summary(self) -> str:
        """One line, such as "20000 read, 2 damaged, 1 of another size, 0 repeated"."""
        return (
            f"{self.read} read, {len(self.damaged)} damaged, {len(self.wrong_size)} of another size, "
            f"{len(self.repeated)} repeated"
        )

    def lines(self, shown: int | None = NAMES_SHOWN) -> list[str]:
        """The summary, then a line for each image left out, at most ``shown`` of a kind (None: all)."""
        damaged = [f"damaged: {name}: {reason}" for name, reason in self.damaged]
        expected = f" instead of {self.shape[1]}x{self.shape[0]} px" if self.shape else ""
        sizes = [f"another size: {name}: {width}x{height} px{expected}" for name, (height, width) in self.wrong_size]
        repeated = [f"repeated: {name}: an earlier image of this name is used; rename it" for name in self.repeated]
        inverted = [f"warning: {self.inverted}"] if self.inverted else []
        return [self.summary(), *_first(damaged, shown), *_first(sizes, shown), *_first(repeated, shown), *inverted]


@dataclass(frozen=True, slots=True)
class RealImages:
    """The usable real images: ``images`` (N, H, W) uint8 {0, 1}, unique ``names``, and the `IntakeReport`."""

    images: Pixels
    names: tuple[str, ...]
    report: IntakeReport


def load_real_images(
    path: str | Path,
    recipe: Recipe,
    limit: int | None = None,
    *,
    allow_inverted: bool = False,
    progress: Callable[[int, int | None], object] | None = None,
) -> RealImages:
    """Read the real images in ``path`` (see `iter_grey`) and binarise them by ``recipe.binarize``.

    Stops after ``limit`` usable images. What `usable_images` leaves out is counted and named in the report.
    ``progress`` is called with the number of images found so far, and of all of them where that is known.

    Raises RealImagesError if ``path`` is missing or empty, if no image can be used, and, without ``allow_inverted``,
    if the images have the other polarity; RecipeError for a grey or RGB recipe.
    """
    if limit is not None and limit < 1:
        raise RealImagesError(f"expected a limit of at least 1 image, received {limit}", limit)
    recipe.require_binary()
    report, found = IntakeReport(), iter_grey(path)
    counted = found if progress is None else _counted(found, image_count(path), progress)
    usable = usable_images(counted, recipe, report, limit=limit, allow_inverted=allow_inverted)
    images = {image.name: image.ink for image in usable}
    if not images:
        height, width = recipe.shape
        raise RealImagesError(
            f"expected images of {width}x{height} px in {path}, none can be used; set the canvas of recipe "
            f"{recipe.name} to the images' size or fetch them again: {'; '.join(report.lines())}",
            report,
        )
    return RealImages(np.stack(list(images.values())), tuple(images), report)


def usable_images(
    found: Iterable[Found],
    recipe: Recipe,
    report: IntakeReport,
    *,
    only: Container[str] | None = None,
    limit: int | None = None,
    allow_inverted: bool = False,
) -> Iterator[UsableImage]:
    """The images that can be used for ``recipe``, binarised, lazily and in order; fills ``report`` on the way.

    Images that `readable_images` leaves out, and those after ``limit``, are not given. Polarity is decided by the first
    `POLARITY_IMAGES`. Raises RecipeError (at once) for a grey or RGB recipe, and RealImagesError if ink and ground are
    exchanged; with ``allow_inverted`` the report says so instead.
    """
    recipe.require_binary()
    fitting = islice(readable_images(found, report, shape=recipe.shape, only=only), limit)
    return _of_one_polarity(
        (UsableImage(name, grey, binarize(grey, recipe.binarize)) for name, grey in fitting),
        recipe,
        report,
        allow_inverted,
    )


def readable_images(
    found: Iterable[Found],
    report: IntakeReport,
    *,
    shape: tuple[int, int] | None = None,
    only: Container[str] | None = None,
) -> Iterator[GreyImage]:
    """The images that are whole, have the ``shape`` (H, W) if one is given, and a name that no earlier one has.

    Lazy and in order. ``report`` says what is left out. Images whose name is not in ``only`` are passed over, but
    damaged ones are always named, since damage may have cost the name.
    """
    used: set[str] = set()
    report.shape = shape
    for image in found:
        name, grey = image.name, image.grey
        report.names.add(name)
        if grey is None:
            report.damaged.append((name, image.problem or "unreadable"))
        elif only is not None and name not in only:
            continue
        elif shape is not None and grey.shape != shape:
            report.wrong_size.append((name, (grey.shape[0], grey.shape[1])))
        elif name in used:
            report.repeated.append(name)
        else:
            used.add(name)
            report.read += 1
            yield GreyImage(name, grey)


def polarity_problem(ink: Pixels, recipe: Recipe, samples: Pixels | None = None) -> str | None:
    """What is wrong where images (N, H, W) uint8 {0, 1} are mostly ink and the recipe's are not, or the reverse.

    ``samples`` are images of the recipe (M, H, W). Without them the reverse is not found, and some are rendered only if
    the images are mostly ink: reading needs no font.
    """
    share = _median_ink(ink)
    if samples is None:
        if share <= INVERTED_MIN:
            return None
        samples = Synthesizer(recipe, 0).batch(0, POLARITY_SAMPLES).images
    usual = _median_ink(samples)
    if (share > INVERTED_MIN) == (usual > INVERTED_MIN):
        return None
    other = "dark" if recipe.binarize.ink == "light" else "light"
    return (
        f"ink and ground seem exchanged: expected images with about {usual:.0%} of ink, as recipe {recipe.name} makes "
        f"them, received {share:.0%}; invert the images, or set ink = {other!r} or another threshold in [binarize] of "
        "the recipe"
    )


def _median_ink(ink: Pixels) -> float:
    return float(np.median(ink.mean(axis=(1, 2))))


def _of_one_polarity(
    usable: Iterator[UsableImage], recipe: Recipe, report: IntakeReport, allow_inverted: bool
) -> Iterator[UsableImage]:
    first = list(islice(usable, POLARITY_IMAGES))
    if first:
        report.inverted = polarity_problem(np.stack([image.ink for image in first]), recipe)
    if report.inverted and not allow_inverted:
        raise RealImagesError(report.inverted, report)
    yield from chain(first, usable)


def _counted(
    found: Iterable[Found], total: int | None, progress: Callable[[int, int | None], object]
) -> Iterator[Found]:
    for done, image in enumerate(found, 1):
        yield image
        progress(done, total)


def _first(lines: list[str], shown: int | None) -> list[str]:
    rest = 0 if shown is None else len(lines) - shown
    return lines[:shown] + ([f"… and {rest} more"] if rest > 0 else [])
