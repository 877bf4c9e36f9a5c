"""Fitting a calibration to unlabelled real images. NumPy only.

Two kinds of error need two cures. Chance errors show when an image is looked at twice, by one reader in two views or by
two readers trained from two seeds: the share of texts on which both agree estimates the share that is right (Jiang et
al. 2022, "Assessing generalization of SGD via disagreement"). A second look agrees more or less often than the first is
right, by as much as synthetic images, whose texts are known, show (Baek et al. 2022, "Agreement-on-the-line"). A
temperature brings the mean confidence to that estimate. Errors that every look repeats show in the classes: one that is
read more often than it occurs is wrong at least that often.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from classifier.confidence.agreement import same_texts
from classifier.networks.readings import Floats, Readings
from classifier.reading.calibration import Calibration, soften
from classifier.reading.class_shares import class_shares
from synth_engine.samples import PADDING

TEMPERATURES = (0.25, 10.0)  # beyond, the estimate is at fault rather than the network
FINEST = 1e-4  # of shares whose sample size is not known
HALVINGS = 40


@dataclass(frozen=True, kw_only=True)
class Looks:
    """Readings of the same images as they are, in each of several views, and by another seed's reader, if any."""

    plain: Readings
    views: Sequence[Readings]
    second: Readings | None = None

    @property
    def agreement(self) -> float:
        """Mean share of whole texts that a view reads as the plain image."""
        return float(np.mean([right_share(view, self.plain.codes) for view in self.views]))

    @property
    def seeds(self) -> float | None:
        """Share of whole texts that the other seed's reader reads as this one, None without."""
        return None if self.second is None else float(same_texts(self.second.codes, self.plain.codes).mean())


def fit(real: Looks, synthetic: Looks, labels: NDArray[np.uint8], expected: Floats) -> Calibration:
    """The calibration for images as ``real``, given ``synthetic`` ones with ``labels`` (N, L) uint8.

    expected: (alphabet,) share of each class among characters, which the real ones are taken to follow.
    """
    estimate = estimated_right(real, synthetic, right_share(synthetic.plain, labels))
    codes = real.plain.codes
    return Calibration(
        temperature=temperature_for(real.plain.certainty, estimate),
        ceilings=tuple(np.round(class_ceilings(codes[codes != PADDING], expected), 4).tolist()),
        agreement=round(real.agreement, 4),
        estimate=round(estimate, 4),
        images=len(real.plain),
        seeds=None if real.seeds is None else round(real.seeds, 4),
    )


def estimated_right(real: Looks, synthetic: Looks, accuracy: float) -> float:
    """Share of ``real``'s texts estimated right, ``accuracy`` being that of ``synthetic``'s.

    The lower of what the views' agreement and the seeds' say. Each sees chance errors of one kind alone: views those
    that a small change of the image brings out, seeds those that depend on where training started. What a look repeats
    counts as right, so both err upwards, and the lower is nearer: a second reader never makes the first surer.
    """
    finest = 0.5 / len(synthetic.plain)
    looks = [along_the_line(real.agreement, synthetic.agreement, accuracy, finest)]
    if real.seeds is not None and synthetic.seeds is not None:
        looks.append(along_the_line(real.seeds, synthetic.seeds, accuracy, finest))
    return min(looks)


def right_share(readings: Readings, codes: NDArray[np.uint8]) -> float:
    """Share of texts equal to ``codes`` (N, L)."""
    return float((readings.codes == codes).all(axis=1).mean())


def along_the_line(agreement: float, known_agreement: float, known_accuracy: float, finest: float = FINEST) -> float:
    """Accuracy where looks agree on ``agreement``, from images where both are known: both move alike in probits.

    finest: how near to 0 or 1 a share can be told; two good seeds may agree on all images of a sample, and an infinite
    probit would stand for nothing but its size.
    Source: Baek et al. 2022, section 3: on a probit scale, accuracy and agreement follow lines of one slope, here 1.
    """
    normal = NormalDist()
    moved, known, accuracy = (
        normal.inv_cdf(float(np.clip(share, finest, 1 - finest)))
        for share in (agreement, known_agreement, known_accuracy)
    )
    return normal.cdf(moved + accuracy - known)


def temperature_for(certainty: Floats, share: float) -> float:
    """The temperature at which the mean of the texts' confidence is ``share``, within `TEMPERATURES`."""
    low, high = TEMPERATURES
    for _ in range(HALVINGS):
        middle = (low * high) ** 0.5
        surer = np.prod(soften(certainty, middle), axis=1).mean() > share
        low, high = (middle, high) if surer else (low, middle)
    return round(middle, 4)


def class_ceilings(codes: NDArray[np.uint8], expected: Floats) -> Floats:
    """(alphabet,) share of its readings (codes, flat, no padding) of which each class can be right at most.

    A class that makes up q of what is read and p of what is there is right for p / q at most. The shares read are first
    drawn towards the expected ones by as much of their spread as chance explains (James & Stein 1961, positive part).
    """
    count = max(1, len(codes))
    read = class_shares(codes, len(expected))
    chance = float((expected * (1 - expected)).sum()) / count
    spread = float(((read - expected) ** 2).sum())
    kept = max(0.0, 1.0 - chance / spread) if spread else 0.0
    shares = expected + kept * (read - expected)
    return np.minimum(1.0, expected / np.maximum(shares, 1e-9)).astype(np.float32)
