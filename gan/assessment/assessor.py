"""Assessor: measures a refiner on held-out images, synthetic and real. Metrics of raw images are measured once."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gan.assessment.chunks import for_chunks, in_chunks
from gan.assessment.label_preservation import LabelPreservation
from gan.simgan.label_judge import LabelJudge
from synth_engine.samples import Batch
from synth_engine.training.refinement_report import RefinerMetrics
from synth_engine.training.two_sample import TwoSampleTest
from synth_engine.training.value_range import to_network

if TYPE_CHECKING:
    from gan.simgan.model import SimGAN

Floats = NDArray[np.float32]


class Assessor:
    """Assesses ``model`` on ``synthetic`` samples and ``real`` images (N, H, W) uint8 {0, 1} that it never trains on.

    All metrics but the mean change are of binary images, as `gan.refine` makes them of the same samples: those from
    index ``synthetic.start`` on under ``seed``. With a ``judge`` more ``synthetic`` samples than real images may be
    given; all but label preservation is measured on as many as there are real images.
    """

    def __init__(
        self, model: SimGAN, synthetic: Batch, seed: int, real: NDArray[np.uint8], test: TwoSampleTest,
        judge: LabelJudge | None,
    ) -> None:  # fmt: skip
        self.model, self.synthetic, self.seed, self.test, self.judge = model, synthetic, seed, test, judge
        self.raw, self.real = to_network(synthetic.images), to_network(real)
        self._numbers = np.arange(synthetic.start, synthetic.start + len(synthetic))
        self._log_odds = for_chunks(model.log_odds, len(self.real))

    def assess(self, step: int) -> RefinerMetrics:
        """All metrics of the present averaged weights."""
        refiner = self.model.frozen
        grey = in_chunks(lambda raw, numbers: refiner.grey(raw, numbers[0]), self.raw, self._numbers)
        refined = in_chunks(lambda each, numbers: refiner.binarise(each, self.seed, numbers[0]), grey, self._numbers)
        return RefinerMetrics(
            step=step,
            mean_change=float(np.abs(grey - self.raw).mean()) / 2.0,
            changed_pixels=float(np.mean(refined != self.raw)),
            accuracy_real=float(np.mean(in_chunks(self._log_odds, self.real) > 0)),
            accuracy_refined=float(np.mean(in_chunks(self._log_odds, self._as_many(refined)) <= 0)),
            two_sample_accuracy=self.test.accuracy(self._as_many(refined), self.real),
            two_sample_accuracy_raw=self._two_sample_accuracy_raw,
            relative_deviation=mean_deviation(refined) / max(mean_deviation(self.raw), 1e-6),
            **(self._label_preservation.metrics(refined) if self._label_preservation else {}),
        )

    @cached_property
    def _two_sample_accuracy_raw(self) -> float:
        return self.test.accuracy(self._as_many(self.raw), self.real)

    def _as_many(self, images: Floats) -> Floats:
        return images[: len(self.real)]

    @cached_property
    def _label_preservation(self) -> LabelPreservation | None:
        return LabelPreservation(self.judge, self.synthetic, self.raw, self.real) if self.judge else None


def mean_deviation(images: Floats) -> float:
    """Standard deviation of a pixel over images (N, H, W, 1), mean over pixels: 0 where all images are alike."""
    return float(images.std(axis=0).mean())
