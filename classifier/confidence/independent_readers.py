"""Readers of the same images that were trained independently: loading them, and refusing those not to be compared."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

from classifier.reading.reader import Reader, config_beside, digest_of
from synth_engine.errors import ModelError
from synth_engine.recipe import Recipe

log = logging.getLogger(__name__)


def load_independent(paths: Sequence[Path], *, calibrated: bool = True) -> list[Reader]:
    """The readers in ``paths``; logs a warning for each two with the same seed or the same network to start from.

    Raises ModelError for one network given twice, and for another alphabet, canvas or way of binarising.
    """
    readers = [Reader.load(path, calibrated=calibrated) for path in paths]
    for (one, path), (other, beside) in combinations(zip(readers, paths, strict=True), 2):
        check_same_images(one.recipe, path, other.recipe, beside)
        check_independent(path, beside)
    return readers


def check_same_images(recipe: Recipe, path: Path, other: Recipe, beside: Path) -> None:
    """Raise ModelError unless the recipes of two networks read the same images in the same characters."""
    for name, one, two in (
        ("the alphabet", recipe.alphabet, other.alphabet),
        ("a canvas (height, width in px)", recipe.shape, other.shape),
        ("the binarising", recipe.binarize, other.binarize),
    ):
        if one != two:
            raise ModelError(
                f"expected readers of the same images: {path} has {name} {one!r}, {beside} has {two!r}; train both "
                "with one recipe and two seeds",
                two,
            )


def check_independent(path: Path, beside: Path) -> None:
    """Raise ModelError if both files hold the same network; log a warning of a shared seed or first network."""
    if digest_of(path) == digest_of(beside):
        raise ModelError(
            f"expected networks trained independently, {path} and {beside} are one and the same; train another with "
            "classifier.train --seed",
            beside,
        )
    first, second = config_beside(path), config_beside(beside)
    for key, name in (("seed", "seed"), ("start_from", "network")):
        if first.get(key) is not None and first.get(key) == second.get(key):
            log.warning(
                "%s and %s were both trained from %s %s: errors that they therefore share count as agreement; train "
                "one from the start with another --seed",
                path,
                beside,
                name,
                first[key],
            )
