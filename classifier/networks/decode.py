"""From the scores of any network to its readings. NumPy only, vectorised over images."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from classifier.networks.ctc import decode_ctc
from classifier.networks.head import STRIDE
from classifier.networks.readings import Floats, Readings, log_softmax
from synth_engine.recipe import Recipe
from synth_engine.samples import PADDING

RADIUS = 1  # cells around a peak that belong to the same character; training leaves exactly these without a say
PRESENCE_MIN = 0.5  # beyond the fewest characters, a peak counts when it is likelier a character than none
CHUNK = 8  # images at a time whose scores stay in a core's cache
ODDS_MAX = 80.0  # log-odds beyond which float32 overflows


def decode(scores: Floats, recipe: Recipe, *, presence_min: float = PRESENCE_MIN) -> Readings:
    """Read the scores of any network (see `networks`) for images of ``recipe``."""
    if scores.ndim == 3 and scores.shape[-1] > len(recipe.alphabet):
        return decode_ctc(scores, recipe.length_max, recipe.shape[0])
    if scores.ndim == 3:
        return decode_heads(scores, recipe.shape)
    return decode_grid(scores, recipe.length_range, presence_min=presence_min)


def decode_grid(scores: Floats, length: tuple[int, int], *, presence_min: float = PRESENCE_MIN) -> Readings:
    """The strongest peaks of a grid (N, h, w, alphabet + 1), none within ``RADIUS`` cells of a stronger one."""
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
    return _readings(log_softmax(picked[..., :-1]), strength, kept, points)


def decode_heads(scores: Floats, shape: tuple[int, int]) -> Readings:
    """The best class of each position of (N, L, alphabet); the middles are spread evenly, since nothing tells them."""
    count, length, _ = scores.shape
    x = (np.arange(length, dtype=np.float32) + 0.5) * shape[1] / length
    points = np.broadcast_to(np.stack([x, np.full_like(x, shape[0] / 2)], -1), (count, length, 2))
    everywhere = np.ones((count, length), np.float32)
    return _readings(log_softmax(scores), everywhere, everywhere > 0, points.astype(np.float32))


def presence_of(scores: Floats) -> Floats:
    """(N, h, w) probability that some character is centred in a cell."""
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
    """Flat cells (N, count) and presence (N, count) of the strongest peaks, strongest first."""
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


def _readings(classes: Floats, strength: Floats, kept: NDArray[np.bool_], points: Floats) -> Readings:
    certainty = np.exp(classes.max(axis=-1)) * strength
    return Readings(
        codes=np.where(kept, classes.argmax(axis=-1), PADDING).astype(np.uint8),
        certainty=np.where(kept, certainty, 1.0).astype(np.float32),
        points=np.ascontiguousarray(points, np.float32),
        scores=classes,
    )
