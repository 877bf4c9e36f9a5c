"""Readings: what a network read in a batch of images, whatever the network. NumPy only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synth_engine.samples import PADDING

Floats = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Readings:
    """What was read in N images, at most L characters each, left to right.

    codes: (N, L) uint8 indices into the alphabet, 255 past the end; certainty: (N, L) float32 in [0, 1], probability
    that a character is there and is this one, 1 past the end; points: (N, L, 2) float32 x, y in px of the middle;
    scores: (N, L, alphabet) float32, log-probability of each class given that a character is there.
    """

    codes: NDArray[np.uint8]
    certainty: Floats
    points: Floats
    scores: Floats

    def __len__(self) -> int:
        return len(self.codes)

    def texts(self, alphabet: str) -> list[str]:
        """The codes as strings."""
        return to_texts(self.codes, alphabet)

    def seconds(self) -> tuple[NDArray[np.uint8], Floats]:
        """Second choices: codes (N, L) uint8, 255 past the end, and their probability (N, L) float32, 0 past the end.

        What ``certainty`` leaves is shared out as the scores share it, never to more than the first choice has.
        """
        first, chances = self.codes != PADDING, np.exp(self.scores)
        order = np.argpartition(chances, -2, axis=-1)[..., -2:]
        pair = np.take_along_axis(chances, order, axis=-1)
        lesser = pair.argmin(axis=-1)[..., np.newaxis]
        codes = np.take_along_axis(order, lesser, axis=-1)[..., 0]
        share = pair.min(axis=-1) / np.maximum(1.0 - pair.max(axis=-1), 1e-6)
        chance = np.minimum(self.certainty, (1.0 - self.certainty) * np.minimum(share, 1.0))
        return np.where(first, codes, PADDING).astype(np.uint8), np.where(first, chance, 0.0).astype(np.float32)

    def confidence(self) -> Floats:
        """(N,) probability that the whole text is right, taking its characters as independent: their product."""
        return np.prod(self.certainty, axis=1, dtype=np.float32)


def to_texts(codes: NDArray[np.uint8], alphabet: str) -> list[str]:
    """Codes (N, L), 255 for no character, as strings."""
    characters = np.full(PADDING + 1, "", dtype="U1")
    characters[: len(alphabet)] = list(alphabet)
    return ["".join(row) for row in characters[codes].tolist()]


def join(parts: list[Readings]) -> Readings:
    """Readings of several batches as one."""
    names = ("codes", "certainty", "points", "scores")
    return Readings(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})


def log_softmax(scores: Floats) -> Floats:
    """Log-probabilities along the last axis."""
    shifted = scores - scores.max(axis=-1, keepdims=True)
    return (shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))).astype(np.float32)
