"""Reading whatever PATHs hold with a recogniser: lazily, in batches, with an account of what could not be read."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from classifier.files import Recogniser
from synth_engine.target import Found, binarize, iter_grey

BATCH = 2048


@dataclass(frozen=True)
class Reading:
    """One image's text and the probability that all of it is right."""

    name: str
    text: str
    confidence: float


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
    recogniser: Recogniser, paths: Sequence[str | Path], account: Account, only: Container[str] | None = None
) -> Iterator[Reading]:
    """Readings of all images in ``paths`` (see `target.iter_grey`), in order; fills ``account`` on the way.

    ``only``: names to read; other images that could be read are passed over, damaged ones always named. Raises
    TargetError for a path that is missing or empty.
    """
    usable = _usable(recogniser, paths, account, only)
    while batch := list(islice(usable, BATCH)):
        names, images = zip(*batch, strict=True)
        readings = recogniser.read(np.stack(images))
        account.read += len(names)
        texts, confidence = readings.texts(recogniser.recipe.alphabet), readings.confidence()
        yield from (Reading(*row) for row in zip(names, texts, confidence.tolist(), strict=True))


def _usable(
    recogniser: Recogniser, paths: Sequence[str | Path], account: Account, only: Container[str] | None
) -> Iterator[tuple[str, NDArray[np.uint8]]]:
    taken: set[str] = set()
    for found in chain.from_iterable(map(iter_grey, paths)):
        account.names.add(found.name)
        if only is not None and found.grey is not None and found.name not in only:
            continue
        image = _image(found, recogniser, account)
        if image is not None and found.name in taken:
            account.repeated.append((found.name, "repeats the name of an earlier image; rename it"))
        elif image is not None:
            taken.add(found.name)
            yield found.name, image


def _image(found: Found, recogniser: Recogniser, account: Account) -> NDArray[np.uint8] | None:
    if found.grey is None:
        account.damaged.append((found.name, found.problem or "damaged"))
        return None
    if found.grey.shape != recogniser.recipe.shape:
        (height, width), (rows, columns) = found.grey.shape, recogniser.recipe.shape
        account.wrong_size.append((found.name, f"{width}x{height} px, the model reads {columns}x{rows} px"))
        return None
    return binarize(found.grey, recogniser.recipe.binarize)
