"""LabelPreservation: what a frozen reader makes of refined images, compared with raw and with real ones."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gan.assessment.chunks import for_chunks, in_chunks
from gan.assessment.kernel_distance import kernel_distance
from gan.simgan.label_judge import LabelJudge, readable
from synth_engine.samples import Batch

Floats = NDArray[np.float32]
Bools = NDArray[np.bool_]


class LabelPreservation:
    """Lets ``judge`` read the samples ``synthetic``; ``raw`` are their images, ``real`` others, all (N, H, W, 1).

    Labels are counted on all samples. Features are compared for as many of them as there are real images.
    """

    def __init__(self, judge: LabelJudge, synthetic: Batch, raw: Floats, real: Floats) -> None:
        self.synthetic, self.raw = synthetic, raw
        self._scores, self._features = (for_chunks(one, len(raw)) for one in (judge.scores, judge.features))
        self.there = readable(synthetic.labels, synthetic.boxes).numpy()
        self.raw_right = self._right(raw, np.arange(len(raw)))
        self.real_features = in_chunks(self._features, real)
        self.kernel_raw = self._kernel(raw)

    def metrics(self, refined: Floats) -> dict[str, float]:
        """Those of `RefinerMetrics` that need a reader, for ``refined`` images of the samples."""
        right, changed = self.raw_right.copy(), np.flatnonzero((refined != self.raw).any(axis=(1, 2, 3)))
        right[changed] = self._right(refined, changed)
        preserved, worst = preservation(self.raw_right, right, self.synthetic.labels, self.there)
        return {
            "kernel_distance": self._kernel(refined),
            "kernel_distance_raw": self.kernel_raw,
            "label_preservation": preserved,
            "label_preservation_worst": worst,
        }

    def _kernel(self, images: Floats) -> float:
        features = in_chunks(self._features, images[: len(self.real_features)])
        return kernel_distance(features, self.real_features)

    def _right(self, images: Floats, numbers: NDArray[np.intp]) -> Bools:
        """Which characters (n, L) of the samples ``numbers`` are read correctly on their ``images``."""
        if not len(numbers):
            return np.zeros((0, self.synthetic.labels.shape[1]), np.bool_)
        scores = in_chunks(self._scores, images[numbers], self.synthetic.boxes[numbers])
        return scores.argmax(axis=-1) == self.synthetic.labels[numbers]


def preservation(
    raw_right: Bools, refined_right: Bools, labels: NDArray[np.uint8], there: Bools
) -> tuple[float, float]:
    """Characters read correctly on refined images over those on raw ones: of all, and of the class where it is least.

    All arrays are (N, L); only characters that are ``there`` count. 1 where no character is read correctly on raw ones.
    """
    classes = (there & (labels == one) for one in np.unique(labels[there]))
    each = [_share(refined_right[mine], raw_right[mine]) for mine in classes]
    return _share(refined_right[there], raw_right[there]), min(each, default=1.0)


def _share(part: Bools, whole: Bools) -> float:
    return float(part.sum() / whole.sum()) if whole.any() else 1.0
