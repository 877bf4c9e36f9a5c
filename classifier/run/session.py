"""A whole run in its folder: learn from synthetic images, train a refiner, adapt to real images, save.

`RunPlan` is what is decided before anything is trained; `Session` is the plan with its network.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifier.adaptation.keep_better import DECISION, DECISION_KIND, keep_better
from classifier.adaptation.refiner_plan import GivenRefiner, RefinerPlan, obstacle_of
from classifier.adaptation.refiner_run import refine
from classifier.adaptation.self_training import adapt
from classifier.learning.batches import Source, open_batches
from classifier.learning.learner import Learner, Refinement, make_learner
from classifier.learning.phase import FitPhase, Progress, RunContext
from classifier.learning.settings import WIDE, WIDE_INFORMATION, TrainingSettings
from classifier.networks.heads import build, head_of
from classifier.reading.reader import MODEL, load_fitting, save_reader
from synth_engine.errors import RunError
from synth_engine.json_files import write_json
from synth_engine.training.checkpoints import Checkpoints
from synth_engine.training.interrupt import StopOnInterrupt
from synth_engine.training.keras_files import load_refiner
from synth_engine.training.precision import in_precision
from synth_engine.training.run_folder import RunFolder
from synth_engine.training.tensorboard import check_tensorboard, tensorboard_callbacks

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class RunPlan:
    """What a run does.

    ``real``: images (N, H, W) uint8 {0, 1}, or None to stay synthetic; ``refiner``: where refined images come from, if
    any; ``start_from``: a classifier.keras to go on from.
    """

    settings: TrainingSettings
    source: Source
    real: NDArray[np.uint8] | None = None
    refiner: GivenRefiner | RefinerPlan | None = None
    start_from: str | None = None
    tensorboard: bool = False
    adapt_minutes: float | None = None

    def __post_init__(self) -> None:
        if self.settings.steps == 0 and self.start_from is None:
            raise RunError("0 steps would leave the network untrained; name one to go on from: --start-from FILE", 0)

    def config(self) -> dict[str, Any]:
        """For `config.json`: the settings, the recipe, and where images, refiner and network come from."""
        given = self.refiner if isinstance(self.refiner, GivenRefiner) else None
        return {
            **self.settings.as_dict(),
            "recipe": self.source.recipe.name,
            "recipe_key": self.source.recipe.key,
            "data": given.data if given else "raw",
            "refine": isinstance(self.refiner, RefinerPlan),
            "refiner": given and given.path,
            "start_from": self.start_from,
        }


@dataclass(frozen=True)
class Session:
    """A plan that its network can carry out, and the learner that is taught."""

    plan: RunPlan
    learner: Learner

    @classmethod
    def of(cls, plan: RunPlan) -> Session:
        """Make the network; RunError or ModelError if settings, recipe, network and refiner do not fit together.

        The session's plan trains no refiner if the network is of no use to one, and has the weight of the information
        loss decided. Keras takes initial weights from its global seed: set that first (`prepare_tensorflow`).
        """
        check_tensorboard(plan.tensorboard)
        refinement = _refinement(plan)
        network = _network(plan)
        settings = with_information(plan.settings, network)
        plan = replace(plan, settings=settings, refiner=_refiner_for(network, plan))
        return cls(plan, make_learner(in_precision(network, settings.precision), settings, refinement))

    def train(self, run: RunFolder, progress: Progress = lambda *_: None) -> Path:
        """Train, go on from the folder's checkpoints if there are any, and return the saved network's path.

        ``progress``: see `RunContext`. Raises KeyboardInterrupt on Ctrl-C, after saving a checkpoint; RunError when the
        loss is not finite, the disk is full or no refiner comes out; StreamError when the stream fails.
        """
        plan, learner = self.plan, self.learner
        callbacks = tensorboard_callbacks(plan.tensorboard, run.path, plan.settings.log_steps)
        with StopOnInterrupt(learner) as interrupt:
            context = RunContext(run.path, interrupt, tuple(callbacks), progress)
            checkpoints = learn(learner, plan.source, context)
            if isinstance(plan.refiner, RefinerPlan):
                refine(learner, plan.source, context, checkpoints, plan.refiner)
            if plan.real is not None:
                self._adapt(plan.real, run, context)
        with checkpoints.writing(MODEL):
            return save_reader(learner.teacher, plan.source.recipe, run.path)

    def _adapt(self, real: NDArray[np.uint8], run: RunFolder, context: RunContext) -> None:
        learner, source = self.learner, self.plan.source
        before = learner.teacher.get_weights()  # those of the end of the first phase, in a resumed run too
        adapt(learner, real, source, context, minutes=self.plan.adapt_minutes)
        if learner.settings.adaptation.teaches:
            decision = keep_better(learner, before, real, source.recipe)
            log.info(str(decision))
            write_json(run / DECISION, DECISION_KIND, decision.as_dict())


def with_information(settings: TrainingSettings, network: Any) -> TrainingSettings:
    """``settings`` with the weight of the information loss decided.

    Raises RunError if it is asked for and ``network`` knows no character's place.
    """
    adaptation, head = settings.adaptation, head_of(network)
    if adaptation.information is None:
        mismatched = head.has_places and settings.augmentation == WIDE
        adaptation = replace(adaptation, information=WIDE_INFORMATION if mismatched else 0.0)
    if adaptation.information and not head.has_places:
        raise RunError(
            f"`adaptation.information` needs characters' places, which a {head.name} network does not know; leave "
            "out --adapt-information or use --network grid",
            head.name,
        )
    return replace(settings, adaptation=adaptation)


def learn(learner: Learner, source: Source, context: RunContext) -> Checkpoints:
    """The first phase, on synthetic images alone. Returns its checkpoints."""
    settings = learner.settings
    phase = FitPhase(
        learner,
        context,
        "train",
        steps=settings.steps,
        peak_rate=settings.learning_rate,
        warmup_steps=settings.warmup_steps,
    )
    step = phase.step
    if step < settings.steps:
        with open_batches(source, settings.batch_size, step, settings.steps - step) as batches:
            phase.fit(batches, settings.steps, settings.batch_size)
    return phase.checkpoints


def _refinement(plan: RunPlan) -> Refinement | None:
    if not isinstance(plan.refiner, GivenRefiner):
        return None
    return Refinement(load_refiner(plan.refiner.path, plan.source.recipe), plan.refiner.share)


def _network(plan: RunPlan) -> Any:
    settings, recipe = plan.settings, plan.source.recipe
    if plan.start_from is not None:
        return load_fitting(Path(plan.start_from), recipe)[0]
    return build(settings.network, recipe, width=settings.width, depth=settings.depth)


def _refiner_for(network: Any, plan: RunPlan) -> GivenRefiner | RefinerPlan | None:
    if not isinstance(plan.refiner, RefinerPlan):
        return plan.refiner
    return plan.refiner.unless(obstacle_of(network, plan.source.recipe))
