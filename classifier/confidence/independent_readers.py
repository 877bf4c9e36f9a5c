"""Readers of the same images trained apart: loading them together, and refusing those that cannot be compared."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations
from pathlib import Path

from classifier.reading.reader import Reader, config_beside, digest_of
from synth_engine.errors import ModelError
from synth_engine.recipe import Recipe


def load_apart(paths: Sequence[Path], echo: Callable[[str], object], *, calibrated: bool = True) -> list[Reader]:
    """The networks in ``paths``; ``echo`` gets a warning of each two that have one seed or one network to start from.

    Raises ModelError for one network given twice, and for another alphabet, canvas or way of binarising.
    """
    readers = [Reader.load(path, calibrated=calibrated) for path in paths]
    for (one, path), (other, beside) in combinations(zip(readers, paths, strict=True), 2):
        check_alike(one.recipe, path, other.recipe, beside)
        check_apart(path, beside, echo)
    return readers


def check_alike(recipe: Recipe, path: Path, other: Recipe, beside: Path) -> None:
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


def check_apart(path: Path, beside: Path, echo: Callable[[str], object]) -> None:
    """Raise ModelError if both are one network, which agrees with itself; warn of one seed, or one network to begin."""
    if digest_of(path) == digest_of(beside):
        raise ModelError(
            f"expected networks trained apart, {path} and {beside} are one and the same; train another with "
            "classifier.train --seed",
            beside,
        )
    first, second = config_beside(path), config_beside(beside)
    for key, name in (("seed", "seed"), ("start_from", "network")):
        if first.get(key) is not None and first.get(key) == second.get(key):
            echo(
                f"warning: {path} and {beside} were both trained from {name} {first[key]}: errors that they share by "
                "that count as agreement; train one with another --seed from the start"
            )
