"""Fitting a calibration to unlabelled real images. NumPy only.

Two kinds of error need two cures. Random errors show when an image is read twice: by one reader in two views, or by two
readers trained from two seeds. The share of texts on which both agree estimates the share that is right (Jiang et al.
2022, "Assessing generalization of SGD via disagreement"). Agreement and accuracy differ by an offset, which synthetic
images show, since their texts are known (Baek et al. 2022, "Agreement-on-the-line"). A temperature brings the mean
confidence to the estimate. Systematic errors repeat in every view, but show in the class shares: a class that is read
more often than it occurs is wrong at least that often, which sets its ceiling.
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

TEMPERATURES = (0.25, 10.0)  # beyond these, the estimate is wrong rather than the network
FINEST = 1e-4  # of shares whose sample size is not known
HALVINGS = 40


@dataclass(frozen=True, kw_only=True)
class Looks:
    """Readings of the same N images: as they are, in each of several warped views, and by a second reader, if any."""

    plain: Readings
    views: Sequence[Readings]
    second: Readings | None = None

    @property
    def agreement(self) -> float:
        """Mean share of whole texts that are read alike in a view and in the plain image."""
        return float(np.mean([right_share(view, self.plain.codes) for view in self.views]))

    @property
    def second_agreement(self) -> float | None:
        """Share of whole texts that the second reader reads alike, None without one."""
        return None if self.second is None else float(same_texts(self.second.codes, self.plain.codes).mean())


def fit(real: Looks, synthetic: Looks, labels: NDArray[np.uint8], expected: Floats) -> Calibration:
    """The calibration for images like ``real``, given ``synthetic`` ones with ``labels`` (N, L) uint8.

    expected: (alphabet,) float32 share of each class among characters, which the real ones are taken to follow.
    """
    estimate = estimated_right(real, synthetic, right_share(synthetic.plain, labels))
    codes = real.plain.codes
    return Calibration(
        temperature=temperature_for(real.plain.certainty, estimate),
        ceilings=tuple(np.round(class_ceilings(codes[codes != PADDING], expected), 4).tolist()),
        agreement=round(real.agreement, 4),
        estimate=round(estimate, 4),
        images=len(real.plain),
        second_agreement=None if real.second_agreement is None else round(real.second_agreement, 4),
    )


def estimated_right(real: Looks, synthetic: Looks, accuracy: float) -> float:
    """Share of the texts of ``real`` estimated right, if ``accuracy`` is that of ``synthetic``.

    It is the lower of two estimates. Agreement of views shows errors that a small change of the image reveals;
    agreement of readers shows errors that depend on the seed of training. Repeated errors count as right, so both are
    too high, and the lower is nearer. A second reader can therefore not raise the estimate.
    """
    finest = 0.5 / len(synthetic.plain)
    estimates = [along_the_line(real.agreement, synthetic.agreement, accuracy, finest)]
    if real.second_agreement is not None and synthetic.second_agreement is not None:
        estimates.append(along_the_line(real.second_agreement, synthetic.second_agreement, accuracy, finest))
    return min(estimates)


def right_share(readings: Readings, codes: NDArray[np.uint8]) -> float:
    """Share of texts equal to ``codes`` (N, L)."""
    return float((readings.codes == codes).all(axis=1).mean())


def along_the_line(agreement: float, known_agreement: float, known_accuracy: float, finest: float = FINEST) -> float:
    """Accuracy where readings agree on ``agreement``, from images of which both agreement and accuracy are known.

    finest: distance from 0 and 1 that shares keep, as a finite sample may agree on all images and a probit would then
    be infinite. Source: Baek et al. 2022, section 3: on a probit scale, accuracy and agreement follow lines of the same
    slope, here 1.
    """
    normal = NormalDist()
    moved, known, accuracy = (
        normal.inv_cdf(float(np.clip(share, finest, 1 - finest)))
        for share in (agreement, known_agreement, known_accuracy)
    )
    return normal.cdf(moved + accuracy - known)


def temperature_for(certainty: Floats, share: float) -> float:
    """The temperature, within `TEMPERATURES`, at which the mean confidence of texts is ``share``.

    certainty: (N, L) float32, 1 past the end of a text.
    """
    low, high = TEMPERATURES
    for _ in range(HALVINGS):
        middle = (low * high) ** 0.5
        surer = np.prod(soften(certainty, middle), axis=1).mean() > share
        low, high = (middle, high) if surer else (low, middle)
    return round(middle, 4)


def class_ceilings(codes: NDArray[np.uint8], expected: Floats) -> Floats:
    """(alphabet,) float32 highest share of readings of each class that can be right; codes: (M,) uint8, no padding.

    If a class is a share q of what is read and p of what is there, at most p / q of its readings are right. Shares read
    are first shrunk towards the expected ones, by as much as chance explains (James & Stein 1961, positive part).
    """
    count = max(1, len(codes))
    read = class_shares(codes, len(expected))
    chance = float((expected * (1 - expected)).sum()) / count
    spread = float(((read - expected) ** 2).sum())
    kept = max(0.0, 1.0 - chance / spread) if spread else 0.0
    shares = expected + kept * (read - expected)
    return np.minimum(1.0, expected / np.maximum(shares, 1e-9)).astype(np.float32)
