"""One phase of a run: optimiser, `fit`, the metrics' table and checkpoints. What is learnt is the dataset's matter."""

from __future__ import annotations

import csv
import io
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras

from classifier.checkpoints import Checkpoints
from classifier.model import Learner, learning_rate
from synth_engine.atomic import write_bytes
from synth_engine.errors import RunError

METRICS = "metrics.csv"
COLUMNS = ("phase", "step", "images", "seconds", "loss", "characters", "learning_rate")
Echo = Callable[[str], object]


class Phase:
    """``steps`` optimiser steps with one learning-rate course, gone on with from the phase's newest checkpoint."""

    def __init__(
        self, learner: Learner, run: Path, name: str, *, steps: int, peak_rate: float, warmup_steps: int, echo: Echo
    ) -> None:
        self.learner, self.name, self.steps = learner, name, steps
        optimizer = keras.optimizers.Adam(learning_rate(peak_rate, warmup_steps, steps))
        optimizer.build(learner.student.trainable_variables)
        learner.compile(optimizer=optimizer, jit_compile=False)
        self.checkpoints = Checkpoints(run / "checkpoints" / name, learner)
        self.resumed = self.checkpoints.restore()
        self._table, self._echo, self._run = MetricsTable(run / METRICS, name, self.step), echo, run

    @property
    def step(self) -> int:
        """Optimiser steps made so far."""
        return int(self.learner.optimizer.iterations)

    def fit(self, dataset: Any, until: int, images_a_step: int, extra: tuple[Any, ...] = ()) -> None:
        """Learn from ``dataset`` up to step ``until``; it must hold exactly the batches that are missing."""
        log = Log(self, self._table, until, images_a_step, self._echo)
        self.learner.fit(dataset, epochs=1, verbose=0, shuffle=False, callbacks=[log, *extra])


class Log(keras.callbacks.Callback):
    """Every ``log_steps`` steps and at the end: a row of metrics, a line for people, a checkpoint.

    Raises RunError when the loss is no number any more.
    """

    def __init__(self, phase: Phase, table: MetricsTable, until: int, images_a_step: int, echo: Echo) -> None:
        super().__init__()
        self._phase, self._table, self._until, self._echo = phase, table, until, echo
        self._images, self._every = images_a_step, phase.learner.settings.log_steps
        self._since, self._from = time.perf_counter(), phase.step
        self._step = phase.step

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:  # noqa: ARG002
        self._step += 1
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
        self._table.add(self._step, images, seconds, logs["loss"], logs["characters"], rate)
        speed = (self._step - self._from) * self._images / seconds
        self._echo(
            f"{self._phase.name} {self._step}/{self._phase.steps}: loss {logs['loss']:.4f}, "
            f"characters {logs['characters']:.1%}, {speed:.0f} images/s"
        )


class MetricsTable:
    """`metrics.csv`: rows of earlier phases, then this phase's up to the step gone on from, then new ones."""

    def __init__(self, path: Path, phase: str, step: int) -> None:
        self._path, self._phase = path, phase
        self._rows = [row for row in _rows(path) if row[0] != phase or int(row[1]) <= step]

    def add(self, step: int, *values: float) -> None:
        """Append a row and write the table, whole or not at all."""
        self._rows.append([self._phase, str(step), *(f"{value:.6g}" for value in values)])
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([COLUMNS, *self._rows])
        write_bytes(self._path, text.getvalue().encode())


def _rows(path: Path) -> list[list[str]]:
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return [row for row in csv.reader(file) if len(row) == len(COLUMNS)][1:]
