"""Reading whatever PATHs hold with a reader: lazily, in batches, with an account of what could not be read.

While the network reads one batch, a thread finds and decodes the next.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from classifier.networks.readings import Readings
from classifier.reading.reader import Reader
from synth_engine.errors import RealImagesError
from synth_engine.real import Found, binarize, iter_grey
from synth_engine.recipe import Recipe
from synth_engine.synthesizer import Synthesizer

_T = TypeVar("_T")

BATCH = 2048
INVERTED_MIN = 0.5  # share of ink above which an image may have the wrong polarity
LOOKED_AT = 64


@dataclass(frozen=True)
class Batch:
    """N images: their names, grey values (N, H, W) uint8 as found, and what was read in them."""

    names: tuple[str, ...]
    grey: NDArray[np.uint8]
    readings: Readings


@dataclass
class Account:
    """What was left out: (name, reason), the reason being damage or another size than the recipe's.

    ``names``: all images met, whether asked for or not; ``repeated``: names met again, of which the first is read.
    """

    read: int = 0
    names: set[str] = field(default_factory=set)
    damaged: list[tuple[str, str]] = field(default_factory=list)
    wrong_size: list[tuple[str, str]] = field(default_factory=list)
    repeated: list[tuple[str, str]] = field(default_factory=list)

    def lines(self) -> list[str]:
        """One line an image that was left out, then the counts."""
        left_out = [f"{name}: {reason}" for name, reason in [*self.damaged, *self.wrong_size, *self.repeated]]
        counts = f"{self.read} read, {len(self.damaged)} damaged, {len(self.wrong_size)} of another size"
        counts += f", {len(self.repeated)} left out for a repeated name" if self.repeated else ""
        return [*left_out, counts]


def read_paths(
    reader: Reader, paths: Sequence[str | Path], account: Account, only: Container[str] | None = None
) -> Iterator[Batch]:
    """Read all images in ``paths`` (see `target.iter_grey`), in order; fills ``account`` on the way.

    ``only``: names to read; other images that could be read are passed over, damaged ones always named. Raises
    RealImagesError at once for a path that is missing or empty, and for images of the other polarity.
    """
    return read_found(reader, chain.from_iterable([iter_grey(path) for path in paths]), account, only)


def found_in_list(lines: Iterable[str]) -> Iterator[Found]:
    """The images of a list of paths, one a line, as `target.iter_grey` finds them; a path that is none is damaged."""
    for path in filter(None, (line.rstrip("\r\n") for line in lines)):
        try:
            yield from iter_grey(path)
        except RealImagesError as error:
            yield Found(path, None, str(error))


def read_found(
    reader: Reader, found: Iterable[Found], account: Account, only: Container[str] | None = None
) -> Iterator[Batch]:
    """As `read_paths`, for images that were found elsewhere."""
    recipe = reader.recipe
    for names, grey in _ahead(_batches(_usable(recipe, found, account, only))):
        ink = binarize(grey, recipe.binarize)
        if not account.read:
            check_polarity(ink, recipe)
        account.read += len(names)
        yield Batch(names, grey, reader.read(ink))


def check_polarity(ink: NDArray[np.uint8], recipe: Recipe) -> None:
    """Raise RealImagesError if most of the images (N, H, W) uint8 {0, 1} are mostly ink, and the recipe's are not."""
    share = float(np.median(ink.mean(axis=(1, 2))))
    if share <= INVERTED_MIN:
        return
    usual = float(Synthesizer(recipe, 0).batch(0, LOOKED_AT).images.mean())
    if usual <= INVERTED_MIN:
        other = "dark" if recipe.binarize.ink == "light" else "light"
        raise RealImagesError(
            f"expected images with {usual:.0%} of ink, as recipe {recipe.name} makes them, received {share:.0%}: they "
            f"have another polarity or threshold; invert them, or train with binarize.ink = {other!r} in the recipe",
            share,
        )


def _batches(usable: Iterator[tuple[str, NDArray[np.uint8]]]) -> Iterator[tuple[tuple[str, ...], NDArray[np.uint8]]]:
    while batch := list(islice(usable, BATCH)):
        names, images = zip(*batch, strict=True)
        yield names, np.stack(images)


def _ahead(items: Iterator[_T]) -> Iterator[_T]:
    """``items``, each made in a thread while the one before is in use; what making one raises is raised here."""
    with ThreadPoolExecutor(1, "reading") as thread:
        waiting = thread.submit(next, items, None)
        while (item := waiting.result()) is not None:
            waiting = thread.submit(next, items, None)
            yield item


def _usable(
    recipe: Recipe, images: Iterable[Found], account: Account, only: Container[str] | None
) -> Iterator[tuple[str, NDArray[np.uint8]]]:
    taken: set[str] = set()
    for found in images:
        account.names.add(found.name)
        if only is not None and found.grey is not None and found.name not in only:
            continue
        grey = _of_size(found, recipe.shape, account)
        if grey is not None and found.name in taken:
            account.repeated.append((found.name, "repeats the name of an earlier image; rename it"))
        elif grey is not None:
            taken.add(found.name)
            yield found.name, grey


def _of_size(found: Found, shape: tuple[int, int], account: Account) -> NDArray[np.uint8] | None:
    if found.grey is None:
        account.damaged.append((found.name, found.problem or "damaged"))
        return None
    if found.grey.shape != shape:
        (height, width), (rows, columns) = found.grey.shape, shape
        account.wrong_size.append((found.name, f"{width}x{height} px, the model reads {columns}x{rows} px"))
        return None
    return found.grey
