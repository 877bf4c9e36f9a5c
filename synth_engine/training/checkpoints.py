"""Checkpoints: all that a run needs to go on as if it had not stopped, saved whole or not at all.

The trainer says what belongs to the state. This module saves and restores it, and reports damage and full disks.
"""

from __future__ import annotations

import errno
import logging
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import tensorflow as tf

from synth_engine.errors import RunError

KEPT = 2

log = logging.getLogger(__name__)


class Checkpoints:
    """The newest `KEPT` checkpoints of ``state`` in ``folder``, numbered by the variable ``step``.

    ``state``: trackable objects by name; ``weights``: the variables among them that must stay finite.
    """

    def __init__(self, folder: Path, state: Mapping[str, Any], *, step: Any, weights: Iterable[Any]) -> None:
        self.folder, self._step, self._weights = folder, step, list(weights)
        self.state = tf.train.Checkpoint(**state)
        self.manager = tf.train.CheckpointManager(self.state, str(folder), max_to_keep=KEPT)

    @property
    def step(self) -> int:
        """The present step of the run."""
        return int(self._step)

    def save(self) -> str:
        """Save the state and return the checkpoint's path. Earlier checkpoints stay if this fails.

        Raises RunError if the disk is full or cannot be written, or if a weight is NaN or infinite.
        """
        if not all_finite(self._weights):
            raise RunError(f"a weight is no longer finite at step {self.step}; {self.advice()}")
        try:
            with self.writing("a checkpoint"):
                return str(self.manager.save(checkpoint_number=self.step))
        finally:
            self._sweep()

    def restore(self) -> str | None:
        """Load the newest checkpoint that can be read and return its path; None, and nothing loaded, without any.

        Logs a warning for each damaged one that it passes over. Raises RunError if there are some and none can be read.
        """
        self._sweep()
        damaged: list[str] = []
        for path in self._found():
            problem = self._read(path)
            if problem is None:
                for line in damaged:
                    log.warning("passed over a damaged checkpoint, %s", line)
                return path
            damaged.append(f"{path} ({problem})")
        if damaged:
            raise RunError(f"no checkpoint can be read: {'; '.join(damaged)}; start a new run in another folder")
        return None

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

    def _found(self) -> list[str]:
        """Paths of the checkpoints, newest first, also where TensorFlow's own list of them is damaged."""
        listed: list[str] = self.manager.checkpoints
        return listed[::-1] or sorted((str(path.with_suffix("")) for path in self.folder.glob("*.index")), key=_number)

    def _sweep(self) -> None:
        """Remove what an unfinished save left behind."""
        for leftover in self.folder.glob("*_temp"):
            shutil.rmtree(leftover, ignore_errors=True)

    def _read(self, path: str) -> str | None:
        """Load a checkpoint and return what is wrong with it, if anything."""
        try:
            self.state.restore(path).assert_existing_objects_matched()
        except Exception as error:  # TensorFlow raises whatever the damage leads it to, IndexError among others
            return (str(error).strip().splitlines() or [type(error).__name__])[0]
        return None


def all_finite(tensors: Iterable[Any]) -> bool:
    """Whether no tensor of floating-point numbers holds a NaN or an infinity."""
    values = (tf.convert_to_tensor(tensor) for tensor in tensors)
    return all(bool(tf.reduce_all(tf.math.is_finite(value))) for value in values if value.dtype.is_floating)


def _number(path: str) -> int:
    """Sort key: the newest first."""
    return -int(path.rpartition("-")[2])


def _is_full(error: Any) -> bool:
    return getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT) or "No space left" in str(error)


def _reason(error: Any) -> str:
    if _is_full(error):
        return "No space left on device"
    return (error.strerror if isinstance(error, OSError) else error.message) or str(error)
