"""One phase of a run: optimiser, `fit`, metrics.csv and checkpoints. The dataset decides what is learnt."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras

from classifier.learning.learner import Learner, learning_rate
from synth_engine.errors import RunError
from synth_engine.training.checkpoints import Checkpoints
from synth_engine.training.interrupt import StopOnInterrupt
from synth_engine.training.metrics import MetricsTable

METRICS = "metrics.csv"
COLUMNS = ("phase", "step", "images", "seconds", "loss", "characters", "learning_rate")
Progress = Callable[[str, int, int], object]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class RunContext:
    """What the phases of a run share: its folder, Ctrl-C, further callbacks of ``fit``.

    ``progress`` is called after each step with the phase's name, the step and the phase's number of steps.
    """

    run: Path
    interrupt: StopOnInterrupt
    callbacks: tuple[Any, ...] = ()
    progress: Progress = lambda *_: None


class FitPhase:
    """``steps`` optimiser steps under one schedule of the learning rate, from the phase's newest checkpoint on."""

    def __init__(
        self, learner: Learner, context: RunContext, name: str, *, steps: int, peak_rate: float, warmup_steps: int
    ) -> None:
        self.learner, self.name, self.steps = learner, name, steps
        optimizer = keras.optimizers.Adam(learning_rate(peak_rate, warmup_steps, steps))
        optimizer.build(learner.student.trainable_variables)
        learner.compile(optimizer=optimizer, jit_compile=False)
        folder, weights = context.run / "checkpoints" / name, learner.student.variables
        self.checkpoints = Checkpoints(folder, learner.state, step=optimizer.iterations, weights=weights)
        self.resumed = self.checkpoints.restore() is not None
        self._table = MetricsTable(context.run / METRICS, COLUMNS, self._keeps)
        self._context = context

    @property
    def step(self) -> int:
        """Optimiser steps so far."""
        return self.checkpoints.step

    def _keeps(self, row: dict[str, str]) -> bool:
        return row["phase"] != self.name or int(row["step"]) <= self.step

    def fit(self, dataset: Any, until: int, images_a_step: int) -> None:
        """Learn from ``dataset`` up to step ``until``; it must hold exactly the batches that are missing.

        Raises KeyboardInterrupt after Ctrl-C, once a checkpoint is saved.
        """
        context = self._context
        report = PhaseReport(self, self._table, until, images_a_step, context.progress)
        callbacks = [report, context.interrupt, *context.callbacks]
        self.learner.fit(dataset, epochs=1, verbose=0, shuffle=False, callbacks=callbacks)
        context.interrupt.leave_if_requested(self.checkpoints)


class PhaseReport(keras.callbacks.Callback):
    """Every ``log_steps`` steps and at the end: a row of metrics, a line in the log, a checkpoint.

    Raises RunError when the loss is NaN or infinite.
    """

    def __init__(
        self, phase: FitPhase, table: MetricsTable, until: int, images_a_step: int, progress: Progress
    ) -> None:
        super().__init__()
        self._phase, self._table, self._until, self._progress = phase, table, until, progress
        self._images, self._every = images_a_step, phase.learner.settings.log_steps
        self._since, self._from = time.perf_counter(), phase.step
        self._step = phase.step

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:  # noqa: ARG002
        self._step += 1
        self._progress(self._phase.name, self._step, self._phase.steps)
        if self._step % self._every and self._step != self._until:
            return
        logs = logs or {}
        if not math.isfinite(logs["loss"]):
            raise RunError(
                f"the loss is {logs['loss']} at step {self._step} of {self._phase.name}; lower the learning rate and "
                "go on with a new run",
                logs["loss"],
            )
        self._write(logs)
        self._phase.checkpoints.save()
        self._phase.learner.reset_metrics()
        self._since, self._from = time.perf_counter(), self._step

    def _write(self, logs: dict[str, float]) -> None:
        seconds = time.perf_counter() - self._since
        rate = float(self._phase.learner.optimizer.learning_rate)
        images = self._step * self._images
        row: dict[str, str | float] = {"phase": self._phase.name, "step": str(self._step), "images": str(images)}
        row |= {"seconds": seconds, "loss": logs["loss"], "characters": logs["characters"], "learning_rate": rate}
        with self._phase.checkpoints.writing(METRICS):
            self._table.add(row)
        speed = (self._step - self._from) * self._images / seconds
        log.info(
            f"{self._phase.name} {self._step}/{self._phase.steps}: loss {logs['loss']:.4f}, "
            f"characters {logs['characters']:.1%}, {speed:.0f} images/s"
        )
