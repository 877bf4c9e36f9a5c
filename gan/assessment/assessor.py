"""Assessor: takes a refiner's figures on held-out images, synthetic and real; what raw images give is taken once."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gan.assessment.label_preservation import ReaderTest
from gan.settings.metrics import Figures
from gan.simgan.label_judge import LabelJudge, for_chunks, in_chunks
from synth_engine.samples import Batch
from synth_engine.training.two_sample import TwoSampleTest
from synth_engine.training.value_range import to_network

if TYPE_CHECKING:
    from gan.run.data import Images
    from gan.simgan.model import SimGAN

Floats = NDArray[np.float32]


class Assessor:
    """Assesses ``model`` on ``synthetic`` samples and ``real`` images (N, H, W) uint8 {0, 1} that it never trains on.

    All figures but the mean change are of binary images, as `gan.refine` makes them of the same samples: those from
    index ``synthetic.start`` on under ``seed``.
    """

    def __init__(
        self, model: SimGAN, synthetic: Batch, seed: int, real: Images, test: TwoSampleTest, reader: LabelJudge | None
    ) -> None:
        self.model, self.synthetic, self.seed, self.test, self.reader = model, synthetic, seed, test, reader
        self.raw, self.real = to_network(synthetic.images), to_network(real)
        self._numbers = np.arange(synthetic.start, synthetic.start + len(synthetic))
        self._judge = for_chunks(model.log_odds, len(self.real))

    def assess(self, step: int) -> Figures:
        """All figures of the averaged weights as they are now; the first call takes those of raw images too."""
        refiner = self.model.frozen
        grey = in_chunks(lambda raw, numbers: refiner.grey(raw, numbers[0]), self.raw, self._numbers)
        drawn = in_chunks(lambda each, numbers: refiner.binarise(each, self.seed, numbers[0]), grey, self._numbers)
        return Figures(
            step=step,
            mean_change=float(np.abs(grey - self.raw).mean()) / 2.0,
            drawn_change=float(np.mean(drawn != self.raw)),
            accuracy_real=float(np.mean(in_chunks(self._judge, self.real) > 0)),
            accuracy_refined=float(np.mean(in_chunks(self._judge, self._as_many(drawn)) <= 0)),
            two_sample=self.test.accuracy(self._as_many(drawn), self.real),
            two_sample_raw=self._told_apart_raw,
            spread=spread(drawn) / max(spread(self.raw), 1e-6),
            **(self._reader_test.figures(drawn) if self._reader_test else {}),
        )

    @cached_property
    def _told_apart_raw(self) -> float:
        return self.test.accuracy(self._as_many(self.raw), self.real)

    def _as_many(self, images: Floats) -> Floats:
        """As many of them as there are real images: a reader is asked about more."""
        return images[: len(self.real)]

    @cached_property
    def _reader_test(self) -> ReaderTest | None:
        return ReaderTest(self.reader, self.synthetic, self.raw, self.real) if self.reader else None


def spread(images: Floats) -> float:
    """Deviation of a pixel over images (N, H, W, 1), the mean over pixels: 0 where all are alike."""
    return float(images.std(axis=0).mean())
