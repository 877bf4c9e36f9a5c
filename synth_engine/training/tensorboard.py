"""Summaries for TensorBoard, if they are asked for."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from synth_engine.errors import RunError

if TYPE_CHECKING:
    import keras


def check_tensorboard(wanted: bool) -> None:
    """Raise RunError if summaries are ``wanted`` and the package tensorboard is not installed."""
    if wanted and find_spec("tensorboard") is None:
        raise RunError("--tensorboard needs the package tensorboard, which is not installed: pip install tensorboard")


def tensorboard_callbacks(wanted: bool, run: Path, update_freq: str | int = "epoch") -> list[keras.callbacks.Callback]:
    """The callback of ``fit`` that writes them into ``run``/tensorboard each ``update_freq`` steps, if ``wanted``."""
    if not wanted:
        return []
    import keras

    return [keras.callbacks.TensorBoard(str(run / "tensorboard"), write_graph=False, update_freq=update_freq)]
