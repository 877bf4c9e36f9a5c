"""Boxes of characters that were read: the middle from the network, the size from how the recipe renders the class."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from classifier.networks.readings import Floats, Readings
from synth_engine.recipe import Recipe
from synth_engine.samples import PADDING
from synth_engine.synthesizer import Synthesizer

SAMPLES = 4096


def class_extents(recipe: Recipe, samples: int = SAMPLES) -> Floats:
    """(alphabet, 2) float32 median width and height in px of each character of ``recipe`` that touches no edge.

    A character that touches an edge in all samples has the median of all characters.
    """
    batch = Synthesizer(recipe, 0).batch(0, samples)
    height, width = recipe.shape
    x0, y0, x1, y1 = np.moveaxis(batch.boxes.astype(np.float32), -1, 0)
    free = (batch.labels != PADDING) & (x0 > 0) & (y0 > 0) & (x1 < width) & (y1 < height)
    sides, labels = np.stack([x1 - x0, y1 - y0], -1)[free], batch.labels[free]
    usual = np.median(sides, axis=0) if len(sides) else np.array([width / recipe.length_max, height])
    chosen = [sides[labels == code] for code in range(len(recipe.alphabet))]
    return np.array([np.median(one, axis=0) if len(one) else usual for one in chosen], np.float32)


def boxes_of(readings: Readings, extents: Floats, shape: tuple[int, int]) -> NDArray[np.int16]:
    """(N, L, 4) int16 x0, y0, x1, y1 in px, half-open, inside the canvas ``shape`` H, W; 0 past the end of a text.

    extents: (alphabet, 2) float32 width and height in px of each class.
    """
    present = readings.codes != PADDING
    half = extents[np.where(present, readings.codes, 0)] / 2
    middle = readings.points + 0.5
    boxes = np.concatenate([middle - half, middle + half], axis=-1).round()
    height, width = shape
    return np.where(present[..., np.newaxis], boxes.clip(0, [width, height, width, height]), 0).astype(np.int16)
