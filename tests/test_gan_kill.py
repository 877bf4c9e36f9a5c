"""SIGKILL in the middle of training: a run that goes on after it ends with the weights of one that was let be."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow")

from gan.config import Config
from gan.training import Training, Workers
from synth_engine import Recipe, Synthesizer
from synth_engine.runs import RunFolder

SMALL = Config.preset(
    "modern", features=4, blocks=1, batch_size=4, history_batches=2, discriminator_pretrain_steps=1, steps=4,
    refiner_rate=0.1, ema_decay=0.5, report_steps=1, sheet_steps=9, checkpoint_steps=2, assess_steps=9,
    assessed_images=4, two_sample_steps=1,
)  # fmt: skip
KILLED = """
import os, signal, sys
from gan.callbacks import Metrics
from synth_engine import Recipe
from tests.test_gan_kill import made
act = Metrics.on_epoch_end
def act_and_die(self, *arguments):
    act(self, *arguments)
    if int(self.model.step) == 3:
        os.kill(os.getpid(), signal.SIGKILL)
Metrics.on_epoch_end = act_and_die
made(sys.argv[1], Recipe.load(sys.argv[2])).train()
"""


def made(folder: Path | str, recipe: Recipe, *, resume: bool = False) -> Training:
    run = RunFolder.create(folder, SMALL.as_dict(), resume=resume)
    return Training(SMALL, recipe, Synthesizer(recipe, 99).batch(0, 10).images, run, Workers())


def test_a_run_killed_between_checkpoints_ends_as_an_uninterrupted_one(tiny: Recipe, tmp_path: Path) -> None:
    tiny.save(tmp_path / "tiny.toml")
    root = Path(__file__).parents[1]
    command = [sys.executable, "-c", KILLED, str(tmp_path / "parts"), str(tmp_path / "tiny.toml")]
    died = subprocess.run(command, cwd=root, env={**os.environ, "PYTHONPATH": str(root)}, timeout=300, check=False)
    assert died.returncode == -signal.SIGKILL
    resumed = made(tmp_path / "parts", tiny, resume=True)
    resumed.resume()
    assert int(resumed.model.step) == 2
    whole = made(tmp_path / "whole", tiny)
    before = whole.model.refiner.get_weights()
    for training in (resumed, whole):
        training.train()
    after = whole.model.refiner.get_weights()
    assert any((one != other).any() for one, other in zip(before, after, strict=True))
    for expected, received in zip(weights(whole), weights(resumed), strict=True):
        np.testing.assert_array_equal(received, expected)


def weights(training: Training) -> list[np.ndarray]:
    model = training.model
    return [w for network in (model.refiner, model.averaged, model.discriminator) for w in network.get_weights()]
