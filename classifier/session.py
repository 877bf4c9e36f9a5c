"""A whole training run in its folder: learn from synthetic images, adapt to real ones, save. `train` is its command."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from classifier.adapt import adapt
from classifier.config import Training
from classifier.data import Source, open_batches
from classifier.files import Recogniser, load_refiner
from classifier.fitting import Echo, Phase
from classifier.model import Learner, make_learner
from classifier.networks import build
from synth_engine.errors import RunError
from synth_engine.runs import RunFolder


@dataclass(frozen=True, kw_only=True)
class Session:
    """What a run needs beside its folder. ``real``: images (N, H, W) uint8 {0, 1}, or None to stay synthetic."""

    settings: Training
    source: Source
    real: NDArray[np.uint8] | None = None
    refiner: str | None = None
    tensorboard: bool = False
    adapt_minutes: float | None = None

    def train(self, run: RunFolder, echo: Echo) -> Path:
        """Train, go on from the folder's checkpoints if there are any, and return the saved network's path.

        Draws Keras' initial weights from its global seed: set that first (`runtime.prepare_tensorflow`).
        """
        learner = self._learner()
        extra = self._callbacks(run.path)
        learn(learner, self.source, run.path, echo, extra)
        if self.real is not None and self.settings.adaptation.steps:
            minutes = self.adapt_minutes
            adapt(learner, self.real, self.source, run.path, minutes=minutes, echo=echo, extra=extra)
        return Recogniser(learner.teacher, self.source.recipe).save(run.path)

    def _learner(self) -> Learner:
        settings, recipe = self.settings, self.source.recipe
        refiner = load_refiner(self.refiner, recipe) if self.refiner else None
        if settings.data != "raw" and refiner is None:
            raise RunError(f"--data {settings.data} needs a refiner; give --refiner FILE or use --data raw")
        network = build(settings.network, recipe, width=settings.width, depth=settings.depth)
        return make_learner(network, settings, refiner)

    def _callbacks(self, run: Path) -> tuple[Any, ...]:
        if not self.tensorboard:
            return ()
        if importlib.util.find_spec("tensorboard") is None:
            raise RunError("--tensorboard expects the package tensorboard, which is not installed; install it")
        return (keras.callbacks.TensorBoard(str(run / "tensorboard"), update_freq=self.settings.log_steps),)


def learn(learner: Learner, source: Source, run: Path, echo: Echo, extra: tuple[Any, ...] = ()) -> None:
    """The first phase: synthetic images alone."""
    settings = learner.settings
    phase = Phase(
        learner,
        run,
        "train",
        steps=settings.steps,
        peak_rate=settings.learning_rate,
        warmup_steps=settings.warmup_steps,
        echo=echo,
    )
    step = phase.step
    if step < settings.steps:
        with open_batches(source, settings.batch_size, step, settings.steps - step) as batches:
            phase.fit(batches, settings.steps, settings.batch_size, extra)
