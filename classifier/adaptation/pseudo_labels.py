"""Which characters of real images may teach: pseudo-labels from the readings of two views. NumPy only.

Characters are chosen one by one: three certain characters teach even if a line hides the fourth. A class teaches no
more than its expected share, so a class that is read too often cannot grow further.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from classifier.learning.lesson import PseudoLabels
from classifier.learning.settings import Adaptation
from classifier.networks.readings import Floats, Readings
from classifier.reading.class_shares import class_shares
from synth_engine.samples import PADDING

MATCH_PX = 8.0  # two views' characters this near are the same one
ITERATIONS = 20


@dataclass(frozen=True, kw_only=True)
class RoundScores:
    """How a round went, measured on unlabelled images.

    kept, agreement: shares of the characters read that teach, and that both views read alike; whole: share of images
    whose characters all teach; rarest, commonest: codes of the classes read least and most often, relative to their
    expected shares (the ratios).
    """

    kept: float
    whole: float
    agreement: float
    rarest: int
    rarest_ratio: float
    commonest: int
    commonest_ratio: float

    def line(self, alphabet: str) -> str:
        """One line for the log and the report."""
        return (
            f"kept {self.kept:.1%} of characters ({self.whole:.1%} of images whole), views agree on "
            f"{self.agreement:.1%}, {alphabet[self.rarest]!r} is read x{self.rarest_ratio:.2f} as often as expected, "
            f"{alphabet[self.commonest]!r} x{self.commonest_ratio:.2f}"
        )


def choose(
    first: Readings, second: Readings, expected: Floats, settings: Adaptation, keep: float
) -> tuple[PseudoLabels, RoundScores]:
    """Pseudo-labels from the readings of two views of the same images, ``second``'s points in the first's frame.

    expected: (alphabet,) class shares, summing to 1; scores are first aligned to them. A character teaches if both
    views read the same class, its certainty is at least ``settings.certainty_min``, and it is among the most certain
    ones of its class. Of these, ``keep`` times the number expected of the class are taken.
    """
    partner, matched = match(first.points, second.points, first.codes != PADDING, second.codes != PADDING)
    other = np.take_along_axis(second.scores, partner[..., np.newaxis], axis=1)
    present = first.codes != PADDING
    scores: Floats = (np.stack([first.scores, other]) / settings.temperature).astype(np.float32)
    offsets = alignment(scores.mean(axis=0)[present], expected, settings.align)
    aligned = _softmax(scores + offsets)
    codes = aligned.mean(axis=0).argmax(axis=-1)
    agreed = matched & (aligned.argmax(axis=-1) == codes).all(axis=0)
    certainty = aligned.mean(axis=0).max(axis=-1) * _presence(first) * present
    sure = most_certain(
        codes,
        np.where(agreed, certainty, 0.0).astype(np.float32),
        expected,
        keep * present.sum(),
        settings.certainty_min,
    )
    labels = np.where(present, codes, PADDING).astype(np.uint8)
    costs = class_costs(first, expected, settings.align)
    pseudo = PseudoLabels(labels=labels, points=first.points, weights=sure.astype(np.float32), costs=costs)
    return pseudo, _scores(first.codes, present, sure, agreed, expected)


def match(
    first: Floats, second: Floats, first_present: NDArray[np.bool_], second_present: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """For each point (N, L, 2) the index (N, L) of the nearest in ``second`` and whether it is within ``MATCH_PX``."""
    distance = np.linalg.norm(first[:, :, np.newaxis] - second[:, np.newaxis], axis=-1)
    distance = np.where(second_present[:, np.newaxis], distance, np.inf)
    return distance.argmin(axis=-1), (distance.min(axis=-1) <= MATCH_PX) & first_present


def alignment(scores: Floats, expected: Floats, strength: float) -> Floats:
    """Offsets (alphabet,) to add to log-probabilities (M, alphabet) so that mean class shares approach ``expected``.

    The shares aimed at are expected^strength · found^(1 - strength), normalised. Sinkhorn's iteration over classes, as
    in Asano et al. 2020, "Self-labelling via simultaneous clustering and representation learning", eq. 7.
    """
    offsets = np.zeros(scores.shape[-1], np.float32)
    if not len(scores) or strength == 0.0:
        return offsets
    found = _softmax(scores).mean(axis=0)
    aim = np.maximum(expected, 1e-6) ** strength * np.maximum(found, 1e-6) ** (1.0 - strength)
    aim /= aim.sum()
    for _ in range(ITERATIONS):
        offsets += np.log(aim / np.maximum(_softmax(scores + offsets).mean(axis=0), 1e-9)).astype(np.float32)
    return offsets


def class_costs(readings: Readings, expected: Floats, strength: float) -> Floats:
    """(alphabet,) cost of each class: log(found / aim), above 0 if it is read too often, below 0 if too seldom.

    ``found`` is the mean probability of each class over the characters present, and the aim is that of `alignment`. Up
    to a constant this is the gradient of the Kullback-Leibler divergence of ``found`` from the aim.
    """
    presence = _presence(readings) * (readings.codes != PADDING)
    found = (presence[..., np.newaxis] * _softmax(readings.scores)).sum(axis=(0, 1)) / max(float(presence.sum()), 1.0)
    return (strength * np.log(np.maximum(found, 1e-6) / np.maximum(expected, 1e-6))).astype(np.float32)


def most_certain(
    codes: NDArray[np.int64], certainty: Floats, expected: Floats, total: float, certainty_min: float
) -> NDArray[np.bool_]:
    """Which characters (N, L) reach ``certainty_min`` and are in the ``total * expected[class]`` most certain ones."""
    sure = np.zeros(codes.shape, bool)
    flat = sure.reshape(-1)
    for code, share in enumerate(expected):
        (places,) = np.nonzero((codes.reshape(-1) == code) & (certainty.reshape(-1) >= max(certainty_min, 1e-6)))
        order = np.argsort(-certainty.reshape(-1)[places], kind="stable")
        flat[places[order[: round(total * float(share))]]] = True
    return sure


def _presence(readings: Readings) -> Floats:
    """(N, L) probability that a character is there at all."""
    return np.minimum(readings.certainty / np.maximum(np.exp(readings.scores.max(axis=-1)), 1e-9), 1.0)


def _scores(
    codes: NDArray[np.uint8],
    present: NDArray[np.bool_],
    sure: NDArray[np.bool_],
    agreed: NDArray[np.bool_],
    expected: Floats,
) -> RoundScores:
    relative = class_shares(codes[present], len(expected)) / np.maximum(expected, 1e-9)
    low, high = int(relative.argmin()), int(relative.argmax())
    return RoundScores(
        kept=float(sure.sum() / max(1, present.sum())),
        whole=float((sure | ~present).all(axis=1).mean()),
        agreement=float(agreed.sum() / max(1, present.sum())),
        rarest=low,
        rarest_ratio=float(relative[low]),
        commonest=high,
        commonest_ratio=float(relative[high]),
    )


def _softmax(scores: Floats) -> Floats:
    raised = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return (raised / raised.sum(axis=-1, keepdims=True)).astype(np.float32)
