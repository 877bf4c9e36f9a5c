"""Agreement: what readers trained apart read in the same images, and what that says of them unlabelled. NumPy only.

Two networks trained alike from different seeds make their chance errors apart: the share of texts that they read
differently estimates the share that each gets wrong (Jiang et al. 2022, "Assessing generalization of SGD via
disagreement", section 4). What both get wrong in the same way, such as a font that the recipe lacks, counts as
agreement and is not seen: on images of another kind than those trained on, take the estimate as an upper bound of
accuracy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from classifier.networks.readings import Floats, Readings
from classifier.reading.class_shares import class_shares
from synth_engine.samples import PADDING

Codes = NDArray[np.uint8]
WORST = 10


@dataclass(frozen=True, kw_only=True)
class Pair:
    """How two of the readers compare.

    first, second: their numbers; texts and lengths: shares of images read to the same text, to texts of one length;
    compared: characters in texts of one length; characters: share of those that are read alike; disputes: (class that
    the first reads, class that the second reads, how often) where they differ, commonest first.
    """

    first: int
    second: int
    texts: float
    lengths: float
    compared: int
    characters: float
    disputes: tuple[tuple[int, int, int], ...]

    @property
    def right_at_most(self) -> float:
        """What the mean of both readers' accuracies cannot exceed: of two different texts, one at least is wrong."""
        return (1.0 + self.texts) / 2


@dataclass(frozen=True, kw_only=True)
class Distance:
    """Total variation, in [0, 1], between the classes read and those expected, and what chance alone would make it."""

    found: float
    chance: float


def compare(readers: Sequence[Readings]) -> tuple[Pair, ...]:
    """Every two of ``readers``, R ≥ 2 readings of the same N ≥ 1 images in one alphabet."""
    return tuple(_pair(i, j, readers[i].codes, readers[j].codes) for i, j in combinations(range(len(readers)), 2))


def estimates(pairs: Sequence[Pair]) -> tuple[float, ...]:
    """Estimated share of right texts of each reader: its mean agreement with the others.

    Holds where readers waver on the same hard images, each class as often right as it gets votes there. Shared errors
    make it too high (see above), errors that never fall on one image too low, by what `Pair.right_at_most` is more.
    """
    count = 1 + max(pair.second for pair in pairs)
    return tuple(float(np.mean([pair.texts for pair in pairs if k in (pair.first, pair.second)])) for k in range(count))


def same_texts(first: Codes, second: Codes) -> NDArray[np.bool_]:
    """(N,) whether codes (N, L) and (N, M), 255 past the end, are the same text."""
    one, other = _as_wide(first, second)
    same: NDArray[np.bool_] = (one == other).all(axis=1)
    return same


def class_distance(codes: Codes, expected: Floats) -> Distance:
    """How far the classes among ``codes`` (N, L) lie from their ``expected`` shares (alphabet,).

    Chance is the mean of as many draws from the expected shares, by the normal approximation of each class's count.
    """
    count = max(1, int((codes != PADDING).sum()))
    shares = class_shares(codes, len(expected))
    chance = np.sqrt(2 * expected * (1 - expected) / (np.pi * count)).sum() / 2
    return Distance(found=float(np.abs(shares - expected).sum() / 2), chance=float(chance))


def disputed(readers: Sequence[Readings], count: int) -> tuple[NDArray[np.int64], Floats]:
    """Up to ``count`` images on which readers differ, surest first, and how surely.

    Two readers differ as surely as the less sure of them is; of several pairs the surest counts.
    """
    sure = np.zeros(len(readers[0]), np.float32)
    differ = np.zeros(len(readers[0]), bool)
    for one, other in combinations(readers, 2):
        apart = ~same_texts(one.codes, other.codes)
        sure = np.maximum(sure, np.minimum(one.confidence(), other.confidence()) * apart)
        differ |= apart
    order = np.argsort(-np.where(differ, sure, -1.0), kind="stable")[: min(count, int(differ.sum()))]
    return order, sure[order]


def _pair(i: int, j: int, first: Codes, second: Codes) -> Pair:
    one, other = _as_wide(first, second)
    level = (one != PADDING).sum(axis=1) == (other != PADDING).sum(axis=1)
    present = level[:, np.newaxis] & (one != PADDING)
    read, against = one[present], other[present]
    return Pair(
        first=i,
        second=j,
        texts=float(same_texts(first, second).mean()),
        lengths=float(level.mean()),
        compared=len(read),
        characters=float((read == against).mean()) if len(read) else 0.0,
        disputes=_disputes(read, against),
    )


def _disputes(read: Codes, against: Codes) -> tuple[tuple[int, int, int], ...]:
    differ = read != against
    kinds, counts = np.unique(np.stack([read[differ], against[differ]]), axis=1, return_counts=True)
    order = np.argsort(-counts, kind="stable")
    return tuple((int(a), int(b), int(n)) for (a, b), n in zip(kinds.T[order], counts[order], strict=True))


def _as_wide(first: Codes, second: Codes) -> tuple[Codes, Codes]:
    """Both, padded to the longer of their greatest lengths."""
    width = max(first.shape[1], second.shape[1])
    one, other = (
        np.pad(codes, ((0, 0), (0, width - codes.shape[1])), constant_values=PADDING) for codes in (first, second)
    )
    return one, other
