"""Agreement of readers that were trained independently, and what it says of their accuracy without labels. NumPy only.

Two networks trained alike from different seeds make independent random errors. The share of texts that they read
differently therefore estimates the share that each gets wrong (Jiang et al. 2022, "Assessing generalization of SGD via
disagreement", section 4). An error that both make, for example because the recipe lacks a font, counts as agreement.
So on images unlike those trained on, the estimate is an upper bound of accuracy.
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
class ReaderPair:
    """How two of the readers compare.

    first, second: indices of the two readers; texts: share of images that they read to the same text; lengths: share
    that they read to texts of the same length; compared: number of characters in those; characters: share of these
    that they read alike; disputes: (class read by the first, class read by the second, count), commonest first.
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
        """Upper bound of the mean of both readers' accuracies: of two different texts, at least one is wrong."""
        return (1.0 + self.texts) / 2


@dataclass(frozen=True, kw_only=True)
class ClassDistance:
    """Total variation distance, in [0, 1], of the class shares read from those expected, and its value by chance."""

    found: float
    chance: float


def compare_readings(readers: Sequence[Readings]) -> tuple[ReaderPair, ...]:
    """Compare each two of ``readers``, R ≥ 2 readings of the same N ≥ 1 images in one alphabet."""
    return tuple(_pair(i, j, readers[i].codes, readers[j].codes) for i, j in combinations(range(len(readers)), 2))


def estimates(pairs: Sequence[ReaderPair]) -> tuple[float, ...]:
    """Estimated accuracy of each of the R readers on whole texts: its mean agreement with the others.

    The estimate holds where readers hesitate on the same hard images, and a class is right as often as readers choose
    it. Shared errors make it too high, errors that never fall on the same image too low.
    """
    count = 1 + max(pair.second for pair in pairs)
    return tuple(float(np.mean([pair.texts for pair in pairs if k in (pair.first, pair.second)])) for k in range(count))


def same_texts(first: Codes, second: Codes) -> NDArray[np.bool_]:
    """(N,) bool, whether codes (N, L) and (N, M), 255 past the end, are the same text."""
    one, other = _as_wide(first, second)
    same: NDArray[np.bool_] = (one == other).all(axis=1)
    return same


def class_distance(codes: Codes, expected: Floats) -> ClassDistance:
    """How far the classes among ``codes`` (N, L) uint8 are from their ``expected`` shares (alphabet,).

    The value by chance is the mean for as many samples of the expected shares, by the normal approximation of counts.
    """
    count = max(1, int((codes != PADDING).sum()))
    shares = class_shares(codes, len(expected))
    chance = np.sqrt(2 * expected * (1 - expected) / (np.pi * count)).sum() / 2
    return ClassDistance(found=float(np.abs(shares - expected).sum() / 2), chance=float(chance))


def disputed(readers: Sequence[Readings], count: int) -> tuple[NDArray[np.int64], Floats]:
    """Up to ``count`` images on which readers differ, most confident first, as indices, and how confident they are.

    The confidence of a pair is the lower of both readers'; of several pairs that differ, the highest counts.
    """
    sure = np.zeros(len(readers[0]), np.float32)
    differ = np.zeros(len(readers[0]), bool)
    for one, other in combinations(readers, 2):
        apart = ~same_texts(one.codes, other.codes)
        sure = np.maximum(sure, np.minimum(one.confidence(), other.confidence()) * apart)
        differ |= apart
    order = np.argsort(-np.where(differ, sure, -1.0), kind="stable")[: min(count, int(differ.sum()))]
    return order, sure[order]


def _pair(i: int, j: int, first: Codes, second: Codes) -> ReaderPair:
    one, other = _as_wide(first, second)
    level = (one != PADDING).sum(axis=1) == (other != PADDING).sum(axis=1)
    present = level[:, np.newaxis] & (one != PADDING)
    read, against = one[present], other[present]
    return ReaderPair(
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
    """Both arrays, padded to the wider one."""
    width = max(first.shape[1], second.shape[1])
    one, other = (
        np.pad(codes, ((0, 0), (0, width - codes.shape[1])), constant_values=PADDING) for codes in (first, second)
    )
    return one, other
