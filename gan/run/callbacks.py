"""Callbacks of Keras' ``fit``: the end of a phase, metrics, assessments, pictures.

`fit` runs in intervals of ``report_steps``, which it calls epochs; its logs are means over the interval.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gan.assessment.assessor import Assessor
from gan.simgan import losses
from gan.simgan.model import METRICS
from gan.simgan.schedule import SchedulePhase
from synth_engine.contact_sheet import row_sheet
from synth_engine.errors import RunError
from synth_engine.training.checkpoints import Checkpoints
from synth_engine.training.metrics import MetricsTable
from synth_engine.training.refinement_report import METRIC_COLUMNS
from synth_engine.training.refiner import Refiner
from synth_engine.training.value_range import from_network, to_network

Logs = dict[str, Any]
Images = NDArray[np.uint8]
COLUMNS = ("phase", "step", "seconds", "images_per_s", "waited_share", *METRICS)
SHOWN = 8
METRICS_TABLE, ASSESSMENTS_TABLE = "metrics.csv", "assessment.csv"

log = logging.getLogger(__name__)


class StopAt(keras.callbacks.Callback):
    """Ends ``fit`` after step ``end`` of the run, also in the middle of an interval."""

    def __init__(self, end: int) -> None:
        super().__init__()
        self.end = end

    def on_train_batch_end(self, *_: Any, **__: Any) -> None:
        if int(self.model.step) >= self.end:
            self.model.stop_training = True


class StopOnNonFinite(keras.callbacks.Callback):
    """Raises RunError when a logged value is NaN or infinite, before anything is saved."""

    def __init__(self, checkpoints: Checkpoints) -> None:
        super().__init__()
        self.checkpoints = checkpoints

    def on_train_batch_end(self, _: int, logs: Logs | None = None) -> None:
        names = losses.non_finite(logs or {})
        if names:
            raise RunError(
                f"expected finite losses, received NaN or infinity for {', '.join(names)} at step "
                f"{self.checkpoints.step}; lower the learning rates in a new run; {self.checkpoints.advice()}",
                names,
            )


class Metrics(keras.callbacks.Callback):
    """Adds a row to ``path`` (CSV) and logs a line an interval; rows beyond the model's step are dropped first.

    A step takes ``images`` synthetic images, those of all its updates. ``images_per_s`` and ``waited_share``, the share
    of time that steps waited for data, cover the steps alone: not what happens between them, nor the first step, which
    is traced. They are empty in an interval with no other step. Calling a step, two milliseconds here, counts as
    waiting.
    """

    def __init__(self, path: Path, checkpoints: Checkpoints, last_step: int, images: int) -> None:
        super().__init__()
        self.checkpoints, self.last_step, self.images = checkpoints, last_step, images
        self.steps, self.took_s, self.waited_s, self.asked, self.traced = 0, 0.0, 0.0, 0.0, False
        self.table = MetricsTable(path, COLUMNS, lambda row: int(row["step"]) <= checkpoints.step)
        self.started = time.monotonic() - (float(self.table.rows[-1]["seconds"]) if self.table.rows else 0.0)

    def on_epoch_begin(self, *_: Any, **__: Any) -> None:
        self.steps, self.took_s, self.waited_s = 0, 0.0, 0.0

    def on_train_batch_begin(self, *_: Any, **__: Any) -> None:
        self.asked = time.monotonic()  # the clock that the model reads once a step's data is there

    def on_train_batch_end(self, *_: Any, **__: Any) -> None:
        if self.traced:
            self.steps += 1
            self.waited_s += float(self.model.arrived) - self.asked
            self.took_s += time.monotonic() - self.asked
        self.traced = True

    def on_epoch_end(self, _: int, logs: Logs | None = None) -> None:
        phase, step, logs = self.model.phase, str(self.checkpoints.step), logs or {}
        seconds = f"{time.monotonic() - self.started:.1f}"
        pace: Logs = {}
        if self.steps:
            pace["images_per_s"] = self.steps * self.images / self.took_s
            pace["waited_share"] = self.waited_s / self.took_s
        with self.checkpoints.writing(str(self.table.path)):
            self.table.add({"phase": phase, "step": step, "seconds": seconds, **pace, **logs})
        shown = "  ".join(f"{name} {float(value):.4f}" for name, value in logs.items())
        speed = "{images_per_s:.0f} images/s  waited {waited_share:.1%}  ".format(**pace) if pace else ""
        log.info("%s step %s/%s  %s s  %s%s", phase, step, self.last_step, seconds, speed, shown)


class Assessments(keras.callbacks.Callback):
    """Assesses after every ``steps`` of ``phase`` and at its end, at exact steps, so that a resumed run chooses alike.

    Adds the metrics to ``path`` (CSV; rows beyond the model's step are dropped first), offers them to the model's
    `BestStep`, and logs a line.
    """

    def __init__(
        self, path: Path, checkpoints: Checkpoints, assessor: Assessor, steps: int, phase: SchedulePhase
    ) -> None:
        super().__init__()
        self.checkpoints, self.assessor, self.steps, self.phase = checkpoints, assessor, steps, phase
        self.table = MetricsTable(path, METRIC_COLUMNS, lambda row: int(row["step"]) <= checkpoints.step)

    def on_train_batch_end(self, *_: Any, **__: Any) -> None:
        step = int(self.model.step)
        if (step - self.phase.first) % self.steps == 0 or step == self.phase.end:
            metrics = self.assessor.assess(step)
            best = self.model.best_step.offer(metrics, self.model.averaged.variables)
            with self.checkpoints.writing(str(self.table.path)):
                self.table.add(metrics.as_row())
            log.info("assessed step %d  %s%s", step, metrics, "  (best so far)" if best else "")


class Periodic(keras.callbacks.Callback):
    """Calls ``act`` at the end of each interval in which a multiple of ``steps`` was passed."""

    def __init__(self, steps: int, act: Callable[[], object]) -> None:
        super().__init__()
        self.steps, self.act = steps, act

    def on_train_begin(self, *_: Any, **__: Any) -> None:
        self.passed = int(self.model.step) // self.steps

    def on_epoch_end(self, *_: Any, **__: Any) -> None:
        passed = int(self.model.step) // self.steps
        if passed > self.passed:
            self.act()
        self.passed = passed


class StepProgress(keras.callbacks.Callback):
    """Calls ``progress`` with the steps done and those of the whole run, after each step."""

    def __init__(self, progress: Callable[[int, int], object], last_step: int) -> None:
        super().__init__()
        self.progress, self.last_step = progress, last_step

    def on_train_batch_end(self, *_: Any, **__: Any) -> None:
        self.progress(int(self.model.step), self.last_step)


def progress_sheet(refiner: Refiner, synthetic: Images, seed: int, real: Images) -> Image.Image:
    """A contact sheet of real, synthetic and refined images and of how far each pixel has changed.

    ``synthetic``: samples 0, 1, … under ``seed``; like ``real`` (N, H, W) uint8 {0, 1}.
    """
    before = to_network(synthetic[:SHOWN])
    grey = refiner.grey(before)
    refined, change = refiner.binarise(grey, seed), from_network(np.abs(grey - before) - 1.0)
    return row_sheet(
        (("real", real[:SHOWN]), ("synthetic", synthetic[:SHOWN]), ("refined", refined), ("|difference|", change))
    )
