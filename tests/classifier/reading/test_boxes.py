"""Boxes around what was read."""

from __future__ import annotations

import numpy as np
import pytest

from classifier.networks.head import CharacterTargets
from classifier.networks.heads import GRID
from classifier.reading.boxes import boxes_of, class_extents
from synth_engine import Recipe, Synthesizer


def test_boxes_stand_where_the_characters_are(tiny: Recipe) -> None:
    pytest.importorskip("tensorflow")
    from classifier.networks.grid_targets import grid_targets
    from classifier.networks.points import centres

    batch = Synthesizer(tiny, 3).batch(0, 50)
    taught = CharacterTargets(batch.labels, centres(batch.boxes), np.ones(batch.labels.shape, np.float32))
    classes = grid_targets(taught, tiny.shape, len(tiny.alphabet)).classes.numpy()
    readings = GRID.decode(9.0 * np.eye(len(tiny.alphabet) + 1, dtype=np.float32)[classes], tiny)
    found = boxes_of(readings, class_extents(tiny), tiny.shape).astype(int)
    low, high = (choose(found, batch.boxes) for choose in (np.maximum, np.minimum))
    shared = np.prod((high[..., 2:] - low[..., :2]).clip(0), axis=-1)
    area = sum(np.prod(boxes[..., 2:] - boxes[..., :2].astype(int), axis=-1) for boxes in (found, batch.boxes))
    assert np.median(shared / (area - shared)) > 0.6
