"""Saving and restoring everything that a step depends on: weights, average, optimiser, Keras' own random states."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import tensorflow as tf

from synth_engine.errors import RunError

KEPT = 2


class Checkpoints:
    """The checkpoints of one phase, numbered by its steps. Batches and drawn warps follow from the step alone."""

    def __init__(self, folder: Path, learner: Any) -> None:
        # Keras saves the states of its seed generators (dropout) in no format of its own
        seeds = [v.value for v in learner.student.variables if v.path.endswith("seed_generator_state")]
        self.folder, self._optimizer = folder, learner.optimizer
        self._checkpoint = tf.train.Checkpoint(
            student=learner.student, teacher=learner.teacher, optimizer=learner.optimizer, seeds=seeds
        )
        self._manager = tf.train.CheckpointManager(self._checkpoint, str(folder), max_to_keep=KEPT)

    def save(self) -> None:
        """Save the present step; a checkpoint is whole or not there."""
        self._manager.save(checkpoint_number=int(self._optimizer.iterations))

    def restore(self) -> bool:
        """Go back to the newest checkpoint; False if there is none. Raises RunError if it cannot be read."""
        for torn in self.folder.glob("*_temp"):
            shutil.rmtree(torn, ignore_errors=True)
        if self._manager.latest_checkpoint is None:
            return False
        try:
            self._checkpoint.restore(self._manager.latest_checkpoint).assert_existing_objects_matched()
        except (tf.errors.OpError, AssertionError, ValueError) as error:
            raise RunError(
                f"{self._manager.latest_checkpoint} cannot be restored ({type(error).__name__}); remove its files "
                "to go on from the one before, or start a new run",
                self._manager.latest_checkpoint,
            ) from error
        return True
