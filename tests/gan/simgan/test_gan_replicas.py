"""Replicas: shares of a batch on several devices teach what the whole batch teaches; two processors stand for GPUs."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest

tf = pytest.importorskip("tensorflow")

import keras  # noqa: E402

from gan.settings.config import Config  # noqa: E402
from gan.simgan.model import SimGAN, build_simgan  # noqa: E402
from gan.simgan.replicas import Replicas, shared_gpus  # noqa: E402

SHAPE = (10, 20)
TWICE = ("CPU:0", "CPU:0")
TRAIN = """
import numpy as np, tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
from gan.settings.config import Config
from gan.simgan.model import build_simgan

config = Config.preset("modern", features=8, blocks=1, batch_size=4, history_batches=2, cutout_px=3)
model = build_simgan(config, (10, 20), open_px=2, devices=("CPU:0", "CPU:1"))
data = [tf.constant(np.random.default_rng(0).integers(0, 2, (n, 4, 10, 20), np.uint8)) for n in (2, 1)]
step = tf.function(model.train_step)
for _ in range(3):
    logs = step(data)
placed = {node.device for node in step.get_concrete_function(data).graph.as_graph_def().node if node.op == "Conv2D"}
print(*sorted(device[-5:] for device in placed), int(model.step), all(np.isfinite(float(v)) for v in logs.values()))
print(model.refiner.trainable_variables[-1].value.device[-5:])
"""


def model_of(devices: tuple[str, ...], phase: str) -> SimGAN:
    """One without chance: the refiner starts as the identity, whose ink is certain, and nothing is disturbed.

    Plain descent: Adam's first step is as long for a sum of gradients as for their mean.
    """
    still = {"noise_stddev": 0.0, "spectral_normalisation": False, "rate_falls": False, "optimizer": "sgd"}
    rates = {"refiner_rate": 0.3, "discriminator_rate": 0.3}
    config = Config.preset("modern", features=8, blocks=1, batch_size=4, history_batches=2, **still, **rates)
    model = build_simgan(config, SHAPE, devices=devices)
    model.enter(phase)
    return model


@pytest.mark.parametrize("phase", ["discriminator", "adversarial"])
def test_two_shares_teach_what_the_whole_batch_teaches(phase: str) -> None:
    random = np.random.default_rng(1)
    counts = (1, 1) if phase == "discriminator" else (2, 1)
    batches = [tf.constant(random.integers(0, 2, (n, 4, *SHAPE), np.uint8)) for n in counts]
    fresh, whole, shared = (model_of(devices, phase) for devices in ((), (), TWICE))
    logs = [{name: float(value) for name, value in model.train_step(batches).items()} for model in (whole, shared)]
    assert logs[1] == pytest.approx(logs[0], abs=1e-6)
    for name in ("refiner", "discriminator") if phase == "adversarial" else ("discriminator",):
        first, one, other = (
            np.concatenate([np.ravel(each) for each in getattr(model, name).get_weights()])
            for model in (fresh, whole, shared)
        )
        assert np.abs(one - first).max() > 1e-3
        np.testing.assert_allclose(other, one, atol=1e-6)
    assert int(shared.discriminator_optimizer.iterations) == 1


def test_gradients_are_means_over_the_shares() -> None:
    weight = keras.Variable(2.0)
    numbers = tf.constant([1.0, 3.0, 5.0, 11.0])

    def loss_of(share: Any) -> tuple[Any, dict[str, Any]]:
        return tf.reduce_mean(share) * weight, {"largest": tf.reduce_max(share)}

    gradients, logs = Replicas(TWICE).gradients(loss_of, [weight], numbers)
    assert [float(one) for one in gradients] == [5.0]
    assert float(logs["largest"]) == 7.0  # of 3 and 11
    np.testing.assert_array_equal(Replicas(TWICE).joined(lambda share: share + 1, numbers), numbers + 1)


@pytest.mark.parametrize(("gpus", "batch", "used"), [(0, 32, 0), (1, 32, 1), (4, 32, 4), (3, 32, 2), (3, 5, 1)])
def test_as_many_gpus_work_as_divide_the_batch(
    monkeypatch: pytest.MonkeyPatch, gpus: int, batch: int, used: int
) -> None:
    names = [tf.config.LogicalDevice(f"/device:GPU:{k}", "GPU") for k in range(gpus)]
    monkeypatch.setattr(tf.config, "list_logical_devices", lambda _: names)
    assert shared_gpus(batch) == tuple(f"/device:GPU:{k}" for k in range(used))


def test_both_devices_compute_and_the_first_keeps_the_variables() -> None:
    done = subprocess.run([sys.executable, "-c", TRAIN], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split("\n")[:2] == ["CPU:0 CPU:1 3 True", "CPU:0"]
