"""A whole run in its folder: learn from synthetic images, train a refiner, adapt to real images, save.

`train` is its command.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from classifier.adaptation.keep_better import CHOICE, CHOICE_KIND, keep_better
from classifier.adaptation.refiner_run import Refining, give_way, obstacle_of, refine
from classifier.adaptation.self_training import adapt
from classifier.learning.batches import Source, open_batches
from classifier.learning.learner import Learner, make_learner
from classifier.learning.phase import Context, Echo, FitPhase
from classifier.learning.settings import ROUGH_INFORMATION, WIDE, TrainingSettings
from classifier.networks.build import build, is_grid
from classifier.reading.reader import MODEL, Reader
from synth_engine.errors import RunError
from synth_engine.json_files import write_json
from synth_engine.training.checkpoints import Checkpoints
from synth_engine.training.interrupt import StopOnInterrupt
from synth_engine.training.keras_files import load_refiner
from synth_engine.training.precision import in_precision
from synth_engine.training.run_folder import RunFolder
from synth_engine.training.tensorboard import check_tensorboard, tensorboard_callbacks


@dataclass(frozen=True, kw_only=True)
class Session:
    """What a run needs beside its folder.

    ``real``: images (N, H, W) uint8 {0, 1}, or None to stay synthetic; ``refining``: None to train no refiner.
    """

    settings: TrainingSettings
    source: Source
    real: NDArray[np.uint8] | None = None
    refiner: str | None = None
    refining: Refining | None = None
    start_from: str | None = None
    tensorboard: bool = False
    adapt_minutes: float | None = None

    def learner(self, echo: Echo = click.echo) -> Learner:
        """The network to be taught; RunError or ModelError if the settings, recipe and refiner do not fit together.

        Its settings are those of the run: without `refine` where the network is of no use to a refiner, and with
        the weight of information decided.
        Draws Keras' initial weights from its global seed: set that first (`runtime.prepare_tensorflow`).
        """
        settings, recipe = self.settings, self.source.recipe
        if settings.data != "raw" and self.refiner is None:
            raise RunError(f"--data {settings.data} needs a refiner; give --refiner FILE or use --data raw")
        if settings.refine != (self.refining is not None):
            raise RunError(
                "`refine` says whether a refiner is trained, `refining` how: give both or neither", self.refining
            )
        check_tensorboard(self.tensorboard)
        refiner = load_refiner(self.refiner, recipe) if self.refiner else None
        network = self._network()
        settings = with_information(settings, network)
        if self.refining is not None:
            problem = obstacle_of(network, recipe)
            settings = give_way(settings, problem, required=self.refining.required, echo=echo)
        return make_learner(in_precision(network, settings.precision), settings, refiner)

    def _network(self) -> Any:
        settings, recipe = self.settings, self.source.recipe
        if self.start_from is not None:
            return Reader.load(self.start_from, recipe, calibrated=False).network
        if settings.steps == 0:
            raise RunError("0 steps would leave the network as it was drawn; name one to go on from: --start-from FILE")
        return build(settings.network, recipe, width=settings.width, depth=settings.depth)

    def train(self, learner: Learner, run: RunFolder, echo: Echo) -> Path:
        """Train, go on from the folder's checkpoints if there are any, and return the saved network's path.

        Raises KeyboardInterrupt on Ctrl-C, after saving a checkpoint; RunError when the loss is not finite, the disk is
        full or no refiner comes out; StreamError when the stream fails.
        """
        callbacks = tensorboard_callbacks(self.tensorboard, run.path, self.settings.log_steps)
        with StopOnInterrupt(learner) as interrupt:
            context = Context(run.path, echo, interrupt, tuple(callbacks))
            checkpoints = learn(learner, self.source, context)
            if self.refining is not None and learner.settings.refine:
                refine(learner, self.source, context, checkpoints, self.refining)
            if self.real is not None:
                self._adapt(learner, self.real, run, context)
        with checkpoints.writing(MODEL):
            return Reader(learner.teacher, self.source.recipe).save(run.path)

    def _adapt(self, learner: Learner, real: NDArray[np.uint8], run: RunFolder, context: Context) -> None:
        before = learner.teacher.get_weights()  # those of the end of the first phase, in a resumed run too
        adapt(learner, real, self.source, context, minutes=self.adapt_minutes)
        if learner.settings.adaptation.teaches:
            choice = keep_better(learner, before, real, self.source.recipe)
            context.echo(str(choice))
            write_json(run / CHOICE, CHOICE_KIND, choice.as_dict())


def with_information(settings: TrainingSettings, network: Any) -> TrainingSettings:
    """``settings`` with the weight of information known; RunError if asked for what ``network`` knows no places for."""
    adaptation = settings.adaptation
    if adaptation.information is None:
        rough = is_grid(network) and settings.augmentation == WIDE
        adaptation = replace(adaptation, information=ROUGH_INFORMATION if rough else 0.0)
    if adaptation.information and not is_grid(network):
        raise RunError(
            f"`adaptation.information` needs characters' places, which a {network.name} network does not know; leave "
            "out --adapt-information or use --network grid",
            network.name,
        )
    return replace(settings, adaptation=adaptation)


def learn(learner: Learner, source: Source, context: Context) -> Checkpoints:
    """The first phase: synthetic images alone. Returns its checkpoints."""
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
