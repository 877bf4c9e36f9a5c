"""What happens beside training: stopping, reporting, pictures, checkpoints. Callbacks of Keras' ``fit``.

`fit` runs in intervals of ``report_steps``, which it calls epochs; its logs are means over the interval.
"""

from __future__ import annotations

import csv
import io
import signal
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Any

import click
import keras
import numpy as np

from gan import losses
from gan.checkpoints import Checkpoints
from gan.data import Images
from gan.simgan import METRICS
from synth_engine.atomic import write_bytes
from synth_engine.errors import RunError
from synth_engine.scaling import from_network, to_network
from synth_engine.sheet import draw_sheet, save_picture

Logs = dict[str, Any]
SHOWN = 8


class StopAt(keras.callbacks.Callback):
    """Ends ``fit`` after step ``end`` of the run, also in the middle of an interval."""

    def __init__(self, end: int) -> None:
        super().__init__()
        self.end = end

    def on_train_batch_end(self, *_: Any, **__: Any) -> None:
        if int(self.model.step) >= self.end:
            self.model.stop_training = True


class StopOnInterrupt(keras.callbacks.Callback):
    """Used as a context, turns the first Ctrl-C into a stop after the current step; the second one acts at once."""

    def __init__(self, model: keras.Model) -> None:
        super().__init__()
        self.set_model(model)
        self.requested = False

    def __enter__(self) -> StopOnInterrupt:
        self.former = signal.getsignal(signal.SIGINT)
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, self._request)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, self.former)

    def on_train_batch_end(self, *_: Any, **__: Any) -> None:
        if self.requested:
            self.model.stop_training = True

    def _request(self, *_: Any) -> None:
        if self.requested:
            raise KeyboardInterrupt
        self.requested = self.model.stop_training = True


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
                f"{int(self.model.step)}; lower the learning rates in a new run; {self.checkpoints.advice()}",
                names,
            )


class Metrics(keras.callbacks.Callback):
    """Prints a line and adds a row to ``path`` (CSV) an interval; rows beyond the model's step are dropped first."""

    FIELDS = ("phase", "step", "seconds", *METRICS)

    def __init__(self, path: Path, checkpoints: Checkpoints, last_step: int) -> None:
        super().__init__()
        self.path, self.checkpoints, self.last_step = path, checkpoints, last_step
        self.rows = [row for row in _read_rows(path) if int(row["step"]) <= int(checkpoints.model.step)]
        self.started = time.monotonic() - (float(self.rows[-1]["seconds"]) if self.rows else 0.0)

    def on_epoch_end(self, _: int, logs: Logs | None = None) -> None:
        values = {name: f"{float(value):.6g}" for name, value in (logs or {}).items()}
        seconds = f"{time.monotonic() - self.started:.1f}"
        self.rows.append({"phase": self.model.phase, "step": str(int(self.model.step)), "seconds": seconds, **values})
        with self.checkpoints.writing(str(self.path)):
            write_bytes(self.path, _csv(self.FIELDS, self.rows))
        shown = "  ".join(f"{name} {float(value):.4f}" for name, value in values.items())
        click.echo(f"{self.model.phase} step {int(self.model.step)}/{self.last_step}  {seconds} s  {shown}")


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


def draw_progress(model: Any, synthetic: Images, real: Images, path: Path) -> None:
    """Write a sheet of real, synthetic and refined images and of the change; the arrays are (N, H, W) uint8 {0, 1}."""
    before = to_network(synthetic[:SHOWN])
    after = np.asarray(model(before))
    change = from_network(np.abs(after - before) - 1.0)
    rows = (("real", real[:SHOWN]), ("synthetic", synthetic[:SHOWN]), ("refined", after), ("|difference|", change))
    save_picture(draw_sheet(rows), path)


def _read_rows(path: Path) -> list[dict[str, str]]:
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def _csv(fields: tuple[str, ...], rows: list[dict[str, str]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, fields, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()
