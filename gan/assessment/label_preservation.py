"""ReaderTest: what a frozen reader makes of refined images, against what it makes of raw and of real ones."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gan.assessment.kernel_distance import kernel_distance
from gan.simgan.label_judge import LabelJudge, for_chunks, in_chunks, readable
from synth_engine.samples import Batch

Floats = NDArray[np.float32]
Bools = NDArray[np.bool_]


class ReaderTest:
    """Asks ``reader`` about the samples ``synthetic``; ``raw`` are their images and ``real`` others, (N, H, W, 1).

    Labels are counted on all samples, features compared of as many as there are real images.
    """

    def __init__(self, reader: LabelJudge, synthetic: Batch, raw: Floats, real: Floats) -> None:
        self.synthetic, self.raw = synthetic, raw
        self._scores, self._features = (for_chunks(one, len(raw)) for one in (reader.scores, reader.features))
        self.there = readable(synthetic.labels, synthetic.boxes).numpy()
        self.raw_right = self._right(raw, np.arange(len(raw)))
        self.real_features = in_chunks(self._features, real)
        self.kernel_raw = self._kernel(raw)

    def figures(self, refined: Floats) -> dict[str, float]:
        """Those of `Figures` that need a reader, for ``refined`` images of the samples."""
        right, changed = self.raw_right.copy(), np.flatnonzero((refined != self.raw).any(axis=(1, 2, 3)))
        right[changed] = self._right(refined, changed)
        kept, worst = labels_kept(self.raw_right, right, self.synthetic.labels, self.there)
        return {"kernel": self._kernel(refined), "kernel_raw": self.kernel_raw, "kept": kept, "kept_worst": worst}

    def _kernel(self, images: Floats) -> float:
        features = in_chunks(self._features, images[: len(self.real_features)])
        return kernel_distance(features, self.real_features)

    def _right(self, images: Floats, numbers: NDArray[np.intp]) -> Bools:
        """Which characters of the samples with these ``numbers`` are read right on their ``images``: (n, L)."""
        if not len(numbers):
            return np.zeros((0, self.synthetic.labels.shape[1]), np.bool_)
        scores = in_chunks(self._scores, images[numbers], self.synthetic.boxes[numbers])
        return scores.argmax(axis=-1) == self.synthetic.labels[numbers]


def labels_kept(raw_right: Bools, refined_right: Bools, labels: NDArray[np.uint8], there: Bools) -> tuple[float, float]:
    """Right characters on refined over those on raw images: of all, and of the class where it is least; 1 of nothing.

    All arrays are (N, L); only characters that are ``there`` count.
    """
    classes = (there & (labels == one) for one in np.unique(labels[there]))
    each = [_share(refined_right[mine], raw_right[mine]) for mine in classes]
    return _share(refined_right[there], raw_right[there]), min(each, default=1.0)


def _share(part: Bools, whole: Bools) -> float:
    return float(part.sum() / whole.sum()) if whole.any() else 1.0
