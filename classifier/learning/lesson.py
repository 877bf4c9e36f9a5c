"""What real images teach, as a value: which character stands where, and how much it counts. NumPy only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from classifier.networks.readings import Floats


@dataclass(frozen=True, kw_only=True)
class PseudoLabels:
    """Labels that a network gave N unlabelled real images, with at most L characters each.

    labels: (N, L) uint8 indices into the alphabet, 255 for none; points: (N, L, 2) float32 middles x, y in px; weights:
    (N, L) float32, 0 where a character is too doubtful to teach; costs: (alphabet,) float32, how much each class is
    read too often, the same for all images.
    """

    labels: NDArray[np.uint8]
    points: Floats
    weights: Floats
    costs: Floats
