"""Whether self-training helped: the network from before it is kept if that scores better. No label is read.

Self-training makes a network more confident in whatever it reads, so the score detects a collapse, not every harm.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifier.adaptation.self_training import read_views
from classifier.confidence.agreement import same_texts
from classifier.learning.learner import Learner
from classifier.learning.settings import TrainingSettings
from classifier.reading.class_shares import class_shares
from classifier.reading.reader import Reader
from synth_engine.errors import RunError
from synth_engine.json_files import read_json
from synth_engine.real.selection import evenly
from synth_engine.recipe import Recipe
from synth_engine.samples import PADDING
from synth_engine.synthesizer import Synthesizer

DECISION, DECISION_KIND = "adaptation.json", "adaptation decision"
LOOKED_AT = 2_048
CODES = PADDING + 1  # padding is counted as a class
SALT = 2**10  # beyond any round's number, so that adaptation has not seen these views


@dataclass(frozen=True)
class AdaptationScore:
    """How well a network reads unlabelled images.

    agreement: share of texts that a warped view reads alike; distance: total variation between the classes read and
    the recipe's. Places without a character count as a class of their own, so that reading nothing scores badly.
    """

    agreement: float
    distance: float
    length: int  # places of a text

    @property
    def value(self) -> float:
        """Share of texts that agree and whose ``length`` characters all lie in the share that the classes allow."""
        return self.agreement * (1.0 - self.distance) ** self.length

    def __str__(self) -> str:
        return f"views agree on {self.agreement:.1%} of texts, classes are off by {self.distance:.1%}"


@dataclass(frozen=True)
class AdaptationDecision:
    """The scores before and after adaptation. The adapted network is kept unless it scores worse."""

    before: AdaptationScore
    after: AdaptationScore

    @property
    def adapted(self) -> bool:
        """Whether the adapted network is kept."""
        return self.after.value >= self.before.value

    @property
    def kept(self) -> str:
        """Which network is kept, in a word."""
        return "adapted" if self.adapted else "earlier"

    def __str__(self) -> str:
        return f"before adaptation {self.before}; after it {self.after}: the {self.kept} network is kept"

    def as_dict(self) -> dict[str, Any]:
        """For `adaptation.json`."""
        return {"kept": self.kept, **asdict(self)}


def decision_of(run: Path) -> AdaptationDecision | None:
    """The decision in a run's folder; None without self-training. Raises RunError if the file is damaged."""
    path, remedy = run / DECISION, "remove it and go on with --resume"
    if not path.is_file():
        return None
    stored = read_json(path, DECISION_KIND, error=RunError, remedy=remedy)
    try:
        return AdaptationDecision(AdaptationScore(**stored["before"]), AdaptationScore(**stored["after"]))
    except (LookupError, TypeError) as error:
        raise RunError(f"{path} is damaged: expected two scores, received {stored}; {remedy}", path) from error


def keep_better(learner: Learner, before: list[Any], images: NDArray[np.uint8], recipe: Recipe) -> AdaptationDecision:
    """Give the teacher its weights from ``before`` adaptation again if it scores better with them.

    ``images`` (N, H, W) uint8 {0, 1} are real ones; at most `LOOKED_AT`, spread over all, are read.
    """
    after = learner.teacher.get_weights()
    adapted = score(learner.teacher, images, recipe, learner.settings)
    learner.teacher.set_weights(before)
    decision = AdaptationDecision(score(learner.teacher, images, recipe, learner.settings), adapted)
    if decision.adapted:
        learner.teacher.set_weights(after)
    return decision


def score(network: Any, images: NDArray[np.uint8], recipe: Recipe, settings: TrainingSettings) -> AdaptationScore:
    """The score of ``network`` on real ``images`` (N, H, W) uint8 {0, 1}; at most `LOOKED_AT` are read."""
    some = images[evenly(len(images), LOOKED_AT)]
    reader = Reader.of(network, recipe, precision=settings.precision)
    plain, warped = read_views(reader, some, settings, SALT)
    labels = Synthesizer(recipe, settings.seed).batch(0, LOOKED_AT).labels
    distance = np.abs(class_shares(plain.codes, CODES) - class_shares(labels, CODES)).sum() / 2
    return AdaptationScore(float(same_texts(plain.codes, warped.codes).mean()), float(distance), recipe.length_max)
