"""Replicas: several devices that each compute a share of every batch; their gradients are averaged.

Variables exist once, on the first device, and are read from there: the networks are small (1.2 MB in `paper`). So a
checkpoint is the same for any number of devices. `tf.distribute.MirroredStrategy` would give each device a history and
a generator of its own, which no checkpoint holds, and would split data along the axis of a step's updates.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

Tensor = Any
Logs = dict[str, Tensor]


class Replicas:
    """``devices`` by TensorFlow's names; with fewer than two, a batch stays whole and TensorFlow places it."""

    def __init__(self, devices: Sequence[str] = ()) -> None:
        self.devices = tuple(devices) if len(devices) > 1 else ()

    def gradients(
        self, loss_of: Callable[..., tuple[Tensor, Logs]], variables: list[Any], *batch: Tensor
    ) -> tuple[list[Tensor], Logs]:
        """Gradients of a loss over ``variables``, and what is logged, both as means over the devices' shares.

        ``loss_of`` returns the loss, a mean, and the logs, scalars, of a share of the arrays (N, ...) of ``batch``.
        """

        def learn(*share: Tensor) -> tuple[list[Tensor], Logs]:
            with tf.GradientTape() as tape:
                loss, logs = loss_of(*share)
            return tape.gradient(loss, variables), logs

        found = self._each(learn, batch)
        if len(found) == 1:
            return found[0]
        gradients, logs = zip(*found, strict=True)
        means = [_mean(one) for one in zip(*gradients, strict=True)]
        return means, {name: _mean([each[name] for each in logs]) for name in logs[0]}

    def joined(self, act: Callable[..., Tensor], *batch: Tensor) -> Tensor:
        """``act`` on the shares of ``batch``, joined: (N, ...)."""
        found = self._each(act, batch)
        return found[0] if len(found) == 1 else tf.concat(found, axis=0)

    def _each(self, act: Callable[..., Any], batch: Sequence[Tensor]) -> list[Any]:
        if not self.devices:
            return [act(*batch)]
        found = []
        for device, *share in zip(self.devices, *(tf.split(each, len(self.devices)) for each in batch), strict=True):
            with tf.device(device):
                found.append(act(*share))
        return found


def shared_gpus(batch_size: int) -> tuple[str, ...]:
    """Names of GPUs: the largest number of them that divides ``batch_size``."""
    names = [gpu.name for gpu in tf.config.list_logical_devices("GPU")]
    count = next((n for n in range(len(names), 0, -1) if batch_size % n == 0), 0)
    return tuple(names[:count])


def _mean(values: Sequence[Tensor]) -> Tensor:
    return tf.add_n(list(values)) / len(values)
