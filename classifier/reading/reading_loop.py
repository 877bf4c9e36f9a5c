"""The reading loop: usable real images in batches through a reader.

While the network reads one batch, a thread finds and decodes the next. `synth_engine.real` decides which images can be
used.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from classifier.networks.readings import Readings
from classifier.reading.reader import Reader
from synth_engine.real import Found, IntakeReport, UsableImage, iter_grey, usable_images

_T = TypeVar("_T")

BATCH = 2048


@dataclass(frozen=True)
class ReadBatch:
    """N images: their names, grey values (N, H, W) uint8 as found, and what was read in them."""

    names: tuple[str, ...]
    grey: NDArray[np.uint8]
    readings: Readings


def read_paths(
    reader: Reader, paths: Sequence[str | Path], report: IntakeReport, only: Container[str] | None = None
) -> Iterator[ReadBatch]:
    """Read all images in ``paths`` (see `synth_engine.real.iter_grey`), in order; fills ``report`` on the way.

    ``only``: names to read; other images that could be read are passed over, damaged ones always named. Raises
    RealImagesError at once for a path that is missing or empty, later for images of the other polarity.
    """
    return read_found(reader, chain.from_iterable([iter_grey(path) for path in paths]), report, only)


def read_found(
    reader: Reader, found: Iterable[Found], report: IntakeReport, only: Container[str] | None = None
) -> Iterator[ReadBatch]:
    """As `read_paths`, for images that were found elsewhere."""
    usable = usable_images(found, reader.recipe, report, only=only)
    for images in _ahead(iter(lambda: list(islice(usable, BATCH)), [])):
        yield _read(reader, images)


def _read(reader: Reader, images: Sequence[UsableImage]) -> ReadBatch:
    readings = reader.read(np.stack([image.ink for image in images]))
    return ReadBatch(tuple(image.name for image in images), np.stack([image.grey for image in images]), readings)


def _ahead(items: Iterator[_T]) -> Iterator[_T]:
    """``items``, each made in a thread while the one before is in use; what making one raises is raised here."""
    with ThreadPoolExecutor(1, "reading") as thread:
        waiting = thread.submit(next, items, None)
        while (item := waiting.result()) is not None:
            waiting = thread.submit(next, items, None)
            yield item
