"""What happens beside training: ends of phases, reports, pictures. Callbacks of Keras' ``fit``.

`fit` runs in intervals of ``report_steps``, which it calls epochs; its logs are means over the interval.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import click
import keras
import numpy as np
from PIL import Image

from gan.assessment.assessor import Assessor
from gan.run.data import Images
from gan.settings.metrics import FIGURES
from gan.simgan import losses
from gan.simgan.model import METRICS
from gan.simgan.schedule import Phase
from synth_engine.contact_sheet import row_sheet
from synth_engine.errors import RunError
from synth_engine.training.checkpoints import Checkpoints
from synth_engine.training.metrics import MetricsTable
from synth_engine.training.refiner import Refiner
from synth_engine.training.value_range import from_network, to_network

Logs = dict[str, Any]
COLUMNS = ("phase", "step", "seconds", "images_per_s", "waited_share", *METRICS)
SHOWN = 8
METRICS_TABLE, ASSESSMENT = "metrics.csv", "assessment.csv"


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
    """Prints a line and adds a row to ``path`` (CSV) an interval; rows beyond the model's step are dropped first.

    A step takes ``images`` synthetic images, its updates together. Their rate, and the share of the time that steps
    waited for data, are of the steps alone, without what happens between them and without the first, which is traced;
    they are empty in an interval that has no other. Calling the step counts as waiting: two milliseconds here.
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
        said = "{images_per_s:.0f} images/s  waited {waited_share:.1%}  ".format(**pace) if pace else ""
        click.echo(f"{phase} step {step}/{self.last_step}  {seconds} s  {said}{shown}")


class Assessments(keras.callbacks.Callback):
    """Assesses after every ``steps`` of ``phase`` and at its end, exactly there, so that a resumed run chooses alike.

    Prints the figures, adds them to ``path`` (CSV; rows beyond the model's step are dropped first), and offers them to
    the model's `Choice`.
    """

    def __init__(self, path: Path, checkpoints: Checkpoints, assessor: Assessor, steps: int, phase: Phase) -> None:
        super().__init__()
        self.checkpoints, self.assessor, self.steps, self.phase = checkpoints, assessor, steps, phase
        self.table = MetricsTable(path, FIGURES, lambda row: int(row["step"]) <= checkpoints.step)

    def on_train_batch_end(self, *_: Any, **__: Any) -> None:
        step = int(self.model.step)
        if (step - self.phase.first) % self.steps == 0 or step == self.phase.end:
            figures = self.assessor.assess(step)
            chosen = self.model.choice.offer(figures, self.model.averaged.variables)
            with self.checkpoints.writing(str(self.table.path)):
                self.table.add(figures.as_row())
            click.echo(f"assessed {figures}{'  (best so far)' if chosen else ''}")


class Periodic(keras.callbacks.Callback):
    """Calls ``act`` at the end of each interval in which a multiple of ``steps`` was passed."""

    def __init__(self, steps: int, act: Any) -> None:
        super().__init__()
        self.steps, self.act = steps, act

    def on_train_begin(self, *_: Any, **__: Any) -> None:
        self.passed = int(self.model.step) // self.steps

    def on_epoch_end(self, *_: Any, **__: Any) -> None:
        passed = int(self.model.step) // self.steps
        if passed > self.passed:
            self.act()
        self.passed = passed


def draw_progress(refiner: Refiner, synthetic: Images, seed: int, real: Images) -> Image.Image:
    """A sheet of real, synthetic and refined images and of how likely each pixel is to change.

    ``synthetic``: samples 0, 1, … under ``seed``; like ``real`` (N, H, W) uint8 {0, 1}.
    """
    before = to_network(synthetic[:SHOWN])
    grey = refiner.grey(before)
    refined, change = refiner.binarise(grey, seed), from_network(np.abs(grey - before) - 1.0)
    return row_sheet(
        (("real", real[:SHOWN]), ("synthetic", synthetic[:SHOWN]), ("refined", refined), ("|difference|", change))
    )
