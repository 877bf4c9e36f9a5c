"""Checkpoints: all that a run needs to go on as if it had not stopped, saved whole or not at all.

Both networks and the averaged one, both optimisers, the history with its random state, the view's random state and
the step, from which the positions in both data streams follow.
"""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import tensorflow as tf

from gan import losses
from gan.simgan import SimGAN
from synth_engine.errors import RunError

KEPT = 2


class Checkpoints:
    """The checkpoints of ``model`` in ``folder``, the newest `KEPT` of them."""

    def __init__(self, folder: Path, model: SimGAN) -> None:
        self.model = model
        self.state = tf.train.Checkpoint(
            step=model.step,
            refiner=model.refiner,
            averaged=model.averaged,
            discriminator=model.discriminator,
            refiner_optimizer=model.refiner_optimizer,
            discriminator_optimizer=model.discriminator_optimizer,
            history=model.buffer,
            view=model.view,
        )
        self.manager = tf.train.CheckpointManager(self.state, str(folder), max_to_keep=KEPT)

    def save(self) -> str:
        """Save the state and return the checkpoint's path; what was saved before stays if this fails.

        Raises RunError when the disk does not take it, or when a weight is NaN or infinite.
        """
        if not losses.all_finite(self.model.refiner.variables + self.model.discriminator.variables):
            raise RunError(f"a weight is no longer finite at step {int(self.model.step)}; {self.advice()}")
        try:
            with self.writing("a checkpoint"):
                return str(self.manager.save(checkpoint_number=self.model.step))
        finally:
            self._sweep()

    def restore(self) -> list[str]:
        """Load the newest checkpoint that can be read; returns damaged ones passed over, with the reasons.

        Raises RunError if there are checkpoints and none can be read. Without any, the model stays as it is.
        """
        self._sweep()
        damaged: list[str] = []
        for path in reversed(self.manager.checkpoints):
            problem = self._read(path)
            if problem is None:
                return damaged
            damaged.append(f"{path} ({problem})")
        if damaged:
            raise RunError(f"no checkpoint can be read: {'; '.join(damaged)}; start a new run in another folder")
        return []

    def advice(self) -> str:
        """Where the last good checkpoint is and how to go on from it."""
        last = self.manager.latest_checkpoint
        return f"the last checkpoint is {last}: go on from it with --resume" if last else "there is no checkpoint yet"

    @contextmanager
    def writing(self, what: str) -> Iterator[None]:
        """Turn a failure to write ``what`` into a RunError that names it and the last good checkpoint."""
        try:
            yield
        except (OSError, tf.errors.OpError) as error:
            remedy = "free some space on the disk" if _is_full(error) else "see that the folder can be written"
            raise RunError(f"{what} could not be written: {_reason(error)}; {remedy}; {self.advice()}") from error

    def _sweep(self) -> None:
        """Remove what a save that did not end left behind."""
        for leftover in Path(self.manager.directory).glob("*_temp"):
            shutil.rmtree(leftover, ignore_errors=True)

    def _read(self, path: str) -> str | None:
        """Load a checkpoint; returns what is wrong with it, if anything."""
        try:
            self.state.restore(path).assert_existing_objects_matched()
        except Exception as error:  # TensorFlow raises whatever the damage leads it to, IndexError among others
            return (str(error).strip().splitlines() or [type(error).__name__])[0]
        return None


def _is_full(error: Any) -> bool:
    return getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT) or "No space left" in str(error)


def _reason(error: Any) -> str:
    if _is_full(error):
        return "No space left on device"
    return (error.strerror if isinstance(error, OSError) else error.message) or str(error)
