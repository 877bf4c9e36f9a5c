"""Precision: the number format in which a network's convolutions are computed. Its weights are float32 in any case.

bfloat16 halves memory traffic and doubles the work of a multiply-add, on hardware that has it. On two AMD cores with
AVX512-BF16 the reader trains 1.6 times and reads 1.8 times as fast. Elsewhere bfloat16 is emulated, and slow.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from synth_engine.errors import RunError

if TYPE_CHECKING:
    import keras

Precision = Literal["float32", "mixed_bfloat16"]
PRECISIONS: tuple[Precision, ...] = get_args(Precision)
CPU_FLAGS = {"avx512_bf16", "amx_bf16"}
GPU_MIN = (8, 0)  # compute capability of Ampere, the first with bfloat16


def best_precision() -> Precision:
    """mixed_bfloat16 where the GPUs, or without any the CPU, multiply it natively; else float32. Imports TensorFlow."""
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    native = all(_is_native(tf, gpu) for gpu in gpus) if gpus else bool(CPU_FLAGS & cpu_flags())
    return "mixed_bfloat16" if native else "float32"


def cpu_flags(path: str | Path = "/proc/cpuinfo") -> set[str]:
    """Flags of the first processor in Linux' ``path``; empty elsewhere."""
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except OSError:
        return set()
    return next((set(line.partition(":")[2].split()) for line in lines if line.startswith("flags")), set())


def in_precision(network: keras.Model, precision: Precision) -> keras.Model:
    """A copy of ``network`` with its weights that computes in ``precision``. Its outputs are float32 in any case.

    Micikevicius et al. 2018, "Mixed precision training" (arXiv 1710.03740): weights and results stay in full precision.
    bfloat16 has the range of float32, so losses need no scaling. Raises RunError for another name.
    """
    if precision not in PRECISIONS:
        raise RunError(f"`precision` is {precision!r}; choose one of {', '.join(PRECISIONS)}", precision)
    import keras

    last = {tensor._keras_history.operation.name for tensor in network.outputs}

    def copied(layer: keras.Layer) -> keras.Layer:
        policy = "float32" if layer.name in last else precision
        return type(layer).from_config({**layer.get_config(), "dtype": policy})

    copy = keras.models.clone_model(network, clone_function=copied)
    copy.set_weights(network.get_weights())
    copy.trainable = network.trainable
    return copy


def _is_native(tf: Any, gpu: Any) -> bool:
    capability = tf.config.experimental.get_device_details(gpu).get("compute_capability", (0, 0))
    return tuple(capability) >= GPU_MIN
