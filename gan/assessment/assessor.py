"""Assessor: takes a refiner's figures on held-out images, synthetic and real; what raw images give is taken once."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gan.assessment.figures import Figures
from gan.assessment.reading import ReaderTest
from gan.reader import Reader, in_chunks
from synth_engine.scaling import to_network
from synth_engine.synthesizer import Batch
from synth_engine.training.two_sample import TwoSampleTest

if TYPE_CHECKING:
    from gan.data import Images
    from gan.simgan import SimGAN

Floats = NDArray[np.float32]


class Assessor:
    """Assesses ``model`` on ``synthetic`` samples and ``real`` images (N, H, W) uint8 {0, 1} that it never trains on.

    Readers get refined images cut at 0, binary like real ones, so they are compared that way. Uncut they would be told
    apart by their grey alone; they are compared under the blur that the discriminator sees both through.
    """

    def __init__(
        self, model: SimGAN, synthetic: Batch, real: Images, test: TwoSampleTest, reader: Reader | None
    ) -> None:
        self.model, self.synthetic, self.test, self.reader = model, synthetic, test, reader
        self.raw, self.real = to_network(synthetic.images), to_network(real)

    def assess(self, step: int) -> Figures:
        """All figures of the averaged weights as they are now; the first call takes those of raw images too."""
        refined = in_chunks(self.model, self.raw)
        cut = cut_to_binary(refined)
        return Figures(
            step=step,
            mean_change=float(np.abs(refined - self.raw).mean()) / 2.0,
            accuracy_real=float(np.mean(in_chunks(self.model.log_odds, self.real) > 0)),
            accuracy_refined=float(np.mean(in_chunks(self.model.log_odds, refined) <= 0)),
            two_sample=self.test.accuracy(cut, self.real),
            two_sample_grey=self._told_apart_soft(refined),
            spread=spread(refined) / max(spread(self.raw), 1e-6),
            **self._of_raw,
            **(self._reader_test.figures(cut) if self._reader_test else {}),
        )

    @cached_property
    def _of_raw(self) -> dict[str, float]:
        binary, soft = self.test.accuracy(self.raw, self.real), self._told_apart_soft(self.raw)
        return {"two_sample_raw": binary, "two_sample_grey_raw": soft}

    @cached_property
    def _reader_test(self) -> ReaderTest | None:
        return ReaderTest(self.reader, self.synthetic, self.raw, self.real) if self.reader else None

    def _told_apart_soft(self, images: Any) -> float:
        soften = self.model.view.soften
        return self.test.accuracy(in_chunks(soften, images), in_chunks(soften, self.real))


def cut_to_binary(images: Floats) -> Floats:
    """Images in [-1, 1] as {-1, 1}: ink above 0, as those who train readers on refined images cut them."""
    return np.where(images > 0, np.float32(1), np.float32(-1))


def spread(images: Floats) -> float:
    """Deviation of a pixel over images (N, H, W, 1), the mean over pixels: 0 where all are alike."""
    return float(images.std(axis=0).mean())
