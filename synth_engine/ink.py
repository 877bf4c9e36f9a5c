"""Which grey levels are ink: the recipe's rule, for real images and painted ones alike."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from synth_engine.recipe import Binarize


def is_ink(grey: npt.NDArray[np.uint8], rule: Binarize) -> npt.NDArray[np.bool_]:
    """Value > threshold (``light``) or value < threshold (``dark``), and value == 0 with ``zero_is_ink``."""
    ink = grey > rule.threshold if rule.ink == "light" else grey < rule.threshold
    if rule.zero_is_ink:
        ink |= grey == 0
    return ink
