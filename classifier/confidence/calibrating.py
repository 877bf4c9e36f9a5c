"""Calibrating a reader: it reads real and synthetic images, plain and in warped views, and a calibration is fitted."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from classifier.confidence.fitting import Looks, fit
from classifier.learning.learner import warped_view
from classifier.learning.settings import Adaptation
from classifier.networks.readings import Readings, join
from classifier.reading.calibration import Calibration
from classifier.reading.class_shares import expected_shares
from classifier.reading.reader import Reader, digest_of
from synth_engine.synthesizer import Synthesizer

SYNTHETIC = 2048
VIEWS = 2
SEED = 2**31 - 7  # of the synthetic images; a training run has others unless it is given this very seed


def calibrate(
    reader: Reader,
    images: NDArray[np.uint8],
    model: Path,
    second: Reader | None = None,
) -> Calibration:
    """Write `calibration.json` beside ``model`` for images like ``images`` (N, H, W) uint8 {0, 1}.

    second: a reader of the same images, trained from another seed. Returns what was written.
    """
    calibration = replace(calibration_for(reader, images, second=second), model=digest_of(model))
    calibration.save(model.parent)
    return calibration


def calibration_for(
    reader: Reader,
    images: NDArray[np.uint8],
    synthetic: int = SYNTHETIC,
    second: Reader | None = None,
) -> Calibration:
    """The calibration of ``reader`` for images like ``images`` (N, H, W) uint8 {0, 1}."""
    bare = replace(reader, calibration=None)
    batch = Synthesizer(bare.recipe, SEED).batch(0, synthetic)
    real, known = look(bare, images, second), look(bare, batch.images, second)
    return fit(real, known, batch.labels, expected_shares(bare.recipe, SEED))


def look(reader: Reader, images: NDArray[np.uint8], second: Reader | None = None) -> Looks:
    """Read ``images`` as they are, in `VIEWS` views warped as in adaptation, and with the reader ``second``, if any."""
    return Looks(
        plain=reader.read(images),
        views=[read_warped(reader, images, salt) for salt in range(VIEWS)],
        second=second.read(images) if second else None,
    )


def read_warped(reader: Reader, images: NDArray[np.uint8], salt: int) -> Readings:
    """Read ``images`` warped at random; ``salt`` is the seed."""
    size, ranges, parts = reader.batch_size, Adaptation().view, []
    for start in range(0, len(images), size):
        warped, _ = warped_view(images[start : start + size], (salt, start), ranges)
        parts.append(reader.read_scaled(warped.numpy()))
    return join(parts)
