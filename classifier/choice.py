"""Whether adaptation did good: the network as it was before is kept where it scores better, no label read.

Self-training makes a network surer of whatever it reads, so that the score sees a collapse, not every harm.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifier.adapt import expected_shares, read_views
from classifier.agreement import class_distance
from classifier.config import Training
from classifier.files import Recogniser
from classifier.model import Learner
from synth_engine.recipe import Recipe

LOOKED_AT = 2_048
SALT = 2**10  # beyond any round's number, so that these views are none that adaptation has seen


@dataclass(frozen=True)
class Score:
    """agreement: share of texts that a warped view reads alike; distance: total variation of the classes read."""

    agreement: float
    distance: float

    @property
    def value(self) -> float:
        """Higher is better: what one of both finds at fault is not right."""
        return self.agreement - self.distance

    def __str__(self) -> str:
        return f"views agree on {self.agreement:.1%} of texts, classes are off by {self.distance:.1%}"


def score(network: Any, images: NDArray[np.uint8], recipe: Recipe, settings: Training) -> Score:
    """Of ``network`` on at most `LOOKED_AT` real ``images`` (N, H, W) uint8 {0, 1}, spread over all."""
    some = images[np.unique(np.linspace(0, len(images) - 1, min(LOOKED_AT, len(images))).astype(int))]
    reader = Recogniser(network, recipe, precision=settings.precision)
    plain, warped = read_views(reader, some, settings, SALT)
    agreement = float((plain.codes == warped.codes).all(axis=1).mean())
    return Score(agreement, class_distance(plain.codes, expected_shares(recipe, settings.seed)).found)


def keep_better(
    learner: Learner, before: list[Any], images: NDArray[np.uint8], recipe: Recipe, echo: Callable[[str], object]
) -> None:
    """Give the teacher its weights ``before`` adaptation again if it scored better with them."""
    after = learner.teacher.get_weights()
    adapted = score(learner.teacher, images, recipe, learner.settings)
    learner.teacher.set_weights(before)
    first = score(learner.teacher, images, recipe, learner.settings)
    kept = adapted.value >= first.value
    if kept:
        learner.teacher.set_weights(after)
    echo(f"before adaptation {first}; after it {adapted}: the {'adapted' if kept else 'earlier'} network is kept")
