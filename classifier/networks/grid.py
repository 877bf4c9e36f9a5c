"""The grid network: each cell of 4 x 4 px scores the character whose middle lies in it, or none.

It reads texts of any length and knows where characters are. What its cells should say stands in `grid_targets`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifier.networks.head import PRESENCE_MIN, STRIDE, CharacterTargets, Head
from classifier.networks.readings import Floats, Readings, log_softmax
from synth_engine.recipe import Recipe
from synth_engine.samples import PADDING

PRIOR = 0.02  # share of cells with a character that training starts from (Lin et al. 2017, focal loss, section 4.1)
RADIUS = 1  # cells around a peak that belong to the same character; training leaves exactly these without a say
CHUNK = 8  # images at a time whose scores stay in a core's cache
ODDS_MAX = 80.0  # log-odds beyond which float32 overflows


class GridHead(Head):
    """Scores (N, ceil(H/4), ceil(W/4), alphabet + 1), the last class for no character."""

    name = "grid"
    scores_kind = "grid"
    has_places = True
    extra_classes = 1

    def build(self, recipe: Recipe, *, width: int, depth: int) -> Any:
        """`layers.cell_features` and one score for each class; it starts out from cells that are mostly blank."""
        import keras
        from keras import layers

        from classifier.networks.layers import cell_features

        characters = len(recipe.alphabet)
        images = keras.Input((*recipe.shape, 1), name="images")
        scores = layers.Conv2D(characters + 1, 1, name="scores")
        network = keras.Model(images, scores(cell_features(images, width, depth)), name=self.name)
        scores.bias.assign([0.0] * characters + [math.log(characters * (1 - PRIOR) / PRIOR)])
        return network

    def loss(
        self, scores: Any, targets: CharacterTargets, shape: tuple[int, int], blank_weight: float
    ) -> tuple[Any, Any]:
        """See `grid_targets.grid_loss`."""
        from classifier.networks.grid_targets import grid_loss, grid_targets

        return grid_loss(scores, grid_targets(targets, shape, int(scores.shape[-1]) - 1), blank_weight)

    def decode(self, scores: Floats, recipe: Recipe, *, presence_min: float = PRESENCE_MIN) -> Readings:
        """See `decode_grid`."""
        return decode_grid(scores, recipe.length_range, presence_min=presence_min)

    def information_loss(self, scores: Any, targets: CharacterTargets, costs: Any, shape: tuple[int, int]) -> Any:
        """See `grid_targets.information_loss`."""
        from classifier.networks.grid_targets import information_loss

        return information_loss(scores, targets.labels, targets.points, costs, shape)


def decode_grid(scores: Floats, length: tuple[int, int], *, presence_min: float = PRESENCE_MIN) -> Readings:
    """The strongest peaks of a grid (N, h, w, alphabet + 1), none within `RADIUS` cells of a stronger one.

    length: fewest and most characters L of a text. The fewest are read however weak their peaks are, further ones only
    above the probability ``presence_min``.
    """
    fewest, most = length
    count, _, columns, _ = scores.shape
    presence = presence_of(scores)
    cells, strength = find_peaks(presence, most)
    kept = strength > np.where(np.arange(most) < fewest, -1.0, presence_min)
    x = _columns(presence, cells)
    order = np.argsort(np.where(kept, x, np.inf), axis=1, kind="stable")
    cells, strength = np.take_along_axis(cells, order, axis=1), np.take_along_axis(strength, order, axis=1)
    kept, x = np.take_along_axis(kept, order, axis=1), np.take_along_axis(x, order, axis=1)
    picked = np.take_along_axis(scores.reshape(count, -1, scores.shape[-1]), cells[..., np.newaxis], axis=1)
    places = np.stack([x, (cells // columns).astype(np.float32)], -1)
    points = places * np.float32(STRIDE) + np.float32((STRIDE - 1) / 2)
    classes = log_softmax(picked[..., :-1])
    certainty = np.exp(classes.max(axis=-1)) * strength
    return Readings(
        codes=np.where(kept, classes.argmax(axis=-1), PADDING).astype(np.uint8),
        certainty=np.where(kept, certainty, 1.0).astype(np.float32),
        points=np.ascontiguousarray(points, np.float32),
        scores=classes,
    )


def presence_of(scores: Floats) -> Floats:
    """(N, h, w) probability that some character is centred in a cell, from scores (N, h, w, alphabet + 1)."""
    presence = np.empty(scores.shape[:3], np.float32)
    ones = np.ones(scores.shape[-1] - 1, np.float32)
    for start in range(0, len(scores), CHUNK):
        part = scores[start : start + CHUNK]
        odds = part[..., :-1] - part[..., -1:]
        np.exp(np.minimum(odds, ODDS_MAX, out=odds), out=odds)
        with np.errstate(invalid="ignore"):  # BLAS may raise the flag over lanes that it reads beyond the odds
            total = odds @ ones
        presence[start : start + CHUNK] = total / (1.0 + total)
    return presence


def find_peaks(presence: Floats, count: int) -> tuple[NDArray[np.int64], Floats]:
    """Flat cells (N, count) int64 and presence (N, count) float32 of the peaks of (N, h, w), strongest first."""
    images, rows, columns = presence.shape
    left = presence.copy()
    row, column = np.arange(rows)[:, np.newaxis], np.arange(columns)
    cells, strength = np.empty((images, count), np.int64), np.empty((images, count), np.float32)
    for k in range(count):
        cells[:, k] = left.reshape(images, -1).argmax(axis=1)
        at_row, at_column = (index[:, np.newaxis, np.newaxis] for index in np.divmod(cells[:, k], columns))
        strength[:, k] = left[np.arange(images), at_row[:, 0, 0], at_column[:, 0, 0]]
        left[(np.abs(row - at_row) <= RADIUS) & (np.abs(column - at_column) <= RADIUS)] = -1.0
    return cells, np.maximum(strength, 0.0)


def _columns(presence: Floats, cells: NDArray[np.int64]) -> Floats:
    """Columns of peaks, moved by up to half a cell towards the likelier neighbour: it orders close pairs."""
    images, _, columns = presence.shape
    row, column = np.divmod(cells, columns)
    padded = np.pad(presence, ((0, 0), (0, 0), (1, 1)))
    image = np.arange(images)[:, np.newaxis]
    before, here, after = (padded[image, row, column + k] for k in (0, 1, 2))
    return (column + (after - before) / (2.0 * np.maximum(here + np.maximum(before, after), 1e-6))).astype(np.float32)
